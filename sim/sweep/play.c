/* One point: the scenario with its paths set, played and measured. */
#include "run/run.h"
#include "sweep/measure.h"
#include "sweep/sweep.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

static void begin_row(sweep_row *out, size_t index) {
    memset(out, 0, sizeof *out);
    out->point = index;
    out->verdict = SWEEP_ERROR;
    for (size_t i = 0; i < SWEEP_MAX_MEASURES; i++)
        out->values[i] = NAN;
}

void sweep_row_failed(sweep_row *out, size_t index, const char *format, ...) {
    va_list args;
    begin_row(out, index);
    va_start(args, format);
    vsnprintf(out->detail, sizeof out->detail, format, args);
    va_end(args);
}

/* The numbers come from the text that result.json would be, so that a measure means what a reader finds
 * there. */
static ibk_err measure(const sweep *s, const result *r, sweep_row *out) {
    char why[MEASURE_WHY];
    ibk_buf text = {0};
    ibk_err err = result_json(&text, r);
    json_t *root = err == IBK_OK ? json_loadb((const char *)text.data, text.len, 0, NULL) : NULL;
    for (size_t i = 0; root != NULL && i < s->measure_count; i++) {
        out->values[i] = measure_value(s->measures[i].value, root, why);
        if (isnan(out->values[i]) && out->detail[0] == '\0')
            snprintf(out->detail, sizeof out->detail, "%.40s: %s", s->measures[i].name, why);
    }
    json_decref(root);
    ibk_buf_free(&text);
    return root == NULL ? IBK_ERR_NO_MEMORY : IBK_OK;
}

static void note_verdict(const result *r, sweep_row *out) {
    out->verdict = r->verdict == RESULT_PASS ? SWEEP_PASS : SWEEP_FAIL;
    for (size_t i = 0; i < r->expectation_count; i++)
        if (!r->expectations[i].held) {
            snprintf(out->detail, sizeof out->detail, "%.120s: %.110s", r->expectations[i].text,
                     r->expectations[i].observed);
            return;
        }
}

static void play(const sweep *s, const scn_scenario *scenario, const char *folder, sweep_row *out) {
    run_outcome outcome;
    ibk_diag diag;
    const run_options options = {.out_dir = folder};
    ibk_err err = run_scenario(&outcome, scenario, &options, &diag);
    if (err == IBK_OK && outcome.result.verdict != RESULT_ERROR) {
        note_verdict(&outcome.result, out);
        err = measure(s, &outcome.result, out);
        out->kept = folder != NULL;
    } else if (err == IBK_OK) {
        snprintf(out->detail, sizeof out->detail, "%.200s", outcome.result.error);
    }
    if (err != IBK_OK)
        sweep_row_failed(out, out->point, "the run failed: %s (%.150s)", ibk_err_text(err), diag.detail);
    run_outcome_free(&outcome);
}

void sweep_play(const sweep *s, size_t index, const char *folder, sweep_row *out) {
    scn_errors *errors = calloc(1, sizeof *errors);
    sweep_point *point = calloc(1, sizeof *point);
    scn_scenario *scenario = NULL;
    ibk_err err = IBK_ERR_NO_MEMORY;
    begin_row(out, index);
    if (errors != NULL && point != NULL) {
        sweep_point_at(s, index, point);
        err = scn_load_file(&scenario, errors, s->scenario, point->sets, point->set_count);
    }
    if (err == IBK_OK)
        play(s, scenario, folder, out);
    else
        sweep_row_failed(out, index, "%s",
                         errors != NULL && errors->count > 0 ? errors->list[0].message : ibk_err_text(err));
    scn_free(scenario);
    free(point);
    free(errors);
}
