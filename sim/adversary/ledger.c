#include "adversary/ledger.h"

#include <openssl/sha.h>
#include <search.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct ledger {
    ledger_party **parties;
    size_t count, cap;
    void *by_name;
};

const char *ledger_how_name(ledger_how how) {
    static const char *const names[] = {"held", "received", "decrypted", "computed", "broken-in"};
    return how < sizeof names / sizeof *names ? names[how] : "?";
}

const char *ledger_kind_name(ledger_kind kind) {
    static const char *const names[] = {"adversary", "user", "mailbox", "kms", "function"};
    return kind < sizeof names / sizeof *names ? names[kind] : "?";
}

/* ---- parties
 * ------------------------------------------------------------------------------------------------------- */

static int by_name(const void *a, const void *b) {
    return strcmp(((const ledger_party *)a)->name, ((const ledger_party *)b)->name);
}

ledger *ledger_new(void) {
    return calloc(1, sizeof(ledger));
}

void ledger_free(ledger *l) {
    for (size_t i = 0; l && i < l->count; i++) {
        tdelete(l->parties[i], &l->by_name, by_name);
        free(l->parties[i]->facts);
        for (size_t k = 0; k < l->parties[i]->exchange_count; k++)
            free(l->parties[i]->exchanges[k].k_sessions);
        free(l->parties[i]->exchanges);
        free(l->parties[i]);
    }
    if (l)
        free(l->parties);
    free(l);
}

ledger_party *ledger_add(ledger *l, const char *name, ledger_kind kind) {
    ledger_party *party = calloc(1, sizeof *party);
    if (!party || !IBK_ROOM(l->parties, l->count, l->cap)) {
        free(party);
        return NULL;
    }
    *party = (ledger_party){.name = name, .kind = kind};
    if (!tsearch(party, &l->by_name, by_name)) {
        free(party);
        return NULL;
    }
    l->parties[l->count++] = party;
    return party;
}

ledger_party *ledger_find(const ledger *l, const char *name) {
    const ledger_party key = {.name = name};
    ledger_party **found = tfind(&key, (void *const *)&l->by_name, by_name);
    return found ? *found : NULL;
}

size_t ledger_count(const ledger *l) {
    return l->count;
}

ledger_party *ledger_at(const ledger *l, size_t index) {
    return index < l->count ? l->parties[index] : NULL;
}

/* ---- facts
 * ---------------------------------------------------------------------------------------------------------
 */

void ledger_enter(ledger_party *party, const ledger_fact *fact) {
    for (size_t i = 0; i < party->fact_count; i++) {
        ledger_fact *known = &party->facts[i];
        if (known->what != fact->what || known->call != fact->call)
            continue;
        if (fact->at_ns < known->at_ns)
            *known = *fact;
        return;
    }
    if (!IBK_ROOM(party->facts, party->fact_count, party->fact_cap)) {
        party->failed = true;
        return;
    }
    party->facts[party->fact_count++] = *fact;
}

void ledger_enter_f(ledger_party *party, const ledger_fact *fact, const char *step, ...) {
    ledger_fact whole = *fact;
    va_list args;
    va_start(args, step);
    vsnprintf(whole.step, sizeof whole.step, step, args);
    va_end(args);
    ledger_enter(party, &whole);
}

static uint64_t things(const ledger_party *party, const scn_call *call, bool found_out) {
    uint64_t set = 0;
    for (size_t i = 0; i < party->fact_count; i++) {
        const ledger_fact *f = &party->facts[i];
        bool given = f->how == LEDGER_HELD || f->how == LEDGER_BROKEN_IN;
        if ((!call || f->call == call) && !(found_out && given))
            set |= SCN_THING_BIT(f->what);
    }
    return set;
}

uint64_t ledger_knows(const ledger_party *party, const scn_call *call) {
    return things(party, call, false);
}

uint64_t ledger_found_out(const ledger_party *party, const scn_call *call) {
    return things(party, call, true);
}

/* ---- what the key logs say
 * ----------------------------------------------------------------------------------------- */

static ledger_exchange *exchange_of(ledger_party *party, uint32_t csb_id) {
    for (size_t i = party->exchange_count; i-- > 0;) /* the latest goes on */
        if (party->exchanges[i].csb_id == csb_id)
            return &party->exchanges[i];
    if (!IBK_ROOM(party->exchanges, party->exchange_count, party->exchange_cap)) {
        party->failed = true;
        return NULL;
    }
    ledger_exchange *added = &party->exchanges[party->exchange_count++];
    *added = (ledger_exchange){.csb_id = csb_id};
    return added;
}

static void note(unsigned *seen, uint64_t at_ns[], ibk_keylog_kind kind, uint64_t now_ns) {
    if (!(*seen & 1u << kind))
        at_ns[kind] = now_ns;
    *seen |= 1u << kind;
}

static void note_k_session(ledger_party *party, ledger_exchange *e, ibk_span value) {
    if (!IBK_ROOM(e->k_sessions, e->k_session_count, e->k_session_cap)) {
        party->failed = true;
        return;
    }
    SHA256(value.data, value.len, e->k_sessions[e->k_session_count++].octets);
}

void ledger_keylog(ledger *l, const char *node, uint64_t now_ns, const ibk_keylog_record *record) {
    ledger_party *party = ledger_find(l, node);
    if (!party || record->kind > IBK_KEYLOG_SALT)
        return;
    note(&party->seen, party->at_ns, record->kind, now_ns);
    if (record->kind < IBK_KEYLOG_X)
        return;
    ledger_exchange *exchange = exchange_of(party, record->csb_id);
    if (exchange)
        note(&exchange->seen, exchange->at_ns, record->kind, now_ns);
    if (exchange && record->kind == IBK_KEYLOG_KSESSION)
        note_k_session(party, exchange, record->value);
}

const ledger_exchange *ledger_exchange_of(const ledger_party *party, uint32_t csb_id) {
    for (size_t i = party->exchange_count; i-- > 0;)
        if (party->exchanges[i].csb_id == csb_id)
            return &party->exchanges[i];
    return NULL;
}

bool ledger_share_k_session(const ledger_party *a, uint32_t csb_of_a, const ledger_party *b,
                            uint32_t csb_of_b) {
    const ledger_exchange *x = ledger_exchange_of(a, csb_of_a), *y = ledger_exchange_of(b, csb_of_b);
    for (size_t i = 0; x && y && i < x->k_session_count; i++)
        for (size_t k = 0; k < y->k_session_count; k++)
            if (memcmp(x->k_sessions[i].octets, y->k_sessions[k].octets, sizeof x->k_sessions[i].octets) == 0)
                return true;
    return false;
}
