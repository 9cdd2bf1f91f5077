#include "ns3shim/internal.h"

#include "ns3/inet-socket-address.h"
#include "ns3/inet6-socket-address.h"

#include <arpa/inet.h>
#include <cstdio>
#include <cstdlib>
#include <cstring>

namespace n3 {

bool family_valid(unsigned family) {
    return family == N3_IPV4 || family == N3_IPV6;
}

bool addr_is_any(const n3_addr &addr) {
    static const uint8_t zero[16] = {0};
    return memcmp(addr.octets, zero, sizeof zero) == 0;
}

std::string text(const n3_addr &addr) {
    char out[N3_ADDR_TEXT];
    return n3_addr_format(out, &addr);
}

std::string text(const n3_endpoint &endpoint) {
    char out[N3_ENDPOINT_TEXT];
    return n3_endpoint_format(out, &endpoint);
}

namespace {

const char *why_no_host(const n3_addr &addr) {
    const uint8_t *o = addr.octets;
    if (!family_valid(addr.family)) {
        return "it has no family";
    }
    if (addr_is_any(addr)) {
        return "it is the unspecified address";
    }
    if (addr.family == N3_IPV4) {
        static const uint8_t zero[12] = {0};
        if (memcmp(o + 4, zero, sizeof zero) != 0) {
            return "octets beyond the fourth are not zero";
        }
        if (o[0] == 0 || o[0] == 127) {
            return "it is reserved";
        }
        return o[0] >= 224 ? "it is multicast or reserved" : nullptr;
    }
    if (o[0] == 0xff) {
        return "it is multicast";
    }
    if (o[0] == 0xfe && (o[1] & 0xc0) == 0x80) {
        return "it is link-local";
    }
    if (o[0] == 0x20 && o[1] == 0x01 && o[2] == 0x0d && o[3] == 0xb8) {
        return "ns-3's routers drop 2001:db8::/32, use fd00::/8";
    }
    return o[0] == 0 ? "it is reserved" : nullptr; // ::1, ::ffff:0:0/96, 64:ff9b::/96
}

} // namespace

void require_host_address(const n3_addr &addr) {
    const char *why = why_no_host(addr);
    if (why) {
        fail(N3_ERR_ADDRESS, "%s cannot be a host's address: %s", text(addr).c_str(), why);
    }
}

ns3::Ipv4Address to_ipv4(const n3_addr &addr) {
    return ns3::Ipv4Address::Deserialize(addr.octets);
}

ns3::Ipv6Address to_ipv6(const n3_addr &addr) {
    return ns3::Ipv6Address::Deserialize(addr.octets);
}

n3_addr from_ipv4(ns3::Ipv4Address addr) {
    n3_addr out{};
    out.family = N3_IPV4;
    addr.Serialize(out.octets);
    return out;
}

n3_addr from_ipv6(ns3::Ipv6Address addr) {
    if (addr.IsIpv4MappedAddress()) { // an IPv6 socket that was reached over IPv4
        return from_ipv4(addr.GetIpv4MappedAddress());
    }
    n3_addr out{};
    out.family = N3_IPV6;
    addr.Serialize(out.octets);
    return out;
}

ns3::Address to_socket_address(const n3_endpoint &endpoint) {
    if (endpoint.addr.family == N3_IPV4) {
        return ns3::InetSocketAddress(to_ipv4(endpoint.addr), endpoint.port);
    }
    return ns3::Inet6SocketAddress(to_ipv6(endpoint.addr), endpoint.port);
}

n3_endpoint from_socket_address(const ns3::Address &address) {
    n3_endpoint out{};
    if (ns3::InetSocketAddress::IsMatchingType(address)) {
        ns3::InetSocketAddress inet = ns3::InetSocketAddress::ConvertFrom(address);
        out.addr = from_ipv4(inet.GetIpv4());
        out.port = inet.GetPort();
    } else if (ns3::Inet6SocketAddress::IsMatchingType(address)) {
        ns3::Inet6SocketAddress inet = ns3::Inet6SocketAddress::ConvertFrom(address);
        out.addr = from_ipv6(inet.GetIpv6());
        out.port = inet.GetPort();
    }
    return out;
}

namespace {

void parse_endpoint(n3_endpoint *out, const char *text) {
    bool bracket = text[0] == '[';
    const char *end = bracket ? strchr(text, ']') : strchr(text, ':');
    const char *colon = end && bracket ? end + 1 : end;
    N3_REQUIRE(colon && *colon == ':' && colon[1] >= '0' && colon[1] <= '9', "'%.60s' is no address and port",
               text);
    char host[N3_ADDR_TEXT];
    const char *start = text + (bracket ? 1 : 0);
    size_t len = static_cast<size_t>(end - start);
    N3_REQUIRE(len < sizeof host, "'%.60s' is no address and port", text);
    memcpy(host, start, len);
    host[len] = 0;
    n3_endpoint parsed{};
    char *rest = nullptr;
    unsigned long port = strlen(colon + 1) <= 5 ? strtoul(colon + 1, &rest, 10) : 65536;
    N3_REQUIRE(port <= 65535 && *rest == 0, "'%.60s' has no port from 0 to 65535", text);
    N3_REQUIRE(n3_addr_parse(&parsed.addr, host) == N3_OK && bracket == (parsed.addr.family == N3_IPV6),
               "'%.60s' is no address and port", text);
    parsed.port = static_cast<uint16_t>(port);
    *out = parsed;
}

} // namespace

} // namespace n3

using namespace n3;

extern "C" {

n3_status n3_addr_parse(n3_addr *out, const char *text) {
    return guard([&] {
        N3_REQUIRE(out && text, "n3_addr_parse: a null argument");
        n3_addr parsed{};
        if (inet_pton(AF_INET, text, parsed.octets) == 1) {
            parsed.family = N3_IPV4;
        } else if (inet_pton(AF_INET6, text, parsed.octets) == 1) {
            parsed.family = N3_IPV6;
        } else {
            fail(N3_ERR_ARGUMENT, "'%.60s' is no IP address", text);
        }
        *out = parsed;
    });
}

n3_status n3_endpoint_parse(n3_endpoint *out, const char *text) {
    return guard([&] {
        N3_REQUIRE(out && text, "n3_endpoint_parse: a null argument");
        parse_endpoint(out, text);
    });
}

char *n3_addr_format(char out[N3_ADDR_TEXT], const n3_addr *addr) {
    if (!out) {
        return nullptr;
    }
    if (!addr || !family_valid(addr->family) ||
        !inet_ntop(addr->family == N3_IPV4 ? AF_INET : AF_INET6, addr->octets, out, N3_ADDR_TEXT)) {
        memcpy(out, "none", 5);
    }
    return out;
}

char *n3_endpoint_format(char out[N3_ENDPOINT_TEXT], const n3_endpoint *endpoint) {
    if (!out) {
        return nullptr;
    }
    char host[N3_ADDR_TEXT];
    n3_addr_format(host, endpoint ? &endpoint->addr : nullptr);
    bool six = endpoint && endpoint->addr.family == N3_IPV6;
    snprintf(out, N3_ENDPOINT_TEXT, six ? "[%s]:%u" : "%s:%u", host, endpoint ? endpoint->port : 0u);
    return out;
}

bool n3_addr_equal(const n3_addr *a, const n3_addr *b) {
    return a && b && a->family == b->family && memcmp(a->octets, b->octets, sizeof a->octets) == 0;
}

bool n3_endpoint_equal(const n3_endpoint *a, const n3_endpoint *b) {
    return a && b && a->port == b->port && n3_addr_equal(&a->addr, &b->addr);
}

n3_addr n3_addr_any(n3_family family) {
    n3_addr out{};
    out.family = family_valid(family) ? static_cast<uint8_t>(family) : static_cast<uint8_t>(N3_NONE);
    return out;
}
}
