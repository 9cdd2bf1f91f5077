/* A worker of the suite: its adapter's processes, and the trials that it makes of cases. */
#ifndef CONFORMANCE_SUITE_TRIAL_H
#define CONFORMANCE_SUITE_TRIAL_H

#include "conformance/suite/process.h"
#include "conformance/suite/suite.h"

#include <setjmp.h>

typedef enum suite_verdict {
    SUITE_PASS = 0,
    SUITE_FAIL,
    SUITE_SKIPPED,
    SUITE_ERROR, /* the suite's own */
    SUITE_CRASH,
    SUITE_TIMEOUT,
    SUITE_GARBAGE,
    SUITE_NONDETERMINISTIC,
    SUITE_VERDICTS
} suite_verdict;

const char *suite_verdict_name(suite_verdict verdict);

typedef struct suite_world suite_world; /* parameters and keys, kept from case to case */

typedef struct suite_worker {
    const char *command; /* of the adapter */
    const char *data;    /* the folder with data/ibe-params/ */
    double limit;        /* seconds for an answer; 0: what IUT.md §8 says */
    suite_process *processes[2];
    json_int_t seq[2];
    json_t *hello; /* of the first process */
    suite_world *world;
    int memory[SUITE_MEMORIES]; /* of the cases: suite_memory */
} suite_worker;

/* What came of a trial. Texts are owned. */
typedef struct suite_outcome {
    suite_verdict verdict;
    char *requirement;       /* of a fail, or NULL; "" where it is about the contract alone (IUT.md §2) */
    char *permitted;         /* what the text permits */
    char *reason;            /* what was there instead, why it was skipped … */
    char *sent;              /* the last message that was handed in, decoded */
    char *came;              /* the last report */
    char *transcript;        /* all lines: "A> {…}", "A< {…}" */
    double seconds, slowest; /* of the trial; of the slowest answer */
    bool slow;               /* an answer took more than a tenth of the limit */
} suite_outcome;

void suite_outcome_free(suite_outcome *outcome);
/* Plays a case: never fails, since every trouble is a verdict. */
void suite_trial_play(suite_worker *worker, const suite_case *c, suite_outcome *out);
/* The same without a look at what hello claims. */
void suite_trial_force(suite_worker *worker, const suite_case *c, suite_outcome *out);
/* Ends the processes; true: they ended as IUT.md §1 says. */
bool suite_worker_stop(suite_worker *worker, char *how, size_t size);
/* Starts the adapter and asks what IUT.md §2 wants to be asked: does it own up to what it does not know?
 * True: worker->hello is there. Else `why` says why the adapter is refused. */
bool suite_worker_probe(suite_worker *worker, const char *random, char *why, size_t size);

/* ---- inside of a trial ---- */

typedef struct suite_deferred {
    void (*release)(void *);
    void *object;
    struct suite_deferred *next;
} suite_deferred;

struct suite_trial {
    suite_worker *worker;
    const suite_case *c;
    jmp_buf out;
    suite_outcome *outcome;
    suite_deferred *deferred;
    ibk_buf transcript;
    const char *last_sent; /* decoded */
    unsigned last_type;    /* its data type */
    json_t *last_report;
    unsigned size; /* of the parameters of the node that was begun last */
};

_Noreturn void suite_end(suite_trial *t, suite_verdict verdict, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void suite_world_free(suite_world *world);

#endif
