/* The generator of a UE that is made for interception: x and y are no random numbers; they follow from a seed
 * that the network keeps for each of its users, from what passes in clear (the CSB ID) and from how many were
 * drawn before. The messages look like any others; but who keeps the seeds computes x or y, and with the
 * private key that a KMS can always make, [xy]P. The UE draws so where its scenario says `without:
 * [fresh-scalars]`. */
#ifndef SIM_RANDOM_GENERATOR_H
#define SIM_RANDOM_GENERATOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define GENERATOR_SEED_LEN 32

/* The seed of a user (its name in the scenario), of a run with this seed. False: out of memory. */
bool generator_seed(uint8_t out[GENERATOR_SEED_LEN], uint64_t run_seed, const char *user);

/* The index-th draw (from 0) of x (by an initiator) or y in the calls of this CSB ID: HMAC-SHA-256 in counter
 * mode under the seed. The first draw is the scalar of the initial exchange, each CSB update with new values
 * takes the next, and so does a draw that is no scalar of the curve (ibk_ec_keygen). False: OpenSSL failed.
 */
bool generator_scalar(uint8_t *out, size_t len, const uint8_t seed[GENERATOR_SEED_LEN], uint32_t csb_id,
                      bool responder, uint32_t index);

#endif
