/* The five prime curves of RFC 6267 §6.1.4, by OpenSSL. Points are SEC 1 octets. */
#ifndef CONFORMANCE_PEER_CURVE_H
#define CONFORMANCE_PEER_CURVE_H

#include "peer/octets.h"

enum { PX_P192 = 1, PX_P224 = 5, PX_P256 = 8, PX_P384 = 11, PX_P521 = 14 };
#define PX_POINT_MAX  133 /* 04 || X || Y on P-521 */
#define PX_SCALAR_MAX 66

size_t px_field_len(uint8_t curve); /* octets of a coordinate; 0 for a curve that is none of the five */
/* The length of a point that begins with this tag: 02, 03 compressed, 04; 0 for another tag or curve. */
size_t px_point_len(uint8_t curve, uint8_t tag);

/* A scalar from the octets that `draw` gives; as long as the order. */
typedef ibk_err px_draw(void *user, uint8_t *out, size_t len);
ibk_err px_scalar(uint8_t curve, px_draw *draw, void *user, px_octets *out);
/* [scalar]P, or [scalar]point; uncompressed, in place of what is in *out. Errors: NOT_ON_CURVE, INFINITY. */
ibk_err px_multiply(uint8_t curve, ibk_span scalar, const ibk_span *point, px_octets *out);
/* The uncompressed octets of a point that is on the curve, IBK_ERR_NOT_ON_CURVE or IBK_ERR_INFINITY. */
ibk_err px_point_check(uint8_t curve, ibk_span point, px_octets *out);
ibk_err px_compress(uint8_t curve, ibk_span point, px_octets *out);

#endif
