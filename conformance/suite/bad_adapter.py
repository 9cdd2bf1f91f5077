#!/usr/bin/python3
"""An adapter that stands between the suite and a good one, and is bad in one way. Arguments: the way, then the good adapter's
command. A way that waits for its turn ("crash") does it at the second message of each process."""
import base64
import json
import os
import subprocess
import sys
import time

way, command = sys.argv[1], sys.argv[2:]
good = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE)
messages, case = 0, ""


def clear_v_flag(message):
    """R_MESSAGE_1 with V flag 0 (RFC 6267 §4.2.2.3 demands 1)."""
    octets = bytearray(base64.b64decode(message))
    if octets[1] == 23:
        octets[3] &= 0x7F
    return base64.b64encode(octets).decode()


def deaf(request):
    """The request without what the adapter ignores and does not say so."""
    if way == "deaf":
        for name in ("curve", "prf", "mac", "timestamp"):
            request.get("policy", {}).pop(name, None)
    if way == "heedless":
        for name in ("prfs", "macs", "timestamps", "accept_initiators", "replay_entries"):
            request.get("policy", {}).pop(name, None)
        request.get("random", {}).pop("rand", None)
        request.get("pke", {}).pop("anchors", None)
        for policy in request.get("policies", []):
            policy.pop("salt_key_len", None)
        for op, name in (("update", "curve"), ("time", "utc_ms")):
            if request.get("op") == op:
                request.pop(name, None)
    return request


def bent(request, answer):
    if way == "dishonest" and answer.get("result") == "unsupported" and answer.get("what") == "case":
        return {"seq": answer["seq"], "result": "ok", "ignored": []}
    if way == "responder-alone" and request.get("op") == "hello":
        answer["supports"]["roles"] = ["responder"]
    if way == "contradiction" and request.get("op") == "open" and request.get("role") == "initiator":
        return {"seq": answer["seq"], "result": "unsupported", "what": "role"}
    if way == "modest" and request.get("op") == "begin" and answer["result"] == "ok":
        answer["ignored"] += ["policy.skew_ms", "kms.issue", "params[3].der"]
    if way == "unknown-member":
        answer["surprise"] = 1
    if way == "other-seq" and request.get("op") == "message":
        answer["seq"] += 1
    if way == "v-flag":
        for report in answer.get("reports", []):
            report["messages"] = [clear_v_flag(m) for m in report["messages"]]
            report["detail"] = "\x1b[2J and \u009b2J, which a terminal obeys"
    if way == "moody" and request.get("op") == "message" and os.getpid() % 2:
        for report in answer.get("reports", []):
            report.update(event="refused", error="internal", state="closed", messages=[])
    return answer


for line in sys.stdin:
    request = json.loads(line)
    messages += request.get("op") == "message"
    if messages == 2 and way == "crash":
        os.kill(os.getpid(), 11)
    if messages == 2 and way == "hang":
        time.sleep(600)
    good.stdin.write(json.dumps(deaf(request)).encode() + b"\n")
    good.stdin.flush()
    answer = json.loads(good.stdout.readline())
    if messages == 2 and way == "no-json":
        print("Segmentation fault (not really)", flush=True)
        continue
    more = "\n{}" if messages == 2 and way == "talkative" else ""
    print(json.dumps(bent(request, answer)) + more, flush=True)
good.stdin.close()
good.wait()
sys.exit(3 if way == "bad-end" else 0)
