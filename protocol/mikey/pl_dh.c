/* DH data: RFC 3830 §6.4. */
#include "mikey/payload.h"

/* Octets of a DH value; 0: unknown group. */
static size_t value_len(uint8_t group) {
    switch (group) {
    case IBK_DH_OAKLEY_5:
        return 192;
    case IBK_DH_OAKLEY_1:
        return 96;
    case IBK_DH_OAKLEY_2:
        return 128;
    default:
        return 0;
    }
}

static ibk_err parse(ibk_rd *rd, ibk_payload *out, uint8_t *next) {
    ibk_dh *p = &out->dh;
    uint8_t res_kv;
    if (!ibk_rd_u8(rd, next) || !ibk_rd_u8(rd, &p->group))
        return IBK_ERR_TRUNCATED;
    if (!value_len(p->group))
        return ibk_rd_refuse(rd, IBK_ERR_BAD_VALUE, rd->pos - 1, "unknown DH group");
    if (!ibk_rd_span(rd, value_len(p->group), &p->value) || !ibk_rd_u8(rd, &res_kv))
        return IBK_ERR_TRUNCATED;
    p->reserved = res_kv >> 4;
    p->kv.type = res_kv & 0x0F;
    if (!ibk_kv_known(p->kv.type))
        return ibk_rd_refuse(rd, IBK_ERR_BAD_VALUE, rd->pos - 1, "unknown KV type");
    return ibk_kv_read(rd, &p->kv) ? IBK_OK : IBK_ERR_TRUNCATED;
}

static void write(ibk_wr *wr, const ibk_payload *in, uint8_t next) {
    const ibk_dh *p = &in->dh;
    if (!value_len(p->group) || p->value.len != value_len(p->group))
        ibk_wr_fail(wr, IBK_ERR_USAGE);
    ibk_wr_u8(wr, next);
    ibk_wr_u8(wr, p->group);
    ibk_wr_span(wr, p->value);
    ibk_wr_nibbles(wr, p->reserved, p->kv.type);
    ibk_kv_write(wr, &p->kv);
}

static void describe(ibk_desc *d) {
    ibk_desc_next(d);
    uint8_t group = ibk_desc_u8(d, "DH group", ibk_dh_group_name);
    ibk_desc_octets(d, "DH value", value_len(group), IBK_DESC_HEX);
    uint64_t res_kv = ibk_desc_peek(d, 1);
    ibk_desc_bits(d, "reserved", 1, res_kv >> 4, NULL);
    ibk_desc_bits(d, "KV", 1, res_kv & 0x0F, ibk_kv_type_name);
    ibk_desc_skip(d, 1);
    ibk_kv_describe(d, res_kv & 0x0F);
}

const ibk_payload_ops ibk_ops_dh = {IBK_PL_DH, "DH", IBK_PLACE_OUTER, false, parse, write, describe};
