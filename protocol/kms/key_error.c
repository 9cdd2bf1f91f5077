/* Error messages of the key request (RFC 3830 §5.1.2, RFC 6267 §4.2.1.2): HDR, T, ERR, [V]. */
#include "kms/kms_internal.h"

ibk_err key_error_write(ibk_buf *out, const ibk_hdr *hdr, const ibk_t *t, uint8_t error_no) {
    ibk_msg msg = {.hdr = request_hdr(IBK_MSG_ERROR, hdr->prf, hdr->csb_id, false)};
    ibk_add_t(&msg.chain, t);
    ibk_add_error(&msg.chain, error_no);
    ibk_err err = ibk_msg_write(&msg, out);
    ibk_msg_free(&msg);
    return err;
}

ibk_err key_error_write_v(ibk_buf *out, const key_request *request, uint8_t error_no, ibk_span psk) {
    const ibk_hdr *hdr = &request->msg->hdr;
    uint8_t mac_alg = request->mac_alg;
    ibk_span ids[IBK_KMS_MAX_USERS + 1];
    size_t n = parties_covered(&request->who, ids);
    ibk_msg_keys keys = {0};
    ibk_msg msg = {.hdr = request_hdr(IBK_MSG_ERROR, hdr->prf, hdr->csb_id, false)};
    ibk_add_t(&msg.chain, &request->t);
    ibk_add_error(&msg.chain, error_no);
    ibk_add_v(&msg.chain, mac_alg);
    ibk_err err =
        ibk_msg_keys_derive(&keys, hdr->prf, psk, hdr->csb_id, request->rand, IBK_ENCR_NULL, mac_alg);
    err = err ? err : ibk_msg_write_v(&msg, out, ibk_span_of(keys.auth, keys.auth_len), ids, n);
    ibk_wipe(&keys, sizeof keys);
    ibk_msg_free(&msg);
    return err;
}

ibk_err key_error_read(const ibk_msg *msg, const response_expect *e, uint8_t *error_no, ibk_diag *diag) {
    const ibk_payload *t = ibk_msg_find(msg, IBK_PL_T, 0), *first = ibk_msg_find(msg, IBK_PL_ERR, 0);
    if (!t || !first) {
        return ibk_fail(diag, IBK_ERR_MISSING_PAYLOAD, t ? "ERR" : "T", 0, "an Error message needs it");
    }
    if (msg->hdr.csb_id != e->hdr->csb_id || !ibk_t_equal(&t->t, e->t)) {
        return ibk_fail(diag, IBK_ERR_MISMATCH, "T", t->offset, "an Error message about another request");
    }
    bool proved = false;
    const ibk_payload *v = ibk_msg_find(msg, IBK_PL_V, 0);
    if (v && mac_acceptable(v->v.mac_alg)) {
        ibk_span ids[IBK_KMS_MAX_USERS + 1];
        size_t n = parties_covered(e->who, ids);
        ibk_msg_keys keys = {0};
        ibk_err err = ibk_msg_keys_derive(&keys, e->hdr->prf, e->psk, e->hdr->csb_id, e->rand, IBK_ENCR_NULL,
                                          v->v.mac_alg);
        err = err ? err : ibk_msg_check_v(msg, ibk_span_of(keys.auth, keys.auth_len), ids, n, false, NULL);
        ibk_wipe(&keys, sizeof keys);
        proved = err == IBK_OK;
    }
    *error_no = first->error.error_no;
    return ibk_fail(diag, IBK_ERR_PEER_ERROR, "ERR", first->offset, "%s (%s)",
                    ibk_error_no_name(first->error.error_no), proved ? "authenticated" : "unauthenticated");
}
