#!/usr/bin/env bash
# Each scenario of keys over time is disappointed when its essential line is changed.
. "$(dirname "$0")/lib.sh"
kms=$source_dir/scenarios/kms
domain='domains[home.example]'

fails() { # TEXT SCENARIO OPTIONS…
  local text=$1
  shift
  rm -rf out
  expect_status 1 run "$@" --out out --quiet
  expect_text "$text"
}

fails 'calls: established all: 0 of 3' "$kms/several-identities.yaml" --set users.bob.kms-authorized=false
fails 'users: private-keys 2' "$kms/current-key-only.yaml" --set users.alice.ask-for=issue
fails 'users: keys-dropped 14' "$kms/hourly.yaml" --set "$domain.kms.granularity=day"
fails 'users: key-requests at least 6' "$kms/hourly-current.yaml" --set "$domain.kms.issue=period"
fails 'users: keys-dropped 1' "$kms/monthly.yaml" --set "$domain.kms.granularity=day"
fails 'users: key-requests 1' "$kms/month-of-keys.yaml" --set "$domain.kms.issue=current"
fails 'calls: completed all: 1 of 3' "$kms/refresh.yaml" --set "$domain.kms.outage={from: 1 h, for: 9 d}"
fails 'calls: completed all: 2 of 3' "$kms/midnight.yaml" --set "$domain.kms.issue=current" \
  --set "$domain.kms.outage={from: 1 min, for: 1 h}"
fails 'calls: completed all: 4 of 5' "$kms/kms-down-for-a-day.yaml" --set "$domain.kms.outage.for=72 h"
fails 'user mallory: keys-failure not-authorized' "$kms/refused-user.yaml" --set users.mallory.kms-authorized=true
fails 'users: keys-obtained all: 999 of 1000' "$kms/thousand-users.yaml" \
  --set 'users=[{name: "user-{n}", count: 999, register: false}, {name: late, kms-authorized: false}]'
fails 'user bob: keys-failure clock-skew' "$faults/wrong-clock-kms.yaml" --set 'users.bob.clock-offset=-4 min'
fails 'calls: established none' "$faults/wrong-clock-peer.yaml" --set 'users.bob.clock-offset=0 s'
fails 'calls: completed all: 0 of 2' "$faults/wrong-clock-midnight.yaml" --set "$domain.mikey.clock-skew=7 min"
fails 'calls: established none' "$faults/wrong-clock-date.yaml" --set 'users.alice.clock-offset=0 s'

# What result.json tells of it.
expect_status 0 run "$faults/wrong-clock-midnight.yaml" --out out --quiet
python3 - <<'END' || die "result.json lacks the request that an exchange needed, or the KMS's account"
import json
result = json.load(open("out/result.json"))
bob = {user["name"]: user for user in result["users"]}["bob"]
assert [r["kind"] for r in bob["key_requests"]][:2] == ["first", "demand"], bob["key_requests"]
assert all(r["failure"] is None and r["keys"] and r["end_ns"] > r["begin_ns"] for r in bob["key_requests"])
kms, = result["kms"]
assert kms["served"] == sum(len(user["key_requests"]) for user in result["users"])
END
expect_status 0 run "$faults/wrong-clock-kms.yaml" --out out --quiet
python3 - <<'END' || die "result.json does not tell why the KMS refused"
import json
kms, = json.load(open("out/result.json"))["kms"]
assert kms["refused_for"] == {"CLOCK_SKEW": 1} and kms["refused"] == 1, kms
END
