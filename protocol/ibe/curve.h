/* E: y^2 = x^3 + 1. An affine point is x || y (2n limbs) and is never the point at infinity; a projective one
 * is X || Y || Z for (X/Z, Y/Z), infinity having Z = 0.
 *
 * Addition uses the complete formulas of Renes, Costello and Batina (2016, algorithms 7 and 8), doubling
 * those of Costello, Lange and Naehrig (2010): no special cases inside the subgroup of odd order q, whose
 * points are all that secret scalars meet. Outside it an exceptional sum comes out as (0, 0, 0). */
#ifndef IBE_CURVE_H
#define IBE_CURVE_H

#include "ibe/group.h"

#define IBK_POINT_MAX (2 * IBK_FP_MAX)
#define IBK_PROJ_MAX  (3 * IBK_FP_MAX)

bool ibk_curve_on(const ibk_limb *point, const ibk_group *g);
void ibk_curve_to_proj(ibk_limb *r, const ibk_limb *point, const ibk_group *g);
/* Mask: all ones if it is affine; for infinity 0, and r is (0, 0). */
ibk_limb ibk_curve_to_affine(ibk_limb *r, const ibk_limb *proj, const ibk_group *g);
void ibk_curve_double(ibk_limb *r, const ibk_limb *proj, const ibk_group *g);
void ibk_curve_add(ibk_limb *r, const ibk_limb *a, const ibk_limb *b, const ibk_group *g);
void ibk_curve_add_affine(ibk_limb *r, const ibk_limb *a, const ibk_limb *point, const ibk_group *g);

/* h = [(q + 1) / 2]A, the half of A in its group; false (after the same work) unless A has order q. Constant
 * time. */
bool ibk_curve_half(ibk_limb *h, const ibk_limb *point, const ibk_group *g);
/* [k]A for A of order q, k < q in limbs of fq's length, out of Montgomery form; mask as ibk_curve_to_affine.
 * Constant time. */
ibk_limb ibk_curve_mul_secret(ibk_limb *r, const ibk_limb *point, const ibk_limb *k, const ibk_group *g);

/* Jacobian coordinates with every special case, for public points and scalars (curve_public.c). */
/* False if [k]A is infinity. */
bool ibk_curve_mul_vartime(ibk_limb *r, const ibk_limb *point, const ibk_limb *k, size_t k_limbs,
                           const ibk_group *g);

/* HashToPoint1 without its last step (RFC 5091 §4.4.2 steps 1-3), from HashToRange's y: point = (x, y) on the
 * curve and inverse_x = 1/x. False for x = 0. */
bool ibk_curve_from_y(ibk_limb *point, ibk_limb *inverse_x, const ibk_limb *y, const ibk_group *g);

/* Octets x || y of field length; `from` fails for integers not below p. */
bool ibk_curve_from_octets(ibk_limb *point, const uint8_t *octets, const ibk_group *g);
void ibk_curve_to_octets(uint8_t *octets, const ibk_limb *point, const ibk_group *g);

#endif
