/* T and TR, timestamps: RFC 3830 §6.6, RFC 6043 §6.3 and §6.4. */
#include "mikey/payload.h"
#include "mikey/time_text.h"

/* Octets of the value; 0: unknown type. */
static size_t value_len(uint8_t ts_type) {
    switch (ts_type) {
    case IBK_TS_NTP_UTC:
    case IBK_TS_NTP:
        return 8;
    case IBK_TS_COUNTER:
    case IBK_TS_NTP_UTC_32:
        return 4;
    default:
        return 0;
    }
}

ibk_err ibk_t_read(ibk_rd *rd, ibk_t *t) {
    if (!ibk_rd_u8(rd, &t->ts_type))
        return IBK_ERR_TRUNCATED;
    size_t len = value_len(t->ts_type);
    if (len == 8)
        return ibk_rd_u64(rd, &t->value) ? IBK_OK : IBK_ERR_TRUNCATED;
    if (len != 4)
        return ibk_rd_refuse(rd, IBK_ERR_BAD_VALUE, rd->pos - 1, "unknown timestamp type");
    uint32_t value;
    if (!ibk_rd_u32(rd, &value))
        return IBK_ERR_TRUNCATED;
    t->value = value;
    return IBK_OK;
}

void ibk_t_write(ibk_wr *wr, const ibk_t *t) {
    size_t len = value_len(t->ts_type);
    if (!len || (len == 4 && t->value > UINT32_MAX))
        ibk_wr_fail(wr, IBK_ERR_USAGE);
    ibk_wr_u8(wr, t->ts_type);
    if (len == 4)
        ibk_wr_u32(wr, (uint32_t)t->value);
    else
        ibk_wr_u64(wr, t->value);
}

static void describe_value(ibk_desc *d) {
    uint8_t ts_type = ibk_desc_u8(d, "TS type", ibk_ts_type_name);
    size_t len = value_len(ts_type);
    ibk_t t = {.ts_type = ts_type, .value = ibk_desc_peek(d, len)};
    char text[IBK_TIME_TEXT_MAX];
    ibk_time_text(text, &t);
    ibk_desc_say(d, "TS value", len, t.value, text);
}

static ibk_err parse_t(ibk_rd *rd, ibk_payload *out, uint8_t *next) {
    return ibk_rd_u8(rd, next) ? ibk_t_read(rd, &out->t) : IBK_ERR_TRUNCATED;
}

static void write_t(ibk_wr *wr, const ibk_payload *in, uint8_t next) {
    ibk_wr_u8(wr, next);
    ibk_t_write(wr, &in->t);
}

static void describe_t(ibk_desc *d) {
    ibk_desc_next(d);
    describe_value(d);
}

static ibk_err parse_tr(ibk_rd *rd, ibk_payload *out, uint8_t *next) {
    if (!ibk_rd_u8(rd, next) || !ibk_rd_u8(rd, &out->tr.role))
        return IBK_ERR_TRUNCATED;
    return ibk_t_read(rd, &out->tr.t);
}

static void write_tr(ibk_wr *wr, const ibk_payload *in, uint8_t next) {
    ibk_wr_u8(wr, next);
    ibk_wr_u8(wr, in->tr.role);
    ibk_t_write(wr, &in->tr.t);
}

static void describe_tr(ibk_desc *d) {
    ibk_desc_next(d);
    ibk_desc_u8(d, "TS role", ibk_ts_role_name);
    describe_value(d);
}

const ibk_payload_ops ibk_ops_t = {IBK_PL_T, "T", IBK_PLACE_OUTER, false, parse_t, write_t, describe_t};
const ibk_payload_ops ibk_ops_tr = {IBK_PL_TR, "TR", IBK_PLACE_OUTER, false, parse_tr, write_tr, describe_tr};
