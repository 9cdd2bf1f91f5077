/* The adversaries of a run: seated in its world, and what they did told. */
#ifndef SIM_RUN_ADVERSARIES_H
#define SIM_RUN_ADVERSARIES_H

#include "reports/result.h"
#include "run/world.h"

/* Before anything else: the ledger, ears for key logs, and for STATE events if there are adversaries. */
ibk_err run_adversaries_prepare(world *w);
/* Seats adversary `index` of the scenario, when all nodes and users are there. */
ibk_err run_adversary_start(world *w, size_t index, const ims_host_config *host, ibk_diag *diag);
bool run_adversaries_are_idle(const world *w);
/* Whether one of them could not work; diag tells whose and why. */
ibk_err run_adversaries_failure(const world *w, ibk_diag *diag);
/* When the run is over: what they make of what they saw goes into the ledger. */
void run_adversaries_conclude(world *w);
void run_adversaries_free(world *w);

void observe_adversaries(result *r, const world *w);
/* The value of an expectation of its set (SCN_EXPECT_ADVERSARY_…). */
uint64_t observe_adversary(const world *w, scn_expect_kind kind, size_t index);
void observe_adversaries_notes(result *r, const world *w); /* remarks: what their knowledge does not show */

#endif
