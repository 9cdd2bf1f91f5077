#!/usr/bin/env bash
# `show` prints a scenario that says the same as the one it was made from; running it gives the same run.
. "$(dirname "$0")/lib.sh"
scenarios=$source_dir/scenarios
for file in "$basic"/first-call-80.yaml "$basic"/ipv6.yaml "$faults"/{wrong-psk,unknown-kms,called-too-early}.yaml \
  "$scenarios"/calls/{fork-sequential,divert-no-answer,add-video,deferred-delivery}.yaml \
  "$scenarios"/kms/{hourly,request-pke,key-request-rfc5408}.yaml; do
  name=$(basename "$file" .yaml)
  expect_status 0 show "$file" --seed 5 --set 'links.core.delay=3 ms'
  cp output.txt "$name.shown.yaml"
  expect_status 0 check "$name.shown.yaml"
  expect_status 0 show "$name.shown.yaml"
  same output.txt "$name.shown.yaml" # nothing is left to resolve
  expect_status 0 run "$file" --out one --seed 5 --set 'links.core.delay=3 ms' --keylog --quiet
  expect_status 0 run "$name.shown.yaml" --out two --keylog --quiet
  same "one/scenario.resolved.yaml" "$name.shown.yaml"
  same one/keys.log two/keys.log
  diff -rq one/capture two/capture || die "$name: the captures of the resolved scenario differ"
  python3 - <<'END' || die "$name: the results differ"
import json
one, two = (json.load(open(f"{name}/result.json")) for name in ("one", "two"))
for result in one, two:  # where it was read from, and in which order, is another matter
    del result["scenario"]
    result["expectations"] = sorted((e["text"], e["held"], e["observed"]) for e in result["expectations"])
assert one == two
END
  rm -rf one two
done
expect_status 0 show --reference
expect_text 'links'
