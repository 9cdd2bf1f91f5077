/* F_p^2 = F_p(i), i^2 = -1: an element is a || b, 2n limbs, for a + b i. All in constant time. */
#ifndef IBE_FP2_H
#define IBE_FP2_H

#include "ibe/fp.h"

void ibk_fp2_mul(ibk_limb *r, const ibk_limb *a, const ibk_limb *b, const ibk_fp *f);
void ibk_fp2_sqr(ibk_limb *r, const ibk_limb *a, const ibk_fp *f);
void ibk_fp2_conj(ibk_limb *r, const ibk_limb *a, const ibk_fp *f);
void ibk_fp2_one(ibk_limb *r, const ibk_fp *f);
ibk_limb ibk_fp2_equal(const ibk_limb *a, const ibk_limb *b, const ibk_fp *f); /* mask */
ibk_limb ibk_fp2_is_one(const ibk_limb *a, const ibk_fp *f);                   /* mask */

#endif
