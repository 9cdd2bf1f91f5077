/* Forking (RFC 6267 §3.1, P-19): one I_MESSAGE_1, several contacts that answer, each under an identity of its
 * own, with the private key of the one that was called. */
#include "ibake/lab.h"

#include <stdio.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define CONTACTS 3

static const char called[] = "sip:bob@away.example";

/* Alice calls bob; his desk, his phone and his tablet answer. */
typedef struct fork_call {
    lab_user alice, contacts[CONTACTS];
    char uris[CONTACTS][40];
    ibk_session *a[CONTACTS], *b[CONTACTS]; /* alice's end and the contact's */
    ibk_buf i1, r1[CONTACTS], i2[CONTACTS], r2[CONTACTS];
    ibk_step step;
} fork_call;

static void keep(ibk_buf *out, ibk_span octets) {
    ibk_buf_clear(out);
    assert_int_equal(ibk_buf_append_span(out, octets), IBK_OK);
}

static void begin(fork_call *f, uint8_t curve) {
    memset(f, 0, sizeof *f);
    lab_user_init(&f->alice, "sip:alice@home.example", &lab_home, 31);
    f->alice.accept_others = true;
    ibk_session_config config = lab_config(&f->alice, IBK_SESSION_INITIATOR, called);
    config.policy.curve = curve;
    ibk_env env = lab_env(&f->alice);
    assert_int_equal(ibk_session_new(&f->a[0], &env, &config), IBK_OK);
    assert_int_equal(ibk_session_start(f->a[0], lab_now(&f->alice), &f->step), IBK_OK);
    keep(&f->i1, f->step.message);
    for (int i = 0; i < CONTACTS; i++) {
        snprintf(f->uris[i], sizeof f->uris[i], "sip:bob-device-%d@away.example", i);
        lab_user_init(&f->contacts[i], f->uris[i], &lab_away, (uint64_t)(41 + i));
        f->contacts[i].also = called; /* contacts of one public identity share its key */
        ibk_session_config contact = lab_config(&f->contacts[i], IBK_SESSION_RESPONDER, NULL);
        ibk_env own = lab_env(&f->contacts[i]);
        assert_int_equal(ibk_session_new(&f->b[i], &own, &contact), IBK_OK);
    }
}

static void end(fork_call *f) {
    for (int i = 0; i < CONTACTS; i++) {
        ibk_session_free(f->a[i]);
        ibk_session_free(f->b[i]);
        ibk_buf_free(&f->r1[i]);
        ibk_buf_free(&f->i2[i]);
        ibk_buf_free(&f->r2[i]);
        lab_user_free(&f->contacts[i]);
    }
    ibk_buf_free(&f->i1);
    lab_user_free(&f->alice);
}

static void ring(fork_call *f, int i) {
    assert_int_equal(ibk_session_recv(f->b[i], lab_now(&f->contacts[i]), ibk_buf_span(&f->i1), &f->step),
                     IBK_OK);
    assert_int_equal(f->step.message_type, IBK_MSG_R_MESSAGE_1);
    keep(&f->r1[i], f->step.message);
}

/* R_MESSAGE_1 of contact i at alice's end i. */
static void answer(fork_call *f, int i) {
    assert_int_equal(ibk_session_recv(f->a[i], lab_now(&f->alice), ibk_buf_span(&f->r1[i]), &f->step),
                     IBK_OK);
    assert_int_equal(f->step.message_type, IBK_MSG_I_MESSAGE_2);
    keep(&f->i2[i], f->step.message);
}

static void complete(fork_call *f, int i) {
    assert_int_equal(ibk_session_recv(f->b[i], lab_now(&f->contacts[i]), ibk_buf_span(&f->i2[i]), &f->step),
                     IBK_OK);
    assert_int_equal(f->step.kind, IBK_STEP_ESTABLISHED);
    keep(&f->r2[i], f->step.message);
    assert_int_equal(ibk_session_recv(f->a[i], lab_now(&f->alice), ibk_buf_span(&f->r2[i]), &f->step),
                     IBK_OK);
    assert_int_equal(f->step.kind, IBK_STEP_ESTABLISHED);
}

static void fork_all(fork_call *f) {
    for (int i = 1; i < CONTACTS; i++) {
        assert_int_equal(ibk_session_fork(&f->a[i], f->a[0]), IBK_OK);
    }
}

static bool same_keys(ibk_session *a, ibk_session *b) {
    lab_keys x = lab_keys_of(a, 1), y = lab_keys_of(b, 1);
    return lab_keys_equal(&x, &y);
}

/* Every contact answers, and alice goes on with each: keys of each pair agree, those of different pairs do
 * not. */
static void test_all_answer(void **state) {
    (void)state;
    static const uint8_t curves[] = {IBK_EC_P256, IBK_EC_P384, IBK_EC_P521};
    for (size_t c = 0; c < 3; c++) {
        fork_call f;
        begin(&f, curves[c]);
        fork_all(&f);
        for (int i = 0; i < CONTACTS; i++) {
            ring(&f, i);
        }
        for (int i = 0; i < CONTACTS; i++) {
            answer(&f, i);
            /* the node was asked about this one, after its echo was compared */
            assert_int_equal(f.alice.responders_asked, i + 1);
            assert_string_equal(f.alice.asked, called);
            assert_string_equal(f.alice.answered, f.uris[i]);
            assert_true(f.alice.echoed);
        }
        for (int i = CONTACTS - 1; i >= 0; i--) {
            complete(&f, i);
        }
        for (int i = 0; i < CONTACTS; i++) {
            assert_true(same_keys(f.a[i], f.b[i]));
            assert_true(ibk_span_equal(ibk_session_peer(f.a[i]).id, ibk_span_str(f.uris[i])));
            assert_true(ibk_span_equal(ibk_session_asked(f.a[i]).id, ibk_span_str(called)));
            assert_int_equal(ibk_session_csb_id(f.a[i]), ibk_session_csb_id(f.a[0]));
            assert_false(ibk_session_deferred(f.a[i]));
            for (int k = 0; k < i; k++) {
                assert_false(same_keys(f.a[i], f.a[k]));
            }
        }
        assert_int_equal(f.alice.log.kinds[IBK_KEYLOG_X], 1);
        assert_int_equal(f.alice.log.kinds[IBK_KEYLOG_TGK], CONTACTS);
        end(&f);
    }
}

/* I_MESSAGE_2 is for the identity that answered: T and ciphertext of its own, no use to another contact. */
static void test_own_messages(void **state) {
    (void)state;
    fork_call f;
    begin(&f, 0);
    fork_all(&f);
    ibk_t t[CONTACTS];
    for (int i = 0; i < CONTACTS; i++) {
        ibk_msg msg = {0};
        ring(&f, i);
        answer(&f, i);
        assert_int_equal(ibk_msg_parse(&msg, ibk_buf_span(&f.i2[i]), NULL), IBK_OK);
        t[i] = ibk_msg_find(&msg, IBK_PL_T, 0)->t;
        assert_true(ibk_span_equal(ibk_msg_find_idr(&msg, IBK_ROLE_R, 0)->id.data, ibk_span_str(f.uris[i])));
        assert_null(ibk_msg_find(&msg, IBK_PL_ESK, 0));
        ibk_msg_free(&msg);
        for (int k = 0; k < i; k++) {
            assert_false(ibk_t_equal(&t[i], &t[k])); /* RFC 3830 §5.2 */
        }
    }
    assert_int_equal(ibk_session_recv(f.b[1], lab_now(&f.contacts[1]), ibk_buf_span(&f.i2[0]), &f.step),
                     IBK_OK);
    assert_int_equal(f.step.kind, IBK_STEP_CLOSED);
    assert_int_equal(f.step.reason, IBK_ERR_IDENTITY_MISMATCH);
    complete(&f, 0);
    complete(&f, 2);
    assert_true(same_keys(f.a[2], f.b[2]));
    /* R_MESSAGE_2 of one contact at the end of another */
    assert_int_equal(ibk_session_recv(f.a[1], lab_now(&f.alice), ibk_buf_span(&f.r2[0]), &f.step), IBK_OK);
    assert_int_equal(f.step.kind, IBK_STEP_CLOSED);
    assert_int_equal(f.step.reason, IBK_ERR_MISMATCH); /* T */
    end(&f);
}

/* The first R_MESSAGE_1 goes to a fork, the original stays ready for the next, and a fork can be forked. */
static void test_one_after_another(void **state) {
    (void)state;
    fork_call f;
    begin(&f, 0);
    ibk_session *original = f.a[0];
    f.a[0] = NULL;
    for (int i = 0; i < 2; i++) {
        ring(&f, i);
        assert_int_equal(ibk_session_fork(&f.a[i], original), IBK_OK);
        assert_int_equal(ibk_session_get_state(f.a[i]), IBK_STATE_I_WAIT_R_MESSAGE_1);
        assert_true(ibk_session_deadline(f.a[i]) == ibk_session_deadline(original));
        answer(&f, i);
        complete(&f, i);
        assert_true(same_keys(f.a[i], f.b[i]));
        assert_int_equal(ibk_session_get_state(original), IBK_STATE_I_WAIT_R_MESSAGE_1);
        assert_true(ibk_session_peer(original).id.len == sizeof called - 1);
    }
    ibk_session *fork;
    assert_int_equal(ibk_session_fork(&fork, original), IBK_OK);
    assert_int_equal(ibk_session_fork(&f.a[2], fork), IBK_OK);
    ibk_session_free(fork);
    ring(&f, 2);
    answer(&f, 2);
    complete(&f, 2);
    assert_true(same_keys(f.a[2], f.b[2]));
    ibk_session_free(original);
    end(&f);
}

/* A fork that nobody answers ends by itself, and leaves the others alone; every one wipes its own x. */
static void test_unused(void **state) {
    (void)state;
    fork_call f;
    begin(&f, 0);
    fork_all(&f);
    for (int i = 0; i < CONTACTS; i++) {
        assert_memory_equal(f.a[i]->own.scalar, f.a[0]->own.scalar, 32);
        assert_false(lab_all_zero(f.a[i]->own.scalar, 32));
    }
    ring(&f, 0);
    answer(&f, 0);
    assert_true(lab_all_zero(f.a[0]->own.scalar, 32));
    assert_false(lab_all_zero(f.a[1]->own.scalar, 32));
    ibk_time now = {.mono_ns = ibk_session_deadline(f.a[1])};
    assert_int_equal(ibk_session_expire(f.a[1], now, &f.step), IBK_OK);
    assert_int_equal(f.step.reason, IBK_ERR_TIMEOUT);
    ibk_session_close(f.a[2], IBK_ERR_REFUSED);
    for (int i = 1; i < CONTACTS; i++) {
        assert_true(lab_all_zero(&f.a[i]->own, sizeof f.a[i]->own));
    }
    complete(&f, 0);
    assert_true(same_keys(f.a[0], f.b[0]));
    end(&f);
}

/* The identity that is called answers itself: nobody is asked. Another one that policy does not take:
 * refused, and its fork alone ends. */
static void test_policy(void **state) {
    (void)state;
    fork_call f;
    begin(&f, 0);
    fork_all(&f);
    lab_user bob;
    lab_user_init(&bob, called, &lab_away, 51);
    ibk_session_config config = lab_config(&bob, IBK_SESSION_RESPONDER, NULL);
    ibk_env env = lab_env(&bob);
    ibk_session_free(f.b[0]);
    assert_int_equal(ibk_session_new(&f.b[0], &env, &config), IBK_OK);
    ring(&f, 0);
    ring(&f, 1);
    f.alice.accept_others = false;
    answer(&f, 0);
    assert_int_equal(f.alice.responders_asked, 0);
    assert_int_equal(ibk_session_recv(f.a[1], lab_now(&f.alice), ibk_buf_span(&f.r1[1]), &f.step), IBK_OK);
    assert_int_equal(f.step.kind, IBK_STEP_CLOSED);
    assert_int_equal(f.step.reason, IBK_ERR_REFUSED);
    assert_int_equal(f.alice.responders_asked, 1);
    complete(&f, 0);
    assert_true(same_keys(f.a[0], f.b[0]));
    ibk_session_free(f.b[0]);
    f.b[0] = NULL;
    lab_user_free(&bob);
    end(&f);
}

/* Somebody puts another contact's identity into IDRr of an answer: inside IBAKE stands who it was. */
static void test_inner_identity(void **state) {
    (void)state;
    fork_call f;
    begin(&f, 0);
    ring(&f, 0);
    ibk_msg msg = {0};
    ibk_buf changed = {0};
    assert_int_equal(ibk_msg_parse(&msg, ibk_buf_span(&f.r1[0]), NULL), IBK_OK);
    for (size_t i = 0; i < msg.chain.count; i++) {
        ibk_payload *p = &msg.chain.items[i];
        if (p->type == IBK_PL_IDR && p->id.role == IBK_ROLE_R) {
            p->id.data = ibk_span_str(f.uris[1]);
        }
    }
    assert_int_equal(ibk_msg_write(&msg, &changed), IBK_OK);
    assert_int_equal(ibk_session_recv(f.a[0], lab_now(&f.alice), ibk_buf_span(&changed), &f.step), IBK_OK);
    assert_int_equal(f.step.reason, IBK_ERR_IDENTITY_MISMATCH);
    assert_int_equal(f.alice.responders_asked, 0); /* before anybody is asked */
    ibk_msg_free(&msg);
    ibk_buf_free(&changed);
    end(&f);
}

/* An echo that does not match is no echo: policy is not asked about it. */
static void test_wrong_echo(void **state) {
    (void)state;
    fork_call f;
    begin(&f, 0);
    ring(&f, 0);
    f.a[0]->own.pub.octets[3] ^= 1;
    assert_int_equal(ibk_session_recv(f.a[0], lab_now(&f.alice), ibk_buf_span(&f.r1[0]), &f.step), IBK_OK);
    assert_int_equal(f.step.reason, IBK_ERR_ECHO_MISMATCH);
    assert_int_equal(f.alice.responders_asked, 0);
    end(&f);
}

/* A forked session is updated like any other, and its siblings stay as they are. */
static void test_update(void **state) {
    (void)state;
    fork_call f;
    ibk_update_config config = {.new_dh = true};
    ibk_buf i1 = {0}, r1 = {0};
    begin(&f, 0);
    fork_all(&f);
    for (int i = 0; i < 2; i++) {
        ring(&f, i);
        answer(&f, i);
        complete(&f, i);
    }
    lab_keys before = lab_keys_of(f.a[0], 1);
    assert_int_equal(ibk_session_update(f.a[1], lab_now(&f.alice), &config, &f.step), IBK_OK);
    keep(&i1, f.step.message);
    /* same CSB ID, other parties: the sibling's responder refuses it */
    assert_int_equal(ibk_session_recv(f.b[0], lab_now(&f.contacts[0]), ibk_buf_span(&i1), &f.step), IBK_OK);
    assert_int_equal(f.step.kind, IBK_STEP_DISCARDED);
    assert_int_equal(f.step.reason, IBK_ERR_IDENTITY_MISMATCH);
    assert_int_equal(ibk_session_recv(f.b[1], lab_now(&f.contacts[1]), ibk_buf_span(&i1), &f.step), IBK_OK);
    keep(&r1, f.step.message);
    assert_int_equal(ibk_session_recv(f.a[1], lab_now(&f.alice), ibk_buf_span(&r1), &f.step), IBK_OK);
    assert_int_equal(f.step.kind, IBK_STEP_UPDATED);
    assert_true(same_keys(f.a[1], f.b[1]));
    lab_keys after = lab_keys_of(f.a[0], 1);
    assert_true(lab_keys_equal(&before, &after));
    ibk_buf_free(&i1);
    ibk_buf_free(&r1);
    end(&f);
}

static void test_states(void **state) {
    (void)state;
    fork_call f;
    ibk_session *fork = NULL;
    begin(&f, 0);
    assert_int_equal(ibk_session_fork(&fork, f.b[0]), IBK_ERR_STATE); /* R_NEW */
    ring(&f, 0);
    assert_int_equal(ibk_session_fork(&fork, f.b[0]), IBK_ERR_STATE);
    f.a[0]->node.timestamps = NULL;
    assert_int_equal(ibk_session_fork(&fork, f.a[0]), IBK_ERR_USAGE);
    f.a[0]->node.timestamps = &f.alice.timestamps;
    answer(&f, 0);
    assert_int_equal(ibk_session_fork(&fork, f.a[0]), IBK_ERR_STATE);
    complete(&f, 0);
    assert_int_equal(ibk_session_fork(&fork, f.a[0]), IBK_ERR_STATE);
    ibk_session_close(f.a[0], IBK_OK);
    assert_int_equal(ibk_session_fork(&fork, f.a[0]), IBK_ERR_STATE);
    assert_null(fork);
    end(&f);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_answer),
        cmocka_unit_test(test_own_messages),
        cmocka_unit_test(test_one_after_another),
        cmocka_unit_test(test_unused),
        cmocka_unit_test(test_policy),
        cmocka_unit_test(test_inner_identity),
        cmocka_unit_test(test_wrong_echo),
        cmocka_unit_test(test_update),
        cmocka_unit_test(test_states),
    };
    return cmocka_run_group_tests(tests, lab_group_setup, lab_group_teardown);
}
