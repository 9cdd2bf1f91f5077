#!/usr/bin/python3
"""What fuzz/choose.py takes: what adds most first, nothing that adds nothing, nothing that is too large."""
import os
import tempfile

import choose

with tempfile.TemporaryDirectory() as work:
    merged = os.path.join(work, "merged")
    os.mkdir(merged)
    reached = {"old": "1 2", "little": "3", "much": "3 4 5", "other": "5 6 7 8", "nothing": "1 8", "large": "9 10 11 12 13"}
    for name in reached:
        for folder in (work, merged) if name != "old" else (merged,):
            with open(os.path.join(folder, name), "wb") as file:
                file.write(b"x" * (5000 if name == "large" else 10))
    names = [os.path.join(merged if name == "old" else work, name) for name in reached]
    control = os.path.join(work, "control")
    with open(control, "w", encoding="utf-8") as file:
        print(len(names), 1, *names, sep="\n", file=file)
        for i, features in enumerate(reached.values()):
            print(f"STARTED {i} 10\nFT {i} {features}\nCOV {i} 1", file=file)

    def chosen(count):
        return [os.path.basename(path) for path in choose.choose(control, merged, count, 4096)]
    assert chosen(9) == ["other", "much"], chosen(9)
    assert chosen(1) == ["other"], chosen(1)
    os.remove(os.path.join(merged, "other"))
    assert chosen(9) == ["much", "nothing"], chosen(9)
