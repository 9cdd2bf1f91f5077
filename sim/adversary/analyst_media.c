/* The recorded media: what can be heard as it is, and what the candidates for a TGK open (RFC 3830 §4.1.3).
 */
#include "adversary/analyst_internal.h"
#include "ims/media/content.h"
#include "ims/media/opener.h"
#include "ims/media/rtp.h"

#include <stdlib.h>
#include <string.h>

enum {
    RECENT = 64,   /* packets among which the same one at another seat is looked for */
    PROBED = 4,    /* packets that tell whether a key fits */
    AUDIO_MIN = 80 /* octets of speech that are compared */
};

/* ---- recording
 * ------------------------------------------------------------------------------------------------------ */

void an_free_streams(analyst *a) {
    for (an_stream *s = a->streams, *next; s; s = next) {
        next = s->next;
        ibk_buf_free(&s->octets);
        free(s->packets);
        free(s);
    }
}

static an_stream *find_stream(const analyst *a, uint32_t ssrc) {
    an_stream *s = a->stream_buckets[ssrc % AN_BUCKETS];
    while (s && s->ssrc != ssrc)
        s = s->next_in_bucket;
    return s;
}

static an_stream *add_stream(analyst *a, uint32_t ssrc, uint16_t sequence) {
    an_stream **at = &a->stream_buckets[ssrc % AN_BUCKETS], *s = calloc(1, sizeof *s);
    if (!s)
        return NULL;
    *s = (an_stream){.ssrc = ssrc, .highest = sequence, .next_in_bucket = *at};
    *at = s;
    *a->streams_end = s;
    a->streams_end = &s->next;
    return s;
}

static ibk_span packet_at(const an_stream *s, size_t index) {
    return ibk_span_of(s->octets.data + s->packets[index].at, s->packets[index].len);
}

static bool recorded(const an_stream *s, ibk_span packet) {
    for (size_t back = 1; back <= RECENT && back <= s->packet_count; back++)
        if (ibk_span_equal(packet_at(s, s->packet_count - back), packet))
            return true;
    return false;
}

/* RFC 3711 §3.3.1: the index that is nearest to the highest one so far. */
static uint32_t roc_of(an_stream *s, uint16_t sequence) {
    int16_t ahead = (int16_t)(sequence - (uint16_t)s->highest);
    uint32_t index = s->highest + (uint32_t)(int32_t)ahead;
    if (ahead > 0)
        s->highest = index;
    else if (ahead < 0 && s->highest < (uint32_t) - (int32_t)ahead)
        index = sequence; /* before the first one */
    return index >> 16;
}

static void record(analyst *a, an_stream *s, const analyst_packet *packet, uint16_t sequence) {
    an_packet p = {.at_ns = packet->at_ns, .at = s->octets.len, .len = packet->octets.len};
    if (recorded(s, packet->octets))
        return;
    p.roc = roc_of(s, sequence);
    if (a->media_octets + p.len > a->config.max_media || s->octets.len + p.len > IBK_BUF_MAX ||
        !an_make_room(a, &s->packets, s->packet_count, &s->packet_cap, sizeof *s->packets) ||
        ibk_buf_append_span(&s->octets, packet->octets)) {
        a->stats.packets_dropped++;
        return;
    }
    s->packets[s->packet_count++] = p;
    a->media_octets += p.len;
    a->stats.packets++;
}

void analyst_add_packet(analyst *a, const analyst_packet *packet) {
    rtp_header header;
    if (rtp_is_rtcp(packet->octets.data, packet->octets.len) ||
        !rtp_read(&header, packet->octets.data, packet->octets.len))
        return;
    an_stream *s = find_stream(a, header.ssrc);
    s = s ? s : add_stream(a, header.ssrc, header.sequence);
    if (!s)
        return;
    bool long_enough = packet->octets.len >= RTP_HEADER_LEN + AUDIO_MIN;
    if (!s->clear && long_enough && a->config.is_speech &&
        a->config.is_speech(a->config.user, packet->octets)) {
        an_source source = an_source_of(packet->at_ns, LEDGER_RECEIVED,
                                        "RTP of SSRC %08x passed without protection", s->ssrc);
        an_enter(a, SCN_THING_MEDIA, packet->call, &source);
        s->clear = true;
    }
    if (!s->clear)
        record(a, s, packet, header.sequence);
}

/* ---- crypto sessions
 * ---------------------------------------------------------------------------------------------
 */

/* One that some message of the exchange describes. */
typedef struct session {
    uint8_t cs_id;
    uint32_t ssrc;
    unsigned tag_len;
    const scn_call *call;
} session;

static unsigned tag_of(const an_exchange *e, uint8_t policy_no) {
    for (const an_message *m = e->messages; m; m = m->next)
        for (size_t i = 0; i < m->msg.chain.count; i++) {
            const ibk_payload *p = &m->msg.chain.items[i];
            ibk_srtp_policy policy;
            if (p->type == IBK_PL_SP && p->sp.policy_no == policy_no &&
                ibk_srtp_policy_parse(&policy, &p->sp, NULL) == IBK_OK)
                return policy.auth_tag_len;
        }
    return ibk_srtp_policy_default().auth_tag_len;
}

/* Calls `each` with every crypto session and SSRC that the maps name, each once. True: `each` did so. */
typedef bool each_session(void *user, const session *s);

static bool told_before(const an_exchange *e, const an_message *until, size_t index, const ibk_cs_srtp *cs) {
    ibk_cs_srtp other;
    for (const an_message *m = e->messages; m != until; m = m->next)
        if (ibk_map_srtp(&m->msg.hdr, index, &other) && other.ssrc == cs->ssrc)
            return true;
    return false;
}

static bool sessions_of(const an_exchange *e, each_session *each, void *user) {
    ibk_cs_srtp cs;
    for (const an_message *m = e->messages; m; m = m->next)
        for (size_t i = 0; ibk_map_srtp(&m->msg.hdr, i, &cs); i++) {
            session s = {
                .cs_id = (uint8_t)(i + 1), .ssrc = cs.ssrc, .call = m->call ? m->call : an_call_of(e)};
            if (cs.ssrc == 0 || told_before(e, m, i, &cs))
                continue;
            s.tag_len = tag_of(e, cs.policy_no);
            if (each(user, &s))
                return true;
        }
    return false;
}

static media_opener *opener_for(const an_exchange *e, const an_key *key, const session *s) {
    media_opener *o = NULL;
    media_keys keys;
    ibk_span tgk = ibk_span_of(key->tgk, sizeof key->tgk);
    ibk_err err =
        ibk_derive(keys.key, sizeof keys.key, key->prf, IBK_DERIVE_TEK, tgk, s->cs_id, e->csb_id, key->rand);
    err = err ? err
              : ibk_derive(keys.salt, sizeof keys.salt, key->prf, IBK_DERIVE_TGK_SALT, tgk, s->cs_id,
                           e->csb_id, key->rand);
    if (!err)
        (void)media_opener_new(&o, &keys, s->ssrc, s->tag_len); /* NULL after an error */
    ibk_wipe(&keys, sizeof keys);
    return o;
}

typedef struct probe {
    const analyst *a;
    const an_exchange *e;
    const an_key *key;
} probe;

static bool probe_session(void *user, const session *s) {
    const probe *p = user;
    const an_stream *stream = find_stream(p->a, s->ssrc);
    media_opener *o = stream ? opener_for(p->e, p->key, s) : NULL;
    bool fits = false;
    for (size_t i = 0; o && !fits && i < PROBED && i < stream->packet_count; i++) {
        size_t index = i * stream->packet_count / PROBED;
        uint8_t out[MEDIA_PACKET_MAX];
        size_t len;
        index = stream->packet_count < PROBED ? i : index;
        fits =
            media_opener_open(o, packet_at(stream, index), stream->packets[index].roc, out, &len) == IBK_OK;
    }
    media_opener_free(o);
    return fits;
}

bool an_probe(analyst *a, const an_exchange *e, const an_key *key) {
    probe p = {.a = a, .e = e, .key = key};
    return sessions_of(e, probe_session, &p);
}

/* ---- content under SK (P-22)
 * -----------------------------------------------------------------------------------
 */

static media_opener *opener_for_sk(const an_sk *sk) {
    media_opener *o = NULL;
    media_keys keys;
    if (content_keys(&keys, ibk_buf_span(&sk->sk)) == IBK_OK)
        (void)media_opener_new(&o, &keys, 0, 0);
    ibk_wipe(&keys, sizeof keys);
    return o;
}

/* Every SK that was found on the payload of an opened packet. */
static void open_content(analyst *a, const uint8_t *rtp, size_t len, const session *s, uint64_t at_ns) {
    for (size_t i = 0; i < a->sk_count; i++) {
        an_sk *sk = &a->sks[i];
        uint8_t out[MEDIA_PACKET_MAX];
        size_t plain;
        media_opener *o = sk->proven ? NULL : opener_for_sk(sk);
        ibk_span inner = ibk_span_of(rtp + RTP_HEADER_LEN, len - RTP_HEADER_LEN);
        if (o && media_opener_open(o, inner, 0, out, &plain) == IBK_OK) {
            an_source source = sk->source;
            source.at_ns = an_later(source.at_ns, at_ns);
            source.how = LEDGER_DECRYPTED;
            an_enter(a, SCN_THING_CONTENT, sk->call ? sk->call : s->call, &source);
            sk->proven = true;
        }
        media_opener_free(o);
    }
}

/* ---- all
 * ---------------------------------------------------------------------------------------------------------
 */

typedef struct work {
    analyst *a;
    an_exchange *e;
    an_key *key;
} work;

/* Only now is the session key known: it opened a packet. */
static void enter_key(const work *w, const session *s, uint64_t at_ns) {
    an_source source = w->key->source;
    source.at_ns = at_ns;
    an_enter(w->a, SCN_THING_SESSION_KEY, s->call, &source);
    w->key->proven = true;
}

static void enter_media(const work *w, const session *s, uint64_t at_ns) {
    an_source source = an_source_of(at_ns, LEDGER_DECRYPTED, "SRTP of SSRC %08x opened: %.150s", s->ssrc,
                                    w->key->source.step);
    an_enter(w->a, SCN_THING_MEDIA, s->call, &source);
}

static bool open_session(void *user, const session *s) {
    const work *w = user;
    const an_stream *stream = find_stream(w->a, s->ssrc);
    media_opener *o = stream ? opener_for(w->e, w->key, s) : NULL;
    bool any = false, heard = false;
    for (size_t i = 0; o && i < stream->packet_count; i++) {
        const an_packet *p = &stream->packets[i];
        uint8_t out[MEDIA_PACKET_MAX];
        size_t len;
        if (media_opener_open(o, packet_at(stream, i), p->roc, out, &len))
            continue;
        uint64_t at_ns = an_later(w->key->source.at_ns, p->at_ns);
        bool content = (out[1] & 0x7F) == CONTENT_PAYLOAD_TYPE; /* which lies under a key of its own */
        if (!any)
            enter_key(w, s, at_ns);
        if (content)
            open_content(w->a, out, len, s, at_ns);
        else if (!heard)
            enter_media(w, s, at_ns);
        any = true;
        heard |= !content;
        w->a->stats.opened_packets++;
    }
    media_opener_free(o);
    return false;
}

static void note_unproven(analyst *a, const an_exchange *e, const an_key *key) {
    const scn_call *call = an_call_of(e);
    if (key->fits_v && !key->proven)
        an_note(a, "a key for CSB %08x%s%s fits its V, and opened no SRTP: none passed here", e->csb_id,
                call ? " of call " : "", call ? call->name : "");
}

void an_open_media(analyst *a) {
    for (an_exchange *e = a->exchanges; e; e = e->next)
        for (size_t i = 0; i < e->key_count; i++) {
            work w = {.a = a, .e = e, .key = &e->keys[i]};
            (void)sessions_of(e, open_session, &w);
            note_unproven(a, e, w.key);
        }
}
