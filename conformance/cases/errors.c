/* State-machine cases: what the peer is told of a refusal (P-16, RFC 3830 §5.1.2), and whom an Error message
 * may speak of. */
#include "conformance/cases/state.h"

/* ---- what is told ---- */

enum { UNSPECIFIED = 12, ANY_NUMBER = 255 }; /* error numbers of RFC 3830 §6.12 */

typedef struct refusal {
    const char *name, *title, *deviation;
    bool initiator;  /* the IUT calls */
    bool secret;     /* an attacker could learn from it: told with `all` alone */
    unsigned number; /* what is told */
} refusal;

static const refusal refusals[] = {
    {"r-message-1-undecryptable", "IBAKE of R_MESSAGE_1 does not decrypt", "r-message-1/u-negated", true,
     true, UNSPECIFIED},
    {"r-message-1-echo", "R_MESSAGE_1 brings another ECCPTi back", "r-message-1/echo-changed", true, true,
     UNSPECIFIED},
    {"i-message-1-undecryptable", "IBAKE of I_MESSAGE_1 does not decrypt", "i-message-1/u-negated", false,
     true, UNSPECIFIED},
    {"i-message-2-undecryptable", "IBAKE of I_MESSAGE_2 does not decrypt", "i-message-2/u-negated", false,
     true, UNSPECIFIED},
    {"i-message-2-echo", "I_MESSAGE_2 brings another ECCPTr back", "i-message-2/echo-changed", false, true,
     UNSPECIFIED},
    {"r-message-2-v", "V of R_MESSAGE_2 does not verify", "r-message-2/v-wrong", true, true, ANY_NUMBER},
    {"i-message-1-stale", "T of I_MESSAGE_1 is an hour old", "i-message-1/t-stale", false, false, ANY_NUMBER},
};

static const char *const policies[] = {"parameters", "silent", "all"};
enum { PARAMETERS, SILENT, ALL, POLICIES };

typedef struct told_case {
    const refusal *refusal;
    int policy;
} told_case;

static suite_report play(suite_trial *t, const told_case *c) {
    const refusal *r = c->refusal;
    suite_node node = {.users = r->initiator ? "alice" : "bob",
                       .policy = suite_text(t, "{'errors': '%s'}", policies[c->policy])};
    peer_setup setup = {.role = r->initiator ? PEER_RESPONDER : PEER_INITIATOR, .deviation = r->deviation};
    suite_report last;
    suite_begin(t, SUITE_A, &node);
    peer *p = case_peer(t, &setup);
    if (r->initiator) {
        case_call_to_peer(t, SUITE_A, p, suite_open_initiator(t, SUITE_A, ""), &last);
    } else {
        suite_open_responder(t, SUITE_A, "");
        case_call_from_peer(t, SUITE_A, p, &last);
    }
    if (!peer_look(p)->deviated) { /* it did not come to that */
        case_judge(t, p, false);
        case_expect_taken(t, last, NULL, "without any deviation: ", "accepted");
    }
    case_deviated(t, p);
    return last;
}

/* The one message is an Error message with such a number. */
static void expect_error(suite_trial *t, suite_report r, unsigned number) {
    const suite_message *m = suite_read(t, suite_sent(t, r, "P-16"));
    const suite_payload *err = suite_message_find(m, SUITE_ERR, 0);
    suite_require(t, m->data_type == SUITE_ERROR_MESSAGE && err, "P-16", "an Error message", "%s",
                  suite_data_type_name(m->data_type));
    unsigned told = m->octets.data[err->offset + 1];
    suite_require(t, number == ANY_NUMBER || told == number, "P-16", suite_text(t, "Error %u", number),
                  "Error %u", told);
}

static void run_told(suite_trial *t, const void *arg) {
    const told_case *c = arg;
    suite_report r = play(t, c);
    suite_expect(t, r, "P-16", "refused:*/closed discarded:*");
    bool may = c->policy == ALL || (c->policy == PARAMETERS && !c->refusal->secret);
    if (!may)
        suite_require(t, suite_sent_count(r) == 0, "P-16", "not a word", "%zu messages", suite_sent_count(r));
    else if (c->policy == ALL || suite_sent_count(r) > 0)
        expect_error(t, r, c->refusal->number);
}

/* ---- what an Error message may end ---- */

/* It has to know T of the message that it speaks of; whoever did not see that message has nothing to say. */
static void run_foreign(suite_trial *t, const void *arg) {
    (void)arg;
    suite_node node = {.users = "alice"};
    peer_setup setup = {.role = PEER_RESPONDER};
    suite_begin(t, SUITE_A, &node);
    peer *p = case_peer(t, &setup);
    ibk_span answer = case_answer(t, p, suite_sent(t, suite_open_initiator(t, SUITE_A, ""), "6267-28"));
    ibk_buf *out = suite_buf(t);
    suite_sure(t, peer_error(p, UNSPECIFIED, out), "an Error message");
    const suite_message *m = suite_read(t, ibk_buf_span(out));
    const suite_payload *stamp = suite_message_find(m, SUITE_T, 0);
    out->data[stamp->offset + stamp->len - 1] ^= 1;
    suite_expect(t, suite_message_in(t, SUITE_A, "a", ibk_buf_span(out)), "3830-36", "discarded:*");
    suite_expect(t, suite_message_in(t, SUITE_A, "a", answer), "3830-36", "accepted/waiting");
}

void cases_errors(suite_list *list) {
    for (size_t i = 0; i < sizeof refusals / sizeof refusals[0]; i++)
        for (int policy = 0; policy < POLICIES; policy++) {
            told_case *arg = suite_list_alloc(list, sizeof *arg);
            *arg = (told_case){&refusals[i], policy};
            suite_case c = {suite_list_text(list, "state/errors/%s/%s", policies[policy], refusals[i].name),
                            refusals[i].title,
                            "P-16",
                            refusals[i].initiator ? "roles:initiator" : "roles:responder",
                            run_told,
                            arg};
            suite_add(list, &c);
        }
    static const suite_case foreign = {"state/initiator/error-foreign",
                                       "an Error message about a message that was never sent",
                                       "3830-36",
                                       "roles:initiator",
                                       run_foreign,
                                       NULL};
    suite_add(list, &foreign);
}
