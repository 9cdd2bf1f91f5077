/* BFsetup1 (RFC 5091 §5.1.2): q, p, P, s. */
#include "ibe/objects.h"

#include <openssl/bn.h>
#include <stdlib.h>
#include <string.h>

typedef struct search {
    const ibk_env *env;
    const ibk_ibe_size *size;
    BN_CTX *ctx;
    BIGNUM *q, *step, *low, *span, *r, *p, *t; /* step = 12 q; r runs over [low, low + span) */
    ibk_ibe_progress *progress;
    void *user;
    unsigned long tested;
} search;

static ibk_err draw_below(BIGNUM *out, const BIGNUM *limit, const search *s) {
    uint8_t octets[IBK_IBE_FIELD_MAX + 16];
    size_t len = (size_t)BN_num_bytes(limit) + 16; // 128 bits more: the bias is below 2^-128
    ibk_err err = s->env->draw(s->env->user, IBK_DRAW_PARAMS, octets, len);
    if (err != IBK_OK)
        return err;
    return BN_bin2bn(octets, (int)len, out) != NULL && BN_mod(out, out, limit, s->ctx) ? IBK_OK
                                                                                       : IBK_ERR_INTERNAL;
}

/* ---- q ------------------------------------------------------------------------------------------ */

/* Candidate `index` of 4 * bits: b, s and c; false if it has another length. */
static bool solinas(BIGNUM *q, unsigned index, unsigned bits) {
    unsigned b = index / 4 + 1;
    bool plus = (index & 1) != 0, up = (index & 2) != 0;
    unsigned a = plus ? bits - 1 : bits;
    BIGNUM *t = BN_new();
    bool ok = b < a && t != NULL && BN_set_word(q, 0) && BN_set_bit(q, (int)a) && BN_set_word(t, 0) &&
              BN_set_bit(t, (int)b) && (plus ? BN_add(q, q, t) : BN_sub(q, q, t)) &&
              (up ? BN_add_word(q, 1) : BN_sub_word(q, 1)) && BN_num_bits(q) == (int)bits;
    BN_free(t);
    return ok;
}

/* One of the Solinas primes of this length, each as likely. */
static ibk_err choose_q(search *s) {
    unsigned total = 4 * s->size->q_bits, count = 0;
    unsigned *primes = malloc(total * sizeof *primes);
    if (primes == NULL)
        return IBK_ERR_NO_MEMORY;
    for (unsigned i = 0; i < total; i++)
        if (solinas(s->q, i, s->size->q_bits) && BN_check_prime(s->q, s->ctx, NULL) == 1)
            primes[count++] = i;
    ibk_err err = count == 0 || !BN_set_word(s->t, count) ? IBK_ERR_INTERNAL : draw_below(s->r, s->t, s);
    if (err == IBK_OK && !solinas(s->q, primes[BN_get_word(s->r)], s->size->q_bits))
        err = IBK_ERR_INTERNAL;
    free(primes);
    return err;
}

/* ---- p ------------------------------------------------------------------------------------------- */

#define WINDOW 16384 /* consecutive r that are sieved together */

/* Marks k where 12 q (r + k) - 1 is divisible by a prime below `limit`. */
static ibk_err sieve(uint8_t *composite, const search *s, unsigned limit) {
    uint8_t *small = calloc(limit, 1);
    if (small == NULL)
        return IBK_ERR_NO_MEMORY;
    memset(composite, 0, WINDOW);
    for (unsigned l = 2; l < limit; l++) {
        if (small[l])
            continue;
        for (unsigned long m = (unsigned long)l * l; m < limit; m += l)
            small[m] = 1;
        BN_ULONG step = BN_mod_word(s->step, l), r = BN_mod_word(s->r, l);
        if (step == 0)
            continue;
        // k = 1/step - r; the inverse by Fermat
        unsigned long inverse = 1, base = step;
        for (unsigned e = l - 2; e > 0; e >>= 1, base = base * base % l)
            if (e & 1)
                inverse = inverse * base % l;
        for (unsigned long k = (inverse + l - r) % l; k < WINDOW; k += l)
            composite[k] = 1;
    }
    free(small);
    return IBK_OK;
}

/* 2^(p-1) = 1 mod p: sorts out nearly all; what passes gets the full test. */
static int fermat(search *s) {
    BN_MONT_CTX *mont = BN_MONT_CTX_new();
    int result = -1;
    if (mont != NULL && BN_MONT_CTX_set(mont, s->p, s->ctx) && BN_sub(s->t, s->p, BN_value_one()) &&
        BN_mod_exp_mont_word(s->t, 2, s->t, s->p, s->ctx, mont))
        result = BN_is_one(s->t);
    BN_MONT_CTX_free(mont);
    return result;
}

static ibk_err try_window(search *s, const uint8_t *composite, bool *found) {
    for (unsigned k = 0; k < WINDOW; k++) {
        if (composite[k])
            continue;
        if (!BN_copy(s->t, s->r) || !BN_add_word(s->t, k) || !BN_mul(s->p, s->t, s->step, s->ctx) ||
            !BN_sub_word(s->p, 1))
            return IBK_ERR_INTERNAL;
        if (BN_num_bits(s->p) != (int)s->size->p_bits)
            return IBK_OK; // past the end of the range: another start
        if (s->progress != NULL)
            s->progress(s->user, ++s->tested);
        int probably = fermat(s);
        if (probably == 1)
            probably = BN_check_prime(s->p, s->ctx, NULL);
        if (probably < 0)
            return IBK_ERR_INTERNAL;
        if (probably == 1) {
            *found = true;
            return IBK_OK;
        }
    }
    return IBK_OK;
}

/* From a random r upwards to the first prime p = 12 r q - 1; a new start if none comes within the window. */
static ibk_err choose_p(search *s) {
    uint8_t *composite = malloc(WINDOW);
    unsigned limit = s->size->p_bits > 2000 ? 1u << 20 : 1u << 15;
    bool found = false;
    ibk_err err = composite == NULL ? IBK_ERR_NO_MEMORY : IBK_OK;
    if (err == IBK_OK &&
        !(BN_copy(s->step, s->q) && BN_mul_word(s->step, 12) && BN_set_word(s->t, 0) &&
          BN_set_bit(s->t, (int)s->size->p_bits - 1) && BN_div(s->low, NULL, s->t, s->step, s->ctx) &&
          BN_add_word(s->low, 1) && BN_copy(s->span, s->low)))
        err = IBK_ERR_INTERNAL;
    while (err == IBK_OK && !found) {
        err = draw_below(s->r, s->span, s);
        if (err == IBK_OK && !BN_add(s->r, s->r, s->low))
            err = IBK_ERR_INTERNAL;
        if (err == IBK_OK)
            err = sieve(composite, s, limit);
        if (err == IBK_OK)
            err = try_window(s, composite, &found);
    }
    free(composite);
    return err;
}

/* ---- P, s ------------------------------------------------------------------------------------------ */

static ibk_err choose_generator(ibk_ibe_params *params, const ibk_env *env) {
    const ibk_group *g = &params->group;
    uint8_t octets[IBK_IBE_FIELD_MAX + 16];
    ibk_limb y[IBK_FP_MAX], point[IBK_POINT_MAX], inverse_x[IBK_FP_MAX];
    for (;;) {
        ibk_err err = env->draw(env->user, IBK_DRAW_PARAMS, octets, g->fp.octets + 16);
        if (err != IBK_OK)
            return err;
        ibk_fp_from_wide(y, octets, g->fp.octets + 16, &g->fp);
        if (ibk_curve_from_y(point, inverse_x, y, g) &&
            ibk_curve_mul_vartime(params->p, point, g->cofactor, g->cofactor_limbs, g))
            return IBK_OK;
    }
}

/* s in 2 … q - 1, P_pub = [s]P. */
static ibk_err choose_secret(ibk_ibe_params *params, ibk_ibe_master *master, const ibk_env *env) {
    const ibk_group *g = &params->group;
    uint8_t octets[IBK_IBE_HASH_MAX + 16];
    ibk_limb s[IBK_FP_MAX], two[IBK_FP_MAX] = {2}, t[IBK_FP_MAX];
    bool small = true;
    ibk_err err = IBK_OK;
    while (err == IBK_OK && small) {
        err = env->draw(env->user, IBK_DRAW_MASTER, octets, g->fq.octets + 16);
        if (err == IBK_OK) {
            ibk_fp_from_wide(s, octets, g->fq.octets + 16, &g->fq);
            ibk_fp_to_limbs(s, s, &g->fq);
            small = ibk_limbs_sub(t, s, two, g->fq.n) != 0;
        }
    }
    if (err == IBK_OK) {
        master->len = g->fq.octets;
        ibk_limbs_to_octets(master->s, master->len, s, g->fq.n);
        if (ibk_curve_mul_secret(params->pub, params->p, s, g) == 0)
            err = IBK_ERR_INTERNAL;
    }
    ibk_wipe(octets, sizeof octets);
    ibk_wipe(s, sizeof s);
    ibk_wipe(t, sizeof t);
    return err;
}

static ibk_err find_group(ibk_ibe_params **params, search *s) {
    uint8_t p[IBK_IBE_FIELD_MAX], q[IBK_IBE_HASH_MAX];
    ibk_err err = choose_q(s);
    if (err == IBK_OK)
        err = choose_p(s);
    if (err != IBK_OK)
        return err;
    int p_len = BN_bn2bin(s->p, p), q_len = BN_bn2bin(s->q, q);
    return ibk_params_new(params, s->size, ibk_span_of(p, (size_t)p_len), ibk_span_of(q, (size_t)q_len));
}

ibk_err ibk_ibe_setup(const ibk_env *env, unsigned n, ibk_ibe_params **params, ibk_ibe_master **master,
                      ibk_ibe_progress *progress, void *user) {
    search s = {.env = env, .size = ibk_ibe_size_of(n), .progress = progress, .user = user};
    *params = NULL;
    *master = NULL;
    if (s.size == NULL)
        return IBK_ERR_UNSUPPORTED;
    BIGNUM **all[] = {&s.q, &s.step, &s.low, &s.span, &s.r, &s.p, &s.t};
    s.ctx = BN_CTX_new();
    bool memory = s.ctx != NULL;
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        memory &= (*all[i] = BN_new()) != NULL;
    ibk_ibe_params *made = NULL;
    ibk_ibe_master *secret = calloc(1, sizeof *secret);
    ibk_err err = memory && secret != NULL ? find_group(&made, &s) : IBK_ERR_NO_MEMORY;
    if (err == IBK_OK)
        err = choose_generator(made, env);
    if (err == IBK_OK)
        err = choose_secret(made, secret, env);
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        BN_free(*all[i]);
    BN_CTX_free(s.ctx);
    if (err != IBK_OK) {
        ibk_ibe_params_free(made);
        ibk_ibe_master_free(secret);
        return err;
    }
    *params = made;
    *master = secret;
    return IBK_OK;
}
