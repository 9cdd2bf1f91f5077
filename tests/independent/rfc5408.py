"""Judges private keys that are asked for by RFC 5408 section 5: XML over HTTP, one IBE identity a request (P-23, P-26)."""

import base64
import binascii
import xml.etree.ElementTree as ElementTree

import der
from findings import Wrong
from parameters import BF, IA5_STRING

POST = "POST /ibe/key"
REQUEST_TYPE, REPLY_TYPE = "application/ibe-key-request+xml", "application/ibe-pkg-reply+xml"
NAMESPACE = "{urn:ietf:params:xml:ns:ibe}"
KEY_FOLLOWS = "IBE100"


class KeyRequests:
    """Every exchange of RFC 5408 section 5; `good` counts the keys that arrived."""

    def __init__(self, capture, log, parameters, requests, report, options):
        self.capture, self.log, self.report, self.options = capture, log, report, options
        self.parameters, self.delivered, self.good = parameters, requests.delivered, 0

    def judge(self):
        for request, answer in self.capture.exchanges():
            if request.text.target == POST:
                self.report.attempt(self._exchange, request, answer)

    def _exchange(self, request, answer):
        identity = self._request(request)
        if answer is None:
            if not self.options.allow_incomplete:
                raise Wrong(request.packet, "%s has no answer in the capture" % POST)
            return
        code, reply = self._answer(answer)
        if code != KEY_FOLLOWS:
            if not self.options.allow_incomplete:
                raise Wrong(answer.packet, "RFC 5408: no key, but %s" % code)
            return
        try:
            asked, key = _key_reply(reply)
        except ValueError as error:
            raise Wrong(answer.packet, "IBEPrivateKeyReply: %s" % error) from None
        name = identity[3].decode("utf-8", "backslashreplace")
        if asked != identity:
            raise Wrong(answer.packet, "RFC 5408: not the identity that was asked for, %s" % name)
        records = [record for record in self.log.of("PRIV", identity[3]) if record.key == key]
        if not records:
            raise Wrong(answer.packet, "RFC 5408: the private key of %s is not that of the key log" % name)
        for record in records:
            record.used = True
            self.delivered.add(record.line)
        self.good += 1

    def _request(self, request):
        """The identity that is asked for, once all around it is right."""
        text = request.text
        scheme, _, credentials = text.headers.get("authorization", "").partition(" ")
        try:
            user = base64.b64decode(credentials, validate=True).partition(b":")[0]
            if scheme != "Basic" or not user or text.kind != REQUEST_TYPE:
                raise ValueError("HTTP Basic or the media type is missing")
            body = _root(text.body, "request").find(NAMESPACE + "body/" + NAMESPACE + "keyRequest")
            algorithm = der.Reader(_octets(body, "algorithm"))
            if algorithm.oid() != BF or algorithm.end():
                raise ValueError("the algorithm is not Boneh-Franklin")
            identity = _identity_info(_octets(body, "id"))
        except (ValueError, AttributeError) as error:
            raise Wrong(request.packet, "RFC 5408, request: %s" % error) from None
        host = "%s://%s/ibe/pp" % ("https" if request.secure else "http", text.headers.get("host"))
        published = [d for d in self.parameters.districts if d[0] == host]
        if identity[0] != host or published and identity[:3] not in published:
            raise Wrong(request.packet, "RFC 5408, request: an identity of another district, %s" % identity[0])
        return identity

    def _answer(self, answer):
        """The response type, and the octets of <ibe:privateKey>."""
        text = answer.text
        if text.status != 200 or text.kind != REPLY_TYPE:
            raise Wrong(answer.packet, "%s brings status %d, %s" % (POST, text.status, text.kind or "no type"))
        try:
            root = _root(text.body, "response")
            code = root.find(NAMESPACE + "responseType").get("value")
            return code, _octets(root.find(NAMESPACE + "body"), "privateKey") if code == KEY_FOLLOWS else None
        except (ValueError, AttributeError) as error:
            raise Wrong(answer.packet, "RFC 5408, response: %s" % error) from None


def _root(body, name):
    try:
        root = ElementTree.fromstring(body)
    except ElementTree.ParseError as error:
        raise ValueError("XML: %s" % error) from None
    if root.tag != NAMESPACE + name:
        raise ValueError("XML: not <ibe:%s>" % name)
    return root


def _octets(parent, name):
    """The base64 inside an element that is there once."""
    found = parent.findall(NAMESPACE + name)
    if len(found) != 1:
        raise ValueError("XML: %d <ibe:%s> where one belongs" % (len(found), name))
    try:
        return base64.b64decode("".join(found[0].text.split()), validate=True)
    except binascii.Error as error:
        raise ValueError("<ibe:%s>: %s" % (name, error)) from None


def _info(reader):
    """IBEIdentityInfo: district, serial, type of the identity, IBE identity."""
    district = reader.value(IA5_STRING).decode("ascii")
    info = district, reader.integer(), reader.oid(), reader.octet_string()
    reader.end()
    return info


def _identity_info(data):
    outer = der.Reader(data)
    info = _info(outer.sequence())
    outer.end()
    return info


def _key_reply(data):
    """IBEPrivateKeyReply without options: whose key it is, and the key."""
    outer = der.Reader(data)
    reply = outer.sequence()
    outer.end()
    info, algorithm = _info(reply.sequence()), reply.oid()
    if algorithm != BF:
        raise ValueError("pkgAlgorithm is not Boneh-Franklin")
    key = reply.octet_string()
    reply.end()
    return info, key
