/* The hash functions of RFC 5091 §4 on OpenSSL's digests. */
#ifndef IBE_HASH_H
#define IBE_HASH_H

#include "ibe/fp.h"
#include <ibake/ibe.h>

/* A digest fetched once, with the context that it runs in. Not shared between threads. */
typedef struct ibk_hasher {
    void *md_ctx;
    const void *md;
    size_t len;
} ibk_hasher;

ibk_err ibk_hasher_init(ibk_hasher *h, ibk_ibe_hash hash);
void ibk_hasher_free(ibk_hasher *h);
/* hash(a || b || c) */
ibk_err ibk_hasher_run(ibk_hasher *h, uint8_t *out, ibk_span a, ibk_span b, ibk_span c);
/* The 2 hashlen octets of HashToRange before the reduction. */
ibk_err ibk_hash_range_octets(ibk_hasher *h, uint8_t *out, ibk_span s, ibk_span s_more);
/* out = HashBytes(len, p) XOR in; in may be NULL for zeros, or out. */
ibk_err ibk_hash_bytes_xor(ibk_hasher *h, uint8_t *out, const uint8_t *in, size_t len, ibk_span p);

#endif
