#!/usr/bin/env python3
"""`ibakelab ladder` and `ibakelab matrix` over real runs: the text is what the run showed, the pictures are well-formed,
mscgen takes its source, and the page's data agree with the events. And what is no folder of a run is told in plain words.

usage: ladder_test.py IBAKELAB SCENARIOS
"""
import collections
import json
import pathlib
import shutil
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as xml

ibakelab, scenarios = sys.argv[1], pathlib.Path(sys.argv[2])
SVG = "{http://www.w3.org/2000/svg}"
# RFC 6267 §6.1.1: the data type is the second octet.
DATA_TYPES = {"REQUEST_KEY_PSK": 19, "REQUEST_KEY_PKE": 20, "REQUEST_KEY_RESP": 21, "I_MESSAGE_1": 22,
              "R_MESSAGE_1": 23, "I_MESSAGE_2": 24, "R_MESSAGE_2": 25}


def command(*arguments, status=0):
    done = subprocess.run([ibakelab, *map(str, arguments)], capture_output=True, text=True)
    assert done.returncode == status, f"{arguments}: status {done.returncode}, not {status}\n{done.stderr}"
    return done


def play(work, name):
    out = work / pathlib.Path(name).name
    return out, command("run", scenarios / f"{name}.yaml", "--keylog", "--out", out).stdout


def check_text(out, shown):
    """The terminal shows the same ladder and the same matrix again."""
    ladder = command("ladder", out).stdout
    assert ladder.startswith("Call ") and ladder in shown, f"{out.name}: another ladder than the run's"
    assert command("matrix", out).stdout in shown, f"{out.name}: another matrix than the run's"


def check_svg(path, names):
    root = xml.parse(path).getroot()
    assert root.tag == SVG + "svg" and root.get("role") == "img"
    labelled = root.get("aria-labelledby").split()
    assert [root.find(SVG + "title").get("id"), root.find(SVG + "desc").get("id")] == labelled
    texts = ["".join(text.itertext()) for text in root.iter(SVG + "text")]
    for name in names:
        assert name in texts, f"{path.name}: no '{name}'"
    width = float(root.get("width"))
    for text in root.iter(SVG + "text"):
        assert 0 <= float(text.get("x")) <= width, f"{path.name}: '{text.text}' lies outside"


def check_pictures(work, out, names):
    svg, again, msc = work / "a.svg", work / "b.svg", work / "a.msc"
    command("ladder", out, "--svg", svg, "--mscgen", msc)
    command("ladder", out, "--svg", again)
    assert svg.read_bytes() == again.read_bytes()
    check_svg(svg, names)
    drawn = subprocess.run(["mscgen", "-T", "svg", "-o", work / "msc.svg", "-i", msc], capture_output=True, text=True)
    assert drawn.returncode == 0, f"mscgen refuses {out.name}: {drawn.stderr}"
    command("matrix", out, "--svg", svg)
    check_svg(svg, ["alice", "session-key"] if "first" in out.name else [])


def sent_messages(out):
    """From the events, which no code of the page has touched: how often each message was sent, by Call-ID, hop, name."""
    counts = collections.Counter()
    for line in (out / "events.jsonl").read_text().splitlines():
        event = json.loads(line)
        if event["event"] == "sent" and event.get("mikey") and event.get("label"):
            counts[event["node"], event["peer"], event["label"], event["mikey"]] += 1
    return counts


def check_message(run, row, start_ns):
    message = run["messages"][row["message"]]
    octets, tree = bytes.fromhex(message["octets"]), message["tree"]
    assert octets[0] == 1 and octets[1] == DATA_TYPES[row["mikey"]], f"{row}: another message"
    assert tree["message"] == row["mikey"] and tree["octets"] == len(octets)
    assert tree["fields"][0]["name"] == "HDR" and tree["origin"]["frame"] > 0
    end = max(field["offset"] + field["length"] for field in tree["fields"])
    assert end == len(octets), f"{row}: the fields end at {end} of {len(octets)}"
    return tree


def check_page(work, out, decrypted=True):
    command("ladder", out, "--json", work / "run.json")
    run = json.loads((work / "run.json").read_text())
    result = json.loads((out / "result.json").read_text())
    nodes, start = run["nodes"], None
    counts, readers = sent_messages(out), {party["party"] for party in result["knowledge"]["parties"]}
    for ladder in run["ladders"]:
        assert ladder["call"] is None or result["calls"][ladder["call"]]["id"] in ladder["title"]
        for row in ladder["rows"]:
            hop = nodes[row["from"]]["name"], nodes[row["to"]]["name"]
            assert set(row["readers"]) <= readers and (row["arrived_ns"] or row["ns"]) >= row["ns"]
            if row["kind"] in ("sip", "http", "mikey") and row["mikey"]:
                tree = check_message(run, row, start)
                counts[(*hop, row["label"], row["mikey"])] -= row["copies"]
                if decrypted and row["mikey"] == "I_MESSAGE_1":
                    assert "decrypted content" in json.dumps(tree), f"{row}: not decrypted"
    assert run["left_out"] or not +counts, f"{out.name}: in no ladder: {+counts}"
    for link in run["links"]:
        assert link["capture"] in run["captures"] and (out / link["capture"]).exists()
        assert 0 <= link["a"] < len(nodes) and 0 <= link["b"] < len(nodes)
    for state in run["states"]:
        assert 0 <= state["node"] < len(nodes) and 0 <= state["call"] < len(result["calls"])
    assert any(state["what"] == "ESTABLISHED" for state in run["states"]) == any(
        call["keyed_ns"] for call in result["calls"])
    return run


def check_complaint(said, *arguments):
    done = command(*arguments, status=2)
    assert done.stderr.startswith(f"ibakelab {arguments[0]}: ") and said in done.stderr, f"said: {done.stderr}"
    assert not done.stdout


def check_bad_input(work, out):
    check_complaint("the folder of a run is missing", "ladder")
    check_complaint("one folder at a time", "matrix", out, out)
    check_complaint("nowhere/result.json: cannot be opened", "ladder", work / "nowhere")
    check_complaint("nowhere/result.json: cannot be opened", "matrix", work / "nowhere")
    check_complaint("has 1 call", "ladder", out, "--call", "2")
    check_complaint("no call of this name", "ladder", out, "--call", "second")
    check_complaint("no call of this name", "ladder", out, "--call", "-1")
    check_complaint("No such file", "ladder", out, "--svg", work / "nowhere" / "a.svg")
    for arguments in (("ladder", out, "--svg", "-", "--mscgen", "-"), ("ladder", out, "--text", "--json", "-"), ("matrix", out, "--text", "--svg", "-")):
        check_complaint("only one of them", *arguments)
    copy = work / "copy"
    shutil.copytree(out, copy)
    lines = (copy / "events.jsonl").read_text().splitlines(keepends=True)
    lines[4] = lines[4].replace('"kind":"sip"', '"kind":"sap"')
    (copy / "events.jsonl").write_text("".join(lines))
    for option in ([], ["--svg", work / "x.svg"], ["--json", work / "x.json"]):
        check_complaint("events.jsonl:5: column", "ladder", copy, *option)
    (copy / "events.jsonl").write_text("")
    check_complaint("nothing to draw", "ladder", copy)
    (copy / "events.jsonl").write_text("".join(lines[:4]) + lines[5][:40])
    check_complaint("cut off", "ladder", copy)
    (copy / "events.jsonl").unlink()
    check_complaint("events.jsonl: No such file", "ladder", copy)
    (copy / "capture" / "all.pcap").write_bytes(b"no capture")
    shutil.copy(out / "events.jsonl", copy)
    check_complaint("all.pcap: not a pcap", "ladder", copy, "--json", work / "x.json")


def main():
    work = pathlib.Path(tempfile.mkdtemp())
    try:
        out, shown = play(work, "basic/first-call-80")
        check_text(out, shown)
        check_pictures(work, out, ["alice", "P-CSCF", "home.example", "INVITE", "I_MESSAGE_1", "R_MESSAGE_2"])
        run = check_page(work, out)
        assert [n["kind"] for n in nodes_of(run, "alice", "kms.home.example")] == ["ue", "kms"]
        assert command("ladder", out, "--call", "first").stdout == command("ladder", out, "--call", "1").stdout
        assert "REGISTER" in command("ladder", out, "--call", "0").stdout
        assert "BYE" not in command("ladder", out, "--mikey").stdout
        check_bad_input(work, out)

        out, shown = play(work, "attacks/replaced-responder-point")  # what a row got, and what was made of it
        check_text(out, shown)
        check_pictures(work, out, ["mallory: re-encrypt"])
        run = check_page(work, out, decrypted=False)
        rows = [row for ladder in run["ladders"] for row in ladder["rows"]]
        act = next(row for row in rows if row["kind"] == "attack")
        hop = next(row for row in rows if (row["from"], row["to"], row["mikey"]) == (act["from"], act["to"], act["mikey"])
                   and row["kind"] == "sip")
        after = [row for row in rows if row["ns"] > act["ns"] and row["mikey"] == "R_MESSAGE_1" and row["kind"] == "sip"]
        assert hop["message"] != act["message"] and {row["message"] for row in after} == {act["message"]}

        out, shown = play(work, "attacks/replay-fresh-dialog")
        check_text(out, shown)
        assert shown.rindex("mallory: replay invite") > shown.rindex("BYE")  # her own call is shown beside the one
        check_page(work, out, decrypted=False)
        out, _ = play(work, "attacks/drop-r-message-1")  # what the core never saw comes from the link's own capture
        check_page(work, out)
    finally:
        shutil.rmtree(work)


def nodes_of(run, *names):
    return [next(node for node in run["nodes"] if node["name"] == name) for name in names]


main()
