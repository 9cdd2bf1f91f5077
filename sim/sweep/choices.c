/* The values of a parameter: a list, cases, a range in steps, or a column of a Latin hypercube. */
#include "sweep/raw.h"

#include "random/random.h"
#include <string.h>

#define SET_COST 32 /* octets of memory that a set takes beside its text */

/* What is being made. */
typedef struct maker {
    scn_ctx *ctx;
    sweep_room *room;
    sweep_parameter *out;
    const raw_parameter *raw;
    const char **paths; /* of `set` */
    size_t path_count;
} maker;

/* ---- values, as --set takes them
 * ------------------------------------------------------------------------------------------------ */

/* A value that a --set can carry; else reported. */
static bool can_be_set(scn_ctx *ctx, const scn_node *node, const char *what) {
    if (!scn_node_is_null(node))
        return true;
    scn_report(ctx, &node->where, "%s has no value", what);
    return false;
}

static bool is_within(sweep_room *room, size_t octets) {
    bool fits = octets <= room->left;
    room->left -= fits ? octets : room->left;
    return fits;
}

static const char *no_room(scn_ctx *ctx, sweep_room *room, const scn_where *where) {
    if (!room->told)
        scn_report(ctx, where, "the paths and values of the sweep are more than %d octets of text",
                   SWEEP_MAX_TEXT);
    room->told = true;
    return NULL;
}

/* NULL: reported, or out of memory. */
static const char *value_text(scn_ctx *ctx, const scn_node *node) {
    const char *text = scn_override_value(ctx, node, SWEEP_MAX_VALUE);
    if (text == NULL && !ctx->arena->failed)
        scn_report(ctx, &node->where, "a value of more than %d octets", SWEEP_MAX_VALUE);
    return text;
}

/* "path=value"; NULL: reported, or out of memory. */
static const char *set_text(scn_ctx *ctx, sweep_room *room, const scn_where *where, const char *path,
                            const char *value) {
    if (!is_within(room, strlen(path) + strlen(value) + SET_COST))
        return no_room(ctx, room, where);
    return scn_printf(ctx->arena, "%s=%s", path, value);
}

static bool is_seed(scn_ctx *ctx, const scn_node *path) {
    if (strcmp(path->text, "seed") != 0)
        return false;
    scn_hint(scn_report(ctx, &path->where, "the seed of the scenario cannot be set here"),
             "the key 'seeds' of the sweep varies it");
    return true;
}

static bool is_path(scn_ctx *ctx, const scn_node *key) {
    if (strchr(key->text, '=') == NULL)
        return true;
    scn_report(ctx, &key->where, "'%s' is no path of a scenario", scn_show(ctx, key->text));
    return false;
}

void sweep_sets_of(scn_ctx *ctx, sweep_room *room, const scn_node *node, const char *what, const char ***sets,
                   size_t *count) {
    *sets = NULL;
    *count = 0;
    if (node == NULL || scn_node_is_null(node))
        return;
    if (node->kind != SCN_MAPPING) {
        scn_hint(scn_report(ctx, &node->where, "%s must be paths with values, not %s", what,
                            scn_node_kind_name(node)),
                 "e.g. {links.access.loss: 5 %%, users.bob.without: [replay-cache]}");
        return;
    }
    *sets = scn_alloc_array(ctx->arena, node->count + 1, sizeof **sets);
    for (size_t i = 0; i < node->count && *sets != NULL; i++) {
        const scn_node *path = &node->keys[i], *value = &node->items[i];
        if (scn_node_repeats(node, i) || is_seed(ctx, path) || !is_path(ctx, path) ||
            !can_be_set(ctx, value, scn_printf(ctx->arena, "%s: %s", what, scn_show(ctx, path->text))))
            continue;
        const char *text = value_text(ctx, value);
        const char *set = text == NULL ? NULL : set_text(ctx, room, &path->where, path->text, text);
        if (set != NULL)
            (*sets)[(*count)++] = set;
    }
}

/* ---- choices
 * ------------------------------------------------------------------------------------------------ */

static bool make_room(maker *m, size_t count) {
    m->out->choices = scn_alloc_array(m->ctx->arena, count, sizeof *m->out->choices);
    return m->out->choices != NULL;
}

static bool has_label(const sweep_parameter *p, const char *label) {
    for (size_t i = 0; i < p->count; i++)
        if (strcmp(p->choices[i].label, label) == 0)
            return true;
    return false;
}

/* The next choice: every path of `set` gets this value. */
static void add_value(maker *m, const char *label, const char *value) {
    sweep_choice *choice = &m->out->choices[m->out->count++];
    choice->label = label;
    choice->sets = scn_alloc_array(m->ctx->arena, m->path_count, sizeof *choice->sets);
    for (size_t i = 0; i < m->path_count && choice->sets != NULL && !m->room->told; i++) {
        const char *set = set_text(m->ctx, m->room, &m->raw->head.node->where, m->paths[i], value);
        if (set != NULL)
            choice->sets[choice->set_count++] = set;
    }
}

static bool is_list(maker *m, const scn_node *node, scn_node_kind kind, const char *key) {
    size_t max = SWEEP_MAX_CHOICES;
    if (node->kind == kind && node->count > 0 && node->count <= max)
        return true;
    const char *what = kind == SCN_MAPPING ? "cases with their paths" : "a list of values";
    if (node->kind == kind && node->count > max)
        scn_report(m->ctx, &node->where, "parameters.%s.%s has more than %zu entries", m->raw->name, key,
                   max);
    else
        scn_report(m->ctx, &node->where, "parameters.%s.%s must be %s, not %s", m->raw->name, key, what,
                   node->kind == kind ? "nothing" : scn_node_kind_name(node));
    return false;
}

static void from_values(maker *m) {
    const scn_node *list = m->raw->values;
    if (!is_list(m, list, SCN_SEQUENCE, "values") || !make_room(m, list->count))
        return;
    for (size_t i = 0; i < list->count; i++) {
        const scn_node *node = &list->items[i];
        if (!can_be_set(m->ctx, node,
                        scn_printf(m->ctx->arena, "parameters.%s.values[%zu]", m->raw->name, i)))
            continue;
        const char *value = value_text(m->ctx, node);
        const char *label = node->kind == SCN_SCALAR ? node->text : value;
        if (value == NULL)
            continue;
        if (has_label(m->out, label))
            scn_report(m->ctx, &node->where, "parameters.%s has the value '%s' twice", m->raw->name,
                       scn_show(m->ctx, label));
        else
            add_value(m, label, value);
    }
}

static void from_cases(maker *m) {
    const scn_node *cases = m->raw->cases;
    if (!is_list(m, cases, SCN_MAPPING, "cases") || !make_room(m, cases->count))
        return;
    for (size_t i = 0; i < cases->count; i++) {
        if (scn_node_repeats(cases, i))
            continue;
        sweep_choice *choice = &m->out->choices[m->out->count++];
        choice->label = cases->keys[i].text;
        sweep_sets_of(m->ctx, m->room, &cases->items[i],
                      scn_printf(m->ctx->arena, "parameters.%s.cases.%s", m->raw->name,
                                 scn_show(m->ctx, choice->label)),
                      &choice->sets, &choice->set_count);
    }
}

static void from_steps(maker *m, const sweep_range *range) {
    size_t n = (size_t)m->raw->steps;
    int64_t before = 0;
    if (!make_room(m, n))
        return;
    for (size_t i = 0; i < n; i++) {
        int64_t value = sweep_range_step(range, i, n);
        if (i > 0 && value <= before) {
            scn_report(m->ctx, scn_where_of(&m->raw->head, "steps"),
                       "parameters.%s: %zu steps are too many for this range: two values would be the same",
                       m->raw->name, n);
            return;
        }
        const char *text = sweep_range_text(m->ctx->arena, range, value);
        add_value(m, text, text);
        before = value;
    }
}

/* ---- Latin hypercube: each of n slices of the range holds one of n samples
 * ------------------------------------------------------------------------------------------------ */

static size_t below(sim_random *random, size_t bound) {
    return (size_t)(((unsigned __int128)sim_random_u64(random) * bound) >> 64);
}

static void shuffle(sim_random *random, size_t *list, size_t count) {
    for (size_t i = 0; i < count; i++)
        list[i] = i;
    for (size_t i = count; i > 1; i--) {
        size_t j = below(random, i), kept = list[i - 1];
        list[i - 1] = list[j];
        list[j] = kept;
    }
}

static void from_hypercube(maker *m, const sweep_range *range, const raw_hypercube *hypercube) {
    size_t n = (size_t)hypercube->samples;
    size_t *slices = scn_alloc_array(m->ctx->arena, n, sizeof *slices);
    sim_random *random = sim_random_new(hypercube->seed, "hypercube", m->raw->name);
    m->ctx->arena->failed |= random == NULL;
    if (slices == NULL || random == NULL || !make_room(m, n)) {
        sim_random_free(random);
        return;
    }
    shuffle(random, slices, n);
    for (size_t i = 0; i < n; i++) {
        double within = (double)(sim_random_u64(random) >> 11) * 0x1p-53;
        int64_t value = sweep_range_at(range, ((double)slices[i] + within) / (double)n, n);
        const char *text = sweep_range_text(m->ctx->arena, range, value);
        add_value(m, text, text);
    }
    m->out->sampled = true;
    sim_random_free(random);
}

static void from_range(maker *m, const raw_hypercube *hypercube) {
    const raw_parameter *raw = m->raw;
    sweep_range range;
    if (raw->from == NULL || raw->to == NULL) {
        scn_report(m->ctx, &raw->head.node->where, "parameters.%s: 'from' and 'to' belong together",
                   raw->name);
        return;
    }
    bool steps = scn_written(&raw->head, "steps");
    if (!steps && hypercube == NULL) {
        scn_hint(scn_report(m->ctx, &raw->head.node->where, "parameters.%s lacks the key 'steps'", raw->name),
                 "how many values the range has; or a 'hypercube' of the sweep draws them");
        return;
    }
    if (!sweep_range_read(m->ctx, &range, raw))
        return;
    if (steps)
        from_steps(m, &range);
    else
        from_hypercube(m, &range, hypercube);
}

/* ---- one parameter
 * ------------------------------------------------------------------------------------------------ */

static void add_path(maker *m, const scn_node *node) {
    if (node->kind != SCN_SCALAR || scn_node_is_null(node) || strchr(node->text, '=') != NULL)
        scn_hint(scn_report(m->ctx, &node->where, "parameters.%s.set must name paths of the scenario",
                            m->raw->name),
                 "e.g. links.access.loss, users.alice.cpu, domains[home.example].kms.cores");
    else if (!is_seed(m->ctx, node))
        m->paths[m->path_count++] = node->text;
}

/* For people: "links.access.loss, links.core.loss". */
static void join_paths(maker *m) {
    size_t len = 1, at = 0;
    for (size_t i = 0; i < m->path_count; i++)
        len += strlen(m->paths[i]) + 2;
    char *shown = scn_alloc(m->ctx->arena, len);
    for (size_t i = 0; i < m->path_count && shown != NULL; i++)
        at += (size_t)snprintf(shown + at, len - at, "%s%s", i ? ", " : "", m->paths[i]);
    m->out->path = shown == NULL ? "" : shown;
}

static void read_paths(maker *m) {
    const scn_node *set = m->raw->set;
    size_t count = set->kind == SCN_SEQUENCE ? set->count : 1;
    if (count > SWEEP_MAX_SETS) {
        scn_report(m->ctx, &set->where, "parameters.%s.set has more than %d paths", m->raw->name,
                   SWEEP_MAX_SETS);
        return;
    }
    m->paths = scn_alloc_array(m->ctx->arena, count + 1, sizeof *m->paths);
    for (size_t i = 0; i < count && m->paths != NULL; i++)
        add_path(m, set->kind == SCN_SEQUENCE ? &set->items[i] : set);
    if (count == 0)
        scn_report(m->ctx, &set->where, "parameters.%s.set is an empty list", m->raw->name);
    join_paths(m);
}

/* One of values, cases and from/to says what the values are; only cases name paths of their own. */
static bool one_kind(maker *m) {
    const raw_parameter *raw = m->raw;
    int kinds = (raw->values != NULL) + (raw->cases != NULL) + (raw->from != NULL || raw->to != NULL);
    const char *problem = NULL;
    if (kinds != 1)
        problem = kinds ? "has more than one of 'values', 'cases' and 'from'"
                        : "lacks its values: 'values', 'cases', or 'from' and 'to'";
    else if (raw->cases != NULL && raw->set != NULL)
        problem = "has 'set' and 'cases': each case names its paths";
    else if (raw->cases == NULL && raw->set == NULL)
        problem = "lacks the key 'set': the path that it sets";
    else if (raw->from == NULL && (scn_written(&raw->head, "steps") || scn_written(&raw->head, "scale")))
        problem = "has 'steps' or 'scale', which belong to 'from' and 'to'";
    if (problem != NULL)
        scn_report(m->ctx, &raw->head.node->where, "parameters.%s %s", raw->name, problem);
    return problem == NULL;
}

void sweep_choices(scn_ctx *ctx, sweep_room *room, sweep_parameter *out, const raw_parameter *raw,
                   const raw_hypercube *hypercube) {
    maker m = {.ctx = ctx, .room = room, .out = out, .raw = raw};
    *out = (sweep_parameter){.name = raw->name, .path = "", .where = raw->head.node->where};
    if (!one_kind(&m))
        return;
    if (raw->set != NULL)
        read_paths(&m);
    if (raw->values != NULL)
        from_values(&m);
    else if (raw->cases != NULL)
        from_cases(&m);
    else
        from_range(&m, hypercube);
}
