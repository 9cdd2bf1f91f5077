/* The engine of the four transaction machines: tables, timers, ends. The machines: client.c, server.c. */
#include "ims/sip/txn.h"

#include <stdlib.h>
#include <string.h>

const char *sip_cause_name(sip_cause cause) {
    static const char *const names[] = {"none", "timeout", "transport", "response",
                                        "bye",  "local",   "cancelled", "memory"};
    return (size_t)cause < sizeof names / sizeof *names ? names[cause] : "unknown";
}

/* ---- the table of the living -------------------------------------------------------------------- */

static uint32_t hash(const char *key) {
    uint32_t value = 2166136261u;
    for (; *key; key++)
        value = (value ^ (uint8_t)*key) * 16777619u;
    return value % TXN_BUCKETS;
}

void sip_txn_init(txn *t, sip_stack *stack, const txn_machine *machine) {
    t->stack = stack;
    t->machine = machine;
    t->token = ++stack->next_token;
    for (int i = 0; i < TXN_TIMERS; i++) {
        t->alarm[i].t = t;
        t->alarm[i].id = (txn_timer)i;
    }
}

void sip_txn_register(txn *t, char *key) {
    sip_stack *stack = t->stack;
    uint32_t at = hash(key);
    t->key = key;
    t->bucket_next = stack->bucket[at];
    stack->bucket[at] = t;
    t->next = stack->alive;
    if (stack->alive)
        stack->alive->prev = t;
    stack->alive = t;
    if (t->is_client)
        stack->stats.clients++;
    else
        stack->stats.servers++;
}

static void unregister(txn *t) {
    sip_stack *stack = t->stack;
    for (txn **at = &stack->bucket[hash(t->key)]; *at; at = &(*at)->bucket_next)
        if (*at == t) {
            *at = t->bucket_next;
            break;
        }
    if (t->prev)
        t->prev->next = t->next;
    else
        stack->alive = t->next;
    if (t->next)
        t->next->prev = t->prev;
    t->prev = NULL;
    if (t->is_client)
        stack->stats.clients--;
    else
        stack->stats.servers--;
}

txn *sip_txn_find(sip_stack *stack, const char *key, bool client) {
    for (txn *t = stack->bucket[hash(key)]; t; t = t->bucket_next)
        if (t->is_client == client && strcmp(t->key, key) == 0)
            return t;
    return NULL;
}

void sip_txn_free(txn *t) {
    if (t->is_client)
        sip_client_release(t);
    else
        sip_server_release(t);
    if (t->sent != t->request)
        sip_msg_free(t->sent);
    sip_msg_free(t->request);
    ibk_buf_free(&t->octets);
    free(t->key);
    free(t);
}

void sip_stack_enter(sip_stack *stack) {
    stack->depth++;
}

void sip_stack_leave(sip_stack *stack) {
    if (--stack->depth > 0)
        return;
    while (stack->dead) {
        txn *t = stack->dead;
        stack->dead = t->next;
        sip_txn_free(t);
    }
}

/* ---- the machine ------------------------------------------------------------------------------------ */

void sip_txn_feed(txn *t, txn_event event, sip_msg *msg) {
    for (size_t i = 0; i < t->machine->count; i++) {
        const txn_rule *rule = &t->machine->rule[i];
        if (rule->state != t->state || rule->event != event)
            continue;
        t->state = rule->next;
        if (rule->action)
            rule->action(t, msg);
        if (rule->next == TXN_TERMINATED)
            sip_txn_end(t, t->final ? SIP_CAUSE_NONE : t->cause);
        return;
    }
}

void sip_txn_end(txn *t, sip_cause cause) {
    sip_stack *stack = t->stack;
    t->state = TXN_TERMINATED;
    t->cause = cause;
    sip_txn_stop_all(t);
    unregister(t);
    t->next = stack->dead;
    stack->dead = t;
    if (cause == SIP_CAUSE_TRANSPORT)
        stack->stats.transport_errors++;
    if (cause == SIP_CAUSE_TIMEOUT)
        stack->stats.timeouts++;
    sip_stack_enter(stack);
    if (t->is_client)
        sip_client_notify_end(t);
    else
        sip_server_notify_end(t);
    sip_stack_leave(stack);
}

/* ---- timers ------------------------------------------------------------------------------------------- */

static void fired(void *arg) {
    static const txn_event events[TXN_TIMERS] = {EV_RETRANSMIT, EV_TIMEOUT, EV_END, EV_NUDGE, EV_TRANSPORT};
    struct txn_alarm *alarm = arg;
    txn *t = alarm->t;
    sip_stack *stack = t->stack;
    alarm->handle = 0;
    sip_stack_enter(stack);
    bool recovered = alarm->id == TIMER_FAILURE && t->is_client && sip_client_fall_back((sip_client *)t);
    if (!recovered) {
        if (alarm->id == TIMER_FAILURE)
            t->cause = SIP_CAUSE_TRANSPORT;
        else if (alarm->id == TIMER_TIMEOUT || alarm->id == TIMER_NUDGE)
            t->cause = SIP_CAUSE_TIMEOUT;
        sip_txn_feed(t, events[alarm->id], NULL);
    }
    sip_stack_leave(stack);
}

void sip_txn_timer_stop(txn *t, txn_timer id) {
    if (t->alarm[id].handle)
        t->stack->env.timer_cancel(t->stack->env.user, t->alarm[id].handle);
    t->alarm[id].handle = 0;
}

void sip_txn_timer_start(txn *t, txn_timer id, uint64_t delay_ns) {
    sip_txn_timer_stop(t, id);
    t->alarm[id].handle = t->stack->env.timer_start(t->stack->env.user, delay_ns, fired, &t->alarm[id]);
}

void sip_txn_stop_all(txn *t) {
    for (int i = 0; i < TXN_TIMERS; i++)
        sip_txn_timer_stop(t, (txn_timer)i);
}

/* ---- sending ------------------------------------------------------------------------------------------- */

bool sip_txn_reliable(const txn *t) {
    return t->dest.proto == SIP_TCP;
}

void sip_txn_post_failure(txn *t) {
    if (t->state != TXN_TERMINATED)
        sip_txn_timer_start(t, TIMER_FAILURE, 0);
}

void sip_txn_send(txn *t, bool retransmission) {
    if (sip_stack_transmit(t->stack, t->sent, ibk_buf_span(&t->octets), &t->dest, retransmission, t->token))
        sip_txn_post_failure(t);
}
