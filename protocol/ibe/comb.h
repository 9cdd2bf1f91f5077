/* [k]P for a fixed P by a signed comb: v = 2 tables of 2^(w-1) points, w = 7 teeth. */
#ifndef IBE_COMB_H
#define IBE_COMB_H

#include "ibe/curve.h"

typedef struct ibk_comb {
    ibk_limb *points; /* affine, table after table */
    unsigned spacing; /* d, bits between the teeth */
} ibk_comb;

ibk_err ibk_comb_init(ibk_comb *comb, const ibk_limb *point, const ibk_group *g); /* P of order q, public */
void ibk_comb_free(ibk_comb *comb);
/* k < q, limbs of fq's length, plain. Mask: 0 for infinity (k = 0). Constant time in k. */
ibk_limb ibk_comb_mul(ibk_limb *r, const ibk_comb *comb, const ibk_limb *k, const ibk_group *g);

#endif
