#include "mikey/payload.h"

ibk_err ibk_msg_parse(ibk_msg *out, ibk_span in, ibk_diag *diag) {
    *out = (ibk_msg){0};
    if (in.len > IBK_MIKEY_MAX_LEN)
        return ibk_fail(diag, IBK_ERR_LIMIT, "HDR", 0, "a message of %zu octets", in.len);
    ibk_rd rd;
    ibk_rd_init(&rd, in);
    uint8_t first;
    ibk_err err = ibk_hdr_read(&out->hdr, &first, &rd);
    if (err)
        ibk_rd_fail(&rd, err, "HDR", 0, diag);
    else
        err = ibk_chain_read(&out->chain, &rd, first, IBK_PLACE_OUTER, diag);
    if (!err && !ibk_rd_at_end(&rd))
        err = ibk_fail(diag, IBK_ERR_TRAILING, "message", rd.pos, "%zu octets", ibk_rd_left(&rd));
    if (err) {
        ibk_msg_free(out);
        return err;
    }
    out->octets = in;
    return IBK_OK;
}

ibk_err ibk_msg_write(const ibk_msg *msg, ibk_buf *out) {
    ibk_wr wr;
    ibk_wr_init(&wr, out);
    for (size_t i = 0; i < msg->chain.count; i++) {
        const ibk_payload_ops *ops = ibk_payload_ops_of(msg->chain.items[i].type);
        if (ops &&
            !(ops->places & IBK_PLACE_OUTER)) // keys never stand in clear: RFC 3830 §6.13, RFC 6267 §6.1.4
            ibk_wr_fail(&wr, IBK_ERR_USAGE);
    }
    ibk_hdr_write(&wr, &msg->hdr, ibk_chain_first(&msg->chain));
    ibk_chain_put(&wr, &msg->chain);
    if (!wr.err && ibk_wr_len(&wr) > IBK_MIKEY_MAX_LEN)
        ibk_wr_fail(&wr, IBK_ERR_LIMIT);
    return ibk_wr_finish(&wr);
}

void ibk_msg_free(ibk_msg *msg) {
    if (!msg)
        return;
    ibk_chain_free(&msg->chain);
    *msg = (ibk_msg){0};
}

const ibk_payload *ibk_msg_find(const ibk_msg *msg, uint8_t type, size_t nth) {
    return ibk_chain_find(&msg->chain, type, nth);
}

const ibk_payload *ibk_msg_find_idr(const ibk_msg *msg, uint8_t role, size_t nth) {
    return ibk_chain_find_idr(&msg->chain, role, nth);
}
