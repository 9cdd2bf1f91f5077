#include "mikey/samples.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static ibk_err parse_hex(ibk_srtp_policy *out, const char *hex, ibk_diag *diag) {
    ibk_buf params = unhex(hex);
    ibk_err err = ibk_srtp_policy_parse(out, &(ibk_sp){.params = ibk_buf_span(&params)}, diag);
    ibk_buf_free(&params);
    return err;
}

static void an_empty_policy_is_the_default_of_srtp(void **state) {
    (void)state;
    ibk_srtp_policy p;
    assert_int_equal(parse_hex(&p, "", NULL), IBK_OK);
    assert_true(p.present == 0 && p.encr_alg == IBK_SRTP_ENCR_AES_CM && p.encr_key_len == 16);
    assert_true(p.auth_alg == IBK_SRTP_AUTH_HMAC_SHA1 && p.auth_key_len == 20 && p.auth_tag_len == 10);
    assert_true(p.salt_key_len == 14 && p.srtp_encr && p.srtcp_encr && p.srtp_auth && p.kdr == 0);
}

static void every_parameter_is_read_and_written(void **state) {
    (void)state;
    static const char hex[] = "00 01 02  01 01 20  02 01 00  03 01 14  04 01 0C  05 01 00  06 04 01000000"
                              "07 01 00  08 01 00  09 01 00  0A 01 00  0B 01 04  0C 01 03";
    ibk_srtp_policy p;
    assert_int_equal(parse_hex(&p, hex, NULL), IBK_OK);
    assert_int_equal(p.present, 0x1FFF);
    assert_true(p.encr_alg == 2 && p.encr_key_len == 32 && p.auth_alg == 0 && p.salt_key_len == 12);
    assert_true(p.kdr == 1 << 24 && !p.srtp_encr && !p.srtcp_encr && !p.srtp_auth && p.auth_tag_len == 4);
    assert_int_equal(p.prefix_len, 3);
    ibk_buf out = {0}, want = unhex(hex);
    assert_int_equal(ibk_srtp_policy_write(&out, &p), IBK_OK);
    assert_true(ibk_span_equal(ibk_buf_span(&out), ibk_buf_span(&want)));
    ibk_buf_free(&out);
    ibk_buf_free(&want);
}

static void bad_parameters_are_refused(void **state) {
    (void)state;
    static const char *const bad[] = {"0D 01 00",   "00 01 01 00 01 01", "07 01 02",        "00 00",
                                      "0B 02 0100", "06 04 01000001",    "06 05 0000000001"};
    ibk_srtp_policy p;
    ibk_diag diag;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_int_equal(parse_hex(&p, bad[i], &diag), IBK_ERR_BAD_VALUE);
    assert_int_equal(parse_hex(&p, bad[1], &diag), IBK_ERR_BAD_VALUE);
    assert_int_equal(diag.offset, 3);
    assert_int_equal(ibk_srtp_policy_parse(&p, &(ibk_sp){.prot_type = 1}, &diag), IBK_ERR_UNSUPPORTED);
    ibk_buf out = {0};
    assert_int_equal(ibk_srtp_policy_write(&out, &(ibk_srtp_policy){.present = 1 << 13}), IBK_ERR_USAGE);
    p = (ibk_srtp_policy){.present = 1 << IBK_SRTP_KDR, .kdr = (1 << 24) + 1};
    assert_int_equal(ibk_srtp_policy_write(&out, &p), IBK_ERR_USAGE);
    ibk_buf_free(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_policy_is_the_default_of_srtp),
        cmocka_unit_test(every_parameter_is_read_and_written),
        cmocka_unit_test(bad_parameters_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
