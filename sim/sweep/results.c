#include "sweep/results.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static ibk_err take(void *user, const sweep_row *row) {
    sweep_results *r = user;
    size_t measures = r->sweep->measure_count, point = row->point;
    if (point >= r->sweep->points)
        return IBK_OK;
    memcpy(&r->values[point * measures], row->values, measures * sizeof *r->values);
    r->verdicts[point] = (unsigned char)row->verdict;
    r->kept[point] = row->kept != 0;
    r->counts[SWEEP_MISSING]--;
    r->counts[row->verdict]++;
    if (row->detail[0] == '\0')
        return IBK_OK;
    r->details[point] = strdup(row->detail);
    return r->details[point] != NULL ? IBK_OK : IBK_ERR_NO_MEMORY;
}

ibk_err sweep_results_read(sweep_results *out, sweep_store *store, const sweep *s, ibk_diag *diag) {
    *out = (sweep_results){.sweep = s, .counts[SWEEP_MISSING] = s->points};
    out->values = calloc(s->points * s->measure_count, sizeof *out->values);
    out->verdicts = malloc(s->points);
    out->kept = calloc(s->points, 1);
    out->details = calloc(s->points, sizeof *out->details);
    bool memory = out->values != NULL && out->verdicts != NULL && out->kept != NULL && out->details != NULL;
    if (memory) {
        memset(out->verdicts, SWEEP_MISSING, s->points);
        for (size_t i = 0; i < s->points * s->measure_count; i++)
            out->values[i] = NAN;
    }
    ibk_err err = memory ? sweep_store_read(store, take, out, diag) : IBK_ERR_NO_MEMORY;
    if (err != IBK_OK)
        sweep_results_free(out);
    return err;
}

void sweep_results_free(sweep_results *r) {
    for (size_t i = 0; r->details != NULL && i < r->sweep->points; i++)
        free(r->details[i]);
    free(r->values);
    free(r->verdicts);
    free(r->kept);
    free(r->details);
    *r = (sweep_results){0};
}

size_t sweep_groups(const sweep *s) {
    return s->points / s->seed_count;
}

statistics sweep_group_statistics(const sweep_results *r, size_t group, size_t measure) {
    const sweep *s = r->sweep;
    double *values = calloc(s->seed_count, sizeof *values);
    for (size_t i = 0; values != NULL && i < s->seed_count; i++)
        values[i] = r->values[(group * s->seed_count + i) * s->measure_count + measure];
    statistics result = statistics_of(values, values != NULL ? s->seed_count : 0);
    free(values);
    return result;
}

static bool has_value(const sweep_results *r, size_t measure) {
    for (size_t i = 0; i < r->sweep->points; i++)
        if (!isnan(r->values[i * r->sweep->measure_count + measure]))
            return true;
    return false;
}

bool sweep_empty_measure(const sweep_results *r, size_t *measure, const char **detail) {
    const sweep *s = r->sweep;
    size_t runs = r->counts[SWEEP_PASS] + r->counts[SWEEP_FAIL];
    *measure = 0;
    *detail = NULL;
    while (*measure < s->measure_count && (runs == 0 || has_value(r, *measure)))
        ++*measure;
    if (*measure == s->measure_count)
        return false;
    const char *name = s->measures[*measure].name;
    size_t len = strlen(name);
    for (size_t i = 0; i < s->points && *detail == NULL; i++) /* "name: why" (sweep_play) */
        if (r->details[i] != NULL && strncmp(r->details[i], name, len) == 0 && r->details[i][len] == ':')
            *detail = r->details[i] + len + 2;
    return true;
}

void sweep_folder(char out[32], size_t point) {
    snprintf(out, 32, "points/%04zu", point);
}
