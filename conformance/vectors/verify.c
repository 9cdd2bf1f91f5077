/* Computes the vectors of a file and compares. */
#include "conformance/vectors/work.h"

#include <stdio.h>
#include <string.h>

/* The name of a result that is not the one of the vector; NULL: all are. */
static const char *differs(const work *w, const json_t *test) {
    const char *name;
    json_t *value;
    json_object_foreach(w->out, name, value) {
        if (!json_equal(value, json_object_get(test, name)))
            return name;
    }
    return NULL;
}

static void judge(const json_t *group, const json_t *test, vectors_count *count, vectors_report *report,
                  void *user) {
    const char *result = json_string_value(json_object_get(test, "result"));
    const char *comment = json_string_value(json_object_get(test, "comment"));
    char why[300] = "";
    work w;
    ibk_err err = work_run(&w, group, test);
    const char *name = err ? NULL : differs(&w, test);
    bool wants_valid = result && strcmp(result, "valid") == 0,
         wants_invalid = result && strcmp(result, "invalid") == 0;
    if (!wants_valid && !wants_invalid)
        snprintf(why, sizeof why, "its result is neither valid nor invalid");
    else if (err && !work_is_invalid(err))
        snprintf(why, sizeof why, "%s: %s", ibk_err_text(err), w.diag.detail);
    else if (wants_valid && err)
        snprintf(why, sizeof why, "refused: %s (%s)", ibk_err_text(err), w.diag.detail);
    else if (wants_invalid && !err)
        snprintf(why, sizeof why, "invalid, and was taken");
    else if (wants_valid && name)
        snprintf(why, sizeof why, "another result: %s", name);
    else if (wants_valid && json_object_size(w.out) == 0)
        snprintf(why, sizeof why, "nothing to compare");
    work_end(&w);
    if (why[0]) {
        count->failed++;
        report(user, (unsigned)json_integer_value(json_object_get(test, "tcId")), comment ? comment : "",
               why);
    } else if (wants_valid) {
        count->valid++;
    } else {
        count->invalid++;
    }
}

ibk_err vectors_verify(ibk_span text, vectors_count *count, vectors_report *report, void *user,
                       ibk_diag *diag) {
    json_error_t error;
    json_t *file = json_loadb((const char *)text.data, text.len, JSON_REJECT_DUPLICATES, &error);
    if (!file)
        return ibk_fail(diag, IBK_ERR_BAD_TEXT, NULL, 0, "line %d: %s", error.line, error.text);
    const json_t *groups = json_object_get(file, "testGroups"), *group, *test;
    size_t i, j, seen = 0;
    json_array_foreach(groups, i, group) {
        const json_t *tests = json_object_get(group, "tests");
        json_array_foreach(tests, j, test) {
            judge(group, test, count, report, user);
            seen++;
        }
    }
    bool right = seen > 0 && json_integer_value(json_object_get(file, "numberOfTests")) == (json_int_t)seen;
    json_decref(file);
    return right ? IBK_OK
                 : ibk_fail(diag, IBK_ERR_BAD_TEXT, NULL, 0, "%zu tests, and numberOfTests says otherwise",
                            seen);
}
