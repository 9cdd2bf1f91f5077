/* What has to be refused: each case names what is wrong and what the receiver says. */
#include "ibake/lab.h"

#include <string.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

static int setup(void **state) {
    (void)state;
    lab_setup();
    return 0;
}

static int teardown(void **state) {
    (void)state;
    lab_teardown();
    return 0;
}

static void expect_closed(lab_pair *pair, ibk_err reason) {
    if (pair->step.reason != reason) {
        print_message("got %s (%s), want %s\n", ibk_err_name(pair->step.reason), pair->step.diag.detail,
                      ibk_err_name(reason));
    }
    assert_int_equal(pair->step.kind, IBK_STEP_CLOSED);
    assert_int_equal(pair->step.reason, reason);
    assert_int_equal(pair->step.diag.err, reason);
}

/* ---- messages made anew with one thing changed
 * ------------------------------------------------------------- */

/* Parses message i, lets `change` edit it, writes it into `out`. */
typedef void edit(ibk_msg *msg, lab_pair *pair);

static void edited(lab_pair *pair, int i, edit *change, ibk_buf *out) {
    ibk_msg msg = {0};
    assert_int_equal(ibk_msg_parse(&msg, ibk_buf_span(&pair->m[i]), NULL), IBK_OK);
    change(&msg, pair);
    ibk_buf_clear(out);
    assert_int_equal(ibk_msg_write(&msg, out), IBK_OK);
    ibk_msg_free(&msg);
}

static void expect_edit(int i, edit *change, ibk_err reason) {
    lab_pair pair;
    ibk_buf changed = {0};
    lab_pair_init(&pair);
    lab_pair_play(&pair, i);
    edited(&pair, i, change, &changed);
    lab_deliver(&pair, i, ibk_buf_span(&changed));
    expect_closed(&pair, reason);
    ibk_buf_free(&changed);
    lab_pair_free(&pair);
}

static ibk_payload *find(ibk_msg *msg, uint8_t type, size_t nth) {
    for (size_t i = 0; i < msg->chain.count; i++) {
        if (msg->chain.items[i].type == type && nth-- == 0) {
            return &msg->chain.items[i];
        }
    }
    fail();
    return NULL;
}

static void drop(ibk_msg *msg, uint8_t type) {
    ibk_payload *p = find(msg, type, 0);
    size_t index = (size_t)(p - msg->chain.items);
    memmove(p, p + 1, (msg->chain.count - index - 1) * sizeof *p);
    msg->chain.count--;
}

static void swap_ids(ibk_msg *msg, lab_pair *pair) {
    (void)pair;
    ibk_idr *a = &find(msg, IBK_PL_IDR, 0)->id, *b = &find(msg, IBK_PL_IDR, 1)->id, t = *a;
    a->data = b->data;
    b->data = t.data;
}

static void swap_roles(ibk_msg *msg, lab_pair *pair) {
    (void)pair;
    find(msg, IBK_PL_IDR, 0)->id.role = IBK_ROLE_R;
    find(msg, IBK_PL_IDR, 1)->id.role = IBK_ROLE_I;
}

static void other_initiator(ibk_msg *msg, lab_pair *pair) {
    (void)pair;
    find(msg, IBK_PL_IDR, 0)->id.data = ibk_span_str("sip:mallory@home.example");
}

static void change_id_type(ibk_msg *msg, lab_pair *pair) {
    (void)pair;
    find(msg, IBK_PL_IDR, 0)->id.id_type = IBK_ID_NAI;
}

static void change_csb(ibk_msg *msg, lab_pair *pair) {
    (void)pair;
    msg->hdr.csb_id ^= 1;
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
    find(msg, IBK_PL_T, 0)->t.value++;
}

static void late_t(ibk_msg *msg, lab_pair *pair) {
    (void)pair;
    find(msg, IBK_PL_T, 0)->t.value += UINT64_C(301) << 32;
}

static void t_of_i_message_1(ibk_msg *msg, lab_pair *pair) {
    find(msg, IBK_PL_T, 0)->t = pair->b->t1;
}

static void change_rand(ibk_msg *msg, lab_pair *pair) {
    (void)pair;
    find(msg, IBK_PL_RAND, 0)->rand.data = ibk_span_str("another sixteen!");
}

static void short_rand(ibk_msg *msg, lab_pair *pair) {
    (void)pair;
    find(msg, IBK_PL_RAND, 0)->rand.data = ibk_span_str("fifteen octets.");
}

static void weaken_sp(ibk_msg *msg, lab_pair *pair) {
    static const uint8_t null_encr[] = {IBK_SRTP_ENCR_ALG, 1, IBK_SRTP_ENCR_NULL};
    (void)pair;
    find(msg, IBK_PL_SP, 0)->sp.params = ibk_span_of(null_encr, sizeof null_encr);
}

static void bad_sp_param(ibk_msg *msg, lab_pair *pair) {
    static const uint8_t params[] = {99, 1, 0};
    (void)pair;
    find(msg, IBK_PL_SP, 0)->sp.params = ibk_span_of(params, sizeof params);
}

static void foreign_sp(ibk_msg *msg, lab_pair *pair) {
    (void)pair;
    find(msg, IBK_PL_SP, 0)->sp.prot_type = 7;
}

static void other_sdp(ibk_msg *msg, lab_pair *pair) {
    (void)pair;
    find(msg, IBK_PL_EXT, 0)->ext.data = ibk_span_str("mikey;kerberos");
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
    find(msg, IBK_PL_V, 0)->v = (ibk_v){.mac_alg = IBK_MAC_NULL};
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
    find(msg, IBK_PL_IBAKE, 0)->enc = find(&first, IBK_PL_IBAKE, 0)->enc;
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

/* What a changed offer comes to: the responder is deceived, the initiator finds out under V (P-14). */
static void bidding_down(edit *change, bool node_accepts_all) {
    lab_pair pair;
    ibk_buf changed = {0};
    lab_pair_init(&pair);
    pair.bc.policy.allow_null_srtp = node_accepts_all;
    pair.bc.sdp_ids = (ibk_span){0};
    lab_pair_play(&pair, 0);
    edited(&pair, 0, change, &changed);
    lab_deliver(&pair, 0, ibk_buf_span(&changed));
    assert_int_equal(pair.step.kind, IBK_STEP_WAIT);
    edited(&pair, 1, change == other_sdp ? change_none : drop_sp, &changed); /* and the answer hides it */
    lab_deliver(&pair, 1, ibk_buf_span(&changed));
    assert_int_equal(pair.step.kind, IBK_STEP_WAIT);
    lab_deliver(&pair, 2, ibk_buf_span(&pair.m[2]));
    lab_deliver(&pair, 3, ibk_buf_span(&pair.m[3]));
    expect_closed(&pair, IBK_ERR_BIDDING_DOWN);
    ibk_buf_free(&changed);
    lab_pair_free(&pair);
}

static void test_bidding_down(void **state) {
    (void)state;
    bidding_down(weaken_sp, true);
    bidding_down(other_sdp, false);
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
    expect_closed(&pair, IBK_ERR_ECHO_MISMATCH);
    assert_int_equal(pair.step.message.len, 0); /* P-16: silent */
    lab_pair_play(&pair, 2);
    pair.b->own.pub.octets[5] ^= 1;
    lab_deliver(&pair, 2, ibk_buf_span(&pair.m[2]));
    expect_closed(&pair, IBK_ERR_ECHO_MISMATCH);
    lab_pair_free(&pair);
    lab_pair_init(&pair);
    pair.ac.policy.errors = IBK_ERRORS_ALL;
    lab_pair_play(&pair, 1);
    pair.a->own.pub.octets[5] ^= 1;
    lab_deliver(&pair, 1, ibk_buf_span(&pair.m[1]));
    assert_int_equal(pair.step.message_type, IBK_MSG_ERROR); /* P-16: Error 12 where policy says so */
    ibk_msg msg = {0};
    assert_int_equal(ibk_msg_parse(&msg, pair.step.message, NULL), IBK_OK);
    assert_int_equal(find(&msg, IBK_PL_ERR, 0)->error.error_no, IBK_ERRNO_UNSPECIFIED);
    ibk_msg_free(&msg);
    lab_pair_free(&pair);
}

static void test_keys_and_dates(void **state) {
    (void)state;
    lab_pair pair;
    lab_pair_init(&pair);
    pair.bob.key_shift_ns = LAB_DAY; /* tomorrow's key under today's name */
    lab_pair_play(&pair, 1);
    expect_closed(&pair, IBK_ERR_DECRYPT);
    pair.bob.key_shift_ns = 0;
    pair.bob.no_key = true;
    lab_pair_play(&pair, 1);
    expect_closed(&pair, IBK_ERR_NO_KEY);
    pair.bob.no_key = false;
    pair.bob.domain = &lab_home; /* a key of the other KMS */
    lab_pair_play(&pair, 1);
    assert_int_equal(pair.step.kind, IBK_STEP_CLOSED);
    pair.bob.domain = &lab_away;
    pair.alice.no_key = true;
    lab_pair_play(&pair, 2);
    expect_closed(&pair, IBK_ERR_NO_KEY);
    lab_pair_free(&pair);
    lab_pair_init(&pair);
    pair.ac.peer = ibk_identity_uri("sip:bob@nowhere.example");
    lab_pair_play(&pair, 1);
    expect_closed(&pair, IBK_ERR_NO_PARAMS);
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
        expect_closed(&pair, IBK_ERR_CLOCK_SKEW);
        ibk_msg msg = {0};
        assert_int_equal(ibk_msg_parse(&msg, pair.step.message, NULL), IBK_OK);
        assert_int_equal(find(&msg, IBK_PL_ERR, 0)->error.error_no, IBK_ERRNO_TS);
        ibk_msg_free(&msg);
        lab_deliver(&pair, 1, ibk_buf_span(&pair.m[1])); /* the initiator is told */
        expect_closed(&pair, IBK_ERR_PEER_ERROR);
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
    expect_closed(&pair, IBK_ERR_UNSUPPORTED);
    lab_deliver(&pair, 1, ibk_buf_span(&pair.m[1]));
    assert_int_equal(pair.step.peer_error, IBK_ERRNO_DH);
    pair.bc.policy.curves = 0;
    pair.bc.policy.prfs = 1u << IBK_PRF_HMAC_SHA256;
    lab_pair_play(&pair, 1);
    expect_closed(&pair, IBK_ERR_UNSUPPORTED);
    pair.bc.policy.prfs = 0;
    pair.bc.policy.ts_types = 1u << IBK_TS_COUNTER;
    lab_pair_play(&pair, 1);
    expect_closed(&pair, IBK_ERR_UNSUPPORTED);
    pair.bc.policy.ts_types = 0;
    pair.bob.refuse_initiator = true;
    lab_pair_play(&pair, 1);
    expect_closed(&pair, IBK_ERR_NOT_AUTHORIZED);
    pair.bob.refuse_initiator = false;
    pair.bob.csb_taken = true;
    lab_pair_play(&pair, 1);
    expect_closed(&pair, IBK_ERR_REFUSED);
    pair.bob.csb_taken = false;
    pair.alice.csb_taken = true;
    pair.alice.csb_asked = 0;
    lab_pair_play(&pair, 1);
    expect_closed(&pair, IBK_ERR_LIMIT);
    assert_int_equal(pair.alice.csb_asked, CSB_ID_DRAWS);
    pair.alice.csb_taken = false;
    pair.ac.policy.mac_algs = 1u << IBK_MAC_HMAC_SHA256_256;
    lab_pair_play(&pair, 4);
    expect_closed(&pair, IBK_ERR_UNSUPPORTED);
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
    expect_closed(&pair, IBK_ERR_ECHO_MISMATCH);
    lab_pair_free(&pair);
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
    edited(&pair, 1, change_csb, &changed);
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
    expect_closed(&pair, IBK_ERR_REPLAYED);
    assert_int_equal(pair.step.message.len, 0);
    ibk_session_free(pair.b);
    assert_int_equal(ibk_session_new(&pair.b, &env, &pair.bc), IBK_OK);
    edited(&pair, 0, change_t, &changed); /* a T of its own does not help: the ciphertext is known */
    lab_deliver(&pair, 0, ibk_buf_span(&changed));
    expect_closed(&pair, IBK_ERR_REPLAYED);
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
    find(&msg, IBK_PL_T, 0)->t = other.a->t1;
    ibk_buf_clear(&changed);
    assert_int_equal(ibk_msg_write(&msg, &changed), IBK_OK);
    ibk_msg_free(&msg);
    lab_deliver(&other, 1, ibk_buf_span(&changed));
    expect_closed(&other, IBK_ERR_ECHO_MISMATCH);
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
    expect_closed(&pair, IBK_ERR_CACHE_FULL);
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
    find(&msg, IBK_PL_T, 0)->t = pair.a->t1;
    ibk_buf_clear(&octets);
    assert_int_equal(ibk_msg_write(&msg, &octets), IBK_OK);
    pair.a->policy.ignore_peer_errors = true;
    expect_discarded(&pair, pair.a, ibk_buf_span(&octets));
    pair.a->policy.ignore_peer_errors = false;
    lab_deliver(&pair, 1, ibk_buf_span(&octets));
    expect_closed(&pair, IBK_ERR_PEER_ERROR);
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
    expect_closed(&pair, IBK_ERR_TIMEOUT);
    now.mono_ns = ibk_session_deadline(pair.b);
    assert_int_equal(ibk_session_expire(pair.b, now, &pair.step), IBK_OK);
    expect_closed(&pair, IBK_ERR_TIMEOUT);
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
                expect_closed(&pair, IBK_ERR_RANDOM);
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
    assert_true(lab_all_zero(pair.b->mpk, sizeof pair.b->mpk)); /* after V */
    lab_deliver(&pair, 3, ibk_buf_span(&pair.m[3]));
    assert_true(lab_all_zero(pair.a->mpk, sizeof pair.a->mpk));
    assert_false(lab_all_zero(pair.a->tgk, sizeof pair.a->tgk));
    ibk_session_close(pair.a, IBK_OK);
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
    ibk_session_config bad[10];
    for (int i = 0; i < 10; i++) {
        bad[i] = i < 8 ? pair.ac : pair.bc;
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
    for (int i = 0; i < 10; i++) {
        assert_int_equal(ibk_session_new(&s, &env, &bad[i]), IBK_ERR_USAGE);
    }
    ibk_session_free(NULL);
    lab_pair_free(&pair);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_i_message_1),    cmocka_unit_test(test_r_message_1),
        cmocka_unit_test(test_i_message_2),    cmocka_unit_test(test_r_message_2),
        cmocka_unit_test(test_bidding_down),   cmocka_unit_test(test_wrong_echo),
        cmocka_unit_test(test_keys_and_dates), cmocka_unit_test(test_clocks),
        cmocka_unit_test(test_policy),         cmocka_unit_test(test_missing_echo),
        cmocka_unit_test(test_unexpected),     cmocka_unit_test(test_foreign),
        cmocka_unit_test(test_truncated),      cmocka_unit_test(test_replay),
        cmocka_unit_test(test_cache_full),     cmocka_unit_test(test_errors),
        cmocka_unit_test(test_timeout),        cmocka_unit_test(test_random_failure),
        cmocka_unit_test(test_wiped),          cmocka_unit_test(test_config),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
