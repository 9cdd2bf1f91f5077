/* ibakelab: the page's data of one run. The events are read twice: first to count what passed each link and
 * to see which calls went wrong or were attacked; then to keep those of the calls whose ladders are shown. */
#include "reports/page_run.h"

#include "reports/page_messages.h"
#include "reports/page_nodes.h"
#include "reports/page_states.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct page {
    run_folder f;
    page_nodes nodes;
    page_states states;
    page_messages messages;
    trace_memory *calls, *others; /* events of the calls that are shown; of no call */
    bool *shown;                  /* by index of a call */
    size_t left_out;
    bool *links_read; /* by node: the capture of its link was */
    size_t links_left;
    json_t *ladders, *captures;
    bool failed; /* out of memory: sticky */
} page;

static void set(page *p, json_t *object, const char *key, json_t *value) {
    if (json_object_set_new(object, key, value) != 0)
        p->failed = true;
}

static json_t *text_or_null(const char *text) {
    return text ? json_string(text) : json_null();
}

static json_t *count_or_null(bool known, uint64_t count) {
    return known ? json_integer(count > INT64_MAX ? INT64_MAX : (json_int_t)count) : json_null();
}

/* ---- which calls ----------------------------------------------------------------------------------------
 */

/* 0: it failed or was attacked; 1: any other. */
static int rank_of(const page *p, size_t call) {
    return p->f.r.calls[call]->state != RESULT_CALL_ESTABLISHED || p->f.c.attacked[call] ? 0 : 1;
}

static void choose_calls(page *p) {
    size_t count = p->f.r.call_count, chosen = 0;
    p->shown = calloc(count + 1, sizeof *p->shown);
    if (!p->shown) {
        p->failed = true;
        return;
    }
    for (int rank = 0; rank < 2; rank++)
        for (size_t i = 0; i < count && chosen < PAGE_MAX_LADDERS; i++)
            if (rank_of(p, i) == rank) {
                p->shown[i] = true;
                chosen++;
            }
    p->left_out = count - chosen;
}

static bool keep_event(void *user, const conversation *part, const trace_event *e) {
    page *p = user;
    size_t call = part ? part->call : LADDER_NO_CALL;
    bool is_shown = part && p->shown[part->call];
    page_states_event(&p->states, e, is_shown ? call : LADDER_NO_CALL);
    if (is_shown)
        return run_folder_of_call(&call, part, e);
    if (!part && trace_memory_count(p->others) < PAGE_MAX_EVENTS / 10 && run_folder_of_call(&call, NULL, e))
        trace_memory_event(p->others, e);
    return false;
}

/* ---- ladders ----------------------------------------------------------------------------------------------
 */

static json_t *readers_json(const ladder_view *v, uint32_t readers) {
    json_t *names = json_array();
    for (size_t i = 0; i < v->party_count; i++)
        if (readers & UINT32_C(1) << i &&
            json_array_append_new(names, json_string(v->parties[i]->name)) != 0) {
            json_decref(names);
            return NULL;
        }
    return names;
}

/* Asks for the MIKEY message of a row. */
static void wish(page *p, const ladder_view *v, const ladder_item *item, json_t *row) {
    page_wish w = {.name = json_string_value(json_object_get(row, "mikey")),
                   .from = page_nodes_find(&p->nodes, v->lanes[item->from]),
                   .to = page_nodes_find(&p->nodes, v->lanes[item->to]),
                   .utc_ns = (uint64_t)p->f.start_utc_ns + item->ns,
                   .copies = item->copies,
                   .attack = item->kind == LADDER_ATTACK,
                   .row = row};
    if (w.attack) { /* an act between two nodes is drawn there; where its time had come it is not about a hop
                     */
        w.from = page_nodes_find_span(&p->nodes, trace_event_text(item->event, "sender"));
        w.to = page_nodes_find_span(&p->nodes, trace_event_text(item->event, "receiver"));
    }
    if (w.name && (!w.attack || item->from != item->to))
        page_messages_wish(&p->messages, trace_event_text(item->event, "call"),
                           trace_event_text(item->event, "cseq"), &w);
}

static void add_row(page *p, const ladder_view *v, const ladder_item *item, json_t *rows) {
    json_t *o = json_object();
    set(p, o, "ns", count_or_null(true, item->ns));
    set(p, o, "arrived_ns", count_or_null(item->arrived, item->arrived_ns));
    set(p, o, "from", json_integer((json_int_t)page_nodes_find(&p->nodes, v->lanes[item->from])));
    set(p, o, "to", json_integer((json_int_t)page_nodes_find(&p->nodes, v->lanes[item->to])));
    set(p, o, "label", json_string(item->label ? item->label : item->note ? item->note : ""));
    set(p, o, "mikey", text_or_null(item->mikey));
    set(p, o, "kind", json_string(ladder_kind_name(item->kind)));
    set(p, o, "transport", text_or_null(item->transport));
    set(p, o, "octets", count_or_null(item->octets > 0, item->octets));
    set(p, o, "copies", json_integer(item->copies));
    set(p, o, "lost", json_boolean(item->lost));
    set(p, o, "dialog", count_or_null(item->dialog > 0, item->dialog));
    set(p, o, "note", text_or_null(item->note));
    set(p, o, "adversary", text_or_null(item->adversary));
    set(p, o, "readers", readers_json(v, item->readers));
    set(p, o, "message", json_null());
    if (item->mikey && item->event)
        wish(p, v, item, o);
    if (json_array_append_new(rows, o) != 0)
        p->failed = true;
}

static void add_ladder(page *p, size_t call) {
    char title[300];
    ladder_view v;
    ladder_options options = {.max_rows = PAGE_MAX_ROWS};
    json_t *o = json_object(), *rows = json_array();
    ladder_options_of(&options, &p->f.c, call);
    ladder_title(title, sizeof title, &p->f.r, call);
    if (ladder_view_make(&v, call == LADDER_NO_CALL ? p->others : p->calls, &options, &p->f.r, &p->f.c, call))
        p->failed = true;
    for (size_t i = 0; i < v.item_count; i++)
        add_row(p, &v, &v.items[i], rows);
    set(p, o, "call", count_or_null(call != LADDER_NO_CALL, call));
    set(p, o, "title", json_string(title));
    set(p, o, "rows", rows);
    set(p, o, "hidden", count_or_null(true, v.rows.hidden));
    if (json_array_append_new(p->ladders, o) != 0)
        p->failed = true;
    ladder_view_free(&v);
}

/* ---- captures ---------------------------------------------------------------------------------------------
 */

static bool has_file(const page *p, const char *name, char path[4400]) {
    return snprintf(path, 4400, "%s/%s", p->f.dir, name) < 4400 && access(path, R_OK) == 0;
}

static void list_captures(page *p) {
    char name[300], path[4400];
    if (has_file(p, "capture/all.pcap", path) &&
        json_array_append_new(p->captures, json_string("capture/all.pcap")) != 0)
        p->failed = true;
    for (size_t i = 0; i < p->f.r.link_count; i++) {
        snprintf(name, sizeof name, "capture/%s.pcap", p->f.r.links[i].name);
        if (has_file(p, name, path) && json_array_append_new(p->captures, json_string(name)) != 0)
            p->failed = true;
    }
}

static ibk_err read_capture(page *p, const char *name, page_decode *decode, void *user, ibk_diag *diag) {
    char path[4400], keys[4400];
    page_sink sink = {.user = &p->messages, .wanted = page_messages_wanted, .found = page_messages_found};
    if (!has_file(p, name, path))
        return IBK_OK;
    page_messages_next_capture(&p->messages);
    return decode(user, path, has_file(p, "keys.log", keys) ? keys : NULL, &sink, diag);
}

/* The capture of a node's own link, unless it has none or it was read before. */
static ibk_err read_link(page *p, size_t node, page_decode *decode, void *user, ibk_diag *diag) {
    char name[300], path[4400];
    const result_link *link = page_nodes_link(&p->nodes, node);
    if (!link || p->links_read[node] || p->links_left == 0)
        return IBK_OK;
    snprintf(name, sizeof name, "capture/%s.pcap", link->name);
    if (!has_file(p, name, path))
        return IBK_OK;
    p->links_read[node] = true;
    p->links_left--;
    return read_capture(p, name, decode, user, diag);
}

/* The links at both ends of the hops of those rows for which `which` holds. */
static ibk_err read_links(page *p, bool (*which)(const page_wish *w), page_decode *decode, void *user,
                          ibk_diag *diag) {
    ibk_err err = IBK_OK;
    for (size_t i = 0; i < p->messages.wish_count && !err; i++) {
        const page_wish *w = &p->messages.wishes[i];
        if (!which(w))
            continue;
        err = read_link(p, w->from, decode, user, diag);
        if (!err)
            err = read_link(p, w->to, decode, user, diag);
    }
    return err;
}

static bool is_attacked(const page_wish *w) {
    return w->attack;
}

static bool is_open(const page_wish *w) {
    return w->message == NAME_INDEX_NONE;
}

/* Where an adversary sat between two nodes, their links first: the sender's has a message as it was sent.
 * Then what passed the core; and for what did not, as a radio link lost it, the links again. */
static ibk_err read_messages(page *p, page_decode *decode, void *user, ibk_diag *diag) {
    p->links_left = PAGE_MAX_LINKS;
    p->links_read = calloc(p->nodes.count + 1, sizeof *p->links_read);
    if (!p->links_read)
        return IBK_ERR_NO_MEMORY;
    ibk_err err = read_links(p, is_attacked, decode, user, diag);
    if (!err)
        err = read_capture(p, "capture/all.pcap", decode, user, diag);
    return err ? err : read_links(p, is_open, decode, user, diag);
}

/* ---- the whole
 * --------------------------------------------------------------------------------------------- */

static ibk_err collect(page *p, const char *dir, const json_t *result_, ibk_diag *diag) {
    ibk_err err = run_folder_open(&p->f, dir, result_, page_nodes_event, &p->nodes, diag);
    if (err)
        return err;
    page_nodes_count_links(&p->nodes, &p->f.r);
    page_states_begin(&p->states, &p->nodes);
    p->calls = trace_memory_new(PAGE_MAX_EVENTS);
    p->others = trace_memory_new(PAGE_MAX_EVENTS / 10);
    p->ladders = json_array();
    p->captures = json_array();
    choose_calls(p);
    if (p->failed || !p->calls || !p->others)
        return IBK_ERR_NO_MEMORY;
    return run_folder_events(&p->f, p->calls, keep_event, p, diag);
}

static json_t *assemble(page *p) {
    json_t *run = json_object();
    list_captures(p);
    set(p, run, "nodes", page_nodes_json(&p->nodes, &p->f.r));
    set(p, run, "links", page_nodes_links_json(&p->nodes, &p->f.r, p->f.dir));
    set(p, run, "ladders", json_incref(p->ladders));
    set(p, run, "left_out", count_or_null(true, p->left_out));
    set(p, run, "messages", json_incref(p->messages.list));
    set(p, run, "captures", json_incref(p->captures));
    set(p, run, "states", page_states_json(&p->states));
    return run;
}

/* Says which file it is about: the caller knows the folder alone. */
static void name_file(const page *p, ibk_diag *diag) {
    char detail[sizeof diag->detail];
    const char *file = p->f.where + strlen(p->f.dir);
    if (!diag || !*p->f.where || *file != '/')
        return;
    memcpy(detail, diag->detail, sizeof detail);
    snprintf(diag->detail, sizeof diag->detail, "%.40s: %.76s", file + 1, detail);
}

ibk_err page_run(json_t **out, const char *dir, const json_t *result_, page_decode *decode, void *user,
                 ibk_diag *diag) {
    page p = {0};
    *out = NULL;
    ibk_err err = collect(&p, dir, result_, diag);
    if (err)
        name_file(&p, diag);
    if (!err)
        err = page_messages_begin(&p.messages, &p.nodes.addresses);
    if (!err) {
        for (size_t i = 0; i < p.f.r.call_count; i++)
            if (p.shown[i])
                add_ladder(&p, i);
        add_ladder(&p, LADDER_NO_CALL);
        if (decode)
            err = read_messages(&p, decode, user, diag);
        page_messages_tell(&p.messages);
    }
    if (!err) {
        *out = assemble(&p);
        if (p.failed || p.messages.failed || p.nodes.failed || p.states.failed) {
            json_decref(*out);
            *out = NULL;
            err = ibk_fail(diag, IBK_ERR_NO_MEMORY, NULL, 0, NULL);
        }
    }
    page_messages_end(&p.messages);
    page_states_end(&p.states);
    page_nodes_end(&p.nodes);
    trace_memory_free(p.calls);
    trace_memory_free(p.others);
    json_decref(p.ladders);
    json_decref(p.captures);
    free(p.shown);
    free(p.links_read);
    run_folder_close(&p.f);
    return err;
}
