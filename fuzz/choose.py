#!/usr/bin/python3
"""Of what a merge of libFuzzer added, the few that add most as it counts them, small ones first: fuzz/minimise --keep.

usage: choose.py CONTROL FOLDER COUNT OCTETS    the control file of the merge, the folder that was merged into (the rest of
                                                it is what was there before), how many, how large at most; prints names
"""
import os
import sys


def features(control):
    """name -> what it reaches; the control file: numbers of files, their names, then a line "FT i …" for each of them."""
    lines = open(control, encoding="utf-8").read().splitlines()
    names = lines[2:2 + int(lines[0])]
    reached = {}
    for line in lines[2 + len(names):]:
        word, *numbers = line.split()
        if word == "FT":
            reached[names[int(numbers[0])]] = set(map(int, numbers[1:]))
    return int(lines[1]), names, reached


def choose(control, folder, count, octets):
    committed, names, reached = features(control)
    have = set().union(*(reached.get(name, set()) for name in names[:committed]))
    added = {os.path.basename(name) for name in os.listdir(folder)}
    left = [name for name in names[committed:] if os.path.basename(name) in added and os.path.getsize(name) <= octets]
    for _ in range(count):
        best = max(left, key=lambda name: (len(reached.get(name, set()) - have), -os.path.getsize(name), name), default=None)
        if best is None or reached.get(best, set()) <= have:
            return
        have |= reached[best]
        left.remove(best)
        yield os.path.join(folder, os.path.basename(best))


if __name__ == "__main__":
    for path in choose(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4])):
        print(path)
