#!/usr/bin/python3
"""`ibakelab decode --pdml`: packets, fields, positions, what is kept secret, what is malformed, and MIKEY on its own port.
Arguments: the program, the directory of samples. (reports/wireshark/ compares it with tshark.)"""
import base64
import json
import os
import subprocess
import sys
import xml.etree.ElementTree as ElementTree

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import capture_maker as make  # noqa: E402

PROGRAM, SAMPLES = sys.argv[1:3]
A, B, PORT = "10.0.0.1", "10.0.0.2", 2269
KEYS = ["--keylog", os.path.join(SAMPLES, "keys.log")]


def run(data, *options, status=0):
    done = subprocess.run([PROGRAM, "decode", *options], input=data, capture_output=True, timeout=120)
    assert done.returncode == status, (options, done.returncode, done.stderr)
    return done.stdout


def pdml(data, *options, status=0):
    return ElementTree.fromstring(run(data, "--pdml", *options, status=status))


def sample(name):
    with open(os.path.join(SAMPLES, name + ".hex"), encoding="ascii") as file:
        return bytes.fromhex(file.read())


def udp(data, port=PORT):
    return make.packet(A, B, 17, make.udp(A, B, data, 40000, port))


def info(packet, name):
    return packet.find(f"proto[@name='geninfo']/field[@name='{name}']")


def protos(packet):
    return [p.get("name") for p in packet.findall("proto")]


def field(parent, name):
    return next(f for f in parent.iter("field") if f.get("name") == "mikey_ibake." + name)


def test_a_message():
    message = sample("i_message_1")
    packets = pdml(message).findall("packet")
    assert len(packets) == 1 and protos(packets[0]) == ["geninfo", "ibakelab", "mikey_ibake"], protos(packets[0])
    proto = packets[0].findall("proto")[-1]
    assert proto.get("size") == str(len(message)) and proto.get("showname") == "MIKEY-IBAKE: I_MESSAGE_1"
    assert b"".join(bytes.fromhex(f.get("value")) for f in proto) == message
    data_type, flag = field(proto, "hdr.data_type"), field(proto, "hdr.prf_func")
    assert (data_type.get("pos"), data_type.get("size"), data_type.get("show"), data_type.get("value")) == ("1", "1", "22", "16")
    assert (flag.get("value"), flag.get("unmaskedvalue")) == ("1", "81"), flag.attrib
    rand = field(proto, "rand.rand")
    assert rand.get("value") == rand.get("show").replace(":", "") and len(rand.get("value")) == 32
    assert field(proto, "idr.id_data").get("show") == "sip:alice@a.example"


def test_captures():
    """A packet for each frame, with its number, lengths and time; messages of one frame in one packet."""
    message = sample("i_message_1")
    line = b"a=key-mgmt:mikey " + base64.b64encode(message) + b"\r\n"
    body = b"v=0\r\n" + line + b"m=audio 4000 RTP/SAVP 0\r\n" + line
    invite = b"INVITE sip:b@b SIP/2.0\r\nCall-ID: <&\"'\xff\r\nCSeq: 1 INVITE\r\nContent-Length: %d\r\n\r\n" % len(body) + body
    data = [udp(b"noise", 9), udp(invite, 5060), udp(message)]
    packets = pdml(make.pcap(data)).findall("packet")
    assert [info(p, "num").get("show") for p in packets] == ["2", "3"]
    assert protos(packets[0]) == ["geninfo"] + ["ibakelab", "mikey_ibake"] * 2, protos(packets[0])
    assert info(packets[0], "len").get("show") == str(len(data[1])) == str(int(info(packets[0], "len").get("value"), 16))
    assert info(packets[0], "timestamp").get("value") == "1001.000501000"
    assert info(packets[0], "timestamp").get("show") == "Jan  1, 1970 00:16:41.000501000 UTC"
    call = packets[0].find(".//field[@name='ibakelab.call_id']").get("show")
    assert call == "<&\"'\\xff", call
    assert [f.get("show") for f in packets[0].iter("field") if f.get("name") == "ibakelab.medium"] == ["0", "1"]


def test_secrets():
    """Without --secrets a key is not in the output, nor are the octets of what surrounds it."""
    for name, before, payload, inner in (("request_key_resp", ["request_key_psk"], "kemac", "key_data"),
                                         ("i_message_2", ["i_message_1", "r_message_1"], "esk", "sk")):
        capture = make.pcap([udp(sample(n)) for n in before + [name]])
        shown, hidden = pdml(capture, "--secrets", *KEYS), pdml(capture, *KEYS)
        for part in (f"{inner}.key_data", inner):
            assert field(shown, part).get("value") and not field(hidden, part).get("value"), (name, part)
        assert field(hidden, f"{inner}.key_data").get("show") == ""
        for tree, wanted in ((shown, True), (hidden, False)):
            outer = next(f for f in tree.iter("field") if f.get("name") == "mikey_ibake." + payload)
            assert bool(field(outer, "decrypted_content").get("value")) == wanted, (name, wanted)
            assert outer.get("value"), "the ciphertext is no secret"
    # Anywhere in the output; not so for SK, which has the octets of RAND in these samples.
    capture = make.pcap([udp(sample(n)) for n in ("request_key_psk", "request_key_resp")])
    secret = field(pdml(capture, "--secrets", *KEYS), "key_data.key_data").get("value")
    for form in ("--pdml", "--json"):
        assert secret not in run(capture, form, *KEYS).decode().replace(":", ""), form


def test_content_in_json():
    """The octets of decrypted content that holds no keys, or with --secrets, are the payloads inside it."""
    capture = make.pcap([udp(sample(n)) for n in ("request_key_psk", "request_key_resp", "i_message_1")])
    for options, expected in (([], 1), (["--secrets"], 2)):
        contents = []
        for message in json.loads(run(capture, "--json", *options, *KEYS))["messages"]:
            for payload in message["fields"]:
                contents += [f for f in payload.get("fields", []) if f["name"] == "decrypted content" and "hex" in f]
        assert len(contents) >= expected and all(
            len(c["hex"]) // 2 == sum(f["length"] for f in c["fields"]) == int(c["text"].split()[0]) for c in contents)


def test_malformed():
    message = sample("i_message_1")
    packets = pdml(make.pcap([udp(message[:-1]), udp(message)]), status=2).findall("packet")
    assert [p.findall("proto")[-1].get("name") for p in packets] == ["_ws.malformed", "mikey_ibake"]
    assert "IBAKE" in packets[0].findall("proto")[-1].get("showname")
    run(message, "--pdml", "--json", status=2)
    assert pdml(b"v=0\r\n", status=2).findall("packet") == []  # still a document


def test_own_port():
    """UDP and TCP port 2269: no SIP, no HTTP, messages back to back."""
    two = [sample("i_message_1"), sample("r_message_1")]
    data = b"".join(two)
    for size in (1, 100, len(data)):
        packets = [make.packet(A, B, 6, make.tcp(A, B, 999, b"", 2, 40000, PORT))]
        packets += [make.packet(A, B, 6, make.tcp(A, B, 1000 + at, data[at:at + size], 0x18, 40000, PORT))
                    for at in range(0, len(data), size)]
        found = json.loads(run(make.pcap(packets), "--json"))["messages"]
        assert [(m["message"], m["octets"]) for m in found] == [("I_MESSAGE_1", len(two[0])), ("R_MESSAGE_1", len(two[1]))]
    assert len(json.loads(run(make.pcap([udp(m) for m in two]), "--json"))["messages"]) == 2
    run(make.pcap([udp(two[0], 2270)]), status=2)
    run(make.pcap([udp(b"noise")]), status=2)


tests = [test for name, test in list(globals().items()) if name.startswith("test_")]
for test in tests:
    test()
print(f"{len(tests)} tests passed")
