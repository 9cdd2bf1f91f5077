"""Small rules that several judges share: payload order, header fields, clocks."""

import re

import mikey
from findings import SECOND, Wrong, moment

ROLE_NAMES = {1: "IDRi", 2: "IDRr", 3: "IDRkms", 4: "IDRpsk", 5: "IDRapp"}


def check(condition, seen, text, place=None):
    """Raise Wrong about a message unless the condition holds."""
    if not condition:
        raise Wrong((place or seen).packet, "%s: %s" % (seen, text))


def shape_of(message):
    return " ".join(ROLE_NAMES.get(p.role, "IDR?") if p.type == mikey.IDR else mikey.PAYLOAD_NAMES[p.type]
                    for p in message.payloads)  # fmt: skip


def check_shape(seen, pattern, inner=None, what=""):
    """The payloads and their order, as a regular expression over their names."""
    shape = shape_of(inner or seen.message)
    check(re.fullmatch(pattern, shape), seen, "%spayloads %s" % (what and what + ": ", shape))


def header_of(seen):
    """The fields of HDR that an answer repeats (RFC 6267 sections 4.2.1.3, 4.2.2.3, 4.2.2.5, 4.2.2.7)."""
    h = seen.header
    return h.version, h.prf, h.csb_id, h.cs_count, h.map_type


def same_header(seen, earlier):
    check(header_of(seen) == header_of(earlier), seen, "HDR is not as in %s" % earlier.message.name)


def same_t(seen, earlier):
    equal = seen.message.one(mikey.T).content() == earlier.message.one(mikey.T).content()
    check(equal, seen, "T is not that of %s" % earlier.message.name)


def check_clock(seen, skew):
    """T is within the clock skew of the moment at which the capture has the message (RFC 3830 section 5.4)."""
    said = moment(seen.message.one(mikey.T), seen.time)
    off = 0 if said is None else (said - seen.time) / SECOND
    check(abs(off) <= skew, seen, "T is %.0f s off" % off)


def same_identity(a, b):
    return (a.role, a.id_type, a.data) == (b.role, b.id_type, b.data)
