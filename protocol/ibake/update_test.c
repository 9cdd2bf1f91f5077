/* CSB updates that have to succeed, and what they leave behind (RFC 6267 §5.3, P-30 to P-34). */
#include "ibake/lab.h"

#include <string.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void expect_updated(const lab_update *u) {
    if (u->answer.kind != IBK_STEP_UPDATED || u->step.kind != IBK_STEP_UPDATED) {
        print_message("answer %d %s %s, then %d %s %s\n", u->answer.kind, ibk_err_name(u->answer.reason),
                      u->answer.diag.detail, u->step.kind, ibk_err_name(u->step.reason), u->step.diag.detail);
    }
    assert_int_equal(u->answer.kind, IBK_STEP_UPDATED);
    assert_int_equal(u->answer.message_type, IBK_MSG_R_MESSAGE_1);
    assert_int_equal(u->answer.state, IBK_STATE_ESTABLISHED);
    assert_int_equal(u->step.kind, IBK_STEP_UPDATED);
    assert_int_equal(u->step.message.len, 0);
    assert_int_equal(u->step.state, IBK_STATE_ESTABLISHED);
    assert_int_equal(u->step.waits_for, 0);
    assert_true(ibk_session_update_unconfirmed(lab_answerer(u)));
    assert_false(ibk_session_update_unconfirmed(lab_starter(u)));
}

/* Plays one update to its end: keys agree, and are new ones exactly if they have to be. */
static void play_through(lab_update *u) {
    lab_keys before = lab_keys_of(u->pair->a, 1);
    unsigned count = ibk_session_updates(u->pair->a);
    lab_update_play(u, 0);
    assert_int_equal(u->step.kind, IBK_STEP_WAIT);
    assert_int_equal(u->step.message_type, IBK_MSG_I_MESSAGE_1);
    assert_int_equal(u->step.waits_for, IBK_MSG_R_MESSAGE_1);
    assert_int_equal(u->step.state, IBK_STATE_UPDATING);
    lab_keys meanwhile = lab_keys_of(lab_starter(u), 1); /* media go on with the old keys */
    assert_true(lab_keys_equal(&before, &meanwhile));
    for (int i = 0; i < 2; i++) {
        lab_update_deliver(u, i, ibk_buf_span(&u->m[i]));
    }
    expect_updated(u);
    ibk_session_confirm_update(lab_answerer(u));
    assert_false(ibk_session_update_unconfirmed(lab_answerer(u)));
    lab_keys_agree(u->pair);
    lab_keys after = lab_keys_of(u->pair->a, 1);
    assert_int_equal(lab_keys_equal(&before, &after), !u->config.new_dh);
    assert_int_equal(ibk_session_updates(u->pair->a), count + 1);
    assert_int_equal(ibk_session_updates(u->pair->b), count + 1);
}

static void one_update(lab_pair *pair, bool by_bob, bool new_dh, uint8_t curve) {
    lab_update u = lab_update_of(pair, by_bob, new_dh);
    u.config.curve = curve;
    play_through(&u);
    lab_update_free(&u);
}

/* Every curve, PRF and timestamp type; by either side, with and without new values, one after the other. */
static void test_matrix(void **state) {
    (void)state;
    static const uint8_t curves[] = {IBK_EC_P256, IBK_EC_P384, IBK_EC_P521};
    for (size_t c = 0; c < 3; c++) {
        for (uint8_t prf = 0; prf < 2; prf++) {
            for (uint8_t ts = 0; ts < 4; ts++) {
                lab_pair pair;
                lab_pair_init(&pair);
                pair.ac.policy.prf = prf;
                pair.ac.policy.ts_type = ts;
                pair.bc.policy.ts_type = (uint8_t)((ts + c) % 4); /* the responder's own choice */
                lab_pair_play(&pair, 4);
                lab_keys_agree(&pair);
                for (int i = 0; i < 4; i++) {
                    one_update(&pair, i % 2, true, curves[(c + (size_t)i) % 3]);
                    one_update(&pair, i / 2, false, 0);
                }
                lab_pair_free(&pair);
            }
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_matrix),
    };
    return cmocka_run_group_tests(tests, lab_group_setup, lab_group_teardown);
}
