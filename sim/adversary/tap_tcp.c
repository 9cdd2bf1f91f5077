#include "adversary/tap_inside.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#define CLOSED_NS UINT64_C(60000000000)  /* an ended connection answers repeated FINs for so long */
#define SILENT_NS UINT64_C(600000000000) /* a connection that never opened is forgotten after that */

enum {
    OPTION_END = 0,
    OPTION_NOP = 1,
    OPTION_MSS = 2,
    OPTION_WINDOW_SCALE = 3,
    OPTION_SACK_PERMITTED = 4,
    OPTION_TIMESTAMPS = 8,
    WINDOW_SCALE_MAX = 14,
    IPV4_HEADER = 20,
    IPV6_HEADER = 40,
    TCP_HEADER = 20
};

/* ---- the table ----------------------------------------------------------------------------------- */

static int by_ends(const void *a, const void *b) {
    const tap_conn *x = a, *y = b;
    for (int i = 0; i < 2; i++) {
        int order = memcmp(&x->end[i].addr, &y->end[i].addr, sizeof x->end[i].addr);
        if (order)
            return order;
        if (x->end[i].port != y->end[i].port)
            return x->end[i].port < y->end[i].port ? -1 : 1;
    }
    return 0;
}

static tap_conn *find_exactly(const tap *t, const n3_endpoint *initiator, const n3_endpoint *responder) {
    tap_conn key = {.end = {*initiator, *responder}};
    tap_conn **found = tfind(&key, (void *const *)&t->tree, by_ends);
    return found ? *found : NULL;
}

tap_conn *tap_tcp_find(const tap *t, const n3_endpoint *from, const n3_endpoint *to) {
    tap_conn *c = find_exactly(t, from, to);
    return c ? c : find_exactly(t, to, from);
}

static void free_half(tap_half *h) {
    intake_free(&h->in);
    frames_free(h->frames);
    h->frames = NULL;
    output_free(&h->out);
}

static void forget(tap_conn *c) {
    tap *t = c->tap;
    tdelete(c, &t->tree, by_ends);
    *(c->prev ? &c->prev->next : &t->first) = c->next;
    *(c->next ? &c->next->prev : &t->last) = c->prev;
    t->count--;
    free_half(&c->half[0]);
    free_half(&c->half[1]);
    free(c);
}

void conn_settle(tap_conn *c) {
    if (c->dead)
        forget(c);
}

void tap_tcp_free(tap *t) {
    for (tap_conn *c = t->first, *next; c; c = next) {
        next = c->next;
        forget(c);
    }
}

static void forget_old(tap *t) {
    uint64_t now = n3_now(t->sim);
    for (tap_conn *c = t->first, *next; c; c = next) {
        next = c->next;
        uint64_t keep = c->state == CONN_CLOSED ? CLOSED_NS : SILENT_NS;
        if ((!t->active || c->state != CONN_OPEN) && c->heard_ns + keep < now)
            forget(c);
    }
}

static bool add(tap *t, tap_conn *c) {
    if (!tsearch(c, &t->tree, by_ends))
        return false;
    c->prev = t->last;
    *(t->last ? &t->last->next : &t->first) = c;
    t->last = c;
    t->count++;
    t->stats.streams++;
    return true;
}

/* A SYN of a connection that is to be followed. NULL: no room, or no memory. */
static tap_conn *make(tap *t, n3_direction direction, const n3_segment *s, tap_kind kind) {
    if (t->count >= TAP_MAX_STREAMS)
        forget_old(t);
    tap_conn *c = t->count < TAP_MAX_STREAMS ? calloc(1, sizeof *c) : NULL;
    if (c) {
        bool sip = kind == TAP_SIP;
        c->tap = t;
        c->end[0] = s->from;
        c->end[1] = s->to;
        c->direction = direction;
        c->kind = kind;
        c->half[0].frames = frames_new(sip ? FRAMES_SIP : FRAMES_REQUESTS);
        c->half[1].frames = frames_new(sip ? FRAMES_SIP : FRAMES_RESPONSES);
    }
    if (c && c->half[0].frames && c->half[1].frames && add(t, c))
        return c;
    t->stats.over_limit++;
    if (c) {
        frames_free(c->half[0].frames);
        frames_free(c->half[1].frames);
    }
    free(c);
    return NULL;
}

n3_direction conn_direction(const tap_conn *c, unsigned from) {
    return from == 0 ? c->direction : c->direction == N3_AB ? N3_BA : N3_AB;
}

/* ---- sending ------------------------------------------------------------------------------------- */

static void put16(uint8_t *at, uint32_t value) {
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

static void put32(uint8_t *at, uint32_t value) {
    put16(at, value >> 16);
    put16(at + 2, value & 0xffff);
}

static uint16_t window_for(tap_conn *c, unsigned to) {
    size_t room = flow_room(c, to), shift = c->scales[0] && c->scales[1] ? c->shift[1 - to] : 0;
    size_t window = room >> shift < 65535 ? room >> shift : 65535;
    c->told_full[to] = room < TAP_STREAM_WINDOW / 4;
    return (uint16_t)window;
}

void conn_send(tap_conn *c, unsigned to, uint32_t seq, uint8_t flags, ibk_span data) {
    uint8_t packet[TAP_PACKET_MAX];
    unsigned from = 1 - to;
    bool four = c->end[from].addr.family == N3_IPV4;
    size_t header = four ? IPV4_HEADER : IPV6_HEADER, len = header + TCP_HEADER + data.len;
    if (len > sizeof packet)
        return;
    memcpy(packet, c->header[from], header);
    if (four)
        put16(packet + 4, c->tap->next_id-- & 0xffff);
    uint8_t *tcp = packet + header;
    memset(tcp, 0, TCP_HEADER);
    put16(tcp, c->end[from].port);
    put16(tcp + 2, c->end[to].port);
    put32(tcp + 4, seq);
    put32(tcp + 8, c->half[to].in.next);
    tcp[12] = TCP_HEADER / 4 << 4;
    tcp[13] = flags;
    put16(tcp + 14, window_for(c, to));
    if (data.len)
        memcpy(tcp + TCP_HEADER, data.data, data.len);
    (void)lane_send(&c->tap->lane[conn_direction(c, from)], 0, packet, len); /* what is lost is sent again */
}

void conn_ack(tap_conn *c, unsigned to) {
    conn_send(c, to, c->half[1 - to].out.high, N3_ACK, (ibk_span){0});
}

void conn_abort(tap_conn *c) {
    if (c->dead)
        return;
    for (unsigned to = 0; c->tap->active && c->state == CONN_OPEN && to < 2; to++)
        conn_send(c, to, c->half[1 - to].out.high, N3_RST | N3_ACK, (ibk_span){0});
    c->dead = true;
}

void conn_check_closed(tap_conn *c) {
    if (c->state != CONN_OPEN || c->dead)
        return;
    bool over = true;
    for (int i = 0; i < 2; i++)
        over = over && c->half[i].in.ended && (!c->tap->active || c->half[i].out.fin_acked);
    if (!over)
        return;
    c->state = CONN_CLOSED;
    free_half(&c->half[0]);
    free_half(&c->half[1]);
}

/* ---- SYNs ---------------------------------------------------------------------------------------- */

/* Notes what an end's SYN says. `options` is a copy in which what the tap does not do is blanked out. */
static void read_options(tap_conn *c, unsigned from, uint8_t *options, size_t len) {
    c->scales[from] = false;
    c->mss[from] = 0;
    for (size_t at = 0; at < len && options[at] != OPTION_END;) {
        uint8_t kind = options[at];
        size_t size = kind == OPTION_NOP ? 1 : at + 1 < len ? options[at + 1] : 0;
        if (size == 0 || size > len - at || (kind != OPTION_NOP && size < 2))
            return;
        if (kind == OPTION_MSS && size == 4)
            c->mss[from] = (uint16_t)(options[at + 2] << 8 | options[at + 3]);
        if (kind == OPTION_WINDOW_SCALE && size == 3) {
            c->scales[from] = true;
            c->shift[from] = options[at + 2] < WINDOW_SCALE_MAX ? options[at + 2] : WINDOW_SCALE_MAX;
        }
        if (kind == OPTION_SACK_PERMITTED || kind == OPTION_TIMESTAMPS)
            memset(options + at, OPTION_NOP, size);
        at += size;
    }
}

/* The header that our packets in this end's name have. */
static void keep_header(tap_conn *c, unsigned from, const uint8_t *packet) {
    uint8_t *header = c->header[from];
    if (packet[0] >> 4 == 4) {
        memcpy(header, packet, IPV4_HEADER);
        header[0] = 0x45;
        header[6] = header[7] = 0;
    } else {
        memcpy(header, packet, IPV6_HEADER);
        header[6] = N3_PROTOCOL_TCP;
    }
}

static void pass_syn(tap_conn *c, unsigned from, const n3_segment *s, const uint8_t *packet, size_t len,
                     n3_verdict *verdict) {
    tap *t = c->tap;
    memcpy(t->scratch, packet, len);
    keep_header(c, from, packet);
    read_options(c, from, t->scratch + (s->options - packet), s->options_len);
    c->isn[from] = s->seq;
    c->half[from].in.next = s->seq + 1;
    c->half[1 - from].out.window = s->window; /* never scaled in a SYN */
    if (t->active && memcmp(t->scratch, packet, len) != 0)
        *verdict = (n3_verdict){.action = N3_REPLACE, .packet = t->scratch, .len = len};
}

static bool first_syn(tap *t, n3_direction direction, const n3_segment *s, const uint8_t *packet, size_t len,
                      n3_verdict *verdict) {
    tap_kind kind = tap_kind_of_ports(true, s->from.port, s->to.port);
    tap_conn *c = tap_tcp_find(t, &s->from, &s->to);
    bool again = c && n3_endpoint_equal(&c->end[0], &s->from) && c->isn[0] == s->seq;
    if (again && c->state > CONN_ACCEPT) {
        if (t->active)
            verdict->action = N3_DROP; /* of long ago */
        return true;
    }
    if (c && !again) /* the ports are used again */
        forget(c);
    if (!again)
        c = kind != TAP_PACKET ? make(t, direction, s, kind) : NULL;
    if (!c)
        return false;
    c->syn_again = again;
    c->heard_ns = c->syn_ns = n3_now(t->sim);
    pass_syn(c, 0, s, packet, len, verdict);
    return true;
}

/* SYN and ACK of the responder. */
static bool second_syn(tap_conn *c, unsigned from, const n3_segment *s, const uint8_t *packet, size_t len,
                       n3_verdict *verdict) {
    if (from != 1 || s->ack != c->isn[0] + 1)
        return false;
    if (c->state > CONN_ACCEPT) { /* it has not heard the initiator's acknowledgement */
        if (c->tap->active) {
            verdict->action = N3_DROP;
            conn_ack(c, 1);
        }
        return true;
    }
    c->syn_again = c->syn_again || c->state == CONN_ACCEPT;
    c->state = CONN_ACCEPT;
    c->accept_ns = n3_now(c->tap->sim);
    pass_syn(c, 1, s, packet, len, verdict);
    return true;
}

/* The initiator has acknowledged the SYN of the responder: from now on there are two connections. */
static void split(tap_conn *c) {
    uint64_t now = n3_now(c->tap->sim);
    uint64_t there = c->syn_again ? 0 : c->accept_ns - c->syn_ns,
             here = c->syn_again ? 0 : now - c->accept_ns;
    c->state = CONN_OPEN;
    output_open(&c->half[0].out, c, 1, c->isn[0], c->half[0].out.window, there);
    output_open(&c->half[1].out, c, 0, c->isn[1], c->half[1].out.window, here);
    if (c->tap->active)
        conn_ack(c, 1);
}

/* ---- segments ------------------------------------------------------------------------------------ */

/* Before it is open. False: it is a packet like others. */
static bool opens(tap_conn *c, unsigned from, const n3_segment *s) {
    if (c->state == CONN_ACCEPT && from == 0 && s->flags & N3_ACK && !(s->flags & N3_RST) &&
        s->ack == c->isn[1] + 1) {
        split(c);
        return true;
    }
    bool refused = s->flags & N3_RST, one_sided = c->state == CONN_SYN;
    if (refused || one_sided) /* the answer takes another way, and so this does too */
        forget(c);
    return false;
}

bool tap_tcp_packet(tap *t, n3_direction direction, const n3_segment *s, const uint8_t *packet, size_t len,
                    n3_verdict *verdict) {
    if (s->flags & N3_SYN && !(s->flags & (N3_ACK | N3_RST)))
        return !t->busy && first_syn(t, direction, s, packet, len, verdict);
    tap_conn *c = tap_tcp_find(t, &s->from, &s->to);
    if (!c)
        return false;
    if (t->busy) { /* a handler made a node send: not what it may do. It will be sent again */
        if (t->active)
            verdict->action = N3_DROP;
        return true;
    }
    unsigned from = n3_endpoint_equal(&s->from, &c->end[0]) ? 0 : 1;
    c->heard_ns = n3_now(t->sim);
    if (s->flags & N3_SYN)
        return second_syn(c, from, s, packet, len, verdict);
    if (c->state < CONN_OPEN && !opens(c, from, s))
        return false;
    if (t->active)
        verdict->action = N3_DROP; /* what goes on is made by the tap */
    if (c->state == CONN_OPEN)
        flow_segment(c, from, s);
    else if (t->active && !(s->flags & N3_RST) && (s->len || s->flags & N3_FIN))
        conn_ack(c, from);
    conn_settle(c);
    return true;
}
