/* Where the set-up time of a call went: its critical path, walked backwards over the event log from the
 * moment at which the caller's call is established to the moment at which it was placed (docs/results.md). */
#ifndef SIM_RUN_SETUP_H
#define SIM_RUN_SETUP_H

#include "run/hops.h"
#include "scenario/model.h"
#include "trace/trace.h"

#define SETUP_NODES 8

typedef struct setup_node {
    const char *name;
    uint64_t computing_ns, queued_ns; /* on its processor; waiting for it */
} setup_node;

/* Its parts add up to the set-up time. */
typedef struct setup_account {
    uint64_t ringing_ns;
    uint64_t radio_ns, core_ns;    /* messages on access links; on those between routers and functions */
    uint64_t resent_ns;            /* from a message's first copy to the one that arrived */
    uint64_t keys_ns;              /* waiting for private keys or parameters, but for: */
    uint64_t kms_ns;               /* a KMS at work on them: computing, and waiting for its processor */
    uint64_t signalling_ns;        /* the rest, at nodes: queries to the HSS, timers, retries */
    setup_node nodes[SETUP_NODES]; /* cryptography; those beyond the last one are added to it */
    size_t node_count;
} setup_account;

uint64_t setup_crypto(const setup_account *a); /* computing and queued, of all nodes */
uint64_t setup_total(const setup_account *a);

typedef struct setup setup;

/* All are borrowed; `sim` may come later (setup_attach). NULL: out of memory. */
setup *setup_new(const scn_scenario *scenario);
void setup_attach(setup *s, n3_sim *sim, const hops *hops);
void setup_free(setup *s);

/* A sink of the event log: SIP, CPU, STATE and HTTP. */
void setup_event(void *s, const trace_event *event);

/* NULL: the call was not established, or memory ran out. */
const setup_account *setup_of(const setup *s, const char *call_id);

#endif
