/* SIGN: RFC 3830 §6.5. The only payload without a next-payload field: it is the last. */
#include "mikey/payload.h"

enum { LEN_MAX = 0x0FFF };

static ibk_err parse(ibk_rd *rd, ibk_payload *out, uint8_t *next) {
    uint16_t type_len;
    if (!ibk_rd_u16(rd, &type_len))
        return IBK_ERR_TRUNCATED;
    out->sign.sig_type = (uint8_t)(type_len >> 12);
    *next = IBK_PL_LAST;
    return ibk_rd_span(rd, type_len & LEN_MAX, &out->sign.signature) ? IBK_OK : IBK_ERR_TRUNCATED;
}

static void write(ibk_wr *wr, const ibk_payload *in, uint8_t next) {
    (void)next;
    const ibk_sign *p = &in->sign;
    if (p->sig_type > 15 || p->signature.len > LEN_MAX)
        ibk_wr_fail(wr, IBK_ERR_USAGE);
    ibk_wr_u16(wr, (uint16_t)(p->sig_type << 12 | p->signature.len));
    ibk_wr_span(wr, p->signature);
}

static void describe(ibk_desc *d) {
    uint64_t type_len = ibk_desc_peek(d, 2);
    ibk_desc_bits(d, "S type", 2, type_len >> 12, ibk_sig_type_name);
    ibk_desc_bits(d, "signature length", 2, type_len & LEN_MAX, NULL);
    ibk_desc_skip(d, 2);
    ibk_desc_rest(d, "signature", IBK_DESC_HEX);
}

const ibk_payload_ops ibk_ops_sign = {IBK_PL_SIGN, "SIGN", IBK_PLACE_OUTER, true, parse, write, describe};
