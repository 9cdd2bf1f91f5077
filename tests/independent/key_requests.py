"""Judges the key requests: REQUEST_KEY_PSK, _PKE and REQUEST_KEY_RESP (RFC 6267 section 4.2.1, P-10, P-18, P-24)."""

import hmac

import certificates
import keys
import mikey
from findings import Wrong
from rules import check, check_clock, check_shape, header_of, same_header


PSK_SHAPE = "HDR T RAND (IDRi |IDRr )+IDRkms (IDRpsk )?(KEMAC )?V"
PKE_SHAPE = "HDR T RAND (IDRi |IDRr )+(CERT )*IDRkms (KEMAC )?(CHASH )?PKE SIGN"


class Requests:
    """Every key request of a capture; `delivered` holds the PRIV records that arrived in a response."""

    def __init__(self, capture, log, report, options):
        self.capture, self.log, self.report, self.options = capture, log, report, options
        self.complete, self.delivered = 0, set()
        self.errors = 0  # Error messages with a valid V
        self._last_psk = {}  # identities -> the PSK record that verified them before
        self._stamps = {}

    def judge(self):
        answers = self.capture.of(mikey.REQUEST_KEY_RESP)
        errors = [e for e in self.capture.of(mikey.ERROR) if e.message.has(mikey.V)]
        for request in self.capture.of(mikey.REQUEST_KEY_PSK) + self.capture.of(mikey.REQUEST_KEY_PKE):
            mine = [a for a in answers if _key(a) == _key(request)]
            answers = [a for a in answers if a not in mine]
            told = [e for e in errors if _key(e) == _key(request)]
            errors = [e for e in errors if e not in told]
            self.report.attempt(self._exchange, request, mine, told)
        for answer in answers + errors:
            self.report.wrong(answer.packet, "%s answers no request of the capture" % answer)

    def _exchange(self, request, answers, errors):
        by_pke = request.header.data_type == mikey.REQUEST_KEY_PKE
        self._request(request, PKE_SHAPE if by_pke else PSK_SHAPE)
        psk = None if by_pke else self._psk_of(request, request)
        if by_pke:
            self._signed(request)
        for error in errors:  # RFC 3830 section 5.1.2: with the same key as an answer
            check_shape(error, "HDR T ERR V")
            psk = psk or self._psk_of(request, error)
            check(_v_is_valid(error, request, psk, _covered(request.message)), error, "V is not valid with the PSK of the request")
            self.errors += 1
        if not answers and not self.options.allow_incomplete:
            raise Wrong(request.packet, "%s has no REQUEST_KEY_RESP in the capture" % request)
        for answer in answers:
            self._answer(request, answer, psk or self._psk_of(request, answer))
        self.complete += bool(answers)

    def _request(self, request, shape):
        """Check what a request has by either method."""
        message, header = request.message, request.header
        check_shape(request, shape)
        check(header.v == 1, request, "the V flag is not set")
        check(header.map_type == mikey.EMPTY_MAP and header.cs_count == 0, request, "the CS ID map is not empty")
        check(len(message.one(mikey.RAND).data) >= 16, request, "RAND has less than 16 octets")
        check_clock(request, self.options.skew)
        stamp = _users(message), message.one(mikey.T).value
        check(stamp not in self._stamps, request, "T is not fresh")
        self._stamps[stamp] = request
        for place in request.sightings:
            check(not place.is_sip and place.text.start.startswith("POST "), request, "not in an HTTP POST", place)

    def _signed(self, request):
        """SIGN, by the certificate of the request; the certificates lead to each other (P-24)."""
        message = request.message
        check(message.one(mikey.PKE).cache == 0, request, "C is not 'no cache'")
        chain = [c.data for c in message.all(mikey.CERT)]
        if not chain:  # the KMS knows the certificate, the capture does not
            return
        covered = keys.mac_input(message, _covered(message))
        try:
            certificates.check_sign(chain[0], message.payloads[-1], covered)
            certificates.check_chain(chain, request.time)
        except certificates.CertificateError as error:
            raise Wrong(request.packet, "%s: %s" % (request, error)) from None

    def _psk_of(self, request, seen):
        """The PSK or envelope key that made the V of a message."""
        identities = _covered(request.message)
        records = self.log.kind("PSK")
        likely = self._last_psk.get(identities)
        for record in [likely] * bool(likely) + records:
            if _v_is_valid(seen, request, record.key, identities):
                self._last_psk[identities] = record
                record.used = True
                return record.key
        raise Wrong(seen.packet, "V of %s is not valid with any PSK of the key log" % seen)

    def _answer(self, request, answer, psk):
        message = answer.message
        check_shape(answer, "HDR T (IDRi |IDRr )*(IDRkms )?KEMAC V")
        same_header(answer, request)
        check(answer.header.v == 0, answer, "the V flag is set")
        for place in answer.sightings:
            check(not place.is_sip and place.text.status == 200, answer, "not in an HTTP 200", place)
        offered = request.message.all(mikey.IDR)
        for idr in message.all(mikey.IDR):
            check(idr.content() in [o.content() for o in offered], answer, "an identity that the request lacks")
        identities = _covered(request.message)
        check(_v_is_valid(answer, request, psk, identities), answer, "V is not valid with the PSK of the request")
        kemac = message.one(mikey.KEMAC)
        check(kemac.mac_algorithm == 0, answer, "KEMAC has a MAC of its own beside V")
        # AES-CM draws its stream from PSK, RAND, CSB ID and T alone (RFC 3830 section 4.2.3). Where the request has used that
        # stream already, or can come again because a COUNTER never grows old, only AES key wrap is safe.
        if _stream_is_old(request.message):
            check(kemac.algorithm == keys.AES_KW_128, answer, "KEMAC uses a key stream that is or may be used twice")
        self._private_keys(request, answer, self._open(answer, request, kemac, psk))

    def _open(self, answer, request, kemac, psk):
        rand, header = request.message.one(mikey.RAND).data, answer.header
        try:
            plain = keys.open_kemac(kemac, header.prf, psk, header.csb_id, rand, answer.message.one(mikey.T))
            return mikey.parse_inner(plain, 7 if kemac.algorithm == keys.AES_KW_128 else 0)
        except (keys.DerivationError, mikey.MikeyError) as error:
            raise Wrong(answer.packet, "KEMAC of %s: %s" % (answer, error)) from None

    def _private_keys(self, request, answer, inner):
        """Pairs of IDR (the exact IBE identity) and Key data (type 7), each equal to a PRIV of the key log (P-10)."""
        pairs = list(zip(inner.payloads[::2], inner.payloads[1::2]))
        check(pairs and len(inner.payloads) % 2 == 0, answer, "KEMAC does not hold pairs of IDR and Key data")
        users = _users(request.message)
        for idr, key in pairs:
            check((idr.type, key.type) == (mikey.IDR, mikey.KEY_DATA), answer, "KEMAC: not IDR, then Key data")
            check(idr.id_type == mikey.BYTE_STRING and key.kind == 7, answer, "KEMAC: not a byte string and a K_PR")
            name = idr.data.decode("utf-8", "backslashreplace")
            owned = any(idr.data.startswith(u) and idr.data[len(u) :].isdigit() for u in users) or idr.data in users
            check(owned, answer, "the key of %s, for which nobody asked" % name)
            records = [r for r in self.log.of("PRIV", idr.data) if r.key == key.key]
            check(records, answer, "the private key of %s is not that of the key log" % name)
            for record in records:
                record.used = True
                self.delivered.add(record.line)


def _key(seen):
    return header_of(seen), seen.message.one(mikey.T).content()


def _users(message):
    return tuple(i.data for i in message.all(mikey.IDR) if i.role in (mikey.INITIATOR, mikey.RESPONDER))


def _stream_is_old(message):
    spent = any(kemac.algorithm in (1, 3) for kemac in message.all(mikey.KEMAC))
    return spent or message.one(mikey.T).ts_type == 2


def _covered(message):
    """The identities under V and SIGN: the users in order, then the KMS (P-8)."""
    return _users(message) + (message.one(mikey.IDR, mikey.KMS).data,)


def _v_is_valid(seen, request, psk, identities):
    """V by a PSK: users in order, then the KMS (P-8); RAND is the request's."""
    header, v = seen.header, seen.message.payloads[-1]
    rand = request.message.one(mikey.RAND).data
    try:
        key = keys.authentication_key(header.prf, psk, header.csb_id, rand, v.algorithm)
    except keys.DerivationError as error:
        raise Wrong(seen.packet, str(error)) from None
    return hmac.compare_digest(keys.mac(v.algorithm, key, keys.mac_input(seen.message, identities)), v.mac)
