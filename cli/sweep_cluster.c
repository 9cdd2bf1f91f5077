#include "cli/sweep_cluster.h"
#include "cli/cli.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#define MODULE       "ibakelab-mpi.so" /* beside the program */
#define SILENCE_LOOK 0.1               /* seconds between two looks at who is silent */

/* What rank 0 knows of a worker. */
typedef struct worker {
    bool ready, lost;
    double heard;
    size_t jobs, *points, count; /* points that it has */
} worker;

typedef struct master {
    sweep_cluster *c;
    sweep_campaign *campaign;
    const sweep_stamp *stamp;
    worker *workers; /* by rank; [0] is unused */
    int status;
} master;

/* ---- joining and leaving
 * ------------------------------------------------------------------------------------------------ */

double cluster_now(void) {
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

void cluster_pause(void) {
    const struct timespec millisecond = {.tv_nsec = 1000000};
    nanosleep(&millisecond, NULL);
}

bool cluster_send(const sweep_cluster *c, int to, const cluster_message *message) {
    return c->transport->send(to, message, sizeof *message);
}

bool sweep_cluster_launched(void) {
    return getenv("OMPI_COMM_WORLD_SIZE") || getenv("PMIX_RANK") || getenv("PMI_RANK");
}

static const sweep_transport *open_module(void) {
    char path[PATH_MAX + sizeof MODULE];
    ssize_t len = readlink("/proc/self/exe", path, PATH_MAX);
    path[len > 0 ? len : 0] = 0;
    char *slash = strrchr(path, '/');
    if (!slash)
        return NULL;
    strcpy(slash + 1, MODULE);
    void *module = dlopen(path, RTLD_NOW | RTLD_GLOBAL); /* MPI opens modules of its own that look for it */
    return module ? dlsym(module, SWEEP_TRANSPORT_SYMBOL) : NULL;
}

int sweep_cluster_begin(sweep_cluster *c, double patience) {
    *c = (sweep_cluster){.transport = open_module(), .patience = patience};
    if (!c->transport) {
        const char *why = dlerror();
        return cli_error(SWEEP_COMMAND,
                         "MPI has started this, but the module that speaks it cannot be used: %s; "
                         "cmake -DIBAKELAB_MPI=ON builds it",
                         why ? why : MODULE);
    }
    if (!c->transport->begin(&c->rank, &c->size))
        return cli_error(SWEEP_COMMAND, "MPI cannot be started"), CLI_INTERNAL;
    c->begun = true;
    return CLI_OK;
}

void sweep_cluster_end(sweep_cluster *c) {
    if (c->begun)
        c->transport->end(!c->lost);
    c->begun = false;
}

/* ---- workers, seen from rank 0
 * ------------------------------------------------------------------------------------------------ */

static void lose(master *m, int rank, const char *why) {
    worker *w = &m->workers[rank];
    if (w->lost)
        return;
    w->lost = m->c->lost = true;
    cli_error(SWEEP_COMMAND, "rank %d %s; %zu of its points go to others", rank, why, w->count);
    while (w->count)
        if (!sweep_campaign_return(m->campaign, w->points[--w->count]))
            m->status = (cli_error(SWEEP_COMMAND, "out of memory"), CLI_INTERNAL);
}

/* As many points as the worker can play at a time. */
static void fill(master *m, int rank) {
    worker *w = &m->workers[rank];
    cluster_message message = {.kind = CLUSTER_POINT};
    size_t point;
    while (w->ready && !w->lost && w->count < w->jobs && sweep_campaign_next(m->campaign, &point)) {
        w->points[w->count++] = point;
        message.point = point;
        if (!cluster_send(m->c, rank, &message))
            lose(m, rank, "cannot be reached");
    }
}

static void fill_all(master *m) {
    for (int rank = 1; rank < m->c->size; rank++)
        fill(m, rank);
}

static void greet(master *m, int rank, const cluster_message *message) {
    worker *w = &m->workers[rank];
    if (memcmp(&message->stamp, m->stamp, sizeof *m->stamp) != 0) {
        m->status = cli_error(SWEEP_COMMAND, "rank %d sees another sweep, or is another version (%s)", rank,
                              message->stamp.versions);
        return;
    }
    w->jobs = message->jobs;
    w->points = calloc(w->jobs, sizeof *w->points);
    w->ready = w->points != NULL;
    if (!w->ready)
        m->status = (cli_error(SWEEP_COMMAND, "out of memory"), CLI_INTERNAL);
}

static void take_row(master *m, int rank, const sweep_row *row) {
    worker *w = &m->workers[rank];
    for (size_t i = 0; i < w->count; i++)
        if (w->points[i] == row->point) {
            w->points[i] = w->points[--w->count];
            break;
        }
    m->status = sweep_campaign_take(m->campaign, row);
}

static void hear(master *m, int rank, const cluster_message *message) {
    worker *w = &m->workers[rank];
    w->heard = cluster_now();
    if (w->lost) { /* it was only slow; what it had is with others */
        w->lost = false;
        cli_error(SWEEP_COMMAND, "rank %d is back", rank);
    }
    switch ((cluster_kind)message->kind) {
    case CLUSTER_HELLO:
        greet(m, rank, message);
        break;
    case CLUSTER_FAIL:
        m->status = cli_error(SWEEP_COMMAND, "rank %d: %s", rank, message->text);
        break;
    case CLUSTER_ROW:
        take_row(m, rank, &message->row);
        break;
    case CLUSTER_ALIVE:
        cluster_send(m->c, rank, message);
        break;
    default:
        break;
    }
    if (!m->status)
        fill(m, rank);
}

static void look_for_silence(master *m) {
    double now = cluster_now();
    int there = 0;
    for (int rank = 1; rank < m->c->size; rank++) {
        worker *w = &m->workers[rank];
        if (now - w->heard > (w->ready ? m->c->patience : CLUSTER_START_SECONDS))
            lose(m, rank, "is silent");
        there += !w->lost;
    }
    fill_all(m);
    if (!there)
        m->status = (cli_error(SWEEP_COMMAND, "no worker is left; --resume goes on with what is missing"),
                     CLI_INTERNAL);
}

static void run(master *m) {
    cluster_message message = {.kind = CLUSTER_GO};
    double looked = cluster_now();
    for (int rank = 1; rank < m->c->size; rank++) {
        m->workers[rank].heard = looked;
        if (!cluster_send(m->c, rank, &message))
            lose(m, rank, "cannot be reached");
    }
    while (!m->status && !sweep_campaign_done(m->campaign)) {
        int from;
        if (m->c->transport->receive(&from, &message, sizeof message))
            hear(m, from, &message);
        else
            cluster_pause();
        if (cluster_now() - looked > SILENCE_LOOK) {
            look_for_silence(m);
            looked = cluster_now();
        }
    }
}

int sweep_cluster_play(sweep_cluster *c, sweep_campaign *campaign, const sweep_stamp *stamp) {
    master m = {.c = c, .campaign = campaign, .stamp = stamp};
    m.workers = calloc((size_t)c->size, sizeof *m.workers);
    if (!m.workers)
        return cli_error(SWEEP_COMMAND, "out of memory"), CLI_INTERNAL;
    run(&m);
    c->lost = false; /* those that came back leave with us */
    for (int rank = 1; rank < c->size; rank++) {
        c->lost |= m.workers[rank].lost;
        free(m.workers[rank].points);
    }
    free(m.workers);
    return m.status;
}

void sweep_cluster_dismiss(sweep_cluster *c) {
    cluster_message message = {.kind = CLUSTER_STOP, .whole = !c->lost};
    for (int rank = 1; rank < c->size; rank++)
        cluster_send(c, rank, &message);
}
