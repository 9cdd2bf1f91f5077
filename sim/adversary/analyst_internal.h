/* What the files of the analyst share; nobody else includes it. */
#ifndef SIM_ADVERSARY_ANALYST_INTERNAL_H
#define SIM_ADVERSARY_ANALYST_INTERNAL_H

#include "adversary/analyst.h"
#include "ims/media/stream.h"
#include "ns3shim/n3.h"

#define AN_BUCKETS   1024
#define AN_TGK_LEN   32
#define AN_NOTES_MAX 32
#define AN_PLACES    256

/* Where a thing comes from: of which moment, how, in words. */
typedef struct an_source {
    uint64_t at_ns;
    ledger_how how;
    char step[LEDGER_STEP_MAX];
} an_source;

typedef struct an_message {
    struct an_message *next; /* of the exchange, in order */
    uint64_t at_ns;
    const scn_call *call;
    ibk_buf octets;
    ibk_msg msg; /* borrows from octets */
} an_message;

typedef struct an_point {
    ibk_ec_point point;
    bool responders, own, small;
    const scn_call *call;
    an_source source;
} an_point;

/* A candidate for the keys of an exchange: what opens SRTP is proven. */
typedef struct an_key {
    uint8_t tgk[AN_TGK_LEN];
    uint8_t prf;
    ibk_span rand; /* borrowed from a message */
    bool fits_v;   /* a V of this exchange is made with the K_SESSION that it comes from */
    bool proven;
    an_source source;
} an_key;

/* All messages with one CSB ID, whatever call they passed in. */
typedef struct an_exchange {
    struct an_exchange *next_in_bucket, *next; /* in the order of their first messages */
    uint32_t csb_id;
    an_message *messages, **end;
    an_point *points;
    size_t point_count, point_cap;
    an_key *keys;
    size_t key_count, key_cap;
} an_exchange;

/* Media packets of one SSRC, in the order in which they came. */
typedef struct an_packet {
    uint64_t at_ns;
    size_t at, len; /* in `octets` */
    uint32_t roc;
} an_packet;

typedef struct an_stream {
    struct an_stream *next_in_bucket, *next;
    uint32_t ssrc;
    bool clear;       /* what is said can be heard as it is */
    uint32_t highest; /* extended sequence number */
    ibk_buf octets;
    an_packet *packets;
    size_t packet_count, packet_cap;
} an_stream;

/* An opened SK. */
typedef struct an_sk {
    ibk_buf sk;
    const scn_call *call;
    an_source source;
    bool proven;
} an_sk;

/* Where media of a call go, by its SDP. */
typedef struct an_place {
    n3_endpoint to;
    const scn_call *call;
} an_place;

struct analyst {
    analyst_config config;
    analyst_stats stats;
    an_exchange *buckets[AN_BUCKETS], *exchanges, **exchanges_end;
    an_stream *stream_buckets[AN_BUCKETS], *streams, **streams_end;
    size_t mikey_octets, media_octets;
    an_sk *sks;
    size_t sk_count, sk_cap;
    an_place places[AN_PLACES]; /* a ring: the latest ones */
    size_t place_count;
    char notes[AN_NOTES_MAX][LEDGER_STEP_MAX];
    size_t note_count;
    bool concluded;
};

/* One more element at the end of an array; false: out of memory, which is noted. */
bool an_make_room(analyst *a, void *array, size_t count, size_t *cap, size_t size);
void an_note(analyst *a, const char *text, ...) __attribute__((format(printf, 2, 3)));
an_source an_source_of(uint64_t at_ns, ledger_how how, const char *step, ...)
    __attribute__((format(printf, 3, 4)));
void an_enter(analyst *a, scn_thing what, const scn_call *call, const an_source *source);
/* The call of the first message that belongs to one. */
const scn_call *an_call_of(const an_exchange *e);
uint64_t an_later(uint64_t a, uint64_t b);

/* ---- analyst_requests.c: answers to key requests under PSKs that are held --------------------------------
 */
void an_open_answers(analyst *a);

/* ---- analyst_open.c: IBAKE and ESK --------------------------------------------------------------------- */
void an_open_all(analyst *a);
/* One that is there already keeps the earlier source. Entered, unless it is the adversary's own. */
void an_add_point(analyst *a, an_exchange *e, const an_point *point);

/* ---- analyst_keys.c: from points and scalars to TGKs --------------------------------------------------- */
void an_find_keys(analyst *a);
/* A candidate from K_SESSION, under each PRF and RAND of the exchange. `only_if_v`: if it fits a V. True: it
 * does. */
bool an_add_k_session(analyst *a, an_exchange *e, ibk_span k_session, const an_source *source,
                      bool only_if_v);

/* ---- analyst_media.c: SRTP -------------------------------------------------------------------------------
 */
void an_open_media(analyst *a);
void an_free_streams(analyst *a);
/* Do these keys open a packet of a crypto session of the exchange? Tries few of them. */
bool an_probe(analyst *a, const an_exchange *e, const an_key *key);

/* ---- small_group.c
 * ----------------------------------------------------------------------------------------- */
#define AN_SMALL_GROUP_MAX 65536
/* Calls `each` with every multiple of the point, computed with the formulas of y² = x³ + ax + b of this
 * curve, which do without b; stops when it returns true, at infinity, or after AN_SMALL_GROUP_MAX.
 * IBK_ERR_USAGE: not 04 || X || Y of a known curve; BAD_VALUE: coordinates not below p. */
ibk_err an_multiples(const ibk_ec_point *point, bool (*each)(void *user, ibk_span multiple), void *user);

#endif
