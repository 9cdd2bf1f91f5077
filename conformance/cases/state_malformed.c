/* State-machine cases: what arrives in place of the message that is awaited is not well-formed (RFC 6267
 * §4.2.1.4, §4.2.2.2, .4, .6, .8). It is dropped without a word, and the exchange ends. Octets whose header
 * does not say that they belong to the exchange may as well be nobody's message: then they count for nothing.
 */
#include "conformance/cases/state.h"

#include <string.h>

typedef enum awaited { I_1, R_1, I_2, R_2, RESPONSE, AWAITED } awaited;
static const struct {
    const char *name, *id, *wants;
} places[AWAITED] = {{"i-message-1", "6267-36", "roles:responder"},
                     {"r-message-1", "6267-47", "roles:initiator"},
                     {"i-message-2", "6267-59", "roles:responder"},
                     {"r-message-2", "6267-70", "roles:initiator"},
                     {"request-key-resp", "6267-27", "roles:user methods:PSK"}};

static const char *const faults[] = {"cut-last",        "cut-half", "header-alone", "trailing",
                                     "unknown-payload", "empty",    "zeros"};
enum { FAULTS = sizeof faults / sizeof faults[0], NOBODYS = FAULTS - 2 /* the first without a header */ };

typedef struct malformed {
    awaited place;
    size_t fault;
} malformed;

static ibk_span spoil(suite_trial *t, ibk_span right, const char *fault) {
    uint8_t *copy = suite_alloc(t, right.len + 1);
    memcpy(copy, right.data, right.len);
    size_t len = right.len;
    if (strcmp(fault, "cut-last") == 0)
        len--;
    else if (strcmp(fault, "cut-half") == 0)
        len /= 2;
    else if (strcmp(fault, "header-alone") == 0)
        len = 10;
    else if (strcmp(fault, "trailing") == 0)
        len++;
    else if (strcmp(fault, "unknown-payload") == 0)
        copy[2] = 99;
    else if (strcmp(fault, "empty") == 0)
        len = 0;
    else
        memset(copy, 0, len);
    return ibk_span_of(copy, len);
}

/* The session, and the right message that it awaits. */
static ibk_span await(suite_trial *t, awaited place, const char **session) {
    bool calls = place == R_1 || place == R_2;
    suite_node node = {.users = place == RESPONSE ? NULL : calls ? "alice" : "bob"};
    peer_setup setup = {.role = place == RESPONSE ? PEER_KMS : calls ? PEER_RESPONDER : PEER_INITIATOR};
    suite_begin(t, SUITE_A, &node);
    peer *p = case_peer(t, &setup);
    *session = place == RESPONSE ? "u" : calls ? "a" : "b";
    if (place == RESPONSE)
        return case_answer(t, p, suite_sent(t, state_open_user(t), "6267-2"));
    ibk_span next;
    if (calls) {
        next = case_answer(t, p, suite_sent(t, suite_open_initiator(t, SUITE_A, ""), "6267-28"));
    } else {
        suite_open_responder(t, SUITE_A, "");
        next = case_start(t, p);
    }
    if (place == I_1 || place == R_1)
        return next;
    return case_answer(t, p, suite_sent(t, suite_message_in(t, SUITE_A, *session, next), "6267-48"));
}

static void run_malformed(suite_trial *t, const void *arg) {
    const malformed *m = arg;
    const char *session, *id = places[m->place].id;
    ibk_span right = await(t, m->place, &session);
    suite_report r = suite_message_in(t, SUITE_A, session, spoil(t, right, faults[m->fault]));
    suite_expect(t, r, id,
                 m->fault < NOBODYS ? "refused:malformed|payload/closed"
                                    : "refused:malformed|unsupported|payload|mismatch|unexpected/closed "
                                      "discarded:malformed|unsupported|payload|mismatch|unexpected");
    suite_require(t, suite_sent_count(r) == 0, id, "not a word", "%zu messages", suite_sent_count(r));
    /* what has ended takes nothing any more, even if it is right; what goes on, does */
    suite_expect(t, suite_message_in(t, SUITE_A, session, right), id,
                 suite_is(r, "refused:*") ? "discarded:*/closed" : "accepted");
}

void cases_state_malformed(suite_list *list) {
    for (awaited place = I_1; place < AWAITED; place++)
        for (size_t fault = 0; fault < FAULTS; fault++) {
            malformed *arg = suite_list_alloc(list, sizeof *arg);
            *arg = (malformed){place, fault};
            suite_case c = {suite_list_text(list, "state/malformed/%s/%s", places[place].name, faults[fault]),
                            "what is no message in place of the one that is awaited",
                            places[place].id,
                            places[place].wants,
                            run_malformed,
                            arg};
            suite_add(list, &c);
        }
}
