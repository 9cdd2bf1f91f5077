/* Encryption of KEMAC data: RFC 3830 §4.2.3, RFC 6043 §6.2. */
#include "wire/writer.h"

#include <ibake/mikey.h>
#include <openssl/evp.h>
#include <string.h>

enum { IV_LEN = 16, WRAP_BLOCK = 8, WRAP_MIN = 16, CM_MAX = 1 << 20 };

bool ibk_encr_known(uint8_t encr_alg) {
    return encr_alg <= IBK_ENCR_AES_CM_256;
}

size_t ibk_encr_key_len(uint8_t encr_alg) {
    switch (encr_alg) {
    case IBK_ENCR_AES_CM_128:
    case IBK_ENCR_AES_KW_128:
        return 16;
    case IBK_ENCR_AES_CM_256:
        return 32;
    default:
        return 0;
    }
}

/* IV = (S XOR (0x0000 || CSB ID || T)) || 0x0000, S the 112-bit salt. */
static void make_iv(uint8_t iv[IV_LEN], const uint8_t salt[IBK_SALT_LEN], uint32_t csb_id, const ibk_t *t) {
    uint64_t t64 = ibk_t_64(t);
    memset(iv, 0, IV_LEN);
    for (unsigned i = 0; i < 4; i++)
        iv[2 + i] = (uint8_t)(csb_id >> (24 - 8 * i));
    for (unsigned i = 0; i < 8; i++)
        iv[6 + i] = (uint8_t)(t64 >> (56 - 8 * i));
    for (unsigned i = 0; i < IBK_SALT_LEN; i++)
        iv[i] ^= salt[i];
}

/* Runs one cipher over `in` into room for `room` octets. */
static bool run(uint8_t *out, size_t room, size_t *out_len, const EVP_CIPHER *cipher, const uint8_t *key,
                const uint8_t *iv, bool encrypt, ibk_span in) {
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    int n = 0, last = 0;
    if (!ctx)
        return false;
    EVP_CIPHER_CTX_set_flags(ctx, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
    bool ok = EVP_CipherInit_ex(ctx, cipher, NULL, key, iv, encrypt) == 1 &&
              EVP_CIPHER_CTX_set_padding(ctx, 0) == 1 &&
              EVP_CipherUpdate(ctx, out, &n, in.data, (int)in.len) == 1 && n >= 0 && (size_t)n <= room &&
              EVP_CipherFinal_ex(ctx, out + n, &last) == 1;
    EVP_CIPHER_CTX_free(ctx);
    *out_len = ok ? (size_t)n + (size_t)last : 0;
    return ok;
}

static ibk_err counter_mode(ibk_buf *out, uint8_t encr_alg, const ibk_msg_keys *keys, uint32_t csb_id,
                            const ibk_t *t, ibk_span in) {
    if (in.len == 0)
        return IBK_OK;
    if (in.len > CM_MAX) /* the 16-bit block counter */
        return IBK_ERR_LIMIT;
    size_t at = out->len, n;
    uint8_t *room, iv[IV_LEN];
    ibk_err err = ibk_buf_room(out, in.len, &room);
    if (err)
        return err;
    make_iv(iv, keys->salt, csb_id, t);
    const EVP_CIPHER *cipher = encr_alg == IBK_ENCR_AES_CM_128 ? EVP_aes_128_ctr() : EVP_aes_256_ctr();
    if (!run(room, in.len, &n, cipher, keys->encr, iv, true, in) || n != in.len) {
        (void)ibk_buf_resize(out, at);
        err = IBK_ERR_INTERNAL;
    }
    ibk_wipe(iv, sizeof iv); /* the salt shows through what is XORed onto it */
    return err;
}

/* RFC 3394 with the first 64 bits of the salt as its initial value (RFC 3830 §4.2.3). */
static ibk_err key_wrap(ibk_buf *out, const ibk_msg_keys *keys, bool wrap, ibk_span in) {
    size_t at = out->len, n;
    size_t len = wrap ? in.len + WRAP_BLOCK : in.len - WRAP_BLOCK;
    uint8_t *room;
    ibk_err err = ibk_buf_room(out, in.len + (size_t)2 * WRAP_BLOCK, &room); /* what the library wants */
    if (err)
        return err;
    bool ok = run(room, in.len + (size_t)2 * WRAP_BLOCK, &n, EVP_aes_128_wrap(), keys->encr, keys->salt, wrap,
                  in) &&
              n == len;
    (void)ibk_buf_resize(out, ok ? at + len : at);
    return ok ? IBK_OK : wrap ? IBK_ERR_INTERNAL : IBK_ERR_DECRYPT;
}

static ibk_err wrap_padded(ibk_buf *out, const ibk_msg_keys *keys, ibk_span plain) {
    ibk_buf padded = {0};
    size_t len = (plain.len + WRAP_BLOCK - 1) / WRAP_BLOCK * WRAP_BLOCK;
    ibk_err err = ibk_buf_append_span(&padded, plain);
    if (!err)
        err = ibk_buf_resize(&padded, len < WRAP_MIN ? WRAP_MIN : len);
    if (!err)
        err = key_wrap(out, keys, true, ibk_buf_span(&padded));
    ibk_buf_free(&padded);
    return err;
}

static ibk_err check(uint8_t encr_alg, const ibk_msg_keys *keys, ibk_span in) {
    if (!ibk_encr_known(encr_alg))
        return IBK_ERR_UNSUPPORTED;
    if (keys->encr_len != ibk_encr_key_len(encr_alg))
        return IBK_ERR_USAGE;
    return in.len > IBK_BUF_MAX / 2 ? IBK_ERR_LIMIT : IBK_OK;
}

ibk_err ibk_kemac_encrypt(ibk_buf *out, uint8_t encr_alg, const ibk_msg_keys *keys, uint32_t csb_id,
                          const ibk_t *t, ibk_span plain) {
    ibk_err err = check(encr_alg, keys, plain);
    if (err)
        return err;
    if (encr_alg == IBK_ENCR_NULL)
        return ibk_buf_append_span(out, plain);
    if (encr_alg == IBK_ENCR_AES_KW_128)
        return wrap_padded(out, keys, plain);
    return counter_mode(out, encr_alg, keys, csb_id, t, plain);
}

ibk_err ibk_kemac_decrypt(ibk_buf *out, uint8_t encr_alg, const ibk_msg_keys *keys, uint32_t csb_id,
                          const ibk_t *t, ibk_span cipher) {
    ibk_err err = check(encr_alg, keys, cipher);
    if (err)
        return err;
    if (encr_alg == IBK_ENCR_NULL)
        return ibk_buf_append_span(out, cipher);
    if (encr_alg == IBK_ENCR_AES_KW_128) {
        if (cipher.len % WRAP_BLOCK || cipher.len < WRAP_MIN + WRAP_BLOCK)
            return IBK_ERR_DECRYPT;
        return key_wrap(out, keys, false, cipher);
    }
    return counter_mode(out, encr_alg, keys, csb_id, t, cipher);
}
