#include "ibe/group.h"

#include <openssl/bn.h>
#include <string.h>

/* q = 2^a + s 2^b + c: take c away, what is left must be a power of two times 2^k + 1 or 2^k - 1. */
static bool split_solinas(ibk_group *g) {
    size_t n = g->fq.n;
    for (int c = 1; c >= -1; c -= 2) {
        ibk_limb t[IBK_FP_MAX + 1], one[IBK_FP_MAX + 1] = {1};
        memcpy(t, g->fq.p, n * sizeof *t);
        t[n] = 0;
        if (c == 1)
            ibk_limbs_sub(t, t, one, n + 1);
        else
            ibk_limbs_add(t, t, one, n + 1);
        unsigned bits = ibk_limbs_bits_vartime(t, n + 1), b = 0;
        while (b < bits && ibk_limbs_bit(t, b) == 0)
            b++;
        unsigned ones = 0;
        for (unsigned i = b; i < bits; i++)
            ones += ibk_limbs_bit(t, i);
        bool plus = ones == 2, minus = ones == bits - b; // 2^k + 1 has two ones, 2^k - 1 nothing else
        if (b == 0 || ones < 2 || !(plus || minus))
            continue;
        g->b = b;
        g->c = c;
        g->s = plus ? 1 : -1;
        g->a = plus ? bits - 1 : bits;
        return true;
    }
    return false;
}

/* Long division by the small numbers that occur here, in place; returns the remainder. */
static unsigned divide_small(ibk_limb *a, size_t n, unsigned divisor) {
    unsigned __int128 rest = 0;
    for (size_t i = n; i > 0; i--) {
        rest = rest << 64 | a[i - 1];
        a[i - 1] = (ibk_limb)(rest / divisor);
        rest %= divisor;
    }
    return (unsigned)rest;
}

/* 12 r = (p + 1) / q, checked: exact, divisible by 12, r not divisible by q. */
static bool set_cofactor(ibk_group *g, ibk_span p, ibk_span q) {
    BN_CTX *ctx = BN_CTX_new();
    BIGNUM *bp = BN_bin2bn(p.data, (int)p.len, NULL), *bq = BN_bin2bn(q.data, (int)q.len, NULL);
    BIGNUM *cofactor = BN_new(), *rest = BN_new();
    uint8_t octets[IBK_FP_MAX * 8];
    bool ok = ctx != NULL && bp != NULL && bq != NULL && cofactor != NULL && rest != NULL &&
              BN_add_word(bp, 1) && BN_div(cofactor, rest, bp, bq, ctx) && BN_is_zero(rest) &&
              !BN_is_zero(cofactor) && BN_mod_word(cofactor, 12) == 0 && BN_mod(rest, cofactor, bq, ctx) &&
              !BN_is_zero(rest) && BN_bn2binpad(cofactor, octets, sizeof octets) > 0;
    BN_free(bp);
    BN_free(bq);
    BN_free(cofactor);
    BN_free(rest);
    BN_CTX_free(ctx);
    if (!ok)
        return false;
    ibk_limbs_from_octets(g->cofactor, IBK_FP_MAX, octets, sizeof octets);
    g->cofactor_bits = ibk_limbs_bits_vartime(g->cofactor, IBK_FP_MAX);
    g->cofactor_limbs = (g->cofactor_bits + 63) / 64;
    memcpy(g->cofactor_half, g->cofactor, sizeof g->cofactor);
    divide_small(g->cofactor_half, IBK_FP_MAX, 2);
    ibk_fp_from_wide(g->cofactor_q, octets, sizeof octets, &g->fq);
    return true;
}

static void set_constants(ibk_group *g) {
    const ibk_fp *f = &g->fp;
    ibk_limb t[IBK_FP_MAX + 1], root3[IBK_FP_MAX], two[IBK_FP_MAX + 1] = {2}, one[IBK_FP_MAX + 1] = {1};
    size_t n = f->n;
    memcpy(t, f->p, n * sizeof *t);
    t[n] = 0;
    ibk_limbs_sub(t, t, two, n);
    divide_small(t, n, 3);
    memcpy(g->inverse_root, t, n * sizeof *t);
    ibk_fp_set_small(g->two, 2, f);
    ibk_fp_inv(g->half, g->two, f);
    ibk_fp_mul(g->minus_eighth, g->half, g->half, f);
    ibk_fp_mul(g->minus_eighth, g->minus_eighth, g->half, f);
    ibk_fp_neg(g->minus_eighth, g->minus_eighth, f);
    // sqrt 3 = 3^((p + 1) / 4), the root that RFC 5091 §4.5.2 names
    memcpy(t, f->p, n * sizeof *t);
    t[n] = 0;
    ibk_limbs_add(t, t, one, n + 1);
    divide_small(t, n + 1, 4);
    ibk_limb three[IBK_FP_MAX];
    ibk_fp_set_small(three, 3, f);
    ibk_fp_pow_public(root3, three, t, n, f);
    ibk_fp_inv(g->image_x, three, f);
    ibk_fp_neg(g->image_x, g->image_x, f);
    ibk_fp_mul(root3, root3, three, f);
    ibk_fp_inv(g->image_y, root3, f);
    ibk_fp_neg(g->image_y, g->image_y, f);
}

bool ibk_group_init(ibk_group *g, ibk_span p, ibk_span q, const ibk_fp_ops *ops) {
    memset(g, 0, sizeof *g);
    if (!ibk_fp_init(&g->fp, p, ops) || !ibk_fp_init(&g->fq, q, ops) || g->fq.n != 8)
        return false;
    if (!split_solinas(g) || !set_cofactor(g, p, q))
        return false;
    set_constants(g);
    return true;
}

static int is_prime(const ibk_fp *f, BN_CTX *ctx) {
    uint8_t octets[IBK_FP_MAX * 8];
    ibk_limbs_to_octets(octets, sizeof octets, f->p, f->n);
    BIGNUM *p = BN_bin2bn(octets, sizeof octets, NULL);
    int result = p == NULL ? -1 : BN_check_prime(p, ctx, NULL);
    BN_free(p);
    return result;
}

ibk_err ibk_group_is_prime(const ibk_group *g) {
    BN_CTX *ctx = BN_CTX_new();
    if (ctx == NULL)
        return IBK_ERR_NO_MEMORY;
    int result = is_prime(&g->fq, ctx);
    if (result == 1)
        result = is_prime(&g->fp, ctx);
    BN_CTX_free(ctx);
    return result == 1 ? IBK_OK : result == 0 ? IBK_ERR_BAD_PARAMS : IBK_ERR_INTERNAL;
}
