#include "scenario/value.h"
#include <string.h>

uint64_t scn_uint_load(const void *at, size_t width) {
    switch (width) {
    case 1:
        return *(const uint8_t *)at;
    case 4:
        return *(const uint32_t *)at;
    default:
        return *(const uint64_t *)at;
    }
}

void scn_uint_store(void *at, size_t width, uint64_t value) {
    switch (width) {
    case 1:
        *(uint8_t *)at = (uint8_t)value;
        break;
    case 4:
        *(uint32_t *)at = (uint32_t)value;
        break;
    default:
        *(uint64_t *)at = value;
    }
}

static bool is_secret(const scn_field *field) {
    return field->type == SCN_T_KEY || field->type == SCN_T_PASSWORD;
}

static void hint_expectation(const scn_value *v, scn_error *e) {
    const char *range = scn_range_text(v->ctx->arena, v->field);
    scn_hint(e, "expected %s%s%s", scn_type_text(v->ctx->arena, v->field), range[0] != '\0' ? ", " : "",
             range);
}

bool scn_value_refuse(const scn_value *v, const char *problem) {
    scn_error *e;
    if (is_secret(v->field))
        e = scn_report(v->ctx, &v->node->where, "%s %s", v->path, problem);
    else
        e = scn_report(v->ctx, &v->node->where, "%s: '%s' %s", v->path, scn_show(v->ctx, v->node->text),
                       problem);
    hint_expectation(v, e);
    return false;
}

bool scn_value_in_range(const scn_value *v, int64_t value) {
    const scn_field *f = v->field;
    if (f->max == 0 || (value >= f->min && value <= f->max))
        return true;
    return scn_value_refuse(v, "is out of range");
}

/* ---- quantities -----------------------------------------------------------------------------------------
 */

static bool refuse_unit(const scn_value *v, const char *unit, const scn_quantity *quantity) {
    scn_nearest nearest = {.word = unit};
    for (const scn_unit *u = quantity->units; u->name != NULL; u++)
        scn_nearest_try(&nearest, u->name);
    scn_error *e =
        scn_report(v->ctx, &v->node->where, "%s: unknown unit '%s'", v->path, scn_show(v->ctx, unit));
    if (nearest.best != NULL)
        scn_hint(e, "did you mean '%s'? the units of %s are: %s", nearest.best, quantity->what,
                 quantity->unit_list);
    else
        scn_hint(e, "the units of %s are: %s", quantity->what, quantity->unit_list);
    return false;
}

bool scn_read_quantity(const scn_value *v, int64_t *out, const char *text, const scn_quantity *quantity,
                       bool signed_) {
    const char *unit = "";
    switch (scn_number_read(out, &unit, text, quantity, signed_)) {
    case SCN_NUMBER_OK:
        return true;
    case SCN_NUMBER_NO_UNIT: {
        scn_error *e =
            scn_report(v->ctx, &v->node->where, "%s: '%s' has no unit", v->path, scn_show(v->ctx, text));
        scn_hint(e, "write %s such as '%s'; its units are: %s", quantity->what, quantity->examples,
                 quantity->unit_list);
        return false;
    }
    case SCN_NUMBER_BAD_UNIT:
        return refuse_unit(v, unit, quantity);
    case SCN_NUMBER_TOO_FINE: {
        scn_error *e =
            scn_report(v->ctx, &v->node->where, "%s: '%s' is too fine", v->path, scn_show(v->ctx, text));
        scn_hint(e, "the finest step is %s", quantity->base);
        return false;
    }
    case SCN_NUMBER_TOO_LARGE:
        return scn_value_refuse(v, "is out of range");
    case SCN_NUMBER_NONE:
    default:
        return scn_value_refuse(v, signed_ || text[0] != '-' ? "is no number with a unit" : "is negative");
    }
}

static bool read_quantity(const scn_value *v, void *at, const scn_quantity *quantity, bool signed_) {
    int64_t value = 0;
    if (!scn_read_quantity(v, &value, v->node->text, quantity, signed_) || !scn_value_in_range(v, value))
        return false;
    scn_uint_store(at, v->field->width, (uint64_t)value);
    return true;
}

/* ---- plain numbers, booleans, words
 * ------------------------------------------------------------------------ */

static bool read_uint(const scn_value *v, uint64_t *out) {
    if (!v->node->plain)
        return scn_value_refuse(v, "is text in quotes, not a number");
    if (!scn_digits_read(out, v->node->text))
        return scn_value_refuse(v, "is not a whole number");
    if (*out > INT64_MAX)
        return scn_value_refuse(v, "is out of range");
    return scn_value_in_range(v, (int64_t)*out);
}

static bool read_bool(const scn_value *v, bool *out) {
    bool yes = strcmp(v->node->text, "true") == 0;
    if (!v->node->plain || (!yes && strcmp(v->node->text, "false") != 0))
        return scn_value_refuse(v, "is neither true nor false");
    *out = yes;
    return true;
}

bool scn_read_word(const scn_value *v, int64_t *out) {
    scn_nearest nearest = {.word = v->node->text};
    for (const scn_word *w = v->field->words; w->text != NULL; w++) {
        if (strcmp(w->text, v->node->text) == 0) {
            *out = w->value;
            return true;
        }
        scn_nearest_try(&nearest, w->text);
    }
    if (nearest.best == NULL)
        return scn_value_refuse(v, "is none of the possible values");
    scn_error *e = scn_report(v->ctx, &v->node->where, "%s: '%s' is none of the possible values", v->path,
                              scn_show(v->ctx, v->node->text));
    scn_hint(e, "did you mean '%s'? expected %s", nearest.best, scn_type_text(v->ctx->arena, v->field));
    return false;
}

static bool read_date(const scn_value *v, int64_t *out) {
    if (!scn_date_read(out, v->node->text))
        return scn_value_refuse(v, "is no date and time in UTC");
    return scn_value_in_range(v, *out);
}

/* ---- all types
 * ------------------------------------------------------------------------------------------------ */

static bool dispatch(const scn_value *v, void *at) {
    const scn_field *f = v->field;
    uint64_t number = 0;
    int64_t word = 0;
    switch (f->type) {
    case SCN_T_BOOL:
        return read_bool(v, at);
    case SCN_T_UINT:
        if (!read_uint(v, &number))
            return false;
        scn_uint_store(at, f->width, number);
        return true;
    case SCN_T_QUANTITY:
        return read_quantity(v, at, f->quantity, false);
    case SCN_T_OFFSET:
        return read_quantity(v, at, &scn_time_quantity, true);
    case SCN_T_DATE:
        return read_date(v, at);
    case SCN_T_ENUM:
        if (!scn_read_word(v, &word))
            return false;
        scn_uint_store(at, f->width, (uint64_t)word);
        return true;
    case SCN_T_WORDS:
        return scn_read_words(v, at);
    case SCN_T_FILE:
        return scn_read_file(v, at);
    case SCN_T_CPU:
        return scn_read_cpu(v, at);
    case SCN_T_KEY:
        return scn_read_key(v, at);
    case SCN_T_SOURCE:
        return scn_read_source(v, at);
    case SCN_T_COUNT_BOUND:
    case SCN_T_NUMBER_BOUND:
    case SCN_T_TIME_BOUND:
        return scn_read_bound(v, at);
    case SCN_T_STATUS:
        if (!read_uint(v, &number))
            return false;
        *(scn_bound *)at = (scn_bound){.op = SCN_EXACTLY, .value = number};
        return true;
    case SCN_T_WORD:
        if (!scn_read_word(v, &word))
            return false;
        *(scn_bound *)at = (scn_bound){.op = SCN_EXACTLY, .value = (uint64_t)word};
        return true;
    case SCN_T_USER: /* `value` follows when the users are known */
        *(scn_bound *)at = (scn_bound){.op = SCN_EXACTLY};
        return scn_read_text(v, &((scn_bound *)at)->user);
    default:
        return scn_read_text(v, at);
    }
}

bool scn_value_read(scn_ctx *ctx, void *at, const scn_field *field, const scn_node *node, const char *path) {
    const scn_value v = {ctx, field, node, path};
    if (field->type == SCN_T_NODE) {
        *(const scn_node **)at = node;
        return true;
    }
    bool list = field->type == SCN_T_WORDS && node->kind == SCN_SEQUENCE;
    if ((node->kind != SCN_SCALAR && !list) || scn_node_is_null(node)) {
        scn_error *e = node->kind == SCN_SCALAR
                           ? scn_report(ctx, &node->where, "%s has no value", path)
                           : scn_report(ctx, &node->where, "%s must be a single value, not %s", path,
                                        scn_node_kind_name(node));
        hint_expectation(&v, e);
        return false;
    }
    return dispatch(&v, at);
}
