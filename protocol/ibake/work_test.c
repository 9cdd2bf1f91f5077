/* What a session reports of its costly operations: those that it carries out, each once. */
#include "ibake/lab.h"

#include <string.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* PEER and ENCRYPT go together here: the users of the lab keep no precomputed peers. */
static void expect_work(lab_user *user, unsigned encrypt, unsigned decrypt, unsigned keygen, unsigned dh,
                        unsigned curve) {
    lab_work *w = &user->work;
    assert_int_equal(w->count[IBK_WORK_IBE_PEER], encrypt);
    assert_int_equal(w->count[IBK_WORK_IBE_ENCRYPT], encrypt);
    assert_int_equal(w->count[IBK_WORK_IBE_DECRYPT], decrypt);
    assert_int_equal(w->count[IBK_WORK_EC_KEYGEN], keygen);
    assert_int_equal(w->count[IBK_WORK_EC_DH], dh);
    assert_int_equal(w->size[IBK_WORK_IBE_ENCRYPT], encrypt ? 1024 : 0);
    assert_int_equal(w->size[IBK_WORK_IBE_DECRYPT], decrypt ? 1024 : 0);
    assert_int_equal(w->size[IBK_WORK_EC_KEYGEN], keygen ? curve : 0);
    assert_int_equal(w->size[IBK_WORK_EC_DH], dh ? curve : 0);
    unsigned others = w->count[IBK_WORK_IBE_PARAMS] + w->count[IBK_WORK_IBE_EXTRACT] +
                      w->count[IBK_WORK_IBE_VERIFY_KEY] + w->count[IBK_WORK_RSA_PRIVATE] +
                      w->count[IBK_WORK_RSA_PUBLIC];
    assert_int_equal(others, 0);
    *w = (lab_work){0};
}

/* Message by message: who does what. */
static void test_exchange(void **state) {
    (void)state;
    static const struct {
        uint8_t curve;
        unsigned bits;
    } curves[] = {{IBK_EC_P256, 256}, {IBK_EC_P384, 384}, {IBK_EC_P521, 521}};
    for (size_t i = 0; i < 3; i++) {
        unsigned bits = curves[i].bits;
        lab_pair pair;
        lab_pair_init(&pair);
        pair.ac.policy.curve = curves[i].curve;
        lab_pair_sessions(&pair);
        assert_int_equal(ibk_session_start(pair.a, lab_now(&pair.alice), &pair.step), IBK_OK);
        assert_int_equal(ibk_buf_append_span(&pair.m[0], pair.step.message), IBK_OK);
        expect_work(&pair.alice, 1, 0, 1, 0, bits); /* I_MESSAGE_1: x, E(…) */
        lab_deliver(&pair, 0, ibk_buf_span(&pair.m[0]));
        expect_work(&pair.bob, 1, 1, 1, 0, bits); /* decrypts; R_MESSAGE_1: y, E(…) */
        lab_deliver(&pair, 1, ibk_buf_span(&pair.m[1]));
        expect_work(&pair.alice, 1, 1, 0, 1, bits); /* decrypts, [xy]P; I_MESSAGE_2 */
        lab_deliver(&pair, 2, ibk_buf_span(&pair.m[2]));
        expect_work(&pair.bob, 0, 1, 0, 1, bits); /* decrypts, [xy]P */
        lab_deliver(&pair, 3, ibk_buf_span(&pair.m[3]));
        expect_work(&pair.alice, 0, 0, 0, 0, bits); /* a MAC */
        lab_keys_agree(&pair);
        lab_pair_free(&pair);
    }
}

/* Nobody can read I_MESSAGE_1: no decryption there, but an ESK in I_MESSAGE_2. */
static void test_deferred(void **state) {
    (void)state;
    lab_pair pair;
    lab_pair_init(&pair);
    pair.bob.no_key = true;
    pair.bc.policy.answer_undecryptable = true;
    pair.ac.policy.allow_missing_echo = true;
    lab_pair_play(&pair, 1);
    expect_work(&pair.bob, 1, 0, 1, 0, 256);
    pair.bob.no_key = false;
    pair.alice.work = (lab_work){0};
    lab_deliver(&pair, 1, ibk_buf_span(&pair.m[1]));
    expect_work(&pair.alice, 2, 1, 0, 1, 256); /* IBAKE and ESK */
    lab_deliver(&pair, 2, ibk_buf_span(&pair.m[2]));
    expect_work(&pair.bob, 1, 1, 0, 1, 256); /* the echo of [x]P in R_MESSAGE_2 */
    lab_deliver(&pair, 3, ibk_buf_span(&pair.m[3]));
    expect_work(&pair.alice, 0, 1, 0, 0, 256);
    lab_keys_agree(&pair);
    lab_pair_free(&pair);
}

static void play_update(lab_pair *pair, bool new_dh) {
    lab_update u = lab_update_of(pair, false, new_dh);
    lab_update_play(&u, 2);
    assert_int_equal(u.step.kind, IBK_STEP_UPDATED);
    lab_update_free(&u);
}

static void test_update(void **state) {
    (void)state;
    lab_pair pair;
    lab_pair_init(&pair);
    lab_pair_play(&pair, 4);
    pair.alice.work = pair.bob.work = (lab_work){0};
    play_update(&pair, true);
    expect_work(&pair.alice, 1, 1, 1, 1, 256);
    expect_work(&pair.bob, 1, 1, 1, 1, 256);
    play_update(&pair, false); /* MACs alone */
    expect_work(&pair.alice, 0, 0, 0, 0, 0);
    expect_work(&pair.bob, 0, 0, 0, 0, 0);
    lab_pair_free(&pair);
}

/* A ciphertext that does not decrypt has cost a decryption; one that cannot be read has not. */
static void test_refused(void **state) {
    (void)state;
    lab_pair pair;
    lab_pair_init(&pair);
    pair.bob.key_shift_ns = LAB_DAY; /* a key of another date */
    lab_pair_play(&pair, 1);
    lab_expect_closed(&pair, IBK_ERR_DECRYPT);
    expect_work(&pair.bob, 0, 1, 0, 0, 0);
    lab_pair_free(&pair);

    lab_pair_init(&pair);
    lab_pair_sessions(&pair);
    assert_int_equal(ibk_session_start(pair.a, lab_now(&pair.alice), &pair.step), IBK_OK);
    lab_deliver(&pair, 0, ibk_span_of(pair.step.message.data, pair.step.message.len - 1));
    lab_expect_closed(&pair, IBK_ERR_TRUNCATED);
    expect_work(&pair.bob, 0, 0, 0, 0, 0);
    lab_pair_free(&pair);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_exchange),
        cmocka_unit_test(test_deferred),
        cmocka_unit_test(test_update),
        cmocka_unit_test(test_refused),
    };
    return cmocka_run_group_tests(tests, lab_group_setup, lab_group_teardown);
}
