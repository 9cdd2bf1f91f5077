/* Key validity data: RFC 3830 §6.14. */
#include "mikey/payload.h"

bool ibk_kv_known(uint8_t kv_type) {
    return kv_type <= IBK_KV_INTERVAL;
}

bool ibk_kv_read(ibk_rd *rd, ibk_kv *kv) {
    if (kv->type == IBK_KV_SPI)
        return ibk_rd_span8(rd, &kv->spi);
    if (kv->type == IBK_KV_INTERVAL)
        return ibk_rd_span8(rd, &kv->from) && ibk_rd_span8(rd, &kv->to);
    return true;
}

void ibk_kv_write(ibk_wr *wr, const ibk_kv *kv) {
    if (!ibk_kv_known(kv->type))
        ibk_wr_fail(wr, IBK_ERR_USAGE);
    if (kv->type == IBK_KV_SPI) {
        ibk_wr_span8(wr, kv->spi);
    } else if (kv->type == IBK_KV_INTERVAL) {
        ibk_wr_span8(wr, kv->from);
        ibk_wr_span8(wr, kv->to);
    }
}

static void describe_part(ibk_desc *d, const char *len_name, const char *name) {
    size_t len = (size_t)ibk_desc_num(d, len_name, 1);
    ibk_desc_octets(d, name, len, IBK_DESC_HEX);
}

void ibk_kv_describe(ibk_desc *d, uint8_t kv_type) {
    if (kv_type == IBK_KV_SPI) {
        describe_part(d, "SPI length", "SPI");
    } else if (kv_type == IBK_KV_INTERVAL) {
        describe_part(d, "VF length", "valid from");
        describe_part(d, "VT length", "valid to");
    }
}

ibk_err ibk_reserved_kv_read(ibk_rd *rd, uint8_t *reserved, ibk_kv *kv) {
    uint8_t octet;
    if (!ibk_rd_u8(rd, &octet))
        return IBK_ERR_TRUNCATED;
    *reserved = octet >> 4;
    kv->type = octet & 0x0F;
    if (!ibk_kv_known(kv->type))
        return ibk_rd_refuse(rd, IBK_ERR_BAD_VALUE, rd->pos - 1, "unknown KV type");
    return ibk_kv_read(rd, kv) ? IBK_OK : IBK_ERR_TRUNCATED;
}

void ibk_reserved_kv_describe(ibk_desc *d) {
    uint64_t octet = ibk_desc_peek(d, 1);
    ibk_desc_bits(d, "reserved", 1, octet >> 4, NULL);
    ibk_desc_bits(d, "KV", 1, octet & 0x0F, ibk_kv_type_name);
    ibk_desc_skip(d, 1);
    ibk_kv_describe(d, octet & 0x0F);
}

void ibk_wr_nibbles(ibk_wr *wr, uint8_t high, uint8_t low) {
    if (high > 15 || low > 15)
        ibk_wr_fail(wr, IBK_ERR_USAGE);
    ibk_wr_u8(wr, (uint8_t)(high << 4 | low));
}
