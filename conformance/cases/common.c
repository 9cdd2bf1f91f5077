/* What the cases share: see common.h. */
#include "conformance/cases/common.h"

#include <string.h>

const char *const case_kind_names[CASE_KINDS] = {"i-message-1", "r-message-1",     "i-message-2",
                                                 "r-message-2", "request-key-psk", "request-key-resp",
                                                 "error"};
const char *const case_timestamps[4] = {"NTP-UTC", "NTP", "COUNTER", "NTP-UTC-32"};
const char *const case_prfs[2] = {"MIKEY-1", "PRF-HMAC-SHA-256"};
const char *const case_macs[3] = {"NULL", "HMAC-SHA-1-160", "HMAC-SHA-256-256"};
const char *const case_encryptions[4] = {"NULL", "AES-CM-128", "AES-KW-128", "AES-CM-256"};
const char *const case_maps[3] = {"SRTP-ID", "Empty map", "GENERIC-ID"};

static const struct {
    const char *name;
    uint8_t value;
} curves[] = {{"P-192", 1}, {"P-224", 5}, {"P-256", 8}, {"P-384", 11}, {"P-521", 14}};
enum { CURVES = sizeof curves / sizeof curves[0] };

uint8_t case_curve(const char *name) {
    for (size_t i = 0; i < CURVES; i++)
        if (strcmp(curves[i].name, name) == 0)
            return curves[i].value;
    return 0;
}

case_value case_of_size(suite_trial *t, unsigned size, const void *arg) {
    return (case_value){"5091-9", suite_text(t, "parameters of %u bits", size), arg};
}

case_value case_of_prf(uint8_t prf, const void *arg) {
    return (case_value){prf ? "6043-1" : "3830-11", case_prfs[prf], arg};
}

case_value case_of_mac(uint8_t mac, const void *arg) {
    return (case_value){mac == 1 ? "3830-16" : "6043-10", case_macs[mac], arg};
}

const char *case_curve_name(uint8_t number) {
    for (size_t i = 0; i < CURVES; i++)
        if (curves[i].value == number)
            return curves[i].name;
    return "another";
}

/* ---- the peer ---- */

static peer_id user_id(suite_trial *t, const char *name) {
    return (peer_id){.type = 1, .data = ibk_span_str(suite_user(t, name))};
}

/* The same user as a NAI: without the scheme. */
static peer_id nai_of(peer_id uri) {
    return (peer_id){.type = 0, .data = ibk_span_of(uri.data.data + 4, uri.data.len - 4)};
}

static void add_asks(suite_trial *t, const peer_setup *s, peer_config *c, int64_t utc_ms) {
    static const char *const granularities[] = {"day", "hour", "month"};
    peer_id *asks = suite_alloc(t, 16 * sizeof *asks);
    for (const char *at = s->asks ? s->asks : "alice"; *at && c->n_asks < 16;
         at += strcspn(at, ","), at += *at == ',') {
        const char *user = suite_user(t, suite_text(t, "%.*s", (int)strcspn(at, ","), at));
        const char *dated = suite_text(
            t, "%s%s", user, suite_date(t, utc_ms + s->ask_days * 86400000, granularities[s->granularity]));
        asks[c->n_asks++] =
            (peer_id){.type = s->ask_dated ? 2 : 1, .data = ibk_span_str(s->ask_dated ? dated : user)};
    }
    c->asks = asks;
}

static void add_keys(suite_trial *t, const peer_setup *s, peer_config *c) {
    c->pke = s->pke;
    c->encryption = s->encryption;
    c->psk = suite_octets(t, s->psk ? s->psk : SUITE_PSK);
    if (s->pke && s->role == PEER_USER)
        c->psk = (ibk_span){0};
    if (s->psk_id) {
        peer_id *id = suite_alloc(t, sizeof *id);
        *id = user_id(t, s->psk_id);
        c->psk_id = id;
    }
}

static void add_sessions(suite_trial *t, const peer_setup *s, peer_config *c) {
    static const uint8_t policies[] = {0, 1};
    peer_cs *sessions = suite_alloc(t, 2 * sizeof *sessions);
    for (uint32_t i = 0; i < 2; i++)
        sessions[i] = (peer_cs){.cs_id = (uint8_t)(i + 1),
                                .policies = ibk_span_of(policies, s->bare  ? 0
                                                                  : s->two ? 2
                                                                           : 1),
                                .ssrc = i + 1,
                                .no_data = s->bare};
    c->sessions = sessions;
    c->n_sessions = 2;
    c->policies = s->policies;
    c->n_policies = s->n_policies;
}

static void free_peer(void *p) {
    peer_free(p);
}

peer *case_peer(suite_trial *t, const peer_setup *s) {
    unsigned size = s->size ? s->size : suite_size(t);
    bool calls = s->role == PEER_INITIATOR;
    int64_t utc_ms = s->utc_ms ? s->utc_ms : suite_now(t);
    peer_domain *home = suite_alloc(t, sizeof *home);
    *home = (peer_domain){.params = suite_ibe_params(t, size),
                          .master = suite_ibe_master(t, size),
                          .serves = ibk_span_str("@home.example"),
                          .granularity = s->granularity};
    peer_config c = {
        .role = s->role,
        .deviation = s->deviation && *s->deviation ? s->deviation : NULL,
        .seed = ibk_span_str(suite_text(t, "%s %d", s->seed ? s->seed : suite_name(t), (int)s->role)),
        .utc_ms = (uint64_t)utc_ms,
        .domains = home,
        .n_domains = 1,
        .self = user_id(t, s->role == PEER_KMS ? "kms"
                           : s->self           ? s->self
                           : calls             ? "alice"
                                               : "bob"),
        .other = user_id(t, s->other               ? s->other
                            : s->role == PEER_USER ? "kms"
                                                   : "bob"),
        .prf = s->prf,
        .mac = s->mac,
        .curve = s->curve,
        .timestamp = s->timestamp,
        .counter = s->counter,
        .map_type = s->map_type,
        .esk = s->esk,
        .accept_others = s->others};
    if (s->nai) {
        c.self = nai_of(c.self);
        c.other = nai_of(c.other);
    }
    if (s->sdp_ids)
        c.sdp_ids = ibk_span_str(s->sdp_ids);
    add_sessions(t, s, &c);
    if (s->role == PEER_USER || s->role == PEER_KMS)
        add_keys(t, s, &c);
    if (s->role == PEER_USER)
        add_asks(t, s, &c, utc_ms);
    peer *p = NULL;
    suite_sure(t, peer_new(&p, &c), "the peer");
    suite_defer(t, free_peer, p);
    return p;
}

ibk_span case_start(suite_trial *t, peer *p) {
    ibk_buf *out = suite_buf(t);
    suite_sure(t, peer_start(p, out), "the peer's first message");
    return ibk_buf_span(out);
}

ibk_span case_give(suite_trial *t, peer *p, ibk_span octets) {
    ibk_buf *out = suite_buf(t);
    suite_sure(t, peer_receive(p, octets, out), "the peer's answer");
    return ibk_buf_span(out);
}

ibk_span case_answer(suite_trial *t, peer *p, ibk_span octets) {
    ibk_span answer = case_give(t, p, octets);
    if (answer.len > 0)
        return answer;
    case_judge(t, p, true);
    suite_error(t, "the peer finds nothing wrong, and does not answer");
}

static void judge(suite_trial *t, const peer *p, bool should, const char *but) {
    for (size_t i = 0; i < peer_findings(p); i++) {
        const peer_finding *f = peer_finding_at(p, i);
        if ((!f->should || should) && !strstr(but, f->requirement))
            suite_fail(t, f->requirement, "what the requirement says", "%s: %s",
                       suite_data_type_name(f->data_type), f->text);
    }
}

void case_judge(suite_trial *t, const peer *p, bool should) {
    judge(t, p, should, "");
}

void case_judge_but(suite_trial *t, const peer *p, const char *requirements) {
    judge(t, p, false, requirements);
}

void case_deviated(suite_trial *t, const peer *p) {
    suite_obeyed(
        t, peer_look(p)->deviated, "an exchange in which there is something to bend",
        "nothing of the kind in it: policies, identifiers or algorithms are not those of the request");
}

int case_algorithm(suite_trial *t, ibk_span octets, unsigned payload) {
    const suite_message *m = suite_read(t, octets);
    const suite_payload *p = suite_message_find(m, payload, 0);
    return p && p->len > 1 ? m->octets.data[p->offset + 1] : -1;
}

void case_obeyed(suite_trial *t, ibk_span octets, uint8_t prf, uint8_t timestamp) {
    const suite_message *m = suite_read(t, octets);
    suite_obeyed(t, m->prf == prf, suite_text(t, "policy.prf %s", case_prfs[prf]), "PRF %u", m->prf);
    int type = case_algorithm(t, octets, SUITE_T);
    suite_obeyed(t, type < 0 || type == timestamp,
                 suite_text(t, "policy.timestamp %s", case_timestamps[timestamp]), "T of type %d", type);
}

static bool same_key(suite_trial *t, const json_t *key, const char *member, const uint8_t *octets,
                     size_t len) {
    const char *text = json_string_value(json_object_get(key, member));
    return text && ibk_span_equal(suite_octets(t, text), ibk_span_of(octets, len));
}

/* Fails the requirement that a known mistake breaks which explains the key, or else `id`. */
static void other_key(suite_trial *t, const peer *p, size_t i, const json_t *key, const char *id) {
    const char *tek = json_string_value(json_object_get(key, "tek"));
    peer_finding why;
    bool explained = tek && peer_explain_keys(p, i, suite_octets(t, tek), &why);
    suite_fail(t, explained ? why.requirement : id, "the key that the peer derives",
               "another TEK or salt of crypto session %lld%s%s",
               (long long)json_integer_value(json_object_get(key, "cs_id")), explained ? ": " : "",
               explained ? why.text : "");
}

void case_keys(suite_trial *t, suite_report r, const peer *p, const char *id) {
    peer_cs_keys keys[8];
    size_t n = peer_keys(p, keys, 8);
    if (!suite_claims(t, "features", "keys"))
        return;
    const json_t *ours = json_object_get(r.json, "keys");
    suite_require(t, json_array_size(ours) == n, id, "a key for each crypto session", "%zu keys for %zu",
                  json_array_size(ours), n);
    for (size_t i = 0; i < n && i < 8; i++) {
        const json_t *key = json_array_get(ours, i);
        if (!same_key(t, key, "tek", keys[i].tek, keys[i].tek_len) ||
            !same_key(t, key, "salt", keys[i].salt, keys[i].salt_len))
            other_key(t, p, i, key, id);
    }
}

void case_kept(suite_trial *t, suite_report before, suite_report after, const char *id, const char *wanted) {
    if (suite_claims(t, "features", "keys"))
        suite_require(t,
                      json_equal(json_object_get(before.json, "keys"), json_object_get(after.json, "keys")),
                      id, wanted, "other keys");
}

/* ---- calls ---- */

/* Messages go to and fro, `octets` first to the IUT, until one end has nothing to say, or the peer has said
 * what has to be refused: the answer to that counts, not what a later message brings to light. */
static void carry(suite_trial *t, int end, const char *session, peer *p, ibk_span octets,
                  suite_report *last) {
    for (int turns = 0; octets.len > 0 && turns < 8; turns++) {
        bool bad = peer_look(p)->outcome == PEER_REFUSE;
        *last = suite_message_in(t, end, session, octets);
        if (bad || suite_sent_count(*last) == 0)
            return;
        octets = case_give(t, p, suite_sent_at(t, *last, 0));
    }
}

bool case_call_from_peer(suite_trial *t, int end, peer *p, suite_report *last) {
    carry(t, end, "b", p, case_start(t, p), last);
    return suite_is(*last, "accepted/established");
}

bool case_call_tried(suite_trial *t, int end, peer *p, suite_report opened, suite_report *last) {
    *last = opened;
    if (!suite_is(opened, "accepted/waiting"))
        return false;
    ibk_span octets = suite_sent(t, opened, "6267-28");
    case_byte_order(t, opened, octets);
    carry(t, end, "a", p, case_give(t, p, octets), last);
    return suite_is(*last, "accepted/established");
}

bool case_call_to_peer(suite_trial *t, int end, peer *p, suite_report opened, suite_report *last) {
    suite_expect(t, opened, "6267-28", "accepted/waiting");
    return case_call_tried(t, end, p, opened, last);
}

void case_byte_order(suite_trial *t, suite_report opened, ibk_span octets) {
    const json_t *told = json_object_get(opened.json, "csb_id");
    uint32_t sent = suite_read(t, octets)->csb_id, meant = (uint32_t)json_integer_value(told);
    bool turned = sent == (meant << 24 | (meant & 0xFF00) << 8 | (meant >> 8 & 0xFF00) | meant >> 24);
    suite_require(t, !json_is_integer(told) || sent == meant || !turned, "3830-64",
                  "the CSB ID, highest octet first", "the CSB ID 0x%08X stands as %08X in HDR", meant, sent);
}

const char *case_rule(const suite_trial *t, suite_report last) {
    switch (suite_last_type(t)) {
    case 0: /* it did not come to a message */
        return "6267-28";
    case SUITE_I_MESSAGE_1:
        return "6267-32";
    case SUITE_R_MESSAGE_1:
        return "6267-44";
    case SUITE_I_MESSAGE_2:
        return "6267-57";
    case SUITE_R_MESSAGE_2:
        return strcmp(last.error, "authentication") == 0 ? "6267-67" : "6267-68";
    case SUITE_REQUEST_KEY_RESP:
        return "6267-26";
    case SUITE_REQUEST_KEY_PSK:
    case SUITE_REQUEST_KEY_PKE:
        return "6267-16";
    default:
        return NULL;
    }
}

void case_established(suite_trial *t, bool done, suite_report last, const peer *p) {
    if (done)
        return;
    case_judge(t, p, false);
    case_expect_taken(t, last, NULL, "", "accepted/established");
}

void case_completed(suite_trial *t, bool done, suite_report last, const peer *p, const char *id,
                    const char *keys_id) {
    case_judge(t, p, false);
    if (!done)
        case_expect_taken(t, last, id, "", "accepted/established");
    case_keys(t, last, p, keys_id);
}

static void free_key(void *key) {
    ibk_ibe_key_free(key);
}

/* The content is IDR, then SK (RFC 6267 §6.1.5): its key, or nothing. */
static ibk_span sk_of(ibk_span content) {
    enum { IDR_HEAD = 5, SK_HEAD = 4 };
    if (content.len < IDR_HEAD || content.data[0] != SUITE_SK)
        return (ibk_span){0};
    size_t at = IDR_HEAD + ((size_t)content.data[3] << 8 | content.data[4]);
    if (content.len < at + SK_HEAD)
        return (ibk_span){0};
    size_t len = (size_t)content.data[at + 2] << 8 | content.data[at + 3];
    at += SK_HEAD;
    return content.len < at + len ? (ibk_span){0} : ibk_span_of(content.data + at, len);
}

ibk_span case_open_esk(suite_trial *t, ibk_span ciphertext, const char *user) {
    const char *ibe_identity = suite_text(t, "%s%s", suite_user(t, user), suite_date(t, suite_now(t), "day"));
    const ibk_ibe_params *params = suite_ibe_params(t, suite_size(t));
    ibk_ibe_key *key = NULL;
    suite_sure(t,
               ibk_ibe_extract(params, suite_ibe_master(t, suite_size(t)), ibk_span_str(ibe_identity), &key),
               "the private key");
    suite_defer(t, free_key, key);
    ibk_buf *content = suite_buf(t);
    return ibk_ibe_decrypt(params, key, ciphertext, content, NULL) ? (ibk_span){0}
                                                                   : sk_of(ibk_buf_span(content));
}

void case_pass(suite_trial *t, int end, peer *p, unsigned seconds) {
    int64_t now = suite_now(t) + 1000 * (int64_t)seconds;
    if (suite_claims(t, "features", "clock"))
        suite_do(t, end, NULL, "time",
                 suite_json(t, "{'utc_ms': %lld, 'timer_ms': %u}", (long long)now, 1000 * seconds));
    peer_set_clock(p, (uint64_t)now);
}

/* ---- samples ---- */

ibk_span case_sample(suite_trial *t, case_kind kind, const char *seed) {
    bool request = kind == CASE_REQUEST_KEY_PSK || kind == CASE_REQUEST_KEY_RESP;
    peer_setup one = {.role = request ? PEER_USER : PEER_INITIATOR, .seed = suite_text(t, "%s one", seed)};
    peer_setup two = {.role = request ? PEER_KMS : PEER_RESPONDER, .seed = suite_text(t, "%s two", seed)};
    peer *p = case_peer(t, &one), *q = case_peer(t, &two);
    ibk_span octets = case_start(t, p);
    if (kind == CASE_ERROR) {
        ibk_buf *out = suite_buf(t);
        case_give(t, q, octets);
        suite_sure(t, peer_error(q, 12, out), "an Error message");
        return ibk_buf_span(out);
    }
    unsigned turns = request ? kind - CASE_REQUEST_KEY_PSK : kind;
    for (unsigned i = 0; i < turns; i++)
        octets = case_give(t, i % 2 ? p : q, octets);
    if (octets.len == 0)
        suite_error(t, "the peer has no %s to show", case_kind_names[kind]);
    return octets;
}
