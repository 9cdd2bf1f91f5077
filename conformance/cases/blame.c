/* Whom to blame for a call that ought to have gone well: what its case is about, or what goes wrong in every
 * call; and which mistake of an initiator is behind it when it refuses a V that is right. */
#include "conformance/cases/common.h"

#include <string.h>

/* A call with nothing special about it; the IUT's role is that of `last`, the report about one that failed.
 */
static bool play_plain(suite_trial *t, bool calls, const char *deviation, suite_report *last, peer **p) {
    suite_node node = {.users = calls ? "alice" : "bob"};
    peer_setup setup = {
        .role = calls ? PEER_RESPONDER : PEER_INITIATOR, .deviation = deviation, .seed = "plain"};
    suite_begin(t, SUITE_A, &node);
    *p = case_peer(t, &setup);
    if (calls)
        return case_call_to_peer(t, SUITE_A, *p, suite_open_initiator(t, SUITE_A, ""), last);
    suite_open_responder(t, SUITE_A, "");
    return case_call_from_peer(t, SUITE_A, *p, last);
}

/* ---- a V that is right, and is refused ----
 * Nobody sees how an initiator verifies V. But if it takes one that is made with a known mistake, and not the
 * right one, that mistake is its own. */

static bool is_about_v(const peer_deviation *d) {
    return d->of_keys && strcmp(d->message, "r-message-2") == 0;
}

/* The number of the deviation, from 1; -1: none that is known. */
static int find_mistake(suite_trial *t) {
    suite_report last;
    peer *p;
    if (play_plain(t, true, NULL, &last, &p))
        return -1; /* a plain call goes well: whatever it is, it is none of these */
    peer_deviation d;
    for (int i = 0; peer_deviation_at((size_t)i, &d); i++)
        if (is_about_v(&d) && play_plain(t, true, d.name, &last, &p) && peer_look(p)->deviated)
            return i + 1;
    return -1;
}

/* True: *d is the mistake. It is looked for once, since a dozen calls are played for that. */
static bool explain_v(suite_trial *t, suite_report last, peer_deviation *d) {
    if (suite_last_type(t) != SUITE_R_MESSAGE_2 ||
        !suite_is(last, "refused:authentication discarded:authentication"))
        return false;
    int *known = suite_memory(t);
    if (*known == 0) {
        suite_shown shown = suite_keep_shown(t);
        *known = find_mistake(t);
        suite_show(t, shown);
    }
    return *known > 0 && peer_deviation_at((size_t)*known - 1, d);
}

static const char *told(suite_trial *t, suite_report r) {
    return suite_text(t, "%s%s%s, state %s", r.event, *r.error ? ":" : "", r.error, r.state);
}

static _Noreturn void blame(suite_trial *t, suite_report last, const char *when, const char *permitted) {
    peer_deviation d;
    if (!explain_v(t, last, &d))
        suite_fail(t, case_rule(t, last), permitted, "%s%s", when, told(t, last));
    const char *space = strrchr(d.requirements, ' ');
    suite_fail(t, suite_text(t, "%s", space ? space + 1 : d.requirements), permitted,
               "%s%s; what it takes for right: %s", when, told(t, last), d.text);
}

/* ---- a call that is special ---- */

void case_blame_plain(suite_trial *t, bool calls) {
    suite_shown shown = suite_keep_shown(t);
    suite_report last;
    peer *p;
    bool done = play_plain(t, calls, NULL, &last, &p);
    case_judge(t, p, false);
    if (!done)
        blame(t, last, "in every call: ", "accepted/established");
    suite_show(t, shown);
}

void case_expect_taken(suite_trial *t, suite_report last, const char *id, const char *when,
                       const char *permitted) {
    if (suite_is(last, permitted))
        return;
    const char *session = json_string_value(json_object_get(last.json, "session"));
    if (!id)
        blame(t, last, when, permitted);
    const char *was = told(t, last); /* of this call, before another one is played */
    case_blame_plain(t, session && strcmp(session, "a") == 0);
    suite_fail(t, id, permitted, "%s%s", when, was);
}

ibk_span case_pair_sent(suite_trial *t, suite_report r, const char *id) {
    if (suite_sent_count(r) != 1) {
        const char *was = told(t, r);
        case_blame_plain(t, true);
        case_blame_plain(t, false);
        suite_fail(t, id, "what one process sends, the other takes and answers", "%s", was);
    }
    return suite_sent_at(t, r, 0);
}
