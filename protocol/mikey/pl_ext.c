/* General Extension: RFC 3830 §6.15; SDP IDs RFC 4567 §7, Key ID RFC 4563 §4. */
#include "mikey/payload.h"

static ibk_err parse(ibk_rd *rd, ibk_payload *out, uint8_t *next) {
    if (!ibk_rd_u8(rd, next) || !ibk_rd_u8(rd, &out->ext.ext_type) || !ibk_rd_span16(rd, &out->ext.data))
        return IBK_ERR_TRUNCATED;
    return IBK_OK;
}

static void write(ibk_wr *wr, const ibk_payload *in, uint8_t next) {
    ibk_wr_u8(wr, next);
    ibk_wr_u8(wr, in->ext.ext_type);
    ibk_wr_span16(wr, in->ext.data);
}

static void describe(ibk_desc *d) {
    ibk_desc_next(d);
    uint8_t type = ibk_desc_u8(d, "type", ibk_ext_type_name);
    ibk_desc_num(d, "length", 2);
    ibk_desc_rest(d, "data", type == IBK_EXT_SDP_IDS ? IBK_DESC_TEXT : IBK_DESC_AUTO);
}

const ibk_payload_ops ibk_ops_ext = {IBK_PL_EXT, "General Extension", IBK_PLACE_OUTER, false, parse, write,
                                     describe};
