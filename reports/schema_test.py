#!/usr/bin/python3
"""result.json as the program writes it is what reports/schema/result.schema.json says.

Arguments: a program that writes a sample to the path it is given, the schema."""
import json
import os
import subprocess
import sys
import tempfile

import jsonschema

program, schema_path = sys.argv[1:3]
with open(schema_path, encoding="utf-8") as file:
    schema = json.load(file)
jsonschema.Draft202012Validator.check_schema(schema)
validator = jsonschema.Draft202012Validator(schema)
with tempfile.TemporaryDirectory() as directory:
    path = os.path.join(directory, "result.json")
    subprocess.run([program, path], check=True)
    with open(path, encoding="utf-8") as file:
        result = json.load(file)
validator.validate(result)
assert len(result["messages"]) == 2 and result["messages"][0]["stored_ns"] == 7000000000, result["messages"]
assert [len(a["rules"]) for a in result["adversaries"]] == [0, 4], result["adversaries"]
assert len(result["calls"]) == 3 and list(result)[0] == "schema", result
parties = result["knowledge"]["parties"]
assert [len(p["knows"]) for p in parties] == [2, 3, 1, 0] and parties[0]["knows"][0]["at_ns"] == 5, parties
assert parties[0]["knows"][1]["call"] is None and len(result["knowledge"]["remarks"]) == 1, result["knowledge"]

# The schema refuses what it must: otherwise the validation above would prove nothing.
for path, value in [(["verdict"], "maybe"), (["calls", 0, "state"], "up"), (["calls", 0, "extra"], 1),
                    (["seed"], 1), (["calls", 0, "invite_ns"], -1), (["links", 0, "a_to_b"], None),
                    (["adversaries", 1, "rules", 0, "fired"], -1), (["adversaries", 0, "messages", "heard"], 1),
                    (["messages", 0, "intact"], None), (["messages", 1, "who"], "me"),
                    (["knowledge", "parties", 0, "kind"], "friend"),
                    (["knowledge", "parties", 0, "knows", 0, "what"], "everything"),
                    (["knowledge", "parties", 0, "knows", 0, "how"], None)]:
    broken = json.loads(json.dumps(result))
    place = broken
    for step in path[:-1]:
        place = place[step]
    place[path[-1]] = value
    assert not validator.is_valid(broken), path
