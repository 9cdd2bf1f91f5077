/* The reference of all keys, from the table that the loader uses. */
#include "scenario/schema.h"
#include <stdarg.h>
#include <string.h>

#define MAX_CHAPTERS 32
#define WIDTH        100

/* Sections with the same keys make one chapter: links.access and links.<class>. */
typedef struct chapter {
    const scn_section *section;
    const char *title, *meaning;
} chapter;

typedef struct book {
    ibk_buf *out;
    scn_arena arena;
    chapter chapters[MAX_CHAPTERS];
    size_t count;
    bool markdown;
    ibk_err err;
} book;

static void put(book *b, const char *text) {
    if (b->err == IBK_OK)
        b->err = ibk_buf_append(b->out, text, strlen(text));
}

static void collect(book *b, const scn_section *section, const char *path) {
    const char *quote = b->markdown ? "`" : "";
    const char *title = scn_printf(&b->arena, "%s%s%s", quote, path, quote);
    size_t i = 0;
    while (i < b->count && (section->count == 0 || b->chapters[i].section->fields != section->fields))
        i++;
    if (i < b->count) {
        chapter *c = &b->chapters[i];
        c->title = scn_printf(&b->arena, "%s, %s", c->title, title);
        if (c->section->meaning != section->meaning)
            c->meaning = scn_printf(&b->arena, "%s %s", c->meaning, section->meaning);
        return;
    }
    if (section->count > 0 && b->count < MAX_CHAPTERS)
        b->chapters[b->count++] = (chapter){section, path[0] == '\0' ? "The file" : title, section->meaning};
    const char *dot = path[0] == '\0' ? "" : ".";
    for (size_t k = 0; k < section->count; k++) {
        const scn_field *f = &section->fields[k];
        if (f->section != NULL)
            collect(b, f->section,
                    scn_printf(&b->arena, "%s%s%s%s", path, dot, f->key, f->type == SCN_T_LIST ? "[]" : ""));
    }
    if (section->other != NULL)
        collect(b, section->other, scn_printf(&b->arena, "%s%s%s", path, dot, section->other_word));
}

static const char *default_of(book *b, const scn_field *f) {
    const char *quote = b->markdown ? "`" : "";
    if (f->required)
        return "required";
    if (f->computed != NULL)
        return f->computed;
    if (f->fallback == NULL)
        return "";
    return f->fallback[0] == '\0' ? "empty" : scn_printf(&b->arena, "%s%s%s", quote, f->fallback, quote);
}

/* Shorter than in an error: the reference explains units and bounds once, at its top. */
static const char *type_of(book *b, const scn_field *f) {
    switch (f->type) {
    case SCN_T_QUANTITY:
        return f->quantity->what;
    case SCN_T_OFFSET:
        return "a time with or without sign";
    case SCN_T_NAME:
    case SCN_T_REFERENCE:
        return "a name";
    case SCN_T_COUNT_BOUND:
        return "a count such as all, none, 3, at least 95";
    case SCN_T_NUMBER_BOUND:
        return "a bound such as none, 31, at least 200";
    case SCN_T_TIME_BOUND:
        return "a bound such as at most 2 s";
    default:
        return scn_type_text(&b->arena, f);
    }
}

static const char *value_of(book *b, const scn_field *f) {
    const char *range = scn_range_text(&b->arena, f);
    if (f->type == SCN_T_NAME || f->type == SCN_T_REFERENCE || f->type == SCN_T_USER)
        range = "";
    return scn_printf(&b->arena, "%s%s%s", type_of(b, f), range[0] == '\0' ? "" : ", ", range);
}

/* ---- for a terminal
 * ------------------------------------------------------------------------------------------- */

static void put_wrapped(book *b, const char *text, size_t indent) {
    size_t column = 0;
    while (*text != '\0') {
        size_t len = strcspn(text, " ");
        if (column > indent && column + 1 + len > WIDTH) {
            put(b, "\n");
            column = 0;
        }
        if (column == 0) {
            put(b, scn_printf(&b->arena, "%*s", (int)indent, ""));
            column = indent;
        } else {
            put(b, " ");
            column++;
        }
        put(b, scn_printf(&b->arena, "%.*s", (int)len, text));
        column += len;
        text += len;
        while (*text == ' ')
            text++;
    }
    put(b, "\n");
}

static void text_chapter(book *b, const chapter *c) {
    put(b, scn_printf(&b->arena, "\n%s\n", c->title));
    put_wrapped(b, c->meaning, 2);
    for (size_t i = 0; i < c->section->count; i++) {
        const scn_field *f = &c->section->fields[i];
        put(b, scn_printf(&b->arena, "\n  %s\n", f->key));
        put_wrapped(b, f->meaning, 6);
        put_wrapped(b, value_of(b, f), 6);
        const char *fallback = default_of(b, f);
        if (fallback[0] != '\0')
            put_wrapped(b, f->required ? "required" : scn_printf(&b->arena, "default: %s", fallback), 6);
    }
}

ibk_err scn_reference_text(ibk_buf *out) {
    book b = {.out = out};
    put(&b, "The keys of a scenario file\n\n");
    put_wrapped(&b,
                "Values with a unit: times in ns, us, ms, s, min, h, d; rates in bit/s, kbit/s, Mbit/s, "
                "Gbit/s; shares in % "
                "or ppm; sizes in bytes; queues in packets; tones in Hz or kHz.",
                2);
    collect(&b, &scn_root_section, "");
    for (size_t i = 0; i < b.count; i++)
        text_chapter(&b, &b.chapters[i]);
    if (b.arena.failed)
        b.err = IBK_ERR_NO_MEMORY;
    scn_arena_free(&b.arena);
    return b.err;
}

/* ---- docs/scenario-reference.md
 * ---------------------------------------------------------------------------------- */

static const char introduction[] =
    "# Scenario reference\n"
    "\n"
    "Every key of a scenario file. This page is generated from the table that the loader itself uses\n"
    "(`cmake --build build --target scenario-docs`); a test checks that it is up to date.\n"
    "\n"
    "- A scenario is one YAML document in UTF-8. Unknown and duplicate keys are refused. Aliases (`*name`) "
    "are copied;\n"
    "  merge keys (`<<`) and tags are not used.\n"
    "- A value with a unit is a number and its unit: times in ns, us, ms, s, min, h, d; rates in bit/s, "
    "kbit/s,\n"
    "  Mbit/s, Gbit/s; shares in % or ppm; sizes in bytes; queues in packets; tones in Hz or kHz. `20 ms`, "
    "`0.5 %`. A\n"
    "  bare number is an error, `0` too.\n"
    "- A name is a letter, then letters, digits, `-` and `_`.\n"
    "- `ibakelab run FILE --set path=value` changes a value before anything is checked: `--set "
    "links.access.loss='5 %'`,\n"
    "  `--set users[0].register=false`, `--set calls.first.at='2 s'`. Entries of a list go by number (from "
    "0) or by name;\n"
    "  a name with dots goes in brackets: `domains[home.example].kms.parameters=1024`.\n"
    "- A count says of how many members of a set something must hold: `all`, `none`, `3`, `at least 95`, `at "
    "most 5`,\n"
    "  `above 5`, `below 6`. A bound holds for each member: `31`, `none`, `at least 200`, `at most 2 s`.\n"
    "- `ibakelab show FILE` prints the resolved configuration: every default filled in.\n";

static void markdown_chapter(book *b, const chapter *c) {
    put(b, scn_printf(&b->arena, "\n## %s\n\n%s\n\n| key | value | default | meaning |\n|---|---|---|---|\n",
                      c->title, c->meaning));
    for (size_t i = 0; i < c->section->count; i++) {
        const scn_field *f = &c->section->fields[i];
        put(b, scn_printf(&b->arena, "| `%s` | %s | %s | %s |\n", f->key, value_of(b, f), default_of(b, f),
                          f->meaning));
    }
}

ibk_err scn_reference_markdown(ibk_buf *out) {
    book b = {.out = out, .markdown = true};
    put(&b, introduction);
    collect(&b, &scn_root_section, "");
    for (size_t i = 0; i < b.count; i++)
        markdown_chapter(&b, &b.chapters[i]);
    if (b.arena.failed)
        b.err = IBK_ERR_NO_MEMORY;
    scn_arena_free(&b.arena);
    return b.err;
}
