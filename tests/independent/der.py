"""Strict DER (X.690) of the few types that RFC 5091 section 8 uses.

INTEGER (non-negative), OCTET STRING, OBJECT IDENTIFIER and SEQUENCE; no other form of a value is accepted
than the one that an encoder would have made.
"""

INTEGER, OCTET_STRING, OID, SEQUENCE = 0x02, 0x04, 0x06, 0x30


class DerError(ValueError):
    """Octets that are not DER of the expected type."""


def _tlv(tag, value):
    n = len(value)
    if n < 0x80:
        length = bytes([n])
    else:
        octets = n.to_bytes((n.bit_length() + 7) // 8, "big")
        length = bytes([0x80 | len(octets)]) + octets
    return bytes([tag]) + length + value


def integer(n):
    """Encode a non-negative integer."""
    if n < 0:
        raise DerError("negative INTEGER")
    return _tlv(INTEGER, n.to_bytes(n.bit_length() // 8 + 1, "big"))


def octet_string(value):
    """Encode an OCTET STRING."""
    return _tlv(OCTET_STRING, bytes(value))


def oid(dotted):
    """Encode an OBJECT IDENTIFIER given as dotted text."""
    arcs = [int(a) for a in dotted.split(".")]
    out = b""
    for arc in [40 * arcs[0] + arcs[1]] + arcs[2:]:
        group = bytes([arc & 0x7F])
        arc >>= 7
        while arc:
            group = bytes([0x80 | arc & 0x7F]) + group
            arc >>= 7
        out += group
    return _tlv(OID, out)


def sequence(*items):
    """Encode a SEQUENCE of items that are DER already."""
    return _tlv(SEQUENCE, b"".join(items))


class Reader:
    """Reads one value after another; `end` demands that nothing is left."""

    def __init__(self, data):
        self.data, self.at = bytes(data), 0

    def _length(self):
        if self.at >= len(self.data):
            raise DerError("no length octet")
        first = self.data[self.at]
        self.at += 1
        if first < 0x80:
            return first
        count = first & 0x7F
        octets = self.data[self.at : self.at + count]
        if count == 0 or count > 4 or len(octets) < count:
            raise DerError("bad length of length")
        self.at += count
        n = int.from_bytes(octets, "big")
        if n < 0x80 or octets[0] == 0:
            raise DerError("length is not minimal")
        return n

    def value(self, tag):
        """Return the content of the next value, whose tag must be `tag`."""
        if self.at >= len(self.data) or self.data[self.at] != tag:
            raise DerError("expected tag %#04x at octet %d" % (tag, self.at))
        self.at += 1
        n = self._length()
        content = self.data[self.at : self.at + n]
        if len(content) != n:
            raise DerError("value runs past its end")
        self.at += n
        return content

    def integer(self):
        content = self.value(INTEGER)
        if not content or content[0] & 0x80:
            raise DerError("empty or negative INTEGER")
        if len(content) > 1 and content[0] == 0 and not content[1] & 0x80:
            raise DerError("INTEGER is not minimal")
        return int.from_bytes(content, "big")

    def octet_string(self):
        return self.value(OCTET_STRING)

    def oid(self):
        content = self.value(OID)
        arcs, arc, fresh = [], 0, True
        for octet in content:
            if fresh and octet == 0x80:
                raise DerError("OID arc is not minimal")
            arc, fresh = arc << 7 | octet & 0x7F, octet < 0x80
            if fresh:
                arcs.append(arc)
                arc = 0
        if not arcs or not fresh:
            raise DerError("OID is cut off")
        first = min(arcs[0] // 40, 2)
        return ".".join(str(a) for a in [first, arcs[0] - 40 * first] + arcs[1:])

    def sequence(self):
        return Reader(self.value(SEQUENCE))

    def end(self):
        if self.at != len(self.data):
            raise DerError("%d octets too many" % (len(self.data) - self.at))
