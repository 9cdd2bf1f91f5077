/* An update whose SIP request is refused (RFC 3261 §14.1: glare) is given up and tried again. */
#include "ibake/lab.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void abandoned_and_tried_again(void **state) {
    (void)state;
    lab_pair pair;
    lab_pair_init(&pair);
    lab_pair_play(&pair, 4);
    lab_keys before = lab_keys_of(pair.a, 1);
    assert_int_equal(ibk_session_abandon_update(pair.a), IBK_ERR_STATE);
    lab_update ours = lab_update_of(&pair, false, true), theirs = lab_update_of(&pair, true, true);
    lab_update_play(&ours, 0);
    lab_update_play(&theirs, 0); /* both at once: neither is delivered */
    assert_int_equal(ibk_session_abandon_update(pair.a), IBK_OK);
    assert_int_equal(ibk_session_abandon_update(pair.b), IBK_OK);
    assert_int_equal(ibk_session_get_state(pair.a), IBK_STATE_ESTABLISHED);
    assert_true(ibk_session_deadline(pair.a) == UINT64_MAX);
    lab_keys meanwhile = lab_keys_of(pair.a, 1);
    assert_true(lab_keys_equal(&before, &meanwhile));
    lab_update again = lab_update_of(&pair, true, true);
    lab_update_play(&again, 2);
    assert_int_equal(again.step.kind, IBK_STEP_UPDATED);
    lab_keys a = lab_keys_of(pair.a, 1), b = lab_keys_of(pair.b, 1);
    assert_true(lab_keys_equal(&a, &b));
    assert_false(lab_keys_equal(&a, &before));
    assert_int_equal(ibk_session_updates(pair.a), 1);
    lab_update_free(&ours);
    lab_update_free(&theirs);
    lab_update_free(&again);
    lab_pair_free(&pair);
}

/* An answer that comes after all is none of ours any more. */
static void a_late_answer_is_discarded(void **state) {
    (void)state;
    lab_pair pair;
    lab_pair_init(&pair);
    lab_pair_play(&pair, 4);
    lab_keys before = lab_keys_of(pair.a, 1);
    lab_update u = lab_update_of(&pair, false, true);
    lab_update_play(&u, 1);
    assert_int_equal(ibk_session_abandon_update(pair.a), IBK_OK);
    lab_update_deliver(&u, 1, ibk_buf_span(&u.m[1]));
    assert_int_equal(u.step.kind, IBK_STEP_DISCARDED);
    lab_keys after = lab_keys_of(pair.a, 1);
    assert_true(lab_keys_equal(&before, &after));
    assert_int_equal(ibk_session_updates(pair.a), 0);
    lab_update_free(&u);
    lab_pair_free(&pair);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(abandoned_and_tried_again),
        cmocka_unit_test(a_late_answer_is_discarded),
    };
    return cmocka_run_group_tests(tests, lab_group_setup, lab_group_teardown);
}
