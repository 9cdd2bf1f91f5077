/* Answers of an adapter: are they what IUT.md and iut.schema.json permit? And what hello claims. */
#ifndef CONFORMANCE_SUITE_ADAPTER_H
#define CONFORMANCE_SUITE_ADAPTER_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

/* True: `answer` may be an answer to `op`; else `why` says what is wrong with it. */
bool suite_answer_good(const json_t *answer, const char *op, json_int_t seq, char *why, size_t size);
/* `name` (a number is compared with integers) stands in supports.<kind>. */
bool suite_supports(const json_t *supports, const char *kind, const char *name);
/* All of "roles:initiator,responder sizes:1024" ('+' in a name stands for a blank); else `missing` says the
 * first that is not there. */
bool suite_supports_all(const json_t *supports, const char *wants, char *missing, size_t size);

#endif
