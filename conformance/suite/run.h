/* A run: the chosen cases, played by several workers at once, and what came of each. */
#ifndef CONFORMANCE_SUITE_RUN_H
#define CONFORMANCE_SUITE_RUN_H

#include "conformance/suite/trial.h"

typedef struct suite_result {
    const suite_case *c;
    suite_outcome outcome;
    bool expected; /* the baseline knows this failure */
} suite_result;

typedef struct suite_run_options {
    const char *command, *data; /* see suite_worker */
    double limit;               /* seconds for an answer; 0: IUT.md §8 */
    unsigned jobs;              /* workers, at least 1 */
    bool once;                  /* a failure is not played again to see whether it is the same */
    /* Called when a case has its verdict; false stops the run early: the rest is skipped. May be NULL. */
    bool (*progress)(void *user, const suite_result *result);
    void *user;
} suite_run_options;

/* Plays `n` cases; results[i].c is given, results[i].outcome is filled in. The workers are processes of their
 * own: a defect of the suite in one case is the verdict `error` of that case. Returns false if no worker can
 * be had
 * (`error`). `ended` tells what was wrong with how adapters ended, if anything was (IUT.md §1); else it is
 * empty. */
bool suite_run(const suite_run_options *options, suite_result *results, size_t n, char *ended,
               size_t ended_size, char *error, size_t error_size);
void suite_results_free(suite_result *results, size_t n);

#endif
