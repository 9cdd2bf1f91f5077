/* ibakelab: a tree of named fields with the octets they stand in; what `decode` and `kms show` print, as
 * text, as JSON or as PDML. */
#ifndef CLI_TREE_H
#define CLI_TREE_H

#include "cli/xml.h"

#include <ibake/base.h>
#include <stdio.h>

#define TREE_MAX_NODES 200000u /* of one tree: a message has far fewer */

typedef struct tree_node {
    char *name, *text; /* text may be NULL */
    bool has_place;    /* offset and length are known */
    size_t offset, length;
    bool has_number, hidden; /* hidden: key material that was not asked for: neither text nor octets */
    uint64_t number;
    char *hex;      /* the whole field in hex, or NULL; JSON only where text has been cut */
    ibk_buf inside; /* octets from whose start the offsets of the descendants count; empty: as those of the
                       node */
    struct tree_node *first, *last, *next;
} tree_node;

typedef struct tree {
    tree_node root;
    size_t nodes;
    bool failed; /* out of memory or too many nodes: sticky; the functions below then return a scratch node */
    tree_node scratch;
} tree;

void tree_free(tree *t); /* legal on the zero value */

/* A new last child. Never NULL; `parent` NULL is the root. name and text are copied. */
tree_node *tree_add(tree *t, tree_node *parent, const char *name);
void tree_place(tree_node *node, size_t offset, size_t length);
void tree_number(tree_node *node, uint64_t number);
void tree_text(tree *t, tree_node *node, const char *format, ...) __attribute__((format(printf, 3, 4)));
/* Text of octets: as a quoted string if they are printable ASCII and `as_text`, else in hex. */
void tree_octets(tree *t, tree_node *node, ibk_span octets, bool as_text);

/* The offsets below the node count from the start of these octets, which are copied and wiped in the end. */
void tree_inside(tree *t, tree_node *node, ibk_span octets);
/* Whether something of the node's octets, or of those inside it, is hidden: then these are shown to nobody.
 */
bool tree_hides(const tree_node *node);

/* The children of the root, one a line, offset and length first. Long values are folded at `width` columns.
 */
void tree_print(FILE *file, const tree *t, unsigned indent, unsigned width);
/* The children of the root as JSON, an array of {"name","offset","length","number","text","hex","fields"},
 * appended to `out`; hex only where text does not show the octets already. Numbers above `most` are left out:
 * not every reader takes all 64 bits (text has them too). */
ibk_err tree_json(ibk_buf *out, const tree *t, uint64_t most);

/* The children of the root as elements `field` of PDML: named <protocol>.<child of the root>.<field>, pos and
 * size from the offsets, value from `octets`, in which these count. */
void tree_pdml(xml_out *out, const tree *t, const char *protocol, ibk_span octets);

#endif
