/* Points in variable time, for public data: Jacobian coordinates (X / Z^2, Y / Z^3), every special case
 * handled. */
#include "ibe/curve.h"

#include <string.h>

#define WIDTH  5                  /* of the signed windows */
#define ODD    (1 << (WIDTH - 2)) /* A, 3A, … 15A */
#define DIGITS (64 * IBK_FP_MAX + 1)

#define T(i) (tmp + (size_t)(i)*n)

/* 2M + 5S. Doubles infinity and points of order 2 (Y = 0) to Z = 0. r may be a. */
static void jac_double(ibk_limb *r, const ibk_limb *a, const ibk_fp *f) {
    size_t n = f->n;
    ibk_limb tmp[6 * IBK_FP_MAX];
    const ibk_limb *x = a, *y = a + n, *z = a + 2 * n;
    ibk_fp_mul(T(5), y, z, f);
    ibk_fp_sqr(T(0), x, f);       // A
    ibk_fp_sqr(T(1), y, f);       // B
    ibk_fp_sqr(T(2), T(1), f);    // C
    ibk_fp_add(T(3), x, T(1), f); // D = 2 ((X + B)^2 - A - C)
    ibk_fp_sqr(T(3), T(3), f);
    ibk_fp_sub(T(3), T(3), T(0), f);
    ibk_fp_sub(T(3), T(3), T(2), f);
    ibk_fp_dbl(T(3), T(3), f);
    ibk_fp_triple(T(4), T(0), f); // E = 3A
    ibk_fp_sqr(r, T(4), f);
    ibk_fp_sub(r, r, T(3), f);
    ibk_fp_sub(r, r, T(3), f);
    ibk_fp_sub(T(3), T(3), r, f);
    ibk_fp_mul(r + n, T(4), T(3), f);
    for (int i = 0; i < 3; i++)
        ibk_fp_dbl(T(2), T(2), f);
    ibk_fp_sub(r + n, r + n, T(2), f);
    ibk_fp_dbl(r + 2 * n, T(5), f);
}

/* Adds an affine point. */
static void jac_add(ibk_limb *r, const ibk_limb *a, const ibk_limb *point, const ibk_group *g) {
    const ibk_fp *f = &g->fp;
    size_t n = f->n;
    ibk_limb tmp[7 * IBK_FP_MAX];
    const ibk_limb *x1 = a, *y1 = a + n, *z1 = a + 2 * n;
    if (ibk_fp_is_zero(z1, f)) {
        ibk_curve_to_proj(r, point, g);
        return;
    }
    ibk_fp_sqr(T(0), z1, f);
    ibk_fp_mul(T(1), point, T(0), f); // U2
    ibk_fp_mul(T(0), T(0), z1, f);
    ibk_fp_mul(T(2), point + n, T(0), f); // S2
    ibk_fp_sub(T(1), T(1), x1, f);        // H
    ibk_fp_sub(T(2), T(2), y1, f);        // R
    if (ibk_fp_is_zero(T(1), f)) {
        if (ibk_fp_is_zero(T(2), f))
            jac_double(r, a, f);
        else
            memset(r, 0, 3 * n * sizeof *r);
        return;
    }
    ibk_fp_sqr(T(3), T(1), f);       // H^2
    ibk_fp_mul(T(4), T(3), T(1), f); // H^3
    ibk_fp_mul(T(3), T(3), x1, f);   // X1 H^2
    ibk_fp_mul(T(5), T(4), y1, f);   // Y1 H^3
    ibk_fp_mul(r + 2 * n, z1, T(1), f);
    ibk_fp_sqr(T(6), T(2), f);
    ibk_fp_sub(T(6), T(6), T(4), f);
    ibk_fp_sub(T(6), T(6), T(3), f);
    ibk_fp_sub(r, T(6), T(3), f);
    ibk_fp_sub(T(3), T(3), r, f);
    ibk_fp_mul(T(3), T(3), T(2), f);
    ibk_fp_sub(r + n, T(3), T(5), f);
}

/* Jacobian to affine, many at once; none is infinity. */
static void to_affine_many(ibk_limb *points, const ibk_limb *jac, size_t count, const ibk_group *g) {
    const ibk_fp *f = &g->fp;
    size_t n = f->n;
    ibk_limb z[ODD * IBK_FP_MAX], scratch[ODD * IBK_FP_MAX], t[IBK_FP_MAX];
    for (size_t i = 0; i < count; i++)
        ibk_fp_copy(z + i * n, jac + (3 * i + 2) * n, f);
    ibk_fp_inv_many(z, count, n, scratch, f);
    for (size_t i = 0; i < count; i++) {
        ibk_fp_sqr(t, z + i * n, f);
        ibk_fp_mul(points + 2 * i * n, jac + 3 * i * n, t, f);
        ibk_fp_mul(t, t, z + i * n, f);
        ibk_fp_mul(points + (2 * i + 1) * n, jac + (3 * i + 1) * n, t, f);
    }
}

/* Non-adjacent form of width 5: digits odd or 0, lowest first; returns their number. */
static size_t recode(int8_t *digits, const ibk_limb *k, size_t k_limbs) {
    ibk_limb rest[IBK_FP_MAX + 1], small[IBK_FP_MAX + 1];
    size_t count = 0, n = k_limbs + 1;
    memset(small, 0, sizeof small);
    memcpy(rest, k, k_limbs * sizeof *k);
    rest[k_limbs] = 0;
    for (unsigned left = ibk_limbs_bits_vartime(rest, n); left > 0; left = ibk_limbs_bits_vartime(rest, n)) {
        int digit = 0;
        if (rest[0] & 1) {
            digit = (int)(rest[0] & ((1 << WIDTH) - 1));
            if (digit >= 1 << (WIDTH - 1))
                digit -= 1 << WIDTH;
            small[0] = (ibk_limb)(digit < 0 ? -digit : digit);
            if (digit < 0)
                ibk_limbs_add(rest, rest, small, n);
            else
                ibk_limbs_sub(rest, rest, small, n);
        }
        digits[count++] = (int8_t)digit;
        for (size_t i = 0; i < n; i++)
            rest[i] = rest[i] >> 1 | (i + 1 < n ? rest[i + 1] << 63 : 0);
    }
    return count;
}

/* A, 3A, … in affine form; false if the order of A is so small that one of them is infinity. */
static bool odd_multiples(ibk_limb *table, const ibk_limb *point, const ibk_group *g) {
    const ibk_fp *f = &g->fp;
    size_t n = f->n;
    ibk_limb jac[ODD * IBK_PROJ_MAX], twice[IBK_PROJ_MAX], twice_affine[IBK_POINT_MAX];
    ibk_curve_to_proj(jac, point, g);
    jac_double(twice, jac, f);
    if (ibk_fp_is_zero(twice + 2 * n, f))
        return false;
    to_affine_many(twice_affine, twice, 1, g);
    for (size_t i = 1; i < ODD; i++) {
        jac_add(jac + 3 * i * n, jac + 3 * (i - 1) * n, twice_affine, g);
        if (ibk_fp_is_zero(jac + (3 * i + 2) * n, f))
            return false;
    }
    to_affine_many(table, jac, ODD, g);
    return true;
}

static void mul_windows(ibk_limb *acc, const ibk_limb *table, const int8_t *digits, size_t count,
                        const ibk_group *g) {
    const ibk_fp *f = &g->fp;
    size_t n = f->n;
    ibk_limb negative[IBK_POINT_MAX];
    for (size_t i = count; i > 0; i--) {
        int digit = digits[i - 1];
        jac_double(acc, acc, f);
        if (digit > 0)
            jac_add(acc, acc, table + (size_t)(digit / 2) * 2 * n, g);
        if (digit < 0) {
            memcpy(negative, table + (size_t)(-digit / 2) * 2 * n, 2 * n * sizeof *negative);
            ibk_fp_neg(negative + n, negative + n, f);
            jac_add(acc, acc, negative, g);
        }
    }
}

bool ibk_curve_mul_vartime(ibk_limb *r, const ibk_limb *point, const ibk_limb *k, size_t k_limbs,
                           const ibk_group *g) {
    const ibk_fp *f = &g->fp;
    size_t n = f->n;
    ibk_limb acc[IBK_PROJ_MAX], table[ODD * IBK_POINT_MAX];
    int8_t digits[DIGITS];
    memset(acc, 0, 3 * n * sizeof *acc);
    if (odd_multiples(table, point, g)) {
        mul_windows(acc, table, digits, recode(digits, k, k_limbs), g);
    } else { // order below 32: bit by bit
        for (unsigned i = ibk_limbs_bits_vartime(k, k_limbs); i > 0; i--) {
            jac_double(acc, acc, f);
            if (ibk_limbs_bit(k, i - 1))
                jac_add(acc, acc, point, g);
        }
    }
    if (ibk_fp_is_zero(acc + 2 * n, f))
        return false;
    to_affine_many(r, acc, 1, g);
    return true;
}
