/* TLS 1.3 (RFC 8446) without a socket: octets of TCP in and out on one side, octets of the application on the
 * other. Nothing else than 1.3 is spoken: AES-128-GCM, X25519 or P-256, ECDSA; no resumption, no early data,
 * no tickets, so that a connection leaves nothing behind. No clock: the caller says what time it is. */
#ifndef TLS_TLS_H
#define TLS_TLS_H

#include "random/random.h"
#include "tls/pki.h"

/* ---- what many connections share ---------------------------------------------------------------------- */

typedef struct tls_context tls_context;

/* A line of the NSS key log ("CLIENT_HANDSHAKE_TRAFFIC_SECRET …"), without its end. */
typedef void tls_keylog_fn(void *user, const char *line);

/* The client's side: it believes what `trust_anchor` (DER) issued; if that is empty, every certificate for
 * every name, as careless clients do. `keylog` may be NULL. `random`: for what OpenSSL draws while it sets
 * the context up; not kept. IBK_ERR_BAD_CERTIFICATE, IBK_ERR_INTERNAL. */
ibk_err tls_client_context(tls_context **out, ibk_span trust_anchor, sim_random *random,
                           tls_keylog_fn *keylog, void *user);
/* The server's side. IBK_ERR_BAD_CERTIFICATE: certificate and key do not belong together. */
ibk_err tls_server_context(tls_context **out, const pki_credential *credential, sim_random *random);
void tls_context_free(tls_context *context); /* after its connections */

/* ---- one connection -------------------------------------------------------------------------------------
 */

/* Why a connection failed. */
typedef enum tls_failure {
    TLS_NONE = 0,
    TLS_UNTRUSTED,       /* no chain to the trust anchor */
    TLS_WRONG_NAME,      /* the certificate is for another name than the one that was asked for */
    TLS_EXPIRED,         /* the certificate has expired */
    TLS_BAD_CERTIFICATE, /* not yet valid, or something else is wrong with it */
    TLS_ALERT,           /* the peer ended it by an alert */
    TLS_PROTOCOL         /* not TLS 1.3, or records that do not decrypt */
} tls_failure;

const char *tls_failure_name(tls_failure failure); /* "wrong-name"; never NULL */

typedef struct tls tls;

/* `random` (borrowed, of this node) is what all randomness of this connection comes from; `utc_ns` is this
 * node's own wall clock, against which certificates are held. `server_name`: for a client, the DNS name that
 * is asked for (SNI) and that the certificate must be for (RFC 6125); NULL for a server. */
ibk_err tls_new(tls **out, tls_context *context, sim_random *random, int64_t utc_ns, const char *server_name);
void tls_free(tls *t);

/* All of these append what is to be sent to the peer to `to_peer`, also when they fail (an alert). */

/* A client's first flight. */
ibk_err tls_start(tls *t, ibk_buf *to_peer);
/* Takes octets from the peer; what they say in clear is appended to `plain`. IBK_ERR_BAD_CERTIFICATE,
 * IBK_ERR_PEER_ERROR, IBK_ERR_BAD_VALUE: the connection is over, tls_why tells. */
ibk_err tls_receive(tls *t, ibk_span octets, ibk_buf *plain, ibk_buf *to_peer);
/* IBK_ERR_STATE until tls_is_ready, and after tls_close. */
ibk_err tls_send(tls *t, ibk_span plain, ibk_buf *to_peer);
/* close_notify: nothing is sent afterwards. */
void tls_close(tls *t, ibk_buf *to_peer);

bool tls_is_ready(const tls *t);    /* the handshake is complete, the server's name and certificate hold */
bool tls_peer_closed(const tls *t); /* its close_notify came */
tls_failure tls_why(const tls *t, const char **detail); /* detail may be NULL; "" if there is none */
const char *tls_cipher(const tls *t); /* "TLS_AES_128_GCM_SHA256"; "" before the handshake */

#endif
