// IP packets as octets: lengths and checksums made right (RFC 791, 8200, 768, 9293, 4443), UDP packets built.
#include "ns3shim/internal.h"
#include "ns3shim/ip.h"

#include <cstring>

using namespace n3;

namespace {

constexpr size_t IPV4_HEADER = 20, IPV6_HEADER = 40, UDP_HEADER = 8, TCP_HEADER = 20, ICMP_HEADER = 4;
constexpr uint8_t ICMPV4 = 1, TCP = N3_PROTOCOL_TCP, UDP = N3_PROTOCOL_UDP, ICMPV6 = 58;

void put16(uint8_t *at, size_t value) {
    at[0] = static_cast<uint8_t>(value >> 8);
    at[1] = static_cast<uint8_t>(value);
}

// The Internet checksum, RFC 1071, over `octets`, going on from `sum`.
uint64_t add_up(uint64_t sum, const uint8_t *octets, size_t len) {
    for (; len >= 2; octets += 2, len -= 2) {
        sum += static_cast<uint64_t>(octets[0]) << 8 | octets[1];
    }
    return len ? sum + (static_cast<uint64_t>(octets[0]) << 8) : sum;
}

uint16_t fold(uint64_t sum) {
    while (sum >> 16) {
        sum = (sum & 0xffff) + (sum >> 16);
    }
    return static_cast<uint16_t>(~sum);
}

// The transport part; `sum` is that of the pseudo-header's addresses. What is too short stays as it is.
void fix_transport(uint8_t *at, size_t len, uint8_t protocol, uint64_t sum) {
    size_t field;
    if (protocol == UDP && len >= UDP_HEADER) {
        put16(at + 4, len);
        field = 6;
    } else if (protocol == TCP && len >= TCP_HEADER) {
        field = 16;
    } else if ((protocol == ICMPV4 || protocol == ICMPV6) && len >= ICMP_HEADER) {
        field = 2;
    } else {
        return;
    }
    put16(at + field, 0);
    if (protocol == ICMPV4) { // no pseudo-header
        sum = 0;
    } else {
        sum += len + protocol;
    }
    uint16_t checksum = fold(add_up(sum, at, len));
    put16(at + field, protocol == UDP && checksum == 0 ? 0xffff : checksum); // RFC 768
}

bool fix_ipv4(uint8_t *p, size_t len) {
    size_t header = size_t{p[0]} % 16 * 4;
    if (len < IPV4_HEADER || header < IPV4_HEADER || header > len) {
        return false;
    }
    put16(p + 2, len);
    put16(p + 10, 0);
    put16(p + 10, fold(add_up(0, p, header)));
    bool fragment = (p[6] & 0x3f) || p[7]; // MF or an offset
    if (!fragment) {
        fix_transport(p + header, len - header, p[9], add_up(0, p + 12, 8));
    }
    return true;
}

bool fix_ipv6(uint8_t *p, size_t len) {
    if (len < IPV6_HEADER) {
        return false;
    }
    put16(p + 4, len - IPV6_HEADER);
    n3_ip ip;
    if (n3_ip_read(&ip, p, len) && !n3_ip_is_fragment(&ip)) {
        fix_transport(p + (len - ip.len), ip.len, ip.protocol, add_up(0, p + 8, 32));
    }
    return true;
}

size_t build_udp(uint8_t *out, const n3_endpoint &from, const n3_endpoint &to, const void *data, size_t len) {
    size_t header = from.addr.family == N3_IPV4 ? IPV4_HEADER : IPV6_HEADER;
    memset(out, 0, header + UDP_HEADER);
    if (from.addr.family == N3_IPV4) {
        out[0] = 0x45;
        out[8] = 64;
        out[9] = UDP;
        memcpy(out + 12, from.addr.octets, 4);
        memcpy(out + 16, to.addr.octets, 4);
    } else {
        out[0] = 0x60;
        out[6] = UDP;
        out[7] = 64;
        memcpy(out + 8, from.addr.octets, 16);
        memcpy(out + 24, to.addr.octets, 16);
    }
    put16(out + header, from.port);
    put16(out + header + 2, to.port);
    if (len) {
        memcpy(out + header + UDP_HEADER, data, len);
    }
    return header + UDP_HEADER + len;
}

} // namespace

namespace n3 {

bool fix_packet(uint8_t *packet, size_t len) noexcept {
    if (len == 0 || len > N3_MTU_MAX) {
        return false;
    }
    switch (packet[0] >> 4) {
    case 4:
        return fix_ipv4(packet, len);
    case 6:
        return fix_ipv6(packet, len);
    default:
        return false;
    }
}

} // namespace n3

extern "C" {

n3_status n3_packet_fix(uint8_t *packet, size_t len) {
    return guard([&] {
        N3_REQUIRE(packet && fix_packet(packet, len), "n3_packet_fix: %zu octets that are no IP packet", len);
    });
}

n3_status n3_packet_udp(uint8_t *out, size_t *len, const n3_endpoint *from, const n3_endpoint *to,
                        const void *data, size_t data_len) {
    return guard([&] {
        N3_REQUIRE(out && len && from && to && (data || !data_len), "n3_packet_udp: a null argument");
        N3_REQUIRE(family_valid(from->addr.family) && from->addr.family == to->addr.family,
                   "n3_packet_udp: addresses of two families, or none");
        N3_REQUIRE(data_len <= N3_UDP_MAX, "n3_packet_udp: %zu octets", data_len);
        size_t header = from->addr.family == N3_IPV4 ? IPV4_HEADER : IPV6_HEADER;
        if (*len < header + UDP_HEADER + data_len) {
            fail(N3_ERR_LIMIT, "n3_packet_udp: room for %zu octets, %zu needed", *len,
                 header + UDP_HEADER + data_len);
        }
        *len = build_udp(out, *from, *to, data, data_len);
        fix_packet(out, *len);
    });
}
}
