/* ibakelab: building events and handing them to the sinks. */
#include "trace/trace.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define MAX_SINKS 8

struct sink {
    uint32_t kinds;
    void (*event)(void *user, const trace_event *e);
    void *user;
};

struct named_address {
    char *address, *node;
};

struct trace {
    uint64_t (*now_ns)(void *user);
    void *now_user;
    struct sink sinks[MAX_SINKS];
    size_t sink_count;
    uint32_t wanted; /* union of the sinks' masks */
    uint64_t sequence;
    bool open, muted; /* an event is being built; nobody wants it */
    trace_event event;
    trace_field fields[TRACE_MAX_FIELDS + 1]; /* the last is for "dropped_fields" */
    char scratch[1024];
    size_t scratch_used;
    struct named_address *addresses; /* sorted by address */
    size_t address_count;
};

static const char *const kind_names[TRACE_KINDS] = {"run",   "sip",   "mikey", "http", "state", "key",
                                                    "media", "timer", "error", "net",  "cpu",   "attack"};

const char *trace_kind_name(trace_kind kind) {
    return (unsigned)kind < TRACE_KINDS ? kind_names[kind] : "unknown";
}

trace *trace_new(void) {
    return calloc(1, sizeof(trace));
}

void trace_free(trace *t) {
    if (!t)
        return;
    trace_end(t);
    for (size_t i = 0; i < t->address_count; i++) {
        free(t->addresses[i].address);
        free(t->addresses[i].node);
    }
    free(t->addresses);
    free(t);
}

void trace_set_clock(trace *t, uint64_t (*now_ns)(void *user), void *user) {
    if (!t)
        return;
    t->now_ns = now_ns;
    t->now_user = user;
}

ibk_err trace_add_sink(trace *t, uint32_t kinds, void (*event)(void *user, const trace_event *e),
                       void *user) {
    if (!t)
        return IBK_OK;
    if (t->sink_count == MAX_SINKS)
        return IBK_ERR_LIMIT;
    t->sinks[t->sink_count++] = (struct sink){kinds & TRACE_ALL, event, user};
    t->wanted |= kinds & TRACE_ALL;
    return IBK_OK;
}

bool trace_wants(const trace *t, trace_kind kind) {
    return t && (unsigned)kind < TRACE_KINDS && (t->wanted & TRACE_MASK(kind));
}

void trace_begin(trace *t, trace_kind kind, const char *node, const char *event) {
    if (!t)
        return;
    trace_end(t);
    t->open = true;
    t->muted = !trace_wants(t, kind);
    if (t->muted)
        return;
    t->scratch_used = 0;
    t->event = (trace_event){.time_ns = t->now_ns ? t->now_ns(t->now_user) : 0,
                             .kind = kind,
                             .node = node ? node : "",
                             .event = event ? event : "",
                             .fields = t->fields};
}

/* The next field, or NULL if nobody listens. The spare one past the limit turns into the note of the loss. */
static trace_field *next_field(trace *t, const char *key, trace_type type) {
    if (!t || !t->open || t->muted || !key)
        return NULL;
    if (t->event.field_count >= TRACE_MAX_FIELDS) {
        t->fields[TRACE_MAX_FIELDS] = (trace_field){.key = "dropped_fields", .type = TRACE_BOOL, .b = true};
        t->event.field_count = TRACE_MAX_FIELDS + 1;
        return NULL;
    }
    trace_field *field = &t->fields[t->event.field_count++];
    *field = (trace_field){.key = key, .type = type};
    return field;
}

static void add_octets(trace *t, const char *key, trace_type type, ibk_span octets) {
    trace_field *field = next_field(t, key, type);
    if (field)
        field->octets = octets;
}

void trace_text(trace *t, const char *key, ibk_span text) {
    add_octets(t, key, TRACE_TEXT, text);
}

void trace_str(trace *t, const char *key, const char *text) {
    if (text)
        trace_text(t, key, ibk_span_str(text));
}

void trace_strf(trace *t, const char *key, const char *format, ...) {
    trace_field *field = next_field(t, key, TRACE_TEXT);
    if (!field)
        return;
    size_t room = sizeof t->scratch - t->scratch_used;
    char *to = t->scratch + t->scratch_used;
    va_list args;
    va_start(args, format);
    int len = room ? vsnprintf(to, room, format, args) : 0;
    va_end(args);
    if (len <= 0)
        return;
    size_t written = (size_t)len < room ? (size_t)len : room - 1;
    field->octets = ibk_span_of(to, written);
    t->scratch_used += written;
}

void trace_int(trace *t, const char *key, int64_t value) {
    trace_field *field = next_field(t, key, TRACE_INT);
    if (field)
        field->i = value;
}

void trace_uint(trace *t, const char *key, uint64_t value) {
    trace_field *field = next_field(t, key, TRACE_UINT);
    if (field)
        field->u = value;
}

void trace_bool(trace *t, const char *key, bool value) {
    trace_field *field = next_field(t, key, TRACE_BOOL);
    if (field)
        field->b = value;
}

void trace_hex(trace *t, const char *key, ibk_span octets) {
    add_octets(t, key, TRACE_HEX, octets);
}

void trace_base64(trace *t, const char *key, ibk_span octets) {
    add_octets(t, key, TRACE_BASE64, octets);
}

void trace_diag(trace *t, ibk_err err, const ibk_diag *diag) {
    trace_str(t, "error", ibk_err_name(err));
    trace_str(t, "reason", ibk_err_text(err));
    if (!diag || diag->err != err)
        return;
    if (diag->payload) {
        trace_str(t, "payload", diag->payload);
        trace_uint(t, "offset", diag->offset);
    }
    if (diag->detail[0])
        trace_strf(t, "detail", "%s", diag->detail); /* the diag may be gone at trace_end() */
}

void trace_end(trace *t) {
    if (!t || !t->open)
        return;
    t->open = false;
    if (t->muted)
        return;
    t->event.sequence = t->sequence++;
    for (size_t i = 0; i < t->sink_count; i++)
        if (t->sinks[i].kinds & TRACE_MASK(t->event.kind))
            t->sinks[i].event(t->sinks[i].user, &t->event);
}

/* ---- looking at events ------------------------------------------------------------------------ */

const trace_field *trace_event_field(const trace_event *event, const char *key) {
    for (size_t i = 0; i < event->field_count; i++)
        if (strcmp(event->fields[i].key, key) == 0)
            return &event->fields[i];
    return NULL;
}

ibk_span trace_event_text(const trace_event *event, const char *key) {
    const trace_field *field = trace_event_field(event, key);
    return field && field->type == TRACE_TEXT ? field->octets : (ibk_span){0};
}

bool trace_event_flag(const trace_event *event, const char *key) {
    const trace_field *field = trace_event_field(event, key);
    return field && field->type == TRACE_BOOL && field->b;
}

/* ---- messages ----------------------------------------------------------------------------------- */

/* Index of the first address that is not less than this one. */
static size_t address_slot(const trace *t, const char *address) {
    size_t low = 0, high = t->address_count;
    while (low < high) {
        size_t mid = (low + high) / 2;
        if (strcmp(t->addresses[mid].address, address) < 0)
            low = mid + 1;
        else
            high = mid;
    }
    return low;
}

ibk_err trace_name_address(trace *t, const char *address, const char *node) {
    if (!t)
        return IBK_OK;
    size_t slot = address_slot(t, address);
    char *name = strdup(node);
    if (!name)
        return IBK_ERR_NO_MEMORY;
    if (slot < t->address_count && strcmp(t->addresses[slot].address, address) == 0) {
        free(t->addresses[slot].node);
        t->addresses[slot].node = name;
        return IBK_OK;
    }
    char *copy = strdup(address);
    struct named_address *grown = copy ? realloc(t->addresses, (t->address_count + 1) * sizeof *grown) : NULL;
    if (!grown) {
        free(copy);
        free(name);
        return IBK_ERR_NO_MEMORY;
    }
    t->addresses = grown;
    memmove(&grown[slot + 1], &grown[slot], (t->address_count - slot) * sizeof *grown);
    grown[slot] = (struct named_address){copy, name};
    t->address_count++;
    return IBK_OK;
}

const char *trace_node_of(const trace *t, const char *address) {
    if (!t || !address)
        return NULL;
    size_t slot = address_slot(t, address);
    if (slot < t->address_count && strcmp(t->addresses[slot].address, address) == 0)
        return t->addresses[slot].node;
    return NULL;
}

void trace_message_begin(trace *t, const trace_message *message) {
    trace_begin(t, message->kind, message->node, message->sent ? "sent" : "received");
    if (!trace_wants(t, message->kind))
        return;
    const char *peer = trace_node_of(t, message->peer);
    trace_str(t, "peer", peer ? peer : message->peer);
    if (peer)
        trace_str(t, "address", message->peer);
    trace_str(t, "label", message->label);
    trace_str(t, "call", message->call);
    trace_str(t, "cseq", message->cseq);
    trace_str(t, "mikey", message->mikey);
    trace_str(t, "transport", message->transport);
    if (message->octets)
        trace_uint(t, "octets", message->octets);
    if (message->retransmission)
        trace_bool(t, "retransmission", true);
}
