/* The security properties of a run: what must hold of every exchange, whatever an adversary does
 * (docs/properties.md). They are judged from what the nodes did, not from what they say of each other. */
#ifndef SIM_RUN_PROPERTIES_H
#define SIM_RUN_PROPERTIES_H

#include "scenario/model.h"

struct world;

typedef struct property_finding {
    bool broken;
    char detail[160]; /* of the first violation: who, in which call */
} property_finding;

/* Before the run: from now on, at each call that is established, the memory of its UE is looked at. */
ibk_err properties_watch(struct world *w);
/* At its end, when the adversaries have concluded: completes w->properties. */
void properties_judge(struct world *w);
/* Bit (1 << scn_property) for each that is broken. */
uint64_t properties_broken(const property_finding findings[SCN_PROPERTIES]);

#endif
