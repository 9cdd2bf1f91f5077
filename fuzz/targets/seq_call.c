/* A sequence of messages with times (docs/fuzzing.md, "Sequences"): a whole call, the input being the man in
 * the middle. */
#include "fuzz.h"
#include "world/world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    world_play(&cast_call, data, size);
    return 0;
}
