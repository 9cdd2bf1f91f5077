/* Complete exchanges between two objects in memory: what has to succeed. */
#include "ibake/lab.h"

#include <string.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static void one_call(uint8_t curve, uint8_t prf, uint8_t ts_type) {
    lab_pair pair;
    lab_pair_init(&pair);
    pair.ac.policy.curve = curve;
    pair.ac.policy.prf = prf;
    pair.ac.policy.ts_type = ts_type;
    lab_pair_play(&pair, 4);
    assert_int_equal(pair.step.kind, IBK_STEP_ESTABLISHED);
    lab_keys_agree(&pair);
    lab_pair_free(&pair);
}

/* Every curve, PRF and timestamp type, between users of two KMSs with parameters of their own. */
static void test_matrix(void **state) {
    (void)state;
    static const uint8_t curves[] = {IBK_EC_P256, IBK_EC_P384, IBK_EC_P521};
    for (size_t c = 0; c < 3; c++) {
        for (uint8_t prf = 0; prf < 2; prf++) {
            for (uint8_t ts = 0; ts < 4; ts++) {
                one_call(curves[c], prf, ts);
            }
        }
    }
}

static void test_one_kms(void **state) {
    (void)state;
    lab_pair pair;
    lab_pair_init(&pair);
    pair.bob.domain = &lab_home;
    pair.bob.uri = "sip:bob@home.example";
    pair.ac.peer = ibk_identity_uri(pair.bob.uri);
    pair.bc.local = pair.ac.peer;
    lab_pair_play(&pair, 4);
    lab_keys_agree(&pair);
    lab_pair_free(&pair);
}

/* Parameters of different sizes on the two sides. */
static void test_other_size(void **state) {
    (void)state;
    lab_pair pair;
    lab_domain large;
    lab_user maker;
    lab_user_init(&maker, "kms", &lab_home, 3);
    ibk_env env = lab_env(&maker);
    assert_int_equal(ibk_ibe_setup(&env, 2048, &large.params, &large.master, NULL, NULL), IBK_OK);
    lab_pair_init(&pair);
    lab_large = &large;
    pair.bob.domain = &large;
    pair.bob.uri = "sip:bob@large.example";
    pair.ac.peer = pair.bc.local = ibk_identity_uri(pair.bob.uri);
    lab_pair_play(&pair, 4);
    lab_keys_agree(&pair);
    lab_pair_free(&pair);
    lab_user_free(&maker);
    ibk_ibe_params_free(large.params);
    ibk_ibe_master_free(large.master);
    lab_large = NULL;
}

static ibk_ibe_peer *cached_peers[2];

static const ibk_ibe_peer *find_peer(void *user, const ibk_ibe_params *params, ibk_span ibe_identity) {
    ibk_ibe_peer **slot = &cached_peers[params == lab_home.params];
    (void)user;
    if (!*slot) {
        assert_int_equal(ibk_ibe_peer_new(slot, params, ibe_identity), IBK_OK);
    }
    return *slot;
}

/* A peer cache changes the time that it takes, and not one octet. */
static void test_peer_cache(void **state) {
    (void)state;
    lab_pair plain, cached;
    lab_pair_init(&plain);
    lab_pair_init(&cached);
    cached.ac.node.peer = cached.bc.node.peer = find_peer;
    lab_pair_play(&plain, 4);
    lab_pair_play(&cached, 4);
    lab_keys_agree(&cached);
    for (int i = 0; i < 4; i++) {
        assert_true(ibk_span_equal(ibk_buf_span(&plain.m[i]), ibk_buf_span(&cached.m[i])));
    }
    lab_pair_free(&plain);
    lab_pair_free(&cached);
    ibk_ibe_peer_free(cached_peers[0]);
    ibk_ibe_peer_free(cached_peers[1]);
}

/* What each step says: messages, what is awaited, when media are permitted (P-13). */
static void test_steps(void **state) {
    (void)state;
    lab_pair pair;
    uint8_t tek[16];
    lab_pair_init(&pair);
    lab_pair_play(&pair, 0);
    assert_int_equal(pair.step.kind, IBK_STEP_WAIT);
    assert_int_equal(pair.step.message_type, IBK_MSG_I_MESSAGE_1);
    assert_int_equal(pair.step.waits_for, IBK_MSG_R_MESSAGE_1);
    assert_int_equal(pair.step.state, IBK_STATE_I_WAIT_R_MESSAGE_1);
    assert_true(ibk_session_deadline(pair.a) == 1000 + UINT64_C(32000000000));
    assert_true(ibk_session_deadline(pair.b) == UINT64_MAX);
    lab_deliver(&pair, 0, ibk_buf_span(&pair.m[0]));
    assert_int_equal(pair.step.message_type, IBK_MSG_R_MESSAGE_1);
    assert_int_equal(pair.step.waits_for, IBK_MSG_I_MESSAGE_2);
    assert_int_equal(ibk_session_tek(pair.b, 1, tek, 16, NULL, 0), IBK_ERR_STATE);
    lab_deliver(&pair, 1, ibk_buf_span(&pair.m[1]));
    assert_int_equal(pair.step.message_type, IBK_MSG_I_MESSAGE_2);
    assert_int_equal(pair.step.waits_for, IBK_MSG_R_MESSAGE_2);
    assert_int_equal(ibk_session_tek(pair.a, 1, tek, 16, NULL, 0), IBK_ERR_STATE);
    lab_deliver(&pair, 2, ibk_buf_span(&pair.m[2]));
    assert_int_equal(pair.step.kind, IBK_STEP_ESTABLISHED);
    assert_int_equal(pair.step.message_type, IBK_MSG_R_MESSAGE_2);
    assert_int_equal(pair.step.waits_for, 0);
    lab_deliver(&pair, 3, ibk_buf_span(&pair.m[3]));
    assert_int_equal(pair.step.kind, IBK_STEP_ESTABLISHED);
    assert_int_equal(pair.step.message_type, 0);
    assert_true(ibk_session_deadline(pair.a) == UINT64_MAX);
    assert_int_equal(ibk_session_csb_id(pair.a), ibk_session_csb_id(pair.b));
    assert_int_equal(ibk_session_start(pair.a, lab_now(&pair.alice), &pair.step), IBK_ERR_STATE);
    lab_pair_free(&pair);
}

/* The header, V flags, T and RAND of each message (RFC 6267 §4.2.2). */
static void test_frames(void **state) {
    (void)state;
    lab_pair pair;
    lab_pair_init(&pair);
    lab_pair_play(&pair, 4);
    ibk_msg m[4] = {0};
    static const bool v_flags[] = {true, true, true, false};
    for (int i = 0; i < 4; i++) {
        assert_int_equal(ibk_msg_parse(&m[i], ibk_buf_span(&pair.m[i]), NULL), IBK_OK);
        assert_int_equal(m[i].hdr.data_type, IBK_MSG_I_MESSAGE_1 + i);
        assert_int_equal(m[i].hdr.v_flag, v_flags[i]);
        assert_int_equal(m[i].hdr.csb_id, m[0].hdr.csb_id);
        assert_int_equal(m[i].hdr.n_cs, 2);
        assert_int_equal(ibk_msg_find_idr(&m[i], IBK_ROLE_I, 0) != NULL, 1);
        assert_int_equal(ibk_msg_find_idr(&m[i], IBK_ROLE_R, 0) != NULL, 1);
        assert_int_equal(ibk_msg_find(&m[i], IBK_PL_RAND, 0) != NULL, i == 0 || i == 2);
        assert_int_equal(ibk_msg_find(&m[i], IBK_PL_V, 0) != NULL, i == 3);
        assert_int_equal(ibk_msg_find(&m[i], IBK_PL_IBAKE, 0) != NULL, i != 3);
        assert_null(ibk_msg_find(&m[i], IBK_PL_ESK, 0));
    }
    ibk_t t[4];
    for (int i = 0; i < 4; i++) {
        t[i] = ibk_msg_find(&m[i], IBK_PL_T, 0)->t;
    }
    assert_true(ibk_t_equal(&t[0], &t[1]) && ibk_t_equal(&t[2], &t[3]) && !ibk_t_equal(&t[0], &t[2]));
    assert_true(ibk_span_equal(ibk_msg_find(&m[0], IBK_PL_RAND, 0)->rand.data,
                               ibk_msg_find(&m[2], IBK_PL_RAND, 0)->rand.data)); /* P-7 */
    ibk_cs_srtp cs;
    assert_true(ibk_map_srtp(&m[0].hdr, 1, &cs) && cs.ssrc == 0);
    assert_true(ibk_map_srtp(&m[1].hdr, 1, &cs) && cs.ssrc == 0x22222222);
    for (int i = 0; i < 4; i++) {
        ibk_msg_free(&m[i]);
    }
    ibk_srtp_policy policy;
    assert_int_equal(ibk_session_srtp_policy(pair.b, 2, &policy), IBK_OK);
    assert_int_equal(policy.encr_alg, IBK_SRTP_ENCR_AES_CM);
    assert_int_equal(ibk_session_srtp_policy(pair.b, 3, &policy), IBK_ERR_USAGE);
    lab_pair_free(&pair);
}

static void play_twice(uint64_t second_seed, bool same) {
    lab_pair one, two;
    lab_pair_init(&one);
    lab_pair_init(&two);
    two.alice.random.seed = second_seed;
    lab_pair_play(&one, 4);
    lab_pair_play(&two, 4);
    lab_keys_agree(&one);
    lab_keys_agree(&two);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(ibk_span_equal(ibk_buf_span(&one.m[i]), ibk_buf_span(&two.m[i])), same);
    }
    assert_int_equal(ibk_span_equal(ibk_buf_span(&one.alice.log.octets), ibk_buf_span(&two.alice.log.octets)),
                     same);
    lab_pair_free(&one);
    lab_pair_free(&two);
}

static void test_repeatable(void **state) {
    (void)state;
    play_twice(11, true);
    play_twice(12, false);
}

static void test_keylog(void **state) {
    (void)state;
    lab_pair pair;
    lab_pair_init(&pair);
    lab_pair_play(&pair, 4);
    lab_keys_agree(&pair);
    lab_keys_agree(&pair); /* asking again logs nothing again */
    assert_int_equal(pair.alice.log.kinds[IBK_KEYLOG_X], 1);
    assert_int_equal(pair.alice.log.kinds[IBK_KEYLOG_Y], 0);
    assert_int_equal(pair.bob.log.kinds[IBK_KEYLOG_Y], 1);
    const lab_log *logs[] = {&pair.alice.log, &pair.bob.log};
    for (int i = 0; i < 2; i++) {
        assert_int_equal(logs[i]->kinds[IBK_KEYLOG_KSESSION], 1);
        assert_int_equal(logs[i]->kinds[IBK_KEYLOG_MPK], 1);
        assert_int_equal(logs[i]->kinds[IBK_KEYLOG_TGK], 1);
        assert_int_equal(logs[i]->kinds[IBK_KEYLOG_AUTHKEY], 1);
        assert_int_equal(logs[i]->kinds[IBK_KEYLOG_TEK], 2);
        assert_int_equal(logs[i]->kinds[IBK_KEYLOG_SALT], 2);
    }
    lab_pair_free(&pair);
}

/* Look-ups that have to be fetched first: the same call is made again and the exchange goes on. */
static void test_pending(void **state) {
    (void)state;
    lab_pair pair;
    lab_pair_init(&pair);
    lab_pair_sessions(&pair);
    pair.alice.pending_params = 1;
    assert_int_equal(ibk_session_start(pair.a, lab_now(&pair.alice), &pair.step), IBK_OK);
    assert_int_equal(pair.step.kind, IBK_STEP_NEED_PARAMS);
    assert_true(ibk_span_equal(pair.step.need.id, ibk_span_str(pair.bob.uri)));
    assert_int_equal(pair.step.message.len, 0);
    assert_int_equal(ibk_session_start(pair.a, lab_now(&pair.alice), &pair.step), IBK_OK);
    assert_int_equal(pair.step.kind, IBK_STEP_WAIT);
    assert_int_equal(ibk_buf_append_span(&pair.m[0], pair.step.message), IBK_OK);
    for (int i = 0; i < 4; i++) {
        lab_user *user = i % 2 ? &pair.alice : &pair.bob;
        user->pending_params = i < 2;
        user->pending_keys = i < 3;
        if (i < 2) {
            lab_deliver(&pair, i, ibk_buf_span(&pair.m[i]));
            assert_int_equal(pair.step.kind, IBK_STEP_NEED_PARAMS);
        }
        if (i < 3) {
            lab_deliver(&pair, i, ibk_buf_span(&pair.m[i]));
            assert_int_equal(pair.step.kind, IBK_STEP_NEED_KEY);
            assert_int_equal(pair.step.need.id.len, strlen(user->uri) + 8); /* P-9 */
        }
        lab_deliver(&pair, i, ibk_buf_span(&pair.m[i]));
    }
    lab_keys_agree(&pair);
    lab_pair_free(&pair);
}

/* A call across midnight: both sides keep the date of I_MESSAGE_1's T. */
static void test_midnight(void **state) {
    (void)state;
    lab_pair pair;
    lab_pair_init(&pair);
    pair.alice.utc_ns = pair.bob.utc_ns = LAB_NOON + LAB_DAY / 2 - 1;
    lab_pair_play(&pair, 0);
    for (int i = 0; i < 4; i++) {
        pair.alice.utc_ns += 1000000;
        pair.bob.utc_ns += 1000000;
        lab_deliver(&pair, i, ibk_buf_span(&pair.m[i]));
    }
    lab_keys_agree(&pair);
    lab_pair_free(&pair);
}

static void test_granularity(void **state) {
    (void)state;
    lab_pair pair;
    lab_pair_init(&pair);
    pair.alice.granularity = pair.ac.local_granularity = pair.bc.peer_granularity = IBK_GRANULARITY_HOUR;
    pair.bob.granularity = pair.bc.local_granularity = pair.ac.peer_granularity = IBK_GRANULARITY_MONTH;
    lab_pair_play(&pair, 4);
    lab_keys_agree(&pair);
    lab_pair_free(&pair);
}

static ibk_granularity granularity_of(void *user, const ibk_identity *id) {
    (void)user;
    bool at_home = ibk_span_equal(id->id, ibk_span_str("sip:alice@home.example"));
    return at_home ? IBK_GRANULARITY_HOUR : IBK_GRANULARITY_MONTH;
}

/* The configuration cannot say it: who calls, and who answers, shows only in the messages. */
static void test_granularity_of_the_peer(void **state) {
    (void)state;
    lab_pair pair;
    lab_pair_init(&pair);
    pair.alice.granularity = pair.ac.local_granularity = IBK_GRANULARITY_HOUR;
    pair.bob.granularity = pair.bc.local_granularity = IBK_GRANULARITY_MONTH;
    pair.ac.node.granularity = pair.bc.node.granularity = granularity_of;
    lab_pair_play(&pair, 4);
    lab_keys_agree(&pair);
    lab_pair_free(&pair);
}

/* Forking (P-19): a common identity was called, a contact answers under its own. */
static void test_other_responder(void **state) {
    (void)state;
    lab_pair pair;
    lab_pair_init(&pair);
    pair.bob.also = "sip:desk@away.example";
    pair.ac.peer = ibk_identity_uri(pair.bob.also);
    pair.alice.accept_others = true;
    lab_pair_play(&pair, 4);
    lab_keys_agree(&pair);
    assert_true(ibk_span_equal(ibk_session_asked(pair.a).id, ibk_span_str(pair.bob.also)));
    assert_true(ibk_span_equal(ibk_session_peer(pair.a).id, ibk_span_str(pair.bob.uri)));
    assert_false(ibk_session_deferred(pair.a));
    lab_pair_free(&pair);
    lab_pair_init(&pair);
    pair.bob.also = "sip:desk@away.example";
    pair.ac.peer = ibk_identity_uri(pair.bob.also);
    lab_pair_play(&pair, 2);
    assert_int_equal(pair.step.kind, IBK_STEP_CLOSED);
    assert_int_equal(pair.step.reason, IBK_ERR_REFUSED);
    lab_pair_free(&pair);
}

/* Deferred delivery: a mailbox that cannot read I_MESSAGE_1 (N35, N43, N45, N46, N52, N54, N56, N58, N65,
 * N66, N69). */
static void test_deferred(void **state) {
    (void)state;
    lab_pair pair;
    lab_pair_init(&pair);
    pair.bob.uri = "sip:mailbox@away.example";
    pair.bc.local = ibk_identity_uri(pair.bob.uri);
    pair.bc.policy.answer_undecryptable = true;
    pair.ac.policy.allow_missing_echo = true;
    pair.alice.accept_others = true;
    lab_pair_play(&pair, 4);
    lab_keys_agree(&pair);
    assert_true(ibk_session_deferred(pair.a) && ibk_session_deferred(pair.b));
    ibk_msg r2 = {0}, i2 = {0};
    assert_int_equal(ibk_msg_parse(&i2, ibk_buf_span(&pair.m[2]), NULL), IBK_OK);
    assert_int_equal(ibk_msg_parse(&r2, ibk_buf_span(&pair.m[3]), NULL), IBK_OK);
    assert_non_null(ibk_msg_find(&i2, IBK_PL_ESK, 0));
    assert_non_null(ibk_msg_find(&r2, IBK_PL_IBAKE, 0));
    ibk_msg_free(&i2);
    ibk_msg_free(&r2);
    /* the intended recipient comes online */
    lab_user bob;
    ibk_buf sk = {0}, sender = {0}, id = {0};
    const ibk_ibe_params *params;
    const ibk_ibe_key *key;
    lab_user_init(&bob, "sip:bob@away.example", &lab_away, 5);
    assert_int_equal(ibk_ibe_identity(&id, ibk_span_str(bob.uri), IBK_GRANULARITY_DAY, LAB_NOON), IBK_OK);
    ibk_session_config config = lab_config(&bob, IBK_SESSION_RESPONDER, NULL);
    assert_int_equal(config.node.private_key(&bob, ibk_buf_span(&id), &params, &key), IBK_LOOKUP_FOUND);
    assert_int_equal(ibk_esk_open(&sk, &sender, params, key, ibk_session_esk(pair.b), NULL), IBK_OK);
    assert_true(ibk_span_equal(ibk_buf_span(&sk), ibk_session_sk(pair.a)));
    assert_true(ibk_span_equal(ibk_buf_span(&sender), ibk_span_str(pair.alice.uri)));
    ibk_buf_free(&id);
    ibk_buf_free(&sk);
    ibk_buf_free(&sender);
    lab_user_free(&bob);
    /* replays of what the mailbox could not read are known to it (P-15) */
    lab_pair_sessions(&pair);
    lab_deliver(&pair, 0, ibk_buf_span(&pair.m[0]));
    assert_int_equal(pair.step.reason, IBK_ERR_REPLAYED);
    lab_pair_free(&pair);
}

/* What the mailbox could not read leaves the allowed skew before I_MESSAGE_2 comes. */
static void test_deferred_at_the_edge(void **state) {
    (void)state;
    lab_pair pair;
    lab_pair_init(&pair);
    pair.bob.uri = "sip:mailbox@away.example";
    pair.bc.local = ibk_identity_uri(pair.bob.uri);
    pair.bc.policy.answer_undecryptable = true;
    pair.ac.policy.allow_missing_echo = true;
    pair.alice.accept_others = true;
    pair.bob.utc_ns += IBK_REPLAY_DEFAULT_SKEW_NS - 1;
    lab_pair_play(&pair, 1);
    pair.alice.utc_ns += 2;
    pair.bob.utc_ns += 2;
    for (int i = 1; i < 4; i++) {
        lab_deliver(&pair, i, ibk_buf_span(&pair.m[i]));
    }
    lab_keys_agree(&pair);
    lab_pair_free(&pair);
}

/* GENERIC-ID and Empty maps. */
static void test_maps(void **state) {
    (void)state;
    static const uint8_t numbers[] = {1, 2};
    lab_pair pair;
    lab_pair_init(&pair);
    ibk_buf session = {0};
    ibk_srtp_session ssrc = {.ssrc = 7};
    assert_int_equal(ibk_srtp_session_write(&session, &ssrc), IBK_OK);
    ibk_cs_generic cs[2] = {{.cs_id = 1, .policies = {numbers, 2}, .session = ibk_buf_span(&session)},
                            {.cs_id = 2, .policies = {numbers, 1}, .session = ibk_buf_span(&session)}};
    ibk_sp sps[2] = {pair.ac.policies[0], pair.ac.policies[0]};
    sps[1].policy_no = 2;
    pair.ac.map_type = IBK_MAP_GENERIC_ID;
    pair.ac.n_srtp = pair.bc.n_srtp = 0;
    pair.ac.generic = cs;
    pair.ac.n_generic = 2;
    pair.ac.policies = sps;
    pair.ac.n_policies = 2;
    lab_pair_play(&pair, 4);
    lab_keys_agree(&pair);
    ibk_cs_generic got;
    assert_true(ibk_map_generic(ibk_session_header(pair.a), 0, &got) && got.policies.len == 1);
    ibk_buf_free(&session);
    lab_pair_free(&pair);

    lab_pair_init(&pair);
    pair.ac.map_type = IBK_MAP_EMPTY;
    pair.ac.n_srtp = pair.bc.n_srtp = pair.ac.n_policies = 0;
    lab_pair_play(&pair, 4);
    assert_int_equal(pair.step.kind, IBK_STEP_ESTABLISHED);
    uint8_t tek[16];
    assert_int_equal(ibk_session_tek(pair.a, 1, tek, 16, NULL, 0), IBK_ERR_USAGE);
    lab_pair_free(&pair);
}

/* RFC 6043 §6.1.1: policy, session data and SPI are in the answer where the offer has none. */
static void test_generic_filled(void **state) {
    (void)state;
    static const ibk_cs_generic bare[2] = {{.cs_id = 1}, {.cs_id = 2}};
    lab_pair pair;
    lab_pair_init(&pair);
    pair.ac.map_type = IBK_MAP_GENERIC_ID;
    pair.ac.n_srtp = pair.bc.n_srtp = pair.ac.n_policies = 0;
    pair.ac.generic = bare;
    pair.ac.n_generic = 2;
    lab_pair_play(&pair, 4);
    lab_keys_agree(&pair);
    ibk_cs_generic one, two;
    ibk_srtp_session data;
    assert_true(ibk_map_generic(ibk_session_header(pair.a), 0, &one));
    assert_true(ibk_map_generic(ibk_session_header(pair.a), 1, &two));
    assert_true(one.policies.len == 1 && one.spi.len > 0 && !ibk_span_equal(one.spi, two.spi));
    assert_int_equal(ibk_srtp_session_parse(&data, &one), IBK_OK);
    assert_int_equal(data.ssrc, 0);
    lab_pair_free(&pair);
}

/* RFC 3830 §4.2.8: NTP's 32-bit seconds wrap on 2036-02-07. */
static void test_ntp_wrap(void **state) {
    (void)state;
    static const uint8_t types[] = {IBK_TS_NTP_UTC, IBK_TS_NTP_UTC_32};
    for (int i = 0; i < 2; i++) {
        lab_pair pair;
        lab_pair_init(&pair);
        pair.ac.policy.ts_type = types[i];
        pair.alice.utc_ns = (INT64_C(2085978496) - 1) * 1000000000; /* the last second of the era */
        pair.bob.utc_ns = pair.alice.utc_ns + 30 * INT64_C(1000000000);
        lab_pair_play(&pair, 4);
        lab_keys_agree(&pair);
        lab_pair_free(&pair);
    }
}

static void test_peek(void **state) {
    (void)state;
    lab_pair pair;
    ibk_peek peek;
    lab_pair_init(&pair);
    lab_pair_play(&pair, 0);
    assert_int_equal(ibk_message_peek(&peek, ibk_buf_span(&pair.m[0]), NULL), IBK_OK);
    assert_int_equal(peek.data_type, IBK_MSG_I_MESSAGE_1);
    assert_int_equal(peek.csb_id, ibk_session_csb_id(pair.a));
    assert_true(ibk_span_equal(peek.initiator.id, ibk_span_str(pair.alice.uri)));
    assert_true(ibk_span_equal(peek.responder.id, ibk_span_str(pair.bob.uri)));
    assert_int_equal(peek.kms.id.len, 0);
    lab_pair_free(&pair);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_matrix),
        cmocka_unit_test(test_one_kms),
        cmocka_unit_test(test_other_size),
        cmocka_unit_test(test_peer_cache),
        cmocka_unit_test(test_steps),
        cmocka_unit_test(test_frames),
        cmocka_unit_test(test_repeatable),
        cmocka_unit_test(test_keylog),
        cmocka_unit_test(test_pending),
        cmocka_unit_test(test_midnight),
        cmocka_unit_test(test_granularity),
        cmocka_unit_test(test_granularity_of_the_peer),
        cmocka_unit_test(test_maps),
        cmocka_unit_test(test_generic_filled),
        cmocka_unit_test(test_other_responder),
        cmocka_unit_test(test_deferred),
        cmocka_unit_test(test_deferred_at_the_edge),
        cmocka_unit_test(test_ntp_wrap),
        cmocka_unit_test(test_peek),
    };
    return cmocka_run_group_tests(tests, lab_group_setup, lab_group_teardown);
}
