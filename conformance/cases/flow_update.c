/* Flow cases: CSB updates (RFC 6267 §5.3), started by either side, with new ECDH values and without. */
#include "conformance/cases/flow.h"

#include <string.h>

#define TAKEN "accepted/established"

typedef struct update {
    const char *name, *title;
    bool iut_initiates;   /* the call */
    bool iut_starts;      /* the update */
    bool new_dh, further; /* further crypto sessions */
    unsigned times;
    bool mki;          /* names the new keys (P-35) */
    const char *curve; /* of the new values; NULL: that of before */
} update;

static const update updates[] = {
    {"initiator-starts-new", "the initiator, which the IUT is, starts an update with new values", true, true,
     true, false, 1, false, NULL},
    {"initiator-starts-old", "the same without new values", true, true, false, false, 1, false, NULL},
    {"initiator-starts-thrice", "three updates with new values", true, true, true, false, 3, false, NULL},
    {"initiator-answers-new", "the IUT called; the peer starts an update with new values", true, false, true,
     false, 1, false, NULL},
    {"initiator-answers-old", "the same without new values", true, false, false, false, 1, false, NULL},
    {"responder-starts-new", "the responder, which the IUT is, starts an update with new values", false, true,
     true, false, 1, false, NULL},
    {"responder-starts-old", "the same without new values", false, true, false, false, 1, false, NULL},
    {"responder-answers-new", "the IUT was called; the peer starts an update with new values", false, false,
     true, false, 1, false, NULL},
    {"responder-answers-old", "the same without new values", false, false, false, false, 1, false, NULL},
    {"responder-answers-thrice", "three updates with new values", false, false, true, false, 3, false, NULL},
    {"responder-answers-further", "an update that adds a crypto session", false, false, true, true, 1, false,
     NULL},
    {"initiator-starts-mki", "the IUT starts an update whose keys have an MKI", true, true, true, false, 1,
     true, NULL},
    {"initiator-answers-mki", "the IUT called; an update of the peer whose keys have an MKI", true, false,
     true, false, 1, true, NULL},
    {"responder-answers-mki", "the IUT was called; an update of the peer whose keys have an MKI", false,
     false, true, false, 1, true, NULL},
    {"initiator-starts-curve", "the IUT called; it starts an update with values on another curve", true, true,
     true, false, 1, false, "P-384"},
    {"responder-starts-curve", "the IUT was called; it starts an update with values on another curve", false,
     true, true, false, 1, false, "P-384"},
    {"responder-answers-curve", "the IUT was called; an update of the peer on another curve", false, false,
     true, false, 1, false, "P-384"},
};

static suite_report establish(suite_trial *t, const update *u, const char *deviation, peer **p) {
    suite_node node = {.users = u->iut_initiates ? "alice" : "bob"};
    peer_setup setup = {.role = u->iut_initiates ? PEER_RESPONDER : PEER_INITIATOR, .deviation = deviation};
    suite_begin(t, SUITE_A, &node);
    *p = case_peer(t, &setup);
    suite_report last;
    bool done;
    if (u->iut_initiates) {
        done = case_call_to_peer(t, SUITE_A, *p, suite_open_initiator(t, SUITE_A, ""), &last);
    } else {
        suite_open_responder(t, SUITE_A, "");
        done = case_call_from_peer(t, SUITE_A, *p, &last);
    }
    case_established(t, done, last, *p);
    return last;
}

/* The message that the IUT starts the update with has new values, or has none, as it was told. */
static ibk_span started(suite_trial *t, const update *u, suite_report r) {
    suite_expect(t, r, "6267-73", "accepted/updating");
    ibk_span octets = suite_sent(t, r, "6267-73");
    bool ibake = suite_message_find(suite_read(t, octets), SUITE_IBAKE, 0) != NULL;
    suite_require(t, ibake == u->new_dh, "6267-78",
                  u->new_dh ? "IBAKE with a new value" : "no IBAKE, since no new values were asked for",
                  ibake ? "IBAKE" : "no IBAKE");
    return octets;
}

static suite_report exchange(suite_trial *t, const update *u, peer *p) {
    const char *session = u->iut_initiates ? "a" : "b";
    if (u->iut_starts) {
        suite_report r = suite_op(t, SUITE_A, "update", "'session': '%s', 'new_dh': %s%s%s", session,
                                  u->new_dh ? "true" : "false", u->mki ? ", 'mki': 'AQI='" : "",
                                  u->curve ? suite_text(t, ", 'curve': '%s'", u->curve) : "");
        ibk_span answer = case_give(t, p, started(t, u, r));
        case_judge(t, p, false);
        suite_obeyed(t, (peer_look(p)->mki.len == 2) == u->mki, u->mki ? "an mki of 2 octets" : "no mki",
                     "one of %zu", peer_look(p)->mki.len);
        suite_obeyed(t, !u->curve || peer_look(p)->curve == case_curve(u->curve),
                     suite_text(t, "an update on %s", u->curve), "one on %s",
                     case_curve_name(peer_look(p)->curve));
        return suite_message_in(t, SUITE_A, session, answer);
    }
    static const uint8_t policy = 0;
    const peer_cs further = {.cs_id = 3, .policies = {&policy, 1}, .ssrc = 3};
    peer_change change = {.new_dh = u->new_dh,
                          .curve = u->curve ? case_curve(u->curve) : 0,
                          .mki = u->mki ? ibk_span_str("\001\002") : (ibk_span){0},
                          .further = &further,
                          .n_further = u->further};
    ibk_buf *out = suite_buf(t);
    suite_sure(t, peer_update(p, &change, out), "the peer's update");
    suite_report r = suite_message_in(t, SUITE_A, session, ibk_buf_span(out));
    if (!suite_is(r, TAKEN))
        return r;
    ibk_span more = case_give(t, p, suite_sent(t, r, "6267-73"));
    case_judge(t, p, false);
    return more.len ? suite_message_in(t, SUITE_A, session, more) : r;
}

/* A call, and one such update. */
static bool play(suite_trial *t, const void *arg, const char *deviation, suite_report *last, peer **p) {
    const update *u = arg;
    establish(t, u, deviation, p);
    case_pass(t, SUITE_A, *p, 1);
    *last = exchange(t, u, *p);
    return suite_is(*last, TAKEN);
}

/* An update that was right has to be taken; a V that is refused is made with keys that the IUT does not
 * make. */
static void is_taken(suite_trial *t, const update *u, suite_report r) {
    const case_again again = {.play = play, .arg = u, .plain = u, .family = CASE_UPDATE};
    bool of_v = u->iut_starts && strcmp(r.error, "authentication") == 0;
    case_taken_again(t, r, &again, !of_v ? "6267-73" : u->new_dh ? "6267-79" : "6267-80", "", TAKEN);
}

static void run_update(suite_trial *t, const void *arg) {
    const update *u = arg;
    peer *p;
    suite_report before = establish(t, u, NULL, &p);
    for (unsigned i = 1; i <= u->times; i++) {
        case_pass(t, SUITE_A, p, i);
        suite_report r = exchange(t, u, p);
        is_taken(t, u, r);
        suite_require(t, json_integer_value(json_object_get(r.json, "updates")) == (json_int_t)i, "6267-73",
                      "one more update is counted", "%lld",
                      (long long)json_integer_value(json_object_get(r.json, "updates")));
        case_keys(t, r, p, u->new_dh ? "6267-79" : "6267-80");
        if (suite_claims(t, "features", "keys") && u->new_dh)
            suite_require(t,
                          !json_equal(json_object_get(before.json, "keys"), json_object_get(r.json, "keys")),
                          "P-20", "new keys of new values", "the keys of before");
        before = r;
    }
}

/* Whoever answered can take the update back (P-32). */
static void run_settle(suite_trial *t, const void *arg) {
    const bool *keep = arg;
    static const update u = {.new_dh = true, .times = 1};
    peer *p;
    suite_report before = establish(t, &u, NULL, &p);
    case_pass(t, SUITE_A, p, 1);
    suite_report after = exchange(t, &u, p);
    is_taken(t, &u, after);
    suite_report r = suite_op(t, SUITE_A, "settle", "'session': 'b', 'keep': %s", *keep ? "true" : "false");
    suite_expect(t, r, "P-32", "accepted/established");
    case_kept(t, *keep ? after : before, r, "P-32", *keep ? "the keys of the update" : "the keys of before");
}

/* An answer that never comes leaves the keys of before. */
static void run_unanswered(suite_trial *t, const void *arg) {
    (void)arg;
    static const update u = {.iut_initiates = true, .iut_starts = true, .new_dh = true};
    peer *p;
    suite_report before = establish(t, &u, NULL, &p);
    case_pass(t, SUITE_A, p, 1);
    suite_report r = suite_op(t, SUITE_A, "update", "'session': 'a', 'new_dh': true");
    suite_expect(t, r, "6267-73", "accepted/updating");
    case_kept(t, before, r, "4567-39", "the keys of before, until the answer");
    json_t *answer = suite_do(t, SUITE_A, NULL, "time", suite_json(t, "{'timer_ms': 100000}"));
    const json_t *late = json_array_get(json_object_get(answer, "reports"), 0);
    const char *state = json_string_value(json_object_get(late, "state"));
    suite_require(t, state && strcmp(state, "established") == 0, "6267-73",
                  "discarded or expired, state established", "state %s",
                  state ? state : "unknown: no report");
}

void cases_flow_update(suite_list *list) {
    static const bool yes = true, no = false;
    for (size_t i = 0; i < sizeof updates / sizeof updates[0]; i++) {
        const update *u = &updates[i];
        const char *ids = suite_list_text(
            list, "6267-73 6267-74 6267-75 6267-76 6267-77 3830-27 3830-28 3830-29 P-7 P-30 %s",
            u->new_dh ? "6267-78 6267-79 P-20" : "6267-80 P-31");
        suite_case c = {suite_list_text(list, "flow/update/%s", u->name),
                        u->title,
                        suite_list_text(list, "%s%s%s%s", ids, u->further ? " P-33" : "",
                                        u->mki ? " P-35" : "", u->curve ? " P-21" : ""),
                        suite_list_text(list, "roles:%s features:update%s%s",
                                        u->iut_initiates ? "initiator" : "responder",
                                        u->further ? ",update-sessions" : "",
                                        u->curve ? " curves:P-256,P-384 own_curves:P-384" : ""),
                        run_update,
                        u};
        suite_add(list, &c);
    }
    const suite_case more[] = {{"flow/update/taken-back", "an answered update is taken back", "P-32",
                                "roles:responder features:update,settle", run_settle, &no},
                               {"flow/update/confirmed", "an answered update is confirmed", "P-32",
                                "roles:responder features:update,settle", run_settle, &yes},
                               {"flow/update/unanswered", "an update that nobody answers", "6267-73 4567-39",
                                "roles:initiator features:update,clock", run_unanswered, NULL}};
    for (size_t i = 0; i < sizeof more / sizeof more[0]; i++)
        suite_add(list, &more[i]);
}
