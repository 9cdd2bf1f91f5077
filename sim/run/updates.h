#ifndef SIM_RUN_UPDATES_H
#define SIM_RUN_UPDATES_H

#include "run/observe.h"

typedef struct call_updates {
    uint64_t updates;    /* CSB updates after which both ends hold the same keys */
    uint64_t rekeyings;  /* … that brought new EC Diffie-Hellman values */
    uint64_t mki_agreed; /* … which both ends name as the scenario does */
    uint64_t refused;    /* CSB updates that were begun and refused, or not answered */
    uint64_t glares;     /* offers answered 491 */
} call_updates;

call_updates observe_updates(const call_views *views);
/* Every attempt once, in the order of time. */
void observe_update_list(result *r, result_call *out, const call_views *views, const scn_call *call);

#endif
