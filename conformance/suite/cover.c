/* Covering arrays, greedily: of all rows the one that shows most combinations that no row has shown. */
#include "conformance/suite/cover.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { SETS_MAX = 56 /* of 3 factors out of 8 */, VALUES = 16 };

typedef struct covering {
    const unsigned *values;
    size_t factors;
    unsigned char sets[SETS_MAX][3]; /* of factors; a place that strength does not use repeats the first */
    size_t n_sets;
    bool (*seen)[VALUES * VALUES * VALUES];
} covering;

static void list_sets(covering *c, unsigned strength) {
    size_t n = c->factors;
    for (size_t i = 0; i < n; i++)
        for (size_t j = strength > 1 ? i + 1 : i; j < n; j++) {
            for (size_t k = strength > 2 ? j + 1 : j; k < n && c->n_sets < SETS_MAX; k++) {
                memcpy(c->sets[c->n_sets++],
                       (unsigned char[]){(unsigned char)i, (unsigned char)j, (unsigned char)k}, 3);
                if (strength < 3)
                    break;
            }
            if (strength < 2)
                break;
        }
}

static size_t place(const covering *c, size_t set, const unsigned char *row) {
    const unsigned char *f = c->sets[set];
    return ((size_t)row[f[0]] * VALUES + row[f[1]]) * VALUES + row[f[2]];
}

static size_t news(const covering *c, const unsigned char *row) {
    size_t n = 0;
    for (size_t s = 0; s < c->n_sets; s++)
        n += !c->seen[s][place(c, s, row)];
    return n;
}

/* The next row in the order of counting; false: it was the last. */
static bool count_on(const covering *c, unsigned char *row) {
    for (size_t i = c->factors; i-- > 0;) {
        if (++row[i] < c->values[i])
            return true;
        row[i] = 0;
    }
    return false;
}

static bool add_best(const covering *c, suite_rows *out) {
    unsigned char row[SUITE_FACTORS_MAX] = {0}, best[SUITE_FACTORS_MAX];
    size_t most = 0;
    do {
        size_t n = news(c, row);
        if (n > most) {
            most = n;
            memcpy(best, row, sizeof best);
        }
    } while (count_on(c, row));
    if (most == 0)
        return false;
    void *grown = realloc(out->rows, (out->count + 1) * sizeof *out->rows);
    if (!grown)
        return false;
    out->rows = grown;
    memcpy(out->rows[out->count++], best, sizeof best);
    for (size_t s = 0; s < c->n_sets; s++)
        c->seen[s][place(c, s, best)] = true;
    return true;
}

suite_rows suite_cover(const unsigned *values, size_t factors, unsigned strength) {
    suite_rows out = {0};
    covering c = {.values = values, .factors = factors};
    list_sets(&c, strength);
    c.seen = c.n_sets > 0 ? calloc(c.n_sets, sizeof *c.seen) : NULL;
    while (c.seen && add_best(&c, &out)) {
    }
    free(c.seen);
    return out;
}
