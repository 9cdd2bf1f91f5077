/* The scenario's expectations, held against what was observed. */
#ifndef SIM_RUN_JUDGE_H
#define SIM_RUN_JUDGE_H

#include "run/observe.h"

/* Adds each expectation to the result and sets the verdict. */
void judge(result *r, const world *w);

#endif
