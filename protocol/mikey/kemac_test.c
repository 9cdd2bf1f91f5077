/* KEMAC encryption: AES-CM against RFC 3711 §B.2, AES key wrap against RFC 3394 §4.1. */
#include "mikey/samples.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static ibk_msg_keys keys_of(const char *encr, const char *salt) {
    ibk_msg_keys keys = {0};
    ibk_buf e = unhex(encr), s = unhex(salt);
    memcpy(keys.encr, e.data, e.len);
    memcpy(keys.salt, s.data, s.len);
    keys.encr_len = e.len;
    ibk_buf_free(&e);
    ibk_buf_free(&s);
    return keys;
}

static void is_hex(const ibk_buf *got, const char *hex) {
    ibk_buf want = unhex(hex);
    assert_true(ibk_span_equal(ibk_buf_span(got), ibk_buf_span(&want)));
    ibk_buf_free(&want);
}

static const ibk_t zero = {IBK_TS_NTP_UTC, 0};
static const char kdf_key[] = "2B7E151628AED2A6ABF7158809CF4F3C";
static const char kdf_salt[] = "F0F1F2F3F4F5F6F7F8F9FAFBFCFD";
static const char keystream[] = "E03EAD0935C95E80E166B16DD92B4EB4D23513162B02D0F72A43A2FE4A5F97AB"
                                "41E95B3BB0A2E8DD477901E4FCA894C0";

static void counter_mode_of_rfc_3711(void **state) {
    (void)state;
    static const uint8_t plain[48];
    ibk_msg_keys keys = keys_of(kdf_key, kdf_salt);
    ibk_buf out = {0};
    ibk_span in = ibk_span_of(plain, sizeof plain);
    assert_int_equal(ibk_kemac_encrypt(&out, IBK_ENCR_AES_CM_128, &keys, 0, &zero, in), IBK_OK);
    is_hex(&out, keystream);
    ibk_buf_free(&out);
}

/* IV = salt XOR (0000 || CSB ID || T): a salt changed by the same octets gives the same key stream. */
static void the_iv_takes_csb_id_and_time(void **state) {
    (void)state;
    static const uint8_t plain[48];
    static const struct {
        ibk_t t;
        const char *salt;
    } cases[] = {
        {{IBK_TS_NTP_UTC, 0x0102030405060708}, "F0F1 CEC1 C4C7 F7F5 FBFD FFFD FBF5"},
        {{IBK_TS_COUNTER, 0x05060708}, "F0F1 CEC1 C4C7 F6F7 F8F9 FFFD FBF5"},
        {{IBK_TS_NTP_UTC_32, 0x01020304}, "F0F1 CEC1 C4C7 F7F5 FBFD FAFB FCFD"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ibk_msg_keys keys = keys_of(kdf_key, cases[i].salt);
        ibk_buf out = {0};
        ibk_span in = ibk_span_of(plain, sizeof plain);
        assert_int_equal(ibk_kemac_encrypt(&out, IBK_ENCR_AES_CM_128, &keys, 0x3C323032, &cases[i].t, in),
                         IBK_OK);
        is_hex(&out, keystream);
        ibk_buf_free(&out);
    }
}

static void counter_mode_with_256_bits(void **state) {
    (void)state;
    ibk_msg_keys keys = keys_of("603DEB1015CA71BE2B73AEF0857D77811F352C073B6108D72D9810A30914DFF4", kdf_salt);
    ibk_buf a = {0}, b = {0};
    assert_int_equal(ibk_kemac_encrypt(&a, IBK_ENCR_AES_CM_256, &keys, 5, &zero, pattern(0, 100)), IBK_OK);
    assert_int_equal(ibk_kemac_decrypt(&b, IBK_ENCR_AES_CM_256, &keys, 5, &zero, ibk_buf_span(&a)), IBK_OK);
    assert_true(ibk_span_equal(ibk_buf_span(&b), pattern(0, 100)));
    assert_false(ibk_span_equal(ibk_buf_span(&a), pattern(0, 100)));
    ibk_buf_free(&a);
    ibk_buf_free(&b);
    /* AES-256 of salt || 0000, computed with another library */
    keys = keys_of("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f",
                   "00112233445566778899aabbccdd");
    static const uint8_t nothing[16];
    assert_int_equal(ibk_kemac_encrypt(&a, IBK_ENCR_AES_CM_256, &keys, 0, &zero, ibk_span_of(nothing, 16)),
                     IBK_OK);
    is_hex(&a, "637964ef1df7b0150d2f7ce921860340");
    ibk_buf_free(&a);
}

static void key_wrap_of_rfc_3394(void **state) {
    (void)state;
    ibk_msg_keys keys = keys_of("000102030405060708090A0B0C0D0E0F", "A6A6A6A6A6A6A6A6");
    ibk_buf plain = unhex("00112233445566778899AABBCCDDEEFF"), out = {0}, back = {0};
    assert_int_equal(ibk_kemac_encrypt(&out, IBK_ENCR_AES_KW_128, &keys, 1, &zero, ibk_buf_span(&plain)),
                     IBK_OK);
    is_hex(&out, "1FA68B0A8112B447AEF34BD8FB5A7B829D3E862371D2CFE5");
    assert_int_equal(ibk_kemac_decrypt(&back, IBK_ENCR_AES_KW_128, &keys, 1, &zero, ibk_buf_span(&out)),
                     IBK_OK);
    assert_true(ibk_span_equal(ibk_buf_span(&back), ibk_buf_span(&plain)));
    keys.salt[0] ^= 1;
    assert_int_equal(ibk_kemac_decrypt(&back, IBK_ENCR_AES_KW_128, &keys, 1, &zero, ibk_buf_span(&out)),
                     IBK_ERR_DECRYPT);
    keys.salt[0] ^= 1;
    for (size_t i = 0; i < out.len; i++) {
        out.data[i] ^= 0x80;
        assert_int_equal(ibk_kemac_decrypt(&back, IBK_ENCR_AES_KW_128, &keys, 1, &zero, ibk_buf_span(&out)),
                         IBK_ERR_DECRYPT);
        out.data[i] ^= 0x80;
        assert_int_equal(
            ibk_kemac_decrypt(&back, IBK_ENCR_AES_KW_128, &keys, 1, &zero, ibk_span_of(out.data, i)),
            IBK_ERR_DECRYPT);
    }
    assert_int_equal(back.len, 16); /* failures left it alone */
    ibk_buf_free(&plain);
    ibk_buf_free(&out);
    ibk_buf_free(&back);
}

static void every_algorithm_goes_both_ways(void **state) {
    (void)state;
    for (uint8_t alg = 0; alg <= IBK_ENCR_AES_CM_256; alg++)
        for (size_t len = 0; len < 70; len++) {
            ibk_msg_keys keys = {.encr_len = ibk_encr_key_len(alg)};
            memcpy(keys.encr, pattern(7, 32).data, 32);
            ibk_buf a = {0}, b = {0};
            assert_int_equal(ibk_kemac_encrypt(&a, alg, &keys, 5, &zero, pattern(1, len)), IBK_OK);
            assert_int_equal(ibk_kemac_decrypt(&b, alg, &keys, 5, &zero, ibk_buf_span(&a)), IBK_OK);
            size_t padded = len < 16 ? 16 : (len + 7) / 8 * 8;
            assert_int_equal(b.len, alg == IBK_ENCR_AES_KW_128 ? padded : len);
            assert_true(ibk_span_equal(ibk_span_of(b.data, len), pattern(1, len)));
            for (size_t i = len; i < b.len; i++)
                assert_int_equal(b.data[i], 0);
            ibk_buf_free(&a);
            ibk_buf_free(&b);
        }
}

static void wrong_calls_are_refused(void **state) {
    (void)state;
    ibk_msg_keys keys = {.encr_len = 16};
    ibk_buf out = {0};
    assert_int_equal(ibk_kemac_encrypt(&out, 4, &keys, 1, &zero, pattern(0, 9)), IBK_ERR_UNSUPPORTED);
    assert_int_equal(ibk_kemac_decrypt(&out, 4, &keys, 1, &zero, pattern(0, 9)), IBK_ERR_UNSUPPORTED);
    assert_int_equal(ibk_kemac_encrypt(&out, IBK_ENCR_AES_CM_256, &keys, 1, &zero, pattern(0, 9)),
                     IBK_ERR_USAGE);
    assert_int_equal(out.len, 0);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(counter_mode_of_rfc_3711),       cmocka_unit_test(the_iv_takes_csb_id_and_time),
        cmocka_unit_test(counter_mode_with_256_bits),     cmocka_unit_test(key_wrap_of_rfc_3394),
        cmocka_unit_test(every_algorithm_goes_both_ways), cmocka_unit_test(wrong_calls_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
