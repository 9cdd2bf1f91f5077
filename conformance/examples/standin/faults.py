"""Faults to plant into pibake, each a plausible mistake of an implementer: STANDIN_FAULT=NAME.

pibake knows nothing of them: a fault replaces one of its functions, or one of those that it is built upon, by a wrong one.
FAULTS, at the end, says which requirement each breaks, and which cases show it quickly; the test of this project's gate
holds ibakelab to that.
"""
from collections import namedtuple
import functools

from pibake import library  # noqa: F401
import der
import ec
import keys
import mikey

from pibake import messages
from pibake.exchange import Initiator, Responder, Session
from pibake.node import Node

Fault = namedtuple("Fault", "text requirement section cases plant")
DAY_MS = 86400000


def wrong(place, name, make):
    """How to plant: `name` of a class or module becomes `make`, which is handed what it was: after self, or first."""

    def plant():
        right = getattr(place, name)
        partial = functools.partialmethod if isinstance(place, type) else functools.partial
        setattr(place, name, partial(make, right))

    return plant


def unchecked(place, name):
    """How to plant: nobody makes this check."""
    return lambda: setattr(place, name, lambda *_, **__: None)


def value_of(table, key, value):
    """How to plant: another entry of a table."""
    return lambda: table.__setitem__(key, value)


# ---- what is sent


def v_flag(kind, value):
    """The V flag of one kind of message."""
    return wrong(messages, "message", lambda right, data_type, v, *rest: right(data_type, value if data_type == kind else v, *rest))


def other_t(self, right, theirs):
    octets = bytearray(right(self, theirs))
    octets[self.r1.one(mikey.T).at + 5] ^= 1  # the last octet of its seconds
    return bytes(octets)


def without_echo(self, right, recipient, parts):
    points = [part for part in parts if part[0] == mikey.ECCPT]
    return right(self, recipient, [part for part in parts if len(points) < 2 or part is not points[0]])


def inner_octet(place):
    """An octet inside IBAKE: `place` says where, and its new value."""

    def seal(self, right, data, plain):
        at, value = place(mikey.parse_inner(plain))
        return right(self, data, plain[:at] + bytes([value]) + plain[at + 1 :])

    return wrong(Node, "seal", seal)


def padding_of(inner):
    eccpt = inner.all(mikey.ECCPT)[0]
    return eccpt.at + 2 + len(eccpt.point), 1


def with_other(name, value):
    """A method during which an attribute has another value."""

    def method(self, right, *arguments):
        before = getattr(self, name)
        setattr(self, name, value(before))
        try:
            return right(self, *arguments)
        finally:
            setattr(self, name, before)

    return method


def x_alone(self, right, curve, point):
    octets = right(self, curve, point)
    return octets[1 : 1 + len(octets) // 2]


def same_scalar(self, right, curve, drawn={}):
    right(self, curve)
    self.scalar, self.own = drawn.setdefault(curve, (self.scalar, self.own))


def one_session(self, right):
    right(self)
    self.sessions = self.sessions[:1]


def bodies(self, right):
    return [messages.idr(role, identity)[1] for role, identity in ((1, self.idi), (2, self.idr))]


# ---- what is received


def any_padding(right, cursor):
    """Reads ECCPT as if its padding were zero."""
    start = cursor.at - 1
    size = mikey.POINT_LENGTHS.get(cursor.data[start + 1], 0) * (2 if cursor.data[start + 2] == 4 else 1)
    end = start + 3 + size
    padding = -(end - start) % 4
    cursor.data = cursor.data[:end] + bytes(padding) + cursor.data[end + padding :]
    return right(cursor)


def any_point(right, curve, octets):
    """Coordinates as they come, on the curve or not: what opens the door to invalid-curve attacks."""
    if octets[:1] != b"\4":
        return right(curve, octets)
    return int.from_bytes(octets[1 : 1 + curve.size], "big"), int.from_bytes(octets[1 + curve.size :], "big")


def lenient_eccpt():
    mikey.READERS[mikey.ECCPT] = functools.partial(any_padding, mikey.READERS[mikey.ECCPT])


CALL = "1024-p-256-mikey-1-sha-1-ntp-utc-srtp-id"
CALLED, CALLING = ["flow/responder/" + CALL], ["flow/initiator/" + CALL]
FAULTS = {
    "v-flag-of-answer": Fault(
        "R_MESSAGE_1 has the V flag 0", "6267-38", "4.2.2.3",
        CALLED,
        v_flag(mikey.R_MESSAGE_1, 0)),
    "v-flag-of-offer": Fault(
        "I_MESSAGE_2 has the V flag 0", "6267-84", "6.1",
        CALLING,
        v_flag(mikey.I_MESSAGE_2, 0)),
    "t-not-copied": Fault(
        "R_MESSAGE_1 has another T", "6267-39", "4.2.2.3",
        CALLED,
        wrong(Responder, "first", other_t)),
    "echo-not-sent": Fault(
        "IBAKE of R_MESSAGE_1 lacks ECCPTi", "6267-93", "4.2.2.3",
        CALLED,
        wrong(Session, "seal_ibake", without_echo)),
    "next-payload-lies": Fault(
        "inside IBAKE the last payload announces another", "6267-97", "6.1.1",
        CALLED + CALLING,
        inner_octet(lambda inner: (inner.payloads[-1].at, mikey.ECCPT))),
    "padding-not-zero": Fault(
        "the padding of a point is not zero", "P-3", "6.1.4 of RFC 6267",
        CALLED + CALLING,
        inner_octet(padding_of)),
    "rand-anew": Fault(
        "I_MESSAGE_2 has another RAND", "P-7", "4.2.2.5 of RFC 6267",
        CALLING,
        wrong(Initiator, "second", with_other("rand", lambda rand: bytes(16)))),
    "csb-id-fixed": Fault(
        "the CSB ID is always the same", "6267-29", "4.2.2.1",
        ["flow/fresh/*"],
        lambda: setattr(Node, "fresh_csb_id", lambda self: 1)),
    "scalar-again": Fault(
        "the ECDH value is used again", "6539-5", "3.2",
        ["flow/fresh/*"],
        wrong(Session, "draw", same_scalar)),
    "date-of-elsewhere": Fault(
        "IBE identities have the date of a time zone", "P-9", "4.1 of RFC 6267",
        CALLED + CALLING,
        wrong(Node, "seal", with_other("utc_ms", lambda now: now + DAY_MS // 2))),
    "x-coordinate": Fault(
        "K_SESSION is the x coordinate", "P-5", "5.1 of RFC 6267",
        CALLED,
        wrong(Session, "k_session", x_alone)),
    "mpk-constant": Fault(
        "MPK is derived with the constant of TGK", "6267-94", "5.1",
        CALLED,
        value_of(keys.FROM_SESSION, "MPK", keys.FROM_SESSION["TGK"])),
    "tgk-constant": Fault(
        "TGK is derived with the constant of MPK", "6267-95", "5.1",
        CALLED + CALLING,
        value_of(keys.FROM_SESSION, "TGK", keys.FROM_SESSION["MPK"])),
    "tgk-short": Fault(
        "TGK has 160 bits", "P-6", "5.1 of RFC 6267",
        CALLED + CALLING,
        lambda: setattr(keys, "TGK_LENGTH", 20)),
    "cs-ids-from-zero": Fault(
        "the labels of TEKs count CS IDs from 0", "3830-6", "4.1.3",
        CALLED + CALLING,
        wrong(Session, "from_tgk", lambda self, right, what, tgk, cs_id, length: right(self, what, tgk, cs_id - 1, length))),
    "mac-over-payloads": Fault(
        "V covers ID payloads, not identities", "6267-82", "5.4",
        CALLED,
        wrong(Session, "identities", bodies)),
    "mac-identities-turned": Fault(
        "under V stands IDRr, then IDRi", "P-8", "5.4 of RFC 6267",
        CALLED,
        wrong(Session, "identities", lambda self, right: right(self)[::-1])),
    "session-dropped": Fault(
        "R_MESSAGE_1 has a crypto session less", "6267-37", "4.2.2.3",
        CALLED,
        wrong(Responder, "fill_ssrcs", one_session)),
    "offer-not-repeated": Fault(
        "R_MESSAGE_2 does not repeat the offer", "P-14", "4.1.4 of RFC 4567",
        ["flow/policies/responder"],
        lambda: setattr(Responder, "offer_again", lambda self: [])),
    "echo-not-compared": Fault(
        "another ECCPTr than ours is taken in I_MESSAGE_2", "6539-12", "3.2",
        ["deviation/i-message-2/echo-changed"],
        unchecked(Responder, "same_echo")),
    "echo-not-compared-by-caller": Fault(
        "another ECCPTi than ours is taken in R_MESSAGE_1", "6539-8", "3.2",
        ["deviation/r-message-1/echo-changed"],
        unchecked(Initiator, "same_echo")),
    "v-not-verified": Fault(
        "any V is taken", "6267-67", "4.2.2.7",
        ["deviation/r-message-2/v-wrong"],
        unchecked(Initiator, "check_v")),
    "t-not-compared": Fault(
        "any T is taken in an answer", "6267-39", "4.2.2.3",
        ["deviation/r-message-1/t-*changed"],
        unchecked(Initiator, "same_t")),
    "header-not-compared": Fault(
        "any PRF and #CS is taken", "6267-37", "4.2.2.3",
        ["deviation/r-message-1/prf-changed"],
        unchecked(Session, "same_header")),
    "rand-not-compared": Fault(
        "any RAND is taken in I_MESSAGE_2", "P-7", "4.2.2.5 of RFC 6267",
        ["deviation/i-message-2/rand-changed"],
        unchecked(Responder, "same_rand")),
    "padding-accepted": Fault(
        "any padding of a point is taken", "P-3", "6.1.4 of RFC 6267",
        ["deviation/i-message-1/padding-not-zero"],
        lenient_eccpt),
    "off-curve-accepted": Fault(
        "points off the curve are taken", "P-3", "6.1.4 of RFC 6267",
        ["deviation/i-message-1/point-off*"],
        wrong(ec, "decode", any_point)),
    "replay-accepted": Fault(
        "messages that were taken before are taken", "3830-63", "5.4",
        ["replay/again/responder/NTP*"],
        unchecked(Node, "remember_t")),
    "skew-accepted": Fault(
        "T may be years off", "3830-63", "5.4",
        ["replay/skew/responder/NTP-UTC/*-outside"],
        wrong(Node, "check_t", with_other("policy", lambda policy: type(policy)(**{**vars(policy), "skew_ms": 10**14})))),
    "inner-identity-accepted": Fault(
        "identities inside IBAKE may be others than outside", "P-19", "4.2.2 of RFC 6267",
        ["deviation/?-message-?/inner-*-other"],
        unchecked(Session, "same_inside")),
    "any-responder-accepted": Fault(
        "anybody may answer", "P-19", "4.2.2 of RFC 6267",
        ["flow/answered-by-another/none"],
        unchecked(Initiator, "check_responder")),
    "offer-not-compared": Fault(
        "the offer may come back changed", "P-14", "4.1.4 of RFC 4567",
        ["deviation/r-message-?/s?p-*changed"],
        unchecked(Initiator, "same_offer")),
    "offer-demanded-early": Fault(
        "R_MESSAGE_1 is refused if it does not repeat all of the offer", "6267-44", "4.2.2.4",
        ["deviation/r-message-1/point-compressed", "deviation/r-message-2/v-wrong"],
        wrong(Initiator, "same_offer", lambda self, right, message, bare=False: right(self, message))),
    "trailing-octets": Fault(
        "octets may follow a message", "6267-32", "4.2.2.2",
        ["deviation/i-message-1/trailing*"],
        wrong(mikey, "_chain", lambda right, cursor, kind, padding=0: right(cursor, kind, 99))),
    "der-not-strict": Fault(
        "octets may follow the fields of a DER structure", "P-2", "6.1.1 of RFC 6267",
        ["deviation/i-message-1/der-trailing"],
        unchecked(der.Reader, "end")),
}  # fmt: skip


def plant(name):
    """Plants a fault; None or the empty name: none. Ends the program for a name that is not in the list."""
    if not name:
        return
    if name not in FAULTS:
        raise SystemExit("STANDIN_FAULT=%s: there is no such fault; there are %s" % (name, ", ".join(FAULTS)))
    FAULTS[name].plant()
