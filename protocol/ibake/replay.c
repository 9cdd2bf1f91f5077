/* The replay cache (RFC 3830 §5.4): a hash table of what was accepted, with the time at which each entry
 * lapses. */
#include <ibake/exchange.h>

#include <openssl/sha.h>
#include <stdlib.h>
#include <string.h>

#define DAY_NS (86400 * INT64_C(1000000000))

typedef struct entry {
    uint8_t hash[SHA256_DIGEST_LENGTH];
    int64_t lapses_ns; /* wall clock; a replay after that fails by its T */
    uint32_t next;     /* index + 1 of the next entry in its bucket or in the free list; 0 ends it */
} entry;

struct ibk_replay_cache {
    int64_t skew_ns, counter_life_ns;
    size_t max_entries, count;
    entry *entries; /* grows up to max_entries */
    uint32_t *buckets;
    size_t capacity; /* of both; a power of two, or 0 */
    uint32_t free_list;
    size_t used;           /* entries below this index have been in use */
    int64_t next_sweep_ns; /* nothing lapses before */
    bool forgot;           /* the memory of before `forgot_ns` is lost */
    int64_t forgot_ns;
};

ibk_err ibk_replay_cache_new(ibk_replay_cache **out, const ibk_replay_config *config) {
    ibk_replay_config c = config ? *config : (ibk_replay_config){0};
    if (c.max_entries > IBK_REPLAY_MAX_ENTRIES || c.skew_ns < 0 || c.counter_life_ns < 0) {
        return IBK_ERR_USAGE;
    }
    ibk_replay_cache *cache = calloc(1, sizeof *cache);
    if (!cache) {
        return IBK_ERR_NO_MEMORY;
    }
    cache->max_entries = c.max_entries ? c.max_entries : IBK_REPLAY_DEFAULT_ENTRIES;
    cache->skew_ns = c.skew_ns ? c.skew_ns : IBK_REPLAY_DEFAULT_SKEW_NS;
    cache->counter_life_ns = c.counter_life_ns ? c.counter_life_ns : 32 * DAY_NS;
    cache->next_sweep_ns = INT64_MAX;
    *out = cache;
    return IBK_OK;
}

void ibk_replay_cache_free(ibk_replay_cache *cache) {
    if (cache) {
        free(cache->entries);
        free(cache->buckets);
        free(cache);
    }
}

int64_t ibk_replay_cache_skew(const ibk_replay_cache *cache) {
    return cache ? cache->skew_ns : IBK_REPLAY_DEFAULT_SKEW_NS;
}

size_t ibk_replay_cache_count(const ibk_replay_cache *cache) {
    return cache->count;
}

void ibk_replay_cache_forget(ibk_replay_cache *cache, int64_t utc_ns) {
    if (cache->buckets) {
        memset(cache->buckets, 0, cache->capacity * sizeof *cache->buckets);
    }
    cache->count = cache->used = 0;
    cache->free_list = 0;
    cache->next_sweep_ns = INT64_MAX;
    cache->forgot_ns = cache->forgot && cache->forgot_ns > utc_ns ? cache->forgot_ns : utc_ns;
    cache->forgot = true;
}

/* ---- the table ---------------------------------------------------------------------------------- */

static size_t bucket_of(const ibk_replay_cache *cache, const uint8_t *hash) {
    uint32_t word;
    memcpy(&word, hash, sizeof word);
    return word & (cache->capacity - 1);
}

static void link_entry(ibk_replay_cache *cache, uint32_t index) {
    uint32_t *bucket = &cache->buckets[bucket_of(cache, cache->entries[index].hash)];
    cache->entries[index].next = *bucket;
    *bucket = index + 1;
}

static bool contains(const ibk_replay_cache *cache, const uint8_t *hash) {
    if (cache->capacity == 0) {
        return false;
    }
    for (uint32_t i = cache->buckets[bucket_of(cache, hash)]; i; i = cache->entries[i - 1].next) {
        if (memcmp(cache->entries[i - 1].hash, hash, SHA256_DIGEST_LENGTH) == 0) {
            return true;
        }
    }
    return false;
}

/* Drops what has lapsed. Amortised: runs only when the oldest entry can have lapsed. */
static void sweep(ibk_replay_cache *cache, int64_t utc_ns) {
    if (utc_ns <= cache->next_sweep_ns) {
        return;
    }
    cache->next_sweep_ns = INT64_MAX;
    for (size_t b = 0; b < cache->capacity; b++) {
        uint32_t *at = &cache->buckets[b];
        while (*at) {
            entry *e = &cache->entries[*at - 1];
            if (e->lapses_ns >= utc_ns) {
                cache->next_sweep_ns =
                    e->lapses_ns < cache->next_sweep_ns ? e->lapses_ns : cache->next_sweep_ns;
                at = &e->next;
                continue;
            }
            uint32_t index = *at;
            *at = e->next;
            e->next = cache->free_list;
            cache->free_list = index;
            cache->count--;
        }
    }
}

static ibk_err grow(ibk_replay_cache *cache) {
    size_t capacity = cache->capacity ? cache->capacity * 2 : 16;
    uint32_t *buckets = calloc(capacity, sizeof *buckets);
    entry *entries = buckets ? realloc(cache->entries, capacity * sizeof *entries) : NULL;
    if (!entries) {
        free(buckets);
        return IBK_ERR_NO_MEMORY;
    }
    free(cache->buckets);
    cache->buckets = buckets;
    cache->entries = entries;
    cache->capacity = capacity;
    for (uint32_t i = 0; i < cache->used; i++) { /* the free list is empty when we grow */
        link_entry(cache, i);
    }
    return IBK_OK;
}

/* ---- check and add -------------------------------------------------------------------------------- */

/* When a replay of this T fails by its T alone. */
static ibk_err lapse_time(const ibk_replay_cache *cache, int64_t *lapses_ns, const ibk_t *t, int64_t utc_ns) {
    if (t->ts_type == IBK_TS_COUNTER) {
        int64_t life_ns = cache ? cache->counter_life_ns : 0;
        return __builtin_add_overflow(utc_ns, life_ns, lapses_ns) ? IBK_ERR_USAGE : IBK_OK;
    }
    int64_t t_ns, distance, skew_ns = ibk_replay_cache_skew(cache);
    ibk_err err = ibk_t_to_utc(&t_ns, t, utc_ns); /* the nearest era (RFC 3830 §4.2.8, N23) */
    if (err) {
        return err;
    }
    if (__builtin_sub_overflow(t_ns, utc_ns, &distance) || distance > skew_ns || distance < -skew_ns) {
        return IBK_ERR_CLOCK_SKEW;
    }
    return __builtin_add_overflow(t_ns, skew_ns, lapses_ns) ? IBK_ERR_CLOCK_SKEW : IBK_OK;
}

/* Not later than `from_ns + span_ns`; an end of time that cannot be named is never reached. */
static bool within(int64_t at_ns, int64_t from_ns, int64_t span_ns) {
    int64_t end_ns;
    return __builtin_add_overflow(from_ns, span_ns, &end_ns) || at_ns <= end_ns;
}

/* Can the lost memory have held a message with this T? What was accepted until `forgot_ns` has a T of at most
 * the skew after it; RFC 3830 §5.4 wants everything refused for the time of the skew as well. */
static bool is_forgotten(const ibk_replay_cache *cache, const ibk_t *t, int64_t lapses_ns, int64_t utc_ns) {
    if (!cache || !cache->forgot) {
        return false;
    }
    if (t->ts_type == IBK_TS_COUNTER) {
        return within(utc_ns, cache->forgot_ns, cache->counter_life_ns);
    }
    return within(utc_ns, cache->forgot_ns, cache->skew_ns) ||
           within(lapses_ns - cache->skew_ns, cache->forgot_ns, cache->skew_ns);
}

static ibk_err check_t(const ibk_replay_cache *cache, int64_t *lapses_ns, const ibk_t *t, int64_t utc_ns) {
    ibk_err err = lapse_time(cache, lapses_ns, t, utc_ns);
    return !err && is_forgotten(cache, t, *lapses_ns, utc_ns) ? IBK_ERR_REPLAYED : err;
}

ibk_err ibk_replay_check(ibk_replay_cache *cache, const ibk_t *t, ibk_span octets, int64_t utc_ns) {
    int64_t lapses_ns;
    ibk_err err = check_t(cache, &lapses_ns, t, utc_ns);
    if (err || !cache) {
        return err;
    }
    uint8_t hash[SHA256_DIGEST_LENGTH];
    if (!SHA256(octets.data, octets.len,
                hash)) { /* it allocates: what cannot be looked up is not taken for new */
        return IBK_ERR_NO_MEMORY;
    }
    sweep(cache, utc_ns);
    return contains(cache, hash) ? IBK_ERR_REPLAYED : IBK_OK;
}

ibk_err ibk_replay_add(ibk_replay_cache *cache, const ibk_t *t, ibk_span octets, int64_t utc_ns) {
    int64_t lapses_ns;
    ibk_err err = check_t(cache, &lapses_ns, t, utc_ns);
    if (err) {
        return err;
    }
    sweep(cache, utc_ns);
    uint8_t hash[SHA256_DIGEST_LENGTH];
    if (!SHA256(octets.data, octets.len, hash)) {
        return IBK_ERR_NO_MEMORY;
    }
    if (contains(cache, hash)) {
        return IBK_ERR_REPLAYED;
    }
    if (cache->count >= cache->max_entries) {
        return IBK_ERR_CACHE_FULL;
    }
    if (!cache->free_list && cache->used == cache->capacity && (err = grow(cache)) != IBK_OK) {
        return err;
    }
    uint32_t index = cache->free_list ? cache->free_list - 1 : (uint32_t)cache->used++;
    entry *e = &cache->entries[index];
    if (cache->free_list) {
        cache->free_list = e->next;
    }
    memcpy(e->hash, hash, sizeof hash);
    e->lapses_ns = lapses_ns;
    link_entry(cache, index);
    cache->count++;
    cache->next_sweep_ns = lapses_ns < cache->next_sweep_ns ? lapses_ns : cache->next_sweep_ns;
    return IBK_OK;
}
