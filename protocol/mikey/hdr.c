/* HDR, the common header: RFC 3830 §6.1. */
#include "mikey/map.h"
#include "mikey/payload.h"

enum { DATA_TYPE_MAX = 25, V_FLAG = 0x80 };

ibk_err ibk_hdr_read(ibk_hdr *hdr, uint8_t *next, ibk_rd *rd) {
    uint8_t version, v_prf;
    if (!ibk_rd_u8(rd, &version))
        return IBK_ERR_TRUNCATED;
    if (version != IBK_MIKEY_VERSION)
        return ibk_rd_refuse(rd, IBK_ERR_BAD_VERSION, 0, "version is not 1");
    if (!ibk_rd_u8(rd, &hdr->data_type))
        return IBK_ERR_TRUNCATED;
    if (hdr->data_type > DATA_TYPE_MAX)
        return ibk_rd_refuse(rd, IBK_ERR_BAD_TYPE, 1, "unknown data type");
    if (!ibk_rd_u8(rd, next) || !ibk_rd_u8(rd, &v_prf) || !ibk_rd_u32(rd, &hdr->csb_id) ||
        !ibk_rd_u8(rd, &hdr->n_cs) || !ibk_rd_u8(rd, &hdr->map_type))
        return IBK_ERR_TRUNCATED;
    hdr->v_flag = (v_prf & V_FLAG) != 0;
    hdr->prf = v_prf & 0x7F;
    return ibk_map_read(hdr, rd);
}

void ibk_hdr_write(ibk_wr *wr, const ibk_hdr *hdr, uint8_t next) {
    if (hdr->data_type > DATA_TYPE_MAX || hdr->prf > 0x7F || !ibk_map_fits(hdr))
        ibk_wr_fail(wr, IBK_ERR_USAGE);
    ibk_wr_u8(wr, IBK_MIKEY_VERSION);
    ibk_wr_u8(wr, hdr->data_type);
    ibk_wr_u8(wr, next);
    ibk_wr_u8(wr, (uint8_t)((hdr->v_flag ? V_FLAG : 0) | hdr->prf));
    ibk_wr_u32(wr, hdr->csb_id);
    ibk_wr_u8(wr, hdr->n_cs);
    ibk_wr_u8(wr, hdr->map_type);
    ibk_wr_span(wr, hdr->map);
}

static const char *flag_name(uint8_t v) {
    return v ? "response expected" : "no response expected";
}

void ibk_describe_hdr(const ibk_msg *msg, ibk_field_fn *fn, void *user) {
    if (msg->octets.len == 0)
        return;
    ibk_desc d = {.fn = fn, .user = user};
    ibk_rd_init(&d.rd, msg->octets);
    ibk_desc_u8(&d, "version", NULL);
    ibk_desc_u8(&d, "data type", ibk_msg_type_name);
    ibk_desc_next(&d);
    uint64_t v_prf = ibk_desc_peek(&d, 1);
    ibk_desc_bits(&d, "V", 1, v_prf >> 7, flag_name);
    ibk_desc_bits(&d, "PRF func", 1, v_prf & 0x7F, ibk_prf_name);
    ibk_desc_skip(&d, 1);
    ibk_desc_hex32(&d, "CSB ID");
    ibk_desc_u8(&d, "#CS", NULL);
    ibk_desc_u8(&d, "CS ID map type", ibk_map_type_name);
    ibk_map_describe(&d, &msg->hdr);
}
