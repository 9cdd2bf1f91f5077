/* Layouts against octets written by hand, and what each payload refuses. */
#include "mikey/samples.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* HDR of an Error message without map, 10 octets; %s: type of the first payload */
#define HDR(next) "01 06 " next " 00 00000001 00 01 "

static ibk_err parse_hex(ibk_msg *m, ibk_buf *octets, const char *hex, ibk_diag *diag) {
    *octets = unhex(hex);
    return ibk_msg_parse(m, ibk_buf_span(octets), diag);
}

static void refuses(const char *hex, ibk_err want, const char *payload, size_t offset) {
    ibk_msg m = {0};
    ibk_buf octets;
    ibk_diag diag = {0};
    ibk_err err = parse_hex(&m, &octets, hex, &diag);
    if (err != want || diag.offset != offset || !diag.payload || strcmp(diag.payload, payload) != 0)
        fail_msg("%s: %s, %s at %zu", hex, ibk_err_name(err), diag.payload, diag.offset);
    assert_null(m.chain.items);
    ibk_buf_free(&octets);
}

static void inner_refuses(uint8_t container, const char *hex, ibk_err want, const char *payload,
                          size_t offset) {
    ibk_chain c = {0};
    ibk_buf octets = unhex(hex);
    ibk_diag diag = {0};
    ibk_err err = ibk_chain_parse(&c, container, IBK_PL_IDR, ibk_buf_span(&octets), &diag);
    if (err != want || diag.offset != offset || !diag.payload || strcmp(diag.payload, payload) != 0)
        fail_msg("%s: %s, %s at %zu", hex, ibk_err_name(err), diag.payload, diag.offset);
    assert_null(c.items);
    ibk_buf_free(&octets);
}

static void header_fields_stand_where_rfc_3830_puts_them(void **state) {
    (void)state;
    ibk_msg m = {0};
    ibk_buf octets;
    ibk_cs_srtp cs;
    const char *hex = "01 16 05 81 C5B1D001 01 00  07 DEADBEEF 00000002  0B 00 0102030405060708  00 10"
                      "000102030405060708090A0B0C0D0E0F";
    assert_int_equal(parse_hex(&m, &octets, hex, NULL), IBK_OK);
    assert_int_equal(m.hdr.data_type, IBK_MSG_I_MESSAGE_1);
    assert_true(m.hdr.v_flag && m.hdr.prf == IBK_PRF_HMAC_SHA256 && m.hdr.csb_id == 0xC5B1D001);
    assert_true(ibk_map_srtp(&m.hdr, 0, &cs) && cs.policy_no == 7 && cs.ssrc == 0xDEADBEEF && cs.roc == 2);
    ibk_cs_generic generic;
    assert_false(ibk_map_srtp(&m.hdr, 1, &cs) || ibk_map_generic(&m.hdr, 0, &generic));
    assert_int_equal(m.chain.count, 2);
    const ibk_payload *t = ibk_msg_find(&m, IBK_PL_T, 0), *rand = ibk_msg_find(&m, IBK_PL_RAND, 0);
    assert_true(t->t.ts_type == IBK_TS_NTP_UTC && t->t.value == 0x0102030405060708);
    assert_true(rand->rand.data.len == 16 && rand->offset == 29 && rand->octets.len == 18);
    assert_null(ibk_msg_find(&m, IBK_PL_T, 1));
    ibk_msg_free(&m);
    ibk_buf_free(&octets);
}

static void bad_headers_are_refused(void **state) {
    (void)state;
    refuses("", IBK_ERR_TRUNCATED, "HDR", 0);
    refuses("02 06 00 00 00000001 00 01", IBK_ERR_BAD_VERSION, "HDR", 0);
    refuses("01 1A 00 00 00000001 00 01", IBK_ERR_BAD_TYPE, "HDR", 1);
    refuses("01 06 00 00 00000001 00 03", IBK_ERR_BAD_VALUE, "HDR", 9);
    refuses("01 06 00 00 00000001 01 00 01", IBK_ERR_TRUNCATED, "HDR", 11);
    refuses(HDR("10"), IBK_ERR_BAD_TYPE, "next payload", 10); /* TP of RFC 6043: layout not ours */
    ibk_diag diag;
    ibk_msg m = {0};
    ibk_buf big = {0};
    assert_int_equal(ibk_buf_resize(&big, IBK_MIKEY_MAX_LEN + 1), IBK_OK);
    assert_int_equal(ibk_msg_parse(&m, ibk_buf_span(&big), &diag), IBK_ERR_LIMIT);
    ibk_buf_free(&big);
}

static void unknown_values_that_change_the_layout_are_refused(void **state) {
    (void)state;
    refuses(HDR("05") "00 04 00000000", IBK_ERR_BAD_VALUE, "T", 11);
    refuses(HDR("0D") "00 01 09 00000000", IBK_ERR_BAD_VALUE, "TR", 12);
    refuses(HDR("09") "00 03", IBK_ERR_BAD_VALUE, "V", 11);
    refuses(HDR("01") "00 00 0000 07", IBK_ERR_BAD_VALUE, "KEMAC", 14);
    refuses(HDR("08") "00 03", IBK_ERR_BAD_VALUE, "CHASH", 11);
    refuses(HDR("03") "00 03", IBK_ERR_BAD_VALUE, "DH", 11);
    refuses(HDR("0B") "00 00", IBK_ERR_BAD_LENGTH, "RAND", 11);
    refuses(HDR("0A") "00 01 00 0003 00 02 01", IBK_ERR_BAD_LENGTH, "SP", 13);
    refuses(HDR("0E") "00 01 01 FFFF 61", IBK_ERR_TRUNCATED, "IDR", 13);
}

static void unregistered_values_with_a_known_layout_are_kept(void **state) {
    (void)state;
    ibk_msg m = {0};
    ibk_buf octets, out = {0};
    assert_int_equal(parse_hex(&m, &octets,
                               "01 17 01 7F 00000000 00 01  0E 99 0001 AA 00  0C 55 66 0001 BB  00 EE FFFF",
                               NULL),
                     IBK_OK);
    assert_int_equal(m.hdr.prf, 0x7F);
    assert_int_equal(ibk_msg_find(&m, IBK_PL_KEMAC, 0)->kemac.encr_alg, 0x99);
    assert_int_equal(ibk_msg_find_idr(&m, 0x55, 0)->id.id_type, 0x66);
    assert_int_equal(ibk_msg_find(&m, IBK_PL_ERR, 0)->error.reserved, 0xFFFF);
    assert_int_equal(ibk_msg_write(&m, &out), IBK_OK);
    assert_true(ibk_span_equal(ibk_buf_span(&out), ibk_buf_span(&octets)));
    ibk_msg_free(&m);
    ibk_buf_free(&octets);
    ibk_buf_free(&out);
}

static void wrong_chains_are_refused(void **state) {
    (void)state;
    refuses(HDR("09") "05 00 00 00", IBK_ERR_BAD_CHAIN, "V", 10);
    refuses(HDR("04") "0001 AA BB", IBK_ERR_TRAILING, "message", 13);
    refuses(HDR("14") "00 00 0000", IBK_ERR_BAD_CHAIN, "Key data", 10);
    refuses(HDR("18") "00 10 0000", IBK_ERR_BAD_CHAIN, "SK", 10);
    refuses(HDR("19") "00 08", IBK_ERR_BAD_CHAIN, "ECCPT", 10);
    inner_refuses(IBK_PL_IBAKE, "18 01 01 0000", IBK_ERR_BAD_CHAIN, "SK", 5);
    inner_refuses(IBK_PL_ESK, "19 01 01 0000", IBK_ERR_BAD_CHAIN, "ECCPT", 5);
    inner_refuses(IBK_PL_KEMAC, "05 01 01 0000", IBK_ERR_BAD_CHAIN, "T", 5);
    inner_refuses(IBK_PL_IBAKE, "00 01 01 0000 00", IBK_ERR_TRAILING, "IBAKE", 5);
    ibk_chain c = {0};
    assert_int_equal(ibk_chain_parse(&c, IBK_PL_V, IBK_PL_IDR, (ibk_span){0}, NULL), IBK_ERR_USAGE);
    assert_int_equal(ibk_chain_parse(&c, IBK_PL_ESK, IBK_PL_IDR, pattern(0, 1), NULL), IBK_ERR_TRUNCATED);
}

static void too_many_payloads_are_refused(void **state) {
    (void)state;
    ibk_buf octets = unhex(HDR("0C"));
    for (size_t i = 0; i <= IBK_CHAIN_MAX; i++)
        assert_int_equal(ibk_buf_append(&octets, i < IBK_CHAIN_MAX ? "\x0c\0\0" : "\0\0\0", 4), IBK_OK);
    ibk_msg m = {0};
    ibk_diag diag;
    assert_int_equal(ibk_msg_parse(&m, ibk_buf_span(&octets), &diag), IBK_ERR_LIMIT);
    ibk_buf_free(&octets);

    ibk_buf out = {0};
    for (size_t i = 0; i <= IBK_CHAIN_MAX; i++)
        ibk_add_error(&m.chain, 0);
    m.hdr = (ibk_hdr){.data_type = IBK_MSG_ERROR, .map_type = IBK_MAP_EMPTY};
    assert_int_equal(ibk_msg_write(&m, &out), IBK_ERR_LIMIT);
    assert_int_equal(out.len, 0);
    ibk_buf_free(&out);
    ibk_msg_free(&m);
}

static void key_wrap_padding_is_accepted_and_checked(void **state) {
    (void)state;
    static const char sixteen[] = "00 01 01 0001 61 0000000000000000 0000";
    ibk_chain c = {0};
    ibk_buf octets = unhex(sixteen);
    assert_int_equal(ibk_chain_parse(&c, IBK_PL_KEMAC, IBK_PL_IDR, ibk_buf_span(&octets), NULL), IBK_OK);
    assert_true(c.count == 1 && c.padding == 10);
    ibk_buf out = {0};
    assert_int_equal(ibk_chain_write(&c, &out), IBK_OK);
    assert_true(ibk_span_equal(ibk_buf_span(&out), ibk_buf_span(&octets)));
    ibk_buf_free(&out);
    ibk_chain_free(&c);
    octets.data[15] = 1;
    assert_int_equal(ibk_chain_parse(&c, IBK_PL_KEMAC, IBK_PL_IDR, ibk_buf_span(&octets), NULL),
                     IBK_ERR_BAD_PADDING);
    ibk_buf_free(&octets);
    inner_refuses(IBK_PL_KEMAC, "00 01 01 0001 61 0000000000000000 0000 0000000000000000", IBK_ERR_TRAILING,
                  "KEMAC", 6);
    inner_refuses(IBK_PL_KEMAC, "00 01 01 0001 61 0000", IBK_ERR_TRAILING, "KEMAC", 6);
}

/* P-256: 2 + 65 octets, one of padding; then auth alg, TGK length, KV. */
#define IDR_FIRST "19 01 01 0000 "
#define FIELD     "0000000000000000000000000000000000000000000000000000000000000000"

static void points_have_the_layout_of_p_3(void **state) {
    (void)state;
    ibk_chain c = {0};
    ibk_buf octets = unhex(IDR_FIRST "00 08 04" FIELD FIELD "00 01 0020 91 02 AABB");
    assert_int_equal(ibk_chain_parse(&c, IBK_PL_IBAKE, IBK_PL_IDR, ibk_buf_span(&octets), NULL), IBK_OK);
    const ibk_eccpt *p = &ibk_chain_find(&c, IBK_PL_ECCPT, 0)->eccpt;
    assert_true(p->curve == IBK_EC_P256 && p->point.len == 65 && p->auth_alg == 1 && p->tgk_len == 32);
    assert_true(p->reserved == 9 && p->kv.type == IBK_KV_SPI && p->kv.spi.len == 2);
    ibk_chain_free(&c);
    ibk_buf_free(&octets);

    inner_refuses(IBK_PL_IBAKE, IDR_FIRST "00 08 04" FIELD FIELD "01 00 0000 00", IBK_ERR_BAD_PADDING,
                  "ECCPT", 72);
    inner_refuses(IBK_PL_IBAKE, IDR_FIRST "00 08 00", IBK_ERR_INFINITY, "ECCPT", 7);
    inner_refuses(IBK_PL_IBAKE, IDR_FIRST "00 08 06" FIELD, IBK_ERR_BAD_VALUE, "ECCPT", 7);
    inner_refuses(IBK_PL_IBAKE, IDR_FIRST "00 02 04", IBK_ERR_BAD_VALUE, "ECCPT", 6); /* B-163 */
    inner_refuses(IBK_PL_IBAKE, IDR_FIRST "00 08 02" FIELD "00 00 0000 03", IBK_ERR_BAD_VALUE, "ECCPT", 44);
    inner_refuses(IBK_PL_IBAKE, IDR_FIRST "00 08 02" FIELD "00 00 0000 02 00 01", IBK_ERR_TRUNCATED, "ECCPT",
                  46);
}

static void cannot_write(const ibk_payload *payload) {
    ibk_chain c = {0};
    ibk_buf out = {0};
    ibk_chain_add(&c, payload);
    if (ibk_chain_write(&c, &out) != IBK_ERR_USAGE)
        fail_msg("payload %u was written", payload->type);
    assert_int_equal(out.len, 0);
    ibk_buf_free(&out);
    ibk_chain_free(&c);
}

static void what_does_not_fit_is_not_written(void **state) {
    (void)state;
    static uint8_t big[65536];
    ibk_span huge = ibk_span_of(big, sizeof big), small = ibk_span_of(big, 5);
    cannot_write(&(ibk_payload){.type = IBK_PL_IDR, .id = {.data = huge}});
    cannot_write(&(ibk_payload){.type = IBK_PL_PKE, .pke = {.cache = 4}});
    cannot_write(&(ibk_payload){.type = IBK_PL_PKE, .pke = {.data = ibk_span_of(big, 16384)}});
    cannot_write(&(ibk_payload){.type = IBK_PL_SIGN, .sign = {.signature = ibk_span_of(big, 4096)}});
    cannot_write(&(ibk_payload){.type = IBK_PL_SIGN, .sign = {.sig_type = 16}});
    cannot_write(&(ibk_payload){.type = IBK_PL_T, .t = {IBK_TS_COUNTER, (uint64_t)1 << 32}});
    cannot_write(&(ibk_payload){.type = IBK_PL_T, .t = {9, 0}});
    cannot_write(&(ibk_payload){.type = IBK_PL_RAND});
    cannot_write(&(ibk_payload){.type = IBK_PL_SP, .sp = {.params = small}});
    cannot_write(&(ibk_payload){.type = IBK_PL_V, .v = {IBK_MAC_HMAC_SHA1_160, small}});
    cannot_write(&(ibk_payload){.type = IBK_PL_V, .v = {.mac_alg = 3}});
    cannot_write(&(ibk_payload){.type = IBK_PL_KEMAC, .kemac = {.mac_alg = 1, .mac = small}});
    cannot_write(&(ibk_payload){.type = IBK_PL_CHASH, .chash = {IBK_HASH_MD5, small}});
    cannot_write(&(ibk_payload){.type = IBK_PL_DH, .dh = {.value = small}});
    cannot_write(&(ibk_payload){.type = IBK_PL_KEY_DATA, .key = {.key_type = 0, .salt = small}});
    cannot_write(&(ibk_payload){.type = IBK_PL_KEY_DATA, .key = {.key_type = 8}});
    cannot_write(&(ibk_payload){.type = IBK_PL_SK, .key = {.key_type = 2}});
    cannot_write(&(ibk_payload){.type = IBK_PL_SK, .key = {.key_type = 1, .kv = {.type = 3}}});
    cannot_write(&(ibk_payload){.type = IBK_PL_ECCPT, .eccpt = {.curve = IBK_EC_P256, .point = small}});
    cannot_write(&(ibk_payload){.type = IBK_PL_ECCPT});
    cannot_write(&(ibk_payload){.type = 99});
}

static void wrong_messages_are_not_written(void **state) {
    (void)state;
    ibk_buf out = {0};
    ibk_msg m = {.hdr = {.data_type = IBK_MSG_ERROR, .map_type = IBK_MAP_EMPTY}};
    ibk_add_v(&m.chain, IBK_MAC_NULL);
    ibk_add_error(&m.chain, 0);
    assert_int_equal(ibk_msg_write(&m, &out), IBK_ERR_USAGE); /* something after V */
    m.chain.count = 0;
    ibk_add_sk(&m.chain, pattern(0, 16), NULL);
    assert_int_equal(ibk_msg_write(&m, &out), IBK_ERR_USAGE); /* a key in clear */
    m.chain.count = 0;
    m.hdr.n_cs = 1;
    m.hdr.map_type = IBK_MAP_SRTP_ID;
    assert_int_equal(ibk_msg_write(&m, &out), IBK_ERR_USAGE); /* a map without its entry */
    m.hdr = (ibk_hdr){.data_type = 26, .map_type = IBK_MAP_EMPTY};
    assert_int_equal(ibk_msg_write(&m, &out), IBK_ERR_USAGE);
    m.hdr = (ibk_hdr){.data_type = 6, .prf = 0x80, .map_type = IBK_MAP_EMPTY};
    assert_int_equal(ibk_msg_write(&m, &out), IBK_ERR_USAGE);
    m.hdr = (ibk_hdr){.data_type = 6, .map_type = 3};
    assert_int_equal(ibk_msg_write(&m, &out), IBK_ERR_USAGE);
    assert_int_equal(out.len, 0);
    ibk_msg_free(&m);
    ibk_msg_free(NULL);
    ibk_buf_free(&out);
}

static void maps_and_sessions(void **state) {
    (void)state;
    ibk_buf map = {0}, session = {0};
    ibk_srtp_session back, in = {0x11223344, true, 7, 8};
    assert_int_equal(ibk_srtp_session_write(&session, &in), IBK_OK);
    ibk_cs_generic cs = {9, IBK_PROT_SRTP, true, pattern(1, 3), ibk_buf_span(&session), pattern(4, 2)}, got;
    assert_int_equal(ibk_map_put_generic(&map, &cs), IBK_OK);
    ibk_buf want = unhex("09 00 83 010203 000A 11223344 00000007 0008 02 0405"); /* RFC 6043 §6.1.1 */
    assert_true(ibk_span_equal(ibk_buf_span(&map), ibk_buf_span(&want)));
    ibk_hdr hdr = {.n_cs = 1, .map_type = IBK_MAP_GENERIC_ID, .map = ibk_buf_span(&map)};
    assert_true(ibk_map_generic(&hdr, 0, &got) && got.cs_id == 9 && got.s_flag && got.policies.len == 3);
    assert_int_equal(ibk_srtp_session_parse(&back, &got), IBK_OK);
    assert_memory_equal(&back.seq, &in.seq, sizeof in.seq);
    assert_true(back.ssrc == in.ssrc && back.roc == in.roc && back.has_roc);
    got.s_flag = false;
    assert_int_equal(ibk_srtp_session_parse(&back, &got), IBK_ERR_BAD_LENGTH);
    got.prot_type = 3;
    assert_int_equal(ibk_srtp_session_parse(&back, &got), IBK_ERR_UNSUPPORTED);
    cs.policies = pattern(0, 128);
    assert_int_equal(ibk_map_put_generic(&map, &cs), IBK_ERR_USAGE);
    ibk_buf_free(&map);
    ibk_buf_free(&session);
    ibk_buf_free(&want);
}

static void names(void **state) {
    (void)state;
    assert_string_equal(ibk_msg_type_name(25), "R_MESSAGE_2");
    assert_string_equal(ibk_msg_type_name(26), "unknown");
    assert_string_equal(ibk_payload_name(0), "Last payload");
    assert_string_equal(ibk_payload_name(25), "ECCPT");
    assert_string_equal(ibk_payload_name(16), "unknown");
    assert_string_equal(ibk_ext_type_name(3), "Key ID");
    assert_string_equal(ibk_ext_type_name(2), "unknown");
    assert_string_equal(ibk_error_no_name(13), "unknown");
    assert_string_equal(ibk_error_no_name(15), "Invalid TPpar");
    assert_string_equal(ibk_ec_curve_name(14), "P-521");
    assert_string_equal(ibk_role_name(3), "KMS");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(header_fields_stand_where_rfc_3830_puts_them),
        cmocka_unit_test(bad_headers_are_refused),
        cmocka_unit_test(unknown_values_that_change_the_layout_are_refused),
        cmocka_unit_test(unregistered_values_with_a_known_layout_are_kept),
        cmocka_unit_test(wrong_chains_are_refused),
        cmocka_unit_test(too_many_payloads_are_refused),
        cmocka_unit_test(key_wrap_padding_is_accepted_and_checked),
        cmocka_unit_test(points_have_the_layout_of_p_3),
        cmocka_unit_test(what_does_not_fit_is_not_written),
        cmocka_unit_test(wrong_messages_are_not_written),
        cmocka_unit_test(maps_and_sessions),
        cmocka_unit_test(names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
