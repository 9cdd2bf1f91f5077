/* Points in constant time: complete addition, doubling, halving, multiplication by a secret. */
#include "ibe/curve.h"

#include <string.h>

#define T(i) (tmp + (size_t)(i)*n)

bool ibk_curve_on(const ibk_limb *point, const ibk_group *g) {
    const ibk_fp *f = &g->fp;
    ibk_limb left[IBK_FP_MAX], right[IBK_FP_MAX];
    ibk_fp_sqr(left, point + f->n, f);
    ibk_fp_sqr(right, point, f);
    ibk_fp_mul(right, right, point, f);
    ibk_fp_add(right, right, f->one, f);
    return ibk_fp_equal(left, right, f) != 0;
}

void ibk_curve_to_proj(ibk_limb *r, const ibk_limb *point, const ibk_group *g) {
    size_t n = g->fp.n;
    memmove(r, point, 2 * n * sizeof *r);
    ibk_fp_copy(r + 2 * n, g->fp.one, &g->fp);
}

ibk_limb ibk_curve_to_affine(ibk_limb *r, const ibk_limb *proj, const ibk_group *g) {
    const ibk_fp *f = &g->fp;
    ibk_limb inverse[IBK_FP_MAX];
    size_t n = f->n;
    ibk_limb infinite = ibk_fp_is_zero(proj + 2 * n, f);
    ibk_fp_inv(inverse, proj + 2 * n, f); // 0 for 0
    ibk_fp_mul(r, proj, inverse, f);
    ibk_fp_mul(r + n, proj + n, inverse, f);
    return ~infinite;
}

/* x = X/Z: with A = X^2, B = Y^2, C = Z^2, D = 3C, E = 2XY, F = 2YZ:
 * X' = E (B - 3D), Y' = (B + 3D)^2 - 12 D^2, Z' = 4 B F. */
void ibk_curve_double(ibk_limb *r, const ibk_limb *proj, const ibk_group *g) {
    const ibk_fp *f = &g->fp;
    size_t n = f->n;
    ibk_limb tmp[12 * IBK_FP_MAX];
    const ibk_limb *x = proj, *y = proj + n, *z = proj + 2 * n;
    ibk_limb *b = T(0), *d = T(1), *e = T(2), *h = T(3), *g3 = T(4), *t = T(5), *w0 = T(6), *w1 = T(8);
    ibk_fp_sqr(b, y, f);
    ibk_fp_sqr(t, z, f);
    ibk_fp_triple(d, t, f);
    ibk_fp_mul(e, x, y, f);
    ibk_fp_mul(h, y, z, f);
    ibk_fp_triple(g3, d, f);
    ibk_fp_dbl(e, e, f);
    ibk_fp_sub(t, b, g3, f);
    ibk_fp_mul(r, e, t, f);
    ibk_fp_dbl(h, h, f);
    ibk_fp_dbl(h, h, f);
    ibk_fp_dbl(h, h, f);
    ibk_fp_mul(r + 2 * n, b, h, f);
    // 12 D^2 = 3 (2D)^2
    ibk_fp_add(t, b, g3, f);
    ibk_fp_dbl(d, d, f);
    f->ops->sqr_wide(w0, t, f);
    f->ops->sqr_wide(w1, d, f);
    f->ops->sub_wide(w0, w0, w1, f);
    f->ops->sub_wide(w0, w0, w1, f);
    f->ops->sub_wide(w0, w0, w1, f);
    f->ops->redc(r + n, w0, f);
}

/* The common end of algorithms 7 and 8, b3 = 3: from t0 = X1X2, t1 = Y1Y2, t2 = Z1Z2, t3 = X1Y2 + X2Y1,
 * t4 = Y1Z2 + Y2Z1, t5 = X1Z2 + X2Z1, all of which it overwrites. */
static void add_end(ibk_limb *r, ibk_limb *tmp, const ibk_fp *f) {
    size_t n = f->n;
    ibk_limb *w0 = T(8), *w1 = T(10);
    ibk_fp_triple(T(6), T(0), f);    // 3 X1X2
    ibk_fp_triple(T(7), T(2), f);    // 3 Z1Z2
    ibk_fp_add(T(0), T(1), T(7), f); // Y1Y2 + 3 Z1Z2
    ibk_fp_sub(T(1), T(1), T(7), f); // Y1Y2 - 3 Z1Z2
    ibk_fp_triple(T(7), T(5), f);
    f->ops->mul_wide(w0, T(3), T(1), f);
    f->ops->mul_wide(w1, T(4), T(7), f);
    f->ops->sub_wide(w0, w0, w1, f);
    f->ops->redc(r, w0, f);
    f->ops->mul_wide(w0, T(1), T(0), f);
    f->ops->mul_wide(w1, T(7), T(6), f);
    f->ops->add_wide(w0, w0, w1, f);
    f->ops->redc(r + n, w0, f);
    f->ops->mul_wide(w0, T(0), T(4), f);
    f->ops->mul_wide(w1, T(6), T(3), f);
    f->ops->add_wide(w0, w0, w1, f);
    f->ops->redc(r + 2 * n, w0, f);
}

/* r = u0 v1 + u1 v0, given p = u0 v0 and q = u1 v1. */
static void cross(ibk_limb *r, const ibk_limb *u0, const ibk_limb *u1, const ibk_limb *v0, const ibk_limb *v1,
                  const ibk_limb *p, const ibk_limb *q, const ibk_fp *f) {
    ibk_limb a[IBK_FP_MAX], b[IBK_FP_MAX];
    ibk_fp_add(a, u0, u1, f);
    ibk_fp_add(b, v0, v1, f);
    ibk_fp_mul(a, a, b, f);
    ibk_fp_sub(a, a, p, f);
    ibk_fp_sub(r, a, q, f);
}

void ibk_curve_add(ibk_limb *r, const ibk_limb *a, const ibk_limb *b, const ibk_group *g) {
    const ibk_fp *f = &g->fp;
    size_t n = f->n;
    ibk_limb tmp[12 * IBK_FP_MAX];
    const ibk_limb *x1 = a, *y1 = a + n, *z1 = a + 2 * n, *x2 = b, *y2 = b + n, *z2 = b + 2 * n;
    ibk_fp_mul(T(0), x1, x2, f);
    ibk_fp_mul(T(1), y1, y2, f);
    ibk_fp_mul(T(2), z1, z2, f);
    cross(T(3), x1, y1, x2, y2, T(0), T(1), f);
    cross(T(4), y1, z1, y2, z2, T(1), T(2), f);
    cross(T(5), x1, z1, x2, z2, T(0), T(2), f);
    add_end(r, tmp, f);
}

void ibk_curve_add_affine(ibk_limb *r, const ibk_limb *a, const ibk_limb *point, const ibk_group *g) {
    const ibk_fp *f = &g->fp;
    size_t n = f->n;
    ibk_limb tmp[12 * IBK_FP_MAX];
    const ibk_limb *x1 = a, *y1 = a + n, *z1 = a + 2 * n, *x2 = point, *y2 = point + n;
    ibk_fp_mul(T(0), x1, x2, f);
    ibk_fp_mul(T(1), y1, y2, f);
    cross(T(3), x1, y1, x2, y2, T(0), T(1), f);
    ibk_fp_mul(T(4), y2, z1, f);
    ibk_fp_add(T(4), T(4), y1, f);
    ibk_fp_mul(T(5), x2, z1, f);
    ibk_fp_add(T(5), T(5), x1, f);
    ibk_fp_copy(T(2), z1, f);
    add_end(r, tmp, f);
}

static void negate_if(ibk_limb *y, bool negative, const ibk_fp *f) {
    if (negative)
        ibk_fp_neg(y, y, f);
}

/* (q + 1) / 2 = 2^(a-1) + s 2^(b-1) + (c + 1) / 2. The exponents are public, the point need not be. */
bool ibk_curve_half(ibk_limb *h, const ibk_limb *point, const ibk_group *g) {
    const ibk_fp *f = &g->fp;
    size_t n = f->n;
    ibk_limb v[IBK_PROJ_MAX], vb[IBK_PROJ_MAX], twice[IBK_PROJ_MAX], back[IBK_POINT_MAX];
    ibk_curve_to_proj(v, point, g);
    for (unsigned i = 0; i + 1 < g->a; i++) {
        if (i + 1 == g->b)
            memcpy(vb, v, 3 * n * sizeof *v);
        ibk_curve_double(v, v, g);
    }
    negate_if(vb + n, g->s < 0, f);
    ibk_curve_add(v, v, vb, g);
    if (g->c > 0)
        ibk_curve_add_affine(v, v, point, g);
    ibk_limb ok = ibk_curve_to_affine(h, v, g);
    // A has order q if and only if twice its half is A: [q]A = 2 [(q + 1) / 2]A - A
    ibk_curve_double(twice, v, g);
    ok &= ibk_curve_to_affine(back, twice, g);
    ok &= ibk_fp_equal(back, point, f) & ibk_fp_equal(back + n, point + n, f);
    ibk_wipe(v, 3 * n * sizeof *v);
    ibk_wipe(vb, 3 * n * sizeof *v);
    ibk_wipe(twice, 3 * n * sizeof *v);
    ibk_wipe(back, 2 * n * sizeof *v);
    return ok != 0;
}

#define WINDOW 4

/* Fixed windows over a table of 0 … 15 times A, every entry read each time. */
ibk_limb ibk_curve_mul_secret(ibk_limb *r, const ibk_limb *point, const ibk_limb *k, const ibk_group *g) {
    const ibk_fp *f = &g->fp;
    size_t n = f->n, size = 3 * n;
    ibk_limb table[IBK_PROJ_MAX << WINDOW], acc[IBK_PROJ_MAX], entry[IBK_PROJ_MAX];
    memset(table, 0, size * sizeof *table);
    ibk_fp_copy(table + n, f->one, f); // infinity is (0, 1, 0)
    ibk_curve_to_proj(table + size, point, g);
    for (size_t i = 2; i < 1 << WINDOW; i++) {
        if (i % 2 == 0)
            ibk_curve_double(table + i * size, table + i / 2 * size, g);
        else
            ibk_curve_add_affine(table + i * size, table + (i - 1) * size, point, g);
    }
    memcpy(acc, table, size * sizeof *acc);
    for (unsigned at = (g->fq.bits + WINDOW - 1) / WINDOW * WINDOW; at > 0; at -= WINDOW) {
        ibk_limb digit = 0;
        for (unsigned i = 0; i < WINDOW; i++) {
            ibk_curve_double(acc, acc, g);
            digit = digit << 1 | ibk_limbs_bit(k, at - 1 - i);
        }
        memset(entry, 0, size * sizeof *entry);
        for (ibk_limb i = 0; i < 1 << WINDOW; i++) {
            ibk_limb differs = i ^ digit;
            ibk_limbs_select(entry, table + i * size, (ibk_limb)0 - ((differs - 1) >> 63), size);
        }
        ibk_curve_add(acc, acc, entry, g);
    }
    ibk_limb finite = ibk_curve_to_affine(r, acc, g);
    ibk_wipe(acc, size * sizeof *acc);
    ibk_wipe(entry, size * sizeof *entry);
    return finite;
}

bool ibk_curve_from_y(ibk_limb *point, ibk_limb *inverse_x, const ibk_limb *y, const ibk_group *g) {
    const ibk_fp *f = &g->fp;
    ibk_limb w[IBK_FP_MAX], t[IBK_FP_MAX];
    // x = w^((2p - 1) / 3) for w = y^2 - 1. With t = w^((p - 2) / 3) = 1/x, x = w t^2.
    ibk_fp_sqr(w, y, f);
    ibk_fp_sub(w, w, f->one, f);
    ibk_fp_copy(point + f->n, y, f);
    ibk_fp_pow_public(inverse_x, w, g->inverse_root, f->n, f);
    ibk_fp_sqr(t, inverse_x, f);
    ibk_fp_mul(point, w, t, f);
    return ibk_fp_is_zero(w, f) == 0;
}

bool ibk_curve_from_octets(ibk_limb *point, const uint8_t *octets, const ibk_group *g) {
    size_t len = g->fp.octets;
    return ibk_fp_from(point, octets, len, &g->fp) && ibk_fp_from(point + g->fp.n, octets + len, len, &g->fp);
}

void ibk_curve_to_octets(uint8_t *octets, const ibk_limb *point, const ibk_group *g) {
    ibk_fp_to(octets, point, &g->fp);
    ibk_fp_to(octets + g->fp.octets, point + g->fp.n, &g->fp);
}
