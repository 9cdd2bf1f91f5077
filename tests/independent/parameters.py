"""Judges parameters that are fetched: IBESysParams (RFC 5408 section 4.2, P-23, P-25) with those of the key log inside, of the
district that was asked."""

import base64
import binascii
import datetime

import der
import ibe
from findings import SECOND, Wrong

IA5_STRING, GENERALIZED_TIME = 0x16, 0x18
BF = "2.16.840.1.114334.1.1.2.1"
IDENTITY_TYPE = "2.25.178589645431819367033353099214067284642."


GET = "GET /ibe/pp"
TYPE = "application/ibe-pp-data"


class Parameters:
    """Every exchange of RFC 5408 section 4; `secure` counts the good ones over TLS, `plain` the others. `districts` holds
    (districtName, districtSerial, type of identities) of each that was published."""

    def __init__(self, capture, vault, report, options):
        self.capture, self.vault, self.report, self.options = capture, vault, report, options
        self.secure = self.plain = 0
        self.districts = set()

    def judge(self):
        for request, answer in self.capture.exchanges():
            if request.text.target == GET and self.report.attempt(self._exchange, request, answer):
                self.secure += bool(answer) and answer.secure
                self.plain += bool(answer) and not answer.secure

    def _exchange(self, request, answer):
        if answer is None:
            if not self.options.allow_incomplete:
                raise Wrong(request.packet, "%s has no answer in the capture" % GET)
            return
        packet, time, text = answer.packet, answer.time, answer.text
        if text.status != 200 or text.kind != TYPE:
            raise Wrong(packet, "%s brings status %d, %s" % (GET, text.status, text.kind or "no type"))
        try:
            data = base64.b64decode(b"".join(text.body.split()), validate=True)
            district, before, after, granularity, params = _sys_params(data)
        except (binascii.Error, ValueError) as error:
            raise Wrong(packet, "IBESysParams: %s" % error) from None
        scheme = "https" if answer.secure else "http"
        if district[0] != "%s://%s/ibe/pp" % (scheme, request.text.headers.get("host")):
            raise Wrong(packet, "IBESysParams of the district %s, which was not asked" % district[0])
        self.districts.add(district)
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
    """The district (its name, serial and type of identities), notBefore, notAfter, the last arc of that type, DER
    BFPublicParameters; raises ValueError."""
    outer = der.Reader(data)
    r = outer.sequence()
    outer.end()
    if r.integer() != 2:
        raise ValueError("version is not 2")
    name, serial = r.value(IA5_STRING).decode("ascii"), r.integer()
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
    return (name, serial, identity_type), before, after, identity_type[len(IDENTITY_TYPE) :], params
