/* ibakelab: what every fuzz target shares. A target is one file of targets/: an LLVMFuzzerTestOneInput that
 * feeds the octets to the product and holds the outcome against an oracle. The same file runs under libFuzzer
 * (preset `fuzz`) and, with replay_main.c, over its corpus in every other build. */
#ifndef FUZZ_FUZZ_H
#define FUZZ_FUZZ_H

#include <ibake.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
/* Before the first input: what fuzzers call, and who only replays need not. NULL: there is nothing to build.
 */
__attribute__((weak)) int LLVMFuzzerInitialize(int *argc, char ***argv);

/* An oracle's claim. Not assert(): it holds in optimised builds too. */
#define FUZZ_CHECK(claim) ((claim) ? (void)0 : fuzz_broken(__FILE__, __LINE__, #claim))
_Noreturn void fuzz_broken(const char *file, int line, const char *claim);

/* A refusal tells its reason, and a place inside the input. */
void fuzz_check_refusal(ibk_err err, const ibk_diag *diag, size_t size);

/* Both octet strings are the same; else both are shown in hex from the first difference on. */
void fuzz_check_same(ibk_span want, ibk_span got);

/* The message parses, and is written back to the same octets. */
void fuzz_check_message(ibk_span octets);

#endif
