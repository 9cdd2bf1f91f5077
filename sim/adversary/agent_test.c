/* Two terminals of adversaries on a small network: real SIP, real exchanges, real SRTP. The one calls in
 * Alice's name, the other answers in Bob's, each with the private keys that it was given. */
#include "adversary/agent_lab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

static const char *const names[] = {"mallory", "trudy"};

static agent_call to_trudy(const stage *network) {
    return (agent_call){
        .at = stage_address(network, "trudy", 0), .as = ALICE, .to = BOB, .lasts_ns = 2 * SIP_S};
}

static void a_call_in_the_names_of_others_is_a_call(void **state) {
    (void)state;
    stage network;
    side mallory, trudy;
    stage_open(&network, names, 2, 1);
    side_open(&mallory, &network, "mallory", ALICE, NULL);
    side_open(&trudy, &network, "trudy", BOB, NULL);
    agent_call plan = to_trudy(&network);
    assert_int_equal(agent_place_call(mallory.agent, &plan), IBK_OK);
    assert_false(agent_is_idle(mallory.agent));
    stage_play(&network, 10 * SIP_S);
    agent_stats caller = agent_get_stats(mallory.agent), callee = agent_get_stats(trudy.agent);
    assert_int_equal(caller.placed, 1);
    assert_int_equal(caller.read, 1);
    assert_int_equal(caller.accepted, 1);
    assert_int_equal(caller.keys, 1);
    assert_int_equal(callee.answered, 1);
    assert_int_equal(callee.keys, 1);
    assert_true(caller.media > 80 && callee.media > 80); /* two seconds of packets each way */
    assert_int_equal(mallory.tgks, 1);
    assert_int_equal(trudy.tgks, 1);
    assert_true(agent_is_idle(mallory.agent) && agent_is_idle(trudy.agent));
    side_close(&mallory);
    side_close(&trudy);
    stage_close(&network);
}

static void who_cannot_read_the_answer_comes_no_further(void **state) {
    (void)state;
    stage network;
    side mallory, trudy;
    stage_open(&network, names, 2, 1);
    side_open(&mallory, &network, "mallory", NULL, NULL); /* R_MESSAGE_1 is for Alice */
    side_open(&trudy, &network, "trudy", BOB, NULL);
    agent_call plan = to_trudy(&network);
    assert_int_equal(agent_place_call(mallory.agent, &plan), IBK_OK);
    stage_play(&network, 40 * SIP_S);
    agent_stats caller = agent_get_stats(mallory.agent);
    assert_int_equal(caller.placed, 1);
    assert_int_equal(caller.read, 0);
    assert_int_equal(caller.accepted, 0);
    assert_int_equal(caller.media, 0);
    assert_int_equal(agent_get_stats(trudy.agent).answered, 1);
    assert_true(agent_is_idle(mallory.agent));
    side_close(&mallory);
    side_close(&trudy);
    stage_close(&network);
}

static void who_cannot_read_the_call_refuses_it(void **state) {
    (void)state;
    stage network;
    side mallory, trudy;
    stage_open(&network, names, 2, 1);
    side_open(&mallory, &network, "mallory", ALICE, NULL);
    side_open(&trudy, &network, "trudy", NULL, NULL);
    agent_call plan = to_trudy(&network);
    assert_int_equal(agent_place_call(mallory.agent, &plan), IBK_OK);
    stage_play(&network, 5 * SIP_S);
    assert_int_equal(agent_get_stats(trudy.agent).answered, 0);
    assert_int_equal(agent_get_stats(mallory.agent).read, 0);
    assert_true(agent_is_idle(mallory.agent));
    side_close(&mallory);
    side_close(&trudy);
    stage_close(&network);
}

/* An I_MESSAGE_1 that somebody else made: the answer is echoed by who has Alice's key, and no keys follow. */
static void play_recording(const char *key_of, unsigned accepted) {
    stage network;
    side mallory, trudy;
    ibk_buf i1 = {0};
    stage_open(&network, names, 2, 1);
    side_open(&mallory, &network, "mallory", key_of, NULL);
    side_open(&trudy, &network, "trudy", BOB, NULL);
    craft_forgery forgery = {
        .type = IBK_MSG_I_MESSAGE_1, .as = ibk_span_str(ALICE), .to = ibk_span_str(BOB), .encrypted = true};
    assert_int_equal(craft_forge(trudy.craft, &forgery, &i1), IBK_OK);
    agent_call plan = to_trudy(&network);
    plan.i_message_1 = ibk_buf_span(&i1);
    assert_int_equal(agent_place_call(mallory.agent, &plan), IBK_OK);
    stage_play(&network, 40 * SIP_S);
    agent_stats caller = agent_get_stats(mallory.agent);
    assert_int_equal(caller.accepted, accepted);
    assert_int_equal(caller.keys, 0);
    assert_int_equal(caller.media, 0);
    assert_int_equal(agent_get_stats(trudy.agent).keys, accepted); /* of an x that nobody knows */
    ibk_buf_free(&i1);
    side_close(&mallory);
    side_close(&trudy);
    stage_close(&network);
}

static void a_recording_goes_as_far_as_its_keys(void **state) {
    (void)state;
    play_recording(NULL, 0);
    play_recording(ALICE, 1);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_in_the_names_of_others_is_a_call),
        cmocka_unit_test(who_cannot_read_the_answer_comes_no_further),
        cmocka_unit_test(who_cannot_read_the_call_refuses_it),
        cmocka_unit_test(a_recording_goes_as_far_as_its_keys),
    };
    return cmocka_run_group_tests(tests, agent_lab_setup, agent_lab_teardown);
}
