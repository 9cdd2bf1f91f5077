/* HTTP/1.1 messages for MIKEY over TCP (P-18): framing by http_parser, limits of our own, no sockets. */
#ifndef SIM_KMS_HTTP_H
#define SIM_KMS_HTTP_H

#include <ibake/base.h>

#define HTTP_MIKEY_TYPE "application/mikey"
#define HTTP_BODY_MAX   ((size_t)1 << 20)
#define HTTP_HEAD_MAX   ((size_t)8 << 10)

typedef struct http_message {
    unsigned status;        /* of a response */
    char method[16];        /* of a request */
    char target[256];       /* of a request */
    char content_type[128]; /* as sent, without parameters; empty if absent */
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

/* Appends a whole POST request or response; `type` NULL leaves Content-Type out. */
ibk_err http_write_post(ibk_buf *out, const char *host, const char *target, const char *type, ibk_span body);
ibk_err http_write_response(ibk_buf *out, unsigned status, const char *type, ibk_span body);

#endif
