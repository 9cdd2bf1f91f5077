/* What is said of a call by the accounts of its two ends. */
#include "run/updates.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const scn_call by_caller = {.name = "a", .hang_up = SCN_CALLER},
                      by_callee = {.name = "b", .hang_up = SCN_CALLEE};

static ue_call_view ended(const scn_call *script, bool caller, bool planned) {
    return (ue_call_view){.script = script,
                          .caller = caller,
                          .established = {1, true},
                          .ended = {2, true},
                          .planned_end = planned};
}

/* The end that does not hang up takes every BYE without a Reason for the planned one: only the other end
 * knows whether it is. */
static void the_word_of_who_hangs_up_counts(void **state) {
    (void)state;
    ue_call_view caller = ended(&by_callee, true, true), callee = ended(&by_callee, false, false);
    call_views v = {.caller = &caller, .callee = &callee};
    assert_false(observe_is_completed(&v));
    callee.planned_end = true;
    assert_true(observe_is_completed(&v));
    v.callee = NULL;
    assert_false(observe_is_completed(&v));
    caller.script = &by_caller; /* its own BYE */
    assert_true(observe_is_completed(&v));
    callee.planned_end = false;
    v.callee = &callee;
    assert_true(observe_is_completed(&v));
}

static void what_is_not_over_is_not_completed(void **state) {
    (void)state;
    ue_call_view caller = ended(&by_caller, true, true);
    call_views v = {.caller = &caller}, nobody = {0};
    caller.ended.set = false;
    assert_false(observe_is_completed(&v));
    caller.ended.set = true;
    caller.planned_end = false;
    assert_false(observe_is_completed(&v));
    caller.planned_end = true;
    caller.established.set = false;
    assert_false(observe_is_completed(&v));
    assert_false(observe_is_completed(&nobody));
}

/* ---- MKI (P-35) -----------------------------------------------------------------------------------------
 */

static void name(ue_update *u, const char *mki) {
    u->mki_len = (uint8_t)strlen(mki);
    memcpy(u->mki, mki, u->mki_len);
}

static void names_count_if_both_ends_have_that_of_the_scenario(void **state) {
    (void)state;
    static const struct {
        const char *wanted, *ours, *theirs;
        uint64_t agreed;
    } cases[] = {{"k", "k", "k", 1}, {"k", "k", "", 0},   {"k", "", "k", 0},
                 {"k", "k", "l", 0}, {"k", "l", "l", 0},  {"k", "k1", "k1", 0},
                 {"k", "", "", 0},   {NULL, "k", "k", 0}, {NULL, "", "", 0}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ue_update a = {.by_us = true,
                       .csb = true,
                       .new_dh = true,
                       .done = true,
                       .ok = true,
                       .key_digest = {7}},
                  b = a;
        ue_call_view caller = {.updates = &a, .update_count = 1}, callee = {.updates = &b, .update_count = 1};
        call_views v = {.caller = &caller, .callee = &callee};
        b.by_us = false;
        a.wanted_mki = cases[i].wanted;
        name(&a, cases[i].ours);
        name(&b, cases[i].theirs);
        assert_int_equal(observe_updates(&v).mki_agreed, cases[i].agreed);
        assert_int_equal(observe_updates(&v).rekeyings, 1);
        b.key_digest[0] = 8; /* a name for different keys */
        assert_int_equal(observe_updates(&v).mki_agreed, 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_word_of_who_hangs_up_counts),
        cmocka_unit_test(what_is_not_over_is_not_completed),
        cmocka_unit_test(names_count_if_both_ends_have_that_of_the_scenario),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
