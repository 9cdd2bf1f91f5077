#!/usr/bin/env bash
# Every scenario of interception passes, and docs/interception.md says what these runs say.
. "$(dirname "$0")/lib.sh"
table=$source_dir/scripts/interception-table page=$source_dir/docs/interception.md
set -- "$source_dir"/scenarios/interception/*.yaml
expect_status 0 run "$@" --jobs 2 --quiet --out out
[ "$(grep -c ': pass$' output.txt)" = $# ] || die "not all of $# scenarios passed"

python3 "$table" out --check "$page" || die 'the page and the runs differ'

# What the users of (b) could compare, and those of (c) in vain: is Alice's CSB ID that of what came to Bob?
carries() { # RUN: Bob's link shows the CSB ID of the caller's exchange
  local id
  id=$(grep -o '"csb_id": *"[0-9a-f]*"' "out/$1/result.json" | grep -o '[0-9a-f]\{8\}')
  expect_status 0 decode "out/$1/capture/bob-core.home.example.pcap"
  grep 'CSB ID' output.txt | grep -q "0x${id:?of $1 is missing}"
}
carries b-active-kms && die 'under (b) both ends are in one exchange'
carries c-known-scalars || die 'under (c) something is changed on the way'

# The check can fail: another result, a scenario that did not hold, one that is missing.
refused() { # WHY
  python3 "$table" changed --check "$page" >/dev/null 2>&1 && die "the page is accepted although $1"
  rm -r changed
}
cp -r out changed
sed -i 's/"keys_agree":false/"keys_agree":true/; s/"keys_agree": false/"keys_agree": true/' changed/b-active-kms/result.json
refused 'the keys of (b) agree'
cp -r out changed
sed -i 's/"verdict":"pass"/"verdict":"fail"/; s/"verdict": "pass"/"verdict": "fail"/' changed/a-passive-kms/result.json
refused 'a scenario fails'
cp -r out changed
rm -r changed/d-undisclosed
refused 'a run is missing'
