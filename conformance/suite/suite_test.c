/* The parts of the suite that judge: combinations, answers, claims, permissions, the look at messages. */
#include "conformance/suite/adapter.h"
#include "conformance/suite/cover.h"
#include "conformance/suite/suite.h"

#include <setjmp.h> /* cmocka.h needs these four before it */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

/* ---- combinations ---- */

static bool shown(suite_rows rows, size_t i, unsigned a, size_t j, unsigned b) {
    for (size_t r = 0; r < rows.count; r++)
        if (rows.rows[r][i] == a && rows.rows[r][j] == b)
            return true;
    return false;
}

static void test_pairs(void **state) {
    (void)state;
    static const unsigned values[] = {3, 5, 2, 2, 4, 2};
    suite_rows one = suite_cover(values, 6, 1), two = suite_cover(values, 6, 2),
               again = suite_cover(values, 6, 2), three = suite_cover(values, 6, 3);
    for (size_t i = 0; i < 6; i++)
        for (size_t j = 0; j < i; j++)
            for (unsigned a = 0; a < values[i]; a++)
                for (unsigned b = 0; b < values[j]; b++)
                    assert_true(shown(two, i, a, j, b) && shown(three, i, a, j, b));
    assert_int_equal(one.count, 5); /* the most values of a factor */
    assert_true(two.count >= 20 && two.count < 60 && three.count > two.count && three.count < 480);
    assert_int_equal(two.count, again.count);
    assert_memory_equal(two.rows, again.rows, two.count * sizeof *two.rows);
    free(one.rows);
    free(two.rows);
    free(again.rows);
    free(three.rows);
}

/* ---- answers ---- */

static bool good(const char *op, const char *text) {
    char why[200];
    json_t *json = json_loads(text, 0, NULL);
    assert_non_null(json);
    bool result = suite_answer_good(json, op, 7, why, sizeof why);
    json_decref(json);
    return result;
}

static void test_answers(void **state) {
    (void)state;
#define REPORT "\"session\":\"a\",\"state\":\"new\",\"messages\":[]"
    assert_true(good("end", "{\"seq\":7,\"result\":\"ok\"}"));
    assert_true(good("end", "{\"seq\":7,\"result\":\"ok\",\"x-own\":1}"));
    assert_false(good("end", "{\"seq\":8,\"result\":\"ok\"}"));
    assert_false(good("end", "{\"seq\":7,\"result\":\"fine\"}"));
    assert_false(good("end", "{\"seq\":7,\"result\":\"ok\",\"more\":1}"));
    assert_false(good("begin", "{\"seq\":7,\"result\":\"ok\"}"));
    assert_false(good("begin", "{\"seq\":7,\"result\":\"ok\",\"ignored\":{}}"));
    assert_false(good("open", "{\"seq\":7,\"result\":\"refused\",\"what\":\"x\",\"error\":\"wibble\"}"));
    assert_true(
        good("open", "{\"seq\":7,\"result\":\"ok\",\"reports\":[{" REPORT ",\"event\":\"accepted\"}]}"));
    assert_false(good("open", "{\"seq\":7,\"result\":\"ok\",\"reports\":[]}"));
    assert_true(good("time", "{\"seq\":7,\"result\":\"ok\",\"reports\":[]}"));
    assert_false(
        good("open", "{\"seq\":7,\"result\":\"ok\",\"reports\":[{" REPORT ",\"event\":\"refused\"}]}"));
    assert_false(
        good("open", "{\"seq\":7,\"result\":\"ok\",\"reports\":[{" REPORT ",\"event\":\"wibble\"}]}"));
    assert_false(good("open", "{\"seq\":7,\"result\":\"ok\",\"reports\":[{" REPORT
                              ",\"event\":\"accepted\",\"keys\":1}]}"));
}

static void test_claims(void **state) {
    (void)state;
    char missing[64];
    json_t *claims = json_loads("{\"roles\":[\"user\"],\"sizes\":[1024],\"maps\":[\"Empty map\"]}", 0, NULL);
    assert_true(suite_supports_all(claims, "roles:user sizes:1024 maps:Empty+map", missing, sizeof missing));
    assert_false(suite_supports_all(claims, "roles:user,kms", missing, sizeof missing));
    assert_string_equal(missing, "roles: kms");
    assert_false(suite_supports_all(claims, "sizes:2048", missing, sizeof missing));
    assert_false(suite_supports_all(claims, "features:sdp", missing, sizeof missing));
    json_decref(claims);
}

/* ---- permissions ---- */

static void test_permissions(void **state) {
    (void)state;
    suite_report taken = {NULL, "accepted", "waiting", ""}, refused = {NULL, "refused", "closed", "echo"},
                 silent = {NULL, "refused", "closed", "unspecified"};
    assert_true(suite_is(taken, "accepted") && suite_is(taken, "accepted/waiting") &&
                suite_is(taken, "accepted/new|waiting"));
    assert_false(suite_is(taken, "accepted/established") || suite_is(taken, "refused:* discarded:*") ||
                 suite_is(taken, "accept"));
    assert_true(suite_is(refused, "refused:identity|echo") &&
                suite_is(refused, "discarded:* refused:echo/closed"));
    assert_false(suite_is(refused, "refused:ech|echoes") || suite_is(refused, "refused:echo/new"));
    assert_true(suite_is(silent, "refused:replay")); /* IUT.md §7 */
}

/* ---- messages ---- */

static void test_messages(void **state) {
    (void)state;
    static const uint8_t octets[] = {
        1,  6, 5,    0x81, 0,    0,    1, 2,  0, 1,  /* HDR of an Error, Empty map */
        12, 3, 0xAA, 0xBB, 0xCC, 0xDD, 0, 12, 0, 0}; /* T, ERR */
    suite_message m;
    suite_message_read(&m, ibk_span_of(octets, sizeof octets));
    assert_null(m.wrong);
    assert_true(m.data_type == SUITE_ERROR_MESSAGE && m.v_flag == 1 && m.prf == 1 && m.csb_id == 0x102 &&
                m.n == 2);
    assert_int_equal(suite_payload_data(&m, suite_message_find(&m, SUITE_T, 0)).len, 4);
    assert_null(suite_message_find(&m, SUITE_T, 1));
    for (size_t n = 0; n < sizeof octets; n++) {
        suite_message_read(&m, ibk_span_of(octets, n));
        assert_non_null(m.wrong);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pairs),       cmocka_unit_test(test_answers),  cmocka_unit_test(test_claims),
        cmocka_unit_test(test_permissions), cmocka_unit_test(test_messages),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
