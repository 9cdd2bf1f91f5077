"""The keys of the KMSs in a key log: which private key belongs to which parameters, and what it opens.

A key log does not say which PARAMS a PRIV or MASTER belongs to. It is found by trial, so that users of several KMSs may
stand in one log.
"""

import re

import der
import ibe
import pairing
from findings import NoKey, Wrong, date

BAD = (ibe.IbeError, der.DerError)
DATES = (8, 6, 10)  # digits of an IBE identity's date: a day, a month, an hour


class Kms:
    """One PARAMS record, with the MASTER that belongs to it, if the log has it."""

    def __init__(self, record):
        self.record = record
        try:
            self.params = ibe.params_from_der(record.key)
            self.bits = ibe.check_params(self.params)
        except BAD as error:
            raise Wrong(None, "key log, %s: %s" % (record, error)) from None
        self.master = None

    def owns(self, secret):
        return pairing.multiply(self.params.p, secret, self.params.point_p) == self.params.point_ppub

    def could_hold(self, point):
        return pairing.on_curve(self.params.p, point)


class Vault:
    """Every KMS and private key of a key log."""

    def __init__(self, log, report):
        self.log, self.report = log, report
        self.kmss, self.private, self.opened = [], {}, {}
        for record in log.kind("PARAMS"):
            report.attempt(self._add_kms, record)
        for record in log.kind("MASTER"):
            report.attempt(self._add_master, record)
        self._add_private_keys(log.kind("PRIV"))
        if not self.kmss:
            report.wrong(None, "the key log has no PARAMS that can be used")

    def _add_kms(self, record):
        self.kmss.append(Kms(record))
        record.used = True

    def _add_master(self, record):
        try:
            secret = ibe.master_from_der(record.key)
        except BAD as error:
            raise Wrong(None, "key log, %s: %s" % (record, error)) from None
        owners = [kms for kms in self.kmss if kms.owns(secret)]
        for kms in owners:
            kms.master, record.used = secret, True
        if not owners:
            raise Wrong(None, "key log, %s: [s]P is the P_pub of no PARAMS" % record)

    def _add_private_keys(self, records):
        homeless = []
        for record in records:
            try:
                point = ibe.private_from_der(record.key)
            except BAD as error:
                self.report.wrong(None, "key log, line %d (PRIV): %s" % (record.line, error))
                continue
            homes = [kms for kms in self.kmss if kms.could_hold(point)]
            self.private.setdefault(record.name[0], []).append((record, point, homes))
            homeless += [record] * (not homes)
        if homeless:
            text = "key log, line %d (PRIV %s): no point of the curve of any PARAMS (such lines: %d)"
            self.report.wrong(None, text % (homeless[0].line, _text(homeless[0].name[0]), len(homeless)))

    def check_extraction(self, record, by_pairing):
        """S_id = [s]Q_id by the master secret, or (asked for, or without it) e(P, S_id) = e(P_pub, Q_id)."""
        identity = record.name[0]
        for known, point, homes in self.private.get(identity, []):
            if known is not record:
                continue
            if not any(self._extracts(kms, identity, point, by_pairing) for kms in homes):
                raise Wrong(None, "key log, line %d (PRIV %s): S_id is not [s]Q_id" % (record.line, _text(identity)))

    def _extracts(self, kms, identity, point, by_pairing):
        if kms.master is not None and ibe.extract(kms.params, kms.master, identity) != point:
            return False
        return (kms.master is not None and not by_pairing) or ibe.private_key_fits(kms.params, identity, point)

    def _candidates(self, data, moments):
        """Private keys for an ID, in the order of the moments whose date they have: (record, point, homes, place)."""
        found = []
        for identity, entries in self.private.items():
            tail = identity[len(data) :]
            if not identity.startswith(data) or not re.fullmatch(rb"\d+", tail) or len(tail) not in DATES:
                continue
            place = [date(m, len(tail)) == tail for m in moments] + [True]
            found += [entry + (place.index(True),) for entry in entries]
        return sorted(found, key=lambda entry: entry[3])

    def open(self, packet, what, data, recipient, moments):
        """Decrypt IBAKE or ESK for the user with an ID; the key's date must be that of one of the moments (P-9): of the
        first of them, or of one a little off. NoKey says that the log lacks the key of the first."""
        if (data, recipient) in self.opened:
            return self.opened[data, recipient]
        try:
            ciphertext = ibe.ciphertext_from_der(data)
        except BAD as error:
            raise Wrong(packet, "%s is no BFCiphertextBlock: %s" % (what, error)) from None
        candidates = self._candidates(recipient, moments)
        for record, plain, place in self._openings(candidates, ciphertext):
            if place == len(moments):
                raise Wrong(packet, "%s is for %s, not for the date of T" % (what, _text(record.name[0])))
            self.opened[data, recipient] = plain
            return plain
        if not any(place == 0 for *_, place in candidates):
            raise NoKey(packet, "%s: the key log has no private key of %s for that day" % (what, _text(recipient)))
        raise Wrong(packet, "%s: no private key of %s opens it: it is for another key, or was changed" % (
            what, _text(recipient)))  # fmt: skip

    def open_by_master(self, data, recipient, when):
        """Decrypt for a user whose private key nobody asked for: it is extracted with the master secrets of the log.
        None if none of them leads to a key that opens it."""
        ciphertext = ibe.ciphertext_from_der(data)
        for kms in [kms for kms in self.kmss if kms.master is not None]:
            for digits in DATES:
                try:
                    key = ibe.extract(kms.params, kms.master, recipient + date(when, digits))
                    return ibe.decrypt(kms.params, key, ciphertext)
                except ibe.IbeError:
                    continue
        return None

    def _openings(self, candidates, ciphertext):
        """Each candidate that opens a ciphertext: its record, the plaintext, the place of its date."""
        for record, point, homes, place in candidates:
            for kms in homes:
                try:
                    yield record, ibe.decrypt(kms.params, point, ciphertext), place
                except ibe.IbeError:
                    continue


def _text(octets):
    return octets.decode("utf-8", "backslashreplace")
