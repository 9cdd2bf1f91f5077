#include "fixture.h"
#include "fuzz.h"
#include "run/params_data.h"
#include "tls/pki.h"

#include <openssl/sha.h>
#include <string.h>

#define NOW_NS   INT64_C(1772442002000000000) /* 2026-03-02T09:00:02Z */
#define START_NS (NOW_NS - 2 * INT64_C(1000000000))

ibk_time fuzz_now(void) {
    return (ibk_time){.mono_ns = UINT64_C(2000000000), .utc_ns = NOW_NS};
}

/* ---- keys ---------------------------------------------------------------------------------------- */

static const run_params_set *octets_of(size_t i) {
    FUZZ_CHECK(i < run_params_set_count);
    return &run_params_sets[i];
}

const ibk_ibe_params *fuzz_params(unsigned n) {
    static ibk_ibe_params *params[3];
    for (size_t i = 0; i < sizeof params / sizeof params[0]; i++) {
        const run_params_set *set = octets_of(i);
        if (set->n != n)
            continue;
        if (!params[i])
            FUZZ_CHECK(ibk_ibe_params_parse(&params[i], ibk_span_of(set->params, set->params_len), NULL,
                                            NULL) == IBK_OK);
        return params[i];
    }
    fuzz_broken(__FILE__, __LINE__, "a ready-made parameter set");
}

const ibk_ibe_master *fuzz_master(void) {
    static ibk_ibe_master *master;
    const run_params_set *set = octets_of(0);
    if (!master)
        FUZZ_CHECK(ibk_ibe_master_parse(&master, fuzz_params(1024), ibk_span_of(set->master, set->master_len),
                                        NULL) == IBK_OK);
    return master;
}

ibk_span fuzz_bob_today(void) {
    static ibk_buf identity;
    if (identity.len == 0)
        FUZZ_CHECK(ibk_ibe_identity(&identity, ibk_span_str(FUZZ_BOB), IBK_GRANULARITY_DAY, NOW_NS) ==
                   IBK_OK);
    return ibk_buf_span(&identity);
}

/* ---- keys of anybody: those of the usual ones are built once, others are lent to one input ------------- */

enum { USUAL = 16, LENT = 32, DAYS_BEFORE = 1, DAYS_AFTER = 2 };

typedef struct holding {
    ibk_buf identity;
    ibk_ibe_key *key;
    ibk_ibe_peer *peer;
} holding;

static holding usual[USUAL], lent[LENT];
static size_t n_usual, n_lent;

static void take_back(holding *h) {
    ibk_ibe_key_free(h->key);
    ibk_ibe_peer_free(h->peer);
    ibk_buf_free(&h->identity);
    *h = (holding){0};
}

void fuzz_forget(void) {
    if (n_usual == 0) /* who only replays may keep what was made */
        return;
    for (size_t i = 0; i < LENT && i < n_lent; i++)
        take_back(&lent[i]);
    n_lent = 0;
}

static holding *find(holding *all, size_t count, ibk_span ibe_identity) {
    for (size_t i = 0; i < count; i++)
        if (ibk_span_equal(ibk_buf_span(&all[i].identity), ibe_identity))
            return &all[i];
    return NULL;
}

/* The oldest that was lent gives way. */
static holding *hold(ibk_span ibe_identity) {
    holding *h = find(usual, n_usual, ibe_identity);
    h = h ? h : find(lent, n_lent < LENT ? n_lent : LENT, ibe_identity);
    if (h)
        return h;
    h = &lent[n_lent++ % LENT];
    take_back(h);
    FUZZ_CHECK(ibk_buf_append_span(&h->identity, ibe_identity) == IBK_OK);
    return h;
}

static void make_key(holding *h) {
    if (!h->key)
        FUZZ_CHECK(ibk_ibe_extract(fuzz_params(1024), fuzz_master(), ibk_buf_span(&h->identity), &h->key) ==
                   IBK_OK);
}

static void make_peer(holding *h) {
    if (!h->peer)
        FUZZ_CHECK(ibk_ibe_peer_new(&h->peer, fuzz_params(1024), ibk_buf_span(&h->identity)) == IBK_OK);
}

const ibk_ibe_key *fuzz_key(ibk_span ibe_identity) {
    holding *h = hold(ibe_identity);
    make_key(h);
    return h->key;
}

const ibk_ibe_peer *fuzz_peer(ibk_span ibe_identity) {
    holding *h = hold(ibe_identity);
    make_peer(h);
    return h->peer;
}

const ibk_ibe_key *fuzz_bob_key(void) {
    return fuzz_key(fuzz_bob_today());
}

static void build_usual(const char *uri) {
    for (int day = -DAYS_BEFORE; day <= DAYS_AFTER; day++) {
        holding *h = &usual[n_usual++];
        FUZZ_CHECK(n_usual <= USUAL);
        FUZZ_CHECK(ibk_ibe_identity(&h->identity, ibk_span_str(uri), IBK_GRANULARITY_DAY,
                                    NOW_NS + day * INT64_C(86400000000000)) == IBK_OK);
        make_key(h);
        make_peer(h);
    }
}

/* ---- certificates -------------------------------------------------------------------------------- */

static pki *certificates(void) {
    static pki *made;
    if (!made)
        FUZZ_CHECK(pki_new(&made, FUZZ_SEED, START_NS) == IBK_OK);
    return made;
}

ibk_span fuzz_anchor(void) {
    ibk_span anchor = pki_trust_anchor(certificates());
    FUZZ_CHECK(anchor.len > 0);
    return anchor;
}

ibk_kms_key_pair fuzz_kms_pair(void) {
    static pki_credential kms;
    if (kms.certificate.len == 0)
        FUZZ_CHECK(pki_issue_kms(certificates(), PKI_TRUSTED, FUZZ_KMS, &kms) == IBK_OK);
    return (ibk_kms_key_pair){.certificate = ibk_buf_span(&kms.certificate),
                              .private_key = ibk_buf_span(&kms.private_key)};
}

/* ---- before the first input --------------------------------------------------------------------------- */

/* Whatever is built at first use would make one input run through other code than the same input later; AFL++
 * counts that as instability. libFuzzer and AFL++ call this by its name.
 */
int LLVMFuzzerInitialize(int *argc, char ***argv) {
    (void)argc;
    (void)argv;
    for (size_t i = 0; i < run_params_set_count; i++)
        (void)fuzz_params(run_params_sets[i].n);
    (void)fuzz_kms_pair();
    (void)fuzz_bob_today();
    if (n_usual == 0) {
        build_usual(FUZZ_ALICE);
        build_usual(FUZZ_BOB);
        build_usual(FUZZ_MAILBOX);
    }
    return 0;
}

/* ---- randomness and memory of one input -------------------------------------------------------------- */

/* SHA-256 over label, draw and block. */
static ibk_err draw(void *user, ibk_draw_label label, uint8_t *out, size_t len) {
    fuzz_random *random = user;
    uint64_t block[3] = {(uint64_t)label, ++random->draws, 0};
    for (size_t at = 0; at < len; at += SHA256_DIGEST_LENGTH, block[2]++) {
        uint8_t hash[SHA256_DIGEST_LENGTH];
        if (!SHA256((const uint8_t *)block, sizeof block, hash))
            return IBK_ERR_RANDOM;
        memcpy(out + at, hash, len - at < sizeof hash ? len - at : sizeof hash);
    }
    return IBK_OK;
}

ibk_env fuzz_env(fuzz_random *random) {
    return (ibk_env){.user = random, .draw = draw};
}

ibk_replay_cache *fuzz_replay_cache(void) {
    ibk_replay_cache *cache;
    FUZZ_CHECK(ibk_replay_cache_new(&cache, &(ibk_replay_config){.max_entries = 8}) == IBK_OK);
    return cache;
}
