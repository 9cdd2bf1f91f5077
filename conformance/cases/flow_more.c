/* Flow cases that have one way: what is fresh, what SHOULD be, mailboxes and ESKs, maps and policies, who may
 * answer, forks, granularities, the wrap of NTP. */
#include "conformance/cases/flow.h"

#include <string.h>

static const char no_policy[] = "";

/* ---- what SHOULD be ---- */

static void run_should_initiator(suite_trial *t, const void *arg) {
    (void)arg;
    suite_node node = {.users = "alice"};
    peer_setup setup = {.role = PEER_RESPONDER};
    suite_begin(t, SUITE_A, &node);
    peer *p = case_peer(t, &setup);
    suite_report last;
    case_call_to_peer(t, SUITE_A, p, suite_open_initiator(t, SUITE_A, no_policy), &last);
    case_judge(t, p, true);
}

static void run_should_responder(suite_trial *t, const void *arg) {
    (void)arg;
    suite_node node = {.users = "bob"};
    peer_setup setup = {.role = PEER_INITIATOR};
    suite_begin(t, SUITE_A, &node);
    suite_open_responder(t, SUITE_A, "");
    peer *p = case_peer(t, &setup);
    suite_report last;
    case_call_from_peer(t, SUITE_A, p, &last);
    case_judge(t, p, true);
}

/* ---- what is fresh ---- */

static const suite_message *first_message(suite_trial *t, const suite_node *node) {
    suite_begin(t, SUITE_A, node);
    return suite_read(t, suite_sent(t, suite_open_initiator(t, SUITE_A, ""), "6267-28"));
}

static void run_fresh_header(suite_trial *t, const void *arg) {
    (void)arg;
    suite_node node = {.users = "alice"};
    const suite_message *one = first_message(t, &node), *two = first_message(t, &node);
    suite_require(t, one->csb_id != two->csb_id, "6267-29", "a random CSB ID", "two calls with CSB ID %08x",
                  (unsigned)one->csb_id);
    ibk_span rand = suite_payload_data(one, suite_message_find(one, SUITE_RAND, 0));
    suite_require(t, !ibk_span_equal(rand, suite_payload_data(two, suite_message_find(two, SUITE_RAND, 0))),
                  "3830-54", "a RAND of its own for each bundle", "two calls with the same");
    suite_require(t, rand.len >= 16, "3830-56", "at least 16 octets", "%zu octets", rand.len);
}

/* With CSB ID and RAND given, and the peer's part the same, what makes keys differ is the own ECDH value. */
/* The TEK of the first crypto session is not *before, which it becomes. */
static void expect_new_key(suite_trial *t, suite_report last, const char **before, const char *id,
                           const char *wanted) {
    const json_t *key = json_array_get(json_object_get(last.json, "keys"), 0);
    const char *tek = json_string_value(json_object_get(key, "tek"));
    suite_require(t, !*before || !tek || strcmp(*before, tek) != 0, id, wanted, "the same keys twice");
    *before = tek;
}

static void run_fresh_initiator(suite_trial *t, const void *arg) {
    (void)arg;
    const char *first = NULL;
    for (int i = 0; i < 2; i++) {
        suite_node node = {.users = "alice",
                           .random = "{'csb-id': ['AAAACQ=='], 'rand': ['AAAAAAAAAAAAAAAAAAAAAA==']}"};
        peer_setup setup = {.role = PEER_RESPONDER, .seed = "fresh"};
        suite_begin(t, SUITE_A, &node);
        suite_report last;
        peer *p = case_peer(t, &setup);
        suite_report opened = suite_open_initiator(t, SUITE_A, "");
        bool done = case_call_to_peer(t, SUITE_A, p, opened, &last);
        case_established(t, done, last, p);
        suite_obeyed(t, peer_look(p)->csb_id == 9, "random.csb-id 00000009", "CSB ID %08x",
                     (unsigned)peer_look(p)->csb_id);
        const suite_message *m = suite_read(t, suite_sent(t, opened, "6267-28"));
        ibk_span rand = suite_payload_data(m, suite_message_find(m, SUITE_RAND, 0));
        static const uint8_t zeros[16];
        suite_obeyed(t, ibk_span_equal(rand, ibk_span_of(zeros, sizeof zeros)), "random.rand of 16 zeros",
                     "RAND of %zu octets, not those", rand.len);
        expect_new_key(t, last, &first, "6539-1", "a new x in each run");
    }
}

static void run_fresh_responder(suite_trial *t, const void *arg) {
    (void)arg;
    const char *first = NULL;
    for (int i = 0; i < 2; i++) {
        suite_node node = {.users = "bob"};
        peer_setup setup = {.role = PEER_INITIATOR, .seed = "fresh"};
        suite_begin(t, SUITE_A, &node);
        suite_open_responder(t, SUITE_A, "");
        suite_report last;
        peer *p = case_peer(t, &setup);
        case_established(t, case_call_from_peer(t, SUITE_A, p, &last), last, p);
        expect_new_key(t, last, &first, "6539-5", "a new y in each run");
    }
}

static void run_new_timestamps(suite_trial *t, const void *arg) {
    const char *type = arg;
    suite_node node = {.users = "alice", .policy = suite_text(t, "{'timestamp': '%s'}", type)};
    suite_begin(t, SUITE_A, &node);
    ibk_span seen[3];
    for (int i = 0; i < 3; i++) {
        suite_report r =
            suite_op(t, SUITE_A, "open",
                     "'session': 'n%d', 'role': 'initiator', 'local': {'uri': 'sip:alice@home.example'}, "
                     "'peer': {'uri': 'sip:bob@home.example'}, 'map': {'type': 'SRTP-ID', 'sessions': "
                     "[{'policy': 0, 'ssrc': 1}]}",
                     i);
        const suite_message *m = suite_read(t, suite_sent(t, r, "6267-28"));
        seen[i] = suite_payload_data(m, suite_message_find(m, SUITE_T, 0));
        for (int j = 0; j < i; j++)
            suite_require(t, !ibk_span_equal(seen[i], seen[j]), "3830-38", "a T of its own in each message",
                          "messages %d and %d have the same T", j + 1, i + 1);
    }
}

/* A mailbox answers on a curve of its own; the initiator follows (P-28). */
static void run_other_curve(suite_trial *t, const void *arg) {
    (void)arg;
    suite_node node = {.users = "alice",
                       .policy = "{'allow_missing_echo': true, 'accept_responders': 'any'}"};
    peer_setup setup = {.role = PEER_MAILBOX, .self = "mailbox", .curve = case_curve("P-384")};
    suite_begin(t, SUITE_A, &node);
    peer *p = case_peer(t, &setup);
    suite_report last;
    bool done = case_call_to_peer(t, SUITE_A, p, suite_open_initiator(t, SUITE_A, ""), &last);
    case_completed(t, done, last, p, "P-28", "P-28");
}

/* ---- CSB IDs in use (RFC 3830 §6.1) ---- */

static void run_csb_initiator(suite_trial *t, const void *arg) {
    (void)arg;
    suite_node node = {.users = "alice",
                       .policy = "{'csb_ids_in_use': [1, 2]}",
                       .random = "{'csb-id': ['AAAAAQ==', 'AAAAAg==', 'AAAAAw==']}"};
    const suite_message *m = first_message(t, &node);
    suite_require(t, m->csb_id != 1 && m->csb_id != 2, "3830-48", "a CSB ID that is not in use",
                  "CSB ID %08x", (unsigned)m->csb_id);
    suite_obeyed(t, m->csb_id == 3, "random.csb-id 00000003", "CSB ID %08x", (unsigned)m->csb_id);
}

static void run_csb_responder(suite_trial *t, const void *arg) {
    (void)arg;
    peer_setup setup = {.role = PEER_INITIATOR};
    peer *p = case_peer(t, &setup);
    ibk_span octets = case_start(t, p);
    suite_node node = {
        .users = "bob",
        .policy = suite_text(t, "{'csb_ids_in_use': [%u]}", (unsigned)suite_read(t, octets)->csb_id)};
    suite_begin(t, SUITE_A, &node);
    suite_open_responder(t, SUITE_A, "");
    suite_expect(t, suite_message_in(t, SUITE_A, "b", octets), "3830-47", "refused:* discarded:*");
}

/* ---- mailboxes and ESKs (RFC 6267 §3.3, §4.2.2) ---- */

/* What is stored is what the peer sent: it opens with the key of the user who was called, to the peer's SK.
 */
static void expect_esk(suite_trial *t, suite_report r, const peer *p) {
    const char *stored = json_string_value(json_object_get(r.json, "esk"));
    suite_require(t, stored != NULL, "6267-58", "the ESK is stored", "no ESK is reported");
    ibk_span sk = case_open_esk(t, suite_octets(t, stored), "bob");
    suite_require(t, ibk_span_equal(sk, peer_look(p)->sk), "6267-58", "the ESK as it came", "another");
}

static void run_mailbox(suite_trial *t, const void *arg) {
    (void)arg;
    suite_node node = {.users = "mailbox"};
    peer_setup setup = {.role = PEER_INITIATOR};
    suite_begin(t, SUITE_A, &node);
    suite_op(t, SUITE_A, "open",
             "'session': 'b', 'role': 'mailbox', 'local': {'uri': 'sip:mailbox@home.example'}");
    peer *p = case_peer(t, &setup);
    suite_report last;
    bool done = case_call_from_peer(t, SUITE_A, p, &last);
    case_judge_but(t, p,
                   "P-19 6267-93"); /* another answers than the one who was called: what a mailbox is for */
    suite_require(t,
                  suite_last_type(t) != SUITE_I_MESSAGE_2 ||
                      ibk_span_equal(peer_look(p)->other.data, ibk_span_str("sip:mailbox@home.example")),
                  "6267-42", "IDRr is the mailbox's own identity", "another identity");
    if (!done)
        suite_expect(t, last, "6267-35", "accepted/established");
    suite_require(t, peer_look(p)->deferred, "6267-43", "ECCPTr alone", "ECCPTi came back");
    case_keys(t, last, p, "6267-95");
    expect_esk(t, last, p);
}

/* What an initiator breaks who does not go on. */
static const char *deferred_rule(const suite_trial *t, suite_report last) {
    if (suite_last_type(t) != SUITE_R_MESSAGE_2)
        return "6267-45";
    bool key = strcmp(last.error, "no-key") == 0 || strcmp(last.error, "decryption") == 0;
    return key ? "6267-69" : case_rule(t, last);
}

/* The initiator goes on after ECCPTr alone, and sends an ESK that the called user can open. */
static void run_deferred(suite_trial *t, const void *arg) {
    (void)arg;
    suite_node node = {.users = "alice",
                       .policy = "{'allow_missing_echo': true, 'accept_responders': 'any'}"};
    peer_setup setup = {.role = PEER_MAILBOX, .self = "mailbox"};
    suite_begin(t, SUITE_A, &node);
    peer *p = case_peer(t, &setup);
    suite_report last;
    bool done = case_call_to_peer(t, SUITE_A, p, suite_open_initiator(t, SUITE_A, ""), &last);
    case_completed(t, done, last, p, deferred_rule(t, last), "6267-95");
    suite_require(t, peer_look(p)->esk.len > 0, "6267-46", "an ESK for the called user",
                  "no ESK in I_MESSAGE_2");
    suite_require(t, case_open_esk(t, peer_look(p)->esk, "bob").len > 0, "6267-46",
                  "an ESK that the called user can open", "one that bob's key does not open");
}

static void run_missing_echo(suite_trial *t, const void *arg) {
    (void)arg;
    suite_node node = {.users = "alice", .policy = "{'accept_responders': 'any'}"};
    peer_setup setup = {.role = PEER_MAILBOX, .self = "mailbox"};
    suite_begin(t, SUITE_A, &node);
    suite_report last;
    case_call_to_peer(t, SUITE_A, case_peer(t, &setup), suite_open_initiator(t, SUITE_A, ""), &last);
    suite_expect(t, last, "6539-8", "refused:* discarded:*");
}

static void run_esk_sent(suite_trial *t, const void *arg) {
    (void)arg;
    suite_node node = {.users = "alice"};
    peer_setup setup = {.role = PEER_RESPONDER};
    suite_begin(t, SUITE_A, &node);
    peer *p = case_peer(t, &setup);
    suite_report last;
    suite_report opened = suite_open_initiator(t, SUITE_A, "'esk': {'sk': 'AAECAwQFBgcICQoLDA0ODw=='}");
    bool done = case_call_to_peer(t, SUITE_A, p, opened, &last);
    case_judge(t, p, false);
    if (!done)
        suite_expect(t, last, "6267-31", "accepted/established");
    suite_require(t, peer_look(p)->esk.len > 0, "6267-31", "an ESK in I_MESSAGE_1", "none came");
    static const uint8_t sk[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15};
    ibk_span sent = case_open_esk(t, peer_look(p)->esk, "bob");
    suite_require(t, sent.len > 0, "6267-101", "an ESK that the called user can open, with an SK",
                  "none, or one that bob's key does not open");
    suite_obeyed(t, ibk_span_equal(sent, ibk_span_of(sk, sizeof sk)), "an SK of 16 octets in esk.sk",
                 "another of %zu", sent.len);
}

static void run_esk_received(suite_trial *t, const void *arg) {
    (void)arg;
    suite_node node = {.users = "bob"};
    peer_setup setup = {.role = PEER_INITIATOR, .esk = true};
    suite_begin(t, SUITE_A, &node);
    suite_open_responder(t, SUITE_A, "");
    peer *p = case_peer(t, &setup);
    ibk_span octets = case_start(t, p);
    const suite_message *m = suite_read(t, octets);
    suite_report r = suite_message_in(t, SUITE_A, "b", octets);
    suite_expect(t, r, "6267-31", "accepted/waiting");
    const char *esk = json_string_value(json_object_get(r.json, "esk"));
    suite_require(t,
                  esk && ibk_span_equal(suite_octets(t, esk),
                                        suite_payload_data(m, suite_message_find(m, SUITE_ESK, 0))),
                  "6267-58", "the ESK as it came", "another one, or none");
    ibk_span answer = case_give(t, p, suite_sent(t, r, "6267-37"));
    case_judge(t, p, false);
    suite_expect(t, suite_message_in(t, SUITE_A, "b", answer), "P-11", "accepted/established");
}

static void run_open_esk(suite_trial *t, const void *arg) {
    (void)arg;
    suite_node node = {.users = "bob"};
    peer_setup setup = {.role = PEER_INITIATOR, .esk = true};
    peer *p = case_peer(t, &setup);
    const suite_message *m = suite_read(t, case_start(t, p));
    suite_begin(t, SUITE_A, &node);
    json_t *answer =
        suite_do(t, SUITE_A, "P-22", "open-esk",
                 suite_json(t, "{'identity': {'uri': 'sip:bob@home.example'}, 'date': '%s', 'octets': '%s'}",
                            suite_date(t, suite_now(t), "day"),
                            suite_base64(t, suite_payload_data(m, suite_message_find(m, SUITE_ESK, 0)))));
    const char *sk = json_string_value(json_object_get(answer, "sk"));
    suite_require(t, ibk_span_equal(suite_octets(t, sk), peer_look(p)->sk), "6267-101",
                  "the SK that was sent", "another SK");
    peer_cs_keys keys;
    suite_sure(t, peer_deferred_keys(peer_look(p)->sk, &keys), "the keys of content");
    const json_t *key = json_array_get(json_object_get(answer, "keys"), 0);
    const char *tek = json_string_value(json_object_get(key, "tek"));
    if (suite_claims(t, "features", "keys"))
        suite_require(t, tek && ibk_span_equal(suite_octets(t, tek), ibk_span_of(keys.tek, keys.tek_len)),
                      "P-22", "the TEK of content under SK", "another TEK");
}

/* ---- maps and policies ---- */

static void run_empty_map(suite_trial *t, const void *arg) {
    (void)arg;
    suite_node node = {.users = "alice"};
    suite_begin(t, SUITE_A, &node);
    suite_report r = suite_open_initiator(t, SUITE_A, "'map': {'type': 'Empty map'}");
    const suite_message *m = suite_read(t, suite_sent(t, r, "4563-1"));
    suite_require(t, m->map_type == 1 && m->n_cs == 0, "4563-1", "an Empty map", "map type %u, #CS %u",
                  m->map_type, m->n_cs);
    suite_require(t, !suite_message_find(m, SUITE_SP, 0), "4563-1", "no SP payload", "an SP payload");
}

static void run_ssrcs(suite_trial *t, const void *arg) {
    (void)arg;
    suite_node alice = {.users = "alice"}, bob = {.users = "bob"};
    suite_begin(t, SUITE_A, &alice);
    suite_begin(t, SUITE_B, &bob);
    suite_report a = suite_open_initiator(
        t, SUITE_A,
        "'map': {'type': 'SRTP-ID', 'sessions': [{'policy': 0, 'ssrc': 7}, {'policy': 0, 'ssrc': 0}]}");
    suite_open_responder(t, SUITE_B, "'ssrcs': [0, 9]");
    suite_report b = suite_message_in(t, SUITE_B, "b", case_pair_sent(t, a, "3830-49"));
    a = suite_message_in(t, SUITE_A, "a", case_pair_sent(t, b, "3830-49"));
    b = suite_message_in(t, SUITE_B, "b", case_pair_sent(t, a, "3830-49"));
    a = suite_message_in(t, SUITE_A, "a", case_pair_sent(t, b, "3830-49"));
    suite_same_keys(t, a, b, "3830-49");
    const json_t *keys = json_object_get(a.json, "keys");
    json_int_t one = json_integer_value(json_object_get(json_array_get(keys, 0), "ssrc"));
    json_int_t two = json_integer_value(json_object_get(json_array_get(keys, 1), "ssrc"));
    if (suite_claims(t, "features", "keys"))
        suite_require(t, one == 7 && two == 9, "3830-49", "SSRCs 7 and 9", "SSRCs %lld and %lld",
                      (long long)one, (long long)two);
}

static const peer_sp offered[] = {{0, {(const uint8_t[]){0, 1, 1, 1, 1, 16, 2, 1, 1}, 9}}};

static void run_policies_responder(suite_trial *t, const void *arg) {
    (void)arg;
    suite_node node = {.users = "bob"};
    peer_setup setup = {.role = PEER_INITIATOR, .policies = offered, .n_policies = 1, .sdp_ids = "mikey"};
    suite_begin(t, SUITE_A, &node);
    suite_open_responder(t, SUITE_A, "'sdp_ids': 'mikey'");
    peer *p = case_peer(t, &setup);
    suite_report last;
    bool done = case_call_from_peer(t, SUITE_A, p, &last);
    case_completed(t, done, last, p, "P-14", "6267-95");
}

/* An offer of one policy. No text demands other lengths of keys and salts than RFC 3711's own. */
static suite_report open_with_policy(suite_trial *t, unsigned key_len, unsigned salt_len, const char *more) {
    suite_report r = suite_open_initiator(
        t, SUITE_A,
        suite_text(t,
                   "'policies': [{'number': 0, 'encr_alg': 1, 'encr_key_len': %u, 'salt_key_len': %u, "
                   "'auth_alg': 1}]%s",
                   key_len, salt_len, more));
    if (suite_is(r, "refused:unsupported"))
        suite_skip(t, "not supported: a key of %u octets and a salt of %u", key_len, salt_len);
    return r;
}

static void run_policies_initiator(suite_trial *t, const void *arg) {
    (void)arg;
    suite_node node = {.users = "alice"};
    peer_setup setup = {.role = PEER_RESPONDER, .sdp_ids = "mikey"};
    suite_begin(t, SUITE_A, &node);
    peer *p = case_peer(t, &setup);
    suite_report last;
    suite_report opened = open_with_policy(t, 32, 14, ", 'sdp_ids': 'mikey'");
    const suite_message *m = suite_read(t, suite_sent(t, opened, "3830-69"));
    suite_require(t, suite_message_find(m, SUITE_SP, 0) != NULL, "3830-69", "an SP payload for policy 0",
                  "none");
    bool done = case_call_to_peer(t, SUITE_A, p, opened, &last);
    case_completed(t, done, last, p, "P-14", "6267-95");
    peer_cs_keys keys;
    size_t n = peer_keys(p, &keys, 1);
    suite_obeyed(t, n > 0 && keys.tek_len == 32, "policies[0].encr_key_len 32",
                 "an SP for a key of %zu octets", n ? keys.tek_len : 0);
}

/* A GENERIC-ID offer that names no policy and has neither session data nor SPIs (RFC 6043 §6.1.1). */
static void run_generic_bare(suite_trial *t, const void *arg) {
    (void)arg;
    suite_node node = {.users = "bob"};
    peer_setup setup = {.role = PEER_INITIATOR, .map_type = 2, .bare = true};
    suite_begin(t, SUITE_A, &node);
    suite_open_responder(t, SUITE_A, "");
    peer *p = case_peer(t, &setup);
    suite_report last;
    bool done = case_call_from_peer(t, SUITE_A, p, &last);
    case_completed(t, done, last, p, "6043-4", "6267-95");
}

/* A salt as long as the offer says. */
static void run_salt(suite_trial *t, const void *arg) {
    (void)arg;
    enum { SALT = 12 };
    suite_node node = {.users = "alice"};
    peer_setup setup = {.role = PEER_RESPONDER};
    suite_begin(t, SUITE_A, &node);
    peer *p = case_peer(t, &setup);
    suite_report last;
    suite_report opened = open_with_policy(t, 16, SALT, "");
    bool done = case_call_to_peer(t, SUITE_A, p, opened, &last);
    case_judge(t, p, false);
    if (!done)
        case_expect_taken(t, last, NULL, "", "accepted/established");
    peer_cs_keys keys;
    size_t n = peer_keys(p, &keys, 1);
    suite_obeyed(t, n > 0 && keys.salt_len == SALT, "policies[0].salt_key_len 12",
                 "an SP for a salt of %zu octets", n ? keys.salt_len : 0);
    case_keys(t, last, p, "3830-69");
}

static const peer_sp strange[] = {{0, {(const uint8_t[]){0, 1, 200, 1, 1, 16, 2, 1, 1}, 9}}};

/* An offer whose policy nobody can support: an Error message, with what can be supported. */
static void run_unsupported_policy(suite_trial *t, const void *arg) {
    const bool *should = arg;
    suite_node node = {.users = "bob"};
    peer_setup setup = {.role = PEER_INITIATOR, .policies = strange, .n_policies = 1};
    suite_begin(t, SUITE_A, &node);
    suite_open_responder(t, SUITE_A, "");
    suite_report r = suite_message_in(t, SUITE_A, "b", case_start(t, case_peer(t, &setup)));
    suite_expect(t, r, "3830-32", "refused:unsupported|policy|malformed/closed");
    const suite_message *m = suite_read(t, suite_sent(t, r, "3830-32"));
    suite_require(t, m->data_type == SUITE_ERROR_MESSAGE && suite_message_find(m, SUITE_ERR, 0), "3830-32",
                  "an Error message", "%s", suite_data_type_name(m->data_type));
    if (*should)
        suite_require(t, suite_message_find(m, SUITE_SP, 0) != NULL, "3830-34",
                      "an SP with what is supported", "none");
}

/* ---- who answers (P-19, RFC 6267 §5.4) ---- */

typedef struct answerer {
    const char *name, *accept, *permitted, *ids;
} answerer;

static const answerer answerers[] = {
    {"none", "none", "refused:identity|policy discarded:identity|policy", "P-19"},
    {"echoed", "echoed", "accepted/established", "6267-33 6267-83 P-19 6267-42 6267-51 6267-55"},
    {"any", "any", "accepted/established", "6267-83 P-19 6267-51 6267-55"},
};

static void is_from_carol(suite_trial *t, ibk_span octets, const char *id, const char *permitted) {
    const suite_message *m = suite_read(t, octets);
    suite_require(t,
                  ibk_span_equal(suite_payload_data(m, suite_message_idr(m, SUITE_ROLE_R)),
                                 ibk_span_str("sip:carol@home.example")),
                  id, permitted, "another identity");
}

/* Carol, in the second process, holds Bob's key as well as her own: a call that was diverted to her with it.
 */
static void run_answerer(suite_trial *t, const void *arg) {
    const answerer *a = arg;
    suite_node alice = {.users = "alice", .policy = suite_text(t, "{'accept_responders': '%s'}", a->accept)};
    suite_node carol = {.users = "bob,carol"};
    suite_begin(t, SUITE_A, &alice);
    suite_begin(t, SUITE_B, &carol);
    suite_report r = suite_open_initiator(t, SUITE_A, ""), s;
    suite_op(t, SUITE_B, "open",
             "'session': 'b', 'role': 'responder', 'local': {'uri': 'sip:carol@home.example'}");
    s = suite_message_in(t, SUITE_B, "b", suite_sent(t, r, "6267-28"));
    bool key = strcmp(s.error, "no-key") == 0 || strcmp(s.error, "decryption") == 0;
    ibk_span answer = case_pair_sent(t, s, key ? "6267-33" : "6267-42");
    is_from_carol(t, answer, "6267-42", "IDRr is the responder's own identity");
    r = suite_message_in(t, SUITE_A, "a", answer);
    if (suite_is(r, "accepted/waiting")) {
        ibk_span more = suite_sent(t, r, "6267-48");
        is_from_carol(t, more, "6267-51", "IDRr is that of R_MESSAGE_1");
        s = suite_message_in(t, SUITE_B, "b", more);
        r = suite_message_in(t, SUITE_A, "a", case_pair_sent(t, s, "6267-60"));
    }
    suite_expect(t, r, "P-19", a->permitted);
    if (suite_is(r, "accepted"))
        suite_same_keys(t, r, s, "6267-83");
}

static void run_fork(suite_trial *t, const void *arg) {
    (void)arg;
    suite_node node = {.users = "alice"};
    suite_begin(t, SUITE_A, &node);
    suite_report opened = suite_open_initiator(t, SUITE_A, "");
    ibk_span first = suite_sent(t, opened, "6267-28");
    suite_expect(t, suite_op(t, SUITE_A, "fork", "'session': 'a', 'as': 'a2'"), "6267-83",
                 "accepted/waiting");
    const char *const sessions[] = {"a", "a2"};
    for (size_t i = 0; i < 2; i++) {
        peer_setup setup = {.role = PEER_RESPONDER, .seed = sessions[i]};
        peer *p = case_peer(t, &setup);
        suite_report r = suite_message_in(t, SUITE_A, sessions[i], case_answer(t, p, first));
        r = suite_message_in(t, SUITE_A, sessions[i], case_answer(t, p, suite_sent(t, r, "6267-48")));
        case_judge(t, p, false);
        case_expect_taken(t, r, "6267-83", "", "accepted/established");
        case_keys(t, r, p, "6267-95");
    }
}

/* ---- dates and clocks ---- */

typedef struct moment {
    const char *name, *ids, *granularity;
    peer_granularity value;
    uint8_t timestamp;
    int64_t ours, peers; /* 0: noon */
} moment;

#define WRAP INT64_C(2085978496000) /* 2036-02-07T06:28:16Z: NTP seconds begin anew */
static const moment moments[] = {
    {"hour", "P-9", "hour", PEER_HOUR, 0, 0, 0},
    {"month", "P-9 5091-21", "month", PEER_MONTH, 0, 0, 0},
    {"before-wrap", "3830-23", "day", PEER_DAY, 0, WRAP - 1000, WRAP - 1000},
    {"after-wrap", "3830-23", "day", PEER_DAY, 0, WRAP + 1000, WRAP + 1000},
    {"across-wrap", "3830-23", "day", PEER_DAY, 0, WRAP + 1000, WRAP - 1000},
    {"back-across-wrap", "3830-23", "day", PEER_DAY, 1, WRAP - 1000, WRAP + 1000},
    {"32-across-wrap", "6043-11 3830-23", "day", PEER_DAY, 3, WRAP + 1000, WRAP - 1000},
    {"32-after-wrap", "6043-11 3830-23", "day", PEER_DAY, 3, WRAP + 1000, WRAP + 1000},
};

static void run_moment(suite_trial *t, const void *arg) {
    const moment *m = arg;
    suite_node node = {.users = "bob", .granularity = m->granularity, .utc_ms = m->ours};
    peer_setup setup = {
        .role = PEER_INITIATOR, .granularity = m->value, .timestamp = m->timestamp, .utc_ms = m->peers};
    suite_begin(t, SUITE_A, &node);
    suite_open_responder(t, SUITE_A, "");
    peer *p = case_peer(t, &setup);
    suite_report last;
    bool done = case_call_from_peer(t, SUITE_A, p, &last);
    const char *id = suite_text(t, "%.*s", (int)strcspn(m->ids, " "), m->ids);
    case_completed(t, done, last, p, id, id);
}

/* ---- the list ---- */

static const bool yes = true, no = false;

static const suite_case cases[] = {
    {"flow/should/initiator", "what an initiator SHOULD do", "3830-2 6267-47", "roles:initiator",
     run_should_initiator, 0},
    {"flow/should/responder", "what a responder SHOULD do", "6267-64 3830-17", "roles:responder",
     run_should_responder, 0},
    {"flow/fresh/header", "two calls: CSB ID and RAND are new", "6267-29 3830-46 3830-54 3830-56",
     "roles:initiator", run_fresh_header, 0},
    {"flow/fresh/initiator", "two calls with the same RAND: x is new", "6539-1 P-20",
     "roles:initiator features:random,keys", run_fresh_initiator, 0},
    {"flow/fresh/responder", "the same call twice, in two nodes: y is new", "6539-5 6539-4 P-20",
     "roles:responder features:keys", run_fresh_responder, 0},
    {"flow/fresh/timestamps", "three calls at the same time: each has a T of its own", "3830-38 P-27",
     "roles:initiator features:many timestamps:NTP-UTC", run_new_timestamps, "NTP-UTC"},
    {"flow/fresh/timestamps-32", "the same with seconds alone", "3830-38 P-27",
     "roles:initiator features:many timestamps:NTP-UTC-32", run_new_timestamps, "NTP-UTC-32"},
    {"flow/fresh/timestamps-counter", "the same with a COUNTER", "3830-38 P-27",
     "roles:initiator features:many timestamps:COUNTER", run_new_timestamps, "COUNTER"},
    {"flow/csb-id/initiator", "a CSB ID that is in use is not drawn", "3830-47 3830-48",
     "roles:initiator features:random", run_csb_initiator, 0},
    {"flow/csb-id/responder", "a call with a CSB ID that is in use is refused", "3830-47", "roles:responder",
     run_csb_responder, 0},
    {"flow/mailbox/call", "a mailbox takes a call for another",
     "6267-35 6267-42 6267-43 6267-52 6267-56 6267-57 6267-58 6267-65 6267-66 6267-67 6267-83 P-8 P-11",
     "roles:mailbox", run_mailbox, 0},
    {"flow/deferred/call", "a mailbox answers with ECCPTr alone, and the initiator goes on",
     "6267-45 6267-46 6267-52 6267-55 6267-56 6267-65 6267-66 6267-69", "roles:initiator features:deferred",
     run_deferred, 0},
    {"flow/deferred/other-curve", "the mailbox answers on a curve of its own", "P-28 6267-45",
     "roles:initiator features:deferred own_curves:P-384", run_other_curve, 0},
    {"flow/deferred/not-permitted", "ECCPTr alone ends a call that is not to be deferred", "6539-8 6539-13",
     "roles:initiator", run_missing_echo, 0},
    {"flow/esk/sent", "an ESK in I_MESSAGE_1", "6267-31", "roles:initiator features:esk", run_esk_sent, 0},
    {"flow/esk/received", "a call with an ESK in I_MESSAGE_1", "6267-31 6267-58 P-11", "roles:responder",
     run_esk_received, 0},
    {"flow/esk/opened", "a stored ESK is opened", "6267-101 P-22", "roles:responder features:open-esk",
     run_open_esk, 0},
    {"flow/map/empty", "an offer with the Empty map", "4563-1", "roles:initiator maps:Empty+map",
     run_empty_map, 0},
    {"flow/map/ssrc-filled", "a SSRC that the offer leaves 0 is the responder's", "3830-49",
     "roles:initiator,responder", run_ssrcs, 0},
    {"flow/policies/responder", "SP and SDP identifiers come back under V", "P-14 3830-69 4567-53",
     "roles:responder", run_policies_responder, 0},
    {"flow/policies/generic-bare", "a GENERIC-ID offer without policies, session data and SPIs gets them",
     "6043-4 6043-3 6043-7 6043-8 6043-6", "roles:responder maps:GENERIC-ID", run_generic_bare, 0},
    {"flow/policies/unsupported", "a policy that nobody supports is refused by an Error message",
     "3830-32 3830-41", "roles:responder", run_unsupported_policy, &no},
    {"flow/policies/unsupported-told", "the Error message tells what is supported", "3830-34",
     "roles:responder", run_unsupported_policy, &yes},
    {"flow/policies/initiator", "SP and SDP identifiers are sent, and compared when they come back",
     "P-14 3830-69 4567-45 4567-46 4567-47", "roles:initiator", run_policies_initiator, 0},
    {"flow/policies/salt", "an offer with a salt of 12 octets", "3830-69", "roles:initiator", run_salt, 0},
    {"flow/fork/two", "two answers to one call", "6267-83", "roles:initiator features:fork", run_fork, 0},
};

void cases_flow_more(suite_list *list) {
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        suite_add(list, &cases[i]);
    for (size_t i = 0; i < sizeof answerers / sizeof answerers[0]; i++) {
        suite_case c = {suite_list_text(list, "flow/answered-by-another/%s", answerers[i].name),
                        "another identity than the one that was called answers",
                        answerers[i].ids,
                        "roles:initiator,responder",
                        run_answerer,
                        &answerers[i]};
        suite_add(list, &c);
    }
    for (size_t i = 0; i < sizeof moments / sizeof moments[0]; i++) {
        const moment *m = &moments[i];
        suite_case c = {suite_list_text(list, "flow/time/%s", m->name),
                        "a call at a certain time, with dates of a certain kind",
                        m->ids,
                        suite_list_text(list, "roles:responder granularities:%s timestamps:%s%s",
                                        m->granularity, case_timestamps[m->timestamp],
                                        m->ours ? " features:clock" : ""),
                        run_moment,
                        m};
        suite_add(list, &c);
    }
}
