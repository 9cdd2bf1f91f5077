/* Measures of a sweep: numbers out of a run's result.json, in a small language (docs/sweeps.md).
 *
 *     comparison = sum [("=" | "!=" | "<" | "<=" | ">" | ">=") (sum | word)]
 *     sum        = product {("+" | "-") product}
 *     product    = factor {("*" | "/") factor}
 *     factor     = number | "-" factor | "(" comparison ")" | function "(" path ["," number] ")" | path
 *     path       = member {"." member | "[" [index | key=value | key!=value | name] "]"}
 */
#ifndef SWEEP_MEASURE_H
#define SWEEP_MEASURE_H

#include "scenario/arena.h"

#include <jansson.h>

typedef struct measure_node measure_node;

/* What is wrong with a text, and where in it (octets from its beginning). */
typedef struct measure_problem {
    size_t offset;
    char message[160], hint[160];
} measure_problem;

/* Parses a measure and checks every path of it against `shape`, a result.json that has one entry in each of
 * its lists (measure_shape). NULL: *problem says why, or the arena failed. The node lives in the arena. */
const measure_node *measure_parse(scn_arena *arena, const char *text, const json_t *shape,
                                  measure_problem *problem);
/* The members that a result.json has; NULL: out of memory. Free with json_decref. */
json_t *measure_shape(void);

#define MEASURE_WHY 160
/* The number that a result has for it. NaN: it has none, and `why` tells the reason: what is absent, null, of
 * another type, or a division by zero. */
double measure_value(const measure_node *node, const json_t *result, char why[MEASURE_WHY]);

#endif
