#include <ibake/ibe_measure.h>

#include "ibe/objects.h"

#include <stdlib.h>
#include <string.h>

#define IDENTITY "sip:bob@b.example20261124"
#define PLAIN    200 /* octets: about what an IBAKE payload holds */

struct ibk_ibe_measure {
    ibk_ibe_params *params;
    ibk_ibe_master *master;
    ibk_ibe_key *key;
    ibk_ibe_peer *peer;
    ibk_buf params_der, key_der, ciphertext, out;
    ibk_env env;
    uint64_t random;
    uint8_t plaintext[PLAIN];
    /* for the pairing itself */
    ibk_limb a[IBK_POINT_MAX], b[IBK_POINT_MAX], theta[IBK_FP2_MAX], scalar[IBK_FP_MAX];
    ibk_limb x[2 * IBK_FP_MAX], y[2 * IBK_FP_MAX];
    ibk_fp_ops counting;
    const ibk_fp_ops *real;
    ibk_ibe_counts counts;
};

static const char *const WORDS[] = {
#define WORD(name, word, text) word,
    IBK_IBE_OP_LIST(WORD)};
static const char *const TEXTS[] = {
#define TEXT(name, word, text) text,
    IBK_IBE_OP_LIST(TEXT)};

const char *ibk_ibe_op_word(ibk_ibe_op op) {
    return (unsigned)op < IBK_IBE_OPS ? WORDS[op] : "?";
}

const char *ibk_ibe_op_text(ibk_ibe_op op) {
    return (unsigned)op < IBK_IBE_OPS ? TEXTS[op] : "?";
}

/* ---- counting ----------------------------------------------------------------------------------- */

/* The operations that a field points to are a member of the measure while it counts. */
static ibk_ibe_measure *measure_of(const ibk_fp *f) {
    return (ibk_ibe_measure *)((uintptr_t)f->ops - offsetof(ibk_ibe_measure, counting));
}

static void count_mul(ibk_limb *r, const ibk_limb *a, const ibk_limb *b, const ibk_fp *f) {
    measure_of(f)->counts.products++;
    measure_of(f)->counts.reductions++;
    measure_of(f)->real->mul(r, a, b, f);
}

static void count_sqr(ibk_limb *r, const ibk_limb *a, const ibk_fp *f) {
    measure_of(f)->counts.squares++;
    measure_of(f)->counts.reductions++;
    measure_of(f)->real->sqr(r, a, f);
}

static void count_mul_wide(ibk_limb *r, const ibk_limb *a, const ibk_limb *b, const ibk_fp *f) {
    measure_of(f)->counts.products++;
    measure_of(f)->real->mul_wide(r, a, b, f);
}

static void count_sqr_wide(ibk_limb *r, const ibk_limb *a, const ibk_fp *f) {
    measure_of(f)->counts.squares++;
    measure_of(f)->real->sqr_wide(r, a, f);
}

static void count_redc(ibk_limb *r, ibk_limb *t, const ibk_fp *f) {
    measure_of(f)->counts.reductions++;
    measure_of(f)->real->redc(r, t, f);
}

#define COUNT_ADDITION(name)                                                                                 \
    static void count_##name(ibk_limb *r, const ibk_limb *a, const ibk_limb *b, const ibk_fp *f) {           \
        measure_of(f)->counts.additions++;                                                                   \
        measure_of(f)->real->name(r, a, b, f);                                                               \
    }
COUNT_ADDITION(add)
COUNT_ADDITION(sub)
COUNT_ADDITION(add_wide)
COUNT_ADDITION(sub_wide)

static void set_counting(ibk_ibe_measure *m) {
    m->counting = (ibk_fp_ops){.name = m->real->name,
                               .mul = count_mul,
                               .sqr = count_sqr,
                               .mul_wide = count_mul_wide,
                               .sqr_wide = count_sqr_wide,
                               .redc = count_redc,
                               .add = count_add,
                               .sub = count_sub,
                               .add_wide = count_add_wide,
                               .sub_wide = count_sub_wide};
}

/* ---- preparing -------------------------------------------------------------------------------------- */

/* A repeatable source is enough to measure with. */
static ibk_err draw(void *user, ibk_draw_label label, uint8_t *out, size_t len) {
    ibk_ibe_measure *m = user;
    (void)label;
    for (size_t i = 0; i < len; i++) {
        m->random = m->random * 6364136223846793005ULL + 1442695040888963407ULL;
        out[i] = (uint8_t)(m->random >> 56);
    }
    return IBK_OK;
}

static ibk_err prepare_points(ibk_ibe_measure *m) {
    const ibk_group *g = &m->params->group;
    uint8_t octets[2 * IBK_IBE_FIELD_MAX];
    ibk_err err = ibk_ibe_hash_to_point(m->params, ibk_span_str(IDENTITY), octets);
    if (err != IBK_OK)
        return err;
    memcpy(m->a, m->params->pub, sizeof m->a);
    ibk_curve_from_octets(m->b, octets, g);
    memcpy(m->theta, m->peer->theta, sizeof m->theta);
    err = draw(m, IBK_DRAW_RHO, octets, g->fq.octets - 1); // below q
    ibk_limbs_from_octets(m->scalar, g->fq.n, octets, g->fq.octets - 1);
    memcpy(m->x, m->a, g->fp.n * sizeof *m->x);
    memcpy(m->y, m->b, g->fp.n * sizeof *m->y);
    return err;
}

ibk_err ibk_ibe_measure_open(ibk_ibe_measure **measure, ibk_span params_der, ibk_span master_der,
                             bool portable) {
    ibk_span bob = ibk_span_str(IDENTITY);
    *measure = NULL;
    ibk_ibe_measure *m = calloc(1, sizeof *m);
    if (m == NULL)
        return IBK_ERR_NO_MEMORY;
    m->env = (ibk_env){.user = m, .draw = draw};
    ibk_err err = ibk_buf_append_span(&m->params_der, params_der);
    if (err == IBK_OK)
        err = ibk_ibe_params_parse(&m->params, params_der, NULL, NULL);
    if (err == IBK_OK && portable)
        m->params->group.fp.ops = m->params->group.fq.ops = ibk_fp_ops_portable();
    if (err == IBK_OK)
        err = ibk_ibe_master_parse(&m->master, m->params, master_der, NULL);
    if (err == IBK_OK)
        err = ibk_ibe_extract(m->params, m->master, bob, &m->key);
    if (err == IBK_OK)
        err = ibk_ibe_key_encode(m->key, &m->key_der);
    if (err == IBK_OK)
        err = ibk_ibe_peer_new(&m->peer, m->params, bob);
    if (err == IBK_OK)
        err = ibk_ibe_encrypt(&m->env, m->params, bob, ibk_span_of(m->plaintext, PLAIN), &m->ciphertext);
    if (err == IBK_OK)
        err = prepare_points(m);
    if (err != IBK_OK) {
        ibk_ibe_measure_free(m);
        return err;
    }
    m->real = m->params->group.fp.ops;
    set_counting(m);
    *measure = m;
    return IBK_OK;
}

void ibk_ibe_measure_free(ibk_ibe_measure *m) {
    if (m == NULL)
        return;
    ibk_ibe_peer_free(m->peer);
    ibk_ibe_key_free(m->key);
    ibk_ibe_master_free(m->master);
    ibk_ibe_params_free(m->params);
    ibk_buf_free(&m->params_der);
    ibk_buf_free(&m->key_der);
    ibk_buf_free(&m->ciphertext);
    ibk_buf_free(&m->out);
    free(m);
}

const char *ibk_ibe_measure_multiplier(const ibk_ibe_measure *m) {
    return m->real->name;
}

const ibk_ibe_size *ibk_ibe_measure_size(const ibk_ibe_measure *m) {
    return m->params->size;
}

/* ---- running ------------------------------------------------------------------------------------------ */

static void run_pairing(ibk_ibe_measure *m, bool fixed) {
    const ibk_group *g = &m->params->group;
    ibk_limb inverse[IBK_FP_MAX], image[IBK_POINT_MAX], e[IBK_FP2_MAX];
    ibk_fp_inv(inverse, m->b, &g->fp);
    ibk_pairing_image(image, m->b, inverse, g);
    if (fixed) {
        ibk_lines_eval(e, &m->key->lines, image, g);
        ibk_final_exp(e, e, g->cofactor, g->cofactor_bits, g);
    } else {
        ibk_miller(e, m->a, image, g);
        ibk_final_exp_signed(e, e, g);
    }
}

static ibk_err run_prepare(ibk_ibe_measure *m) {
    const ibk_group *g = &m->params->group;
    ibk_comb comb;
    ibk_lines lines = {NULL, 0};
    ibk_limb half[IBK_POINT_MAX];
    ibk_err err = ibk_comb_init(&comb, m->params->p, g);
    if (err == IBK_OK)
        err = ibk_curve_half(half, m->params->pub, g) ? ibk_lines_init(&lines, half, g) : IBK_ERR_BAD_ORDER;
    ibk_comb_free(&comb);
    ibk_lines_free(&lines);
    return err;
}

static ibk_err run_parse(ibk_ibe_measure *m, bool known) {
    ibk_ibe_params *params;
    ibk_err err = ibk_ibe_params_parse(&params, ibk_buf_span(&m->params_der), known ? m->params : NULL, NULL);
    ibk_ibe_params_free(params);
    return err;
}

static ibk_err run_key(ibk_ibe_measure *m, bool extract) {
    ibk_ibe_key *key;
    ibk_err err = extract ? ibk_ibe_extract(m->params, m->master, ibk_span_str(IDENTITY), &key)
                          : ibk_ibe_key_parse(&key, m->params, ibk_buf_span(&m->key_der), NULL);
    ibk_ibe_key_free(key);
    return err;
}

ibk_err ibk_ibe_measure_run(ibk_ibe_measure *m, ibk_ibe_op op) {
    const ibk_group *g = &m->params->group;
    ibk_span bob = ibk_span_str(IDENTITY), plain = ibk_span_of(m->plaintext, PLAIN);
    ibk_limb r[IBK_FP2_MAX];
    uint8_t octets[2 * IBK_IBE_FIELD_MAX];
    const ibk_tables *tables;
    ibk_err err = ibk_params_tables(m->params, &tables);
    ibk_buf_clear(&m->out);
    if (err != IBK_OK)
        return err;
    switch (op) {
    case IBK_IBE_OP_PAIRING:
    case IBK_IBE_OP_PAIRING_FIXED:
        run_pairing(m, op == IBK_IBE_OP_PAIRING_FIXED);
        return IBK_OK;
    case IBK_IBE_OP_ENCRYPT:
        return ibk_ibe_encrypt(&m->env, m->params, bob, plain, &m->out);
    case IBK_IBE_OP_ENCRYPT_PEER:
        return ibk_ibe_peer_encrypt(&m->env, m->peer, plain, &m->out);
    case IBK_IBE_OP_DECRYPT:
        return ibk_ibe_decrypt(m->params, m->key, ibk_buf_span(&m->ciphertext), &m->out, NULL);
    case IBK_IBE_OP_EXTRACT:
    case IBK_IBE_OP_KEY_PARSE:
        return run_key(m, op == IBK_IBE_OP_EXTRACT);
    case IBK_IBE_OP_HASH_TO_POINT:
        return ibk_ibe_hash_to_point(m->params, bob, octets);
    case IBK_IBE_OP_KEY_VERIFY:
        return ibk_ibe_key_verify(m->params, m->key, bob);
    case IBK_IBE_OP_BASE_MUL:
        return ibk_comb_mul(r, &tables->comb, m->scalar, g) != 0 ? IBK_OK : IBK_ERR_INTERNAL;
    case IBK_IBE_OP_GT_EXP:
        ibk_gt_pow(r, m->theta, m->scalar, g->fq.bits, g);
        return IBK_OK;
    case IBK_IBE_OP_PREPARE:
        return run_prepare(m);
    case IBK_IBE_OP_PARSE:
    case IBK_IBE_OP_PARSE_KNOWN:
        return run_parse(m, op == IBK_IBE_OP_PARSE_KNOWN);
    case IBK_IBE_OPS:
        break;
    }
    return IBK_ERR_USAGE;
}

ibk_err ibk_ibe_measure_count(ibk_ibe_measure *m, ibk_ibe_op op, ibk_ibe_counts *counts) {
    memset(counts, 0, sizeof *counts);
    if (op == IBK_IBE_OP_PARSE || op == IBK_IBE_OP_PARSE_KNOWN)
        return IBK_ERR_UNSUPPORTED; // it makes a field of its own
    m->counts = *counts;
    m->params->group.fp.ops = &m->counting;
    ibk_err err = ibk_ibe_measure_run(m, op);
    m->params->group.fp.ops = m->real;
    *counts = m->counts;
    return err;
}

void ibk_ibe_measure_field(ibk_ibe_measure *m, ibk_ibe_field_op op, unsigned long times) {
    const ibk_fp *f = &m->params->group.fp;
    ibk_limb wide[2 * IBK_FP_MAX];
    memset(wide, 0, sizeof wide);
    for (unsigned long i = 0; i < times; i++) {
        switch (op) {
        case IBK_IBE_FIELD_MUL:
            ibk_fp_mul(m->x, m->x, m->y, f);
            break;
        case IBK_IBE_FIELD_SQR:
            ibk_fp_sqr(m->x, m->x, f);
            break;
        case IBK_IBE_FIELD_PRODUCT:
            f->ops->mul_wide(wide, m->x, m->y, f);
            m->x[0] = wide[0];
            break;
        case IBK_IBE_FIELD_SQUARE:
            f->ops->sqr_wide(wide, m->x, f);
            m->x[0] = wide[0];
            break;
        case IBK_IBE_FIELD_REDUCTION:
            memcpy(wide, m->x, f->n * sizeof *wide);
            f->ops->redc(m->x, wide, f);
            break;
        case IBK_IBE_FIELD_ADD:
            ibk_fp_add(m->x, m->x, m->y, f);
            break;
        case IBK_IBE_FIELD_INV:
            ibk_fp_inv(m->x, m->x, f);
            break;
        }
    }
}
