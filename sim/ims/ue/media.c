/* A call's streams: their RTP and RTCP sockets, and the timers that send. RTP on an even port, RTCP on the
 * next (RFC 3550 §11). */
#include "ims/address.h"
#include "ims/ue/internal.h"

#include <stdlib.h>

#define RTCP_INTERVAL (5 * SIP_S) /* RFC 3550 §6.2: the minimum; the first report after half of it */
/* How long packets under the old keys may still arrive after the first one under the new keys: far beyond
 * what a path reorders, far below the time between two rekeyings. */
#define KEY_GRACE (2 * SIP_S)

typedef struct stream {
    ue_media *m;
    unsigned index; /* UE_AUDIO, UE_VIDEO */
    media_stream *rtp_stream;
    media_source *source, *expected;
    n3_udp *rtp, *rtcp;
    n3_endpoint remote_rtp, remote_rtcp;
    ims_timer next_rtp, next_rtcp;
    uint64_t ptime_ns;
    bool open;    /* described by both sides */
    bool sending; /* permitted by the directions of both */
    bool waiting; /* new by our answer: the offerer may not have read it yet */
} stream;

struct ue_media {
    ue_leg *leg;
    ue_call *call;
    stream streams[UE_STREAMS];
    bool talking;
    bool switch_due; /* the peer may not have the newest keys yet */
    bool heard;      /* something came under the newest keys */
    ims_timer grace;
};

/* ---- packets that arrive
 * ---------------------------------------------------------------------------------------------- */

static void grace_is_over(void *arg) {
    ue_media *m = arg;
    m->grace = 0;
    for (unsigned i = 0; i < UE_STREAMS; i++)
        if (m->streams[i].rtp_stream)
            media_stream_retire(m->streams[i].rtp_stream);
    ue_call_state(m->call, "old-keys-wiped");
}

/* The first packet under the newest keys: the peer has them (RFC 6267 §5.3 has no message that says so). */
static void notice_keys(stream *s) {
    ue_media *m = s->m;
    if (m->heard || !media_stream_newest_heard(s->rtp_stream))
        return;
    m->heard = true;
    if (media_stream_keys_held(s->rtp_stream) > 1 && !m->grace)
        m->grace = ims_host_timer(m->call->u->host, KEY_GRACE, grace_is_over, m);
    ue_midcall_peer_has_keys(m->call);
}

static void run(stream *s);

/* The other end has opened the stream as well. */
static void release(stream *s) {
    if (s->waiting) {
        s->waiting = false;
        run(s);
    }
}

static void on_rtp(void *user, const n3_endpoint *from, const n3_endpoint *to, const uint8_t *data,
                   size_t len) {
    stream *s = user;
    ue_media *m = s->m;
    (void)from, (void)to;
    uint64_t received = media_stream_stats(s->rtp_stream)->received;
    ibk_err err = media_stream_receive(s->rtp_stream, ims_host_now(m->call->u->host), data, len);
    if (!err) {
        notice_keys(s);
        release(s);
    }
    trace *t = m->call->u->host->world->trace;
    if (!err && received > 0)
        return; /* the first packet and every refused one are worth a line */
    trace_begin(t, err ? TRACE_ERROR : TRACE_MEDIA, m->call->u->host->name,
                err ? "media-refused" : "first-media");
    trace_str(t, "call", m->call->view.call_id);
    if (s->index == UE_VIDEO)
        trace_str(t, "stream", "video");
    trace_uint(t, "octets", len);
    if (err)
        trace_diag(t, err, NULL);
    trace_end(t);
}

static void on_rtcp(void *user, const n3_endpoint *from, const n3_endpoint *to, const uint8_t *data,
                    size_t len) {
    stream *s = user;
    (void)from, (void)to;
    if (media_stream_receive_rtcp(s->rtp_stream, ims_host_now(s->m->call->u->host), data, len))
        return;
    notice_keys(s);
    release(s);
}

/* ---- packets that leave
 * --------------------------------------------------------------------------------------------- */

static void send_rtp(void *arg) {
    stream *s = arg;
    uint8_t packet[MEDIA_PACKET_MAX];
    size_t len;
    s->next_rtp = ims_host_timer(s->m->call->u->host, s->ptime_ns, send_rtp, s);
    if (media_stream_send(s->rtp_stream, packet, &len) == IBK_OK)
        n3_udp_send(s->rtp, &s->remote_rtp, packet, len);
}

static void send_rtcp(void *arg) {
    stream *s = arg;
    ims_host *host = s->m->call->u->host;
    uint8_t packet[MEDIA_PACKET_MAX];
    size_t len;
    ibk_time now = ims_host_time(host);
    s->next_rtcp = ims_host_timer(host, RTCP_INTERVAL, send_rtcp, s);
    if (media_stream_send_rtcp(s->rtp_stream, now.mono_ns, now.utc_ns, packet, &len) == IBK_OK)
        n3_udp_send(s->rtcp, &s->remote_rtcp, packet, len);
}

/* A stream that pauses keeps its context: sequence numbers, ROC and timestamps go on where they stopped. Its
 * RTCP goes on (RFC 3264 §5.1). */
static void run(stream *s) {
    ims_host *host = s->m->call->u->host;
    bool talking = s->m->talking && s->open && !s->waiting;
    if (talking && !s->next_rtcp)
        s->next_rtcp = ims_host_timer(host, RTCP_INTERVAL / 2, send_rtcp, s);
    if (!talking)
        ims_host_cancel(host, &s->next_rtcp);
    if (talking && s->sending && !s->next_rtp)
        send_rtp(s);
    if (!talking || !s->sending)
        ims_host_cancel(host, &s->next_rtp);
}

/* ---- keys
 * -------------------------------------------------------------------------------------------------------------
 */

/* TEK and salt of a direction: RFC 3830 §4.1.3, as SRTP master keys. */
static ibk_err take_keys(const stream *s, media_keys *keys, bool to_send) {
    const ue_leg *leg = s->m->leg;
    uint8_t cs = ue_cs_id(leg, s->index, leg->call->view.caller == to_send);
    return ibk_session_tek(leg->session, cs, keys->key, sizeof keys->key, keys->salt, sizeof keys->salt);
}

static ibk_err rekey_stream(const stream *s, bool to_send) {
    media_keys keys;
    ibk_err err = take_keys(s, &keys, to_send);
    if (!err)
        err = to_send ? media_stream_send_keys(s->rtp_stream, &keys)
                      : media_stream_receive_keys(s->rtp_stream, &keys);
    ibk_wipe(&keys, sizeof keys);
    return err;
}

static ibk_err rekey_streams(ue_media *m, bool to_send) {
    ibk_err err = IBK_OK;
    for (unsigned i = 0; !err && i < UE_STREAMS; i++)
        if (m->streams[i].rtp_stream)
            err = rekey_stream(&m->streams[i], to_send);
    return err;
}

ibk_err ue_media_switch(ue_leg *leg) {
    ue_media *m = leg->media;
    for (unsigned i = 0; m && i < UE_STREAMS; i++)
        release(&m->streams[i]);
    if (!m || !m->switch_due)
        return IBK_OK;
    m->switch_due = false;
    ue_call_state(m->call, "new-keys-sent");
    return rekey_streams(m, true);
}

ibk_err ue_media_rekey(ue_leg *leg, bool now) {
    ue_media *m = leg->media;
    if (!m)
        return IBK_OK;
    ims_host_cancel(m->call->u->host, &m->grace); /* it begins anew with the first packet under these */
    m->heard = false;
    m->switch_due = true;
    ibk_err err = rekey_streams(m, false);
    return !err && now ? ue_media_switch(leg) : err;
}

/* ---- streams
 * -----------------------------------------------------------------------------------------------------------
 */

media_source *ue_media_source(const scn_source *source, const scn_call *script) {
    media_codec codec = script ? (media_codec)script->media.codec : MEDIA_PCMU;
    media_source *out = NULL;
    if (source && source->file)
        return media_source_file(&out, codec, source->file, NULL) ? NULL : out;
    return media_source_tone(codec, source ? source->tone_hz : 440);
}

static ibk_err open_sources(stream *s) {
    const ue_call *call = s->m->call;
    const scn_media *script = call->script ? &call->script->media : NULL;
    const scn_source *own = NULL, *other = NULL;
    if (script) {
        own = call->view.caller ? &script->caller : &script->callee;
        other = call->view.caller ? &script->callee : &script->caller;
    }
    if (s->index == UE_VIDEO) {
        s->source = media_source_picture(call->view.caller ? 1 : 2);
        s->expected = media_source_picture(call->view.caller ? 2 : 1);
    } else {
        s->source = ue_media_source(own, call->script);
        s->expected = script ? ue_media_source(other, call->script) : NULL;
    }
    return s->source ? IBK_OK : IBK_ERR_IO;
}

/* Who sends to us, by the map that R_MESSAGE_2 or the update's R_MESSAGE_1 authenticated. */
static uint32_t peer_ssrc(const stream *s) {
    const ue_leg *leg = s->m->leg;
    ibk_cs_srtp cs = {0};
    const ibk_hdr *hdr = ibk_session_header(leg->session);
    size_t theirs = ue_cs_id(leg, s->index, !leg->call->view.caller);
    return hdr && ibk_map_srtp(hdr, theirs - 1, &cs) ? cs.ssrc : 0;
}

/* What the exchange has come to for a stream. */
static ibk_err take_terms(const stream *s, media_keys *send, media_keys *receive, media_config *config) {
    ibk_srtp_policy policy;
    ibk_err err = ibk_session_srtp_policy(s->m->leg->session, ue_cs_id(s->m->leg, s->index, true), &policy);
    if (!err)
        err = take_keys(s, send, true);
    if (!err)
        err = take_keys(s, receive, false);
    if (err)
        return err;
    config->tag_len = policy.auth_tag_len == 4 ? 4 : 10;
    config->weakness =
        (media_weakness){.unencrypted = policy.encr_alg == IBK_SRTP_ENCR_NULL || !policy.srtp_encr,
                         .unauthenticated = policy.auth_alg == IBK_SRTP_AUTH_NULL || !policy.srtp_auth};
    config->peer_ssrc = peer_ssrc(s);
    config->send_keys = send;
    config->receive_keys = receive;
    return IBK_OK;
}

static ibk_err open_stream(stream *s) {
    ue_call *call = s->m->call;
    const ue_leg *leg = s->m->leg;
    const scn_media *script = call->script ? &call->script->media : NULL;
    media_keys send = {{0}, {0}}, receive = {{0}, {0}};
    media_config config = {.tag_len = 0};
    ue_call_have_stream(call, s->index);
    ibk_err err = open_sources(s);
    if (!err && !leg->plain)
        err = take_terms(s, &send, &receive, &config);
    if (leg->plain || config.weakness.unencrypted || config.weakness.unauthenticated)
        call->view.media_protected = false;
    media_content content;
    bool has_content = !err && !leg->plain && s->index == UE_AUDIO &&
                       ue_content_begin(s->m->leg, &content, s->source, s->expected);
    uint64_t random = sim_random_u64(call->u->host->sip_random);
    unsigned ptime_ms = s->index == UE_VIDEO ? MEDIA_VIDEO_PTIME : script ? script->ptime_ms : 20;
    config.source = s->source;
    config.expected = s->expected;
    config.ptime_ms = ptime_ms;
    config.ssrc = call->ssrc[s->index];
    config.first_sequence = (uint16_t)(random & 0x7FFF);
    config.first_timestamp = (uint32_t)(random >> 32);
    config.cname = call->u->user->private_identity;
    config.content = has_content ? &content : NULL;
    s->ptime_ns = ptime_ms * SIP_MS;
    if (!err)
        err = media_stream_new(&s->rtp_stream, &config);
    ibk_wipe(&send, sizeof send);
    ibk_wipe(&receive, sizeof receive);
    return err;
}

static ibk_err open_sockets(stream *s) {
    const ue_call *call = s->m->call;
    sip_addr local = call->u->host->addr;
    local.port = call->rtp_port[s->index];
    n3_endpoint rtp = ims_endpoint(&local), rtcp = rtp;
    rtcp.port++;
    if (n3_udp_new(&s->rtp, call->u->host->node, &rtp, on_rtp, s) ||
        n3_udp_new(&s->rtcp, call->u->host->node, &rtcp, on_rtcp, s))
        return IBK_ERR_INTERNAL;
    return IBK_OK;
}

static void close_stream(stream *s) {
    ims_host *host = s->m->call->u->host;
    ims_host_cancel(host, &s->next_rtp);
    ims_host_cancel(host, &s->next_rtcp);
    n3_udp_free(s->rtp);
    n3_udp_free(s->rtcp);
    media_stream_free(s->rtp_stream);
    media_source_free(s->source);
    media_source_free(s->expected);
    *s = (stream){.m = s->m, .index = s->index};
}

/* What the descriptions of both sides come to for a stream. */
static ibk_err apply(stream *s, bool wait) {
    const ue_leg *leg = s->m->leg;
    sip_addr remote = {0};
    bool ours = s->index == UE_AUDIO || leg->video;
    const sip_media *media = ue_sdp_media(leg, s->index);
    s->open = ours && media && sip_sdp_address(leg->remote, leg->line[s->index] - 1, &remote);
    ibk_err err = IBK_OK;
    if (s->open && !s->rtp_stream) {
        err = open_stream(s);
        if (!err)
            err = open_sockets(s);
        s->waiting = wait;
    }
    if (s->open && !err) {
        s->remote_rtp = ims_endpoint(&remote);
        s->remote_rtcp = s->remote_rtp;
        s->remote_rtcp.port++;
        s->sending = sip_direction_sends(leg->wish) && sip_direction_receives(media->direction);
    }
    if (!err)
        run(s);
    return err;
}

ibk_err ue_media_apply(ue_leg *leg, bool wait) {
    ibk_err err = IBK_OK;
    for (unsigned i = 0; !err && i < UE_STREAMS; i++)
        err = apply(&leg->media->streams[i], wait);
    ue_media_observe(leg->call);
    return err;
}

ibk_err ue_media_open(ue_leg *leg) {
    ue_media *m = calloc(1, sizeof *m);
    if (!m)
        return IBK_ERR_NO_MEMORY;
    m->leg = leg;
    m->call = leg->call;
    for (unsigned i = 0; i < UE_STREAMS; i++)
        m->streams[i] = (stream){.m = m, .index = i};
    leg->media = m;
    m->call->view.media_protected = true; /* unless a stream opens without protection */
    ibk_err err = apply(&m->streams[UE_AUDIO], false);
    if (!err && !m->streams[UE_AUDIO].open)
        err = IBK_ERR_MISMATCH;
    if (err) {
        leg->call->view.media_protected = false;
        ue_media_close(leg);
        return err;
    }
    m->call->view.has_media = true;
    return IBK_OK;
}

void ue_media_talk(ue_leg *leg) {
    ue_media *m = leg->media;
    if (!m || m->talking)
        return;
    m->talking = true;
    for (unsigned i = 0; i < UE_STREAMS; i++)
        run(&m->streams[i]);
}

void ue_media_hush(ue_leg *leg) {
    ue_media *m = leg ? leg->media : NULL;
    if (!m || !m->talking)
        return;
    m->talking = false;
    for (unsigned i = 0; i < UE_STREAMS; i++)
        run(&m->streams[i]);
}

void ue_media_observe(ue_call *call) {
    const ue_media *m = call->leg ? call->leg->media : NULL;
    if (!m)
        return;
    if (m->streams[UE_AUDIO].rtp_stream)
        call->view.stats = *media_stream_stats(m->streams[UE_AUDIO].rtp_stream);
    if (m->streams[UE_VIDEO].rtp_stream) {
        call->view.has_video = true;
        call->view.video = *media_stream_stats(m->streams[UE_VIDEO].rtp_stream);
    }
}

void ue_media_close(ue_leg *leg) {
    ue_media *m = leg->media;
    if (!m)
        return;
    if (leg == leg->call->leg)
        ue_media_observe(leg->call);
    ims_host_cancel(leg->call->u->host, &m->grace);
    for (unsigned i = 0; i < UE_STREAMS; i++)
        close_stream(&m->streams[i]);
    ue_content_end(leg);
    free(m);
    leg->media = NULL;
}
