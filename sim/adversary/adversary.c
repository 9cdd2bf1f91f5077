#include "adversary/adversary.h"

#include <stdlib.h>

/* A seat that has been taken. */
typedef struct place {
    adversary *a;
    const scn_seat *seat;
    tap *t;
} place;

struct adversary {
    adversary_config config;
    mind *mind;
    arms *arms;
    rules *rules;
    place *places;
    seen_world world;
    ibk_err failure;
};

/* ---- its seats --------------------------------------------------------------------------------------------
 */

static void fail(adversary *a, ibk_err err) {
    if (err && !a->failure)
        a->failure = err;
}

/* What it put in the place of a message is its own to know. */
static ibk_err note_own(adversary *a, const tap_message *message, ibk_span octets) {
    tap_message own = *message;
    seen s;
    own.octets = octets;
    ibk_err err = seen_read(&s, &a->world, &own);
    if (!err && s.has_mikey)
        mind_see_own(a->mind, s.call, ibk_buf_span(&s.mikey));
    seen_clear(&s);
    return err;
}

static bool is_away(const place *p) {
    uint64_t now = n3_now(p->a->config.host.world->sim);
    return now < p->seat->from_ns || now > p->seat->until_ns;
}

static void see(void *user, const tap_message *message, tap_verdict *verdict) {
    place *p = user;
    adversary *a = p->a;
    seen s;
    if (is_away(p)) /* the message passes as it is */
        return;
    ibk_err err = seen_read(&s, &a->world, message);
    if (!err) {
        mind_see(a->mind, &s, message);
        if (message->kind == TAP_MEDIA)
            arms_note_media(a->arms, &s);
        else
            arms_note_mikey(a->arms, &s);
        err = rules_message(a->rules, p->t, p->seat, &s, verdict);
    }
    seen_clear(&s);
    if (!err && verdict->what == TAP_REPLACE)
        err = note_own(a, message, verdict->octets);
    fail(a, err);
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
    a->places = calloc(plan->seat_count ? plan->seat_count : 1, sizeof *a->places);
    if (!a->places)
        return IBK_ERR_NO_MEMORY;
    for (size_t i = 0; !err && i < plan->seat_count; i++) {
        place *p = &a->places[i];
        *p = (place){.a = a, .seat = &plan->seats[i]};
        n3_link *link = a->config.link_of(a->config.user, p->seat);
        err = link ? tap_new(&p->t, sim, link, is_active(plan), see, p)
                   : ibk_fail(diag, IBK_ERR_INTERNAL, "seat", 0, "%s has no link", p->seat->node);
    }
    return err;
}

/* ---- life -------------------------------------------------------------------------------------------------
 */

static ibk_err start_mind(adversary *a) {
    const adversary_config *c = &a->config;
    const mind_config config = {.scenario = c->scenario,
                                .plan = c->plan,
                                .world = c->host.world,
                                .ledger = c->ledger,
                                .user = c->user,
                                .params = c->params,
                                .master = c->master,
                                .ue_of = c->ue_of,
                                .is_speech = c->is_speech};
    return mind_new(&a->mind, &config);
}

static ibk_err start_arms(adversary *a, ibk_diag *diag) {
    const adversary_config *c = &a->config;
    size_t n = c->scenario->domain_count;
    const ibk_ibe_params **params = calloc(n, sizeof *params);
    for (size_t i = 0; params && i < n; i++)
        params[i] = c->params(c->user, &c->scenario->domains[i]);
    const arms_config config = {.host = c->host,
                                .scenario = c->scenario,
                                .plan = c->plan,
                                .wallet = mind_wallet(a->mind),
                                .params = params,
                                .address = c->address_of,
                                .user = c->user,
                                .kms = c->kms};
    ibk_err err = params ? arms_new(&a->arms, &config, diag) : IBK_ERR_NO_MEMORY;
    free(params);
    return err;
}

static bool address(void *user, const char *name, n3_addr *out) {
    adversary *a = user;
    return a->config.address_of(a->config.user, name, out);
}

static ibk_err craft_hook(void *user, const seen *s, const scn_rule *rule, ibk_buf *mikey, ibk_diag *diag) {
    return arms_craft(((adversary *)user)->arms, s, rule, mikey, diag);
}

static ibk_err media_hook(void *user, const seen *s, const scn_rule *rule, ibk_buf *octets, ibk_diag *diag) {
    return arms_media(((adversary *)user)->arms, s, rule, octets, diag);
}

static ibk_err send_hook(void *user, const scn_rule *rule, const seen_record *what, ibk_diag *diag) {
    return arms_send(((adversary *)user)->arms, rule, what, diag);
}

static ibk_err resend_hook(void *user, const seen_record *what, ibk_diag *diag) {
    return arms_resend(((adversary *)user)->arms, what, diag);
}

static ibk_err start_rules(adversary *a) {
    const ims_world *world = a->config.host.world;
    const rules_config config = {.plan = a->config.plan,
                                 .seed = world->seed,
                                 .log = world->trace,
                                 .world = a->world,
                                 .hooks = {.user = a,
                                           .craft = craft_hook,
                                           .media = media_hook,
                                           .send = send_hook,
                                           .resend = resend_hook,
                                           .address = address}};
    return rules_new(&a->rules, &config);
}

static ibk_err begin(adversary *a, ibk_diag *diag) {
    ibk_err err = start_mind(a);
    if (!err)
        err = start_arms(a, diag);
    if (!err)
        err = start_rules(a);
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
    a->world = (seen_world){.sim = config->host.world->sim, .call_of = config->call_of, .user = config->user};
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
    for (size_t i = 0; a->places && i < a->config.plan->seat_count; i++)
        tap_free(a->places[i].t);
    free(a->places);
    arms_free(a->arms);
    mind_free(a->mind);
    free(a);
}

void adversary_state(adversary *a, const trace_event *event) {
    rules_state(a->rules, event);
}

bool adversary_is_idle(const adversary *a) {
    return rules_idle(a->rules) && arms_is_idle(a->arms);
}

void adversary_keylog(adversary *a, const ims_host *host, const ibk_keylog_record *record) {
    mind_keylog(a->mind, host, record);
}

void adversary_conclude(adversary *a) {
    mind_conclude(a->mind);
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

arms_stats adversary_arms(const adversary *a) {
    return arms_get_stats(a->arms);
}

const ledger_party *adversary_party(const adversary *a) {
    return mind_party(a->mind);
}

const char *adversary_note(const adversary *a, size_t index) {
    return mind_note(a->mind, index);
}
