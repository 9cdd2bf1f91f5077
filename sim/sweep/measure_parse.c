#include "scenario/report.h"
#include "sweep/measure_tree.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define MAX_STEPS 16
#define MAX_DEPTH 32

const char *const measure_function_names[MEASURE_FUNCTIONS + 1] = {
    "count", "any", "sum", "mean", "median", "min", "max", "percentile", NULL};

typedef struct parser {
    scn_arena *arena;
    const char *text, *at;
    const json_t *shape;
    measure_problem *problem;
    int depth;
} parser;

static const measure_node *comparison(parser *p);
static const measure_node *no_text(parser *p, const measure_node *node, const char *place);

/* ---- what is wrong
 * ------------------------------------------------------------------------------------------------ */

/* Always NULL. The first problem stays. */
static void *fail(parser *p, const char *place, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void *fail(parser *p, const char *place, const char *format, ...) {
    va_list args;
    if (p->problem->message[0] != '\0')
        return NULL;
    p->problem->offset = (size_t)(place - p->text);
    va_start(args, format);
    vsnprintf(p->problem->message, sizeof p->problem->message, format, args);
    va_end(args);
    return NULL;
}

static void hint(parser *p, const char *format, ...) __attribute__((format(printf, 2, 3)));
static void hint(parser *p, const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(p->problem->hint, sizeof p->problem->hint, format, args);
    va_end(args);
}

/* ---- words
 * ------------------------------------------------------------------------------------------------ */

static void blanks(parser *p) {
    while (*p->at == ' ')
        p->at++;
}

static bool take(parser *p, const char *token) {
    blanks(p);
    size_t len = strlen(token);
    if (strncmp(p->at, token, len) != 0)
        return false;
    p->at += len;
    return true;
}

static bool begins_word(char c) {
    return isalpha((unsigned char)c) || c == '_';
}

static const char *word(parser *p) {
    const char *begin = p->at;
    while (isalnum((unsigned char)*p->at) || *p->at == '_')
        p->at++;
    return scn_copy(p->arena, begin, (size_t)(p->at - begin));
}

static measure_node *node_new(parser *p, measure_kind kind) {
    measure_node *node = scn_alloc(p->arena, sizeof *node);
    if (node != NULL)
        node->kind = kind;
    return node;
}

/* ---- paths
 * ------------------------------------------------------------------------------------------------ */

/* How far a path has come in the shape. `open`: what stands here is not known beforehand. */
typedef struct walk {
    const json_t *here;
    bool open, many; /* many: it can give more than one value */
} walk;

static void no_member(parser *p, const char *place, const json_t *object, const char *name) {
    scn_nearest nearest = {.word = name};
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)object, key, value) scn_nearest_try(&nearest, key);
    fail(p, place, "there is no member '%s' here", name);
    if (nearest.best != NULL)
        hint(p, "did you mean '%s'?", nearest.best);
    else
        hint(p, "reports/schema/result.schema.json lists the members of a run's result");
}

static bool walk_member(parser *p, walk *w, const char *place, const char *name) {
    if (w->open)
        return true;
    if (json_is_array(w->here)) {
        fail(p, place, "a list stands before '.%s'", name);
        hint(p, "choose entries of it: [] all of them, [0] the first, [name] or [key=value]");
        return false;
    }
    const json_t *member = json_object_get(w->here, name);
    if (!json_is_object(w->here) || member == NULL) {
        no_member(p, place, w->here, name);
        return false;
    }
    w->here = member;
    return true;
}

static bool walk_entry(parser *p, walk *w, const char *place, const measure_step *step) {
    const json_t *entry = json_array_get(w->here, 0);
    if (w->open)
        return true;
    if (json_is_object(w->here) && step->kind == MEASURE_NAMED) {
        w->open = true;
        return true;
    }
    if (!json_is_array(w->here)) {
        fail(p, place, "what stands before '[' is no list");
        return false;
    }
    if (step->kind == MEASURE_WHERE && json_object_get(entry, step->key) == NULL) {
        no_member(p, place, entry, step->key);
        return false;
    }
    w->many |= step->kind == MEASURE_ALL || step->kind == MEASURE_WHERE;
    w->here = entry;
    w->open = entry == NULL;
    return true;
}

static void bracket_content(parser *p, measure_step *step, const char *begin, size_t len) {
    const char *equals = memchr(begin, '=', len);
    char *end;
    if (len == 0) {
        step->kind = MEASURE_ALL;
    } else if (equals != NULL && equals != begin && begins_word(*begin) &&
               memchr(begin, ' ', (size_t)(equals - begin)) == NULL) {
        step->kind = MEASURE_WHERE;
        step->negated = equals[-1] == '!';
        step->key = scn_copy(p->arena, begin, (size_t)(equals - begin) - step->negated);
        step->text = scn_copy(p->arena, equals + 1, len - (size_t)(equals - begin) - 1);
    } else {
        step->text = scn_copy(p->arena, begin, len);
        step->index = (size_t)strtoul(step->text, &end, 10);
        step->kind = *end == '\0' && isdigit((unsigned char)*begin) ? MEASURE_INDEX : MEASURE_NAMED;
    }
}

static bool bracket(parser *p, measure_step *step, walk *w) {
    const char *begin = ++p->at, *end = strchr(begin, ']');
    if (end == NULL) {
        fail(p, begin - 1, "this '[' is never closed");
        return false;
    }
    bracket_content(p, step, begin, (size_t)(end - begin));
    p->at = end + 1;
    return walk_entry(p, w, begin, step);
}

static bool member(parser *p, measure_step *step, walk *w) {
    const char *begin = p->at;
    if (!begins_word(*p->at)) {
        fail(p, begin, "a member's name must stand here");
        return false;
    }
    step->kind = MEASURE_MEMBER;
    step->text = word(p);
    return walk_member(p, w, begin, step->text);
}

static bool path(parser *p, measure_path *out, walk *w) {
    const char *begin = p->at;
    *w = (walk){.here = p->shape};
    out->steps = scn_alloc_array(p->arena, MAX_STEPS, sizeof *out->steps);
    if (out->steps == NULL || !member(p, &out->steps[out->count++], w))
        return false;
    while (*p->at == '.' || *p->at == '[') {
        if (out->count == MAX_STEPS) {
            fail(p, p->at, "a path of more than %d steps", MAX_STEPS);
            return false;
        }
        bool dot = *p->at == '.';
        p->at += dot;
        if (dot ? !member(p, &out->steps[out->count++], w) : !bracket(p, &out->steps[out->count++], w))
            return false;
    }
    out->text = scn_copy(p->arena, begin, (size_t)(p->at - begin));
    return true;
}

/* ---- factors
 * ------------------------------------------------------------------------------------------------ */

static const measure_node *lone_path(parser *p) {
    const char *begin = p->at;
    walk w;
    measure_node *node = node_new(p, MEASURE_PATH);
    if (node == NULL || !path(p, &node->path, &w))
        return NULL;
    if (w.many) {
        fail(p, begin, "'%.60s' can give many numbers", node->path.text);
        hint(p, "put it into a function: median(...), mean, min, max, sum, count, any, percentile(..., 95)");
        return NULL;
    }
    if (!w.open && (json_is_array(w.here) || json_is_object(w.here))) {
        fail(p, begin, "'%.60s' is no number", node->path.text);
        hint(p, "choose a member of it, or count(...) the entries of a list");
        return NULL;
    }
    if (!w.open && json_is_string(w.here))
        node->kind = MEASURE_IS; /* a comparison must follow */
    return node;
}

static bool arguments(parser *p, measure_node *node, const char *name) {
    walk w;
    blanks(p);
    const char *begin = p->at;
    if (!begins_word(*begin)) {
        fail(p, begin, "%s(...) takes a path", name);
        return false;
    }
    if (!path(p, &node->path, &w))
        return false;
    bool counts = node->function == MEASURE_COUNT || node->function == MEASURE_ANY;
    if (!counts && !w.open && (json_is_array(w.here) || json_is_object(w.here) || json_is_string(w.here))) {
        fail(p, begin, "'%.60s' gives no numbers", node->path.text);
        hint(p, "%s(...) takes numbers and truth values; count(...) and any(...) take anything", name);
        return false;
    }
    node->number = 50;
    if (node->function == MEASURE_PERCENTILE) {
        char *end = NULL;
        if (take(p, ",")) {
            blanks(p);
            node->number = strtod(p->at, &end);
        }
        if (end == NULL || end == p->at || !(node->number >= 0 && node->number <= 100)) {
            fail(p, p->at, "percentile takes a path and a number from 0 to 100");
            return false;
        }
        p->at = end;
    }
    if (take(p, ")"))
        return true;
    fail(p, p->at, "a ')' is missing");
    return false;
}

static const measure_node *function(parser *p, const char *name, const char *place) {
    scn_nearest nearest = {.word = name};
    for (measure_function f = 0; f < MEASURE_FUNCTIONS; f++) {
        if (strcmp(name, measure_function_names[f]) == 0) {
            measure_node *node = node_new(p, MEASURE_FUNCTION);
            if (node == NULL)
                return NULL;
            node->function = f;
            return arguments(p, node, name) ? node : NULL;
        }
        scn_nearest_try(&nearest, measure_function_names[f]);
    }
    fail(p, place, "there is no function '%s'", name);
    if (nearest.best != NULL)
        hint(p, "did you mean '%s'?", nearest.best);
    else
        hint(p, "the functions are: count, any, sum, mean, median, min, max, percentile");
    return NULL;
}

static const measure_node *number(parser *p) {
    char *end;
    measure_node *node = node_new(p, MEASURE_NUMBER);
    if (node == NULL)
        return NULL;
    node->number = strtod(p->at, &end);
    p->at = end;
    return node;
}

static const measure_node *operation(parser *p, char op, const measure_node *left,
                                     const measure_node *right) {
    measure_node *node = left != NULL && right != NULL ? node_new(p, MEASURE_OPERATOR) : NULL;
    if (node != NULL) {
        node->op = op;
        node->left = left;
        node->right = right;
    }
    return node;
}

static const measure_node *factor(parser *p) {
    blanks(p);
    const char *begin = p->at;
    if (isdigit((unsigned char)*begin))
        return number(p);
    if (*begin == '-' || *begin == '(') {
        if (++p->depth > MAX_DEPTH)
            return fail(p, begin, "nested too deep");
        p->at++;
        static const measure_node zero = {.kind = MEASURE_NUMBER};
        const measure_node *inner =
            *begin == '-' ? operation(p, '-', &zero, no_text(p, factor(p), begin + 1)) : comparison(p);
        p->depth--;
        if (*begin == '(' && inner != NULL && !take(p, ")"))
            return fail(p, p->at, "a ')' is missing");
        return inner;
    }
    if (!begins_word(*begin))
        return fail(p, begin,
                    *begin == '\0' ? "something is missing at the end"
                                   : "a number, a path or a function must stand here");
    const char *name = word(p);
    if (take(p, "("))
        return function(p, name, begin);
    p->at = begin;
    return lone_path(p);
}

/* ---- operators
 * ------------------------------------------------------------------------------------------------ */

/* A text can be compared, and nothing else be done with it. */
static const measure_node *no_text(parser *p, const measure_node *node, const char *place) {
    if (node == NULL || node->kind != MEASURE_IS || node->word != NULL)
        return node;
    fail(p, place, "'%.60s' is text", node->path.text);
    hint(p, "text can be compared: %.60s = word", node->path.text);
    return NULL;
}

static const measure_node *product(parser *p) {
    blanks(p);
    const char *begin = p->at;
    const measure_node *left = factor(p);
    for (;;) {
        char op = take(p, "*") ? '*' : take(p, "/") ? '/' : 0;
        if (op == 0 || left == NULL)
            return left;
        left = no_text(p, left, begin);
        blanks(p);
        const char *place = p->at;
        left = operation(p, op, left, no_text(p, factor(p), place));
    }
}

static const measure_node *sum(parser *p) {
    blanks(p);
    const char *begin = p->at;
    const measure_node *left = product(p);
    for (;;) {
        char op = take(p, "+") ? '+' : take(p, "-") ? '-' : 0;
        if (op == 0 || left == NULL)
            return left;
        left = no_text(p, left, begin);
        blanks(p);
        const char *place = p->at;
        left = operation(p, op, left, no_text(p, product(p), place));
    }
}

static const measure_node *is_word(parser *p, const measure_node *left, char op) {
    measure_node *node = node_new(p, MEASURE_IS);
    blanks(p);
    if (node == NULL)
        return NULL;
    *node = *left;
    node->op = op;
    if (op != '=' && op != '!')
        return fail(p, p->at, "text can be compared by = and != only");
    const char *begin = p->at;
    while (*p->at != '\0' && *p->at != ' ' && *p->at != ')')
        p->at++;
    node->word = scn_copy(p->arena, begin, (size_t)(p->at - begin));
    return p->at == begin ? fail(p, begin, "a word must stand here") : node;
}

static const measure_node *comparison(parser *p) {
    blanks(p);
    const char *begin = p->at;
    const measure_node *left = sum(p);
    char op = take(p, "!=")   ? '!'
              : take(p, "<=") ? 'l'
              : take(p, ">=") ? 'g'
              : take(p, "<")  ? '<'
              : take(p, ">")  ? '>'
              : take(p, "=")  ? '='
                              : 0;
    if (left == NULL || op == 0)
        return no_text(p, left, begin);
    if (left->kind == MEASURE_IS && left->word == NULL)
        return is_word(p, left, op);
    blanks(p);
    const char *place = p->at;
    return operation(p, op, left, no_text(p, sum(p), place));
}

const measure_node *measure_parse(scn_arena *arena, const char *text, const json_t *shape,
                                  measure_problem *problem) {
    parser p = {.arena = arena, .text = text, .at = text, .shape = shape, .problem = problem};
    *problem = (measure_problem){0};
    const measure_node *node = comparison(&p);
    blanks(&p);
    if (node != NULL && *p.at != '\0')
        return fail(&p, p.at, "nothing can follow here");
    return node;
}
