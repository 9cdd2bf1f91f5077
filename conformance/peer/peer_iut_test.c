/* The peer without deviation completes every flow with libibake, in every role, and finds nothing wrong: two
 * implementations of the same texts, behind conformance/IUT.md. Argument: the adapter. */
#include "peer/pair.h"

#include <jansson.h>
#include <openssl/evp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#define N(array) (sizeof(array) / sizeof *(array))
#define SPAN(literal)                                                                                        \
    { (const uint8_t *)(literal), sizeof(literal) - 1 }

static const peer_id alice = {1, SPAN("sip:alice@home.example")}, bob = {1, SPAN("sip:bob@home.example")},
                     mailbox = {1, SPAN("sip:mailbox@home.example")}, kms = {1, SPAN("sip:kms@home.example")};
static const ibk_span psk = SPAN("0123456789abcdef");

/* ---- the adapter
 * ------------------------------------------------------------------------------------------------- */

static const char *program;
static FILE *to_iut, *from_iut;
static pid_t child;
static json_int_t seq;

static void start_iut(void) {
    int in[2], out[2];
    assert_int_equal(pipe(in) | pipe(out), 0);
    child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        dup2(in[0], 0);
        dup2(out[1], 1);
        close(in[1]);
        close(out[0]);
        execl(program, program, (char *)NULL);
        _exit(127);
    }
    close(in[0]);
    close(out[1]);
    to_iut = fdopen(in[1], "w");
    from_iut = fdopen(out[0], "r");
    seq = 0;
}

static void stop_iut(void) {
    int status;
    (void)fclose(to_iut);
    (void)fclose(from_iut);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

/* Takes the request; the answer, whose result is ok, belongs to the caller. */
static json_t *ask(json_t *request) {
    assert_non_null(request);
    json_object_set_new(request, "seq", json_integer(++seq));
    char *text = json_dumps(request, JSON_COMPACT);
    assert_true(fprintf(to_iut, "%s\n", text) > 0 && fflush(to_iut) == 0);
    json_error_t error;
    json_t *answer = json_loadf(from_iut, JSON_DISABLE_EOF_CHECK, &error);
    assert_non_null(answer);
    if (strcmp(json_string_value(json_object_get(answer, "result")), "ok") != 0)
        print_error("%s\n%s\n", text, json_dumps(answer, 0));
    assert_string_equal(json_string_value(json_object_get(answer, "result")), "ok");
    free(text);
    json_decref(request);
    return answer;
}

static json_t *base64(ibk_span octets) {
    char *text = malloc(4 * (octets.len / 3 + 1) + 1);
    assert_non_null(text);
    EVP_EncodeBlock((unsigned char *)text, octets.data, (int)octets.len);
    json_t *value = json_string(text);
    free(text);
    return value;
}

static void from_base64(const json_t *value, ibk_buf *out) {
    const char *text = json_string_value(value);
    assert_non_null(text);
    size_t len = strlen(text), pad = 0;
    while (pad < 2 && len > 0 && text[len - 1 - pad] == '=')
        pad++;
    ibk_buf_clear(out);
    assert_int_equal(ibk_buf_resize(out, len + 1), IBK_OK);
    int n = EVP_DecodeBlock(out->data, (const unsigned char *)text, (int)len);
    assert_true(n >= 0 && (size_t)n >= pad);
    assert_int_equal(ibk_buf_resize(out, (size_t)n - pad), IBK_OK);
}

static json_t *uri(peer_id id) {
    return json_pack("{s:s#}", "uri", (const char *)id.data.data, (int)id.data.len);
}

/* ---- the node of the IUT
 * ------------------------------------------------------------------------------------------- */

static const char *const prfs[] = {"MIKEY-1", "PRF-HMAC-SHA-256"},
                         *const macs[] = {"HMAC-SHA-1-160", "HMAC-SHA-256-256"},
                         *const times[] = {"NTP-UTC", "NTP", "COUNTER", "NTP-UTC-32"},
                         *const maps[] = {"SRTP-ID", "Empty map", "GENERIC-ID"},
                         *const encryptions[] = {"NULL", "AES-CM-128", "AES-KW-128", "AES-CM-256"},
                         *const envelopes[] = {"RSAES-PKCS1-v1_5", "RSAES-OAEP", "RSAES-OAEP-SHA-256"};

static const char *curve_name(uint8_t curve) {
    return curve == 14 ? "P-521" : curve == 11 ? "P-384" : "P-256";
}

static json_t *params_of(const pair_setting *s) {
    ibk_buf der = {0};
    static const char *const granularities[] = {"day", "hour", "month"};
    assert_int_equal(ibk_ibe_params_encode(pair_domain(s->size, s->granularity)->params, &der), IBK_OK);
    json_t *params = json_pack("[{s:o, s:[s], s:s}]", "der", base64(ibk_buf_span(&der)), "serves",
                               "@home.example", "granularity", granularities[s->granularity]);
    ibk_buf_free(&der);
    return params;
}

static json_t *key_of(const pair_setting *s, peer_id who) {
    static const char *const dates[] = {"20261124", "2026112412", "202611"};
    const peer_domain *domain = pair_domain(s->size, s->granularity);
    ibk_buf identity = {0}, der = {0};
    ibk_ibe_key *key = NULL;
    assert_int_equal(ibk_buf_append_span(&identity, who.data), IBK_OK);
    assert_int_equal(ibk_buf_append_span(&identity, ibk_span_str(dates[s->granularity])), IBK_OK);
    assert_int_equal(ibk_ibe_extract(domain->params, domain->master, ibk_buf_span(&identity), &key), IBK_OK);
    assert_int_equal(ibk_ibe_key_encode(key, &der), IBK_OK);
    json_t *json = json_pack("[{s:o, s:s, s:o}]", "identity", uri(who), "date", dates[s->granularity], "der",
                             base64(ibk_buf_span(&der)));
    ibk_ibe_key_free(key);
    ibk_buf_free(&identity);
    ibk_buf_free(&der);
    return json;
}

static void begin(const pair_setting *s, json_t *keys, json_t *policy, json_t *of_kms) {
    json_object_set_new(policy, "prf", json_string(prfs[s->prf]));
    json_object_set_new(policy, "timestamp", json_string(times[s->timestamp]));
    json_object_set_new(policy, "curve", json_string(curve_name(s->curve)));
    if (s->mac)
        json_object_set_new(policy, "mac", json_string(macs[s->mac - 1]));
    json_t *request =
        json_pack("{s:s, s:s, s:I, s:o, s:o, s:o}", "op", "begin", "case", "flow/peer", "utc_ms",
                  (json_int_t)PAIR_NOON, "params", params_of(s), "keys", keys, "policy", policy);
    if (of_kms)
        json_object_set_new(request, "kms", of_kms);
    json_t *answer = ask(request);
    assert_int_equal(json_array_size(json_object_get(answer, "ignored")), 0);
    json_decref(answer);
}

/* Asks for something about the one session: the report, which the caller owns; its message, if any, in
 * *message. */
static json_t *report(json_t *request, ibk_buf *message) {
    json_object_set_new(request, "session", json_string("s"));
    json_t *answer = ask(request), *one = json_array_get(json_object_get(answer, "reports"), 0);
    json_incref(one);
    json_decref(answer);
    ibk_buf_clear(message);
    json_t *messages = json_object_get(one, "messages");
    if (json_array_size(messages) > 0)
        from_base64(json_array_get(messages, 0), message);
    if (json_object_get(one, "error"))
        print_error("IUT: %s: %s\n", json_string_value(json_object_get(one, "error")),
                    json_string_value(json_object_get(one, "detail")));
    assert_string_equal(json_string_value(json_object_get(one, "event")), "accepted");
    return one;
}

/* ---- both ends
 * -------------------------------------------------------------------------------------------------------- */

static void no_findings(const peer *p) {
    for (size_t i = 0; i < peer_findings(p); i++)
        print_error("peer: %s, message %u: %s\n", peer_finding_at(p, i)->requirement,
                    peer_finding_at(p, i)->data_type, peer_finding_at(p, i)->text);
    assert_int_equal(peer_findings(p), 0);
}

static peer *peer_of(const peer_config *config) {
    peer *p;
    assert_int_equal(peer_new(&p, config), IBK_OK);
    return p;
}

/* Messages back and forth, from the one that the IUT is to get (or, if empty, from `mine`, which the peer is
 * to get). The last report. */
static json_t *carry(peer *p, ibk_buf *for_iut, ibk_buf *for_peer) {
    json_t *last = NULL;
    while (for_iut->len > 0 || for_peer->len > 0) {
        if (for_iut->len > 0) {
            json_decref(last);
            last = report(json_pack("{s:s, s:o}", "op", "message", "octets", base64(ibk_buf_span(for_iut))),
                          for_peer);
            ibk_buf_clear(for_iut);
        } else {
            assert_int_equal(peer_receive(p, ibk_buf_span(for_peer), for_iut), IBK_OK);
            ibk_buf_clear(for_peer);
            no_findings(p);
        }
    }
    ibk_buf_free(for_iut);
    ibk_buf_free(for_peer);
    return last;
}

static void equal_keys(const peer *p, const json_t *last, size_t n) {
    peer_cs_keys ours[8];
    ibk_buf octets = {0};
    const json_t *theirs = json_object_get(last, "keys");
    assert_int_equal(peer_keys(p, ours, 8), n);
    assert_int_equal(json_array_size(theirs), n);
    for (size_t i = 0; i < n; i++) {
        const json_t *one = json_array_get(theirs, i);
        assert_int_equal(json_integer_value(json_object_get(one, "cs_id")), ours[i].cs_id);
        assert_int_equal(json_integer_value(json_object_get(one, "ssrc")), ours[i].ssrc);
        from_base64(json_object_get(one, "tek"), &octets);
        assert_true(ibk_span_equal(ibk_buf_span(&octets), ibk_span_of(ours[i].tek, ours[i].tek_len)));
        from_base64(json_object_get(one, "salt"), &octets);
        assert_true(ibk_span_equal(ibk_buf_span(&octets), ibk_span_of(ours[i].salt, ours[i].salt_len)));
    }
    ibk_buf_free(&octets);
}

static const uint8_t zero[] = {0}, seven[] = {7}, mki[] = {5}, params_0[] = {0, 1, 1, 1, 1, 16},
                     params_7[] = {1, 1, 32, 11, 1, 4};
static const peer_sp policies[] = {{0, {params_0, sizeof params_0}}, {7, {params_7, sizeof params_7}}};
static const peer_cs sessions[] = {{.cs_id = 4, .policies = {zero, 1}, .ssrc = 0x11111111, .mki = {mki, 1}},
                                   {.cs_id = 9, .policies = {seven, 1}, .ssrc = 0, .mki = {mki, 1}}},
                     further[] = {{.cs_id = 11, .policies = {zero, 1}, .ssrc = 0x33333333, .mki = {mki, 1}}};
static const uint32_t ssrcs[] = {0, 0x22222222, 0x33333333};

static peer_config config_of(const pair_setting *s, peer_role role, peer_id self, peer_id other) {
    return (peer_config){.role = role,
                         .self = self,
                         .other = other,
                         .domains = pair_domain(s->size, s->granularity),
                         .n_domains = 1,
                         .utc_ms = PAIR_NOON + 100,
                         .seed = ibk_span_str("peer"),
                         .prf = s->prf,
                         .mac = s->mac,
                         .curve = s->curve,
                         .timestamp = s->timestamp,
                         .map_type = s->map_type,
                         .sessions = sessions,
                         .n_sessions = s->map_type == 1 ? 0 : N(sessions),
                         .policies = policies,
                         .n_policies = s->map_type == 1 ? 0 : N(policies),
                         .sdp_ids = ibk_span_str("mikey"),
                         .ssrcs = ssrcs,
                         .n_ssrcs = N(ssrcs),
                         .esk = s->esk,
                         .encryption = s->encryption,
                         .psk = psk};
}

/* The offer of `sessions` and `policies` in the contract's words. */
static json_t *offer_of(const pair_setting *s) {
    json_t *map = json_pack("{s:s, s:[]}", "type", maps[s->map_type], "sessions");
    json_t *request =
        json_pack("{s:s, s:s, s:o, s:o, s:s, s:o, s:[]}", "op", "open", "role", "initiator", "local",
                  uri(alice), "peer", uri(bob), "sdp_ids", "mikey", "map", map, "policies");
    json_t *list = json_object_get(map, "sessions"), *sps = json_object_get(request, "policies");
    for (size_t i = 0; s->map_type != 1 && i < N(sessions); i++) {
        json_int_t ssrc = sessions[i].ssrc, policy = sessions[i].policies.data[0];
        json_array_append_new(list, s->map_type == 0
                                        ? json_pack("{s:I, s:I}", "policy", policy, "ssrc", ssrc)
                                        : json_pack("{s:i, s:[I], s:I, s:o}", "cs_id", sessions[i].cs_id,
                                                    "policies", policy, "ssrc", ssrc, "mki",
                                                    base64(sessions[i].mki)));
    }
    if (s->map_type != 1) {
        json_array_append_new(sps,
                              json_pack("{s:i, s:i, s:i}", "number", 0, "encr_alg", 1, "encr_key_len", 16));
        json_array_append_new(
            sps, json_pack("{s:i, s:i, s:i}", "number", 7, "encr_key_len", 32, "auth_tag_len", 4));
    }
    if (s->esk)
        json_object_set_new(request, "esk", json_pack("{s:s}", "sk", ""));
    return request;
}

static json_t *open_responder(const char *role, peer_id local) {
    return json_pack("{s:s, s:s, s:o, s:s, s:[i, I, I]}", "op", "open", "role", role, "local", uri(local),
                     "sdp_ids", "mikey", "ssrcs", 0, (json_int_t)ssrcs[1], (json_int_t)ssrcs[2]);
}

/* ---- calls
 * ---------------------------------------------------------------------------------------------------------------
 */

static peer *call_from_peer(const pair_setting *s, bool to_mailbox, json_t **last) {
    ibk_buf for_iut = {0}, for_peer = {0};
    peer_id answers = to_mailbox ? mailbox : bob;
    begin(s, key_of(s, answers), json_object(), NULL);
    json_decref(report(open_responder(to_mailbox ? "mailbox" : "responder", answers), &for_peer));
    peer_config c = config_of(s, PEER_INITIATOR, alice, bob);
    c.accept_others = to_mailbox;
    peer *p = peer_of(&c);
    assert_int_equal(peer_start(p, &for_iut), IBK_OK);
    *last = carry(p, &for_iut, &for_peer);
    return p;
}

static peer *call_to_peer(const pair_setting *s, bool to_mailbox, json_t **last) {
    ibk_buf for_iut = {0}, for_peer = {0};
    begin(s, key_of(s, alice),
          to_mailbox ? json_pack("{s:s, s:b}", "accept_responders", "any", "allow_missing_echo", 1)
                     : json_object(),
          NULL);
    json_decref(report(offer_of(s), &for_peer));
    peer_config c =
        config_of(s, to_mailbox ? PEER_MAILBOX : PEER_RESPONDER, to_mailbox ? mailbox : bob, (peer_id){0});
    if (to_mailbox && s->mailbox_curve)
        c.curve = s->mailbox_curve;
    peer *p = peer_of(&c);
    *last = carry(p, &for_iut, &for_peer);
    return p;
}

static void established(const pair_setting *setting, bool to_mailbox) {
    pair_setting s = *setting;
    s.size = s.size ? s.size : 1024;
    for (unsigned i = 0; i < 2; i++) {
        bool iut_can = s.curve == 0 || s.curve == 8 || s.curve == 11 || s.curve == 14;
        if (i == 1 && !iut_can)
            continue;
        json_t *last;
        peer *p = (i ? call_to_peer : call_from_peer)(&s, to_mailbox, &last);
        no_findings(p);
        assert_int_equal(peer_look(p)->state, PEER_ESTABLISHED);
        assert_string_equal(json_string_value(json_object_get(last, "state")), "established");
        equal_keys(p, last, s.map_type == 1 ? 0 : N(sessions));
        json_decref(last);
        peer_free(p);
    }
}

static void test_calls(void **state) {
    (void)state;
    static const uint8_t curves[] = {1, 5, 8, 11, 14};
    for (size_t i = 0; i < N(curves); i++)
        for (uint8_t k = 0; k < 6; k++)
            established(&(pair_setting){.curve = curves[i],
                                        .prf = k & 1,
                                        .mac = (uint8_t)((i + k) % 3),
                                        .timestamp = (uint8_t)((i + k) % 4),
                                        .map_type = k / 2,
                                        .esk = k == 4},
                        false);
    established(&(pair_setting){.granularity = PEER_HOUR}, false);
    established(&(pair_setting){.granularity = PEER_MONTH, .esk = true}, false);
    established(&(pair_setting){.size = 3072, .prf = 1, .esk = true}, false);
    established(&(pair_setting){.size = 3072, .curve = 14, .map_type = 2, .timestamp = 3}, false);
}

static void test_mailbox(void **state) {
    (void)state;
    established(&(pair_setting){.prf = 1}, true);
    established(&(pair_setting){.mailbox_curve = 11, .map_type = 2}, true); /* P-28 */
    established(&(pair_setting){.curve = 14, .timestamp = 2}, true);
    established(&(pair_setting){.size = 3072}, true);
}

/* ---- updates
 * -------------------------------------------------------------------------------------------------------------
 */

static void move_clocks(peer *p, json_int_t ms) {
    json_decref(ask(json_pack("{s:s, s:I}", "op", "time", "utc_ms", (json_int_t)PAIR_NOON + ms)));
    peer_set_clock(p, PAIR_NOON + (uint64_t)ms);
}

static void update(peer *p, const pair_setting *s, bool by_peer, unsigned number) {
    ibk_buf for_iut = {0}, for_peer = {0};
    move_clocks(p, 5000 * number);
    bool new_dh = !s->no_new_dh;
    json_t *last;
    if (by_peer) {
        peer_change change = {.new_dh = new_dh,
                              .mki = new_dh ? ibk_span_str("m") : (ibk_span){0},
                              .further = further,
                              .n_further = s->further && number == 1};
        assert_int_equal(peer_update(p, &change, &for_iut), IBK_OK);
        last = carry(p, &for_iut, &for_peer);
    } else {
        json_t *request = json_pack("{s:s, s:b}", "op", "update", "new_dh", new_dh);
        if (new_dh)
            json_object_set_new(request, "mki", json_string("bQ=="));
        json_decref(report(request, &for_peer));
        last = carry(p, &for_iut, &for_peer);
    }
    no_findings(p);
    assert_int_equal(peer_look(p)->updates, number);
    equal_keys(p, last, N(sessions) + s->further);
    json_decref(last);
}

static void test_updates(void **state) {
    (void)state;
    for (unsigned i = 0; i < 16; i++) {
        pair_setting s = {.size = 1024,
                          .no_new_dh = i & 1,
                          .further = i & 2,
                          .prf = i & 1,
                          .map_type = i & 8 ? 2 : 0,
                          .timestamp = i % 4};
        json_t *last;
        peer *p = (i & 4 ? call_to_peer : call_from_peer)(&s, false, &last);
        json_decref(last);
        update(p, &s, true, 1);
        update(p, &s, false, 2);
        peer_free(p);
    }
}

/* ---- key requests
 * ----------------------------------------------------------------------------------------------------------
 */

static json_t *ids(void) {
    return json_pack("[o, o]", uri(alice), uri(bob));
}

static void from_peer(const pair_setting *s, bool by_pke) {
    ibk_buf master = {0}, for_iut = {0}, for_peer = {0};
    ibk_span chain[1], user_key, kms_cert, kms_key;
    pair_certificate(false, chain, &user_key);
    pair_certificate(true, &kms_cert, &kms_key);
    assert_int_equal(ibk_ibe_master_encode(pair_domain(s->size, s->granularity)->master, &master), IBK_OK);
    json_t *user = by_pke ? json_pack("{s:o, s:o}", "certificate", base64(chain[0]), "may_have", ids())
                          : json_pack("{s:o, s:o}", "psk", base64(psk), "may_have", ids());
    json_t *of_kms = json_pack("{s:o, s:o, s:s, s:s, s:[o], s:[{s:o, s:o, s:s}], s:[o]}", "identity",
                               uri(kms), "master", base64(ibk_buf_span(&master)), "issue", "current",
                               "encryption", encryptions[s->encryption ? s->encryption : 1], "users", user,
                               "key_pairs", "certificate", base64(kms_cert), "private_key", base64(kms_key),
                               "envelope", envelopes[s->envelope], "anchors", base64(chain[0]));
    begin(s, json_array(), json_object(), of_kms);
    json_decref(report(json_pack("{s:s, s:s}", "op", "open", "role", "kms"), &for_peer));
    peer_config c = config_of(s, PEER_USER, (peer_id){0}, kms);
    const peer_id asks[] = {alice, bob};
    peer_pke pke = {.chain = chain,
                    .n_chain = 1,
                    .private_key = user_key,
                    .kms_certificate = kms_cert,
                    .pss = s->pss,
                    .chash = s->chash,
                    .envelope = s->envelope};
    c.asks = asks;
    c.n_asks = N(asks);
    c.pke = by_pke ? &pke : NULL;
    peer *p = peer_of(&c);
    assert_int_equal(peer_start(p, &for_iut), IBK_OK);
    json_decref(carry(p, &for_iut, &for_peer));
    assert_int_equal(peer_look(p)->state, PEER_FINISHED);
    assert_int_equal(peer_private_keys(p), N(asks));
    peer_free(p);
    ibk_buf_free(&master);
}

static void to_peer(const pair_setting *s, bool by_pke) {
    ibk_buf for_iut = {0}, for_peer = {0}, der = {0};
    ibk_span user_cert, user_key, kms_cert, kms_key;
    pair_certificate(false, &user_cert, &user_key);
    pair_certificate(true, &kms_cert, &kms_key);
    begin(s, json_array(), json_object(), NULL);
    json_t *request = json_pack("{s:s, s:s, s:o, s:o, s:s}", "op", "open", "role", "user", "kms", uri(kms),
                                "ask", ids(), "method", by_pke ? "PKE" : "PSK");
    if (by_pke)
        json_object_set_new(request, "pke",
                            json_pack("{s:[o], s:o, s:s, s:[o], s:b, s:[o], s:s}", "chain", base64(user_cert),
                                      "private_key", base64(user_key), "signature",
                                      s->pss ? "RSA/PSS" : "RSA/PKCS#1/1.5", "kms_certificates",
                                      base64(kms_cert), "chash", (int)s->chash, "anchors", base64(kms_cert),
                                      "envelope", envelopes[s->envelope]));
    else
        json_object_set_new(request, "psk", base64(psk));
    json_decref(report(request, &for_peer));
    peer_config c = config_of(s, PEER_KMS, kms, (peer_id){0});
    peer_pke pke = {.private_key = kms_key, .kms_certificate = kms_cert, .envelope = s->envelope};
    c.pke = &pke;
    peer *p = peer_of(&c);
    json_t *last = carry(p, &for_iut, &for_peer);
    assert_string_equal(json_string_value(json_object_get(last, "state")), "done");
    json_t *key = json_array_get(json_object_get(last, "private_keys"), 0);
    from_base64(json_object_get(key, "ibe_identity"), &der);
    assert_true(ibk_span_equal(ibk_buf_span(&der), ibk_span_str("sip:alice@home.example20261124")));
    json_decref(last);
    ibk_buf_free(&der);
    peer_free(p);
}

static void test_requests(void **state) {
    (void)state;
    for (unsigned i = 0; i < 12; i++) {
        pair_setting s = {.size = i == 11 ? 3072 : 1024,
                          .prf = i & 1,
                          .encryption = (uint8_t)(i % 4),
                          .timestamp = (uint8_t)(i % 4),
                          .pss = i & 2,
                          .chash = i & 4,
                          .envelope = (peer_envelope)(i % 3),
                          .mac = (uint8_t)(i % 3)};
        for (unsigned pke = 0; pke < 2; pke++) {
            from_peer(&s, pke);
            to_peer(&s, pke);
        }
    }
}

/* ---- Error messages
 * -----------------------------------------------------------------------------------------------------------
 */

static void test_errors(void **state) {
    (void)state;
    pair_setting s = {.size = 1024};
    ibk_buf for_iut = {0}, for_peer = {0};
    begin(&s, key_of(&s, bob), json_pack("{s:[s]}", "curves", "P-384"), NULL);
    json_decref(report(open_responder("responder", bob), &for_peer));
    peer_config c = config_of(&s, PEER_INITIATOR, alice, bob);
    peer *p = peer_of(&c);
    assert_int_equal(peer_start(p, &for_iut), IBK_OK);
    json_t *answer = ask(json_pack("{s:s, s:s, s:o}", "op", "message", "session", "s", "octets",
                                   base64(ibk_buf_span(&for_iut))));
    json_t *one = json_array_get(json_object_get(answer, "reports"), 0);
    assert_string_equal(json_string_value(json_object_get(one, "event")), "refused");
    from_base64(json_array_get(json_object_get(one, "messages"), 0), &for_peer);
    ibk_buf_clear(&for_iut);
    assert_int_equal(peer_receive(p, ibk_buf_span(&for_peer), &for_iut), IBK_OK);
    no_findings(p);
    assert_int_equal(peer_look(p)->state, PEER_TOLD);
    assert_int_equal(peer_look(p)->told, 6); /* Invalid DH, RFC 3830 §6.12 */
    json_decref(answer);
    peer_free(p);

    begin(&s, key_of(&s, alice), json_object(), NULL); /* the other way round */
    json_decref(report(offer_of(&s), &for_peer));
    c = config_of(&s, PEER_RESPONDER, bob, (peer_id){0});
    p = peer_of(&c);
    ibk_buf_clear(&for_iut);
    assert_int_equal(peer_receive(p, ibk_buf_span(&for_peer), &for_iut), IBK_OK);
    ibk_buf_clear(&for_iut);
    assert_int_equal(peer_error(p, 9, &for_iut), IBK_OK);
    answer = ask(json_pack("{s:s, s:s, s:o}", "op", "message", "session", "s", "octets",
                           base64(ibk_buf_span(&for_iut))));
    one = json_array_get(json_object_get(answer, "reports"), 0);
    assert_string_equal(json_string_value(json_object_get(one, "error")), "peer-error");
    assert_int_equal(json_integer_value(json_object_get(one, "peer_error")), 9);
    json_decref(answer);
    peer_free(p);
    ibk_buf_free(&for_iut);
    ibk_buf_free(&for_peer);
}

int main(int argc, char **argv) {
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_calls), cmocka_unit_test(test_mailbox),
                                       cmocka_unit_test(test_updates), cmocka_unit_test(test_requests),
                                       cmocka_unit_test(test_errors)};
    if (argc != 2)
        return 2;
    program = argv[1];
    start_iut();
    json_decref(ask(json_pack("{s:s, s:i, s:s}", "op", "hello", "contract", 1, "suite", "peer")));
    int failed = cmocka_run_group_tests(tests, NULL, NULL);
    stop_iut();
    pair_forget_domains();
    return failed;
}
