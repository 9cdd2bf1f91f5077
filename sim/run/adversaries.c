#include "run/adversaries.h"
#include "adversary/adversary.h"
#include "run/params.h"

#include <stdlib.h>

typedef struct run_adversary {
    adversary *adversary;
    ibk_ibe_params *base; /* what its own KMS begins with */
    ibk_ibe_master *base_master;
} run_adversary;

/* ---- where they sit
 * -----------------------------------------------------------------------------------------
 */

/* links[] holds those of the core nodes, domain by domain in the order of scn_core_node, then those of the
 * users (world.c). */
static n3_link *link_at(const world *w, const scn_seat *seat) {
    size_t index = seat->kind == SCN_SEAT_NODE
                       ? (size_t)(seat->domain - w->scenario->domains) * SCN_CORE_NODES + seat->core
                       : w->access_links + (size_t)(seat->user - w->scenario->users);
    return w->links[index].link;
}

static n3_link *link_of(void *user, const scn_seat *seat) {
    return link_at(user, seat);
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

/* ---- what the run knows for them
 * ------------------------------------------------------------------------------
 */

static const ibk_ibe_params *params_of(void *user, const scn_domain *domain) {
    return world_domain_of(user, domain)->params;
}

static const ibk_ibe_master *master_of(void *user, const scn_domain *domain) {
    return world_domain_of(user, domain)->master;
}

static const ue *ue_of(void *user, const scn_user *whose) {
    const world *w = user;
    return w->users[whose - w->scenario->users];
}

static bool is_speech(void *user, ibk_span rtp) {
    const world *w = user;
    return tally_is_speech(w->tally, rtp);
}

/* What a KMS of its own may need of the true one's. */
static ibk_err equip_kms(world *w, run_adversary *r, const scn_rogue_kms *plan, rogue_kms_config *out,
                         ibk_diag *diag) {
    size_t domain = (size_t)(plan->impersonates - w->scenario->domains);
    const scn_kms set = {.parameters = plan->parameters,
                         .parameters_file = plan->parameters_file,
                         .master_file = plan->master_file};
    ibk_err err = run_params_load(&r->base, &r->base_master, &set, diag);
    *out = (rogue_kms_config){.base = r->base,
                              .base_master = plan->parameters ? NULL : r->base_master,
                              .certificates = run_trust_pki(w->trust),
                              .tls_credential = run_trust_credential(w->trust, domain),
                              .pke_credential = run_credentials_kms(w->credentials, domain),
                              .anchor = run_credentials_anchor(w->credentials)};
    return err;
}

/* ---- life
 * -----------------------------------------------------------------------------------------------------
 */

ibk_err run_adversary_start(world *w, size_t index, const ims_host_config *host, ibk_diag *diag) {
    const scn_adversary *plan = &w->scenario->adversaries[index];
    run_adversary *r = &w->adversaries[index];
    adversary_config config = {.scenario = w->scenario,
                               .plan = plan,
                               .host = *host,
                               .ledger = w->ledger,
                               .user = w,
                               .params = params_of,
                               .master = master_of,
                               .ue_of = ue_of,
                               .is_speech = is_speech,
                               .link_of = link_of,
                               .call_of = call_of,
                               .address_of = address_of};
    ibk_err err = plan->kms ? equip_kms(w, r, plan->kms, &config.kms, diag) : IBK_OK;
    return err ? err : adversary_new(&r->adversary, &config, diag);
}

/* Hands STATE events to all of them; a sink of the trace, which outlives them. */
static void note_state(void *user, const trace_event *event) {
    const world *w = user;
    for (size_t i = 0; w->adversaries && i < w->scenario->adversary_count; i++)
        if (w->adversaries[i].adversary)
            adversary_state(w->adversaries[i].adversary, event);
}

static void note_key(void *user, const ims_host *host, const ibk_keylog_record *record) {
    const world *w = user;
    ledger_keylog(w->ledger, host->name, ims_host_now(host), record);
    for (size_t i = 0; i < w->scenario->adversary_count; i++)
        if (w->adversaries[i].adversary)
            adversary_keylog(w->adversaries[i].adversary, host, record);
}

ibk_err run_adversaries_prepare(world *w) {
    size_t count = w->scenario->adversary_count;
    w->ledger = ledger_new();
    w->adversaries = calloc(count + 1, sizeof *w->adversaries);
    if (!w->ledger || !w->adversaries)
        return IBK_ERR_NO_MEMORY;
    w->ims.watch_keys = note_key;
    w->ims.watch_keys_user = w;
    if (count == 0)
        return IBK_OK;
    return trace_add_sink(w->ims.trace, TRACE_MASK(TRACE_STATE), note_state, w);
}

void run_adversaries_free(world *w) {
    run_adversary *list = w->adversaries;
    w->adversaries = NULL; /* nobody hears what others say at their end */
    w->ims.watch_keys = NULL;
    for (size_t i = 0; list && i < w->scenario->adversary_count; i++) {
        adversary_free(list[i].adversary);
        ibk_ibe_master_free(list[i].base_master);
        ibk_ibe_params_free(list[i].base);
    }
    free(list);
    ledger_free(w->ledger);
    w->ledger = NULL;
}

/* ---- while it lasts
 * -----------------------------------------------------------------------------------------
 */

bool run_adversaries_are_idle(const world *w) {
    for (size_t i = 0; i < w->scenario->adversary_count; i++)
        if (!adversary_is_idle(w->adversaries[i].adversary))
            return false;
    return true;
}

ibk_err run_adversaries_failure(const world *w, ibk_diag *diag) {
    for (size_t i = 0; i < w->scenario->adversary_count; i++) {
        ibk_err err = adversary_failure(w->adversaries[i].adversary);
        if (err)
            return ibk_fail(diag, err, "adversary", 0, "%s: %s", w->scenario->adversaries[i].name,
                            ibk_err_text(err));
    }
    return IBK_OK;
}

void run_adversaries_conclude(world *w) {
    for (size_t i = 0; i < w->scenario->adversary_count; i++)
        adversary_conclude(w->adversaries[i].adversary);
}

/* ---- what they did
 * ------------------------------------------------------------------------------------------
 */

uint64_t observe_adversary(const world *w, scn_expect_kind kind, size_t index) {
    const adversary *a = w->adversaries[index].adversary;
    rules_totals totals = adversary_totals(a);
    arms_stats own = adversary_arms(a);
    uint64_t fired = 0, failed = 0;
    for (size_t k = 0; k < adversary_plan(a)->rule_count; k++) {
        fired += adversary_rule(a, k)->fired > 0;
        failed += adversary_rule(a, k)->failed;
    }
    switch (kind) {
    case SCN_EXPECT_ADVERSARY_RULES_FIRED:
        return fired;
    case SCN_EXPECT_ADVERSARY_RULES_FAILED:
        return failed;
    case SCN_EXPECT_ADVERSARY_MESSAGES_CHANGED:
        return totals.changed;
    case SCN_EXPECT_ADVERSARY_MESSAGES_DROPPED:
        return totals.dropped;
    case SCN_EXPECT_ADVERSARY_CALLS_ACCEPTED:
        return own.calls.accepted;
    case SCN_EXPECT_ADVERSARY_CALLS_KEYED:
        return own.calls.keys;
    case SCN_EXPECT_ADVERSARY_FLOOD_ANSWERED:
        return own.flood.answered;
    case SCN_EXPECT_ADVERSARY_MEDIA_INJECTED:
        return own.injected;
    case SCN_EXPECT_ADVERSARY_COMPUTING:
        return own.cpu.busy_ns;
    default:
        return totals.sent;
    }
}

void observe_adversaries_notes(result *r, const world *w) {
    for (size_t i = 0; i < w->scenario->adversary_count; i++) {
        const char *note;
        for (size_t k = 0; (note = adversary_note(w->adversaries[i].adversary, k)); k++)
            result_add_remark(r, result_textf(r, "%s: %s", w->scenario->adversaries[i].name, note));
    }
}

static result_effort effort_of(result *r, const adversary *a, const cpu_model *model) {
    arms_stats s = adversary_arms(a);
    return (result_effort){.calls = s.calls.placed,
                           .calls_answered = s.calls.answered,
                           .calls_keyed = s.calls.keys,
                           .flood_sent = s.flood.sent,
                           .flood_answered = s.flood.answered,
                           .media_relayed = s.media.relayed,
                           .media_injected = s.injected,
                           .parameters = s.kms.parameters,
                           .keys = s.kms.keys,
                           .handed_on = s.kms.handed_on,
                           .cpu = model && model->timed ? result_text(r, model->name) : NULL,
                           .operations = s.cpu.operations,
                           .busy_ns = s.cpu.busy_ns};
}

static void observe_seats(result *r, result_adversary *out, const world *w, const scn_adversary *plan) {
    for (size_t i = 0; i < plan->seat_count; i++) {
        const scn_seat *seat = &plan->seats[i];
        const n3_link *link = link_at(w, seat);
        result_add_seat(r, out,
                        &(result_seat){.link = link ? n3_link_name(link) : NULL,
                                       .inside = seat->kind == SCN_SEAT_LINK ? NULL : seat->node});
    }
}

void observe_adversaries(result *r, const world *w) {
    for (size_t i = 0; i < w->scenario->adversary_count; i++) {
        const adversary *a = w->adversaries[i].adversary;
        const scn_adversary *plan = adversary_plan(a);
        result_adversary *out = result_add_adversary(r);
        rules_totals totals = adversary_totals(a);
        out->name = result_text(r, plan->name);
        out->seen = totals.seen;
        out->changed = totals.changed;
        out->dropped = totals.dropped;
        out->delayed = totals.delayed;
        out->sent = totals.sent;
        out->own = effort_of(r, a, plan->cpu);
        observe_seats(r, out, w, plan);
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
