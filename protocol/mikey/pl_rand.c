/* RAND and RANDR: RFC 3830 §6.11, RFC 6043 §6.8. */
#include "mikey/payload.h"

static ibk_err read_data(ibk_rd *rd, ibk_rand *p) {
    size_t at = rd->pos;
    if (!ibk_rd_span8(rd, &p->data))
        return IBK_ERR_TRUNCATED;
    if (p->data.len == 0)
        return ibk_rd_refuse(rd, IBK_ERR_BAD_LENGTH, at, "empty RAND");
    return IBK_OK;
}

static void write_data(ibk_wr *wr, const ibk_rand *p) {
    if (p->data.len == 0)
        ibk_wr_fail(wr, IBK_ERR_USAGE);
    ibk_wr_span8(wr, p->data);
}

static ibk_err parse_rand(ibk_rd *rd, ibk_payload *out, uint8_t *next) {
    return ibk_rd_u8(rd, next) ? read_data(rd, &out->rand) : IBK_ERR_TRUNCATED;
}

static void write_rand(ibk_wr *wr, const ibk_payload *in, uint8_t next) {
    ibk_wr_u8(wr, next);
    write_data(wr, &in->rand);
}

static ibk_err parse_randr(ibk_rd *rd, ibk_payload *out, uint8_t *next) {
    if (!ibk_rd_u8(rd, next) || !ibk_rd_u8(rd, &out->rand.role))
        return IBK_ERR_TRUNCATED;
    return read_data(rd, &out->rand);
}

static void write_randr(ibk_wr *wr, const ibk_payload *in, uint8_t next) {
    ibk_wr_u8(wr, next);
    ibk_wr_u8(wr, in->rand.role);
    write_data(wr, &in->rand);
}

static void describe_data(ibk_desc *d) {
    ibk_desc_num(d, "RAND length", 1);
    ibk_desc_rest(d, "RAND", IBK_DESC_HEX);
}

static void describe_rand(ibk_desc *d) {
    ibk_desc_next(d);
    describe_data(d);
}

static void describe_randr(ibk_desc *d) {
    ibk_desc_next(d);
    ibk_desc_u8(d, "RAND role", ibk_role_name);
    describe_data(d);
}

const ibk_payload_ops ibk_ops_rand = {IBK_PL_RAND, "RAND",     IBK_PLACE_OUTER, false,
                                      parse_rand,  write_rand, describe_rand};
const ibk_payload_ops ibk_ops_randr = {IBK_PL_RANDR, "RANDR",     IBK_PLACE_OUTER, false,
                                       parse_randr,  write_randr, describe_randr};
