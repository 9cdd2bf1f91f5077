/* Labelled, repeatable randomness: one stream for each (seed, owner, label), independent of the order in
 * which others draw. A stream is AES-256-CTR under SHA-256(seed, owner, label), as unpredictable as the seed.
 */
#ifndef SIM_RANDOM_RANDOM_H
#define SIM_RANDOM_RANDOM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct sim_random sim_random;

/* A stream of its own; NULL when out of memory. The texts are copied into the key, not kept. */
sim_random *sim_random_new(uint64_t seed, const char *owner, const char *label);
void sim_random_free(sim_random *random); /* wipes */

/* Fills out[0..len); false only if the cipher fails. */
bool sim_random_draw(sim_random *random, void *out, size_t len);
uint64_t sim_random_u64(sim_random *random);

#endif
