#!/usr/bin/env bash
# An adversary that only listens leaves no trace: the run is, octet by octet, the one without it. One that changes
# something does: otherwise the comparison would prove nothing.
. "$(dirname "$0")/lib.sh"
base=$basic/first-call-80.yaml
with_rule() { # FILE RULE
  cat >"$1" <<END
ibakelab: 1
extends: $base
adversaries:
  - name: eve
    at: [{link: alice}, {node: pcscf.home.example}, {ue: bob}]
    rules: [$2]
expect: {users: {registered: all}}
END
}
with_rule listener.yaml '{on: mikey, do: record, as: all}'
with_rule meddler.yaml '{on: R_MESSAGE_2, nth: 1, do: drop}'
for name in "$base" listener.yaml meddler.yaml; do
  expect_status 0 run "$name" --out "out-$(basename "$name" .yaml)" --quiet
done
events() { # FOLDER: what happened, attacks and the run's own remarks apart
  grep -vE '"kind":"(attack|run)"' "$1/events.jsonl"
}
[ "$(grep -c '"kind":"attack"' out-listener/events.jsonl)" -ge 6 ] || die "the listener has recorded nothing"
events out-first-call-80 >plain.txt
events out-listener >listened.txt
same plain.txt listened.txt
for capture in out-first-call-80/capture/*.pcap; do
  same "$capture" "out-listener/capture/$(basename "$capture")"
done
differ out-first-call-80/capture/all.pcap out-meddler/capture/all.pcap
