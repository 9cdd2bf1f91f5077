#!/usr/bin/python3
"""certificates.py judges messages that the product made, and notices when one was changed.

usage: certificates_test.py KMS_OPENSSL_FILES   the program that writes them
"""

import pathlib
import subprocess
import sys
import tempfile

import certificates
import keys
import mikey
from key_requests import _covered

NOON = 1795521600 * 10**9  # 2026-11-24T12:00:00Z
YEAR = 366 * 86400 * 10**9


def refuses(text, action, *arguments):
    try:
        action(*arguments)
    except certificates.CertificateError as error:
        assert text in str(error), error
        return
    sys.exit("not refused: %s" % text)


def judge(raw):
    message = mikey.parse(raw)
    chain = [c.data for c in message.all(mikey.CERT)]
    sign, covered = message.payloads[-1], keys.mac_input(message, _covered(message))
    certificates.check_sign(chain[0], sign, covered)
    certificates.check_chain(chain, NOON)
    refuses("does not verify", certificates.check_sign, chain[0], sign, covered[:-1])
    refuses("does not verify", certificates.check_sign, chain[1], sign, covered)
    refuses("do not lead", certificates.check_chain, chain[::-1], NOON)
    refuses("not valid now", certificates.check_chain, chain, NOON + YEAR)
    refuses("not valid now", certificates.check_chain, chain, NOON - YEAR)
    at = chain[0].index(b"alice@home")
    other = chain[0][:at] + b"blice" + chain[0][at + 5 :]
    refuses("not signed by", certificates.check_chain, [other] + chain[1:], NOON)


def main():
    with tempfile.TemporaryDirectory() as name:
        subprocess.run([sys.argv[1], name], check=True, capture_output=True)
        messages = sorted(pathlib.Path(name).glob("*.mikey"))
        assert len(messages) == 6, messages
        for path in messages:
            judge(path.read_bytes())


main()
