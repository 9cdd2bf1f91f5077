/* The language of measures: what it gives, and what it refuses. */
#include "sweep/measure.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const char result_text[] =
    "{\"verdict\": \"fail\", \"seed\": \"1\", \"virtual_ns\": 20,"
    " \"expectations\": [{\"text\": \"calls: established all\", \"held\": false, \"line\": 3},"
    "                    {\"text\": \"users: registered all\", \"held\": true, \"line\": 4}],"
    " \"properties\": [{\"name\": \"agreement\", \"holds\": true, \"detail\": null},"
    "                  {\"name\": \"freshness\", \"holds\": false, \"detail\": \"old\"}],"
    " \"summary\": {\"calls\": 4, \"established\": 3, \"setup_ns\": null},"
    " \"calls\": [{\"id\": \"a\", \"state\": \"established\", \"setup_ns\": 30, \"keys_agree\": true, "
    "\"legs\": 1},"
    "             {\"id\": \"b\", \"state\": \"established\", \"setup_ns\": 10, \"keys_agree\": true, "
    "\"legs\": 2},"
    "             {\"id\": \"c\", \"state\": \"established\", \"setup_ns\": 20, \"keys_agree\": false, "
    "\"legs\": 3},"
    "             {\"id\": \"d\", \"state\": \"failed\", \"setup_ns\": null, \"keys_agree\": false, "
    "\"legs\": 4}],"
    " \"kms\": [{\"domain\": \"home.example\", \"served\": 50, \"first_request_ns\": 1000000000,"
    "           \"last_answer_ns\": 3000000000, \"refused_for\": {\"BAD_MAC\": 7}}],"
    " \"knowledge\": {\"parties\": [{\"party\": \"mallory\", \"knows\": [{\"what\": \"media\", \"call\": "
    "\"a\"}]}]}}";

typedef struct fixture {
    json_t *shape, *result;
    scn_arena arena;
} fixture;

static int begin(void **state) {
    static fixture f;
    f = (fixture){.shape = measure_shape(), .result = json_loads(result_text, 0, NULL)};
    *state = &f;
    return f.shape != NULL && f.result != NULL ? 0 : -1;
}

static int end(void **state) {
    fixture *f = *state;
    json_decref(f->shape);
    json_decref(f->result);
    scn_arena_free(&f->arena);
    return 0;
}

static double value(fixture *f, const char *text, char why[MEASURE_WHY]) {
    measure_problem problem;
    const measure_node *node = measure_parse(&f->arena, text, f->shape, &problem);
    if (node == NULL)
        fail_msg("%s: octet %zu: %s ~ %s", text, problem.offset, problem.message, problem.hint);
    return measure_value(node, f->result, why);
}

static void test_values(void **state) {
    static const struct {
        const char *text;
        double value;
    } list[] = {
        {"median(calls[].setup_ns)", 20},
        {"mean(calls[].setup_ns) / 1e1", 2},
        {"min(calls[].setup_ns)", 10},
        {"max(calls[].legs)", 4},
        {"sum(calls[].legs)", 10},
        {"percentile(calls[].legs, 95)", 3.85},
        {"percentile(calls[].legs,0)", 1},
        {"median(calls[].legs)", 2.5},
        {"mean(calls[].keys_agree)", 0.5},
        {"count(calls[])", 4},
        {"count(calls[state=established]) / count(calls[])", 0.75},
        {"count(calls[state!=established])", 1},
        {"count(calls[legs=2])", 1},
        {"count(calls[].setup_ns)", 3},
        {"summary.established / summary.calls", 0.75},
        {"calls[2].setup_ns", 20},
        {"calls[b].setup_ns", 10},
        {"sum(calls[state=nothing].legs)", 0},
        {"kms[home.example].served / ((kms[0].last_answer_ns - kms[0].first_request_ns) / 1e9)", 25},
        {"kms[0].refused_for[BAD_MAC]", 7},
        {"count(kms[0].refused_for[NO_KEY])", 0},
        {"properties[agreement].holds", 1},
        {"any(properties[holds=false])", 1},
        {"1 - properties[freshness].holds", 1},
        {"any(calls[].keys_agree)", 1},
        {"expectations[calls: established all].held", 0},
        {"verdict = pass", 0},
        {"verdict = fail", 1},
        {"verdict != pass", 1},
        {"any(knowledge.parties[mallory].knows[what=media])", 1},
        {"any(knowledge.parties[mallory].knows[what=session-key])", 0},
        {"summary.established >= 3", 1},
        {"summary.established < 3", 0},
        {"2 + 3 * 4 - -1", 15},
        {"(2 + 3) * 4", 20},
        {"10 - 4 - 3", 3},
        {"summary.calls = 4", 1},
    };
    char why[MEASURE_WHY];
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        double got = value(*state, list[i].text, why);
        if (!(fabs(got - list[i].value) < 1e-12))
            fail_msg("%s: %g (%s) instead of %g", list[i].text, got, why, list[i].value);
    }
}

static void test_no_value(void **state) {
    static const struct {
        const char *text, *why;
    } list[] = {
        {"calls[d].setup_ns", "calls[d].setup_ns has no value"},
        {"calls[nobody].setup_ns", "calls[nobody].setup_ns has no value"},
        {"calls[9].setup_ns", "has no value"},
        {"median(calls[state=nothing].setup_ns)", "has no value"},
        {"summary.calls / (summary.calls - 4)", "a division by zero"},
        {"1e300 * 1e300", "too large"},
        {"median(properties[].detail)", "is no number"},
    };
    char why[MEASURE_WHY];
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        double got = value(*state, list[i].text, why);
        if (!isnan(got) || strstr(why, list[i].why) == NULL)
            fail_msg("%s: %g (%s) instead of '%s'", list[i].text, got, why, list[i].why);
    }
}

static void test_refused(void **state) {
    static const struct {
        const char *text, *message, *hint;
        size_t offset;
    } list[] = {
        {"calls[].setup_n", "there is no member 'setup_n'", "did you mean 'setup_ns'?", 8},
        {"call[0].setup_ns", "there is no member 'call'", "did you mean 'calls'?", 0},
        {"calls.setup_ns", "a list stands before '.setup_ns'", "[] all", 6},
        {"calls[].setup_ns", "can give many numbers", "median", 0},
        {"calls[0]", "is no number", "", 0},
        {"verdict[0]", "is no list", "", 8},
        {"calls[stat=failed].legs", "there is no member 'stat'", "did you mean 'state'?", 6},
        {"calls[0", "this '[' is never closed", "", 5},
        {"medain(calls[].legs)", "there is no function 'medain'", "did you mean 'median'?", 0},
        {"median(3)", "takes a path", "", 7},
        {"median(calls[].legs", "a ')' is missing", "", 19},
        {"mean(calls[].mikey)", "gives no numbers", "", 5},
        {"mean(calls[].state)", "gives no numbers", "", 5},
        {"percentile(calls[].legs)", "a number from 0 to 100", "", 23},
        {"percentile(calls[].legs, 101)", "a number from 0 to 100", "", 25},
        {"verdict", "is text", "verdict = word", 0},
        {"verdict + 1", "is text", "", 0},
        {"1 + verdict", "is text", "", 4},
        {"-verdict", "is text", "", 1},
        {"verdict < pass", "by = and != only", "", 10},
        {"verdict =", "a word must stand here", "", 9},
        {"1 +", "something is missing", "", 3},
        {"1 2", "nothing can follow", "", 2},
        {"(1", "a ')' is missing", "", 2},
        {"calls[0].", "a member's name", "", 9},
        {"", "something is missing", "", 0},
        {"$", "must stand here", "", 0},
    };
    fixture *f = *state;
    measure_problem problem;
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++)
        if (measure_parse(&f->arena, list[i].text, f->shape, &problem) != NULL ||
            strstr(problem.message, list[i].message) == NULL || strstr(problem.hint, list[i].hint) == NULL ||
            problem.offset != list[i].offset)
            fail_msg("%s: octet %zu: '%s' ~ '%s'", list[i].text, problem.offset, problem.message,
                     problem.hint);
}

/* Nesting is bounded: the parser calls itself. */
static void test_deep(void **state) {
    fixture *f = *state;
    measure_problem problem;
    char text[2001];
    memset(text, '(', 2000);
    text[2000] = '\0';
    assert_null(measure_parse(&f->arena, text, f->shape, &problem));
    assert_non_null(strstr(problem.message, "nested too deep"));
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_values), cmocka_unit_test(test_no_value),
                                       cmocka_unit_test(test_refused), cmocka_unit_test(test_deep)};
    return cmocka_run_group_tests(tests, begin, end);
}
