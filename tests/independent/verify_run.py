#!/usr/bin/python3
"""Checks a run of ibakelab by its capture and its key log alone, sharing no code with it."""

import argparse
import os
import sys
import time

import keylog
import mikey
import pcap
import tls13
from collect import Capture
from exchanges import Exchanges
from findings import Report
from key_requests import Requests
from media import Media, pitch
from parameters import Parameters
from rfc5408 import KeyRequests
from vault import Vault

DESCRIPTION = """\
Checks a run of ibakelab by its capture and its key log alone, in Python that shares no code with it.

DIR is the folder of a run with `ibakelab run --keylog`: it holds capture/all.pcap and keys.log. Everything is computed
again from the RFCs and the project's profile:

  packets       checksums of IP, UDP and TCP; TCP streams without holes or contradictions
  key requests  V (of Error messages too) and KEMAC by the PSK; each private key delivered is that of the log and, by the master secret or by
                the pairing, that of its identity
  TLS           1.3 alone; with DIR/tls-keys.log every record opened, Finished, CertificateVerify, the certificate: its name,
                the time, and the trust anchor in DIR/pki/ca.pem, if it is there
  parameters    what is fetched (RFC 5408 section 4) is that of the key log, of the district that was asked, and valid
  RFC 5408      each private key is that of the identity that was asked for, of a district that was published, and of the log
  exchanges     payloads, HDR, T, RAND, identities, SP, SDP identifiers; every IBAKE decrypted; the echoes of [x]P and
                [y]P; X and Y against the points; K_SESSION, MPK, TGK, AUTHKEY, TEK, SALT; V
  CSB updates   payloads, T, the CS ID map, echoes of new values; V by the new or the initial keys; further keys
  ESK           opened for the recipient; who it names; the same SK and octets when a mailbox delivers it
  media         every SRTP and SRTCP packet in both directions, under old and new keys, which change in time; the sound is
                sound, begins after R_MESSAGE_2, and ends with BYE; content under SK, which is delivered as it was left
  key log       no record that the capture does not need
"""
EPILOG = """\
exit status:
  0  everything that was judged is right
  1  something is wrong: each finding with the number of its packet, as Wireshark counts
  2  wrong usage, or files that cannot be read

examples:
  build/ibakelab run scenarios/basic/first-call.yaml --keylog --out out/first-call
  /usr/bin/python3 tests/independent/verify_run.py out/first-call
  /usr/bin/python3 tests/independent/verify_run.py --lossless --extract all out/first-call
"""
ALL_AT_BITS, ALL_UP_TO = 1024, 256  # --extract some: all keys of this size if there are not more, else about SOME
SOME = 6
FAILURES_SHOWN = 20
CALLS_SHOWN = 10


def arguments():
    parser = argparse.ArgumentParser(
        description=DESCRIPTION, epilog=EPILOG, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("dir", metavar="DIR", help="folder of a run")
    parser.add_argument("--capture", metavar="FILE", help="the capture, instead of DIR/capture/all.pcap")
    parser.add_argument("--keylog", metavar="FILE", help="the key log, instead of DIR/keys.log")
    parser.add_argument("--tls-keylog", metavar="FILE", help="the TLS key log, instead of DIR/tls-keys.log")
    parser.add_argument("--allow-none", action="store_true", help="a capture without any complete exchange is good")
    parser.add_argument(
        "--allow-incomplete", action="store_true",
        help="requests and exchanges that break off are good, and key log records that belong to them",
    )  # fmt: skip
    parser.add_argument("--lossless", action="store_true", help="a gap in RTP's sequence numbers is a failure")
    parser.add_argument(
        "--extract", choices=("none", "some", "all"), default="some",
        help="how many private keys to extract again: some (default) is up to %d with parameters of %d bits, else about %d"
        % (ALL_UP_TO, ALL_AT_BITS, SOME),
    )  # fmt: skip
    parser.add_argument(
        "--skew", metavar="SECONDS", type=float, default=300, help="how far a T may be off the capture's time (300)"
    )
    parser.add_argument("--verbose", action="store_true", help="show every call and every finding")
    return parser.parse_args()


def check_private_keys(log, vault, report, amount):
    """Extract private keys again, the first of them by the pairing as well; returns how many."""
    records = log.kind("PRIV")
    small = all(kms.bits <= ALL_AT_BITS for kms in vault.kmss) and len(records) <= ALL_UP_TO
    if amount == "none" or not vault.kmss:
        return 0
    if amount == "some" and not small:
        records = records[:: max(1, len(records) // SOME)]
    for number, record in enumerate(records):
        report.attempt(vault.check_extraction, record, number == 0)
    return len(records)


def check_records(log, requests, exchanges, report):
    """Every record is needed by what the capture shows; those of a CSB ID that failed already are left alone."""
    unread = exchanges.unread  # of a refused offer that nobody could read, the log may have X or Y
    for record in log.records:
        if record.kind in keylog.OF_EXCHANGES and not record.used and record.name[0] not in exchanges.broken:
            if record.kind in ("X", "Y") and unread:
                unread -= 1
                continue
            report.wrong(None, "key log, %s: not what the capture's exchanges give" % record)
    missing = [r for r in log.kind("PRIV") if r.line not in requests.delivered]
    if missing:
        identity = missing[0].name[0].decode("utf-8", "backslashreplace")
        text = "key log, line %d (PRIV %s): not delivered in the capture (such lines: %d)"
        report.wrong(None, text % (missing[0].line, identity, len(missing)))


def check_connections(capture, anchor, report, options):
    for connection in capture.tls:
        for packet, number in connection.client.alerts + connection.server.alerts:
            if number != tls13.CLOSE_NOTIFY and not options.allow_incomplete:
                report.wrong(packet, "TLS: the alert %d" % number)
        if connection.complete:
            report.attempt(connection.judge_server, anchor)
        elif not options.allow_incomplete:
            report.wrong(connection.packet, "TLS: the handshake is not complete")


def judge(packets, log, tls_log, anchor, options):
    report = Report()
    capture = Capture(packets, report, tls_log, options.allow_incomplete)
    check_connections(capture, anchor, report, options)
    vault = Vault(log, report)
    requests = Requests(capture, log, report, options)
    requests.judge()
    exchanges = Exchanges(capture, log, vault, report, options)
    exchanges.judge()
    for seen in [] if options.allow_incomplete else capture.of(mikey.ERROR):
        report.wrong(seen.packet, "%s with the numbers %s" % (seen, [e.number for e in seen.message.all(mikey.ERR)]))
    parameters = Parameters(capture, vault, report, options)
    parameters.judge()
    fetched = KeyRequests(capture, log, parameters, requests, report, options)
    fetched.judge()
    media = Media(capture, exchanges.legs, report, options)
    media.judge()
    extracted = check_private_keys(log, vault, report, options.extract)
    if not options.allow_incomplete:
        check_records(log, requests, exchanges, report)
    if not options.allow_none and not exchanges.legs:
        report.wrong(None, "no complete exchange in the capture (--allow-none accepts that)")
    show_summary(capture, vault, requests, exchanges, media, extracted, options)
    if capture.tls or parameters.plain or fetched.good:
        print("RFC 5408: %d TLS connections; %d sets of parameters fetched over TLS, %d in the clear; %d private keys" % (
            len(capture.tls), parameters.secure, parameters.plain, fetched.good))  # fmt: skip
    return report


def show_summary(capture, vault, requests, exchanges, media, extracted, options):
    bits = ", ".join("%d" % kms.bits for kms in vault.kmss) or "no"
    errors = len(capture.of(mikey.ERROR))
    print("%d packets, %d SIP messages, %d MIKEY messages (%d with their copies)" % (
        len(capture.packets), capture.sip_count, len(capture.seen), capture.copies))  # fmt: skip
    print("%d key requests, %d private keys delivered, %d of the log extracted again (%s bits)" % (
        requests.complete, len(requests.delivered), extracted, bits))  # fmt: skip
    print("%d complete exchanges, %d IBAKE payloads decrypted" % (len(exchanges.legs), len(vault.opened))
          + (", %d incomplete exchanges" % exchanges.incomplete if exchanges.incomplete else "")
          + (", %d Error messages" % errors if errors else "")
          + (", %d of them with a valid V" % requests.errors if requests.errors else ""))  # fmt: skip
    if exchanges.updates.answered or exchanges.updates.refused:
        rekeyings = sum(len(leg.epochs) - 1 for leg in exchanges.legs)
        print("%d CSB updates, %d of them with new keys, %d refused" % (
            exchanges.updates.answered, rekeyings, exchanges.updates.refused))  # fmt: skip
    legs = exchanges.legs if options.verbose else exchanges.legs[:CALLS_SHOWN]
    for leg in legs:
        print("  %s calls %s, CSB ID %s, %s" % (leg.users() + (leg.csb_id.hex(), leg.own.curve.name)))
        for flow in media.unique():
            if flow.leg is leg:
                print("    %s: %s" % (flow.user, describe(flow)))
    if len(legs) < len(exchanges.legs):
        print("  and %d more (--verbose shows them)" % (len(exchanges.legs) - len(legs)))
    flows = media.unique()
    print("%d SRTP packets (%d missing), %d SRTCP packets" % (
        sum(len(f.packets) for f in flows), sum(f.missing for f in flows), sum(f.reports for f in flows)))  # fmt: skip


def describe(flow):
    if not flow.packets:
        return "silent"
    if flow.kind != "audio":
        return "%d SRTP packets of %s, %d missing" % (len(flow.packets), flow.kind, flow.missing)
    frequency, share = pitch(flow)
    tone = ", a tone of %.0f Hz" % frequency if share > 0.9 else ""
    if flow.content and flow.content.packets:
        tone += ", under an SK"
    if len(flow.leg.epochs) > 1:
        tone += ", under the keys of %d exchanges" % len(set(flow.epochs.values()))
    return "%d SRTP packets, %d missing%s" % (len(flow.packets), flow.missing, tone)


def in_run(options, *names):
    """The path of a file that a run may have left, or None."""
    path = os.path.join(options.dir, *names)
    return path if os.path.exists(path) else None


def main():
    options = arguments()
    begin = time.monotonic()
    try:
        packets = pcap.read(options.capture or os.path.join(options.dir, "capture", "all.pcap"))
        log = keylog.KeyLog(options.keylog or os.path.join(options.dir, "keys.log"))
        tls_path = options.tls_keylog or in_run(options, "tls-keys.log")
        tls_log, ca = tls13.KeyLog(tls_path), in_run(options, "pki", "ca.pem")
        anchor = tls13.read_anchor(ca) if ca else None
    except (OSError, pcap.PcapError, keylog.KeyLogError, tls13.KeyLogError) as error:
        print("verify_run.py: %s" % error, file=sys.stderr)
        return 2
    report = judge(packets, log, tls_log, anchor, options)
    lines = list(report.lines())
    for line in lines if options.verbose else lines[:FAILURES_SHOWN]:
        print("WRONG  " + line)
    if len(lines) > FAILURES_SHOWN and not options.verbose:
        print("and %d more (--verbose shows them)" % (len(lines) - FAILURES_SHOWN))
    took = "%.1f s" % (time.monotonic() - begin)
    print("%s  %s: %s" % (("FAILED", options.dir, "%d findings, %s" % (len(lines), took)) if lines
                          else ("GOOD", options.dir, took)))  # fmt: skip
    return 1 if lines else 0


if __name__ == "__main__":
    sys.exit(main())
