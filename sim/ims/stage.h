/* Test support: a small network around one router, on which nodes of the IMS are tried. Linked into tests
 * only. */
#ifndef IMS_STAGE_H
#define IMS_STAGE_H

#include "ims/host.h"

#define STAGE_NODES 12

typedef struct stage {
    ims_world world;
    n3_node *router;
    n3_node *node[STAGE_NODES];
    n3_link *link[STAGE_NODES]; /* node to router */
    size_t count;
} stage;

/* A node for each name, 5 ms from the router, IPv4, every name in the simulation's DNS. UTC starts at
 * 2026-03-02T09:00:00Z. Asserts that all goes well. */
void stage_open(stage *s, const char *const *names, size_t count, uint64_t seed);
void stage_close(stage *s); /* after everything on it was freed */

ims_host_config stage_host(stage *s, const char *name); /* for a node of this stage */
sip_addr stage_address(const stage *s, const char *name, uint16_t port);
void stage_play(stage *s, uint64_t ns); /* plays so much virtual time */
/* Cuts the node off, or lets it back. */
void stage_cut(stage *s, const char *name, bool cut);

#endif
