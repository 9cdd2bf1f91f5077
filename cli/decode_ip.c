/* ibakelab: from frames to UDP datagrams and TCP segments: link headers, IPv4, IPv6, fragments. */
#include "cli/decode.h"
#include "ns3shim/ip.h"

#include <arpa/inet.h>
#include <stdlib.h>
#include <string.h>

#define MAX_DATAGRAMS 64    /* under reassembly at a time; the oldest goes */
#define MAX_DATAGRAM  65535 /* octets */

typedef struct packet {
    uint8_t version; /* 4 or 6 */
    uint8_t source[16], destination[16];
    uint8_t protocol;
    ibk_span payload;
} packet;

typedef struct datagram {
    bool used;
    uint8_t key[38]; /* version, addresses, identification, IPv4: protocol */
    uint8_t protocol;
    size_t total; /* 0: the last fragment has not come */
    size_t have;  /* octets covered */
    uint8_t *octets;
    uint8_t *covered; /* a bit for 8 octets */
} datagram;

struct decode_ip_state {
    datagram datagrams[MAX_DATAGRAMS]; /* a ring */
    size_t next;
    decode_tcp_state *tcp;
};

decode_ip_state *decode_ip_new(void) {
    decode_ip_state *ip = calloc(1, sizeof *ip);
    if (ip && !(ip->tcp = decode_tcp_new())) {
        free(ip);
        return NULL;
    }
    return ip;
}

static void datagram_clear(datagram *g) {
    free(g->octets);
    free(g->covered);
    *g = (datagram){0};
}

void decode_ip_free(decode_ip_state *ip) {
    if (!ip)
        return;
    for (size_t i = 0; i < MAX_DATAGRAMS; i++)
        datagram_clear(&ip->datagrams[i]);
    decode_tcp_free(ip->tcp);
    free(ip);
}

static uint16_t get16(const uint8_t *p) {
    return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t get32(const uint8_t *p) {
    return (uint32_t)get16(p) << 16 | get16(p + 2);
}

/* ---- transport ------------------------------------------------------------------------------------- */

static void name_end(char out[64], const packet *p, const uint8_t *address, unsigned port) {
    char text[INET6_ADDRSTRLEN];
    inet_ntop(p->version == 4 ? AF_INET : AF_INET6, address, text, sizeof text);
    snprintf(out, 64, p->version == 4 ? "%s:%u" : "[%s]:%u", text, port);
}

static void name_ends(decode_origin *o, const packet *p, const char *transport) {
    name_end(o->source, p, p->source, get16(p->payload.data));
    name_end(o->destination, p, p->destination, get16(p->payload.data + 2));
    o->transport = transport;
}

static bool is_mikey_port(const packet *p) {
    return get16(p->payload.data) == DECODE_MIKEY_PORT || get16(p->payload.data + 2) == DECODE_MIKEY_PORT;
}

static void udp(decoder *d, decode_origin *origin, const packet *p) {
    if (p->payload.len < 8)
        return;
    size_t len = get16(p->payload.data + 4);
    if (len < 8 || len > p->payload.len) /* a jumbogram, or cut by the snap length: what there is */
        len = p->payload.len;
    name_ends(origin, p, "udp");
    ibk_span data = ibk_span_of(p->payload.data + 8, len - 8);
    if (!decode_datagram(d, origin, data) && is_mikey_port(p) && data.len)
        decode_message(d, origin, data);
}

static void tcp(decoder *d, decode_ip_state *ip, decode_origin *origin, const packet *p) {
    if (p->payload.len < 20)
        return;
    const uint8_t *head = p->payload.data;
    size_t offset = (size_t)(head[12] >> 4) * 4;
    if (offset < 20 || offset > p->payload.len)
        return;
    decode_segment s = {.sequence = get32(head + 4),
                        .syn = head[13] & 2,
                        .fin = head[13] & 1,
                        .rst = head[13] & 4,
                        .mikey = is_mikey_port(p),
                        .data = ibk_span_of(head + offset, p->payload.len - offset)};
    s.key[0] = p->version;
    memcpy(s.key + 1, p->source, 16);
    memcpy(s.key + 17, p->destination, 16);
    memcpy(s.key + 33, head, 4); /* ports */
    name_ends(origin, p, "tcp");
    decode_tcp_segment(d, ip->tcp, origin, &s);
}

static void deliver(decoder *d, decode_ip_state *ip, decode_origin *origin, const packet *p) {
    if (p->protocol == N3_PROTOCOL_UDP)
        udp(d, origin, p);
    else if (p->protocol == N3_PROTOCOL_TCP)
        tcp(d, ip, origin, p);
}

/* ---- fragments -------------------------------------------------------------------------------------- */

static datagram *find_datagram(decode_ip_state *ip, const uint8_t key[38], uint8_t protocol) {
    for (size_t i = 0; i < MAX_DATAGRAMS; i++)
        if (ip->datagrams[i].used && memcmp(ip->datagrams[i].key, key, 38) == 0)
            return &ip->datagrams[i];
    datagram *g = &ip->datagrams[ip->next];
    ip->next = (ip->next + 1) % MAX_DATAGRAMS;
    datagram_clear(g);
    g->octets = malloc(MAX_DATAGRAM);
    g->covered = calloc(MAX_DATAGRAM / 8 / 8 + 1, 1);
    if (!g->octets || !g->covered) {
        datagram_clear(g);
        return NULL;
    }
    g->used = true;
    g->protocol = protocol;
    memcpy(g->key, key, 38);
    return g;
}

/* The first copy of an octet counts; a fragment that contradicts the length ends the datagram. */
static bool add_fragment(datagram *g, size_t offset, bool more, ibk_span part) {
    if (offset + part.len > MAX_DATAGRAM || (more && part.len % 8) ||
        (g->total && offset + part.len > g->total))
        return false;
    if (!more && g->total && g->total != offset + part.len)
        return false;
    if (!more)
        g->total = offset + part.len;
    for (size_t i = 0; i < part.len; i += 8) {
        size_t unit = (offset + i) / 8, len = part.len - i < 8 ? part.len - i : 8;
        if (g->covered[unit / 8] & 1u << unit % 8)
            continue;
        g->covered[unit / 8] |= (uint8_t)(1u << unit % 8);
        memcpy(g->octets + offset + i, part.data + i, len);
        g->have += len;
    }
    return true;
}

static void fragment(decoder *d, decode_ip_state *ip, decode_origin *origin, packet *p, uint32_t id,
                     size_t offset, bool more) {
    uint8_t key[38] = {p->version};
    memcpy(key + 1, p->source, 16);
    memcpy(key + 17, p->destination, 16);
    memcpy(key + 33, &id, 4);
    key[37] = p->version == 4 ? p->protocol : 0;
    datagram *g = find_datagram(ip, key, p->protocol);
    if (!g) {
        d->failed = true;
        return;
    }
    if (offset == 0)
        g->protocol = p->protocol; /* RFC 8200 §4.5: that of the first fragment counts */
    if (!add_fragment(g, offset, more, p->payload)) {
        datagram_clear(g);
        return;
    }
    if (!g->total || g->have < g->total)
        return;
    p->protocol = g->protocol;
    p->payload = ibk_span_of(g->octets, g->total);
    deliver(d, ip, origin, p);
    datagram_clear(g);
}

/* ---- IP ------------------------------------------------------------------------------------------------ */

static void internet(decoder *d, decode_ip_state *ip, decode_origin *origin, ibk_span in) {
    n3_ip header;
    if (!n3_ip_read(&header, in.data, in.len))
        return;
    packet p = {.version = header.from.family == N3_IPV4 ? 4 : 6,
                .protocol = header.protocol,
                .payload = ibk_span_of(header.payload, header.len)};
    memcpy(p.source, header.from.octets, sizeof p.source);
    memcpy(p.destination, header.to.octets, sizeof p.destination);
    if (n3_ip_is_fragment(&header))
        fragment(d, ip, origin, &p, header.id, header.offset, header.more);
    else
        deliver(d, ip, origin, &p);
}

/* Octets of the link header before an IP packet; SIZE_MAX: none in it. */
static size_t link_header(unsigned link_type, ibk_span in) {
    size_t at = 0;
    switch (link_type) {
    case 1: /* Ethernet, up to two VLAN tags */
        at = 12;
        while (in.len >= at + 4 && at < 20 &&
               (get16(in.data + at) == 0x8100 || get16(in.data + at) == 0x88A8))
            at += 4;
        break;
    case 113: /* Linux cooked */
        at = 14;
        break;
    case 9: /* PPP: with or without address and control; the protocol may be compressed */
        if (in.len >= 2 && in.data[0] == 0xFF && in.data[1] == 0x03)
            at = 2;
        if (in.len < at + 2)
            return SIZE_MAX;
        if (in.data[at] == 0x21 || in.data[at] == 0x57)
            return at + 1;
        return get16(in.data + at) == 0x0021 || get16(in.data + at) == 0x0057 ? at + 2 : SIZE_MAX;
    default: /* IP itself */
        return 0;
    }
    if (in.len < at + 2)
        return SIZE_MAX;
    unsigned type = get16(in.data + at);
    return type == 0x0800 || type == 0x86DD ? at + 2 : SIZE_MAX;
}

void decode_frame(decoder *d, decode_ip_state *ip, decode_origin *origin, unsigned link_type,
                  ibk_span frame) {
    size_t at = link_header(link_type, frame);
    if (at < frame.len)
        internet(d, ip, origin, ibk_span_of(frame.data + at, frame.len - at));
}
