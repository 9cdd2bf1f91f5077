/* The module that speaks MPI (sweep_transport.h). */
#include "cli/sweep_transport.h"

#include <mpi.h>
#include <stdlib.h>
#include <string.h>

enum { TAG = 6267 };

extern const sweep_transport ibakelab_sweep_transport;

static bool begin(int *rank, int *size) {
    if (MPI_Init(NULL, NULL) != MPI_SUCCESS)
        return false;
    MPI_Comm_set_errhandler(MPI_COMM_WORLD,
                            MPI_ERRORS_RETURN); /* a rank that is gone is no reason to abort */
    return MPI_Comm_rank(MPI_COMM_WORLD, rank) == MPI_SUCCESS &&
           MPI_Comm_size(MPI_COMM_WORLD, size) == MPI_SUCCESS;
}

/* A message under way. A blocking send to a process that has died may never return. */
typedef struct parcel {
    struct parcel *next;
    MPI_Request request;
    char data[];
} parcel;
static parcel *under_way;

/* Frees what has arrived; with `wait`, waits for all of it. */
static void clear_away(bool wait) {
    for (parcel **at = &under_way; *at;) {
        parcel *p = *at;
        int arrived = 1;
        if (wait)
            MPI_Wait(&p->request, MPI_STATUS_IGNORE);
        else if (MPI_Test(&p->request, &arrived, MPI_STATUS_IGNORE) != MPI_SUCCESS)
            arrived = 1;
        if (arrived) {
            *at = p->next;
            free(p);
        } else {
            at = &p->next;
        }
    }
}

static bool send_octets(int to, const void *data, size_t len) {
    parcel *p = malloc(sizeof *p + len);
    clear_away(false);
    if (!p)
        return false;
    memcpy(p->data, data, len);
    if (MPI_Isend(p->data, (int)len, MPI_BYTE, to, TAG, MPI_COMM_WORLD, &p->request) != MPI_SUCCESS) {
        free(p);
        return false;
    }
    p->next = under_way;
    under_way = p;
    return true;
}

static bool receive_octets(int *from, void *data, size_t room) {
    int there = 0;
    MPI_Status status;
    clear_away(false);
    if (MPI_Iprobe(MPI_ANY_SOURCE, TAG, MPI_COMM_WORLD, &there, &status) != MPI_SUCCESS || !there)
        return false;
    *from = status.MPI_SOURCE;
    return MPI_Recv(data, (int)room, MPI_BYTE, *from, TAG, MPI_COMM_WORLD, MPI_STATUS_IGNORE) == MPI_SUCCESS;
}

static void end(bool whole) {
    if (!whole)
        MPI_Abort(MPI_COMM_WORLD, 0);
    clear_away(true);
    MPI_Finalize();
}

const sweep_transport ibakelab_sweep_transport = {begin, send_octets, receive_octets, end};
