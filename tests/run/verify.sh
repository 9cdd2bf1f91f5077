#!/usr/bin/env bash
# Every basic scenario is right in the eyes of tests/independent/verify_run.py, which shares no code with the product, and
# verify_run.py notices when something is wrong.
. "$(dirname "$0")/lib.sh"

played() { # SCENARIO OPTIONS…: runs it into out/NAME
  local name
  name=$(basename "$1" .yaml)
  expect_status 0 run "$@" --keylog --quiet --out "out/$name"
}

told() { # PYTHON-EXPRESSION over `result`, the run's result.json
  python3 -c "import json; result = json.load(open('out/$name/result.json')); print($1)"
}

# What must be found right: as many exchanges, keys and packets as the run says that there were.
for file in "$basic"/*.yaml; do
  name=$(basename "$file" .yaml)
  played "$file"
  lossless=--lossless
  grep -q 'loss:' "$file" && lossless=
  verify 0 $lossless "out/$name"
  expect_line "^GOOD  out/$name"
  expect_line "^$(told "result['summary']['established']") complete exchanges, "
  expect_text ", $(told "sum(user['keys'] for user in result['users'])") private keys delivered"
  [ -n "$lossless" ] || continue
  expect_line "^$(told "sum(way['sent'] for call in result['calls'] for way in call['media'])") SRTP packets \(0 missing\)"
  [ "$name" = hundred-calls ] && continue
  expect_line 'sip:alice@home.example: [0-9]+ SRTP packets, 0 missing, a tone of 440 Hz'
  expect_line 'sip:bob@home.example: [0-9]+ SRTP packets, 0 missing, a tone of 660 Hz'
done
# Both ways to carry SIP were there, over both versions of IP.
for name in first-call-80 ipv6; do
  for transport in TCP UDP; do
    grep -aq "SIP/2.0/$transport" "out/$name/capture/all.pcap" || die "$name has no SIP over $transport"
  done
done

# The choices that the scenarios above do not make. What they expect of the number of keys is of no interest here.
choices=0
for choice in kms.encryption=AES-KW-128 kms.granularity=hour kms.issue=next mikey.timestamp=NTP-UTC-32 mikey.timestamp=COUNTER; do
  "$ibakelab" run "$basic/first-call-80.yaml" --set "domains[home.example].$choice" --keylog --quiet --out out/choice \
    >output.txt 2>&1
  verify 0 --extract none --lossless out/choice
  expect_text '1 complete exchanges'
  choices=$((choices + 1))
done
[ "$choices" = 5 ] || die "$choices choices instead of 5"
played "$basic/first-call-80.yaml" --set calls.first.curve=P-521 --set calls.first.media.srtp=AES_CM_128_HMAC_SHA1_32
verify 0 --extract none --lossless out/first-call-80

# Calls that fail: what there is of them is right, and it is not taken for a complete exchange. A call that SIP refused before
# anybody answered I_MESSAGE_1 leaves nothing incomplete behind.
while read -r name plain; do
  played "$faults/$name.yaml"
  verify 0 --extract none --allow-incomplete --allow-none "out/$name"
  expect_line "^$(told "result['summary']['established']") complete exchanges, .*, [1-9][0-9]* incomplete exchanges"
  verify "$plain" --extract none --allow-none "out/$name"
  [ "$(told "result['summary']['established']")" = 0 ] || continue
  verify 1 --extract none --allow-incomplete "out/$name"
  expect_text 'no complete exchange'
done <<'END'
called-too-early 0
unregistered-callee 0
unknown-kms 1
wrong-psk 1
wrong-clock-peer 1
END
# A clock that is wrong is told from the messages alone.
while read -r name text; do
  played "$faults/$name.yaml"
  verify 1 --extract none --allow-incomplete --allow-none "out/$name"
  expect_text "$text"
done <<'END'
wrong-clock-date not for the date of T
wrong-clock-kms T is -3600 s off
END

# What must be found wrong: the spoiled thing, and what a finding about it says.
played "$basic/first-call-80.yaml"
good=out/first-call-80

spoiled() { # STATUS TAMPERING…: the capture of the good run, spoiled
  local status=$1
  shift
  "$python" "$independent/tamper.py" "$good/capture/all.pcap" spoiled.pcap "$@" || die "tamper.py $*"
  verify "$status" --extract none --lossless --capture spoiled.pcap "$good"
}

spoiled 0 fragment
spoiled 0 shuffle
for message in I_MESSAGE_1 R_MESSAGE_1 I_MESSAGE_2; do
  spoiled 1 flip-mikey $message IBAKE
  expect_line "^WRONG  packet [0-9]+: IBAKE of $message .* opens it"
done
spoiled 1 flip-mikey R_MESSAGE_2 V
expect_line '^WRONG  packet [0-9]+: R_MESSAGE_2 .*: V is not valid'
spoiled 1 flip-mikey R_MESSAGE_2 SP
expect_line '^WRONG  packet [0-9]+: R_MESSAGE_2 .*: SP is not as offered'
spoiled 1 flip-mikey R_MESSAGE_1 T
expect_line '^WRONG  packet [0-9]+: R_MESSAGE_1 .*: T is not that of I_MESSAGE_1'
spoiled 1 flip-mikey I_MESSAGE_2 RAND
expect_line '^WRONG  packet [0-9]+: I_MESSAGE_2 .*: RAND is not I_MESSAGE_1'
spoiled 1 flip-mikey REQUEST_KEY_PSK V
expect_line '^WRONG  packet [0-9]+: V of REQUEST_KEY_PSK .* is not valid with any PSK'
spoiled 1 flip-mikey REQUEST_KEY_RESP KEMAC 200
expect_line '^WRONG  packet [0-9]+: REQUEST_KEY_RESP .*: V is not valid with the PSK'
spoiled 1 drop-mikey REQUEST_KEY_RESP
expect_line '^WRONG  packet [0-9]+: REQUEST_KEY_PSK .* has no REQUEST_KEY_RESP'
spoiled 1 drop-mikey I_MESSAGE_1
expect_line '^WRONG  packet [0-9]+: R_MESSAGE_1 .* belongs to no I_MESSAGE_1'
spoiled 1 drop-mikey R_MESSAGE_2
expect_line '^WRONG  packet [0-9]+: I_MESSAGE_2 .* is followed by no R_MESSAGE_2'
expect_line '^WRONG  packet [0-9]+: octets of the TCP connection before this segment are not in the capture'
spoiled 1 cut-mikey REQUEST_KEY_RESP
expect_line '^WRONG  packet [0-9]+: the TCP connection ends amid a message'
verify 0 --extract none --allow-incomplete --capture spoiled.pcap "$good" # it broke off
spoiled 1 cut-mikey REQUEST_KEY_RESP fin
verify 1 --extract none --allow-incomplete --capture spoiled.pcap "$good" # it did not: its sender ended it
expect_line '^WRONG  packet [0-9]+: the TCP connection ends amid a message'
spoiled 1 flip-udp 100
expect_line '^WRONG  packet [0-9]+: sip:.*: the SRTP tag is wrong'
spoiled 1 drop-udp 100
expect_line '^WRONG  packet [0-9]+: sip:.*: RTP packets are missing'
verify 0 --extract none --capture spoiled.pcap "$good" # without --lossless, a lost packet is no fault
spoiled 1 hasten 'BYE sip:' 400
expect_line '^WRONG  packet [0-9]+: sip:.* goes on after its BYE'
spoiled 1 flip-raw 76
expect_line '^WRONG  packet 76: wrong TCP checksum'

# A digit of a key log line.
wrong_line() { # KIND REGEX OPTIONS…
  local kind=$1 regex=$2
  shift 2
  awk -v kind="$kind" '$1 == kind && !done { last = substr($0, length($0)); done = 1
                         $0 = substr($0, 1, length($0) - 1) (last == "0" ? "1" : "0") } 1' "$good/keys.log" >wrong.log
  differ "$good/keys.log" wrong.log
  verify 1 --keylog wrong.log "$@" "$good"
  expect_line "$regex"
}

wrong_line PARAMS '^WRONG  key log, line [0-9]+ \(PARAMS\)'
wrong_line MASTER '^WRONG  key log, line [0-9]+ \(MASTER\): .*P_pub' --extract none
wrong_line PRIV '^WRONG  packet [0-9]+: REQUEST_KEY_RESP .*: the private key of .* is not that of the key log' --extract none
wrong_line PSK '^WRONG  packet [0-9]+: V of REQUEST_KEY_PSK' --extract none
wrong_line X '^WRONG  packet [0-9]+: I_MESSAGE_1 .*: no X of the key log' --extract none
wrong_line Y '^WRONG  packet [0-9]+: R_MESSAGE_1 .*: no Y of the key log' --extract none
for kind in KSESSION MPK TGK AUTHKEY TEK SALT; do
  wrong_line $kind "^WRONG  packet [0-9]+: R_MESSAGE_2 .*: key log, line [0-9]+ \($kind .*\), is wrong" --extract none
done
{ cat "$good/keys.log"; grep '^TEK' "$good/keys.log" | tail -n 1 | sed 's/ [0-9a-f]*$/ 00/'; } >wrong.log # one too many
verify 1 --extract none --keylog wrong.log "$good"
expect_line '^WRONG  key log, line [0-9]+ \(TEK .*\): not what the capture'
# Each private key is its neighbour's: their extraction shows it.
{ grep -v '^PRIV' "$good/keys.log"; grep '^PRIV' "$good/keys.log" | awk '{ key[NR] = $3; name[NR] = $2 }
    END { for (i = 1; i <= NR; i++) print "PRIV", name[i], key[i % NR + 1] }'; } >wrong.log
verify 1 --keylog wrong.log "$good"
expect_line '^WRONG  key log, line [0-9]+ \(PRIV .*\): S_id is not \[s\]Q_id'

# What cannot be judged at all.
verify 2 nowhere
verify 2 --keylog "$basic/ipv6.yaml" "$good"
verify 2 --capture "$good/keys.log" "$good"
verify 2 --bogus "$good"
