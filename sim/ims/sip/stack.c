/* One node's stack: life, and what comes in. */
#include "ims/sip/stack.h"
#include "ims/sip/txn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void fill_defaults(sip_stack *stack) {
    sip_config *config = &stack->config;
    config->host = sip_arena_str(&stack->arena, config->host);
    config->user_agent = sip_arena_str(&stack->arena, config->user_agent);
    config->port = config->port ? config->port : SIP_PORT;
    config->t1 = config->t1 ? config->t1 : 500 * SIP_MS;
    config->t2 = config->t2 ? config->t2 : 4 * SIP_S;
    config->t4 = config->t4 ? config->t4 : 5 * SIP_S;
    config->trying_ns = config->trying_ns ? config->trying_ns : 200 * SIP_MS;
    config->mtu_limit = config->mtu_limit ? config->mtu_limit : 1300;
    config->max_transactions = config->max_transactions ? config->max_transactions : 100000;
}

ibk_err sip_stack_new(sip_stack **out, const sip_env *env, const sip_config *config, const sip_core *core) {
    *out = NULL;
    if (!env->now || !env->timer_start || !env->timer_cancel || !env->draw || !config->host || !core->request)
        return IBK_ERR_USAGE;
    sip_stack *stack = calloc(1, sizeof *stack);
    if (!stack)
        return IBK_ERR_NO_MEMORY;
    stack->env = *env;
    stack->config = *config;
    stack->core = *core;
    fill_defaults(stack);
    if (stack->arena.failed) {
        sip_stack_free(stack);
        return IBK_ERR_NO_MEMORY;
    }
    *out = stack;
    return IBK_OK;
}

void sip_stack_set_transport(sip_stack *stack, const sip_transport *transport) {
    stack->transport = transport ? *transport : (sip_transport){0};
}

void sip_stack_free(sip_stack *stack) {
    if (!stack)
        return;
    sip_stack_enter(stack);
    while (stack->alive)
        sip_txn_end(stack->alive, SIP_CAUSE_LOCAL);
    sip_stack_leave(stack);
    sip_arena_free(&stack->arena);
    free(stack);
}

const sip_stats *sip_stack_stats(const sip_stack *stack) {
    return &stack->stats;
}

const sip_env *sip_stack_env(const sip_stack *stack) {
    return &stack->env;
}

const sip_config *sip_stack_config(const sip_stack *stack) {
    return &stack->config;
}

/* ---- responses ----------------------------------------------------------------------------------------- */

/* RFC 3261 §18.1.2: a response whose sent-by is not ours went astray. */
static bool is_ours(const sip_stack *stack, const sip_via *via) {
    uint16_t port = via->port ? via->port : SIP_PORT;
    return strcasecmp(via->host, stack->config.host) == 0 && port == stack->config.port;
}

static void receive_response(sip_stack *stack, const sip_dest *source, sip_msg *msg, ibk_span octets) {
    char *key = sip_client_key(sip_top_branch(msg), msg->method);
    txn *t = key ? sip_txn_find(stack, key, true) : NULL;
    bool mine = is_ours(stack, &msg->via[0]);
    bool first = !t || sip_client_first_sight((sip_client *)t, octets);
    free(key);
    sip_stack_trace(stack, msg, octets.len, source, false, !first, NULL);
    if (first)
        stack->stats.responses_received++;
    else
        stack->stats.retransmissions_received++;
    if (t && mine)
        sip_client_receive((sip_client *)t, msg);
    else if (mine && stack->core.stray)
        stack->core.stray(stack->core.user, msg, source);
    sip_msg_free(msg);
}

/* ---- requests -------------------------------------------------------------------------------------------
 */

/* RFC 3261 §18.2.1, RFC 3581 §4. */
static void note_source(sip_msg *msg, const sip_dest *source) {
    sip_via *via = &msg->via[0];
    char ip[SIP_TEXT_ADDR_MAX];
    sip_addr sent_by;
    const char *rport = sip_param_get(&via->params, "rport");
    bool literal = sip_addr_parse(&sent_by, via->host, 0);
    sip_param_drop(&via->params, "received"); // nobody but this hop may say so
    sip_addr_ip(ip, &source->addr);
    if (!literal || !sip_addr_same_ip(&sent_by, &source->addr) || rport)
        sip_param_set(&msg->arena, &via->params, "received", ip);
    if (rport)
        sip_param_set(&msg->arena, &via->params, "rport",
                      sip_arena_printf(&msg->arena, "%u", source->addr.port));
}

/* §9.2. */
static void receive_cancel(sip_stack *stack, sip_server *cancel) {
    const sip_msg *request = cancel->base.request;
    char *key = sip_server_key(request, "INVITE");
    txn *t = key ? sip_txn_find(stack, key, false) : NULL;
    sip_server *invite = (sip_server *)t;
    free(key);
    if (!t) {
        (void)sip_server_reply(cancel, 481, NULL);
        return;
    }
    // The To tag of the answer is that of the INVITE's answers.
    memcpy(cancel->tag, invite->tag, sizeof cancel->tag);
    (void)sip_server_reply(cancel, 200, NULL);
    if (t->state != TXN_PROCEEDING)
        return;
    if (stack->core.cancel)
        stack->core.cancel(stack->core.user, invite, request);
    else
        (void)sip_server_reply(invite, 487, NULL);
}

static void receive_new(sip_stack *stack, const sip_dest *source, sip_msg *msg) {
    sip_server *server = NULL;
    if (sip_is(msg, "ACK")) {
        if (stack->core.ack)
            stack->core.ack(stack->core.user, msg, source);
        sip_msg_free(msg);
        return;
    }
    if (stack->stats.servers + stack->stats.clients >= stack->config.max_transactions ||
        sip_server_start(stack, &server, msg, source)) {
        (void)sip_stack_reply(stack, msg, source, 503);
        sip_msg_free(msg);
        return;
    }
    if (sip_is(msg, "CANCEL"))
        receive_cancel(stack, server);
    else
        stack->core.request(stack->core.user, server, msg);
}

static void receive_request(sip_stack *stack, const sip_dest *source, sip_msg *msg, size_t octets) {
    bool ack = sip_is(msg, "ACK");
    note_source(msg, source);
    char *key = sip_server_key(msg, ack ? "INVITE" : msg->method);
    txn *t = key ? sip_txn_find(stack, key, false) : NULL;
    free(key);
    bool again = t && (!ack || t->state == TXN_CONFIRMED);
    sip_stack_trace(stack, msg, octets, source, false, again, NULL);
    if (again)
        stack->stats.retransmissions_received++;
    else
        stack->stats.requests_received++;
    if (!t) {
        receive_new(stack, source, msg);
        return;
    }
    if (!ack && source->flow) // a repeated request on a new connection is answered there
        t->dest.flow = source->flow;
    sip_txn_feed(t, ack ? EV_ACK : EV_REQUEST, msg);
    sip_msg_free(msg);
}

void sip_stack_receive(sip_stack *stack, const sip_dest *source, ibk_span octets) {
    sip_msg *msg = NULL;
    ibk_diag diag = {0};
    while (octets.len >= 2 && octets.data[0] == '\r' && octets.data[1] == '\n') // RFC 3261 §7.5, keep-alives
        octets = ibk_span_of(octets.data + 2, octets.len - 2);
    if (octets.len == 0)
        return;
    sip_stack_enter(stack);
    if (sip_msg_parse(&msg, octets, source->proto == SIP_TCP ? SIP_STREAM : SIP_DATAGRAM, &diag)) {
        stack->stats.malformed++;
        sip_stack_trace(stack, NULL, octets.len, source, false, false, &diag);
        sip_stack_refuse(stack, source, octets, &diag);
    } else if (msg->is_request) {
        receive_request(stack, source, msg, octets.len);
    } else {
        receive_response(stack, source, msg, octets);
    }
    sip_stack_leave(stack);
}

/* ---- failures
 * ----------------------------------------------------------------------------------------------- */

void sip_stack_send_failed(sip_stack *stack, uint64_t token) {
    for (txn *t = token ? stack->alive : NULL; t; t = t->next)
        if (t->token == token) {
            sip_txn_post_failure(t);
            return;
        }
}

void sip_stack_unreachable(sip_stack *stack, const sip_dest *dest) {
    for (txn *t = stack->alive; t; t = t->next)
        if (t->is_client && !t->final && t->dest.proto == dest->proto &&
            sip_addr_equal(&t->dest.addr, &dest->addr))
            sip_txn_post_failure(t);
}
