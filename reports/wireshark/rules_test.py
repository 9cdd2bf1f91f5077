#!/usr/bin/python3
"""Expert information of mikey_ibake.lua: each of its rules is a requirement of conformance/requirements with its level, and is
told of a message that breaks it, alone; nothing is told of the messages that these were made of. The messages come
from a run and are changed payload by payload; they travel on UDP port 2269, each exchange under a CSB ID of its own.
Arguments: the program, scenarios for a PSK and for a PKE request, the folder of the requirements."""
import copy
import glob
import json
import os
import re
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import partners  # noqa: E402
from partners import make  # noqa: E402

PROGRAM, PSK_SCENARIO, PKE_SCENARIO, REQUIREMENTS = sys.argv[1:5]
(KEMAC, PKE, SIGN, T, CERT, V, SP, RAND, IDR, KEY, IBAKE, ECCPT) = (1, 2, 4, 5, 7, 9, 10, 11, 14, 20, 22, 25)
NUMBERS = {"kemac": 1, "pke": 2, "sign": 4, "t": 5, "cert": 7, "chash": 8, "v": 9, "sp": 10, "rand": 11, "idr": 14, "key_data": 20,
           "general_extension": 21, "ibake": 22, "esk": 23, "eccpt": 25}
ROLES = {"IDRi": 1, "IDRr": 2, "IDRkms": 3}


def chained(first_at, head, payloads, after=0):
    """The octets of a chain, with the next-payload fields written anew. first_at: where that of `head` is."""
    out = bytearray(head)
    if first_at is not None:
        out[first_at] = payloads[0][0] if payloads else after
    for i, (number, octets) in enumerate(payloads):
        octets = bytearray(octets)
        if number != SIGN:
            octets[0] = payloads[i + 1][0] if i + 1 < len(payloads) else after
        out += octets
    return bytes(out)


class Packet:
    """A message to be changed: its header, its payloads, and the payloads inside one of these."""

    def __init__(self, header, payloads, contents):
        self.header, self.payloads, self.contents, self.after = bytearray(header), payloads, contents, 0

    def octets(self):
        return chained(2, self.header, self.payloads, self.after)

    def at(self, number, role=None):
        return next(i for i, (n, octets) in enumerate(self.payloads)
                    if n == number and (role is None or octets[1] == role))

    def without(self, number, role=None):
        del self.payloads[self.at(number, role)]

    def set(self, number, offset, value, role=None):
        i = self.at(number, role)
        octets = bytearray(self.payloads[i][1])
        octets[offset:offset + len(value)] = value
        self.payloads[i] = (number, bytes(octets))

    def resize(self, number, octets):
        self.payloads[self.at(number)] = (number, octets)


def payloads_of(parent):
    """(number, octets) of the payloads in the PDML of a message or of content."""
    return [(NUMBERS[f.get("name").split(".")[1]], bytes.fromhex(f.get("value"))) for f in parent
            if f.get("name").count(".") == 1 and f.get("name") != "mikey_ibake.hdr"]


def samples(scenario, work):
    """The first message of each kind of a run, with its decrypted content."""
    partners.run(PROGRAM, "run", scenario, "--quiet", "--keylog", "--out", work, "--set", "domains.0.kms.parameters=1024")
    pdml, _ = partners.run(PROGRAM, "decode", "--pdml", "--secrets", "--keylog", work + "/keys.log",
                           work + "/capture/all.pcap")
    kinds = {}
    for proto in partners.ElementTree.fromstring(pdml).iter("proto"):
        name = proto.get("showname", "").split(": ")[-1]
        if proto.get("name") != "mikey_ibake" or name in kinds:
            continue
        contents = {NUMBERS[f.get("name").split(".")[1]]: payloads_of(f.find("field[@name='mikey_ibake.decrypted_content']"))
                    for f in proto if f.find("field[@name='mikey_ibake.decrypted_content']") is not None}
        kinds[name] = Packet(bytes.fromhex(proto[0].get("value")), payloads_of(proto), contents)
    return kinds


# ---- the changes, and what each breaks ------------------------------------------------------------------------------

def header(offset, value):
    def change(packet):
        packet.header[offset:offset + 1] = value
    return change


def v_flag(on):
    def change(packet):
        packet.header[3] = packet.header[3] & 0x7F | (0x80 if on else 0)
    return change


def no(number, role=None):
    return lambda packet: packet.without(number, role)


def put(number, offset, value, role=None):
    return lambda packet: packet.set(number, offset, value, role)


def inside(number, change):
    """Changes the plaintext that the content of a payload is said to have."""
    def outer(packet):
        content = Packet(b"", packet.contents[number], {})
        change(content)
        packet.contents[number] = content.payloads
        if content.after:
            packet.contents[number] = [(n, o) for n, o in content.payloads] + [("after", bytes([content.after]))]
    return outer


def empty_map(packet):
    packet.header[8:] = b"\0\1"


def no_end(packet):
    packet.after = T


def short_rand(packet):
    packet.resize(RAND, bytes([0, 8]) + b"12345678")


def second_sp(packet):
    packet.payloads.insert(packet.at(SP), packet.payloads[packet.at(SP)])


def twice(number):
    def change(packet):
        packet.payloads.append(packet.payloads[packet.at(number)])
    return change


def shown(number):
    """Some payload of that type where it must not stand: in clear."""
    return lambda packet: packet.payloads.insert(0, (number, b"\0" * 40))


def null_kemac(packet):
    packet.set(KEMAC, 1, b"\0")


def kemac_mac(packet):
    octets = packet.payloads[packet.at(KEMAC)][1]
    packet.resize(KEMAC, octets[:-1] + b"\2" + b"\7" * 32)


def cached(packet):
    packet.set(PKE, 1, bytes([packet.payloads[packet.at(PKE)][1][1] | 0x40]))


def null_v(packet):
    packet.resize(V, b"\0\0")


def name(number, role):
    """Another identity of the same length."""
    return put(number, 5, b"sip:eve@", role)


PSK_REQUEST, PKE_REQUEST, RESPONSE = "REQUEST_KEY_PSK", "REQUEST_KEY_PKE", "REQUEST_KEY_RESP"
I1, R1, I2, R2 = "I_MESSAGE_1", "R_MESSAGE_1", "I_MESSAGE_2", "R_MESSAGE_2"
CASES = [  # the exchange up to the message, its change, the requirements that it breaks
    (PSK_REQUEST, no(T), {"6267-2"}), (PSK_REQUEST, no(RAND), {"6267-2"}), (PSK_REQUEST, no(IDR, 3), {"6267-8"}),
    (PSK_REQUEST, no(V), {"6267-12"}), (PSK_REQUEST, null_v, {"3830-18"}), (PSK_REQUEST, v_flag(False), {"6267-84"}),
    (PSK_REQUEST, header(8, b"\1"), {"6267-5"}), (PSK_REQUEST, header(9, b"\0"), {"6267-7"}),
    (PSK_REQUEST, short_rand, {"3830-56"}), (PSK_REQUEST, put(T, 1, b"\1"), {"3830-24"}), (PSK_REQUEST, no_end, {"3830-62"}),
    (PKE_REQUEST, no(RAND), {"6267-2"}), (PKE_REQUEST, no(IDR, 3), {"6267-8"}), (PKE_REQUEST, no(CERT), {"6267-13"}),
    (PKE_REQUEST, no(SIGN), {"3830-62"}), (PKE_REQUEST, cached, {"P-24"}),
    (RESPONSE, no(T), {"6267-21"}), (RESPONSE, put(T, 9, b"\1"), {"6267-21"}), (RESPONSE, no(KEMAC), {"6267-90"}),
    (RESPONSE, no(V), {"6267-24"}), (RESPONSE, v_flag(True), {"6267-19"}), (RESPONSE, null_kemac, {"3830-13"}),
    (RESPONSE, kemac_mac, {"6267-22"}), (RESPONSE, header(8, b"\1"), {"6267-86", "6267-18"}),
    (RESPONSE, header(9, b"\0"), {"6267-88", "6267-18"}), (RESPONSE, header(3, b"\0"), {"6267-18"}),
    (RESPONSE, inside(KEMAC, lambda p: p.payloads.__delitem__(slice(1, None))), {"6267-90"}),
    (I1, no(T), {"6267-28"}), (I1, no(RAND), {"6267-28"}), (I1, no(IDR, 1), {"6267-30"}), (I1, no(IDR, 2), {"6267-30"}),
    (I1, no(IBAKE), {"6267-92"}), (I1, v_flag(False), {"6267-84"}), (I1, empty_map, {"4563-1"}), (I1, second_sp, {"3830-69"}),
    (I1, put(IBAKE, 5, b"\xff"), {"P-2"}), (I1, shown(ECCPT), {"6267-98"}), (I1, shown(24), {"6267-101"}),
    (I1, inside(IBAKE, no(ECCPT)), {"6267-92"}), (I1, inside(IBAKE, no(IDR, 2)), {"6267-92"}),
    (I1, inside(IBAKE, twice(ECCPT)), {"P-17"}), (I1, inside(IBAKE, name(IDR, 1)), {"P-19"}),
    (I1, inside(IBAKE, put(ECCPT, 2, b"\0")), {"P-3", "P-4"}), (I1, inside(IBAKE, put(ECCPT, 67, b"\1")), {"P-3", "P-4"}),
    (I1, inside(IBAKE, put(ECCPT, 1, b"\2")), {"P-3", "P-4"}),
    (I1, inside(IBAKE, no_end), {"P-4"}),
    (R1, no(T), {"6267-39"}), (R1, put(T, 9, b"\1"), {"6267-39"}), (R1, no(IDR, 1), {"6267-40"}), (R1, no(IDR, 2), {"6267-40"}),
    (R1, no(IBAKE), {"6267-93"}), (R1, v_flag(False), {"6267-38"}), (R1, header(3, b"\x80"), {"6267-37"}),
    (R1, name(IDR, 1), {"6267-41", "P-19"}), (R1, inside(IBAKE, no(IDR, 2)), {"6267-93"}),
    (I2, no(T), {"6267-48"}), (I2, no(RAND), {"6267-48"}), (I2, put(RAND, 5, b"rand"), {"P-7"}), (I2, no(IDR, 2), {"6267-50"}),
    (I2, no(IBAKE), {"6267-54"}), (I2, v_flag(False), {"6267-84"}), (I2, header(3, b"\x80"), {"6267-49"}),
    (I2, name(IDR, 2), {"6267-51", "P-19"}), (I2, inside(IBAKE, no(ECCPT)), {"6267-54"}),
    (R2, no(T), {"6267-63"}), (R2, put(T, 9, b"\1"), {"6267-63"}), (R2, no(V), {"6267-67"}), (R2, v_flag(True), {"6267-61"}),
    (R2, no(IDR, 1), {"6267-64"}), (R2, header(3, b"\0"), {"6267-60"}),
    (R2, lambda p: p.payloads.insert(p.at(V), p.extra), {"6267-66"}),
]
FLOW = [I1, R1, I2, R2]


def exchange(kind):
    """The messages up to one of this kind."""
    if kind in FLOW:
        return FLOW[:FLOW.index(kind) + 1]
    return [PSK_REQUEST, RESPONSE] if kind == RESPONSE else [kind]


# ---- playing them -----------------------------------------------------------------------------------------------------

def line_of(packet, octets):
    """A line of what `decode --json` writes, with the content that the test wants to be inside."""
    fields = [{"name": "HDR", "offset": 0, "length": 10,
               "fields": [{"name": "CSB ID", "number": int.from_bytes(octets[4:8], "big")}]}]
    at = len(packet.header)
    for number, payload in packet.payloads:
        if number in packet.contents:
            plain = packet.contents[number]
            after = plain[-1][1][0] if plain and plain[-1][0] == "after" else 0
            text = chained(None, b"", [p for p in plain if p[0] != "after"], after)
            fields.append({"name": "x", "offset": at, "length": len(payload), "fields": [
                {"name": "encr data", "offset": at, "length": len(payload), "hex": payload[1:].hex()},
                {"name": "decrypted content", "text": "the test", "hex": text.hex()}]})
        at += len(payload)
    # next-payload fields are written when the message is put together: the proof is taken from behind them
    return json.dumps({"origin": {}, "message": "x", "octets": len(octets), "fields": fields}, separators=(",", ":"))


def play(exchanges, work):
    """Requirements told of the last message of each exchange, those before it must have none."""
    packets, lines, last = [], [], []
    for number, exchange_ in enumerate(exchanges):
        for packet in exchange_:
            packet.header[4:8] = (0x10000 + number).to_bytes(4, "big")
            octets = packet.octets()
            packets.append(make.packet(partners.A, partners.B, 17,
                                       make.udp(partners.A, partners.B, octets, partners.PORT, partners.PORT)))
            lines.append(line_of(packet, octets))
        last.append(len(packets))
    capture, contents = os.path.join(work, "rules.pcap"), os.path.join(work, "contents.json")
    with open(capture, "wb") as file:
        file.write(make.pcap(packets))
    with open(contents, "w", encoding="utf-8") as file:
        file.write('{"schema":"ibakelab-decode/1","messages":[\n' + ",\n".join(lines) + "\n]}\n")
    seen = partners.seen_by_tshark(capture, "-o", "mikey_ibake.decoded:" + contents)
    assert len(seen) == len(packets)
    for frame, messages in seen.items():
        assert frame in last or not messages[0].requirements, (frame, messages[0].requirements)
    return [set(seen[frame][0].requirements) for frame in last]


def rules_of_the_script():
    with open(os.path.join(partners.HERE, "mikey_ibake_rules.lua"), encoding="utf-8") as file:
        return dict(re.findall(r'^    \["([^"]+)"\] = \{"(MUST|SHOULD)"', file.read(), re.M))


def requirements():
    levels = {}
    for path in glob.glob(os.path.join(REQUIREMENTS, "*.yaml")):
        with open(path, encoding="utf-8") as file:
            levels.update(re.findall(r"- id: (\S+)\n(?:    .*\n)*?    level: (\S+)", file.read()))
    return levels


rules, levels = rules_of_the_script(), requirements()
for rule, level in rules.items():
    known = levels.get(rule)
    assert known and (known == level or (known == "profile" and level == "MUST")), (rule, level, known)
untried = set(rules) - set().union(*(broken for _, _, broken in CASES))
assert not untried, ("rules without a case", untried)
with tempfile.TemporaryDirectory() as work:
    kinds = samples(PKE_SCENARIO, os.path.join(work, "pke"))
    kinds.update(samples(PSK_SCENARIO, os.path.join(work, "psk")))
    ibake_of_i2 = kinds[I2].payloads[kinds[I2].at(IBAKE)]
    for kind, packet in kinds.items():
        packet.extra = ibake_of_i2
    good = [[copy.deepcopy(kinds[k]) for k in exchange(kind)] for kind in kinds]
    assert not any(play(good, work)), "a rule is told of a message that keeps it"
    bad = []
    for kind, change, _ in CASES:
        packets = [copy.deepcopy(kinds[k]) for k in exchange(kind)]
        if kind == R2:
            packets[-1].contents = {IBAKE: [p for p in packets[0].contents[IBAKE] if p[0] != ECCPT]}
        change(packets[-1])
        bad.append(packets)
    for (kind, _, expected), told in zip(CASES, play(bad, work)):
        assert told == expected, (kind, expected, told, CASES.index((kind, _, expected)))
print(f"{len(CASES)} messages break {len(rules)} rules, {len(good)} exchanges none")
