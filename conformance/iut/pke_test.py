#!/usr/bin/python3
"""Key requests with certificates between two `ibakelab iut`. Argument: the program."""
import base64
import datetime
import sys

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

from driver import NOON, PARAMS, Adapter, b64, of_file, uri

ALICE, BOB, KMS = (uri(f"sip:{name}@home.example") for name in ("alice", "bob", "kms"))
DAY = datetime.datetime.fromtimestamp(NOON / 1000, datetime.timezone.utc).replace(tzinfo=None)


class Holder:
    """A key and a certificate for it, signed by `issuer` (None: by itself, an authority)."""

    def __init__(self, name, issuer=None, identity=None):
        self.key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
        self.name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        parent = issuer or self
        builder = (x509.CertificateBuilder().subject_name(self.name).issuer_name(parent.name)
                   .public_key(self.key.public_key()).serial_number(x509.random_serial_number())
                   .not_valid_before(DAY - datetime.timedelta(days=1)).not_valid_after(DAY + datetime.timedelta(days=9))
                   .add_extension(x509.BasicConstraints(ca=issuer is None, path_length=None), critical=True))
        if identity:
            san = x509.SubjectAlternativeName([x509.UniformResourceIdentifier(identity["uri"])])
            builder = builder.add_extension(san, critical=False)
        self.certificate = b64(builder.sign(parent.key, hashes.SHA256()).public_bytes(serialization.Encoding.DER))
        self.private = b64(self.key.private_bytes(serialization.Encoding.DER, serialization.PrivateFormat.PKCS8,
                                                  serialization.NoEncryption()))


def request(user, kms, ask, method, **settings):
    params = [{"der": of_file(PARAMS, "ibe-1024.params.der"), "serves": ["@home.example"]}]
    kms.ask("begin", case="kms/pke", params=params,
            kms={"identity": KMS, "master": of_file(PARAMS, "ibe-1024.master.der"), "issue": "current", **settings})
    kms.report("open", session="k", role="kms")
    user.ask("begin", case="kms/pke", params=params)
    asked = user.report("open", session="u", role="user", kms=KMS, ask=[ask], method="PKE", pke=method)
    answer = kms.report("message", session="k", octets=asked["messages"][0])
    return answer, user.report("message", session="u", octets=answer["messages"][0]) if answer["messages"] else None


program = sys.argv[1]
authority, stranger = Holder("authority"), Holder("stranger")
alice, kms_holder = Holder("alice", authority, ALICE), Holder("kms", authority, KMS)
forged = Holder("alice", stranger, ALICE)
user, kms = Adapter(program, "iut"), Adapter(program, "iut")
base = {"chain": [alice.certificate], "private_key": alice.private, "kms_certificates": [kms_holder.certificate],
        "anchors": [authority.certificate]}
served = {"key_pairs": [{"certificate": kms_holder.certificate, "private_key": kms_holder.private}],
          "anchors": [authority.certificate]}
for envelope in ("RSAES-PKCS1-v1_5", "RSAES-OAEP", "RSAES-OAEP-SHA-256"):
    for signature in ("RSA/PKCS#1/1.5", "RSA/PSS"):
        pair = {**served["key_pairs"][0], "envelope": envelope}
        answer, got = request(user, kms, ALICE, {**base, "envelope": envelope, "signature": signature, "chash": True},
                              **{**served, "key_pairs": [pair]})
        assert answer["event"] == "accepted" and got["state"] == "done", (answer, got)
        assert base64.b64decode(got["private_keys"][0]["ibe_identity"]) == b"sip:alice@home.example20261124"

answer, got = request(user, kms, BOB, base, **served)  # not named by the certificate
assert (answer["event"], answer["error"], got["error"]) == ("refused", "policy", "peer-error"), (answer, got)
answer, got = request(user, kms, BOB, base, users=[{"certificate": alice.certificate, "may_have": [BOB]}], **served)
assert got["state"] == "done", (answer, got)
answer, got = request(user, kms, ALICE, base, users=[{"certificate": alice.certificate, "may_have": [ALICE], "excluded": True}],
                      **served)
assert answer["event"] == "refused", answer
answer, got = request(user, kms, ALICE, {**base, "chain": []}, users=[{"certificate": alice.certificate, "may_have": [ALICE]}],
                      **served)
assert got["state"] == "done", (answer, got)
answer, got = request(user, kms, ALICE, {**base, "chain": [forged.certificate], "private_key": forged.private}, **served)
assert (answer["event"], answer["error"]) == ("refused", "authentication"), answer
user.end(), kms.end()
print("key requests with certificates work")
