/* What the random adversary composes can be loaded; what is simpler is simpler; the same seed composes the
 * same. */
#include "attack/attack.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define BASE   ATTACK_SCENARIOS "/basic/first-call.yaml"
#define EXPECT "  users: {registered: all}\n"

static scn_scenario *load(const char *path) {
    scn_errors errors;
    scn_scenario *s;
    if (scn_load_file(&s, &errors, path, NULL, 0)) {
        scn_errors_print(&errors, stderr, false);
        fail();
    }
    return s;
}

static void written(ibk_buf *out, const attack *a, const scn_scenario *s) {
    attack_file file = {
        .base = BASE, .title = "t: \"x\"", .adversary = attack_adversary(s), .expect = EXPECT};
    ibk_buf_clear(out);
    assert_int_equal(attack_write(out, a, &file), IBK_OK);
}

static scn_scenario *read_back(const ibk_buf *yaml, scn_errors *errors) {
    scn_scenario *s = NULL;
    scn_load_text(&s, errors, "attack.yaml", ibk_buf_span(yaml), NULL, 0);
    return s;
}

static void what_is_composed_loads(void **state) {
    (void)state;
    scn_scenario *s = load(BASE);
    ibk_buf yaml = {0};
    size_t actions[SCN_ATTACKS] = {0};
    for (uint64_t round = 0; round < 600; round++) {
        attack a;
        scn_errors errors;
        assert_int_equal(attack_compose(&a, s, 7, round), IBK_OK);
        assert_true(a.rule_count > 0 && a.seat_count == 2);
        written(&yaml, &a, s);
        scn_scenario *again = read_back(&yaml, &errors);
        if (!again) {
            scn_errors_print(&errors, stderr, false);
            fail_msg("round %llu:\n%.*s", (unsigned long long)round, (int)yaml.len, (char *)yaml.data);
        }
        assert_int_equal(again->adversary_count, 1);
        assert_int_equal(again->adversaries[0].rule_count, a.rule_count);
        for (size_t i = 0; i < a.rule_count; i++)
            actions[again->adversaries[0].rules[i].act]++;
        scn_free(again);
    }
    static const scn_attack wanted[] = {
        SCN_ATTACK_DROP,    SCN_ATTACK_MODIFY,         SCN_ATTACK_REPLAY,  SCN_ATTACK_SUBSTITUTE,
        SCN_ATTACK_FORGE,   SCN_ATTACK_STRIP_KEY_MGMT, SCN_ATTACK_RECORD,  SCN_ATTACK_RE_ENCRYPT,
        SCN_ATTACK_REORDER, SCN_ATTACK_IMPERSONATE,    SCN_ATTACK_IDENTITY};
    for (size_t i = 0; i < sizeof wanted / sizeof wanted[0]; i++)
        assert_true(actions[wanted[i]] > 0);
    ibk_buf_free(&yaml);
    scn_free(s);
}

static void the_same_seed_composes_the_same(void **state) {
    (void)state;
    scn_scenario *s = load(BASE);
    attack a, b;
    assert_int_equal(attack_compose(&a, s, 1, 5), IBK_OK);
    assert_int_equal(attack_compose(&b, s, 1, 6), IBK_OK);
    assert_memory_not_equal(&a, &b, sizeof a);
    assert_int_equal(attack_compose(&b, s, 1, 5), IBK_OK);
    assert_memory_equal(&a, &b, sizeof a);
    scn_free(s);
}

static size_t size_of(const attack *a) {
    size_t size = a->seat_count;
    for (size_t i = 0; i < a->rule_count; i++)
        size += a->rules[i].count;
    return size;
}

static void what_is_smaller_is_smaller(void **state) {
    (void)state;
    scn_scenario *s = load(BASE);
    attack a, b;
    for (uint64_t round = 0; round < 50; round++) {
        size_t count = 0;
        assert_int_equal(attack_compose(&a, s, 3, round), IBK_OK);
        for (; attack_smaller(&b, &a, count); count++)
            assert_true(b.rule_count > 0 && size_of(&b) < size_of(&a));
        assert_true(count >= a.seat_count);
    }
    scn_free(s);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(what_is_composed_loads),
                                       cmocka_unit_test(the_same_seed_composes_the_same),
                                       cmocka_unit_test(what_is_smaller_is_smaller)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
