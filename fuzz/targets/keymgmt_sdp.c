/* The SDP attribute of RFC 4567, as a value and as a line: base64 is strict, so what is accepted is written
 * back alike, and a line says what its value says. */
#include "fuzz.h"

static void check_value(ibk_span value) {
    ibk_buf message = {0}, back = {0};
    ibk_diag diag = {0};
    ibk_err err = ibk_keymgmt_parse(&message, value, &diag);
    if (err) {
        fuzz_check_refusal(err, &diag, value.len);
        FUZZ_CHECK(message.len == 0);
    } else {
        FUZZ_CHECK(ibk_keymgmt_write(&back, ibk_buf_span(&message)) == IBK_OK);
        fuzz_check_same(value, ibk_buf_span(&back));
    }
    ibk_buf_free(&back);
    ibk_buf_free(&message);
}

/* "a=key-mgmt:" and the value, ended as lines end. */
static void check_line(ibk_span line) {
    static const char prefix[] = "a=key-mgmt:";
    ibk_buf message = {0}, again = {0};
    ibk_diag diag = {0};
    ibk_err err = ibk_keymgmt_parse_line(&message, line, &diag);
    if (err) {
        fuzz_check_refusal(err, &diag, line.len);
    } else {
        size_t from = sizeof prefix - 1, to = line.len;
        while (to > from && (line.data[to - 1] == '\n' || line.data[to - 1] == '\r'))
            to--;
        FUZZ_CHECK(ibk_keymgmt_parse(&again, ibk_span_of(line.data + from, to - from), NULL) == IBK_OK);
        fuzz_check_same(ibk_buf_span(&again), ibk_buf_span(&message));
    }
    ibk_buf_free(&again);
    ibk_buf_free(&message);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    check_value(ibk_span_of(data, size));
    check_line(ibk_span_of(data, size));
    return 0;
}
