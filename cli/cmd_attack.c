/* ibakelab attack: a random adversary against a scenario, and the shortest rules that did harm. */
#include "cli/attack_result.h"
#include "reports/terminal.h"
#include "reports/words.h"
#include "run/run.h"

#include <errno.h>
#include <getopt.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COMMAND "attack"

static const char help_text[] =
    "Usage: ibakelab attack FILE [--rounds N] [--seed N] [--jobs N] [--set path=value]… [--out DIR]\n"
    "\n"
    "Lets a random adversary loose on a scenario, round after round: it composes rules "
    "(docs/adversaries.md)\n"
    "from the seed, plays them against the real stack, and checks the security properties\n"
    "(docs/properties.md). On a violation it shortens the rules as long as they still show it, writes them "
    "as\n"
    "a scenario file that can be kept, and plays that once more.\n"
    "\n"
    "Where the scenario has an adversary, that one attacks, with its seats and what it holds; else one that\n"
    "sits on the access links of the first call's ends and holds nothing.\n"
    "\n"
    "  --rounds N        attacks to try; default 100\n"
    "  --seed N          of the adversary, not of the scenario; default 1. The same seed tries the same\n"
    "  --jobs N          attacks at a time, each in a process of its own; default: as many as processors\n"
    "  --set path=value  overrides a key of the scenario, e.g. to switch a defence off:\n"
    "                    users.bob.without=[replay-cache] (docs/defences.md)\n"
    "  --out DIR         where the results go; default out/attack/<scenario>: result.json (what was tried "
    "and\n"
    "                    found, for 'ibakelab report'); after a violation the scenario file that shows it, "
    "the\n"
    "                    folder of a run of it, and, with --set, both of its twin without what was set\n"
    "  --quiet           one line\n"
    "\n"
    "Examples:\n"
    "  ibakelab attack scenarios/basic/first-call.yaml --rounds 500\n"
    "  ibakelab attack scenarios/basic/first-call-80.yaml --set users.bob.without=[replay-cache]\n"
    "  ibakelab report out/attack/first-call-80\n"
    "\n"
    "Exit status: 0 nothing was broken, 1 something was, 2 a file or option is wrong, 3 internal.\n";

enum { KEPT_LEN = 300 };

typedef struct options {
    scenario_options scenario;
    const char *file, *out;
    char default_out[PATH_MAX];
    uint64_t rounds, seed, jobs;
    bool quiet;
} options;

/* ---- progress
 * ----------------------------------------------------------------------------------------------------- */

typedef struct counter {
    term t;
    const char *what;
    uint64_t total; /* 0: not known */
    bool shown;
} counter;

static void count(void *user, size_t begun) {
    counter *c = user;
    if (!c->t.is_tty)
        return;
    if (c->total)
        fprintf(c->t.file, "\r%s %zu of %llu", c->what, begun + 1, (unsigned long long)c->total);
    else
        fprintf(c->t.file, "\r%s %zu", c->what, begun + 1);
    fflush(c->t.file);
    c->shown = true;
}

static void count_end(counter *c) {
    if (c->shown)
        fputs("\r\x1b[K", c->t.file);
    c->shown = false;
}

/* ---- rounds and simplifications
 * ---------------------------------------------------------------------------------------- */

typedef struct rounds {
    const options *o;
    const scn_scenario *scenario;
    size_t rules; /* composed so far */
} rounds;

static bool next_round(void *from, size_t index, attack *out) {
    rounds *r = from;
    if (index >= r->o->rounds || attack_compose(out, r->scenario, r->o->seed, index + 1))
        return false;
    r->rules += out->rule_count;
    return true;
}

static bool next_smaller(void *from, size_t index, attack *out) {
    return attack_smaller(out, from, index);
}

/* Round 0, the run as it is: an adversary that only watches. */
static bool only_watching(void *from, size_t index, attack *out) {
    const rounds *r = from;
    if (index || attack_compose(out, r->scenario, r->o->seed, 0))
        return false;
    out->rule_count = 1;
    out->rules[0] = (attack_rule){.keys = {{"on", "packet"}, {"do", "pass"}}, .count = 2};
    return true;
}

/* Makes `a` as small as it can be; adds to *tried. */
static ibk_err shorten(const trials *t, attack *a, trial *what, size_t *tried) {
    uint64_t wanted = what->broken & -what->broken; /* the first property that it broke */
    for (;;) {
        attack from = *a, found;
        trial outcome;
        size_t index, begun;
        ibk_err err;
        bool smaller = trials_first(t, next_smaller, &from, wanted, &index, &found, &outcome, &begun, &err);
        *tried += begun;
        if (!smaller)
            return err;
        *a = found;
        *what = outcome;
    }
}

/* ---- the file that is kept
 * --------------------------------------------------------------------------------------------- */

/* The path of `to` as seen from folder `from`; both absolute. */
static void relative(char out[PATH_MAX], const char *from, const char *to) {
    size_t common = 0, len = 0;
    for (size_t i = 0; from[i] == to[i] && from[i]; i++)
        if (from[i] == '/')
            common = i + 1;
    size_t whole = strlen(from);
    if (strncmp(from, to, whole) == 0 && to[whole] == '/')
        common = whole + 1;
    out[0] = 0;
    for (const char *rest = common > whole ? "" : from + common; *rest && len + 4 < PATH_MAX;) {
        len += (size_t)snprintf(out + len, PATH_MAX - len, "../");
        const char *slash = strchr(rest, '/');
        rest = slash ? slash + 1 : "";
    }
    snprintf(out + len, PATH_MAX - len, "%s", to + common);
}

/* How to play it again, without and with what was --set. */
static void comment_of(char *out, size_t size, const options *o, size_t round, const trial *what,
                       const char *file) {
    int len = snprintf(
        out, size,
        "Found by `ibakelab attack %s --seed %llu`, round %zu: %s is broken.\n%s\n\n  ibakelab run %s",
        o->file, (unsigned long long)o->seed, round, trial_name(what->broken), what->detail, file);
    for (size_t i = 0; i < o->scenario.set_count && len > 0 && (size_t)len < size; i++)
        len += snprintf(out + len, size - (size_t)len, " --set '%s'", o->scenario.sets[i]);
}

/* kept: the file's name in the folder; base: the path of the scenario under attack as seen from there. */
static int keep(const options *o, const trials *t, const attack *a, const trial *what, size_t round,
                ibk_buf *yaml, char kept[KEPT_LEN], char base[PATH_MAX]) {
    char folder[PATH_MAX], path[PATH_MAX + KEPT_LEN], name[128], title[200], expect[80], comment[4096];
    ibk_diag diag = {0};
    ibk_err err = run_make_folder(o->out, &diag);
    if (err)
        return cli_fail(COMMAND, o->out, err, &diag);
    if (!realpath(o->out, folder))
        return cli_error(COMMAND, "%s: %s", o->out, strerror(errno));
    relative(base, folder, t->base);
    scenario_options_name(name, sizeof name, o->file);
    snprintf(kept, KEPT_LEN, "%s-%s-%zu.yaml", name, trial_name(what->broken), round);
    snprintf(path, sizeof path, "%s/%s", o->out, kept);
    snprintf(title, sizeof title, "%.120s: %s is broken", t->scenario->title, trial_name(what->broken));
    if (what->broken & TRIAL_CRASHED)
        snprintf(expect, sizeof expect, "  users: {registered: all}\n");
    else
        snprintf(expect, sizeof expect, "  security: {broken: [%s]}\n", trial_name(what->broken));
    comment_of(comment, sizeof comment, o, round, what, path);
    attack_file file = {.base = base,
                        .title = title,
                        .comment = comment,
                        .adversary = attack_adversary(t->scenario),
                        .expect = expect};
    err = attack_write(yaml, a, &file);
    err = err ? err : cli_write_file(path, ibk_buf_span(yaml), 0644, true, &diag);
    if (err)
        return cli_fail(COMMAND, path, err, &diag);
    return CLI_OK;
}

/* ---- the whole
 * ------------------------------------------------------------------------------------------------------ */

/* Shortens what was found, keeps it and tells it; then c says it, too. */
static int found_one(const options *o, const trials *t, attack *a, trial *what, attack_campaign *c,
                     counter *shown) {
    char kept[KEPT_LEN], base[PATH_MAX];
    ibk_buf yaml = {0};
    c->rules_before = a->rule_count;
    *shown = (counter){.t = shown->t, .what = "shortening, run"};
    ibk_err err = shorten(t, a, what, &c->tries);
    count_end(shown);
    int status =
        err ? cli_fail(COMMAND, o->file, err, NULL) : keep(o, t, a, what, c->round, &yaml, kept, base);
    if (!status) {
        printf("round %zu%s breaks %s: ", c->round, c->round ? "" : ", in which nobody does anything,",
               trial_name(what->broken));
        words_show(stdout, what->detail, strlen(what->detail), "");
        putchar('\n');
        printf("  %zu rule%s, shortened to %zu in %zu runs; in %s:\n\n", c->rules_before,
               c->rules_before == 1 ? "" : "s", a->rule_count, c->tries, o->out);
        if (!o->quiet)
            fwrite(yaml.data, 1, yaml.len, stdout);
        c->found = a;
        c->what = what;
        c->kept = kept;
        c->base = base;
        status = attack_result_write(c);
    }
    ibk_buf_free(&yaml);
    return status ? status : CLI_FAILED;
}

static int campaign(const options *o, const scn_scenario *scenario) {
    char base[PATH_MAX];
    if (!realpath(o->file, base))
        return cli_error(COMMAND, "%s: %s", o->file, strerror(errno));
    attack_result_clear(o->out);
    counter shown = {.what = "round", .total = o->rounds};
    term_probe(&shown.t, stderr);
    trials t = {.options = &o->scenario, .scenario = scenario, .base = base, .jobs = o->jobs};
    rounds r = {.o = o, .scenario = scenario};
    attack a;
    trial what;
    size_t index, tried;
    ibk_err err;
    bool broken = trials_first(&t, only_watching, &r, UINT64_MAX, &index, &a, &what, &tried, &err);
    t.progress = count;
    t.user = &shown;
    if (!broken && !err) {
        broken = trials_first(&t, next_round, &r, UINT64_MAX, &index, &a, &what, &tried, &err);
        index++;
    }
    count_end(&shown);
    if (err)
        return cli_fail(COMMAND, o->file, err, NULL);
    attack_campaign c = {.file = o->file,
                         .out = o->out,
                         .options = &o->scenario,
                         .scenario = scenario,
                         .seed = o->seed,
                         .rounds_planned = o->rounds,
                         .rounds = broken ? index : tried,
                         .round = index};
    if (broken)
        return found_one(o, &t, &a, &what, &c, &shown);
    printf("%s: %zu rounds with %zu rules: nothing was broken\n", o->file, tried, r.rules);
    return attack_result_write(&c);
}

static int read_options(options *o, int argc, char **argv) {
    static const struct option names[] = {
        {"rounds", required_argument, NULL, 'r'}, {"seed", required_argument, NULL, 's'},
        {"jobs", required_argument, NULL, 'j'},   {"set", required_argument, NULL, 'S'},
        {"out", required_argument, NULL, 'o'},    {"quiet", no_argument, NULL, 'q'},
        {"help", no_argument, NULL, 'h'},         {0}};
    int c, status = CLI_OK;
    long processors = sysconf(_SC_NPROCESSORS_ONLN);
    *o = (options){.rounds = 100, .seed = 1, .jobs = processors > 0 ? (uint64_t)processors : 1};
    o->jobs = o->jobs < TRIAL_JOBS_MAX ? o->jobs : TRIAL_JOBS_MAX;
    while (!status && (c = getopt_long(argc, argv, "hr:j:o:q", names, NULL)) != -1) {
        switch (c) {
        case 'r':
            if (!cli_number(optarg, 1, 1000000, &o->rounds))
                status = cli_usage(COMMAND, "--rounds takes a number from 1 to 1000000, not '%s'", optarg);
            break;
        case 's':
            if (!cli_number(optarg, 0, INT64_MAX, &o->seed))
                status = cli_usage(COMMAND, "--seed takes a number from 0 to 2^63 - 1, not '%s'", optarg);
            break;
        case 'j':
            if (!cli_number(optarg, 1, TRIAL_JOBS_MAX, &o->jobs))
                status = cli_usage(COMMAND, "--jobs takes a number from 1 to %d, not '%s'", TRIAL_JOBS_MAX,
                                   optarg);
            break;
        case 'S':
            status = scenario_options_set(&o->scenario, COMMAND, optarg);
            break;
        case 'o':
            o->out = optarg;
            break;
        case 'q':
            o->quiet = true;
            break;
        case 'h':
            fputs(help_text, stdout);
            return -1;
        default:
            status = cli_usage(COMMAND, "see the options");
        }
    }
    if (!status && optind + 1 != argc)
        status = cli_usage(COMMAND, "one scenario file is needed");
    o->file = status ? NULL : argv[optind];
    if (!status && !o->out) {
        char name[256];
        scenario_options_name(name, sizeof name, o->file);
        snprintf(o->default_out, sizeof o->default_out, "out/attack/%s", name);
        o->out = o->default_out;
    }
    return status;
}

int cmd_attack_main(int argc, char **argv) {
    options o;
    scn_scenario *scenario;
    int status = read_options(&o, argc, argv);
    if (status)
        return status < 0 ? cli_finish(COMMAND, CLI_OK) : status;
    status = scenario_options_load(&o.scenario, COMMAND, o.file, &scenario);
    if (status)
        return status;
    if (scenario->call_count == 0)
        status = cli_error(COMMAND, "%s has no call that could be attacked", o.file);
    else
        status = campaign(&o, scenario);
    scn_free(scenario);
    return cli_finish(COMMAND, status);
}
