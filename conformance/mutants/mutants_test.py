#!/usr/bin/python3
"""The list of mutants is sound, a wrong entry is noticed, and a sample of mutants builds and differs from a good IUT.
Argument: the program."""
import os
import subprocess
import sys
import tempfile

import differences
import mutants

BUILD = os.path.join(mutants.HERE, "build")
SAMPLE = ("i1-without-rand", "r1-echo-unchecked", "i2-t-again", "key-tek-constant", "up-v-from-old-keys",
          "pl-trailing-octets", "kr-iv-without-csb-id", "sdp-failure-survived")
UNSEEN = {"r1-echo-unchecked"}  # only a peer that deviates inside IBAKE can tell it


def refused(change):
    """Is the first mutant with this change noticed?"""
    entry = {**mutants.load()[0], **change}
    try:
        mutants.check_form("test", entry)
        mutants.mutate(entry)
    except mutants.Wrong:
        return True
    return False


def run(*arguments):
    return subprocess.run([BUILD, *arguments], capture_output=True, text=True)


program = sys.argv[1]
checked = run("--check")
assert checked.returncode == 0, checked.stdout + checked.stderr
assert not refused({}) and refused({"find": "no such text"}) and refused({"find": "ibk_err"})
for wrong in ({"id": "Capitals"}, {"breaks": []}, {"file": "sim/run/run.c"}, {"more": 1}):
    assert refused(wrong), wrong
listed = run("--list").stdout.splitlines()
assert len(listed) >= 80 and all(len(line.split("\t")) == 4 for line in listed)
everything = mutants.load()
lacking = mutants.faults_of_the_list([m for m in everything if "6267-14" not in m["breaks"]])
assert len(lacking) == 1 and lacking[0].startswith("6267-14"), lacking
assert run("--print-command", "no-such-mutant").returncode == 2

with tempfile.TemporaryDirectory() as directory:
    keys, said, good = differences.keys_in(directory, program), {}, (program, "iut")
    assert differences.first_difference(good, good, keys, said) is None
    for name in SAMPLE:
        command = run("--print-command", name)
        assert command.returncode == 0, command.stderr
        seen = differences.first_difference(good, command.stdout.split(), keys, said)
        assert (seen is None) == (name in UNSEEN), (name, seen)
print(f"{len(everything)} mutants are listed soundly; {len(SAMPLE)} were built and tried")
