/* ERR: RFC 3830 §6.12, RFC 6043 §6.9. */
#include "mikey/payload.h"

static ibk_err parse(ibk_rd *rd, ibk_payload *out, uint8_t *next) {
    if (!ibk_rd_u8(rd, next) || !ibk_rd_u8(rd, &out->error.error_no) || !ibk_rd_u16(rd, &out->error.reserved))
        return IBK_ERR_TRUNCATED;
    return IBK_OK;
}

static void write(ibk_wr *wr, const ibk_payload *in, uint8_t next) {
    ibk_wr_u8(wr, next);
    ibk_wr_u8(wr, in->error.error_no);
    ibk_wr_u16(wr, in->error.reserved);
}

static void describe(ibk_desc *d) {
    ibk_desc_next(d);
    ibk_desc_u8(d, "error no", ibk_error_no_name);
    ibk_desc_num(d, "reserved", 2);
}

const ibk_payload_ops ibk_ops_err = {IBK_PL_ERR, "ERR", IBK_PLACE_OUTER, false, parse, write, describe};
