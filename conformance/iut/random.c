/* The randomness of a case: fixed values first, then a seeded stream or the system's generator. */
#include "conformance/iut/node.h"

#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

static const struct {
    ibk_draw_label label;
    const char *name; /* IUT.md §4 */
} labels[] = {{IBK_DRAW_CSB_ID, "csb-id"},
              {IBK_DRAW_RAND, "rand"},
              {IBK_DRAW_X, "x"},
              {IBK_DRAW_Y, "y"},
              {IBK_DRAW_RHO, "rho"},
              {IBK_DRAW_SK, "sk"},
              {IBK_DRAW_ENVELOPE, "envelope"},
              {IBK_DRAW_SALT, "salt"},
              {IBK_DRAW_BLIND, "blind"}};
enum { N_LABELS = sizeof labels / sizeof labels[0], DRAWS_MAX = 1024, EXPAND_MAX = 1024 };

void iut_random_read(const iut_place *at, iut_store *store, iut_random *out) {
    iut_only(at, "csb-id rand x y rho sk envelope salt blind seed");
    for (size_t i = 0; i < N_LABELS; i++) {
        size_t n = iut_array(at, labels[i].name, IUT_MAY, DRAWS_MAX);
        iut_draws *draws = &out->fixed[labels[i].label];
        if (n == 0)
            continue;
        draws->items = iut_alloc(at, n, sizeof *draws->items);
        for (; draws->items && draws->count < n; draws->count++)
            iut_element_octets(at, labels[i].name, draws->count, store, &draws->items[draws->count]);
    }
    iut_octets(at, "seed", IUT_MAY, store, &out->seed);
}

void iut_random_free(iut_random *random) {
    for (size_t i = 0; i < IUT_LABELS; i++)
        free(random->fixed[i].items);
    *random = (iut_random){0};
}

/* Each draw is a stretch of its own of a PRF: a draw for one purpose never shifts those for another. */
static ibk_err draw_seeded(iut_random *random, ibk_draw_label label, uint8_t *out, size_t len) {
    while (len > 0) {
        uint8_t name[10] = {'r', (uint8_t)label};
        uint64_t counter = random->counter[label]++;
        memcpy(name + 2, &counter, sizeof counter);
        size_t part = len < EXPAND_MAX ? len : EXPAND_MAX;
        ibk_err err =
            ibk_prf_expand(out, part, IBK_PRF_HMAC_SHA256, random->seed, ibk_span_of(name, sizeof name));
        if (err)
            return err;
        out += part;
        len -= part;
    }
    return IBK_OK;
}

ibk_err iut_random_draw(iut_random *random, ibk_draw_label label, uint8_t *out, size_t len) {
    if ((size_t)label >= IUT_LABELS)
        return IBK_ERR_RANDOM;
    iut_draws *draws = &random->fixed[label];
    if (draws->next < draws->count) {
        ibk_span value = draws->items[draws->next++];
        if (value.len != len)
            return IBK_ERR_RANDOM; /* IUT.md §4: a fixed value of the wrong length fails the operation */
        memcpy(out, value.data, len);
        return IBK_OK;
    }
    if (random->seed.len > 0)
        return draw_seeded(random, label, out, len);
    return len <= INT32_MAX && RAND_priv_bytes(out, (int)len) == 1 ? IBK_OK : IBK_ERR_RANDOM;
}
