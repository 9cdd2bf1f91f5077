/* Certificates: see pki.h. */
#include "conformance/suite/pki.h"

#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct kept {
    char name[32];
    EVP_PKEY *key;
    X509 *certificate;
    suite_holder holder;
    struct kept *next;
} kept;

static kept *all; /* of this process, which has one thread */
static long serial = 1;

static void release(kept *k) {
    EVP_PKEY_free(k->key);
    X509_free(k->certificate);
    ibk_buf_free(&k->holder.certificate);
    ibk_buf_free(&k->holder.private_key);
    free(k);
}

void suite_holders_free(void) {
    while (all) {
        kept *next = all->next;
        release(all);
        all = next;
    }
}

static bool add_extension(X509 *certificate, int nid, const char *value) {
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, NULL, nid, value);
    bool added = extension && X509_add_ext(certificate, extension, -1) == 1;
    X509_EXTENSION_free(extension);
    return added;
}

static bool name_it(X509 *certificate, const char *name, bool root) {
    char alt[96];
    X509_NAME *subject = X509_get_subject_name(certificate);
    snprintf(alt, sizeof alt, "URI:sip:%s@home.example", name);
    return X509_NAME_add_entry_by_txt(subject, "CN", MBSTRING_UTF8, (const unsigned char *)name, -1, -1, 0) ==
               1 &&
           add_extension(certificate, NID_basic_constraints,
                         root ? "critical,CA:TRUE" : "critical,CA:FALSE") &&
           (root || add_extension(certificate, NID_subject_alt_name, alt));
}

static bool sign(kept *k, const kept *issuer) {
    X509 *c = k->certificate = X509_new();
    return c && X509_set_version(c, 2) == 1 && ASN1_INTEGER_set(X509_get_serialNumber(c), serial++) == 1 &&
           ASN1_TIME_set_string(X509_getm_notBefore(c), "260101000000Z") == 1 &&
           ASN1_TIME_set_string(X509_getm_notAfter(c), "460101000000Z") == 1 &&
           X509_set_pubkey(c, k->key) == 1 && name_it(c, k->name, issuer == k) &&
           X509_set_issuer_name(c, X509_get_subject_name(issuer->certificate)) == 1 &&
           X509_sign(c, issuer->key, EVP_sha256()) > 0;
}

static bool encode(kept *k) {
    unsigned char *certificate = NULL, *key = NULL;
    int n = i2d_X509(k->certificate, &certificate), m = i2d_PrivateKey(k->key, &key);
    bool good = n > 0 && m > 0 && ibk_buf_append(&k->holder.certificate, certificate, (size_t)n) == IBK_OK &&
                ibk_buf_append(&k->holder.private_key, key, (size_t)m) == IBK_OK;
    OPENSSL_free(certificate);
    OPENSSL_clear_free(key, m > 0 ? (size_t)m : 0);
    return good;
}

static kept *find(const char *name) {
    for (kept *k = all; k; k = k->next)
        if (strcmp(k->name, name) == 0)
            return k;
    bool root = strcmp(name, "root") == 0 || strcmp(name, "stranger") == 0;
    kept *k = calloc(1, sizeof *k), *issuer = root ? k : find("root");
    if (!k || !issuer)
        return free(k), NULL;
    snprintf(k->name, sizeof k->name, "%s", name);
    k->key = EVP_RSA_gen(2048);
    if (!k->key || !sign(k, issuer) || !encode(k)) {
        release(k);
        return NULL;
    }
    k->next = all;
    return all = k;
}

const suite_holder *suite_holder_of(const char *name) {
    kept *k = find(name);
    return k ? &k->holder : NULL;
}
