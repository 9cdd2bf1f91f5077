/* Sweep files: the table of their keys, and the raw structs that it fills (scenario/schema.h). */
#ifndef SWEEP_RAW_H
#define SWEEP_RAW_H

#include "scenario/schema.h"
#include "sweep/sweep.h"

typedef enum sweep_scale { SWEEP_LINEAR = 0, SWEEP_LOG } sweep_scale;

typedef struct raw_parameter {
    raw_head head;
    const char *name;
    const scn_node *set, *values, *cases, *from, *to;
    uint64_t steps;
    uint32_t scale; /* sweep_scale */
} raw_parameter;

typedef struct raw_measure {
    raw_head head;
    const char *name, *value, *unit;
} raw_measure;

typedef struct raw_hypercube {
    raw_head head;
    uint64_t samples, seed;
} raw_hypercube;

typedef struct raw_sweep {
    raw_head head;
    uint64_t version;
    const char *title, *description, *scenario;
    const scn_node *set, *seeds;
    raw_list parameters, measures; /* raw_parameter, raw_measure */
    raw_hypercube hypercube;
} raw_sweep;

extern const scn_section sweep_root_section;
extern const scn_section sweep_parameter_section;

/* What all paths and values of a sweep may still take: aliases, lists of paths and steps multiply. */
typedef struct sweep_room {
    size_t left; /* octets, of SWEEP_MAX_TEXT */
    bool told;   /* that there is none left */
} sweep_room;

/* Makes the choices of one parameter; what does not fit is reported. `hypercube` is NULL if there is none. */
void sweep_choices(scn_ctx *ctx, sweep_room *room, sweep_parameter *out, const raw_parameter *raw,
                   const raw_hypercube *hypercube);
/* "path=value" of each entry of a mapping, in *sets; NULL is an empty one. */
void sweep_sets_of(scn_ctx *ctx, sweep_room *room, const scn_node *node, const char *what, const char ***sets,
                   size_t *count);

/* ---- ranges (range.c) ---- */

/* The ends of a range in the finest unit of their quantity. */
typedef struct sweep_range {
    const scn_quantity *quantity; /* NULL: whole numbers without a unit */
    int64_t from, to;
    sweep_scale scale;
} sweep_range;

/* Reads both ends; what does not fit is reported and false returned. */
bool sweep_range_read(scn_ctx *ctx, sweep_range *out, const raw_parameter *raw);
/* The value at `part` (0 to 1) of the range, rounded where nobody would want all digits: to a hundredth of
 * the way between two of `count` values, on a logarithmic scale to four digits. */
int64_t sweep_range_at(const sweep_range *range, double part, size_t count);
/* The value at step i of n, exact to the finest unit on a linear scale. */
int64_t sweep_range_step(const sweep_range *range, size_t i, size_t n);
const char *sweep_range_text(scn_arena *arena, const sweep_range *range, int64_t value);

#endif
