#!/usr/bin/python3
"""The requirements pass their check, and it notices each kind of fault. Arguments: the check, the requirements."""
import os
import re
import shutil
import subprocess
import sys
import tempfile

program, source = sys.argv[1:3]
COUNTS = {"6267": 101, "3830": 70, "4563": 1, "4567": 62, "6043": 12, "5091": 21, "6539": 15}


def check(directory, *options):
    return subprocess.run([program, *options, directory], capture_output=True, text=True, timeout=60)


def await_all(path):
    """Every requirement waits for its cases: what is judged here is the check, not the suite."""
    with open(path, encoding="utf-8") as file:
        text = file.read()
    with open(path, "w", encoding="utf-8") as file:
        file.write(re.sub(r"    tested-by: \[[^\]]*\]\n", "    tested-by: [pending]\n", text))


def changed(changes, *options):
    """The check of a copy in which the changes were made; {dir} in an option is the copy."""
    with tempfile.TemporaryDirectory() as directory:
        for name in os.listdir(source):
            if name.endswith((".yaml", ".txt")):
                shutil.copy(os.path.join(source, name), directory)
            if name.endswith(".yaml"):
                await_all(os.path.join(directory, name))
        for change in changes:
            change(directory)
        return check(directory, *(option.format(dir=directory) for option in options))


def faulty(change, expected, *options):
    """A copy in which `change` was made is refused, and the message says `expected`."""
    result = changed([change], *(options or ("--allow-pending",)))
    assert result.returncode == 1 and expected in result.stderr, (expected, result)


def replace(name, old, new, times=1):
    def change(directory):
        path = os.path.join(directory, name)
        with open(path, encoding="utf-8") as file:
            text = file.read()
        assert text.count(old) >= 1, (name, old)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text.replace(old, new, times))
    return change


def append(name, line):
    def change(directory):
        with open(os.path.join(directory, name), "a", encoding="utf-8") as file:
            file.write(line + "\n")
    return change


good = check(source)
assert good.returncode == 0 and not good.stderr, good
with open(os.path.join(source, "ids.txt"), encoding="utf-8") as file:
    ids = [line.strip() for line in file if not line.startswith("#")]
for document, number in COUNTS.items():
    assert [i for i in ids if i.startswith(document + "-")] == [f"{document}-{n}" for n in range(1, number + 1)], document
assert {f"P-{n}" for n in range(1, 22)} <= set(ids)

first = 'id: 6267-2\n'
faulty(replace("rfc6267.yaml", first, "id: 6267-1\n"), "6267-1 stands in rfc6267.yaml:5 already")
faulty(replace("rfc4563.yaml", "id: 4563-1", "id: 4563-2"), "4563-1 has vanished")
faulty(replace("rfc4563.yaml", "id: 4563-1", "id: 4563-2"), "number 1 is wanted")
faulty(replace("rfc4563.yaml", "document: RFC 4563", "document: RFC 4564"), "4563-1 is no ID of RFC 4564")
faulty(append("ids.txt", "6267-102"), "6267-102 has vanished")
faulty(append("ids.txt", "6267-9"), "6267-9 stands twice")
faulty(replace("ids.txt", "6267-37\n", ""), "6267-37 is not in ids.txt")
faulty(lambda d: os.remove(os.path.join(d, "ids.txt")), "cannot be read")
faulty(lambda d: os.remove(os.path.join(d, "rfc6539.yaml")), "6539-1 has vanished")
faulty(replace("rfc6267.yaml", "level: MUST", "level: WILL"), "'WILL' is no level")
faulty(replace("rfc6267.yaml", "level: MUST", "level: profile"), "level profile is for the profile")
faulty(replace("rfc6267.yaml", "    level: MUST\n", ""), "a text is wanted")
faulty(replace("rfc6267.yaml", "role: [kms]", "role: [server]"), "'server' is no role")
faulty(replace("rfc6267.yaml", "role: [kms]", "role: []"), "a list that is not empty")
faulty(replace("rfc6267.yaml", "role: [kms]", "role: [kms, kms]"), "a role stands twice")
faulty(replace("rfc6267.yaml", 'section: "4.2.1"', 'chapter: "4.2.1"'), "unknown key 'chapter'")
faulty(replace("rfc6267.yaml", 'section: "4.2.1"', 'section: ""'), "a text is wanted")
faulty(replace("rfc6267.yaml", "    tested-by: [pending]\n", ""), "'tested-by' has to be a list")
faulty(replace("rfc6267.yaml", "    tested-by: [pending]\n", "    tested-by: []\n"), "'tested-by' has to be a list")
faulty(replace("rfc6267.yaml", "    tested-by: [pending]\n", "    not-testable: it is hard\n"), "has to say 'because")
faulty(replace("rfc6267.yaml", "    tested-by: [pending]\n", "    tested-by: [pending]\n    not-testable: because\n"), "has both")
faulty(replace("rfc6267.yaml", "    tested-by: [pending]\n", "    tested-by: [x]\n    tested-by: [y]\n"), "stands twice")
faulty(append("rfc6267.yaml", "\t}"), "rfc6267.yaml:")
faulty(lambda d: None, "6267-1 has no case yet", "--cases", os.devnull)


def with_cases(cases, expected, *changes):
    """The check against a list of cases: no complaint (None), or what it has to say."""
    result = changed([append("cases", cases), *changes], "--allow-pending", "--cases", "{dir}/cases")
    assert result.returncode == (1 if expected else 0) and (expected or "") in result.stderr, (expected, result)


glob = replace("rfc6267.yaml", "    tested-by: [pending]\n", "    tested-by: [kms/psk/*, kms/pke/*]\n")
with_cases("kms/psk/a 6267-1\nkms/pke/b 6267-1 6267-2", None, glob)
with_cases("kms/psk/a", "case kms/psk/a names no requirement")
with_cases("kms/psk/a 6267-1 6267-999", "6267-999, which is no requirement")
with_cases("kms/psk/a 6267-34", "6267-34, which is said to be not testable")
with_cases("kms/psk/a 6267-1", "no case that names 6267-1 matches 'kms/pke/*'", glob)
with_cases("flow/a 6267-1\nkms/psk/a 6267-1\nkms/pke/a 6267-1", "whose tested-by does not name the case", glob)
with_cases("kms/psk/a 6267-1\nkms/pke/a 6267-2", "no case that names 6267-1 matches 'kms/pke/*'", glob)
assert check(source, "--wibble").returncode == 2 and check("/nowhere").returncode == 1
print(good.stdout.strip())
