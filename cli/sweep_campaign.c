#include "cli/sweep_campaign.h"
#include "cli/cli.h"
#include "cli/sweep_cluster.h"
#include "cli/sweep_crew.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { LINE_SECONDS = 60 }; /* hours of a batch job make a log that can be read */

static double now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

bool sweep_campaign_begin(sweep_campaign *c, const sweep *s, sweep_store *store, size_t shard, size_t shards,
                          int tell) {
    *c = (sweep_campaign){.sweep = s, .store = store, .shard = shard, .shards = shards, .tell = tell};
    c->at = shard;
    c->took = calloc(s->points, 1);
    for (size_t i = shard; i < s->points; i += shards) {
        c->total++;
        c->before += sweep_store_has(store, i);
    }
    term_probe(&c->t, stderr);
    if (tell == SWEEP_TELL_FITTING && sweep_cluster_launched())
        c->tell = LINE_SECONDS; /* mpirun makes it a pipe, whatever its own is */
    c->begun = c->told = now();
    return c->took;
}

bool sweep_campaign_next(sweep_campaign *c, size_t *point) {
    if (c->returned_count) {
        *point = c->returned[--c->returned_count];
        return true;
    }
    while (c->at < c->sweep->points && sweep_store_has(c->store, c->at))
        c->at += c->shards;
    if (c->at >= c->sweep->points)
        return false;
    *point = c->at;
    c->at += c->shards;
    return true;
}

bool sweep_campaign_return(sweep_campaign *c, size_t point) {
    if (!IBK_ROOM(c->returned, c->returned_count, c->returned_room))
        return false;
    c->returned[c->returned_count++] = point;
    return true;
}

/* ---- progress
 * ------------------------------------------------------------------------------------------------ */

static void write_duration(char out[32], double seconds) {
    unsigned long s = (unsigned long)(seconds + 0.5);
    if (s >= 3600)
        snprintf(out, 32, "%lu h %lu min", s / 3600, s % 3600 / 60);
    else if (s >= 60)
        snprintf(out, 32, "%lu min %lu s", s / 60, s % 60);
    else
        snprintf(out, 32, "%lu s", s);
}

/* A row has come. */
static void show(sweep_campaign *c) {
    char left[32], errors[48] = "";
    bool in_place = c->tell == SWEEP_TELL_FITTING && c->t.is_tty;
    double moment = now();
    if (!in_place && (c->tell < 0 || moment - c->told < c->tell))
        return;
    size_t there = c->before + c->taken;
    write_duration(left, (moment - c->begun) / (double)c->taken * (double)(c->total - there));
    if (c->errors)
        snprintf(errors, sizeof errors, ", %zu without a result", c->errors);
    fprintf(c->t.file,
            in_place ? "\r%s%zu of %zu points%s, %s to go\x1b[K" : "%s%zu of %zu points%s, %s to go\n",
            in_place ? "" : "ibakelab " SWEEP_COMMAND ": ", there, c->total, errors, left);
    fflush(c->t.file);
    c->told = moment;
    c->shown = in_place;
}

int sweep_campaign_take(sweep_campaign *c, const sweep_row *row) {
    ibk_diag diag = {0};
    if (c->took[row->point])
        return CLI_OK;
    ibk_err err = sweep_store_put(c->store, row, &diag);
    if (err) {
        cli_fail(SWEEP_COMMAND, "the database", err, &diag);
        cli_error(SWEEP_COMMAND,
                  "the rows before this one are in it, and the same command with --resume goes on");
        return CLI_INTERNAL;
    }
    c->took[row->point] = 1;
    c->taken++;
    c->errors += row->verdict == SWEEP_ERROR;
    show(c);
    return CLI_OK;
}

bool sweep_campaign_done(const sweep_campaign *c) {
    return c->before + c->taken >= c->total;
}

void sweep_campaign_end(sweep_campaign *c) {
    if (c->shown)
        fputs("\r\x1b[K", c->t.file);
    free(c->took);
    free(c->returned);
    *c = (sweep_campaign){0};
}

/* ---- on this machine
 * ------------------------------------------------------------------------------------------------ */

int sweep_campaign_play(sweep_campaign *c, const char *keep, size_t jobs) {
    sweep_crew crew;
    sweep_row row;
    size_t point;
    int status = CLI_OK;
    if (!sweep_crew_begin(&crew, c->sweep, keep, jobs))
        status = (cli_error(SWEEP_COMMAND, "out of memory"), CLI_INTERNAL);
    while (!status) {
        while (!status && sweep_crew_has_room(&crew) && sweep_campaign_next(c, &point))
            if (!sweep_crew_start(&crew, point))
                status =
                    (cli_error(SWEEP_COMMAND, "cannot start a process: %s", strerror(errno)), CLI_INTERNAL);
        if (status || !sweep_crew_next(&crew, &row, true))
            break;
        status = sweep_campaign_take(c, &row);
    }
    sweep_crew_end(&crew);
    return status;
}
