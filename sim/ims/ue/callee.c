/* The callee: reads I_MESSAGE_1 from the INVITE, answers with R_MESSAGE_1 in a reliable 183, takes
 * I_MESSAGE_2 from the PRACK and gives R_MESSAGE_2 in its 200; only then does it ring (P-13). */
#include "ims/ue/internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

ibk_err ue_expect_call(ue *u, const scn_call *script, const char *call_id) {
    ue_expected *grown = realloc(u->expected, (u->expected_count + 1) * sizeof *grown);
    if (!grown)
        return IBK_ERR_NO_MEMORY;
    u->expected = grown;
    ue_expected *e = &grown[u->expected_count++];
    e->script = script;
    snprintf(e->call_id, sizeof e->call_id, "%s", call_id);
    return IBK_OK;
}

/* NULL if nobody announced the call. */
static const scn_call *script_of(const ue *u, const char *call_id) {
    for (size_t i = u->expected_count; i-- > 0;)
        if (strcmp(u->expected[i].call_id, call_id) == 0)
            return u->expected[i].script;
    return NULL;
}

static void reject(ue_call *call, int status, const char *why, ibk_span mikey) {
    sip_msg *response = call->sip ? sip_call_response(call->sip, status, NULL) : NULL;
    ibk_buf body = {0};
    if (!response)
        return;
    if (status == 488) /* RFC 4567 §4.1.2: 399 is "miscellaneous" */
        sip_warning_add(response, 399, call->u->host->name, why);
    if (mikey.len && call->remote && ue_sdp_write(call, &body, true, mikey) == IBK_OK)
        sip_msg_set_body(response, UE_SDP_TYPE, ibk_buf_span(&body));
    ibk_buf_free(&body);
    sip_call_respond(call->sip, response, false);
}

/* Ends the exchange on this side: an answer to the PRACK, if one waits, then to the INVITE. */
static void refuse(ue_call *call, ibk_err reason, const ibk_diag *diag, ibk_span mikey) {
    trace *t = call->u->host->world->trace;
    call->view.reason = reason;
    if (diag)
        call->view.diag = *diag;
    trace_begin(t, TRACE_ERROR, call->u->host->name, "call-refused");
    trace_str(t, "call", call->view.call_id);
    trace_diag(t, reason, diag);
    trace_end(t);
    if (call->pending_server) {
        sip_server *server = call->pending_server;
        call->pending_server = NULL;
        sip_server_watch(server, NULL, NULL);
        sip_leg_reply(call->leg, server, 488, NULL, NULL, (ibk_span){0});
    }
    /* An identity whose keys we lack is "not acceptable here" as well: 488 (RFC 4567 §4.1.2). */
    reject(call, 488, ibk_err_text(reason), mikey);
}

void ue_callee_incoming(ue *u, sip_call *sip, const sip_msg *invite) {
    ue_call *call = ue_call_new(u, script_of(u, invite->call_id), false);
    if (!call) {
        sip_call_reply(sip, 500, false, NULL, (ibk_span){0});
        return;
    }
    ibk_buf mikey = {0};
    ibk_diag diag = {0};
    call->sip = sip;
    call->view.invite = ue_call_now(call);
    snprintf(call->view.call_id, sizeof call->view.call_id, "%s", invite->call_id);
    sip_call_set_user(sip, call);
    ue_call_state(call, "incoming");
    if (!sip_call_can_100rel(sip)) {
        reject(call, 421, "100rel is needed", (ibk_span){0}); /* RFC 3262 §3: Extension Required */
        return;
    }
    ibk_err err = ue_sdp_read(call, invite, &mikey, &diag);
    if (!err && mikey.len == 0)
        err = ibk_fail(&diag, IBK_ERR_MISSING_PAYLOAD, "a=key-mgmt", 0, "the offer carries no MIKEY message");
    if (!err)
        err = ue_call_open_session(call, NULL, ibk_span_str(UE_MIKEY));
    if (err)
        refuse(call, err, &diag, (ibk_span){0});
    else
        ue_call_receive_mikey(call, ibk_buf_span(&mikey));
    ibk_buf_free(&mikey);
}

static void answer(void *arg) {
    ue_call *call = arg;
    call->plan_timer = 0;
    if (!call->sip)
        return;
    if (sip_call_reply(call->sip, 200, false, NULL, (ibk_span){0}))
        return;
    call->view.established = ue_call_now(call);
    ue_call_state(call, "answered");
}

static ibk_err answer_prack(ue_call *call, ibk_span mikey) {
    ibk_buf body = {0};
    sip_server *server = call->pending_server;
    if (!server)
        return IBK_ERR_STATE;
    ibk_err err = ue_sdp_write(call, &body, true, mikey);
    if (!err) {
        call->pending_server = NULL;
        sip_server_watch(server, NULL, NULL);
        err = sip_leg_reply(call->leg, server, 200, NULL, UE_SDP_TYPE, ibk_buf_span(&body));
    }
    ibk_buf_free(&body);
    return err;
}

static ibk_err ring(ue_call *call) {
    ibk_err err = sip_call_reply(call->sip, 180, false, NULL, (ibk_span){0});
    uint64_t ring_ns = call->script ? call->script->ring_ns : 0;
    call->view.provisional = ue_call_now(call);
    call->plan_timer = ims_host_timer(call->u->host, ring_ns, answer, call);
    return err;
}

static ibk_err send_183(ue_call *call, ibk_span mikey) {
    ibk_buf body = {0};
    ibk_err err = ue_sdp_write(call, &body, true, mikey);
    if (!err)
        err = sip_call_reply(call->sip, 183, true, UE_SDP_TYPE, ibk_buf_span(&body));
    ibk_buf_free(&body);
    return err;
}

void ue_callee_step(ue_call *call, const ibk_step *step) {
    ibk_err err = IBK_OK;
    if (!call->sip)
        return;
    switch (step->kind) {
    case IBK_STEP_WAIT:
        err = send_183(call, step->message);
        break;
    case IBK_STEP_ESTABLISHED:
        err = answer_prack(call, step->message);
        if (!err)
            err = ue_media_open(call);
        if (!err)
            err = ring(call);
        break;
    case IBK_STEP_DISCARDED:
        if (call->pending_server)
            refuse(call, step->reason, &step->diag, (ibk_span){0});
        return;
    default:
        refuse(call, step->reason, &step->diag, step->message);
        return;
    }
    if (err)
        refuse(call, err, NULL, (ibk_span){0});
}

static void prack_ended(void *user, sip_server *server, sip_cause cause) {
    ue_call *call = user;
    (void)server, (void)cause;
    call->pending_server = NULL;
}

void ue_callee_request(ue_call *call, sip_leg *leg, sip_server *server, const sip_msg *request) {
    static const sip_server_ops ops = {.terminated = prack_ended};
    ibk_buf mikey = {0};
    ibk_diag diag = {0};
    bool prack = strcmp(request->method, "PRACK") == 0;
    call->leg = leg;
    if (prack && !sip_has_body_type(request, UE_SDP_TYPE)) {
        sip_leg_reply(leg, server, 200, NULL, NULL, (ibk_span){0});
        return;
    }
    if (!prack || call->pending_server) {
        sip_leg_reply(leg, server, prack ? 491 : 488, NULL, NULL, (ibk_span){0});
        return;
    }
    call->pending_server = server;
    sip_server_watch(server, &ops, call);
    ibk_err err = ue_sdp_read(call, request, &mikey, &diag);
    if (!err && mikey.len == 0)
        err = ibk_fail(&diag, IBK_ERR_MISSING_PAYLOAD, "a=key-mgmt", 0, "the PRACK carries no MIKEY message");
    if (err)
        refuse(call, err, &diag, (ibk_span){0});
    else
        ue_call_receive_mikey(call, ibk_buf_span(&mikey));
    ibk_buf_free(&mikey);
}

void ue_callee_acked(ue_call *call) {
    if (!call->media)
        return;
    ue_media_talk(call);
    ue_call_plan_end(call);
}
