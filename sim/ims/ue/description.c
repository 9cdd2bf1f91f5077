/* Session descriptions that carry the exchange: a=key-mgmt at session level (RFC 4567), one audio stream. */
#include "ims/ue/internal.h"

static sip_rtpmap format_of(const ue_call *call) {
    media_codec codec = call->script ? (media_codec)call->script->media.codec : MEDIA_PCMU;
    return (sip_rtpmap){
        .payload_type = codec, .encoding = media_codec_name(codec), .clock = MEDIA_RATE, .channels = 1};
}

ibk_err ue_sdp_write(ue_leg *leg, ibk_buf *out, bool answer, ibk_span mikey) {
    const ue_call *call = leg->call;
    ibk_buf base64 = {0};
    sip_sdp *sdp = NULL;
    sip_rtpmap format = format_of(call);
    ibk_err err = ibk_base64_encode(&base64, mikey);
    if (!err)
        err = ibk_buf_append(&base64, "", 1); /* the terminating zero */
    sip_sdp_params params = {.local = call->u->host->addr,
                             .session_id = call->sdp_session_id,
                             .session_version = leg->sdp_version++,
                             .proto = "RTP/SAVP",
                             .format = &format,
                             .format_count = 1,
                             .ptime_ms = call->script ? call->script->media.ptime_ms : 20,
                             .direction = SIP_SENDRECV,
                             .session_key_mgmt = mikey.len ? (const char *)base64.data : NULL};
    params.local.port = call->rtp_port;
    if (!err)
        err = answer ? sip_sdp_answer(&sdp, leg->remote, &params) : sip_sdp_offer(&sdp, &params);
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
