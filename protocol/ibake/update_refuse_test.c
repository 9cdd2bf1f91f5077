/* What has to be refused in a CSB update: each case names what is wrong and what the receiver says; keys and
 * crypto sessions stay those of before. */
#include "ibake/lab.h"

#include <string.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

/* ---- after a refusal
 * ---------------------------------------------------------------------------------------- */

/* Keys and map as they were, and nothing left of the update. */
static void expect_unchanged(ibk_session *s, const lab_keys *keys, ibk_span map) {
    lab_keys now = lab_keys_of(s, 1);
    assert_true(lab_keys_equal(&now, keys));
    assert_true(ibk_span_equal(ibk_session_header(s)->map, map));
    assert_int_equal(ibk_session_updates(s), 0);
    assert_int_equal(ibk_session_get_state(s), IBK_STATE_ESTABLISHED);
    assert_null(s->update);
    assert_null(s->previous);
    assert_true(ibk_session_deadline(s) == UINT64_MAX);
}

static void expect_refused(const ibk_step *step, ibk_err reason) {
    if (step->reason != reason) {
        print_message("got %s (%s), want %s\n", ibk_err_name(step->reason), step->diag.detail,
                      ibk_err_name(reason));
    }
    assert_int_equal(step->kind, IBK_STEP_DISCARDED);
    assert_int_equal(step->reason, reason);
    assert_int_equal(step->diag.err, reason);
    assert_int_equal(step->state, IBK_STATE_ESTABLISHED);
}

/* Message i of an update, changed, is refused by its receiver. */
static void refuse_edit(int i, bool by_bob, bool new_dh, lab_update_edit *change, ibk_err reason) {
    lab_pair pair;
    ibk_buf changed = {0}, map = {0};
    lab_pair_init(&pair);
    lab_pair_play(&pair, 4);
    lab_keys keys = lab_keys_of(pair.a, 1);
    assert_int_equal(ibk_buf_append_span(&map, ibk_session_header(pair.a)->map), IBK_OK);
    lab_update u = lab_update_of(&pair, by_bob, new_dh);
    lab_update_play(&u, i);
    lab_update_edited(&u, i, change, &changed);
    lab_update_deliver(&u, i, ibk_buf_span(&changed));
    expect_refused(i ? &u.step : &u.answer, reason);
    expect_unchanged(i ? lab_starter(&u) : lab_answerer(&u), &keys, ibk_buf_span(&map));
    if (i == 0) { /* the genuine one still goes through */
        lab_update_deliver(&u, 0, ibk_buf_span(&u.m[0]));
        assert_int_equal(u.answer.kind, IBK_STEP_UPDATED);
        lab_update_deliver(&u, 1, ibk_buf_span(&u.m[1]));
        assert_int_equal(u.step.kind, IBK_STEP_UPDATED);
        lab_keys_agree(&pair);
    }
    ibk_buf_free(&changed);
    ibk_buf_free(&map);
    lab_update_free(&u);
    lab_pair_free(&pair);
}

/* By both sides, with and without new values. */
static void refuse_all(int i, lab_update_edit *change, ibk_err reason) {
    for (int k = 0; k < 4; k++) {
        refuse_edit(i, k / 2, k % 2, change, reason);
    }
}

static void refuse_dh(int i, lab_update_edit *change, ibk_err reason) {
    refuse_edit(i, false, true, change, reason);
    refuse_edit(i, true, true, change, reason);
}

/* ---- one thing changed
 * -------------------------------------------------------------------------------------- */

static void drop(ibk_msg *msg, uint8_t type) {
    ibk_payload *p = lab_find(msg, type, 0);
    size_t index = (size_t)(p - msg->chain.items);
    memmove(p, p + 1, (msg->chain.count - index - 1) * sizeof *p);
    msg->chain.count--;
}

/* Behind T: V stays the last. */
static void put(ibk_msg *msg, const ibk_payload *p) {
    ibk_chain_add(&msg->chain, p);
    assert_int_equal(msg->chain.err, IBK_OK);
    memmove(&msg->chain.items[2], &msg->chain.items[1], (msg->chain.count - 2) * sizeof *p);
    msg->chain.items[1] = *p;
}

static void add_rand(ibk_msg *msg, lab_update *u) {
    put(msg, &(ibk_payload){.type = IBK_PL_RAND, .rand = {.data = ibk_buf_span(&u->pair->a->rand)}});
}

static void add_esk(ibk_msg *msg, lab_update *u) {
    (void)u;
    put(msg, &(ibk_payload){.type = IBK_PL_ESK, .enc = {.data = ibk_span_str("an ESK has no place here")}});
}

static void add_ibake(ibk_msg *msg, lab_update *u) {
    (void)u;
    put(msg, &(ibk_payload){.type = IBK_PL_IBAKE, .enc = {.data = ibk_span_str("an answer to nothing")}});
}

static void drop_t(ibk_msg *msg, lab_update *u) {
    (void)u;
    drop(msg, IBK_PL_T);
}

static void drop_ibake(ibk_msg *msg, lab_update *u) {
    (void)u;
    drop(msg, IBK_PL_IBAKE);
}

static void drop_v(ibk_msg *msg, lab_update *u) {
    (void)u;
    drop(msg, IBK_PL_V);
}

static void t_of_i_message_1(ibk_msg *msg, lab_update *u) {
    lab_find(msg, IBK_PL_T, 0)->t = u->pair->a->t1;
}

static void t_of_i_message_2(ibk_msg *msg, lab_update *u) {
    lab_find(msg, IBK_PL_T, 0)->t = u->pair->a->t2;
}

static void t_late(ibk_msg *msg, lab_update *u) {
    (void)u;
    lab_find(msg, IBK_PL_T, 0)->t.value += UINT64_C(301) << 32;
}

static void t_other(ibk_msg *msg, lab_update *u) {
    (void)u;
    lab_find(msg, IBK_PL_T, 0)->t.value++;
}

static void other_prf(ibk_msg *msg, lab_update *u) {
    (void)u;
    msg->hdr.prf = 1;
}

static void other_csb(ibk_msg *msg, lab_update *u) {
    (void)u;
    msg->hdr.csb_id ^= 1;
}

static void stranger_i(ibk_msg *msg, lab_update *u) {
    (void)u;
    for (int i = 0; i < 2; i++) {
        ibk_idr *id = &lab_find(msg, IBK_PL_IDR, (size_t)i)->id;
        if (id->role == IBK_ROLE_I) {
            id->data = ibk_span_str("sip:mallory@home.example");
        }
    }
}

static void stranger_r(ibk_msg *msg, lab_update *u) {
    (void)u;
    for (int i = 0; i < 2; i++) {
        ibk_idr *id = &lab_find(msg, IBK_PL_IDR, (size_t)i)->id;
        if (id->role == IBK_ROLE_R) {
            id->data = ibk_span_str("sip:mallory@away.example");
        }
    }
}

static void swap_roles(ibk_msg *msg, lab_update *u) {
    (void)u;
    ibk_idr *a = &lab_find(msg, IBK_PL_IDR, 0)->id, *b = &lab_find(msg, IBK_PL_IDR, 1)->id;
    uint8_t role = a->role;
    a->role = b->role;
    b->role = role;
}

static void fewer_sessions(ibk_msg *msg, lab_update *u) {
    (void)u;
    msg->hdr.n_cs = 1;
    msg->hdr.map.len = 9;
}

static uint8_t map_storage[27];

static void other_ssrc(ibk_msg *msg, lab_update *u) {
    (void)u;
    memcpy(map_storage, msg->hdr.map.data, 18);
    map_storage[1] ^= 1;
    msg->hdr.map.data = map_storage;
}

static void other_policy_no(ibk_msg *msg, lab_update *u) {
    (void)u;
    memcpy(map_storage, msg->hdr.map.data, 18);
    map_storage[9] = 0;
    msg->hdr.map.data = map_storage;
}

static void more_sessions(ibk_msg *msg, lab_update *u) {
    (void)u;
    memcpy(map_storage, msg->hdr.map.data, 18);
    memcpy(map_storage + 18, msg->hdr.map.data, 9);
    msg->hdr.map = ibk_span_of(map_storage, 27);
    msg->hdr.n_cs = 3;
}

static void empty_map(ibk_msg *msg, lab_update *u) {
    (void)u;
    msg->hdr.map_type = IBK_MAP_EMPTY;
    msg->hdr.map = (ibk_span){0};
}

static void put_sp(ibk_msg *msg, uint8_t policy_no, const uint8_t *params, size_t len) {
    put(msg, &(ibk_payload){.type = IBK_PL_SP,
                            .sp = {.policy_no = policy_no, .params = ibk_span_of(params, len)}});
}

static void weaker_sp(ibk_msg *msg, lab_update *u) { /* of the policy in force */
    static const uint8_t params[] = {IBK_SRTP_AUTH_TAG_LEN, 1, 4};
    (void)u;
    put_sp(msg, 1, params, sizeof params);
}

static void null_sp(ibk_msg *msg, lab_update *u) { /* a further one, without encryption */
    static const uint8_t params[] = {IBK_SRTP_ENCR_ALG, 1, IBK_SRTP_ENCR_NULL};
    (void)u;
    put_sp(msg, 2, params, sizeof params);
}

static void further_sp(ibk_msg *msg, lab_update *u) {
    static const uint8_t params[] = {IBK_SRTP_AUTH_TAG_LEN, 1, 4};
    (void)u;
    put_sp(msg, 2, params, sizeof params);
}

static void other_sdp(ibk_msg *msg, lab_update *u) {
    (void)u;
    ibk_add_ext(&msg->chain, IBK_EXT_SDP_IDS, ibk_span_str("kerberos;mikey"));
}

static void garbage_ibake(ibk_msg *msg, lab_update *u) {
    static uint8_t storage[2048];
    (void)u;
    ibk_payload *ibake = lab_find(msg, IBK_PL_IBAKE, 0);
    memcpy(storage, ibake->enc.data.data, ibake->enc.data.len);
    storage[ibake->enc.data.len - 1] ^= 1; /* w of the ciphertext */
    ibake->enc.data.data = storage;
}

static void null_v(ibk_msg *msg, lab_update *u) {
    (void)u;
    lab_find(msg, IBK_PL_V, 0)->v = (ibk_v){.mac_alg = IBK_MAC_NULL};
}

static void zero_v(ibk_msg *msg, lab_update *u) {
    static const uint8_t zero[20];
    (void)u;
    lab_find(msg, IBK_PL_V, 0)->v.mac = ibk_span_of(zero, sizeof zero);
}

static void drop_id(ibk_msg *msg, lab_update *u) { /* permitted, yet under V */
    (void)u;
    drop(msg, IBK_PL_IDR);
}

static void test_i_message_1(void **state) {
    (void)state;
    refuse_all(0, add_rand, IBK_ERR_UNEXPECTED_PAYLOAD); /* N77 */
    refuse_all(0, add_esk, IBK_ERR_UNEXPECTED_PAYLOAD);
    refuse_all(0, drop_t, IBK_ERR_MISSING_PAYLOAD);
    refuse_all(0, t_of_i_message_1, IBK_ERR_REPLAYED); /* N75 */
    refuse_all(0, t_of_i_message_2, IBK_ERR_REPLAYED);
    refuse_all(0, t_late, IBK_ERR_CLOCK_SKEW);
    refuse_all(0, other_prf, IBK_ERR_MISMATCH);
    refuse_all(0, other_csb, IBK_ERR_MISMATCH); /* N74 */
    refuse_all(0, stranger_i, IBK_ERR_IDENTITY_MISMATCH);
    refuse_all(0, stranger_r, IBK_ERR_IDENTITY_MISMATCH);
    refuse_all(0, swap_roles, IBK_ERR_IDENTITY_MISMATCH);
    refuse_all(0, fewer_sessions, IBK_ERR_BIDDING_DOWN);
    refuse_all(0, other_ssrc, IBK_ERR_BIDDING_DOWN);
    refuse_all(0, other_policy_no, IBK_ERR_BIDDING_DOWN);
    refuse_all(0, empty_map, IBK_ERR_BIDDING_DOWN);
    refuse_all(0, weaker_sp, IBK_ERR_BIDDING_DOWN);
    refuse_all(0, null_sp, IBK_ERR_REFUSED);
    refuse_all(0, other_sdp, IBK_ERR_BIDDING_DOWN);
    refuse_dh(0, garbage_ibake, IBK_ERR_DECRYPT);
}

static void test_r_message_1(void **state) {
    (void)state;
    refuse_all(1, drop_t, IBK_ERR_MISSING_PAYLOAD);
    refuse_all(1, t_other, IBK_ERR_MISMATCH);
    refuse_all(1, add_rand, IBK_ERR_UNEXPECTED_PAYLOAD);
    refuse_all(1, add_esk, IBK_ERR_UNEXPECTED_PAYLOAD);
    refuse_all(1, drop_v, IBK_ERR_MISSING_PAYLOAD);
    refuse_all(1, null_v, IBK_ERR_UNSUPPORTED);
    refuse_all(1, zero_v, IBK_ERR_BAD_MAC); /* N79, N80 */
    refuse_all(1, drop_id, IBK_ERR_BAD_MAC);
    refuse_all(1, stranger_i, IBK_ERR_IDENTITY_MISMATCH);
    refuse_all(1, stranger_r, IBK_ERR_IDENTITY_MISMATCH);
    refuse_all(1, other_prf, IBK_ERR_MISMATCH);
    refuse_all(1, more_sessions, IBK_ERR_MISMATCH);
    refuse_all(1, fewer_sessions, IBK_ERR_MISMATCH);
    refuse_all(1, other_ssrc, IBK_ERR_BAD_MAC);
    refuse_all(1, further_sp, IBK_ERR_BAD_MAC);
    refuse_dh(1, drop_ibake, IBK_ERR_MISSING_PAYLOAD);
    refuse_dh(1, garbage_ibake, IBK_ERR_DECRYPT);
    refuse_edit(1, false, false, add_ibake, IBK_ERR_UNEXPECTED_PAYLOAD);
    refuse_edit(1, true, false, add_ibake, IBK_ERR_UNEXPECTED_PAYLOAD);
}

/* An R_MESSAGE_1 of another CSB ID is none of ours: the update goes on waiting. */
static void test_foreign_answer(void **state) {
    (void)state;
    lab_pair pair;
    ibk_buf changed = {0};
    lab_pair_init(&pair);
    lab_pair_play(&pair, 4);
    lab_update u = lab_update_of(&pair, false, true);
    lab_update_play(&u, 1);
    lab_update_edited(&u, 1, other_csb, &changed);
    lab_update_deliver(&u, 1, ibk_buf_span(&changed));
    assert_int_equal(u.step.kind, IBK_STEP_DISCARDED);
    assert_int_equal(u.step.state, IBK_STATE_UPDATING);
    lab_update_deliver(&u, 1, ibk_buf_span(&u.m[1]));
    assert_int_equal(u.step.kind, IBK_STEP_UPDATED);
    ibk_buf_free(&changed);
    lab_update_free(&u);
    lab_pair_free(&pair);
}

/* ---- the offer that reached the answerer is under V (P-14, P-33)
 * ------------------------------------------- */

/* I_MESSAGE_1 is changed so that the answerer accepts it: the starter notices, both go on as before. */
static void notice(lab_update_edit *change, bool new_dh, bool add, ibk_err reason) {
    static const uint8_t params[] = {IBK_SRTP_AUTH_TAG_LEN, 1, 4};
    static const ibk_sp sp = {.policy_no = 2, .prot_type = IBK_PROT_SRTP, .params = {params, sizeof params}};
    static const ibk_cs_srtp three[] = {{1, 0x11111111, 0}, {1, 0x22222222, 0}, {1, 0x33333333, 0}};
    lab_pair pair;
    ibk_buf changed = {0};
    lab_pair_init(&pair);
    lab_pair_play(&pair, 4);
    lab_keys keys = lab_keys_of(pair.a, 1);
    lab_update u = lab_update_of(&pair, false, new_dh);
    if (add) {
        u.config.srtp = three;
        u.config.n_srtp = 3;
        u.config.policies = &sp;
        u.config.n_policies = 1;
    }
    lab_update_play(&u, 0);
    lab_update_edited(&u, 0, change, &changed);
    lab_update_deliver(&u, 0, ibk_buf_span(&changed));
    assert_int_equal(u.answer.kind, IBK_STEP_UPDATED);
    lab_update_deliver(&u, 1, ibk_buf_span(&u.m[1]));
    expect_refused(&u.step, reason);
    lab_keys now = lab_keys_of(pair.a, 1);
    assert_true(lab_keys_equal(&now, &keys));
    assert_int_equal(ibk_session_revert_update(pair.b), IBK_OK);
    lab_keys_agree(&pair);
    ibk_buf_free(&changed);
    lab_update_free(&u);
    lab_pair_free(&pair);
}

static void drop_sp(ibk_msg *msg, lab_update *u) {
    (void)u;
    drop(msg, IBK_PL_SP);
}

static void drop_third(ibk_msg *msg, lab_update *u) {
    (void)u;
    msg->hdr.n_cs = 2;
    msg->hdr.map.len = 18;
}

static void change_third(ibk_msg *msg, lab_update *u) {
    (void)u;
    memcpy(map_storage, msg->hdr.map.data, 27);
    map_storage[20] ^= 1;
    msg->hdr.map.data = map_storage;
}

static void test_noticed(void **state) {
    (void)state;
    for (int new_dh = 0; new_dh < 2; new_dh++) {
        notice(drop_sp, new_dh, true, IBK_ERR_BIDDING_DOWN);
        notice(drop_third, new_dh, true, IBK_ERR_MISMATCH);
        notice(change_third, new_dh, true, IBK_ERR_BIDDING_DOWN);
        notice(further_sp, new_dh, false, IBK_ERR_BIDDING_DOWN);
        notice(t_other, new_dh, false, IBK_ERR_MISMATCH);
    }
    notice(drop_ibake, true, false, IBK_ERR_MISSING_PAYLOAD);
}

/* ---- content of IBAKE
 * --------------------------------------------------------------------------------------- */

static void put_id(ibk_chain *content, uint8_t role, const char *uri) {
    ibk_add_idr(content, role, IBK_ID_URI, ibk_span_str(uri));
}

static void put_point(ibk_chain *content, const ibk_ec_point *point, const char *mki) {
    ibk_payload p = {.type = IBK_PL_ECCPT,
                     .eccpt = {.curve = point->curve, .point = ibk_ec_point_span(point)}};
    if (mki) {
        p.eccpt.kv = (ibk_kv){.type = IBK_KV_SPI, .spi = ibk_span_str(mki)};
    }
    ibk_chain_add(content, &p);
}

typedef void fill(ibk_chain *content, const lab_pair *pair, const ibk_ec_point *fresh);

static void other_inner_i(ibk_chain *content, const lab_pair *pair, const ibk_ec_point *fresh) {
    put_id(content, IBK_ROLE_I, "sip:mallory@home.example");
    put_point(content, fresh, NULL);
    put_id(content, IBK_ROLE_R, pair->bob.uri);
}

static void other_inner_r(ibk_chain *content, const lab_pair *pair, const ibk_ec_point *fresh) {
    put_id(content, IBK_ROLE_I, pair->alice.uri);
    put_point(content, fresh, NULL);
    put_id(content, IBK_ROLE_R, "sip:mallory@away.example");
}

static void form_of_responder(ibk_chain *content, const lab_pair *pair, const ibk_ec_point *fresh) {
    put_id(content, IBK_ROLE_R, pair->bob.uri);
    put_point(content, fresh, NULL);
    put_id(content, IBK_ROLE_I, pair->alice.uri);
}

static void no_point(ibk_chain *content, const lab_pair *pair, const ibk_ec_point *fresh) {
    (void)fresh;
    put_id(content, IBK_ROLE_I, pair->alice.uri);
    put_id(content, IBK_ROLE_R, pair->bob.uri);
}

static void two_points(ibk_chain *content, const lab_pair *pair, const ibk_ec_point *fresh) {
    put_id(content, IBK_ROLE_I, pair->alice.uri);
    put_point(content, fresh, NULL);
    put_id(content, IBK_ROLE_R, pair->bob.uri);
    put_point(content, fresh, NULL);
}

static void point_of_before(ibk_chain *content, const lab_pair *pair, const ibk_ec_point *fresh) {
    (void)fresh;
    put_id(content, IBK_ROLE_I, pair->alice.uri);
    put_point(content, &pair->b->theirs, NULL);
    put_id(content, IBK_ROLE_R, pair->bob.uri);
}

static void point_of_receiver(ibk_chain *content, const lab_pair *pair, const ibk_ec_point *fresh) {
    (void)fresh;
    put_id(content, IBK_ROLE_I, pair->alice.uri);
    put_point(content, &pair->b->own.pub, NULL);
    put_id(content, IBK_ROLE_R, pair->bob.uri);
}

static void exactly_right(ibk_chain *content, const lab_pair *pair, const ibk_ec_point *fresh) {
    put_id(content, IBK_ROLE_I, pair->alice.uri);
    put_point(content, fresh, NULL);
    put_id(content, IBK_ROLE_R, pair->bob.uri);
}

/* I_MESSAGE_1 by alice, its IBAKE made by hand. */
static void try_offer(fill *content_of, uint8_t curve, ibk_err reason) {
    lab_pair pair;
    ibk_chain content = {0};
    ibk_buf cipher = {0}, crafted = {0};
    ibk_msg msg = {0};
    ibk_ec_key fresh;
    lab_pair_init(&pair);
    lab_pair_play(&pair, 4);
    lab_keys keys = lab_keys_of(pair.b, 1);
    lab_update u = lab_update_of(&pair, false, true);
    lab_update_play(&u, 0);
    ibk_env env = lab_env(&pair.alice);
    pair.b->policy.curves = IBK_CURVE_BIT(IBK_EC_P256) | IBK_CURVE_BIT(IBK_EC_P384);
    assert_int_equal(ibk_ec_keygen(&fresh, &env, IBK_DRAW_X, curve), IBK_OK);
    content_of(&content, &pair, &fresh.pub);
    lab_seal(&pair, true, &content, &cipher);
    assert_int_equal(ibk_msg_parse(&msg, ibk_buf_span(&u.m[0]), NULL), IBK_OK);
    lab_find(&msg, IBK_PL_IBAKE, 0)->enc.data = ibk_buf_span(&cipher);
    assert_int_equal(ibk_msg_write(&msg, &crafted), IBK_OK);
    lab_update_deliver(&u, 0, ibk_buf_span(&crafted));
    if (reason) {
        expect_refused(&u.answer, reason);
        expect_unchanged(pair.b, &keys, ibk_session_header(pair.a)->map);
    } else {
        assert_int_equal(u.answer.kind, IBK_STEP_UPDATED);
        lab_update_deliver(&u, 1, ibk_buf_span(&u.m[1])); /* alice never sent that x */
        expect_refused(&u.step, IBK_ERR_ECHO_MISMATCH);
    }
    ibk_msg_free(&msg);
    ibk_chain_free(&content);
    ibk_buf_free(&cipher);
    ibk_buf_free(&crafted);
    lab_update_free(&u);
    lab_pair_free(&pair);
}

static void test_content(void **state) {
    (void)state;
    try_offer(exactly_right, IBK_EC_P256, IBK_OK);
    try_offer(exactly_right, IBK_EC_P521, IBK_ERR_UNSUPPORTED); /* a curve that policy does not accept */
    try_offer(other_inner_i, IBK_EC_P256, IBK_ERR_IDENTITY_MISMATCH);
    try_offer(other_inner_r, IBK_EC_P256, IBK_ERR_IDENTITY_MISMATCH);
    try_offer(form_of_responder, IBK_EC_P256, IBK_ERR_MISSING_PAYLOAD);
    try_offer(no_point, IBK_EC_P256, IBK_ERR_MISSING_PAYLOAD);
    try_offer(two_points, IBK_EC_P256, IBK_ERR_UNEXPECTED_PAYLOAD);
    try_offer(point_of_before, IBK_EC_P256, IBK_ERR_REPLAYED);
    try_offer(point_of_receiver, IBK_EC_P256, IBK_ERR_REPLAYED);
}

/* What the answerer's IBAKE says: x as alice sent it, y fresh; and what is wrong with it. */
typedef struct answer_case {
    bool no_echo, other_echo, old_y, other_curve, no_y, other_mki;
    ibk_err reason;
} answer_case;

static void try_answer(const answer_case *k) {
    lab_pair pair;
    ibk_chain content = {0};
    ibk_buf cipher = {0}, crafted = {0};
    ibk_msg msg = {0};
    ibk_ec_key fresh;
    lab_pair_init(&pair);
    lab_pair_play(&pair, 4);
    lab_update u = lab_update_of(&pair, false, true);
    u.config.mki = ibk_span_str("m");
    lab_update_play(&u, 1);
    ibk_env env = lab_env(&pair.bob);
    assert_int_equal(ibk_ec_keygen(&fresh, &env, IBK_DRAW_Y, k->other_curve ? IBK_EC_P384 : IBK_EC_P256),
                     IBK_OK);
    const char *mki = k->other_mki ? "n" : "m";
    put_id(&content, IBK_ROLE_I, pair.alice.uri);
    if (!k->no_echo) {
        put_point(&content, k->other_echo ? &fresh.pub : &pair.a->update->own.pub, mki);
    }
    put_id(&content, IBK_ROLE_R, pair.bob.uri);
    if (!k->no_y) {
        put_point(&content, k->old_y ? &pair.a->theirs : &fresh.pub, mki);
    }
    lab_seal(&pair, false, &content, &cipher);
    assert_int_equal(ibk_msg_parse(&msg, ibk_buf_span(&u.m[1]), NULL), IBK_OK);
    lab_find(&msg, IBK_PL_IBAKE, 0)->enc.data = ibk_buf_span(&cipher);
    assert_int_equal(ibk_msg_write(&msg, &crafted), IBK_OK);
    lab_update_deliver(&u, 1, ibk_buf_span(&crafted));
    expect_refused(&u.step, k->reason);
    ibk_msg_free(&msg);
    ibk_chain_free(&content);
    ibk_buf_free(&cipher);
    ibk_buf_free(&crafted);
    lab_update_free(&u);
    lab_pair_free(&pair);
}

static void test_answer_content(void **state) {
    (void)state;
    static const answer_case cases[] = {
        {.reason = IBK_ERR_BAD_MAC}, /* all right but the V, which is over another y */
        {.no_echo = true, .reason = IBK_ERR_ECHO_MISMATCH},
        {.other_echo = true, .reason = IBK_ERR_ECHO_MISMATCH},
        {.old_y = true, .reason = IBK_ERR_REPLAYED},
        {.other_curve = true, .reason = IBK_ERR_UNSUPPORTED},
        {.no_y = true, .reason = IBK_ERR_MISSING_PAYLOAD},
        {.other_mki = true, .reason = IBK_ERR_MISMATCH},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        try_answer(&cases[i]);
    }
}

/* ---- replays, reflections, strangers
 * ------------------------------------------------------------------------ */

static void test_replay(void **state) {
    (void)state;
    for (int k = 0; k < 4; k++) {
        lab_pair pair;
        ibk_buf old = {0};
        lab_pair_init(&pair);
        lab_pair_play(&pair, 4);
        lab_update u = lab_update_of(&pair, k / 2, k % 2);
        lab_update_play(&u, 2);
        assert_int_equal(ibk_buf_append_span(&old, ibk_buf_span(&u.m[0])), IBK_OK);
        lab_update_deliver(&u, 0, ibk_buf_span(&old)); /* at once */
        expect_refused(&u.answer, IBK_ERR_REPLAYED);
        lab_update_play(&u, 2); /* and after the next one */
        assert_int_equal(u.step.kind, IBK_STEP_UPDATED);
        lab_keys_agree(&pair);
        lab_update_deliver(&u, 0, ibk_buf_span(&old));
        expect_refused(&u.answer, IBK_ERR_REPLAYED);
        assert_int_equal(ibk_session_revert_update(lab_answerer(&u)), IBK_OK); /* even if it was taken back */
        lab_update_deliver(&u, 0, ibk_buf_span(&old));
        expect_refused(&u.answer, IBK_ERR_REPLAYED);
        ibk_buf_free(&old);
        lab_update_free(&u);
        lab_pair_free(&pair);
    }
}

/* A T of its own does not help an old ciphertext: that of an update, and that of the initial exchange. */
static void test_replayed_ciphertext(void **state) {
    (void)state;
    for (int initial = 0; initial < 2; initial++) {
        for (int forgotten = 0; forgotten < 2; forgotten++) {
            lab_pair pair;
            ibk_msg msg = {0}, from = {0};
            ibk_buf old = {0}, crafted = {0};
            lab_pair_init(&pair);
            lab_pair_play(&pair, 4);
            lab_update u = lab_update_of(&pair, false, true);
            lab_update_play(&u, initial ? 0 : 2);
            assert_int_equal(ibk_buf_append_span(&old, ibk_buf_span(initial ? &pair.m[0] : &u.m[0])), IBK_OK);
            if (initial) {
                ibk_session_expire(pair.a, (ibk_time){.mono_ns = UINT64_MAX - 1}, &u.step);
            }
            lab_update_play(&u, 0);
            assert_int_equal(ibk_msg_parse(&msg, ibk_buf_span(&u.m[0]), NULL), IBK_OK);
            assert_int_equal(ibk_msg_parse(&from, ibk_buf_span(&old), NULL), IBK_OK);
            lab_find(&msg, IBK_PL_IBAKE, 0)->enc.data = lab_find(&from, IBK_PL_IBAKE, 0)->enc.data;
            assert_int_equal(ibk_msg_write(&msg, &crafted), IBK_OK);
            if (forgotten) { /* the cache lost it, long ago: the point itself is known */
                ibk_replay_cache_forget(pair.bob.replay, 0);
            }
            lab_update_deliver(&u, 0, ibk_buf_span(&crafted));
            expect_refused(&u.answer, IBK_ERR_REPLAYED);
            ibk_msg_free(&msg);
            ibk_msg_free(&from);
            ibk_buf_free(&old);
            ibk_buf_free(&crafted);
            lab_update_free(&u);
            lab_pair_free(&pair);
        }
    }
}

/* Our own I_MESSAGE_1 comes back to us after we gave up. */
static void test_reflected(void **state) {
    (void)state;
    for (int k = 0; k < 4; k++) {
        lab_pair pair;
        ibk_step step;
        lab_pair_init(&pair);
        lab_pair_play(&pair, 4);
        lab_update u = lab_update_of(&pair, k / 2, k % 2);
        lab_update_play(&u, 0);
        ibk_session *s = lab_starter(&u);
        ibk_session_expire(s, (ibk_time){.mono_ns = ibk_session_deadline(s)}, &step);
        ibk_time now = lab_now(k / 2 ? &pair.bob : &pair.alice);
        assert_int_equal(ibk_session_recv(s, now, ibk_buf_span(&u.m[0]), &step), IBK_OK);
        expect_refused(&step, IBK_ERR_REPLAYED);
        lab_update_free(&u);
        lab_pair_free(&pair);
    }
}

/* Keys of another day, no keys, a full cache. */
static void test_no_key(void **state) {
    (void)state;
    for (int k = 0; k < 3; k++) {
        lab_pair pair;
        lab_pair_init(&pair);
        ibk_replay_cache_free(pair.bob.replay);
        ibk_replay_config two = {.max_entries = 2};
        assert_int_equal(ibk_replay_cache_new(&pair.bob.replay, &two), IBK_OK);
        pair.bc.node.replay = pair.bob.replay;
        lab_pair_play(&pair, 4);
        lab_keys keys = lab_keys_of(pair.b, 1);
        pair.bob.key_shift_ns = k == 0 ? LAB_DAY : 0;
        pair.bob.no_key = k == 1;
        lab_update u = lab_update_of(&pair, false, true);
        lab_update_play(&u, 1);
        expect_refused(&u.answer, k == 0 ? IBK_ERR_DECRYPT : k == 1 ? IBK_ERR_NO_KEY : IBK_ERR_CACHE_FULL);
        expect_unchanged(pair.b, &keys, ibk_session_header(pair.a)->map);
        lab_update_free(&u);
        lab_pair_free(&pair);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_i_message_1),    cmocka_unit_test(test_r_message_1),
        cmocka_unit_test(test_foreign_answer), cmocka_unit_test(test_noticed),
        cmocka_unit_test(test_content),        cmocka_unit_test(test_answer_content),
        cmocka_unit_test(test_replay),         cmocka_unit_test(test_replayed_ciphertext),
        cmocka_unit_test(test_reflected),      cmocka_unit_test(test_no_key),
    };
    return cmocka_run_group_tests(tests, lab_group_setup, lab_group_teardown);
}
