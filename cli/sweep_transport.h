/* ibakelab sweep: how processes on several machines speak with each other. The only one that does is a module
 * of its own, linked with MPI (sweep_mpi.c): it is opened when a launcher of MPI has started the program, so
 * that nobody else waits for MPI to start. */
#ifndef CLI_SWEEP_TRANSPORT_H
#define CLI_SWEEP_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>

typedef struct sweep_transport {
    /* Once, before all else; false: it cannot be had. Ranks are 0 to size - 1. */
    bool (*begin)(int *rank, int *size);
    /* `len` octets to a rank. False: it cannot be reached. */
    bool (*send)(int to, const void *data, size_t len);
    /* A message that has come, at most `room` octets of it; false: none. Does not wait. */
    bool (*receive)(int *from, void *data, size_t room);
    /* Leaves. `whole`: all ranks do; else one of them is gone, and waiting for it would never end. */
    void (*end)(bool whole);
} sweep_transport;

#define SWEEP_TRANSPORT_SYMBOL "ibakelab_sweep_transport"

#endif
