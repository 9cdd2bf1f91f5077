/* The state machine: what does not belong, replays, time-outs, failing randomness, secrets wiped. */
#include "ibake/lab.h"

#include <string.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void change_csb(ibk_msg *msg, lab_pair *pair) {
    (void)pair;
    msg->hdr.csb_id ^= 1;
}

static void change_t(ibk_msg *msg, lab_pair *pair) {
    (void)pair;
    lab_find(msg, IBK_PL_T, 0)->t.value++;
}

/* ---- the state machine
 * ------------------------------------------------------------------------------------------------- */

static void expect_discarded(lab_pair *pair, ibk_session *s, ibk_span octets) {
    ibk_session_state before = ibk_session_get_state(s);
    lab_user *user = s == pair->a ? &pair->alice : &pair->bob;
    assert_int_equal(ibk_session_recv(s, lab_now(user), octets, &pair->step), IBK_OK);
    assert_int_equal(pair->step.kind, IBK_STEP_DISCARDED);
    assert_int_not_equal(pair->step.reason, IBK_OK);
    assert_int_equal(pair->step.message.len, 0);
    assert_int_equal(ibk_session_get_state(s), before);
}

/* Every message of the exchange in every state that does not expect it; then the exchange still completes. */
static void test_unexpected(void **state) {
    (void)state;
    lab_pair done, pair;
    lab_pair_init(&done);
    lab_pair_play(&done, 4);
    lab_pair_init(&pair); /* the same randomness: the same messages, the same CSB ID */
    lab_pair_play(&pair, 0);
    for (int progress = 0; progress <= 4; progress++) {
        int a_wants = progress < 2   ? 1
                      : progress < 4 ? 3
                                     : -1,
            b_wants = progress < 1   ? 0
                      : progress < 3 ? 2
                                     : -1;
        for (int i = 0; i < 4; i++) {
            if (i != a_wants) {
                expect_discarded(&pair, pair.a, ibk_buf_span(&done.m[i]));
            }
            if (i != b_wants) {
                expect_discarded(&pair, pair.b, ibk_buf_span(&done.m[i]));
            }
        }
        if (progress < 4) {
            lab_deliver(&pair, progress, ibk_buf_span(&done.m[progress]));
        }
    }
    lab_keys_agree(&pair);
    ibk_session_close(pair.a, IBK_ERR_REFUSED);
    for (int i = 0; i < 4; i++) {
        expect_discarded(&pair, pair.a, ibk_buf_span(&done.m[i]));
    }
    lab_pair_free(&pair);
    lab_pair_free(&done);
}

static void test_foreign(void **state) {
    (void)state;
    lab_pair pair;
    ibk_buf changed = {0};
    lab_pair_init(&pair);
    lab_pair_play(&pair, 1);
    lab_edited(&pair, 1, change_csb, &changed);
    expect_discarded(&pair, pair.a, ibk_buf_span(&changed));
    assert_int_equal(pair.step.reason, IBK_ERR_MISMATCH);
    expect_discarded(&pair, pair.a, ibk_span_str(""));
    expect_discarded(&pair, pair.a, ibk_span_str("\x01\x17"));
    for (int i = 1; i < 4; i++) {
        lab_deliver(&pair, i, ibk_buf_span(&pair.m[i]));
    }
    lab_keys_agree(&pair);
    ibk_buf_free(&changed);
    lab_pair_free(&pair);
}

/* Every proper prefix of every message. */
static void test_truncated(void **state) {
    (void)state;
    for (int i = 0; i < 4; i++) {
        lab_pair done;
        lab_pair_init(&done);
        lab_pair_play(&done, 4);
        for (size_t len = 0; len<done.m[i].len; len += len> 40 ? 7 : 1) {
            lab_pair pair;
            lab_pair_init(&pair);
            lab_pair_play(&pair, i);
            lab_deliver(&pair, i, ibk_span_of(done.m[i].data, len));
            assert_true(pair.step.kind == IBK_STEP_CLOSED ||
                        (len < 8 && pair.step.kind == IBK_STEP_DISCARDED));
            lab_pair_free(&pair);
        }
        lab_pair_free(&done);
    }
}

static void test_replay(void **state) {
    (void)state;
    lab_pair pair;
    ibk_buf changed = {0}, r_message_1 = {0};
    lab_pair_init(&pair);
    lab_pair_play(&pair, 4);
    assert_int_equal(ibk_buf_append_span(&r_message_1, ibk_buf_span(&pair.m[1])), IBK_OK);
    ibk_session *first = pair.b;
    ibk_env env = lab_env(&pair.bob);
    pair.b = NULL;
    assert_int_equal(ibk_session_new(&pair.b, &env, &pair.bc),
                     IBK_OK); /* a fresh responder of the same node */
    lab_deliver(&pair, 0, ibk_buf_span(&pair.m[0]));
    lab_expect_closed(&pair, IBK_ERR_REPLAYED);
    assert_int_equal(pair.step.message.len, 0);
    ibk_session_free(pair.b);
    assert_int_equal(ibk_session_new(&pair.b, &env, &pair.bc), IBK_OK);
    lab_edited(&pair, 0, change_t, &changed); /* a T of its own does not help: the ciphertext is known */
    lab_deliver(&pair, 0, ibk_buf_span(&changed));
    lab_expect_closed(&pair, IBK_ERR_REPLAYED);
    ibk_session_free(first);
    /* an I_MESSAGE_2 of another call of the same two users: its CSB ID is another */
    lab_pair other;
    lab_pair_init(&other);
    other.alice.random.seed = 99;
    lab_pair_play(&other, 2);
    assert_int_equal(ibk_session_recv(other.b, lab_now(&other.bob), ibk_buf_span(&pair.m[2]), &other.step),
                     IBK_OK);
    assert_int_equal(other.step.kind, IBK_STEP_DISCARDED);
    /* an R_MESSAGE_1 of another exchange that has the same CSB ID: no echo of ours */
    ibk_msg msg = {0};
    assert_int_equal(ibk_msg_parse(&msg, ibk_buf_span(&r_message_1), NULL), IBK_OK);
    lab_pair_play(&other, 1);
    msg.hdr.csb_id = ibk_session_csb_id(other.a);
    lab_find(&msg, IBK_PL_T, 0)->t = other.a->t1;
    ibk_buf_clear(&changed);
    assert_int_equal(ibk_msg_write(&msg, &changed), IBK_OK);
    ibk_msg_free(&msg);
    lab_deliver(&other, 1, ibk_buf_span(&changed));
    lab_expect_closed(&other, IBK_ERR_ECHO_MISMATCH);
    ibk_buf_free(&changed);
    ibk_buf_free(&r_message_1);
    lab_pair_free(&other);
    lab_pair_free(&pair);
}

static void test_cache_full(void **state) {
    (void)state;
    lab_pair pair;
    lab_pair_init(&pair);
    ibk_replay_cache_free(pair.bob.replay);
    ibk_replay_config config = {.max_entries = 1};
    assert_int_equal(ibk_replay_cache_new(&pair.bob.replay, &config), IBK_OK);
    pair.bc.node.replay = pair.bob.replay;
    lab_pair_play(&pair, 3); /* its I_MESSAGE_2 finds no room */
    lab_expect_closed(&pair, IBK_ERR_CACHE_FULL);
    lab_pair_free(&pair);
}

static void test_errors(void **state) {
    (void)state;
    lab_pair pair;
    lab_pair_init(&pair);
    lab_pair_play(&pair, 0);
    ibk_msg msg = {
        .hdr = {.data_type = IBK_MSG_ERROR, .csb_id = ibk_session_csb_id(pair.a), .map_type = IBK_MAP_EMPTY}};
    ibk_buf octets = {0};
    ibk_t wrong = pair.a->t1;
    wrong.value++;
    ibk_add_t(&msg.chain, &wrong);
    ibk_add_error(&msg.chain, IBK_ERRNO_SP);
    assert_int_equal(ibk_msg_write(&msg, &octets), IBK_OK);
    expect_discarded(&pair, pair.a, ibk_buf_span(&octets)); /* about no message of ours */
    expect_discarded(&pair, pair.a, ibk_span_of(octets.data, octets.len - 1));
    lab_find(&msg, IBK_PL_T, 0)->t = pair.a->t1;
    ibk_buf_clear(&octets);
    assert_int_equal(ibk_msg_write(&msg, &octets), IBK_OK);
    pair.a->policy.ignore_peer_errors = true;
    expect_discarded(&pair, pair.a, ibk_buf_span(&octets));
    pair.a->policy.ignore_peer_errors = false;
    lab_deliver(&pair, 1, ibk_buf_span(&octets));
    lab_expect_closed(&pair, IBK_ERR_PEER_ERROR);
    assert_int_equal(pair.step.peer_error, IBK_ERRNO_SP);
    assert_int_equal(pair.step.message.len, 0);
    ibk_msg_free(&msg);
    ibk_buf_free(&octets);
    lab_pair_free(&pair);
}

static void test_timeout(void **state) {
    (void)state;
    lab_pair pair;
    lab_pair_init(&pair);
    lab_pair_play(&pair, 1);
    ibk_time now = lab_now(&pair.alice);
    now.mono_ns = ibk_session_deadline(pair.a) - 1;
    assert_int_equal(ibk_session_expire(pair.a, now, &pair.step), IBK_OK);
    assert_int_equal(pair.step.kind, IBK_STEP_DISCARDED);
    now.mono_ns++;
    assert_int_equal(ibk_session_expire(pair.a, now, &pair.step), IBK_OK);
    lab_expect_closed(&pair, IBK_ERR_TIMEOUT);
    now.mono_ns = ibk_session_deadline(pair.b);
    assert_int_equal(ibk_session_expire(pair.b, now, &pair.step), IBK_OK);
    lab_expect_closed(&pair, IBK_ERR_TIMEOUT);
    assert_true(ibk_session_deadline(pair.b) == UINT64_MAX);
    lab_pair_free(&pair);
}

/* ---- randomness and secrets
 * ------------------------------------------------------------------------------------------------ */

/* Each draw of an exchange fails in turn: the session ends, and nothing half-made is sent. */
static void test_random_failure(void **state) {
    (void)state;
    int failures[2] = {0, 0};
    for (int side = 0; side < 2; side++) {
        for (uint64_t n = 1; n < 40; n++) {
            lab_pair pair;
            lab_pair_init(&pair);
            pair.ac.policy.allow_missing_echo = pair.bc.policy.answer_undecryptable =
                true; /* SK is drawn too */
            pair.alice.accept_others = true;
            pair.bob.uri = "sip:mailbox@away.example";
            pair.bc.local = ibk_identity_uri(pair.bob.uri);
            (side ? &pair.bob : &pair.alice)->random.fail_at = n;
            lab_pair_play(&pair, 4);
            bool failed = pair.step.kind == IBK_STEP_CLOSED;
            assert_true(failed || pair.step.kind == IBK_STEP_ESTABLISHED);
            if (failed) {
                lab_expect_closed(&pair, IBK_ERR_RANDOM);
                assert_int_equal(pair.step.message.len, 0);
                failures[side]++;
            }
            lab_pair_free(&pair);
        }
    }
    assert_int_equal(failures[0], 7); /* CSB ID, RAND, x, rho; rho, SK, rho of the ESK */
    assert_int_equal(failures[1], 3); /* y, rho, rho */
}

static void test_wiped(void **state) {
    (void)state;
    lab_pair pair;
    lab_pair_init(&pair);
    lab_pair_play(&pair, 2);
    assert_true(lab_all_zero(pair.a->own.scalar, sizeof pair.a->own.scalar)); /* x: after K_SESSION */
    assert_false(lab_all_zero(pair.a->mpk, sizeof pair.a->mpk));
    assert_false(lab_all_zero(pair.b->own.scalar, sizeof pair.b->own.scalar));
    lab_deliver(&pair, 2, ibk_buf_span(&pair.m[2]));
    assert_true(lab_all_zero(pair.b->own.scalar, sizeof pair.b->own.scalar));
    lab_deliver(&pair, 3, ibk_buf_span(&pair.m[3]));
    assert_memory_equal(pair.a->mpk, pair.b->mpk, sizeof pair.a->mpk); /* stays: P-31 */
    assert_false(lab_all_zero(pair.a->mpk, sizeof pair.a->mpk));
    assert_false(lab_all_zero(pair.a->tgk, sizeof pair.a->tgk));
    ibk_session_close(pair.a, IBK_OK);
    assert_true(lab_all_zero(pair.a->mpk, sizeof pair.a->mpk));
    assert_true(lab_all_zero(pair.a->tgk, sizeof pair.a->tgk));
    assert_true(lab_all_zero(&pair.a->own, sizeof pair.a->own));
    uint8_t tek[16];
    assert_int_equal(ibk_session_tek(pair.a, 1, tek, 16, NULL, 0), IBK_ERR_STATE);
    lab_pair_play(&pair, 2); /* and when it ends badly */
    pair.b->own.pub.octets[5] ^= 1;
    lab_deliver(&pair, 2, ibk_buf_span(&pair.m[2]));
    assert_true(lab_all_zero(&pair.b->own, sizeof pair.b->own));
    assert_true(lab_all_zero(&pair.b->theirs, sizeof pair.b->theirs));
    lab_pair_free(&pair);
}

static void test_config(void **state) {
    (void)state;
    lab_pair pair;
    lab_pair_init(&pair);
    ibk_env env = lab_env(&pair.alice), mute = {0};
    ibk_session *s;
    assert_int_equal(ibk_session_new(&s, &mute, &pair.ac), IBK_ERR_USAGE);
    ibk_session_config bad[12];
    for (int i = 0; i < 12; i++) {
        bad[i] = i == 8 || i == 9 ? pair.bc : pair.ac;
    }
    bad[0].local.id.len = 0;
    bad[1].peer.id.len = 0;
    bad[2].policy.curve = IBK_EC_P192; /* P-21: for receiving only */
    bad[3].policy.prf = 7;
    bad[4].map_type = IBK_MAP_EMPTY;
    bad[5].node.params = NULL;
    bad[6].role = 0;
    bad[7].policy.ts_type = 9;
    bad[8].node.replay = NULL;
    bad[9].policy.mac_alg = 9;
    bad[10].policy.curves = IBK_CURVE_BIT(IBK_EC_P384); /* its own [x]P is on P-256 */
    bad[11].peer.id_type = 3;
    for (int i = 0; i < 12; i++) {
        assert_int_equal(ibk_session_new(&s, &env, &bad[i]), IBK_ERR_USAGE);
    }
    ibk_cs_generic twice[2] = {{.cs_id = 1}, {.cs_id = 1}}; /* they would share a TEK */
    pair.ac.map_type = IBK_MAP_GENERIC_ID;
    pair.ac.n_srtp = 0;
    pair.ac.generic = twice;
    pair.ac.n_generic = 2;
    assert_int_equal(ibk_session_new(&s, &env, &pair.ac), IBK_ERR_USAGE);
    ibk_session_free(NULL);
    lab_pair_free(&pair);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_unexpected), cmocka_unit_test(test_foreign),
        cmocka_unit_test(test_truncated),  cmocka_unit_test(test_replay),
        cmocka_unit_test(test_cache_full), cmocka_unit_test(test_errors),
        cmocka_unit_test(test_timeout),    cmocka_unit_test(test_random_failure),
        cmocka_unit_test(test_wiped),      cmocka_unit_test(test_config),
    };
    return cmocka_run_group_tests(tests, lab_group_setup, lab_group_teardown);
}
