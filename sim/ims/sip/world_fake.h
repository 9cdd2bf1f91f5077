/* SIP tests: a few stacks in one process, a clock that jumps, and a wire that delays and loses. Not ns-3: the
 * state machines alone are under test here; net_test.c has the real network. */
#ifndef IMS_SIP_WORLD_FAKE_H
#define IMS_SIP_WORLD_FAKE_H

#include "ims/sip/call.h"
#include "ims/sip/proxy.h"

#define WORLD_NODES 6

typedef struct world world;
typedef struct node node;

struct node {
    world *w;
    const char *name; /* host name and sent-by */
    sip_addr addr;
    sip_env env;
    sip_config config;
    sip_core core;
    sip_stack *stack;
    sip_ua *ua;
    sip_proxy *proxy;
    bool no_tcp;                      /* connections are refused */
    bool deaf;                        /* nothing arrives */
    unsigned sent, received, repeats; /* by the trace */
    char log[4000];                   /* labels of what it sent and received, ">INVITE <100 Trying …" */
};

typedef struct fake_timer {
    struct fake_timer *next;
    uint64_t at, id;
    void (*fire)(void *arg);
    void *arg;
} fake_timer;

struct world {
    uint64_t now, last_id;
    fake_timer *timers; /* by time, then by order of starting */
    uint32_t random;
    unsigned loss_percent; /* of datagrams */
    uint64_t delay;
    node node[WORLD_NODES];
    size_t count;
    unsigned packets;
};

world *world_new(unsigned loss_percent, uint32_t seed);
/* Runs until nothing is scheduled, or virtual time passes `until`. */
void world_run(world *w, uint64_t until_ns);
void world_free(world *w); /* also the nodes' stacks, agents and proxies */
/* A node with 10.0.0.<n> and port 5060. config may be NULL. The stack is made with `core`. */
node *world_add(world *w, const char *name, const sip_core *core, const sip_config *config);
/* The node's user agent, fed by its stack (core must be world_ua_core(node)). */
sip_core world_ua_core(world *w); /* for the node that is added next */
sip_core world_proxy_core(world *w, void (*request)(void *user, sip_server *server, const sip_msg *request));
void world_make_ua(node *n, const sip_ua_ops *ops, void *user);
void world_make_proxy(node *n);
sip_name_addr world_party(sip_arena *arena, const char *uri);

#endif
