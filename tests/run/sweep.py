#!/usr/bin/env python3
"""ibakelab sweep as a whole: the same rows whatever plays the points and whatever ends it.

usage: sweep.py same|kill|bad|long     IBAKELAB_BUILD and IBAKELAB_SOURCE in the environment
"""
import contextlib
import csv
import itertools
import json
import math
import os
import pty
import random
import re
import shutil
import signal
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time

import jsonschema

source = os.environ["IBAKELAB_SOURCE"]
program = os.path.join(os.environ["IBAKELAB_BUILD"], "ibakelab")
scenarios = os.path.join(source, "scenarios")
mpirun = ["mpirun", "--allow-run-as-root", "--oversubscribe"]
# Open MPI frees not all that it allocates, which is nothing for the sanitizer build to tell.
mpi_environment = {**os.environ, "ASAN_OPTIONS": os.environ.get("ASAN_OPTIONS", "") + ":detect_leaks=0"}

SWEEP = """
sweep: 1
title: A sweep for a test
scenario: {scenarios}/attacks/replay-fresh-dialog.yaml
set: {{expect: {{users: {{registered: all}}}}}}
parameters:
  policy:
    cases:
      all checks: {{}}
      no replay cache: {{users.bob.without: [replay-cache]}}
  loss: {{set: links.access.loss, from: 0 %, to: 9 %, steps: {steps}}}
seeds: 1 to {seeds}
measures:
  success: {{value: 'any(properties[holds=false])'}}
  setup: {{value: 'median(calls[].setup_ns) / 1e6', unit: ms}}
"""


def write_sweep(steps, seeds, name="sweep.yaml"):
    with open(name, "w", encoding="utf-8") as file:
        file.write(SWEEP.format(scenarios=scenarios, steps=steps, seeds=seeds))
    return name


def run(*arguments, status=0, launcher=(), say=None):
    done = subprocess.run([*launcher, program, "sweep", *arguments], capture_output=True, text=True, check=False,
                          env=mpi_environment if launcher else None)
    text = done.stdout + done.stderr
    assert done.returncode == status, f"status {done.returncode} instead of {status}: {arguments}\n{text}"
    assert say is None or say in text, f"not said: {say}\n{text}"
    return text


def rows(path):
    with sqlite3.connect(path) as database:
        return database.execute("SELECT * FROM points ORDER BY point").fetchall()


def rows_so_far(path):
    """The same of a sweep that was killed, perhaps before it had a table."""
    try:
        return rows(path)
    except sqlite3.OperationalError as error:
        assert re.search("no such table|unable to open", str(error)), error
        return []


def read(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


# ---- statistics, by other means than the program's


def student_975(freedom):
    """Integrates the density by Simpson's rule, and halves an interval."""
    scale = math.exp(math.lgamma((freedom + 1) / 2) - math.lgamma(freedom / 2)) / math.sqrt(freedom * math.pi)

    def inside(t, parts=2000):
        step = t / parts
        heights = [scale * (1 + (i * step) ** 2 / freedom) ** (-(freedom + 1) / 2) for i in range(parts + 1)]
        return step / 3 * (heights[0] + heights[-1] + 4 * sum(heights[1:-1:2]) + 2 * sum(heights[2:-1:2]))

    low, high = 0.0, 20.0
    for _ in range(45):
        middle = (low + high) / 2
        low, high = (middle, high) if inside(middle) < 0.475 else (low, middle)
    return low


def check_summary(result, table):
    """The summary of result.json, from the rows of the database. Columns: point, seed, policy, loss, verdict, detail,
    kept, success, setup."""
    groups = itertools.groupby(table, key=lambda row: row[2:4])
    compared = 0
    for (key, group), said in itertools.zip_longest(groups, result["summary"]):
        assert [str(v) for v in said["parameters"].values()] == [str(v) for v in key], (key, said)
        group = list(group)
        for name, column in (("success", 7), ("setup", 8)):
            values = [row[column] for row in group if row[column] is not None]
            spread = said["measures"][name]
            assert spread["n"] == len(values), (spread, values)
            if not values:
                assert spread["mean"] is None
                continue
            half = student_975(len(values) - 1) * statistics.stdev(values) / math.sqrt(len(values))
            for got, wanted in ((spread["mean"], statistics.fmean(values)), (spread["half_width"], half),
                                (spread["min"], min(values)), (spread["max"], max(values))):
                assert math.isclose(got, wanted, rel_tol=1e-8, abs_tol=1e-9), (name, key, spread, wanted)
            compared += half > 0
    assert compared, "no group has a spread: nothing was compared"


# ---- progress


def said_on_a_terminal(*arguments):
    ours, theirs = pty.openpty()
    with subprocess.Popen([program, "sweep", *arguments], stdout=subprocess.DEVNULL, stderr=theirs) as process:
        os.close(theirs)
        text = b""
        try:
            while part := os.read(ours, 4096):
                text += part
        except OSError:  # the other end is closed
            pass
    os.close(ours)
    assert process.returncode == 0, (process.returncode, text)
    return text.decode()


# ---- the same rows


def same():
    file = write_sweep(steps=2, seeds=3)
    run(file, "--jobs", "1", "--out", "one", "--quiet", say="12 points: 12 passed")
    wanted = rows("one/sweep.db")
    assert len(wanted) == 12 and [row[0] for row in wanted] == list(range(12))
    assert {row[7] for row in wanted} == {0.0, 1.0}, "the attack never has success, or always"
    assert len({row[8] for row in wanted}) > 4, "the seeds make no difference"
    result = read("one/result.json")
    jsonschema.Draft202012Validator(read(f"{source}/reports/schema/result.schema.json")).validate(result)
    check_summary(result, wanted)
    assert result["units"] == {"success": "", "setup": "ms"}, result["units"]
    report = subprocess.run([program, "report", "one", "--csv", "-"], capture_output=True, text=True, check=True)
    lines = list(csv.reader(report.stdout.splitlines()))
    units = {(line[2], line[4]): line[6] for line in lines if line[4].startswith("measures.")}
    assert units["points", "measures.setup"] == units["summary", "measures.setup.mean"] == "ms", units
    assert units["points", "measures.success"] == units["summary", "measures.setup.n"] == "", units
    assert result["verdict"] == "pass" and [p["index"] for p in result["points"]] == list(range(12))
    assert result["points"][4]["measures"]["setup"] == wanted[4][8]

    run(file, "--jobs", "4", "--out", "four", "--keep", "--quiet")
    assert [row[:6] + row[7:] for row in rows("four/sweep.db")] == [row[:6] + row[7:] for row in wanted]
    kept = read("four/result.json")["points"][5]
    assert kept["dir"] == "points/0005"
    played = read(f"four/{kept['dir']}/result.json")
    assert played["calls"][0]["setup_ns"] / 1e6 == kept["measures"]["setup"] and played["seed"] == kept["seed"]

    for part in (2, 1, 3):
        run(file, "--shard", f"{part}/3", "--out", "parts", "--quiet", say="4 of its 4 points")
    assert not os.path.exists("parts/result.json")
    run(file, "--merge", "--out", "parts", "--quiet")
    assert rows("parts/sweep.db") == wanted
    assert open("parts/result.json", "rb").read() == open("one/result.json", "rb").read()
    run(file, "--merge", "parts/shard-1-of-3.db", "--out", "some", "--quiet", status=1, say="8 of 12 points are missing")
    assert read("some/result.json")["verdict"] == "error" and len(read("some/result.json")["points"]) == 4

    text = run(file, "--out", "ranks", "--quiet", "--progress=0", launcher=[*mpirun, "-n", "3"])
    told = [int(n) for n in re.findall(r"^ibakelab sweep: ([0-9]+) of 12 points, [0-9]+ s to go$", text, re.M)]
    assert told == list(range(1, 13)), text
    assert rows("ranks/sweep.db") == wanted
    assert open("ranks/result.json", "rb").read() == open("one/result.json", "rb").read()

    # Progress on a terminal, and on none.
    text = said_on_a_terminal(write_sweep(steps=2, seeds=1, name="few.yaml"), "--out", "few")
    assert re.search(r"2 of 4 points, [0-9]+ s to go", text) and text.endswith("\r\x1b[K"), text
    assert "to go" not in run("few.yaml", "--out", "few2")
    assert "to go" not in said_on_a_terminal("few.yaml", "--out", "few3", "--quiet")
    assert re.search(r"^ibakelab sweep: 4 of 4 points, 0 s to go$", run("few.yaml", "--out", "few4", "--progress=0"), re.M)

    # What --list prints is what was played.
    line = run(file, "--list").splitlines()[7]
    subprocess.run(f"{program} run {line} --out listed --quiet", shell=True, check=True, stdout=subprocess.DEVNULL)
    assert read("listed/result.json")["calls"][0]["setup_ns"] / 1e6 == wanted[7][8]


# ---- killed, and resumed


def children_of(pid):
    found = subprocess.run(["pgrep", "-P", str(pid)], capture_output=True, text=True, check=False)
    return [int(child) for child in found.stdout.split()]


def is_alive(pid):
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8") as file:
            return file.read().rsplit(")", 1)[1].split()[0] not in "ZX"
    except FileNotFoundError:
        return False


def end_with_kills(file, out, wanted, moments, pace):
    """Resumes a sweep until it ends by itself, each try killed at a random moment within `pace` seconds. How often."""
    for kills in itertools.count():
        with subprocess.Popen([program, "sweep", file, "--jobs", "2", "--out", out, "--resume", "--quiet"],
                              stdout=subprocess.DEVNULL) as process:
            try:
                process.wait(moments.uniform(0.05, 1) * pace)
            except subprocess.TimeoutExpired:
                children = children_of(process.pid)
                process.send_signal(signal.SIGKILL)
                patience = time.monotonic() + 10
                while any(is_alive(child) for child in children):
                    assert time.monotonic() < patience, "a run outlives the sweep"
                    time.sleep(0.01)
        if process.returncode != -signal.SIGKILL:
            assert process.returncode == 0, process.returncode
            return kills
        assert kills < 200, "it comes to no end"
        assert set(rows_so_far(f"{out}/sweep.db")) <= set(wanted), "a row that the undisturbed sweep does not have"


def shoot(file, out, times):
    """Plays a sweep one by one, and kills its first `times` runs. Its exit status."""
    with subprocess.Popen([program, "sweep", file, "--jobs", "1", "--out", out, "--quiet"],
                          stdout=subprocess.DEVNULL) as process:
        shot = set()
        while len(shot) < times and process.poll() is None:
            for victim in set(children_of(process.pid)) - shot:
                with contextlib.suppress(ProcessLookupError):  # it has just ended
                    os.kill(victim, signal.SIGKILL)
                shot.add(victim)
    return process.returncode


def shoot_one_point_twice(file, wanted):
    """The folder of a sweep in which that came about: a run may be over before the second shot, under load."""
    for attempt in range(20):
        out = f"victims-{attempt}"
        status = shoot(file, out, times=2)
        lost = [row for row in rows(f"{out}/sweep.db") if row[4] == "error"]
        assert status == (1 if lost else 0), (status, lost)
        if lost:
            assert len(lost) == 1 and "ended twice" in lost[0][5] and lost[0][8] is None, lost
            assert [row for row in wanted if row[0] != lost[0][0]] == [
                row for row in rows(f"{out}/sweep.db") if row not in lost]
            return out, lost[0][0]
        assert rows(f"{out}/sweep.db") == wanted
    raise AssertionError("no point was shot twice")


def kill():
    file = write_sweep(steps=2, seeds=4)
    began = time.monotonic()
    run(file, "--jobs", "2", "--out", "whole", "--quiet")
    pace = time.monotonic() - began
    wanted = rows("whole/sweep.db")
    seed = int(os.environ.get("SWEEP_KILL_SEED", random.randrange(1 << 32)))
    print(f"SWEEP_KILL_SEED={seed}")
    moments = random.Random(seed)
    kills = 0
    while kills < 5:  # how many one sweep takes depends on the machine
        shutil.rmtree("killed", ignore_errors=True)
        kills += end_with_kills(file, "killed", wanted, moments, pace)
        assert rows("killed/sweep.db") == wanted
        assert open("killed/result.json", "rb").read() == open("whole/result.json", "rb").read()
    run(file, "--resume", "--out", "killed", "--quiet")  # nothing is left to do
    assert rows("killed/sweep.db") == wanted

    # Ended by a signal that can be heard, it says how to go on.
    with subprocess.Popen([program, "sweep", write_sweep(steps=10, seeds=20, name="many.yaml"), "--out", "heard", "--progress=0"],
                          stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        assert "1 of 400 points" in process.stderr.readline()
        process.send_signal(signal.SIGTERM)
        said = process.stderr.read()
    assert process.returncode == -signal.SIGTERM and said.count("ended by a signal") == 1, (process.returncode, said)
    assert "the rows so far are in heard, and the same command with --resume goes on" in said, said

    # A run that is killed is played again; one that always is has a row that says so.
    assert shoot(file, "victim", times=1) == 0 and rows("victim/sweep.db") == wanted
    out, point = shoot_one_point_twice(file, wanted)
    check = next(c for c in read(f"{out}/result.json")["checks"] if c["id"] == f"point/{point}")
    assert check["outcome"] == "error" and "ended twice" in check["detail"], check
    run(file, "--resume", "--out", out, "--quiet")
    assert rows(f"{out}/sweep.db") == wanted


# ---- what is refused


def bad():
    file = write_sweep(steps=2, seeds=1)
    run(status=2, say="a sweep file is missing")
    run("none.yaml", status=2, say="the file cannot be read")
    run(file, "more.yaml", status=2, say="one sweep file is needed")
    run(file, "--jobs", "0", status=2, say="--jobs takes a number")
    run(file, "--progress=x", status=2, say="--progress takes seconds")
    for shard in ("0/3", "4/3", "1", "1/3x", "a/b"):
        run(file, "--shard", shard, status=2, say="--shard takes I/N")
    run(file, "--merge", "--shard", "1/2", status=2, say="--merge goes with neither")
    run(file, "--set", "links.access.dealy=1 ms", "--out", "x", status=2, say="did you mean 'delay'?")
    run(f"{scenarios}/basic/first-call-80.yaml", status=2, say="the key 'sweep' is missing")
    with open("paths.yaml", "w", encoding="utf-8") as out:
        out.write(open(file, encoding="utf-8").read() + "  wrong: {value: 'median(calls[].setup)'}\n")
    text = run("paths.yaml", status=2, say="'calls[].setup' gives no numbers")
    assert re.search(r"^paths.yaml:16:\d+: error: measures.wrong.value", text, re.M), text

    run(file, "--out", "done", "--quiet")
    run(file, "--out", "done", status=2, say="it has 4 rows already: --resume")
    run(file, "--out", "done", "--resume", "--set", "links.core.delay=3 ms", status=2, say="of another sweep")
    with sqlite3.connect("done/sweep.db") as database:
        database.execute("UPDATE sweep SET value = 'ibakelab 0.0.1' WHERE key = 'versions'")
    run(file, "--out", "done", "--resume", status=2, say="made by other versions")
    run(file, "--merge", "--out", "done/x", status=2, say="shard-*.db")
    run(file, "--merge", "done/sweep.db", "--out", "y", status=2, say="made by other versions")

    # A run that does not do what its scenario expects; a measure that nothing gives a value.
    with open("fails.yaml", "w", encoding="utf-8") as out:
        out.write(open(file, encoding="utf-8").read().replace("registered: all", "registered: none"))
    run("fails.yaml", "--out", "fails", "--quiet", status=1, say="4 failed")
    assert read("fails/result.json")["verdict"] == "fail"
    assert "registered" in read("fails/result.json")["checks"][1]["detail"]
    with open("nothing.yaml", "w", encoding="utf-8") as out:
        out.write(open(file, encoding="utf-8").read() + "  nobody: {value: 'calls[nobody].setup_ns'}\n")
    run("nothing.yaml", "--out", "nothing", "--quiet", status=2,
        say="the measure 'nobody' has a value at no point: calls[nobody].setup_ns has no value")

    # Started by MPI without the module that speaks it: no sweep by each rank for itself.
    alone = os.path.abspath(shutil.copy(program, "ibakelab"))
    done = subprocess.run([alone, "sweep", file, "--out", "alone"], capture_output=True, text=True, check=False,
                          env={**os.environ, "OMPI_COMM_WORLD_SIZE": "2"})
    assert done.returncode == 2 and "-DIBAKELAB_MPI=ON builds it" in done.stderr, done
    # Under MPI rank 0 speaks for all.
    text = run("none.yaml", status=2, launcher=[*mpirun, "-n", "3"])
    assert text.count("cannot be read") == 1, text


# ---- what takes longer


def rank_of(pid):
    with open(f"/proc/{pid}/environ", "rb") as file:
        return dict(entry.split(b"=", 1) for entry in file.read().split(b"\0") if b"=" in entry).get(
            b"OMPI_COMM_WORLD_RANK", b"").decode()


def long():
    file = write_sweep(steps=10, seeds=10)
    run(file, "--jobs", "1", "--out", "serial", "--quiet", say="200 points: 200 passed")
    run(file, "--out", "ranks", "--quiet", launcher=[*mpirun, "-n", "2"])
    wanted = rows("serial/sweep.db")
    assert len(wanted) == 200 and rows("ranks/sweep.db") == wanted
    assert open("ranks/result.json", "rb").read() == open("serial/result.json", "rb").read()

    # A worker dies. Where mpirun goes on without it, so does the sweep; where it ends everything, --resume does.
    for recovery in (["--enable-recovery"], []):
        out = "recovered" if recovery else "aborted"
        with subprocess.Popen([*mpirun, *recovery, "-n", "3", program, "sweep", file, "--out", out, "--quiet",
                               "--patience", "3"], stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True,
                              env=mpi_environment) as job:
            while len(rows_so_far(f"{out}/sweep.db")) < 10:  # all are at work
                time.sleep(0.05)
            worker = next(p for p in children_of(job.pid) if rank_of(p) == "2")
            os.kill(worker, signal.SIGKILL)
            said = job.stderr.read()
        if recovery:
            assert "rank 2 is silent" in said, said
        else:
            assert "the same command with --resume goes on" in said, said
            assert job.returncode != 0 and 0 < len(rows(f"{out}/sweep.db")) < 200
            run(file, "--out", out, "--resume", "--quiet", launcher=[*mpirun, "-n", "2"])
        assert rows(f"{out}/sweep.db") == wanted
        assert open(f"{out}/result.json", "rb").read() == open("serial/result.json", "rb").read()

    for name in sorted(os.listdir(f"{scenarios}/sweeps")):
        run(f"{scenarios}/sweeps/{name}", "--out", f"shipped/{name}", "--quiet")
        for point in read(f"shipped/{name}/result.json")["points"]:
            assert None not in point["measures"].values(), (name, point)


os.environ.pop("NO_COLOR", None)
with tempfile.TemporaryDirectory() as work:
    os.chdir(work)
    {"same": same, "kill": kill, "bad": bad, "long": long}[sys.argv[1]]()
    os.chdir("/")
