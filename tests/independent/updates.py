"""Judges CSB updates (RFC 6267 section 5.3, P-30 to P-35): an I_MESSAGE_1 and an R_MESSAGE_1 with the CSB ID of an exchange
that is complete. Roles stay those of the initial exchange, whoever starts."""

import mikey
from findings import NoKey, Wrong, exact
from rules import check, check_clock, check_shape, same_header, same_identity, same_t

I, R = mikey.INITIATOR, mikey.RESPONDER
OFFER = {I: "HDR T IDRi IDRr( SP)*( IBAKE)?", R: "HDR T IDRr IDRi( SP)*( IBAKE)?"}
ANSWER = "HDR T IDRi IDRr( SP)*( IBAKE)? V"
OFFER_INSIDE = {I: "IDRi ECCPT IDRr", R: "IDRr ECCPT IDRi"}
ANSWER_INSIDE = "IDRi ECCPT IDRr ECCPT"
NAMES = {I: "X", R: "Y"}  # kinds of the key log


class Update:
    """`starter` is the role of who sent I_MESSAGE_1; `points`, by role, are there if new values were exchanged."""

    def __init__(self, leg, i1, starter):
        self.leg, self.i1, self.r1, self.starter, self.points = leg, i1, None, starter, {}

    @property
    def other(self):
        return R if self.starter == I else I


class Updates:
    """`exchanges` opens IBAKE and holds values against the key log."""

    def __init__(self, exchanges):
        self.exchanges = exchanges
        self.answered, self.refused = 0, 0

    def judge(self, legs, offers, answers):
        """The updates of one CSB ID, in the order of the capture."""
        for i1 in offers:
            mine = [s for s in answers if s.first.text.transaction == i1.first.text.transaction]
            answers = [s for s in answers if s not in mine]
            check(len(mine) < 2, i1, "has two answers")
            self._update(legs, i1, mine[0] if mine else None)
        for r1 in answers:
            raise Wrong(r1.packet, "%s: does not answer the request of an I_MESSAGE_1" % r1)

    def _update(self, legs, i1, r1):
        leg, starter = _leg_of(legs, i1)
        update = Update(leg, i1, starter)
        self._offer(update)
        refused = i1.first.text.transaction in self.exchanges.capture.refused
        if r1 is None:
            check(refused or self.exchanges.options.allow_incomplete, i1, "is followed by no R_MESSAGE_1 in the capture")
            self.refused += 1
            if update.points:
                self.exchanges.scalar(i1, NAMES[starter], update.points[starter])
            return
        check(not refused, r1, "answers what SIP refused")
        update.r1 = r1
        self._answer(update)
        self._keys(update)
        self.answered += 1
        leg.sessions = r1.header.sessions
        leg.updates.append(update)

    def _offer(self, update):
        leg, i1, starter = update.leg, update.i1, update.starter
        check_shape(i1, OFFER[starter])
        check_clock(i1, self.exchanges.options.skew)
        check(i1.header.v == 1, i1, "the V flag is %d" % i1.header.v)
        _same_fields(i1, leg.r2)
        self._newer(update)
        for role in (I, R):
            check(same_identity(i1.message.one(mikey.IDR, role), leg.r1.message.one(mikey.IDR, role)), i1,
                  "an identity is not that of the exchange")  # fmt: skip
        _check_map(i1, leg.sessions, False)
        for sp in i1.message.all(mikey.SP):
            check(sp.policy not in leg.policy, i1, "SP %d is there already (P-33)" % sp.policy)
        if i1.message.has(mikey.IBAKE):
            try:
                point = self.exchanges.ibake(i1, update.other, OFFER_INSIDE[starter])[0]
            except NoKey:
                if i1.first.text.transaction not in self.exchanges.capture.refused:
                    raise
                self.exchanges.unread += 1  # the answerer had no key either, and the log may have X or Y
                return
            self._fresh(leg, i1, point)
            update.points[starter] = point

    def _newer(self, update):
        """T is newer than every T that counted in the session, and than those of the same sender; counters are compared with
        the latter alone (P-34). An update that crosses another one is refused (491), and counts for its sender only."""
        t, leg = update.i1.message.one(mikey.T), update.leg
        near = update.i1.time
        for sender, earlier, counted in leg.stamps:
            if not counted and sender != update.starter:
                continue
            if t.ts_type == 2 or earlier.ts_type == 2:
                if sender == update.starter and t.ts_type == earlier.ts_type:
                    check(t.value > earlier.value, update.i1, "T is not newer than all before")
            else:
                check(exact(t, near) > exact(earlier, near), update.i1, "T is not newer than all before")
        refused = update.i1.first.text.transaction in self.exchanges.capture.refused
        leg.stamps.append((update.starter, t, not refused))

    def _fresh(self, leg, seen, point):
        check(point not in leg.values, seen, "an EC Diffie-Hellman value that the session has had already")
        leg.values.append(point)

    def _answer(self, update):
        leg, i1, r1 = update.leg, update.i1, update.r1
        check_shape(r1, ANSWER)
        check(r1.header.v == 0, r1, "the V flag is %d" % r1.header.v)
        same_header(r1, i1)
        same_t(r1, i1)
        for role in (I, R):
            check(same_identity(r1.message.one(mikey.IDR, role), leg.r1.message.one(mikey.IDR, role)), r1,
                  "an identity is not that of the exchange")  # fmt: skip
        _check_map(r1, i1.header.sessions, True)
        offered, repeated = ([p.content() for p in s.message.all(mikey.SP)] for s in (i1, r1))
        check(offered == repeated, r1, "SP is not as offered")
        check(r1.message.has(mikey.IBAKE) == bool(update.points), r1, "IBAKE is there or missing against I_MESSAGE_1")
        if update.points:
            both = dict(zip((I, R), self.exchanges.ibake(r1, update.starter, ANSWER_INSIDE)))
            mine = update.points[update.starter]
            check(both[update.starter] == mine, r1, "the echo of the offered value is not that value")
            check(all(p.mki == mine.mki for p in both.values()), r1, "the MKI is not the offered one in both ECCPTs (P-35)")
            check(both[update.other].curve == mine.curve, r1, "the values are on two curves")
            self._fresh(leg, r1, both[update.other])
            update.points = both

    def _keys(self, update):
        """New values: V and TEKs by what follows from them and the RAND of the initial exchange. Otherwise V by the
        initial exchange's key, and further crypto sessions get keys of the TGK in force (section 5.3, P-31)."""
        leg, r1 = update.leg, update.r1
        for number, values in self.exchanges.policies(update.i1).items():
            leg.policy[number] = values
        if update.points:
            seen = {update.starter: update.i1, update.other: r1}
            self.exchanges.begin_epoch(leg, update)
            mpk, leg.tgk = self.exchanges.agree(leg, r1, (seen[I], update.points[I]), (seen[R], update.points[R]))
            self.exchanges.verify(leg, r1, mpk)
        else:
            self.exchanges.verify(leg, r1, leg.mpk)
        self.exchanges.traffic_keys(leg, r1)
        self.exchanges.end_epoch(leg)


def _leg_of(legs, i1):
    """The dialog of an update, and who sent it: the initiator, if the To tag is the other's."""
    text = i1.first.text
    for leg in legs:
        if leg.r2 is None or text.call_id != leg.dialog[0]:
            continue
        if text.to_tag == leg.dialog[1]:
            return leg, I
        if text.from_tag == leg.dialog[1]:
            return leg, R
    raise Wrong(i1.packet, "%s: a second one with this CSB ID, in no dialog whose exchange is complete" % i1)


def _same_fields(seen, earlier):
    ours, theirs = ((h.version, h.prf, h.csb_id, h.map_type) for h in (seen.header, earlier.header))
    check(ours == theirs, seen, "HDR is not that of the initial exchange")


def _check_map(seen, before, is_answer):
    """The crypto sessions of before with their policies and SSRCs; an offer may add some, an answer fills in SSRCs (P-33)."""
    now = seen.header.sessions
    check(len(now) == len(before) if is_answer else len(now) >= len(before), seen, "crypto sessions are missing")
    for ours, theirs in zip(now, before):
        check(ours.policy == theirs.policy, seen, "changes a policy number")
        check(ours.ssrc == theirs.ssrc or is_answer and not theirs.ssrc, seen, "changes an SSRC")
    check(not is_answer or all(s.ssrc for s in now), seen, "leaves an SSRC out")
    if not is_answer:
        added = now[len(before) :]
        check(len(added) % 2 == 0 and all(bool(a.ssrc) != bool(b.ssrc) for a, b in zip(added[::2], added[1::2])), seen,
              "does not add two crypto sessions for each m-line, one of them its sender's")  # fmt: skip
