/* R_MESSAGE_1 = HDR, T, IDRi, IDRr, {SP}, IBAKE (RFC 6267 §4.2.2.3, §4.2.2.4). */
#include "ibake/session_internal.h"

/* ---- build (responder) ------------------------------------------------------------------------------ */

ibk_err r_message_1_build(call *c) {
    ibk_session *s = c->s;
    uint8_t curve = s->have_theirs ? s->theirs.curve : s->policy.curve;
    ibk_err err = keys_generate(s, &s->own, IBK_DRAW_Y, curve); /* P-20 */
    if (err) {
        return call_fail(c, err, "ECCPT", "no randomness for y");
    }
    call_keylog(s, IBK_KEYLOG_Y, 0, ibk_span_of(s->own.scalar, s->own.scalar_len));
    ibk_identity peer = owned_id_get(&s->peer);
    ibk_buf ibake = {0};
    /* §4.2.2.3: E(K_PUBi, IDRi || {ECCPTi} || IDRr || ECCPTr) (P-12); only ECCPTr if I_MESSAGE_1 could not be
     * read (N35, N43) */
    err = inner_seal(c, &peer, INNER_BOTH,
                     &(points){.i = s->have_theirs ? &s->theirs : NULL, .r = &s->own.pub}, &ibake);
    if (!err) {
        ibk_msg msg;
        call_begin(c, &msg, IBK_MSG_R_MESSAGE_1, true); /* §4.2.2.3 (N37, N38) */
        ibk_add_t(&msg.chain, &s->t1);                  /* (N39) */
        call_add_id(&msg, IBK_ROLE_I, &s->peer);        /* (N40, N41) */
        call_add_id(&msg, IBK_ROLE_R, &s->local);       /* (N42) */
        err = offer_finish(c, &msg, &ibake, NULL);
    }
    ibk_buf_free(&ibake);
    return err;
}

/* ---- process (initiator) ------------------------------------------------------------------------------- */

static const expect payloads[] = {{IBK_PL_T, 1, 1},   {IBK_PL_IDR, 2, 2},   {IBK_PL_SP, 0, 0},
                                  {IBK_PL_EXT, 0, 0}, {IBK_PL_IBAKE, 1, 1}, {0, 0, 0}};

/* P-19: the one asked answers, or policy may accept who does. Asked first: where no stand-in is accepted, no
 * stranger makes us fetch his domain's parameters. */
static ibk_err check_stand_in(call *c, const ibk_identity *idr) {
    ibk_identity asked = owned_id_get(&c->s->asked);
    if (guards(c->s, IBK_DEFENCE_ANSWERER_POLICY) && !ibk_identity_equal(&asked, idr) &&
        !c->s->node.accept_responder) {
        return call_fail(c, IBK_ERR_REFUSED, "IDR", "another than the one called answers; policy refuses");
    }
    return IBK_OK;
}

/* The same with all that is known: whether the answer echoes [x]P. */
static ibk_err check_responder(call *c, const ibk_identity *idr, bool echoed) {
    const ibk_node *node = &c->s->node;
    ibk_identity asked = owned_id_get(&c->s->asked);
    if (!echoed && !c->s->policy.allow_missing_echo) {
        return call_fail(c, IBK_ERR_ECHO_MISMATCH, "IBAKE", "[y]P alone, and policy wants the echo of [x]P");
    }
    if (ibk_identity_equal(&asked, idr) || !guards(c->s, IBK_DEFENCE_ANSWERER_POLICY)) {
        return IBK_OK;
    }
    if (!node->accept_responder(node->user, &asked, idr, echoed)) { /* is there: check_stand_in */
        return call_fail(c, IBK_ERR_REFUSED, "IDR", "another than the one called answers; policy refuses");
    }
    return IBK_OK;
}

static ibk_err take_content(call *c, ibk_span plain, const ibk_identity *idr) {
    ibk_session *s = c->s;
    ibk_identity local = owned_id_get(&s->local);
    ibk_chain chain = {0};
    inner in;
    ibk_err err = inner_parse(c, &in, INNER_BOTH, &chain, plain);
    err = err ? err : inner_check_ids(c, &in, &local, idr);
    if (!err && in.eccpt_i) { /* first: the node is told of an echo that was compared */
        err = inner_check_echo(c, in.eccpt_i, &s->own.pub); /* P-16 */
    }
    err = err ? err : check_responder(c, idr, in.eccpt_i != NULL);
    err = err ? err : inner_point(c, in.eccpt_r, &s->theirs);
    /* Who could not read [x]P does not know its curve: I_MESSAGE_2 will bring another one (P-28). */
    if (!err && in.eccpt_i && s->theirs.curve != s->own.curve) {
        err = call_unsupported(c, IBK_ERR_UNSUPPORTED, IBK_ERRNO_DH, "ECCPT",
                               "[y]P is on another curve than [x]P");
    }
    s->have_theirs = err == IBK_OK;
    s->deferred = !err && !in.eccpt_i; /* §4.2.2.4 (N45) */
    ibk_chain_free(&chain);
    return err;
}

/* What I_MESSAGE_2 will need, before anything is changed: it may be pending. */
static ibk_err check_reachable(call *c, const ibk_identity *idr) {
    const ibk_ibe_params *params;
    ibk_identity asked = owned_id_get(&c->s->asked); /* an ESK goes to the one who was called */
    ibk_err err = box_params(c, idr, &params);
    return err ? err : box_params(c, &asked, &params);
}

ibk_err r_message_1_process(call *c) {
    ibk_session *s = c->s;
    ibk_identity idi, idr, local = owned_id_get(&s->local);
    int64_t dates[2] = {s->date_ns, c->now.utc_ns};
    ibk_buf plain = {0};
    ibk_err err = call_expect(c, payloads);
    err = err ? err : call_same_time(c, &s->t1, "not the T of I_MESSAGE_1"); /* §4.2.2.3 (N39) */
    err = err ? err : call_same_hdr(c);                                      /* (N37) */
    err = err ? err : call_identities(c, &idi, &idr, true);
    err = err ? err : call_check_identity(c, IBK_DEFENCE_OUTER_IDENTITIES, &idi, &local, "IDR"); /* (N41) */
    err = err ? err : offer_check_answer(c);
    err = err ? err : check_stand_in(c, &idr);
    err = err ? err : check_reachable(c, &idr);
    err = err ? err : box_open(c, &idi, dates, 2, call_ibake(c), &plain, NULL); /* §4.2.2.4 */
    err = err ? err : take_content(c, ibk_buf_span(&plain), &idr);
    ibk_buf_free(&plain);
    err = err ? err : owned_id_set(&s->peer, &idr);
    return err ? err : offer_adopt_answer(c);
}
