#include "scenario/source.h"
#include <errno.h>
#include <string.h>

#define MAX_DEPTH 4 /* a file that extends one that extends one … */

/* ---- files
 * ------------------------------------------------------------------------------------------------------ */

ibk_err scn_source_read(ibk_buf *out, const char *path) {
    uint8_t piece[8192];
    size_t got;
    ibk_err err = IBK_OK;
    FILE *in = fopen(path, "rb");
    if (in == NULL)
        return IBK_ERR_IO;
    errno = 0;
    while (err == IBK_OK && out->len <= SCN_MAX_FILE && (got = fread(piece, 1, sizeof piece, in)) > 0)
        err = ibk_buf_append(out, piece, got);
    if (err == IBK_OK && ferror(in))
        err = IBK_ERR_IO;
    int cause = errno;
    fclose(in);
    errno = cause;
    return err;
}

void scn_source_unreadable(scn_errors *errors, const char *path, int cause) {
    memset(errors, 0, sizeof *errors);
    scn_error *e = &errors->list[errors->count++];
    snprintf(e->file, sizeof e->file, "%s", path);
    snprintf(e->message, sizeof e->message, "the file cannot be read: %s", strerror(cause));
}

const scn_source_file *scn_source_add(scn_ctx *ctx, const char *path, ibk_span text) {
    scn_source_file *s = scn_alloc(ctx->arena, sizeof *s);
    if (s == NULL)
        return NULL;
    const char *slash = strrchr(path, '/');
    s->path = path;
    s->folder = slash == NULL ? "" : scn_copy(ctx->arena, path, (size_t)(slash + 1 - path));
    s->text = text;
    s->next = ctx->sources;
    ctx->sources = s;
    return s;
}

const char *scn_source_folder(const scn_ctx *ctx, const scn_where *where) {
    for (const scn_source_file *s = ctx->sources; where->file != NULL && s != NULL; s = s->next) {
        if (strcmp(s->path, where->file) == 0)
            return s->folder;
    }
    return ctx->folder;
}

const char *scn_source_path(const scn_ctx *ctx, const scn_where *where, const char *text) {
    return text[0] == '/' ? text : scn_printf(ctx->arena, "%s%s", scn_source_folder(ctx, where), text);
}

/* ---- one tree over another
 * -------------------------------------------------------------------------------------- */

static scn_node *entry_of(const scn_node *list, const char *name) {
    for (size_t i = 0; name != NULL && i < list->count; i++) {
        const scn_node *other = scn_node_get(&list->items[i], "name");
        if (other != NULL && other->kind == SCN_SCALAR && strcmp(other->text, name) == 0)
            return &list->items[i];
    }
    return NULL;
}

static const char *name_of(const scn_node *entry) {
    const scn_node *name = scn_node_get(entry, "name");
    return name != NULL && name->kind == SCN_SCALAR ? name->text : NULL;
}

static bool all_named(const scn_node *list) {
    for (size_t i = 0; i < list->count; i++) {
        if (name_of(&list->items[i]) == NULL)
            return false;
    }
    return list->count > 0;
}

static void overlay(scn_ctx *ctx, scn_node *base, const scn_node *over);

static void overlay_list(scn_ctx *ctx, scn_node *base, const scn_node *over) {
    for (size_t i = 0; i < over->count && !ctx->arena->failed; i++) {
        scn_node *entry = entry_of(base, name_of(&over->items[i]));
        if (entry != NULL) {
            overlay(ctx, entry, &over->items[i]);
            continue;
        }
        scn_node *items = scn_grow(ctx->arena, base->items, base->count, sizeof *items);
        if (items == NULL)
            return;
        items[base->count++] = over->items[i];
        base->items = items;
    }
}

static void overlay_mapping(scn_ctx *ctx, scn_node *base, const scn_node *over) {
    for (size_t i = 0; i < over->count && !ctx->arena->failed; i++) {
        const char *key = over->keys[i].text;
        scn_node *value = scn_node_get(base, key);
        if (value == NULL)
            value = scn_node_add(ctx, base, key, &over->keys[i].where);
        if (value == NULL)
            return;
        if (strcmp(key, "expect") == 0)
            *value = over->items[i];
        else
            overlay(ctx, value, &over->items[i]);
    }
}

static void overlay(scn_ctx *ctx, scn_node *base, const scn_node *over) {
    if (base->kind == SCN_MAPPING && over->kind == SCN_MAPPING)
        overlay_mapping(ctx, base, over);
    else if (base->kind == SCN_SEQUENCE && over->kind == SCN_SEQUENCE && all_named(base) && all_named(over))
        overlay_list(ctx, base, over);
    else
        *base = *over;
}

/* ---- extends
 * ---------------------------------------------------------------------------------------------------- */

/* Takes the key out of the mapping. */
static bool take(scn_node *mapping, const char *key, scn_node *out) {
    scn_node *found = scn_node_get(mapping, key);
    if (found == NULL)
        return false;
    *out = *found;
    size_t index = (size_t)(found - mapping->items), after = mapping->count - index - 1;
    memmove(&mapping->items[index], &mapping->items[index + 1], after * sizeof *mapping->items);
    memmove(&mapping->keys[index], &mapping->keys[index + 1], after * sizeof *mapping->keys);
    mapping->count--;
    return true;
}

/* The text of a file, in the arena; false: reported. */
static bool fetch(scn_ctx *ctx, const scn_node *name, const char *path, ibk_span *text) {
    ibk_buf file = {0};
    ibk_err err = scn_source_read(&file, path);
    int cause = errno;
    if (err == IBK_OK && file.len > SCN_MAX_FILE)
        scn_report(ctx, &name->where, "extends: the file is larger than %d octets", SCN_MAX_FILE);
    else if (err == IBK_OK)
        *text = ibk_span_of(scn_copy(ctx->arena, (const char *)file.data, file.len), file.len);
    else
        scn_hint(scn_report(ctx, &name->where, "extends: '%s' cannot be read: %s", scn_show(ctx, name->text),
                            strerror(cause)),
                 "paths start at the folder of the file that names them");
    bool ok = err == IBK_OK && file.len <= SCN_MAX_FILE && !ctx->arena->failed;
    ibk_buf_free(&file);
    return ok;
}

static bool parse(scn_ctx *ctx, const scn_node *name, scn_node *base) {
    const char *path = scn_source_path(ctx, &name->where, name->text), *own = ctx->path;
    ibk_span text;
    if (!fetch(ctx, name, path, &text) || scn_source_add(ctx, path, text) == NULL)
        return false;
    ctx->path = path;
    bool ok = scn_tree_parse(ctx, base, text);
    ctx->path = own;
    return ok;
}

/* The tree that `name` stands for; false: reported. */
static bool base_of(scn_ctx *ctx, const scn_node *name, int depth, scn_node *base) {
    if (name->kind != SCN_SCALAR || scn_node_is_null(name)) {
        scn_hint(scn_report(ctx, &name->where, "extends must name a scenario file"),
                 "its path starts at the folder of this file");
        return false;
    }
    if (depth == MAX_DEPTH) {
        scn_hint(scn_report(ctx, &name->where, "extends: files extend each other too deep, or in a ring"),
                 "at most %d files may stand one upon the other", MAX_DEPTH);
        return false;
    }
    return parse(ctx, name, base);
}

bool scn_extend(scn_ctx *ctx, scn_node *root) {
    scn_node name;
    for (int depth = 0; take(root, "extends", &name); depth++) {
        scn_node base = {0};
        if (!base_of(ctx, &name, depth, &base))
            return false;
        overlay(ctx, &base, root);
        *root = base;
    }
    return true;
}
