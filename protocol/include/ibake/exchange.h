/* ibakelab: what sessions, key requests and the KMS share: identities and the IBE identities made of them
 * (P-9), timestamps that never repeat, and the replay cache (RFC 3830 §5.4). Times are ns since 1970 UTC on
 * the node's own wall clock (ibk_time.utc_ns). */
#ifndef IBAKE_EXCHANGE_H
#define IBAKE_EXCHANGE_H

#include <ibake/mikey.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- identities ------------------------------------------------------------------------------- */

#define IBK_IDENTITY_MAX 1024 /* octets of ID data that an exchange accepts */
#define IBK_DATE_MAX     10   /* digits of the longest date */

/* What an IDR payload says, without its role. Borrowed octets. */
typedef struct ibk_identity {
    uint8_t id_type; /* enum ibk_id_type */
    ibk_span id;     /* "sip:alice@home.example" */
} ibk_identity;

ibk_identity ibk_identity_uri(const char *uri);                        /* of type URI; borrows the text */
bool ibk_identity_equal(const ibk_identity *a, const ibk_identity *b); /* type and octets */

/* How long an IBE key is for (P-9). It is a setting of the KMS; every user of a KMS has the same. */
typedef enum ibk_granularity {
    IBK_GRANULARITY_DAY = 0, /* YYYYMMDD */
    IBK_GRANULARITY_HOUR,    /* YYYYMMDDHH */
    IBK_GRANULARITY_MONTH    /* YYYYMM */
} ibk_granularity;

size_t ibk_granularity_digits(ibk_granularity granularity); /* 8, 10, 6 */

/* P-9: appends ID data octets || date of utc_ns in UTC. IBK_ERR_LIMIT: id longer than IBK_IDENTITY_MAX;
 * IBK_ERR_USAGE: a year outside 1970 to 9999. */
ibk_err ibk_ibe_identity(ibk_buf *out, ibk_span id, ibk_granularity granularity, int64_t utc_ns);
/* The ID data octets that an IBE identity begins with (borrowed), and the first instant of its period.
 * IBK_ERR_BAD_VALUE: it does not end in a date of that granularity (to 2261), or nothing precedes the date.
 */
ibk_err ibk_ibe_identity_split(ibk_span *id, int64_t *start_ns, ibk_span ibe_identity,
                               ibk_granularity granularity);
/* The first instant of the period that utc_ns lies in, and the first one after it. */
int64_t ibk_period_start(ibk_granularity granularity, int64_t utc_ns);
int64_t ibk_period_end(ibk_granularity granularity, int64_t utc_ns);

/* ---- timestamps of our own messages -------------------------------------------------------------- */

/* RFC 3830 §5.2: every message of an initiator has a T of its own. One for each node, owned by the node; the
 * zero value is ready. If the clock stands still or was set back by up to a minute, the last value counts on
 * by its least unit (2^-32 s; one second for NTP-UTC-32), but never further ahead of the clock than
 * `ahead_ns`: others would refuse it (P-27). Set back further, the clock is believed. */
typedef struct ibk_timestamps {
    uint64_t last[4]; /* by ts_type, the last value used; COUNTER: may be restored from storage */
    bool used[4];
    int64_t clock_ns; /* the latest that the clock has shown since it was believed */
    int64_t ahead_ns; /* how far T may run ahead of it; 0: half of IBK_REPLAY_DEFAULT_SKEW_NS */
} ibk_timestamps;

/* IBK_ERR_UNSUPPORTED: unknown type. IBK_ERR_LIMIT: COUNTER is used up, or no unused value lies within
 * `ahead_ns` of the clock: more messages a second than the type tells apart. Nothing has changed then; the
 * next second brings another one. */
ibk_err ibk_timestamps_next(ibk_timestamps *timestamps, ibk_t *out, uint8_t ts_type, int64_t utc_ns);

/* ---- replay cache ---------------------------------------------------------------------------------- */

/* One for each node, shared by its sessions or its KMS. Holds SHA-256 hashes of messages that were accepted,
 * until their T lies outside the allowed skew (a replay then fails by its T alone). Not for several threads
 * at once. */
typedef struct ibk_replay_cache ibk_replay_cache;

#define IBK_REPLAY_DEFAULT_ENTRIES 4096
#define IBK_REPLAY_MAX_ENTRIES     ((size_t)1 << 20)
#define IBK_REPLAY_DEFAULT_SKEW_NS (300 * INT64_C(1000000000)) /* five minutes either way */

typedef struct ibk_replay_config {
    size_t max_entries;      /* 0: IBK_REPLAY_DEFAULT_ENTRIES */
    int64_t skew_ns;         /* allowed difference between T and our clock, either way; 0: the default */
    int64_t counter_life_ns; /* COUNTER is no time: how long such an entry stays; 0: 32 days, longer than an
                                IBE key of any granularity lives */
} ibk_replay_config;

ibk_err ibk_replay_cache_new(ibk_replay_cache **out,
                             const ibk_replay_config *config); /* config may be NULL */
void ibk_replay_cache_free(ibk_replay_cache *cache);
int64_t ibk_replay_cache_skew(const ibk_replay_cache *cache); /* ns; NULL: the default */
size_t ibk_replay_cache_count(const ibk_replay_cache *cache);
/* Empties it at utc_ns: for a node that has lost its memory, or starts again without that of its earlier
 * life. RFC 3830 §5.4: until the skew has passed everything is refused; after that, whatever might have been
 * accepted before: every T up to utc_ns + skew. A COUNTER is no time: all of them are refused as long as an
 * entry of one would have stayed. */
void ibk_replay_cache_forget(ibk_replay_cache *cache, int64_t utc_ns);

/* RFC 3830 §5.3: before any other check. IBK_ERR_CLOCK_SKEW: T differs from utc_ns by more than the skew, in
 * the NTP era nearest to utc_ns (§4.2.8). IBK_ERR_REPLAYED: `octets` were added before, or
 * may have been before ibk_replay_cache_forget. Entries that have lapsed at utc_ns are dropped. A cache of
 * NULL knows no message: T alone is checked, with the default skew.
 */
ibk_err ibk_replay_check(ibk_replay_cache *cache, const ibk_t *t, ibk_span octets, int64_t utc_ns);
/* After authentication (P-15). IBK_ERR_CACHE_FULL: the message has to be refused, for it could be replayed.
 */
ibk_err ibk_replay_add(ibk_replay_cache *cache, const ibk_t *t, ibk_span octets, int64_t utc_ns);

#ifdef __cplusplus
}
#endif
#endif
