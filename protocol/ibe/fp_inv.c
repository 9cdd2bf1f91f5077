/* Inversion by the division steps of Bernstein and Yang (safegcd, half-delta variant), 62 steps at a time on
 * signed 62-bit limbs. A fixed number of steps for a given bit length: constant time. */
#include "ibe/fp.h"

#include <string.h>

#define SPAN  62 /* steps a batch, and bits a limb */
#define MASK  ((uint64_t)-1 >> 2)
#define COUNT ((IBK_FP_MAX * 64 + 6) / SPAN + 2)

typedef __int128 wide;

typedef struct matrix {
    int64_t u, v, q, r;
} matrix;

/* Steps that suffice for inputs of `bits` bits (Pornin and Wuille's bound for delta starting at 1/2). */
static unsigned steps_for(unsigned bits) {
    return (unsigned)((45907ULL * bits + 26313) / 19929 + 1);
}

/* 62 steps on the lowest bits of f and g: (u v; q r) / 2^62 carries (f, g) to what they become. */
static int64_t batch(int64_t zeta, uint64_t f, uint64_t g, matrix *m) {
    uint64_t u = 1, v = 0, q = 0, r = 1;
    for (int i = 0; i < SPAN; i++) {
        uint64_t negative = (uint64_t)(zeta >> 63), odd = (uint64_t)0 - (g & 1);
        uint64_t x = (f ^ negative) - negative, y = (u ^ negative) - negative, z = (v ^ negative) - negative;
        g += x & odd;
        q += y & odd;
        r += z & odd;
        negative &= odd;
        zeta = (int64_t)((uint64_t)zeta ^ negative) - 1;
        f += g & negative;
        u += q & negative;
        v += r & negative;
        g >>= 1;
        u <<= 1;
        v <<= 1;
    }
    *m = (matrix){(int64_t)u, (int64_t)v, (int64_t)q, (int64_t)r};
    return zeta;
}

static void update_fg(int64_t *f, int64_t *g, const matrix *m, size_t n) {
    wide cf = (wide)m->u * f[0] + (wide)m->v * g[0], cg = (wide)m->q * f[0] + (wide)m->r * g[0];
    cf >>= SPAN; // exact: the steps made the lowest bits zero
    cg >>= SPAN;
    for (size_t i = 1; i < n; i++) {
        cf += (wide)m->u * f[i] + (wide)m->v * g[i];
        cg += (wide)m->q * f[i] + (wide)m->r * g[i];
        f[i - 1] = (int64_t)((uint64_t)cf & MASK);
        g[i - 1] = (int64_t)((uint64_t)cg & MASK);
        cf >>= SPAN;
        cg >>= SPAN;
    }
    f[n - 1] = (int64_t)cf;
    g[n - 1] = (int64_t)cg;
}

/* The same on (d, e) modulo p, both kept in (-2p, p). */
static void update_de(int64_t *d, int64_t *e, const matrix *m, const int64_t *p, uint64_t p_inverse,
                      size_t n) {
    int64_t sd = d[n - 1] >> 63, se = e[n - 1] >> 63;
    int64_t md = (m->u & sd) + (m->v & se), me = (m->q & sd) + (m->r & se);
    wide cd = (wide)m->u * d[0] + (wide)m->v * e[0], ce = (wide)m->q * d[0] + (wide)m->r * e[0];
    md -= (int64_t)((p_inverse * (uint64_t)cd + (uint64_t)md) & MASK);
    me -= (int64_t)((p_inverse * (uint64_t)ce + (uint64_t)me) & MASK);
    cd = (cd + (wide)p[0] * md) >> SPAN;
    ce = (ce + (wide)p[0] * me) >> SPAN;
    for (size_t i = 1; i < n; i++) {
        cd += (wide)m->u * d[i] + (wide)m->v * e[i] + (wide)p[i] * md;
        ce += (wide)m->q * d[i] + (wide)m->r * e[i] + (wide)p[i] * me;
        d[i - 1] = (int64_t)((uint64_t)cd & MASK);
        e[i - 1] = (int64_t)((uint64_t)ce & MASK);
        cd >>= SPAN;
        ce >>= SPAN;
    }
    d[n - 1] = (int64_t)cd;
    e[n - 1] = (int64_t)ce;
}

static void to_signed(int64_t *r, size_t n, const ibk_limb *a, size_t limbs) {
    for (size_t i = 0; i < n; i++) {
        size_t bit = i * SPAN, at = bit / 64, shift = bit % 64;
        uint64_t v = at < limbs ? a[at] >> shift : 0;
        if (shift > 2 && at + 1 < limbs)
            v |= a[at + 1] << (64 - shift);
        r[i] = (int64_t)(v & MASK);
    }
}

static void from_signed(ibk_limb *r, size_t limbs, const int64_t *a, size_t n) {
    memset(r, 0, limbs * sizeof *r);
    for (size_t i = 0; i < n; i++) {
        size_t bit = i * SPAN, at = bit / 64, shift = bit % 64;
        if (at < limbs)
            r[at] |= (uint64_t)a[i] << shift;
        if (shift > 2 && at + 1 < limbs)
            r[at + 1] |= (uint64_t)a[i] >> (64 - shift);
    }
}

/* a += p & mask or, negated first where `negate` is all ones; limbs brought back to 62 bits, the top one
 * signed. */
static void adjust(int64_t *a, const int64_t *p, int64_t add, int64_t negate, size_t n) {
    int64_t carry = 0;
    for (size_t i = 0; i < n; i++) {
        int64_t v = ((a[i] + (p[i] & add)) ^ negate) - negate;
        v += carry;
        if (i + 1 < n) {
            a[i] = (int64_t)((uint64_t)v & MASK);
            carry = v >> SPAN;
        } else {
            a[i] = v;
        }
    }
}

void ibk_fp_inv(ibk_limb *r, const ibk_limb *a, const ibk_fp *field) {
    int64_t f[COUNT], g[COUNT], d[COUNT], e[COUNT], p[COUNT];
    size_t n = (field->bits + 5 + SPAN - 1) / SPAN;
    if (n < 2)
        n = 2;
    int64_t zeta = -1; // -(delta + 1/2), delta = 1/2
    to_signed(p, n, field->p, field->n);
    memcpy(f, p, n * sizeof *f);
    to_signed(g, n, a, field->n);
    memset(d, 0, n * sizeof *d);
    memset(e, 0, n * sizeof *e);
    e[0] = 1;
    unsigned batches = (steps_for(field->bits) + SPAN - 1) / SPAN;
    for (unsigned i = 0; i < batches; i++) {
        matrix m;
        // the lowest 64 bits; a limb has 62
        uint64_t f0 = (uint64_t)f[0] | (uint64_t)f[1] << SPAN, g0 = (uint64_t)g[0] | (uint64_t)g[1] << SPAN;
        zeta = batch(zeta, f0, g0, &m);
        update_de(d, e, &m, p, (uint64_t)0 - field->n0, n);
        update_fg(f, g, &m, n);
    }
    // f is now 1 or -1 (the sign of 1/a is in d), g is 0; d lies in (-2p, p)
    int64_t sign = f[n - 1] >> 63;
    adjust(d, p, d[n - 1] >> 63, sign, n); // in (-p, p)
    adjust(d, p, d[n - 1] >> 63, 0, n);
    from_signed(r, field->n, d, n);
    // a stood for aR: 1/(aR) becomes R/a
    ibk_fp_mul(r, r, field->r2, field);
    ibk_fp_mul(r, r, field->r2, field);
    ibk_wipe(f, n * sizeof *f);
    ibk_wipe(g, n * sizeof *g);
    ibk_wipe(d, n * sizeof *d);
    ibk_wipe(e, n * sizeof *e);
}

void ibk_fp_inv_many(ibk_limb *a, size_t count, size_t stride, ibk_limb *scratch, const ibk_fp *f) {
    ibk_limb acc[IBK_FP_MAX], t[IBK_FP_MAX];
    if (count == 0)
        return;
    ibk_fp_copy(scratch, a, f); // running products
    for (size_t i = 1; i < count; i++)
        ibk_fp_mul(scratch + i * f->n, scratch + (i - 1) * f->n, a + i * stride, f);
    ibk_fp_inv(acc, scratch + (count - 1) * f->n, f);
    for (size_t i = count - 1; i > 0; i--) {
        ibk_fp_mul(t, acc, scratch + (i - 1) * f->n, f);
        ibk_fp_mul(acc, acc, a + i * stride, f);
        ibk_fp_copy(a + i * stride, t, f);
    }
    ibk_fp_copy(a, acc, f);
    ibk_wipe(acc, f->n * sizeof *acc);
    ibk_wipe(t, f->n * sizeof *t);
}
