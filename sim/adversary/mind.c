#include "adversary/mind.h"
#include "adversary/seen.h"
#include "ims/ue/ue.h"
#include "random/generator.h"

#include <stdlib.h>
#include <string.h>

/* Something that it will hold from a time on. */
typedef struct hold {
    mind *m;
    const scn_holding *what;
    ims_timer timer;
} hold;

/* A TGK that a UE told its key log: of use once it is known to which call it belongs. */
typedef struct told {
    const char *node;
    wallet_secret secret;
} told;

struct mind {
    mind_config config;
    wallet *w;
    analyst *a;
    ledger_party *party;
    hold *holds;
    told *told;
    size_t told_count, told_cap;
    ibk_err failure; /* the first one: something that it should hold is missing */
};

static uint64_t now_of(const mind *m) {
    return n3_now(m->config.world->sim);
}

static void keep(mind *m, ibk_err err) {
    m->failure = m->failure ? m->failure : err;
}

/* ---- what it holds
 * ------------------------------------------------------------------------------------------------ */

static ibk_err take_key(mind *m, const scn_holding *h) {
    const scn_domain *domain = h->user->domain;
    const ibk_ibe_params *params = m->config.params(m->config.user, domain);
    const ibk_ibe_master *master = m->config.master(m->config.user, domain);
    ibk_ibe_key *key = NULL;
    ibk_buf name = {0};
    wallet_origin origin = wallet_from(LEDGER_BROKEN_IN, now_of(m), "taken from %s", h->user->name);
    ibk_err err = ibk_ibe_identity(&name, ibk_span_str(h->identity), domain->kms.granularity, h->date_utc_ns);
    err = err ? err : ibk_ibe_extract(params, master, ibk_buf_span(&name), &key);
    err = err ? err : wallet_add_key(m->w, params, ibk_buf_span(&name), key, &origin);
    ibk_ibe_key_free(key);
    ibk_buf_free(&name);
    return err;
}

static ibk_err take_master(mind *m, const scn_domain *domain) {
    wallet_origin origin =
        wallet_from(LEDGER_BROKEN_IN, now_of(m), "the master secret of the KMS of %.60s", domain->name);
    return wallet_add_master(m->w, m->config.params(m->config.user, domain),
                             m->config.master(m->config.user, domain), &origin);
}

static ibk_err take_psk(mind *m, const scn_user *user, ibk_span psk) {
    wallet_origin origin = wallet_from(LEDGER_BROKEN_IN, now_of(m), "the PSK of %s", user->name);
    return wallet_add_psk(m->w, psk, &origin);
}

static ibk_err take_memory(mind *m, const scn_user *user) {
    wallet_origin origin = wallet_from(LEDGER_BROKEN_IN, now_of(m), "from the memory of %s", user->name);
    return wallet_add_memory(m->w, m->config.ue_of(m->config.user, user), &origin);
}

static ibk_err take_generator(mind *m, const scn_user *user) {
    uint8_t seed[GENERATOR_SEED_LEN];
    wallet_origin origin = wallet_from(LEDGER_BROKEN_IN, now_of(m), "of the generator of %s", user->name);
    if (!generator_seed(seed, m->config.world->seed, user->name))
        return IBK_ERR_NO_MEMORY;
    ibk_err err = wallet_add_generator(m->w, user, ibk_span_of(seed, sizeof seed), &origin);
    ibk_wipe(seed, sizeof seed);
    return err;
}

static ibk_err take(mind *m, const scn_holding *h) {
    switch (h->kind) {
    case SCN_HOLDS_PRIVATE_KEY:
        return take_key(m, h);
    case SCN_HOLDS_MASTER_SECRET:
        return take_master(m, h->domain);
    case SCN_HOLDS_PSK:
        return take_psk(m, h->user, h->user->psk);
    case SCN_HOLDS_MEMORY:
        return take_memory(m, h->user);
    case SCN_HOLDS_GENERATOR:
        return take_generator(m, h->user);
    case SCN_HOLDS_SESSION_KEYS: /* mind_keylog */
    case SCN_HOLDS_SESSION_KEY:  /* mind_conclude: a call's CSB ID is known then */
        return IBK_OK;
    }
    return IBK_ERR_INTERNAL;
}

static void take_now(void *arg) {
    hold *h = arg;
    h->timer = 0;
    keep(h->m, take(h->m, h->what));
}

/* A node of the core that it has taken over gives what it holds. */
static ibk_err take_node(mind *m, const scn_seat *seat) {
    const scn_scenario *s = m->config.scenario;
    if (seat->kind != SCN_SEAT_NODE || seat->core != SCN_NODE_KMS)
        return IBK_OK;
    ibk_err err = take_master(m, seat->domain);
    for (size_t i = 0; !err && i < s->user_count; i++)
        if (s->users[i].domain == seat->domain && s->users[i].key_request == SCN_KEY_REQUEST_PSK)
            err = take_psk(m, &s->users[i], s->users[i].kms_psk);
    return err;
}

static ibk_err begin(mind *m) {
    const scn_adversary *plan = m->config.plan;
    const scn_scenario *s = m->config.scenario;
    ibk_err err = IBK_OK;
    for (size_t i = 0; !err && i < s->domain_count; i++)
        err = wallet_add_params(m->w, m->config.params(m->config.user, &s->domains[i]),
                                s->domains[i].kms.granularity);
    for (size_t i = 0; !err && i < plan->seat_count; i++)
        err = take_node(m, &plan->seats[i]);
    for (size_t i = 0; !err && i < plan->holding_count; i++) {
        hold *h = &m->holds[i];
        *h = (hold){.m = m, .what = &plan->holdings[i]};
        if (h->what->from_ns == 0)
            err = take(m, h->what);
        else if (n3_schedule(m->config.world->sim, &h->timer, h->what->from_ns, take_now, h) != N3_OK)
            err = IBK_ERR_INTERNAL;
    }
    return err;
}

/* ---- life
 * ----------------------------------------------------------------------------------------------------------
 */

ibk_err mind_new(mind **out, const mind_config *config) {
    mind *m = calloc(1, sizeof *m);
    *out = NULL;
    if (!m)
        return IBK_ERR_NO_MEMORY;
    m->config = *config;
    m->w = wallet_new();
    m->party = ledger_add(config->ledger, config->plan->name, LEDGER_ADVERSARY);
    m->holds = calloc(config->plan->holding_count + 1, sizeof *m->holds);
    analyst_config analysis = {.wallet = m->w,
                               .party = m->party,
                               .start_utc_ns = config->world->start_utc_ns,
                               .is_speech = config->is_speech,
                               .user = config->user};
    ibk_err err = m->w && m->party && m->holds ? analyst_new(&m->a, &analysis) : IBK_ERR_NO_MEMORY;
    err = err ? err : begin(m);
    if (err)
        mind_free(m);
    else
        *out = m;
    return err;
}

void mind_free(mind *m) {
    if (!m)
        return;
    for (size_t i = 0; m->holds && i < m->config.plan->holding_count; i++)
        if (m->holds[i].timer)
            n3_cancel(m->config.world->sim, m->holds[i].timer);
    for (size_t i = 0; i < m->told_count; i++)
        ibk_buf_free(&m->told[i].secret.octets);
    free(m->told);
    free(m->holds);
    analyst_free(m->a);
    wallet_free(m->w);
    free(m);
}

wallet *mind_wallet(const mind *m) {
    return m->w;
}

const ledger_party *mind_party(const mind *m) {
    return m->party;
}

const char *mind_note(const mind *m, size_t index) {
    return analyst_note(m->a, index);
}

/* ---- what passes
 * -------------------------------------------------------------------------------------------------- */

void mind_see(mind *m, const seen *s, const tap_message *message) {
    if (message->kind == TAP_MEDIA)
        analyst_media(m->a, message);
    else
        analyst_mikey(m->a, s);
}

void mind_see_own(mind *m, const scn_call *call, ibk_span mikey) {
    analyst_message message = {.at_ns = now_of(m), .octets = mikey, .call = call};
    analyst_add_message(m->a, &message);
}

/* ---- what is told to key logs
 * ------------------------------------------------------------------------------------- */

static bool has_taken(const mind *m, const char *node) {
    const scn_adversary *plan = m->config.plan;
    for (size_t i = 0; i < plan->seat_count; i++)
        if (plan->seats[i].kind == SCN_SEAT_UE && strcmp(plan->seats[i].user->name, node) == 0)
            return true;
    return false;
}

static bool is_told(const mind *m, const char *node, scn_holding_kind kind) {
    const scn_adversary *plan = m->config.plan;
    for (size_t i = 0; i < plan->holding_count; i++) {
        const scn_holding *h = &plan->holdings[i];
        const scn_user *teller = h->kind == SCN_HOLDS_SESSION_KEY ? h->call->from : h->user;
        if (h->kind == kind && strcmp(teller->name, node) == 0 &&
            (kind == SCN_HOLDS_SESSION_KEY || h->from_ns <= now_of(m)))
            return true;
    }
    return false;
}

static ibk_err remember(mind *m, const char *node, const ibk_keylog_record *record) {
    if (!IBK_ROOM(m->told, m->told_count, m->told_cap))
        return IBK_ERR_NO_MEMORY;
    told *t = &m->told[m->told_count];
    *t = (told){.node = node, .secret = {.csb_id = record->csb_id, .origin = {.since_ns = now_of(m)}}};
    ibk_err err = ibk_buf_append_span(&t->secret.octets, record->value);
    m->told_count += !err;
    return err;
}

void mind_keylog(mind *m, const ims_host *host, const ibk_keylog_record *record) {
    if (has_taken(m, host->name)) {
        wallet_origin origin = wallet_from(LEDGER_BROKEN_IN, now_of(m), "from %s, taken over", host->name);
        keep(m, wallet_add_record(m->w, record, false, &origin));
    } else if (record->kind == IBK_KEYLOG_TGK && is_told(m, host->name, SCN_HOLDS_SESSION_KEYS)) {
        wallet_origin origin = wallet_from(LEDGER_BROKEN_IN, now_of(m), "disclosed by %s", host->name);
        keep(m, wallet_add_tgk(m->w, record->csb_id, record->value, &origin));
    } else if (record->kind == IBK_KEYLOG_TGK && is_told(m, host->name, SCN_HOLDS_SESSION_KEY)) {
        keep(m, remember(m, host->name, record));
    }
}

/* ---- the end
 * ----------------------------------------------------------------------------------------------------- */

static bool is_of_call(const mind *m, const scn_call *call, uint32_t csb_id) {
    const ue *caller = m->config.ue_of(m->config.user, call->from);
    for (size_t i = 0; i < ue_call_count(caller); i++) {
        const ue_call_view *view = ue_call_at(caller, i);
        if (view->script == call && view->caller && view->csb_id == csb_id)
            return true;
    }
    return false;
}

static ibk_err take_leaked(mind *m, const scn_holding *h) {
    ibk_err err = IBK_OK;
    for (size_t i = 0; !err && i < m->told_count; i++) {
        const told *t = &m->told[i];
        uint64_t since = t->secret.origin.since_ns > h->from_ns ? t->secret.origin.since_ns : h->from_ns;
        wallet_origin origin = wallet_from(LEDGER_BROKEN_IN, since, "of call %s, leaked", h->call->name);
        if (strcmp(t->node, h->call->from->name) == 0 && is_of_call(m, h->call, t->secret.csb_id))
            err = wallet_add_tgk(m->w, t->secret.csb_id, ibk_buf_span(&t->secret.octets), &origin);
    }
    return err;
}

void mind_conclude(mind *m) {
    const scn_adversary *plan = m->config.plan;
    for (size_t i = 0; i < plan->holding_count; i++)
        if (plan->holdings[i].kind == SCN_HOLDS_SESSION_KEY)
            keep(m, take_leaked(m, &plan->holdings[i]));
    for (size_t i = 0; i < plan->seat_count; i++) /* what no key log told of, such as keys by RFC 5408 */
        if (plan->seats[i].kind == SCN_SEAT_UE)
            keep(m, take_memory(m, plan->seats[i].user));
    m->party->failed |= m->failure != IBK_OK;
    analyst_conclude(m->a);
}
