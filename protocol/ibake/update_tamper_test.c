/* Every octet of both messages of a CSB update changed on its way: the starter notices, and both ends still
 * have, or can go back to, the keys of before. */
#include "ibake/lab.h"

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* One octet of message i changed; true: the starter has taken the update. */
static bool play_changed(int i, bool by_bob, bool new_dh, size_t offset, uint8_t flip) {
    lab_pair pair;
    lab_pair_init(&pair);
    lab_pair_play(&pair, 4);
    lab_keys keys = lab_keys_of(pair.a, 1);
    lab_update u = lab_update_of(&pair, by_bob, new_dh);
    lab_update_play(&u, i);
    u.m[i].data[offset] ^= flip;
    for (; i < 2 && u.m[i].len > 0; i++) {
        lab_update_deliver(&u, i, ibk_buf_span(&u.m[i]));
    }
    bool taken = u.step.kind == IBK_STEP_UPDATED;
    if (!taken) { /* its keys are the old ones, and those of the answerer are at hand */
        lab_keys now = lab_keys_of(lab_starter(&u), 1);
        assert_true(lab_keys_equal(&now, &keys));
        if (u.answer.kind == IBK_STEP_UPDATED) {
            assert_int_equal(ibk_session_revert_update(lab_answerer(&u)), IBK_OK);
        }
        if (ibk_session_get_state(lab_starter(&u)) ==
            IBK_STATE_UPDATING) { /* SIP's answer was none of ours */
            ibk_session_expire(lab_starter(&u), (ibk_time){.mono_ns = UINT64_MAX - 1}, &u.step);
        }
    }
    lab_keys_agree(&pair);
    lab_keys a = lab_keys_of(pair.a, 1);
    assert_int_equal(lab_keys_equal(&a, &keys), !taken || !new_dh);
    lab_update_free(&u);
    lab_pair_free(&pair);
    return taken;
}

/* The V flag of I_MESSAGE_1 is ignored (RFC 6267 §6.1, N85). */
static bool unprotected(int i, size_t offset, uint8_t flip) {
    return i == 0 && offset == 3 && flip == 0x80;
}

static void tamper(int i, bool by_bob, bool new_dh) {
    lab_pair pair;
    lab_pair_init(&pair);
    lab_pair_play(&pair, 4);
    lab_update u = lab_update_of(&pair, by_bob, new_dh);
    lab_update_play(&u, 2);
    assert_int_equal(u.step.kind, IBK_STEP_UPDATED);
    size_t len = u.m[i].len;
    lab_update_free(&u);
    lab_pair_free(&pair);
    for (size_t offset = 0; offset < len; offset++) {
        static const uint8_t flips[] = {0x01, 0x80};
        for (int f = 0; f < (by_bob ? 1 : 2); f++) { /* the mirror image has the same layout */
            bool taken = play_changed(i, by_bob, new_dh, offset, flips[f]);
            if (taken != unprotected(i, offset, flips[f])) {
                fail_msg("message %d: octet %zu xor %02x: %s", i + 1, offset, flips[f],
                         taken ? "was accepted" : "was noticed");
            }
        }
    }
}

static void test_tamper_new_values(void **state) {
    (void)state;
    tamper(0, false, true);
    tamper(1, false, true);
    tamper(0, true, true);
    tamper(1, true, true);
}

static void test_tamper_same_values(void **state) {
    (void)state;
    tamper(0, false, false);
    tamper(1, false, false);
    tamper(0, true, false);
    tamper(1, true, false);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_tamper_new_values),
                                       cmocka_unit_test(test_tamper_same_values)};
    return cmocka_run_group_tests(tests, lab_group_setup, lab_group_teardown);
}
