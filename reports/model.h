/* ibakelab: writes a result of any kind but a run (that is result.h's): the head that all kinds share
 * (docs/results.md), and the members of the kind behind it.
 *
 *     result_model m;
 *     model_begin(&m, "mutants", "Mutants of our implementation", "ibe-*");
 *     model_version(&m, "ibakelab", "0.1.0");
 *     model_check(&m, &(model_check_row){.id = "ibe-u-unchecked", .outcome = MODEL_PASS});
 *     model_measure(&m, "killed", 271, "mutants");
 *     model_set(&m, "cases", jb_count(1814));
 *     err = model_write(&m, "out/result.json", &diag);
 *     model_free(&m);
 */
#ifndef REPORTS_MODEL_H
#define REPORTS_MODEL_H

#include "reports/json_build.h"

typedef enum model_outcome {
    MODEL_PASS = 0,
    MODEL_FAIL,
    MODEL_SKIPPED,
    MODEL_KNOWN, /* a failure that is expected */
    MODEL_ERROR, /* it could not be judged */
    MODEL_OUTCOMES
} model_outcome;

const char *model_outcome_name(model_outcome outcome); /* "pass", "fail" … */

/* Texts are copied; all but id may be NULL. */
typedef struct model_check_row {
    const char *id;   /* unique in the result, the same each time; what stands before the first '/' groups */
    const char *text; /* what is judged, in a sentence */
    model_outcome outcome;
    const char *detail; /* what there was: the first line says it, more lines tell more */
    const char *file;
    unsigned line; /* 0: none */
    const char *requirement, *section, *level;
} model_check_row;

typedef struct result_model {
    json_t *root, *checks, *measures, *versions;
    bool failed; /* a check failed, or could not be judged */
    bool ok;     /* false: no memory; told by model_json and model_write */
} result_model;

void model_begin(result_model *m, const char *kind, const char *title, const char *subject);
void model_version(result_model *m, const char *name, const char *version);
void model_check(result_model *m, const model_check_row *check);
void model_measure(result_model *m, const char *name, double value, const char *unit);
/* A member of the kind's own; takes the value over. */
void model_set(result_model *m, const char *name, json_t *value);
/* From now on the verdict is `error`, for this reason. */
void model_error(result_model *m, const char *why);

/* The verdict: error if model_error was called, fail if a check failed or could not be judged, else pass. The
 * caller owns *out (json_decref). IBK_ERR_NO_MEMORY. */
ibk_err model_json(result_model *m, json_t **out);
/* The same as a file, or "-" (jb_write). */
ibk_err model_write(result_model *m, const char *path, ibk_diag *diag);
void model_free(result_model *m);

/* Now, as "2026-11-24T12:00:00", UTC. */
void model_timestamp(char out[20]);

#endif
