/* The callee: reads I_MESSAGE_1 from the INVITE, answers with R_MESSAGE_1 in a reliable 183, takes
 * I_MESSAGE_2 from the PRACK and gives R_MESSAGE_2 in its 200; only then does it ring (P-13). */
#include "ims/ue/internal.h"

#include <stdio.h>
#include <string.h>

static void reject(ue_leg *leg, int status, const char *why, ibk_span mikey) {
    const ue_call *call = leg->call;
    sip_msg *response = call->sip ? sip_call_response(call->sip, status, NULL) : NULL;
    ibk_buf body = {0};
    if (!response)
        return;
    if (status == 488) /* RFC 4567 §4.1.2: 399 is "miscellaneous" */
        sip_warning_add(response, 399, call->u->host->name, why);
    if (mikey.len && leg->remote && ue_sdp_write(leg, &body, true, mikey) == IBK_OK)
        sip_msg_set_body(response, UE_SDP_TYPE, ibk_buf_span(&body));
    ibk_buf_free(&body);
    sip_call_respond(call->sip, response, false);
}

/* Ends the exchange on this side: an answer to the PRACK, if one waits, then to the INVITE; with `reinvite`
 * the INVITE may have been answered already, and it is a BYE that ends the call. */
static void refuse(ue_leg *leg, ibk_err reason, const ibk_diag *diag, ibk_span mikey) {
    ue_call *call = leg->call;
    trace *t = call->u->host->world->trace;
    ue_leg_note_reason(leg, reason, diag);
    ue_call_take_reason(call); /* who called need not acknowledge it: an adversary's call may never end */
    trace_begin(t, TRACE_ERROR, call->u->host->name, "call-refused");
    trace_str(t, "call", call->view.call_id);
    trace_diag(t, reason, diag);
    trace_end(t);
    if (leg->pending_server) {
        sip_server *server = leg->pending_server;
        leg->pending_server = NULL;
        sip_server_watch(server, NULL, NULL);
        sip_leg_reply(leg->sip, server, 488, NULL, NULL, (ibk_span){0});
    }
    /* An identity whose keys we lack is "not acceptable here" as well: 488 (RFC 4567 §4.1.2). */
    if (call->view.established.set)
        ue_call_give_up(leg->call, reason, diag);
    else
        reject(leg, 488, ibk_err_text(reason), mikey);
}

static bool is_busy(const ue *u, const ue_call *incoming) {
    if (u->user->busy != SCN_BUSY_IN_CALL)
        return u->user->busy == SCN_BUSY_ALWAYS;
    for (size_t i = 0; i < u->call_count; i++)
        if (u->calls[i] != incoming && !u->calls[i]->view.ended.set)
            return true;
    return false;
}

static ibk_err ring(ue_call *call);

/* Without SCN_DEFENCE(REQUIRE_KEY_MGMT): a call like any other, with RTP. */
static void ring_plainly(ue_leg *leg) {
    ibk_err err = ue_media_open(leg);
    if (!err)
        err = ring(leg->call);
    if (err)
        refuse(leg, err, NULL, (ibk_span){0});
}

void ue_callee_incoming(ue *u, sip_call *sip, const sip_msg *invite) {
    ue_call *call = ue_call_new(u, ue_scripts_find(u->scripts, invite->call_id), false);
    ue_leg *leg = call ? ue_leg_new(call, NULL) : NULL;
    if (!leg) {
        sip_call_reply(sip, 500, false, NULL, (ibk_span){0});
        return;
    }
    ibk_buf mikey = {0};
    ibk_diag diag = {0};
    call->sip = sip;
    call->leg = leg;
    call->view.invite = ue_call_now(call);
    snprintf(call->view.call_id, sizeof call->view.call_id, "%s", invite->call_id);
    sip_call_set_user(sip, call);
    ue_call_state(call, "incoming");
    if (u->switched_off || is_busy(u, call)) {
        sip_call_reply(sip, u->switched_off ? 480 : 486, false, NULL, (ibk_span){0});
        return;
    }
    if (!sip_call_can_100rel(sip)) {
        reject(leg, 421, "100rel is needed", (ibk_span){0}); /* RFC 3262 §3: Extension Required */
        return;
    }
    ibk_err err = ue_sdp_read_offer(leg, invite, &mikey, &diag);
    leg->plain = !err && mikey.len == 0 && !ue_guards(u, SCN_DEFENCE(REQUIRE_KEY_MGMT)) && !u->mailbox;
    if (leg->plain) {
        ring_plainly(leg);
        return;
    }
    if (!err && mikey.len == 0)
        err = ibk_fail(&diag, IBK_ERR_MISSING_PAYLOAD, "a=key-mgmt", 0, "the offer carries no MIKEY message");
    ibk_peek peek;
    if (!err && ibk_message_peek(&peek, ibk_buf_span(&mikey), NULL) == IBK_OK) {
        call->local = ue_answers_as(u, peek.responder.id);
        call->generator.csb_id = peek.csb_id;
    }
    if (!err)
        err = ue_leg_open_session(leg, NULL, ibk_span_str(UE_MIKEY));
    if (err)
        refuse(leg, err, &diag, (ibk_span){0});
    else
        ue_leg_receive_mikey(leg, ibk_buf_span(&mikey));
    ibk_buf_free(&mikey);
}

static bool late(const ue_call *call) { /* R_MESSAGE_1 goes into the 200, I_MESSAGE_2 comes in a re-INVITE */
    return call->script && call->script->carrier == SCN_CARRIER_REINVITE;
}

static ibk_err send_200(ue_call *call) {
    ibk_buf body = {0};
    ue_leg *leg = call->leg;
    bool describes = leg->held_message.len || leg->plain;
    ibk_err err = describes ? ue_sdp_write(leg, &body, true, ibk_buf_span(&leg->held_message)) : IBK_OK;
    sip_msg *response = err ? NULL : sip_call_response(call->sip, 200, NULL);
    if (response && body.len)
        sip_msg_set_body(response, UE_SDP_TYPE, ibk_buf_span(&body));
    ue_session_timer_answer(response, sip_call_invite_msg(call->sip));
    ibk_buf_free(&body);
    return err ? err : sip_call_respond(call->sip, response, false);
}

static void answer(void *arg) {
    ue_call *call = arg;
    call->plan_timer = 0;
    if (!call->sip)
        return;
    ibk_err err = send_200(call);
    if (err) {
        ue_call_give_up(call, err, NULL);
        return;
    }
    const sip_leg *leg = sip_call_active_leg(call->sip);
    snprintf(call->view.to_tag, sizeof call->view.to_tag, "%s", sip_leg_dialog(leg)->local_tag);
    call->view.established = ue_call_now(call);
    ue_call_state(call, "answered");
}

static ibk_err answer_i_message_2(ue_leg *leg, ibk_span mikey) {
    ibk_buf body = {0};
    sip_server *server = leg->pending_server;
    if (!server)
        return IBK_ERR_STATE;
    ibk_err err = ue_sdp_write(leg, &body, true, mikey);
    if (!err) {
        leg->pending_server = NULL;
        sip_server_watch(server, NULL, NULL);
        err = sip_leg_reply(leg->sip, server, 200, NULL, UE_SDP_TYPE, ibk_buf_span(&body));
    }
    ibk_buf_free(&body);
    return err;
}

static ibk_err ring(ue_call *call) {
    const scn_user *user = call->u->user;
    ibk_err err = sip_call_reply(call->sip, 180, false, NULL, (ibk_span){0});
    uint64_t ring_ns = user->has_ring_time ? user->ring_ns : call->script ? call->script->ring_ns : 0;
    call->view.provisional = ue_call_now(call);
    if (user->answers)
        call->plan_timer = ims_host_timer(call->u->host, ring_ns, answer, call);
    return err;
}

static ibk_err send_183(ue_leg *leg, ibk_span mikey) {
    ibk_buf body = {0};
    ibk_err err = ue_sdp_write(leg, &body, true, mikey);
    if (!err)
        err = sip_call_reply(leg->call->sip, 183, true, UE_SDP_TYPE, ibk_buf_span(&body));
    ibk_buf_free(&body);
    return err;
}

static bool is_own(const ue_leg *leg) {
    ibk_identity caller = ibk_session_peer(leg->session), own = ibk_session_local(leg->session);
    return ibk_identity_equal(&caller, &own);
}

/* I_MESSAGE_2 in a re-INVITE: the answer is what the caller waits for with its content, so it goes out when
 * we can open that. */
static ibk_err answer_late(ue_leg *leg) {
    ibk_buf mikey = leg->held_message;
    leg->held_message = (ibk_buf){0};
    ibk_err err = answer_i_message_2(leg, ibk_buf_span(&mikey));
    ibk_buf_free(&mikey);
    return err;
}

/* The keys are there; so must be that of the content, if there is any, before the phone rings. */
static void go_on(ue_leg *leg) {
    ibk_diag diag = {0};
    ibk_err err = ue_content_unlock(leg, &diag);
    leg->locked = err == IBK_ERR_STATE;
    if (leg->locked)
        return;
    if (!err)
        err = ue_media_open(leg);
    if (!err)
        err = late(leg->call) ? answer_late(leg) : ring(leg->call);
    if (err)
        refuse(leg, err, diag.err ? &diag : NULL, (ibk_span){0});
}

void ue_callee_keys_arrived(ue_leg *leg) {
    if (leg->locked)
        go_on(leg);
}

void ue_callee_step(ue_leg *leg, const ibk_step *step) {
    ue_call *call = leg->call;
    ibk_err err = IBK_OK;
    if (!call->sip)
        return;
    switch (step->kind) {
    case IBK_STEP_WAIT:
        if (call->u->mailbox && is_own(leg)) { /* a delivery that was diverted back */
            reject(leg, 486, "this is the caller", (ibk_span){0});
            return;
        }
        ue_content_negotiate(leg);
        if (late(call)) {
            err = ibk_buf_append_span(&leg->held_message, step->message);
            err = err ? err : ring(call);
        } else {
            err = send_183(leg, step->message);
        }
        break;
    case IBK_STEP_ESTABLISHED:
        if (late(call)) {
            ibk_buf_clear(&leg->held_message); /* R_MESSAGE_1, which is out */
            err = ibk_buf_append_span(&leg->held_message, step->message);
        } else {
            err = answer_i_message_2(leg, step->message);
        }
        if (!err) {
            go_on(leg);
            return;
        }
        break;
    case IBK_STEP_DISCARDED:
        if (leg->pending_server)
            refuse(leg, step->reason, &step->diag, (ibk_span){0});
        return;
    default:
        refuse(leg, step->reason, &step->diag, step->message);
        return;
    }
    if (err)
        refuse(leg, err, NULL, (ibk_span){0});
}

static void request_ended(void *user, sip_server *server, sip_cause cause) {
    ue_leg *leg = user;
    (void)server, (void)cause;
    leg->pending_server = NULL;
}

void ue_callee_request(ue_call *call, sip_leg *sip, sip_server *server, const sip_msg *request) {
    static const sip_server_ops ops = {.terminated = request_ended};
    ue_leg *leg = call->leg;
    ibk_buf mikey = {0};
    ibk_diag diag = {0};
    bool prack = strcmp(request->method, "PRACK") == 0;
    leg->sip = sip;
    if (prack && !sip_has_body_type(request, UE_SDP_TYPE)) {
        sip_leg_reply(sip, server, 200, NULL, NULL, (ibk_span){0});
        return;
    }
    if (leg->plain) { /* what was agreed stays */
        bool offer = sip_has_body_type(request, UE_SDP_TYPE);
        sip_leg_reply(sip, server, offer ? 488 : 200, NULL, NULL, (ibk_span){0});
        return;
    }
    bool carrier = prack || strcmp(request->method, "UPDATE") == 0 || strcmp(request->method, "INVITE") == 0;
    if (carrier && !prack && leg->keyed) { /* what belongs into mid call has overtaken the ACK */
        ue_midcall_not_now(call, sip, server);
        return;
    }
    if (!carrier || leg->keyed || leg->pending_server) {
        sip_leg_reply(sip, server, leg->pending_server ? 491 : 488, NULL, NULL, (ibk_span){0});
        return;
    }
    leg->pending_server = server;
    sip_server_watch(server, &ops, leg);
    ibk_err err = ue_sdp_read_offer(leg, request, &mikey, &diag);
    if (!err && mikey.len == 0)
        err = ibk_fail(&diag, IBK_ERR_MISSING_PAYLOAD, "a=key-mgmt", 0, "the offer carries no MIKEY message");
    if (err)
        refuse(leg, err, &diag, (ibk_span){0});
    else
        ue_leg_receive_mikey(leg, ibk_buf_span(&mikey));
    ibk_buf_free(&mikey);
}

/* With I_MESSAGE_2 in a re-INVITE there are two: that of the INVITE starts the clock, that of the re-INVITE
 * the media. */
void ue_callee_acked(ue_call *call, sip_leg *sip) {
    ue_leg *leg = call->leg;
    if (!call->acked.set) {
        call->acked = ue_call_now(call);
        leg->sip = sip;
        ue_session_timer_start(call, sip_call_invite_msg(call->sip));
        ue_call_plan_end(call);
    }
    if (!leg->media || call->leaving)
        return;
    ue_media_talk(leg);
    ibk_err err = leg->plain ? IBK_OK : ue_midcall_start(leg);
    if (err)
        ue_call_give_up(call, err, NULL);
}
