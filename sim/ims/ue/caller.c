/* The caller: I_MESSAGE_1 in the INVITE, R_MESSAGE_1 in the reliable 183, I_MESSAGE_2 in the PRACK,
 * R_MESSAGE_2 in the 200 (PRACK). Or, as the scenario says, the last two in an UPDATE after the PRACK, or
 * R_MESSAGE_1 in the 200 (INVITE) and the last two in a re-INVITE after its ACK. No media before R_MESSAGE_2
 * is verified (P-13). */
#include "ims/ue/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void cancel(void *arg) {
    ue_call *call = arg;
    call->cancel_timer = 0;
    if (call->sip && !call->view.established.set) {
        call->view.planned_end = true;
        ue_call_hang_up(call, NULL);
    }
}

/* To names the user who was called first; a redirection changes the Request-URI, and with Call-ID and From
 * the INVITE stays one of the same call (RFC 3261 §8.1.3.4). */
static sip_msg *new_invite(ue_call *call) {
    ue *u = call->u;
    sip_arena arena = {0};
    sip_name_addr from = {0}, to = {0};
    sip_uri target;
    sip_msg *invite = NULL;
    if (sip_uri_parse(&arena, &from.uri, u->user->identity, NULL) == IBK_OK &&
        sip_uri_parse(&arena, &to.uri, call->script->called_as, NULL) == IBK_OK &&
        sip_uri_parse(&arena, &target, call->target, NULL) == IBK_OK)
        invite = sip_ua_request(u->ua, "INVITE", &target, &from, &to);
    if (invite && call->redirections) {
        invite->call_id = sip_arena_str(&invite->arena, call->view.call_id);
        sip_param_set(&invite->arena, &invite->from.params, "tag", call->from_tag);
        invite->cseq += call->redirections;
    }
    if (invite) { /* the preloaded route: P-CSCF, then the Service-Route (TS 24.229 §5.1.2A) */
        sip_name_addr door = {.uri = sip_uri_make(&arena, NULL, u->pcscf, 0, SIP_PROTO_NONE, true)};
        sip_route_append(invite, &door);
        for (size_t i = 0; i < u->service_route_count; i++)
            sip_route_append(invite, &u->service_route[i]);
        sip_header_add_addr(invite, "P-Preferred-Identity", &from);
    }
    sip_arena_free(&arena);
    return invite;
}

static void vanish(void *arg) {
    ue_call *call = arg;
    const scn_call *script = call->script;
    call->vanish_timer = 0;
    call->u->cut_off(call->u->cut_off_user, script->vanisher == SCN_CALLER ? script->from : script->to);
}

/* A UAC may limit how long it waits (RFC 3261 §13.2.1). Proxies give up after their timer C, so that only who
 * is cut off from them comes to this. */
#define ANSWER_WAIT (240 * SIP_S)

static void no_answer(void *arg) {
    ue_call *call = arg;
    ibk_diag diag = {0};
    call->answer_timer = 0;
    ibk_fail(&diag, IBK_ERR_TIMEOUT, "INVITE", 0, "no final answer");
    ue_call_give_up(call, IBK_ERR_TIMEOUT, &diag);
}

static void plan(ue_call *call) {
    call->answer_timer = ims_host_timer(call->u->host, ANSWER_WAIT, no_answer, call);
    if (call->script->cancel)
        call->cancel_timer = ims_host_timer(call->u->host, call->script->cancel_ns, cancel, call);
    if (call->script->vanishes && call->u->cut_off)
        call->vanish_timer = ims_host_timer(call->u->host, call->script->vanish_ns, vanish, call);
}

static ibk_err send_invite(ue_leg *offer, ibk_span mikey) {
    ibk_buf body = {0};
    ue_call *call = offer->call;
    sip_msg *invite = new_invite(call);
    ibk_err err = invite ? ue_sdp_write(offer, &body, false, mikey) : IBK_ERR_NO_MEMORY;
    if (!err)
        err = ue_scripts_enter(call->u->scripts, invite->call_id, call->script);
    if (err) {
        sip_msg_free(invite);
    } else {
        sip_msg_set_body(invite, UE_SDP_TYPE, ibk_buf_span(&body));
        ue_session_timer_offer(call, invite);
        snprintf(call->view.call_id, sizeof call->view.call_id, "%s", invite->call_id);
        snprintf(call->from_tag, sizeof call->from_tag, "%s", sip_from_tag(invite));
        err = sip_call_invite(call->u->ua, &call->sip, invite, NULL, call);
    }
    ibk_buf_free(&body);
    return err;
}

/* A fresh exchange with call->target. */
static void begin(ue_call *call) {
    ibk_identity peer = ibk_identity_uri(call->target);
    call->offer = calloc(1, sizeof *call->offer);
    ibk_err err = call->offer ? IBK_OK : IBK_ERR_NO_MEMORY;
    if (!err) {
        *call->offer = (ue_leg){.call = call, .sdp_version = 1 + call->redirections};
        err = ue_content_encode(call);
    }
    if (!err) {
        call->offer->container = call->delivers || call->encoded.count > 0;
        err = ue_leg_open_session(call->offer, &peer, ibk_span_str(UE_MIKEY));
    }
    if (err)
        ue_call_give_up(call, err, NULL);
    else
        ue_leg_start_session(call->offer);
}

static ue_call *place(ue *u, const scn_call *script, ue_message *delivers) {
    ue_call *call = ue_call_new(u, script, true);
    if (!call)
        return NULL;
    call->view.invite = ue_call_now(call);
    ue_call_state(call, "call");
    call->delivers = delivers;
    call->target = strdup(script->called_as);
    if (call->target)
        begin(call);
    else
        ue_call_give_up(call, IBK_ERR_NO_MEMORY, NULL);
    return call;
}

void ue_place_call(ue *u, const scn_call *script) {
    place(u, script, NULL);
}

bool ue_caller_deliver(ue *u, const scn_call *plan, ue_message *message) {
    return place(u, plan, message) != NULL;
}

/* RFC 6267 §3.2, first scenario: the caller learns the new target and begins anew with it. Whom it lets take
 * the place of the one it called is the same question as for an answer (P-19). */
bool ue_caller_redirected(ue_call *call, const sip_msg *last) {
    enum { MAX_REDIRECTIONS = 5 };
    sip_arena arena = {0};
    if (!call->view.caller || !last || last->is_request || last->status / 100 != 3 || !last->contact_count ||
        call->redirections == MAX_REDIRECTIONS)
        return false;
    const char *to = sip_uri_aor(&arena, &last->contact[0].uri);
    char *target = to ? strdup(to) : NULL;
    sip_arena_free(&arena);
    ibk_identity asked = ibk_identity_uri(call->target), next = ibk_identity_uri(target ? target : "");
    if (!target || !ue_accepts_responder(call->u, &asked, &next, false)) {
        free(target);
        return false;
    }
    free(call->target);
    call->target = target;
    call->redirections++;
    ue_call_drop_legs(call);
    ue_call_state(call, "redirected");
    begin(call);
    return true;
}

static ibk_err send_prack(ue_leg *leg, ibk_span mikey) {
    ibk_buf body = {0};
    ibk_err err = leg->pending_response && leg->sip ? ue_sdp_write(leg, &body, false, mikey) : IBK_ERR_STATE;
    if (!err)
        err = sip_leg_prack(leg->sip, leg->pending_response, UE_SDP_TYPE, ibk_buf_span(&body));
    leg->r_message_2_due = !err;
    sip_msg_free(leg->pending_response);
    leg->pending_response = NULL;
    ibk_buf_free(&body);
    return err;
}

static void nothing_left(void *arg) {
    ue_call *call = arg;
    call->guard_timer = 0;
    ue_call_give_up(call, IBK_ERR_TIMEOUT, NULL);
}

/* One dialog's exchange has failed: that dialog is ended by BYE, the others and the INVITE go on. The final
 * answer of the INVITE comes of the BYE (487) or of another branch; it is waited for 64*T1 if no dialog is
 * left. */
static void give_up_leg(ue_leg *leg, ibk_err reason, const ibk_diag *diag) {
    ue_call *call = leg->call;
    trace *t = call->u->host->world->trace;
    trace_begin(t, TRACE_ERROR, call->u->host->name, "leg-given-up");
    trace_str(t, "call", call->view.call_id);
    trace_diag(t, reason, diag && diag->err ? diag : NULL);
    trace_end(t);
    sip_leg_end(leg->sip, "MIKEY;cause=0");
    ue_leg_release(leg);
    for (leg = call->legs; leg && leg->over;)
        leg = leg->next;
    if (!leg && !call->guard_timer)
        call->guard_timer = ims_host_timer(call->u->host, 32 * SIP_S, nothing_left, call);
}

static void give_up(ue_leg *leg, ibk_err reason, const ibk_diag *diag) {
    ue_leg_note_reason(leg, reason, diag);
    if (leg->pending_response) { /* the 183 is acknowledged all the same: RFC 3262 §4 */
        sip_leg_prack(leg->sip, leg->pending_response, NULL, (ibk_span){0});
        sip_msg_free(leg->pending_response);
        leg->pending_response = NULL;
    }
    if (leg->sip && leg != leg->call->leg && !leg->answered)
        give_up_leg(leg, reason, diag);
    else
        ue_call_give_up(leg->call, reason, diag);
}

/* The leg that was answered carries the call: its keys protect the media. What the others and the offer know
 * is wiped. */
static void choose(ue_call *call, ue_leg *winner) {
    call->leg = winner;
    snprintf(call->view.to_tag, sizeof call->view.to_tag, "%s", sip_leg_dialog(winner->sip)->remote_tag);
    ue_call_adopt_keys(winner);
    ue_leg_release(call->offer);
    for (ue_leg *leg = call->legs; leg; leg = leg->next)
        if (leg != winner)
            ue_leg_release(leg);
}

/* In an UPDATE or a re-INVITE of its own. */
static ibk_err send_i_message_2(ue_leg *leg, ibk_span mikey) {
    ibk_buf body = {0};
    bool invite = leg->call->script->carrier == SCN_CARRIER_REINVITE;
    ibk_err err = leg->sip ? ue_sdp_write(leg, &body, false, mikey) : IBK_ERR_STATE;
    sip_msg *request = err ? NULL : sip_leg_new_request(leg->sip, invite ? "INVITE" : "UPDATE");
    if (request) {
        sip_msg_set_body(request, UE_SDP_TYPE, ibk_buf_span(&body));
        ue_session_timer_mark(leg->call, request);
    }
    if (!err)
        err = sip_leg_send(leg->sip, request);
    leg->r_message_2_due = !err;
    ibk_buf_free(&body);
    return err;
}

/* The call is up at our end. */
static void establish(ue_leg *leg) {
    ue_call *call = leg->call;
    choose(call, leg);
    call->view.established = ue_call_now(call);
    ue_call_state(call, "established");
    ue_call_plan_end(call);
}

/* Both 200 (INVITE) and R_MESSAGE_2 are there. */
static ibk_err begin_media(ue_leg *leg) {
    sip_leg_ack(leg->sip, NULL, (ibk_span){0}); /* of the re-INVITE, if R_MESSAGE_2 came in its 200 */
    if (leg->call->leaving)
        return IBK_OK;
    ibk_err err = leg->media ? IBK_OK : ue_media_open(leg); /* talk_early has opened it */
    if (!err) {
        ue_media_talk(leg);
        err = ue_midcall_start(leg);
    }
    return err;
}

/* Without IBK_DEFENCE_MEDIA_AFTER_VERIFICATION (P-13): I_MESSAGE_2 is out, the call is answered. */
static ibk_err talk_early(ue_leg *leg) {
    ibk_err err = IBK_OK;
    if (!ue_guards(leg->call->u, IBK_DEFENCE_MEDIA_AFTER_VERIFICATION) && leg->r_message_2_due &&
        !leg->call->leaving) {
        err = ue_media_open(leg);
        ue_call_state(leg->call, "talks-early");
        if (!err)
            ue_media_talk(leg);
    }
    return err;
}

/* Without SCN_DEFENCE(REQUIRE_KEY_MGMT): an answer without a MIKEY message gives up the exchange, and goes
 * on. */
static ibk_err talk_plainly(ue_call *call, sip_leg *sip, const sip_msg *response, ibk_diag *diag) {
    ibk_buf mikey = {0};
    ue_leg *leg = ue_leg_new(call, sip);
    ibk_err err = leg ? ue_sdp_read_answer(leg, response, &mikey, diag) : IBK_ERR_NO_MEMORY;
    if (!err && mikey.len)
        err = ibk_fail(diag, IBK_ERR_UNEXPECTED_MESSAGE, "200 (INVITE)", 0, "before I_MESSAGE_2 was sent");
    ibk_buf_free(&mikey);
    if (err)
        return err;
    leg->plain = true;
    establish(leg);
    err = ue_media_open(leg);
    if (!err)
        ue_media_talk(leg);
    return err;
}

void ue_caller_step(ue_leg *leg, const ibk_step *step) {
    ue_call *call = leg->call;
    ibk_err err = IBK_OK;
    switch (step->kind) {
    case IBK_STEP_WAIT:
        if (step->message_type == IBK_MSG_I_MESSAGE_1) {
            err = send_invite(leg, step->message);
            if (!err && !call->redirections)
                plan(call);
        } else if (step->message_type == IBK_MSG_I_MESSAGE_2) {
            ue_content_negotiate(leg);
            err = call->script->carrier == SCN_CARRIER_PRACK ? send_prack(leg, step->message)
                                                             : send_i_message_2(leg, step->message);
            if (!err && call->leg == leg)
                err = talk_early(leg);
        }
        break;
    case IBK_STEP_ESTABLISHED: /* the leg's keys are there; media begin with the 200 (INVITE) */
        leg->r_message_2_due = false;
        if (leg->answered && !call->view.established.set)
            establish(leg);
        if (call->leg == leg)
            err = begin_media(leg);
        break;
    case IBK_STEP_DISCARDED:
        return;
    default:
        give_up(leg, step->reason, &step->diag);
        return;
    }
    if (err)
        give_up(leg, err, NULL);
}

/* A branch answers: its leg takes one answer to I_MESSAGE_1 (RFC 6267 §3.1). */
static ue_leg *leg_for(ue_call *call, sip_leg *sip) {
    ue_leg *leg = ue_leg_of(call, sip);
    if (leg)
        return leg;
    ims_host_cancel(call->u->host, &call->guard_timer);
    leg = ue_leg_new(call, sip);
    ibk_err err = leg ? ue_leg_fork_session(leg) : IBK_ERR_NO_MEMORY;
    if (!err)
        return leg;
    ue_call_give_up(call, err, NULL);
    return NULL;
}

void ue_caller_progress(ue_call *call, sip_leg *sip, const sip_msg *response, bool reliable) {
    ibk_buf mikey = {0};
    ibk_diag diag = {0};
    if (!call->view.provisional.set)
        call->view.provisional = ue_call_now(call);
    if (response->status == 181)
        ue_call_state(call, "being-forwarded");
    if (!reliable)
        return;
    if (!sip_has_body_type(response, UE_SDP_TYPE)) {
        sip_leg_prack(sip, response, NULL, (ibk_span){0});
        return;
    }
    ue_leg *leg = leg_for(call, sip);
    if (!leg)
        return;
    sip_msg_free(leg->pending_response);
    leg->pending_response = sip_msg_clone(response);
    ibk_err err = ue_sdp_read_answer(leg, response, &mikey, &diag);
    if (!err && mikey.len == 0)
        err =
            ibk_fail(&diag, IBK_ERR_MISSING_PAYLOAD, "a=key-mgmt", 0, "the answer carries no MIKEY message");
    if (!err && call->script->carrier == SCN_CARRIER_UPDATE) { /* the PRACK alone; then the UPDATE */
        leg->held_message = mikey;
        sip_leg_prack(sip, response, NULL, (ibk_span){0});
        sip_msg_free(leg->pending_response);
        leg->pending_response = NULL;
        return;
    }
    if (err)
        give_up(leg, err, &diag);
    else
        ue_leg_receive_mikey(leg, ibk_buf_span(&mikey));
    ibk_buf_free(&mikey);
}

/* R_MESSAGE_1 was held until the PRACK that made room for an UPDATE was answered: a later CSeq must not
 * overtake it. */
static void continue_held(ue_leg *leg) {
    ibk_buf mikey = leg->held_message;
    leg->held_message = (ibk_buf){0};
    if (mikey.len)
        ue_leg_receive_mikey(leg, ibk_buf_span(&mikey));
    ibk_buf_free(&mikey);
}

void ue_caller_response(ue_leg *leg, const char *method, const sip_msg *response, sip_cause cause) {
    ibk_buf mikey = {0};
    ibk_diag diag = {0};
    if (response && response->status < 200)
        return;
    if (!response || response->status >= 300) {
        ibk_fail(&diag, IBK_ERR_PEER_ERROR, method, 0, "%s", response ? "refused" : sip_cause_name(cause));
        if (response && sip_has_body_type(response, UE_SDP_TYPE) &&
            ue_sdp_read_answer(leg, response, &mikey, NULL) == IBK_OK && mikey.len)
            ue_leg_receive_mikey(leg, ibk_buf_span(&mikey));
        else
            give_up(leg, diag.err, &diag);
    } else if (sip_has_body_type(response, UE_SDP_TYPE)) {
        ibk_err err = ue_sdp_read_answer(leg, response, &mikey, &diag);
        if (err)
            give_up(leg, err, &diag);
        else
            ue_leg_receive_mikey(leg, ibk_buf_span(&mikey));
    } else {
        continue_held(leg);
    }
    ibk_buf_free(&mikey);
}

/* The 200 (INVITE) carries R_MESSAGE_1: there are no keys and no media yet. */
static ibk_err take_answer(ue_leg *leg, const sip_msg *response, ibk_diag *diag) {
    ibk_buf mikey = {0};
    ibk_err err = ue_sdp_read_answer(leg, response, &mikey, diag);
    if (!err && mikey.len == 0)
        err = ibk_fail(diag, IBK_ERR_MISSING_PAYLOAD, "a=key-mgmt", 0, "the answer carries no MIKEY message");
    if (!err)
        ue_leg_receive_mikey(leg, ibk_buf_span(&mikey));
    ibk_buf_free(&mikey);
    return err;
}

void ue_caller_answered(ue_call *call, sip_leg *sip, const sip_msg *response) {
    bool late = call->script->carrier == SCN_CARRIER_REINVITE;
    ue_leg *leg = late ? leg_for(call, sip) : ue_leg_of(call, sip);
    ibk_diag diag = {0};
    ibk_err err = IBK_OK;
    ims_host_cancel(call->u->host, &call->cancel_timer);
    call->view.sip_status = response->status;
    ims_host_cancel(call->u->host, &call->guard_timer);
    ims_host_cancel(call->u->host, &call->answer_timer);
    sip_leg_ack(sip, NULL, (ibk_span){0});
    if (!call->sip) /* given up for want of memory */
        return;
    call->acked = ue_call_now(call);
    ue_session_timer_start(call, response);
    if (leg && (late || leg->keyed)) {
        establish(leg);
        err = late ? take_answer(leg, response, &diag) : begin_media(leg);
    } else if (leg && leg->r_message_2_due && !ue_guards(call->u, IBK_DEFENCE_MEDIA_AFTER_VERIFICATION)) {
        establish(leg);
        err = talk_early(leg);
    } else if (leg && leg->r_message_2_due) {
        leg->answered = true; /* the answer with R_MESSAGE_2 was overtaken or lost: it comes, or times out */
    } else if (!leg && !ue_guards(call->u, SCN_DEFENCE(REQUIRE_KEY_MGMT))) {
        err = talk_plainly(call, sip, response, &diag);
    } else {
        err = ibk_fail(&diag, IBK_ERR_UNEXPECTED_MESSAGE, "200 (INVITE)", 0, "before I_MESSAGE_2 was sent");
    }
    if (err)
        ue_call_give_up(call, err, &diag);
}
