#include "kms/http.h"

#include <http_parser.h>
#include <ibake.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

struct http_reader {
    http_parser parser;
    http_message message;
    char field[32]; /* name of the header being read, cut to what we look for */
    size_t field_len, head_len;
    bool in_value, in_trailer, done;
    const char *error;
};

static http_reader *reader_of(http_parser *parser) {
    return parser->data;
}

static int refuse(http_reader *reader, const char *why) {
    reader->error = why;
    return -1; /* 1 has a meaning of its own to http_parser: no body follows */
}

/* Appends to a zero-terminated field of fixed size; false when it does not fit. */
static bool append_text(char *text, size_t size, const char *at, size_t len) {
    size_t have = strlen(text);
    if (len >= size - have)
        return false;
    memcpy(text + have, at, len);
    text[have + len] = 0;
    return true;
}

static int on_message_begin(http_parser *parser) {
    http_reader *reader = reader_of(parser);
    ibk_buf body = reader->message.body;
    ibk_buf_clear(&body);
    ibk_wipe(&reader->message, sizeof reader->message);
    reader->message = (http_message){.body = body};
    reader->field_len = reader->head_len = 0;
    reader->in_value = reader->in_trailer = reader->done = false;
    return 0;
}

static int count_head(http_reader *reader, size_t len) {
    reader->head_len += len;
    return reader->head_len > HTTP_HEAD_MAX ? refuse(reader, "the header is too long") : 0;
}

static int on_url(http_parser *parser, const char *at, size_t len) {
    http_reader *reader = reader_of(parser);
    if (!append_text(reader->message.target, sizeof reader->message.target, at, len))
        return refuse(reader, "the request target is too long");
    return count_head(reader, len);
}

static int on_header_field(http_parser *parser, const char *at, size_t len) {
    http_reader *reader = reader_of(parser);
    if (reader->in_value)
        reader->field_len = 0;
    reader->in_value = false;
    for (size_t i = 0; i < len; i++, reader->field_len++)
        if (reader->field_len < sizeof reader->field - 1)
            reader->field[reader->field_len] = at[i];
    size_t end = reader->field_len < sizeof reader->field - 1 ? reader->field_len : sizeof reader->field - 1;
    reader->field[end] = 0;
    return count_head(reader, len);
}

static int on_header_value(http_parser *parser, const char *at, size_t len) {
    http_reader *reader = reader_of(parser);
    reader->in_value = true;
    if (memchr(at, 0, len)) /* RFC 9110 §5.5; the texts here end with one */
        return refuse(reader, "a zero octet in a header field");
    if (reader->in_trailer) /* RFC 9110 §6.5.1: nothing there may say what the body is, or who sends it */
        return count_head(reader, len);
    if (strcasecmp(reader->field, "Content-Type") == 0 &&
        !append_text(reader->message.content_type, sizeof reader->message.content_type, at, len))
        return refuse(reader, "Content-Type is too long");
    if (strcasecmp(reader->field, "Authorization") == 0 &&
        !append_text(reader->message.authorization, sizeof reader->message.authorization, at, len))
        return refuse(reader, "Authorization is too long");
    return count_head(reader, len);
}

static int on_headers_complete(http_parser *parser) {
    http_reader *reader = reader_of(parser);
    http_message *message = &reader->message;
    if (parser->http_major != 1 || parser->http_minor != 1)
        return refuse(reader, "not HTTP/1.1");
    if (parser->flags & F_CONTENTLENGTH && parser->content_length > HTTP_BODY_MAX)
        return refuse(reader, "Content-Length is over the limit");
    if (parser->type == HTTP_REQUEST)
        snprintf(message->method, sizeof message->method, "%s", http_method_str(parser->method));
    else
        message->status = parser->status_code;
    message->content_type[strcspn(message->content_type, "; \t")] = 0;
    message->keep_alive = http_should_keep_alive(parser);
    reader->in_trailer = true; /* header fields that still come */
    return 0;
}

static int on_body(http_parser *parser, const char *at, size_t len) {
    http_reader *reader = reader_of(parser);
    if (len > HTTP_BODY_MAX - reader->message.body.len)
        return refuse(reader, "the body is over the limit");
    return ibk_buf_append(&reader->message.body, at, len) ? refuse(reader, "out of memory") : 0;
}

static int on_message_complete(http_parser *parser) {
    reader_of(parser)->done = true;
    http_parser_pause(parser, 1); /* the caller takes the message before the next one begins */
    return 0;
}

static const http_parser_settings settings = {
    .on_message_begin = on_message_begin,
    .on_url = on_url,
    .on_header_field = on_header_field,
    .on_header_value = on_header_value,
    .on_headers_complete = on_headers_complete,
    .on_body = on_body,
    .on_message_complete = on_message_complete,
};

http_reader *http_reader_new(http_kind kind) {
    http_reader *reader = calloc(1, sizeof *reader);
    if (!reader)
        return NULL;
    http_parser_init(&reader->parser, kind == HTTP_KIND_REQUEST ? HTTP_REQUEST : HTTP_RESPONSE);
    reader->parser.data = reader;
    return reader;
}

void http_reader_free(http_reader *reader) {
    if (!reader)
        return;
    ibk_buf_free(&reader->message.body);
    ibk_wipe(&reader->message, sizeof reader->message);
    free(reader);
}

http_result http_reader_feed(http_reader *reader, const uint8_t *data, size_t len, size_t *used) {
    *used = 0;
    if (reader->error)
        return HTTP_BAD;
    if (reader->done) {
        http_parser_pause(&reader->parser, 0);
        reader->done = false;
    }
    size_t taken = http_parser_execute(&reader->parser, &settings, (const char *)data, len);
    enum http_errno state = HTTP_PARSER_ERRNO(&reader->parser);
    if (reader->done) {
        *used = taken;
        return HTTP_MESSAGE;
    }
    if (state != HPE_OK) {
        if (!reader->error)
            reader->error = http_errno_description(state);
        return HTTP_BAD;
    }
    *used = taken;
    return HTTP_MORE;
}

const http_message *http_reader_message(const http_reader *reader) {
    return &reader->message;
}

const char *http_reader_error(const http_reader *reader) {
    return reader->error ? reader->error : "no error";
}

/* ---- writing
 * ---------------------------------------------------------------------------------------------- */

static bool put(char *head, size_t size, const char *name, const char *value) {
    size_t have = strlen(head);
    int len = value ? snprintf(head + have, size - have, "%s%s\r\n", name, value) : 0;
    return len >= 0 && (size_t)len < size - have;
}

static ibk_err finish(ibk_buf *out, char *head, size_t size, bool ok, ibk_span body) {
    char length[24];
    snprintf(length, sizeof length, "%zu", body.len);
    ok = ok && put(head, size, "Content-Length: ", length) && put(head, size, "", "");
    ibk_err err = ok ? ibk_buf_append(out, head, strlen(head)) : IBK_ERR_LIMIT;
    ibk_wipe(head, size); /* it may hold a password */
    return err ? err : ibk_buf_append_span(out, body);
}

ibk_err http_write_request(ibk_buf *out, const http_request *request) {
    char head[2048];
    int len = snprintf(head, sizeof head, "%s %s HTTP/1.1\r\n", request->method, request->target);
    bool ok = len >= 0 && (size_t)len < sizeof head && put(head, sizeof head, "Host: ", request->host) &&
              put(head, sizeof head, "User-Agent: ", "ibakelab") &&
              put(head, sizeof head, "Accept: ", request->accept) &&
              put(head, sizeof head, "Authorization: ", request->authorization) &&
              put(head, sizeof head, "Content-Type: ", request->type);
    return finish(out, head, sizeof head, ok, request->body);
}

static const char *reason_phrase(unsigned status) {
    switch (status) {
    case 200:
        return "OK";
    case 400:
        return "Bad Request";
    case 401:
        return "Unauthorized";
    case 403:
        return "Forbidden";
    case 404:
        return "Not Found";
    case 405:
        return "Method Not Allowed";
    case 408:
        return "Request Timeout";
    case 413:
        return "Payload Too Large";
    case 415:
        return "Unsupported Media Type";
    case 503:
        return "Service Unavailable";
    default:
        return "Internal Server Error";
    }
}

ibk_err http_write_response(ibk_buf *out, const http_response *response) {
    char head[1024];
    int len =
        snprintf(head, sizeof head, "HTTP/1.1 %u %s\r\n", response->status, reason_phrase(response->status));
    bool ok = len >= 0 && (size_t)len < sizeof head && put(head, sizeof head, "Server: ", "ibakelab") &&
              put(head, sizeof head, "Allow: ", response->allow) &&
              put(head, sizeof head, "WWW-Authenticate: ", response->challenge) &&
              put(head, sizeof head, "Content-Type: ", response->type);
    return finish(out, head, sizeof head, ok, response->body);
}

/* ---- HTTP Basic
 * ------------------------------------------------------------------------------------------- */

bool http_basic_write(char *out, size_t size, const char *user, const char *password) {
    char pair[2 * HTTP_CREDENTIAL_MAX];
    ibk_buf text = {0};
    int len = snprintf(pair, sizeof pair, "%s:%s", user, password);
    bool ok = !strchr(user, ':') && len >= 0 && (size_t)len < sizeof pair &&
              ibk_buf_append(&text, "Basic ", 6) == IBK_OK &&
              ibk_base64_encode(&text, ibk_span_of(pair, (size_t)len)) == IBK_OK && text.len < size;
    if (ok) {
        memcpy(out, text.data, text.len);
        out[text.len] = 0;
    }
    ibk_wipe(pair, sizeof pair);
    ibk_buf_free(&text);
    return ok;
}

static bool take(char out[HTTP_CREDENTIAL_MAX], ibk_span text) {
    if (text.len >= HTTP_CREDENTIAL_MAX || (text.len && memchr(text.data, 0, text.len)))
        return false;
    if (text.len)
        memcpy(out, text.data, text.len);
    out[text.len] = 0;
    return true;
}

bool http_basic_read(const char *authorization, char user[HTTP_CREDENTIAL_MAX],
                     char password[HTTP_CREDENTIAL_MAX]) {
    ibk_buf pair = {0};
    bool ok = strncasecmp(authorization, "Basic ", 6) == 0 &&
              ibk_base64_decode(&pair, ibk_span_str(authorization + 6), NULL) == IBK_OK && pair.len > 0;
    const uint8_t *colon = ok ? memchr(pair.data, ':', pair.len) : NULL;
    size_t before = colon ? (size_t)(colon - pair.data) : 0;
    ok = colon && take(user, ibk_span_of(pair.data, before)) &&
         take(password, ibk_span_of(colon + 1, pair.len - before - 1));
    ibk_buf_free(&pair);
    return ok;
}
