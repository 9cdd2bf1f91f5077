#include "ibe/fp2.h"

#include <string.h>

/* Karatsuba with two reductions for three products. */
void ibk_fp2_mul(ibk_limb *r, const ibk_limb *a, const ibk_limb *b, const ibk_fp *f) {
    ibk_limb wide[6 * IBK_FP_MAX], sums[2 * IBK_FP_MAX];
    size_t n = f->n;
    ibk_limb *t0 = wide, *t1 = wide + 2 * n, *t2 = wide + 4 * n;
    ibk_fp_add(sums, a, a + n, f);
    ibk_fp_add(sums + n, b, b + n, f);
    f->ops->mul_wide(t0, a, b, f);
    f->ops->mul_wide(t1, a + n, b + n, f);
    f->ops->mul_wide(t2, sums, sums + n, f);
    f->ops->sub_wide(t2, t2, t0, f);
    f->ops->sub_wide(t2, t2, t1, f);
    f->ops->sub_wide(t0, t0, t1, f);
    f->ops->redc(r, t0, f);
    f->ops->redc(r + n, t2, f);
}

void ibk_fp2_sqr(ibk_limb *r, const ibk_limb *a, const ibk_fp *f) {
    ibk_limb sum[IBK_FP_MAX], diff[IBK_FP_MAX], cross[IBK_FP_MAX];
    size_t n = f->n;
    ibk_fp_add(sum, a, a + n, f);
    ibk_fp_sub(diff, a, a + n, f);
    ibk_fp_mul(cross, a, a + n, f);
    ibk_fp_mul(r, sum, diff, f);
    ibk_fp_add(r + n, cross, cross, f);
}

void ibk_fp2_conj(ibk_limb *r, const ibk_limb *a, const ibk_fp *f) {
    ibk_fp_copy(r, a, f);
    ibk_fp_neg(r + f->n, a + f->n, f);
}

void ibk_fp2_one(ibk_limb *r, const ibk_fp *f) {
    ibk_fp_copy(r, f->one, f);
    ibk_fp_zero(r + f->n, f);
}

ibk_limb ibk_fp2_equal(const ibk_limb *a, const ibk_limb *b, const ibk_fp *f) {
    return ibk_fp_equal(a, b, f) & ibk_fp_equal(a + f->n, b + f->n, f);
}

ibk_limb ibk_fp2_is_one(const ibk_limb *a, const ibk_fp *f) {
    return ibk_fp_equal(a, f->one, f) & ibk_fp_is_zero(a + f->n, f);
}
