/* Flow cases: what policy is told to accept alone, of that which a call may have, and whose calls. Each limit
 * is tried from both sides: what it leaves is taken, what it forbids is not. Whatever takes that all the same
 * was not handed the option (IUT.md §2): no requirement is broken, but the adapter does not say so. */
#include "conformance/cases/flow.h"

#include <string.h>

enum { TS = 1, PRF = 2, MAC = 3, ID = 7, UNSPECIFIED = 12 }; /* error numbers of RFC 3830 §6.12 */

typedef struct limit {
    const char *name, *title, *ids, *wants;
    const char *policy, *option; /* the same, in words; option NULL: the call is within the limit */
    const char *permitted;       /* beyond it */
    bool calls;                  /* the IUT calls */
    bool told;                   /* of an unsupported parameter the peer is told (`errors`, IUT.md §4) */
    unsigned number;             /* what it is told, if not that it is unspecified */
    uint8_t prf, mac, timestamp; /* of the peer */
} limit;

#define BOTH(classes) "refused:" classes " discarded:" classes
#define OTHER_PRF     "{'prfs': ['PRF-HMAC-SHA-256']}"
#define OTHER_MAC     "{'macs': ['HMAC-SHA-256-256']}"
#define CAROL_ALONE   "{'accept_initiators': [{'uri': 'sip:carol@home.example'}]}"

static const limit limits[] = {
    {.name = "prf",
     .title = "a call with MIKEY-1, where policy accepts another PRF alone",
     .ids = "3830-41 3830-32",
     .wants = "roles:responder prfs:MIKEY-1,PRF-HMAC-SHA-256",
     .policy = OTHER_PRF,
     .option = "policy.prfs PRF-HMAC-SHA-256",
     .permitted = BOTH("unsupported|policy"),
     .told = true,
     .number = PRF},
    {.name = "prf-accepted",
     .title = "a call with the one PRF that policy accepts",
     .ids = "6043-1",
     .wants = "roles:responder prfs:PRF-HMAC-SHA-256 macs:HMAC-SHA-256-256",
     .policy = OTHER_PRF,
     .prf = 1},
    {.name = "timestamp",
     .title = "a call with T of the type NTP, where policy accepts another alone",
     .ids = "3830-41",
     .wants = "roles:responder timestamps:NTP-UTC,NTP",
     .policy = "{'timestamps': ['NTP-UTC']}",
     .option = "policy.timestamps NTP-UTC",
     .permitted = BOTH("unsupported|policy"), /* the type of T is hardly a parameter: told or not */
     .number = TS,
     .timestamp = 1},
    {.name = "timestamp-accepted",
     .title = "a call with T of the one type that policy accepts",
     .ids = "3830-65",
     .wants = "roles:responder timestamps:NTP",
     .policy = "{'timestamps': ['NTP']}",
     .timestamp = 1},
    {.name = "mac",
     .title = "V of R_MESSAGE_2 with HMAC-SHA-1-160, where policy accepts another MAC alone",
     .ids = "6267-67",
     .wants = "roles:initiator prfs:MIKEY-1 macs:HMAC-SHA-1-160,HMAC-SHA-256-256",
     .policy = OTHER_MAC,
     .option = "policy.macs HMAC-SHA-256-256",
     .permitted = BOTH("unsupported|policy"),
     .calls = true,
     .number = MAC,
     .mac = 1},
    {.name = "mac-accepted",
     .title = "V of R_MESSAGE_2 with the one MAC that policy accepts",
     .ids = "6267-67",
     .wants = "roles:initiator prfs:MIKEY-1 macs:HMAC-SHA-256-256",
     .policy = OTHER_MAC,
     .calls = true,
     .mac = 2},
    {.name = "initiator",
     .title = "alice calls, where policy accepts the calls of carol alone",
     .ids = "3830-41",
     .wants = "roles:responder",
     .policy = CAROL_ALONE,
     .option = "policy.accept_initiators carol",
     .permitted = BOTH("policy|identity"),
     .number = ID},
    {.name = "initiator-accepted",
     .title = "the call of the one whose calls policy accepts",
     .ids = "6267-32",
     .wants = "roles:responder",
     .policy = "{'accept_initiators': [{'uri': 'sip:alice@home.example'}]}"},
};

/* Where the peer is told, it is told why, or nothing. */
static void expect_told(suite_trial *t, const limit *l, const char *id, suite_report r) {
    if (!suite_is(r, "refused:*") || (!l->told && suite_sent_count(r) == 0))
        return;
    id = l->told ? "3830-32" : id;
    const suite_message *m = suite_read(t, suite_sent(t, r, id));
    const suite_payload *err = suite_message_find(m, SUITE_ERR, 0);
    suite_require(t, m->data_type == SUITE_ERROR_MESSAGE && err, id, "an Error message", "%s",
                  suite_data_type_name(m->data_type));
    unsigned told = m->octets.data[err->offset + 1];
    suite_require(t, told == l->number || told == UNSPECIFIED, id,
                  suite_text(t, "Error %u or %u", l->number, UNSPECIFIED), "Error %u", told);
}

static void run_limit(suite_trial *t, const void *arg) {
    const limit *l = arg;
    const char *id = suite_text(t, "%.*s", (int)strcspn(l->ids, " "), l->ids);
    suite_node node = {.users = l->calls ? "alice" : "bob", .policy = l->policy};
    peer_setup setup = {.role = l->calls ? PEER_RESPONDER : PEER_INITIATOR,
                        .prf = l->prf,
                        .mac = l->mac,
                        .timestamp = l->timestamp};
    suite_begin(t, SUITE_A, &node);
    peer *p = case_peer(t, &setup);
    suite_report last;
    bool done;
    if (l->calls) {
        done = case_call_to_peer(t, SUITE_A, p, suite_open_initiator(t, SUITE_A, ""), &last);
    } else {
        suite_open_responder(t, SUITE_A, "");
        done = case_call_from_peer(t, SUITE_A, p, &last);
    }
    if (!l->option) {
        case_completed(t, done, last, p, id, "6267-95");
        return;
    }
    suite_obeyed(t, !done, l->option, "a call that has another, and is taken");
    if (suite_last_type(t) !=
        (l->calls ? SUITE_R_MESSAGE_2 : SUITE_I_MESSAGE_1)) /* it did not come to that */
        case_completed(t, done, last, p, NULL, "6267-95");
    suite_expect(t, last, id, l->permitted);
    expect_told(t, l, id, last);
}

void cases_flow_accept(suite_list *list) {
    for (size_t i = 0; i < sizeof limits / sizeof limits[0]; i++) {
        const limit *l = &limits[i];
        suite_case c = {
            suite_list_text(list, "flow/accept/%s", l->name), l->title, l->ids, l->wants, run_limit, l};
        suite_add(list, &c);
    }
}
