#!/usr/bin/python3
"""Spoils a capture in one place, with right checksums, so that a test can prove that verify_run.py notices."""

import argparse
import base64
import struct
import sys

import collect
import mikey
import pcap
from findings import Report

DESCRIPTION = """\
Writes a copy of a capture in which one thing is wrong; UDP and TCP checksums are made right again. MESSAGE may have a
number, such as R_MESSAGE_1#2 for the second R_MESSAGE_1.

  flip-mikey MESSAGE PAYLOAD [BACK]  a bit in the last octet of a payload, or BACK octets before it, in every copy of
                                     the first such MIKEY message that does not have it on the border of two packets
  drop-mikey MESSAGE                 without the packets that bring the first such MIKEY message
  cut-mikey MESSAGE [fin]            without the last of the packets that bring it, over TCP, to each place, and all that its
                                     sender sends later over that connection; with fin the sender ends it in order there
  flip-udp N                         a bit in the last octet of UDP datagram N that is no SIP (from 1): an SRTP packet
  drop-udp N                         without it
  flip-tls N [BACK]                  a bit in the last octet of the TCP segment that ends TLS record N (from 1) of those that are
                                     encrypted, or BACK octets before it
  replace OLD NEW [N]                the text OLD, in the Nth TCP segment that has it (from 1), by NEW of the same length
  flip-raw N                         a bit in the last octet of packet N, and no checksum is mended
  hasten TEXT MS                     every UDP packet that holds the text comes that much earlier
  fragment                           harmless: every UDP packet over 200 octets comes in two fragments, the second first
  shuffle                            harmless: every third TCP segment comes after the next packet, and comes twice
"""
SEGMENTS = 8  # a message comes in fewer packets


def ones_sum(data):
    return int.from_bytes(data + b"\0" * (len(data) % 2), "big") % 0xFFFF


def mend(packet):
    """Set the checksum of an unfragmented UDP or TCP packet over IPv4, or IPv6 without extension headers."""
    v4 = packet[0] >> 4 == 4
    size, protocol = ((packet[0] & 15) * 4, packet[9]) if v4 else (40, packet[6])
    addresses = packet[12:20] if v4 else packet[8:40]
    at = size + (6 if protocol == 17 else 16)
    packet[at : at + 2] = b"\0\0"
    covered = addresses + (len(packet) - size).to_bytes(4, "big") + bytes([0, 0, 0, protocol]) + packet[size:]
    packet[at : at + 2] = (0xFFFF - ones_sum(bytes(covered))).to_bytes(2, "big")


def find(capture, name):
    name, _, number = name.partition("#")
    found = [seen for seen in capture.seen if seen.message.name.lower() == name.lower()]
    if len(found) < int(number or 1):
        sys.exit("tamper.py: not so many %s in the capture" % name)
    return found[int(number or 1) - 1]


def changed_text(seen, payload_name, back):
    """A stretch of the message as it travels, before and after the flip of one bit."""
    raw = seen.message.raw
    payload = [p for p in seen.message.payloads if mikey.PAYLOAD_NAMES[p.type].lower() == payload_name.lower()][0]
    at = payload.end - 1 - back
    spoiled = raw[:at] + bytes([raw[at] ^ 1]) + raw[at + 1 :]
    if not seen.first.is_sip:
        return raw[at - 15 : at + 1], spoiled[at - 15 : at + 1]
    group = at // 3 * 4  # base64: four characters for three octets
    before, after = (base64.b64encode(octets)[max(group - 8, 0) : group + 4] for octets in (raw, spoiled))
    return before, after


def tcp_at(packet):
    """Offset of the TCP header; None for anything else."""
    v4 = packet[0] >> 4 == 4
    size, protocol = ((packet[0] & 15) * 4, packet[9]) if v4 else (40, packet[6])
    return size if protocol == 6 else None


def tcp_data(packet):
    """Offset of the data in a TCP segment; None for anything else."""
    at = tcp_at(packet)
    return at and at + (packet[at + 12] >> 4) * 4


def flip_tls(packets, number, back=0):
    """Records that begin their segment; each of the product's does."""
    found = [p for p in packets if (at := tcp_data(p)) and bytes(p[at : at + 3]) == b"\x17\x03\x03"]
    packet = found[int(number) - 1]
    packet[-1 - int(back)] ^= 1
    mend(packet)


def replace(packets, old, new, number=1):
    old, new = old.encode(), new.encode()
    found = [p for p in packets if tcp_data(p) and old in p]
    if len(old) != len(new) or len(found) < int(number):
        sys.exit("tamper.py: not there, or not of the same length")
    packet = found[int(number) - 1]
    packet[:] = packet.replace(old, new, 1)
    mend(packet)


def addresses(packet):
    return packet[12:20] if packet[0] >> 4 == 4 else packet[8:40]


def flip_mikey(packets, capture, name, payload_name, back=0):
    """Other messages have the same octets (an answer repeats T): search the segments that lead to each sighting."""
    seen, count = find(capture, name), 0
    before, after = changed_text(seen, payload_name, int(back))
    for last in (sighting.packet - 1 for sighting in seen.sightings):
        way = [p for p in packets[max(last - SEGMENTS, 0) : last + 1] if addresses(p) == addresses(packets[last])]
        for packet in [p for p in reversed(way) if before in p][:1]:
            packet[:] = packet.replace(before, after)
            mend(packet)
            count += 1
    if not count:
        sys.exit("tamper.py: the place lies on the border of two packets everywhere")


def drop_mikey(packets, capture, name):
    for sighting in find(capture, name).sightings:
        packets[sighting.packet - 1] = None


def way_of(packet):
    """Addresses and ports of a TCP segment; None for anything else."""
    at = tcp_at(packet)
    return at and (bytes(addresses(packet)), bytes(packet[at : at + 4]))


def cut_mikey(packets, capture, name, fin=None):
    for last in (sighting.packet - 1 for sighting in find(capture, name).sightings):
        way = packets[last] and way_of(packets[last])  # nothing: UDP, or cut already
        same = [i for i, p in enumerate(packets) if way and p and way_of(p) == way]
        for i in same:
            packets[i] = packets[i] if i < last else None
        before = [packets[i] for i in same if i < last]
        if fin and before:
            before[-1][tcp_at(before[-1]) + 13] |= 1
            mend(before[-1])


def udp_packet(capture, number):
    return capture.media[int(number) - 1].packet - 1


def fragments(packet):
    """A UDP packet as two fragments, the second first (RFC 791, RFC 8200 section 4.5)."""
    v4 = packet[0] >> 4 == 4
    size, protocol = ((packet[0] & 15) * 4, packet[9]) if v4 else (40, packet[6])
    if protocol != 17 or len(packet) < 200:
        return [packet]
    pieces, cut = [], size + 104
    for offset, data, more in ((104, packet[cut:], False), (0, packet[size:cut], True)):
        header = packet[:size]
        if v4:
            header[2:4] = (size + len(data)).to_bytes(2, "big")
            header[6:8] = (offset // 8 | more << 13).to_bytes(2, "big")
            header[10:12] = b"\0\0"
            header[10:12] = (0xFFFF - ones_sum(bytes(header))).to_bytes(2, "big")
        else:
            header[4:6], header[6] = (8 + len(data)).to_bytes(2, "big"), 44
            checksum = bytes(packet[size + 6 : size + 8])  # as good an identification as any
            header += bytes([protocol, 0]) + (offset | more).to_bytes(2, "big") + b"\0\0" + checksum
        pieces.append(header + data)
    return pieces


def shuffle(packets):
    segments = [i for i, p in enumerate(packets) if (p[9] if p[0] >> 4 == 4 else p[6]) == 6 and i + 1 < len(packets)]
    again = [packets[i] for i in segments[::3]]
    for i in segments[::3]:
        packets[i], packets[i + 1] = packets[i + 1], packets[i]
    packets[-1] = [packets[-1]] + again


def hasten(packets, times, text, ms):
    chosen = [i for i, p in enumerate(packets) if (p[9] if p[0] >> 4 == 4 else p[6]) == 17 and text.encode() in p]
    if not chosen:
        sys.exit("tamper.py: no UDP packet holds that")
    for i in chosen:
        times[i] -= int(ms) * 10**6
    order = sorted(range(len(packets)), key=times.__getitem__)
    packets[:], times[:] = [packets[i] for i in order], [times[i] for i in order]


def spoil(packets, times, capture, command, words):
    if command == "flip-mikey":
        flip_mikey(packets, capture, *words)
    elif command == "drop-mikey":
        drop_mikey(packets, capture, *words)
    elif command == "cut-mikey":
        cut_mikey(packets, capture, *words)
    elif command == "flip-udp":
        packet = packets[udp_packet(capture, words[0])]
        packet[-1] ^= 1
        mend(packet)
    elif command == "drop-udp":
        packets[udp_packet(capture, words[0])] = None
    elif command == "fragment":
        packets[:] = [fragments(packet) for packet in packets]
    elif command == "shuffle":
        shuffle(packets)
    elif command == "flip-tls":
        flip_tls(packets, *words)
    elif command == "replace":
        replace(packets, *words)
    elif command == "hasten":
        hasten(packets, times, *words)
    elif command == "flip-raw":
        packets[int(words[0]) - 1][-1] ^= 1
    else:
        sys.exit("tamper.py: unknown command " + command)


def write(path, times, packets):
    with open(path, "wb") as file:
        file.write(struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, 101))  # raw IP, nanoseconds
        for time, pieces in zip(times, packets):  # a packet, its pieces, or nothing
            for packet in pieces if isinstance(pieces, list) else [pieces] * (pieces is not None):
                file.write(struct.pack("<IIII", *divmod(time, 10**9), len(packet), len(packet)) + packet)


def main():
    parser = argparse.ArgumentParser(description=DESCRIPTION, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("input")
    parser.add_argument("output")
    parser.add_argument("command", nargs="+")
    options = parser.parse_args()
    original = pcap.read(options.input)
    capture = collect.Capture(original, Report())
    packets = [bytearray(packet.ip) for packet in original]
    times = [packet.time for packet in original]
    spoil(packets, times, capture, options.command[0], options.command[1:])
    write(options.output, times, packets)


if __name__ == "__main__":
    main()
