/* SRTP packets in the hands of somebody who sends none: a listener who has, or tries, a key. Neither
 * statistics nor a notion of what should be in the packets. */
#ifndef IMS_MEDIA_OPENER_H
#define IMS_MEDIA_OPENER_H

#include "ims/media/stream.h"

typedef struct media_opener media_opener;

/* For packets of one SSRC (0: of any, each from ROC 0), tag_len as in media_config. media_library_start
 * first. */
ibk_err media_opener_new(media_opener **out, const media_keys *keys, uint32_t ssrc, unsigned tag_len);
void media_opener_free(media_opener *o); /* legal on NULL */

/* Opens a packet into `out`: RTP, *len octets. `roc` counts until one has been opened; from then on the
 * opener knows by itself. Packets come in the order of their index, give or take 128; IBK_ERR_BAD_MAC:
 * another key's, or another ROC's; REPLAYED; BAD_LENGTH, BAD_VALUE: no SRTP of that SSRC. */
ibk_err media_opener_open(media_opener *o, ibk_span packet, uint32_t roc, uint8_t out[MEDIA_PACKET_MAX],
                          size_t *len);

#endif
