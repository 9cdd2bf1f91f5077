/* Scenario loader: YAML as a tree of nodes that remember where they stand. Aliases are expanded by copying,
 * within a budget; tags, merge keys and complex keys are refused. */
#ifndef SCENARIO_TREE_H
#define SCENARIO_TREE_H

#include "scenario/report.h"

#define SCN_MAX_DEPTH  16
#define SCN_MAX_NODES  100000
#define SCN_MAX_SCALAR 4096
#define SCN_MAX_ANCHOR 256

typedef enum scn_node_kind { SCN_SCALAR = 0, SCN_SEQUENCE, SCN_MAPPING } scn_node_kind;

typedef struct scn_node {
    scn_node_kind kind;
    scn_where where;
    const char *text; /* SCALAR */
    bool plain;       /* SCALAR: not quoted, not a block */
    struct scn_node *keys,
        *items; /* MAPPING: keys[i] belongs to items[i]; SEQUENCE: items alone; room for one more */
    size_t count;
} scn_node;

/* Parses text into *root (owned by ctx->arena). False: refused, errors are reported. Duplicate and merge keys
 * are reported and stay in the tree: who reads a mapping skips them (scn_node_repeats). */
bool scn_tree_parse(scn_ctx *ctx, scn_node *root, ibk_span text);
/* A piece of YAML from a --set, every node of it at `where`. */
bool scn_tree_parse_value(scn_ctx *ctx, scn_node *root, const char *text, const scn_where *where);

bool scn_node_is_null(const scn_node *node); /* nothing, ~ or null, unquoted */
/* The value of a key of a mapping; NULL: no such key, or no mapping. */
scn_node *scn_node_get(const scn_node *mapping, const char *key);
/* Is keys[index] a merge key, or equal to one before it? */
bool scn_node_repeats(const scn_node *mapping, size_t index);
scn_node *scn_node_add(scn_ctx *ctx, scn_node *mapping, const char *key, const scn_where *where);
const char *scn_node_kind_name(const scn_node *node); /* "a list", "a mapping", "nothing", "a single value" */

/* Applies "path=value" texts. Reports what does not fit. */
void scn_override(scn_ctx *ctx, scn_node *root, const char *const *sets, size_t count);

/* The value of a --set that is read as this node, in the arena; NULL: it would be longer than `max` octets,
 * or out of memory. */
const char *scn_override_value(scn_ctx *ctx, const scn_node *node, size_t max);

#endif
