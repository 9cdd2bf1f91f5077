/* For the tests of the scenario loader. */
#ifndef SCENARIO_TESTING_H
#define SCENARIO_TESTING_H

#include "scenario/model.h"

#define SCENARIOS SCENARIO_SOURCE "/../../scenarios"

/* The scenarios that ship, paths below SCENARIOS; ends with NULL. */
extern const char *const testing_shipped[];

/* A scenario that gives every key another value than its default. */
extern const char testing_full[];

/* Loads or fails the test, printing the errors. */
scn_scenario *testing_load(const char *path, const char *const *sets, size_t count);
scn_scenario *testing_load_text(const char *text, const char *const *sets, size_t count);

/* Writes the resolved configuration, loads it, and holds the two models against each other. */
void testing_round_trip(const scn_scenario *s);

#endif
