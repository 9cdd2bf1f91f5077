"""Sequences for the stateful targets, in words (docs/fuzzing.md, "Sequences"): seeds of fuzz/corpus/seq_*, and those on which
the broken twins break. The numbers are those of fuzz/world/world.h and fuzz/octets/edit.h."""

KINDS = {name: i for i, name in enumerate(["pump", "deliver", "expire", "begin", "update", "fork", "settle", "close"])}
CASTS = {
    "initiator": ["alice", "fork", "bob", "bob2"],
    "responder": ["alice", "bob", "bob2"],
    "kms": ["kms", "user"],
    "mailbox": ["alice", "box", "carrier", "bob"],
    "call": ["alice", "bob", "fork", "bob2"],
}
EDITS = {name: i for i, name in enumerate(["octet", "delete", "duplicate", "swap", "splice", "insert", "edge", "resize",
                                           "length", "next", "cut", "time", "mac", "variety", "session"])}
TIMES = {"0": 0, "1ms": 1, "1s": 2, "31s": 3, "33s": 4, "4min": 5, "301s": 6, "10min": 7, "1h": 8, "13h": 9, "25h": 10,
         "-1s": 11, "-90s": 12, "-1d": 13}
MISSING_ECHO, ESK, SHA256, ERRORS, P384, IGNORE, PENDING, STAND_IN = (1 << i for i in range(8))
NTP, COUNTER, NTP32, KEYLESS, GENERIC = 1, 2, 3, 4, 8


def edit(name, a=0, b=0, c=0, inside=None):
    flag = {None: 0, "ibake": 0x80, "esk": 0xC0, "kemac": 0xA0}[inside]
    return bytes([EDITS[name] | flag, a, b, c])


def sequence(cast, *steps, settings=0, more=0):
    """A step is (kind, part, message, edits, time), all but the kind optional."""
    out = bytes([settings, more])
    for step in steps:
        step = (step,) if isinstance(step, str) else step
        kind, part, message, edits, time = step + (None, 0, (), "0")[len(step) - 1:]
        who = CASTS[cast].index(part) if part else 0
        out += bytes([KINDS[kind] | who << 4, TIMES[time], message, len(edits)]) + b"".join(edits)
    return out


def call(first="alice"):
    return [("begin", first), "pump", "pump", "pump", "pump"]


NEW_DH, MKI, SESSIONS, POLICY = 1, 2, 4, 8  # of an update


def update(who, what=NEW_DH):
    return [("update", who, what, (), "1s"), "pump", "pump"]


def seeds():
    """target -> name -> octets, of the stateful targets and of `payload`."""
    made = {f"seq_{cast}": {} for cast in CASTS}
    for cast in ("initiator", "responder", "call"):
        to = made[f"seq_{cast}"]
        to["plain"] = sequence(cast, *call())
        to["sha256-p384"] = sequence(cast, *call(), settings=SHA256 | P384 | ERRORS)
        to["esk-counter"] = sequence(cast, *call(), settings=ESK | PENDING, more=COUNTER)
        to["generic-ntp32"] = sequence(cast, *call(), settings=STAND_IN, more=GENERIC | NTP32)
        to["updates"] = sequence(cast, *call(), *update("alice"), *update("bob"), ("settle", "alice", 0),
                                 *update("bob"), ("settle", "alice", 1))
        to["further"] = sequence(cast, *call(), *update("alice", SESSIONS | POLICY | NEW_DH), *update("bob", SESSIONS),
                                 *update("alice", SESSIONS), ("settle", "bob", 1), *update("bob", SESSIONS | POLICY))
        to["sessions"] = sequence(cast, *call(), ("update", "alice", 0, (), "1s"),
                                  ("deliver", "bob", 0, (edit("session", 0, 1, 3),)), "pump", ("settle", "bob", 1), *update("bob", SESSIONS),
                                  ("deliver", "alice", 0, (edit("session", 2, 0), edit("mac"))))
        to["keyless"] = sequence(cast, *call(), settings=MISSING_ECHO, more=KEYLESS)
        to["delivered"] = sequence(cast, ("begin", "alice"), ("deliver", "bob"), ("deliver", "alice"), ("deliver", "bob"),
                                   ("deliver", "alice"))
        to["late"] = sequence(cast, ("begin", "alice"), "pump", ("expire", "alice", 0, (), "33s"), "pump")
        to["again"] = sequence(cast, *call(), ("deliver", "bob2", 3), ("begin", "alice", 0, (), "1s"), ("deliver", "bob2"))
        to["resealed"] = sequence(cast, ("begin", "alice"), ("deliver", "bob", 0, (edit("edge", 1, 5, 0, "ibake"),)),
                                  ("begin", "bob"), ("deliver", "bob", 0, (edit("resize", 0, 8, 65, "ibake"),)),
                                  ("close", "alice"))
    for cast in ("initiator", "call"):
        made[f"seq_{cast}"]["fork"] = sequence(cast, ("begin", "alice"), "fork", ("deliver", "bob"),
                                               ("deliver", "fork"), "pump", ("deliver", "fork"), settings=STAND_IN)
    for by, name in ((0, "month"), (1, "day"), (2, "two")):
        made["seq_kms"][name] = sequence("kms", ("begin", "user", by), "pump", "pump")
    made["seq_kms"]["sha256"] = sequence("kms", ("begin", "user"), "pump", "pump", settings=SHA256, more=NTP32)
    made["seq_kms"]["macs"] = sequence("kms", ("begin", "user", 1), ("deliver", "kms", 0, (edit("octet", 0, 70, 1), edit("mac"))),
                                       ("deliver", "kms", 1), ("deliver", "kms", 2, (edit("time", 1), edit("mac"))),
                                       ("deliver", "kms", 3, (edit("time", 7), edit("mac")), "10min"))
    made["seq_kms"]["keys-changed"] = sequence(
        "kms", ("begin", "user", 1), "pump", ("deliver", "user", 0, (edit("delete", 1, inside="kemac"), edit("mac"))))
    box = [("begin", "alice"), "pump", "pump", "pump", "pump"]
    carry = [("begin", "carrier", 0, (), "1h"), "pump", "pump", "pump", "pump"]
    made["seq_mailbox"]["left"] = sequence("mailbox", *box, settings=MISSING_ECHO | STAND_IN)
    made["seq_mailbox"]["carried"] = sequence("mailbox", *box, *carry, settings=MISSING_ECHO | STAND_IN | ESK)
    made["seq_mailbox"]["esk-changed"] = sequence(
        "mailbox", ("begin", "alice"), "pump", "pump", ("deliver", "box", 0, (edit("resize", 1, 16, 7, "esk"),)), "pump",
        *carry, settings=MISSING_ECHO | STAND_IN | ESK)
    made["seq_mailbox"]["refused"] = sequence("mailbox", *box)
    made["payload"] = payloads()
    return made


def payloads():
    """Inputs of the target `payload`: its type, then its octets (RFC 3830 §6, RFC 6043 §6, RFC 6267 §6.1)."""
    length = lambda octets: len(octets).to_bytes(2, "big") + octets
    point = bytes.fromhex("046b17d1f2e12c4247f8bce6e563a440f277037d812deb33a0f4a13945d898c296"
                          "4fe342e2fe1a7f9b8ee7eb4a7c0f9e162bce33576b315ececbb6406837bf51f5")
    alice, rand = b"sip:alice@home.example", bytes(range(16))
    spi, interval = b"\x04mkey", b"\x02\0\1\x02\0\2"
    return {
        "kemac": b"\1\0\1" + length(rand) + b"\2" + bytes(32), "kemac-null": b"\1\0\0" + length(rand) + b"\0",
        "pke": b"\2\0" + bytes([0x40, 16]) + rand,
        "dh-oakley-5": b"\3\0\0" + bytes(192) + b"\0", "dh-oakley-1": b"\3\0\1" + bytes(96) + b"\1" + spi,
        "dh-oakley-2": b"\3\0\2" + bytes(128) + b"\2" + interval,
        "sign": b"\4" + bytes([0x10, 16]) + rand,
        "t-ntp-utc": b"\5\0\0" + bytes(8), "t-ntp": b"\5\0\1" + bytes(8), "t-counter": b"\5\0\2" + bytes(4),
        "t-ntp-utc-32": b"\5\0\3" + bytes(4),
        "id": b"\6\0\1" + length(alice), "cert": b"\7\0\1" + length(b"http://kms/cert"),
        "chash-sha1": b"\x08\0\0" + bytes(20), "chash-md5": b"\x08\0\1" + bytes(16), "chash-sha256": b"\x08\0\2" + bytes(32),
        "v-null": b"\x09\0\0", "v-sha1": b"\x09\0\1" + bytes(20), "v-sha256": b"\x09\0\2" + bytes(32),
        "sp": b"\x0a\0\1\0" + length(b"\0\1\1\1\1\x10\2\1\1"), "rand": b"\x0b\0\x10" + rand, "err": b"\x0c\0\x0c\0\0",
        "tr": b"\x0d\0\1\0" + bytes(8), "idr": b"\x0e\0\1\1" + length(alice), "randr": b"\x0f\0\2\x10" + rand,
        "key-data": b"\x14\0\x70" + length(rand), "key-data-salt": b"\x14\0\x11" + length(rand) + length(rand[:14]) + spi,
        "key-data-interval": b"\x14\0\x22" + length(rand) + interval,
        "ext-sdp-ids": b"\x15\0\1" + length(b"mikey"), "ibake": b"\x16\0" + length(rand), "esk": b"\x17\0" + length(rand),
        "sk": b"\x18\0\x11" + length(rand) + spi, "eccpt": b"\x19\0\x08" + point + bytes(1) + bytes(4),
        "eccpt-compressed": b"\x19\0\x08" + b"\x03" + point[1:33] + bytes(1) + bytes(3) + b"\1" + spi,
        "two": b"\x0b\x0c\x10" + rand + b"\0\1\0\0",
    }


def twins():
    """(target, what FUZZ_BREAK names, octets): clean without it, an oracle's claim with it."""
    start = [("begin", "alice"), "pump"]
    to_i2 = [("begin", "alice"), "pump", "pump"]
    to_r2 = [("begin", "alice"), "pump", "pump", "pump"]
    plain = sequence("call", *call())
    return [
        ("seq_call", "secret", plain),
        ("seq_call", "memory", plain),
        ("seq_call", "work", plain),
        ("seq_call", "keys", plain),
        ("seq_call", "v", sequence("call", *to_r2, ("deliver", "alice", 0, (edit("octet", 0, 255, 1),)))),
        ("seq_call", "timestamp-repeat", sequence("call", *start, ("deliver", "alice", 0, (edit("time", 1),)))),
        ("seq_call", "rand-repeat", sequence("call", *to_i2, ("deliver", "bob", 0, (edit("edge", 1, 5, 3),)))),
        ("seq_call", "echo", sequence("call", *start, ("deliver", "alice", 0, (edit("swap", 1, 3, 0, "ibake"),)))),
        ("seq_call", "clock-skew", sequence("call", ("begin", "alice"), ("deliver", "bob", 0, (), "10min"))),
        ("seq_call", "outer-identities", sequence("call", *to_i2, ("deliver", "bob", 0, (
            edit("edge", 2, 9, 5), edit("edge", 0, 9, 5, "ibake"))))),
        ("seq_call", "inner-identities", sequence("call", ("begin", "alice"),
                                                  ("deliver", "bob", 0, (edit("edge", 0, 9, 5, "ibake"),)))),
        ("seq_call", "update-order", sequence("call", *call(), ("update", "alice", 0, (), "1s"),
                                              ("deliver", "bob", 0, (edit("time", 4),)))),
        ("seq_call", "in-force", sequence("call", *call(), *update("alice", SESSIONS))),
        # the SSRC of a session in force; the I_MESSAGE_1's policy again, with another algorithm; a new one without any
        ("seq_call", "policy-in-force", sequence("call", *call(), ("update", "alice", 0, (), "1s"),
                                                 ("deliver", "bob", 0, (edit("octet", 0, 11, 1),)))),
        ("seq_call", "policy-in-force", sequence("call", *call(), ("update", "alice", 0, (), "1s"), (
            "deliver", "bob", 5 << 4, (edit("splice", 4, 1), edit("edge", 1, 7, 2))))),
        ("seq_call", "policy-in-force", sequence("call", *call(), ("update", "alice", 0, (), "1s"), (
            "deliver", "bob", 0, (edit("session", 1, 0),)))),  # a session is taken away
        ("seq_call", "header-repeat", sequence("call", *call(), ("update", "alice", 0, (), "1s"), "pump", (
            "deliver", "alice", 0, (edit("session", 1, 1, 3), edit("mac"))))),  # the answer has one more
        ("seq_call", "null-srtp", sequence("call", *call(), ("update", "alice", SESSIONS | POLICY, (), "1s"),
                                           ("deliver", "bob", 0, (edit("edge", 3, 7, 0),)))),
        # a policy, and a crypto session, in the answer, under a V made anew
        ("seq_call", "bidding-down", sequence("call", *call(), ("update", "alice", SESSIONS | POLICY, (), "1s"), "pump", (
            "deliver", "alice", 0, (edit("edge", 3, 13, 4), edit("mac"))))),
        ("seq_call", "bidding-down", sequence("call", *call(), ("update", "alice", SESSIONS, (), "1s"), "pump", (
            "deliver", "alice", 0, (edit("octet", 0, 29, 1), edit("mac"))))),
        ("seq_call", "bidding-down", sequence("call", *to_r2, (
            "deliver", "alice", 0, (edit("edge", 3, 7, 2), edit("mac"))))),
        ("seq_call", "v", sequence("call", *call(), ("update", "alice", 0, (), "1s"), "pump",
                                   ("deliver", "alice", 0, (edit("octet", 0, 110, 1),)))),
    ]

