#include "peer/crypt.h"

#include <openssl/core_names.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <string.h>

size_t px_mac_len(uint8_t mac) {
    static const size_t len[] = {0, 20, 32};
    return mac < sizeof len / sizeof *len ? len[mac] : SIZE_MAX;
}

static const char *hash_of(uint8_t mac) {
    return mac == PX_MAC_SHA_1 ? "SHA1" : "SHA256";
}

ibk_err px_hmac(uint8_t mac, ibk_span key, ibk_span data, uint8_t *out) {
    size_t len = 0;
    OSSL_PARAM none[] = {OSSL_PARAM_END};
    static const uint8_t empty[1];
    /* an empty key has to be a key: NULL would mean "the one of before" */
    const uint8_t *octets = key.len ? key.data : empty;
    return EVP_Q_mac(NULL, "HMAC", NULL, hash_of(mac), none, octets, key.len, data.data, data.len, out,
                     PX_MAC_LEN_MAX, &len)
               ? IBK_OK
               : IBK_ERR_INTERNAL;
}

ibk_err px_digest(const char *name, ibk_span data, uint8_t *out) {
    size_t len = 0;
    return EVP_Q_digest(NULL, name, NULL, data.data, data.len, out, &len) ? IBK_OK : IBK_ERR_INTERNAL;
}

/* P(s, label, m) of RFC 3830 §4.1.2, XORed into out. */
static ibk_err add_block(uint8_t mac, px_prf_fault fault, ibk_span s, ibk_span label, uint8_t *out,
                         size_t len) {
    uint8_t a[PX_MAC_LEN_MAX], p[PX_MAC_LEN_MAX];
    size_t n = px_mac_len(mac), used = fault == PX_PRF_OUTPUT ? 20 : n;
    px_octets text = {0};
    ibk_err err = px_hmac(mac, s, label, a); /* A_1; A_0 is the label */
    for (size_t done = 0; !err && done < len; done += used) {
        px_clear(&text);
        px_put(&text, a, n);
        px_put_span(&text, label);
        err = text.err ? text.err : px_hmac(mac, s, px_span(&text), p);
        for (size_t i = 0; !err && i < used && done + i < len; i++)
            out[done + i] ^= p[i];
        if (!err)
            err = px_hmac(mac, s, fault == PX_PRF_CHAIN ? px_span(&text) : ibk_span_of(a, n), a);
    }
    px_free(&text);
    return err;
}

ibk_err px_derive(uint8_t prf, ibk_span inkey, px_label label, uint8_t *out, size_t len) {
    size_t split = label.fault == PX_PRF_WHOLE   ? inkey.len
                   : label.fault == PX_PRF_SPLIT ? 20
                                                 : 32; /* 256 bits for either function */
    px_octets text = {0};
    px_put32(&text, label.constant);
    px_put8(&text, label.cs_id);
    px_put32(&text, label.csb_id);
    px_put_span(&text, label.rand);
    ibk_err err = text.err;
    memset(out, 0, len);
    uint8_t mac = prf == PX_PRF_MIKEY_1 ? PX_MAC_SHA_1 : PX_MAC_SHA_256;
    for (size_t at = 0; !err && at < inkey.len; at += split) {
        size_t n = inkey.len - at < split ? inkey.len - at : split;
        err = add_block(mac, label.fault, ibk_span_of(inkey.data + at, n), px_span(&text), out, len);
    }
    px_free(&text);
    return err;
}

ibk_err px_aes_cm(ibk_span key, const uint8_t iv[16], ibk_buf *data) {
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    const EVP_CIPHER *cipher = key.len == 16 ? EVP_aes_128_ctr() : EVP_aes_256_ctr();
    int n = 0;
    bool ok = ctx && EVP_EncryptInit_ex(ctx, cipher, NULL, key.data, iv) &&
              (data->len == 0 || EVP_EncryptUpdate(ctx, data->data, &n, data->data, (int)data->len));
    EVP_CIPHER_CTX_free(ctx);
    return ok ? IBK_OK : IBK_ERR_INTERNAL;
}

ibk_err px_aes_wrap(bool wrap, ibk_span key, const uint8_t iv[8], ibk_span data, ibk_buf *out) {
    EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
    size_t at = out->len;
    int n = 0;
    if (ctx)
        EVP_CIPHER_CTX_set_flags(ctx, EVP_CIPHER_CTX_FLAG_WRAP_ALLOW);
    ibk_err err = !ctx || !EVP_CipherInit_ex(ctx, EVP_aes_128_wrap(), NULL, key.data, iv, wrap)
                      ? IBK_ERR_INTERNAL
                      : ibk_buf_resize(out, at + data.len + 16);
    if (!err && (data.len == 0 || !EVP_CipherUpdate(ctx, out->data + at, &n, data.data, (int)data.len)))
        err = IBK_ERR_DECRYPT;
    EVP_CIPHER_CTX_free(ctx);
    if (!err || out->len > at)
        (void)ibk_buf_resize(out, at + (err ? 0 : (size_t)n));
    return err;
}

ibk_err px_random_seed(px_random *r, ibk_span seed) {
    memset(r, 0, sizeof *r);
    return px_digest("SHA256", seed, r->key);
}

ibk_err px_random_draw(px_random *r, unsigned label, uint8_t *out, size_t len) {
    uint8_t text[24] = {(uint8_t)label}, block[PX_MAC_LEN_MAX];
    uint64_t draw = ++r->drawn[label & 15];
    memcpy(text + 8, &draw, sizeof draw);
    for (size_t at = 0; at < len; at += sizeof block) {
        uint64_t number = at;
        memcpy(text + 16, &number, sizeof number);
        ibk_err err = px_hmac(PX_MAC_SHA_256, ibk_span_of(r->key, 32), ibk_span_of(text, sizeof text), block);
        if (err)
            return err;
        memcpy(out + at, block, len - at < sizeof block ? len - at : sizeof block);
    }
    return IBK_OK;
}
