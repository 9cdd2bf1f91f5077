/* What has to be refused: each case names what is wrong and what the receiver says. */
#include "ibake/lab.h"

#include <string.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* ---- messages made anew with one thing changed
 * ------------------------------------------------------------- */

static void expect_edit(int i, lab_edit *change, ibk_err reason) {
    lab_pair pair;
    ibk_buf changed = {0};
    lab_pair_init(&pair);
    lab_pair_play(&pair, i);
    lab_edited(&pair, i, change, &changed);
    lab_deliver(&pair, i, ibk_buf_span(&changed));
    lab_expect_closed(&pair, reason);
    ibk_buf_free(&changed);
    lab_pair_free(&pair);
}

static void drop(ibk_msg *msg, uint8_t type) {
    ibk_payload *p = lab_find(msg, type, 0);
    size_t index = (size_t)(p - msg->chain.items);
    memmove(p, p + 1, (msg->chain.count - index - 1) * sizeof *p);
    msg->chain.count--;
}

static void swap_ids(ibk_msg *msg, lab_pair *pair) {
    (void)pair;
    ibk_idr *a = &lab_find(msg, IBK_PL_IDR, 0)->id, *b = &lab_find(msg, IBK_PL_IDR, 1)->id, t = *a;
    a->data = b->data;
    b->data = t.data;
}

static void swap_roles(ibk_msg *msg, lab_pair *pair) {
    (void)pair;
    lab_find(msg, IBK_PL_IDR, 0)->id.role = IBK_ROLE_R;
    lab_find(msg, IBK_PL_IDR, 1)->id.role = IBK_ROLE_I;
}

static void other_initiator(ibk_msg *msg, lab_pair *pair) {
    (void)pair;
    lab_find(msg, IBK_PL_IDR, 0)->id.data = ibk_span_str("sip:mallory@home.example");
}

static void change_id_type(ibk_msg *msg, lab_pair *pair) {
    (void)pair;
    lab_find(msg, IBK_PL_IDR, 0)->id.id_type = IBK_ID_NAI;
}

static void change_prf(ibk_msg *msg, lab_pair *pair) {
    (void)pair;
    msg->hdr.prf = 1;
}

static void unknown_prf(ibk_msg *msg, lab_pair *pair) {
    (void)pair;
    msg->hdr.prf = 9;
}

static void change_t(ibk_msg *msg, lab_pair *pair) {
    (void)pair;
    lab_find(msg, IBK_PL_T, 0)->t.value++;
}

static void late_t(ibk_msg *msg, lab_pair *pair) {
    (void)pair;
    lab_find(msg, IBK_PL_T, 0)->t.value += UINT64_C(301) << 32;
}

static void t_of_i_message_1(ibk_msg *msg, lab_pair *pair) {
    lab_find(msg, IBK_PL_T, 0)->t = pair->b->t1;
}

static void change_rand(ibk_msg *msg, lab_pair *pair) {
    (void)pair;
    lab_find(msg, IBK_PL_RAND, 0)->rand.data = ibk_span_str("another sixteen!");
}

static void short_rand(ibk_msg *msg, lab_pair *pair) {
    (void)pair;
    lab_find(msg, IBK_PL_RAND, 0)->rand.data = ibk_span_str("fifteen octets.");
}

static void weaken_sp(ibk_msg *msg, lab_pair *pair) {
    static const uint8_t null_encr[] = {IBK_SRTP_ENCR_ALG, 1, IBK_SRTP_ENCR_NULL};
    (void)pair;
    lab_find(msg, IBK_PL_SP, 0)->sp.params = ibk_span_of(null_encr, sizeof null_encr);
}

static void bad_sp_param(ibk_msg *msg, lab_pair *pair) {
    static const uint8_t params[] = {99, 1, 0};
    (void)pair;
    lab_find(msg, IBK_PL_SP, 0)->sp.params = ibk_span_of(params, sizeof params);
}

static void foreign_sp(ibk_msg *msg, lab_pair *pair) {
    (void)pair;
    lab_find(msg, IBK_PL_SP, 0)->sp.prot_type = 7;
}

static void other_sdp(ibk_msg *msg, lab_pair *pair) {
    (void)pair;
    lab_find(msg, IBK_PL_EXT, 0)->ext.data = ibk_span_str("mikey;kerberos");
}

static void drop_sp(ibk_msg *msg, lab_pair *pair) {
    (void)pair;
    drop(msg, IBK_PL_SP);
}

static void drop_t(ibk_msg *msg, lab_pair *pair) {
    (void)pair;
    drop(msg, IBK_PL_T);
}

static void drop_rand(ibk_msg *msg, lab_pair *pair) {
    (void)pair;
    drop(msg, IBK_PL_RAND);
}

static void drop_id(ibk_msg *msg, lab_pair *pair) {
    (void)pair;
    drop(msg, IBK_PL_IDR);
}

static void drop_ibake(ibk_msg *msg, lab_pair *pair) {
    (void)pair;
    drop(msg, IBK_PL_IBAKE);
}

static void drop_v(ibk_msg *msg, lab_pair *pair) {
    (void)pair;
    drop(msg, IBK_PL_V);
}

static void null_v(ibk_msg *msg, lab_pair *pair) {
    (void)pair;
    lab_find(msg, IBK_PL_V, 0)->v = (ibk_v){.mac_alg = IBK_MAC_NULL};
}

static void add_cert(ibk_msg *msg, lab_pair *pair) {
    (void)pair;
    ibk_add_cert(&msg->chain, IBK_CERT_X509, ibk_span_str("x"));
}

static void third_id(ibk_msg *msg, lab_pair *pair) {
    (void)pair;
    ibk_add_idr(&msg->chain, IBK_ROLE_APP, IBK_ID_URI, ibk_span_str("sip:carol@home.example"));
}

static void replay_ciphertext(ibk_msg *msg, lab_pair *pair) { /* I_MESSAGE_1's in I_MESSAGE_2's place */
    ibk_msg first = {0};
    assert_int_equal(ibk_msg_parse(&first, ibk_buf_span(&pair->m[0]), NULL), IBK_OK);
    lab_find(msg, IBK_PL_IBAKE, 0)->enc = lab_find(&first, IBK_PL_IBAKE, 0)->enc;
    ibk_msg_free(&first);
}

static void change_none(ibk_msg *msg, lab_pair *pair) {
    (void)msg;
    (void)pair;
}

static void test_i_message_1(void **state) {
    (void)state;
    expect_edit(0, swap_ids, IBK_ERR_NO_KEY);
    expect_edit(0, swap_roles, IBK_ERR_NO_KEY);
    expect_edit(0, other_initiator, IBK_ERR_IDENTITY_MISMATCH); /* the reflection attack of §7.2 */
    expect_edit(0, change_id_type, IBK_ERR_IDENTITY_MISMATCH);
    expect_edit(0, unknown_prf, IBK_ERR_UNSUPPORTED);
    expect_edit(0, late_t, IBK_ERR_CLOCK_SKEW);
    expect_edit(0, short_rand, IBK_ERR_BAD_LENGTH);
    expect_edit(0, weaken_sp, IBK_ERR_REFUSED);
    expect_edit(0, bad_sp_param, IBK_ERR_BAD_VALUE);
    expect_edit(0, foreign_sp, IBK_ERR_UNSUPPORTED);
    expect_edit(0, other_sdp, IBK_ERR_BIDDING_DOWN);
    expect_edit(0, drop_t, IBK_ERR_MISSING_PAYLOAD);
    expect_edit(0, drop_rand, IBK_ERR_MISSING_PAYLOAD);
    expect_edit(0, drop_id, IBK_ERR_MISSING_PAYLOAD);
    expect_edit(0, drop_ibake, IBK_ERR_MISSING_PAYLOAD);
    expect_edit(0, add_cert, IBK_ERR_UNEXPECTED_PAYLOAD);
    expect_edit(0, third_id, IBK_ERR_UNEXPECTED_PAYLOAD);
}

static void test_r_message_1(void **state) {
    (void)state;
    expect_edit(1, swap_ids, IBK_ERR_IDENTITY_MISMATCH);
    expect_edit(1, other_initiator, IBK_ERR_IDENTITY_MISMATCH);
    expect_edit(1, change_prf, IBK_ERR_MISMATCH);
    expect_edit(1, change_t, IBK_ERR_MISMATCH);
    expect_edit(1, weaken_sp, IBK_ERR_BIDDING_DOWN);
    expect_edit(1, drop_id, IBK_ERR_MISSING_PAYLOAD);
    expect_edit(1, drop_ibake, IBK_ERR_MISSING_PAYLOAD);
    expect_edit(1, add_cert, IBK_ERR_UNEXPECTED_PAYLOAD);
}

static void test_i_message_2(void **state) {
    (void)state;
    expect_edit(2, swap_ids, IBK_ERR_IDENTITY_MISMATCH);
    expect_edit(2, change_prf, IBK_ERR_MISMATCH);
    expect_edit(2, change_rand, IBK_ERR_MISMATCH); /* P-7 */
    expect_edit(2, late_t, IBK_ERR_CLOCK_SKEW);
    expect_edit(2, t_of_i_message_1, IBK_ERR_REPLAYED);
    expect_edit(2, replay_ciphertext, IBK_ERR_REPLAYED);
    expect_edit(2, drop_rand, IBK_ERR_MISSING_PAYLOAD);
    expect_edit(2, drop_ibake, IBK_ERR_MISSING_PAYLOAD);
}

static void test_r_message_2(void **state) {
    (void)state;
    expect_edit(3, swap_ids, IBK_ERR_IDENTITY_MISMATCH);
    expect_edit(3, change_t, IBK_ERR_MISMATCH);
    expect_edit(3, drop_sp, IBK_ERR_BAD_MAC);
    expect_edit(3, weaken_sp, IBK_ERR_BAD_MAC);
    expect_edit(3, other_sdp, IBK_ERR_BAD_MAC);
    expect_edit(3, drop_v, IBK_ERR_MISSING_PAYLOAD);
    expect_edit(3, null_v, IBK_ERR_UNSUPPORTED);
}

static void unknown_id_type(ibk_msg *msg, lab_pair *pair) {
    (void)pair;
    lab_find(msg, IBK_PL_IDR, 0)->id.id_type = 3;
}

/* The refusal names the payload of this type, and where it is in the message as received, plus `inside`. */
static void expect_place(int i, lab_edit *change, uint8_t type, size_t inside, const char *detail) {
    lab_pair pair;
    ibk_buf changed = {0};
    ibk_msg msg = {0};
    lab_pair_init(&pair);
    lab_pair_play(&pair, i);
    lab_edited(&pair, i, change, &changed);
    lab_deliver(&pair, i, ibk_buf_span(&changed));
    assert_int_equal(pair.step.kind, IBK_STEP_CLOSED);
    assert_int_equal(ibk_msg_parse(&msg, ibk_buf_span(&changed), NULL), IBK_OK);
    assert_int_equal(pair.step.diag.offset, lab_find(&msg, type, 0)->offset + inside);
    assert_non_null(strstr(pair.step.diag.payload, ibk_payload_name(type)));
    assert_non_null(strstr(pair.step.diag.detail, detail));
    ibk_msg_free(&msg);
    ibk_buf_free(&changed);
    lab_pair_free(&pair);
}

static void test_places(void **state) {
    (void)state;
    expect_edit(0, unknown_id_type, IBK_ERR_BAD_VALUE);
    expect_place(0, unknown_id_type, IBK_PL_IDR, 0, "identity type 3");
    expect_place(1, other_initiator, IBK_PL_IDR, 0, "not the identity");
    expect_place(0, other_initiator, IBK_PL_IBAKE, 0, "not the identity"); /* the one inside differs */
    expect_place(0, weaken_sp, IBK_PL_SP, 0, "policy 1");
    expect_place(0, bad_sp_param, IBK_PL_SP, 5, "parameter 99");
}

/* Where no stand-in is accepted, none makes us fetch anything. */
static void test_stand_in(void **state) {
    (void)state;
    lab_pair pair;
    lab_pair_init(&pair);
    pair.bob.also = "sip:desk@away.example";
    pair.ac.peer = ibk_identity_uri(pair.bob.also);
    pair.ac.node.accept_responder = NULL;
    lab_pair_play(&pair, 1);
    pair.alice.pending_params = 1;
    lab_deliver(&pair, 1, ibk_buf_span(&pair.m[1]));
    lab_expect_closed(&pair, IBK_ERR_REFUSED);
    assert_int_equal(pair.alice.pending_params, 1);
    lab_pair_free(&pair);
}

/* We offer no policy for a crypto session: what the answer chooses has to be one that we sent. */
static void choose_policy(ibk_msg *msg, uint8_t number, ibk_buf *map) {
    ibk_cs_generic cs;
    assert_true(ibk_map_generic(&msg->hdr, 0, &cs));
    cs.policies = ibk_span_of(&number, 1);
    assert_int_equal(ibk_map_put_generic(map, &cs), IBK_OK);
    msg->hdr.map = ibk_buf_span(map);
}

static void test_chosen_policy(void **state) {
    (void)state;
    for (uint8_t number = 1; number <= 2; number++) {
        ibk_cs_generic cs = {.cs_id = 1};
        lab_pair pair;
        ibk_msg msg = {0};
        ibk_buf map = {0}, changed = {0};
        lab_pair_init(&pair);
        pair.ac.map_type = IBK_MAP_GENERIC_ID;
        pair.ac.n_srtp = pair.bc.n_srtp = 0;
        pair.ac.generic = &cs;
        pair.ac.n_generic = 1;
        lab_pair_play(&pair, 1);
        assert_int_equal(ibk_msg_parse(&msg, ibk_buf_span(&pair.m[1]), NULL), IBK_OK);
        choose_policy(&msg, number, &map);
        assert_int_equal(ibk_msg_write(&msg, &changed), IBK_OK);
        lab_deliver(&pair, 1, ibk_buf_span(&changed));
        if (number == 1) {
            assert_int_equal(pair.step.kind, IBK_STEP_WAIT);
        } else {
            lab_expect_closed(&pair, IBK_ERR_BIDDING_DOWN);
        }
        ibk_msg_free(&msg);
        ibk_buf_free(&map);
        ibk_buf_free(&changed);
        lab_pair_free(&pair);
    }
}

/* What a changed offer comes to: the responder is deceived, the initiator finds out under V (P-14). */
static void bidding_down(lab_edit *change, bool node_accepts_all) {
    lab_pair pair;
    ibk_buf changed = {0};
    lab_pair_init(&pair);
    pair.bc.policy.allow_null_srtp = node_accepts_all;
    pair.bc.sdp_ids = (ibk_span){0};
    lab_pair_play(&pair, 0);
    lab_edited(&pair, 0, change, &changed);
    lab_deliver(&pair, 0, ibk_buf_span(&changed));
    assert_int_equal(pair.step.kind, IBK_STEP_WAIT);
    lab_edited(&pair, 1, change == other_sdp ? change_none : drop_sp, &changed); /* and the answer hides it */
    lab_deliver(&pair, 1, ibk_buf_span(&changed));
    assert_int_equal(pair.step.kind, IBK_STEP_WAIT);
    lab_deliver(&pair, 2, ibk_buf_span(&pair.m[2]));
    lab_deliver(&pair, 3, ibk_buf_span(&pair.m[3]));
    lab_expect_closed(&pair, IBK_ERR_BIDDING_DOWN);
    ibk_buf_free(&changed);
    lab_pair_free(&pair);
}

static void test_bidding_down(void **state) {
    (void)state;
    bidding_down(weaken_sp, true);
    bidding_down(other_sdp, false);
}

/* RFC 3830 §6.10.1: an algorithm that is in no table of it. */
static void test_unknown_srtp(void **state) {
    (void)state;
    lab_pair pair;
    ibk_buf params = {0};
    ibk_srtp_policy unknown = ibk_srtp_policy_default();
    unknown.encr_alg = 200;
    unknown.present = 1U << IBK_SRTP_ENCR_ALG;
    assert_int_equal(ibk_srtp_policy_write(&params, &unknown), IBK_OK);
    lab_pair_init(&pair);
    ibk_sp sp = pair.ac.policies[0];
    sp.params = ibk_buf_span(&params);
    pair.ac.policies = &sp;
    pair.ac.n_policies = 1;
    lab_pair_play(&pair, 0);
    lab_deliver(&pair, 0, ibk_buf_span(&pair.m[0]));
    lab_expect_closed(&pair, IBK_ERR_UNSUPPORTED);
    ibk_buf_free(&params);
    lab_pair_free(&pair);
}

/* ---- echoes, keys, dates, clocks
 * ----------------------------------------------------------------------------------- */

static void test_wrong_echo(void **state) {
    (void)state;
    lab_pair pair;
    lab_pair_init(&pair);
    lab_pair_play(&pair, 1);
    pair.a->own.pub.octets[5] ^= 1; /* what the initiator remembers of [x]P */
    lab_deliver(&pair, 1, ibk_buf_span(&pair.m[1]));
    lab_expect_closed(&pair, IBK_ERR_ECHO_MISMATCH);
    assert_int_equal(pair.step.message.len, 0); /* P-16: silent */
    lab_pair_play(&pair, 2);
    pair.b->own.pub.octets[5] ^= 1;
    lab_deliver(&pair, 2, ibk_buf_span(&pair.m[2]));
    lab_expect_closed(&pair, IBK_ERR_ECHO_MISMATCH);
    lab_pair_free(&pair);
    lab_pair_init(&pair);
    pair.ac.policy.errors = IBK_ERRORS_ALL;
    lab_pair_play(&pair, 1);
    pair.a->own.pub.octets[5] ^= 1;
    lab_deliver(&pair, 1, ibk_buf_span(&pair.m[1]));
    assert_int_equal(pair.step.message_type, IBK_MSG_ERROR); /* P-16: Error 12 where policy says so */
    ibk_msg msg = {0};
    assert_int_equal(ibk_msg_parse(&msg, pair.step.message, NULL), IBK_OK);
    assert_int_equal(lab_find(&msg, IBK_PL_ERR, 0)->error.error_no, IBK_ERRNO_UNSPECIFIED);
    ibk_msg_free(&msg);
    lab_pair_free(&pair);
}

static void test_keys_and_dates(void **state) {
    (void)state;
    lab_pair pair;
    lab_pair_init(&pair);
    pair.bob.key_shift_ns = LAB_DAY; /* tomorrow's key under today's name */
    lab_pair_play(&pair, 1);
    lab_expect_closed(&pair, IBK_ERR_DECRYPT);
    pair.bob.key_shift_ns = 0;
    pair.bob.no_key = true;
    lab_pair_play(&pair, 1);
    lab_expect_closed(&pair, IBK_ERR_NO_KEY);
    pair.bob.no_key = false;
    pair.bob.domain = &lab_home; /* a key of the other KMS */
    lab_pair_play(&pair, 1);
    assert_int_equal(pair.step.kind, IBK_STEP_CLOSED);
    pair.bob.domain = &lab_away;
    pair.alice.no_key = true;
    lab_pair_play(&pair, 2);
    lab_expect_closed(&pair, IBK_ERR_NO_KEY);
    lab_pair_free(&pair);
    lab_pair_init(&pair);
    pair.ac.peer = ibk_identity_uri("sip:bob@nowhere.example");
    lab_pair_play(&pair, 1);
    lab_expect_closed(&pair, IBK_ERR_NO_PARAMS);
    lab_pair_free(&pair);
}

static void test_clocks(void **state) {
    (void)state;
    static const int64_t shifts[] = {301, -301, 86400, -86400};
    for (size_t i = 0; i < 4; i++) {
        lab_pair pair;
        lab_pair_init(&pair);
        pair.alice.utc_ns += shifts[i] * INT64_C(1000000000);
        lab_pair_play(&pair, 1);
        lab_expect_closed(&pair, IBK_ERR_CLOCK_SKEW);
        ibk_msg msg = {0};
        assert_int_equal(ibk_msg_parse(&msg, pair.step.message, NULL), IBK_OK);
        assert_int_equal(lab_find(&msg, IBK_PL_ERR, 0)->error.error_no, IBK_ERRNO_TS);
        ibk_msg_free(&msg);
        lab_deliver(&pair, 1, ibk_buf_span(&pair.m[1])); /* the initiator is told */
        lab_expect_closed(&pair, IBK_ERR_PEER_ERROR);
        assert_int_equal(pair.step.peer_error, IBK_ERRNO_TS);
        lab_pair_free(&pair);
    }
}

static void test_policy(void **state) {
    (void)state;
    lab_pair pair;
    lab_pair_init(&pair);
    pair.bc.policy.curves = IBK_CURVE_BIT(IBK_EC_P384);
    lab_pair_play(&pair, 1);
    lab_expect_closed(&pair, IBK_ERR_UNSUPPORTED);
    lab_deliver(&pair, 1, ibk_buf_span(&pair.m[1]));
    assert_int_equal(pair.step.peer_error, IBK_ERRNO_DH);
    pair.bc.policy.curves = 0;
    pair.bc.policy.prfs = 1u << IBK_PRF_HMAC_SHA256;
    lab_pair_play(&pair, 1);
    lab_expect_closed(&pair, IBK_ERR_UNSUPPORTED);
    pair.bc.policy.prfs = 0;
    pair.bc.policy.ts_types = 1u << IBK_TS_COUNTER;
    lab_pair_play(&pair, 1);
    lab_expect_closed(&pair, IBK_ERR_UNSUPPORTED);
    pair.bc.policy.ts_types = 0;
    pair.bob.refuse_initiator = true;
    lab_pair_play(&pair, 1);
    lab_expect_closed(&pair, IBK_ERR_NOT_AUTHORIZED);
    pair.bob.refuse_initiator = false;
    pair.bob.csb_taken = true;
    lab_pair_play(&pair, 1);
    lab_expect_closed(&pair, IBK_ERR_REFUSED);
    pair.bob.csb_taken = false;
    pair.alice.csb_taken = true;
    pair.alice.csb_asked = 0;
    lab_pair_play(&pair, 1);
    lab_expect_closed(&pair, IBK_ERR_LIMIT);
    assert_int_equal(pair.alice.csb_asked, CSB_ID_DRAWS);
    pair.alice.csb_taken = false;
    pair.ac.policy.mac_algs = 1u << IBK_MAC_HMAC_SHA256_256;
    lab_pair_play(&pair, 4);
    lab_expect_closed(&pair, IBK_ERR_UNSUPPORTED);
    lab_pair_free(&pair);
}

/* [y]P alone, although the initiator's policy wants the echo. */
static void test_missing_echo(void **state) {
    (void)state;
    lab_pair pair;
    lab_pair_init(&pair);
    pair.bob.no_key = true;
    pair.bc.policy.answer_undecryptable = true;
    lab_pair_play(&pair, 2);
    lab_expect_closed(&pair, IBK_ERR_ECHO_MISMATCH);
    lab_pair_free(&pair);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_i_message_1),  cmocka_unit_test(test_r_message_1),
        cmocka_unit_test(test_i_message_2),  cmocka_unit_test(test_r_message_2),
        cmocka_unit_test(test_bidding_down), cmocka_unit_test(test_unknown_srtp),
        cmocka_unit_test(test_wrong_echo),   cmocka_unit_test(test_keys_and_dates),
        cmocka_unit_test(test_clocks),       cmocka_unit_test(test_policy),
        cmocka_unit_test(test_missing_echo), cmocka_unit_test(test_places),
        cmocka_unit_test(test_stand_in),     cmocka_unit_test(test_chosen_policy),
    };
    return cmocka_run_group_tests(tests, lab_group_setup, lab_group_teardown);
}
