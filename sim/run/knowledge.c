#include "run/knowledge.h"
#include "adversary/ledger.h"
#include "run/adversaries.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- whom and what it is about
 * -----------------------------------------------------------------------------------
 */

static bool expects_user(const scn_expectation *e, size_t user) {
    return e->set == SCN_SET_PARTIES && !e->knowledge.who && user >= e->first && user - e->first < e->count;
}

static bool has_account(const world *w, size_t user) {
    const scn_scenario *s = w->scenario;
    bool wanted = s->user_count <= KNOWLEDGE_USERS;
    for (size_t i = 0; i < s->expectation_count && !wanted; i++)
        wanted = expects_user(&s->expectations[i], user);
    return wanted;
}

/* A mailbox's call for a message has no place in the scenario. */
static bool is_told(const world *w, const scn_call *call) {
    const scn_scenario *s = w->scenario;
    if (!call || call->entry == UE_SCRIPT_OF_MAILBOX || (size_t)(call - s->calls) < KNOWLEDGE_CALLS)
        return true;
    for (size_t i = 0; i < s->expectation_count; i++)
        if (s->expectations[i].set == SCN_SET_PARTIES && s->expectations[i].knowledge.call == call)
            return true;
    return false;
}

ibk_err knowledge_prepare(world *w) {
    const scn_scenario *s = w->scenario;
    bool ok = true;
    for (size_t i = 0; i < s->user_count && ok; i++)
        if (has_account(w, i))
            ok = ledger_add(w->ledger, s->users[i].name, s->users[i].mailbox ? LEDGER_MAILBOX : LEDGER_USER);
    for (size_t i = 0; i < s->domain_count; i++)
        for (unsigned n = 0; n < SCN_CORE_NODES && ok; n++)
            ok = ledger_add(w->ledger, w->domains[i].name[n],
                            n == SCN_NODE_KMS ? LEDGER_KMS : LEDGER_FUNCTION);
    return ok ? IBK_OK : IBK_ERR_NO_MEMORY;
}

/* ---- honest nodes
 * ------------------------------------------------------------------------------------------------
 */

static void enter(ledger_party *party, scn_thing what, const scn_call *call, ledger_how how, uint64_t at_ns,
                  const char *step) {
    ledger_fact fact = {.what = what, .call = call, .how = how, .at_ns = at_ns};
    ledger_enter_f(party, &fact, "%s", step);
}

static bool saw(const ledger_exchange *e, ibk_keylog_kind kind) {
    return e->seen & 1u << kind;
}

/* What it drew itself, and the other's point, without which there is no K_SESSION. */
static void conclude_exchange(ledger_party *party, const scn_call *call, const ledger_exchange *e) {
    const uint64_t *at = e->at_ns;
    if (saw(e, IBK_KEYLOG_X)) {
        enter(party, SCN_THING_X, call, LEDGER_HELD, at[IBK_KEYLOG_X], "drawn by itself");
        enter(party, SCN_THING_XP, call, LEDGER_HELD, at[IBK_KEYLOG_X], "computed from its x");
        if (saw(e, IBK_KEYLOG_KSESSION))
            enter(party, SCN_THING_YP, call, LEDGER_DECRYPTED, at[IBK_KEYLOG_KSESSION],
                  "read in R_MESSAGE_1 with its private key");
    }
    if (saw(e, IBK_KEYLOG_Y)) {
        enter(party, SCN_THING_Y, call, LEDGER_HELD, at[IBK_KEYLOG_Y], "drawn by itself");
        enter(party, SCN_THING_YP, call, LEDGER_HELD, at[IBK_KEYLOG_Y], "computed from its y");
        if (saw(e, IBK_KEYLOG_KSESSION))
            enter(party, SCN_THING_XP, call, LEDGER_DECRYPTED, at[IBK_KEYLOG_KSESSION],
                  "read with its private key");
    }
}

static void conclude_media(ledger_party *party, const ue_call_view *v, const ledger_exchange *e,
                           const media_stats *stats) {
    if (stats->received == 0)
        return;
    uint64_t first = stats->first_accepted_ns;
    if (v->media_protected && e && saw(e, IBK_KEYLOG_TGK)) /* the key has opened packets */
        enter(party, SCN_THING_SESSION_KEY, v->script, LEDGER_COMPUTED,
              first > e->at_ns[IBK_KEYLOG_TGK] ? first : e->at_ns[IBK_KEYLOG_TGK],
              "[xy]P computed; SRTP accepted with what follows from it");
    if (stats->compared > stats->mismatches) /* and not content, which has a key of its own */
        enter(party, SCN_THING_MEDIA, v->script, LEDGER_RECEIVED, first,
              v->media_protected ? "SRTP of its call" : "RTP of its call, without protection");
}

static void conclude_user(const world *w, ledger_party *party, const ue *u) {
    const ue_status *s = ue_get_status(u);
    if (s->keys)
        enter(party, SCN_THING_PRIVATE_KEY, NULL, LEDGER_RECEIVED, s->keys_received.ns,
              "issued to it by its KMS");
    if (ue_user(u)->key_request == SCN_KEY_REQUEST_PSK && (party->seen & 1u << IBK_KEYLOG_PSK))
        enter(party, SCN_THING_PSK, NULL, LEDGER_HELD, party->at_ns[IBK_KEYLOG_PSK], "shared with its KMS");
    for (size_t i = 0; i < ue_call_count(u); i++) {
        const ue_call_view *v = ue_call_at(u, i);
        const ledger_exchange *e = ledger_exchange_of(party, v->csb_id);
        if (!is_told(w, v->script))
            continue;
        if (e)
            conclude_exchange(party, v->script, e);
        conclude_media(party, v, e, &v->stats);
        conclude_media(party, v, e, &v->video);
    }
}

static void conclude_kms(const world *w, ledger_party *party, const scn_domain *domain) {
    bool psks = false;
    for (size_t i = 0; i < w->scenario->user_count && !psks; i++)
        psks = w->scenario->users[i].domain == domain &&
               w->scenario->users[i].key_request == SCN_KEY_REQUEST_PSK;
    if (party->seen & 1u << IBK_KEYLOG_MASTER)
        enter(party, SCN_THING_MASTER_SECRET, NULL, LEDGER_HELD, party->at_ns[IBK_KEYLOG_MASTER], "its own");
    if (party->seen & 1u << IBK_KEYLOG_PRIV)
        enter(party, SCN_THING_PRIVATE_KEY, NULL, LEDGER_COMPUTED, party->at_ns[IBK_KEYLOG_PRIV],
              "extracted for those who asked for them");
    if (psks && (party->seen & 1u << IBK_KEYLOG_PSK))
        enter(party, SCN_THING_PSK, NULL, LEDGER_HELD, party->at_ns[IBK_KEYLOG_PSK], "shared with its users");
}

static ledger_party *party_of(const world *w, const ue *u) {
    return u ? ledger_find(w->ledger, ue_user(u)->name) : NULL;
}

static void conclude_message(const world *w, const ue_message_view *m) {
    ledger_party *recipient = party_of(w, m->recipient), *mailbox = party_of(w, m->via);
    ledger_party *maker = m->script ? ledger_find(w->ledger, m->script->from->name) : NULL;
    if (!is_told(w, m->script))
        return;
    if (maker)
        enter(maker, SCN_THING_CONTENT, m->script, LEDGER_HELD, m->script->at_ns,
              "encoded by itself under its SK");
    if (recipient && m->opened)
        enter(recipient, SCN_THING_CONTENT, m->script, LEDGER_DECRYPTED, m->delivered.ns,
              "ESK and content opened with its private key");
    if (mailbox && m->readable)
        enter(mailbox, SCN_THING_CONTENT, m->script, LEDGER_DECRYPTED, m->stored.ns,
              "opened with a key that it holds");
}

void knowledge_conclude(world *w) {
    for (size_t i = 0; i < w->scenario->user_count; i++) {
        ledger_party *party = party_of(w, w->users[i]);
        if (party)
            conclude_user(w, party, w->users[i]);
    }
    for (size_t i = 0; i < w->scenario->domain_count; i++)
        conclude_kms(w, ledger_find(w->ledger, w->domains[i].name[SCN_NODE_KMS]), w->domains[i].scenario);
    for (size_t i = 0; i < ue_messages_count(w->messages); i++)
        conclude_message(w, ue_messages_at(w->messages, i));
}

/* ---- expectations
 * ------------------------------------------------------------------------------------------------
 */

static size_t put(char out[KNOWLEDGE_TEXT], size_t len, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static size_t put(char out[KNOWLEDGE_TEXT], size_t len, const char *format, ...) {
    va_list args;
    va_start(args, format);
    int more = vsnprintf(out + len, KNOWLEDGE_TEXT - len, format, args);
    va_end(args);
    len += more > 0 ? (size_t)more : 0;
    return len < KNOWLEDGE_TEXT ? len : KNOWLEDGE_TEXT - 1;
}

static const ledger_fact *first_of(const ledger_party *party, const scn_call *call, uint64_t set,
                                   bool found_out) {
    const ledger_fact *first = NULL;
    for (size_t i = 0; i < party->fact_count; i++) {
        const ledger_fact *f = &party->facts[i];
        bool given = f->how == LEDGER_HELD || f->how == LEDGER_BROKEN_IN;
        if ((set & SCN_THING_BIT(f->what)) && (!call || f->call == call) && !(found_out && given) &&
            (!first || f->at_ns < first->at_ns))
            first = f;
    }
    return first;
}

/* "xP, yP", or "nothing" */
static size_t put_things(char out[KNOWLEDGE_TEXT], size_t len, uint64_t set) {
    const char *comma = "";
    for (scn_thing t = 0; t < SCN_THINGS; t++)
        if (set & SCN_THING_BIT(t)) {
            len = put(out, len, "%s%s", comma, scn_thing_name(t));
            comma = ", ";
        }
    return *comma ? len : put(out, len, "nothing");
}

static bool party_holds(const ledger_party *party, const scn_knowledge *k, char observed[KNOWLEDGE_TEXT],
                        size_t len) {
    bool nothing = k->learns & SCN_THING_BIT(SCN_THINGS);
    uint64_t known = nothing ? ledger_found_out(party, k->call) : ledger_knows(party, k->call);
    uint64_t unwanted = known & (nothing ? ~UINT64_C(0) : k->does_not);
    bool held = !unwanted && (nothing || (known & k->learns) == k->learns) && !party->failed;
    len = put_things(observed, len, known);
    const ledger_fact *why = unwanted ? first_of(party, k->call, unwanted, nothing) : NULL;
    if (why)
        len = put(observed, len, "; %s: %s", scn_thing_name(why->what), why->step);
    if (party->failed)
        put(observed, len, "; what it could know was not all tried");
    return held;
}

/* A `nothing` beside `does-not-learn` is two statements: what it has been given may be asked for by the
 * second. */
static bool both_hold(const ledger_party *party, const scn_knowledge *k, char observed[KNOWLEDGE_TEXT],
                      size_t len) {
    scn_knowledge rest = {.call = k->call, .does_not = k->does_not};
    return party_holds(party, k, observed, len) && (!(k->learns & SCN_THING_BIT(SCN_THINGS)) ||
                                                    !k->does_not || party_holds(party, &rest, observed, len));
}

bool knowledge_holds(const world *w, const scn_expectation *e, char observed[KNOWLEDGE_TEXT]) {
    for (size_t i = 0; i < e->count; i++) {
        const char *name = e->knowledge.who ? e->knowledge.who : w->scenario->users[e->first + i].name;
        const ledger_party *party = ledger_find(w->ledger, name);
        size_t len = e->count > 1 ? put(observed, 0, "%s: ", name) : 0;
        if (!party) {
            put(observed, len, "it was not watched");
            return false;
        }
        if (!both_hold(party, &e->knowledge, observed, len))
            return false;
    }
    return true;
}

/* ---- the result
 * --------------------------------------------------------------------------------------------------
 */

static int by_time(const void *left, const void *right) {
    const ledger_fact *a = left, *b = right;
    if (a->at_ns != b->at_ns)
        return a->at_ns < b->at_ns ? -1 : 1;
    if (a->what != b->what)
        return a->what < b->what ? -1 : 1;
    return strcmp(a->call ? a->call->name : "", b->call ? b->call->name : "");
}

static void observe_party(result *r, ledger_party *party) {
    result_party *out = result_add_party(r);
    out->name = result_text(r, party->name);
    out->kind = ledger_kind_name(party->kind);
    if (party->fact_count)
        qsort(party->facts, party->fact_count, sizeof *party->facts, by_time);
    for (size_t i = 0; i < party->fact_count; i++) {
        const ledger_fact *f = &party->facts[i];
        result_fact fact = {.what = scn_thing_name(f->what),
                            .call = f->call ? f->call->name : NULL,
                            .how = ledger_how_name(f->how),
                            .step = f->step,
                            .at = result_at(f->at_ns),
                            .given = f->how == LEDGER_HELD || f->how == LEDGER_BROKEN_IN};
        result_add_fact(r, out, &fact);
    }
    if (party->failed)
        result_add_remark(r, result_textf(r, "%s: what it could know was not all tried", party->name));
}

void observe_knowledge(result *r, const world *w) {
    const scn_scenario *s = w->scenario;
    for (ledger_kind kind = LEDGER_ADVERSARY; kind <= LEDGER_FUNCTION; kind++)
        for (size_t i = 0; i < ledger_count(w->ledger); i++)
            if (ledger_at(w->ledger, i)->kind == kind)
                observe_party(r, ledger_at(w->ledger, i));
    observe_adversaries_notes(r, w);
    if (s->user_count > KNOWLEDGE_USERS)
        result_add_remark(r, result_textf(r, "of %zu users those alone are listed that an expectation names",
                                          s->user_count));
    if (s->call_count > KNOWLEDGE_CALLS)
        result_add_remark(r, result_textf(r,
                                          "of %zu calls, users' accounts have the first %d and those that an "
                                          "expectation names",
                                          s->call_count, KNOWLEDGE_CALLS));
}
