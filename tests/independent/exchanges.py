"""Judges the exchanges of calls: I_MESSAGE_1, R_MESSAGE_1, I_MESSAGE_2, R_MESSAGE_2 (RFC 6267 section 4.2.2), from the
key log's private keys and ECDH scalars to the TEKs.

An exchange has one I_MESSAGE_1 and a Leg for each R_MESSAGE_1: a forked call has several. Further I_MESSAGE_1 with its CSB
ID are CSB updates (updates.py).
"""

import hmac

import ec
import keys
import mikey
import srtp
from findings import SECOND, NoKey, Wrong, moment
from rules import check, check_clock, check_shape, same_header, same_identity, same_t
from secret_keys import SecretKeys
from updates import Updates

INSIDE = {  # RFC 6267 sections 4.2.2.1, 4.2.2.3, 4.2.2.5, 4.2.2.7
    mikey.I_MESSAGE_1: "IDRi ECCPT IDRr",
    mikey.R_MESSAGE_1: "IDRi (ECCPT )?IDRr ECCPT",
    mikey.I_MESSAGE_2: "IDRi (ECCPT )?IDRr ECCPT",
    mikey.R_MESSAGE_2: "IDRi ECCPT",
}
OUTSIDE = {
    mikey.I_MESSAGE_1: "HDR T RAND IDRi IDRr (SP )*(General Extension )*IBAKE( ESK)?",
    mikey.R_MESSAGE_1: "HDR T IDRi IDRr (SP )*(General Extension )*IBAKE",
    mikey.I_MESSAGE_2: "HDR T RAND IDRi IDRr (General Extension )*IBAKE( ESK)?",
    mikey.R_MESSAGE_2: "HDR T (IDRi )?(IDRr )?(SP )*(General Extension )*(IBAKE )?V",
}
CARRIERS = {  # P-13: the method, and whether the SIP message is a request
    mikey.I_MESSAGE_1: (("INVITE", "UPDATE"), True),
    mikey.R_MESSAGE_1: (("INVITE", "UPDATE"), False),
    mikey.I_MESSAGE_2: (("PRACK", "UPDATE", "INVITE"), True),
    mikey.R_MESSAGE_2: (("PRACK", "UPDATE", "INVITE"), False),
}


class Point:
    """An ECCPT: its curve and the point on it."""

    def __init__(self, seen, eccpt):
        if eccpt.curve not in ec.CURVES:
            raise Wrong(seen.packet, "%s: ECC curve %d is not known here" % (seen, eccpt.curve))
        check(eccpt.reserved == 0, seen, "reserved bits of ECCPT are set")
        self.curve, self.mki = ec.CURVES[eccpt.curve], eccpt.validity if eccpt.kv == 1 else ()
        try:
            self.point = ec.decode(self.curve, eccpt.point)
        except ec.EcError as error:
            raise Wrong(seen.packet, "%s: %s" % (seen, error)) from None

    def __eq__(self, other):
        return (self.curve, self.point) == (other.curve, other.point)


class Epoch:
    """The keys by CS ID, (TEK, SALT), that follow from one TGK; `update` brought it, None in the initial exchange."""

    def __init__(self, update=None):
        self.update, self.keys, self.lines = update, {}, []


class Leg:
    """From one R_MESSAGE_1 on: the other messages, the points, and once they are judged the epochs of keys."""

    def __init__(self, i1, r1):
        self.i1, self.r1, self.i2, self.r2 = i1, r1, None, None
        self.epochs, self.updates = [], []
        self.policy, self.sessions = None, []  # SRTP parameters by policy number; the CS ID map in force
        self.mpk = self.tgk = None  # MPK of the initial exchange, TGK in force
        self.x = None  # [x]P of I_MESSAGE_2, if it is another one than that of I_MESSAGE_1
        self.sk = None  # the SK of the caller's ESK, for content
        self.stamps, self.values = [], []  # (role, T, counts for both) and EC Diffie-Hellman values that the session has had

    @property
    def csb_id(self):
        return self.i1.header.csb_id

    @property
    def dialog(self):
        """Call-ID and To tag of the branch that answered."""
        return self.r1.first.text.call_id, self.r1.first.text.to_tag

    def users(self):
        """Who answered whom, as text."""
        return tuple(self.r1.message.one(mikey.IDR, role).data.decode("utf-8", "backslashreplace") for role in (1, 2))


class Exchanges:
    """Every exchange of a capture; `legs` are those that are complete and right."""

    def __init__(self, capture, log, vault, report, options):
        self.capture, self.log, self.vault, self.report, self.options = capture, log, vault, report, options
        self.legs, self.broken = [], set()  # CSB IDs of exchanges with a failure
        self.incomplete = 0
        self.unread = 0  # refused offers of an update that no key opens
        self._inner, self._stamps, self._rands = {}, {}, {}
        self.updates, self.secret_keys = Updates(self), SecretKeys(vault, options)

    def judge(self):
        first = self.capture.of(mikey.I_MESSAGE_1)
        rest = [s for s in self.capture.seen if mikey.R_MESSAGE_1 <= s.header.data_type <= mikey.R_MESSAGE_2]
        for csb_id in dict.fromkeys(s.header.csb_id for s in first):
            mine = [s for s in rest if s.header.csb_id == csb_id]
            if not self.report.attempt(self._exchange, [s for s in first if s.header.csb_id == csb_id], mine):
                self.broken.add(csb_id)
            rest = [s for s in rest if s not in mine]
        for seen in rest:
            self.broken.add(seen.header.csb_id)
            self.report.wrong(seen.packet, "%s belongs to no I_MESSAGE_1 of the capture" % seen)

    # One exchange

    def _exchange(self, first, rest):
        try:
            self._messages(first, rest)
        except NoKey:
            if not self.options.allow_incomplete:
                raise
            self.incomplete += 1  # the exchange of a user who never got keys

    def _messages(self, first, rest):
        """`first`: the I_MESSAGE_1 of a CSB ID. All but the first are CSB updates, and R_MESSAGE_1 with V answers them."""
        i1 = first[0]
        confirmed = [s for s in rest if s.header.data_type == mikey.R_MESSAGE_1 and s.message.has(mikey.V)]
        rest = [s for s in rest if s not in confirmed]
        for seen in first + confirmed + rest:
            self._place(seen)
        for seen in [i1] + rest:
            self._message(seen)
        self._first(i1)
        answers = [s for s in rest if s.header.data_type == mikey.R_MESSAGE_1]
        if not answers and self._refused(i1):
            self.incomplete += 1  # the INVITE was refused, redirected or taken back before anybody answered it
            self.scalar(i1, "X", self._inner[i1.packet][0])
            return
        self._complete(i1, "R_MESSAGE_1", answers)
        legs = [Leg(i1, s) for s in rest if s.header.data_type == mikey.R_MESSAGE_1]
        for leg in legs:
            self._answer(leg)
        for seen in [s for s in rest if s.header.data_type == mikey.I_MESSAGE_2]:
            self._second(legs, seen)
        for seen in [s for s in rest if s.header.data_type == mikey.R_MESSAGE_2]:
            self._verification(legs, seen)
        for leg in legs:
            if leg.dialog not in self.capture.answered and (self._refused(i1) or leg.dialog in self.capture.ended):
                if not leg.r2:  # a branch that was cancelled or given up may be incomplete
                    self.scalar(i1, "X", self._inner[i1.packet][0])
                    self.scalar(leg.r1, "Y", leg.own)
                continue
            self._complete(leg.r1, "I_MESSAGE_2", leg.i2)
            if leg.i2:
                self._complete(leg.i2, "R_MESSAGE_2", leg.r2)
        done = [leg for leg in legs if leg.r2]
        self.incomplete += not done
        for leg in done:
            self._derive(leg)
        self.updates.judge(done, first[1:], confirmed)
        self.legs += done

    def _refused(self, i1):
        return i1.first.text.transaction in self.capture.refused

    def _complete(self, seen, name, answer):
        if not answer and not self.options.allow_incomplete:
            raise Wrong(seen.packet, "%s is followed by no %s in the capture" % (seen, name))

    def _place(self, seen):
        """What holds for each of the four, in updates as well: who carries it, its map."""
        methods, is_request = CARRIERS[seen.header.data_type]
        for place in seen.sightings:
            check(place.is_sip, seen, "not in SIP", place)
            fits = place.text.method in methods and (place.text.status is None) == is_request
            check(fits, seen, "in %s of a %s (P-13)" % (place.text.start, place.text.method), place)
            check(place.text.call_id == seen.first.text.call_id, seen, "in two calls", place)
        check(seen.header.map_type == mikey.SRTP_ID and seen.header.cs_count, seen, "no SRTP-ID map")

    def _message(self, seen):
        """What holds for each of the four in an initial exchange: its payloads, its V flag, its T."""
        kind = seen.header.data_type
        check_shape(seen, OUTSIDE[kind])
        check(seen.header.v == (kind != mikey.R_MESSAGE_2), seen, "the V flag is %d" % seen.header.v)
        if kind in (mikey.I_MESSAGE_1, mikey.I_MESSAGE_2):
            check_clock(seen, self.options.skew)
            stamp = seen.message.one(mikey.IDR, 1).data, seen.message.one(mikey.T).value
            check(stamp not in self._stamps, seen, "T is not fresh: %s has it too" % self._stamps.get(stamp))
            self._stamps[stamp] = seen

    # Decryption

    def _open(self, seen, payload, what, recipient):
        t = moment(seen.message.one(mikey.T), seen.time)
        base, skew = seen.time if t is None else t, int(self.options.skew * SECOND)
        what = "%s of %s" % (what, seen)
        plain = self.vault.open(seen.packet, what, payload.data, recipient, (base, base - skew, base + skew))
        try:
            return mikey.parse_inner(plain)
        except mikey.MikeyError as error:
            raise Wrong(seen.packet, "%s: decrypted content is malformed: %s" % (what, error)) from None

    def ibake(self, seen, recipient_role, shape=None):
        """Decrypt IBAKE; its identities are those outside (P-19). Returns its points by position."""
        inner = self._open(seen, seen.message.one(mikey.IBAKE), "IBAKE", seen.message.one(mikey.IDR, recipient_role).data)
        check_shape(seen, shape or INSIDE[seen.header.data_type], inner, "inside IBAKE")
        for idr in inner.all(mikey.IDR):
            outer = seen.message.one(mikey.IDR, idr.role)
            check(same_identity(idr, outer), seen, "the identity inside IBAKE is not the one outside")
        return [Point(seen, p) for p in inner.all(mikey.ECCPT)]

    # The four messages

    def _first(self, i1):
        message = i1.message
        rand = message.one(mikey.RAND).data
        check(len(rand) >= 16, i1, "RAND has less than 16 octets")
        check(rand not in self._rands, i1, "RAND is that of another exchange")
        self._rands[rand] = i1
        check(message.has(mikey.SP), i1, "no SP")
        _check_sdp_identifiers(i1)
        self._inner[i1.packet] = self.ibake(i1, mikey.RESPONDER)
        self.secret_keys.judge(i1, i1)

    def _answer(self, leg):
        i1, r1 = leg.i1, leg.r1
        same_header(r1, i1)
        same_t(r1, i1)
        check(r1.first.text.call_id == i1.first.text.call_id, r1, "in another call than I_MESSAGE_1")
        check(same_identity(r1.message.one(mikey.IDR, 1), i1.message.one(mikey.IDR, 1)), r1, "another IDRi")
        _check_map(r1, i1)
        _check_offered(r1, i1)
        leg.points = self.ibake(r1, mikey.INITIATOR)
        leg.own = leg.points[-1]  # [y]P
        if len(leg.points) == 2:
            check(leg.points[0] == self._inner[i1.packet][0], r1, "the echo of [x]P is not [x]P")
        same = leg.own.curve == self._inner[i1.packet][0].curve
        check(same or len(leg.points) == 1, r1, "[y]P is on another curve than [x]P")

    def _second(self, legs, i2):
        """Find the leg whose [y]P an I_MESSAGE_2 echoes."""
        points = self.ibake(i2, mikey.RESPONDER)
        same_idr = [g for g in legs if same_identity(g.r1.message.one(mikey.IDR, 2), i2.message.one(mikey.IDR, 2))]
        check(same_idr, i2, "IDRr is that of no R_MESSAGE_1")
        mine = [leg for leg in same_idr if leg.own == points[-1]]
        check(mine, i2, "the echo of [y]P is not [y]P")
        leg = mine[0]
        i1, r1 = leg.i1, leg.r1
        check(leg.i2 is None, i2, "a second answer to R_MESSAGE_1 in packet %d" % r1.packet)
        leg.i2 = i2
        same_header(i2, r1)
        check(i2.first.text.call_id == i1.first.text.call_id, i2, "in another call than I_MESSAGE_1")
        check(i2.header.sessions == r1.header.sessions, i2, "the CS ID map is not that of R_MESSAGE_1")
        check(i2.message.one(mikey.RAND).data == i1.message.one(mikey.RAND).data, i2, "RAND is not I_MESSAGE_1's (P-7)")
        again, missing = len(points) == 2, len(leg.points) == 1
        check(again == missing, i2, "ECCPTi %s" % ("is there again" if again else "is not repeated"))
        if again:
            first = self._inner[i1.packet][0]
            if points[0].curve == first.curve:
                check(points[0] == first, i2, "ECCPTi is not that of I_MESSAGE_1")
            else:
                self._follows(leg, i2, points[0], first)
            check(i2.message.has(mikey.ESK), i2, "ECCPTi is repeated without ESK")
        leg.sk = self.secret_keys.judge(i2, i1)

    def _follows(self, leg, i2, point, first):
        """P-28: [y]P alone was on another curve; ECCPTi of I_MESSAGE_2 is a new value on that one."""
        check(point.curve == leg.own.curve, i2, "ECCPTi is on a curve of its own")
        self.scalar(leg.i1, "X", first)  # it has served its turn
        leg.x = point

    def _verification(self, legs, r2):
        t = r2.message.one(mikey.T).content()
        mine = [leg for leg in legs if leg.i2 and leg.i2.message.one(mikey.T).content() == t]
        check(mine, r2, "T is that of no I_MESSAGE_2")
        leg = mine[0]
        check(leg.r2 is None, r2, "a second answer to I_MESSAGE_2 in packet %d" % leg.i2.packet)
        leg.r2 = r2
        same_header(r2, leg.i2)
        check(r2.first.text.call_id == leg.i1.first.text.call_id, r2, "in another call than I_MESSAGE_1")
        check(r2.header.sessions == leg.i2.header.sessions, r2, "the CS ID map is not that of I_MESSAGE_2")
        for role in (mikey.INITIATOR, mikey.RESPONDER):
            for idr in r2.message.all(mikey.IDR, role):
                check(same_identity(idr, leg.r1.message.one(mikey.IDR, role)), r2, "an identity is not R_MESSAGE_1's")
        _check_offered(r2, leg.i1)
        check(r2.message.all(mikey.SP), r2, "SP is not repeated (P-14)")
        check(r2.message.all(mikey.EXTENSION), r2, "the SDP identifiers are not repeated (P-14)")
        check(r2.message.has(mikey.IBAKE) == (len(leg.points) == 1), r2, "IBAKE is there or missing against section 4.2.2.7")
        if r2.message.has(mikey.IBAKE):
            echo = self.ibake(r2, mikey.INITIATOR)
            check(echo[0] == (leg.x or self._inner[leg.i1.packet][0]), r2, "the echo of [x]P is not [x]P")

    # Keys

    def scalar(self, seen, kind, point):
        """The X or Y of a point; returns the scalar and the record."""
        for record in self.log.of(kind, seen.header.csb_id):
            if ec.multiply(point.curve, int.from_bytes(record.key, "big"), point.curve.g) == point.point:
                record.used = True
                return int.from_bytes(record.key, "big"), record
        raise Wrong(seen.packet, "%s: no %s of the key log is the scalar of its point" % (seen, kind))

    def _expect(self, leg, seen, kind, name, value):
        """A value that X and Y lead to stands in the key log."""
        records = self.log.of(kind, *name)
        fitting = [r for r in records if r.key == value]
        for record in fitting:
            record.used = True
        if not fitting:
            unused = [r for r in records if not r.used] or records
            what = "key log, %s, is wrong" % unused[0] if records else "the key log has no %s" % kind
            raise Wrong(seen.packet, "%s: %s: X and Y give %s" % (seen, what, value.hex()))
        leg.epochs[-1].lines.append(fitting[0].line)

    def begin_epoch(self, leg, update=None):
        leg.epochs.append(Epoch(update))

    def end_epoch(self, leg):
        """The order of the key log tells old keys from new (docs/keylog.md)."""
        for older, newer in zip(leg.epochs, leg.epochs[1:]):
            if min(newer.lines) < max(older.lines):
                text = "%s: the key log has line %d of these keys before line %d of older ones"
                raise Wrong(newer.update.r1.packet, text % (newer.update.r1, min(newer.lines), max(older.lines)))

    def agree(self, leg, seen, initiator, responder):
        """[xy]P, K_SESSION, MPK and TGK (RFC 6267 section 5.1) of two (message, point); returns MPK and TGK."""
        (i_seen, i_point), (r_seen, r_point) = initiator, responder
        (x, x_record), (y, y_record) = self.scalar(i_seen, "X", i_point), self.scalar(r_seen, "Y", r_point)
        leg.epochs[-1].lines += [x_record.line, y_record.line]
        shared = ec.multiply(r_point.curve, x, r_point.point)
        check(shared and shared == ec.multiply(i_point.curve, y, i_point.point), seen, "[x][y]P is not [y][x]P")
        k_session = ec.encode(r_point.curve, shared)  # P-5
        prf, rand = seen.header.prf, leg.i1.message.one(mikey.RAND).data
        mpk, tgk = (keys.from_session(what, prf, k_session, rand) for what in ("MPK", "TGK"))
        for kind, value in (("KSESSION", k_session), ("MPK", mpk), ("TGK", tgk)):
            self._expect(leg, seen, kind, (leg.csb_id,), value)
        return mpk, tgk

    def verify(self, leg, seen, mpk):
        """V by a key of an MPK, over the message and the identities, IDRi then IDRr (RFC 6267 section 5.4, P-8)."""
        v = seen.message.payloads[-1]
        try:
            rand = leg.i1.message.one(mikey.RAND).data
            auth_key = keys.authentication_key(seen.header.prf, mpk, leg.csb_id, rand, v.algorithm)
        except keys.DerivationError as error:
            raise Wrong(seen.packet, "%s: %s" % (seen, error)) from None
        if mpk is not leg.mpk or not leg.updates:
            self._expect(leg, seen, "AUTHKEY", (leg.csb_id,), auth_key)
        identities = [leg.r1.message.one(mikey.IDR, role).data for role in (1, 2)]
        right = keys.mac(v.algorithm, auth_key, keys.mac_input(seen.message, identities))
        check(hmac.compare_digest(right, v.mac), seen, "V is not valid")

    def traffic_keys(self, leg, seen):
        """TEK and SALT of every crypto session of a message's map, from the TGK in force."""
        rand, epoch = leg.i1.message.one(mikey.RAND).data, leg.epochs[-1]
        for cs_id, session in enumerate(seen.header.sessions, 1):
            check(session.policy in leg.policy, seen, "no SP for policy %d" % session.policy)
            values = leg.policy[session.policy]
            lengths = {"TEK": values[srtp.ENCRYPTION_KEY], "SALT": values[srtp.SALT_KEY]}
            pair = []
            for what, length in lengths.items():
                pair.append(keys.from_tgk(what, seen.header.prf, leg.tgk, cs_id, leg.csb_id, rand, length))
                self._expect(leg, seen, what, (leg.csb_id, bytes([cs_id])), pair[-1])
            epoch.keys[cs_id] = tuple(pair)

    def policies(self, seen):
        """Policy number -> SRTP parameters."""
        found = {}
        for sp in seen.message.all(mikey.SP):
            check(sp.policy not in found, seen, "two SP with the number %d" % sp.policy)
            try:
                found[sp.policy] = srtp.policy(sp)
            except srtp.SrtpError as error:
                raise Wrong(seen.packet, "%s: %s" % (seen, error)) from None
        return found

    def _derive(self, leg):
        """The keys of an initial exchange (RFC 6267 section 5)."""
        initiator = leg.x or self._inner[leg.i1.packet][0]
        self.begin_epoch(leg)
        leg.mpk, leg.tgk = self.agree(leg, leg.r2, (leg.i1, initiator), (leg.r1, leg.own))
        self.verify(leg, leg.r2, leg.mpk)
        leg.policy, leg.sessions = self.policies(leg.r2), leg.r2.header.sessions
        self.traffic_keys(leg, leg.r2)
        leg.values = [initiator, leg.own]
        leg.stamps = [(mikey.INITIATOR, seen.message.one(mikey.T), True) for seen in (leg.i1, leg.i2)]


def _check_map(r1, i1):
    """R_MESSAGE_1 fills in the SSRCs that I_MESSAGE_1 leaves at 0, and changes nothing else of the CS ID map."""
    for ours, theirs in zip(i1.header.sessions, r1.header.sessions):
        check(theirs.ssrc, r1, "leaves an SSRC out")
        check(ours.ssrc in (0, theirs.ssrc), r1, "changes the initiator's SSRC")
        check(ours.policy == theirs.policy, r1, "changes a policy number")
        check(ours.roc == (theirs.roc if ours.ssrc else 0), r1, "the ROC is not that of I_MESSAGE_1")


def _check_sdp_identifiers(seen):
    """General Extension type 1 lists the protocols of a=key-mgmt in the order of the SDP (RFC 4567 section 4.1.4)."""
    listed = [e.data for e in seen.message.all(mikey.EXTENSION) if e.kind == 1]
    check(len(listed) == 1, seen, "no SDP identifiers")
    for place in seen.sightings:
        check(";".join(place.identifiers).encode() == listed[0], seen, "the SDP identifiers are not the SDP's", place)


def _check_offered(seen, i1):
    """SP and SDP identifiers, where they are repeated, are those offered (P-14)."""
    for kind in (mikey.SP, mikey.EXTENSION):
        repeated = [p.content() for p in seen.message.all(kind)]
        offered = [p.content() for p in i1.message.all(kind)]
        check(not repeated or repeated == offered, seen, "%s is not as offered" % mikey.PAYLOAD_NAMES[kind])
