"""What a verification finds: failures with their packets, and the moments inside T payloads."""

import datetime

UNIX_TO_NTP = 2208988800  # seconds from 1900 to 1970
NTP_ERA = 1 << 32
SECOND = 10**9


class Wrong(Exception):
    """Something judged is wrong; `packet` is the number in the capture, or None."""

    def __init__(self, packet, text):
        super().__init__(text)
        self.packet, self.text = packet, text


class NoKey(Wrong):
    """The key log lacks the private key that would decide."""


class Report:
    """Collects failures; a message about one thing is kept once."""

    def __init__(self):
        self.failures = []

    def wrong(self, packet, text):
        if (packet, text) not in self.failures:
            self.failures.append((packet, text))

    def attempt(self, action, *arguments):
        """Run an action; what it raises as Wrong becomes a failure. Tell whether it went well."""
        try:
            action(*arguments)
            return True
        except Wrong as error:
            self.wrong(error.packet, error.text)
            return False

    def lines(self):
        """Findings in the order of the packets, then those that have none."""
        for packet, text in sorted(self.failures, key=lambda f: f[0] or float("inf")):
            yield "packet %d: %s" % (packet, text) if packet else text


def exact(t, near):
    """What a T payload says, in units of 2^-32 s since 1970, in the NTP era nearest to a moment; None for COUNTER."""
    if t.ts_type == 2:
        return None
    seconds = int.from_bytes(t.value[:4], "big") - UNIX_TO_NTP
    eras = round((near // SECOND - seconds) / NTP_ERA)  # RFC 3830 section 4.2.8: NTP wraps in 2036
    return (seconds + eras * NTP_ERA << 32) + int.from_bytes(t.value[4:], "big")


def moment(t, near):
    """The same in nanoseconds: two T may have the same."""
    units = exact(t, near)
    return None if units is None else units * SECOND >> 32


def date(nanoseconds, digits):
    """A moment in UTC as YYYYMM, YYYYMMDD or YYYYMMDDHH (P-9)."""
    utc = datetime.datetime.fromtimestamp(nanoseconds // SECOND, datetime.timezone.utc)
    return utc.strftime("%Y%m%d%H")[:digits].encode()
