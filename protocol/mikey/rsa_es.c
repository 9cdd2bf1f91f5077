/* Encryption of envelope keys with RSA: RFC 3830 §4.2.5, RFC 8017 §7. The paddings are made and taken off
 * here: OpenSSL would draw their octets from its own generator, and would say when one is wrong. */
#include "mikey/rsa_es.h"
#include "mikey/rsa_key.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/rsa.h>

typedef int rsa_init(EVP_PKEY_CTX *ctx);
typedef int rsa_op(EVP_PKEY_CTX *ctx, unsigned char *out, size_t *out_len, const unsigned char *in,
                   size_t in_len);

/* RSAEP or RSADP on a whole block. */
static bool raw(uint8_t *out, EVP_PKEY *key, rsa_init *init, rsa_op *op, ibk_span in) {
    size_t len = (size_t)EVP_PKEY_get_size(key);
    EVP_PKEY_CTX *ctx = EVP_PKEY_CTX_new(key, NULL);
    bool ok = ctx && init(ctx) == 1 && EVP_PKEY_CTX_set_rsa_padding(ctx, RSA_NO_PADDING) == 1 &&
              op(ctx, out, &len, in.data, in.len) == 1 && len == in.len;
    EVP_PKEY_CTX_free(ctx);
    return ok;
}

ibk_err ibk_rsa_encrypt(ibk_buf *out, const ibk_env *env, uint8_t rsaes, ibk_span public_key,
                        ibk_span plain) {
    if (plain.len < IBK_ENVELOPE_MIN || plain.len > IBK_ENVELOPE_MAX)
        return IBK_ERR_USAGE;
    EVP_PKEY *key = ibk_rsa_load_public(public_key);
    if (!key)
        return IBK_ERR_UNSUPPORTED;
    uint8_t em[IBK_RSA_BITS_MAX / 8], cipher[IBK_RSA_BITS_MAX / 8];
    size_t len = (size_t)EVP_PKEY_get_size(key);
    ibk_err err = ibk_rsaes_pad(em, len, env, rsaes, plain);
    if (!err && !raw(cipher, key, EVP_PKEY_encrypt_init, EVP_PKEY_encrypt, ibk_span_of(em, len)))
        err = IBK_ERR_INTERNAL;
    ibk_wipe(em, sizeof em);
    EVP_PKEY_free(key);
    return err ? err : ibk_buf_append(out, cipher, len);
}

/* Is the ciphertext as long as the modulus, and below it? Both are public. */
static ibk_err check_cipher(EVP_PKEY *key, ibk_span cipher) {
    BIGNUM *n = NULL, *c = NULL;
    if (cipher.len != (size_t)EVP_PKEY_get_size(key))
        return IBK_ERR_BAD_LENGTH;
    ibk_err err = IBK_ERR_INTERNAL;
    if (EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_N, &n) == 1 &&
        (c = BN_bin2bn(cipher.data, (int)cipher.len, NULL)) != NULL)
        err = BN_cmp(c, n) < 0 ? IBK_OK : IBK_ERR_BAD_VALUE;
    BN_free(n);
    BN_free(c);
    return err;
}

/* The key that stands in for an envelope that does not open: HMAC-SHA-256 of the ciphertext under a hash of
 * the private exponent. The same ciphertext has the same one, as it would have with a right padding. */
static ibk_err stand_in(uint8_t out[IBK_ENVELOPE_MAX], EVP_PKEY *key, ibk_span cipher) {
    uint8_t d_octets[IBK_RSA_BITS_MAX / 8], hash[IBK_ENVELOPE_MAX];
    BIGNUM *d = NULL;
    int len = EVP_PKEY_get_size(key);
    bool ok = EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_RSA_D, &d) == 1 &&
              BN_bn2binpad(d, d_octets, len) == len &&
              EVP_Digest(d_octets, (size_t)len, hash, NULL, EVP_sha256(), NULL) == 1;
    BN_clear_free(d);
    ibk_err err =
        ok ? ibk_mac_compute(out, IBK_MAC_HMAC_SHA256_256, ibk_span_of(hash, sizeof hash), &cipher, 1)
           : IBK_ERR_INTERNAL;
    ibk_wipe(d_octets, sizeof d_octets);
    ibk_wipe(hash, sizeof hash);
    return err;
}

ibk_err ibk_rsa_decrypt(ibk_buf *plain, uint8_t rsaes, ibk_span private_key, ibk_span cipher) {
    EVP_PKEY *key = ibk_rsa_load_private(private_key);
    if (!key)
        return IBK_ERR_UNSUPPORTED;
    uint8_t em[IBK_RSA_BITS_MAX / 8], instead[IBK_ENVELOPE_MAX], opened[IBK_ENVELOPE_MAX];
    size_t opened_len = 0;
    ibk_err err = check_cipher(key, cipher);
    err = err ? err : stand_in(instead, key, cipher);
    if (!err && !raw(em, key, EVP_PKEY_decrypt_init, EVP_PKEY_decrypt, cipher))
        err = IBK_ERR_INTERNAL;
    err = err ? err : ibk_rsaes_unpad(opened, &opened_len, em, cipher.len, rsaes, instead);
    err = err ? err : ibk_buf_append(plain, opened, opened_len);
    ibk_wipe(em, sizeof em);
    ibk_wipe(instead, sizeof instead);
    ibk_wipe(opened, sizeof opened);
    EVP_PKEY_free(key);
    return err;
}
