/* The KMS as a node, and the UE's client of it, over simulated TCP: keys arrive, and everything else is
 * refused. */
#include "ims/address.h"
#include "ims/stage.h"
#include "kms/http.h"
#include "kms/key_client.h"
#include "kms/kms_node.h"
#include "run/params.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define KMS "kms.home.example"

/* Alice's PSK is right, Bob's is not; Carol asks a KMS that does not exist, Dave one that is not his. */
static const char scenario_text[] = "ibakelab: 1\n"
                                    "title: keys\n"
                                    "domains:\n"
                                    "  - name: home.example\n"
                                    "    kms: {parameters: 1024, issue: current}\n"
                                    "users:\n"
                                    "  - {name: alice, psk: 00112233445566778899aabbccddeeff,\n"
                                    "     identities: [{identity: 'tel:+4930901820'}]}\n"
                                    "  - {name: bob, psk: 00112233445566778899aabbccddeeff,\n"
                                    "     kms-psk: ffeeddccbbaa99887766554433221100}\n"
                                    "  - {name: carol, kms: kms@nowhere.example}\n"
                                    "  - {name: dave, kms: other@home.example}\n"
                                    "expect:\n"
                                    "  users: {registered: all}\n";

typedef struct outcome {
    bool done;
    key_client_result result;
    size_t keys;
    char identity[80]; /* of the first key */
} outcome;

typedef struct lab {
    scn_scenario *scenario;
    ibk_ibe_params *params;
    ibk_ibe_master *master;
    stage stage;
    ims_host *alice;
    kms_node *kms;
    key_client *client;
    ibk_timestamps timestamps;
    outcome outcome;
    n3_listener *impostor; /* in the KMS's place, answers with `says` */
    const char *says;
    unsigned accepted;
    n3_tcp *connections[8];
} lab;

static int load(void **state) {
    lab *l = calloc(1, sizeof *l);
    scn_errors errors = {0};
    assert_non_null(l);
    if (scn_load_text(&l->scenario, &errors, "keys.yaml", ibk_span_str(scenario_text), NULL, 0))
        fail_msg("%u: %s", errors.list[0].line, errors.list[0].message);
    assert_int_equal(run_params_load(&l->params, &l->master, &l->scenario->domains[0].kms, NULL), IBK_OK);
    *state = l;
    return 0;
}

static int unload(void **state) {
    lab *l = *state;
    ibk_ibe_master_free(l->master);
    ibk_ibe_params_free(l->params);
    scn_free(l->scenario);
    free(l);
    return 0;
}

static int set_up(void **state) {
    static const char *const names[] = {KMS, "alice", "other.home.example"};
    lab *l = *state;
    stage_open(&l->stage, names, 3, 1);
    ims_host_config host = stage_host(&l->stage, "alice");
    host.quiet = true;
    assert_int_equal(ims_host_new(&l->alice, &host, NULL), IBK_OK);
    l->timestamps = (ibk_timestamps){0};
    l->outcome = (outcome){0};
    l->accepted = 0;
    return 0;
}

static int tear_down(void **state) {
    lab *l = *state;
    key_client_free(l->client);
    kms_node_free(l->kms);
    for (size_t i = 0; i < 8; i++)
        n3_tcp_free(l->connections[i]);
    n3_listener_free(l->impostor);
    ims_host_free(l->alice);
    l->client = NULL;
    l->kms = NULL;
    l->impostor = NULL;
    memset(l->connections, 0, sizeof l->connections);
    stage_close(&l->stage);
    return 0;
}

static void start_kms(lab *l) {
    kms_node_config config = {.host = stage_host(&l->stage, KMS),
                              .scenario = l->scenario,
                              .domain = &l->scenario->domains[0],
                              .params = l->params,
                              .master = l->master};
    assert_int_equal(kms_node_new(&l->kms, &config), IBK_OK);
}

/* ---- the client ------------------------------------------------------------------------------------------
 */

static void done(void *user, const key_client_result *result, ibk_key_list *keys) {
    outcome *o = user;
    assert_false(o->done); /* once */
    o->done = true;
    o->result = *result;
    o->keys = keys ? keys->count : 0;
    if (o->keys) {
        ibk_span id = keys->items[0].ibe_identity;
        snprintf(o->identity, sizeof o->identity, "%.*s", (int)id.len, (const char *)id.data);
    }
}

static void ask_for(lab *l, const char *who, const ibk_ibe_params *params, const ibk_identity *ids,
                    size_t n) {
    const scn_user *user = scn_find_user(l->scenario, who);
    key_client_config config = {.host = l->alice,
                                .user = user,
                                .ids = ids,
                                .n_ids = n,
                                .params = params,
                                .timestamps = &l->timestamps};
    key_client_free(l->client);
    l->outcome = (outcome){0};
    assert_int_equal(key_client_start(&l->client, &config, done, &l->outcome), IBK_OK);
}

static void ask(lab *l, const char *who, const ibk_ibe_params *params) {
    ibk_identity id = ibk_identity_uri(scn_find_user(l->scenario, who)->identity);
    ask_for(l, who, params, &id, 1);
}

static void test_keys_arrive(void **state) {
    lab *l = *state;
    start_kms(l);
    for (unsigned round = 1; round <= 2; round++) { /* a second request is no replay */
        ask(l, "alice", l->params);
        stage_play(&l->stage, SIP_S);
        assert_true(l->outcome.done);
        assert_int_equal(l->outcome.result.failure, 0);
        assert_int_equal(l->outcome.keys, 1);
        assert_string_equal(l->outcome.identity, "sip:alice@home.example20260302");
        assert_int_equal(kms_node_get_stats(l->kms)->issued, round);
    }
    assert_int_equal(kms_node_get_stats(l->kms)->keys, 2);
    assert_int_equal(kms_node_get_stats(l->kms)->refused, 0);
}

static void test_wrong_psk(void **state) {
    lab *l = *state;
    start_kms(l);
    ask(l, "bob", l->params);
    stage_play(&l->stage, SIP_S);
    assert_true(l->outcome.done);
    assert_int_equal(l->outcome.result.failure, SCN_KEYS_REFUSED);
    assert_int_equal(l->outcome.keys, 0);
    assert_int_equal(kms_node_get_stats(l->kms)->refused, 1);
    assert_int_equal(kms_node_get_stats(l->kms)->keys, 0);
}

static void test_unknown_kms(void **state) {
    lab *l = *state;
    start_kms(l);
    ask(l, "carol", l->params);
    assert_true(l->outcome.done); /* at once: the name does not resolve */
    assert_int_equal(l->outcome.result.failure, SCN_KEYS_UNKNOWN_KMS);
    ask(l, "alice", NULL); /* a KMS whose parameters nobody has */
    assert_true(l->outcome.done);
    assert_int_equal(l->outcome.result.failure, SCN_KEYS_UNKNOWN_KMS);
    assert_int_equal(kms_node_get_stats(l->kms)->requests, 0);
}

static void test_kms_is_cut_off(void **state) {
    lab *l = *state;
    start_kms(l);
    stage_cut(&l->stage, KMS, true);
    ask(l, "alice", l->params);
    stage_play(&l->stage, 60 * SIP_S);
    assert_true(l->outcome.done);
    assert_int_equal(l->outcome.result.failure, SCN_KEYS_NO_ANSWER);
}

static void test_kms_comes_back(void **state) {
    lab *l = *state;
    start_kms(l);
    stage_cut(&l->stage, KMS, true);
    ask(l, "alice", l->params);
    stage_play(&l->stage, 9 * SIP_S); /* the first try has ended */
    assert_false(l->outcome.done);
    stage_cut(&l->stage, KMS, false);
    stage_play(&l->stage, 30 * SIP_S);
    assert_true(l->outcome.done);
    assert_int_equal(l->outcome.result.failure, 0);
    assert_int_equal(l->outcome.keys, 1);
}

/* ALICE has a number as well; P-10: the issue of the one, the key of tomorrow of the other. */
static void test_several_identities(void **state) {
    lab *l = *state;
    const ibk_identity ids[] = {ibk_identity_uri("sip:alice@home.example"),
                                {IBK_ID_BYTES, ibk_span_str("tel:+493090182020260303")}};
    const ibk_identity not_hers[] = {ids[0], ibk_identity_uri("sip:bob@home.example")};
    start_kms(l);
    ask_for(l, "alice", l->params, ids, 2);
    stage_play(&l->stage, SIP_S);
    assert_true(l->outcome.done);
    assert_int_equal(l->outcome.result.failure, 0);
    assert_int_equal(l->outcome.result.tries, 1);
    assert_int_equal(l->outcome.keys, 2);
    ask_for(l, "alice", l->params, not_hers, 2); /* all or nothing */
    stage_play(&l->stage, SIP_S);
    assert_int_equal(l->outcome.result.failure, SCN_KEYS_NOT_AUTHORIZED);
    assert_int_equal(l->outcome.keys, 0);
    const kms_node_stats *stats = kms_node_get_stats(l->kms);
    assert_int_equal(stats->keys, 2);
    assert_int_equal(stats->reasons[0].err, IBK_ERR_NOT_AUTHORIZED);
    assert_int_equal(stats->reasons[0].count, 1);
    assert_int_equal(stats->reasons[1].count, 0);
}

static void test_user_without_rights(void **state) {
    lab *l = *state;
    scn_user *alice = (scn_user *)scn_find_user(l->scenario, "alice");
    start_kms(l);
    alice->kms_authorized = false;
    ask(l, "alice", l->params);
    stage_play(&l->stage, SIP_S);
    alice->kms_authorized = true;
    assert_int_equal(l->outcome.result.failure, SCN_KEYS_NOT_AUTHORIZED);
    assert_int_equal(kms_node_get_stats(l->kms)->refused, 1);
}

static void test_wrong_clock(void **state) {
    lab *l = *state;
    start_kms(l);
    for (int minutes = -6; minutes <= 6; minutes += 2) {
        l->alice->clock_offset_ns = minutes * 60 * (int64_t)SIP_S;
        ask(l, "alice", l->params);
        stage_play(&l->stage, SIP_S);
        assert_int_equal(l->outcome.result.failure, abs(minutes) > 5 ? SCN_KEYS_CLOCK_SKEW : 0);
    }
}

/* Down from 5 s to 65 s. */
static void test_outage(void **state) {
    lab *l = *state;
    static const struct {
        uint64_t at_s;
        scn_keys_failure failure;
    } cases[] = {{1, 0}, {6, SCN_KEYS_NO_ANSWER}, {60, 0}, {70, 0}};
    l->scenario->domains[0].kms.outage = (scn_outage){.from_ns = 5 * SIP_S, .for_ns = 60 * SIP_S};
    start_kms(l);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        stage_play(&l->stage, cases[i].at_s * SIP_S - n3_now(l->stage.world.sim));
        ask(l, "alice", l->params); /* the third in the outage: its last tries come after it */
        stage_play(&l->stage, (i == 1 ? 40 : i == 2 ? 9 : 1) * SIP_S);
        assert_true(l->outcome.done);
        assert_int_equal(l->outcome.result.failure, cases[i].failure);
    }
    assert_int_equal(kms_node_get_stats(l->kms)->issued, 3);
    l->scenario->domains[0].kms.outage = (scn_outage){0};
}

/* A host is there, but no KMS on it: every connection is refused. */
static void test_nobody_listens(void **state) {
    lab *l = *state;
    ask(l, "dave", l->params);
    stage_play(&l->stage, 60 * SIP_S);
    assert_true(l->outcome.done);
    assert_int_equal(l->outcome.result.failure, SCN_KEYS_NO_ANSWER);
}

/* The request cannot be made a second time: that ends it, instead of being tried for good. */
static void test_no_further_request(void **state) {
    lab *l = *state;
    scn_user *dave = (scn_user *)scn_find_user(l->scenario, "dave");
    ibk_span psk = dave->psk;
    ask(l, "dave", l->params);
    dave->psk = (ibk_span){0};
    stage_play(&l->stage, 60 * SIP_S);
    dave->psk = psk;
    assert_true(l->outcome.done);
    assert_int_equal(l->outcome.result.failure, SCN_KEYS_NO_ANSWER);
    assert_int_equal(l->outcome.result.diag.err, IBK_ERR_USAGE);
    assert_int_equal(l->outcome.result.tries, 1);
}

static void test_freed_while_it_waits(void **state) {
    lab *l = *state;
    start_kms(l);
    ask(l, "alice", l->params);
    stage_play(&l->stage, 12 * SIP_MS);
    assert_false(l->outcome.done);
    key_client_free(l->client);
    l->client = NULL;
    stage_play(&l->stage, 60 * SIP_S);
    assert_false(l->outcome.done);
}

/* ---- a server that is no KMS -------------------------------------------------------------------------- */

static void impostor_received(void *user, n3_tcp *tcp, const uint8_t *data, size_t len) {
    lab *l = user;
    (void)data, (void)len;
    assert_int_equal(n3_tcp_send(tcp, l->says, strlen(l->says)), N3_OK);
    n3_tcp_close(tcp);
}

static void impostor_accepted(void *user, n3_tcp *tcp) {
    lab *l = user;
    n3_tcp_config config = {.handlers = {.received = impostor_received}, .user = l};
    assert_true(l->accepted < 8);
    l->connections[l->accepted++] = tcp;
    assert_int_equal(n3_tcp_configure(tcp, &config), N3_OK);
}

static void test_bad_answers(void **state) {
    lab *l = *state;
    static const struct {
        const char *says;
        scn_keys_failure failure;
    } cases[] = {
        {"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\nContent-Length: 2\r\n\r\nhi", SCN_KEYS_BAD_RESPONSE},
        {"HTTP/1.1 200 OK\r\nContent-Type: application/mikey\r\nContent-Length: 2\r\n\r\nhi",
         SCN_KEYS_BAD_RESPONSE},
        {"HTTP/1.1 200 OK\r\nContent-Type: application/mikey\r\nContent-Length: 0\r\n\r\n",
         SCN_KEYS_BAD_RESPONSE},
        {"HTTP/1.1 403 Forbidden\r\nContent-Length: 0\r\n\r\n", SCN_KEYS_REFUSED},
        {"HTTP/1.1 500 Oops\r\nContent-Length: 0\r\n\r\n", SCN_KEYS_BAD_RESPONSE},
        {"SSH-2.0-OpenSSH_9.2\r\n", SCN_KEYS_BAD_RESPONSE},
        {"HTTP/1.1 200 OK\r\nContent-Length: 99999999\r\n\r\n", SCN_KEYS_BAD_RESPONSE},
        {"", SCN_KEYS_NO_ANSWER}, /* closes, three times */
    };
    sip_addr addr = stage_address(&l->stage, KMS, KMS_HTTP_PORT);
    n3_endpoint local = ims_endpoint(&addr);
    n3_node *node = stage_host(&l->stage, KMS).node;
    assert_int_equal(n3_listen(&l->impostor, node, &local, impostor_accepted, l), N3_OK);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        l->says = cases[i].says;
        l->accepted = 0;
        ask(l, "alice", l->params);
        stage_play(&l->stage, 40 * SIP_S);
        if (!l->outcome.done || l->outcome.result.failure != cases[i].failure)
            fail_msg("after '%s': done %d, failure %d, %s", cases[i].says, l->outcome.done,
                     l->outcome.result.failure, l->outcome.result.diag.detail);
        assert_int_equal(l->outcome.keys, 0);
        for (size_t k = 0; k < l->accepted; k++)
            n3_tcp_free(l->connections[k]);
        memset(l->connections, 0, sizeof l->connections);
    }
}

static void mute_accepted(void *user, n3_tcp *tcp) {
    lab *l = user;
    assert_true(l->accepted < 8);
    l->connections[l->accepted++] = tcp;
}

/* A server that takes the connection and never says a word: each try ends by itself, and then the request. */
static void test_mute_server(void **state) {
    lab *l = *state;
    sip_addr addr = stage_address(&l->stage, KMS, KMS_HTTP_PORT);
    n3_endpoint local = ims_endpoint(&addr);
    assert_int_equal(n3_listen(&l->impostor, stage_host(&l->stage, KMS).node, &local, mute_accepted, l),
                     N3_OK);
    ask(l, "alice", l->params);
    for (unsigned n = 1; n <= KEY_CLIENT_TRIES; n++) {
        stage_play(&l->stage, n == 1 ? SIP_S : KEY_CLIENT_TRY_NS);
        assert_int_equal(l->accepted, n);
        assert_false(l->outcome.done);
    }
    stage_play(&l->stage, KEY_CLIENT_TRY_NS);
    assert_true(l->outcome.done);
    assert_int_equal(l->outcome.result.failure, SCN_KEYS_NO_ANSWER);
    assert_int_equal(l->outcome.result.tries, KEY_CLIENT_TRIES);
    assert_int_equal(l->accepted, KEY_CLIENT_TRIES);
}

/* ---- a client that is none ------------------------------------------------------------------------------
 */

typedef struct raw {
    char answer[2048];
    size_t len;
    bool closed;
} raw;

static void raw_received(void *user, n3_tcp *tcp, const uint8_t *data, size_t len) {
    raw *r = user;
    (void)tcp;
    assert_true(r->len + len < sizeof r->answer);
    memcpy(r->answer + r->len, data, len);
    r->len += len;
    r->answer[r->len] = 0;
}

static void raw_closed(void *user, n3_tcp *tcp) {
    (void)tcp;
    ((raw *)user)->closed = true;
}

/* Sends octets to the KMS and returns the status of its answer; 0: none. */
static int send_raw(lab *l, const void *octets, size_t len, raw *r) {
    sip_addr addr = stage_address(&l->stage, KMS, KMS_HTTP_PORT);
    n3_endpoint remote = ims_endpoint(&addr);
    n3_tcp_config config = {.handlers = {.received = raw_received, .peer_closed = raw_closed}, .user = r};
    n3_tcp *tcp;
    *r = (raw){0};
    assert_int_equal(n3_tcp_connect(&tcp, l->alice->node, NULL, &remote, &config), N3_OK);
    assert_int_equal(n3_tcp_send(tcp, octets, len), N3_OK);
    stage_play(&l->stage, 2 * SIP_S);
    n3_tcp_free(tcp);
    int status = 0;
    return sscanf(r->answer, "HTTP/1.1 %d ", &status) == 1 ? status : 0;
}

static int post(lab *l, const char *method, const char *target, const char *type, ibk_span body, raw *r) {
    ibk_buf out = {0};
    char head[512];
    snprintf(head, sizeof head,
             "%s %s HTTP/1.1\r\nHost: " KMS "\r\nContent-Type: %s\r\nContent-Length: %zu\r\n\r\n", method,
             target, type, body.len);
    assert_int_equal(ibk_buf_append_span(&out, ibk_span_str(head)), IBK_OK);
    assert_int_equal(ibk_buf_append_span(&out, body), IBK_OK);
    int status = send_raw(l, out.data, out.len, r);
    ibk_buf_free(&out);
    return status;
}

static void test_bad_requests(void **state) {
    lab *l = *state;
    ibk_span junk = ibk_span_str("no MIKEY message");
    raw r;
    start_kms(l);
    assert_int_equal(post(l, "GET", KMS_TARGET, HTTP_MIKEY_TYPE, (ibk_span){0}, &r), 405);
    assert_int_equal(post(l, "PUT", KMS_TARGET, HTTP_MIKEY_TYPE, junk, &r), 405);
    assert_int_equal(post(l, "POST", "/", HTTP_MIKEY_TYPE, junk, &r), 404);
    assert_int_equal(post(l, "POST", KMS_TARGET "x", HTTP_MIKEY_TYPE, junk, &r), 404);
    assert_int_equal(post(l, "POST", KMS_TARGET, "text/plain", junk, &r), 415);
    assert_int_equal(post(l, "POST", KMS_TARGET, "application/mikeyx", junk, &r), 415);
    assert_int_equal(kms_node_get_stats(l->kms)->requests, 0);
    assert_false(kms_node_get_stats(l->kms)->answered); /* what HTTP refuses is no request of MIKEY */
    int status = post(l, "POST", KMS_TARGET, "Application/MIKEY; q=1", junk, &r);
    assert_true(status == 200 || status == 403); /* an Error message, or nothing to say */
    assert_int_equal(kms_node_get_stats(l->kms)->requests, 1);
    assert_int_equal(kms_node_get_stats(l->kms)->refused, 1);
    assert_int_equal(kms_node_get_stats(l->kms)->keys, 0);
}

static void test_garbage(void **state) {
    lab *l = *state;
    static const char not_http[] = "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03";
    raw r;
    start_kms(l);
    assert_int_equal(send_raw(l, not_http, sizeof not_http - 1, &r), 400);
    assert_true(r.closed);
    char *head = malloc(HTTP_HEAD_MAX + 100); /* a head without end */
    assert_non_null(head);
    memset(head, 'a', HTTP_HEAD_MAX + 100);
    memcpy(head, "POST / HTTP/1.1\r\nX: ", 20);
    assert_int_equal(send_raw(l, head, HTTP_HEAD_MAX + 100, &r), 400);
    free(head);
    static const char too_long[] = "POST /mikey HTTP/1.1\r\nContent-Length: 99999999\r\n\r\n";
    assert_int_equal(send_raw(l, too_long, sizeof too_long - 1, &r), 400);
    ask(l, "alice", l->params); /* and it still serves */
    stage_play(&l->stage, SIP_S);
    assert_int_equal(l->outcome.keys, 1);
}

/* Two requests in one segment, then half a one and a close. */
static void test_pipelined_and_cut(void **state) {
    lab *l = *state;
    static const char two[] = "GET /mikey HTTP/1.1\r\n\r\nPOST /b HTTP/1.1\r\nContent-Length: 0\r\n\r\n";
    static const char half[] = "POST /mikey HTTP/1.1\r\nContent-Length: 10\r\n\r\nab";
    raw r;
    start_kms(l);
    assert_int_equal(send_raw(l, two, sizeof two - 1, &r), 405);
    assert_non_null(strstr(r.answer, "HTTP/1.1 404"));
    assert_int_equal(send_raw(l, half, sizeof half - 1, &r), 0);
    assert_int_equal(kms_node_get_stats(l->kms)->requests, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(test_keys_arrive),
        TEST(test_wrong_psk),
        TEST(test_unknown_kms),
        TEST(test_kms_is_cut_off),
        TEST(test_kms_comes_back),
        TEST(test_several_identities),
        TEST(test_user_without_rights),
        TEST(test_wrong_clock),
        TEST(test_outage),
        TEST(test_nobody_listens),
        TEST(test_no_further_request),
        TEST(test_mute_server),
        TEST(test_bad_answers),
        TEST(test_bad_requests),
        TEST(test_garbage),
        TEST(test_pipelined_and_cut),
        TEST(test_freed_while_it_waits),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
