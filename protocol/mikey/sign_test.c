/* RSA signatures; the PSS encoding made here is checked by OpenSSL's own. */
#include "mikey/samples.h"

#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

typedef struct key_pair {
    ibk_buf private_key, public_key;
    EVP_PKEY *pkey;
} key_pair;

static key_pair make_pair(EVP_PKEY *pkey) {
    key_pair k = {.pkey = pkey};
    unsigned char *der = NULL;
    int len = i2d_PrivateKey(pkey, &der);
    assert_int_equal(ibk_buf_append(&k.private_key, der, (size_t)len), IBK_OK);
    OPENSSL_free(der);
    der = NULL;
    len = i2d_PUBKEY(pkey, &der);
    assert_int_equal(ibk_buf_append(&k.public_key, der, (size_t)len), IBK_OK);
    OPENSSL_free(der);
    return k;
}

static void free_pair(key_pair *k) {
    EVP_PKEY_free(k->pkey);
    ibk_buf_free(&k->private_key);
    ibk_buf_free(&k->public_key);
}

static void signs(const key_pair *k, uint8_t type, uint8_t hash, size_t len) {
    uint64_t counter = 0, again = 0, other = 99;
    ibk_env env = counting_env(&counter), env_again = counting_env(&again), env_other = counting_env(&other);
    ibk_span private_key = ibk_buf_span(&k->private_key), public_key = ibk_buf_span(&k->public_key);
    ibk_span data = pattern(3, len);
    ibk_buf a = {0}, b = {0}, c = {0};
    assert_int_equal(ibk_rsa_sign(&a, &env, type, hash, private_key, data), IBK_OK);
    assert_int_equal(ibk_rsa_sign(&b, &env_again, type, hash, private_key, data), IBK_OK);
    assert_int_equal(ibk_rsa_sign(&c, &env_other, type, hash, private_key, data), IBK_OK);
    assert_true(ibk_span_equal(ibk_buf_span(&a), ibk_buf_span(&b)));
    assert_int_equal(ibk_span_equal(ibk_buf_span(&a), ibk_buf_span(&c)), type == IBK_SIG_RSA_PKCS1);
    assert_int_equal(ibk_rsa_verify(type, hash, public_key, data, ibk_buf_span(&a)), IBK_OK);
    assert_int_equal(ibk_rsa_verify(type, hash, public_key, data, ibk_buf_span(&c)), IBK_OK);
    assert_int_equal(ibk_rsa_verify(type, hash, public_key, pattern(4, len + 1), ibk_buf_span(&a)),
                     IBK_ERR_BAD_SIGNATURE);
    assert_int_equal(ibk_rsa_verify(1 - type, hash, public_key, data, ibk_buf_span(&a)),
                     IBK_ERR_BAD_SIGNATURE);
    assert_int_equal(ibk_rsa_verify(type, hash, public_key, data, ibk_span_of(a.data, a.len - 1)),
                     IBK_ERR_BAD_SIGNATURE);
    a.data[a.len / 2] ^= 1;
    assert_int_equal(ibk_rsa_verify(type, hash, public_key, data, ibk_buf_span(&a)), IBK_ERR_BAD_SIGNATURE);
    ibk_buf_free(&a);
    ibk_buf_free(&b);
    ibk_buf_free(&c);
}

static void signatures_verify_and_repeat(void **state) {
    (void)state;
    static const unsigned bits[] = {1024, 1025, 1031, 2048}; /* 1025: the encoded block is an octet shorter */
    for (size_t i = 0; i < sizeof bits / sizeof bits[0]; i++) {
        key_pair k = make_pair(EVP_RSA_gen(bits[i]));
        for (uint8_t type = 0; type < 2; type++) {
            signs(&k, type, IBK_HASH_SHA1, 0);
            signs(&k, type, IBK_HASH_SHA256, 200);
        }
        free_pair(&k);
    }
}

static ibk_err broken_draw(void *user, ibk_draw_label label, uint8_t *out, size_t len) {
    (void)user;
    (void)label;
    (void)out;
    (void)len;
    return IBK_ERR_RANDOM;
}

static void failures(void **state) {
    (void)state;
    uint64_t counter = 0;
    ibk_env env = counting_env(&counter), broken = {.draw = broken_draw};
    key_pair k = make_pair(EVP_RSA_gen(1024)), ec = make_pair(EVP_EC_gen("P-256"));
    ibk_span private_key = ibk_buf_span(&k.private_key), public_key = ibk_buf_span(&k.public_key);
    ibk_buf out = {0};
    ibk_span data = pattern(0, 9);
    assert_int_equal(ibk_rsa_sign(&out, &broken, 1, 2, private_key, data), IBK_ERR_RANDOM);
    assert_int_equal(ibk_rsa_sign(&out, &env, 2, 2, private_key, data), IBK_ERR_UNSUPPORTED);
    assert_int_equal(ibk_rsa_sign(&out, &env, 1, IBK_HASH_MD5, private_key, data), IBK_ERR_UNSUPPORTED);
    assert_int_equal(ibk_rsa_sign(&out, &env, 1, 2, ibk_buf_span(&ec.private_key), data),
                     IBK_ERR_UNSUPPORTED);
    assert_int_equal(ibk_rsa_sign(&out, &env, 1, 2, data, data), IBK_ERR_UNSUPPORTED);
    assert_int_equal(ibk_rsa_verify(0, 0, ibk_buf_span(&ec.public_key), data, data), IBK_ERR_UNSUPPORTED);
    assert_int_equal(ibk_rsa_verify(0, 0, data, data, data), IBK_ERR_UNSUPPORTED);
    assert_int_equal(ibk_rsa_verify(7, 0, public_key, data, data), IBK_ERR_UNSUPPORTED);
    assert_int_equal(out.len, 0);
    free_pair(&k);
    free_pair(&ec);
}

static void messages_are_signed_whole(void **state) {
    (void)state;
    uint64_t counter = 0;
    ibk_env env = counting_env(&counter);
    key_pair k = make_pair(EVP_RSA_gen(1024));
    ibk_span private_key = ibk_buf_span(&k.private_key), public_key = ibk_buf_span(&k.public_key);
    ibk_span id = ibk_span_str("alice");
    ibk_msg m = {.hdr = {.data_type = IBK_MSG_REQUEST_KEY_PKE, .map_type = IBK_MAP_EMPTY}}, got = {0};
    ibk_buf out = {0};
    assert_int_equal(ibk_msg_write_sign(&m, &out, &env, IBK_HASH_SHA256, private_key, &id, 1), IBK_ERR_USAGE);
    assert_int_equal(ibk_msg_check_sign(&m, IBK_HASH_SHA256, public_key, &id, 1, NULL),
                     IBK_ERR_MISSING_PAYLOAD);
    ibk_add_t(&m.chain, &(ibk_t){IBK_TS_NTP_UTC, 77});
    ibk_add_sign(&m.chain, IBK_SIG_RSA_PSS, (ibk_span){0});
    assert_int_equal(ibk_msg_write_sign(&m, &out, &env, IBK_HASH_SHA256, private_key, &id, 1), IBK_OK);
    assert_int_equal(out.len, 10 + 10 + 2 + 128);
    for (size_t i = 0; i <= out.len; i++) {
        if (i < out.len)
            out.data[i] ^= 1;
        if (ibk_msg_parse(&got, ibk_buf_span(&out), NULL) == IBK_OK)
            assert_int_equal(ibk_msg_check_sign(&got, IBK_HASH_SHA256, public_key, &id, 1, NULL) == IBK_OK,
                             i == out.len);
        ibk_msg_free(&got);
        if (i < out.len)
            out.data[i] ^= 1;
    }
    ibk_msg_free(&m);
    ibk_buf_free(&out);
    free_pair(&k);
}

static void a_certificate_yields_its_key(void **state) {
    (void)state;
    key_pair k = make_pair(EVP_RSA_gen(1024));
    X509 *cert = X509_new();
    unsigned char *der = NULL;
    ASN1_INTEGER_set(X509_get_serialNumber(cert), 1);
    X509_gmtime_adj(X509_getm_notBefore(cert), 0);
    X509_gmtime_adj(X509_getm_notAfter(cert), 60);
    assert_int_equal(X509_set_pubkey(cert, k.pkey), 1);
    assert_true(X509_sign(cert, k.pkey, EVP_sha256()) > 0);
    int len = i2d_X509(cert, &der);
    ibk_buf got = {0};
    assert_int_equal(ibk_cert_public_key(&got, ibk_span_of(der, (size_t)len)), IBK_OK);
    assert_true(ibk_span_equal(ibk_buf_span(&got), ibk_buf_span(&k.public_key)));
    assert_int_equal(ibk_cert_public_key(&got, ibk_span_of(der, (size_t)len - 1)), IBK_ERR_BAD_CERTIFICATE);
    assert_int_equal(ibk_cert_public_key(&got, (ibk_span){0}), IBK_ERR_BAD_CERTIFICATE);
    OPENSSL_free(der);
    X509_free(cert);
    ibk_buf_free(&got);
    free_pair(&k);
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(signatures_verify_and_repeat),
        cmocka_unit_test(failures),
        cmocka_unit_test(messages_are_signed_whole),
        cmocka_unit_test(a_certificate_yields_its_key),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
