/* Test support: see pki_lab.h. */
#include "kms/pki_lab.h"

#include "ibake/lab.h"

#include <openssl/evp.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define NOON_S    (LAB_NOON / 1000000000)
#define HALF_YEAR (INT64_C(183) * 86400)

static void add_ext(X509 *cert, X509 *issuer, int nid, const char *value) {
    X509V3_CTX ctx;
    X509V3_set_ctx(&ctx, issuer, cert, NULL, NULL, 0);
    X509_EXTENSION *ext = X509V3_EXT_conf_nid(NULL, &ctx, nid, value);
    assert_non_null(ext);
    assert_int_equal(X509_add_ext(cert, ext, -1), 1);
    X509_EXTENSION_free(ext);
}

static void add_padding(X509 *cert, X509 *issuer, size_t octets) {
    char *text = calloc(1, octets + 1);
    memset(text, 'x', octets);
    add_ext(cert, issuer, NID_netscape_comment, text);
    free(text);
}

static EVP_PKEY *load_key(ibk_span der) {
    const unsigned char *p = der.data;
    EVP_PKEY *key = d2i_AutoPrivateKey(NULL, &p, (long)der.len);
    assert_non_null(key);
    return key;
}

static X509 *load_cert(ibk_span der) {
    const unsigned char *p = der.data;
    X509 *cert = d2i_X509(NULL, &p, (long)der.len);
    assert_non_null(cert);
    return cert;
}

static void fill(X509 *cert, X509 *issuer, const pki_request *r, EVP_PKEY *key) {
    bool dated = r->from_s || r->to_s;
    assert_int_equal(X509_set_version(cert, X509_VERSION_3), 1);
    ASN1_INTEGER_set(X509_get_serialNumber(cert), 1 + (long)strlen(r->name));
    ASN1_TIME_set(X509_getm_notBefore(cert), dated ? r->from_s : NOON_S - HALF_YEAR);
    ASN1_TIME_set(X509_getm_notAfter(cert), dated ? r->to_s : NOON_S + HALF_YEAR);
    X509_NAME_add_entry_by_txt(X509_get_subject_name(cert), "CN", MBSTRING_UTF8,
                               (const unsigned char *)r->name, -1, -1, 0);
    X509_set_issuer_name(cert, X509_get_subject_name(issuer));
    assert_int_equal(X509_set_pubkey(cert, key), 1);
    add_ext(cert, issuer, NID_basic_constraints, r->ca ? "critical,CA:TRUE" : "critical,CA:FALSE");
    add_ext(cert, issuer, NID_subject_key_identifier, "hash");
    if (r->ca || r->key_usage) {
        add_ext(cert, issuer, NID_key_usage, r->key_usage ? r->key_usage : "critical,keyCertSign");
    }
    if (r->ext_usage) {
        add_ext(cert, issuer, NID_ext_key_usage, r->ext_usage);
    }
    if (r->sans) {
        add_ext(cert, issuer, NID_subject_alt_name, r->sans);
    }
    if (r->padding) {
        add_padding(cert, issuer, r->padding);
    }
}

static void keep(ibk_buf *out, unsigned char *der, int len) {
    assert_true(len > 0);
    assert_int_equal(ibk_buf_append(out, der, (size_t)len), IBK_OK);
    OPENSSL_free(der);
}

pki_cert pki_make(const pki_request *r) {
    pki_cert made = {0};
    unsigned char *der = NULL;
    EVP_PKEY *key = r->key_of ? load_key(pki_key(r->key_of))
                    : r->ec   ? EVP_EC_gen("P-256")
                              : EVP_RSA_gen(r->bits ? r->bits : 2048);
    EVP_PKEY *issuer_key = r->issuer ? load_key(pki_key(r->issuer)) : key;
    X509 *cert = X509_new(), *issuer = r->issuer ? load_cert(pki_der(r->issuer)) : cert;
    assert_non_null(key);
    assert_non_null(cert);
    fill(cert, issuer, r, key);
    assert_true(X509_sign(cert, issuer_key, r->sha1 ? EVP_sha1() : EVP_sha256()) > 0);
    int len = i2d_X509(cert, &der);
    keep(&made.der, der, len);
    der = NULL;
    len = i2d_PrivateKey(key, &der);
    keep(&made.private_key, der, len);
    if (r->issuer) {
        EVP_PKEY_free(issuer_key);
        X509_free(issuer);
    }
    EVP_PKEY_free(key);
    X509_free(cert);
    return made;
}

void pki_free(pki_cert *cert) {
    ibk_buf_free(&cert->der);
    ibk_buf_free(&cert->private_key);
}

ibk_span pki_der(const pki_cert *cert) {
    return ibk_buf_span(&cert->der);
}

ibk_span pki_key(const pki_cert *cert) {
    return ibk_buf_span(&cert->private_key);
}
