/* A user agent: its calls, and which of them a message is for. */
#include "ims/sip/ua.h"

#include <stdlib.h>
#include <string.h>

ibk_err sip_ua_new(sip_ua **out, sip_stack *stack, const sip_ua_config *config, const sip_ua_ops *ops,
                   void *user) {
    *out = NULL;
    sip_ua *ua = calloc(1, sizeof *ua);
    if (!ua)
        return IBK_ERR_NO_MEMORY;
    ua->stack = stack;
    ua->ops = *ops;
    ua->user = user;
    ua->max_calls = config->max_calls ? config->max_calls : 1000;
    ua->allow =
        sip_arena_str(&ua->arena, config->allow ? config->allow : "INVITE, ACK, CANCEL, BYE, PRACK, UPDATE");
    sip_name_addr_copy(&ua->arena, &ua->contact, &config->contact);
    if (ua->arena.failed) {
        sip_ua_free(ua);
        return IBK_ERR_NO_MEMORY;
    }
    *out = ua;
    return IBK_OK;
}

void sip_ua_free(sip_ua *ua) {
    if (!ua)
        return;
    while (ua->calls)
        sip_call_end(ua->calls, SIP_CAUSE_LOCAL, NULL);
    sip_arena_free(&ua->arena);
    free(ua);
}

ibk_err sip_ua_set_contact(sip_ua *ua, const sip_name_addr *contact) {
    sip_name_addr_copy(&ua->arena, &ua->contact, contact);
    return ua->arena.failed ? IBK_ERR_NO_MEMORY : IBK_OK;
}

size_t sip_ua_call_count(const sip_ua *ua) {
    return ua->count;
}

/* ---- calls and legs --------------------------------------------------------------------------------- */

sip_call *sip_call_new(sip_ua *ua) {
    sip_call *call = calloc(1, sizeof *call);
    if (!call)
        return NULL;
    call->ua = ua;
    call->progress.call = call->answer.call = call;
    call->next = ua->calls;
    call->prev = &ua->calls;
    if (call->next)
        call->next->prev = &call->next;
    ua->calls = call;
    ua->count++;
    return call;
}

static void leg_free(sip_leg *leg) {
    sip_dialog_free(leg->dialog);
    sip_msg_free(leg->ack);
    free(leg);
}

static void call_free(sip_call *call) {
    if (call->client)
        sip_client_detach(call->client);
    if (call->server)
        sip_server_watch(call->server, NULL, NULL);
    sip_call_drop_requests(call);
    sip_repeater_stop(&call->progress);
    sip_repeater_stop(&call->answer);
    while (call->leg) {
        sip_leg *leg = call->leg;
        call->leg = leg->next;
        leg_free(leg);
    }
    *call->prev = call->next;
    if (call->next)
        call->next->prev = call->prev;
    call->ua->count--;
    const sip_env *env = sip_stack_env(call->ua->stack);
    env->timer_cancel(env->user, call->end_timer);
    free(call->bye_reason);
    sip_msg_free(call->invite);
    sip_msg_free(call->held);
    sip_msg_free(call->last);
    free(call);
}

void sip_call_enter(sip_call *call) {
    call->busy++;
}

void sip_call_leave(sip_call *call) {
    if (--call->busy == 0 && call->ended)
        call_free(call);
}

void sip_call_discard(sip_call *call) {
    sip_call_enter(call);
    call->ended = true;
    sip_call_leave(call);
}

void sip_call_end(sip_call *call, sip_cause cause, const sip_msg *last) {
    if (call->ended)
        return;
    sip_call_enter(call);
    call->ended = true;
    sip_repeater_stop(&call->progress);
    sip_repeater_stop(&call->answer);
    for (sip_leg *leg = call->leg; leg; leg = leg->next)
        leg->dialog->state = SIP_DIALOG_TERMINATED;
    if (call->ua->ops.ended)
        call->ua->ops.ended(call->ua->user, call, cause, last);
    sip_call_leave(call);
}

static void end_now(void *arg) {
    sip_call *call = arg;
    call->end_timer = 0;
    sip_call_end(call, call->cause, call->last);
}

void sip_call_end_soon(sip_call *call, sip_cause cause) {
    const sip_env *env = sip_stack_env(call->ua->stack);
    call->ending = true;
    call->cause = cause;
    if (!call->end_timer && !call->ended)
        call->end_timer = env->timer_start(env->user, 0, end_now, call);
}

sip_leg *sip_leg_new(sip_call *call, sip_dialog *dialog) {
    sip_leg *leg = calloc(1, sizeof *leg);
    if (!leg) {
        sip_dialog_free(dialog);
        return NULL;
    }
    leg->call = call;
    leg->dialog = dialog;
    leg->next = call->leg;
    call->leg = leg;
    return leg;
}

sip_leg *sip_leg_of(sip_call *call, const sip_msg *msg) {
    for (sip_leg *leg = call->leg; leg; leg = leg->next)
        if (sip_dialog_matches(leg->dialog, msg))
            return leg;
    return NULL;
}

void sip_add_defaults(sip_ua *ua, sip_msg *msg) {
    const char *name = sip_stack_config(ua->stack)->user_agent;
    if ((!sip_is(msg, "INVITE") && !sip_is(msg, "UPDATE")) || msg->status >= 300)
        return;
    if (msg->contact_count == 0)
        sip_contact_add(msg, &ua->contact);
    if (!sip_header_get(msg, "Allow"))
        sip_header_add(msg, "Allow", ua->allow);
    if (msg->is_request && !sip_header_get(msg, "Supported"))
        sip_header_add(msg, "Supported", "100rel");
    if (name && msg->is_request && !sip_header_get(msg, "User-Agent"))
        sip_header_add(msg, "User-Agent", name);
}

sip_msg *sip_ua_request(sip_ua *ua, const char *method, const sip_uri *target, const sip_name_addr *from,
                        const sip_name_addr *to) {
    char tag[SIP_ID_MAX], call_id[SIP_ID_MAX];
    const sip_env *env = sip_stack_env(ua->stack);
    if (sip_new_tag(env, tag) || sip_new_token(env, call_id))
        return NULL;
    sip_msg *msg = sip_request_new(method, target, from, to, call_id, 1);
    if (!msg)
        return NULL;
    sip_param_set(&msg->arena, &msg->from.params, "tag", tag);
    sip_param_drop(&msg->to.params, "tag");
    return msg;
}

/* ---- dispatch -------------------------------------------------------------------------------------------
 */

static sip_leg *find_leg(sip_ua *ua, const sip_msg *msg) {
    for (sip_call *call = ua->calls; call; call = call->next) {
        sip_leg *leg = call->ended ? NULL : sip_leg_of(call, msg);
        if (leg)
            return leg;
    }
    return NULL;
}

static void outside(sip_ua *ua, sip_server *server, const sip_msg *request) {
    if (sip_to_tag(request) || sip_is(request, "BYE") || sip_is(request, "PRACK") ||
        sip_is(request, "UPDATE"))
        (void)sip_server_reply(server, 481, NULL); // RFC 3261 §12.2.2
    else if (ua->ops.outside)
        ua->ops.outside(ua->user, server, request);
    else
        (void)sip_server_reply(server, 501, NULL);
}

static bool requires_unknown(const sip_msg *request) {
    const char *value;
    for (size_t i = 0; (value = sip_header_at(request, "Require", i)); i++) {
        while (*value) {
            value += strspn(value, " ,");
            size_t len = strcspn(value, " ,");
            if (len && !(len == 6 && strncmp(value, "100rel", 6) == 0))
                return true;
            value += len;
        }
    }
    return false;
}

/* RFC 3261 §8.2.2.3. */
static void bad_extension(sip_server *server) {
    const sip_msg *request = sip_server_request(server);
    sip_msg *response = sip_response_new(request, 420, NULL, sip_server_tag(server));
    const char *value;
    for (size_t i = 0; response && (value = sip_header_at(request, "Require", i)); i++)
        sip_header_add(response, "Unsupported", value);
    (void)sip_server_respond(server, response);
}

void sip_ua_on_request(sip_ua *ua, sip_server *server, const sip_msg *request) {
    sip_leg *leg = find_leg(ua, request);
    if (requires_unknown(request))
        bad_extension(server);
    else if (leg)
        sip_leg_on_request(leg, server, request);
    else if (sip_is(request, "INVITE") && !sip_to_tag(request))
        sip_callee_start(ua, server, request);
    else
        outside(ua, server, request);
}

void sip_ua_on_ack(sip_ua *ua, const sip_msg *ack) {
    sip_leg *leg = find_leg(ua, ack);
    if (leg)
        sip_callee_on_ack(leg->call, leg, ack);
}

void sip_ua_on_cancel(sip_ua *ua, sip_server *invite, const sip_msg *cancel) {
    for (sip_call *call = ua->calls; call; call = call->next)
        if (call->server == invite && !call->ended) {
            sip_callee_on_cancel(call, cancel);
            return;
        }
    (void)sip_server_reply(invite, 487, NULL); // a re-INVITE
}

/* ---- reading ----------------------------------------------------------------------------------------------
 */

const sip_dialog *sip_leg_dialog(const sip_leg *leg) {
    return leg->dialog;
}

sip_call *sip_leg_call(const sip_leg *leg) {
    return leg->call;
}

sip_leg *sip_call_leg(const sip_call *call, size_t index) {
    sip_leg *leg = call->leg;
    while (leg && index-- > 0)
        leg = leg->next;
    return leg;
}

sip_leg *sip_call_active_leg(const sip_call *call) {
    return call->active;
}

bool sip_call_is_caller(const sip_call *call) {
    return call->caller;
}

const char *sip_call_id(const sip_call *call) {
    return call->invite->call_id;
}

const sip_msg *sip_call_invite_msg(const sip_call *call) {
    return call->invite;
}

void sip_call_set_user(sip_call *call, void *user) {
    call->user = user;
}

void *sip_call_user(const sip_call *call) {
    return call->user;
}

sip_ua *sip_call_ua(const sip_call *call) {
    return call->ua;
}
