/* ibakelab sweep under MPI, every rank but 0. */
#include "cli/sweep_cluster.h"
#include "cli/sweep_crew.h"

#include <errno.h>
#include <string.h>

#define MAX_WAITING     1024
#define STOPPED_SECONDS 10

typedef struct life {
    sweep_cluster *c;
    sweep_crew crew;
    double heard, said; /* when rank 0 last spoke, and when this one did */
    double looked;      /* at the clock */
    bool over, whole;
    size_t waiting[MAX_WAITING], waiting_count; /* points that came while there was no room: rank 0 had given
                                                   this one up too early */
} life;

static void say(life *l, cluster_message *message, cluster_kind kind) {
    message->kind = kind;
    l->said = cluster_now();
    if (!cluster_send(l->c, 0, message))
        l->over = true;
}

static void fail(life *l, const char *why) {
    cluster_message message = {0};
    snprintf(message.text, sizeof message.text, "%s", why);
    say(l, &message, CLUSTER_FAIL);
}

/* The next message of rank 0; false: none has come. */
static bool hear(life *l, cluster_message *message) {
    int from;
    if (!l->c->transport->receive(&from, message, sizeof *message))
        return false;
    l->heard = cluster_now();
    if (message->kind == CLUSTER_STOP) {
        l->over = true;
        l->whole = message->whole;
    }
    return true;
}

/* Has rank 0 been silent for so long that it must be gone? To take a living one for dead would end the sweep,
 * so this is far beyond the patience that rank 0 has with us; and while this process was stopped it heard
 * nobody. */
static bool is_alone(life *l) {
    double now = cluster_now();
    if (now - l->looked > STOPPED_SECONDS)
        l->heard = now;
    l->looked = now;
    return now - l->heard > CLUSTER_START_SECONDS;
}

/* Until it is said to stop, or rank 0 is gone. */
static bool await(life *l, cluster_kind kind) {
    cluster_message message;
    while (!l->over) {
        if (hear(l, &message) && message.kind == kind)
            return true;
        if (is_alone(l))
            l->over = true;
        else
            cluster_pause();
    }
    return false;
}

static void take_point(life *l, size_t point) {
    if (l->waiting_count < MAX_WAITING)
        l->waiting[l->waiting_count++] = point;
    else
        fail(l, "too many points came");
}

static void start_points(life *l) {
    while (l->waiting_count && sweep_crew_has_room(&l->crew))
        if (!sweep_crew_start(&l->crew, l->waiting[--l->waiting_count])) {
            fail(l, strerror(errno));
            return;
        }
}

static void play(life *l) {
    cluster_message message;
    while (!l->over) {
        bool idle = !hear(l, &message);
        if (!idle && message.kind == CLUSTER_POINT)
            take_point(l, message.point);
        start_points(l);
        memset(&message, 0, sizeof message);
        if (sweep_crew_next(&l->crew, &message.row, false)) {
            idle = false;
            say(l, &message, CLUSTER_ROW);
        }
        if (cluster_now() - l->said > l->c->patience / 10)
            say(l, &message, CLUSTER_ALIVE);
        l->over |= is_alone(l);
        if (idle)
            cluster_pause();
    }
}

void sweep_cluster_work(sweep_cluster *c, sweep_cluster_load *load, void *user, const char *keep,
                        size_t jobs) {
    life l = {.c = c, .heard = cluster_now(), .said = cluster_now(), .looked = cluster_now()};
    cluster_message message = {.jobs = jobs};
    sweep *s = NULL;
    if (await(&l, CLUSTER_GO)) {
        if (!load(user, &s, &message.stamp, message.text, sizeof message.text))
            say(&l, &message, CLUSTER_FAIL);
        else if (!sweep_crew_begin(&l.crew, s, keep, jobs))
            fail(&l, "out of memory");
        else {
            say(&l, &message, CLUSTER_HELLO);
            play(&l);
        }
        await(&l, CLUSTER_STOP);
    }
    sweep_crew_end(&l.crew);
    sweep_free(s);
    c->lost = !l.whole;
    if (c->lost) /* to leave first would end rank 0, too; it ends everybody when it has written all */
        await(&(life){.c = c, .heard = cluster_now(), .looked = cluster_now()}, CLUSTER_STOP);
}
