#!/usr/bin/python3
"""Recomputes, from RFC 6267 §5.1 to §5.3, RFC 3830 §4.1 and FIPS 186-4 alone, what update_test.c and esk_test.c
hold as known answers: the keys of an exchange and of the CSB update after it, and the keys of content under an SK
(P-22). Its arguments are the two files.
"""
import hashlib
import hmac
import re
import sys

P = 2**256 - 2**224 + 2**192 + 2**96 - 1
G = (0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
     0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5)
MPK, TGK, AUTH, TEK, SALT = 0x220E99A2, 0x1F4D675B, 0x2D22AC75, 0x2AD01C64, 0x39A2C14B
HASHES = (hashlib.sha1, hashlib.sha256)  # PRF 0 and 1


def add(a, b):
    if a is None or b is None:
        return b if a is None else a
    if a[0] == b[0]:
        if (a[1] + b[1]) % P == 0:
            return None
        slope = 3 * (a[0] * a[0] - 1) * pow(2 * a[1], -1, P) % P  # a = -3
    else:
        slope = (b[1] - a[1]) * pow(b[0] - a[0], -1, P) % P
    x = (slope * slope - a[0] - b[0]) % P
    return x, (slope * (a[0] - x) - a[1]) % P


def multiply(k, point):
    result = None
    while k:
        if k & 1:
            result = add(result, point)
        point = add(point, point)
        k >>= 1
    return result


def prf(algorithm, inkey, label, length):
    result = bytes(length)
    for i in range(0, len(inkey), 32):
        block, stream, a = inkey[i:i + 32], b"", label
        while len(stream) < length:
            a = hmac.new(block, a, algorithm).digest()
            stream += hmac.new(block, a + label, algorithm).digest()
        result = bytes(x ^ y for x, y in zip(result, stream))
    return result


def label(constant, cs_id, csb_id, rand):
    return constant.to_bytes(4, "big") + bytes([cs_id]) + csb_id.to_bytes(4, "big") + rand


def exchange(algorithm, csb_id, rand, x, y):
    """auth_key, and TEK and salt of crypto session 1, from the secrets of one pair of ECDH values."""
    shared = multiply(x, multiply(y, G))
    k_session = b"\x04" + shared[0].to_bytes(32, "big") + shared[1].to_bytes(32, "big")
    size = algorithm().digest_size
    mpk = prf(algorithm, k_session, label(MPK, 0xFF, 0xFFFFFFFF, rand), size)
    tgk = prf(algorithm, k_session, label(TGK, 0xFF, 0xFFFFFFFF, rand), 32)
    return (prf(algorithm, mpk, label(AUTH, 0xFF, csb_id, rand), size),
            prf(algorithm, tgk, label(TEK, 1, csb_id, rand), 16), prf(algorithm, tgk, label(SALT, 1, csb_id, rand), 14))


def check_updates(text):
    """known(prf, csb, rand, x, y, auth, tek, salt): every update has the CSB ID and RAND of the first exchange."""
    rows = re.findall(r'\{(\d), (0x[0-9a-f]{8}), ((?:"[0-9a-f]*",?\s*){6})\}', text)
    good = 0
    for number, csb_id, rest in rows:
        rand, x, y, *told = (bytes.fromhex(h) for h in re.findall(r'"([0-9a-f]*)"', re.sub(r'"\s+"', "", rest)))
        made = exchange(HASHES[int(number)], int(csb_id, 16), rand, int.from_bytes(x, "big"), int.from_bytes(y, "big"))
        good += list(made) == told
    return len(rows) >= 6 and good == len(rows)


def check_sk(text):
    rows = re.findall(r'sk_keys\((\d+), (\d+), (\d+), "([0-9a-f]+)", "([0-9a-f]+)"\);', text)
    good = 0
    for size, first, cs_id, tek, salt in rows:
        sk = bytes(int(first) + i for i in range(int(size)))
        made = [prf(hashlib.sha256, sk, label(c, int(cs_id), 0xFFFFFFFF, b""), n).hex() for c, n in ((TEK, 16), (SALT, 14))]
        good += made == [tek, salt]
    return len(rows) >= 3 and good == len(rows)


def main():
    with open(sys.argv[1], encoding="utf-8") as file:
        updates = check_updates(file.read())
    with open(sys.argv[2], encoding="utf-8") as file:
        content = check_sk(file.read())
    print("updates:", "right" if updates else "WRONG", "content under an SK:", "right" if content else "WRONG")
    return 0 if updates and content else 1


sys.exit(main())
