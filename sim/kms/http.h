/* HTTP/1.1 messages for MIKEY (P-18) and RFC 5408: framing by http_parser, limits of our own, no sockets. */
#ifndef SIM_KMS_HTTP_H
#define SIM_KMS_HTTP_H

#include <ibake/base.h>

#define HTTP_MIKEY_TYPE       "application/mikey"
#define HTTP_PARAMETERS_TYPE  "application/ibe-pp-data"         /* RFC 5408 §4.3 */
#define HTTP_KEY_REQUEST_TYPE "application/ibe-key-request+xml" /* RFC 5408 §5.4 */
#define HTTP_KEY_REPLY_TYPE   "application/ibe-pkg-reply+xml"   /* RFC 5408 §5.7 */

#define HTTP_BODY_MAX ((size_t)1 << 20)
#define HTTP_HEAD_MAX ((size_t)8 << 10)

typedef struct http_message {
    unsigned status;         /* of a response */
    char method[16];         /* of a request */
    char target[256];        /* of a request */
    char content_type[128];  /* as sent, without parameters; empty if absent */
    char authorization[512]; /* of a request, as sent; a secret. Empty if absent */
    ibk_buf body;
    bool keep_alive;
} http_message;

typedef enum http_kind { HTTP_KIND_REQUEST, HTTP_KIND_RESPONSE } http_kind;

/* Collects one message after the other from a TCP stream. */
typedef struct http_reader http_reader;

typedef enum http_result {
    HTTP_MORE,    /* needs more octets */
    HTTP_MESSAGE, /* http_reader_message() holds a whole one */
    HTTP_BAD      /* not HTTP/1.1, or over a limit: answer 400 and close */
} http_result;

http_reader *http_reader_new(http_kind kind);
void http_reader_free(http_reader *reader);

/* Feeds octets, and stops behind the first whole message: *used octets were taken, call again with the rest.
 */
http_result http_reader_feed(http_reader *reader, const uint8_t *data, size_t len, size_t *used);
/* The whole message after HTTP_MESSAGE; valid until the next feed. */
const http_message *http_reader_message(const http_reader *reader);
const char *http_reader_error(const http_reader *reader);

/* What is sent; texts are borrowed. */
typedef struct http_request {
    const char *method; /* "GET", "POST" */
    const char *host, *target;
    const char *type;          /* Content-Type; NULL: none */
    const char *accept;        /* Accept; NULL: none */
    const char *authorization; /* NULL: none */
    ibk_span body;
} http_request;

typedef struct http_response {
    unsigned status;
    const char *type;      /* Content-Type; NULL: none */
    const char *allow;     /* methods, with 405; NULL: none */
    const char *challenge; /* WWW-Authenticate, with 401; NULL: none */
    ibk_span body;
} http_response;

/* Append a whole message. IBK_ERR_LIMIT: its header would be too long. */
ibk_err http_write_request(ibk_buf *out, const http_request *request);
ibk_err http_write_response(ibk_buf *out, const http_response *response);

/* HTTP Basic (RFC 7617): the value of Authorization, zero-terminated, and what it says. False: it does not
 * fit; it is no Basic, or no base64, or `user` or `password` (zero-terminated) would be too long, or hold a
 * zero. */
#define HTTP_CREDENTIAL_MAX 256 /* octets with the terminator */
bool http_basic_write(char *out, size_t size, const char *user, const char *password);
bool http_basic_read(const char *authorization, char user[HTTP_CREDENTIAL_MAX],
                     char password[HTTP_CREDENTIAL_MAX]);

#endif
