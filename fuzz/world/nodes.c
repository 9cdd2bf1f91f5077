/* Who is there: nodes with keys, and what the input may open, seal and sign with them. */
#include "fuzz.h"
#include "world/accounts.h"
#include "world/world.h"

#include <stdlib.h>
#include <string.h>

#define DOMAIN "@home.example"

static const char *const uris[NODES] = {FUZZ_ALICE, FUZZ_BOB, FUZZ_MAILBOX, FUZZ_KMS};

/* ---- what a node is asked
 * ------------------------------------------------------------------------------------- */

static bool ours(ibk_span id) {
    size_t len = strlen(DOMAIN);
    return id.len >= len && memcmp(id.data + id.len - len, DOMAIN, len) == 0;
}

static bool later(world_node *node) {
    return node->pending > 0 && node->pending-- > 0;
}

static ibk_lookup find_params(void *user, const ibk_identity *id, const ibk_ibe_params **out) {
    if (!ours(id->id))
        return IBK_LOOKUP_ABSENT;
    if (later(user))
        return IBK_LOOKUP_PENDING;
    *out = fuzz_params(1024);
    return IBK_LOOKUP_FOUND;
}

static ibk_lookup find_key(void *user, ibk_span ibe_identity, const ibk_ibe_params **params,
                           const ibk_ibe_key **key) {
    world_node *node = user;
    ibk_span id;
    int64_t start;
    if (node->keyless || ibk_ibe_identity_split(&id, &start, ibe_identity, IBK_GRANULARITY_DAY) != IBK_OK ||
        !ibk_span_equal(id, ibk_span_str(node->uri)))
        return IBK_LOOKUP_ABSENT;
    if (later(node))
        return IBK_LOOKUP_PENDING;
    *params = fuzz_params(1024);
    accounts_pause(1);
    *key = fuzz_key(ibe_identity);
    accounts_pause(0);
    return IBK_LOOKUP_FOUND;
}

/* RFC 3830 §6.1: between this node and that peer. */
static bool csb_in_use(void *user, uint32_t csb_id, const ibk_identity *peer) {
    world_node *node = user;
    for (size_t i = 0; i < PARTS; i++) {
        world_player *p = &node->world->players[i];
        if (!p->session || p->node != node || ibk_session_csb_id(p->session) != csb_id ||
            ibk_session_get_state(p->session) == IBK_STATE_CLOSED)
            continue;
        ibk_identity theirs = ibk_session_peer(p->session);
        if (ibk_identity_equal(&theirs, peer))
            return true;
    }
    return false;
}

static bool accept_responder(void *user, const ibk_identity *asked, const ibk_identity *answered,
                             bool echoed) {
    (void)asked;
    (void)echoed;
    return (((world_node *)user)->world->settings[0] & SET_STAND_IN) && ours(answered->id);
}

static ibk_node callbacks(world_node *node) {
    return (ibk_node){.user = node,
                      .params = find_params,
                      .private_key = find_key,
                      .csb_id_in_use = csb_in_use,
                      .accept_responder = accept_responder,
                      .replay = node->replay,
                      .timestamps = &node->timestamps};
}

/* ---- its environment
 * ------------------------------------------------------------------------------------------ */

static ibk_err draw(void *user, ibk_draw_label label, uint8_t *out, size_t len) {
    world_node *node = user;
    ibk_env env = fuzz_env(&node->random);
    return env.draw(env.user, label, out, len);
}

static void keylog(void *user, const ibk_keylog_record *record) {
    world *w = ((world_node *)user)->world;
    accounts_pause(1);
    if (record->kind != IBK_KEYLOG_PARAMS)
        secrets_add(&w->secrets, record->value);
    if (record->kind == IBK_KEYLOG_AUTHKEY || record->kind == IBK_KEYLOG_MPK) {
        uint8_t kind_len[] = {(uint8_t)record->kind, (uint8_t)record->value.len};
        (void)ibk_buf_append(&w->logged, kind_len, sizeof kind_len);
        (void)ibk_buf_append(&w->logged, &record->csb_id, sizeof record->csb_id);
        (void)ibk_buf_append_span(&w->logged, record->value);
    }
    accounts_pause(0);
}

static void trace(void *user, const ibk_trace_event *event) {
    world *w = ((world_node *)user)->world;
    const char *texts[] = {event->what, event->detail, event->diag ? event->diag->detail : NULL};
    for (size_t i = 0; i < 3; i++)
        if (texts[i])
            oracle_output(w, ibk_span_str(texts[i]));
}

static void work(void *user, ibk_work what, unsigned size) {
    (void)what;
    (void)size;
    ((world_node *)user)->work++;
}

ibk_env world_env(world_node *node) {
    return (ibk_env){.user = node, .draw = draw, .keylog = keylog, .trace = trace, .work = work};
}

ibk_span world_logged(const world *w, ibk_keylog_kind kind, uint32_t csb_id) {
    ibk_span found = {0};
    for (size_t at = 0; at + 6 <= w->logged.len;) {
        const uint8_t *record = w->logged.data + at;
        uint32_t id;
        memcpy(&id, record + 2, sizeof id);
        if (record[0] == kind && id == csb_id)
            found = ibk_span_of(record + 6, record[1]);
        at += (size_t)6 + record[1];
    }
    return found;
}

const char *world_check_v(const world *w, const judged *j, const world_player *p, bool newest) {
    const char *rule = "RFC 6267 §5.3, §5.4: an MPK for V";
    const walk_piece *v = walk_find(&j->outer, IBK_PL_V, 0);
    for (size_t at = 0; at + 6 <= w->logged.len; at += (size_t)6 + w->logged.data[at + 1]) {
        const uint8_t *record = w->logged.data + at;
        uint32_t id;
        ibk_msg_keys keys;
        memcpy(&id, record + 2, sizeof id);
        if (record[0] != IBK_KEYLOG_MPK || id != j->csb_id || !v)
            continue;
        if (ibk_msg_keys_derive(&keys, j->prf, ibk_span_of(record + 6, record[1]), j->csb_id, p->i1.rand,
                                IBK_ENCR_NULL, j->octets.data[v->at + 1]) != IBK_OK)
            return "RFC 6267 §5.4: V has a MAC";
        rule = judge_v(j, ibk_span_of(keys.auth, keys.auth_len), p->i1.idi, p->r1.idr);
        if (!rule && !newest)
            return NULL;
    }
    return rule;
}

/* ---- what the input may do with the keys
 * ------------------------------------------------------------------------- */

static bool open_as(const char *uri, int64_t utc_ns, ibk_span cipher, ibk_buf *plain, ibk_buf *whose) {
    ibk_buf identity = {0};
    bool ok =
        ibk_ibe_identity(&identity, ibk_span_str(uri), IBK_GRANULARITY_DAY, utc_ns) == IBK_OK &&
        ibk_ibe_decrypt(fuzz_params(1024), fuzz_key(ibk_buf_span(&identity)), cipher, plain, NULL) == IBK_OK;
    if (ok)
        (void)ibk_buf_append_span(whose, ibk_buf_span(&identity));
    ibk_buf_free(&identity);
    return ok;
}

/* With the keys of today and of each day on which a message was sent: an exchange keeps the date of its T
 * (P-9). */
static bool try_keys(const world *w, ibk_span cipher, ibk_buf *plain, ibk_buf *whose) {
    ibk_ibe_ciphertext ct;
    if (ibk_ibe_ciphertext_parse(&ct, cipher, NULL) != IBK_OK)
        return false;
    for (size_t day = 0; day <= w->n_days; day++)
        for (size_t i = 0; i < NODE_KMS; i++)
            if (open_as(uris[i], day < w->n_days ? w->days[day] : w->now.utc_ns, cipher, plain, whose))
                return true;
    return false;
}

/* What was opened once is remembered: sender, network and receiver look at the same message. */
static bool open_ibe(world *w, ibk_span cipher, ibk_buf *plain, ibk_buf *whose) {
    for (size_t i = 0; i < WORLD_OPENED; i++) {
        const world_opened *o = &w->opened[i];
        if (o->cipher.len > 0 && ibk_span_equal(ibk_buf_span(&o->cipher), cipher))
            return ibk_buf_append_span(plain, ibk_buf_span(&o->plain)) == IBK_OK &&
                   ibk_buf_append_span(whose, ibk_buf_span(&o->whose)) == IBK_OK;
    }
    size_t plain_at = plain->len, whose_at = whose->len;
    if (!try_keys(w, cipher, plain, whose))
        return false;
    world_opened *o = &w->opened[w->n_opened++ % WORLD_OPENED];
    ibk_buf_clear(&o->cipher);
    ibk_buf_clear(&o->plain);
    ibk_buf_clear(&o->whose);
    return ibk_buf_append_span(&o->plain, ibk_buf_part(plain, plain_at, plain->len - plain_at)) == IBK_OK &&
           ibk_buf_append_span(&o->whose, ibk_buf_part(whose, whose_at, whose->len - whose_at)) == IBK_OK &&
           ibk_buf_append_span(&o->cipher, cipher) == IBK_OK;
}

bool world_open_ibe(void *user, ibk_span cipher, ibk_buf *plain) {
    ibk_buf whose = {0};
    bool ok = open_ibe(user, cipher, plain, &whose);
    ibk_buf_free(&whose);
    return ok;
}

/* The keys of a key request's messages, from the PSK and the RAND of its REQUEST_KEY_PSK. */
static bool psk_keys(const world *w, const judged *j, uint8_t encr, uint8_t mac, ibk_msg_keys *out) {
    ibk_span rand = j->rand;
    judged first = {0};
    for (size_t i = 0; i < w->n_pool && rand.len == 0; i++)
        if (w->pool[i].type == IBK_MSG_REQUEST_KEY_PSK && w->pool[i].octets.len > 8 &&
            memcmp(w->pool[i].octets.data + WALK_HDR_CSB, j->octets.data + WALK_HDR_CSB, 4) == 0) {
            (void)judge_read(&first, ibk_buf_span(&w->pool[i].octets), true, NULL, NULL);
            rand = first.rand;
        }
    bool ok = rand.len > 1 && ibk_msg_keys_derive(out, j->prf, ibk_span_str(FUZZ_PSK), j->csb_id,
                                                  ibk_span_of(rand.data, rand.len), encr, mac) == IBK_OK;
    judged_free(&first);
    return ok;
}

/* KEMAC: encryption algorithm before its data, T from the message. */
static bool kemac(world *w, ibk_span message, ibk_span in, ibk_buf *out, bool sealing) {
    judged j = {0};
    ibk_msg_keys keys;
    bool ok = false;
    (void)judge_read(&j, message, true, NULL, NULL);
    const walk_piece *p = walk_find(&j.outer, IBK_PL_KEMAC, 0);
    uint8_t alg = p ? message.data[p->at + 1] : 0;
    if (p && j.t.len > 8 && psk_keys(w, &j, alg, IBK_MAC_NULL, &keys)) {
        ibk_t t = {.ts_type = j.t.data[0]};
        for (size_t i = 1; i < j.t.len; i++)
            t.value = t.value << 8 | j.t.data[i];
        ok = (sealing ? ibk_kemac_encrypt : ibk_kemac_decrypt)(out, alg, &keys, j.csb_id, &t, in) == IBK_OK;
    }
    judged_free(&j);
    return ok;
}

static bool edit_open(void *user, ibk_span message, uint8_t type, ibk_span cipher, ibk_buf *plain,
                      ibk_buf *whose) {
    return type == IBK_PL_KEMAC ? kemac(user, message, cipher, plain, false)
                                : open_ibe(user, cipher, plain, whose);
}

static bool edit_seal(void *user, ibk_span message, uint8_t type, ibk_span whose, ibk_span plain,
                      ibk_buf *cipher) {
    fuzz_random random = {0};
    ibk_env env = fuzz_env(&random);
    if (type == IBK_PL_KEMAC)
        return kemac(user, message, plain, cipher, true);
    return whose.len > 0 && ibk_ibe_peer_encrypt(&env, fuzz_peer(whose), plain, cipher) == IBK_OK;
}

/* RFC 6267 §5.4 for the exchange; for key requests P-8: the users, then the KMS. */
static bool request_mac(const world *w, ibk_span message, uint8_t *mac, size_t len) {
    judged j = {0};
    ibk_msg_keys keys;
    uint8_t made[IBK_MAC_MAX];
    (void)judge_read(&j, message, true, NULL, NULL);
    uint8_t alg = len == 20 ? IBK_MAC_HMAC_SHA1_160 : IBK_MAC_HMAC_SHA256_256;
    ibk_span covered[WALK_MAX + 1] = {ibk_span_of(message.data, message.len - len)};
    size_t n = 1;
    for (unsigned kms = 0; kms < 2; kms++)
        for (size_t i = 0; i < j.outer.count; i++) {
            const walk_piece *p = &j.outer.items[i];
            if (p->type == IBK_PL_IDR && (message.data[p->at + 1] == IBK_ROLE_KMS) == (kms == 1) &&
                message.data[p->at + 1] <= IBK_ROLE_KMS)
                covered[n++] = walk_body(message, p);
        }
    bool ok = psk_keys(w, &j, IBK_ENCR_NULL, alg, &keys) &&
              ibk_mac_compute(made, alg, ibk_span_of(keys.auth, keys.auth_len), covered, n) == IBK_OK;
    if (ok)
        memcpy(mac, made, len);
    judged_free(&j);
    return ok;
}

static bool edit_mac(void *user, ibk_span message, uint8_t *mac, size_t len) {
    const world *w = user;
    judged j = {0};
    uint8_t made[32];
    if (message.data[1] == IBK_MSG_REQUEST_KEY_PSK)
        return request_mac(w, message, mac, len);
    (void)judge_read(&j, message, true, NULL, NULL);
    const world_player *alice = &w->players[PART_ALICE],
                       *p = alice->i1.there ? alice : &w->players[PART_CARRIER];
    uint8_t alg = len == 20 ? IBK_MAC_HMAC_SHA1_160 : IBK_MAC_HMAC_SHA256_256;
    ibk_msg_keys keys;
    ibk_span idi = j.idi.len ? j.idi : p->i1.idi, idr = j.idr.len ? j.idr : p->r1.idr;
    bool ok = ibk_msg_keys_derive(&keys, j.prf, world_logged(w, IBK_KEYLOG_MPK, j.csb_id), j.csb_id,
                                  p->i1.rand, IBK_ENCR_NULL, alg) == IBK_OK &&
              judge_mac(made, &j, ibk_span_of(keys.auth, keys.auth_len), idi, idr) == len;
    if (ok)
        memcpy(mac, made, len);
    judged_free(&j);
    return ok;
}

edit_keys world_keys(world *w, ibk_span donor) {
    return (edit_keys){.user = w,
                       .open = edit_open,
                       .seal = edit_seal,
                       .mac = edit_mac,
                       .donor = donor,
                       .utc_ns = w->now.utc_ns};
}

/* ---- sessions
 * ------------------------------------------------------------------------------------------------- */

static void initiator_config(const world *w, world_part part, ibk_session_config *c) {
    static const uint8_t params[] = {IBK_SRTP_ENCR_ALG, 1, IBK_SRTP_ENCR_AES_CM,
                                     IBK_SRTP_AUTH_ALG, 1, IBK_SRTP_AUTH_HMAC_SHA1};
    static const ibk_sp sp = {.policy_no = 1, .prot_type = IBK_PROT_SRTP, .params = {params, sizeof params}};
    static const uint8_t policy_no[] = {1};
    static const ibk_cs_generic generic[] = {
        {.cs_id = 1, .prot_type = IBK_PROT_SRTP, .policies = {policy_no, 1}}};
    uint8_t settings = w->settings[0];
    c->peer = ibk_identity_uri(FUZZ_BOB);
    c->policies = &sp;
    c->n_policies = 1;
    c->policy.ts_type = w->settings[1] & SET2_TS;
    c->policy.prf = settings & SET_SHA256 ? IBK_PRF_HMAC_SHA256 : IBK_PRF_MIKEY_1;
    c->policy.curve = settings & SET_P384 ? IBK_EC_P384 : 0;
    c->policy.allow_missing_echo = (settings & SET_MISSING_ECHO) != 0;
    c->esk = settings & SET_ESK ? IBK_ESK_OWN : IBK_ESK_NONE;
    if (w->settings[1] & SET2_GENERIC) {
        c->map_type = IBK_MAP_GENERIC_ID;
        c->generic = generic;
        c->n_generic = 1;
        c->n_srtp = 0;
    }
    const ibk_session *box = w->players[PART_BOX].session;
    if (part == PART_CARRIER && box && ibk_session_esk(box).len > 0) {
        c->esk = IBK_ESK_STORED;
        c->stored_esk = ibk_session_esk(box);
    }
}

ibk_session_config world_config(world *w, world_part part) {
    static const ibk_cs_srtp offer[] = {{.policy_no = 1, .ssrc = 0x11111111}, {.policy_no = 1}};
    static const ibk_cs_srtp answer[] = {{.policy_no = 1},
                                         {.policy_no = 1, .ssrc = 0x22222222},
                                         {.policy_no = 1},
                                         {.policy_no = 1, .ssrc = 0x44444444}};
    world_player *p = &w->players[part];
    ibk_session_config c = {
        .role = p->initiator ? IBK_SESSION_INITIATOR : IBK_SESSION_RESPONDER,
        .local = ibk_identity_uri(p->node->uri),
        .node = callbacks(p->node),
        .srtp = p->initiator ? offer : answer,
        .n_srtp = p->initiator ? 2 : 4, /* a responder's are SSRCs, of what updates may add as well */
        .sdp_ids = ibk_span_str("mikey"),
    };
    c.policy.without = world_without();
    c.policy.errors = w->settings[0] & SET_ERRORS ? IBK_ERRORS_ALL : IBK_ERRORS_PARAMETERS;
    c.policy.ignore_peer_errors = (w->settings[0] & SET_IGNORE_ERRORS) != 0;
    c.policy.answer_undecryptable = part == PART_BOX || (w->settings[1] & SET2_KEYLESS);
    if (p->initiator)
        initiator_config(w, part, &c);
    return c;
}

static uint8_t unused_policy(const ibk_sp *policies, size_t n) {
    uint8_t number = 1;
    for (size_t i = 0; i < n; i++)
        number = policies[i].policy_no > number ? policies[i].policy_no : number;
    return number == UINT8_MAX ? 0 : number + 1;
}

/* Policies are added where there are some: where none was named, the defaults are in force (P-33). */
void world_further_of(ibk_update_config *config, world_further *room, const ibk_session *s, uint8_t flags) {
    enum { ROOM = sizeof room->srtp / sizeof room->srtp[0] };
    static const uint8_t params[] = {IBK_SRTP_ENCR_ALG,     1, IBK_SRTP_ENCR_AES_CM,
                                     IBK_SRTP_AUTH_ALG,     1, IBK_SRTP_AUTH_HMAC_SHA1,
                                     IBK_SRTP_AUTH_TAG_LEN, 1, 10};
    const ibk_hdr *hdr = ibk_session_header(s);
    size_t n_policies, n = 0;
    const ibk_sp *policies = ibk_session_policies(s, &n_policies);
    if (!(flags & FURTHER_SESSIONS) || !hdr || hdr->map_type != IBK_MAP_SRTP_ID || hdr->n_cs + 2 > ROOM)
        return;
    while (ibk_map_srtp(hdr, n, &room->srtp[n]))
        n++;
    uint8_t number = n_policies > 0 ? policies[0].policy_no : 0,
            further = unused_policy(policies, n_policies);
    if (flags & FURTHER_POLICY && n_policies > 0 && n_policies < ROOM && further > 0) {
        room->policy =
            (ibk_sp){.policy_no = further, .prot_type = IBK_PROT_SRTP, .params = {params, sizeof params}};
        config->policies = &room->policy;
        config->n_policies = 1;
        number = further;
    }
    room->srtp[n] = (ibk_cs_srtp){.policy_no = number, .ssrc = 0x33333333};
    room->srtp[n + 1] = (ibk_cs_srtp){.policy_no = number};
    config->srtp = room->srtp;
    config->n_srtp = n + 2;
}

/* ---- the KMS
 * ---------------------------------------------------------------------------------------------------- */

static bool find_psk(void *user, const ibk_identity *psk_id, const ibk_identity *first, ibk_buf *psk,
                     void **owner) {
    (void)psk_id;
    *owner = user;
    return ibk_span_equal(first->id, ibk_span_str(FUZZ_ALICE)) &&
           ibk_buf_append_span(psk, ibk_span_str(FUZZ_PSK)) == IBK_OK;
}

static bool may_have(void *user, void *owner, ibk_span id) {
    FUZZ_CHECK(owner == user);
    return ibk_span_equal(id, ibk_span_str(FUZZ_ALICE));
}

static void open_kms(world *w) {
    ibk_env env = world_env(&w->nodes[NODE_KMS]);
    ibk_kms_config config = {
        .identity = {.id_type = IBK_ID_NAI, .id = ibk_span_str(FUZZ_KMS)},
        .params = fuzz_params(1024),
        .master = fuzz_master(),
        .replay = w->nodes[NODE_KMS].replay,
        .issue = IBK_ISSUE_CURRENT,
        .user = w,
        .psk = find_psk,
        .authorized = may_have,
        .without = world_without(),
    };
    FUZZ_CHECK(ibk_kms_new(&w->kms, &env, &config) == IBK_OK);
}

/* ---- beginning and end
 * --------------------------------------------------------------------------------------------- */

void world_open(world *w, const world_cast *cast, const uint8_t *settings) {
    static const uint8_t node_of[PARTS] = {NODE_ALICE, NODE_ALICE, NODE_BOB, NODE_BOB,
                                           NODE_BOX,   NODE_BOX,   NODE_KMS, NODE_ALICE};
    accounts_mark(); /* the last input's peak is no business of this one */
    *w = (world){.cast = cast, .now = fuzz_now()};
    static unsigned
        inputs; /* what no target may have: fuzz/stable has to notice that the second one is special */
    if (world_broken("order") && ++inputs == 2)
        w->now.utc_ns++;
    memcpy(w->settings, settings, WORLD_HEADER);
    for (size_t i = 0; i < NODES; i++) {
        w->nodes[i] = (world_node){.world = w, .uri = uris[i], .random = {.draws = 1000 * (i + 1)}};
        w->nodes[i].replay = fuzz_replay_cache();
        w->nodes[i].pending = settings[0] & SET_PENDING ? 2 : 0;
    }
    w->nodes[NODE_BOB].keyless = (settings[1] & SET2_KEYLESS) != 0;
    for (size_t i = 0; i < PARTS; i++)
        w->players[i] = (world_player){.part = (world_part)i,
                                       .node = &w->nodes[node_of[i]],
                                       .initiator = i == PART_ALICE || i == PART_FORK || i == PART_CARRIER};
    for (size_t i = 0; i < cast->n_parts; i++)
        if (cast->parts[i] == PART_KMS)
            open_kms(w);
}

void world_close(world *w) {
    for (size_t i = 0; i < PARTS; i++)
        world_forget(&w->players[i]);
    ibk_key_request_free(w->request);
    ibk_kms_free(w->kms);
    for (size_t i = 0; i < NODES; i++)
        ibk_replay_cache_free(w->nodes[i].replay);
    for (size_t i = 0; i < w->n_pool; i++)
        ibk_buf_free(&w->pool[i].octets);
    for (size_t i = 0; i < WORLD_OPENED; i++) {
        ibk_buf_free(&w->opened[i].cipher);
        ibk_buf_free(&w->opened[i].plain);
        ibk_buf_free(&w->opened[i].whose);
    }
    ibk_buf_free(&w->logged);
    secrets_free(&w->secrets);
    fuzz_forget();
}
