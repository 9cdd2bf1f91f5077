"""From packets to what a verifier judges: every different MIKEY message with the places where it was seen, and the
datagrams that carry media."""

from dataclasses import dataclass, field

import findings
import ip
import mikey
import mikey_http
import sip
import tls13

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


@dataclass
class HttpMessage:
    """An HTTP message that is no MIKEY's; `secure` if it came over TLS."""

    packet: int
    time: int
    text: mikey_http.Http
    secure: bool


class Capture:
    """`seen`: MIKEY messages in order; `media`: UDP that is no SIP; `answered`: (Call-ID, To tag) of each 2xx to an
    INVITE; `refused`: (Call-ID, From tag, CSeq) of each request with another final answer; `ended`: (Call-ID, To tag) of each BYE;
    `byes`: (Call-ID, To tag, From tag) of each BYE and the time at which it left;
    `cancelled`: (Call-ID, address of who sent it) of each CANCEL; `tls`: the connections that `tls_log` (a tls13.KeyLog)
    opened, None: TLS is passed over. With `incomplete` a TCP connection may break off amid what it carries: after a reset,
    or when one end has vanished."""

    def __init__(self, packets, report, tls_log=None, incomplete=False):
        self.incomplete = incomplete
        self.report, self.packets = report, packets
        self.media, self.answered, self.sip_count, self.copies = [], {}, 0, 0
        self.refused, self.ended, self.cancelled = set(), set(), set()
        self.byes = {}
        self.tls, self._http, self._tls_streams = [], {}, {}
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
        for (source, target, number), (client, octets) in self._tls_streams.items() if tls_log else ():
            if octets.data[:1] == b"\x16" and octets.data[5:6] == bytes([tls13.CLIENT_HELLO]):
                self._connection(client, octets, self._tls_streams.get((target, source, number)), tls_log)
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
        data = octets.data
        reader = sip if sip.START.match(data) else mikey_http if mikey_http.START.match(data) else None
        is_tls = tls13.START.match(data)
        if reader is None and not is_tls and not (octets.hole and not data):
            return  # another protocol, such as Diameter
        if octets.hole:
            self._broken_off(stream, octets.hole, "octets of the TCP connection before this segment are not in the capture")
        if is_tls:
            self._tls_streams[stream.source, stream.target, stream.number] = stream, octets
        else:
            self._messages(reader, octets, stream, False)

    def _broken_off(self, stream, packet, text):
        if stream.fin or not self.incomplete:
            self.report.wrong(packet, text)

    def _connection(self, stream, octets, other, log):
        """A TLS connection, seen from its client."""
        hello = 5 + int.from_bytes(octets.data[3:5], "big")
        if other is None or self.incomplete and len(octets.data) <= hello:
            return  # nobody answered, or the client did not live to see it
        try:
            connection = tls13.Connection(octets, other[1], log)
        except findings.Wrong as error:
            self.report.wrong(error.packet, error.text)
            return
        self.tls.append(connection)
        for direction, ends in (connection.client, stream), (connection.server, other[0]):
            if direction.rest:
                self._broken_off(ends, direction.last, "the TCP connection ends amid a TLS record")
            self._messages(mikey_http, direction.plain, ends, True)

    def exchanges(self):
        """Pairs of an HTTP request that is no MIKEY's and its answer, which may be None."""
        for (source, target, number), messages in self._http.items():
            answers = self._http.get((target, source, number), [])
            for at, request in enumerate(messages):
                if request.text.status is None:
                    yield request, answers[at] if at < len(answers) else None

    def _messages(self, reader, octets, stream, secure):
        """Every SIP or HTTP message of a stream."""
        data, at = octets.data, 0
        last = octets.origins[-1][0] if octets.origins else octets.hole
        try:
            while at < len(data):
                if data.startswith(b"\r\n", at):  # keep-alive, RFC 5626
                    at += 2
                    continue
                parsed = reader.parse(data, at)
                if parsed is None:
                    self._broken_off(stream, last, "the TCP connection ends amid a message")
                    return
                text, at = parsed
                self._take(text, *octets.origin(at), stream, secure)
        except BAD_TEXT as error:
            self.report.wrong(octets.origin(at + 1)[0], str(error))

    def _take(self, text, packet, time, ends, secure=False):
        """Look into a SIP or HTTP message for MIKEY messages."""
        place = packet, time, ends.source, ends.target, text
        if isinstance(text, mikey_http.Http):
            if text.kind == "application/mikey":
                self._mikey(text.body, Sighting(*place))
            else:
                key = ends.source, ends.target, ends.number
                self._http.setdefault(key, []).append(HttpMessage(packet, time, text, secure))
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
