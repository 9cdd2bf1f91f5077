"""Judges parameters that are fetched over plain HTTP: IBESysParams (RFC 5408 section 4.2, P-23, P-25) with those of the key
log inside."""

import base64
import binascii
import datetime

import der
import ibe
from findings import SECOND, Wrong

IA5_STRING, GENERALIZED_TIME = 0x16, 0x18
BF = "2.16.840.1.114334.1.1.2.1"
IDENTITY_TYPE = "2.25.178589645431819367033353099214067284642."


class Parameters:
    """Every answer of RFC 5408 section 4 that TLS does not hide; `good` counts those that are right."""

    def __init__(self, capture, vault, report):
        self.capture, self.vault, self.report, self.good = capture, vault, report, 0

    def judge(self):
        for packet, time, text in self.capture.parameters:
            self.good += self.report.attempt(self._answer, packet, time, text)

    def _answer(self, packet, time, text):
        try:
            data = base64.b64decode(b"".join(text.body.split()), validate=True)
            before, after, granularity, params = _sys_params(data)
        except (binascii.Error, ValueError) as error:
            raise Wrong(packet, "IBESysParams: %s" % error) from None
        if not before <= time <= after:
            raise Wrong(packet, "IBESysParams is not valid now")
        if granularity not in ("1", "2", "3"):
            raise Wrong(packet, "IBESysParams: an identity type that P-23 does not have")
        if params not in [kms.record.key for kms in self.vault.kmss]:
            raise Wrong(packet, "IBESysParams has other parameters than the key log")


def _moment(octets):
    utc = datetime.datetime.strptime(octets.decode("ascii"), "%Y%m%d%H%M%SZ").replace(tzinfo=datetime.timezone.utc)
    return int(utc.timestamp()) * SECOND


def _sys_params(data):
    """notBefore, notAfter, the last arc of the identity type, DER BFPublicParameters; raises ValueError."""
    outer = der.Reader(data)
    r = outer.sequence()
    outer.end()
    if r.integer() != 2:
        raise ValueError("version is not 2")
    if not r.value(IA5_STRING).startswith((b"http://", b"https://")):
        raise ValueError("districtName is no URI")
    r.integer()
    validity = r.sequence()
    before, after = (_moment(validity.value(GENERALIZED_TIME)) for _ in range(2))
    validity.end()
    entries = r.sequence()
    entry = entries.sequence()
    entries.end()
    if entry.oid() != BF:
        raise ValueError("not Boneh-Franklin")
    params = entry.octet_string()
    entry.end()
    ibe.params_from_der(params)
    identity_type = r.oid()
    if not identity_type.startswith(IDENTITY_TYPE):
        raise ValueError("identity type " + identity_type)
    return before, after, identity_type[len(IDENTITY_TYPE) :], params
