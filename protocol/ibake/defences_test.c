/* For every defence of the exchange: the message that it stops is refused, and goes through where it is off.
 */
#include "ibake/lab.h"

#include <string.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* ---- attacks: each plays up to the decisive message, and tells what its receiver made of it
 * ------------------ */

typedef ibk_step attack_fn(lab_pair *pair);

/* Message i, changed. */
static ibk_step edited(lab_pair *pair, int i, lab_edit *change) {
    ibk_buf changed = {0};
    lab_pair_play(pair, i);
    lab_edited(pair, i, change, &changed);
    lab_deliver(pair, i, ibk_buf_span(&changed));
    ibk_buf_free(&changed);
    return pair->step;
}

static ibk_step replay(lab_pair *pair) {
    lab_pair_play(pair, 1);
    lab_pair_sessions(pair);
    lab_deliver(pair, 0, ibk_buf_span(&pair->m[0]));
    return pair->step;
}

static void old_t(ibk_msg *msg, lab_pair *pair) {
    (void)pair;
    lab_find(msg, IBK_PL_T, 0)->t.value -= UINT64_C(301) << 32;
}

static ibk_step send_old(lab_pair *pair) {
    return edited(pair, 0, old_t);
}

static void name_mallory(ibk_msg *msg, lab_pair *pair) {
    (void)pair;
    lab_find(msg, IBK_PL_IDR, 0)->id.data = ibk_span_str("sip:mallory@home.example");
}

/* The misbinding of RFC 6267 §7.2: Alice's point in Mallory's name. */
static ibk_step misbind(lab_pair *pair) {
    return edited(pair, 0, name_mallory);
}

static ibk_step rename_later(lab_pair *pair) {
    return edited(pair, 2, name_mallory);
}

static ibk_step wrong_echo(lab_pair *pair) {
    lab_pair_play(pair, 1);
    pair->a->own.pub.octets[5] ^= 1; /* what the answer should have echoed */
    lab_deliver(pair, 1, ibk_buf_span(&pair->m[1]));
    return pair->step;
}

static void zero_mac(ibk_msg *msg, lab_pair *pair) {
    static const uint8_t zero[20];
    (void)pair;
    lab_find(msg, IBK_PL_V, 0)->v.mac = ibk_span_of(zero, sizeof zero);
}

static ibk_step forge_v(lab_pair *pair) {
    return edited(pair, 3, zero_mac);
}

static void null_mac(ibk_msg *msg, lab_pair *pair) {
    (void)pair;
    lab_find(msg, IBK_PL_V, 0)->v = (ibk_v){.mac_alg = IBK_MAC_NULL};
}

static ibk_step drop_mac(lab_pair *pair) {
    return edited(pair, 3, null_mac);
}

static void no_encryption(ibk_msg *msg, lab_pair *pair) {
    static const uint8_t params[] = {IBK_SRTP_ENCR_ALG, 1, IBK_SRTP_ENCR_NULL};
    (void)pair;
    lab_find(msg, IBK_PL_SP, 0)->sp.params = ibk_span_of(params, sizeof params);
}

static ibk_step offer_null(lab_pair *pair) {
    return edited(pair, 0, no_encryption);
}

static void no_sp(ibk_msg *msg, lab_pair *pair) {
    ibk_payload *p = lab_find(msg, IBK_PL_SP, 0), *end = msg->chain.items + msg->chain.count;
    (void)pair;
    memmove(p, p + 1, (size_t)(end - p - 1) * sizeof *p);
    msg->chain.count--;
}

/* Bob, who takes anything, gets a weaker offer; the answer hides it. */
static ibk_step bid_down(lab_pair *pair) {
    ibk_buf changed = {0};
    pair->bc.policy.allow_null_srtp = true;
    edited(pair, 0, no_encryption);
    lab_edited(pair, 1, no_sp, &changed);
    lab_deliver(pair, 1, ibk_buf_span(&changed));
    lab_deliver(pair, 2, ibk_buf_span(&pair->m[2]));
    lab_deliver(pair, 3, ibk_buf_span(&pair->m[3]));
    ibk_buf_free(&changed);
    return pair->step;
}

static void weaker_prf(ibk_msg *msg, lab_pair *pair) {
    (void)pair;
    msg->hdr.prf = IBK_PRF_MIKEY_1;
}

/* Both end up with keys of the weaker function. */
static ibk_step change_prf(lab_pair *pair) {
    pair->ac.policy.prf = IBK_PRF_HMAC_SHA256;
    edited(pair, 0, weaker_prf);
    for (int i = 1; i < 4 && pair->step.kind == IBK_STEP_WAIT; i++) {
        lab_deliver(pair, i, ibk_buf_span(&pair->m[i]));
    }
    return pair->step;
}

static void other_t(ibk_msg *msg, lab_pair *pair) {
    (void)pair;
    lab_find(msg, IBK_PL_T, 0)->t.value++;
}

static ibk_step answer_with_other_t(lab_pair *pair) {
    return edited(pair, 1, other_t);
}

static void other_rand(ibk_msg *msg, lab_pair *pair) {
    (void)pair;
    lab_find(msg, IBK_PL_RAND, 0)->rand.data = ibk_span_str("another sixteen!");
}

static ibk_step change_rand(lab_pair *pair) {
    return edited(pair, 2, other_rand);
}

static ibk_step reuse_csb_id(lab_pair *pair) {
    pair->bob.csb_taken = true;
    lab_pair_play(pair, 1);
    return pair->step;
}

static ibk_step answer_for_another(lab_pair *pair) {
    pair->bob.also = "sip:desk@away.example";
    pair->ac.peer = ibk_identity_uri(pair->bob.also);
    lab_pair_play(pair, 2);
    return pair->step;
}

/* I_MESSAGE_1 of Alice with (X, Y + 1) in place of [x]P. */
static ibk_step leave_the_curve(lab_pair *pair) {
    static uint8_t octets[IBK_EC_POINT_MAX];
    ibk_chain content = {0};
    ibk_buf cipher = {0}, crafted = {0};
    ibk_msg msg = {0};
    lab_pair_play(pair, 0);
    const ibk_ec_point *x = &pair->a->own.pub;
    memcpy(octets, x->octets, x->len);
    octets[x->len - 1] ^= 1;
    ibk_add_idr(&content, IBK_ROLE_I, IBK_ID_URI, ibk_span_str(pair->alice.uri));
    ibk_add_eccpt(&content, x->curve, ibk_span_of(octets, x->len));
    ibk_add_idr(&content, IBK_ROLE_R, IBK_ID_URI, ibk_span_str(pair->bob.uri));
    lab_seal(pair, true, &content, &cipher);
    assert_int_equal(ibk_msg_parse(&msg, ibk_buf_span(&pair->m[0]), NULL), IBK_OK);
    lab_find(&msg, IBK_PL_IBAKE, 0)->enc.data = ibk_buf_span(&cipher);
    assert_int_equal(ibk_msg_write(&msg, &crafted), IBK_OK);
    lab_deliver(pair, 0, ibk_buf_span(&crafted));
    ibk_msg_free(&msg);
    ibk_chain_free(&content);
    ibk_buf_free(&cipher);
    ibk_buf_free(&crafted);
    return pair->step;
}

/* ---- the same in updates ------------------------------------------------------------------------------- */

/* An update of an established call by Alice; its I_MESSAGE_1 is changed by `change` (NULL: not) and delivered
 * `times`. */
static ibk_step try_update(lab_pair *pair, bool new_dh, lab_update_edit *change, int times) {
    ibk_buf message = {0};
    lab_pair_play(pair, 4);
    lab_update u = lab_update_of(pair, false, new_dh);
    lab_update_play(&u, 0);
    if (change) {
        lab_update_edited(&u, 0, change, &message);
    } else {
        assert_int_equal(ibk_buf_append_span(&message, ibk_buf_span(&u.m[0])), IBK_OK);
    }
    for (int i = 0; i < times; i++) {
        lab_update_deliver(&u, 0, ibk_buf_span(&message));
    }
    ibk_step step = u.answer;
    ibk_buf_free(&message);
    lab_update_free(&u);
    return step;
}

static ibk_step repeat_update(lab_pair *pair) {
    return try_update(pair, false, NULL, 2);
}

static void weaken_policy(ibk_msg *msg, lab_update *u) {
    static const uint8_t params[] = {IBK_SRTP_AUTH_TAG_LEN, 1, 4};
    (void)u;
    ibk_add_sp(&msg->chain, 1, IBK_PROT_SRTP, ibk_span_of(params, sizeof params));
}

static ibk_step change_policy(lab_pair *pair) {
    return try_update(pair, false, weaken_policy, 1);
}

/* The IBAKE of I_MESSAGE_1 of the initial exchange, after the replay cache was lost. */
static void old_ibake(ibk_msg *msg, lab_update *u) {
    static uint8_t octets[4096];
    ibk_msg first = {0};
    assert_int_equal(ibk_msg_parse(&first, ibk_buf_span(&u->pair->m[0]), NULL), IBK_OK);
    ibk_span old = lab_find(&first, IBK_PL_IBAKE, 0)->enc.data;
    assert_in_range(old.len, 1, sizeof octets);
    memcpy(octets, old.data, old.len);
    lab_find(msg, IBK_PL_IBAKE, 0)->enc.data = ibk_span_of(octets, old.len);
    ibk_msg_free(&first);
    ibk_replay_cache_forget(u->pair->bob.replay, 0);
}

static ibk_step repeat_point(lab_pair *pair) {
    return try_update(pair, true, old_ibake, 1);
}

/* ---- the table --------------------------------------------------------------------------------------- */

static const struct {
    uint32_t defence;
    uint32_t behind; /* what stands behind it and has to be off as well */
    attack_fn *attack;
    ibk_err reason;
} cases[] = {
    {IBK_DEFENCE_REPLAY_CACHE, 0, replay, IBK_ERR_REPLAYED},
    {IBK_DEFENCE_CLOCK_SKEW, 0, send_old, IBK_ERR_CLOCK_SKEW},
    {IBK_DEFENCE_INNER_IDENTITIES, 0, misbind, IBK_ERR_IDENTITY_MISMATCH},
    {IBK_DEFENCE_OUTER_IDENTITIES, IBK_DEFENCE_INNER_IDENTITIES, rename_later, IBK_ERR_IDENTITY_MISMATCH},
    {IBK_DEFENCE_ECHO, 0, wrong_echo, IBK_ERR_ECHO_MISMATCH},
    {IBK_DEFENCE_V, 0, forge_v, IBK_ERR_BAD_MAC},
    {IBK_DEFENCE_NULL_MAC, 0, drop_mac, IBK_ERR_UNSUPPORTED},
    {IBK_DEFENCE_BIDDING_DOWN, 0, bid_down, IBK_ERR_BIDDING_DOWN},
    {IBK_DEFENCE_HEADER_REPEAT, 0, change_prf, IBK_ERR_MISMATCH},
    {IBK_DEFENCE_TIMESTAMP_REPEAT, 0, answer_with_other_t, IBK_ERR_MISMATCH},
    {IBK_DEFENCE_RAND_REPEAT, 0, change_rand, IBK_ERR_MISMATCH},
    {IBK_DEFENCE_CSB_UNIQUE, 0, reuse_csb_id, IBK_ERR_REFUSED},
    {IBK_DEFENCE_UPDATE_ORDER, 0, repeat_update, IBK_ERR_REPLAYED},
    {IBK_DEFENCE_POLICY_IN_FORCE, 0, change_policy, IBK_ERR_BIDDING_DOWN},
    {IBK_DEFENCE_FRESH_POINT, 0, repeat_point, IBK_ERR_REPLAYED},
    {IBK_DEFENCE_ANSWERER_POLICY, 0, answer_for_another, IBK_ERR_REFUSED},
    {IBK_DEFENCE_NULL_SRTP, 0, offer_null, IBK_ERR_REFUSED},
    {IBK_DEFENCE_POINT_ON_CURVE, 0, leave_the_curve, IBK_ERR_NOT_ON_CURVE},
};

static ibk_step try_without(attack_fn *attack, uint32_t without) {
    lab_pair pair;
    lab_pair_init(&pair);
    pair.ac.policy.without = pair.bc.policy.without = without;
    ibk_step step = attack(&pair);
    step.message = (ibk_span){0}; /* of a session that is gone now */
    lab_pair_free(&pair);
    return step;
}

static bool accepted(const ibk_step *step) {
    return step->kind == IBK_STEP_WAIT || step->kind == IBK_STEP_ESTABLISHED ||
           step->kind == IBK_STEP_UPDATED;
}

static void judge(const ibk_step *step, bool is_accepted, uint32_t defence) {
    if (accepted(step) != is_accepted) {
        fail_msg("%s: %s (%s)", ibk_defence_name(defence), ibk_err_name(step->reason), step->diag.detail);
    }
}

static void test_attacks(void **state) {
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint32_t one = cases[i].defence, all = one | cases[i].behind;
        ibk_step step = try_without(cases[i].attack, 0);
        judge(&step, false, one);
        assert_int_equal(step.reason, cases[i].reason);
        step = try_without(cases[i].attack, ~all); /* it does not lean on any other */
        judge(&step, false, one);
        step = try_without(cases[i].attack, all);
        judge(&step, true, one);
        if (cases[i].behind) {
            step = try_without(cases[i].attack, one);
            judge(&step, false, one);
        }
    }
}

/* ---- what is no message ------------------------------------------------------------------------------ */

/* P-13 */
static void test_early_media(void **state) {
    (void)state;
    for (int off = 0; off < 2; off++) {
        lab_pair pair;
        uint8_t tek[16];
        lab_pair_init(&pair);
        pair.ac.policy.without = off ? IBK_DEFENCE_MEDIA_AFTER_VERIFICATION : 0;
        lab_pair_play(&pair, 1);
        assert_int_equal(ibk_session_tek(pair.a, 1, tek, 16, NULL, 0), IBK_ERR_STATE);
        lab_deliver(&pair, 1, ibk_buf_span(&pair.m[1]));
        assert_int_equal(ibk_session_tek(pair.a, 1, tek, 16, NULL, 0), off ? IBK_OK : IBK_ERR_STATE);
        ibk_session_close(pair.a, IBK_ERR_STATE);
        assert_int_equal(ibk_session_tek(pair.a, 1, tek, 16, NULL, 0), IBK_ERR_STATE);
        lab_pair_free(&pair);
    }
}

typedef struct found {
    size_t scalars, tgks;
    uint8_t tgk[TGK_LEN]; /* the first one */
} found;

static void note(void *user, const ibk_session_secret *secret) {
    found *f = user;
    f->scalars += secret->kind == IBK_SECRET_SCALAR;
    if (secret->kind == IBK_SECRET_TGK && f->tgks++ == 0) {
        memcpy(f->tgk, secret->octets.data, sizeof f->tgk);
    }
}

static void expect_secrets(const ibk_session *s, size_t scalars, size_t tgks) {
    found f = {0};
    ibk_session_secrets(s, note, &f);
    assert_int_equal(f.scalars, scalars);
    assert_int_equal(f.tgks, tgks);
}

/* P-20: one exchange, two updates that are confirmed, the end. */
static void test_wipe(void **state) {
    (void)state;
    for (size_t off = 0; off < 2; off++) {
        lab_pair pair;
        lab_pair_init(&pair);
        pair.ac.policy.without = pair.bc.policy.without = off ? IBK_DEFENCE_WIPE : 0;
        lab_pair_play(&pair, 4);
        lab_keys_agree(&pair);
        expect_secrets(pair.a, off, 1);
        expect_secrets(pair.b, off, 1);
        for (int i = 0; i < 2; i++) {
            lab_update u = lab_update_of(&pair, i, true);
            lab_update_play(&u, 2);
            ibk_session_confirm_update(lab_answerer(&u));
            lab_keys_agree(&pair);
            lab_update_free(&u);
        }
        expect_secrets(pair.a, off ? 3 : 0, off ? 3 : 1);
        expect_secrets(pair.b, off ? 3 : 0, off ? 3 : 1);
        ibk_session_close(pair.a, IBK_ERR_STATE);
        ibk_session_close(pair.b, IBK_ERR_STATE);
        expect_secrets(pair.a, off ? 3 : 0, off ? 3 : 0);
        expect_secrets(pair.b, off ? 3 : 0, off ? 3 : 0);
        lab_pair_free(&pair);
    }
}

/* What was left gives away the keys of the call. */
static void test_what_is_left(void **state) {
    (void)state;
    lab_pair pair;
    found f = {0};
    uint8_t tek[16];
    lab_pair_init(&pair);
    pair.ac.policy.without = IBK_DEFENCE_WIPE;
    lab_pair_play(&pair, 4);
    lab_keys keys = lab_keys_of(pair.b, 1);
    ibk_session_close(pair.a, IBK_ERR_STATE);
    ibk_session_secrets(pair.a, note, &f);
    assert_int_equal(ibk_derive(tek, sizeof tek, ibk_session_header(pair.b)->prf, IBK_DERIVE_TEK,
                                ibk_span_of(f.tgk, sizeof f.tgk), 1, ibk_session_csb_id(pair.b),
                                ibk_buf_span(&pair.b->rand)),
                     IBK_OK);
    assert_memory_equal(tek, keys.octets, sizeof tek);
    lab_pair_free(&pair);
}

/* ---- nothing on at all --------------------------------------------------------------------------------- */

/* What a step sent, with one octet changed, to a session. */
static void spoil(ibk_session *to, ibk_time now, ibk_step *step, size_t at, uint8_t change) {
    ibk_buf spoilt = {0};
    if (step->message.len == 0) {
        return;
    }
    assert_int_equal(ibk_buf_append_span(&spoilt, step->message), IBK_OK);
    spoilt.data[at % spoilt.len] ^= change;
    assert_int_equal(ibk_session_recv(to, now, ibk_buf_span(&spoilt), step), IBK_OK);
    ibk_buf_free(&spoilt);
}

static void update_spoilt(lab_pair *pair, bool new_dh, size_t at, uint8_t change) {
    ibk_update_config config = {.new_dh = new_dh};
    ibk_time now = {.mono_ns = 2000000000, .utc_ns = LAB_NOON + 2000000000};
    ibk_step step;
    /* USAGE: what was agreed contradicts itself */
    if (ibk_session_update(pair->a, now, &config, &step) == IBK_OK) {
        spoil(pair->b, now, &step, at, change);
        spoil(pair->a, now, &step, at, change);
    }
}

/* Message i with one octet changed, then whatever comes of it, to the end; and an update of that. What
 * becomes of the exchange is not looked at: it ends, and stays inside its memory (run with ASan). */
static void play_spoilt(int i, size_t at, uint8_t change) {
    lab_pair pair;
    ibk_buf spoilt = {0};
    lab_pair_init(&pair);
    pair.ac.policy.without = pair.bc.policy.without = UINT32_MAX;
    lab_pair_play(&pair, i);
    assert_int_equal(ibk_buf_append_span(&spoilt, ibk_buf_span(&pair.m[i])), IBK_OK);
    spoilt.data[at % spoilt.len] ^= change;
    lab_deliver(&pair, i, ibk_buf_span(&spoilt));
    for (int k = i + 1; k < 4; k++) {
        lab_deliver(&pair, k, ibk_buf_span(&pair.m[k]));
    }
    if (ibk_session_get_state(pair.a) == IBK_STATE_ESTABLISHED) {
        update_spoilt(&pair, i % 2 == 0, at, change);
    }
    ibk_buf_free(&spoilt);
    lab_pair_free(&pair);
}

static void test_anything_goes(void **state) {
    (void)state;
    for (int i = 0; i < 4; i++) {
        for (size_t at = 0; at < 12; at++) { /* the header, octet by octet */
            play_spoilt(i, at, 1);
            play_spoilt(i, at, 0x80);
        }
        for (size_t at = 12; at < 500; at += 13) {
            play_spoilt(i, at, (uint8_t)(at % 255 + 1));
        }
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_attacks),       cmocka_unit_test(test_early_media),
        cmocka_unit_test(test_wipe),          cmocka_unit_test(test_what_is_left),
        cmocka_unit_test(test_anything_goes),
    };
    return cmocka_run_group_tests(tests, lab_group_setup, lab_group_teardown);
}
