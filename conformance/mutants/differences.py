"""What two IUTs tell each other in a row of small conversations, so that a mutant can be told from a good IUT.

All randomness is fixed, so the good IUT says the same each time, octet by octet. This is no judgement by requirement,
which is the suite's: it shows that a fault can be seen at the contract, without a peer that deviates inside IBAKE."""
import base64
import os
import subprocess
import sys
import tempfile

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "iut"))
from driver import NOON, PARAMS, Adapter, b64, extract, of_file, uri  # noqa: E402

ALICE, BOB, CAROL, MAILBOX = (uri(f"sip:{name}@home.example") for name in ("alice", "bob", "carol", "mailbox"))
DAVE, KMS = {"nai": "dave@home.example"}, uri("sip:kms.home.example")
BODY = "v=0\r\ns=-\r\nm=audio 4000 RTP/SAVP 0\r\nm=video 4002 RTP/SAVP 96\r\n"
PSK = b64(b"0123456789abcdef")
SRTP = {"type": "SRTP-ID", "sessions": [{"policy": 0, "ssrc": 1}, {"policy": 0, "ssrc": 0}]}
FOUR = {"type": "SRTP-ID", "sessions": [{"policy": 0, "ssrc": n} for n in (1, 2, 3, 4)]}
GENERIC = {"type": "GENERIC-ID", "sessions": [{"cs_id": 1, "policies": [0, 1], "ssrc": 7}]}
AES = {"encr_alg": 1, "encr_key_len": 16}
POLICIES = [{"number": 0, **AES}, {"number": 1, **AES, "kdr": 1}]
OUTCOME = ("event", "state", "error", "messages", "sdp", "sip_status", "keys", "peer", "esk", "sk", "deferred",
           "updates", "csb_id", "private_keys")
ANSWER = ("result", "error", "octets", "payloads", "sk", "keys", "sender")


class Died(Exception):
    """The process does not answer any more: a difference, too."""


class End:
    """One IUT and what it has said so far."""

    def __init__(self, command, seed, keys):
        self.command, self.seed, self.keys, self.said = command, seed, keys, []
        self.adapter = Adapter(*command)

    def ask(self, request):
        try:
            answer = self.adapter.send(request)
        except (AssertionError, ValueError, BrokenPipeError) as error:
            self.said.append("died")
            raise Died from error
        reports = answer.get("reports", [])
        kept = [{name: report[name] for name in OUTCOME if name in report} for report in reports]
        rest = {name: answer[name] for name in ANSWER if name in answer}
        self.said.append((rest, kept))
        return reports[0] if reports else answer

    def begin(self, identities, **more):
        keys = [{"identity": i, "date": "20261124", "der": self.keys(i)} for i in identities]
        params = [{"der": of_file(PARAMS, "ibe-1024.params.der"), "serves": ["@home.example"]}]
        return self.ask({"op": "begin", "case": "flow/difference", "params": params, "keys": keys,
                         "random": {"seed": self.seed}, **more})

    def close(self):
        self.adapter.process.kill()
        self.adapter.process.wait()
        self.adapter.process.stdin.close()
        self.adapter.process.stdout.close()


def hand_over(a, b, report, names, kind="octets"):
    """Carries messages to and fro until none is left."""
    key = "messages" if kind == "octets" else kind
    while report and report.get(key):
        a, b, names = b, a, names[::-1]
        report = a.ask({"op": "message", "session": names[0], kind: report[key][0]})
    return report


def call(a, b, alice=(ALICE,), bob=(BOB,), first=None, answer=None, role="responder", a_more=None, b_more=None):
    a.begin(alice, **(a_more or {}))
    b.begin(bob, **(b_more or {}))
    opened = a.ask({"op": "open", "session": "a", "role": "initiator", "local": alice[0], "peer": BOB, "map": SRTP,
                    **(first or {})})
    ssrcs = {"ssrcs": [0, 9]} if role == "responder" else {}
    b.ask({"op": "open", "session": "b", "role": role, "local": bob[0], **ssrcs, **(answer or {})})
    return hand_over(a, b, opened, ("a", "b"), "sdp" if (first or {}).get("sdp") else "octets")


def calls(a, b):
    for policy in ({}, {"prf": "PRF-HMAC-SHA-256", "timestamp": "NTP"}, {"curve": "P-384", "timestamp": "NTP-UTC-32"},
                   {"curve": "P-521", "timestamp": "COUNTER"}, {"mac": "HMAC-SHA-256-256"}):
        call(a, b, a_more={"policy": policy}, b_more={"policy": policy})
    call(a, b, first={"map": GENERIC, "policies": POLICIES, "sdp_ids": "mikey;other"})
    call(a, b, first={"policies": POLICIES, "sdp_ids": "mikey"}, answer={"sdp_ids": "mikey"})
    call(a, b, answer={"sdp_ids": "mikey;stronger"}, first={"sdp_ids": "mikey"})
    call(a, b, first={"policies": [{**POLICIES[0], "srtp_auth": False}]})
    call(a, b, b_more={"policy": {"curves": ["P-384"]}})
    call(a, b, b_more={"policy": {"timestamps": ["COUNTER"], "errors": "all"}})
    call(a, b, alice=(DAVE,))
    late = {"utc_ms": 2090000000000}
    call(a, b, a_more=late, b_more=late)
    call(a, b, b_more={"utc_ms": NOON + 400000})
    one_two, three = ({"csb-id": ids, "seed": "AQ=="} for ids in (["AAAAAQ==", "AAAAAg=="], ["AAAAAw=="]))
    call(a, b, a_more={"random": one_two, "policy": {"csb_ids_in_use": [1]}})
    call(a, b, a_more={"random": three}, b_more={"policy": {"csb_ids_in_use": list(range(4))}})


def stand_ins(a, b):
    for accept in ("none", "echoed"):
        call(a, b, bob=(CAROL, BOB), a_more={"policy": {"accept_responders": accept}})
    for allowed in (True, False):
        call(a, b, bob=(MAILBOX,), role="mailbox",
             a_more={"policy": {"accept_responders": "any", "allow_missing_echo": allowed}})
        stored = [report["esk"] for _, reports in b.said[-3:] for report in reports if report.get("esk")]
        b.begin([BOB])
        b.ask({"op": "open-esk", "identity": BOB, "date": "20261124", "octets": (stored or [""])[-1]})
    call(a, b, first={"esk": {"sk": b64(bytes(range(32)))}})


def replays(a, b):
    a.begin([ALICE]), b.begin([BOB])
    opened = a.ask({"op": "open", "session": "a", "role": "initiator", "local": ALICE, "peer": BOB, "map": SRTP})
    for octets in tampered((opened.get("messages") or [""])[0])[-2:] + list(opened.get("messages") or []) * 2:
        b.ask({"op": "open", "session": f"b{len(b.said)}", "role": "responder", "local": BOB})
        b.ask({"op": "message", "session": f"b{len(b.said) - 1}", "octets": octets})
    a.ask({"op": "time", "timer_ms": 40000})


def updates(a, b):
    for starter in (0, 1):
        for ask in ({"new_dh": True, "mki": "AQI="}, {"new_dh": False}, {"new_dh": False, "map": FOUR},
                    {"new_dh": True, "curve": "P-384"}):
            call(a, b)
            for end in (a, b):
                end.ask({"op": "time", "utc_ms": NOON + 5000})
            names = ("a", "b") if starter == 0 else ("b", "a")
            ends = (a, b) if starter == 0 else (b, a)
            started = ends[0].ask({"op": "update", "session": names[0], **ask})
            hand_over(*ends, started, names)
            ends[1].ask({"op": "message", "session": names[1], "octets": (started.get("messages") or [""])[0]})
            ends[1].ask({"op": "settle", "session": names[1], "keep": False})


def sdp(a, b):
    for level in ("session", "media"):
        for others in ([], ["other QUJD"]):
            own = {"body": BODY, "level": level}
            call(a, b, first={"sdp": {**own, "others": others}}, answer={"sdp": own})
            a.ask({"op": "time", "utc_ms": NOON + 5000}), b.ask({"op": "time", "utc_ms": NOON + 5000})
            started = a.ask({"op": "update", "session": "a", "new_dh": True})
            a.ask({"op": "message", "session": "a", "sip_status": 488})
            hand_over(a, b, started, ("a", "b"), "sdp")
    for change in (lambda t: t.replace("a=key-mgmt:other QUJD\r\n", ""), lambda t: t.replace("mikey ", "mikey !", 1),
                   lambda t: t.replace("m=video", "a=key-mgmt:mikey AQAF\r\nm=video"), lambda t: BODY):
        own = {"body": BODY}
        a.begin([ALICE]), b.begin([BOB])
        opened = a.ask({"op": "open", "session": "a", "role": "initiator", "local": ALICE, "peer": BOB, "map": SRTP,
                        "sdp": {**own, "others": ["other QUJD"]}})
        b.ask({"op": "open", "session": "b", "role": "responder", "local": BOB, "sdp": own})
        text = change((opened.get("sdp") or [""])[0])
        b.ask({"op": "message", "session": "b", "sdp": text})
        a.ask({"op": "message", "session": "a", "sdp": change(text)})
        a.ask({"op": "message", "session": "a", "sip_status": 488})


def tampered(message):
    """The message with one octet changed, for each octet outside ciphertexts, cut, and with more behind it."""
    octets = base64.b64decode(message)
    near = [i for i in range(len(octets)) if i < 110 or i >= len(octets) - 26]
    changed = [octets[:i] + bytes([octets[i] ^ bit]) + octets[i + 1:] for i in near for bit in (0x01, 0x80)]
    return [b64(m) for m in (*changed, octets + b"\0", octets[:-1])]


def tampering(a, b):
    """Each message of a call, changed in all ways, to whom it is for; the others go unchanged."""
    call(a, b)
    said = [report for end in (a, b) for _, reports in end.said[-5:] for report in reports]
    messages = [report["messages"][0] for report in said if report.get("messages")]
    for message in messages:
        for octets in tampered(message):
            a.ask({"op": "parse", "what": "message", "octets": octets})
            b.ask({"op": "parse", "what": "message", "octets": octets})
    for octets in tampered(messages[0] if messages else ""):
        b.begin([BOB])
        b.ask({"op": "open", "session": "b", "role": "responder", "local": BOB})
        b.ask({"op": "message", "session": "b", "octets": octets})


def key_requests(a, b):
    users = [{"psk": PSK, "psk_id": {"bytes": "QQ=="}, "may_have": [ALICE, BOB]}]
    one_day = {"bytes": b64(b"sip:alice@home.example20261130")}
    base = {"identity": KMS, "master": of_file(PARAMS, "ibe-1024.master.der"), "issue": "next", "users": users}
    sha256 = {"prf": "PRF-HMAC-SHA-256", "timestamp": "NTP-UTC-32"}
    for policy, ask, kms in (({}, [ALICE], {}), (sha256, [ALICE, BOB], {}), ({}, [CAROL], {}), ({}, [one_day], {}),
                             ({"timestamp": "COUNTER"}, [BOB], {"encryption": "AES-CM-256"}),
                             ({}, [ALICE], {"encryption": "AES-KW-128"}), ({}, [ALICE], {"encryption": "AES-CM-256"}),
                             ({}, [ALICE], {"identity": uri("sip:x")}),
                             ({}, [ALICE], {"users": [{**users[0], "psk": b64(b"another")}]})):
        settings = {**base, **kms}
        a.begin([], policy=policy)
        b.begin([], kms=settings)
        b.ask({"op": "open", "session": "k", "role": "kms"})
        asked = a.ask({"op": "open", "session": "u", "role": "user", "kms": KMS, "ask": ask, "psk": PSK,
                       "psk_id": {"bytes": "QQ=="}})
        hand_over(a, b, asked, ("u", "k"))
        for octets in tampered((asked.get("messages") or [""])[0])[:20]:
            b.ask({"op": "message", "session": "k", "octets": octets})
        b.ask({"op": "message", "session": "k", "octets": (asked.get("messages") or [""])[0]})
        b.ask({"op": "time", "utc_ms": NOON + 400000})
        b.ask({"op": "message", "session": "k", "octets": (asked.get("messages") or [""])[0]})


def parsing(a, b):
    """Parameters and points, changed."""
    params = base64.b64decode(of_file(PARAMS, "ibe-1024.params.der"))
    sha256 = params[:-7] + bytes.fromhex("0609608648016503040201")
    other_hash = bytes([0x30, 0x82]) + (len(sha256) - 4).to_bytes(2, "big") + sha256[4:]
    for octets in (params, params + b"\0", sha256, other_hash,
                   *(params[:i] + bytes([params[i] ^ 1]) + params[i + 1:] for i in range(0, len(params), 16))):
        for end in (a, b):
            end.ask({"op": "parse", "what": "params", "octets": b64(octets)})
    generator = bytes.fromhex("046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
                              "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5")
    for octets in (generator, b"\x03" + generator[1:33], b"\0", generator[:-1] + b"\x01"):
        for end in (a, b):
            end.ask({"op": "parse", "what": "point", "octets": b64(octets), "curve": "P-256"})


CONVERSATIONS = (calls, parsing, key_requests, sdp, updates, stand_ins, replays, tampering)


def keys_in(directory, program):
    """A function from an identity to its private key, made with the good program."""
    return lambda identity: extract(program, directory, next(iter(identity.values())), "20261124")


def converse(conversation, command_a, command_b, keys):
    """What both ends said in this conversation."""
    a, b = End(command_a, "AQ==", keys), End(command_b, "Ag==", keys)
    try:
        conversation(a, b)
    except Died:
        pass
    finally:
        a.close(), b.close()
    return a.said, b.said


def first_difference(good, mutant, keys, said):
    """The first conversation in which the mutant, at either end, makes a difference; None: in none. `said` keeps
    what good IUTs said."""
    for conversation in CONVERSATIONS:
        if conversation not in said:
            said[conversation] = converse(conversation, good, good, keys)
        for ends in ((mutant, good), (good, mutant)):
            if converse(conversation, *ends, keys) != said[conversation]:
                return conversation.__name__
    return None


def main():
    """usage: differences.py PROGRAM [ID...]   what tells each mutant (all, if none is named) from `PROGRAM iut`"""
    program, names = sys.argv[1], sys.argv[2:]
    build = os.path.join(HERE, "build")
    listed = subprocess.run([build, "--list"], capture_output=True, text=True, check=True).stdout.splitlines()
    unseen, said = 0, {}
    with tempfile.TemporaryDirectory() as directory:
        keys = keys_in(directory, program)
        for name in names or [line.split("\t")[0] for line in listed]:
            made = subprocess.run([build, "--print-command", name], capture_output=True, text=True, check=True)
            command = made.stdout.split()
            seen = first_difference((program, "iut"), command, keys, said)
            unseen += seen is None
            print(f"{name}\t{seen or 'no difference'}", flush=True)
    print(f"{unseen} made no difference")


if __name__ == "__main__":
    main()
