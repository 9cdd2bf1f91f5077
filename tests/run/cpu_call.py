"""What cryptography adds to a call's set-up, from the table alone: cpu_call.py SLOW FAST MODEL SIZE. SLOW is a run in
which both phones have the CPU model, FAST the same run without."""

import json
import sys

slow, fast, model, size = sys.argv[1:]
times = json.load(open(model))["operations_ns"]
ibe = {name: table[size] for name, table in times.items() if name.startswith("ibe-")}
keygen, dh = times["ec-keygen"]["256"], times["ec-dh"]["256"]


def call_of(folder):
    (call,) = json.load(open(f"{folder}/result.json"))["calls"]
    setup = call["setup"]
    parts = sum(value for name, value in setup.items() if name != "crypto")
    parts += sum(node["computing_ns"] + node["queued_ns"] for node in setup["crypto"])
    assert parts == call["setup_ns"], (folder, parts, call["setup_ns"])
    assert setup["ringing_ns"] == 10**9, setup
    return call


a, b = call_of(slow), call_of(fast)
seal, open_ = ibe["ibe-encrypt"], ibe["ibe-decrypt"]
# I_MESSAGE_1: x, a new peer, one encryption; R_MESSAGE_1 in, I_MESSAGE_2 out: decryption, [xy]P, encryption
alice = keygen + ibe["ibe-peer"] + seal + open_ + dh + seal
# I_MESSAGE_1 in, R_MESSAGE_1 out; I_MESSAGE_2 in, R_MESSAGE_2 out, which carries a MAC
bob = open_ + keygen + ibe["ibe-peer"] + seal + open_ + dh
assert [(n["node"], n["computing_ns"], n["queued_ns"]) for n in a["setup"]["crypto"]] == [
    ("alice", alice, 0), ("bob", bob, 0)], a["setup"]
assert b["setup"]["crypto"] == [], b["setup"]
assert a["setup_ns"] - b["setup_ns"] == alice + bob, (a["setup_ns"], b["setup_ns"])
for name in "ringing_ns", "radio_ns", "core_ns", "resent_ns", "keys_ns", "kms_ns", "signalling_ns":
    assert a["setup"][name] == b["setup"][name], name
