/* The adversaries of a run: seated in its world, and what they did told. */
#ifndef SIM_RUN_ADVERSARIES_H
#define SIM_RUN_ADVERSARIES_H

#include "reports/result.h"
#include "run/world.h"

/* Seats adversary `index` of the scenario, when all nodes and users are there. */
ibk_err run_adversary_start(world *w, size_t index, const ims_host_config *host, ibk_diag *diag);
/* Hands STATE events to all of them; a sink of the trace. */
void run_adversaries_state(void *world, const trace_event *event);
bool run_adversaries_are_idle(const world *w);
/* Whether one of them could not work; diag tells whose and why. */
ibk_err run_adversaries_failure(const world *w, ibk_diag *diag);
void run_adversaries_free(world *w);

/* The adversary whose node DNS names for the KMS of this domain; NULL: none. */
const scn_adversary *run_impostor_of(const scn_scenario *s, const scn_domain *domain);

void observe_adversaries(result *r, const world *w);

#endif
