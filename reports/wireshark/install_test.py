#!/usr/bin/python3
"""mikey_ibake.lua as a user has it: installed as docs/wireshark.md says, with its preferences, and the filters of that page and
of the colour rules. Arguments: the page, the folder of the corpus."""
import os
import re
import shutil
import subprocess
import sys
import tempfile

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import partners  # noqa: E402
from partners import A, B, PORT, make  # noqa: E402

PAGE, CORPUS = sys.argv[1:3]


def filters():
    with open(PAGE, encoding="utf-8") as file:
        page = re.findall(r"^\| `([^`]+)` \|", file.read().split("## Filters")[1].split("\n## ")[0], re.M)
    with open(os.path.join(partners.HERE, "colorfilters"), encoding="utf-8") as file:
        colours = [line.split("@")[2] for line in file if line.startswith("@")]
    assert len(page) > 10 and len(colours) > 4, (page, colours)
    return page + colours


def tshark(home, *options):
    done = subprocess.run(["tshark", *options], capture_output=True, timeout=120, env={**os.environ, "HOME": home})
    err = done.stderr.decode()
    assert done.returncode == 0 and "lua" not in err.lower(), (options, err)
    return done.stdout.decode()


def message(name):
    with open(os.path.join(CORPUS, name), "rb") as file:
        return file.read()


with tempfile.TemporaryDirectory() as home:
    plugins = os.path.join(home, ".local", "lib", "wireshark", "plugins")
    os.makedirs(plugins)
    for name in os.listdir(partners.HERE):
        if re.fullmatch(r"mikey_ibake.*\.lua", name):
            shutil.copy(os.path.join(partners.HERE, name), plugins)
    offer = message("sample-i-message-1")
    psk_init = bytes([1, 0]) + offer[2:]
    no_flag = offer[:3] + bytes([offer[3] & 0x7F]) + offer[4:]
    error = bytes([1, 6, 12, 0, 1, 2, 3, 4, 0, 1]) + bytes([0, 3, 0, 0])
    capture = os.path.join(home, "capture.pcap")
    with open(capture, "wb") as file:
        file.write(make.pcap([make.packet(A, B, 17, make.udp(A, B, m, PORT, PORT))
                              for m in (offer, psk_init, error, offer[:-1], no_flag)]))
    tshark(home, "-r", capture, "-Y", " || ".join(f"({one})" for one in filters()))  # refused if one of them is none
    for one, frames in (("mikey_ibake", "1 2 3 4 5"), ("mikey_ibake.requirement", "5"), ("mikey_ibake.rule.6267_84", "5"),
                        ("mikey_ibake.malformed", "4"), ("mikey_ibake.err.error_no == 3", "3"),
                        ('mikey_ibake.time > "2026-11-24 05:59:59" && mikey_ibake.message == "I_MESSAGE_1"', "1 4 5")):
        found = tshark(home, "-r", capture, "-Y", one, "-T", "fields", "-e", "frame.number").split()
        assert " ".join(found) == frames, (one, found)
    counts = {"known": [0, 1, 1, 0, 0], "always": [1] * 5, "never": [0] * 5}
    for choice, expected in counts.items():
        out = tshark(home, "-r", capture, "-T", "pdml", "-o", "mikey_ibake.builtin:" + choice)
        packets = partners.ElementTree.fromstring(out).findall("packet")
        assert [len(p.findall(".//proto[@name='mikey']")) for p in packets] == expected, choice
        assert all(p.find(".//proto[@name='mikey_ibake']") is not None for p in packets), choice
print("installed, filtered, preferred")
