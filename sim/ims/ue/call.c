/* A call as both ends have it: its legs, its timers, its end. */
#include "ims/ue/internal.h"

#include <stdlib.h>
#include <string.h>

ue_moment ue_call_now(const ue_call *call) {
    return (ue_moment){ims_host_now(call->u->host), true};
}

void ue_call_state(ue_call *call, const char *state) {
    trace *t = call->u->host->world->trace;
    trace_begin(t, TRACE_STATE, call->u->host->name, state);
    trace_str(t, "role", call->view.caller ? "caller" : "callee");
    if (call->script)
        trace_str(t, "scenario_call", call->script->name);
    trace_str(t, "call", call->view.call_id[0] ? call->view.call_id : NULL);
    trace_end(t);
}

static uint16_t next_port(ue *u) {
    uint16_t port = u->next_rtp_port;
    u->next_rtp_port = (uint16_t)(port + 2 < 32000 ? port + 2 : 20000);
    return port;
}

void ue_call_have_stream(ue_call *call, unsigned stream) {
    if (call->rtp_port[stream])
        return;
    call->rtp_port[stream] = next_port(call->u);
    call->ssrc[stream] = (uint32_t)(sim_random_u64(call->u->host->sip_random) >> 32) | 1;
}

ue_call *ue_call_new(ue *u, const scn_call *script, bool caller) {
    if (!IBK_ROOM(u->calls, u->call_count, u->call_cap))
        return NULL;
    ue_call *call = calloc(1, sizeof *call);
    if (!call)
        return NULL;
    *call = (ue_call){.u = u, .script = script, .view = {.script = script, .caller = caller}};
    call->rtp_port[UE_AUDIO] = next_port(u);
    uint64_t random = sim_random_u64(u->host->sip_random);
    call->ssrc[UE_AUDIO] = (uint32_t)(random >> 32) | 1; /* 0 means "not yet known" in a MIKEY map */
    call->sdp_session_id = (uint32_t)random;
    const ue_end end = {.u = u, .index = u->call_count};
    if (script && ue_scripts_add_end(u->scripts, script, &end)) {
        free(call);
        return NULL;
    }
    u->calls[u->call_count++] = call;
    return call;
}

void ue_call_release(ue_call *call) {
    ims_host_cancel(call->u->host, &call->plan_timer);
    ims_host_cancel(call->u->host, &call->cancel_timer);
    ims_host_cancel(call->u->host, &call->guard_timer);
    ims_host_cancel(call->u->host, &call->vanish_timer);
    ims_host_cancel(call->u->host, &call->answer_timer);
    ue_midcall_free(call);
    ue_session_timer_free(call);
    ue_leg_release(call->offer);
    for (ue_leg *leg = call->legs; leg; leg = leg->next)
        ue_leg_release(leg);
    ibk_buf_free(&call->sk);
    content_store_free(&call->encoded);
    ue_mailbox_delivered(call);
}

void ue_call_drop_legs(ue_call *call) {
    for (ue_leg *leg = call->legs, *next; leg; leg = next) {
        next = leg->next;
        ue_leg_free(leg);
    }
    if (call->offer)
        ue_leg_free(call->offer);
    call->legs = call->leg = call->offer = NULL;
}

void ue_call_free(ue_call *call) {
    ue_call_release(call);
    ue_call_drop_legs(call);
    free(call->target);
    free(call->view.updates);
    free(call->view.exchanges);
    free(call);
}

void ue_call_adopt_keys(const ue_leg *leg) {
    ue_call_view *view = &leg->call->view;
    view->has_keys = leg->has_keys;
    memcpy(view->key_digest, leg->key_digest, sizeof view->key_digest);
}

void ue_call_take_reason(ue_call *call) {
    const ue_leg *leg = call->offer;
    if (call->view.reason || call->view.established.set)
        return;
    if (!leg || !leg->reason)
        for (leg = call->legs; leg && !leg->reason;)
            leg = leg->next;
    if (leg) {
        call->view.reason = leg->reason;
        call->view.diag = leg->diag;
    }
}

/* ---- the end
 * ---------------------------------------------------------------------------------------------------- */

static void close_sessions(ue_call *call, ibk_err reason) {
    if (call->offer && call->offer->session)
        ibk_session_close(call->offer->session, reason);
    for (ue_leg *leg = call->legs; leg; leg = leg->next)
        if (leg->session)
            ibk_session_close(leg->session, reason);
}

void ue_call_give_up(ue_call *call, ibk_err reason, const ibk_diag *diag) {
    trace *t = call->u->host->world->trace;
    ue_call_take_reason(call);
    if (!call->view.reason) {
        call->view.reason = reason;
        if (diag)
            call->view.diag = *diag;
    }
    trace_begin(t, TRACE_ERROR, call->u->host->name, "call-given-up");
    trace_str(t, "call", call->view.call_id[0] ? call->view.call_id : NULL);
    trace_diag(t, call->view.reason, call->view.diag.err ? &call->view.diag : NULL);
    trace_end(t);
    close_sessions(call, reason);
    if (call->sip) {
        ue_call_hang_up(call, "MIKEY;cause=0");
    } else {
        call->view.ended = ue_call_now(call);
        ue_call_release(call);
    }
}

void ue_call_hang_up(ue_call *call, const char *reason) {
    call->leaving = true;
    ue_media_hush(call->leg);
    sip_call_hangup(call->sip, reason);
}

static void end_as_planned(void *arg) {
    ue_call *call = arg;
    call->plan_timer = 0;
    call->view.planned_end = true;
    if (call->sip)
        ue_call_hang_up(call, NULL);
}

/* From the ACK on: the party that the scenario names sends the BYE. */
void ue_call_plan_end(ue_call *call) {
    if (call->script && (call->script->hang_up == SCN_CALLER) == call->view.caller && !call->plan_timer)
        call->plan_timer = ims_host_timer(call->u->host, call->script->duration_ns, end_as_planned, call);
}

/* ---- callbacks of the SIP layer
 * ------------------------------------------------------------------------------------ */

static void on_incoming(void *user, sip_call *sip, const sip_msg *invite) {
    ue_callee_incoming(user, sip, invite);
}

static void on_acked(void *user, sip_call *sip, sip_leg *leg, const sip_msg *ack) {
    ue_call *call = sip_call_user(sip);
    (void)user, (void)ack;
    if (call && call->midcall)
        ue_midcall_acked(call);
    else if (call)
        ue_callee_acked(call, leg);
}

static void on_progress(void *user, sip_call *sip, sip_leg *leg, const sip_msg *response, bool reliable) {
    (void)user;
    if (sip_call_user(sip))
        ue_caller_progress(sip_call_user(sip), leg, response, reliable);
}

static void on_answered(void *user, sip_call *sip, sip_leg *leg, const sip_msg *response) {
    (void)user;
    if (sip_call_user(sip))
        ue_caller_answered(sip_call_user(sip), leg, response);
}

static void on_request(void *user, sip_call *sip, sip_leg *leg, sip_server *server, const sip_msg *request) {
    (void)user;
    ue_call *call = sip_call_user(sip);
    if (call && call->midcall)
        ue_midcall_request(call, leg, server, request);
    else if (call && !call->view.caller)
        ue_callee_request(call, leg, server, request);
    else if (call && (sip_is(request, "UPDATE") || sip_is(request, "INVITE"))) /* R_MESSAGE_2 is on its way */
        ue_midcall_not_now(call, leg, server);
    else
        sip_leg_reply(leg, server, 488, NULL, NULL, (ibk_span){0});
}

static void on_response(void *user, sip_call *sip, sip_leg *leg, const char *method, const sip_msg *response,
                        sip_cause cause) {
    (void)user;
    ue_call *call = sip_call_user(sip);
    ue_leg *own = call ? ue_leg_of(call, leg) : NULL;
    if (!own || ue_session_timer_response(call, method, response))
        return;
    if (call->midcall)
        ue_midcall_response(call, method, response, cause);
    else
        ue_caller_response(own, method, response, cause);
}

/* A final answer may carry the responder's Error message (RFC 4567 §4.1.2): it tells why. */
static void read_error_body(ue_call *call, const sip_msg *last) {
    ibk_buf mikey = {0};
    ibk_step step;
    ue_leg *leg = call->legs ? call->legs : call->offer;
    if (!last || last->is_request || !call->view.caller || !leg || !leg->session || call->view.reason ||
        !sip_has_body_type(last, UE_SDP_TYPE))
        return;
    if (ue_sdp_read_answer(leg, last, &mikey, NULL) == IBK_OK && mikey.len &&
        ibk_session_recv(leg->session, ims_host_time(call->u->host), ibk_buf_span(&mikey), &step) == IBK_OK &&
        step.kind == IBK_STEP_CLOSED)
        ue_leg_note_reason(leg, step.reason, &step.diag);
    ibk_buf_free(&mikey);
}

static void on_ended(void *user, sip_call *sip, sip_cause cause, const sip_msg *last) {
    ue_call *call = sip_call_user(sip);
    (void)user;
    if (!call)
        return;
    call->sip = NULL;
    if (ue_caller_redirected(call, last))
        return;
    call->view.cause = cause;
    call->view.ended = ue_call_now(call);
    if (last && !last->is_request)
        call->view.sip_status = last->status;
    read_error_body(call, last);
    ue_call_take_reason(call);
    bool fault = last && sip_header_get(last, "Reason"); /* a BYE that nobody planned tells why */
    if (cause == SIP_CAUSE_BYE && !fault && call->script && call->view.established.set &&
        (call->script->hang_up == SCN_CALLER) != call->view.caller)
        call->view.planned_end = true;
    ue_call_state(call, "ended");
    ue_call_release(call);
}

const sip_ua_ops ue_ua_ops = {
    .incoming = on_incoming,
    .acked = on_acked,
    .progress = on_progress,
    .answered = on_answered,
    .request = on_request,
    .response = on_response,
    .ended = on_ended,
    .outside = ue_outside,
};
