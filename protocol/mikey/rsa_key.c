#include "mikey/rsa_key.h"

#include <openssl/x509.h>
#include <string.h>

/* Takes the key over; NULL unless it is usable. */
static EVP_PKEY *if_usable(EVP_PKEY *key) {
    int bits = key ? EVP_PKEY_get_bits(key) : 0;
    if (key && EVP_PKEY_get_base_id(key) == EVP_PKEY_RSA && bits >= IBK_RSA_BITS_MIN &&
        bits <= IBK_RSA_BITS_MAX)
        return key;
    EVP_PKEY_free(key);
    return NULL;
}

EVP_PKEY *ibk_rsa_load_private(ibk_span der) {
    const unsigned char *p = der.data;
    return if_usable(der.len ? d2i_AutoPrivateKey(NULL, &p, (long)der.len) : NULL);
}

EVP_PKEY *ibk_rsa_load_public(ibk_span der) {
    const unsigned char *p = der.data;
    return if_usable(der.len ? d2i_PUBKEY(NULL, &p, (long)der.len) : NULL);
}

static unsigned bits_and_free(EVP_PKEY *key) {
    unsigned bits = key ? (unsigned)EVP_PKEY_get_bits(key) : 0;
    EVP_PKEY_free(key);
    return bits;
}

unsigned ibk_rsa_private_bits(ibk_span private_key) {
    return bits_and_free(ibk_rsa_load_private(private_key));
}

unsigned ibk_rsa_public_bits(ibk_span public_key) {
    return bits_and_free(ibk_rsa_load_public(public_key));
}

bool ibk_rsa_pair(ibk_span private_key, ibk_span public_key) {
    EVP_PKEY *a = ibk_rsa_load_private(private_key), *b = ibk_rsa_load_public(public_key);
    bool same = a && b && EVP_PKEY_eq(a, b) == 1;
    EVP_PKEY_free(a);
    EVP_PKEY_free(b);
    return same;
}

ibk_err ibk_mgf1_xor(uint8_t *block, size_t len, const EVP_MD *md, ibk_span seed) {
    uint8_t hash[EVP_MAX_MD_SIZE];
    size_t hash_len = (size_t)EVP_MD_get_size(md);
    EVP_MD_CTX *ctx = EVP_MD_CTX_new();
    bool ok = ctx != NULL;
    for (size_t at = 0, counter = 0; ok && at < len; at += hash_len, counter++) {
        uint8_t number[4];
        for (size_t i = 0; i < sizeof number; i++)
            number[i] = (uint8_t)(counter >> (24 - 8 * i));
        ok = EVP_DigestInit_ex(ctx, md, NULL) == 1 && EVP_DigestUpdate(ctx, seed.data, seed.len) == 1 &&
             EVP_DigestUpdate(ctx, number, sizeof number) == 1 && EVP_DigestFinal_ex(ctx, hash, NULL) == 1;
        for (size_t i = 0; ok && i < hash_len && at + i < len; i++)
            block[at + i] ^= hash[i];
    }
    EVP_MD_CTX_free(ctx);
    ibk_wipe(hash, sizeof hash);
    return ok ? IBK_OK : IBK_ERR_INTERNAL;
}
