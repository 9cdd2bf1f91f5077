#include "mikey/samples.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static void base64_test_vectors_of_rfc_4648(void **state) {
    (void)state;
    static const char *const vectors[][2] = {{"", ""},
                                             {"f", "Zg=="},
                                             {"fo", "Zm8="},
                                             {"foo", "Zm9v"},
                                             {"foob", "Zm9vYg=="},
                                             {"fooba", "Zm9vYmE="},
                                             {"foobar", "Zm9vYmFy"}};
    for (size_t i = 0; i < sizeof vectors / sizeof vectors[0]; i++) {
        ibk_buf text = {0}, octets = {0};
        assert_int_equal(ibk_base64_encode(&text, ibk_span_str(vectors[i][0])), IBK_OK);
        assert_true(ibk_span_equal(ibk_buf_span(&text), ibk_span_str(vectors[i][1])));
        assert_int_equal(ibk_base64_decode(&octets, ibk_buf_span(&text), NULL), IBK_OK);
        assert_true(ibk_span_equal(ibk_buf_span(&octets), ibk_span_str(vectors[i][0])));
        ibk_buf_free(&text);
        ibk_buf_free(&octets);
    }
    ibk_buf text = {0}, octets = {0};
    assert_int_equal(ibk_base64_encode(&text, pattern(0, 256)), IBK_OK);
    assert_int_equal(ibk_base64_decode(&octets, ibk_buf_span(&text), NULL), IBK_OK);
    assert_true(ibk_span_equal(ibk_buf_span(&octets), pattern(0, 256)));
    ibk_buf_free(&text);
    ibk_buf_free(&octets);
}

static void bad_base64(const char *text, size_t offset) {
    ibk_buf out = {0};
    ibk_diag diag = {0};
    assert_int_equal(ibk_buf_append(&out, "x", 1), IBK_OK);
    assert_int_equal(ibk_base64_decode(&out, ibk_span_str(text), &diag), IBK_ERR_BAD_TEXT);
    assert_int_equal(diag.offset, offset);
    assert_int_equal(out.len, 1);
    ibk_buf_free(&out);
}

static void base64_is_strict(void **state) {
    (void)state;
    bad_base64("Zg", 2);
    bad_base64("Zg=", 3);
    bad_base64("Zg==Zg==", 2);
    bad_base64("Zh==", 1);
    bad_base64("Zm9=", 2);
    bad_base64("Zm9v Zg=", 4);
    bad_base64("Z===", 1);
    bad_base64("====", 0);
    bad_base64("Zm9v\nZg=", 4);
    bad_base64("Zm-_", 2);
}

static void the_attribute_goes_both_ways(void **state) {
    (void)state;
    ibk_buf value = {0}, message = {0};
    assert_int_equal(ibk_keymgmt_write(&value, ibk_span_str("foobar")), IBK_OK);
    assert_true(ibk_span_equal(ibk_buf_span(&value), ibk_span_str("mikey Zm9vYmFy")));
    assert_int_equal(ibk_keymgmt_parse(&message, ibk_buf_span(&value), NULL), IBK_OK);
    static const char *const lines[] = {"a=key-mgmt:mikey Zm9vYmFy", "a=key-mgmt:mikey Zm9vYmFy\n",
                                        "a=key-mgmt:mikey Zm9vYmFy\r\n"};
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(ibk_keymgmt_parse_line(&message, ibk_span_str(lines[i]), NULL), IBK_OK);
    assert_true(ibk_span_equal(ibk_buf_span(&message), ibk_span_str("foobarfoobarfoobarfoobar")));
    ibk_buf_free(&value);
    ibk_buf_free(&message);
}

static void bad_attributes_are_refused(void **state) {
    (void)state;
    static const struct {
        const char *line;
        ibk_err err;
        size_t offset;
    } bad[] = {
        {"", IBK_ERR_BAD_TEXT, 0},
        {"\r\n", IBK_ERR_BAD_TEXT, 0},
        {"a=key-mgmt", IBK_ERR_BAD_TEXT, 0},
        {"A=key-mgmt:mikey Zm9v", IBK_ERR_BAD_TEXT, 0},
        {"a=key-mgmt:mikey", IBK_ERR_BAD_TEXT, 16},
        {"a=key-mgmt:mikey ", IBK_ERR_BAD_TEXT, 17},
        {"a=key-mgmt:MIKEY Zm9v", IBK_ERR_UNSUPPORTED, 11}, /* RFC 4567 §3: case-sensitive */
        {"a=key-mgmt: mikey Zm9v", IBK_ERR_UNSUPPORTED, 11},
        {"a=key-mgmt:mikey  Zm9v", IBK_ERR_BAD_TEXT, 22},
        {"a=key-mgmt:mikey Zm9v ", IBK_ERR_BAD_TEXT, 22},
        {"a=key-mgmt:mikey Zm*v", IBK_ERR_BAD_TEXT, 19},
        {"a=key-mgmt:mikey Zm9v\r", IBK_ERR_BAD_TEXT, 22},
    };
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        ibk_buf out = {0};
        ibk_diag diag = {0};
        ibk_err err = ibk_keymgmt_parse_line(&out, ibk_span_str(bad[i].line), &diag);
        if (err != bad[i].err || diag.offset != bad[i].offset)
            fail_msg("%s: %s at %zu", bad[i].line, ibk_err_name(err), diag.offset);
        assert_int_equal(out.len, 0);
        ibk_buf_free(&out);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(base64_test_vectors_of_rfc_4648),
        cmocka_unit_test(base64_is_strict),
        cmocka_unit_test(the_attribute_goes_both_ways),
        cmocka_unit_test(bad_attributes_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
