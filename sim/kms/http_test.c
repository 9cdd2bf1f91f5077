#include "kms/http.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* Feeds `octets` in pieces of `step` and counts whole messages; the last one's body length goes to *body. */
static http_result feed(http_reader *reader, ibk_span octets, size_t step, unsigned *messages, size_t *body) {
    http_result result = HTTP_MORE;
    *messages = 0;
    for (size_t at = 0; at < octets.len;) {
        size_t len = step < octets.len - at ? step : octets.len - at, used = 0;
        result = http_reader_feed(reader, octets.data + at, len, &used);
        if (result == HTTP_BAD)
            return result;
        if (result == HTTP_MESSAGE) {
            ++*messages;
            *body = http_reader_message(reader)->body.len;
        }
        at += used;
    }
    return result;
}

static void messages_survive_any_segmentation(void **state) {
    (void)state;
    ibk_buf stream = {0};
    uint8_t body[300];
    memset(body, 'H', sizeof body);
    assert_int_equal(
        http_write_post(&stream, "kms.example", "/keys", HTTP_MIKEY_TYPE, ibk_span_of(body, 300)), 0);
    assert_int_equal(http_write_post(&stream, "kms.example", "/keys", HTTP_MIKEY_TYPE, ibk_span_of(body, 0)),
                     0);
    assert_int_equal(http_write_post(&stream, "kms.example", "/keys", HTTP_MIKEY_TYPE, ibk_span_of(body, 1)),
                     0);
    for (size_t step = 1; step <= stream.len; step++) {
        http_reader *reader = http_reader_new(HTTP_KIND_REQUEST);
        unsigned messages;
        size_t len = 99;
        assert_int_equal(feed(reader, ibk_buf_span(&stream), step, &messages, &len), HTTP_MESSAGE);
        assert_int_equal(messages, 3);
        assert_int_equal(len, 1);
        const http_message *last = http_reader_message(reader);
        assert_string_equal(last->method, "POST");
        assert_string_equal(last->target, "/keys");
        assert_string_equal(last->content_type, HTTP_MIKEY_TYPE);
        assert_true(last->keep_alive);
        http_reader_free(reader);
    }
    ibk_buf_free(&stream);
}

static void responses_carry_status_and_body(void **state) {
    (void)state;
    ibk_buf stream = {0};
    assert_int_equal(http_write_response(&stream, 403, NULL, (ibk_span){0}), 0);
    assert_int_equal(http_write_response(&stream, 200, HTTP_MIKEY_TYPE, ibk_span_str("abc")), 0);
    http_reader *reader = http_reader_new(HTTP_KIND_RESPONSE);
    size_t used;
    assert_int_equal(http_reader_feed(reader, stream.data, stream.len, &used), HTTP_MESSAGE);
    assert_int_equal(http_reader_message(reader)->status, 403);
    assert_int_equal(http_reader_message(reader)->body.len, 0);
    assert_int_equal(http_reader_feed(reader, stream.data + used, stream.len - used, &used), HTTP_MESSAGE);
    assert_int_equal(http_reader_message(reader)->status, 200);
    assert_memory_equal(http_reader_message(reader)->body.data, "abc", 3);
    http_reader_free(reader);
    ibk_buf_free(&stream);
}

static void bad(const char *text) {
    http_reader *reader = http_reader_new(HTTP_KIND_REQUEST);
    size_t used, len;
    unsigned messages;
    http_result result = feed(reader, ibk_span_str(text), 4096, &messages, &len);
    if (result != HTTP_BAD || messages)
        fail_msg("accepted: %.60s", text);
    assert_true(strlen(http_reader_error(reader)) > 0);
    assert_int_equal(http_reader_feed(reader, (const uint8_t *)"GET", 3, &used), HTTP_BAD);
    http_reader_free(reader);
}

static void nonsense_and_excess_are_refused(void **state) {
    (void)state;
    bad("\x16\x03\x01 hello");
    bad("POST / HTTP/1.0\r\n\r\n");
    bad("POST / HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n");
    bad("POST / HTTP/1.1\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n");
    bad("POST / HTTP/1.1\r\nContent-Length: -1\r\n\r\n");
    bad("POST / HTTP/1.1\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n");
    char *huge = malloc(20000);
    memset(huge, 'a', 19999);
    memcpy(huge, "POST /", 6);
    huge[19999] = 0;
    bad(huge);
    memcpy(huge, "POST / HTTP/1.1\r\nX: ", 20);
    bad(huge);
    free(huge);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_survive_any_segmentation),
        cmocka_unit_test(responses_carry_status_and_body),
        cmocka_unit_test(nonsense_and_excess_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
