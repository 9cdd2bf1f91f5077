/* Content that is encrypted under a secret key SK of its own (RFC 6267 §3.3, §4.2.2.1), not under the keys of
 * a call: what is left in a mailbox, and what was encoded before the call. It is a stream of SRTP packets,
 * protected with the TEK and salt of SK (P-22) and with SSRC and numbering of its own. Each of them is the
 * payload of an ordinary RTP packet, which the keys of the exchange protect on its way to the next hop. So it
 * can be stored, handed on and played later, and whoever lacks SK reads and changes nothing of it. */
#ifndef IMS_MEDIA_CONTENT_H
#define IMS_MEDIA_CONTENT_H

#include "ims/media/stream.h"

#include <ibake.h>

#define CONTENT_ENCODING     "x-deferred" /* of the outer packets' payload format, in a=rtpmap */
#define CONTENT_PAYLOAD_TYPE 97           /* dynamic (RFC 3551 §6), as we offer it */
#define CONTENT_CS_ID        1            /* of the keys that follow from SK, P-22 */
#define CONTENT_SK_LEN       32           /* octets of an SK that content is encoded under beforehand */
#define CONTENT_MAX_PACKETS  60000u       /* in a store: ten minutes of 10 ms packets */

/* ---- packets on the shelf ------------------------------------------------------------------------------ */

/* Packets one behind the other, as they came or were made; the zero value is empty. */
typedef struct content_store {
    ibk_buf octets;
    size_t *ends; /* of each packet in `octets` */
    size_t count, cap;
} content_store;

/* IBK_ERR_LIMIT: CONTENT_MAX_PACKETS are there, or a packet that is empty or over MEDIA_PACKET_MAX. */
ibk_err content_store_add(content_store *store, ibk_span packet);
ibk_span content_store_at(const content_store *store, size_t index); /* borrowed until the next change */
void content_store_free(content_store *store);

/* ---- under SK ------------------------------------------------------------------------------------------ */

/* TEK and salt that content under this SK is protected with (P-22). The caller wipes them. */
ibk_err content_keys(media_keys *keys, ibk_span sk);

/* A stream under these keys in both directions: media_stream_send makes content, content_open opens it.
 * `shape` says all but the keys; the tag is the full one, for content is kept for long. */
ibk_err content_stream_new(media_stream **out, const media_keys *keys, const media_config *shape);

/* Makes `packets` packets of content beforehand. `shape` as above. */
ibk_err content_encode(content_store *store, ibk_span sk, const media_config *shape, size_t packets);

/* Opens one packet of content and holds it against what the stream expects: UNREAD if it expects nothing,
 * REFUSED with *why (BAD_MAC: it was changed, or belongs to another SK; REPLAYED …). */
media_verdict content_open(media_stream *stream, ibk_span packet, ibk_err *why);

#endif
