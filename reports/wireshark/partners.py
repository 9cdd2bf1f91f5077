"""The two partners of these tests: tshark with mikey_ibake.lua, and `ibakelab decode`, which share no code. Each one's
messages of a capture become lists of (field, position, length, value): value is a number, or the octets in hex."""
import json
import os
import re
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

HERE = os.path.dirname(os.path.abspath(__file__))
SCRIPT = os.path.join(HERE, "mikey_ibake.lua")
sys.path.insert(0, os.path.join(HERE, "..", "..", "cli"))
import capture_maker as make  # noqa: E402,F401

PROTOCOL = "mikey_ibake"
A, B, PORT = "10.0.0.1", "10.0.0.2", 2269
# What the script adds to the fields of the octets: groups of them, and what it says of a message.
ADDED = {"hdr.crypto_session", "sp.parameter", "message", "requirement", "time", "malformed"}
CIPHERTEXT = ["ibe.version", "ibe.u_x", "ibe.u_y", "ibe.v", "ibe.w"]
DER = {"integer", "octet_string", "sequence", "bfciphertextblock"}


class Message:
    """name; payloads in order; fields; ciphertexts: the five parts of each BFCiphertextBlock as (position, hex)."""

    def __init__(self, name, malformed=False):
        self.name, self.malformed = name, malformed
        self.payloads, self.fields, self.parts, self.requirements, self.labels = [], [], [], [], {}
        self.octets = b""

    def __eq__(self, other):
        return (self.name, self.payloads, self.fields, self.parts) == (other.name, other.payloads, other.fields, other.parts)


def run(*command, data=b"", status=(0,)):
    done = subprocess.run(command, input=data, capture_output=True, timeout=300)
    assert done.returncode in status, (command, done.returncode, done.stderr.decode(errors="replace")[-2000:])
    return done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")


# ---- tshark -----------------------------------------------------------------------------------------------------

def tshark(capture, *options):
    """Standard output of tshark with the script. An error of Lua, in its output or on standard error, fails."""
    out, err = run("tshark", "-X", "lua_script:" + SCRIPT, "-o", "tcp.reassemble_out_of_order:TRUE", "-r", capture, *options)
    assert "Lua Error" not in out and "lua" not in err.lower(), (out[out.find("Lua Error"):][:400], err)
    return out


def value_of(field):
    if field.get("unmaskedvalue"):
        return int(field.get("value"), 16)
    return field.get("value", "")


def take_field(message, field, base, inside):
    name, position = field.get("name")[len(PROTOCOL) + 1:], int(field.get("pos")) - base
    size, value = int(field.get("size")), value_of(field)
    last = name.split(".")[-1]
    if name in CIPHERTEXT:
        message.parts.append((position, value))
    elif name.count(".") == 1 and last in DER:
        if last in ("integer", "octet_string"):  # the content alone: the script shows no tags and lengths
            octets = bytes.fromhex(field.get("unmaskedvalue") or field.get("value"))
            skip = 2 + (octets[1] - 128 if octets[1] >= 128 else 0)
            message.parts.append((position + skip, octets[skip:].hex()))
    elif name == "requirement":
        message.requirements.append(field.get("show"))
    elif name in ADDED or name.startswith("rule.") or (size == 0 and name != "decrypted_content"):
        pass
    elif name == "decrypted_content":
        message.fields.append((inside + name, None, size, value))
    elif "." not in name:
        message.payloads.append((inside + name, position, size))
    else:
        message.fields.append((inside + name, position, size, value))
        message.labels[inside + name, position] = field.get("showname")


def walk_fields(message, parent, base, inside=""):
    for field in parent:
        name = field.get("name", "")
        if name.startswith(PROTOCOL + "."):
            take_field(message, field, base, inside)
        if name == PROTOCOL + ".decrypted_content":
            walk_fields(message, field, 0, inside + "> ")  # a data source of its own
        else:
            walk_fields(message, field, base, inside)


def of_pdml(text):
    """Messages by frame, of the PDML of either partner."""
    frames = {}
    for packet in ElementTree.fromstring(text).iter("packet"):
        number = int(packet.find("proto[@name='geninfo']/field[@name='num']").get("show"))
        for proto in packet.iter("proto"):
            if proto.get("name") == "_ws.malformed" and "MIKEY-IBAKE" in proto.get("showname", ""):
                frames.setdefault(number, []).append(Message(None, True))
            if proto.get("name") != PROTOCOL:
                continue
            malformed = any(f.get("name") == PROTOCOL + ".malformed" for f in proto.iter("field"))
            message = Message(proto.get("showname").split(": ", 1)[1], malformed)
            header = proto.find(f"field[@name='{PROTOCOL}.hdr']")  # of decoded base64 the proto has the place of the text
            walk_fields(message, proto, int((proto if header is None else header).get("pos")))
            frames.setdefault(number, []).append(message)
    return frames


def seen_by_tshark(capture, *options):
    return of_pdml(tshark(capture, *options, "-Y", PROTOCOL, "-T", "pdml"))


# ---- ibakelab decode --------------------------------------------------------------------------------------------

def slug(name):
    return re.sub("[^a-z0-9]+", "_", name.split(",")[0].lower()).strip("_")


def take_json(message, fields, section=None):
    for field in fields:
        name = slug(field["name"])
        if "offset" not in field:
            continue
        position, size, text = field["offset"], field["length"], field.get("text", "")
        hexadecimal = field.get("hex", text)
        if section is None:
            message.payloads.append((name, position, size))
        elif name in DER:
            if name in ("integer", "octet_string"):
                octets = "%02x" % field["number"] if "number" in field else hexadecimal
                message.parts.append((position + size - len(octets) // 2, octets))
        elif text != "BFCiphertextBlock, see below":
            value = field["number"] if "number" in field else hexadecimal
            message.fields.append((f"{section}.{name}", position, size, value))
            message.labels[f"{section}.{name}", position] = text
        take_json(message, field.get("fields", []), section or name)


def seen_by_decode(program, capture):
    """Messages by frame, of `decode --json`."""
    frames = {}
    out, _ = run(program, "decode", "--json", "--repeat", capture, status=(0, 2))
    for entry in json.loads(out)["messages"]:
        message = Message(entry.get("message"), "error" in entry)
        take_json(message, entry.get("fields", []))
        frames.setdefault(entry["origin"]["frame"], []).append(message)
    return frames


# ---- comparing ----------------------------------------------------------------------------------------------------

def compare_values(where, ours, theirs):
    """Field by field; a number is compared with the number that the octets are."""
    # Of good DER decode's JSON has the parts alone.
    mine, others = ([f for f in m.fields if f[0] not in ("ibake.encr_data", "esk.encr_data")] for m in (ours, theirs))
    assert [f[:3] for f in mine] == [f[:3] for f in others], (where, set(mine) ^ set(others))
    for (name, position, _, value), (*_, other) in zip(mine, others):
        if isinstance(value, int) != isinstance(other, int):
            value, other = (v if isinstance(v, int) else int(v, 16) for v in (value, other))
        assert value == other, (where, name, position, value, other)
        known = re.search(r"(?:^|: )\d+ \((.*)\)$", ours.labels.get((name, position), ""))
        if known and known[1] != "unknown":
            assert known[1] in theirs.labels[name, position], (where, name, known[1], theirs.labels[name, position])
    return len(ours.fields)


def compare(ours, theirs, what):
    """Two views of a capture: the same messages in the same frames, with the same payloads and fields. Returns counts."""
    assert set(ours) == set(theirs), (what, sorted(set(ours) ^ set(theirs))[:20])
    messages = fields = malformed = 0
    for frame in ours:
        assert len(ours[frame]) == len(theirs[frame]), (what, frame, len(ours[frame]), len(theirs[frame]))
        for one, other in zip(ours[frame], theirs[frame]):
            where = (what, frame, one.name)
            assert one.malformed == other.malformed, (where, one.malformed, other.malformed, other.name)
            malformed += one.malformed
            if one.malformed:
                continue
            assert one.name == other.name, (where, other.name)
            assert one.payloads == other.payloads, (where, one.payloads, other.payloads)
            if one.parts or not any(r == "P-2" for r in other.requirements):
                assert one.parts == other.parts, (where, one.parts, other.parts)
            fields += compare_values(where, one, other)
            messages += 1
    return messages, fields, malformed
