#include "run/properties.h"
#include "adversary/ledger.h"
#include "ims/ue/memory.h"
#include "run/world.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* One end of an exchange that it has completed; of one that it has not, `done` is NULL. */
typedef struct end {
    const ue *u;
    const ue_call_view *view;
    const ue_exchange *done;
} end;

typedef struct court {
    const world *w;
    property_finding *out;
    end *ends; /* those that completed it come first, by their keys; then the others */
    size_t count, done;
} court;

static void broken(court *c, scn_property p, const char *format, ...) __attribute__((format(printf, 3, 4)));
static void broken(court *c, scn_property p, const char *format, ...) {
    if (c->out[p].broken)
        return;
    va_list args;
    va_start(args, format);
    c->out[p].broken = true;
    vsnprintf(c->out[p].detail, sizeof c->out[p].detail, format, args);
    va_end(args);
}

static const char *name_of(const end *e) {
    return ue_user(e->u)->name;
}

static const char *call_of(const end *e) {
    return e->view->script ? e->view->script->name : e->view->call_id;
}

/* ---- partners
 * --------------------------------------------------------------------------------------------------- */

static bool same(const ue_digest *a, const ue_digest *b) {
    return memcmp(a->octets, b->octets, sizeof a->octets) == 0;
}

static int by_keys(const void *left, const void *right) {
    const end *a = left, *b = right;
    if (!a->done || !b->done)
        return !a->done - !b->done;
    return memcmp(a->done->keys.octets, b->done->keys.octets, sizeof a->done->keys.octets);
}

/* Does `caller` share the keys of another exchange with the UE of `callee`? Then that was the one it took
 * part in, and this one was answered by somebody else. */
static bool had_another(const court *c, const end *caller, const end *callee) {
    for (size_t i = 0; caller->done && i < c->done; i++) {
        const end *e = &c->ends[i];
        if (e->u == callee->u && e->view != callee->view && by_keys(e, caller) == 0)
            return true;
    }
    return false;
}

static bool confirmed(const end *e) {
    return e->view->caller && e->view->mikey_octets[2] > 0;
}

/* A caller that has confirmed [y]P and not seen a good R_MESSAGE_2 has the secret without knowing it: the
 * K_SESSION of both is the same. Who keeps no account (runs with many users) is believed by the CSB ID. */
static bool has_the_secret(const court *c, const end *caller, const end *callee) {
    const ledger_party *one = ledger_find(c->w->ledger, name_of(caller)),
                       *other = ledger_find(c->w->ledger, name_of(callee));
    if (!one || !other)
        return caller->view->csb_id == callee->view->csb_id;
    return ledger_share_k_session(one, caller->view->csb_id, other, callee->view->csb_id);
}

static const end *silent_caller(const court *c, const end *callee) {
    for (size_t i = 0; i < c->count; i++)
        if (confirmed(&c->ends[i]) && has_the_secret(c, &c->ends[i], callee) &&
            !had_another(c, &c->ends[i], callee))
            return &c->ends[i];
    return NULL;
}

/* Who confirmed an exchange under that CSB ID, with whatever keys: whom an adversary in the middle speaks
 * for. */
static const end *spoken_for(const court *c, const end *callee) {
    for (size_t i = 0; !callee->view->caller && i < c->count; i++)
        if (confirmed(&c->ends[i]) && c->ends[i].view->csb_id == callee->view->csb_id &&
            !had_another(c, &c->ends[i], callee))
            return &c->ends[i];
    return NULL;
}

/* Is it an identity of this user, or of the one whose further device it is? */
static bool goes_by(const scn_user *user, const char *identity) {
    return scn_has_identity(user, identity) ||
           (user->contact_of && scn_has_identity(user->contact_of, identity));
}

/* The exchange that a caller of a forked call has completed with that callee, with whatever keys; NULL: none.
 */
static const end *with_callee(const court *c, const end *caller, const end *callee) {
    for (size_t i = 0; i < c->done; i++)
        if (c->ends[i].view == caller->view && goes_by(ue_user(callee->u), c->ends[i].done->peer))
            return &c->ends[i];
    return NULL;
}

/* The other end of an exchange that end number `index` has completed. *silent: it has not completed this one,
 * whatever it completed besides (other branches of a forked call). */
static const end *partner_of(const court *c, size_t index, bool *silent) {
    const end *e = &c->ends[index];
    size_t first = index;
    *silent = false;
    while (first > 0 && by_keys(&c->ends[first - 1], e) == 0)
        first--;
    for (size_t i = first; i < c->done && by_keys(&c->ends[i], e) == 0; i++)
        if (c->ends[i].view->caller != e->view->caller && c->ends[i].u != e->u)
            return &c->ends[i];
    const end *caller = e->view->caller ? NULL : silent_caller(c, e);
    const end *completed = caller ? with_callee(c, caller, e) : NULL;
    *silent = !completed;
    return completed ? completed : caller;
}

static void judge_end(court *c, size_t index) {
    bool silent;
    const end *e = &c->ends[index], *partner = partner_of(c, index, &silent);
    if (!e->done) /* is there: judge_end goes through those that completed it */
        return;
    if (!partner) {
        broken(c, SCN_PROPERTY_AGREEMENT, "call %s: %s completed the exchange, and nobody else has its keys",
               call_of(e), name_of(e));
        partner = spoken_for(c, e);
        silent = false;
    }
    if (!partner)
        return;
    if (!goes_by(ue_user(partner->u), e->done->peer))
        broken(c, SCN_PROPERTY_IDENTITY, "call %s: %s takes %s for %s", call_of(e), name_of(e),
               name_of(partner), e->done->peer);
    if (silent || !partner->done)
        return;
    if (!same(&partner->done->terms, &e->done->terms))
        broken(c, SCN_PROPERTY_TERMS, "call %s: %s and %s agreed on different terms", call_of(e), name_of(e),
               name_of(partner));
    else if (!same(&partner->done->r_message_2, &e->done->r_message_2))
        broken(c, SCN_PROPERTY_TERMS,
               "call %s: the R_MESSAGE_2 that was accepted is not the one that was sent", call_of(e));
}

/* ---- freshness
 * ------------------------------------------------------------------------------------------------ */

static bool answered(const end *e) {
    return !e->view->caller && e->view->csb_id && e->view->mikey_octets[1] > 0;
}

static int by_exchange(const void *left, const void *right) {
    const end *a = left, *b = right;
    const scn_user *u = ue_user(a->u), *v = ue_user(b->u); /* of one array: their order is the scenario's */
    if (u != v)
        return u < v ? -1 : 1;
    return (a->view->csb_id > b->view->csb_id) - (a->view->csb_id < b->view->csb_id);
}

static void judge_freshness(court *c) {
    qsort(c->ends, c->count, sizeof *c->ends, by_exchange);
    for (size_t i = 1; i < c->count; i++) {
        const end *a = &c->ends[i - 1], *b = &c->ends[i];
        if (a->view != b->view && by_exchange(a, b) == 0 && answered(a) && answered(b))
            broken(c, SCN_PROPERTY_FRESHNESS, "%s answered the I_MESSAGE_1 of CSB %08x twice", name_of(b),
                   b->view->csb_id);
    }
}

/* ---- the ends of all exchanges
 * ------------------------------------------------------------------------------------------------ */

static void collect_view(court *c, const ue *u, const ue_call_view *view) {
    for (size_t i = 0; i < view->legs; i++)
        c->ends[c->count++] = (end){u, view, &view->exchanges[i]};
    if (!view->legs)
        c->ends[c->count++] = (end){u, view, NULL};
    c->done += view->legs;
}

static bool collect(court *c) {
    size_t total = 1;
    for (size_t i = 0; i < c->w->scenario->user_count; i++)
        for (size_t k = 0; k < ue_call_count(c->w->users[i]); k++)
            total += ue_call_at(c->w->users[i], k)->legs + 1;
    c->ends = calloc(total, sizeof *c->ends);
    for (size_t i = 0; c->ends && i < c->w->scenario->user_count; i++)
        for (size_t k = 0; k < ue_call_count(c->w->users[i]); k++)
            collect_view(c, c->w->users[i], ue_call_at(c->w->users[i], k));
    return c->ends != NULL;
}

/* ---- secrecy
 * --------------------------------------------------------------------------------------------------- */

/* A session key counts when it opened packets (docs/knowledge.md), however it came to the adversary. */
static void judge_adversary(court *c, const ledger_party *party) {
    const uint64_t secret = SCN_THING_BIT(SCN_THING_SESSION_KEY) | SCN_THING_BIT(SCN_THING_MEDIA);
    for (size_t i = 0; party->kind == LEDGER_ADVERSARY && i < party->fact_count; i++) {
        const ledger_fact *f = &party->facts[i];
        if (secret & SCN_THING_BIT(f->what))
            broken(c, SCN_PROPERTY_SECRECY, "%s%s: %s knows %s", f->call ? "call " : "",
                   f->call ? f->call->name : "no call of the scenario", party->name, scn_thing_name(f->what));
    }
}

static void judge_secrecy(court *c) {
    uint64_t readable = tally_plaintext(c->w->tally);
    for (size_t i = 0; i < ledger_count(c->w->ledger); i++)
        judge_adversary(c, ledger_at(c->w->ledger, i));
    if (readable)
        broken(c, SCN_PROPERTY_SECRECY, "%llu packets with readable media passed the core",
               (unsigned long long)readable);
}

/* ---- wiping
 * ---------------------------------------------------------------------------------------------------- */

/* A look into the memory of one UE. */
typedef struct search {
    court court;
    const ue *u;
} search;

static bool has_ended(const ue *u, uint32_t csb_id) {
    bool any = false;
    for (size_t i = 0; i < ue_call_count(u); i++) {
        const ue_call_view *view = ue_call_at(u, i);
        if (view->csb_id == csb_id && !view->ended.set)
            return false;
        any |= view->csb_id == csb_id;
    }
    return any;
}

/* A caller needs x until its call is answered: further branches of a fork may have an R_MESSAGE_1 for it. */
static bool needs_no_scalar(const ue *u, uint32_t csb_id) {
    for (size_t i = 0; i < ue_call_count(u); i++) {
        const ue_call_view *view = ue_call_at(u, i);
        if (view->csb_id == csb_id && view->has_keys && (!view->caller || view->established.set))
            return true;
    }
    return false;
}

/* P-20: the scalar goes as soon as K_SESSION is known, what came before an update when it is confirmed,
 * everything when the session ends. */
static void find_secret(void *user, const ibk_session_secret *secret) {
    search *s = user;
    const char *name = ue_user(s->u)->name;
    if (secret->age == IBK_SECRET_LEFT)
        broken(&s->court, SCN_PROPERTY_WIPING, "%s keeps secrets of CSB %08x that are no longer in force",
               name, secret->csb_id);
    else if (secret->kind == IBK_SECRET_SCALAR && secret->age == IBK_SECRET_IN_FORCE &&
             needs_no_scalar(s->u, secret->csb_id))
        broken(&s->court, SCN_PROPERTY_WIPING, "%s keeps its scalar of CSB %08x, whose K_SESSION is known",
               name, secret->csb_id);
    else if (has_ended(s->u, secret->csb_id) && secret->kind != IBK_SECRET_OWN_POINT &&
             secret->kind != IBK_SECRET_THEIR_POINT)
        broken(&s->court, SCN_PROPERTY_WIPING, "%s keeps secrets of CSB %08x, whose session has ended", name,
               secret->csb_id);
}

static void look_into(world *w, const ue *u) {
    search s = {.court = {.w = w, .out = w->properties}, .u = u};
    ue_memory_reader reader = {.user = &s, .session = find_secret};
    ue_read_memory(u, &reader);
}

static int by_name(const void *left, const void *right) {
    const ue *const *a = left, *const *b = right;
    return strcmp(ue_user(*a)->name, ue_user(*b)->name);
}

static int name_to_ue(const void *name, const void *element) {
    const ue *const *u = element;
    return strcmp(name, ue_user(*u)->name);
}

static void on_state(void *user, const trace_event *event) {
    world *w = user;
    if (strcmp(event->event, "established") != 0)
        return;
    const ue *const *who =
        bsearch(event->node, w->users_by_name, w->scenario->user_count, sizeof(ue *), name_to_ue);
    if (who)
        look_into(w, *who);
}

ibk_err properties_watch(world *w) {
    w->users_by_name = calloc(w->scenario->user_count, sizeof(ue *));
    if (!w->users_by_name)
        return IBK_ERR_NO_MEMORY;
    for (size_t i = 0; i < w->scenario->user_count; i++)
        w->users_by_name[i] = w->users[i];
    qsort(w->users_by_name, w->scenario->user_count, sizeof(ue *), by_name);
    return trace_add_sink(w->ims.trace, TRACE_MASK(TRACE_STATE), on_state, w);
}

/* ---- all of them
 * ----------------------------------------------------------------------------------------------- */

void properties_judge(world *w) {
    court c = {.w = w, .out = w->properties};
    judge_secrecy(&c);
    for (size_t i = 0; i < w->scenario->user_count; i++)
        look_into(w, w->users[i]);
    if (!collect(&c))
        return;
    qsort(c.ends, c.count, sizeof *c.ends, by_keys);
    for (size_t i = 0; i < c.done; i++)
        judge_end(&c, i);
    judge_freshness(&c);
    free(c.ends);
}

uint64_t properties_broken(const property_finding findings[SCN_PROPERTIES]) {
    uint64_t set = 0;
    for (unsigned i = 0; i < SCN_PROPERTIES; i++)
        set |= (uint64_t)findings[i].broken << i;
    return set;
}
