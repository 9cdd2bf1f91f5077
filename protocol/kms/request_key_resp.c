/* REQUEST_KEY_RESP = HDR, T, [IDRi/r], [IDRkms], KEMAC, V (RFC 6267 §4.2.1.3, §4.2.1.4). */
#include "kms/kms_internal.h"

/* ---- build (KMS) ------------------------------------------------------------------------------------- */

ibk_err response_write(ibk_buf *out, const key_request *request, ibk_span content, uint8_t encr_alg,
                       ibk_span psk) {
    const ibk_hdr *asked = &request->msg->hdr;
    uint8_t mac_alg = request->mac_alg;
    ibk_span ids[IBK_KMS_MAX_USERS + 1];
    size_t n = parties_covered(&request->who, ids);
    ibk_msg_keys keys = {0};
    ibk_buf cipher = {0};
    /* encr_key and auth_key from the PSK (§4.2.1, N1; §4.2.1.3, N23, N25; §5.2, N72); no TEK (§5, N71) */
    ibk_err err =
        ibk_msg_keys_derive(&keys, asked->prf, psk, asked->csb_id, request->rand, encr_alg, mac_alg);
    err = err ? err : ibk_kemac_encrypt(&cipher, encr_alg, &keys, asked->csb_id, &request->t, content);
    if (!err) {
        ibk_msg msg = {
            .hdr = request_hdr(IBK_MSG_REQUEST_KEY_RESP, asked->prf, asked->csb_id, false)}; /* N18, N19 */
        ibk_add_t(&msg.chain, &request->t);                                                  /* N21 */
        parties_add_users(&request->who, &msg);
        parties_add_kms(&request->who, &msg);
        ibk_add_kemac(&msg.chain, encr_alg, ibk_buf_span(&cipher), IBK_MAC_NULL); /* N22 */
        ibk_add_v(&msg.chain, mac_alg);                                           /* N24 */
        err = ibk_msg_write_v(&msg, out, ibk_span_of(keys.auth, keys.auth_len), ids, n);
        ibk_msg_free(&msg);
    }
    ibk_wipe(&keys, sizeof keys);
    ibk_buf_free(&cipher);
    return err;
}

/* ---- process (user) --------------------------------------------------------------------------------------
 */

static ibk_err check_frame(const ibk_msg *msg, const response_expect *e, ibk_diag *diag) {
    const ibk_hdr *got = &msg->hdr, *want = e->hdr;
    /* (N18); the V flag is ignored (N20), yet under V */
    bool repeated = got->prf == want->prf && got->csb_id == want->csb_id && got->n_cs == want->n_cs &&
                    got->map_type == want->map_type;
    if (!repeated && ibk_guards(e->without, IBK_DEFENCE_HEADER_REPEAT)) {
        return ibk_fail(diag, IBK_ERR_MISMATCH, "HDR", 0, "not the header of the request");
    }
    const ibk_payload *t = ibk_msg_find(msg, IBK_PL_T, 0);
    bool copied = t && (ibk_t_equal(&t->t, e->t) || !ibk_guards(e->without, IBK_DEFENCE_TIMESTAMP_REPEAT));
    if (!copied || ibk_chain_count(&msg->chain, IBK_PL_T) != 1) { /* N21 */
        return ibk_fail(diag, t ? IBK_ERR_MISMATCH : IBK_ERR_MISSING_PAYLOAD, "T", 0,
                        "not the T of the request");
    }
    for (size_t i = 0; i < msg->chain.count; i++) {
        uint8_t type = msg->chain.items[i].type;
        if (type != IBK_PL_T && type != IBK_PL_IDR && type != IBK_PL_KEMAC && type != IBK_PL_V &&
            type != IBK_PL_EXT) {
            return ibk_fail(diag, IBK_ERR_UNEXPECTED_PAYLOAD, ibk_payload_name(type),
                            msg->chain.items[i].offset, "not a payload of REQUEST_KEY_RESP");
        }
    }
    return IBK_OK;
}

/* [IDRi/r], [IDRkms]: may be left out; else they are the request's. */
static ibk_err check_parties(const ibk_msg *msg, const response_expect *e, ibk_diag *diag) {
    parties got;
    ibk_err err = parties_read(&got, msg, false, diag);
    if (err) {
        return err;
    }
    bool same = got.kms.id.len == 0 || ibk_identity_equal(&got.kms, &e->who->kms);
    same = same && (got.n_users == 0 || got.n_users == e->who->n_users);
    for (size_t i = 0; same && i < got.n_users; i++) {
        same = ibk_identity_equal(&got.users[i], &e->who->users[i]);
    }
    return same || !ibk_guards(e->without, IBK_DEFENCE_OUTER_IDENTITIES)
               ? IBK_OK
               : ibk_fail(diag, IBK_ERR_IDENTITY_MISMATCH, "IDR", 0, "not the identities of the request");
}

/* KEMAC's own MAC, where the KMS uses one although NULL is enough (N22). */
static ibk_err check_kemac_mac(const ibk_payload *kemac, const ibk_msg_keys *keys, ibk_diag *diag) {
    uint8_t mac[IBK_MAC_MAX];
    uint8_t alg = kemac->kemac.mac_alg;
    if (alg == IBK_MAC_NULL) {
        return IBK_OK;
    }
    ibk_span auth = ibk_span_of(keys->auth, keys->auth_len);
    ibk_err err =
        keys->auth_len == ibk_mac_len(alg) ? ibk_kemac_mac(mac, &kemac->kemac, auth) : IBK_ERR_UNSUPPORTED;
    if (!err && !ibk_span_equal_ct(ibk_span_of(mac, ibk_mac_len(alg)), kemac->kemac.mac)) {
        err = IBK_ERR_BAD_MAC;
    }
    return err ? ibk_fail(diag, err, "KEMAC", kemac->offset, "its MAC is not accepted") : IBK_OK;
}

ibk_err response_read(ibk_buf *content, const ibk_msg *msg, const response_expect *e, ibk_diag *diag) {
    ibk_err err = check_frame(msg, e, diag);
    err = err ? err : check_parties(msg, e, diag);
    if (err) {
        return err;
    }
    const ibk_payload *kemac = ibk_msg_find(msg, IBK_PL_KEMAC, 0), *v = ibk_msg_find(msg, IBK_PL_V, 0);
    if (!kemac || !v || ibk_chain_count(&msg->chain, IBK_PL_KEMAC) != 1) {
        return ibk_fail(diag, IBK_ERR_MISSING_PAYLOAD, v ? "KEMAC" : "V", 0,
                        "one KEMAC and V have to be there");
    }
    uint8_t alg = kemac->kemac.encr_alg;
    if (alg == IBK_ENCR_NULL || !ibk_encr_known(alg) ||
        !mac_acceptable(v->v.mac_alg)) { /* RFC 3830 §4.2.3 (N13) */
        return ibk_fail(diag, IBK_ERR_UNSUPPORTED, "KEMAC", kemac->offset, "encryption %u, MAC %u", alg,
                        v->v.mac_alg);
    }
    ibk_span ids[IBK_KMS_MAX_USERS + 1];
    size_t n = parties_covered(e->who, ids);
    ibk_msg_keys keys = {0};
    err = ibk_msg_keys_derive(&keys, e->hdr->prf, e->psk, e->hdr->csb_id, e->rand, alg, v->v.mac_alg);
    if (!err && ibk_guards(e->without, IBK_DEFENCE_RESPONSE_MAC)) {
        err = ibk_msg_check_v(msg, ibk_span_of(keys.auth, keys.auth_len), ids, n, false, diag);
        err = err ? err : check_kemac_mac(kemac, &keys, diag);
    }
    err = err ? err : ibk_kemac_decrypt(content, alg, &keys, e->hdr->csb_id, e->t, kemac->kemac.data);
    ibk_wipe(&keys, sizeof keys);
    return err;
}
