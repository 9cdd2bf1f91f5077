#!/usr/bin/python3
"""The CI gate of the stand-in project: an honest implementation passes, each planted fault fails with the requirement and the
section that it breaks, and the files that docs/conformance-in-ci.md shows are those of the project.

Arguments: the program; then nothing (the gate, and a fault of each kind), `faults` (each fault, by the cases that show it), or
`whole I N` (the I-th of N parts of the faults, each by the whole suite).
"""
import concurrent.futures
import json
import os
import re
import shutil
import subprocess
import sys
import tempfile

import yaml

program, arguments = os.path.abspath(sys.argv[1]), sys.argv[2:]
here = os.path.dirname(os.path.abspath(__file__))
root = os.path.join(here, "..", "..")
standin = os.path.join(here, "standin")
sys.path.insert(0, standin)
from faults import CALLED, CALLING, FAULTS  # noqa: E402

QUICK = ["v-flag-of-answer", "t-not-copied", "next-payload-lies", "mpk-constant", "tgk-short", "mac-over-payloads",
         "date-of-elsewhere", "echo-not-compared", "padding-accepted", "replay-accepted", "any-responder-accepted",
         "v-not-verified", "offer-demanded-early"]  # fmt: skip
work = tempfile.mkdtemp()


def run(command, project=standin, **environment):
    environment = {"IBAKELAB": root, "IBAKELAB_PROGRAM": program, **environment}
    environment = {name: value for name, value in {**os.environ, **environment}.items() if value is not None}
    return subprocess.run([os.path.join(project, *command[0].split("/")), *command[1:]], env=environment, capture_output=True, text=True)


def gate(name, *filters, options=(), project=standin, **environment):
    """The gate's result, and its report; the reports of each name stand in a folder of their own."""
    reports = os.path.join(work, name)
    patient = ["--timeout", "100"]  # how fast a machine that does other things as well is, is not judged here
    command = ["ci/gate", *patient, *(word for one in filters for word in ("--filter", one)), *options]
    result = run(command, project, REPORTS=reports, **environment)
    path = os.path.join(reports, "conformance.json")
    report = None
    if os.path.exists(path):
        with open(path, encoding="utf-8") as file:
            report = json.load(file)
    return result, report


def failures(report):
    return [case for case in report["cases"] if case["verdict"] not in ("pass", "skipped")]


# ---- the gate


def test_good():
    result, report = gate("good", "flow/*/1024-p-256-mikey-1-sha-1-*", "parser/i-message-1/*", "kms/may/*", options=["--jobs", "2"])
    assert result.returncode == 0 and "ci/gate: passed" in result.stdout, result
    assert report["verdicts"]["pass"] >= 10 and report["verdicts"]["skipped"] >= 10, report["verdicts"]
    assert not failures(report), failures(report)
    folder = os.path.join(work, "good")
    left = os.listdir(folder)  # that these are what they have to be is for conform_test.py
    assert {"conformance.json", "junit.xml", "conformance.tap", "cases"} <= set(left), left
    assert any(name.endswith(".pcap") for name in os.listdir(os.path.join(folder, "cases")))


def test_nothing_is_no_pass():
    result, _ = gate("nothing", "nothing")
    assert result.returncode == 2 and "nothing was judged" in result.stderr and "no pass" in result.stderr, result
    result, _ = gate("unknown", *CALLED, STANDIN_FAULT="wibble")
    assert result.returncode == 2 and "there is no such fault" in result.stderr, result
    result, _ = gate("missing", *CALLED, IBAKELAB_PROGRAM="/nowhere/ibakelab")
    assert result.returncode == 2 and "run ci/get-ibakelab" in result.stderr, result
    result, _ = gate("no-adapter", *CALLED, ADAPTER="/nowhere/adapter")
    assert result.returncode == 2, result


def test_baseline():
    """A known failure passes; when it is mended, the entry has to go."""
    project = os.path.join(work, "project")
    shutil.copytree(standin, project)
    fault = {"project": project, "STANDIN_FAULT": "v-flag-of-answer"}
    assert gate("known", *CALLED, **fault)[0].returncode == 1
    assert gate("known", *CALLED, options=["--update-baseline"], **fault)[0].returncode == 0
    with open(os.path.join(project, "ci", "baseline.yaml"), encoding="utf-8") as file:
        (entry,) = yaml.safe_load(file)["known"]
    assert (entry["case"], entry["verdict"]) == (CALLED[0], "fail") and entry["expires"], entry
    result, report = gate("known", *CALLED, **fault)
    assert result.returncode == 0 and report["cases"][0]["known"], result
    result, _ = gate("known", *CALLED, project=project)
    assert result.returncode == 1 and "the case passes" in result.stdout, result


# ---- faults


def judge(name, result, report):
    """What is wrong with how a fault was judged, as a text; "" if it was judged rightly."""
    fault, failed = FAULTS[name], failures(report or {"cases": []})
    named = {(case.get("requirement"), case.get("section")) for case in failed}
    if result.returncode != 1 or {case["verdict"] for case in failed} != {"fail"}:
        return "%s: status %d, %s" % (name, result.returncode, result.stdout[-400:] + result.stderr[-400:])
    if (fault.requirement, fault.section) not in named:
        return "%s: %s §%s is broken, but named are %s" % (name, fault.requirement, fault.section, sorted(named, key=str))
    return ""


def narrow(name):
    """The fault by its own cases: all that fail name the very requirement."""
    fault = FAULTS[name]
    result, report = gate(name, *fault.cases, options=["--jobs", "1"], STANDIN_FAULT=name)
    wrong = judge(name, result, report)
    if wrong:
        return wrong
    for case in failures(report):
        if (case["requirement"], case["section"]) != (fault.requirement, fault.section):
            return "%s: %s names %s §%s" % (name, case["case"], case["requirement"], case["section"])
    return ""


def whole(name):
    """The fault by the whole suite, which finds nothing but failures, its own among them."""
    result, report = gate(name, STANDIN_FAULT=name)
    if report:
        print("%s: %d cases fail" % (name, len(failures(report))), flush=True)
    return judge(name, result, report)


def each(names, way, at_once):
    with concurrent.futures.ThreadPoolExecutor(at_once) as pool:
        wrong = [text for text in pool.map(way, names) if text]
    assert not wrong, "\n".join(wrong)
    print("%d faults are found, each as what it is" % len(names))


def test_faults():
    each(QUICK, narrow, 2)


# ---- the files


def test_quoted():
    """The page shows the files of the project, to the letter."""
    with open(os.path.join(root, "docs", "conformance-in-ci.md"), encoding="utf-8") as file:
        page = file.read()
    for name in (".github/workflows/conformance.yml", ".gitlab-ci.yml", "ci/gate", "ci/get-ibakelab", "ci/ibakelab.pin"):
        with open(os.path.join(standin, *name.split("/")), encoding="utf-8") as file:
            assert "```\n" + file.read() + "```" in re.sub(r"```\w+\n", "```\n", page), name + " is another one than the page shows"
    unknown = [name for name in re.findall(r"STANDIN_FAULT=([\w-]+)", page) if name not in FAULTS]
    assert not unknown, unknown


def commands_of(text):
    return [line.strip(" -") for line in text.splitlines() if "ci/" in line and "key" not in line and "#" not in line]


def test_ci_files():
    """Both are YAML, call what exists, and keep the reports whatever the outcome."""
    with open(os.path.join(standin, ".github", "workflows", "conformance.yml"), encoding="utf-8") as file:
        github = yaml.safe_load(file)
    with open(os.path.join(standin, ".gitlab-ci.yml"), encoding="utf-8") as file:
        gitlab = yaml.safe_load(file)
    steps = github["jobs"]["conformance"]["steps"]
    runs = [step["run"] for step in steps if "run" in step]
    job = gitlab["conformance"]
    assert runs == job["before_script"] + job["script"], "GitHub and GitLab run other commands"
    assert runs[-2:] == ["ci/get-ibakelab ibakelab", "IBAKELAB=ibakelab ci/gate"]
    (upload,) = [step for step in steps if "upload-artifact" in step.get("uses", "")]
    assert upload["if"] == "always()" and upload["with"]["path"] == "reports"
    assert job["artifacts"]["when"] == "always" and job["artifacts"]["reports"]["junit"] == "reports/junit.xml"
    assert all(os.access(os.path.join(standin, "ci", name), os.X_OK) for name in ("gate", "get-ibakelab"))


# ---- ci/get-ibakelab, with a small repository in place of ibakelab's


def repository():
    """A repository that builds as ibakelab does: its address, and the commit."""
    folder = os.path.join(work, "upstream")
    files = {
        "scripts/setup": "#!/bin/sh\n[ \"$*\" = --build-only ]\n",
        "CMakeLists.txt": "cmake_minimum_required(VERSION 3.25)\nproject(ibakelab LANGUAGES C)\nadd_executable(ibakelab main.c)\n",
        "CMakePresets.json": json.dumps({"version": 6, "configurePresets": [{"name": "release", "binaryDir": "build"}],
                                         "buildPresets": [{"name": "release", "configurePreset": "release"}]}),
        "main.c": "int main(void) { return 0; }\n",
    }  # fmt: skip
    for name, text in files.items():
        os.makedirs(os.path.dirname(os.path.join(folder, name)), exist_ok=True)
        with open(os.path.join(folder, name), "w", encoding="utf-8") as file:
            file.write(text)
    os.chmod(os.path.join(folder, "scripts", "setup"), 0o755)
    git = ["git", "-C", folder, "-c", "user.name=a", "-c", "user.email=a@example.org"]
    for command in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "-m", "One"]):
        subprocess.run([*git, *command], check=True)
    head = subprocess.run([*git, "rev-parse", "HEAD"], check=True, capture_output=True, text=True).stdout.strip()
    return "file://" + folder, head


def test_get():
    url, commit = repository()
    project, target = os.path.join(work, "getter"), os.path.join(work, "fetched")
    shutil.copytree(os.path.join(standin, "ci"), os.path.join(project, "ci"))

    def get(*words, url=url, commit=commit):
        with open(os.path.join(project, "ci", "ibakelab.pin"), "w", encoding="utf-8") as file:
            file.write("url=%s\ncommit=%s\n" % (url, commit))
        return run(["ci/get-ibakelab", *(words or [target])], project)

    result = get()
    assert result.returncode == 0 and commit in result.stdout, result
    built = os.path.join(target, "build", "ibakelab")
    made = os.stat(built).st_mtime_ns
    result = get()
    assert result.returncode == 0 and os.stat(built).st_mtime_ns == made, "what was cached was built again"
    for bad in ({"commit": "f" * 40}, {"commit": "main"}, {"commit": ""}, {"url": ""}, {"url": "file:///nowhere", "commit": "e" * 40}):
        result = get(**bad)
        assert result.returncode == 2 and "ci/get-ibakelab:" in result.stderr, (bad, result)
    assert get("--help").returncode == 2 and get("a", "b").returncode == 2


try:
    if not arguments:
        for name, test in list(globals().items()):
            if name.startswith("test_"):
                test()
                print("passed", name, flush=True)
    elif arguments == ["faults"]:
        each(list(FAULTS), narrow, 2)
    elif arguments[0] == "whole":
        part, parts = map(int, arguments[1:])
        each(list(FAULTS)[part - 1 :: parts], whole, 1)
    else:
        sys.exit("usage: gate_test.py PROGRAM [faults | whole I N]")
finally:
    shutil.rmtree(work)
