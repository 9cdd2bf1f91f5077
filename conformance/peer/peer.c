/* The peer itself: which message is awaited, and what follows. */
#include "peer/internal.h"
#include "peer/knob.h"

#include <stdlib.h>
#include <string.h>

static ibk_err draw(void *user, ibk_draw_label label, uint8_t *out, size_t len) {
    return px_draw_octets(user, label, out, len);
}

static ibk_err check(const peer_config *c) {
    bool exchange = c->role == PEER_INITIATOR || c->role == PEER_RESPONDER || c->role == PEER_MAILBOX;
    bool self = c->role == PEER_USER || c->self.data.len > 0;
    bool other = (c->role != PEER_INITIATOR && c->role != PEER_USER) || c->other.data.len > 0;
    bool asks = c->role != PEER_USER || (c->n_asks > 0 && (c->pke || c->psk.len > 0));
    bool known = exchange || c->role == PEER_USER || c->role == PEER_KMS;
    return known && self && other && asks && c->n_domains > 0 && c->n_sessions < 255 ? IBK_OK : IBK_ERR_USAGE;
}

ibk_err peer_new(peer **out, const peer_config *config) {
    *out = NULL;
    PX_TRY(check(config));
    peer *p = calloc(1, sizeof *p);
    if (!p)
        return IBK_ERR_NO_MEMORY;
    p->c = *config;
    p->env = (ibk_env){.user = p, .draw = draw};
    p->counter = config->counter;
    p->result = (peer_result){.told = -1, .state = config->role == PEER_KMS ? PEER_SERVING : PEER_NEW};
    ibk_err err = config->deviation && !px_knob_find(config->deviation, &p->knob, &p->knob_kind)
                      ? IBK_ERR_USAGE
                      : IBK_OK;
    if (!err)
        err = px_random_seed(&p->random, config->seed);
    if (!err && config->role == PEER_INITIATOR) {
        err = px_name_set(&p->idi, config->self);
        err = err ? err : px_name_set(&p->idr, config->other);
        err = err ? err : px_name_set(&p->called, config->other);
    }
    if (err)
        peer_free(p);
    else
        *out = p;
    return err;
}

void peer_free(peer *p) {
    if (!p)
        return;
    px_octets *const all[] = {&p->map,    &p->rand,     &p->idi.data, &p->idr.data,     &p->called.data,
                              &p->t,      &p->t_before, &p->scalar,   &p->own,          &p->own_before,
                              &p->theirs, &p->initial,  &p->session,  &p->next_session, &p->mki,
                              &p->sk,     &p->esk,      &p->envelope, &p->kms_data};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        px_free(all[i]);
    for (size_t i = 0; i < sizeof p->known_points / sizeof *p->known_points; i++)
        px_free(&p->known_points[i]);
    for (size_t i = 0; i < sizeof p->t_used / sizeof *p->t_used; i++)
        px_free(&p->t_used[i]);
    for (size_t i = 0; i < PX_KEYS_MAX; i++) {
        px_free(&p->private_keys[i].identity);
        px_free(&p->private_keys[i].der);
    }
    for (size_t i = 0; i < sizeof p->asked / sizeof *p->asked; i++)
        px_free(&p->asked[i]);
    px_chain_free(&p->offer);
    px_chain_free(&p->update_offer);
    ibk_wipe(p, sizeof *p);
    free(p);
}

void peer_set_clock(peer *p, uint64_t utc_ms) {
    p->c.utc_ms = utc_ms;
}

/* ---- starting
 * ---------------------------------------------------------------------------------------------- */

ibk_err peer_start(peer *p, ibk_buf *message) {
    bool initiator = p->c.role == PEER_INITIATOR;
    if (p->result.state != PEER_NEW || (!initiator && p->c.role != PEER_USER))
        return IBK_ERR_STATE;
    PX_TRY(initiator ? px_make_i1(p, message) : px_make_request(p, message));
    p->result.state = PEER_WAITING;
    return IBK_OK;
}

ibk_err peer_update(peer *p, const peer_change *change, ibk_buf *message) {
    if (p->result.state != PEER_ESTABLISHED)
        return IBK_ERR_STATE;
    PX_TRY(px_make_u1(p, change, message));
    p->result.state = PEER_UPDATING;
    return IBK_OK;
}

ibk_err peer_error(peer *p, uint8_t number, ibk_buf *message) {
    px_draft *d = px_draft_begin(p, PX_ERROR);
    if (!d)
        return IBK_ERR_NO_MEMORY;
    px_put_span(&px_add(&d->chain, PX_T)->body, px_span(&p->t));
    px_octets *body = &px_add(&d->chain, PX_ERR)->body;
    px_put8(body, number);
    px_put16(body, 0);
    return px_send(p, d, message);
}

/* ---- receiving
 * --------------------------------------------------------------------------------------------- */

typedef struct step {
    px_kind kind;
    bool (*judge)(peer *p, px_received m, ibk_err *err);
    ibk_err (*answer)(peer *p, ibk_buf *out); /* NULL: nothing follows */
    peer_state then;
} step;

/* What is awaited in this state. */
static bool awaited(const peer *p, uint8_t data_type, step *s) {
    static const step i1 = {PX_I1, px_judge_i1, px_make_r1, PEER_WAITING},
                      r1 = {PX_R1, px_judge_r1, px_make_i2, PEER_WAITING},
                      i2 = {PX_I2, px_judge_i2, px_make_r2, PEER_ESTABLISHED},
                      r2 = {PX_R2, px_judge_r2, NULL, PEER_ESTABLISHED},
                      u1 = {PX_U1, px_judge_u1, px_make_u2, PEER_ESTABLISHED},
                      u2 = {PX_U2, px_judge_u2, NULL, PEER_ESTABLISHED},
                      resp = {PX_RESP, px_judge_response, NULL, PEER_FINISHED},
                      psk = {PX_QPSK, px_judge_request, px_make_response, PEER_SERVING},
                      pke = {PX_QPKE, px_judge_request, px_make_response, PEER_SERVING};
    bool initiator = px_initiates(p);
    switch (p->result.state) {
    case PEER_NEW:
        *s = i1;
        return p->c.role == PEER_RESPONDER || p->c.role == PEER_MAILBOX;
    case PEER_WAITING:
        *s = p->c.role == PEER_USER ? resp : !initiator ? i2 : px_span(&p->theirs).len ? r2 : r1;
        if (p->result.deferred && s->kind != PX_RESP)
            s->kind = s->kind == PX_I2 ? PX_I2D : PX_R2D;
        return true;
    case PEER_ESTABLISHED:
        *s = u1;
        return true;
    case PEER_UPDATING:
        *s = u2;
        return true;
    case PEER_SERVING:
        *s = data_type == px_data_type(PX_QPKE) ? pke : psk;
        return true;
    default:
        return false;
    }
}

static void receive_error(peer *p, const px_draft *d) {
    const px_part *err = px_find(&d->chain, PX_ERR, 0, NULL);
    p->result.told = err ? px_span(&err->body).data[0] : 12;
    if (!err)
        px_finding(p, "3830-32", "an Error message names no error");
    if (d->csb_id != p->csb_id)
        px_finding(p, "3830-32", "the CSB ID of an Error message is another");
    if (p->result.state != PEER_SERVING)
        p->result.state = p->result.state == PEER_UPDATING ? PEER_ESTABLISHED : PEER_TOLD;
}

static void judge(peer *p, px_received m, const step *s, bool whole, ibk_err *err, bool *good) {
    px_judge_header(p, m.d);
    if (whole)
        px_judge_parts(p, m.d);
    px_judge_time(p, m.d);
    px_judge_map(p, m.d);
    *good = whole && s->judge(p, m, err);
}

/* Views of what the peer keeps. */
static void show(peer *p) {
    peer_id other = px_id_of(px_initiates(p) ? &p->idr : &p->idi);
    if (p->c.role == PEER_USER || p->c.role == PEER_KMS)
        other = (peer_id){0};
    p->result.other = other;
    p->result.sk = px_span(&p->sk);
    p->result.esk = px_span(&p->esk);
    p->result.mki = px_span(&p->mki);
    p->result.curve = p->curve;
}

static ibk_err receive(peer *p, px_received m, px_draft *d, ibk_buf *answer) {
    px_reader reader = px_reader_of(p);
    ibk_err err = IBK_OK;
    step s = {.kind = PX_ERROR};
    bool expected = awaited(p, m.octets.len > 1 ? m.octets.data[1] : 0, &s), good = false;
    p->judging = expected ? s.kind : PX_ERROR;
    if (expected && m.octets.len > 1 && m.octets.data[0] != 1 && m.octets.data[1] != px_data_type(s.kind))
        px_finding(p, "3830-45", "the message does not begin with HDR");
    bool whole = px_read_message(&reader, m.octets, d, &err);
    if (!err && whole && d->data_type == px_data_type(PX_ERROR)) {
        receive_error(p, d);
        return IBK_OK;
    }
    if (err || !expected)
        return err;
    if (d->data_type != px_data_type(s.kind)) {
        px_finding_of(p, PX_RULE_PARSE, "another message than the one that is awaited");
        return IBK_OK;
    }
    judge(p, m, &s, whole, &err, &good);
    if (!err && good && s.answer)
        err = s.answer(p, answer);
    if (p->result.state != PEER_SERVING)
        p->result.state = good ? s.then : PEER_STUCK;
    if (good && (s.kind == PX_U1 || s.kind == PX_U2))
        p->result.updates++;
    if (good && s.kind == PX_U1 && p->new_dh)
        px_set(&p->session, px_span(&p->next_session));
    return err;
}

ibk_err peer_receive(peer *p, ibk_span message, ibk_buf *answer) {
    px_draft *d = px_draft_new(PX_ERROR);
    if (!d)
        return IBK_ERR_NO_MEMORY;
    ibk_err err = receive(p, (px_received){d, message}, d, answer);
    px_draft_free(d);
    return err;
}

/* ---- looking
 * ------------------------------------------------------------------------------------------------ */

const peer_result *peer_look(const peer *p) {
    show((peer *)p);
    return &p->result;
}

size_t peer_private_keys(const peer *p) {
    return p->n_private;
}

bool peer_private_key(const peer *p, size_t i, ibk_span *ibe_identity, ibk_span *der) {
    if (i >= p->n_private)
        return false;
    *ibe_identity = px_span(&p->private_keys[i].identity);
    *der = px_span(&p->private_keys[i].der);
    return true;
}
