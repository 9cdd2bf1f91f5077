/* ibakelab: what every kind of result has. See report.h. */
#include "reports/report.h"

#include <stdlib.h>
#include <string.h>

model_outcome report_check_outcome(const json_t *check) {
    const char *name = report_text_of(check, "outcome");
    for (model_outcome o = MODEL_PASS; name && o < MODEL_OUTCOMES; o++)
        if (strcmp(name, model_outcome_name(o)) == 0)
            return o;
    return MODEL_ERROR;
}

const char *report_text_of(const json_t *object, const char *name) {
    return json_string_value(json_object_get(object, name));
}

static const char *or_nothing(const char *text) {
    return text ? text : "";
}

const char *report_kind(const report_item *item) {
    return or_nothing(report_text_of(item->result, "kind"));
}

const char *report_verdict(const report_item *item) {
    return or_nothing(report_text_of(item->result, "verdict"));
}

const char *report_title(const report_item *item) {
    const char *title = report_text_of(item->result, "title");
    return title ? title : report_kind(item);
}

const char *report_subject(const report_item *item) {
    bool run = strcmp(report_kind(item), "run") == 0;
    return report_text_of(item->result, run ? "scenario" : "subject");
}

const char *report_place(const report_item *item) {
    const char *slash = item->file ? strrchr(item->file, '/') : NULL;
    const char *name = slash ? slash + 1 : item->file;
    return name && strcmp(name, "result.json") != 0 ? item->file : item->dir;
}

size_t report_family(const json_t *check) {
    const char *id = or_nothing(report_text_of(check, "id")), *slash = strchr(id, '/');
    return slash ? (size_t)(slash - id) : 0;
}

void report_count(const report_item *item, size_t counts[MODEL_OUTCOMES]) {
    size_t i;
    const json_t *check;
    memset(counts, 0, MODEL_OUTCOMES * sizeof *counts);
    json_array_foreach(item->checks, i, check) counts[report_check_outcome(check)]++;
}

/* The cases of a conformance run are its first checks, in the same order. */
static const json_t *case_of(const report_item *item, size_t index) {
    return strcmp(report_kind(item), "conformance") == 0
               ? json_array_get(json_object_get(item->result, "cases"), index)
               : NULL;
}

double report_check_seconds(const report_item *item, size_t index) {
    return json_number_value(json_object_get(case_of(item, index), "seconds"));
}

const char *report_check_word(const report_item *item, size_t index) {
    const char *word = report_text_of(case_of(item, index), "verdict");
    return word ? word : model_outcome_name(report_check_outcome(json_array_get(item->checks, index)));
}

void report_item_free(report_item *item) {
    free(item->dir);
    free(item->file);
    free(item->timestamp);
    json_decref(item->result);
    json_decref(item->checks);
    json_decref(item->measures);
    json_decref(item->run);
    *item = (report_item){0};
}

void report_items_free(report_items *items) {
    for (size_t i = 0; i < items->count; i++)
        report_item_free(&items->list[i]);
    free(items->list);
    *items = (report_items){0};
}
