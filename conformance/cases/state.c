/* State-machine cases: each message in each state, those of this exchange and those of another; repeated,
 * reflected, out of order. What a state does not await must not be taken; what is discarded must leave the
 * exchange as it was, so that the right message still leads to its end. */
#include "conformance/cases/state.h"
#include "conformance/cases/cases.h"

#include <string.h>

typedef enum state_of { NEW, WAITING, ESTABLISHED, CLOSED, STATES } state_of;
static const char *const state_names[STATES] = {"new", "waiting", "established", "closed"};

/* What is handed in: messages of another exchange, or of this one. */
typedef enum input {
    OTHER_I1,
    OTHER_R1,
    OTHER_I2,
    OTHER_R2,
    OTHER_PSK,
    OTHER_RESP,
    OTHER_ERROR, /* in the order of case_kind */
    OWN_FIRST,   /* the first message of the peer once more */
    OWN_LAST,    /* the last one once more */
    REFLECTED,   /* what the IUT sent last comes back */
    INPUTS
} input;
static const char *const input_names[INPUTS] = {"other-i-message-1",     "other-r-message-1",
                                                "other-i-message-2",     "other-r-message-2",
                                                "other-request-key-psk", "other-request-key-resp",
                                                "other-error",           "own-first-again",
                                                "own-last-again",        "reflected"};

typedef struct state_case {
    bool initiator; /* the IUT calls */
    state_of state;
    input input;
} state_case;

/* An exchange that was brought to a state. */
typedef struct scene {
    peer *p;
    const char *session;
    ibk_span first, last; /* what the peer sent: first and last */
    ibk_span sent;        /* what the IUT sent last */
    ibk_span next;        /* what the peer has to say next */
} scene;

static void hand_in(suite_trial *t, scene *s, const char *permitted) {
    suite_report r = suite_message_in(t, SUITE_A, s->session, s->next);
    if (!suite_is(r, permitted))
        case_judge(t, s->p, false);
    case_expect_taken(t, r, NULL, "", permitted);
    s->first = s->first.len ? s->first : s->next;
    s->last = s->next;
    s->next = (ibk_span){0};
    if (suite_sent_count(r) == 1) {
        s->sent = suite_sent_at(t, r, 0);
        s->next = case_give(t, s->p, s->sent);
    }
}

static scene set_scene(suite_trial *t, const state_case *c) {
    scene s = {.session = c->initiator ? "a" : "b"};
    suite_node node = {.users = c->initiator ? "alice" : "bob"};
    peer_setup setup = {.role = c->initiator ? PEER_RESPONDER : PEER_INITIATOR};
    suite_begin(t, SUITE_A, &node);
    s.p = case_peer(t, &setup);
    if (c->initiator) {
        s.sent = suite_sent(t, suite_open_initiator(t, SUITE_A, ""), "6267-28");
        s.next = case_give(t, s.p, s.sent);
    } else {
        suite_open_responder(t, SUITE_A, "");
        s.next = case_start(t, s.p);
    }
    /* An initiator waits from the beginning: NEW is its first wait, WAITING that for R_MESSAGE_2. */
    if (c->state >= WAITING)
        hand_in(t, &s, "accepted/waiting");
    if (c->state >= ESTABLISHED)
        hand_in(t, &s, "accepted/established");
    if (c->state == CLOSED)
        suite_expect(t, suite_op(t, SUITE_A, "close", "'session': '%s'", s.session), "4567-59", "*/closed");
    return s;
}

static ibk_span pick(suite_trial *t, const scene *s, input which) {
    if (which == OWN_FIRST)
        return s->first;
    if (which == OWN_LAST)
        return s->last;
    if (which == REFLECTED)
        return s->sent;
    return case_sample(t, (case_kind)which, "another exchange");
}

static const char *id_of(const state_case *c) {
    if (c->input == OWN_FIRST || c->input == OWN_LAST)
        return "3830-63";
    if (c->state == CLOSED)
        return "4567-59";
    if (c->input == OTHER_ERROR)
        return "3830-36";
    if (c->initiator)
        return c->state == NEW ? "6267-44" : "6267-68";
    return c->state == NEW ? "6267-32" : "6267-57";
}

/* The right messages still lead to the end. */
static void go_on(suite_trial *t, scene *s, const state_case *c) {
    if (c->state == NEW)
        hand_in(t, s, "accepted/waiting");
    if (c->state <= WAITING)
        hand_in(t, s, "accepted/established");
}

static void run_state(suite_trial *t, const void *arg) {
    const state_case *c = arg;
    scene s = set_scene(t, c);
    const char *id = id_of(c);
    suite_report r = suite_message_in(t, SUITE_A, s.session, pick(t, &s, c->input));
    if (c->state == ESTABLISHED)
        suite_expect(t, r, id, "discarded:*/established"); /* nobody may end a session without its keys */
    else if (c->state == CLOSED)
        suite_expect(t, r, id, "discarded:*/closed");
    else
        suite_expect(t, r, id, "discarded:* refused:*/closed");
    for (size_t i = 0; i < suite_sent_count(r); i++) {
        unsigned type = suite_read(t, suite_sent_at(t, r, i))->data_type;
        suite_require(t, type == SUITE_ERROR_MESSAGE, id, "no answer, or an Error message", "%s was sent",
                      suite_data_type_name(type));
    }
    if (suite_is(r, "discarded:*") && c->state <= WAITING)
        go_on(t, &s, c);
}

/* Is there such a message in this state, and is it out of place there? */
static bool sensible(const state_case *c) {
    bool own = c->input == OWN_FIRST || c->input == OWN_LAST;
    if (own && c->state == NEW)
        return false; /* nothing was received yet */
    if (c->input == OWN_FIRST && c->state == WAITING)
        return false; /* the same as the last */
    if (c->input == REFLECTED && c->state == NEW && !c->initiator)
        return false;
    if (c->initiator && c->input == REFLECTED && c->state >= ESTABLISHED)
        return c->state == ESTABLISHED; /* I_MESSAGE_2 */
    if (!c->initiator && c->state == NEW && c->input == OTHER_I1)
        return false; /* is a call */
    return true;
}

/* ---- the roles of a key request ---- */

suite_report state_open_user(suite_trial *t) {
    return suite_op(t, SUITE_A, "open",
                    "'session': 'u', 'role': 'user', 'kms': {'uri': 'sip:kms@home.example'}, 'ask': [{'uri': "
                    "'sip:alice@home.example'}], 'psk': '" SUITE_PSK "'");
}

static void run_user(suite_trial *t, const void *arg) {
    const case_kind *kind = arg;
    suite_node node = {0};
    suite_begin(t, SUITE_A, &node);
    suite_report opened = state_open_user(t);
    suite_sent(t, opened, "6267-2");
    suite_report r = suite_message_in(t, SUITE_A, "u", case_sample(t, *kind, "another exchange"));
    suite_expect(t, r, *kind == CASE_ERROR ? "3830-33" : "6267-27", "discarded:* refused:*");
    suite_require(t, suite_sent_count(r) == 0, "6267-27", "not a word", "%zu messages", suite_sent_count(r));
}

static void run_kms(suite_trial *t, const void *arg) {
    const case_kind *kind = arg;
    suite_node node = {.kms = "'users': [{'psk': '" SUITE_PSK
                              "', 'may_have': [{'uri': 'sip:alice@home.example'}]}]"};
    peer_setup setup = {.role = PEER_USER};
    suite_begin(t, SUITE_A, &node);
    suite_op(t, SUITE_A, "open", "'session': 'k', 'role': 'kms'");
    suite_report r = suite_message_in(t, SUITE_A, "k", case_sample(t, *kind, "another exchange"));
    suite_expect(t, r, "6267-15", "discarded:*/serving refused:*/serving");
    peer *p = case_peer(t, &setup); /* it goes on serving */
    r = suite_message_in(t, SUITE_A, "k", case_start(t, p));
    suite_expect(t, r, "6267-16", "accepted/serving");
    case_give(t, p, suite_sent(t, r, "6267-16"));
    case_judge(t, p, false);
}

/* A second opening answer, when the keys are there. */
static void run_user_again(suite_trial *t, const void *arg) {
    (void)arg;
    suite_node node = {0};
    peer_setup setup = {.role = PEER_KMS};
    suite_begin(t, SUITE_A, &node);
    suite_report opened = state_open_user(t);
    ibk_span answer = case_answer(t, case_peer(t, &setup), suite_sent(t, opened, "6267-2"));
    suite_expect(t, suite_message_in(t, SUITE_A, "u", answer), "6267-26", "accepted/done");
    suite_expect(t, suite_message_in(t, SUITE_A, "u", answer), "3830-63", "discarded:* refused:*");
}

/* ---- waiting in vain ---- */

static void run_timeout(suite_trial *t, const void *arg) {
    const bool *initiator = arg;
    state_case c = {*initiator, *initiator ? NEW : WAITING, 0};
    scene s = set_scene(t, &c);
    json_t *answer = suite_do(t, SUITE_A, NULL, "time", suite_json(t, "{'timer_ms': 3600000}"));
    const json_t *report = json_array_get(json_object_get(answer, "reports"), 0);
    const char *state = json_string_value(json_object_get(report, "state"));
    suite_require(t, state && strcmp(state, "closed") == 0, "6539-13", "expired, closed", "state %s",
                  state ? state : "unknown: no report");
    suite_expect(t, suite_message_in(t, SUITE_A, s.session, s.next), "6539-13", "discarded:*/closed");
}

/* ---- Error messages ---- */

static void run_error(suite_trial *t, const void *arg) {
    const bool *ignore = arg;
    suite_node node = {.users = "alice", .policy = *ignore ? "{'ignore_peer_errors': true}" : NULL};
    peer_setup setup = {.role = PEER_RESPONDER};
    suite_begin(t, SUITE_A, &node);
    ibk_span first = suite_sent(t, suite_open_initiator(t, SUITE_A, ""), "6267-28");
    peer *p = case_peer(t, &setup);
    ibk_span answer = case_answer(t, p, first);
    ibk_buf *out = suite_buf(t);
    suite_sure(t, peer_error(p, 12, out), "an Error message");
    suite_report r = suite_message_in(t, SUITE_A, "a", ibk_buf_span(out));
    if (!*ignore) {
        suite_expect(t, r, "3830-33", "refused:peer-error/closed discarded:peer-error");
        return;
    }
    suite_expect(t, r, "3830-36", "discarded:peer-error");
    suite_expect(t, suite_message_in(t, SUITE_A, "a", answer), "3830-36", "accepted/waiting");
}

void cases_state(suite_list *list) {
    for (int initiator = 0; initiator < 2; initiator++)
        for (state_of state = NEW; state < STATES; state++)
            for (input i = 0; i < INPUTS; i++) {
                state_case *arg = suite_list_alloc(list, sizeof *arg);
                *arg = (state_case){initiator != 0, state, i};
                if (!sensible(arg))
                    continue;
                const char *role = initiator ? "initiator" : "responder";
                suite_case c = {
                    suite_list_text(list, "state/%s/%s/%s", role, state_names[state], input_names[i]),
                    "a message that this state does not await",
                    id_of(arg),
                    suite_list_text(list, "roles:%s", role),
                    run_state,
                    arg};
                suite_add(list, &c);
            }
    for (case_kind kind = 0; kind < CASE_KINDS; kind++) {
        case_kind *arg = suite_list_alloc(list, sizeof *arg);
        *arg = kind;
        suite_case user = {suite_list_text(list, "state/user/waiting/other-%s", case_kind_names[kind]),
                           "a message that a user does not await",
                           kind == CASE_ERROR ? "3830-33" : "6267-27",
                           "roles:user methods:PSK",
                           run_user,
                           arg};
        suite_add(list, &user);
        suite_case kms = {suite_list_text(list, "state/kms/serving/other-%s", case_kind_names[kind]),
                          "a message that is no request for this KMS, which goes on serving",
                          "6267-15 6267-16",
                          "roles:kms methods:PSK",
                          run_kms,
                          arg};
        if (kind != CASE_REQUEST_KEY_PSK)
            suite_add(list, &kms);
    }
    static const bool yes = true, no = false;
    const suite_case more[] = {{"state/user/done/own-last-again", "the answer comes twice", "3830-63 6267-26",
                                "roles:user methods:PSK", run_user_again, NULL},
                               {"state/initiator/timeout", "no answer to I_MESSAGE_1", "6539-13",
                                "roles:initiator features:clock", run_timeout, &yes},
                               {"state/responder/timeout", "no I_MESSAGE_2", "6539-13",
                                "roles:responder features:clock", run_timeout, &no},
                               {"state/initiator/error", "an Error message in place of R_MESSAGE_1",
                                "3830-33", "roles:initiator", run_error, &no},
                               {"state/initiator/error-ignored", "the same, where local policy ignores them",
                                "3830-36", "roles:initiator", run_error, &yes}};
    for (size_t i = 0; i < sizeof more / sizeof more[0]; i++)
        suite_add(list, &more[i]);
    cases_state_malformed(list);
    cases_errors(list);
}
