/* What becomes of CSB updates that do not come through: refused, unanswered, taken back, in each other's way;
 * and of their secrets (P-20, P-31, P-32). */
#include "ibake/lab.h"

#include <string.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* Both ends as established; `keys` of crypto session 1. */
typedef struct fixture {
    lab_pair pair;
    lab_keys keys;
} fixture;

static void begin(fixture *f) {
    lab_pair_init(&f->pair);
    lab_pair_play(&f->pair, 4);
    f->keys = lab_keys_of(f->pair.a, 1);
}

static void expect_keys(ibk_session *s, const lab_keys *keys, bool same) {
    lab_keys now = lab_keys_of(s, 1);
    assert_int_equal(lab_keys_equal(&now, keys), same);
}

static void expect_step(const ibk_step *step, ibk_step_kind kind, ibk_err reason, ibk_session_state state) {
    if (step->kind != kind || step->reason != reason) {
        print_message("got %d %s (%s)\n", step->kind, ibk_err_name(step->reason), step->diag.detail);
    }
    assert_int_equal(step->kind, kind);
    assert_int_equal(step->reason, reason);
    assert_int_equal(step->diag.err, reason);
    assert_int_equal(step->state, state);
}

/* A further update goes through: nothing was left behind. */
static void expect_sound(fixture *f, bool by_bob) {
    lab_update u = lab_update_of(&f->pair, by_bob, true);
    lab_update_play(&u, 2);
    expect_step(&u.answer, IBK_STEP_UPDATED, IBK_OK, IBK_STATE_ESTABLISHED);
    expect_step(&u.step, IBK_STEP_UPDATED, IBK_OK, IBK_STATE_ESTABLISHED);
    lab_keys_agree(&f->pair);
    lab_update_free(&u);
}

/* ---- taken back, confirmed, expired
 * --------------------------------------------------------------------------- */

/* R_MESSAGE_1 is lost: the starter gives up, the answerer takes the update back. */
static void test_lost_answer(void **state) {
    (void)state;
    for (int i = 0; i < 4; i++) {
        fixture f;
        begin(&f);
        ibk_cs_srtp three[3] = {{1, 0x11111111, 0}, {1, 0x22222222, 0}, {1, 0x33333333, 0}};
        lab_update u = lab_update_of(&f.pair, i / 2, i % 2);
        u.config.srtp = three;
        u.config.n_srtp = 3;
        lab_update_play(&u, 1);
        ibk_session *starter = lab_starter(&u), *answerer = lab_answerer(&u);
        expect_keys(answerer, &f.keys, i % 2 == 0);
        assert_int_equal(ibk_session_updates(answerer), 1);
        ibk_time now = {.mono_ns = ibk_session_deadline(starter), .utc_ns = f.pair.alice.utc_ns};
        assert_int_equal(ibk_session_expire(starter, now, &u.step), IBK_OK);
        expect_step(&u.step, IBK_STEP_DISCARDED, IBK_ERR_TIMEOUT, IBK_STATE_ESTABLISHED);
        assert_true(ibk_session_deadline(starter) == UINT64_MAX);
        assert_int_equal(ibk_session_revert_update(answerer), IBK_OK);
        assert_int_equal(ibk_session_updates(answerer), 0);
        assert_int_equal(ibk_session_header(answerer)->n_cs, 2);
        assert_true(ibk_session_deadline(answerer) == UINT64_MAX);
        assert_false(ibk_session_update_unconfirmed(answerer));
        assert_int_equal(ibk_session_revert_update(answerer), IBK_ERR_STATE);
        expect_keys(answerer, &f.keys, true);
        expect_keys(starter, &f.keys, true);
        lab_keys_agree(&f.pair);
        /* the answer comes late: there is nothing that waits for it */
        lab_update_deliver(&u, 1, ibk_buf_span(&u.m[1]));
        expect_step(&u.step, IBK_STEP_DISCARDED, IBK_ERR_UNEXPECTED_MESSAGE, IBK_STATE_ESTABLISHED);
        expect_sound(&f, i / 2);
        lab_update_free(&u);
        lab_pair_free(&f.pair);
    }
}

/* Two updates are answered, neither is confirmed: what is taken back is what the peer has shown to use. */
static void test_two_unconfirmed(void **state) {
    (void)state;
    fixture f;
    begin(&f);
    lab_update u = lab_update_of(&f.pair, false, true);
    ibk_step step;
    for (int i = 0; i < 2; i++) {
        lab_update_play(&u, 1);
        expect_step(&u.answer, IBK_STEP_UPDATED, IBK_OK, IBK_STATE_ESTABLISHED);
        ibk_time now = {.mono_ns = ibk_session_deadline(f.pair.a)};
        assert_int_equal(ibk_session_expire(f.pair.a, now, &step), IBK_OK);
    }
    assert_int_equal(ibk_session_updates(f.pair.b), 2);
    assert_int_equal(ibk_session_revert_update(f.pair.b), IBK_OK);
    assert_int_equal(ibk_session_updates(f.pair.b), 0);
    lab_keys_agree(&f.pair);
    expect_keys(f.pair.b, &f.keys, true);
    expect_sound(&f, true);
    lab_update_free(&u);
    lab_pair_free(&f.pair);
}

static void test_deadline_confirms(void **state) {
    (void)state;
    fixture f;
    begin(&f);
    ibk_step step;
    lab_update u = lab_update_of(&f.pair, false, true);
    lab_update_play(&u, 2);
    ibk_time now = lab_now(&f.pair.bob);
    assert_true(ibk_session_deadline(f.pair.b) == now.mono_ns + UINT64_C(32000000000));
    now.mono_ns = ibk_session_deadline(f.pair.b) - 1;
    assert_int_equal(ibk_session_expire(f.pair.b, now, &step), IBK_OK);
    assert_true(ibk_session_update_unconfirmed(f.pair.b));
    now.mono_ns++;
    assert_int_equal(ibk_session_expire(f.pair.b, now, &step), IBK_OK);
    expect_step(&step, IBK_STEP_DISCARDED, IBK_OK, IBK_STATE_ESTABLISHED);
    assert_false(ibk_session_update_unconfirmed(f.pair.b));
    assert_true(ibk_session_deadline(f.pair.b) == UINT64_MAX);
    assert_int_equal(ibk_session_revert_update(f.pair.b), IBK_ERR_STATE);
    ibk_session_confirm_update(f.pair.b); /* again: no effect */
    lab_keys_agree(&f.pair);
    expect_keys(f.pair.a, &f.keys, false);
    lab_update_free(&u);
    lab_pair_free(&f.pair);
}

/* An update of ours proves, or leaves open, what an unconfirmed one before it left open. */
static void test_own_after_unconfirmed(void **state) {
    (void)state;
    fixture f;
    begin(&f);
    lab_update u = lab_update_of(&f.pair, false, true), own = lab_update_of(&f.pair, true, true);
    lab_update_play(&u, 2);
    lab_update_play(&own, 0);
    assert_int_equal(ibk_session_revert_update(f.pair.b), IBK_ERR_STATE); /* not while one waits */
    ibk_time now = {.mono_ns = ibk_session_deadline(f.pair.b)};
    assert_int_equal(ibk_session_expire(f.pair.b, now, &own.step), IBK_OK);
    expect_step(&own.step, IBK_STEP_DISCARDED, IBK_ERR_TIMEOUT, IBK_STATE_ESTABLISHED);
    assert_true(ibk_session_update_unconfirmed(f.pair.b));
    assert_true(ibk_session_deadline(f.pair.b) != UINT64_MAX);
    lab_update_play(&own, 2);
    expect_step(&own.step, IBK_STEP_UPDATED, IBK_OK, IBK_STATE_ESTABLISHED);
    assert_false(ibk_session_update_unconfirmed(f.pair.b));
    lab_keys_agree(&f.pair);
    lab_update_free(&u);
    lab_update_free(&own);
    lab_pair_free(&f.pair);
}

/* ---- in each other's way
 * ------------------------------------------------------------------------------------- */

static void test_glare(void **state) {
    (void)state;
    fixture f;
    begin(&f);
    lab_update ua = lab_update_of(&f.pair, false, true), ub = lab_update_of(&f.pair, true, true);
    lab_update_play(&ua, 0);
    lab_update_play(&ub, 0);
    lab_update_deliver(&ua, 0, ibk_buf_span(&ua.m[0]));
    expect_step(&ua.answer, IBK_STEP_DISCARDED, IBK_ERR_STATE, IBK_STATE_UPDATING);
    assert_int_equal(ua.answer.waits_for, IBK_MSG_R_MESSAGE_1);
    lab_update_deliver(&ub, 0, ibk_buf_span(&ub.m[0]));
    expect_step(&ub.answer, IBK_STEP_DISCARDED, IBK_ERR_STATE, IBK_STATE_UPDATING);
    lab_update_deliver(&ub, 0, ibk_span_of(ub.m[0].data, ub.m[0].len - 1)); /* no message at all */
    expect_step(&ub.answer, IBK_STEP_DISCARDED, ub.answer.reason, IBK_STATE_UPDATING);
    assert_int_equal(ibk_session_update(f.pair.a, lab_now(&f.pair.alice), &ua.config, &ua.step),
                     IBK_ERR_STATE);
    for (int i = 0; i < 2; i++) {
        ibk_session *s = i ? f.pair.b : f.pair.a;
        ibk_time now = {.mono_ns = ibk_session_deadline(s)};
        assert_int_equal(ibk_session_expire(s, now, &ua.step), IBK_OK);
        expect_keys(s, &f.keys, true);
    }
    expect_sound(&f, true);
    expect_sound(&f, false);
    lab_update_free(&ua);
    lab_update_free(&ub);
    lab_pair_free(&f.pair);
}

/* Both messages of an update, and an Error, in every state that does not expect them. */
static void test_unexpected(void **state) {
    (void)state;
    fixture f;
    begin(&f);
    lab_update u = lab_update_of(&f.pair, false, true);
    lab_update_play(&u, 2);
    ibk_step step;
    for (int upto = 0; upto <= 3; upto++) {
        lab_pair pair; /* the same randomness, so the same CSB ID */
        lab_pair_init(&pair);
        lab_pair_play(&pair, upto);
        ibk_session *ends[] = {pair.a, pair.b};
        for (int i = 0; i < 2; i++) {
            for (int m = 0; m < 2; m++) {
                ibk_session_state before = ibk_session_get_state(ends[i]);
                bool awaited = (before == IBK_STATE_R_NEW && m == 0) ||
                               (before == IBK_STATE_I_WAIT_R_MESSAGE_1 && m == 1);
                if (awaited || before == IBK_STATE_ESTABLISHED) {
                    continue; /* test_as_initial, update_refuse_test */
                }
                assert_int_equal(ibk_session_recv(ends[i], lab_now(&pair.bob), ibk_buf_span(&u.m[m]), &step),
                                 IBK_OK);
                expect_step(&step, IBK_STEP_DISCARDED, IBK_ERR_UNEXPECTED_MESSAGE, before);
            }
        }
        lab_pair_free(&pair);
    }
    ibk_session_close(f.pair.a, IBK_OK);
    assert_int_equal(ibk_session_recv(f.pair.a, lab_now(&f.pair.alice), ibk_buf_span(&u.m[0]), &step),
                     IBK_OK);
    expect_step(&step, IBK_STEP_DISCARDED, IBK_ERR_UNEXPECTED_MESSAGE, IBK_STATE_CLOSED);
    assert_int_equal(ibk_session_update(f.pair.a, lab_now(&f.pair.alice), &u.config, &step), IBK_ERR_STATE);
    lab_update_free(&u);
    lab_pair_free(&f.pair);
}

/* The messages of an update are none of an initial exchange. */
static void test_as_initial(void **state) {
    (void)state;
    fixture f;
    begin(&f);
    lab_update u = lab_update_of(&f.pair, false, true);
    lab_update_play(&u, 2);
    lab_pair_play(&f.pair, 0);
    lab_deliver(&f.pair, 0, ibk_buf_span(&u.m[0]));
    lab_expect_closed(&f.pair, IBK_ERR_MISSING_PAYLOAD); /* RAND */
    lab_pair_play(&f.pair, 0);
    assert_int_equal(ibk_session_update(f.pair.a, lab_now(&f.pair.alice), &u.config, &u.step), IBK_ERR_STATE);
    lab_update_free(&u);
    lab_pair_free(&f.pair);
}

/* RFC 3830 §5.1.2: an Error ends our update, not the session; and we may send one. */
static void test_errors(void **state) {
    (void)state;
    fixture f;
    begin(&f);
    f.pair.b->policy.ts_types = 1u << IBK_TS_COUNTER;
    lab_update u = lab_update_of(&f.pair, false, true);
    lab_update_play(&u, 1);
    expect_step(&u.answer, IBK_STEP_DISCARDED, IBK_ERR_UNSUPPORTED, IBK_STATE_ESTABLISHED);
    assert_int_equal(u.answer.message_type, IBK_MSG_ERROR);
    f.pair.a->policy.ignore_peer_errors = true;
    lab_update_deliver(&u, 1, ibk_buf_span(&u.m[1]));
    expect_step(&u.step, IBK_STEP_DISCARDED, IBK_ERR_PEER_ERROR, IBK_STATE_UPDATING);
    f.pair.a->policy.ignore_peer_errors = false;
    ibk_t sent = f.pair.a->update->t; /* an Error about another message */
    f.pair.a->update->t = f.pair.a->t1;
    lab_update_deliver(&u, 1, ibk_buf_span(&u.m[1]));
    expect_step(&u.step, IBK_STEP_DISCARDED, IBK_ERR_MISMATCH, IBK_STATE_UPDATING);
    f.pair.a->update->t = sent;
    lab_update_deliver(&u, 1, ibk_buf_span(&u.m[1]));
    expect_step(&u.step, IBK_STEP_DISCARDED, IBK_ERR_PEER_ERROR, IBK_STATE_ESTABLISHED);
    assert_int_equal(u.step.peer_error, IBK_ERRNO_TS);
    lab_keys_agree(&f.pair);
    f.pair.b->policy.ts_types = 0xF;
    expect_sound(&f, false);
    lab_update_free(&u);
    lab_pair_free(&f.pair);
}

/* ---- randomness, memory, secrets
 * -------------------------------------------------------------------------------- */

static void test_random_failure(void **state) {
    (void)state;
    int failures[2] = {0, 0};
    for (int side = 0; side < 2; side++) {
        for (uint64_t n = 1; n < 8; n++) {
            fixture f;
            begin(&f);
            lab_random *random = side ? &f.pair.bob.random : &f.pair.alice.random;
            random->fail_at = random->draws + n;
            lab_update u = lab_update_of(&f.pair, false, true);
            lab_update_play(&u, 0);
            if (u.step.kind == IBK_STEP_WAIT) {
                lab_update_deliver(&u, 0, ibk_buf_span(&u.m[0]));
            }
            const ibk_step *last = u.step.kind == IBK_STEP_WAIT ? &u.answer : &u.step;
            if (last->kind == IBK_STEP_DISCARDED) {
                expect_step(last, IBK_STEP_DISCARDED, IBK_ERR_RANDOM, IBK_STATE_ESTABLISHED);
                assert_int_equal(last->message.len, 0);
                expect_keys(side ? f.pair.b : f.pair.a, &f.keys, true);
                failures[side]++;
            }
            lab_update_free(&u);
            lab_pair_free(&f.pair);
        }
    }
    assert_int_equal(failures[0], 2); /* x, rho */
    assert_int_equal(failures[1], 2); /* y, rho */
}

static void test_wiped(void **state) {
    (void)state;
    fixture f;
    uint8_t mpk[MPK_MAX], old[TGK_LEN];
    begin(&f);
    memcpy(mpk, f.pair.a->mpk, sizeof mpk);
    memcpy(old, f.pair.a->tgk, sizeof old);
    lab_update u = lab_update_of(&f.pair, false, true);
    lab_update_play(&u, 0);
    assert_false(lab_all_zero(f.pair.a->update->own.scalar, IBK_EC_SCALAR_MAX));
    lab_update_deliver(&u, 0, ibk_buf_span(&u.m[0]));
    assert_true(lab_all_zero(f.pair.b->own.scalar, IBK_EC_SCALAR_MAX)); /* y: with K_SESSION */
    assert_null(f.pair.b->update);
    assert_memory_equal(f.pair.b->previous->tgk, old, sizeof old); /* until it is confirmed */
    assert_true(lab_all_zero(f.pair.b->previous->mpk, MPK_MAX));
    assert_memory_equal(f.pair.b->mpk, mpk, sizeof mpk); /* P-31 */
    lab_update_deliver(&u, 1, ibk_buf_span(&u.m[1]));
    assert_null(f.pair.a->update);
    assert_null(f.pair.a->previous);
    assert_true(lab_all_zero(f.pair.a->own.scalar, IBK_EC_SCALAR_MAX));
    assert_memory_equal(f.pair.a->mpk, mpk, sizeof mpk);
    assert_memory_not_equal(f.pair.a->tgk, old, sizeof old);
    ibk_session_close(f.pair.b, IBK_OK);
    assert_null(f.pair.b->previous);
    assert_true(lab_all_zero(f.pair.b->tgk, TGK_LEN));
    assert_int_equal(ibk_session_revert_update(f.pair.b), IBK_ERR_STATE);
    lab_update_play(&u, 0);
    ibk_session_close(f.pair.a, IBK_OK);
    assert_null(f.pair.a->update);
    uint8_t tek[16];
    assert_int_equal(ibk_session_tek(f.pair.a, 1, tek, 16, NULL, 0), IBK_ERR_STATE);
    lab_update_free(&u);
    lab_pair_free(&f.pair);
}

static void test_config(void **state) {
    (void)state;
    static const uint8_t params[] = {IBK_SRTP_AUTH_TAG_LEN, 1, 4};
    fixture f;
    begin(&f);
    ibk_sp changed = {.policy_no = 1, .prot_type = IBK_PROT_SRTP, .params = {params, sizeof params}};
    ibk_sp twice[2] = {changed, changed};
    twice[0].policy_no = twice[1].policy_no = 2;
    ibk_cs_srtp fewer[1] = {{1, 0x11111111, 0}}, other[2] = {{1, 0x11111111, 0}, {1, 0x22222223, 0}};
    ibk_cs_srtp unknown[3] = {{1, 0x11111111, 0}, {1, 0x22222222, 0}, {9, 0, 0}};
    ibk_cs_srtp policy[2] = {{2, 0x11111111, 0}, {1, 0x22222222, 0}};
    uint8_t mki[256] = {1};
    ibk_update_config bad[] = {{.srtp = fewer, .n_srtp = 1},
                               {.srtp = other, .n_srtp = 2},
                               {.srtp = unknown, .n_srtp = 3},
                               {.srtp = policy, .n_srtp = 2, .policies = twice, .n_policies = 1},
                               {.policies = &changed, .n_policies = 1},
                               {.policies = twice, .n_policies = 2},
                               {.mki = ibk_span_str("k")},
                               {.new_dh = true, .mki = {mki, 256}},
                               {.new_dh = true, .curve = IBK_EC_P224},
                               {.curve = IBK_EC_P384}};
    ibk_step step;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        assert_int_equal(ibk_session_update(f.pair.a, lab_now(&f.pair.alice), &bad[i], &step), IBK_ERR_USAGE);
    }
    assert_int_equal(ibk_session_fill_ssrcs(f.pair.a, NULL, 256), IBK_ERR_USAGE);
    expect_sound(&f, false);
    lab_pair_free(&f.pair);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lost_answer),
        cmocka_unit_test(test_two_unconfirmed),
        cmocka_unit_test(test_deadline_confirms),
        cmocka_unit_test(test_own_after_unconfirmed),
        cmocka_unit_test(test_glare),
        cmocka_unit_test(test_unexpected),
        cmocka_unit_test(test_as_initial),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_random_failure),
        cmocka_unit_test(test_wiped),
        cmocka_unit_test(test_config),
    };
    return cmocka_run_group_tests(tests, lab_group_setup, lab_group_teardown);
}
