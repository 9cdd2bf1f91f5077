#include "mikey/ecdh_careless.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <string.h>

/* An affine point. */
typedef struct point {
    BIGNUM *x, *y;
    bool infinite;
} point;

/* y^2 = x^3 + ax + anything over F_p. */
typedef struct curve {
    BIGNUM *p, *a;
    BN_CTX *ctx; /* all numbers here are its own */
} curve;

static point new_point(const curve *c) {
    point out = {.x = BN_CTX_get(c->ctx), .infinite = true};
    out.y = BN_CTX_get(c->ctx);
    return out;
}

/* The slope of the tangent at a, or of the line through a and b. */
static bool slope_of(BIGNUM *slope, const point *a, const point *b, bool tangent, const curve *c) {
    BIGNUM *below = BN_CTX_get(c->ctx);
    if (!below)
        return false;
    if (tangent)
        return BN_mod_sqr(slope, a->x, c->p, c->ctx) && BN_mul_word(slope, 3) && BN_add(slope, slope, c->a) &&
               BN_mod_lshift1(below, a->y, c->p, c->ctx) && BN_mod_inverse(below, below, c->p, c->ctx) &&
               BN_mod_mul(slope, slope, below, c->p, c->ctx);
    return BN_mod_sub(slope, b->y, a->y, c->p, c->ctx) && BN_mod_sub(below, b->x, a->x, c->p, c->ctx) &&
           BN_mod_inverse(below, below, c->p, c->ctx) && BN_mod_mul(slope, slope, below, c->p, c->ctx);
}

/* r = a + b; r may be a. False: OpenSSL ran out of memory. */
static bool add(point *r, const point *a, const point *b, const curve *c) {
    if (a->infinite || b->infinite) {
        const point *from = a->infinite ? b : a;
        r->infinite = from->infinite;
        return BN_copy(r->x, from->x) && BN_copy(r->y, from->y);
    }
    bool same_x = BN_cmp(a->x, b->x) == 0;
    bool tangent = same_x && BN_cmp(a->y, b->y) == 0 && !BN_is_zero(a->y);
    if (same_x && !tangent) {
        r->infinite = true;
        return true;
    }
    BN_CTX_start(c->ctx);
    BIGNUM *slope = BN_CTX_get(c->ctx), *x = BN_CTX_get(c->ctx), *y = BN_CTX_get(c->ctx);
    bool ok = y && slope_of(slope, a, b, tangent, c) && BN_mod_sqr(x, slope, c->p, c->ctx) &&
              BN_mod_sub(x, x, a->x, c->p, c->ctx) && BN_mod_sub(x, x, b->x, c->p, c->ctx) &&
              BN_mod_sub(y, a->x, x, c->p, c->ctx) && BN_mod_mul(y, y, slope, c->p, c->ctx) &&
              BN_mod_sub(y, y, a->y, c->p, c->ctx) && BN_copy(r->x, x) && BN_copy(r->y, y);
    r->infinite = false;
    BN_CTX_end(c->ctx);
    return ok;
}

static ibk_err multiply(point *r, const BIGNUM *k, const point *a, const curve *c) {
    for (int i = BN_num_bits(k); i > 0; i--)
        if (!add(r, r, r, c) || (BN_is_bit_set(k, i - 1) && !add(r, r, a, c)))
            return IBK_ERR_NO_MEMORY;
    return r->infinite ? IBK_ERR_INFINITY : IBK_OK;
}

static bool open_curve(curve *c, uint8_t id) {
    EC_GROUP *group = EC_GROUP_new_by_curve_name(ibk_ec_nid(id));
    c->p = BN_CTX_get(c->ctx);
    c->a = BN_CTX_get(c->ctx);
    bool ok = group && c->a && EC_GROUP_get_curve(group, c->p, c->a, NULL, c->ctx);
    EC_GROUP_free(group);
    return ok;
}

/* 04 || X || Y, reduced modulo p. */
static bool read_point(point *out, const ibk_ec_point *in, const curve *c) {
    int len = (int)(in->len - 1) / 2;
    out->infinite = false;
    return BN_bin2bn(in->octets + 1, len, out->x) && BN_bin2bn(in->octets + 1 + len, len, out->y) &&
           BN_nnmod(out->x, out->x, c->p, c->ctx) && BN_nnmod(out->y, out->y, c->p, c->ctx);
}

static ibk_err write_point(ibk_ec_point *out, uint8_t id, const point *in) {
    size_t len = ibk_ec_field_len(id);
    *out = (ibk_ec_point){.curve = id, .len = 1 + 2 * len};
    out->octets[0] = 0x04;
    bool ok = BN_bn2binpad(in->x, out->octets + 1, (int)len) > 0 &&
              BN_bn2binpad(in->y, out->octets + 1 + len, (int)len) > 0;
    return ok ? IBK_OK : IBK_ERR_INTERNAL;
}

ibk_err ibk_ec_shared_careless(ibk_ec_point *out, const ibk_ec_key *key, const ibk_ec_point *peer) {
    *out = (ibk_ec_point){0};
    if (!ibk_ec_known(key->curve))
        return IBK_ERR_UNSUPPORTED;
    if (peer->curve != key->curve || peer->len != ibk_ec_point_len(key->curve))
        return IBK_ERR_MISMATCH;
    curve c = {.ctx = BN_CTX_secure_new()};
    if (!c.ctx)
        return IBK_ERR_NO_MEMORY;
    BN_CTX_start(c.ctx);
    point theirs = new_point(&c), shared = new_point(&c);
    BIGNUM *k = BN_CTX_get(c.ctx);
    bool ready = k && open_curve(&c, key->curve) && read_point(&theirs, peer, &c) &&
                 BN_bin2bn(key->scalar, (int)key->scalar_len, k);
    ibk_err err = ready ? multiply(&shared, k, &theirs, &c) : IBK_ERR_NO_MEMORY;
    if (!err)
        err = write_point(out, key->curve, &shared);
    if (k)
        BN_clear(k);
    BN_CTX_end(c.ctx);
    BN_CTX_free(c.ctx);
    return err;
}

ibk_err ibk_ec_decode_careless(ibk_ec_point *out, uint8_t id, ibk_span octets) {
    *out = (ibk_ec_point){0};
    if (!ibk_ec_known(id) || octets.len != ibk_ec_point_len(id) || octets.data[0] != 0x04)
        return ibk_ec_decode(out, id, octets); /* who decompresses a point has its curve's equation */
    out->curve = id;
    out->len = octets.len;
    memcpy(out->octets, octets.data, octets.len);
    return IBK_OK;
}
