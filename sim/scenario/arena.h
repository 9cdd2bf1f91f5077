/* Scenario loader: memory that lives as long as one scenario, freed (and wiped: it holds keys) at once. */
#ifndef SCENARIO_ARENA_H
#define SCENARIO_ARENA_H

#include <ibake.h>

struct scn_chunk;

/* The zero value is an empty arena. A failed allocation sets `failed` for good. */
typedef struct scn_arena {
    struct scn_chunk *chunks;
    bool failed;
} scn_arena;

void *scn_alloc(scn_arena *arena, size_t size); /* zeroed, aligned for any type; NULL on failure */
void *scn_alloc_array(scn_arena *arena, size_t count, size_t size);
/* Room for one more element behind `count` ones of `size` octets, moving the array when it is full; NULL on
 * failure. The capacity follows from count alone: arrays must grow one by one, from NULL and 0. */
void *scn_grow(scn_arena *arena, void *items, size_t count, size_t size);
/* Copies; "" on failure, so that a builder need check `failed` only once. */
const char *scn_copy(scn_arena *arena, const char *text, size_t len);
const char *scn_printf(scn_arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));
void scn_arena_free(scn_arena *arena);

#endif
