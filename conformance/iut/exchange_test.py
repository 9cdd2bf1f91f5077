#!/usr/bin/python3
"""Two `ibakelab iut` talk to each other in every role and way of the contract; both report the same keys.
Argument: the program."""
import base64
import sys
import tempfile

from driver import NOON, PARAMS, Adapter, extract, of_file, uri

program = sys.argv[1]
keys_directory = tempfile.TemporaryDirectory()
ALICE, BOB, CAROL, MAILBOX = (uri(f"sip:{name}@home.example") for name in ("alice", "bob", "carol", "mailbox"))
BODY = "v=0\r\no=- 1 1 IN IP4 192.0.2.1\r\ns=-\r\nt=0 0\r\nm=audio 4000 RTP/SAVP 0\r\na=sendrecv\r\nm=video 4002 RTP/SAVP 96\r\n"


def key(identity, size=1024):
    text, date = identity["uri"], "20261124"
    return {"identity": identity, "date": date, "der": extract(program, keys_directory.name, text, date, size)}


def begin(adapter, identities, size=1024, **more):
    params = {"der": of_file(PARAMS, f"ibe-{size}.params.der"), "serves": ["@home.example"]}
    return adapter.ask("begin", case="flow/test", params=[params], keys=[key(i, size) for i in identities], **more)


def srtp_map(n=2):
    return {"type": "SRTP-ID", "sessions": [{"policy": 0, "ssrc": i + 1} for i in range(n)]}


def carry(frm, to, message, name_from, name_to):
    """One message and all that follow: the last report of each end."""
    reports = {}
    while message:
        reports[name_to] = to.report("message", session=name_to, octets=message)
        assert len(reports[name_to]["messages"]) <= 1
        message = (reports[name_to]["messages"] or [None])[0]
        frm, to, name_from, name_to = to, frm, name_to, name_from
    return reports


def established(*reports):
    for report in reports:
        assert report["event"] == "accepted" and report["state"] == "established", report
    keys = [[(k["cs_id"], k["tek"], k["salt"]) for k in r["keys"]] for r in reports]
    assert keys[0] and all(k == keys[0] for k in keys), keys
    assert len({tek for _, tek, _ in keys[0]}) == len(keys[0])
    return keys[0]


def call(a, b, role="responder", local=BOB, cs_map=None, **offer):
    first = a.report("open", session="a", role="initiator", local=ALICE, peer=BOB, map=cs_map or srtp_map(), **offer)
    assert first["event"] == "accepted" and first["state"] == "waiting", first
    b.report("open", session="b", role=role, local=local)
    reports = carry(a, b, first["messages"][0], "a", "b")
    return reports.get("a"), reports["b"]


def test_combinations(a, b):
    ways = [({}, {}), ({"prf": "PRF-HMAC-SHA-256"}, {}), ({"curve": "P-384", "timestamp": "NTP"}, {"curve": "P-384"}),
            ({"curve": "P-521", "timestamp": "COUNTER", "counter": 7}, {}), ({"timestamp": "NTP-UTC-32"}, {}),
            ({"prf": "MIKEY-1"}, {"mac": "HMAC-SHA-256-256"})]
    seen = set()
    for alice, bob in ways:
        for adapter, who, policy in ((a, ALICE, alice), (b, BOB, bob)):
            assert begin(adapter, [who], policy=policy)["ignored"] == []
        ra, rb = call(a, b)
        keys = established(ra, rb)
        assert keys[0] not in seen and len(base64.b64decode(keys[0][1])) == 16
        seen.add(keys[0])
        assert ra["peer"] == BOB and rb["peer"] == ALICE and ra["csb_id"] == rb["csb_id"] and not ra["deferred"]


def test_maps_and_policies(a, b):
    sessions = [{"cs_id": 9, "policies": [3], "ssrc": 77, "roc": 1, "rtp_seq": 2, "mki": "AQ=="}]
    begin(a, [ALICE]), begin(b, [BOB])
    ra, rb = call(a, b, cs_map={"type": "GENERIC-ID", "sessions": sessions},
                  policies=[{"number": 3, "encr_key_len": 32, "salt_key_len": 14, "auth_tag_len": 4}], sdp_ids="mikey")
    assert established(ra, rb)[0][0] == 9 and ra["keys"][0]["ssrc"] == 77
    assert len(base64.b64decode(ra["keys"][0]["tek"])) == 32
    begin(a, [ALICE]), begin(b, [BOB])
    ra, rb = call(a, b, policies=[{"number": 0, "srtp_encr": False}])
    assert (rb["event"], rb["error"], rb["state"]) == ("refused", "policy", "closed") or rb["error"] == "unsupported", rb
    assert ra["event"] == "refused" and ra["error"] == "peer-error" and ra["peer_error"] in (9, 10), ra


def test_granularities(a, b):
    psk = "MDEyMzQ1Njc4OWFiY2RlZg=="
    for granularity, date in (("hour", "2026112412"), ("month", "202611")):
        params = {"der": of_file(PARAMS, "ibe-1024.params.der"), "serves": ["@home.example"], "granularity": granularity}
        kms = {"identity": uri("sip:kms.home.example"), "master": of_file(PARAMS, "ibe-1024.master.der"), "issue": "current",
               "users": [{"psk": psk, "may_have": [ALICE, BOB]}]}
        a.ask("begin", case="kms/granularity", params=[params], kms=kms)
        a.report("open", session="k", role="kms")
        asked = a.report("open", session="u", role="user", kms=kms["identity"], ask=[ALICE, BOB], psk=psk)
        answer = a.report("message", session="k", octets=asked["messages"][0])
        issued = a.report("message", session="u", octets=answer["messages"][0])["private_keys"]
        assert [base64.b64decode(k["ibe_identity"]).decode() for k in issued] == [
            who["uri"] + date for who in (ALICE, BOB)], issued
        for adapter, who, private in zip((a, b), (ALICE, BOB), issued):
            adapter.ask("begin", case="flow/granularity", params=[params],
                        keys=[{"identity": who, "date": date, "der": private["der"]}])
        established(*call(a, b))


def test_randomness(a, b):
    octets = base64.b64encode(bytes(range(1, 33))).decode()
    fixed = {"csb-id": ["EjRWeA=="], "rand": [base64.b64encode(bytes(16)).decode()], "x": [octets], "seed": "AQI="}
    firsts = []
    for _ in range(2):
        begin(a, [ALICE], random=fixed)
        firsts.append(a.report("open", session="a", role="initiator", local=ALICE, peer=BOB, map=srtp_map()))
    assert firsts[0] == firsts[1] and firsts[0]["csb_id"] == 0x12345678
    begin(a, [ALICE])
    assert a.report("open", session="a", role="initiator", local=ALICE, peer=BOB, map=srtp_map()) != firsts[0]
    begin(a, [ALICE], random={"x": ["AA=="]})  # the wrong length
    report = a.report("open", session="a", role="initiator", local=ALICE, peer=BOB, map=srtp_map())
    assert (report["event"], report["error"]) == ("refused", "internal"), report


def test_fixed_scalars(a, b):
    """CSB ID, RAND, x and y make the keys, and nothing else does."""
    def keys(x, y, seed):
        begin(a, [ALICE], random={"csb-id": ["AAAAAQ=="], "rand": ["AAAAAAAAAAAAAAAAAAAAAQ=="], "x": [x], "seed": seed})
        begin(b, [BOB], random={"y": [y], "seed": seed})
        return established(*call(a, b))
    one, two = (base64.b64encode(bytes(31) + bytes([n])).decode() for n in (1, 2))
    assert keys(one, two, "AQ==") == keys(one, two, "Ag==") == keys(two, one, "Aw==") != keys(one, one, "AQ==")


def policy_outcome(a, b, alice, bob, **offer):
    """The last reports of a call under two policies."""
    for adapter, who, policy in ((a, ALICE, alice), (b, BOB, bob)):
        assert begin(adapter, [who], policy=policy)["ignored"] == []
    return call(a, b, **offer)


def test_policy(a, b):
    """Each setting that we do not name in `ignored` has an effect."""
    null = {"policies": [{"number": 0, "srtp_encr": False}]}
    refused = [({"prf": "PRF-HMAC-SHA-256"}, {"prfs": ["MIKEY-1"]}, "unsupported", 2), ({}, {"timestamps": ["NTP"]}, "unsupported", 1),
               ({}, {"curves": ["P-384"]}, "unsupported", 6), ({}, {"accept_initiators": [CAROL]}, "policy", None)]
    for alice, bob, error, number in refused:
        ra, rb = policy_outcome(a, b, alice, bob)
        assert rb.get("error") == error, (bob, rb)
        if number is not None:
            assert (ra["error"], ra["peer_error"]) == ("peer-error", number), ra
    assert "policy" in policy_outcome(a, b, {}, {}, **null)[1]["error"]
    established(*policy_outcome(a, b, {}, {"allow_null_srtp": True}, **null))
    ra, rb = policy_outcome(a, b, {"macs": ["HMAC-SHA-1-160"]}, {"mac": "HMAC-SHA-256-256"})
    assert (ra["event"], ra["error"], rb["state"]) == ("refused", "unsupported", "established"), (ra, rb)
    for errors, told in (("silent", 0), ("parameters", 1)):
        begin(b, [BOB], policy={"errors": errors, "curves": ["P-384"]}), begin(a, [ALICE])
        _, rb = call(a, b)
        assert len(rb["messages"]) == told, rb
    # Error 12 about a failed decryption: BOB calls himself CAROL's.
    for errors, told in (("parameters", 0), ("all", 1)):
        begin(a, [ALICE])
        begin(b, [BOB], policy={"errors": errors})
        b.report("open", session="b", role="responder", local=BOB)
        first = a.report("open", session="a", role="initiator", local=ALICE, peer=BOB, map=srtp_map())["messages"][0]
        octets = bytearray(base64.b64decode(first))
        octets[-1] ^= 1
        broken = b.report("message", session="b", octets=base64.b64encode(octets).decode())
        assert broken["error"] == "decryption" and len(broken["messages"]) == told, broken
        if told:
            for ignore, event in ((False, "refused"), (True, "discarded")):
                begin(a, [ALICE], policy={"ignore_peer_errors": ignore}, random={"csb-id": ["AAAAAQ=="], "seed": "AQ=="})
                a.report("open", session="a", role="initiator", local=ALICE, peer=BOB, map=srtp_map())
                error = bytearray(base64.b64decode(broken["messages"][0]))
                error[4:8] = bytes([0, 0, 0, 1])
                report = a.report("message", session="a", octets=base64.b64encode(error).decode())
                assert (report["event"], report["error"]) == (event, "peer-error"), (ignore, report)


def test_csb_ids_and_cache(a, b):
    begin(a, [ALICE], policy={"csb_ids_in_use": [1, 2]}, random={"csb-id": ["AAAAAQ==", "AAAAAg==", "AAAAAw=="]})
    first = a.report("open", session="a", role="initiator", local=ALICE, peer=BOB, map=srtp_map())
    assert first["csb_id"] == 3
    begin(b, [BOB], policy={"csb_ids_in_use": [3]})
    b.report("open", session="b", role="responder", local=BOB)
    report = b.report("message", session="b", octets=first["messages"][0])
    assert report["event"] == "refused" and report["error"] == "policy", report
    begin(b, [BOB], policy={"skew_ms": 1000}, utc_ms=NOON + 1001)
    b.report("open", session="b", role="responder", local=BOB)
    assert b.report("message", session="b", octets=first["messages"][0])["error"] == "clock"
    begin(b, [BOB], policy={"replay_entries": 1})
    for name, outcome in (("one", "accepted"), ("two", "refused")):
        begin(a, [ALICE])
        first = a.report("open", session="a", role="initiator", local=ALICE, peer=BOB, map=srtp_map())["messages"][0]
        b.report("open", session=name, role="responder", local=BOB)
        report = b.report("message", session=name, octets=first)
        assert report["event"] == outcome and report.get("error") in (None, "policy"), report


def test_update(a, b):
    begin(a, [ALICE]), begin(b, [BOB])
    before = established(*call(a, b))
    starters = ((a, b, "a", "b"), (b, a, "b", "a"))
    for i, (one, other, name, to) in enumerate(starters):
        for adapter in (a, b):
            adapter.ask("time", utc_ms=NOON + 5000 * (i + 1), timer_ms=5000 * (i + 1))
        started = one.report("update", session=name, new_dh=True)
        assert started["state"] == "updating" and [k["tek"] for k in started["keys"]] == [t for _, t, _ in before]
        reports = carry(one, other, started["messages"][0], name, to)
        after = established(reports["a"], reports["b"])
        assert after != before and reports["a"]["updates"] == i + 1
        before = after
    kept = b.report("settle", session="b", keep=True)
    assert kept["error"] == "unexpected", kept  # B started the last one and has nothing to confirm
    taken_back = a.report("settle", session="a", keep=False)
    assert taken_back["event"] == "accepted" and taken_back["updates"] == 1, taken_back
    assert taken_back["keys"] != b.report("settle", session="b", keep=True)["keys"]


def test_further_sessions(a, b):
    begin(a, [ALICE]), begin(b, [BOB])
    before = established(*call(a, b))
    for adapter in (a, b):
        adapter.ask("time", utc_ms=NOON + 5000)
    started = a.report("update", session="a", new_dh=False, map=srtp_map(4))
    reports = carry(a, b, started["messages"][0], "a", "b")
    after = established(reports["a"], reports["b"])
    assert len(after) == 4 and after[:2] == before


def test_fork(a, b):
    begin(a, [ALICE]), begin(b, [BOB])
    first = a.report("open", session="a", role="initiator", local=ALICE, peer=BOB, map=srtp_map())
    keys = []
    for leg, contact in (("leg-1", "b-1"), ("leg-2", "b-2")):
        a.report("fork", session="a", **{"as": leg})
        begin(b, [BOB])  # another device of Bob's
        b.report("open", session=contact, role="responder", local=BOB)
        answer = b.report("message", session=contact, octets=first["messages"][0])
        reports = carry(b, a, answer["messages"][0], contact, leg)
        keys.append(established(reports[leg], reports[contact]))
    assert keys[0] != keys[1]


def test_mailbox(a, b):
    begin(a, [ALICE], policy={"allow_missing_echo": True, "accept_responders": "any"})
    begin(b, [MAILBOX], needs=["open-esk"])
    ra, rb = call(a, b, role="mailbox", local=MAILBOX)
    established(ra, rb)
    assert ra["deferred"] and rb["deferred"] and ra["peer"] == MAILBOX and rb["esk"], (ra, rb)
    begin(a, [BOB])
    opened = a.ask("open-esk", identity=BOB, date="20261124", octets=rb["esk"])
    assert opened["sk"] == ra["sk"] and base64.b64decode(opened["sender"]) == ALICE["uri"].encode(), opened
    missing = a.send({"op": "open-esk", "identity": BOB, "date": "20261125", "octets": rb["esk"]})
    assert (missing["result"], missing["error"]) == ("refused", "no-key"), missing
    # The mailbox delivers: its ESK arrives as it is.
    begin(a, [MAILBOX]), begin(b, [BOB])
    first = a.report("open", session="a", role="initiator", local=MAILBOX, peer=BOB, map=srtp_map(),
                     esk={"stored": rb["esk"]})
    b.report("open", session="b", role="responder", local=BOB)
    reports = carry(a, b, first["messages"][0], "a", "b")
    established(reports["a"], reports["b"])
    assert reports["b"]["esk"] == rb["esk"]


def test_esk(a, b):
    begin(a, [ALICE]), begin(b, [BOB])
    sk = base64.b64encode(bytes(range(32))).decode()
    ra, rb = call(a, b, esk={"sk": sk})
    established(ra, rb)
    assert ra["sk"] == sk and b.ask("open-esk", identity=BOB, date="20261124", octets=rb["esk"])["sk"] == sk


def test_retargeting(a, b):
    for accept, outcome in (("none", "refused"), ("echoed", "accepted")):
        begin(a, [ALICE], policy={"accept_responders": accept})
        begin(b, [BOB, CAROL])
        ra, rb = call(a, b, local=CAROL)
        assert ra["event"] == outcome, ra
        if outcome == "accepted":
            established(ra, rb)
            assert ra["peer"] == CAROL
        else:
            assert ra["error"] in ("policy", "identity"), ra


def test_no_key(a, b):
    begin(a, [ALICE]), begin(b, [CAROL])
    _, rb = call(a, b)
    assert (rb["event"], rb["error"], rb["messages"]) == ("refused", "no-key", []), rb
    begin(a, [ALICE])
    report = a.report("open", session="a", role="initiator", local=ALICE, peer=uri("sip:bob@nowhere.example"), map=srtp_map())
    assert (report["event"], report["error"], report["state"]) == ("refused", "no-key", "closed"), report


def test_time(a, b):
    begin(a, [ALICE], policy={"timeout_ms": 1000}), begin(b, [BOB])
    first = a.report("open", session="a", role="initiator", local=ALICE, peer=BOB, map=srtp_map())
    assert a.ask("time", timer_ms=999)["reports"] == []
    expired = a.ask("time", timer_ms=1000)["reports"]
    assert len(expired) == 1 and (expired[0]["event"], expired[0]["error"], expired[0]["state"]) == ("expired", "timeout", "closed")
    b.ask("time", utc_ms=NOON + 301000)
    b.report("open", session="b", role="responder", local=BOB)
    late = b.report("message", session="b", octets=first["messages"][0])
    assert (late["event"], late["error"]) == ("refused", "clock"), late
    b.ask("time", utc_ms=NOON)
    for name, outcome in (("c", ("accepted", None)), ("d", ("refused", "replay"))):
        b.report("open", session=name, role="responder", local=BOB)
        report = b.report("message", session=name, octets=first["messages"][0])
        assert (report["event"], report.get("error")) == outcome, report
    closed = b.report("close", session="c")
    assert (closed["event"], closed["state"]) == ("accepted", "closed")


def test_one_node(a, _):
    begin(a, [ALICE, BOB])
    established(*call(a, a))


def sdp_call(a, b, level, others=()):
    begin(a, [ALICE]), begin(b, [BOB])
    sdp = {"body": BODY, "level": level}
    first = a.report("open", session="a", role="initiator", local=ALICE, peer=BOB, map=srtp_map(),
                     sdp={**sdp, "others": list(others)})
    b.report("open", session="b", role="responder", local=BOB, sdp=sdp)
    assert first["messages"] == [] and first["sdp"][0].count("a=key-mgmt:mikey ") == (1 if level == "session" else 2)
    return first["sdp"][0]


def test_sdp(a, b):
    for level, others in (("session", ()), ("media", ()), ("session", ["other QUJD"])):
        text, reports = sdp_call(a, b, level, others), {}
        ends = [("a", a), ("b", b)]
        while text:
            ends.reverse()
            name, to = ends[0]
            reports[name] = to.report("message", session=name, sdp=text)
            text = (reports[name]["sdp"] or [None])[0]
        established(reports["a"], reports["b"])
        a.ask("time", utc_ms=NOON + 5000), b.ask("time", utc_ms=NOON + 5000)
        offer = b.report("update", session="b", new_dh=True)["sdp"][0]
        # A failed rekeying: 488 with Warning 306, the session stands (RFC 4567 section 4.1.2).
        damaged = a.report("message", session="a", sdp=offer.replace("mikey AR", "mikey !R"))
        assert (damaged["event"], damaged["error"], damaged["state"]) == ("discarded", "malformed", "established"), damaged
        assert (damaged["sip_status"], damaged["warning"]) == (488, 306), damaged
        answer = a.report("message", session="a", sdp=offer)
        assert answer["updates"] == 1 and "sip_status" not in answer and "key-mgmt:other" not in answer["sdp"][0], answer
        assert b.report("message", session="b", sdp=answer["sdp"][0])["keys"] == answer["keys"]
        again = a.report("message", session="a", sdp=offer)
        assert again["event"] == "discarded" and again["sip_status"] == 488 and again["keys"] == answer["keys"], again


def test_sdp_refusals(a, b):
    text = sdp_call(a, b, "session", ["other QUJD"])
    # Bidding down: the other protocol is taken out of the offer.
    report = b.report("message", session="b", sdp=text.replace("a=key-mgmt:other QUJD\r\n", ""))
    assert report["event"] == "refused" and report["error"] == "mismatch" and report["sip_status"] == 488, report
    for change in (lambda t: t.replace("mikey", "MIKEY"), lambda t: t.replace("a=key-mgmt:mikey ", "a=key-mgmt:mikey !"),
                   lambda t: t.replace("m=video", "m=audio 9 RTP/SAVP 0\r\na=key-mgmt:mikey AQAF\r\nm=video")):
        text = sdp_call(a, b, "session")
        report = b.report("message", session="b", sdp=change(text))
        assert report["event"] == "refused" and report["state"] == "closed" and report["sip_status"] == 488, report
        report = a.report("message", session="a", sip_status=488)
        assert (report["event"], report["error"], report["state"]) == ("refused", "peer-error", "closed"), report


def key_request(adapter, ask, users, policy=None, master="ibe-1024.master.der", method=None, **kms):
    adapter.ask("begin", case="kms/test", params=[{"der": of_file(PARAMS, "ibe-1024.params.der"), "serves": ["@home.example"]}],
                policy=policy or {}, kms={"identity": uri("sip:kms.home.example"), "master": of_file(PARAMS, master),
                                          "issue": "next", "users": users, **kms})
    adapter.report("open", session="k", role="kms")
    method = method or {"psk": "MDEyMzQ1Njc4OWFiY2RlZg=="}
    asked = adapter.report("open", session="u", role="user", kms=uri("sip:kms.home.example"), ask=ask, **method)
    answer = adapter.report("message", session="k", octets=asked["messages"][0])
    got = adapter.report("message", session="u", octets=answer["messages"][0]) if answer["messages"] else None
    return asked, answer, got


def test_key_requests(a, _):
    users = [{"psk": "MDEyMzQ1Njc4OWFiY2RlZg==", "psk_id": {"bytes": "QQ=="}, "may_have": [ALICE]}]
    for encryption in ("AES-CM-128", "AES-KW-128", "AES-CM-256"):
        asked, answer, got = key_request(a, [ALICE], users, encryption=encryption, policy={"prf": "PRF-HMAC-SHA-256"})
        assert got["state"] == "done" and [base64.b64decode(k["ibe_identity"])[-8:] for k in got["private_keys"]] == [
            b"20261124", b"20261125"], got
        assert got["private_keys"][0]["der"] == key(ALICE)["der"] and asked["csb_id"] == answer["csb_id"]
    asked, answer, got = key_request(a, [{"bytes": base64.b64encode(b"sip:alice@home.example20261130").decode()}], users)
    assert [base64.b64decode(k["ibe_identity"])[-8:] for k in got["private_keys"]] == [b"20261130"]
    asked, answer, got = key_request(a, [BOB], users)
    assert (answer["event"], answer["state"]) == ("refused", "serving") and got["error"] == "peer-error", (answer, got)
    asked, answer, got = key_request(a, [BOB], [{**users[0], "may_have": [BOB], "psk": "AAAA"}])
    assert (answer["event"], answer["error"]) == ("refused", "authentication"), answer
    late = key_request(a, [ALICE], users, errors="silent", method={"psk": "QUFBQUFBQUFBQUFBQUFBQQ=="})
    assert late[1]["messages"] == []
    report = a.ask("time", timer_ms=32000)["reports"]
    assert [(r["session"], r["event"], r["error"], r["state"]) for r in report] == [("u", "expired", "timeout", "closed")]


def test_wrong_setup(a, _):
    wrong = a.send({"op": "begin", "case": "flow/x", "params": [{"der": of_file(PARAMS, "ibe-1024.master.der"), "serves": []}]})
    assert (wrong["result"], wrong["what"], wrong["error"]) == ("refused", "params[0].der", "encoding"), wrong
    other = of_file(PARAMS, "ibe-2048.params.der")
    wrong = a.send({"op": "begin", "case": "flow/x", "params": [{"der": other, "serves": ["@home.example"]}], "keys": [key(ALICE)]})
    assert (wrong["result"], wrong["what"], wrong["error"]) == ("refused", "keys[0].der", "encoding"), wrong
    refused = a.send({"op": "open", "session": "a", "role": "kms"})
    assert (refused["result"], refused["what"]) == ("malformed", "op"), refused


def test_parse(a, _):
    begin(a, [ALICE])
    message = a.report("open", session="a", role="initiator", local=ALICE, peer=BOB, map=srtp_map())["messages"][0]
    parsed = a.ask("parse", what="message", octets=message)
    assert parsed["octets"] == message and parsed["data_type"] == 22 and parsed["payloads"] == [5, 11, 14, 14, 22], parsed
    octets = base64.b64decode(message)
    for n in range(0, len(octets), 7):
        answer = a.send({"op": "parse", "what": "message", "octets": base64.b64encode(octets[:n]).decode()})
        assert (answer["result"], answer["error"]) == ("refused", "malformed"), answer
    params, private = of_file(PARAMS, "ibe-1024.params.der"), key(ALICE)["der"]
    assert a.ask("parse", what="params", octets=params)["octets"] == params
    assert a.ask("parse", what="private-key", octets=private, params=params)["octets"] == private
    assert a.ask("parse", what="key-mgmt", octets=base64.b64encode(b"mikey " + message.encode()).decode())["octets"] == message
    assert a.send({"op": "parse", "what": "point", "octets": "AA==", "curve": "P-256"})["error"] in ("malformed", "encoding")


a, b = Adapter(program, "iut"), Adapter(program, "iut")
tests = [(name, test) for name, test in list(globals().items()) if name.startswith("test_")]
for name, test in tests:
    try:
        test(a, b)
    except BaseException:
        print(f"{name} failed", file=sys.stderr)
        raise
a.end(), b.end()
print(f"{len(tests)} ways of talking work")
