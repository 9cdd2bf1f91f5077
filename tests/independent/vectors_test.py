#!/usr/bin/python3
"""Test vectors, computed again without any code of ours: the ASN.1, pairing, key derivation and MIKEY of this folder.
Argument: the directory of the vectors."""
import base64
import binascii
import hashlib
import json
import os
import sys

import der
import ec
import ibe
import keys
import mikey
import pairing as tate

DIRECTORY = sys.argv[1]
REFUSALS = (ibe.IbeError, der.DerError, ec.EcError, mikey.MikeyError, keys.DerivationError, binascii.Error)
PURPOSES = {  # RFC 6267 section 5.1, RFC 3830 sections 4.1.3 and 4.1.4
    "MPK": 0x220E99A2, "TGK": 0x1F4D675B, "encryption of messages": 0x150533E1, "salt of messages": 0x29B88916,
    "authentication of messages": 0x2D22AC75, "TEK": 0x2AD01C64, "authentication of data": 0x1B5C7973,
    "encryption of data": 0x15798CEF, "salt of data": 0x39A2C14B,
}  # fmt: skip


class Vector(dict):
    """A test with the members of its group; octets by name."""

    def octets(self, name):
        return bytes.fromhex(self[name])

    def params(self):
        params = ibe.params_from_der(self.octets("parameters"))
        ibe.check_params(params)
        if params.point_p == params.point_ppub:
            raise ibe.IbeError("s is 1")
        return params

    def hash(self, data):
        return hashlib.new(self["sha"].replace("-", "").lower(), data).digest()


def point_of(params, octets):
    length = (params.p.bit_length() + 7) // 8
    point = int.from_bytes(octets[:length], "big"), int.from_bytes(octets[length:], "big")
    if not tate.on_curve(params.p, point) or tate.multiply(params.p, params.q, point) is not None:
        raise ibe.IbeError("not a point of order q")
    return point


def hash_to_range(v):
    n = v.octets("n")
    return {"v": ibe.hash_to_range(v.octets("s"), int.from_bytes(n, "big"), v.hash).to_bytes(len(n), "big")}


def hash_bytes(v):
    return {"r": ibe.hash_bytes(v["length"], v.octets("p"), v.hash)}


def hash_to_point(v):
    params = v.params()
    return {"point": ibe.canonical(params.p, 0, ibe.derive_public(params, v.octets("identity")))}


def pairing(v):
    params = v.params()
    a, b = point_of(params, v.octets("a")), point_of(params, v.octets("b"))
    return {"value": ibe.canonical(params.p, 0, tate.pairing(params.p, params.q, a, b))}


def extract(v):
    master = ibe.master_from_der(v.octets("master"))
    return {"privateKey": ibe.private_to_der(ibe.extract(v.params(), master, v.octets("identity")))}


def encrypt(v):
    made = ibe.encrypt(v.params(), v.octets("identity"), v.octets("plaintext"), v.octets("rho"))
    return {"ciphertext": ibe.ciphertext_to_der(made)}


def decrypt(v):
    private = ibe.private_from_der(v.octets("privateKey"))
    return {"plaintext": ibe.decrypt(v.params(), private, ibe.ciphertext_from_der(v.octets("ciphertext")))}


def parameters(v):
    return {"parameters": ibe.params_to_der(v.params())}


def ciphertext(v):
    c = ibe.ciphertext_from_der(v.octets("ciphertext"))
    return {"v": c.v, "w": c.w, "ciphertext": ibe.ciphertext_to_der(c)}


def private_key(v):
    params, private = v.params(), ibe.private_from_der(v.octets("privateKey"))
    octets = ibe.canonical(params.p, 0, private)
    point_of(params, octets)
    return {"point": octets}


def prf(v):
    return {"outkey": keys.prf(v["prf"], v.octets("inkey"), v.octets("label"), v["length"])}


def derive(v):
    of_session, of_message = v["purpose"] in ("MPK", "TGK"), v["purpose"].endswith("messages")
    cs_id = 0xFF if of_session or of_message else v["csId"]
    csb_id = 0xFFFFFFFF if of_session else v["csbId"]
    label = PURPOSES[v["purpose"]].to_bytes(4, "big") + bytes([cs_id]) + csb_id.to_bytes(4, "big") + v.octets("rand")
    return {"key": keys.prf(v["prf"], v.octets("inkey"), label, v["length"])}


def message(v):
    parsed = mikey.parse(v.octets("message"))
    if "fields" in v:  # in order, without a gap; two fields of less than an octet share it
        at = 0
        for offset, length, _, name, octets in v["fields"]:
            assert offset in (at, at - length), name
            assert bytes.fromhex(octets) == v.octets("message")[offset : offset + length], name
            at = max(at, offset + length)
        assert at == len(v.octets("message")), "octets without a field"
        assert v["payloads"] == [p.type for p in parsed.payloads[1:]] and v["dataType"] == parsed.header.data_type
    return {}


def content(v):
    parsed = mikey.parse_inner(v.octets("content"))
    if [p.type for p in parsed.payloads if p.type not in (mikey.IDR, mikey.ECCPT)]:
        raise mikey.MikeyError("not a payload of IBAKE")
    assert v.get("payloads", []) in ([], [p.type for p in parsed.payloads])
    return {}


def key_mgmt(v):
    identifier, _, data = v["value"].partition(" ")
    octets = base64.b64decode(data, validate=True)
    if identifier != "mikey" or not octets or base64.b64encode(octets).decode() != data:
        raise mikey.MikeyError("not strict base64 of mikey")
    return {"message": octets}


def point(v):
    curve = ec.CURVES[v["curve"]]
    return {"uncompressed": ec.encode(curve, ec.decode(curve, v.octets("point")))}


def exchange(v):
    """Opens all four messages with both private keys and makes the keys from x and y."""
    params, parsed = v.params(), [mikey.parse(bytes.fromhex(m)) for m in v.get("messages", [])]
    private = {who: ibe.private_from_der(v.octets(who + "Key")) for who in ("initiator", "responder")}
    for who, key in private.items():
        if not ibe.private_key_fits(params, v.octets(who + "Identity"), key):
            raise ibe.IbeError("the key is not that of the " + who)
    curve = ec.CURVES[v["curve"]]
    x, y = (int.from_bytes(v.octets(name), "big") for name in "xy")
    xp, yp = (ec.encode(curve, ec.multiply(curve, scalar, curve.g)) for scalar in (x, y))
    inner = [mikey.parse_inner(ibe.decrypt(params, private[who], ibe.ciphertext_from_der(m.one(mikey.IBAKE).data)))
             for who, m in zip(("responder", "initiator", "responder"), parsed)]
    assert [[p.point for p in m.all(mikey.ECCPT)] for m in inner] == [[xp], [xp, yp], [yp]]
    for m, rho in zip(parsed, (v["initiatorRho"][0], v["responderRho"][0], v["initiatorRho"][1])):
        receiver = "initiator" if m.header.data_type == mikey.R_MESSAGE_1 else "responder"
        plain = inner[parsed.index(m)].raw
        again = ibe.encrypt(params, v.octets(receiver + "Identity"), plain, bytes.fromhex(rho))
        assert ibe.ciphertext_to_der(again) == m.one(mikey.IBAKE).data, "rho gives another ciphertext"
    csb_id, rand = v.octets("csbId"), v.octets("rand")
    assert parsed[0].one(mikey.RAND).data == rand and all(m.header.csb_id == csb_id for m in parsed)
    session = ec.encode(curve, ec.multiply(curve, x, ec.decode(curve, yp)))
    mpk, tgk = (keys.from_session(what, v["prf"], session, rand) for what in ("MPK", "TGK"))
    last = parsed[3].payloads[-1]
    auth = keys.authentication_key(v["prf"], mpk, csb_id, rand, last.algorithm)
    identities = [v[who].encode() for who in ("initiator", "responder")]
    assert keys.mac(last.algorithm, auth, keys.mac_input(parsed[3], identities)) == last.mac, "V"
    media = [b"".join(keys.from_tgk(what, v["prf"], tgk, n, csb_id, rand, length)
                      for what, length in (("TEK", 16), ("SALT", 14))) for n in (1, 2)]
    assert [bytes.fromhex(k) for k in v["mediaKeys"]] == media
    return {"kSession": session, "mpk": mpk, "tgk": tgk, "authKey": auth}


OPERATIONS = {"HashToRange": hash_to_range, "HashBytes": hash_bytes, "HashToPoint": hash_to_point, "Pairing": pairing,
              "Extract": extract, "Encrypt": encrypt, "Decrypt": decrypt, "Parameters": parameters,
              "Ciphertext": ciphertext, "PrivateKey": private_key, "Prf": prf, "Derive": derive, "Message": message,
              "Content": content,
              "KeyMgmt": key_mgmt, "Point": point, "Exchange": exchange}
UNKNOWN_CURVES = (1, 5)  # P-192 and P-224 are not known here


def judge(group, test):
    """What is wrong with a vector; None: it holds."""
    v = Vector({**{k: value for k, value in group.items() if k != "tests"}, **test})
    try:
        results = OPERATIONS[group["type"]](v)
    except REFUSALS as refusal:
        return None if test["result"] == "invalid" else f"refused: {refusal}"
    if test["result"] == "invalid":
        return "invalid, and was taken"
    return next((f"another {name}" for name, octets in results.items() if octets != v.octets(name)), None)


checked, wrong = 0, []
for name in sorted(os.listdir(DIRECTORY)):
    if not name.endswith(".json") or name.endswith(".schema.json"):
        continue
    with open(os.path.join(DIRECTORY, name), encoding="utf-8") as file:
        groups = json.load(file)["testGroups"]
    for group in groups:
        if group["type"] == "Point" and group["curve"] in UNKNOWN_CURVES:
            continue
        for test in group["tests"]:
            checked += 1
            why = judge(group, test)
            if why:
                wrong.append(f"{name} {test['tcId']} ({test['comment']}): {why}")
nothing_right = {"inkey": "00", "label": "00", "length": 4, "outkey": "00000000", "result": "valid"}
assert judge({"type": "Prf", "prf": 0}, nothing_right)
print("\n".join(wrong) or f"{checked} vectors hold without any code of ours")
assert checked > 200
sys.exit(1 if wrong else 0)
