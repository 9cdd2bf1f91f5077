"""Who we are: parameters, private keys, settings, clock and replay cache, which all sessions of a node share."""
from collections import namedtuple
from dataclasses import dataclass, field
import secrets

from . import library  # noqa: F401
import der
import findings
import ibe
import mikey

from . import messages

Identity = namedtuple("Identity", "id_type data")
Domain = namedtuple("Domain", "params serves digits")  # serves: ID data, or suffixes that begin with "@"
MILLISECOND = 10**6


class Refused(Exception):
    """What was asked or received is not taken; `error` is a class of IUT.md section 7, `tell` the error number that the
    peer is to be told, `answer` the Error message that tells it."""

    def __init__(self, error, detail, tell=None):
        super().__init__(detail)
        self.error, self.tell, self.answer = error, tell, None


@dataclass
class Policy:
    timestamp: int = messages.NTP_UTC
    timestamps: tuple = (0, 1, 2, 3)
    counter: int = 0
    prf: int = 0
    prfs: tuple = (0, 1)
    mac: int = None  # None: the one that fits the PRF
    macs: tuple = (1, 2)
    curve: int = 8
    curves: tuple = (8, 11, 14)
    errors: bool = True  # whether the peer is told of parameters that we do not support
    accept_responders: str = "none"
    accept_initiators: tuple = None  # None: everybody
    csb_ids_in_use: tuple = ()
    skew_ms: int = 300000
    replay_entries: int = 4096
    timeout_ms: int = 32000


@dataclass
class Node:
    domains: list
    private: dict  # IBE identity -> private key
    policy: Policy
    utc_ms: int
    timer_ms: int
    sessions: dict = field(default_factory=dict)
    seen: dict = field(default_factory=dict)  # (who, type and value of T) -> its moment, None for COUNTER
    counters: dict = field(default_factory=dict)  # who -> the last COUNTER that counted
    last_stamp: int = 0

    # Clock

    @property
    def now(self):
        return self.utc_ms * MILLISECOND

    @property
    def skew(self):
        return self.policy.skew_ms * MILLISECOND

    def fresh_t(self):
        """A T that no message of ours had before (RFC 3830 section 5.4): a little ahead of the clock if it stood still."""
        self.policy.counter += 1
        step = findings.SECOND if self.policy.timestamp == messages.NTP_UTC_32 else MILLISECOND
        self.last_stamp = max(self.now, self.last_stamp + step)
        if self.last_stamp > self.now + self.skew // 2:
            raise Refused("policy", "no T is left that is near enough to the clock")
        return messages.stamp(self.policy.timestamp, self.last_stamp, self.policy.counter)

    def fresh_csb_id(self):
        """RFC 3830 section 6.1: random, and not in use with a peer."""
        while True:
            number = secrets.randbits(32)
            if number not in self.policy.csb_ids_in_use and all(number != s.csb_id for s in self.sessions.values()):
                return number

    # Replay (RFC 3830 section 5.4, P-15)

    def check_t(self, who, t):
        """The type of T is accepted, it lies within the skew, and did not count before."""
        if t.ts_type not in self.policy.timestamps:
            raise Refused("unsupported", "the type of T is not accepted")
        said = findings.moment(t, self.now)
        if said is None:
            if int.from_bytes(t.value, "big") <= self.counters.get(who, -1):
                raise Refused("replay", "COUNTER is not above the last one")
        elif abs(said - self.now) > self.skew:
            raise Refused("clock", "T is outside the allowed skew")
        elif (who, t.ts_type, t.value) in self.seen:
            raise Refused("replay", "T was received before")

    def remember_t(self, who, t):
        said = findings.moment(t, self.now)
        if said is None:
            self.counters[who] = int.from_bytes(t.value, "big")
            return
        self.seen = {key: moment for key, moment in self.seen.items() if abs(moment - self.now) <= self.skew}
        if len(self.seen) >= self.policy.replay_entries:
            raise Refused("policy", "the replay cache is full")
        self.seen[who, t.ts_type, t.value] = said

    # Identity-based encryption

    def domain_of(self, data):
        for domain in self.domains:
            for end in domain.serves:
                if data == end or end.startswith(b"@") and data.endswith(end):
                    return domain
        raise Refused("no-key", "no parameters are known for this identity")

    def seal(self, data, plain):
        """DER BFCiphertextBlock for the identity of today (P-2, P-9)."""
        domain = self.domain_of(data)
        rho = secrets.token_bytes(domain.params.hash_len)
        return ibe.ciphertext_to_der(ibe.encrypt(domain.params, data + findings.date(self.now, domain.digits), plain, rho))

    def open(self, data, octets, t):
        """The content of an IBE payload, with the key of the date that T says, or of one within the skew of our clock."""
        domain = self.domain_of(data)
        moments = [findings.moment(t, self.now), self.now, self.now - self.skew, self.now + self.skew]
        names = dict.fromkeys(data + findings.date(m, domain.digits) for m in moments if m is not None)
        held = [self.private[name] for name in names if name in self.private]
        if not held:
            raise Refused("no-key", "there is no private key for this identity and date")
        try:
            ciphertext = ibe.ciphertext_from_der(octets)
        except (der.DerError, ibe.IbeError) as error:
            raise Refused("encoding", str(error)) from None
        for key in held:
            try:
                return mikey.parse_inner(ibe.decrypt(domain.params, key, ciphertext))
            except ibe.IbeError as error:
                failure = error
            except mikey.MikeyError as error:
                raise refusal_of(error) from None
        raise Refused("decryption", str(failure))


def refusal_of(error):
    """A MikeyError as a refusal."""
    return Refused("unsupported" if isinstance(error, mikey.Unsupported) else "malformed", str(error))
