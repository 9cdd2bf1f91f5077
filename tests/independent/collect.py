"""From packets to what a verifier judges: every different MIKEY message with the places where it was seen, and the
datagrams that carry media."""

from dataclasses import dataclass, field

import ip
import mikey
import mikey_http
import sip

BAD_TEXT = (sip.SipError, mikey_http.HttpError, UnicodeDecodeError, ValueError)


@dataclass
class Sighting:
    """Where a MIKEY message was seen: `text` is the SIP or HTTP message around it."""

    packet: int
    time: int
    source: tuple
    target: tuple
    text: object
    sdp: object = None
    medium: int = 0  # number of the m-line, 0 for the session
    identifiers: list = field(default_factory=list)  # the key management protocols offered, in order

    @property
    def is_sip(self):
        return isinstance(self.text, sip.Sip)


@dataclass
class Seen:
    """A MIKEY message and its sightings, the first one first."""

    message: mikey.Message
    sightings: list

    @property
    def first(self):
        return self.sightings[0]

    @property
    def packet(self):
        return self.first.packet

    @property
    def time(self):
        return self.first.time

    @property
    def header(self):
        return self.message.header

    def __str__(self):
        return "%s (CSB ID %s)" % (self.message.name, self.header.csb_id.hex())


class Capture:
    """`seen`: MIKEY messages in order; `media`: UDP that is no SIP; `answered`: (Call-ID, To tag) of each 2xx to an
    INVITE; `refused`: (Call-ID, From tag, CSeq) of each request with another final answer; `ended`: (Call-ID, To tag) of each BYE;
    `byes`: (Call-ID, To tag, From tag) of each BYE and the time at which it left;
    `cancelled`: (Call-ID, address of who sent it) of each CANCEL."""

    def __init__(self, packets, report):
        self.report, self.packets = report, packets
        self.media, self.answered, self.sip_count, self.copies = [], {}, 0, 0
        self.refused, self.ended, self.cancelled = set(), set(), set()
        self.byes = {}
        self.parameters = []  # (packet, time, HTTP answer) of each RFC 5408 section 4 answer that nobody encrypted
        self._seen = {}
        reassembler = ip.Reassembler()
        for packet in packets:
            try:
                reassembler.add(packet)
            except ip.IpError as error:
                report.wrong(packet.number, str(error))
        for datagram in reassembler.datagrams:
            self._datagram(datagram)
        for stream in reassembler.streams:
            self._stream(stream)
        for seen in self._seen.values():
            seen.sightings.sort(key=lambda s: s.packet)
        self.seen = sorted(self._seen.values(), key=lambda s: s.packet)
        self.others = reassembler.others

    def of(self, data_type):
        return [seen for seen in self.seen if seen.header.data_type == data_type]

    def _datagram(self, datagram):
        if not sip.START.match(datagram.data):
            self.media.append(datagram)
            return
        try:
            parsed = sip.parse(datagram.data)
            if parsed is None or parsed[1] != len(datagram.data):
                raise sip.SipError("the SIP message does not fit its datagram")
            self._take(parsed[0], datagram.packet, datagram.time, datagram)
        except BAD_TEXT as error:
            self.report.wrong(datagram.packet, str(error))

    def _stream(self, stream):
        try:
            octets = ip.octets_of(stream)
        except ip.IpError as error:
            self.report.wrong(error.packet, str(error))
            return
        data, at = octets.data, 0
        reader = sip if sip.START.match(data) else mikey_http if mikey_http.START.match(data) else None
        if reader is None and not (octets.hole and not data):
            return  # another protocol, such as Diameter
        last = octets.origins[-1][0] if octets.origins else octets.hole
        if octets.hole:
            self.report.wrong(octets.hole, "octets of the TCP connection before this segment are not in the capture")
        try:
            while at < len(data):
                if data.startswith(b"\r\n", at):  # keep-alive, RFC 5626
                    at += 2
                    continue
                parsed = reader.parse(data, at)
                if parsed is None:
                    self.report.wrong(last, "the TCP connection ends amid a message")
                    return
                text, at = parsed
                self._take(text, *octets.origin(at), stream)
        except BAD_TEXT as error:
            self.report.wrong(octets.origin(at + 1)[0], str(error))

    def _take(self, text, packet, time, ends):
        """Look into a SIP or HTTP message for MIKEY messages."""
        place = packet, time, ends.source, ends.target, text
        if isinstance(text, mikey_http.Http):
            if text.is_mikey:
                self._mikey(text.body, Sighting(*place))
            elif text.is_parameters:
                self.parameters.append((packet, time, text))
            return
        self.sip_count += 1
        if text.method == "INVITE" and text.status and text.status // 100 == 2:
            self.answered.setdefault((text.call_id, text.to_tag), (packet, time))
        elif text.status and text.status >= 300:
            self.refused.add(text.transaction)
        elif text.method == "BYE" and text.status is None:
            self.ended.add((text.call_id, text.to_tag))
            key = text.call_id, text.to_tag, text.from_tag
            self.byes[key] = min(self.byes.get(key, time), time)
        elif text.method == "CANCEL" and text.status is None:
            self.cancelled.add((text.call_id, ends.source[0]))
        sdp = text.sdp()
        if sdp:
            for identifiers, data, medium in sdp.key_management():
                self._mikey(data, Sighting(*place, sdp, medium, identifiers))

    def _mikey(self, octets, sighting):
        self.copies += 1
        if octets not in self._seen:
            try:
                self._seen[octets] = Seen(mikey.parse(octets), [])
            except mikey.MikeyError as error:
                self.report.wrong(sighting.packet, "malformed MIKEY message: %s" % error)
                return
        self._seen[octets].sightings.append(sighting)
