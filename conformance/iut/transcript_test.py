#!/usr/bin/python3
"""IUT.md names every member and word of the schema, and its transcripts are what `ibakelab iut` really says. Arguments: the program, IUT.md."""
import json
import re
import sys
import tempfile

from driver import PARAMS, SCHEMA, Adapter, extract, of_file

program, page = sys.argv[1:3]
MORE = "…"


def substitute(value, known):
    if isinstance(value, dict):
        return {k: substitute(v, known) for k, v in value.items()}
    if isinstance(value, list):
        return [substitute(v, known) for v in value]
    if isinstance(value, str) and value.startswith("$"):
        return known[value]
    return value


def match(shown, real, known, where):
    if isinstance(shown, dict):
        assert isinstance(real, dict), (where, real)
        open_ended = MORE in shown
        members = set(shown) - {MORE}
        assert members <= set(real), f"{where}: {members - set(real)} missing in {real}"
        assert open_ended or members == set(real), f"{where}: {set(real) - members} not shown"
        for name in members:
            match(shown[name], real[name], known, f"{where}.{name}")
    elif isinstance(shown, list):
        assert isinstance(real, list) and len(real) == len(shown), (where, real)
        for i, (one, other) in enumerate(zip(shown, real)):
            match(one, other, known, f"{where}[{i}]")
    elif isinstance(shown, str) and shown.startswith("$") and shown not in known:
        known[shown] = real
    else:
        assert substitute(shown, known) == real, f"{where}: {real} in place of {shown}"


def play(transcript, known):
    adapters, answer, last = {}, None, None
    for line in transcript.strip().splitlines():
        who, direction, text = re.fullmatch(r"(\w?)([<>]) (.*)", line).groups()
        if direction == ">":
            assert answer is None, f"nothing shows the answer before {line}"
            if who not in adapters:
                adapters[who] = Adapter(program, "iut", greet=False)
            request = substitute(json.loads(text), known)
            answer, last = adapters[who].send(request), who
            assert request["seq"] == answer["seq"], line
        else:
            assert who == last and answer is not None, line
            match(json.loads(text), answer, known, "answer")
            answer = None
    for adapter in adapters.values():
        adapter.end()
    return len(adapters)


def members(schema):
    """The names of all members that the schema has, and the words that it permits."""
    if isinstance(schema, dict):
        yield from schema.get("properties", {})
        yield from (word for word in schema.get("enum", []) if isinstance(word, str))
        for value in schema.values():
            yield from members(value)
    elif isinstance(schema, list):
        for value in schema:
            yield from members(value)


with open(page, encoding="utf-8") as file:
    text = file.read()
prose, transcripts = text.split("## 10.")[0], re.findall(r"```transcript\n(.*?)```", text, re.S)
assert len(transcripts) >= 4
unexplained = {name for name in members(SCHEMA) if not re.search(rf'[`."\[]{re.escape(name)}[`"\[]', prose)}
assert not unexplained, f"the page does not explain {sorted(unexplained)}"
with tempfile.TemporaryDirectory() as directory:
    known = {"$params": of_file(PARAMS, "ibe-1024.params.der"), "$master": of_file(PARAMS, "ibe-1024.master.der")}
    for user in ("alice", "bob"):
        known[f"${user}_key"] = extract(program, directory, f"sip:{user}@home.example", "20261124")
    for transcript in transcripts:
        play(transcript, dict(known))
    # A transcript that is wrong is noticed: otherwise the above would prove nothing.
    broken = transcripts[0].replace('"what": "op"', '"what": "case"')
    assert broken != transcripts[0]
    try:
        play(broken, dict(known))
    except AssertionError:
        pass
    else:
        raise SystemExit("a wrong transcript was not noticed")
print(f"{len(transcripts)} transcripts are true")
