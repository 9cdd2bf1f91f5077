#include "run/run.h"
#include "run/adversaries.h"
#include "run/judge.h"
#include "run/knowledge.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define SLICE  (100 * SIP_MS) /* between two looks at the progress */
#define LINGER (5 * SIP_S)    /* after the last event: transactions end, stray packets arrive */
enum { PATH_LEN = 4096 };

/* The files of one run while it lasts. */
typedef struct outputs {
    char dir[PATH_LEN - 64], capture_dir[PATH_LEN];
    trace_jsonl *events;
    keylog_writer *keylog;
    tls_keylog *tls_keylog;
} outputs;

static ibk_err path_in(char out[PATH_LEN], const char *dir, const char *name) {
    int len = snprintf(out, PATH_LEN, "%s/%s", dir, name);
    return len < 0 || len >= PATH_LEN ? IBK_ERR_LIMIT : IBK_OK;
}

static ibk_err refuse_folder(ibk_diag *diag, const char *path, const char *why) {
    return ibk_fail(diag, IBK_ERR_REFUSED, "output folder", 0, "%.50s: %s; --out names another", path, why);
}

ibk_err run_make_folder(const char *path, ibk_diag *diag) {
    char part[PATH_LEN];
    size_t len = strlen(path);
    if (len == 0 || len >= sizeof part)
        return ibk_fail(diag, IBK_ERR_LIMIT, "output folder", 0, "empty or too long a path");
    for (size_t i = 1; i <= len; i++) {
        if (path[i] != '/' && path[i] != 0)
            continue;
        memcpy(part, path, i);
        part[i] = 0;
        if (mkdir(part, 0777) && errno != EEXIST)
            return refuse_folder(diag, part, strerror(errno));
    }
    struct stat status;
    if (stat(path, &status) || !S_ISDIR(status.st_mode))
        return refuse_folder(diag, path, "it is no folder");
    if (access(path, W_OK))
        return refuse_folder(diag, path, strerror(errno));
    return IBK_OK;
}

/* What an earlier run left must not be taken for this one's. */
static void remove_old(const outputs *o) {
    static const char *const names[] = {"result.json", "events.jsonl", "keys.log", "tls-keys.log",
                                        "scenario.resolved.yaml"};
    char path[PATH_LEN];
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (path_in(path, o->dir, names[i]) == IBK_OK)
            unlink(path);
    DIR *captures = opendir(o->capture_dir);
    for (struct dirent *file; captures && (file = readdir(captures));) {
        size_t len = strlen(file->d_name);
        if (len > 5 && strcmp(file->d_name + len - 5, ".pcap") == 0 &&
            path_in(path, o->capture_dir, file->d_name) == IBK_OK)
            unlink(path);
    }
    if (captures)
        closedir(captures);
}

static ibk_err write_resolved(const outputs *o, const scn_scenario *scenario, ibk_diag *diag) {
    char path[PATH_LEN];
    ibk_buf yaml = {0};
    ibk_err err = path_in(path, o->dir, "scenario.resolved.yaml");
    if (!err)
        err = scn_write_resolved(&yaml, scenario);
    FILE *file = err ? NULL : fopen(path, "w");
    if (!err && (!file || fwrite(yaml.data, 1, yaml.len, file) != yaml.len))
        err = ibk_fail(diag, IBK_ERR_IO, "scenario.resolved.yaml", 0, "%s", strerror(errno));
    if (file && fclose(file) && !err)
        err = ibk_fail(diag, IBK_ERR_IO, "scenario.resolved.yaml", 0, "%s", strerror(errno));
    ibk_buf_free(&yaml);
    return err;
}

static ibk_err outputs_open(outputs *o, const scn_scenario *scenario, const run_options *options,
                            ibk_diag *diag) {
    char path[PATH_LEN];
    if (strlen(options->out_dir) >= sizeof o->dir)
        return ibk_fail(diag, IBK_ERR_LIMIT, "output folder", 0, "too long a path");
    strcpy(o->dir, options->out_dir);
    path_in(o->capture_dir, o->dir, "capture");
    ibk_err err = run_make_folder(o->capture_dir, diag);
    if (err)
        return err;
    remove_old(o);
    err = write_resolved(o, scenario, diag);
    if (!err)
        err = path_in(path, o->dir, "events.jsonl");
    if (!err)
        err = trace_jsonl_open(&o->events, path, diag);
    if (!err && options->keylog) {
        err = path_in(path, o->dir, "keys.log");
        if (!err)
            err = keylog_writer_open(&o->keylog, path, diag);
        if (!err)
            err = path_in(path, o->dir, "tls-keys.log");
        if (!err)
            err = tls_keylog_open(&o->tls_keylog, path);
    }
    return err;
}

static ibk_err outputs_close(outputs *o, ibk_diag *diag) {
    ibk_err first = trace_jsonl_close(o->events, diag);
    ibk_err second = keylog_writer_close(o->keylog, first ? NULL : diag);
    first = first ? first : second;
    second = tls_keylog_close(o->tls_keylog, first ? NULL : diag);
    return first ? first : second;
}

/* When to look again: after a slice; where nothing is going to happen, after the slice in which something
 * does. Days without an event cost nothing, and where a run ends does not depend on it. */
static uint64_t next_look(const world *w, uint64_t now, uint64_t limit) {
    uint64_t event = n3_next_event(w->ims.sim);
    if (event >= limit)
        return limit;
    uint64_t slices = event > now ? (event - now + SLICE - 1) / SLICE : 1;
    uint64_t next = now + (slices ? slices : 1) * SLICE;
    return next < limit ? next : limit;
}

/* Plays until all is done and the last packets have arrived, or until the time limit. */
static ibk_err play(world *w, const run_options *options, ibk_diag *diag) {
    uint64_t now = 0, limit = w->scenario->time_limit_ns;
    while (now < limit) {
        if (world_is_finished(w) && limit > now + LINGER)
            limit = now + LINGER;
        uint64_t next = next_look(w, now, limit);
        if (n3_run_until(w->ims.sim, next))
            return ibk_fail(diag, IBK_ERR_INTERNAL, "simulation", 0, "%s", n3_last_error());
        if (w->ims.untimed[0])
            return ibk_fail(diag, IBK_ERR_UNSUPPORTED, NULL, 0, "%s", w->ims.untimed);
        now = next;
        ibk_err err = run_adversaries_failure(w, diag);
        if (err)
            return err;
        if (options->progress)
            options->progress(options->user, now);
    }
    return IBK_OK;
}

static void note_start(trace *t, const scn_scenario *s) {
    trace_begin(t, TRACE_RUN, "run", "start");
    trace_str(t, "title", s->title);
    trace_uint(t, "seed", s->seed);
    trace_int(t, "start_utc_ns", s->start_utc_ns);
    trace_end(t);
}

static void note_end(trace *t, const result *r) {
    for (size_t i = 0; i < r->expectation_count; i++) {
        trace_begin(t, TRACE_RUN, "run", "expectation");
        trace_str(t, "text", r->expectations[i].text);
        trace_bool(t, "held", r->expectations[i].held);
        trace_str(t, "observed", r->expectations[i].observed);
        trace_end(t);
    }
    trace_begin(t, TRACE_RUN, "run", "end");
    trace_str(t, "verdict", result_verdict_name(r->verdict));
    trace_end(t);
}

/* For the ladder: what an adversary does to each packet of media has no place there, and would fill it. */
static void remember(void *memory, const trace_event *e) {
    if (e->kind != TRACE_ATTACK || trace_event_text(e, "call").len > 0)
        trace_memory_event(memory, e);
}

static ibk_err add_sinks(trace *t, outputs *o, run_outcome *outcome, const run_options *options) {
    ibk_err err = IBK_OK;
    if (o->events)
        err = trace_add_sink(t, TRACE_ALL, trace_jsonl_event, o->events);
    if (!err && options->max_events) {
        outcome->events = trace_memory_new(options->max_events);
        err = outcome->events
                  ? trace_add_sink(t,
                                   TRACE_MASK(TRACE_SIP) | TRACE_MASK(TRACE_HTTP) | TRACE_MASK(TRACE_MIKEY) |
                                       TRACE_MASK(TRACE_STATE) | TRACE_MASK(TRACE_ATTACK),
                                   remember, outcome->events)
                  : IBK_ERR_NO_MEMORY;
    }
    return err;
}

static ibk_err play_and_judge(run_outcome *outcome, trace *t, outputs *o, const scn_scenario *scenario,
                              const run_options *options, ibk_diag *diag) {
    world *w;
    world_outputs files = {.log = t,
                           .keys = o->keylog,
                           .tls_keys = o->tls_keylog,
                           .capture_dir = options->out_dir ? o->capture_dir : NULL};
    ibk_err err = world_new(&w, scenario, &files, diag);
    if (err)
        return err;
    note_start(t, scenario);
    if (options->out_dir)
        err = run_trust_write(w->trust, o->dir, diag);
    if (!err)
        err = play(w, options, diag);
    if (!err) {
        knowledge_conclude(w);
        run_adversaries_conclude(w);
        properties_judge(w);
        observe(&outcome->result, w);
        judge(&outcome->result, w);
        note_end(t, &outcome->result);
        outcome->sim_events = n3_events(w->ims.sim);
    }
    ibk_err closed = world_free(w);
    if (!err && closed)
        err = ibk_fail(diag, closed, "capture", 0, "a capture could not be written completely");
    return err;
}

ibk_err run_scenario(run_outcome *outcome, const scn_scenario *scenario, const run_options *options,
                     ibk_diag *diag) {
    outputs o = {.dir = ""};
    char path[PATH_LEN];
    ibk_diag local;
    diag = diag ? diag : &local;
    *diag = (ibk_diag){0};
    *outcome = (run_outcome){0};
    ibk_err err = sip_init();
    bool media = media_library_start();
    trace *t = trace_new();
    if (!err && !media)
        err = ibk_fail(diag, IBK_ERR_INTERNAL, "libsrtp2", 0, "its self-tests failed");
    if (!err && !t)
        err = IBK_ERR_NO_MEMORY;
    if (!err && options->out_dir)
        err = outputs_open(&o, scenario, options, diag);
    if (!err)
        err = add_sinks(t, &o, outcome, options);
    if (!err)
        err = play_and_judge(outcome, t, &o, scenario, options, diag);
    trace_free(t);
    ibk_err closed = outputs_close(&o, err ? NULL : diag);
    err = err ? err : closed;
    if (!err && options->out_dir) {
        err = path_in(path, o.dir, "result.json");
        if (!err)
            err = result_write_json(&outcome->result, path, diag);
    }
    if (media)
        media_library_stop();
    if (err) {
        run_outcome_free(outcome);
        if (!diag->err)
            ibk_fail(diag, err, "run", 0, "%s", ibk_err_text(err));
    }
    return err;
}

void run_outcome_free(run_outcome *outcome) {
    result_free(&outcome->result);
    trace_memory_free(outcome->events);
    *outcome = (run_outcome){0};
}
