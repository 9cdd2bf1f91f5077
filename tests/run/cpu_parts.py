"""The parts of set-up times: cpu_parts.py LOSSY CLEAN DIVERTED TWO. LOSSY and CLEAN are the same run with and without loss
on the access links."""

import json
import sys


def calls_of(folder):
    calls = json.load(open(f"{folder}/result.json"))["calls"]
    for call in calls:
        setup = call["setup"]
        assert setup and call["setup_ns"], (folder, call["id"])
        parts = sum(value for name, value in setup.items() if name != "crypto")
        assert parts == call["setup_ns"] and setup["crypto"] == [], (folder, call["id"], parts, call["setup_ns"])
        assert setup["ringing_ns"] == 10**9, (folder, call["id"], setup)
    return calls


lossy, clean, (diverted,), two = (calls_of(folder) for folder in sys.argv[1:])
assert len(lossy) == len(clean) == 10 and len(two) == 2
MS = 10**6
for call in clean:
    setup = call["setup"]
    # 9 times an access link of 20 ms (INVITE: with a TCP handshake), 31 ms and more of the core's 2 ms
    assert 180 * MS < setup["radio_ns"] < 260 * MS and 60 * MS < setup["core_ns"] < 200 * MS, setup
    assert setup["resent_ns"] == setup["keys_ns"] == 0, setup
for call, without in zip(lossy, clean):
    a, b = call["setup"], without["setup"]
    # What was lost costs time until it is sent again (T1 is 500 ms, TCP's first time-out a second); the way stays the same,
    # but for the handshakes of connections (three times 22 ms) that are made or not.
    slower = call["setup_ns"] - without["setup_ns"]
    assert abs(a["radio_ns"] - b["radio_ns"]) < 70 * MS and abs(a["core_ns"] - b["core_ns"]) < 70 * MS, (a, b)
    assert abs(a["resent_ns"] - slower) < 140 * MS, (call["id"], a["resent_ns"], slower)
assert sum(call["setup"]["resent_ns"] >= 400 * MS for call in lossy) >= 3
# Four seconds until the S-CSCF diverts are a timer's, not the links'.
setup = diverted["setup"]
assert setup["signalling_ns"] > 3500 * MS and setup["core_ns"] < 400 * MS and setup["resent_ns"] == 0, setup
for call in two:
    assert call["setup"]["core_ns"] > 200 * MS, call["setup"]
