/* Test support: messages and inner contents in which every payload kind occurs. */
#ifndef MIKEY_SAMPLES_H
#define MIKEY_SAMPLES_H

#include <ibake/mikey.h>

typedef struct sample {
    const char *name;
    uint8_t container; /* 0: a message; else the content of this payload */
    ibk_buf octets;
} sample;

enum { SAMPLES_MAX = 32 };

/* Fills the array; aborts the test on failure. Returns the count. Free with samples_free. */
size_t samples_make(sample out[SAMPLES_MAX]);
void samples_free(sample *samples, size_t count);

/* Hex text to octets; spaces are skipped. */
ibk_buf unhex(const char *hex);
/* Octets first, first + 1, …: at most 1024 of them, static storage. */
ibk_span pattern(uint8_t first, size_t len);

/* A repeatable environment: octets from a counter. */
ibk_env counting_env(uint64_t *counter);

/* Parses a sample and writes it again, appended to `out`. */
ibk_err reencode(const sample *s, ibk_span in, ibk_buf *out, ibk_diag *diag);

#endif
