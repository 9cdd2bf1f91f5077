/* The versions of everything that makes a run what it is. */
#ifndef SIM_RUN_VERSIONS_H
#define SIM_RUN_VERSIONS_H

#include "reports/result.h"

void versions_add(result *r);

#endif
