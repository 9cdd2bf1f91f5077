/* The result of a sweep as result.json (reports/schema/result.schema.json). */
#include "reports/model.h"
#include "run/versions.h"
#include "sweep/results.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static json_t *number_or_null(double value) {
    return isnan(value) ? json_null() : json_real(value);
}

/* A value as it was written: 1024 is a number, "5 %" is text. */
static json_t *scalar(const char *label) {
    char *end;
    size_t digits = strspn(label, "0123456789.");
    double value = strtod(label, &end);
    if (digits == 0 || label[digits] != '\0' || *end != '\0')
        return jb_text(label);
    return strchr(label, '.') == NULL && digits < 16 ? json_integer((json_int_t)value) : json_real(value);
}

static json_t *setting(const sweep *s, const sweep_point *point, bool *ok) {
    json_t *o = json_object();
    for (size_t p = 0; p < s->parameter_count; p++)
        jb_set(o, s->parameters[p].name, scalar(sweep_label(s, point, p)), ok);
    return o;
}

/* null for cases; a text for one path, a list of texts for several. */
static json_t *paths(const sweep_parameter *p, bool *ok) {
    const sweep_choice *first = &p->choices[0];
    if (p->path[0] == '\0')
        return json_null();
    if (first->set_count == 1)
        return jb_text(p->path);
    json_t *list = json_array();
    for (size_t i = 0; i < first->set_count; i++)
        jb_append(list, json_stringn(first->sets[i], strcspn(first->sets[i], "=")), ok);
    return list;
}

static json_t *parameters(const sweep *s, bool *ok) {
    json_t *list = json_array();
    for (size_t p = 0; p < s->parameter_count; p++) {
        json_t *o = json_object(), *values = json_array();
        for (size_t i = 0; i < s->parameters[p].count; i++)
            jb_append(values, scalar(s->parameters[p].choices[i].label), ok);
        jb_set(o, "name", jb_text(s->parameters[p].name), ok);
        jb_set(o, "path", paths(&s->parameters[p], ok), ok);
        jb_set(o, "values", values, ok);
        jb_append(list, o, ok);
    }
    return list;
}

static json_t *units(const sweep *s, bool *ok) {
    json_t *o = json_object();
    for (size_t i = 0; i < s->measure_count; i++)
        jb_set(o, s->measures[i].name, jb_text(s->measures[i].unit), ok);
    return o;
}

static json_t *point_json(const sweep_results *r, const sweep_point *point, bool *ok) {
    const sweep *s = r->sweep;
    json_t *o = json_object(), *measures = json_object();
    char folder[32];
    sweep_folder(folder, point->index);
    for (size_t i = 0; i < s->measure_count; i++)
        jb_set(measures, s->measures[i].name, number_or_null(r->values[point->index * s->measure_count + i]),
               ok);
    jb_set(o, "index", jb_count(point->index), ok);
    jb_set(o, "parameters", setting(s, point, ok), ok);
    jb_set(o, "seed", jb_decimal(point->seed), ok);
    jb_set(o, "verdict", jb_text(sweep_verdict_name(r->verdicts[point->index])), ok);
    jb_set(o, "measures", measures, ok);
    jb_set(o, "dir", jb_text(r->kept[point->index] ? folder : NULL), ok);
    return o;
}

static json_t *spread(const statistics *n, bool *ok) {
    json_t *o = json_object();
    jb_set(o, "n", jb_count(n->n), ok);
    jb_set(o, "mean", number_or_null(n->mean), ok);
    jb_set(o, "half_width", number_or_null(n->half_width), ok);
    jb_set(o, "min", number_or_null(n->min), ok);
    jb_set(o, "max", number_or_null(n->max), ok);
    return o;
}

static json_t *group_json(const sweep_results *r, const sweep_point *point, size_t group, bool *ok) {
    const sweep *s = r->sweep;
    json_t *o = json_object(), *measures = json_object();
    for (size_t i = 0; i < s->measure_count; i++) {
        statistics n = sweep_group_statistics(r, group, i);
        jb_set(measures, s->measures[i].name, spread(&n, ok), ok);
    }
    jb_set(o, "parameters", setting(s, point, ok), ok);
    jb_set(o, "measures", measures, ok);
    return o;
}

/* A point whose run did not end as it should. */
static void check_point(result_model *m, const sweep_results *r, const sweep_point *point) {
    char id[40], text[300];
    size_t used = 0;
    uint32_t verdict = r->verdicts[point->index];
    if (verdict == SWEEP_PASS)
        return;
    snprintf(id, sizeof id, "point/%zu", point->index);
    for (size_t p = 0; p < r->sweep->parameter_count && used < sizeof text; p++)
        used += (size_t)snprintf(text + used, sizeof text - used, "%s %.40s, ", r->sweep->parameters[p].name,
                                 sweep_label(r->sweep, point, p));
    used = used < sizeof text ? used : sizeof text - 1;
    snprintf(text + used, sizeof text - used, "seed %llu", (unsigned long long)point->seed);
    model_check(m, &(model_check_row){.id = id,
                                      .text = text,
                                      .outcome = verdict == SWEEP_FAIL ? MODEL_FAIL : MODEL_ERROR,
                                      .detail = r->details[point->index],
                                      .file = r->sweep->scenario});
}

/* Said in any case: a sweep in which all went well has a check, too. */
static void check_all(result_model *m, const sweep_results *r) {
    char detail[80];
    size_t results = r->counts[SWEEP_PASS] + r->counts[SWEEP_FAIL];
    snprintf(detail, sizeof detail, "%zu of %zu", results, r->sweep->points);
    model_check(m, &(model_check_row){.id = "points",
                                      .text = "every point has a result",
                                      .outcome = results == r->sweep->points ? MODEL_PASS : MODEL_ERROR,
                                      .detail = detail,
                                      .file = r->sweep->path});
}

static void set_points(result_model *m, const sweep_results *r, sweep_point *point) {
    const sweep *s = r->sweep;
    json_t *points = json_array(), *summary = json_array();
    for (size_t i = 0; i < s->points; i++) {
        sweep_point_at(s, i, point);
        if (r->verdicts[i] != SWEEP_MISSING) {
            jb_append(points, point_json(r, point, &m->ok), &m->ok);
            check_point(m, r, point);
        }
        if (i % s->seed_count == 0)
            jb_append(summary, group_json(r, point, i / s->seed_count, &m->ok), &m->ok);
    }
    model_set(m, "points", points);
    model_set(m, "summary", summary);
}

static void set_head(result_model *m, const sweep_results *r) {
    const sweep *s = r->sweep;
    result versions = {0};
    versions_add(&versions);
    for (size_t i = 0; i < versions.version_count; i++)
        model_version(m, versions.versions[i].name, versions.versions[i].version);
    m->ok &= !versions.out_of_memory;
    result_free(&versions);
    model_measure(m, "points", (double)(s->points - r->counts[SWEEP_MISSING]), "points");
    model_measure(m, "passed", (double)r->counts[SWEEP_PASS], "points");
    model_measure(m, "failed", (double)r->counts[SWEEP_FAIL], "points");
    model_measure(m, "errors", (double)r->counts[SWEEP_ERROR], "points");
}

static void judge(result_model *m, const sweep_results *r) {
    size_t measure;
    char text[300];
    const char *detail;
    if (r->counts[SWEEP_MISSING] > 0) {
        snprintf(text, sizeof text, "%zu of %zu points are missing", r->counts[SWEEP_MISSING],
                 r->sweep->points);
        model_error(m, text);
    } else if (sweep_empty_measure(r, &measure, &detail)) {
        snprintf(text, sizeof text, "the measure '%s' has a value at no point%s%.150s",
                 r->sweep->measures[measure].name, detail != NULL ? ": " : "", detail != NULL ? detail : "");
        model_error(m, text);
    }
}

ibk_err sweep_write_result(const sweep_results *r, const char *path, ibk_diag *diag) {
    const sweep *s = r->sweep;
    result_model m;
    sweep_point *point = malloc(sizeof *point);
    json_t *seeds = json_array();
    if (point == NULL)
        return IBK_ERR_NO_MEMORY;
    model_begin(&m, "sweep", s->title, s->path);
    set_head(&m, r);
    model_set(&m, "scenario", jb_text(s->scenario));
    for (size_t i = 0; i < s->seed_count; i++)
        jb_append(seeds, jb_decimal(s->seeds[i]), &m.ok);
    model_set(&m, "seeds", seeds);
    model_set(&m, "points_planned", jb_count(s->points));
    model_set(&m, "parameters", parameters(s, &m.ok));
    model_set(&m, "units", units(s, &m.ok));
    check_all(&m, r);
    set_points(&m, r, point);
    judge(&m, r);
    ibk_err err = model_write(&m, path, diag);
    model_free(&m);
    free(point);
    return err;
}
