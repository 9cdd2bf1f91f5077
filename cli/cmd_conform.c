/* ibakelab conform: judges an implementation of MIKEY-IBAKE behind conformance/IUT.md, requirement by
 * requirement. */
#define _GNU_SOURCE /* memrchr */
#include "cli/cli.h"
#include "cli/conform_choice.h"
#include "cli/conform_mutants.h"
#include "cli/conform_options.h"
#include "cli/conform_verdict.h"
#include "conformance/suite/baseline.h"

#include <errno.h>
#include <openssl/rand.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define COMMAND CONFORM_COMMAND

/* ---- playing ---- */

static bool progress(void *user, const suite_result *r) {
    const conform_verdict *v = user;
    suite_verdict verdict = r->outcome.verdict;
    if (v->options->verbose || (!v->options->quiet && suite_failed(verdict))) {
        fprintf(v->out, "%-16s %s\n", suite_verdict_name(verdict), r->c->name);
        fflush(v->out);
    }
    return true;
}

/* Is the adapter honest? What it says of itself in *hello, which the caller owns. */
static int probe(const conform_options *o, const char *iut, json_t **hello) {
    suite_worker worker = {.command = iut, .data = o->data, .limit = (double)o->timeout};
    uint8_t octets[6];
    char word[16] = "q", why[600], how[256];
    if (RAND_bytes(octets, sizeof octets) != 1)
        return cli_fail(COMMAND, "the probe", IBK_ERR_RANDOM, NULL);
    for (size_t i = 0; i < sizeof octets; i++)
        snprintf(word + 1 + 2 * i, 3, "%02x", octets[i]);
    bool good = suite_worker_probe(&worker, word, why, sizeof why);
    suite_worker_stop(&worker, how, sizeof how);
    *hello = worker.hello;
    return good ? CLI_OK : cli_error(COMMAND, "the adapter is refused, and nothing is judged: %s", why);
}

static int run_all(conform_verdict *v) {
    const conform_options *o = v->options;
    char ended[256], error[256];
    double begin = suite_clock();
    suite_run_options run = {.command = v->iut,
                             .data = o->data,
                             .limit = (double)o->timeout,
                             .jobs = (unsigned)o->jobs,
                             .progress = progress,
                             .user = v};
    if (!suite_run(&run, v->choice->results, v->choice->n, ended, sizeof ended, error, sizeof error)) {
        cli_error(COMMAND, "%s", error);
        return CLI_INTERNAL;
    }
    v->seconds = suite_clock() - begin;
    if (*ended)
        conform_complain(v, "crash", ended);
    return CLI_OK;
}

static int play(const conform_options *o, const conform_choice *choice, const char *iut, FILE *out) {
    if (o->keep && mkdir(o->keep, 0777) != 0 && errno != EEXIST)
        return cli_error(COMMAND, "%s: %s", o->keep, strerror(errno));
    json_t *hello = NULL;
    int status = probe(o, iut, &hello);
    conform_verdict v = {.options = o, .choice = choice, .iut = iut, .hello = hello, .out = out};
    if (!status && !conform_verdict_begin(&v))
        status = cli_fail(COMMAND, "memory", IBK_ERR_NO_MEMORY, NULL);
    status = status ? status : run_all(&v);
    status = status ? status : conform_verdict_give(&v);
    conform_verdict_free(&v);
    json_decref(hello);
    return status;
}

/* ---- mutants ---- */

/* The broken variants are linked with the objects of the build that this program is of. */
static int judge_mutants(const conform_options *o, const conform_choice *choice, FILE *out) {
    char build[4096];
    ssize_t n = readlink("/proc/self/exe", build, sizeof build - 1);
    char *slash = n > 0 ? memrchr(build, '/', (size_t)n) : NULL;
    const suite_case **cases = calloc(choice->n, sizeof *cases);
    if (!slash || !cases) {
        free(cases);
        return cli_fail(COMMAND, "--mutants", IBK_ERR_NO_MEMORY, NULL);
    }
    *slash = '\0';
    for (size_t i = 0; i < choice->n; i++)
        cases[i] = choice->results[i].c;
    conform_mutants m = {o->data, build, o->mutants, cases, choice->n, (unsigned)o->jobs, (double)o->timeout,
                         out};
    json_t *result = NULL;
    int status = conform_mutants_run(&m, conform_wants_reports(o) ? &result : NULL);
    free(cases);
    int written = result ? conform_write_reports(o, result) : CLI_OK;
    return written ? written : status;
}

/* ---- the command ---- */

static void list(const conform_choice *choice) {
    for (size_t i = 0; i < choice->n; i++)
        printf("%s %s\n", choice->results[i].c->name, choice->results[i].c->requirements);
}

/* Our own adapter: this very program. */
static const char *own_adapter(char *out, size_t size) {
    char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    if (n <= 0)
        return "ibakelab iut";
    path[n] = '\0';
    snprintf(out, size, "exec \"%s\" iut", path);
    return out;
}

int cmd_conform_main(int argc, char **argv) {
    conform_options o;
    conform_choice choice;
    char self[4200];
    bool help;
    int status = conform_options_take(&o, argc, argv, &help);
    if (status || help)
        return cli_finish(COMMAND, status);
    signal(SIGPIPE, SIG_IGN);
    FILE *out = conform_options_piped(&o) ? stderr : stdout; /* for people */
    status = conform_choose(&choice, &o);
    if (!status && o.list)
        list(&choice);
    else if (!status && o.mutants)
        status = judge_mutants(&o, &choice, out);
    else if (!status)
        status = play(&o, &choice, o.iut ? o.iut : own_adapter(self, sizeof self), out);
    conform_choice_free(&choice);
    return cli_finish(COMMAND, status);
}
