#include "adversary/adversary.h"
#include "adversary/resend.h"

#include <stdlib.h>

/* A seat that has been taken. */
typedef struct post {
    adversary *a;
    const scn_seat *seat;
    tap *t;
} post;

struct adversary {
    adversary_config config;
    ims_host *host; /* its own node: clock, draws */
    rules *rules;
    resend *resend;
    post *posts;
    seen_world world;
    ibk_err failure;
};

/* ---- its seats --------------------------------------------------------------------------------------------
 */

static void fail(adversary *a, ibk_err err) {
    if (err && !a->failure)
        a->failure = err;
}

static void see(void *user, const tap_message *message, tap_verdict *verdict) {
    post *p = user;
    seen s;
    ibk_err err = seen_read(&s, &p->a->world, message);
    if (!err)
        err = rules_message(p->a->rules, p->t, p->seat, &s, verdict);
    seen_clear(&s);
    fail(p->a, err);
}

/* Only who changes something on the way must split connections; who listens leaves no trace. */
static bool touches(const scn_rule *rule) {
    switch (rule->act) {
    case SCN_ATTACK_PASS:
    case SCN_ATTACK_RECORD:
    case SCN_ATTACK_FORGE:
    case SCN_ATTACK_FLOOD:
        return false;
    case SCN_ATTACK_REPLAY:
        return !rule->fresh;
    default:
        return true;
    }
}

static bool is_active(const scn_adversary *plan) {
    for (size_t i = 0; i < plan->rule_count; i++)
        if (touches(&plan->rules[i]))
            return true;
    return false;
}

static ibk_err take_seats(adversary *a, ibk_diag *diag) {
    const scn_adversary *plan = a->config.plan;
    n3_sim *sim = a->config.host.world->sim;
    ibk_err err = IBK_OK;
    a->posts = calloc(plan->seat_count ? plan->seat_count : 1, sizeof *a->posts);
    if (!a->posts)
        return IBK_ERR_NO_MEMORY;
    for (size_t i = 0; !err && i < plan->seat_count; i++) {
        post *p = &a->posts[i];
        *p = (post){.a = a, .seat = &plan->seats[i]};
        n3_link *link = a->config.link_of(a->config.user, p->seat);
        err = link ? tap_new(&p->t, sim, link, is_active(plan), see, p)
                   : ibk_fail(diag, IBK_ERR_INTERNAL, "seat", 0, "%s has no link", p->seat->node);
    }
    return err;
}

/* ---- what its rules ask of it -------------------------------------------------------------------------------
 */

static ibk_err send_again(void *user, const seen_record *what, ibk_diag *diag) {
    adversary *a = user;
    return resend_send(a->resend, what, diag);
}

static bool address(void *user, const char *name, n3_addr *out) {
    adversary *a = user;
    return a->config.address_of(a->config.user, name, out);
}

/* ---- life -------------------------------------------------------------------------------------------------
 */

static ibk_err begin(adversary *a, ibk_diag *diag) {
    ims_world *world = a->config.host.world;
    ims_host_config host = a->config.host;
    host.quiet = true;
    ibk_err err = ims_host_new(&a->host, &host, NULL);
    const resend_config again = {
        .name = a->config.plan->name, .node = host.node, .log = world->trace, .world = a->world};
    const rules_config behaviour = {.plan = a->config.plan,
                                .seed = world->seed,
                                .log = world->trace,
                                .world = a->world,
                                .hooks = {.user = a, .resend = send_again, .address = address}};
    a->resend = resend_new(&again);
    if (!err && !a->resend)
        err = IBK_ERR_NO_MEMORY;
    if (!err)
        err = rules_new(&a->rules, &behaviour);
    if (!err)
        err = take_seats(a, diag);
    return err ? err : rules_start(a->rules);
}

ibk_err adversary_new(adversary **out, const adversary_config *config, ibk_diag *diag) {
    adversary *a = calloc(1, sizeof *a);
    *out = NULL;
    if (!a)
        return IBK_ERR_NO_MEMORY;
    a->config = *config;
    a->world =
        (seen_world){.sim = config->host.world->sim, .call_of = config->call_of, .user = config->user};
    ibk_err err = begin(a, diag);
    if (err) {
        adversary_free(a);
        return err;
    }
    *out = a;
    return IBK_OK;
}

void adversary_free(adversary *a) {
    if (!a)
        return;
    rules_free(a->rules);
    resend_free(a->resend);
    for (size_t i = 0; a->posts && i < a->config.plan->seat_count; i++)
        tap_free(a->posts[i].t);
    free(a->posts);
    ims_host_free(a->host);
    free(a);
}

void adversary_state(adversary *a, const trace_event *event) {
    rules_state(a->rules, event);
}

bool adversary_is_idle(const adversary *a) {
    return rules_idle(a->rules) && resend_is_idle(a->resend);
}

ibk_err adversary_failure(const adversary *a) {
    return a->failure;
}

const scn_adversary *adversary_plan(const adversary *a) {
    return a->config.plan;
}

const rules_count *adversary_rule(const adversary *a, size_t index) {
    return rules_count_of(a->rules, index);
}

rules_totals adversary_totals(const adversary *a) {
    return rules_get_totals(a->rules);
}
