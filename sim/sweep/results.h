/* What a sweep found: its rows together, and what is said of them. */
#ifndef SWEEP_RESULTS_H
#define SWEEP_RESULTS_H

#include "sweep/statistics.h"
#include "sweep/store.h"

#define SWEEP_MISSING 3 /* beside the values of sweep_verdict: there is no row */

typedef struct sweep_results {
    const sweep *sweep;
    double *values;          /* measure_count for each point */
    unsigned char *verdicts; /* sweep_verdict or SWEEP_MISSING, by point */
    unsigned char *kept;
    char **details;   /* by point; NULL: none */
    size_t counts[4]; /* by verdict */
} sweep_results;

/* Reads all rows of a database. */
ibk_err sweep_results_read(sweep_results *out, sweep_store *store, const sweep *s, ibk_diag *diag);
void sweep_results_free(sweep_results *r); /* legal on the zero value */

/* The points of one combination of parameters are neighbours: groups of seed_count. */
size_t sweep_groups(const sweep *s);
statistics sweep_group_statistics(const sweep_results *r, size_t group, size_t measure);
/* A measure that has a value nowhere, though there are runs: its index, and in *detail why, if that is known
 * (borrowed, or NULL). False: there is none. */
bool sweep_empty_measure(const sweep_results *r, size_t *measure, const char **detail);

/* Where the run of a point is kept, as seen from the sweep's folder: "points/0042". */
void sweep_folder(char out[32], size_t point);

/* result.json, kind "sweep". */
ibk_err sweep_write_result(const sweep_results *r, const char *path, ibk_diag *diag);

#endif
