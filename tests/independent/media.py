"""Judges the sound: every SRTP and SRTCP packet between the media addresses of calls, opened with their TEKs."""

import collections
import math
from dataclasses import dataclass, field

import srtp
from findings import Wrong

SAMPLES_A_SECOND = 8000
MIN_FOR_NOISE_TEST = 2000  # octets
# Wrongly decrypted sound is noise: each octet as likely as another, chi-square about 255 with deviation 23. Sound is far
# from that, whatever it is.
NOISE_LIMIT = 600


@dataclass
class Flow:
    """What one end sends in a call: its packets by RTP index."""

    user: str
    csb_id: bytes
    dialog: tuple  # Call-ID, To tag
    taken_back: bool  # by the caller's CANCEL, which the answer may have crossed
    cs_id: int
    not_before: int
    medium: object
    receiver: srtp.Receiver
    packets: dict = field(default_factory=dict)  # index -> (packet number, Rtp)
    reports: int = 0

    @property
    def missing(self):
        """Packets that the sequence numbers tell of and the capture lacks."""
        return max(self.packets) - min(self.packets) + 1 - len(self.packets) if self.packets else 0


class Media:
    """Flows by (source, target, SSRC). A datagram that belongs to none is a failure."""

    def __init__(self, capture, legs, report, options):
        self.capture, self.report, self.options = capture, report, options
        self.flows, self._pairs = {}, set()
        self._strays = {}  # (source, target) of datagrams that belong to no call -> their packets
        for leg in legs:
            report.attempt(self._add, leg)

    def _add(self, leg):
        """Two consecutive CS IDs for each m-line (RFC 4567 section 7.1); SSRCs that I_MESSAGE_1 has are the caller's."""
        offer, answer = leg.i1.first.sdp, leg.r1.first.sdp
        users = leg.users()
        taken_back = (leg.dialog[0], leg.i1.first.source[0]) in self.capture.cancelled
        if len(offer.media) != len(answer.media) or len(leg.keys) != 2 * len(offer.media):
            raise Wrong(leg.r1.packet, "%s: %d crypto sessions for %d m-lines" % (leg.r1, len(leg.keys), len(offer.media)))
        for cs_id, (tek, salt) in leg.keys.items():
            session = leg.r2.header.sessions[cs_id - 1]
            caller = leg.i1.header.sessions[cs_id - 1].ssrc != 0
            mine, theirs = offer.media[(cs_id - 1) // 2], answer.media[(cs_id - 1) // 2]
            medium, peer = (mine, theirs) if caller else (theirs, mine)
            try:
                receiver = srtp.Receiver(tek, salt, leg.policy[session.policy], session.roc)
            except srtp.SrtpError as error:
                raise Wrong(leg.r2.packet, "%s: %s" % (leg.r2, error)) from None
            flow = Flow(users[not caller], leg.csb_id, leg.dialog, taken_back, cs_id, leg.r2.time, theirs, receiver)
            for port in (0, 1):  # RTCP has the next port
                source, target = (medium.address, medium.port + port), (peer.address, peer.port + port)
                self.flows[source, target, session.ssrc] = flow
                self._pairs.add((source, target))

    def judge(self):
        for datagram in self.capture.media:
            self.report.attempt(self._packet, datagram)
        for flow in self.unique():
            self.report.attempt(self._flow, flow)
        for pair, packets in self._strays.items():
            ends = tuple("%s port %d" % end for end in pair)
            text = "UDP from %s to %s belongs to no call whose keys are right (packets of that kind: %d)"
            self.report.wrong(packets[0], text % (ends + (len(packets),)))

    def unique(self):
        """Each flow once: it stands under its RTP and its RTCP port."""
        return list({id(flow): flow for flow in self.flows.values()}.values())

    def _packet(self, datagram):
        pair, data = (datagram.source, datagram.target), datagram.data
        if pair not in self._pairs:
            self._strays.setdefault(pair, []).append(datagram.packet)
            return
        if len(data) < 12:
            raise Wrong(datagram.packet, "neither RTP nor RTCP")
        rtcp = srtp.looks_like_rtcp(data)
        ssrc = srtp.rtcp_ssrc(data) if rtcp else srtp.rtp_ssrc(data)
        flow = self.flows.get(pair + (ssrc,))
        if flow is None:
            raise Wrong(datagram.packet, "SSRC %08x is in no CS ID map of its call" % ssrc)
        if datagram.time < flow.not_before:
            raise Wrong(datagram.packet, "media of %s before R_MESSAGE_2 (P-13)" % flow.user)
        try:
            if rtcp:
                self._reports(datagram, flow)
            else:
                self._sound(datagram, flow)
        except srtp.SrtpError as error:
            raise Wrong(datagram.packet, "%s: %s" % (flow.user, error)) from None

    def _reports(self, datagram, flow):
        for kind, part in srtp.rtcp_parts(flow.receiver.rtcp(datagram.data)):
            if kind == 200 and int.from_bytes(part[20:24], "big") < len(flow.packets):
                raise Wrong(datagram.packet, "%s reports fewer packets than it has sent" % flow.user)
        flow.reports += 1

    def _sound(self, datagram, flow):
        rtp, medium = flow.receiver.rtp(datagram.data), flow.medium
        if rtp.payload_type not in medium.formats:
            raise Wrong(datagram.packet, "%s: payload type %d was not agreed on" % (flow.user, rtp.payload_type))
        if medium.ptime and len(rtp.payload) != medium.ptime * SAMPLES_A_SECOND // 1000:
            raise Wrong(datagram.packet, "%s: %d octets are not %d ms" % (flow.user, len(rtp.payload), medium.ptime))
        if flow.packets:
            index, (_, other) = next(iter(flow.packets.items()))
            expected = other.timestamp + (rtp.index - index) * len(rtp.payload) & 0xFFFFFFFF
            if rtp.timestamp != expected:
                raise Wrong(datagram.packet, "%s: the RTP timestamp does not fit the sequence number" % flow.user)
        flow.packets[rtp.index] = datagram.packet, rtp

    def _flow(self, flow):
        if not flow.packets:
            answered = self.capture.answered.get(flow.dialog)
            if answered and not flow.taken_back and not self.options.allow_incomplete:
                raise Wrong(answered[0], "the call is answered, yet no RTP of %s is in the capture" % flow.user)
            return
        if self.options.lossless and flow.missing:
            behind = next(i for i in sorted(flow.packets) if i > min(flow.packets) and i - 1 not in flow.packets)
            text = "%s: RTP packets are missing before this one (%d in all)" % (flow.user, flow.missing)
            raise Wrong(flow.packets[behind][0], text)
        sound = b"".join(flow.packets[i][1].payload for i in sorted(flow.packets))
        if len(sound) >= MIN_FOR_NOISE_TEST and chi_square(sound) < NOISE_LIMIT:
            raise Wrong(flow.packets[min(flow.packets)][0], "what %s says is noise, not sound" % flow.user)


def chi_square(octets):
    """How far the octets are from being equally frequent."""
    expected, counts = len(octets) / 256, collections.Counter(octets)
    return sum((counts[value] - expected) ** 2 for value in range(256)) / expected


def _mu_law(octet):
    octet ^= 0xFF
    magnitude = (((octet & 15) << 3) + 0x84 << (octet >> 4 & 7)) - 0x84
    return -magnitude if octet & 0x80 else magnitude


def _a_law(octet):
    octet ^= 0x55
    segment, magnitude = octet >> 4 & 7, (octet & 15) << 4
    magnitude = magnitude + 8 if segment == 0 else magnitude + 0x108 << segment - 1
    return magnitude if octet & 0x80 else -magnitude


LINEAR = {"PCMU": [_mu_law(o) for o in range(256)], "PCMA": [_a_law(o) for o in range(256)]}  # G.711


def _samples(flow):
    """The beginning of what a flow says, without a gap, as linear samples."""
    first = min(flow.packets)
    codec = flow.medium.codecs.get(flow.packets[first][1].payload_type, "PCMU/8000").split("/")[0]
    samples, index = [], first
    while index in flow.packets and len(samples) < SAMPLES_A_SECOND and codec in LINEAR:
        samples += [LINEAR[codec][octet] for octet in flow.packets[index][1].payload]
        index += 1
    return samples


def pitch(flow):
    """The frequency that crosses zero as often as the sound does, and the share of the power that it has (0 to 1)."""
    samples = _samples(flow)
    crossings = [i for i in range(1, len(samples)) if samples[i - 1] < 0 <= samples[i]]
    if len(crossings) < 2:
        return 0.0, 0.0
    frequency = SAMPLES_A_SECOND * (len(crossings) - 1) / (crossings[-1] - crossings[0])
    turn = 2 * math.pi * frequency / SAMPLES_A_SECOND
    real = sum(s * math.cos(turn * i) for i, s in enumerate(samples))
    imaginary = sum(s * math.sin(turn * i) for i, s in enumerate(samples))
    power = sum(s * s for s in samples) * len(samples) / 2 or 1
    return frequency, (real * real + imaginary * imaginary) / power
