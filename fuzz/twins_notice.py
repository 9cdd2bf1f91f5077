#!/usr/bin/python3
"""Proves that each oracle of the stateful targets can fail: sequences that are clean as they are break a claim in the twin
that lacks what FUZZ_BREAK names (a defence of libibake, or a part of the world).

usage: twins_notice.py FOLDER    with the programs fuzz_seq_…_broken; exit status 0: all were noticed
"""
import os
import subprocess
import sys
import tempfile

import sequences

folder, missed = sys.argv[1], []
with tempfile.TemporaryDirectory() as work:
    path = os.path.join(work, "input")
    for target, what, octets in sequences.twins():
        open(path, "wb").write(octets)
        program = [os.path.join(folder, f"fuzz_{target}_broken"), path]
        ends = []
        for named in ("", what):
            done = subprocess.run(program, capture_output=True, env={**os.environ, "FUZZ_BREAK": named}, check=False)
            ends.append((done.returncode, b"claim does not hold" in done.stderr))
        if ends[0][0] != 0 or ends[1][0] == 0 or not ends[1][1]:
            missed.append(f"{target} without {what}: {ends}")
print("\n".join(missed) or f"{len(sequences.twins())} twins were noticed")
sys.exit(1 if missed else 0)
