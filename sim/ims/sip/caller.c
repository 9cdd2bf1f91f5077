/* The caller's side of a call: INVITE and what answers it. RFC 3261 §13.2, RFC 3262 §4. */
#include "ims/sip/ua.h"

#include <stdlib.h>
#include <string.h>

/* The dialog of a response: known, or made by it. NULL if it makes none. */
static sip_leg *leg_for(sip_call *call, const sip_msg *response) {
    sip_dialog *dialog = NULL;
    sip_leg *leg = sip_leg_of(call, response);
    if (leg || sip_dialog_uac(&dialog, call->invite, response, NULL))
        return leg;
    return sip_leg_new(call, dialog);
}

/* RFC 3262 §4: reliable responses are taken in their order, and each once. */
static bool take_reliable(sip_leg *leg, const sip_msg *response) {
    uint32_t rseq;
    if (!leg || !sip_header_u32(response, "RSeq", &rseq) || rseq == 0)
        return false;
    if (leg->last_rseq && rseq != leg->last_rseq + 1)
        return false;
    leg->last_rseq = rseq;
    return true;
}

static void on_progress(sip_call *call, const sip_msg *response) {
    const sip_ua_ops *ops = &call->ua->ops;
    sip_leg *leg = sip_to_tag(response) ? leg_for(call, response) : NULL;
    bool reliable = sip_header_has_token(response, "Require", "100rel");
    if (response->status == 100 || call->ending || (leg && leg->bye_sent) ||
        (reliable && !take_reliable(leg, response)))
        return;
    if (leg)
        (void)sip_dialog_refresh(leg->dialog, response);
    if (ops->progress)
        ops->progress(call->ua->user, call, leg, response, reliable);
}

/* §13.2.2.4; a second leg of a forked call, or one that crossed our CANCEL or BYE, is ended at once. */
static void on_success(sip_call *call, const sip_msg *response) {
    const sip_ua_ops *ops = &call->ua->ops;
    sip_leg *leg = leg_for(call, response);
    if (!leg)
        return;
    if (leg->answered) {
        sip_leg_ack_again(leg);
        return;
    }
    (void)sip_dialog_confirm(leg->dialog, response);
    leg->answered = leg->ack_due = true;
    leg->invite_cseq = call->invite->cseq;
    bool unwanted = call->ending || call->active || leg->bye_sent;
    if (!call->active)
        call->active = leg;
    call->answered = true;
    if (unwanted) {
        (void)sip_leg_ack(leg, NULL, (ibk_span){0});
        (void)sip_leg_bye(leg, NULL);
    } else if (ops->answered) {
        ops->answered(call->ua->user, call, leg, response);
    }
}

static void on_response(void *user, sip_client *client, const sip_msg *response) {
    sip_call *call = user;
    (void)client;
    if (call->ended)
        return;
    sip_call_enter(call);
    if (response->status < 200)
        on_progress(call, response);
    else if (response->status < 300)
        on_success(call, response);
    else
        sip_call_end(call, call->ending ? call->cause : SIP_CAUSE_RESPONSE, response);
    sip_call_leave(call);
}

static void on_terminated(void *user, sip_client *client, sip_cause cause) {
    sip_call *call = user;
    (void)client;
    call->client = NULL;
    if (cause != SIP_CAUSE_NONE && !call->ended)
        sip_call_end(call, cause, NULL);
}

static const sip_client_ops invite_ops = {on_response, on_terminated};

ibk_err sip_call_invite(sip_ua *ua, sip_call **out, sip_msg *invite, const sip_dest *dest, void *user) {
    if (out)
        *out = NULL;
    if (!invite)
        return IBK_ERR_NO_MEMORY;
    sip_call *call = sip_call_new(ua);
    sip_add_defaults(ua, invite);
    if (call)
        call->invite = sip_msg_clone(invite);
    if (!call || !call->invite) {
        sip_msg_free(invite);
        if (call)
            sip_call_discard(call);
        return IBK_ERR_NO_MEMORY;
    }
    call->caller = true;
    call->user = user;
    ibk_err err = sip_client_start(ua->stack, &call->client, invite, dest, &invite_ops, call);
    if (err) {
        sip_call_discard(call);
        return err;
    }
    if (out)
        *out = call;
    return IBK_OK;
}

ibk_err sip_leg_prack(sip_leg *leg, const sip_msg *response, const char *content_type, ibk_span body) {
    sip_rack rack = {.cseq = response->cseq, .method = response->method};
    if (!sip_header_u32(response, "RSeq", &rack.rseq))
        return IBK_ERR_USAGE;
    sip_msg *prack = sip_leg_new_request(leg, "PRACK");
    if (!prack)
        return IBK_ERR_NO_MEMORY;
    sip_rack_set(prack, &rack);
    if (body.len)
        sip_msg_set_body(prack, content_type, body);
    return sip_leg_send(leg, prack);
}

static ibk_err hangup_callee(sip_call *call, const char *reason) {
    if (call->held) {
        sip_msg_free(call->held);
        call->held = NULL;
    }
    if (!call->answered)
        return sip_call_reply(call, 603, false, NULL, (ibk_span){0});
    if (call->answer.timer) { // §15: not before the ACK
        call->ending = true;
        call->cause = SIP_CAUSE_LOCAL;
        call->bye_reason = reason ? strdup(reason) : NULL;
        return IBK_OK;
    }
    return sip_leg_bye(call->active, reason);
}

ibk_err sip_call_hangup(sip_call *call, const char *reason) {
    if (call->ended || call->ending)
        return IBK_ERR_STATE;
    if (!call->caller)
        return hangup_callee(call, reason);
    if (call->answered) {
        if (call->active->ack_due)
            (void)sip_leg_ack(call->active, NULL, (ibk_span){0});
        return sip_leg_bye(call->active, reason);
    }
    call->ending = true;
    call->cause = SIP_CAUSE_LOCAL;
    return call->client ? sip_client_cancel(call->client, reason) : IBK_ERR_STATE;
}
