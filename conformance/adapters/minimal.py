#!/usr/bin/python3
"""A minimal adapter of the conformance suite (conformance/IUT.md): a starting point for an implementer.

It needs nothing but Python 3's standard library. It plays one role, `parser`, for MIKEY messages and for the SDP
attribute; everything else it declines, as the contract wants it: with `unsupported`, never with silence or a guess.

To make it yours:
 1. put your implementation's name into NAME, and what it supports into SUPPORTS;
 2. replace `parse_message` by a call of your parser (the one here is written from RFC 3830, 6043 and 6267, and short);
 3. add a method `op_…` to Adapter for each request that you can answer: `op_begin` first (now it declines every case),
    then `op_open` and `op_message`, which hand a message to your implementation and report what came out.

Try it:  echo '{"op": "hello", "seq": 1, "contract": 1, "suite": "me"}' | conformance/adapters/minimal.py
"""
import base64
import binascii
import json
import struct
import sys

CONTRACT = 1
LINE_MAX = 4194304

# ---- the contract ------------------------------------------------------------------------------------------------------

class Answer(Exception):
    """Anything but `ok`: result, the member that was the reason, and for `refused` an error class."""

    def __init__(self, result, what, error=None, detail=None):
        super().__init__(what)
        self.members = {"result": result, "what": what}
        if error:
            self.members["error"] = error
        if detail:
            self.members["detail"] = detail


def refuse(constant):
    raise ValueError(f"{constant} is no JSON")


def unique(pairs):
    """json's hook for objects: no name twice."""
    if len(dict(pairs)) != len(pairs):
        raise ValueError("a name stands twice")
    return dict(pairs)


class Adapter:
    """One process: requests in, answers out."""

    NAME, VERSION = "minimal adapter", "1"
    # What `hello` tells. Claim nothing that is not there: a skipped case costs nothing, a dishonest adapter is refused.
    SUPPORTS = {"families": ["parser"], "roles": ["parser"], "sizes": [], "curves": [], "own_curves": [], "prfs": [],
                "encryptions": [], "macs": [], "timestamps": [], "maps": [], "methods": [], "signatures": [], "envelopes": [],
                "granularities": [], "features": ["classes"]}

    def __init__(self):
        self.seq = 0
        self.greeted = False

    def serve(self, lines, out):
        for line in lines:
            out.write(json.dumps(self.answer(line)).encode() + b"\n")
            out.flush()

    def answer(self, line):
        try:
            if len(line) > LINE_MAX:
                raise ValueError("too long")
            request = json.loads(line.decode("utf-8"), object_pairs_hook=unique, parse_constant=refuse)
            if not isinstance(request, dict):
                raise ValueError("no object")
        except (ValueError, RecursionError) as error:
            return {"seq": None, "result": "malformed", "what": "line", "detail": str(error)[:100]}
        seq = request.get("seq")
        usable = isinstance(seq, int) and not isinstance(seq, bool) and seq > 0
        try:
            return {"seq": seq, "result": "ok", **self.dispatch(request, seq)}
        except Answer as other:
            return {"seq": seq if usable else None, **other.members}

    def dispatch(self, request, seq):
        if isinstance(seq, bool) or seq != self.seq + 1:
            raise Answer("malformed", "seq")
        op = member(request, "op", str)
        self.seq = seq
        handler = getattr(self, "op_" + op.replace("-", "_"), None) if op.replace("-", "").isalpha() else None
        if not handler:
            raise Answer("unsupported", "op")
        if op != "hello" and not self.greeted:
            raise Answer("malformed", "op", detail="hello comes first")
        return handler(request)

    def op_hello(self, request):
        only(request, "contract", "suite")
        contract = member(request, "contract", int)
        member(request, "suite", str)
        if self.greeted:
            raise Answer("malformed", "op", detail="hello was said before")
        if contract != CONTRACT:
            raise Answer("unsupported", "contract")
        self.greeted = True
        return {"contract": CONTRACT, "name": self.NAME, "version": self.VERSION, "supports": self.SUPPORTS}

    def op_begin(self, request):
        """There is no case that we can play: parsing needs none. An adapter with sessions checks the family of the name and
        `needs` here, keeps what the node is, and names in `ignored` the members of `policy` that it did not use."""
        member(request, "case", str)
        raise Answer("unsupported", "case")

    def op_end(self, request):
        only(request)
        raise Answer("malformed", "op", detail="no case is open")

    def op_parse(self, request):
        only(request, "what", "octets", "params", "curve")
        what = member(request, "what", str)
        try:
            octets = base64.b64decode(member(request, "octets", str), validate=True)
        except (binascii.Error, ValueError):
            raise Answer("malformed", "octets") from None
        parsers = {"message": parse_message, "key-mgmt": parse_key_mgmt}
        if what not in parsers:
            raise Answer("unsupported", "what")
        try:
            return parsers[what](octets)
        except Wrong as wrong:
            raise Answer("refused", "octets", wrong.error, str(wrong)) from None


def member(request, name, kind):
    value = request.get(name)
    if not isinstance(value, kind) or isinstance(value, bool) != (kind is bool):
        raise Answer("malformed", name)
    return value


def only(request, *names):
    for name in request:
        if name not in ("op", "seq", *names):
            raise Answer("malformed", name)


# ---- a parser of MIKEY messages ------------------------------------------------------------------------------------------

class Wrong(Exception):
    """Octets that are refused, and the error class (IUT.md section 7)."""

    def __init__(self, error, text):
        super().__init__(text)
        self.error = error


class Reader:
    """Octets from front to end."""

    def __init__(self, octets):
        self.octets, self.at = octets, 0

    def left(self):
        return len(self.octets) - self.at

    def take(self, n):
        if n > self.left():
            raise Wrong("malformed", f"{n} octets are wanted at octet {self.at}, {self.left()} are left")
        self.at += n
        return self.octets[self.at - n:self.at]

    def number(self, n):
        return int.from_bytes(self.take(n), "big")


def by_table(kind, lengths):
    """A field whose length another one decides: the octet before it is looked up."""
    def field(reader, values):
        if values[-1][0] not in lengths:
            raise Wrong("malformed", f"unknown {kind} {values[-1][0]}")
        return reader.take(lengths[values[-1][0]])
    return field


def fixed(n):
    return lambda reader, values: reader.take(n)


def counted(n):
    """Octets behind their length of n octets; the length is written again with them."""
    def field(reader, values):
        length = reader.number(n)
        return length.to_bytes(n, "big") + reader.take(length)
    return field


def upper_bits(bits):
    """A field of `16 - bits` bits of length behind `bits` of another value."""
    def field(reader, values):
        both = reader.number(2)
        length = both & (0xFFFF >> bits)
        return struct.pack(">H", both) + reader.take(length)
    return field


def rand(reader, values):
    length = reader.number(1)
    if not length:
        raise Wrong("malformed", "an empty RAND")
    return bytes([length]) + reader.take(length)


def policy_params(reader, values):
    """(type, length, value)*, filling the length in front exactly."""
    params = Reader(reader.take(reader.number(2)))
    while params.left():
        params.take(1)
        params.take(params.number(1))
    return struct.pack(">H", len(params.octets)) + params.octets


def key_validity(reader, values):
    """DH: 4 reserved bits, 4 bits of KV type, KV data (RFC 3830 section 6.14)."""
    first = reader.take(1)
    if first[0] & 15 > 2:
        raise Wrong("malformed", "unknown KV type")
    return first + b"".join(counted(1)(reader, values) for _ in range(first[0] & 15))


TIMESTAMP = (fixed(1), by_table("timestamp type", {0: 8, 1: 8, 2: 4, 3: 4}))
MAC = (fixed(1), by_table("MAC algorithm", {0: 0, 1: 20, 2: 32}))
# Payload type: fields after "next payload", in order. Key data, SK and ECCPT stand in encrypted payloads alone.
PAYLOADS = {
    1: (fixed(1), counted(2), *MAC),                                                      # KEMAC
    2: (upper_bits(2),),                                                                  # PKE
    3: (fixed(1), by_table("DH group", {0: 192, 1: 96, 2: 128}), key_validity),           # DH
    5: TIMESTAMP,                                                                         # T
    6: (fixed(1), counted(2)),                                                            # ID
    7: (fixed(1), counted(2)),                                                            # CERT
    8: (fixed(1), by_table("hash function", {0: 20, 1: 16, 2: 32})),                      # CHASH
    9: MAC,                                                                               # V
    10: (fixed(2), policy_params),                                                        # SP
    11: (rand,),                                                                          # RAND
    12: (fixed(3),),                                                                      # ERR
    13: (fixed(1), *TIMESTAMP),                                                           # TR
    14: (fixed(2), counted(2)),                                                           # IDR
    15: (fixed(1), rand),                                                                 # RANDR
    21: (fixed(1), counted(2)),                                                           # General Extension
    22: (counted(2),),                                                                    # IBAKE
    23: (counted(2),),                                                                    # ESK
}
SIGN, V = 4, 9


def parse_fields(reader, fields):
    values = []
    for field in fields:
        values.append(field(reader, values))
    return values


def parse_map(reader, map_type, count):
    """The CS ID map: SRTP-ID (RFC 3830), Empty (RFC 4563), GENERIC-ID (RFC 6043)."""
    if map_type == 0:
        return [reader.take(9 * count)]
    if map_type == 1:
        return []
    if map_type != 2:
        raise Wrong("malformed", f"unknown CS ID map type {map_type}")
    sessions = []
    for _ in range(count):
        head = reader.take(3)  # CS ID, protocol, S flag with the number of policies
        sessions += [head, reader.take(head[2] & 0x7F), counted(2)(reader, []), counted(1)(reader, [])]
    return sessions


def parse_header(reader):
    if reader.number(1) != 1:
        raise Wrong("unsupported", "the version is not 1")
    data_type, following, v_prf = reader.number(1), reader.number(1), reader.number(1)
    csb_id, count, map_type = reader.number(4), reader.number(1), reader.number(1)
    if data_type > 25:
        raise Wrong("malformed", f"unknown data type {data_type}")
    cs_map = b"".join(parse_map(reader, map_type, count))
    return data_type, following, (v_prf, csb_id, count, map_type, cs_map)


def parse_message(octets):
    """HDR, then payloads until one says that it is the last; V and SIGN are."""
    reader = Reader(octets)
    data_type, following, header = parse_header(reader)
    chain = []  # (payload type, its fields)
    while following:
        if chain and chain[-1][0] in (SIGN, V):
            raise Wrong("malformed", "a payload after V")
        if following == SIGN:  # has no next payload
            chain.append((SIGN, [upper_bits(4)(reader, [])]))
            break
        if following not in PAYLOADS:
            raise Wrong("malformed", f"payload type {following} is unknown, or must not stand in clear")
        payload, following = following, reader.number(1)
        chain.append((payload, parse_fields(reader, PAYLOADS[payload])))
    if reader.left():
        raise Wrong("malformed", f"{reader.left()} octets behind the last payload")
    written = write_message(data_type, header, chain)
    return {"octets": base64.b64encode(written).decode(), "data_type": data_type,
            "payloads": [payload for payload, _ in chain]}


def write_message(data_type, header, chain):
    """The message again, from what was parsed: the contract wants to see that nothing was overlooked."""
    types = [payload for payload, _ in chain] + [0]
    v_prf, csb_id, count, map_type, cs_map = header
    out = struct.pack(">BBBBIBB", 1, data_type, types[0], v_prf, csb_id, count, map_type) + cs_map
    for (payload, values), following in zip(chain, types[1:]):
        out += (b"" if payload == SIGN else bytes([following])) + b"".join(values)
    return out


def parse_key_mgmt(octets):
    """The value of a=key-mgmt, "mikey <base64>" (RFC 4567 section 3): the message inside."""
    protocol, space, data = octets.partition(b" ")
    if not space or not data:
        raise Wrong("malformed", "no key management data")
    if protocol != b"mikey":
        raise Wrong("unsupported", "the protocol identifier is not mikey")
    try:
        message = base64.b64decode(data, validate=True)
    except (binascii.Error, ValueError):
        raise Wrong("malformed", "no base64") from None
    if base64.b64encode(message) != data:
        raise Wrong("malformed", "stray bits in the base64")
    return {"octets": data.decode()}


if __name__ == "__main__":
    Adapter().serve(sys.stdin.buffer, sys.stdout.buffer)
