/* R_MESSAGE_2 = HDR, T, [IDRi], [IDRr], {SP}, [IBAKE], V (RFC 6267 §4.2.2.7, §4.2.2.8). */
#include "ibake/session_internal.h"

/* P-8: IDRi's data, then that of R_MESSAGE_1's IDRr (RFC 6267 §5.4, N82, N83). */
static void covered_ids(const ibk_session *s, ibk_span ids[2]) {
    bool initiator = s->role == IBK_SESSION_INITIATOR;
    ids[0] = ibk_buf_span(initiator ? &s->local.octets : &s->peer.octets);
    ids[1] = ibk_buf_span(initiator ? &s->peer.octets : &s->local.octets);
}

/* ---- build (responder)
 * ------------------------------------------------------------------------------------- */

static uint8_t mac_for(const ibk_session *s) {
    if (s->policy.mac_alg != IBK_MAC_NULL) {
        return s->policy.mac_alg;
    }
    return s->hdr.prf == IBK_PRF_HMAC_SHA256 ? IBK_MAC_HMAC_SHA256_256 : IBK_MAC_HMAC_SHA1_160;
}

static ibk_err write_message(call *c, ibk_span ibake) {
    ibk_session *s = c->s;
    ibk_msg msg;
    ibk_msg_keys keys;
    ibk_span ids[2];
    uint8_t mac_alg = mac_for(s);
    covered_ids(s, ids);
    call_begin(c, &msg, IBK_MSG_R_MESSAGE_2, false); /* §4.2.2.7 (N60, N61) */
    ibk_add_t(&msg.chain, &s->t2);                   /* (N63) */
    call_add_id(&msg, IBK_ROLE_I, &s->peer);         /* (N64) */
    call_add_id(&msg, IBK_ROLE_R, &s->local);
    ibk_err err = offer_add(s, &msg); /* P-14: the offer as it reached us, now under V */
    if (ibake.len > 0) {
        ibk_add_enc(&msg.chain, IBK_PL_IBAKE, ibake);
    }
    ibk_add_v(&msg.chain, mac_alg); /* (N67) */
    err = err ? err : keys_auth(s, mac_alg, &keys);
    if (!err) {
        ibk_buf_clear(&s->out);
        err = ibk_msg_write_v(&msg, &s->out, ibk_span_of(keys.auth, keys.auth_len), ids, 2);
        s->out_type = IBK_MSG_R_MESSAGE_2;
        ibk_wipe(&keys, sizeof keys);
    }
    ibk_msg_free(&msg);
    return err ? call_fail(c, err, "V", "R_MESSAGE_2 cannot be written") : IBK_OK;
}

ibk_err r_message_2_build(call *c) {
    ibk_session *s = c->s;
    ibk_identity peer = owned_id_get(&s->peer);
    ibk_buf ibake = {0};
    ibk_err err = IBK_OK;
    if (s->deferred) { /* ECCPTi came in I_MESSAGE_2 (N65): E(K_PUBi, IDRi || ECCPTi) (N66) */
        err = inner_seal(c, &peer, INNER_R_MESSAGE_2, &s->theirs, NULL, &ibake);
    }
    err = err ? err : write_message(c, ibk_buf_span(&ibake));
    ibk_buf_free(&ibake);
    keys_forget_mpk(s);
    return err;
}

/* ---- process (initiator)
 * --------------------------------------------------------------------------------------- */

static const expect payloads[] = {{IBK_PL_T, 1, 1},   {IBK_PL_IDR, 0, 2},   {IBK_PL_SP, 0, 0},
                                  {IBK_PL_EXT, 0, 0}, {IBK_PL_IBAKE, 0, 1}, {IBK_PL_V, 1, 1},
                                  {0, 0, 0}};

static ibk_err check_ids(call *c) {
    ibk_identity idi, idr, local = owned_id_get(&c->s->local), peer = owned_id_get(&c->s->peer);
    ibk_err err =
        call_identities(c, &idi, &idr, false); /* (N64): SHOULD be there; then they have to be right */
    if (!err && idi.id.len > 0) {
        err = call_check_identity(c, &idi, &local, "IDR");
    }
    if (!err && idr.id.len > 0) {
        err = call_check_identity(c, &idr, &peer, "IDR");
    }
    return err;
}

static ibk_err check_mac(call *c) {
    ibk_session *s = c->s;
    const ibk_payload *v = ibk_msg_find(c->msg, IBK_PL_V, 0);
    uint8_t alg = v->v.mac_alg;
    if (alg > IBK_MAC_HMAC_SHA256_256 || !(s->policy.mac_algs & 1u << alg)) { /* RFC 3830 §4.2.4 (N18) */
        return call_unsupported(c, IBK_ERR_UNSUPPORTED, IBK_ERRNO_MAC, "V", "MAC algorithm not accepted");
    }
    ibk_msg_keys keys;
    ibk_span ids[2];
    covered_ids(s, ids);
    ibk_err err = keys_auth(s, alg, &keys);
    if (err) {
        return call_fail(c, err, "V", "no auth_key");
    }
    err = ibk_msg_check_v(c->msg, ibk_span_of(keys.auth, keys.auth_len), ids, 2, false, c->diag);
    ibk_wipe(&keys, sizeof keys);
    return err;
}

/* §4.2.2.8 (N69): decrypted whenever it is there; wanted if we had to send ECCPTi again (N65). */
static ibk_err check_ibake(call *c) {
    ibk_session *s = c->s;
    ibk_identity local = owned_id_get(&s->local);
    ibk_span ciphertext = call_ibake(c);
    if (ciphertext.len == 0) {
        return s->deferred ? call_fail(c, IBK_ERR_MISSING_PAYLOAD, "IBAKE", "no echo of [x]P") : IBK_OK;
    }
    int64_t dates[2] = {s->date_ns, c->now.utc_ns};
    ibk_buf plain = {0};
    ibk_chain chain = {0};
    inner in;
    ibk_err err = box_open(c, &local, dates, 2, ciphertext, &plain, NULL);
    err = err ? err : inner_parse(c, &in, INNER_R_MESSAGE_2, &chain, ibk_buf_span(&plain));
    err = err ? err : call_check_identity(c, &in.idi, &local, "IDRi in IBAKE");
    err = err ? err : inner_check_echo(c, in.eccpt_i);
    ibk_chain_free(&chain);
    ibk_buf_free(&plain);
    return err;
}

ibk_err r_message_2_process(call *c) {
    ibk_session *s = c->s;
    ibk_err err = call_expect(c, payloads);
    if (!err && !ibk_t_equal(&ibk_msg_find(c->msg, IBK_PL_T, 0)->t, &s->t2)) {
        err = call_fail(c, IBK_ERR_MISMATCH, "T", "not the T of I_MESSAGE_2"); /* §4.2.2.7 (N63) */
    }
    err = err ? err : call_same_hdr(c); /* (N60); the V flag is ignored (N62), yet under V */
    if (!err && !ibk_span_equal(c->msg->hdr.map, ibk_buf_span(&s->map))) {
        err =
            call_fail(c, IBK_ERR_BIDDING_DOWN, "HDR", "the CS ID map differs from R_MESSAGE_1's"); /* P-14 */
    }
    err = err ? err : check_ids(c);
    err = err ? err : check_mac(c);
    err = err ? err : check_ibake(c);
    err = err ? err : offer_check_repeated(c);
    if (!err) {
        keys_forget_mpk(s);
    }
    return err;
}
