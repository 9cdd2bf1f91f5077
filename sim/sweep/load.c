/* From a sweep file to the model. */
#include "scenario/source.h"
#include "sweep/measure.h"
#include "sweep/raw.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A sweep and the memory that it lives in. */
typedef struct holder {
    sweep sweep;
    scn_arena arena;
    raw_sweep raw;
    sweep_room room;
} holder;

/* ---- parameters
 * ------------------------------------------------------------------------------------------------ */

/* Names become columns of the database, beside these. */
static bool is_column(const char *name) {
    static const char *const taken[] = {"point", "seed", "verdict", "detail", "kept"};
    for (size_t i = 0; i < sizeof taken / sizeof taken[0]; i++)
        if (strcasecmp(name, taken[i]) == 0)
            return true;
    return false;
}

static void check_name(scn_ctx *ctx, const sweep *s, const raw_head *head, const char *name) {
    size_t same = 0;
    for (size_t i = 0; i < s->parameter_count; i++)
        same += strcasecmp(s->parameters[i].name, name) == 0;
    for (size_t i = 0; i < s->measure_count; i++)
        same += strcasecmp(s->measures[i].name, name) == 0;
    if (is_column(name))
        scn_report(ctx, scn_where_of(head, "name"), "nothing can be called '%s': every point has that", name);
    else if (strchr(name, '{') != NULL)
        scn_report(ctx, scn_where_of(head, "name"), "'%s' is no name", scn_show(ctx, name));
    else if (same > 1)
        scn_report(ctx, scn_where_of(head, "name"), "two parameters or measures are named '%s'",
                   scn_show(ctx, name));
}

static size_t path_length(const char *set) {
    const char *equals = strchr(set, '=');
    return equals == NULL ? strlen(set) : (size_t)(equals - set);
}

static bool sets_same(const sweep_parameter *a, const sweep_parameter *b) {
    for (size_t i = 0; a->count > 0 && b->count > 0 && i < a->choices[0].set_count; i++) {
        size_t len = path_length(a->choices[0].sets[i]);
        for (size_t j = 0; j < b->choices[0].set_count; j++)
            if (path_length(b->choices[0].sets[j]) == len &&
                memcmp(a->choices[0].sets[i], b->choices[0].sets[j], len) == 0)
                return true;
    }
    return false;
}

/* False: reported. In a mapping of entries the name is the entry's key. */
static bool is_named(scn_ctx *ctx, const raw_head *head, const char *list, size_t index) {
    if (head->given & 1) /* its first field */
        return true;
    scn_hint(scn_report(ctx, &head->node->where, "%s[%zu] lacks the key 'name'", list, index),
             "or write a mapping of names: {%s: {first: {...}}}", list);
    return false;
}

static void take_parameters(scn_ctx *ctx, holder *h) {
    sweep *s = &h->sweep;
    const raw_sweep *raw = &h->raw;
    const raw_parameter *list = raw->parameters.items;
    bool hypercube = raw->hypercube.head.node != NULL, sampled = false;
    if (raw->parameters.count > SWEEP_MAX_PARAMETERS) {
        scn_report(ctx, scn_where_of(&raw->head, "parameters"), "more than %d parameters",
                   SWEEP_MAX_PARAMETERS);
        return;
    }
    s->parameters = scn_alloc_array(ctx->arena, raw->parameters.count + 1, sizeof *s->parameters);
    for (size_t i = 0; s->parameters != NULL && i < raw->parameters.count; i++) {
        if (!is_named(ctx, &list[i].head, "parameters", i))
            continue;
        sweep_parameter *p = &s->parameters[s->parameter_count++];
        sweep_choices(ctx, &h->room, p, &list[i], hypercube ? &raw->hypercube : NULL);
        check_name(ctx, s, &list[i].head, p->name);
        sampled |= p->sampled;
        for (size_t j = 0; j + 1 < s->parameter_count; j++)
            if (sets_same(&s->parameters[j], p))
                scn_report(ctx, &p->where, "parameters.%s sets what parameters.%s sets", p->name,
                           s->parameters[j].name);
    }
    s->samples = sampled ? (size_t)raw->hypercube.samples : 0;
    if (hypercube && !sampled && ctx->errors->count == 0)
        scn_hint(scn_report(ctx, &raw->hypercube.head.node->where, "the hypercube has no parameter to draw"),
                 "it draws the ranges ('from' and 'to') that have no 'steps'");
}

/* ---- seeds
 * ------------------------------------------------------------------------------------------------ */

static void add_seed(scn_ctx *ctx, sweep *s, const scn_node *node, uint64_t seed) {
    for (size_t i = 0; i < s->seed_count; i++)
        if (s->seeds[i] == seed) {
            scn_report(ctx, &node->where, "seeds: %llu stands there twice", (unsigned long long)seed);
            return;
        }
    s->seeds = scn_grow(ctx->arena, s->seeds, s->seed_count, sizeof *s->seeds);
    if (s->seeds != NULL)
        s->seeds[s->seed_count++] = seed;
}

/* "7" or "1 to 10". */
static void take_seed(scn_ctx *ctx, sweep *s, const scn_node *node) {
    char first[24] = "", last[24] = "", more = 0;
    uint64_t from = 0, to = 0;
    bool text = node->kind == SCN_SCALAR;
    int parts = text ? sscanf(node->text, "%23[0-9] to %23[0-9]%c", first, last, &more) : 0;
    if (parts == 1 && strcmp(first, node->text) == 0)
        snprintf(last, sizeof last, "%s", first);
    if (parts < 1 || more != 0 || !scn_digits_read(&from, first) || !scn_digits_read(&to, last) ||
        from > to || to > INT64_MAX) {
        scn_hint(scn_report(ctx, &node->where, "seeds: %s%s%s are no seeds", text ? "'" : "",
                            text ? scn_show(ctx, node->text) : scn_node_kind_name(node), text ? "'" : ""),
                 "write one number, a span such as 1 to 10, or a list of them");
        return;
    }
    if (to - from >= SWEEP_MAX_SEEDS || s->seed_count + (to - from) >= SWEEP_MAX_SEEDS) {
        scn_report(ctx, &node->where, "seeds: more than %d", SWEEP_MAX_SEEDS);
        return;
    }
    for (uint64_t seed = from; seed <= to; seed++)
        add_seed(ctx, s, node, seed);
}

static void take_seeds(scn_ctx *ctx, sweep *s, const scn_node *node) {
    static const scn_node one = {.text = "1", .plain = true};
    if (node == NULL)
        node = &one;
    if (node->kind == SCN_SEQUENCE && node->count == 0)
        scn_report(ctx, &node->where, "seeds is an empty list");
    for (size_t i = 0; node->kind == SCN_SEQUENCE && i < node->count; i++)
        take_seed(ctx, s, &node->items[i]);
    if (node->kind != SCN_SEQUENCE)
        take_seed(ctx, s, node);
}

/* ---- measures
 * ------------------------------------------------------------------------------------------------ */

static void take_measure(scn_ctx *ctx, sweep_measure *out, const raw_measure *raw, const json_t *shape) {
    measure_problem problem;
    *out = (sweep_measure){.name = raw->name, .text = raw->value, .unit = raw->unit};
    out->value = measure_parse(ctx->arena, raw->value, shape, &problem);
    if (out->value != NULL || problem.message[0] == '\0')
        return;
    scn_where where = *scn_where_of(&raw->head, "value");
    const scn_node *node = scn_node_get(raw->head.node, "value");
    where.column += node != NULL ? (unsigned)problem.offset + !node->plain : 0;
    scn_hint(scn_report(ctx, &where, "measures.%s.value: %s", raw->name, problem.message), "%s",
             problem.hint);
}

static void take_measures(scn_ctx *ctx, sweep *s, const raw_sweep *raw) {
    const raw_measure *list = raw->measures.items;
    if (raw->measures.count == 0 || raw->measures.count > SWEEP_MAX_MEASURES) {
        scn_report(ctx, scn_where_of(&raw->head, "measures"), "a sweep has 1 to %d measures",
                   SWEEP_MAX_MEASURES);
        return;
    }
    json_t *shape = measure_shape();
    s->measures = scn_alloc_array(ctx->arena, raw->measures.count, sizeof *s->measures);
    ctx->arena->failed |= shape == NULL;
    for (size_t i = 0; shape != NULL && s->measures != NULL && i < raw->measures.count; i++) {
        if (!is_named(ctx, &list[i].head, "measures", i))
            continue;
        take_measure(ctx, &s->measures[s->measure_count++], &list[i], shape);
        check_name(ctx, s, &list[i].head, list[i].name);
    }
    json_decref(shape);
}

/* ---- the whole
 * ------------------------------------------------------------------------------------------------ */

static void count_points(scn_ctx *ctx, sweep *s) {
    const scn_where whole = {.file = ctx->path};
    size_t points = s->seed_count * (s->samples > 0 ? s->samples : 1);
    for (size_t i = 0; i < s->parameter_count && points <= SWEEP_MAX_POINTS; i++)
        points *= s->parameters[i].sampled ? 1 : s->parameters[i].count;
    if (points > SWEEP_MAX_POINTS)
        scn_report(ctx, &whole, "the sweep has more than %d points", SWEEP_MAX_POINTS);
    s->points = points;
}

static void join_fixed(scn_ctx *ctx, sweep *s, const char *const *sets, size_t set_count) {
    const char **own = s->fixed;
    size_t paths = s->fixed_count + set_count + 1; /* the last one is the seed */
    for (size_t i = 0; i < s->parameter_count; i++)
        for (size_t j = 0, most = 0; j < s->parameters[i].count; j++)
            if (s->parameters[i].choices[j].set_count > most) {
                paths += s->parameters[i].choices[j].set_count - most;
                most = s->parameters[i].choices[j].set_count;
            }
    if (paths > SWEEP_MAX_SETS)
        scn_report(ctx, &(scn_where){.file = ctx->path}, "a point would set more than %d paths",
                   SWEEP_MAX_SETS);
    s->fixed = scn_alloc_array(ctx->arena, s->fixed_count + set_count + 1, sizeof *s->fixed);
    for (size_t i = 0; s->fixed != NULL && i < s->fixed_count; i++)
        s->fixed[i] = own[i];
    for (size_t i = 0; s->fixed != NULL && i < set_count; i++)
        s->fixed[s->fixed_count++] = scn_copy(ctx->arena, sets[i], strlen(sets[i]));
}

static void read_sweep(scn_ctx *ctx, holder *h, ibk_span text, const char *const *sets, size_t set_count) {
    scn_node *root = scn_alloc(ctx->arena, sizeof *root);
    sweep *s = &h->sweep;
    if (text.len > SCN_MAX_FILE)
        scn_report(ctx, &(scn_where){.file = ctx->path}, "the file is larger than %d octets", SCN_MAX_FILE);
    else if (root != NULL && scn_tree_parse(ctx, root, text))
        scn_convert(ctx, &h->raw, &sweep_root_section, root, "");
    if (ctx->shape_broken || ctx->errors->count > 0 || ctx->arena->failed)
        return;
    s->title = h->raw.title;
    s->description = h->raw.description;
    s->scenario = h->raw.scenario;
    sweep_sets_of(ctx, &h->room, h->raw.set, "set", &s->fixed, &s->fixed_count);
    take_parameters(ctx, h);
    take_seeds(ctx, s, h->raw.seeds);
    take_measures(ctx, s, &h->raw);
    join_fixed(ctx, s, sets, set_count);
    count_points(ctx, s);
}

static ibk_err parse(holder *h, scn_errors *errors, ibk_span text, const char *const *sets,
                     size_t set_count) {
    scn_ctx *ctx = calloc(1, sizeof *ctx);
    if (ctx == NULL)
        return IBK_ERR_NO_MEMORY;
    ctx->arena = &h->arena;
    ctx->errors = errors;
    ctx->path = h->sweep.path;
    const scn_source_file *own = scn_source_add(ctx, ctx->path, text);
    ctx->folder = own == NULL ? "" : own->folder;
    read_sweep(ctx, h, text, sets, set_count);
    scn_report_finish(ctx);
    free(ctx);
    if (h->arena.failed)
        return IBK_ERR_NO_MEMORY;
    return errors->count > 0 ? IBK_ERR_BAD_VALUE : IBK_OK;
}

static holder *holder_new(const char *path) {
    holder *h = calloc(1, sizeof *h);
    if (h == NULL)
        return NULL;
    h->room.left = SWEEP_MAX_TEXT;
    h->sweep.arena = &h->arena;
    h->sweep.path = scn_copy(&h->arena, path, strlen(path));
    return h;
}

ibk_err sweep_load_text(sweep **out, scn_errors *errors, const char *path, ibk_span text,
                        const char *const *sets, size_t set_count) {
    holder *h = holder_new(path);
    *out = NULL;
    memset(errors, 0, sizeof *errors);
    if (h == NULL)
        return IBK_ERR_NO_MEMORY;
    ibk_err err = parse(h, errors, text, sets, set_count);
    if (err == IBK_OK)
        *out = &h->sweep;
    else
        sweep_free(&h->sweep);
    return err;
}

ibk_err sweep_load(sweep **out, scn_errors *errors, const char *path, const char *const *sets,
                   size_t set_count) {
    ibk_buf text = {0};
    *out = NULL;
    memset(errors, 0, sizeof *errors);
    ibk_err err = scn_source_read(&text, path);
    if (err == IBK_OK)
        err = sweep_load_text(out, errors, path, ibk_buf_span(&text), sets, set_count);
    else
        scn_source_unreadable(errors, path, errno);
    ibk_buf_free(&text);
    return err;
}

void sweep_free(sweep *s) {
    if (s == NULL)
        return;
    holder *h = (holder *)s; /* its first member */
    scn_arena_free(&h->arena);
    free(h);
}
