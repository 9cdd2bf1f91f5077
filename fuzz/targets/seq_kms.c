/* A sequence of messages with times (docs/fuzzing.md, "Sequences"): a KMS and a user who asks it for keys,
 * both fed with changed messages. */
#include "fuzz.h"
#include "world/world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    world_play(&cast_kms, data, size);
    return 0;
}
