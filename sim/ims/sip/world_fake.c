#include "ims/sip/world_fake.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static uint32_t next_random(world *w) {
    w->random = w->random * 1664525u + 1013904223u;
    return w->random >> 8;
}

/* ---- time ------------------------------------------------------------------------------------------------
 */

static uint64_t now(void *user) {
    return ((node *)user)->w->now;
}

static uint64_t schedule(world *w, uint64_t delay, void (*fire)(void *arg), void *arg) {
    fake_timer *t = calloc(1, sizeof *t), **at = &w->timers;
    *t = (fake_timer){NULL, w->now + delay, ++w->last_id, fire, arg};
    while (*at && (*at)->at <= t->at)
        at = &(*at)->next;
    t->next = *at;
    *at = t;
    return t->id;
}

static uint64_t timer_start(void *user, uint64_t delay, void (*fire)(void *arg), void *arg) {
    return schedule(((node *)user)->w, delay, fire, arg);
}

static void timer_cancel(void *user, uint64_t id) {
    for (fake_timer **at = &((node *)user)->w->timers; *at; at = &(*at)->next)
        if ((*at)->id == id) {
            fake_timer *t = *at;
            *at = t->next;
            free(t);
            return;
        }
}

void world_run(world *w, uint64_t until_ns) {
    while (w->timers && w->timers->at <= until_ns) {
        fake_timer *t = w->timers;
        w->timers = t->next;
        w->now = t->at;
        t->fire(t->arg);
        free(t);
    }
}

/* ---- the wire
 * ----------------------------------------------------------------------------------------------- */

typedef struct packet {
    world *w;
    node *to;
    sip_dest source;
    size_t len;
    uint8_t data[];
} packet;

static void arrive(void *arg) {
    packet *p = arg;
    if (!p->to->deaf && p->to->stack)
        sip_stack_receive(p->to->stack, &p->source, ibk_span_of(p->data, p->len));
    free(p);
}

typedef struct refusal {
    node *from;
    uint64_t token;
} refusal;

static void refuse(void *arg) {
    refusal *r = arg;
    sip_stack_send_failed(r->from->stack, r->token);
    free(r);
}

static ibk_err wire_send(void *self, const sip_dest *dest, ibk_span octets, uint64_t token) {
    node *from = self, *to = NULL;
    world *w = from->w;
    w->packets++;
    for (size_t i = 0; i < w->count; i++)
        if (sip_addr_equal(&w->node[i].addr, &dest->addr))
            to = &w->node[i];
    if (dest->proto == SIP_TCP && (!to || to->no_tcp)) {
        refusal *r = malloc(sizeof *r);
        *r = (refusal){from, token};
        schedule(w, 2 * w->delay, refuse, r);
        return IBK_OK;
    }
    if (!to || (dest->proto == SIP_UDP && next_random(w) % 100 < w->loss_percent))
        return IBK_OK;
    packet *p = malloc(sizeof *p + octets.len);
    *p = (packet){w, to, {dest->proto, from->addr, 0}, octets.len};
    memcpy(p->data, octets.data, octets.len);
    schedule(w, w->delay, arrive, p);
    return IBK_OK;
}

static ibk_err draw(void *user, uint8_t *out, size_t len) {
    for (size_t i = 0; i < len; i++)
        out[i] = (uint8_t)next_random(((node *)user)->w);
    return IBK_OK;
}

static ibk_err resolve(void *user, sip_addr *out, const char *host) {
    world *w = ((node *)user)->w;
    for (size_t i = 0; i < w->count; i++)
        if (strcmp(w->node[i].name, host) == 0) {
            *out = w->node[i].addr;
            return IBK_OK;
        }
    return IBK_ERR_NO_PARAMS;
}

static void trace(void *user, const sip_trace *event) {
    node *n = user;
    size_t len = strlen(n->log);
    if (event->retransmission)
        n->repeats++;
    else if (event->sent)
        n->sent++;
    else
        n->received++;
    if (!event->retransmission)
        snprintf(n->log + len, sizeof n->log - len, "%s%s%s", event->sent ? ">" : "<", event->label,
                 event->peer.proto == SIP_TCP ? "/t " : " ");
}

/* ---- nodes
 * ----------------------------------------------------------------------------------------------------- */

world *world_new(unsigned loss_percent, uint32_t seed) {
    world *w = calloc(1, sizeof *w);
    w->loss_percent = loss_percent;
    w->random = seed;
    w->delay = 10 * SIP_MS;
    return w;
}

node *world_add(world *w, const char *name, const sip_core *core, const sip_config *config) {
    node *n = &w->node[w->count++];
    char ip[32];
    snprintf(ip, sizeof ip, "10.0.0.%zu", w->count);
    n->w = w;
    n->name = name;
    sip_addr_parse(&n->addr, ip, SIP_PORT);
    n->env = (sip_env){n, now, timer_start, timer_cancel, draw, resolve, trace};
    n->config = config ? *config : (sip_config){0};
    n->config.host = name;
    if (sip_stack_new(&n->stack, &n->env, &n->config, core))
        abort();
    sip_stack_set_transport(n->stack, &(sip_transport){n, wire_send});
    return n;
}

static void ua_request(void *user, sip_server *server, const sip_msg *request) {
    sip_ua_on_request(((node *)user)->ua, server, request);
}

static void ua_ack(void *user, const sip_msg *ack, const sip_dest *source) {
    (void)source;
    sip_ua_on_ack(((node *)user)->ua, ack);
}

static void ua_cancel(void *user, sip_server *invite, const sip_msg *cancel) {
    sip_ua_on_cancel(((node *)user)->ua, invite, cancel);
}

sip_core world_ua_core(world *w) {
    return (sip_core){&w->node[w->count], ua_request, ua_ack, ua_cancel, NULL};
}

static void proxy_ack(void *user, const sip_msg *ack, const sip_dest *source) {
    node *n = user;
    (void)source;
    (void)sip_proxy_forward_ack(n->proxy, sip_proxy_copy(n->proxy, ack, NULL), NULL);
}

static void proxy_cancel(void *user, sip_server *invite, const sip_msg *cancel) {
    sip_proxy_on_cancel(((node *)user)->proxy, invite, cancel);
}

sip_core world_proxy_core(world *w, void (*request)(void *user, sip_server *server, const sip_msg *request)) {
    return (sip_core){&w->node[w->count], request, proxy_ack, proxy_cancel, NULL};
}

sip_name_addr world_party(sip_arena *arena, const char *uri) {
    sip_name_addr out = {0};
    if (sip_uri_parse(arena, &out.uri, uri, NULL))
        abort();
    return out;
}

void world_make_ua(node *n, const sip_ua_ops *ops, void *user) {
    sip_arena arena = {0};
    char uri[64];
    snprintf(uri, sizeof uri, "sip:%s@%s", n->name, n->name);
    sip_ua_config config = {.contact = world_party(&arena, uri)};
    if (sip_ua_new(&n->ua, n->stack, &config, ops, user))
        abort();
    sip_arena_free(&arena);
}

void world_make_proxy(node *n) {
    sip_arena arena = {0};
    sip_uri self[2] = {sip_uri_make(&arena, NULL, n->name, 0, SIP_PROTO_NONE, true)};
    char ip[SIP_TEXT_ADDR_MAX];
    sip_addr_ip(ip, &n->addr);
    self[1] = sip_uri_make(&arena, NULL, ip, 0, SIP_PROTO_NONE, true);
    if (sip_proxy_new(&n->proxy, n->stack, &(sip_proxy_config){.self = self, .self_count = 2}, NULL))
        abort();
    sip_arena_free(&arena);
}

void world_free(world *w) {
    for (size_t i = 0; i < w->count; i++) {
        sip_ua_free(w->node[i].ua);
        sip_proxy_free(w->node[i].proxy);
        sip_stack_free(w->node[i].stack);
        w->node[i].stack = NULL;
    }
    while (w->timers) { // packets that are still on the wire
        fake_timer *t = w->timers;
        w->timers = t->next;
        if (t->fire == arrive || t->fire == refuse)
            free(t->arg);
        free(t);
    }
    free(w);
}
