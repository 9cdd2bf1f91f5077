/* ibakelab bench --json: figures as a result of kind benchmark (docs/results.md). */
#ifndef CLI_BENCH_RESULT_H
#define CLI_BENCH_RESULT_H

#include "reports/model.h"

/* `subject`: "crypto" or "sim". The caller adds versions, measures and `details`. */
void bench_result_begin(result_model *m, const char *subject, const char *title, bool quick);
/* Writes it to `path` ("-": standard output) and frees `m`. An exit status, after a message if need be. */
int bench_result_end(result_model *m, const char *command, const char *path);

/* "AMD EPYC …", or "" where the system does not tell. */
void bench_processor(char *out, size_t size);

#endif
