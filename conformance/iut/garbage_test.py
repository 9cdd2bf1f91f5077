#!/usr/bin/python3
"""Whatever a suite sends, `ibakelab iut` answers within the contract and goes on. Argument: the program."""
import json
import random
import sys
import tempfile

from driver import PARAMS, SCHEMA, Adapter, b64, definition_of_answer, extract, of_file, uri, validator

program = sys.argv[1]
directory = tempfile.TemporaryDirectory()
ALICE = uri("sip:alice@home.example")
KEY = {"identity": ALICE, "date": "20261124", "der": extract(program, directory.name, ALICE["uri"], "20261124")}
BEGIN = {"op": "begin", "case": "flow/x", "needs": ["random"], "utc_ms": 1795521600000, "timer_ms": 0,
         "params": [{"der": of_file(PARAMS, "ibe-1024.params.der"), "serves": ["@home.example"], "granularity": "day"}],
         "keys": [KEY], "policy": {"curves": ["P-256"], "accept_initiators": [ALICE], "csb_ids_in_use": [1], "skew_ms": 9},
         "random": {"x": ["AA=="], "seed": "AQ=="},
         "kms": {"identity": ALICE, "master": of_file(PARAMS, "ibe-1024.master.der"), "users": [{"psk": "QUFB", "may_have": [ALICE]}],
                 "key_pairs": [], "anchors": []}}
OPEN = {"op": "open", "session": "a", "role": "initiator", "local": ALICE, "peer": ALICE, "sdp_ids": "mikey", "esk": {"sk": ""},
        "map": {"type": "SRTP-ID", "sessions": [{"policy": 0, "ssrc": 1, "roc": 0}]}, "policies": [{"number": 0, "prf": 0, "kdr": 1}],
        "sdp": {"body": "v=0\r\nm=x\r\n", "level": "media", "others": ["x y"]}}
GENERIC = {"op": "open", "session": "g", "role": "initiator", "local": ALICE, "peer": ALICE, "map": {"type": "GENERIC-ID", "sessions": [
    {"cs_id": 1, "policies": [0], "ssrc": 1, "roc": 0, "rtp_seq": 1, "mki": "AQ=="}]}}
USER = {"op": "open", "session": "u", "role": "user", "kms": ALICE, "ask": [ALICE], "method": "PSK", "psk": "QUFB", "psk_id": ALICE, "params": 0}
PKE = {"op": "open", "session": "p", "role": "user", "kms": ALICE, "ask": [ALICE], "method": "PKE", "pke": {
    "chain": ["AA=="], "private_key": "AA==", "kms_certificates": ["AA=="], "kms_certificate": 0, "chash": True, "anchors": ["AA=="]}}
RESPONDER = {"op": "open", "session": "r", "role": "responder", "local": ALICE, "ssrcs": [1]}
REQUESTS = [BEGIN, OPEN, GENERIC, USER, PKE, RESPONDER, {"op": "open", "session": "k", "role": "kms"},
            {"op": "message", "session": "r", "octets": "AQYFAA=="}, {"op": "message", "session": "a", "sdp": "v=0"},
            {"op": "message", "session": "a", "sip_status": 488, "warning": 306}, {"op": "time", "utc_ms": 5, "timer_ms": 5},
            {"op": "update", "session": "r", "new_dh": True, "curve": "P-256", "mki": "AQ==", "map": OPEN["map"], "policies": []},
            {"op": "settle", "session": "r", "keep": True}, {"op": "fork", "session": "a", "as": "f"}, {"op": "close", "session": "a"},
            {"op": "open-esk", "identity": ALICE, "date": "20261124", "octets": "AQYFAA=="},
            {"op": "parse", "what": "private-key", "octets": "AQYFAA==", "params": BEGIN["params"][0]["der"]},
            {"op": "parse", "what": "point", "octets": "AQYFAA==", "curve": "P-256"}, {"op": "end"}]
ODD = [None, True, -1, 0, 2**63 - 1, -2**63, 2**31, 1.5, "", "x", "P-999", "====", "AAA", "a" * 5000, "\ud7ff\u0001", [], [[]], [{}],
       [1, "x", None], {}, {"uri": 1}, {"uri": "x", "nai": "y"}, {"bytes": "!"}, {"": 1}]


def places(value, path=()):
    """The path of each member and element of a request."""
    children = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, child in children:
        yield path + (name,)
        yield from places(child, path + (name,))


def changed(request, path, value):
    copy = json.loads(json.dumps(request))
    inner = copy
    for step in path[:-1]:
        inner = inner[step]
    if value is places:
        del inner[path[-1]]
    else:
        inner[path[-1]] = value
    return copy


def test_lines(adapter):
    """What is no request is malformed, and the sequence of requests goes on."""
    lines = [b"", b"x", b"[]", b"null", b"{", b'{"op": "end", "op": "end", "seq": 2}', b'{"op": "x\xff", "seq": 2}', b"\0",
             b'{"op": "end", "seq": 2}\0', b"[" * 100000, b'{"op": "end"}', b'{"op": "end", "seq": 1}', b'{"op": "end", "seq": 3}',
             b'{"op": "end", "seq": "2"}', b'{"op": "end", "seq": 99999999999999999999}', b'{"seq": 2}', b'{"op": 1, "seq": 2}',
             b'{"op": "parse", "seq": 2, "what": "' + b"a" * 5000000 + b'"}', "{'op': 'end'}".encode(), "\ufeff{}".encode()]
    for line in lines:
        answer = adapter.say(line)
        assert answer["result"] == "malformed", (line[:80], answer)
        validator("answer-malformed").validate(answer)
    answer = adapter.say(json.dumps({"op": "end", "seq": 2}))
    assert answer["result"] == "malformed" and answer["what"] == "op", answer  # it counts, but no case is open
    adapter.seq = 2
    for request, what in (({"op": "hello", "contract": 1, "suite": "x"}, "op"), ({"op": "begin"}, "case"),
                          ({"op": "begin", "case": "flow/x", "wibble": 1}, "wibble"),
                          ({"op": "begin", "case": "flow/x", "params": [{"serves": []}]}, "params[0].der"),
                          ({"op": "begin", "case": "flow/x", "keys": [KEY]}, "keys[0].identity")):
        answer = adapter.send(request)
        assert (answer["result"], answer["what"]) == ("malformed", what), answer


def test_hello():
    """Nothing before hello; another version is unsupported."""
    adapter = Adapter(program, "iut", greet=False)
    assert adapter.send({"op": "begin", "case": "flow/x"})["result"] == "malformed"
    assert adapter.send({"op": "hello", "contract": 2, "suite": "x"}) | {"detail": 0} == {
        "seq": 2, "result": "unsupported", "what": "contract", "detail": 0}
    assert adapter.ask("hello", contract=1, suite="x")["contract"] == 1
    adapter.end()


def test_changed_requests(adapter):
    """Every member of every request, taken away and with odd values: an answer of the contract, whatever it is."""
    results = {"ok": 0, "refused": 0, "unsupported": 0, "malformed": 0}
    for request in REQUESTS:
        for path in places(request):
            for value in [places, *ODD]:
                if path == ("op",):
                    continue
                adapter.send(BEGIN | {"random": {}})
                if request not in (BEGIN, RESPONDER):
                    adapter.send(RESPONDER)
                results[adapter.send(changed(request, path, value))["result"]] += 1
    assert all(results.values()) and results["malformed"] > 1000, results
    adapter.ask("begin", case="flow/x")
    return results


def test_random_octets(adapter):
    """Octets of all kinds to every parser and session."""
    source = random.Random(1)
    adapter.send(BEGIN | {"random": {}})
    for i in range(300):
        octets = b64(source.randbytes(source.randrange(200)))
        adapter.send({"op": "open", "session": f"r{i}", "role": source.choice(["responder", "mailbox"]), "local": ALICE})
        adapter.send({"op": "message", "session": f"r{i}", "octets": octets})
        for what in ("message", "ibake", "esk", "kemac", "key-mgmt", "params", "ciphertext"):
            assert adapter.send({"op": "parse", "what": what, "octets": octets})["result"] in ("ok", "refused")
    adapter.ask("end")


class Walk:
    """Requests that make sense one by one, in any order, with the messages that were sent so far."""

    def __init__(self, adapter, seed):
        self.adapter, self.source = adapter, random.Random(seed)
        self.names, self.messages, self.clock, self.events = [], [b64(b"x")], 0, set()
        adapter.ask("begin", case="state/walk", params=BEGIN["params"], keys=[KEY], random={"seed": b64(bytes([seed, 1]))},
                    policy={"allow_missing_echo": True, "accept_responders": "any", "errors": "all"})

    def new_name(self):
        self.names.append(f"s{len(self.names)}")
        return self.names[-1]

    def request(self):
        choice, some = self.source.choice, self.source.choice(self.names) if self.names else None
        if not some or self.source.random() < .25:
            role = choice(["initiator", "initiator", "responder", "responder", "mailbox"])
            more = {"peer": ALICE, "map": OPEN["map"]} if role == "initiator" else {"ssrcs": [7]}
            return {"op": "open", "session": self.new_name(), "role": role, "local": ALICE, **more}
        kind = choice(["message"] * 12 + ["time", "update", "update", "settle", "fork", "close"])
        if kind == "time":
            self.clock += choice([1, 1000, 40000])
            return {"op": "time", "timer_ms": self.clock, "utc_ms": 1795521600000 + self.clock}
        more = {"message": {"octets": choice(self.messages[-6:])}, "update": {"new_dh": choice([True, False])},
                "settle": {"keep": choice([True, False])}, "close": {}}
        return {"op": kind, "session": some, **(more[kind] if kind != "fork" else {"as": self.new_name()})}

    def step(self):
        answer = self.adapter.send(self.request())
        for report in answer.get("reports", []):
            self.messages += report["messages"]
            self.events.add((report["event"], report["state"], report.get("error")))


def test_walks(adapter):
    """Messages in any state and order: answers of the contract, and most of the states are seen."""
    seen = set()
    for seed in range(6):
        walk = Walk(adapter, seed)
        for _ in range(150):
            walk.step()
        seen |= walk.events
    adapter.ask("end")
    states = {(event, state) for event, state, _ in seen}
    assert {("accepted", "established"), ("discarded", "established"), ("accepted", "updating"), ("refused", "closed"),
            ("accepted", "closed"), ("expired", "closed")} <= states, states
    assert ("discarded", "established", "unexpected") in seen and len(seen) > 12, seen


assert set(op["op"] for op in REQUESTS) | {"hello"} == {n[8:] for n in SCHEMA["$defs"] if n.startswith("request-")}
assert definition_of_answer("open", "ok") == "answer-reports"
one = Adapter(program, "iut")
test_lines(one)
test_hello()
results = test_changed_requests(one)
test_random_octets(one)
test_walks(one)
one.end()
without_lf = Adapter(program, "iut")
without_lf.process.stdin.write(b'{"op": "parse", "seq": 2, "what": "message", "octets": ""}')
without_lf.process.stdin.close()
assert json.loads(without_lf.process.stdout.readline())["result"] == "refused" and without_lf.process.wait(20) == 0
print(f"changed requests: {results}")
