/* A run of the suite as a result of kind conformance: see report.h and reports/schema/result.schema.json. */
#include "conformance/suite/report.h"

#include "conformance/suite/baseline.h"
#include "reports/model.h"

#include <stdlib.h>
#include <string.h>

/* ---- checks: the cases --------------------------------------------------------------------------- */

static model_outcome outcome_of(const suite_result *r) {
    if (r->expected)
        return MODEL_KNOWN;
    switch (r->outcome.verdict) {
    case SUITE_PASS:
        return MODEL_PASS;
    case SUITE_FAIL:
        return MODEL_FAIL;
    case SUITE_SKIPPED:
        return MODEL_SKIPPED;
    default:
        return MODEL_ERROR;
    }
}

/* What was wrong, and below it all that a person needs. Free it; NULL: there is nothing to tell, or no
 * memory. */
static char *detail_of(const suite_summary *s, const suite_result *r) {
    const suite_outcome *o = &r->outcome;
    char *text = NULL;
    size_t size;
    FILE *memory = o->verdict == SUITE_PASS ? NULL : open_memstream(&text, &size);
    if (!memory)
        return NULL;
    if (o->verdict != SUITE_FAIL && o->verdict != SUITE_SKIPPED)
        fprintf(memory, "%s: ", suite_verdict_name(o->verdict));
    fputs(o->reason ? o->reason : "", memory);
    if (o->verdict != SUITE_SKIPPED) {
        fputc('\n', memory);
        suite_report_failure(memory, s, r, "");
    }
    fclose(memory);
    return text;
}

static void add_check(result_model *m, const suite_summary *s, const suite_result *r) {
    const cr_requirement *q = suite_requirement(s, r);
    char *detail = detail_of(s, r);
    model_check(m, &(model_check_row){.id = r->c->name,
                                      .text = r->c->title,
                                      .outcome = outcome_of(r),
                                      .detail = detail,
                                      .requirement = q ? q->id : NULL,
                                      .section = q ? q->section : NULL,
                                      .level = q ? cr_level_name(q->level) : NULL});
    free(detail);
}

/* ---- the members of this kind ---------------------------------------------------------------------- */

static void set_text(json_t *object, const char *name, const char *text, bool *ok) {
    if (text)
        jb_set(object, name, jb_text(text), ok);
}

static json_t *case_json(const suite_summary *s, const suite_result *r, bool *ok) {
    const suite_outcome *o = &r->outcome;
    bool failed = suite_failed(o->verdict);
    const cr_requirement *q = failed ? suite_requirement(s, r) : NULL;
    json_t *json = json_object();
    jb_set(json, "case", jb_text(r->c->name), ok);
    jb_set(json, "title", jb_text(r->c->title), ok);
    jb_set(json, "verdict", jb_text(suite_verdict_name(o->verdict)), ok);
    jb_set(json, "seconds", json_real(o->seconds), ok);
    jb_set(json, "known", json_boolean(r->expected), ok);
    jb_set(json, "requirements", jb_words(r->c->requirements), ok);
    set_text(json, "requirement", q ? q->id : NULL, ok);
    set_text(json, "section", q ? q->section : NULL, ok);
    set_text(json, "document", q ? q->document : NULL, ok);
    set_text(json, "reason", o->reason, ok);
    set_text(json, "permitted", failed ? o->permitted : NULL, ok);
    set_text(json, "sent", failed ? o->sent : NULL, ok);
    set_text(json, "came_back", failed ? o->came : NULL, ok);
    return json;
}

static json_t *requirement_json(const cr_requirement *q, suite_tally t, bool *ok) {
    json_t *json = json_object();
    jb_set(json, "id", jb_text(q->id), ok);
    jb_set(json, "document", jb_text(q->document), ok);
    jb_set(json, "section", jb_text(q->section), ok);
    jb_set(json, "level", jb_text(cr_level_name(q->level)), ok);
    jb_set(json, "text", jb_text(q->text), ok);
    jb_set(json, "status", jb_text(suite_status(q, t)), ok);
    jb_set(json, "passed", jb_count(t.held), ok);
    jb_set(json, "failed", jb_count(t.broken), ok);
    jb_set(json, "skipped", jb_count(t.skipped), ok);
    jb_set(json, "other", jb_count(t.other), ok);
    set_text(json, "not_testable", q->not_testable, ok);
    return json;
}

static void set_lists(result_model *m, const suite_summary *s) {
    json_t *verdicts = json_object(), *cases = json_array(), *all = json_array();
    for (suite_verdict v = SUITE_PASS; v < SUITE_VERDICTS; v++)
        jb_set(verdicts, suite_verdict_name(v), jb_count(suite_count(s, v)), &m->ok);
    for (size_t i = 0; i < s->n; i++)
        jb_append(cases, case_json(s, &s->results[i], &m->ok), &m->ok);
    for (size_t i = 0; i < cr_count(s->requirements); i++) {
        const cr_requirement *q = cr_at(s->requirements, i);
        jb_append(all, requirement_json(q, suite_tally_of(s, q), &m->ok), &m->ok);
    }
    model_set(m, "verdicts", verdicts);
    model_set(m, "cases", cases);
    model_set(m, "requirements", all);
}

/* ---- the whole ---------------------------------------------------------------------------------------- */

static void add_measures(result_model *m, const suite_summary *s) {
    size_t held = 0, broken = 0;
    for (size_t i = 0; i < cr_count(s->requirements); i++) {
        const cr_requirement *q = cr_at(s->requirements, i);
        const char *status = suite_status(q, suite_tally_of(s, q));
        held += strcmp(status, "held") == 0;
        broken += strcmp(status, "broken") == 0;
    }
    model_measure(m, "cases", (double)s->n, "cases");
    for (suite_verdict v = SUITE_PASS; v < SUITE_VERDICTS; v++) {
        char name[40];
        snprintf(name, sizeof name, "cases-%s", suite_verdict_name(v));
        model_measure(m, name, (double)suite_count(s, v), "cases");
    }
    model_measure(m, "requirements-held", (double)held, "requirements");
    model_measure(m, "requirements-broken", (double)broken, "requirements");
    model_measure(m, "wall-time", s->seconds, "s");
}

/* "name version", as the adapter has it. */
static void describe_iut(char *out, size_t size, const suite_summary *s) {
    const char *name = json_string_value(json_object_get(s->hello, "name"));
    const char *version = json_string_value(json_object_get(s->hello, "version"));
    snprintf(out, size, "%s%s%s", name ? name : "an implementation", version ? " " : "",
             version ? version : "");
}

ibk_err suite_result_json(json_t **out, const suite_summary *s) {
    result_model m;
    char iut[200], title[240];
    describe_iut(iut, sizeof iut, s);
    snprintf(title, sizeof title, "Conformance of %s", iut);
    model_begin(&m, "conformance", title, s->command);
    model_version(&m, "ibakelab", IBAKELAB_VERSION);
    model_version(&m, "iut", iut);
    for (size_t i = 0; i < s->n; i++)
        add_check(&m, s, &s->results[i]);
    if (s->complaints)
        model_check(&m, &(model_check_row){
                            .id = "baseline/complaints",
                            .text = "every entry of the baseline holds, and the adapter ends as it should",
                            .outcome = MODEL_FAIL,
                            .detail = s->complaint});
    if (suite_count(s, SUITE_SKIPPED) == s->n)
        model_error(&m, "every case was skipped: nothing was judged");
    add_measures(&m, s);
    model_set(&m, "iut", jb_text(s->command));
    if (s->hello)
        model_set(&m, "hello", json_incref((json_t *)s->hello));
    model_set(&m, "timestamp", jb_text(s->timestamp));
    model_set(&m, "seconds", json_real(s->seconds));
    model_set(&m, "baseline_complaints", jb_count(s->complaints));
    set_lists(&m, s);
    ibk_err err = model_json(&m, out);
    model_free(&m);
    return err;
}
