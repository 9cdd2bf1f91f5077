/* The multiplier for x86-64 processors with BMI2 and ADX, put together from blocks of 8 by 8 limbs. */
#include "ibe/fp_x86.h"

#ifdef IBK_FP_HAVE_X86

#include <cpuid.h>
#include <string.h>

#define B 8 /* limbs a block */

/* At least 1, which the compiler would not know otherwise. */
static inline size_t blocks_of(const ibk_fp *f) {
    return f->n > B ? f->n / B : 1;
}

/* r = s mod p for s = carry * R + sum, below 2p. */
static inline void reduce_once(ibk_limb *r, const ibk_limb *sum, ibk_limb carry, const ibk_fp *f, size_t k) {
    ibk_limb diff[IBK_FP_MAX];
    ibk_limb borrow = ibk_fp_x86_subn(diff, sum, f->p, k, 0);
    ibk_limb keep = (ibk_limb)0 - (borrow & (carry ^ 1)); // the sum was below p
    for (size_t i = 0; i < k * B; i++)
        r[i] = diff[i] ^ ((diff[i] ^ sum[i]) & keep);
}

static inline void add_back(ibk_limb *r, const ibk_limb *diff, ibk_limb borrow, const ibk_fp *f, size_t k) {
    ibk_limb addend[IBK_FP_MAX];
    ibk_limb mask = (ibk_limb)0 - borrow;
    for (size_t i = 0; i < k * B; i++)
        addend[i] = f->p[i] & mask;
    ibk_fp_x86_addn(r, diff, addend, k, 0);
}

static inline void add_any(ibk_limb *r, const ibk_limb *a, const ibk_limb *b, const ibk_fp *f, size_t k) {
    ibk_limb sum[IBK_FP_MAX];
    ibk_limb carry = ibk_fp_x86_addn(sum, a, b, k, 0);
    reduce_once(r, sum, carry, f, k);
}

static inline void sub_any(ibk_limb *r, const ibk_limb *a, const ibk_limb *b, const ibk_fp *f, size_t k) {
    ibk_limb diff[IBK_FP_MAX];
    ibk_limb borrow = ibk_fp_x86_subn(diff, a, b, k, 0);
    add_back(r, diff, borrow, f, k);
}

static inline void add_wide_any(ibk_limb *r, const ibk_limb *a, const ibk_limb *b, const ibk_fp *f,
                                size_t k) {
    ibk_limb sum[IBK_FP_MAX];
    ibk_limb carry = ibk_fp_x86_addn(r, a, b, k, 0);
    carry = ibk_fp_x86_addn(sum, a + k * B, b + k * B, k, carry);
    reduce_once(r + k * B, sum, carry, f, k);
}

static inline void sub_wide_any(ibk_limb *r, const ibk_limb *a, const ibk_limb *b, const ibk_fp *f,
                                size_t k) {
    ibk_limb diff[IBK_FP_MAX];
    ibk_limb borrow = ibk_fp_x86_subn(r, a, b, k, 0);
    borrow = ibk_fp_x86_subn(diff, a + k * B, b + k * B, k, borrow);
    add_back(r + k * B, diff, borrow, f, k);
}

/* One block of b times all of a, into r[0 .. 8(k+1)); r[0 .. 8k) is added to unless it is the first row. */
static inline void product_row(ibk_limb *r, const ibk_limb *a, const ibk_limb *b, size_t k, bool first) {
    unsigned long carry = 0;
    for (size_t j = 0; j < k; j++) {
        if (first && j == 0)
            ibk_fp_x86_mul(r, a, b);
        else if (first || j + 1 == k)
            ibk_fp_x86_mul_extend(r + j * B, a + j * B, b, carry);
        else
            carry = ibk_fp_x86_mul_add(r + j * B, a + j * B, b, carry);
    }
}

static inline void mul_wide_any(ibk_limb *r, const ibk_limb *a, const ibk_limb *b, size_t k) {
    for (size_t i = 0; i < k; i++)
        product_row(r + i * B, a, b + i * B, k, i == 0);
}

/* Squares of the blocks, plus twice the products of different ones, which lie in blocks 1 … 2k - 2. */
static inline void sqr_wide_any(ibk_limb *r, const ibk_limb *a, size_t k) {
    for (size_t i = 0; i < k; i++)
        ibk_fp_x86_sqr(r + 2 * i * B, a + i * B);
    if (k == 1)
        return;
    ibk_limb cross[2 * IBK_FP_MAX];
    for (size_t i = 0; i + 1 < k; i++) // row i starts at block 2i, counted from block 1 of the square
        product_row(cross + 2 * i * B, a + (i + 1) * B, a + i * B, k - 1 - i, i == 0);
    ibk_limb top[B] = {ibk_fp_x86_addn(cross, cross, cross, 2 * k - 2, 0)};
    unsigned long carry = ibk_fp_x86_addn(r + B, r + B, cross, 2 * k - 2, 0);
    ibk_fp_x86_addn(r + (2 * k - 1) * B, r + (2 * k - 1) * B, top, 1, carry);
}

static inline void redc_any(ibk_limb *r, ibk_limb *t, const ibk_fp *f, size_t k) {
    if (k == 1) {
        ibk_fp_x86_redc8(r, t, f->p, f->n0);
        return;
    }
    unsigned long top = 0; // what falls out above the rows so far
    for (size_t i = 0; i < k; i++) {
        ibk_limb m[B], *row = t + i * B;
        unsigned long carry = ibk_fp_x86_redc(row, m, f->p, f->n0);
        for (size_t j = 1; j + 1 < k; j++)
            carry = ibk_fp_x86_mul_add(row + j * B, f->p + j * B, m, carry);
        top = ibk_fp_x86_mul_add_top(row + (k - 1) * B, f->p + (k - 1) * B, m, carry + top);
    }
    reduce_once(r, t + k * B, top, f, k);
}

static inline void mul_any(ibk_limb *r, const ibk_limb *a, const ibk_limb *b, const ibk_fp *f, size_t k) {
    ibk_limb t[2 * IBK_FP_MAX];
    mul_wide_any(t, a, b, k);
    redc_any(r, t, f, k);
}

static inline void sqr_any(ibk_limb *r, const ibk_limb *a, const ibk_fp *f, size_t k) {
    ibk_limb t[2 * IBK_FP_MAX];
    sqr_wide_any(t, a, k);
    redc_any(r, t, f, k);
}

static void add8(ibk_limb *r, const ibk_limb *a, const ibk_limb *b, const ibk_fp *f) {
    ibk_fp_x86_add8(r, a, b, f->p);
}

static void sub8(ibk_limb *r, const ibk_limb *a, const ibk_limb *b, const ibk_fp *f) {
    ibk_fp_x86_sub8(r, a, b, f->p);
}

/* One set of functions for each number of blocks, so that the compiler knows the bounds of the loops. */
#define OPS(name_, k, add_, sub_)                                                                            \
    static void mul_##name_(ibk_limb *r, const ibk_limb *a, const ibk_limb *b, const ibk_fp *f) {            \
        mul_any(r, a, b, f, k);                                                                              \
    }                                                                                                        \
    static void sqr_##name_(ibk_limb *r, const ibk_limb *a, const ibk_fp *f) {                               \
        sqr_any(r, a, f, k);                                                                                 \
    }                                                                                                        \
    static void mul_wide_##name_(ibk_limb *r, const ibk_limb *a, const ibk_limb *b, const ibk_fp *f) {       \
        (void)f;                                                                                             \
        mul_wide_any(r, a, b, (k));                                                                          \
    }                                                                                                        \
    static void sqr_wide_##name_(ibk_limb *r, const ibk_limb *a, const ibk_fp *f) {                          \
        (void)f;                                                                                             \
        sqr_wide_any(r, a, k);                                                                               \
    }                                                                                                        \
    static void redc_##name_(ibk_limb *r, ibk_limb *t, const ibk_fp *f) {                                    \
        redc_any(r, t, f, k);                                                                                \
    }                                                                                                        \
    static void add_wide_##name_(ibk_limb *r, const ibk_limb *a, const ibk_limb *b, const ibk_fp *f) {       \
        add_wide_any(r, a, b, f, k);                                                                         \
    }                                                                                                        \
    static void sub_wide_##name_(ibk_limb *r, const ibk_limb *a, const ibk_limb *b, const ibk_fp *f) {       \
        sub_wide_any(r, a, b, f, k);                                                                         \
    }                                                                                                        \
    static const ibk_fp_ops OPS_##name_ = {                                                                  \
        .name = "adx",                                                                                       \
        .mul = mul_##name_,                                                                                  \
        .sqr = sqr_##name_,                                                                                  \
        .mul_wide = mul_wide_##name_,                                                                        \
        .sqr_wide = sqr_wide_##name_,                                                                        \
        .redc = redc_##name_,                                                                                \
        .add = add_,                                                                                         \
        .sub = sub_,                                                                                         \
        .add_wide = add_wide_##name_,                                                                        \
        .sub_wide = sub_wide_##name_,                                                                        \
    };

#define ADD(name_, k)                                                                                        \
    static void add_##name_(ibk_limb *r, const ibk_limb *a, const ibk_limb *b, const ibk_fp *f) {            \
        add_any(r, a, b, f, k);                                                                              \
    }                                                                                                        \
    static void sub_##name_(ibk_limb *r, const ibk_limb *a, const ibk_limb *b, const ibk_fp *f) {            \
        sub_any(r, a, b, f, k);                                                                              \
    }

ADD(16, 2)
ADD(24, 3)
ADD(long, blocks_of(f))
OPS(8, 1, add8, sub8)
OPS(16, 2, add_16, sub_16)
OPS(24, 3, add_24, sub_24)
OPS(long, blocks_of(f), add_long, sub_long)

static bool has_bmi2_and_adx(void) {
    unsigned a, b, c, d;
    return __get_cpuid_count(7, 0, &a, &b, &c, &d) != 0 && (b & bit_BMI2) != 0 && (b & bit_ADX) != 0;
}

const ibk_fp_ops *ibk_fp_ops_adx(unsigned n) {
    if (!has_bmi2_and_adx())
        return NULL;
    return n == 8 ? &OPS_8 : n == 16 ? &OPS_16 : n == 24 ? &OPS_24 : &OPS_long;
}

#else

const ibk_fp_ops *ibk_fp_ops_adx(unsigned n) {
    (void)n;
    return NULL;
}

#endif
