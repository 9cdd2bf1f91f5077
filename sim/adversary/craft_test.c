/* Crafting against libibake's own sessions: what an adversary can do with the keys that it holds, and what it
 * cannot. */
#include "adversary/craft.h"
#include "ibake/lab.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

/* An adversary beside the lab's two users. */
typedef struct mallory {
    lab_user self; /* randomness and clock */
    bool home_master, away_master;
    const char *key_of; /* one identity whose private key it has; NULL: none */
    ibk_ibe_key *kept[16];
    size_t n_kept;
    unsigned learned[IBK_KEYLOG_SALT + 1], planted;
    ibk_buf tgk[4];
    craft *craft;
} mallory;

static const lab_domain *domain_of(ibk_span identity) {
    return memmem(identity.data, identity.len, "@away", 5) ? &lab_away : &lab_home;
}

static ibk_time now(void *user) {
    return lab_now(&((mallory *)user)->self);
}

static const ibk_ibe_params *params(void *user, ibk_span identity, const scn_domain *of, size_t nth) {
    (void)user, (void)of;
    return nth == 0 ? domain_of(identity)->params : NULL;
}

static ibk_granularity granularity(void *user, ibk_span identity) {
    (void)user, (void)identity;
    return IBK_GRANULARITY_DAY;
}

static const ibk_ibe_key *key(void *user, const ibk_ibe_params *of, ibk_span ibe_identity) {
    mallory *m = user;
    const lab_domain *d = of == lab_away.params ? &lab_away : &lab_home;
    bool named = m->key_of && ibe_identity.len > strlen(m->key_of) &&
                 memcmp(ibe_identity.data, m->key_of, strlen(m->key_of)) == 0;
    if (!named && !(d == &lab_away ? m->away_master : m->home_master))
        return NULL;
    assert_true(m->n_kept < sizeof m->kept / sizeof *m->kept);
    assert_int_equal(ibk_ibe_extract(d->params, d->master, ibe_identity, &m->kept[m->n_kept]), IBK_OK);
    return m->kept[m->n_kept++];
}

static void learned(void *user, const char *call_id, const ibk_keylog_record *record) {
    mallory *m = user;
    assert_string_equal(call_id, "call-1");
    m->learned[record->kind]++;
    if (record->kind == IBK_KEYLOG_TGK && m->learned[record->kind] <= 4)
        ibk_buf_append_span(&m->tgk[m->learned[record->kind] - 1], record->value);
}

static void planted(void *user, const char *call_id, uint32_t csb_id, bool responders, uint8_t curve,
                    ibk_span octets) {
    (void)call_id, (void)csb_id, (void)responders, (void)octets;
    assert_int_equal(curve, IBK_EC_P256);
    ((mallory *)user)->planted++;
}

static void mallory_open(mallory *m, bool home_master, bool away_master) {
    *m = (mallory){.home_master = home_master, .away_master = away_master};
    lab_user_init(&m->self, "sip:mallory@home.example", &lab_home, 99);
    craft_config config = {.env = lab_env(&m->self),
                           .user = m,
                           .now = now,
                           .params = params,
                           .granularity = granularity,
                           .key = key,
                           .learned = learned,
                           .planted = planted};
    config.env.work = NULL;
    assert_int_equal(craft_new(&m->craft, &config), IBK_OK);
}

static void mallory_close(mallory *m) {
    craft_free(m->craft);
    for (size_t i = 0; i < m->n_kept; i++)
        ibk_ibe_key_free(m->kept[i]);
    for (int i = 0; i < 4; i++)
        ibk_buf_free(&m->tgk[i]);
    lab_user_free(&m->self);
}

/* Message i of the pair as it goes on after `impersonate`. */
static ibk_err impersonate(mallory *m, ibk_span octets, ibk_buf *out) {
    ibk_msg msg = {0};
    assert_int_equal(ibk_msg_parse(&msg, octets, NULL), IBK_OK);
    ibk_buf made = {0};
    ibk_err err = craft_impersonate(m->craft, "call-1", &msg, NULL, &made, NULL);
    ibk_buf_clear(out);
    ibk_buf_append_span(out, made.len ? ibk_buf_span(&made) : octets);
    ibk_buf_free(&made);
    ibk_msg_free(&msg);
    return err;
}

/* All four messages, each through the adversary; stops when an end closes. */
static void play_through(lab_pair *pair, mallory *m, ibk_err *errors) {
    lab_pair_sessions(pair);
    assert_int_equal(ibk_session_start(pair->a, lab_now(&pair->alice), &pair->step), IBK_OK);
    ibk_buf_append_span(&pair->m[0], pair->step.message);
    for (int i = 0; i < 4; i++) {
        ibk_buf on = {0};
        errors[i] = impersonate(m, ibk_buf_span(&pair->m[i]), &on);
        lab_deliver(pair, i, ibk_buf_span(&on));
        ibk_buf_free(&on);
        if (pair->step.kind != IBK_STEP_WAIT && pair->step.kind != IBK_STEP_ESTABLISHED)
            return;
    }
}

static void same_keys(ibk_session *a, ibk_session *b) {
    for (uint8_t cs = 1; cs <= 2; cs++) {
        lab_keys ka = lab_keys_of(a, cs), kb = lab_keys_of(b, cs);
        assert_true(lab_keys_equal(&ka, &kb));
    }
}

static void between_the_two(lab_pair *pair, mallory *m) {
    craft_legs legs = craft_call_legs(m->craft, "call-1");
    assert_non_null(legs.towards_initiator);
    assert_non_null(legs.towards_responder);
    same_keys(pair->a, legs.towards_initiator);
    same_keys(pair->b, legs.towards_responder);
    lab_keys ka = lab_keys_of(pair->a, 1), kb = lab_keys_of(pair->b, 1);
    assert_false(lab_keys_equal(&ka, &kb));
}

/* ---- the man in the middle
 * -------------------------------------------------------------------------------------- */

static void both_masters_make_a_man_in_the_middle(void **state) {
    (void)state;
    lab_pair pair;
    mallory m;
    ibk_err errors[4] = {0};
    lab_pair_init(&pair);
    mallory_open(&m, true, true);
    play_through(&pair, &m, errors);
    for (int i = 0; i < 4; i++)
        assert_int_equal(errors[i], IBK_OK);
    assert_int_equal(ibk_session_get_state(pair.a), IBK_STATE_ESTABLISHED);
    assert_int_equal(ibk_session_get_state(pair.b), IBK_STATE_ESTABLISHED);
    between_the_two(&pair, &m);
    /* both believe to speak with each other, about the same streams */
    ibk_identity a_peer = ibk_session_peer(pair.a), b_self = ibk_session_local(pair.b);
    ibk_identity b_peer = ibk_session_peer(pair.b), a_self = ibk_session_local(pair.a);
    assert_true(ibk_identity_equal(&a_peer, &b_self));
    assert_true(ibk_identity_equal(&b_peer, &a_self));
    assert_true(ibk_span_equal(ibk_session_header(pair.a)->map, ibk_session_header(pair.b)->map));
    assert_int_equal(m.learned[IBK_KEYLOG_X], 1);
    assert_int_equal(m.learned[IBK_KEYLOG_Y], 1);
    assert_int_equal(m.learned[IBK_KEYLOG_TGK], 2);
    mallory_close(&m);
    lab_pair_free(&pair);
}

static void play_other(uint8_t curve, uint8_t prf) {
    lab_pair pair;
    mallory m;
    ibk_err errors[4] = {0};
    lab_pair_init(&pair);
    mallory_open(&m, true, true);
    pair.ac.policy.curve = curve;
    pair.ac.policy.prf = prf;
    play_through(&pair, &m, errors);
    assert_int_equal(ibk_session_get_state(pair.a), IBK_STATE_ESTABLISHED);
    assert_int_equal(ibk_session_get_state(pair.b), IBK_STATE_ESTABLISHED);
    between_the_two(&pair, &m);
    mallory_close(&m);
    lab_pair_free(&pair);
}

static void whatever_curve_and_prf(void **state) {
    (void)state;
    play_other(IBK_EC_P384, IBK_PRF_HMAC_SHA256);
    play_other(IBK_EC_P521, IBK_PRF_MIKEY_1);
}

/* Without the initiator's key nothing that the responder says can be read; what the initiator then says to
 * the adversary is no answer for the responder. */
static void the_responders_key_alone_fails_at_the_responder(void **state) {
    (void)state;
    lab_pair pair;
    mallory m;
    ibk_err errors[4] = {0};
    lab_pair_init(&pair);
    mallory_open(&m, false, true);
    play_through(&pair, &m, errors);
    assert_int_equal(errors[1], IBK_ERR_NO_KEY);
    assert_int_equal(ibk_session_get_state(pair.a), IBK_STATE_I_WAIT_R_MESSAGE_2);
    assert_int_not_equal(ibk_session_get_state(pair.b), IBK_STATE_ESTABLISHED);
    assert_int_equal(m.learned[IBK_KEYLOG_TGK], 1); /* with the initiator, who never uses it */
    mallory_close(&m);
    lab_pair_free(&pair);
}

/* Without the responder's key I_MESSAGE_1 cannot be read, so that its point is never echoed: the responder's
 * answer to the adversary is none that the initiator waits for. */
static void the_initiators_key_alone_fails_at_the_initiator(void **state) {
    (void)state;
    lab_pair pair;
    mallory m;
    ibk_err errors[4] = {0};
    lab_pair_init(&pair);
    mallory_open(&m, true, false);
    play_through(&pair, &m, errors);
    assert_int_equal(errors[1], IBK_ERR_NO_KEY);
    assert_int_equal(pair.step.kind, IBK_STEP_DISCARDED);
    assert_int_equal(ibk_session_get_state(pair.a), IBK_STATE_I_WAIT_R_MESSAGE_1);
    assert_int_equal(ibk_session_get_state(pair.b), IBK_STATE_R_WAIT_I_MESSAGE_2);
    mallory_close(&m);
    lab_pair_free(&pair);
}

static void no_key_at_all_reads_nothing(void **state) {
    (void)state;
    lab_pair pair;
    mallory m;
    ibk_err errors[4] = {0};
    lab_pair_init(&pair);
    mallory_open(&m, false, false);
    play_through(&pair, &m, errors);
    assert_int_equal(ibk_session_get_state(pair.a), IBK_STATE_I_WAIT_R_MESSAGE_1);
    assert_int_equal(m.learned[IBK_KEYLOG_TGK], 0);
    mallory_close(&m);
    lab_pair_free(&pair);
}

static void repetitions_get_the_same_octets_and_its_own_pass(void **state) {
    (void)state;
    lab_pair pair;
    mallory m;
    ibk_buf first = {0}, again = {0}, own = {0};
    lab_pair_init(&pair);
    mallory_open(&m, true, true);
    lab_pair_sessions(&pair);
    assert_int_equal(ibk_session_start(pair.a, lab_now(&pair.alice), &pair.step), IBK_OK);
    ibk_buf_append_span(&pair.m[0], pair.step.message);
    impersonate(&m, ibk_buf_span(&pair.m[0]), &first);
    impersonate(&m, ibk_buf_span(&pair.m[0]), &again);
    assert_true(ibk_span_equal(ibk_buf_span(&first), ibk_buf_span(&again)));
    assert_false(ibk_span_equal(ibk_buf_span(&first), ibk_buf_span(&pair.m[0])));
    impersonate(&m, ibk_buf_span(&first), &own);
    assert_true(ibk_span_equal(ibk_buf_span(&first), ibk_buf_span(&own)));
    impersonate(&m, ibk_buf_span(&pair.m[0]), &again); /* that has not made it forget */
    assert_true(ibk_span_equal(ibk_buf_span(&first), ibk_buf_span(&again)));
    ibk_buf_free(&first);
    ibk_buf_free(&again);
    ibk_buf_free(&own);
    mallory_close(&m);
    lab_pair_free(&pair);
}

/* Of a forked call it takes the first answer; what others answer passes, and changes nothing for the first
 * one. */
static void another_branch_passes(void **state) {
    (void)state;
    lab_pair pair;
    lab_user tablet;
    mallory m;
    ibk_buf on = {0}, other = {0}, again = {0};
    ibk_session *second;
    ibk_step step;
    lab_pair_init(&pair);
    lab_user_init(&tablet, "sip:bob-tablet@away.example", &lab_away, 33);
    tablet.also = pair.bob.uri;
    mallory_open(&m, true, true);
    lab_pair_sessions(&pair);
    ibk_session_config config = lab_config(&tablet, IBK_SESSION_RESPONDER, NULL);
    ibk_env env = lab_env(&tablet);
    assert_int_equal(ibk_session_new(&second, &env, &config), IBK_OK);
    assert_int_equal(ibk_session_start(pair.a, lab_now(&pair.alice), &pair.step), IBK_OK);
    ibk_buf_append_span(&pair.m[0], pair.step.message);
    impersonate(&m, ibk_buf_span(&pair.m[0]), &on);
    lab_deliver(&pair, 0, ibk_buf_span(&on));
    assert_int_equal(ibk_session_recv(second, lab_now(&tablet), ibk_buf_span(&on), &step), IBK_OK);
    assert_int_equal(step.message_type, IBK_MSG_R_MESSAGE_1);
    impersonate(&m, ibk_buf_span(&pair.m[1]), &on);
    assert_int_equal(impersonate(&m, step.message, &other), IBK_OK);
    assert_true(ibk_span_equal(step.message, ibk_buf_span(&other)));
    impersonate(&m, ibk_buf_span(&pair.m[1]), &again);
    assert_true(ibk_span_equal(ibk_buf_span(&on), ibk_buf_span(&again)));
    lab_deliver(&pair, 1, ibk_buf_span(&on));
    for (int i = 2; i < 4; i++) {
        impersonate(&m, ibk_buf_span(&pair.m[i]), &on);
        lab_deliver(&pair, i, ibk_buf_span(&on));
    }
    assert_int_equal(impersonate(&m, step.message, &other), IBK_OK); /* no answer to an update */
    assert_true(ibk_span_equal(step.message, ibk_buf_span(&other)));
    between_the_two(&pair, &m);
    ibk_buf_free(&on);
    ibk_buf_free(&other);
    ibk_buf_free(&again);
    ibk_session_free(second);
    lab_user_free(&tablet);
    mallory_close(&m);
    lab_pair_free(&pair);
}

/* An update by either party is taken on one side and made on the other (RFC 6267 §5.3). */
static void play_update(bool by_bob) {
    lab_pair pair;
    mallory m;
    ibk_err errors[4] = {0};
    ibk_buf on = {0};
    lab_pair_init(&pair);
    mallory_open(&m, true, true);
    play_through(&pair, &m, errors);
    lab_keys before = lab_keys_of(pair.a, 1);
    m.self.utc_ns += 1000000000;
    lab_update u = lab_update_of(&pair, by_bob, true);
    lab_update_play(&u, 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(impersonate(&m, ibk_buf_span(&u.m[i]), &on), IBK_OK);
        lab_update_deliver(&u, i, ibk_buf_span(&on));
    }
    assert_int_equal(u.step.kind, IBK_STEP_UPDATED);
    lab_keys after = lab_keys_of(pair.a, 1);
    assert_false(lab_keys_equal(&before, &after));
    between_the_two(&pair, &m);
    ibk_buf_free(&on);
    lab_update_free(&u);
    mallory_close(&m);
    lab_pair_free(&pair);
}

static void an_update_by_either_goes_through_it(void **state) {
    (void)state;
    play_update(false);
    play_update(true);
}

/* ---- re-encrypt
 * ----------------------------------------------------------------------------------------------------- */

/* Message i as `rule` makes it, delivered. */
static void deliver_re_encrypted(lab_pair *pair, mallory *m, int i, const scn_rule *rule) {
    ibk_msg msg = {0};
    ibk_buf on = {0};
    ibk_diag diag = {0};
    assert_int_equal(ibk_msg_parse(&msg, ibk_buf_span(&pair->m[i]), NULL), IBK_OK);
    ibk_err err = craft_reencrypt(m->craft, "call-1", &msg, rule, &on, &diag);
    if (err)
        print_message("%s: %s\n", ibk_err_name(err), diag.detail);
    assert_int_equal(err, IBK_OK);
    lab_deliver(pair, i, ibk_buf_span(&on));
    ibk_buf_free(&on);
    ibk_msg_free(&msg);
}

static void bad_point_in_i_message_1(scn_point_kind kind, bool readable, ibk_err verdict) {
    lab_pair pair;
    mallory m;
    scn_rule rule = {.point_i = {.kind = kind}};
    lab_pair_init(&pair);
    mallory_open(&m, false, readable);
    lab_pair_play(&pair, 0);
    deliver_re_encrypted(&pair, &m, 0, &rule);
    if (verdict)
        lab_expect_closed(&pair, verdict);
    else
        assert_int_equal(pair.step.kind, IBK_STEP_WAIT);
    assert_int_equal(m.planted, 1);
    mallory_close(&m);
    lab_pair_free(&pair);
}

/* Anybody can encrypt to an identity: with and without the key the victim gets the bad point, and refuses it.
 */
static void the_victim_refuses_bad_points(void **state) {
    (void)state;
    for (int readable = 0; readable < 2; readable++) {
        bad_point_in_i_message_1(SCN_POINT_OFF_CURVE, readable, IBK_ERR_NOT_ON_CURVE);
        bad_point_in_i_message_1(SCN_POINT_SMALL_ORDER, readable, IBK_ERR_NOT_ON_CURVE);
        bad_point_in_i_message_1(SCN_POINT_TWIST, readable, IBK_ERR_NOT_ON_CURVE);
        bad_point_in_i_message_1(SCN_POINT_INFINITY, readable, IBK_ERR_INFINITY);
        bad_point_in_i_message_1(SCN_POINT_COMPRESSED, readable, IBK_OK);
        bad_point_in_i_message_1(SCN_POINT_OWN, readable, IBK_OK);
    }
}

static void identities_inside_that_differ_are_refused(void **state) {
    (void)state;
    lab_pair pair;
    mallory m;
    scn_rule other = {.inner_i = {.given = true, .identity = "sip:mallory@home.example"}};
    scn_rule none = {.inner_r = {.given = true}};
    lab_pair_init(&pair);
    mallory_open(&m, false, false);
    lab_pair_play(&pair, 0);
    deliver_re_encrypted(&pair, &m, 0, &other);
    lab_expect_closed(&pair, IBK_ERR_IDENTITY_MISMATCH);
    lab_pair_play(&pair, 0);
    deliver_re_encrypted(&pair, &m, 0, &none);
    lab_expect_closed(&pair, IBK_ERR_MISSING_PAYLOAD);
    mallory_close(&m);
    lab_pair_free(&pair);
}

static void nothing_to_reflect_is_an_error(void **state) {
    (void)state;
    lab_pair pair;
    mallory m;
    ibk_msg msg = {0};
    ibk_buf out = {0};
    scn_rule rule = {.point_i = {.kind = SCN_POINT_REFLECTED}};
    lab_pair_init(&pair);
    mallory_open(&m, true, true);
    lab_pair_play(&pair, 0);
    assert_int_equal(ibk_msg_parse(&msg, ibk_buf_span(&pair.m[0]), NULL), IBK_OK);
    assert_int_equal(craft_reencrypt(m.craft, "call-1", &msg, &rule, &out, NULL), IBK_ERR_NO_KEY);
    assert_int_equal(out.len, 0);
    ibk_msg_free(&msg);
    mallory_close(&m);
    lab_pair_free(&pair);
}

/* The same as `impersonate`, done point by point: echoes find their way back, and V is made anew. */
static void point_by_point_it_is_in_the_middle_as_well(void **state) {
    (void)state;
    lab_pair pair;
    mallory m;
    scn_rule own_x = {.point_i = {.kind = SCN_POINT_OWN}}, own_y = {.point_r = {.kind = SCN_POINT_OWN}};
    scn_rule keep = {.act = SCN_ATTACK_RE_ENCRYPT};
    lab_pair_init(&pair);
    mallory_open(&m, true, true);
    lab_pair_play(&pair, 0);
    deliver_re_encrypted(&pair, &m, 0, &own_x);
    deliver_re_encrypted(&pair, &m, 1, &own_y);
    deliver_re_encrypted(&pair, &m, 2, &keep);
    deliver_re_encrypted(&pair, &m, 3, &keep);
    assert_int_equal(ibk_session_get_state(pair.a), IBK_STATE_ESTABLISHED);
    assert_int_equal(ibk_session_get_state(pair.b), IBK_STATE_ESTABLISHED);
    lab_keys ka = lab_keys_of(pair.a, 1), kb = lab_keys_of(pair.b, 1);
    assert_false(lab_keys_equal(&ka, &kb));
    assert_int_equal(m.learned[IBK_KEYLOG_X], 1);
    assert_int_equal(m.learned[IBK_KEYLOG_Y], 1);
    assert_int_equal(m.learned[IBK_KEYLOG_TGK], 1); /* the initiator's; its analyst finds the other */
    uint8_t tek[16];
    const ibk_hdr *hdr = ibk_session_header(pair.a);
    assert_int_equal(ibk_derive(tek, sizeof tek, hdr->prf, IBK_DERIVE_TEK, ibk_buf_span(&m.tgk[0]), 1,
                                hdr->csb_id, ibk_buf_span(&pair.a->rand)),
                     IBK_OK);
    assert_memory_equal(tek, ka.octets, sizeof tek);
    mallory_close(&m);
    lab_pair_free(&pair);
}

/* Whatever it planted, an echo of it becomes one of the genuine point again: the two ends notice nothing
 * before V, which it cannot make, for nobody's point is its own. */
static void a_planted_point_is_echoed_as_the_genuine_one(void **state) {
    (void)state;
    lab_pair pair;
    mallory m;
    scn_rule compressed = {.point_i = {.kind = SCN_POINT_COMPRESSED}};
    scn_rule hex = {.point_i = {.kind = SCN_POINT_HEX}}, keep = {.act = SCN_ATTACK_RE_ENCRYPT};
    ibk_ec_key other;
    uint8_t seven[32] = {[31] = 7};
    assert_int_equal(ibk_ec_key_from_scalar(&other, IBK_EC_P256, ibk_span_of(seven, sizeof seven)), IBK_OK);
    hex.point_i.octets = ibk_ec_point_span(&other.pub);
    lab_pair_init(&pair);
    mallory_open(&m, true, true);
    lab_pair_play(&pair, 0);
    deliver_re_encrypted(&pair, &m, 0, &hex);
    deliver_re_encrypted(&pair, &m, 1, &keep);
    assert_int_equal(pair.step.message_type, IBK_MSG_I_MESSAGE_2); /* the echo of [x]P was right */
    deliver_re_encrypted(&pair, &m, 2, &keep);
    assert_int_equal(pair.step.kind, IBK_STEP_ESTABLISHED);
    lab_deliver(&pair, 3, ibk_buf_span(&pair.m[3]));
    lab_expect_closed(&pair, IBK_ERR_BAD_MAC);
    assert_int_equal(m.planted, 1);
    /* the same point in another form changes nothing at all */
    lab_pair_play(&pair, 0);
    deliver_re_encrypted(&pair, &m, 0, &compressed);
    for (int i = 1; i < 4; i++)
        lab_deliver(&pair, i, ibk_buf_span(&pair.m[i]));
    lab_keys_agree(&pair);
    mallory_close(&m);
    lab_pair_free(&pair);
}

/* ---- from its own node
 * ------------------------------------------------------------------------------------------------ */

static void forged_messages_parse_and_are_refused_where_they_must(void **state) {
    static const uint8_t types[] = {IBK_MSG_I_MESSAGE_1, IBK_MSG_R_MESSAGE_1,     IBK_MSG_I_MESSAGE_2,
                                    IBK_MSG_R_MESSAGE_2, IBK_MSG_REQUEST_KEY_PSK, IBK_MSG_ERROR};
    (void)state;
    mallory m;
    mallory_open(&m, false, false);
    for (size_t i = 0; i < sizeof types; i++)
        for (int encrypted = 0; encrypted < 2; encrypted++) {
            ibk_buf out = {0};
            ibk_msg msg = {0};
            craft_forgery forgery = {.type = types[i],
                                     .as = ibk_span_str("sip:alice@home.example"),
                                     .to = ibk_span_str("sip:bob@away.example"),
                                     .encrypted = encrypted};
            assert_int_equal(craft_forge(m.craft, &forgery, &out), IBK_OK);
            assert_int_equal(ibk_msg_parse(&msg, ibk_buf_span(&out), NULL), IBK_OK);
            assert_int_equal(msg.hdr.data_type, types[i]);
            ibk_msg_free(&msg);
            ibk_buf_free(&out);
        }
    ibk_buf none = {0};
    craft_forgery resp = {.type = IBK_MSG_REQUEST_KEY_RESP};
    assert_int_equal(craft_forge(m.craft, &resp, &none), IBK_ERR_UNSUPPORTED);
    mallory_close(&m);
}

static void a_forged_i_message_1(bool encrypted) {
    lab_pair pair;
    mallory m;
    ibk_buf out = {0};
    craft_forgery forgery = {.type = IBK_MSG_I_MESSAGE_1,
                             .as = ibk_span_str("sip:alice@home.example"),
                             .to = ibk_span_str("sip:bob@away.example"),
                             .encrypted = encrypted};
    lab_pair_init(&pair);
    mallory_open(&m, false, false);
    lab_pair_sessions(&pair);
    assert_int_equal(craft_forge(m.craft, &forgery, &out), IBK_OK);
    lab_deliver(&pair, 0, ibk_buf_span(&out));
    if (encrypted)
        assert_int_equal(pair.step.message_type, IBK_MSG_R_MESSAGE_1);
    else /* random octets: which rule of DER they break first is left to chance */
        assert_int_equal(ibk_err_category(pair.step.reason), IBK_CAT_DER);
    ibk_buf_free(&out);
    mallory_close(&m);
    lab_pair_free(&pair);
}

static void a_forged_call_gets_as_far_as_its_ciphertext(void **state) {
    (void)state;
    a_forged_i_message_1(true);
    a_forged_i_message_1(false);
}

/* Each for its own recipient, whoever the last one was for. */
static void forged_messages_are_for_whom_they_say(void **state) {
    static const char *const to[] = {"sip:bob@away.example", "sip:carl@away.example", "sip:bob@away.example",
                                     "sip:bob@home.example"};
    (void)state;
    mallory m;
    mallory_open(&m, true, true);
    for (size_t i = 0; i < sizeof to / sizeof *to; i++) {
        ibk_buf out = {0}, id = {0}, plain = {0};
        ibk_msg msg = {0};
        const lab_domain *d = domain_of(ibk_span_str(to[i]));
        craft_forgery forgery = {.type = IBK_MSG_I_MESSAGE_1,
                                 .as = ibk_span_str("sip:alice@home.example"),
                                 .to = ibk_span_str(to[i]),
                                 .encrypted = true};
        assert_int_equal(craft_forge(m.craft, &forgery, &out), IBK_OK);
        assert_int_equal(ibk_msg_parse(&msg, ibk_buf_span(&out), NULL), IBK_OK);
        assert_int_equal(ibk_ibe_identity(&id, ibk_span_str(to[i]), IBK_GRANULARITY_DAY, m.self.utc_ns),
                         IBK_OK);
        assert_int_equal(ibk_ibe_decrypt(d->params, key(&m, d->params, ibk_buf_span(&id)),
                                         ibk_msg_find(&msg, IBK_PL_IBAKE, 0)->enc.data, &plain, NULL),
                         IBK_OK);
        ibk_buf_free(&out);
        ibk_buf_free(&id);
        ibk_buf_free(&plain);
        ibk_msg_free(&msg);
    }
    mallory_close(&m);
}

/* Who has the initiator's key can go on with a replayed I_MESSAGE_1, and shares no key with the responder. */
static void a_replay_is_carried_on_by_who_reads_the_answer(void **state) {
    (void)state;
    lab_pair pair;
    mallory m;
    ibk_msg i1 = {0}, r1 = {0};
    ibk_buf i2 = {0};
    lab_pair_init(&pair);
    mallory_open(&m, false, false);
    lab_pair_play(&pair, 1); /* the responder has answered what might be a replay */
    assert_int_equal(ibk_msg_parse(&i1, ibk_buf_span(&pair.m[0]), NULL), IBK_OK);
    assert_int_equal(ibk_msg_parse(&r1, ibk_buf_span(&pair.m[1]), NULL), IBK_OK);
    assert_int_equal(craft_answer_replayed(m.craft, &i1, &r1, &i2, NULL), IBK_ERR_NO_KEY);
    assert_int_equal(i2.len, 0);
    m.key_of = "sip:alice@home.example";
    m.self.utc_ns += 1000000000;
    assert_int_equal(craft_answer_replayed(m.craft, &i1, &r1, &i2, NULL), IBK_OK);
    lab_deliver(&pair, 2, ibk_buf_span(&i2));
    assert_int_equal(pair.step.kind, IBK_STEP_ESTABLISHED);
    ibk_msg_free(&i1);
    ibk_msg_free(&r1);
    ibk_buf_free(&i2);
    mallory_close(&m);
    lab_pair_free(&pair);
}

/* Who cannot read the answer can guess: anybody can encrypt to the responder, who looks at the echo (P-16).
 */
static void a_guess_is_accepted_by_who_does_not_look(void **state) {
    (void)state;
    for (int looks = 0; looks < 2; looks++) {
        lab_pair pair;
        mallory m;
        ibk_msg i1 = {0}, r1 = {0};
        ibk_buf i2 = {0};
        lab_pair_init(&pair);
        mallory_open(&m, false, false);
        pair.bc.policy.without = looks ? 0 : IBK_DEFENCE_ECHO;
        lab_pair_play(&pair, 1);
        assert_int_equal(ibk_msg_parse(&i1, ibk_buf_span(&pair.m[0]), NULL), IBK_OK);
        assert_int_equal(ibk_msg_parse(&r1, ibk_buf_span(&pair.m[1]), NULL), IBK_OK);
        m.self.utc_ns += 1000000000;
        assert_int_equal(craft_answer_unread(m.craft, &i1, &r1, &i2, NULL), IBK_OK);
        lab_deliver(&pair, 2, ibk_buf_span(&i2));
        assert_int_equal(pair.step.kind == IBK_STEP_ESTABLISHED, !looks);
        assert_int_equal(pair.step.reason, looks ? IBK_ERR_ECHO_MISMATCH : IBK_OK);
        ibk_buf_clear(&i2);
        assert_int_equal(craft_answer_unread(m.craft, &r1, &i1, &i2, NULL), IBK_ERR_MISSING_PAYLOAD);
        assert_int_equal(i2.len, 0);
        ibk_msg_free(&i1);
        ibk_msg_free(&r1);
        ibk_buf_free(&i2);
        mallory_close(&m);
        lab_pair_free(&pair);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_masters_make_a_man_in_the_middle),
        cmocka_unit_test(whatever_curve_and_prf),
        cmocka_unit_test(the_responders_key_alone_fails_at_the_responder),
        cmocka_unit_test(the_initiators_key_alone_fails_at_the_initiator),
        cmocka_unit_test(no_key_at_all_reads_nothing),
        cmocka_unit_test(repetitions_get_the_same_octets_and_its_own_pass),
        cmocka_unit_test(another_branch_passes),
        cmocka_unit_test(an_update_by_either_goes_through_it),
        cmocka_unit_test(the_victim_refuses_bad_points),
        cmocka_unit_test(identities_inside_that_differ_are_refused),
        cmocka_unit_test(nothing_to_reflect_is_an_error),
        cmocka_unit_test(point_by_point_it_is_in_the_middle_as_well),
        cmocka_unit_test(a_planted_point_is_echoed_as_the_genuine_one),
        cmocka_unit_test(forged_messages_parse_and_are_refused_where_they_must),
        cmocka_unit_test(a_forged_call_gets_as_far_as_its_ciphertext),
        cmocka_unit_test(forged_messages_are_for_whom_they_say),
        cmocka_unit_test(a_replay_is_carried_on_by_who_reads_the_answer),
        cmocka_unit_test(a_guess_is_accepted_by_who_does_not_look),
    };
    return cmocka_run_group_tests(tests, lab_group_setup, lab_group_teardown);
}
