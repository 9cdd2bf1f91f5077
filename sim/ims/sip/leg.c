/* Requests inside a dialog, both ways. RFC 3261 §12.2, §14, §15, RFC 3311. */
#include "ims/sip/ua.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- ours -----------------------------------------------------------------------------------------------
 */

static void tell(sip_call *call, sip_leg *leg, const char *method, const sip_msg *response, sip_cause cause) {
    if (call->ua->ops.response && !call->ended)
        call->ua->ops.response(call->ua->user, call, leg, method, response, cause);
}

/* A 2xx of a re-INVITE: told once, its copies repeat our ACK. */
static void on_reinvite_success(struct request *r, const sip_msg *response) {
    sip_leg *leg = r->leg;
    if (r->done) {
        sip_leg_ack_again(leg);
        return;
    }
    r->done = true;
    leg->ack_due = true;
    leg->reinvite = false;
    leg->invite_cseq = response->cseq;
    sip_msg_free(leg->ack);
    leg->ack = NULL;
    (void)sip_dialog_refresh(leg->dialog, response);
    tell(r->call, leg, r->method, response, SIP_CAUSE_NONE);
}

/* The BYE of one of several dialogs ends that dialog alone. */
static bool ends_call(const struct request *r) {
    return r->leg == r->call->active;
}

static void on_response(void *user, sip_client *client, const sip_msg *response) {
    struct request *r = user;
    sip_call *call = r->call;
    bool invite = strcmp(r->method, "INVITE") == 0, bye = strcmp(r->method, "BYE") == 0;
    (void)client;
    if (call->ended || response->status == 100)
        return;
    sip_call_enter(call);
    if (invite && response->status >= 200 && response->status < 300) {
        on_reinvite_success(r, response);
    } else if (bye && response->status >= 200) {
        r->done = true;
        if (ends_call(r))
            sip_call_end(call, call->cause, response);
    } else {
        r->done = response->status >= 200;
        if (invite && r->done)
            r->leg->reinvite = false;
        if (strcmp(r->method, "UPDATE") == 0 && response->status / 100 == 2)
            (void)sip_dialog_refresh(r->leg->dialog, response);
        tell(call, r->leg, r->method, response,
             response->status >= 300 ? SIP_CAUSE_RESPONSE : SIP_CAUSE_NONE);
    }
    sip_call_leave(call);
}

static void unlink_request(struct request *r) {
    for (struct request **at = &r->call->requests; *at; at = &(*at)->next)
        if (*at == r) {
            *at = r->next;
            return;
        }
}

static void on_terminated(void *user, sip_client *client, sip_cause cause) {
    struct request *r = user;
    sip_call *call = r->call;
    (void)client;
    sip_call_enter(call);
    unlink_request(r);
    if (strcmp(r->method, "INVITE") == 0 && !r->done)
        r->leg->reinvite = false;
    if (cause != SIP_CAUSE_NONE && !r->done && !call->ended) {
        if (strcmp(r->method, "BYE") != 0)
            tell(call, r->leg, r->method, NULL, cause);
        else if (ends_call(r))
            sip_call_end(call, call->cause, NULL);
    }
    free(r);
    sip_call_leave(call);
}

static const sip_client_ops request_ops = {on_response, on_terminated};

void sip_call_drop_requests(sip_call *call) {
    while (call->requests) {
        struct request *r = call->requests;
        call->requests = r->next;
        sip_client_detach(r->client);
        free(r);
    }
}

sip_msg *sip_leg_new_request(sip_leg *leg, const char *method) {
    sip_msg *request = sip_dialog_request(leg->dialog, method, 0);
    if (request)
        sip_add_defaults(leg->call->ua, request);
    return request;
}

ibk_err sip_leg_send(sip_leg *leg, sip_msg *request) {
    sip_call *call = leg->call;
    if (!request)
        return IBK_ERR_NO_MEMORY;
    bool invite = sip_is(request, "INVITE");
    if (call->ended ||
        (invite && (leg->reinvite || leg->dialog->state != SIP_DIALOG_CONFIRMED || leg->ack_due))) {
        sip_msg_free(request);
        return IBK_ERR_STATE;
    }
    struct request *r = calloc(1, sizeof *r);
    if (!r) {
        sip_msg_free(request);
        return IBK_ERR_NO_MEMORY;
    }
    r->call = call;
    r->leg = leg;
    snprintf(r->method, sizeof r->method, "%s", request->method);
    ibk_err err = sip_client_start(call->ua->stack, &r->client, request, NULL, &request_ops, r);
    if (err) {
        free(r);
        return err;
    }
    leg->reinvite = leg->reinvite || invite;
    r->next = call->requests;
    call->requests = r;
    return IBK_OK;
}

ibk_err sip_leg_request(sip_leg *leg, const char *method, const char *content_type, ibk_span body) {
    sip_msg *request = sip_leg_new_request(leg, method);
    if (request && body.len)
        sip_msg_set_body(request, content_type, body);
    return sip_leg_send(leg, request);
}

ibk_err sip_leg_bye(sip_leg *leg, const char *reason) {
    sip_call *call = leg->call;
    bool main = leg == call->active;
    sip_msg *bye = sip_leg_new_request(leg, "BYE");
    if (bye && reason)
        sip_header_add(bye, "Reason", reason);
    leg->bye_sent = true;
    if (main) {
        call->ending = true;
        call->cause = call->cause ? call->cause : SIP_CAUSE_LOCAL;
    }
    ibk_err err = sip_leg_send(leg, bye);
    leg->dialog->state = SIP_DIALOG_TERMINATED;
    if (err && main)
        sip_call_end_soon(call, SIP_CAUSE_LOCAL);
    return err;
}

ibk_err sip_leg_end(sip_leg *leg, const char *reason) {
    if (!leg->call->caller || leg == leg->call->active || leg->bye_sent)
        return IBK_ERR_STATE;
    return sip_leg_bye(leg, reason);
}

/* ---- ACK of a 2xx: RFC 3261 §13.2.2.4 ---------------------------------------------------------------------
 */

ibk_err sip_leg_ack(sip_leg *leg, const char *content_type, ibk_span body) {
    sip_stack *stack = leg->call->ua->stack;
    if (!leg->ack_due)
        return IBK_ERR_STATE;
    sip_msg *ack = sip_dialog_request(leg->dialog, "ACK", leg->invite_cseq);
    if (!ack)
        return IBK_ERR_NO_MEMORY;
    if (body.len)
        sip_msg_set_body(ack, content_type, body);
    ibk_err err = sip_stack_next_hop(stack, &leg->ack_dest, ack, NULL);
    if (!err)
        err = sip_stack_prepare(stack, ack, &leg->ack_dest);
    if (!err)
        err = sip_stack_send(stack, ack, &leg->ack_dest, false);
    if (err) {
        sip_msg_free(ack);
        return err;
    }
    leg->ack_due = false;
    sip_msg_free(leg->ack);
    leg->ack = ack;
    return IBK_OK;
}

void sip_leg_ack_again(sip_leg *leg) {
    if (leg->ack)
        (void)sip_stack_send(leg->call->ua->stack, leg->ack, &leg->ack_dest, true);
}

/* ---- the peer's
 * --------------------------------------------------------------------------------------------- */

static void on_bye(sip_leg *leg, sip_server *server, const sip_msg *bye) {
    sip_call *call = leg->call;
    (void)sip_server_reply(server, 200, NULL);
    if (!call->caller && call->server && !call->answered) // §15.1.2: what is pending is answered 487
        (void)sip_server_reply(call->server, 487, NULL);
    leg->dialog->state = SIP_DIALOG_TERMINATED;
    if (!call->active || call->active == leg)
        sip_call_end(call, SIP_CAUSE_BYE, bye);
}

static void to_user(sip_leg *leg, sip_server *server, const sip_msg *request) {
    sip_call *call = leg->call;
    if (call->ua->ops.request)
        call->ua->ops.request(call->ua->user, call, leg, server, request);
    else
        (void)sip_server_reply(server, sip_is(request, "PRACK") ? 200 : 501, NULL);
}

static void on_prack(sip_leg *leg, sip_server *server, const sip_msg *prack) {
    sip_call *call = leg->call;
    if (call->caller)
        (void)sip_server_reply(server, 481, NULL);
    else if (sip_callee_on_prack(call, server, prack)) {
        to_user(leg, server, prack);
        if (!call->ended)
            sip_callee_release_held(call);
    }
}

/* RFC 3261 §14.2, RFC 3311 §5.2. */
static void on_refresh(sip_leg *leg, sip_server *server, const sip_msg *request) {
    sip_call *call = leg->call;
    if (sip_is(request, "INVITE") && leg->reinvite) {
        (void)sip_server_reply(server, 491, NULL);
        return;
    }
    if (sip_is(request, "INVITE") && (call->answer.timer || leg->dialog->state != SIP_DIALOG_CONFIRMED)) {
        sip_msg *response = sip_dialog_response(leg->dialog, request, 500, NULL);
        if (response)
            sip_header_add(response, "Retry-After", "2");
        (void)sip_server_respond(server, response);
        return;
    }
    (void)sip_dialog_refresh(leg->dialog, request);
    to_user(leg, server, request);
}

void sip_leg_on_request(sip_leg *leg, sip_server *server, const sip_msg *request) {
    sip_call *call = leg->call;
    sip_call_enter(call);
    if (sip_dialog_accept_cseq(leg->dialog, request))
        (void)sip_server_reply(server, 500, "Request Out Of Order"); // §12.2.2
    else if (sip_is(request, "BYE"))
        on_bye(leg, server, request);
    else if (sip_is(request, "PRACK"))
        on_prack(leg, server, request);
    else if (sip_is(request, "INVITE") || sip_is(request, "UPDATE"))
        on_refresh(leg, server, request);
    else
        to_user(leg, server, request);
    sip_call_leave(call);
}

sip_msg *sip_leg_response(sip_leg *leg, sip_server *server, int status, const char *reason) {
    sip_msg *response = sip_dialog_response(leg->dialog, sip_server_request(server), status, reason);
    if (response)
        sip_add_defaults(leg->call->ua, response);
    return response;
}

ibk_err sip_leg_respond(sip_leg *leg, sip_server *server, sip_msg *response) {
    if (!response)
        return IBK_ERR_NO_MEMORY;
    ibk_err err = IBK_OK;
    if (sip_is(response, "INVITE") && response->status / 100 == 2)
        err = sip_answer_repeat(leg->call, server, response);
    if (!err)
        return sip_server_respond(server, response);
    sip_msg_free(response);
    return err;
}

ibk_err sip_leg_reply(sip_leg *leg, sip_server *server, int status, const char *reason,
                      const char *content_type, ibk_span body) {
    sip_msg *response = sip_leg_response(leg, server, status, reason);
    if (response && body.len)
        sip_msg_set_body(response, content_type, body);
    return sip_leg_respond(leg, server, response);
}
