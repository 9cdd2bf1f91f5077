#include "trace/trace.h"

#include <jansson.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

static uint64_t fixed_clock(void *user) {
    return *(uint64_t *)user;
}

static void collect(void *user, const trace_event *e) {
    ibk_buf *out = user;
    assert_int_equal(trace_event_json(out, e), IBK_OK);
    assert_int_equal(ibk_buf_append(out, "\n", 1), IBK_OK);
}

static void check_text(ibk_buf *buf, const char *expected) {
    assert_int_equal(ibk_buf_append(buf, "", 1), IBK_OK);
    assert_string_equal((const char *)buf->data, expected);
    ibk_buf_free(buf);
}

static void test_fields_keep_their_order(void **state) {
    (void)state;
    ibk_buf out = {0};
    uint64_t now = 12000000034u;
    trace *t = trace_new();
    trace_set_clock(t, fixed_clock, &now);
    assert_int_equal(trace_add_sink(t, TRACE_ALL, collect, &out), IBK_OK);
    trace_begin(t, TRACE_SIP, "ue-\"a\"", "sent");
    trace_str(t, "method", "INVITE\r\n");
    trace_str(t, "absent", NULL);
    trace_int(t, "i", INT64_MIN);
    trace_uint(t, "u", UINT64_MAX);
    trace_bool(t, "yes", true);
    trace_hex(t, "h", ibk_span_of("\x00\xff\x1a", 3));
    trace_base64(t, "b", ibk_span_of("\xfb\xff\xfe\x01", 4));
    trace_strf(t, "f", "%d-%s", 7, "x");
    trace_end(t);
    trace_free(t);
    check_text(&out, "{\"t\":12.000000034,\"node\":\"ue-\\\"a\\\"\",\"kind\":\"sip\",\"event\":\"sent\","
                     "\"method\":\"INVITE\\r\\n\",\"i\":-9223372036854775808,\"u\":18446744073709551615,"
                     "\"yes\":true,\"h\":\"00ff1a\",\"b\":\"+//+AQ==\",\"f\":\"7-x\"}\n");
}

static void test_masks_and_null(void **state) {
    (void)state;
    ibk_buf out = {0};
    trace *t = trace_new();
    assert_int_equal(trace_add_sink(t, TRACE_MASK(TRACE_KEY), collect, &out), IBK_OK);
    assert_true(trace_wants(t, TRACE_KEY));
    assert_false(trace_wants(t, TRACE_SIP));
    trace_begin(t, TRACE_SIP, "n", "sent");
    trace_str(t, "a", "b");
    trace_end(t);
    trace_str(t, "stray", "field outside an event");
    trace_begin(t, TRACE_KEY, "n", "agreed");
    trace_begin(t, TRACE_KEY, "n", "second"); /* ends the first */
    trace_free(t);                            /* ends the second */
    check_text(&out, "{\"t\":0.000000000,\"node\":\"n\",\"kind\":\"key\",\"event\":\"agreed\"}\n"
                     "{\"t\":0.000000000,\"node\":\"n\",\"kind\":\"key\",\"event\":\"second\"}\n");
    trace_begin(NULL, TRACE_SIP, "n", "sent");
    trace_message_begin(NULL, &(trace_message){.kind = TRACE_SIP, .peer = "x"});
    trace_str(NULL, "a", "b");
    trace_strf(NULL, "a", "b");
    trace_end(NULL);
    trace_free(NULL);
}

static void test_too_many_fields(void **state) {
    (void)state;
    trace_memory *memory = trace_memory_new(10);
    trace *t = trace_new();
    assert_int_equal(trace_add_sink(t, TRACE_ALL, trace_memory_event, memory), IBK_OK);
    trace_begin(t, TRACE_RUN, "n", "e");
    for (int i = 0; i < TRACE_MAX_FIELDS + 5; i++)
        trace_int(t, "k", i);
    trace_end(t);
    const trace_event *e = trace_memory_at(memory, 0);
    assert_int_equal(e->field_count, TRACE_MAX_FIELDS + 1);
    assert_true(trace_event_flag(e, "dropped_fields"));
    trace_begin(t, TRACE_RUN, "n", "long");
    for (int i = 0; i < 3; i++)
        trace_strf(t, "f", "%0600d", i); /* more than the scratch space: cut off, not overrun */
    trace_end(t);
    e = trace_memory_at(memory, 1);
    assert_int_equal(e->fields[0].octets.len, 600);
    assert_int_equal(e->fields[1].octets.len, 423);
    assert_int_equal(e->fields[2].octets.len, 0);
    trace_free(t);
    trace_memory_free(memory);
}

static void test_strings_agree_with_jansson(void **state) {
    (void)state;
    uint32_t random = 12345;
    for (int round = 0; round < 20000; round++) {
        uint8_t text[24];
        size_t len = (size_t)round % sizeof text;
        for (size_t i = 0; i < len; i++) {
            random = random * 1664525u + 1013904223u;
            static const uint8_t likely[] = {0xE2, 0x82, 0xAC, 0xF0, 0x9F, 0x98, 0x80, 0xED, 0xA0, 0xC3,
                                             0xA9, '"',  '\\', 8,    9,    10,   11,   12,   13,   0x1F};
            uint8_t pick = (uint8_t)(random >> 24);
            text[i] = pick < 128 ? likely[pick % sizeof likely] : pick;
        }
        ibk_buf out = {0};
        assert_int_equal(ibk_buf_append(&out, "[", 1), IBK_OK);
        assert_int_equal(trace_json_string(&out, ibk_span_of(text, len)), IBK_OK);
        assert_int_equal(ibk_buf_append(&out, "]", 1), IBK_OK);
        json_t *parsed = json_loadb((char *)out.data, out.len, JSON_ALLOW_NUL, NULL);
        assert_non_null(parsed);
        json_t *value = json_array_get(parsed, 0);
        json_t *direct = json_stringn((char *)text, len); /* NULL for invalid UTF-8 */
        if (direct) {
            assert_true(json_equal(value, direct));
            char *dump = json_dumps(direct, JSON_ENCODE_ANY);
            assert_int_equal(strlen(dump), out.len - 2);
            assert_memory_equal(dump, out.data + 1, out.len - 2);
            free(dump);
        } else {
            assert_non_null(strstr(json_string_value(value), "\xEF\xBF\xBD"));
        }
        json_decref(direct);
        json_decref(parsed);
        ibk_buf_free(&out);
    }
}

static void test_messages_name_their_peer(void **state) {
    (void)state;
    ibk_buf out = {0};
    trace *t = trace_new();
    assert_int_equal(trace_add_sink(t, TRACE_ALL, collect, &out), IBK_OK);
    assert_int_equal(trace_name_address(t, "10.0.0.2", "wrong"), IBK_OK);
    assert_int_equal(trace_name_address(t, "fd00::1", "scscf"), IBK_OK);
    assert_int_equal(trace_name_address(t, "10.0.0.1", "ue"), IBK_OK);
    assert_int_equal(trace_name_address(t, "10.0.0.2", "pcscf"), IBK_OK);
    assert_string_equal(trace_node_of(t, "fd00::1"), "scscf");
    assert_null(trace_node_of(t, "fd00::2"));
    trace_message m = {.kind = TRACE_SIP,
                       .node = "ue",
                       .sent = true,
                       .peer = "10.0.0.2",
                       .label = "INVITE",
                       .call = "c1",
                       .cseq = "1 INVITE",
                       .mikey = "I_MESSAGE_1",
                       .transport = "udp",
                       .octets = 900,
                       .retransmission = true};
    trace_message_begin(t, &m);
    ibk_diag diag = {0};
    trace_diag(t, ibk_fail(&diag, IBK_ERR_DER, "FpPoint", 7, "tag %d", 3), &diag);
    trace_end(t);
    trace_free(t);
    check_text(&out,
               "{\"t\":0.000000000,\"node\":\"ue\",\"kind\":\"sip\",\"event\":\"sent\",\"peer\":\"pcscf\","
               "\"address\":\"10.0.0.2\",\"label\":\"INVITE\",\"call\":\"c1\",\"cseq\":\"1 INVITE\","
               "\"mikey\":\"I_MESSAGE_1\",\"transport\":\"udp\",\"octets\":900,\"retransmission\":true,"
               "\"error\":\"DER\",\"reason\":\"not strict DER\",\"payload\":\"FpPoint\",\"offset\":7,"
               "\"detail\":\"tag 3\"}\n");
}

static void test_memory_copies_and_bounds(void **state) {
    (void)state;
    trace_memory *memory = trace_memory_new(2);
    trace *t = trace_new();
    assert_int_equal(trace_add_sink(t, TRACE_ALL, trace_memory_event, memory), IBK_OK);
    char text[] = "before";
    for (int i = 0; i < 5; i++) {
        trace_begin(t, TRACE_STATE, "n", "e");
        trace_str(t, "s", text);
        trace_int(t, "i", i);
        trace_end(t);
        memcpy(text, "after!", 6);
    }
    assert_int_equal(trace_memory_count(memory), 2);
    assert_int_equal(trace_memory_dropped(memory), 3);
    assert_null(trace_memory_at(memory, 2));
    const trace_event *e = trace_memory_at(memory, 0);
    assert_true(ibk_span_equal(trace_event_text(e, "s"), ibk_span_str("before")));
    assert_int_equal(trace_event_field(e, "i")->i, 0);
    assert_null(trace_event_field(e, "none"));
    assert_int_equal(trace_event_text(e, "i").len, 0);
    assert_int_equal(trace_memory_at(memory, 1)->sequence, 1);
    trace_free(t);
    trace_memory_free(memory);
}

static void test_file_of_lines(void **state) {
    (void)state;
    char path[] = "/tmp/ibakelab-trace-XXXXXX";
    int fd = mkstemp(path);
    assert_true(fd >= 0);
    close(fd);
    trace_jsonl *jsonl;
    trace *t = trace_new();
    assert_int_equal(trace_jsonl_open(&jsonl, path, NULL), IBK_OK);
    assert_int_equal(trace_add_sink(t, TRACE_ALL, trace_jsonl_event, jsonl), IBK_OK);
    for (int i = 0; i < 3; i++) {
        trace_begin(t, TRACE_NET, "n\n", "e");
        trace_int(t, "i", i);
        trace_end(t);
    }
    trace_free(t);
    assert_int_equal(trace_jsonl_close(jsonl, NULL), IBK_OK);
    FILE *file = fopen(path, "rb");
    char line[200];
    int lines = 0;
    while (fgets(line, sizeof line, file)) {
        json_t *object = json_loads(line, 0, NULL);
        assert_int_equal(json_integer_value(json_object_get(object, "i")), lines++);
        json_decref(object);
    }
    assert_int_equal(lines, 3);
    fclose(file);
    unlink(path);
}

static void test_write_errors_are_told(void **state) {
    (void)state;
    ibk_diag diag = {0};
    trace_jsonl *jsonl;
    assert_int_equal(trace_jsonl_open(&jsonl, "/nonexistent/x", &diag), IBK_ERR_IO);
    assert_null(jsonl);
    assert_non_null(strstr(diag.detail, "/nonexistent/x"));
    if (access("/dev/full", W_OK) != 0)
        skip();
    assert_int_equal(trace_jsonl_open(&jsonl, "/dev/full", &diag), IBK_OK);
    trace *t = trace_new();
    assert_int_equal(trace_add_sink(t, TRACE_ALL, trace_jsonl_event, jsonl), IBK_OK);
    for (int i = 0; i < 1000; i++) {
        trace_begin(t, TRACE_NET, "node", "event");
        trace_end(t);
    }
    trace_free(t);
    assert_int_equal(trace_jsonl_close(jsonl, &diag), IBK_ERR_IO);
    assert_non_null(strstr(diag.detail, "No space left"));
    assert_int_equal(trace_jsonl_close(NULL, NULL), IBK_OK);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fields_keep_their_order),
        cmocka_unit_test(test_masks_and_null),
        cmocka_unit_test(test_too_many_fields),
        cmocka_unit_test(test_strings_agree_with_jansson),
        cmocka_unit_test(test_messages_name_their_peer),
        cmocka_unit_test(test_memory_copies_and_bounds),
        cmocka_unit_test(test_file_of_lines),
        cmocka_unit_test(test_write_errors_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
