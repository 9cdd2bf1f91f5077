/* A type-1 group: p = 12 r q - 1, E: y^2 = x^3 + 1 over F_p, its subgroup of Solinas prime order q, and the
 * constants that pairing and hashing need. Any sizes (test data has small ones); the five of RFC 5091 are
 * checked above. */
#ifndef IBE_GROUP_H
#define IBE_GROUP_H

#include "ibe/fp.h"

typedef struct ibk_group {
    ibk_fp fp, fq;                                            /* modulo p; modulo q, for scalars */
    unsigned a, b;                                            /* q = 2^a + s 2^b + c, a > b >= 1 */
    int s, c;                                                 /* 1 or -1 */
    size_t cofactor_limbs;                                    /* of the next three */
    unsigned cofactor_bits;                                   /* of 12 r */
    ibk_limb cofactor[IBK_FP_MAX], cofactor_half[IBK_FP_MAX]; /* 12 r = (p + 1) / q, and 6 r */
    ibk_limb inverse_root[IBK_FP_MAX]; /* (p - 2) / 3, an exponent: w^this is 1 / w^(1/3) */
    ibk_limb cofactor_q[IBK_FP_MAX];   /* 12 r modulo q, in fq */
    /* in fp: 2; 1/2; -1/8; -1/3 and -1 / (3 sqrt 3) for the image of a point (miller.c) */
    ibk_limb two[IBK_FP_MAX], half[IBK_FP_MAX], minus_eighth[IBK_FP_MAX], image_x[IBK_FP_MAX],
        image_y[IBK_FP_MAX];
} ibk_group;

/* Sets the group up. False unless q = 2^a +- 2^b +- 1, p = 12 r q - 1 with q not dividing r. Primality is
 * looked at by ibk_group_is_prime alone. ops NULL: the fastest. */
bool ibk_group_init(ibk_group *g, ibk_span p, ibk_span q, const ibk_fp_ops *ops);
/* p and q are prime (Miller-Rabin with random bases, error below 2^-128): IBK_OK, IBK_ERR_BAD_PARAMS or
 * INTERNAL. */
ibk_err ibk_group_is_prime(const ibk_group *g);

#endif
