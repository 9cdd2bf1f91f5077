/* SP, a security policy: RFC 3830 §6.10. Its meaning for SRTP: srtp_policy.c. */
#include "mikey/payload.h"

static bool read_param(ibk_rd *rd, uint8_t *type, ibk_span *value) {
    return ibk_rd_u8(rd, type) && ibk_rd_span8(rd, value);
}

/* Whether the octets are parameters without a rest. */
static bool well_formed(ibk_span params) {
    ibk_rd rd;
    ibk_rd_init(&rd, params);
    uint8_t type;
    ibk_span value;
    while (!ibk_rd_at_end(&rd))
        if (!read_param(&rd, &type, &value))
            return false;
    return true;
}

bool ibk_sp_param(const ibk_sp *sp, size_t index, uint8_t *type, ibk_span *value) {
    ibk_rd rd;
    ibk_rd_init(&rd, sp->params);
    for (size_t i = 0; read_param(&rd, type, value); i++)
        if (i == index)
            return true;
    return false;
}

static ibk_err parse(ibk_rd *rd, ibk_payload *out, uint8_t *next) {
    ibk_sp *p = &out->sp;
    if (!ibk_rd_u8(rd, next) || !ibk_rd_u8(rd, &p->policy_no) || !ibk_rd_u8(rd, &p->prot_type))
        return IBK_ERR_TRUNCATED;
    size_t at = rd->pos;
    if (!ibk_rd_span16(rd, &p->params))
        return IBK_ERR_TRUNCATED;
    if (!well_formed(p->params))
        return ibk_rd_refuse(rd, IBK_ERR_BAD_LENGTH, at,
                             "the last policy parameter passes the payload's end");
    return IBK_OK;
}

static void write(ibk_wr *wr, const ibk_payload *in, uint8_t next) {
    if (!well_formed(in->sp.params))
        ibk_wr_fail(wr, IBK_ERR_USAGE);
    ibk_wr_u8(wr, next);
    ibk_wr_u8(wr, in->sp.policy_no);
    ibk_wr_u8(wr, in->sp.prot_type);
    ibk_wr_span16(wr, in->sp.params);
}

static void describe(ibk_desc *d) {
    ibk_desc_next(d);
    ibk_desc_u8(d, "policy no", NULL);
    uint8_t prot = ibk_desc_u8(d, "prot type", ibk_prot_type_name);
    ibk_desc_num(d, "policy param length", 2);
    d->depth++;
    while (ibk_desc_left(d) >= 2) {
        ibk_desc_u8(d, "type", prot == IBK_PROT_SRTP ? ibk_srtp_param_name : NULL);
        size_t len = (size_t)ibk_desc_num(d, "length", 1);
        if (len <= 8 && len > 0)
            ibk_desc_num(d, "value", len);
        else
            ibk_desc_octets(d, "value", len, IBK_DESC_HEX);
    }
    d->depth--;
}

const ibk_payload_ops ibk_ops_sp = {IBK_PL_SP, "SP", IBK_PLACE_OUTER, false, parse, write, describe};
