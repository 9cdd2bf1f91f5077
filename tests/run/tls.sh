#!/usr/bin/env bash
# TLS and certificates of a run, seen by programs that share no code with it: tshark reads the versions and, with
# tls-keys.log, what was said inside; openssl judges the certificates; and what must not be readable is not.
. "$(dirname "$0")/lib.sh"
kms=$source_dir/scenarios/kms
at=2026-03-02T09:00:00Z # when runs begin
pcap=out/capture/all.pcap

fields() { # FILTER FIELD… [-- OPTION…]: what tshark finds, one packet a line
  local filter=$1 arguments=()
  shift
  while [ $# -gt 0 ] && [ "$1" != -- ]; do
    arguments+=(-e "$1")
    shift
  done
  [ $# -eq 0 ] || shift
  tshark -r "$pcap" -d tcp.port==443,tls -Y "$filter" -T fields "${arguments[@]}" "$@" 2>tshark.txt || {
    cat tshark.txt
    die "tshark failed"
  }
}

openssl_says() { # CERTIFICATE TEXT OPTIONS…: what `openssl verify` says of it, trusting ca.pem alone
  local certificate=$1 text=$2
  shift 2
  openssl verify -attime "$(date -d "$at" +%s)" -no-CApath -no-CAstore -CAfile out/pki/ca.pem "$@" \
    "out/pki/$certificate" >output.txt 2>&1
  expect_text "$text"
}

# Keys by RFC 5408: passwords and private keys pass the network.
expect_status 0 run "$kms/key-request-rfc5408.yaml" --out out --keylog --quiet
[ -s out/tls-keys.log ] || die "tls-keys.log is empty or missing"
[ "$(stat -c %a out/tls-keys.log)" = 600 ] || die "tls-keys.log can be read by others"
handshakes=$(fields 'tls.handshake.type == 2' tls.handshake.extensions.supported_version | sort -u)
[ "$handshakes" = 0x0304 ] || die "a ServerHello chose another version than TLS 1.3: $handshakes"
[ "$(fields 'tls.handshake.type == 2' frame.number | wc -l)" -ge 4 ] || die "fewer than four TLS connections"
[ -z "$(fields 'http.host == "kms.home.example"' http.request.uri)" ] || die "HTTP can be read without the keys"
fields 'http.request and tls' http.request.method http.request.uri -- -o "tls.keylog_file:$PWD/out/tls-keys.log" \
  -d tcp.port==443,tls | sort | uniq -c | sed 's/^ *//' >requests.txt
printf '2 GET\t/ibe/pp\n4 POST\t/ibe/key\n' >expected.txt
same expected.txt requests.txt
strings -n 8 "$pcap" >strings.txt
grep -q 'Basic ' strings.txt && die "credentials can be read in the capture"
grep -q 'ibe:request' strings.txt && die "a key request can be read in the capture"
grep -q 'PRIVATE' out/pki/*.pem && die "a private key was written"

# What the certificates are worth, by openssl alone.
openssl_says server-kms.home.example.pem 'out/pki/server-kms.home.example.pem: OK' -purpose sslserver \
  -verify_hostname kms.home.example
openssl_says server-kms.home.example.pem 'hostname mismatch' -verify_hostname kms.elsewhere.example
openssl_says server-kms.home.example.pem 'certificate has expired' -attime "$(date -d '2036-01-01' +%s)"

kind() { # CERTIFICATE TEXT: the certificate of that kind, and what openssl says
  rm -rf out
  expect_status 1 run "$kms/parameters-tls.yaml" --out out --quiet --set "domains.0.kms.certificate=$1"
  openssl_says server-kms.home.example.pem "$2" -verify_hostname kms.home.example
}
kind self-signed 'self-signed certificate'
kind untrusted-ca 'unable to get local issuer certificate'
[ -s out/pki/untrusted-ca.pem ] || die "untrusted-ca.pem is missing"
kind wrong-name 'hostname mismatch'
kind expired 'certificate has expired'

# Without TLS the same can be read by anybody: the checks above would notice.
rm -rf out
expect_status 0 run "$kms/key-request-rfc5408.yaml" --out out --quiet --set domains.0.kms.tls=off
[ ! -e out/pki ] || die "certificates without TLS"
tshark -r "$pcap" -d tcp.port==80,http -Y http.authorization -T fields -e http.authorization 2>/dev/null |
  grep -q '^Basic ' || die "plain HTTP does not show the credentials"
strings -n 8 "$pcap" | grep -q 'ibe:request' || die "plain HTTP does not show the key request"

# And a run without RFC 5408 has none of it.
rm -rf out
expect_status 0 run "$basic/first-call-80.yaml" --out out --keylog --quiet
[ ! -e out/pki ] && [ ! -e out/tls-keys.log ] || die "a run without TLS wrote certificates or TLS keys"

# Proving parameters takes its time where a processor is modelled, and so does extracting keys.
rm -rf out
expect_status 0 run "$kms/key-request-rfc5408.yaml" --out out --quiet
expect_status 0 run "$kms/key-request-rfc5408.yaml" --out slow --quiet --set users.alice.cpu=phone \
  --set domains.0.kms.cpu=phone
python3 - <<'END' || die "a slow processor changes nothing"
import json
fast, slow = (json.load(open(f"{name}/result.json"))["users"][0] for name in ("out", "slow"))
def took(entry):
    return entry["end_ns"] - entry["begin_ns"]
assert fast["parameters"][0]["secure"] and fast["parameters"][0]["failure"] is None
assert took(slow["parameters"][0]) > took(fast["parameters"][0])
assert took(slow["key_requests"][0]) > took(fast["key_requests"][0])
assert fast["key_requests"][0]["method"] == "rfc5408" and fast["key_requests"][0]["tries"] == 1
END

# Twins: each scenario is disappointed when its essential line is changed.
twin() { # TEXT FILE SET…: the scenario with these settings fails, and names the expectation
  local text=$1 file=$kms/$2 sets=()
  shift 2
  for set in "$@"; do sets+=(--set "$set"); done
  expect_status 1 run "$file" --out twin --quiet "${sets[@]}"
  expect_text "$text"
}
twin 'users: parameters-obtained' parameters-tls.yaml domains.0.kms.certificate=untrusted-ca
twin 'users: parameters-obtained' parameters-tls.yaml domains.0.kms.parameters-for-users=provisioned
twin 'calls: completed' parameters-two-domains.yaml domains.1.kms.certificate=wrong-name
twin 'users: parameters-obtained' parameters-two-domains.yaml domains.1.kms.parameters-for-others=provisioned
twin 'users: parameters-failure untrusted' parameters-untrusted-ca.yaml domains.0.kms.certificate=trusted
twin 'users: parameters-failure untrusted' parameters-self-signed.yaml domains.0.kms.certificate=trusted
twin 'users: parameters-failure wrong-name' parameters-wrong-name.yaml domains.0.kms.certificate=trusted
twin 'users: parameters-failure expired-certificate' parameters-expired-certificate.yaml domains.0.kms.certificate=trusted
twin 'user alice: parameters-failure untrusted' parameters-untrusted-between-domains.yaml domains.1.kms.certificate=trusted
twin 'user bob: parameters-failure expired' parameters-expired.yaml 'domains.0.kms.parameters-validity=60 d'
twin 'user alice: parameters-obtained 4' parameters-renewed.yaml 'domains.1.kms.parameters-validity=1 d'
twin 'users: keys-obtained' key-request-rfc5408.yaml users.alice.kms-key-password=another
twin 'user alice: keys-failure refused' key-request-rfc5408-wrong-password.yaml 'users.alice.kms-key-password=open sesame'
twin 'call too-early: established none' rfc5408-outage.yaml 'domains.0.kms.outage.for=1 s'
twin 'users: keys-failure bad-certificate' key-request-rfc5408-untrusted.yaml domains.0.kms.certificate=trusted
