"""Key derivation, payload encryption and MACs of MIKEY (RFC 3830 section 4.1, 4.2; RFC 6043 section 6.1; RFC 6267)."""

import hmac

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

HASHES = {0: "sha1", 1: "sha256"}  # PRF function of HDR
PRF_LENGTHS = {0: 20, 1: 32}
MACS = {1: ("sha1", 20), 2: ("sha256", 32)}
AES_KW_128 = 2
ENCRYPTION_KEYS = {1: 16, 2: 16, 3: 32}  # AES-CM-128, AES-KW-128, AES-CM-256
TGK_LENGTH = 32  # P-6

FROM_SESSION = {"MPK": 0x220E99A2, "TGK": 0x1F4D675B}  # RFC 6267 table 1
FROM_SHARED = {"encryption": 0x150533E1, "authentication": 0x2D22AC75, "salt": 0x29B88916}  # RFC 3830 section 4.1.4
FROM_TGK = {"TEK": 0x2AD01C64, "SALT": 0x39A2C14B}  # RFC 3830 section 4.1.3


class DerivationError(ValueError):
    """An algorithm that is not known, or octets that a key does not open."""


def prf(function, key, label, length):
    """RFC 3830 section 4.1.2: blocks of 256 bits of the key, with either hash."""
    if function not in HASHES:
        raise DerivationError("PRF function %d is not known" % function)
    hash_name, out = HASHES[function], bytes(length)
    for at in range(0, len(key), 32):
        block = key[at : at + 32]
        stream, a = b"", label
        while len(stream) < length:
            a = hmac.digest(block, a, hash_name)
            stream += hmac.digest(block, a + label, hash_name)
        out = bytes(x ^ y for x, y in zip(out, stream[:length]))
    return out


def _label(constant, cs_id, csb_id, rand):
    return constant.to_bytes(4, "big") + bytes([cs_id]) + csb_id + rand


def from_session(what, function, k_session, rand):
    """MPK or TGK from K_SESSION (RFC 6267 section 5.1, P-6)."""
    length = PRF_LENGTHS.get(function, 0) if what == "MPK" else TGK_LENGTH
    return prf(function, k_session, _label(FROM_SESSION[what], 0xFF, b"\xff" * 4, rand), length)


def from_shared(what, function, key, csb_id, rand, length):
    """A key for a message, from PSK or MPK."""
    return prf(function, key, _label(FROM_SHARED[what], 0xFF, csb_id, rand), length)


def from_tgk(what, function, tgk, cs_id, csb_id, rand, length):
    """TEK or SALT of a crypto session."""
    return prf(function, tgk, _label(FROM_TGK[what], cs_id, csb_id, rand), length)


def authentication_key(function, key, csb_id, rand, mac_algorithm):
    """The key of V: as long as its MAC (RFC 3830 section 4.2.4)."""
    if mac_algorithm not in MACS:
        raise DerivationError("MAC algorithm %d does not protect anything" % mac_algorithm)
    return from_shared("authentication", function, key, csb_id, rand, MACS[mac_algorithm][1])


def mac(algorithm, key, data):
    return hmac.digest(key, data, MACS[algorithm][0])


def mac_input(message, identities):
    """What V covers: the message up to its MAC, without ESK, then the identities' octets (RFC 6267 section 5.4)."""
    v = message.payloads[-1]
    covered = message.raw[: v.mac_at]
    for esk in [p for p in message.payloads if p.type == 23]:
        covered = covered[: esk.at] + covered[esk.end :]
    return covered + b"".join(identities)


def ctr(key, counter, data):
    """AES in counter mode from a first counter block of 16 octets."""
    context = Cipher(algorithms.AES(key), modes.CTR(counter)).encryptor()
    return context.update(data) + context.finalize()


def timestamp_64(t):
    """RFC 3830 section 6.6: COUNTER is padded at the left, NTP-UTC-32 (RFC 6043) at the right."""
    return bytes(4) + t.value if t.ts_type == 2 else t.value + bytes(8 - len(t.value))


def unwrap(key, initial, data):
    """AES key unwrap (RFC 3394 section 2.2.2) with an initial value of its own."""
    if len(data) % 8 or len(data) < 24:
        raise DerivationError("AES key wrap: %d octets" % len(data))
    context = Cipher(algorithms.AES(key), modes.ECB()).decryptor()
    a, blocks = data[:8], [data[at : at + 8] for at in range(8, len(data), 8)]
    for t in range(6 * len(blocks), 0, -1):
        i = (t - 1) % len(blocks)
        block = context.update((int.from_bytes(a, "big") ^ t).to_bytes(8, "big") + blocks[i])
        a, blocks[i] = block[:8], block[8:]
    if a != initial:
        raise DerivationError("AES key wrap does not open")
    return b"".join(blocks)


def open_kemac(kemac, function, key, csb_id, rand, t):
    """Decrypt the data of KEMAC with keys from PSK (RFC 3830 section 4.2.3). AES key wrap leaves its padding behind."""
    if kemac.algorithm not in ENCRYPTION_KEYS:
        raise DerivationError("encryption algorithm %d is not known" % kemac.algorithm)
    encryption = from_shared("encryption", function, key, csb_id, rand, ENCRYPTION_KEYS[kemac.algorithm])
    salt = from_shared("salt", function, key, csb_id, rand, 14)
    if kemac.algorithm == AES_KW_128:
        return unwrap(encryption, salt[:8], kemac.data)  # the initial value is a salt of 64 bits
    mask = bytes(2) + csb_id + timestamp_64(t)
    counter = bytes(x ^ y for x, y in zip(salt, mask)) + bytes(2)
    return ctr(encryption, counter, kemac.data)
