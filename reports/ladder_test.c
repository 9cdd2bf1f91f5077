#include "reports/terminal.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

typedef struct world {
    trace *t;
    trace_memory *memory;
    uint64_t now;
} world;

static uint64_t world_clock(void *user) {
    return ((world *)user)->now;
}

static world *world_new(size_t limit) {
    world *w = calloc(1, sizeof *w);
    w->t = trace_new();
    w->memory = trace_memory_new(limit);
    trace_set_clock(w->t, world_clock, w);
    assert_int_equal(trace_add_sink(w->t, TRACE_ALL, trace_memory_event, w->memory), IBK_OK);
    return w;
}

static void world_free(world *w) {
    trace_free(w->t);
    trace_memory_free(w->memory);
    free(w);
}

/* One message, logged by its sender and, 10 ms later, by its receiver unless it is lost. */
static void pass(world *w, const char *from, const char *to, const char *label, const char *mikey,
                 const char *call, bool lost, bool again) {
    trace_message m = {.kind = TRACE_SIP,
                       .node = from,
                       .sent = true,
                       .peer = to,
                       .label = label,
                       .mikey = mikey,
                       .call = call,
                       .cseq = "1 INVITE",
                       .retransmission = again};
    trace_message_begin(w->t, &m);
    trace_end(w->t);
    w->now += 10000000;
    if (lost)
        return;
    m.node = to;
    m.peer = from;
    m.sent = false;
    trace_message_begin(w->t, &m);
    trace_end(w->t);
}

static char *draw(world *w, unsigned width, bool utf8, const ladder_options *options) {
    char *text = NULL;
    size_t len = 0;
    term t = {.file = open_memstream(&text, &len), .utf8 = utf8, .width = width};
    assert_int_equal(report_ladder(&t, w->memory, options), IBK_OK);
    fclose(t.file);
    return text;
}

static void check_width(const char *text, unsigned width) {
    for (const char *line = text; *line;) {
        const char *end = strchr(line, '\n');
        char one[1024];
        snprintf(one, sizeof one, "%.*s", (int)(end - line), line);
        assert_true(term_columns(one) <= width);
        line = end + 1;
    }
}

static void make_call(world *w) {
    pass(w, "alice", "pcscf", "REGISTER", NULL, "reg", false, false);
    pass(w, "alice", "pcscf", "INVITE", "I_MESSAGE_1", "c", true, false);
    pass(w, "alice", "pcscf", "INVITE", "I_MESSAGE_1", "c", false, true);
    pass(w, "pcscf", "bob", "INVITE", "I_MESSAGE_1", "c", false, false);
    pass(w, "bob", "pcscf", "183 Session Progress", "R_MESSAGE_1", "c", false, false);
    pass(w, "pcscf", "alice", "183 Session Progress", "R_MESSAGE_1", "c", true, false);
    pass(w, "bob", "pcscf", "200 OK", NULL, "c", false, false);
    pass(w, "alice", "bob", "ACK", NULL, "c", false, false);
}

static void test_first_call_in_ascii(void **state) {
    (void)state;
    world *w = world_new(1000);
    make_call(w);
    char *text = draw(w, 80, false, &(ladder_options){.title = "call c"});
    assert_string_equal(text, "call c\n"
                              "  seconds            alice                 pcscf                  bob\n"
                              "   0.010000            |-------------------->| INVITE I_MESSAGE_1 x2\n"
                              "   0.030000            |  INVITE I_MESSAGE_1 |-------------------->|\n"
                              "   0.040000            |                     |<- 183 R_MESSAGE_1 --|\n"
                              "   0.050000            |x--------------------| 183 R_MESSAGE_1 lost\n"
                              "   0.060000            |                     |<----- 200 OK -------|\n"
                              "   0.070000            |------------------- ACK ------------------>|\n");
    free(text);
    world_free(w);
}

static void test_widths(void **state) {
    (void)state;
    world *w = world_new(1000);
    make_call(w);
    char name[20];
    for (int i = 0; i < 20; i++) { /* more nodes than lanes */
        snprintf(name, sizeof name, "a-long-node-name-%d", i);
        pass(w, "bob", name, "OPTIONS", NULL, "o", false, false);
    }
    for (unsigned width = 0; width < 300; width += 7) {
        char *text = draw(w, width, width % 2, &(ladder_options){.all = true});
        check_width(text, width < 60 ? 60 : width);
        assert_non_null(strstr(text, "  7 more messages are not shown\n"));
        free(text);
    }
    world_free(w);
}

static void test_limits_and_nothing(void **state) {
    (void)state;
    world *w = world_new(12);
    char *text = draw(w, 100, true, &(ladder_options){0});
    assert_string_equal(text, "");
    free(text);
    make_call(w);
    text = draw(w, 100, true, &(ladder_options){.max_rows = 2});
    assert_non_null(strstr(text, "more messages are not shown"));
    free(text);
    text = draw(w, 100, true, &(ladder_options){.call = "no such call"});
    assert_null(strstr(text, "INVITE"));
    free(text);
    world_free(w);
}

static void test_hostile_text(void **state) {
    (void)state;
    world *w = world_new(100);
    pass(w, "a\x1b[2J", "b\xff\xc3", "INVITE \x1b]0;x\x07\n\xe2\x82", "\x9b", "c", false, false);
    for (int utf8 = 0; utf8 < 2; utf8++) {
        char *text = draw(w, 100, utf8, &(ladder_options){0});
        assert_null(strchr(text, 0x1b));
        assert_null(strchr(text, 7));
        free(text);
    }
    world_free(w);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_first_call_in_ascii),
        cmocka_unit_test(test_widths),
        cmocka_unit_test(test_limits_and_nothing),
        cmocka_unit_test(test_hostile_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
