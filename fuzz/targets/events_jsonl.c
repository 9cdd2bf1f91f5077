/* An event log: what is read is written as lines that read alike, also what came before a line that is
 * refused. */
#include "fuzz.h"
#include "trace/trace.h"

#include <stdio.h>

static void write_line(void *user, const trace_event *e) {
    FUZZ_CHECK(e->kind < TRACE_KINDS && e->node && e->event);
    FUZZ_CHECK(e->field_count <= TRACE_MAX_FIELDS + 1); /* that some were dropped is one more */
    FUZZ_CHECK(trace_event_json(user, e) == IBK_OK);
    FUZZ_CHECK(ibk_buf_append(user, "\n", 1) == IBK_OK);
}

static ibk_err read_log(ibk_span in, ibk_buf *out, size_t *line) {
    ibk_diag diag = {0};
    FILE *file = fmemopen((void *)(uintptr_t)in.data, in.len, "r");
    FUZZ_CHECK(file != NULL);
    ibk_err err = trace_jsonl_read(file, write_line, out, line, &diag);
    FUZZ_CHECK(!err || (diag.err == err && diag.detail[0]));
    fclose(file);
    return err;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    ibk_buf first = {0}, second = {0};
    size_t line = 0;
    ibk_err err = size ? read_log(ibk_span_of(data, size), &first, &line) : IBK_OK;
    FUZZ_CHECK(!err || (err == IBK_ERR_BAD_TEXT && line > 0));
    if (first.len)
        FUZZ_CHECK(read_log(ibk_buf_span(&first), &second, NULL) == IBK_OK);
    fuzz_check_same(ibk_buf_span(&first), ibk_buf_span(&second));
    ibk_buf_free(&first);
    ibk_buf_free(&second);
    return 0;
}
