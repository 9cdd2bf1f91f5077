#include "adversary/agent_internal.h"
#include "ims/address.h"

#include <stdlib.h>
#include <string.h>

#define PTIME_MS 20
#define LASTS    (10 * SIP_S)

/* ---- life
 * ------------------------------------------------------------------------------------------------------ */

static void core_request(void *user, sip_server *server, const sip_msg *request) {
    agent *a = *(agent **)user;
    if (a)
        sip_ua_on_request(a->ua, server, request);
    else
        sip_server_reply(server, 480, NULL);
}

static void core_ack(void *user, const sip_msg *ack, const sip_dest *source) {
    agent *a = *(agent **)user;
    (void)source;
    if (a)
        sip_ua_on_ack(a->ua, ack);
}

static void core_cancel(void *user, sip_server *invite, const sip_msg *cancel) {
    agent *a = *(agent **)user;
    if (a)
        sip_ua_on_cancel(a->ua, invite, cancel);
}

sip_core agent_core(agent **user) {
    return (sip_core){.user = user, .request = core_request, .ack = core_ack, .cancel = core_cancel};
}

ibk_err agent_new(agent **out, ims_host *host, craft *c) {
    *out = NULL;
    agent *a = calloc(1, sizeof *a);
    sip_arena arena = {0};
    char ip[SIP_TEXT_ADDR_MAX];
    if (!a)
        return IBK_ERR_NO_MEMORY;
    *a = (agent){.host = host, .craft = c, .next_port = 20000};
    sip_addr_ip(ip, &host->addr);
    sip_ua_config config = {
        .contact = {.uri = sip_uri_make(&arena, "anonymous", ip, SIP_PORT, SIP_PROTO_NONE, false)}};
    ibk_err err =
        arena.failed ? IBK_ERR_NO_MEMORY : sip_ua_new(&a->ua, host->stack, &config, &agent_ua_ops, a);
    sip_arena_free(&arena);
    if (err)
        free(a);
    else
        *out = a;
    return err;
}

void agent_free(agent *a) {
    if (!a)
        return;
    sip_ua_free(a->ua);
    for (dialog *d = a->dialogs, *next; d; d = next) {
        next = d->next;
        dialog_over(d);
        free(d);
    }
    free(a);
}

agent_stats agent_get_stats(const agent *a) {
    agent_stats stats = a->stats;
    for (const dialog *d = a->dialogs; d; d = d->next)
        if (d->media)
            stats.media += media_stream_stats(d->media)->received;
    return stats;
}

bool agent_is_idle(const agent *a) {
    for (const dialog *d = a->dialogs; d; d = d->next)
        if (d->sip)
            return false;
    return true;
}

dialog *dialog_new(agent *a, bool caller) {
    dialog *d = calloc(1, sizeof *d);
    if (!d)
        return NULL;
    *d = (dialog){.next = a->dialogs, .a = a, .caller = caller, .port = a->next_port, .lasts_ns = LASTS};
    d->ssrc = (uint32_t)(sim_random_u64(a->host->sip_random) >> 32) | 1; /* 0 is "not yet known" */
    a->next_port = (uint16_t)(a->next_port < 60000 ? a->next_port + 2 : 20000);
    a->dialogs = d;
    return d;
}

void dialog_over(dialog *d) {
    ims_host *host = d->a->host;
    ims_host_cancel(host, &d->timer);
    ims_host_cancel(host, &d->next_packet);
    if (d->media)
        d->a->stats.media += media_stream_stats(d->media)->received;
    n3_udp_free(d->rtp);
    media_stream_free(d->media);
    media_source_free(d->tone);
    sip_sdp_free(d->remote);
    ibk_buf_free(&d->i_message_1);
    d->rtp = NULL;
    d->media = NULL;
    d->tone = NULL;
    d->remote = NULL;
    d->sip = NULL;
    d->leg = NULL;
}

/* ---- the exchange
 * ------------------------------------------------------------------------------------------------ */

/* As any UE's: two crypto sessions for one stream, AES_CM_128_HMAC_SHA1_80, which is RFC 3830's default. */
ibk_err dialog_open_exchange(dialog *d, const char *call_id, const ibk_identity *local,
                             const ibk_identity *peer) {
    ibk_cs_srtp streams[2] = {{0}, {0}};
    ibk_srtp_policy srtp = ibk_srtp_policy_default();
    ibk_buf params = {0};
    srtp.present = 1u << IBK_SRTP_ENCR_ALG | 1u << IBK_SRTP_AUTH_ALG;
    streams[d->caller ? 0 : 1].ssrc = d->ssrc;
    ibk_err err = ibk_srtp_policy_write(&params, &srtp);
    ibk_sp policy = {.params = ibk_buf_span(&params)};
    ibk_session_config config = {.role = d->caller ? IBK_SESSION_INITIATOR : IBK_SESSION_RESPONDER,
                                 .local = *local,
                                 .srtp = streams,
                                 .n_srtp = 2,
                                 .sdp_ids = ibk_span_str("mikey")};
    if (d->caller) {
        config.peer = *peer;
        config.policies = &policy;
        config.n_policies = 1;
    }
    if (!err)
        err = craft_session(&d->exchange, d->a->craft, call_id, &config);
    ibk_buf_free(&params);
    return err;
}

/* ---- session descriptions
 * ------------------------------------------------------------------------------------------ */

ibk_err dialog_read_sdp(dialog *d, const sip_msg *msg, ibk_buf *mikey) {
    sip_sdp *sdp;
    if (!sip_has_body_type(msg, AGENT_SDP))
        return IBK_ERR_MISSING_PAYLOAD;
    ibk_err err = sip_sdp_parse(&sdp, msg->body, NULL);
    if (err)
        return err;
    sip_sdp_free(d->remote);
    d->remote = sdp;
    const char *data = sdp->media_count ? sip_sdp_key_mgmt(sdp, 0, "mikey") : NULL;
    return data ? ibk_base64_decode(mikey, ibk_span_str(data), NULL) : IBK_ERR_MISSING_PAYLOAD;
}

ibk_err dialog_write_sdp(dialog *d, ibk_buf *out, bool answer, ibk_span mikey) {
    static const sip_rtpmap formats[] = {{0, "PCMU", 8000, 1}, {8, "PCMA", 8000, 1}};
    const sip_sdp_stream stream = {.type = "audio",
                                   .port = d->port,
                                   .proto = "RTP/SAVP",
                                   .format = formats,
                                   .format_count = 2,
                                   .ptime_ms = PTIME_MS};
    ibk_buf base64 = {0};
    sip_sdp *sdp = NULL;
    ibk_err err = ibk_base64_encode(&base64, mikey);
    if (!err)
        err = ibk_buf_append(&base64, "", 1); /* the terminating zero */
    sip_sdp_params params = {.local = d->a->host->addr,
                             .session_id = d->ssrc,
                             .session_version = ++d->sdp_version,
                             .key_mgmt = mikey.len ? (const char *)base64.data : NULL,
                             .streams = &stream,
                             .stream_count = 1};
    if (!err && answer && !d->remote)
        err = IBK_ERR_STATE;
    if (!err)
        err = answer ? sip_sdp_answer(&sdp, d->remote, &params) : sip_sdp_offer(&sdp, &params);
    if (!err)
        err = sip_sdp_encode(out, sdp);
    sip_sdp_free(sdp);
    ibk_buf_free(&base64);
    return err;
}

/* ---- media
 * ------------------------------------------------------------------------------------------------------------
 */

static void received(void *user, const n3_endpoint *from, const n3_endpoint *to, const uint8_t *data,
                     size_t len) {
    dialog *d = user;
    (void)from, (void)to;
    media_stream_receive(d->media, ims_host_now(d->a->host), data, len);
}

static void send_packet(void *arg) {
    dialog *d = arg;
    uint8_t packet[MEDIA_PACKET_MAX];
    size_t len;
    d->next_packet = ims_host_timer(d->a->host, PTIME_MS * SIP_MS, send_packet, d);
    if (media_stream_send(d->media, packet, &len) == IBK_OK)
        n3_udp_send(d->rtp, &d->peer, packet, len);
}

static ibk_err take_keys(const dialog *d, media_keys *keys, bool to_send) {
    uint8_t cs_id = d->caller == to_send ? 1 : 2;
    return ibk_session_tek(craft_leg_session(d->exchange), cs_id, keys->key, sizeof keys->key, keys->salt,
                           sizeof keys->salt);
}

static ibk_err open_media(dialog *d) {
    media_keys send, receive;
    sip_addr local = d->a->host->addr;
    local.port = d->port;
    n3_endpoint here = ims_endpoint(&local);
    media_codec codec = d->remote->media[0].format_count && d->remote->media[0].format[0].payload_type == 8
                            ? MEDIA_PCMA
                            : MEDIA_PCMU;
    d->tone = media_source_tone(codec, AGENT_TONE);
    ibk_err err = d->tone ? take_keys(d, &send, true) : IBK_ERR_NO_MEMORY;
    if (!err)
        err = take_keys(d, &receive, false);
    media_config config = {.source = d->tone,
                           .ptime_ms = PTIME_MS,
                           .ssrc = d->ssrc,
                           .cname = d->a->host->name,
                           .send_keys = &send,
                           .receive_keys = &receive};
    if (!err)
        err = media_stream_new(&d->media, &config);
    ibk_wipe(&send, sizeof send);
    ibk_wipe(&receive, sizeof receive);
    if (!err && n3_udp_new(&d->rtp, d->a->host->node, &here, received, d))
        err = IBK_ERR_INTERNAL;
    return err;
}

void dialog_talk(dialog *d) {
    sip_addr remote;
    if (d->media || !d->exchange || !d->remote || !sip_sdp_address(d->remote, 0, &remote) ||
        ibk_session_get_state(craft_leg_session(d->exchange)) != IBK_STATE_ESTABLISHED)
        return;
    d->peer = ims_endpoint(&remote);
    if (open_media(d) == IBK_OK)
        send_packet(d);
}
