/* Edits of real messages: what was meant has changed, and nothing else. Places of fields: cli/testdata. */
#include "adversary/edit_mikey.h"
#include "adversary/edit_sip.h"
#include "adversary/sample.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define LONG_TEXT 70000

/* One message, taken apart, and what an edit makes of it. */
typedef struct bench {
    ibk_buf before, out;
    sample s;
    sim_random *random;
} bench;

static void begin(bench *b, const char *name) {
    *b = (bench){.before = sample_sip(0, name), .random = sim_random_new(1, "mallory", "values")};
    assert_non_null(b->random);
    sample_see(&b->s, TAP_SIP, ibk_buf_span(&b->before));
}

static void end(bench *b) {
    seen_clear(&b->s.seen);
    ibk_buf_free(&b->before);
    ibk_buf_free(&b->out);
    sim_random_free(b->random);
}

/* The output is the MIKEY message with `len` octets at `at` replaced. */
static void only_changed(const bench *b, size_t at, size_t len, const void *with, size_t with_len) {
    ibk_span old = ibk_buf_span(&b->s.seen.mikey), new = ibk_buf_span(&b->out);
    assert_int_equal(new.len, old.len - len + with_len);
    assert_memory_equal(new.data, old.data, at);
    assert_memory_equal(new.data + at, with, with_len);
    assert_memory_equal(new.data + at + with_len, old.data + at + len, old.len - at - len);
}

static ibk_err edit(bench *b, scn_mikey_field field, scn_edit_value value) {
    ibk_buf_clear(&b->out);
    return edit_field(&b->out, &b->s.seen, field, &value, b->random);
}

static void edit_to_octet(bench *b, scn_mikey_field field, scn_edit_value value, size_t at, uint8_t octet) {
    assert_int_equal(edit(b, field, value), IBK_OK);
    only_changed(b, at, 1, &octet, 1);
}

/* ---- numbers ----------------------------------------------------------------------------------------------
 */

#define HOW(name) ((scn_edit_value){.how = SCN_EDIT_##name})
#define XOR(octets_, at)                                                                                     \
    ((scn_edit_value){                                                                                       \
        .how = SCN_EDIT_XOR, .octets = ibk_span_of(octets_, sizeof(octets_) - 1), .number = (at)})
#define NUMBER(n)    ((scn_edit_value){.how = SCN_EDIT_NUMBER, .number = (n)})
#define SHIFT(ns)    ((scn_edit_value){.how = SCN_EDIT_SHIFT, .shift_ns = (ns)})
#define OCTETS(text) ((scn_edit_value){.how = SCN_EDIT_OCTETS, .octets = ibk_span_of(text, sizeof(text) - 1)})

static void numbers_of_the_header(void **state) {
    (void)state;
    bench b;
    begin(&b, "i_message_1");
    edit_to_octet(&b, SCN_FIELD_VERSION, NUMBER(2), 0, 2);
    edit_to_octet(&b, SCN_FIELD_DATA_TYPE, HOW(FLIP), 1, 23);
    edit_to_octet(&b, SCN_FIELD_V_FLAG, HOW(ZERO), 3, 0x01);
    edit_to_octet(&b, SCN_FIELD_V_FLAG, HOW(RANDOM), 3, 0x01); /* never what was there */
    edit_to_octet(&b, SCN_FIELD_PRF, NUMBER(0), 3, 0x80);
    edit_to_octet(&b, SCN_FIELD_CS_COUNT, NUMBER(255), 8, 255);
    assert_int_equal(edit(&b, SCN_FIELD_CSB_ID, NUMBER(0x01020304)), IBK_OK);
    only_changed(&b, 4, 4, "\1\2\3\4", 4);
    assert_int_equal(edit(&b, SCN_FIELD_CSB_ID, HOW(RANDOM)), IBK_OK);
    only_changed(&b, 4, 4, b.out.data + 4, 4);
    assert_memory_not_equal(b.out.data + 4, b.s.seen.mikey.data + 4, 4);
    assert_int_equal(edit(&b, SCN_FIELD_CSB_ID, SHIFT(1)), IBK_ERR_MISSING_PAYLOAD);
    end(&b);
}

static uint64_t time_of(const bench *b) {
    ibk_msg msg = {0};
    assert_int_equal(ibk_msg_parse(&msg, ibk_buf_span(&b->out), NULL), IBK_OK);
    uint64_t value = ibk_msg_find(&msg, IBK_PL_T, 0)->t.value;
    ibk_msg_free(&msg);
    return value;
}

static void times_are_shifted(void **state) {
    (void)state;
    bench b;
    begin(&b, "i_message_1");
    uint64_t old = ibk_msg_find(&b.s.seen.msg, IBK_PL_T, 0)->t.value;
    assert_int_equal(edit(&b, SCN_FIELD_T, SHIFT(INT64_C(7200500000000))), IBK_OK);
    only_changed(&b, 30, 8, b.out.data + 30, 8);
    assert_int_equal(time_of(&b) - old, (UINT64_C(7200) << 32) + (UINT64_C(1) << 31));
    assert_int_equal(edit(&b, SCN_FIELD_T, SHIFT(-INT64_C(1250000000))), IBK_OK);
    assert_int_equal(old - time_of(&b), (UINT64_C(5) << 30));
    assert_int_equal(edit(&b, SCN_FIELD_T, NUMBER(UINT64_MAX)), IBK_OK);
    assert_int_equal(time_of(&b), UINT64_MAX);
    assert_int_equal(edit(&b, SCN_FIELD_T, HOW(FLIP)), IBK_OK);
    assert_int_equal(time_of(&b), old ^ 1);
    end(&b);
}

/* A T of 32 bits: NTP-UTC-32 counts seconds, a COUNTER has no time to shift. */
static void short_times(void **state) {
    (void)state;
    bench b;
    begin(&b, "i_message_1");
    for (int type = IBK_TS_COUNTER; type <= IBK_TS_NTP_UTC_32; type++) {
        const ibk_t t = {.ts_type = (uint8_t)type, .value = 100000};
        ibk_msg msg = {.hdr = b.s.seen.msg.hdr};
        ibk_buf octets = {0};
        ibk_add_t(&msg.chain, &t);
        assert_int_equal(ibk_msg_write(&msg, &octets), IBK_OK); /* the header borrows from what goes now */
        ibk_msg_free(&msg);
        seen_clear(&b.s.seen);
        b.s.seen.mikey = octets;
        assert_int_equal(ibk_msg_parse(&b.s.seen.msg, ibk_buf_span(&b.s.seen.mikey), NULL), IBK_OK);
        b.s.seen.parsed = b.s.seen.has_mikey = true;
        bool counter = type == IBK_TS_COUNTER;
        assert_int_equal(edit(&b, SCN_FIELD_T, SHIFT(-INT64_C(3600000000000))),
                         counter ? IBK_ERR_UNSUPPORTED : IBK_OK);
        if (!counter)
            assert_int_equal(time_of(&b), 96400);
        assert_int_equal(edit(&b, SCN_FIELD_T, NUMBER(7)), IBK_OK);
        assert_int_equal(time_of(&b), 7);
    }
    end(&b);
}

/* ---- octets
 * -------------------------------------------------------------------------------------------------
 */

static void octets_of_payloads(void **state) {
    (void)state;
    bench b;
    begin(&b, "i_message_1");
    edit_to_octet(&b, SCN_FIELD_SP, HOW(FLIP), 112, 11);
    edit_to_octet(&b, SCN_FIELD_RAND, HOW(FLIP), 55, b.s.seen.mikey.data[55] ^ 1);
    assert_int_equal(edit(&b, SCN_FIELD_RAND, HOW(ZERO)), IBK_OK);
    only_changed(&b, 40, 16, "\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16);
    assert_int_equal(edit(&b, SCN_FIELD_RAND, OCTETS("\xAA\xBB\xCC")), IBK_OK);
    only_changed(&b, 39, 17, "\3\xAA\xBB\xCC", 4); /* with its length */
    assert_int_equal(edit(&b, SCN_FIELD_MAP, HOW(ZERO)), IBK_OK);
    assert_int_equal(edit(&b, SCN_FIELD_MAP, OCTETS("\1")), IBK_OK);
    only_changed(&b, 10, 18, "\1", 1);
    assert_int_equal(edit(&b, SCN_FIELD_SP, OCTETS("")), IBK_OK);
    only_changed(&b, 105, 8, "\0\0", 2);
    assert_int_equal(edit(&b, SCN_FIELD_IBAKE, HOW(RANDOM)), IBK_OK);
    only_changed(&b, 116, 285, b.out.data + 116, 285);
    assert_memory_not_equal(b.out.data + 116, b.s.seen.mikey.data + 116, 285);
    assert_int_equal(edit(&b, SCN_FIELD_ESK, HOW(ZERO)), IBK_OK);
    assert_int_equal(b.out.data[404], 0);
    assert_int_equal(edit(&b, SCN_FIELD_MAC, HOW(FLIP)), IBK_ERR_MISSING_PAYLOAD);
    assert_int_equal(edit(&b, SCN_FIELD_SDP_IDS, HOW(FLIP)), IBK_ERR_MISSING_PAYLOAD);
    end(&b);
}

static void identities(void **state) {
    (void)state;
    static char long_text[LONG_TEXT];
    bench b;
    begin(&b, "i_message_1");
    assert_int_equal(
        edit(&b, SCN_FIELD_IDRR, (scn_edit_value){.how = SCN_EDIT_TEXT, .octets = ibk_span_str("sip:eve@e")}),
        IBK_OK);
    only_changed(&b, 83, 19, "\0\x09sip:eve@e", 11);
    assert_int_equal(
        edit(&b, SCN_FIELD_IDRI,
             (scn_edit_value){.how = SCN_EDIT_OCTETS, .octets = ibk_span_of(long_text, LONG_TEXT)}),
        IBK_ERR_LIMIT);
    assert_int_equal(b.out.len, 0);
    ibk_buf_clear(&b.out);
    assert_int_equal(edit_identity(&b.out, &b.s.seen, SCN_FIELD_IDRI, ibk_span_str("eve@e")), IBK_OK);
    only_changed(&b, 58, 22, "\0\0\5eve@e", 8); /* a NAI now */
    ibk_buf_clear(&b.out);
    assert_int_equal(edit_swap_identities(&b.out, &b.s.seen), IBK_OK);
    static const char swapped[] = "\1\0\x11sip:bob@b.example\x0A\2\1\0\x13sip:alice@a.example";
    only_changed(&b, 58, 44, swapped, sizeof swapped - 1);
    end(&b);
}

static void the_mac_of_v(void **state) {
    (void)state;
    bench b;
    begin(&b, "r_message_2");
    edit_to_octet(&b, SCN_FIELD_MAC, HOW(FLIP), b.s.seen.mikey.len - 1,
                  b.s.seen.mikey.data[b.s.seen.mikey.len - 1] ^ 1);
    assert_int_equal(edit(&b, SCN_FIELD_SDP_IDS, HOW(ZERO)), IBK_OK);
    assert_int_equal(b.out.data[24], 0);
    assert_int_equal(edit(&b, SCN_FIELD_IBAKE, HOW(ZERO)), IBK_ERR_MISSING_PAYLOAD);
    end(&b);
}

static void parts_of_the_ciphertext(void **state) {
    (void)state;
    bench b;
    begin(&b, "i_message_1");
    uint8_t *old = b.s.seen.mikey.data;
    edit_to_octet(&b, SCN_FIELD_U, HOW(FLIP), 258, old[258] ^ 1);
    edit_to_octet(&b, SCN_FIELD_V_OF_IBE, HOW(FLIP), 280, old[280] ^ 1);
    edit_to_octet(&b, SCN_FIELD_W, HOW(FLIP), 400, old[400] ^ 1);
    edit_to_octet(&b, SCN_FIELD_W, XOR("\x81", 117), 400, old[400] ^ 0x81);
    edit_to_octet(&b, SCN_FIELD_W, XOR("\x81", 0), 283, old[283] ^ 0x81);
    assert_int_equal(edit(&b, SCN_FIELD_W, XOR("\1\1", 117)), IBK_ERR_LIMIT);
    assert_int_equal(edit(&b, SCN_FIELD_W, XOR("\1", UINT64_MAX)), IBK_ERR_LIMIT);
    assert_int_equal(edit(&b, SCN_FIELD_W, HOW(RANDOM)), IBK_OK);
    only_changed(&b, 283, 118, b.out.data + 283, 118);
    assert_int_equal(edit(&b, SCN_FIELD_U, OCTETS("\1\2")), IBK_OK);
    ibk_msg msg = {0};
    ibk_ibe_ciphertext ct;
    assert_int_equal(ibk_msg_parse(&msg, ibk_buf_span(&b.out), NULL), IBK_OK);
    assert_int_equal(ibk_ibe_ciphertext_parse(&ct, ibk_msg_find(&msg, IBK_PL_IBAKE, 0)->enc.data, NULL),
                     IBK_OK);
    assert_true(ibk_span_equal(ct.ux, ibk_span_of("\1", 1)) && ibk_span_equal(ct.uy, ibk_span_of("\2", 1)));
    assert_int_equal(ct.w.len, 118);
    ibk_msg_free(&msg);
    end(&b);
}

/* ---- the chain
 * ------------------------------------------------------------------------------------------------
 */

static size_t payloads(const bench *b) {
    ibk_msg msg = {0};
    assert_int_equal(ibk_msg_parse(&msg, ibk_buf_span(&b->out), NULL), IBK_OK);
    size_t count = msg.chain.count;
    ibk_msg_free(&msg);
    return count;
}

static void payloads_go(void **state) {
    (void)state;
    bench b;
    begin(&b, "i_message_1");
    size_t count = b.s.seen.msg.chain.count;
    assert_int_equal(edit_remove_payload(&b.out, &b.s.seen, IBK_PL_T, 1), IBK_OK); /* after HDR */
    assert_int_equal(payloads(&b), count - 1);
    assert_int_equal(b.out.data[2], IBK_PL_RAND);
    ibk_buf_clear(&b.out);
    assert_int_equal(edit_remove_payload(&b.out, &b.s.seen, IBK_PL_IDR, 2), IBK_OK);
    assert_int_equal(payloads(&b), count - 1);
    assert_int_equal(b.out.data[56], IBK_PL_SP); /* next payload of IDRi */
    ibk_buf_clear(&b.out);
    assert_int_equal(edit_remove_payload(&b.out, &b.s.seen, IBK_PL_ESK, 1), IBK_OK); /* the last one */
    assert_int_equal(payloads(&b), count - 1);
    assert_int_equal(b.out.data[113], IBK_PL_LAST);
    ibk_buf_clear(&b.out);
    assert_int_equal(edit_remove_payload(&b.out, &b.s.seen, IBK_PL_IDR, 3), IBK_ERR_MISSING_PAYLOAD);
    assert_int_equal(edit_remove_payload(&b.out, &b.s.seen, IBK_PL_V, 1), IBK_ERR_MISSING_PAYLOAD);
    assert_int_equal(b.out.len, 0);
    end(&b);
}

static void payloads_come(void **state) {
    (void)state;
    static const uint8_t sp = IBK_PL_SP, v = IBK_PL_V;
    bench b;
    begin(&b, "i_message_1");
    size_t count = b.s.seen.msg.chain.count;
    ibk_span rest = ibk_span_of("\0\0\1x", 4); /* of a General Extension: vendor ID, length 1 */
    assert_int_equal(edit_add_payload(&b.out, &b.s.seen, IBK_PL_EXT, rest, &sp), IBK_OK);
    assert_int_equal(payloads(&b), count + 1);
    assert_memory_equal(b.out.data + 102, "\x0A\0\0\1x", 5);
    assert_int_equal(b.out.data[80], IBK_PL_EXT);
    ibk_buf_clear(&b.out);
    assert_int_equal(edit_add_payload(&b.out, &b.s.seen, IBK_PL_EXT, rest, NULL), IBK_OK);
    assert_int_equal(payloads(&b), count + 1);
    assert_memory_equal(b.out.data + b.out.len - 5, "\0\0\0\1x", 5);
    ibk_buf_clear(&b.out);
    assert_int_equal(edit_add_payload(&b.out, &b.s.seen, IBK_PL_EXT, rest, &v), IBK_ERR_MISSING_PAYLOAD);
    end(&b);
    begin(&b, "r_message_2");
    assert_int_equal(edit_add_payload(&b.out, &b.s.seen, IBK_PL_EXT, rest, NULL), IBK_OK); /* before V */
    assert_int_equal(payloads(&b), b.s.seen.msg.chain.count + 1);
    assert_memory_equal(b.out.data + 31, "\x09\0\0\1x", 5);
    end(&b);
}

/* ---- SIP and HTTP
 * -----------------------------------------------------------------------------------------------
 */

static void becomes(bench *b, sample *after, ibk_err err) {
    assert_int_equal(err, IBK_OK);
    sample_see(after, TAP_SIP, ibk_buf_span(&b->out));
    assert_true(after->seen.sip);
    assert_int_equal(after->seen.header.len + after->seen.body.len, b->out.len); /* Content-Length is right */
}

static bool holds(const bench *b, const char *text) {
    return memmem(b->out.data, b->out.len, text, strlen(text)) != NULL;
}

static void mikey_is_put_back(void **state) {
    (void)state;
    ibk_buf other = sample_mikey("r_message_2");
    bench b;
    sample after;
    begin(&b, "i_message_1");
    becomes(&b, &after, edit_put_mikey(&b.out, &b.s.seen, ibk_buf_span(&b.s.seen.mikey)));
    assert_true(ibk_span_equal(ibk_buf_span(&b.out), ibk_buf_span(&b.before)));
    seen_clear(&after.seen);
    ibk_buf_clear(&b.out);
    becomes(&b, &after, edit_put_mikey(&b.out, &b.s.seen, ibk_buf_span(&other)));
    assert_true(ibk_span_equal(ibk_buf_span(&after.seen.mikey), ibk_buf_span(&other)));
    assert_true(holds(&b, "m=audio 40000 RTP/SAVP 0\r\na=rtpmap:0 PCMU/8000\r\n"));
    assert_true(b.out.len < b.before.len);
    seen_clear(&after.seen);
    end(&b);
    begin(&b, NULL);
    assert_int_equal(edit_put_mikey(&b.out, &b.s.seen, ibk_buf_span(&other)), IBK_ERR_MISSING_PAYLOAD);
    end(&b);
    ibk_buf_free(&other);
}

static void mikey_in_http(void **state) {
    (void)state;
    ibk_buf octets = sample_http("request_key_psk"), other = sample_mikey("r_message_2"), out = {0};
    sample s, after;
    sample_see(&s, TAP_HTTP, ibk_buf_span(&octets));
    assert_int_equal(edit_put_mikey(&out, &s.seen, ibk_buf_span(&other)), IBK_OK);
    sample_see(&after, TAP_HTTP, ibk_buf_span(&out));
    assert_true(ibk_span_equal(ibk_buf_span(&after.seen.mikey), ibk_buf_span(&other)));
    assert_int_equal(after.seen.body.len, other.len);
    seen_clear(&s.seen);
    seen_clear(&after.seen);
    ibk_buf_free(&octets);
    ibk_buf_free(&other);
    ibk_buf_free(&out);
}

static void key_mgmt_is_stripped(void **state) {
    (void)state;
    bench b;
    sample after;
    begin(&b, "i_message_1");
    becomes(&b, &after, edit_strip_key_mgmt(&b.out, &b.s.seen));
    assert_false(after.seen.has_mikey || holds(&b, "key-mgmt"));
    assert_true(holds(&b, "t=0 0\r\nm=audio"));
    seen_clear(&after.seen);
    end(&b);
    begin(&b, NULL);
    assert_int_equal(edit_strip_key_mgmt(&b.out, &b.s.seen), IBK_ERR_MISSING_PAYLOAD);
    end(&b);
}

static void headers(void **state) {
    (void)state;
    bench b;
    sample after;
    begin(&b, "i_message_1");
    becomes(&b, &after, edit_header(&b.out, &b.s.seen, "SUBJECT", "three")); /* both become one */
    assert_true(holds(&b, ";q=1\r\nSUBJECT: three\r\nContent-Type:"));
    seen_clear(&after.seen);
    ibk_buf_clear(&b.out);
    becomes(&b, &after, edit_header(&b.out, &b.s.seen, "Reason", "new"));
    assert_true(holds(&b, "\r\nReason: new\r\n\r\nv=0"));
    seen_clear(&after.seen);
    ibk_buf_clear(&b.out);
    becomes(&b, &after, edit_contact(&b.out, &b.s.seen, "sip:mallory@10.0.0.66"));
    assert_true(holds(&b, "m: \"A <b>\" <sip:mallory@10.0.0.66>;q=1\r\n"));
    seen_clear(&after.seen);
    ibk_buf_clear(&b.out);
    assert_int_equal(edit_header(&b.out, &b.s.seen, "Content-Length", "5"),
                     IBK_OK); /* a lie, as it was told */
    assert_true(holds(&b, "Content-Length: 5\r\n"));
    end(&b);
}

static void contacts_without_brackets(void **state) {
    (void)state;
    static const char text[] = "INVITE sip:b@x SIP/2.0\r\nContact: sip:a@y;q=1\r\n\r\n";
    static const char none[] = "INVITE sip:b@x SIP/2.0\r\nVia: x\r\n\r\n";
    ibk_buf out = {0};
    sample s;
    sample_see(&s, TAP_SIP, ibk_span_str(text));
    assert_int_equal(edit_contact(&out, &s.seen, "sip:m@z"), IBK_OK);
    assert_true(ibk_span_equal(ibk_buf_span(&out),
                               ibk_span_str("INVITE sip:b@x SIP/2.0\r\nContact: sip:m@z;q=1\r\n\r\n")));
    seen_clear(&s.seen);
    sample_see(&s, TAP_SIP, ibk_span_str(none));
    assert_int_equal(edit_contact(&out, &s.seen, "sip:m@z"), IBK_ERR_MISSING_PAYLOAD);
    seen_clear(&s.seen);
    ibk_buf_free(&out);
}

static void text_is_replaced(void **state) {
    (void)state;
    bench b;
    sample after;
    begin(&b, "i_message_1");
    becomes(&b, &after, edit_text(&b.out, &b.s.seen, "10.0.0.17", "fd00::1"));
    assert_true(holds(&b, "Via: SIP/2.0/UDP fd00::1:5060") && holds(&b, "c=IN IP4 fd00::1\r\n"));
    assert_false(holds(&b, "10.0.0.17"));
    assert_true(after.seen.parsed);
    seen_clear(&after.seen);
    ibk_buf_clear(&b.out);
    assert_int_equal(edit_text(&b.out, &b.s.seen, "nowhere", "x"), IBK_ERR_MISSING_PAYLOAD);
    assert_int_equal(b.out.len, 0);
    end(&b);
}

/* A body without Content-Length gets one; what cannot be read is not edited. */
static void odd_messages(void **state) {
    (void)state;
    static const char text[] = "INVITE sip:b@x SIP/2.0\r\nContent-Type: application/sdp\r\n\r\nv=0\r\n";
    static const uint8_t junk[] = {0x80, 1, 2};
    ibk_buf out = {0};
    sample s;
    sample_see(&s, TAP_SIP, ibk_span_str(text));
    assert_int_equal(edit_range(&out, &s.seen, (seen_range){s.seen.body.at, 3}, ibk_span_str("v=000")),
                     IBK_OK);
    assert_true(ibk_span_equal(ibk_buf_span(&out),
                               ibk_span_str("INVITE sip:b@x SIP/2.0\r\nContent-Type: "
                                            "application/sdp\r\nContent-Length: 7\r\n\r\nv=000\r\n")));
    seen_clear(&s.seen);
    ibk_buf_clear(&out);
    sample_see(&s, TAP_SIP, ibk_span_of(junk, sizeof junk));
    assert_int_equal(edit_text(&out, &s.seen, "\x80", "x"), IBK_ERR_MISSING_PAYLOAD);
    assert_int_equal(edit_header(&out, &s.seen, "Subject", "x"), IBK_ERR_MISSING_PAYLOAD);
    assert_int_equal(edit_range(&out, &s.seen, (seen_range){0, 1}, (ibk_span){0}), IBK_ERR_MISSING_PAYLOAD);
    seen_clear(&s.seen);
    ibk_buf_free(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(numbers_of_the_header),
        cmocka_unit_test(times_are_shifted),
        cmocka_unit_test(short_times),
        cmocka_unit_test(octets_of_payloads),
        cmocka_unit_test(identities),
        cmocka_unit_test(the_mac_of_v),
        cmocka_unit_test(parts_of_the_ciphertext),
        cmocka_unit_test(payloads_go),
        cmocka_unit_test(payloads_come),
        cmocka_unit_test(mikey_is_put_back),
        cmocka_unit_test(mikey_in_http),
        cmocka_unit_test(key_mgmt_is_stripped),
        cmocka_unit_test(headers),
        cmocka_unit_test(contacts_without_brackets),
        cmocka_unit_test(text_is_replaced),
        cmocka_unit_test(odd_messages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
