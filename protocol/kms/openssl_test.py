#!/usr/bin/python3
"""The openssl command alone judges REQUEST_KEY_PKE (chain, SIGN, CHASH, PKE) and the structures of RFC 5408.

usage: openssl_test.py OPENSSL_FILES   the program that writes them

The walk through the message is this script's own: RFC 3830 section 6, RFC 6267 section 5.4.
"""
import hashlib
import pathlib
import subprocess
import sys
import tempfile

NOON = "1795521600"  # 2026-11-24T12:00:00Z
USERS = [b"sip:alice@home.example", b"tel:+15550100"]
KMS = b"kms.home.example"
PADDINGS = [["rsa_padding_mode:pkcs1"],
            ["rsa_padding_mode:oaep", "rsa_oaep_md:sha1", "rsa_mgf1_md:sha1"],
            ["rsa_padding_mode:oaep", "rsa_oaep_md:sha256", "rsa_mgf1_md:sha256"]]


def openssl(*arguments, expect=0):
    run = subprocess.run(["openssl", *map(str, arguments)], capture_output=True, check=False)
    if (run.returncode == 0) != (expect == 0):
        sys.exit("openssl %s: status %d\n%s%s" % (" ".join(map(str, arguments)), run.returncode,
                                                  run.stdout.decode(errors="replace"), run.stderr.decode()))
    return run.stdout


def walk(message):
    """Payloads as (type, content without next payload); SIGN as (4, (type, signature))."""
    assert message[0] == 1 and message[1] == 20, "not version 1, REQUEST_KEY_PKE"
    assert message[8] == 0 and message[9] == 1, "#CS and map"
    kind, at, found = message[2], 10, []
    while kind:
        if kind == 4:
            head = int.from_bytes(message[at:at + 2], "big")
            assert at + 2 + (head & 0xFFF) == len(message), "SIGN is the last"
            found.append((4, (head >> 12, message[at + 2:])))
            break
        here, kind, at = kind, message[at], at + 1
        if here == 5:
            size = 1 + 8
        elif here == 11:
            size = 1 + message[at]
        elif here == 14:
            size = 4 + int.from_bytes(message[at + 2:at + 4], "big")
        elif here == 7:
            size = 3 + int.from_bytes(message[at + 1:at + 3], "big")
        elif here == 8:
            size = 1 + {0: 20, 2: 32}[message[at]]
        elif here == 2:
            size = 2 + (int.from_bytes(message[at:at + 2], "big") & 0x3FFF)
        else:
            sys.exit("payload %d" % here)
        found.append((here, message[at:at + size]))
        at += size
    return found


def pem(directory, name, der):
    path = directory / (name + ".der")
    path.write_bytes(der)
    out = directory / (name + ".pem")
    openssl("x509", "-inform", "DER", "-in", path, "-out", out)
    return out


def check_chain(d, certificates):
    leaf = pem(d, "leaf", certificates[0])
    others = d / "others.pem"
    others.write_bytes(b"".join(pem(d, "other%d" % i, der).read_bytes() for i, der in enumerate(certificates[1:])))
    root, stranger = (pem(d, name + "-pem", (d / (name + ".der")).read_bytes()) for name in ("root", "stranger"))
    rules = ["-attime", NOON, "-purpose", "sslclient", "-auth_level", "2", "-no-CApath", "-no-CAstore"]
    openssl("verify", *rules, "-CAfile", root, "-untrusted", others, leaf)
    openssl("verify", *rules, "-CAfile", stranger, "-untrusted", others, leaf, expect=1)
    openssl("verify", *rules, "-CAfile", root, leaf, expect=1)  # the intermediate ones are needed
    names = openssl("x509", "-in", leaf, "-noout", "-ext", "subjectAltName").decode()
    for user in USERS:
        assert "URI:" + user.decode() in names, names
    key = d / "leaf.pub"
    key.write_bytes(openssl("x509", "-in", leaf, "-noout", "-pubkey"))
    return key


def check_sign(d, message, key, kind, signature):
    (d / "signature").write_bytes(signature)
    options = ["-sigopt", "rsa_padding_mode:pkcs1"]
    if kind == 1:
        options = ["-sigopt", "rsa_padding_mode:pss", "-sigopt", "rsa_pss_saltlen:digest"]
    covered = message[:-len(signature)] + b"".join(USERS) + KMS
    for name, octets, status in (("covered", covered, 0), ("bare", message[:-len(signature)], 1),
                                 ("swapped", covered[:-len(KMS)] + KMS[::-1], 1),
                                 ("changed", bytes([covered[0]]) + bytes([covered[1] ^ 1]) + covered[2:], 1)):
        (d / name).write_bytes(octets)
        openssl("dgst", "-sha256", *options, "-verify", key, "-signature", d / "signature", d / name, expect=status)


def check_request(d, kind, padding):
    name = "request-%d-%d" % (kind, padding)
    message = (d / (name + ".mikey")).read_bytes()
    payloads = walk(message)
    assert [p[0] for p in payloads] == [5, 11, 14, 14, 7, 7, 7, 14, 8, 2, 4], payloads
    ids = [(p[1][0], p[1][4:]) for p in payloads if p[0] == 14]
    assert ids == [(1, USERS[0]), (1, USERS[1]), (3, KMS)], ids
    certificates = [p[1][3:] for p in payloads if p[0] == 7]
    assert all(p[1][0] == 0 for p in payloads if p[0] == 7), "X.509v3"
    sign = payloads[-1][1]
    assert sign[0] == kind, sign
    check_sign(d, message, check_chain(d, certificates), *sign)
    chash = payloads[8][1]
    assert chash == b"\2" + hashlib.sha256((d / "kms.der").read_bytes()).digest(), "CHASH"
    pke = payloads[9][1]
    assert pke[0] >> 6 == 0, "C: no cache"
    (d / "pke").write_bytes(pke[2:])
    options = [word for option in PADDINGS[padding] for word in ("-pkeyopt", option)]
    opened = openssl("pkeyutl", "-decrypt", "-inkey", d / "kms.key.der", "-keyform", "DER", "-in", d / "pke", *options)
    assert opened == (d / (name + ".envelope")).read_bytes() and len(opened) == 32, "the envelope key"


def lines_of(d, name, *options):
    """The lines of asn1parse: depth, tag and value."""
    text = openssl("asn1parse", "-inform", "DER", "-in", d / name, *options).decode()
    found = []
    for line in text.splitlines():
        left, _, rest = line.partition(": ")
        depth = int(left.split("d=")[1].split()[0])
        tag, _, value = rest.partition(":")
        found.append((depth, tag.strip(), value.strip()))
    return found


def check_publication(d):
    bf = "2.16.840.1.114334.1.1.2.1"
    uuid_type = "2.25.178589645431819367033353099214067284642.1"
    params = lines_of(d, "sysparams.der")
    shape = [(depth, tag.split("[")[0].strip()) for depth, tag, _ in params]
    assert shape == [(0, "SEQUENCE"), (1, "INTEGER"), (1, "IA5STRING"), (1, "INTEGER"),
                     (1, "SEQUENCE"), (2, "GENERALIZEDTIME"), (2, "GENERALIZEDTIME"),
                     (1, "SEQUENCE"), (2, "SEQUENCE"), (3, "OBJECT"), (3, "OCTET STRING"),
                     (1, "OBJECT"), (1, "SEQUENCE"), (2, "SEQUENCE"), (3, "OBJECT"),
                     (3, "OCTET STRING")], shape
    values = [value for _, _, value in params]
    assert values[1:4] == ["02", "https://kms.home.example/parameters", "012C"], values
    assert values[5:7] == ["20261124000000Z", "20261223235959Z"], values
    assert values[9] == bf and values[11] == uuid_type and values[14] == "2.16.840.1.114334.1.3.2.1", values
    text = openssl("asn1parse", "-inform", "DER", "-in", d / "sysparams.der").decode()
    data = [int(line.split(":")[0]) for line in text.splitlines() if "OCTET STRING" in line]
    inner = lines_of(d, "sysparams.der", "-strparse", data[0])
    assert [t.split("[")[0].strip() for _, t, _ in inner[:5]] == \
        ["SEQUENCE", "INTEGER", "OBJECT", "INTEGER", "INTEGER"], inner
    assert lines_of(d, "sysparams.der", "-strparse", data[1])[0][1:] == \
        ("IA5STRING", "https://kms.home.example/key"), "pkgURI"
    identity = lines_of(d, "identity.der")
    assert [t for _, t, _ in identity][0] == "SEQUENCE" and len(identity) == 5, identity
    assert identity[1][2] == "https://kms.home.example/parameters" and identity[2][2] == "012C", identity
    assert identity[3][2] == uuid_type, identity
    assert USERS[0] + b"20261124" in (d / "identity.der").read_bytes()
    reply = lines_of(d, "reply.der")
    assert (d / "identity.der").read_bytes() in (d / "reply.der").read_bytes(), "pkgIdentity is IBEIdentityInfo"
    assert reply[6][2] == bf and reply[7][1].startswith("OCTET STRING") and len(reply) == 8, reply


def main():
    with tempfile.TemporaryDirectory() as name:
        d = pathlib.Path(name)
        subprocess.run([sys.argv[1], name], check=True, capture_output=True)
        for kind in range(2):
            for padding in range(3):
                check_request(d, kind, padding)
        check_publication(d)
        broken = (d / "sysparams.der").read_bytes()[:-1]
        (d / "broken.der").write_bytes(broken)
        openssl("asn1parse", "-inform", "DER", "-in", d / "broken.der", expect=1)
    print("openssl agrees")


main()
