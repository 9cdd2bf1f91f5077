/* Streams whose keys an adversary was told, or broke in for: the signalling that passes its seats tells RAND,
 * PRF and SSRCs of each exchange, and with a TGK in its wallet that makes the keys of SRTP (RFC 3830 §4.1.3).
 * So it can speak where it is in the middle of nothing: SRTP's keys are shared, and who has them is as good a
 * sender as either end. */
#ifndef SIM_ADVERSARY_TOLD_H
#define SIM_ADVERSARY_TOLD_H

#include "adversary/wallet.h"
#include "ims/media/stream.h"

typedef struct told told;

told *told_new(const wallet *w); /* `w` is borrowed. NULL: out of memory */
void told_free(told *t);         /* legal on NULL */

/* A MIKEY message that passes, parsed. What cannot be kept for want of memory is as if it had not been seen.
 */
void told_note(told *t, const ibk_msg *msg);

typedef struct told_stream {
    media_keys keys;  /* wipe them */
    unsigned tag_len; /* octets of SRTP's authentication tag */
} told_stream;

/* The newest keys of the stream with this SSRC. IBK_ERR_NO_KEY: no message named it, or there is no TGK for
 * its CSB. */
ibk_err told_stream_of(const told *t, uint32_t ssrc, told_stream *out);

#endif
