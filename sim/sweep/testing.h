/* For the tests of sweeps. */
#ifndef SWEEP_TESTING_H
#define SWEEP_TESTING_H

#include "sweep/sweep.h"

/* Loads a sweep from text: a head with version, title and the scenario scenarios/basic/first-call-80.yaml
 * stands before it. NULL: refused, *errors tells why. */
sweep *testing_sweep(const char *text, scn_errors *errors);

#endif
