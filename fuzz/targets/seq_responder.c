/* A sequence of messages with times (docs/fuzzing.md, "Sequences"): Bob and a second session of his node
 * answer; what reaches them is changed. */
#include "fuzz.h"
#include "world/world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    world_play(&cast_responder, data, size);
    return 0;
}
