"""Judges the sound: every SRTP and SRTCP packet between the media addresses of calls, opened with their TEKs."""

import collections
import math
from dataclasses import dataclass, field

import mikey
import srtp
from findings import SECOND, Wrong
from secret_keys import FORMAT, Content

SAMPLES_A_SECOND = 8000
CLOCKS = {"audio": SAMPLES_A_SECOND, "video": 90000}  # of RTP timestamps (RFC 3551, RFC 6184)
MIN_FOR_NOISE_TEST = 2000  # octets
# Wrongly decrypted sound is noise: each octet as likely as another, chi-square about 255 with deviation 23. Sound is far
# from that, whatever it is.
NOISE_LIMIT = 600


GRACE = SECOND  # after this much the old keys are out of use, whatever the way of the packets
SLACK = SECOND // 10  # of two packets that leave at once, and pass slow links
CONFIRMED_AT_LAST = 33 * SECOND  # who answers an update takes the new keys after 32 s at the latest (docs/midcall.md)
NAL_TYPES = {*range(1, 24), 24, 28}  # RFC 6184 section 5.4: single NAL units, STAP-A, FU-A


@dataclass
class Flow:
    """What one end sends in a crypto session: its packets by RTP index, and the epoch of the keys of each."""

    user: str
    leg: object
    cs_id: int
    role: int
    kind: str  # of the m-line
    taken_back: bool  # by the caller's CANCEL, which the answer may have crossed
    not_before: int
    medium: object
    keys: list = field(default_factory=list)  # (epoch number, srtp.Receiver), the newest first
    packets: dict = field(default_factory=dict)  # index -> (packet number, Rtp)
    epochs: dict = field(default_factory=dict)  # index -> epoch number
    spans: dict = field(default_factory=dict)  # epoch number -> times of the first and the last packet, RTCP included
    times: dict = field(default_factory=dict)  # index -> time
    reports: int = 0
    content: Content = None

    @property
    def csb_id(self):
        return self.leg.csb_id

    @property
    def dialog(self):
        return self.leg.dialog

    @property
    def missing(self):
        """Packets that the sequence numbers tell of and the capture lacks."""
        return max(self.packets) - min(self.packets) + 1 - len(self.packets) if self.packets else 0

    def open(self, datagram, way):
        """Open a packet (`way` is "rtp" or "rtcp") by the newest keys that authenticate it; raises SrtpError."""
        for number, receiver in self.keys:
            try:
                plain = getattr(receiver, way)(datagram.data)
            except srtp.WrongTag as error:
                wrong = error
                continue
            first, last = self.spans.get(number, (datagram.time,) * 2)
            self.spans[number] = min(first, datagram.time), max(last, datagram.time)
            return number, plain
        raise wrong


class Media:
    """Flows by (source, target, SSRC). A datagram that belongs to none is a failure."""

    def __init__(self, capture, legs, report, options):
        self.capture, self.report, self.options = capture, report, options
        self.flows, self._pairs = {}, set()
        self._strays = {}  # (source, target) of datagrams that belong to no call -> their packets
        for leg in legs:
            report.attempt(self._add, leg)

    def _add(self, leg):
        """Two consecutive CS IDs for each m-line (RFC 4567 section 7.1), at first of the exchange, then those that updates
        add; SSRCs that I_MESSAGE_1 has are those of its sender."""
        self._bundle(leg, leg.i1, leg.i2, leg.r2, mikey.INITIATOR, 0)
        known = len(leg.r2.header.sessions)
        for update in leg.updates:
            self._bundle(leg, update.i1, update.i1, update.r1, update.starter, known)
            known = len(update.r1.header.sessions)

    def _bundle(self, leg, i1, offerer, answerer, starter, known):
        offer, answer = offerer.first.sdp, answerer.first.sdp
        sessions = answerer.header.sessions
        if len(offer.media) != len(answer.media) or len(sessions) != 2 * len(offer.media):
            raise Wrong(answerer.packet, "%s: %d crypto sessions for %d m-lines" % (
                answerer, len(sessions), len(offer.media)))  # fmt: skip
        for cs_id in range(known + 1, len(sessions) + 1):
            role = starter if i1.header.sessions[cs_id - 1].ssrc else 3 - starter
            mine, theirs = offer.media[(cs_id - 1) // 2], answer.media[(cs_id - 1) // 2]
            medium, peer = (mine, theirs) if role == starter else (theirs, mine)
            flow = self._flow_of(leg, cs_id, sessions[cs_id - 1], role, theirs, answerer)
            for port in (0, 1):  # RTCP has the next port
                source, target = (medium.address, medium.port + port), (peer.address, peer.port + port)
                self.flows[source, target, sessions[cs_id - 1].ssrc] = flow
                self._pairs.add((source, target))

    def _flow_of(self, leg, cs_id, session, role, medium, answerer):
        taken_back = (leg.dialog[0], leg.i1.first.source[0]) in self.capture.cancelled
        user, track = leg.users()[role - 1], srtp.Track(session.roc)
        flow = Flow(user, leg, cs_id, role, medium.kind, taken_back, answerer.time, medium)
        for number, epoch in enumerate(leg.epochs):
            if cs_id in epoch.keys:
                try:
                    receiver = srtp.Receiver(*epoch.keys[cs_id], leg.policy[session.policy], track)
                except srtp.SrtpError as error:
                    raise Wrong(answerer.packet, "%s: %s" % (answerer, error)) from None
                flow.keys.insert(0, (number, receiver))
        if leg.sk is not None and role == mikey.INITIATOR:
            flow.content = Content(leg.sk)
        return flow

    def judge(self):
        for datagram in self.capture.media:
            self.report.attempt(self._packet, datagram)
        for flow in self.unique():
            self.report.attempt(self._flow, flow)
            self.report.attempt(self._changes, flow)
            self.report.attempt(self._end, flow)
        self.report.attempt(self._deliveries)
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
            number, plain = flow.open(datagram, "rtcp" if rtcp else "rtp")
            update = flow.leg.epochs[number].update
            if update and datagram.time < update.r1.time:
                raise Wrong(datagram.packet, "%s uses keys of an update before its R_MESSAGE_1" % flow.user)
            if rtcp:
                self._reports(datagram, flow, plain)
            else:
                flow.epochs[plain.index], flow.times[plain.index] = number, datagram.time
                self._rtp(datagram, flow, plain)
        except srtp.SrtpError as error:
            raise Wrong(datagram.packet, "%s: %s" % (flow.user, error)) from None

    def _reports(self, datagram, flow, compound):
        for kind, part in srtp.rtcp_parts(compound):
            if kind == 200 and int.from_bytes(part[20:24], "big") < len(flow.packets):
                raise Wrong(datagram.packet, "%s reports fewer packets than it has sent" % flow.user)
        flow.reports += 1

    def _rtp(self, datagram, flow, rtp):
        medium = flow.medium
        if rtp.payload_type not in medium.formats:
            raise Wrong(datagram.packet, "%s: payload type %d was not agreed on" % (flow.user, rtp.payload_type))
        flow.packets[rtp.index] = datagram.packet, rtp
        if flow.kind == "video":
            if not rtp.payload or rtp.payload[0] & 0x80 or rtp.payload[0] & 31 not in NAL_TYPES:
                raise Wrong(datagram.packet, "%s: no H.264 payload" % flow.user)
            return
        sound = rtp
        if medium.codecs.get(rtp.payload_type) == FORMAT:
            if flow.content is None:
                raise Wrong(datagram.packet, "%s: content without an ESK" % flow.user)
            sound = flow.content.take(datagram.packet, rtp.payload)
            if sound.payload_type not in medium.formats or sound.payload_type == rtp.payload_type:
                raise Wrong(datagram.packet, "%s: content of payload type %d" % (flow.user, sound.payload_type))
        if medium.ptime and len(sound.payload) != medium.ptime * SAMPLES_A_SECOND // 1000:
            raise Wrong(datagram.packet, "%s: %d octets are not %d ms" % (flow.user, len(sound.payload), medium.ptime))
        self._timestamp(datagram, flow, rtp, len(sound.payload))

    def _timestamp(self, datagram, flow, rtp, step):
        """RTP timestamps go on with the sequence numbers, or, after a hold, with the time."""
        before = [i for i in (rtp.index - 1, next(iter(flow.packets))) if i in flow.packets and i != rtp.index]
        if not before:
            return
        other = flow.packets[before[0]][1]
        extra = rtp.timestamp - other.timestamp - (rtp.index - before[0]) * step & 0xFFFFFFFF
        silence = (datagram.time - flow.times[before[0]]) * SAMPLES_A_SECOND / SECOND - (rtp.index - before[0]) * step
        if extra and (before[0] != rtp.index - 1 or extra % step or abs(extra - silence) > SAMPLES_A_SECOND / 5):
            raise Wrong(datagram.packet, "%s: the RTP timestamp does not fit the sequence number" % flow.user)

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
        sound = b"".join(rtp.payload for _, rtp in said(flow))
        if flow.kind == "audio" and len(sound) >= MIN_FOR_NOISE_TEST and chi_square(sound) < NOISE_LIMIT:
            raise Wrong(flow.packets[min(flow.packets)][0], "what %s says is noise, not sound" % flow.user)

    def _changes(self, flow):
        """Each end goes over to new keys, once and in time. Who asked for them does when R_MESSAGE_1 has arrived; the other
        end when it sees that, by a packet under them, or after 32 s."""
        order = [flow.epochs[index] for index in sorted(flow.packets)]
        for index, (one, two) in zip(sorted(flow.packets)[1:], zip(order, order[1:])):
            if two < one:
                raise Wrong(flow.packets[index][0], "%s goes back to old keys" % flow.user)
        for number, epoch in enumerate(flow.leg.epochs):
            if epoch.update is None:
                continue
            limit = max(s.time for s in epoch.update.r1.sightings) + GRACE
            if flow.role != epoch.update.starter:
                spans = [f.spans[n] for f in self.unique() if f.leg is flow.leg and f.role != flow.role
                         for n in f.spans if n >= number]  # fmt: skip
                limit = min([first + GRACE for first, _ in spans] + [epoch.update.r1.time + CONFIRMED_AT_LAST])
            late = [i for i, n in flow.epochs.items() if n < number and flow.times[i] > limit]
            if late:
                raise Wrong(flow.packets[min(late)][0], "%s still uses the keys of before an update" % flow.user)

    def _end(self, flow):
        """Whoever sends BYE sends no media any more (RFC 3261 section 15.1.1)."""
        for (call_id, to_tag, from_tag), time in self.capture.byes.items():
            tags = {mikey.INITIATOR: to_tag, mikey.RESPONDER: from_tag}
            if (call_id, tags[flow.role]) == flow.dialog:
                late = [index for index, sent in sent_at(flow).items() if sent > time + SLACK]
                if late:
                    raise Wrong(flow.packets[min(late)][0], "%s goes on after its BYE" % flow.user)

    def _deliveries(self):
        """Content that is delivered is that which was left, octet by octet and from the beginning."""
        told = {}
        for flow in self.unique():
            if flow.content and flow.content.raw:
                told.setdefault(flow.content.sk, []).append(flow)
        for flows in told.values():
            flows.sort(key=lambda flow: min(flow.times.values()))
            left = flows[0].content.raw
            for flow in flows[1:]:
                if flow.content.raw.keys() > left.keys() or any(left.get(i) != raw for i, raw in flow.content.raw.items()):
                    raise Wrong(flow.packets[min(flow.packets)][0], "%s delivers what was not left" % flow.user)
                if self.options.lossless and flow.content.raw.keys() != left.keys():
                    raise Wrong(flow.packets[min(flow.packets)][0], "%s delivers %d of %d packets" % (
                        flow.user, len(flow.content.raw), len(left)))  # fmt: skip


def sent_at(flow):
    """When each packet left, by its RTP timestamp: where it was captured it may have waited in a queue, the first of all
    the least. By index."""
    if not flow.packets:
        return {}
    rate, first = CLOCKS[flow.kind], flow.packets[min(flow.packets)][1].timestamp
    said_at = {i: (rtp.timestamp - first & 0xFFFFFFFF) * SECOND // rate for i, (_, rtp) in flow.packets.items()}
    start = min(flow.times[index] - moment for index, moment in said_at.items())
    return {index: start + moment for index, moment in said_at.items()}


def said(flow):
    """(packet number, Rtp) of what one hears, in order: content if there is any."""
    packets = flow.content.packets if flow.content and flow.content.packets else flow.packets
    return [packets[index] for index in sorted(packets)]


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
    samples, index = [], None
    for _, rtp in said(flow):
        codec = flow.medium.codecs.get(rtp.payload_type, "PCMU/8000").split("/")[0]
        if codec not in LINEAR or len(samples) >= SAMPLES_A_SECOND or index not in (None, rtp.index - 1):
            break
        samples, index = samples + [LINEAR[codec][octet] for octet in rtp.payload], rtp.index
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
