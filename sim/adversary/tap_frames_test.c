/* Messages cut out of a stream, and every octet of it given out once. */
#include "adversary/tap_inside.h"
#include "kms/http.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ONE "OPTIONS sip:a SIP/2.0\r\nContent-Length: 5\r\n\r\nab\r\n\r"
#define TWO "SIP/2.0 200 OK\r\nl:0\r\n\r\n"

/* What came out, one letter a piece (one for all that is raw), and all octets. */
typedef struct outcome {
    char pieces[64];
    size_t count;
    ibk_buf octets;
} outcome;

static void take(outcome *o, tap_frames *f) {
    static const char letter[] = {
        [FRAMES_MESSAGE] = 'm', [FRAMES_FILLER] = 'f', [FRAMES_RAW] = 'r', [FRAMES_ERROR] = 'e'};
    ibk_span piece;
    for (frames_result r; (r = frames_next(f, &piece)) != FRAMES_NONE;) {
        assert_true(piece.len > 0);
        assert_true(o->count < sizeof o->pieces - 1);
        if (r != FRAMES_RAW || o->count == 0 || o->pieces[o->count - 1] != 'r')
            o->pieces[o->count++] = letter[r];
        assert_int_equal(ibk_buf_append_span(&o->octets, piece), IBK_OK);
    }
}

static void check(frames_kind kind, ibk_span stream, size_t step, const char *pieces) {
    tap_frames *f = frames_new(kind);
    outcome o = {0};
    assert_non_null(f);
    for (size_t at = 0; at < stream.len; at += step) {
        size_t len = stream.len - at < step ? stream.len - at : step;
        assert_int_equal(frames_push(f, ibk_span_of(stream.data + at, len)), IBK_OK);
        take(&o, f);
        assert_int_equal(o.octets.len + frames_held(f), at + len);
    }
    frames_give_up(f); /* the end */
    take(&o, f);
    assert_int_equal(frames_held(f), 0);
    assert_true(ibk_span_equal(ibk_buf_span(&o.octets), stream));
    if (pieces)
        assert_string_equal(o.pieces, pieces);
    ibk_buf_free(&o.octets);
    frames_free(f);
}

static void check_text(frames_kind kind, const char *stream, const char *pieces) {
    check(kind, ibk_span_str(stream), strlen(stream), pieces);
    for (size_t step = 1; step < strlen(stream); step++)
        check(kind, ibk_span_str(stream), step, strchr(pieces, 'r') || strchr(pieces, 'f') ? NULL : pieces);
}

static void test_sip(void **state) {
    (void)state;
    check_text(FRAMES_SIP, ONE TWO ONE, "mmm");
    check_text(FRAMES_SIP, "\r\n\r\n" ONE "\r\n" TWO, "fmfm"); /* keep-alives must not get lost */
    check_text(FRAMES_SIP, ONE "OPTIONS sip:half SIP/2.0\r\nCont", "mr");
    check_text(FRAMES_SIP, ONE "OPTIONS sip:b SIP/2.0\r\n\r\n" ONE, "mr"); /* no Content-Length */
    check_text(FRAMES_SIP, "GET / HTTP/1.1\r\nContent-Length: 0\r\n\r\n", "r");
    check_text(FRAMES_SIP, "\x16\x03\x01\x02", "r");
    check_text(FRAMES_SIP, TWO "\r", "mr");
    check_text(FRAMES_SIP, "", "");
}

/* It is known at once, not when a header turns out to have no end. */
static void test_no_sip_waits(void **state) {
    (void)state;
    tap_frames *f = frames_new(FRAMES_SIP);
    ibk_span piece;
    assert_int_equal(frames_push(f, ibk_span_str("\x16\x03\x01")), IBK_OK);
    assert_int_equal(frames_next(f, &piece), FRAMES_RAW);
    assert_int_equal(piece.len, 3);
    assert_true(frames_given_up(f));
    assert_int_equal(frames_push(f, ibk_span_str(ONE)), IBK_OK);
    assert_int_equal(frames_next(f, &piece), FRAMES_RAW);
    assert_int_equal(piece.len, strlen(ONE));
    assert_int_equal(frames_next(f, &piece), FRAMES_NONE);
    frames_free(f);
}

static void test_http(void **state) {
    (void)state;
    check_text(FRAMES_REQUESTS,
               "GET /a HTTP/1.1\r\nHost: k\r\n\r\nPOST /b HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", "mm");
    check_text(
        FRAMES_RESPONSES,
        "HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabcHTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
        "mm");
    check_text(FRAMES_RESPONSES, "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
               "m");
    check_text(FRAMES_RESPONSES, "HTTP/1.1 200 OK\r\n\r\nup to the end", "r");
    check_text(FRAMES_REQUESTS, "OPTIONS sip:a SIP/2.0\r\nContent-Length: 0\r\n\r\n", "r");
}

static void test_limits(void **state) {
    (void)state;
    size_t len = HTTP_BODY_MAX + 200;
    char *big = malloc(len);
    assert_non_null(big);
    memset(big, 'x', len);
    for (int over = 0; over < 2; over++) {
        int head = snprintf(big, len, "POST / HTTP/1.1\r\nContent-Length: %zu\r\n\r\n",
                            HTTP_BODY_MAX + (size_t)over);
        big[head] = 'x';
        check(FRAMES_REQUESTS, ibk_span_of(big, (size_t)head + HTTP_BODY_MAX + (size_t)over), 1448,
              over ? NULL : "m");
    }
    memset(big, 'x', len);
    int head = snprintf(big, len, "INVITE sip:a SIP/2.0\r\nX: ");
    big[head] = 'x';
    tap_frames *f = frames_new(FRAMES_SIP); /* no end of the header */
    outcome o = {0};
    for (size_t at = 0; at < 80 * 1024; at += FRAMES_PUSH) {
        assert_int_equal(frames_push(f, ibk_span_of(big + at, FRAMES_PUSH)), IBK_OK);
        take(&o, f);
    }
    assert_string_equal(o.pieces, "r");
    assert_int_equal(o.octets.len, 80 * 1024);
    ibk_buf_free(&o.octets);
    frames_free(f);
    free(big);
}

/* A body within the limit, in chunks that are mostly overhead. */
static void test_chunks(void **state) {
    (void)state;
    ibk_buf stream = {0};
    assert_int_equal(
        ibk_buf_append_span(&stream, ibk_span_str("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")),
        IBK_OK);
    while (stream.len < HTTP_BODY_MAX + ((size_t)1 << 19))
        assert_int_equal(ibk_buf_append_span(&stream, ibk_span_str("1\r\nx\r\n")), IBK_OK);
    tap_frames *f = frames_new(FRAMES_RESPONSES);
    outcome o = {0};
    for (size_t at = 0; at + FRAMES_PUSH <= stream.len; at += FRAMES_PUSH) {
        assert_int_equal(frames_push(f, ibk_span_of(stream.data + at, FRAMES_PUSH)), IBK_OK);
        take(&o, f);
        assert_int_equal(o.octets.len + frames_held(f), at + FRAMES_PUSH);
        assert_true(frames_held(f) < HTTP_BODY_MAX + ((size_t)300 << 10));
    }
    assert_true(frames_given_up(f));
    assert_string_equal(o.pieces, "r");
    assert_memory_equal(o.octets.data, stream.data, o.octets.len);
    ibk_buf_free(&stream);
    ibk_buf_free(&o.octets);
    frames_free(f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sip),    cmocka_unit_test(test_no_sip_waits), cmocka_unit_test(test_http),
        cmocka_unit_test(test_limits), cmocka_unit_test(test_chunks),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
