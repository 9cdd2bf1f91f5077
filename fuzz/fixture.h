/* ibakelab: the fixed world of the targets that need keys: one KMS with the ready-made 1024-bit parameters,
 * Alice and Bob of scenarios/basic/first-call-80.yaml, and the moment at which that scenario plays. What a
 * run of it sends is therefore accepted here, and makes good seeds (fuzz/seed).
 *
 * Constant fixtures live as long as the process. Fuzzers have them built before the first input
 * (LLVMFuzzerInitialize), others when they ask for them. Everything that an input could change (randomness,
 * replay caches, sessions) is made anew for each input. */
#ifndef FUZZ_FIXTURE_H
#define FUZZ_FIXTURE_H

#include <ibake.h>

#define FUZZ_ALICE   "sip:alice@home.example"
#define FUZZ_BOB     "sip:bob@home.example"
#define FUZZ_KMS     "kms@home.example"
#define FUZZ_MAILBOX "sip:mailbox@home.example"
#define FUZZ_SEED    1
#define FUZZ_PSK     "a key for fuzzing, of 32 octets." /* of both users; fuzz/seed sets it in the scenario */

ibk_time fuzz_now(void); /* two seconds into the scenario */

const ibk_ibe_params *fuzz_params(unsigned n); /* the ready-made set of 1024, 2048 or 3072 bits */
const ibk_ibe_master *fuzz_master(void);       /* of the 1024-bit set */

/* Bob's IBE identity of that day, and his private key for it under the 1024-bit parameters. */
ibk_span fuzz_bob_today(void);
const ibk_ibe_key *fuzz_bob_key(void);

/* Any private key under the 1024-bit parameters, and the precomputed peer for encrypting to it. Borrowed
 * until fuzz_forget, or until 32 other identities were asked for; those of the users and the mailbox for the
 * days around fuzz_now stay. Not empty, at most IBK_IBE_IDENTITY_MAX octets. */
const ibk_ibe_key *fuzz_key(ibk_span ibe_identity);
const ibk_ibe_peer *fuzz_peer(ibk_span ibe_identity);
void fuzz_forget(void); /* at the end of an input: under a fuzzer the next one finds nothing of it */

/* Certificates of a run with that seed (sim/tls/pki.h), DER: the trust anchor of users, and the KMS's
 * certificate with its private key. They take a moment to make. */
ibk_span fuzz_anchor(void);
ibk_kms_key_pair fuzz_kms_pair(void);

/* Repeatable randomness: the n-th draw of an input is always the same. The zero value is ready. */
typedef struct fuzz_random {
    uint64_t draws;
} fuzz_random;

ibk_env fuzz_env(fuzz_random *random); /* borrows `random` */

ibk_replay_cache *fuzz_replay_cache(void); /* a small new one; the caller frees it */

#endif
