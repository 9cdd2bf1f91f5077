/* ibakelab: randomness for commands: the system's, or a repeatable stream. */
#include "cli/cli.h"

#include <openssl/rand.h>
#include <openssl/sha.h>
#include <string.h>

static ibk_err draw_system(void *user, ibk_draw_label label, uint8_t *out, size_t len) {
    (void)user;
    (void)label;
    if (len > INT32_MAX || RAND_priv_bytes(out, (int)len) != 1)
        return IBK_ERR_RANDOM;
    return IBK_OK;
}

/* Block i of a label is SHA-256(key || label || i); a draw takes whole blocks, so that draws of one label do
 * not shift those of another. */
static ibk_err draw_seeded(void *user, ibk_draw_label label, uint8_t *out, size_t len) {
    cli_random *r = user;
    if ((size_t)label >= sizeof r->counters / sizeof r->counters[0])
        return IBK_ERR_RANDOM;
    while (len) {
        uint8_t block[sizeof r->key + 9], digest[SHA256_DIGEST_LENGTH];
        uint64_t counter = r->counters[label]++;
        memcpy(block, r->key, sizeof r->key);
        block[sizeof r->key] = (uint8_t)label;
        for (size_t i = 0; i < 8; i++)
            block[sizeof r->key + 1 + i] = (uint8_t)(counter >> (56 - 8 * i));
        SHA256(block, sizeof block, digest);
        size_t part = len < sizeof digest ? len : sizeof digest;
        memcpy(out, digest, part);
        ibk_wipe(digest, sizeof digest);
        ibk_wipe(block, sizeof block);
        out += part;
        len -= part;
    }
    return IBK_OK;
}

void cli_random_system(cli_random *r) {
    *r = (cli_random){.env = {.user = r, .draw = draw_system}};
}

void cli_random_seeded(cli_random *r, const char *seed) {
    *r = (cli_random){.env = {.user = r, .draw = draw_seeded}, .seeded = true};
    SHA256((const uint8_t *)seed, strlen(seed), r->key);
}
