#!/usr/bin/env bash
# The time of cryptography: a KMS's queue follows from the table of its CPU model, a call's set-up time is the sum of
# its parts, and a model that takes no time leaves a run as it is without one.
. "$(dirname "$0")/lib.sh"
kms=$source_dir/scenarios/kms/thousand-users-cpu.yaml
call=$source_dir/scenarios/calls/phone-cpu.yaml
models=$source_dir/data/cpu-models

changed_model() { # PYTHON-STATEMENTS NAME: server.json, changed
  python3 - "$models/server.json" "$2" <<END || die "no model $2"
import json, sys
model = json.load(open(sys.argv[1]))
times = model["operations_ns"]
$1
json.dump(model, open(sys.argv[2], "w"))
END
}

# ---- the queue of a KMS (the scenario's expectations are for a thousand users of one core, and fail here)
queue() { # MODEL-FILE CORES OPTIONS…
  local model=$1 cores=$2
  shift 2
  rm -rf out
  expect_status 1 run "$kms" --set 'users[0].count=100' --set 'domains[0].kms.parameters=1024' \
    --set "domains[0].kms.cores=$cores" --out out --quiet "$@"
  python3 "$source_dir/tests/run/cpu_queue.py" out "$model" 1024 100 "$cores" || die "the queue of $cores cores"
}
changed_model 'times["ibe-extract"]["1024"] = 7000000' slow.json
queue "$models/server.json" 1
queue "$models/server.json" 2
queue slow.json 3 --set "domains[0].kms.cpu=$PWD/slow.json"
rm -rf out
expect_status 1 run "$kms" --out out --quiet --set 'domains[0].kms.cores=2'
expect_text 'kms home.example: longest-wait at least 3500 ms'

# ---- a call
expect_status 0 run "$call" --out slow --quiet
expect_status 1 run "$call" --out fast --quiet --set users.alice.cpu=instant --set users.bob.cpu=instant
expect_text 'call first: crypto-time at least 40 ms'
expect_text 'call first: setup-time at least 1400 ms'
python3 "$source_dir/tests/run/cpu_call.py" slow fast "$models/phone.json" 3072 || die 'the set-up of the call'
rm -rf out
expect_status 1 run "$call" --out out --quiet --set 'domains[0].kms.parameters=1024'
expect_text 'call first: crypto-time at least 40 ms'

# ---- a call that has to wait for keys: what the KMS does meanwhile is told apart from the way there and back
expect_status 0 run "$call" --out early --quiet --set "calls.first.at=0.12 s"
python3 -c '
import json
result = json.load(open("early/result.json"))
setup = result["calls"][0]["setup"]
events = [json.loads(line) for line in open("early/events.jsonl")]
def at(node, event, **fields):
    return next(e["t"] for e in events if (e["node"], e["event"]) == (node, event) and fields.items() <= e.items())
# Bob has been asked for R_MESSAGE_1 before the KMS is done with his request.
working = at("kms.home.example", "sent", kind="http", peer="bob") - at("bob", "waits-for-keys")
assert working > 0 and abs(setup["kms_ns"] - working * 1e9) < 10 and setup["keys_ns"] > 0, (setup, working)
assert sum(v for k, v in setup.items() if k != "crypto") + sum(
    n["computing_ns"] + n["queued_ns"] for n in setup["crypto"]) == result["calls"][0]["setup_ns"], setup' ||
  die "what a KMS does for a call"

# ---- where set-up times went: the parts add up, and what loss costs is told apart from the way itself
expect_status 0 run "$basic/lossy-link.yaml" --out lossy --quiet
expect_status 1 run "$basic/lossy-link.yaml" --out clean --quiet --set 'links.access.loss=0 %'
expect_status 0 run "$source_dir/scenarios/calls/divert-no-answer.yaml" --out patient --quiet
expect_status 0 run "$source_dir/scenarios/calls/two-domains.yaml" --out two --quiet
python3 "$source_dir/tests/run/cpu_parts.py" lossy clean patient two || die 'the parts of the set-up times'

# ---- three calls at once for Carol's phone: with one core the second and third wait
busy=$source_dir/scenarios/calls/simultaneous-calls.yaml
for cores in 1 8; do
  rm -rf busy
  expect_status 0 run "$busy" --out busy --quiet --set 'users[2].cpu=phone' --set "users[2].cores=$cores"
  queued=$(python3 -c '
import json
calls = json.load(open("busy/result.json"))["calls"]
print(any(n["queued_ns"] for c in calls if c["setup"] for n in c["setup"]["crypto"]))')
  [ "$queued" = "$([ "$cores" = 1 ] && echo True || echo False)" ] || die "queued with $cores cores: $queued"
done

# ---- a model that takes no time
changed_model 'for table in times.values(): table.update((size, 0) for size in table)' zero.json
expect_status 0 run "$basic/first-call-80.yaml" --out instant --quiet
expect_status 0 run "$basic/first-call-80.yaml" --out zero --quiet --set "users.alice.cpu=$PWD/zero.json" \
  --set "users.bob.cpu=$PWD/zero.json" --set "domains[0].kms.cpu=$PWD/zero.json"
same instant/events.jsonl zero/events.jsonl
for file in instant/capture/*.pcap; do
  same "$file" "zero/capture/${file##*/}"
done

# ---- models that do not fit
changed_model 'for table in times.values(): table.pop("3072", None)' small.json
expect_status 2 run "$call" --out out --quiet --set "users.alice.cpu=$PWD/small.json"
expect_text "alice: its CPU model 'server' has no time for ibe-verify-key at 3072 bits"
echo '{"format": "ibakelab-cpu-model/1"}' >bad.json
expect_status 2 check "$call" --set "users.alice.cpu=$PWD/bad.json"
expect_text "bad.json:1: 'name' is not a string"
