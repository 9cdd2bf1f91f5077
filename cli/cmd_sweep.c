/* ibakelab sweep: one scenario at many points. */
#include "cli/children.h"
#include "cli/scenario_options.h"
#include "cli/sweep_campaign.h"
#include "cli/sweep_cluster.h"
#include "cli/sweep_last_words.h"
#include "cli/sweep_merge.h"
#include "cli/sweep_table.h"
#include "run/run.h"

#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#define COMMAND    SWEEP_COMMAND
#define ROWS_SHOWN 60
enum { MAX_JOBS = 256, MAX_SHARDS = 100000, PATH_LEN = 4096 };

static const char help_text[] =
    "Usage: ibakelab sweep FILE [--jobs N] [--resume] [--out DIR] [--set path=value]… [--keep]\n"
    "                            [--progress[=S]] [--quiet]\n"
    "       ibakelab sweep FILE --shard I/N …      one of N parts\n"
    "       ibakelab sweep FILE --merge [DB…]      the parts together\n"
    "       mpirun -n K ibakelab sweep FILE …      on several machines\n"
    "\n"
    "Plays one scenario at many points: FILE names the scenario, the parameters that vary, the seeds of "
    "each\n"
    "point, and what is measured (docs/sweeps.md). Each point is a run in a process of its own. Every row\n"
    "goes to an SQLite database as it comes: whatever ends the sweep, --resume goes on where it was.\n"
    "\n"
    "  --out DIR         where the results go; default out/<name of FILE>\n"
    "  --jobs N          points at a time; default: as many as processors; under MPI of each worker, default "
    "1\n"
    "  --resume          goes on with a sweep that was ended, and plays again what ended without a result\n"
    "  --set path=value  sets a path of the scenario at every point, as often as you like\n"
    "  --keep            each point leaves in DIR/points/NNNN what `ibakelab run` leaves\n"
    "  --shard I/N       plays every N-th point, from the I-th on, into DIR/shard-I-of-N.db\n"
    "  --merge           gathers DIR/shard-*.db, or the databases named after FILE, in DIR/sweep.db\n"
    "  --list            prints the points, as arguments of `ibakelab run`, and plays nothing\n"
    "  --patience S      under MPI: seconds after which a silent worker is given up; default 60\n"
    "  --progress[=S]    progress as lines on standard error, at most one in S seconds; default 10, 0: after "
    "each\n"
    "                    point; without it on a terminal in place, under MPI a line a minute\n"
    "  --quiet           one line at the end, and no progress but by --progress\n"
    "\n"
    "In DIR: sweep.db (a row for each point) and result.json (points, and for each combination of "
    "parameters\n"
    "the mean of each measure with its 95 % confidence interval over the seeds).\n"
    "\n"
    "Examples:\n"
    "  ibakelab sweep scenarios/sweeps/kms-capacity.yaml\n"
    "  ibakelab sweep scenarios/sweeps/loss-and-size.yaml --resume\n"
    "  sqlite3 -csv -header out/kms-capacity/sweep.db 'SELECT * FROM points ORDER BY point'\n"
    "  mpirun -n 5 --hostfile hosts ibakelab sweep FILE --out /shared/out\n"
    "\n"
    "Exit status: 0 every run did what its scenario expects, 1 one did not or has no result, 2 a file or "
    "option\n"
    "is wrong, 3 internal.\n";

typedef struct options {
    scenario_options scenario;
    const char *file;
    char out[PATH_LEN];
    bool resume, keep, merge, list, quiet;
    uint64_t jobs, patience; /* jobs 0: not given */
    uint64_t line_seconds;   /* UINT64_MAX: not given */
    uint64_t shard, shards;  /* from 1; shards 0: the whole */
    char **databases;        /* for --merge */
    size_t database_count;
} options;

/* ---- reading the sweep
 * ------------------------------------------------------------------------------------------------ */

static int print_errors(const options *o, const scn_errors *errors, ibk_err err) {
    term t;
    if (errors->count == 0)
        return cli_fail(COMMAND, o->file, err, NULL);
    term_probe(&t, stderr);
    scn_errors_print(errors, stderr, t.colour);
    return err == IBK_ERR_NO_MEMORY ? CLI_INTERNAL : CLI_BAD;
}

static int load(const options *o, sweep **out, sweep_stamp *stamp) {
    scn_errors *errors = calloc(1, sizeof *errors);
    if (!errors)
        return cli_error(COMMAND, "out of memory"), CLI_INTERNAL;
    ibk_err err = sweep_load(out, errors, o->file, o->scenario.sets, o->scenario.set_count);
    memset(stamp, 0, sizeof *stamp);
    if (!err) {
        err = sweep_check(*out, errors, stamp);
        if (err) {
            sweep_free(*out);
            *out = NULL;
        }
    }
    int status = err ? print_errors(o, errors, err) : CLI_OK;
    free(errors);
    return status;
}

/* The same for a worker, whose complaints rank 0 makes. */
static bool load_quietly(void *user, sweep **out, sweep_stamp *stamp, char *why, size_t size) {
    const options *o = user;
    scn_errors *errors = calloc(1, sizeof *errors);
    memset(stamp, 0, sizeof *stamp);
    ibk_err err = errors ? sweep_load(out, errors, o->file, o->scenario.sets, o->scenario.set_count)
                         : IBK_ERR_NO_MEMORY;
    if (!err)
        err = sweep_check(*out, errors, stamp);
    if (err)
        snprintf(why, size, "%s", errors && errors->count ? errors->list[0].message : ibk_err_text(err));
    free(errors);
    return !err;
}

/* ---- results
 * ------------------------------------------------------------------------------------------------ */

static int complain(const sweep_results *r) {
    size_t measure;
    const char *detail;
    if (r->counts[SWEEP_MISSING])
        return cli_error(COMMAND, "%zu of %zu points are missing", r->counts[SWEEP_MISSING],
                         r->sweep->points),
               CLI_FAILED;
    if (sweep_empty_measure(r, &measure, &detail))
        return cli_error(COMMAND, "the measure '%s' has a value at no point%s%s",
                         r->sweep->measures[measure].name, detail ? ": " : "", detail ? detail : "");
    return r->counts[SWEEP_FAIL] || r->counts[SWEEP_ERROR] ? CLI_FAILED : CLI_OK;
}

static void print_failures(const term *t, const sweep_results *r) {
    for (size_t i = 0, shown = 0; i < r->sweep->points && shown < 3; i++)
        if (r->verdicts[i] == SWEEP_ERROR || r->verdicts[i] == SWEEP_FAIL) {
            printf("  point %zu: %s", i, sweep_verdict_name(r->verdicts[i]));
            term_text(t, ": ", r->details[i] ? r->details[i] : "", "\n");
            shown++;
        }
}

static int show(const options *o, const sweep_results *r) {
    term t;
    term_probe(&t, stdout);
    t.colour &= !sweep_cluster_launched(); /* mpirun makes every output a terminal */
    if (!o->quiet) {
        term_text(&t, "", r->sweep->title, "\n\n");
        if (!sweep_table(&t, r, ROWS_SHOWN))
            return cli_error(COMMAND, "out of memory"), CLI_INTERNAL;
        putchar('\n');
    }
    printf("%s: %zu points: %zu passed, %zu failed, %zu without a result; in %s\n", o->file, r->sweep->points,
           r->counts[SWEEP_PASS], r->counts[SWEEP_FAIL], r->counts[SWEEP_ERROR], o->out);
    print_failures(&t, r);
    return complain(r);
}

/* result.json from the database, and the summary. */
static int finish(const options *o, const sweep *s, sweep_store *store) {
    char path[PATH_LEN + 16];
    ibk_diag diag = {0};
    sweep_results r = {0};
    snprintf(path, sizeof path, "%s/result.json", o->out);
    ibk_err err = sweep_results_read(&r, store, s, &diag);
    err = err ? err : sweep_write_result(&r, path, &diag);
    int status = err ? cli_fail(COMMAND, o->out, err, &diag) : show(o, &r);
    sweep_results_free(&r);
    return status;
}

static int finish_shard(const options *o, const sweep_campaign *c) {
    size_t there = c->before + c->taken;
    printf("%s: shard %llu/%llu: %zu of its %zu points are in %s\n", o->file, (unsigned long long)o->shard,
           (unsigned long long)o->shards, there, c->total, o->out);
    return c->errors ? CLI_FAILED : CLI_OK;
}

/* ---- playing
 * ------------------------------------------------------------------------------------------------ */

static int open_store(const options *o, const sweep *s, const sweep_stamp *stamp, sweep_store **out) {
    char path[PATH_LEN + 64], shard[48] = "";
    ibk_diag diag = {0};
    ibk_err err = run_make_folder(o->out, &diag);
    if (err)
        return cli_fail(COMMAND, o->out, err, &diag);
    if (o->shards)
        snprintf(shard, sizeof shard, "%llu/%llu", (unsigned long long)o->shard,
                 (unsigned long long)o->shards);
    if (o->shards)
        snprintf(path, sizeof path, "%s/shard-%llu-of-%llu.db", o->out, (unsigned long long)o->shard,
                 (unsigned long long)o->shards);
    else
        snprintf(path, sizeof path, "%s/sweep.db", o->out);
    sweep_store_mode mode = o->resume || o->merge ? SWEEP_STORE_RESUME : SWEEP_STORE_NEW;
    err = sweep_store_open(out, path, s, stamp, shard, mode, &diag);
    return err ? cli_fail(COMMAND, path, err, &diag) : CLI_OK;
}

static int play(const options *o, const sweep *s, const sweep_stamp *stamp, sweep_store *store,
                sweep_cluster *cluster) {
    sweep_campaign campaign;
    const char *keep = o->keep ? o->out : NULL;
    uint64_t shard = o->shards ? o->shard - 1 : 0, shards = o->shards ? o->shards : 1;
    int status, tell = o->line_seconds != UINT64_MAX ? (int)o->line_seconds
                       : o->quiet                    ? SWEEP_TELL_NOTHING
                                                     : SWEEP_TELL_FITTING;
    if (!sweep_campaign_begin(&campaign, s, store, shard, shards, tell))
        return cli_error(COMMAND, "out of memory"), CLI_INTERNAL;
    sweep_last_words(o->out);
    if (cluster->size > 1 && !sweep_campaign_done(&campaign))
        status = sweep_cluster_play(cluster, &campaign, stamp);
    else
        status = sweep_campaign_play(&campaign, keep, o->jobs);
    if (!status && o->shards)
        status = finish_shard(o, &campaign);
    sweep_last_words_end();
    sweep_campaign_end(&campaign);
    return status;
}

/* All of it but for a worker's part: rank 0, or there are no ranks. */
static int lead(const options *o, sweep_cluster *cluster) {
    sweep *s;
    sweep_stamp stamp;
    sweep_store *store = NULL;
    int status = load(o, &s, &stamp);
    if (status) {
        sweep_cluster_dismiss(cluster);
        return status;
    }
    status = open_store(o, s, &stamp, &store);
    if (!status && o->merge)
        status = sweep_merge(store, s, &stamp, o->out, o->databases, o->database_count);
    else if (!status)
        status = play(o, s, &stamp, store, cluster);
    sweep_cluster_dismiss(
        cluster); /* before results are written, which may take longer than their patience */
    if (store && !o->shards && status <= CLI_FAILED)
        status = finish(o, s, store);
    sweep_store_close(store);
    sweep_free(s);
    return status;
}

/* ---- the list of points
 * ------------------------------------------------------------------------------------------------ */

/* For a shell: in single quotes, those inside outside of them. */
static void print_quoted(const char *text) {
    putchar('\'');
    for (; *text; text++)
        if (*text == '\'')
            fputs("'\\''", stdout);
        else
            putchar(*text);
    putchar('\'');
}

static int list(const options *o) {
    sweep *s;
    sweep_stamp stamp;
    sweep_point *point = malloc(sizeof *point);
    int status = point ? load(o, &s, &stamp) : (cli_error(COMMAND, "out of memory"), CLI_INTERNAL);
    if (status) {
        free(point);
        return status;
    }
    for (size_t i = 0; i < s->points; i++) {
        sweep_point_at(s, i, point);
        print_quoted(s->scenario);
        printf(" --seed %llu", (unsigned long long)point->seed);
        for (size_t j = 0; j + 1 < point->set_count; j++) { /* the last one is the seed */
            fputs(" --set ", stdout);
            print_quoted(point->sets[j]);
        }
        putchar('\n');
    }
    sweep_free(s);
    free(point);
    return CLI_OK;
}

/* ---- command line
 * ------------------------------------------------------------------------------------------------ */

static int read_shard(options *o, const char *text) {
    char first[16] = "", last[16] = "", more = 0;
    if (sscanf(text, "%15[0-9]/%15[0-9]%c", first, last, &more) != 2 ||
        !cli_number(last, 1, MAX_SHARDS, &o->shards) || !cli_number(first, 1, o->shards, &o->shard))
        return cli_usage(COMMAND, "--shard takes I/N, I from 1 to N, N at most %d, not '%s'", MAX_SHARDS,
                         text);
    return CLI_OK;
}

static int read_option(options *o, int c) {
    switch (c) {
    case 'o':
        if (snprintf(o->out, sizeof o->out, "%s", optarg) >= (int)sizeof o->out)
            return cli_usage(COMMAND, "the path of --out is too long");
        return CLI_OK;
    case 'j':
        if (!cli_number(optarg, 1, MAX_JOBS, &o->jobs))
            return cli_usage(COMMAND, "--jobs takes a number from 1 to %d, not '%s'", MAX_JOBS, optarg);
        return CLI_OK;
    case 'p':
        if (!cli_number(optarg, 1, 86400, &o->patience))
            return cli_usage(COMMAND, "--patience takes seconds from 1 to 86400, not '%s'", optarg);
        return CLI_OK;
    case 'P':
        if (!cli_number(optarg ? optarg : "10", 0, 86400, &o->line_seconds))
            return cli_usage(COMMAND, "--progress takes seconds from 0 to 86400, not '%s'", optarg);
        return CLI_OK;
    case 'S':
        return scenario_options_set(&o->scenario, COMMAND, optarg);
    case 's':
        return read_shard(o, optarg);
    case 'r':
        o->resume = true;
        return CLI_OK;
    case 'k':
        o->keep = true;
        return CLI_OK;
    case 'm':
        o->merge = true;
        return CLI_OK;
    case 'l':
        o->list = true;
        return CLI_OK;
    case 'q':
        o->quiet = true;
        return CLI_OK;
    case 'h':
        fputs(help_text, stdout);
        return -1;
    default:
        return cli_usage(COMMAND, "see the options");
    }
}

static int check_options(options *o, int argc, char **argv) {
    char name[256];
    if (optind == argc)
        return cli_usage(COMMAND, "a sweep file is missing");
    o->file = argv[optind];
    o->databases = argv + optind + 1;
    o->database_count = (size_t)(argc - optind) - 1;
    if (o->database_count && !o->merge)
        return cli_usage(COMMAND, "one sweep file is needed");
    if (o->merge && (o->shards || o->list))
        return cli_usage(COMMAND, "--merge goes with neither --shard nor --list");
    scenario_options_name(name, sizeof name, o->file);
    if (!o->out[0])
        snprintf(o->out, sizeof o->out, "out/%s", name);
    return CLI_OK;
}

static int read_options(options *o, int argc, char **argv) {
    static const struct option names[] = {{"out", required_argument, NULL, 'o'},
                                          {"jobs", required_argument, NULL, 'j'},
                                          {"set", required_argument, NULL, 'S'},
                                          {"shard", required_argument, NULL, 's'},
                                          {"resume", no_argument, NULL, 'r'},
                                          {"keep", no_argument, NULL, 'k'},
                                          {"merge", no_argument, NULL, 'm'},
                                          {"list", no_argument, NULL, 'l'},
                                          {"patience", required_argument, NULL, 'p'},
                                          {"quiet", no_argument, NULL, 'q'},
                                          {"progress", optional_argument, NULL, 'P'},
                                          {"help", no_argument, NULL, 'h'},
                                          {0}};
    int c, status = CLI_OK;
    *o = (options){.patience = 60, .line_seconds = UINT64_MAX};
    while (!status && (c = getopt_long(argc, argv, "ho:j:q", names, NULL)) != -1)
        status = read_option(o, c);
    return status ? status : check_options(o, argc, argv);
}

static uint64_t processors(void) {
    long count = sysconf(_SC_NPROCESSORS_ONLN);
    return count < 1 ? 1 : count > MAX_JOBS ? MAX_JOBS : (uint64_t)count;
}

static int sweep_all(options *o) {
    sweep_cluster cluster = {0};
    int status = CLI_OK;
    if (sweep_cluster_launched() && !o->merge)
        status = sweep_cluster_begin(&cluster, (double)o->patience);
    if (status)
        return status;
    if (!o->jobs)
        o->jobs = cluster.size > 1 ? 1 : processors();
    children_allow_many_files();
    if (cluster.rank > 0)
        sweep_cluster_work(&cluster, load_quietly, o, o->keep ? o->out : NULL, o->jobs);
    else
        status = cli_finish(COMMAND, lead(o, &cluster));
    sweep_cluster_end(&cluster);
    return status;
}

int cmd_sweep_main(int argc, char **argv) {
    options *o = calloc(1, sizeof *o);
    if (!o)
        return cli_error(COMMAND, "out of memory"), CLI_INTERNAL;
    int status = read_options(o, argc, argv);
    if (status)
        status = status < 0 ? cli_finish(COMMAND, CLI_OK) : status;
    else
        status = o->list ? cli_finish(COMMAND, list(o)) : sweep_all(o);
    free(o);
    return status;
}
