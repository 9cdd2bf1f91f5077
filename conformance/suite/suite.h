/* What a case of the conformance suite is made of. A case is a name, the requirements that it tests, what an
 * adapter has to claim for it, and a function that talks to one or two processes of the adapter by IUT.md and
 * says what was wrong. Whatever ends a case early (a requirement that does not hold, an adapter that crashed,
 * something the IUT does not support) leaves the function by a long jump: a case is straight text without
 * error paths, and its memory is the trial's. */
#ifndef CONFORMANCE_SUITE_H
#define CONFORMANCE_SUITE_H

#include <ibake/base.h>
#include <jansson.h>

#include "conformance/suite/message.h"

typedef struct suite_trial suite_trial; /* one run of one case */

typedef struct suite_case {
    const char *name;         /* "deviation/r-message-1/v-flag" */
    const char *title;        /* what is done, in a sentence */
    const char *requirements; /* IDs that it tests, separated by blanks */
    /* What hello has to claim, "roles:initiator,responder sizes:2048 features:update": a case whose adapter
     * does not is skipped. */
    const char *wants;
    void (*run)(suite_trial *t, const void *arg);
    const void *arg;
} suite_case;

/* ---- the list of cases ---- */

typedef struct suite_list suite_list;
/* Adds a case; `name`, `title`, `requirements`, `wants` are copied, `arg` has to live as long as the list. */
void suite_add(suite_list *list, const suite_case *c);
/* Memory that lives as long as the list, filled with zeros. */
void *suite_list_alloc(suite_list *list, size_t size);
const char *suite_list_text(suite_list *list, const char *format, ...) __attribute__((format(printf, 2, 3)));
unsigned suite_list_strength(const suite_list *list); /* 1, 2 or 3: how many values are combined */

/* ---- judging ---- */

const char *suite_name(const suite_trial *t); /* of the case */

/* The requirement `id` does not hold: what the text permits, and what was there instead. */
_Noreturn void suite_fail(suite_trial *t, const char *id, const char *permitted, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
void suite_require(suite_trial *t, bool holds, const char *id, const char *permitted, const char *format, ...)
    __attribute__((format(printf, 5, 6)));
/* The IUT did what a request asked it for. If not, the adapter does not own up to what it lacks (IUT.md §2):
 * a failure that is about no requirement. `asked`: "policy.prf PRF-HMAC-SHA-256". */
void suite_obeyed(suite_trial *t, bool did, const char *asked, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
_Noreturn void suite_skip(suite_trial *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* The suite's own fault. */
_Noreturn void suite_error(suite_trial *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
void suite_sure(suite_trial *t, ibk_err err, const char *what); /* suite_error unless IBK_OK */

/* ---- memory and values of a trial ---- */

void *suite_alloc(suite_trial *t, size_t size);                          /* zeros */
void suite_defer(suite_trial *t, void (*release)(void *), void *object); /* when the trial ends */
ibk_buf *suite_buf(suite_trial *t);
const char *suite_text(suite_trial *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* JSON of a text with ' for ": suite_json(t, "{'type': '%s'}", name). Lives as long as the trial. */
json_t *suite_json(suite_trial *t, const char *format, ...) __attribute__((format(printf, 2, 3)));
const char *suite_base64(suite_trial *t, ibk_span octets);
ibk_span suite_octets(suite_trial *t, const char *base64); /* garbage if it is no base64 */
ibk_span suite_copy(suite_trial *t, ibk_span octets);
const suite_message *suite_read(suite_trial *t, ibk_span octets); /* decoded; may be wrong */

/* ---- the world: parameters, users, keys ---- */

#define SUITE_NOON INT64_C(1795521600000) /* 2026-11-24T12:00:00Z */
#define SUITE_PSK  "MDEyMzQ1Njc4OWFiY2RlZg=="

int64_t suite_now(const suite_trial *t); /* utc_ms at the beginning: SUITE_NOON, or the real time */
const char *suite_date(suite_trial *t, int64_t utc_ms, const char *granularity);
ibk_span suite_file(suite_trial *t, const char *name); /* below the folder of --data; at most 8,192 octets */
ibk_span suite_params(suite_trial *t, unsigned size);  /* DER */
ibk_span suite_master(suite_trial *t, unsigned size);  /* DER */
const struct ibk_ibe_params *suite_ibe_params(suite_trial *t, unsigned size);
const struct ibk_ibe_master *suite_ibe_master(suite_trial *t, unsigned size);
/* DER BFPrivateKeyBlock of an IBE identity; computed once. */
ibk_span suite_private_key(suite_trial *t, unsigned size, ibk_span ibe_identity);
/* `"sip:alice@home.example"` of "alice"; a name with ':' or '+' is taken as it is. */
const char *suite_user(suite_trial *t, const char *name);

/* ---- the adapter ---- */

enum { SUITE_A = 0, SUITE_B = 1 }; /* two processes; the second is started when it is first spoken to */

bool suite_claims(suite_trial *t, const char *kind, const char *name); /* hello: ("features", "many") */
/* The smallest size of IBE parameters that hello claims; what a case uses that is about no size. */
unsigned suite_size(suite_trial *t);
/* Any request; the answer has the right form, whatever its `result`. `members` is borrowed. */
json_t *suite_ask(suite_trial *t, int end, const char *op, json_t *members);
/* A request that has to be answered `ok`. `refused` is a failure of requirement `id`. */
json_t *suite_do(suite_trial *t, int end, const char *id, const char *op, json_t *members);

/* How a node is set up. */
typedef struct suite_node {
    unsigned size;           /* of IBE parameters; 0: suite_size */
    const char *users;       /* whose private keys it holds, "alice,bob" */
    const char *policy;      /* JSON text with ' for ", or NULL */
    const char *random;      /* the same */
    const char *granularity; /* NULL: day */
    int64_t utc_ms;          /* 0: suite_now */
    const char *kms;         /* the member `kms` without identity and master, "'users': […]"; NULL: none */
    const char *date;        /* of the keys; NULL: today's */
    bool nai;                /* the users' identities are NAIs: alice@home.example */
} suite_node;

/* Begins the case at an end. A policy that the adapter ignores skips the case. */
void suite_begin(suite_trial *t, int end, const suite_node *node);

/* A report (IUT.md §5.1). */
typedef struct suite_report {
    json_t *json;
    const char *event, *state, *error; /* error: "" if there is none */
} suite_report;

/* A request about one session, answered by one report. `json` is suite_json's text, without braces. */
suite_report suite_op(suite_trial *t, int end, const char *op, const char *format, ...)
    __attribute__((format(printf, 4, 5)));
suite_report suite_message_in(suite_trial *t, int end, const char *session, ibk_span octets);
/* Data type of the last message that was handed in since a session was opened; 0: none. */
unsigned suite_last_type(const suite_trial *t);
/* What a failure shows as `sent` and `came back`. Whoever inquires further keeps it, and puts it back. */
typedef struct suite_shown {
    const char *sent;
    unsigned type;
    json_t *report;
} suite_shown;
suite_shown suite_keep_shown(const suite_trial *t);
void suite_show(suite_trial *t, suite_shown shown);
/* Numbers for the cases to remember something about this adapter by; 0 at first. `slot`: below
 * SUITE_MEMORIES. */
#define SUITE_MEMORIES 64
int *suite_memory(suite_trial *t, unsigned slot);
suite_report suite_sdp_in(suite_trial *t, int end, const char *session, const char *sdp); /* IUT.md §6 */
suite_report suite_open_initiator(suite_trial *t, int end, const char *more); /* session a: alice calls bob */
suite_report suite_open_responder(suite_trial *t, int end, const char *more); /* session b: bob */

/* What the report is permitted to be: "accepted", "refused:echo|identity", "discarded:*", several separated
 * by blanks; "/new" and the like behind one of them asks for a state. Fails requirement `id` otherwise. A
 * class `unspecified` is permitted with every refusal (IUT.md §7). */
void suite_expect(suite_trial *t, suite_report r, const char *id, const char *permitted);
bool suite_is(suite_report r, const char *permitted);
/* The one message that it sends; fails `id` if there is none or more. */
ibk_span suite_sent(suite_trial *t, suite_report r, const char *id);
size_t suite_sent_count(suite_report r);
ibk_span suite_sent_at(suite_trial *t, suite_report r, size_t index);
/* Both established with the same keys, none twice; fails `id`. */
void suite_same_keys(suite_trial *t, suite_report a, suite_report b, const char *id);

#endif
