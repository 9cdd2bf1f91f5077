"""The NIST curves y^2 = x^3 - 3x + b over F_p (FIPS 186-4, SEC 1), in plain integers. Not in constant time."""

from dataclasses import dataclass


class EcError(ValueError):
    """Octets that are no point of the curve."""


@dataclass(frozen=True)
class Curve:
    name: str
    p: int
    b: int
    n: int
    g: tuple

    @property
    def size(self):
        """Octets of a coordinate."""
        return (self.p.bit_length() + 7) // 8

    def __post_init__(self):
        if not on_curve(self, self.g) or multiply(self, self.n - 1, self.g) != (self.g[0], self.p - self.g[1]):
            raise EcError("the constants of %s are wrong" % self.name)


def on_curve(curve, point):
    x, y = point
    return 0 <= x < curve.p and 0 <= y < curve.p and (y * y - x * x * x + 3 * x - curve.b) % curve.p == 0


def _double(p, point):
    x, y, z = point
    yy, zz = y * y % p, z * z % p
    s, m = 4 * x * yy % p, 3 * (x - zz) * (x + zz) % p
    x3 = (m * m - 2 * s) % p
    return x3, (m * (s - x3) - 8 * yy * yy) % p, 2 * y * z % p


def _add(p, point, affine):
    """Jacobian plus affine; infinity has Z = 0."""
    x, y, z = point
    if z == 0:
        return affine[0], affine[1], 1
    zz = z * z % p
    h, r = (affine[0] * zz - x) % p, (affine[1] * zz * z - y) % p
    if h == 0:
        return _double(p, point) if r == 0 else (1, 1, 0)
    hh = h * h % p
    hhh, v = h * hh % p, x * hh % p
    x3 = (r * r - hhh - 2 * v) % p
    return x3, (r * (v - x3) - y * hhh) % p, z * h % p


def multiply(curve, scalar, point):
    """[scalar]point, None for the point at infinity."""
    p, total = curve.p, (1, 1, 0)
    for bit in bin(scalar)[2:]:
        total = _double(p, total)
        if bit == "1":
            total = _add(p, total, point)
    if total[2] == 0:
        return None
    inverse = pow(total[2], -1, p)
    square = inverse * inverse % p
    return total[0] * square % p, total[1] * square * inverse % p


def encode(curve, point):
    """SEC 1 uncompressed octets (P-5)."""
    return b"\4" + point[0].to_bytes(curve.size, "big") + point[1].to_bytes(curve.size, "big")


def decode(curve, octets):
    """Read SEC 1 octets, compressed or not; infinity and points off the curve are refused (P-3)."""
    size = curve.size
    if octets[:1] == b"\4" and len(octets) == 1 + 2 * size:
        point = int.from_bytes(octets[1 : 1 + size], "big"), int.from_bytes(octets[1 + size :], "big")
    elif octets[:1] in (b"\2", b"\3") and len(octets) == 1 + size and curve.p % 4 == 3:
        x = int.from_bytes(octets[1:], "big")
        y = pow(x * x * x - 3 * x + curve.b, (curve.p + 1) // 4, curve.p)
        point = x, y if y & 1 == octets[0] & 1 else curve.p - y
    else:
        raise EcError("no SEC 1 point of " + curve.name)
    if not on_curve(curve, point):
        raise EcError("a point that is not on " + curve.name)
    return point


P256 = Curve(
    "P-256",
    2**256 - 2**224 + 2**192 + 2**96 - 1,
    0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B,
    0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551,
    (
        0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
        0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
    ),
)
P384 = Curve(
    "P-384",
    2**384 - 2**128 - 2**96 + 2**32 - 1,
    0xB3312FA7E23EE7E4988E056BE3F82D19181D9C6EFE8141120314088F5013875AC656398D8A2ED19D2A85C8EDD3EC2AEF,
    0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFC7634D81F4372DDF581A0DB248B0A77AECEC196ACCC52973,
    (
        0xAA87CA22BE8B05378EB1C71EF320AD746E1D3B628BA79B9859F741E082542A385502F25DBF55296C3A545E3872760AB7,
        0x3617DE4A96262C6F5D9E98BF9292DC29F8F41DBD289A147CE9DA3113B5F0B8C00A60B1CE1D7E819D7A431D7C90EA0E5F,
    ),
)
P521 = Curve(
    "P-521",
    2**521 - 1,
    0x0051953EB9618E1C9A1F929A21A0B68540EEA2DA725B99B315F3B8B489918EF109E156193951EC7E937B1652C0BD3BB1BF073573DF883D2C34F1EF451FD46B503F00,
    0x01FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFA51868783BF2F966B7FCC0148F709A5D03BB5C9B8899C47AEBB6FB71E91386409,
    (
        0x00C6858E06B70404E9CD9E3ECB662395B4429C648139053FB521F828AF606B4D3DBAA14B5E77EFE75928FE1DC127A2FFA8DE3348B3C1856A429BF97E7E31C2E5BD66,
        0x011839296A789A3BC0045C8A5FB42C7D1BD998F54449579B446817AFBD17273E662C97EE72995EF42640C550B9013FAD0761353C7086A272C24088BE94769FD16650,
    ),
)
CURVES = {8: P256, 11: P384, 14: P521}  # by the ECC curve number of ECCPT
