/* TCP connections: one to a peer is kept and used again, by flow or by address. RFC 3261 §18.1, §18.2, §18.4.
 */
#include "ims/sip/net_inside.h"

#include <stdlib.h>

#define MAX_TOKENS 1024u /* messages waiting on one connection whose loss is still told */

/* ---- life
 * -------------------------------------------------------------------------------------------------- */

static const sip_env *env_of(const connection *c) {
    return sip_stack_env(c->net->stack);
}

void sip_net_drop(connection *c) {
    if (c->tcp) {
        env_of(c)->timer_cancel(env_of(c)->user, c->idle_timer);
        *c->prev = c->next;
        if (c->next)
            c->next->prev = c->prev;
        c->net->count--;
        n3_tcp_free(c->tcp);
        c->tcp = NULL;
    }
    c->dead = true;
    if (c->busy)
        return;
    sip_framer_free(&c->framer);
    free(c->token);
    free(c);
}

static void close_idle(void *arg) {
    connection *c = arg;
    c->idle_timer = 0;
    (void)n3_tcp_close(c->tcp); // in order: what is queued goes out first
    sip_net_drop(c);
}

static void touch(connection *c) {
    const sip_env *env = env_of(c);
    env->timer_cancel(env->user, c->idle_timer);
    c->idle_timer = env->timer_start(env->user, c->net->config.idle_timeout, close_idle, c);
}

static connection *add(sip_net *net, const n3_endpoint *remote) {
    connection *c = net->count < net->config.max_connections ? calloc(1, sizeof *c) : NULL;
    if (!c)
        return NULL;
    c->net = net;
    c->id = ++net->last_id;
    c->remote = sip_net_addr(remote);
    c->next = net->connections;
    c->prev = &net->connections;
    if (c->next)
        c->next->prev = &c->next;
    net->connections = c;
    net->count++;
    return c;
}

/* ---- events
 * --------------------------------------------------------------------------------------------------- */

/* What waits to be written is lost; the transactions are told, from timers of their own. */
static void fail(connection *c) {
    for (size_t i = 0; i < c->token_count; i++)
        sip_stack_send_failed(c->net->stack, c->token[i]);
    sip_net_drop(c);
}

static void deliver(connection *c) {
    sip_dest source = {.proto = SIP_TCP, .addr = c->remote, .flow = c->id};
    ibk_span message;
    ibk_err err = IBK_OK;
    c->busy = true;
    while (!c->dead && !(err = sip_framer_next(&c->framer, &message, NULL)) && message.len)
        sip_stack_receive(c->net->stack, &source, message);
    c->busy = false;
    if (c->dead)
        sip_net_drop(c);
    else if (err)
        fail(c); // the stream cannot be understood any more
}

static void on_received(void *user, n3_tcp *tcp, const uint8_t *data, size_t len) {
    connection *c = user;
    (void)tcp;
    touch(c);
    if (sip_framer_push(&c->framer, ibk_span_of(data, len)))
        fail(c);
    else
        deliver(c);
}

static void on_connected(void *user, n3_tcp *tcp) {
    connection *c = user;
    (void)tcp;
    c->connected = true;
}

static void on_drained(void *user, n3_tcp *tcp) {
    connection *c = user;
    (void)tcp;
    if (c->connected)
        c->token_count = 0;
}

static void on_peer_closed(void *user, n3_tcp *tcp) {
    connection *c = user;
    (void)n3_tcp_close(tcp);
    fail(c);
}

static void on_ended(void *user, n3_tcp *tcp, n3_tcp_end why) {
    (void)tcp;
    (void)why;
    fail(user);
}

static n3_tcp_config handlers(connection *c) {
    return (n3_tcp_config){.handlers = {on_connected, on_received, on_drained, on_peer_closed, on_ended},
                           .user = c,
                           .connect_timeout_ns = c->net->config.connect_timeout,
                           .max_queue = c->net->config.max_queue};
}

void sip_net_on_accept(void *user, n3_tcp *tcp) {
    sip_net *net = user;
    n3_endpoint remote;
    connection *c = n3_tcp_remote(tcp, &remote) == N3_OK ? add(net, &remote) : NULL;
    if (!c) {
        n3_tcp_free(tcp);
        return;
    }
    n3_tcp_config config = handlers(c);
    c->tcp = tcp;
    c->connected = true;
    if (n3_tcp_configure(tcp, &config) == N3_OK)
        touch(c);
    else
        sip_net_drop(c);
}

/* ---- sending
 * ------------------------------------------------------------------------------------------------------ */

static connection *find(sip_net *net, const sip_dest *dest) {
    for (connection *c = net->connections; c; c = c->next)
        if (dest->flow && c->id == dest->flow)
            return c;
    for (connection *c = net->connections; c; c = c->next)
        if (sip_addr_equal(&c->remote, &dest->addr))
            return c;
    return NULL;
}

static connection *connect_to(sip_net *net, const sip_addr *addr) {
    n3_endpoint remote = sip_net_endpoint(addr), local = sip_net_endpoint(&net->config.local);
    connection *c = add(net, &remote);
    if (!c)
        return NULL;
    local.port = 0;
    n3_tcp_config config = handlers(c);
    if (n3_tcp_connect(&c->tcp, net->node, &local, &remote, &config) != N3_OK) {
        *c->prev = c->next;
        if (c->next)
            c->next->prev = c->prev;
        net->count--;
        free(c);
        return NULL;
    }
    touch(c);
    return c;
}

static ibk_err remember(connection *c, uint64_t token) {
    if (token == 0)
        return IBK_OK;
    if (c->token_count == MAX_TOKENS)
        return IBK_ERR_LIMIT;
    if (!c->token && !(c->token = malloc(MAX_TOKENS * sizeof *c->token)))
        return IBK_ERR_NO_MEMORY;
    c->token[c->token_count++] = token;
    return IBK_OK;
}

ibk_err sip_net_send_tcp(sip_net *net, const sip_dest *dest, ibk_span octets, uint64_t token) {
    connection *c = find(net, dest);
    if (!c)
        c = connect_to(net, &dest->addr);
    if (!c)
        return IBK_ERR_REFUSED;
    touch(c);
    ibk_err err = remember(c, token);
    if (!err && n3_tcp_send(c->tcp, octets.data, octets.len) != N3_OK)
        err = IBK_ERR_REFUSED;
    return err;
}
