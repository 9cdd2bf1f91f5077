/* Session descriptions that carry the exchange: a=key-mgmt at session level (RFC 4567), a stream of sound, a
 * stream of pictures once there is one. The first offer of a dialog orders the m-lines; every later
 * description has them in that order (RFC 3264 §6, §8). */
#include "ims/ue/internal.h"

#include <string.h>

static const char *const type_of[UE_STREAMS] = {[UE_AUDIO] = "audio", [UE_VIDEO] = "video"};

/* ---- our streams ----------------------------------------------------------------------------------------
 */

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

const sip_media *ue_sdp_media(const ue_leg *leg, unsigned stream) {
    unsigned line = leg->line[stream];
    return line && leg->remote && line <= leg->remote->media_count ? &leg->remote->media[line - 1] : NULL;
}

uint8_t ue_cs_id(const ue_leg *leg, unsigned stream, bool from_caller) {
    return (uint8_t)(2 * leg->line[stream] - (from_caller ? 1 : 0));
}

/* RFC 3264 §8.4: a stream is held by sendonly, or by inactive if the other party holds it as well. */
static sip_direction direction_of(const ue_leg *leg, unsigned stream, bool answer) {
    const sip_media *theirs = ue_sdp_media(leg, stream);
    bool held = !answer && leg->wish == SIP_SENDONLY && theirs && !sip_direction_receives(theirs->direction);
    return held ? SIP_INACTIVE : leg->wish;
}

/* Our streams with all the formats that we know. Content under SK comes from the one, sound under the keys of
 * the exchange from the other. */
typedef struct own_streams {
    sip_rtpmap sound[2], pictures;
    sip_sdp_stream stream[UE_STREAMS];
} own_streams;

static void describe(own_streams *out, const ue_leg *leg, bool answer) {
    const ue_call *call = leg->call;
    out->sound[0] = container();
    out->sound[1] = format_of(codec_of(call, UE_AUDIO));
    out->pictures = format_of(codec_of(call, UE_VIDEO));
    for (unsigned i = 0; i < UE_STREAMS; i++)
        out->stream[i] = (sip_sdp_stream){.type = type_of[i],
                                          .port = i == UE_VIDEO && !leg->video ? 0 : call->rtp_port[i],
                                          .proto = "RTP/SAVP",
                                          .format = i == UE_VIDEO ? &out->pictures : out->sound,
                                          .format_count = i == UE_VIDEO ? 1 : 2,
                                          .direction = direction_of(leg, i, answer),
                                          .line = leg->line[i]};
    out->stream[UE_AUDIO].ptime_ms = call->script ? call->script->media.ptime_ms : 20;
}

/* ---- m-lines --------------------------------------------------------------------------------------------
 */

static bool is_taken(const ue_leg *leg, size_t line) {
    for (unsigned i = 0; i < UE_STREAMS; i++)
        if (leg->line[i] == line)
            return true;
    return false;
}

void ue_sdp_give_line(ue_leg *leg, unsigned stream) {
    size_t count = leg->remote ? leg->remote->media_count : 0, line = 1;
    if (leg->line[stream])
        return;
    while (line <= count &&
           (is_taken(leg, line) || strcmp(leg->remote->media[line - 1].type, type_of[stream]) != 0))
        line++;
    leg->line[stream] = line <= SIP_SDP_MAX_MEDIA ? (unsigned)line : 0;
}

static void take_lines(ue_leg *leg) {
    own_streams own;
    size_t line[UE_STREAMS];
    describe(&own, leg, true);
    sip_sdp_match(leg->remote, own.stream, UE_STREAMS, line);
    for (unsigned i = 0; i < UE_STREAMS; i++)
        if (!leg->line[i])
            leg->line[i] = (unsigned)line[i];
    leg->lines = leg->remote->media_count;
}

/* An m-line that is nobody's stays in its place, refused (RFC 3264 §8). */
static sip_sdp_stream refused(const sip_media *media) {
    static const sip_rtpmap none = {0};
    return (sip_sdp_stream){.type = media->type,
                            .proto = media->proto,
                            .format = media->format_count ? media->format : &none,
                            .format_count = 1,
                            .direction = SIP_SENDRECV};
}

static ibk_err order(sip_sdp_stream out[SIP_SDP_MAX_MEDIA], size_t *count, const ue_leg *leg,
                     const own_streams *own) {
    size_t known = leg->remote ? leg->remote->media_count : 0;
    *count = known;
    for (size_t i = 0; i < known; i++)
        out[i] = refused(&leg->remote->media[i]);
    for (unsigned i = 0; i < UE_STREAMS; i++) {
        size_t line = leg->line[i];
        if (!line)
            continue;
        if (line > *count + 1 || line > SIP_SDP_MAX_MEDIA)
            return IBK_ERR_LIMIT;
        out[line - 1] = own->stream[i];
        *count = line > *count ? line : *count;
    }
    return *count ? IBK_OK : IBK_ERR_LIMIT;
}

/* ---- writing --------------------------------------------------------------------------------------------
 */

static ibk_err add_parameters(const ue_leg *leg, sip_sdp *sdp) {
    char parameters[64];
    if (!leg->container || !leg->line[UE_AUDIO] || !ue_content_parameters(leg, parameters))
        return IBK_OK;
    sip_media *audio = &sdp->media[leg->line[UE_AUDIO] - 1];
    if (audio->attr_count == SIP_SDP_MAX_ATTRS)
        return IBK_ERR_LIMIT;
    audio->attr[audio->attr_count++] = (sip_attr){"fmtp", sip_arena_str(&sdp->arena, parameters)};
    return sdp->arena.failed ? IBK_ERR_NO_MEMORY : IBK_OK;
}

static ibk_err write_offer(sip_sdp **out, ue_leg *leg, const sip_sdp_params *params) {
    ibk_err err = sip_sdp_offer(out, params);
    if (!err)
        leg->lines = params->stream_count;
    return err ? err : add_parameters(leg, *out);
}

/* Those of our streams that an answer is about. */
static ibk_err pick(sip_sdp_stream out[SIP_SDP_MAX_MEDIA], size_t *count, const ue_leg *leg,
                    const own_streams *own) {
    *count = 0;
    for (unsigned i = 0; i < UE_STREAMS; i++)
        if (leg->line[i])
            out[(*count)++] = own->stream[i];
    return *count ? IBK_OK : IBK_ERR_MISMATCH;
}

ibk_err ue_sdp_write(ue_leg *leg, ibk_buf *out, bool answer, ibk_span mikey) {
    ibk_buf base64 = {0};
    sip_sdp *sdp = NULL;
    own_streams own;
    sip_sdp_stream streams[SIP_SDP_MAX_MEDIA];
    describe(&own, leg, answer);
    if (!leg->container) {
        own.stream[UE_AUDIO].format = &own.sound[1];
        own.stream[UE_AUDIO].format_count = 1;
    }
    ibk_err err = ibk_base64_encode(&base64, mikey);
    if (!err)
        err = ibk_buf_append(&base64, "", 1); /* the terminating zero */
    sip_sdp_params params = {.local = leg->call->u->host->addr,
                             .session_id = leg->call->sdp_session_id,
                             .session_version = leg->sdp_version++,
                             .key_mgmt = mikey.len ? (const char *)base64.data : NULL,
                             .streams = streams};
    if (!err)
        err = (answer ? pick : order)(streams, &params.stream_count, leg, &own);
    if (!err)
        err = answer ? sip_sdp_answer(&sdp, leg->remote, &params) : write_offer(&sdp, leg, &params);
    if (!err)
        err = sip_sdp_encode(out, sdp);
    sip_sdp_free(sdp);
    ibk_buf_free(&base64);
    return err;
}

/* ---- reading --------------------------------------------------------------------------------------------
 */

static ibk_err parse(sip_sdp **out, const sip_msg *msg, ibk_buf *mikey, ibk_diag *diag) {
    *out = NULL;
    if (!sip_has_body_type(msg, UE_SDP_TYPE))
        return ibk_fail(diag, IBK_ERR_MISSING_PAYLOAD, "body", 0, "no session description");
    ibk_err err = sip_sdp_parse(out, msg->body, diag);
    const char *data = !err && (*out)->media_count ? sip_sdp_key_mgmt(*out, 0, UE_MIKEY) : NULL;
    return data ? ibk_base64_decode(mikey, ibk_span_str(data), diag) : err;
}

ibk_err ue_sdp_read_offer(ue_leg *leg, const sip_msg *msg, ibk_buf *mikey, ibk_diag *diag) {
    sip_sdp *sdp;
    ibk_err err = parse(&sdp, msg, mikey, diag);
    if (!sdp)
        return err;
    if (!err && sdp->media_count < leg->lines) /* RFC 3264 §8: m-lines are never taken away */
        err = ibk_fail(diag, IBK_ERR_MISMATCH, "m=", 0, "%zu m-lines where %zu were", sdp->media_count,
                       leg->lines);
    if (err) {
        sip_sdp_free(sdp);
        return err;
    }
    sip_sdp_free(leg->remote);
    leg->remote = sdp;
    take_lines(leg);
    return IBK_OK;
}

/* RFC 3264 §6: as many m-lines as the offer has, the i-th for the i-th. */
static ibk_err check_lines(const ue_leg *leg, const sip_sdp *answer, ibk_diag *diag) {
    if (answer->media_count != leg->lines)
        return ibk_fail(diag, IBK_ERR_MISMATCH, "m=", 0, "%zu m-lines answer %zu", answer->media_count,
                        leg->lines);
    for (unsigned i = 0; i < UE_STREAMS; i++)
        if (leg->line[i] && strcmp(answer->media[leg->line[i] - 1].type, type_of[i]) != 0)
            return ibk_fail(diag, IBK_ERR_MISMATCH, "m=", 0, "m-line %u is no %s", leg->line[i], type_of[i]);
    return IBK_OK;
}

ibk_err ue_sdp_read_answer(ue_leg *leg, const sip_msg *msg, ibk_buf *mikey, ibk_diag *diag) {
    sip_sdp *sdp;
    ibk_err err = parse(&sdp, msg, mikey, diag);
    if (!sdp)
        return err;
    err = err ? err : check_lines(leg, sdp, diag);
    if (err) {
        sip_sdp_free(sdp);
        return err;
    }
    sip_sdp_free(leg->remote);
    leg->remote = sdp;
    return IBK_OK;
}
