/* ibakelab: where events go: a file of JSON lines, or memory. */
#include "trace/trace.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- events.jsonl ----------------------------------------------------------------------------- */

struct trace_jsonl {
    FILE *file;
    char *path;
    ibk_buf line;
    ibk_err err; /* the first one; nothing is written after it */
    int error_number;
};

ibk_err trace_jsonl_open(trace_jsonl **out, const char *path, ibk_diag *diag) {
    *out = NULL;
    trace_jsonl *jsonl = calloc(1, sizeof *jsonl);
    if (!jsonl || !(jsonl->path = strdup(path))) {
        free(jsonl);
        return ibk_fail(diag, IBK_ERR_NO_MEMORY, NULL, 0, NULL);
    }
    jsonl->file = strcmp(path, "-") == 0 ? stdout : fopen(path, "wb");
    if (!jsonl->file) {
        ibk_err err = ibk_fail(diag, IBK_ERR_IO, NULL, 0, "cannot create %s: %s", path, strerror(errno));
        free(jsonl->path);
        free(jsonl);
        return err;
    }
    *out = jsonl;
    return IBK_OK;
}

void trace_jsonl_event(void *user, const trace_event *e) {
    trace_jsonl *jsonl = user;
    if (!jsonl || jsonl->err)
        return;
    jsonl->line.len = 0; /* no secrets here: no need to wipe what the next line overwrites */
    ibk_err err = trace_event_json(&jsonl->line, e);
    if (!err)
        err = ibk_buf_append(&jsonl->line, "\n", 1);
    if (!err && fwrite(jsonl->line.data, 1, jsonl->line.len, jsonl->file) != jsonl->line.len) {
        err = IBK_ERR_IO;
        jsonl->error_number = errno;
    }
    jsonl->err = err;
}

ibk_err trace_jsonl_close(trace_jsonl *jsonl, ibk_diag *diag) {
    if (!jsonl)
        return IBK_OK;
    ibk_err err = jsonl->err;
    int number = jsonl->error_number;
    int closed = jsonl->file == stdout ? fflush(jsonl->file) : fclose(jsonl->file);
    if (!err && closed != 0) {
        err = IBK_ERR_IO;
        number = errno;
    }
    if (err)
        ibk_fail(diag, err, NULL, 0, "writing %s: %s", jsonl->path,
                 err == IBK_ERR_IO ? strerror(number) : ibk_err_text(err));
    ibk_buf_free(&jsonl->line);
    free(jsonl->path);
    free(jsonl);
    return err;
}

/* ---- memory ------------------------------------------------------------------------------------- */

struct trace_memory {
    trace_event **events; /* each with its fields and texts in one block */
    size_t count, capacity, limit;
    uint64_t dropped;
};

trace_memory *trace_memory_new(size_t max_events) {
    trace_memory *memory = calloc(1, sizeof *memory);
    if (memory)
        memory->limit = max_events;
    return memory;
}

static bool owns_octets(const trace_field *field) {
    return field->type == TRACE_TEXT || field->type == TRACE_HEX || field->type == TRACE_BASE64;
}

static char *copy_str(char **at, const char *text) {
    size_t len = strlen(text) + 1;
    char *to = memcpy(*at, text, len);
    *at += len;
    return to;
}

/* A deep copy in one allocation: the event, its fields, then all text. */
static trace_event *copy_event(const trace_event *e) {
    size_t size = sizeof *e + e->field_count * sizeof *e->fields + strlen(e->node) + strlen(e->event) + 2;
    for (size_t i = 0; i < e->field_count; i++)
        size += strlen(e->fields[i].key) + 1 + (owns_octets(&e->fields[i]) ? e->fields[i].octets.len : 0);
    trace_event *copy = malloc(size);
    if (!copy)
        return NULL;
    trace_field *fields = (trace_field *)(copy + 1);
    char *at = (char *)(fields + e->field_count);
    *copy = *e;
    copy->fields = fields;
    copy->node = copy_str(&at, e->node);
    copy->event = copy_str(&at, e->event);
    for (size_t i = 0; i < e->field_count; i++) {
        fields[i] = e->fields[i];
        fields[i].key = copy_str(&at, e->fields[i].key);
        if (!owns_octets(&fields[i]) || !fields[i].octets.len)
            continue;
        memcpy(at, e->fields[i].octets.data, e->fields[i].octets.len);
        fields[i].octets.data = (const uint8_t *)at;
        at += e->fields[i].octets.len;
    }
    return copy;
}

void trace_memory_event(void *user, const trace_event *e) {
    trace_memory *memory = user;
    if (!memory)
        return;
    if (memory->count == memory->limit) {
        memory->dropped++;
        return;
    }
    if (!IBK_ROOM(memory->events, memory->count, memory->capacity)) {
        memory->dropped++;
        return;
    }
    trace_event *copy = copy_event(e);
    if (copy)
        memory->events[memory->count++] = copy;
    else
        memory->dropped++;
}

size_t trace_memory_count(const trace_memory *memory) {
    return memory ? memory->count : 0;
}

const trace_event *trace_memory_at(const trace_memory *memory, size_t index) {
    return memory && index < memory->count ? memory->events[index] : NULL;
}

uint64_t trace_memory_dropped(const trace_memory *memory) {
    return memory ? memory->dropped : 0;
}

void trace_memory_free(trace_memory *memory) {
    if (!memory)
        return;
    for (size_t i = 0; i < memory->count; i++)
        free(memory->events[i]);
    free(memory->events);
    free(memory);
}
