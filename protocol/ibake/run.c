/* One step of a session: which row of the table, process, build, what the caller is told. */
#include "ibake/session_internal.h"

#include <string.h>

static void step_begin(ibk_session *s, ibk_step *step) {
    ibk_buf_clear(&s->out);
    s->out_type = 0;
    memset(step, 0, sizeof *step);
}

static void step_end(const ibk_session *s, ibk_step *step, ibk_step_kind kind) {
    step->kind = kind;
    step->state = s->state;
    step->waits_for = state_waits_for(s->state);
    if (s->out.len > 0) {
        step->message = ibk_buf_span(&s->out);
        step->message_type = s->out_type;
        session_trace(s, "sent", ibk_msg_type_name(s->out_type), NULL);
    }
}

static void close_refused(call *c, ibk_err err) {
    ibk_session *s = c->s;
    c->diag->err = err;
    s->diag = *c->diag;
    c->step->reason = err;
    c->step->peer_error = c->peer_error;
    session_trace(s, "rejected", c->msg ? ibk_msg_type_name(c->msg->hdr.data_type) : "start", c->diag);
    ibk_buf_clear(&s->out);
    s->out_type = 0;
    error_message_build(c, err);
    ibk_session_close(s, err);
    step_end(s, c->step, IBK_STEP_CLOSED);
}

static void set_deadline(ibk_session *s, ibk_time now, bool waits) {
    s->deadline = waits ? now.mono_ns + s->policy.timeout_ns : UINT64_MAX;
    if (s->deadline < now.mono_ns) {
        s->deadline = UINT64_MAX;
    }
}

static bool is_established(ibk_session_state state) {
    return state == IBK_STATE_ESTABLISHED || state == IBK_STATE_UPDATING;
}

/* An update that comes to nothing: the session goes on with what it had (RFC 6267 §5.3). */
static void refuse_update(call *c, ibk_err err) {
    ibk_session *s = c->s;
    c->diag->err = err;
    c->step->reason = err;
    c->step->peer_error = c->peer_error;
    session_trace(s, "rejected", c->msg ? ibk_msg_type_name(c->msg->hdr.data_type) : "update", c->diag);
    ibk_buf_clear(&s->out);
    s->out_type = 0;
    error_message_build(c, err);
    update_free(&s->update);
    s->state = IBK_STATE_ESTABLISHED;
    set_deadline(s, c->now, s->previous != NULL);
    step_end(s, c->step, IBK_STEP_DISCARDED);
}

static void refuse(call *c, ibk_err err) {
    if (is_established(c->s->state)) {
        refuse_update(c, err);
    } else {
        close_refused(c, err);
    }
}

static void enter(call *c, const transition *row) {
    ibk_session *s = c->s;
    bool waits = row->waits_for != 0, updated = is_established(row->state);
    s->state = row->next;
    set_deadline(s, c->now, waits || s->previous); /* an answered update waits to be confirmed (P-32) */
    session_trace(s, "state", ibk_session_state_name(s->state), NULL);
    step_end(s, c->step, waits ? IBK_STEP_WAIT : updated ? IBK_STEP_UPDATED : IBK_STEP_ESTABLISHED);
}

static void discard(ibk_session *s, ibk_step *step, ibk_err reason) {
    step->reason = reason;
    step->diag.err = reason;
    if (reason) {
        session_trace(s, "discarded", ibk_session_state_name(s->state), &step->diag);
    }
    step_end(s, step, IBK_STEP_DISCARDED);
}

/* Runs a row. On CALL_PENDING and CALL_DISCARD the session is as before. */
static void run_row(call *c, const transition *row) {
    ibk_err err = row->process ? row->process(c) : IBK_OK;
    if (!err && row->build) {
        err = row->build(c);
        if (err == CALL_PENDING && row->process) { /* found while processing, gone while building */
            err = call_fail(c, IBK_ERR_NO_PARAMS, "IDR", "the look-up changed its mind");
        }
    }
    if (err == CALL_PENDING) {
        if (c->s->state == IBK_STATE_ESTABLISHED) { /* the same call begins the update anew */
            update_free(&c->s->update);
        }
        c->step->state = c->s->state;
        c->step->waits_for = state_waits_for(c->s->state);
        return;
    }
    if (err == CALL_DISCARD) {
        discard(c->s, c->step, c->diag->err);
        return;
    }
    if (err) {
        refuse(c, err);
        return;
    }
    *c->diag = (ibk_diag){0}; /* what a first key that did not fit left behind */
    enter(c, row);
}

ibk_err ibk_session_start(ibk_session *session, ibk_time now, ibk_step *step) {
    const transition *row = transition_find(session->state, ON_START);
    if (!row) {
        return IBK_ERR_STATE;
    }
    step_begin(session, step);
    call c = {.s = session, .now = now, .step = step, .diag = &step->diag, .error_no = NO_ERROR_NO};
    run_row(&c, row);
    return IBK_OK;
}

static bool update_sound(const ibk_update_config *config) {
    bool curve = config->curve == 0 || (config->new_dh && sendable_curve(config->curve));
    return curve && (config->mki.len == 0 || (config->new_dh && config->mki.len <= 255));
}

ibk_err ibk_session_update(ibk_session *session, ibk_time now, const ibk_update_config *config,
                           ibk_step *step) {
    const transition *row = transition_find(session->state, ON_UPDATE);
    if (!row) {
        return IBK_ERR_STATE;
    }
    ibk_err err = update_sound(config) ? update_offer_sound(session, config) : IBK_ERR_USAGE;
    if (err) {
        return err;
    }
    step_begin(session, step);
    call c = {.s = session,
              .now = now,
              .step = step,
              .diag = &step->diag,
              .config = config,
              .error_no = NO_ERROR_NO};
    run_row(&c, row);
    return IBK_OK;
}

/* The fixed part of the header of octets that may be no message: who are they for? */
static bool glance(ibk_span message, uint8_t *data_type, uint32_t *csb_id) {
    if (message.len < 8) {
        return false;
    }
    const uint8_t *m = message.data;
    *data_type = m[1];
    *csb_id = (uint32_t)m[4] << 24 | (uint32_t)m[5] << 16 | (uint32_t)m[6] << 8 | m[7];
    return true;
}

/* The row for a message, or NULL: it is none of ours, or not for now. */
static const transition *choose_row(const ibk_session *s, ibk_span message, ibk_diag *diag) {
    uint8_t data_type;
    uint32_t csb_id;
    if (!glance(message, &data_type, &csb_id)) {
        ibk_fail(diag, IBK_ERR_TRUNCATED, "HDR", message.len, "%zu octets are no message", message.len);
        return NULL;
    }
    if (s->hdr.data_type && csb_id != s->hdr.csb_id && guards(s, IBK_DEFENCE_HEADER_REPEAT)) {
        ibk_fail(diag, IBK_ERR_MISMATCH, "HDR", 4, "CSB ID %08x is not this session's", (unsigned)csb_id);
        return NULL;
    }
    const transition *row = transition_find(s->state, data_type);
    if (!row || data_type == ON_START || data_type == ON_UPDATE) {
        ibk_fail(diag, IBK_ERR_UNEXPECTED_MESSAGE, "HDR", 1, "%s in %s", ibk_msg_type_name(data_type),
                 ibk_session_state_name(s->state));
        return NULL;
    }
    return row;
}

ibk_err ibk_session_recv(ibk_session *session, ibk_time now, ibk_span message, ibk_step *step) {
    step_begin(session, step);
    const transition *row = choose_row(session, message, &step->diag);
    if (!row) {
        discard(session, step, step->diag.err);
        return IBK_OK;
    }
    session_trace(session, "received", ibk_msg_type_name(row->message), NULL);
    ibk_msg msg = {0};
    call c = {.s = session, .now = now, .step = step, .diag = &step->diag, .error_no = NO_ERROR_NO};
    /* RFC 6267 §4.2.2.2, .4, .6, .8 (N32, N44, N57, N68): parsed as RFC 3830 says; what cannot be parsed ends
     * the exchange without an answer (N36, N47, N59, N70). */
    ibk_err err = ibk_msg_parse(&msg, message, &step->diag);
    if (err && (row->message == IBK_MSG_ERROR || row->process == update_glare)) {
        discard(session, step, err); /* neither is awaited */
    } else if (err) {
        refuse(&c, err);
    } else {
        c.msg = &msg;
        if (row->message == IBK_MSG_ERROR && session->policy.ignore_peer_errors) {
            discard(session, step, IBK_ERR_PEER_ERROR);
        } else {
            run_row(&c, row);
        }
    }
    ibk_msg_free(&msg);
    return IBK_OK;
}

ibk_err ibk_session_expire(ibk_session *session, ibk_time now, ibk_step *step) {
    step_begin(session, step);
    if (now.mono_ns < session->deadline) {
        discard(session, step, IBK_OK);
        return IBK_OK;
    }
    if (session->state == IBK_STATE_ESTABLISHED) { /* P-32 */
        ibk_session_confirm_update(session);
        discard(session, step, IBK_OK);
        return IBK_OK;
    }
    call c = {.s = session, .now = now, .step = step, .diag = &step->diag, .error_no = NO_ERROR_NO};
    ibk_fail(c.diag, IBK_ERR_TIMEOUT, NULL, 0, "no %s came",
             ibk_msg_type_name(state_waits_for(session->state)));
    refuse(&c, IBK_ERR_TIMEOUT);
    return IBK_OK;
}
