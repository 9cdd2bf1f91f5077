/* The messages of a CSB update (RFC 6267 §5.3). `starter` is who sends its I_MESSAGE_1: the Initiator or the
 * Responder of the initial exchange, whose roles stay (P-30).
 *
 *     I_MESSAGE_1 = HDR, T, [IDRi], [IDRr], {SP}, [IBAKE]         by the Responder: IDRr, IDRi
 *     R_MESSAGE_1 = HDR, T, [IDRi], [IDRr], {SP}, [IBAKE], V
 *     IBAKE of I_MESSAGE_1 = E(K_PUBr, IDRi || ECCPTi || IDRr)    by the Responder: E(K_PUBi, IDRr || ECCPTr
 * || IDRi) IBAKE of R_MESSAGE_1 = E(K_PUB of the starter, IDRi || ECCPTi || IDRr || ECCPTr)
 */
#include "ibake/session_internal.h"

static bool is_initiator(const call *c) {
    return c->s->role == IBK_SESSION_INITIATOR;
}

/* Own and the other side's ECCPT of an IBAKE's content. */
static const ibk_payload *own_eccpt(const call *c, const inner *in) {
    return is_initiator(c) ? in->eccpt_i : in->eccpt_r;
}

static const ibk_payload *their_eccpt(const call *c, const inner *in) {
    return is_initiator(c) ? in->eccpt_r : in->eccpt_i;
}

static points points_of(const call *c, const ibk_ec_point *own, const ibk_ec_point *theirs, ibk_span mki) {
    return is_initiator(c) ? (points){.i = own, .r = theirs, .mki = mki}
                           : (points){.i = theirs, .r = own, .mki = mki};
}

/* P-20: fresh for each update. */
static ibk_err draw_own(call *c, update *u, uint8_t curve) {
    ibk_session *s = c->s;
    bool initiator = is_initiator(c);
    ibk_err err = keys_generate(s, &u->own, initiator ? IBK_DRAW_X : IBK_DRAW_Y, curve);
    if (err) {
        return call_fail(c, err, "ECCPT", "no randomness for x or y");
    }
    call_keylog(s, initiator ? IBK_KEYLOG_X : IBK_KEYLOG_Y, 0, ibk_span_of(u->own.scalar, u->own.scalar_len));
    return IBK_OK;
}

/* HDR, T, the identities in the order of who sends first, further policies. */
static ibk_err begin(call *c, ibk_msg *msg, const update *u, uint8_t data_type, bool r_first) {
    const ibk_session *s = c->s;
    const owned_id *idi = is_initiator(c) ? &s->local : &s->peer;
    const owned_id *idr = is_initiator(c) ? &s->peer : &s->local;
    call_begin(c, msg, data_type, data_type == IBK_MSG_I_MESSAGE_1); /* no message answers R_MESSAGE_1 here */
    msg->hdr.n_cs = u->n_cs;
    msg->hdr.map = ibk_buf_span(&u->map);
    ibk_add_t(&msg->chain, &u->t);
    call_add_id(msg, r_first ? IBK_ROLE_R : IBK_ROLE_I, r_first ? idr : idi);
    call_add_id(msg, r_first ? IBK_ROLE_I : IBK_ROLE_R, r_first ? idi : idr);
    update_offer_add(u, msg);
    return msg->chain.err;
}

static ibk_err check_identities(call *c) {
    const ibk_session *s = c->s;
    ibk_identity idi, idr, local = owned_id_get(&s->local), peer = owned_id_get(&s->peer);
    ibk_err err = call_identities(c, &idi, &idr, false);
    if (!err && idi.id.len > 0) {
        err = call_check_identity(c, IBK_DEFENCE_OUTER_IDENTITIES, &idi, is_initiator(c) ? &local : &peer,
                                  "IDR");
    }
    if (!err && idr.id.len > 0) {
        err = call_check_identity(c, IBK_DEFENCE_OUTER_IDENTITIES, &idr, is_initiator(c) ? &peer : &local,
                                  "IDR");
    }
    return err;
}

static ibk_err check_inner_ids(call *c, const inner *in) {
    ibk_identity local = owned_id_get(&c->s->local), peer = owned_id_get(&c->s->peer);
    return is_initiator(c) ? inner_check_ids(c, in, &local, &peer) : inner_check_ids(c, in, &peer, &local);
}

/* A permitted curve, and a point that was not in use before: nobody knows its logarithm any more (P-20). */
static ibk_err take_point(call *c, const ibk_payload *eccpt, ibk_ec_point *out) {
    ibk_err err = inner_point(c, eccpt, out);
    if (!err && guards(c->s, IBK_DEFENCE_FRESH_POINT) &&
        (ibk_ec_point_equal(out, &c->s->theirs) || ibk_ec_point_equal(out, &c->s->own.pub))) {
        err = call_fail(c, IBK_ERR_REPLAYED, "IBAKE", "the ECDH value of before");
    }
    return err;
}

static ibk_span mki_of(const ibk_payload *eccpt) {
    return eccpt && eccpt->eccpt.kv.type == IBK_KV_SPI ? eccpt->eccpt.kv.spi : (ibk_span){0};
}

/* ---- I_MESSAGE_1: build (starter) ------------------------------------------------------------------------
 */

static ibk_err seal_i_message_1(call *c, update *u, ibk_buf *ibake) {
    ibk_session *s = c->s;
    ibk_identity peer = owned_id_get(&s->peer);
    ibk_err err = draw_own(c, u, c->config->curve ? c->config->curve : s->policy.curve);
    err = err ? err : ibk_buf_append_span(&u->mki, c->config->mki);
    if (err) {
        return err == IBK_ERR_NO_MEMORY ? call_fail(c, err, NULL, "out of memory") : err;
    }
    points both = points_of(c, &u->own.pub, NULL, ibk_buf_span(&u->mki));
    return inner_seal(c, &peer, is_initiator(c) ? INNER_I_MESSAGE_1 : INNER_UPDATE_BY_R, &both, ibake);
}

static ibk_err write_i_message_1(call *c, const update *u, ibk_span ibake) {
    ibk_msg msg;
    ibk_err err = begin(c, &msg, u, IBK_MSG_I_MESSAGE_1, !is_initiator(c));
    if (ibake.len > 0) {
        ibk_add_enc(&msg.chain, IBK_PL_IBAKE, ibake);
    }
    ibk_err written = call_finish(c, &msg);
    return err ? call_fail(c, err, NULL, "out of memory") : written;
}

ibk_err update_i_message_1_build(call *c) {
    ibk_session *s = c->s;
    ibk_identity peer = owned_id_get(&s->peer);
    const ibk_ibe_params *params;
    ibk_t t;
    ibk_buf ibake = {0};
    bool new_dh = c->config->new_dh;
    ibk_err err =
        new_dh ? box_params(c, &peer, &params) : IBK_OK; /* before anything is drawn: may be pending */
    err = err ? err : update_next_time(c, &t);           /* (N75) */
    err = err ? err : call_date(c, &t, &s->date_ns);
    err = err ? err : update_new(c, &s->update, &t);
    if (err) {
        return err;
    }
    update *u = s->update;
    u->new_dh = new_dh;
    err = update_offer_from_config(c, u);
    err = err ? err : new_dh ? seal_i_message_1(c, u, &ibake) : update_keep_keys(c, u);
    err = err ? err : write_i_message_1(c, u, ibk_buf_span(&ibake));
    ibk_buf_free(&ibake);
    return err;
}

/* ---- I_MESSAGE_1: process (answerer) ----------------------------------------------------------------------
 */

/* No RAND (N77), no ESK; what SHOULD NOT recur (N76) is compared if it does. */
static const expect in_i_message_1[] = {{IBK_PL_T, 1, 1},   {IBK_PL_IDR, 0, 2},   {IBK_PL_SP, 0, 0},
                                        {IBK_PL_EXT, 0, 0}, {IBK_PL_IBAKE, 0, 1}, {0, 0, 0}};

static ibk_err check_frame(call *c, const ibk_t *t) {
    ibk_err err = call_check_time(c, t, call_ibake(c)); /* skew; P-15 */
    err = err ? err : update_check_time(c, t);          /* (N75) */
    if (!err && c->msg->hdr.prf != c->s->hdr.prf && guards(c->s, IBK_DEFENCE_HEADER_REPEAT)) {
        err = call_fail(c, IBK_ERR_MISMATCH, "HDR", "another PRF than that of the initial exchange");
    }
    return err ? err : check_identities(c);
}

static ibk_err take_offer(call *c, update *u, ibk_span plain) {
    ibk_chain chain = {0};
    inner in;
    ibk_err err = inner_parse(c, &in, is_initiator(c) ? INNER_UPDATE_BY_R : INNER_I_MESSAGE_1, &chain, plain);
    err = err ? err : check_inner_ids(c, &in);
    err = err ? err : take_point(c, their_eccpt(c, &in), &u->theirs);
    if (!err && (err = ibk_buf_append_span(&u->mki, mki_of(their_eccpt(c, &in)))) != IBK_OK) {
        err = call_fail(c, err, NULL, "out of memory");
    }
    ibk_chain_free(&chain);
    return err;
}

/* The identity of today: that of the date in T, as in the initial exchange. */
static ibk_err open_offer(call *c, update *u) {
    ibk_session *s = c->s;
    ibk_identity peer = owned_id_get(&s->peer), local = owned_id_get(&s->local);
    const ibk_ibe_params *params;
    int64_t dates[DATES_MAX];
    ibk_buf plain = {0};
    size_t n = call_dates(c, &u->t, dates);
    ibk_err err = box_params(c, &peer, &params); /* R_MESSAGE_1 will want them: may be pending */
    err = err ? err : box_open(c, &local, dates, n, call_ibake(c), &plain, &s->date_ns);
    err = err ? err : take_offer(c, u, ibk_buf_span(&plain));
    ibk_buf_free(&plain);
    if (!err && s->node.replay) { /* P-15: after a valid IBE decryption */
        err = call_remember(c, &u->t, call_ibake(c));
    }
    return err;
}

ibk_err update_i_message_1_process(call *c) {
    update *u = NULL;
    ibk_err err = call_expect(c, in_i_message_1);
    const ibk_payload *t = ibk_msg_find(c->msg, IBK_PL_T, 0);
    err = err ? err : check_frame(c, &t->t);
    err = err ? err : update_new(c, &u, &t->t);
    if (!err) {
        u->new_dh = ibk_msg_find(c->msg, IBK_PL_IBAKE, 0) != NULL;
        err = update_offer_take(c, u);
    }
    if (!err) {
        err = u->new_dh ? open_offer(c, u) : update_keep_keys(c, u);
    }
    if (err) {
        update_free(&u);
        return err;
    }
    c->s->update = u;
    return IBK_OK;
}

ibk_err update_glare(call *c) {
    call_fail(c, IBK_ERR_STATE, "HDR", "an update of ours waits for its answer");
    return CALL_DISCARD;
}

/* ---- R_MESSAGE_1: build (answerer) ------------------------------------------------------------------------
 */

static ibk_err seal_r_message_1(call *c, update *u, ibk_buf *ibake) {
    ibk_identity peer = owned_id_get(&c->s->peer);
    ibk_err err = draw_own(c, u, u->theirs.curve);
    if (err) {
        return err;
    }
    points both = points_of(c, &u->own.pub, &u->theirs, ibk_buf_span(&u->mki));
    err = inner_seal(c, &peer, INNER_BOTH, &both, ibake);
    return err ? err : keys_agree(c, &u->own, &u->theirs, u->mpk, u->tgk);
}

/* (N79), (N80), P-31 */
static v_key key_of(const call *c, const update *u) {
    return (v_key){.mpk = u->new_dh ? u->mpk : c->s->mpk, .log = u->new_dh};
}

ibk_err update_r_message_1_build(call *c) {
    ibk_session *s = c->s;
    update *u = s->update;
    ibk_buf ibake = {0};
    ibk_err err = u->new_dh ? seal_r_message_1(c, u, &ibake) : IBK_OK;
    if (!err) {
        ibk_msg msg;
        v_key key = key_of(c, u);
        err = begin(c, &msg, u, IBK_MSG_R_MESSAGE_1, false);
        if (ibake.len > 0) {
            ibk_add_enc(&msg.chain, IBK_PL_IBAKE, ibk_buf_span(&ibake));
        }
        ibk_add_v(&msg.chain, v_alg(s));
        ibk_err written = v_finish(c, &msg, &key);
        err = err ? call_fail(c, err, NULL, "out of memory") : written;
    }
    ibk_buf_free(&ibake);
    if (!err) {
        update_done(s, false);
    }
    return err;
}

/* ---- R_MESSAGE_1: process (starter) -----------------------------------------------------------------------
 */

static const expect in_r_message_1[] = {{IBK_PL_T, 1, 1},   {IBK_PL_IDR, 0, 2},   {IBK_PL_SP, 0, 0},
                                        {IBK_PL_EXT, 0, 0}, {IBK_PL_IBAKE, 0, 1}, {IBK_PL_V, 1, 1},
                                        {0, 0, 0}};

static ibk_err check_answer(call *c, const update *u) {
    const ibk_hdr *got = &c->msg->hdr, *want = &c->s->hdr;
    ibk_err err = call_same_time(c, &u->t, "not the T of the update's I_MESSAGE_1");
    if (err) {
        return err;
    }
    bool repeated = guards(c->s, IBK_DEFENCE_HEADER_REPEAT);
    if (repeated && (got->prf != want->prf || got->n_cs != u->n_cs || got->map_type != want->map_type)) {
        return call_fail(c, IBK_ERR_MISMATCH, "HDR", "PRF, #CS or CS ID map type differ from I_MESSAGE_1");
    }
    if (call_ibake(c).len > 0 && !u->new_dh) {
        return call_fail(c, IBK_ERR_UNEXPECTED_PAYLOAD, "IBAKE", "we sent no ECDH value");
    }
    if (call_ibake(c).len == 0 && u->new_dh) {
        return call_fail(c, IBK_ERR_MISSING_PAYLOAD, "IBAKE", "no echo of our ECDH value");
    }
    return check_identities(c);
}

static ibk_err take_answer(call *c, update *u, ibk_span plain) {
    ibk_chain chain = {0};
    inner in;
    ibk_err err = inner_parse(c, &in, INNER_BOTH, &chain, plain);
    err = err ? err : check_inner_ids(c, &in);
    bool echo = guards(c->s, IBK_DEFENCE_ECHO);
    if (!err && echo && !own_eccpt(c, &in)) { /* INNER_BOTH leaves ECCPTi out where it could not be read */
        err = call_fail(c, IBK_ERR_ECHO_MISMATCH, "IBAKE", "no echo of our ECDH value");
    }
    if (!err && !their_eccpt(c, &in)) {
        err = call_fail(c, IBK_ERR_MISSING_PAYLOAD, "IBAKE", "no new ECDH value of the other side");
    }
    err = err ? err : inner_check_echo(c, own_eccpt(c, &in), &u->own.pub);
    err = err ? err : take_point(c, their_eccpt(c, &in), &u->theirs);
    if (!err && u->theirs.curve != u->own.curve) {
        err =
            call_unsupported(c, IBK_ERR_UNSUPPORTED, IBK_ERRNO_DH, "ECCPT", "the answer is on another curve");
    }
    if (!err && guards(c->s, IBK_DEFENCE_HEADER_REPEAT) &&
        (!ibk_span_equal(mki_of(in.eccpt_i), ibk_buf_span(&u->mki)) ||
         !ibk_span_equal(mki_of(in.eccpt_r), ibk_buf_span(&u->mki)))) {
        err = call_fail(c, IBK_ERR_MISMATCH, "IBAKE", "the answer does not repeat the MKI of the new keys");
    }
    ibk_chain_free(&chain);
    return err;
}

static ibk_err open_answer(call *c, update *u) {
    ibk_session *s = c->s;
    ibk_identity local = owned_id_get(&s->local);
    int64_t dates[2] = {s->date_ns, c->now.utc_ns};
    ibk_buf plain = {0};
    ibk_err err = box_open(c, &local, dates, 2, call_ibake(c), &plain, NULL);
    err = err ? err : take_answer(c, u, ibk_buf_span(&plain));
    ibk_buf_free(&plain);
    return err ? err : keys_agree(c, &u->own, &u->theirs, u->mpk, u->tgk);
}

ibk_err update_r_message_1_process(call *c) {
    ibk_session *s = c->s;
    update *u = s->update;
    ibk_err err = call_expect(c, in_r_message_1);
    err = err ? err : check_answer(c, u);
    if (!err && u->new_dh) {
        err = open_answer(c, u);
    }
    if (!err) {
        v_key key = key_of(c, u);
        err = v_check(c, &key);
    }
    err = err ? err : update_offer_check(c, u);
    if (!err) {
        update_done(s, true);
    }
    return err;
}
