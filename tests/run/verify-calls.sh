#!/usr/bin/env bash
# Calls between domains, forked, diverted, taken back, updated in the middle, left for later, and keys by other ways are right
# in the eyes of tests/independent/verify_run.py, and it notices when one of them is spoiled.
. "$(dirname "$0")/lib.sh"

played() { # FOLDER/SCENARIO OPTIONS…: into a folder of the scenario's name
  local file=$source_dir/scenarios/$1.yaml
  good=$(basename "$1")
  shift
  expect_status 0 run "$file" --keylog --quiet --out "$good" "$@"
}

verified() { # EXCHANGES FOLDER/SCENARIO OPTIONS…: how many are complete
  local exchanges=$1
  played "$2"
  shift 2
  verify 0 --extract none "$@" "$good"
  expect_text "$exchanges complete exchanges, "
}

spoiled() { # REGEX TAMPERING…: the capture of the last run; a finding matches
  local regex=$1
  shift
  "$python" "$independent/tamper.py" "$good/capture/all.pcap" spoiled.pcap "$@" || die "tamper.py $*"
  verify 1 --extract none --lossless --capture spoiled.pcap "$good"
  expect_line "^WRONG  $regex"
}

relogged() { # REGEX AWK: the key log of the last run, changed
  awk "$2" "$good/keys.log" >wrong.log
  differ "$good/keys.log" wrong.log
  verify 1 --extract none --keylog wrong.log "$good"
  expect_line "^WRONG  $1"
}

# Lines 1 and 2 (or others) of a kind change places.
swap() { # KIND ONE TWO
  echo "\$1 == \"$1\" { n++; if (n == $2) { line[1] = NR } if (n == $3) { line[2] = NR } } { text[NR] = \$0 }
        END { for (i = 1; i <= NR; i++) print text[i == line[1] ? line[2] : i == line[2] ? line[1] : i] }"
}

# Between domains, forked, diverted, taken back: each dialog by itself, those to stand-ins with [x]P again and an ESK for the
# one called.
verified 2 calls/two-domains-ipv6 --lossless
verified 2 calls/two-domains --lossless
expect_text '(1024, 2048 bits)'
expect_text ', P-384'
expect_text ', P-521'
relogged 'packet [0-9]+: R_MESSAGE_1 .*: no Y of the key log' \
  '$1 == "Y" { if (!first) first = $3; else $3 = first } 1' # one callee's Y for the other's
verified 3 calls/fork-parallel --lossless
for user in bob bob-car bob-tablet; do
  expect_line "sip:alice@home.example calls sip:$user@home.example, CSB ID"
done
for leg in 1 2 3; do # V, IBAKE and Y of each leg
  spoiled 'packet [0-9]+: R_MESSAGE_2 .*: V is not valid' flip-mikey R_MESSAGE_2#$leg V
  spoiled 'packet [0-9]+: IBAKE of R_MESSAGE_1 .* opens it' flip-mikey R_MESSAGE_1#$leg IBAKE
  relogged 'packet [0-9]+: R_MESSAGE_1 .*: no Y of the key log' "\$1 == \"Y\" && ++n == $leg { next } 1"
done
verified 2 calls/fork-sequential --lossless
verified 1 calls/fork-asked --lossless
verified 0 calls/fork-refused --allow-none
verified 1 calls/divert-silent --lossless
verified 1 calls/divert-notify --lossless
spoiled 'packet [0-9]+: ESK of I_MESSAGE_2 .* opens it' flip-mikey I_MESSAGE_2 ESK
verified 1 calls/divert-redirect --lossless
verified 2 calls/divert-no-answer --lossless
verified 0 calls/divert-refused --allow-none
verified 14 calls/cancel-states
verified 1 calls/hang-up-early --allow-incomplete # nothing is said after the BYE

# In the middle of a call: CSB updates with and without new values, by either party, UPDATE and re-INVITE.
updated() { # UPDATES REKEYINGS REFUSED SCENARIO OPTIONS…: not a packet lost
  local want="$1 CSB updates, $2 of them with new keys, $3 refused" updates=$1
  shift 3
  played "calls/$1" "${@:2}"
  verify 0 --extract none --lossless "$good"
  expect_text '1 complete exchanges, '
  [ "$updates" = 0 ] || expect_text "$want"
}

updated 0 0 0 carrier-update
updated 0 0 0 carrier-reinvite
updated 2 0 0 update-caller
spoiled 'packet [0-9]+: R_MESSAGE_1 .*: V is not valid' flip-mikey R_MESSAGE_1#2 V
updated 2 0 0 update-callee
updated 1 1 0 hold-resume
updated 1 1 1 rekey-refused
updated 6 6 5 glare --set 'domains[home.example].mikey.timestamp=COUNTER' # each party counts for itself (P-34)
updated 3 2 0 add-video
expect_line 'sip:alice@home.example: [0-9]+ SRTP packets of video, 0 missing'
relogged 'packet [0-9]+: R_MESSAGE_1 .*: key log, line [0-9]+ \(TEK .* 03\), is wrong' '$1 == "TEK" && $3 == "03" { $4 = "00" $4; $4 = substr($4, 1, 32) } 1'
updated 2 2 0 rekey-caller
updated 3 3 0 rekey-mki
updated 2 2 0 rekey-callee
expect_text 'a tone of 660 Hz, under the keys of 3 exchanges'
spoiled 'packet [0-9]+: R_MESSAGE_1 .*: V is not valid' flip-mikey R_MESSAGE_1#2 V
spoiled 'packet [0-9]+: IBAKE of I_MESSAGE_1 .* opens it' flip-mikey I_MESSAGE_1#3 IBAKE
spoiled 'packet [0-9]+: R_MESSAGE_1 .*: T is not that of I_MESSAGE_1' flip-mikey R_MESSAGE_1#2 T
spoiled 'packet [0-9]+: I_MESSAGE_1 .* is followed by no R_MESSAGE_1' drop-mikey R_MESSAGE_1#3
spoiled 'packet [0-9]+: sip:.*: the SRTP tag is wrong' flip-udp 400
spoiled 'packet [0-9]+: sip:.*: RTP packets are missing' drop-udp 250
relogged 'packet [0-9]+: R_MESSAGE_1 .*: the key log has line [0-9]+ of these keys before line [0-9]+' "$(swap Y 1 2)"
relogged 'packet [0-9]+: R_MESSAGE_1 .*: key log, line [0-9]+ \(TEK .*\), is wrong' \
  '$1 == "TEK" && ++n == 5 { $4 = "00" substr($4, 3) } 1'
relogged 'key log, line [0-9]+ \(AUTHKEY .*\): not what' '{ print } $1 == "AUTHKEY" && !n++ { $3 = "00" $3; print }'

# Left for later, and encoded before the call: content under an SK that the mailbox hands on as it came.
verified 1 calls/pre-encoded --lossless
expect_text 'a tone of 440 Hz, under an SK'
spoiled 'packet [0-9]+: ESK of I_MESSAGE_1 .* opens it' flip-mikey I_MESSAGE_1 ESK
verified 3 calls/pre-encoded-to-mailbox --lossless
verified 2 calls/deferred-two-kms --lossless
spoiled 'packet [0-9]+: ESK of I_MESSAGE_2 .* opens it' flip-mikey I_MESSAGE_2 ESK
spoiled 'packet [0-9]+: ESK of I_MESSAGE_1 .* opens it' flip-mikey I_MESSAGE_1#2 ESK 40
verified 6 calls/deferred-delivery --lossless
expect_line 'sip:voicemail@home.example: [0-9]+ SRTP packets, 0 missing, a tone of 500 Hz, under an SK'
verified 4 calls/deferred-reinvite --lossless
verified 4 calls/deferred-by-number --lossless
verified 2 calls/divert-by-number --lossless
verified 8 calls/deferred-next-day --lossless --allow-incomplete
played calls/deferred-tampered-esk
verify 1 --extract none "$good"
expect_line '^WRONG  packet [0-9]+: ESK of I_MESSAGE_1 .* opens it'
played calls/deferred-tampered-content
verify 1 --extract none "$good"
expect_line '^WRONG  packet [0-9]+: sip:voicemail@home.example: the SRTP tag is wrong'

# Parameters over plain HTTP.
verified 1 kms/parameters-tls-off --lossless
expect_text '0 sets of parameters fetched over TLS, 2 in the clear'

# An Error message of the KMS has V under the same key as an answer.
played kms/refused-user
verify 0 --extract none --allow-incomplete --allow-none "$good"
expect_text ' Error messages, '
expect_text ' of them with a valid V'
spoiled 'packet [0-9]+: Error .*: V is not valid with the PSK' flip-mikey Error V
spoiled 'packet [0-9]+: Error .*: V is not valid with the PSK' flip-mikey Error ERR 2

# RFC 5408 over TLS: the records are opened with tls-keys.log, and what is inside is judged.
verified 2 kms/own-identity --lossless
verified 2 kms/parameters-two-domains --lossless
expect_text 'RFC 5408: '
expect_text ' sets of parameters fetched over TLS, 0 in the clear; 0 private keys'
verified 1 kms/key-request-rfc5408 --lossless
expect_text 'RFC 5408: 4 TLS connections; 2 sets of parameters fetched over TLS, 0 in the clear; 4 private keys'
verify 0 --extract all "$good"
spoiled 'packet [0-9]+: TLS: a record does not open' flip-tls 1
spoiled 'packet [0-9]+: TLS: a record does not open' flip-tls 9 20
relogged 'packet [0-9]+: RFC 5408: the private key of .* is not that of the key log' \
  '$1 == "PRIV" && !n++ { $3 = substr($3, 1, length($3) - 1) (substr($3, length($3)) == "0" ? "1" : "0") } 1'
relogged 'key log, line [0-9]+ \(PRIV .*\): not delivered in the capture' \
  '{ print } $1 == "PRIV" && !n++ { print $1, $2 "30", $3 }'

tls_relogged() { # REGEX AWK: the TLS key log, changed
  awk "$2" "$good/tls-keys.log" >wrong-tls.log
  differ "$good/tls-keys.log" wrong-tls.log
  verify 1 --extract none --tls-keylog wrong-tls.log "$good"
  expect_line "^WRONG  $1"
}
for secret in CLIENT_HANDSHAKE_TRAFFIC_SECRET SERVER_HANDSHAKE_TRAFFIC_SECRET CLIENT_TRAFFIC_SECRET_0 SERVER_TRAFFIC_SECRET_0; do
  tls_relogged 'packet [0-9]+: TLS: a record does not open' \
    "\$1 == \"$secret\" { \$3 = (substr(\$3, 1, 1) == \"0\" ? \"1\" : \"0\") substr(\$3, 2) } 1"
  tls_relogged "packet [0-9]+: TLS: the TLS key log has no $secret" "\$1 != \"$secret\""
done
echo 'CLIENT_RANDOM 00 00' >wrong-tls.log
verify 2 --tls-keylog wrong-tls.log "$good"

# Another anchor, another name, another time: the server is judged by its certificate.
cp -r "$good" other
cp other/pki/server-kms.home.example.pem other/pki/ca.pem
verify 1 --extract none other
expect_line '^WRONG  packet [0-9]+: TLS: the certificates do not lead to each other'

# A server that its clients do not believe: they end it by an alert, and say nothing else.
played kms/parameters-untrusted-ca
verify 0 --extract none --allow-incomplete --allow-none "$good"
expect_text 'RFC 5408: 2 TLS connections; 0 sets of parameters'
verify 1 --extract none --allow-none "$good"
expect_line '^WRONG  packet [0-9]+: TLS: the alert 48'

# The same in the clear, where a finger can be laid on what is said.
played kms/key-request-rfc5408 --set domains.0.kms.tls=off
verify 0 --extract none --lossless "$good"
expect_text 'RFC 5408: 0 TLS connections; 0 sets of parameters fetched over TLS, 2 in the clear; 4 private keys'
spoiled 'packet [0-9]+: RFC 5408: no key, but IBE304' replace IBE100 IBE304
spoiled 'packet [0-9]+: RFC 5408, request: ' replace 'Authorization: Basic' 'Authorization: Bosic'
spoiled 'packet [0-9]+: RFC 5408, request: ' replace '<ibe:keyRequest>' '<ibe:keyRequesd>'
spoiled 'packet [0-9]+: GET /ibe/pp brings status 503' replace 'HTTP/1.1 200 OK' 'HTTP/1.1 503 OK'
spoiled 'packet [0-9]+: IBESysParams of the district http://kms.home.example/ibe/pp, which was not asked' \
  replace 'Host: kms.home.example' 'Host: kms.hame.example'
spoiled 'packet [0-9]+: POST /ibe/key brings status 200, application/ibe-pkg-reply.xml' \
  replace 'Content-Type: application/ibe-pkg-reply+xml' 'Content-Type: application/ibe-pkg-reply.xml'
