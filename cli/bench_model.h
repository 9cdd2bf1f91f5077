#ifndef CLI_BENCH_MODEL_H
#define CLI_BENCH_MODEL_H

#include <stdbool.h>

/* `ibakelab bench crypto --emit-cpu-model`: measures every operation that a CPU model has a time for, and
 * writes the model. `path` NULL or "-": to standard output. `large`: parameters of 7680 bits as well. Returns
 * an exit status. */
int bench_model(const char *path, bool quick, bool large);

#endif
