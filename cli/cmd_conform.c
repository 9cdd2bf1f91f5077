/* ibakelab conform: judges an implementation of MIKEY-IBAKE behind conformance/IUT.md, requirement by
 * requirement. */
#define _GNU_SOURCE /* memrchr */
#include "cli/cli.h"
#include "cli/conform_mutants.h"
#include "cli/report_file.h"
#include "conformance/cases/cases.h"
#include "conformance/suite/baseline.h"
#include "conformance/suite/list.h"
#include "conformance/suite/report.h"
#include "reports/words.h"

#include <errno.h>
#include <fnmatch.h>
#include <getopt.h>
#include <openssl/rand.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define COMMAND "conform"

static const char help_text[] =
    "ibakelab conform judges an implementation of MIKEY-IBAKE, requirement by requirement.\n\n"
    "Usage: ibakelab conform [OPTIONS]\n\n"
    "The implementation sits behind a program that obeys conformance/IUT.md; without --iut it is our own.\n\n"
    "Options:\n"
    "  --iut CMD          how to start that program (by the shell); default: ibakelab iut\n"
    "  --role ROLE        only cases for initiator, responder, mailbox, kms, user or parser; may stand "
    "several times\n"
    "  --level LEVEL      must, should, or profile (default): only cases of requirements of that level and "
    "above\n"
    "  --filter GLOB      only cases whose names match, 'deviation/r-message-1/*'; may stand several times\n"
    "  --strength N       1, 2 (default) or 3: how many values are combined with each other; 3 adds size "
    "7680\n"
    "  --list             tell the cases and the requirements that each tests, and play none\n"
    "  --jobs N           cases at once; default: the number of processors\n"
    "  --timeout SECONDS  for an answer; default: 10, with parameters of 7680 bits and more 300\n"
    "  --json F           write the result; 'ibakelab report' makes every other format of it "
    "(docs/results.md)\n"
    "  --junit F, --tap F the same as reports at once; '-' is standard output\n"
    "  --baseline F       failures that are known (docs/conformance.md)\n"
    "  --update-baseline  write today's failures into that file\n"
    "  --keep DIR         leave transcript, capture and key log of every case that was played\n"
    "  --mutants[=GLOB]   let the suite judge broken variants of our own implementation, and print which "
    "case finds which\n"
    "  --data DIR         the folder with conformance/requirements and data/ibe-params\n"
    "  --quiet            tell the end alone\n"
    "  --verbose          tell every case\n\n"
    "Exit status: 0 if something was played and every verdict is what the baseline says (without one: no "
    "failure),\n"
    "1 if not, 2 for wrong usage, an adapter that is refused as dishonest, or a filter that nothing matches, "
    "3 for a\n"
    "defect of ibakelab.\n";

enum { FILTERS_MAX = 32 };

typedef struct conform {
    const char *iut, *level, *junit, *json, *tap, *baseline, *keep, *data;
    const char *filters[FILTERS_MAX], *roles[FILTERS_MAX];
    size_t n_filters, n_roles;
    uint64_t strength, jobs, timeout;
    const char *mutants; /* their glob */
    bool list, update, quiet, verbose;
    char self[4200];
    suite_list *cases;
    cr_set *requirements;
    suite_result *results;
    size_t n, complaints;
    json_t *hello;
    char *complaint; /* all complaints of the baseline and about how adapters ended, one a line */
    size_t complaint_size;
    FILE *complaining; /* writes them there */
    FILE *out;         /* for people: standard error where a report goes to standard output */
} conform;

/* ---- options ---- */

enum {
    OPT_IUT = 256,
    OPT_ROLE,
    OPT_LEVEL,
    OPT_FILTER,
    OPT_STRENGTH,
    OPT_LIST,
    OPT_JOBS,
    OPT_TIMEOUT,
    OPT_JUNIT,
    OPT_JSON,
    OPT_TAP,
    OPT_BASELINE,
    OPT_UPDATE,
    OPT_KEEP,
    OPT_DATA,
    OPT_QUIET,
    OPT_VERBOSE,
    OPT_MUTANTS
};

static const struct option options[] = {{"iut", required_argument, NULL, OPT_IUT},
                                        {"role", required_argument, NULL, OPT_ROLE},
                                        {"level", required_argument, NULL, OPT_LEVEL},
                                        {"filter", required_argument, NULL, OPT_FILTER},
                                        {"strength", required_argument, NULL, OPT_STRENGTH},
                                        {"list", no_argument, NULL, OPT_LIST},
                                        {"jobs", required_argument, NULL, OPT_JOBS},
                                        {"timeout", required_argument, NULL, OPT_TIMEOUT},
                                        {"junit", required_argument, NULL, OPT_JUNIT},
                                        {"json", required_argument, NULL, OPT_JSON},
                                        {"tap", required_argument, NULL, OPT_TAP},
                                        {"baseline", required_argument, NULL, OPT_BASELINE},
                                        {"update-baseline", no_argument, NULL, OPT_UPDATE},
                                        {"keep", required_argument, NULL, OPT_KEEP},
                                        {"data", required_argument, NULL, OPT_DATA},
                                        {"quiet", no_argument, NULL, OPT_QUIET},
                                        {"verbose", no_argument, NULL, OPT_VERBOSE},
                                        {"mutants", optional_argument, NULL, OPT_MUTANTS},
                                        {"help", no_argument, NULL, 'h'},
                                        {NULL, 0, NULL, 0}};

static bool one_of(const char *word, const char *const *words, size_t n) {
    for (size_t i = 0; i < n; i++)
        if (strcmp(words[i], word) == 0)
            return true;
    return false;
}

static int take_word(conform *c, int option) {
    static const char *const levels[] = {"must", "should", "profile"};
    static const char *const roles[] = {"initiator", "responder", "mailbox", "kms", "user", "parser"};
    if (option == OPT_LEVEL && !one_of(c->level = optarg, levels, 3))
        return cli_usage(COMMAND, "--level '%s': must, should or profile is wanted", optarg);
    if (option == OPT_ROLE && !one_of(optarg, roles, 6))
        return cli_usage(COMMAND, "--role '%s': initiator, responder, mailbox, kms, user or parser is wanted",
                         optarg);
    if ((option == OPT_ROLE ? c->n_roles : c->n_filters) == FILTERS_MAX)
        return cli_usage(COMMAND, "too many filters");
    if (option == OPT_ROLE)
        c->roles[c->n_roles++] = optarg;
    if (option == OPT_FILTER)
        c->filters[c->n_filters++] = optarg;
    return CLI_OK;
}

static int take_number(conform *c, int option) {
    if (option == OPT_STRENGTH && !cli_number(optarg, 1, 3, &c->strength))
        return cli_usage(COMMAND, "--strength '%s': 1, 2 or 3 is wanted", optarg);
    if (option == OPT_JOBS && !cli_number(optarg, 1, 64, &c->jobs))
        return cli_usage(COMMAND, "--jobs '%s': a number from 1 to 64 is wanted", optarg);
    if (option == OPT_TIMEOUT && !cli_number(optarg, 1, 86400, &c->timeout))
        return cli_usage(COMMAND, "--timeout '%s': seconds from 1 to 86400 are wanted", optarg);
    return CLI_OK;
}

static int take_option(conform *c, int option) {
    switch (option) {
    case OPT_ROLE:
    case OPT_LEVEL:
    case OPT_FILTER:
        return take_word(c, option);
    case OPT_STRENGTH:
    case OPT_JOBS:
    case OPT_TIMEOUT:
        return take_number(c, option);
    case OPT_LIST:
        c->list = true;
        return CLI_OK;
    case OPT_UPDATE:
        c->update = true;
        return CLI_OK;
    case OPT_MUTANTS:
        c->mutants = optarg ? optarg : "*";
        return CLI_OK;
    case OPT_QUIET:
        c->quiet = true;
        return CLI_OK;
    case OPT_VERBOSE:
        c->verbose = true;
        return CLI_OK;
    default:
        break;
    }
    const char **const texts[] = {[0] = &c->iut,
                                  [OPT_JUNIT - OPT_IUT] = &c->junit,
                                  [OPT_JSON - OPT_IUT] = &c->json,
                                  [OPT_TAP - OPT_IUT] = &c->tap,
                                  [OPT_BASELINE - OPT_IUT] = &c->baseline,
                                  [OPT_KEEP - OPT_IUT] = &c->keep,
                                  [OPT_DATA - OPT_IUT] = &c->data};
    if (option < OPT_IUT || option > OPT_DATA)
        return cli_usage(COMMAND, "unknown option");
    *texts[option - OPT_IUT] = optarg;
    return CLI_OK;
}

static int take_options(conform *c, int argc, char **argv, bool *help) {
    int option, status = CLI_OK;
    while (!status && (option = getopt_long(argc, argv, "h", options, NULL)) != -1) {
        if (option == 'h') {
            *help = true;
            return CLI_OK;
        }
        if (option == '?')
            return CLI_BAD;
        status = take_option(c, option);
    }
    if (!status && optind < argc)
        return cli_usage(COMMAND, "it takes options alone, and '%s' is none", argv[optind]);
    if (!status && c->update && !c->baseline)
        return cli_usage(COMMAND, "--update-baseline needs --baseline");
    const char *const reports[] = {c->json, c->junit, c->tap};
    status = status ? status : report_files_check(COMMAND, reports, 3);
    return !status && c->update ? report_files_check(COMMAND, &c->baseline, 1) : status;
}

/* ---- which cases ---- */

static bool level_fits(const conform *c, const suite_case *k) {
    cr_level highest = strcmp(c->level, "must") == 0     ? CR_MUST
                       : strcmp(c->level, "should") == 0 ? CR_SHOULD
                                                         : CR_PROFILE;
    if (highest == CR_PROFILE)
        return true;
    for (const char *at = k->requirements; *at; at += strcspn(at, " "), at += *at == ' ') {
        char id[32];
        snprintf(id, sizeof id, "%.*s", (int)strcspn(at, " "), at);
        const cr_requirement *q = cr_find(c->requirements, id);
        if (q && q->level <= highest)
            return true;
    }
    return false;
}

static bool role_fits(const conform *c, const suite_case *k) {
    for (size_t i = 0; i < c->n_roles; i++) {
        const char *at = strstr(k->wants, "roles:");
        size_t len = at ? strcspn(at, " ") : 0;
        const char *found = at ? strstr(at, c->roles[i]) : NULL;
        if (found && found < at + len)
            return true;
    }
    return c->n_roles == 0;
}

static bool chosen(const conform *c, const suite_case *k) {
    bool matches = c->n_filters == 0;
    for (size_t i = 0; i < c->n_filters && !matches; i++)
        matches = fnmatch(c->filters[i], k->name, 0) == 0;
    return matches && level_fits(c, k) && role_fits(c, k);
}

static int choose(conform *c) {
    size_t all = suite_list_count(c->cases);
    c->results = calloc(all ? all : 1, sizeof *c->results);
    if (!c->results)
        return cli_fail(COMMAND, "cases", IBK_ERR_NO_MEMORY, NULL);
    for (size_t i = 0; i < all; i++)
        if (chosen(c, suite_list_at(c->cases, i)))
            c->results[c->n++].c = suite_list_at(c->cases, i);
    return c->n > 0 ? CLI_OK
                    : cli_error(COMMAND, "no case fits --filter, --role and --level: nothing was judged");
}

static int load(conform *c) {
    char path[4200], error[512];
    snprintf(path, sizeof path, "%s/conformance/requirements", c->data);
    c->requirements = cr_load(path, error, sizeof error);
    if (!c->requirements)
        return cli_error(COMMAND, "%s", error);
    c->cases = suite_list_new((unsigned)c->strength);
    if (!c->cases)
        return cli_fail(COMMAND, "cases", IBK_ERR_NO_MEMORY, NULL);
    cases_all(c->cases);
    const char *trouble = suite_list_trouble(c->cases);
    if (trouble) {
        cli_error(COMMAND, "%s", trouble);
        return CLI_INTERNAL;
    }
    return choose(c);
}

/* ---- playing ---- */

static bool progress(void *user, const suite_result *r) {
    const conform *c = user;
    suite_verdict v = r->outcome.verdict;
    if (c->verbose || (!c->quiet && suite_failed(v))) {
        fprintf(c->out, "%-16s %s\n", suite_verdict_name(v), r->c->name);
        fflush(c->out);
    }
    return true;
}

static int probe(conform *c, suite_worker *worker) {
    uint8_t octets[6];
    char word[16] = "q", why[600], how[256];
    if (RAND_bytes(octets, sizeof octets) != 1)
        return cli_fail(COMMAND, "the probe", IBK_ERR_RANDOM, NULL);
    for (size_t i = 0; i < sizeof octets; i++)
        snprintf(word + 1 + 2 * i, 3, "%02x", octets[i]);
    bool good = suite_worker_probe(worker, word, why, sizeof why);
    suite_worker_stop(worker, how, sizeof how);
    c->hello = worker->hello;
    return good ? CLI_OK : cli_error(COMMAND, "the adapter is refused, and nothing is judged: %s", why);
}

static void note(conform *c, const char *of, const char *text) {
    fprintf(c->out, "%s: %s\n", of, text);
    if (c->complaining)
        fprintf(c->complaining, "%s: %s\n", of, text);
}

static void complain(void *user, const char *text) {
    note(user, "baseline", text);
}

/* "2026-11-24", UTC, so many seconds from now. */
static void date_in(char out[16], long later) {
    time_t then = time(NULL) + later;
    struct tm tm;
    gmtime_r(&then, &tm);
    strftime(out, 16, "%Y-%m-%d", &tm);
}

static int hold_against_baseline(conform *c) {
    suite_baseline baseline = {0};
    char error[600], date[16], later[16];
    bool fresh = c->update && access(c->baseline, F_OK) != 0;
    if (c->baseline && !fresh && !suite_baseline_load(&baseline, c->baseline, error, sizeof error)) {
        suite_baseline_free(&baseline);
        return cli_error(COMMAND, "%s", error);
    }
    date_in(date, 0);
    date_in(later, 30L * 86400);
    int status = CLI_OK;
    if (c->update) {
        const char *owner = getenv("USER");
        if (!suite_baseline_write(&baseline, c->results, c->n, c->baseline,
                                  owner && *owner ? owner : "nobody yet", later))
            status = cli_error(COMMAND, "%s: %s", c->baseline, strerror(errno));
        suite_baseline_free(&baseline);
        if (status || !suite_baseline_load(&baseline, c->baseline, error, sizeof error))
            return status ? status : cli_error(COMMAND, "%s", error);
    }
    c->complaints += suite_baseline_judge(&baseline, c->cases, c->results, c->n, date, complain, c);
    suite_baseline_free(&baseline);
    return status;
}

/* ---- reports ---- */

/* Takes `result` over. */
static int write_reports(const conform *c, json_t *result) {
    report_item item;
    char error[400];
    ibk_diag diag = {0};
    ibk_err err = report_take(&item, result, error, sizeof error);
    if (err) {
        cli_error(COMMAND, "the result is not as it should be: %s", error);
        return CLI_INTERNAL;
    }
    int status = CLI_OK;
    if (c->json && (err = jb_write(item.result, c->json, &diag)) != IBK_OK)
        status = cli_fail(COMMAND, "--json", err, &diag);
    status = status ? status : report_file(COMMAND, c->junit, report_write_junit, &item, 1);
    status = status ? status : report_file(COMMAND, c->tap, report_write_tap, &item, 1);
    report_item_free(&item);
    return status;
}

static bool wants_reports(const conform *c) {
    return c->json || c->junit || c->tap;
}

static int keep_all(const conform *c, const suite_summary *s) {
    if (!c->keep)
        return CLI_OK;
    for (size_t i = 0; i < c->n; i++)
        if (c->results[i].outcome.verdict != SUITE_SKIPPED && !suite_keep(c->keep, s, &c->results[i]))
            return cli_error(COMMAND, "%s: %s: %s", c->keep, c->results[i].c->name, strerror(errno));
    return CLI_OK;
}

/* What came back is the adapter's, which may be anybody's. */
static void tell_failure(const conform *c, const suite_summary *s, const suite_result *r) {
    char *text = NULL;
    size_t len = 0;
    FILE *memory = open_memstream(&text, &len);
    if (memory) {
        suite_report_failure(memory, s, r, "  ");
        fclose(memory);
    }
    fprintf(c->out, "\n%s  %s\n", suite_verdict_name(r->outcome.verdict), r->c->name);
    words_show(c->out, text ? text : "", len, "\n\t");
    free(text);
}

static size_t tell(const conform *c, const suite_summary *s) {
    size_t unexpected = 0;
    for (size_t i = 0; i < c->n; i++) {
        const suite_result *r = &c->results[i];
        if (!suite_failed(r->outcome.verdict) || r->expected)
            continue;
        unexpected++;
        if (!c->quiet)
            tell_failure(c, s, r);
    }
    suite_report_totals(c->out, s);
    return unexpected;
}

static int report(conform *c, const char *timestamp, double seconds) {
    fflush(c->complaining);
    suite_summary s = {c->results, c->n,    c->requirements, c->iut,      c->hello,
                       timestamp,  seconds, c->complaints,   c->complaint};
    size_t unexpected = tell(c, &s), played = 0;
    for (size_t i = 0; i < c->n; i++)
        played += c->results[i].outcome.verdict != SUITE_SKIPPED;
    json_t *result = NULL;
    ibk_err err = wants_reports(c) ? suite_result_json(&result, &s) : IBK_OK;
    int status = err      ? cli_fail(COMMAND, "the result", err, NULL)
                 : result ? write_reports(c, result)
                          : CLI_OK;
    status = status ? status : keep_all(c, &s);
    if (status)
        return status;
    if (played == 0)
        return cli_error(COMMAND, "every case was skipped: nothing was judged");
    return unexpected || c->complaints ? CLI_FAILED : CLI_OK;
}

static int play(conform *c) {
    char timestamp[20], ended[256], error[256];
    if (c->keep && mkdir(c->keep, 0777) != 0 && errno != EEXIST)
        return cli_error(COMMAND, "%s: %s", c->keep, strerror(errno));
    suite_worker prober = {.command = c->iut, .data = c->data, .limit = (double)c->timeout};
    int status = probe(c, &prober);
    if (status)
        return status;
    model_timestamp(timestamp);
    c->complaining = open_memstream(&c->complaint, &c->complaint_size);
    if (!c->complaining)
        return cli_fail(COMMAND, "memory", IBK_ERR_NO_MEMORY, NULL);
    double begin = suite_clock();
    suite_run_options run = {.command = c->iut,
                             .data = c->data,
                             .limit = (double)c->timeout,
                             .jobs = (unsigned)c->jobs,
                             .progress = progress,
                             .user = c};
    if (!suite_run(&run, c->results, c->n, ended, sizeof ended, error, sizeof error)) {
        cli_error(COMMAND, "%s", error);
        return CLI_INTERNAL;
    }
    double seconds = suite_clock() - begin;
    if (*ended) {
        c->complaints++;
        note(c, "crash", ended);
    }
    status = hold_against_baseline(c);
    return status ? status : report(c, timestamp, seconds);
}

/* The broken variants are linked with the objects of the build that this program is of. */
static int judge_mutants(const conform *c) {
    char build[4096];
    ssize_t n = readlink("/proc/self/exe", build, sizeof build - 1);
    char *slash = n > 0 ? memrchr(build, '/', (size_t)n) : NULL;
    const suite_case **cases = calloc(c->n, sizeof *cases);
    if (!slash || !cases) {
        free(cases);
        return cli_fail(COMMAND, "--mutants", IBK_ERR_NO_MEMORY, NULL);
    }
    *slash = '\0';
    for (size_t i = 0; i < c->n; i++)
        cases[i] = c->results[i].c;
    conform_mutants m = {c->data, build, c->mutants, cases, c->n, (unsigned)c->jobs, (double)c->timeout,
                         c->out};
    json_t *result = NULL;
    int status = conform_mutants_run(&m, wants_reports(c) ? &result : NULL);
    free(cases);
    int written = result ? write_reports(c, result) : CLI_OK;
    return written ? written : status;
}

static void list(const conform *c) {
    for (size_t i = 0; i < c->n; i++)
        printf("%s %s\n", c->results[i].c->name, c->results[i].c->requirements);
}

/* Our own adapter: this very program. */
static const char *own_adapter(conform *c) {
    char path[4096];
    ssize_t n = readlink("/proc/self/exe", path, sizeof path - 1);
    if (n <= 0)
        return "ibakelab iut";
    path[n] = '\0';
    snprintf(c->self, sizeof c->self, "exec \"%s\" iut", path);
    return c->self;
}

int cmd_conform_main(int argc, char **argv) {
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    conform c = {.level = "profile",
                 .strength = 2,
                 .jobs = processors > 0 && processors <= 64 ? (uint64_t)processors : 2};
    const char *data = getenv("IBAKELAB_DATA");
    c.data = data && *data ? data : IBAKELAB_DATA_DIR;
    bool help = false;
    int status = take_options(&c, argc, argv, &help);
    if (status)
        return status;
    if (help) {
        fputs(help_text, stdout);
        return cli_finish(COMMAND, CLI_OK);
    }
    signal(SIGPIPE, SIG_IGN);
    const char *const reports[] = {c.junit, c.json, c.tap};
    c.out = stdout;
    for (size_t i = 0; i < 3; i++)
        if (reports[i] && strcmp(reports[i], "-") == 0)
            c.out = stderr;
    if (!c.iut)
        c.iut = own_adapter(&c);
    status = load(&c);
    if (!status && c.list)
        list(&c);
    else if (!status && c.mutants)
        status = judge_mutants(&c);
    else if (!status)
        status = play(&c);
    suite_results_free(c.results, c.n);
    suite_list_free(c.cases);
    cr_free(c.requirements);
    json_decref(c.hello);
    if (c.complaining)
        fclose(c.complaining);
    free(c.complaint);
    return cli_finish(COMMAND, status);
}
