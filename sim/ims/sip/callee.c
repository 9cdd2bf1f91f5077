/* The callee's side of a call: answers to an INVITE, reliable ones (RFC 3262 §3), 2xx until ACK (RFC 3261
 * §13.3). */
#include "ims/sip/ua.h"

#include <stdlib.h>
#include <string.h>

/* ---- repeated responses ---------------------------------------------------------------------------- */

static const sip_env *env_of(const sip_call *call) {
    return sip_stack_env(call->ua->stack);
}

static const sip_config *conf(const sip_call *call) {
    return sip_stack_config(call->ua->stack);
}

void sip_repeater_stop(repeater *r) {
    const sip_env *env = env_of(r->call);
    env->timer_cancel(env->user, r->timer);
    sip_msg_free(r->response);
    if (r->server && r->server != r->call->server) // of a re-INVITE: nothing more to learn from it
        sip_server_watch(r->server, NULL, NULL);
    *r = (repeater){.call = r->call};
}

static void repeat_progress(void *arg);
static void repeat_answer(void *arg);

static void rearm(repeater *r, bool capped) {
    const sip_env *env = env_of(r->call);
    uint64_t t2 = conf(r->call)->t2, end = r->started + 64 * conf(r->call)->t1, now = env->now(env->user);
    uint64_t delay = r->interval;
    r->interval = capped && 2 * r->interval > t2 ? t2 : 2 * r->interval;
    if (now + delay > end)
        delay = end - now;
    r->timer = env->timer_start(env->user, delay, r == &r->call->answer ? repeat_answer : repeat_progress, r);
}

static void repeater_start(repeater *r, sip_server *server, const sip_msg *response) {
    const sip_env *env = env_of(r->call);
    sip_repeater_stop(r);
    r->server = server;
    r->response = sip_msg_clone(response);
    r->interval = conf(r->call)->t1;
    r->started = env->now(env->user);
    rearm(r, r == &r->call->answer);
}

static bool expired(const repeater *r) {
    const sip_env *env = env_of(r->call);
    return env->now(env->user) >= r->started + 64 * conf(r->call)->t1;
}

static void send_again(repeater *r) {
    if (r->server && r->response)
        (void)sip_server_respond(r->server, sip_msg_clone(r->response));
}

/* Without PRACK in 64*T1 the INVITE fails: RFC 3262 §3. */
static void repeat_progress(void *arg) {
    repeater *r = arg;
    sip_call *call = r->call;
    r->timer = 0;
    if (!expired(r)) {
        send_again(r);
        rearm(r, false);
        return;
    }
    sip_repeater_stop(r);
    call->ending = true;
    call->cause = SIP_CAUSE_TIMEOUT;
    if (!call->server || sip_server_reply(call->server, 504, NULL))
        sip_call_end_soon(call, SIP_CAUSE_TIMEOUT);
}

/* Without ACK in 64*T1 the dialog is ended by BYE: RFC 3261 §13.3.1.4. */
static void repeat_answer(void *arg) {
    repeater *r = arg;
    sip_call *call = r->call;
    r->timer = 0;
    if (!expired(r)) {
        send_again(r);
        rearm(r, true);
        return;
    }
    sip_repeater_stop(r);
    if (call->active && !call->active->bye_sent)
        (void)sip_leg_bye(call->active, NULL);
    call->cause = SIP_CAUSE_TIMEOUT;
}

/* ---- the INVITE transaction ---------------------------------------------------------------------------- */

static void forget_server(sip_call *call, const sip_server *server) {
    if (call->server == server)
        call->server = NULL;
    if (call->progress.server == server)
        call->progress.server = NULL;
    if (call->answer.server == server)
        call->answer.server = NULL;
}

static void on_refusal_acked(void *user, sip_server *server) {
    sip_call *call = user;
    if (server == call->server && !call->answered)
        sip_call_end(call, call->cause, call->last);
}

static void on_terminated(void *user, sip_server *server, sip_cause cause) {
    sip_call *call = user;
    bool first = server == call->server;
    (void)cause;
    forget_server(call, server);
    if (first && !call->answered && !call->ended)
        sip_call_end(call, call->ending ? call->cause : cause, call->last);
}

static const sip_server_ops server_ops = {on_refusal_acked, on_terminated};

static ibk_err build(sip_ua *ua, sip_call **out, sip_server *server, const sip_msg *invite) {
    sip_dialog *dialog = NULL;
    ibk_err err = sip_dialog_uas(&dialog, invite, sip_server_tag(server), &ua->contact, NULL);
    if (err)
        return err;
    sip_call *call = sip_call_new(ua);
    if (call) {
        call->active = sip_leg_new(call, dialog);
        call->invite = sip_msg_clone(invite);
    } else {
        sip_dialog_free(dialog);
        return IBK_ERR_NO_MEMORY;
    }
    if (!call->active || !call->invite) {
        sip_call_discard(call);
        return IBK_ERR_NO_MEMORY;
    }
    *out = call;
    return IBK_OK;
}

void sip_callee_start(sip_ua *ua, sip_server *server, const sip_msg *invite) {
    sip_call *call = NULL;
    if (ua->count >= ua->max_calls || !ua->ops.incoming) {
        (void)sip_server_reply(server, 486, NULL);
        return;
    }
    ibk_err err = build(ua, &call, server, invite);
    if (err) {
        (void)sip_server_reply(server, err == IBK_ERR_NO_MEMORY ? 500 : 400, NULL);
        return;
    }
    call->server = server;
    sip_server_watch(server, &server_ops, call);
    sip_call_enter(call);
    ua->ops.incoming(ua->user, call, invite);
    sip_call_leave(call);
}

void sip_callee_on_cancel(sip_call *call, const sip_msg *cancel) {
    sip_call_enter(call);
    sip_repeater_stop(&call->progress);
    call->ending = true;
    call->cause = SIP_CAUSE_CANCELLED;
    sip_msg_free(call->last);
    call->last = sip_msg_clone(cancel);
    if (call->server)
        (void)sip_server_reply(call->server, 487, NULL);
    if (call->ua->ops.cancelled)
        call->ua->ops.cancelled(call->ua->user, call);
    sip_call_leave(call);
}

/* ---- answers ---------------------------------------------------------------------------------------------
 */

sip_msg *sip_call_response(sip_call *call, int status, const char *reason) {
    if (call->caller || !call->active)
        return NULL;
    sip_msg *response = sip_dialog_response(call->active->dialog, call->invite, status, reason);
    if (response && status > 100)
        sip_add_defaults(call->ua, response);
    return response;
}

bool sip_call_can_100rel(const sip_call *call) {
    return sip_header_has_token(call->invite, "Supported", "100rel") ||
           sip_header_has_token(call->invite, "Require", "100rel");
}

ibk_err sip_answer_repeat(sip_call *call, sip_server *server, const sip_msg *response) {
    call->answer_cseq = response->cseq;
    sip_server_watch(server, &server_ops, call);
    repeater_start(&call->answer, server, response);
    return call->answer.response ? IBK_OK : IBK_ERR_NO_MEMORY;
}

static ibk_err next_rseq(sip_call *call) {
    uint8_t random[2];
    if (call->rseq++)
        return IBK_OK;
    const sip_env *env = env_of(call);
    ibk_err err = env->draw(env->user, random, sizeof random);
    call->rseq = 1u + random[0] * 256u + random[1]; // RFC 3262 §3: 1 to 2^31 - 1
    return err;
}

static ibk_err respond_reliably(sip_call *call, sip_msg *response) {
    ibk_err err = !sip_call_can_100rel(call) || call->progress.timer ? IBK_ERR_STATE : next_rseq(call);
    if (err) {
        sip_msg_free(response);
        return err;
    }
    sip_header_set(response, "Require", "100rel");
    sip_header_drop(response, "RSeq");
    sip_header_addf(response, "RSeq", "%u", call->rseq);
    repeater_start(&call->progress, call->server, response);
    return sip_server_respond(call->server, response);
}

static ibk_err respond_success(sip_call *call, sip_msg *response) {
    if (call->progress.timer) { // RFC 3262 §3: not while a reliable response with a body waits
        sip_msg_free(call->held);
        call->held = response;
        return IBK_OK;
    }
    ibk_err err = sip_answer_repeat(call, call->server, response);
    if (!err) {
        call->answered = call->active->answered = true;
        call->active->dialog->state = SIP_DIALOG_CONFIRMED;
        return sip_server_respond(call->server, response);
    }
    sip_msg_free(response);
    return err;
}

ibk_err sip_call_respond(sip_call *call, sip_msg *response, bool reliable) {
    if (!response)
        return IBK_ERR_NO_MEMORY;
    if (call->caller || !call->server || call->ending || call->answered) {
        sip_msg_free(response);
        return IBK_ERR_STATE;
    }
    if (response->status < 200)
        return reliable ? respond_reliably(call, response) : sip_server_respond(call->server, response);
    if (response->status < 300)
        return respond_success(call, response);
    sip_repeater_stop(&call->progress);
    call->ending = true;
    call->cause = SIP_CAUSE_LOCAL;
    return sip_server_respond(call->server, response);
}

ibk_err sip_call_reply(sip_call *call, int status, bool reliable, const char *content_type, ibk_span body) {
    sip_msg *response = sip_call_response(call, status, NULL);
    if (response && body.len)
        sip_msg_set_body(response, content_type, body);
    return sip_call_respond(call, response, reliable);
}

/* ---- PRACK and ACK
 * ------------------------------------------------------------------------------------------ */

bool sip_callee_on_prack(sip_call *call, sip_server *server, const sip_msg *prack) {
    uint32_t rseq = 0;
    sip_rack rack;
    sip_msg *copy = sip_msg_clone(prack); // RAck is read into the message's arena
    bool good = copy && call->progress.timer && sip_rack_get(copy, &rack) &&
                sip_header_u32(call->progress.response, "RSeq", &rseq) && rack.rseq == rseq &&
                rack.cseq == call->invite->cseq && strcmp(rack.method, "INVITE") == 0;
    sip_msg_free(copy);
    if (good)
        sip_repeater_stop(&call->progress);
    else
        (void)sip_server_reply(server, 481, NULL);
    return good;
}

void sip_callee_release_held(sip_call *call) {
    sip_msg *held = call->held;
    call->held = NULL;
    if (held)
        (void)sip_call_respond(call, held, false);
}

void sip_callee_on_ack(sip_call *call, sip_leg *leg, const sip_msg *ack) {
    if (!call->answer.timer || ack->cseq != call->answer_cseq)
        return;
    sip_call_enter(call);
    sip_repeater_stop(&call->answer);
    if (call->ua->ops.acked && !call->ending)
        call->ua->ops.acked(call->ua->user, call, leg, ack);
    if (call->ending && !call->ended && !leg->bye_sent)
        (void)sip_leg_bye(leg, call->bye_reason);
    sip_call_leave(call);
}
