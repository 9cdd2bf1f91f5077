/* A sequence of messages with times (docs/fuzzing.md, "Sequences"): a mailbox answers in Bob's place, stores
 * an ESK and hands it on; what reaches it and Bob is changed. */
#include "fuzz.h"
#include "world/world.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    world_play(&cast_mailbox, data, size);
    return 0;
}
