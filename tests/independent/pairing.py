"""Type-1 curves of RFC 5091 and their modified Tate pairing, in plain integers.

E: y^2 = x^3 + 1 over F_p with p = 11 (mod 12); F_p^2 = F_p(i), i^2 = -1, an element a + bi is the pair (a, b).
A point is a pair (x, y), the point at infinity is None. Nothing here runs in constant time: it only checks.
"""


def on_curve(p, point):
    """Tell whether an affine point lies on E(F_p), with reduced coordinates."""
    x, y = point
    return 0 <= x < p and 0 <= y < p and (y * y - x * x * x - 1) % p == 0


def _double(p, point):
    """Jacobian doubling for a = 0 (RFC 5091 section 3.3.1, checked against the curve equation)."""
    x, y, z = point
    xx, yy = x * x % p, y * y % p
    s = 4 * x * yy % p
    m = 3 * xx % p
    x3 = (m * m - 2 * s) % p
    return x3, (m * (s - x3) - 8 * yy * yy) % p, 2 * y * z % p


def _add_affine(p, point, affine):
    """Jacobian plus affine: returns (sum or None for infinity, slope numerator); the slope is numerator / Z of the sum."""
    x, y, z = point
    xa, ya = affine
    zz = z * z % p
    h = (xa * zz - x) % p
    r = (ya * zz * z - y) % p
    if h == 0:
        return (_double(p, point) if r == 0 else None), None
    hh = h * h % p
    hhh, v = h * hh % p, x * hh % p
    x3 = (r * r - hhh - 2 * v) % p
    return (x3, (r * (v - x3) - y * hhh) % p, z * h % p), r


def affine_of(p, point):
    """Turn a Jacobian point into an affine one."""
    if point is None or point[2] == 0:
        return None
    inverse = pow(point[2], -1, p)
    square = inverse * inverse % p
    return point[0] * square % p, point[1] * square * inverse % p


def multiply(p, scalar, point):
    """[scalar]point on E(F_p) (RFC 5091 section 3.2)."""
    if scalar < 0:
        raise ValueError("negative scalar")
    total = None
    for bit in bin(scalar)[2:] if scalar and point else "":
        if total is not None:
            total = None if total[2] == 0 or total[1] == 0 else _double(p, total)
        if bit == "1":
            total = (point[0], point[1], 1) if total is None else _add_affine(p, total, point)[0]
    return affine_of(p, total)


def mul2(p, u, v):
    """Product in F_p^2; the real part is a0 b0 - a1 b1 (profile section 4, item 3)."""
    return (u[0] * v[0] - u[1] * v[1]) % p, (u[0] * v[1] + u[1] * v[0]) % p


def pow2(p, base, exponent):
    """Power in F_p^2."""
    result = (1, 0)
    for bit in bin(exponent)[2:]:
        result = mul2(p, result, result)
        if bit == "1":
            result = mul2(p, result, base)
    return result


def zeta_of(p):
    """The cube root of unity of the distortion map: (p-1)/2 * (1 + 3^((p+1)/4) i) (profile section 4, item 1)."""
    half = (p - 1) // 2
    return half, half * pow(3, (p + 1) // 4, p) % p


def _times_line(p, f, slope, scale, through, target):
    """f times scale * (y - yT) - slope * (x' - xT): the line through T, scaled by a factor of F_p."""
    (xr, xi), y = target
    real = (scale * (y - through[1]) - slope * (xr - through[0])) % p
    return mul2(p, f, (real, -slope * xi % p))


def _over_vertical(p, f, x, zz, target):
    """f divided by zz * x' - x: times the conjugate, for the norm lies in F_p and vanishes in the final power."""
    xr, xi = target[0]
    return mul2(p, f, ((zz * xr - x) % p, -zz * xi % p))


def miller(p, q, a, target):
    """f_{q,A}(B') up to factors of F_p (RFC 5091 section 3.5.2), by plain doubling and adding over the bits of q."""
    f, t = (1, 0), (a[0], a[1], 1)
    for bit in bin(q)[3:]:
        x, y, z = t
        zz = z * z % p
        f = mul2(p, f, f)
        # Tangent at T, scaled by 2 Y Z^3: 2 Y Z^3 y - 2 Y^2 - 3 X^2 (Z^2 x' - X).
        slope = 3 * x * x % p
        (xr, xi), yb = target
        real = (2 * y * z * zz * yb - 2 * y * y - slope * (zz * xr - x)) % p
        f = mul2(p, f, (real, -slope * zz * xi % p))
        t = _double(p, t)
        f = _over_vertical(p, f, t[0], t[2] * t[2] % p, target)
        if bit == "1":
            total, slope = _add_affine(p, t, a)
            if total is None:
                # T = -A: the line is the vertical at A, and the vertical at infinity is 1 (profile section 4, item 2).
                return mul2(p, f, ((target[0][0] - a[0]) % p, target[0][1]))
            f = _times_line(p, f, slope, total[2], a, target)
            t = total
            f = _over_vertical(p, f, t[0], t[2] * t[2] % p, target)
    raise ValueError("A has not the order q")


def pairing(p, q, a, b):
    """The modified Tate pairing e'(A, B) = e(A, phi(B)) of RFC 5091 section 4.5.2, in F_p^2."""
    if a is None or b is None:
        return 1, 0
    zeta = zeta_of(p)
    target = ((b[0] * zeta[0] % p, b[0] * zeta[1] % p), b[1])
    f = miller(p, q, a, target)
    # The power (p^2 - 1) / q = (p - 1) * (p + 1) / q; f^p is the conjugate.
    conjugate = (f[0], -f[1] % p)
    norm = pow((f[0] * f[0] + f[1] * f[1]) % p, -1, p)
    unit = mul2(p, conjugate, conjugate)
    unit = unit[0] * norm % p, unit[1] * norm % p
    return pow2(p, unit, (p + 1) // q)
