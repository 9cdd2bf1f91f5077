#include "scenario/schema.h"
#include "scenario/source.h"
#include <errno.h>
#include <stdlib.h>
#include <string.h>

static ibk_err load(scn_scenario **out, scn_ctx *ctx, struct scn_file *file, ibk_span text,
                    const char *const *sets, size_t set_count) {
    scn_node *root = scn_alloc(ctx->arena, sizeof *root);
    scn_scenario *s = scn_alloc(ctx->arena, sizeof *s);
    if (root == NULL || s == NULL)
        return IBK_ERR_NO_MEMORY;
    if (text.len > SCN_MAX_FILE) {
        scn_report(ctx, &(scn_where){.file = ctx->path}, "the file is larger than %d octets", SCN_MAX_FILE);
        return IBK_ERR_BAD_VALUE;
    }
    if (scn_tree_parse(ctx, root, text) && scn_extend(ctx, root)) {
        scn_override(ctx, root, sets, set_count);
        scn_convert(ctx, &file->raw, &scn_root_section, root, "");
        s->path = ctx->path;
        s->file = file;
        if (!ctx->shape_broken && !ctx->arena->failed)
            scn_expand(ctx, s, &file->raw);
    }
    if (ctx->arena->failed)
        return IBK_ERR_NO_MEMORY;
    if (ctx->errors->count > 0)
        return IBK_ERR_BAD_VALUE;
    *out = s;
    return IBK_OK;
}

ibk_err scn_load_text(scn_scenario **out, scn_errors *errors, const char *name, ibk_span text,
                      const char *const *sets, size_t set_count) {
    *out = NULL;
    memset(errors, 0, sizeof *errors);
    struct scn_file *file = calloc(1, sizeof *file);
    scn_ctx *ctx = calloc(1, sizeof *ctx);
    ibk_err err = IBK_ERR_NO_MEMORY;
    if (file != NULL && ctx != NULL) {
        ctx->arena = &file->arena;
        ctx->errors = errors;
        ctx->path = scn_copy(&file->arena, name, strlen(name));
        const scn_source_file *own = scn_source_add(ctx, ctx->path, text);
        ctx->folder = own == NULL ? "" : own->folder;
        err = load(out, ctx, file, text, sets, set_count);
        scn_report_finish(ctx);
    }
    free(ctx);
    if (err != IBK_OK && file != NULL) {
        scn_arena_free(&file->arena);
        free(file);
    }
    return err;
}

ibk_err scn_load_file(scn_scenario **out, scn_errors *errors, const char *path, const char *const *sets,
                      size_t set_count) {
    ibk_buf text = {0};
    ibk_err err = scn_source_read(&text, path);
    int cause = errno;
    *out = NULL;
    if (err == IBK_OK) {
        err = scn_load_text(out, errors, path, ibk_buf_span(&text), sets, set_count);
    } else {
        scn_source_unreadable(errors, path, cause);
    }
    ibk_buf_free(&text);
    return err;
}

void scn_free(scn_scenario *scenario) {
    if (scenario == NULL)
        return;
    struct scn_file *file = scenario->file;
    scn_arena_free(&file->arena);
    ibk_wipe(file, sizeof *file);
    free(file);
}
