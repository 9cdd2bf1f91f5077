/* HTTP requests and responses out of a TCP stream: the same messages come out however the stream was cut into
 * segments. */
#include "kms/http.h"
#include "fuzz.h"

#include <stdio.h>
#include <string.h>

static void log_text(ibk_buf *log, const char *text) {
    FUZZ_CHECK(ibk_buf_append(log, text, strlen(text) + 1) == IBK_OK);
}

static void log_message(ibk_buf *log, const http_message *message) {
    char line[64];
    snprintf(line, sizeof line, "%u %d %zu", message->status, message->keep_alive, message->body.len);
    log_text(log, line);
    log_text(log, message->method);
    log_text(log, message->target);
    log_text(log, message->content_type);
    log_text(log, message->authorization);
    FUZZ_CHECK(message->body.len <= HTTP_BODY_MAX);
    FUZZ_CHECK(ibk_buf_append_span(log, ibk_buf_span(&message->body)) == IBK_OK);
}

/* Feeds one segment; false when the stream is spoilt. */
static bool feed(http_reader *reader, ibk_buf *log, ibk_span segment) {
    while (segment.len > 0) {
        size_t used;
        http_result result = http_reader_feed(reader, segment.data, segment.len, &used);
        FUZZ_CHECK(used <= segment.len);
        if (result == HTTP_BAD) {
            FUZZ_CHECK(http_reader_error(reader) != NULL);
            log_text(log, "bad");
            return false;
        }
        if (result == HTTP_MESSAGE)
            log_message(log, http_reader_message(reader));
        FUZZ_CHECK(used > 0); /* else this would never end */
        segment = ibk_span_of(segment.data + used, segment.len - used);
    }
    return true;
}

static void read_stream(ibk_buf *log, http_kind kind, ibk_span stream, size_t segment) {
    http_reader *reader = http_reader_new(kind);
    FUZZ_CHECK(reader != NULL);
    bool well = true;
    for (size_t at = 0; at < stream.len && well; at += segment) {
        size_t len = stream.len - at < segment ? stream.len - at : segment;
        well = feed(reader, log, ibk_span_of(stream.data + at, len));
    }
    http_reader_free(reader);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    for (int kind = HTTP_KIND_REQUEST; kind <= HTTP_KIND_RESPONSE; kind++) {
        ibk_buf whole = {0}, pieces = {0};
        read_stream(&whole, (http_kind)kind, ibk_span_of(data, size), size);
        read_stream(&pieces, (http_kind)kind, ibk_span_of(data, size), size / 64 + 1);
        fuzz_check_same(ibk_buf_span(&whole), ibk_buf_span(&pieces));
        ibk_buf_free(&whole);
        ibk_buf_free(&pieces);
    }
    return 0;
}
