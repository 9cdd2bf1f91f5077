#!/usr/bin/python3
"""mikey_ibake.lua and `ibakelab decode` agree on hostile octets, and the script never fails: the fuzz corpus and what becomes
of it by changes, on UDP and TCP port 2269, in segments that are cut anywhere, in SDP at both levels, in chunked HTTP; messages
that are as large and as crowded as can be; contents files that are none. Arguments: the program, how often each message of the
corpus is changed, the seed of these changes, the folders of the corpus."""
import base64
import glob
import os
import random
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import partners  # noqa: E402
from partners import A, B, PORT, make  # noqa: E402

PROGRAM, CHANGES, SEED, CORPORA = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4:]
HDR = bytes([1, 22, 0, 0x81, 1, 2, 3, 4, 0, 1])


def corpus():
    found = []
    for folder in CORPORA:
        for path in sorted(glob.glob(os.path.join(folder, "*"))):
            with open(path, "rb") as file:
                found.append(file.read())
    assert len(found) > 5, CORPORA
    return found


def changed(message, draw):
    """One to four changes, most of them where lengths and types stand."""
    octets = bytearray(message)
    for _ in range(draw.randint(1, 4)):
        at = draw.randrange(len(octets)) if draw.random() < 0.5 else draw.randrange(min(len(octets), 90))
        kind = draw.randrange(6)
        if kind == 0:
            octets[at] ^= 1 << draw.randrange(8)
        elif kind == 1:
            octets[at] = draw.choice([0, 1, 2, 3, 14, 22, 23, 25, 127, 128, 255])
        elif kind == 2:
            del octets[at:at + draw.randint(1, 8)]
        elif kind == 3:
            octets[at:at] = bytes(draw.randrange(256) for _ in range(draw.randint(1, 4)))
        elif kind == 4:
            octets = octets[:max(1, at)]
        else:
            octets += octets[at:at + 40]
        if not octets:
            octets = bytearray(b"\1")
    return bytes(octets)


def datagram(octets):
    return make.packet(A, B, 17, make.udp(A, B, octets, PORT, PORT))


def stream(data, cuts, sport, port=PORT):
    """A TCP connection with these octets, cut at these places."""
    packets = [make.packet(A, B, 6, make.tcp(A, B, 1000, b"", 0x02, sport, port))]
    for start, stop in zip([0] + cuts, cuts + [len(data)]):
        packets.append(make.packet(A, B, 6, make.tcp(A, B, 1001 + start, data[start:stop], 0x18, sport, port)))
    return packets


def agree(packets, what, work):
    path = os.path.join(work, what + ".pcap")
    with open(path, "wb") as file:
        file.write(make.pcap(packets))
    counts = partners.compare(partners.seen_by_decode(PROGRAM, path), partners.seen_by_tshark(path), what)
    print(what, *counts, flush=True)
    return counts


def crowded(sessions, parameters):
    """The most payloads, many sessions, policies and parameters, and hardly anything."""
    rand = bytes([11, 1, 7])
    srtp = HDR[:8] + bytes([sessions, 0]) + b"\0" * 9 * sessions
    generic = HDR[:8] + bytes([sessions, 2]) + (b"\1\0\x7f" + b"\0" * 127 + b"\0\0\0") * sessions
    policy = b"\0\0\0" + (2 * parameters).to_bytes(2, "big") + b"\0\0" * parameters
    return [HDR[:2] + b"\x0b" + HDR[3:] + rand * n + b"\0\1\7" for n in (1022, 1023, 1024, 5000)] + [
        srtp, srtp[:-1], generic, generic[:-1], HDR[:2] + b"\x0a" + HDR[3:] + policy, HDR, HDR[:9], b"\1", b"\2" + HDR[1:]]


def offers(messages):
    """INVITEs with the messages at the level of the session and at that of a medium."""
    packets = []
    for number, message in enumerate(messages):
        line = b"a=key-mgmt:mikey " + base64.b64encode(message) + b"\r\n"
        levels = [line, b""] if number % 3 == 0 else [b"", line] if number % 3 == 1 else [line, line]
        body = (b"v=0\r\no=- 1 1 IN IP4 10.0.0.1\r\ns=-\r\nc=IN IP4 10.0.0.1\r\nt=0 0\r\n" + levels[0]
                + b"m=audio 4000 RTP/SAVP 0\r\n" + levels[1])
        packets.append(make.packet(A, B, 17, make.udp(A, B, (
            b"INVITE sip:bob@b.example SIP/2.0\r\nVia: SIP/2.0/UDP 10.0.0.1;branch=z9hG4bK%d\r\nFrom: <sip:a@a>;tag=1\r\n"
            b"To: <sip:b@b>\r\nCall-ID: %d\r\nCSeq: 1 INVITE\r\nContent-Type: application/sdp\r\nContent-Length: %d\r\n\r\n"
            % (number, number, len(body))) + body)))
    return packets


def posts(messages):
    packets = []
    for number, message in enumerate(messages):
        head = b"POST /mikey HTTP/1.1\r\nHost: kms\r\nContent-Type: application/mikey\r\n"
        if number % 2:
            data = head + b"Content-Length: %d\r\n\r\n" % len(message) + message
        else:
            chunks = [message[i:i + 100] for i in range(0, len(message), 100)]
            data = head + b"Transfer-Encoding: chunked\r\n\r\n" + b"".join(b"%x\r\n%s\r\n" % (len(c), c) for c in chunks)
            data += b"0\r\n\r\n"
        packets += stream(data, list(range(200, len(data), 200)), 20000 + number, 80)
    return packets


def contents_that_are_none(message, work):
    """The preference names a file that is missing, empty, something else, or cut: the message is shown, and the file blamed."""
    path = os.path.join(work, "one.pcap")
    with open(path, "wb") as file:
        file.write(make.pcap([datagram(message)]))
    good, _ = partners.run(PROGRAM, "decode", "--json", path)
    cases = {"missing": None, "empty": "", "other": "<pdml/>", "without-keys": good, "cut": good[:200],
             "deep": good.split("\n")[0] + '\n{"origin":' + "[" * 100000, "no-json": good.split("\n")[0] + '\n{"origin":nonsense}'}
    for name, text in cases.items():
        contents = os.path.join(work, name)
        if text is not None:
            with open(contents, "w", encoding="utf-8") as file:
                file.write(text)
        shown = partners.tshark(path, "-V", "-o", "mikey_ibake.decoded:" + contents)
        assert "MIKEY-IBAKE: I_MESSAGE_1" in shown, (name, shown[-500:])
        blamed = [line for line in shown.split("\n") if "Undecoded" in line]
        assert blamed and contents in blamed[0], (name, blamed)


draw = random.Random(SEED)
messages = corpus()
with tempfile.TemporaryDirectory() as work:
    good = agree([datagram(m) for m in messages], "corpus", work)
    assert good[0] == len(messages), good
    partners.tshark(os.path.join(work, "corpus.pcap"), "-2", "-V")  # a second pass over the same packets, as a tree
    wild = [changed(draw.choice(messages), draw) for _ in range(CHANGES * len(messages))]
    found = agree([datagram(m) for m in wild], "changed", work)
    assert min(found[0], found[2]) > 2 * CHANGES // 3, found
    crowd = crowded(255, 32000) if CHANGES > 100 else crowded(16, 1000)  # the most there is room for: it takes its time
    agree([datagram(m) for m in crowd], "crowded", work)
    packets = []
    for number in range(20):
        data = b"".join(draw.sample(messages, 3))
        cuts = sorted(draw.sample(range(1, len(data)), draw.randint(0, 12)))
        packets += stream(data, cuts, 30000 + number)
    assert agree(packets, "stream", work)[0] == 60
    agree([p for n, m in enumerate(wild[:100]) for p in stream(m, [], 40000 + n)], "changed-stream", work)
    assert agree(offers(messages), "sdp", work)[0] >= len(messages)
    agree(offers(wild[100:200]), "changed-sdp", work)
    assert agree(posts(messages), "http", work)[0] == len(messages)
    contents_that_are_none(next(m for m in messages if m[1] == 22), work)
