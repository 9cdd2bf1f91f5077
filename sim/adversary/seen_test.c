/* Real messages taken apart, and those that cannot be. */
#include "adversary/sample.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

static const char *label_of(const seen *s) {
    static char label[SEEN_TEXT_MAX];
    return seen_label(label, s);
}

static void an_invite(void **state) {
    (void)state;
    ibk_buf octets = sample_sip(0, "i_message_1"), mikey = sample_mikey("i_message_1");
    sample s;
    sample_see(&s, TAP_SIP, ibk_buf_span(&octets));
    assert_true(s.seen.sip && s.seen.request && s.seen.sdp && !s.seen.http);
    assert_string_equal(s.seen.method, "INVITE");
    assert_string_equal(s.seen.call_id, "call-1@a.example");
    assert_int_equal(s.seen.cseq, 7);
    assert_int_equal(s.seen.status, 0);
    assert_int_equal(s.seen.header.len + s.seen.body.len, octets.len);
    assert_true(s.seen.has_mikey && s.seen.parsed);
    assert_int_equal(s.seen.place, SEEN_SDP_SESSION);
    assert_int_equal(s.seen.data_type, IBK_MSG_I_MESSAGE_1);
    assert_true(ibk_span_equal(ibk_buf_span(&s.seen.mikey), ibk_buf_span(&mikey)));
    assert_true(ibk_span_equal(seen_identity(&s.seen, IBK_ROLE_I), ibk_span_str("sip:alice@a.example")));
    assert_true(ibk_span_equal(seen_identity(&s.seen, IBK_ROLE_R), ibk_span_str("sip:bob@b.example")));
    assert_int_equal(seen_identity(&s.seen, IBK_ROLE_KMS).len, 0);
    assert_string_equal(label_of(&s.seen), "I_MESSAGE_1");
    seen_clear(&s.seen);
    ibk_buf_free(&octets);
    ibk_buf_free(&mikey);
}

static void an_answer(void **state) {
    (void)state;
    ibk_buf octets = sample_sip(183, "r_message_1");
    sample s;
    sample_see(&s, TAP_SIP, ibk_buf_span(&octets));
    assert_true(s.seen.sip && !s.seen.request);
    assert_int_equal(s.seen.status, 183);
    assert_string_equal(s.seen.method, "INVITE");
    assert_string_equal(label_of(&s.seen), "R_MESSAGE_1");
    seen_clear(&s.seen);
    ibk_buf_free(&octets);
    octets = sample_sip(183, NULL);
    sample_see(&s, TAP_SIP, ibk_buf_span(&octets));
    assert_true(s.seen.sdp && !s.seen.has_mikey);
    assert_string_equal(label_of(&s.seen), "183");
    seen_clear(&s.seen);
    ibk_buf_free(&octets);
}

static void http(void **state) {
    (void)state;
    ibk_buf octets = sample_http("request_key_psk");
    sample s;
    sample_see(&s, TAP_HTTP, ibk_buf_span(&octets));
    assert_true(s.seen.http && s.seen.request && s.seen.parsed && !s.seen.sip);
    assert_int_equal(s.seen.place, SEEN_HTTP_BODY);
    assert_string_equal(label_of(&s.seen), "REQUEST_KEY_PSK");
    seen_clear(&s.seen);
    static const char answer[] = "HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n";
    sample_see(&s, TAP_HTTP, ibk_span_str(answer));
    assert_true(s.seen.http && s.seen.status == 403 && !s.seen.has_mikey && s.seen.body.len == 0);
    assert_string_equal(label_of(&s.seen), "403");
    seen_clear(&s.seen);
    ibk_buf_free(&octets);
}

/* Media level overrides session level (RFC 4567 §3.1.2), and the second medium is another matter. */
static void levels(void **state) {
    (void)state;
    static const char text[] =
        "INVITE sip:b@x SIP/2.0\r\nContent-Type: application/sdp;charset=utf-8\r\n\r\n"
        "v=0\r\na=key-mgmt:other AAAA\r\na=key-mgmt:mikey ARYA\r\nm=audio 1 RTP/SAVP 0\r\n"
        "a=key-mgmt:mikey  ARcA\r\nm=video 2 RTP/SAVP 96\r\na=key-mgmt:mikey ARgA\r\n";
    sample s;
    sample_see(&s, TAP_SIP, ibk_span_str(text));
    assert_true(s.seen.has_mikey && !s.seen.parsed);
    assert_int_equal(s.seen.place, SEEN_SDP_MEDIA);
    assert_int_equal(s.seen.data_type, IBK_MSG_R_MESSAGE_1);
    seen_clear(&s.seen);
}

static void what_cannot_be_read(void **state) {
    (void)state;
    static const char *const texts[] = {"",
                                        "\r\n\r\n",
                                        "INVITE\r\n\r\n",
                                        "SIP/2.0 18 x\r\n\r\n",
                                        "SIP/2.0 999 x\r\n\r\n",
                                        "INVITE sip:b SIP/2.0\r\nno colon\r\n\r\n",
                                        "INVITE sip:b SIP/2.0\r\nVia: x",
                                        "\x01\x02\x03"};
    sample s;
    for (size_t i = 0; i < sizeof texts / sizeof texts[0]; i++) {
        sample_see(&s, TAP_SIP, ibk_span_str(texts[i]));
        assert_false(s.seen.sip || s.seen.has_mikey);
        assert_string_equal(label_of(&s.seen), "SIP");
        seen_clear(&s.seen);
    }
    static const char liar[] =
        "INVITE sip:b SIP/2.0\r\nContent-Type: application/sdp\r\nl: 900\r\n\r\nv=0\r\n";
    sample_see(&s, TAP_SIP, ibk_span_str(liar));
    assert_true(s.seen.sip && s.seen.body.len == 0);
    seen_clear(&s.seen);
    static const char stray[] =
        "INVITE sip:b SIP/2.0\r\nContent-Type: application/sdp\r\n\r\na=key-mgmt:mikey AB\r\n";
    sample_see(&s, TAP_SIP, ibk_span_str(stray)); /* no base64 */
    assert_true(s.seen.sdp && !s.seen.has_mikey);
    seen_clear(&s.seen);
}

static void other_packets(void **state) {
    (void)state;
    static const uint8_t rtp[] = {0x80, 0, 0, 1};
    sample s;
    sample_see(&s, TAP_MEDIA, ibk_span_of(rtp, sizeof rtp));
    assert_string_equal(label_of(&s.seen), "media");
    assert_string_equal(s.seen.sender, "");
    seen_clear(&s.seen);
}

static void records_outlive_the_packet(void **state) {
    (void)state;
    ibk_buf octets = sample_sip(0, "i_message_1"), copy = sample_sip(0, "i_message_1");
    ibk_buf mikey = sample_mikey("i_message_1");
    seen_record record = {0};
    sample s;
    for (int i = 0; i < 2; i++) {
        sample_see(&s, TAP_SIP, ibk_buf_span(&octets));
        assert_int_equal(seen_record_set(&record, &s.seen), IBK_OK);
        seen_clear(&s.seen);
    }
    memset(octets.data, 0, octets.len);
    assert_true(ibk_span_equal(record.message.octets, ibk_buf_span(&copy)));
    assert_true(ibk_span_equal(ibk_buf_span(&record.mikey), ibk_buf_span(&mikey)));
    seen_record_free(&record);
    ibk_buf_free(&octets);
    ibk_buf_free(&copy);
    ibk_buf_free(&mikey);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_invite),
        cmocka_unit_test(an_answer),
        cmocka_unit_test(http),
        cmocka_unit_test(levels),
        cmocka_unit_test(other_packets),
        cmocka_unit_test(what_cannot_be_read),
        cmocka_unit_test(records_outlive_the_packet),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
