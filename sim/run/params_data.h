/* The parameter sets of data/ibe-params as octets; params_data.c is written from them by the build
 * (embed.cmake). */
#ifndef SIM_RUN_PARAMS_DATA_H
#define SIM_RUN_PARAMS_DATA_H

#include <stddef.h>
#include <stdint.h>

typedef struct run_params_set {
    unsigned n; /* 1024, 2048, … */
    const uint8_t *params, *master;
    size_t params_len, master_len;
} run_params_set;

extern const run_params_set run_params_sets[];
extern const size_t run_params_set_count; /* those that a scenario may have */
extern const size_t run_params_set_all;   /* and larger ones, for measuring alone */

#endif
