#include "tls/stream.h"

#include <stdlib.h>

#define WAITING_MAX ((size_t)1 << 20) /* octets that wait for the handshake, as n3_tcp's own queue */

struct tls_endpoint {
    ims_host *host;
    tls_context *context;
};

struct tls_stream {
    tls_endpoint *endpoint;
    n3_tcp *tcp;
    tls *tls; /* NULL: plain */
    tls_stream_handlers handlers;
    void *user;
    ibk_buf waiting; /* for the handshake */
    bool is_client, is_over;
    bool *gone; /* set by tls_stream_free: a handler freed the stream under our feet */
};

ibk_err tls_endpoint_new(tls_endpoint **out, ims_host *host, tls_context *context) {
    *out = NULL;
    tls_endpoint *endpoint = calloc(1, sizeof *endpoint);
    if (!endpoint)
        return IBK_ERR_NO_MEMORY;
    *endpoint = (tls_endpoint){.host = host, .context = context};
    if (context && !ims_host_tls_random(host)) {
        free(endpoint);
        return IBK_ERR_NO_MEMORY;
    }
    *out = endpoint;
    return IBK_OK;
}

void tls_endpoint_free(tls_endpoint *endpoint) {
    free(endpoint);
}

bool tls_endpoint_is_secure(const tls_endpoint *endpoint) {
    return endpoint->context;
}

/* ---- what TCP brings
 * ---------------------------------------------------------------------------------------------- */

static void end(tls_stream *s, const tls_stream_end *why) {
    if (s->is_over)
        return;
    s->is_over = true;
    if (s->handlers.ended)
        s->handlers.ended(s->user, s, why);
}

static ibk_err send_raw(tls_stream *s, const ibk_buf *octets) {
    if (octets->len == 0)
        return IBK_OK;
    switch (n3_tcp_send(s->tcp, octets->data, octets->len)) {
    case N3_OK:
        return IBK_OK;
    case N3_ERR_LIMIT:
        return IBK_ERR_LIMIT;
    default:
        return IBK_ERR_IO;
    }
}

static ibk_err send_waiting(tls_stream *s, ibk_buf *to_peer) {
    if (s->waiting.len == 0 || !tls_is_ready(s->tls))
        return IBK_OK;
    ibk_err err = tls_send(s->tls, ibk_buf_span(&s->waiting), to_peer);
    ibk_buf_clear(&s->waiting);
    return err;
}

static void refuse(tls_stream *s) {
    tls_stream_end why = {.cause = TLS_STREAM_REFUSED};
    why.failure = tls_why(s->tls, &why.detail);
    if (!why.failure)
        why = (tls_stream_end){.cause = TLS_STREAM_BROKEN, .detail = "TLS could not go on"};
    n3_tcp_close(s->tcp); /* after the alert */
    end(s, &why);
}

/* What a handshake costs this end, in operations for which CPU models have times: an ephemeral key pair and
 * its shared secret; the server's ECDSA signature, about a key pair's work; the client's two verifications
 * (the certificate and the handshake), about a shared secret's each. Charged to what the node does next. */
static void charge_handshake(const tls_stream *s) {
    enum { CURVE_BITS = 256, VERIFICATIONS = 2 };
    ims_host *host = s->endpoint->host;
    ims_host_charge(host, IBK_WORK_EC_KEYGEN, CURVE_BITS);
    ims_host_charge(host, IBK_WORK_EC_DH, CURVE_BITS);
    if (!s->is_client)
        ims_host_charge(host, IBK_WORK_EC_KEYGEN, CURVE_BITS);
    for (int i = 0; s->is_client && i < VERIFICATIONS; i++)
        ims_host_charge(host, IBK_WORK_EC_DH, CURVE_BITS);
}

static void on_secure(tls_stream *s, ibk_span octets) {
    ibk_buf plain = {0}, to_peer = {0};
    bool gone = false, was_ready = tls_is_ready(s->tls);
    ibk_err err = tls_receive(s->tls, octets, &plain, &to_peer);
    if (!was_ready && tls_is_ready(s->tls))
        charge_handshake(s);
    if (!err)
        err = send_waiting(s, &to_peer);
    ibk_err sent = send_raw(s, &to_peer);
    err = err ? err : sent;
    if (plain.len && s->handlers.received) {
        s->gone = &gone;
        s->handlers.received(s->user, s, ibk_buf_span(&plain));
        if (!gone)
            s->gone = NULL;
    }
    if (!gone && err) {
        refuse(s);
    } else if (!gone && tls_peer_closed(s->tls)) {
        tls_stream_end why = {.cause = TLS_STREAM_CLOSED, .detail = "closed"};
        end(s, &why);
    }
    ibk_buf_free(&plain);
    ibk_buf_free(&to_peer);
}

static void on_received(void *user, n3_tcp *tcp, const uint8_t *data, size_t len) {
    tls_stream *s = user;
    (void)tcp;
    if (s->is_over)
        return;
    if (s->tls)
        on_secure(s, ibk_span_of(data, len));
    else if (s->handlers.received)
        s->handlers.received(s->user, s, ibk_span_of(data, len));
}

static void on_connected(void *user, n3_tcp *tcp) {
    tls_stream *s = user;
    ibk_buf to_peer = {0};
    (void)tcp;
    if (!s->tls)
        return;
    ibk_err err = tls_start(s->tls, &to_peer);
    ibk_err sent = send_raw(s, &to_peer);
    ibk_buf_free(&to_peer);
    if (err || sent)
        refuse(s);
}

/* RFC 8446 §6.1: without close_notify the stream was cut off. */
static void on_peer_closed(void *user, n3_tcp *tcp) {
    tls_stream *s = user;
    tls_stream_end why = {.cause = TLS_STREAM_CLOSED, .detail = "closed"};
    (void)tcp;
    if (s->tls && !tls_peer_closed(s->tls))
        why = (tls_stream_end){.cause = TLS_STREAM_BROKEN, .detail = "closed without close_notify"};
    end(s, &why);
}

static void on_ended(void *user, n3_tcp *tcp, n3_tcp_end reason) {
    tls_stream_end why = {.cause = TLS_STREAM_BROKEN, .detail = n3_tcp_end_name(reason)};
    (void)tcp;
    end(user, &why);
}

static const n3_tcp_handlers tcp_handlers = {
    .connected = on_connected, .received = on_received, .peer_closed = on_peer_closed, .ended = on_ended};

/* ---- what the owner does
 * ------------------------------------------------------------------------------------------ */

static ibk_err stream_new(tls_stream **out, tls_endpoint *endpoint, const char *server_name,
                          const tls_stream_handlers *handlers, void *user) {
    *out = NULL;
    tls_stream *s = calloc(1, sizeof *s);
    if (!s)
        return IBK_ERR_NO_MEMORY;
    *s = (tls_stream){.endpoint = endpoint, .handlers = *handlers, .user = user, .is_client = server_name};
    ibk_err err = IBK_OK;
    if (endpoint->context)
        err = tls_new(&s->tls, endpoint->context, ims_host_tls_random(endpoint->host),
                      ims_host_time(endpoint->host).utc_ns, server_name);
    if (err)
        free(s);
    else
        *out = s;
    return err;
}

ibk_err tls_stream_connect(tls_stream **out, tls_endpoint *endpoint, const n3_endpoint *remote,
                           const char *server_name, const tls_stream_handlers *handlers, void *user) {
    ibk_err err = stream_new(out, endpoint, server_name, handlers, user);
    if (err)
        return err;
    n3_tcp_config config = {.handlers = tcp_handlers, .user = *out};
    if (n3_tcp_connect(&(*out)->tcp, endpoint->host->node, NULL, remote, &config)) {
        tls_stream_free(*out);
        *out = NULL;
        return IBK_ERR_IO;
    }
    return IBK_OK;
}

ibk_err tls_stream_accept(tls_stream **out, tls_endpoint *endpoint, n3_tcp *tcp,
                          const tls_stream_handlers *handlers, void *user) {
    ibk_err err = stream_new(out, endpoint, NULL, handlers, user);
    n3_tcp_config config = {.handlers = tcp_handlers, .user = *out};
    if (!err)
        (*out)->tcp = tcp;
    if (!err && n3_tcp_configure(tcp, &config)) {
        tls_stream_free(*out);
        *out = NULL;
        return IBK_ERR_INTERNAL;
    }
    if (err)
        n3_tcp_free(tcp);
    return err;
}

ibk_err tls_stream_send(tls_stream *s, ibk_span octets) {
    ibk_buf to_peer = {0};
    if (s->is_over)
        return IBK_ERR_STATE;
    if (s->tls && !tls_is_ready(s->tls))
        return octets.len > WAITING_MAX - s->waiting.len ? IBK_ERR_LIMIT
                                                         : ibk_buf_append_span(&s->waiting, octets);
    ibk_err err = s->tls ? tls_send(s->tls, octets, &to_peer) : ibk_buf_append_span(&to_peer, octets);
    if (!err)
        err = send_raw(s, &to_peer);
    ibk_buf_free(&to_peer);
    return err;
}

void tls_stream_close(tls_stream *s) {
    ibk_buf to_peer = {0};
    if (s->tls) {
        tls_close(s->tls, &to_peer);
        send_raw(s, &to_peer);
    }
    ibk_buf_free(&to_peer);
    s->is_over = true;
    n3_tcp_close(s->tcp);
}

void tls_stream_free(tls_stream *s) {
    if (!s)
        return;
    if (s->gone)
        *s->gone = true;
    n3_tcp_free(s->tcp);
    tls_free(s->tls);
    ibk_buf_free(&s->waiting);
    free(s);
}

bool tls_stream_is_ready(const tls_stream *s) {
    return !s->is_over && (s->tls ? tls_is_ready(s->tls) : n3_tcp_connected(s->tcp));
}

const tls *tls_stream_tls(const tls_stream *s) {
    return s->tls;
}

n3_status tls_stream_remote(const tls_stream *s, n3_endpoint *out) {
    return n3_tcp_remote(s->tcp, out);
}
