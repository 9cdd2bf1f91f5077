/* ibakelab: inside of page_run: the nodes of a run, their addresses, and what passed their links.
 */
#ifndef REPORTS_PAGE_NODES_H
#define REPORTS_PAGE_NODES_H

#include "reports/ladder_view.h"
#include "reports/run_folder.h"

typedef struct page_node {
    char *name;
    const result_link *link; /* of its own, to its router; NULL: none */
    size_t router;           /* of that link; NAME_INDEX_NONE */
} page_node;

/* Messages from one node to another; in the end they are added up for the links between them. */
typedef struct page_pair {
    size_t from, to;
    uint64_t messages;
} page_pair;

/* The zero value knows no node. */
typedef struct page_nodes {
    page_node *items;
    size_t count, capacity;
    page_pair *pairs;
    size_t pair_count, pair_capacity;
    uint64_t *link_messages; /* by link of the result */
    name_index by_name, addresses, by_pair;
    bool failed; /* out of memory: sticky */
} page_nodes;

void page_nodes_end(page_nodes *n);

/* Learns from an event: nodes, their addresses, messages between them. For run_folder_open(). */
void page_nodes_event(void *user, const trace_event *e);
/* Once all events are known: which links the messages passed. `r` is borrowed until the end. */
void page_nodes_count_links(page_nodes *n, const result *r);

size_t page_nodes_find(const page_nodes *n, const char *name); /* NAME_INDEX_NONE: not known */
size_t page_nodes_find_span(const page_nodes *n, ibk_span name);
const result_link *page_nodes_link(const page_nodes *n, size_t node); /* NULL: it has none of its own */

/* "nodes" and "links" of the page; NULL: out of memory. */
json_t *page_nodes_json(const page_nodes *n, const result *r);
json_t *page_nodes_links_json(const page_nodes *n, const result *r, const char *dir);

#endif
