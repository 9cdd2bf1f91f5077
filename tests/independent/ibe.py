"""Boneh-Franklin identity-based encryption over type-1 curves (RFC 5091), written from the RFC and its errata.

The structures of RFC 5091 section 8 are read and written as strict DER (profile P-2).
"""

import functools
import hashlib
from dataclasses import dataclass

import der
import pairing as tate

TYPE1_CURVE = "2.16.840.1.114334.1.1.1.1"
HASHES = {
    "1.3.14.3.2.26": "sha1",
    "2.16.840.1.101.3.4.2.4": "sha224",
    "2.16.840.1.101.3.4.2.1": "sha256",
    "2.16.840.1.101.3.4.2.2": "sha384",
    "2.16.840.1.101.3.4.2.3": "sha512",
}
# RFC 5091 section 5.1.2: n -> bits of p, bits of q, hash.
SIZES = {
    1024: (512, 160, "1.3.14.3.2.26"),
    2048: (1024, 224, "2.16.840.1.101.3.4.2.4"),
    3072: (1536, 256, "2.16.840.1.101.3.4.2.1"),
    7680: (3840, 384, "2.16.840.1.101.3.4.2.2"),
    15360: (7680, 512, "2.16.840.1.101.3.4.2.3"),
}


class IbeError(ValueError):
    """Parameters, a key or a ciphertext that must be refused."""


@dataclass(frozen=True)
class Params:
    """BFPublicParameters; `hash_oid` names the hash function."""

    p: int
    q: int
    point_p: tuple
    point_ppub: tuple
    hash_oid: str

    def hash(self, data):
        return hashlib.new(HASHES[self.hash_oid], data).digest()

    @property
    def hash_len(self):
        return hashlib.new(HASHES[self.hash_oid]).digest_size


@dataclass(frozen=True)
class Ciphertext:
    """BFCiphertextBlock: U in E(F_p), V as long as the hash, W as long as the plaintext."""

    u: tuple
    v: bytes
    w: bytes


def hash_to_range(s, n, hashfcn):
    """RFC 5091 section 4.1.1; the note that n must be below 2^hashlen is ignored (profile section 4, item 5)."""
    v, h = 0, bytes(len(hashfcn(b"")))
    for _ in range(2):
        h = hashfcn(h + s)
        v = v << 8 * len(h) | int.from_bytes(h, "big")
    return v % n


def hash_bytes(count, seed, hashfcn):
    """RFC 5091 section 4.2.1, looping beyond one hash as P-1 says."""
    key = hashfcn(seed)
    h, out = bytes(len(key)), b""
    while len(out) < count:
        h = hashfcn(h)
        out += hashfcn(h + key)
    return out[:count]


def canonical(p, order, v):
    """RFC 5091 section 4.3.2: the two coordinates at full length; order 0 puts the real part first."""
    length = (p.bit_length() + 7) // 8
    a, b = (c.to_bytes(length, "big") for c in v)
    return a + b if order == 0 else b + a


def hash_to_point(p, q, identity, hashfcn):
    """RFC 5091 section 4.4.2."""
    y = hash_to_range(identity, p, hashfcn)
    x = pow(y * y - 1, (2 * p - 1) // 3, p)
    return tate.multiply(p, (p + 1) // q, (x, y))


@functools.lru_cache(maxsize=64)
def derive_public(params, identity):
    """BFderivePubl, RFC 5091 section 5.2.1: Q_id, which is public and may be kept."""
    return hash_to_point(params.p, params.q, identity, params.hash)


def extract(params, master, identity):
    """BFextractPriv, RFC 5091 section 5.3.1: S_id = [s]Q_id."""
    return tate.multiply(params.p, master, derive_public(params, identity))


def private_key_fits(params, identity, private):
    """Tell whether S_id belongs to the identity: e(P, S_id) = e(P_pub, Q_id)."""
    p, q = params.p, params.q
    if private is None or not tate.on_curve(p, private) or tate.multiply(p, q, private) is not None:
        return False
    public = derive_public(params, identity)
    return tate.pairing(p, q, params.point_p, private) == tate.pairing(p, q, params.point_ppub, public)


def _xor(a, b):
    return bytes(x ^ y for x, y in zip(a, b, strict=True))


def encrypt(params, identity, plaintext, rho):
    """BFencrypt, RFC 5091 section 5.4.1, with the random rho given; returns a Ciphertext."""
    if len(rho) != params.hash_len:
        raise IbeError("rho must be as long as the hash")
    p, q, hashfcn = params.p, params.q, params.hash
    public = derive_public(params, identity)
    scalar = hash_to_range(rho + hashfcn(plaintext), q, hashfcn)
    u = tate.multiply(p, scalar, params.point_p)
    if u is None:
        raise IbeError("l is 0")
    theta = tate.pow2(p, tate.pairing(p, q, params.point_ppub, public), scalar)
    v = _xor(hashfcn(canonical(p, 0, theta)), rho)
    return Ciphertext(u, v, _xor(hash_bytes(len(plaintext), rho, hashfcn), plaintext))


def decrypt(params, private, ciphertext):
    """BFdecrypt, RFC 5091 section 5.5.1; raises IbeError unless U = [l]P."""
    p, q, hashfcn = params.p, params.q, params.hash
    u = ciphertext.u
    if len(ciphertext.v) != params.hash_len:
        raise IbeError("V has the wrong length")
    if not tate.on_curve(p, u) or tate.multiply(p, q, u) is not None:
        raise IbeError("U is not a point of order q")
    theta = tate.pairing(p, q, u, private)
    rho = _xor(hashfcn(canonical(p, 0, theta)), ciphertext.v)
    plaintext = _xor(hash_bytes(len(ciphertext.w), rho, hashfcn), ciphertext.w)
    scalar = hash_to_range(rho + hashfcn(plaintext), q, hashfcn)
    if tate.multiply(p, scalar, params.point_p) != u:
        raise IbeError("U is not [l]P: the ciphertext is not for this key, or was changed")
    return plaintext


def probable_prime(n):
    """Miller-Rabin with the first primes as bases (fixed inputs that nobody made to deceive this check)."""
    if n < 2:
        return False
    bases = (2, 3, 5, 7, 11, 13, 17, 19, 23, 29, 31, 37)
    for b in bases:
        if n % b == 0:
            return n == b
    odd, twos = n - 1, 0
    while odd % 2 == 0:
        odd, twos = odd // 2, twos + 1
    for b in bases:
        x = pow(b, odd, n)
        if x not in (1, n - 1):
            for _ in range(twos - 1):
                x = x * x % n
                if x == n - 1:
                    break
            else:
                return False
    return True


def is_solinas(q):
    """Tell whether q = 2^a +- 2^b +- 1 (RFC 5091 section 5.1.2, step 3a)."""
    for c in (1, -1):
        rest = q - c
        for a in (q.bit_length() - 1, q.bit_length()):
            b = abs(rest - (1 << a))
            if b and b & (b - 1) == 0:
                return True
    return False


def check_params(params):
    """Refuse parameters that are not of RFC 5091 section 5.1.2; returns n."""
    p, q = params.p, params.q
    for n, (bits_p, bits_q, hash_oid) in SIZES.items():
        if (p.bit_length(), q.bit_length(), params.hash_oid) == (bits_p, bits_q, hash_oid):
            break
    else:
        raise IbeError("%d-bit p with %d-bit q and this hash is no set of RFC 5091" % (p.bit_length(), q.bit_length()))
    if (p + 1) % (12 * q) or not is_solinas(q):
        raise IbeError("p is not 12 r q - 1 with a Solinas q")
    if not probable_prime(q) or not probable_prime(p):
        raise IbeError("p or q is not prime")
    for name, point in (("P", params.point_p), ("P_pub", params.point_ppub)):
        if not tate.on_curve(p, point) or tate.multiply(p, q, point) is not None:
            raise IbeError(name + " is not a point of order q")
    if params.point_p == params.point_ppub:
        raise IbeError("P_pub is P: the master secret is 1, which step 5 excludes")
    return n


def _point(reader):
    inner = reader.sequence()
    point = inner.integer(), inner.integer()
    inner.end()
    return point


def _open(data):
    outer = der.Reader(data)
    inner = outer.sequence()
    outer.end()
    if inner.integer() != 2:
        raise IbeError("version is not 2")
    return inner


def _point_der(point):
    return der.sequence(der.integer(point[0]), der.integer(point[1]))


def params_from_der(data):
    """Read BFPublicParameters; does not run check_params."""
    r = _open(data)
    if r.oid() != TYPE1_CURVE:
        raise IbeError("not a type-1 curve")
    params = Params(r.integer(), r.integer(), _point(r), _point(r), r.oid())
    r.end()
    if params.hash_oid not in HASHES:
        raise IbeError("unknown hash function")
    return params


def params_to_der(params):
    return der.sequence(
        der.integer(2), der.oid(TYPE1_CURVE), der.integer(params.p), der.integer(params.q),
        _point_der(params.point_p), _point_der(params.point_ppub), der.oid(params.hash_oid),
    )  # fmt: skip


def private_from_der(data):
    """Read BFPrivateKeyBlock."""
    r = _open(data)
    point = _point(r)
    r.end()
    return point


def private_to_der(point):
    return der.sequence(der.integer(2), _point_der(point))


def master_from_der(data):
    """Read BFMasterSecret."""
    r = _open(data)
    s = r.integer()
    r.end()
    return s


def master_to_der(secret):
    return der.sequence(der.integer(2), der.integer(secret))


def ciphertext_from_der(data):
    """Read BFCiphertextBlock."""
    r = _open(data)
    ciphertext = Ciphertext(_point(r), r.octet_string(), r.octet_string())
    r.end()
    return ciphertext


def ciphertext_to_der(ciphertext):
    return der.sequence(
        der.integer(2), _point_der(ciphertext.u), der.octet_string(ciphertext.v), der.octet_string(ciphertext.w)
    )
