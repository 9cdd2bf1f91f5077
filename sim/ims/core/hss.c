/* The HSS as a node: Diameter over TCP in front of the subscribers' data. */
#include "ims/address.h"
#include "ims/core/subscribers.h"

#include <stdlib.h>
#include <string.h>

enum { MAX_CONNECTIONS = 64 };

typedef struct connection {
    hss *h;
    n3_tcp *tcp;
    ibk_buf input;
    struct connection *next;
} connection;

struct hss {
    ims_host *host;
    char realm[CX_TEXT_MAX];
    subscribers *subscribers;
    n3_listener *listener;
    connection *connections;
    size_t connection_count;
};

static void connection_free(connection *c) {
    n3_tcp_free(c->tcp);
    ibk_buf_free(&c->input);
    free(c);
}

static void drop(connection *c) {
    connection **at = &c->h->connections;
    while (*at != c)
        at = &(*at)->next;
    *at = c->next;
    c->h->connection_count--;
    connection_free(c);
}

static bool answer(connection *c, ibk_span octets) {
    diameter_message request;
    ibk_buf out = {0};
    cx_ends ends = {.origin = c->h->host->name, .realm = c->h->realm, .address = c->h->host->addr};
    ibk_err err = diameter_parse(&request, octets, NULL);
    if (!err && request.header.request)
        err = subscribers_answer(c->h->subscribers, &out, &ends, &request);
    bool ok = !err && (!out.len || n3_tcp_send(c->tcp, out.data, out.len) == N3_OK);
    ibk_buf_free(&out);
    return ok;
}

static void on_received(void *user, n3_tcp *tcp, const uint8_t *data, size_t len) {
    connection *c = user;
    (void)tcp;
    bool ok = ibk_buf_append(&c->input, data, len) == IBK_OK;
    while (ok && c->input.len > 0) {
        size_t frame = diameter_frame(ibk_buf_span(&c->input));
        if (frame == 0 || (frame != SIZE_MAX && frame > c->input.len))
            return;
        ok = frame != SIZE_MAX && answer(c, ibk_span_of(c->input.data, frame));
        if (ok) {
            memmove(c->input.data, c->input.data + frame, c->input.len - frame);
            c->input.len -= frame;
        }
    }
    if (!ok)
        drop(c);
}

static void on_peer_closed(void *user, n3_tcp *tcp) {
    (void)tcp;
    drop(user);
}

static void on_ended(void *user, n3_tcp *tcp, n3_tcp_end why) {
    (void)tcp, (void)why;
    drop(user);
}

static void on_accepted(void *user, n3_tcp *tcp) {
    hss *h = user;
    connection *c = h->connection_count < MAX_CONNECTIONS ? calloc(1, sizeof *c) : NULL;
    if (!c) {
        n3_tcp_free(tcp);
        return;
    }
    *c = (connection){.h = h, .tcp = tcp, .next = h->connections};
    h->connections = c;
    h->connection_count++;
    n3_tcp_config config = {
        .handlers = {.received = on_received, .peer_closed = on_peer_closed, .ended = on_ended}, .user = c};
    n3_tcp_configure(tcp, &config);
}

ibk_err hss_new(hss **out, const ims_host_config *config, const char *realm) {
    *out = NULL;
    hss *h = calloc(1, sizeof *h);
    if (!h)
        return IBK_ERR_NO_MEMORY;
    ims_host_config host = *config;
    host.quiet = true;
    ibk_err err = strlen(realm) < sizeof h->realm ? ims_host_new(&h->host, &host, NULL) : IBK_ERR_LIMIT;
    if (!err) {
        strcpy(h->realm, realm);
        h->subscribers = subscribers_new();
        err = h->subscribers ? IBK_OK : IBK_ERR_NO_MEMORY;
    }
    if (!err) {
        n3_endpoint local = ims_endpoint(&h->host->addr);
        local.port = DIAMETER_PORT;
        err = n3_listen(&h->listener, h->host->node, &local, on_accepted, h) ? IBK_ERR_INTERNAL : IBK_OK;
    }
    if (err)
        hss_free(h);
    else
        *out = h;
    return err;
}

ibk_err hss_add(hss *h, const hss_subscriber *subscriber) {
    return subscribers_add(h->subscribers, subscriber, h->realm);
}

ibk_err hss_add_identity(hss *h, const char *impu, const char *further) {
    return subscribers_add_identity(h->subscribers, impu, further);
}

void hss_free(hss *h) {
    if (!h)
        return;
    for (connection *c = h->connections, *next; c; c = next) {
        next = c->next;
        connection_free(c);
    }
    n3_listener_free(h->listener);
    subscribers_free(h->subscribers);
    ims_host_free(h->host);
    free(h);
}

const ims_host *hss_host(const hss *h) {
    return h->host;
}
