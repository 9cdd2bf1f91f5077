/* Reading IP packets: the headers of IPv4 (RFC 791), IPv6 (RFC 8200), UDP (RFC 768) and TCP (RFC 9293). All
 * pointers are borrowed from the packet. Checksums are not looked at; n3_packet_fix() makes them. */
#ifndef NS3SHIM_IP_H
#define NS3SHIM_IP_H

#include "ns3shim/n3.h"

#ifdef __cplusplus
extern "C" {
#endif

enum n3_protocol { N3_PROTOCOL_TCP = 6, N3_PROTOCOL_UDP = 17 };

typedef struct n3_ip {
    n3_addr from, to;
    uint8_t protocol;       /* of what `payload` is, or of what it is a fragment of */
    bool more;              /* further fragments follow */
    size_t offset;          /* octets of what was fragmented that stand before this fragment */
    uint32_t id;            /* identification; IPv6: of fragments only */
    const uint8_t *payload; /* behind the extension headers of IPv6, those inside a fragment excepted */
    size_t len;
} n3_ip;

/* False: no IP packet, or one that is cut short inside its headers. What stands behind the packet's own
 * length is left out. */
bool n3_ip_read(n3_ip *out, const uint8_t *packet, size_t len);
bool n3_ip_is_fragment(const n3_ip *ip);

typedef struct n3_datagram {
    n3_endpoint from, to;
    const uint8_t *data;
    size_t len;   /* octets of data that are here */
    size_t total; /* octets of data in the whole datagram, if this is a first fragment */
} n3_datagram;

/* A UDP datagram, or its first fragment. False: it is no such thing. */
bool n3_datagram_read(n3_datagram *out, const n3_ip *ip);

enum n3_tcp_flag { N3_FIN = 1, N3_SYN = 2, N3_RST = 4, N3_PSH = 8, N3_ACK = 16 };

typedef struct n3_segment {
    n3_endpoint from, to;
    uint32_t seq, ack;
    uint8_t flags; /* of n3_tcp_flag */
    uint16_t window;
    const uint8_t *options, *data;
    size_t options_len, len;
} n3_segment;

/* A TCP segment in a packet that is no fragment. False: it is no such thing. */
bool n3_segment_read(n3_segment *out, const n3_ip *ip);

#ifdef __cplusplus
}
#endif

#endif
