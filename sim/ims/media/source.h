/* What is spoken in a call: a tone or a sound file, as G.711 frames. A frame is a function of its number
 * alone, so a receiver that knows the source can tell whether what arrived is what was sent. */
#ifndef IMS_MEDIA_SOURCE_H
#define IMS_MEDIA_SOURCE_H

#include <ibake/base.h>

typedef enum media_codec {
    MEDIA_PCMU = 0,
    MEDIA_PCMA = 8
} media_codec; /* the RTP payload type, RFC 3551 §6 */

#define MEDIA_RATE      8000
#define MEDIA_FRAME_MAX 480 /* octets: 60 ms */

typedef struct media_source media_source;

/* A sine of `hertz` (1..3999) at about -6 dBm0. NULL: out of memory or out of range. */
media_source *media_source_tone(media_codec codec, unsigned hertz);
/* A sound file that libsndfile reads: one channel, 8,000 samples a second, at most 10 minutes; it is
 * repeated. */
ibk_err media_source_file(media_source **out, media_codec codec, const char *path, ibk_diag *diag);
media_source *media_source_retain(media_source *source);
void media_source_free(media_source *source);

media_codec media_source_codec(const media_source *source);
const char *media_codec_name(media_codec codec); /* "PCMU" */

/* The octets for samples [first, first + len). */
void media_source_read(const media_source *source, uint32_t first, uint8_t *out, size_t len);

#endif
