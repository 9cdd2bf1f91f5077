/* ibakelab run: plays scenarios and judges them. */
#include "cli/children.h"
#include "cli/scenario_options.h"
#include "reports/ladder_view.h"
#include "run/run.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define COMMAND      "run"
#define EVENTS_SHOWN 200000 /* kept in memory for the ladder; a call has about a hundred */
#define CALLS_SHOWN  10
enum { MAX_JOBS = 256, PATH_LEN = 4096 };

static const char help_text[] =
    "Usage: ibakelab run FILE… [--out DIR] [--seed N] [--set path=value]… [--keylog] [--jobs N] [--quiet]\n"
    "\n"
    "Plays each scenario in virtual time, judges what it expects, and writes what happened.\n"
    "\n"
    "  --out DIR         where the results go. One FILE: into DIR; several: into DIR/<scenario>.\n"
    "                    Default: out/<scenario>\n"
    "  --seed N          another seed: other keys, another course. The same seed gives the same bytes\n"
    "  --set path=value  overrides a key of the file, as often as you like: links.access.loss='5 %',\n"
    "                    calls.0.at='2 s', users.alice.register=false\n"
    "  --keylog          writes DIR/keys.log, with which others can check and decrypt the captures\n"
    "  --jobs N          several FILEs: that many at a time, each in a process of its own; default 1\n"
    "  --quiet           a line for each scenario instead of table and ladder\n"
    "\n"
    "In DIR: result.json (the verdict, each expectation, each call), events.jsonl (every message and\n"
    "state change), capture/<link>.pcap and capture/all.pcap (what passed the core, each packet once),\n"
    "scenario.resolved.yaml (with every default), keys.log.\n"
    "\n"
    "Examples:\n"
    "  ibakelab run scenarios/basic/first-call.yaml --keylog\n"
    "  ibakelab run scenarios/basic/first-call-80.yaml --seed 7 --set links.access.loss='10 %'\n"
    "  ibakelab run scenarios/basic/*.yaml --jobs 2 --quiet\n"
    "\n"
    "Exit status: 0 every expectation held, 1 one did not, 2 a file or option is wrong, 3 internal.\n";

typedef struct options {
    scenario_options scenario;
    const char *out;
    bool keylog, quiet;
    uint64_t jobs;
} options;

static int worst(int a, int b) {
    return a > b ? a : b;
}

static int out_dir(char out[PATH_LEN], const options *o, const char *path, bool several) {
    char name[256];
    int len;
    scenario_options_name(name, sizeof name, path);
    if (o->out && !several)
        len = snprintf(out, PATH_LEN, "%s", o->out);
    else
        len = snprintf(out, PATH_LEN, "%s/%s", o->out ? o->out : "out", name);
    return len < 0 || len >= PATH_LEN ? cli_error(COMMAND, "the output path for %s is too long", path)
                                      : CLI_OK;
}

static void show_progress(void *user, uint64_t virtual_ns) {
    progress_update(user, virtual_ns);
}

/* The first call, with what others began about it. */
static void show_ladder(const term *t, const run_outcome *outcome, const char *title) {
    conversations c;
    ladder_options shown = {.title = title};
    if (conversations_begin(&c, &outcome->result) == IBK_OK) {
        for (size_t i = 0; i < trace_memory_count(outcome->events); i++)
            conversations_event(&c, trace_memory_at(outcome->events, i));
        ladder_options_of(&shown, &c, 0);
        report_ladder(t, outcome->events, &shown);
    }
    conversations_end(&c);
}

static void show_outcome(const options *o, const run_outcome *outcome, const char *path, const char *dir) {
    term t;
    term_probe(&t, stdout);
    const result *r = &outcome->result;
    if (o->quiet) {
        printf("%s: %s\n", path, result_verdict_name(r->verdict));
        for (size_t i = 0; i < r->expectation_count; i++)
            if (!r->expectations[i].held) {
                printf("  %s:%u: %s", r->expectations[i].file, r->expectations[i].line,
                       r->expectations[i].text);
                term_text(&t, ": ", r->expectations[i].observed ? r->expectations[i].observed : "-", "\n");
            }
        return;
    }
    report_table(&t, r, CALLS_SHOWN, false);
    if (r->call_count > 0 && r->calls[0]->call_id) {
        char title[300];
        ladder_title(title, sizeof title, r, 0);
        putchar('\n');
        show_ladder(&t, outcome, title);
    }
    printf("\nWritten to %s\n", dir);
}

static int run_one(const options *o, const char *path, bool several) {
    char dir[PATH_LEN];
    scn_scenario *scenario;
    int status = out_dir(dir, o, path, several);
    if (!status)
        status = scenario_options_load(&o->scenario, COMMAND, path, &scenario);
    if (status)
        return status;
    progress bar = {0};
    if (!o->quiet && !several)
        progress_begin(&bar, stderr, scenario->title, scenario->time_limit_ns);
    run_options run = {.out_dir = dir,
                       .keylog = o->keylog,
                       .progress = show_progress,
                       .user = &bar,
                       .max_events = o->quiet ? 0 : EVENTS_SHOWN};
    run_outcome outcome;
    ibk_diag diag;
    ibk_err err = run_scenario(&outcome, scenario, &run, &diag);
    progress_end(&bar);
    if (err) {
        status = cli_fail(COMMAND, path, err, &diag);
    } else {
        show_outcome(o, &outcome, path, dir);
        status = outcome.result.verdict == RESULT_PASS ? CLI_OK : CLI_FAILED;
    }
    run_outcome_free(&outcome);
    scn_free(scenario);
    return status;
}

/* ---- several files: a process each, output in the order of the files
 * ------------------------------------------ */

typedef struct job {
    FILE *output; /* what it printed; NULL: it has not ended */
    int status;
} job;

typedef struct batch {
    const options *o;
    char **files;
} batch;

static int run_job(void *user, size_t index, FILE *output) {
    const batch *b = user;
    dup2(fileno(output), STDOUT_FILENO);
    dup2(fileno(output), STDERR_FILENO);
    return run_one(b->o, b->files[index], true);
}

static void note_end(job *jobs, const child_end *end) {
    job *j = &jobs[end->index];
    j->output = end->output;
    j->status = WIFEXITED(end->status) ? WEXITSTATUS(end->status) : CLI_INTERNAL;
    if (WIFSIGNALED(end->status))
        cli_error(COMMAND, "a run was ended by signal %d", WTERMSIG(end->status));
}

static void print_output(FILE *output) {
    char text[4096];
    size_t len;
    rewind(output);
    while ((len = fread(text, 1, sizeof text, output)) > 0)
        fwrite(text, 1, len, stdout);
    fclose(output);
    fflush(stdout);
}

/* Runs that share a folder would overwrite each other, at the same time with --jobs. */
static int check_folders(char **files, size_t count) {
    char a[256], b[256];
    for (size_t i = 0; i < count; i++) {
        scenario_options_name(a, sizeof a, files[i]);
        for (size_t j = 0; j < i; j++) {
            scenario_options_name(b, sizeof b, files[j]);
            if (strcmp(a, b) == 0)
                return cli_usage(COMMAND, "%s and %s would both be written to a folder '%s'", files[j],
                                 files[i], a);
        }
    }
    return CLI_OK;
}

static int run_several(const options *o, char **files, size_t count) {
    batch b = {.o = o, .files = files};
    job *jobs = calloc(count, sizeof *jobs);
    children c;
    child_end end;
    if (!jobs || !children_begin(&c, o->jobs)) {
        free(jobs);
        return cli_error(COMMAND, "out of memory"), CLI_INTERNAL;
    }
    int status = CLI_OK, failed = CLI_OK;
    size_t started = 0, printed = 0;
    while (printed < count) {
        while (!failed && started < count && c.running < c.max) {
            if (children_start(&c, started, run_job, &b))
                started++;
            else
                failed = (cli_error(COMMAND, "cannot start a process: %s", strerror(errno)), CLI_INTERNAL);
        }
        if (!children_next(&c, &end, true))
            break;
        note_end(jobs, &end);
        for (; printed < started && jobs[printed].output; printed++) {
            print_output(jobs[printed].output);
            status = worst(status, jobs[printed].status);
        }
    }
    children_end(&c);
    free(jobs);
    return worst(status, printed < count ? CLI_INTERNAL : failed);
}

/* ---- command line
 * ----------------------------------------------------------------------------------------------- */

static int read_options(options *o, int argc, char **argv) {
    static const struct option names[] = {
        {"out", required_argument, NULL, 'o'},  {"seed", required_argument, NULL, 's'},
        {"set", required_argument, NULL, 'S'},  {"keylog", no_argument, NULL, 'k'},
        {"jobs", required_argument, NULL, 'j'}, {"quiet", no_argument, NULL, 'q'},
        {"help", no_argument, NULL, 'h'},       {0}};
    int c, status = CLI_OK;
    *o = (options){.jobs = 1};
    while (!status && (c = getopt_long(argc, argv, "ho:j:q", names, NULL)) != -1) {
        switch (c) {
        case 'o':
            o->out = optarg;
            break;
        case 's':
            status = scenario_options_seed(&o->scenario, COMMAND, optarg);
            break;
        case 'S':
            status = scenario_options_set(&o->scenario, COMMAND, optarg);
            break;
        case 'k':
            o->keylog = true;
            break;
        case 'q':
            o->quiet = true;
            break;
        case 'j':
            if (!cli_number(optarg, 1, MAX_JOBS, &o->jobs))
                status = cli_usage(COMMAND, "--jobs takes a number from 1 to %d, not '%s'", MAX_JOBS, optarg);
            break;
        case 'h':
            fputs(help_text, stdout);
            return -1;
        default:
            status = cli_usage(COMMAND, "see the options");
        }
    }
    if (!status && optind == argc)
        status = cli_usage(COMMAND, "a scenario file is missing");
    return status;
}

int cmd_run_main(int argc, char **argv) {
    options o;
    int status = read_options(&o, argc, argv);
    if (status)
        return status < 0 ? cli_finish(COMMAND, CLI_OK) : status;
    children_allow_many_files();
    size_t count = (size_t)(argc - optind);
    status = check_folders(argv + optind, count);
    if (status)
        return status;
    status = count == 1 ? run_one(&o, argv[optind], false) : run_several(&o, argv + optind, count);
    return cli_finish(COMMAND, status);
}
