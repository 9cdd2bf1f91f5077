#!/usr/bin/env bash
# A run whose expectation does not hold has exit status 1 and tells which line of the file was disappointed.
. "$(dirname "$0")/lib.sh"
call=$basic/first-call-80.yaml

broken() { # SED-COMMAND: an edit of first-call-80.yaml that makes one expectation wrong
  sed "$1" "$call" >broken.yaml
  cmp -s "$call" broken.yaml && die "the edit changes nothing: $1"
  local line
  line=$(diff "$call" broken.yaml | sed -n '1s/c.*//p')
  rm -rf out
  expect_status 1 run broken.yaml --out out --quiet
  expect_text 'broken.yaml: fail'
  expect_text "broken.yaml:$line:"
  python3 - "$line" <<'END' || die "result.json does not tell which expectation failed"
import json, sys
result = json.load(open("out/result.json"))
assert result["verdict"] == "fail"
assert [e["line"] for e in result["expectations"] if not e["held"]] == [int(sys.argv[1])]
END
}

broken 's/registered: all/registered: none/'
broken 's/private-keys: 31/private-keys: 30/'
broken 's/established: all/established: none/'
broken 's/keys-agree: all/keys-agree: none/'
broken 's/media-protected: all/media-protected: none/'
broken 's/setup-time: at most 2 s/setup-time: at most 1 s/'
broken 's/packets-received: at least 240/packets-received: at least 252/'
broken 's/packets-lost: none/packets-lost: at least 1/'
broken 's/retransmissions: none/retransmissions: at least 1/'
broken 's/plaintext-media: none/plaintext-media: at least 1/'

# The same scenarios are disappointed when the world is changed instead of the expectation.
fails() { # TEXT OPTIONS…
  local text=$1
  shift
  rm -rf out
  expect_status 1 run "$@" --out out --quiet
  expect_text "$text"
}

fails 'users: keys-obtained' "$call" --set users.alice.psk=00112233445566778899aabbccddeeff \
  --set users.alice.kms-psk=ffeeddccbbaa99887766554433221100
fails 'users: registered' "$call" --set users.bob.register=false
fails 'users: keys-obtained' "$call" --set users.bob.kms=kms@nowhere.example
fails 'call first: setup-time' "$call" --set 'links.access.delay=200 ms'
fails 'network: packets-lost none' "$call" --set 'links.access.loss=5 %'
fails 'call first: completed' "$call" --set 'calls.first.cancel-after=500 ms'
fails 'call nobody-there' "$faults/unregistered-callee.yaml" --set users.bob.register=true
