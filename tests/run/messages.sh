#!/usr/bin/env bash
# Deferred delivery and content that was encoded before the call: the scenarios are disappointed when the line that
# matters in them is changed, and what no expectation says.
. "$(dirname "$0")/lib.sh"
calls=$source_dir/scenarios/calls

fails() { # TEXT SCENARIO OPTIONS…: the expectation that must not hold any more
  local text=$1 file=$2
  shift 2
  rm -rf out
  expect_status 1 run "$calls/$file.yaml" --out out --quiet "$@"
  expect_text "$text"
}

fails 'user voicemail: messages-stored 3' deferred-delivery --set users.voicemail.mailbox=false
fails 'calls: established all' deferred-delivery --set users.alice.accept-answer-from=asked
fails 'user bob: messages-delivered 2' deferred-delivery --set users.bob.register=false
fails 'users: messages-refused none' deferred-delivery --set users.voicemail.mailbox-tampers=content
fails 'user bob: messages-refused 1' deferred-tampered-esk --set users.voicemail.mailbox-tampers=none
fails 'user bob: message-reason decrypt' deferred-tampered-esk --set users.voicemail.mailbox-tampers=content
fails 'user bob: messages-refused 1' deferred-tampered-content --set users.voicemail.mailbox-tampers=none
fails 'user bob: messages-delivered 1' deferred-next-day --set 'domains[home.example].kms.issue-back=0 s'
fails 'user carl: key-requests 1' deferred-next-day --set 'users.carl.keep-keys=0 s'
fails 'user erin: message-reason no-key' deferred-next-day --set 'domains[strict.example].kms.issue-back=1 d'
fails 'user bob: messages-delivered 1' deferred-busy --set 'calls.talking.duration=150 s'
fails 'user voicemail: messages-stored 1' deferred-two-kms --set 'users.bob.on=0 s'
fails 'user bob: messages-delivered 1' pre-encoded --set calls.first.pre-encoded=false
# Without an ESK in I_MESSAGE_1 the call for the mailbox itself is an ordinary one: nothing is left there.
fails 'user voicemail: messages-stored 2' pre-encoded-to-mailbox --set calls.for-the-mailbox.pre-encoded=false
fails 'user bob: messages-delivered 2' deferred-by-number --set 'users.bob.identities[0].identity=tel:+4930901899' \
  --set 'calls.by-number.called-as=tel:+4930901899' --set 'users.bob.register=false'
fails 'calls: established all: 0' deferred-by-number --set users.bob.divert.when=busy
fails 'user bob: messages-delivered 1: 0' deferred-reinvite --set 'domains[home.example].kms.issue-back=0 s'
# … and then nobody stays on the line, though the INVITE was answered long before.
grep -q 'open-calls' output.txt && die "a call stays open whose content could not be opened"
# What was never tried has not been shown.
fails 'user voicemail: messages-readable none' deferred-two-kms --set 'users.bob.on=0 s'

# What cannot be an expectation.
expect_status 0 run "$calls/deferred-delivery.yaml" --out once --quiet
expect_status 0 run "$calls/deferred-delivery.yaml" --out again --quiet
same once/result.json again/result.json
same once/events.jsonl again/events.jsonl
same once/capture/all.pcap again/capture/all.pcap
expect_status 0 run "$calls/deferred-busy.yaml" --out busy --quiet
expect_status 0 run "$calls/pre-encoded.yaml" --out encoded --quiet
expect_status 0 run "$calls/deferred-reinvite.yaml" --out late --quiet
python3 - <<'END' || die 'messages are not handed on once each, in their order'
import json
def events(run):
    return [json.loads(line) for line in open(f"{run}/events.jsonl")]
def result(run):
    return json.load(open(f"{run}/result.json"))
messages = result("once")["messages"]
assert [(m["call"], m["from"], m["to"], m["via"], m["recipient"], m["attempts"]) for m in messages] == [
    ("first", "alice", "bob", "voicemail", "bob", 1), ("second", "carl", "bob", "voicemail", "bob", 1),
    ("third", "alice", "dora", "voicemail", "dora", 1)], messages
assert all(m["intact"] and not m["readable"] and m["opened"] == m["packets"] > 90 for m in messages), messages
assert messages[0]["delivered_ns"] < messages[1]["delivered_ns"], messages
handed_on = [e for e in events("once") if e["event"] == "message-handed-on"]
assert len(handed_on) == 3, handed_on
# Bob's phone still talks at the first attempt.
assert [m["attempts"] for m in result("busy")["messages"]] == [2]
# What is sent is heard from the first packet on, by whoever had to fetch a key as well.
assert all(m["opened"] == m["packets"] for m in result("late")["messages"]), result("late")["messages"]
# Nothing is stored on the way; all that Bob received from Alice was content.
encoded = result("encoded")["messages"]
assert [(m["via"], m["stored_ns"], m["intact"]) for m in encoded] == [(None, None, True)], encoded
received = result("encoded")["calls"][0]["media"][0]
assert received["to"] == "bob" and encoded[0]["opened"] == received["received"] > 200, (encoded, received)
END
