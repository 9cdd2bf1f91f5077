/* The kill matrix: see conform_mutants.h. */
#include "cli/conform_mutants.h"

#include "cli/cli.h"
#include "conformance/suite/baseline.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#define COMMAND "conform"

typedef struct mutant {
    char *id, *breaks, *excuse, *text; /* one line of `build --list` */
} mutant;

/* What became of a mutant. */
typedef enum fate { KILLED = 0, ELSEWHERE, SURVIVED, EQUIVALENT, NOT_EQUIVALENT, FATES } fate;

static const struct {
    const char *name, *shown;
    model_outcome outcome;
} FATE[FATES] = {{"killed", "killed", MODEL_PASS},
                 {"elsewhere", "elsewhere", MODEL_PASS}, /* by a case that does not name what is broken */
                 {"survived", "SURVIVED", MODEL_FAIL},
                 {"equivalent", "equivalent", MODEL_KNOWN},
                 {"not equivalent", "not equivalent", MODEL_FAIL}};

typedef struct matrix {
    size_t tally[FATES], n;
    size_t named; /* whose first failure names a requirement that they break */
    result_model model;
    json_t *rows;
} matrix;

static bool split(char *line, mutant *out) {
    char *rest = NULL;
    out->id = strtok_r(line, "\t", &rest);
    out->breaks = strtok_r(NULL, "\t", &rest);
    out->excuse = strtok_r(NULL, "\t", &rest);
    out->text = strtok_r(NULL, "\n", &rest);
    return out->text != NULL;
}

/* Does `id` stand in a list that is separated by blanks? */
static bool listed(const char *list, const char *id, size_t len) {
    for (const char *at = list; *at; at += strcspn(at, " "), at += *at == ' ')
        if (strcspn(at, " ") == len && strncmp(at, id, len) == 0)
            return true;
    return false;
}

static bool concerns(const suite_case *c, const mutant *m) {
    for (const char *at = c->requirements; *at; at += strcspn(at, " "), at += *at == ' ')
        if (listed(m->breaks, at, strcspn(at, " ")))
            return true;
    return false;
}

/* The cases that name what is broken come first. */
static void order(const conform_mutants *all, const mutant *m, suite_result *results) {
    size_t n = 0;
    for (int first = 1; first >= 0; first--)
        for (size_t i = 0; i < all->n_cases; i++)
            if (concerns(all->cases[i], m) == (first == 1))
                results[n++] = (suite_result){.c = all->cases[i]};
}

static bool killed(const suite_outcome *o) {
    return suite_failed(o->verdict) && o->verdict != SUITE_ERROR;
}

static bool go_on(void *user, const suite_result *r) {
    (void)user;
    return !killed(&r->outcome);
}

static const suite_result *killer(const suite_result *results, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (killed(&results[i].outcome))
            return &results[i];
    return NULL;
}

/* The requirement that people are told of: the one that the failure names, or else the first of its case. */
static const char *told(const suite_result *by, size_t *len) {
    const char *id = by->outcome.requirement             ? by->outcome.requirement
                     : by->outcome.verdict == SUITE_FAIL ? by->c->requirements
                                                         : "";
    *len = strcspn(id, " ");
    return id;
}

/* Is whoever reads the failure led to what is broken? */
static bool named(const mutant *m, const suite_result *by) {
    size_t len = 0;
    const char *id = by ? told(by, &len) : "";
    return len > 0 && listed(m->breaks, id, len);
}

static fate fate_of(const mutant *m, const suite_result *by) {
    bool excused = strcmp(m->excuse, "-") != 0;
    if (!by)
        return excused ? EQUIVALENT : SURVIVED;
    if (excused)
        return NOT_EQUIVALENT;
    return named(m, by) || concerns(by->c, m) ? KILLED : ELSEWHERE;
}

/* One row of the matrix, for people. */
static void tell(const conform_mutants *all, const mutant *m, const suite_result *by, fate f) {
    size_t len = 0;
    const char *id = by ? told(by, &len) : "";
    fprintf(all->out, "%-14s %-40s breaks %-24s ", FATE[f].shown, m->id, m->breaks);
    if (by)
        fprintf(all->out, "%s in %s%s%.*s%s\n", suite_verdict_name(by->outcome.verdict), by->c->name,
                len ? ": " : "", (int)len, id, !len || named(m, by) ? "" : " (not what is broken)");
    else
        fprintf(all->out, "(%s)\n", f == EQUIVALENT ? m->excuse : m->text);
    fflush(all->out);
}

/* The same row for the result: a check, and what this kind alone has. */
static void record(matrix *x, const mutant *m, const suite_result *by, fate f) {
    char requirement[32], detail[700];
    snprintf(requirement, sizeof requirement, "%.*s", (int)strcspn(m->breaks, " "), m->breaks);
    if (by)
        snprintf(detail, sizeof detail, "%s by %s: %.400s", FATE[f].name, by->c->name,
                 by->outcome.reason ? by->outcome.reason : suite_verdict_name(by->outcome.verdict));
    else
        snprintf(detail, sizeof detail, "%s: %.600s", FATE[f].name, f == EQUIVALENT ? m->excuse : m->text);
    model_check(&x->model, &(model_check_row){.id = m->id,
                                              .text = m->text,
                                              .outcome = FATE[f].outcome,
                                              .detail = detail,
                                              .requirement = requirement});
    json_t *row = json_object();
    bool *ok = &x->model.ok;
    jb_set(row, "id", jb_text(m->id), ok);
    jb_set(row, "breaks", jb_words(m->breaks), ok);
    jb_set(row, "text", jb_text(m->text), ok);
    jb_set(row, "excuse", jb_text(strcmp(m->excuse, "-") == 0 ? NULL : m->excuse), ok);
    jb_set(row, "verdict", jb_text(FATE[f].name), ok);
    jb_set(row, "case", jb_text(by ? by->c->name : NULL), ok);
    jb_set(row, "case_verdict", jb_text(by ? suite_verdict_name(by->outcome.verdict) : NULL), ok);
    jb_set(row, "requirement", jb_text(by ? by->outcome.requirement : NULL), ok);
    jb_append(x->rows, row, ok);
    x->tally[f]++;
    x->named += named(m, by);
    x->n++;
}

static int judge(const conform_mutants *all, const mutant *m, matrix *x) {
    char command[4400], ended[256], error[256];
    snprintf(command, sizeof command, "exec '%s/mutants/%s/ibake-iut'", all->build, m->id);
    suite_result *results = calloc(all->n_cases, sizeof *results);
    if (!results)
        return cli_fail(COMMAND, m->id, IBK_ERR_NO_MEMORY, NULL);
    order(all, m, results);
    suite_run_options run = {.command = command,
                             .data = all->data,
                             .limit = all->limit > 0 ? all->limit : 20,
                             .jobs = all->jobs,
                             .once = true,
                             .progress = go_on};
    bool ran = suite_run(&run, results, all->n_cases, ended, sizeof ended, error, sizeof error);
    if (ran) {
        const suite_result *by = killer(results, all->n_cases);
        fate f = fate_of(m, by);
        tell(all, m, by, f);
        record(x, m, by, f);
    }
    suite_results_free(results, all->n_cases);
    return ran ? CLI_OK : cli_error(COMMAND, "%s: %s", m->id, error);
}

/* Runs `build` with words behind it; its output in *text (free it). False: a message was shown. */
static bool builder(const conform_mutants *all, const char *words, char **text) {
    char part[4096], *command = NULL;
    size_t n, size;
    FILE *line = open_memstream(&command, &size), *memory = open_memstream(text, &size);
    if (line)
        fprintf(line, "IBAKELAB_BUILD='%s' '%s/conformance/mutants/build' %s", all->build, all->data, words);
    if (line)
        fclose(line);
    FILE *pipe = command && memory ? popen(command, "r") : NULL;
    while (pipe && (n = fread(part, 1, sizeof part, pipe)) > 0)
        fwrite(part, 1, n, memory);
    if (memory)
        fclose(memory);
    int status = pipe ? pclose(pipe) : -1;
    free(command);
    if (status == 0)
        return true;
    cli_error(COMMAND, "conformance/mutants/build %.60s failed", words);
    free(*text);
    *text = NULL;
    return false;
}

static bool wanted(const conform_mutants *all, const mutant *m) {
    return !all->glob || fnmatch(all->glob, m->id, 0) == 0;
}

/* Builds the variants that are wanted: their IDs, since a name of none would mean all. */
static bool build_wanted(const conform_mutants *all, const char *list) {
    char *copy = strdup(list), *ids = NULL, *built = NULL, *rest = NULL;
    size_t size, n = 0;
    FILE *words = open_memstream(&ids, &size);
    for (char *line = copy ? strtok_r(copy, "\n", &rest) : NULL; line; line = strtok_r(NULL, "\n", &rest)) {
        mutant m;
        if (words && split(line, &m) && wanted(all, &m))
            n += fprintf(words, " %s", m.id) > 0;
    }
    if (words)
        fclose(words);
    bool good = words && copy && (n == 0 || builder(all, ids, &built));
    free(built);
    free(ids);
    free(copy);
    return good;
}

static void matrix_begin(matrix *x, const conform_mutants *all) {
    char timestamp[20];
    *x = (matrix){.rows = json_array()};
    model_begin(&x->model, "mutants", "Mutants of our implementation", all->glob ? all->glob : "*");
    model_version(&x->model, "ibakelab", IBAKELAB_VERSION);
    model_timestamp(timestamp);
    model_set(&x->model, "timestamp", jb_text(timestamp));
}

/* The result, if it is wanted and there is one. */
static ibk_err matrix_end(matrix *x, const conform_mutants *all, double seconds, json_t **result) {
    result_model *m = &x->model;
    json_t *tally = json_object();
    for (fate f = KILLED; f < FATES; f++) {
        jb_set(tally, FATE[f].name, jb_count(x->tally[f]), &m->ok);
        model_measure(m, FATE[f].name, (double)x->tally[f], "mutants");
    }
    model_measure(m, "named", (double)x->named, "mutants");
    model_measure(m, "mutants", (double)x->n, "mutants");
    model_measure(m, "wall-time", seconds, "s");
    model_set(m, "seconds", json_real(seconds));
    model_set(m, "cases", jb_count(all->n_cases));
    model_set(m, "tally", tally);
    model_set(m, "mutants", json_incref(x->rows));
    ibk_err err = result && x->n > 0 ? model_json(m, result) : IBK_OK;
    json_decref(x->rows);
    model_free(m);
    return err;
}

int conform_mutants_run(const conform_mutants *all, json_t **result) {
    char *list = NULL, *rest = NULL;
    if (!builder(all, "--list", &list))
        return CLI_BAD;
    if (!build_wanted(all, list)) {
        free(list);
        return CLI_BAD;
    }
    matrix x;
    matrix_begin(&x, all);
    double begin = suite_clock();
    int status = CLI_OK;
    for (char *line = strtok_r(list, "\n", &rest); line && !status; line = strtok_r(NULL, "\n", &rest)) {
        mutant m;
        if (split(line, &m) && wanted(all, &m))
            status = judge(all, &m, &x);
    }
    free(list);
    ibk_err err = matrix_end(&x, all, suite_clock() - begin, status ? NULL : result);
    if (err)
        return cli_fail(COMMAND, "the result", err, NULL);
    if (status)
        return status;
    fprintf(all->out,
            "%zu mutants: %zu killed (%zu by a case of another requirement; the first failure of %zu names "
            "what is "
            "broken), %zu survived, %zu equivalent, %zu not so\n",
            x.n, x.tally[KILLED] + x.tally[ELSEWHERE], x.tally[ELSEWHERE], x.named, x.tally[SURVIVED],
            x.tally[EQUIVALENT], x.tally[NOT_EQUIVALENT]);
    if (x.n == 0)
        return cli_error(COMMAND, "no mutant fits: nothing was judged");
    return x.tally[SURVIVED] || x.tally[NOT_EQUIVALENT] ? CLI_FAILED : CLI_OK;
}
