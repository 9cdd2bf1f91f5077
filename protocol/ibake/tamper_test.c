/* Every octet of every message changed on its way: never two ends with different keys, never a wrong peer,
 * and what is accepted nevertheless is on the list of octets that RFC 6267 leaves unprotected. */
#include "ibake/lab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* The octets that may change without either end noticing. HDR: offset 3 bit 7 is the V flag, which receivers
 * ignore (RFC 6267 §6.1, N62, N85) and which only R_MESSAGE_2 has under a MAC. The second map entry of
 * I_MESSAGE_1 (octets 20 to 27: SSRC and ROC) is 0, for the responder to fill: another value there reaches
 * both ends, and is the same for both, under V. */
static bool unprotected(int message, size_t offset, uint8_t flip) {
    if (message < 3 && offset == 3 && flip == 0x80) {
        return true;
    }
    return message == 0 && offset >= 20 && offset < 28;
}

/* Plays with one octet of one message changed; true: both ends are established. */
static bool play_changed(int message, size_t offset, uint8_t flip) {
    lab_pair pair;
    lab_pair_init(&pair);
    lab_pair_play(&pair, message);
    pair.m[message].data[offset] ^= flip;
    for (int i = message; i < 4 && pair.m[i].len > 0; i++) {
        lab_deliver(&pair, i, ibk_buf_span(&pair.m[i]));
    }
    ibk_session_state a = ibk_session_get_state(pair.a), b = ibk_session_get_state(pair.b);
    bool both = a == IBK_STATE_ESTABLISHED && b == IBK_STATE_ESTABLISHED;
    assert_true(a != IBK_STATE_ESTABLISHED || both); /* an initiator is never alone: R_MESSAGE_2 is proof */
    if (both) {
        lab_keys_agree(&pair);
        assert_true(ibk_span_equal(ibk_session_peer(pair.a).id, ibk_span_str(pair.bob.uri)));
        assert_true(ibk_span_equal(ibk_session_peer(pair.b).id, ibk_span_str(pair.alice.uri)));
    }
    if (b == IBK_STATE_CLOSED) {
        assert_false(pair.b->have_tgk);
    }
    lab_pair_free(&pair);
    return both;
}

static void tamper(int message) {
    lab_pair pair;
    lab_pair_init(&pair);
    lab_pair_play(&pair, 4);
    size_t len = pair.m[message].len;
    lab_pair_free(&pair);
    size_t accepted = 0;
    for (size_t offset = 0; offset < len; offset++) {
        static const uint8_t flips[] = {0x01, 0x80};
        for (int f = 0; f < 2; f++) {
            bool both = play_changed(message, offset, flips[f]);
            accepted += both;
            if (both && !unprotected(message, offset, flips[f])) {
                fail_msg("message %d: octet %zu xor %02x was accepted", message + 1, offset, flips[f]);
            }
        }
    }
    print_message("message %d: %zu octets, %zu of %zu changes unnoticed, all of them on the list\n",
                  message + 1, len, accepted, 2 * len);
}

static void test_i_message_1(void **state) {
    (void)state;
    tamper(0);
}

static void test_r_message_1(void **state) {
    (void)state;
    tamper(1);
}

static void test_i_message_2(void **state) {
    (void)state;
    tamper(2);
}

static void test_r_message_2(void **state) {
    (void)state;
    tamper(3);
}

int main(void) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_i_message_1), cmocka_unit_test(test_r_message_1),
                                       cmocka_unit_test(test_i_message_2),
                                       cmocka_unit_test(test_r_message_2)};
    return cmocka_run_group_tests(tests, lab_group_setup, lab_group_teardown);
}
