/* Session descriptions that carry the exchange: a=key-mgmt at session level (RFC 4567), a stream of sound, a
 * stream of pictures once there is one. */
#include "ims/ue/internal.h"

static media_codec codec_of(const ue_call *call, unsigned stream) {
    if (stream == UE_VIDEO)
        return MEDIA_H264;
    return call->script ? (media_codec)call->script->media.codec : MEDIA_PCMU;
}

static sip_rtpmap format_of(media_codec codec) {
    return (sip_rtpmap){.payload_type = codec,
                        .encoding = media_codec_name(codec),
                        .clock = media_codec_rate(codec),
                        .channels = 1};
}

static sip_rtpmap container(void) {
    return (sip_rtpmap){.payload_type = CONTENT_PAYLOAD_TYPE,
                        .encoding = CONTENT_ENCODING,
                        .clock = MEDIA_RATE,
                        .channels = 1};
}

static ibk_err add_parameters(const ue_leg *leg, sip_sdp *sdp) {
    char parameters[64];
    sip_media *audio = &sdp->media[UE_AUDIO];
    if (!leg->container || !ue_content_parameters(leg, parameters))
        return IBK_OK;
    if (audio->attr_count == SIP_SDP_MAX_ATTRS)
        return IBK_ERR_LIMIT;
    audio->attr[audio->attr_count++] = (sip_attr){"fmtp", sip_arena_str(&sdp->arena, parameters)};
    return sdp->arena.failed ? IBK_ERR_NO_MEMORY : IBK_OK;
}

/* RFC 3264 §8.4: a stream is held by sendonly, or by inactive if the other party holds it as well. */
static sip_direction direction_of(const ue_leg *leg, unsigned stream, bool answer) {
    bool held = !answer && leg->wish == SIP_SENDONLY && leg->remote && stream < leg->remote->media_count &&
                !sip_direction_receives(leg->remote->media[stream].direction);
    return held ? SIP_INACTIVE : leg->wish;
}

ibk_err ue_sdp_write(ue_leg *leg, ibk_buf *out, bool answer, ibk_span mikey) {
    const ue_call *call = leg->call;
    ibk_buf base64 = {0};
    sip_sdp *sdp = NULL;
    sip_rtpmap format[UE_STREAMS], sound[2] = {container(), format_of(codec_of(call, UE_AUDIO))};
    sip_sdp_stream streams[UE_STREAMS];
    for (unsigned i = 0; i < UE_STREAMS; i++) {
        format[i] = format_of(codec_of(call, i));
        streams[i] = (sip_sdp_stream){.type = i == UE_VIDEO ? "video" : "audio",
                                      .port = i == UE_VIDEO && !leg->video ? 0 : call->rtp_port[i],
                                      .proto = "RTP/SAVP",
                                      .format = &format[i],
                                      .format_count = 1,
                                      .direction = direction_of(leg, i, answer)};
    }
    if (leg->container) { /* content under SK from the one, sound under the keys of the exchange from the
                             other */
        streams[UE_AUDIO].format = sound;
        streams[UE_AUDIO].format_count = 2;
    }
    streams[UE_AUDIO].ptime_ms = call->script ? call->script->media.ptime_ms : 20;
    ibk_err err = ibk_base64_encode(&base64, mikey);
    if (!err)
        err = ibk_buf_append(&base64, "", 1); /* the terminating zero */
    sip_sdp_params params = {.local = call->u->host->addr,
                             .session_id = call->sdp_session_id,
                             .session_version = leg->sdp_version++,
                             .key_mgmt = mikey.len ? (const char *)base64.data : NULL,
                             .streams = streams,
                             .stream_count = leg->has_video ? UE_STREAMS : 1};
    if (!err)
        err = answer ? sip_sdp_answer(&sdp, leg->remote, &params) : sip_sdp_offer(&sdp, &params);
    if (!err && !answer)
        err = add_parameters(leg, sdp);
    if (!err)
        err = sip_sdp_encode(out, sdp);
    sip_sdp_free(sdp);
    ibk_buf_free(&base64);
    return err;
}

ibk_err ue_sdp_read(ue_leg *leg, const sip_msg *msg, ibk_buf *mikey, ibk_diag *diag) {
    sip_sdp *sdp = NULL;
    if (!sip_has_body_type(msg, UE_SDP_TYPE))
        return ibk_fail(diag, IBK_ERR_MISSING_PAYLOAD, "body", 0, "no session description");
    ibk_err err = sip_sdp_parse(&sdp, msg->body, diag);
    if (err)
        return err;
    sip_sdp_free(leg->remote);
    leg->remote = sdp;
    const char *data = sdp->media_count ? sip_sdp_key_mgmt(sdp, 0, UE_MIKEY) : NULL;
    return data ? ibk_base64_decode(mikey, ibk_span_str(data), diag) : IBK_OK;
}
