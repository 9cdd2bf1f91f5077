/* KEMAC, key data transport: RFC 3830 §6.2, RFC 6043 §6.2. */
#include "mikey/payload.h"

static ibk_err parse(ibk_rd *rd, ibk_payload *out, uint8_t *next) {
    ibk_kemac *p = &out->kemac;
    if (!ibk_rd_u8(rd, next) || !ibk_rd_u8(rd, &p->encr_alg) || !ibk_rd_span16(rd, &p->data) ||
        !ibk_rd_u8(rd, &p->mac_alg))
        return IBK_ERR_TRUNCATED;
    if (!ibk_mac_known(p->mac_alg))
        return ibk_rd_refuse(rd, IBK_ERR_BAD_VALUE, rd->pos - 1, "unknown MAC algorithm");
    if (!ibk_rd_span(rd, ibk_mac_len(p->mac_alg), &p->mac))
        return IBK_ERR_TRUNCATED;
    return IBK_OK;
}

static void write(ibk_wr *wr, const ibk_payload *in, uint8_t next) {
    const ibk_kemac *p = &in->kemac;
    size_t mac_len = ibk_mac_len(p->mac_alg);
    if (!ibk_mac_known(p->mac_alg) || (p->mac.len && p->mac.len != mac_len))
        ibk_wr_fail(wr, IBK_ERR_USAGE);
    ibk_wr_u8(wr, next);
    ibk_wr_u8(wr, p->encr_alg);
    ibk_wr_span16(wr, p->data);
    ibk_wr_u8(wr, p->mac_alg);
    if (p->mac.len)
        ibk_wr_span(wr, p->mac);
    else
        ibk_wr_zeros(wr, mac_len);
}

static void describe(ibk_desc *d) {
    ibk_desc_next(d);
    ibk_desc_u8(d, "encr alg", ibk_encr_alg_name);
    size_t len = (size_t)ibk_desc_num(d, "encr data length", 2);
    ibk_desc_octets(d, "encr data", len, IBK_DESC_HEX);
    ibk_desc_u8(d, "MAC alg", ibk_mac_alg_name);
    ibk_desc_rest(d, "MAC", IBK_DESC_HEX);
}

const ibk_payload_ops ibk_ops_kemac = {IBK_PL_KEMAC, "KEMAC", IBK_PLACE_OUTER, false, parse, write, describe};
