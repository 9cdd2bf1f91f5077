/* What must hold of CSB updates (RFC 6267 §5.3), and of what is in force because of them. */
#include "fuzz.h"
#include "world/world.h"

#include <string.h>

/* ---- T and points ----------------------------------------------------------------------------------------
 */

enum { TIME_ROOM = 10 };

/* Newer than each T that counts: those of the initial exchange and of updates that came to their end. A
 * counter counts on its own side alone. */
static const char *newer(const world_player *p, ibk_span t) {
    const char *rule = NULL;
    bool counter = t.len > 0 && t.data[0] == IBK_TS_COUNTER;
    if (!counter || !p->initiator) {
        rule = judge_newer(t, p->i1.t);
        rule = rule ? rule : judge_newer(t, p->i2.t);
    }
    for (size_t at = 0; at < p->times.len && !rule; at += TIME_ROOM)
        rule = judge_newer(t, ibk_span_of(p->times.data + at + 1, p->times.data[at]));
    return rule;
}

static void note_time(world_player *p, ibk_span t, bool by_peer) {
    uint8_t room[TIME_ROOM] = {(uint8_t)t.len};
    if (t.len >= TIME_ROOM || (t.len > 0 && t.data[0] == IBK_TS_COUNTER && !by_peer))
        return;
    memcpy(room + 1, t.data, t.len);
    FUZZ_CHECK(ibk_buf_append(&p->times, room, sizeof room) == IBK_OK);
}

/* ---- in force --------------------------------------------------------------------------------------------
 */

void oracle_established(world_player *p) {
    FUZZ_CHECK(judge_force_begin(&p->force, &p->i1, &p->r1) == IBK_OK);
}

/* An update is complete. What was in force before it counts until it is confirmed (P-32). */
static void take(world_player *p) {
    if (p->before.map.len == 0)
        FUZZ_CHECK(judge_force_copy(&p->before, &p->force) == IBK_OK);
    if (!world_broken("in-force"))
        FUZZ_CHECK(judge_force_take(&p->force, &p->u1, &p->u2) == IBK_OK);
}

void oracle_taken_back(world_player *p) {
    FUZZ_CHECK(p->before.map.len > 0);
    judge_force_free(&p->force);
    p->force = p->before;
    p->before = (judge_force){0};
}

static bool same_sessions(const ibk_session *s, ibk_span map) {
    const ibk_hdr *hdr = ibk_session_header(s);
    return hdr->n_cs == map.data[0] && hdr->map_type == map.data[1] &&
           ibk_span_equal(hdr->map, ibk_span_of(map.data + 2, map.len - 2));
}

static bool same_policies(const ibk_session *s, ibk_span policies) {
    size_t n, at = 0;
    const ibk_sp *sps = ibk_session_policies(s, &n);
    for (size_t i = 0; i < n; at += 4 + sps[i].params.len, i++) {
        const uint8_t *sp = policies.data + at; /* number, protocol, length, parameters */
        if (at + 4 + sps[i].params.len > policies.len || sp[0] != sps[i].policy_no ||
            sp[1] != sps[i].prot_type || (sp[2] << 8 | sp[3]) != (int)sps[i].params.len ||
            !ibk_span_equal(ibk_span_of(sp + 4, sps[i].params.len), sps[i].params))
            return false;
    }
    return at == policies.len;
}

void oracle_in_force(world_player *p) {
    if (!ibk_session_update_unconfirmed(p->session))
        judge_force_free(&p->before);
    FUZZ_CHECK(same_sessions(p->session, ibk_buf_span(&p->force.map)));
    FUZZ_CHECK(same_policies(p->session, ibk_buf_span(&p->force.policies)));
}

/* ---- messages --------------------------------------------------------------------------------------------
 */

/* The other side started it. */
void oracle_update_offer(world *w, world_player *p) {
    oracle_rule(judge_time(&p->u1, w->now.utc_ns, IBK_REPLAY_DEFAULT_SKEW_NS), p, "accepted a time");
    oracle_rule(newer(p, p->u1.t), p, "accepted an update");
    oracle_rule(judge_update_i1(&p->i1, &p->r1, &p->u1, !p->initiator), p, "accepted an update");
    if (!p->moved)
        oracle_rule(judge_fresh(&p->i1, &p->r1, &p->i2, &p->u1), p, "accepted an update");
    oracle_rule(judge_sessions_offer(&p->force, &p->u1), p, "accepted an update");
    note_time(p, p->u1.t, true);
}

/* We started it. */
void oracle_update_sent(world_player *p) {
    oracle_rule(judge_update_i1(&p->i1, &p->r1, &p->u1, p->initiator), p, "sent an update");
    oracle_rule(judge_sessions_offer(&p->force, &p->u1), p, "sent an update");
}

/* The answer, which was sent or accepted. */
void oracle_update_answer(world *w, world_player *p, bool by_initiator, const char *what) {
    bool new_points = walk_count(&p->u2.outer, IBK_PL_IBAKE) > 0;
    oracle_rule(judge_update_r1(&p->i1, &p->r1, &p->u1, &p->u2, by_initiator), p, what);
    oracle_rule(world_check_v(w, &p->u2, p, new_points), p, what);
    if (!p->moved && new_points)
        oracle_rule(judge_fresh(&p->i1, &p->r1, &p->i2, &p->u2), p, what);
    oracle_rule(judge_sessions_answer(&p->force, &p->u1, &p->u2), p, what);
    p->moved = p->moved || new_points;
    note_time(p, p->u1.t, by_initiator != p->initiator);
    take(p);
}
