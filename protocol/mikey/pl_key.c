/* Key data and SK, only inside KEMAC and ESK: RFC 3830 §6.13, RFC 6043 §6.2.1, RFC 6267 §6.1.3 and §6.1.5. */
#include "mikey/payload.h"

static bool has_salt(const ibk_payload *p) {
    uint8_t t = p->key.key_type;
    return p->type == IBK_PL_KEY_DATA &&
           (t == IBK_KEY_TGK_SALT || t == IBK_KEY_TEK_SALT || t == IBK_KEY_GTGK_SALT);
}

static bool known(uint8_t payload_type, uint8_t key_type) {
    return payload_type == IBK_PL_SK ? key_type == IBK_SK_SK : key_type <= IBK_KEY_K_PR;
}

static ibk_err parse(ibk_rd *rd, ibk_payload *out, uint8_t *next) {
    ibk_key_data *p = &out->key;
    uint8_t type_kv;
    if (!ibk_rd_u8(rd, next) || !ibk_rd_u8(rd, &type_kv))
        return IBK_ERR_TRUNCATED;
    p->key_type = type_kv >> 4;
    p->kv.type = type_kv & 0x0F;
    if (!known(out->type, p->key_type)) // whether a salt follows is unknown
        return ibk_rd_refuse(rd, IBK_ERR_BAD_VALUE, rd->pos - 1, "unknown key type");
    if (!ibk_kv_known(p->kv.type))
        return ibk_rd_refuse(rd, IBK_ERR_BAD_VALUE, rd->pos - 1, "unknown KV type");
    if (!ibk_rd_span16(rd, &p->key) || (has_salt(out) && !ibk_rd_span16(rd, &p->salt)) ||
        !ibk_kv_read(rd, &p->kv))
        return IBK_ERR_TRUNCATED;
    return IBK_OK;
}

static void write(ibk_wr *wr, const ibk_payload *in, uint8_t next) {
    const ibk_key_data *p = &in->key;
    if (!known(in->type, p->key_type) || (p->salt.len && !has_salt(in)))
        ibk_wr_fail(wr, IBK_ERR_USAGE);
    ibk_wr_u8(wr, next);
    ibk_wr_nibbles(wr, p->key_type, p->kv.type);
    ibk_wr_span16(wr, p->key);
    if (has_salt(in))
        ibk_wr_span16(wr, p->salt);
    ibk_kv_write(wr, &p->kv);
}

static const char *sk_type_name(uint8_t type) {
    return type == IBK_SK_SK ? "SK" : "unknown";
}

static void describe_kind(ibk_desc *d, uint8_t payload_type) {
    ibk_desc_next(d);
    uint64_t type_kv = ibk_desc_peek(d, 1);
    ibk_payload p = {.type = payload_type, .key.key_type = (uint8_t)(type_kv >> 4)};
    ibk_desc_bits(d, "type", 1, type_kv >> 4, payload_type == IBK_PL_SK ? sk_type_name : ibk_key_type_name);
    ibk_desc_bits(d, "KV", 1, type_kv & 0x0F, ibk_kv_type_name);
    ibk_desc_skip(d, 1);
    size_t len = (size_t)ibk_desc_num(d, "key data length", 2);
    ibk_desc_octets(d, "key data", len, IBK_DESC_SECRET);
    if (has_salt(&p)) {
        len = (size_t)ibk_desc_num(d, "salt length", 2);
        ibk_desc_octets(d, "salt data", len, IBK_DESC_SECRET);
    }
    ibk_kv_describe(d, type_kv & 0x0F);
}

static void describe_key(ibk_desc *d) {
    describe_kind(d, IBK_PL_KEY_DATA);
}

static void describe_sk(ibk_desc *d) {
    describe_kind(d, IBK_PL_SK);
}

const ibk_payload_ops ibk_ops_key_data = {IBK_PL_KEY_DATA, "Key data", IBK_PLACE_IN_KEMAC, false,
                                          parse,           write,      describe_key};
const ibk_payload_ops ibk_ops_sk = {IBK_PL_SK, "SK", IBK_PLACE_IN_ESK, false, parse, write, describe_sk};
