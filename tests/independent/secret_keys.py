"""Judges ESK payloads and the content under their SK (RFC 6267 sections 3.3, 4.2.2.5, 4.2.2.6; P-22, P-45)."""

import datetime
import re

import keys
import mikey
import srtp
from findings import SECOND, NoKey, Wrong, moment
from rules import check, check_shape

HMAC_SHA256_PRF = 1
NO_CSB = b"\xff" * 4
FORMAT = "x-deferred/8000"


class SecretKeys:
    """ESK = E(K_PUBr, ID || SK), for the recipient whom I_MESSAGE_1 is meant for, whoever answers. An ESK that comes a
    second time was stored by a mailbox: it is the same octet by octet, and names its first sender."""

    def __init__(self, vault, options):
        self.vault, self.options = vault, options
        self._known = {}  # ESK data -> (CSB ID, IDRi, SK) of its first message
        self._of_call = {}  # CSB ID -> (SK, message) of the ESK in I_MESSAGE_1

    def judge(self, seen, i1):
        """The ESK of a message, if there is one; returns the SK, or that of I_MESSAGE_1, or None."""
        esks = seen.message.all(mikey.ESK)
        check(len(esks) < 2, seen, "has several ESK")
        if not esks:
            return self._of_call.get(i1.header.csb_id)
        idr, sk = self._open(seen, esks[0].data, i1)
        csb_id, sender, _ = self._known.setdefault(esks[0].data, (seen.header.csb_id, seen.message.one(mikey.IDR, 1), sk))
        check(seen.header.csb_id == csb_id or seen is i1, seen, "ESK is that of an earlier call, and not in I_MESSAGE_1")
        check((idr.id_type, idr.data) == (sender.id_type, sender.data), seen, "ESK names %s, and %s made it" % (
            idr.data.decode("utf-8", "backslashreplace"), sender.data.decode("utf-8", "backslashreplace")))  # fmt: skip
        earlier = self._of_call.setdefault(i1.header.csb_id, sk)
        check(earlier == sk, seen, "ESK has another SK than that of I_MESSAGE_1")
        return sk

    def _open(self, seen, data, i1):
        """Decrypt for the recipient and the date that the SDP names (P-45), else that of T."""
        recipient, when, name = i1.message.one(mikey.IDR, 2).data, _named_date(seen), "ESK of %s" % seen
        moments = [when]
        if when is None:
            when, skew = moment(i1.message.one(mikey.T), seen.time) or seen.time, int(self.options.skew * SECOND)
            moments = [when, when - skew, when + skew]
        try:
            plain = self.vault.open(seen.packet, name, data, recipient, moments)
        except NoKey:  # nobody has asked for the key yet, or will
            plain = self.vault.open_by_master(data, recipient, when)
            if plain is None:
                raise Wrong(seen.packet, "%s: neither a private key nor a master secret opens it" % name) from None
        try:
            inner = mikey.parse_inner(plain)
        except mikey.MikeyError as error:
            raise Wrong(seen.packet, "%s: decrypted content is malformed: %s" % (name, error)) from None
        check_shape(seen, "IDR[ir] SK", inner, "inside ESK")
        check(inner.one(mikey.SK).kind == 1, seen, "SK of a type that RFC 6267 section 6.1.5 does not have")
        return inner.payloads[0], inner.one(mikey.SK).key


def _named_date(seen):
    """The moment that a=fmtp's date= names, or None."""
    for medium in seen.first.sdp.media:
        for number, codec in medium.codecs.items():
            found = re.fullmatch(r"date=(\d{6}|\d{8}|\d{10})", medium.parameters.get(number, ""))
            if codec == FORMAT and found:
                text = (found.group(1) + "01")[:8] + found.group(1)[8:]
                year, month, day, hour = (int(d or 0) for d in (text[:4], text[4:6], text[6:8], text[8:10]))
                utc = datetime.datetime(year, month, day, hour, 30, tzinfo=datetime.timezone.utc)
                return int(utc.timestamp()) * SECOND
    return None


class Content:
    """What somebody says under an SK: SRTP packets that are the payload of others."""

    def __init__(self, sk):
        self.sk, self.packets, self.raw = sk, {}, {}
        tek, salt = (
            keys.from_tgk(what, HMAC_SHA256_PRF, sk, 1, NO_CSB, b"", size) for what, size in (("TEK", 16), ("SALT", 14))
        )
        self.receiver = srtp.Receiver(tek, salt, srtp.DEFAULTS, srtp.Track(0))

    def take(self, packet, inner):
        """Open an inner packet; raises SrtpError."""
        rtp = self.receiver.rtp(inner)
        self.packets[rtp.index], self.raw[rtp.index] = (packet, rtp), inner
        return rtp

    @property
    def ssrcs(self):
        return {rtp.ssrc for _, rtp in self.packets.values()}
