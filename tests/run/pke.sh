#!/usr/bin/env bash
# A key request with a certificate, in the eyes of others: openssl alone verifies the chain and SIGN of the request in
# the capture, with what the run leaves in pki/; verify_run.py does the rest. What is spoiled is noticed.
. "$(dirname "$0")/lib.sh"
kms=$source_dir/scenarios/kms
at=1772442000 # the start of the run, 2026-03-02T09:00:00Z

expect_status 0 run "$kms/request-pke.yaml" --keylog --quiet --out out
for name in ca user-alice kms-kms@home.example; do
  [ -s "out/pki/$name.pem" ] || die "out/pki/$name.pem is missing"
done
! grep -rq 'PRIVATE KEY' out/pki || die "a private key lies in out/pki"
verify 0 out

# CERT, SIGN and what SIGN covers, taken out of the capture by Python that shares no code with the product.
PYTHONPATH=$independent "$python" - <<'END' || die "no REQUEST_KEY_PKE in the capture"
import keys, mikey, pcap
from collect import Capture
from findings import Report
from key_requests import _covered
request, = Capture(pcap.read("out/capture/all.pcap"), Report()).of(mikey.REQUEST_KEY_PKE)
message = request.message
open("cert.der", "wb").write(message.all(mikey.CERT)[0].data)
open("sign.bin", "wb").write(message.payloads[-1].signature)
open("covered.bin", "wb").write(keys.mac_input(message, _covered(message)))
END
openssl x509 -inform DER -in cert.der -out cert.pem || die "CERT is no certificate"
openssl x509 -in cert.pem -noout -ext subjectAltName | grep -q 'URI:tel:+4930901820' || die "the certificate lacks the number"
cmp <(openssl x509 -in cert.pem -outform DER) <(openssl x509 -in out/pki/user-alice.pem -outform DER) ||
  die "pki/user-alice.pem is not the certificate of the request"
openssl verify -attime $at -CAfile out/pki/ca.pem cert.pem || die "the chain does not verify"
openssl verify -attime $at -CAfile out/pki/ca.pem out/pki/kms-kms@home.example.pem || die "the KMS's chain does not verify"
openssl x509 -in cert.pem -noout -pubkey >key.pem
openssl dgst -sha256 -verify key.pem -signature sign.bin covered.bin || die "SIGN does not verify"
printf x >>covered.bin
! openssl dgst -sha256 -verify key.pem -signature sign.bin covered.bin >/dev/null 2>&1 || die "SIGN verifies for other octets"

# The certificates that the KMS refuses: openssl refuses those that lead to nobody, too.
expect_status 0 run "$kms/request-pke-untrusted.yaml" --quiet --out refused
for name in stranger late alone; do
  ! openssl verify -attime $at -CAfile refused/pki/ca.pem "refused/pki/user-$name.pem" >/dev/null 2>&1 ||
    die "openssl takes the certificate of $name"
done
openssl verify -attime $at -CAfile refused/pki/ca.pem refused/pki/user-{good,other}.pem || die "good and other are in order"

# Twins: the essential line changed.
fails() { # TEXT SCENARIO OPTIONS…
  local text=$1
  shift
  rm -rf out
  expect_status 1 run "$@" --out out --quiet
  expect_text "$text"
}
fails 'users: keys-obtained all: 1 of 2' "$kms/request-pke.yaml" --set users.alice.certificate=expired
fails 'user late: keys-failure certificate-refused: late: none' "$kms/request-pke-untrusted.yaml" --set users.late.certificate=trusted
fails 'users: keys-obtained none: 1 of 1' "$kms/request-pke-false-kms.yaml" --set 'domains[home.example].kms.certificate=trusted'
