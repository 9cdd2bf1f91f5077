/* The modified Tate pairing of RFC 5091 §4.5.2: e'(A, B) = e(A, phi(B)), phi(x, y) = (zeta x, y),
 * zeta = (p - 1)/2 (1 + 3^((p+1)/4) i) (profile §4 item 1).
 *
 * phi(B) has its x outside F_p. The image Q' = phi(B) - pi(phi(B)), pi the Frobenius map, has x' in F_p and
 * y' = i y'', y'' in F_p: denominators then vanish in the final exponentiation, and e(A, Q') = e'(A, B)^2.
 * With f the Miller function f_{q,A} at Q': e'(A, B)^2 = f^((p - 1) 12 r).
 * - Fixed first argument: lines are precomputed for half of A, so that f^((p - 1) 12 r) is e'(A, B) itself.
 * - Otherwise e'(A, B) = chi(N(f)) f^((p - 1) 6 r), chi the quadratic character of F_p.
 *
 * Constant time in all points, but for the inversion-free exponents, which depend on the group alone. */
#ifndef IBE_PAIRING_H
#define IBE_PAIRING_H

#include "ibe/curve.h"
#include "ibe/fp2.h"

#define IBK_FP2_MAX (2 * IBK_FP_MAX)

/* (x', y'') of B, of any order, from B and 1/x_B. */
void ibk_pairing_image(ibk_limb *image, const ibk_limb *point, const ibk_limb *inverse_x, const ibk_group *g);

/* f_{q,A}(Q') up to factors in F_p, for A of order q (miller.c). */
void ibk_miller(ibk_limb *f2, const ibk_limb *a, const ibk_limb *image, const ibk_group *g);

/* Precomputed lines of a fixed first argument (lines.c): coefficients in one allocation, wiped when freed. */
typedef struct ibk_lines {
    ibk_limb *coefficients;
    size_t limbs;
} ibk_lines;
ibk_err ibk_lines_init(ibk_lines *lines, const ibk_limb *a, const ibk_group *g); /* A of order q */
void ibk_lines_free(ibk_lines *lines);
void ibk_lines_eval(ibk_limb *f2, const ibk_lines *lines, const ibk_limb *image, const ibk_group *g);

/* f2^((p - 1) e) for even e of `bits` bits at most, in constant time for f2 and e (final.c). */
void ibk_final_exp(ibk_limb *r, const ibk_limb *f2, const ibk_limb *e, unsigned bits, const ibk_group *g);
/* theta^e for theta of norm 1. Constant time. */
void ibk_gt_pow(ibk_limb *r, const ibk_limb *theta, const ibk_limb *e, unsigned bits, const ibk_group *g);
/* e'(A, B) from f_{q,A}(Q') of A itself: the sixth of the exponent, and the sign. */
void ibk_final_exp_signed(ibk_limb *r, const ibk_limb *f2, const ibk_group *g);

#endif
