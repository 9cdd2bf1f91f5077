"""IPv4, IPv6, UDP and TCP: from packets to datagrams and streams of octets, every checksum checked."""

import bisect
import ipaddress
from dataclasses import dataclass, field

UDP, TCP = 17, 6
IPV6_OPTIONS = {0, 43, 60}  # hop-by-hop, routing, destination options: next header, length, data
IPV6_FRAGMENT = 44


class IpError(ValueError):
    """A packet that is cut off or has a wrong checksum."""


@dataclass
class Datagram:
    """A UDP datagram. An end point is (address as text, port); `packet` is where its last piece came."""

    packet: int
    time: int
    source: tuple
    target: tuple
    data: bytes


@dataclass
class Stream:
    """One direction of a TCP connection."""

    source: tuple
    target: tuple
    base: int  # sequence number of the first octet
    number: int  # of this one among the streams between the two ends: both directions of a connection have the same
    pieces: list = field(default_factory=list)  # (offset, packet, time, octets) in the order of the capture
    fin: bool = False  # it was ended in order


@dataclass
class Octets:
    """The octets of a stream in order, as far as there is no hole, and who brought them."""

    data: bytes
    starts: list  # offsets at which a piece's contribution begins
    origins: list  # (packet, time) of each contribution, the latest so far
    hole: int = None  # packet number of octets behind a hole

    def origin(self, end):
        """Packet and time at which everything before the offset `end` was there."""
        return self.origins[bisect.bisect_left(self.starts, end) - 1]


def _ones_sum(data):
    if len(data) % 2:
        data += b"\0"
    total = int.from_bytes(data, "big") % 0xFFFF  # 2^16 = 1 (mod 2^16 - 1): the sum of the 16-bit words
    return total


def _check(data, what):
    if _ones_sum(data) != 0:
        raise IpError("wrong %s checksum" % what)


def _ipv4(packet):
    size = (packet[0] & 15) * 4
    total = int.from_bytes(packet[2:4], "big")
    if size < 20 or not size <= total <= len(packet):
        raise IpError("IPv4 packet with wrong lengths")
    _check(packet[:size], "IPv4 header")
    flags = int.from_bytes(packet[6:8], "big")
    piece = (flags & 0x1FFF) * 8, bool(flags & 0x2000), packet[4:6]
    return packet[12:16], packet[16:20], packet[9], packet[size:total], piece


def _ipv6(packet):
    payload = packet[40 : 40 + int.from_bytes(packet[4:6], "big")]
    if len(packet) < 40 or len(payload) != int.from_bytes(packet[4:6], "big"):
        raise IpError("IPv6 packet with wrong lengths")
    protocol, piece = packet[6], (0, False, b"")
    while protocol in IPV6_OPTIONS or protocol == IPV6_FRAGMENT:
        if len(payload) < 8:
            raise IpError("IPv6 extension header is cut off")
        size = 8 if protocol == IPV6_FRAGMENT else 8 + 8 * payload[1]
        if protocol == IPV6_FRAGMENT:
            flags = int.from_bytes(payload[2:4], "big")
            piece = flags & 0xFFF8, bool(flags & 1), payload[4:8]
        protocol, payload = payload[0], payload[size:]
    return packet[8:24], packet[24:40], protocol, payload, piece


class Reassembler:
    """Takes packets in order; `datagrams` and `streams` grow."""

    def __init__(self):
        self.datagrams, self.streams = [], []
        self.others = 0  # packets of other protocols, such as ICMP
        self._open = {}  # (source, target) -> the latest stream
        self._fragments = {}  # (addresses, protocol, identification) -> [pieces]

    def add(self, packet):
        """Raises IpError, naming no packet."""
        if not packet.ip:
            self.others += 1
            return
        version = packet.ip[0] >> 4
        if version not in (4, 6) or len(packet.ip) < 20:
            raise IpError("neither IPv4 nor IPv6")
        source, target, protocol, payload, piece = _ipv4(packet.ip) if version == 4 else _ipv6(packet.ip)
        if piece[0] or piece[1]:
            payload = self._join((source, target, protocol, piece[2]), piece, payload)
        if payload is None:
            return
        if protocol not in (UDP, TCP):
            self.others += 1
            return
        ends = [str(ipaddress.ip_address(address)) for address in (source, target)]
        self._transport(packet, ends, protocol, payload, source + target)

    def _join(self, key, piece, payload):
        """Keep a fragment; returns the whole payload once all of it is there."""
        pieces = self._fragments.setdefault(key, {})
        pieces[piece[0]] = payload, piece[1]
        whole, more = b"", True
        while more:
            if len(whole) not in pieces:
                return None
            data, more = pieces[len(whole)]
            whole += data
        del self._fragments[key]
        return whole

    def _transport(self, packet, ends, protocol, payload, addresses):
        name = "UDP" if protocol == UDP else "TCP"
        if len(payload) < (8 if protocol == UDP else 20):
            raise IpError(name + " header is cut off")
        length = len(payload).to_bytes(4, "big")
        if protocol == TCP or payload[6:8] != b"\0\0" or len(addresses) == 32:
            _check(addresses + length + bytes([0, 0, 0, protocol]) + payload, name)
        source, target = ((end, int.from_bytes(payload[2 * i : 2 * i + 2], "big")) for i, end in enumerate(ends))
        if protocol == TCP:
            self._segment(packet, source, target, payload)
            return
        if int.from_bytes(payload[4:6], "big") != len(payload):
            raise IpError("UDP length is wrong")
        self.datagrams.append(Datagram(packet.number, packet.time, source, target, payload[8:]))

    def _segment(self, packet, source, target, segment):
        sequence, syn = int.from_bytes(segment[4:8], "big"), bool(segment[13] & 2)
        data = segment[(segment[12] >> 4) * 4 :]
        base = sequence + syn & 0xFFFFFFFF
        stream = self._open.get((source, target))
        if stream is None or syn and stream.base != base:
            number = stream.number + 1 if stream else 0
            stream = self._open[source, target] = Stream(source, target, base, number)
            self.streams.append(stream)
        stream.fin |= bool(segment[13] & 1)
        if data:
            stream.pieces.append((base - stream.base & 0xFFFFFFFF, packet.number, packet.time, data))


def octets_of(stream):
    """Put a stream's segments in order; raises IpError (with .packet) if one contradicts an earlier one."""
    data, starts, origins, waiting = bytearray(), [], [], {}
    for offset, packet, time, piece in stream.pieces:
        have = bytes(data[offset : offset + len(piece)])
        if have != piece[: len(have)]:
            error = IpError("TCP segment differs from what was sent before at its place")
            error.packet = packet
            raise error
        waiting[offset] = max(waiting.get(offset, (b"", 0)), (piece, packet), key=lambda entry: len(entry[0]))
        while ready := [o for o in waiting if o <= len(data)]:
            for start in ready:
                rest = waiting.pop(start)[0][len(data) - start :]
                if rest:
                    starts.append(len(data))
                    origins.append((packet, time))
                    data += rest
    hole = min(packet for _, packet in waiting.values()) if waiting else None
    return Octets(bytes(data), starts, origins, hole)
