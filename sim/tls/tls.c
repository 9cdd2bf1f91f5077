#include "tls/tls.h"
#include "tls/draw.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define NS_PER_S INT64_C(1000000000)

struct tls_context {
    SSL_CTX *ssl;
    tls_keylog_fn *keylog;
    void *keylog_user;
};

struct tls {
    SSL *ssl;
    BIO *in, *out; /* owned by ssl */
    sim_random *random;
    tls_failure failure;
    char detail[120];
    bool client, peer_closed, closed;
};

/* ---- contexts
 * ----------------------------------------------------------------------------------------------------- */

static void on_keylog(const SSL *ssl, const char *line) {
    const tls_context *context = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
    context->keylog(context->keylog_user, line);
}

/* Everything that the machine's openssl.cnf could say otherwise is said here. */
static bool configure(SSL_CTX *ssl) {
    SSL_CTX_set_options(ssl, SSL_OP_NO_TICKET | SSL_OP_NO_COMPRESSION);
    SSL_CTX_set_session_cache_mode(ssl, SSL_SESS_CACHE_OFF);
    SSL_CTX_set_security_level(ssl, 2);
    return SSL_CTX_set_min_proto_version(ssl, TLS1_3_VERSION) &&
           SSL_CTX_set_max_proto_version(ssl, TLS1_3_VERSION) && SSL_CTX_set_num_tickets(ssl, 0) &&
           SSL_CTX_set_ciphersuites(ssl, "TLS_AES_128_GCM_SHA256") &&
           SSL_CTX_set1_groups_list(ssl, "X25519:P-256") &&
           SSL_CTX_set1_sigalgs_list(ssl, "ecdsa_secp256r1_sha256");
}

static ibk_err context_new(tls_context **out, const SSL_METHOD *method, sim_random *random) {
    *out = NULL;
    tls_context *context = calloc(1, sizeof *context);
    if (!context)
        return IBK_ERR_NO_MEMORY;
    tls_draw_begin(random); /* keys for tickets, which are not used */
    context->ssl = SSL_CTX_new(method);
    tls_draw_end();
    if (!context->ssl || !configure(context->ssl)) {
        tls_context_free(context);
        return IBK_ERR_INTERNAL;
    }
    SSL_CTX_set_app_data(context->ssl, context);
    *out = context;
    return IBK_OK;
}

ibk_err tls_client_context(tls_context **out, ibk_span trust_anchor, sim_random *random,
                           tls_keylog_fn *keylog, void *user) {
    ibk_err err = context_new(out, TLS_client_method(), random);
    if (err)
        return err;
    bool careless = trust_anchor.len == 0;
    const uint8_t *at = trust_anchor.data;
    X509 *anchor = careless ? NULL : d2i_X509(NULL, &at, (long)trust_anchor.len);
    if (!careless && (!anchor || !X509_STORE_add_cert(SSL_CTX_get_cert_store((*out)->ssl), anchor)))
        err = IBK_ERR_BAD_CERTIFICATE;
    X509_free(anchor);
    SSL_CTX_set_verify((*out)->ssl, careless ? SSL_VERIFY_NONE : SSL_VERIFY_PEER, NULL);
    (*out)->keylog = keylog;
    (*out)->keylog_user = user;
    if (keylog)
        SSL_CTX_set_keylog_callback((*out)->ssl, on_keylog);
    if (err) {
        tls_context_free(*out);
        *out = NULL;
    }
    return err;
}

ibk_err tls_server_context(tls_context **out, const pki_credential *credential, sim_random *random) {
    ibk_err err = context_new(out, TLS_server_method(), random);
    if (err)
        return err;
    const uint8_t *key = credential->private_key.data;
    PKCS8_PRIV_KEY_INFO *info = d2i_PKCS8_PRIV_KEY_INFO(NULL, &key, (long)credential->private_key.len);
    EVP_PKEY *pkey = info ? EVP_PKCS82PKEY(info) : NULL;
    if (!pkey ||
        SSL_CTX_use_certificate_ASN1((*out)->ssl, (int)credential->certificate.len,
                                     credential->certificate.data) != 1 ||
        SSL_CTX_use_PrivateKey((*out)->ssl, pkey) != 1 || SSL_CTX_check_private_key((*out)->ssl) != 1) {
        tls_context_free(*out);
        *out = NULL;
        err = IBK_ERR_BAD_CERTIFICATE;
    }
    EVP_PKEY_free(pkey);
    PKCS8_PRIV_KEY_INFO_free(info);
    ERR_clear_error();
    return err;
}

void tls_context_free(tls_context *context) {
    if (!context)
        return;
    SSL_CTX_free(context->ssl);
    free(context);
}

/* ---- connections
 * -------------------------------------------------------------------------------------------------- */

/* SNI, and the name and time for the verification of the certificate. */
static bool expect_server(tls *t, const char *server_name, int64_t utc_ns) {
    X509_VERIFY_PARAM *verify = SSL_get0_param(t->ssl);
    X509_VERIFY_PARAM_set_time(verify, (time_t)(utc_ns / NS_PER_S));
    X509_VERIFY_PARAM_set_hostflags(verify,
                                    X509_CHECK_FLAG_NEVER_CHECK_SUBJECT | X509_CHECK_FLAG_NO_WILDCARDS);
    return SSL_set_tlsext_host_name(t->ssl, server_name) &&
           X509_VERIFY_PARAM_set1_host(verify, server_name, 0);
}

ibk_err tls_new(tls **out, tls_context *context, sim_random *random, int64_t utc_ns,
                const char *server_name) {
    *out = NULL;
    tls *t = calloc(1, sizeof *t);
    if (!t)
        return IBK_ERR_NO_MEMORY;
    t->random = random;
    t->client = server_name;
    tls_draw_begin(random);
    t->ssl = SSL_new(context->ssl);
    tls_draw_end();
    t->in = BIO_new(BIO_s_mem());
    t->out = BIO_new(BIO_s_mem());
    if (!t->ssl || !t->in || !t->out) {
        BIO_free(t->in);
        BIO_free(t->out);
        tls_free(t);
        return IBK_ERR_NO_MEMORY;
    }
    SSL_set_bio(t->ssl, t->in, t->out);
    if (server_name)
        SSL_set_connect_state(t->ssl);
    else
        SSL_set_accept_state(t->ssl);
    if (server_name && !expect_server(t, server_name, utc_ns)) {
        tls_free(t);
        return IBK_ERR_BAD_TEXT;
    }
    *out = t;
    return IBK_OK;
}

void tls_free(tls *t) {
    if (!t)
        return;
    SSL_free(t->ssl);
    free(t);
}

/* What OpenSSL wants sent. */
static ibk_err flush(tls *t, ibk_buf *to_peer) {
    char *octets;
    long len = BIO_get_mem_data(t->out, &octets);
    ibk_err err = len > 0 ? ibk_buf_append(to_peer, octets, (size_t)len) : IBK_OK;
    BIO_reset(t->out);
    return err;
}

static tls_failure failure_of(long verdict) {
    switch (verdict) {
    case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
    case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
    case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
    case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
    case X509_V_ERR_CERT_UNTRUSTED:
        return TLS_UNTRUSTED;
    case X509_V_ERR_HOSTNAME_MISMATCH:
        return TLS_WRONG_NAME;
    case X509_V_ERR_CERT_HAS_EXPIRED:
        return TLS_EXPIRED;
    default:
        return TLS_BAD_CERTIFICATE;
    }
}

/* After a fatal error of OpenSSL. */
static ibk_err note_failure(tls *t) {
    unsigned long code = ERR_peek_last_error();
    long verdict = t->client ? SSL_get_verify_result(t->ssl) : X509_V_OK;
    int reason = ERR_GET_REASON(code);
    const char *text = ERR_reason_error_string(code);
    ibk_err err = IBK_ERR_BAD_VALUE;
    t->failure = TLS_PROTOCOL;
    if (verdict != X509_V_OK) {
        t->failure = failure_of(verdict);
        text = X509_verify_cert_error_string(verdict);
        err = IBK_ERR_BAD_CERTIFICATE;
    } else if (ERR_GET_LIB(code) == ERR_LIB_SSL && reason > SSL_AD_REASON_OFFSET) {
        t->failure = TLS_ALERT; /* the reasons from there on are alerts that came in */
        err = IBK_ERR_PEER_ERROR;
    }
    snprintf(t->detail, sizeof t->detail, "%s", text ? text : "the connection ended inside TLS");
    ERR_clear_error();
    return err;
}

/* The outcome of an SSL_… function that returned `result` <= 0; IBK_OK: more octets are needed. */
static ibk_err outcome(tls *t, int result) {
    switch (SSL_get_error(t->ssl, result)) {
    case SSL_ERROR_WANT_READ:
    case SSL_ERROR_WANT_WRITE:
        return IBK_OK;
    case SSL_ERROR_ZERO_RETURN:
        t->peer_closed = true;
        return IBK_OK;
    default:
        return note_failure(t);
    }
}

ibk_err tls_start(tls *t, ibk_buf *to_peer) {
    ERR_clear_error();
    tls_draw_begin(t->random);
    int result = SSL_do_handshake(t->ssl);
    tls_draw_end();
    ibk_err err = result == 1 ? IBK_OK : outcome(t, result);
    ibk_err flushed = flush(t, to_peer);
    return err ? err : flushed;
}

/* Everything that is there to read, in clear. SSL_read does the handshake as well. */
static ibk_err read_all(tls *t, ibk_buf *plain) {
    uint8_t octets[4096];
    ibk_err err = IBK_OK;
    int len;
    ERR_clear_error();
    tls_draw_begin(t->random);
    while ((len = SSL_read(t->ssl, octets, sizeof octets)) > 0 && !err)
        err = ibk_buf_append(plain, octets, (size_t)len);
    tls_draw_end();
    ibk_wipe(octets, sizeof octets);
    return err ? err : len > 0 ? IBK_OK : outcome(t, len);
}

ibk_err tls_receive(tls *t, ibk_span octets, ibk_buf *plain, ibk_buf *to_peer) {
    if (t->failure)
        return IBK_ERR_STATE;
    if (octets.len > INT32_MAX || BIO_write(t->in, octets.data, (int)octets.len) != (int)octets.len)
        return IBK_ERR_NO_MEMORY;
    ibk_err err = read_all(t, plain);
    ibk_err flushed = flush(t, to_peer);
    return err ? err : flushed;
}

ibk_err tls_send(tls *t, ibk_span plain, ibk_buf *to_peer) {
    if (!tls_is_ready(t) || t->closed)
        return IBK_ERR_STATE;
    if (plain.len == 0)
        return IBK_OK;
    ERR_clear_error();
    tls_draw_begin(t->random);
    int sent = plain.len <= INT32_MAX ? SSL_write(t->ssl, plain.data, (int)plain.len) : -1;
    tls_draw_end();
    if (sent != (int)plain.len)
        return note_failure(t);
    return flush(t, to_peer);
}

void tls_close(tls *t, ibk_buf *to_peer) {
    if (t->closed || t->failure || !tls_is_ready(t))
        return;
    t->closed = true;
    ERR_clear_error();
    tls_draw_begin(t->random);
    SSL_shutdown(t->ssl);
    tls_draw_end();
    flush(t, to_peer);
}

bool tls_is_ready(const tls *t) {
    return !t->failure && SSL_is_init_finished(t->ssl);
}

bool tls_peer_closed(const tls *t) {
    return t->peer_closed;
}

tls_failure tls_why(const tls *t, const char **detail) {
    if (detail)
        *detail = t->detail;
    return t->failure;
}

const char *tls_cipher(const tls *t) {
    return tls_is_ready(t) ? SSL_get_cipher_name(t->ssl) : "";
}

const char *tls_failure_name(tls_failure failure) {
    static const char *const names[] = {
        "none", "untrusted", "wrong-name", "expired-certificate", "bad-certificate", "alert", "protocol"};
    return failure <= TLS_PROTOCOL ? names[failure] : "unknown";
}
