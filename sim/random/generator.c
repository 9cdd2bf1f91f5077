#include "random/generator.h"
#include "random/random.h"

#include <openssl/hmac.h>
#include <string.h>

bool generator_seed(uint8_t out[GENERATOR_SEED_LEN], uint64_t run_seed, const char *user) {
    sim_random *random = sim_random_new(run_seed, user, "generator");
    bool ok = random && sim_random_draw(random, out, GENERATOR_SEED_LEN);
    sim_random_free(random);
    return ok;
}

static void put32(uint8_t *out, uint32_t value) {
    for (int i = 0; i < 4; i++)
        out[i] = (uint8_t)(value >> (24 - 8 * i));
}

bool generator_scalar(uint8_t *out, size_t len, const uint8_t seed[GENERATOR_SEED_LEN], uint32_t csb_id,
                      bool responder, uint32_t index) {
    uint8_t input[13] = {responder ? 'y' : 'x'}, block[32];
    put32(input + 1, csb_id);
    put32(input + 5, index);
    for (size_t at = 0, n = 0; at < len; at += sizeof block, n++) {
        put32(input + 9, (uint32_t)n);
        if (!HMAC(EVP_sha256(), seed, GENERATOR_SEED_LEN, input, sizeof input, block, NULL))
            return false;
        memcpy(out + at, block, len - at < sizeof block ? len - at : sizeof block);
    }
    return true;
}
