#include "kms/http_server.h"
#include "ims/address.h"
#include "kms/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_CONNECTIONS = 20000 }; /* every user of a scenario at once */
#define PATIENCE    (60 * SIP_S)  /* for a whole request */
#define PENDING_MAX (2 * HTTP_BODY_MAX)

typedef struct connection connection;

struct http_exchange {
    connection *c; /* NULL: ended meanwhile */
    http_server *server;
    char peer[N3_ADDR_TEXT];
    bool secure, keep_alive;
};

struct connection {
    http_server *server;
    tls_stream *stream;
    http_reader *reader;
    http_exchange *exchange; /* the one that waits */
    ibk_buf pending;         /* octets that came while it waits */
    ims_timer patience;
    char peer[N3_ADDR_TEXT];
    bool serving; /* take() is at work */
    bool closing; /* after the answer that is being given */
    connection *next, **link;
};

/* An answer that the processor is at work on. */
typedef struct computing {
    http_exchange *exchange;
    http_response response; /* its body is `body` */
    ibk_buf body;
    cpu_job *job;
    struct computing *next, **link;
} computing;

struct http_server {
    http_server_config config;
    computing *computing;
    n3_listener *listener;
    connection *connections;
    size_t count;
};

static void drop(connection *c) {
    http_server *server = c->server;
    if (c->exchange)
        c->exchange->c = NULL;
    ims_host_cancel(server->config.host, &c->patience);
    tls_stream_free(c->stream);
    http_reader_free(c->reader);
    ibk_buf_free(&c->pending);
    *c->link = c->next;
    if (c->next)
        c->next->link = c->link;
    server->count--;
    free(c);
}

/* ---- answers
 * ---------------------------------------------------------------------------------------------- */

static ibk_err answer(connection *c, const http_response *response) {
    ibk_buf out = {0};
    char label[16];
    ibk_err err = http_write_response(&out, response);
    if (!err)
        err = tls_stream_send(c->stream, ibk_buf_span(&out));
    snprintf(label, sizeof label, "%u", response->status);
    kms_http_event event = {.peer = c->peer,
                            .sent = true,
                            .label = label,
                            .type = response->type,
                            .body = response->body,
                            .secure = tls_stream_tls(c->stream),
                            .octets = out.len};
    kms_log_http(c->server->config.host, &event);
    ibk_buf_free(&out);
    return err;
}

static void close_after(connection *c, unsigned status) {
    http_response response = {.status = status};
    answer(c, &response);
    tls_stream_close(c->stream);
    drop(c);
}

static void impatient(void *arg) {
    connection *c = arg;
    c->patience = 0;
    close_after(c, 408);
}

static void await_request(connection *c) {
    ims_host *host = c->server->config.host;
    ims_host_cancel(host, &c->patience);
    c->patience = ims_host_timer(host, PATIENCE, impatient, c);
}

/* ---- requests
 * --------------------------------------------------------------------------------------------- */

static void log_request(const connection *c, const http_message *request) {
    char label[sizeof request->method + sizeof request->target];
    snprintf(label, sizeof label, "%s %s", request->method, request->target);
    kms_http_event event = {.peer = c->peer,
                            .label = label,
                            .type = request->content_type,
                            .body = ibk_buf_span(&request->body),
                            .secure = tls_stream_tls(c->stream),
                            .octets = request->body.len};
    kms_log_http(c->server->config.host, &event);
}

static void serve(connection *c, const http_message *request) {
    http_server *server = c->server;
    http_exchange *exchange = calloc(1, sizeof *exchange);
    ims_host_cancel(server->config.host, &c->patience);
    log_request(c, request);
    if (!exchange) {
        c->closing = true;
        return;
    }
    *exchange = (http_exchange){
        .c = c, .server = server, .secure = tls_stream_tls(c->stream), .keep_alive = request->keep_alive};
    memcpy(exchange->peer, c->peer, sizeof exchange->peer);
    c->exchange = exchange;
    server->config.handle(server->config.user, exchange, request);
}

/* Serves what has come, one request after the other. The connection may be gone afterwards. */
static void take(connection *c) {
    size_t at = 0;
    c->serving = true;
    while (!c->exchange && !c->closing && at < c->pending.len) {
        size_t used = 0;
        http_result result = http_reader_feed(c->reader, c->pending.data + at, c->pending.len - at, &used);
        at += used;
        if (result == HTTP_MESSAGE)
            serve(c, http_reader_message(c->reader));
        else if (result == HTTP_BAD) {
            close_after(c, 400);
            return;
        }
    }
    c->serving = false;
    if (c->closing) {
        tls_stream_close(c->stream);
        drop(c);
        return;
    }
    if (at == 0)
        return;
    memmove(c->pending.data, c->pending.data + at, c->pending.len - at);
    ibk_buf_resize(&c->pending, c->pending.len - at); /* shrinks */
}

ibk_err http_exchange_answer(http_exchange *exchange, const http_response *response) {
    connection *c = exchange->c;
    bool keep_alive = exchange->keep_alive;
    free(exchange);
    if (!c)
        return IBK_OK;
    c->exchange = NULL;
    ibk_err err = answer(c, response);
    c->closing = err || !keep_alive;
    await_request(c);
    if (!c->serving)
        take(c);
    return err;
}

/* ---- answers that are computed
 * --------------------------------------------------------------------------------- */

static void drop_computing(computing *w) {
    *w->link = w->next;
    if (w->next)
        w->next->link = w->link;
    cpu_forget(w->job);
    ibk_buf_free(&w->body);
    free(w);
}

static void leave(http_server *server, http_exchange *exchange, const http_response *response) {
    if (server->config.computed)
        server->config.computed(server->config.user);
    http_exchange_answer(exchange, response);
}

static void computed(void *arg, const cpu_job_times *times) {
    computing *w = arg;
    (void)times;
    w->job = NULL;
    leave(w->exchange->server, w->exchange, &w->response);
    drop_computing(w);
}

void http_exchange_answer_computed(http_exchange *exchange, const http_response *response, const char *what) {
    http_server *server = exchange->server;
    computing *w = calloc(1, sizeof *w);
    if (!w || ibk_buf_append_span(&w->body, response->body)) {
        free(w);
        http_exchange_answer(exchange, &(http_response){.status = 500});
        return;
    }
    w->exchange = exchange;
    w->response = *response;
    w->response.body = ibk_buf_span(&w->body);
    w->next = server->computing;
    w->link = &server->computing;
    if (w->next)
        w->next->link = &w->next;
    server->computing = w;
    w->job = ims_host_work(server->config.host, what, NULL, computed, w);
    if (!w->job) {
        leave(server, exchange, response);
        drop_computing(w);
    }
}

const char *http_exchange_peer(const http_exchange *exchange) {
    return exchange->peer;
}

bool http_exchange_is_secure(const http_exchange *exchange) {
    return exchange->secure;
}

/* ---- connections
 * ------------------------------------------------------------------------------------------ */

static void on_received(void *user, tls_stream *stream, ibk_span octets) {
    connection *c = user;
    (void)stream;
    if (octets.len > PENDING_MAX - c->pending.len || ibk_buf_append_span(&c->pending, octets))
        drop(c);
    else if (!c->exchange)
        take(c);
}

static void on_ended(void *user, tls_stream *stream, const tls_stream_end *end) {
    connection *c = user;
    if (end->cause == TLS_STREAM_REFUSED)
        kms_log_tls(c->server->config.host, c->peer, end);
    tls_stream_close(stream);
    drop(c);
}

static void on_accepted(void *user, n3_tcp *tcp) {
    static const tls_stream_handlers handlers = {.received = on_received, .ended = on_ended};
    http_server *server = user;
    n3_endpoint remote = {0};
    connection *c = server->count < MAX_CONNECTIONS ? calloc(1, sizeof *c) : NULL;
    http_reader *reader = c ? http_reader_new(HTTP_KIND_REQUEST) : NULL;
    if (!reader) {
        free(c);
        n3_tcp_free(tcp);
        return;
    }
    *c = (connection){.server = server, .reader = reader, .next = server->connections};
    n3_addr_format(c->peer, n3_tcp_remote(tcp, &remote) ? NULL : &remote.addr);
    c->link = &server->connections;
    if (c->next)
        c->next->link = &c->next;
    server->connections = c;
    server->count++;
    if (tls_stream_accept(&c->stream, server->config.endpoint, tcp, &handlers, c))
        drop(c);
    else
        await_request(c);
}

ibk_err http_server_new(http_server **out, const http_server_config *config) {
    *out = NULL;
    http_server *server = calloc(1, sizeof *server);
    if (!server)
        return IBK_ERR_NO_MEMORY;
    server->config = *config;
    n3_endpoint local = ims_endpoint(&config->host->addr);
    local.port = config->port;
    if (n3_listen(&server->listener, config->host->node, &local, on_accepted, server)) {
        free(server);
        return IBK_ERR_INTERNAL;
    }
    *out = server;
    return IBK_OK;
}

void http_server_free(http_server *server) {
    if (!server)
        return;
    for (connection *c = server->connections, *next; c; c = next) {
        next = c->next;
        drop(c);
    }
    for (computing *w = server->computing, *next; w; w = next) { /* nobody hears them any more */
        next = w->next;
        free(w->exchange);
        drop_computing(w);
    }
    n3_listener_free(server->listener);
    free(server);
}
