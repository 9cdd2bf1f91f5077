#!/usr/bin/python3
"""The minimal adapter keeps to the contract, is honest, and parses as our implementation does, whose code it does not
share. Arguments: the program, the adapter."""
import base64
import json
import os
import random
import sys

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "iut"))
from driver import SOURCE, Adapter, b64, definition_of_answer, validator  # noqa: E402

program, minimal = sys.argv[1:3]


def test_honesty():
    adapter = Adapter(minimal)
    assert adapter.hello["supports"]["roles"] == ["parser"]
    for request, result, what in (({"op": "begin", "case": "k7q2x/zzz"}, "unsupported", "case"),
                                  ({"op": "begin", "case": "flow/basic"}, "unsupported", "case"),
                                  ({"op": "wibble"}, "unsupported", "op"), ({"op": "open"}, "unsupported", "op"),
                                  ({"op": "parse", "what": "point", "octets": ""}, "unsupported", "what"),
                                  ({"op": "parse", "what": "message", "octets": "!"}, "malformed", "octets"),
                                  ({"op": "parse", "what": "message", "octets": "", "x": 1}, "malformed", "x"),
                                  ({"op": "hello", "contract": 1, "suite": "x"}, "malformed", "op"),
                                  ({"op": "__init__"}, "unsupported", "op"), ({"op": "end"}, "malformed", "op")):
        answer = adapter.send(request)
        assert (answer["result"], answer["what"]) == (result, what), answer
    for line in (b"", b"x", b"[]", b'{"op": "end", "op": "end"}', b'{"op": "\xff"}', b"[" * 100000, b'{"seq": NaN}'):
        answer = adapter.say(line)
        assert answer["result"] == "malformed", answer
        validator("answer-malformed").validate(answer)
    for seq in (True, 0, -1, "1", None, 1.5, 5):
        answer = adapter.say(json.dumps({"op": "end", "seq": seq}))
        assert (answer["result"], answer["what"]) == ("malformed", "seq"), answer
        validator("answer-malformed").validate(answer)
    adapter.end()
    early = Adapter(minimal, greet=False)
    assert early.send({"op": "parse", "what": "message", "octets": ""})["result"] == "malformed"
    assert early.send({"op": "hello", "contract": 9, "suite": "x"})["what"] == "contract"
    early.end()


def corpus():
    """MIKEY messages of all kinds: the seeds of the fuzz target for messages."""
    folder = os.path.join(SOURCE, "fuzz", "corpus", "mikey_message")
    for name in sorted(os.listdir(folder)):
        with open(os.path.join(folder, name), "rb") as file:
            yield file.read()


def variants(octets, source):
    """The octets, and versions of them with a little damage."""
    yield octets
    for _ in range(120):
        damaged = bytearray(octets)
        for _ in range(source.randrange(1, 4)):
            at = source.randrange(len(damaged)) if source.random() < .5 else source.randrange(min(len(damaged), 40))
            change = source.randrange(4)
            if change == 0:
                damaged[at] ^= 1 << source.randrange(8)
            elif change == 1:
                damaged[at] = source.randrange(27)
            elif change == 2:
                del damaged[at:at + source.randrange(1, 9)]
            else:
                damaged[at:at] = source.randbytes(source.randrange(1, 9))
        yield bytes(damaged) or b"\1"


def test_parsing():
    """Two parsers that share no code agree, about octets that are right and that are not."""
    ours, theirs, source, counts = Adapter(program, "iut"), Adapter(minimal), random.Random(7), {"ok": 0, "refused": 0}
    for message in corpus():
        for octets in variants(message, source):
            for what, text in (("message", octets), ("key-mgmt", b"mikey " + base64.b64encode(octets))):
                request = {"op": "parse", "what": what, "octets": b64(text)}
                one, other = (adapter.send(request) for adapter in (ours, theirs))
                one.pop("detail", None), other.pop("detail", None)
                assert one == other, (octets.hex(), one, other)
            counts[ours.send({"op": "parse", "what": "message", "octets": b64(octets)})["result"]] += 1
            theirs.send({"op": "parse", "what": "message", "octets": b64(octets)})
    for text in (b"mikey ", b"mikey", b"MIKEY AAAA", b"mikey AAA", b"mikey AB==", b"mikey AA==x", b" mikey AAAA", b"", b"mikey  AAAA"):
        one, other = (a.send({"op": "parse", "what": "key-mgmt", "octets": b64(text)}) for a in (ours, theirs))
        assert (one["result"], one.get("error")) == (other["result"], other.get("error")), (text, one, other)
    ours.end(), theirs.end()
    assert min(counts.values()) > 100, counts
    return counts


assert definition_of_answer("parse", "ok") == "answer-parse"
test_honesty()
print(f"the minimal adapter is honest, and parses like ours: {test_parsing()}")
