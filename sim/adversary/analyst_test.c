/* What an adversary makes of a recorded call: exactly what its secrets permit, and nothing without them. */
#include "adversary/analyst_internal.h"
#include "adversary/analyst_lab.h"

#include <ibake/kms.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define ALICE "sip:alice@home.example"
#define BOB   "sip:bob@away.example"

#define BIT(thing) SCN_THING_BIT(SCN_THING_##thing)
#define POINTS     (BIT(XP) | BIT(YP))
#define ALL_MEDIA  (BIT(SESSION_KEY) | BIT(MEDIA))

static const lab_options plain = {.seed = 1}, updated = {.seed = 2, .update = true},
                         with_content = {.seed = 3, .content = true};

static void test_without_secrets(void **state) {
    (void)state;
    lab_call call;
    lab_adversary m;
    lab_play(&call, &updated);
    lab_adversary_init(&m);
    lab_feed(&m, &call);
    assert_int_equal(lab_conclude(&m, &call), 0);
    assert_int_equal(m.party->fact_count, 0);
    assert_int_equal(analyst_get_stats(m.a)->messages, 6);
    assert_int_equal(analyst_get_stats(m.a)->packets, 4 * LAB_PACKETS);
    lab_adversary_free(&m);
    lab_free(&call);
}

/* Bob's key opens what was encrypted to him: I_MESSAGE_1, and I_MESSAGE_2 which has both points. */
static void test_a_private_key(void **state) {
    (void)state;
    lab_call call;
    lab_adversary m;
    lab_play(&call, &plain);
    lab_adversary_init(&m);
    lab_give_key(&m, &lab_away, BOB, 0, 0);
    lab_feed(&m, &call);
    assert_int_equal(lab_conclude(&m, &call), POINTS);
    const ledger_fact *xp = lab_fact(&m, SCN_THING_XP), *yp = lab_fact(&m, SCN_THING_YP);
    assert_int_equal(xp->at_ns, call.times[0]);
    assert_int_equal(yp->at_ns, call.times[2]);
    assert_int_equal(xp->how, LEDGER_DECRYPTED);
    assert_string_equal(xp->step,
                        "IBAKE of I_MESSAGE_1 opened with the private key of sip:bob@away.example20260302, "
                        "taken from sip:bob@away.example");
    assert_int_equal(ledger_found_out(m.party, NULL), POINTS); /* the key was given */
    assert_int_equal(ledger_knows(m.party, NULL), POINTS | BIT(PRIVATE_KEY));
    lab_adversary_free(&m);
    lab_free(&call);
}

static void test_one_message_alone(void **state) {
    (void)state;
    lab_call call;
    lab_adversary m;
    lab_play(&call, &plain);
    lab_adversary_init(&m);
    lab_give_key(&m, &lab_away, BOB, 0, 0);
    analyst_message first = {.octets = ibk_buf_span(&call.messages[0]), .call = &call.call};
    analyst_add_message(m.a, &first);
    assert_int_equal(lab_conclude(&m, &call), BIT(XP));
    lab_adversary_free(&m);
    lab_free(&call);
}

/* What was broken into later opens what was recorded before, and is known from then on. */
static void test_a_key_that_comes_later(void **state) {
    (void)state;
    lab_call call;
    lab_adversary m;
    lab_play(&call, &plain);
    lab_adversary_init(&m);
    lab_feed(&m, &call);
    lab_give_key(&m, &lab_away, BOB, 0, 100 * LAB_S);
    assert_int_equal(lab_conclude(&m, &call), POINTS);
    assert_int_equal(lab_fact(&m, SCN_THING_XP)->at_ns, 100 * LAB_S);
    lab_adversary_free(&m);
    lab_free(&call);
}

static void test_keys_that_do_not_fit(void **state) {
    (void)state;
    lab_call call;
    lab_adversary m;
    lab_play(&call, &plain);
    lab_adversary_init(&m);
    lab_give_key(&m, &lab_away, BOB, 1, 0);                      /* tomorrow's */
    lab_give_key(&m, &lab_home, BOB, 0, 0);                      /* of another KMS */
    lab_give_key(&m, &lab_away, "sip:carol@away.example", 0, 0); /* another user's */
    lab_feed(&m, &call);
    assert_int_equal(lab_conclude(&m, &call), 0);
    assert_int_equal(ledger_found_out(m.party, NULL), 0);
    assert_true(analyst_get_stats(m.a)->pairings > 0); /* they were tried */
    lab_adversary_free(&m);
    lab_free(&call);
}

/* A KMS has every private key, and no session key (RFC 6267 §7). */
static void test_master_secrets(void **state) {
    (void)state;
    lab_call call;
    lab_adversary m;
    lab_play(&call, &updated);
    lab_adversary_init(&m);
    wallet_origin origin = wallet_from(LEDGER_BROKEN_IN, 0, "taken from the KMS");
    assert_int_equal(wallet_add_master(m.w, lab_home.params, lab_home.master, &origin), IBK_OK);
    assert_int_equal(wallet_add_master(m.w, lab_away.params, lab_away.master, &origin), IBK_OK);
    lab_feed(&m, &call);
    assert_int_equal(lab_conclude(&m, &call), POINTS);
    assert_int_equal(analyst_get_stats(m.a)->points, 4); /* those of the update as well */
    assert_int_equal(ledger_knows(m.party, NULL), POINTS | BIT(PRIVATE_KEY) | BIT(MASTER_SECRET));
    assert_int_equal(lab_fact(&m, SCN_THING_PRIVATE_KEY)->how, LEDGER_COMPUTED);
    lab_adversary_free(&m);
    lab_free(&call);
}

/* x alone gives [x]P; with what opens [y]P, K_SESSION and all that follows. */
static void test_a_scalar(void **state) {
    (void)state;
    lab_call call;
    lab_play(&call, &plain);
    for (int responders = 0; responders < 2; responders++) {
        for (int with_key = 0; with_key < 2; with_key++) {
            lab_adversary m;
            const ibk_buf *scalar = responders ? &call.bob.scalar : &call.alice.scalar;
            lab_adversary_init(&m);
            lab_give_scalar(&m, &call, ibk_buf_span(scalar), responders, 5 * LAB_S);
            if (with_key)
                lab_give_key(&m, &lab_home, ALICE, 0, 0); /* opens R_MESSAGE_1, which has both points */
            lab_feed(&m, &call);
            uint64_t own = responders ? BIT(Y) | BIT(YP) : BIT(X) | BIT(XP);
            assert_int_equal(lab_conclude(&m, &call), own | (with_key ? POINTS | ALL_MEDIA : 0));
            if (with_key) {
                assert_int_equal(lab_fact(&m, SCN_THING_SESSION_KEY)->how, LEDGER_COMPUTED);
                assert_int_equal(lab_fact(&m, SCN_THING_SESSION_KEY)->at_ns,
                                 10 * LAB_S); /* the first packet */
                assert_int_equal(lab_fact(&m, SCN_THING_MEDIA)->how, LEDGER_DECRYPTED);
                assert_int_equal(analyst_get_stats(m.a)->opened_packets, 2 * LAB_PACKETS);
                assert_int_equal(analyst_get_stats(m.a)->keys,
                                 1); /* its scalar meets the other's point alone */
                assert_null(analyst_note(m.a, 0));
            }
            lab_adversary_free(&m);
        }
    }
    lab_free(&call);
}

static void test_a_scalar_of_another_call(void **state) {
    (void)state;
    lab_call call, other;
    lab_adversary m;
    lab_options second = {.seed = 9};
    lab_play(&call, &plain);
    lab_play(&other, &second);
    lab_adversary_init(&m);
    lab_give_scalar(&m, &other, ibk_buf_span(&other.alice.scalar), false, 0);
    lab_give_key(&m, &lab_home, ALICE, 0, 0);
    lab_feed(&m, &call);
    assert_int_equal(lab_conclude(&m, &call), POINTS);
    lab_adversary_free(&m);
    lab_free(&call);
    lab_free(&other);
}

/* No packet, no session key: the key fits V, which is told and does not count. */
static void test_without_media(void **state) {
    (void)state;
    lab_call call;
    lab_adversary m;
    lab_play(&call, &plain);
    size_t packets = call.packet_count;
    call.packet_count = 0;
    lab_adversary_init(&m);
    lab_give_scalar(&m, &call, ibk_buf_span(&call.alice.scalar), false, 0);
    lab_give_key(&m, &lab_home, ALICE, 0, 0);
    lab_feed(&m, &call);
    assert_int_equal(lab_conclude(&m, &call), POINTS | BIT(X));
    assert_non_null(analyst_note(m.a, 0));
    assert_non_null(strstr(analyst_note(m.a, 0), "of call lab fits its V"));
    assert_null(analyst_note(m.a, 1));
    lab_adversary_free(&m);
    call.packet_count = packets;
    lab_free(&call);
}

static void test_a_leaked_tgk(void **state) {
    (void)state;
    lab_call call;
    lab_play(&call, &plain);
    for (int right = 0; right < 2; right++) {
        lab_adversary m;
        wallet_origin origin = wallet_from(LEDGER_BROKEN_IN, 0, "of this call");
        lab_adversary_init(&m);
        assert_int_equal(wallet_add_tgk(m.w, call.csb_id + !right, ibk_buf_span(&call.bob.tgk), &origin),
                         IBK_OK);
        lab_feed(&m, &call);
        assert_int_equal(lab_conclude(&m, &call), right ? ALL_MEDIA : 0);
        assert_int_equal(ledger_found_out(m.party, NULL), right ? BIT(MEDIA) : 0); /* the key was given */
        lab_adversary_free(&m);
    }
    lab_free(&call);
}

/* Forward secrecy inside a call: each TGK opens its own packets. */
static void test_updates(void **state) {
    (void)state;
    lab_call call;
    lab_play(&call, &updated);
    for (int later = 0; later < 2; later++) {
        lab_adversary m;
        wallet_origin origin = wallet_from(LEDGER_BROKEN_IN, 0, "of this call");
        const ibk_buf *tgk = later ? &call.alice.later_tgk : &call.alice.tgk;
        lab_adversary_init(&m);
        assert_int_equal(wallet_add_tgk(m.w, call.csb_id, ibk_buf_span(tgk), &origin), IBK_OK);
        lab_feed(&m, &call);
        assert_int_equal(lab_conclude(&m, &call), ALL_MEDIA);
        assert_int_equal(analyst_get_stats(m.a)->opened_packets, 2 * LAB_PACKETS);
        assert_int_equal(lab_fact(&m, SCN_THING_SESSION_KEY)->at_ns, (later ? 30 : 10) * LAB_S);
        lab_adversary_free(&m);
    }
    lab_adversary m; /* y of the update, and the point that it meets */
    lab_adversary_init(&m);
    lab_give_scalar(&m, &call, ibk_buf_span(&call.bob.later_scalar), true, 0);
    lab_give_key(&m, &lab_away, BOB, 0, 0);
    lab_feed(&m, &call);
    assert_int_equal(lab_conclude(&m, &call), POINTS | BIT(Y) | ALL_MEDIA);
    assert_int_equal(analyst_get_stats(m.a)->opened_packets, 2 * LAB_PACKETS);
    assert_int_equal(lab_fact(&m, SCN_THING_SESSION_KEY)->at_ns, 30 * LAB_S);
    lab_adversary_free(&m);
    lab_free(&call);
}

/* Content lies under SK inside the SRTP of the hop: either key alone opens nothing of it. */
static void test_content(void **state) {
    (void)state;
    lab_call call;
    lab_play(&call, &with_content);
    for (int have = 0; have < 4; have++) {
        lab_adversary m;
        bool has_tgk = have & 1, has_key = have & 2;
        wallet_origin origin = wallet_from(LEDGER_BROKEN_IN, 0, "of this call");
        lab_adversary_init(&m);
        if (has_tgk)
            assert_int_equal(wallet_add_tgk(m.w, call.csb_id, ibk_buf_span(&call.bob.tgk), &origin), IBK_OK);
        if (has_key)
            lab_give_key(&m, &lab_away, BOB, 0, 0); /* opens the ESK */
        lab_feed(&m, &call);
        uint64_t expected = (has_tgk ? ALL_MEDIA : 0) | (has_key ? POINTS : 0);
        assert_int_equal(lab_conclude(&m, &call), expected | (has_tgk && has_key ? BIT(CONTENT) : 0));
        lab_adversary_free(&m);
    }
    lab_free(&call);
}

/* Who has the keys of the hop, as a mailbox does, hears nothing of what lies under SK. */
static void test_content_alone(void **state) {
    (void)state;
    lab_call call;
    lab_adversary m;
    lab_play(&call, &with_content);
    wallet_origin origin = wallet_from(LEDGER_BROKEN_IN, 0, "of this call");
    lab_adversary_init(&m);
    assert_int_equal(wallet_add_tgk(m.w, call.csb_id, ibk_buf_span(&call.bob.tgk), &origin), IBK_OK);
    for (size_t i = 0; i < call.packet_count; i += 2) /* the caller's */
        ibk_buf_clear(&call.packets[i + 1].octets);
    lab_feed(&m, &call);
    assert_int_equal(lab_conclude(&m, &call), BIT(SESSION_KEY));
    assert_int_equal(analyst_get_stats(m.a)->opened_packets, LAB_PACKETS);
    lab_adversary_free(&m);
    lab_free(&call);
}

/* Several seats, resent messages: each once. Beyond the limits nothing is kept, which is told. */
static void test_recording(void **state) {
    (void)state;
    lab_call call;
    lab_adversary m;
    lab_play(&call, &plain);
    lab_adversary_init(&m);
    lab_feed(&m, &call);
    lab_feed(&m, &call);
    assert_int_equal(analyst_get_stats(m.a)->messages, 4);
    assert_int_equal(analyst_get_stats(m.a)->packets, 2 * LAB_PACKETS);
    analyst_config small = {
        .wallet = m.w, .party = m.party, .start_utc_ns = LAB_START, .max_mikey = 900, .max_media = 400};
    analyst_free(m.a);
    assert_int_equal(analyst_new(&m.a, &small), IBK_OK);
    lab_feed(&m, &call);
    lab_conclude(&m, &call);
    const analyst_stats *stats = analyst_get_stats(m.a);
    assert_in_range(stats->messages, 1, 3);
    assert_int_equal(stats->messages + stats->messages_dropped, 4);
    assert_int_equal(stats->packets + stats->packets_dropped, 2 * LAB_PACKETS);
    assert_non_null(strstr(analyst_note(m.a, 0), "MIKEY messages beyond 900 octets were not kept"));
    assert_non_null(strstr(analyst_note(m.a, 1), "media packets beyond 400 octets were not kept"));
    lab_adversary_free(&m);
    lab_free(&call);
}

/* ---- speech in clear
 * --------------------------------------------------------------------------------------------- */

static bool is_zero_filled(void *user, ibk_span rtp) {
    (void)user;
    return rtp.data[rtp.len - 1] == 0;
}

static void test_media_in_clear(void **state) {
    (void)state;
    static const scn_call call = {.name = "clear"};
    uint8_t rtp[172] = {0x80, 0, 0, 1};
    for (int clear = 0; clear < 2; clear++) {
        lab_adversary m;
        lab_adversary_init(&m);
        analyst_free(m.a);
        analyst_config config = {.wallet = m.w, .party = m.party, .is_speech = is_zero_filled};
        assert_int_equal(analyst_new(&m.a, &config), IBK_OK);
        rtp[171] = clear ? 0 : 1;
        analyst_packet packet = {.at_ns = 3, .octets = ibk_span_of(rtp, sizeof rtp), .call = &call};
        analyst_add_packet(m.a, &packet);
        analyst_conclude(m.a);
        assert_int_equal(ledger_found_out(m.party, &call), clear ? BIT(MEDIA) : 0);
        lab_adversary_free(&m);
    }
}

/* ---- answers to key requests
 * -------------------------------------------------------------------------------------- */

static const uint8_t psk[32] = "a key that two of them share ...";

static bool psk_of(void *user, const ibk_identity *psk_id, const ibk_identity *first, ibk_buf *out,
                   void **owner) {
    (void)user, (void)psk_id, (void)first, (void)owner;
    return ibk_buf_append(out, psk, sizeof psk) == IBK_OK;
}

static bool authorized(void *user, void *owner, ibk_span id) {
    (void)user, (void)owner, (void)id;
    return true;
}

static void ask_for_keys(ibk_buf *request, ibk_buf *answer) {
    uint64_t draws = 77;
    ibk_env env = lab_env(&draws);
    ibk_time now = {.utc_ns = LAB_START};
    ibk_identity bob = ibk_identity_uri(BOB),
                 kms_id = {.id_type = IBK_ID_NAI, .id = ibk_span_str("kms@away.example")};
    ibk_replay_cache *replay;
    ibk_kms *kms;
    ibk_kms_result result;
    ibk_key_request *asked;
    assert_int_equal(ibk_replay_cache_new(&replay, NULL), IBK_OK);
    ibk_kms_config served = {.identity = kms_id,
                             .params = lab_away.params,
                             .master = lab_away.master,
                             .replay = replay,
                             .issue = IBK_ISSUE_NEXT,
                             .psk = psk_of,
                             .authorized = authorized};
    ibk_key_request_config wanted = {.users = &bob,
                                     .n_users = 1,
                                     .kms = kms_id,
                                     .psk = ibk_span_of(psk, sizeof psk),
                                     .prf = IBK_PRF_HMAC_SHA256,
                                     .params = lab_away.params};
    assert_int_equal(ibk_kms_new(&kms, &env, &served), IBK_OK);
    assert_int_equal(ibk_key_request_new(&asked, &env, &wanted), IBK_OK);
    assert_int_equal(ibk_key_request_start(asked, now, request), IBK_OK);
    assert_int_equal(ibk_kms_handle(kms, now, ibk_buf_span(request), answer, &result), IBK_OK);
    assert_int_equal(result.err, IBK_OK);
    ibk_key_request_free(asked);
    ibk_kms_free(kms);
    ibk_replay_cache_free(replay);
}

/* A PSK gives the private keys, and those the points. */
static void test_a_psk(void **state) {
    (void)state;
    lab_call call;
    ibk_buf request = {0}, answer = {0};
    lab_play(&call, &plain);
    ask_for_keys(&request, &answer);
    for (int right = 0; right < 2; right++) {
        lab_adversary m;
        uint8_t other[sizeof psk] = {1};
        wallet_origin origin = wallet_from(LEDGER_BROKEN_IN, 0, "of bob");
        lab_adversary_init(&m);
        ibk_span given = ibk_span_of(right ? psk : other, sizeof psk);
        assert_int_equal(wallet_add_psk(m.w, given, &origin), IBK_OK);
        analyst_message out = {.at_ns = 7, .octets = ibk_buf_span(&request)},
                        in = {.at_ns = 8, .octets = ibk_buf_span(&answer)};
        analyst_add_message(m.a, &out);
        analyst_add_message(m.a, &in);
        lab_feed(&m, &call);
        assert_int_equal(lab_conclude(&m, &call), right ? POINTS : 0);
        uint64_t expected = right ? POINTS | BIT(PRIVATE_KEY) : 0;
        assert_int_equal(ledger_found_out(m.party, NULL), expected);
        if (right)
            assert_int_equal(lab_fact(&m, SCN_THING_PRIVATE_KEY)->at_ns, 8);
        lab_adversary_free(&m);
    }
    ibk_buf_free(&request);
    ibk_buf_free(&answer);
    lab_free(&call);
}

/* ---- planted points
 * ----------------------------------------------------------------------------------------------- */

/* Of order 2 on y² = x³ - 3x + b' with b' = 3x - x³: y is 0. */
static ibk_ec_point of_order_two(void) {
    ibk_ec_point point = {.curve = IBK_EC_P256, .len = 65, .octets = {4}};
    point.octets[32] = 5;
    return point;
}

/* Its only multiple but infinity is itself: that is K_SESSION for whoever does not look at the equation. */
static void test_a_planted_point(void **state) {
    (void)state;
    lab_call call;
    lab_play(&call, &plain);
    for (int planted = 0; planted < 2; planted++) {
        lab_adversary m;
        media_stream *stream;
        media_keys keys;
        uint8_t tgk[32], packet[MEDIA_PACKET_MAX];
        size_t len;
        ibk_msg msg = {0};
        ibk_ec_point point = of_order_two();
        wallet_origin origin = wallet_from(LEDGER_HELD, 0, "planted");
        assert_int_equal(ibk_msg_parse(&msg, ibk_buf_span(&call.messages[0]), NULL), IBK_OK);
        ibk_span rand = ibk_msg_find(&msg, IBK_PL_RAND, 0)->rand.data, k_session = ibk_ec_point_span(&point);
        uint8_t prf = msg.hdr.prf;
        assert_int_equal(ibk_derive(tgk, 32, prf, IBK_DERIVE_TGK, k_session, 0, 0, rand), IBK_OK);
        ibk_span from = ibk_span_of(tgk, 32);
        assert_int_equal(ibk_derive(keys.key, 16, prf, IBK_DERIVE_TEK, from, 1, call.csb_id, rand), IBK_OK);
        assert_int_equal(ibk_derive(keys.salt, 14, prf, IBK_DERIVE_TGK_SALT, from, 1, call.csb_id, rand),
                         IBK_OK);
        media_source *source = media_source_tone(MEDIA_PCMU, 440);
        media_config config = {.source = source,
                               .ptime_ms = 20,
                               .ssrc = LAB_CALLER_SSRC,
                               .cname = "victim",
                               .tag_len = 4,
                               .send_keys = &keys,
                               .receive_keys = &keys};
        assert_int_equal(media_stream_new(&stream, &config), IBK_OK);
        lab_adversary_init(&m);
        if (planted)
            assert_int_equal(
                wallet_add_planted(m.w, call.csb_id, true, point.curve, ibk_ec_point_span(&point), &origin),
                IBK_OK);
        analyst_message first = {.octets = ibk_buf_span(&call.messages[0]), .call = &call.call};
        analyst_add_message(m.a, &first);
        for (int i = 0; i < 3; i++) {
            assert_int_equal(media_stream_send(stream, packet, &len), IBK_OK);
            analyst_packet sent = {.at_ns = 1, .octets = ibk_span_of(packet, len)};
            analyst_add_packet(m.a, &sent);
        }
        assert_int_equal(lab_conclude(&m, &call), planted ? ALL_MEDIA : 0); /* its own point is no news */
        lab_adversary_free(&m);
        media_stream_free(stream);
        media_source_free(source);
        ibk_msg_free(&msg);
    }
    lab_free(&call);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_without_secrets),
        cmocka_unit_test(test_a_private_key),
        cmocka_unit_test(test_one_message_alone),
        cmocka_unit_test(test_a_key_that_comes_later),
        cmocka_unit_test(test_keys_that_do_not_fit),
        cmocka_unit_test(test_master_secrets),
        cmocka_unit_test(test_a_scalar),
        cmocka_unit_test(test_a_scalar_of_another_call),
        cmocka_unit_test(test_without_media),
        cmocka_unit_test(test_a_leaked_tgk),
        cmocka_unit_test(test_updates),
        cmocka_unit_test(test_content),
        cmocka_unit_test(test_content_alone),
        cmocka_unit_test(test_recording),
        cmocka_unit_test(test_media_in_clear),
        cmocka_unit_test(test_a_psk),
        cmocka_unit_test(test_a_planted_point),
    };
    return cmocka_run_group_tests(tests, lab_setup, lab_teardown);
}
