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

Fault = namedtuple("Fault", "plant text requirement section cases")
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
    "v-flag-of-answer": Fault(v_flag(mikey.R_MESSAGE_1, 0), "R_MESSAGE_1 has the V flag 0", "6267-38", "4.2.2.3", CALLED),
    "v-flag-of-offer": Fault(v_flag(mikey.I_MESSAGE_2, 0), "I_MESSAGE_2 has the V flag 0", "6267-84", "6.1", CALLING),
    "t-not-copied": Fault(wrong(Responder, "first", other_t), "R_MESSAGE_1 has another T", "6267-39", "4.2.2.3", CALLED),
    "echo-not-sent": Fault(wrong(Session, "seal_ibake", without_echo), "IBAKE of R_MESSAGE_1 lacks ECCPTi", "6267-93", "4.2.2.3", CALLED),
    "next-payload-lies": Fault(inner_octet(lambda inner: (inner.payloads[-1].at, mikey.ECCPT)),
                               "inside IBAKE the last payload announces another", "6267-97", "6.1.1", CALLED + CALLING),
    "padding-not-zero": Fault(inner_octet(padding_of), "the padding of a point is not zero", "P-3", "6.1.4 of RFC 6267", CALLED + CALLING),
    "rand-anew": Fault(wrong(Initiator, "second", with_other("rand", lambda rand: bytes(16))), "I_MESSAGE_2 has another RAND", "P-7",
                       "4.2.2.5 of RFC 6267", CALLING),
    "csb-id-fixed": Fault(lambda: setattr(Node, "fresh_csb_id", lambda self: 1), "the CSB ID is always the same", "6267-29", "4.2.2.1",
                          ["flow/fresh/*"]),
    "scalar-again": Fault(wrong(Session, "draw", same_scalar), "the ECDH value is used again", "6539-5", "3.2", ["flow/fresh/*"]),
    "date-of-elsewhere": Fault(wrong(Node, "seal", with_other("utc_ms", lambda now: now + DAY_MS // 2)), "IBE identities have the date of a time zone",
                               "P-9", "4.1 of RFC 6267", CALLED + CALLING),
    "x-coordinate": Fault(wrong(Session, "k_session", lambda self, right, *xy: right(self, *xy)[1:33]), "K_SESSION is the x coordinate",
                          "P-5", "5.1 of RFC 6267", CALLED),
    "mpk-constant": Fault(value_of(keys.FROM_SESSION, "MPK", keys.FROM_SESSION["TGK"]), "MPK is derived with the constant of TGK", "6267-94", "5.1",
                          CALLED),
    "tgk-constant": Fault(value_of(keys.FROM_SESSION, "TGK", keys.FROM_SESSION["MPK"]), "TGK is derived with the constant of MPK", "6267-95", "5.1",
                          CALLED + CALLING),
    "tgk-short": Fault(lambda: setattr(keys, "TGK_LENGTH", 20), "TGK has 160 bits", "P-6", "5.1 of RFC 6267", CALLED + CALLING),
    "cs-ids-from-zero": Fault(wrong(Session, "from_tgk", lambda self, right, what, tgk, cs_id, length: right(self, what, tgk, cs_id - 1, length)),
                              "the labels of TEKs count CS IDs from 0", "3830-6", "4.1.3", CALLED + CALLING),
    "mac-over-payloads": Fault(wrong(Session, "identities", bodies), "V covers ID payloads, not identities", "6267-82", "5.4", CALLED),
    "mac-identities-turned": Fault(wrong(Session, "identities", lambda self, right: right(self)[::-1]), "under V stands IDRr, then IDRi", "P-8",
                                   "5.4 of RFC 6267", CALLED),
    "session-dropped": Fault(wrong(Responder, "fill_ssrcs", one_session), "R_MESSAGE_1 has a crypto session less", "6267-37", "4.2.2.3", CALLED),
    "offer-not-repeated": Fault(lambda: setattr(Responder, "offer_again", lambda self: []), "R_MESSAGE_2 does not repeat the offer", "P-14",
                                "4.1.4 of RFC 4567", ["flow/policies/responder"]),
    "echo-not-compared": Fault(unchecked(Responder, "same_echo"), "another ECCPTr than ours is taken in I_MESSAGE_2", "6539-12", "3.2",
                               ["deviation/i-message-2/echo-changed"]),
    "echo-not-compared-by-caller": Fault(unchecked(Initiator, "same_echo"), "another ECCPTi than ours is taken in R_MESSAGE_1", "6539-8",
                                         "3.2", ["deviation/r-message-1/echo-changed"]),
    "v-not-verified": Fault(unchecked(Initiator, "check_v"), "any V is taken", "6267-67", "4.2.2.7", ["deviation/r-message-2/v-wrong"]),
    "t-not-compared": Fault(unchecked(Initiator, "same_t"), "any T is taken in an answer", "6267-39", "4.2.2.3", ["deviation/r-message-1/t-*changed"]),
    "header-not-compared": Fault(unchecked(Session, "same_header"), "any PRF and #CS is taken", "6267-37", "4.2.2.3",
                                 ["deviation/r-message-1/prf-changed"]),
    "rand-not-compared": Fault(unchecked(Responder, "same_rand"), "any RAND is taken in I_MESSAGE_2", "P-7", "4.2.2.5 of RFC 6267",
                               ["deviation/i-message-2/rand-changed"]),
    "padding-accepted": Fault(lenient_eccpt, "any padding of a point is taken", "P-3", "6.1.4 of RFC 6267", ["deviation/i-message-1/padding-not-zero"]),
    "off-curve-accepted": Fault(wrong(ec, "decode", any_point), "points off the curve are taken", "P-3", "6.1.4 of RFC 6267",
                                ["deviation/i-message-1/point-off*"]),
    "replay-accepted": Fault(unchecked(Node, "remember_t"), "messages that were taken before are taken", "3830-63", "5.4", ["replay/again/responder/NTP*"]),
    "skew-accepted": Fault(wrong(Node, "check_t", with_other("policy", lambda policy: type(policy)(**{**vars(policy), "skew_ms": 10**14}))),
                           "T may be years off", "3830-63", "5.4", ["replay/skew/responder/NTP-UTC/a-day-late"]),
    "inner-identity-accepted": Fault(unchecked(Session, "same_inside"), "identities inside IBAKE may be others than outside", "P-19",
                                     "4.2.2 of RFC 6267", ["deviation/?-message-?/inner-*-other"]),
    "any-responder-accepted": Fault(unchecked(Initiator, "check_responder"), "anybody may answer", "P-19", "4.2.2 of RFC 6267",
                                    ["flow/answered-by-another/none"]),
    "offer-not-compared": Fault(unchecked(Initiator, "same_offer"), "the offer may come back changed", "P-14", "4.1.4 of RFC 4567",
                                ["deviation/r-message-?/s?p-*changed"]),
    "offer-demanded-early": Fault(wrong(Initiator, "same_offer", lambda self, right, message, bare=False: right(self, message)),
                                  "R_MESSAGE_1 is refused if it does not repeat all of the offer", "6267-44", "4.2.2.4",
                                  ["deviation/r-message-1/point-compressed", "deviation/r-message-2/v-wrong"]),
    "trailing-octets": Fault(wrong(mikey, "_chain", lambda right, cursor, kind, padding=0: right(cursor, kind, 99)), "octets may follow a message",
                             "6267-32", "4.2.2.2", ["deviation/i-message-1/trailing*"]),
    "der-not-strict": Fault(unchecked(der.Reader, "end"), "octets may follow the fields of a DER structure", "P-2", "6.1.1 of RFC 6267",
                            ["deviation/i-message-1/der-trailing"]),
}  # fmt: skip


def plant(name):
    """Plants a fault; None or the empty name: none. Ends the program for a name that is not in the list."""
    if not name:
        return
    if name not in FAULTS:
        raise SystemExit("STANDIN_FAULT=%s: there is no such fault; there are %s" % (name, ", ".join(FAULTS)))
    FAULTS[name].plant()
