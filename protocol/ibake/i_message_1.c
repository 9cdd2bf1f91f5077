/* I_MESSAGE_1 = HDR, T, RAND, IDRi, IDRr, {SP}, IBAKE, [ESK] (RFC 6267 §4.2.2.1, §4.2.2.2). */
#include "ibake/session_internal.h"

/* ---- build (initiator) --------------------------------------------------------------------------- */

static ibk_err draw_csb_id(call *c, const ibk_identity *peer) {
    ibk_session *s = c->s;
    for (int i = 0; i < CSB_ID_DRAWS; i++) {
        uint8_t octets[4];
        ibk_err err = s->env.draw(s->env.user, IBK_DRAW_CSB_ID, octets, sizeof octets); /* §4.2.2.1 (N29) */
        if (err) {
            return call_fail(c, err, "HDR", "no random CSB ID");
        }
        uint32_t id =
            (uint32_t)octets[0] << 24 | (uint32_t)octets[1] << 16 | (uint32_t)octets[2] << 8 | octets[3];
        /* RFC 3830 §6.1 (N47, N48): unique between the two */
        if (!s->node.csb_id_in_use || !guards(s, IBK_DEFENCE_CSB_UNIQUE) ||
            !s->node.csb_id_in_use(s->node.user, id, peer)) {
            s->hdr.csb_id = id;
            return IBK_OK;
        }
    }
    return call_fail(c, IBK_ERR_LIMIT, "HDR", "every CSB ID drawn is in use");
}

static ibk_err draw_secrets(call *c) {
    ibk_session *s = c->s;
    ibk_err err = ibk_buf_resize(&s->rand, RAND_LEN); /* RFC 3830 §6.11 (N54, N56) */
    err = err ? err : s->env.draw(s->env.user, IBK_DRAW_RAND, s->rand.data, s->rand.len);
    err = err ? err : keys_generate(s, &s->own, IBK_DRAW_X, s->policy.curve); /* P-20, P-21 */
    if (err) {
        return call_fail(c, err, NULL, "no randomness for RAND or x");
    }
    call_keylog(s, IBK_KEYLOG_X, 0, ibk_span_of(s->own.scalar, s->own.scalar_len));
    return IBK_OK;
}

static ibk_err write_message(call *c, const ibk_buf *ibake, const ibk_buf *esk) {
    ibk_session *s = c->s;
    ibk_msg msg;
    call_begin(c, &msg, IBK_MSG_I_MESSAGE_1, true); /* §6.1 (N84) */
    ibk_add_t(&msg.chain, &s->t1);                  /* §4.2.2.1 (N28) */
    ibk_add_rand(&msg.chain, ibk_buf_span(&s->rand));
    call_add_id(&msg, IBK_ROLE_I, &s->local); /* §4.2.2.1 (N30) */
    call_add_id(&msg, IBK_ROLE_R, &s->peer);
    return offer_finish(c, &msg, ibake, esk);
}

ibk_err i_message_1_build(call *c) {
    ibk_session *s = c->s;
    ibk_identity peer = owned_id_get(&s->peer);
    const ibk_ibe_params *params;
    ibk_err err = box_params(c, &peer, &params); /* before anything is drawn: it may be pending */
    err = err ? err : draw_csb_id(c, &peer);
    err = err ? err : call_next_time(c, &s->t1);
    err = err ? err : call_date(c, &s->t1, &s->date_ns);
    err = err ? err : draw_secrets(c);
    if (err) {
        return err;
    }
    s->hdr.data_type = IBK_MSG_I_MESSAGE_1;
    ibk_buf ibake = {0}, esk = {0};
    err = inner_seal(c, &peer, INNER_I_MESSAGE_1, &(points){.i = &s->own.pub}, &ibake);
    if (!err && s->esk_use != IBK_ESK_NONE) {
        err = esk_build(c, &esk); /* (N31) */
    }
    err = err ? err : write_message(c, &ibake, &esk);
    ibk_buf_free(&ibake);
    ibk_buf_free(&esk);
    return err;
}

/* ---- process (responder) ---------------------------------------------------------------------------- */

static const expect payloads[] = {
    {IBK_PL_T, 1, 1},   {IBK_PL_RAND, 1, 1},  {IBK_PL_IDR, 2, 2}, {IBK_PL_SP, 0, 0},
    {IBK_PL_EXT, 0, 0}, {IBK_PL_IBAKE, 1, 1}, {IBK_PL_ESK, 0, 1}, {0, 0, 0}};

static ibk_err check_hdr(call *c) {
    const ibk_hdr *hdr = &c->msg->hdr; /* the V flag is ignored: §6.1 (N85) */
    if (hdr->prf > 31 || !(c->s->policy.prfs & 1u << hdr->prf) || ibk_prf_hash_len(hdr->prf) == 0) {
        return call_unsupported(c, IBK_ERR_UNSUPPORTED, IBK_ERRNO_PRF, "HDR", "PRF not accepted");
    }
    if (ibk_msg_find(c->msg, IBK_PL_RAND, 0)->rand.data.len < IBK_RAND_MIN) {
        return call_fail(c, IBK_ERR_BAD_LENGTH, "RAND", "shorter than 16 octets"); /* RFC 3830 §6.11 (N56) */
    }
    return IBK_OK;
}

static ibk_err check_parties(call *c, const ibk_identity *idi, const ibk_identity *idr) {
    const ibk_node *node = &c->s->node;
    if (guards(c->s, IBK_DEFENCE_CSB_UNIQUE) && node->csb_id_in_use &&
        node->csb_id_in_use(node->user, c->msg->hdr.csb_id, idi)) {
        return call_fail(c, IBK_ERR_REFUSED, "HDR", "this CSB ID is in use with this initiator"); /* N47 */
    }
    if (node->accept_initiator && !node->accept_initiator(node->user, idi, idr)) {
        return call_unsupported(c, IBK_ERR_NOT_AUTHORIZED, IBK_ERRNO_ID, "IDR",
                                "this initiator is not accepted");
    }
    return IBK_OK;
}

/* Decrypts with the K_PR of the received IDRr: §4.2.2.2 (N33). Without such a key the exchange goes on as
 * deferred, if policy says so (N35); a key whose check fails ends it (P-16). */
static ibk_err open_offer(call *c, const ibk_identity *idr, const ibk_t *t, ibk_buf *plain, bool *readable) {
    ibk_session *s = c->s;
    int64_t dates[DATES_MAX];
    size_t n = call_dates(c, t, dates);
    s->date_ns = n ? dates[0] : c->now.utc_ns;
    ibk_err err = box_open(c, idr, dates, n, call_ibake(c), plain, &s->date_ns);
    *readable = err == IBK_OK;
    if (err == IBK_ERR_NO_KEY && s->policy.answer_undecryptable) {
        *c->diag = (ibk_diag){0};
        return IBK_OK;
    }
    return err;
}

static ibk_err take_point(call *c, ibk_span plain, const ibk_identity *idi, const ibk_identity *idr) {
    ibk_session *s = c->s;
    ibk_chain chain = {0};
    inner in;
    ibk_err err = inner_parse(c, &in, INNER_I_MESSAGE_1, &chain, plain);
    err = err ? err : inner_check_ids(c, &in, idi, idr);
    err = err ? err : inner_point(c, in.eccpt_i, &s->theirs);
    ibk_chain_free(&chain);
    s->have_theirs = err == IBK_OK;
    return err;
}

/* The session takes over what the message says. */
static ibk_err adopt(call *c, const ibk_identity *idi, const ibk_identity *idr, bool readable) {
    ibk_session *s = c->s;
    const ibk_msg *msg = c->msg;
    const ibk_payload *esk = ibk_msg_find(msg, IBK_PL_ESK, 0);
    s->t1 = ibk_msg_find(msg, IBK_PL_T, 0)->t;
    s->deferred = !readable;
    ibk_err err = owned_id_set(&s->peer, idi);
    err = err ? err : owned_id_set(&s->asked, idr);
    err = err ? err : ibk_buf_append_span(&s->rand, ibk_msg_find(msg, IBK_PL_RAND, 0)->rand.data);
    if (!err && esk) {
        err = ibk_buf_append_span(&s->esk, esk->enc.data);
    }
    if (!err && !readable) {
        err = ibk_buf_append_span(&s->unread, call_ibake(c));
    }
    if (err) {
        return call_fail(c, err, NULL, "out of memory");
    }
    return offer_take(c);
}

static ibk_err check_offer(call *c, const ibk_identity *idi, const ibk_identity *idr, ibk_buf *plain) {
    const ibk_t *t = &ibk_msg_find(c->msg, IBK_PL_T, 0)->t;
    const ibk_ibe_params *params;
    bool readable;
    ibk_err err = check_parties(c, idi, idr);
    err = err ? err : box_params(c, idi, &params); /* R_MESSAGE_1 will want them: may be pending */
    err = err ? err : open_offer(c, idr, t, plain, &readable);
    if (err) {
        return err;
    }
    if (readable) {
        err = take_point(c, ibk_buf_span(plain), idi, idr);
        err = err ? err : call_remember(c, t, call_ibake(c)); /* P-15: after a valid IBE decryption */
    }
    return err ? err : adopt(c, idi, idr, readable);
}

ibk_err i_message_1_process(call *c) {
    ibk_identity idi, idr;
    ibk_buf plain = {0};
    ibk_err err = call_expect(c, payloads);
    err = err ? err : call_check_time(c, &ibk_msg_find(c->msg, IBK_PL_T, 0)->t, call_ibake(c));
    err = err ? err : check_hdr(c);
    err = err ? err : call_identities(c, &idi, &idr, true); /* §4.2.2.1 (N30) */
    err = err ? err : check_offer(c, &idi, &idr, &plain);
    ibk_buf_free(&plain);
    return err;
}
