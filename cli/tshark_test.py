#!/usr/bin/python3
"""`ibakelab decode` and Wireshark's MIKEY dissector see the same fields at the same octets with the same values.
Arguments: the program, the directory of samples. Fails if tshark is missing."""
import json
import os
import subprocess
import sys
import tempfile
import xml.etree.ElementTree as ElementTree

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import capture_maker as make  # noqa: E402

PROGRAM, SAMPLES = sys.argv[1:3]
NAMES = ["request_key_psk", "request_key_resp", "i_message_1", "r_message_1", "i_message_2", "r_message_2"]
A, B, PORT = "10.0.0.1", "10.0.0.2", 2269
# Wireshark 4.0 knows RFC 3830 and 6043 payloads and stops at IBAKE. Left out are its groups, whose parts follow,
# and the type and length of a policy parameter, whose positions it adds up wrongly.
GROUPS = {"mikey." + name for name in ("hdr", "srtp_id", "t", "rand", "id", "idr", "sp", "kemac", "v", "ext")}
LEFT_OUT = GROUPS | {"mikey.sp.param.type", "mikey.sp.param.len"}


def leaves(fields):
    for field in fields:
        if "offset" in field and field["name"] not in ("BFCiphertextBlock", "decrypted content"):
            yield field
            yield from leaves(field.get("fields", []))


def is_number(text):
    return text.isdigit() or text.startswith("0x")


def wireshark(path):
    """For each packet (offset, length, name, value) of the dissector's fields."""
    text = subprocess.run(["tshark", "-r", path, "-d", f"udp.port=={PORT},mikey", "-T", "pdml"], capture_output=True,
                          check=True).stdout
    for packet in ElementTree.fromstring(text).iter("packet"):
        assert not packet.findall(".//field[@name='_ws.malformed']"), "Wireshark calls it malformed"
        protocol = packet.find("proto[@name='mikey']")
        start = int(protocol.get("pos"))
        yield [(int(f.get("pos")) - start, int(f.get("size")), f.get("name"), f.get("show"),
             f.get("unmaskedvalue") or f.get("value"))
               for f in protocol.iter("field") if f.get("name", "").startswith("mikey.") and f.get("value")]


samples = []
for name in NAMES:
    with open(os.path.join(SAMPLES, name + ".hex"), encoding="ascii") as file:
        samples.append(bytes.fromhex(file.read()))
with tempfile.TemporaryDirectory() as directory:
    path = os.path.join(directory, "mikey.pcap")
    with open(path, "wb") as file:
        file.write(make.pcap([make.packet(A, B, 17, make.udp(A, B, s, PORT, PORT)) for s in samples]))
    dissected = list(wireshark(path))
assert len(dissected) == len(samples)
compared = 0
for name, message, theirs in zip(NAMES, samples, dissected):
    out = subprocess.run([PROGRAM, "decode", "--json"], input=message, capture_output=True, check=True).stdout
    ours = list(leaves(json.loads(out)["messages"][0]["fields"]))
    for offset, length, field, show, value in theirs:
        if field in LEFT_OUT:
            continue
        same = [f for f in ours if f["offset"] == offset and f["length"] == length]
        assert same, (name, field, offset, length)
        assert value == message[offset:offset + length].hex(), (name, field)
        numbers = [f["number"] for f in same if "number" in f]
        texts = [f.get("hex", f.get("text")) for f in same]
        number = int(value, 16) if field == "mikey.sp.patam.value" else int(show, 0) if is_number(show) else None
        assert number in numbers or value in texts or field == "mikey.t.ntp", (name, field, show, same)
        compared += 1
    header = {field for _, _, field, _, _ in theirs}
    for needed in ("version", "type", "next_payload", "v.set", "prf_func", "csb_id", "cs_count", "cs_id_map_type"):
        assert "mikey." + needed in header, (name, needed)
assert compared > 120, compared
print(f"{compared} fields compared")
