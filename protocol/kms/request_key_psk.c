/* REQUEST_KEY_PSK = HDR, T, RAND, (IDRi/r)+, IDRkms, [IDRpsk], [KEMAC], V (RFC 6267 §4.2.1.1, §4.2.1.1.1). */
#include "kms/kms_internal.h"

ibk_err request_key_psk_write(ibk_buf *out, const ibk_hdr *hdr, const parties *who, const ibk_t *t,
                              ibk_span rand, ibk_span psk, uint8_t mac_alg) {
    ibk_msg msg = {.hdr = *hdr};
    ibk_span ids[IBK_KMS_MAX_USERS + 1];
    size_t n = parties_covered(who, ids);
    ibk_add_t(&msg.chain, t); /* §4.2.1.1 (N2) */
    ibk_add_rand(&msg.chain, rand);
    parties_add_users(who, &msg);
    parties_add_kms(who, &msg); /* (N8) */
    if (who->psk.id.len > 0) {  /* §4.2.1.1.1 (N11) */
        ibk_add_idr(&msg.chain, IBK_ROLE_PSK, who->psk.id_type, who->psk.id);
    }
    /* No KEMAC: which dates are wanted stands in IDRi/r (P-10; N9, N10) */
    ibk_add_v(&msg.chain, mac_alg); /* (N12) */
    ibk_msg_keys keys = {0};
    ibk_err err = ibk_msg_keys_derive(&keys, hdr->prf, psk, hdr->csb_id, rand, IBK_ENCR_NULL, mac_alg);
    if (!err) {
        err = ibk_msg_write_v(&msg, out, ibk_span_of(keys.auth, keys.auth_len), ids, n);
    }
    ibk_wipe(&keys, sizeof keys);
    ibk_msg_free(&msg);
    return err;
}

ibk_err request_key_psk_read(key_request *out, const ibk_msg *msg, int *error_no, ibk_diag *diag) {
    ibk_err err = request_read(out, msg, IBK_PL_V, error_no, diag);
    if (!err && !mac_acceptable(out->last->v.mac_alg)) {
        *error_no = IBK_ERRNO_MAC;
        err = ibk_fail(diag, IBK_ERR_UNSUPPORTED, "V", out->last->offset, "MAC algorithm %u",
                       out->last->v.mac_alg);
    }
    if (!err) {
        out->mac_alg = out->last->v.mac_alg;
    }
    return err;
}
