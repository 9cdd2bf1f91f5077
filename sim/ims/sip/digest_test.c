/* Known answers of RFC 2617 §3.5 and RFC 7616 §3.9.1, and a challenge answered. */
#include "ims/sip/digest.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

static void known_answers(void **state) {
    (void)state;
    char out[SIP_DIGEST_HEX_MAX];
    sip_digest d = {.username = "Mufasa",
                    .realm = "testrealm@host.com",
                    .password = "Circle Of Life",
                    .nonce = "dcd98b7102dd2f0e8b11d0f600bfb0c093",
                    .method = "GET",
                    .uri = "/dir/index.html",
                    .qop = true,
                    .cnonce = "0a4f113b",
                    .nc = 1};
    assert_int_equal(sip_digest_response(out, &d), IBK_OK);
    assert_string_equal(out, "6629fae49393a05397450978507c4ef1");
    d.qop = false; // the RFC 2069 form of the same
    assert_int_equal(sip_digest_response(out, &d), IBK_OK);
    assert_string_equal(out, "670fd8c2df070c60b045671b8b24ff02");

    sip_digest sha = {.alg = SIP_DIGEST_SHA256,
                      .username = "Mufasa",
                      .realm = "http-auth@example.org",
                      .password = "Circle of Life",
                      .nonce = "7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v",
                      .method = "GET",
                      .uri = "/dir/index.html",
                      .qop = true,
                      .cnonce = "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ",
                      .nc = 1};
    assert_int_equal(sip_digest_response(out, &sha), IBK_OK);
    assert_string_equal(out, "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1");
    sha.cnonce = NULL;
    assert_int_equal(sip_digest_response(out, &sha), IBK_ERR_USAGE);
}

static sip_msg *new_register(void) {
    sip_arena arena = {0};
    sip_uri home = sip_uri_make(&arena, NULL, "a.example", 0, SIP_PROTO_NONE, false);
    sip_name_addr alice = {.uri = sip_uri_make(&arena, "alice", "a.example", 0, SIP_PROTO_NONE, false)};
    sip_param_set(&arena, &alice.params, "tag", "1");
    sip_msg *msg = sip_request_new("REGISTER", &home, &alice, &alice, "c1", 1);
    sip_via via = {.proto = SIP_UDP, .host = "ue"};
    sip_param_set(&arena, &via.params, "branch", "z9hG4bKx");
    sip_via_push(msg, &via);
    sip_arena_free(&arena);
    return msg;
}

static void challenge_and_answer(void **state) {
    (void)state;
    for (int alg = SIP_DIGEST_MD5; alg <= SIP_DIGEST_SHA256; alg++) {
        sip_msg *request = new_register();
        sip_msg *refusal = sip_response_new(request, 401, NULL, "2");
        sip_auth challenge = {
            .alg = (sip_digest_alg)alg, .realm = "a \"quoted\" realm", .nonce = "n1", .opaque = "o"};
        sip_auth got;
        sip_auth_challenge(refusal, "WWW-Authenticate", &challenge);
        assert_int_equal(sip_auth_get(refusal, &got, "WWW-Authenticate", NULL, NULL), IBK_OK);
        assert_string_equal(got.realm, challenge.realm);
        assert_true(got.qop_auth);
        assert_int_equal(got.alg, alg);
        assert_int_equal(
            sip_auth_answer(request, "Authorization", &got, "alice@a.example", "secret", "cn", 1), IBK_OK);
        sip_auth credentials;
        ibk_buf out = {0};
        sip_msg *again = NULL;
        assert_int_equal(sip_msg_encode(&out, request), IBK_OK);
        assert_int_equal(sip_msg_parse(&again, ibk_buf_span(&out), SIP_DATAGRAM, NULL), IBK_OK);
        assert_int_equal(sip_auth_get(again, &credentials, "Authorization", challenge.realm, NULL), IBK_OK);
        assert_string_equal(credentials.uri, "sip:a.example");
        assert_int_equal(credentials.nc, 1);
        assert_true(sip_auth_verify(&credentials, "REGISTER", "secret"));
        assert_false(sip_auth_verify(&credentials, "REGISTER", "Secret"));
        char ha1[SIP_DIGEST_HEX_MAX];
        assert_int_equal(
            sip_digest_ha1(ha1, (sip_digest_alg)alg, "alice@a.example", challenge.realm, "secret"), IBK_OK);
        assert_true(sip_auth_verify_ha1(&credentials, "REGISTER", ha1));
        ha1[0] ^= 1;
        assert_false(sip_auth_verify_ha1(&credentials, "REGISTER", ha1));
        assert_false(sip_auth_verify(&credentials, "INVITE", "secret"));
        ibk_buf_free(&out);
        sip_msg_free(again);
        sip_msg_free(request);
        sip_msg_free(refusal);
    }
}

static void empty_credentials_of_the_first_register(void **state) {
    (void)state;
    sip_msg *request = new_register();
    sip_auth none = {.realm = "a.example", .nonce = ""}, got;
    assert_int_equal(sip_auth_answer(request, "Authorization", &none, "alice@a.example", NULL, NULL, 0),
                     IBK_OK);
    assert_int_equal(sip_auth_get(request, &got, "Authorization", "a.example", NULL), IBK_OK);
    assert_string_equal(got.nonce, "");
    assert_string_equal(got.response, "");
    assert_string_equal(got.username, "alice@a.example");
    sip_msg_free(request);
}

static void refuses_malformed_credentials(void **state) {
    (void)state;
    static const struct {
        const char *value;
        ibk_err err;
    } cases[] = {
        {"Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", IBK_ERR_UNSUPPORTED},
        {"Digest realm=\"r\", nonce=\"n\"", IBK_ERR_BAD_TEXT},
        {"Digest username=\"u\", realm=\"r\", nonce=\"n\", uri=\"x\", response=\"y", IBK_ERR_BAD_TEXT},
        {"Digest username=\"u\" realm=\"r\"", IBK_ERR_BAD_TEXT},
        {"Digest username=\"u\", username=\"v\", realm=\"r\", nonce=\"n\", uri=\"x\", response=\"y\"",
         IBK_ERR_BAD_TEXT},
        {"Digest username=\"u\", realm=\"r\", nonce=\"n\", uri=\"x\", response=\"y\", algorithm=SHA-1",
         IBK_ERR_UNSUPPORTED},
        {"Digest username=\"u\", realm=\"r\", nonce=\"n\", uri=\"x\", response=\"y\", qop=auth, nc=1, "
         "cnonce=\"c\"",
         IBK_ERR_BAD_TEXT},
        {"Digest username=\"u\", realm=\"r\", nonce=\"n\", uri=\"x\", response=\"y\", qop=auth, nc=00000001",
         IBK_ERR_BAD_TEXT},
        {"Digest username=\"u\", realm=\"r\", nonce=\"n\", uri=\"x\", response=\"y\", qop=auth, nc=0x000001, "
         "cnonce=\"c\"",
         IBK_ERR_BAD_TEXT},
        {"Digest =", IBK_ERR_BAD_TEXT},
        {"Digest ", IBK_ERR_UNSUPPORTED},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        sip_msg *request = new_register();
        sip_auth got;
        sip_header_set(request, "Authorization", cases[i].value);
        ibk_err err = sip_auth_get(request, &got, "Authorization", NULL, NULL);
        if (i + 1 < sizeof cases / sizeof *cases)
            assert_string_equal(ibk_err_name(err), ibk_err_name(cases[i].err));
        else
            assert_int_not_equal(err, IBK_OK);
        assert_int_equal(sip_auth_get(request, &got, "Proxy-Authorization", NULL, NULL),
                         IBK_ERR_MISSING_PAYLOAD);
        sip_msg_free(request);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(known_answers),
        cmocka_unit_test(challenge_and_answer),
        cmocka_unit_test(empty_credentials_of_the_first_register),
        cmocka_unit_test(refuses_malformed_credentials),
    };
    return sip_init() || cmocka_run_group_tests(tests, NULL, NULL);
}
