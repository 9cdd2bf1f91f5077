#!/usr/bin/python3
"""tshark with mikey_ibake.lua finds in the captures of scenarios every message that `ibakelab decode` finds, with the same
payloads and fields, those of decrypted content too, and no broken rule. Arguments: the program, scenarios."""
import os
import sys
import tempfile
import xml.etree.ElementTree as ElementTree

sys.path.insert(0, os.path.dirname(os.path.abspath(__file__)))
import partners  # noqa: E402

PROGRAM, SCENARIOS = sys.argv[1], sys.argv[2:]
DTD = os.path.join(partners.HERE, "pdml.dtd")
STYLE = "/usr/share/wireshark/pdml2html.xsl"


def play(scenario, out):
    """80-bit parameters in every domain: as many as the scenario has."""
    for domains in range(3, -1, -1):
        small = [x for i in range(domains) for x in ("--set", f"domains.{i}.kms.parameters=1024")]
        try:
            partners.run(PROGRAM, "run", scenario, "--quiet", "--keylog", "--out", out, *small, status=(0, 1))
            return
        except AssertionError:
            if domains == 0:
                raise


def valid(text, name):
    """By the DTD, which tshark's own PDML has to obey too."""
    with open(name, "w", encoding="utf-8") as file:
        file.write(text)
    partners.run("xmllint", "--noout", "--dtdvalid", DTD, name)


def readable(text, name):
    """What Wireshark brings along for reading PDML shows each message and field."""
    html, _ = partners.run("xsltproc", STYLE, name)
    assert "MIKEY-IBAKE: " in html
    for what in ("MIKEY-IBAKE: ", "ECC point: ", "key data: "):
        assert html.count(what) == text.count(what), (what, html.count(what), text.count(what))


def positions_match(text, what):
    """Each value of `decode --pdml` stands where pos and size say, in the payloads and in the plaintexts."""
    checked = 0

    def check(parent, octets):
        nonlocal checked
        for field in parent:
            value = field.get("unmaskedvalue") or field.get("value")
            at, size = int(field.get("pos")), int(field.get("size"))
            inside = field.get("name") == "mikey_ibake.decrypted_content"
            if value and not inside:
                assert octets[at:at + size].hex() == value, (what, field.attrib)
                checked += 1
            check(field, bytes.fromhex(value) if inside and value else octets)

    for proto in ElementTree.fromstring(text).iter("proto"):
        if proto.get("name") == "mikey_ibake":
            octets = bytes.fromhex("".join(f.get("value") for f in proto))
            assert len(octets) == int(proto.get("size")), (what, proto.get("showname"))
            check(proto, octets)
    assert checked > 50, checked


def decrypted(scenario, capture, keys, work):
    """The decrypted tree by `decode --pdml`, and the same in Wireshark by way of `decode --json`."""
    options = ["--secrets", "--keylog", keys, capture]
    pdml, _ = partners.run(PROGRAM, "decode", "--pdml", *options, status=(0, 1, 2))
    contents, _ = partners.run(PROGRAM, "decode", "--json", *options, status=(0, 1, 2))
    path = os.path.join(work, "contents.json")
    with open(path, "w", encoding="utf-8") as file:
        file.write(contents)
    valid(pdml, os.path.join(work, "ours.pdml"))
    readable(pdml, os.path.join(work, "ours.pdml"))
    positions_match(pdml, capture)
    ours, theirs = partners.of_pdml(pdml), partners.seen_by_tshark(capture, "-o", "mikey_ibake.decoded:" + path)
    closed = {m.name for messages in ours.values() for m in messages
              if m.parts and not any(f[0] == "decrypted_content" for f in m.fields)}
    # where somebody attacks, fails or is refused its key, some content opens for nobody
    hopeless = {"attacks", "faults"} & set(scenario.split(os.sep)) or "refused" in os.path.basename(scenario)
    assert not closed or hopeless, (scenario, closed)
    return partners.compare(ours, theirs, capture), theirs


total = [0, 0, 0]
for scenario in SCENARIOS:
    with tempfile.TemporaryDirectory() as work:
        play(scenario, work)
        capture, keys = os.path.join(work, "capture", "all.pcap"), os.path.join(work, "keys.log")
        plain = partners.seen_by_tshark(capture)
        counts = partners.compare(partners.seen_by_decode(PROGRAM, capture), plain, scenario)
        (_, inside, _), opened = decrypted(scenario, capture, keys, work)
        assert counts[0] >= 4 and inside > counts[1], (scenario, counts, inside)
        rules = {r for view in (plain, opened) for f in view.values() for m in f for r in m.requirements}
        attacked = "/attacks/" in os.path.abspath(scenario)
        assert attacked or not rules, (scenario, rules)
        valid(partners.tshark(capture, "-Y", "mikey_ibake", "-T", "pdml"), os.path.join(work, "theirs.pdml"))
        total = [a + b for a, b in zip(total, (counts[0], counts[1], inside))]
        print(os.path.basename(scenario), counts, inside, sorted(rules), flush=True)
print(f"{total[0]} messages, {total[1]} fields compared, {total[2]} with those of decrypted content")
