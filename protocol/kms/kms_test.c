/* The key request: user and KMS in memory. */
#include "ibake/lab.h"

#include <stdio.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define ALICE "sip:alice@home.example"
#define TEL   "tel:+15550100"

/* One user, one KMS, what the KMS's database says. */
typedef struct desk {
    lab_user user, kms_node;
    ibk_kms *kms;
    ibk_kms_config kc;
    ibk_key_request_config rc;
    ibk_identity users[IBK_KMS_MAX_USERS + 1];
    ibk_key_request *request;
    const char *kms_psk; /* NULL: the user is unknown */
    const char *refused; /* an identity that the owner may not have */
    ibk_buf asked, answer;
    ibk_kms_result result;
    ibk_key_list keys;
    uint8_t error_no;
    ibk_diag diag;
    int psk_calls;
} desk;

static bool find_psk(void *user, const ibk_identity *psk_id, const ibk_identity *first, ibk_buf *psk,
                     void **owner) {
    desk *d = user;
    d->psk_calls++;
    *owner = d;
    if (psk_id->id.len > 0 && !ibk_span_equal(psk_id->id, ibk_span_str("key-7"))) {
        return false;
    }
    bool known =
        ibk_span_equal(first->id, ibk_span_str(ALICE)) || ibk_span_equal(first->id, ibk_span_str(TEL));
    return d->kms_psk && known && ibk_buf_append_span(psk, ibk_span_str(d->kms_psk)) == IBK_OK;
}

static bool may_have(void *user, void *owner, ibk_span id) {
    desk *d = user;
    assert_ptr_equal(owner, d);
    return !d->refused || !ibk_span_equal(id, ibk_span_str(d->refused));
}

static void desk_init(desk *d) {
    memset(d, 0, sizeof *d);
    lab_user_init(&d->user, ALICE, &lab_home, 7);
    lab_user_init(&d->kms_node, "kms.home.example", &lab_home, 8);
    d->kms_psk = "a secret of sixteen octets or so";
    d->users[0] = ibk_identity_uri(ALICE);
    d->kc = (ibk_kms_config){.identity = ibk_identity_uri("kms.home.example"),
                             .params = lab_home.params,
                             .master = lab_home.master,
                             .replay = d->kms_node.replay,
                             .issue = IBK_ISSUE_CURRENT,
                             .user = d,
                             .psk = find_psk,
                             .authorized = may_have};
    d->rc = (ibk_key_request_config){.users = d->users,
                                     .n_users = 1,
                                     .kms = ibk_identity_uri("kms.home.example"),
                                     .psk = ibk_span_str(d->kms_psk),
                                     .timestamps = &d->user.timestamps,
                                     .params = lab_home.params};
}

static void desk_free(desk *d) {
    ibk_kms_free(d->kms);
    ibk_key_request_free(d->request);
    ibk_key_list_free(&d->keys);
    ibk_buf_free(&d->asked);
    ibk_buf_free(&d->answer);
    lab_user_free(&d->user);
    lab_user_free(&d->kms_node);
}

static void ask(desk *d) {
    ibk_env ue = lab_env(&d->user), ke = lab_env(&d->kms_node);
    ibk_key_request_free(d->request);
    ibk_kms_free(d->kms);
    ibk_buf_clear(&d->asked);
    assert_int_equal(ibk_kms_new(&d->kms, &ke, &d->kc), IBK_OK);
    assert_int_equal(ibk_key_request_new(&d->request, &ue, &d->rc), IBK_OK);
    assert_int_equal(ibk_key_request_start(d->request, lab_now(&d->user), &d->asked), IBK_OK);
}

static void handle(desk *d) {
    ibk_buf_clear(&d->answer);
    assert_int_equal(
        ibk_kms_handle(d->kms, lab_now(&d->kms_node), ibk_buf_span(&d->asked), &d->answer, &d->result),
        IBK_OK);
    assert_int_equal(d->result.response_type != 0, d->answer.len > 0);
}

static ibk_err finish(desk *d) {
    ibk_key_list_free(&d->keys);
    return ibk_key_request_finish(d->request, lab_now(&d->user), ibk_buf_span(&d->answer), &d->keys,
                                  &d->error_no, &d->diag);
}

static ibk_err whole(desk *d) {
    ask(d);
    handle(d);
    return finish(d);
}

/* ---- what has to succeed ------------------------------------------------------------------------------- */

static void test_algorithms(void **state) {
    (void)state;
    static const uint8_t encr[] = {0, IBK_ENCR_AES_CM_128, IBK_ENCR_AES_KW_128, IBK_ENCR_AES_CM_256};
    for (size_t e = 0; e < 4; e++) {
        for (uint8_t prf = 0; prf < 2; prf++) {
            for (uint8_t mac = 0; mac < 3; mac++) {
                for (uint8_t ts = 0; ts < 4; ts++) {
                    desk d;
                    desk_init(&d);
                    d.kc.encr_alg = encr[e];
                    d.rc.prf = prf;
                    d.rc.mac_alg = mac;
                    d.rc.ts_type = ts;
                    assert_int_equal(whole(&d), IBK_OK);
                    assert_int_equal(d.keys.count, 1);
                    assert_true(ibk_span_equal(d.keys.items[0].ibe_identity, ibk_span_str(ALICE "20261124")));
                    desk_free(&d);
                }
            }
        }
    }
}

/* The frame of both messages (RFC 6267 §4.2.1.1, §4.2.1.3, §6.1). */
static void test_frames(void **state) {
    (void)state;
    desk d;
    desk_init(&d);
    d.rc.psk_id = (ibk_identity){.id_type = IBK_ID_BYTES, .id = ibk_span_str("key-7")};
    assert_int_equal(whole(&d), IBK_OK);
    ibk_msg q = {0}, a = {0};
    assert_int_equal(ibk_msg_parse(&q, ibk_buf_span(&d.asked), NULL), IBK_OK);
    assert_int_equal(ibk_msg_parse(&a, ibk_buf_span(&d.answer), NULL), IBK_OK);
    assert_int_equal(q.hdr.data_type, IBK_MSG_REQUEST_KEY_PSK);
    assert_int_equal(a.hdr.data_type, IBK_MSG_REQUEST_KEY_RESP);
    assert_true(q.hdr.v_flag && !a.hdr.v_flag);
    assert_int_equal(q.hdr.n_cs + a.hdr.n_cs, 0);
    assert_int_equal(q.hdr.map_type, IBK_MAP_EMPTY);
    assert_int_equal(a.hdr.map_type, IBK_MAP_EMPTY);
    assert_int_equal(q.hdr.csb_id, a.hdr.csb_id);
    assert_true(ibk_t_equal(&ibk_msg_find(&q, IBK_PL_T, 0)->t, &ibk_msg_find(&a, IBK_PL_T, 0)->t));
    assert_non_null(ibk_msg_find(&q, IBK_PL_RAND, 0));
    assert_null(ibk_msg_find(&q, IBK_PL_KEMAC, 0));
    assert_non_null(ibk_msg_find_idr(&q, IBK_ROLE_PSK, 0));
    assert_int_equal(ibk_msg_find(&a, IBK_PL_KEMAC, 0)->kemac.mac_alg, IBK_MAC_NULL);
    assert_int_equal(q.chain.items[q.chain.count - 1].type, IBK_PL_V);
    assert_int_equal(a.chain.items[a.chain.count - 1].type, IBK_PL_V);
    ibk_msg_free(&q);
    ibk_msg_free(&a);
    desk_free(&d);
}

static size_t keys_for(ibk_granularity granularity, ibk_kms_issue issue) {
    desk d;
    desk_init(&d);
    d.kc.granularity = d.rc.granularity = granularity;
    d.kc.issue = issue;
    assert_int_equal(whole(&d), IBK_OK);
    size_t count = d.keys.count;
    assert_int_equal(d.result.n_keys, count);
    desk_free(&d);
    return count;
}

static void test_issue(void **state) {
    (void)state;
    assert_int_equal(keys_for(IBK_GRANULARITY_DAY, IBK_ISSUE_PERIOD), 30); /* November */
    assert_int_equal(keys_for(IBK_GRANULARITY_DAY, IBK_ISSUE_NEXT), 2);
    assert_int_equal(keys_for(IBK_GRANULARITY_HOUR, IBK_ISSUE_PERIOD), 24);
    assert_int_equal(keys_for(IBK_GRANULARITY_HOUR, IBK_ISSUE_CURRENT), 1);
    assert_int_equal(keys_for(IBK_GRANULARITY_MONTH, IBK_ISSUE_PERIOD), 2);
    assert_int_equal(keys_for(IBK_GRANULARITY_MONTH, IBK_ISSUE_CURRENT), 1);
}

/* Several identities of one user, and single dates (P-10). The keys are those that the KMS extracts. */
static void test_identities(void **state) {
    (void)state;
    desk d;
    desk_init(&d);
    d.users[1] = ibk_identity_uri(TEL);
    d.users[2] = (ibk_identity){.id_type = IBK_ID_BYTES, .id = ibk_span_str(ALICE "20261224")};
    d.rc.n_users = 3;
    assert_int_equal(whole(&d), IBK_OK);
    static const char *const want[] = {ALICE "20261124", TEL "20261124", ALICE "20261224"};
    assert_int_equal(d.keys.count, 3);
    for (size_t i = 0; i < 3; i++) {
        ibk_ibe_key *key;
        ibk_buf got = {0}, expected = {0};
        assert_true(ibk_span_equal(d.keys.items[i].ibe_identity, ibk_span_str(want[i])));
        assert_int_equal(ibk_ibe_extract(lab_home.params, lab_home.master, ibk_span_str(want[i]), &key),
                         IBK_OK);
        assert_int_equal(ibk_ibe_key_encode(key, &expected), IBK_OK);
        assert_int_equal(ibk_ibe_key_encode(d.keys.items[i].key, &got), IBK_OK);
        assert_true(ibk_span_equal(ibk_buf_span(&got), ibk_buf_span(&expected)));
        ibk_ibe_key_free(key);
        ibk_buf_free(&got);
        ibk_buf_free(&expected);
    }
    assert_int_equal(d.user.log.kinds[IBK_KEYLOG_PRIV], 3);
    assert_int_equal(d.kms_node.log.kinds[IBK_KEYLOG_PRIV], 3);
    assert_int_equal(d.kms_node.log.kinds[IBK_KEYLOG_MASTER], 1);
    ibk_ibe_key *taken = d.keys.items[0].key; /* a key may be taken out of the list */
    d.keys.items[0].key = NULL;
    ibk_ibe_key_free(taken);
    desk_free(&d);
}

static void test_single_date_alone(void **state) {
    (void)state;
    desk d;
    desk_init(&d);
    d.users[0] = (ibk_identity){.id_type = IBK_ID_BYTES, .id = ibk_span_str(ALICE "20261130")};
    assert_int_equal(whole(&d), IBK_OK); /* the PSK is found by the identity without its date */
    assert_int_equal(d.keys.count, 1);
    desk_free(&d);
}

/* ---- what has to be refused -------------------------------------------------------------------------------
 */

static void refused(desk *d, ibk_err at_kms, int error_no) {
    ibk_err err = whole(d);
    assert_int_equal(d->result.err, at_kms);
    assert_int_equal(d->keys.count, 0);
    if (error_no < 0) {
        assert_int_equal(d->answer.len, 0);
        assert_int_not_equal(err, IBK_OK);
    } else {
        assert_int_equal(d->result.response_type, IBK_MSG_ERROR);
        assert_int_equal(err, IBK_ERR_PEER_ERROR);
        assert_int_equal(d->error_no, error_no);
    }
}

static void test_psk(void **state) {
    (void)state;
    desk d;
    desk_init(&d);
    d.rc.psk = ibk_span_str("another secret");
    refused(&d, IBK_ERR_BAD_MAC, IBK_ERRNO_AUTH);
    assert_non_null(strstr(d.diag.detail, "unauthenticated"));
    assert_int_equal(ibk_replay_cache_count(d.kms_node.replay), 0); /* only what is authentic is remembered */
    d.kms_psk = NULL;
    refused(&d, IBK_ERR_NOT_AUTHORIZED, IBK_ERRNO_AUTH);
    d.kc.errors = IBK_KMS_ERRORS_AUTHENTICATED;
    refused(&d, IBK_ERR_NOT_AUTHORIZED, -1);
    desk_free(&d);
}

static void test_unauthorized(void **state) {
    (void)state;
    desk d;
    desk_init(&d);
    d.refused = ALICE;
    refused(&d, IBK_ERR_NOT_AUTHORIZED, IBK_ERRNO_ID);
    assert_non_null(strstr(d.diag.detail, "(authenticated"));
    d.refused = TEL; /* one of two is not the user's: no key at all */
    d.users[1] = ibk_identity_uri(TEL);
    d.rc.n_users = 2;
    refused(&d, IBK_ERR_NOT_AUTHORIZED, IBK_ERRNO_ID);
    d.refused = NULL;
    d.users[1] =
        (ibk_identity){.id_type = IBK_ID_BYTES, .id = ibk_span_str(ALICE "20261123")}; /* yesterday */
    refused(&d, IBK_ERR_NOT_AUTHORIZED, IBK_ERRNO_ID);
    d.users[1].id = ibk_span_str(ALICE "20281124"); /* too far ahead */
    refused(&d, IBK_ERR_NOT_AUTHORIZED, IBK_ERRNO_ID);
    d.kc.issue_back_ns = 2 * LAB_DAY;
    d.users[1].id = ibk_span_str(ALICE "20261123");
    assert_int_equal(whole(&d), IBK_OK);
    d.kc.errors = IBK_KMS_ERRORS_SILENT;
    d.refused = ALICE;
    refused(&d, IBK_ERR_NOT_AUTHORIZED, -1);
    desk_free(&d);
}

static void test_wrong_kms(void **state) {
    (void)state;
    desk d;
    desk_init(&d);
    d.rc.kms = ibk_identity_uri("kms.away.example");
    refused(&d, IBK_ERR_IDENTITY_MISMATCH, IBK_ERRNO_ID);
    assert_int_equal(d.psk_calls, 0);
    desk_free(&d);
}

static void test_time(void **state) {
    (void)state;
    desk d;
    desk_init(&d);
    d.user.utc_ns += 301 * INT64_C(1000000000);
    refused(&d, IBK_ERR_CLOCK_SKEW, IBK_ERRNO_TS);
    d.user.utc_ns = LAB_NOON;
    d.user.timestamps = (ibk_timestamps){0};
    assert_int_equal(whole(&d), IBK_OK);
    handle(&d); /* the same request again */
    assert_int_equal(d.result.err, IBK_ERR_REPLAYED);
    assert_int_equal(d.answer.len, 0);
    assert_int_equal(finish(&d), IBK_ERR_STATE); /* the first answer has ended the request */
    ask(&d);
    handle(&d);
    d.user.mono_ns += INT64_C(32000000000);
    assert_int_equal(finish(&d), IBK_ERR_TIMEOUT);
    desk_free(&d);
}

/* A KMS that answers for other parameters or gives another's key: the keys do not verify. */
static void test_false_keys(void **state) {
    (void)state;
    desk d;
    desk_init(&d);
    d.kc.params = lab_away.params;
    d.kc.master = lab_away.master;
    assert_int_not_equal(whole(&d), IBK_OK);
    assert_int_equal(d.keys.count, 0);
    ibk_msg msg = {0};
    assert_int_equal(ibk_msg_parse(&msg, ibk_buf_span(&d.answer), NULL), IBK_OK);
    assert_int_equal(d.diag.offset, ibk_msg_find(&msg, IBK_PL_KEMAC, 0)->offset); /* the place is told */
    assert_non_null(strstr(d.diag.detail, "of the content of KEMAC"));
    ibk_msg_free(&msg);
    d.kc.params =
        lab_home.params; /* right parameters, another master secret: points of order q, yet no keys */
    d.kc.master = lab_away.master;
    assert_int_not_equal(whole(&d), IBK_OK);
    assert_int_equal(d.keys.count, 0);
    desk_free(&d);
}

/* An answer to another request of the same user. */
static void test_other_answer(void **state) {
    (void)state;
    desk d;
    ibk_buf old = {0};
    desk_init(&d);
    ask(&d);
    handle(&d);
    assert_int_equal(ibk_buf_append_span(&old, ibk_buf_span(&d.answer)), IBK_OK);
    ask(&d);
    assert_int_equal(
        ibk_key_request_finish(d.request, lab_now(&d.user), ibk_buf_span(&old), &d.keys, NULL, &d.diag),
        IBK_ERR_MISMATCH);
    ibk_buf_free(&old);
    desk_free(&d);
}

/* Every octet of request and answer. V covers both: nothing changed passes. The V flag of the request is
 * covered too. */
static void test_tampered(void **state) {
    (void)state;
    desk d;
    desk_init(&d);
    assert_int_equal(whole(&d), IBK_OK);
    size_t n = d.asked.len, m = d.answer.len;
    for (size_t i = 0; i < n; i++) {
        ask(&d);
        d.asked.data[i] ^= 1;
        handle(&d);
        assert_int_not_equal(d.result.err, IBK_OK);
        assert_int_equal(d.result.n_keys, 0);
    }
    for (size_t i = 0; i < m; i++) {
        ask(&d);
        handle(&d);
        d.answer.data[i] ^= 0x80;
        assert_int_not_equal(finish(&d), IBK_OK);
        assert_int_equal(d.keys.count, 0);
    }
    for (size_t i = 0; i < n; i++) {
        ask(&d);
        d.asked.len = i;
        handle(&d);
        assert_int_not_equal(d.result.err, IBK_OK);
        d.asked.len = n;
    }
    for (size_t i = 0; i < m; i += 5) {
        ask(&d);
        handle(&d);
        d.answer.len = i;
        assert_int_not_equal(finish(&d), IBK_OK);
    }
    desk_free(&d);
}

/* A request made by hand under the right PSK, with something in it that the KMS does not expect. */
static void send_edited(desk *d, void change(ibk_msg *msg)) {
    ibk_msg msg = {0};
    ask(d);
    assert_int_equal(ibk_msg_parse(&msg, ibk_buf_span(&d->asked), NULL), IBK_OK);
    ibk_span rand = ibk_msg_find(&msg, IBK_PL_RAND, 0)->rand.data;
    change(&msg);
    ibk_msg_keys keys;
    ibk_span ids[] = {ibk_span_str(ALICE), ibk_span_str("kms.home.example")};
    assert_int_equal(ibk_msg_keys_derive(&keys, 0, ibk_span_str(d->kms_psk), msg.hdr.csb_id, rand,
                                         IBK_ENCR_NULL, IBK_MAC_HMAC_SHA1_160),
                     IBK_OK);
    ibk_buf out = {0};
    msg.chain.count--; /* V again, at the end */
    ibk_add_v(&msg.chain, IBK_MAC_HMAC_SHA1_160);
    assert_int_equal(ibk_msg_write_v(&msg, &out, ibk_span_of(keys.auth, keys.auth_len), ids, 2), IBK_OK);
    ibk_msg_free(&msg);
    ibk_buf_free(&d->asked);
    d->asked = out;
    handle(d);
}

static void insert(ibk_msg *msg, void add(ibk_chain *chain)) {
    size_t last = msg->chain.count - 1;
    ibk_payload v = msg->chain.items[last];
    msg->chain.count--;
    add(&msg->chain);
    ibk_chain_add(&msg->chain, &v);
}

static void put_cert(ibk_chain *chain) {
    ibk_add_cert(chain, IBK_CERT_X509, ibk_span_str("x"));
}

static void put_kemac(ibk_chain *chain) {
    ibk_add_kemac(chain, IBK_ENCR_AES_CM_128, ibk_span_str("sixteen octets.."), IBK_MAC_NULL);
}

static void with_cert(ibk_msg *msg) {
    insert(msg, put_cert);
}

static void with_kemac(ibk_msg *msg) {
    insert(msg, put_kemac);
}

static void with_cs(ibk_msg *msg) {
    msg->hdr.n_cs = 1;
}

static void as_pke(ibk_msg *msg) {
    msg->hdr.data_type = IBK_MSG_REQUEST_KEY_PKE;
}

static void as_i_message(ibk_msg *msg) {
    msg->hdr.data_type = IBK_MSG_I_MESSAGE_1;
}

static void without_v_flag(ibk_msg *msg) {
    msg->hdr.v_flag = false;
}

static void put_esk(ibk_chain *chain) {
    ibk_add_enc(chain, IBK_PL_ESK, ibk_span_str("anything"));
}

/* V leaves an ESK out (RFC 6267 §5.4): with one put into it, a replayed request is still authentic. */
static void test_replay_with_esk(void **state) {
    (void)state;
    desk d;
    ibk_msg msg = {0};
    ibk_buf changed = {0};
    desk_init(&d);
    assert_int_equal(whole(&d), IBK_OK);
    assert_int_equal(ibk_msg_parse(&msg, ibk_buf_span(&d.asked), NULL), IBK_OK);
    insert(&msg, put_esk);
    assert_int_equal(ibk_msg_write(&msg, &changed), IBK_OK);
    ibk_msg_free(&msg);
    ibk_buf_free(&d.asked);
    d.asked = changed;
    handle(&d);
    assert_int_equal(d.result.err, IBK_ERR_REPLAYED);
    assert_int_equal(d.answer.len, 0);
    desk_free(&d);
}

static uint8_t encr_of_answer(const desk *d) {
    ibk_msg msg = {0};
    assert_int_equal(ibk_msg_parse(&msg, ibk_buf_span(&d->answer), NULL), IBK_OK);
    uint8_t alg = ibk_msg_find(&msg, IBK_PL_KEMAC, 0)->kemac.encr_alg;
    ibk_msg_free(&msg);
    return alg;
}

/* A request with a COUNTER can come again when the cache has dropped it; the answer has other keys in it by
 * then, and must not have the key stream of the first. */
static void test_counter(void **state) {
    (void)state;
    desk d;
    desk_init(&d);
    d.rc.ts_type = IBK_TS_COUNTER;
    assert_int_equal(whole(&d), IBK_OK);
    assert_int_equal(encr_of_answer(&d), IBK_ENCR_AES_KW_128);
    d.kms_node.utc_ns += 33 * LAB_DAY;
    handle(&d);
    assert_int_equal(d.result.err, IBK_OK);
    assert_int_equal(encr_of_answer(&d), IBK_ENCR_AES_KW_128);
    d.rc.ts_type = IBK_TS_NTP_UTC;
    d.kms_node.utc_ns = LAB_NOON;
    assert_int_equal(whole(&d), IBK_OK);
    assert_int_equal(encr_of_answer(&d), IBK_ENCR_AES_CM_128);
    desk_free(&d);
}

static void as_responder(ibk_msg *msg) { /* IDRr: a user who expects to be called */
    msg->chain.items[2].id.role = IBK_ROLE_R;
}

static void strange_id_type(ibk_msg *msg) {
    msg->chain.items[2].id.id_type = 3;
}

static void test_strange_users(void **state) {
    (void)state;
    desk d;
    ibk_msg msg = {0};
    desk_init(&d);
    send_edited(&d, as_responder);
    assert_int_equal(d.result.err, IBK_OK);
    assert_int_equal(ibk_msg_parse(&msg, ibk_buf_span(&d.answer), NULL), IBK_OK);
    assert_non_null(ibk_msg_find_idr(&msg, IBK_ROLE_R, 0)); /* repeated as it came */
    assert_null(ibk_msg_find_idr(&msg, IBK_ROLE_I, 0));
    ibk_msg_free(&msg);
    send_edited(&d, strange_id_type);
    assert_int_equal(d.result.err, IBK_ERR_BAD_VALUE);
    assert_int_equal(d.result.error_no, IBK_ERRNO_ID);
    desk_free(&d);
}

static void test_strange_requests(void **state) {
    (void)state;
    desk d;
    desk_init(&d);
    send_edited(&d, with_cert); /* §4.2.1.2 (N17): unexpected payloads are ignored */
    assert_int_equal(d.result.err, IBK_OK);
    send_edited(&d, without_v_flag); /* (N85) */
    assert_int_equal(d.result.err, IBK_OK);
    send_edited(&d, with_kemac); /* answered, but not under the same key stream */
    assert_int_equal(d.result.err, IBK_OK);
    assert_int_equal(encr_of_answer(&d), IBK_ENCR_AES_KW_128);
    send_edited(&d, with_cs); /* (N86) */
    assert_int_equal(d.result.err, IBK_ERR_BAD_VALUE);
    send_edited(&d, as_pke);
    assert_int_equal(d.result.err, IBK_ERR_UNSUPPORTED);
    assert_int_equal(d.result.error_no, IBK_ERRNO_DT);
    send_edited(&d, as_i_message);
    assert_int_equal(d.result.err, IBK_ERR_UNEXPECTED_MESSAGE);
    assert_int_equal(d.answer.len, 0);
    desk_free(&d);
}

static void test_limits(void **state) {
    (void)state;
    desk d;
    desk_init(&d);
    d.kc.granularity = d.rc.granularity = IBK_GRANULARITY_DAY;
    d.kc.issue = IBK_ISSUE_PERIOD;
    for (size_t i = 0; i < IBK_KMS_MAX_USERS; i++) {
        d.users[i] = ibk_identity_uri(ALICE);
    }
    d.rc.n_users = IBK_KMS_MAX_USERS; /* the same user again and again: each key once */
    assert_int_equal(whole(&d), IBK_OK);
    assert_int_equal(d.keys.count, 30);
    char names[IBK_KMS_MAX_USERS][32];
    for (int i = 1; i < IBK_KMS_MAX_USERS; i++) {
        snprintf(names[i], sizeof names[i], "sip:user-%d@home.example", i);
        d.users[i] = ibk_identity_uri(names[i]);
    }
    refused(&d, IBK_ERR_LIMIT, IBK_ERRNO_UNSPECIFIED); /* 480 keys do not fit into one KEMAC */
    ibk_key_request *r;
    ibk_env env = lab_env(&d.user);
    d.rc.n_users = IBK_KMS_MAX_USERS + 1;
    assert_int_equal(ibk_key_request_new(&r, &env, &d.rc), IBK_ERR_USAGE);
    d.rc.n_users = 0;
    assert_int_equal(ibk_key_request_new(&r, &env, &d.rc), IBK_ERR_USAGE);
    d.rc.n_users = 1;
    d.rc.psk.len = 0;
    assert_int_equal(ibk_key_request_new(&r, &env, &d.rc), IBK_ERR_USAGE);
    ibk_kms *kms;
    ibk_kms_config bad[] = {d.kc, d.kc, d.kc, d.kc};
    bad[0].master = NULL;
    bad[1].replay = NULL;
    bad[2].identity.id.len = 0;
    bad[3].encr_alg = 200;
    for (int i = 0; i < 4; i++) {
        assert_int_equal(ibk_kms_new(&kms, &env, &bad[i]), IBK_ERR_USAGE);
    }
    desk_free(&d);
}

static void test_random_failure(void **state) {
    (void)state;
    for (uint64_t n = 1; n <= 2; n++) { /* CSB ID and RAND */
        desk d;
        desk_init(&d);
        d.user.random.fail_at = n;
        ibk_env env = lab_env(&d.user);
        assert_int_equal(ibk_key_request_new(&d.request, &env, &d.rc), IBK_OK);
        assert_int_equal(ibk_key_request_start(d.request, lab_now(&d.user), &d.asked), IBK_ERR_RANDOM);
        assert_int_equal(d.asked.len, 0);
        assert_int_equal(ibk_key_request_start(d.request, lab_now(&d.user), &d.asked), IBK_ERR_STATE);
        desk_free(&d);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_algorithms),
        cmocka_unit_test(test_frames),
        cmocka_unit_test(test_issue),
        cmocka_unit_test(test_identities),
        cmocka_unit_test(test_single_date_alone),
        cmocka_unit_test(test_psk),
        cmocka_unit_test(test_unauthorized),
        cmocka_unit_test(test_wrong_kms),
        cmocka_unit_test(test_time),
        cmocka_unit_test(test_false_keys),
        cmocka_unit_test(test_other_answer),
        cmocka_unit_test(test_tampered),
        cmocka_unit_test(test_replay_with_esk),
        cmocka_unit_test(test_counter),
        cmocka_unit_test(test_strange_users),
        cmocka_unit_test(test_strange_requests),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_random_failure),
    };
    return cmocka_run_group_tests(tests, lab_group_setup, lab_group_teardown);
}
