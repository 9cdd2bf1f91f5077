/* Recording, and the order in which the end is gone about. */
#include "adversary/analyst_internal.h"
#include "ims/media/rtp.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- life
 * ----------------------------------------------------------------------------------------------------------
 */

ibk_err analyst_new(analyst **out, const analyst_config *config) {
    analyst *a = calloc(1, sizeof *a);
    *out = a;
    if (!a)
        return IBK_ERR_NO_MEMORY;
    a->config = *config;
    a->config.max_mikey = config->max_mikey ? config->max_mikey : ANALYST_MAX_MIKEY;
    a->config.max_media = config->max_media ? config->max_media : ANALYST_MAX_MEDIA;
    a->exchanges_end = &a->exchanges;
    a->streams_end = &a->streams;
    return IBK_OK;
}

static void free_exchange(an_exchange *e) {
    for (an_message *m = e->messages, *next; m; m = next) {
        next = m->next;
        ibk_msg_free(&m->msg);
        ibk_buf_free(&m->octets);
        free(m);
    }
    if (e->keys)
        ibk_wipe(e->keys, e->key_cap * sizeof *e->keys);
    free(e->points);
    free(e->keys);
    free(e);
}

void analyst_free(analyst *a) {
    if (!a)
        return;
    for (an_exchange *e = a->exchanges, *next; e; e = next) {
        next = e->next;
        free_exchange(e);
    }
    an_free_streams(a);
    for (size_t i = 0; i < a->sk_count; i++)
        ibk_buf_free(&a->sks[i].sk);
    free(a->sks);
    free(a);
}

const analyst_stats *analyst_get_stats(const analyst *a) {
    return &a->stats;
}

const char *analyst_note(const analyst *a, size_t index) {
    return index < a->note_count ? a->notes[index] : NULL;
}

/* ---- small helpers
 * ------------------------------------------------------------------------------------------------- */

void an_note(analyst *a, const char *text, ...) {
    if (a->note_count == AN_NOTES_MAX)
        return;
    va_list args;
    va_start(args, text);
    vsnprintf(a->notes[a->note_count++], sizeof a->notes[0], text, args);
    va_end(args);
}

bool an_make_room(analyst *a, void *array, size_t count, size_t *cap, size_t size) {
    if (count < *cap)
        return true;
    size_t more = *cap ? 2 * *cap : 8;
    void *grown = calloc(more, size);
    if (!grown) {
        an_note(a, "memory ran out: not everything could be tried");
        return false;
    }
    if (count) { /* there are keys among them */
        memcpy(grown, *(void **)array, count * size);
        ibk_wipe(*(void **)array, count * size);
    }
    free(*(void **)array);
    *(void **)array = grown;
    *cap = more;
    return true;
}

an_source an_source_of(uint64_t at_ns, ledger_how how, const char *step, ...) {
    an_source source = {.at_ns = at_ns, .how = how};
    va_list args;
    va_start(args, step);
    vsnprintf(source.step, sizeof source.step, step, args);
    va_end(args);
    return source;
}

void an_enter(analyst *a, scn_thing what, const scn_call *call, const an_source *source) {
    ledger_fact fact = {.what = what, .call = call, .how = source->how, .at_ns = source->at_ns};
    ledger_enter_f(a->config.party, &fact, "%s", source->step);
}

uint64_t an_later(uint64_t a, uint64_t b) {
    return a > b ? a : b;
}

const scn_call *an_call_of(const an_exchange *e) {
    for (const an_message *m = e->messages; m; m = m->next)
        if (m->call)
            return m->call;
    return NULL;
}

/* ---- messages
 * ------------------------------------------------------------------------------------------------------ */

static an_exchange *find_exchange(const analyst *a, uint32_t csb_id) {
    an_exchange *e = a->buckets[csb_id % AN_BUCKETS];
    while (e && e->csb_id != csb_id)
        e = e->next_in_bucket;
    return e;
}

static an_exchange *add_exchange(analyst *a, uint32_t csb_id) {
    an_exchange **at = &a->buckets[csb_id % AN_BUCKETS], *e = calloc(1, sizeof *e);
    if (!e)
        return NULL;
    e->csb_id = csb_id;
    e->end = &e->messages;
    e->next_in_bucket = *at;
    *at = e;
    *a->exchanges_end = e;
    a->exchanges_end = &e->next;
    return e;
}

/* Seen before, at another seat or sent again? What is sent again may tell the call. */
static bool seen_before(an_exchange *e, const analyst_message *message) {
    for (an_message *m = e ? e->messages : NULL; m; m = m->next)
        if (ibk_span_equal(ibk_buf_span(&m->octets), message->octets)) {
            m->call = m->call ? m->call : message->call;
            return true;
        }
    return false;
}

static an_message *copy_message(const analyst_message *message) {
    an_message *m = calloc(1, sizeof *m);
    if (!m)
        return NULL;
    if (ibk_buf_append_span(&m->octets, message->octets) ||
        ibk_msg_parse(&m->msg, ibk_buf_span(&m->octets), NULL)) {
        ibk_buf_free(&m->octets);
        free(m);
        return NULL;
    }
    m->at_ns = message->at_ns;
    m->call = message->call;
    return m;
}

void analyst_add_message(analyst *a, const analyst_message *message) {
    ibk_peek peek;
    if (ibk_message_peek(&peek, message->octets, NULL))
        return;
    an_exchange *e = find_exchange(a, peek.csb_id);
    if (seen_before(e, message))
        return;
    bool room = a->mikey_octets + message->octets.len <= a->config.max_mikey;
    an_message *m = room ? copy_message(message) : NULL;
    e = m && !e ? add_exchange(a, peek.csb_id) : e;
    if (!m || !e) {
        a->stats.messages_dropped += !room;
        return;
    }
    *e->end = m;
    e->end = &m->next;
    a->mikey_octets += message->octets.len;
    a->stats.messages++;
}

/* ---- the end
 * ------------------------------------------------------------------------------------------------------- */

/* What is held counts as known too: of what kind, since when, from where. */
static void enter_holdings(analyst *a) {
    wallet *w = a->config.wallet;
    const wallet_ibe_key *key;
    const wallet_master *master;
    const wallet_secret *psk;
    an_source source;
    for (size_t i = 0; (key = wallet_key_at(w, i)); i++) {
        source = an_source_of(key->origin.since_ns, key->origin.how, "the private key of %.*s%s%s",
                              (int)key->identity.len, (const char *)key->identity.data,
                              key->origin.words[0] ? ", " : "", key->origin.words);
        an_enter(a, SCN_THING_PRIVATE_KEY, NULL, &source);
    }
    for (size_t i = 0; (master = wallet_master_at(w, i)); i++) {
        source = an_source_of(master->origin.since_ns, master->origin.how, "%s",
                              master->origin.words[0] ? master->origin.words : "the master secret");
        an_enter(a, SCN_THING_MASTER_SECRET, NULL, &source);
    }
    for (size_t i = 0; (psk = wallet_psk_at(w, i)); i++) {
        source = an_source_of(psk->origin.since_ns, psk->origin.how, "%s",
                              psk->origin.words[0] ? psk->origin.words : "a pre-shared key");
        an_enter(a, SCN_THING_PSK, NULL, &source);
    }
}

static void note_limits(analyst *a) {
    if (a->stats.messages_dropped)
        an_note(a, "%llu MIKEY messages beyond %zu octets were not kept",
                (unsigned long long)a->stats.messages_dropped, a->config.max_mikey);
    if (a->stats.packets_dropped)
        an_note(a, "%llu media packets beyond %zu octets were not kept",
                (unsigned long long)a->stats.packets_dropped, a->config.max_media);
    if (a->stats.pairings >= ANALYST_MAX_PAIRINGS)
        an_note(a, "after %d decryptions no further key was tried", ANALYST_MAX_PAIRINGS);
}

void analyst_conclude(analyst *a) {
    if (a->concluded)
        return;
    a->concluded = true;
    an_open_answers(a);
    an_open_all(a);
    an_find_keys(a);
    an_open_media(a);
    enter_holdings(a);
    note_limits(a);
}
