#include "peer/ciphertext.h"

#include <openssl/bn.h>
#include <string.h>

/* ---- encoding
 * ------------------------------------------------------------------------------------------------ */

/* The content of the outer SEQUENCE, and how many octets its tag and length have. */
static ibk_span content_of(ibk_span der, size_t *head) {
    px_cursor c = px_read(der);
    px_take8(&c);
    uint8_t length = px_take8(&c);
    if (length > 0x80)
        px_take(&c, length & 0x7F);
    *head = der.len - c.left;
    return ibk_span_of(c.at, c.left);
}

static void put_sequence(px_octets *out, size_t len) {
    px_put8(out, 0x30);
    if (len > 255)
        px_put(out, (uint8_t[]){0x82, (uint8_t)(len >> 8), (uint8_t)len}, 3);
    else if (len > 127)
        px_put(out, (uint8_t[]){0x81, (uint8_t)len}, 2);
    else
        px_put8(out, (unsigned)len);
}

static void encode(px_ciphertext_fault fault, ibk_span der, px_octets *out) {
    static const uint8_t version_2[] = {2, 1, 2}, version_3[] = {2, 1, 3}, long_2[] = {2, 2, 0, 2};
    size_t head;
    ibk_span content = content_of(der, &head);
    ibk_span rest = ibk_span_of(content.data + sizeof version_2, content.len - sizeof version_2);
    bool integer = fault == PX_FAULT_LONG_INTEGER;
    if (fault == PX_FAULT_LONG_LENGTH) {
        px_put(out, (uint8_t[]){0x30, 0x83, 0, (uint8_t)(content.len >> 8), (uint8_t)content.len}, 5);
        px_put_span(out, content);
    } else if (fault == PX_FAULT_INDEFINITE) {
        px_put(out, (uint8_t[]){0x30, 0x80}, 2);
        px_put_span(out, content);
        px_put16(out, 0);
    } else if (fault == PX_FAULT_VERSION || integer) {
        put_sequence(out, content.len + (integer ? 1 : 0));
        px_put(out, integer ? long_2 : version_3, integer ? sizeof long_2 : sizeof version_3);
        px_put_span(out, rest);
    } else if (fault == PX_FAULT_NO_DER) {
        px_put(out, "no DER", 6);
    } else {
        px_put(out, der.data, fault == PX_FAULT_TRUNCATED ? der.len - 1 : der.len);
        if (fault == PX_FAULT_TRAILING)
            px_put16(out, 0x0500); /* NULL */
    }
}

/* ---- U
 * -------------------------------------------------------------------------------------------------------- */

typedef struct numbers {
    BN_CTX *ctx;
    BIGNUM *p, *x, *y, *t;
} numbers;

/* A point of y^2 = x^3 + 1 whose order is not q: p = 2 mod 3, so x is the cube root (y^2 - 1)^((2p - 1) / 3).
 * A point that is found so is of order q with probability 1 / (12 r). */
static bool other_order(const numbers *n) {
    return BN_mod_sqr(n->t, n->y, n->p, n->ctx) && BN_sub_word(n->t, 1) && BN_lshift1(n->x, n->p) &&
           BN_sub_word(n->x, 1) && BN_div_word(n->x, 3) != (BN_ULONG)-1 &&
           BN_mod_exp(n->x, n->t, n->x, n->p, n->ctx);
}

static bool bend_numbers(const numbers *n, px_ciphertext_fault fault) {
    switch (fault) {
    case PX_FAULT_U_OFF_CURVE:
        return BN_add_word(n->x, 1) && BN_nnmod(n->x, n->x, n->p, n->ctx);
    case PX_FAULT_U_ORDER:
        return BN_add_word(n->y, 1) && other_order(n);
    case PX_FAULT_U_NEGATED:
        return BN_mod_sub(n->y, n->p, n->y, n->p, n->ctx);
    case PX_FAULT_U_LARGE:
        return BN_add(n->x, n->x, n->p);
    case PX_FAULT_U_ZERO:
        BN_zero(n->x);
        BN_zero(n->y);
        return true;
    default:
        return true;
    }
}

static ibk_err bend_u(const ibk_ibe_params *params, px_ciphertext_fault fault, ibk_ibe_ciphertext *ct,
                      px_octets *out) {
    ibk_buf p = {0}, der = {0};
    uint8_t x[IBK_IBE_FIELD_MAX + 1], y[IBK_IBE_FIELD_MAX + 1];
    ibk_err err = ibk_ibe_params_p(params, &p);
    numbers n = {.ctx = BN_CTX_new(), .t = BN_new()};
    n.p = BN_bin2bn(p.data, (int)p.len, NULL);
    n.x = BN_bin2bn(ct->ux.data, (int)ct->ux.len, NULL);
    n.y = BN_bin2bn(ct->uy.data, (int)ct->uy.len, NULL);
    if (!err && (!n.ctx || !n.t || !n.p || !n.x || !n.y || !bend_numbers(&n, fault)))
        err = IBK_ERR_NO_MEMORY;
    if (!err) {
        ct->ux = ibk_span_of(x, (size_t)BN_bn2bin(n.x, x));
        ct->uy = ibk_span_of(y, (size_t)BN_bn2bin(n.y, y));
        err = ibk_ibe_ciphertext_encode(ct, &der);
    }
    px_put_span(out, ibk_buf_span(&der));
    BN_free(n.p);
    BN_free(n.x);
    BN_free(n.y);
    BN_free(n.t);
    BN_CTX_free(n.ctx);
    ibk_buf_free(&p);
    ibk_buf_free(&der);
    return err ? err : out->err;
}

/* ---- V and W
 * --------------------------------------------------------------------------------------------------- */

static ibk_err bend_parts(px_ciphertext_fault fault, ibk_ibe_ciphertext *ct, px_octets *out) {
    px_octets copy = {0};
    ibk_buf der = {0};
    ibk_span *part = fault <= PX_FAULT_V_LONG ? &ct->v : &ct->w;
    px_put_span(&copy, *part);
    if (fault == PX_FAULT_V_LONG)
        px_put8(&copy, 0); /* and right as far as the hash goes */
    else if (copy.buf.len > 0)
        copy.buf.data[0] ^= 1;
    size_t len = fault == PX_FAULT_W_EMPTY ? 0 : px_span(&copy).len - (fault == PX_FAULT_V_SHORT);
    *part = ibk_span_of(copy.buf.data, len);
    ibk_err err = copy.err ? copy.err : ibk_ibe_ciphertext_encode(ct, &der);
    px_put_span(out, ibk_buf_span(&der));
    ibk_buf_free(&der);
    px_free(&copy);
    return err ? err : out->err;
}

ibk_err px_ciphertext(const ibk_ibe_params *params, px_ciphertext_fault fault, ibk_span der, px_octets *out) {
    ibk_ibe_ciphertext ct;
    ibk_err err = ibk_ibe_ciphertext_parse(&ct, der, NULL);
    if (err)
        return err;
    if (fault >= PX_FAULT_V)
        return bend_parts(fault, &ct, out);
    if (fault >= PX_FAULT_U_OFF_CURVE)
        return bend_u(params, fault, &ct, out);
    encode(fault, der, out);
    return out->err;
}
