#include "mikey/samples.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const char octets_without_esk[] = "01 16 05 80 00000007 00 01"
                                         "0E 02 00000005"
                                         "09 01 01 0001 61"
                                         "00 01";

/* HDR, T, IDR [, ESK], V with HMAC-SHA-1 */
static ibk_msg message(bool with_esk) {
    ibk_msg m = {
        .hdr = {.data_type = IBK_MSG_I_MESSAGE_1, .v_flag = true, .csb_id = 7, .map_type = IBK_MAP_EMPTY}};
    ibk_add_t(&m.chain, &(ibk_t){IBK_TS_COUNTER, 5});
    ibk_add_idr(&m.chain, IBK_ROLE_I, IBK_ID_URI, ibk_span_str("a"));
    if (with_esk)
        ibk_add_enc(&m.chain, IBK_PL_ESK, pattern(1, 9));
    ibk_add_v(&m.chain, IBK_MAC_HMAC_SHA1_160);
    return m;
}

static void coverage_is_the_message_to_the_mac_and_the_identities(void **state) {
    (void)state;
    ibk_span ids[2] = {ibk_span_str("alice"), ibk_span_str("bob")};
    for (int with_esk = 0; with_esk < 2; with_esk++) {
        ibk_msg m = message(with_esk != 0);
        ibk_buf covered = {0}, want = unhex(octets_without_esk);
        assert_int_equal(ibk_buf_append(&want, "alicebob", 8), IBK_OK);
        assert_int_equal(ibk_msg_covered(&covered, &m, ids, 2), IBK_OK);
        assert_true(ibk_span_equal(ibk_buf_span(&covered), ibk_buf_span(&want)));
        ibk_buf_free(&covered);
        ibk_buf_free(&want);
        ibk_msg_free(&m);
    }
}

static void a_written_v_verifies_and_nothing_else_does(void **state) {
    (void)state;
    ibk_span ids[2] = {ibk_span_str("alice"), ibk_span_str("bob")}, swapped[2] = {ids[1], ids[0]};
    ibk_span key = pattern(1, 20);
    ibk_msg m = message(true), got = {0};
    ibk_buf out = {0};
    assert_int_equal(ibk_msg_write_v(&m, &out, key, ids, 2), IBK_OK);
    assert_int_equal(ibk_msg_parse(&got, ibk_buf_span(&out), NULL), IBK_OK);
    assert_int_equal(ibk_msg_check_v(&got, key, ids, 2, false, NULL), IBK_OK);
    assert_int_equal(ibk_msg_check_v(&got, pattern(2, 20), ids, 2, false, NULL), IBK_ERR_BAD_MAC);
    assert_int_equal(ibk_msg_check_v(&got, key, swapped, 2, false, NULL), IBK_ERR_BAD_MAC);
    assert_int_equal(ibk_msg_check_v(&got, key, ids, 1, false, NULL), IBK_ERR_BAD_MAC);
    assert_int_equal(ibk_msg_check_v(&got, pattern(1, 32), ids, 2, false, NULL), IBK_ERR_USAGE);

    const ibk_payload *esk = ibk_msg_find(&got, IBK_PL_ESK, 0);
    size_t esk_at = esk->offset, esk_end = esk->offset + esk->octets.len;
    ibk_msg_free(&got);
    for (size_t i = 0; i < out.len; i++) {
        out.data[i] ^= 1;
        ibk_diag diag;
        if (ibk_msg_parse(&got, ibk_buf_span(&out), NULL) == IBK_OK) {
            bool is_esk_data = i >= esk_at + 3 && i < esk_end; /* RFC 6267 §5.4: not covered */
            ibk_err err = ibk_msg_check_v(&got, key, ids, 2, false, &diag);
            assert_true(is_esk_data ? err == IBK_OK : err != IBK_OK);
        }
        ibk_msg_free(&got);
        out.data[i] ^= 1;
    }
    ibk_msg_free(&m);
    ibk_buf_free(&out);
}

static void an_esk_may_be_stripped(void **state) {
    (void)state;
    ibk_span id = ibk_span_str("alice"), key = pattern(1, 20);
    ibk_msg m = message(true), got = {0}, less;
    ibk_buf out = {0}, stripped = {0};
    assert_int_equal(ibk_msg_write_v(&m, &out, key, &id, 1), IBK_OK);
    assert_int_equal(ibk_msg_parse(&got, ibk_buf_span(&out), NULL), IBK_OK);
    less = message(false);
    less.chain.items[less.chain.count - 1] = *ibk_msg_find(&got, IBK_PL_V, 0);
    assert_int_equal(ibk_msg_write(&less, &stripped), IBK_OK);
    ibk_msg_free(&less);
    assert_int_equal(ibk_msg_parse(&less, ibk_buf_span(&stripped), NULL), IBK_OK);
    assert_int_equal(ibk_msg_check_v(&less, key, &id, 1, false, NULL), IBK_OK);
    ibk_msg_free(&less);
    ibk_msg_free(&got);
    ibk_msg_free(&m);
    ibk_buf_free(&out);
    ibk_buf_free(&stripped);
}

static void no_v_and_the_null_mac(void **state) {
    (void)state;
    ibk_msg m = {.hdr = {.data_type = IBK_MSG_ERROR, .map_type = IBK_MAP_EMPTY}};
    ibk_buf out = {0};
    ibk_diag diag;
    assert_int_equal(ibk_msg_check_v(&m, pattern(0, 20), NULL, 0, true, &diag), IBK_ERR_MISSING_PAYLOAD);
    assert_int_equal(ibk_msg_covered(&out, &m, NULL, 0), IBK_ERR_USAGE);
    assert_int_equal(ibk_msg_write_v(&m, &out, pattern(0, 20), NULL, 0), IBK_ERR_USAGE);
    ibk_add_v(&m.chain, IBK_MAC_NULL);
    assert_int_equal(ibk_msg_check_v(&m, (ibk_span){0}, NULL, 0, false, &diag), IBK_ERR_BAD_MAC);
    assert_int_equal(ibk_msg_check_v(&m, (ibk_span){0}, NULL, 0, true, &diag), IBK_OK);
    assert_int_equal(ibk_msg_write_v(&m, &out, (ibk_span){0}, NULL, 0), IBK_OK);
    ibk_buf_free(&out);
    ibk_msg_free(&m);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(coverage_is_the_message_to_the_mac_and_the_identities),
        cmocka_unit_test(a_written_v_verifies_and_nothing_else_does),
        cmocka_unit_test(an_esk_may_be_stripped),
        cmocka_unit_test(no_v_and_the_null_mac),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
