"""Plays the suite's side of conformance/IUT.md against an adapter; every answer is held against the schema."""
import base64
import json
import os
import subprocess

import jsonschema

SOURCE = os.environ.get("IBAKELAB_SOURCE") or os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..")
PARAMS = os.path.join(SOURCE, "data", "ibe-params")
NOON = 1795521600000  # 2026-11-24T12:00:00Z
SESSION_OPS = {"open", "message", "time", "update", "settle", "fork", "close"}

with open(os.path.join(SOURCE, "conformance", "iut.schema.json"), encoding="utf-8") as file:
    SCHEMA = json.load(file)


def validator(definition):
    return jsonschema.Draft202012Validator({"$ref": f"#/$defs/{definition}", "$defs": SCHEMA["$defs"]})


VALIDATORS = {name: validator(name) for name in SCHEMA["$defs"] if name.startswith(("answer-", "request-"))}


def b64(octets):
    return base64.b64encode(octets).decode()


def of_file(*path):
    with open(os.path.join(*path), "rb") as file:
        return b64(file.read())


def definition_of_answer(op, result):
    if result != "ok":
        return f"answer-{result}"
    return "answer-reports" if op in SESSION_OPS else f"answer-{op}"


class Adapter:
    """A process behind the contract. `say` sends any line; `ask` a request that obeys the schema."""

    def __init__(self, *command, greet=True):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
        self.seq = 0
        if greet:
            self.hello = self.ask("hello", contract=1, suite="test")

    def say(self, line):
        self.process.stdin.write(line if isinstance(line, bytes) else line.encode())
        self.process.stdin.write(b"\n")
        self.process.stdin.flush()
        answer = self.process.stdout.readline()
        assert answer.endswith(b"\n"), f"no answer to {line[:200]!r}, but {answer[:200]!r}"
        return json.loads(answer)

    def send(self, request):
        """A request without the check of the request, but with that of the answer."""
        self.seq += 1
        request = {"op": None, "seq": self.seq, **request}
        answer = self.say(json.dumps(request))
        assert answer["seq"] == self.seq, answer
        errors = list(VALIDATORS[definition_of_answer(request["op"], answer["result"])].iter_errors(answer))
        assert not errors, (answer, errors[0].message)
        return answer

    def ask(self, op, **members):
        VALIDATORS[f"request-{op}"].validate({"op": op, "seq": self.seq + 1, **members})
        answer = self.send({"op": op, **members})
        assert answer["result"] == "ok", (op, members, answer)
        return answer

    def report(self, op, **members):
        """A request about one session: its report."""
        reports = self.ask(op, **members)["reports"]
        assert len(reports) == 1, reports
        return reports[0]

    def end(self):
        self.process.stdin.close()
        assert self.process.stdout.read() == b""
        assert self.process.wait(20) == 0


def uri(text):
    return {"uri": text}


def extract(program, directory, identity, date, size=1024):
    """A private key in base64, by `ibakelab kms extract`."""
    out = os.path.join(directory, f"{size}-{identity.replace(':', '-')}-{date}.der")
    if not os.path.exists(out):
        subprocess.run([program, "kms", "extract", "--params", f"{PARAMS}/ibe-{size}.params.der", "--master",
                        f"{PARAMS}/ibe-{size}.master.der", "--identity", identity, "--date", date, "--out", out],
                       check=True, stdout=subprocess.DEVNULL)
    return of_file(out)
