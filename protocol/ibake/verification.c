/* V, the verification message of RFC 6267 §5.4: in R_MESSAGE_2, and in R_MESSAGE_1 of a CSB update. */
#include "ibake/session_internal.h"

/* P-8: IDRi's data, then that of R_MESSAGE_1's IDRr (RFC 6267 §5.4, N82, N83). In an update by the responder
 * too: the roles are those of the initial exchange (P-30). */
static void covered_ids(const ibk_session *s, ibk_span ids[2]) {
    bool initiator = s->role == IBK_SESSION_INITIATOR;
    ids[0] = ibk_buf_span(initiator ? &s->local.octets : &s->peer.octets);
    ids[1] = ibk_buf_span(initiator ? &s->peer.octets : &s->local.octets);
}

uint8_t v_alg(const ibk_session *s) {
    if (s->policy.mac_alg != IBK_MAC_NULL) {
        return s->policy.mac_alg;
    }
    return s->hdr.prf == IBK_PRF_HMAC_SHA256 ? IBK_MAC_HMAC_SHA256_256 : IBK_MAC_HMAC_SHA1_160;
}

ibk_err v_finish(call *c, ibk_msg *msg, const v_key *key) {
    ibk_session *s = c->s;
    ibk_msg_keys keys;
    ibk_span ids[2];
    covered_ids(s, ids);
    ibk_buf_clear(&s->out);
    ibk_err err = keys_auth(s, key, v_alg(s), &keys);
    if (!err) {
        err = ibk_msg_write_v(msg, &s->out, ibk_span_of(keys.auth, keys.auth_len), ids, 2);
        s->out_type = msg->hdr.data_type;
        ibk_wipe(&keys, sizeof keys);
    }
    ibk_msg_free(msg);
    return err ? call_fail(c, err, "V", "the message cannot be written") : IBK_OK;
}

ibk_err v_check(call *c, const v_key *key) {
    ibk_session *s = c->s;
    const ibk_payload *v = ibk_msg_find(c->msg, IBK_PL_V, 0);
    uint8_t alg = v->v.mac_alg;
    bool null_taken = alg == IBK_MAC_NULL && !guards(s, IBK_DEFENCE_NULL_MAC);
    bool known = alg <= IBK_MAC_HMAC_SHA256_256 && s->policy.mac_algs & 1u << alg;
    if (!known && !null_taken) { /* RFC 3830 §4.2.4 (N18) */
        return call_unsupported(c, IBK_ERR_UNSUPPORTED, IBK_ERRNO_MAC, "V", "MAC algorithm not accepted");
    }
    if (null_taken || !guards(s, IBK_DEFENCE_V)) {
        return IBK_OK;
    }
    ibk_msg_keys keys;
    ibk_span ids[2];
    covered_ids(s, ids);
    ibk_err err = keys_auth(s, key, alg, &keys);
    if (err) {
        return call_fail(c, err, "V", "no auth_key");
    }
    err = ibk_msg_check_v(c->msg, ibk_span_of(keys.auth, keys.auth_len), ids, 2, false, c->diag);
    ibk_wipe(&keys, sizeof keys);
    return err;
}
