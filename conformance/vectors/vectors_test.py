#!/usr/bin/python3
"""The kept vectors are of the schema, hold, and are what the generator makes; a changed one is noticed.
Arguments: the program, the directory of the vectors."""
import glob
import json
import os
import subprocess
import sys
import tempfile

import jsonschema

program, kept = sys.argv[1:]
LIMIT = 2_000_000  # octets of all files


def run(*arguments):
    return subprocess.run([program, "vectors", *arguments], capture_output=True, text=True)


def load(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def store(path, content):
    with open(path, "w", encoding="utf-8") as file:
        json.dump(content, file)


files = sorted(set(glob.glob(f"{kept}/*.json")) - {f"{kept}/vectors.schema.json"})
assert len(files) >= 8 and sum(os.path.getsize(path) for path in files) < LIMIT
validator = jsonschema.Draft202012Validator(load(f"{kept}/vectors.schema.json"))
for path in files:
    content = load(path)
    validator.validate(content)
    tests = [test for group in content["testGroups"] for test in group["tests"]]
    assert [test["tcId"] for test in tests] == list(range(1, content["numberOfTests"] + 1)), path
    assert {flag for test in tests for flag in test["flags"]} == set(content["notes"]), path
    assert len({json.dumps([g["type"], t]) for g in content["testGroups"] for t in g["tests"]}) == len(tests)

holding = run("verify", kept)
assert holding.returncode == 0 and holding.stdout.endswith("0 do not\n"), holding

with tempfile.TemporaryDirectory() as directory:
    made = run("generate", directory)
    assert made.returncode == 0, made
    assert sorted(os.listdir(directory)) == [os.path.basename(path) for path in files]
    for path in files:
        with open(path, "rb") as a, open(os.path.join(directory, os.path.basename(path)), "rb") as b:
            assert a.read() == b.read(), f"{path} is not what the generator makes: ibakelab vectors generate {kept}"
    keys = os.path.join(directory, "mikey_keys.json")
    good = load(keys)
    for name, value in (("outkey", "00"), ("result", "invalid"), ("result", "acceptable"), ("inkey", "zz"),
                        ("label", None)):
        changed = json.loads(json.dumps(good))
        test = changed["testGroups"][0]["tests"][0]
        test[name] = value
        store(keys, changed)
        found = run("verify", keys)
        assert found.returncode == 1 and f"mikey_keys.json {test['tcId']} " in found.stdout, (name, found)
        assert "1 do not" in found.stdout, found
    store(keys, {**good, "numberOfTests": 3})
    assert run("verify", keys).returncode == 2
    os.remove(keys)
    assert run("verify", directory).returncode == 2
assert run("verify", "a", "b").returncode == 2 and run().returncode == 2 and run("--help").returncode == 0
print(holding.stdout, end="")
