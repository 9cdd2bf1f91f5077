/* A sweep file: refused with places inside it, or loaded; what loads has points that are told apart by their
 * number, with values that --set reads, and measures that give a number or a reason why not. Whatever is YAML
 * is read by --set as it was written for it. */
#include "fuzz.h"
#include "scenario/tree.h"
#include "sweep/measure.h"
#include "sweep/sweep.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- refused ----------------------------------------------------------------------------------------------
 */

static void check_refused(ibk_err err, const scn_errors *errors) {
    FUZZ_CHECK(err == IBK_ERR_BAD_VALUE);
    FUZZ_CHECK(errors->count > 0 && errors->count <= SCN_ERRORS_MAX);
    for (size_t i = 0; i < errors->count; i++)
        FUZZ_CHECK(errors->list[i].file[0] != '\0' && errors->list[i].message[0] != '\0');
}

/* ---- points -----------------------------------------------------------------------------------------------
 */

/* The number that choices and seed stand for: sweep.h says that the seeds vary fastest, then the last
 * parameter, and that what the hypercube draws counts as one, in the place of its first. */
static size_t number_of(const sweep *s, const sweep_point *point) {
    size_t number = 0, seed = 0;
    bool sampled = false;
    for (size_t p = 0; p < s->parameter_count; p++) {
        const sweep_parameter *parameter = &s->parameters[p];
        FUZZ_CHECK(point->choices[p] < parameter->count);
        if (!parameter->sampled || !sampled)
            number = number * parameter->count + point->choices[p];
        sampled |= parameter->sampled;
    }
    while (seed < s->seed_count && s->seeds[seed] != point->seed)
        seed++;
    return number * s->seed_count + seed;
}

static void check_point(const sweep *s, size_t index) {
    sweep_point *point = calloc(1, sizeof *point);
    FUZZ_CHECK(point != NULL);
    sweep_point_at(s, index, point);
    FUZZ_CHECK(number_of(s, point) == index);
    FUZZ_CHECK(point->set_count > s->fixed_count && point->set_count <= SWEEP_MAX_SETS);
    for (size_t i = 0; i < point->set_count; i++)
        FUZZ_CHECK(strchr(point->sets[i], '=') != NULL);
    FUZZ_CHECK(strcmp(point->sets[point->set_count - 1], point->seed_text) == 0);
    for (size_t p = 0; p < s->parameter_count; p++)
        FUZZ_CHECK(sweep_label(s, point, p) != NULL);
    free(point);
}

static void check_points(const sweep *s) {
    enum { TRIED = 64 };
    size_t stride = s->points / TRIED + 1;
    FUZZ_CHECK(s->points > 0 && s->points <= SWEEP_MAX_POINTS && s->seed_count > 0);
    for (size_t i = 0; i < s->points; i += stride)
        check_point(s, i);
    check_point(s, s->points - 1);
}

/* ---- measures ---------------------------------------------------------------------------------------------
 */

static json_t *shape; /* a result with one entry in each of its lists */

static void check_measures(const sweep *s) {
    shape = shape ? shape : measure_shape();
    FUZZ_CHECK(shape != NULL);
    FUZZ_CHECK(s->measure_count > 0 && s->measure_count <= SWEEP_MAX_MEASURES);
    for (size_t i = 0; i < s->measure_count; i++) {
        char why[MEASURE_WHY] = "";
        double value = measure_value(s->measures[i].value, shape, why);
        FUZZ_CHECK(isnan(value) == (why[0] != '\0'));
    }
}

/* ---- what --set reads -------------------------------------------------------------------------------------
 */

static bool same(const scn_node *a, const scn_node *b) {
    if (a->kind != b->kind || a->count != b->count || scn_node_is_null(a) != scn_node_is_null(b))
        return false;
    if (a->kind == SCN_SCALAR)
        return scn_node_is_null(a) || strcmp(a->text, b->text) == 0;
    for (size_t i = 0; i < a->count; i++)
        if ((a->kind == SCN_MAPPING && strcmp(a->keys[i].text, b->keys[i].text) != 0) ||
            !same(&a->items[i], &b->items[i]))
            return false;
    return true;
}

static void check_value(scn_ctx *ctx, const scn_node *node) {
    const char *value = scn_override_value(ctx, node, SWEEP_MAX_VALUE);
    size_t errors = ctx->errors->count;
    scn_node root = {.kind = SCN_MAPPING};
    if (value == NULL)
        return;
    const char *set = scn_printf(ctx->arena, "value=%s", value);
    scn_override(ctx, &root, &set, 1);
    FUZZ_CHECK(ctx->errors->count == errors && !ctx->shape_broken);
    FUZZ_CHECK(root.count == 1 && same(node, &root.items[0]));
}

static bool repeats_keys(const scn_node *node) {
    for (size_t i = 0; i < node->count; i++)
        if ((node->kind == SCN_MAPPING && scn_node_repeats(node, i)) || repeats_keys(&node->items[i]))
            return true;
    return false;
}

/* Every node of the tree: at most `*left` of them. */
static void check_values(scn_ctx *ctx, const scn_node *node, size_t *left) {
    for (size_t i = 0; i<node->count && * left> 0; i++)
        check_values(ctx, &node->items[i], left);
    if (*left > 0) {
        --*left;
        check_value(ctx, node);
    }
}

static void check_tree(ibk_span text) {
    size_t left = 200;
    scn_arena arena = {0};
    scn_errors *errors = calloc(1, sizeof *errors);
    scn_ctx *ctx = calloc(1, sizeof *ctx);
    FUZZ_CHECK(errors != NULL && ctx != NULL);
    *ctx = (scn_ctx){.arena = &arena, .errors = errors, .path = "input.yaml", .folder = ""};
    scn_node root = {0};
    if (scn_tree_parse(ctx, &root, text) && errors->count == 0 && !repeats_keys(&root))
        check_values(ctx, &root, &left);
    scn_arena_free(&arena);
    free(ctx);
    free(errors);
}

/* ---- the target -------------------------------------------------------------------------------------------
 */

int LLVMFuzzerInitialize(int *argc, char ***argv) {
    (void)argc;
    (void)argv;
    shape = measure_shape();
    return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
    scn_errors errors;
    sweep *s;
    ibk_err err = sweep_load_text(&s, &errors, FUZZ_SWEEPS "/input.yaml", ibk_span_of(data, size), NULL, 0);
    if (err) {
        FUZZ_CHECK(s == NULL);
        check_refused(err, &errors);
    } else {
        FUZZ_CHECK(errors.count == 0 && s->title[0] != '\0' && s->scenario[0] != '\0');
        check_points(s);
        check_measures(s);
        sweep_free(s);
    }
    check_tree(ibk_span_of(data, size));
    return 0;
}
