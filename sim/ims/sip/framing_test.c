/* Messages cut out of a stream, however it was cut up. */
#include "ims/sip/framing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define ONE   "OPTIONS sip:a SIP/2.0\r\nContent-Length: 5\r\n\r\nab\r\n\r"
#define TWO   "OPTIONS sip:b SIP/2.0\r\nl:0\r\n\r\n"
#define THREE "SIP/2.0 200 OK\r\nX: y\r\n z\r\nCONTENT-LENGTH : 3\r\n\r\nxyz"

static void expect(sip_framer *framer, const char *text) {
    ibk_span message;
    assert_int_equal(sip_framer_next(framer, &message, NULL), IBK_OK);
    assert_int_equal(message.len, strlen(text));
    assert_memory_equal(message.data, text, message.len);
}

static void coalesced(void **state) {
    (void)state;
    sip_framer framer = {0};
    assert_int_equal(sip_framer_push(&framer, ibk_span_str("\r\n\r\n" ONE TWO "\r\n" THREE)), IBK_OK);
    expect(&framer, ONE);
    expect(&framer, TWO);
    expect(&framer, THREE);
    expect(&framer, "");
    sip_framer_free(&framer);
}

static void split_at_every_octet(void **state) {
    (void)state;
    static const char text[] = ONE TWO THREE;
    static const char *const want[] = {ONE, TWO, THREE};
    for (size_t step = 1; step < sizeof text; step++) {
        sip_framer framer = {0};
        size_t got = 0;
        for (size_t at = 0; at < sizeof text - 1; at += step) {
            size_t len = sizeof text - 1 - at < step ? sizeof text - 1 - at : step;
            assert_int_equal(sip_framer_push(&framer, ibk_span_of(text + at, len)), IBK_OK);
            for (;;) {
                ibk_span message;
                assert_int_equal(sip_framer_next(&framer, &message, NULL), IBK_OK);
                if (message.len == 0)
                    break;
                assert_true(got < 3);
                assert_int_equal(message.len, strlen(want[got]));
                assert_memory_equal(message.data, want[got], message.len);
                got++;
            }
        }
        assert_int_equal(got, 3);
        sip_framer_free(&framer);
    }
}

/* The header is read when it is there, and not again with each octet of the body: whoever sends slowly would
 * make the reader work the harder. */
static void reads_a_header_once(void **state) {
    (void)state;
    sip_framer framer = {0};
    ibk_span message;
    assert_int_equal(sip_framer_push(&framer, ibk_span_str("OPTIONS sip:a SIP/2.0\r\nl:3\r\n\r\n")), IBK_OK);
    assert_int_equal(sip_framer_next(&framer, &message, NULL), IBK_OK);
    memset(framer.buf.data, 'x', framer.buf.len); /* who reads it again fails */
    for (int i = 0; i < 3; i++) {
        assert_int_equal(sip_framer_next(&framer, &message, NULL), IBK_OK);
        assert_int_equal(message.len, 0);
        assert_int_equal(sip_framer_push(&framer, ibk_span_str("b")), IBK_OK);
    }
    assert_int_equal(sip_framer_next(&framer, &message, NULL), IBK_OK);
    assert_int_equal(message.len, framer.buf.len);
    sip_framer_free(&framer);
}

static void refuses(const char *text, ibk_err want) {
    sip_framer framer = {0};
    ibk_span message;
    assert_int_equal(sip_framer_push(&framer, ibk_span_str(text)), IBK_OK);
    assert_string_equal(ibk_err_name(sip_framer_next(&framer, &message, NULL)), ibk_err_name(want));
    sip_framer_free(&framer);
}

static void refuses_streams_without_bounds(void **state) {
    (void)state;
    refuses("OPTIONS sip:a SIP/2.0\r\n\r\n", IBK_ERR_MISSING_PAYLOAD);
    refuses("OPTIONS sip:a SIP/2.0\r\nContent-Length: -1\r\n\r\n", IBK_ERR_BAD_LENGTH);
    refuses("OPTIONS sip:a SIP/2.0\r\nContent-Length: 1\r\nl: 1\r\n\r\nx", IBK_ERR_UNEXPECTED_PAYLOAD);
    refuses("OPTIONS sip:a SIP/2.0\r\nContent-Length: 70000\r\n\r\n", IBK_ERR_LIMIT);
    refuses("OPTIONS sip:a SIP/2.0\r\nContent-Length: 99999999999999999999\r\n\r\n", IBK_ERR_BAD_LENGTH);
    sip_framer framer = {0};
    ibk_span message;
    ibk_buf big = {0};
    assert_int_equal(ibk_buf_resize(&big, SIP_MAX_MESSAGE + 1), IBK_OK);
    memset(big.data, 'x', big.len);
    assert_int_equal(sip_framer_push(&framer, ibk_buf_span(&big)), IBK_OK);
    assert_int_equal(sip_framer_next(&framer, &message, NULL), IBK_ERR_LIMIT);
    assert_int_equal(sip_framer_push(&framer, ibk_buf_span(&big)), IBK_ERR_LIMIT);
    ibk_buf_free(&big);
    sip_framer_free(&framer);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(coalesced),
        cmocka_unit_test(split_at_every_octet),
        cmocka_unit_test(reads_a_header_once),
        cmocka_unit_test(refuses_streams_without_bounds),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
