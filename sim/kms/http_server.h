/* An HTTP/1.1 server on a node of the network: connections, framing, the event log; what a request means is
 * its owner's. */
#ifndef SIM_KMS_HTTP_SERVER_H
#define SIM_KMS_HTTP_SERVER_H

#include "kms/http.h"
#include "tls/stream.h"

typedef struct http_server http_server;

/* A request that waits for its answer. */
typedef struct http_exchange http_exchange;

/* Called for every whole request; `request` is borrowed for the call. http_exchange_answer has to be called
 * once for each exchange, now or later: the connection's further requests wait until then. */
typedef void http_handler(void *user, http_exchange *exchange, const http_message *request);

typedef struct http_server_config {
    ims_host *host;
    tls_endpoint *endpoint; /* borrowed; plain, or with TLS */
    uint16_t port;
    http_handler *handle;
    void (*computed)(void *user); /* an answer of http_exchange_answer_computed leaves; may be NULL */
    void *user;
} http_server_config;

/* A connection that brings no whole request for a minute is closed (408). */
ibk_err http_server_new(http_server **out, const http_server_config *config);
/* Connections end at once. Exchanges that wait for their answer may still be answered by
 * http_exchange_answer: that frees them. */
void http_server_free(http_server *server);

/* Answers and frees the exchange; nobody hears it if the connection has ended meanwhile. IBK_ERR_IO: it could
 * not be sent. */
ibk_err http_exchange_answer(http_exchange *exchange, const http_response *response);
/* The same when the host's processor has done what was charged for the answer (ims_host_work): in order of
 * arrival over its cores; at once if there was nothing. `what` (static) names the job. The body is copied. */
void http_exchange_answer_computed(http_exchange *exchange, const http_response *response, const char *what);
const char *http_exchange_peer(const http_exchange *exchange); /* address of the client */
bool http_exchange_is_secure(const http_exchange *exchange);   /* it came over TLS */

#endif
