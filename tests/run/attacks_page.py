"""docs/attacks.md names every scenario of scenarios/attacks/, and none that does not exist.

A twin may be named by its ending, `-without-…`, in the row of its attack. Arguments: the page, the folder.
"""
import pathlib
import re
import sys

page, folder = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
scenarios = {path.stem for path in folder.glob("*.yaml")}
named, attack = set(), ""
for line in page.read_text(encoding="utf-8").splitlines():
    row = re.match(r"\| (?:`([a-z0-9-]+)`|…)", line)
    if not row:
        continue
    if row.group(1):
        attack = row.group(1)
        named.add(attack)
    for word in re.findall(r"`([a-z0-9-]+)`", line):
        if word.startswith("-without-"):
            named.add(attack + word)
        elif word in scenarios:
            named.add(word)
unknown = sorted(named - scenarios)
missing = sorted(scenarios - named)
if missing:
    print("not in the page:", ", ".join(missing))
if unknown:
    print("in the page, and not there:", ", ".join(unknown))
sys.exit(bool(missing or unknown))
