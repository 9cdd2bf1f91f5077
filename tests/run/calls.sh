#!/usr/bin/env bash
# The scenarios of scenarios/calls are disappointed when the line that matters in them is changed.
. "$(dirname "$0")/lib.sh"
calls=$source_dir/scenarios/calls

fails() { # TEXT SCENARIO OPTIONS…: the expectation that must not hold any more
  local text=$1 file=$2
  shift 2
  rm -rf out
  expect_status 1 run "$calls/$file.yaml" --out out --quiet "$@"
  expect_text "$text"
}

# Between domains: each side needs the parameters of the other and keys of its own KMS.
fails 'user bob: private-keys 24' two-domains --set users.bob.kms=kms@north.example
fails 'calls: established all' two-domains --set users.carol.register=false
fails 'call southwards: setup-time' two-domains --set 'links.interconnect.delay=500 ms'
fails 'network: packets-lost none' two-domains-ipv6 --set 'links.interconnect.loss=20 %'

# Forking
fails 'call forked: answered-by bob-tablet' fork-parallel --set users.alice.accept-answer-from=asked
fails 'call forked: answered-by bob-tablet' fork-parallel --set 'users.bob-car.ring-time=100 ms'
fails 'call forked: legs 3' fork-parallel --set users.bob-car.register=false
fails 'call forked: legs 3' fork-parallel --set 'domains[home.example].forking=sequential'
fails 'call forked: legs 3' fork-parallel --set users.bob-car.busy=always
fails 'call forked: established none' fork-refused --set users.alice.accept-answer-from=domain
fails 'call forked: answered-by bob' fork-asked --set users.alice.accept-answer-from=any
fails 'call searching: setup-time' fork-sequential --set 'domains[home.example].forking=parallel'
fails 'call searching: answered-by bob' fork-sequential --set users.bob-car.busy=never
fails 'call searching: setup-time' fork-sequential --set users.bob.priority=1

# Diversion
fails 'call diverted: established all' divert-silent --set users.alice.accept-answer-from=asked
fails 'call diverted: established all' divert-silent --set users.carol.answers-for-others=false
fails 'call diverted: answered-by carol' divert-silent --set users.bob.divert.when=busy
fails 'call number: established all' divert-by-number --set users.bob.divert.when=busy
fails 'call service: answered-by carol' divert-by-number --set users.carol.answers-for-others=false
fails 'call forwarded: established all' divert-notify --set users.alice.accept-answer-from=domain
fails 'call redirected: established all' divert-redirect --set users.alice.accept-answer-from=asked
fails 'call redirected: established all' divert-redirect --set users.bob.divert.how=silent
fails 'call second: answered-by carol' divert-busy --set users.bob.busy=never
fails 'call patient: answered-by carol' divert-no-answer --set users.bob.answers=true
fails 'call not-her: reason' divert-refused --set users.alice.accept-answer-from=any
fails 'call not-there: sip-status 302' divert-refused --set users.alice.accept-answer-from=any
fails 'call not-for-me: reason no-key' divert-refused --set users.erin.answers-for-others=true

# Taken back, switched off
fails 'calls: failed 18' cancel-states --set 'calls.ringing.cancel-after=2 s'
fails 'call nothing: sip-status 480' switched-off --set 'users.bob-tablet.off=40 s'

# What cannot be an expectation: that nothing stays half open (the run ends when all is idle, long before its
# limit of ten minutes), and who is told what.
expect_status 0 run "$calls/cancel-states.yaml" --out cancel --quiet
python3 - <<'END' || die 'a call that was taken back stays half open'
import json
result = json.load(open("cancel/result.json"))
assert result["virtual_ns"] < 60e9, result["virtual_ns"]
assert all(call["ended_ns"] for call in result["calls"])
END
expect_status 0 run "$calls/switched-off.yaml" --out off --quiet
expect_status 0 run "$calls/divert-notify.yaml" --out notify --quiet
expect_status 0 run "$calls/divert-silent.yaml" --out silent --quiet
python3 - <<'END' || die 'the mailbox, or the caller of a diverted call, is told something else'
import json
def events(run):
    return [json.loads(line) for line in open(f"{run}/events.jsonl")]
told = [(e["user"][4:-13], e["registered"]) for e in events("off") if e["event"] == "told-registration"]
assert sorted(told) == sorted([("alice", True), ("bob", True), ("bob", True), ("bob", False), ("voicemail", True)]), told
assert told[-1] == ("bob", False), told
for run, times in ("notify", 1), ("silent", 0):
    forwarded = [e for e in events(run) if e["event"] == "received" and e["node"] == "alice"
                 and e.get("label", "").startswith("181")]
    assert len(forwarded) == times, run
END
