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

/* As pass(), of the dialog with this To tag. */
static void pass_in(world *w, const char *from, const char *to, const char *label, const char *tag) {
    for (int sent = 1; sent >= 0; sent--) {
        trace_message m = {.kind = TRACE_SIP,
                           .node = sent ? from : to,
                           .sent = sent,
                           .peer = sent ? to : from,
                           .label = label,
                           .call = "c",
                           .cseq = "1 INVITE"};
        trace_message_begin(w->t, &m);
        trace_str(w->t, "to_tag", tag);
        trace_end(w->t);
        w->now += 5000000;
    }
}

static void note(world *w, const char *node, const char *event, const char *call) {
    trace_begin(w->t, TRACE_STATE, node, event);
    trace_str(w->t, "call", call);
    trace_str(w->t, "to", "sip:d@h");
    trace_uint(w->t, "contacts", 2);
    trace_str(w->t, "when", "busy");
    trace_str(w->t, "how", "silent");
    trace_end(w->t);
}

/* The dialogs of a forked call are told apart, and what a proxy did stands where it did it. */
static void test_forked_and_diverted(void **state) {
    (void)state;
    world *w = world_new(1000);
    pass_in(w, "a", "p", "INVITE", NULL);
    note(w, "p", "forked", "c");
    note(w, "p", "registered", "c");
    note(w, "p", "diverted", "another call");
    pass_in(w, "p", "b", "INVITE", NULL);
    pass_in(w, "b", "p", "183 Session Progress", "tag-b");
    pass_in(w, "p", "a", "183 Session Progress", "tag-b");
    pass_in(w, "a", "p", "PRACK", "tag-b");
    pass_in(w, "p", "a", "181 Call Is Being Forwarded", "tag-p");
    note(w, "p", "diverted", "c");
    char *text = draw(w, 90, false, &(ladder_options){0});
    assert_null(strstr(text, "#1")); /* one dialog needs no number */
    free(text);
    pass_in(w, "d", "p", "180 Ringing", "tag-d");
    pass_in(w, "p", "a", "180 Ringing", "tag-d");
    pass_in(w, "a", "p", "BYE", "tag-b");
    text = draw(w, 90, false, &(ladder_options){0});
    assert_string_equal(text,
                        "  dialogs: #1 b, #2 d\n"
                        "  seconds            a                  p                  b                  d\n"
                        "   0.000000          |----- INVITE ---->|                  |                  |\n"
                        "   0.010000          |                  * forks to 2 contacts, silent         |\n"
                        "   0.010000          |                  |----- INVITE ---->|                  |\n"
                        "   0.020000          |                  |<---- 183 #1 -----|                  |\n"
                        "   0.030000          |<---- 183 #1 -----|                  |                  |\n"
                        "   0.040000          |---- PRACK #1 --->|                  |                  |\n"
                        "   0.050000          |<----- 181 -------|                  |                  |\n"
                        "   0.060000          |                  * diverts to d@h (busy, silent)       |\n"
                        "   0.060000          |                  |<--------- 180 Ringing #2 -----------|\n"
                        "   0.070000          |< 180 Ringing #2 -|                  |                  |\n"
                        "   0.080000          |----- BYE #1 ---->|                  |                  |\n");
    free(text);
    world_free(w);
}

static void attack(world *w, const char *sender, const char *receiver, uint64_t rule, const char *what,
                   const char *failed) {
    trace_begin(w->t, TRACE_ATTACK, "mal\x1blory", "drop");
    trace_uint(w->t, "rule", rule);
    trace_str(w->t, "text", "drop");
    trace_str(w->t, "call", "c");
    trace_str(w->t, "what", what);
    trace_str(w->t, "sender", sender);
    trace_str(w->t, "receiver", receiver);
    trace_str(w->t, "failed", failed);
    trace_end(w->t);
    w->now += 5000000;
}

/* What an adversary did stands between the two whose message it was; repetitions are counted. */
static void test_attacks(void **state) {
    (void)state;
    world *w = world_new(1000);
    pass(w, "a", "p", "INVITE", "I_MESSAGE_1", "c", false, false);
    attack(w, "a", "p", 1, "I_MESSAGE_1", NULL);
    attack(w, "a", "p", 1, "I_MESSAGE_1", NULL);
    attack(w, "p", "nobody", 1, "I_MESSAGE_1", NULL); /* has no lane */
    attack(w, "p", "a", 2, "183", "NO_KEY");
    attack(w, "a", "p", 1, "I_MESSAGE_1", NULL);
    attack(w, "a", "p", 1, "I_MESSAGE_2", NULL);
    char *text = draw(w, 80, false, &(ladder_options){0});
    assert_string_equal(text, "  seconds                   a                               p\n"
                              "   0.000000                 |----- INVITE I_MESSAGE_1 ----->|\n"
                              "   0.010000                 |               * mal?lory: drop x3\n"
                              "   0.025000                 |               * mal?lory: drop failed\n"
                              "   0.035000                 |               * mal?lory: drop\n");
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
        cmocka_unit_test(test_forked_and_diverted),
        cmocka_unit_test(test_attacks),
        cmocka_unit_test(test_widths),
        cmocka_unit_test(test_limits_and_nothing),
        cmocka_unit_test(test_hostile_text),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
