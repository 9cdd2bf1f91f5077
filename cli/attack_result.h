/* ibakelab attack: a campaign as a result of kind attack (docs/results.md), and the runs that show what it
 * found. */
#ifndef CLI_ATTACK_RESULT_H
#define CLI_ATTACK_RESULT_H

#include "cli/attack_trials.h"

/* What a campaign came to. All is borrowed. */
typedef struct attack_campaign {
    const char *file; /* the scenario under attack, as it was given */
    const char *out;  /* the result folder */
    const scenario_options *options;
    const scn_scenario *scenario;
    uint64_t seed, rounds_planned;
    size_t rounds; /* that were tried */
    /* What was found; `found` NULL: nothing was broken, and the rest is 0. */
    const attack *found; /* shortened */
    const trial *what;
    size_t round, rules_before, tries;
    const char *kept; /* name of the scenario file in `out` that shows it: "first-call-terms-8.yaml" */
    const char *base; /* path of the scenario under attack as seen from `out` */
} attack_campaign;

/* Plays what was found once more, into a folder of its own in c->out, and its twin: the same without what was
 * --set. Then writes c->out/result.json. An exit status, after a message if need be: CLI_OK, CLI_BAD,
 * CLI_INTERNAL. */
int attack_result_write(const attack_campaign *c);
/* What an earlier campaign left must not be taken for the result of one that does not end. */
void attack_result_clear(const char *out);

#endif
