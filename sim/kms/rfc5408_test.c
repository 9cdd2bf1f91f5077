/* Private keys by RFC 5408 §5, the KMS node and the UE's client over the simulated network: keys arrive over
 * TLS, and everything else is refused, by whoever has to. */
#include "ims/address.h"
#include "ims/stage.h"
#include "kms/http_client.h"
#include "kms/kms_node.h"
#include "kms/rfc5408.h"
#include "kms/xml_request.h"
#include "run/params.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define KMS "kms.home.example"

static const char scenario_text[] =
    "ibakelab: 1\n"
    "title: keys\n"
    "domains:\n"
    "  - {name: home.example, kms: {parameters: 1024}}\n"
    "users:\n"
    "  - {name: alice, key-request: rfc5408, key-password: open sesame}\n"
    "  - {name: bob, key-request: rfc5408, key-password: wrong, kms-key-password: right}\n"
    "expect:\n"
    "  users: {registered: all}\n";

typedef struct lab {
    scn_scenario *scenario;
    ibk_ibe_params *params;
    ibk_ibe_master *master;
    stage stage;
    pki *pki;
    tls_context *client_context, *server_context;
    ims_host *alice;
    kms_node *kms;
    rfc5408_client *client;
    bool done;
    key_client_result result;
    size_t keys;
    /* a client that says anything */
    tls_endpoint *endpoint;
    http_client *raw;
    unsigned status;
    bool answered;
    ibk_buf body;
    /* an impostor in the KMS's place */
    ims_host *host;
    tls_endpoint *impostor;
    http_server *server;
    int lie;
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
    static const char *const names[] = {KMS, "alice"};
    lab *l = *state;
    pki_credential credential = {{0}, {0}};
    stage_open(&l->stage, names, 2, 1);
    sim_random *random = sim_random_new(1, "world", "tls");
    assert_int_equal(pki_new(&l->pki, 1, l->stage.world.start_utc_ns), IBK_OK);
    assert_int_equal(pki_issue_server(l->pki, PKI_TRUSTED, KMS, &credential), IBK_OK);
    assert_int_equal(tls_client_context(&l->client_context, pki_trust_anchor(l->pki), random, NULL, NULL), 0);
    assert_int_equal(tls_server_context(&l->server_context, &credential, random), IBK_OK);
    pki_credential_free(&credential);
    sim_random_free(random);
    ims_host_config alice = stage_host(&l->stage, "alice");
    alice.quiet = true;
    assert_int_equal(ims_host_new(&l->alice, &alice, NULL), IBK_OK);
    assert_int_equal(tls_endpoint_new(&l->endpoint, l->alice, l->client_context), IBK_OK);
    http_client_config raw = {
        .host = l->alice, .endpoint = l->endpoint, .server = KMS, .port = KMS_HTTPS_PORT};
    assert_int_equal(http_client_new(&l->raw, &raw), IBK_OK);
    l->done = l->answered = false;
    l->lie = 0;
    return 0;
}

static int tear_down(void **state) {
    lab *l = *state;
    rfc5408_client_free(l->client);
    http_client_free(l->raw);
    tls_endpoint_free(l->endpoint);
    kms_node_free(l->kms);
    http_server_free(l->server);
    tls_endpoint_free(l->impostor);
    ims_host_free(l->host);
    ims_host_free(l->alice);
    tls_context_free(l->client_context);
    tls_context_free(l->server_context);
    pki_free(l->pki);
    ibk_buf_free(&l->body);
    stage_close(&l->stage);
    l->client = NULL;
    l->kms = NULL;
    l->server = NULL;
    l->impostor = NULL;
    l->host = NULL;
    return 0;
}

static void start_kms(lab *l) {
    kms_node_config config = {.host = stage_host(&l->stage, KMS),
                              .scenario = l->scenario,
                              .domain = &l->scenario->domains[0],
                              .params = l->params,
                              .master = l->master,
                              .rfc5408 = true,
                              .tls = l->server_context};
    assert_int_equal(kms_node_new(&l->kms, &config), IBK_OK);
}

/* ---- the UE's client
 * ------------------------------------------------------------------------------------------- */

static void done(void *user, const key_client_result *result, ibk_key_list *keys) {
    lab *l = user;
    assert_false(l->done);
    l->done = true;
    l->result = *result;
    l->keys = keys ? keys->count : 0;
    for (size_t i = 0; i < l->keys; i++)
        assert_int_equal(ibk_ibe_key_verify(l->params, keys->items[i].key, keys->items[i].ibe_identity),
                         IBK_OK);
}

static void ask(lab *l, const char *who, const char *const *identities, size_t n) {
    ibk_span spans[4];
    for (size_t i = 0; i < n; i++)
        spans[i] = ibk_span_str(identities[i]);
    rfc5408_client_config config = {.host = l->alice,
                                    .tls = l->client_context,
                                    .user = scn_find_user(l->scenario, who),
                                    .params = l->params,
                                    .identities = spans,
                                    .n_identities = n};
    rfc5408_client_free(l->client);
    l->done = false;
    assert_int_equal(rfc5408_client_start(&l->client, &config, done, l), IBK_OK);
    assert_false(l->done);
    stage_play(&l->stage, SIP_S);
}

static void keys_arrive_one_by_one(void **state) {
    static const char *const days[] = {"sip:alice@home.example20260302", "sip:alice@home.example20260303",
                                       "sip:alice@home.example20260401"};
    lab *l = *state;
    start_kms(l);
    ask(l, "alice", days, 3);
    assert_true(l->done);
    if (l->result.failure)
        fail_msg("%s: %s", scn_keys_failure_name(l->result.failure), l->result.diag.detail);
    assert_int_equal(l->keys, 3);
    assert_int_equal(kms_node_get_stats(l->kms)->issued, 3);
    assert_int_equal(kms_node_get_stats(l->kms)->keys, 3);
    assert_int_equal(kms_node_get_stats(l->kms)->refused, 0);
}

static void what_nobody_gets(void **state) {
    static const char *const cases[] = {
        "sip:bob@home.example20260302",   /* somebody else's */
        "sip:alice@home.example20260301", /* yesterday's */
        "sip:alice@home.example20280101", /* too far ahead */
    };
    lab *l = *state;
    start_kms(l);
    for (size_t i = 0; i < 3; i++) {
        ask(l, "alice", &cases[i], 1);
        assert_true(l->done);
        assert_int_equal(l->result.failure, SCN_KEYS_REFUSED);
        assert_non_null(strstr(l->result.diag.detail, "IBE304"));
        assert_int_equal(l->keys, 0);
    }
    static const char *const no_date = "sip:alice@home.example";
    ask(l, "alice", &no_date, 1);
    assert_non_null(strstr(l->result.diag.detail, "IBE301"));
    /* one refusal among several: none is kept */
    static const char *const mixed[] = {"sip:alice@home.example20260302", "sip:bob@home.example20260302"};
    ask(l, "alice", mixed, 2);
    assert_int_equal(l->result.failure, SCN_KEYS_REFUSED);
    assert_int_equal(l->keys, 0);
    static const char *const own = "sip:bob@home.example20260302";
    ask(l, "bob", &own, 1); /* his password is another one */
    assert_int_equal(l->result.failure, SCN_KEYS_REFUSED);
    assert_non_null(strstr(l->result.diag.detail, "IBE304"));
}

static void nobody_answers(void **state) {
    static const char *const today = "sip:alice@home.example20260302";
    lab *l = *state;
    ask(l, "alice", &today, 1);
    stage_play(&l->stage, 20 * SIP_S);
    assert_true(l->done);
    assert_int_equal(l->result.failure, SCN_KEYS_NO_ANSWER);
}

static unsigned say(lab *l, const char *method, const char *target, const char *type,
                    const char *authorization, ibk_span body);

/* Down from 5 s to 65 s: RFC 5408's port is closed as well, and open connections end. */
static void nobody_answers_in_an_outage(void **state) {
    static const char *const today = "sip:alice@home.example20260302";
    lab *l = *state;
    ibk_span none = {0};
    l->scenario->domains[0].kms.outage = (scn_outage){.from_ns = 5 * SIP_S, .for_ns = 60 * SIP_S};
    start_kms(l);
    ask(l, "alice", &today, 1);
    assert_int_equal(l->keys, 1);
    assert_int_equal(say(l, "GET", PARAMETERS_TARGET, NULL, NULL, none), 200); /* and stays connected */
    unsigned before = http_client_connections(l->raw);
    stage_play(&l->stage, 4 * SIP_S);
    ask(l, "alice", &today, 1);
    stage_play(&l->stage, 20 * SIP_S);
    assert_true(l->done);
    assert_int_equal(l->result.failure, SCN_KEYS_NO_ANSWER);
    assert_true(l->result.tries > 1);
    stage_play(&l->stage, 60 * SIP_S);
    assert_int_equal(say(l, "GET", PARAMETERS_TARGET, NULL, NULL, none), 200);
    assert_int_equal(http_client_connections(l->raw), before + 1);
    ask(l, "alice", &today, 1);
    assert_int_equal(l->result.failure, 0);
    assert_int_equal(l->keys, 1);
    assert_int_equal(kms_node_get_stats(l->kms)->issued, 2);
    l->scenario->domains[0].kms.outage = (scn_outage){0};
}

static void freed_while_it_asks(void **state) {
    static const char *const today = "sip:alice@home.example20260302";
    lab *l = *state;
    start_kms(l);
    ibk_span span = ibk_span_str(today);
    rfc5408_client_config config = {.host = l->alice,
                                    .tls = l->client_context,
                                    .user = scn_find_user(l->scenario, "alice"),
                                    .params = l->params,
                                    .identities = &span,
                                    .n_identities = 1};
    for (uint64_t ms = 0; ms < 100; ms += 7) {
        assert_int_equal(rfc5408_client_start(&l->client, &config, done, l), IBK_OK);
        stage_play(&l->stage, ms * SIP_MS);
        rfc5408_client_free(l->client);
        l->client = NULL;
        l->done = false;
    }
    stage_play(&l->stage, SIP_S);
    assert_false(l->done);
    config.tls = NULL;
    assert_int_equal(rfc5408_client_start(&l->client, &config, done, l), IBK_ERR_USAGE);
    config.n_identities = 0;
    assert_int_equal(rfc5408_client_start(&l->client, &config, done, l), IBK_ERR_USAGE);
}

/* ---- the server, asked anything
 * -------------------------------------------------------------------------------- */

static void on_raw(void *user, const http_outcome *outcome) {
    lab *l = user;
    assert_int_equal(outcome->end, HTTP_END_RESPONSE);
    l->answered = true;
    l->status = outcome->response->status;
    ibk_buf_clear(&l->body);
    assert_int_equal(ibk_buf_append_span(&l->body, ibk_buf_span(&outcome->response->body)), IBK_OK);
}

static unsigned say(lab *l, const char *method, const char *target, const char *type,
                    const char *authorization, ibk_span body) {
    http_request request = {
        .method = method, .target = target, .type = type, .authorization = authorization, .body = body};
    l->answered = false;
    assert_int_equal(http_client_ask(l->raw, &request, on_raw, l), IBK_OK);
    stage_play(&l->stage, SIP_S);
    assert_true(l->answered);
    return l->status;
}

static ibe_code code(const lab *l) {
    ibe_response response;
    assert_int_equal(ibe_response_read(&response, ibk_buf_span(&l->body), NULL), IBK_OK);
    ibe_code seen = response.code;
    ibe_response_free(&response);
    return seen;
}

static void http_refuses(void **state) {
    lab *l = *state;
    char good[512], bad[512];
    ibk_span none = {0}, junk = ibk_span_str("<x/>");
    start_kms(l);
    assert_true(http_basic_write(good, sizeof good, "alice@home.example", "open sesame"));
    assert_true(http_basic_write(bad, sizeof bad, "alice@home.example", "open sesam"));
    assert_int_equal(say(l, "GET", RFC5408_TARGET, NULL, good, none), 405);
    assert_int_equal(say(l, "POST", RFC5408_TARGET, "text/xml", good, junk), 415);
    assert_int_equal(say(l, "POST", RFC5408_TARGET, HTTP_KEY_REQUEST_TYPE, NULL, junk), 401);
    assert_int_equal(say(l, "POST", "/ibe", HTTP_KEY_REQUEST_TYPE, good, junk), 404);
    assert_int_equal(say(l, "POST", KMS_TARGET, HTTP_MIKEY_TYPE, good, junk), 404); /* that is port 8080's */
    assert_int_equal(say(l, "POST", PARAMETERS_TARGET, NULL, NULL, none), 405);
    assert_int_equal(say(l, "GET", PARAMETERS_TARGET, NULL, NULL, none), 200);
    /* who it is comes before what it says */
    assert_int_equal(say(l, "POST", RFC5408_TARGET, HTTP_KEY_REQUEST_TYPE, bad, junk), 200);
    assert_int_equal(code(l), IBE_AUTHORIZATION_DENIED);
    assert_int_equal(say(l, "POST", RFC5408_TARGET, HTTP_KEY_REQUEST_TYPE, "Basic !", junk), 200);
    assert_int_equal(code(l), IBE_AUTHORIZATION_DENIED);
    assert_int_equal(say(l, "POST", RFC5408_TARGET, HTTP_KEY_REQUEST_TYPE, good, junk), 200);
    assert_int_equal(code(l), IBE_INVALID_REQUEST);
    assert_int_equal(kms_node_get_stats(l->kms)->issued, 0);
}

/* A request for today's key of Alice, with a fault; 0: none. */
static void request(ibk_buf *xml, int fault) {
    static const uint8_t bb1[] = {0x60, 0x86, 0x48, 0x01, 0x86, 0xfc, 0x1e, 0x01, 0x01, 0x02, 0x02};
    char uri[PARAMETERS_URI];
    ibk_buf algorithm = {0}, identity = {0};
    parameters_uri(uri, fault == 1 ? "other.example" : "home.example", fault != 2);
    ibk_identity_info info = {
        .district = ibk_span_str(uri),
        .serial = fault == 3 ? 2 : PARAMETERS_SERIAL,
        .type = ibk_oid_identity_type(fault == 4 ? IBK_GRANULARITY_HOUR : IBK_GRANULARITY_DAY),
        .data = ibk_span_str("sip:alice@home.example20260302")};
    assert_int_equal(ibk_identity_info_write(&identity, &info), IBK_OK);
    assert_int_equal(ibk_oid_write(&algorithm, fault == 5 ? ibk_span_of(bb1, sizeof bb1) : ibk_oid_bf()),
                     IBK_OK);
    if (fault == 6)
        identity.data[0] = 0x31;
    if (fault == 7)
        algorithm.data[0] = 0x05;
    ibk_buf_clear(xml);
    assert_int_equal(ibe_request_write(xml, ibk_buf_span(&algorithm), ibk_buf_span(&identity)), IBK_OK);
    ibk_buf_free(&algorithm);
    ibk_buf_free(&identity);
}

static void requests_for_another_district(void **state) {
    lab *l = *state;
    char good[512];
    ibk_buf xml = {0};
    start_kms(l);
    assert_true(http_basic_write(good, sizeof good, "alice@home.example", "open sesame"));
    for (int fault = 0; fault <= 7; fault++) {
        request(&xml, fault);
        assert_int_equal(say(l, "POST", RFC5408_TARGET, HTTP_KEY_REQUEST_TYPE, good, ibk_buf_span(&xml)),
                         200);
        if (code(l) != (fault ? IBE_INVALID_REQUEST : IBE_KEY_FOLLOWS))
            fail_msg("fault %d: IBE%d", fault, (int)code(l));
    }
    ibk_buf_free(&xml);
}

/* ---- a server that lies
 * ------------------------------------------------------------------------------------------ */

enum { LIES = 9 };

/* The key of the identity that was asked for, or of another one, in a reply with a fault. */
static void make_reply(lab *l, ibk_buf *out, const http_message *message) {
    static const uint8_t oid[] = {0x2a, 3, 4};
    ibe_request asked;
    ibk_identity_info info;
    ibk_ibe_key *key;
    ibk_buf der = {0}, reply = {0};
    assert_int_equal(ibe_request_read(&asked, ibk_buf_span(&message->body), NULL), IBK_OK);
    assert_int_equal(ibk_identity_info_parse(&info, ibk_buf_span(&asked.identity), NULL), IBK_OK);
    ibk_span whose = l->lie == 1 ? ibk_span_str("sip:bob@home.example20260302") : info.data;
    assert_int_equal(ibk_ibe_extract(l->params, l->master, whose, &key), IBK_OK);
    assert_int_equal(ibk_ibe_key_encode(key, &der), IBK_OK);
    ibk_ibe_key_free(key);
    if (l->lie == 2)
        info.data = ibk_span_str("sip:bob@home.example20260302");
    ibk_key_reply answer = {.identity = info,
                            .algorithm = l->lie == 3 ? ibk_span_of(oid, 3) : ibk_oid_bf(),
                            .key = ibk_buf_span(&der)};
    if (l->lie == 4) {
        answer.options[0] = (ibk_oid_value){ibk_span_of(oid, 3), ibk_span_str("x")};
        answer.n_options = 1;
    }
    if (l->lie == 5)
        der.data[der.len - 1] ^= 1;
    assert_int_equal(ibk_key_reply_write(&reply, &answer), IBK_OK);
    if (l->lie == 6)
        reply.data[0] ^= 1;
    assert_int_equal(
        ibe_response_write(out, l->lie == 7 ? IBE_SYSTEM_ERROR : IBE_KEY_FOLLOWS, ibk_buf_span(&reply), ""),
        IBK_OK);
    ibk_buf_free(&der);
    ibk_buf_free(&reply);
    ibe_request_free(&asked);
}

static void on_lie(void *user, http_exchange *exchange, const http_message *message) {
    lab *l = user;
    ibk_buf body = {0};
    make_reply(l, &body, message);
    http_response response = {.status = l->lie == 8 ? 500 : 200,
                              .type = l->lie == 9 ? "text/xml" : HTTP_KEY_REPLY_TYPE,
                              .body = ibk_buf_span(&body)};
    http_exchange_answer(exchange, &response);
    ibk_buf_free(&body);
}

static void answers_that_are_refused(void **state) {
    static const char *const today = "sip:alice@home.example20260302";
    lab *l = *state;
    ims_host_config host = stage_host(&l->stage, KMS);
    host.quiet = true;
    assert_int_equal(ims_host_new(&l->host, &host, NULL), IBK_OK);
    assert_int_equal(tls_endpoint_new(&l->impostor, l->host, l->server_context), IBK_OK);
    http_server_config server = {
        .host = l->host, .endpoint = l->impostor, .port = KMS_HTTPS_PORT, .handle = on_lie, .user = l};
    assert_int_equal(http_server_new(&l->server, &server), IBK_OK);
    for (l->lie = 0; l->lie <= LIES; l->lie++) {
        ask(l, "alice", &today, 1);
        assert_true(l->done);
        scn_keys_failure want = l->lie == 0   ? (scn_keys_failure)0
                                : l->lie == 7 ? SCN_KEYS_REFUSED
                                              : SCN_KEYS_BAD_RESPONSE;
        if (l->result.failure != want)
            fail_msg("lie %d: %s (%s)", l->lie, scn_keys_failure_name(l->result.failure),
                     l->result.diag.detail);
        assert_int_equal(l->keys, l->lie == 0);
        assert_true(l->lie == 0 || l->result.diag.detail[0]);
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void) {
    const struct CMUnitTest tests[] = {
        TEST(keys_arrive_one_by_one),        TEST(what_nobody_gets),         TEST(nobody_answers),
        TEST(nobody_answers_in_an_outage),   TEST(freed_while_it_asks),      TEST(http_refuses),
        TEST(requests_for_another_district), TEST(answers_that_are_refused),
    };
    return cmocka_run_group_tests(tests, load, unload);
}
