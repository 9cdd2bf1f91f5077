"""TLS 1.3 (RFC 8446) as somebody reads it who has the key log: records, key schedule, Finished, the server's certificate."""

import hmac
import re
from dataclasses import dataclass

from cryptography import x509
from cryptography.exceptions import InvalidSignature, InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM, ChaCha20Poly1305
from cryptography.hazmat.primitives.serialization import Encoding

import certificates
import ip
from findings import Wrong

START = re.compile(rb"[\x15\x16]\x03[\x01-\x03]")
CHANGE_CIPHER_SPEC, ALERT, HANDSHAKE, APPLICATION_DATA = 20, 21, 22, 23
CLIENT_HELLO, SERVER_HELLO, CERTIFICATE, CERTIFICATE_VERIFY, FINISHED, KEY_UPDATE = 1, 2, 11, 15, 20, 24
SERVER_NAME, SUPPORTED_VERSIONS = 0, 43
ECDSA_P256_SHA256 = 0x0403
RETRY = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")  # section 4.1.3
SUITES = {0x1301: (AESGCM, 16, "sha256"), 0x1302: (AESGCM, 32, "sha384"), 0x1303: (ChaCha20Poly1305, 32, "sha256")}
SECRETS = {  # the names in the key log of each direction's handshake and application secrets
    "client": ("CLIENT_HANDSHAKE_TRAFFIC_SECRET", "CLIENT_TRAFFIC_SECRET_0"),
    "server": ("SERVER_HANDSHAKE_TRAFFIC_SECRET", "SERVER_TRAFFIC_SECRET_0"),
}
CONTEXT = b" " * 64 + b"TLS 1.3, server CertificateVerify\0"  # section 4.4.3
CLOSE_NOTIFY = 0
RECORD_MAX = (1 << 14) + 256


class KeyLogError(ValueError):
    """A file that is no TLS key log."""


class KeyLog:
    """tls-keys.log in the NSS format: label, client's random, secret. Without a path it is empty."""

    def __init__(self, path=None):
        self._secrets = {}
        if path is None:
            return
        with open(path, encoding="ascii", errors="backslashreplace") as file:
            for number, line in enumerate(file, 1):
                found = re.fullmatch(r"([A-Z0-9_]+) ([0-9a-f]{64}) ((?:[0-9a-f]{2})+)\n?", line)
                if not found and line.strip() and not line.startswith("#"):
                    raise KeyLogError("%s:%d: not a label, a client's random and a secret" % (path, number))
                if found:
                    self._secrets[found[1], bytes.fromhex(found[2])] = bytes.fromhex(found[3])

    def secret(self, label, random, packet):
        if (label, random) not in self._secrets:
            raise Wrong(packet, "TLS: the TLS key log has no %s of this connection" % label)
        return self._secrets[label, random]


def expand_label(function, secret, label, context, length):
    """HKDF-Expand-Label (section 7.1)."""
    label = b"tls13 " + label
    info = length.to_bytes(2, "big") + bytes([len(label)]) + label + bytes([len(context)]) + context
    out, block, counter = b"", b"", 1
    while len(out) < length:
        block = hmac.digest(secret, block + info + bytes([counter]), function)
        out, counter = out + block, counter + 1
    return out[:length]


class Keys:
    """Opens the records under one traffic secret (section 5.2, 5.3)."""

    def __init__(self, suite, secret):
        self.suite, self.secret, self.sequence = suite, secret, 0
        cipher, length, self.function = suite
        self.cipher = cipher(expand_label(self.function, secret, b"key", b"", length))
        self.iv = expand_label(self.function, secret, b"iv", b"", 12)

    def open(self, record):
        """Content type and content."""
        nonce = bytes(a ^ b for a, b in zip(self.iv, self.sequence.to_bytes(12, "big")))
        self.sequence += 1
        try:
            plain = self.cipher.decrypt(nonce, record.body, record.header).rstrip(b"\0")
        except InvalidTag:
            raise Wrong(record.packet, "TLS: a record does not open") from None
        if not plain:
            raise Wrong(record.packet, "TLS: a record without content type")
        return plain[-1], plain[:-1]

    def next(self):
        """Those after a KeyUpdate (section 7.2)."""
        size = len(self.secret)
        return Keys(self.suite, expand_label(self.function, self.secret, b"traffic upd", b"", size))

    def verify_data(self, transcript):
        """What Finished says (section 4.4.4)."""
        size = len(self.secret)
        key = expand_label(self.function, self.secret, b"finished", b"", size)
        return hmac.digest(key, _hash(self.function, transcript), self.function)


def _hash(function, data):
    context = hashes.Hash({"sha256": hashes.SHA256, "sha384": hashes.SHA384}[function]())
    context.update(data)
    return context.finalize()


@dataclass
class Record:
    kind: int
    header: bytes
    body: bytes
    packet: int
    time: int


def _records(octets):
    """Every whole record of a direction; what follows the last one is cut off."""
    data, at, records = octets.data, 0, []
    while len(data) - at >= 5:
        length = int.from_bytes(data[at + 3 : at + 5], "big")
        end = at + 5 + length
        if data[at + 1] != 3 or length > RECORD_MAX:
            raise Wrong(octets.origin(at + 1)[0], "TLS: no record where one should begin")
        if end > len(data):
            break
        records.append(Record(data[at], data[at : at + 5], data[at + 5 : end], *octets.origin(end)))
        at = end
    return records, len(data) - at


class Direction:
    """What one end sent: `messages` of the handshake with their headers, `alerts`, and `plain`, the octets inside."""

    def __init__(self, octets):
        self.records, self.rest = _records(octets)
        self.messages, self.alerts, self.switches = [], [], []
        self._data, self._starts, self._origins = bytearray(), [], []
        self.last = self.records[-1].packet if self.records else octets.origins[0][0]
        self._hello()

    def _hello(self):
        """The first message, which nothing protects; or an alert in its place."""
        buffer = b""
        while self.records and self.records[0].kind == HANDSHAKE:
            buffer += self.records.pop(0).body
        if buffer and (len(buffer) < 4 or int.from_bytes(buffer[1:4], "big") != len(buffer) - 4):
            raise Wrong(self.last, "TLS: more or less than one message in the clear")
        self.messages += [buffer] * bool(buffer)

    def open(self, handshake, application):
        """Read the records. `handshake` gives the first keys and `application` those after Finished, once a record needs them:
        when the other end has given up, the log may lack them."""
        buffer, keys, source = b"", None, handshake
        for record in self.records:
            if record.kind == CHANGE_CIPHER_SPEC and record.body == b"\1":
                continue  # section D.4
            if record.kind == ALERT and len(record.body) == 2:
                self.alerts.append((record.packet, record.body[1]))
                continue
            if record.kind != APPLICATION_DATA:
                raise Wrong(record.packet, "TLS: a record of type %d in the clear" % record.kind)
            keys = keys or source(record.packet)
            kind, content = keys.open(record)
            if kind == HANDSHAKE:
                buffer, keys = self._handshake(buffer + content, keys, record)
                source = application
            elif kind == ALERT and len(content) == 2:
                self.alerts.append((record.packet, content[1]))
            elif kind == APPLICATION_DATA and self.has(FINISHED):
                self._starts.append(len(self._data))
                self._origins.append((record.packet, record.time))
                self._data += content
            else:
                raise Wrong(record.packet, "TLS: content of type %d does not belong here" % kind)

    def _handshake(self, buffer, keys, record):
        """Take the messages out of a buffer; returns what is left, and the keys of the next record, None after Finished."""
        while len(buffer) >= 4 and len(buffer) - 4 >= int.from_bytes(buffer[1:4], "big"):
            end = 4 + int.from_bytes(buffer[1:4], "big")
            self.messages.append(buffer[:end])
            if buffer[0] in (FINISHED, KEY_UPDATE):
                if end != len(buffer):
                    raise Wrong(record.packet, "TLS: something follows a change of keys in its record")
                self.switches.append(keys)
                keys = None if buffer[0] == FINISHED else keys.next()
            buffer = buffer[end:]
        return buffer, keys

    def has(self, kind):
        return any(message[0] == kind for message in self.messages)

    def before(self, kind):
        """The messages up to the first of a kind, without it, as one piece; and the body of that one."""
        at = [message[0] for message in self.messages].index(kind)
        return b"".join(self.messages[:at]), self.messages[at][4:]

    @property
    def plain(self):
        return ip.Octets(bytes(self._data), self._starts, self._origins)


class Cursor:
    """Vectors of the presentation language (section 3.4)."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, count):
        piece = self.data[self.at : self.at + count]
        if len(piece) != count:
            raise ValueError("%d octets are missing" % (count - len(piece)))
        self.at += count
        return piece

    def number(self, count):
        return int.from_bytes(self.take(count), "big")

    def vector(self, count):
        return self.take(self.number(count))

    def more(self):
        return self.at < len(self.data)


def _hello_of(message, wanted):
    """Random, cipher suite (of a ServerHello) and extensions of a hello."""
    c = Cursor(message)
    if c.number(1) != wanted or c.number(3) != len(message) - 4:
        raise ValueError("no %s" % ("ClientHello" if wanted == CLIENT_HELLO else "ServerHello"))
    c.take(2)
    random = c.take(32)
    c.vector(1)
    if wanted == CLIENT_HELLO:
        suite = None
        c.vector(2)
        c.vector(1)
    else:
        suite = c.number(2)
        c.take(1)
    extensions, inner = {}, Cursor(c.vector(2))
    while inner.more():
        kind = inner.number(2)
        extensions[kind] = inner.vector(2)
    return random, suite, extensions


class Connection:
    """A TLS connection: `client` and `server` are its directions, `name` the server that was asked for, `complete` whether the
    client believed it; raises Wrong."""

    def __init__(self, client, server, log):
        self.client, self.server = Direction(client), Direction(server)
        self.name, self.complete = None, False
        self.packet, self.time = client.origins[0]
        if not self.server.messages:
            return  # the server refused at once
        try:
            self._open(log)
        except (ValueError, IndexError) as error:
            raise Wrong(self.packet, "TLS: %s" % error) from None

    def _open(self, log):
        random, _, offered = _hello_of(self.client.messages[0], CLIENT_HELLO)
        server_random, number, chosen = _hello_of(self.server.messages[0], SERVER_HELLO)
        if server_random == RETRY or chosen.get(SUPPORTED_VERSIONS) != b"\3\4" or number not in SUITES:
            raise ValueError("another version than 1.3, a suite of another one, or HelloRetryRequest")
        self.name = offered[SERVER_NAME][5:].decode("ascii") if SERVER_NAME in offered else None
        suite = SUITES[number]
        for way, names in (self.client, SECRETS["client"]), (self.server, SECRETS["server"]):
            way.open(*(lambda packet, label=label: Keys(suite, log.secret(label, random, packet)) for label in names))
        self._finished()

    def _finished(self):
        """Both Finished, over everything that was said before them."""
        if not self.server.has(FINISHED):
            return
        hello = self.client.messages[0]
        before, said = self.server.before(FINISHED)
        if said != self.server.switches[0].verify_data(hello + before):
            raise Wrong(self.server.last, "TLS: the server's Finished is wrong")
        if not self.client.has(FINISHED):
            return
        whole = hello + before + bytes([FINISHED]) + len(said).to_bytes(3, "big") + said
        mine, said = self.client.before(FINISHED)
        if said != self.client.switches[0].verify_data(whole + mine[len(hello) :]):
            raise Wrong(self.client.last, "TLS: the client's Finished is wrong")
        self.complete = True

    def judge_server(self, anchor):
        """CertificateVerify, and the certificate: its name, the time, and the trust anchor (DER, or None)."""
        try:
            chain = _chain_of(self.server.before(CERTIFICATE)[1])
            self._certificate_verify(x509.load_der_x509_certificate(chain[0]).public_key())
            certificates.check_name(chain[0], self.name)
            certificates.check_chain(chain + [anchor] * bool(anchor), self.time)
        except (certificates.CertificateError, ValueError) as error:
            raise Wrong(self.server.last, "TLS: %s" % error) from None

    def _certificate_verify(self, key):
        before, body = self.server.before(CERTIFICATE_VERIFY)
        c = Cursor(body)
        if c.number(2) != ECDSA_P256_SHA256 or not isinstance(key, ec.EllipticCurvePublicKey):
            raise ValueError("a signature scheme that is not known here")
        function = self.server.switches[0].function
        covered = CONTEXT + _hash(function, self.client.messages[0] + before)
        try:
            key.verify(c.vector(2), covered, ec.ECDSA(hashes.SHA256()))
        except InvalidSignature:
            raise ValueError("CertificateVerify does not verify with the certificate") from None


def _chain_of(body):
    c = Cursor(body)
    c.vector(1)
    entries, chain = Cursor(c.vector(3)), []
    while entries.more():
        chain.append(entries.vector(3))
        entries.vector(2)
    return chain


def read_anchor(path):
    """A PEM file as DER."""
    with open(path, "rb") as file:
        return x509.load_pem_x509_certificate(file.read()).public_bytes(Encoding.DER)
