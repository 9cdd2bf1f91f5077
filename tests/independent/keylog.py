"""Reads keys.log (docs/keylog.md, profile section 6) and remembers which of its records were needed."""

import re
from dataclasses import dataclass

VALUES = {  # kind -> names of its values
    "PARAMS": ("params",), "MASTER": ("master",), "PRIV": ("identity", "key"), "PSK": ("key",),
    "X": ("csb", "key"), "Y": ("csb", "key"), "KSESSION": ("csb", "key"), "MPK": ("csb", "key"),
    "TGK": ("csb", "key"), "AUTHKEY": ("csb", "key"), "TEK": ("csb", "cs", "key"), "SALT": ("csb", "cs", "key"),
}  # fmt: skip
LENGTHS = {"csb": 4, "cs": 1}
OF_EXCHANGES = ("X", "Y", "KSESSION", "MPK", "TGK", "AUTHKEY", "TEK", "SALT")


class KeyLogError(ValueError):
    """A file that is no key log."""


@dataclass
class Record:
    """One line; `key` is its last value, `name` the values before it."""

    line: int
    kind: str
    name: tuple
    key: bytes
    used: bool = False

    def __str__(self):
        return "line %d (%s)" % (self.line, " ".join([self.kind] + [n.hex() for n in self.name]))


class KeyLog:
    """`of(kind, names...)` finds records: there may be several, such as Y of each branch of a forked call."""

    def __init__(self, path):
        self.path, self.records, self._index = path, [], {}
        with open(path, encoding="ascii", errors="strict") as file:
            try:
                for number, line in enumerate(file, 1):
                    self._line(number, line.split("#")[0].split())
            except UnicodeDecodeError as error:
                raise KeyLogError("%s: not ASCII: %s" % (path, error)) from None

    def _line(self, number, words):
        if not words:
            return
        place = "%s:%d: " % (self.path, number)
        kind, texts = words[0], words[1:]
        if kind not in VALUES:
            raise KeyLogError(place + "unknown kind " + kind)
        if len(texts) != len(VALUES[kind]):
            raise KeyLogError(place + "%s has %d values, not %d" % (kind, len(VALUES[kind]), len(texts)))
        values = []
        for name, text in zip(VALUES[kind], texts):
            if not re.fullmatch("([0-9a-fA-F]{2})+", text):
                raise KeyLogError(place + name + " is not hex")
            values.append(bytes.fromhex(text))
            if len(values[-1]) != LENGTHS.get(name, len(values[-1])):
                raise KeyLogError(place + "%s has %d octets" % (name, len(values[-1])))
        record = Record(number, kind, tuple(values[:-1]), values[-1])
        self.records.append(record)
        self._index.setdefault((kind,) + record.name, []).append(record)

    def of(self, kind, *name):
        return self._index.get((kind,) + name, [])

    def kind(self, kind):
        return [r for r in self.records if r.kind == kind]
