"""MIKEY messages from their parts to octets (RFC 3830 section 6, RFC 6043 section 6.6, RFC 6267 section 6.1).

A part is (payload type, octets behind its next payload field). tests/independent/mikey.py reads what this writes.
"""
from . import library  # noqa: F401
import ec
import findings
import mikey

VERSION = 1
NTP_UTC, NTP, COUNTER, NTP_UTC_32 = range(4)


def chain(parts):
    """Each part behind the type of the following one; 0 says that it is the last."""
    following = [kind for kind, _ in parts[1:]] + [0]
    return b"".join(bytes([kind]) + octets for kind, (_, octets) in zip(following, parts))


def message(data_type, v, prf, csb_id, sessions, parts, map_type=mikey.SRTP_ID):
    """HDR with its map, then the parts."""
    head = bytes([VERSION, data_type, parts[0][0], v << 7 | prf]) + csb_id + bytes([len(sessions), map_type])
    for session in sessions:
        head += bytes([session.policy]) + session.ssrc.to_bytes(4, "big") + session.roc.to_bytes(4, "big")
    return head + chain(parts)


def counted(octets, size=2):
    return len(octets).to_bytes(size, "big") + octets


def t(stamp):
    return mikey.T, bytes([stamp.ts_type]) + stamp.value


def rand(octets):
    return mikey.RAND, counted(octets, 1)


def idr(role, identity):
    return mikey.IDR, bytes([role, identity.id_type]) + counted(identity.data)


def sp(number, parameters):
    """`parameters`: (type, octets) of RFC 3830 section 6.10.1; protocol 0 is SRTP."""
    return mikey.SP, bytes([number, 0]) + counted(b"".join(bytes([kind]) + counted(value, 1) for kind, value in parameters))


def err(number):
    return mikey.ERR, bytes([number, 0, 0])


def extension(kind, octets):
    return mikey.EXTENSION, bytes([kind]) + counted(octets)


def encrypted(kind, octets):
    return kind, counted(octets)


def eccpt(curve, point):
    """The point, and zeros up to a 32-bit boundary of the sub-payload, which begins with next payload and curve (P-3)."""
    (number,) = [n for n, known in ec.CURVES.items() if known == curve]
    octets = bytes([number]) + ec.encode(curve, point)
    octets += bytes(-(1 + len(octets)) % 4)
    return mikey.ECCPT, octets + bytes([0, 0, 0, 0])  # algorithm and TGK length are ignored; no key validity


def v(algorithm, mac):
    return mikey.V, bytes([algorithm]) + mac


def stamp(ts_type, nanoseconds, counter):
    """T of a moment; NTP wraps in 2036."""
    if ts_type == COUNTER:
        value = counter.to_bytes(4, "big")
    else:
        seconds, rest = divmod(nanoseconds, findings.SECOND)
        value = ((seconds + findings.UNIX_TO_NTP) % findings.NTP_ERA).to_bytes(4, "big")
        value += (-(-(rest << 32) // findings.SECOND) % findings.NTP_ERA).to_bytes(4, "big")
    return mikey.Payload(ts_type=ts_type, value=value[: mikey.T_LENGTHS[ts_type]])
