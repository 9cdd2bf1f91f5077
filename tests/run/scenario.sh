#!/usr/bin/env bash
# A scenario of the project passes, and leaves everything behind that docs/results.md names.
# Arguments: the scenario's file, then options for `ibakelab run`.
. "$(dirname "$0")/lib.sh"
file=$1
shift
expect_status 0 check "$file"
expect_status 0 run "$file" --out out --keylog --quiet "$@"
expect_text ': pass'
for name in result.json events.jsonl keys.log scenario.resolved.yaml capture/all.pcap; do
  [ -s "out/$name" ] || die "$name is empty or missing"
done
python3 - <<'END' || die "result.json or events.jsonl cannot be used"
import json
result = json.load(open("out/result.json"))
assert result["verdict"] == "pass", result["verdict"]
assert result["expectations"] and all(e["held"] is True for e in result["expectations"])
times = [json.loads(line)["t"] for line in open("out/events.jsonl")]
assert times == sorted(times), "events.jsonl is not in order of time"
END
