#include "scenario/tree.h"
#include <string.h>
#include <yaml.h>

typedef struct anchor {
    const char *name;
    const scn_node *node;
} anchor;

typedef struct builder {
    scn_ctx *ctx;
    yaml_parser_t parser;
    ibk_span text;
    const scn_where *fixed; /* NULL: nodes stand where the parser says */
    size_t nodes;
    anchor anchors[SCN_MAX_ANCHOR];
    size_t anchor_count;
    bool stop; /* nothing more can be read */
} builder;

static bool build(builder *b, scn_node *out, const yaml_event_t *event, unsigned depth);

static scn_where place(const builder *b, yaml_mark_t mark) {
    if (b->fixed != NULL)
        return *b->fixed;
    return (scn_where){
        .file = b->ctx->path, .line = (unsigned)mark.line + 1, .column = (unsigned)mark.column + 1};
}

/* ---- what libyaml refuses --------------------------------------------------------------------------------
 */

/* libyaml knows only the offset of octets that are no UTF-8. */
static yaml_mark_t mark_of_offset(ibk_span text, size_t offset) {
    yaml_mark_t mark = {0};
    for (size_t i = 0; i < offset && i < text.len; i++) {
        if (text.data[i] == '\n') {
            mark.line++;
            mark.column = 0;
        } else if ((text.data[i] & 0xC0) != 0x80) {
            mark.column++;
        }
    }
    mark.index = offset;
    return mark;
}

static bool tab_at(const builder *b, yaml_mark_t mark) {
    size_t line = 0, i = 0;
    for (; i < b->text.len && line < mark.line; i++)
        line += b->text.data[i] == '\n';
    for (size_t end = i + mark.column; i < b->text.len && i <= end; i++) {
        if (b->text.data[i] == '\t')
            return true;
        if (b->text.data[i] != ' ')
            return false;
    }
    return false;
}

/* What people who meet these messages of libyaml have mostly done. */
static const char *advice_for(const char *problem, const char *context) {
    static const struct {
        const char *problem, *context, *advice;
    } list[] = {
        {"mapping values are not allowed", "",
         "a text with ': ' in it needs quotes; or the line is indented wrongly"},
        {"did not find expected ','", "flow",
         "inside {} and [] a text with braces or commas needs quotes: 'user-{n}'"},
        {"expected comment or line break", "block scalar",
         "bounds are words: 'at least 2', 'at most 2 s', 'above 3'"},
        {"could not find expected ':'", "", "a key ends with ':' and a space"},
        {"cannot start any token", "", "a text that begins with this character needs quotes"},
    };
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        if (strstr(problem, list[i].problem) != NULL && strstr(context, list[i].context) != NULL)
            return list[i].advice;
    }
    return NULL;
}

static void report_parser(builder *b) {
    const yaml_parser_t *p = &b->parser;
    b->stop = true;
    if (p->error == YAML_MEMORY_ERROR) {
        b->ctx->arena->failed = true;
        return;
    }
    const char *problem = p->problem == NULL ? "unknown problem" : p->problem;
    if (p->error == YAML_READER_ERROR) {
        scn_where where = place(b, mark_of_offset(b->text, p->problem_offset));
        scn_error *e = scn_report(b->ctx, &where, "not readable as text: %s", problem);
        scn_hint(e, "a scenario is UTF-8 text without control characters");
        return;
    }
    scn_where where = place(b, p->problem_mark);
    scn_error *e = scn_report(b->ctx, &where, "not valid YAML: %s%s%s", problem, p->context ? ", " : "",
                              p->context ? p->context : "");
    const char *advice = advice_for(problem, p->context == NULL ? "" : p->context);
    if (tab_at(b, p->problem_mark))
        scn_hint(e, "indent with spaces, not with tabs");
    else if (b->fixed == NULL && p->context != NULL && p->context_mark.line != p->problem_mark.line)
        scn_hint(e, "what it belongs to begins in line %zu", p->context_mark.line + 1);
    else if (advice != NULL)
        scn_hint(e, "%s", advice);
}

static bool next(builder *b, yaml_event_t *event) {
    if (b->stop || b->ctx->arena->failed)
        return false;
    if (yaml_parser_parse(&b->parser, event))
        return true;
    report_parser(b);
    return false;
}

static bool refuse(builder *b, yaml_mark_t mark, const char *message, const char *hint) {
    scn_where where = place(b, mark);
    scn_hint(scn_report(b->ctx, &where, "%s", message), "%s", hint);
    b->stop = true;
    return false;
}

/* ---- nodes ------------------------------------------------------------------------------------------------
 */

static bool count_node(builder *b, yaml_mark_t mark) {
    if (++b->nodes <= SCN_MAX_NODES)
        return true;
    return refuse(b, mark, "the file has more than 100000 values, aliases expanded",
                  "use `count:` for many users and calls");
}

static bool copy_node(builder *b, scn_node *out, const scn_node *from, yaml_mark_t mark) {
    if (!count_node(b, mark))
        return false;
    *out = *from;
    if (from->count == 0)
        return true;
    out->items = NULL;
    out->keys = NULL;
    scn_arena *arena = b->ctx->arena;
    for (size_t i = 0; i < from->count; i++) {
        out->count = i;
        out->items = scn_grow(arena, out->items, i, sizeof *out->items);
        if (from->kind == SCN_MAPPING)
            out->keys = scn_grow(arena, out->keys, i, sizeof *out->keys);
        if (arena->failed || !copy_node(b, &out->items[i], &from->items[i], mark))
            return false;
        if (from->kind == SCN_MAPPING)
            out->keys[i] = from->keys[i];
    }
    out->count = from->count;
    return true;
}

static bool build_alias(builder *b, scn_node *out, const yaml_event_t *event) {
    const char *name = (const char *)event->data.alias.anchor;
    for (size_t i = b->anchor_count; i-- > 0;) {
        if (strcmp(b->anchors[i].name, name) == 0)
            return copy_node(b, out, b->anchors[i].node, event->start_mark);
    }
    scn_where where = place(b, event->start_mark);
    scn_error *e =
        scn_report(b->ctx, &where, "no anchor '&%s' stands before this alias", scn_show(b->ctx, name));
    scn_hint(e, "an anchor must be complete before its alias is used");
    b->stop = true;
    return false;
}

static bool keep_anchor(builder *b, const scn_node *node, const yaml_char_t *name, yaml_mark_t mark) {
    if (name == NULL)
        return true;
    if (b->anchor_count == SCN_MAX_ANCHOR)
        return refuse(b, mark, "the file has more than 256 anchors", "use `count:` for many users and calls");
    scn_node *kept = scn_alloc(b->ctx->arena, sizeof *kept);
    if (kept == NULL)
        return false;
    *kept = *node;
    const char *text = scn_copy(b->ctx->arena, (const char *)name, strlen((const char *)name));
    b->anchors[b->anchor_count++] = (anchor){text, kept};
    return true;
}

static bool build_scalar(builder *b, scn_node *out, const yaml_event_t *event) {
    size_t len = event->data.scalar.length;
    const char *text = (const char *)event->data.scalar.value;
    out->kind = SCN_SCALAR;
    out->plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
    if (len > SCN_MAX_SCALAR)
        return refuse(b, event->start_mark, "a text of more than 4096 octets", "no value is that long");
    if (memchr(text, '\0', len) != NULL)
        return refuse(b, event->start_mark, "a text with a zero octet", "no value holds one");
    out->text = scn_copy(b->ctx->arena, text, len);
    return keep_anchor(b, out, event->data.scalar.anchor, event->start_mark);
}

static bool build_sequence(builder *b, scn_node *out, const yaml_event_t *event, unsigned depth) {
    yaml_event_t item;
    out->kind = SCN_SEQUENCE;
    while (next(b, &item)) {
        bool end = item.type == YAML_SEQUENCE_END_EVENT, ok = true;
        if (!end && out->count == SCN_MAX_ENTRIES) {
            ok = refuse(b, item.start_mark, "a list of more than 1000 entries", "use `count:` for many");
        } else if (!end) {
            out->items = scn_grow(b->ctx->arena, out->items, out->count, sizeof *out->items);
            ok = out->items != NULL && build(b, &out->items[out->count], &item, depth + 1);
            out->count += ok;
        }
        yaml_event_delete(&item);
        if (end)
            return keep_anchor(b, out, event->data.sequence_start.anchor, event->start_mark);
        if (!ok)
            return false;
    }
    return false;
}

/* Reports and goes on: the first one of two equal keys counts meanwhile. */
static bool check_key(builder *b, const scn_node *mapping, const yaml_event_t *event) {
    if (event->type != YAML_SCALAR_EVENT)
        return refuse(b, event->start_mark, "a key must be a plain word",
                      "lists, mappings and aliases are no keys");
    const char *key = (const char *)event->data.scalar.value;
    scn_where where = place(b, event->start_mark);
    if (strcmp(key, "<<") == 0) {
        scn_hint(scn_report(b->ctx, &where, "merge keys ('<<') are not supported"),
                 "write the keys out, or alias a whole value");
        return true;
    }
    for (size_t i = 0; i < mapping->count; i++) {
        if (strcmp(mapping->keys[i].text, key) != 0)
            continue;
        scn_error *e = scn_report(b->ctx, &where, "the key '%s' stands here twice", scn_show(b->ctx, key));
        scn_hint(e, "the first one is in line %u", mapping->keys[i].where.line);
    }
    return true;
}

static bool build_mapping(builder *b, scn_node *out, const yaml_event_t *event, unsigned depth) {
    yaml_event_t item;
    out->kind = SCN_MAPPING;
    scn_node *key = NULL;
    while (next(b, &item)) {
        bool end = item.type == YAML_MAPPING_END_EVENT, ok = true;
        if (end) {
            ;
        } else if (key != NULL) {
            ok = build(b, &out->items[out->count], &item, depth + 1);
            out->count += ok;
            key = NULL;
        } else if (out->count == SCN_MAX_ENTRIES) {
            ok = refuse(b, item.start_mark, "a mapping of more than 1000 keys", "no mapping needs that many");
        } else {
            out->items = scn_grow(b->ctx->arena, out->items, out->count, sizeof *out->items);
            out->keys = scn_grow(b->ctx->arena, out->keys, out->count, sizeof *out->keys);
            ok = out->items != NULL && out->keys != NULL && check_key(b, out, &item);
            key = ok ? &out->keys[out->count] : NULL;
            ok = ok && build(b, key, &item, depth + 1);
        }
        yaml_event_delete(&item);
        if (end)
            return keep_anchor(b, out, event->data.mapping_start.anchor, event->start_mark);
        if (!ok)
            return false;
    }
    return false;
}

static const yaml_char_t *tag_of(const yaml_event_t *event) {
    switch (event->type) {
    case YAML_SCALAR_EVENT:
        return event->data.scalar.tag;
    case YAML_SEQUENCE_START_EVENT:
        return event->data.sequence_start.tag;
    case YAML_MAPPING_START_EVENT:
        return event->data.mapping_start.tag;
    default:
        return NULL;
    }
}

static bool build(builder *b, scn_node *out, const yaml_event_t *event, unsigned depth) {
    *out = (scn_node){.where = place(b, event->start_mark)};
    if (depth > SCN_MAX_DEPTH)
        return refuse(b, event->start_mark, "nested more than 16 deep", "no part of a scenario is that deep");
    if (tag_of(event) != NULL)
        return refuse(b, event->start_mark, "tags ('!…') are not used in scenarios", "leave it out");
    if (!count_node(b, event->start_mark))
        return false;
    switch (event->type) {
    case YAML_ALIAS_EVENT:
        return build_alias(b, out, event);
    case YAML_SCALAR_EVENT:
        return build_scalar(b, out, event);
    case YAML_SEQUENCE_START_EVENT:
        return build_sequence(b, out, event, depth);
    case YAML_MAPPING_START_EVENT:
        return build_mapping(b, out, event, depth);
    default:
        return refuse(b, event->start_mark, "not valid YAML", "a value is expected here");
    }
}

/* ---- a whole text
 * ------------------------------------------------------------------------------------------ */

/* Reads on until an event of that type; false: refused before. */
static bool expect_event(builder *b, yaml_event_type_t type, yaml_event_t *event) {
    if (!next(b, event))
        return false;
    if (event->type == type)
        return true;
    yaml_mark_t mark = event->start_mark;
    bool empty = event->type == YAML_STREAM_END_EVENT;
    yaml_event_delete(event);
    if (empty)
        return refuse(b, (yaml_mark_t){0}, "the file is empty",
                      "a scenario begins with `ibakelab: 1`, a sweep with `sweep: 1`");
    return refuse(b, mark, "a second YAML document begins here", "one file holds one scenario");
}

static bool build_document(builder *b, scn_node *root) {
    yaml_event_t event;
    if (!expect_event(b, YAML_STREAM_START_EVENT, &event))
        return false;
    yaml_event_delete(&event);
    if (!expect_event(b, YAML_DOCUMENT_START_EVENT, &event))
        return false;
    yaml_event_delete(&event);
    if (!next(b, &event))
        return false;
    bool ok = build(b, root, &event, 0);
    yaml_event_delete(&event);
    if (!ok || !expect_event(b, YAML_DOCUMENT_END_EVENT, &event))
        return false;
    yaml_event_delete(&event);
    if (!expect_event(b, YAML_STREAM_END_EVENT, &event))
        return false;
    yaml_event_delete(&event);
    return true;
}

static bool parse(scn_ctx *ctx, scn_node *root, ibk_span text, const scn_where *fixed) {
    builder *b = scn_alloc(ctx->arena, sizeof *b);
    if (b == NULL)
        return false;
    b->ctx = ctx;
    b->text = text;
    b->fixed = fixed;
    if (!yaml_parser_initialize(&b->parser)) {
        ctx->arena->failed = true;
        return false;
    }
    yaml_parser_set_encoding(&b->parser, YAML_UTF8_ENCODING);
    /* libyaml asserts that there is an input, even an empty one. */
    yaml_parser_set_input_string(&b->parser, text.data ? text.data : (const unsigned char *)"", text.len);
    bool ok = build_document(b, root);
    yaml_parser_delete(&b->parser);
    return ok && !b->stop && !ctx->arena->failed;
}

bool scn_tree_parse(scn_ctx *ctx, scn_node *root, ibk_span text) {
    if (text.len >= 3 && memcmp(text.data, "\xEF\xBB\xBF", 3) == 0) /* a byte order mark says nothing here */
        text = (ibk_span){text.data + 3, text.len - 3};
    return parse(ctx, root, text, NULL);
}

bool scn_tree_parse_value(scn_ctx *ctx, scn_node *root, const char *text, const scn_where *where) {
    return parse(ctx, root, ibk_span_str(text), where);
}

/* ---- looking at nodes
 * ----------------------------------------------------------------------------------------- */

bool scn_node_is_null(const scn_node *node) {
    if (node->kind != SCN_SCALAR || !node->plain)
        return false;
    const char *t = node->text;
    return t[0] == '\0' || strcmp(t, "~") == 0 || strcmp(t, "null") == 0;
}

scn_node *scn_node_get(const scn_node *mapping, const char *key) {
    if (mapping == NULL || mapping->kind != SCN_MAPPING)
        return NULL;
    for (size_t i = 0; i < mapping->count; i++) {
        if (strcmp(mapping->keys[i].text, key) == 0)
            return &mapping->items[i];
    }
    return NULL;
}

scn_node *scn_node_add(scn_ctx *ctx, scn_node *mapping, const char *key, const scn_where *where) {
    size_t n = mapping->count;
    scn_node *keys = scn_grow(ctx->arena, mapping->keys, n, sizeof *keys);
    scn_node *items = scn_grow(ctx->arena, mapping->items, n, sizeof *items);
    if (keys == NULL || items == NULL)
        return NULL;
    keys[n] = (scn_node){.where = *where, .text = key};
    items[n] = (scn_node){.where = *where, .text = "", .plain = true};
    mapping->keys = keys;
    mapping->items = items;
    mapping->count = n + 1;
    return &items[n];
}

const char *scn_node_kind_name(const scn_node *node) {
    if (node->kind == SCN_SEQUENCE)
        return "a list";
    if (node->kind == SCN_MAPPING)
        return "a mapping";
    return scn_node_is_null(node) ? "nothing" : "a single value";
}

bool scn_node_repeats(const scn_node *mapping, size_t index) {
    const char *key = mapping->keys[index].text;
    for (size_t i = 0; i < index; i++) {
        if (strcmp(mapping->keys[i].text, key) == 0)
            return true;
    }
    return strcmp(key, "<<") == 0;
}
