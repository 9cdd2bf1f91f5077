#define _GNU_SOURCE
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
    http_request request = {
        .method = "POST", .host = "kms.example", .target = "/keys", .type = HTTP_MIKEY_TYPE};
    static const size_t lengths[] = {300, 0, 1};
    for (size_t i = 0; i < 3; i++) {
        request.body = ibk_span_of(body, lengths[i]);
        assert_int_equal(http_write_request(&stream, &request), 0);
    }
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
    http_response refused = {.status = 401, .challenge = "Basic realm=\"kms\""},
                  fine = {.status = 200, .type = HTTP_MIKEY_TYPE, .body = ibk_span_str("abc")};
    assert_int_equal(http_write_response(&stream, &refused), 0);
    assert_non_null(memmem(stream.data, stream.len, "WWW-Authenticate: Basic realm", 29));
    assert_int_equal(http_write_response(&stream, &fine), 0);
    http_reader *reader = http_reader_new(HTTP_KIND_RESPONSE);
    size_t used;
    assert_int_equal(http_reader_feed(reader, stream.data, stream.len, &used), HTTP_MESSAGE);
    assert_int_equal(http_reader_message(reader)->status, 401);
    assert_int_equal(http_reader_message(reader)->body.len, 0);
    assert_int_equal(http_reader_feed(reader, stream.data + used, stream.len - used, &used), HTTP_MESSAGE);
    assert_int_equal(http_reader_message(reader)->status, 200);
    assert_memory_equal(http_reader_message(reader)->body.data, "abc", 3);
    http_reader_free(reader);
    ibk_buf_free(&stream);
}

static void a_get_has_no_body(void **state) {
    (void)state;
    ibk_buf stream = {0};
    char credentials[HTTP_CREDENTIAL_MAX];
    assert_true(http_basic_write(credentials, sizeof credentials, "alice@home.example", "open sesame"));
    http_request request = {.method = "GET",
                            .host = "kms.example",
                            .target = "/ibe/pp",
                            .accept = HTTP_PARAMETERS_TYPE,
                            .authorization = credentials};
    assert_int_equal(http_write_request(&stream, &request), 0);
    http_reader *reader = http_reader_new(HTTP_KIND_REQUEST);
    size_t used;
    assert_int_equal(http_reader_feed(reader, stream.data, stream.len, &used), HTTP_MESSAGE);
    const http_message *message = http_reader_message(reader);
    assert_string_equal(message->method, "GET");
    assert_string_equal(message->target, "/ibe/pp");
    assert_string_equal(message->content_type, "");
    assert_string_equal(message->authorization, credentials);
    assert_int_equal(message->body.len, 0);
    http_reader_free(reader);
    ibk_buf_free(&stream);
    char huge[4000];
    memset(huge, 'h', sizeof huge);
    huge[sizeof huge - 1] = 0;
    request.authorization = huge;
    assert_int_equal(http_write_request(&stream, &request), IBK_ERR_LIMIT);
    assert_int_equal(stream.len, 0);
}

static void basic_credentials(void **state) {
    (void)state;
    char text[600], user[HTTP_CREDENTIAL_MAX], password[HTTP_CREDENTIAL_MAX],
        longest[HTTP_CREDENTIAL_MAX + 1];
    /* RFC 7617 §2 */
    assert_true(http_basic_write(text, sizeof text, "Aladdin", "open sesame"));
    assert_string_equal(text, "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==");
    assert_true(http_basic_read(text, user, password));
    assert_string_equal(user, "Aladdin");
    assert_string_equal(password, "open sesame");
    assert_true(http_basic_read("bAsIc Og==", user, password)); /* ":" */
    assert_string_equal(user, "");
    assert_true(http_basic_write(text, sizeof text, "a", "b:c")); /* the first colon parts */
    assert_true(http_basic_read(text, user, password));
    assert_string_equal(password, "b:c");
    assert_false(http_basic_write(text, sizeof text, "a:b", "c"));
    assert_false(http_basic_write(text, 10, "Aladdin", "open sesame"));
    static const char *const wrong[] = {"",
                                        "Basic",
                                        "Basic ",
                                        "Digest QWxhZGRpbjpvcGVuIHNlc2FtZQ==",
                                        "Basic !!!!",
                                        "Basic QWxhZGRpbg==" /* no colon */,
                                        "Basic YQA6Yg==" /* a zero */,
                                        "QWxhZGRpbjpvcGVuIHNlc2FtZQ=="};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        if (http_basic_read(wrong[i], user, password))
            fail_msg("accepted: %s", wrong[i]);
    memset(longest, 'x', sizeof longest);
    longest[HTTP_CREDENTIAL_MAX] = 0;
    assert_true(http_basic_write(text, sizeof text, "a", longest));
    assert_false(http_basic_read(text, user, password));
}

/* A trailer comes behind the body: it says nothing about who sends it, or what it is. */
static void trailers_say_nothing(void **state) {
    (void)state;
    static const char text[] = "POST / HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n0\r\n"
                               "Content-Type: application/mikey\r\nAuthorization: Basic YTpi\r\n\r\n";
    http_reader *reader = http_reader_new(HTTP_KIND_REQUEST);
    size_t used;
    assert_int_equal(http_reader_feed(reader, (const uint8_t *)text, sizeof text - 1, &used), HTTP_MESSAGE);
    assert_int_equal(http_reader_message(reader)->body.len, 2);
    assert_string_equal(http_reader_message(reader)->content_type, "");
    assert_string_equal(http_reader_message(reader)->authorization, "");
    http_reader_free(reader);
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

/* http_parser lets one pass as the first of a value, and a text that begins with it is empty or not as
 * segments go. */
static void zero_octets_are_refused(void **state) {
    (void)state;
    static const char text[] = "POST / HTTP/1.1\r\nContent-Type: \0application/mikey\r\n\r\n";
    for (size_t step = 1; step < sizeof text; step++) {
        http_reader *reader = http_reader_new(HTTP_KIND_REQUEST);
        unsigned messages;
        size_t len;
        ibk_span stream = ibk_span_of(text, sizeof text - 1);
        assert_int_equal(feed(reader, stream, step, &messages, &len), HTTP_BAD);
        http_reader_free(reader);
    }
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
    memset(huge, 'a', 700);
    memcpy(huge, "POST / HTTP/1.1\r\nAuthorization: ", 32);
    memcpy(huge + 700, "\r\n\r\n", 5);
    bad(huge);
    free(huge);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_survive_any_segmentation),
        cmocka_unit_test(responses_carry_status_and_body),
        cmocka_unit_test(a_get_has_no_body),
        cmocka_unit_test(basic_credentials),
        cmocka_unit_test(trailers_say_nothing),
        cmocka_unit_test(zero_octets_are_refused),
        cmocka_unit_test(nonsense_and_excess_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
