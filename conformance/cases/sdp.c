/* SDP cases (RFC 4567): where the attribute stands, what is in it, which list of protocols counts, and how a
 * failure ends the set-up. */
#include "conformance/cases/cases.h"
#include "conformance/cases/common.h"

#include <string.h>

#define LINE "\r\n"
static const char body_json[] =
    "v=0\\r\\no=- 1 1 IN IP4 192.0.2.1\\r\\ns=-\\r\\nt=0 0\\r\\nm=audio 4000 RTP/SAVP "
    "0\\r\\na=sendrecv\\r\\nm=video 4002 RTP/SAVP 96\\r\\n";

/* A report's only description; fails `id` if there is none. */
static const char *description(suite_trial *t, suite_report r, const char *id) {
    const json_t *list = json_object_get(r.json, "sdp");
    suite_require(t, json_array_size(list) == 1, id, "one description", "%s%s%s with %zu", r.event,
                  *r.error ? ":" : "", r.error, json_array_size(list));
    return json_string_value(json_array_get(list, 0));
}

static suite_report take(suite_trial *t, const char *session, const char *sdp) {
    return suite_sdp_in(t, SUITE_A, session, sdp);
}

static void begin(suite_trial *t) {
    suite_node node = {.users = "alice,bob"};
    suite_begin(t, SUITE_A, &node);
}

static suite_report open_offerer(suite_trial *t, const char *more) {
    return suite_open_initiator(t, SUITE_A, suite_text(t, "'sdp': {'body': '%s'%s}", body_json, more));
}

static void open_answerer(suite_trial *t, const char *more) {
    suite_open_responder(t, SUITE_A, suite_text(t, "'sdp': {'body': '%s'%s}", body_json, more));
}

/* ---- the way of a description ---- */

static const char *after(const char *text, const char *what) {
    const char *at = strstr(text, what);
    return at ? at + strlen(what) : NULL;
}

static const char *between(suite_trial *t, const char *sdp, const char *what) {
    const char *value = after(sdp, what);
    return value ? suite_text(t, "%.*s", (int)strcspn(value, "\r\n"), value) : NULL;
}

/* The message in an attribute, whose form is judged on the way; fails `id` where there is none. */
static const suite_message *inside(suite_trial *t, const char *sdp, const char *id) {
    const char *value = between(t, sdp, "a=key-mgmt:");
    if (!value)
        suite_fail(t, id, "an attribute a=key-mgmt", "none");
    suite_require(t, strncmp(value, "mikey ", 6) == 0, "4567-52", "the protocol identifier mikey", "'%.20s'",
                  value);
    return suite_read(t, suite_octets(t, value + 6));
}

static size_t count(const char *text, const char *what) {
    size_t n = 0;
    for (const char *at = text; (at = after(at, what)) != NULL;)
        n++;
    return n;
}

typedef struct way {
    const char *name, *offer, *answer; /* levels */
} way;

static const way ways[] = {{"session-session", "session", "session"},
                           {"session-media", "session", "media"},
                           {"media-session", "media", "session"},
                           {"media-media", "media", "media"}};

static const char *ids_in(suite_trial *t, const suite_message *m) {
    ibk_span ids = suite_payload_data(m, suite_message_find(m, SUITE_GENERAL, 0));
    return suite_text(t, "%.*s", (int)ids.len, ids.len ? (const char *)ids.data : "");
}

static void list_alone(suite_trial *t, const suite_message *m) {
    const char *ids = ids_in(t, m);
    suite_require(t, strcmp(ids, "mikey") == 0, "4567-47", "the list 'mikey'", "'%s'", ids);
}

/* Where it stands is as it was asked for. */
static void judge_level(suite_trial *t, const char *sdp, const char *level) {
    const char *media = strstr(sdp, "m="), *attribute = strstr(sdp, "a=key-mgmt:");
    bool at_media = attribute > media;
    suite_require(t, at_media == (strcmp(level, "media") == 0), "4567-3",
                  "the attribute at the level that was asked for", "the other level");
    suite_require(t, !at_media || count(media, "a=key-mgmt:") == count(media, "m="), "4567-37",
                  "the attribute in each media description", "%zu for %zu", count(media, "a=key-mgmt:"),
                  count(media, "m="));
}

static void run_way(suite_trial *t, const void *arg) {
    static const unsigned types[] = {SUITE_I_MESSAGE_1, SUITE_R_MESSAGE_1, SUITE_I_MESSAGE_2,
                                     SUITE_R_MESSAGE_2};
    const way *w = arg;
    begin(t);
    suite_report a = open_offerer(t, suite_text(t, ", 'level': '%s'", w->offer)), b = a;
    open_answerer(t, suite_text(t, ", 'level': '%s'", w->answer));
    for (int i = 0; i < 4; i++) {
        /* what is missing follows on an offer, or on an answer, that was not taken */
        const char *sdp = description(t, i % 2 ? b : a, i == 0 ? "4567-7" : i % 2 ? "4567-12" : "4567-19");
        const suite_message *m = inside(t, sdp, i % 2 ? "4567-15" : "4567-8");
        suite_require(t, m->data_type == types[i], "P-13", suite_data_type_name(types[i]), "%s",
                      suite_data_type_name(m->data_type));
        judge_level(t, sdp, i % 2 ? w->answer : w->offer);
        if (i == 0)
            list_alone(t, m);
        if (i % 2)
            a = take(t, "a", sdp);
        else
            b = take(t, "b", sdp);
    }
    suite_same_keys(t, a, b, "4567-19");
}

/* ---- the list of protocols (RFC 4567 §4.1.4) ---- */

static void run_list_alone(suite_trial *t, const void *arg) {
    (void)arg;
    begin(t);
    list_alone(t, inside(t, description(t, open_offerer(t, ""), "4567-7"), "4567-8"));
}

/* The list with whatever separates its identifiers as a semicolon. */
static const char *with_semicolons(suite_trial *t, const char *ids) {
    static const char letters[] = "abcdefghijklmnopqrstuvwxyz";
    char *copy = suite_alloc(t, strlen(ids) + 1);
    for (size_t i = 0; ids[i]; i++)
        copy[i] = strchr(letters, ids[i]) ? ids[i] : ';';
    return copy;
}

static void run_list_others(suite_trial *t, const void *arg) {
    (void)arg;
    begin(t);
    const char *sdp = description(t, open_offerer(t, ", 'others': ['other QUJD', 'third REVG']"), "4567-7");
    const char *ids = ids_in(t, inside(t, sdp, "4567-8"));
    bool other = strcmp(with_semicolons(t, ids), "mikey;other;third") != 0;
    suite_require(t, strcmp(ids, "mikey;other;third") == 0, other ? "4567-49" : "4567-48",
                  "the list 'mikey;other;third'", "'%s'", ids);
    open_answerer(t, "");
    suite_expect(t, take(t, "b", sdp), "4567-34", "accepted/waiting");
}

/* ---- offers that are bent on their way ---- */

/* What stands in place of the attribute lines of a right offer. */
typedef struct offer {
    const char *name, *title, *ids;
    const char *session[3]; /* values; "*": the right one */
    const char *media[2];   /* in the first and in the last media description */
    const char *permitted;
} offer;

static const offer offers[] = {
    {"as-it-was", "the right attribute", "4567-11 4567-12", {"*"}, {NULL}, "accepted/waiting"},
    {"no-attribute",
     "no attribute at all",
     "4567-13 4567-62",
     {NULL},
     {NULL},
     "refused:payload|malformed|policy|unsupported/closed"},
    {"other-alone", "another protocol alone", "4567-13", {"other QUJD"}, {NULL}, "refused:*/closed"},
    {"upper-case",
     "MIKEY in upper case is another protocol",
     "4567-2 4567-13",
     {"MIKEY AAAA"},
     {NULL},
     "refused:*/closed"},
    {"bad-base64", "no base64", "4567-1 4567-13", {"mikey !!!!"}, {NULL}, "refused:malformed/closed"},
    {"no-message",
     "base64 of what is no message",
     "4567-13",
     {"mikey AAAA"},
     {NULL},
     "refused:malformed|unsupported|payload/closed"},
    {"empty", "no data behind the identifier", "4567-13", {"mikey "}, {NULL}, "refused:*/closed"},
    {"both-levels",
     "the right attribute at both levels",
     "4567-3 4567-31 4567-32",
     {"*"},
     {"*"},
     "accepted/waiting"},
    {"media-alone",
     "the right attribute in a media description alone",
     "4567-3",
     {NULL},
     {"*"},
     "accepted/waiting refused:*"},
    {"session-bad",
     "a wrong attribute at session level fails the set-up, or is not used where each stream has its own",
     "4567-4 4567-33",
     {"mikey AAAA"},
     {"*"},
     "accepted/waiting refused:*/closed"},
    {"media-bad",
     "a wrong attribute at media level fails the whole set-up",
     "4567-33 4567-4 4567-32",
     {"*"},
     {"mikey AAAA"},
     "refused:malformed|unsupported|payload/closed"},
    {"streams-alike",
     "the right attribute in each media description",
     "4567-3 4567-32",
     {NULL},
     {"*", "*"},
     "accepted/waiting"},
    {"last-stream-bad",
     "a wrong attribute in the last media description fails the whole set-up",
     "4567-32 4567-33",
     {NULL},
     {"*", "mikey AAAA"},
     "refused:malformed|unsupported|payload|mismatch/closed"},
    {"further-added",
     "another protocol was added on the way",
     "4567-53 4567-54 4567-26",
     {"*", "other QUJD"},
     {NULL},
     "refused:mismatch/closed"},
    {"further-before",
     "another protocol was put before it",
     "4567-53 4567-49",
     {"other QUJD", "*"},
     {NULL},
     "refused:mismatch/closed"},
};

/* The attribute line of a value; none for NULL. */
static const char *line_of(suite_trial *t, const char *value, const char *right) {
    return value ? suite_text(t, "a=key-mgmt:%s" LINE, *value == '*' ? right : value) : "";
}

static const char *bend(suite_trial *t, const char *sdp, const offer *o) {
    const char *right = between(t, sdp, "a=key-mgmt:"), *media = strstr(sdp, "m=");
    const char *line_end = strchr(media, '\n') + 1;
    const char *head = suite_text(t, "%.*s", (int)(strstr(sdp, "a=key-mgmt:") - sdp), sdp), *lines = "";
    for (size_t i = 0; i < 3 && o->session[i]; i++)
        lines = suite_text(t, "%s%s", lines, line_of(t, o->session[i], right));
    return suite_text(t, "%s%s%.*s%s%s%s", head, lines, (int)(line_end - media), media,
                      line_of(t, o->media[0], right), line_end, line_of(t, o->media[1], right));
}

static void run_offer(suite_trial *t, const void *arg) {
    const offer *o = arg;
    const char *id = suite_text(t, "%.*s", (int)strcspn(o->ids, " "), o->ids);
    begin(t);
    const char *sdp = bend(t, description(t, open_offerer(t, ""), "4567-7"), o);
    open_answerer(t, "");
    suite_report r = take(t, "b", sdp);
    suite_expect(t, r, id, o->permitted);
    if (!suite_is(r, "refused:*"))
        return;
    json_int_t status = json_integer_value(json_object_get(r.json, "sip_status"));
    suite_require(t, status == 488, "4567-29", "SIP status 488", "%lld", (long long)status);
    json_int_t warning = json_integer_value(json_object_get(r.json, "warning"));
    suite_require(t, warning == 0 || warning == 306 || warning == 399, "4567-29",
                  "Warning 306 or 399, or none", "%lld", (long long)warning);
}

/* ---- failures ---- */

static void run_488(suite_trial *t, const void *arg) {
    const int *when = arg; /* 0: to the first offer, 1: to the second */
    begin(t);
    suite_report a = open_offerer(t, "");
    if (*when) {
        open_answerer(t, "");
        a = take(t, "a", description(t, take(t, "b", description(t, a, "4567-7")), "4567-14"));
        suite_expect(t, a, "4567-18", "accepted/waiting");
    }
    suite_report r = suite_op(t, SUITE_A, "message", "'session': 'a', 'sip_status': 488, 'warning': 306");
    suite_expect(t, r, "4567-36", "refused:peer-error/closed");
}

/* An answer in which the attribute is missing, or other than it was. */
static void run_answer(suite_trial *t, const void *arg) {
    const offer *o = arg;
    const char *id = suite_text(t, "%.*s", (int)strcspn(o->ids, " "), o->ids);
    begin(t);
    suite_report a = open_offerer(t, "");
    open_answerer(t, "");
    const char *answer = description(t, take(t, "b", description(t, a, "4567-7")), "4567-14");
    suite_expect(t, take(t, "a", bend(t, answer, o)), id, o->permitted);
}

static const offer answers[] = {
    {"as-it-was", "the right answer", "4567-18 4567-19", {"*"}, {NULL}, "accepted/waiting"},
    {"no-attribute", "the attribute was peeled off", "4567-62 4567-23", {NULL}, {NULL}, "refused:*/closed"},
    {"bad-base64", "no base64", "4567-23 4567-1", {"mikey !!!!"}, {NULL}, "refused:malformed/closed"},
    {"no-message",
     "base64 of what is no message",
     "4567-23",
     {"mikey AAAA"},
     {NULL},
     "refused:malformed|unsupported|payload/closed"},
    {"upper-case", "MIKEY in upper case", "4567-2 4567-23", {"MIKEY AAAA"}, {NULL}, "refused:*/closed"},
};

/* ---- a session that stands: rekeying is a new offer ---- */

static void stand(suite_trial *t, suite_report *a, suite_report *b) {
    begin(t);
    *a = open_offerer(t, "");
    open_answerer(t, "");
    *b = take(t, "b", description(t, *a, "4567-7"));
    *a = take(t, "a", description(t, *b, "4567-14"));
    *b = take(t, "b", description(t, *a, "4567-7"));
    *a = take(t, "a", description(t, *b, "4567-14"));
    suite_same_keys(t, *a, *b, "4567-19");
    if (suite_claims(t, "features", "clock"))
        suite_do(t, SUITE_A, NULL, "time",
                 suite_json(t, "{'utc_ms': %lld, 'timer_ms': 5000}", (long long)suite_now(t) + 5000));
}

static void run_rekey(suite_trial *t, const void *arg) {
    (void)arg;
    suite_report a, b;
    stand(t, &a, &b);
    suite_report before = a;
    a = suite_op(t, SUITE_A, "update", "'session': 'a', 'new_dh': true");
    suite_expect(t, a, "4567-38", "accepted/updating");
    case_kept(t, before, a, "4567-39", "the keys of before, until the exchange is complete");
    const char *sdp = description(t, a, "4567-38");
    suite_require(t, inside(t, sdp, "4567-38")->data_type == SUITE_I_MESSAGE_1, "4567-40",
                  "a MIKEY message in a new offer", "another message");
    b = take(t, "b", sdp);
    a = take(t, "a", description(t, b, "4567-38"));
    suite_same_keys(t, a, b, "4567-38");
}

static void run_rekey_refused(suite_trial *t, const void *arg) {
    (void)arg;
    suite_report a, b;
    stand(t, &a, &b);
    suite_report updating = suite_op(t, SUITE_A, "update", "'session': 'a', 'new_dh': true");
    suite_expect(t, updating, "4567-38", "accepted/updating");
    suite_report r = suite_op(t, SUITE_A, "message", "'session': 'a', 'sip_status': 488");
    suite_expect(t, r, "4567-42", "discarded:*/established refused:peer-error/closed");
    if (suite_is(r, "discarded:*"))
        case_kept(t, a, r, "4567-39", "the keys of before");
}

/* A rekeying offer that is wrong: 488 with a warning, and the session stands. */
static void run_rekey_wrong(suite_trial *t, const void *arg) {
    (void)arg;
    static const offer wrong = {"", "", "", {"mikey AAAA"}, {NULL}, ""};
    suite_report a, b;
    stand(t, &a, &b);
    a = suite_op(t, SUITE_A, "update", "'session': 'a', 'new_dh': true");
    suite_report r = take(t, "b", bend(t, description(t, a, "4567-38"), &wrong));
    suite_expect(t, r, "4567-41", "discarded:*/established refused:*/closed");
    json_int_t status = json_integer_value(json_object_get(r.json, "sip_status"));
    json_int_t warning = json_integer_value(json_object_get(r.json, "warning"));
    suite_require(t, status == 488 && warning == 306, "4567-41", "488 with Warning 306", "%lld with %lld",
                  (long long)status, (long long)warning);
}

/* ---- what policy lets the other side know (RFC 4567 §4.1.1, §4.1.2) ---- */

static void run_reason(suite_trial *t, const void *arg) {
    (void)arg;
    suite_node node = {.users = "alice,bob", .policy = "{'curves': ['P-384'], 'curve': 'P-384'}"};
    suite_node other = {.users = "alice"};
    suite_begin(t, SUITE_A, &node);
    suite_begin(t, SUITE_B, &other);
    suite_report a = suite_open_initiator(t, SUITE_B, suite_text(t, "'sdp': {'body': '%s'}", body_json));
    open_answerer(t, "");
    suite_report r = take(t, "b", description(t, a, "4567-7"));
    suite_expect(t, r, "4567-13", "refused:unsupported/closed");
    const suite_message *m = inside(t, description(t, r, "4567-24"), "4567-24");
    suite_require(t, m->data_type == SUITE_ERROR_MESSAGE, "4567-27", "an Error message with the cause", "%s",
                  suite_data_type_name(m->data_type));
}

#define WANTS "roles:initiator,responder features:sdp,many"
static const int first = 0, second = 1;
static const suite_case cases[] = {
    {"sdp/list/alone", "the list has mikey even if it is alone", "4567-47 4567-45 4567-25",
     "roles:initiator features:sdp", run_list_alone, 0},
    {"sdp/list/others", "the list has all protocols in order", "4567-25 4567-34 4567-48 4567-49 4567-46",
     WANTS, run_list_others, 0},
    {"sdp/failure/488-first", "the first offer is answered with 488", "4567-36 4567-23",
     "roles:initiator features:sdp", run_488, &first},
    {"sdp/failure/488-second", "the second offer is answered with 488", "4567-36 4567-23", WANTS, run_488,
     &second},
    {"sdp/failure/reason", "what is not supported is told in an Error message beside 488",
     "4567-24 4567-27 4567-30 4567-13", WANTS, run_reason, 0},
    {"sdp/rekey/done", "rekeying is a new offer", "4567-38 4567-39 4567-40", WANTS ",update,keys", run_rekey,
     0},
    {"sdp/rekey/refused", "rekeying is answered with 488", "4567-42 4567-39", WANTS ",update",
     run_rekey_refused, 0},
    {"sdp/rekey/wrong", "a rekeying offer is wrong", "4567-41", WANTS ",update", run_rekey_wrong, 0},
};

static void add_offers(suite_list *list, const char *family, const offer *table, size_t n,
                       void (*run)(suite_trial *, const void *), const char *more) {
    for (size_t i = 0; i < n; i++) {
        const char *ids = strstr(table[i].permitted, "refused")
                              ? suite_list_text(list, "%s%s", table[i].ids, more)
                              : table[i].ids;
        suite_case c = {suite_list_text(list, "sdp/%s/%s", family, table[i].name),
                        table[i].title,
                        ids,
                        WANTS,
                        run,
                        &table[i]};
        suite_add(list, &c);
    }
}

void cases_sdp(suite_list *list) {
    for (size_t i = 0; i < sizeof ways / sizeof ways[0]; i++) {
        suite_case c = {suite_list_text(list, "sdp/way/%s", ways[i].name),
                        "a call in SDP, the attribute at these levels",
                        "4567-1 4567-3 4567-7 4567-8 4567-9 4567-10 4567-11 4567-12 4567-14 4567-15 4567-16 "
                        "4567-17 4567-18 "
                        "4567-19 4567-37 4567-51 4567-52 P-13",
                        WANTS,
                        run_way,
                        &ways[i]};
        suite_add(list, &c);
    }
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        suite_add(list, &cases[i]);
    add_offers(list, "offer", offers, sizeof offers / sizeof offers[0], run_offer, " 4567-29");
    add_offers(list, "answer", answers, sizeof answers / sizeof answers[0], run_answer, "");
}
