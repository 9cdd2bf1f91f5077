/* A call's RTP and RTCP sockets, and the timers that send: RTP on an even port, RTCP on the next (RFC 3550
 * §11). */
#include "ims/address.h"
#include "ims/ue/internal.h"

#include <stdlib.h>

#define RTCP_INTERVAL (5 * SIP_S) /* RFC 3550 §6.2: the minimum; the first report after half of it */

struct ue_media {
    ue_leg *leg;
    ue_call *call;
    media_stream *stream;
    media_source *source, *expected;
    n3_udp *rtp, *rtcp;
    n3_endpoint remote_rtp, remote_rtcp;
    ims_timer next_rtp, next_rtcp;
    bool talking;
};

static void on_rtp(void *user, const n3_endpoint *from, const n3_endpoint *to, const uint8_t *data,
                   size_t len) {
    ue_media *m = user;
    (void)from, (void)to;
    uint64_t received = media_stream_stats(m->stream)->received;
    ibk_err err = media_stream_receive(m->stream, ims_host_now(m->call->u->host), data, len);
    trace *t = m->call->u->host->world->trace;
    if (!err && received > 0)
        return; /* the first packet and every refused one are worth a line */
    trace_begin(t, err ? TRACE_ERROR : TRACE_MEDIA, m->call->u->host->name,
                err ? "media-refused" : "first-media");
    trace_str(t, "call", m->call->view.call_id);
    trace_uint(t, "octets", len);
    if (err)
        trace_diag(t, err, NULL);
    trace_end(t);
}

static void on_rtcp(void *user, const n3_endpoint *from, const n3_endpoint *to, const uint8_t *data,
                    size_t len) {
    ue_media *m = user;
    (void)from, (void)to;
    media_stream_receive_rtcp(m->stream, ims_host_now(m->call->u->host), data, len);
}

static media_source *open_source(const scn_source *source, media_codec codec) {
    media_source *out = NULL;
    if (source && source->file)
        return media_source_file(&out, codec, source->file, NULL) ? NULL : out;
    return media_source_tone(codec, source ? source->tone_hz : 440);
}

/* TEK and salt of both directions: RFC 3830 §4.1.3, as SRTP master keys. */
static ibk_err take_keys(ue_leg *leg, media_keys *send, media_keys *receive) {
    bool caller = leg->call->view.caller;
    uint8_t out_cs = caller ? UE_CS_FROM_CALLER : UE_CS_FROM_CALLEE;
    uint8_t in_cs = caller ? UE_CS_FROM_CALLEE : UE_CS_FROM_CALLER;
    ibk_err err =
        ibk_session_tek(leg->session, out_cs, send->key, sizeof send->key, send->salt, sizeof send->salt);
    if (!err)
        err = ibk_session_tek(leg->session, in_cs, receive->key, sizeof receive->key, receive->salt,
                              sizeof receive->salt);
    return err;
}

static ibk_err open_stream(ue_media *m) {
    ue_call *call = m->call;
    const scn_media *script = call->script ? &call->script->media : NULL;
    const scn_source *own = NULL, *other = NULL;
    media_keys send, receive;
    ibk_srtp_policy policy;
    if (script) {
        own = call->view.caller ? &script->caller : &script->callee;
        other = call->view.caller ? &script->callee : &script->caller;
    }
    media_codec codec = script ? (media_codec)script->codec : MEDIA_PCMU;
    m->source = open_source(own, codec);
    m->expected = script ? open_source(other, codec) : NULL;
    if (!m->source)
        return IBK_ERR_IO;
    ibk_err err = ibk_session_srtp_policy(m->leg->session, UE_CS_FROM_CALLER, &policy);
    if (!err)
        err = take_keys(m->leg, &send, &receive);
    uint64_t random = sim_random_u64(call->u->host->sip_random);
    media_config config = {.source = m->source,
                           .expected = m->expected,
                           .ptime_ms = script ? script->ptime_ms : 20,
                           .ssrc = call->ssrc,
                           .first_sequence = (uint16_t)(random & 0x7FFF),
                           .first_timestamp = (uint32_t)(random >> 32),
                           .cname = call->u->user->private_identity,
                           .tag_len = policy.auth_tag_len,
                           .send_keys = &send,
                           .receive_keys = &receive};
    if (!err)
        err = media_stream_new(&m->stream, &config);
    ibk_wipe(&send, sizeof send);
    ibk_wipe(&receive, sizeof receive);
    return err;
}

static ibk_err open_sockets(ue_media *m) {
    ue_call *call = m->call;
    sip_addr local = call->u->host->addr, remote;
    const sip_sdp *description = m->leg->remote;
    if (!description || !sip_sdp_address(description, 0, &remote))
        return IBK_ERR_MISMATCH;
    m->remote_rtp = ims_endpoint(&remote);
    m->remote_rtcp = m->remote_rtp;
    m->remote_rtcp.port++;
    local.port = call->rtp_port;
    n3_endpoint rtp = ims_endpoint(&local), rtcp = rtp;
    rtcp.port++;
    if (n3_udp_new(&m->rtp, call->u->host->node, &rtp, on_rtp, m) ||
        n3_udp_new(&m->rtcp, call->u->host->node, &rtcp, on_rtcp, m))
        return IBK_ERR_INTERNAL;
    return IBK_OK;
}

ibk_err ue_media_open(ue_leg *leg) {
    ue_media *m = calloc(1, sizeof *m);
    if (!m)
        return IBK_ERR_NO_MEMORY;
    m->leg = leg;
    m->call = leg->call;
    ibk_err err = open_stream(m);
    if (!err)
        err = open_sockets(m);
    leg->media = m;
    if (err) {
        ue_media_close(leg);
        return err;
    }
    m->call->view.has_media = m->call->view.media_protected = true;
    return IBK_OK;
}

static void send_rtp(void *arg) {
    ue_media *m = arg;
    ims_host *host = m->call->u->host;
    uint8_t packet[MEDIA_PACKET_MAX];
    size_t len;
    uint64_t ptime_ms = m->call->script ? m->call->script->media.ptime_ms : 20;
    m->next_rtp = ims_host_timer(host, ptime_ms * SIP_MS, send_rtp, m);
    if (media_stream_send(m->stream, packet, &len) == IBK_OK)
        n3_udp_send(m->rtp, &m->remote_rtp, packet, len);
}

static void send_rtcp(void *arg) {
    ue_media *m = arg;
    ims_host *host = m->call->u->host;
    uint8_t packet[MEDIA_PACKET_MAX];
    size_t len;
    ibk_time now = ims_host_time(host);
    m->next_rtcp = ims_host_timer(host, RTCP_INTERVAL, send_rtcp, m);
    if (media_stream_send_rtcp(m->stream, now.mono_ns, now.utc_ns, packet, &len) == IBK_OK)
        n3_udp_send(m->rtcp, &m->remote_rtcp, packet, len);
}

void ue_media_talk(ue_leg *leg) {
    ue_media *m = leg->media;
    if (!m || m->talking)
        return;
    m->talking = true;
    m->next_rtcp = ims_host_timer(m->call->u->host, RTCP_INTERVAL / 2, send_rtcp, m);
    send_rtp(m);
}

void ue_media_close(ue_leg *leg) {
    ue_media *m = leg->media;
    if (!m)
        return;
    ue_call *call = leg->call;
    ims_host_cancel(call->u->host, &m->next_rtp);
    ims_host_cancel(call->u->host, &m->next_rtcp);
    n3_udp_free(m->rtp);
    n3_udp_free(m->rtcp);
    if (m->stream)
        call->view.stats = *media_stream_stats(m->stream);
    media_stream_free(m->stream);
    media_source_free(m->source);
    media_source_free(m->expected);
    free(m);
    leg->media = NULL;
}

const media_stats *ue_media_stats(const ue_media *media) {
    return media_stream_stats(media->stream);
}
