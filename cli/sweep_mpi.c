/* The module that speaks MPI (sweep_transport.h). */
#include "cli/sweep_transport.h"

#include <mpi.h>
#include <stdio.h>

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

static bool send_octets(int to, const void *data, size_t len) {
    return MPI_Send(data, (int)len, MPI_BYTE, to, TAG, MPI_COMM_WORLD) == MPI_SUCCESS;
}

static bool receive_octets(int *from, void *data, size_t room) {
    int there = 0;
    MPI_Status status;
    if (MPI_Iprobe(MPI_ANY_SOURCE, TAG, MPI_COMM_WORLD, &there, &status) != MPI_SUCCESS || !there)
        return false;
    *from = status.MPI_SOURCE;
    return MPI_Recv(data, (int)room, MPI_BYTE, *from, TAG, MPI_COMM_WORLD, MPI_STATUS_IGNORE) == MPI_SUCCESS;
}

static void end(bool whole) {
    if (whole)
        MPI_Finalize();
    else
        MPI_Abort(MPI_COMM_WORLD, 0);
}

const sweep_transport ibakelab_sweep_transport = {begin, send_octets, receive_octets, end};
