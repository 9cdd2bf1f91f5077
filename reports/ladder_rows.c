/* ibakelab: from recorded events to the rows of a ladder: which messages, between whom, how often, lost or
 * not. */
#include "reports/ladder.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static ibk_span text(const trace_event *e, const char *key) {
    return trace_event_text(e, key);
}

/* A message logged with trace_message_begin, sent or received. */
static bool is_message(const trace_event *e) {
    return text(e, "label").len && text(e, "peer").len &&
           (strcmp(e->event, "sent") == 0 || strcmp(e->event, "received") == 0);
}

bool ladder_is_attack(const trace_event *e) {
    return e->kind == TRACE_ATTACK;
}

bool ladder_is_note(const trace_event *e) {
    if (ladder_is_attack(e))
        return true;
    static const char *const notes[] = {"forked", "diverted", "redirected"};
    for (size_t i = 0; e->kind == TRACE_STATE && i < sizeof notes / sizeof notes[0]; i++)
        if (strcmp(e->event, notes[i]) == 0)
            return true;
    return false;
}

static bool starts_with(ibk_span text_, const char *start) {
    size_t len = strlen(start);
    return text_.len >= len && memcmp(text_.data, start, len) == 0;
}

/* The conversation to show: the one asked for, else that of the first INVITE, else the first with a name. */
static ibk_span choose_call(const trace_memory *events, const ladder_options *options, uint32_t kinds) {
    if (options->call)
        return ibk_span_str(options->call);
    ibk_span any = {0};
    for (size_t i = 0; i < trace_memory_count(events); i++) {
        const trace_event *e = trace_memory_at(events, i);
        if (!(kinds & TRACE_MASK(e->kind)) || !is_message(e) || !text(e, "call").len)
            continue;
        if (starts_with(text(e, "label"), "INVITE"))
            return text(e, "call");
        if (!any.len)
            any = text(e, "call");
    }
    return any;
}

static int lane_of(ladder *l, ibk_span name) {
    for (size_t i = 0; i < l->lane_count; i++)
        if (ibk_span_equal(l->lanes[i], name))
            return (int)i;
    if (l->lane_count == LADDER_MAX_LANES)
        return -1;
    l->lanes[l->lane_count] = name;
    return (int)l->lane_count++;
}

static bool ends_with(ibk_span text_, const char *end) {
    size_t len = strlen(end);
    return text_.len >= len && memcmp(text_.data + text_.len - len, end, len) == 0;
}

static size_t dialog_of(const ladder *l, const trace_event *e) {
    ibk_span tag = text(e, "to_tag");
    for (size_t i = 0; tag.len && i < l->dialog_count; i++)
        if (ibk_span_equal(tag, l->dialogs[i]))
            return i + 1;
    return 0;
}

/* 18x and 2xx to an INVITE make a dialog; 181 speaks for nobody who could have one. */
static void note_dialog(ladder *l, const trace_event *e, int lane) {
    ibk_span label = text(e, "label");
    bool makes = (starts_with(label, "18") && !starts_with(label, "181")) || starts_with(label, "2");
    if (!makes || !text(e, "to_tag").len || !ends_with(text(e, "cseq"), " INVITE") || dialog_of(l, e) ||
        l->dialog_count == LADDER_MAX_DIALOGS)
        return;
    l->dialogs[l->dialog_count] = text(e, "to_tag");
    l->dialog_calls[l->dialog_count] = text(e, "call");
    l->dialog_lanes[l->dialog_count++] = lane;
}

bool ladder_dialog_is_one_of_several(const ladder *l, size_t dialog) {
    for (size_t i = 0; i < l->dialog_count; i++)
        if (i != dialog && ibk_span_equal(l->dialog_calls[i], l->dialog_calls[dialog]))
            return true;
    return false;
}

size_t ladder_row_dialog(const ladder *l, const ladder_row *row) {
    size_t dialog = ladder_is_note(row->event) ? 0 : dialog_of(l, row->event);
    return dialog && ladder_dialog_is_one_of_several(l, dialog - 1) ? dialog : 0;
}

static bool same_message(const trace_event *a, const trace_event *b) {
    return a->kind == b->kind && ibk_span_equal(text(a, "label"), text(b, "label")) &&
           ibk_span_equal(text(a, "call"), text(b, "call")) &&
           ibk_span_equal(text(a, "to_tag"), text(b, "to_tag")) &&
           ibk_span_equal(text(a, "cseq"), text(b, "cseq"));
}

/* A retransmission belongs to the latest row of the same message between the same two. */
static ladder_row *original_of(ladder *l, const trace_event *e, int from, int to) {
    for (size_t i = l->row_count; i-- > 0;)
        if (l->rows[i].from == from && l->rows[i].to == to && same_message(l->rows[i].event, e))
            return &l->rows[i];
    return NULL;
}

static ibk_err add_row(ladder *l, const trace_event *e, int from, int to) {
    if (l->row_count == l->max_rows) {
        l->hidden++;
        return IBK_OK;
    }
    if (!IBK_ROOM(l->rows, l->row_count, l->row_capacity))
        return IBK_ERR_NO_MEMORY;
    l->rows[l->row_count++] = (ladder_row){.event = e, .from = from, .to = to, .sent = 1};
    return IBK_OK;
}

static ibk_err add_sent(ladder *l, const trace_event *e) {
    int from = lane_of(l, ibk_span_str(e->node)), to = lane_of(l, text(e, "peer"));
    if (from < 0 || to < 0) {
        l->hidden++;
        return IBK_OK;
    }
    l->logs[from] = true;
    note_dialog(l, e, from);
    if (l->options->mikey_only && !text(e, "mikey").len)
        return IBK_OK;
    ladder_row *again = trace_event_flag(e, "retransmission") ? original_of(l, e, from, to) : NULL;
    if (!again)
        return add_row(l, e, from, to);
    again->sent++;
    return IBK_OK;
}

int ladder_lane(const ladder *l, ibk_span name) {
    for (size_t i = 0; i < l->lane_count; i++)
        if (ibk_span_equal(l->lanes[i], name))
            return (int)i;
    return -1;
}

/* What a node did follows from a message that it got: it has a lane. */
static ibk_err add_note(ladder *l, const trace_event *e) {
    int lane = ladder_lane(l, ibk_span_str(e->node));
    return lane < 0 ? IBK_OK : add_row(l, e, lane, lane);
}

static bool same_attack(const trace_event *a, const trace_event *b) {
    const trace_field *x = trace_event_field(a, "rule"), *y = trace_event_field(b, "rule");
    return ladder_is_attack(a) && strcmp(a->node, b->node) == 0 && x && y && x->u == y->u &&
           ibk_span_equal(text(a, "what"), text(b, "what")) &&
           ibk_span_equal(text(a, "call"), text(b, "call")) &&
           ibk_span_equal(text(a, "failed"), text(b, "failed"));
}

/* Between the two nodes of the hop; at the adversary where the time has come for it, not a message. The same
 * done to a repetition is counted. */
static ibk_err add_attack(ladder *l, const trace_event *e) {
    int from = ladder_lane(l, text(e, "sender")), to = ladder_lane(l, text(e, "receiver"));
    int own = ladder_lane(l, ibk_span_str(e->node));
    if (own >= 0 && ibk_span_equal(text(e, "on"), ibk_span_str("time")))
        from = to = own;
    if (from < 0 || to < 0)
        return IBK_OK;
    for (size_t i = l->row_count; i-- > 0;)
        if (l->rows[i].from == from && l->rows[i].to == to && same_attack(l->rows[i].event, e)) {
            l->rows[i].sent++;
            return IBK_OK;
        }
    return add_row(l, e, from, to);
}

/* An arrival counts for the earliest row of that message which still has copies under way. */
static void add_received(ladder *l, const trace_event *e) {
    int to = lane_of(l, ibk_span_str(e->node)), from = lane_of(l, text(e, "peer"));
    if (to >= 0)
        l->logs[to] = l->any_received = true;
    for (size_t i = 0; i < l->row_count && from >= 0; i++) {
        ladder_row *row = &l->rows[i];
        if (row->from != from || row->to != to || row->received >= row->sent ||
            !ibk_span_equal(text(row->event, "label"), text(e, "label")) ||
            !ibk_span_equal(text(row->event, "to_tag"), text(e, "to_tag")) ||
            !ibk_span_equal(text(row->event, "call"), text(e, "call")))
            continue;
        if (row->received++ == 0)
            row->arrived_ns = e->time_ns;
        return;
    }
}

/* Of the call, or of a conversation that is shown along with it. */
static bool is_shown(const ladder *l, ibk_span call) {
    if (ibk_span_equal(call, l->call))
        return true;
    for (size_t i = 0; call.len && i < l->options->along_count; i++)
        if (ibk_span_equal(call, ibk_span_str(l->options->along[i])))
            return true;
    return false;
}

ibk_err ladder_collect(ladder *l, const trace_memory *events, const ladder_options *options) {
    uint32_t kinds = options->kinds
                         ? options->kinds
                         : TRACE_MASK(TRACE_SIP) | TRACE_MASK(TRACE_HTTP) | TRACE_MASK(TRACE_MIKEY);
    *l = (ladder){.options = options, .max_rows = options->max_rows ? options->max_rows : 200};
    l->call = options->all ? (ibk_span){0} : choose_call(events, options, kinds);
    for (size_t i = 0; i < trace_memory_count(events); i++) {
        const trace_event *e = trace_memory_at(events, i);
        bool note = ladder_is_note(e);
        if (!note && (!(kinds & TRACE_MASK(e->kind)) || !is_message(e)))
            continue;
        if (!options->all && !is_shown(l, text(e, "call")))
            continue;
        ibk_err err = IBK_OK;
        if (ladder_is_attack(e))
            err = add_attack(l, e);
        else if (note)
            err = add_note(l, e);
        else if (strcmp(e->event, "received") == 0)
            add_received(l, e);
        else
            err = add_sent(l, e);
        if (err)
            return err;
    }
    l->hidden += trace_memory_dropped(events);
    return IBK_OK;
}

bool ladder_row_lost(const ladder *l, const ladder_row *row) {
    return !ladder_is_note(row->event) && row->received == 0 && l->any_received && l->logs[row->to];
}

/* "diverts to carol@home.example (busy, notify)" */
static ibk_span describe_note(const trace_event *e, char *out, size_t size) {
    ibk_span to = trace_event_text(e, "to"), when = trace_event_text(e, "when"),
             how = trace_event_text(e, "how");
    const trace_field *contacts = trace_event_field(e, "contacts");
    if (to.len > 4 && memcmp(to.data, "sip:", 4) == 0)
        to = ibk_span_of(to.data + 4, to.len - 4);
    if (strcmp(e->event, "diverted") == 0)
        snprintf(out, size, "diverts to %.*s (%.*s, %.*s)", (int)to.len, (const char *)to.data, (int)when.len,
                 (const char *)when.data, (int)how.len, (const char *)how.data);
    else if (strcmp(e->event, "forked") == 0)
        snprintf(out, size, "forks to %" PRIu64 " contacts, %.*s", contacts ? contacts->u : 0, (int)how.len,
                 (const char *)how.data);
    else
        snprintf(out, size, "begins anew with the new target");
    return ibk_span_str(out);
}

/* "mallory: modify SP x2" */
static ibk_span describe_attack(const ladder_row *row, char *out, size_t size) {
    const trace_event *e = row->event;
    ibk_span what = trace_event_text(e, "text");
    int len = snprintf(out, size, "%.60s: %.*s%s", e->node, what.len < 60 ? (int)what.len : 60,
                       (const char *)what.data, trace_event_text(e, "failed").len ? " failed" : "");
    size_t used = len < 0 ? 0 : (size_t)len < size ? (size_t)len : size - 1;
    if (row->sent > 1)
        snprintf(out + used, size - used, " x%u", row->sent);
    return ibk_span_str(out);
}

ibk_span ladder_row_note(const ladder_row *row, char *out, size_t size) {
    return ladder_is_attack(row->event) ? describe_attack(row, out, size)
                                        : describe_note(row->event, out, size);
}

void ladder_free(ladder *l) {
    free(l->rows);
    *l = (ladder){0};
}
