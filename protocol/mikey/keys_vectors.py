#!/usr/bin/python3
"""Recomputes the key derivation vectors of keys_test.c from RFC 3830 §4.1.2 to §4.1.4 and RFC 6267 §5.1 alone.

Prints them as the test has them; with the name of the test file, checks instead that it holds exactly these.
"""
import hashlib
import hmac
import sys

KINDS = {  # constant, takes a CS ID, takes a CSB ID
    "MPK": (0x220E99A2, False, False),
    "TGK": (0x1F4D675B, False, False),
    "MSG_ENCR": (0x150533E1, False, True),
    "MSG_AUTH": (0x2D22AC75, False, True),
    "MSG_SALT": (0x29B88916, False, True),
    "TEK": (0x2AD01C64, True, True),
    "TGK_AUTH": (0x1B5C7973, True, True),
    "TGK_ENCR": (0x15798CEF, True, True),
    "TGK_SALT": (0x39A2C14B, True, True),
}
HASHES = {"IBK_PRF_MIKEY_1": hashlib.sha1, "IBK_PRF_HMAC_SHA256": hashlib.sha256}


def prf(algorithm, inkey, label, length):
    blocks = [inkey[i:i + 32] for i in range(0, len(inkey), 32)]
    result = bytes(length)
    for block in blocks:
        def mac(data):
            return hmac.new(block, data, algorithm).digest()
        stream, a = b"", label
        while len(stream) < length:
            a = mac(a)
            stream += mac(a + label)
        result = bytes(x ^ y for x, y in zip(result, stream))
    return result


def vectors():
    rand = bytes(range(0x80, 0x90))
    for name, algorithm in HASHES.items():
        for kind, (constant, has_cs_id, has_csb_id) in KINDS.items():
            for inkey_len, out_len in ((16, 14), (32, 32), (65, 100)):
                label = constant.to_bytes(4, "big") + bytes([3 if has_cs_id else 0xFF])
                label += (0xC5B1D001 if has_csb_id else 0xFFFFFFFF).to_bytes(4, "big") + rand
                out = prf(algorithm, bytes(range(0x10, 0x10 + inkey_len)), label, out_len)
                yield f'{{{name}, IBK_DERIVE_{kind}, {inkey_len}, {out_len}, "{out.hex()}"}},'


def main():
    lines = list(vectors())
    if len(sys.argv) == 1:
        print("\n".join("    " + line for line in lines))
        return 0
    with open(sys.argv[1], encoding="utf-8") as file:
        text = "".join(file.read().split()).replace('""', "")
    missing = [line for line in lines if "".join(line.split()) not in text]
    for line in missing:
        print("not in the test:", line, file=sys.stderr)
    return 1 if missing or text.count("{IBK_PRF") != len(lines) else 0


sys.exit(main())
