/* ibakelab: states of calls. An exchange's own states (kind mikey) do not say of which call they are: it is
 * that of the SIP message which the node got or sent, or of the call's state that it noted, at that very
 * moment. */
#include "reports/page_states.h"

#include <stdlib.h>
#include <string.h>

void page_states_begin(page_states *s, const page_nodes *nodes) {
    *s = (page_states){.nodes = nodes, .seen = calloc(nodes->count + 1, sizeof *s->seen)};
    s->failed = !s->seen;
}

void page_states_end(page_states *s) {
    free(s->items);
    free(s->seen);
    *s = (page_states){0};
}

static void add(page_states *s, size_t call, size_t node, const trace_event *e, ibk_span what) {
    if (s->count == PAGE_MAX_STATES) {
        s->hidden++;
        return;
    }
    if (!IBK_ROOM(s->items, s->count, s->capacity)) {
        s->failed = true;
        return;
    }
    page_state *state = &s->items[s->count++];
    *state = (page_state){.call = call, .node = node, .ns = e->time_ns};
    snprintf(state->what, sizeof state->what, "%.*s", what.len < 47 ? (int)what.len : 47,
             (const char *)what.data);
}

/* A message or a call's own state tells of which call the states are that came before it at the same moment;
 * of those that belong to no call which is shown nothing is kept. */
static void note_message(page_states *s, size_t node, size_t call, uint64_t ns) {
    s->seen[node] = (page_seen){.any = true, .call = call, .ns = ns};
    for (size_t i = s->count; i > 0 && s->items[i - 1].ns == ns; i--)
        if (s->items[i - 1].node == node && s->items[i - 1].call == LADDER_NO_CALL)
            s->items[i - 1].call = call;
}

/* Those that nothing has claimed by the end of their moment are dropped. */
static void drop_unclaimed(page_states *s, uint64_t now) {
    size_t first = s->count;
    while (first > 0 && s->items[first - 1].ns < now && s->items[first - 1].call == LADDER_NO_CALL)
        first--;
    s->count = first;
}

void page_states_event(page_states *s, const trace_event *e, size_t call) {
    size_t node = page_nodes_find(s->nodes, e->node);
    if (node == NAME_INDEX_NONE || s->failed)
        return;
    drop_unclaimed(s, e->time_ns);
    bool of_call = trace_event_text(e, "call").len > 0;
    if (of_call && (e->kind == TRACE_SIP || e->kind == TRACE_STATE))
        note_message(s, node, call, e->time_ns);
    if (e->kind == TRACE_STATE && call != LADDER_NO_CALL) {
        add(s, call, node, e, ibk_span_str(e->event));
    } else if (e->kind == TRACE_MIKEY && strcmp(e->event, "state") == 0) {
        bool same = s->seen[node].any && s->seen[node].ns == e->time_ns;
        if (!same || s->seen[node].call != LADDER_NO_CALL)
            add(s, same ? s->seen[node].call : LADDER_NO_CALL, node, e, trace_event_text(e, "what"));
    }
}

json_t *page_states_json(const page_states *s) {
    json_t *list = json_array();
    bool ok = list != NULL;
    for (size_t i = 0; i < s->count && ok; i++) {
        const page_state *state = &s->items[i];
        if (state->call == LADDER_NO_CALL)
            continue;
        ok = json_array_append_new(list, json_pack("{s:I, s:I, s:I, s:s}", "call", (json_int_t)state->call,
                                                   "node", (json_int_t)state->node, "ns",
                                                   (json_int_t)state->ns, "what", state->what)) == 0;
    }
    if (ok)
        return list;
    json_decref(list);
    return NULL;
}
