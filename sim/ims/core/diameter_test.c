/* The Diameter codec: what is written is read, and nothing else is. */
#include "ims/core/diameter.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static const diameter_header sample_header = {.request = true,
                                              .proxiable = true,
                                              .command = DIAMETER_MAR,
                                              .application = CX_APPLICATION_ID,
                                              .hop_by_hop = 0x01020304,
                                              .end_to_end = 0xfffefdfc};

/* Texts of every length modulo 4, a number, a group in a group. */
static void write_sample(ibk_buf *out) {
    diameter_writer w;
    diameter_begin(&w, out, &sample_header);
    diameter_put_text(&w, AVP_SESSION_ID, "s");
    diameter_put_text(&w, AVP_USER_NAME, "bo");
    diameter_put_text(&w, AVP_ORIGIN_HOST, "hss");
    diameter_put_text(&w, AVP_DESTINATION_REALM, "home");
    diameter_put_text(&w, AVP_DESTINATION_HOST, NULL);
    diameter_put_text(&w, AVP_PRODUCT_NAME, "");
    diameter_put_u32(&w, AVP_RESULT_CODE, DIAMETER_SUCCESS);
    diameter_put_text(&w, AVP_PUBLIC_IDENTITY, "sip:bob@home.example");
    diameter_open(&w, AVP_SIP_AUTH_DATA_ITEM);
    diameter_open(&w, AVP_SIP_DIGEST_AUTHENTICATE);
    diameter_put_text(&w, AVP_DIGEST_REALM, "home.example");
    diameter_put_text(&w, AVP_DIGEST_HA1, "0123456789abcdef0123456789abcdef");
    diameter_close(&w);
    diameter_close(&w);
    assert_int_equal(diameter_end(&w), IBK_OK);
}

/* A copy of exactly `len` octets on the heap, so that ASan sees a read beyond its end. */
static uint8_t *exact_copy(const uint8_t *data, size_t len) {
    uint8_t *copy = malloc(len ? len : 1);
    assert_non_null(copy);
    memcpy(copy, data, len);
    return copy;
}

static void set_length(uint8_t *message, size_t len) {
    message[1] = (uint8_t)(len >> 16);
    message[2] = (uint8_t)(len >> 8);
    message[3] = (uint8_t)len;
}

static void test_round_trip(void **state) {
    (void)state;
    ibk_buf octets = {0};
    diameter_message m;
    diameter_avp item[DIAMETER_MAX_AVPS], digest[DIAMETER_MAX_AVPS];
    size_t items, digests;
    uint32_t number;
    char text[64];
    write_sample(&octets);
    assert_int_equal(octets.len % 4, 0);
    assert_int_equal(diameter_frame(ibk_buf_span(&octets)), octets.len);
    assert_int_equal(diameter_parse(&m, ibk_buf_span(&octets), NULL), IBK_OK);
    assert_true(m.header.request && m.header.proxiable && !m.header.error);
    assert_int_equal(m.header.command, sample_header.command);
    assert_int_equal(m.header.application, sample_header.application);
    assert_int_equal(m.header.hop_by_hop, sample_header.hop_by_hop);
    assert_int_equal(m.header.end_to_end, sample_header.end_to_end);
    assert_int_equal(m.avp_count, 8);
    assert_true(diameter_text(m.avp, m.avp_count, AVP_USER_NAME, text, sizeof text));
    assert_string_equal(text, "bo");
    assert_true(diameter_text(m.avp, m.avp_count, AVP_PRODUCT_NAME, text, sizeof text));
    assert_string_equal(text, "");
    assert_null(diameter_find(m.avp, m.avp_count, AVP_DESTINATION_HOST));
    assert_true(diameter_u32(m.avp, m.avp_count, AVP_RESULT_CODE, &number));
    assert_int_equal(number, DIAMETER_SUCCESS);
    assert_int_equal(diameter_result(&m), DIAMETER_SUCCESS);
    const diameter_avp *group = diameter_find(m.avp, m.avp_count, AVP_SIP_AUTH_DATA_ITEM);
    assert_non_null(group);
    assert_int_equal(group->vendor, DIAMETER_VENDOR_3GPP);
    assert_int_equal(diameter_group(item, &items, group->data, NULL), IBK_OK);
    assert_int_equal(items, 1);
    assert_int_equal(diameter_group(digest, &digests, item[0].data, NULL), IBK_OK);
    assert_int_equal(digests, 2);
    assert_true(diameter_text(digest, digests, AVP_DIGEST_REALM, text, sizeof text));
    assert_string_equal(text, "home.example");
    ibk_buf_free(&octets);
}

/* RFC 6733 §3, §4.1: the octets themselves, by hand. */
static void test_octets(void **state) {
    (void)state;
    static const uint8_t expected[] = {
        1, 0, 0, 0x30, 0xc0, 0, 1, 0x2f, 1,   0, 0,    0,    1, 2, 3, 4, 0xff, 0xfe, 0xfd, 0xfc, /* header */
        0, 0, 1, 7,    0x40, 0, 0, 9,    's', 0, 0,    0,                /* Session-Id */
        0, 0, 2, 0x5b, 0xc0, 0, 0, 0x10, 0,   0, 0x28, 0xaf, 0, 0, 0, 7, /* 3GPP's 603 */
    };
    ibk_buf octets = {0};
    diameter_writer w;
    diameter_header header = sample_header;
    diameter_begin(&w, &octets, &header);
    diameter_put_text(&w, AVP_SESSION_ID, "s");
    diameter_put_u32(&w, 603, 7);
    assert_int_equal(diameter_end(&w), IBK_OK);
    assert_int_equal(octets.len, sizeof expected);
    assert_memory_equal(octets.data, expected, sizeof expected);
    ibk_buf_free(&octets);
}

static void test_every_truncation(void **state) {
    (void)state;
    ibk_buf octets = {0};
    diameter_message m;
    write_sample(&octets);
    for (size_t len = 0; len < octets.len; len++) {
        uint8_t *copy = exact_copy(octets.data, len);
        ibk_diag diag = {0};
        ibk_err err = diameter_parse(&m, ibk_span_of(copy, len), &diag);
        assert_int_equal(ibk_err_category(err), IBK_CAT_WIRE);
        assert_int_equal(diag.err, err);
        size_t frame = diameter_frame(ibk_span_of(copy, len));
        assert_true(len < 4 ? frame == 0 : frame == octets.len);
        /* The same with a length field that fits: then an AVP must be found cut, unless the cut is between
         * two. */
        if (len >= DIAMETER_HEADER_LEN && len % 4 == 0) {
            set_length(copy, len);
            err = diameter_parse(&m, ibk_span_of(copy, len), NULL);
            assert_true(err == IBK_OK ? m.avp_count < 8 : ibk_err_category(err) == IBK_CAT_WIRE);
        }
        free(copy);
    }
    ibk_buf_free(&octets);
}

static void test_bad_lengths(void **state) {
    (void)state;
    static const size_t lengths[] = {0, 1, 7, 0xfffff0, 0xffffff};
    ibk_buf octets = {0};
    diameter_message m;
    ibk_diag diag;
    write_sample(&octets);
    for (size_t i = 0; i < sizeof lengths / sizeof lengths[0]; i++) {
        uint8_t *copy = exact_copy(octets.data, octets.len);
        set_length(copy + DIAMETER_HEADER_LEN + 4, lengths[i]); /* of the first AVP */
        assert_int_equal(diameter_parse(&m, ibk_span_of(copy, octets.len), &diag), IBK_ERR_BAD_LENGTH);
        assert_int_equal(diag.offset, DIAMETER_HEADER_LEN + 5);
        free(copy);
    }
    static const struct {
        uint8_t octets[4];
        size_t frame;
    } frames[] = {{{2, 0, 0, 20}, SIZE_MAX}, {{0, 0, 0, 20}, SIZE_MAX},
                  {{1, 0, 0, 16}, SIZE_MAX}, {{1, 0, 0, 22}, SIZE_MAX},
                  {{1, 1, 0, 4}, SIZE_MAX},  {{1, 0xff, 0xff, 0xfc}, SIZE_MAX},
                  {{1, 0, 0, 20}, 20},       {{1, 1, 0, 0}, DIAMETER_MAX_LEN}};
    for (size_t i = 0; i < sizeof frames / sizeof frames[0]; i++)
        assert_int_equal(diameter_frame(ibk_span_of(frames[i].octets, 4)), frames[i].frame);
    assert_int_equal(diameter_frame((ibk_span){0}), 0);
    assert_int_equal(diameter_frame(ibk_span_of("\2", 1)), SIZE_MAX); /* HTTP or the like: told at once */
    ibk_buf_free(&octets);
}

static void test_padding_is_demanded(void **state) {
    (void)state;
    /* An AVP of 9 octets in a group of 9: its 3 octets of padding are missing. */
    static const uint8_t group[] = {0, 0, 1, 7, 0x40, 0, 0, 9, 's'};
    diameter_avp avps[DIAMETER_MAX_AVPS];
    size_t count;
    assert_int_equal(diameter_group(avps, &count, ibk_span_of(group, sizeof group), NULL), IBK_ERR_TRUNCATED);
    assert_int_equal(diameter_group(avps, &count, (ibk_span){0}, NULL), IBK_OK);
    assert_int_equal(count, 0);
}

static void test_avp_limit(void **state) {
    (void)state;
    for (size_t n = DIAMETER_MAX_AVPS - 1; n <= DIAMETER_MAX_AVPS + 1; n++) {
        ibk_buf octets = {0};
        diameter_writer w;
        diameter_message m;
        diameter_begin(&w, &octets, &sample_header);
        for (size_t i = 0; i < n; i++)
            diameter_put_u32(&w, AVP_RESULT_CODE, (uint32_t)i);
        assert_int_equal(diameter_end(&w), IBK_OK);
        ibk_err err = diameter_parse(&m, ibk_buf_span(&octets), NULL);
        assert_int_equal(err, n > DIAMETER_MAX_AVPS ? IBK_ERR_LIMIT : IBK_OK);
        ibk_buf_free(&octets);
    }
}

static void test_writer_refuses(void **state) {
    (void)state;
    ibk_buf octets = {0}, large = {0};
    diameter_writer w;
    diameter_begin(&w, &octets, &sample_header); /* nested too deeply */
    for (int i = 0; i < 5; i++)
        diameter_open(&w, AVP_SIP_AUTH_DATA_ITEM);
    assert_int_equal(diameter_end(&w), IBK_ERR_LIMIT);
    diameter_begin(&w, &octets, &sample_header); /* closed without being open */
    diameter_close(&w);
    assert_int_equal(diameter_end(&w), IBK_ERR_USAGE);
    diameter_begin(&w, &octets, &sample_header); /* open at the end */
    diameter_open(&w, AVP_SIP_AUTH_DATA_ITEM);
    assert_int_equal(diameter_end(&w), IBK_ERR_USAGE);
    diameter_begin(&w, &octets, &sample_header); /* too long */
    assert_int_equal(ibk_buf_resize(&large, DIAMETER_MAX_LEN), IBK_OK);
    diameter_put(&w, AVP_SESSION_ID, ibk_buf_span(&large));
    assert_int_equal(diameter_end(&w), IBK_ERR_LIMIT);
    ibk_buf_free(&octets);
    ibk_buf_free(&large);
}

static void test_vendor_and_text(void **state) {
    (void)state;
    char text[4];
    uint32_t number;
    diameter_avp avps[] = {{.code = AVP_PUBLIC_IDENTITY, .vendor = 0, .data = ibk_span_of("abc", 3)},
                           {.code = AVP_USER_NAME, .data = ibk_span_of("abc", 3)},
                           {.code = AVP_ORIGIN_HOST, .data = ibk_span_of("abcd", 4)},
                           {.code = AVP_ORIGIN_REALM, .data = ibk_span_of("a\0c", 3)},
                           {.code = AVP_RESULT_CODE, .data = ibk_span_of("abc", 3)}};
    size_t n = sizeof avps / sizeof avps[0];
    assert_null(diameter_find(avps, n, AVP_PUBLIC_IDENTITY)); /* 601 of another vendor is another AVP */
    assert_true(diameter_text(avps, n, AVP_USER_NAME, text, sizeof text));
    assert_false(diameter_text(avps, n, AVP_ORIGIN_HOST, text, sizeof text));  /* no room for the zero */
    assert_false(diameter_text(avps, n, AVP_ORIGIN_REALM, text, sizeof text)); /* a zero inside */
    assert_false(diameter_text(avps, n, AVP_SESSION_ID, text, sizeof text));
    assert_false(diameter_u32(avps, n, AVP_RESULT_CODE, &number));
}

/* No single changed octet makes the reader read outside (ASan watches) or accept more than it was given. */
static void test_single_octet_mutations(void **state) {
    (void)state;
    ibk_buf octets = {0};
    write_sample(&octets);
    for (size_t at = 0; at < octets.len; at++) {
        for (unsigned value = 0; value < 256; value++) {
            uint8_t *copy = exact_copy(octets.data, octets.len);
            diameter_message m = {0};
            diameter_avp inner[DIAMETER_MAX_AVPS];
            size_t count;
            copy[at] = (uint8_t)value;
            if (diameter_parse(&m, ibk_span_of(copy, octets.len), NULL) == IBK_OK) {
                for (size_t i = 0; i < m.avp_count; i++) {
                    assert_true(m.avp[i].data.data >= copy);
                    assert_true(m.avp[i].data.data + m.avp[i].data.len <= copy + octets.len);
                    (void)diameter_group(inner, &count, m.avp[i].data, NULL);
                }
                (void)diameter_result(&m);
            }
            free(copy);
        }
    }
    ibk_buf_free(&octets);
}

static void test_result_codes(void **state) {
    (void)state;
    ibk_buf octets = {0};
    diameter_writer w;
    diameter_message m;
    diameter_begin(&w, &octets, &sample_header);
    diameter_open(&w, AVP_EXPERIMENTAL_RESULT);
    diameter_put_u32(&w, AVP_VENDOR_ID, DIAMETER_VENDOR_3GPP);
    diameter_put_u32(&w, AVP_EXPERIMENTAL_RESULT_CODE, CX_ERROR_USER_UNKNOWN);
    diameter_close(&w);
    assert_int_equal(diameter_end(&w), IBK_OK);
    assert_int_equal(diameter_parse(&m, ibk_buf_span(&octets), NULL), IBK_OK);
    assert_int_equal(diameter_result(&m), CX_ERROR_USER_UNKNOWN);
    ibk_buf_clear(&octets);
    diameter_begin(&w, &octets, &sample_header);
    assert_int_equal(diameter_end(&w), IBK_OK);
    assert_int_equal(diameter_parse(&m, ibk_buf_span(&octets), NULL), IBK_OK);
    assert_int_equal(diameter_result(&m), 0);
    ibk_buf_free(&octets);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip),          cmocka_unit_test(test_octets),
        cmocka_unit_test(test_every_truncation),    cmocka_unit_test(test_bad_lengths),
        cmocka_unit_test(test_padding_is_demanded), cmocka_unit_test(test_avp_limit),
        cmocka_unit_test(test_writer_refuses),      cmocka_unit_test(test_vendor_and_text),
        cmocka_unit_test(test_result_codes),        cmocka_unit_test(test_single_octet_mutations),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
