"""X.509 certificates and RSA signatures of REQUEST_KEY_PKE (RFC 6267 section 4.2.1.1.2, RFC 3830 section 4.2.6, P-24).

The capture does not tell which trust anchors the KMS has, so a chain is followed as far as its certificates go.
"""

import datetime

from cryptography import x509
from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec, padding, rsa

SECOND = 10**9


class CertificateError(ValueError):
    """A certificate or signature that does not hold."""


def _load(der):
    try:
        return x509.load_der_x509_certificate(der)
    except ValueError as error:
        raise CertificateError("CERT is no X.509 certificate: %s" % error) from None


def _padding(kind, function):
    if kind == 0:
        return padding.PKCS1v15()
    if kind == 1:
        return padding.PSS(padding.MGF1(function), function.digest_size)
    raise CertificateError("signature type %d" % kind)


def check_sign(der, sign, covered):
    """SIGN over the covered octets with the certificate's key: SHA-256, or RFC 3830's default."""
    key = _load(der).public_key()
    if not isinstance(key, rsa.RSAPublicKey):
        raise CertificateError("the certificate's key is not RSA")
    for function in hashes.SHA256(), hashes.SHA1():
        try:
            key.verify(sign.signature, covered, _padding(sign.kind, function), function)
            return
        except InvalidSignature:
            pass
    raise CertificateError("SIGN does not verify with the certificate")


def check_name(der, name):
    """The certificate is for a DNS name."""
    try:
        names = _load(der).extensions.get_extension_for_class(x509.SubjectAlternativeName).value
    except x509.ExtensionNotFound:
        raise CertificateError("the certificate has no subjectAltName") from None
    if name not in names.get_values_for_type(x509.DNSName):
        raise CertificateError("the certificate is not for %s" % name)


def check_chain(ders, moment):
    """Each certificate is valid at the moment and signed with the key of the next one."""
    now = datetime.datetime.utcfromtimestamp(moment // SECOND)
    chain = [_load(der) for der in ders]
    for cert in chain:
        if not cert.not_valid_before <= now <= cert.not_valid_after:
            raise CertificateError("the certificate of %s is not valid now" % cert.subject.rfc4514_string())
    for cert, issuer in zip(chain, chain[1:]):
        if cert.issuer != issuer.subject:
            raise CertificateError("the certificates do not lead to each other")
        _signed_by(cert, issuer.public_key())


def _signed_by(cert, key):
    function = cert.signature_hash_algorithm
    try:
        if isinstance(key, rsa.RSAPublicKey):
            key.verify(cert.signature, cert.tbs_certificate_bytes, padding.PKCS1v15(), function)
        elif isinstance(key, ec.EllipticCurvePublicKey):
            key.verify(cert.signature, cert.tbs_certificate_bytes, ec.ECDSA(function))
        else:
            raise CertificateError("an issuer's key of a kind that is not known here")
    except InvalidSignature:
        raise CertificateError("a certificate is not signed by the next one") from None
