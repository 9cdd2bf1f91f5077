"""MIKEY messages (RFC 3830, 4563, 6043, 6267): octets to payloads, refusing whatever the layouts do not allow.

Every payload is a Payload whose `type` is the number that announced it and whose `end` is the offset behind it.
"""

from dataclasses import dataclass, field
from types import SimpleNamespace

REQUEST_KEY_PSK, REQUEST_KEY_PKE, REQUEST_KEY_RESP = 19, 20, 21
I_MESSAGE_1, R_MESSAGE_1, I_MESSAGE_2, R_MESSAGE_2, ERROR = 22, 23, 24, 25, 6
NAMES = {
    6: "Error", 19: "REQUEST_KEY_PSK", 20: "REQUEST_KEY_PKE", 21: "REQUEST_KEY_RESP", 22: "I_MESSAGE_1",
    23: "R_MESSAGE_1", 24: "I_MESSAGE_2", 25: "R_MESSAGE_2",
}  # fmt: skip
HDR, KEMAC, T, V, SP, RAND, ERR, IDR = -1, 1, 5, 9, 10, 11, 12, 14
PKE, SIGN, CERT, CHASH = 2, 4, 7, 8
KEY_DATA, EXTENSION, IBAKE, ESK, SK, ECCPT = 20, 21, 22, 23, 24, 25
PAYLOAD_NAMES = {
    HDR: "HDR", 1: "KEMAC", 5: "T", 9: "V", 10: "SP", 11: "RAND", 12: "ERR", 14: "IDR", 20: "Key data",
    21: "General Extension", 22: "IBAKE", 23: "ESK", 24: "SK", 25: "ECCPT", 2: "PKE", 4: "SIGN", 7: "CERT",
    8: "CHASH",
}  # fmt: skip
INITIATOR, RESPONDER, KMS, PSK_NAME, APPLICATION = 1, 2, 3, 4, 5
NAI, URI, BYTE_STRING = 0, 1, 2
T_LENGTHS = {0: 8, 1: 8, 2: 4, 3: 4}
MAC_LENGTHS = {0: 0, 1: 20, 2: 32}
HASH_LENGTHS = {0: 20, 1: 16, 2: 32}
SRTP_ID, EMPTY_MAP = 0, 1
POINT_LENGTHS = {1: 24, 5: 28, 8: 32, 11: 48, 14: 66}  # ECC curve -> octets of a coordinate


class MikeyError(ValueError):
    """Octets that are not the MIKEY message they should be."""


class Unsupported(MikeyError):
    """Octets that may be right, of a version, type or algorithm that is not known here."""


class Payload(SimpleNamespace):
    """The fields of a payload; equality compares all of them but the place."""

    def content(self):
        return {name: value for name, value in vars(self).items() if name not in ("at", "end", "next")}


@dataclass
class Message:
    raw: bytes
    payloads: list = field(default_factory=list)

    @property
    def header(self):
        return self.payloads[0]

    @property
    def name(self):
        return NAMES[self.header.data_type]

    def all(self, kind, role=None):
        return [p for p in self.payloads if p.type == kind and (role is None or p.role == role)]

    def one(self, kind, role=None):
        """The only payload of a kind; raises MikeyError if there is none or another one."""
        found = self.all(kind, role)
        if len(found) != 1:
            raise MikeyError("%d %s payloads where one belongs" % (len(found), PAYLOAD_NAMES[kind]))
        return found[0]

    def has(self, kind):
        return bool(self.all(kind))


class Cursor:
    """Reads octets from front to back."""

    def __init__(self, data):
        self.data, self.at = bytes(data), 0

    def take(self, count):
        piece = self.data[self.at : self.at + count]
        if len(piece) != count:
            raise MikeyError("%d octets are missing at the end" % (count - len(piece)))
        self.at += count
        return piece

    def number(self, count):
        return int.from_bytes(self.take(count), "big")

    def rest(self):
        return self.take(len(self.data) - self.at)


def _srtp_map(c, count):
    sessions = []
    for _ in range(count):
        sessions.append(SimpleNamespace(policy=c.number(1), ssrc=c.number(4), roc=c.number(4)))
    return sessions


def _header(c):
    p = Payload(version=c.number(1), data_type=c.number(1), next=c.number(1))
    flags = c.number(1)
    p.v, p.prf, p.csb_id, count, p.map_type = flags >> 7, flags & 0x7F, c.take(4), c.number(1), c.number(1)
    if p.version != 1:
        raise Unsupported("version %d instead of 1" % p.version)
    if p.map_type == EMPTY_MAP and count:
        raise MikeyError("an empty map for %d crypto sessions" % count)
    if p.map_type not in (SRTP_ID, EMPTY_MAP):
        raise Unsupported("CS ID map type %d is not known here" % p.map_type)
    p.cs_count, p.sessions = count, _srtp_map(c, count)
    return p


def _kemac(c):
    p = Payload(algorithm=c.number(1), data=c.take(c.number(2)), mac_algorithm=c.number(1))
    p.mac = c.take(_mac_length(p.mac_algorithm))
    return p


def _mac_length(algorithm):
    if algorithm not in MAC_LENGTHS:
        raise Unsupported("MAC algorithm %d is not known" % algorithm)
    return MAC_LENGTHS[algorithm]


def _t(c):
    ts_type = c.number(1)
    if ts_type not in T_LENGTHS:
        raise Unsupported("TS type %d is not known" % ts_type)
    return Payload(ts_type=ts_type, value=c.take(T_LENGTHS[ts_type]))


def _v(c):
    p = Payload(algorithm=c.number(1), mac_at=c.at)
    p.mac = c.take(_mac_length(p.algorithm))
    return p


def _sp(c):
    p = Payload(policy=c.number(1), protocol=c.number(1), parameters=[])
    inner = Cursor(c.take(c.number(2)))
    while inner.at < len(inner.data):
        p.parameters.append((inner.number(1), inner.take(inner.number(1))))
    if len({kind for kind, _ in p.parameters}) != len(p.parameters):
        raise MikeyError("an SP parameter is there twice")
    return p


def _rand(c):
    return Payload(data=c.take(c.number(1)))


def _err(c):
    return Payload(number=c.number(1), reserved=c.number(2))


def _idr(c):
    return Payload(role=c.number(1), id_type=c.number(1), data=c.take(c.number(2)))


def _extension(c):
    return Payload(kind=c.number(1), data=c.take(c.number(2)))


def _encrypted(c):
    return Payload(data=c.take(c.number(2)))


def _validity(c, kv):
    """What the KV field announces, as it stands."""
    if kv == 0:
        return ()
    if kv == 1:
        return (c.take(c.number(1)),)
    if kv == 2:
        return c.take(c.number(1)), c.take(c.number(1))
    raise Unsupported("KV %d is not known" % kv)


def _key_data(c):
    kinds = c.number(1)
    p = Payload(kind=kinds >> 4, kv=kinds & 15, key=c.take(c.number(2)))
    p.salt = c.take(c.number(2)) if p.kind in (1, 3) else b""  # TGK+SALT, TEK+SALT
    p.validity = _validity(c, p.kv)
    return p


def _sk(c):
    kinds = c.number(1)
    p = Payload(kind=kinds >> 4, kv=kinds & 15, key=c.take(c.number(2)))
    p.validity = _validity(c, p.kv)
    return p


def _eccpt(c):
    """P-3: the curve and the SEC 1 tag give the length; padding of zeros from the start of the sub-payload."""
    start = c.at - 1
    curve = c.number(1)
    if curve not in POINT_LENGTHS:
        raise Unsupported("ECC curve %d is not known here" % curve)
    tag = c.take(1)
    if tag not in (b"\2", b"\3", b"\4"):
        raise MikeyError("SEC 1 tag %s" % tag.hex())
    p = Payload(curve=curve, point=tag + c.take(POINT_LENGTHS[curve] * (2 if tag == b"\4" else 1)))
    if any(c.take(-(c.at - start) % 4)):
        raise MikeyError("padding of the point is not zero")
    p.algorithm, p.tgk_length = c.number(1), c.number(2)
    kinds = c.number(1)
    p.reserved, p.kv = kinds >> 4, kinds & 15
    p.validity = _validity(c, p.kv)
    return p


def _pke(c):
    head = c.number(2)
    return Payload(cache=head >> 14, data=c.take(head & 0x3FFF))


def _cert(c):
    return Payload(kind=c.number(1), data=c.take(c.number(2)))


def _chash(c):
    p = Payload(algorithm=c.number(1))
    if p.algorithm not in HASH_LENGTHS:
        raise Unsupported("hash function %d is not known" % p.algorithm)
    p.hash = c.take(HASH_LENGTHS[p.algorithm])
    return p


def _sign(c):
    head = c.number(2)
    p = Payload(kind=head >> 12, mac_at=c.at)
    p.signature = c.take(head & 0x0FFF)
    return p


READERS = {
    PKE: _pke, CERT: _cert, CHASH: _chash, SIGN: _sign,
    KEMAC: _kemac, T: _t, V: _v, SP: _sp, RAND: _rand, ERR: _err, IDR: _idr, KEY_DATA: _key_data,
    EXTENSION: _extension, IBAKE: _encrypted, ESK: _encrypted, SK: _sk, ECCPT: _eccpt,
}  # fmt: skip


def _chain(c, kind, padding=0):
    """Payloads up to the one whose next payload is 0; nothing may follow it but so many zeros."""
    payloads = []
    while kind:
        if kind not in READERS:
            raise MikeyError("payload type %d is not known here" % kind)
        at = c.at
        following = 0 if kind == SIGN else c.number(1)  # RFC 3830 section 6.5: SIGN has no next payload
        payload = READERS[kind](c)
        payload.type, payload.at, payload.end, payload.next = kind, at, c.at, following
        payloads.append(payload)
        kind = following
    rest = c.rest()
    if any(rest) or len(rest) > padding:
        raise MikeyError("octets follow the last payload")
    return payloads


def parse(data):
    """Read a whole message; raises MikeyError."""
    c = Cursor(data)
    header = _header(c)
    header.type, header.at, header.end = HDR, 0, c.at
    if header.data_type not in NAMES:
        raise Unsupported("data type %d is not known here" % header.data_type)
    if header.next != T:
        raise MikeyError("T does not follow HDR")
    return Message(bytes(data), [header] + _chain(c, header.next))


def parse_inner(data, padding=0):
    """Read the sub-payloads inside IBAKE, ESK or KEMAC: the first is IDR (P-4)."""
    return Message(bytes(data), _chain(Cursor(data), IDR, padding))
