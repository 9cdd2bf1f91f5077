#include "tls/pki.h"
#include "tls/draw.h"

#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define DAY_S   INT64_C(86400)
#define OWNER   "pki" /* of the streams */
#define RSA_LEN 2048  /* bits */

enum { CN_MAX = 64 }; /* RFC 5280, ub-common-name-length */

/* A CA, or nothing yet. */
typedef struct authority {
    X509 *certificate;
    EVP_PKEY *key;
    ibk_buf der;
} authority;

typedef struct issued {
    char *file; /* without ".pem" */
    X509 *certificate;
} issued;

struct pki {
    uint64_t seed;
    int64_t start_s;
    authority trusted, untrusted;
    issued *list;
    size_t count, cap;
};

enum { NAMES_MAX = 32 };

typedef struct alt_name {
    int type; /* GEN_DNS, GEN_URI, GEN_EMAIL */
    const char *text;
} alt_name;

/* What a certificate is to say. */
typedef struct request {
    const char *stream;  /* label of the stream that its key and serial number come from */
    const char *subject; /* common name; left out if it is too long for one */
    const char *key_usage,
        *extended_key_usage; /* as OpenSSL's configuration has them; the latter may be NULL */
    bool ca, rsa;
    int64_t from_s, to_s; /* relative to the start of the run */
    const alt_name *names;
    size_t n_names;
} request;

ibk_err pki_new(pki **out, uint64_t seed, int64_t start_utc_ns) {
    *out = calloc(1, sizeof **out);
    if (!*out)
        return IBK_ERR_NO_MEMORY;
    (*out)->seed = seed;
    (*out)->start_s = start_utc_ns / INT64_C(1000000000);
    return IBK_OK;
}

static void authority_free(authority *ca) {
    X509_free(ca->certificate);
    EVP_PKEY_free(ca->key);
    ibk_buf_free(&ca->der);
}

void pki_free(pki *p) {
    if (!p)
        return;
    authority_free(&p->trusted);
    authority_free(&p->untrusted);
    for (size_t i = 0; i < p->count; i++) {
        free(p->list[i].file);
        X509_free(p->list[i].certificate);
    }
    free(p->list);
    free(p);
}

void pki_credential_free(pki_credential *credential) {
    ibk_buf_free(&credential->certificate);
    ibk_buf_free(&credential->private_key);
}

/* ---- the parts of a certificate
 * ------------------------------------------------------------------------------- */

static bool add_constant(X509 *certificate, X509 *issuer, int nid, const char *value) {
    X509V3_CTX context;
    X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
    X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
    bool ok = extension && X509_add_ext(certificate, extension, -1);
    X509_EXTENSION_free(extension);
    return ok;
}

/* Built by hand: the names come from the scenario, and a configuration string would read commas in them. */
static bool add_names(X509 *certificate, const request *r) {
    GENERAL_NAMES *names = GENERAL_NAMES_new();
    bool ok = names;
    for (size_t i = 0; ok && i < r->n_names; i++) {
        GENERAL_NAME *name = GENERAL_NAME_new();
        ASN1_IA5STRING *text = ASN1_IA5STRING_new();
        ok = name && text && ASN1_STRING_set(text, r->names[i].text, -1);
        if (ok) {
            GENERAL_NAME_set0_value(name, r->names[i].type, text);
            text = NULL;
            ok = sk_GENERAL_NAME_push(names, name) > 0;
        }
        if (!ok)
            GENERAL_NAME_free(name);
        ASN1_IA5STRING_free(text);
    }
    ok = ok && X509_add1_ext_i2d(certificate, NID_subject_alt_name, names, 0, X509V3_ADD_DEFAULT) == 1;
    GENERAL_NAMES_free(names);
    return ok;
}

static bool add_extensions(X509 *certificate, X509 *issuer, const request *r) {
    return add_constant(certificate, issuer, NID_basic_constraints,
                        r->ca ? "critical,CA:TRUE,pathlen:0" : "critical,CA:FALSE") &&
           add_constant(certificate, issuer, NID_key_usage, r->key_usage) &&
           (!r->extended_key_usage ||
            add_constant(certificate, issuer, NID_ext_key_usage, r->extended_key_usage)) &&
           add_constant(certificate, issuer, NID_subject_key_identifier, "hash") &&
           add_constant(certificate, issuer, NID_authority_key_identifier, "keyid:always") &&
           (r->n_names == 0 || add_names(certificate, r));
}

/* 16 octets, positive and not zero (RFC 5280 §4.1.2.2). */
static bool set_serial(X509 *certificate, sim_random *random) {
    uint8_t octets[16];
    if (!sim_random_draw(random, octets, sizeof octets))
        return false;
    octets[0] = (octets[0] & 0x3f) | 0x40;
    BIGNUM *number = BN_bin2bn(octets, sizeof octets, NULL);
    bool ok = number && BN_to_ASN1_INTEGER(number, X509_get_serialNumber(certificate));
    BN_free(number);
    return ok;
}

static bool set_subject(X509 *certificate, const char *subject) {
    X509_NAME *name = X509_get_subject_name(certificate);
    return X509_NAME_add_entry_by_txt(name, "O", MBSTRING_UTF8, (const unsigned char *)"ibakelab", -1, -1,
                                      0) &&
           (strlen(subject) > CN_MAX ||
            X509_NAME_add_entry_by_txt(name, "CN", MBSTRING_UTF8, (const unsigned char *)subject, -1, -1, 0));
}

/* `ca` NULL: signed by its own key. */
static X509 *certify(const pki *p, const request *r, EVP_PKEY *key, const authority *ca, sim_random *random) {
    X509 *certificate = X509_new();
    X509 *issuer = ca ? ca->certificate : certificate;
    tls_draw_begin(random);
    EVP_PKEY *signing = ca ? ca->key : key;
    bool ok = certificate && X509_set_version(certificate, X509_VERSION_3) &&
              set_serial(certificate, random) && set_subject(certificate, r->subject) &&
              X509_set_issuer_name(certificate, X509_get_subject_name(issuer)) &&
              ASN1_TIME_set(X509_getm_notBefore(certificate), (time_t)(p->start_s + r->from_s)) &&
              ASN1_TIME_set(X509_getm_notAfter(certificate), (time_t)(p->start_s + r->to_s)) &&
              X509_set_pubkey(certificate, key) && add_extensions(certificate, issuer, r) &&
              X509_sign(certificate, signing, EVP_sha256()) > 0;
    tls_draw_end();
    if (!ok) {
        X509_free(certificate);
        return NULL;
    }
    return certificate;
}

static EVP_PKEY *generate(bool rsa, sim_random *random) {
    tls_draw_begin(random);
    EVP_PKEY *key = rsa ? EVP_PKEY_Q_keygen(NULL, NULL, "RSA", (size_t)RSA_LEN)
                        : EVP_PKEY_Q_keygen(NULL, NULL, "EC", "P-256");
    tls_draw_end();
    return key;
}

/* ---- authorities
 * -------------------------------------------------------------------------------------------------- */

static bool append_certificate(ibk_buf *out, X509 *certificate) {
    uint8_t *der = NULL;
    int len = i2d_X509(certificate, &der);
    bool ok = len > 0 && ibk_buf_append(out, der, (size_t)len) == IBK_OK;
    OPENSSL_free(der);
    return ok;
}

/* The CA, generated when first needed; NULL: that failed. */
static const authority *authority_of(pki *p, authority *ca, const char *name) {
    request r = {.stream = name,
                 .subject = name,
                 .key_usage = "critical,keyCertSign,cRLSign",
                 .ca = true,
                 .from_s = -2000 * DAY_S,
                 .to_s = 3650 * DAY_S};
    if (ca->certificate)
        return ca;
    sim_random *random = sim_random_new(p->seed, OWNER, name);
    ca->key = random ? generate(false, random) : NULL;
    ca->certificate = ca->key ? certify(p, &r, ca->key, NULL, random) : NULL;
    bool ok = ca->certificate && append_certificate(&ca->der, ca->certificate);
    sim_random_free(random);
    if (ok)
        return ca;
    authority_free(ca);
    *ca = (authority){0};
    return NULL;
}

static const authority *trusted_authority(pki *p) {
    return authority_of(p, &p->trusted, "ibakelab root CA");
}

static const authority *untrusted_authority(pki *p) {
    return authority_of(p, &p->untrusted, "a CA that nobody trusts");
}

ibk_span pki_trust_anchor(pki *p) {
    const authority *ca = trusted_authority(p);
    return ca ? ibk_buf_span(&ca->der) : (ibk_span){0};
}

/* ---- issuing
 * ------------------------------------------------------------------------------------------------------ */

static bool append_key(ibk_buf *out, EVP_PKEY *key) {
    PKCS8_PRIV_KEY_INFO *info = EVP_PKEY2PKCS8(key);
    uint8_t *der = NULL;
    int len = info ? i2d_PKCS8_PRIV_KEY_INFO(info, &der) : 0;
    bool ok = len > 0 && ibk_buf_append(out, der, (size_t)len) == IBK_OK;
    if (len > 0)
        OPENSSL_clear_free(der, (size_t)len);
    PKCS8_PRIV_KEY_INFO_free(info);
    return ok;
}

static bool remember(pki *p, const char *file, X509 *certificate) {
    if (!IBK_ROOM(p->list, p->count, p->cap))
        return false;
    char *copy = strdup(file);
    if (!copy)
        return false;
    X509_up_ref(certificate);
    p->list[p->count++] = (issued){copy, certificate};
    return true;
}

static bool is_ascii(const char *text) {
    for (; *text; text++)
        if (*text <= ' ' || *text > '~')
            return false;
    return true;
}

static ibk_err issue(pki *p, pki_kind kind, request *r, pki_credential *out) {
    for (size_t i = 0; i < r->n_names; i++)
        if (!is_ascii(r->names[i].text))
            return IBK_ERR_BAD_TEXT;
    const authority *ca = kind == PKI_SELF_SIGNED    ? NULL
                          : kind == PKI_UNTRUSTED_CA ? untrusted_authority(p)
                                                     : trusted_authority(p);
    if (!ca && kind != PKI_SELF_SIGNED)
        return IBK_ERR_INTERNAL;
    r->from_s = -400 * DAY_S;
    r->to_s = kind == PKI_EXPIRED ? -DAY_S : 1200 * DAY_S;
    sim_random *random = sim_random_new(p->seed, OWNER, r->stream);
    EVP_PKEY *key = random ? generate(r->rsa, random) : NULL;
    X509 *certificate = key ? certify(p, r, key, ca, random) : NULL;
    pki_credential made = {{0}, {0}};
    bool ok = certificate && append_certificate(&made.certificate, certificate) &&
              append_key(&made.private_key, key) && remember(p, r->stream, certificate);
    X509_free(certificate);
    EVP_PKEY_free(key);
    sim_random_free(random);
    if (!ok) {
        pki_credential_free(&made);
        return IBK_ERR_INTERNAL;
    }
    *out = made;
    return IBK_OK;
}

ibk_err pki_issue_server(pki *p, pki_kind kind, const char *dns_name, pki_credential *out) {
    char stream[300], wrong[300];
    snprintf(stream, sizeof stream, "server-%s", dns_name);
    snprintf(wrong, sizeof wrong, "not-%s", dns_name);
    alt_name name = {GEN_DNS, kind == PKI_WRONG_NAME ? wrong : dns_name};
    request r = {.stream = stream,
                 .subject = name.text,
                 .key_usage = "critical,digitalSignature",
                 .extended_key_usage = "serverAuth",
                 .names = &name,
                 .n_names = 1};
    return issue(p, kind, &r, out);
}

ibk_err pki_issue_user(pki *p, pki_kind kind, const char *name, const char *const *uris, size_t n_uris,
                       pki_credential *out) {
    static const alt_name somebody = {GEN_URI, "sip:somebody-else@elsewhere.example"};
    alt_name names[NAMES_MAX];
    char stream[300];
    if (n_uris > NAMES_MAX)
        return IBK_ERR_LIMIT;
    for (size_t i = 0; i < n_uris; i++)
        names[i] = (alt_name){GEN_URI, uris[i]};
    snprintf(stream, sizeof stream, "user-%s", name);
    request r = {.stream = stream,
                 .subject = name,
                 .key_usage = "critical,digitalSignature",
                 .rsa = true,
                 .names = names,
                 .n_names = n_uris};
    if (kind == PKI_WRONG_NAME) {
        r.names = &somebody;
        r.n_names = 1;
    }
    return issue(p, kind, &r, out);
}

ibk_err pki_issue_kms(pki *p, pki_kind kind, const char *nai, pki_credential *out) {
    char stream[300], name[300], host[300];
    snprintf(stream, sizeof stream, "kms-%s", nai);
    snprintf(name, sizeof name, "%s%s", kind == PKI_WRONG_NAME ? "not-" : "", nai);
    snprintf(host, sizeof host, "%s", name);
    char *at = strchr(host, '@');
    if (!at)
        return IBK_ERR_BAD_TEXT;
    *at = '.';
    alt_name names[] = {{GEN_EMAIL, name}, {GEN_DNS, host}};
    request r = {.stream = stream,
                 .subject = name,
                 .key_usage = "critical,keyEncipherment",
                 .rsa = true,
                 .names = names,
                 .n_names = 2};
    return issue(p, kind, &r, out);
}

bool pki_is_empty(const pki *p) {
    return p->count == 0;
}

/* ---- files
 * -------------------------------------------------------------------------------------------------------- */

static ibk_err write_pem(const char *dir, const char *name, X509 *certificate, ibk_diag *diag) {
    char path[4096];
    int len = snprintf(path, sizeof path, "%s/%s.pem", dir, name);
    if (len < 0 || (size_t)len >= sizeof path)
        return ibk_fail(diag, IBK_ERR_LIMIT, "certificate", 0, "the path of the output folder is too long");
    BIO *file = BIO_new_file(path, "w");
    bool ok = file && PEM_write_bio_X509(file, certificate) && BIO_flush(file) == 1;
    ok = BIO_free(file) && ok;
    return ok ? IBK_OK : ibk_fail(diag, IBK_ERR_IO, "certificate", 0, "%.100s cannot be written", path);
}

ibk_err pki_write(pki *p, const char *dir, ibk_diag *diag) {
    const authority *ca = trusted_authority(p);
    ibk_err err = ca ? write_pem(dir, "ca", ca->certificate, diag) : IBK_ERR_INTERNAL;
    if (!err && p->untrusted.certificate)
        err = write_pem(dir, "untrusted-ca", p->untrusted.certificate, diag);
    for (size_t i = 0; !err && i < p->count; i++)
        err = write_pem(dir, p->list[i].file, p->list[i].certificate, diag);
    return err;
}
