/* KMS cases: who may have which key (RFC 6267 §4.2.1.2), and what is told to whom may not. */
#include "conformance/cases/kms.h"

#include <string.h>

#define ALICE "{'uri': 'sip:alice@home.example'}"
#define BOB   "{'uri': 'sip:bob@home.example'}"
#define PSK_2 "c2Vjb25kIHNlY3JldCAyMg=="

typedef struct request {
    const char *name, *title, *ids;
    const char *users;        /* of the KMS, with their PSKs */
    const char *more;         /* further settings of the KMS */
    const char *asks;         /* of the peer */
    bool dated;               /* asks for IBE identities of the date below */
    int64_t days;             /* from today */
    const char *psk, *psk_id; /* of the peer */
    const char *other;        /* IDRkms */
    const char *permitted;
    int answers; /* messages: -1 any number */
    size_t keys;
} request;

#define ONE     "{'psk': '" SUITE_PSK "', 'may_have': [" ALICE "]}"
#define TWO     "{'psk': '" SUITE_PSK "', 'may_have': [" ALICE ", " BOB "]}"
#define NAMED   "{'psk': '" PSK_2 "', 'psk_id': {'uri': 'sip:second@home.example'}, 'may_have': [" ALICE "]}"
#define GIVEN   "accepted/serving"
#define NOT_MAY "refused:policy|no-key|authentication|identity/serving"

static const request requests[] = {
    {"own", "a user asks for its own key", "6267-16 6267-15", ONE, NULL, "alice", false, 0, NULL, NULL, NULL,
     GIVEN, 1, 1},
    {"own-two", "a user asks for two identities that it may have", "6267-16 6267-15", TWO,
     "'issue': 'current'", "alice,bob", false, 0, NULL, NULL, NULL, GIVEN, 1, 2},
    {"own-dated", "a user asks for the key of one IBE identity", "6267-16 P-10", ONE, NULL, "alice", true, 0,
     NULL, NULL, NULL, GIVEN, 1, 1},
    {"own-tomorrow", "a user asks for tomorrow's key", "6267-16 P-10 P-9", ONE, NULL, "alice", true, 1, NULL,
     NULL, NULL, GIVEN, 1, 1},
    {"own-yesterday", "yesterday's key, where the KMS does not look back", "6267-15 P-10", ONE, NULL, "alice",
     true, -1, NULL, NULL, NULL, NOT_MAY, -1, 0},
    {"own-yesterday-permitted", "yesterday's key, where the KMS looks back two days", "6267-16 P-10", ONE,
     "'issue_back_ms': 172800000", "alice", true, -1, NULL, NULL, NULL, GIVEN, 1, 1},
    {"own-far-ahead", "a key two years ahead", "6267-15 P-10", ONE, NULL, "alice", true, 730, NULL, NULL,
     NULL, NOT_MAY, -1, 0},
    {"others", "a user asks for the key of another", "6267-15 5091-19", ONE, NULL, "bob", false, 0, NULL,
     NULL, NULL, NOT_MAY, -1, 0},
    {"others-dated", "the same by IBE identity", "6267-15 5091-19 P-10", ONE, NULL, "bob", true, 0, NULL,
     NULL, NULL, NOT_MAY, -1, 0},
    {"own-and-others", "a user asks for its own key and for that of another", "6267-15", ONE, NULL,
     "alice,bob", false, 0, NULL, NULL, NULL, NOT_MAY, -1, 0},
    {"wrong-psk", "a PSK that is not the user's", "6267-12 5091-19", ONE, NULL, "alice", false, 0, PSK_2,
     NULL, NULL, "refused:authentication/serving", -1, 0},
    {"nobody", "a KMS without users", "5091-19 6267-15", "", NULL, "alice", false, 0, NULL, NULL, NULL,
     NOT_MAY, -1, 0},
    {"psk-named", "IDRpsk names the PSK", "6267-11", NAMED, NULL, "alice", false, 0, PSK_2, "second", NULL,
     GIVEN, 1, 1},
    {"psk-named-of-two", "IDRpsk picks one PSK out of two", "6267-11", ONE ", " NAMED, NULL, "alice", false,
     0, PSK_2, "second", NULL, GIVEN, 1, 1},
    {"psk-named-unknown", "IDRpsk names a PSK that is not there", "6267-11 5091-19", ONE, NULL, "alice",
     false, 0, NULL, "third", NULL, NOT_MAY, -1, 0},
    {"other-kms", "a request for another KMS", "6267-8 6267-15", ONE, NULL, "alice", false, 0, NULL, NULL,
     "kms2", "refused:identity|policy/serving discarded:*", -1, 0},
    {"errors-all", "a refusal is told, where policy says so", "3830-32", ONE, "'errors': 'all'", "bob", false,
     0, NULL, NULL, NULL, NOT_MAY, 1, 0},
    {"errors-all-wrong-psk", "to whom fails to authenticate as well", "3830-32 3830-35 3830-40", ONE,
     "'errors': 'all'", "alice", false, 0, PSK_2, NULL, NULL, "refused:authentication/serving", 1, 0},
    {"errors-authenticated", "only who authenticated is told", "3830-32 3830-41", ONE,
     "'errors': 'authenticated'", "alice,bob", false, 0, NULL, NULL, NULL, NOT_MAY, 1, 0},
    {"errors-authenticated-wrong-psk", "who did not authenticate is not told", "3830-35 3830-40", ONE,
     "'errors': 'authenticated'", "alice", false, 0, PSK_2, NULL, NULL, "refused:authentication/serving", 0,
     0},
    {"errors-silent", "nobody is told", "3830-35 3830-41", ONE, "'errors': 'silent'", "bob", false, 0, NULL,
     NULL, NULL, NOT_MAY, 0, 0},
    {"encryption-128", "KEMAC under AES-CM-128", "3830-13 3830-12", ONE, "'encryption': 'AES-CM-128'",
     "alice", false, 0, NULL, NULL, NULL, GIVEN, 1, 1},
};

static void judge_answers(suite_trial *t, const request *q, suite_report r, const char *id) {
    if (q->answers >= 0)
        suite_require(t, suite_sent_count(r) == (size_t)q->answers, id,
                      q->answers ? "one message" : "no message", "%zu messages", suite_sent_count(r));
    for (size_t i = 0; q->keys == 0 && i < suite_sent_count(r); i++) {
        unsigned type = suite_read(t, suite_sent_at(t, r, i))->data_type;
        suite_require(t, type == SUITE_ERROR_MESSAGE, id, "no answer, or an Error message", "%s",
                      suite_data_type_name(type));
    }
}

static void run_may(suite_trial *t, const void *arg) {
    const request *q = arg;
    const char *id = suite_text(t, "%.*s", (int)strcspn(q->ids, " "), q->ids);
    suite_node node = {
        .kms = suite_text(t, "'users': [%s]%s%s", q->users, q->more ? ", " : "", q->more ? q->more : "")};
    peer_setup setup = {.role = PEER_USER,
                        .asks = q->asks,
                        .ask_dated = q->dated,
                        .ask_days = q->days,
                        .psk = q->psk,
                        .psk_id = q->psk_id,
                        .other = q->other};
    suite_begin(t, SUITE_A, &node);
    suite_op(t, SUITE_A, "open", "'session': 'k', 'role': 'kms'");
    peer *p = case_peer(t, &setup);
    suite_report r = suite_message_in(t, SUITE_A, "k", case_start(t, p));
    suite_expect(t, r, id, q->permitted);
    judge_answers(t, q, r, id);
    if (suite_sent_count(r) == 1)
        case_give(t, p, suite_sent_at(t, r, 0));
    case_judge(t, p, false);
    if (q->keys)
        kms_judge_keys(t, p, suite_size(t), q->keys);
}

/* ---- certificates ---- */

typedef struct holder_case {
    const char *name, *title, *ids, *who, *asks; /* whose certificate; for whom it asks */
    const char *users;                           /* "%s": the certificate */
    bool given;
} holder_case;

static const holder_case holders[] = {
    {"named-in-certificate", "the subjectAltName names what is asked for", "P-24 6267-16", "alice", "alice",
     NULL, true},
    {"not-named", "the subjectAltName names another", "P-24 6267-15", "alice", "bob", NULL, false},
    {"listed", "a listed holder may have what is listed", "P-24 6267-15", "alice", "bob",
     "'may_have': [" BOB "]", true},
    {"listed-not", "a listed holder asks for what is not listed", "6267-15 5091-19", "alice", "alice",
     "'may_have': [" BOB "]", false},
    {"excluded", "the holder's certificate is revoked", "5091-19 6267-15", "alice", "alice",
     "'may_have': [" ALICE "], 'excluded': true", false},
    {"stranger", "a certificate of a root that the KMS does not know", "5091-19 3830-67", "stranger",
     "stranger", NULL, false},
};

static void run_holder(suite_trial *t, const void *arg) {
    const holder_case *h = arg;
    const char *id = suite_text(t, "%.*s", (int)strcspn(h->ids, " "), h->ids);
    const char *certificate = suite_base64(t, ibk_buf_span(&kms_holder(t, h->who)->certificate));
    const char *users = h->users ? suite_text(t, "{'certificate': '%s', %s}", certificate, h->users) : "";
    suite_node node = {.kms =
                           suite_text(t, "'users': [%s], %s", users, kms_key_pairs(t, "RSAES-PKCS1-v1_5"))};
    peer_setup setup = {.role = PEER_USER,
                        .asks = h->asks,
                        .pke = kms_peer_pke(t, h->who, false, PEER_PKCS1_V15, false, false)};
    suite_begin(t, SUITE_A, &node);
    suite_op(t, SUITE_A, "open", "'session': 'k', 'role': 'kms'");
    peer *p = case_peer(t, &setup);
    suite_report r = suite_message_in(t, SUITE_A, "k", case_start(t, p));
    suite_expect(t, r, id, h->given ? GIVEN : "refused:*/serving");
    if (suite_sent_count(r) == 1)
        case_give(t, p, suite_sent_at(t, r, 0));
    case_judge(t, p, false);
    if (h->given)
        kms_judge_keys(t, p, suite_size(t), 1);
}

/* ---- what SHOULD be ---- */

static void run_should_user(suite_trial *t, const void *arg) {
    const bool *pke = arg;
    suite_node node = {0};
    peer_setup setup = {.role = PEER_KMS,
                        .pke = *pke ? kms_peer_pke(t, "alice", true, PEER_PKCS1_V15, false, false) : NULL};
    const char *method = "'psk': '" SUITE_PSK "'";
    if (*pke)
        method = suite_text(
            t, "'method': 'PKE', 'pke': {'chain': ['%s'], 'private_key': '%s', 'kms_certificates': ['%s']}",
            suite_base64(t, ibk_buf_span(&kms_holder(t, "alice")->certificate)),
            suite_base64(t, ibk_buf_span(&kms_holder(t, "alice")->private_key)),
            suite_base64(t, ibk_buf_span(&kms_holder(t, "kms")->certificate)));
    suite_begin(t, SUITE_A, &node);
    suite_report r = suite_op(
        t, SUITE_A, "open",
        "'session': 'u', 'role': 'user', 'kms': {'uri': 'sip:kms@home.example'}, 'ask': [" ALICE "], %s",
        method);
    peer *p = case_peer(t, &setup);
    case_give(t, p, suite_sent(t, r, "6267-2"));
    case_judge(t, p, true);
}

static void run_should_kms(suite_trial *t, const void *arg) {
    const bool *pke = arg;
    suite_node node = {.kms = suite_text(t, "'users': [" ONE "], 'encryption': '%s', %s",
                                         *pke ? "AES-KW-128" : "AES-CM-128",
                                         kms_key_pairs(t, "RSAES-PKCS1-v1_5"))};
    peer_setup setup = {.role = PEER_USER,
                        .pke = *pke ? kms_peer_pke(t, "alice", false, PEER_PKCS1_V15, false, false) : NULL};
    suite_begin(t, SUITE_A, &node);
    suite_op(t, SUITE_A, "open", "'session': 'k', 'role': 'kms'");
    peer *p = case_peer(t, &setup);
    suite_report r = suite_message_in(t, SUITE_A, "k", case_start(t, p));
    suite_expect(t, r, "6267-16", GIVEN);
    ibk_span answer = suite_sent(t, r, "6267-16");
    const suite_message *m = suite_read(t, answer);
    const suite_payload *kemac = suite_message_find(m, SUITE_KEMAC, 0);
    if (!kemac)
        suite_fail(t, "6267-90", "KEMAC", "none");
    suite_require(t,
                  kemac->data + kemac->data_len + 1 == kemac->offset + kemac->len &&
                      m->octets.data[kemac->data + kemac->data_len] == 0,
                  *pke ? "3830-14" : "6267-22", "the NULL MAC in KEMAC", "another");
    suite_require(t, m->octets.data[kemac->offset + 1] != 0, "3830-13", "encrypted keys", "NULL encryption");
    case_give(t, p, answer);
    case_judge(t, p, true);
}

/* Two requests: CSB ID, RAND and T are new. */
static void run_fresh(suite_trial *t, const void *arg) {
    (void)arg;
    suite_node node = {0};
    const suite_message *m[2];
    suite_begin(t, SUITE_A, &node);
    for (int i = 0; i < 2; i++)
        m[i] = suite_read(
            t,
            suite_sent(t,
                       suite_op(t, SUITE_A, "open",
                                "'session': 'u%d', 'role': 'user', 'kms': {'uri': 'sip:kms@home.example'}, "
                                "'ask': [" ALICE "], 'psk': '" SUITE_PSK "'",
                                i),
                       "6267-2"));
    suite_require(t, m[0]->csb_id != m[1]->csb_id, "6267-3", "a CSB ID of its own", "the same twice");
    const unsigned types[] = {SUITE_RAND, SUITE_T};
    for (size_t i = 0; i < 2; i++)
        suite_require(t,
                      !ibk_span_equal(suite_payload_data(m[0], suite_message_find(m[0], types[i], 0)),
                                      suite_payload_data(m[1], suite_message_find(m[1], types[i], 0))),
                      i ? "3830-38" : "3830-54", "a new value in each request", "the same %s twice",
                      suite_payload_name(types[i]));
}

/* IDRpsk names the PSK where the user was told to name it. */
static void run_psk_id(suite_trial *t, const void *arg) {
    (void)arg;
    suite_node node = {0};
    peer_setup setup = {.role = PEER_KMS, .psk_id = "second"};
    suite_begin(t, SUITE_A, &node);
    suite_report r =
        suite_op(t, SUITE_A, "open",
                 "'session': 'u', 'role': 'user', 'kms': {'uri': 'sip:kms@home.example'}, 'ask': [" ALICE
                 "], 'psk': '" SUITE_PSK "', 'psk_id': {'uri': 'sip:second@home.example'}");
    const suite_message *m = suite_read(t, suite_sent(t, r, "6267-2"));
    suite_require(t,
                  ibk_span_equal(suite_payload_data(m, suite_message_idr(m, SUITE_ROLE_PSK)),
                                 ibk_span_str("sip:second@home.example")),
                  "6267-11", "IDRpsk with the name of the PSK", "another, or none");
    peer *p = case_peer(t, &setup);
    ibk_span answer = case_give(t, p, m->octets);
    case_judge(t, p, false);
    suite_expect(t, suite_message_in(t, SUITE_A, "u", answer), "6267-26", "accepted/done");
}

/* A chain of two: each has a CERT payload of its own. */
static void run_chain(suite_trial *t, const void *arg) {
    static const char *const chain[] = {"alice", "root"};
    (void)arg;
    suite_node node = {0};
    suite_begin(t, SUITE_A, &node);
    const char *certificates[2];
    for (size_t i = 0; i < 2; i++)
        certificates[i] = suite_base64(t, ibk_buf_span(&kms_holder(t, chain[i])->certificate));
    suite_report r = suite_op(
        t, SUITE_A, "open",
        "'session': 'u', 'role': 'user', 'kms': {'uri': 'sip:kms@home.example'}, 'ask': [" ALICE
        "], 'method': 'PKE', 'pke': {'chain': ['%s', '%s'], 'private_key': '%s', 'kms_certificates': ['%s']}",
        certificates[0], certificates[1], suite_base64(t, ibk_buf_span(&kms_holder(t, "alice")->private_key)),
        suite_base64(t, ibk_buf_span(&kms_holder(t, "kms")->certificate)));
    const suite_message *m = suite_read(t, suite_sent(t, r, "6267-2"));
    for (size_t i = 0; i < 2; i++)
        suite_require(t,
                      ibk_span_equal(suite_payload_data(m, suite_message_find(m, SUITE_CERT, i)),
                                     ibk_buf_span(&kms_holder(t, chain[i])->certificate)),
                      "6267-14", "a CERT payload for each certificate, the user's first",
                      "another in place %zu, or none", i + 1);
}

/* The KMS's certificate is of the root, the user trusts that, or the stranger's alone: then there is no
 * certificate that an envelope could be made for, and no request. */
static void run_anchors(suite_trial *t, const void *arg) {
    const char *root = arg;
    suite_node node = {0};
    suite_begin(t, SUITE_A, &node);
    const char *method = suite_text(
        t,
        "'method': 'PKE', 'pke': {'chain': ['%s'], 'private_key': '%s', 'kms_certificates': ['%s'], "
        "'anchors': ['%s']}",
        suite_base64(t, ibk_buf_span(&kms_holder(t, "alice")->certificate)),
        suite_base64(t, ibk_buf_span(&kms_holder(t, "alice")->private_key)),
        suite_base64(t, ibk_buf_span(&kms_holder(t, "kms")->certificate)),
        suite_base64(t, ibk_buf_span(&kms_holder(t, root)->certificate)));
    json_t *members = suite_json(t,
                                 "{'session': 'u', 'role': 'user', 'kms': {'uri': 'sip:kms@home.example'}, "
                                 "'ask': [" ALICE "], %s}",
                                 method);
    bool trusted = strcmp(root, "root") == 0;
    const json_t *answer =
        trusted ? suite_do(t, SUITE_A, "6267-2", "open", members) : suite_ask(t, SUITE_A, "open", members);
    const char *result = json_string_value(json_object_get(answer, "result"));
    if (!trusted && result && strcmp(result, "refused") == 0) /* before there is a session */
        return;
    if (!result || strcmp(result, "ok") != 0)
        suite_skip(t, "not supported: pke.anchors");
    const char *event =
        json_string_value(json_object_get(json_array_get(json_object_get(answer, "reports"), 0), "event"));
    bool asked = event && strcmp(event, "accepted") == 0;
    if (trusted)
        suite_require(t, asked, "3830-67", "a request, by a certificate that is trusted", "%s",
                      event ? event : "no report");
    else
        suite_obeyed(t, !asked, "pke.anchors another than the root of the KMS's certificate",
                     "a request for a key by it");
}

/* Sixteen users, a key for each hour of the day: more than fits into one KEMAC. No broken answer comes of it.
 */
static void run_large(suite_trial *t, const void *arg) {
    (void)arg;
    const char *asks = "u0", *may_have = "{'uri': 'sip:u0@home.example'}";
    for (int i = 1; i < 16; i++) {
        asks = suite_text(t, "%s,u%d", asks, i);
        may_have = suite_text(t, "%s, {'uri': 'sip:u%d@home.example'}", may_have, i);
    }
    suite_node node = {
        .granularity = "hour",
        .kms = suite_text(t, "'users': [{'psk': '" SUITE_PSK "', 'may_have': [%s]}], 'issue': 'period'",
                          may_have)};
    peer_setup setup = {.role = PEER_USER, .granularity = PEER_HOUR, .asks = asks};
    suite_begin(t, SUITE_A, &node);
    suite_op(t, SUITE_A, "open", "'session': 'k', 'role': 'kms'");
    peer *p = case_peer(t, &setup);
    suite_report r = suite_message_in(t, SUITE_A, "k", case_start(t, p));
    suite_expect(t, r, "3830-57", "accepted/serving refused:*/serving");
    bool given = suite_is(r, "accepted");
    for (size_t i = 0; i < suite_sent_count(r); i++) {
        const suite_message *m = suite_read(t, suite_sent_at(t, r, i));
        suite_require(t, !m->wrong, "3830-57", "a well-formed message", "%s: %s",
                      suite_data_type_name(m->data_type), m->wrong);
        suite_require(t, m->data_type != SUITE_REQUEST_KEY_RESP || given, "3830-57",
                      "no keys for what was refused", "REQUEST_KEY_RESP");
    }
    if (!given)
        return;
    case_give(t, p, suite_sent(t, r, "3830-57"));
    suite_require(t, peer_findings(p) == 0, "3830-57", "an answer that is right, or none", "%s",
                  peer_findings(p) ? peer_finding_at(p, 0)->text : "");
}

static const bool yes = true, no = false;
static const suite_case cases[] = {
    {"kms/should/user-psk", "what a user SHOULD do", "3830-2 3830-46 3830-24", "roles:user methods:PSK",
     run_should_user, &no},
    {"kms/should/user-pke", "what a user SHOULD do", "6267-13 3830-2", "roles:user methods:PKE",
     run_should_user, &yes},
    {"kms/should/kms-psk", "what a KMS SHOULD do", "6267-22 3830-13", "roles:kms methods:PSK,PKE",
     run_should_kms, &no},
    {"kms/should/kms-pke", "what a KMS SHOULD do with an envelope key and AES key wrap",
     "3830-14 6267-22 3830-13", "roles:kms methods:PKE", run_should_kms, &yes},
    {"kms/fresh/header", "two requests: CSB ID, RAND and T are new", "6267-3 3830-38 3830-54 3830-46",
     "roles:user features:many", run_fresh, 0},
    {"kms/psk-named", "the user names the PSK", "6267-11", "roles:user methods:PSK", run_psk_id, 0},
    {"kms/chain", "the user has a chain of two certificates", "6267-14 6267-13", "roles:user methods:PKE",
     run_chain, 0},
    {"kms/anchors/trusted", "the KMS's certificate is of the anchor", "3830-67", "roles:user methods:PKE",
     run_anchors, "root"},
    {"kms/anchors/not-trusted", "the KMS's certificate is of another root than the anchor", "3830-67",
     "roles:user methods:PKE", run_anchors, "stranger"},
    {"kms/large", "more keys than a KEMAC can hold", "3830-57", "roles:kms methods:PSK granularities:hour",
     run_large, 0},
};

void cases_kms_may(suite_list *list) {
    for (size_t i = 0; i < sizeof requests / sizeof requests[0]; i++) {
        const request *q = &requests[i];
        suite_case c = {suite_list_text(list, "kms/may/%s", q->name),
                        q->title,
                        q->ids,
                        "roles:kms methods:PSK",
                        run_may,
                        q};
        suite_add(list, &c);
    }
    for (size_t i = 0; i < sizeof holders / sizeof holders[0]; i++) {
        const holder_case *h = &holders[i];
        suite_case c = {suite_list_text(list, "kms/may/certificate/%s", h->name),
                        h->title,
                        h->ids,
                        "roles:kms methods:PKE",
                        run_holder,
                        h};
        suite_add(list, &c);
    }
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        suite_add(list, &cases[i]);
}
