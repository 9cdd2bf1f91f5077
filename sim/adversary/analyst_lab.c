#include "adversary/analyst_lab.h"
#include "ims/media/content.h"

#include <openssl/sha.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

#define ALICE "sip:alice@home.example"
#define BOB   "sip:bob@away.example"

lab_domain lab_home, lab_away;

/* ---- randomness, parameters, keys
 * ---------------------------------------------------------------------------------- */

static ibk_err draw(void *user, ibk_draw_label label, uint8_t *out, size_t len) {
    uint64_t block[3] = {++*(uint64_t *)user, (uint64_t)label, 0};
    for (size_t at = 0; at < len; at += SHA256_DIGEST_LENGTH, block[2]++) {
        uint8_t hash[SHA256_DIGEST_LENGTH];
        SHA256((const uint8_t *)block, sizeof block, hash);
        memcpy(out + at, hash, len - at < sizeof hash ? len - at : sizeof hash);
    }
    return IBK_OK;
}

ibk_env lab_env(void *counter) {
    return (ibk_env){.user = counter, .draw = draw};
}

int lab_setup(void **state) {
    uint64_t counter = 1000;
    ibk_env env = lab_env(&counter);
    (void)state;
    return media_library_start() &&
                   ibk_ibe_setup(&env, 1024, &lab_home.params, &lab_home.master, NULL, NULL) == IBK_OK &&
                   ibk_ibe_setup(&env, 1024, &lab_away.params, &lab_away.master, NULL, NULL) == IBK_OK
               ? 0
               : -1;
}

int lab_teardown(void **state) {
    (void)state;
    ibk_ibe_master_free(lab_home.master);
    ibk_ibe_params_free(lab_home.params);
    ibk_ibe_master_free(lab_away.master);
    ibk_ibe_params_free(lab_away.params);
    media_library_stop();
    return 0;
}

ibk_ibe_key *lab_key(const lab_domain *domain, const char *uri, int days, ibk_buf *ibe_identity) {
    ibk_ibe_key *key;
    int64_t date = LAB_START + days * INT64_C(86400) * INT64_C(1000000000);
    assert_int_equal(ibk_ibe_identity(ibe_identity, ibk_span_str(uri), IBK_GRANULARITY_DAY, date), IBK_OK);
    assert_int_equal(ibk_ibe_extract(domain->params, domain->master, ibk_buf_span(ibe_identity), &key),
                     IBK_OK);
    return key;
}

/* ---- a party as a node
 * --------------------------------------------------------------------------------------------- */

typedef struct party {
    const char *uri;
    uint64_t draws;
    const lab_domain *domain;
    ibk_ibe_key *key;
    ibk_buf identity;
    ibk_replay_cache *replay;
    ibk_timestamps timestamps;
    lab_secrets *secrets;
    ibk_session *session;
} party;

static ibk_lookup find_params(void *user, const ibk_identity *id, const ibk_ibe_params **out) {
    (void)user;
    *out = ibk_span_equal(id->id, ibk_span_str(ALICE)) ? lab_home.params : lab_away.params;
    return IBK_LOOKUP_FOUND;
}

static ibk_lookup find_key(void *user, ibk_span ibe_identity, const ibk_ibe_params **params,
                           const ibk_ibe_key **key) {
    const party *p = user;
    *params = p->domain->params;
    *key = p->key;
    return ibk_span_equal(ibe_identity, ibk_buf_span(&p->identity)) ? IBK_LOOKUP_FOUND : IBK_LOOKUP_ABSENT;
}

static void keep(ibk_buf *first, ibk_buf *later, ibk_span value) {
    assert_int_equal(ibk_buf_append_span(first->len ? later : first, value), IBK_OK);
}

static void keylog(void *user, const ibk_keylog_record *record) {
    const party *p = user;
    if (record->kind == IBK_KEYLOG_X || record->kind == IBK_KEYLOG_Y)
        keep(&p->secrets->scalar, &p->secrets->later_scalar, record->value);
    if (record->kind == IBK_KEYLOG_TGK)
        keep(&p->secrets->tgk, &p->secrets->later_tgk, record->value);
}

static ibk_err party_draw(void *user, ibk_draw_label label, uint8_t *out, size_t len) {
    return draw(&((party *)user)->draws, label, out, len);
}

static void party_init(party *p, const lab_options *options) {
    static const uint8_t params[] = {IBK_SRTP_AUTH_TAG_LEN, 1, 4};
    static const ibk_sp sp = {.policy_no = 1, .prot_type = IBK_PROT_SRTP, .params = {params, sizeof params}};
    const ibk_cs_srtp offer[] = {{.policy_no = 1, .ssrc = LAB_CALLER_SSRC}, {.policy_no = 1}},
                      answer[] = {{.policy_no = 1}, {.policy_no = 1, .ssrc = LAB_CALLEE_SSRC}};
    bool caller = strcmp(p->uri, ALICE) == 0;
    p->key = lab_key(p->domain, p->uri, 0, &p->identity);
    assert_int_equal(ibk_replay_cache_new(&p->replay, NULL), IBK_OK);
    ibk_env env = {.user = p, .draw = party_draw, .keylog = keylog};
    ibk_session_config config = {.role = caller ? IBK_SESSION_INITIATOR : IBK_SESSION_RESPONDER,
                                 .local = ibk_identity_uri(p->uri),
                                 .policy = {.prf = IBK_PRF_HMAC_SHA256},
                                 .node = {.user = p,
                                          .params = find_params,
                                          .private_key = find_key,
                                          .replay = p->replay,
                                          .timestamps = &p->timestamps},
                                 .srtp = caller ? offer : answer,
                                 .n_srtp = 2};
    if (caller) {
        config.peer = ibk_identity_uri(BOB);
        config.policies = &sp;
        config.n_policies = 1;
        config.esk = options->content ? IBK_ESK_OWN : IBK_ESK_NONE;
    }
    assert_int_equal(ibk_session_new(&p->session, &env, &config), IBK_OK);
}

static void party_free(party *p) {
    ibk_session_free(p->session);
    ibk_ibe_key_free(p->key);
    ibk_buf_free(&p->identity);
    ibk_replay_cache_free(p->replay);
}

/* ---- a call
 * -------------------------------------------------------------------------------------------------------- */

static ibk_time at(uint64_t ns) {
    return (ibk_time){.mono_ns = ns, .utc_ns = LAB_START + (int64_t)ns};
}

static void pass(lab_call *out, size_t index, uint64_t now, ibk_span message) {
    out->times[index] = now;
    assert_true(message.len > 0);
    assert_int_equal(ibk_buf_append_span(&out->messages[index], message), IBK_OK);
}

static void exchange(lab_call *out, party *alice, party *bob) {
    ibk_step step;
    assert_int_equal(ibk_session_start(alice->session, at(LAB_S), &step), IBK_OK);
    for (size_t i = 0; i < 4; i++) {
        uint64_t now = (i + 1) * LAB_S;
        pass(out, i, now, step.message);
        ibk_span message = ibk_buf_span(&out->messages[i]);
        assert_int_equal(ibk_session_recv(i % 2 ? alice->session : bob->session, at(now), message, &step),
                         IBK_OK);
    }
    assert_int_equal(step.kind, IBK_STEP_ESTABLISHED);
    out->csb_id = ibk_session_csb_id(alice->session);
}

static void update(lab_call *out, party *alice, party *bob) {
    ibk_update_config config = {.new_dh = true};
    ibk_step step;
    assert_int_equal(ibk_session_update(bob->session, at(20 * LAB_S), &config, &step), IBK_OK);
    pass(out, 4, 20 * LAB_S, step.message);
    ibk_span message = ibk_buf_span(&out->messages[4]);
    assert_int_equal(ibk_session_recv(alice->session, at(20 * LAB_S), message, &step), IBK_OK);
    pass(out, 5, 21 * LAB_S, step.message);
    message = ibk_buf_span(&out->messages[5]);
    assert_int_equal(ibk_session_recv(bob->session, at(21 * LAB_S), message, &step), IBK_OK);
    assert_int_equal(step.kind, IBK_STEP_UPDATED);
}

static media_keys keys_of(party *p, uint8_t cs_id) {
    media_keys keys;
    assert_int_equal(
        ibk_session_tek(p->session, cs_id, keys.key, sizeof keys.key, keys.salt, sizeof keys.salt), IBK_OK);
    return keys;
}

typedef struct shelf {
    content_store store;
    size_t next;
} shelf;

static bool next_content(void *user, uint8_t packet[MEDIA_PACKET_MAX], size_t *len) {
    shelf *s = user;
    ibk_span content = content_store_at(&s->store, s->next++);
    memcpy(packet, content.data, content.len);
    *len = content.len;
    return true;
}

static media_stream *talker(party *p, uint8_t cs_id, uint32_t ssrc, media_source *source, shelf *content) {
    media_stream *stream;
    media_keys keys = keys_of(p, cs_id);
    media_content packed = {.user = content, .payload_type = CONTENT_PAYLOAD_TYPE, .next = next_content};
    media_config config = {.source = source,
                           .ptime_ms = 20,
                           .ssrc = ssrc,
                           .first_sequence = 100,
                           .cname = "lab",
                           .tag_len = 4,
                           .content = content ? &packed : NULL,
                           .send_keys = &keys,
                           .receive_keys = &keys};
    assert_int_equal(media_stream_new(&stream, &config), IBK_OK);
    return stream;
}

static void talk(lab_call *out, media_stream *streams[2], uint64_t from) {
    for (size_t i = 0; i < 2 * LAB_PACKETS; i++) {
        uint8_t packet[MEDIA_PACKET_MAX];
        size_t len;
        assert_int_equal(media_stream_send(streams[i % 2], packet, &len), IBK_OK);
        out->packets[out->packet_count].at_ns = from + i * LAB_S / 50;
        assert_int_equal(ibk_buf_append(&out->packets[out->packet_count].octets, packet, len), IBK_OK);
        out->packet_count++;
    }
}

static void encode(lab_call *out, party *alice, media_source *source, shelf *s) {
    media_config shape = {.source = source, .ptime_ms = 20, .ssrc = 77, .first_sequence = 5, .cname = "lab"};
    assert_int_equal(ibk_buf_append_span(&out->sk, ibk_session_sk(alice->session)), IBK_OK);
    assert_int_equal(content_encode(&s->store, ibk_buf_span(&out->sk), &shape, 2 * LAB_PACKETS), IBK_OK);
}

void lab_play(lab_call *out, const lab_options *options) {
    memset(out, 0, sizeof *out);
    party alice = {.uri = ALICE, .draws = options->seed * 10000, .domain = &lab_home, .secrets = &out->alice},
          bob = {
              .uri = BOB, .draws = options->seed * 10000 + 5000, .domain = &lab_away, .secrets = &out->bob};
    shelf content = {.next = 0};
    out->call.name = "lab";
    party_init(&alice, options);
    party_init(&bob, options);
    exchange(out, &alice, &bob);
    media_source *source = media_source_tone(MEDIA_PCMU, 440);
    if (options->content)
        encode(out, &alice, source, &content);
    media_stream *streams[] = {talker(&alice, 1, LAB_CALLER_SSRC, source, options->content ? &content : NULL),
                               talker(&bob, 2, LAB_CALLEE_SSRC, source, NULL)};
    talk(out, streams, 10 * LAB_S);
    if (options->update) {
        update(out, &alice, &bob);
        media_keys forth = keys_of(&alice, 1), back = keys_of(&bob, 2);
        assert_int_equal(media_stream_send_keys(streams[0], &forth), IBK_OK);
        assert_int_equal(media_stream_send_keys(streams[1], &back), IBK_OK);
        talk(out, streams, 30 * LAB_S);
    }
    media_stream_free(streams[0]);
    media_stream_free(streams[1]);
    media_source_free(source);
    content_store_free(&content.store);
    party_free(&alice);
    party_free(&bob);
}

static void free_secrets(lab_secrets *s) {
    ibk_buf *all[] = {&s->scalar, &s->tgk, &s->later_scalar, &s->later_tgk};
    for (size_t i = 0; i < 4; i++)
        ibk_buf_free(all[i]);
}

void lab_free(lab_call *call) {
    for (size_t i = 0; i < 6; i++)
        ibk_buf_free(&call->messages[i]);
    for (size_t i = 0; i < call->packet_count; i++)
        ibk_buf_free(&call->packets[i].octets);
    free_secrets(&call->alice);
    free_secrets(&call->bob);
    ibk_buf_free(&call->sk);
}

/* ---- an adversary
 * -------------------------------------------------------------------------------------------------- */

void lab_adversary_init(lab_adversary *m) {
    m->l = ledger_new();
    m->w = wallet_new();
    assert_true(m->l && m->w);
    m->party = ledger_add(m->l, "mallory", LEDGER_ADVERSARY);
    assert_non_null(m->party);
    assert_int_equal(wallet_add_params(m->w, lab_home.params, IBK_GRANULARITY_DAY), IBK_OK);
    assert_int_equal(wallet_add_params(m->w, lab_away.params, IBK_GRANULARITY_DAY), IBK_OK);
    analyst_config config = {.wallet = m->w, .party = m->party, .start_utc_ns = LAB_START};
    assert_int_equal(analyst_new(&m->a, &config), IBK_OK);
}

void lab_adversary_free(lab_adversary *m) {
    analyst_free(m->a);
    wallet_free(m->w);
    ledger_free(m->l);
}

void lab_feed(lab_adversary *m, const lab_call *call) {
    for (size_t i = 0; i < 6; i++) {
        analyst_message message = {
            .at_ns = call->times[i], .octets = ibk_buf_span(&call->messages[i]), .call = &call->call};
        if (message.octets.len)
            analyst_add_message(m->a, &message);
    }
    for (size_t i = 0; i < call->packet_count; i++) {
        analyst_packet packet = {.at_ns = call->packets[i].at_ns,
                                 .octets = ibk_buf_span(&call->packets[i].octets)};
        analyst_add_packet(m->a, &packet);
    }
}

uint64_t lab_conclude(lab_adversary *m, const lab_call *call) {
    analyst_conclude(m->a);
    return ledger_knows(m->party, &call->call);
}

const ledger_fact *lab_fact(const lab_adversary *m, scn_thing what) {
    for (size_t i = 0; i < m->party->fact_count; i++)
        if (m->party->facts[i].what == what)
            return &m->party->facts[i];
    return NULL;
}

void lab_give_key(lab_adversary *m, const lab_domain *domain, const char *uri, int days, uint64_t since_ns) {
    ibk_buf identity = {0};
    ibk_ibe_key *key = lab_key(domain, uri, days, &identity);
    wallet_origin origin = wallet_from(LEDGER_BROKEN_IN, since_ns, "taken from %s", uri);
    assert_int_equal(wallet_add_key(m->w, domain->params, ibk_buf_span(&identity), key, &origin), IBK_OK);
    ibk_ibe_key_free(key);
    ibk_buf_free(&identity);
}

void lab_give_scalar(lab_adversary *m, const lab_call *call, ibk_span octets, bool responders,
                     uint64_t since_ns) {
    wallet_scalar scalar = {.csb_id = call->csb_id,
                            .responders = responders,
                            .key = {.curve = IBK_EC_P256, .scalar_len = octets.len},
                            .origin = wallet_from(LEDGER_BROKEN_IN, since_ns, "from a memory")};
    memcpy(scalar.key.scalar, octets.data, octets.len);
    assert_int_equal(wallet_add_scalar(m->w, &scalar), IBK_OK);
}
