#include "cli/conform_verdict.h"

#include "cli/cli.h"
#include "cli/report_file.h"
#include "conformance/suite/baseline.h"
#include "conformance/suite/report.h"
#include "reports/words.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

bool conform_verdict_begin(conform_verdict *v) {
    model_timestamp(v->timestamp);
    v->complaining = open_memstream(&v->complaint, &v->complaint_size);
    return v->complaining != NULL;
}

void conform_verdict_free(conform_verdict *v) {
    if (v->complaining)
        fclose(v->complaining);
    free(v->complaint);
    *v = (conform_verdict){0};
}

/* ---- the baseline ---- */

void conform_complain(conform_verdict *v, const char *of, const char *text) {
    fprintf(v->out, "%s: %s\n", of, text);
    fprintf(v->complaining, "%s: %s\n", of, text);
    v->complaints++;
}

static void complain(void *user, const char *text) {
    conform_complain(user, "baseline", text);
}

/* "2026-11-24", UTC, so many seconds from now. */
static void date_in(char out[16], long later) {
    time_t then = time(NULL) + later;
    struct tm tm;
    gmtime_r(&then, &tm);
    strftime(out, 16, "%Y-%m-%d", &tm);
}

/* Writes today's failures, and reads what stands in the file then. */
static int update_baseline(const conform_verdict *v, suite_baseline *baseline) {
    const char *path = v->options->baseline, *user = getenv("USER");
    char error[600], later[16];
    date_in(later, 30L * 86400);
    bool written = suite_baseline_write(baseline, v->choice->results, v->choice->n, path,
                                        user && *user ? user : "nobody yet", later);
    suite_baseline_free(baseline);
    if (!written)
        return cli_error(CONFORM_COMMAND, "%s: %s", path, strerror(errno));
    if (!suite_baseline_load(baseline, path, error, sizeof error))
        return cli_error(CONFORM_COMMAND, "%s", error);
    return CLI_OK;
}

static int hold_against_baseline(conform_verdict *v) {
    const conform_options *o = v->options;
    suite_baseline baseline = {0};
    char error[600], date[16];
    int status = CLI_OK;
    bool fresh = o->update && access(o->baseline, F_OK) != 0;
    if (o->baseline && !fresh && !suite_baseline_load(&baseline, o->baseline, error, sizeof error))
        status = cli_error(CONFORM_COMMAND, "%s", error);
    if (!status && o->update)
        status = update_baseline(v, &baseline);
    date_in(date, 0);
    if (!status)
        suite_baseline_judge(&baseline, v->choice->cases, v->choice->results, v->choice->n, date, complain,
                             v);
    suite_baseline_free(&baseline);
    return status;
}

/* ---- reports ---- */

bool conform_wants_reports(const conform_options *o) {
    return o->json || o->junit || o->tap;
}

int conform_write_reports(const conform_options *o, json_t *result) {
    report_item item;
    char error[400];
    ibk_diag diag = {0};
    ibk_err err = report_take(&item, result, error, sizeof error);
    if (err) {
        cli_error(CONFORM_COMMAND, "the result is not as it should be: %s", error);
        return CLI_INTERNAL;
    }
    int status = CLI_OK;
    if (o->json && (err = jb_write(item.result, o->json, &diag)) != IBK_OK)
        status = cli_fail(CONFORM_COMMAND, "--json", err, &diag);
    status = status ? status : report_file(CONFORM_COMMAND, o->junit, report_write_junit, &item, 1);
    status = status ? status : report_file(CONFORM_COMMAND, o->tap, report_write_tap, &item, 1);
    report_item_free(&item);
    return status;
}

static int keep_all(const conform_verdict *v, const suite_summary *s) {
    const char *folder = v->options->keep;
    for (size_t i = 0; folder && i < s->n; i++)
        if (s->results[i].outcome.verdict != SUITE_SKIPPED && !suite_keep(folder, s, &s->results[i]))
            return cli_error(CONFORM_COMMAND, "%s: %s: %s", folder, s->results[i].c->name, strerror(errno));
    return CLI_OK;
}

/* ---- people ---- */

/* What came back is the adapter's, which may be anybody's. */
static void tell_failure(FILE *out, const suite_summary *s, const suite_result *r) {
    char *text = NULL;
    size_t len = 0;
    FILE *memory = open_memstream(&text, &len);
    if (memory) {
        suite_report_failure(memory, s, r, "  ");
        fclose(memory);
    }
    fprintf(out, "\n%s  %s\n", suite_verdict_name(r->outcome.verdict), r->c->name);
    words_show(out, text ? text : "", len, "\n\t");
    free(text);
}

/* How many failures nobody expected. */
static size_t tell(const conform_verdict *v, const suite_summary *s) {
    size_t unexpected = 0;
    for (size_t i = 0; i < s->n; i++) {
        const suite_result *r = &s->results[i];
        if (!suite_failed(r->outcome.verdict) || r->expected)
            continue;
        unexpected++;
        if (!v->options->quiet)
            tell_failure(v->out, s, r);
    }
    suite_report_totals(v->out, s);
    return unexpected;
}

static int report(const conform_verdict *v) {
    suite_summary s = {v->choice->results, v->choice->n, v->choice->requirements, v->iut,      v->hello,
                       v->timestamp,       v->seconds,   v->complaints,           v->complaint};
    size_t unexpected = tell(v, &s);
    json_t *result = NULL;
    ibk_err err = conform_wants_reports(v->options) ? suite_result_json(&result, &s) : IBK_OK;
    int status = err      ? cli_fail(CONFORM_COMMAND, "the result", err, NULL)
                 : result ? conform_write_reports(v->options, result)
                          : CLI_OK;
    status = status ? status : keep_all(v, &s);
    if (status)
        return status;
    if (suite_count(&s, SUITE_SKIPPED) == s.n)
        return cli_error(CONFORM_COMMAND, "every case was skipped: nothing was judged");
    return unexpected || v->complaints ? CLI_FAILED : CLI_OK;
}

int conform_verdict_give(conform_verdict *v) {
    int status = hold_against_baseline(v);
    if (!status && fflush(v->complaining) != 0)
        status = cli_fail(CONFORM_COMMAND, "memory", IBK_ERR_NO_MEMORY, NULL);
    return status ? status : report(v);
}
