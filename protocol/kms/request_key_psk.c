/* REQUEST_KEY_PSK = HDR, T, RAND, (IDRi/r)+, IDRkms, [IDRpsk], [KEMAC], V (RFC 6267 §4.2.1.1, §4.2.1.1.1). */
#include "kms/kms_internal.h"

ibk_err request_key_psk_write(ibk_buf *out, const ibk_hdr *hdr, const parties *who, const ibk_t *t,
                              ibk_span rand, ibk_span psk, uint8_t mac_alg) {
    ibk_msg msg = {.hdr = *hdr};
    ibk_span ids[IBK_KMS_MAX_USERS + 1];
    size_t n = parties_covered(who, ids);
    ibk_add_t(&msg.chain, t); /* §4.2.1.1 (N2) */
    ibk_add_rand(&msg.chain, rand);
    parties_add_users(who, &msg); /* with IDRkms (N8) */
    if (who->psk.id.len > 0) {    /* §4.2.1.1.1 (N11) */
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

static ibk_err check_hdr(const ibk_hdr *hdr, int *error_no, ibk_diag *diag) {
    /* The V flag is ignored (§6.1, N85). */
    if (ibk_prf_hash_len(hdr->prf) == 0) {
        *error_no = IBK_ERRNO_PRF;
        return ibk_fail(diag, IBK_ERR_UNSUPPORTED, "HDR", 3, "PRF %u", hdr->prf);
    }
    if (hdr->n_cs != 0 || hdr->map_type != IBK_MAP_EMPTY) { /* §6.1 (N86, N88) */
        *error_no = IBK_ERRNO_UNSPECIFIED;
        return ibk_fail(diag, IBK_ERR_BAD_VALUE, "HDR", 8, "a key request has #CS 0 and the Empty map");
    }
    return IBK_OK;
}

/* The one payload of a type that there has to be. */
static const ibk_payload *only(const ibk_msg *msg, uint8_t type, ibk_err *err, ibk_diag *diag) {
    size_t count = ibk_chain_count(&msg->chain, type);
    if (!*err && count != 1) {
        *err = ibk_fail(diag, count ? IBK_ERR_UNEXPECTED_PAYLOAD : IBK_ERR_MISSING_PAYLOAD,
                        ibk_payload_name(type), 0, "%zu of them, not one", count);
    }
    return ibk_msg_find(msg, type, 0);
}

ibk_err request_key_psk_read(key_request *out, const ibk_msg *msg, int *error_no, ibk_diag *diag) {
    *out = (key_request){.msg = msg};
    ibk_err err = IBK_OK;
    const ibk_payload *t = only(msg, IBK_PL_T, &err, diag);
    const ibk_payload *rand = only(msg, IBK_PL_RAND, &err, diag);
    out->v = only(msg, IBK_PL_V, &err, diag);
    if (err) {
        return err;
    }
    out->t = t->t;
    out->rand = rand->rand.data;
    err = check_hdr(&msg->hdr, error_no, diag);
    if (!err && out->rand.len < IBK_RAND_MIN) {
        err =
            ibk_fail(diag, IBK_ERR_BAD_LENGTH, "RAND", rand->offset, "shorter than %d octets", IBK_RAND_MIN);
    }
    if (!err && !mac_acceptable(out->v->v.mac_alg)) {
        *error_no = IBK_ERRNO_MAC;
        err = ibk_fail(diag, IBK_ERR_UNSUPPORTED, "V", out->v->offset, "MAC algorithm %u", out->v->v.mac_alg);
    }
    if (!err && (err = parties_read(&out->who, msg, true, diag)) == IBK_ERR_BAD_VALUE) {
        *error_no = IBK_ERRNO_ID;
    }
    const ibk_payload *kemac = ibk_msg_find(msg, IBK_PL_KEMAC, 0);
    uint8_t alg = kemac ? kemac->kemac.encr_alg : IBK_ENCR_NULL;
    out->kemac_cm = alg == IBK_ENCR_AES_CM_128 || alg == IBK_ENCR_AES_CM_256;
    return err;
}
