#include "reports/spreads.h"

#include <string.h>

static const json_t *summary_of(const report_item *item) {
    return strcmp(report_kind(item), "sweep") == 0 ? json_object_get(item->result, "summary") : NULL;
}

/* Every combination has every measure, so the first one names them all. */
static json_t *measures_of(const report_item *item) {
    return json_object_get(json_array_get(summary_of(item), 0), "measures");
}

size_t spreads_count(const report_item *item) {
    return json_object_size(measures_of(item));
}

const char *spreads_unit(const json_t *result, const char *measure) {
    const char *unit = report_text_of(json_object_get(result, "units"), measure);
    return unit ? unit : "";
}

/* A value for people; `room` holds those that are no text. */
static const char *scalar(char room[32], const json_t *value) {
    if (json_is_string(value))
        return json_string_value(value);
    if (json_is_integer(value))
        snprintf(room, 32, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
    else if (json_is_real(value))
        snprintf(room, 32, "%.6g", json_real_value(value));
    else if (json_is_boolean(value))
        return json_is_true(value) ? "yes" : "no";
    else
        return "–";
    return room;
}

static const struct {
    const char *member, *head;
} numbers[] = {{"n", "n"}, {"mean", "mean"}, {"half_width", "± (95 %)"}, {"min", "min"}, {"max", "max"}};
#define NUMBERS (sizeof numbers / sizeof *numbers)

static void tell_head(FILE *out, const json_t *parameters, const spreads_format *f) {
    size_t i;
    const json_t *parameter;
    f->row(out, true);
    json_array_foreach(parameters, i, parameter) f->cell(out, report_text_of(parameter, "name"), true, false);
    for (i = 0; i < NUMBERS; i++)
        f->cell(out, numbers[i].head, true, true);
    f->row_end(out, true, json_array_size(parameters), NUMBERS);
}

static void tell_row(FILE *out, const json_t *parameters, const json_t *combination, const char *measure,
                     const spreads_format *f) {
    char room[32];
    size_t i;
    const json_t *parameter, *names = json_object_get(combination, "parameters"),
                             *spread = json_object_get(json_object_get(combination, "measures"), measure);
    f->row(out, false);
    json_array_foreach(parameters, i, parameter) {
        const char *name = report_text_of(parameter, "name");
        f->cell(out, scalar(room, name ? json_object_get(names, name) : NULL), false, false);
    }
    for (i = 0; i < NUMBERS; i++)
        f->cell(out, scalar(room, json_object_get(spread, numbers[i].member)), false, true);
    f->row_end(out, false, json_array_size(parameters), NUMBERS);
}

void spreads_tell(FILE *out, const report_item *item, const spreads_format *format, size_t rows) {
    const json_t *summary = summary_of(item), *parameters = json_object_get(item->result, "parameters");
    size_t count = json_array_size(summary), shown = count < rows ? count : rows;
    const char *measure;
    json_t *unused;
    json_object_foreach(measures_of(item), measure, unused) {
        char title[256];
        const char *unit = spreads_unit(item->result, measure);
        snprintf(title, sizeof title, *unit ? "%s (%s)" : "%s", measure, unit);
        format->begin(out, title);
        tell_head(out, parameters, format);
        for (size_t i = 0; i < shown; i++)
            tell_row(out, parameters, json_array_get(summary, i), measure, format);
        format->end(out, count - shown);
    }
}
