/* Streams over simulated TCP, with TLS and without. */
#include "ims/address.h"
#include "ims/stage.h"
#include "tls/stream.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define KMS  "kms.home.example"
#define PORT 443

typedef struct side {
    tls_stream *stream;
    ibk_buf got;
    bool ended;
    tls_stream_end end;
    bool free_on_data, echo;
} side;

typedef struct lab {
    stage stage;
    pki *pki;
    sim_random *random;
    tls_context *client_context, *server_context;
    ims_host *kms, *alice;
    tls_endpoint *server_endpoint, *client_endpoint;
    n3_listener *listener;
    side server, client;
} lab;

static void received(void *user, tls_stream *stream, ibk_span octets) {
    side *s = user;
    assert_false(s->ended);
    assert_int_equal(ibk_buf_append_span(&s->got, octets), IBK_OK);
    if (s->echo)
        assert_int_equal(tls_stream_send(stream, octets), IBK_OK);
    if (s->free_on_data) {
        tls_stream_free(stream);
        s->stream = NULL;
    }
}

static void ended(void *user, tls_stream *stream, const tls_stream_end *end) {
    side *s = user;
    assert_false(s->ended);
    assert_true(end->detail && end->detail[0]);
    s->ended = true;
    s->end = *end;
    tls_stream_free(stream);
    s->stream = NULL;
}

static const tls_stream_handlers handlers = {.received = received, .ended = ended};

static void accepted(void *user, n3_tcp *tcp) {
    lab *l = user;
    assert_int_equal(tls_stream_accept(&l->server.stream, l->server_endpoint, tcp, &handlers, &l->server),
                     IBK_OK);
}

static void open_lab(lab *l, pki_kind kind, bool secure_server, bool secure_client) {
    static const char *const names[] = {KMS, "alice"};
    pki_credential credential = {0};
    *l = (lab){0};
    stage_open(&l->stage, names, 2, 1);
    assert_int_equal(pki_new(&l->pki, 1, l->stage.world.start_utc_ns), IBK_OK);
    assert_int_equal(pki_issue_server(l->pki, kind, KMS, &credential), IBK_OK);
    l->random = sim_random_new(1, "world", "tls");
    assert_int_equal(tls_client_context(&l->client_context, pki_trust_anchor(l->pki), l->random, NULL, NULL),
                     0);
    assert_int_equal(tls_server_context(&l->server_context, &credential, l->random), IBK_OK);
    pki_credential_free(&credential);
    ims_host_config kms = stage_host(&l->stage, KMS), alice = stage_host(&l->stage, "alice");
    kms.quiet = alice.quiet = true;
    assert_int_equal(ims_host_new(&l->kms, &kms, NULL), IBK_OK);
    assert_int_equal(ims_host_new(&l->alice, &alice, NULL), IBK_OK);
    assert_int_equal(tls_endpoint_new(&l->server_endpoint, l->kms, secure_server ? l->server_context : NULL),
                     0);
    assert_int_equal(
        tls_endpoint_new(&l->client_endpoint, l->alice, secure_client ? l->client_context : NULL), 0);
    sip_addr addr = stage_address(&l->stage, KMS, PORT);
    n3_endpoint local = ims_endpoint(&addr);
    assert_int_equal(n3_listen(&l->listener, l->kms->node, &local, accepted, l), N3_OK);
}

static void connect_lab(lab *l) {
    sip_addr addr = stage_address(&l->stage, KMS, PORT);
    n3_endpoint remote = ims_endpoint(&addr);
    assert_int_equal(
        tls_stream_connect(&l->client.stream, l->client_endpoint, &remote, KMS, &handlers, &l->client),
        IBK_OK);
}

static void close_lab(lab *l) {
    tls_stream_free(l->client.stream);
    tls_stream_free(l->server.stream);
    ibk_buf_free(&l->client.got);
    ibk_buf_free(&l->server.got);
    n3_listener_free(l->listener);
    tls_endpoint_free(l->client_endpoint);
    tls_endpoint_free(l->server_endpoint);
    ims_host_free(l->kms);
    ims_host_free(l->alice);
    tls_context_free(l->client_context);
    tls_context_free(l->server_context);
    sim_random_free(l->random);
    pki_free(l->pki);
    stage_close(&l->stage);
}

static void words_pass_both_ways(void **state) {
    (void)state;
    for (int secure = 0; secure <= 1; secure++) {
        lab l;
        open_lab(&l, PKI_TRUSTED, secure, secure);
        assert_int_equal(tls_endpoint_is_secure(l.client_endpoint), secure);
        l.server.echo = true;
        connect_lab(&l);
        assert_false(tls_stream_is_ready(l.client.stream));
        assert_int_equal(tls_stream_send(l.client.stream, ibk_span_str("at once")), IBK_OK);
        stage_play(&l.stage, SIP_S);
        assert_true(tls_stream_is_ready(l.client.stream));
        assert_int_equal(tls_stream_tls(l.client.stream) != NULL, secure);
        uint8_t *large = malloc(200000);
        memset(large, 'y', 200000);
        assert_int_equal(tls_stream_send(l.client.stream, ibk_span_of(large, 200000)), IBK_OK);
        free(large);
        stage_play(&l.stage, 5 * SIP_S);
        assert_int_equal(l.server.got.len, 200007);
        assert_int_equal(l.client.got.len, 200007);
        assert_memory_equal(l.client.got.data, "at oncey", 8);
        tls_stream_close(l.client.stream);
        assert_int_equal(tls_stream_send(l.client.stream, ibk_span_str("late")), IBK_ERR_STATE);
        stage_play(&l.stage, SIP_S);
        assert_true(l.server.ended);
        assert_int_equal(l.server.end.cause, TLS_STREAM_CLOSED);
        assert_false(l.client.ended); /* it closed itself */
        close_lab(&l);
    }
}

static void who_is_not_trusted_is_left(void **state) {
    (void)state;
    lab l;
    open_lab(&l, PKI_UNTRUSTED_CA, true, true);
    connect_lab(&l);
    assert_int_equal(tls_stream_send(l.client.stream, ibk_span_str("secret")), IBK_OK);
    stage_play(&l.stage, SIP_S);
    assert_true(l.client.ended && l.server.ended);
    assert_int_equal(l.client.end.cause, TLS_STREAM_REFUSED);
    assert_int_equal(l.client.end.failure, TLS_UNTRUSTED);
    assert_int_equal(l.server.end.failure, TLS_ALERT);
    assert_int_equal(l.server.got.len, 0);
    close_lab(&l);
}

/* Certificates are held against the node's own clock. */
static void a_wrong_clock_expires_certificates(void **state) {
    (void)state;
    lab l;
    open_lab(&l, PKI_TRUSTED, true, true);
    l.alice->clock_offset_ns = INT64_C(1300) * 86400 * (int64_t)SIP_S;
    connect_lab(&l);
    stage_play(&l.stage, SIP_S);
    assert_true(l.client.ended);
    assert_int_equal(l.client.end.failure, TLS_EXPIRED);
    close_lab(&l);
}

static void plain_and_secure_do_not_meet(void **state) {
    (void)state;
    lab l;
    open_lab(&l, PKI_TRUSTED, true, false); /* the client speaks no TLS */
    connect_lab(&l);
    assert_int_equal(tls_stream_send(l.client.stream, ibk_span_str("GET / HTTP/1.1\r\n\r\n")), IBK_OK);
    stage_play(&l.stage, SIP_S);
    assert_true(l.server.ended);
    assert_int_equal(l.server.end.failure, TLS_PROTOCOL);
    close_lab(&l);
    open_lab(&l, PKI_TRUSTED, false, true); /* the server does not, and echoes */
    l.server.echo = true;
    connect_lab(&l);
    stage_play(&l.stage, SIP_S);
    assert_true(l.client.ended);
    assert_int_equal(l.client.end.cause, TLS_STREAM_REFUSED);
    assert_int_equal(l.client.end.failure, TLS_PROTOCOL);
    close_lab(&l);
}

static void nobody_there(void **state) {
    (void)state;
    lab l;
    open_lab(&l, PKI_TRUSTED, true, true);
    n3_listener_free(l.listener);
    l.listener = NULL;
    connect_lab(&l);
    stage_play(&l.stage, SIP_S);
    assert_true(l.client.ended);
    assert_int_equal(l.client.end.cause, TLS_STREAM_BROKEN);
    assert_string_equal(l.client.end.detail, "refused");
    close_lab(&l);
}

/* RFC 8446 §6.1: a FIN without close_notify is no orderly end. */
static void a_cut_is_no_close(void **state) {
    (void)state;
    lab l;
    open_lab(&l, PKI_TRUSTED, true, true);
    connect_lab(&l);
    stage_play(&l.stage, SIP_S);
    assert_true(tls_stream_is_ready(l.server.stream));
    tls_stream_free(l.server.stream); /* aborts */
    l.server.stream = NULL;
    stage_play(&l.stage, SIP_S);
    assert_true(l.client.ended);
    assert_int_equal(l.client.end.cause, TLS_STREAM_BROKEN);
    close_lab(&l);
}

static void a_handler_may_free_its_stream(void **state) {
    (void)state;
    lab l;
    open_lab(&l, PKI_TRUSTED, true, true);
    l.server.free_on_data = true;
    connect_lab(&l);
    assert_int_equal(tls_stream_send(l.client.stream, ibk_span_str("bye")), IBK_OK);
    stage_play(&l.stage, SIP_S);
    assert_int_equal(l.server.got.len, 3);
    assert_false(l.server.ended);
    assert_true(l.client.ended);
    close_lab(&l);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_pass_both_ways),
        cmocka_unit_test(who_is_not_trusted_is_left),
        cmocka_unit_test(a_wrong_clock_expires_certificates),
        cmocka_unit_test(plain_and_secure_do_not_meet),
        cmocka_unit_test(nobody_there),
        cmocka_unit_test(a_cut_is_no_close),
        cmocka_unit_test(a_handler_may_free_its_stream),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
