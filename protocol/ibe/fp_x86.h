/* The assembly blocks of fp_x86_asm.c. All are constant time; r may be an input, t may not overlap one. */
#ifndef IBE_FP_X86_H
#define IBE_FP_X86_H

#include "ibe/fp.h"

#if defined(__x86_64__) && defined(__ELF__)
#define IBK_FP_HAVE_X86 1

/* t[0..16) += a[0..8) * b[0..8) + carry * 2^512; returns the carry out of t[15]. */
unsigned long ibk_fp_x86_mul_add(ibk_limb *t, const ibk_limb *a, const ibk_limb *b, unsigned long carry);
/* The same with a carry of up to 2 in and out. */
unsigned long ibk_fp_x86_mul_add_top(ibk_limb *t, const ibk_limb *a, const ibk_limb *b, unsigned long carry);
/* The same where t[8..16) counts as zero; nothing can fall out for what is a part of a product. */
void ibk_fp_x86_mul_extend(ibk_limb *t, const ibk_limb *a, const ibk_limb *b, unsigned long carry);
void ibk_fp_x86_mul(ibk_limb *t, const ibk_limb *a, const ibk_limb *b); /* t[0..16) = a[0..8) * b[0..8) */
void ibk_fp_x86_sqr(ibk_limb *t, const ibk_limb *a);                    /* t[0..16) = a[0..8)^2 */
/* Eight Montgomery steps on the lowest block of p: m are the quotients, t += m * p; t[0..8) is zero then and
 * not written, t[8..16) is; returns the carry out of t[15]. */
unsigned long ibk_fp_x86_redc(ibk_limb *t, ibk_limb *m, const ibk_limb *p, ibk_limb n0);
/* The whole reduction, addition and subtraction modulo p for fields of 8 limbs. */
void ibk_fp_x86_redc8(ibk_limb *r, const ibk_limb *t, const ibk_limb *p, ibk_limb n0);
void ibk_fp_x86_add8(ibk_limb *r, const ibk_limb *a, const ibk_limb *b, const ibk_limb *p);
void ibk_fp_x86_sub8(ibk_limb *r, const ibk_limb *a, const ibk_limb *b, const ibk_limb *p);
/* r = a + b, a - b over 8 * blocks limbs with a carry in; returns the carry out. */
unsigned long ibk_fp_x86_addn(ibk_limb *r, const ibk_limb *a, const ibk_limb *b, size_t blocks,
                              unsigned long carry);
unsigned long ibk_fp_x86_subn(ibk_limb *r, const ibk_limb *a, const ibk_limb *b, size_t blocks,
                              unsigned long borrow);
#endif
#endif
