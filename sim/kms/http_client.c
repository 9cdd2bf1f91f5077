#include "kms/http_client.h"
#include "ims/address.h"
#include "kms/log.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_TRIES = 3 };
#define RETRY_DELAY (2 * SIP_S)
#define TIMEOUT     (32 * SIP_S)

struct http_client {
    http_client_config config;
    char server[256];
    n3_endpoint remote;
    tls_stream *stream;
    http_reader *reader;
    ibk_buf message; /* the open request */
    char label[300];
    http_done *done; /* NULL: no request is open */
    void *user;
    ims_timer deadline, retry;
    unsigned tries, connections;
};

static void close_stream(http_client *c) {
    if (c->stream)
        tls_stream_close(c->stream);
    tls_stream_free(c->stream);
    c->stream = NULL;
}

/* The reader stays: the outcome may point into it. */
static void finish(http_client *c, const http_outcome *outcome) {
    http_done *done = c->done;
    ims_host_cancel(c->config.host, &c->deadline);
    ims_host_cancel(c->config.host, &c->retry);
    ibk_buf_clear(&c->message);
    c->done = NULL;
    done(c->user, outcome);
}

static void fail(http_client *c, http_end end, const char *detail) {
    http_outcome outcome = {.end = end, .detail = detail};
    close_stream(c);
    finish(c, &outcome);
}

static void log_message(const http_client *c, bool sent, const char *label, const char *type, ibk_span body,
                        size_t octets) {
    char peer[N3_ADDR_TEXT];
    kms_http_event event = {.peer = n3_addr_format(peer, &c->remote.addr),
                            .sent = sent,
                            .again = sent && c->tries > 1,
                            .label = label,
                            .type = type,
                            .body = body,
                            .secure = tls_endpoint_is_secure(c->config.endpoint),
                            .octets = octets};
    kms_log_http(c->config.host, &event);
}

/* ---- the connection
 * --------------------------------------------------------------------------------------- */

static void take_response(http_client *c, bool more) {
    const http_message *response = http_reader_message(c->reader);
    char label[16];
    snprintf(label, sizeof label, "%u", response->status);
    log_message(c, false, label, response->content_type, ibk_buf_span(&response->body), response->body.len);
    if (!response->keep_alive || more) /* what comes unasked is not for us */
        close_stream(c);
    http_outcome outcome = {.end = HTTP_END_RESPONSE, .response = response};
    finish(c, &outcome);
}

static void on_received(void *user, tls_stream *stream, ibk_span octets) {
    http_client *c = user;
    size_t used;
    (void)stream;
    if (!c->done) {
        close_stream(c);
        return;
    }
    switch (http_reader_feed(c->reader, octets.data, octets.len, &used)) {
    case HTTP_MESSAGE:
        take_response(c, used < octets.len);
        break;
    case HTTP_BAD:
        fail(c, HTTP_END_BAD, "the answer is no HTTP/1.1");
        break;
    case HTTP_MORE:
        break;
    }
}

static void try_again(http_client *c);

static void on_ended(void *user, tls_stream *stream, const tls_stream_end *end) {
    http_client *c = user;
    http_outcome outcome = {.end = HTTP_END_TLS, .failure = end->failure, .detail = end->detail};
    char peer[N3_ADDR_TEXT], detail[160];
    (void)stream;
    if (end->cause == TLS_STREAM_REFUSED)
        kms_log_tls(c->config.host, n3_addr_format(peer, &c->remote.addr), end);
    snprintf(detail, sizeof detail, "%s", end->detail); /* dies with the stream */
    outcome.detail = detail;
    close_stream(c);
    if (!c->done)
        return; /* the server closed a connection that was kept */
    if (end->cause == TLS_STREAM_REFUSED)
        finish(c, &outcome);
    else
        try_again(c);
}

static ibk_err connect_server(http_client *c) {
    static const tls_stream_handlers handlers = {.received = on_received, .ended = on_ended};
    http_reader_free(c->reader);
    c->reader = http_reader_new(HTTP_KIND_RESPONSE);
    if (!c->reader)
        return IBK_ERR_NO_MEMORY;
    c->connections++;
    return tls_stream_connect(&c->stream, c->config.endpoint, &c->remote, c->server, &handlers, c);
}

/* Sends the open request, over the connection that is there or a new one. */
static bool send_request(http_client *c) {
    c->tries++;
    if (c->stream && tls_stream_send(c->stream, ibk_buf_span(&c->message)))
        close_stream(c);
    else if (c->stream)
        return true;
    return connect_server(c) == IBK_OK && tls_stream_send(c->stream, ibk_buf_span(&c->message)) == IBK_OK;
}

static void retry(void *arg) {
    http_client *c = arg;
    c->retry = 0;
    if (send_request(c))
        log_message(c, true, c->label, NULL, (ibk_span){0}, c->message.len);
    else
        try_again(c);
}

static void try_again(http_client *c) {
    close_stream(c);
    if (c->tries < MAX_TRIES)
        c->retry = ims_host_timer(c->config.host, RETRY_DELAY, retry, c);
    else
        fail(c, HTTP_END_NO_ANSWER, "no connection to the server, or it closed without an answer");
}

/* ---- requests
 * --------------------------------------------------------------------------------------------- */

static void expired(void *arg) {
    http_client *c = arg;
    c->deadline = 0;
    fail(c, HTTP_END_NO_ANSWER, "the server did not answer in time");
}

static void unknown_host(void *arg) {
    http_client *c = arg;
    c->retry = 0;
    fail(c, HTTP_END_UNKNOWN_HOST, "no such host in this network");
}

ibk_err http_client_ask(http_client *c, const http_request *request, http_done *done, void *user) {
    sip_addr addr = {.port = c->config.port};
    http_request named = *request;
    if (c->done)
        return IBK_ERR_STATE;
    named.host = c->server;
    ibk_buf_clear(&c->message);
    ibk_err err = http_write_request(&c->message, &named);
    if (err)
        return err;
    snprintf(c->label, sizeof c->label, "%s %s", request->method, request->target);
    c->done = done;
    c->user = user;
    c->tries = 0;
    if (ims_names_find(c->config.host->world->names, &addr, c->server)) {
        c->retry = ims_host_timer(c->config.host, 0, unknown_host, c);
        return IBK_OK;
    }
    c->remote = ims_endpoint(&addr);
    c->deadline =
        ims_host_timer(c->config.host, c->config.timeout_ns ? c->config.timeout_ns : TIMEOUT, expired, c);
    if (send_request(c)) {
        log_message(c, true, c->label, request->type, request->body, c->message.len);
        return IBK_OK;
    }
    close_stream(c);
    c->retry = ims_host_timer(c->config.host, RETRY_DELAY, retry, c);
    return IBK_OK;
}

unsigned http_client_connections(const http_client *c) {
    return c->connections;
}

ibk_err http_client_new(http_client **out, const http_client_config *config) {
    *out = NULL;
    if (strlen(config->server) >= sizeof(*out)->server)
        return IBK_ERR_LIMIT;
    http_client *c = calloc(1, sizeof *c);
    if (!c)
        return IBK_ERR_NO_MEMORY;
    c->config = *config;
    snprintf(c->server, sizeof c->server, "%s", config->server);
    c->config.server = c->server;
    *out = c;
    return IBK_OK;
}

void http_client_free(http_client *c) {
    if (!c)
        return;
    ims_host_cancel(c->config.host, &c->deadline);
    ims_host_cancel(c->config.host, &c->retry);
    close_stream(c);
    http_reader_free(c->reader);
    ibk_buf_free(&c->message);
    free(c);
}
