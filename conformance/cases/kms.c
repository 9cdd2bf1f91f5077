/* KMS cases: key requests in every combination, by pre-shared key and by certificate, with the IUT as user
 * and as KMS. Who may have which key stands in kms_may.c. */
#include "conformance/cases/kms.h"
#include "conformance/cases/cases.h"
#include "conformance/suite/cover.h"
#include "conformance/suite/pki.h"

#include <stdlib.h>
#include <string.h>

enum { CHASH = 8 }; /* a payload type */

static const unsigned sizes[] = {1024, 2048, 3072};
static const char *const granularities[] = {"day", "hour", "month"};
static const char *const issues[] = {"current", "period", "next"};
static const char *const envelopes[] = {"RSAES-PKCS1-v1_5", "RSAES-OAEP", "RSAES-OAEP-SHA-256"};
static const char *const signatures[] = {"RSA/PKCS#1/1.5", "RSA/PSS"};

typedef struct combination {
    bool kms; /* what the IUT is */
    bool pke;
    unsigned size;
    uint8_t prf, mac, timestamp, encryption, granularity, issue, envelope;
    bool pss, chash;
} combination;

/* ---- certificates ---- */

const suite_holder *kms_holder(suite_trial *t, const char *name) {
    const suite_holder *h = suite_holder_of(name);
    if (!h)
        suite_error(t, "no certificate for %s", name);
    return h;
}

const peer_pke *kms_peer_pke(suite_trial *t, const char *user, bool kms, peer_envelope envelope, bool pss,
                             bool chash) {
    peer_pke *pke = suite_alloc(t, sizeof *pke);
    ibk_span *chain = suite_alloc(t, sizeof *chain);
    *chain = ibk_buf_span(&kms_holder(t, user)->certificate);
    *pke = (peer_pke){.chain = chain,
                      .n_chain = 1,
                      .private_key = ibk_buf_span(&kms_holder(t, kms ? "kms" : user)->private_key),
                      .kms_certificate = ibk_buf_span(&kms_holder(t, "kms")->certificate),
                      .pss = pss,
                      .chash = chash,
                      .envelope = envelope};
    return pke;
}

static const char *cert64(suite_trial *t, const char *name) {
    return suite_base64(t, ibk_buf_span(&kms_holder(t, name)->certificate));
}

static const char *key64(suite_trial *t, const char *name) {
    return suite_base64(t, ibk_buf_span(&kms_holder(t, name)->private_key));
}

const char *kms_key_pairs(suite_trial *t, const char *envelope) {
    return suite_text(
        t, "'key_pairs': [{'certificate': '%s', 'private_key': '%s', 'envelope': '%s'}], 'anchors': ['%s']",
        cert64(t, "kms"), key64(t, "kms"), envelope, cert64(t, "root"));
}

/* ---- keys ---- */

void kms_judge_keys(suite_trial *t, const peer *p, unsigned size, size_t at_least) {
    suite_require(t, peer_private_keys(p) >= at_least, "6267-90", "a key for each identity", "%zu keys",
                  peer_private_keys(p));
    for (size_t i = 0; i < peer_private_keys(p); i++) {
        ibk_span identity, der;
        peer_private_key(p, i, &identity, &der);
        suite_require(t, ibk_span_equal(der, suite_private_key(t, size, identity)), "5091-11",
                      "the private key of that identity", "another key");
    }
}

/* ---- the IUT is a user ---- */

static const char *method_json(suite_trial *t, const combination *c) {
    if (!c->pke)
        return suite_text(t, "'psk': '%s'", SUITE_PSK);
    return suite_text(t,
                      "'method': 'PKE', 'pke': {'chain': ['%s'], 'private_key': '%s', 'signature': '%s', "
                      "'kms_certificates': "
                      "['%s'], 'anchors': ['%s'], 'envelope': '%s', 'chash': %s}",
                      cert64(t, "alice"), key64(t, "alice"), signatures[c->pss], cert64(t, "kms"),
                      cert64(t, "root"), envelopes[c->envelope], c->chash ? "true" : "false");
}

/* The request is made with the values that the IUT was told to use. */
static void obeyed_as_user(suite_trial *t, const combination *c, ibk_span request) {
    const suite_message *m = suite_read(t, request);
    bool chash = suite_message_find(m, CHASH, 0) != NULL;
    const suite_payload *sign = suite_message_find(m, SUITE_SIGN, 0);
    case_obeyed(t, request, c->prf, c->timestamp);
    if (!c->pke) {
        int mac = case_algorithm(t, request, SUITE_V);
        suite_obeyed(t, mac == c->mac, suite_text(t, "policy.mac %s", case_macs[c->mac]),
                     "V with algorithm %d", mac);
        return;
    }
    unsigned scheme = sign ? m->octets.data[sign->offset] >> 4U : 0;
    suite_obeyed(t, !sign || scheme == c->pss, suite_text(t, "pke.signature %s", signatures[c->pss]),
                 "SIGN of type %u", scheme);
    suite_obeyed(t, chash == c->chash, c->chash ? "pke.chash" : "no pke.chash", "%s", chash ? "one" : "none");
}

static bool ask_peer(suite_trial *t, const void *arg, const char *deviation, suite_report *last, peer **p) {
    const combination *c = arg;
    suite_node node = {.size = c->size,
                       .granularity = granularities[c->granularity],
                       .policy = suite_text(t, "{'prf': '%s', 'timestamp': '%s'%s%s%s}", case_prfs[c->prf],
                                            case_timestamps[c->timestamp], c->pke ? "" : ", 'mac': '",
                                            c->pke ? "" : case_macs[c->mac], c->pke ? "" : "'")};
    peer_setup setup = {.role = PEER_KMS,
                        .size = c->size,
                        .encryption = c->encryption,
                        .granularity = c->granularity,
                        .deviation = deviation};
    if (c->pke)
        setup.pke = kms_peer_pke(t, "alice", true, (peer_envelope)c->envelope, c->pss, c->chash);
    suite_begin(t, SUITE_A, &node);
    *p = case_peer(t, &setup);
    *last = suite_op(t, SUITE_A, "open",
                     "'session': 'u', 'role': 'user', 'kms': {'uri': 'sip:kms@home.example'}, "
                     "'ask': [{'uri': 'sip:alice@home.example'}], %s",
                     method_json(t, c));
    if (!suite_is(*last, "accepted/waiting"))
        return false;
    ibk_span request = suite_sent(t, *last, "6267-2");
    case_byte_order(t, *last, request);
    ibk_span answer = case_answer(t, *p, request);
    obeyed_as_user(t, c, request);
    *last = suite_message_in(t, SUITE_A, "u", answer);
    return suite_is(*last, "accepted/done");
}

static void judge_taken(suite_trial *t, const combination *c, suite_report r) {
    const json_t *keys = json_object_get(r.json, "private_keys");
    suite_require(t, json_array_size(keys) > 0, "6267-26", "the private keys", "none");
    for (size_t i = 0; i < json_array_size(keys); i++) {
        const json_t *key = json_array_get(keys, i);
        ibk_span identity = suite_octets(t, json_string_value(json_object_get(key, "ibe_identity")));
        ibk_span der = suite_octets(t, json_string_value(json_object_get(key, "der")));
        suite_require(t, ibk_span_equal(der, suite_private_key(t, c->size, identity)), "P-10",
                      "the private key that was sent", "another key");
    }
}

/* ---- the IUT is a KMS ---- */

static bool asked_by_peer(suite_trial *t, const void *arg, const char *deviation, suite_report *last,
                          peer **p) {
    const combination *c = arg;
    const char *users =
        c->pke ? suite_text(t, "{'certificate': '%s', 'may_have': [{'uri': 'sip:alice@home.example'}]}",
                            cert64(t, "alice"))
               : suite_text(t, "{'psk': '%s', 'may_have': [{'uri': 'sip:alice@home.example'}]}", SUITE_PSK);
    suite_node node = {.size = c->size,
                       .granularity = granularities[c->granularity],
                       .kms =
                           suite_text(t, "'users': [%s], 'encryption': '%s', 'issue': '%s'%s%s", users,
                                      case_encryptions[c->encryption], issues[c->issue], c->pke ? ", " : "",
                                      c->pke ? kms_key_pairs(t, envelopes[c->envelope]) : "")};
    peer_setup setup = {.role = PEER_USER,
                        .size = c->size,
                        .prf = c->prf,
                        .mac = c->pke ? 0 : c->mac,
                        .timestamp = c->timestamp,
                        .granularity = c->granularity,
                        .deviation = deviation};
    if (c->pke)
        setup.pke = kms_peer_pke(t, "alice", false, (peer_envelope)c->envelope, c->pss, c->chash);
    suite_begin(t, SUITE_A, &node);
    suite_op(t, SUITE_A, "open", "'session': 'k', 'role': 'kms'");
    *p = case_peer(t, &setup);
    *last = suite_message_in(t, SUITE_A, "k", case_start(t, *p));
    if (!suite_is(*last, "accepted/serving"))
        return false;
    case_give(t, *p, suite_sent(t, *last, "6267-16"));
    return true;
}

/* The answer is made with the values that the IUT was told to use. */
static void obeyed_as_kms(suite_trial *t, const combination *c, suite_report last, size_t keys) {
    enum { COUNTER = 2 }; /* an IV could come again with it: a KMS may prefer AES key wrap (IUT.md §4) */
    int encryption = case_algorithm(t, suite_sent_at(t, last, 0), SUITE_KEMAC);
    suite_obeyed(t, encryption == c->encryption || c->timestamp == COUNTER,
                 suite_text(t, "kms.encryption %s", case_encryptions[c->encryption]),
                 "KEMAC with algorithm %d", encryption);
    const char *issue = issues[c->issue];
    bool current = strcmp(issue, "current") == 0, next = strcmp(issue, "next") == 0;
    suite_obeyed(t,
                 current ? keys == 1
                 : next  ? keys == 2
                         : true,
                 suite_text(t, "kms.issue %s", issue), "%zu keys", keys);
}

/* ---- what goes wrong, and with which value ---- */

static const char *cipher_rule(uint8_t encryption) {
    static const char *const rules[] = {NULL, "3830-12", "3830-61", "6043-9"};
    return rules[encryption];
}

static const char *time_rule(uint8_t timestamp) {
    static const char *const rules[] = {"3830-65", "3830-65", "3830-53", "6043-12"};
    return rules[timestamp];
}

/* What is said of a request or answer that is right and not taken, where no value is at fault. */
static const char *rule_of(const combination *c, suite_report last) {
    bool unknown = strcmp(last.error, "unsupported") == 0;
    if (!c->kms)
        return "6267-26";
    return !unknown ? "6267-16" : c->pke ? "3830-4" : "3830-1";
}

/* Nothing special, as far as the adapter claims it. */
static combination plain_of(suite_trial *t, const combination *c) {
    combination p = *c;
    p.size = suite_size(t);
    p.prf = suite_claims(t, "prfs", case_prfs[0]) ? 0 : c->prf;
    p.mac = suite_claims(t, "macs", case_macs[1]) ? 1 : c->mac;
    p.timestamp = suite_claims(t, "timestamps", case_timestamps[0]) ? 0 : c->timestamp;
    p.encryption = suite_claims(t, "encryptions", case_encryptions[1]) ? 1 : c->encryption;
    p.granularity = suite_claims(t, "granularities", granularities[0]) ? 0 : c->granularity;
    p.envelope = suite_claims(t, "envelopes", envelopes[0]) ? 0 : c->envelope;
    p.pss = c->pss && !suite_claims(t, "signatures", signatures[0]);
    p.chash = false;
    p.issue = 0;
    return p;
}

enum { VALUES = 9 };

static _Noreturn void not_taken(suite_trial *t, const combination *c, suite_report last, case_play *play) {
    const combination plain = plain_of(t, c);
    combination alone[VALUES];
    for (size_t i = 0; i < VALUES; i++)
        alone[i] = plain;
    alone[0].size = c->size;
    alone[1].prf = c->prf;
    alone[2].mac = c->pke ? plain.mac : c->mac;
    alone[3].timestamp = c->timestamp;
    alone[4].encryption = c->encryption;
    alone[5].granularity = c->granularity;
    alone[6].envelope = c->envelope;
    alone[7].pss = c->pss;
    alone[8].chash = c->chash;
    const case_value values[VALUES] = {
        case_of_size(t, c->size, &alone[0]),
        case_of_prf(c->prf, &alone[1]),
        case_of_mac(c->mac, &alone[2]),
        {time_rule(c->timestamp), suite_text(t, "T of the type %s", case_timestamps[c->timestamp]),
         &alone[3]},
        {cipher_rule(c->encryption), case_encryptions[c->encryption], &alone[4]},
        {"P-9", suite_text(t, "a key for each %s", granularities[c->granularity]), &alone[5]},
        {c->envelope ? "3830-20" : "3830-19", envelopes[c->envelope], &alone[6]},
        {c->pss ? "3830-22" : "3830-21", signatures[c->pss], &alone[7]},
        {"3830-68", "CHASH", &alone[8]}};
    const case_again again = {play, c, &plain, c->prf, CASE_ALONE, values, VALUES};
    case_taken_again(t, last, &again, rule_of(c, last), "", c->kms ? "accepted/serving" : "accepted/done");
    suite_error(t, "what was not taken was taken");
}

static void run_request(suite_trial *t, const void *arg) {
    const combination *c = arg;
    suite_report last;
    peer *p;
    case_play *play = c->kms ? asked_by_peer : ask_peer;
    bool done = play(t, c, NULL, &last, &p);
    case_judge(t, p, false);
    if (!done)
        not_taken(t, c, last, play);
    if (c->kms) {
        kms_judge_keys(t, p, c->size, 1);
        obeyed_as_kms(t, c, last, peer_private_keys(p));
    } else {
        judge_taken(t, c, last);
    }
}

/* ---- names and requirements ---- */

static const char user_ids[] =
    "6267-2 6267-4 6267-5 6267-6 6267-7 6267-8 6267-9 6267-10 6267-18 6267-21 6267-23 6267-24 6267-25 "
    "6267-26 6267-72 6267-82 6267-84 6267-86 6267-87 6267-88 6267-89 3830-45 3830-56 3830-62 "
    "3830-64 4563-1 5091-2 P-4 P-8 P-10";
static const char kms_ids[] =
    "6267-1 6267-15 6267-16 6267-18 6267-19 6267-21 6267-23 6267-24 6267-25 6267-72 6267-82 6267-86 "
    "6267-87 6267-88 6267-89 6267-90 3830-45 3830-62 3830-64 5091-2 5091-11 P-8 P-10";

static const char *ids_of(suite_list *list, const combination *c) {
    const char *method = c->pke ? " 3830-4 3830-67 P-24" : " 3830-1 6267-12";
    const char *certificates = c->pke && !c->kms ? " 6267-13 6267-14" : "";
    const char *envelope = c->pke ? c->envelope ? " 3830-20" : " 3830-19" : "";
    const char *signature = c->pke ? c->pss ? " 3830-22" : " 3830-21" : "";
    const char *mac = c->pke ? "" : c->mac == 1 ? " 3830-16" : " 6043-10";
    const char *cipher = suite_list_text(list, " %s", cipher_rule(c->encryption));
    const char *prf = c->prf ? " 6043-1 6043-2" : " 3830-9 3830-11";
    const char *time = suite_list_text(list, " %s", time_rule(c->timestamp));
    return suite_list_text(list, "%s%s%s%s%s%s%s%s%s%s%s", c->kms ? kms_ids : user_ids, method, certificates,
                           envelope, signature, c->chash ? " 3830-68" : "", mac, cipher, prf, time,
                           c->granularity ? " P-9" : "");
}

static void add_row(suite_list *list, const combination *row) {
    combination *c = suite_list_alloc(list, sizeof *c);
    *c = *row;
    char *name = (char *)suite_list_text(
        list, "kms/%s/%s/%u-%s-%s-%s-%s-%s%s%s%s%s", c->kms ? "kms" : "user", c->pke ? "pke" : "psk", c->size,
        c->prf ? "prf-sha-256" : "mikey-1", c->pke ? signatures[c->pss] : case_macs[c->mac],
        case_timestamps[c->timestamp], case_encryptions[c->encryption], granularities[c->granularity],
        c->kms ? "-" : "", c->kms ? issues[c->issue] : "",
        c->pke ? suite_list_text(list, "-%s", envelopes[c->envelope]) : "", c->chash ? "-chash" : "");
    for (char *at = name + strlen("kms/user/psk/"); *at; at++) {
        *at = *at >= 'A' && *at <= 'Z' ? (char)(*at | 0x20) : *at;
        *at = strchr("/#_.", *at) ? '.' : *at;
    }
    const char *wants = suite_list_text(
        list,
        "roles:%s methods:%s sizes:%u prfs:%s macs:%s timestamps:%s encryptions:%s granularities:%s%s%s%s%s",
        c->kms ? "kms" : "user", c->pke ? "PKE" : "PSK", c->size, case_prfs[c->prf], case_macs[c->mac],
        case_timestamps[c->timestamp], case_encryptions[c->encryption], granularities[c->granularity],
        c->pke ? " signatures:" : "", c->pke ? signatures[c->pss] : "", c->pke ? " envelopes:" : "",
        c->pke ? suite_list_text(list, "%.*s", (int)strlen(envelopes[c->envelope]), envelopes[c->envelope])
               : "");
    suite_case item = {
        name, c->kms ? "a request of the peer" : "a request to the peer", ids_of(list, c), wants, run_request,
        c};
    suite_add(list, &item);
}

static void add_rows(suite_list *list, bool kms, bool pke) {
    /* size, PRF, MAC or signature, timestamp, encryption, granularity, issue, envelope and CHASH */
    const unsigned values[] = {3, 2, 2, 4, 3, 3, kms ? 3 : 1, pke ? 6 : 1};
    suite_rows rows = suite_cover(values, 8, suite_list_strength(list));
    for (size_t i = 0; i < rows.count; i++) {
        const unsigned char *r = rows.rows[i];
        combination c = {.kms = kms,
                         .pke = pke,
                         .size = sizes[r[0]],
                         .prf = r[1],
                         .mac = (uint8_t)(pke ? r[1] + 1 : r[2] + 1),
                         .pss = pke && r[2],
                         .timestamp = r[3],
                         .encryption = (uint8_t)(r[4] + 1),
                         .granularity = r[5],
                         .issue = r[6],
                         .envelope = r[7] % 3,
                         .chash = r[7] >= 3};
        add_row(list, &c);
    }
    free(rows.rows);
}

void cases_kms(suite_list *list) {
    for (int kms = 0; kms < 2; kms++)
        for (int pke = 0; pke < 2; pke++)
            add_rows(list, kms != 0, pke != 0);
    cases_kms_may(list);
}
