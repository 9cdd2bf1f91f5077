/* One party's end of a stream: G.711 or pictures in RTP with RTCP beside it, protected by libsrtp2 with the
 * keys that MIKEY-IBAKE derived, and with other ones later (rekeying). No sockets, no clock: packets and
 * times go in and out. */
#ifndef IMS_MEDIA_STREAM_H
#define IMS_MEDIA_STREAM_H

#include "ims/media/source.h"

#define MEDIA_PACKET_MAX 1500 /* octets of the largest packet that media_stream_* writes or accepts */

/* SRTP master key and salt of one crypto session: TEK and salt of RFC 3830 §4.1.3, for
 * AES_CM_128_HMAC_SHA1_80. */
typedef struct media_keys {
    uint8_t key[16], salt[14];
} media_keys;

/* What a payload turned out to be. */
typedef enum media_verdict {
    MEDIA_UNREAD = 0, /* not looked into, or nothing to hold it against */
    MEDIA_SAME,       /* what the source says */
    MEDIA_OTHER,      /* readable, and something else */
    MEDIA_REFUSED     /* it cannot be opened */
} media_verdict;

/* Payloads that this end does not make or read itself: content under a key of its own (media/content). */
typedef struct media_content {
    void *user;
    uint8_t payload_type; /* of the packets that carry it */
    /* The next payload to send, in place of the source's; false: there is none now. NULL: the source speaks.
     */
    bool (*next)(void *user, uint8_t out[MEDIA_PACKET_MAX], size_t *len);
    /* A payload that came; it counts as compared unless UNREAD. NULL: refused, as any other payload type. */
    media_verdict (*take)(void *user, ibk_span payload);
} media_content;

/* What SRTP leaves out: the NULL algorithms of a policy (RFC 3711 §4.1.3, §9.5). */
typedef struct media_weakness {
    bool unencrypted, unauthenticated;
} media_weakness;

typedef struct media_config {
    media_source *source;   /* what this end says; retained */
    media_source *expected; /* what the other end says, or NULL: content is not compared; retained */
    unsigned ptime_ms;      /* 10, 20, 30, 40, 60 */
    uint32_t ssrc;
    uint32_t peer_ssrc;           /* what is received carries it, by the map of the exchange; 0: any */
    uint16_t first_sequence;      /* below 2^15, RFC 3711 §3.3.1 */
    uint32_t first_timestamp;     /* RTP clock at the first packet, and with it the place in the source */
    const char *cname;            /* borrowed for the stream's life */
    const media_content *content; /* NULL: none; copied */
    unsigned tag_len; /* octets of the SRTP authentication tag: 10 (also 0), or 4; SRTCP's is always 10 */
    media_weakness weakness;
    const media_keys *send_keys,
        *receive_keys; /* both or neither; copied into libsrtp, not kept. NULL: plain RTP */
} media_config;

typedef struct media_stats {
    uint64_t sent, received;     /* packets; received: accepted */
    uint64_t octets;             /* of payload accepted */
    uint64_t lost;               /* by sequence number, up to the highest one accepted */
    uint64_t auth_failures;      /* refused by the authentication tag */
    uint64_t replays, malformed; /* refused otherwise */
    uint64_t compared;           /* accepted packets held against `expected` … */
    uint64_t mismatches;         /* … and found to differ */
    uint64_t jitter_ns;          /* RFC 3550 §6.4.1 */
    uint64_t rtcp_sent, rtcp_received, rtcp_refused;
    uint64_t first_accepted_ns; /* virtual time; valid when received > 0 */
} media_stats;

typedef struct media_stream media_stream;

/* libsrtp2's own global state, once a process. False: libsrtp's self-tests failed. */
bool media_library_start(void);
void media_library_stop(void);
const char *media_library_version(void);

ibk_err media_stream_new(media_stream **out, const media_config *config);
void media_stream_free(media_stream *stream); /* libsrtp wipes the keys */

/* ---- rekeying
 * ----------------------------------------------------------------------------------------------
 *
 * Old and new keys overlap. The receiver takes a packet that authenticates under any of its keys, the newest
 * tried first, until media_stream_retire; sequence numbers, ROC and SRTCP index go on (RFC 3711 §3.3.1,
 * §3.2.3, §3.4). */

#define MEDIA_KEYS_MAX 4 /* that a receiver holds at once; a further one displaces the oldest */

/* From now on packets go out under these keys. Copied into libsrtp, not kept. IBK_ERR_USAGE: plain RTP. */
ibk_err media_stream_send_keys(media_stream *stream, const media_keys *keys);
/* From now on packets under these keys are accepted as well. */
ibk_err media_stream_receive_keys(media_stream *stream, const media_keys *keys);
/* An RTP or RTCP packet was accepted under the newest receive keys: the peer has them. */
bool media_stream_newest_heard(const media_stream *stream);
/* Forgets all receive keys but the newest; libsrtp wipes them. */
void media_stream_retire(media_stream *stream);
unsigned media_stream_keys_held(const media_stream *stream); /* of the receiver; 0: plain RTP */

/* The next RTP packet, due every ptime. IBK_ERR_STATE: the content that this end sends has come to its end.
 */
ibk_err media_stream_send(media_stream *stream, uint8_t out[MEDIA_PACKET_MAX], size_t *len);
/* An RTCP compound packet; utc_ns is the node's wall clock. */
ibk_err media_stream_send_rtcp(media_stream *stream, uint64_t now_ns, int64_t utc_ns,
                               uint8_t out[MEDIA_PACKET_MAX], size_t *len);

/* IBK_OK: accepted and counted; else the reason of the refusal (BAD_MAC, REPLAYED, BAD_VALUE …), counted too.
 */
ibk_err media_stream_receive(media_stream *stream, uint64_t now_ns, const uint8_t *packet, size_t len);
ibk_err media_stream_receive_rtcp(media_stream *stream, uint64_t now_ns, const uint8_t *packet, size_t len);

const media_stats *media_stream_stats(const media_stream *stream);

#endif
