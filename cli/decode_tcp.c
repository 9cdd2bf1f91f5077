/* ibakelab: TCP streams put together again: in order, once, within bounds. */
#include "cli/decode.h"

#include <stdlib.h>
#include <string.h>

#define MAX_STREAMS 256                  /* directions at a time; the one that was idle longest goes */
#define MAX_AHEAD   ((size_t)256 * 1024) /* octets that came before what they follow */

typedef struct early {
    struct early *next;
    uint32_t sequence;
    size_t len;
    uint8_t octets[];
} early;

typedef struct stream {
    bool used, ignored; /* ignored: no SIP, no HTTP, or a gap that will not be filled */
    bool mikey;         /* MIKEY by itself */
    uint8_t key[37];
    uint64_t last; /* for finding the idlest */
    uint32_t expected;
    ibk_buf in;   /* in order, not yet a whole message */
    early *ahead; /* sorted by distance from `expected` */
    size_t ahead_octets;
} stream;

struct decode_tcp_state {
    stream streams[MAX_STREAMS];
    uint64_t clock;
};

static void drop_ahead(stream *s) {
    while (s->ahead) {
        early *next = s->ahead->next;
        free(s->ahead);
        s->ahead = next;
    }
    s->ahead_octets = 0;
}

static void stream_clear(stream *s) {
    drop_ahead(s);
    ibk_buf_free(&s->in);
    *s = (stream){0};
}

decode_tcp_state *decode_tcp_new(void) {
    return calloc(1, sizeof(decode_tcp_state));
}

void decode_tcp_free(decode_tcp_state *tcp) {
    if (!tcp)
        return;
    for (size_t i = 0; i < MAX_STREAMS; i++)
        stream_clear(&tcp->streams[i]);
    free(tcp);
}

static stream *find_stream(decode_tcp_state *tcp, const decode_segment *s) {
    stream *slot = &tcp->streams[0];
    tcp->clock++;
    for (size_t i = 0; i < MAX_STREAMS; i++) {
        stream *one = &tcp->streams[i];
        if (one->used && memcmp(one->key, s->key, sizeof s->key) == 0) {
            one->last = tcp->clock;
            return one;
        }
        if (slot->used && (!one->used || one->last < slot->last))
            slot = one;
    }
    stream_clear(slot);
    *slot = (stream){
        .used = true, .mikey = s->mikey, .last = tcp->clock, .expected = s->sequence + (s->syn ? 1 : 0)};
    memcpy(slot->key, s->key, sizeof s->key);
    return slot;
}

/* Whole messages at the beginning of what is in order. */
static void consume(decoder *d, stream *s, decode_origin *origin) {
    size_t used = 0;
    while (used < s->in.len && !s->ignored) {
        decode_origin place = *origin;
        ibk_span rest = ibk_span_of(s->in.data + used, s->in.len - used);
        size_t one = s->mikey ? decode_mikey_stream(d, &place, rest) : decode_stream(d, &place, rest);
        if (one == 0)
            break;
        if (one == SIZE_MAX)
            s->ignored = true;
        else
            used += one;
    }
    if (s->ignored) {
        drop_ahead(s);
        ibk_buf_free(&s->in);
    } else if (used) {
        memmove(s->in.data, s->in.data + used, s->in.len - used);
        s->in.len -= used;
    }
}

/* Adds what of these octets is new; their sequence is not beyond `expected`. */
static void take(decoder *d, stream *s, uint32_t sequence, ibk_span data) {
    uint32_t old = s->expected - sequence;
    if (old >= data.len)
        return;
    if (ibk_buf_append(&s->in, data.data + old, data.len - old)) {
        d->failed = true;
        s->ignored = true;
        return;
    }
    s->expected += (uint32_t)(data.len - old);
}

static void keep_ahead(decoder *d, stream *s, uint32_t sequence, ibk_span data) {
    if (s->ahead_octets + data.len > MAX_AHEAD) { /* the capture lacks a segment */
        s->ignored = true;
        drop_ahead(s);
        ibk_buf_free(&s->in);
        return;
    }
    early *one = malloc(sizeof *one + data.len);
    if (!one) {
        d->failed = true;
        return;
    }
    one->sequence = sequence;
    one->len = data.len;
    memcpy(one->octets, data.data, data.len);
    early **place = &s->ahead;
    while (*place && (*place)->sequence - s->expected <= sequence - s->expected)
        place = &(*place)->next;
    one->next = *place;
    *place = one;
    s->ahead_octets += data.len;
}

/* Segments that came early and now follow. */
static void take_ahead(decoder *d, stream *s) {
    while (s->ahead && (int32_t)(s->ahead->sequence - s->expected) <= 0) {
        early *one = s->ahead;
        s->ahead = one->next;
        s->ahead_octets -= one->len;
        take(d, s, one->sequence, ibk_span_of(one->octets, one->len));
        free(one);
    }
}

void decode_tcp_segment(decoder *d, decode_tcp_state *tcp, decode_origin *origin,
                        const decode_segment *segment) {
    if (!segment->data.len && !segment->syn && !segment->rst)
        return;
    stream *s = find_stream(tcp, segment);
    uint32_t sequence = segment->sequence;
    if (segment->syn) {
        sequence++;
        if (s->expected != sequence) { /* the ports are used again */
            uint8_t key[sizeof s->key];
            memcpy(key, s->key, sizeof key);
            stream_clear(s);
            *s = (stream){.used = true, .mikey = segment->mikey, .last = tcp->clock, .expected = sequence};
            memcpy(s->key, key, sizeof key);
        }
    }
    if (segment->rst) {
        stream_clear(s);
        return;
    }
    if (s->ignored || !segment->data.len)
        return;
    if ((int32_t)(sequence - s->expected) > 0) {
        keep_ahead(d, s, sequence, segment->data);
        return;
    }
    take(d, s, sequence, segment->data);
    take_ahead(d, s);
    consume(d, s, origin);
}
