#include <ibake/defences.h>

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void buffer_grows_and_keeps_its_content(void **state) {
    (void)state;
    ibk_buf buf = {0};
    for (unsigned i = 0; i < 1000; i++) {
        uint8_t octet = (uint8_t)i;
        assert_int_equal(ibk_buf_append(&buf, &octet, 1), IBK_OK);
    }
    assert_int_equal(buf.len, 1000);
    for (unsigned i = 0; i < 1000; i++)
        assert_int_equal(buf.data[i], (uint8_t)i);
    assert_int_equal(ibk_buf_resize(&buf, 10), IBK_OK);
    assert_int_equal(ibk_buf_resize(&buf, 12), IBK_OK);
    assert_int_equal(buf.data[9], 9);
    assert_int_equal(buf.data[10] | buf.data[11], 0);
    ibk_buf_free(&buf);
    assert_null(buf.data);
    ibk_buf_free(&buf);
    ibk_buf_free(NULL);
}

static void buffer_refuses_to_pass_its_limit(void **state) {
    (void)state;
    ibk_buf buf = {0};
    assert_int_equal(ibk_buf_resize(&buf, IBK_BUF_MAX + 1), IBK_ERR_LIMIT);
    assert_int_equal(ibk_buf_append(&buf, "x", SIZE_MAX), IBK_ERR_LIMIT);
    assert_int_equal(buf.len, 0);
    ibk_buf_free(&buf);
}

static void clearing_wipes(void **state) {
    (void)state;
    ibk_buf buf = {0};
    assert_null(ibk_buf_part(&buf, 0, 0).data);
    assert_int_equal(ibk_buf_append(&buf, "secret", 6), IBK_OK);
    assert_true(ibk_span_equal(ibk_buf_part(&buf, 2, 3), ibk_span_str("cre")));
    ibk_buf_clear(&buf);
    assert_int_equal(buf.len, 0);
    for (size_t i = 0; i < 6; i++)
        assert_int_equal(buf.data[i], 0);
    ibk_buf_free(&buf);
}

static void arrays_have_room_for_one_more(void **state) {
    (void)state;
    uint64_t *list = NULL;
    size_t count = 0, cap = 0;
    for (uint64_t i = 0; i < 1000; i++) {
        assert_true(IBK_ROOM(list, count, cap));
        assert_true(cap > count && cap <= 2048);
        list[count++] = i * i;
    }
    for (uint64_t i = 0; i < 1000; i++)
        assert_true(list[i] == i * i);
    size_t huge = SIZE_MAX / sizeof *list / 2 + 1;
    uint64_t *before = list;
    cap = huge; /* doubled it would not fit into the memory that there can be */
    assert_false(IBK_ROOM(list, huge, cap));
    assert_true(list == before && cap == huge);
    free(list);
}

static void spans_compare(void **state) {
    (void)state;
    ibk_span a = ibk_span_str("abc"), b = ibk_span_of("abd", 3), none = {0};
    assert_true(ibk_span_equal(a, a) && ibk_span_equal_ct(a, a));
    assert_false(ibk_span_equal(a, b) || ibk_span_equal_ct(a, b));
    assert_false(ibk_span_equal(a, none) || ibk_span_equal_ct(a, none));
    assert_true(ibk_span_equal(none, none) && ibk_span_equal_ct(none, none));
}

static void errors_have_names_texts_and_places(void **state) {
    (void)state;
    assert_string_equal(ibk_err_name(IBK_ERR_ECHO_MISMATCH), "ECHO_MISMATCH");
    assert_int_equal(ibk_err_category(IBK_ERR_ECHO_MISMATCH), IBK_CAT_PROTOCOL);
    assert_string_equal(ibk_err_name(0xFFFF), "UNKNOWN");
    ibk_diag diag;
    assert_int_equal(ibk_fail(&diag, IBK_ERR_TRUNCATED, "IDR", 17, "needs %d more", 3), IBK_ERR_TRUNCATED);
    assert_string_equal(diag.payload, "IDR");
    assert_int_equal(diag.offset, 17);
    assert_string_equal(diag.detail, "needs 3 more");
    assert_int_equal(ibk_fail(NULL, IBK_ERR_DER, NULL, 0, NULL), IBK_ERR_DER);
}

static void defences_have_names(void **state) {
    (void)state;
    uint32_t all = 0;
    for (int i = 0; i < IBK_DEFENCES; i++) {
        uint32_t defence = UINT32_C(1) << i;
        assert_string_not_equal(ibk_defence_name(defence), "unknown");
        assert_true(strlen(ibk_defence_text(defence)) > 10);
        for (int k = 0; k < i; k++)
            assert_string_not_equal(ibk_defence_name(defence), ibk_defence_name(UINT32_C(1) << k));
        all |= defence;
    }
    assert_string_equal(ibk_defence_name(IBK_DEFENCE_REPLAY_CACHE), "replay-cache");
    assert_string_equal(ibk_defence_name(IBK_DEFENCE_ISSUE_WINDOW), "issue-window");
    assert_string_equal(ibk_defence_name(0), "unknown");
    assert_string_equal(ibk_defence_name(~all), "unknown");
    assert_true(ibk_guards(0, IBK_DEFENCE_ECHO) && ibk_guards(~IBK_DEFENCE_ECHO, IBK_DEFENCE_ECHO));
    assert_false(ibk_guards(IBK_DEFENCE_ECHO | IBK_DEFENCE_V, IBK_DEFENCE_ECHO));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(buffer_grows_and_keeps_its_content),
        cmocka_unit_test(buffer_refuses_to_pass_its_limit),
        cmocka_unit_test(clearing_wipes),
        cmocka_unit_test(arrays_have_room_for_one_more),
        cmocka_unit_test(spans_compare),
        cmocka_unit_test(errors_have_names_texts_and_places),
        cmocka_unit_test(defences_have_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
