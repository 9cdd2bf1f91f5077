/* ibakelab: for tests: a small run made by hand, its result and its events.
 */
#ifndef REPORTS_TESTING_RUN_H
#define REPORTS_TESTING_RUN_H

#include "reports/result.h"
#include "trace/trace.h"

/* A call "first" of alice to bob over pcscf.home.example with all four messages and media; mallory changes
 * R_MESSAGE_1 between pcscf and alice, knows both points, and afterwards calls bob herself; a mailbox
 * delivers a message about "first" in a call of its own; alice registers, and has keys from her KMS. */
typedef struct testing_run {
    result r;
    trace *t;
    trace_memory *memory; /* all events */
    uint64_t now;
    const char *cseq; /* of the messages that follow */
} testing_run;

void testing_run_make(testing_run *run);
void testing_run_free(testing_run *run);

/* One message, logged by its sender and, 10 ms later, by its receiver. */
typedef struct testing_message {
    trace_kind kind;
    const char *from, *to, *label, *mikey, *call, *to_tag;
    bool lost, again;
} testing_message;
void testing_run_pass(testing_run *run, const testing_message *m);

#endif
