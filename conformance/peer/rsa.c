/* SIGN and PKE (RFC 3830 §4.2.5, §4.2.6) by OpenSSL. */
#include "peer/internal.h"

#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

static EVP_PKEY *private_of(ibk_span der) {
    const uint8_t *at = der.data;
    return d2i_AutoPrivateKey(NULL, &at, (long)der.len);
}

static EVP_PKEY *public_of(ibk_span certificate) {
    const uint8_t *at = certificate.data;
    X509 *x = d2i_X509(NULL, &at, (long)certificate.len);
    EVP_PKEY *key = x ? X509_get_pubkey(x) : NULL;
    X509_free(x);
    return key;
}

size_t px_rsa_len(ibk_span private_key) {
    EVP_PKEY *key = private_of(private_key);
    size_t len = key ? (size_t)EVP_PKEY_get_size(key) : 0;
    EVP_PKEY_free(key);
    return len;
}

static bool set_pss(EVP_PKEY_CTX *ctx, bool pss) {
    return !pss || (EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) > 0 &&
                    EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_DIGEST) > 0);
}

ibk_err px_rsa_sign(ibk_span private_key, bool pss, ibk_span text, px_octets *signature) {
    uint8_t octets[1024];
    size_t len = sizeof octets;
    EVP_PKEY *key = private_of(private_key);
    EVP_MD_CTX *md = EVP_MD_CTX_new();
    EVP_PKEY_CTX *ctx = NULL;
    bool ok = key && md && EVP_DigestSignInit(md, &ctx, EVP_sha256(), NULL, key) > 0 && set_pss(ctx, pss) &&
              EVP_DigestSign(md, octets, &len, text.data, text.len) > 0;
    if (ok)
        px_set(signature, ibk_span_of(octets, len));
    EVP_MD_CTX_free(md);
    EVP_PKEY_free(key);
    return ok ? signature->err : IBK_ERR_USAGE;
}

ibk_err px_rsa_sign_bare(ibk_span private_key, ibk_span text, px_octets *signature) {
    uint8_t octets[1024], digest[PX_MAC_LEN_MAX];
    size_t len = sizeof octets;
    EVP_PKEY *key = private_of(private_key);
    EVP_PKEY_CTX *ctx = key ? EVP_PKEY_CTX_new(key, NULL) : NULL; /* without a hash, as px_rsa_is_bare */
    bool ok = ctx && !px_digest("SHA256", text, digest) && EVP_PKEY_sign_init(ctx) > 0 &&
              EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) > 0 &&
              EVP_PKEY_sign(ctx, octets, &len, digest, 32) > 0;
    if (ok)
        px_set(signature, ibk_span_of(octets, len));
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(key);
    return ok ? signature->err : IBK_ERR_USAGE;
}

bool px_rsa_verify(ibk_span certificate, bool pss, ibk_span text, ibk_span signature) {
    EVP_PKEY *key = public_of(certificate);
    bool ok = false;
    const EVP_MD *const hashes[] = {EVP_sha256(), EVP_sha1()}; /* the message does not tell which (P-24) */
    for (size_t i = 0; key && !ok && i < 2; i++) {
        EVP_MD_CTX *md = EVP_MD_CTX_new();
        EVP_PKEY_CTX *ctx = NULL;
        ok = md && EVP_DigestVerifyInit(md, &ctx, hashes[i], NULL, key) > 0 &&
             (!pss || (EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PSS_PADDING) > 0 &&
                       EVP_PKEY_CTX_set_rsa_pss_saltlen(ctx, RSA_PSS_SALTLEN_AUTO) > 0)) &&
             EVP_DigestVerify(md, signature.data, signature.len, text.data, text.len) == 1;
        EVP_MD_CTX_free(md);
    }
    EVP_PKEY_free(key);
    return ok;
}

bool px_rsa_is_bare(ibk_span certificate, ibk_span text, ibk_span signature) {
    static const char *const names[] = {"SHA256", "SHA1"};
    uint8_t digest[PX_MAC_LEN_MAX];
    EVP_PKEY *key = public_of(certificate);
    bool is = false;
    for (size_t i = 0; key && !is && i < 2; i++) {
        EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL); /* without a hash: what is signed is what is given */
        is = ctx && !px_digest(names[i], text, digest) && EVP_PKEY_verify_init(ctx) > 0 &&
             EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) > 0 &&
             EVP_PKEY_verify(ctx, signature.data, signature.len, digest, i ? 20 : 32) == 1;
        EVP_PKEY_CTX_free(ctx);
    }
    EVP_PKEY_free(key);
    return is;
}

static bool set_scheme(EVP_PKEY_CTX *ctx, peer_envelope scheme) {
    if (scheme == PEER_PKCS1_V15)
        return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_PADDING) > 0;
    const EVP_MD *hash = scheme == PEER_OAEP ? EVP_sha1() : EVP_sha256();
    return EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_PKCS1_OAEP_PADDING) > 0 &&
           EVP_PKEY_CTX_set_rsa_oaep_md(ctx, hash) > 0 && EVP_PKEY_CTX_set_rsa_mgf1_md(ctx, hash) > 0;
}

ibk_err px_rsa_encrypt(ibk_span certificate, peer_envelope scheme, ibk_span secret, px_octets *out) {
    uint8_t octets[1024];
    size_t len = sizeof octets;
    EVP_PKEY *key = public_of(certificate);
    EVP_PKEY_CTX *ctx = key ? EVP_PKEY_CTX_new(key, NULL) : NULL;
    bool ok = ctx && EVP_PKEY_encrypt_init(ctx) > 0 && set_scheme(ctx, scheme) &&
              EVP_PKEY_encrypt(ctx, octets, &len, secret.data, secret.len) > 0;
    if (ok)
        px_set(out, ibk_span_of(octets, len));
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(key);
    return ok ? out->err : IBK_ERR_USAGE;
}

bool px_rsa_decrypt(ibk_span private_key, peer_envelope scheme, ibk_span data, px_octets *secret) {
    uint8_t octets[1024];
    size_t len = sizeof octets;
    EVP_PKEY *key = private_of(private_key);
    EVP_PKEY_CTX *ctx = key ? EVP_PKEY_CTX_new(key, NULL) : NULL;
    bool ok = ctx && EVP_PKEY_decrypt_init(ctx) > 0 && set_scheme(ctx, scheme) &&
              EVP_PKEY_decrypt(ctx, octets, &len, data.data, data.len) > 0;
    if (ok)
        px_set(secret, ibk_span_of(octets, len));
    ibk_wipe(octets, sizeof octets);
    EVP_PKEY_CTX_free(ctx);
    EVP_PKEY_free(key);
    return ok && !secret->err;
}
