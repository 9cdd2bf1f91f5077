#include "adversary/bad_points.h"

#include <string.h>

enum { P256_FIELD = 32 };

/* Q = (SMALL_X, SMALL_Y) lies on y^2 = x^3 - 3x + b' over the field of P-256, with b' = y^2 - x^3 + 3x and
 * not P-256's b, and has the prime order 571 there. The formulas of affine and Jacobian addition never use b:
 * a receiver that does not check computes on this curve. Found by counting the points of random curves
 * (PARI's ellcard). */
static const uint8_t SMALL_X[P256_FIELD] = {0xb4, 0x18, 0xdf, 0xfa, 0xa7, 0x33, 0x2d, 0x90, 0xfe, 0x39, 0x5b,
                                            0x0f, 0x8c, 0x51, 0x07, 0x79, 0xc7, 0xcf, 0xae, 0x0c, 0x87, 0xc6,
                                            0x14, 0xb6, 0x14, 0x4c, 0xfc, 0xb9, 0xab, 0x68, 0x15, 0x38};
static const uint8_t SMALL_Y[P256_FIELD] = {0x7f, 0x65, 0x4e, 0x81, 0xfe, 0x26, 0x7c, 0xa0, 0x06, 0x6d, 0x73,
                                            0x19, 0x13, 0xeb, 0x58, 0x71, 0x64, 0xcc, 0x3b, 0x32, 0xac, 0xda,
                                            0x75, 0xc8, 0xda, 0x12, 0x39, 0x49, 0x4a, 0x6d, 0x69, 0xd8};

static ibk_err make_small_order(ibk_buf *out, const ibk_ec_point *base) {
    static const uint8_t uncompressed = 0x04;
    if (base->curve != IBK_EC_P256)
        return IBK_ERR_UNSUPPORTED;
    ibk_err err = ibk_buf_append(out, &uncompressed, 1);
    if (!err)
        err = ibk_buf_append(out, SMALL_X, sizeof SMALL_X);
    return err ? err : ibk_buf_append(out, SMALL_Y, sizeof SMALL_Y);
}

static ibk_err make_compressed(ibk_buf *out, const ibk_ec_point *base) {
    uint8_t tag = 0x02 | (base->octets[base->len - 1] & 1);
    ibk_err err = ibk_buf_append(out, &tag, 1);
    return err ? err : ibk_buf_append(out, base->octets + 1, ibk_ec_field_len(base->curve));
}

/* The X that follows base's, one by one, until none of the curve's points has it: every second X is like
 * that. */
static ibk_err make_twist(ibk_buf *out, const ibk_ec_point *base) {
    uint8_t octets[IBK_EC_POINT_MAX] = {0x02};
    size_t field = ibk_ec_field_len(base->curve);
    ibk_ec_point point;
    memcpy(octets + 1, base->octets + 1, field);
    for (int tries = 0; tries < 128; tries++) {
        octets[field]++;
        if (ibk_ec_decode(&point, base->curve, ibk_span_of(octets, 1 + field)) == IBK_ERR_NOT_ON_CURVE)
            return ibk_buf_append(out, octets, 1 + field);
    }
    return IBK_ERR_INTERNAL;
}

ibk_err bad_point_make(ibk_buf *out, bad_point kind, const ibk_ec_point *base) {
    static const uint8_t infinity = 0x00;
    uint8_t off[IBK_EC_POINT_MAX];
    switch (kind) {
    case BAD_POINT_OFF_CURVE:
        memcpy(off, base->octets, base->len);
        off[base->len - 1] ^= 1;
        return ibk_buf_append(out, off, base->len);
    case BAD_POINT_INFINITY:
        return ibk_buf_append(out, &infinity, 1);
    case BAD_POINT_SMALL_ORDER:
        return make_small_order(out, base);
    case BAD_POINT_COMPRESSED:
        return make_compressed(out, base);
    case BAD_POINT_TWIST:
        return make_twist(out, base);
    }
    return IBK_ERR_USAGE;
}
