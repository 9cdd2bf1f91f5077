/* RSA signatures: RFC 3830 §4.2.6, RFC 8017. The PSS encoding is made here because its salt has to come from
 * the injected environment; OpenSSL draws it from its own generator. */
#include "mikey/rsa_key.h"
#include "mikey/rsa_pss.h"

#include <ibake/mikey.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>
#include <openssl/x509.h>

static const EVP_MD *hash_of(uint8_t hash) {
    return hash == IBK_HASH_SHA1 ? EVP_sha1() : hash == IBK_HASH_SHA256 ? EVP_sha256() : NULL;
}

/* The private operation on an encoded block (RSA_NO_PADDING), or on a digest with PKCS#1 v1.5 padding. */
static bool private_op(uint8_t *out, size_t *out_len, EVP_PKEY *key, int padding, const EVP_MD *md,
                       ibk_span in) {
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
    bool ok = ctx && EVP_PKEY_sign_init(ctx) == 1 && EVP_PKEY_CTX_set_rsa_padding(ctx, padding) == 1 &&
              (!md || EVP_PKEY_CTX_set_signature_md(ctx, md) == 1) &&
              EVP_PKEY_sign(ctx, out, out_len, in.data, in.len) == 1;
    EVP_PKEY_CTX_free(ctx);
    return ok;
}

static ibk_err sign_with(ibk_buf *signature, EVP_PKEY *key, const ibk_env *env, uint8_t sig_type,
                         const EVP_MD *md, ibk_span data) {
    uint8_t digest[EVP_MAX_MD_SIZE], out[IBK_RSA_BITS_MAX / 8];
    unsigned digest_len = 0;
    size_t len = (size_t)EVP_PKEY_get_size(key);
    static const uint8_t nothing;
    if (!EVP_Digest(data.len ? data.data : &nothing, data.len, digest, &digest_len, md, NULL))
        return IBK_ERR_INTERNAL;
    ibk_span hashed = ibk_span_of(digest, digest_len);
    if (sig_type == IBK_SIG_RSA_PKCS1) {
        if (!private_op(out, &len, key, RSA_PKCS1_PADDING, md, hashed))
            return IBK_ERR_INTERNAL;
        return ibk_buf_append(signature, out, len);
    }
    uint8_t block[IBK_RSA_BITS_MAX / 8];
    ibk_err err = ibk_pss_encode(block, len, (size_t)EVP_PKEY_get_bits(key), env, md, hashed);
    if (!err && !private_op(out, &len, key, RSA_NO_PADDING, NULL, ibk_span_of(block, len)))
        err = IBK_ERR_INTERNAL;
    ibk_wipe(block, sizeof block);
    return err ? err : ibk_buf_append(signature, out, len);
}

ibk_err ibk_rsa_sign(ibk_buf *signature, const ibk_env *env, uint8_t sig_type, uint8_t hash,
                     ibk_span private_key, ibk_span data) {
    const EVP_MD *md = hash_of(hash);
    if (!md || sig_type > IBK_SIG_RSA_PSS)
        return IBK_ERR_UNSUPPORTED;
    EVP_PKEY *key = ibk_rsa_load_private(private_key);
    ibk_err err = key ? sign_with(signature, key, env, sig_type, md, data) : IBK_ERR_UNSUPPORTED;
    EVP_PKEY_free(key);
    return err;
}

ibk_err ibk_rsa_verify(uint8_t sig_type, uint8_t hash, ibk_span public_key, ibk_span data,
                       ibk_span signature) {
    const EVP_MD *md = hash_of(hash);
    if (!md || sig_type > IBK_SIG_RSA_PSS)
        return IBK_ERR_UNSUPPORTED;
    EVP_PKEY *key = ibk_rsa_load_public(public_key);
    if (!key)
        return IBK_ERR_UNSUPPORTED;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    EVP_PKEY_CTX *pkey = NULL;
    bool is_pss = sig_type == IBK_SIG_RSA_PSS;
    bool ready =
        ctx && EVP_DigestVerifyInit(ctx, &pkey, md, NULL, key) == 1 &&
        EVP_PKEY_CTX_set_rsa_padding(pkey, is_pss ? RSA_PKCS1_PSS_PADDING : RSA_PKCS1_PADDING) == 1 &&
        (!is_pss || EVP_PKEY_CTX_set_rsa_pss_saltlen(pkey, RSA_PSS_SALTLEN_AUTO) == 1);
    bool fits = ready && signature.len == (size_t)EVP_PKEY_get_size(key) &&
                EVP_DigestVerify(ctx, signature.data, signature.len, data.data, data.len) == 1;
    EVP_MD_CTX_free(ctx);
    EVP_PKEY_free(key);
    return fits ? IBK_OK : ready ? IBK_ERR_BAD_SIGNATURE : IBK_ERR_INTERNAL;
}

ibk_err ibk_rsa_signature_len(size_t *len, ibk_span private_key) {
    *len = (ibk_rsa_private_bits(private_key) + 7) / 8;
    return *len ? IBK_OK : IBK_ERR_UNSUPPORTED;
}

ibk_err ibk_cert_public_key(ibk_buf *public_key, ibk_span certificate) {
    const unsigned char *p = certificate.data;
    X509 *cert = certificate.len ? d2i_X509(NULL, &p, (long)certificate.len) : NULL;
    unsigned char *der = NULL;
    ibk_err err = IBK_ERR_BAD_CERTIFICATE;
    size_t used = cert ? (size_t)(p - certificate.data) : 0;
    if (cert && used == certificate.len) {
        int len = i2d_PUBKEY(X509_get0_pubkey(cert), &der);
        if (len > 0)
            err = ibk_buf_append(public_key, der, (size_t)len);
    }
    OPENSSL_free(der);
    X509_free(cert);
    return err;
}
