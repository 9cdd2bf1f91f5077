/* ibakelab bench sim: whole calls over the simulated network, each measurement in a process of its own. */
#include "cli/bench_sim.h"
#include "cli/bench_result.h"
#include "cli/cli.h"
#include "cli/report_file.h"
#include "run/run.h"

#include <getopt.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define COMMAND "bench sim"

static const char help_text[] =
    "Usage: ibakelab bench sim [--calls N] [--users N] [--parameters 1024|2048|3072] [--quick] [--json F]\n"
    "\n"
    "Plays scenarios made for measuring and prints figures; nothing is judged.\n"
    "\n"
    "  --calls N       calls with cryptography and two seconds of media; default 100\n"
    "  --users N       registered users of the memory measurement; default 1000\n"
    "  --parameters N  size of the KMS's parameters; default 1024\n"
    "  --quick         10 calls and 100 users: a look whether it works\n"
    "  --json F        the figures as a result for 'ibakelab report' (docs/results.md); '-': standard "
    "output, and no "
    "text\n"
    "\n"
    "Wall-clock figures of one process on one core; they vary from machine to machine.\n";

typedef struct settings {
    uint64_t calls, users, parameters;
    bool quick;
    const char *json; /* NULL: not wanted */
} settings;

/* What a child process measured. */
typedef struct figures {
    int status;
    double wall_s;
    uint64_t events, virtual_ns, established;
    long peak_kib;
} figures;

static const char calls_scenario[] = "ibakelab: 1\n"
                                     "title: Benchmark\n"
                                     "domains:\n"
                                     "  - name: home.example\n"
                                     "    kms: {parameters: %llu, issue: current}\n"
                                     "users:\n"
                                     "  - {name: 'caller-{n}', count: %llu, every: 10 ms}\n"
                                     "  - {name: 'callee-{n}', count: %llu, every: 10 ms}\n";
static const char calls_part[] =
    "calls:\n"
    "  - {name: many, from: 'caller-{n}', to: 'callee-{n}', count: %llu, at: %llu ms,\n"
    "     every: 20 ms, duration: 2 s}\n"
    "expect:\n"
    "  calls: {established: all}\n";
static const char no_calls_part[] = "expect:\n"
                                    "  users: {registered: all}\n";

static double wall_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static figures play(const char *yaml) {
    figures f = {.status = CLI_INTERNAL};
    scn_errors errors = {0};
    scn_scenario *scenario;
    run_outcome outcome;
    run_options options = {0};
    ibk_diag diag;
    ibk_err err = scn_load_text(&scenario, &errors, "benchmark.yaml", ibk_span_str(yaml), NULL, 0);
    if (err) {
        scn_errors_print(&errors, stderr, false);
        return f;
    }
    double begun = wall_now();
    err = run_scenario(&outcome, scenario, &options, &diag);
    f.wall_s = wall_now() - begun;
    if (err) {
        f.status = cli_fail(COMMAND, "benchmark", err, &diag);
    } else {
        f.status = outcome.result.verdict == RESULT_PASS ? CLI_OK : CLI_FAILED;
        f.events = outcome.sim_events;
        f.virtual_ns = outcome.result.virtual_ns;
        f.established = result_calls_in_state(&outcome.result, RESULT_CALL_ESTABLISHED);
    }
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    f.peak_kib = usage.ru_maxrss;
    run_outcome_free(&outcome);
    scn_free(scenario);
    return f;
}

/* In a process of its own, so that peak memory is that of this scenario alone. */
static figures measure(const char *yaml) {
    figures f = {.status = CLI_INTERNAL};
    int pipes[2];
    if (pipe(pipes))
        return f;
    fflush(NULL);
    pid_t pid = fork();
    if (pid == 0) {
        figures mine = play(yaml);
        ssize_t written = write(pipes[1], &mine, sizeof mine);
        fflush(NULL);
        _exit(written == (ssize_t)sizeof mine ? 0 : 1);
    }
    close(pipes[1]);
    if (pid > 0 && read(pipes[0], &f, sizeof f) != (ssize_t)sizeof f)
        f.status = CLI_INTERNAL;
    close(pipes[0]);
    if (pid > 0)
        waitpid(pid, NULL, 0);
    return f;
}

static figures measure_calls(const settings *s, uint64_t pairs, bool with_calls) {
    char yaml[2048];
    unsigned long long n = pairs, start_ms = 20 * pairs + 3000;
    int len = snprintf(yaml, sizeof yaml, calls_scenario, (unsigned long long)s->parameters, n, n);
    if (with_calls)
        snprintf(yaml + len, sizeof yaml - (size_t)len, calls_part, n, start_ms);
    else
        snprintf(yaml + len, sizeof yaml - (size_t)len, no_calls_part);
    return measure(yaml);
}

/* What the four measurements come to. */
typedef struct rates {
    double wall_s, idle_s, calls, events, virtual_over_wall, kib_per_ue, peak_mib;
} rates;

static rates rates_of(const settings *s, const figures *calls, const figures *idle, const figures *few,
                      const figures *many) {
    double seconds = calls->wall_s - idle->wall_s;
    uint64_t more = 2 * (s->users / 2) - 2 * (s->users / 20);
    return (rates){.wall_s = calls->wall_s,
                   .idle_s = idle->wall_s,
                   .calls = seconds > 0 ? (double)s->calls / seconds : 0,
                   .events = (double)calls->events / calls->wall_s,
                   .virtual_over_wall = (double)calls->virtual_ns / 1e9 / calls->wall_s,
                   .kib_per_ue = (double)(many->peak_kib - few->peak_kib) / (double)more,
                   .peak_mib = (double)many->peak_kib / 1024};
}

static void tell(const settings *s, const figures *calls, const rates *r) {
    unsigned long long bits = s->parameters / 2; /* of p */
    printf("%llu calls at %llu bits, 2 s of media in both directions\n", (unsigned long long)s->calls, bits);
    printf("  wall time                 %10.2f s   of this %.2f s for registration and keys of %llu users\n",
           r->wall_s, r->idle_s, (unsigned long long)s->calls * 2);
    printf("  calls                     %10.1f /s  (%llu of %llu established)\n", r->calls,
           (unsigned long long)calls->established, (unsigned long long)s->calls);
    printf("  simulator events          %10.0f /s  (%llu in all)\n", r->events,
           (unsigned long long)calls->events);
    printf("  virtual over wall time    %10.2f\n", r->virtual_over_wall);
    printf("%llu registered users with their keys\n", (unsigned long long)s->users);
    printf("  memory a UE               %10.1f KiB (peak %.1f MiB, access link and node included)\n",
           r->kib_per_ue, r->peak_mib);
}

static int record(const settings *s, const figures *calls, const rates *r) {
    result_model m;
    bench_result_begin(&m, "sim", "Whole calls over the simulated network", s->quick);
    model_measure(&m, "calls-per-second", r->calls, "1/s");
    model_measure(&m, "events-per-second", r->events, "1/s");
    model_measure(&m, "virtual-over-wall", r->virtual_over_wall, "ratio");
    model_measure(&m, "wall-time", r->wall_s, "s");
    model_measure(&m, "wall-time-without-calls", r->idle_s, "s");
    model_measure(&m, "memory-per-ue", r->kib_per_ue, "KiB");
    model_measure(&m, "peak-memory", r->peak_mib, "MiB");
    json_t *details = json_object();
    jb_set(details, "calls", jb_count(s->calls), &m.ok);
    jb_set(details, "calls_established", jb_count(calls->established), &m.ok);
    jb_set(details, "users", jb_count(s->users), &m.ok);
    jb_set(details, "parameters", jb_count(s->parameters), &m.ok);
    model_set(&m, "details", details);
    return bench_result_end(&m, COMMAND, s->json);
}

static int run(const settings *s) {
    const figures f[] = {measure_calls(s, s->calls, true), measure_calls(s, s->calls, false),
                         measure_calls(s, s->users / 20, false), measure_calls(s, s->users / 2, false)};
    int status = CLI_OK;
    for (size_t i = 0; i < sizeof f / sizeof *f; i++)
        status = f[i].status > status ? f[i].status : status;
    if (status)
        return status;
    rates r = rates_of(s, &f[0], &f[1], &f[2], &f[3]);
    if (!s->json || strcmp(s->json, "-") != 0)
        tell(s, &f[0], &r);
    return s->json ? record(s, &f[0], &r) : CLI_OK;
}

static int read_options(settings *s, int argc, char **argv) {
    static const struct option names[] = {{"calls", required_argument, NULL, 'c'},
                                          {"users", required_argument, NULL, 'u'},
                                          {"parameters", required_argument, NULL, 'p'},
                                          {"quick", no_argument, NULL, 'q'},
                                          {"json", required_argument, NULL, 'j'},
                                          {"help", no_argument, NULL, 'h'},
                                          {0}};
    int c;
    *s = (settings){.calls = 100, .users = 1000, .parameters = 1024};
    optind = 1;
    while ((c = getopt_long(argc, argv, "h", names, NULL)) != -1) {
        if (c == 'h') {
            fputs(help_text, stdout);
            return -1;
        }
        if (c == 'q')
            s->calls = 10, s->users = 100, s->quick = true;
        else if (c == 'j')
            s->json = optarg;
        else if (c == 'c' && !cli_number(optarg, 1, 5000, &s->calls))
            return cli_usage(COMMAND, "--calls takes a number from 1 to 5000, not '%s'", optarg);
        else if (c == 'u' && !cli_number(optarg, 40, 10000, &s->users))
            return cli_usage(COMMAND, "--users takes a number from 40 to 10000, not '%s'", optarg);
        else if (c == 'p' && (!cli_number(optarg, 1024, 3072, &s->parameters) || s->parameters % 1024 != 0))
            return cli_usage(COMMAND, "--parameters takes 1024, 2048 or 3072, not '%s'", optarg);
        else if (c == '?')
            return cli_usage(COMMAND, "see the options");
    }
    return optind < argc ? cli_usage(COMMAND, "unexpected argument '%s'", argv[optind])
                         : report_files_check(COMMAND, &(const char *){s->json}, 1);
}

int bench_sim_main(int argc, char **argv) {
    settings s;
    int status = read_options(&s, argc, argv);
    return status ? (status < 0 ? CLI_OK : status) : run(&s);
}
