/* ID and IDR, identities: RFC 3830 §6.7, RFC 6043 §6.5 and §6.6. */
#include "mikey/payload.h"

static ibk_err parse_id(ibk_rd *rd, ibk_payload *out, uint8_t *next) {
    if (!ibk_rd_u8(rd, next) || !ibk_rd_u8(rd, &out->id.id_type) || !ibk_rd_span16(rd, &out->id.data))
        return IBK_ERR_TRUNCATED;
    return IBK_OK;
}

static void write_id(ibk_wr *wr, const ibk_payload *in, uint8_t next) {
    ibk_wr_u8(wr, next);
    ibk_wr_u8(wr, in->id.id_type);
    ibk_wr_span16(wr, in->id.data);
}

static void describe_data(ibk_desc *d) {
    uint8_t id_type = ibk_desc_u8(d, "ID type", ibk_id_type_name);
    ibk_desc_num(d, "ID length", 2);
    ibk_desc_rest(d, "ID data", id_type == IBK_ID_BYTES ? IBK_DESC_AUTO : IBK_DESC_TEXT);
}

static void describe_id(ibk_desc *d) {
    ibk_desc_next(d);
    describe_data(d);
}

static ibk_err parse_idr(ibk_rd *rd, ibk_payload *out, uint8_t *next) {
    if (!ibk_rd_u8(rd, next) || !ibk_rd_u8(rd, &out->id.role) || !ibk_rd_u8(rd, &out->id.id_type) ||
        !ibk_rd_span16(rd, &out->id.data))
        return IBK_ERR_TRUNCATED;
    return IBK_OK;
}

static void write_idr(ibk_wr *wr, const ibk_payload *in, uint8_t next) {
    ibk_wr_u8(wr, next);
    ibk_wr_u8(wr, in->id.role);
    ibk_wr_u8(wr, in->id.id_type);
    ibk_wr_span16(wr, in->id.data);
}

static void describe_idr(ibk_desc *d) {
    ibk_desc_next(d);
    ibk_desc_u8(d, "ID role", ibk_role_name);
    describe_data(d);
}

const ibk_payload_ops ibk_ops_id = {
    IBK_PL_ID, "ID", IBK_PLACE_OUTER | IBK_PLACE_IN_KEMAC, false, parse_id, write_id, describe_id};
const ibk_payload_ops ibk_ops_idr = {
    IBK_PL_IDR,  "IDR",     IBK_PLACE_OUTER | IBK_PLACE_IN_IBAKE | IBK_PLACE_IN_ESK | IBK_PLACE_IN_KEMAC,
    false,       parse_idr, write_idr,
    describe_idr};
