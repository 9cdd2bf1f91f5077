/* --set path=value: changes the tree before anything is judged, so that an override is checked like the file.
 */
#include "scenario/tree.h"
#include <string.h>

#define MAX_SEGMENTS 12

typedef struct override {
    scn_ctx *ctx;
    scn_where where; /* "--set …" */
    const char *segments[MAX_SEGMENTS];
    size_t count;
    const char *value;
} override;

static void grammar(override *o, const char *what) {
    scn_hint(scn_report(o->ctx, &o->where, "%s", what),
             "write path=value, e.g. links.access.loss=5 %%, users[0].register=false, calls.first.at=2 s");
}

/* "users[0].psk" to "users", "0", "psk"; names with dots go in brackets: domains[home.example].kms. */
static bool split(override *o, const char *text) {
    const char *equals = text;
    while (*equals != '\0' && *equals != '=')
        equals++;
    if (*equals == '\0') {
        grammar(o, "there is no '=' in this override");
        return false;
    }
    o->value = equals + 1;
    const char *at = text;
    while (at < equals) {
        bool bracket = *at == '[';
        at += bracket;
        const char *end = at;
        while (end < equals && (bracket ? *end != ']' : *end != '.' && *end != '['))
            end++;
        if (end == at || o->count == MAX_SEGMENTS || (bracket && end == equals))
            break;
        o->segments[o->count++] = scn_copy(o->ctx->arena, at, (size_t)(end - at));
        at = end + bracket;
        if (at == equals)
            return true;
        if (*at == '.' && at + 1 < equals)
            at++;
        else if (*at != '[')
            break;
    }
    grammar(o, "the path of this override is not well formed");
    return false;
}

static bool index_of(const char *text, size_t *out) {
    size_t value = 0;
    for (const char *c = text; *c != '\0'; c++) {
        if (*c < '0' || *c > '9' || c - text > 5)
            return false;
        value = value * 10 + (size_t)(*c - '0');
    }
    *out = value;
    return text[0] != '\0';
}

static scn_node *step_into_list(override *o, scn_node *list, const char *segment, const char *path) {
    size_t index;
    if (index_of(segment, &index) && index < list->count)
        return &list->items[index];
    scn_nearest nearest = {.word = segment};
    for (size_t i = 0; i < list->count; i++) {
        const scn_node *name = scn_node_get(&list->items[i], "name");
        if (name == NULL || name->kind != SCN_SCALAR)
            continue;
        if (strcmp(name->text, segment) == 0)
            return &list->items[i];
        scn_nearest_try(&nearest, name->text);
    }
    scn_error *e = scn_report(o->ctx, &o->where, "%s has no entry '%s'", path, scn_show(o->ctx, segment));
    if (nearest.best != NULL)
        scn_hint(e, "did you mean '%s'?", scn_show(o->ctx, nearest.best));
    else if (list->count > 0)
        scn_hint(e, "its entries are %s[0] to %s[%zu], or go by their names", path, path, list->count - 1);
    return NULL;
}

static scn_node *step(override *o, scn_node *node, const char *segment, const char *path) {
    if (node->kind == SCN_SEQUENCE)
        return step_into_list(o, node, segment, path);
    if (scn_node_is_null(node))
        *node = (scn_node){.kind = SCN_MAPPING, .where = o->where};
    if (node->kind != SCN_MAPPING) {
        scn_report(o->ctx, &o->where, "%s is a single value: nothing is below it", path);
        return NULL;
    }
    scn_node *child = scn_node_get(node, segment);
    return child != NULL ? child : scn_node_add(o->ctx, node, segment, &o->where);
}

/* A value in brackets, braces or quotes is YAML; all else is taken as it stands. */
static bool set_value(override *o, scn_node *node) {
    if (o->value[0] != '\0' && strchr("[{\"'", o->value[0]) != NULL) {
        scn_node parsed = {0};
        bool ok = scn_tree_parse_value(o->ctx, &parsed, o->value, &o->where);
        if (ok)
            *node = parsed;
        return ok;
    }
    if (strlen(o->value) > SCN_MAX_SCALAR) {
        scn_report(o->ctx, &o->where, "a text of more than 4096 octets");
        return false;
    }
    *node = (scn_node){
        .where = o->where, .plain = true, .text = scn_copy(o->ctx->arena, o->value, strlen(o->value))};
    return true;
}

static bool is_utf8(const char *text) {
    for (const unsigned char *c = (const unsigned char *)text; *c != '\0';) {
        unsigned more = *c < 0x80 ? 0 : *c >= 0xC2 && *c < 0xE0 ? 1 : *c >= 0xE0 && *c < 0xF0 ? 2 : 3;
        if (more == 3 && (*c < 0xF0 || *c > 0xF4))
            return false;
        if ((*c == 0xE0 && c[1] < 0xA0) || (*c == 0xED && c[1] > 0x9F) || (*c == 0xF0 && c[1] < 0x90) ||
            (*c == 0xF4 && c[1] > 0x8F) || *c < 0x20 || *c == 0x7F)
            return false;
        for (c++; more > 0; more--, c++) {
            if ((*c & 0xC0) != 0x80)
                return false;
        }
    }
    return true;
}

static void apply(override *o, scn_node *root, const char *text) {
    if (!is_utf8(text)) {
        grammar(o, "the override is not UTF-8 text, or holds control characters");
        return;
    }
    if (!split(o, text))
        return;
    scn_node *node = root;
    const char *path = "the scenario";
    for (size_t i = 0; i < o->count && node != NULL; i++) {
        node = step(o, node, o->segments[i], path);
        path = i == 0 ? o->segments[0] : scn_printf(o->ctx->arena, "%s.%s", path, o->segments[i]);
    }
    if (node != NULL)
        o->ctx->shape_broken |= !set_value(o, node);
    else
        o->ctx->shape_broken = true;
}

void scn_override(scn_ctx *ctx, scn_node *root, const char *const *sets, size_t count) {
    for (size_t i = 0; i < count && !ctx->arena->failed; i++) {
        override o = {.ctx = ctx};
        o.where.file = scn_printf(ctx->arena, "--set %s", scn_show(ctx, sets[i]));
        apply(&o, root, sets[i]);
    }
}
