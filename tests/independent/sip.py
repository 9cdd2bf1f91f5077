"""SIP messages (RFC 3261) and the SDP (RFC 4566, RFC 4567) in them, as far as a verifier needs them."""

import base64
import binascii
import re
from dataclasses import dataclass, field

START = re.compile(rb"(SIP/2\.0 [1-6]\d\d [^\r\n]*|[A-Z]+ \S+ SIP/2\.0)\r\n")
SHORT = {"i": "call-id", "l": "content-length", "c": "content-type", "f": "from", "t": "to", "v": "via", "k": "supported"}


class SipError(ValueError):
    """What begins like SIP and cannot be read."""


@dataclass
class Medium:
    """An m-line with what belongs to it; `codecs` maps payload types to names such as PCMU/8000."""

    kind: str
    port: int
    protocol: str
    formats: list
    address: str = None
    codecs: dict = field(default_factory=dict)
    ptime: int = None
    parameters: dict = field(default_factory=dict)  # a=fmtp by payload type
    keys: list = field(default_factory=list)  # (protocol identifier, data) of a=key-mgmt


@dataclass
class Sdp:
    media: list = field(default_factory=list)
    keys: list = field(default_factory=list)  # of the session

    def key_management(self):
        """Every (identifiers in order, data, number of the m-line or 0 for the session) with MIKEY inside."""
        levels = [(0, self.keys)] + [(n, m.keys) for n, m in enumerate(self.media, 1)]
        for number, keys in levels:
            for identifier, data in keys:
                if identifier == "mikey":
                    yield [i for i, _ in keys], data, number


@dataclass
class Sip:
    """`method` is that of CSeq, `status` None for a request."""

    start: str
    status: int
    method: str
    call_id: str
    headers: list
    body: bytes

    def header(self, name):
        """The values of a header, as text."""
        return [value for key, value in self.headers if key == name]

    @property
    def to_tag(self):
        """The tag of To: which dialog of a call it is, seen from the caller; None if there is none."""
        return self._tag("to")

    @property
    def from_tag(self):
        """The tag of From: of the end that sent the request."""
        return self._tag("from")

    def _tag(self, name):
        found = [re.search(r";\s*tag=([^;\s]+)", value.rsplit(">", 1)[-1]) for value in self.header(name)]
        return found[0].group(1) if found and found[0] else None

    @property
    def transaction(self):
        """Call-ID, From tag and CSeq: the same in a request and its answers."""
        return self.call_id, self.from_tag, self.header("cseq")[0]

    def sdp(self):
        """The SDP in the body, or None."""
        if not self.body or self.header("content-type")[:1] != ["application/sdp"]:
            return None
        return _sdp(self.body.decode("utf-8"))


def _key_attribute(value):
    identifier, _, data = value.partition(" ")
    try:
        return identifier, base64.b64decode(data, validate=True)
    except binascii.Error as error:
        raise SipError("a=key-mgmt is not base64: %s" % error) from None


def _attribute(place, name, value):
    """An a= line, of an m-line or (place is the Sdp) of the session."""
    if name == "key-mgmt":
        place.keys.append(_key_attribute(value))
    elif isinstance(place, Medium) and name == "rtpmap":
        number, _, codec = value.partition(" ")
        place.codecs[int(number)] = codec
    elif isinstance(place, Medium) and name == "fmtp":
        number, _, parameters = value.partition(" ")
        place.parameters[int(number)] = parameters
    elif isinstance(place, Medium) and name == "ptime":
        place.ptime = int(value)


def _sdp(text):
    sdp, address = Sdp(), None
    place = sdp
    for line in text.splitlines():
        if line[1:2] != "=":
            raise SipError("SDP line without '=': " + line[:40])
        kind, value = line[0], line[2:]
        if kind == "m":
            name, port, protocol, *formats = value.split(" ")
            place = Medium(name, int(port), protocol, [int(f) for f in formats if f.isdigit()], address)
            sdp.media.append(place)
        elif kind == "c" and place is sdp:
            address = value.split(" ")[2]
        elif kind == "c":
            place.address = value.split(" ")[2]
        elif kind == "a":
            _attribute(place, *value.partition(":")[::2])
    return sdp


def parse(data, at=0):
    """Read the message that begins at an offset; returns it and the offset behind it, or None if it is not all there."""
    start = START.match(data, at)
    if not start:
        raise SipError("no SIP message begins here: %r" % data[at : at + 40])
    end = data.find(b"\r\n\r\n", at)
    if end < 0:
        return None
    lines = data[at:end].decode("utf-8").split("\r\n")
    headers = []
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if not colon:
            raise SipError("header line without ':': " + line[:40])
        name = name.strip().lower()
        headers.append((SHORT.get(name, name), value.strip()))
    values = dict(reversed(headers))
    try:
        length, method, call_id = int(values["content-length"]), values["cseq"].split()[1], values["call-id"]
    except (KeyError, IndexError, ValueError) as error:
        raise SipError("Content-Length, CSeq or Call-ID cannot be used: %s" % error) from None
    end += 4
    if len(data) - end < length:
        return None
    status = int(lines[0].split(" ")[1]) if lines[0].startswith("SIP/2.0 ") else None
    return Sip(lines[0], status, method, call_id, headers, data[end : end + length]), end + length
