/* Rules of an adversary, inside: what matching (rules.c) and actions (rules_apply.c) share. */
#ifndef SIM_ADVERSARY_RULES_INSIDE_H
#define SIM_ADVERSARY_RULES_INSIDE_H

#include "adversary/rules.h"
#include "random/random.h"

#define RULES_STEP_NS UINT64_C(1000) /* between messages of which one must come after the other */

/* A message that a rule keeps: a recording, or one that waits for the next of its direction. */
typedef struct rules_kept {
    bool set;
    tap *t;
    seen_record record;
} rules_kept;

typedef struct rule_state {
    rules_count count;
    uint64_t matched;     /* for `nth` */
    sim_random *chance;   /* for `probability`, made when first used */
    sim_random *values;   /* for random values, likewise */
    rules_kept recording; /* RECORD */
    rules_kept held[2];   /* REORDER, by direction */
} rule_state;

/* Something to be done later, outside of the handlers. */
typedef struct rules_job {
    struct rules *r;
    size_t rule;
    n3_timer timer;
    bool planned; /* by time: the run waits for it */
    struct rules_job *next;
} rules_job;

/* An address at which media of a call are received, as its SDP said. */
typedef struct rules_stream {
    n3_endpoint at;
    const scn_call *call;
} rules_stream;

struct rules {
    rules_config config;
    rule_state *states;
    rules_totals totals;
    rules_job *jobs;
    rules_stream *streams;
    size_t stream_count, stream_cap;
    ibk_buf octets; /* of the last replacement */
};

/* A message on its way through the rules. */
typedef struct rules_pass {
    tap *t;
    const seen *now;     /* as it stands */
    tap_message message; /* of `edited` */
    seen edited;
    tap_verdict *verdict;
} rules_pass;

static inline const scn_rule *rules_at(const rules *r, size_t index) {
    return &r->config.plan->rules[index];
}

/* The stream of a rule for one purpose, made when first used; NULL: out of memory. */
sim_random *rules_random(rules *r, size_t index, sim_random **stream, const char *purpose);
/* Has a job done `delay_ns` from now. */
ibk_err rules_later(rules *r, size_t index, uint64_t delay_ns, bool planned);
/* The latest recording of that name; NULL: none yet. */
const rules_kept *rules_recording(const rules *r, const char *name);

/* Applies a rule to a message. */
ibk_err rules_apply(rules *r, size_t index, rules_pass *pass, ibk_diag *diag);
/* The part of a rule that needs no message: from a job. */
ibk_err rules_perform(rules *r, size_t index, ibk_diag *diag);
/* Is the message of a kind on which the action can be tried? */
bool rules_can(const scn_rule *rule, const seen *s);
/* Lets go what waited for this message. */
ibk_err rules_release(rules *r, const rules_pass *pass, size_t index);

#endif
