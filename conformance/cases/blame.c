/* Whom to blame where something that was right was not taken: what its case is about, or what goes wrong with
 * nothing special about it; one value of a combination; or a mistake of the IUT's that shows in what it does
 * take. */
#include "conformance/cases/common.h"

#include <string.h>

/* ---- a call with nothing special about it ---- */

/* The IUT's role is that of `last`, the report about one that failed. */
static bool play_plain(suite_trial *t, const void *calls, const char *deviation, suite_report *last,
                       peer **p) {
    bool to_peer = *(const bool *)calls;
    suite_node node = {.users = to_peer ? "alice" : "bob"};
    peer_setup setup = {
        .role = to_peer ? PEER_RESPONDER : PEER_INITIATOR, .deviation = deviation, .seed = "plain"};
    suite_begin(t, SUITE_A, &node);
    *p = case_peer(t, &setup);
    if (to_peer)
        return case_call_tried(t, SUITE_A, *p, suite_open_initiator(t, SUITE_A, ""), last);
    suite_open_responder(t, SUITE_A, "");
    return case_call_from_peer(t, SUITE_A, *p, last);
}

static const bool yes = true, no = false;
static const case_again plain_to_peer = {.play = play_plain, .arg = &yes, .plain = &yes},
                        plain_from_peer = {.play = play_plain, .arg = &no, .plain = &no};

/* ---- what is taken in place of what is right ----
 * Nobody sees why an IUT refuses a message. But if it takes one that is made with a known mistake, and not
 * the right one, that mistake is its own; and if it takes one in which a field has another value that nobody
 * may look at, it looks at it. */

static const struct {
    unsigned type;
    const char *name;
} messages[] = {{SUITE_I_MESSAGE_1, "i-message-1"},          {SUITE_R_MESSAGE_1, "r-message-1"},
                {SUITE_I_MESSAGE_2, "i-message-2"},          {SUITE_R_MESSAGE_2, "r-message-2"},
                {SUITE_REQUEST_KEY_PSK, "request-key-psk"},  {SUITE_REQUEST_KEY_PKE, "request-key-pke"},
                {SUITE_REQUEST_KEY_RESP, "request-key-resp"}};
enum { MESSAGES = sizeof messages / sizeof messages[0] };
static const char *const families[] = {
    [CASE_ALONE] = "", [CASE_UPDATE] = "update-", [CASE_MAILBOX] = "mailbox-", [CASE_DEFERRED] = "deferred-"};

/* Whether a message of that type is taken which is bent so, whatever becomes of those behind it. */
static bool takes(suite_trial *t, const case_again *again, const void *arg, unsigned type,
                  const peer_deviation *d) {
    suite_report last;
    peer *p;
    bool whole = again->play(t, arg, d->name, &last, &p);
    return peer_look(p)->deviated && (whole || (suite_last_type(t) != type && suite_last_type(t) != 0));
}

/* The number of the deviation, from 1; -1: none that is known. */
static int find_mistake(suite_trial *t, const case_again *again, const void *arg, unsigned type,
                        const char *name) {
    peer_deviation d;
    const char *message = suite_text(t, "%s%s", families[again->family], name);
    for (int i = 0; peer_deviation_at((size_t)i, &d); i++)
        if (*d.mistake && strcmp(d.message, message) == 0 && takes(t, again, arg, type, &d))
            return i + 1;
    return -1;
}

/* True: *d is the mistake. It is looked for once for each message and PRF, since some dozen exchanges are
 * played for that. */
static bool explain(suite_trial *t, const case_again *again, const void *arg, unsigned type, uint8_t prf,
                    peer_deviation *d) {
    unsigned place = 0;
    while (place < MESSAGES && messages[place].type != type)
        place++;
    if (place == MESSAGES)
        return false;
    int *known = suite_memory(t, 2 * (place + MESSAGES * again->family) + prf);
    if (*known == 0)
        *known = find_mistake(t, again, arg, type, messages[place].name);
    return *known > 0 && peer_deviation_at((size_t)*known - 1, d);
}

/* ---- the verdict ---- */

static const char *told(suite_trial *t, suite_report r) {
    return suite_text(t, "%s%s%s, state %s", r.event, *r.error ? ":" : "", r.error, r.state);
}

/* What was refused, as the case that fails tells it. */
typedef struct refusal {
    const char *id; /* NULL: what case_rule says */
    const char *when, *permitted;
} refusal;

static _Noreturn void blame_value(suite_trial *t, const case_again *again, suite_shown shown,
                                  const refusal *r, const char *was) {
    for (size_t i = 0; i < again->n_values; i++) {
        suite_report last;
        peer *p;
        if (again->play(t, again->values[i].arg, NULL, &last, &p))
            continue;
        suite_show(t, shown);
        const char *id = again->values[i].requirement;
        suite_fail(t, id ? id : r->id, r->permitted, "%s%s; it goes wrong with this alone: %s", r->when, was,
                   again->values[i].text);
    }
    suite_show(t, shown);
    suite_fail(t, r->id, r->permitted, "%s%s", r->when, was);
}

/* What `arg` stands for is refused too: why? */
static _Noreturn void blame(suite_trial *t, const case_again *again, const void *arg, suite_report last,
                            refusal r) {
    peer_deviation d;
    suite_shown shown = suite_keep_shown(t);
    const char *was = told(t, last);
    uint8_t prf = arg == again->arg ? again->prf : 0;
    r.id = r.id ? r.id : case_rule(t, last);
    bool explained = explain(t, again, arg, shown.type, prf, &d);
    if (!explained && arg != again->plain)
        blame_value(t, again, shown, &r, was);
    suite_show(t, shown);
    if (!explained)
        suite_fail(t, r.id, r.permitted, "%s%s", r.when, was);
    suite_fail(t, peer_prf_rule(suite_text(t, "%s", d.mistake), prf), r.permitted,
               "%s%s; what it takes for right: %s", r.when, was, d.text);
}

void case_taken_again(suite_trial *t, suite_report last, const case_again *again, const char *id,
                      const char *when, const char *permitted) {
    if (suite_is(last, permitted))
        return;
    suite_shown shown = suite_keep_shown(t);
    suite_report plain = last;
    peer *p;
    if (again->arg != again->plain && !again->play(t, again->plain, NULL, &plain, &p)) {
        case_judge(t, p, false);
        blame(t, again, again->plain, plain, (refusal){id, "in every exchange: ", permitted});
    }
    suite_show(t, shown);
    blame(t, again, again->arg, last, (refusal){id, when, permitted});
}

/* ---- a call that is special ---- */

void case_blame_plain(suite_trial *t, bool calls) {
    suite_shown shown = suite_keep_shown(t);
    const case_again *again = calls ? &plain_to_peer : &plain_from_peer;
    suite_report last;
    peer *p;
    bool done = again->play(t, again->plain, NULL, &last, &p);
    case_judge(t, p, false);
    if (!done)
        blame(t, again, again->plain, last, (refusal){NULL, "in every call: ", "accepted/established"});
    suite_show(t, shown);
}

void case_expect_taken(suite_trial *t, suite_report last, const char *id, const char *when,
                       const char *permitted) {
    if (suite_is(last, permitted))
        return;
    const char *session = json_string_value(json_object_get(last.json, "session"));
    const char *was = told(t, last); /* of this call, before another one is played */
    const char *rule = id ? id : case_rule(t, last);
    if (session && (strcmp(session, "a") == 0 || strcmp(session, "b") == 0))
        case_blame_plain(t, strcmp(session, "a") == 0);
    suite_fail(t, rule, permitted, "%s%s", when, was);
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
