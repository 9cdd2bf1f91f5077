/* An HTTP/1.1 client on a node of the network: one request at a time to one server, whose connection is kept
 * for the next one; plain, or over TLS. */
#ifndef SIM_KMS_HTTP_CLIENT_H
#define SIM_KMS_HTTP_CLIENT_H

#include "kms/http.h"
#include "tls/stream.h"

typedef struct http_client http_client;

typedef struct http_client_config {
    ims_host *host;
    tls_endpoint *endpoint; /* borrowed */
    const char *server;     /* DNS name of the server, which TLS verifies; copied */
    uint16_t port;
    uint64_t timeout_ns; /* for one request with all its tries; 0: 32 s */
} http_client_config;

typedef enum http_end {
    HTTP_END_RESPONSE = 0,
    HTTP_END_UNKNOWN_HOST, /* the server's name has no address */
    HTTP_END_NO_ANSWER,    /* no connection in three tries, or no response in time */
    HTTP_END_TLS,          /* TLS refused the server: `failure` */
    HTTP_END_BAD           /* the response is no HTTP/1.1, or over a limit */
} http_end;

typedef struct http_outcome {
    http_end end;
    tls_failure failure;
    const char *detail;           /* a sentence, with another end than RESPONSE */
    const http_message *response; /* RESPONSE */
} http_outcome;

/* Never called inside http_client_ask. Everything is borrowed for the call; the client may be freed in it, or
 * asked the next thing. */
typedef void http_done(void *user, const http_outcome *outcome);

ibk_err http_client_new(http_client **out, const http_client_config *config);
void http_client_free(http_client *client); /* an open request ends without `done` */

/* `host` of the request is filled in. A connection that breaks is tried again after 2 s, three times in all;
 * a refusal by TLS is final. IBK_ERR_STATE: a request is open. After an error `done` is not called. */
ibk_err http_client_ask(http_client *client, const http_request *request, http_done *done, void *user);
unsigned http_client_connections(const http_client *client); /* that were begun so far */

#endif
