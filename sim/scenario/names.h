/* Scenario loader: names, groups, and finding by name in lists of many thousands. */
#ifndef SCENARIO_NAMES_H
#define SCENARIO_NAMES_H

#include "scenario/schema.h"

typedef struct scn_named {
    const char *name;
    size_t index;
    const scn_where *where;
} scn_named;

/* Sorted by name, then index. */
typedef struct scn_index {
    scn_named *list;
    size_t count;
} scn_index;

bool scn_index_new(scn_ctx *ctx, scn_index *index, size_t count); /* room for count; filled by the caller */
void scn_index_sort(scn_index *index);
const scn_named *scn_index_find(const scn_index *index, const char *name);
/* Reports each name that two entries have: "two users are named 'alice'". */
void scn_index_unique(scn_ctx *ctx, const scn_index *index, const char *what);
const char *scn_index_nearest(const scn_index *index, const char *word);

bool scn_has_number(const char *text); /* holds {n} */
/* The text with {n} replaced; the same pointer if there is none. */
const char *scn_put_number(scn_arena *arena, const char *text, size_t number);
/* Reports {n} in a text of an entry that is no group. */
void scn_check_number(scn_ctx *ctx, const raw_head *head, const char *key, const char *text);

#endif
