/* What run, check, show and attack have in common: scenario files, --set and --seed. */
#ifndef CLI_SCENARIO_OPTIONS_H
#define CLI_SCENARIO_OPTIONS_H

#include "cli/cli.h"
#include "scenario/model.h"

#define CLI_SETS_MAX 256

typedef struct scenario_options {
    const char *sets[CLI_SETS_MAX];
    size_t set_count;
    char seed[40]; /* "seed=7", for --seed 7 */
} scenario_options;

/* Takes the argument of --set or --seed; CLI_OK, or CLI_BAD after a message. */
int scenario_options_set(scenario_options *o, const char *command, const char *text);
int scenario_options_seed(scenario_options *o, const char *command, const char *text);
/* Loads one file; on failure its errors are printed and an exit status is returned. */
int scenario_options_load(const scenario_options *o, const char *command, const char *path,
                          scn_scenario **out);

/* What a scenario is called in names of files: "scenarios/basic/first-call.yaml" -> "first-call". */
void scenario_options_name(char *out, size_t size, const char *path);

#endif
