/* PKE, the envelope key: RFC 3830 §6.3. */
#include "mikey/payload.h"

enum { LEN_MAX = 0x3FFF };

static ibk_err parse(ibk_rd *rd, ibk_payload *out, uint8_t *next) {
    uint16_t c_len;
    if (!ibk_rd_u8(rd, next) || !ibk_rd_u16(rd, &c_len))
        return IBK_ERR_TRUNCATED;
    out->pke.cache = (uint8_t)(c_len >> 14);
    return ibk_rd_span(rd, c_len & LEN_MAX, &out->pke.data) ? IBK_OK : IBK_ERR_TRUNCATED;
}

static void write(ibk_wr *wr, const ibk_payload *in, uint8_t next) {
    if (in->pke.cache > 3 || in->pke.data.len > LEN_MAX)
        ibk_wr_fail(wr, IBK_ERR_USAGE);
    ibk_wr_u8(wr, next);
    ibk_wr_u16(wr, (uint16_t)(in->pke.cache << 14 | in->pke.data.len));
    ibk_wr_span(wr, in->pke.data);
}

static void describe(ibk_desc *d) {
    ibk_desc_next(d);
    uint64_t c_len = ibk_desc_peek(d, 2);
    ibk_desc_bits(d, "C", 2, c_len >> 14, ibk_pke_cache_name);
    ibk_desc_bits(d, "data length", 2, c_len & LEN_MAX, NULL);
    ibk_desc_skip(d, 2);
    ibk_desc_rest(d, "data", IBK_DESC_HEX);
}

const ibk_payload_ops ibk_ops_pke = {IBK_PL_PKE, "PKE", IBK_PLACE_OUTER, false, parse, write, describe};
