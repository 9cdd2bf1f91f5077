/* TLS in memory: what passes, what is refused and why, and that it all repeats. */
#define _GNU_SOURCE
#include "tls/tls.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define START INT64_C(1772442000000000000) /* 2026-03-02T09:00:00Z */
#define DAY   (86400 * INT64_C(1000000000))
#define NAME  "kms.home.example"

/* A client and a server, and what each of them has to say to the other. */
typedef struct pair {
    pki *pki;
    sim_random *random[2];
    tls_context *client_context, *server_context;
    tls *client, *server;
    ibk_buf to_server, to_client;   /* on the way */
    ibk_buf at_server, at_client;   /* arrived in clear */
    ibk_buf transcript;             /* everything that was ever on the way */
    ibk_err client_err, server_err; /* the first of each side */
    char log[4096];                 /* the key log */
} pair;

static void on_keylog(void *user, const char *line) {
    pair *p = user;
    size_t len = strlen(p->log);
    assert_true(len + strlen(line) + 2 < sizeof p->log);
    snprintf(p->log + len, sizeof p->log - len, "%s\n", line);
}

static void open_pair(pair *p, pki_kind kind, uint64_t seed, int64_t utc_ns, const char *asked) {
    pki_credential credential = {0};
    *p = (pair){0};
    assert_int_equal(pki_new(&p->pki, 1, START), IBK_OK);
    assert_int_equal(pki_issue_server(p->pki, kind, NAME, &credential), IBK_OK);
    p->random[0] = sim_random_new(seed, "client", "tls");
    p->random[1] = sim_random_new(seed, "server", "tls");
    assert_int_equal(
        tls_client_context(&p->client_context, pki_trust_anchor(p->pki), p->random[0], on_keylog, p), IBK_OK);
    assert_int_equal(tls_server_context(&p->server_context, &credential, p->random[1]), IBK_OK);
    assert_int_equal(tls_new(&p->client, p->client_context, p->random[0], utc_ns, asked), IBK_OK);
    assert_int_equal(tls_new(&p->server, p->server_context, p->random[1], utc_ns, NULL), IBK_OK);
    pki_credential_free(&credential);
    assert_int_equal(tls_start(p->client, &p->to_server), IBK_OK);
}

static void close_pair(pair *p) {
    tls_free(p->client);
    tls_free(p->server);
    tls_context_free(p->client_context);
    tls_context_free(p->server_context);
    sim_random_free(p->random[0]);
    sim_random_free(p->random[1]);
    pki_free(p->pki);
    ibk_buf *const all[] = {&p->to_server, &p->to_client, &p->at_server, &p->at_client, &p->transcript};
    for (size_t i = 0; i < 5; i++)
        ibk_buf_free(all[i]);
}

/* Hands what is on the way to `to` over, in pieces of `step` octets. */
static void deliver(pair *p, tls *to, ibk_buf *way, ibk_buf *plain, ibk_buf *answer, ibk_err *err,
                    size_t step) {
    ibk_buf octets = *way;
    *way = (ibk_buf){0};
    assert_int_equal(ibk_buf_append_span(&p->transcript, ibk_buf_span(&octets)), IBK_OK);
    for (size_t at = 0; at < octets.len && !*err; at += step) {
        size_t len = step < octets.len - at ? step : octets.len - at;
        *err = tls_receive(to, ibk_span_of(octets.data + at, len), plain, answer);
    }
    ibk_buf_free(&octets);
}

static void play(pair *p, size_t step) {
    while (p->to_server.len || p->to_client.len) {
        deliver(p, p->server, &p->to_server, &p->at_server, &p->to_client, &p->server_err, step);
        deliver(p, p->client, &p->to_client, &p->at_client, &p->to_server, &p->client_err, step);
    }
}

static void words_pass_in_any_segmentation(void **state) {
    (void)state;
    static const size_t steps[] = {1, 2, 5, 100, 100000};
    for (size_t i = 0; i < 5; i++) {
        pair p;
        open_pair(&p, PKI_TRUSTED, 1, START, NAME);
        assert_int_equal(tls_send(p.client, ibk_span_str("early"), &p.to_server), IBK_ERR_STATE);
        assert_false(tls_is_ready(p.client));
        play(&p, steps[i]);
        assert_true(tls_is_ready(p.client) && tls_is_ready(p.server));
        assert_string_equal(tls_cipher(p.client), "TLS_AES_128_GCM_SHA256");
        uint8_t *large = malloc(100000); /* several records */
        memset(large, 'x', 100000);
        assert_int_equal(tls_send(p.client, ibk_span_of(large, 100000), &p.to_server), IBK_OK);
        assert_int_equal(tls_send(p.server, ibk_span_str("answer"), &p.to_client), IBK_OK);
        assert_null(memmem(p.to_client.data, p.to_client.len, "answer", 6));
        play(&p, steps[i]);
        assert_int_equal(p.at_server.len, 100000);
        assert_memory_equal(p.at_server.data, large, 100000);
        assert_int_equal(p.at_client.len, 6);
        assert_memory_equal(p.at_client.data, "answer", 6);
        free(large);
        assert_false(tls_peer_closed(p.client));
        tls_close(p.server, &p.to_client);
        assert_int_equal(tls_send(p.server, ibk_span_str("more"), &p.to_client), IBK_ERR_STATE);
        play(&p, steps[i]);
        assert_true(tls_peer_closed(p.client));
        assert_int_equal(p.client_err, IBK_OK);
        assert_int_equal(p.server_err, IBK_OK);
        close_pair(&p);
    }
}

static void bad_certificates_are_refused(void **state) {
    (void)state;
    static const struct {
        pki_kind kind;
        const char *asked;
        int64_t utc_ns;
        tls_failure failure;
    } cases[] = {
        {PKI_SELF_SIGNED, NAME, START, TLS_UNTRUSTED},
        {PKI_UNTRUSTED_CA, NAME, START, TLS_UNTRUSTED},
        {PKI_WRONG_NAME, NAME, START, TLS_WRONG_NAME},
        {PKI_TRUSTED, "kms.visited.example", START, TLS_WRONG_NAME},
        {PKI_TRUSTED, "home.example", START, TLS_WRONG_NAME},
        {PKI_EXPIRED, NAME, START, TLS_EXPIRED},
        {PKI_TRUSTED, NAME, START + 1300 * DAY, TLS_EXPIRED},
        {PKI_TRUSTED, NAME, START - 500 * DAY, TLS_BAD_CERTIFICATE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        pair p;
        const char *detail;
        open_pair(&p, cases[i].kind, 1, cases[i].utc_ns, cases[i].asked);
        play(&p, 4096);
        assert_int_equal(p.client_err, IBK_ERR_BAD_CERTIFICATE);
        if (tls_why(p.client, &detail) != cases[i].failure)
            fail_msg("case %zu: %s (%s)", i, tls_failure_name(tls_why(p.client, NULL)), detail);
        assert_true(strlen(detail) > 0);
        assert_false(tls_is_ready(p.client));
        assert_int_equal(p.server_err, IBK_ERR_PEER_ERROR); /* it is told by an alert */
        assert_int_equal(tls_why(p.server, NULL), TLS_ALERT);
        /* nothing goes on afterwards */
        assert_int_equal(tls_send(p.client, ibk_span_str("password"), &p.to_server), IBK_ERR_STATE);
        assert_int_equal(tls_receive(p.client, ibk_span_str("x"), &p.at_client, &p.to_server), IBK_ERR_STATE);
        assert_int_equal(p.at_server.len, 0);
        close_pair(&p);
    }
}

static void an_expired_certificate_is_fine_for_who_lives_in_the_past(void **state) {
    (void)state;
    pair p;
    open_pair(&p, PKI_EXPIRED, 1, START - 10 * DAY, NAME);
    play(&p, 4096);
    assert_true(tls_is_ready(p.client));
    close_pair(&p);
}

static void the_same_streams_give_the_same_octets(void **state) {
    (void)state;
    pair p[4];
    static const uint64_t seeds[] = {1, 1, 2, 1};
    for (size_t i = 0; i < 4; i++) {
        open_pair(&p[i], PKI_TRUSTED, seeds[i], i == 3 ? START + DAY : START, NAME);
        play(&p[i], 4096);
        assert_int_equal(tls_send(p[i].client, ibk_span_str("hello"), &p[i].to_server), IBK_OK);
        play(&p[i], 4096);
        assert_int_equal(p[i].at_server.len, 5);
    }
    assert_true(ibk_span_equal(ibk_buf_span(&p[0].transcript), ibk_buf_span(&p[1].transcript)));
    assert_string_equal(p[0].log, p[1].log);
    assert_false(ibk_span_equal(ibk_buf_span(&p[0].transcript), ibk_buf_span(&p[2].transcript)));
    assert_string_not_equal(p[0].log, p[2].log);
    /* another time of day is no reason for other octets: no clock is in them */
    assert_true(ibk_span_equal(ibk_buf_span(&p[0].transcript), ibk_buf_span(&p[3].transcript)));
    static const char *const labels[] = {"CLIENT_HANDSHAKE_TRAFFIC_SECRET ",
                                         "SERVER_HANDSHAKE_TRAFFIC_SECRET ", "CLIENT_TRAFFIC_SECRET_0 ",
                                         "SERVER_TRAFFIC_SECRET_0 "};
    for (size_t i = 0; i < 4; i++)
        assert_non_null(strstr(p[0].log, labels[i]));
    for (size_t i = 0; i < 4; i++)
        close_pair(&p[i]);
}

static void changed_octets_end_it(void **state) {
    (void)state;
    pair p;
    open_pair(&p, PKI_TRUSTED, 1, START, NAME);
    play(&p, 4096);
    assert_int_equal(tls_send(p.client, ibk_span_str("transfer 10"), &p.to_server), IBK_OK);
    p.to_server.data[p.to_server.len - 20] ^= 1;
    play(&p, 4096);
    assert_int_equal(p.server_err, IBK_ERR_BAD_VALUE);
    assert_int_equal(tls_why(p.server, NULL), TLS_PROTOCOL);
    assert_int_equal(p.at_server.len, 0);
    assert_int_equal(p.client_err, IBK_ERR_PEER_ERROR);
    close_pair(&p);
}

static void what_is_no_tls_is_refused(void **state) {
    (void)state;
    /* HTTP, and a ClientHello of TLS 1.2 (no supported_versions) */
    static const uint8_t tls12[] = {0x16, 3,  1,  0,  0x2d, 1,  0,  0,    0x29, 3,  3,  1,  2,
                                    3,    4,  5,  6,  7,    8,  9,  10,   11,   12, 13, 14, 15,
                                    16,   17, 18, 19, 20,   21, 22, 23,   24,   25, 26, 27, 28,
                                    29,   30, 31, 32, 0,    0,  2,  0xc0, 0x2b, 1,  0};
    const ibk_span inputs[] = {ibk_span_str("GET /ibe/pp HTTP/1.1\r\nHost: kms.home.example\r\n\r\n"),
                               ibk_span_of(tls12, sizeof tls12)};
    for (size_t i = 0; i < 2; i++) {
        pair p;
        const char *detail;
        open_pair(&p, PKI_TRUSTED, 1, START, NAME);
        ibk_buf_clear(&p.to_server);
        assert_int_equal(tls_receive(p.server, inputs[i], &p.at_server, &p.to_client), IBK_ERR_BAD_VALUE);
        assert_int_equal(tls_why(p.server, &detail), TLS_PROTOCOL);
        assert_true(strlen(detail) > 0);
        assert_int_equal(p.at_server.len, 0);
        close_pair(&p);
    }
}

static void wrong_keys_make_no_server(void **state) {
    (void)state;
    pki *p;
    pki_credential a = {0}, b = {0};
    tls_context *context;
    sim_random *random = sim_random_new(1, "x", "tls");
    assert_int_equal(pki_new(&p, 1, START), IBK_OK);
    assert_int_equal(pki_issue_server(p, PKI_TRUSTED, "a.example", &a), IBK_OK);
    assert_int_equal(pki_issue_server(p, PKI_TRUSTED, "b.example", &b), IBK_OK);
    ibk_buf key = a.private_key;
    a.private_key = b.private_key;
    b.private_key = key;
    assert_int_equal(tls_server_context(&context, &a, random), IBK_ERR_BAD_CERTIFICATE);
    assert_int_equal(tls_client_context(&context, ibk_span_str("no certificate"), random, NULL, NULL),
                     IBK_ERR_BAD_CERTIFICATE);
    assert_null(context);
    pki_credential_free(&a);
    pki_credential_free(&b);
    pki_free(p);
    sim_random_free(random);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_pass_in_any_segmentation),
        cmocka_unit_test(bad_certificates_are_refused),
        cmocka_unit_test(an_expired_certificate_is_fine_for_who_lives_in_the_past),
        cmocka_unit_test(the_same_streams_give_the_same_octets),
        cmocka_unit_test(changed_octets_end_it),
        cmocka_unit_test(what_is_no_tls_is_refused),
        cmocka_unit_test(wrong_keys_make_no_server),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
