/* R_MESSAGE_2 = HDR, T, [IDRi], [IDRr], {SP}, [IBAKE], V (RFC 6267 §4.2.2.7, §4.2.2.8). */
#include "ibake/session_internal.h"

/* ---- build (responder)
 * ------------------------------------------------------------------------------------- */

static ibk_err write_message(call *c, ibk_span ibake) {
    ibk_session *s = c->s;
    ibk_msg msg;
    call_begin(c, &msg, IBK_MSG_R_MESSAGE_2, false); /* §4.2.2.7 (N60, N61) */
    ibk_add_t(&msg.chain, &s->t2);                   /* (N63) */
    call_add_id(&msg, IBK_ROLE_I, &s->peer);         /* (N64) */
    call_add_id(&msg, IBK_ROLE_R, &s->local);
    ibk_err err = offer_add(s, &msg); /* P-14: the offer as it reached us, now under V */
    if (ibake.len > 0) {
        ibk_add_enc(&msg.chain, IBK_PL_IBAKE, ibake);
    }
    ibk_add_v(&msg.chain, v_alg(s)); /* (N67) */
    ibk_err written = v_finish(c, &msg, &(v_key){.mpk = s->mpk, .log = true});
    return err ? call_fail(c, err, NULL, "out of memory") : written;
}

ibk_err r_message_2_build(call *c) {
    ibk_session *s = c->s;
    ibk_identity peer = owned_id_get(&s->peer);
    ibk_buf ibake = {0};
    ibk_err err = IBK_OK;
    if (s->deferred) { /* ECCPTi came in I_MESSAGE_2 (N65): E(K_PUBi, IDRi || ECCPTi) (N66) */
        err = inner_seal(c, &peer, INNER_R_MESSAGE_2, &(points){.i = &s->theirs}, &ibake);
    }
    err = err ? err : write_message(c, ibk_buf_span(&ibake));
    ibk_buf_free(&ibake);
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
        err = call_check_identity(c, IBK_DEFENCE_OUTER_IDENTITIES, &idi, &local, "IDR");
    }
    if (!err && idr.id.len > 0) {
        err = call_check_identity(c, IBK_DEFENCE_OUTER_IDENTITIES, &idr, &peer, "IDR");
    }
    return err;
}

/* §4.2.2.8 (N69): decrypted whenever it is there; wanted if we had to send ECCPTi again (N65). */
static ibk_err check_ibake(call *c) {
    ibk_session *s = c->s;
    ibk_identity local = owned_id_get(&s->local);
    ibk_span ciphertext = call_ibake(c);
    if (ciphertext.len == 0) {
        return s->deferred && guards(s, IBK_DEFENCE_ECHO)
                   ? call_fail(c, IBK_ERR_MISSING_PAYLOAD, "IBAKE", "no echo of [x]P")
                   : IBK_OK;
    }
    int64_t dates[2] = {s->date_ns, c->now.utc_ns};
    ibk_buf plain = {0};
    ibk_chain chain = {0};
    inner in;
    ibk_err err = box_open(c, &local, dates, 2, ciphertext, &plain, NULL);
    err = err ? err : inner_parse(c, &in, INNER_R_MESSAGE_2, &chain, ibk_buf_span(&plain));
    err = err ? err : call_check_identity(c, IBK_DEFENCE_INNER_IDENTITIES, &in.idi, &local, "IDRi in IBAKE");
    err = err ? err : inner_check_echo(c, in.eccpt_i, &s->own.pub);
    ibk_chain_free(&chain);
    ibk_buf_free(&plain);
    return err;
}

ibk_err r_message_2_process(call *c) {
    ibk_session *s = c->s;
    ibk_err err = call_expect(c, payloads);
    err = err ? err : call_same_time(c, &s->t2, "not the T of I_MESSAGE_2"); /* §4.2.2.7 (N63) */
    err = err ? err : call_same_hdr(c); /* (N60); the V flag is ignored (N62), yet under V */
    if (!err && guards(s, IBK_DEFENCE_BIDDING_DOWN) &&
        !ibk_span_equal(c->msg->hdr.map, ibk_buf_span(&s->map))) {
        err =
            call_fail(c, IBK_ERR_BIDDING_DOWN, "HDR", "the CS ID map differs from R_MESSAGE_1's"); /* P-14 */
    }
    err = err ? err : check_ids(c);
    err = err ? err : v_check(c, &(v_key){.mpk = s->mpk, .log = true});
    err = err ? err : check_ibake(c);
    return err ? err : offer_check_repeated(c);
}
