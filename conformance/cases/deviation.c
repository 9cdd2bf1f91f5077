/* Deviation cases: each knob of the peer against the role that receives the bent message. Whoever receives
 * what breaks a requirement must not take it: the message is refused or discarded, nothing but an Error is
 * sent, and no keys come of it. What has to be tolerated has to be taken. */
#include "conformance/cases/cases.h"
#include "conformance/cases/common.h"
#include "conformance/cases/kms.h"

#include <fnmatch.h>
#include <stdio.h>
#include <string.h>

/* How the exchange is set up for a message. */
typedef struct setting {
    const char *message, *wants;
    void (*play)(suite_trial *t, const peer_deviation *d, suite_report *last, peer **p);
    const char *taken; /* what the report says where it was right */
    case_family family;
} setting;

typedef struct bent {
    peer_deviation deviation;
    const setting *setting;
} bent;

/* ---- exchanges ---- */

static const peer_sp srtp[] = {{0, {(const uint8_t[]){0, 1, 1, 1, 1, 16, 2, 1, 1}, 9}},
                               {1, {(const uint8_t[]){0, 1, 1, 1, 1, 16, 2, 1, 1}, 9}}};
#define OFFER                                                                                                \
    "'policies': [{'number': 0, 'encr_alg': 1, 'encr_key_len': 16, 'auth_alg': 1}, {'number': 1, "           \
    "'encr_alg': 1, 'encr_key_len': 16, 'auth_alg': 1}], 'sdp_ids': 'mikey'"
static const char offer[] = OFFER;
static const char generic_offer[] =
    OFFER ", 'map': {'type': 'GENERIC-ID', 'sessions': [{'cs_id': 1, 'policies': [0], 'ssrc': 1}]}";

/* Does the knob turn something that an offer with a GENERIC-ID map has? */
static bool generic(const peer_deviation *d) {
    return strncmp(d->knob, "generic-", 8) == 0;
}

static void from_initiator(suite_trial *t, const peer_deviation *d, suite_report *last, peer **p) {
    suite_node node = {.users = "bob"};
    peer_setup setup = {.role = PEER_INITIATOR,
                        .deviation = d->name,
                        .policies = srtp,
                        .n_policies = 2,
                        .map_type = generic(d) ? 2 : 0,
                        .sdp_ids = "mikey",
                        .esk = strncmp(d->knob, "esk-", 4) == 0};
    suite_begin(t, SUITE_A, &node);
    suite_open_responder(t, SUITE_A, "'sdp_ids': 'mikey'");
    *p = case_peer(t, &setup);
    case_call_from_peer(t, SUITE_A, *p, last);
}

static void from_responder(suite_trial *t, const peer_deviation *d, suite_report *last, peer **p) {
    suite_node node = {.users = "alice",
                       .policy = d->prf ? suite_text(t, "{'prf': '%s'}", case_prfs[d->prf]) : NULL};
    peer_setup setup = {.role = PEER_RESPONDER, .deviation = d->name};
    suite_begin(t, SUITE_A, &node);
    *p = case_peer(t, &setup);
    const char *offered = generic(d) ? generic_offer : offer;
    case_call_to_peer(t, SUITE_A, *p, suite_open_initiator(t, SUITE_A, offered), last);
}

static void to_mailbox(suite_trial *t, const peer_deviation *d, suite_report *last, peer **p) {
    suite_node node = {.users = "mailbox"};
    peer_setup setup = {.role = PEER_INITIATOR, .deviation = d->name, .others = true};
    suite_begin(t, SUITE_A, &node);
    suite_op(t, SUITE_A, "open",
             "'session': 'b', 'role': 'mailbox', 'local': {'uri': 'sip:mailbox@home.example'}");
    *p = case_peer(t, &setup);
    case_call_from_peer(t, SUITE_A, *p, last);
}

static void from_mailbox(suite_trial *t, const peer_deviation *d, suite_report *last, peer **p) {
    suite_node node = {.users = "alice",
                       .policy = "{'allow_missing_echo': true, 'accept_responders': 'any'}"};
    peer_setup setup = {.role = PEER_MAILBOX, .self = "mailbox", .deviation = d->name};
    suite_begin(t, SUITE_A, &node);
    *p = case_peer(t, &setup);
    case_call_to_peer(t, SUITE_A, *p, suite_open_initiator(t, SUITE_A, offer), last);
}

/* A call from the peer that stands; then a second later … */
static void establish(suite_trial *t, const peer_deviation *d, suite_report *last, peer **p) {
    suite_node node = {.users = "bob"};
    peer_setup setup = {.role = PEER_INITIATOR, .deviation = d->name};
    suite_begin(t, SUITE_A, &node);
    suite_open_responder(t, SUITE_A, "");
    *p = case_peer(t, &setup);
    bool done = case_call_from_peer(t, SUITE_A, *p, last);
    case_established(t, done, *last, *p);
    case_pass(t, SUITE_A, *p, 1);
}

/* What comes to nothing leaves the keys of before (RFC 4567 §4.1.2). */
static void expect_old_keys(suite_trial *t, suite_report before, suite_report after) {
    if (suite_is(after, "discarded:*/established"))
        case_kept(t, before, after, "4567-39", "the keys of before");
}

static void update_from_peer(suite_trial *t, const peer_deviation *d, suite_report *last, peer **p) {
    establish(t, d, last, p);
    suite_report before = *last;
    peer_change change = {.new_dh = true};
    ibk_buf *out = suite_buf(t);
    suite_sure(t, peer_update(*p, &change, out), "the peer's update");
    *last = suite_message_in(t, SUITE_A, "b", ibk_buf_span(out));
    expect_old_keys(t, before, *last);
}

static void update_to_peer(suite_trial *t, const peer_deviation *d, suite_report *last, peer **p) {
    establish(t, d, last, p);
    suite_report before = *last, r = suite_op(t, SUITE_A, "update", "'session': 'b', 'new_dh': true");
    suite_expect(t, r, "6267-73", "accepted/updating");
    *last = suite_message_in(t, SUITE_A, "b", case_give(t, *p, suite_sent(t, r, "6267-73")));
    expect_old_keys(t, before, *last);
}

static void request_psk(suite_trial *t, const peer_deviation *d, suite_report *last, peer **p) {
    suite_node node = {.kms = "'users': [{'psk': '" SUITE_PSK
                              "', 'may_have': [{'uri': 'sip:alice@home.example'}]}]"};
    peer_setup setup = {.role = PEER_USER, .deviation = d->name};
    suite_begin(t, SUITE_A, &node);
    suite_op(t, SUITE_A, "open", "'session': 'k', 'role': 'kms'");
    *p = case_peer(t, &setup);
    *last = suite_message_in(t, SUITE_A, "k", case_start(t, *p));
    if (suite_sent_count(*last) == 1)
        case_give(t, *p, suite_sent_at(t, *last, 0));
}

static void request_pke(suite_trial *t, const peer_deviation *d, suite_report *last, peer **p) {
    const char *certificate = suite_base64(t, ibk_buf_span(&kms_holder(t, "alice")->certificate));
    suite_node node = {
        .kms = suite_text(
            t, "'users': [{'certificate': '%s', 'may_have': [{'uri': 'sip:alice@home.example'}]}], %s",
            certificate, kms_key_pairs(t, "RSAES-PKCS1-v1_5"))};
    peer_setup setup = {
        .role = PEER_USER,
        .deviation = d->name,
        .pke = kms_peer_pke(t, "alice", false, PEER_PKCS1_V15, false, strstr(d->knob, "chash") != NULL)};
    suite_begin(t, SUITE_A, &node);
    suite_op(t, SUITE_A, "open", "'session': 'k', 'role': 'kms'");
    *p = case_peer(t, &setup);
    *last = suite_message_in(t, SUITE_A, "k", case_start(t, *p));
}

static void response(suite_trial *t, const peer_deviation *d, suite_report *last, peer **p) {
    suite_node node = {
        .policy = d->timestamp ? suite_text(t, "{'timestamp': '%s'}", case_timestamps[d->timestamp]) : NULL};
    peer_setup setup = {.role = PEER_KMS, .deviation = d->name, .encryption = d->encryption};
    suite_begin(t, SUITE_A, &node);
    const char *second = strncmp(d->knob, "last-", 5) == 0 ? ", {'uri': 'sip:bob@home.example'}" : "";
    suite_report opened =
        suite_op(t, SUITE_A, "open",
                 "'session': 'u', 'role': 'user', 'kms': {'uri': 'sip:kms@home.example'}, 'ask': "
                 "[{'uri': 'sip:alice@home.example'}%s], 'psk': '" SUITE_PSK "'",
                 second);
    *p = case_peer(t, &setup);
    *last = suite_message_in(t, SUITE_A, "u", case_give(t, *p, suite_sent(t, opened, "6267-2")));
}

static void error_message(suite_trial *t, const peer_deviation *d, suite_report *last, peer **p) {
    suite_node node = {.users = "alice"};
    peer_setup setup = {.role = PEER_RESPONDER, .deviation = d->name};
    suite_begin(t, SUITE_A, &node);
    *p = case_peer(t, &setup);
    case_give(t, *p, suite_sent(t, suite_open_initiator(t, SUITE_A, ""), "6267-28"));
    ibk_buf *out = suite_buf(t);
    suite_sure(t, peer_error(*p, 12, out), "the peer's Error message");
    *last = suite_message_in(t, SUITE_A, "a", ibk_buf_span(out));
}

static void description(suite_trial *t, const peer_deviation *d, suite_report *last, peer **p) {
    static const char body[] =
        "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\nm=audio 4000 RTP/SAVP 0\r\n";
    suite_node node = {.users = "bob"};
    peer_setup setup = {.role = PEER_INITIATOR, .deviation = d->name, .sdp_ids = "mikey"};
    suite_begin(t, SUITE_A, &node);
    suite_open_responder(t, SUITE_A, "'sdp': {'body': 'v=0\\r\\nm=audio 5000 RTP/SAVP 0\\r\\n'}");
    *p = case_peer(t, &setup);
    ibk_buf *out = suite_buf(t);
    suite_sure(t, peer_sdp_write(*p, ibk_span_str(body), PEER_SDP_SESSION, case_start(t, *p), out),
               "the peer's offer");
    *last = suite_sdp_in(t, SUITE_A, "b", suite_text(t, "%.*s", (int)out->len, (const char *)out->data));
}

static const setting settings[] = {
    {"i-message-1", "roles:responder", from_initiator, "accepted/established", CASE_ALONE},
    {"i-message-2", "roles:responder", from_initiator, "accepted/established", CASE_ALONE},
    {"r-message-1", "roles:initiator", from_responder, "accepted/established", CASE_ALONE},
    {"r-message-2", "roles:initiator", from_responder, "accepted/established", CASE_ALONE},
    {"deferred-i-message-2", "roles:mailbox", to_mailbox, "accepted/established", CASE_DEFERRED},
    {"mailbox-r-message-1", "roles:initiator features:deferred", from_mailbox, "accepted/established",
     CASE_MAILBOX},
    {"mailbox-r-message-2", "roles:initiator features:deferred", from_mailbox, "accepted/established",
     CASE_MAILBOX},
    {"update-i-message-1", "roles:responder features:update", update_from_peer, "accepted/established",
     CASE_UPDATE},
    {"update-r-message-1", "roles:responder features:update", update_to_peer, "accepted/established",
     CASE_UPDATE},
    {"error", "roles:initiator", error_message, "refused:peer-error discarded:*", CASE_ALONE},
    {"sdp", "roles:responder features:sdp", description, "accepted/waiting", CASE_ALONE},
    {"request-key-psk", "roles:kms methods:PSK", request_psk, "accepted/serving", CASE_ALONE},
    {"request-key-pke", "roles:kms methods:PKE", request_pke, "accepted/serving", CASE_ALONE},
    {"request-key-resp", "roles:user methods:PSK", response, "accepted/done", CASE_ALONE},
};

/* ---- which classes are permitted ---- */

/* Several checks can notice one fault, and the texts leave their order open; so a class stands for each of
 * those that can be first. What no check of that fault can say (`internal`, `timeout` …) is no reason to
 * refuse it. */
#define FORM    "malformed|encoding|unsupported|payload|unexpected|mismatch"
#define CHANGED "mismatch|unexpected|payload|malformed|unsupported|policy|authentication"
#define WHO     "identity|payload|malformed|mismatch|unsupported|no-key|policy|decryption|authentication"
#define SEALED  "decryption|encoding|malformed"

static const struct {
    const char *globs, *classes; /* of knobs, separated by blanks; the first that fits counts */
} classes[] = {
    {"echo-* points-turned", "echo|decryption|payload|malformed|encoding|identity|mismatch"},
    {"v-wrong* v-with* v-identities-* v-over-* v-hash-cut v-key-160 cs-ids-0 prf-input-* prf-output-* mpk-* "
     "auth-c* k-session-* label-* prf-of-v no-mpk "
     "other-secret "
     "initial-keys sign-wrong sign-with* sign-over-*",
     "authentication"},
    {"ibake-unreadable", SEALED "|payload|unexpected"}, /* may have no place there at all */
    {"u-* v-part-* w-part-* for-* der-* ibake-garbage", SEALED},
    {"t-stale t-future", "clock|replay|mismatch"},
    {"t-yesterday", "clock|replay|mismatch|no-key|decryption"}, /* which check comes first is a SHOULD */
    {"t-again value-again", "replay|clock|mismatch|echo"},
    {"t-changed t-type-changed", CHANGED "|clock|replay"},
    {"csb-id-* rand-changed ssrc-* generic-* policy-* cs-added cs-removed map-emptied prf-changed sp-changed "
     "sp-missing sp-added sp-repeated sdp-ids-* mki-*",
     CHANGED},
    {"points-changed", CHANGED "|echo"},
    {"id-* ids-* inner-initiator-* inner-responder-* inner-roles-* psk-unknown key-not-asked-for last-key-*",
     WHO},
    {"key-* kemac-* encr-constant salt-constant", FORM "|" SEALED "|identity|authentication|policy"},
    {"*", FORM "|authentication|policy|identity|decryption"},
};

static bool turns(const char *globs, const char *knob) {
    char glob[64];
    for (const char *at = globs; *at; at += strcspn(at, " "), at += *at == ' ') {
        snprintf(glob, sizeof glob, "%.*s", (int)strcspn(at, " "), at);
        if (fnmatch(glob, knob, 0) == 0)
            return true;
    }
    return false;
}

static const char *permitted(const peer_deviation *d) {
    size_t i = 0;
    while (!turns(classes[i].globs, d->knob))
        i++;
    return classes[i].classes;
}

/* ---- the verdict ---- */

static void only_errors_sent(suite_trial *t, suite_report r, const char *id) {
    for (size_t i = 0; i < suite_sent_count(r); i++) {
        const suite_message *m = suite_read(t, suite_sent_at(t, r, i));
        suite_require(t, m->data_type == SUITE_ERROR_MESSAGE, id, "no answer, or an Error message",
                      "%s was sent", suite_data_type_name(m->data_type));
    }
}

static const char *outcome_of(suite_trial *t, const bent *b) {
    const peer_deviation *d = &b->deviation;
    const char *classes_of = permitted(d);
    if (d->outcome == PEER_EITHER)
        return suite_text(t, "%s refused:* discarded:*", b->setting->taken);
    return d->tolerated ? b->setting->taken
                        : suite_text(t, "refused:%s discarded:%s", classes_of, classes_of);
}

/* The same exchange without the bend: what goes wrong there too does not go wrong for the bend, and is told
 * as what it is. */
static bool play_again(suite_trial *t, const void *arg, const char *deviation, suite_report *last, peer **p) {
    const bent *b = arg;
    peer_deviation d = b->deviation; /* whose setting it is */
    snprintf(d.name, sizeof d.name, "%s", deviation ? deviation : "");
    b->setting->play(t, &d, last, p);
    return suite_is(*last, b->setting->taken);
}

static void run_straight(suite_trial *t, const bent *b) {
    const case_again again = {
        .play = play_again, .arg = b, .plain = b, .family = b->setting->family, .prf = b->deviation.prf};
    suite_report last = {0};
    peer *p = NULL;
    play_again(t, b, NULL, &last, &p);
    case_judge(t, p, false);
    case_taken_again(t, last, &again, NULL, "without any deviation: ", b->setting->taken);
}

static void run_bent(suite_trial *t, const void *arg) {
    const bent *b = arg;
    const peer_deviation *d = &b->deviation;
    const char *id = suite_text(t, "%.*s", (int)strcspn(d->requirements, " "), d->requirements);
    const char *outcome = outcome_of(t, b);
    suite_report last = {0};
    peer *p = NULL;
    b->setting->play(t, d, &last, &p);
    if (!peer_look(p)->deviated || !suite_is(last, outcome)) {
        run_straight(t, b);
        b->setting->play(t, d, &last, &p);
    }
    case_deviated(t, p);
    suite_expect(t, last, id, outcome);
    if (d->outcome == PEER_EITHER || d->tolerated)
        return;
    if (strncmp(d->knob, "echo-changed", 12) == 0 &&
        strncmp(d->name, "update-", 7) != 0) /* P-16: the end, not a pause */
        suite_expect(t, last, "6539-13", suite_text(t, "refused:%s/closed", permitted(d)));
    only_errors_sent(t, last, id);
}

static const setting *find(const char *message) {
    for (size_t i = 0; i < sizeof settings / sizeof settings[0]; i++)
        if (strcmp(settings[i].message, message) == 0)
            return &settings[i];
    return NULL;
}

static const char *wants_of(suite_list *list, const peer_deviation *d, const char *wants) {
    return suite_list_text(
        list, "%s%s%s%s%s%s%s%s", wants, generic(d) ? " maps:GENERIC-ID" : "",
        d->prf ? " macs:HMAC-SHA-256-256 prfs:" : "", d->prf ? case_prfs[d->prf] : "",
        d->encryption ? " encryptions:" : "", d->encryption ? case_encryptions[d->encryption] : "",
        d->timestamp ? " timestamps:" : "", d->timestamp ? case_timestamps[d->timestamp] : "");
}

void cases_deviation(suite_list *list) {
    peer_deviation d;
    for (size_t i = 0; peer_deviation_at(i, &d); i++) {
        const setting *s = find(d.message);
        if (!s)
            continue;
        bent *arg = suite_list_alloc(list, sizeof *arg);
        *arg = (bent){d, s};
        suite_case c = {suite_list_text(list, "deviation/%s", d.name),
                        d.text,
                        d.requirements,
                        wants_of(list, &d, s->wants),
                        run_bent,
                        arg};
        suite_add(list, &c);
    }
}
