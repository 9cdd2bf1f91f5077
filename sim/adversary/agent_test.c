/* Two terminals of adversaries on a small network: real SIP, real exchanges, real SRTP. The one calls in
 * Alice's name, the other answers in Bob's, each with the private keys that it was given. */
#include "adversary/agent_internal.h"
#include "ibake/lab.h"
#include "ims/stage.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define ALICE "sip:alice@home.example"
#define BOB   "sip:bob@away.example"

typedef struct side {
    ims_host *host;
    craft *craft;
    agent *agent;
    const char *key_of; /* whose private key it has */
    ibk_ibe_key *kept[8];
    size_t n_kept;
    unsigned tgks;
} side;

static ibk_time now(void *user) {
    return ims_host_time(((side *)user)->host);
}

static const ibk_ibe_params *params(void *user, ibk_span identity, const scn_domain *of, size_t nth) {
    (void)user, (void)of;
    if (nth)
        return NULL;
    return memmem(identity.data, identity.len, "@away", 5) ? lab_away.params : lab_home.params;
}

static ibk_granularity granularity(void *user, ibk_span identity) {
    (void)user, (void)identity;
    return IBK_GRANULARITY_DAY;
}

static const ibk_ibe_key *key(void *user, const ibk_ibe_params *of, ibk_span ibe_identity) {
    side *s = user;
    const lab_domain *d = of == lab_away.params ? &lab_away : &lab_home;
    if (!s->key_of || ibe_identity.len < strlen(s->key_of) ||
        memcmp(ibe_identity.data, s->key_of, strlen(s->key_of)) != 0)
        return NULL;
    assert_true(s->n_kept < sizeof s->kept / sizeof *s->kept);
    assert_int_equal(ibk_ibe_extract(d->params, d->master, ibe_identity, &s->kept[s->n_kept]), IBK_OK);
    return s->kept[s->n_kept++];
}

static void learned(void *user, const char *call_id, const ibk_keylog_record *record) {
    (void)call_id;
    ((side *)user)->tgks += record->kind == IBK_KEYLOG_TGK;
}

static void side_open(side *s, stage *network, const char *name, const char *key_of) {
    *s = (side){.key_of = key_of};
    ims_host_config host = stage_host(network, name);
    sip_core core = agent_core(&s->agent);
    assert_int_equal(ims_host_new(&s->host, &host, &core), IBK_OK);
    craft_config config = {.env = ims_host_env(s->host),
                           .user = s,
                           .now = now,
                           .params = params,
                           .granularity = granularity,
                           .key = key,
                           .learned = learned};
    assert_int_equal(craft_new(&s->craft, &config), IBK_OK);
    assert_int_equal(agent_new(&s->agent, s->host, s->craft), IBK_OK);
}

static void side_close(side *s) {
    agent_free(s->agent);
    craft_free(s->craft);
    ims_host_free(s->host);
    for (size_t i = 0; i < s->n_kept; i++)
        ibk_ibe_key_free(s->kept[i]);
}

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
    side_open(&mallory, &network, "mallory", ALICE);
    side_open(&trudy, &network, "trudy", BOB);
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
    side_open(&mallory, &network, "mallory", NULL); /* R_MESSAGE_1 is for Alice */
    side_open(&trudy, &network, "trudy", BOB);
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
    side_open(&mallory, &network, "mallory", ALICE);
    side_open(&trudy, &network, "trudy", NULL);
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
    side_open(&mallory, &network, "mallory", key_of);
    side_open(&trudy, &network, "trudy", BOB);
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

static int setup(void **state) {
    return sip_init() == IBK_OK && media_library_start() ? lab_group_setup(state) : -1;
}

static int teardown(void **state) {
    media_library_stop();
    return lab_group_teardown(state);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_call_in_the_names_of_others_is_a_call),
        cmocka_unit_test(who_cannot_read_the_answer_comes_no_further),
        cmocka_unit_test(who_cannot_read_the_call_refuses_it),
        cmocka_unit_test(a_recording_goes_as_far_as_its_keys),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
