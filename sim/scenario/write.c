/* The resolved configuration: the raw structs back to YAML, by the same table. */
#include "scenario/schema.h"
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

typedef struct writer {
    ibk_buf *out;
    scn_arena arena;
    ibk_err err;
} writer;

static void write_section(writer *w, const void *raw, const scn_section *section, unsigned indent,
                          bool in_list);

static void put(writer *w, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void put(writer *w, const char *format, ...) {
    char small[512];
    va_list args;
    va_start(args, format);
    int len = vsnprintf(small, sizeof small, format, args);
    va_end(args);
    if (w->err == IBK_OK && len >= 0 && (size_t)len < sizeof small)
        w->err = ibk_buf_append(w->out, small, (size_t)len);
    else if (w->err == IBK_OK)
        w->err = IBK_ERR_LIMIT;
}

static void put_text(writer *w, const char *text) {
    if (w->err == IBK_OK)
        w->err = ibk_buf_append(w->out, text, strlen(text));
}

/* A section without any value would read back as an error. */
static bool is_empty(const void *raw, const scn_section *section) {
    const raw_head *head = raw;
    if (section->other != NULL && ((const raw_list *)((const char *)raw + section->other_offset))->count > 0)
        return false;
    for (size_t i = 0; i < section->count; i++) {
        const scn_field *f = &section->fields[i];
        const char *at = (const char *)raw + f->offset;
        if (f->type == SCN_T_SECTION ? !is_empty(at, f->section) : (head->given >> i & 1) != 0)
            return false;
    }
    return true;
}

static void write_list(writer *w, const raw_list *list, const scn_section *section, unsigned indent) {
    for (size_t i = 0; i < list->count; i++)
        write_section(w, (const char *)list->items + i * section->size, section, indent, true);
}

static void write_others(writer *w, const void *raw, const scn_section *section, unsigned indent) {
    const raw_list *list = (const raw_list *)((const char *)raw + section->other_offset);
    for (size_t i = 0; i < list->count; i++) {
        const char *element = (const char *)list->items + i * section->other->size;
        put(w, "%*s%s:\n", (int)indent, "", *(const char *const *)(element + section->other_name_offset));
        write_section(w, element, section->other, indent + 2, false);
    }
}

static void write_section(writer *w, const void *raw, const scn_section *section, unsigned indent,
                          bool in_list) {
    const raw_head *head = raw;
    const char *dash = in_list ? "- " : "";
    unsigned inner = in_list ? indent + 2 : indent;
    for (size_t i = 0; i < section->count; i++) {
        const scn_field *f = &section->fields[i];
        const char *at = (const char *)raw + f->offset;
        bool nested = f->type == SCN_T_SECTION, list = f->type == SCN_T_LIST;
        if (nested ? is_empty(at, f->section) : (head->given >> i & 1) == 0)
            continue;
        if (list && ((const raw_list *)(const void *)at)->count == 0)
            continue;
        put(w, "%*s%s%s:", (int)indent, "", dash, f->key);
        if (nested || list) {
            put(w, "\n");
        } else {
            put(w, " ");
            put_text(w, scn_value_text(&w->arena, f, at));
            put(w, "\n");
        }
        if (nested)
            write_section(w, at, f->section, inner + 2, false);
        if (list)
            write_list(w, (const raw_list *)(const void *)at, f->section, inner + 2);
        dash = "";
        indent = inner;
    }
    if (section->other != NULL)
        write_others(w, raw, section, inner);
}

ibk_err scn_write_resolved(ibk_buf *out, const scn_scenario *scenario) {
    writer w = {.out = out};
    put(&w, "# The resolved configuration: every default filled in, every override applied.\n");
    write_section(&w, &scenario->file->raw, &scn_root_section, 0, false);
    if (w.arena.failed)
        w.err = IBK_ERR_NO_MEMORY;
    scn_arena_free(&w.arena);
    return w.err;
}
