/* ibakelab: from the rows of a ladder and the knowledge of a result to the items of a view. */
#define _GNU_SOURCE /* vasprintf */
#include "reports/ladder_view.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

const char *ladder_kind_name(ladder_kind kind) {
    static const char *const names[] = {"sip", "http", "mikey", "media", "note", "attack"};
    return names[kind];
}

const char *ladder_node_kind_name(ladder_node_kind kind) {
    static const char *const names[] = {"ue",  "pcscf",   "icscf",     "scscf", "hss",
                                        "kms", "mailbox", "adversary", "other"};
    return names[kind];
}

/* ---- nodes --------------------------------------------------------------------------------------------- */

static bool is_mailbox(const result *r, const char *name) {
    for (size_t i = 0; i < r->party_count; i++)
        if (strcmp(r->parties[i]->name, name) == 0)
            return strcmp(r->parties[i]->kind, "mailbox") == 0;
    return false;
}

/* "pcscf.home.example": a function of a home network is named after both. */
static ladder_node_kind function_kind(const char *node, const char **domain) {
    const char *dot = strchr(node, '.');
    for (int kind = LADDER_PCSCF; dot && kind <= LADDER_KMS; kind++) {
        const char *name = ladder_node_kind_name((ladder_node_kind)kind);
        if (strlen(name) == (size_t)(dot - node) && strncmp(node, name, strlen(name)) == 0) {
            *domain = dot + 1;
            return (ladder_node_kind)kind;
        }
    }
    return LADDER_OTHER_NODE;
}

ladder_node_kind ladder_node_kind_of(const result *r, const char *node, const char **domain) {
    *domain = NULL;
    for (size_t i = 0; i < r->user_count; i++) {
        const result_user *u = r->users[i];
        if (!u->node || strcmp(u->node, node) != 0)
            continue;
        const char *at = strrchr(u->impu, '@');
        *domain = at ? at + 1 : NULL;
        return is_mailbox(r, u->name) ? LADDER_MAILBOX : LADDER_UE;
    }
    for (size_t i = 0; i < r->adversary_count; i++)
        if (strcmp(r->adversaries[i]->name, node) == 0)
            return LADDER_ADVERSARY_NODE;
    return function_kind(node, domain);
}

/* The node of a user or a mailbox, or the name itself. */
static const char *node_of(const result *r, const char *user) {
    for (size_t i = 0; i < r->user_count; i++)
        if (strcmp(r->users[i]->name, user) == 0)
            return r->users[i]->node ? r->users[i]->node : user;
    return user;
}

/* ---- who knows ----------------------------------------------------------------------------------------- */

/* What a message or a stream carries that is encrypted. A bit each. */
enum { KNOWS_XP = 1, KNOWS_YP = 2, KNOWS_MEDIA = 4 };

typedef struct knowers {
    ladder_view *v;
    const result *r;
    const conversation *shown[LADDER_MAX_ALONG + 1]; /* the call itself first */
    size_t shown_count;
    uint8_t knows[LADDER_MAX_ALONG + 1][LADDER_MAX_PARTIES];
    bool is_end[LADDER_MAX_PARTIES];
} knowers;

static unsigned bit_of(const char *thing) {
    return strcmp(thing, "xP") == 0      ? KNOWS_XP
           : strcmp(thing, "yP") == 0    ? KNOWS_YP
           : strcmp(thing, "media") == 0 ? KNOWS_MEDIA
                                         : 0;
}

/* The place of a party in the view, taken when it turns out to know something. */
static size_t place_of(ladder_view *v, const result_party *party, size_t place) {
    if (place != LADDER_MAX_PARTIES || v->party_count == LADDER_MAX_PARTIES)
        return place;
    v->parties[v->party_count] = party;
    return v->party_count++;
}

static void find_knowers(knowers *k) {
    for (size_t i = 0; i < k->r->party_count; i++) {
        const result_party *party = k->r->parties[i];
        size_t place = LADDER_MAX_PARTIES;
        for (size_t f = 0; f < party->fact_count; f++) {
            const result_fact *fact = &party->facts[f];
            unsigned bit = fact->call ? bit_of(fact->what) : 0;
            for (size_t s = 0; bit && s < k->shown_count; s++) {
                if (!k->shown[s]->name || strcmp(k->shown[s]->name, fact->call) != 0)
                    continue;
                place = place_of(k->v, party, place);
                if (place < LADDER_MAX_PARTIES)
                    k->knows[s][place] |= (uint8_t)bit;
            }
        }
    }
}

/* A user or mailbox that takes part. */
static void find_ends(knowers *k) {
    for (size_t i = 0; i < k->v->party_count; i++) {
        const char *kind = k->v->parties[i]->kind;
        bool may = strcmp(kind, "user") == 0 || strcmp(kind, "mailbox") == 0;
        k->is_end[i] =
            may && ladder_lane(&k->v->rows, ibk_span_str(node_of(k->r, k->v->parties[i]->name))) >= 0;
    }
}

/* The encrypted part of I_MESSAGE_1 is for xP; of R_MESSAGE_1, which repeats xP, and of I_MESSAGE_2 for yP.
 * R_MESSAGE_2 has none. */
static unsigned carried(ibk_span mikey) {
    static const struct {
        const char *message;
        unsigned bit;
    } table[] = {{"I_MESSAGE_1", KNOWS_XP}, {"R_MESSAGE_1", KNOWS_YP}, {"I_MESSAGE_2", KNOWS_YP}};
    for (size_t i = 0; i < sizeof table / sizeof *table; i++)
        if (ibk_span_equal(mikey, ibk_span_str(table[i].message)))
            return table[i].bit;
    return 0;
}

static void set_readers(const knowers *k, ladder_item *item, size_t shown, unsigned bit) {
    bool adversary = false, other = false;
    for (size_t i = 0; bit && shown < k->shown_count && i < k->v->party_count; i++) {
        if (!(k->knows[shown][i] & bit))
            continue;
        item->readers |= UINT32_C(1) << i;
        adversary |= strcmp(k->v->parties[i]->kind, "adversary") == 0;
        other |= !k->is_end[i];
    }
    if (item->readers)
        item->secrecy = adversary ? LADDER_ADVERSARY : other ? LADDER_OTHERS : LADDER_ENDS;
}

static size_t shown_of(const knowers *k, ibk_span call_id) {
    size_t i = 0;
    while (i < k->shown_count && !ibk_span_equal(call_id, ibk_span_str(k->shown[i]->call_id)))
        i++;
    return i;
}

/* ---- items --------------------------------------------------------------------------------------------- */

/* Takes over a text that was allocated; NULL: there was no memory. */
static const char *keep(ladder_view *v, char *text, ibk_err *err) {
    if (text && !IBK_ROOM(v->texts, v->text_count, v->text_capacity)) {
        free(text);
        text = NULL;
    }
    if (!text) {
        *err = IBK_ERR_NO_MEMORY;
        return "";
    }
    return v->texts[v->text_count++] = text;
}

static const char *keep_span(ladder_view *v, ibk_span text, ibk_err *err) {
    return text.len ? keep(v, strndup((const char *)text.data, text.len), err) : NULL;
}

static const char *keep_format(ladder_view *v, ibk_err *err, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static const char *keep_format(ladder_view *v, ibk_err *err, const char *format, ...) {
    char *text = NULL;
    va_list args;
    va_start(args, format);
    if (vasprintf(&text, format, args) < 0)
        text = NULL;
    va_end(args);
    return keep(v, text, err);
}

static ladder_kind kind_of(const trace_event *e) {
    return ladder_is_attack(e)      ? LADDER_ATTACK
           : ladder_is_note(e)      ? LADDER_NOTE
           : e->kind == TRACE_HTTP  ? LADDER_HTTP
           : e->kind == TRACE_MIKEY ? LADDER_MIKEY
                                    : LADDER_SIP;
}

/* What an adversary's act was about: the name of a MIKEY message; else a SIP method, or media. */
static bool is_mikey(ibk_span what) {
    static const char *const starts[] = {"I_MESSAGE_", "R_MESSAGE_", "REQUEST_KEY_"};
    for (size_t i = 0; i < sizeof starts / sizeof *starts; i++)
        if (what.len > strlen(starts[i]) && memcmp(what.data, starts[i], strlen(starts[i])) == 0)
            return true;
    return false;
}

static ibk_err add_row(ladder_view *v, const knowers *k, const ladder_row *row) {
    ibk_err err = IBK_OK;
    const trace_event *e = row->event;
    const trace_field *octets = trace_event_field(e, "octets");
    ladder_item *item = &v->items[v->item_count++];
    *item = (ladder_item){.kind = kind_of(e),
                          .ns = e->time_ns,
                          .from = row->from,
                          .to = row->to,
                          .copies = row->sent,
                          .event = e};
    if (item->kind == LADDER_NOTE || item->kind == LADDER_ATTACK) {
        char note[200];
        item->note = keep_span(v, ladder_row_note(row, note, sizeof note), &err);
        item->adversary = item->kind == LADDER_ATTACK ? e->node : NULL;
        if (item->adversary && is_mikey(trace_event_text(e, "what")))
            item->mikey = keep_span(v, trace_event_text(e, "what"), &err);
        return err;
    }
    ibk_span mikey = trace_event_text(e, "mikey");
    item->arrived = row->received > 0;
    item->arrived_ns = row->arrived_ns;
    item->lost = ladder_row_lost(&v->rows, row);
    item->label = keep_span(v, trace_event_text(e, "label"), &err);
    item->mikey = keep_span(v, mikey, &err);
    item->transport = keep_span(v, trace_event_text(e, "transport"), &err);
    item->octets = octets && octets->type == TRACE_UINT ? octets->u : 0;
    item->dialog = ladder_row_dialog(&v->rows, row);
    set_readers(k, item, shown_of(k, trace_event_text(e, "call")), carried(mikey));
    return err;
}

/* A direction of a stream, where its first packet was accepted; where none was, when the call was
 * established. */
static ibk_err add_media(ladder_view *v, const knowers *k, const result_call *call, const result_media *m) {
    ibk_err err = IBK_OK;
    int from = ladder_lane(&v->rows, ibk_span_str(node_of(k->r, m->from)));
    int to = ladder_lane(&v->rows, ibk_span_str(node_of(k->r, m->to)));
    if (from < 0 || to < 0 || (!m->first.set && !call->established.set) || m->sent == 0)
        return IBK_OK;
    uint64_t ns = m->first.set ? m->first.ns : call->established.ns;
    size_t at = v->item_count++;
    for (; at > 0 && v->items[at - 1].ns > ns; at--)
        v->items[at] = v->items[at - 1];
    ladder_item *item = &v->items[at];
    *item = (ladder_item){.kind = LADDER_MEDIA,
                          .ns = ns,
                          .arrived_ns = ns,
                          .arrived = m->first.set,
                          .lost = m->received == 0,
                          .from = from,
                          .to = to,
                          .copies = 1};
    item->label = keep_format(v, &err, "%s %s %s, %" PRIu64 " of %" PRIu64 " packets",
                              m->protected_ ? "SRTP" : "RTP", m->stream, m->codec, m->received, m->sent);
    set_readers(k, item, 0, KNOWS_MEDIA);
    return err;
}

static ibk_err add_items(ladder_view *v, const knowers *k, const result_call *call) {
    size_t room = v->rows.row_count + (call ? call->media_count : 0);
    ibk_err err = IBK_OK;
    if (room == 0 || v->rows.row_count == 0)
        return IBK_OK;
    v->items = calloc(room, sizeof *v->items);
    if (!v->items)
        return IBK_ERR_NO_MEMORY;
    for (size_t i = 0; i < v->rows.row_count && !err; i++)
        err = add_row(v, k, &v->rows.rows[i]);
    for (size_t i = 0; call && i < call->media_count && !err; i++)
        err = add_media(v, k, call, &call->media[i]);
    return err;
}

static ibk_err add_lanes(ladder_view *v, const result *r) {
    ibk_err err = IBK_OK;
    const char *domain;
    for (size_t i = 0; i < v->rows.lane_count && !err; i++) {
        v->lanes[i] = keep_span(v, v->rows.lanes[i], &err);
        if (!err)
            v->lane_kinds[i] = ladder_node_kind_of(r, v->lanes[i], &domain);
    }
    return err;
}

ibk_err ladder_view_make(ladder_view *v, const trace_memory *events, const ladder_options *options,
                         const result *r, const conversations *c, size_t call) {
    *v = (ladder_view){0};
    const result_call *of = call == LADDER_NO_CALL ? NULL : r->calls[call];
    ibk_err err = ladder_collect(&v->rows, events, options);
    if (!err)
        err = add_lanes(v, r);
    if (err)
        return err;
    knowers k = {.v = v, .r = r};
    if (of) {
        size_t left_out;
        k.shown[0] = &c->items[call];
        k.shown_count = 1 + conversations_beside(c, call, k.shown + 1, LADDER_MAX_ALONG, &left_out);
        find_knowers(&k);
        find_ends(&k);
    }
    return add_items(v, &k, of);
}

void ladder_view_free(ladder_view *v) {
    ladder_free(&v->rows);
    free(v->items);
    for (size_t i = 0; i < v->text_count; i++)
        free(v->texts[i]);
    free(v->texts);
    *v = (ladder_view){0};
}

void ladder_options_of(ladder_options *options, const conversations *c, size_t call) {
    const conversation *beside[LADDER_MAX_ALONG];
    options->all = call == LADDER_NO_CALL;
    if (options->all)
        return;
    options->call = c->items[call].call_id;
    options->along_count = conversations_beside(c, call, beside, LADDER_MAX_ALONG, &options->along_left_out);
    for (size_t i = 0; i < options->along_count; i++)
        options->along[i] = beside[i]->call_id;
}

void ladder_title(char *out, size_t size, const result *r, size_t call) {
    if (call == LADDER_NO_CALL)
        snprintf(out, size, "Registrations and keys");
    else
        snprintf(out, size, "Call %s: %s to %s", r->calls[call]->id, r->calls[call]->from,
                 r->calls[call]->to);
}
