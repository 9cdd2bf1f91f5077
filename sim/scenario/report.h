/* Scenario loader: what every step of loading shares: memory, errors, the file's name. */
#ifndef SCENARIO_REPORT_H
#define SCENARIO_REPORT_H

#include "scenario/arena.h"
#include "scenario/model.h"

/* A file that was read; `text` is borrowed. */
typedef struct scn_source_file {
    const char *path;
    const char *folder; /* where relative paths in it start; "" or ending in a slash */
    ibk_span text;
    const struct scn_source_file *next;
} scn_source_file;

typedef struct scn_ctx {
    scn_arena *arena;
    scn_errors *errors;
    const char *path;               /* as given; of the file that is being parsed */
    const char *folder;             /* of the scenario's own file */
    const scn_source_file *sources; /* the latest first */
    bool shape_broken;  /* names or entries are missing: judging references would only add noise */
    scn_error overflow; /* where errors go that the list has no room for */
} scn_ctx;

/* Adds an error; the result takes a hint with scn_hint. Never NULL. */
scn_error *scn_report(scn_ctx *ctx, const scn_where *where, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void scn_hint(scn_error *error, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Text of the user as it may stand in a message: at most 48 characters, no control characters; in the arena.
 */
const char *scn_show(scn_ctx *ctx, const char *text);
/* Sorts by place and copies the lines of the sources that errors point to. */
void scn_report_finish(scn_ctx *ctx);

/* The nearest name by edit distance (case counts little), or NULL if none is near. Feed it one by one. */
typedef struct scn_nearest {
    const char *word, *best;
    size_t distance;
} scn_nearest;
void scn_nearest_try(scn_nearest *nearest, const char *candidate);

#endif
