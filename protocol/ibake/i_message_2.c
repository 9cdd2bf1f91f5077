/* I_MESSAGE_2 = HDR, T, RAND, IDRi, IDRr, IBAKE, [ESK] (RFC 6267 §4.2.2.5, §4.2.2.6). */
#include "ibake/session_internal.h"

/* ---- build (initiator) --------------------------------------------------------------------------------- */

static ibk_err write_message(call *c, ibk_span ibake, ibk_span esk) {
    ibk_session *s = c->s;
    ibk_msg msg;
    call_begin(c, &msg, IBK_MSG_I_MESSAGE_2, true);   /* §4.2.2.5 (N49), §6.1 (N84) */
    ibk_add_t(&msg.chain, &s->t2);                    /* (N48) */
    ibk_add_rand(&msg.chain, ibk_buf_span(&s->rand)); /* P-7 */
    call_add_id(&msg, IBK_ROLE_I, &s->local);         /* (N50) */
    call_add_id(&msg, IBK_ROLE_R, &s->peer);          /* (N51): as in R_MESSAGE_1 */
    ibk_add_enc(&msg.chain, IBK_PL_IBAKE, ibake);
    if (esk.len > 0) {
        ibk_add_enc(&msg.chain, IBK_PL_ESK, esk);
    }
    return call_finish(c, &msg);
}

/* P-28: the curve is that of [y]P. The [x]P that nobody could read is given up for one on that curve. */
static ibk_err follow_curve(call *c) {
    ibk_session *s = c->s;
    if (!s->deferred || s->own.curve == s->theirs.curve) {
        return IBK_OK;
    }
    ibk_wipe(&s->own, sizeof s->own);
    ibk_err err = keys_generate(s, &s->own, IBK_DRAW_X, s->theirs.curve); /* P-20 */
    if (err) {
        return call_fail(c, err, "ECCPT", "no randomness for x");
    }
    call_keylog(s, IBK_KEYLOG_X, 0, ibk_span_of(s->own.scalar, s->own.scalar_len));
    return IBK_OK;
}

ibk_err i_message_2_build(call *c) {
    ibk_session *s = c->s;
    ibk_identity peer = owned_id_get(&s->peer);
    ibk_buf ibake = {0}, esk = {0};
    ibk_err err = call_next_time(c, &s->t2); /* RFC 3830 §5.2 (N38) */
    err = err ? err : follow_curve(c);
    /* (N52) ECCPTi if R_MESSAGE_1 lacked it, (N53) else not; (N54) both identities and ECCPTr; (N55) to
     * K_PUBr */
    err = err ? err
              : inner_seal(c, &peer, INNER_BOTH,
                           &(points){.i = s->deferred ? &s->own.pub : NULL, .r = &s->theirs}, &ibake);
    if (!err && s->deferred) {
        err = esk_build(c, &esk); /* (N46, N56) */
    }
    err = err ? err : keys_agree(c, &s->own, &s->theirs, s->mpk, s->tgk);
    s->have_tgk = err == IBK_OK;
    err = err ? err : write_message(c, ibk_buf_span(&ibake), ibk_buf_span(&esk));
    ibk_buf_free(&ibake);
    ibk_buf_free(&esk);
    return err;
}

/* ---- process (responder) ---------------------------------------------------------------------------------
 */

static const expect payloads[] = {
    {IBK_PL_T, 1, 1},   {IBK_PL_RAND, 1, 1}, {IBK_PL_IDR, 2, 2}, {IBK_PL_IBAKE, 1, 1},
    {IBK_PL_ESK, 0, 1}, {IBK_PL_EXT, 0, 0},  {0, 0, 0}};

static ibk_err check_frame(call *c) {
    ibk_session *s = c->s;
    const ibk_t *t = &ibk_msg_find(c->msg, IBK_PL_T, 0)->t;
    if (ibk_t_equal(t, &s->t1) && guards(s, IBK_DEFENCE_REPLAY_CACHE)) {
        return call_fail(c, IBK_ERR_REPLAYED, "T", "the T of I_MESSAGE_1 again"); /* RFC 3830 §5.2 (N38) */
    }
    ibk_err err = call_check_time(c, t, call_ibake(c));
    err = err ? err : call_same_hdr(c); /* §4.2.2.5 (N49) */
    if (!err && guards(s, IBK_DEFENCE_HEADER_REPEAT) &&
        !ibk_span_equal(c->msg->hdr.map, ibk_buf_span(&s->map))) {
        err = call_fail(c, IBK_ERR_MISMATCH, "HDR", "the CS ID map differs from R_MESSAGE_1's");
    }
    if (!err && guards(s, IBK_DEFENCE_RAND_REPEAT) &&
        !ibk_span_equal(ibk_msg_find(c->msg, IBK_PL_RAND, 0)->rand.data, ibk_buf_span(&s->rand))) {
        err = call_fail(c, IBK_ERR_MISMATCH, "RAND", "not the RAND of I_MESSAGE_1"); /* P-7 */
    }
    return err;
}

static ibk_err take_content(call *c, ibk_span plain, const ibk_identity *idi, const ibk_identity *idr) {
    ibk_session *s = c->s;
    ibk_chain chain = {0};
    inner in;
    ibk_err err = inner_parse(c, &in, INNER_BOTH, &chain, plain);
    err = err ? err : inner_check_ids(c, &in, idi, idr);
    err = err ? err : inner_check_echo(c, in.eccpt_r, &s->own.pub); /* P-16 */
    if (!err && s->deferred && !in.eccpt_i) {
        err =
            call_fail(c, IBK_ERR_MISSING_PAYLOAD, "IBAKE", "no ECCPTi, which R_MESSAGE_1 lacked"); /* (N52) */
    } else if (!err && !s->deferred && in.eccpt_i) {
        err = call_fail(c, IBK_ERR_UNEXPECTED_PAYLOAD, "IBAKE", "ECCPTi again"); /* (N53), P-17 */
    } else if (!err && in.eccpt_i) {
        err = inner_point(c, in.eccpt_i, &s->theirs);
        s->have_theirs = err == IBK_OK;
    }
    if (!err && s->theirs.curve != s->own.curve) {
        err = call_unsupported(c, IBK_ERR_UNSUPPORTED, IBK_ERRNO_DH, "ECCPT",
                               "[x]P is on another curve than [y]P");
    }
    ibk_chain_free(&chain);
    return err;
}

/* P-15: after the echo of [y]P matched; with it an I_MESSAGE_1 that we could not read. */
static ibk_err remember(call *c) {
    ibk_session *s = c->s;
    ibk_err err = call_remember(c, &ibk_msg_find(c->msg, IBK_PL_T, 0)->t, call_ibake(c));
    if (!err && s->deferred) {
        err = call_remember(c, &s->t1, ibk_buf_span(&s->unread));
        err = err == IBK_ERR_CLOCK_SKEW ? IBK_OK : err; /* it has grown too old to be replayed */
        ibk_buf_free(&s->unread);
    }
    return err;
}

static ibk_err store_esk(call *c) {
    const ibk_payload *esk = ibk_msg_find(c->msg, IBK_PL_ESK, 0);
    if (!esk) {
        return c->s->deferred
                   ? call_fail(c, IBK_ERR_MISSING_PAYLOAD, "ESK", "deferred, yet without ESK") /* (N56) */
                   : IBK_OK;
    }
    ibk_buf_clear(&c->s->esk);
    ibk_err err = ibk_buf_append_span(&c->s->esk, esk->enc.data); /* §4.2.2.6 (N58) */
    return err ? call_fail(c, err, "ESK", "out of memory") : IBK_OK;
}

/* R_MESSAGE_2 will be encrypted to the initiator if ECCPTi came now: may be pending. */
static ibk_err check_reachable(call *c, const ibk_identity *idi) {
    const ibk_ibe_params *params;
    return c->s->deferred ? box_params(c, idi, &params) : IBK_OK;
}

ibk_err i_message_2_process(call *c) {
    ibk_session *s = c->s;
    ibk_identity idi, idr, peer = owned_id_get(&s->peer), local = owned_id_get(&s->local);
    ibk_buf plain = {0};
    ibk_err err = call_expect(c, payloads);
    err = err ? err : check_frame(c);
    err = err ? err : call_identities(c, &idi, &idr, true);
    err = err ? err : call_check_identity(c, IBK_DEFENCE_OUTER_IDENTITIES, &idi, &peer, "IDR");
    err = err ? err : call_check_identity(c, IBK_DEFENCE_OUTER_IDENTITIES, &idr, &local, "IDR"); /* (N51) */
    err = err ? err : check_reachable(c, &idi);
    int64_t dates[2] = {s->date_ns, c->now.utc_ns};
    err = err ? err : box_open(c, &idr, dates, 2, call_ibake(c), &plain, NULL); /* §4.2.2.6 */
    err = err ? err : take_content(c, ibk_buf_span(&plain), &idi, &idr);
    ibk_buf_free(&plain);
    err = err ? err : store_esk(c);
    err = err ? err : remember(c);
    if (!err) {
        s->t2 = ibk_msg_find(c->msg, IBK_PL_T, 0)->t;
        err = keys_agree(c, &s->own, &s->theirs, s->mpk, s->tgk);
        s->have_tgk = err == IBK_OK;
    }
    return err;
}
