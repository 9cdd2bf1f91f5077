/* Flow cases: identities of other types, and offers that a responder has to choose from or to refuse. */
#include "conformance/cases/flow.h"

#include <string.h>

/* ---- identities of the type NAI (RFC 3830 §6.7) ---- */

static void run_nai_initiator(suite_trial *t, const void *arg) {
    (void)arg;
    suite_node node = {.users = "alice", .nai = true};
    peer_setup setup = {.role = PEER_RESPONDER, .nai = true};
    suite_begin(t, SUITE_A, &node);
    peer *p = case_peer(t, &setup);
    suite_report last,
        opened = suite_op(t, SUITE_A, "open",
                          "'session': 'a', 'role': 'initiator', 'local': {'nai': 'alice@home.example'}, "
                          "'peer': {'nai': 'bob@home.example'}, 'map': {'type': 'SRTP-ID', 'sessions': "
                          "[{'policy': 0, 'ssrc': 1}, {'policy': 0, 'ssrc': 2}]}");
    bool done = case_call_to_peer(t, SUITE_A, p, opened, &last);
    case_completed(t, done, last, p, "3830-66", "3830-66");
}

static void run_nai_responder(suite_trial *t, const void *arg) {
    (void)arg;
    suite_node node = {.users = "bob", .nai = true};
    peer_setup setup = {.role = PEER_INITIATOR, .nai = true};
    suite_begin(t, SUITE_A, &node);
    suite_op(t, SUITE_A, "open", "'session': 'b', 'role': 'responder', 'local': {'nai': 'bob@home.example'}");
    peer *p = case_peer(t, &setup);
    suite_report last;
    bool done = case_call_from_peer(t, SUITE_A, p, &last);
    case_completed(t, done, last, p, "3830-66", "3830-66");
}

/* ---- the identities outside ---- */

/* IDRi and IDRr in clear, which nothing protects: the role of one is that of the other. */
typedef struct role_case {
    const char *name, *id;
    unsigned changed; /* role whose IDR gets the other role */
    bool second;      /* in I_MESSAGE_2 */
} role_case;

static const role_case roles[] = {{"i-message-1-no-initiator", "6267-30", SUITE_ROLE_I, false},
                                  {"i-message-1-no-responder", "6267-30", SUITE_ROLE_R, false},
                                  {"i-message-2-no-initiator", "6267-50", SUITE_ROLE_I, true},
                                  {"i-message-2-no-responder", "6267-50", SUITE_ROLE_R, true}};

static ibk_span other_role(suite_trial *t, ibk_span octets, unsigned role) {
    ibk_span copy = suite_copy(t, octets);
    const suite_message *m = suite_read(t, copy);
    const suite_payload *idr = suite_message_idr(m, role);
    if (!idr)
        suite_error(t, "the peer's message has no such IDR");
    ((uint8_t *)copy.data)[idr->offset + 1] = (uint8_t)(SUITE_ROLE_I + SUITE_ROLE_R - role);
    return copy;
}

static void run_role(suite_trial *t, const void *arg) {
    const role_case *c = arg;
    suite_node node = {.users = "bob"};
    peer_setup setup = {.role = PEER_INITIATOR};
    suite_begin(t, SUITE_A, &node);
    suite_open_responder(t, SUITE_A, "");
    peer *p = case_peer(t, &setup);
    ibk_span octets = case_start(t, p);
    if (c->second)
        octets = case_answer(t, p, suite_sent(t, suite_message_in(t, SUITE_A, "b", octets), "6267-37"));
    suite_report r = suite_message_in(t, SUITE_A, "b", other_role(t, octets, c->changed));
    suite_expect(t, r, c->id, "refused:* discarded:*");
}

static void run_role_answer(suite_trial *t, const void *arg) {
    const unsigned *role = arg;
    suite_node node = {.users = "alice"};
    peer_setup setup = {.role = PEER_RESPONDER};
    suite_begin(t, SUITE_A, &node);
    ibk_span answer =
        case_answer(t, case_peer(t, &setup), suite_sent(t, suite_open_initiator(t, SUITE_A, ""), "6267-28"));
    suite_expect(t, suite_message_in(t, SUITE_A, "a", other_role(t, answer, *role)), "6267-40",
                 "refused:* discarded:*");
}

/* ---- policies ---- */

static const peer_sp two[] = {{0, {(const uint8_t[]){0, 1, 1, 1, 1, 16, 2, 1, 1}, 9}},
                              {1, {(const uint8_t[]){0, 1, 1, 1, 1, 16, 2, 1, 1}, 9}}};
static const peer_sp clear[] = {{0, {(const uint8_t[]){0, 1, 0, 2, 1, 1}, 6}}};
static const peer_sp unauthenticated[] = {{0, {(const uint8_t[]){0, 1, 1, 1, 1, 16, 2, 1, 0}, 9}}};

typedef struct offer {
    const char *name, *title, *ids, *policy, *permitted;
    const peer_sp *policies;
    size_t n;
    uint8_t map;
    bool two;
} offer;

#define NO "refused:policy|unsupported|payload discarded:policy|unsupported|payload"
static const offer offers[] = {
    {"two-suggested", "each crypto session may have one of two policies", "6043-3 6043-5", NULL,
     "accepted/established", two, 2, 2, true},
    {"no-encryption", "SRTP without encryption, where policy forbids it", "3830-41 4567-62", NULL, NO, clear,
     1, 0, false},
    {"no-authentication", "SRTP without authentication, where policy forbids it", "3830-41 4567-62", NULL, NO,
     unauthenticated, 1, 0, false},
    {"no-encryption-permitted", "SRTP without encryption, where policy permits it", "3830-41",
     "{'allow_null_srtp': true}", "accepted/established", clear, 1, 0, false},
    {"empty-map-with-sp", "an SP beside the Empty map", "4563-1", NULL, "refused:* discarded:*", two, 1, 1,
     false},
};

static void run_offer(suite_trial *t, const void *arg) {
    const offer *o = arg;
    const char *id = suite_text(t, "%.*s", (int)strcspn(o->ids, " "), o->ids);
    suite_node node = {.users = "bob", .policy = o->policy};
    peer_setup setup = {.role = PEER_INITIATOR,
                        .policies = o->policies,
                        .n_policies = o->n,
                        .map_type = o->map,
                        .two = o->two};
    suite_begin(t, SUITE_A, &node);
    suite_open_responder(t, SUITE_A, "");
    peer *p = case_peer(t, &setup);
    suite_report last;
    case_call_from_peer(t, SUITE_A, p, &last);
    case_judge(t, p, false);
    suite_expect(t, last, id, o->permitted);
}

/* ---- curves ---- */

/* The peer calls with P-256. */
static void run_curve(suite_trial *t, const void *arg) {
    const bool *accepted = arg;
    suite_node node = {.users = "bob",
                       .policy = *accepted ? "{'curves': ['P-256']}" : "{'curves': ['P-384']}"};
    peer_setup setup = {.role = PEER_INITIATOR};
    suite_begin(t, SUITE_A, &node);
    suite_open_responder(t, SUITE_A, "");
    peer *p = case_peer(t, &setup);
    suite_report last;
    bool done = case_call_from_peer(t, SUITE_A, p, &last);
    if (*accepted)
        case_completed(t, done, last, p, "P-21", "6267-95");
    else
        suite_expect(t, last, "P-21",
                     "refused:unsupported|policy|encoding discarded:unsupported|policy|encoding");
}

static const bool yes = true, no = false;
static const unsigned role_i = SUITE_ROLE_I, role_r = SUITE_ROLE_R;
static const suite_case cases[] = {
    {"flow/identity/nai-initiator", "a call between NAIs", "3830-66", "roles:initiator", run_nai_initiator,
     0},
    {"flow/identity/nai-responder", "a call between NAIs", "3830-66", "roles:responder", run_nai_responder,
     0},
    {"flow/curve/accepted", "a call on the one curve that policy accepts", "P-21",
     "roles:responder curves:P-256", run_curve, &yes},
    {"flow/curve/not-accepted", "a call on a curve that policy does not accept", "P-21",
     "roles:responder curves:P-256,P-384", run_curve, &no},
    {"flow/identity/r-message-1-no-initiator", "two IDRr and no IDRi", "6267-40", "roles:initiator",
     run_role_answer, &role_i},
    {"flow/identity/r-message-1-no-responder", "two IDRi and no IDRr", "6267-40", "roles:initiator",
     run_role_answer, &role_r},
};

void cases_flow_offer(suite_list *list) {
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        suite_add(list, &cases[i]);
    for (size_t i = 0; i < sizeof roles / sizeof roles[0]; i++) {
        suite_case c = {suite_list_text(list, "flow/identity/%s", roles[i].name),
                        "one of IDRi and IDRr is not there, the other twice",
                        roles[i].id,
                        "roles:responder",
                        run_role,
                        &roles[i]};
        suite_add(list, &c);
    }
    for (size_t i = 0; i < sizeof offers / sizeof offers[0]; i++) {
        const offer *o = &offers[i];
        suite_case c = {suite_list_text(list, "flow/offer/%s", o->name),
                        o->title,
                        o->ids,
                        suite_list_text(list, "roles:responder maps:%s",
                                        o->map == 1 ? "Empty+map"
                                        : o->map    ? "GENERIC-ID"
                                                    : "SRTP-ID"),
                        run_offer,
                        o};
        suite_add(list, &c);
    }
}
