#include "adversary/tap_inside.h"

#include <string.h>

enum { IPV4_HEADER = 20, IPV6_HEADER = 40, UDP_HEADER = 8, FRAGMENT_HEADER = 8, FRAGMENT = 44 };

/* ---- sending ------------------------------------------------------------------------------------- */

static void put16(uint8_t *at, size_t value) {
    at[0] = (uint8_t)(value >> 8);
    at[1] = (uint8_t)value;
}

/* The header of one fragment, from that of the whole packet. */
static size_t fragment_header(uint8_t *out, const uint8_t *packet, uint32_t id, size_t offset, bool more) {
    if (packet[0] >> 4 == 4) {
        memcpy(out, packet, IPV4_HEADER);
        put16(out + 4, id & 0xffff);
        put16(out + 6, offset / 8 | (more ? 0x2000 : 0));
        return IPV4_HEADER;
    }
    memcpy(out, packet, IPV6_HEADER);
    out[6] = FRAGMENT;
    uint8_t *extension = out + IPV6_HEADER;
    extension[0] = N3_PROTOCOL_UDP;
    extension[1] = 0;
    put16(extension + 2, offset | more);
    put16(extension + 4, id >> 16);
    put16(extension + 6, id & 0xffff);
    return IPV6_HEADER + FRAGMENT_HEADER;
}

/* Sends a packet whose checksum is right already, in fragments if it is too long for some link. */
static ibk_err send_packet(tap_lane *lane, uint64_t delay_ns, const uint8_t *packet, size_t len) {
    tap *t = lane->tap;
    size_t mtu = n3_least_mtu(t->sim);
    if (len <= mtu)
        return lane_send(lane, delay_ns, packet, len);
    bool four = packet[0] >> 4 == 4;
    size_t header = four ? IPV4_HEADER : IPV6_HEADER;
    size_t unit = (mtu - header - (four ? 0 : FRAGMENT_HEADER)) / 8 * 8;
    uint32_t id = t->next_id--;
    ibk_err err = IBK_OK;
    for (size_t offset = 0; offset < len - header && !err; offset += unit) {
        uint8_t piece[TAP_PACKET_MAX];
        size_t left = len - header - offset, part = left < unit ? left : unit;
        size_t head = fragment_header(piece, packet, id, offset, part < left);
        memcpy(piece + head, packet + header + offset, part);
        err = lane_send(lane, delay_ns, piece, head + part);
    }
    return err;
}

/* Makes a packet in scratch; `like` is a packet whose traffic class and hop limit it takes over, or NULL.
 * Returns its size, 0: too long. */
static size_t make_packet(tap *t, const n3_endpoint *from, const n3_endpoint *to, ibk_span data,
                          const uint8_t *like) {
    size_t len = sizeof t->scratch;
    if (n3_packet_udp(t->scratch, &len, from, to, data.data, data.len) != N3_OK)
        return 0;
    if (like && like[0] >> 4 == 4) {
        t->scratch[1] = like[1];
        t->scratch[8] = like[8];
        memcpy(t->scratch + 4, like + 4, 2);
    } else if (like) {
        memcpy(t->scratch, like, 4);
        t->scratch[7] = like[7];
    }
    return n3_packet_fix(t->scratch, len) == N3_OK ? len : 0;
}

ibk_err tap_send_udp(tap *t, n3_direction direction, const n3_endpoint *from, const n3_endpoint *to,
                     uint64_t delay_ns, ibk_span octets) {
    if (!t || !from || !to || (direction != N3_AB && direction != N3_BA) || delay_ns > N3_MAX_LINK_DELAY ||
        from->addr.family != to->addr.family || (!octets.data && octets.len))
        return IBK_ERR_USAGE;
    if (!t->active)
        return IBK_ERR_STATE;
    if (octets.len > N3_UDP_MAX)
        return IBK_ERR_LIMIT;
    size_t len = make_packet(t, from, to, octets, NULL);
    if (!len)
        return IBK_ERR_USAGE;
    ibk_err err = send_packet(&t->lane[direction], delay_ns, t->scratch, len);
    t->stats.sent += !err;
    return err;
}

/* ---- receiving ----------------------------------------------------------------------------------- */

static tap_verdict show(tap *t, n3_direction direction, const n3_datagram *d) {
    tap_message message = {.kind = tap_kind_of_ports(false, d->from.port, d->to.port),
                           .direction = direction,
                           .from = d->from,
                           .to = d->to,
                           .octets = ibk_span_of(d->data, d->len)};
    return tap_show(t, &message);
}

/* A packet in scratch that takes the place of another one. */
static void replace(tap *t, n3_direction direction, uint64_t delay_ns, size_t len, n3_verdict *verdict) {
    if (len <= n3_least_mtu(t->sim)) {
        *verdict = (n3_verdict){.action = N3_REPLACE, .delay_ns = delay_ns, .packet = t->scratch, .len = len};
        return;
    }
    verdict->action = N3_DROP;
    (void)send_packet(&t->lane[direction], delay_ns, t->scratch, len); /* counts what it cannot do */
}

static void one_packet(tap *t, n3_direction direction, const n3_datagram *d, const uint8_t *packet,
                       n3_verdict *verdict) {
    tap_verdict v = show(t, direction, d);
    if (v.what == TAP_DROP) {
        verdict->action = N3_DROP;
    } else if (v.what == TAP_REPLACE) {
        size_t len = make_packet(t, &d->from, &d->to, v.octets, packet);
        replace(t, direction, v.delay_ns, len, verdict);
    } else if (v.delay_ns) {
        verdict->action = N3_DELAY;
        verdict->delay_ns = v.delay_ns;
    }
}

/* All fragments are here, and none went on. */
static void release(tap *t, n3_direction direction, const n3_datagram *d, const assembly *whole,
                    const tap_verdict *v) {
    tap_lane *lane = &t->lane[direction];
    if (v->what == TAP_REPLACE) {
        size_t len = make_packet(t, &d->from, &d->to, v->octets, whole->first->packet);
        if (len)
            (void)send_packet(lane, v->delay_ns, t->scratch, len);
    } else if (v->what == TAP_PASS) {
        for (const frag_part *part = whole->first; part; part = part->next)
            (void)lane_send(lane, v->delay_ns, part->packet, part->packet_len);
    }
}

static void whole_datagram(tap *t, n3_direction direction, const n3_ip *last, const assembly *whole) {
    ibk_buf octets = {0};
    n3_datagram d;
    tap_verdict v = {0};
    bool readable = false;
    if (assembly_join(whole, &octets))
        t->stats.over_limit++;
    n3_ip ip = {.from = last->from,
                .to = last->to,
                .protocol = last->protocol,
                .payload = octets.data,
                .len = octets.len};
    if (octets.len && n3_datagram_read(&d, &ip)) {
        v = show(t, direction, &d);
        readable = true;
    }
    if (t->active)
        release(t, direction, readable ? &d : NULL, whole, &v);
    ibk_buf_free(&octets);
}

static void fragment(tap *t, n3_direction direction, const n3_ip *ip, const uint8_t *packet, size_t len,
                     n3_verdict *verdict) {
    assembly *whole = NULL;
    frag_result result = frags_add(t, direction, ip, packet, len, &whole);
    t->stats.over_limit += result == FRAG_NO_ROOM;
    if (t->active && result != FRAG_NO_ROOM) /* none goes on before all are here */
        verdict->action = N3_DROP;
    if (result == FRAG_WHOLE)
        whole_datagram(t, direction, ip, whole);
    assembly_free(whole);
}

void tap_udp_packet(tap *t, n3_direction direction, const n3_ip *ip, const uint8_t *packet, size_t len,
                    n3_verdict *verdict) {
    n3_datagram d;
    if (n3_ip_is_fragment(ip))
        fragment(t, direction, ip, packet, len, verdict);
    else if (n3_datagram_read(&d, ip))
        one_packet(t, direction, &d, packet, verdict);
}
