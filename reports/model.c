/* ibakelab: see model.h. */
#include "reports/model.h"

#include "reports/result.h"

#include <time.h>

const char *model_outcome_name(model_outcome outcome) {
    static const char *const names[MODEL_OUTCOMES] = {"pass", "fail", "skipped", "known", "error"};
    return names[outcome];
}

void model_begin(result_model *m, const char *kind, const char *title, const char *subject) {
    *m = (result_model){.root = json_object(),
                        .checks = json_array(),
                        .measures = json_array(),
                        .versions = json_object(),
                        .ok = true};
    model_set(m, "schema", json_string(RESULT_SCHEMA));
    model_set(m, "kind", json_string(kind));
    model_set(m, "title", jb_text(title));
    model_set(m, "subject", jb_text(subject));
    model_set(m, "verdict",
              json_string("pass")); /* these two have their place, and get their value at the end */
    model_set(m, "error", json_null());
    model_set(m, "versions", json_incref(m->versions));
    model_set(m, "checks", json_incref(m->checks));
    model_set(m, "measures", json_incref(m->measures));
}

void model_version(result_model *m, const char *name, const char *version) {
    jb_set(m->versions, name, jb_text(version), &m->ok);
}

void model_check(result_model *m, const model_check_row *check) {
    json_t *row = json_object();
    jb_set(row, "id", jb_text(check->id), &m->ok);
    jb_set(row, "text", jb_text(check->text), &m->ok);
    jb_set(row, "outcome", json_string(model_outcome_name(check->outcome)), &m->ok);
    jb_set(row, "detail", jb_text(check->detail), &m->ok);
    jb_set(row, "file", jb_text(check->file), &m->ok);
    jb_set(row, "line", check->line ? jb_count(check->line) : json_null(), &m->ok);
    jb_set(row, "requirement", jb_text(check->requirement), &m->ok);
    jb_set(row, "section", jb_text(check->section), &m->ok);
    jb_set(row, "level", jb_text(check->level), &m->ok);
    jb_append(m->checks, row, &m->ok);
    m->failed |= check->outcome == MODEL_FAIL || check->outcome == MODEL_ERROR;
}

void model_measure(result_model *m, const char *name, double value, const char *unit) {
    json_t *row = json_object();
    jb_set(row, "name", jb_text(name), &m->ok);
    jb_set(row, "value", json_real(value), &m->ok);
    jb_set(row, "unit", jb_text(unit), &m->ok);
    jb_append(m->measures, row, &m->ok);
}

void model_set(result_model *m, const char *name, json_t *value) {
    jb_set(m->root, name, value, &m->ok);
}

void model_error(result_model *m, const char *why) {
    model_set(m, "error", jb_text(why));
}

ibk_err model_json(result_model *m, json_t **out) {
    bool error = !json_is_null(json_object_get(m->root, "error"));
    model_set(m, "verdict", json_string(error ? "error" : m->failed ? "fail" : "pass"));
    *out = m->ok ? json_incref(m->root) : NULL;
    return m->ok ? IBK_OK : IBK_ERR_NO_MEMORY;
}

ibk_err model_write(result_model *m, const char *path, ibk_diag *diag) {
    json_t *root;
    ibk_err err = model_json(m, &root);
    if (err)
        return ibk_fail(diag, err, NULL, 0, "writing %s", path);
    err = jb_write(root, path, diag);
    json_decref(root);
    return err;
}

void model_free(result_model *m) {
    json_decref(m->root);
    json_decref(m->checks);
    json_decref(m->measures);
    json_decref(m->versions);
    *m = (result_model){0};
}

void model_timestamp(char out[20]) {
    time_t now = time(NULL);
    struct tm tm;
    gmtime_r(&now, &tm);
    strftime(out, 20, "%Y-%m-%dT%H:%M:%S", &tm);
}
