#include "trace/keylog.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

static void test_written_log_reads_back(void **state) {
    (void)state;
    char path[] = "/tmp/ibakelab-keylog-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    fchmod(fd, 0644);
    close(fd);
    keylog_writer *w;
    assert_int_equal(keylog_writer_open(&w, path, NULL), IBK_OK);
    ibk_keylog_record records[] = {
        {.kind = IBK_KEYLOG_PARAMS, .value = ibk_span_str("params")},
        {.kind = IBK_KEYLOG_PRIV, .id = ibk_span_str("alice"), .value = ibk_span_str("key")},
        {.kind = IBK_KEYLOG_KSESSION, .csb_id = 0x80000001, .value = ibk_span_str("k")},
        {.kind = IBK_KEYLOG_SALT, .csb_id = 7, .cs_id = 2, .value = ibk_span_str("salt")},
    };
    for (int round = 0; round < 3; round++) /* repetitions are written once */
        for (size_t i = 0; i < 4; i++)
            keylog_write(w, &records[i]);
    for (uint32_t i = 0; i < 1000; i++)
        keylog_write(
            w, &(ibk_keylog_record){.kind = IBK_KEYLOG_X, .csb_id = i / 2, .value = ibk_span_str("scalar")});
    assert_int_equal(keylog_writer_close(w, NULL), IBK_OK);
    struct stat st;
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);

    keylog log;
    keylog_where where;
    assert_int_equal(keylog_load(&log, path, &where, NULL), IBK_OK);
    assert_int_equal(log.count, 504);
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(log.records[i].kind, records[i].kind);
        assert_int_equal(log.records[i].csb_id, records[i].csb_id);
        assert_int_equal(log.records[i].cs_id, records[i].cs_id);
        assert_true(ibk_span_equal(log.records[i].id, records[i].id));
        assert_true(ibk_span_equal(log.records[i].value, records[i].value));
    }
    assert_int_equal(keylog_find(&log, IBK_KEYLOG_X, 0, 0), 4);
    assert_int_equal(keylog_find(&log, IBK_KEYLOG_X, 9999, 0), 504);
    keylog_free(&log);
    keylog_free(&log);
    unlink(path);
}

static void test_text_that_is_accepted(void **state) {
    (void)state;
    static const char text[] = "# comment\n\n  \t\r\nPSK 00ff # trailing\r\n\tTEK\t00000001  02 ABcd\nPSK aa";
    keylog log;
    assert_int_equal(keylog_parse(&log, ibk_span_str(text), NULL, NULL), IBK_OK);
    assert_int_equal(log.count, 3);
    assert_int_equal(log.records[0].kind, IBK_KEYLOG_PSK);
    assert_true(ibk_span_equal(log.records[0].value, ibk_span_of("\x00\xff", 2)));
    assert_int_equal(log.records[1].csb_id, 1);
    assert_int_equal(log.records[1].cs_id, 2);
    assert_true(ibk_span_equal(log.records[1].value, ibk_span_of("\xab\xcd", 2)));
    keylog_free(&log);
    assert_int_equal(keylog_parse(&log, (ibk_span){0}, NULL, NULL), IBK_OK);
    assert_int_equal(log.count, 0);
    keylog_free(&log);
}

static void test_text_that_is_refused(void **state) {
    (void)state;
    static const struct {
        const char *text;
        size_t line, column;
        ibk_err err;
    } cases[] = {
        {"PSK\n", 1, 4, IBK_ERR_BAD_TEXT},
        {"PSK 0\n", 1, 5, IBK_ERR_BAD_TEXT},
        {"PSK 00\nPSK 00g0", 2, 7, IBK_ERR_BAD_TEXT},
        {"PSK 00 11", 1, 8, IBK_ERR_TRAILING},
        {"\n psk 00", 2, 2, IBK_ERR_BAD_TYPE},
        {"PSKX 00", 1, 1, IBK_ERR_BAD_TYPE},
        {"MPK 000001 00", 1, 5, IBK_ERR_BAD_LENGTH},
        {"MPK 00000001", 1, 13, IBK_ERR_BAD_TEXT},
        {"TEK 00000001 0001 00", 1, 14, IBK_ERR_BAD_LENGTH},
        {"PRIV 00", 1, 8, IBK_ERR_BAD_TEXT},
        {"PSK 00\rPSK 11", 1, 7, IBK_ERR_BAD_TEXT},
        {"PSK 0x00", 1, 6, IBK_ERR_BAD_TEXT},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        keylog log;
        keylog_where where;
        ibk_diag diag = {0};
        assert_int_equal(keylog_parse(&log, ibk_span_str(cases[i].text), &where, &diag), cases[i].err);
        assert_int_equal(where.line, cases[i].line);
        assert_int_equal(where.column, cases[i].column);
        assert_string_equal(diag.payload, "key log");
        keylog_free(&log);
    }
    keylog log;
    ibk_diag diag = {0};
    assert_int_equal(keylog_load(&log, "/nonexistent/keys.log", NULL, &diag), IBK_ERR_IO);
    keylog_free(&log);
}

static void test_writer_errors(void **state) {
    (void)state;
    keylog_writer *w;
    ibk_diag diag = {0};
    assert_int_equal(keylog_writer_open(&w, "/nonexistent/keys.log", &diag), IBK_ERR_IO);
    assert_null(w);
    keylog_write(NULL, &(ibk_keylog_record){.kind = IBK_KEYLOG_PSK});
    assert_int_equal(keylog_writer_close(NULL, NULL), IBK_OK);
    ibk_buf out = {0};
    assert_int_equal(keylog_format(&out, &(ibk_keylog_record){.value = ibk_span_str("x")}), IBK_ERR_USAGE);
    assert_int_equal(keylog_format(&out, &(ibk_keylog_record){.kind = IBK_KEYLOG_PSK}), IBK_ERR_USAGE);
    assert_null(keylog_kind_name((ibk_keylog_kind)99));
    ibk_buf_free(&out);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_written_log_reads_back),
        cmocka_unit_test(test_text_that_is_accepted),
        cmocka_unit_test(test_text_that_is_refused),
        cmocka_unit_test(test_writer_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
