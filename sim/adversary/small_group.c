/* All multiples of a point that need not lie on its curve. Addition and doubling on y² = x³ + ax + b do
 * without b, so a point off the curve lies on another one, y² = x³ + ax + b', whose group may be small:
 * whoever computes [k]Q without a look at the equation (SEC 1 §3.2.2.1) computes it there. */
#include "adversary/analyst_internal.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/obj_mac.h>
#include <string.h>

/* Affine; x NULL-free, `infinity` counts first. */
typedef struct point {
    BIGNUM *x, *y;
    bool infinity;
} point;

typedef struct field {
    BN_CTX *ctx;
    BIGNUM *p, *a, *slope, *t, *u, *v;
    size_t len;
    bool failed;
} field;

static int nid_of(uint8_t curve) {
    switch (curve) {
    case IBK_EC_P192:
        return NID_X9_62_prime192v1;
    case IBK_EC_P224:
        return NID_secp224r1;
    case IBK_EC_P256:
        return NID_X9_62_prime256v1;
    case IBK_EC_P384:
        return NID_secp384r1;
    case IBK_EC_P521:
        return NID_secp521r1;
    default:
        return NID_undef;
    }
}

static bool field_open(field *f, uint8_t curve) {
    *f = (field){.ctx = BN_CTX_new(), .len = ibk_ec_field_len(curve)};
    EC_GROUP *group = EC_GROUP_new_by_curve_name(nid_of(curve));
    f->p = BN_new(), f->a = BN_new(), f->slope = BN_new();
    f->t = BN_new(), f->u = BN_new(), f->v = BN_new();
    bool ok = f->ctx && group && f->p && f->a && f->slope && f->t && f->u && f->v &&
              EC_GROUP_get_curve(group, f->p, f->a, f->t, f->ctx) == 1;
    EC_GROUP_free(group);
    return ok;
}

static void field_close(field *f) {
    BIGNUM *all[] = {f->p, f->a, f->slope, f->t, f->u, f->v};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        BN_free(all[i]);
    BN_CTX_free(f->ctx);
}

/* The slope of the tangent at p, or of the line through p and q. False: it is vertical. */
static bool slope_of(field *f, const point *p, const point *q) {
    bool same_x = BN_cmp(p->x, q->x) == 0, tangent = same_x && BN_cmp(p->y, q->y) == 0 && !BN_is_zero(p->y);
    if (same_x && !tangent)
        return false;
    bool ok;
    if (tangent)
        ok = BN_mod_sqr(f->t, p->x, f->p, f->ctx) && BN_mul_word(f->t, 3) &&
             BN_mod_add(f->t, f->t, f->a, f->p, f->ctx) && BN_mod_lshift1(f->u, p->y, f->p, f->ctx);
    else
        ok = BN_mod_sub(f->t, q->y, p->y, f->p, f->ctx) && BN_mod_sub(f->u, q->x, p->x, f->p, f->ctx);
    ok = ok && BN_mod_inverse(f->u, f->u, f->p, f->ctx) && BN_mod_mul(f->slope, f->t, f->u, f->p, f->ctx);
    f->failed |= !ok;
    return true;
}

/* p += q */
static void add(field *f, point *p, const point *q) {
    if (!slope_of(f, p, q)) {
        p->infinity = true;
        return;
    }
    bool ok = BN_mod_sqr(f->t, f->slope, f->p, f->ctx) && BN_mod_sub(f->t, f->t, p->x, f->p, f->ctx) &&
              BN_mod_sub(f->t, f->t, q->x, f->p, f->ctx) && BN_mod_sub(f->u, p->x, f->t, f->p, f->ctx) &&
              BN_mod_mul(f->v, f->slope, f->u, f->p, f->ctx) && BN_mod_sub(f->v, f->v, p->y, f->p, f->ctx) &&
              BN_copy(p->x, f->t) && BN_copy(p->y, f->v);
    f->failed |= !ok;
}

static void walk(field *f, point *p, const point *q, bool (*each)(void *user, ibk_span multiple),
                 void *user) {
    uint8_t octets[IBK_EC_POINT_MAX] = {4};
    for (size_t i = 0; i < AN_SMALL_GROUP_MAX && !f->failed && !p->infinity; i++) {
        f->failed |= BN_bn2binpad(p->x, octets + 1, (int)f->len) < 0 ||
                     BN_bn2binpad(p->y, octets + 1 + f->len, (int)f->len) < 0;
        if (f->failed || each(user, ibk_span_of(octets, 1 + 2 * f->len)))
            return;
        add(f, p, q);
    }
}

ibk_err an_multiples(const ibk_ec_point *of, bool (*each)(void *user, ibk_span multiple), void *user) {
    field f;
    size_t len = ibk_ec_field_len(of->curve);
    if (len == 0 || of->len != 1 + 2 * len || of->octets[0] != 4)
        return IBK_ERR_USAGE;
    bool ok = field_open(&f, of->curve);
    point q = {.x = BN_bin2bn(of->octets + 1, (int)len, NULL),
               .y = BN_bin2bn(of->octets + 1 + len, (int)len, NULL)};
    point p = {.x = BN_dup(q.x), .y = BN_dup(q.y)};
    bool reduced = ok && q.x && q.y && BN_cmp(q.x, f.p) < 0 && BN_cmp(q.y, f.p) < 0;
    ok = ok && p.x && p.y;
    if (ok && reduced)
        walk(&f, &p, &q, each, user);
    ok = ok && !f.failed;
    BIGNUM *all[] = {p.x, p.y, q.x, q.y};
    for (size_t i = 0; i < 4; i++)
        BN_free(all[i]);
    field_close(&f);
    return !ok ? IBK_ERR_NO_MEMORY : reduced ? IBK_OK : IBK_ERR_BAD_VALUE;
}
