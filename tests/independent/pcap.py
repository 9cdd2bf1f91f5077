"""Reads pcap files: packets numbered from 1 as Wireshark does, with what lies above the link layer."""

import struct
from dataclasses import dataclass

ETHERTYPE_IP = {0x0800, 0x86DD}
PPP_IP = {0x0021, 0x0057}
MAGIC = {  # the first four octets -> byte order, nanoseconds in a unit of the time's second field
    b"\xd4\xc3\xb2\xa1": ("<", 1000),
    b"\xa1\xb2\xc3\xd4": (">", 1000),
    b"\x4d\x3c\xb2\xa1": ("<", 1),
    b"\xa1\xb2\x3c\x4d": (">", 1),
}


class PcapError(ValueError):
    """A file that is no pcap, is cut off, or has a link layer that is not known here."""


@dataclass
class Packet:
    """`ip` is the IP packet, empty if the frame carries something else; `time` in nanoseconds since 1970."""

    number: int
    time: int
    ip: bytes


def _without_link_layer(link_type, frame):
    if link_type == 101:  # raw IP
        return frame
    if link_type == 9:  # PPP, with or without address and control octets
        at = 2 if frame[:2] == b"\xff\x03" else 0
        return frame[at + 2 :] if int.from_bytes(frame[at : at + 2], "big") in PPP_IP else b""
    if link_type == 1:  # Ethernet
        return frame[14:] if int.from_bytes(frame[12:14], "big") in ETHERTYPE_IP else b""
    raise PcapError("link type %d is not known" % link_type)


def read(path):
    """Return the packets of a file; raises PcapError or OSError."""
    with open(path, "rb") as file:
        data = file.read()
    if data[:4] not in MAGIC or len(data) < 24:
        raise PcapError("%s is no pcap file" % path)
    order, unit = MAGIC[data[:4]]
    link_type = struct.unpack_from(order + "I", data, 20)[0] & 0x0FFFFFFF
    packets, at = [], 24
    while at < len(data):
        if len(data) - at < 16:
            raise PcapError("%s is cut off after packet %d" % (path, len(packets)))
        seconds, fraction, captured, original = struct.unpack_from(order + "4I", data, at)
        at += 16
        if captured != original or len(data) - at < captured:
            raise PcapError("%s: packet %d is not there as a whole" % (path, len(packets) + 1))
        ip = _without_link_layer(link_type, data[at : at + captured])
        packets.append(Packet(len(packets) + 1, seconds * 10**9 + fraction * unit, ip))
        at += captured
    return packets
