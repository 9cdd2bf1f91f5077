#include "trace/trace.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define HEAD "{\"t\":1.000000002,\"node\":\"alice\",\"kind\":\"sip\",\"event\":\"sent\""

typedef struct reading {
    ibk_buf again; /* what the writer makes of the events */
    size_t count;
} reading;

static void write_again(void *user, const trace_event *e) {
    reading *r = user;
    assert_int_equal(e->sequence, r->count++);
    assert_int_equal(trace_event_json(&r->again, e), IBK_OK);
    assert_int_equal(ibk_buf_append(&r->again, "\n", 1), IBK_OK);
}

static FILE *file_of(const char *text) {
    FILE *file = tmpfile();
    assert_non_null(file);
    fputs(text, file);
    rewind(file);
    return file;
}

static ibk_err read_text(const char *text, reading *r, size_t *line, ibk_diag *diag) {
    FILE *file = file_of(text);
    *r = (reading){0};
    ibk_err err = trace_jsonl_read(file, write_again, r, line, diag);
    fclose(file);
    return err;
}

/* What is read and written again is the same text, octet for octet. */
static void what_is_written_is_read(void **state) {
    (void)state;
    static const char text[] = HEAD
        ",\"label\":\"INVITE\",\"octets\":1327,\"again\":true,\"no\":false,\"least\":-9223372036854775808,"
        "\"most\":18446744073709551615}\n" HEAD "}\n"
        "{\"t\":12345.999999999,\"node\":\"a\\\"b\\\\c\",\"kind\":\"attack\",\"event\":\"\\n\\t\\u0001\","
        "\"text\":\"K\xC3\xB6ln \xE2\x9C\x93 \\u0000 \x7F\",\"empty\":\"\"}\n";
    reading r;
    ibk_diag diag = {0};
    size_t line = 9;
    assert_int_equal(read_text(text, &r, &line, &diag), IBK_OK);
    assert_int_equal(r.count, 3);
    assert_int_equal(line, 0);
    assert_int_equal(r.again.len, strlen(text));
    assert_memory_equal(r.again.data, text, r.again.len);
    ibk_buf_free(&r.again);
}

static void fields_are_typed(void **state) {
    (void)state;
    reading r;
    assert_int_equal(read_text("", &r, NULL, NULL), IBK_OK);
    assert_int_equal(r.count, 0);
    trace_memory *memory = trace_memory_new(10);
    FILE *file = file_of(HEAD ",\"label\":\"INVITE\",\"octets\":13,\"retransmission\":true,\"x\":-7}\n");
    assert_int_equal(trace_jsonl_read(file, trace_memory_event, memory, NULL, NULL), IBK_OK);
    fclose(file);
    const trace_event *e = trace_memory_at(memory, 0);
    assert_int_equal(e->time_ns, 1000000002);
    assert_int_equal(e->kind, TRACE_SIP);
    assert_string_equal(e->node, "alice");
    assert_true(ibk_span_equal(trace_event_text(e, "label"), ibk_span_str("INVITE")));
    assert_int_equal(trace_event_field(e, "octets")->u, 13);
    assert_int_equal(trace_event_field(e, "x")->i, -7);
    assert_true(trace_event_flag(e, "retransmission"));
    trace_memory_free(memory);
}

static void check_refused(const char *bad, const char *why) {
    char text[4096];
    reading r;
    ibk_diag diag = {0};
    size_t line = 0;
    snprintf(text, sizeof text, HEAD "}\n%s", bad);
    assert_int_equal(read_text(text, &r, &line, &diag), IBK_ERR_BAD_TEXT);
    assert_int_equal(r.count, 1);
    assert_int_equal(line, 2);
    if (!strstr(diag.detail, why))
        fail_msg("'%s' is refused with '%s', not '%s'", bad, diag.detail, why);
    ibk_buf_free(&r.again);
}

static void broken_lines_are_refused(void **state) {
    (void)state;
    check_refused("\n", "column 1: an event begins");
    check_refused("{\"t\":1.5,\"node\":\"a\"}\n", "nine digits");
    check_refused("{\"t\":x}\n", "a number is missing");
    check_refused("{\"t\":99999999999999999999.000000000}\n", "beyond 64 bits");
    check_refused("{\"t\":99999999999.000000000}\n", "nine digits");
    check_refused("{\"t\":1.000000000,\"nod\":\"a\"}\n", "the node is missing");
    check_refused("{\"t\":1.000000000,\"node\":\"a\\u0000\"}\n", "zero octet");
    check_refused("{\"t\":1.000000000,\"node\":\"a\",\"kind\":\"sup\"}\n", "unknown kind");
    check_refused(HEAD ",\"x\":1.5}\n", "the line ends inside the event");
    check_refused(HEAD ",\"x\":null}\n", "neither a string");
    check_refused(HEAD ",\"x\":-9223372036854775809}\n", "beyond 64 bits");
    check_refused(HEAD ",\"x\":[1]}\n", "neither a string");
    check_refused(HEAD ",\"x\" 1}\n", "a colon is missing");
    check_refused(HEAD ",\"x\":\"\\q\"}\n", "unknown escape");
    check_refused(HEAD ",\"x\":\"\\u12\"}\n", "four hex digits");
    check_refused(HEAD ",\"x\":\"\\uD83D\"}\n", "an escape that no event log has");
    check_refused(HEAD ",\"x\":\"\t\"}\n", "control character");
    check_refused(HEAD ",\"x\":\"\xC3(\"}\n", "no UTF-8");
    check_refused(HEAD ",\"x\":\"abc\n", "the line ends inside a string");
    check_refused(HEAD "} \n", "something follows");
    check_refused(HEAD "}", "cut off");
}

static void too_much_is_refused(void **state) {
    (void)state;
    char text[2048] = HEAD;
    for (int i = 0; i <= TRACE_MAX_FIELDS + 1; i++)
        snprintf(text + strlen(text), sizeof text - strlen(text), ",\"k%d\":1", i);
    strcat(text, "}\n");
    check_refused(text, "too many fields");
    char *line = malloc((2 << 20) + 3);
    memset(line, 'x', 2 << 20);
    strcpy(line + (2 << 20), "\n");
    reading r;
    ibk_diag diag = {0};
    assert_int_equal(read_text(line, &r, NULL, &diag), IBK_ERR_BAD_TEXT);
    assert_non_null(strstr(diag.detail, "a line of over"));
    free(line);
    FILE *folder = fopen("/", "rb"); /* opened it can be, read it cannot */
    size_t number = 1;
    assert_int_equal(trace_jsonl_read(folder, write_again, &r, &number, &diag), IBK_ERR_IO);
    assert_non_null(strstr(diag.detail, "Is a directory"));
    assert_int_equal(number, 0);
    fclose(folder);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(fields_are_typed),
        cmocka_unit_test(broken_lines_are_refused),
        cmocka_unit_test(too_much_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
