/* ECCPT, an EC Diffie-Hellman value, only inside IBAKE: RFC 6267 §6.1.4. The length of the point follows from
 * the curve and the SEC 1 tag; zeros pad it so that next payload, curve and point together are a multiple of
 * four octets (P-3). Whether the point is on the curve is for ibk_ec_decode. */
#include "mikey/payload.h"

enum { BEFORE_POINT = 2 };

/* Octets of a point with this SEC 1 tag; 0: no such point. */
static size_t point_len(uint8_t curve, uint8_t tag) {
    size_t field = ibk_ec_field_len(curve);
    if (!field)
        return 0;
    if (tag == 0x04)
        return 1 + 2 * field;
    return tag == 0x02 || tag == 0x03 ? 1 + field : 0;
}

static size_t padding_len(size_t point) {
    return (4 - (BEFORE_POINT + point) % 4) % 4;
}

static ibk_err read_point(ibk_rd *rd, ibk_eccpt *p) {
    size_t at = rd->pos;
    uint8_t tag;
    if (!ibk_rd_peek_u8(rd, &tag))
        return IBK_ERR_TRUNCATED;
    if (tag == 0x00) // P-3
        return ibk_rd_refuse(rd, IBK_ERR_INFINITY, at, "the point at infinity");
    size_t len = point_len(p->curve, tag);
    if (!len)
        return ibk_rd_refuse(rd, IBK_ERR_BAD_VALUE, at, "the point has no SEC 1 tag 02, 03 or 04");
    ibk_span padding;
    if (!ibk_rd_span(rd, len, &p->point) || !ibk_rd_span(rd, padding_len(len), &padding))
        return IBK_ERR_TRUNCATED;
    for (size_t i = 0; i < padding.len; i++)
        if (padding.data[i] != 0)
            return ibk_rd_refuse(rd, IBK_ERR_BAD_PADDING, at + len + i, "the point's padding is not zero");
    return IBK_OK;
}

static ibk_err parse(ibk_rd *rd, ibk_payload *out, uint8_t *next) {
    ibk_eccpt *p = &out->eccpt;
    if (!ibk_rd_u8(rd, next) || !ibk_rd_u8(rd, &p->curve))
        return IBK_ERR_TRUNCATED;
    if (!ibk_ec_known(p->curve))
        return ibk_rd_refuse(rd, IBK_ERR_BAD_VALUE, rd->pos - 1, "unknown or binary curve");
    ibk_err err = read_point(rd, p);
    if (err)
        return err;
    if (!ibk_rd_u8(rd, &p->auth_alg) || !ibk_rd_u16(rd, &p->tgk_len))
        return IBK_ERR_TRUNCATED;
    return ibk_reserved_kv_read(rd, &p->reserved, &p->kv);
}

static void write(ibk_wr *wr, const ibk_payload *in, uint8_t next) {
    const ibk_eccpt *p = &in->eccpt;
    if (p->point.len == 0 || p->point.len != point_len(p->curve, p->point.data[0]))
        ibk_wr_fail(wr, IBK_ERR_USAGE);
    ibk_wr_u8(wr, next);
    ibk_wr_u8(wr, p->curve);
    ibk_wr_span(wr, p->point);
    ibk_wr_zeros(wr, padding_len(p->point.len));
    ibk_wr_u8(wr, p->auth_alg);
    ibk_wr_u16(wr, p->tgk_len);
    ibk_wr_nibbles(wr, p->reserved, p->kv.type);
    ibk_kv_write(wr, &p->kv);
}

static void describe(ibk_desc *d) {
    ibk_desc_next(d);
    uint8_t curve = ibk_desc_u8(d, "ECC curve", ibk_ec_curve_name);
    size_t len = point_len(curve, (uint8_t)ibk_desc_peek(d, 1));
    ibk_desc_octets(d, "ECC point", len, IBK_DESC_HEX);
    ibk_desc_octets(d, "padding", padding_len(len), IBK_DESC_HEX);
    ibk_desc_u8(d, "auth alg", NULL);
    ibk_desc_num(d, "TGK length", 2);
    ibk_reserved_kv_describe(d);
}

const ibk_payload_ops ibk_ops_eccpt = {IBK_PL_ECCPT, "ECCPT", IBK_PLACE_IN_IBAKE, false, parse,
                                       write,        describe};
