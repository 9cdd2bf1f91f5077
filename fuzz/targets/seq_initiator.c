/* A sequence of messages with times (docs/fuzzing.md, "Sequences"): Alice calls, forks and updates; what
 * reaches her is changed. */
#include "fuzz.h"
#include "world/world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    world_play(&cast_initiator, data, size);
    return 0;
}
