#include "adversary/bad_params.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <string.h>

#define FIELD IBK_IBE_FIELD_MAX

/* ---- DER (X.690 §8, §10)
 * -------------------------------------------------------------------------------------- */

enum { DER_INTEGER = 0x02, DER_OID = 0x06, DER_SEQUENCE = 0x30 };

static ibk_err put_head(ibk_buf *out, uint8_t tag, size_t len) {
    uint8_t head[5] = {tag};
    size_t n = 2;
    head[1] = (uint8_t)len;
    if (len >= 0x80) {
        size_t octets = len < 0x100 ? 1 : 2; /* nothing here is longer */
        head[1] = (uint8_t)(0x80 | octets);
        for (size_t i = 0; i < octets; i++)
            head[n++] = (uint8_t)(len >> (8 * (octets - 1 - i)));
    }
    return ibk_buf_append(out, head, n);
}

static ibk_err put_natural(ibk_buf *out, ibk_span magnitude) {
    static const uint8_t zero = 0;
    while (magnitude.len && !magnitude.data[0])
        magnitude = ibk_span_of(magnitude.data + 1, magnitude.len - 1);
    bool pad = !magnitude.len || (magnitude.data[0] & 0x80);
    ibk_err err = put_head(out, DER_INTEGER, magnitude.len + pad);
    if (!err && pad)
        err = ibk_buf_append(out, &zero, 1);
    return err ? err : ibk_buf_append_span(out, magnitude);
}

static ibk_err put_version(ibk_buf *out) {
    static const uint8_t two = 2;
    return put_natural(out, ibk_span_of(&two, 1));
}

/* `content` as a SEQUENCE; frees it. */
static ibk_err put_sequence(ibk_buf *out, ibk_buf *content, ibk_err err) {
    if (!err)
        err = put_head(out, DER_SEQUENCE, content->len);
    if (!err)
        err = ibk_buf_append_span(out, ibk_buf_span(content));
    ibk_buf_free(content);
    return err;
}

/* FpPoint; `point` is x || y. */
static ibk_err put_point(ibk_buf *out, const uint8_t *point, size_t field) {
    ibk_buf xy = {0};
    ibk_err err = put_natural(&xy, ibk_span_of(point, field));
    if (!err)
        err = put_natural(&xy, ibk_span_of(point + field, field));
    return put_sequence(out, &xy, err);
}

/* RFC 5091 §8: object identifiers with their heads */
static const uint8_t OID_CURVE[] = {0x06, 0x0b, 0x60, 0x86, 0x48, 0x01, 0x86,
                                    0xfd, 0x1e, 0x01, 0x01, 0x01, 0x01};
static const uint8_t OID_SHA1[] = {0x06, 0x05, 0x2b, 0x0e, 0x03, 0x02, 0x1a};
static const uint8_t OID_SHA2[] = {0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x00};

static ibk_err put_hash(ibk_buf *out, ibk_ibe_hash hash) {
    static const uint8_t last[] = {
        [IBK_IBE_SHA224] = 4, [IBK_IBE_SHA256] = 1, [IBK_IBE_SHA384] = 2, [IBK_IBE_SHA512] = 3};
    if (hash == IBK_IBE_SHA1)
        return ibk_buf_append(out, OID_SHA1, sizeof OID_SHA1);
    ibk_err err = ibk_buf_append(out, OID_SHA2, sizeof OID_SHA2);
    if (!err)
        out->data[out->len - 1] = last[hash];
    return err;
}

/* What a BFPublicParameters says; points are x || y of `field` octets each. */
typedef struct fields {
    ibk_buf p, q;
    size_t field;
    uint8_t generator[2 * FIELD], public[2 * FIELD];
    ibk_ibe_hash hash;
} fields;

static ibk_err write_fields(ibk_buf *der, const fields *f) {
    ibk_buf content = {0};
    ibk_err err = put_version(&content);
    if (!err)
        err = ibk_buf_append(&content, OID_CURVE, sizeof OID_CURVE);
    if (!err)
        err = put_natural(&content, ibk_buf_span(&f->p));
    if (!err)
        err = put_natural(&content, ibk_buf_span(&f->q));
    if (!err)
        err = put_point(&content, f->generator, f->field);
    if (!err)
        err = put_point(&content, f->public, f->field);
    if (!err)
        err = put_hash(&content, f->hash);
    return put_sequence(der, &content, err);
}

static void fields_free(fields *f) {
    ibk_buf_free(&f->p);
    ibk_buf_free(&f->q);
}

static ibk_err fields_of(fields *f, const ibk_ibe_params *base) {
    *f = (fields){.field = ibk_ibe_params_field_len(base), .hash = ibk_ibe_params_hash(base)};
    ibk_err err = ibk_ibe_params_p(base, &f->p);
    if (!err)
        err = ibk_ibe_params_q(base, &f->q);
    if (!err)
        err = ibk_ibe_params_generator(base, f->generator);
    return err ? err : ibk_ibe_params_public(base, f->public);
}

/* ---- sound, with a secret of its own
 * ----------------------------------------------------------------------------- */

/* 0 < s < q: as many bits as q, drawn again if it is not below it. */
static ibk_err draw_secret(ibk_buf *s, const ibk_buf *q, const ibk_env *env) {
    unsigned top_bits = 8;
    while (top_bits > 1 && !(q->data[0] >> (top_bits - 1)))
        top_bits--;
    ibk_err err = ibk_buf_resize(s, q->len);
    for (int tries = 0; !err && tries < 128; tries++) {
        err = env->draw(env->user, IBK_DRAW_MASTER, s->data, s->len);
        s->data[0] &= (uint8_t)((1u << top_bits) - 1);
        s->data[s->len - 1] |= 2; /* 2 at least */
        if (!err && memcmp(s->data, q->data, q->len) < 0)
            return IBK_OK;
    }
    return err ? err : IBK_ERR_RANDOM;
}

/* BFMasterSecret */
static ibk_err parse_master(ibk_ibe_master **master, const ibk_ibe_params *params, ibk_span s) {
    ibk_buf content = {0}, der = {0};
    ibk_err err = put_version(&content);
    if (!err)
        err = put_natural(&content, s);
    err = put_sequence(&der, &content, err);
    if (!err)
        err = ibk_ibe_master_parse(master, params, ibk_buf_span(&der), NULL);
    ibk_buf_free(&der);
    return err;
}

ibk_err bad_params_own(ibk_ibe_params **params, ibk_ibe_master **master, const ibk_ibe_params *base,
                       const ibk_env *env) {
    fields f;
    ibk_buf s = {0}, der = {0};
    *params = NULL;
    *master = NULL;
    ibk_err err = fields_of(&f, base);
    if (!err)
        err = draw_secret(&s, &f.q, env);
    if (!err)
        err = ibk_ibe_base_mul(base, ibk_buf_span(&s), f.public);
    if (!err)
        err = write_fields(&der, &f);
    if (!err)
        err = ibk_ibe_params_parse(params, ibk_buf_span(&der), base, NULL);
    if (!err)
        err = parse_master(master, *params, ibk_buf_span(&s));
    if (err) {
        ibk_ibe_params_free(*params);
        *params = NULL;
    }
    ibk_buf_free(&s);
    ibk_buf_free(&der);
    fields_free(&f);
    return err;
}

/* ---- a composite q
 * --------------------------------------------------------------------------------------------------- */

/* A search for q, r and p = 12 r q - 1, and points in the group of order q. */
typedef struct search {
    BN_CTX *ctx;
    BIGNUM *p, *q, *cofactor, *t;
} search;

static bool search_open(search *s) {
    *s = (search){BN_CTX_new(), BN_new(), BN_new(), BN_new(), BN_new()};
    return s->ctx && s->p && s->q && s->cofactor && s->t;
}

static void search_close(search *s) {
    BN_free(s->t);
    BN_free(s->cofactor);
    BN_free(s->q);
    BN_free(s->p);
    BN_CTX_free(s->ctx);
}

/* The first q = 2^159 + 2^b + 1 that is no prime and not divisible by 2 or 3, which divide the cofactor as
 * well. */
static bool find_q(search *s) {
    for (int b = 8; b < 150; b++) {
        BN_zero(s->q);
        if (!BN_set_bit(s->q, 159) || !BN_set_bit(s->q, b) || !BN_set_bit(s->q, 0))
            return false;
        if (BN_mod_word(s->q, 3) != 0 && BN_check_prime(s->q, s->ctx, NULL) == 0)
            return true;
    }
    return false;
}

/* The first r from 2^511 / 12q on for which p is prime. */
static bool find_p(search *s) {
    if (!BN_one(s->t) || !BN_lshift(s->t, s->t, 511) || !BN_div(s->cofactor, NULL, s->t, s->q, s->ctx))
        return false;
    BN_ULONG over = BN_mod_word(s->cofactor, 12);
    if (!BN_add_word(s->cofactor, 12 - over))
        return false;
    for (int tries = 0; tries < 20000; tries++, BN_add_word(s->cofactor, 12)) {
        if (!BN_mul(s->p, s->cofactor, s->q, s->ctx) || !BN_sub_word(s->p, 1))
            return false;
        if (BN_num_bits(s->p) == 512 && BN_check_prime(s->p, s->ctx, NULL) == 1)
            return true;
    }
    return false;
}

/* The point of the curve with this y (not 3: (2, 3) is of order 6), times the cofactor, to x || y. Cubing is
 * a bijection, for p = 2 mod 3. */
static bool point_of_y(const search *s, const EC_GROUP *group, BN_ULONG y, uint8_t *out, size_t field) {
    BIGNUM *bx = BN_new(), *by = BN_new(), *e = BN_new();
    EC_POINT *point = EC_POINT_new(group);
    bool done = bx && by && e && point && BN_set_word(by, y) && BN_set_word(bx, y * y - 1) &&
                BN_lshift1(e, s->p) && BN_sub_word(e, 1) && BN_div_word(e, 3) != (BN_ULONG)-1 &&
                BN_mod_exp(bx, bx, e, s->p, s->ctx) &&
                EC_POINT_set_affine_coordinates(group, point, bx, by, s->ctx) == 1 &&
                EC_POINT_mul(group, point, NULL, point, s->cofactor, s->ctx) == 1 &&
                EC_POINT_get_affine_coordinates(group, point, bx, by, s->ctx) == 1 &&
                BN_bn2binpad(bx, out, (int)field) >= 0 && BN_bn2binpad(by, out + field, (int)field) >= 0;
    EC_POINT_free(point);
    BN_free(e);
    BN_free(by);
    BN_free(bx);
    return done;
}

static bool fill(fields *f, const search *s) {
    BIGNUM *a = BN_new(), *b = BN_new();
    EC_GROUP *group = NULL;
    f->field = 64;
    f->hash = IBK_IBE_SHA1;
    if (a && b && BN_one(b))
        group = EC_GROUP_new_curve_GFp(s->p, a, b, s->ctx); /* y^2 = x^3 + 1 */
    bool done = group && !ibk_buf_resize(&f->p, 64) && !ibk_buf_resize(&f->q, 20) &&
                BN_bn2binpad(s->p, f->p.data, 64) == 64 && BN_bn2binpad(s->q, f->q.data, 20) == 20 &&
                point_of_y(s, group, 4, f->generator, f->field) &&
                point_of_y(s, group, 5, f->public, f->field);
    EC_GROUP_free(group);
    BN_free(b);
    BN_free(a);
    return done;
}

static ibk_err make_composite(fields *f) {
    search s;
    bool done = search_open(&s) && find_q(&s) && find_p(&s) && fill(f, &s);
    search_close(&s);
    return done ? IBK_OK : IBK_ERR_INTERNAL;
}

/* ---- the others
 * ----------------------------------------------------------------------------------------------------------
 */

/* (0, 1) and its negative: on every curve y^2 = x^3 + 1 of order 3, for the tangent there is a flex. */
static ibk_err make_small_order(fields *f, const ibk_ibe_params *base) {
    ibk_err err = fields_of(f, base);
    if (err)
        return err;
    memset(f->generator, 0, sizeof f->generator);
    memset(f->public, 0, sizeof f->public);
    f->generator[2 * f->field - 1] = 1;
    memcpy(f->public + 2 * f->field - f->p.len, f->p.data, f->p.len);
    f->public[2 * f->field - 1]--; /* p is odd */
    return IBK_OK;
}

static ibk_err make_tiny(fields *f) {
    static const uint8_t two = 2, three = 3;
    f->field = 1;
    f->hash = IBK_IBE_SHA1;
    f->generator[1] = f->public[1] = 1;
    ibk_err err = ibk_buf_append(&f->p, &three, 1);
    return err ? err : ibk_buf_append(&f->q, &two, 1);
}

ibk_err bad_params_make(ibk_buf *der, scn_degenerate kind, const ibk_ibe_params *base) {
    fields f = {0};
    ibk_err err = IBK_ERR_USAGE;
    if (kind == SCN_P_PUB_IS_P) {
        err = fields_of(&f, base);
        memcpy(f.public, f.generator, sizeof f.public);
    } else if (kind == SCN_Q_COMPOSITE) {
        err = make_composite(&f);
    } else if (kind == SCN_SMALL_ORDER) {
        err = make_small_order(&f, base);
    } else if (kind == SCN_P_IS_3) {
        err = make_tiny(&f);
    }
    if (!err)
        err = write_fields(der, &f);
    fields_free(&f);
    return err;
}

ibk_err bad_params_trivial_key(ibk_buf *der, const ibk_ibe_params *params, ibk_span ibe_identity) {
    uint8_t point[2 * FIELD];
    ibk_buf content = {0};
    ibk_err err = ibk_ibe_hash_to_point(params, ibe_identity, point);
    if (!err)
        err = put_version(&content);
    if (!err)
        err = put_point(&content, point, ibk_ibe_params_field_len(params));
    return put_sequence(der, &content, err);
}
