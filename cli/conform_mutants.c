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

typedef struct tally {
    size_t killed, elsewhere, survived, excused, wrong;
} tally;

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

/* One row of the matrix. */
static void tell(const conform_mutants *all, const mutant *m, const suite_result *by, tally *t) {
    bool excused = strcmp(m->excuse, "-") != 0;
    const char *requirement = by && by->outcome.requirement ? by->outcome.requirement : "";
    bool named = by && (listed(m->breaks, requirement, strlen(requirement)) || concerns(by->c, m));
    const char *word = by && excused  ? "not equivalent"
                       : by && !named ? "elsewhere"
                       : by           ? "killed"
                       : excused      ? "equivalent"
                                      : "SURVIVED";
    t->killed += by && !excused;
    t->elsewhere += by && !excused && !named;
    t->wrong += by && excused;
    t->excused += !by && excused;
    t->survived += !by && !excused;
    fprintf(all->out, "%-14s %-40s breaks %-24s ", word, m->id, m->breaks);
    if (by)
        fprintf(all->out, "%s in %s%s%s\n", suite_verdict_name(by->outcome.verdict), by->c->name,
                *requirement ? ": " : "", requirement);
    else
        fprintf(all->out, "(%s)\n", excused ? m->excuse : m->text);
    fflush(all->out);
}

static int judge(const conform_mutants *all, const mutant *m, tally *t) {
    char command[4400], ended[256], error[256];
    snprintf(command, sizeof command, "exec '%s/mutants/%s/ibake-iut'", all->build, m->id);
    suite_result *results = calloc(all->n_cases, sizeof *results);
    if (!results)
        return cli_fail(COMMAND, m->id, IBK_ERR_NO_MEMORY, NULL);
    order(all, m, results);
    suite_run_options run = {.command = command,
                             .data = all->data,
                             .limit = all->limit > 0 ? all->limit : 5,
                             .jobs = all->jobs,
                             .once = true,
                             .progress = go_on};
    bool ran = suite_run(&run, results, all->n_cases, ended, sizeof ended, error, sizeof error);
    if (ran)
        tell(all, m, killer(results, all->n_cases), t);
    suite_results_free(results, all->n_cases);
    return ran ? CLI_OK : cli_error(COMMAND, "%s: %s", m->id, error);
}

/* Runs `build` with arguments; its output in *text (free it). False: a message was shown. */
static bool builder(const conform_mutants *all, const char *arguments, char **text) {
    char command[9000], part[4096];
    size_t n, size;
    snprintf(command, sizeof command, "IBAKELAB_BUILD='%s' '%s/conformance/mutants/build' %s", all->build,
             all->data, arguments);
    FILE *pipe = popen(command, "r"), *memory = open_memstream(text, &size);
    while (pipe && memory && (n = fread(part, 1, sizeof part, pipe)) > 0)
        fwrite(part, 1, n, memory);
    if (memory)
        fclose(memory);
    int status = pipe ? pclose(pipe) : -1;
    if (status == 0)
        return true;
    cli_error(COMMAND, "conformance/mutants/build %s failed", arguments);
    free(*text);
    return false;
}

int conform_mutants_run(const conform_mutants *all) {
    char *list = NULL, *built = NULL, *rest = NULL;
    if (!builder(all, "--list", &list))
        return CLI_BAD;
    if (!builder(all, "", &built)) {
        free(list);
        return CLI_BAD;
    }
    free(built);
    tally t = {0};
    int status = CLI_OK;
    for (char *line = strtok_r(list, "\n", &rest); line && !status; line = strtok_r(NULL, "\n", &rest)) {
        mutant m;
        if (split(line, &m) && (!all->glob || fnmatch(all->glob, m.id, 0) == 0))
            status = judge(all, &m, &t);
    }
    free(list);
    if (status)
        return status;
    size_t n = t.killed + t.survived + t.excused + t.wrong;
    fprintf(all->out,
            "%zu mutants: %zu killed (%zu by a case of another requirement), %zu survived, %zu equivalent, "
            "%zu not so\n",
            n, t.killed, t.elsewhere, t.survived, t.excused, t.wrong);
    if (n == 0)
        return cli_error(COMMAND, "no mutant fits: nothing was judged");
    return t.survived || t.wrong ? CLI_FAILED : CLI_OK;
}
