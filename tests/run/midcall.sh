#!/usr/bin/env bash
# The scenarios of mid call are disappointed when the one thing that they are about is changed.
. "$(dirname "$0")/lib.sh"
calls=$source_dir/scenarios/calls

fails() { # TEXT OPTIONS…
  local text=$1
  shift
  rm -rf out
  expect_status 1 run "$@" --out out --quiet
  expect_text "$text"
}

a=calls.first.actions
fails 'call first: updates 2: 1' "$calls/update-caller.yaml" --set "$a[0].do=hold"
fails 'call first: updates 2: 1' "$calls/update-callee.yaml" --set "$a[1].do=resume"
fails 'call first: rekeyings 2: 1' "$calls/rekey-caller.yaml" --set "$a[0].do=update"
fails 'call first: rekeyings 2: 1' "$calls/rekey-callee.yaml" --set "$a[1].do=update"
fails 'call named: mki-agreed 2: 3' "$calls/rekey-mki.yaml" --set 'calls.named.actions[2].mki=third'
fails 'call named: rekeyings 3: 2' "$calls/rekey-mki.yaml" --set 'calls.named.actions[2].do=update'
fails 'call first: packets-lost-in-media none' "$calls/rekey-under-load.yaml" --set 'links.access.loss=1 %'
fails 'call first: video-received at least 200: 0' "$calls/add-video.yaml" --set "$a[0].do=update" \
  --set "$a[3].do=update"
fails 'call first: packets-received at least 250' "$calls/hold-resume.yaml" --set "$a[3].do=update"
fails 'calls: packets-received below 400' "$calls/hold-resume.yaml" --set "$a[0].do=update" --set "$a[1].do=update"
fails 'call first: glares at least 5' "$calls/glare.yaml" --set "$a[0].at=5 s"
fails 'call first: updates 3: 1' "$calls/rekey-across-midnight.yaml" \
  --set 'domains[home.example].kms.issue=current' --set 'domains[home.example].kms.outage.from=5 s' \
  --set 'domains[home.example].kms.outage.for=1 h'
fails 'call first: updates-refused 1: 0' "$calls/rekey-refused.yaml" --set 'domains[home.example].kms.issue=period'
fails 'call first: established all' "$calls/carrier-update.yaml" --set users.bob.kms=kms@nowhere.example
# A round trip more before it rings, or one less before the 200.
fails 'call first: setup-time above 1400 ms' "$calls/carrier-update.yaml" --set calls.first.carrier=prack
fails 'call first: setup-time below 1300 ms' "$calls/carrier-reinvite.yaml" --set calls.first.carrier=prack
fails 'users: open-calls none' "$faults/vanish.yaml" --set 'time-limit=16 min' \
  --set 'calls.caller-4s.session-expires=24 h' --set 'calls.caller-4s.duration=15 min' \
  --set 'calls.caller-4s.hang-up=callee' --set 'calls.caller-4s.at=30 s'
