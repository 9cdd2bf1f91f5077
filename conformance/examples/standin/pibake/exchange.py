"""The four messages of a call (RFC 6267 section 4.2.2), from either end.

A session takes octets and returns octets. It raises Refused, after which the session has ended, or Discarded, after which
it is what it was.
"""
import hmac
import re
import secrets
from types import SimpleNamespace

from . import library  # noqa: F401
import ec
import keys
import mikey
import rules
import srtp

from . import messages
from .node import Identity, Refused, refusal_of

I, R = mikey.INITIATOR, mikey.RESPONDER
INVALID_PRF, INVALID_SP_PARAMETER = 2, 10  # error numbers of RFC 3830 section 6.12
SDP_IDS = 1  # type of the General Extension of RFC 4567 section 4.1.4
# Payloads in their order (RFC 6267 section 4.2.2), "x" for those that have no place here and are passed over.
OUTSIDE = {
    mikey.I_MESSAGE_1: r"HDR T RAND IDRi IDRr( x)*( SP)*( x)* IBAKE( ESK)?( x)*",
    mikey.R_MESSAGE_1: r"HDR T IDRi IDRr( x)*( SP)*( x)* IBAKE( x)*",
    mikey.I_MESSAGE_2: r"HDR T RAND IDRi IDRr( x)*( SP)*( x)* IBAKE( ESK)?( x)*",
    mikey.R_MESSAGE_2: r"HDR T( IDRi)?( IDRr)?( x)*( SP)*( x)* V",
}
PASSED_OVER = (mikey.EXTENSION, mikey.CERT, mikey.CHASH)
INSIDE = {
    mikey.I_MESSAGE_1: "IDRi ECCPT IDRr",
    mikey.R_MESSAGE_1: "IDRi ECCPT IDRr ECCPT",
    mikey.I_MESSAGE_2: "IDRi IDRr ECCPT",
}
MAC_OF_PRF = {0: 1, 1: 2}


class Discarded(Refused):
    """A message that does not count: the session stays as it was."""


class PeerError(Refused):
    """The peer sent an Error message."""

    def __init__(self, number):
        super().__init__("peer-error", "the peer sent error %d" % number)
        self.number = number


def demand(condition, error, detail, tell=None):
    """Refuses unless the condition holds; `tell`: the error number that the peer is told."""
    if not condition:
        raise Refused(error, detail, tell)


def identity_of(message, role):
    payload = message.one(mikey.IDR, role)
    return Identity(payload.id_type, payload.data)


class Session:
    """What both ends have in common. `state` is one of IUT.md section 5.1."""

    def __init__(self, node, local, sdp_ids=None):
        self.node, self.local, self.sdp_ids = node, local, sdp_ids
        self.state, self.csb_id, self.peer, self.esk, self.keys = "new", None, None, None, []
        self.scalar = None
        self.since = node.timer_ms

    # What is received

    def receive(self, octets):
        """Takes a message; returns the answer, or None."""
        kind = octets[1] if len(octets) > 1 else None
        if self.state == "closed" or kind != self.awaits() and kind != mikey.ERROR and kind in mikey.NAMES:
            raise Discarded("unexpected", "this state does not await it")
        try:
            message = self.read(octets, kind)
            answer = self.take(message)
        except Discarded:
            raise
        except Refused as refused:
            if refused.tell is not None and self.node.policy.errors:
                refused.answer = self.error_message(message, refused.tell)
            self.close()
            raise
        self.since = self.node.timer_ms
        return answer

    def read(self, octets, kind):
        try:
            message = mikey.parse(octets)
        except mikey.MikeyError as error:
            if self.state == "established" or kind == mikey.ERROR:
                raise Discarded(refusal_of(error).error, str(error)) from None
            raise refusal_of(error) from None
        if kind == mikey.ERROR:
            self.told(message)
        if self.csb_id is not None and message.header.csb_id != self.csb_octets:
            raise Discarded("mismatch", "another CSB ID")
        self.check_payloads(message)
        return message

    def check_payloads(self, message):
        names = ["x" if p.type in PASSED_OVER else rules.shape_of(SimpleNamespace(payloads=[p])) for p in message.payloads]
        shape = " ".join(names)
        demand(re.fullmatch(OUTSIDE[message.header.data_type], shape), "payload", "payloads " + shape)

    def told(self, message):
        """An Error message, which nothing authenticates, ends what is not established."""
        if self.state != "waiting" or message.header.csb_id != self.csb_octets or not message.has(mikey.ERR):
            raise Discarded("unexpected", "an Error message about nothing that we await")
        if not message.has(mikey.T) or message.one(mikey.T).content() != self.stamped.one(mikey.T).content():
            raise Discarded("mismatch", "an Error message about another message than ours")
        raise PeerError(message.all(mikey.ERR)[0].number)

    def error_message(self, about, number):
        """RFC 3830 sections 5.1.2 and 6.12: the number, and for a policy the one that would do: SRTP's defaults."""
        parts = [messages.t(self.node.fresh_t()), messages.err(number)]
        if number == INVALID_SP_PARAMETER:
            parts.append(messages.sp(0, [(kind, bytes([value])) for kind, value in srtp.DEFAULTS.items()]))
        header = about.header
        return messages.message(mikey.ERROR, 0, header.prf, header.csb_id, [], parts, mikey.EMPTY_MAP)

    @property
    def csb_octets(self):
        return self.csb_id.to_bytes(4, "big")

    def expire(self):
        """Whether the answer did not come in time."""
        late = self.state == "waiting" and self.node.timer_ms - self.since >= self.node.policy.timeout_ms
        if late:
            self.close()
        return late

    def close(self):
        self.state, self.scalar, self.keys = "closed", None, []

    # Parts of messages

    def same_header(self, message, earlier):
        demand(rules.header_of(message) == rules.header_of(earlier), "mismatch", "HDR is not that of the message before")

    def same_t(self, message, earlier):
        same = message.one(mikey.T).content() == earlier.one(mikey.T).content()
        demand(same, "mismatch", "T is not that of the message before")

    def same_identity(self, message, role, identity):
        demand(identity_of(message, role) == identity, "identity", "an identity is not the one of this exchange")

    def open_ibake(self, message, recipient):
        """The ECDH values inside IBAKE, whose identities are those outside (P-19)."""
        inner = self.node.open(recipient.data, message.one(mikey.IBAKE).data, message.one(mikey.T))
        shape, kind = rules.shape_of(inner), message.header.data_type
        demand(shape == INSIDE[kind], "payload", "inside IBAKE: " + shape)
        self.same_inside(message, inner)
        return [self.point(eccpt) for eccpt in inner.all(mikey.ECCPT)]

    def same_inside(self, message, inner):
        for role in (I, R):
            demand(identity_of(inner, role) == identity_of(message, role), "identity", "identities inside and outside differ")

    def point(self, eccpt):
        demand(eccpt.curve in ec.CURVES and eccpt.curve in self.node.policy.curves, "unsupported", "the curve is not accepted")
        try:
            return ec.CURVES[eccpt.curve], ec.decode(ec.CURVES[eccpt.curve], eccpt.point)
        except ec.EcError as error:
            raise Refused("encoding", str(error)) from None

    def same_echo(self, point):
        demand(point == self.own, "echo", "the ECDH value that comes back is not ours")

    def seal_ibake(self, recipient, parts):
        return messages.encrypted(mikey.IBAKE, self.node.seal(recipient.data, messages.chain(parts)))

    def draw(self, curve):
        """A new ECDH value of our own."""
        self.scalar = 1 + secrets.randbelow(curve.n - 1)
        self.own = curve, ec.multiply(curve, self.scalar, curve.g)

    # Keys (RFC 6267 section 5)

    def agree(self, theirs):
        """MPK and TGK from [xy]P, and from TGK the keys of the crypto sessions."""
        curve, point = theirs
        k_session = self.k_session(curve, ec.multiply(curve, self.scalar, point))
        self.mpk, tgk = (self.from_session(what, k_session) for what in ("MPK", "TGK"))
        self.ready = []
        for cs_id, session in enumerate(self.sessions, 1):
            values = self.policies.get(session.policy, srtp.DEFAULTS)
            tek, salt = (self.from_tgk(what, tgk, cs_id, values[length])
                         for what, length in (("TEK", srtp.ENCRYPTION_KEY), ("SALT", srtp.SALT_KEY)))  # fmt: skip
            self.ready.append(SimpleNamespace(cs_id=cs_id, ssrc=session.ssrc, tek=tek, salt=salt))

    def k_session(self, curve, point):
        return ec.encode(curve, point)  # P-5

    def from_session(self, what, k_session):
        return keys.from_session(what, self.prf, k_session, self.rand)

    def from_tgk(self, what, tgk, cs_id, length):
        return keys.from_tgk(what, self.prf, tgk, cs_id, self.csb_octets, self.rand, length)

    def mac(self, algorithm, covered):
        """V, over the message and then the identities (RFC 6267 section 5.4, P-8)."""
        key = keys.authentication_key(self.prf, self.mpk, self.csb_octets, self.rand, algorithm)
        return keys.mac(algorithm, key, covered + b"".join(self.identities()))

    def identities(self):
        return [self.idi.data, self.idr.data]

    def establish(self):
        self.keys, self.state, self.scalar = self.ready, "established", None

    def policies_of(self, message):
        """SRTP parameters by policy number."""
        found = {}
        for payload in message.all(mikey.SP):
            demand(payload.policy not in found, "payload", "two SP have one number")
            try:
                found[payload.policy] = srtp.policy(payload)
            except srtp.SrtpError as error:
                raise Refused("unsupported", str(error), INVALID_SP_PARAMETER) from None
            demand(found[payload.policy][srtp.SRTP_ENCRYPTED], "policy", "SRTP without encryption")
        missing = found and any(s.policy not in found for s in message.header.sessions)
        demand(not missing, "mismatch", "a crypto session has a policy without SP")
        return found


def offer_of(message, kind):
    """The SP, or the SDP identifiers, of a message, for comparison."""
    return [p.content() for p in message.all(kind) if kind == mikey.SP or p.kind == SDP_IDS]


class Initiator(Session):
    """`sessions` of the map have policy, ssrc and roc; `policies` are SP parts of messages.sp."""

    def __init__(self, node, local, peer, sessions, policies=(), sdp_ids=None):
        super().__init__(node, local, sdp_ids)
        self.called, self.sessions = peer, sessions
        self.offered = list(policies)
        if sdp_ids is not None:
            self.offered.append(messages.extension(SDP_IDS, sdp_ids))

    def awaits(self):
        if self.state != "waiting":
            return None
        return mikey.R_MESSAGE_2 if self.peer else mikey.R_MESSAGE_1

    def take(self, message):
        return self.take_r2(message) if self.peer else self.take_r1(message)

    def start(self):
        """I_MESSAGE_1 (RFC 6267 section 4.2.2.1)."""
        self.prf, self.rand = self.node.policy.prf, secrets.token_bytes(16)
        self.csb_id = self.node.fresh_csb_id()
        self.draw(ec.CURVES[self.node.policy.curve])
        ids = [messages.idr(I, self.local), messages.idr(R, self.called)]
        sealed = self.seal_ibake(self.called, [ids[0], messages.eccpt(*self.own), ids[1]])
        parts = [messages.t(self.node.fresh_t()), messages.rand(self.rand), *ids, *self.offered, sealed]
        octets = messages.message(mikey.I_MESSAGE_1, 1, self.prf, self.csb_octets, self.sessions, parts)
        self.i1, self.state = mikey.parse(octets), "waiting"
        self.stamped = self.i1
        self.policies = self.policies_of(self.i1)
        return octets

    def take_r1(self, message):
        """R_MESSAGE_1, and I_MESSAGE_2 to answer it (sections 4.2.2.4 and 4.2.2.5)."""
        self.same_header(message, self.i1)
        self.same_t(message, self.i1)
        self.same_identity(message, I, self.local)
        self.idi, self.idr = self.local, identity_of(message, R)
        self.check_responder()
        self.check_map(message)
        self.same_offer(message, bare=True)
        echo, theirs = self.open_ibake(message, self.local)
        self.same_echo(echo)
        demand(theirs[0] == self.own[0], "mismatch", "the two values are on two curves")
        demand(theirs != self.own, "replay", "the responder's value is ours")
        self.sessions, self.peer, self.r1 = message.header.sessions, self.idr, message
        self.agree(theirs)
        return self.second(theirs)

    def check_responder(self):
        demand(self.node.policy.accept_responders != "none" or self.idr == self.called, "identity", "another identity answers")

    def check_map(self, message):
        """SSRCs that were 0 are filled in, and nothing else of the map is changed."""
        for ours, theirs in zip(self.sessions, message.header.sessions):
            same = (ours.policy, ours.roc) == (theirs.policy, theirs.roc) and ours.ssrc in (0, theirs.ssrc)
            demand(same, "mismatch", "the map comes back changed")

    def second(self, theirs):
        ids = [messages.idr(I, self.idi), messages.idr(R, self.idr)]
        sealed = self.seal_ibake(self.idr, [*ids, messages.eccpt(*theirs)])
        self.i2_t = self.node.fresh_t()
        parts = [messages.t(self.i2_t), messages.rand(self.rand), *ids, sealed]
        octets = messages.message(mikey.I_MESSAGE_2, 1, self.prf, self.csb_octets, self.sessions, parts)
        self.stamped = self.i2 = mikey.parse(octets)
        return octets

    def take_r2(self, message):
        """R_MESSAGE_2 (section 4.2.2.8): V is right, and under V comes back what was offered (P-14)."""
        self.same_header(message, self.i2)
        self.same_t(message, self.i2)
        demand(message.header.sessions == self.sessions, "mismatch", "the map comes back changed")
        for role, identity in ((I, self.idi), (R, self.idr)):
            if message.all(mikey.IDR, role):
                self.same_identity(message, role, identity)
        self.check_v(message)
        self.same_offer(message)
        self.establish()

    def same_offer(self, message, bare=False):
        """SP and SDP identifiers are those of I_MESSAGE_1 (P-14); `bare`: R_MESSAGE_1, which may lack them."""
        for kind in (mikey.SP, mikey.EXTENSION):
            offered, repeated = offer_of(self.i1, kind), offer_of(message, kind)
            demand(repeated == offered or bare and not repeated, "mismatch", "the offer comes back changed")

    def check_v(self, message):
        payload = message.payloads[-1]
        demand(payload.algorithm in self.node.policy.macs, "unsupported", "the MAC is not accepted")
        right = self.mac(payload.algorithm, message.raw[: payload.mac_at])
        demand(hmac.compare_digest(right, payload.mac), "authentication", "V is not valid")


class Responder(Session):
    """`ssrcs`: the i-th fills an SSRC that the offer leaves 0 in its i-th crypto session."""

    def __init__(self, node, local, ssrcs=(), sdp_ids=None):
        super().__init__(node, local, sdp_ids)
        self.ssrcs = ssrcs

    def awaits(self):
        return {"new": mikey.I_MESSAGE_1, "waiting": mikey.I_MESSAGE_2}.get(self.state)

    def take(self, message):
        return self.take_i1(message) if self.state == "new" else self.take_i2(message)

    def take_i1(self, message):
        """I_MESSAGE_1, and R_MESSAGE_1 to answer it (sections 4.2.2.2 and 4.2.2.3)."""
        self.stamped = message
        self.i1, self.prf, self.rand = message, message.header.prf, message.one(mikey.RAND).data
        self.idi, self.idr, called = identity_of(message, I), self.local, identity_of(message, R)
        self.check_offer()
        self.node.check_t(self.idi, message.one(mikey.T))
        (theirs,) = self.open_ibake(message, called)
        self.node.remember_t(self.idi, message.one(mikey.T))
        for payload in message.all(mikey.ESK):
            self.esk = payload.data
        self.csb_id, self.peer = int.from_bytes(message.header.csb_id, "big"), self.idi
        self.fill_ssrcs()
        self.draw(theirs[0])
        self.agree(theirs)
        self.state = "waiting"
        return self.first(theirs)

    def check_offer(self):
        policy, header = self.node.policy, self.i1.header
        demand(header.prf in policy.prfs, "unsupported", "the PRF is not accepted", INVALID_PRF)
        in_use = int.from_bytes(header.csb_id, "big") in policy.csb_ids_in_use
        demand(not in_use, "policy", "the CSB ID is in use with this peer")
        welcome = policy.accept_initiators is None or self.idi in policy.accept_initiators
        demand(welcome, "policy", "this initiator may not call")
        demand(len(self.rand) >= 16, "malformed", "RAND has less than 16 octets")
        offered = [e.data for e in self.i1.all(mikey.EXTENSION) if e.kind == SDP_IDS]
        demand(self.sdp_ids is None or offered == [self.sdp_ids], "mismatch", "the SDP identifiers are not those of the SDP")
        self.policies = self.policies_of(self.i1)

    def fill_ssrcs(self):
        self.sessions = self.i1.header.sessions
        for session, ssrc in zip(self.sessions, self.ssrcs):
            session.ssrc = session.ssrc or ssrc

    def first(self, theirs):
        ids = [messages.idr(I, self.idi), messages.idr(R, self.idr)]
        inner = [ids[0], messages.eccpt(*theirs), ids[1], messages.eccpt(*self.own)]
        parts = [messages.t(self.i1.one(mikey.T)), *ids, self.seal_ibake(self.idi, inner)]
        octets = messages.message(mikey.R_MESSAGE_1, 1, self.prf, self.csb_octets, self.sessions, parts)
        self.r1 = mikey.parse(octets)
        return octets

    def take_i2(self, message):
        """I_MESSAGE_2, and R_MESSAGE_2 to answer it (sections 4.2.2.6 and 4.2.2.7)."""
        self.same_header(message, self.r1)
        for role, identity in ((I, self.idi), (R, self.idr)):
            self.same_identity(message, role, identity)
        demand(message.header.sessions == self.sessions, "mismatch", "the map comes back changed")
        self.same_rand(message)
        self.node.check_t(self.idi, message.one(mikey.T))
        (echo,) = self.open_ibake(message, self.local)
        self.same_echo(echo)
        self.node.remember_t(self.idi, message.one(mikey.T))
        octets = self.second(message)
        self.establish()
        return octets

    def same_rand(self, message):
        demand(message.one(mikey.RAND).data == self.rand, "mismatch", "RAND is not that of I_MESSAGE_1")

    def second(self, message):
        """R_MESSAGE_2 repeats the offer under V (P-14)."""
        algorithm = self.node.policy.mac or MAC_OF_PRF[self.prf]
        ids = [messages.idr(I, self.idi), messages.idr(R, self.idr)]
        empty = messages.v(algorithm, b"")
        parts = [messages.t(message.one(mikey.T)), *ids, *self.offer_again(), empty]
        covered = messages.message(mikey.R_MESSAGE_2, 0, self.prf, self.csb_octets, self.sessions, parts)
        return covered + self.mac(algorithm, covered)

    def offer_again(self):
        policies = [messages.sp(p.policy, p.parameters) for p in self.i1.all(mikey.SP)]
        return policies + [messages.extension(SDP_IDS, e.data) for e in self.i1.all(mikey.EXTENSION) if e.kind == SDP_IDS]
