#include "peer/curve.h"

#include <openssl/bn.h>
#include <openssl/ec.h>
#include <openssl/obj_mac.h>

typedef struct known_curve {
    uint8_t number;
    int nid;
    size_t field, order; /* octets */
} known_curve;

static const known_curve *known(uint8_t curve) {
    static const known_curve curves[] = {{PX_P192, NID_X9_62_prime192v1, 24, 24},
                                         {PX_P224, NID_secp224r1, 28, 28},
                                         {PX_P256, NID_X9_62_prime256v1, 32, 32},
                                         {PX_P384, NID_secp384r1, 48, 48},
                                         {PX_P521, NID_secp521r1, 66, 66}};
    for (size_t i = 0; i < sizeof curves / sizeof *curves; i++)
        if (curves[i].number == curve)
            return &curves[i];
    return NULL;
}

size_t px_field_len(uint8_t curve) {
    const known_curve *k = known(curve);
    return k ? k->field : 0;
}

size_t px_point_len(uint8_t curve, uint8_t tag) {
    size_t field = px_field_len(curve);
    if (!field)
        return 0;
    return tag == 4 ? 1 + 2 * field : tag == 2 || tag == 3 ? 1 + field : 0;
}

ibk_err px_scalar(uint8_t curve, px_draw *draw, void *user, px_octets *out) {
    const known_curve *k = known(curve);
    EC_GROUP *group = k ? EC_GROUP_new_by_curve_name(k->nid) : NULL;
    if (!group)
        return k ? IBK_ERR_INTERNAL : IBK_ERR_UNSUPPORTED;
    uint8_t octets[PX_SCALAR_MAX];
    BIGNUM *n = BN_new();
    ibk_err err = n ? IBK_OK : IBK_ERR_NO_MEMORY;
    bool good = false;
    while (!err && !good) {
        err = draw(user, octets, k->order);
        if (k->number == PX_P521)
            octets[0] &= 1; /* 521 bits; else a draw would hardly ever be below the order */
        good = !err && BN_bin2bn(octets, (int)k->order, n) && !BN_is_zero(n) &&
               BN_cmp(n, EC_GROUP_get0_order(group)) < 0;
    }
    if (!err)
        px_set(out, ibk_span_of(octets, k->order));
    ibk_wipe(octets, sizeof octets);
    BN_clear_free(n);
    EC_GROUP_free(group);
    return err ? err : out->err;
}

/* The octets of a point of `group`, in one of the two forms. */
static ibk_err octets_of(const EC_GROUP *group, const EC_POINT *point, point_conversion_form_t form,
                         px_octets *out) {
    uint8_t octets[PX_POINT_MAX];
    size_t len = EC_POINT_point2oct(group, point, form, octets, sizeof octets, NULL);
    if (len == 0)
        return IBK_ERR_INTERNAL;
    px_set(out, ibk_span_of(octets, len));
    return out->err;
}

/* [scalar]point (point alone where there is no scalar, [scalar]P where there is no point) in a form. */
static ibk_err compute(uint8_t curve, const ibk_span *scalar, const ibk_span *point,
                       point_conversion_form_t form, px_octets *out) {
    const known_curve *k = known(curve);
    if (!k)
        return IBK_ERR_UNSUPPORTED;
    EC_GROUP *group = EC_GROUP_new_by_curve_name(k->nid);
    EC_POINT *p = group ? EC_POINT_new(group) : NULL;
    BIGNUM *n = scalar ? BN_bin2bn(scalar->data, (int)scalar->len, NULL) : NULL;
    ibk_err err = p && (n || !scalar) ? IBK_OK : IBK_ERR_NO_MEMORY;
    if (!err && point &&
        !EC_POINT_oct2point(group, p, point->data, point->len, NULL)) /* refuses what is off the curve */
        err = IBK_ERR_NOT_ON_CURVE;
    if (!err && point && EC_POINT_is_at_infinity(group, p))
        err = IBK_ERR_INFINITY;
    if (!err && scalar && !EC_POINT_mul(group, p, point ? NULL : n, point ? p : NULL, point ? n : NULL, NULL))
        err = IBK_ERR_INTERNAL;
    if (!err)
        err = EC_POINT_is_at_infinity(group, p) ? IBK_ERR_INFINITY : octets_of(group, p, form, out);
    BN_clear_free(n);
    EC_POINT_free(p);
    EC_GROUP_free(group);
    return err;
}

ibk_err px_multiply(uint8_t curve, ibk_span scalar, const ibk_span *point, px_octets *out) {
    return compute(curve, &scalar, point, POINT_CONVERSION_UNCOMPRESSED, out);
}

ibk_err px_point_check(uint8_t curve, ibk_span point, px_octets *out) {
    return compute(curve, NULL, &point, POINT_CONVERSION_UNCOMPRESSED, out);
}

ibk_err px_compress(uint8_t curve, ibk_span point, px_octets *out) {
    return compute(curve, NULL, &point, POINT_CONVERSION_COMPRESSED, out);
}
