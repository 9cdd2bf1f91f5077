/* Combinations: rows of values such that any `strength` factors show every combination of their values. */
#ifndef CONFORMANCE_SUITE_COVER_H
#define CONFORMANCE_SUITE_COVER_H

#include <stddef.h>

enum { SUITE_FACTORS_MAX = 8 };

typedef struct suite_rows {
    unsigned char (*rows)[SUITE_FACTORS_MAX];
    size_t count;
} suite_rows;

/* values[i]: how many values factor i has (2 … 15; at most 20,000 rows in all). Always the same rows for the
 * same arguments. Frees nothing: the caller frees rows. No memory: count is 0. */
suite_rows suite_cover(const unsigned *values, size_t factors, unsigned strength);

#endif
