#include "kms/certificates.h"

#include "base/calendar.h"
#include "kms/kms_internal.h"
#include "mikey/rsa_key.h"

#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdlib.h>
#include <strings.h>

#define NS_PER_SECOND       INT64_C(1000000000)
#define DEFAULT_CHAIN_DEPTH 4
#define STRENGTH_112        2 /* OpenSSL's level: RSA from 2048 bits, no SHA-1 in certificates */

struct trust {
    X509_STORE *store;
};

/* The certificate in DER and nothing else; NULL. X509_free. */
static X509 *load(ibk_span der) {
    const unsigned char *p = der.data;
    X509 *cert = der.len > 0 && der.len <= IBK_PKE_CERTIFICATE_MAX ? d2i_X509(NULL, &p, (long)der.len) : NULL;
    if (cert && p != der.data + der.len) {
        X509_free(cert);
        return NULL;
    }
    return cert;
}

/* ---- anchors --------------------------------------------------------------------------------------------
 */

ibk_err trust_new(trust **out, const ibk_span *anchors, size_t n) {
    trust *t = calloc(1, sizeof *t);
    if (!t || !(t->store = X509_STORE_new())) {
        free(t);
        return IBK_ERR_NO_MEMORY;
    }
    ibk_err err = IBK_OK;
    for (size_t i = 0; !err && i < n; i++) {
        X509 *cert = load(anchors[i]);
        if (!cert || X509_STORE_add_cert(t->store, cert) != 1) {
            err = cert ? IBK_ERR_NO_MEMORY : IBK_ERR_BAD_CERTIFICATE;
        }
        X509_free(cert);
    }
    if (err) {
        trust_free(t);
        return err;
    }
    *out = t;
    return IBK_OK;
}

void trust_free(trust *t) {
    if (t) {
        X509_STORE_free(t->store);
        free(t);
    }
}

/* ---- a chain --------------------------------------------------------------------------------------------
 */

static ibk_err refuse(ibk_diag *diag, ibk_err err, const char *why) {
    return ibk_fail(diag, err, "CERT", 0, "%s", why);
}

static void set_up(X509_STORE_CTX *ctx, cert_use use, int64_t utc_ns, unsigned max_intermediates) {
    X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(ctx);
    X509_VERIFY_PARAM_set_time(param, (time_t)ibk_floor_div(utc_ns, NS_PER_SECOND));
    X509_VERIFY_PARAM_set_depth(param, (int)(max_intermediates ? max_intermediates : DEFAULT_CHAIN_DEPTH));
    X509_VERIFY_PARAM_set_auth_level(param, STRENGTH_112);
    /* An anchor is an anchor, self-signed or not (RFC 5280 §6.1.1 d); never a certificate out of the message.
     */
    X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_TRUSTED_FIRST);
    X509_VERIFY_PARAM_set_purpose(param, use == CERT_USE_SIGNATURE ? X509_PURPOSE_SSL_CLIENT
                                                                   : X509_PURPOSE_SSL_SERVER);
}

/* Every certificate of the path but the anchor had its signature verified with the key of the next one. */
static void report_path(const ibk_env *env, X509_STORE_CTX *ctx) {
    STACK_OF(X509) *path = X509_STORE_CTX_get0_chain(ctx);
    for (int i = 1; path && i < sk_X509_num(path); i++) {
        EVP_PKEY *issuer = X509_get0_pubkey(sk_X509_value(path, i));
        if (issuer && EVP_PKEY_get_base_id(issuer) == EVP_PKEY_RSA) {
            report_work(env, IBK_WORK_RSA_PUBLIC, (unsigned)EVP_PKEY_get_bits(issuer));
        }
    }
}

static ibk_err verify_path(const trust *t, const ibk_env *env, cert_use use, X509 *leaf,
                           STACK_OF(X509) * others, int64_t utc_ns, unsigned max_intermediates,
                           ibk_diag *diag) {
    X509_STORE_CTX *ctx = X509_STORE_CTX_new();
    if (!ctx || X509_STORE_CTX_init(ctx, t->store, leaf, others) != 1) {
        X509_STORE_CTX_free(ctx);
        return IBK_ERR_NO_MEMORY;
    }
    set_up(ctx, use, utc_ns, max_intermediates);
    ibk_err err = IBK_OK;
    if (X509_verify_cert(ctx) != 1) {
        int at = X509_STORE_CTX_get_error_depth(ctx);
        err = ibk_fail(diag, IBK_ERR_BAD_CERTIFICATE, "CERT", 0, "%s (at depth %d)",
                       X509_verify_cert_error_string(X509_STORE_CTX_get_error(ctx)), at);
    } else {
        report_path(env, ctx);
    }
    X509_STORE_CTX_free(ctx);
    return err;
}

/* RFC 5280 §4.2.1.3: what the key may be used for, if the certificate says so. */
static bool usage_permits(X509 *leaf, cert_use use) {
    return X509_get_key_usage(leaf) &
           (use == CERT_USE_SIGNATURE ? KU_DIGITAL_SIGNATURE : KU_KEY_ENCIPHERMENT);
}

static ibk_err rsa_key_of(ibk_buf *public_key, X509 *cert, ibk_diag *diag) {
    unsigned char *der = NULL;
    EVP_PKEY *key = X509_get0_pubkey(cert);
    int bits = key && EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA ? EVP_PKEY_get_bits(key) : 0;
    if (bits < IBK_PKE_RSA_BITS_MIN || bits > IBK_PKE_RSA_BITS_MAX) {
        return ibk_fail(diag, IBK_ERR_UNSUPPORTED, "CERT", 0, "its key is not RSA of %d to %d bits",
                        IBK_PKE_RSA_BITS_MIN, IBK_PKE_RSA_BITS_MAX);
    }
    int len = i2d_PUBKEY(key, &der);
    ibk_err err = len > 0 ? ibk_buf_append(public_key, der, (size_t)len) : IBK_ERR_INTERNAL;
    OPENSSL_free(der);
    return err;
}

static ibk_err check_limits(const ibk_span *chain, size_t n, ibk_diag *diag) {
    if (n == 0 || n > IBK_PKE_MAX_CERTIFICATES) {
        return ibk_fail(diag, IBK_ERR_LIMIT, "CERT", 0, "%zu certificates, limit %d", n,
                        IBK_PKE_MAX_CERTIFICATES);
    }
    for (size_t i = 0; i < n; i++) {
        if (chain[i].len > IBK_PKE_CERTIFICATE_MAX) {
            return ibk_fail(diag, IBK_ERR_LIMIT, "CERT", 0, "a certificate of %zu octets, limit %d",
                            chain[i].len, IBK_PKE_CERTIFICATE_MAX);
        }
    }
    return IBK_OK;
}

/* The certificates after the first one, owned by the stack. */
static ibk_err load_others(STACK_OF(X509) * others, const ibk_span *chain, size_t n, ibk_diag *diag) {
    for (size_t i = 1; i < n; i++) {
        X509 *cert = load(chain[i]);
        if (!cert) {
            return refuse(diag, IBK_ERR_BAD_CERTIFICATE, "not an X.509 certificate in DER");
        }
        if (sk_X509_push(others, cert) <= 0) {
            X509_free(cert);
            return IBK_ERR_NO_MEMORY;
        }
    }
    return IBK_OK;
}

ibk_err chain_verify(ibk_buf *public_key, const trust *t, const ibk_env *env, cert_use use,
                     const ibk_span *chain, size_t n, int64_t utc_ns, unsigned max_intermediates,
                     ibk_diag *diag) {
    ibk_err err = check_limits(chain, n, diag);
    if (err) {
        return err;
    }
    X509 *leaf = load(chain[0]);
    STACK_OF(X509) *others = sk_X509_new_null();
    if (!leaf) {
        err = refuse(diag, IBK_ERR_BAD_CERTIFICATE, "not an X.509 certificate in DER");
    }
    err = err ? err : others ? load_others(others, chain, n, diag) : IBK_ERR_NO_MEMORY;
    if (!err && !usage_permits(leaf, use)) {
        err = refuse(diag, IBK_ERR_BAD_CERTIFICATE, "its key usage does not permit this");
    }
    err = err ? err : verify_path(t, env, use, leaf, others, utc_ns, max_intermediates, diag);
    err = err ? err : rsa_key_of(public_key, leaf, diag);
    sk_X509_pop_free(others, X509_free);
    X509_free(leaf);
    return err;
}

ibk_err cert_rsa_key(ibk_buf *public_key, ibk_span certificate, ibk_diag *diag) {
    X509 *cert = load(certificate);
    ibk_err err = cert ? rsa_key_of(public_key, cert, diag)
                       : refuse(diag, IBK_ERR_BAD_CERTIFICATE, "not an X.509 certificate in DER");
    X509_free(cert);
    return err;
}

/* ---- names ----------------------------------------------------------------------------------------------
 */

typedef bool name_fits(const GENERAL_NAME *name, uint8_t id_type, ibk_span id);

/* Any subjectAltName for which `fits` holds; the subject's own name counts for nothing. */
static bool any_name(ibk_span certificate, name_fits *fits, uint8_t id_type, ibk_span id) {
    X509 *cert = load(certificate);
    GENERAL_NAMES *names = cert ? X509_get_ext_d2i(cert, NID_subject_alt_name, NULL, NULL) : NULL;
    bool found = false;
    for (int i = 0; names && i < sk_GENERAL_NAME_num(names) && !found; i++) {
        found = fits(sk_GENERAL_NAME_value(names, i), id_type, id);
    }
    GENERAL_NAMES_free(names);
    X509_free(cert);
    return found;
}

/* The octets of an IA5String name of this kind; a zero octet inside is an octet like any other. */
static ibk_span octets_of(const GENERAL_NAME *name, int kind) {
    int type;
    const ASN1_STRING *s = GENERAL_NAME_get0_value(name, &type);
    return type == kind ? ibk_span_of(ASN1_STRING_get0_data(s), (size_t)ASN1_STRING_length(s))
                        : (ibk_span){0};
}

static bool fits_user(const GENERAL_NAME *name, uint8_t id_type, ibk_span id) {
    bool uri = id_type != IBK_ID_NAI && ibk_span_equal(octets_of(name, GEN_URI), id);
    return uri || (id_type != IBK_ID_URI && ibk_span_equal(octets_of(name, GEN_EMAIL), id));
}

static bool fits_kms(const GENERAL_NAME *name, uint8_t id_type, ibk_span id) {
    (void)id_type;
    ibk_span dns = octets_of(name, GEN_DNS), email = octets_of(name, GEN_EMAIL); /* the latter for a NAI */
    return ibk_span_equal(octets_of(name, GEN_URI), id) || ibk_span_equal(email, id) ||
           (dns.len > 0 && dns.len == id.len &&
            strncasecmp((const char *)dns.data, (const char *)id.data, id.len) == 0);
}

bool cert_names_user(ibk_span certificate, uint8_t id_type, ibk_span id) {
    return id.len > 0 && any_name(certificate, fits_user, id_type, id);
}

bool cert_names_kms(ibk_span certificate, ibk_span id) {
    return id.len > 0 && any_name(certificate, fits_kms, IBK_ID_URI, id);
}

ibk_err cert_hash(uint8_t out[32], size_t *len, uint8_t hash_alg, ibk_span certificate) {
    const EVP_MD *md = hash_alg == IBK_HASH_SHA1     ? EVP_sha1()
                       : hash_alg == IBK_HASH_SHA256 ? EVP_sha256()
                                                     : NULL;
    if (!md) {
        return IBK_ERR_UNSUPPORTED;
    }
    *len = (size_t)EVP_MD_get_size(md);
    return EVP_Digest(certificate.data, certificate.len, out, NULL, md, NULL) ? IBK_OK : IBK_ERR_INTERNAL;
}
