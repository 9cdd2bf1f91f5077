/* What an adversary can make of what passed its seats with what its wallet holds. While the run lasts it
 * records; at the end it tries every key on every message, every scalar with every point, and the keys that
 * follow on the very SRTP packets that it recorded. Only what opens something counts: a session key that
 * opened no packet is told of (analyst_note), and is not entered as known.
 *
 *     analyst_mikey(a, &seen);  analyst_media(a, message);   …as they pass…
 *     analyst_conclude(a);                                     its facts are in the ledger
 *
 * A fact's time is when the last of its ingredients came into the adversary's hands: a private key that it
 * breaks into later opens what it recorded before. */
#ifndef SIM_ADVERSARY_ANALYST_H
#define SIM_ADVERSARY_ANALYST_H

#include "adversary/wallet.h"

struct seen;
struct tap_message;

#define ANALYST_MAX_MIKEY    ((size_t)16 << 20) /* octets of recorded MIKEY messages */
#define ANALYST_MAX_MEDIA    ((size_t)48 << 20) /* octets of recorded media packets */
#define ANALYST_MAX_PAIRINGS 2048               /* decryptions that are tried */

typedef struct analyst analyst;

typedef struct analyst_config {
    wallet *wallet;       /* borrowed; keys that are found out are added to it */
    ledger_party *party;  /* borrowed: whose facts they are */
    int64_t start_utc_ns; /* true time at virtual time 0 */
    /* Is this RTP packet what a party of the scenario says, in clear? NULL: nobody can tell. */
    bool (*is_speech)(void *user, ibk_span rtp);
    void *user;
    size_t max_mikey, max_media; /* octets; 0: the maxima above */
} analyst_config;

ibk_err analyst_new(analyst **out, const analyst_config *config);
void analyst_free(analyst *a); /* legal on NULL */

/* ---- what passes its seats
 * ---------------------------------------------------------------------------------- */

typedef struct analyst_message {
    uint64_t at_ns;
    ibk_span octets;      /* of the MIKEY message; one that does not parse is left alone */
    const scn_call *call; /* NULL: of none of the scenario */
} analyst_message;

typedef struct analyst_packet {
    uint64_t at_ns;
    ibk_span octets;      /* RTP or SRTP; anything else is left alone */
    const scn_call *call; /* for packets in clear; NULL: not known */
} analyst_packet;

/* Copied. The same octets at several seats count once. */
void analyst_add_message(analyst *a, const analyst_message *message);
void analyst_add_packet(analyst *a, const analyst_packet *packet);

/* The same of what a tap has shown: analyst_mikey of every SIP and HTTP message (its SDP tells whose the
 * media are), analyst_media of every datagram that is neither. */
void analyst_mikey(analyst *a, const struct seen *s);
void analyst_media(analyst *a, const struct tap_message *message);

/* ---- the end
 * ------------------------------------------------------------------------------------------------ */

/* Once, when the run is over. */
void analyst_conclude(analyst *a);

typedef struct analyst_stats {
    uint64_t messages, packets;                      /* recorded */
    uint64_t messages_dropped, packets_dropped;      /* for which there was no room */
    uint64_t pairings, points, keys, opened_packets; /* tried; found; found; of SRTP, opened */
} analyst_stats;

const analyst_stats *analyst_get_stats(const analyst *a);
/* The index-th remark on what the facts do not show: "12 packets were not kept: …"; NULL beyond the last. */
const char *analyst_note(const analyst *a, size_t index);

#endif
