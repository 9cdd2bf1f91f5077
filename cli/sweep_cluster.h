/* ibakelab sweep under MPI: rank 0 owns the database and hands out points; the others play them and send rows
 * back. A worker that is silent for too long is given up, and its points go to others. */
#ifndef CLI_SWEEP_CLUSTER_H
#define CLI_SWEEP_CLUSTER_H

#include "cli/sweep_campaign.h"
#include "cli/sweep_transport.h"

typedef struct sweep_cluster {
    const sweep_transport *transport;
    int rank, size;
    double patience; /* seconds of silence after which rank 0 takes a worker for lost */
    bool begun;
    bool lost; /* a process is: leaving together is impossible */
} sweep_cluster;

/* Has a launcher of MPI (mpirun, srun) started this process? */
bool sweep_cluster_launched(void);
/* Joins the others. CLI_OK, or a status after a message. */
int sweep_cluster_begin(sweep_cluster *c, double patience);
/* Leaves them, when everything is written. Legal on the zero value. */
void sweep_cluster_end(sweep_cluster *c);

/* ---- rank 0 ---- */

/* Plays what is left of a campaign; the workers' stamps must be ours. A status. */
int sweep_cluster_play(sweep_cluster *c, sweep_campaign *campaign, const sweep_stamp *stamp);
/* Lets the workers go; they wait for that or for sweep_cluster_play, whatever happens here. */
void sweep_cluster_dismiss(sweep_cluster *c);

/* ---- the others ---- */

/* Reads the sweep when rank 0 says so. A refused one is reported to rank 0 by the text in `why`. */
typedef bool sweep_cluster_load(void *user, sweep **out, sweep_stamp *stamp, char *why, size_t size);
/* Plays points until rank 0 has no more. */
void sweep_cluster_work(sweep_cluster *c, sweep_cluster_load *load, void *user, const char *keep,
                        size_t jobs);

/* ---- what both say (sweep_cluster.c, sweep_worker.c) ---- */

/* A rank tries every value of the sweep before it says a word; and so long a silence of rank 0 is its end. */
#define CLUSTER_START_SECONDS 600

typedef enum cluster_kind {
    CLUSTER_GO = 1, /* to a worker: read the sweep */
    CLUSTER_HELLO,  /* from it: stamp, jobs */
    CLUSTER_FAIL,   /* from it: it cannot go on, text */
    CLUSTER_POINT,  /* to it */
    CLUSTER_ROW,    /* from it */
    CLUSTER_ALIVE,  /* from it, now and then, and the answer */
    CLUSTER_STOP    /* to it: no more points; `whole` */
} cluster_kind;

/* As it is in memory: all ranks run the same program on machines of one kind. */
typedef struct cluster_message {
    uint32_t kind, whole;
    uint64_t point, jobs;
    sweep_stamp stamp;
    char text[240];
    sweep_row row;
} cluster_message;

double cluster_now(void);
void cluster_pause(void); /* a millisecond: waiting costs no processor */
bool cluster_send(const sweep_cluster *c, int to, const cluster_message *message);

#endif
