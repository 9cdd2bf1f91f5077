/* The files of data/cpu-models as octets; model_data.c is written from them by the build (embed.cmake). */
#ifndef CPU_MODEL_DATA_H
#define CPU_MODEL_DATA_H

#include <stddef.h>
#include <stdint.h>

typedef struct cpu_model_file {
    const char *word; /* "server" */
    const uint8_t *text;
    size_t len;
} cpu_model_file;

extern const cpu_model_file cpu_model_files[];
extern const size_t cpu_model_file_count;

#endif
