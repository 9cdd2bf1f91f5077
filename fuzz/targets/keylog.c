/* A key log: refused with a place, or read; what is read is written as text that reads alike. */
#include "trace/keylog.h"
#include "fuzz.h"

static void check_record(const ibk_keylog_record *want, const ibk_keylog_record *got) {
    FUZZ_CHECK(want->kind == got->kind && want->csb_id == got->csb_id && want->cs_id == got->cs_id);
    fuzz_check_same(want->id, got->id);
    fuzz_check_same(want->value, got->value);
}

static void check_written(const keylog *log) {
    ibk_buf text = {0};
    keylog again = {0};
    for (size_t i = 0; i < log->count; i++)
        FUZZ_CHECK(keylog_format(&text, &log->records[i]) == IBK_OK);
    FUZZ_CHECK(keylog_parse(&again, ibk_buf_span(&text), NULL, NULL) == IBK_OK);
    FUZZ_CHECK(again.count == log->count);
    for (size_t i = 0; i < log->count; i++)
        check_record(&log->records[i], &again.records[i]);
    keylog_free(&again);
    ibk_buf_free(&text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    keylog log = {0};
    keylog_where where = {0};
    ibk_diag diag = {0};
    ibk_err err = keylog_parse(&log, ibk_span_of(data, size), &where, &diag);
    if (err)
        FUZZ_CHECK(diag.err == err && where.line > 0 && where.column > 0);
    else
        check_written(&log);
    keylog_free(&log);
    return 0;
}
