#!/usr/bin/env bash
# Calls between domains, forked, diverted, taken back, updated in the middle, left for later, and keys by other ways are right
# in the eyes of tests/independent/verify_run.py, and it notices when one of them is spoiled.
. "$(dirname "$0")/lib.sh"
independent=$source_dir/tests/independent
python=/usr/bin/python3 # Debian's, which python3-cryptography belongs to

verify() { # STATUS ARGUMENTS…: what it says is in output.txt
  local want=$1 got=0
  shift
  "$python" "$independent/verify_run.py" "$@" >output.txt 2>&1 || got=$?
  [ "$got" = "$want" ] && return
  show_output
  die "verify_run.py: exit status $got instead of $want: $*"
}

expect_line() { # REGEX that a line of output.txt has to match
  grep -qE -- "$1" output.txt && return
  show_output
  die "no line of the output matches: $1"
}

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
verified 8 calls/deferred-next-day --lossless --allow-incomplete
played calls/deferred-tampered-esk
verify 1 --extract none "$good"
expect_line '^WRONG  packet [0-9]+: ESK of I_MESSAGE_1 .* opens it'
played calls/deferred-tampered-content
verify 1 --extract none "$good"
expect_line '^WRONG  packet [0-9]+: sip:voicemail@home.example: the SRTP tag is wrong'

# Parameters over plain HTTP.
verified 1 kms/parameters-tls-off --lossless
expect_text '2 sets of parameters fetched in the clear'
