#include "ns3shim/ip.h"

#include <string.h>

enum { HOP_BY_HOP = 0, ROUTING = 43, FRAGMENT = 44, DESTINATION = 60, MAX_EXTENSIONS = 8 };

static uint16_t get16(const uint8_t *p) {
    return (uint16_t)(p[0] << 8 | p[1]);
}

static uint32_t get32(const uint8_t *p) {
    return (uint32_t)get16(p) << 16 | get16(p + 2);
}

static n3_addr address(n3_family family, const uint8_t *octets) {
    n3_addr addr = {.family = (uint8_t)family};
    memcpy(addr.octets, octets, family == N3_IPV4 ? 4 : 16);
    return addr;
}

bool n3_ip_is_fragment(const n3_ip *ip) {
    return ip->more || ip->offset;
}

static bool read_ipv4(n3_ip *out, const uint8_t *p, size_t len) {
    size_t header = 4u * (p[0] & 15);
    if (len < 20 || header < 20 || len < header)
        return false;
    size_t total = get16(p + 2);
    if (total < header)
        return false;
    *out = (n3_ip){.from = address(N3_IPV4, p + 12),
                   .to = address(N3_IPV4, p + 16),
                   .protocol = p[9],
                   .more = p[6] & 0x20,
                   .offset = 8u * (get16(p + 6) & 0x1fff),
                   .id = get16(p + 4),
                   .payload = p + header,
                   .len = (total < len ? total : len) - header};
    return true;
}

/* Takes the extension header at the beginning of the payload away. False: it is cut short. */
static bool read_extension(n3_ip *out) {
    const uint8_t *p = out->payload;
    if (out->len < 8)
        return false;
    size_t size = out->protocol == FRAGMENT ? 8 : 8 * ((size_t)p[1] + 1);
    if (size > out->len)
        return false;
    if (out->protocol == FRAGMENT) {
        out->more = p[3] & 1;
        out->offset = get16(p + 2) & 0xfff8;
        out->id = get32(p + 4);
    }
    out->protocol = p[0];
    out->payload += size;
    out->len -= size;
    return true;
}

static bool read_ipv6(n3_ip *out, const uint8_t *p, size_t len) {
    if (len < 40)
        return false;
    size_t payload = get16(p + 4);
    if (payload > len - 40 || payload == 0) /* 0: a jumbogram, RFC 2675 */
        payload = len - 40;
    *out = (n3_ip){.from = address(N3_IPV6, p + 8),
                   .to = address(N3_IPV6, p + 24),
                   .protocol = p[6],
                   .payload = p + 40,
                   .len = payload};
    for (int i = 0; i < MAX_EXTENSIONS; i++) {
        uint8_t next = out->protocol;
        if (next != HOP_BY_HOP && next != ROUTING && next != DESTINATION && next != FRAGMENT)
            return true;
        if (!read_extension(out))
            return false;
        if (next == FRAGMENT && n3_ip_is_fragment(out)) /* offsets count from here on, RFC 8200 §4.5 */
            return true;
    }
    return true;
}

bool n3_ip_read(n3_ip *out, const uint8_t *packet, size_t len) {
    if (len == 0)
        return false;
    switch (packet[0] >> 4) {
    case 4:
        return read_ipv4(out, packet, len);
    case 6:
        return read_ipv6(out, packet, len);
    default:
        return false;
    }
}

static void read_ports(n3_endpoint *from, n3_endpoint *to, const n3_ip *ip) {
    *from = (n3_endpoint){.addr = ip->from, .port = get16(ip->payload)};
    *to = (n3_endpoint){.addr = ip->to, .port = get16(ip->payload + 2)};
}

bool n3_datagram_read(n3_datagram *out, const n3_ip *ip) {
    if (ip->protocol != N3_PROTOCOL_UDP || ip->offset || ip->len < 8)
        return false;
    size_t total = get16(ip->payload + 4);
    if (total < 8)
        return false;
    *out = (n3_datagram){
        .data = ip->payload + 8, .len = (total < ip->len ? total : ip->len) - 8, .total = total - 8};
    read_ports(&out->from, &out->to, ip);
    return true;
}

bool n3_segment_read(n3_segment *out, const n3_ip *ip) {
    if (ip->protocol != N3_PROTOCOL_TCP || n3_ip_is_fragment(ip) || ip->len < 20)
        return false;
    const uint8_t *p = ip->payload;
    size_t header = 4u * (p[12] >> 4);
    if (header < 20 || header > ip->len)
        return false;
    *out = (n3_segment){.seq = get32(p + 4),
                        .ack = get32(p + 8),
                        .flags = p[13],
                        .window = get16(p + 14),
                        .options = p + 20,
                        .options_len = header - 20,
                        .data = p + header,
                        .len = ip->len - header};
    read_ports(&out->from, &out->to, ip);
    return true;
}
