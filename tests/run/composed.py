#!/usr/bin/env python3
"""Scenarios that nobody wrote: composed by chance of everything that goes together, and judged by what holds of any.

Nobody attacks, so no property may be violated and no sound be readable in the core, whatever fails: calls may. A second run
gives the same octets, an independent program agrees with capture and key log, and each tool can show the folder.

usage: composed.py FIRST LAST     seeds; IBAKELAB_BUILD and IBAKELAB_SOURCE in the environment
"""
import filecmp
import os
import random
import subprocess
import sys
import tempfile

import yaml

source = os.environ["IBAKELAB_SOURCE"]
program = os.path.join(os.environ["IBAKELAB_BUILD"], "ibakelab")
verifier = os.path.join(source, "tests/independent/verify_run.py")

# Key, how often it stands there, values: a list, or the ends of a range with a unit.
NETWORK = [("network.ip", 1, [4, 6]), ("start", 1, ["2026-03-02T09:00:00Z", "2026-12-31T23:59:48Z", "2028-02-29T12:59:50Z"])]
LINKS = [
    ("access.delay", 1, ["0 s", "5 ms", "20 ms", "150 ms"]),
    ("access.loss", 0.5, ["1 %", "3 %", "8 %"]),
    ("core.loss", 0.3, ["1 %"]),
    ("slow.delay", 1, ["50 ms", "300 ms"]),
    ("slow.rate", 1, ["128 kbit/s", "256 kbit/s", "1 Mbit/s"]),
]
DOMAIN = [
    ("kms.parameters", 1, [1024, 1024, 1024, 2048]),
    ("kms.granularity", 1, ["hour", "day", "month"]),
    ("kms.issue", 1, ["period", "current", "next"]),
    ("kms.encryption", 1, ["AES-CM-128", "AES-CM-256", "AES-KW-128"]),
    ("kms.mac", 1, ["HMAC-SHA-1-160", "HMAC-SHA-256-256"]),
    ("kms.prf", 1, ["MIKEY-1", "HMAC-SHA-256"]),
    ("kms.errors", 1, ["all", "authenticated", "silent"]),
    ("kms.cpu", 0.3, ["server", "phone"]),
    ("kms.cores", 0.3, [1, 4]),
    ("kms.identity", 0.3, ["keys@{domain}", "kms@keys.{domain}"]),
    ("kms.parameters-for-users", 0.3, ["rfc5408"]),
    ("kms.parameters-for-others", 0.3, ["provisioned"]),
    ("kms.tls", 0.2, ["off"]),
    ("kms.certificate", 0.1, ["self-signed", "expired", "wrong-name"]),
    ("kms.outage", 0.15, [{"from": "0 s", "for": "9 s"}, {"from": "4 s", "for": "2 s"}]),
    ("mikey.timestamp", 1, ["NTP-UTC", "NTP", "COUNTER", "NTP-UTC-32"]),
    ("forking", 0.3, ["sequential"]),
]
USER = [
    ("key-request", 0.3, ["pke", "rfc5408"]),
    ("cpu", 0.3, ["phone", "server"]),
    ("link", 0.2, ["slow"]),
    ("clock-offset", 0.2, (-200, 200, "s")),
    ("errors", 0.2, ["all", "silent"]),
    ("accept-answer-from", 0.2, ["domain", "any"]),
    ("busy", 0.1, ["in-call", "always"]),
    ("answers", 0.1, [False]),
    ("answers-for-others", 0.2, [True, False]),
    ("curve", 0.2, ["P-256", "P-384", "P-521"]),
    ("restart", 0.15, (3, 20, "s")),
    ("off", 0.1, (8, 30, "s")),
    ("on", 0.15, (0, 4000, "ms")),
    ("ask-for", 0.2, ["current"]),
    ("refresh-before", 0.15, (1, 30, "h")),
    ("keep-keys", 0.15, ["1 d"]),
    ("kms-authorized", 0.05, [False]),
]
DIVERT = [
    ("when", 1, ["always", "unregistered", "busy", "no-answer"]),
    ("how", 1, ["silent", "notify", "redirect"]),
]
CALL = [
    ("at", 1, (4000, 15000, "ms")),
    ("ring-time", 1, ["0 s", "500 ms", "1500 ms"]),
    ("curve", 1, ["P-256", "P-384", "P-521"]),
    ("prf", 1, ["MIKEY-1", "HMAC-SHA-256"]),
    ("carrier", 1, ["prack", "update", "reinvite"]),
    ("hang-up", 1, ["caller", "callee"]),
    ("pre-encoded", 0.2, [True]),
    ("cancel-after", 0.1, (50, 3000, "ms")),
    ("vanish", 0.1, [{"who": "caller", "after": "500 ms"}, {"who": "callee", "after": "2500 ms"}]),
    ("session-expires", 0.1, ["90 s"]),
    ("media.codec", 0.4, ["PCMU", "PCMA"]),
    ("media.ptime", 0.4, ["10 ms", "20 ms", "60 ms"]),
    ("media.srtp", 0.4, ["AES_CM_128_HMAC_SHA1_80", "AES_CM_128_HMAC_SHA1_32"]),
]
ACTION = [
    ("by", 1, ["caller", "callee"]),
    ("do", 1, ["update", "rekey", "hold", "resume", "add-video", "remove-video"]),
    ("carrier", 1, ["update", "reinvite"]),
]
PROPERTIES = ["agreement", "identity", "terms", "freshness", "secrecy", "wiping"]


def draw(chance, table, **names):
    """A mapping by a table; dots in a key lead into mappings of it."""
    out = {}
    for key, share, values in table:
        if chance.random() >= share:
            continue
        value = chance.choice(values) if isinstance(values, list) else f"{chance.randint(*values[:2])} {values[2]}"
        *way, last = key.split(".")
        place = out
        for step in way:
            place = place.setdefault(step, {})
        place[last] = value.format(**names) if isinstance(value, str) else value
    return out


def compose_users(chance, domains):
    names = ["ann", "bob", "cid", "dot", "eve"][: chance.randint(2, 5)]
    users = [{"name": name, "domain": chance.choice(domains)["name"], **draw(chance, USER)} for name in names]
    for number, user in enumerate(users):
        if chance.random() < 0.2:
            user["identities"] = [{"identity": f"tel:+4930{number}"}]
    if len(users) > 3:
        first, last = users[0], users[-1]
        if chance.random() < 0.4:
            users.append({"name": "pad", "contact-of": last["name"], "domain": last["domain"]})
        if chance.random() < 0.4:
            users.append({"name": "box", "mailbox": True, "domain": first["domain"]})
            first["divert"] = {"to": "box", "when": chance.choice(["always", "unregistered", "no-answer"])}
        elif chance.random() < 0.7:
            first["divert"] = {"to": last["name"], **draw(chance, DIVERT)}
    return users


def compose_call(chance, number, users):
    caller, callee = chance.sample([user for user in users if user["name"] not in ("pad", "box")], 2)
    call = {"name": f"call-{number}", "from": caller["name"], "to": callee["name"], **draw(chance, CALL)}
    if "identities" in callee and chance.random() < 0.7:
        call["called-as"] = callee["identities"][0]["identity"]
    duration = chance.choice([0, 300, 2500, 4000])
    call["duration"] = f"{duration} ms"
    if duration and chance.random() < 0.6:
        call["actions"] = [{"at": f"{chance.randint(100, duration - 50)} ms", **draw(chance, ACTION)}
                           for _ in range(chance.randint(1, 4))]  # fmt: skip
    return call


def compose(seed):
    chance = random.Random(seed)
    names = ["a.example", "b.example"][: chance.choice([1, 2, 2])]
    domains = [{"name": name, **draw(chance, DOMAIN, domain=name)} for name in names]
    users = compose_users(chance, domains)
    links = draw(chance, LINKS)
    if not any(user.get("link") == "slow" for user in users):
        del links["slow"]
    calls = [compose_call(chance, number, users) for number in range(chance.randint(1, 4))]
    expect = {"security": {"holds": PROPERTIES}, "network": {"plaintext-media": "none"}}
    return {"ibakelab": 1, "title": f"Composed {seed}", "seed": seed, "time-limit": "5 min", **draw(chance, NETWORK),
            "links": links, "domains": domains, "users": users, "calls": calls, "expect": expect}  # fmt: skip


def say(*command):
    done = subprocess.run(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, check=False)
    assert done.returncode == 0, f"status {done.returncode}: {' '.join(command)}\n{done.stdout[-4000:]}"
    return done.stdout


def try_seed(seed):
    with open("scenario.yaml", "w", encoding="utf-8") as file:
        yaml.safe_dump(compose(seed), file, sort_keys=False)
    for out in ("one", "two"):
        say(program, "run", "scenario.yaml", "--keylog", "--quiet", "--out", out)
    for name in ("events.jsonl", "capture/all.pcap", "keys.log", "result.json"):
        assert filecmp.cmp(f"one/{name}", f"two/{name}", shallow=False), f"{name} differs in a second run"
    said = say(sys.executable, "-W", "ignore", verifier, "--allow-none", "--allow-incomplete", "one")
    say(program, "report", "one", "--html", "page.html", "--junit", "junit.xml")
    say(program, "matrix", "one")
    say(program, "ladder", "one", "--call", "0")
    return next(line for line in said.splitlines() if "complete exchanges" in line)


def main():
    first, last = map(int, sys.argv[1:])
    exchanges = 0
    for seed in range(first, last + 1):
        with tempfile.TemporaryDirectory() as folder:
            os.chdir(folder)
            try:
                found = try_seed(seed)
            except AssertionError:
                print(f"seed {seed}; {yaml.safe_dump(compose(seed), sort_keys=False)}")
                raise
            finally:
                os.chdir("/")
        print(f"seed {seed}: {found}", flush=True)
        exchanges += int(found.split()[0])
    assert exchanges >= last - first, "hardly a call came about: that judges nothing"


main()
