/* Final exponentiation. u = f^(p-1) = conj(f) / f has norm 1, so its powers are told by traces: V_k = u^k +
 * u^-k obeys V_2k = V_k^2 - 2, V_(2k+1) = V_k V_(k+1) - V_1, a multiplication and a squaring in F_p a bit.
 * The imaginary part comes back at the end, Im u^k = (V_1 V_k - 2 V_(k+1)) / (4 Im u), its inversion shared
 * with that of the norm. */
#include "ibe/pairing.h"

#include <string.h>

#define T(i) (tmp + (size_t)(i)*n)

/* (V_e, V_(e+1)) from V_1; the same steps for every e of up to `bits` bits. */
static void ladder(ibk_limb *v, ibk_limb *next, const ibk_limb *first, const ibk_limb *e, unsigned bits,
                   const ibk_group *g) {
    const ibk_fp *f = &g->fp;
    size_t n = f->n;
    ibk_fp_copy(v, g->two, f);
    ibk_fp_copy(next, first, f);
    ibk_limb swapped = 0;
    for (unsigned i = bits; i > 0; i--) {
        ibk_limb bit = (ibk_limb)0 - ibk_limbs_bit(e, i - 1);
        ibk_limbs_swap(v, next, bit ^ swapped, n);
        swapped = bit;
        ibk_fp_mul(next, next, v, f);
        ibk_fp_sub(next, next, first, f);
        ibk_fp_sqr(v, v, f);
        ibk_fp_sub(v, v, g->two, f);
    }
    ibk_limbs_swap(v, next, swapped, n);
}

/* r = u^e from V_1 = 2 Re u and k = 1 / (4 Im u). */
static void power_from_trace(ibk_limb *r, const ibk_limb *first, const ibk_limb *k, const ibk_limb *e,
                             unsigned bits, const ibk_group *g) {
    const ibk_fp *f = &g->fp;
    size_t n = f->n;
    ibk_limb tmp[3 * IBK_FP_MAX];
    ladder(T(0), T(1), first, e, bits, g);
    ibk_fp_mul(T(2), first, T(0), f);
    ibk_fp_dbl(T(1), T(1), f);
    ibk_fp_sub(T(2), T(2), T(1), f);
    ibk_fp_mul(r + n, T(2), k, f);
    ibk_fp_mul(r, T(0), g->half, f);
    ibk_wipe(tmp, 3 * n * sizeof *tmp);
}

/* V_1 and 1 / (4 Im u) of u = conj(f) / f; the mask tells that f lies in F_p or i F_p, where u = 1 or -1. */
static ibk_limb easy_part(ibk_limb *first, ibk_limb *k, const ibk_limb *f2, const ibk_group *g) {
    const ibk_fp *f = &g->fp;
    size_t n = f->n;
    ibk_limb tmp[6 * IBK_FP_MAX];
    ibk_fp_sqr(T(0), f2, f);
    ibk_fp_sqr(T(1), f2 + n, f);
    ibk_fp_mul(T(2), f2, f2 + n, f);
    ibk_fp_add(T(3), T(0), T(1), f); // norm
    ibk_fp_sub(T(0), T(0), T(1), f);
    ibk_fp_mul(T(4), T(2), T(3), f);
    ibk_fp_inv(T(4), T(4), f);
    ibk_fp_mul(T(1), T(4), T(2), f); // 1 / norm
    ibk_fp_mul(first, T(0), T(1), f);
    ibk_fp_dbl(first, first, f);
    // Im u = -2 f0 f1 / norm: 1 / (4 Im u) = -norm / (8 f0 f1)
    ibk_fp_mul(T(1), T(4), T(3), f); // 1 / (f0 f1)
    ibk_fp_mul(T(1), T(1), T(3), f);
    ibk_fp_mul(k, T(1), g->minus_eighth, f);
    ibk_limb real = ibk_fp_is_zero(T(2), f);
    ibk_wipe(tmp, 6 * n * sizeof *tmp);
    return real;
}

void ibk_final_exp(ibk_limb *r, const ibk_limb *f2, const ibk_limb *e, unsigned bits, const ibk_group *g) {
    ibk_limb first[IBK_FP_MAX], k[IBK_FP_MAX], one[IBK_FP2_MAX];
    ibk_limb real = easy_part(first, k, f2, g);
    power_from_trace(r, first, k, e, bits, g);
    ibk_fp2_one(one, &g->fp);
    ibk_limbs_select(r, one, real, 2 * (size_t)g->fp.n); // (+-1)^e, e even
    ibk_wipe(first, g->fp.n * sizeof *first);
    ibk_wipe(k, g->fp.n * sizeof *k);
}

void ibk_gt_pow(ibk_limb *r, const ibk_limb *theta, const ibk_limb *e, unsigned bits, const ibk_group *g) {
    const ibk_fp *f = &g->fp;
    ibk_limb first[IBK_FP_MAX], k[IBK_FP_MAX], base[IBK_FP2_MAX], t[IBK_FP_MAX];
    memcpy(base, theta, 2 * f->n * sizeof *base);
    ibk_fp_dbl(first, base, f);
    ibk_fp_dbl(t, base + f->n, f);
    ibk_fp_dbl(t, t, f);
    ibk_fp_inv(k, t, f);
    ibk_limb real = ibk_fp_is_zero(t, f);
    power_from_trace(r, first, k, e, bits, g);
    // theta = 1 or -1: theta^e is theta for odd e and 1 for even e
    ibk_limb odd = (ibk_limb)0 - (e[0] & 1), one[IBK_FP2_MAX];
    ibk_fp2_one(one, f);
    ibk_limbs_select(r, one, real & ~odd, 2 * (size_t)f->n);
    ibk_limbs_select(r, base, real & odd, 2 * (size_t)f->n);
    ibk_wipe(first, f->n * sizeof *first);
    ibk_wipe(k, f->n * sizeof *k);
    ibk_wipe(base, 2 * f->n * sizeof *base);
}

/* Whether h = +-e, e of order q, is -e: compare the traces of h^(2^a) and h^(-s 2^b - c), equal for e since
 * 2^a = -(s 2^b + c) mod q; the first exponent is even, the second odd, so that for -e they are opposite. */
static ibk_limb is_negative(const ibk_limb *h, const ibk_group *g) {
    const ibk_fp *f = &g->fp;
    size_t n = f->n;
    ibk_limb tmp[4 * IBK_FP_MAX];
    ibk_limb *first = T(0), *v = T(1), *beside = T(2), *odd = T(3); // V_m and V_(m + sc), m = 2^j
    ibk_fp_dbl(first, h, f);
    ibk_fp_copy(v, first, f);
    ibk_fp_copy(beside, g->two, f); // V_0
    if (g->s * g->c > 0) {
        ibk_fp_sqr(beside, first, f);
        ibk_fp_sub(beside, beside, g->two, f); // V_2
    }
    for (unsigned i = 0; i < g->a; i++) {
        if (i < g->b) {
            ibk_fp_mul(beside, beside, v, f);
            ibk_fp_sub(beside, beside, first, f);
        }
        ibk_fp_sqr(v, v, f);
        ibk_fp_sub(v, v, g->two, f);
    }
    ibk_fp_neg(odd, beside, f);
    ibk_limb negative = ibk_fp_equal(v, odd, f);
    ibk_wipe(tmp, 4 * n * sizeof *tmp);
    return negative;
}

void ibk_final_exp_signed(ibk_limb *r, const ibk_limb *f2, const ibk_group *g) {
    const ibk_fp *f = &g->fp;
    ibk_limb minus[IBK_FP2_MAX];
    ibk_final_exp(r, f2, g->cofactor_half, g->cofactor_bits - 1, g);
    ibk_limb negative = is_negative(r, g);
    ibk_fp_neg(minus, r, f);
    ibk_fp_neg(minus + f->n, r + f->n, f);
    ibk_limbs_select(r, minus, negative, 2 * (size_t)f->n);
}
