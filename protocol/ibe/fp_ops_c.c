/* The portable multiplier: 128-bit products in C, and the additions that every multiplier uses. */
#include "ibe/fp.h"

#include <string.h>

typedef unsigned __int128 wide;

static inline ibk_limb add_carry(ibk_limb *r, const ibk_limb *a, const ibk_limb *b, size_t n,
                                 ibk_limb carry) {
    for (size_t i = 0; i < n; i++) {
        wide t = (wide)a[i] + b[i] + carry;
        r[i] = (ibk_limb)t;
        carry = (ibk_limb)(t >> 64);
    }
    return carry;
}

static inline ibk_limb sub_borrow(ibk_limb *r, const ibk_limb *a, const ibk_limb *b, size_t n,
                                  ibk_limb borrow) {
    for (size_t i = 0; i < n; i++) {
        wide t = (wide)a[i] - b[i] - borrow;
        r[i] = (ibk_limb)t;
        borrow = (ibk_limb)(t >> 64) & 1;
    }
    return borrow;
}

ibk_limb ibk_limbs_add(ibk_limb *r, const ibk_limb *a, const ibk_limb *b, size_t count) {
    return add_carry(r, a, b, count, 0);
}

ibk_limb ibk_limbs_sub(ibk_limb *r, const ibk_limb *a, const ibk_limb *b, size_t count) {
    return sub_borrow(r, a, b, count, 0);
}

/* r = s mod p for s = carry * R + sum, below 2p. */
static void reduce_once(ibk_limb *r, const ibk_limb *sum, ibk_limb carry, const ibk_fp *f) {
    ibk_limb diff[IBK_FP_MAX];
    ibk_limb borrow = sub_borrow(diff, sum, f->p, f->n, 0);
    ibk_limb keep = (ibk_limb)0 - (borrow & (carry ^ 1)); // the sum was below p
    for (size_t i = 0; i < f->n; i++)
        r[i] = diff[i] ^ ((diff[i] ^ sum[i]) & keep);
}

/* r = diff + p if a borrow fell out. */
static void add_back(ibk_limb *r, const ibk_limb *diff, ibk_limb borrow, const ibk_fp *f) {
    ibk_limb mask = (ibk_limb)0 - borrow, carry = 0;
    for (size_t i = 0; i < f->n; i++) {
        wide t = (wide)diff[i] + (f->p[i] & mask) + carry;
        r[i] = (ibk_limb)t;
        carry = (ibk_limb)(t >> 64);
    }
}

void ibk_fp_c_add(ibk_limb *r, const ibk_limb *a, const ibk_limb *b, const ibk_fp *f) {
    ibk_limb sum[IBK_FP_MAX];
    ibk_limb carry = add_carry(sum, a, b, f->n, 0);
    reduce_once(r, sum, carry, f);
}

void ibk_fp_c_sub(ibk_limb *r, const ibk_limb *a, const ibk_limb *b, const ibk_fp *f) {
    ibk_limb diff[IBK_FP_MAX];
    ibk_limb borrow = sub_borrow(diff, a, b, f->n, 0);
    add_back(r, diff, borrow, f);
}

/* Below p * R means that the upper half is below p: the fix-up concerns that half alone. */
void ibk_fp_c_add_wide(ibk_limb *r, const ibk_limb *a, const ibk_limb *b, const ibk_fp *f) {
    ibk_limb sum[IBK_FP_MAX];
    size_t n = f->n;
    ibk_limb carry = add_carry(r, a, b, n, 0);
    carry = add_carry(sum, a + n, b + n, n, carry);
    reduce_once(r + n, sum, carry, f);
}

void ibk_fp_c_sub_wide(ibk_limb *r, const ibk_limb *a, const ibk_limb *b, const ibk_fp *f) {
    ibk_limb diff[IBK_FP_MAX];
    size_t n = f->n;
    ibk_limb borrow = sub_borrow(r, a, b, n, 0);
    borrow = sub_borrow(diff, a + n, b + n, n, borrow);
    add_back(r + n, diff, borrow, f);
}

/* r[0..n) += a[0..n) * b, returns the limb that falls out. */
static inline ibk_limb mul_add_row(ibk_limb *r, const ibk_limb *a, ibk_limb b, size_t n) {
    ibk_limb carry = 0;
    for (size_t i = 0; i < n; i++) {
        wide t = (wide)a[i] * b + r[i] + carry;
        r[i] = (ibk_limb)t;
        carry = (ibk_limb)(t >> 64);
    }
    return carry;
}

static void mul_wide(ibk_limb *r, const ibk_limb *a, const ibk_limb *b, const ibk_fp *f) {
    size_t n = f->n;
    memset(r, 0, n * sizeof *r);
    for (size_t i = 0; i < n; i++)
        r[n + i] = mul_add_row(r + i, a, b[i], n);
}

/* The products below the diagonal, doubled, then the squares. */
static void sqr_wide(ibk_limb *r, const ibk_limb *a, const ibk_fp *f) {
    size_t n = f->n;
    memset(r, 0, 2 * n * sizeof *r);
    for (size_t i = 0; i + 1 < n; i++)
        r[n + i] = mul_add_row(r + 2 * i + 1, a + i + 1, a[i], n - 1 - i);
    ibk_limb shifted = 0, carry = 0;
    for (size_t i = 0; i < n; i++) {
        wide square = (wide)a[i] * a[i];
        ibk_limb lo = r[2 * i] << 1 | shifted, hi = r[2 * i + 1] << 1 | r[2 * i] >> 63;
        shifted = r[2 * i + 1] >> 63;
        wide t = (wide)lo + (ibk_limb)square + carry;
        r[2 * i] = (ibk_limb)t;
        t = (wide)hi + (ibk_limb)(square >> 64) + (ibk_limb)(t >> 64);
        r[2 * i + 1] = (ibk_limb)t;
        carry = (ibk_limb)(t >> 64);
    }
}

static void redc(ibk_limb *r, ibk_limb *t, const ibk_fp *f) {
    size_t n = f->n;
    ibk_limb top = 0;
    for (size_t i = 0; i < n; i++) {
        ibk_limb carry = mul_add_row(t + i, f->p, t[i] * f->n0, n);
        wide s = (wide)t[n + i] + carry + top;
        t[n + i] = (ibk_limb)s;
        top = (ibk_limb)(s >> 64);
    }
    reduce_once(r, t + n, top, f);
}

static void mul(ibk_limb *r, const ibk_limb *a, const ibk_limb *b, const ibk_fp *f) {
    ibk_limb t[2 * IBK_FP_MAX];
    mul_wide(t, a, b, f);
    redc(r, t, f);
}

static void sqr(ibk_limb *r, const ibk_limb *a, const ibk_fp *f) {
    ibk_limb t[2 * IBK_FP_MAX];
    sqr_wide(t, a, f);
    redc(r, t, f);
}

static const ibk_fp_ops PORTABLE = {
    .name = "portable",
    .mul = mul,
    .sqr = sqr,
    .mul_wide = mul_wide,
    .sqr_wide = sqr_wide,
    .redc = redc,
    .add = ibk_fp_c_add,
    .sub = ibk_fp_c_sub,
    .add_wide = ibk_fp_c_add_wide,
    .sub_wide = ibk_fp_c_sub_wide,
};

const ibk_fp_ops *ibk_fp_ops_portable(void) {
    return &PORTABLE;
}
