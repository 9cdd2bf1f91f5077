/* ibakelab attack: attacks are tried, several at a time, each in a process of its own. */
#ifndef CLI_ATTACK_TRIALS_H
#define CLI_ATTACK_TRIALS_H

#include "attack/attack.h"
#include "cli/scenario_options.h"

#define TRIAL_JOBS_MAX 64
#define TRIAL_SECONDS  300 /* wall time after which a run counts as one that does not end */

/* What became of a run. Bits (1 << scn_property) of `broken`, and beyond them: */
#define TRIAL_CRASHED                                                                                        \
    (UINT64_C(1) << 62) /* the run ended by a signal, by an internal error, or not at all                    \
                         */

typedef struct trial {
    bool refused; /* the attack is no scenario: only simplifications may be */
    uint64_t broken;
    char detail[200]; /* of the first one */
} trial;

const char *trial_name(uint64_t broken); /* of the first one: "freshness", "crash" */

typedef struct trials {
    const scenario_options *options;
    const scn_scenario *scenario; /* that is under attack */
    const char *base;             /* its path, absolute */
    size_t jobs;
    /* Before each trial begins, and now and then; may be NULL. */
    void (*progress)(void *user, size_t begun);
    void *user;
} trials;

/* The index-th attack to try; false: there are no more. */
typedef bool trials_next(void *from, size_t index, attack *out);

/* Tries attacks 0, 1, 2 … until one breaks a property of `wanted`, and returns true with the lowest such
 * index, the attack and what became of it. The same attacks give the same answer, whatever `jobs` is. *tried:
 * how many it took. False: none does, or *err tells why it could not go on. */
bool trials_first(const trials *t, trials_next *next, void *from, uint64_t wanted, size_t *index,
                  attack *found, trial *what, size_t *tried, ibk_err *err);

#endif
