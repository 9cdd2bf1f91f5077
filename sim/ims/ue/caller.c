/* The caller: I_MESSAGE_1 in the INVITE, R_MESSAGE_1 in the reliable 183, I_MESSAGE_2 in the PRACK,
 * R_MESSAGE_2 in the 200 (PRACK); no media before that is verified (P-13). */
#include "ims/ue/internal.h"

#include <stdio.h>
#include <string.h>

static void cancel(void *arg) {
    ue_call *call = arg;
    call->cancel_timer = 0;
    if (call->sip && !call->view.established.set) {
        call->view.planned_end = true;
        sip_call_hangup(call->sip, NULL);
    }
}

static sip_msg *new_invite(ue_call *call) {
    ue *u = call->u;
    sip_arena arena = {0};
    sip_name_addr from = {0}, to = {0};
    sip_msg *invite = NULL;
    if (sip_uri_parse(&arena, &from.uri, u->user->identity, NULL) == IBK_OK &&
        sip_uri_parse(&arena, &to.uri, call->script->to->identity, NULL) == IBK_OK)
        invite = sip_ua_request(u->ua, "INVITE", &to.uri, &from, &to);
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

static ibk_err send_invite(ue_call *call, ibk_span mikey) {
    ibk_buf body = {0};
    sip_msg *invite = new_invite(call);
    ibk_err err = invite ? ue_sdp_write(call, &body, false, mikey) : IBK_ERR_NO_MEMORY;
    if (err) {
        sip_msg_free(invite);
    } else {
        sip_msg_set_body(invite, UE_SDP_TYPE, ibk_buf_span(&body));
        snprintf(call->view.call_id, sizeof call->view.call_id, "%s", invite->call_id);
        err = call->u->placed(call->u->placed_user, call->script, call->view.call_id);
        if (err)
            sip_msg_free(invite);
        else
            err = sip_call_invite(call->u->ua, &call->sip, invite, NULL, call);
    }
    ibk_buf_free(&body);
    return err;
}

void ue_place_call(ue *u, const scn_call *script) {
    ue_call *call = ue_call_new(u, script, true);
    if (!call)
        return;
    call->view.invite = ue_call_now(call);
    ue_call_state(call, "call");
    ibk_identity peer = ibk_identity_uri(script->to->identity);
    ibk_err err = ue_call_open_session(call, &peer, ibk_span_str(UE_MIKEY));
    if (err)
        ue_call_give_up(call, err, NULL);
    else
        ue_call_start_session(call);
}

static ibk_err send_prack(ue_call *call, ibk_span mikey) {
    ibk_buf body = {0};
    ibk_err err =
        call->pending_response && call->leg ? ue_sdp_write(call, &body, false, mikey) : IBK_ERR_STATE;
    if (!err)
        err = sip_leg_prack(call->leg, call->pending_response, UE_SDP_TYPE, ibk_buf_span(&body));
    call->r_message_2_due = !err;
    sip_msg_free(call->pending_response);
    call->pending_response = NULL;
    ibk_buf_free(&body);
    return err;
}

static void give_up(ue_call *call, ibk_err reason, const ibk_diag *diag) {
    if (call->pending_response) { /* the 183 is acknowledged all the same: RFC 3262 §4 */
        sip_leg_prack(call->leg, call->pending_response, NULL, (ibk_span){0});
        sip_msg_free(call->pending_response);
        call->pending_response = NULL;
    }
    ue_call_give_up(call, reason, diag);
}

static void establish(ue_call *call) {
    call->view.established = ue_call_now(call);
    ue_call_state(call, "established");
    ue_media_talk(call);
    ue_call_plan_end(call);
}

void ue_caller_step(ue_call *call, const ibk_step *step) {
    ibk_err err = IBK_OK;
    switch (step->kind) {
    case IBK_STEP_WAIT:
        if (step->message_type == IBK_MSG_I_MESSAGE_1) {
            err = send_invite(call, step->message);
            if (!err && call->script->cancel)
                call->cancel_timer = ims_host_timer(call->u->host, call->script->cancel_ns, cancel, call);
        } else if (step->message_type == IBK_MSG_I_MESSAGE_2) {
            err = send_prack(call, step->message);
        }
        break;
    case IBK_STEP_ESTABLISHED:
        err = ue_media_open(call);
        if (!err && call->answered)
            establish(call);
        break;
    case IBK_STEP_DISCARDED:
        return;
    default:
        give_up(call, step->reason, &step->diag);
        return;
    }
    if (err)
        give_up(call, err, NULL);
}

void ue_caller_progress(ue_call *call, sip_leg *leg, const sip_msg *response, bool reliable) {
    ibk_buf mikey = {0};
    ibk_diag diag = {0};
    if (!call->view.provisional.set)
        call->view.provisional = ue_call_now(call);
    if (!reliable)
        return;
    if (!sip_has_body_type(response, UE_SDP_TYPE)) {
        sip_leg_prack(leg, response, NULL, (ibk_span){0});
        return;
    }
    call->leg = leg;
    sip_msg_free(call->pending_response);
    call->pending_response = sip_msg_clone(response);
    ibk_err err = ue_sdp_read(call, response, &mikey, &diag);
    if (!err && mikey.len == 0)
        err =
            ibk_fail(&diag, IBK_ERR_MISSING_PAYLOAD, "a=key-mgmt", 0, "the answer carries no MIKEY message");
    if (err)
        give_up(call, err, &diag);
    else
        ue_call_receive_mikey(call, ibk_buf_span(&mikey));
    ibk_buf_free(&mikey);
}

void ue_caller_response(ue_call *call, const char *method, const sip_msg *response, sip_cause cause) {
    ibk_buf mikey = {0};
    ibk_diag diag = {0};
    if (strcmp(method, "PRACK") != 0 || (response && response->status < 200))
        return;
    call->r_message_2_due = false;
    if (!response || response->status >= 300) {
        ibk_fail(&diag, IBK_ERR_PEER_ERROR, "PRACK", 0, "%s", response ? "refused" : sip_cause_name(cause));
        if (response && sip_has_body_type(response, UE_SDP_TYPE) &&
            ue_sdp_read(call, response, &mikey, NULL) == IBK_OK && mikey.len)
            ue_call_receive_mikey(call, ibk_buf_span(&mikey));
        else
            give_up(call, diag.err, &diag);
    } else if (sip_has_body_type(response, UE_SDP_TYPE)) {
        ibk_err err = ue_sdp_read(call, response, &mikey, &diag);
        if (err)
            give_up(call, err, &diag);
        else
            ue_call_receive_mikey(call, ibk_buf_span(&mikey));
    }
    ibk_buf_free(&mikey);
}

void ue_caller_answered(ue_call *call, sip_leg *leg, const sip_msg *response) {
    ims_host_cancel(call->u->host, &call->cancel_timer);
    call->view.sip_status = response->status;
    sip_leg_ack(leg, NULL, (ibk_span){0});
    if (call->media) {
        establish(call);
    } else if (call->r_message_2_due && leg == call->leg) {
        call->answered = true; /* the 200 (PRACK) was overtaken or lost: it comes, or the PRACK times out */
    } else {
        ibk_diag diag;
        ibk_fail(&diag, IBK_ERR_UNEXPECTED_MESSAGE, "200 (INVITE)", 0, "before I_MESSAGE_2 was sent");
        give_up(call, diag.err, &diag);
    }
}
