/* Who knows what at the end of a run (docs/knowledge.md): honest nodes by what libibake told their key logs
 * and by the media that they accepted, adversaries by their analysts. */
#ifndef SIM_RUN_KNOWLEDGE_H
#define SIM_RUN_KNOWLEDGE_H

#include "reports/result.h"
#include "run/world.h"

/* In a run with more users than this, those alone have facts that an expectation names; of more calls, the
 * first ones and those that an expectation names. */
#define KNOWLEDGE_USERS 64
#define KNOWLEDGE_CALLS 64

/* Once nodes and users have their names, and before any key log is written: the parties of the ledger. */
ibk_err knowledge_prepare(world *w);
/* When the run is over, before the adversaries' minds conclude. */
void knowledge_conclude(world *w);

#define KNOWLEDGE_TEXT 240
/* An expectation of kind KNOWLEDGE; `observed` tells what there is, and of what should not be how it came
 * about. */
bool knowledge_holds(const world *w, const scn_expectation *e, char observed[KNOWLEDGE_TEXT]);

void observe_knowledge(result *r, const world *w);

#endif
