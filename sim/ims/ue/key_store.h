/* The private keys of a UE over time (RFC 6267 §4.2.1.4: what a response brings is stored). A key is for one
 * period (P-9). It is of use from the allowed clock skew before that period to the skew after it, since a
 * peer's clock may be ahead or behind by so much, and for messages that are delivered later (RFC 6267 §3.3)
 * as long as the user wishes; then it is wiped: whoever takes the UE later cannot read what was sent to it
 * before. Without timers: the owner asks when the next key lapses. Times are ns since 1970 UTC on the UE's
 * own clock. */
#ifndef IMS_UE_KEY_STORE_H
#define IMS_UE_KEY_STORE_H

#include <ibake.h>

/* Two whole answers of a KMS. */
#define KEY_STORE_MAX (2 * IBK_KMS_MAX_KEYS)

typedef struct key_store key_store;

/* `granularity`: of the KMS that issues the keys; `keep_ns` >= 0: from the end of a key's period until it
 * lapses. */
ibk_err key_store_new(key_store **out, ibk_granularity granularity, int64_t keep_ns);
void key_store_free(key_store *s); /* wipes the keys; legal on NULL */

/* Takes the keys out of the list; one that is there already is replaced. `params` (borrowed) is what they
 * belong to. What is more than KEY_STORE_MAX is wiped, the keys of the latest periods first; *refused (may be
 * NULL) counts those. IBK_ERR_BAD_VALUE: an IBE identity without a date of this granularity; nothing was
 * taken. */
ibk_err key_store_add(key_store *s, ibk_key_list *keys, const ibk_ibe_params *params, size_t *refused);

/* The key of an IBE identity, borrowed until it lapses; NULL: none. */
const ibk_ibe_key *key_store_find(const key_store *s, ibk_span ibe_identity, const ibk_ibe_params **params);
size_t key_store_count(const key_store *s);
/* The index-th key, by period; NULL beyond the last. */
const ibk_ibe_key *key_store_at(const key_store *s, size_t index, const ibk_ibe_params **params);
ibk_span key_store_identity_at(const key_store *s,
                               size_t index); /* its IBE identity; empty beyond the last */

/* Wipes what has lapsed at utc_ns; returns how many keys. */
size_t key_store_drop_lapsed(key_store *s, int64_t utc_ns);
/* When key_store_drop_lapsed will find something; INT64_MAX: the store is empty. */
int64_t key_store_next_lapse(const key_store *s);

/* The first instant from utc_ns on for which there is no key of the identity `id` (ID data without a date).
 */
int64_t key_store_covered_until(const key_store *s, ibk_span id, int64_t utc_ns);

#endif
