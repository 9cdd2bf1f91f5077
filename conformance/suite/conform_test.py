#!/usr/bin/python3
"""ibakelab conform judges good and bad adapters rightly, and writes reports that other programs read. Arguments: the program,
the folder of this file, the schema of JUnit files."""
import json
import os
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree

program, here, xsd = sys.argv[1:4]
work = tempfile.mkdtemp()
FEW = ["--filter", "flow/responder/1024-*"]


def conform(*options, way=None, iut=None):
    command = [program, "conform", "--jobs", "2", *options]
    if way:
        iut = f"exec {sys.executable} {here}/bad_adapter.py {way} {program} iut"
    if iut:
        command += ["--iut", iut]
    return subprocess.run(command, capture_output=True, text=True, timeout=300)


def judged(*options, **more):
    """Exit status, and the verdicts and reasons of the cases by name."""
    path = os.path.join(work, "report.json")
    result = conform(*options, "--json", path, **more)
    assert result.returncode in (0, 1), result
    with open(path, encoding="utf-8") as file:
        return result.returncode, {case["case"]: case for case in json.load(file)["cases"]}, result.stdout


def verdicts(cases):
    return {case["verdict"] for case in cases.values()}


def test_usage():
    listed = conform("--list").stdout.splitlines()
    assert len(listed) >= 500 and all(len(line.split()) >= 2 for line in listed)
    nothing = conform("--filter", "nothing")
    assert nothing.returncode == 2 and "nothing was judged" in nothing.stderr, nothing
    for wrong in (["--level", "will"], ["--role", "server"], ["--strength", "4"], ["--jobs", "0"], ["--wibble"], ["more"],
                  ["--update-baseline"], ["--baseline", "/nowhere/else", *FEW]):
        assert conform(*wrong).returncode == 2, wrong
    assert len(conform("--list", "--level", "must").stdout.splitlines()) < len(listed)
    assert all("roles:kms" not in line for line in conform("--list", "--role", "parser").stdout.splitlines())


def test_good():
    status, cases, _ = judged(*FEW)
    assert status == 0 and len(cases) > 3 and verdicts(cases) == {"pass"}, verdicts(cases)


def test_verdicts():
    """Each bad way has its verdict, in each case: one bad case never ends the run."""
    for way, verdict in (("crash", "crash"), ("no-json", "garbage"), ("talkative", "garbage"), ("other-seq", "garbage")):
        status, cases, _ = judged(*FEW, way=way)
        assert status == 1 and len(cases) > 3 and verdicts(cases) == {verdict}, (way, verdicts(cases))
    # one case, and a limit that a busy machine keeps at the start: the adapter itself never answers
    one = ["--filter", "flow/responder/1024-p-256-mikey-1-sha-1-ntp-utc-srtp-id"]
    status, cases, _ = judged(*one, "--timeout", "8", way="hang")
    assert status == 1 and verdicts(cases) == {"timeout"}, verdicts(cases)
    status, _, told = judged(*FEW, way="bad-end")
    assert status == 1 and "ended with exit status 3" in told, told
    for way in ("dishonest", "unknown-member"):
        result = conform(*FEW, way=way)
        assert result.returncode == 2 and "nothing is judged" in result.stderr, (way, result)
    assert conform(*FEW, iut="false").returncode == 2


def test_lacking():
    """An honest adapter that can do less is not failed for that: what it lacks is skipped, and all else passes."""
    some = [word for glob in ("flow/*/1024-p-256-*", "flow/fresh/*", "flow/deferred/*", "replay/again/*", "state/*/waiting/*",
                              "deviation/r-message-2/echo-*", "deviation/update-i-message-1/t-*", "flow/accept/*",
                              "flow/update/*-curve", "flow/policies/salt", "replay/moved", "replay/cache-full", "kms/anchors/*")
            for word in ("--filter", glob)]  # fmt: skip
    for lacking in ("clock", "random,keys,classes", "many,update,fork,policy",
                    "sdp,esk,open-esk,deferred,settle,update.curve"):
        status, cases, told = judged(*some, iut=f"exec {sys.executable} {here}/lacking.py {lacking} {program} iut")
        assert status == 0 and verdicts(cases) <= {"pass", "skipped"}, (lacking, told)
        assert [case["verdict"] for case in cases.values()].count("pass") > 20, (lacking, told)
    status, cases, told = judged(*some, iut=f"exec {sys.executable} {here}/lacking.py 1024 {program} iut")
    assert status == 0 and [c["verdict"] for c in cases.values()].count("pass") > 20, ("what is about no size takes another", told)


def test_skipped():
    """What hello does not claim is skipped, and a run of nothing but skipped cases is an error."""
    status, cases, _ = judged("--filter", "flow/*/1024-p-256-*", way="responder-alone")
    assert status == 0 and verdicts(cases) == {"pass", "skipped"}, verdicts(cases)
    status, cases, _ = judged("--filter", "flow/*/1024-p-256-*", way="modest")
    assert status == 0 and verdicts(cases) == {"pass"}, "to ignore what was not asked for skips nothing"
    path = os.path.join(work, "skipped.json")
    result = conform("--filter", "flow/initiator/*", "--json", path, way="responder-alone")
    assert result.returncode == 2 and "skipped" in result.stderr, result
    with open(path, encoding="utf-8") as file:
        assert json.load(file)["verdict"] == "error", "it does not pass as a pass"
    status, cases, _ = judged("--filter", "flow/initiator/1024-*", way="contradiction")
    assert status == 1 and all("contradiction" in c["reason"] for c in cases.values()), cases


def test_obedience():
    """What is asked for, answered with ok and not done is no pass, and is told as what it is: a lie of the adapter."""
    status, cases, told = judged("--filter", "flow/*/1024-*", "--filter", "kms/user/psk/1024-*", way="deaf")
    failed = {name: case for name, case in cases.items() if case["verdict"] == "fail"}
    assert status == 1 and all("contradiction: asked for was policy." in case["reason"] for case in failed.values()), told
    assert not any(case.get("requirement") for case in failed.values()) and "demanded:  IUT.md §2" in told, told
    asked = {case["reason"].split("policy.")[1].split()[0] for case in failed.values()}
    assert asked == {"curve", "prf", "mac", "timestamp"}, asked
    assert all("1024-p-256-mikey-1-sha-1-ntp-utc-" not in name for name in failed), "nothing special was asked for there"


def test_heed():
    """The same of what is to be accepted alone, of a value that is given, and of requests with a member that may be absent."""
    chosen = [f"--filter={name}" for name in ("flow/accept/*", "flow/fresh/*", "flow/policies/*", "flow/update/*-curve",
                                             "replay/*", "kms/anchors/*")]
    status, cases, told = judged(*chosen, way="heedless")
    failed = {name: case for name, case in cases.items() if case["verdict"] == "fail"}
    assert status == 1 and set(failed) == {
        "flow/accept/prf", "flow/accept/mac", "flow/accept/timestamp", "flow/accept/initiator", "flow/fresh/initiator",
        "flow/policies/salt", "flow/update/initiator-starts-curve", "flow/update/responder-starts-curve", "replay/moved", "replay/cache-full",
        "kms/anchors/not-trusted"}, told
    assert all("contradiction: asked for was " in case["reason"] for case in failed.values()), told


def test_minimal():
    """The adapter that is a starting point passes what it claims, and all else is skipped."""
    status, cases, _ = judged(iut=f"exec {sys.executable} {here}/../adapters/minimal.py")
    assert status == 0 and verdicts(cases) == {"pass", "skipped"}, [
        (c["case"], c["reason"]) for c in cases.values() if c["verdict"] not in ("pass", "skipped")]
    assert all(c["case"].startswith("parser/") for c in cases.values() if c["verdict"] == "pass")


def test_attribution():
    """The requirement and the section that a fault breaks are named; how to repeat it is told, and repeats it."""
    status, cases, told = judged(*FEW, way="v-flag")
    assert status == 1
    for case in cases.values():
        assert (case["verdict"], case["requirement"], case["section"]) == ("fail", "6267-38", "4.2.2.3"), case
    assert "demanded:  6267-38 (RFC 6267 §4.2.2.3, MUST)" in told, told
    assert "which a terminal obeys" in told and "\x1b" not in told and "\u009b" not in told, told
    repeat = next(line.split("repeat:", 1)[1].strip() for line in told.splitlines() if "repeat:" in line)
    again = subprocess.run(repeat.replace("ibakelab", program, 1), shell=True, capture_output=True, text=True, timeout=60)
    assert again.returncode == 1 and "1 fail" in again.stdout and "6267-38" in again.stdout, again


def test_baseline():
    path = os.path.join(work, "baseline.yaml")
    few = ["--filter", "flow/responder/1024-p-2*", "--baseline", path]
    assert conform(*few, "--update-baseline", way="v-flag").returncode == 0
    with open(path, encoding="utf-8") as file:
        text = file.read()
    assert text.count("- case: flow/responder/1024-p-2") == text.count("verdict: fail") >= 1, text
    assert conform(*few, way="v-flag").returncode == 0, "known failures are no failures"
    passes = conform(*few)
    assert passes.returncode == 1 and "the case passes" in passes.stdout, "an unexpected pass"

    def changed(old, new, expected):
        with open(path, "w", encoding="utf-8") as file:
            file.write(text.replace(old, new, 1))
        result = conform(*few, way="v-flag")
        assert result.returncode in (1, 2) and expected in result.stdout + result.stderr, (expected, result)

    expires = next(line for line in text.splitlines() if "expires:" in line)
    changed(expires, "    expires: 2020-01-01", "has expired")
    changed(expires, "    expires: soon", "has to be a date")
    changed("case: flow/responder/", "case: flow/nobody/", "there is no such case")
    changed("verdict: fail", "verdict: crash", "is for another verdict")
    owner = next(line for line in text.splitlines() if "owner:" in line)
    changed(owner, "    owner: \"\"", "'owner' is missing or empty")
    changed(owner, owner + "\n    wibble: 1", "unknown key 'wibble'")


def test_reports():
    junit, tap = (os.path.join(work, name) for name in ("junit.xml", "report.tap"))
    options = ["--filter", "flow/*/1024-p-256-*", "--filter", "parser/point/P-192/*", "--junit", junit, "--tap", tap]
    result = conform(*options, way="v-flag")
    assert result.returncode == 1, result
    root = ElementTree.parse(junit).getroot()
    cases = root.findall("testsuite/testcase")
    assert int(root.get("tests")) == len(cases) == sum(int(s.get("tests")) for s in root) > 10
    failed = [c for c in cases if c.find("failure") is not None]
    assert int(root.get("failures")) == len(failed) > 0
    assert all(c.find("failure").get("type") == "6267-38" and "repeat:" in c.find("failure").text
               for c in failed if c.get("name").startswith("flow/responder")), failed
    subprocess.run(["xmllint", "--noout", "--schema", xsd, junit], check=True, capture_output=True)
    with open(tap, encoding="utf-8") as file:
        lines = file.read().splitlines()
    assert lines[0] == "TAP version 14" and lines[1] == f"1..{len(cases)}"
    assert sum(line.startswith("not ok ") for line in lines) == len(failed)
    piped = conform(*FEW, "--json", "-")
    assert json.loads(piped.stdout)["verdicts"]["fail"] == 0, "nothing but the report on standard output"


def test_keep():
    folder = os.path.join(work, "kept")
    assert conform("--filter", "flow/responder/1024-p-256-*", "--keep", folder).returncode == 0
    names = sorted(os.listdir(folder))
    assert names and len(names) % 3 == 0, names
    captures = [os.path.join(folder, name) for name in names if name.endswith(".pcap")]
    decoded = subprocess.run([program, "decode", captures[0]], capture_output=True, text=True, timeout=60)
    assert decoded.returncode == 0 and all(m in decoded.stdout for m in ("I_MESSAGE_1", "R_MESSAGE_2")), decoded
    with open(captures[0].replace(".pcap", ".keys.log"), encoding="utf-8") as file:
        assert any(line.startswith("TEK ") for line in file)
    with open(captures[0].replace(".pcap", ".txt"), encoding="utf-8") as file:
        assert any(line.startswith("A> {") for line in file)


try:
    for name, test in list(globals().items()):
        if name.startswith("test_"):
            test()
            print("passed", name, flush=True)
finally:
    shutil.rmtree(work)
