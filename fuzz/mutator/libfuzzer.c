/* The mutator as libFuzzer calls it. One change in three is libFuzzer's own; of sequences,
 * of which it breaks the records, one in sixteen. FUZZ_MUTATE is a mutate_kind. */
#include "mutator/mutate.h"

#include <string.h>

size_t LLVMFuzzerMutate(uint8_t *data, size_t size, size_t max);
size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed);
size_t LLVMFuzzerCustomCrossOver(const uint8_t *data, size_t size, const uint8_t *other, size_t other_size,
                                 uint8_t *out, size_t max, unsigned seed);

size_t LLVMFuzzerCustomMutator(uint8_t *data, size_t size, size_t max, unsigned seed) {
    if (seed % (FUZZ_MUTATE == MUTATE_SEQUENCE ? 16 : 3) == 0)
        return LLVMFuzzerMutate(data, size, max);
    return mutate(FUZZ_MUTATE, data, size, max, seed, (ibk_span){0});
}

size_t LLVMFuzzerCustomCrossOver(const uint8_t *data, size_t size, const uint8_t *other, size_t other_size,
                                 uint8_t *out, size_t max, unsigned seed) {
    size = size < max ? size : max;
    memcpy(out, data, size);
    return mutate(FUZZ_MUTATE, out, size, max, seed, ibk_span_of(other, other_size));
}
