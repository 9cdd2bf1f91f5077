#!/usr/bin/python3
"""A small real result of every kind, written by the command that writes it, is what the schema says; `ibakelab report` makes
of all of them files that other people's schemas and readers accept; and what is no result is refused as the schema refuses it.

Arguments: the program, report_test (which judges lines), the source folder."""
import csv
import io
import json
import os
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree

import jsonschema

PROGRAM, JUDGE, SOURCE = sys.argv[1:4]
SCHEMAS = os.path.join(SOURCE, "reports", "schema")
CALL = os.path.join(SOURCE, "scenarios", "basic", "first-call-80.yaml")
ADAPTER = f"exec {sys.executable} {SOURCE}/conformance/suite/bad_adapter.py v-flag {PROGRAM} iut"
with open(os.path.join(SCHEMAS, "result.schema.json"), encoding="utf-8") as opened:
    VALIDATOR = jsonschema.Draft202012Validator(json.load(opened))
WORK = tempfile.mkdtemp()
OUT = os.path.join(WORK, "out")


def ibakelab(*arguments, status=0):
    done = subprocess.run([PROGRAM, *arguments], capture_output=True, text=True, timeout=300, cwd=WORK)
    assert done.returncode == status, (arguments, done)
    return done


def folder(name):
    path = os.path.join(OUT, name)
    os.makedirs(path)
    return path


def make_results():
    """Folder by folder, what the commands leave; each kind at least once, with what passes and what does not."""
    ibakelab("run", CALL, "--quiet", "--out", os.path.join(OUT, "run"))
    ibakelab("run", CALL, "--quiet", "--out", os.path.join(OUT, "run-failed"), "--set", "expect.users.private-keys=30", status=1)
    ibakelab("attack", CALL, "--rounds", "4", "--seed", "6", "--set", "users.bob.without=[echo]", "--out",
             os.path.join(OUT, "attack"), status=1)
    ibakelab("attack", CALL, "--rounds", "2", "--out", os.path.join(OUT, "attack-failed"))
    few = ["conform", "--filter", "flow/responder/1024-p-256-*"]
    ibakelab(*few, "--json", os.path.join(folder("conformance"), "result.json"))
    ibakelab(*few, "--filter", "parser/point/P-192/*", "--iut", ADAPTER, "--json",
             os.path.join(folder("conformance-failed"), "result.json"), status=1)
    ibakelab("conform", "--filter", "parser/ciphertext/version", "--mutants=ibe-der-any-*", "--json",
             os.path.join(folder("mutants"), "result.json"))
    ibakelab("conform", "--filter", "parser/ciphertext/version", "--mutants=ibe-u-unchecked", "--json",
             os.path.join(folder("mutants-survived"), "result.json"), status=1)
    ibakelab("bench", "crypto", "--quick", "--size", "512", "--json", os.path.join(folder("bench-crypto"), "result.json"))
    ibakelab("bench", "sim", "--quick", "--json", os.path.join(folder("bench-sim"), "result.json"))
    shutil.copy(os.path.join(SOURCE, "fuzz", "testdata", "libfuzzer", "log"), folder("fuzz"))
    for name in ("started", "crash-1"):
        with open(os.path.join(OUT, "fuzz", name), "w", encoding="utf-8"):
            pass
    subprocess.run([os.path.join(SOURCE, "fuzz", "result"), os.path.join(OUT, "fuzz"), "--target", "sdp", "--engine", "libfuzzer",
                    "--seconds", "20"], check=True)
    shutil.copy(os.path.join(SOURCE, "reports", "testdata", "sweep.json"), os.path.join(folder("sweep"), "result.json"))


def load(path):
    with open(path, encoding="utf-8") as file:
        return json.load(file)


def results():
    """All result.json files, in the order in which report has them: the runs of an attack behind it."""
    found = {}
    for name in sorted(os.listdir(OUT)):
        path = os.path.join(OUT, name)
        result = load(os.path.join(path, "result.json"))
        found[path] = result
        for member in ("run", "twin"):
            named = (result.get("found") or {}).get(member)
            if named:
                found[os.path.join(path, named)] = load(os.path.join(path, named, "result.json"))
    return found


def check_count(result):
    if result["kind"] == "run":
        return len(result["expectations"]) + len(result["properties"])
    return len(result["checks"])


# ---- the results ---------------------------------------------------------------------------------------------------------------


def test_every_kind(found):
    kinds = {result["kind"] for result in found.values()}
    assert kinds == {"run", "sweep", "attack", "conformance", "mutants", "fuzz", "benchmark"}, kinds
    for path, result in found.items():
        VALIDATOR.validate(result)
        ids = [check["id"] for check in result.get("checks", [])]
        names = [measure["name"] for measure in result.get("measures", [])]
        assert len(set(ids)) == len(ids) and len(set(names)) == len(names), path


def by_name(found, name):
    return found[os.path.join(OUT, name)]


def test_what_they_say(found):
    attack = by_name(found, "attack")
    assert attack["verdict"] == "fail" and attack["found"]["property"] == "agreement" and attack["set"], attack
    twin = found[os.path.join(OUT, "attack", attack["found"]["twin"])]
    run = found[os.path.join(OUT, "attack", attack["found"]["run"])]
    assert (run["verdict"], twin["verdict"]) == ("pass", "pass"), "it is broken in the one, and holds in the other"
    assert [p["holds"] for p in run["properties"]].count(False) == 1 and all(p["holds"] for p in twin["properties"])
    assert by_name(found, "attack-failed")["found"] is None and by_name(found, "attack-failed")["rounds"] == 2
    failed = by_name(found, "conformance-failed")
    broken = [c for c in failed["checks"] if c["outcome"] == "fail"]
    assert broken and all((c["requirement"], c["section"], c["level"]) == ("6267-38", "4.2.2.3", "MUST") for c in broken), broken
    assert len(failed["checks"]) == len(failed["cases"]) and "repeat:" in broken[0]["detail"]
    assert [m["verdict"] for m in by_name(found, "mutants")["mutants"]] == ["killed"], "that alone was built and judged"
    survived = by_name(found, "mutants-survived")["mutants"]
    assert [m["verdict"] for m in survived] == ["survived"] and survived[0]["case"] is None, survived
    names = {measure["name"] for measure in by_name(found, "bench-crypto")["measures"]}
    assert {"p512/pairing/time", "p512/pairing/time-over-limit"} <= names, names


# ---- the formats ---------------------------------------------------------------------------------------------------------------


def test_junit(found):
    path = os.path.join(WORK, "all.xml")
    ibakelab("report", OUT, "--junit", path)
    subprocess.run(["xmllint", "--noout", "--schema", os.path.join(SCHEMAS, "junit.xsd"), path], check=True, capture_output=True)
    root = ElementTree.parse(path).getroot()
    cases = root.findall("testsuite/testcase")
    assert len(cases) == int(root.get("tests")) == sum(check_count(r) for r in found.values()), "each check is a case"
    failed = [case for case in cases if case.find("failure") is not None]
    assert {c.find("failure").get("type") for c in failed} >= {"6267-38", "fail"}, failed
    assert any(suite.get("tests") == "0" for suite in root), "a benchmark is there, without cases"


def sarif_schema():
    packages = os.path.join(SOURCE, "reports", "web", "node_modules")  # the build has installed them
    path = os.path.join(packages, "@microsoft", "jest-sarif", "lib", "schemas", "sarif-2.1.0-rtm.5.json")
    return jsonschema.Draft4Validator(load(path))


def test_sarif(found):
    sarif = json.loads(ibakelab("report", OUT, "--sarif", "-").stdout)
    validator = sarif_schema()
    validator.validate(sarif)
    assert not validator.is_valid({**sarif, "version": "2.0.0"}), "the schema sees"
    assert len(sarif["runs"]) == len(found)
    assert len({run["automationDetails"]["id"] for run in sarif["runs"]}) == len(found)
    for run in sarif["runs"]:
        rules = run["tool"]["driver"]["rules"]
        for result in run["results"]:
            assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
            assert result["locations"][0]["physicalLocation"]["artifactLocation"]["uri"], result
    rules = [rule for run in sarif["runs"] for rule in run["tool"]["driver"]["rules"] if rule["id"] == "6267-38"]
    assert rules[0]["helpUri"] == "https://www.rfc-editor.org/rfc/rfc6267#section-4.2.2.3" and "V flag" in str(rules[0]), rules


def test_csv(found):
    rows = list(csv.reader(io.StringIO(ibakelab("report", OUT, "--csv", "-").stdout)))
    assert rows[0] == ["item", "kind", "table", "row", "name", "value", "unit"] and all(len(row) == 7 for row in rows)
    outcomes = [row for row in rows if row[2] == "checks" and row[4] == "outcome"]
    assert len(outcomes) == sum(check_count(r) for r in found.values())
    assert {row[0] for row in rows[1:]} == set(found)
    setup = [row for row in rows if row[0] == os.path.join(OUT, "run") and row[2] == "calls" and row[4] == "setup_ns"]
    assert setup == [[os.path.join(OUT, "run"), "run", "calls", "1", "setup_ns",
                      str(by_name(found, "run")["calls"][0]["setup_ns"]), "ns"]], setup
    spread = [row for row in rows if row[1] == "sweep" and row[2] == "summary" and row[4] == "measures.setup.mean"]
    assert [row[5] for row in spread] == ["1.37", ""], spread


def test_markdown_tap_and_summary(found):
    good = sum(result["verdict"] == "pass" for result in found.values())
    markdown = ibakelab("report", OUT, "--markdown", "-").stdout
    assert markdown.startswith(f"# ibakelab: {len(found)} results, {good} passed, {len(found) - good} did not\n"), markdown[:200]
    assert "6267-38 §4.2.2.3 MUST" in markdown and markdown.count("\n## ") == len(found)
    tap = ibakelab("report", OUT, "--tap", "-").stdout.splitlines()
    checks = sum(check_count(r) for r in found.values())
    assert tap[:2] == ["TAP version 14", f"1..{checks}"]
    assert len([line for line in tap if line.startswith(("ok ", "not ok "))]) == checks
    told = ibakelab("report", OUT).stdout
    assert told.endswith(f"{len(found)} results, {good} passed, {len(found) - good} did not\n"), told


def test_conform_reports_at_once(_):
    """conform --junit and --tap are what report makes of --json, but for the folder's name."""
    paths = [os.path.join(WORK, name) for name in ("one.xml", "one.tap", "one.json")]
    ibakelab("conform", "--filter", "flow/responder/1024-p-256-*", "--iut", ADAPTER, "--junit", paths[0], "--tap", paths[1], "--json",
             paths[2], status=1)
    for option, path in (("--junit", paths[0]), ("--tap", paths[1])):
        made = ibakelab("report", paths[2], option, "-").stdout
        with open(path, encoding="utf-8") as file:
            assert file.read() == made.replace(f"{paths[2]}: ", ""), option


def test_nothing_is_played_for_a_report_that_cannot_be_written(_):
    nowhere = os.path.join(WORK, "nowhere", "x")
    for command in (["conform", "--quiet"], ["conform", "--mutants"], ["bench", "sim", "--quick"], ["bench", "crypto", "--quick"]):
        for path, said in ((nowhere, "No such file"), (WORK, "this is a folder")):
            done = ibakelab(*command, "--json", path, status=2)
            assert said in done.stderr and not done.stdout, (command, done)
    done = ibakelab("conform", "--json", "-", "--junit", "-", status=2)
    assert "only one of them" in done.stderr and not done.stdout, done


def test_results_of_one_folder_are_told_apart(found):
    run = next(os.path.join(name, "result.json") for name, result in found.items() if result["kind"] == "run")
    paths = [os.path.join(WORK, name) for name in ("a.json", "b.json")]
    for path in paths:
        shutil.copy(run, path)
    rows = list(csv.reader(io.StringIO(ibakelab("report", *paths, "--csv", "-").stdout)))
    assert {row[0] for row in rows[1:]} == set(paths)
    told = ibakelab("report", *paths).stdout
    assert all(f"; {path}\n" in told for path in paths), told


# ---- what is refused -------------------------------------------------------------------------------------------------------------


def spoiled(value):
    """The value with each one of its parts wrong in some way, breadth first and not into every element of a list."""
    yield from ([], {}, "text", -1, None, True)
    if isinstance(value, dict):
        for name in value:
            yield {key: member for key, member in value.items() if key != name}
        yield {**value, "unknown": 1}
        for name, member in value.items():
            for bad in spoiled(member):
                yield {**value, name: bad}
    elif isinstance(value, list) and value:
        for bad in spoiled(value[-1]):
            yield value[:-1] + [bad]


def test_refuses_what_the_schema_refuses(found):
    """The program's reader and jsonschema, which share no code, agree about every one of these."""
    variants = []
    for kind in sorted({result["kind"] for result in found.values()}):
        result = next(result for result in found.values() if result["kind"] == kind)
        all_of_kind = list(spoiled(result))
        variants += [(kind, variant) for variant in all_of_kind[:: len(all_of_kind) // 80 + 1]]
    path = os.path.join(WORK, "variants")
    with open(path, "w", encoding="utf-8") as file:
        file.writelines(json.dumps(variant) + "\n" for _, variant in variants)
    said = subprocess.run([JUDGE, path], check=True, capture_output=True, text=True).stdout.splitlines()
    expected = [VALIDATOR.is_valid(variant) for _, variant in variants]
    assert len(said) == len(expected)
    for (kind, variant), line, good in zip(variants, said, expected):
        assert (line == "good") == good, (kind, line, variant)
    for kind in {kind for kind, _ in variants}:
        refused = sum(not good for (one, _), good in zip(variants, expected) if one == kind)
        assert refused >= 15, (kind, refused, "too few to show anything")


def folder_of_bad():
    path = os.path.join(WORK, "bad")
    os.makedirs(path, exist_ok=True)
    return os.path.join(path, "result.json")


def test_refuses_no_results(_):
    place = folder_of_bad()

    def refused(said, *arguments):
        done = ibakelab("report", *(arguments or [os.path.dirname(place)]), status=2)
        assert said in done.stderr, (said, done)

    with open(os.path.join(OUT, "run", "result.json"), "rb") as file:
        whole = file.read()
    for size in (0, 1, len(whole) // 2, len(whole) - 3):
        with open(place, "wb") as file:
            file.write(whole[:size])
        refused("result.json:")
    with open(place, "wb") as file:
        file.write(whole.replace(b'"kind": "run"', b'"kind": "fuzz"'))
    refused("is missing")
    with open(place, "wb") as file:
        file.write(whole.replace(b"ibakelab-result/1", b"\\u001b[2J\\u0007"))
    refused("is wanted, not '?[2J?'")
    with open(place, "wb") as file:
        file.write(b"[" * 100000)
    refused("maximum parsing depth")
    with open(place, "wb") as file:
        file.truncate(300 << 20)
    refused("more than")
    os.unlink(place)
    refused("has a result.json")
    refused("No such file", os.path.join(WORK, "nowhere"))
    refused("a result folder is missing", "--junit", "-")
    refused("only one of them", OUT, "--junit", "-", "--csv", "-")
    refused("stands twice", OUT, "--junit", "a", "--junit", "b")
    refused("No such file", OUT, "--junit", os.path.join(WORK, "nowhere", "x.xml"))
    refused("unrecognized option", OUT, "--xml", "x")
    assert "--sarif F" in ibakelab("report", "--help").stdout


try:
    make_results()
    made_results = results()
    for test_name, test in list(globals().items()):
        if test_name.startswith("test_"):
            test(made_results)
            print("passed", test_name, flush=True)
finally:
    shutil.rmtree(WORK)
