#!/usr/bin/python3
"""What `ibakelab decode` shows, of each kind of input. Arguments: the program, the directory of samples.
With --golden as third argument the expected outputs are written anew instead of compared."""
import base64
import json
import os
import struct
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import capture_maker as make  # noqa: E402

PROGRAM, SAMPLES = sys.argv[1:3]
NAMES = ["request_key_psk", "request_key_resp", "i_message_1", "r_message_1", "i_message_2", "r_message_2"]
A, B = "10.0.0.1", "10.0.0.2"
A6, B6 = "fd00::1", "fd00::2"
checks = 0


def check(condition, *what):
    global checks
    checks += 1
    if not condition:
        raise AssertionError(what)


def run(data, *options, status=0):
    """Standard output and error of decoding these octets, from standard input."""
    done = subprocess.run([PROGRAM, "decode", *options], input=data, capture_output=True, timeout=120)
    out, err = done.stdout.decode(errors="replace"), done.stderr.decode(errors="replace")
    check(done.returncode == status, options, done.returncode, out[-2000:], err)
    return out, err


def decode(data, *options, status=0):
    result = json.loads(run(data, "--json", *options, status=status)[0])
    check(result["schema"] == "ibakelab-decode/1")
    check(result["summary"]["messages"] == len(result["messages"]))
    return result


def one(data, *options, status=0):
    messages = decode(data, *options, status=status)["messages"]
    check(len(messages) == 1, messages)
    return messages[0]


def find(fields, *names):
    """The field at the end of a path of names; the first of a name."""
    for name in names:
        field = next((f for f in fields if f["name"] == name), None)
        check(field is not None, names, [f["name"] for f in fields])
        fields = field.get("fields", [])
    return field


def sample(name):
    with open(os.path.join(SAMPLES, name + ".hex"), encoding="ascii") as file:
        return bytes.fromhex(file.read())


def keylog():
    return ["--keylog", os.path.join(SAMPLES, "keys.log")]


def sdp(message, media=b""):
    text = b"v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\ns=-\r\nt=0 0\r\n"
    text += b"a=key-mgmt:mikey " + base64.b64encode(message) + b"\r\n" if not media else b""
    text += b"m=audio 4000 RTP/SAVP 0\r\n"
    return text + (b"a=key-mgmt:mikey " + base64.b64encode(media) + b"\r\n" if media else b"")


def sip(body, start=b"INVITE sip:bob@b.example SIP/2.0", call=b"call-1@a", form=b"Content-Length"):
    return (start + b"\r\nVia: SIP/2.0/UDP 10.0.0.1\r\nCall-ID: " + call + b"\r\nCSeq: 1 INVITE\r\n"
            b"Content-Type: application/sdp\r\n" + form + b": " + str(len(body)).encode() + b"\r\n\r\n" + body)


def http(body, chunk=0):
    head = b"POST /keys HTTP/1.1\r\nHost: kms.a.example\r\nContent-Type: application/mikey\r\n"
    if not chunk:
        return head + b"Content-Length: " + str(len(body)).encode() + b"\r\n\r\n" + body
    chunks = [body[i:i + chunk] for i in range(0, len(body), chunk)]
    return head + b"Transfer-Encoding: chunked\r\n\r\n" + b"".join(
        f"{len(c):x};x=y\r\n".encode() + c + b"\r\n" for c in chunks) + b"0\r\nTrailer: x\r\n\r\n"


def test_kinds_of_input():
    message = sample("i_message_1")
    expected = one(message, "--from", "mikey")
    check(expected["message"] == "I_MESSAGE_1" and expected["octets"] == len(message))
    encoded = {"hex": message.hex().encode(), "base64": base64.encodebytes(message), "mikey": message,
               "sdp": sdp(message), "sip": sip(sdp(message)),
               "pcap": make.pcap([make.packet(A, B, 17, make.udp(A, B, sip(sdp(message))))])}
    for kind, data in encoded.items():
        for options in ([], ["--from", kind]):
            got = one(data, *options)
            check(got["fields"] == expected["fields"], kind)
            check(got["origin"]["kind"] == kind, kind, got["origin"])
    check(one(message.hex(":").upper().encode())["fields"] == expected["fields"])
    check(one(http(message))["fields"] == expected["fields"])
    check(one(b"a=key-mgmt:mikey " + base64.b64encode(message))["origin"]["line"] == 1)
    with tempfile.NamedTemporaryFile() as file:
        file.write(message)
        file.flush()
        result = decode(b"", file.name, file.name)
        check([m.get("same_as") for m in result["messages"]] == [None, 1])
        check("fields" not in result["messages"][1] and result["summary"]["repeated"] == 1)
        check("fields" in decode(b"", "--repeat", file.name, file.name)["messages"][1])


def test_every_octet_is_shown_once():
    """The payloads tile the message and each one's fields tile the payload, in order and without a gap."""
    def tiles(fields, start, end, where):
        at = start
        for field in fields:
            if "offset" not in field:
                continue
            if field["offset"] < at:  # parts of one octet
                check(field["length"] == 1 and field["offset"] == at - 1, where, field)
                continue
            check(field["offset"] == at, where, field)
            at += field["length"]
        check(at == end, where, at, end)
    for name in NAMES:
        message = sample(name)
        fields = one(message)["fields"]
        tiles(fields, 0, len(message), name)
        for payload in fields:
            own = [part for f in payload["fields"] if f["name"] != "BFCiphertextBlock"
                   for part in [f] + f.get("fields", [])]
            tiles(own, payload["offset"], payload["offset"] + payload["length"], (name, payload["name"]))


def test_values():
    fields = one(sample("i_message_1"))["fields"]
    check([f["name"] for f in fields] == ["HDR", "T", "RAND", "IDR", "IDR", "SP", "IBAKE", "ESK"])
    check(find(fields, "HDR", "CSB ID")["number"] == 0x0A0B0C0D)
    data = next(f for f in fields[3]["fields"] if "sip:" in f.get("text", ""))
    check(data["text"] == "sip:alice@a.example" and data["hex"] == b"sip:alice@a.example".hex())
    block = find(fields, "IBAKE", "BFCiphertextBlock", "SEQUENCE")
    check([f["name"].split(",")[0] for f in block["fields"]] == ["INTEGER", "SEQUENCE", "OCTET STRING", "OCTET STRING"])
    check(not any("decrypted" in json.dumps(f) for f in fields))


def test_golden():
    for name in NAMES:
        for suffix, options in (("", []), (".keys", keylog())):
            out = run(sample(name), "--from", "mikey", *options)[0]
            path = os.path.join(SAMPLES, name + suffix + ".txt")
            if "--golden" in sys.argv:
                with open(path, "w", encoding="utf-8") as file:
                    file.write(out)
            with open(path, encoding="utf-8") as file:
                check(file.read() == out, path)


def conversation():
    """The six messages as a capture has them."""
    requests = [(A, B, http(sample("request_key_psk"))),
                (B, A, http(sample("request_key_resp")).replace(b"POST /keys HTTP/1.1", b"HTTP/1.1 200 OK"))]
    packets = []
    for source, destination, data in requests:
        ports = {"sport": 40000, "dport": 80} if source == A else {"sport": 80, "dport": 40000}
        packets.append(make.packet(source, destination, 6, make.tcp(source, destination, 100, data, **ports)))
    for name, start in (("i_message_1", b"INVITE sip:bob@b.example SIP/2.0"), ("r_message_1", b"SIP/2.0 183 Session Progress"),
                        ("i_message_2", b"PRACK sip:bob@b.example SIP/2.0"), ("r_message_2", b"SIP/2.0 200 OK")):
        ends = (A, B) if b"sip:" in start else (B, A)
        packets.append(make.packet(*ends, 17, make.udp(*ends, sip(sdp(sample(name)), start))))
    return packets


def test_keys_open_a_conversation():
    for options in ([], ["--secrets"]):
        result = decode(make.pcap(conversation()), *keylog(), *options)
        check([m["message"].lower() for m in result["messages"]] == NAMES)
        summary = result["summary"]
        check((summary["macs_valid"], summary["macs_wrong"], summary["undecrypted"]) == (3, 0, 0), summary)
        request, response, first, second, third, last = (m["fields"] for m in result["messages"])
        check(find(request, "V", "verification")["text"] == "valid (PSK record 2)")
        check(find(last, "V", "verification")["text"] == "valid (KSESSION record)")
        key = find(response, "KEMAC", "decrypted content", "Key data")
        secret = [f for f in key["fields"] if f.get("text", "").startswith("(secret")]
        check(len(secret) == (0 if options else 1), key)
        check("PSK record 2" in find(response, "KEMAC", "decrypted content")["text"])
        content = find(first, "IBAKE", "decrypted content")
        check("sip:bob@b.example20261124" in content["text"])
        check([f["name"] for f in content["fields"]] == ["IDR", "IDR", "ECCPT"])
        check([f["name"] for f in find(first, "ESK", "decrypted content")["fields"]] == ["IDR", "IDR", "SK"])
        check("alice" in find(second, "IBAKE", "decrypted content")["text"])
        check([f["name"] for f in find(second, "IBAKE", "decrypted content")["fields"]] == ["IDR", "IDR", "ECCPT", "ECCPT"])
        check("bob" in find(third, "IBAKE", "decrypted content")["text"])
    origin = result["messages"][2]["origin"]
    check((origin["frame"], origin["from"], origin["to"], origin["transport"]) == (3, A + ":5060", B + ":5060", "udp"))
    check(origin["start_line"].startswith("INVITE") and origin["call_id"] == "call-1@a" and origin["cseq"] == "1 INVITE")
    check(origin["time"] == "1002.000502000" and origin["medium"] == 0)


def test_wrong_macs_and_missing_keys():
    packets = conversation()
    changed = bytearray(sample("r_message_2"))
    changed[-1] ^= 1
    packets[5] = make.packet(B, A, 17, make.udp(B, A, sip(sdp(bytes(changed)), b"SIP/2.0 200 OK")))
    result = decode(make.pcap(packets), *keylog(), status=1)
    check(result["summary"]["macs_wrong"] == 1)
    check(find(result["messages"][5]["fields"], "V", "verification")["text"].startswith("WRONG"))
    alone = one(sample("r_message_2"), *keylog())
    check("not known" in find(alone["fields"], "V", "verification")["text"])
    alone = one(sample("request_key_resp"), *keylog())
    check("RAND" in find(alone["fields"], "KEMAC", "not decrypted")["text"])
    with open(os.path.join(SAMPLES, "keys.log"), encoding="ascii") as file:
        lines = file.read().splitlines()
    def with_log(kinds):
        with tempfile.NamedTemporaryFile("w") as file:
            file.write("\n".join(line for line in lines if line.split()[0] in kinds))
            file.flush()
            return decode(make.pcap(conversation()), "--keylog", file.name)
    check(with_log(["MPK"])["summary"]["macs_valid"] == 1)
    check(with_log(["KSESSION"])["summary"]["macs_valid"] == 1)
    nothing = with_log(["PARAMS"])["summary"]
    check(nothing["macs_valid"] == nothing["macs_wrong"] == 0 and nothing["undecrypted"] == 5, nothing)


def test_bad_key_logs():
    for text, place in (("PSK 00\nPSK 0g", "2:6"), ("FOO 00", "1:1"), ("PARAMS 3003020102", None), ("TEK 00 00 00", "1:5")):
        with tempfile.NamedTemporaryFile("w") as file:
            file.write(text)
            file.flush()
            err = run(sample("r_message_1"), "--keylog", file.name, status=2)[1]
            check(f"{file.name}:{place or ''}" in err, err)
    check("No such file" in run(b"", "--keylog", "/nonexistent", status=2)[1])


def test_bad_inputs():
    message = sample("i_message_1")
    for end in range(len(message)):  # every truncation is refused, with payload and offset
        if end % 7 and end > 60:
            continue
        if end == 0:
            continue
        got = one(message[:end], "--from", "mikey", status=2)
        check(got["error"]["payload"] and got["error"]["offset"] <= end, end, got)
    out = run(message[:-1], "--from", "mikey", status=2)[0]
    check("malformed: ESK, octet " in out, out)
    for data, options in ((b"", []), (b"", ["--from", "pcap"]), (b"not a pcap", ["--from", "pcap"]), (b"v=0\r\n", []),
                          (b"hello world", ["--from", "sip"]), (b"abc", ["--from", "hex"]), (b"00 0", ["--from", "hex"]),
                          (b"!!", ["--from", "base64"]), (b"v=0\r\na=key-mgmt:mikey ====\r\n", []),
                          (b"v=0\r\na=key-mgmt:MIKEY AAAA\r\n", []), (sip(sdp(message))[:-3], []),
                          (b"INVITE sip:b SIP/2.0\r\nCall-ID: x", [])):
        run(data, *options, status=2)
    check("did you mean 'pcap'" in run(b"", "--from", "pcab", status=2)[1])
    check("No such file" in run(b"", "/nonexistent", status=2)[1])
    run(b"", "--frobnicate", status=2)
    check("Usage:" in run(b"", "--help")[0])
    hostile = sip(sdp(message), start=b"INVITE sip:\x1b[2Jx SIP/2.0", call=b"\x1b]0;x\x07\xff")
    check("\x1b" not in run(hostile)[0])
    json.loads(run(hostile, "--json")[0])


def same_conversation(data, count=6):
    result = decode(data, *keylog())
    check([m["message"].lower() for m in result["messages"]] == NAMES[:count], result["messages"])
    check(result["summary"]["macs_valid"] == 3)


def test_capture_formats():
    packets = conversation()
    for kind in make.LINKS:
        same_conversation(make.pcap(packets, kind))
    for order in "<>":
        same_conversation(make.pcap(packets, order=order, nano=True))
        for resolution in (None, 9, 3):
            same_conversation(make.pcapng(packets, "ethernet", order, resolution))
    first = decode(make.pcap(packets, nano=True))["messages"][0]["origin"]["time"]
    check(first == "1000.000000500", first)
    check(decode(make.pcapng(packets, resolution=9))["messages"][1]["origin"]["time"] == "1001.000000000")


def test_truncated_captures():
    whole = make.pcap(conversation())
    for end in list(range(1, 60)) + list(range(60, len(whole), 97)):
        done = subprocess.run([PROGRAM, "decode", "--json"], input=whole[:end], capture_output=True, timeout=60)
        check(done.returncode == 2, end, done.stderr)
        json.loads(done.stdout)
        check(end < 40 or b"capture file" in done.stderr or b"no MIKEY" in done.stderr, end, done.stderr)
    broken = make.pcapng(conversation())
    for end in range(1, len(broken), 61):
        done = subprocess.run([PROGRAM, "decode", "--json"], input=broken[:end], capture_output=True, timeout=60)
        check(done.returncode == 2 or end > len(broken) - 12, end, done.stderr)
    packets = conversation()
    packets[3] = packets[3][:-20]  # a packet that was cut: reported, the others are shown
    result = decode(make.pcap(packets), status=2)
    check([("error" in m) for m in result["messages"]] == [False] * 3 + [True] + [False] * 2)
    err = run(make.pcap(packets)[:20] + struct.pack("<I", 147) + make.pcap(packets)[24:], status=2)[1]
    check("link type 147" in err, err)


def test_fragments():
    body = sip(sdp(sample("i_message_1")))
    for source, destination, cut in ((A, B, make.fragments4), (A6, B6, make.fragments6)):
        datagram = make.udp(source, destination, body)
        parts = cut(source, destination, 17, datagram, 256)
        check(len(parts) > 3)
        other = cut(source, destination, 17, make.udp(source, destination, sip(sdp(sample("r_message_1")))), 256, 8)
        for order in (parts, parts[::-1], parts[1:] + parts[:1], parts[:2] + parts, [parts[-1]] + parts[:-1]):
            check(one(make.pcap(order))["message"] == "I_MESSAGE_1")
        mixed = [p for pair in zip(parts, other) for p in pair] + parts[len(other):] + other[len(parts):]
        check(len(decode(make.pcap(mixed))["messages"]) == 2)
        run(make.pcap(parts[:-1]), status=2)
    flood = [make.ipv4(A, B, 17, b"\0" * 64, i, 0, True) for i in range(5000)]
    run(make.pcap(flood), status=2)


def segments(data, size, start=1000):
    return [(start + at, data[at:at + size]) for at in range(0, len(data), size)]


def stream(parts, source=A, destination=B, start=1000, syn=True):
    packets = [make.packet(source, destination, 6, make.tcp(source, destination, start - 1, b"", 2))] if syn else []
    return packets + [make.packet(source, destination, 6, make.tcp(source, destination, seq, data)) for seq, data in parts]


def test_tcp_streams():
    two = sip(sdp(sample("i_message_1"))) + b"\r\n\r\n" + sip(sdp(sample("r_message_1")), b"SIP/2.0 183 Session Progress", form=b"l")
    for start in (1000, 0xFFFFFF00):  # also over the end of the sequence numbers
        parts = segments(two, 200, start)
        overlap = [(seq, data + two[seq - start + len(data):][:50]) for seq, data in parts]
        for source, destination in ((A, B), (A6, B6)):
            for order in (parts, parts[:1] + parts[:0:-1], parts + parts, overlap, overlap[:1] + overlap[:0:-1],
                          segments(two, 1, start), segments(two, len(two), start)):
                result = decode(make.pcap(stream(order, source, destination, start)))
                check([m["message"] for m in result["messages"]] == ["I_MESSAGE_1", "R_MESSAGE_1"])
                check(result["messages"][0]["origin"]["transport"] == "tcp")
    check(len(decode(make.pcap(stream(segments(two, 200), syn=False)))["messages"]) == 2)
    gap = segments(two, 200)
    del gap[1]
    run(make.pcap(stream(gap)), status=2)
    again = stream(segments(two, 300)) + stream(segments(two, 300, 77777), start=77777)  # the ports used again
    check(len(decode(make.pcap(again))["messages"]) == 4)
    for chunk in (0, 1, 100):
        check(one(make.pcap(stream(segments(http(sample("request_key_psk"), chunk), 64))))["message"] == "REQUEST_KEY_PSK")
    noise = [p for i in range(2000) for p in stream([(1000, b"\x16\x03\x01 tls")], A, f"10.1.{i // 200}.{i % 200 + 1}")]
    check(len(decode(make.pcap(noise + stream(segments(two, 500))))["messages"]) == 2)


def test_media_level():
    message = sample("i_message_1")
    got = one(sdp(message, media=message))
    check(got["origin"]["medium"] == 1 and got["origin"]["line"] == 6, got["origin"])


for name, test in list(globals().items()):
    if name.startswith("test_"):
        test()
print(f"{checks} checks passed")
