/* The mutator as AFL++ loads it (AFL_CUSTOM_MUTATOR_LIBRARY). FUZZ_MUTATE is a mutate_kind. AFL++'s own
 * stages run too. */
#include "mutator/mutate.h"

#include <stdlib.h>
#include <string.h>

enum { OUT_MAX = 1 << 17 };

typedef struct state {
    uint64_t seed;
    uint8_t out[OUT_MAX];
} state;

void *afl_custom_init(void *afl, unsigned seed);
size_t afl_custom_fuzz(void *data, uint8_t *in, size_t size, uint8_t **out, uint8_t *add, size_t add_size,
                       size_t max);
void afl_custom_deinit(void *data);

void *afl_custom_init(void *afl, unsigned seed) {
    (void)afl;
    state *s = calloc(1, sizeof *s);
    if (s)
        s->seed = seed;
    return s;
}

size_t afl_custom_fuzz(void *data, uint8_t *in, size_t size, uint8_t **out, uint8_t *add, size_t add_size,
                       size_t max) {
    state *s = data;
    max = max < OUT_MAX ? max : OUT_MAX;
    size = size < max ? size : max;
    memcpy(s->out, in, size);
    *out = s->out;
    uint32_t seed = (uint32_t)(s->seed++ * 2654435761u);
    bool splice = add && add_size > 0 && seed % 4 == 0;
    return mutate(FUZZ_MUTATE, s->out, size, max, seed, splice ? ibk_span_of(add, add_size) : (ibk_span){0});
}

void afl_custom_deinit(void *data) {
    free(data);
}
