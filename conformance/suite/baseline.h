/* The baseline: failures that are known, each with who owns it, why it is there, and until when.
 *
 *     known:
 *       - case: deviation/r-message-1/v-flag
 *         verdict: fail
 *         owner: alice@example.org
 *         reason: the flag is not looked at; mended in the next release
 *         expires: 2027-01-31
 */
#ifndef CONFORMANCE_SUITE_BASELINE_H
#define CONFORMANCE_SUITE_BASELINE_H

#include "conformance/suite/list.h"
#include "conformance/suite/run.h"

typedef struct suite_known {
    char name[256], verdict[24], owner[128], reason[256], expires[16];
    bool used;
} suite_known;

typedef struct suite_baseline {
    suite_known *items;
    size_t count;
} suite_baseline;

/* An empty file is an empty baseline. False: `error` says what is wrong, with file and line. */
bool suite_baseline_load(suite_baseline *out, const char *path, char *error, size_t size);
void suite_baseline_free(suite_baseline *baseline);
/* Holds results against the baseline: results[i].expected; complaints (an unexpected pass, an entry that
 * expired, is for no case at all, or for another verdict) go to `complain`. `today`: "2026-11-24". Returns
 * how many there are. */
size_t suite_baseline_judge(suite_baseline *baseline, const suite_list *all, suite_result *results, size_t n,
                            const char *today, void (*complain)(void *user, const char *text), void *user);
/* Writes the failures of a run: entries of before that still hold as they were, new ones with `owner` and a
 * month. */
bool suite_baseline_write(const suite_baseline *before, const suite_result *results, size_t n,
                          const char *path, const char *owner, const char *expires);
/* Is this verdict a failure? */
bool suite_failed(suite_verdict verdict);

#endif
