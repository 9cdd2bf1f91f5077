#!/usr/bin/env bash
# Wireshark, which is not ours, sees in the captures of whole runs what ought to be there: SIP and SDP with MIKEY in it,
# HTTP, SRTP, right checksums, nothing malformed; and it reads the headers of the MIKEY messages as `ibakelab decode` does.
# (cli/tshark_test.py compares single messages field by field.)
. "$(dirname "$0")/lib.sh"
command -v tshark >/dev/null || die 'tshark is missing'
checksums=(-o ip.check_checksum:TRUE -o udp.check_checksum:TRUE -o tcp.check_checksum:TRUE)

packets() { # CAPTURE FILTER: how many packets
  tshark -r "$1" "${checksums[@]}" -Y "$2" -T fields -e frame.number 2>tshark.txt | wc -l
}

none() { # CAPTURE FILTER
  local count
  count=$(packets "$1" "$2")
  [ "$count" = 0 ] || die "$1 has $count packets with $2, packet $(tshark -r "$1" "${checksums[@]}" -Y "$2" -T fields \
    -e frame.number 2>/dev/null | head -n 1) first"
}

some() { # CAPTURE FILTER
  [ "$(packets "$1" "$2")" -gt 0 ] || die "$1 has no packet with $2; tshark says: $(cat tshark.txt)"
}

right() { # CAPTURE
  # Encrypted RTCP is dissected as if it were plain, so what follows its header is malformed by chance.
  none "$1" '_ws.malformed && !rtcp'
  none "$1" 'ip.checksum.status == "Bad" || udp.checksum.status == "Bad" || tcp.checksum.status == "Bad"'
  none "$1" 'tcp.analysis.lost_segment || tcp.analysis.ack_lost_segment'
  some "$1" 'udp.checksum.status == "Good"'
  some "$1" 'tcp.checksum.status == "Good"'
}

same_headers() { # CAPTURE
  tshark -r "$1" -Y mikey -T fields -E separator='|' -E aggregator=' ' -e frame.number -e mikey.type -e mikey.version -e mikey.v.set \
    -e mikey.prf_func -e mikey.csb_id -e mikey.cs_count -e mikey.cs_id_map_type -e mikey.srtp_id.ssrc -e mikey.id.data \
    2>tshark.txt >theirs.txt
  "$ibakelab" decode --json --repeat "$1" >ours.json 2>output.txt || die "decode: $(cat output.txt)"
  python3 - <<'PYTHON' || die "$1: tshark and decode read different headers"
import json
NAMES = ["data type", "version", "V", "PRF func", "CSB ID", "#CS", "CS ID map type", "SSRC"]


def leaves(fields):
    for field in fields:
        if field["name"] == "IBAKE" or field["name"] == "KEMAC":  # theirs ends here, and ours needs a key log
            continue
        yield field
        yield from leaves(field.get("fields", []))


theirs = {}
for line in open("theirs.txt"):
    frame, *values = line.rstrip("\n").split("|")
    theirs[int(frame)] = [[int(v, 0) for v in value.split()] for value in values[:8]] + [values[8].split()]
ours = {}
for message in json.load(open("ours.json"))["messages"]:
    columns = ours.setdefault(message["origin"]["frame"], [[] for _ in range(9)])
    for field in leaves(message["fields"]):
        if field["name"] in NAMES and "number" in field:
            columns[NAMES.index(field["name"])].append(field["number"])
        if field["name"] == "ID data":
            columns[8].append(field["text"])
assert len(theirs) > 20, theirs
assert set(theirs) == set(ours), set(theirs) ^ set(ours)
for frame in theirs:
    assert theirs[frame] == ours[frame], (frame, theirs[frame], ours[frame])
kinds = {kind for columns in theirs.values() for kind in columns[0]}
assert kinds == {19, 21, 22, 23, 24, 25}, kinds
print(len(theirs), "packets compared")
PYTHON
}

for name in first-call ipv6; do
  expect_status 0 run "$basic/$name.yaml" --quiet --out "$name"
  capture=$name/capture/all.pcap
  right "$capture"
  for method in REGISTER INVITE PRACK ACK BYE; do
    some "$capture" "sip.Method == \"$method\""
  done
  for filter in 'sdp.key_mgmt.kmpid == "mikey"' 'sip.Status-Code == 183 && mikey.type == 23' 'sip.Method == "INVITE" && mikey.type == 22' \
    'sip.Method == "PRACK" && mikey.type == 24' 'sip.Status-Code == 200 && mikey.type == 25' 'http.request.method == "POST"' \
    'http.content_type == "application/mikey" && mikey.type == 19' 'http && mikey.type == 21' diameter rtp; do
    some "$capture" "$filter"
  done
  same_headers "$capture"
done

# These tests notice what is wrong: a bit in packet 100.
/usr/bin/python3 "$source_dir/tests/independent/tamper.py" first-call/capture/all.pcap spoiled.pcap flip-raw 100
(right spoiled.pcap) >output.txt && die 'a wrong checksum goes unnoticed'
expect_text 'packet 100 first'
