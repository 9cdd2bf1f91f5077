#include "sweep/measure_tree.h"
#include "sweep/statistics.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

const char *const measure_name_keys[] = {"name", "id", "domain", "party", "text", "message", NULL};

const char *measure_entry_name(const json_t *entry) {
    for (size_t i = 0; measure_name_keys[i] != NULL; i++) {
        const char *name = json_string_value(json_object_get(entry, measure_name_keys[i]));
        if (name != NULL)
            return name;
    }
    return NULL;
}

static double none(char why[MEASURE_WHY], const char *format, ...) __attribute__((format(printf, 2, 3)));
static double none(char why[MEASURE_WHY], const char *format, ...) {
    va_list args;
    va_start(args, format);
    vsnprintf(why, MEASURE_WHY, format, args);
    va_end(args);
    return NAN;
}

/* ---- paths
 * ------------------------------------------------------------------------------------------------ */

/* What a path gives: borrowed values; a value that is null counts as none. */
typedef struct found {
    const json_t **list;
    size_t count, room;
    bool failed; /* out of memory */
} found;

static void add(found *f, const json_t *value) {
    if (!IBK_ROOM(f->list, f->count, f->room)) {
        f->failed = true;
        return;
    }
    f->list[f->count++] = value;
}

/* Does a member read as this text? Numbers and truth values do as JSON writes them. */
static bool reads_as(const json_t *value, const char *text) {
    if (json_is_string(value))
        return strcmp(json_string_value(value), text) == 0;
    char *written = json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT);
    bool same = written != NULL && strcmp(written, text) == 0;
    free(written);
    return same;
}

static bool fits(const measure_step *step, const json_t *entry) {
    const char *name;
    switch (step->kind) {
    case MEASURE_WHERE:
        return reads_as(json_object_get(entry, step->key), step->text) != step->negated;
    case MEASURE_NAMED:
        name = measure_entry_name(entry);
        return name != NULL && strcmp(name, step->text) == 0;
    default:
        return true;
    }
}

static void follow(found *f, const json_t *value, const measure_step *step, size_t left) {
    if (json_is_null(value) || value == NULL)
        return;
    if (left == 0) {
        add(f, value);
        return;
    }
    if (step->kind == MEASURE_MEMBER || (step->kind == MEASURE_NAMED && json_is_object(value))) {
        follow(f, json_object_get(value, step->text), step + 1, left - 1);
        return;
    }
    if (step->kind == MEASURE_INDEX) {
        follow(f, json_array_get(value, step->index), step + 1, left - 1);
        return;
    }
    for (size_t i = 0; i < json_array_size(value); i++)
        if (fits(step, json_array_get(value, i)))
            follow(f, json_array_get(value, i), step + 1, left - 1);
}

/* ---- numbers
 * ------------------------------------------------------------------------------------------------ */

static bool number_of(const json_t *value, double *out) {
    if (!json_is_number(value) && !json_is_boolean(value))
        return false;
    *out = json_is_number(value) ? json_number_value(value) : json_is_true(value);
    return true;
}

static bool is_something(const json_t *value) {
    double number = 1;
    return !number_of(value, &number) || number != 0;
}

static double apply(const measure_node *node, double *numbers, size_t count, char why[MEASURE_WHY]) {
    if (node->function == MEASURE_SUM)
        return statistics_sum(numbers, count);
    if (count == 0)
        return none(why, "%s has no value", node->path.text);
    switch (node->function) {
    case MEASURE_MEAN:
        return statistics_sum(numbers, count) / (double)count;
    case MEASURE_MIN:
        return statistics_percentile(numbers, count, 0);
    case MEASURE_MAX:
        return statistics_percentile(numbers, count, 100);
    default:
        return statistics_percentile(numbers, count, node->number);
    }
}

static double function(const measure_node *node, const found *f, char why[MEASURE_WHY]) {
    if (node->function == MEASURE_COUNT || node->function == MEASURE_ANY) {
        size_t things = 0;
        for (size_t i = 0; i < f->count; i++)
            things += node->function == MEASURE_COUNT || is_something(f->list[i]);
        return node->function == MEASURE_ANY ? things > 0 : (double)things;
    }
    double *numbers = calloc(f->count + 1, sizeof *numbers), result = NAN;
    size_t count = 0;
    while (numbers != NULL && count < f->count && number_of(f->list[count], &numbers[count]))
        count++;
    if (count < f->count)
        none(why, numbers == NULL ? "out of memory" : "%s is no number", node->path.text);
    else if (numbers != NULL)
        result = apply(node, numbers, count, why);
    free(numbers);
    return result;
}

static double of_path(const measure_node *node, const json_t *result, char why[MEASURE_WHY]) {
    found f = {0};
    double number = NAN;
    follow(&f, result, node->path.steps, node->path.count);
    if (f.failed)
        none(why, "out of memory");
    else if (node->kind == MEASURE_FUNCTION)
        number = function(node, &f, why);
    else if (f.count != 1)
        none(why, f.count == 0 ? "%s has no value" : "%s names more than one", node->path.text);
    else if (node->kind == MEASURE_IS)
        number = reads_as(f.list[0], node->word) == (node->op == '=');
    else if (!number_of(f.list[0], &number))
        none(why, "%s is no number", node->path.text);
    free(f.list);
    return number;
}

static double operate(char op, double a, double b, char why[MEASURE_WHY]) {
    switch (op) {
    case '+':
        return a + b;
    case '-':
        return a - b;
    case '*':
        return a * b;
    case '/':
        return b == 0 ? none(why, "a division by zero") : a / b;
    case '<':
        return a < b;
    case '>':
        return a > b;
    case 'l':
        return a <= b;
    case 'g':
        return a >= b;
    case '!':
        return a != b;
    default:
        return a == b;
    }
}

double measure_value(const measure_node *node, const json_t *result, char why[MEASURE_WHY]) {
    why[0] = '\0';
    if (node->kind == MEASURE_NUMBER)
        return node->number;
    if (node->kind != MEASURE_OPERATOR)
        return of_path(node, result, why);
    double a = measure_value(node->left, result, why);
    if (isnan(a))
        return a;
    double b = measure_value(node->right, result, why);
    if (isnan(b))
        return b;
    double value = operate(node->op, a, b, why);
    return isfinite(value) || why[0] != '\0' ? value : none(why, "the number is too large");
}
