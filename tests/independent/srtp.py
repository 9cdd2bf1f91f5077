"""SRTP and SRTCP (RFC 3711): AES-CM with HMAC-SHA-1, the receiver's side, as the SP payload says."""

import hmac
from dataclasses import dataclass

from keys import ctr

AES_CM, NULL_CIPHER = 1, 0
HMAC_SHA1 = 1
SRTCP_TAG = 10  # RFC 3711 section 5.2 and RFC 4568: SRTCP's tag stays at 80 bits when SRTP's has 32
ENCRYPTION, ENCRYPTION_KEY, AUTHENTICATION, AUTHENTICATION_KEY, SALT_KEY = 0, 1, 2, 3, 4
PRF, KDR, SRTP_ENCRYPTED, SRTCP_ENCRYPTED, FEC_ORDER, AUTHENTICATED, TAG, PREFIX = 5, 6, 7, 8, 9, 10, 11, 12
DEFAULTS = {  # RFC 3830 section 6.10.1
    ENCRYPTION: 1, ENCRYPTION_KEY: 16, AUTHENTICATION: 1, AUTHENTICATION_KEY: 20, SALT_KEY: 14, PRF: 0, KDR: 0,
    SRTP_ENCRYPTED: 1, SRTCP_ENCRYPTED: 1, FEC_ORDER: 0, AUTHENTICATED: 1, TAG: 10, PREFIX: 0,
}  # fmt: skip
ALLOWED = {
    ENCRYPTION: (AES_CM,), ENCRYPTION_KEY: (16, 24, 32), AUTHENTICATION: (HMAC_SHA1,), AUTHENTICATION_KEY: (20,),
    SALT_KEY: (14,), PRF: (0,), KDR: (0,), SRTP_ENCRYPTED: (0, 1), SRTCP_ENCRYPTED: (0, 1), FEC_ORDER: (0,),
    AUTHENTICATED: (1,), TAG: (4, 10), PREFIX: (0,),
}  # fmt: skip


class SrtpError(ValueError):
    """A policy that is not known, or a packet that must be refused."""


def policy(sp):
    """The parameters of an SP payload, with its defaults; refuses what this program does not know."""
    if sp.protocol != 0:
        raise SrtpError("SP is not for SRTP")
    values = dict(DEFAULTS)
    for kind, value in sp.parameters:
        if kind not in DEFAULTS:
            raise SrtpError("SP parameter %d is not known" % kind)
        values[kind] = int.from_bytes(value, "big")
        if values[kind] not in ALLOWED[kind]:
            raise SrtpError("SP parameter %d has the value %d" % (kind, values[kind]))
    return values


def _session_key(master, salt, label, length):
    """RFC 3711 section 4.3.1 with a key derivation rate of 0: AES-CM of zeros, IV = (label XOR salt) * 2^16."""
    x = int.from_bytes(salt, "big") ^ label << 48
    return ctr(master, x.to_bytes(14, "big") + bytes(2), bytes(length))


@dataclass
class Rtp:
    """What an RTP packet says once it is opened."""

    marker: int
    payload_type: int
    sequence: int
    index: int  # 2^16 * ROC + sequence
    timestamp: int
    ssrc: int
    payload: bytes


def rtp_ssrc(packet):
    return int.from_bytes(packet[8:12], "big")


def rtcp_ssrc(packet):
    return int.from_bytes(packet[4:8], "big")


def looks_like_rtcp(packet):
    """RFC 5761 section 4: the second octet tells RTCP from RTP on one port."""
    return len(packet) > 1 and 192 <= packet[1] <= 223


class Track:
    """How far the packets of one SSRC have come. New keys do not set it back (RFC 3711 sections 3.3.1, 3.4)."""

    def __init__(self, roc):
        self.roc, self.highest, self.seen, self.rtcp_seen = roc, None, set(), set()

    def guess(self, sequence):
        """ROC of a packet (RFC 3711 section 3.3.1 and appendix A)."""
        if self.highest is None:
            return self.roc
        if self.highest < 32768 and sequence - self.highest > 32768:
            return max(self.roc - 1, 0)
        if self.highest >= 32768 and self.highest - 32768 > sequence:
            return self.roc + 1
        return self.roc

    def take(self, ssrc, roc, sequence):
        """A packet that was authenticated; returns its index."""
        index = roc << 16 | sequence
        if index in self.seen:
            raise SrtpError("sequence number %d of SSRC %08x comes twice" % (sequence, ssrc))
        self.seen.add(index)
        if self.highest is None or index > self.roc << 16 | self.highest:
            self.roc, self.highest = roc, sequence
        return index

    def take_rtcp(self, ssrc, index):
        if index in self.rtcp_seen:
            raise SrtpError("SRTCP index %d of SSRC %08x comes twice" % (index, ssrc))
        self.rtcp_seen.add(index)


class WrongTag(SrtpError):
    """A packet that these keys do not authenticate; the track has not moved."""


class Receiver:
    """Opens the packets of one SSRC; master key and salt are TEK and SALT of its crypto session."""

    def __init__(self, master, salt, values, track):
        length = values[ENCRYPTION_KEY]
        if (len(master), len(salt)) != (length, values[SALT_KEY]):
            raise SrtpError("TEK or SALT has not the length that SP says")
        self.values, self.track = values, track
        keys = [_session_key(master, salt, label, size) for label, size in enumerate((length, 20, 14) * 2)]
        (self.cipher, self.authentication, self.salt), (self.rtcp_cipher, self.rtcp_authentication, self.rtcp_salt) = (
            keys[:3],
            keys[3:],
        )

    def _decrypt(self, key, salt, ssrc, index, data):
        iv = int.from_bytes(salt, "big") << 16 ^ ssrc << 64 ^ index << 16
        return ctr(key, iv.to_bytes(16, "big"), data)

    def rtp(self, packet):
        """Check and decrypt an SRTP packet; raises SrtpError."""
        tag = self.values[TAG]
        if len(packet) < 12 + tag or packet[0] >> 6 != 2:
            raise SrtpError("no RTP packet")
        body, mac = packet[:-tag], packet[-tag:]
        sequence, ssrc = int.from_bytes(packet[2:4], "big"), rtp_ssrc(packet)
        roc = self.track.guess(sequence)
        if hmac.digest(self.authentication, body + roc.to_bytes(4, "big"), "sha1")[:tag] != mac:
            raise WrongTag("the SRTP tag is wrong (SSRC %08x, sequence number %d, ROC %d)" % (ssrc, sequence, roc))
        index = self.track.take(ssrc, roc, sequence)
        at = 12 + 4 * (packet[0] & 15)
        if packet[0] & 0x10:
            at += 4 + 4 * int.from_bytes(body[at + 2 : at + 4], "big")
        payload = body[at:]
        if self.values[SRTP_ENCRYPTED]:
            payload = self._decrypt(self.cipher, self.salt, ssrc, index, payload)
        if packet[0] & 0x20:
            if not payload or not 0 < payload[-1] <= len(payload):
                raise SrtpError("RTP padding is wrong")
            payload = payload[: -payload[-1]]
        timestamp = int.from_bytes(packet[4:8], "big")
        return Rtp(packet[1] >> 7, packet[1] & 0x7F, sequence, index, timestamp, ssrc, payload)

    def rtcp(self, packet):
        """Check and decrypt an SRTCP packet; returns the compound RTCP packet."""
        if len(packet) < 8 + 4 + SRTCP_TAG or packet[0] >> 6 != 2:
            raise SrtpError("no RTCP packet")
        body, mac = packet[:-SRTCP_TAG], packet[-SRTCP_TAG:]
        ssrc = rtcp_ssrc(packet)
        if hmac.digest(self.rtcp_authentication, body, "sha1")[:SRTCP_TAG] != mac:
            raise WrongTag("the SRTCP tag is wrong (SSRC %08x)" % ssrc)
        word = int.from_bytes(body[-4:], "big")
        encrypted, index = word >> 31, word & 0x7FFFFFFF
        self.track.take_rtcp(ssrc, index)
        if encrypted != self.values[SRTCP_ENCRYPTED]:
            raise SrtpError("the E flag of SRTCP is not as SP says")
        content = body[8:-4]
        if encrypted:
            content = self._decrypt(self.rtcp_cipher, self.rtcp_salt, ssrc, index, content)
        return body[:8] + content


def rtcp_parts(compound):
    """The packets of a compound as (packet type, octets); raises SrtpError if they do not fit (RFC 3550 section 6.1)."""
    parts, at = [], 0
    while at < len(compound):
        size = 4 * (int.from_bytes(compound[at + 2 : at + 4], "big") + 1)
        if compound[at] >> 6 != 2 or at + size > len(compound):
            raise SrtpError("the RTCP packets in a compound do not fit it")
        parts.append((compound[at + 1], compound[at : at + size]))
        at += size
    if not parts or parts[0][0] not in (200, 201):
        raise SrtpError("a compound RTCP packet begins with no report")
    return parts
