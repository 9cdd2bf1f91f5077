/* CHASH, the hash of a certificate: RFC 3830 §6.8, RFC 6043 §6.7. */
#include "mikey/payload.h"

/* Octets of a hash; 0: unknown function. */
static size_t hash_len(uint8_t hash_alg) {
    switch (hash_alg) {
    case IBK_HASH_SHA1:
        return 20;
    case IBK_HASH_MD5:
        return 16;
    case IBK_HASH_SHA256:
        return 32;
    default:
        return 0;
    }
}

static ibk_err parse(ibk_rd *rd, ibk_payload *out, uint8_t *next) {
    if (!ibk_rd_u8(rd, next) || !ibk_rd_u8(rd, &out->chash.hash_alg))
        return IBK_ERR_TRUNCATED;
    size_t len = hash_len(out->chash.hash_alg);
    if (!len)
        return ibk_rd_refuse(rd, IBK_ERR_BAD_VALUE, rd->pos - 1, "unknown hash function");
    return ibk_rd_span(rd, len, &out->chash.hash) ? IBK_OK : IBK_ERR_TRUNCATED;
}

static void write(ibk_wr *wr, const ibk_payload *in, uint8_t next) {
    size_t len = hash_len(in->chash.hash_alg);
    if (!len || in->chash.hash.len != len)
        ibk_wr_fail(wr, IBK_ERR_USAGE);
    ibk_wr_u8(wr, next);
    ibk_wr_u8(wr, in->chash.hash_alg);
    ibk_wr_span(wr, in->chash.hash);
}

static void describe(ibk_desc *d) {
    ibk_desc_next(d);
    ibk_desc_u8(d, "hash func", ibk_hash_name);
    ibk_desc_rest(d, "hash", IBK_DESC_HEX);
}

const ibk_payload_ops ibk_ops_chash = {IBK_PL_CHASH, "CHASH", IBK_PLACE_OUTER, false, parse, write, describe};
