/* Server transactions: RFC 3261 §17.2 with RFC 6026 §7.1. */
#include "ims/sip/ids.h"
#include "ims/sip/txn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void arrived(txn *t, sip_msg *msg);
static void trying(txn *t, sip_msg *msg);
static void send_first(txn *t, sip_msg *msg);
static void repeat(txn *t, sip_msg *msg);
static void accept(txn *t, sip_msg *msg);
static void accept_again(txn *t, sip_msg *msg);
static void refuse(txn *t, sip_msg *msg);
static void refuse_again(txn *t, sip_msg *msg);
static void confirmed(txn *t, sip_msg *msg);
static void ack_to_core(txn *t, sip_msg *msg);
static void complete(txn *t, sip_msg *msg);

/* Figure 7 of RFC 3261 as RFC 6026 figure 5 corrects it. Timers: G retransmits, H times out, I and L end. A
 * transport error does not end it: retransmitted INVITEs must still find it. */
static const txn_rule invite_rules[] = {
    {TXN_NEW, EV_START, TXN_PROCEEDING, arrived},
    {TXN_PROCEEDING, EV_NUDGE, TXN_PROCEEDING, trying},
    {TXN_PROCEEDING, EV_REQUEST, TXN_PROCEEDING, repeat},
    {TXN_PROCEEDING, EV_1XX, TXN_PROCEEDING, send_first},
    {TXN_PROCEEDING, EV_2XX, TXN_ACCEPTED, accept},
    {TXN_PROCEEDING, EV_FINAL, TXN_COMPLETED, refuse},
    {TXN_COMPLETED, EV_REQUEST, TXN_COMPLETED, repeat},
    {TXN_COMPLETED, EV_RETRANSMIT, TXN_COMPLETED, refuse_again}, // G
    {TXN_COMPLETED, EV_ACK, TXN_CONFIRMED, confirmed},
    {TXN_COMPLETED, EV_TIMEOUT, TXN_TERMINATED, NULL}, // H
    {TXN_CONFIRMED, EV_END, TXN_TERMINATED, NULL},     // I
    {TXN_ACCEPTED, EV_2XX, TXN_ACCEPTED, accept_again},
    {TXN_ACCEPTED, EV_ACK, TXN_ACCEPTED, ack_to_core},
    {TXN_ACCEPTED, EV_END, TXN_TERMINATED, NULL}, // L
};

/* Figure 8 of RFC 3261. Timer J ends. */
static const txn_rule other_rules[] = {
    {TXN_NEW, EV_START, TXN_TRYING, NULL},
    {TXN_TRYING, EV_1XX, TXN_PROCEEDING, send_first},
    {TXN_TRYING, EV_FINAL, TXN_COMPLETED, complete},
    {TXN_PROCEEDING, EV_REQUEST, TXN_PROCEEDING, repeat},
    {TXN_PROCEEDING, EV_1XX, TXN_PROCEEDING, send_first},
    {TXN_PROCEEDING, EV_FINAL, TXN_COMPLETED, complete},
    {TXN_PROCEEDING, EV_TRANSPORT, TXN_TERMINATED, NULL},
    {TXN_COMPLETED, EV_REQUEST, TXN_COMPLETED, repeat},
    {TXN_COMPLETED, EV_TRANSPORT, TXN_TERMINATED, NULL},
    {TXN_COMPLETED, EV_END, TXN_TERMINATED, NULL}, // J
};

static const txn_machine invite_machine = {invite_rules, sizeof invite_rules / sizeof *invite_rules};
static const txn_machine other_machine = {other_rules, sizeof other_rules / sizeof *other_rules};

static const sip_config *conf(const txn *t) {
    return &t->stack->config;
}

/* ---- actions ------------------------------------------------------------------------------------------ */

static void arrived(txn *t, sip_msg *msg) {
    (void)msg;
    sip_txn_timer_start(t, TIMER_NUDGE, conf(t)->trying_ns);
}

static void trying(txn *t, sip_msg *msg) {
    (void)msg;
    if (!t->sent)
        (void)sip_server_respond((sip_server *)t, sip_response_new(t->request, 100, NULL, NULL));
}

/* sip_server_respond has put the response into t->sent and t->octets already; msg NULL: the same as before.
 */
static void send_first(txn *t, sip_msg *msg) {
    sip_txn_timer_stop(t, TIMER_NUDGE);
    sip_txn_send(t, msg == NULL);
}

static void repeat(txn *t, sip_msg *msg) {
    (void)msg;
    if (t->sent)
        sip_txn_send(t, true);
}

static void accept(txn *t, sip_msg *msg) {
    (void)msg;
    sip_txn_stop_all(t);
    t->final = true;
    sip_txn_timer_start(t, TIMER_END, 64 * conf(t)->t1); // L
    sip_txn_send(t, false);
}

static void accept_again(txn *t, sip_msg *msg) {
    sip_txn_send(t, msg == NULL);
}

static void refuse(txn *t, sip_msg *msg) {
    (void)msg;
    sip_txn_stop_all(t);
    if (!sip_txn_reliable(t)) {
        t->interval = conf(t)->t1;
        sip_txn_timer_start(t, TIMER_RETRANSMIT, t->interval); // G
    }
    sip_txn_timer_start(t, TIMER_TIMEOUT, 64 * conf(t)->t1); // H
    sip_txn_send(t, false);
}

static void refuse_again(txn *t, sip_msg *msg) {
    (void)msg;
    t->interval = 2 * t->interval < conf(t)->t2 ? 2 * t->interval : conf(t)->t2;
    sip_txn_timer_start(t, TIMER_RETRANSMIT, t->interval);
    sip_txn_send(t, true);
}

static void confirmed(txn *t, sip_msg *msg) {
    (void)msg;
    sip_server *server = (sip_server *)t;
    sip_txn_stop_all(t);
    t->final = true;
    sip_txn_timer_start(t, TIMER_END, sip_txn_reliable(t) ? 0 : conf(t)->t4); // I
    if (server->ops.acked)
        server->ops.acked(server->user, server);
}

static void ack_to_core(txn *t, sip_msg *msg) {
    if (t->stack->core.ack)
        t->stack->core.ack(t->stack->core.user, msg, &((sip_server *)t)->source);
}

static void complete(txn *t, sip_msg *msg) {
    (void)msg;
    t->final = true;
    sip_txn_timer_start(t, TIMER_END, sip_txn_reliable(t) ? 0 : 64 * conf(t)->t1); // J
    sip_txn_send(t, false);
}

/* ---- life -----------------------------------------------------------------------------------------------
 */

/* §17.2.3: branch, sent-by and method; an ACK looks for its INVITE. */
char *sip_server_key(const sip_msg *request, const char *method) {
    const sip_via *via = &request->via[0];
    const char *branch = sip_branch(via);
    size_t size = strlen(branch) + strlen(via->host) + strlen(method) + 10;
    char *key = malloc(size);
    if (key)
        snprintf(key, size, "%s %s:%u %s", branch, via->host, via->port ? via->port : SIP_PORT, method);
    return key;
}

/* Takes the request on success. */
ibk_err sip_server_start(sip_stack *stack, sip_server **out, sip_msg *request, const sip_dest *source) {
    sip_server *server = calloc(1, sizeof *server);
    char *key = sip_server_key(request, request->method);
    ibk_err err = server && key ? IBK_OK : IBK_ERR_NO_MEMORY;
    if (!err)
        err = sip_new_tag(&stack->env, server->tag);
    if (!err)
        err = sip_stack_response_dest(stack, &server->base.dest, request, source);
    if (err) {
        free(server);
        free(key);
        return err;
    }
    txn *t = &server->base;
    t->is_invite = sip_is(request, "INVITE");
    sip_txn_init(t, stack, t->is_invite ? &invite_machine : &other_machine);
    t->request = request;
    server->source = *source;
    sip_txn_register(t, key);
    *out = server;
    sip_txn_feed(t, EV_START, NULL);
    return IBK_OK;
}

void sip_server_notify_end(txn *t) {
    sip_server *server = (sip_server *)t;
    if (server->ops.terminated)
        server->ops.terminated(server->user, server, t->cause);
}

void sip_server_release(txn *t) {
    (void)t;
}

/* ---- answers ---------------------------------------------------------------------------------------------
 */

static bool may_respond(const txn *t, int status) {
    if (t->state == TXN_TRYING || t->state == TXN_PROCEEDING)
        return true;
    return t->state == TXN_ACCEPTED && status >= 200 && status < 300;
}

ibk_err sip_server_respond(sip_server *server, sip_msg *response) {
    txn *t = &server->base;
    ibk_buf octets = {0};
    if (!response)
        return IBK_ERR_NO_MEMORY;
    ibk_err err = may_respond(t, response->status) ? sip_msg_encode(&octets, response) : IBK_ERR_STATE;
    if (err) {
        ibk_buf_free(&octets);
        sip_msg_free(response);
        return err;
    }
    int status = response->status;
    bool same = ibk_span_equal(ibk_buf_span(&octets), ibk_buf_span(&t->octets));
    sip_msg_free(t->sent);
    ibk_buf_free(&t->octets);
    t->sent = response;
    t->octets = octets;
    sip_stack_enter(t->stack);
    txn_event event = status < 200 ? EV_1XX : status < 300 && t->is_invite ? EV_2XX : EV_FINAL;
    sip_txn_feed(t, event, same ? NULL : response);
    sip_stack_leave(t->stack);
    return IBK_OK;
}

ibk_err sip_server_reply(sip_server *server, int status, const char *reason) {
    const char *name = server->base.stack->config.user_agent;
    sip_msg *response = sip_response_new(server->base.request, status, reason, server->tag);
    if (response && name && status > 100)
        sip_header_add(response, "Server", name);
    return sip_server_respond(server, response);
}

const sip_msg *sip_server_request(const sip_server *server) {
    return server->base.request;
}

const sip_dest *sip_server_source(const sip_server *server) {
    return &server->source;
}

sip_stack *sip_server_stack(const sip_server *server) {
    return server->base.stack;
}

const char *sip_server_tag(const sip_server *server) {
    return server->tag;
}

int sip_server_status(const sip_server *server) {
    return server->base.sent ? server->base.sent->status : 0;
}

void sip_server_watch(sip_server *server, const sip_server_ops *ops, void *user) {
    server->ops = ops ? *ops : (sip_server_ops){0};
    server->user = user;
}
