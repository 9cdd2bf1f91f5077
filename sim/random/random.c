#include "random/random.h"

#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

struct sim_random {
    EVP_CIPHER_CTX *stream;
};

/* Each part is preceded by its length, so that ("ab", "c") and ("a", "bc") differ. */
static bool add_part(EVP_MD_CTX *hash, const void *part, size_t len) {
    uint64_t prefix = len;
    return EVP_DigestUpdate(hash, &prefix, sizeof prefix) && EVP_DigestUpdate(hash, part, len);
}

static bool derive_key(uint8_t key[32], uint64_t seed, const char *owner, const char *label) {
    static const char domain[] = "ibakelab random stream";
    EVP_MD_CTX *hash = EVP_MD_CTX_new();
    bool ok = hash && EVP_DigestInit_ex(hash, EVP_sha256(), NULL) &&
              add_part(hash, domain, sizeof domain - 1) && add_part(hash, &seed, sizeof seed) &&
              add_part(hash, owner, strlen(owner)) && add_part(hash, label, strlen(label)) &&
              EVP_DigestFinal_ex(hash, key, NULL);
    EVP_MD_CTX_free(hash);
    return ok;
}

sim_random *sim_random_new(uint64_t seed, const char *owner, const char *label) {
    static const uint8_t zero_iv[16];
    uint8_t key[32];
    sim_random *random = calloc(1, sizeof *random);
    if (!random)
        return NULL;
    random->stream = EVP_CIPHER_CTX_new();
    bool ok = random->stream && derive_key(key, seed, owner, label) &&
              EVP_EncryptInit_ex(random->stream, EVP_aes_256_ctr(), NULL, key, zero_iv);
    OPENSSL_cleanse(key, sizeof key);
    if (!ok) {
        sim_random_free(random);
        return NULL;
    }
    return random;
}

void sim_random_free(sim_random *random) {
    if (!random)
        return;
    EVP_CIPHER_CTX_free(random->stream);
    free(random);
}

bool sim_random_draw(sim_random *random, void *out, size_t len) {
    static const uint8_t zeros[256];
    uint8_t *next = out;
    while (len > 0) {
        int chunk = len < sizeof zeros ? (int)len : (int)sizeof zeros, written = 0;
        if (!EVP_EncryptUpdate(random->stream, next, &written, zeros, chunk) || written != chunk)
            return false;
        next += chunk;
        len -= (size_t)chunk;
    }
    return true;
}

uint64_t sim_random_u64(sim_random *random) {
    uint8_t octets[8] = {0};
    uint64_t value = 0;
    if (!sim_random_draw(random, octets, sizeof octets))
        abort(); /* AES-CTR over a buffer does not fail; going on with a constant would */
    for (size_t i = 0; i < sizeof octets; i++)
        value = value << 8 | octets[i];
    return value;
}
