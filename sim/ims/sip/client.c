/* Client transactions: RFC 3261 §17.1 with RFC 6026 §7.2. */
#include "ims/sip/ids.h"
#include "ims/sip/txn.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void start(txn *t, sip_msg *msg);
static void again_doubling(txn *t, sip_msg *msg);
static void again_capped(txn *t, sip_msg *msg);
static void again_slow(txn *t, sip_msg *msg);
static void provisional(txn *t, sip_msg *msg);
static void provisional_other(txn *t, sip_msg *msg);
static void success(txn *t, sip_msg *msg);
static void success_again(txn *t, sip_msg *msg);
static void refused(txn *t, sip_msg *msg);
static void ack_again(txn *t, sip_msg *msg);
static void answered(txn *t, sip_msg *msg);

/* Figure 5 of RFC 3261 as RFC 6026 figure 6 corrects it. Timers: A retransmits, B times out, D and M end. */
static const txn_rule invite_rules[] = {
    {TXN_NEW, EV_START, TXN_CALLING, start},
    {TXN_CALLING, EV_RETRANSMIT, TXN_CALLING, again_doubling}, // A
    {TXN_CALLING, EV_TIMEOUT, TXN_TERMINATED, NULL},           // B
    {TXN_CALLING, EV_TRANSPORT, TXN_TERMINATED, NULL},
    {TXN_CALLING, EV_1XX, TXN_PROCEEDING, provisional},
    {TXN_CALLING, EV_2XX, TXN_ACCEPTED, success},
    {TXN_CALLING, EV_FINAL, TXN_COMPLETED, refused},
    {TXN_PROCEEDING, EV_1XX, TXN_PROCEEDING, provisional},
    {TXN_PROCEEDING, EV_2XX, TXN_ACCEPTED, success},
    {TXN_PROCEEDING, EV_FINAL, TXN_COMPLETED, refused},
    {TXN_PROCEEDING, EV_NUDGE, TXN_TERMINATED, NULL}, // §9.1: 64*T1 after CANCEL
    {TXN_COMPLETED, EV_FINAL, TXN_COMPLETED, ack_again},
    {TXN_COMPLETED, EV_TRANSPORT, TXN_TERMINATED, NULL},
    {TXN_COMPLETED, EV_END, TXN_TERMINATED, NULL}, // D
    {TXN_ACCEPTED, EV_2XX, TXN_ACCEPTED, success_again},
    {TXN_ACCEPTED, EV_END, TXN_TERMINATED, NULL}, // M
};

/* Figure 6 of RFC 3261. Timers: E retransmits, F times out, K ends. */
static const txn_rule other_rules[] = {
    {TXN_NEW, EV_START, TXN_TRYING, start},
    {TXN_TRYING, EV_RETRANSMIT, TXN_TRYING, again_capped}, // E
    {TXN_TRYING, EV_TIMEOUT, TXN_TERMINATED, NULL},        // F
    {TXN_TRYING, EV_TRANSPORT, TXN_TERMINATED, NULL},
    {TXN_TRYING, EV_1XX, TXN_PROCEEDING, provisional_other},
    {TXN_TRYING, EV_FINAL, TXN_COMPLETED, answered},
    {TXN_PROCEEDING, EV_RETRANSMIT, TXN_PROCEEDING, again_slow},
    {TXN_PROCEEDING, EV_TIMEOUT, TXN_TERMINATED, NULL},
    {TXN_PROCEEDING, EV_TRANSPORT, TXN_TERMINATED, NULL},
    {TXN_PROCEEDING, EV_1XX, TXN_PROCEEDING, provisional_other},
    {TXN_PROCEEDING, EV_FINAL, TXN_COMPLETED, answered},
    {TXN_COMPLETED, EV_END, TXN_TERMINATED, NULL}, // K
};

static const txn_machine invite_machine = {invite_rules, sizeof invite_rules / sizeof *invite_rules};
static const txn_machine other_machine = {other_rules, sizeof other_rules / sizeof *other_rules};

static const sip_config *conf(const txn *t) {
    return &t->stack->config;
}

/* ---- actions --------------------------------------------------------------------------------------- */

static void send_cancel(sip_client *client);

static void tell(txn *t, const sip_msg *response) {
    sip_client *client = (sip_client *)t;
    if (client->ops && client->ops->response)
        client->ops->response(client->user, client, response);
}

static void start(txn *t, sip_msg *msg) {
    (void)msg;
    if (!sip_txn_reliable(t)) {
        t->interval = conf(t)->t1;
        sip_txn_timer_start(t, TIMER_RETRANSMIT, t->interval);
    }
    if (!t->alarm[TIMER_TIMEOUT].handle)
        sip_txn_timer_start(t, TIMER_TIMEOUT, 64 * conf(t)->t1);
    sip_txn_send(t, false);
}

static void again(txn *t, uint64_t interval) {
    t->interval = interval;
    sip_txn_timer_start(t, TIMER_RETRANSMIT, interval);
    sip_txn_send(t, true);
}

static void again_doubling(txn *t, sip_msg *msg) {
    (void)msg;
    again(t, 2 * t->interval);
}

static void again_capped(txn *t, sip_msg *msg) {
    (void)msg;
    again(t, 2 * t->interval < conf(t)->t2 ? 2 * t->interval : conf(t)->t2);
}

static void again_slow(txn *t, sip_msg *msg) {
    (void)msg;
    again(t, conf(t)->t2);
}

static void provisional(txn *t, sip_msg *msg) {
    sip_client *client = (sip_client *)t;
    sip_txn_timer_stop(t, TIMER_RETRANSMIT);
    sip_txn_timer_stop(t, TIMER_TIMEOUT);
    if (client->cancel_wanted && !client->cancel_sent)
        send_cancel(client);
    tell(t, msg);
}

/* Timers E and F go on: §17.1.2.2. */
static void provisional_other(txn *t, sip_msg *msg) {
    tell(t, msg);
}

static void finish(txn *t, uint64_t linger) {
    sip_txn_stop_all(t);
    t->final = true;
    sip_txn_timer_start(t, TIMER_END, linger);
}

static void success(txn *t, sip_msg *msg) {
    finish(t, 64 * conf(t)->t1); // M
    tell(t, msg);
}

static void success_again(txn *t, sip_msg *msg) {
    tell(t, msg);
}

static void answered(txn *t, sip_msg *msg) {
    finish(t, sip_txn_reliable(t) ? 0 : conf(t)->t4); // K
    tell(t, msg);
}

static void send_ack(txn *t, bool retransmission) {
    sip_client *client = (sip_client *)t;
    if (client->ack.len && sip_stack_transmit(t->stack, client->ack_msg, ibk_buf_span(&client->ack), &t->dest,
                                              retransmission, t->token))
        sip_txn_post_failure(t);
}

/* §17.1.1.3: the transaction acknowledges what is no 2xx. */
static void refused(txn *t, sip_msg *msg) {
    sip_client *client = (sip_client *)t;
    uint64_t timer_d = 64 * conf(t)->t1; // at least 32 s with the standard T1
    finish(t, sip_txn_reliable(t) ? 0 : timer_d);
    client->ack_msg = sip_ack_for(t->request, msg);
    if (!client->ack_msg || sip_msg_encode(&client->ack, client->ack_msg))
        ibk_buf_clear(&client->ack);
    send_ack(t, false);
    tell(t, msg);
}

static void ack_again(txn *t, sip_msg *msg) {
    (void)msg;
    send_ack(t, true);
}

/* ---- reception -------------------------------------------------------------------------------------- */

void sip_client_receive(sip_client *client, sip_msg *response) {
    txn *t = &client->base;
    if (response->status < 200)
        sip_txn_feed(t, EV_1XX, response);
    else if (response->status < 300 && t->is_invite)
        sip_txn_feed(t, EV_2XX, response);
    else
        sip_txn_feed(t, EV_FINAL, response);
}

bool sip_client_first_sight(sip_client *client, ibk_span octets) {
    const size_t count = sizeof client->seen / sizeof *client->seen;
    uint64_t digest = UINT64_C(14695981039346656037);
    for (size_t i = 0; i < octets.len; i++)
        digest = (digest ^ octets.data[i]) * UINT64_C(1099511628211);
    for (size_t i = 0; i < count; i++)
        if (client->seen[i] == digest)
            return false;
    memmove(client->seen + 1, client->seen, (count - 1) * sizeof *client->seen);
    client->seen[0] = digest;
    return true;
}

void sip_client_notify_end(txn *t) {
    sip_client *client = (sip_client *)t;
    if (client->ops && client->ops->terminated)
        client->ops->terminated(client->user, client, t->cause);
}

void sip_client_release(txn *t) {
    sip_client *client = (sip_client *)t;
    ibk_buf_free(&client->ack);
    sip_msg_free(client->ack_msg);
    free(client->cancel_reason);
}

/* ---- starting ----------------------------------------------------------------------------------------- */

char *sip_client_key(const char *branch, const char *method) {
    size_t size = strlen(branch) + strlen(method) + 2;
    char *key = malloc(size);
    if (key)
        snprintf(key, size, "%s %s", branch, method);
    return key;
}

/* request has its Via already; consumed. */
static ibk_err launch(sip_stack *stack, sip_client **out, sip_msg *request, const sip_dest *dest,
                      bool by_size, const sip_client_ops *ops, void *user) {
    sip_client *client = calloc(1, sizeof *client);
    char *key = sip_client_key(sip_top_branch(request), request->method);
    ibk_err err = client && key ? IBK_OK : IBK_ERR_NO_MEMORY;
    if (!err)
        err = sip_msg_encode(&client->base.octets, request);
    if (err) {
        if (client)
            ibk_buf_free(&client->base.octets);
        free(client);
        free(key);
        sip_msg_free(request);
        return err;
    }
    txn *t = &client->base;
    t->is_client = true;
    t->is_invite = sip_is(request, "INVITE");
    sip_txn_init(t, stack, t->is_invite ? &invite_machine : &other_machine);
    t->request = t->sent = request;
    t->dest = *dest;
    client->by_size = by_size;
    if (ops) {
        client->ops_copy = *ops;
        client->ops = &client->ops_copy;
    }
    client->user = user;
    sip_txn_register(t, key);
    if (out)
        *out = client;
    sip_txn_feed(t, EV_START, NULL);
    return IBK_OK;
}

ibk_err sip_client_start(sip_stack *stack, sip_client **out, sip_msg *request, const sip_dest *dest,
                         const sip_client_ops *ops, void *user) {
    sip_dest to = {0};
    ibk_err err = IBK_OK;
    if (out)
        *out = NULL;
    if (!request)
        return IBK_ERR_NO_MEMORY;
    if (dest)
        to = *dest;
    else
        err = sip_stack_next_hop(stack, &to, request, NULL);
    sip_proto wanted = to.proto;
    if (!err)
        err = sip_stack_prepare(stack, request, &to);
    if (err) {
        sip_msg_free(request);
        return err;
    }
    return launch(stack, out, request, &to, wanted != to.proto, ops, user);
}

/* §18.1.1: TCP that was chosen by size alone and does not work gives way to UDP. */
bool sip_client_fall_back(sip_client *client) {
    txn *t = &client->base;
    if (!client->by_size || t->dest.proto != SIP_TCP || (t->state != TXN_CALLING && t->state != TXN_TRYING))
        return false;
    client->by_size = false;
    t->dest.proto = t->request->via[0].proto = SIP_UDP;
    t->dest.flow = 0;
    ibk_buf_clear(&t->octets);
    if (sip_msg_encode(&t->octets, t->request))
        return false;
    t->stack->stats.tcp_fallbacks++;
    start(t, NULL);
    return true;
}

/* ---- CANCEL ---------------------------------------------------------------------------------------------
 */

static void send_cancel(sip_client *client) {
    txn *t = &client->base;
    sip_msg *cancel = sip_cancel_for(t->request, client->cancel_reason);
    client->cancel_sent = true;
    sip_txn_timer_start(t, TIMER_NUDGE, 64 * conf(t)->t1);
    if (cancel) // its own failure shows in the INVITE's timer
        (void)launch(t->stack, NULL, cancel, &t->dest, false, NULL, NULL);
}

ibk_err sip_client_cancel(sip_client *client, const char *reason) {
    txn *t = &client->base;
    if (!t->is_invite)
        return IBK_ERR_USAGE;
    if (client->cancel_wanted || (t->state != TXN_CALLING && t->state != TXN_PROCEEDING))
        return IBK_OK;
    client->cancel_wanted = true;
    client->cancel_reason = reason ? strdup(reason) : NULL;
    sip_stack_enter(t->stack);
    if (t->state == TXN_PROCEEDING) // §9.1: not before a provisional response
        send_cancel(client);
    sip_stack_leave(t->stack);
    return IBK_OK;
}

const sip_msg *sip_client_request(const sip_client *client) {
    return client->base.request;
}

const sip_dest *sip_client_dest(const sip_client *client) {
    return &client->base.dest;
}

void sip_client_detach(sip_client *client) {
    client->ops = NULL;
}
