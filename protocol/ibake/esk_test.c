/* Content under a secret key of its own: ESK in I_MESSAGE_1 (pre-encoded content, a mailbox that hands on
 * what it stored), ESK in I_MESSAGE_2 (deferred delivery), and the keys that follow from SK (RFC 6267 §3.3,
 * §4.2.2.1 to §4.2.2.6, P-11, P-22). */
#include "ibake/lab.h"

#include <string.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static const uint8_t sk32[32] = {7, 7, 7, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14};

/* Opens an ESK as this user, with the key of a day. */
static ibk_err open_as(lab_user *user, int64_t utc_ns, ibk_span esk, ibk_buf *sk, ibk_buf *sender) {
    const ibk_ibe_params *params;
    const ibk_ibe_key *key;
    ibk_buf id = {0};
    ibk_session_config config = lab_config(user, IBK_SESSION_RESPONDER, NULL);
    assert_int_equal(ibk_ibe_identity(&id, ibk_span_str(user->uri), user->granularity, utc_ns), IBK_OK);
    assert_int_equal(config.node.private_key(user, ibk_buf_span(&id), &params, &key), IBK_LOOKUP_FOUND);
    ibk_buf_free(&id);
    ibk_buf_clear(sk);
    ibk_buf_clear(sender);
    return ibk_esk_open(sk, sender, params, key, esk, NULL);
}

static void expect_opens(lab_user *user, ibk_span esk, ibk_span sk, const char *sender) {
    ibk_buf got = {0}, from = {0};
    assert_int_equal(open_as(user, LAB_NOON, esk, &got, &from), IBK_OK);
    assert_true(ibk_span_equal(ibk_buf_span(&got), sk));
    assert_true(ibk_span_equal(ibk_buf_span(&from), ibk_span_str(sender)));
    ibk_buf_free(&got);
    ibk_buf_free(&from);
}

static ibk_span esk_of(ibk_msg *msg) {
    return lab_find(msg, IBK_PL_ESK, 0)->enc.data;
}

/* ---- pre-encoded content: ESK in I_MESSAGE_1
 * ------------------------------------------------------------------ */

static void pre_encoded(ibk_span sk) {
    lab_pair pair;
    ibk_msg m[4] = {0};
    lab_pair_init(&pair);
    pair.ac.esk = IBK_ESK_OWN;
    pair.ac.sk = sk;
    lab_pair_play(&pair, 4);
    lab_keys_agree(&pair);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(ibk_msg_parse(&m[i], ibk_buf_span(&pair.m[i]), NULL), IBK_OK);
        assert_int_equal(ibk_msg_find(&m[i], IBK_PL_ESK, 0) != NULL, i == 0); /* not again: it was read */
    }
    assert_int_equal(m[0].chain.items[m[0].chain.count - 1].type, IBK_PL_ESK);
    assert_true(ibk_span_equal(ibk_session_esk(pair.b), esk_of(&m[0])));
    assert_int_equal(ibk_session_sk(pair.a).len, sk.len ? sk.len : SK_LEN);
    if (sk.len > 0) {
        assert_true(ibk_span_equal(ibk_session_sk(pair.a), sk));
    }
    expect_opens(&pair.bob, ibk_session_esk(pair.b), ibk_session_sk(pair.a), pair.alice.uri);
    for (int i = 0; i < 4; i++) {
        ibk_msg_free(&m[i]);
    }
    lab_pair_free(&pair);
}

static void test_pre_encoded(void **state) {
    (void)state;
    pre_encoded(ibk_span_of(sk32, sizeof sk32));
    pre_encoded(ibk_span_of(sk32, 16));
    pre_encoded((ibk_span){0}); /* drawn */
}

/* ---- deferred delivery
 * ------------------------------------------------------------------------------------------ */

/* A mailbox answers for bob, who is off. */
static void to_mailbox(lab_pair *pair) {
    lab_pair_init(pair);
    pair->bob.uri = "sip:mailbox@away.example";
    pair->bc.local = ibk_identity_uri(pair->bob.uri);
    pair->bc.policy.answer_undecryptable = true;
    pair->ac.policy.allow_missing_echo = true;
    pair->alice.accept_others = true;
}

/* [y]P alone, ECCPTi again, ESK for the intended recipient, the echo in R_MESSAGE_2; whoever reads is told
 * so. */
static void deferred(ibk_esk_use use, ibk_span sk) {
    lab_pair pair;
    lab_user bob;
    ibk_msg i1 = {0}, i2 = {0}, r2 = {0};
    lab_user_init(&bob, "sip:bob@away.example", &lab_away, 5);
    to_mailbox(&pair);
    pair.ac.esk = use;
    pair.ac.sk = sk;
    lab_pair_play(&pair, 4);
    lab_keys_agree(&pair);
    assert_true(ibk_session_deferred(pair.a) && ibk_session_deferred(pair.b));
    assert_int_equal(pair.alice.responders_asked, 1);
    assert_string_equal(pair.alice.asked, "sip:bob@away.example");
    assert_string_equal(pair.alice.answered, "sip:mailbox@away.example");
    assert_false(pair.alice.echoed);
    assert_int_equal(ibk_msg_parse(&i1, ibk_buf_span(&pair.m[0]), NULL), IBK_OK);
    assert_int_equal(ibk_msg_parse(&i2, ibk_buf_span(&pair.m[2]), NULL), IBK_OK);
    assert_int_equal(ibk_msg_parse(&r2, ibk_buf_span(&pair.m[3]), NULL), IBK_OK);
    assert_non_null(ibk_msg_find(&r2, IBK_PL_IBAKE, 0)); /* N65 */
    assert_int_equal(ibk_msg_find(&i1, IBK_PL_ESK, 0) != NULL, use == IBK_ESK_OWN);
    assert_true(ibk_span_equal(ibk_session_esk(pair.b), esk_of(&i2))); /* N58 */
    assert_true(ibk_span_equal(ibk_msg_find_idr(&i2, IBK_ROLE_R, 0)->id.data, ibk_span_str(pair.bob.uri)));
    if (sk.len > 0) {
        assert_true(ibk_span_equal(ibk_session_sk(pair.a), sk));
    }
    expect_opens(&bob, ibk_session_esk(pair.b), ibk_session_sk(pair.a), pair.alice.uri);
    if (use == IBK_ESK_OWN) { /* the same SK both times */
        expect_opens(&bob, esk_of(&i1), ibk_session_sk(pair.a), pair.alice.uri);
    }
    ibk_buf got = {0}, from = {0}; /* the mailbox cannot, nor can bob with the key of another day */
    assert_int_equal(open_as(&pair.bob, LAB_NOON, esk_of(&i2), &got, &from), IBK_ERR_DECRYPT);
    assert_int_equal(open_as(&bob, LAB_NOON + LAB_DAY, esk_of(&i2), &got, &from), IBK_ERR_DECRYPT);
    assert_int_equal(got.len, 0);
    ibk_buf_free(&got);
    ibk_buf_free(&from);
    ibk_msg_free(&i1);
    ibk_msg_free(&i2);
    ibk_msg_free(&r2);
    lab_user_free(&bob);
    lab_pair_free(&pair);
}

static void test_deferred(void **state) {
    (void)state;
    deferred(IBK_ESK_NONE, (ibk_span){0});
    deferred(IBK_ESK_NONE, ibk_span_of(sk32, sizeof sk32));
    deferred(IBK_ESK_OWN, (ibk_span){0});
    deferred(IBK_ESK_OWN, ibk_span_of(sk32, sizeof sk32));
}

/* The mailbox hands on, in an exchange of its own, what it stored: octet by octet, and bob opens it. */
static void test_stored(void **state) {
    (void)state;
    for (int off_again = 0; off_again < 2; off_again++) {
        lab_pair first, second;
        lab_user bob;
        to_mailbox(&first);
        lab_pair_play(&first, 4);
        lab_user_init(&bob, "sip:bob@away.example", &lab_away, 5);
        lab_pair_init(&second); /* the mailbox in alice's place */
        lab_user_free(&second.alice);
        lab_user_init(&second.alice, "sip:mailbox@away.example", &lab_away, 77);
        second.ac = lab_config(&second.alice, IBK_SESSION_INITIATOR, bob.uri);
        second.ac.esk = IBK_ESK_STORED;
        second.ac.stored_esk = ibk_session_esk(first.b);
        if (off_again) { /* another mailbox answers: I_MESSAGE_2 has to carry an ESK, and it is this one */
            second.bob.uri = "sip:backup@away.example";
            second.bc.local = ibk_identity_uri(second.bob.uri);
            second.bc.policy.answer_undecryptable = true;
            second.ac.policy.allow_missing_echo = second.alice.accept_others = true;
        }
        lab_pair_play(&second, 4);
        lab_keys_agree(&second);
        assert_int_equal(ibk_session_deferred(second.a), off_again);
        assert_true(ibk_span_equal(ibk_session_esk(second.b), ibk_session_esk(first.b)));
        assert_true(ibk_span_equal(ibk_session_esk(second.a), ibk_session_esk(first.b)));
        assert_int_equal(ibk_session_sk(second.a).len, 0);
        expect_opens(&bob, ibk_session_esk(second.b), ibk_session_sk(first.a), first.alice.uri);
        lab_user_free(&bob);
        lab_pair_free(&first);
        lab_pair_free(&second);
    }
}

/* ---- what is refused, and what opening finds out
 * --------------------------------------------------------------- */

static void test_refused(void **state) {
    (void)state;
    lab_pair pair;
    to_mailbox(&pair); /* policy wants the echo */
    pair.ac.policy.allow_missing_echo = false;
    lab_pair_play(&pair, 2);
    lab_expect_closed(&pair, IBK_ERR_ECHO_MISMATCH);
    assert_int_equal(pair.alice.responders_asked, 0);
    lab_pair_free(&pair);
    to_mailbox(&pair); /* a mailbox that nobody wants */
    pair.alice.accept_others = false;
    lab_pair_play(&pair, 2);
    lab_expect_closed(&pair, IBK_ERR_REFUSED);
    lab_pair_free(&pair);
    to_mailbox(&pair); /* a responder that cannot read and does not stand in */
    pair.bc.policy.answer_undecryptable = false;
    lab_pair_play(&pair, 1);
    lab_expect_closed(&pair, IBK_ERR_NO_KEY);
    lab_pair_free(&pair);
}

static void drop_esk(ibk_msg *msg, lab_pair *pair) {
    (void)pair;
    ibk_payload *p = lab_find(msg, IBK_PL_ESK, 0);
    assert_ptr_equal(p, &msg->chain.items[msg->chain.count - 1]);
    msg->chain.count--;
}

static uint8_t esk_storage[2048];
static ibk_span other_esk;

static void damage_esk(ibk_msg *msg, lab_pair *pair) {
    (void)pair;
    ibk_payload *p = lab_find(msg, IBK_PL_ESK, 0);
    memcpy(esk_storage, p->enc.data.data, p->enc.data.len);
    esk_storage[p->enc.data.len - 1] ^= 1;
    p->enc.data.data = esk_storage;
}

static void swap_esk(ibk_msg *msg, lab_pair *pair) {
    (void)pair;
    lab_find(msg, IBK_PL_ESK, 0)->enc.data = other_esk;
}

/* Message i (0: I_MESSAGE_1 with ESK, 2: I_MESSAGE_2 to a mailbox) with its ESK changed: V does not cover it
 * (N81), so the exchange goes through; SK and the stored ESK no longer belong together. */
static void changed_esk(int i, lab_edit *change, ibk_err opens) {
    lab_pair pair;
    lab_user bob;
    ibk_buf changed = {0}, sk = {0}, sender = {0};
    lab_user_init(&bob, "sip:bob@away.example", &lab_away, 5);
    if (i == 0) {
        lab_pair_init(&pair);
        pair.ac.esk = IBK_ESK_OWN;
    } else {
        to_mailbox(&pair);
    }
    lab_pair_play(&pair, i);
    lab_edited(&pair, i, change, &changed);
    lab_deliver(&pair, i, ibk_buf_span(&changed));
    for (int k = i + 1; k < 4; k++) {
        lab_deliver(&pair, k, ibk_buf_span(&pair.m[k]));
    }
    lab_keys_agree(&pair);
    assert_int_equal(open_as(&bob, LAB_NOON, ibk_session_esk(pair.b), &sk, &sender), opens);
    assert_false(ibk_span_equal(ibk_buf_span(&sk), ibk_session_sk(pair.a)));
    ibk_buf_free(&changed);
    ibk_buf_free(&sk);
    ibk_buf_free(&sender);
    lab_user_free(&bob);
    lab_pair_free(&pair);
}

static void test_changed(void **state) {
    (void)state;
    lab_pair pair, other;
    ibk_buf forged = {0};
    ibk_chain content = {0};
    for (int i = 0; i <= 2; i += 2) {
        changed_esk(i, damage_esk, IBK_ERR_DECRYPT);
    }
    /* exchanged for one that mallory made: it opens, to an SK that mallory knows and under which the content
     * does not authenticate; the sender's name in it proves nothing */
    lab_pair_init(&pair);
    ibk_add_idr(&content, IBK_ROLE_I, IBK_ID_URI, ibk_span_str(pair.alice.uri));
    ibk_add_sk(&content, ibk_span_of(sk32, sizeof sk32), NULL);
    lab_seal(&pair, true, &content, &forged);
    other_esk = ibk_buf_span(&forged);
    changed_esk(0, swap_esk, IBK_OK);
    changed_esk(2, swap_esk, IBK_OK);
    /* exchanged for one to another recipient */
    lab_pair_init(&other);
    other.ac.esk = IBK_ESK_OWN;
    other.bob.uri = "sip:carol@away.example";
    other.ac.peer = other.bc.local = ibk_identity_uri(other.bob.uri);
    lab_pair_play(&other, 4);
    other_esk = ibk_session_esk(other.b);
    changed_esk(0, swap_esk, IBK_ERR_DECRYPT);
    changed_esk(2, swap_esk, IBK_ERR_DECRYPT);
    ibk_chain_free(&content);
    ibk_buf_free(&forged);
    lab_pair_free(&other);
    lab_pair_free(&pair);
    /* taken away: nothing to store; where it is required, that is noticed (N56) */
    lab_pair_init(&pair);
    pair.ac.esk = IBK_ESK_OWN;
    lab_pair_play(&pair, 0);
    lab_edited(&pair, 0, drop_esk, &forged);
    lab_deliver(&pair, 0, ibk_buf_span(&forged));
    for (int k = 1; k < 4; k++) {
        lab_deliver(&pair, k, ibk_buf_span(&pair.m[k]));
    }
    lab_keys_agree(&pair);
    assert_int_equal(ibk_session_esk(pair.b).len, 0);
    lab_pair_free(&pair);
    to_mailbox(&pair);
    lab_pair_play(&pair, 2);
    lab_edited(&pair, 2, drop_esk, &forged);
    lab_deliver(&pair, 2, ibk_buf_span(&forged));
    lab_expect_closed(&pair, IBK_ERR_MISSING_PAYLOAD);
    ibk_buf_free(&forged);
    lab_pair_free(&pair);
}

/* Every octet of the payload: opening notices each. */
static void test_every_octet(void **state) {
    (void)state;
    lab_pair pair;
    ibk_buf esk = {0}, sk = {0}, sender = {0};
    lab_pair_init(&pair);
    pair.ac.esk = IBK_ESK_OWN;
    lab_pair_play(&pair, 4);
    assert_int_equal(ibk_buf_append_span(&esk, ibk_session_esk(pair.b)), IBK_OK);
    for (size_t i = 0; i < esk.len; i++) {
        esk.data[i] ^= 1;
        assert_int_not_equal(open_as(&pair.bob, LAB_NOON, ibk_buf_span(&esk), &sk, &sender), IBK_OK);
        assert_int_equal(sk.len, 0);
        esk.data[i] ^= 1;
    }
    assert_int_equal(open_as(&pair.bob, LAB_NOON, ibk_buf_span(&esk), &sk, &sender), IBK_OK);
    ibk_buf_free(&esk);
    ibk_buf_free(&sk);
    ibk_buf_free(&sender);
    lab_pair_free(&pair);
}

/* Content of an ESK that is not ID || SK. */
static void test_content(void **state) {
    (void)state;
    lab_pair pair;
    lab_pair_init(&pair);
    for (int i = 0; i < 4; i++) {
        ibk_chain content = {0};
        ibk_buf cipher = {0}, sk = {0}, sender = {0};
        if (i != 1) {
            ibk_add_idr(&content, IBK_ROLE_I, IBK_ID_URI, ibk_span_str(pair.alice.uri));
        }
        ibk_add_sk(&content, ibk_span_of(sk32, i == 3 ? 0 : sizeof sk32), NULL);
        if (i == 2) {
            ibk_add_sk(&content, ibk_span_of(sk32, sizeof sk32), NULL);
        }
        lab_seal(&pair, true, &content, &cipher);
        ibk_err err = open_as(&pair.bob, LAB_NOON, ibk_buf_span(&cipher), &sk, &sender);
        assert_int_equal(err == IBK_OK, i == 0);
        ibk_chain_free(&content);
        ibk_buf_free(&cipher);
        ibk_buf_free(&sk);
        ibk_buf_free(&sender);
    }
    lab_pair_free(&pair);
}

static void test_config(void **state) {
    (void)state;
    static const uint8_t long_sk[65] = {1};
    lab_pair pair;
    ibk_session *s;
    lab_pair_init(&pair);
    ibk_env env = lab_env(&pair.alice);
    ibk_session_config bad[8];
    for (int i = 0; i < 8; i++) {
        bad[i] = i < 6 ? pair.ac : pair.bc;
    }
    bad[0].sk = ibk_span_of(sk32, 15);
    bad[1].sk = ibk_span_of(long_sk, 65);
    bad[2].esk = IBK_ESK_STORED;
    bad[3].stored_esk = ibk_span_of(sk32, 16);
    bad[4].esk = IBK_ESK_STORED;
    bad[4].stored_esk = bad[4].sk = ibk_span_of(sk32, 16);
    bad[5].esk = IBK_ESK_STORED + 1;
    bad[6].esk = IBK_ESK_OWN; /* a responder sends none */
    bad[7].sk = ibk_span_of(sk32, 16);
    for (int i = 0; i < 8; i++) {
        assert_int_equal(ibk_session_new(&s, &env, &bad[i]), IBK_ERR_USAGE);
    }
    lab_pair_free(&pair);
}

/* ---- P-22
 * ---------------------------------------------------------------------------------------------------------
 */

static void sk_keys(size_t sk_len, uint8_t first, uint8_t cs_id, const char *tek_hex, const char *salt_hex) {
    static const char digits[] = "0123456789abcdef";
    uint8_t sk[64], tek[16], salt[14];
    char text[33] = {0};
    for (size_t i = 0; i < sk_len; i++) {
        sk[i] = (uint8_t)(first + i);
    }
    assert_int_equal(ibk_sk_keys(ibk_span_of(sk, sk_len), cs_id, tek, 16, salt, 14), IBK_OK);
    for (int i = 0; i < 16; i++) {
        text[2 * i] = digits[tek[i] >> 4];
        text[2 * i + 1] = digits[tek[i] & 15];
    }
    assert_string_equal(text, tek_hex);
    for (int i = 0; i < 14; i++) {
        text[2 * i] = digits[salt[i] >> 4];
        text[2 * i + 1] = digits[salt[i] & 15];
    }
    text[28] = 0;
    assert_string_equal(text, salt_hex);
}

/* Recomputed by update_vectors.py. */
static void test_sk_keys(void **state) {
    (void)state;
    sk_keys(16, 100, 2, "0fe2050a3b498e84ab34e4c0397633ce", "39216146e9b90be5ed7a382bf6bf");
    sk_keys(32, 0, 1, "16e636dcb4e846544f7e6a2f22a8a188", "45a1ce669219c437fbea162c6547");
    sk_keys(64, 1, 254, "2b6fb6c17f2f10e6ad10cd5c162cb30c", "09190c7c73543c2e72614d936cc0");
}

/* P-28: who cannot read [x]P answers on a curve of its own, and the caller follows if its policy lets it. */
static void test_curve_of_a_stand_in(void **state) {
    (void)state;
    static const uint8_t curves[] = {IBK_EC_P256, IBK_EC_P384, IBK_EC_P521};
    for (size_t i = 0; i < 9; i++) {
        lab_pair pair;
        to_mailbox(&pair);
        pair.ac.policy.curve = curves[i / 3];
        pair.bc.policy.curve = curves[i % 3];
        lab_pair_play(&pair, 4);
        lab_keys_agree(&pair);
        assert_true(lab_all_zero(pair.a->own.scalar, sizeof pair.a->own.scalar)); /* of either [x]P */
        assert_int_equal(pair.a->own.curve, curves[i % 3]);
        pair.ac.policy.curves = IBK_CURVE_BIT(curves[i / 3]);
        lab_pair_play(&pair, 2);
        if (i / 3 != i % 3) {
            lab_expect_closed(&pair, IBK_ERR_UNSUPPORTED);
        } else {
            assert_int_equal(pair.step.kind, IBK_STEP_WAIT);
        }
        lab_pair_free(&pair);
    }
}

static void test_sk_keys_usage(void **state) {
    (void)state;
    uint8_t tek[32], alone[32], salt[14];
    ibk_span sk = ibk_span_of(sk32, sizeof sk32);
    assert_int_equal(ibk_sk_keys((ibk_span){0}, 1, tek, 16, salt, 14), IBK_ERR_USAGE);
    assert_int_equal(ibk_sk_keys(sk, 0, tek, 16, salt, 14), IBK_ERR_USAGE);
    assert_int_equal(ibk_sk_keys(sk, 0xFF, tek, 16, salt, 14), IBK_ERR_USAGE);
    assert_int_equal(ibk_sk_keys(sk, 1, tek, 32, salt, 14), IBK_OK);
    assert_int_equal(ibk_sk_keys(sk, 1, alone, 32, NULL, 0), IBK_OK);
    assert_memory_equal(tek, alone, 32);
    assert_int_equal(ibk_sk_keys(sk, 1, NULL, 0, alone, 14), IBK_OK);
    assert_memory_equal(salt, alone, 14);
    assert_int_equal(ibk_sk_keys(sk, 2, alone, 32, NULL, 0), IBK_OK); /* each crypto session has its own */
    assert_memory_not_equal(tek, alone, 32);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pre_encoded),
        cmocka_unit_test(test_deferred),
        cmocka_unit_test(test_stored),
        cmocka_unit_test(test_refused),
        cmocka_unit_test(test_changed),
        cmocka_unit_test(test_every_octet),
        cmocka_unit_test(test_content),
        cmocka_unit_test(test_config),
        cmocka_unit_test(test_sk_keys),
        cmocka_unit_test(test_sk_keys_usage),
        cmocka_unit_test(test_curve_of_a_stand_in),
    };
    return cmocka_run_group_tests(tests, lab_group_setup, lab_group_teardown);
}
