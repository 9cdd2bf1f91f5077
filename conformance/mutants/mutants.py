"""The list of mutants as data, and what has to hold of it."""
import glob
import os
import re

import yaml

HERE = os.path.dirname(os.path.abspath(__file__))
SOURCE = os.environ.get("IBAKELAB_SOURCE") or os.path.dirname(os.path.dirname(HERE))
MEMBERS = {"id", "file", "breaks", "text", "find", "replace", "equivalent"}
PLACES = ("protocol/", "conformance/iut/")


class Wrong(Exception):
    """Something about a mutant that the person who wrote it has to mend."""


def read_source(mutant):
    with open(os.path.join(SOURCE, mutant["file"]), encoding="utf-8") as file:
        return file.read()


def load():
    """All mutants in the order of the files; Wrong if an entry is not of the form that README.md gives."""
    mutants, seen = [], set()
    for path in sorted(glob.glob(os.path.join(HERE, "*.yaml"))):
        if os.path.basename(path) == "exempt.yaml":
            continue
        with open(path, encoding="utf-8") as file:
            entries = yaml.safe_load(file)
        for entry in entries:
            name = f"{os.path.basename(path)}: {entry.get('id', '?')}"
            check_form(name, entry)
            if entry["id"] in seen:
                raise Wrong(f"{name}: the ID stands twice")
            seen.add(entry["id"])
            mutants.append(entry)
    return mutants


def check_form(name, entry):
    lacking = MEMBERS - {"equivalent"} - entry.keys()
    if lacking or entry.keys() - MEMBERS:
        raise Wrong(f"{name}: lacks {sorted(lacking)}, has too much {sorted(entry.keys() - MEMBERS)}")
    if not re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", entry["id"]):
        raise Wrong(f"{name}: an ID has lower-case letters, digits and hyphens")
    if not entry["breaks"] or not all(isinstance(r, str) for r in entry["breaks"]):
        raise Wrong(f"{name}: breaks names no requirement")
    if not entry["file"].startswith(PLACES) or not entry["file"].endswith(".c"):
        raise Wrong(f"{name}: a fault belongs into a source file of {' or '.join(PLACES)}")
    if not entry["find"] or entry["find"] == entry["replace"]:
        raise Wrong(f"{name}: nothing is replaced")


def indented(text, indent):
    """Lines behind the first one are written relative to it in the list."""
    return "\n".join(line if n == 0 or not line else indent + line for n, line in enumerate(text.split("\n")))


def places(mutant, source):
    """Where the text to find stands: position and indentation of its first line."""
    first, found, at = mutant["find"].split("\n")[0], [], -1
    while (at := source.find(first, at + 1)) >= 0:
        line = source[source.rfind("\n", 0, at) + 1:at]
        indent = line[:len(line) - len(line.lstrip())]
        if source.startswith(indented(mutant["find"], indent), at):
            found.append((at, indent))
    return found


def mutate(mutant):
    """The source text with the fault; Wrong unless the text to find stands there exactly once."""
    source = read_source(mutant)
    found = places(mutant, source)
    if len(found) != 1:
        where = f"{len(found)} times in {mutant['file']}"
        raise Wrong(f"{mutant['id']}: the text to find stands {where}:\n{mutant['find']}")
    at, indent = found[0]
    end = at + len(indented(mutant["find"], indent))
    return source[:at] + indented(mutant["replace"], indent) + source[end:]


def requirements():
    """ID to entry, of all documents."""
    found = {}
    for path in glob.glob(os.path.join(SOURCE, "conformance", "requirements", "*.yaml")):
        with open(path, encoding="utf-8") as file:
            for entry in yaml.safe_load(file)["requirements"]:
                found[entry["id"]] = entry
    return found


def exempt():
    """Testable requirements of level MUST without a mutant, and why."""
    with open(os.path.join(HERE, "exempt.yaml"), encoding="utf-8") as file:
        return yaml.safe_load(file) or {}


def faults_of_the_list(mutants):
    """Everything that is wrong, a sentence each."""
    wrong, known, excused = [], requirements(), exempt()
    broken = {requirement for mutant in mutants for requirement in mutant["breaks"]}
    for mutant in mutants:
        try:
            mutate(mutant)
        except (Wrong, OSError) as error:
            wrong.append(str(error))
        wrong += [f"{mutant['id']}: breaks {r}, which is no requirement" for r in mutant["breaks"] if r not in known]
    for requirement, entry in known.items():
        wanted = entry["level"] == "MUST" and "not-testable" not in entry
        if wanted and requirement not in broken and requirement not in excused:
            wrong.append(f"{requirement}: no mutant breaks it: {entry['text']}")
        if requirement in excused and (not wanted or requirement in broken):
            wrong.append(f"exempt.yaml: {requirement} needs no exemption")
    wrong += [f"exempt.yaml: {r} is no requirement" for r in excused if r not in known]
    return wrong
