#!/usr/bin/env python3
"""Makes the sets of parameters in this folder, each right but for one thing (RFC 5091 section 5.1.2): the conformance suite
hands them to `parse`. Written with the arithmetic of tests/independent; the same numbers each time.

usage: make.py [--check]     writes the files, or says which of them differ"""
import dataclasses
import os
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.environ.get("IBAKELAB_SOURCE") or os.path.join(HERE, "..", "..", "..")
sys.path.insert(0, os.path.join(SOURCE, "tests", "independent"))

import ibe  # noqa: E402
import pairing  # noqa: E402

SHA_1, SHA_256 = "1.3.14.3.2.26", "2.16.840.1.101.3.4.2.1"
SECRET = 0x1234567


def solinas(bits):
    """Numbers 2^a +- 2^b +- 1 of so many bits."""
    for a in (bits - 1, bits):
        for b in range(1, a):
            for n in (2**a + s * 2**b + t for s in (1, -1) for t in (1, -1)):
                if n.bit_length() == bits:
                    yield n


def field(q, bits):
    """The first prime p = 12 r q - 1 of so many bits."""
    r = 2 ** (bits - 1) // (12 * q) + 1
    while not ibe.probable_prime(12 * r * q - 1):
        r += 1
    return 12 * r * q - 1


def point(p, multiple):
    """[multiple] of the point of the smallest y: x = (y^2 - 1)^((2 p - 1) / 3), since p = 2 (mod 3)."""
    y = 2
    while True:
        made = pairing.multiply(p, multiple, (pow(y * y - 1, (2 * p - 1) // 3, p), y))
        if made:
            return made
        y += 1


def made(p, q, hash_oid=SHA_1, secret=SECRET, multiple=None):
    base = point(p, (p + 1) // q if multiple is None else multiple)
    return ibe.Params(p, q, base, pairing.multiply(p, secret, base), hash_oid)


def broken():
    """Name of the file and parameters."""
    q = next(n for n in solinas(160) if ibe.probable_prime(n))
    composite = next(n for n in solinas(160) if not ibe.probable_prime(n) and n % 2 and n % 3)
    long_q = next(n for n in solinas(224) if ibe.probable_prime(n))
    p = field(q, 512)
    right = made(p, q)
    other = point(p, 1)
    yield "q-not-prime", made(field(composite, 512), composite)
    yield "q-of-another-size", made(field(long_q, 512), long_q)
    yield "hash-of-another-size", dataclasses.replace(right, hash_oid=SHA_256)
    yield "generator-of-other-order", made(p, q, multiple=1)
    yield "public-of-other-order", dataclasses.replace(right, point_ppub=other)
    yield "secret-one", made(p, q, secret=1)
    yield "whole", right


def main():
    wrong = 0
    for name, params in broken():
        if (ibe_refuses(params)) == (name == "whole"):
            sys.exit("%s: the independent reading says otherwise" % name)
        path = os.path.join(HERE, name + ".params.der")
        octets = ibe.params_to_der(params)
        if sys.argv[1:] == ["--check"]:
            same = os.path.exists(path) and open(path, "rb").read() == octets
            wrong += not same
            print("%s %s" % ("ok  " if same else "differs", name))
        else:
            open(path, "wb").write(octets)
    return 1 if wrong else 0


def ibe_refuses(params):
    try:
        ibe.check_params(params)
    except ibe.IbeError:
        return True
    return False


if __name__ == "__main__":
    if sys.argv[1:] not in ([], ["--check"]):
        sys.exit(__doc__)
    sys.exit(main())
