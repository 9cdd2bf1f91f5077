/* Test support: see lab.h. */
#include "ibake/lab.h"

#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <setjmp.h>
#include <stdarg.h>

#include <cmocka.h>

lab_domain lab_home, lab_away;
const lab_domain *lab_large;

/* ---- randomness: SHA-256 in counter mode, so that a seed fixes everything ------------------------------ */

static ibk_err draw(lab_random *random, ibk_draw_label label, uint8_t *out, size_t len) {
    uint64_t block[4] = {random->seed, (uint64_t)label, ++random->draws, 0};
    if (random->fail_at && random->draws == random->fail_at) {
        return IBK_ERR_RANDOM;
    }
    for (size_t at = 0; at < len; at += SHA256_DIGEST_LENGTH, block[3]++) {
        uint8_t hash[SHA256_DIGEST_LENGTH];
        SHA256((const uint8_t *)block, sizeof block, hash);
        memcpy(out + at, hash, len - at < sizeof hash ? len - at : sizeof hash);
    }
    return IBK_OK;
}

static ibk_err user_draw(void *user, ibk_draw_label label, uint8_t *out, size_t len) {
    return draw(&((lab_user *)user)->random, label, out, len);
}

static ibk_err setup_draw(void *user, ibk_draw_label label, uint8_t *out, size_t len) {
    return draw(user, label, out, len);
}

static void user_keylog(void *user, const ibk_keylog_record *record) {
    lab_log *log = &((lab_user *)user)->log;
    uint32_t head[3] = {(uint32_t)record->kind, record->csb_id, record->cs_id};
    ibk_buf_append(&log->octets, head, sizeof head);
    ibk_buf_append_span(&log->octets, record->id);
    ibk_buf_append_span(&log->octets, record->value);
    log->records++;
    log->kinds[record->kind]++;
}

static void user_work(void *user, ibk_work what, unsigned size) {
    lab_work *work = &((lab_user *)user)->work;
    work->count[what]++;
    work->size[what] = size;
}

/* ---- keys: extracted when first asked for, kept for the whole test program --------------------------------
 */

typedef struct kept_key {
    const lab_domain *domain;
    ibk_buf identity;
    ibk_ibe_key *key;
} kept_key;

#define KEPT_MAX 256
static kept_key kept[KEPT_MAX];
static size_t n_kept;

static const ibk_ibe_key *keep_key(const lab_domain *domain, ibk_span identity) {
    for (size_t i = 0; i < n_kept; i++) {
        if (kept[i].domain == domain && ibk_span_equal(ibk_buf_span(&kept[i].identity), identity)) {
            return kept[i].key;
        }
    }
    assert_true(n_kept < KEPT_MAX);
    kept_key *k = &kept[n_kept++];
    k->domain = domain;
    assert_int_equal(ibk_buf_append_span(&k->identity, identity), IBK_OK);
    assert_int_equal(ibk_ibe_extract(domain->params, domain->master, identity, &k->key), IBK_OK);
    return k->key;
}

void lab_setup(void) {
    lab_random random = {.seed = 1};
    ibk_env env = {.user = &random, .draw = setup_draw};
    assert_int_equal(ibk_ibe_setup(&env, 1024, &lab_home.params, &lab_home.master, NULL, NULL), IBK_OK);
    assert_int_equal(ibk_ibe_setup(&env, 1024, &lab_away.params, &lab_away.master, NULL, NULL), IBK_OK);
}

void lab_teardown(void) {
    for (size_t i = 0; i < n_kept; i++) {
        ibk_buf_free(&kept[i].identity);
        ibk_ibe_key_free(kept[i].key);
    }
    n_kept = 0;
    lab_domain *domains[] = {&lab_home, &lab_away};
    for (int i = 0; i < 2; i++) {
        ibk_ibe_master_free(domains[i]->master);
        ibk_ibe_params_free(domains[i]->params);
    }
}

int lab_group_setup(void **state) {
    (void)state;
    lab_setup();
    return 0;
}

int lab_group_teardown(void **state) {
    (void)state;
    lab_teardown();
    return 0;
}

/* ---- a user as a node
 * ------------------------------------------------------------------------------------------- */

static bool contains(ibk_span text, const char *part) {
    return memmem(text.data, text.len, part, strlen(part)) != NULL;
}

static ibk_lookup user_params(void *user, const ibk_identity *id, const ibk_ibe_params **out) {
    lab_user *u = user;
    if (u->pending_params > 0) {
        u->pending_params--;
        return IBK_LOOKUP_PENDING;
    }
    if (contains(id->id, "@nowhere")) {
        return IBK_LOOKUP_ABSENT;
    }
    *out = contains(id->id, "@home")                 ? lab_home.params
           : lab_large && contains(id->id, "@large") ? lab_large->params
                                                     : lab_away.params;
    return IBK_LOOKUP_FOUND;
}

static ibk_lookup user_key(void *user, ibk_span ibe_identity, const ibk_ibe_params **params,
                           const ibk_ibe_key **key) {
    lab_user *u = user;
    ibk_span base;
    int64_t start;
    if (ibk_ibe_identity_split(&base, &start, ibe_identity, u->granularity) != IBK_OK) {
        return IBK_LOOKUP_ABSENT;
    }
    if (!ibk_span_equal(base, ibk_span_str(u->uri)) &&
        !(u->also && ibk_span_equal(base, ibk_span_str(u->also)))) {
        return IBK_LOOKUP_ABSENT;
    }
    if (u->pending_keys > 0) {
        u->pending_keys--;
        return IBK_LOOKUP_PENDING;
    }
    if (u->no_key) {
        return IBK_LOOKUP_ABSENT;
    }
    ibk_buf asked = {0};
    assert_int_equal(ibk_ibe_identity(&asked, base, u->granularity, start + u->key_shift_ns), IBK_OK);
    *params = u->domain->params;
    *key = keep_key(u->domain, ibk_buf_span(&asked));
    ibk_buf_free(&asked);
    return IBK_LOOKUP_FOUND;
}

static bool user_csb_in_use(void *user, uint32_t csb_id, const ibk_identity *peer) {
    lab_user *u = user;
    (void)csb_id;
    assert_true(peer->id.len > 0);
    u->csb_asked++;
    return u->csb_taken;
}

static bool user_accept_responder(void *user, const ibk_identity *asked, const ibk_identity *answered,
                                  bool echoed) {
    lab_user *u = user;
    u->responders_asked++;
    snprintf(u->asked, sizeof u->asked, "%.*s", (int)asked->id.len, (const char *)asked->id.data);
    snprintf(u->answered, sizeof u->answered, "%.*s", (int)answered->id.len, (const char *)answered->id.data);
    u->echoed = echoed;
    return u->accept_others;
}

static bool user_accept_initiator(void *user, const ibk_identity *initiator, const ibk_identity *target) {
    (void)initiator;
    (void)target;
    return !((lab_user *)user)->refuse_initiator;
}

void lab_user_init(lab_user *user, const char *uri, const lab_domain *domain, uint64_t seed) {
    *user = (lab_user){
        .uri = uri, .domain = domain, .random = {.seed = seed}, .utc_ns = LAB_NOON, .mono_ns = 1000};
    assert_int_equal(ibk_replay_cache_new(&user->replay, NULL), IBK_OK);
}

void lab_user_free(lab_user *user) {
    ibk_replay_cache_free(user->replay);
    ibk_buf_free(&user->log.octets);
}

ibk_time lab_now(const lab_user *user) {
    return (ibk_time){.mono_ns = (uint64_t)user->mono_ns, .utc_ns = user->utc_ns};
}

ibk_env lab_env(lab_user *user) {
    return (ibk_env){.user = user, .draw = user_draw, .keylog = user_keylog, .work = user_work};
}

ibk_session_config lab_config(lab_user *user, ibk_session_role role, const char *peer) {
    static const uint8_t params[] = {IBK_SRTP_ENCR_ALG, 1, IBK_SRTP_ENCR_AES_CM,
                                     IBK_SRTP_AUTH_ALG, 1, IBK_SRTP_AUTH_HMAC_SHA1};
    static const ibk_sp sp = {.policy_no = 1, .prot_type = IBK_PROT_SRTP, .params = {params, sizeof params}};
    static const ibk_cs_srtp offer[] = {{.policy_no = 1, .ssrc = 0x11111111}, {.policy_no = 1, .ssrc = 0}};
    static const ibk_cs_srtp answer[] = {{.policy_no = 1, .ssrc = 0}, {.policy_no = 1, .ssrc = 0x22222222}};
    bool initiator = role == IBK_SESSION_INITIATOR;
    ibk_session_config c = {
        .role = role,
        .local = ibk_identity_uri(user->uri),
        .local_granularity = user->granularity,
        .node = {.user = user,
                 .params = user_params,
                 .private_key = user_key,
                 .csb_id_in_use = user_csb_in_use,
                 .accept_responder = user_accept_responder,
                 .accept_initiator = user_accept_initiator,
                 .replay = user->replay,
                 .timestamps = &user->timestamps},
        .srtp = initiator ? offer : answer,
        .n_srtp = 2,
        .sdp_ids = ibk_span_str("mikey"),
    };
    if (initiator) {
        c.peer = ibk_identity_uri(peer);
        c.policies = &sp;
        c.n_policies = 1;
    }
    return c;
}

/* ---- both ends
 * -------------------------------------------------------------------------------------------------------- */

void lab_pair_init(lab_pair *pair) {
    memset(pair, 0, sizeof *pair);
    lab_user_init(&pair->alice, "sip:alice@home.example", &lab_home, 11);
    lab_user_init(&pair->bob, "sip:bob@away.example", &lab_away, 22);
    pair->ac = lab_config(&pair->alice, IBK_SESSION_INITIATOR, pair->bob.uri);
    pair->bc = lab_config(&pair->bob, IBK_SESSION_RESPONDER, NULL);
}

void lab_pair_free(lab_pair *pair) {
    ibk_session_free(pair->a);
    ibk_session_free(pair->b);
    for (int i = 0; i < 4; i++) {
        ibk_buf_free(&pair->m[i]);
    }
    lab_user_free(&pair->alice);
    lab_user_free(&pair->bob);
}

void lab_pair_sessions(lab_pair *pair) {
    ibk_env ae = lab_env(&pair->alice), be = lab_env(&pair->bob);
    ibk_session_free(pair->a);
    ibk_session_free(pair->b);
    pair->a = pair->b = NULL;
    assert_int_equal(ibk_session_new(&pair->a, &ae, &pair->ac), IBK_OK);
    assert_int_equal(ibk_session_new(&pair->b, &be, &pair->bc), IBK_OK);
}

static void store(ibk_buf *out, ibk_span octets) {
    ibk_buf_clear(out);
    assert_int_equal(ibk_buf_append_span(out, octets), IBK_OK);
}

void lab_deliver(lab_pair *pair, int i, ibk_span octets) {
    bool to_bob = i % 2 == 0;
    ibk_session *s = to_bob ? pair->b : pair->a;
    ibk_time now = lab_now(to_bob ? &pair->bob : &pair->alice);
    assert_int_equal(ibk_session_recv(s, now, octets, &pair->step), IBK_OK);
    if (i < 3) {
        store(&pair->m[i + 1], pair->step.message);
    }
}

void lab_pair_play(lab_pair *pair, int upto) {
    lab_pair_sessions(pair);
    assert_int_equal(ibk_session_start(pair->a, lab_now(&pair->alice), &pair->step), IBK_OK);
    store(&pair->m[0], pair->step.message);
    for (int i = 0; i < upto; i++) {
        if (pair->step.kind == IBK_STEP_CLOSED) {
            print_message("closed before message %d: %s: %s %s\n", i + 1, ibk_err_name(pair->step.reason),
                          pair->step.diag.payload ? pair->step.diag.payload : "", pair->step.diag.detail);
            return;
        }
        lab_deliver(pair, i, ibk_buf_span(&pair->m[i]));
    }
}

void lab_keys_agree(lab_pair *pair) {
    assert_int_equal(ibk_session_get_state(pair->a), IBK_STATE_ESTABLISHED);
    assert_int_equal(ibk_session_get_state(pair->b), IBK_STATE_ESTABLISHED);
    for (uint8_t cs = 1; cs <= 2; cs++) {
        uint8_t ka[16], kb[16], sa[14], sb[14];
        assert_int_equal(ibk_session_tek(pair->a, cs, ka, sizeof ka, sa, sizeof sa), IBK_OK);
        assert_int_equal(ibk_session_tek(pair->b, cs, kb, sizeof kb, sb, sizeof sb), IBK_OK);
        assert_memory_equal(ka, kb, sizeof ka);
        assert_memory_equal(sa, sb, sizeof sa);
        assert_false(lab_all_zero(ka, sizeof ka));
    }
    ibk_identity a_peer = ibk_session_peer(pair->a), b_peer = ibk_session_peer(pair->b);
    ibk_identity a_self = ibk_session_local(pair->a), b_self = ibk_session_local(pair->b);
    assert_true(ibk_identity_equal(&a_peer, &b_self));
    assert_true(ibk_identity_equal(&b_peer, &a_self));
    assert_true(ibk_span_equal(ibk_session_header(pair->a)->map, ibk_session_header(pair->b)->map));
}

bool lab_all_zero(const void *data, size_t len) {
    const uint8_t *octets = data;
    for (size_t i = 0; i < len; i++) {
        if (octets[i]) {
            return false;
        }
    }
    return true;
}

/* ---- CSB update -----------------------------------------------------------------------------------------
 */

lab_update lab_update_of(lab_pair *pair, bool by_bob, bool new_dh) {
    return (lab_update){.pair = pair, .by_bob = by_bob, .config = {.new_dh = new_dh}};
}

void lab_update_free(lab_update *u) {
    ibk_buf_free(&u->m[0]);
    ibk_buf_free(&u->m[1]);
}

ibk_session *lab_starter(const lab_update *u) {
    return u->by_bob ? u->pair->b : u->pair->a;
}

ibk_session *lab_answerer(const lab_update *u) {
    return u->by_bob ? u->pair->a : u->pair->b;
}

void lab_update_deliver(lab_update *u, int i, ibk_span octets) {
    bool to_bob = (i == 0) != u->by_bob;
    ibk_time now = lab_now(to_bob ? &u->pair->bob : &u->pair->alice);
    ibk_step *step = i == 0 ? &u->answer : &u->step;
    assert_int_equal(ibk_session_recv(to_bob ? u->pair->b : u->pair->a, now, octets, step), IBK_OK);
    if (i == 0) {
        store(&u->m[1], step->message);
    }
}

void lab_update_play(lab_update *u, int upto) {
    lab_user *users[] = {&u->pair->alice, &u->pair->bob};
    for (int i = 0; i < 2; i++) {
        users[i]->utc_ns += 1000000000;
        users[i]->mono_ns += 1000000000;
    }
    ibk_time now = lab_now(users[u->by_bob]);
    assert_int_equal(ibk_session_update(lab_starter(u), now, &u->config, &u->step), IBK_OK);
    store(&u->m[0], u->step.message);
    for (int i = 0; i < upto; i++) {
        lab_update_deliver(u, i, ibk_buf_span(&u->m[i]));
    }
}

void lab_update_edited(lab_update *u, int i, lab_update_edit *change, ibk_buf *out) {
    ibk_msg msg = {0};
    assert_int_equal(ibk_msg_parse(&msg, ibk_buf_span(&u->m[i]), NULL), IBK_OK);
    change(&msg, u);
    ibk_buf_clear(out);
    assert_int_equal(ibk_msg_write(&msg, out), IBK_OK);
    ibk_msg_free(&msg);
}

lab_keys lab_keys_of(ibk_session *s, uint8_t cs_id) {
    lab_keys keys;
    assert_int_equal(ibk_session_tek(s, cs_id, keys.octets, 16, keys.octets + 16, 14), IBK_OK);
    return keys;
}

bool lab_keys_equal(const lab_keys *a, const lab_keys *b) {
    return memcmp(a, b, sizeof *a) == 0;
}

/* ---- changed messages ---------------------------------------------------------------------------------- */

void lab_expect_closed(lab_pair *pair, ibk_err reason) {
    if (pair->step.reason != reason) {
        print_message("got %s (%s), want %s\n", ibk_err_name(pair->step.reason), pair->step.diag.detail,
                      ibk_err_name(reason));
    }
    assert_int_equal(pair->step.kind, IBK_STEP_CLOSED);
    assert_int_equal(pair->step.reason, reason);
    assert_int_equal(pair->step.diag.err, reason);
}

void lab_edited(lab_pair *pair, int i, lab_edit *change, ibk_buf *out) {
    ibk_msg msg = {0};
    assert_int_equal(ibk_msg_parse(&msg, ibk_buf_span(&pair->m[i]), NULL), IBK_OK);
    change(&msg, pair);
    ibk_buf_clear(out);
    assert_int_equal(ibk_msg_write(&msg, out), IBK_OK);
    ibk_msg_free(&msg);
}

ibk_payload *lab_find(ibk_msg *msg, uint8_t type, size_t nth) {
    for (size_t i = 0; i < msg->chain.count; i++) {
        if (msg->chain.items[i].type == type && nth-- == 0) {
            return &msg->chain.items[i];
        }
    }
    fail();
    return NULL;
}

void lab_seal(lab_pair *pair, bool to_bob, const ibk_chain *content, ibk_buf *cipher) {
    lab_user *receiver = to_bob ? &pair->bob : &pair->alice;
    ibk_env env = lab_env(to_bob ? &pair->alice : &pair->bob);
    ibk_buf plain = {0}, id = {0};
    assert_int_equal(ibk_chain_write(content, &plain), IBK_OK);
    assert_int_equal(
        ibk_ibe_identity(&id, ibk_span_str(receiver->uri), receiver->granularity, receiver->utc_ns), IBK_OK);
    assert_int_equal(
        ibk_ibe_encrypt(&env, receiver->domain->params, ibk_buf_span(&id), ibk_buf_span(&plain), cipher),
        IBK_OK);
    ibk_buf_free(&plain);
    ibk_buf_free(&id);
}
