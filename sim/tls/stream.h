/* A TCP connection of a node, with TLS 1.3 inside or plain: the same handlers either way. */
#ifndef TLS_STREAM_H
#define TLS_STREAM_H

#include "ims/host.h"
#include "tls/tls.h"

/* A node's way into TLS: what it believes or shows. */
typedef struct tls_endpoint tls_endpoint;

/* `context` is borrowed; NULL: its streams are plain TCP. Randomness comes from ims_host_tls_random. */
ibk_err tls_endpoint_new(tls_endpoint **out, ims_host *host, tls_context *context);
void tls_endpoint_free(tls_endpoint *endpoint); /* after its streams */
bool tls_endpoint_is_secure(const tls_endpoint *endpoint);

typedef struct tls_stream tls_stream;

typedef enum tls_stream_cause {
    TLS_STREAM_CLOSED = 1, /* the peer closed in order: nothing more comes */
    TLS_STREAM_BROKEN, /* TCP: refused, reset, timed out, unreachable, or TLS cut off without close_notify */
    TLS_STREAM_REFUSED /* TLS: `failure` tells */
} tls_stream_cause;

typedef struct tls_stream_end {
    tls_stream_cause cause;
    tls_failure failure; /* REFUSED */
    const char *detail;  /* a sentence, or the name of TCP's end */
} tls_stream_end;

/* A stream may be freed inside any of them. */
typedef struct tls_stream_handlers {
    void (*received)(void *user, tls_stream *stream, ibk_span octets); /* borrowed for the call */
    /* Last one, once, unless the owner closed or freed it before; *end is borrowed for the call. */
    void (*ended)(void *user, tls_stream *stream, const tls_stream_end *end);
} tls_stream_handlers;

/* Connects to `remote`, which has to prove that it is `server_name`. Nothing is reported inside this call. */
ibk_err tls_stream_connect(tls_stream **out, tls_endpoint *endpoint, const n3_endpoint *remote,
                           const char *server_name, const tls_stream_handlers *handlers, void *user);
/* Takes over a connection that a listener accepted; on failure it is freed. */
ibk_err tls_stream_accept(tls_stream **out, tls_endpoint *endpoint, n3_tcp *tcp,
                          const tls_stream_handlers *handlers, void *user);
/* Octets of the application; they wait until the handshake is over. IBK_ERR_LIMIT, IBK_ERR_IO, IBK_ERR_STATE.
 */
ibk_err tls_stream_send(tls_stream *stream, ibk_span octets);
/* Sends what is queued, then closes; no handler is called any more. Free it afterwards. */
void tls_stream_close(tls_stream *stream);
void tls_stream_free(tls_stream *stream); /* aborts, unless closed before */

bool tls_stream_is_ready(const tls_stream *stream);
const tls *tls_stream_tls(const tls_stream *stream); /* NULL: plain */
n3_status tls_stream_remote(const tls_stream *stream, n3_endpoint *out);

#endif
