/* An adversary of a scenario: it sits on links, in nodes and UEs, sees and changes real messages by its
 * rules, and has a node of its own to send from. */
#ifndef SIM_ADVERSARY_ADVERSARY_H
#define SIM_ADVERSARY_ADVERSARY_H

#include "adversary/arms.h"
#include "adversary/mind.h"
#include "adversary/rules.h"

typedef struct adversary adversary;

/* All is borrowed, and outlives the adversary. */
typedef struct adversary_config {
    const scn_scenario *scenario;
    const scn_adversary *plan;
    ims_host_config host; /* its own node */
    ledger *ledger;       /* gets a party of its name */
    rogue_kms_config kms; /* with plan->kms; as in arms_config */
    void *user;
    const ibk_ibe_params *(*params)(void *user, const scn_domain *domain); /* as in mind_config */
    const ibk_ibe_master *(*master)(void *user, const scn_domain *domain);
    const struct ue *(*ue_of)(void *user, const scn_user *whose);
    bool (*is_speech)(void *user, ibk_span rtp);
    n3_link *(*link_of)(void *user, const scn_seat *seat);
    const scn_call *(*call_of)(void *user, const char *call_id);    /* NULL: no call of the scenario */
    bool (*address_of)(void *user, const char *name, n3_addr *out); /* of a node or user */
} adversary_config;

/* After all nodes and links are there, before the run. */
ibk_err adversary_new(adversary **out, const adversary_config *config, ibk_diag *diag);
void adversary_free(adversary *a); /* before the simulation; legal on NULL */

/* A STATE event of the run, from a sink of its trace. */
void adversary_state(adversary *a, const trace_event *event);

/* Nothing that its rules plan is still to come. */
bool adversary_is_idle(const adversary *a);
/* A record of the key log of a node of the run (ims_world.watch_keys). */
void adversary_keylog(adversary *a, const ims_host *host, const ibk_keylog_record *record);
/* At the end of the run, while the UEs still stand: what it makes of what it saw goes into the ledger. */
void adversary_conclude(adversary *a);
/* The first error that kept it from working, such as want of memory; the run is then no run. */
ibk_err adversary_failure(const adversary *a);

/* ---- what it did ----------------------------------------------------------------------------------------
 */

const scn_adversary *adversary_plan(const adversary *a);
const rules_count *adversary_rule(const adversary *a, size_t index); /* of plan->rules[index] */
rules_totals adversary_totals(const adversary *a);
arms_stats adversary_arms(const adversary *a);
const ledger_party *adversary_party(const adversary *a);
const char *adversary_note(const adversary *a, size_t index); /* as analyst_note */

#endif
