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
    if (!ibk_rd_u8(rd, next) || !ibk_rd_u8(rd, &p->group))
        return IBK_ERR_TRUNCATED;
    if (!value_len(p->group))
        return ibk_rd_refuse(rd, IBK_ERR_BAD_VALUE, rd->pos - 1, "unknown DH group");
    if (!ibk_rd_span(rd, value_len(p->group), &p->value))
        return IBK_ERR_TRUNCATED;
    return ibk_reserved_kv_read(rd, &p->reserved, &p->kv);
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
    ibk_reserved_kv_describe(d);
}

const ibk_payload_ops ibk_ops_dh = {IBK_PL_DH, "DH", IBK_PLACE_OUTER, false, parse, write, describe};
