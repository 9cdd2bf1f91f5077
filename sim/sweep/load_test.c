/* Which points a file means, and what is refused of it. */
#include "scenario/number.h"
#include "sweep/testing.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define MEASURES "measures: {setup: {value: 'calls[0].setup_ns'}}\n"

static sweep *load(const char *text) {
    scn_errors errors;
    sweep *s = testing_sweep(text, &errors);
    if (s == NULL)
        scn_errors_print(&errors, stderr, false);
    assert_non_null(s);
    return s;
}

static void assert_labels(const sweep *s, size_t p, const char *wanted) {
    char got[400] = "";
    for (size_t i = 0; i < s->parameters[p].count; i++)
        snprintf(got + strlen(got), sizeof got - strlen(got), "%s%s", i ? "|" : "",
                 s->parameters[p].choices[i].label);
    assert_string_equal(got, wanted);
}

/* ---- points
 * ------------------------------------------------------------------------------------------------ */

static void test_order(void **state) {
    (void)state;
    sweep *s = load("set: {network.ip: 6}\n"
                    "parameters:\n"
                    "  size: {set: 'domains[home.example].kms.parameters', values: [1024, 2048]}\n"
                    "  loss: {set: links.access.loss, from: 0 %, to: 10 %, steps: 3}\n"
                    "seeds: [3, 5 to 6]\n" MEASURES);
    sweep_point point;
    assert_int_equal(s->points, 18);
    sweep_point_at(s, 0, &point);
    assert_int_equal(point.seed, 3);
    assert_int_equal(point.set_count, 4);
    assert_string_equal(point.sets[0], "network.ip=6");
    assert_string_equal(point.sets[1], "domains[home.example].kms.parameters=1024");
    assert_string_equal(point.sets[2], "links.access.loss=0 %");
    assert_string_equal(point.sets[3], "seed=3");
    sweep_point_at(s, 1, &point); /* the seeds vary fastest … */
    assert_string_equal(point.seed_text, "seed=5");
    sweep_point_at(s, 3, &point); /* … then the last parameter */
    assert_string_equal(sweep_label(s, &point, 0), "1024");
    assert_string_equal(sweep_label(s, &point, 1), "5 %");
    sweep_point_at(s, 17, &point);
    assert_string_equal(sweep_label(s, &point, 0), "2048");
    assert_string_equal(sweep_label(s, &point, 1), "10 %");
    assert_int_equal(point.seed, 6);
    sweep_free(s);
}

static void test_ranges(void **state) {
    (void)state;
    sweep *s = load("parameters:\n"
                    "  a: {set: links.access.delay, from: 10 ms, to: 1 s, steps: 3, scale: log}\n"
                    "  b: {set: links.core.delay, from: 10 ms, to: 1 s, steps: 3}\n"
                    "  c: {set: links.access.rate, from: 64 kbit/s, to: 1 Mbit/s, steps: 2}\n"
                    "  d: {set: time-limit, from: 1 s, to: 2 min, steps: 4, scale: log}\n"
                    "  e: {set: links.core.queue, from: 1, to: 9, steps: 3}\n" MEASURES);
    assert_labels(s, 0, "10 ms|100 ms|1 s");
    assert_labels(s, 1, "10 ms|505 ms|1 s");
    assert_labels(s, 2, "64 kbit/s|1 Mbit/s");
    assert_labels(s, 3, "1 s|4932 ms|24330 ms|2 min"); /* four digits */
    assert_labels(s, 4, "1|5|9");
    sweep_free(s);
}

static void test_values(void **state) {
    (void)state;
    sweep *s = load("parameters:\n"
                    "  who: {set: [users.alice.cpu, users.bob.cpu], values: [phone, server]}\n"
                    "  off:\n"
                    "    cases:\n"
                    "      none: {}\n"
                    "      two: {users.bob.without: [echo, 'v'], links.access.loss: 5 %}\n" MEASURES);
    sweep_point point;
    sweep_point_at(s, 3, &point);
    assert_int_equal(point.set_count, 5);
    assert_string_equal(point.sets[0], "users.alice.cpu=server");
    assert_string_equal(point.sets[1], "users.bob.cpu=server");
    assert_string_equal(point.sets[2], "users.bob.without=[echo, 'v']");
    assert_string_equal(point.sets[3], "links.access.loss=5 %");
    assert_string_equal(sweep_label(s, &point, 1), "two");
    sweep_point_at(s, 0, &point);
    assert_int_equal(point.set_count, 3);
    sweep_free(s);
}

/* What --set would read as something else is quoted; a label stays as it was written. */
static void test_quotes(void **state) {
    (void)state;
    sweep *s = load("parameters:\n"
                    "  p:\n"
                    "    set: a.b\n"
                    "    values:\n"
                    "      - '[x'\n"
                    "      - ''\n"
                    "      - \"two\\nlines\"\n"
                    "      - '7 %'\n"
                    "      - - one, two\n"
                    "        - 3\n"
                    "        - it's\n"
                    "        -\n"
                    "        - {'a b': \"\\u2028'\"}\n" MEASURES);
    const sweep_choice *choices = s->parameters[0].choices;
    assert_string_equal(choices[0].sets[0], "a.b='[x'");
    assert_string_equal(choices[0].label, "[x");
    assert_string_equal(choices[1].sets[0], "a.b=''");
    assert_string_equal(choices[2].sets[0], "a.b=\"two\\U0000000Alines\"");
    assert_string_equal(choices[3].sets[0], "a.b=7 %");
    assert_string_equal(choices[4].sets[0], "a.b=['one, two', 3, it's, ~, {? 'a b': \"\\U00002028'\"}]");
    sweep_free(s);
}

static unsigned slice(const char *label, const scn_quantity *quantity, int64_t width) {
    int64_t value;
    const char *unit;
    assert_int_equal(scn_number_read(&value, &unit, label, quantity, false), SCN_NUMBER_OK);
    return (unsigned)(value / width);
}

/* Each of ten slices of each range has one of ten samples, and two parameters do not go together. */
static void test_hypercube(void **state) {
    (void)state;
    static const char text[] = "parameters:\n"
                               "  loss: {set: links.access.loss, from: 0 %, to: 10 %}\n"
                               "  ip: {set: network.ip, values: [4, 6]}\n"
                               "  delay: {set: links.access.delay, from: 0 ms, to: 100 ms}\n"
                               "hypercube: {samples: 10, seed: 4}\nseeds: 1 to 2\n" MEASURES;
    sweep *s = load(text), *again = load(text);
    sweep_point point, other;
    unsigned losses = 0, delays = 0, together = 0;
    assert_int_equal(s->points, 40);
    for (size_t i = 0; i < 10; i++) {
        unsigned loss = slice(s->parameters[0].choices[i].label, &scn_share_quantity, 10000000);
        unsigned delay = slice(s->parameters[2].choices[i].label, &scn_time_quantity, 10000000);
        losses |= 1u << loss;
        delays |= 1u << delay;
        together += loss == delay;
        assert_string_equal(s->parameters[0].choices[i].label, again->parameters[0].choices[i].label);
    }
    assert_int_equal(losses, 0x3FF);
    assert_int_equal(delays, 0x3FF);
    assert_true(together < 10);
    sweep_point_at(s, 0, &point);
    sweep_point_at(s, 39, &other);
    assert_int_equal(point.choices[0], 0);
    assert_int_equal(point.choices[2], 0);
    assert_int_equal(other.choices[0], 9);
    assert_int_equal(other.choices[1], 1);
    assert_int_equal(other.choices[2], 9);
    sweep_free(s);
    sweep_free(again);
}

/* ---- refused
 * ------------------------------------------------------------------------------------------------ */

typedef struct bad {
    const char *text, *message, *hint; /* hint may be NULL */
    unsigned line;                     /* in the whole file: the head has three lines */
} bad;

#define P "parameters:\n  p: "
static const bad bad_files[] = {
    {"parameter: []\n" MEASURES, "unknown key 'parameter' at the top of a sweep",
     "did you mean 'parameters'?", 4},
    {"seeds: 1\n", "the key 'measures' is missing", NULL, 1},
    {"measures: {}\n", "a sweep has 1 to 64 measures", NULL, 4},
    {P "{set: a.b}\n" MEASURES, "lacks its values", NULL, 5},
    {P "{values: [1]}\n" MEASURES, "lacks the key 'set'", NULL, 5},
    {P "{set: a.b, values: []}\n" MEASURES, "parameters.p.values must be a list of values, not nothing", NULL,
     5},
    {P "{set: a.b, values: 7}\n" MEASURES, "must be a list of values, not a single value", NULL, 5},
    {P "{set: a.b, values: [1, 2, 1]}\n" MEASURES, "has the value '1' twice", NULL, 5},
    {P "{set: a.b, values: [1, ~]}\n" MEASURES, "parameters.p.values[1] has no value", NULL, 5},
    {P "{set: a.b, values: [1], from: 1, to: 2}\n" MEASURES, "has more than one of", NULL, 5},
    {P "{set: a.b, cases: {x: {}}}\n" MEASURES, "has 'set' and 'cases'", NULL, 5},
    {P "{cases: {x: [1]}}\n" MEASURES, "parameters.p.cases.x must be paths with values, not a list", NULL, 5},
    {P "{set: seed, values: [1]}\n" MEASURES, "the seed of the scenario cannot be set here", "'seeds'", 5},
    {P "{set: 'a=1', values: [1]}\n" MEASURES, "parameters.p.set must name paths", NULL, 5},
    {P "{cases: {x: {a=b: 1}}}\n" MEASURES, "'a=b' is no path of a scenario", NULL, 5},
    {P "{set: a.b, from: 1}\n" MEASURES, "'from' and 'to' belong together", NULL, 5},
    {P "{set: a.b, from: 1, to: 5}\n" MEASURES, "lacks the key 'steps'", "hypercube", 5},
    {P "{set: a.b, from: 1 %, to: 5 ms, steps: 2}\n" MEASURES, "are not the ends of a range", NULL, 5},
    {P "{set: a.b, from: 5, to: 1, steps: 2}\n" MEASURES, "'to' is not above 'from'", NULL, 5},
    {P "{set: a.b, from: 0, to: 1, steps: 2, scale: log}\n" MEASURES, "begins above 0", NULL, 5},
    {P "{set: a.b, from: 1, to: 3, steps: 9}\n" MEASURES, "9 steps are too many", NULL, 5},
    {P "{set: a.b, from: 1, to: 3, steps: 2, scale: logg}\n" MEASURES, "none of the possible", "mean 'log'",
     5},
    {P "{set: a.b, values: [1], steps: 2}\n" MEASURES, "which belong to 'from' and 'to'", NULL, 5},
    {P "{set: a.b, vaules: [1]}\n" MEASURES, "unknown key 'vaules' in parameters.p", "mean 'values'?", 5},
    {P "{set: a.b, values: [1]}\n  q: {set: a.b, values: [1]}\n" MEASURES, "sets what parameters.p sets",
     NULL, 6},
    {P "{set: a.b, values: [1]}\n  P: {set: a.c, values: [1]}\n" MEASURES, "are named 'P'", NULL, 6},
    {"parameters:\n  seed: {set: a.b, values: [1]}\n" MEASURES, "nothing can be called 'seed'", NULL, 5},
    {"parameters: [{set: a.b, values: [1]}]\n" MEASURES, "parameters[0] lacks the key 'name'", NULL, 4},
    {P "{set: a.b, values: [1]}\nhypercube: {samples: 5}\n" MEASURES, "has no parameter to draw", NULL, 6},
    {"seeds: 5 to 1\n" MEASURES, "'5 to 1' are no seeds", NULL, 4},
    {"seeds: [1, 1]\n" MEASURES, "1 stands there twice", NULL, 4},
    {"seeds: []\n" MEASURES, "seeds is an empty list", NULL, 4},
    {"seeds: 1 to 99999\n" MEASURES, "more than 10000", NULL, 4},
    {"seeds: -1\n" MEASURES, "'-1' are no seeds", NULL, 4},
    {"seeds: 99999999999999999999\n" MEASURES, "are no seeds", NULL, 4},
    {"seeds: 1 to 10000\nparameters:\n  p: {set: a.b, from: 1, to: 1000, steps: 1000}\n" MEASURES,
     "more than 1000000 points", NULL, 0},
    {"measures: {m: {value: 'calls[].setup_n'}}\n", "there is no member 'setup_n'", "mean 'setup_ns'?", 4},
    {"sweep: 2\ntitle: t\nscenario: x.yaml\n" MEASURES, "out of range", NULL, 1},
    {"sweep: 1\ntitle: t\nscenario: none.yaml\n" MEASURES, "there is no readable file 'none.yaml'", NULL, 3},
    {"seeds: [1\n", "not valid YAML", NULL, 5},
};

static void test_refused(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof bad_files / sizeof bad_files[0]; i++) {
        const bad *b = &bad_files[i];
        scn_errors errors;
        sweep *s = testing_sweep(b->text, &errors);
        bool found = false;
        for (size_t j = 0; j < errors.count; j++)
            found |= strstr(errors.list[j].message, b->message) != NULL &&
                     (b->hint == NULL || strstr(errors.list[j].hint, b->hint) != NULL) &&
                     errors.list[j].line == b->line;
        if (s != NULL || !found) {
            scn_errors_print(&errors, stderr, false);
            fail_msg("wanted in line %u: %s ~ %s\nof\n%s", b->line, b->message, b->hint ? b->hint : "",
                     b->text);
        }
        sweep_free(s);
    }
}

static void assert_refused(const char *text, const char *message) {
    scn_errors errors;
    assert_null(testing_sweep(text, &errors));
    assert_true(errors.count > 0);
    assert_non_null(strstr(errors.list[0].message, message));
}

/* `count` times `piece`, each with its number behind it, between two texts. */
static char *repeated(const char *before, const char *piece, size_t count, const char *after) {
    size_t room = strlen(before) + count * (strlen(piece) + 8) + strlen(after) + 1;
    char *text = malloc(room);
    assert_non_null(text);
    size_t at = (size_t)snprintf(text, room, "%s", before);
    for (size_t i = 0; i < count; i++)
        at += (size_t)snprintf(text + at, room - at, "%s%zu, ", piece, i);
    snprintf(text + at, room - at, "%s", after);
    return text;
}

/* Aliases, paths and steps multiply: a small file asks for gigabytes. */
static void test_room(void **state) {
    (void)state;
    char *value =
        repeated("parameters: {p: {set: a.b, values: [[", "a longer text ", 900, "7]]}}\n" MEASURES);
    assert_refused(value, "a value of more than 16384 octets");
    free(value);
    value =
        repeated("parameters: {p: {from: 1, to: 10000, steps: 10000, set: [", "x", 500, "y]}}\n" MEASURES);
    assert_refused(value, "the paths and values of the sweep are more than 67108864 octets of text");
    free(value);
    value = repeated("parameters: {p: {values: [1], set: [", "x", 600, "y]}}\n" MEASURES);
    assert_refused(value, "parameters.p.set has more than 512 paths");
    free(value);
}

/* ---- held against the scenario
 * ------------------------------------------------------------------------------------------------ */

static void test_check(void **state) {
    (void)state;
    scn_errors errors;
    sweep_stamp stamp = {0}, other = {0};
    sweep *s = load(P "{set: links.access.loss, values: [1 %, 2 %, 3 kg]}\n" MEASURES);
    assert_int_equal(sweep_check(s, &errors, &stamp), IBK_ERR_BAD_VALUE);
    assert_int_equal(errors.count, 1);
    assert_int_equal(errors.list[0].line, 5);
    assert_non_null(
        strstr(errors.list[0].message, "parameters.p, '3 kg': links.access.loss: unknown unit 'kg'"));
    sweep_free(s);

    s = load(P "{set: links.access.los, values: [1 %]}\n" MEASURES);
    assert_int_equal(sweep_check(s, &errors, &stamp), IBK_ERR_BAD_VALUE);
    assert_non_null(strstr(errors.list[0].hint, "did you mean 'loss'?"));
    sweep_free(s);

    s = load(P "{set: links.access.loss, values: [1 %, 2 %]}\n" MEASURES);
    assert_int_equal(sweep_check(s, &errors, &stamp), IBK_OK);
    assert_int_equal(strlen(stamp.digest), 64);
    assert_non_null(strstr(stamp.versions, "ns-3 3."));
    sweep_free(s);

    s = load(P "{set: links.access.loss, values: [1 %, 3 %]}\n" MEASURES);
    assert_int_equal(sweep_check(s, &errors, &other), IBK_OK);
    assert_string_not_equal(stamp.digest, other.digest);
    sweep_free(s);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_order),   cmocka_unit_test(test_ranges),
                                       cmocka_unit_test(test_values),  cmocka_unit_test(test_hypercube),
                                       cmocka_unit_test(test_quotes),  cmocka_unit_test(test_room),
                                       cmocka_unit_test(test_refused), cmocka_unit_test(test_check)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
