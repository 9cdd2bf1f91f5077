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

const ibk_ibe_key *fuzz_bob_key(void) {
    static ibk_ibe_key *key;
    if (!key)
        FUZZ_CHECK(ibk_ibe_extract(fuzz_params(1024), fuzz_master(), fuzz_bob_today(), &key) == IBK_OK);
    return key;
}

/* ---- keys on demand: made when first asked for; the oldest gives way -------------------------------- */

enum { KEPT = 32 };

typedef struct kept {
    ibk_buf identity;
    ibk_ibe_key *key;
    ibk_ibe_peer *peer;
} kept;

static kept *keep(ibk_span ibe_identity) {
    static kept all[KEPT];
    static size_t next;
    for (size_t i = 0; i < KEPT; i++)
        if (all[i].identity.len > 0 && ibk_span_equal(ibk_buf_span(&all[i].identity), ibe_identity))
            return &all[i];
    kept *k = &all[next++ % KEPT];
    ibk_ibe_key_free(k->key);
    ibk_ibe_peer_free(k->peer);
    k->key = NULL;
    k->peer = NULL;
    ibk_buf_clear(&k->identity);
    FUZZ_CHECK(ibk_buf_append_span(&k->identity, ibe_identity) == IBK_OK);
    return k;
}

const ibk_ibe_key *fuzz_key(ibk_span ibe_identity) {
    kept *k = keep(ibe_identity);
    if (!k->key)
        FUZZ_CHECK(ibk_ibe_extract(fuzz_params(1024), fuzz_master(), ibe_identity, &k->key) == IBK_OK);
    return k->key;
}

const ibk_ibe_peer *fuzz_peer(ibk_span ibe_identity) {
    kept *k = keep(ibe_identity);
    if (!k->peer)
        FUZZ_CHECK(ibk_ibe_peer_new(&k->peer, fuzz_params(1024), ibe_identity) == IBK_OK);
    return k->peer;
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
