#!/usr/bin/python3
"""An honest adapter that lacks things: it stands in front of a good one, claims less, and cannot do what it does not claim.

Arguments: what is lacking, separated by commas (features of IUT.md section 3; `policy`: no option is known; `1024`: parameters of
that size; `update.curve`: an update that chooses its curve), then the command of the good adapter. A request for what is lacking is answered with `unsupported`, so a suite that asks for it all the same
is told of a contradiction."""
import json
import subprocess
import sys
import time

lacking = set(sys.argv[1].split(","))
inner = subprocess.Popen(sys.argv[2:], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
SHORT = 700  # parameters of 1024 bits in base64; the next size has about 960
NEEDS = {"fork": "fork", "update": "update", "settle": "settle", "open-esk": "open-esk"}  # of operations


def ask(request):
    ask.seq += 1
    inner.stdin.write(json.dumps({**request, "seq": ask.seq}) + "\n")
    inner.stdin.flush()
    return json.loads(inner.stdout.readline())


ask.seq = 0
opened = set()  # sessions of the case


def unclaimed(request):
    """The member of a request that this adapter cannot serve, or None."""
    if NEEDS.get(request["op"]) in lacking:
        return "op"
    if request["op"] == "begin":
        if "1024" in lacking and any(len(params["der"]) < SHORT for params in request.get("params", [])):
            return "params[0].der"
        names = [name for name in request.get("needs", []) if name in lacking]
        return "needs" if names else "random" if "random" in lacking and "random" in request else None
    if request["op"] == "open" and "many" in lacking and opened:
        return "session"
    if request["op"] == "update" and "update.curve" in lacking and "curve" in request:
        return "curve"
    return next((name for name in ("esk", "sdp") if name in lacking and name in request), None)


def clock(request):
    """Without the suite's clock, the time is the real one."""
    for name in ("utc_ms", "timer_ms"):
        if name in request:
            return [name]
    if request["op"] == "begin":
        request["utc_ms"] = int(time.time() * 1000)
    elif request["op"] in ("open", "message", "update"):
        ask({"op": "time", "utc_ms": int(time.time() * 1000)})
    return []


def strip(report):
    if "keys" in lacking:
        report.pop("keys", None)
    if "classes" in lacking and "error" in report:
        report["error"] = "unspecified"
    report.pop("detail", None)


def serve(request):
    ignored, what = [], unclaimed(request)
    if "clock" in lacking and request["op"] != "hello":
        ignored = clock(request)
    if "policy" in lacking:
        ignored += ["policy." + name for name in request.pop("policy", {})]
    if what or (request["op"] == "time" and ignored):
        return {"result": "unsupported", "what": what or "op"}
    answer = ask(request)
    if request["op"] in ("begin", "end"):
        opened.clear()
    elif request["op"] == "open":
        opened.add(request["session"])
    if request["op"] == "begin" and answer["result"] == "ok":
        answer["ignored"] += ignored
    if request["op"] == "hello" and answer["result"] == "ok":
        supports = answer["supports"]
        supports["sizes"] = [size for size in supports["sizes"] if str(size) not in lacking]
        supports["features"] = [name for name in supports["features"] if name not in lacking]
    if "classes" in lacking and "error" in answer:
        answer["error"] = "unspecified"
    for report in answer.get("reports", []):
        strip(report)
    return answer


for line in sys.stdin:
    outer = json.loads(line)
    print(json.dumps({**serve(dict(outer)), "seq": outer["seq"]}), flush=True)
inner.stdin.close()
sys.exit(inner.wait())
