/* CS ID maps: SRTP-ID (RFC 3830 §6.1.1), Empty (RFC 4563 §5), GENERIC-ID (RFC 6043 §6.1.1). */
#include "mikey/map.h"

#include "wire/writer.h"

enum { S_FLAG = 0x80, POLICIES_MAX = 0x7F };

static bool read_srtp(ibk_rd *rd, ibk_cs_srtp *cs) {
    return ibk_rd_u8(rd, &cs->policy_no) && ibk_rd_u32(rd, &cs->ssrc) && ibk_rd_u32(rd, &cs->roc);
}

static bool read_generic(ibk_rd *rd, ibk_cs_generic *cs) {
    uint8_t s_p;
    if (!ibk_rd_u8(rd, &cs->cs_id) || !ibk_rd_u8(rd, &cs->prot_type) || !ibk_rd_u8(rd, &s_p))
        return false;
    cs->s_flag = (s_p & S_FLAG) != 0;
    return ibk_rd_span(rd, s_p & POLICIES_MAX, &cs->policies) && ibk_rd_span16(rd, &cs->session) &&
           ibk_rd_span8(rd, &cs->spi);
}

ibk_err ibk_map_read(ibk_hdr *hdr, ibk_rd *rd) {
    size_t at = rd->pos;
    if (hdr->map_type > IBK_MAP_GENERIC_ID) // its layout is unknown
        return ibk_rd_refuse(rd, IBK_ERR_BAD_VALUE, at - 1, "unknown CS ID map type");
    ibk_cs_srtp srtp;
    ibk_cs_generic generic;
    for (unsigned i = 0; i < hdr->n_cs; i++) {
        if (hdr->map_type == IBK_MAP_SRTP_ID && !read_srtp(rd, &srtp))
            return IBK_ERR_TRUNCATED;
        if (hdr->map_type == IBK_MAP_GENERIC_ID && !read_generic(rd, &generic))
            return IBK_ERR_TRUNCATED;
    }
    hdr->map = ibk_rd_since(rd, at);
    return IBK_OK;
}

bool ibk_map_fits(const ibk_hdr *hdr) {
    if (hdr->map_type > IBK_MAP_GENERIC_ID)
        return false;
    ibk_hdr copy = *hdr;
    ibk_rd rd;
    ibk_rd_init(&rd, hdr->map);
    return ibk_map_read(&copy, &rd) == IBK_OK && ibk_rd_at_end(&rd);
}

bool ibk_map_srtp(const ibk_hdr *hdr, size_t index, ibk_cs_srtp *out) {
    if (hdr->map_type != IBK_MAP_SRTP_ID)
        return false;
    ibk_rd rd;
    ibk_rd_init(&rd, hdr->map);
    for (size_t i = 0; read_srtp(&rd, out); i++)
        if (i == index)
            return true;
    return false;
}

bool ibk_map_generic(const ibk_hdr *hdr, size_t index, ibk_cs_generic *out) {
    if (hdr->map_type != IBK_MAP_GENERIC_ID)
        return false;
    ibk_rd rd;
    ibk_rd_init(&rd, hdr->map);
    for (size_t i = 0; read_generic(&rd, out); i++)
        if (i == index)
            return true;
    return false;
}

ibk_err ibk_map_put_srtp(ibk_buf *map, const ibk_cs_srtp *cs) {
    ibk_wr wr;
    ibk_wr_init(&wr, map);
    ibk_wr_u8(&wr, cs->policy_no);
    ibk_wr_u32(&wr, cs->ssrc);
    ibk_wr_u32(&wr, cs->roc);
    return ibk_wr_finish(&wr);
}

ibk_err ibk_map_put_generic(ibk_buf *map, const ibk_cs_generic *cs) {
    ibk_wr wr;
    ibk_wr_init(&wr, map);
    if (cs->policies.len > POLICIES_MAX)
        ibk_wr_fail(&wr, IBK_ERR_USAGE);
    ibk_wr_u8(&wr, cs->cs_id);
    ibk_wr_u8(&wr, cs->prot_type);
    ibk_wr_u8(&wr, (uint8_t)((cs->s_flag ? S_FLAG : 0) | cs->policies.len));
    ibk_wr_span(&wr, cs->policies);
    ibk_wr_span16(&wr, cs->session);
    ibk_wr_span8(&wr, cs->spi);
    return ibk_wr_finish(&wr);
}

ibk_err ibk_srtp_session_parse(ibk_srtp_session *out, const ibk_cs_generic *cs) {
    *out = (ibk_srtp_session){.has_roc = cs->s_flag};
    if (cs->prot_type != IBK_PROT_SRTP)
        return IBK_ERR_UNSUPPORTED;
    ibk_rd rd;
    ibk_rd_init(&rd, cs->session);
    if (!ibk_rd_u32(&rd, &out->ssrc))
        return IBK_ERR_BAD_LENGTH;
    if (cs->s_flag && (!ibk_rd_u32(&rd, &out->roc) || !ibk_rd_u16(&rd, &out->seq)))
        return IBK_ERR_BAD_LENGTH;
    return ibk_rd_at_end(&rd) ? IBK_OK : IBK_ERR_BAD_LENGTH;
}

ibk_err ibk_srtp_session_write(ibk_buf *out, const ibk_srtp_session *session) {
    ibk_wr wr;
    ibk_wr_init(&wr, out);
    ibk_wr_u32(&wr, session->ssrc);
    if (session->has_roc) {
        ibk_wr_u32(&wr, session->roc);
        ibk_wr_u16(&wr, session->seq);
    }
    return ibk_wr_finish(&wr);
}

static void describe_srtp(ibk_desc *d) {
    ibk_desc_u8(d, "policy no", NULL);
    ibk_desc_hex32(d, "SSRC");
    ibk_desc_num(d, "ROC", 4);
}

static void describe_generic(ibk_desc *d) {
    ibk_desc_u8(d, "CS ID", NULL);
    uint8_t prot = ibk_desc_u8(d, "prot type", ibk_prot_type_name);
    uint64_t s_p = ibk_desc_peek(d, 1);
    ibk_desc_bits(d, "S", 1, s_p >> 7, NULL);
    ibk_desc_bits(d, "#P", 1, s_p & POLICIES_MAX, NULL);
    ibk_desc_skip(d, 1);
    for (unsigned i = 0; i < (s_p & POLICIES_MAX); i++)
        ibk_desc_u8(d, "policy no", NULL);
    size_t len = (size_t)ibk_desc_num(d, "session data length", 2);
    bool is_srtp = prot == IBK_PROT_SRTP && len == (s_p & S_FLAG ? 10u : 4u);
    if (!is_srtp) {
        ibk_desc_octets(d, "session data", len, IBK_DESC_HEX);
    } else {
        ibk_desc_hex32(d, "SSRC");
        if (s_p & S_FLAG) {
            ibk_desc_num(d, "ROC", 4);
            ibk_desc_num(d, "SEQ", 2);
        }
    }
    size_t spi = (size_t)ibk_desc_num(d, "SPI length", 1);
    ibk_desc_octets(d, "SPI", spi, IBK_DESC_HEX);
}

void ibk_map_describe(ibk_desc *d, const ibk_hdr *hdr) {
    d->depth++;
    for (unsigned i = 0; i < hdr->n_cs; i++) {
        if (hdr->map_type == IBK_MAP_SRTP_ID)
            describe_srtp(d);
        else if (hdr->map_type == IBK_MAP_GENERIC_ID)
            describe_generic(d);
    }
    d->depth--;
}
