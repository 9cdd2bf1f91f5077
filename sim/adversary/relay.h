/* Media between the two exchanges of a man in the middle: SRTP and SRTCP under the keys of the one go on
 * under those of the other, so that the two hear each other and notice nothing. And media of its own, in
 * another's name. */
#ifndef SIM_ADVERSARY_RELAY_H
#define SIM_ADVERSARY_RELAY_H

#include "adversary/craft.h"
#include "adversary/told.h"

typedef struct relay relay;

/* Both are borrowed. `t` are streams whose keys it has though it is not in their middle; NULL: there are
 * none. */
ibk_err relay_new(relay **out, craft *c, const told *t);
void relay_free(relay *r);

/* A packet that passes: what goes on in its place is appended. Nothing is appended to one that is none of a
 * call in whose middle it sits, or that its keys do not open (its own, seen again at a further seat, or a
 * repetition). */
ibk_err relay_media(relay *r, ibk_span packet, ibk_buf *out);

/* A packet after `last` (SRTP of a stream that it knows the keys of) with the payload in clear, sequence
 * number and timestamp `ahead` packets later, protected for its receiver; appended. IBK_ERR_NO_KEY: it has no
 * keys for that stream. IBK_ERR_BAD_LENGTH, BAD_VALUE: `last` is no RTP packet. */
typedef struct relay_speech {
    ibk_span last;
    uint16_t ahead;
    ibk_span payload; /* as long as those of the stream; it takes that many units of the RTP clock */
} relay_speech;
ibk_err relay_forge(relay *r, const relay_speech *speech, ibk_buf *out);

typedef struct relay_stats {
    uint64_t relayed, left_alone, forged; /* packets */
} relay_stats;
const relay_stats *relay_get_stats(const relay *r);

#endif
