#include "ims/media/opener.h"
#include "ims/media/rtp.h"
#include "ims/media/srtp.h"

#include <stdlib.h>
#include <string.h>

struct media_opener {
    srtp_t context;
    uint32_t ssrc;
    bool opened; /* something: libsrtp has the ROC */
};

ibk_err media_opener_new(media_opener **out, const media_keys *keys, uint32_t ssrc, unsigned tag_len) {
    *out = NULL;
    media_opener *o = calloc(1, sizeof *o);
    if (!o)
        return IBK_ERR_NO_MEMORY;
    o->ssrc = ssrc;
    srtp_ssrc_t whose = ssrc ? (srtp_ssrc_t){ssrc_specific, ssrc} : (srtp_ssrc_t){ssrc_any_inbound, 0};
    ibk_err err = media_srtp_context(&o->context, keys, whose, tag_len);
    if (err)
        media_opener_free(o);
    else
        *out = o;
    return err;
}

void media_opener_free(media_opener *o) {
    if (o && o->context)
        srtp_dealloc(o->context); /* wipes the keys */
    free(o);
}

ibk_err media_opener_open(media_opener *o, ibk_span packet, uint32_t roc, uint8_t out[MEDIA_PACKET_MAX],
                          size_t *len) {
    uint32_t aligned[(MEDIA_PACKET_MAX + 3) / 4]; /* libsrtp works in place, on words */
    int octets = (int)packet.len;
    if (packet.len < RTP_HEADER_LEN || packet.len > MEDIA_PACKET_MAX)
        return IBK_ERR_BAD_LENGTH;
    memcpy(aligned, packet.data, packet.len);
    if (!o->opened && o->ssrc)
        (void)srtp_set_stream_roc(o->context, o->ssrc, roc);
    ibk_err err = media_srtp_error(srtp_unprotect(o->context, aligned, &octets));
    if (err)
        return err;
    o->opened = true;
    memcpy(out, aligned, (size_t)octets);
    *len = (size_t)octets;
    return IBK_OK;
}
