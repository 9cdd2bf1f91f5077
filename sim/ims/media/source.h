/* What is said or shown in a call: a tone or a sound file as G.711 frames, or a test picture. A frame is a
 * function of its RTP timestamp alone, so a receiver that knows the source can tell whether what arrived is
 * what was sent. */
#ifndef IMS_MEDIA_SOURCE_H
#define IMS_MEDIA_SOURCE_H

#include <ibake/base.h>

typedef enum media_codec {
    MEDIA_PCMU = 0,
    MEDIA_PCMA = 8,
    MEDIA_H264 = 96 /* dynamic; a=rtpmap names it */
} media_codec;      /* the RTP payload type, RFC 3551 §6 */

#define MEDIA_RATE        8000  /* RTP clock of G.711, Hz */
#define MEDIA_VIDEO_RATE  90000 /* RFC 6184 §8.1 */
#define MEDIA_VIDEO_PTIME 40    /* ms from picture to picture: 25 a second, one packet each */
#define MEDIA_VIDEO_LEN   800   /* octets of a picture */
#define MEDIA_FRAME_MAX   800   /* octets of the longest frame; 60 ms of sound have 480 */

typedef struct media_source media_source;

/* A sine of `hertz` (1..3999) at about -6 dBm0. NULL: out of memory or out of range. */
media_source *media_source_tone(media_codec codec, unsigned hertz);
/* A sound file that libsndfile reads: one channel, 8,000 samples a second, at most 10 minutes; it is
 * repeated. */
ibk_err media_source_file(media_source **out, media_codec codec, const char *path, ibk_diag *diag);
/* A test picture: each frame a single NAL unit (RFC 6184 §5.6) whose octets follow from its timestamp and
 * from `camera`. No decoder would show anything: the bits of a picture are not what is examined here. */
media_source *media_source_picture(unsigned camera);
media_source *media_source_retain(media_source *source);
void media_source_free(media_source *source);

media_codec media_source_codec(const media_source *source);
const char *media_codec_name(media_codec codec); /* "PCMU" */

uint32_t media_codec_rate(media_codec codec); /* RTP clock, Hz */

/* The frame of `len` octets at RTP timestamp `first`: for G.711 the samples [first, first + len). */
void media_source_read(const media_source *source, uint32_t first, uint8_t *out, size_t len);

#endif
