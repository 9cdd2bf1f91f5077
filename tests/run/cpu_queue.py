"""What the KMS of a run has to have done, recomputed from the table of its CPU model and the requests' arrivals alone:
cpu_queue.py OUT MODEL SIZE USERS CORES. Every user asks for one key."""

import json
import sys

out, model, size, users, cores = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4]), int(sys.argv[5])
cost = json.load(open(model))["operations_ns"]["ibe-extract"][size]


def ns(event):
    seconds, fraction = str(event["t"]).split(".") if "." in str(event["t"]) else (str(event["t"]), "0")
    return int(seconds) * 10**9 + int(fraction.ljust(9, "0"))


arrived, answered = [], []
with open(f"{out}/events.jsonl") as lines:
    for line in lines:
        event = json.loads(line, parse_float=str)
        if event["kind"] == "http" and event["node"].startswith("kms."):
            (arrived if event["event"] == "received" else answered).append((ns(event), event["peer"]))
assert len(arrived) == len(answered) == users, (len(arrived), len(answered))

# First come, first served, over the cores.
free = [0] * cores
ends, waits = [], []
for at, peer in arrived:
    core = free.index(min(free))
    start = max(at, free[core])
    free[core] = start + cost
    waits.append(start - at)
    ends.append((free[core], peer))
assert [end for end, _ in ends] == [at for at, _ in answered], "not the times at which the queue lets the answers go"
assert sorted(ends) == sorted(answered), "answers leave in another order than requests came"

# All came at about the same time: the i-th waits for those before it.
spread = arrived[-1][0] - arrived[0][0]
assert spread < users * cost // cores // 10, (spread, cost)
for i, wait in enumerate(waits):
    assert abs(wait - i // cores * cost) <= spread, (i, wait)
makespan = answered[-1][0] - arrived[0][0]
assert abs(makespan - -(-users // cores) * cost) <= spread, makespan

result = json.load(open(f"{out}/result.json"))
(kms,) = result["kms"]
cpu = kms["cpu"]
assert kms["requests"] == kms["served"] == cpu["jobs"] == users, kms
assert cpu["cores"] == cores and cpu["busy_ns"] == users * cost, cpu
assert cpu["waits_ns"] == {"min": min(waits), "mean": sum(waits) // users, "max": max(waits)}, (cpu, waits[-1])
assert cpu["queue_max"] == users - cores, cpu
assert kms["first_request_ns"] == arrived[0][0] and kms["last_answer_ns"] == answered[-1][0], kms
