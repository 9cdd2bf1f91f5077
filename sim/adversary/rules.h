/* The rules of one adversary at work: which message, time or event sets off which of them, and what is done.
 * What needs cryptography or a node of its own goes through hooks.
 *
 * A message is tried against the rules in order; the first one that fits is applied, and with `more: true`
 * the next ones as well, on what the message has become. In the seat of a core node, which messages enter and
 * leave again, a rule that names neither sender nor receiver is about what leaves.
 *
 * Each applied rule is counted and logged: TRACE_ATTACK, node the adversary, event the action, with the
 * fields rule (from 1), on, call, what, sender, receiver; `failed` names the error of one that could not be.
 */
#ifndef SIM_ADVERSARY_RULES_H
#define SIM_ADVERSARY_RULES_H

#include "adversary/seen.h"
#include "trace/trace.h"

/* What others do for a rule; each may be NULL: such a rule then fails as IBK_ERR_UNSUPPORTED. */
typedef struct rules_hooks {
    void *user;
    /* RE_ENCRYPT, IMPERSONATE: the MIKEY message that takes the place of that of `s`, appended to `mikey`;
     * nothing appended: the message stays as it is. */
    ibk_err (*craft)(void *user, const seen *s, const scn_rule *rule, ibk_buf *mikey, ibk_diag *diag);
    /* RELAY_MEDIA: the datagram that goes on; nothing appended: the old one. */
    ibk_err (*media)(void *user, const seen *s, const scn_rule *rule, ibk_buf *octets, ibk_diag *diag);
    /* FORGE, FLOOD, INJECT_MEDIA, REPLAY with `fresh`: from the adversary's node, from now on. `what`: the
     * recording that the rule names, NULL: none. Called outside of any tap's handler. */
    ibk_err (*send)(void *user, const scn_rule *rule, const seen_record *what, ibk_diag *diag);
    /* REPLAY of HTTP to an old receiver, where the old connection is gone. As `send`. */
    ibk_err (*resend)(void *user, const seen_record *what, ibk_diag *diag);
    /* Address of a node or user by name. */
    bool (*address)(void *user, const char *name, n3_addr *out);
} rules_hooks;

typedef struct rules_config {
    const scn_adversary *plan; /* borrowed, as everything here */
    uint64_t seed;             /* of the run */
    trace *log;                /* may be NULL */
    seen_world world;
    rules_hooks hooks;
} rules_config;

typedef struct rules_count {
    uint64_t fired;  /* applied */
    uint64_t failed; /* it fitted and could not be applied */
    ibk_err why;     /* the last failure */
} rules_count;

/* Messages by what became of them; one may count several times. */
typedef struct rules_totals {
    uint64_t seen, changed, dropped, delayed, sent;
} rules_totals;

typedef struct rules rules;

ibk_err rules_new(rules **out, const rules_config *config);
void rules_free(rules *r); /* before the taps and the simulation; legal on NULL */
/* Sets the clocks of the rules that begin by time. Once, before the run. */
ibk_err rules_start(rules *r);

/* A message passes the tap of a seat; from the tap's handler. Octets of the verdict are valid until the next
 * call. `s` is as seen_read() left it. */
ibk_err rules_message(rules *r, tap *t, const scn_seat *seat, const seen *s, tap_verdict *verdict);
/* A STATE event; from a sink of the trace: what it sets off comes after it, at the same time. */
void rules_state(rules *r, const trace_event *event);

/* All that its rules plan by time has been done. */
bool rules_idle(const rules *r);
const rules_count *rules_count_of(const rules *r, size_t index); /* of rule number index + 1 */
rules_totals rules_get_totals(const rules *r);

#endif
