#include "scenario/schema.h"
#include <string.h>

static const char *join(scn_ctx *ctx, const char *path, const char *key) {
    return path[0] == '\0' ? key : scn_printf(ctx->arena, "%s.%s", path, scn_show(ctx, key));
}

static const char *in_path(scn_ctx *ctx, const scn_section *section, const char *path) {
    return path[0] == '\0' ? scn_printf(ctx->arena, "at the top of %s", section->what)
                           : scn_printf(ctx->arena, "in %s", path);
}

static const char *key_list(scn_ctx *ctx, const scn_section *section) {
    const char *list = "";
    for (size_t i = 0; i < section->count; i++)
        list = scn_printf(ctx->arena, "%s%s%s", list, i == 0 ? "" : ", ", section->fields[i].key);
    return list;
}

static const char *nearest_key(const scn_section *section, const char *key) {
    scn_nearest nearest = {.word = key};
    for (size_t i = 0; i < section->count; i++)
        scn_nearest_try(&nearest, section->fields[i].key);
    return nearest.best;
}

static void unknown_key(scn_ctx *ctx, const scn_section *section, const scn_node *key, const char *path) {
    const char *nearest = nearest_key(section, key->text);
    scn_error *e = scn_report(ctx, &key->where, "unknown key '%s' %s", scn_show(ctx, key->text),
                              in_path(ctx, section, path));
    if (nearest != NULL)
        scn_hint(e, "did you mean '%s'?", nearest);
    else
        scn_hint(e, "the keys here are: %s", key_list(ctx, section));
    ctx->shape_broken = true;
}

/* ---- lists ------------------------------------------------------------------------------------------------
 */

/* A mapping in the place of a list: each key is the value of the first key of its entry. */
static void convert_named(scn_ctx *ctx, raw_list *list, const scn_field *field, scn_node *node,
                          const char *path) {
    const scn_section *section = field->section;
    const scn_field *name = &section->fields[0];
    list->items = scn_alloc_array(ctx->arena, node->count, section->size);
    for (size_t i = 0; i < node->count && list->items != NULL; i++) {
        if (scn_node_repeats(node, i))
            continue;
        char *element = (char *)list->items + list->count++ * section->size;
        const char *place = join(ctx, path, node->keys[i].text);
        scn_convert(ctx, element, section, &node->items[i], place);
        raw_head *head = (raw_head *)element;
        if (scn_written(head, name->key)) {
            scn_report(ctx, scn_where_of(head, name->key), "%s.%s: its name is '%s' already", place,
                       name->key, scn_show(ctx, node->keys[i].text));
            ctx->shape_broken = true;
        } else if (scn_value_read(ctx, element + name->offset, name, &node->keys[i], place)) {
            head->given |= 1;
        } else {
            ctx->shape_broken = true;
        }
    }
}

static void convert_list(scn_ctx *ctx, raw_list *list, const scn_field *field, scn_node *node,
                         const char *path) {
    const scn_section *section = field->section;
    if (field->by_name && node->kind == SCN_MAPPING) {
        convert_named(ctx, list, field, node, path);
        return;
    }
    if (node->kind != SCN_SEQUENCE || (field->required && node->count == 0)) {
        scn_error *e = scn_report(ctx, &node->where, "'%s' must be a list, not %s", path,
                                  node->kind == SCN_SEQUENCE ? "an empty one" : scn_node_kind_name(node));
        scn_hint(e, "begin each entry with '- ' and its first key, e.g. '- %s: ...'", section->fields[0].key);
        ctx->shape_broken = true;
        return;
    }
    list->items = scn_alloc_array(ctx->arena, node->count, section->size);
    if (list->items == NULL)
        return;
    list->count = node->count;
    for (size_t i = 0; i < node->count; i++)
        scn_convert(ctx, (char *)list->items + i * section->size, section, &node->items[i],
                    scn_printf(ctx->arena, "%s[%zu]", path, i));
}

/* Keys that are names of their own: links.<class>, expect.call.<call>. */
static void convert_others(scn_ctx *ctx, void *raw, const scn_section *section, scn_node *node,
                           const char *path) {
    const scn_section *other = section->other;
    raw_list *list = (raw_list *)((char *)raw + section->other_offset);
    list->items = scn_alloc_array(ctx->arena, node->count, other->size);
    for (size_t i = 0; i < node->count && list->items != NULL; i++) {
        const char *name = node->keys[i].text;
        if (scn_node_repeats(node, i) || scn_field_of(section, name) != NULL)
            continue;
        char *element = (char *)list->items + list->count++ * other->size;
        *(const char **)(element + section->other_name_offset) = name;
        scn_convert(ctx, element, other, &node->items[i], join(ctx, path, name));
    }
}

/* ---- fields -----------------------------------------------------------------------------------------------
 */

/* A wrong value of such a type leaves the rest of the file as it is; after any other one, what refers to
 * names, counts and times would be judged wrongly. */
static bool stands_alone(const scn_field *field) {
    switch (field->type) {
    case SCN_T_UINT:
    case SCN_T_NAME:
    case SCN_T_REFERENCE:
    case SCN_T_DOMAIN:
    case SCN_T_URI:
    case SCN_T_NAI:
    case SCN_T_USER:
        return false;
    case SCN_T_QUANTITY:
        return field->quantity != &scn_time_quantity;
    default:
        return true;
    }
}

static void missing(scn_ctx *ctx, const scn_section *section, const scn_field *field, const scn_node *node,
                    const char *path) {
    ctx->shape_broken = true;
    for (size_t i = 0; node != NULL && i < node->count; i++) {
        const char *near = nearest_key(section, node->keys[i].text);
        if (near != NULL && strcmp(near, field->key) == 0)
            return; /* it is there, misspelt: one report is enough */
    }
    scn_error *e = path[0] == '\0' ? scn_report(ctx, &node->where, "the key '%s' is missing", field->key)
                                   : scn_report(ctx, &node->where, "%s lacks the key '%s'", path, field->key);
    scn_hint(e, "%s: %s", field->key, field->meaning);
}

/* True if the field has a value afterwards. */
static bool convert_scalar(scn_ctx *ctx, void *at, const scn_field *field, const scn_node *value,
                           const char *path) {
    bool ok = value != NULL && scn_value_read(ctx, at, field, value, path);
    ctx->shape_broken |= value != NULL && !ok && !stands_alone(field);
    if (ok || field->fallback == NULL)
        return ok;
    const scn_node text = {.text = field->fallback, .plain = field->fallback[0] != '\0'};
    return scn_value_read(ctx, at, field, &text, path);
}

static void convert_field(scn_ctx *ctx, void *raw, size_t index, const scn_section *section, scn_node *node,
                          const char *path) {
    const scn_field *field = &section->fields[index];
    raw_head *head = raw;
    void *at = (char *)raw + field->offset;
    scn_node *value = scn_node_get(node, field->key);
    const char *place = join(ctx, path, field->key);
    bool has_value = true;
    if (value == NULL && field->required)
        missing(ctx, section, field, node, path);
    else if (field->type == SCN_T_SECTION)
        scn_convert(ctx, at, field->section, value, place);
    else if (field->type == SCN_T_LIST && value != NULL)
        convert_list(ctx, at, field, value, place);
    else if (field->type != SCN_T_LIST)
        has_value = convert_scalar(ctx, at, field, value, place);
    if (has_value)
        head->given |= UINT64_C(1) << index;
}

void scn_convert(scn_ctx *ctx, void *raw, const scn_section *section, scn_node *node, const char *path) {
    raw_head *head = raw;
    if (node != NULL && node->kind != SCN_MAPPING) {
        scn_error *e = scn_report(ctx, &node->where, "%s must be a mapping of keys, not %s",
                                  path[0] == '\0' ? section->what : path, scn_node_kind_name(node));
        if (section->count > 0)
            scn_hint(e, "the keys are: %s", key_list(ctx, section));
        ctx->shape_broken = true;
        return;
    }
    head->node = node;
    for (size_t i = 0; node != NULL && section->other == NULL && i < node->count; i++) {
        if (scn_field_of(section, node->keys[i].text) == NULL && !scn_node_repeats(node, i))
            unknown_key(ctx, section, &node->keys[i], path);
    }
    for (size_t i = 0; i < section->count && !ctx->arena->failed && (node != NULL || !section->optional); i++)
        convert_field(ctx, raw, i, section, node, path);
    if (node != NULL && section->other != NULL)
        convert_others(ctx, raw, section, node, path);
}
