/* Certificates: the same each time, of the names they were asked for, and no more trusted than they should
 * be. */
#include "tls/pki.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/x509v3.h>

#define START INT64_C(1772442000000000000) /* 2026-03-02T09:00:00Z */
#define DAY_S INT64_C(86400)

static X509 *parse(ibk_span der) {
    const uint8_t *at = der.data;
    X509 *certificate = d2i_X509(NULL, &at, (long)der.len);
    assert_non_null(certificate);
    assert_ptr_equal(at, der.data + der.len);
    return certificate;
}

static EVP_PKEY *private_key(const pki_credential *c) {
    const uint8_t *at = c->private_key.data;
    EVP_PKEY *key = d2i_AutoPrivateKey(NULL, &at, (long)c->private_key.len);
    assert_non_null(key);
    return key;
}

/* The verdict of a verifier that trusts the trust anchor alone, so many days after the start. */
static int verdict(pki *p, const pki_credential *c, int64_t days) {
    X509 *anchor = parse(pki_trust_anchor(p)), *certificate = parse(ibk_buf_span(&c->certificate));
    X509_STORE *store = X509_STORE_new();
    X509_STORE_CTX *context = X509_STORE_CTX_new();
    assert_int_equal(X509_STORE_add_cert(store, anchor), 1);
    assert_int_equal(X509_STORE_CTX_init(context, store, certificate, NULL), 1);
    X509_STORE_CTX_set_time(context, 0, (time_t)(START / 1000000000 + days * DAY_S));
    int ok = X509_verify_cert(context), error = X509_STORE_CTX_get_error(context);
    assert_true(ok == 1 ? error == X509_V_OK : error != X509_V_OK);
    X509_STORE_CTX_free(context);
    X509_STORE_free(store);
    X509_free(anchor);
    X509_free(certificate);
    return error;
}

static void assert_same(const ibk_buf *a, const ibk_buf *b, bool same) {
    assert_true(a->len > 0 && b->len > 0);
    assert_int_equal(ibk_span_equal(ibk_buf_span(a), ibk_buf_span(b)), same);
}

static void the_same_seed_gives_the_same_octets(void **state) {
    (void)state;
    pki *a, *b, *c;
    pki_credential of_a = {0}, other = {0}, of_b = {0}, of_c = {0};
    assert_int_equal(pki_new(&a, 1, START), IBK_OK);
    assert_int_equal(pki_new(&b, 1, START), IBK_OK);
    assert_int_equal(pki_new(&c, 2, START), IBK_OK);
    assert_int_equal(pki_issue_server(a, PKI_TRUSTED, "kms.home.example", &of_a), IBK_OK);
    /* in another order, and after others */
    assert_int_equal(pki_issue_server(b, PKI_UNTRUSTED_CA, "kms.visited.example", &other), IBK_OK);
    assert_int_equal(pki_issue_server(b, PKI_TRUSTED, "kms.home.example", &of_b), IBK_OK);
    assert_int_equal(pki_issue_server(c, PKI_TRUSTED, "kms.home.example", &of_c), IBK_OK);
    assert_same(&of_a.certificate, &of_b.certificate, true);
    assert_same(&of_a.private_key, &of_b.private_key, true);
    assert_same(&of_a.private_key, &other.private_key, false);
    assert_same(&of_a.certificate, &of_c.certificate, false);
    assert_same(&of_a.private_key, &of_c.private_key, false);
    assert_true(ibk_span_equal(pki_trust_anchor(a), pki_trust_anchor(b)));
    assert_false(ibk_span_equal(pki_trust_anchor(a), pki_trust_anchor(c)));
    pki_credential_free(&of_a);
    pki_credential_free(&of_b);
    pki_credential_free(&of_c);
    pki_credential_free(&other);
    pki_free(a);
    pki_free(b);
    pki_free(c);
}

static void kinds_of_servers(void **state) {
    (void)state;
    static const struct {
        pki_kind kind;
        int error;
        bool right_name;
    } cases[] = {{PKI_TRUSTED, X509_V_OK, true},
                 {PKI_SELF_SIGNED, X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT, true},
                 {PKI_UNTRUSTED_CA, X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY, true},
                 {PKI_WRONG_NAME, X509_V_OK, false},
                 {PKI_EXPIRED, X509_V_ERR_CERT_HAS_EXPIRED, true}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        pki *p;
        pki_credential c = {0};
        assert_int_equal(pki_new(&p, 1, START), IBK_OK);
        assert_int_equal(pki_issue_server(p, cases[i].kind, "kms.home.example", &c), IBK_OK);
        X509 *certificate = parse(ibk_buf_span(&c.certificate));
        EVP_PKEY *key = private_key(&c);
        assert_int_equal(X509_check_private_key(certificate, key), 1);
        assert_int_equal(EVP_PKEY_get_base_id(key), EVP_PKEY_EC);
        assert_int_equal(verdict(p, &c, 0), cases[i].error);
        assert_int_equal(X509_check_host(certificate, "kms.home.example", 0, 0, NULL),
                         cases[i].right_name ? 1 : 0);
        assert_int_equal(X509_check_host(certificate, "kms.visited.example", 0, 0, NULL), 0);
        assert_int_equal(X509_check_purpose(certificate, X509_PURPOSE_SSL_SERVER, 0), 1);
        assert_int_equal(X509_check_purpose(certificate, X509_PURPOSE_SSL_CLIENT, 0), 0);
        assert_int_equal(X509_check_ca(certificate), 0);
        EVP_PKEY_free(key);
        X509_free(certificate);
        pki_credential_free(&c);
        pki_free(p);
    }
}

static void certificates_have_their_time(void **state) {
    (void)state;
    pki *p;
    pki_credential c = {0}, old = {0};
    assert_int_equal(pki_new(&p, 1, START), IBK_OK);
    assert_int_equal(pki_issue_server(p, PKI_TRUSTED, "kms.home.example", &c), IBK_OK);
    assert_int_equal(pki_issue_server(p, PKI_EXPIRED, "kms.visited.example", &old), IBK_OK);
    assert_int_equal(verdict(p, &c, -399), X509_V_OK);
    assert_int_equal(verdict(p, &c, -401), X509_V_ERR_CERT_NOT_YET_VALID);
    assert_int_equal(verdict(p, &c, 1199), X509_V_OK);
    assert_int_equal(verdict(p, &c, 1201), X509_V_ERR_CERT_HAS_EXPIRED);
    assert_int_equal(verdict(p, &old, -2), X509_V_OK);
    assert_int_equal(verdict(p, &old, 0), X509_V_ERR_CERT_HAS_EXPIRED);
    pki_credential_free(&c);
    pki_credential_free(&old);
    pki_free(p);
}

static bool has_name(const X509 *certificate, int type, const char *name) {
    GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
    bool found = false;
    assert_non_null(names);
    for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
        const GENERAL_NAME *at = sk_GENERAL_NAME_value(names, i);
        found |= at->type == type && ASN1_STRING_length(at->d.ia5) == (int)strlen(name) &&
                 memcmp(ASN1_STRING_get0_data(at->d.ia5), name, strlen(name)) == 0;
    }
    GENERAL_NAMES_free(names);
    return found;
}

static void users_and_kms_have_rsa(void **state) {
    (void)state;
    static const char *const uris[] = {"sip:alice@home.example", "tel:+493012345,ext=1"};
    pki *p, *again;
    pki_credential user = {0}, same = {0}, kms = {0}, stranger = {0};
    assert_int_equal(pki_new(&p, 7, START), IBK_OK);
    assert_int_equal(pki_new(&again, 7, START), IBK_OK);
    assert_int_equal(pki_issue_user(p, PKI_TRUSTED, "alice", uris, 2, &user), IBK_OK);
    assert_int_equal(pki_issue_user(again, PKI_TRUSTED, "alice", uris, 2, &same), IBK_OK);
    assert_int_equal(pki_issue_user(p, PKI_WRONG_NAME, "bob", uris, 2, &stranger), IBK_OK);
    assert_int_equal(pki_issue_kms(p, PKI_TRUSTED, "kms@home.example", &kms), IBK_OK);
    assert_same(&user.private_key, &same.private_key, true);
    assert_same(&user.certificate, &same.certificate, true);
    X509 *certificate = parse(ibk_buf_span(&user.certificate));
    EVP_PKEY *key = private_key(&user);
    assert_int_equal(EVP_PKEY_get_base_id(key), EVP_PKEY_RSA);
    assert_int_equal(EVP_PKEY_get_bits(key), 2048);
    assert_int_equal(X509_check_private_key(certificate, key), 1);
    assert_true(X509_get_key_usage(certificate) == KU_DIGITAL_SIGNATURE);
    assert_true(has_name(certificate, GEN_URI, uris[0]));
    assert_true(has_name(certificate, GEN_URI, uris[1])); /* its comma begins no further name */
    assert_false(has_name(certificate, GEN_URI, "sip:bob@home.example"));
    assert_int_equal(verdict(p, &user, 0), X509_V_OK);
    EVP_PKEY_free(key);
    X509_free(certificate);
    certificate = parse(ibk_buf_span(&stranger.certificate));
    assert_false(has_name(certificate, GEN_URI, uris[0]));
    X509_free(certificate);
    certificate = parse(ibk_buf_span(&kms.certificate));
    assert_true(X509_get_key_usage(certificate) == KU_KEY_ENCIPHERMENT);
    assert_true(has_name(certificate, GEN_EMAIL, "kms@home.example"));
    assert_true(has_name(certificate, GEN_DNS, "kms.home.example"));
    assert_int_equal(verdict(p, &kms, 0), X509_V_OK);
    X509_free(certificate);
    pki_credential_free(&user);
    pki_credential_free(&same);
    pki_credential_free(&kms);
    pki_credential_free(&stranger);
    pki_free(p);
    pki_free(again);
}

static void names_have_to_be_ascii(void **state) {
    (void)state;
    pki *p;
    pki_credential c = {0};
    assert_int_equal(pki_new(&p, 1, START), IBK_OK);
    assert_int_equal(pki_issue_server(p, PKI_TRUSTED, "k\xc3\xa4se.example", &c), IBK_ERR_BAD_TEXT);
    assert_int_equal(c.certificate.len, 0);
    char longest[190];
    memset(longest, 'a', sizeof longest);
    memcpy(longest + 60, ".b.c", 4);
    longest[sizeof longest - 1] = 0; /* too long for a common name, fine as a DNS name */
    assert_int_equal(pki_issue_server(p, PKI_TRUSTED, longest, &c), IBK_OK);
    assert_int_equal(verdict(p, &c, 0), X509_V_OK);
    pki_credential_free(&c);
    pki_free(p);
}

static void files_hold_certificates_alone(void **state) {
    (void)state;
    char dir[] = "/tmp/pki-test-XXXXXX", path[300], text[8192];
    pki *p;
    pki_credential c = {0};
    assert_non_null(mkdtemp(dir));
    assert_int_equal(pki_new(&p, 1, START), IBK_OK);
    assert_int_equal(pki_issue_server(p, PKI_UNTRUSTED_CA, "kms.home.example", &c), IBK_OK);
    assert_int_equal(pki_write(p, dir, NULL), IBK_OK);
    static const char *const files[] = {"ca", "untrusted-ca", "server-kms.home.example"};
    for (size_t i = 0; i < 3; i++) {
        snprintf(path, sizeof path, "%s/%s.pem", dir, files[i]);
        FILE *file = fopen(path, "r");
        assert_non_null(file);
        size_t len = fread(text, 1, sizeof text - 1, file);
        text[len] = 0;
        fclose(file);
        assert_non_null(strstr(text, "BEGIN CERTIFICATE"));
        assert_null(strstr(text, "PRIVATE"));
        unlink(path);
    }
    assert_int_equal(rmdir(dir), 0);
    ibk_diag diag = {0};
    assert_int_equal(pki_write(p, dir, &diag), IBK_ERR_IO);
    assert_true(diag.detail[0]);
    pki_credential_free(&c);
    pki_free(p);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_seed_gives_the_same_octets),
        cmocka_unit_test(kinds_of_servers),
        cmocka_unit_test(certificates_have_their_time),
        cmocka_unit_test(users_and_kms_have_rsa),
        cmocka_unit_test(names_have_to_be_ascii),
        cmocka_unit_test(files_hold_certificates_alone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
