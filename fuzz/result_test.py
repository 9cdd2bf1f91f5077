#!/usr/bin/python3
"""fuzz/result reads what engines leave: samples of their logs (fuzz/testdata), a finding, an old finding, an engine that did
not run, and a folder without a campaign. Argument: the schema of results."""
import json
import os
import shutil
import subprocess
import sys
import tempfile

import jsonschema

HERE = os.path.dirname(os.path.abspath(__file__))
with open(sys.argv[1], encoding="utf-8") as file:
    VALIDATOR = jsonschema.Draft202012Validator(json.load(file))


def run(folder, engine, *options):
    return subprocess.run([os.path.join(HERE, "result"), folder, "--target", "mikey_message", "--engine", engine, "--seconds", "20",
                           *options], capture_output=True, text=True)


def result(folder, engine, *options):
    done = run(folder, engine, *options)
    assert done.returncode == 0, done
    with open(os.path.join(folder, "result.json"), encoding="utf-8") as made:
        told = json.load(made)
    VALIDATOR.validate(told)
    return told


def campaign(work, name, sample, into=""):
    """A folder as fuzz/run leaves it: begun some time ago."""
    folder = os.path.join(work, name)
    shutil.copytree(os.path.join(HERE, "testdata", sample), os.path.join(folder, into))
    with open(os.path.join(folder, "started"), "w", encoding="utf-8"):
        pass
    os.utime(os.path.join(folder, "started"), (1_700_000_000, 1_700_000_000))
    return folder


def test_libfuzzer(work):
    folder = campaign(work, "libfuzzer", "libfuzzer")
    for name, time in (("crash-1", 1_700_000_009), ("leak-0", 1_600_000_000), ("slow-unit-2", 1_700_000_009), ("log-9", 1_700_000_009)):
        path = os.path.join(folder, name)
        with open(path, "w", encoding="utf-8"):
            pass
        os.utime(path, (time, time))
    told = result(folder, "libfuzzer", "--status", "77")
    assert told["verdict"] == "fail" and told["timestamp"] == "2023-11-14T22:13:20", told
    assert [(f["file"], f["what"]) for f in told["findings"]] == [("crash-1", "crash"), ("slow-unit-2", "slow")], "since it began"
    assert [c["id"] for c in told["checks"]] == ["finding/crash-1"], "a slow input is no fault"
    assert "claim does not hold" in told["checks"][0]["detail"]
    assert (told["executions"], told["executions_per_second"], told["corpus"]["new"]) == (358844, 39871, 942), told
    assert (told["coverage"], told["corpus"]["inputs"]) == ({"edges": 638, "features": 1732}, 302), told
    series = told["series"]
    assert len(series) > 50 and series[0]["seconds"] is None and series[-1]["seconds"] == 9.0, (series[0], series[-1])
    assert series[-1]["findings"] == 1 and all(a["executions"] <= b["executions"] for a, b in zip(series, series[1:]))


def test_several_jobs(work):
    folder = campaign(work, "jobs", "libfuzzer")
    shutil.copy(os.path.join(folder, "log"), os.path.join(folder, "log-1"))
    told = result(folder, "libfuzzer", "--jobs", "2", "--plain")
    assert told["executions"] == 2 * 358844 and {p["job"] for p in told["series"]} == {0, 1} and not told["sanitizers"], told
    assert told["coverage"]["edges"] == 638, "both reached the same"
    assert told["verdict"] == "pass" and told["checks"][0]["outcome"] == "pass"


def test_did_not_run(work):
    folder = campaign(work, "broken", "libfuzzer")
    told = result(folder, "libfuzzer", "--status", "1")
    assert told["verdict"] == "error" and "status 1" in told["error"] and told["checks"][0]["outcome"] == "error", told
    with open(os.path.join(folder, "log"), "w", encoding="utf-8"):
        pass
    told = result(folder, "libfuzzer", "--status", "127")
    assert told["verdict"] == "error" and told["executions"] == 0 and told["series"] == [], told


def test_afl(work):
    told = result(campaign(work, "afl", "afl", "afl"), "afl", "--jobs", "2")
    stats = {"executions": 0, "new": 0}
    for name in ("main", "other1"):
        with open(os.path.join(HERE, "testdata", "afl", name, "fuzzer_stats"), encoding="utf-8") as file:
            fields = dict(line.split(":", 1) for line in file if ":" in line)
        fields = {key.strip(): value.strip() for key, value in fields.items()}
        stats = {"executions": stats["executions"] + int(fields["execs_done"]), "new": stats["new"] + int(fields["corpus_found"])}
    assert told["executions"] == stats["executions"] > 0 and told["corpus"]["new"] == stats["new"] > 0, told
    assert told["stability"] == 99.25 and told["coverage"] == {"edges": 520, "features": None}, "of the worse; of the better"
    times = [point["seconds"] for point in told["series"] if point["job"] == 0]
    assert len(times) >= 2 and times == sorted(times) and times[-1] > times[0], times


def test_wrong(work):
    empty = os.path.join(work, "empty")
    os.mkdir(empty)
    done = run(empty, "libfuzzer")
    assert done.returncode == 2 and "no campaign" in done.stderr and not os.path.exists(os.path.join(empty, "result.json")), done
    folder = campaign(work, "half", "libfuzzer")
    assert run(folder, "libfuzzer", "--jobs", "3").returncode == 2, "the log of a job is missing"
    assert run(folder, "afl").returncode == 2 and run(folder, "other").returncode == 2


with tempfile.TemporaryDirectory() as directory:
    for name, test in list(globals().items()):
        if name.startswith("test_"):
            test(directory)
            print("passed", name, flush=True)
