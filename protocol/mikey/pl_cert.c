/* CERT, a certificate: RFC 3830 §6.7. Each certificate of a chain is its own payload. */
#include "mikey/payload.h"

static ibk_err parse(ibk_rd *rd, ibk_payload *out, uint8_t *next) {
    if (!ibk_rd_u8(rd, next) || !ibk_rd_u8(rd, &out->cert.cert_type) || !ibk_rd_span16(rd, &out->cert.data))
        return IBK_ERR_TRUNCATED;
    return IBK_OK;
}

static void write(ibk_wr *wr, const ibk_payload *in, uint8_t next) {
    ibk_wr_u8(wr, next);
    ibk_wr_u8(wr, in->cert.cert_type);
    ibk_wr_span16(wr, in->cert.data);
}

static void describe(ibk_desc *d) {
    ibk_desc_next(d);
    uint8_t type = ibk_desc_u8(d, "cert type", ibk_cert_type_name);
    ibk_desc_num(d, "cert length", 2);
    ibk_desc_rest(d, "cert data", type == IBK_CERT_X509_URL ? IBK_DESC_TEXT : IBK_DESC_HEX);
}

const ibk_payload_ops ibk_ops_cert = {IBK_PL_CERT, "CERT", IBK_PLACE_OUTER, false, parse, write, describe};
