/* ibakelab: from events to the conversations of a run.
 */
#include "reports/conversations.h"

#include <stdlib.h>
#include <string.h>

#define DELIVERY "delivery of " /* docs/deferred-delivery.md: what a mailbox's calls are named */

static char *copy(ibk_span text) {
    char *out = text.data ? malloc(text.len + 1) : NULL;
    if (!out)
        return NULL;
    memcpy(out, text.data, text.len);
    out[text.len] = 0;
    return out;
}

static void add(conversations *c, ibk_span call_id, ibk_span name, conversation template) {
    if (!IBK_ROOM(c->items, c->count, c->capacity)) {
        c->out_of_memory = true;
        return;
    }
    template.call_id = copy(call_id);
    template.name = name.len ? copy(name) : NULL;
    c->items[c->count] = template;
    if (!template.call_id || (name.len && !template.name) ||
        name_index_add(&c->by_call_id, call_id, c->count))
        c->out_of_memory = true;
    c->count++;
}

ibk_err conversations_begin(conversations *c, const result *r) {
    *c = (conversations){.r = r, .attacked = calloc(r->call_count + 1, sizeof *c->attacked)};
    c->out_of_memory = !c->attacked;
    for (size_t i = 0; i < r->call_count; i++) {
        const result_call *call = r->calls[i];
        ibk_span id = ibk_span_str(call->call_id ? call->call_id : "");
        add(c, id, ibk_span_str(call->id), (conversation){.call = i, .own = true});
        if (name_index_add(&c->calls_by_name, ibk_span_str(call->id), i))
            c->out_of_memory = true;
    }
    for (size_t i = 0; i < r->adversary_count; i++)
        if (name_index_add(&c->adversaries, ibk_span_str(r->adversaries[i]->name), i))
            c->out_of_memory = true;
    return c->out_of_memory ? IBK_ERR_NO_MEMORY : IBK_OK;
}

static bool starts_with(ibk_span text, const char *start) {
    return text.len >= strlen(start) && memcmp(text.data, start, strlen(start)) == 0;
}

/* The call that began last before this moment; the first one if none did. */
static size_t latest_call(conversations *c, uint64_t now) {
    while (c->begun < c->r->call_count && c->r->calls[c->begun]->invite.set &&
           c->r->calls[c->begun]->invite.ns <= now)
        c->begun++;
    return c->begun ? c->begun - 1 : 0;
}

/* A mailbox's call: a state of it names the call whose message it is for. */
static void note_delivery(conversations *c, const trace_event *e, ibk_span call_id) {
    ibk_span name = trace_event_text(e, "scenario_call");
    if (!starts_with(name, DELIVERY))
        return;
    size_t skip = strlen(DELIVERY);
    size_t call = name_index_find(&c->calls_by_name, ibk_span_of(name.data + skip, name.len - skip));
    if (call != NAME_INDEX_NONE)
        add(c, call_id, name, (conversation){.call = call});
}

void conversations_event(conversations *c, const trace_event *e) {
    ibk_span call_id = trace_event_text(e, "call");
    if (!call_id.len || (e->kind != TRACE_SIP && e->kind != TRACE_STATE && e->kind != TRACE_ATTACK))
        return;
    size_t known = name_index_find(&c->by_call_id, call_id);
    if (known != NAME_INDEX_NONE) {
        if (e->kind == TRACE_ATTACK)
            c->attacked[c->items[known].call] = true;
        return;
    }
    if (e->kind == TRACE_STATE) {
        note_delivery(c, e, call_id);
        return;
    }
    bool begins = e->kind == TRACE_SIP && strcmp(e->event, "sent") == 0 &&
                  starts_with(trace_event_text(e, "label"), "INVITE");
    if (!begins || c->r->call_count == 0 ||
        name_index_find(&c->adversaries, ibk_span_str(e->node)) == NAME_INDEX_NONE)
        return;
    size_t call = latest_call(c, e->time_ns);
    add(c, call_id, (ibk_span){0}, (conversation){.call = call, .adversary = true});
    c->attacked[call] = true;
}

void conversations_end(conversations *c) {
    for (size_t i = 0; i < c->count; i++) {
        free(c->items[i].call_id);
        free(c->items[i].name);
    }
    free(c->items);
    free(c->attacked);
    name_index_free(&c->by_call_id);
    name_index_free(&c->calls_by_name);
    name_index_free(&c->adversaries);
    *c = (conversations){0};
}

const conversation *conversations_find(const conversations *c, ibk_span call_id) {
    size_t found = name_index_find(&c->by_call_id, call_id);
    return found == NAME_INDEX_NONE ? NULL : &c->items[found];
}

size_t conversations_beside(const conversations *c, size_t call, const conversation **out, size_t max,
                            size_t *left_out) {
    size_t count = 0;
    *left_out = 0;
    for (size_t i = c->r->call_count; i < c->count; i++) {
        if (c->items[i].call != call)
            continue;
        if (count < max)
            out[count++] = &c->items[i];
        else
            ++*left_out;
    }
    return count;
}
