#include "adversary/relay.h"
#include "adversary/craft_internal.h"
#include "ims/media/rtp.h"
#include "ims/media/srtp.h"

#include <stdlib.h>
#include <string.h>

#define GENERATIONS 4 /* keys of a stream after CSB updates that are tried, newest first */

/* Keys of one stream: those that its sender uses, those that its receiver expects. */
typedef struct generation {
    srtp_t in, out;
    srtp_t forge; /* as out, for packets of its own: libsrtp protects each sequence number once */
} generation;

typedef struct stream {
    struct stream *next;
    uint32_t ssrc;
    ibk_session *sender, *receiver; /* whose keys it protects with: the leg to that party */
    uint8_t cs_id;
    unsigned updates; /* of the legs, when the newest generation was made */
    generation generations[GENERATIONS];
    unsigned count;
} stream;

/* A stream in whose middle it is not, and whose keys it was told. */
typedef struct overheard {
    struct overheard *next;
    uint32_t ssrc;
    srtp_t forge;
} overheard;

struct relay {
    craft *craft;
    const told *told;
    stream *streams;
    overheard *overheard;
    relay_stats stats;
};

ibk_err relay_new(relay **out, craft *c, const told *t) {
    *out = calloc(1, sizeof **out);
    if (!*out)
        return IBK_ERR_NO_MEMORY;
    (*out)->craft = c;
    (*out)->told = t;
    return IBK_OK;
}

static void generation_free(generation *g) {
    srtp_t *contexts[] = {&g->in, &g->out, &g->forge};
    for (size_t i = 0; i < sizeof contexts / sizeof *contexts; i++)
        if (*contexts[i])
            srtp_dealloc(*contexts[i]);
    *g = (generation){0};
}

void relay_free(relay *r) {
    if (!r)
        return;
    for (stream *s = r->streams, *next; s; s = next) {
        next = s->next;
        for (unsigned i = 0; i < s->count; i++)
            generation_free(&s->generations[i]);
        free(s);
    }
    for (overheard *o = r->overheard, *next; o; o = next) {
        next = o->next;
        srtp_dealloc(o->forge);
        free(o);
    }
    free(r);
}

const relay_stats *relay_get_stats(const relay *r) {
    return &r->stats;
}

/* ---- keys
 * --------------------------------------------------------------------------------------------------- */

static ibk_err make_context(srtp_t *context, ibk_session *session, uint8_t cs_id, srtp_ssrc_t ssrc) {
    media_keys keys;
    ibk_srtp_policy policy;
    ibk_err err = ibk_session_srtp_policy(session, cs_id, &policy);
    if (!err)
        err = ibk_session_tek(session, cs_id, keys.key, sizeof keys.key, keys.salt, sizeof keys.salt);
    if (!err)
        err = media_srtp_context(context, &keys, ssrc, policy.auth_tag_len);
    ibk_wipe(&keys, sizeof keys);
    return err;
}

static ibk_err add_generation(stream *s) {
    generation made = {0};
    const srtp_ssrc_t in = {ssrc_specific, s->ssrc}, out = {ssrc_any_outbound, 0};
    ibk_err err = make_context(&made.in, s->sender, s->cs_id, in);
    if (!err)
        err = make_context(&made.out, s->receiver, s->cs_id, out);
    if (!err)
        err = make_context(&made.forge, s->receiver, s->cs_id, out);
    if (err) {
        generation_free(&made);
        return err;
    }
    if (s->count == GENERATIONS)
        generation_free(&s->generations[--s->count]);
    memmove(&s->generations[1], &s->generations[0], s->count * sizeof made);
    s->generations[0] = made;
    s->count++;
    return IBK_OK;
}

static bool has_keys(const ibk_session *session) {
    return session && (ibk_session_get_state(session) == IBK_STATE_ESTABLISHED ||
                       ibk_session_get_state(session) == IBK_STATE_UPDATING);
}

/* The crypto session of this SSRC in an exchange; 0: none. Odd ones are the caller's (RFC 4567 §7.1). */
static uint8_t cs_of(const ibk_session *session, uint32_t ssrc) {
    const ibk_hdr *hdr = ibk_session_header(session);
    ibk_cs_srtp cs;
    for (size_t i = 0; hdr && i < UINT8_MAX && ibk_map_srtp(hdr, i, &cs); i++)
        if (cs.ssrc == ssrc)
            return (uint8_t)(i + 1);
    return 0;
}

static stream *add_stream(relay *r, uint32_t ssrc, uint8_t cs_id, const craft_legs *legs) {
    stream *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    bool from_caller = cs_id % 2 == 1;
    *s = (stream){.next = r->streams,
                  .ssrc = ssrc,
                  .cs_id = cs_id,
                  .sender = from_caller ? legs->towards_initiator : legs->towards_responder,
                  .receiver = from_caller ? legs->towards_responder : legs->towards_initiator};
    r->streams = s;
    return s;
}

static stream *find_stream(relay *r, uint32_t ssrc) {
    for (stream *s = r->streams; s; s = s->next)
        if (s->ssrc == ssrc)
            return s;
    for (const craft_call *call = r->craft->calls; call; call = call->next) {
        craft_legs legs = craft_call_legs(r->craft, call->id);
        uint8_t cs_id = has_keys(legs.towards_initiator) && has_keys(legs.towards_responder)
                            ? cs_of(legs.towards_responder, ssrc)
                            : 0;
        if (cs_id)
            return add_stream(r, ssrc, cs_id, &legs);
    }
    return NULL;
}

/* The stream with the newest keys of both legs: an update makes new ones once it is complete on both sides.
 */
static stream *ready_stream(relay *r, uint32_t ssrc) {
    stream *s = find_stream(r, ssrc);
    if (!s || !has_keys(s->sender) || !has_keys(s->receiver))
        return NULL;
    unsigned updates = ibk_session_updates(s->sender);
    bool both = updates == ibk_session_updates(s->receiver);
    if (s->count == 0 || (both && updates != s->updates)) {
        if (add_generation(s))
            return NULL;
        s->updates = updates;
    }
    return s;
}

/* ---- packets
 * ---------------------------------------------------------------------------------------------------- */

static uint32_t number(const uint8_t *octets) {
    return (uint32_t)octets[0] << 24 | (uint32_t)octets[1] << 16 | (uint32_t)octets[2] << 8 | octets[3];
}

static bool is_media(ibk_span packet) {
    return packet.len >= RTP_HEADER_LEN && packet.len <= MEDIA_PACKET_MAX && packet.data[0] >> 6 == 2;
}

/* From the sender's keys to the receiver's, in place. */
static srtp_err_status_t swap_keys(const generation *g, uint8_t *octets, int *len, bool rtcp) {
    srtp_err_status_t status =
        rtcp ? srtp_unprotect_rtcp(g->in, octets, len) : srtp_unprotect(g->in, octets, len);
    if (status)
        return status;
    return rtcp ? srtp_protect_rtcp(g->out, octets, len) : srtp_protect(g->out, octets, len);
}

ibk_err relay_media(relay *r, ibk_span packet, ibk_buf *out) {
    uint8_t octets[MEDIA_PACKET_MAX + SRTP_MAX_TRAILER_LEN + 4];
    if (!is_media(packet))
        return IBK_OK;
    bool rtcp = rtp_is_rtcp(packet.data, packet.len);
    stream *s = ready_stream(r, number(packet.data + (rtcp ? 4 : 8)));
    for (unsigned i = 0; s && i < s->count; i++) {
        int len = (int)packet.len;
        memcpy(octets, packet.data, packet.len);
        if (swap_keys(&s->generations[i], octets, &len, rtcp) == srtp_err_status_ok) {
            r->stats.relayed++;
            return ibk_buf_append(out, octets, (size_t)len);
        }
    }
    r->stats.left_alone++;
    return IBK_OK;
}

static ibk_err overhear(relay *r, uint32_t ssrc, srtp_t *out) {
    told_stream keys;
    const srtp_ssrc_t any = {ssrc_any_outbound, 0};
    for (const overheard *o = r->overheard; o; o = o->next)
        if (o->ssrc == ssrc) {
            *out = o->forge;
            return IBK_OK;
        }
    ibk_err err = r->told ? told_stream_of(r->told, ssrc, &keys) : IBK_ERR_NO_KEY;
    overheard *o = err ? NULL : calloc(1, sizeof *o);
    if (!err)
        err = o ? media_srtp_context(&o->forge, &keys.keys, any, keys.tag_len) : IBK_ERR_NO_MEMORY;
    ibk_wipe(&keys, sizeof keys);
    if (err) {
        free(o);
        return err;
    }
    o->ssrc = ssrc;
    o->next = r->overheard;
    r->overheard = o;
    *out = o->forge;
    return IBK_OK;
}

/* With which to protect a packet of this stream. */
static ibk_err forge_context(relay *r, uint32_t ssrc, srtp_t *out) {
    const stream *s = ready_stream(r, ssrc);
    if (!s)
        return overhear(r, ssrc, out);
    *out = s->generations[0].forge;
    return IBK_OK;
}

ibk_err relay_forge(relay *r, const relay_speech *speech, ibk_buf *out) {
    uint8_t octets[MEDIA_PACKET_MAX + SRTP_MAX_TRAILER_LEN];
    rtp_header header;
    ibk_span payload = speech->payload;
    if (!is_media(speech->last) || rtp_is_rtcp(speech->last.data, speech->last.len) ||
        payload.len > MEDIA_PACKET_MAX - RTP_HEADER_LEN - SRTP_MAX_TRAILER_LEN)
        return IBK_ERR_BAD_LENGTH;
    if (!rtp_read(&header, speech->last.data, speech->last.len))
        return IBK_ERR_BAD_VALUE;
    srtp_t context;
    ibk_err err = forge_context(r, header.ssrc, &context);
    if (err)
        return err;
    header.sequence = (uint16_t)(header.sequence + speech->ahead);
    header.timestamp += (uint32_t)(speech->ahead * payload.len);
    header.marker = false;
    rtp_write(octets, &header);
    memcpy(octets + RTP_HEADER_LEN, payload.data, payload.len);
    int len = (int)(RTP_HEADER_LEN + payload.len);
    err = media_srtp_error(srtp_protect(context, octets, &len));
    if (err)
        return err;
    r->stats.forged++;
    return ibk_buf_append(out, octets, (size_t)len);
}
