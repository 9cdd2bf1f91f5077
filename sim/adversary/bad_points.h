/* Points that a careful receiver of an ECCPT refuses, and what they are good for: after [s]Q for a Q of small
 * order there are few values that K_SESSION can have, and each try tells s modulo that order (invalid-curve
 * attack). */
#ifndef SIM_ADVERSARY_BAD_POINTS_H
#define SIM_ADVERSARY_BAD_POINTS_H

#include <ibake.h>

typedef enum bad_point {
    BAD_POINT_OFF_CURVE = 1, /* 04 || X || Y of `base`, Y changed by one bit */
    BAD_POINT_INFINITY,      /* 00 */
    BAD_POINT_SMALL_ORDER,   /* on another curve, of order BAD_POINT_ORDER; P-256 alone */
    BAD_POINT_COMPRESSED,    /* 02 or 03 || X: `base` itself, in a form that P-3 accepts */
    BAD_POINT_TWIST          /* 02 || X with no point of the curve above X: one of its quadratic twist */
} bad_point;

/* Appends SEC 1 octets for the curve of `base`. IBK_ERR_UNSUPPORTED: there is no such point for it. */
ibk_err bad_point_make(ibk_buf *out, bad_point kind, const ibk_ec_point *base);

#endif
