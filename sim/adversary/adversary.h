/* An adversary of a scenario: it sits on links, in nodes and UEs, sees and changes real messages by its rules,
 * and has a node of its own to send from. */
#ifndef SIM_ADVERSARY_ADVERSARY_H
#define SIM_ADVERSARY_ADVERSARY_H

#include "adversary/rules.h"
#include "ims/host.h"

typedef struct adversary adversary;

/* All is borrowed, and outlives the adversary. */
typedef struct adversary_config {
    const scn_scenario *scenario;
    const scn_adversary *plan;
    ims_host_config host; /* its own node */
    void *user;
    n3_link *(*link_of)(void *user, const scn_seat *seat);
    const scn_call *(*call_of)(void *user, const char *call_id); /* NULL: no call of the scenario */
    bool (*address_of)(void *user, const char *name, n3_addr *out); /* of a node or user */
} adversary_config;

/* After all nodes and links are there, before the run. */
ibk_err adversary_new(adversary **out, const adversary_config *config, ibk_diag *diag);
void adversary_free(adversary *a); /* before the simulation; legal on NULL */

/* A STATE event of the run, from a sink of its trace. */
void adversary_state(adversary *a, const trace_event *event);

/* Nothing that its rules plan is still to come. */
bool adversary_is_idle(const adversary *a);
/* The first error that kept it from working, such as want of memory; the run is then no run. */
ibk_err adversary_failure(const adversary *a);

/* ---- what it did ---------------------------------------------------------------------------------------- */

const scn_adversary *adversary_plan(const adversary *a);
const rules_count *adversary_rule(const adversary *a, size_t index); /* of plan->rules[index] */
rules_totals adversary_totals(const adversary *a);

#endif
