/* Replay and skew (RFC 3830 §5.4, P-15): clocks that differ, messages that come again, what enters the cache.
 */
#include "conformance/cases/cases.h"
#include "conformance/cases/common.h"

#include <string.h>

enum { SKEW = 300000 /* ms: the default of IUT.md §4 */ };

/* ---- skew ---- */

typedef struct skew {
    const char *name;
    int64_t by; /* ms, of the peer's clock against the IUT's */
    bool inside;
} skew;

static const skew skews[] = {
    {"late-inside", -(SKEW - 1500), true},     {"late-outside", -(SKEW + 1500), false},
    {"early-inside", SKEW - 1500, true},       {"early-outside", SKEW + 1500, false},
    {"a-day-late", -INT64_C(86400000), false}, {"years-early", INT64_C(3) * 365 * 86400000, false}};

typedef struct skewed {
    const skew *skew;
    uint8_t timestamp;
    bool kms;
} skewed;

static suite_report call(suite_trial *t, const peer_setup *setup, const char *session) {
    suite_op(t, SUITE_A, "open",
             "'session': '%s', 'role': 'responder', 'local': {'uri': 'sip:bob@home.example'}", session);
    return suite_message_in(t, SUITE_A, session, case_start(t, case_peer(t, setup)));
}

static const char kms_users[] =
    "'users': [{'psk': '" SUITE_PSK "', 'may_have': [{'uri': 'sip:alice@home.example'}]}]";

/* The peer takes keys of its own date; what counts here is T. */
static void run_skew(suite_trial *t, const void *arg) {
    const skewed *s = arg;
    int64_t utc_ms = suite_now(t) + s->skew->by;
    suite_node node = {.users = s->kms ? NULL : "bob", .kms = s->kms ? kms_users : NULL};
    peer_setup setup = {
        .role = s->kms ? PEER_USER : PEER_INITIATOR, .timestamp = s->timestamp, .utc_ms = utc_ms};
    suite_begin(t, SUITE_A, &node);
    suite_report r;
    if (s->kms) {
        suite_op(t, SUITE_A, "open", "'session': 'k', 'role': 'kms'");
        r = suite_message_in(t, SUITE_A, "k", case_start(t, case_peer(t, &setup)));
    } else {
        r = call(t, &setup, "b");
    }
    /* on another day there is no key for the date of T, and whether that is noticed first is a SHOULD
     * (3830-39) */
    bool near = s->skew->by > -3 * SKEW && s->skew->by < 3 * SKEW;
    suite_expect(t, r, "3830-63",
                 s->skew->inside ? "accepted"
                 : near          ? "refused:clock discarded:clock"
                                 : "refused:clock|no-key|decryption discarded:clock|no-key|decryption");
}

typedef struct narrow {
    const char *name;
    int64_t by;
    const char *permitted;
} narrow;

static const narrow narrows[] = {{"inside", 900, "accepted"},
                                 {"outside", 2200, "refused:clock discarded:clock"},
                                 {"late-inside", -900, "accepted"},
                                 {"late-outside", -2200, "refused:clock discarded:clock"}};

static void run_narrow(suite_trial *t, const void *arg) {
    const narrow *n = arg;
    suite_node node = {.users = "bob", .policy = "{'skew_ms': 1500}"};
    peer_setup setup = {.role = PEER_INITIATOR, .utc_ms = suite_now(t) + n->by};
    suite_begin(t, SUITE_A, &node);
    suite_expect(t, call(t, &setup, "b"), "3830-63", n->permitted);
}

/* ---- the same message again ---- */

typedef struct again {
    uint8_t timestamp;
    bool kms;
} again;

static void run_again(suite_trial *t, const void *arg) {
    const again *a = arg;
    suite_node node = {.users = a->kms ? NULL : "bob", .kms = a->kms ? kms_users : NULL};
    peer_setup setup = {.role = a->kms ? PEER_USER : PEER_INITIATOR, .timestamp = a->timestamp, .counter = 7};
    suite_begin(t, SUITE_A, &node);
    ibk_span octets = case_start(t, case_peer(t, &setup));
    const char *second = a->kms ? "k" : "b2";
    if (a->kms) {
        suite_op(t, SUITE_A, "open", "'session': 'k', 'role': 'kms'");
        suite_expect(t, suite_message_in(t, SUITE_A, "k", octets), "6267-16", "accepted");
    } else {
        suite_open_responder(t, SUITE_A, "");
        suite_expect(t, suite_message_in(t, SUITE_A, "b", octets), "6267-32", "accepted");
        suite_op(t, SUITE_A, "open",
                 "'session': 'b2', 'role': 'responder', 'local': {'uri': 'sip:bob@home.example'}");
    }
    suite_expect(t, suite_message_in(t, SUITE_A, second, octets), "3830-63",
                 "refused:replay discarded:replay");
}

/* A day later T is out of date, whatever the cache has forgotten. */
static void run_later(suite_trial *t, const void *arg) {
    (void)arg;
    suite_node node = {.users = "bob"};
    peer_setup setup = {.role = PEER_INITIATOR};
    suite_begin(t, SUITE_A, &node);
    ibk_span octets = case_start(t, case_peer(t, &setup));
    suite_open_responder(t, SUITE_A, "");
    suite_expect(t, suite_message_in(t, SUITE_A, "b", octets), "6267-32", "accepted");
    suite_do(t, SUITE_A, NULL, "time",
             suite_json(t, "{'utc_ms': %lld, 'timer_ms': 3600000}", (long long)suite_now(t) + 3600000));
    suite_op(t, SUITE_A, "open",
             "'session': 'b2', 'role': 'responder', 'local': {'uri': 'sip:bob@home.example'}");
    suite_expect(t, suite_message_in(t, SUITE_A, "b2", octets), "3830-63",
                 "refused:clock|replay discarded:clock|replay");
}

/* The clock that T is held against is the one that the suite sets, also within a case: what was of its time
 * then is not any more. */
static void run_moved(suite_trial *t, const void *arg) {
    (void)arg;
    const int64_t hour = 3600000;
    suite_node node = {.users = "bob"};
    peer_setup then = {.role = PEER_INITIATOR, .seed = "then"},
               now = {.role = PEER_INITIATOR, .seed = "now", .utc_ms = suite_now(t) + hour};
    suite_begin(t, SUITE_A, &node);
    suite_do(t, SUITE_A, NULL, "time",
             suite_json(t, "{'utc_ms': %lld, 'timer_ms': 0}", (long long)suite_now(t) + hour));
    suite_report r = call(t, &now, "b");
    suite_obeyed(t, !suite_is(r, "refused:clock discarded:clock"), "time.utc_ms an hour later",
                 "a T of that hour that is outside the skew");
    suite_expect(t, r, "6267-32", "accepted/waiting");
    suite_expect(t, call(t, &then, "b2"), "3830-63", "refused:clock discarded:clock");
}

/* ---- what enters the cache (P-15) ---- */

static ibk_span spoilt(suite_trial *t, ibk_span octets) {
    ibk_span copy = suite_copy(t, octets);
    const suite_message *m = suite_read(t, copy);
    ibk_span ibake = suite_payload_data(m, suite_message_find(m, SUITE_IBAKE, 0));
    ((uint8_t *)ibake.data)[ibake.len - 1] ^= 1;
    return copy;
}

static void run_forged_first(suite_trial *t, const void *arg) {
    (void)arg;
    suite_node node = {.users = "bob"};
    peer_setup setup = {.role = PEER_INITIATOR};
    suite_begin(t, SUITE_A, &node);
    ibk_span octets = case_start(t, case_peer(t, &setup));
    suite_open_responder(t, SUITE_A, "");
    suite_expect(t, suite_message_in(t, SUITE_A, "b", spoilt(t, octets)), "5091-15",
                 "refused:decryption discarded:decryption");
    suite_op(t, SUITE_A, "open",
             "'session': 'b2', 'role': 'responder', 'local': {'uri': 'sip:bob@home.example'}");
    suite_expect(t, suite_message_in(t, SUITE_A, "b2", octets), "P-15", "accepted/waiting");
}

/* The message to another user, the rest as it was: what cannot be opened for him keeps nobody out. */
static void run_readdressed(suite_trial *t, const void *arg) {
    (void)arg;
    suite_node node = {.users = "bob"};
    peer_setup setup = {.role = PEER_INITIATOR};
    suite_begin(t, SUITE_A, &node);
    ibk_span octets = case_start(t, case_peer(t, &setup)), copy = suite_copy(t, octets);
    const suite_message *m = suite_read(t, copy);
    ibk_span called = suite_payload_data(m, suite_message_idr(m, SUITE_ROLE_R));
    ((uint8_t *)called.data)[strlen("sip:")] ^= 1;
    suite_open_responder(t, SUITE_A, "");
    suite_expect(t, suite_message_in(t, SUITE_A, "b", copy), "P-19", "refused:* discarded:*");
    suite_op(t, SUITE_A, "open",
             "'session': 'b2', 'role': 'responder', 'local': {'uri': 'sip:bob@home.example'}");
    suite_expect(t, suite_message_in(t, SUITE_A, "b2", octets), "P-15", "accepted/waiting");
}

/* Whoever forges requests to a KMS with the T of another does not keep that other out. */
static void run_forged_request(suite_trial *t, const void *arg) {
    (void)arg;
    suite_node node = {.kms = kms_users};
    peer_setup setup = {.role = PEER_USER};
    suite_begin(t, SUITE_A, &node);
    suite_op(t, SUITE_A, "open", "'session': 'k', 'role': 'kms'");
    ibk_span octets = case_start(t, case_peer(t, &setup)), copy = suite_copy(t, octets);
    ((uint8_t *)copy.data)[copy.len - 1] ^= 1; /* of the MAC */
    suite_expect(t, suite_message_in(t, SUITE_A, "k", copy), "6267-12",
                 "refused:authentication discarded:authentication");
    suite_expect(t, suite_message_in(t, SUITE_A, "k", octets), "6267-16", "accepted/serving");
}

static suite_report again_as(suite_trial *t, ibk_span octets, const char *session) {
    suite_op(t, SUITE_A, "open",
             "'session': '%s', 'role': 'responder', 'local': {'uri': 'sip:bob@home.example'}", session);
    return suite_message_in(t, SUITE_A, session, octets);
}

/* A full cache lets nothing pass that it could not remember. The calls have the same T. A cache of one
 * message may take the second in the place of the first, and then refuses whatever has that T; if it still
 * tells the first and the second from a third, it remembers two. */
static void run_full(suite_trial *t, const void *arg) {
    (void)arg;
    static const char *const seeds[] = {"one", "two", "three"};
    suite_node node = {.users = "bob", .policy = "{'replay_entries': 1}"};
    suite_begin(t, SUITE_A, &node);
    ibk_span octets[3];
    for (size_t i = 0; i < 3; i++) {
        peer_setup setup = {.role = PEER_INITIATOR, .seed = seeds[i]};
        octets[i] = case_start(t, case_peer(t, &setup));
    }
    suite_expect(t, again_as(t, octets[0], "b"), "6267-32", "accepted/waiting");
    suite_report second = again_as(t, octets[1], "b2");
    suite_expect(t, again_as(t, octets[0], "b3"), "3830-63", "refused:replay|policy discarded:replay|policy");
    if (!suite_is(second, "accepted"))
        return;
    suite_expect(t, again_as(t, octets[1], "b4"), "3830-63", "refused:replay|policy discarded:replay|policy");
    suite_obeyed(t, !suite_is(again_as(t, octets[2], "b5"), "accepted"), "policy.replay_entries 1",
                 "a cache of more");
}

/* ---- the order of checks (RFC 3830 §5.3) ---- */

static void run_order(suite_trial *t, const void *arg) {
    (void)arg;
    suite_node node = {.users = "bob"};
    peer_setup setup = {.role = PEER_INITIATOR, .utc_ms = suite_now(t) - 4 * SKEW};
    suite_begin(t, SUITE_A, &node);
    ibk_span octets = spoilt(t, case_start(t, case_peer(t, &setup)));
    suite_open_responder(t, SUITE_A, "");
    suite_expect(t, suite_message_in(t, SUITE_A, "b", octets), "3830-39", "refused:clock discarded:clock");
}

/* An update that comes again. */
static void run_update(suite_trial *t, const void *arg) {
    (void)arg;
    suite_node node = {.users = "bob"};
    peer_setup setup = {.role = PEER_INITIATOR};
    suite_begin(t, SUITE_A, &node);
    suite_open_responder(t, SUITE_A, "");
    peer *p = case_peer(t, &setup);
    suite_report last;
    case_established(t, case_call_from_peer(t, SUITE_A, p, &last), last, p);
    case_pass(t, SUITE_A, p, 1);
    peer_change change = {.new_dh = true};
    ibk_buf *out = suite_buf(t);
    suite_sure(t, peer_update(p, &change, out), "the peer's update");
    suite_expect(t, suite_message_in(t, SUITE_A, "b", ibk_buf_span(out)), "6267-73", "accepted/established");
    case_pass(t, SUITE_A, p, 2);
    suite_expect(t, suite_message_in(t, SUITE_A, "b", ibk_buf_span(out)), "P-34", "discarded:*/established");
}

static void add_skews(suite_list *list) {
    for (int kms = 0; kms < 2; kms++)
        for (uint8_t ts = 0; ts < 4; ts++)
            for (size_t i = 0; ts != 2 && i < sizeof skews / sizeof skews[0];
                 i++) { /* a COUNTER has no skew */
                skewed *arg = suite_list_alloc(list, sizeof *arg);
                *arg = (skewed){&skews[i], ts, kms != 0};
                suite_case c = {suite_list_text(list, "replay/skew/%s/%s/%s", kms ? "kms" : "responder",
                                                case_timestamps[ts], skews[i].name),
                                skews[i].inside ? "T within the allowed skew is taken"
                                                : "T outside the allowed skew is refused",
                                ts == 3 ? "3830-63" : "3830-63 3830-65",
                                suite_list_text(list, "roles:%s timestamps:%s", kms ? "kms" : "responder",
                                                case_timestamps[ts]),
                                run_skew,
                                arg};
                suite_add(list, &c);
            }
}

static void add_repeats(suite_list *list) {
    for (int kms = 0; kms < 2; kms++)
        for (uint8_t ts = 0; ts < 4; ts++) {
            again *arg = suite_list_alloc(list, sizeof *arg);
            *arg = (again){ts, kms != 0};
            suite_case c = {
                suite_list_text(list, "replay/again/%s/%s", kms ? "kms" : "responder", case_timestamps[ts]),
                "a message that was taken comes again",
                "3830-63",
                suite_list_text(list, "roles:%s timestamps:%s%s", kms ? "kms" : "responder",
                                case_timestamps[ts], kms ? "" : " features:many"),
                run_again,
                arg};
            suite_add(list, &c);
        }
}

void cases_replay(suite_list *list) {
    add_skews(list);
    add_repeats(list);
    for (size_t i = 0; i < sizeof narrows / sizeof narrows[0]; i++) {
        suite_case c = {suite_list_text(list, "replay/skew/narrow/%s", narrows[i].name),
                        "an allowed skew of 1.5 s",
                        "3830-63",
                        "roles:responder",
                        run_narrow,
                        &narrows[i]};
        suite_add(list, &c);
    }
    const suite_case more[] = {{"replay/later", "an hour later the same message again", "3830-63",
                                "roles:responder features:many,clock", run_later, 0},
                               {"replay/moved", "the clock is set, and what was of its time is stale",
                                "3830-63", "roles:responder features:many,clock", run_moved, 0},
                               {"replay/forged-first", "a message that does not decrypt keeps nobody out",
                                "P-15 5091-15 P-16", "roles:responder features:many", run_forged_first, 0},
                               {"replay/readdressed", "the same message to another user keeps nobody out",
                                "P-15 P-19", "roles:responder features:many", run_readdressed, 0},
                               {"replay/forged-request", "a request with a wrong MAC keeps nobody out",
                                "6267-12 6267-16", "roles:kms methods:PSK", run_forged_request, 0},
                               {"replay/cache-full", "a full cache lets no replay pass", "3830-63",
                                "roles:responder features:many", run_full, 0},
                               {"replay/order", "T is looked at before anything is decrypted", "3830-39",
                                "roles:responder features:classes", run_order, 0},
                               {"replay/update", "an update comes again", "P-34 6267-75",
                                "roles:responder features:update", run_update, 0}};
    for (size_t i = 0; i < sizeof more / sizeof more[0]; i++)
        suite_add(list, &more[i]);
}
