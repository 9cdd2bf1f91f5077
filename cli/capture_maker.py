"""Packets and capture files for the decode test: nothing but the standard library."""
import ipaddress
import struct


def checksum(data):
    if len(data) % 2:
        data += b"\0"
    total = sum(struct.unpack(f"!{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


def pseudo(source, destination, protocol, length):
    packed = ipaddress.ip_address(source).packed + ipaddress.ip_address(destination).packed
    form = "!BBH" if len(packed) == 8 else "!IxxxB"
    tail = struct.pack(form, 0, protocol, length) if len(packed) == 8 else struct.pack(form, length, protocol)
    return packed + tail


def udp(source, destination, payload, sport=5060, dport=5060):
    head = struct.pack("!HHHH", sport, dport, 8 + len(payload), 0)
    value = checksum(pseudo(source, destination, 17, 8 + len(payload)) + head + payload) or 0xFFFF
    return struct.pack("!HHHH", sport, dport, 8 + len(payload), value) + payload


def tcp(source, destination, sequence, payload, flags=0x10, sport=40000, dport=5060):
    head = struct.pack("!HHIIBBHHH", sport, dport, sequence & 0xFFFFFFFF, 1, 0x50, flags, 65535, 0, 0)
    value = checksum(pseudo(source, destination, 6, len(head + payload)) + head + payload)
    return head[:16] + struct.pack("!H", value) + head[18:] + payload


def ipv4(source, destination, protocol, payload, ident=1, offset=0, more=False, options=b""):
    def build(value):
        return struct.pack("!BBHHHBBH4s4s", 0x45 + len(options) // 4, 0, 20 + len(options) + len(payload), ident,
                           (0x2000 if more else 0) | offset // 8, 64, protocol, value,
                           ipaddress.ip_address(source).packed, ipaddress.ip_address(destination).packed) + options
    return build(checksum(build(0))) + payload


def ipv6(source, destination, next_header, payload):
    return (struct.pack("!IHBB", 6 << 28, len(payload), next_header, 64) + ipaddress.ip_address(source).packed
            + ipaddress.ip_address(destination).packed + payload)


def packet(source, destination, protocol, payload):
    return (ipv4 if "." in source else ipv6)(source, destination, protocol, payload)


def fragments4(source, destination, protocol, payload, size, ident=7):
    return [ipv4(source, destination, protocol, payload[at:at + size], ident, at, at + size < len(payload))
            for at in range(0, len(payload), size)]


def fragments6(source, destination, protocol, payload, size, ident=7):
    return [ipv6(source, destination, 44,
                 struct.pack("!BBHI", protocol, 0, at | (at + size < len(payload)), ident) + payload[at:at + size])
            for at in range(0, len(payload), size)]


LINKS = {"ethernet": 1, "vlan": 1, "ppp": 9, "ppp-hdlc": 9, "raw": 101, "sll": 113}


def link(kind, ip):
    six = ip[0] >> 4 == 6
    ether = struct.pack("!H", 0x86DD if six else 0x0800)
    return {"ethernet": b"\2" * 12 + ether, "vlan": b"\2" * 12 + b"\x81\0\0\5" + ether,
            "ppp": b"\0\x57" if six else b"\0\x21", "ppp-hdlc": b"\xff\3\0\x57" if six else b"\xff\3\0\x21",
            "raw": b"", "sll": b"\0" * 14 + ether}[kind] + ip


def pcap(packets, kind="raw", order="<", nano=False):
    out = struct.pack(order + "IHHiIII", 0xA1B23C4D if nano else 0xA1B2C3D4, 2, 4, 0, 0, 65535, LINKS[kind])
    for i, ip in enumerate(packets):
        frame = link(kind, ip)
        out += struct.pack(order + "IIII", 1000 + i, 500 + i, len(frame), len(frame)) + frame
    return out


def pcapng(packets, kind="raw", order="<", resolution=None):
    def block(code, body):
        body += b"\0" * (-len(body) % 4)
        return struct.pack(order + "II", code, 12 + len(body)) + body + struct.pack(order + "I", 12 + len(body))
    options = b"" if resolution is None else struct.pack(order + "HHBxxxHH", 9, 1, resolution, 0, 0)
    out = block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1))
    out += block(1, struct.pack(order + "HHI", LINKS[kind], 0, 0) + options)
    out += block(5, b"\0" * 12)  # statistics: to be skipped
    for i, ip in enumerate(packets):
        frame = link(kind, ip)
        ticks = (1000 + i) * 10 ** (6 if resolution is None else resolution)
        out += block(6, struct.pack(order + "IIIII", 0, ticks >> 32, ticks & 0xFFFFFFFF, len(frame), len(frame)) + frame)
    return out
