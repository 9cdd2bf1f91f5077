/* "at least 3", "at most 2 s", "all". */
#include "scenario/value.h"
#include <string.h>

const char *const scn_bound_words[] = {"exactly", "at least", "at most", "above", "below", NULL};

/* The rest behind "at least " and so on; *op is untouched if there is no such word. */
static const char *read_op(const char *text, scn_bound_op *op, bool *found) {
    for (int i = 0; scn_bound_words[i] != NULL; i++) {
        size_t len = strlen(scn_bound_words[i]);
        if (strncmp(text, scn_bound_words[i], len) == 0 && text[len] == ' ') {
            *op = (scn_bound_op)i;
            *found = true;
            return text + len + 1;
        }
    }
    return text;
}

static bool read_time(const scn_value *v, scn_bound *out, const char *rest, bool found) {
    int64_t ns = 0;
    if (!scn_read_quantity(v, &ns, rest, &scn_time_quantity, false))
        return false;
    if (!found) {
        scn_error *e = scn_report(v->ctx, &v->node->where, "%s: '%s' is no bound", v->path, v->node->text);
        scn_hint(e, "did you mean 'at most %s'? expected %s", v->node->text,
                 scn_type_text(v->ctx->arena, v->field));
        return false;
    }
    out->value = (uint64_t)ns;
    return true;
}

static bool equals_any(const char *text, const char *a, const char *b) {
    return strcmp(text, a) == 0 || strcmp(text, b) == 0;
}

bool scn_read_bound(const scn_value *v, scn_bound *out) {
    const char *text = v->node->text;
    scn_type type = v->field->type;
    bool found = false;
    *out = (scn_bound){0};
    if (type == SCN_T_COUNT_BOUND && equals_any(text, "all", "true")) {
        out->op = SCN_ALL;
        return true;
    }
    if (type != SCN_T_TIME_BOUND &&
        (strcmp(text, "none") == 0 || (type == SCN_T_COUNT_BOUND && strcmp(text, "false") == 0)))
        return true;
    const char *rest = read_op(text, &out->op, &found);
    if (type == SCN_T_TIME_BOUND)
        return read_time(v, out, rest, found);
    if (!scn_digits_read(&out->value, rest))
        return scn_value_refuse(v, "is no bound");
    if (out->op == SCN_AT_LEAST && out->value == 0)
        return scn_value_refuse(v, "always holds");
    if (out->op == SCN_BELOW && out->value == 0)
        return scn_value_refuse(v, "never holds");
    return true;
}

bool scn_bound_holds(const scn_bound *bound, uint64_t observed, uint64_t members) {
    switch (bound->op) {
    case SCN_EXACTLY:
        return observed == bound->value;
    case SCN_AT_LEAST:
        return observed >= bound->value;
    case SCN_AT_MOST:
        return observed <= bound->value;
    case SCN_ABOVE:
        return observed > bound->value;
    case SCN_BELOW:
        return observed < bound->value;
    case SCN_ALL:
        return observed == members && members > 0;
    }
    return false;
}
