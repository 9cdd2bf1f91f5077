/* V, the verification MAC: RFC 3830 §6.9. What it covers: verify.c. */
#include "mikey/payload.h"

static ibk_err parse(ibk_rd *rd, ibk_payload *out, uint8_t *next) {
    if (!ibk_rd_u8(rd, next) || !ibk_rd_u8(rd, &out->v.mac_alg))
        return IBK_ERR_TRUNCATED;
    if (!ibk_mac_known(out->v.mac_alg))
        return ibk_rd_refuse(rd, IBK_ERR_BAD_VALUE, rd->pos - 1, "unknown MAC algorithm");
    return ibk_rd_span(rd, ibk_mac_len(out->v.mac_alg), &out->v.mac) ? IBK_OK : IBK_ERR_TRUNCATED;
}

static void write(ibk_wr *wr, const ibk_payload *in, uint8_t next) {
    size_t len = ibk_mac_len(in->v.mac_alg);
    if (!ibk_mac_known(in->v.mac_alg) || (in->v.mac.len && in->v.mac.len != len))
        ibk_wr_fail(wr, IBK_ERR_USAGE);
    ibk_wr_u8(wr, next);
    ibk_wr_u8(wr, in->v.mac_alg);
    if (in->v.mac.len)
        ibk_wr_span(wr, in->v.mac);
    else
        ibk_wr_zeros(wr, len);
}

static void describe(ibk_desc *d) {
    ibk_desc_next(d);
    ibk_desc_u8(d, "auth alg", ibk_mac_alg_name);
    ibk_desc_rest(d, "ver data", IBK_DESC_HEX);
}

const ibk_payload_ops ibk_ops_v = {IBK_PL_V, "V", IBK_PLACE_OUTER, true, parse, write, describe};
