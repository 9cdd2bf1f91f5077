/* HTTP server and client over the simulated network: answers now and later, kept and broken connections. */
#include "ims/address.h"
#include "ims/stage.h"
#include "kms/http_client.h"
#include "kms/http_server.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define KMS  "kms.home.example"
#define PORT 443

typedef struct lab {
    stage stage;
    pki *pki;
    tls_context *client_context, *server_context;
    ims_host *kms, *alice;
    tls_endpoint *server_endpoint, *client_endpoint;
    http_server *server;
    http_client *client;
    /* the server */
    http_exchange *waiting[4];
    size_t waits;
    bool later; /* answers are given by the test */
    unsigned requests;
    char last[300];
    /* the client */
    unsigned outcomes;
    http_end end;
    tls_failure failure;
    unsigned status;
    ibk_buf body;
    bool ask_again;
} lab;

static void on_request(void *user, http_exchange *exchange, const http_message *request) {
    lab *l = user;
    l->requests++;
    snprintf(l->last, sizeof l->last, "%s %s", request->method, request->target);
    assert_true(strlen(http_exchange_peer(exchange)) > 3);
    if (l->later) {
        assert_true(l->waits < 4);
        l->waiting[l->waits++] = exchange;
        return;
    }
    http_response response = {.status = 200, .type = "text/plain", .body = ibk_buf_span(&request->body)};
    assert_int_equal(http_exchange_answer(exchange, &response), IBK_OK);
}

static void open_lab(lab *l, bool secure, pki_kind kind) {
    static const char *const names[] = {KMS, "alice"};
    pki_credential credential = {{0}, {0}};
    *l = (lab){0};
    stage_open(&l->stage, names, 2, 1);
    sim_random *random = sim_random_new(1, "world", "tls");
    assert_int_equal(pki_new(&l->pki, 1, l->stage.world.start_utc_ns), IBK_OK);
    assert_int_equal(pki_issue_server(l->pki, kind, KMS, &credential), IBK_OK);
    assert_int_equal(tls_client_context(&l->client_context, pki_trust_anchor(l->pki), random, NULL, NULL), 0);
    assert_int_equal(tls_server_context(&l->server_context, &credential, random), IBK_OK);
    pki_credential_free(&credential);
    sim_random_free(random);
    ims_host_config kms = stage_host(&l->stage, KMS), alice = stage_host(&l->stage, "alice");
    kms.quiet = alice.quiet = true;
    assert_int_equal(ims_host_new(&l->kms, &kms, NULL), IBK_OK);
    assert_int_equal(ims_host_new(&l->alice, &alice, NULL), IBK_OK);
    assert_int_equal(tls_endpoint_new(&l->server_endpoint, l->kms, secure ? l->server_context : NULL),
                     IBK_OK);
    assert_int_equal(tls_endpoint_new(&l->client_endpoint, l->alice, secure ? l->client_context : NULL),
                     IBK_OK);
    http_server_config server = {
        .host = l->kms, .endpoint = l->server_endpoint, .port = PORT, .handle = on_request, .user = l};
    assert_int_equal(http_server_new(&l->server, &server), IBK_OK);
    http_client_config client = {
        .host = l->alice, .endpoint = l->client_endpoint, .server = KMS, .port = PORT};
    assert_int_equal(http_client_new(&l->client, &client), IBK_OK);
}

static void close_lab(lab *l) {
    http_client_free(l->client);
    http_server_free(l->server);
    tls_endpoint_free(l->client_endpoint);
    tls_endpoint_free(l->server_endpoint);
    ims_host_free(l->kms);
    ims_host_free(l->alice);
    tls_context_free(l->client_context);
    tls_context_free(l->server_context);
    pki_free(l->pki);
    ibk_buf_free(&l->body);
    stage_close(&l->stage);
}

static ibk_err post(lab *l, const char *text);

static void on_outcome(void *user, const http_outcome *outcome) {
    lab *l = user;
    l->outcomes++;
    l->end = outcome->end;
    l->failure = outcome->failure;
    l->status = outcome->response ? outcome->response->status : 0;
    ibk_buf_clear(&l->body);
    if (outcome->response)
        assert_int_equal(ibk_buf_append_span(&l->body, ibk_buf_span(&outcome->response->body)), IBK_OK);
    else
        assert_true(strlen(outcome->detail) > 0);
    if (l->ask_again) {
        l->ask_again = false;
        assert_int_equal(post(l, "again"), IBK_OK);
    }
}

static ibk_err post(lab *l, const char *text) {
    http_request request = {
        .method = "POST", .target = "/echo", .type = "text/plain", .body = ibk_span_str(text)};
    return http_client_ask(l->client, &request, on_outcome, l);
}

static void assert_body(const lab *l, const char *text) {
    assert_int_equal(l->end, HTTP_END_RESPONSE);
    assert_int_equal(l->status, 200);
    assert_true(ibk_span_equal(ibk_buf_span(&l->body), ibk_span_str(text)));
}

static void answers_come_at_once(void **state) {
    (void)state;
    for (int secure = 0; secure <= 1; secure++) {
        lab l;
        open_lab(&l, secure, PKI_TRUSTED);
        l.ask_again = true;
        assert_int_equal(post(&l, "hello"), IBK_OK);
        assert_int_equal(post(&l, "too early"), IBK_ERR_STATE);
        assert_int_equal(l.outcomes, 0);
        stage_play(&l.stage, SIP_S);
        assert_int_equal(l.outcomes, 2);
        assert_body(&l, "again");
        assert_int_equal(l.requests, 2);
        assert_string_equal(l.last, "POST /echo");
        close_lab(&l);
    }
}

static void answers_come_later(void **state) {
    (void)state;
    lab l;
    open_lab(&l, true, PKI_TRUSTED);
    l.later = true;
    assert_int_equal(post(&l, "hello"), IBK_OK);
    stage_play(&l.stage, 5 * SIP_S);
    assert_int_equal(l.outcomes, 0);
    assert_int_equal(l.waits, 1);
    assert_true(http_exchange_is_secure(l.waiting[0]));
    http_response response = {.status = 200, .body = ibk_span_str("late")};
    assert_int_equal(http_exchange_answer(l.waiting[0], &response), IBK_OK);
    stage_play(&l.stage, SIP_S);
    assert_body(&l, "late");
    close_lab(&l);
}

/* Requests that follow on one connection wait for the answer to the first, and are answered in order. */
static void pipelined_requests_wait(void **state) {
    (void)state;
    lab l;
    open_lab(&l, false, PKI_TRUSTED);
    l.later = true;
    static const char two[] = "GET /1 HTTP/1.1\r\n\r\nGET /2 HTTP/1.1\r\nConnection: close\r\n\r\n";
    n3_tcp *tcp;
    sip_addr addr = stage_address(&l.stage, KMS, PORT);
    n3_endpoint remote = ims_endpoint(&addr);
    n3_tcp_config config = {0};
    assert_int_equal(n3_tcp_connect(&tcp, l.alice->node, NULL, &remote, &config), N3_OK);
    assert_int_equal(n3_tcp_send(tcp, two, sizeof two - 1), N3_OK);
    stage_play(&l.stage, SIP_S);
    assert_int_equal(l.waits, 1);
    assert_string_equal(l.last, "GET /1");
    http_response response = {.status = 200};
    assert_int_equal(http_exchange_answer(l.waiting[0], &response), IBK_OK);
    assert_int_equal(l.waits, 2);
    assert_string_equal(l.last, "GET /2");
    assert_int_equal(http_exchange_answer(l.waiting[1], &response), IBK_OK); /* and closes */
    stage_play(&l.stage, SIP_S);
    assert_int_equal(l.waits, 2);
    n3_tcp_free(tcp);
    close_lab(&l);
}

static void nobody_waits_any_more(void **state) {
    (void)state;
    lab l;
    open_lab(&l, true, PKI_TRUSTED);
    l.later = true;
    assert_int_equal(post(&l, "hello"), IBK_OK);
    stage_play(&l.stage, SIP_S);
    assert_int_equal(l.waits, 1);
    http_client_free(l.client);
    l.client = NULL;
    stage_play(&l.stage, SIP_S);
    http_response response = {.status = 200};
    assert_int_equal(http_exchange_answer(l.waiting[0], &response), IBK_OK); /* freed, and no more */
    close_lab(&l);
    /* the same when the server goes first */
    open_lab(&l, true, PKI_TRUSTED);
    l.later = true;
    assert_int_equal(post(&l, "hello"), IBK_OK);
    stage_play(&l.stage, SIP_S);
    http_server_free(l.server);
    l.server = NULL;
    assert_int_equal(http_exchange_answer(l.waiting[0], &response), IBK_OK);
    stage_play(&l.stage, 60 * SIP_S);
    assert_int_equal(l.outcomes, 1);
    assert_int_equal(l.end, HTTP_END_NO_ANSWER);
    close_lab(&l);
}

static void the_client_gives_up(void **state) {
    (void)state;
    lab l;
    open_lab(&l, true, PKI_TRUSTED);
    l.later = true; /* the server never answers */
    assert_int_equal(post(&l, "hello"), IBK_OK);
    stage_play(&l.stage, 31 * SIP_S);
    assert_int_equal(l.outcomes, 0);
    stage_play(&l.stage, 2 * SIP_S);
    assert_int_equal(l.outcomes, 1);
    assert_int_equal(l.end, HTTP_END_NO_ANSWER);
    http_response response = {.status = 200};
    for (size_t i = 0; i < l.waits; i++)
        http_exchange_answer(l.waiting[i], &response);
    /* and goes on afterwards */
    l.later = false;
    assert_int_equal(post(&l, "hello"), IBK_OK);
    stage_play(&l.stage, SIP_S);
    assert_int_equal(l.outcomes, 2);
    assert_body(&l, "hello");
    close_lab(&l);
}

static void nobody_serves(void **state) {
    (void)state;
    lab l;
    open_lab(&l, false, PKI_TRUSTED);
    http_server_free(l.server);
    l.server = NULL;
    assert_int_equal(post(&l, "hello"), IBK_OK);
    stage_play(&l.stage, 3 * SIP_S);
    assert_int_equal(l.outcomes, 0); /* it tries again */
    stage_play(&l.stage, 3 * SIP_S);
    assert_int_equal(l.outcomes, 1);
    assert_int_equal(l.end, HTTP_END_NO_ANSWER);
    http_client_free(l.client);
    http_client_config config = {
        .host = l.alice, .endpoint = l.client_endpoint, .server = "kms.nowhere.example", .port = PORT};
    assert_int_equal(http_client_new(&l.client, &config), IBK_OK);
    assert_int_equal(post(&l, "hello"), IBK_OK);
    assert_int_equal(l.outcomes, 1); /* not inside the call */
    stage_play(&l.stage, SIP_S);
    assert_int_equal(l.outcomes, 2);
    assert_int_equal(l.end, HTTP_END_UNKNOWN_HOST);
    close_lab(&l);
}

static void a_lost_server_is_tried_again(void **state) {
    (void)state;
    lab l;
    open_lab(&l, true, PKI_TRUSTED);
    stage_cut(&l.stage, KMS, true);
    assert_int_equal(post(&l, "hello"), IBK_OK);
    stage_play(&l.stage, 9 * SIP_S); /* the connection timed out */
    stage_cut(&l.stage, KMS, false);
    stage_play(&l.stage, 10 * SIP_S);
    assert_int_equal(l.outcomes, 1);
    assert_body(&l, "hello");
    close_lab(&l);
}

static void tls_refusals_are_final(void **state) {
    (void)state;
    lab l;
    open_lab(&l, true, PKI_SELF_SIGNED);
    assert_int_equal(post(&l, "secret"), IBK_OK);
    stage_play(&l.stage, SIP_S);
    assert_int_equal(l.outcomes, 1);
    assert_int_equal(l.end, HTTP_END_TLS);
    assert_int_equal(l.failure, TLS_UNTRUSTED);
    assert_int_equal(l.requests, 0);
    close_lab(&l);
}

/* A connection on which nothing comes is closed by the server after a minute; the client opens another. */
static void silence_is_closed(void **state) {
    (void)state;
    lab l;
    open_lab(&l, true, PKI_TRUSTED);
    assert_int_equal(post(&l, "one"), IBK_OK);
    stage_play(&l.stage, 100 * SIP_S);
    assert_int_equal(l.outcomes, 1);
    assert_int_equal(post(&l, "two"), IBK_OK);
    stage_play(&l.stage, SIP_S);
    assert_int_equal(l.outcomes, 2);
    assert_body(&l, "two");
    assert_int_equal(l.requests, 2);
    close_lab(&l);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(answers_come_at_once),
        cmocka_unit_test(answers_come_later),
        cmocka_unit_test(pipelined_requests_wait),
        cmocka_unit_test(nobody_waits_any_more),
        cmocka_unit_test(the_client_gives_up),
        cmocka_unit_test(nobody_serves),
        cmocka_unit_test(a_lost_server_is_tried_again),
        cmocka_unit_test(tls_refusals_are_final),
        cmocka_unit_test(silence_is_closed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
