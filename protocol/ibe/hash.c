#include "ibe/hash.h"

#include <openssl/bn.h>
#include <openssl/evp.h>
#include <string.h>

typedef const EVP_MD *digest_getter(void);

static const struct {
    const char *name;
    digest_getter *get;
    size_t len;
} HASHES[] = {
    [IBK_IBE_SHA1] = {"SHA-1", EVP_sha1, 20},       [IBK_IBE_SHA224] = {"SHA-224", EVP_sha224, 28},
    [IBK_IBE_SHA256] = {"SHA-256", EVP_sha256, 32}, [IBK_IBE_SHA384] = {"SHA-384", EVP_sha384, 48},
    [IBK_IBE_SHA512] = {"SHA-512", EVP_sha512, 64},
};

static bool known(ibk_ibe_hash hash) {
    return (unsigned)hash >= IBK_IBE_SHA1 && (unsigned)hash <= IBK_IBE_SHA512;
}

size_t ibk_ibe_hash_len(ibk_ibe_hash hash) {
    return known(hash) ? HASHES[hash].len : 0;
}

const char *ibk_ibe_hash_name(ibk_ibe_hash hash) {
    return known(hash) ? HASHES[hash].name : "?";
}

ibk_err ibk_hasher_init(ibk_hasher *h, ibk_ibe_hash hash) {
    *h = (ibk_hasher){NULL, NULL, 0};
    if (!known(hash))
        return IBK_ERR_USAGE;
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    if (ctx == NULL)
        return IBK_ERR_NO_MEMORY;
    *h = (ibk_hasher){ctx, HASHES[hash].get(), HASHES[hash].len};
    // the first use fetches the implementation; later ones with a NULL type keep it
    if (EVP_DigestInit_ex(ctx, h->md, NULL) != 1) {
        ibk_hasher_free(h);
        return IBK_ERR_INTERNAL;
    }
    return IBK_OK;
}

void ibk_hasher_free(ibk_hasher *h) {
    EVP_MD_CTX_free(h->md_ctx);
    *h = (ibk_hasher){NULL, NULL, 0};
}

ibk_err ibk_hasher_run(ibk_hasher *h, uint8_t *out, ibk_span a, ibk_span b, ibk_span c) {
    EVP_MD_CTX *ctx = h->md_ctx;
    bool ok = EVP_DigestInit_ex(ctx, NULL, NULL) == 1 && EVP_DigestUpdate(ctx, a.data, a.len) == 1 &&
              EVP_DigestUpdate(ctx, b.data, b.len) == 1 && EVP_DigestUpdate(ctx, c.data, c.len) == 1 &&
              EVP_DigestFinal_ex(ctx, out, NULL) == 1;
    return ok ? IBK_OK : IBK_ERR_INTERNAL;
}

/* RFC 5091 §4.1.1: h_0 = 0, h_i = hash(h_(i-1) || s), the value h_1 || h_2. */
ibk_err ibk_hash_range_octets(ibk_hasher *h, uint8_t *out, ibk_span s, ibk_span s_more) {
    uint8_t zero[IBK_IBE_HASH_MAX] = {0};
    ibk_err err = ibk_hasher_run(h, out, ibk_span_of(zero, h->len), s, s_more);
    if (err == IBK_OK)
        err = ibk_hasher_run(h, out + h->len, ibk_span_of(out, h->len), s, s_more);
    return err;
}

/* RFC 5091 §4.2.1: K = hash(p), h_0 = 0, h_i = hash(h_(i-1)), r_i = hash(h_i || K). */
ibk_err ibk_hash_bytes_xor(ibk_hasher *h, uint8_t *out, const uint8_t *in, size_t len, ibk_span p) {
    uint8_t key[IBK_IBE_HASH_MAX], chain[IBK_IBE_HASH_MAX] = {0}, block[IBK_IBE_HASH_MAX];
    const ibk_span none = {NULL, 0};
    ibk_err err = ibk_hasher_run(h, key, p, none, none);
    for (size_t at = 0; at < len && err == IBK_OK; at += h->len) {
        err = ibk_hasher_run(h, chain, ibk_span_of(chain, h->len), none, none);
        if (err == IBK_OK)
            err = ibk_hasher_run(h, block, ibk_span_of(chain, h->len), ibk_span_of(key, h->len), none);
        for (size_t i = 0; i < h->len && at + i < len && err == IBK_OK; i++)
            out[at + i] = (uint8_t)(block[i] ^ (in != NULL ? in[at + i] : 0));
    }
    ibk_wipe(key, sizeof key);
    ibk_wipe(block, sizeof block);
    return err;
}

ibk_err ibk_ibe_digest(ibk_ibe_hash hash, ibk_span data, uint8_t *out) {
    ibk_hasher h;
    const ibk_span none = {NULL, 0};
    ibk_err err = ibk_hasher_init(&h, hash);
    if (err == IBK_OK)
        err = ibk_hasher_run(&h, out, data, none, none);
    ibk_hasher_free(&h);
    return err;
}

ibk_err ibk_ibe_hash_bytes(ibk_ibe_hash hash, ibk_span p, uint8_t *out, size_t len) {
    ibk_hasher h;
    if (len > IBK_IBE_PLAINTEXT_MAX)
        return IBK_ERR_LIMIT;
    ibk_err err = ibk_hasher_init(&h, hash);
    if (err == IBK_OK)
        err = ibk_hash_bytes_xor(&h, out, NULL, len, p);
    ibk_hasher_free(&h);
    return err;
}

/* Any n, even ones too, which the field code does not take: OpenSSL's division. */
static ibk_err reduce(uint8_t *out, const uint8_t *value, size_t value_len, ibk_span n) {
    BN_CTX *ctx = BN_CTX_new();
    BIGNUM *v = BN_bin2bn(value, (int)value_len, NULL), *m = BN_bin2bn(n.data, (int)n.len, NULL);
    ibk_err err = IBK_ERR_NO_MEMORY;
    if (ctx != NULL && v != NULL && m != NULL)
        err = BN_is_zero(m)                                                        ? IBK_ERR_USAGE
              : BN_mod(v, v, m, ctx) == 1 && BN_bn2binpad(v, out, (int)n.len) >= 0 ? IBK_OK
                                                                                   : IBK_ERR_INTERNAL;
    BN_clear_free(v);
    BN_free(m);
    BN_CTX_free(ctx);
    return err;
}

ibk_err ibk_ibe_hash_to_range(ibk_ibe_hash hash, ibk_span s, ibk_span n, uint8_t *out) {
    uint8_t octets[2 * IBK_IBE_HASH_MAX];
    ibk_hasher h;
    if (n.len == 0 || n.len > IBK_IBE_FIELD_MAX)
        return IBK_ERR_USAGE;
    ibk_err err = ibk_hasher_init(&h, hash);
    if (err == IBK_OK)
        err = ibk_hash_range_octets(&h, octets, s, (ibk_span){NULL, 0});
    if (err == IBK_OK)
        err = reduce(out, octets, 2 * h.len, n);
    ibk_hasher_free(&h);
    return err;
}
