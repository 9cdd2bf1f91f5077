/* ECDH on the NIST prime curves over OpenSSL: RFC 6267 §4.1 and §6.1.4, SEC 1. Scalars are secret: OpenSSL's
 * single-scalar multiplication is a ladder over a padded scalar (or, for P-256, a constant-time table walk),
 * and the scalars are marked BN_FLG_CONSTTIME. */
#include "mikey/ecdh_careless.h"
#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/obj_mac.h>
#include <string.h>

static const struct curve {
    uint8_t id;
    int nid;
    uint8_t field_len, scalar_len;
    uint8_t
        top_mask; /* of the scalar's first octet: bits beyond the order's length are cut before comparing */
} curves[] = {
    {IBK_EC_P192, NID_X9_62_prime192v1, 24, 24, 0xFF}, {IBK_EC_P224, NID_secp224r1, 28, 28, 0xFF},
    {IBK_EC_P256, NID_X9_62_prime256v1, 32, 32, 0xFF}, {IBK_EC_P384, NID_secp384r1, 48, 48, 0xFF},
    {IBK_EC_P521, NID_secp521r1, 66, 66, 0x01},
};

enum {
    DRAWS_MAX = 128
}; /* P-224's order is just below a power of 2, as the others': a second draw is rare */

static const struct curve *find(uint8_t id) {
    for (size_t i = 0; i < sizeof curves / sizeof curves[0]; i++)
        if (curves[i].id == id)
            return &curves[i];
    return NULL;
}

int ibk_ec_nid(uint8_t curve) {
    const struct curve *c = find(curve);
    return c ? c->nid : 0;
}

bool ibk_ec_known(uint8_t curve) {
    return find(curve) != NULL;
}

size_t ibk_ec_field_len(uint8_t curve) {
    const struct curve *c = find(curve);
    return c ? c->field_len : 0;
}

size_t ibk_ec_point_len(uint8_t curve) {
    size_t field = ibk_ec_field_len(curve);
    return field ? 1 + 2 * field : 0;
}

ibk_span ibk_ec_point_span(const ibk_ec_point *point) {
    return ibk_span_of(point->octets, point->len);
}

bool ibk_ec_point_equal(const ibk_ec_point *a, const ibk_ec_point *b) {
    return a->curve == b->curve && ibk_span_equal_ct(ibk_ec_point_span(a), ibk_ec_point_span(b));
}

/* What one operation needs from OpenSSL; all NULL in the zero state. */
typedef struct work {
    const struct curve *curve;
    EC_GROUP *group;
    EC_POINT *p, *q;
    BIGNUM *k;
    BN_CTX *ctx;
} work;

static bool work_open(work *w, const struct curve *curve) {
    *w = (work){.curve = curve};
    w->group = EC_GROUP_new_by_curve_name(curve->nid);
    w->ctx = BN_CTX_secure_new();
    w->k = BN_secure_new();
    if (!w->group || !w->ctx || !w->k)
        return false;
    w->p = EC_POINT_new(w->group);
    w->q = EC_POINT_new(w->group);
    BN_set_flags(w->k, BN_FLG_CONSTTIME);
    return w->p && w->q;
}

static void work_close(work *w) {
    EC_POINT_clear_free(w->q);
    EC_POINT_clear_free(w->p);
    BN_clear_free(w->k);
    BN_CTX_free(w->ctx);
    EC_GROUP_free(w->group);
}

static ibk_err encode(ibk_ec_point *out, const work *w, const EC_POINT *point) {
    if (EC_POINT_is_at_infinity(w->group, point))
        return IBK_ERR_INFINITY;
    out->curve = w->curve->id;
    out->len = EC_POINT_point2oct(w->group, point, POINT_CONVERSION_UNCOMPRESSED, out->octets,
                                  sizeof out->octets, w->ctx);
    return out->len == ibk_ec_point_len(w->curve->id) ? IBK_OK : IBK_ERR_INTERNAL;
}

/* Octets to point; OpenSSL checks coordinates below p and the curve equation. All curves have cofactor 1, so
 * a point on the curve other than infinity has the group's order. */
static ibk_err decode(EC_POINT *point, const work *w, ibk_span octets) {
    size_t field = w->curve->field_len;
    if (octets.len == 0)
        return IBK_ERR_BAD_LENGTH;
    uint8_t tag = octets.data[0];
    if (tag == 0x00)
        return IBK_ERR_INFINITY;
    if (tag < 0x02 || tag > 0x04)
        return IBK_ERR_BAD_VALUE;
    if (octets.len != (tag == 0x04 ? 1 + 2 * field : 1 + field))
        return IBK_ERR_BAD_LENGTH;
    if (EC_POINT_oct2point(w->group, point, octets.data, octets.len, w->ctx) != 1)
        return IBK_ERR_NOT_ON_CURVE;
    return EC_POINT_is_on_curve(w->group, point, w->ctx) == 1 ? IBK_OK : IBK_ERR_NOT_ON_CURVE;
}

ibk_err ibk_ec_decode(ibk_ec_point *out, uint8_t curve, ibk_span octets) {
    *out = (ibk_ec_point){0};
    const struct curve *c = find(curve);
    if (!c)
        return IBK_ERR_UNSUPPORTED;
    work w;
    ibk_err err = work_open(&w, c) ? decode(w.p, &w, octets) : IBK_ERR_NO_MEMORY;
    if (!err)
        err = encode(out, &w, w.p);
    work_close(&w);
    if (err)
        *out = (ibk_ec_point){0};
    return err;
}

/* Loads the scalar into w->k: IBK_ERR_BAD_SCALAR unless it is in [1, n-1]. */
static ibk_err load_scalar(work *w, ibk_span scalar) {
    if (scalar.len != w->curve->scalar_len)
        return IBK_ERR_BAD_SCALAR;
    if (!BN_bin2bn(scalar.data, (int)scalar.len, w->k))
        return IBK_ERR_NO_MEMORY;
    bool is_fine = !BN_is_zero(w->k) && BN_cmp(w->k, EC_GROUP_get0_order(w->group)) < 0;
    return is_fine ? IBK_OK : IBK_ERR_BAD_SCALAR;
}

ibk_err ibk_ec_key_from_scalar(ibk_ec_key *out, uint8_t curve, ibk_span scalar) {
    ibk_ec_key key = {.curve = curve};
    const struct curve *c = find(curve);
    *out = (ibk_ec_key){0};
    if (!c)
        return IBK_ERR_UNSUPPORTED;
    work w;
    ibk_err err = work_open(&w, c) ? load_scalar(&w, scalar) : IBK_ERR_NO_MEMORY;
    if (!err && EC_POINT_mul(w.group, w.p, w.k, NULL, NULL, w.ctx) != 1)
        err = IBK_ERR_INTERNAL;
    if (!err)
        err = encode(&key.pub, &w, w.p);
    work_close(&w);
    if (!err) {
        key.scalar_len = scalar.len;
        memcpy(key.scalar, scalar.data, scalar.len);
        *out = key;
    }
    ibk_wipe(&key, sizeof key);
    return err;
}

ibk_err ibk_ec_keygen(ibk_ec_key *out, const ibk_env *env, ibk_draw_label label, uint8_t curve) {
    *out = (ibk_ec_key){0};
    const struct curve *c = find(curve);
    if (!c)
        return IBK_ERR_UNSUPPORTED;
    uint8_t scalar[IBK_EC_SCALAR_MAX];
    ibk_err err = IBK_ERR_BAD_SCALAR;
    for (int i = 0; i < DRAWS_MAX && err == IBK_ERR_BAD_SCALAR; i++) {
        err = env->draw(env->user, label, scalar, c->scalar_len);
        if (err)
            break;
        scalar[0] &= c->top_mask;
        err = ibk_ec_key_from_scalar(out, curve, ibk_span_of(scalar, c->scalar_len));
    }
    ibk_wipe(scalar, sizeof scalar);
    return err == IBK_ERR_BAD_SCALAR ? IBK_ERR_RANDOM
                                     : err; /* a source that never yields a scalar is broken */
}

ibk_err ibk_ec_shared(ibk_ec_point *out, const ibk_ec_key *key, const ibk_ec_point *peer) {
    *out = (ibk_ec_point){0};
    const struct curve *c = find(key->curve);
    if (!c)
        return IBK_ERR_UNSUPPORTED;
    if (peer->curve != key->curve)
        return IBK_ERR_MISMATCH;
    work w;
    ibk_err err = work_open(&w, c) ? decode(w.p, &w, ibk_ec_point_span(peer)) : IBK_ERR_NO_MEMORY;
    if (!err)
        err = load_scalar(&w, ibk_span_of(key->scalar, key->scalar_len));
    if (!err && EC_POINT_mul(w.group, w.q, NULL, w.p, w.k, w.ctx) != 1)
        err = IBK_ERR_INTERNAL;
    if (!err)
        err = encode(out, &w, w.q);
    work_close(&w);
    if (err)
        ibk_wipe(out, sizeof *out);
    return err;
}
