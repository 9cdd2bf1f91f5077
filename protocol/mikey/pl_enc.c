/* IBAKE and ESK, IBE-encrypted content: RFC 6267 §6.1.1, §6.1.2. */
#include "mikey/payload.h"

static ibk_err parse(ibk_rd *rd, ibk_payload *out, uint8_t *next) {
    return ibk_rd_u8(rd, next) && ibk_rd_span16(rd, &out->enc.data) ? IBK_OK : IBK_ERR_TRUNCATED;
}

static void write(ibk_wr *wr, const ibk_payload *in, uint8_t next) {
    ibk_wr_u8(wr, next);
    ibk_wr_span16(wr, in->enc.data);
}

static void describe(ibk_desc *d) {
    ibk_desc_next(d);
    ibk_desc_num(d, "encr data length", 2);
    ibk_desc_rest(d, "encr data", IBK_DESC_HEX);
}

const ibk_payload_ops ibk_ops_ibake = {IBK_PL_IBAKE, "IBAKE", IBK_PLACE_OUTER, false, parse, write, describe};
const ibk_payload_ops ibk_ops_esk = {IBK_PL_ESK, "ESK", IBK_PLACE_OUTER, false, parse, write, describe};
