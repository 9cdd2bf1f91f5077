#include "run/adversaries.h"
#include "adversary/adversary.h"

#include <stdlib.h>

/* ---- where they sit -----------------------------------------------------------------------------------------
 */

/* links[] holds those of the core nodes, domain by domain in the order of scn_core_node, then those of the
 * users (world.c). */
static n3_link *link_of(void *user, const scn_seat *seat) {
    const world *w = user;
    size_t index = seat->kind == SCN_SEAT_NODE
                       ? (size_t)(seat->domain - w->scenario->domains) * SCN_CORE_NODES + seat->core
                       : w->access_links + (size_t)(seat->user - w->scenario->users);
    return w->links[index].link;
}

static const scn_call *call_of(void *user, const char *call_id) {
    const world *w = user;
    return ue_scripts_find(w->scripts, call_id);
}

static bool address_of(void *user, const char *name, n3_addr *out) {
    const world *w = user;
    n3_node *node = n3_node_find(w->ims.sim, name);
    return node && n3_node_address(node, out, w->scenario->network.ip == 6 ? N3_IPV6 : N3_IPV4) == N3_OK;
}

ibk_err run_adversary_start(world *w, size_t index, const ims_host_config *host, ibk_diag *diag) {
    const adversary_config config = {.scenario = w->scenario,
                                     .plan = &w->scenario->adversaries[index],
                                     .host = *host,
                                     .user = w,
                                     .link_of = link_of,
                                     .call_of = call_of,
                                     .address_of = address_of};
    return adversary_new(&w->adversaries[index], &config, diag);
}

void run_adversaries_free(world *w) {
    for (size_t i = 0; w->adversaries && i < w->scenario->adversary_count; i++)
        adversary_free(w->adversaries[i]);
    free(w->adversaries);
    w->adversaries = NULL;
}

const scn_adversary *run_impostor_of(const scn_scenario *s, const scn_domain *domain) {
    for (size_t i = 0; i < s->adversary_count; i++) {
        const scn_rogue_kms *kms = s->adversaries[i].kms;
        if (kms && kms->impersonates == domain)
            return &s->adversaries[i];
    }
    return NULL;
}

/* ---- while it lasts -----------------------------------------------------------------------------------------
 */

void run_adversaries_state(void *user, const trace_event *event) {
    world *w = user;
    for (size_t i = 0; w->adversaries && i < w->scenario->adversary_count; i++)
        if (w->adversaries[i])
            adversary_state(w->adversaries[i], event);
}

bool run_adversaries_are_idle(const world *w) {
    for (size_t i = 0; i < w->scenario->adversary_count; i++)
        if (!adversary_is_idle(w->adversaries[i]))
            return false;
    return true;
}

ibk_err run_adversaries_failure(const world *w, ibk_diag *diag) {
    for (size_t i = 0; i < w->scenario->adversary_count; i++) {
        ibk_err err = adversary_failure(w->adversaries[i]);
        if (err)
            return ibk_fail(diag, err, "adversary", 0, "%s: %s", w->scenario->adversaries[i].name,
                            ibk_err_text(err));
    }
    return IBK_OK;
}

/* ---- what they did ------------------------------------------------------------------------------------------
 */

void observe_adversaries(result *r, const world *w) {
    for (size_t i = 0; i < w->scenario->adversary_count; i++) {
        const adversary *a = w->adversaries[i];
        const scn_adversary *plan = adversary_plan(a);
        result_adversary *out = result_add_adversary(r);
        rules_totals totals = adversary_totals(a);
        out->name = result_text(r, plan->name);
        out->seen = totals.seen;
        out->changed = totals.changed;
        out->dropped = totals.dropped;
        out->delayed = totals.delayed;
        out->sent = totals.sent;
        for (size_t k = 0; k < plan->rule_count; k++) {
            const rules_count *count = adversary_rule(a, k);
            result_rule rule = {.on = plan->rules[k].on_text,
                                .text = plan->rules[k].text,
                                .fired = count->fired,
                                .failed = count->failed,
                                .why = count->failed ? ibk_err_text(count->why) : NULL};
            result_add_rule(r, out, &rule);
        }
    }
}
