/* CSB updates: what holds between their messages, and between them and the initial exchange (RFC 6267 §5.3).
 */
#include "world/judge.h"

enum { IBAKE = 22 };                  /* RFC 6267 §6.1 */
enum { COUNTER = 2, NTP_UTC_32 = 3 }; /* RFC 3830 §6.6, RFC 6043 §6.3 */

static const char *parties(const judged *i1, const judged *r1, const judged *u) {
    if (u->csb_id != i1->csb_id || u->prf != i1->prf)
        return "RFC 6267 §5.3: CSB ID and PRF of the initial exchange";
    if ((u->idi.len > 0 && !ibk_span_equal(u->idi, i1->idi)) ||
        (u->idr.len > 0 && !ibk_span_equal(u->idr, r1->idr)))
        return "RFC 6267 §5.3: the parties of the initial exchange";
    if (u->plain.len > 0 && (!ibk_span_equal(u->in_idi, i1->idi) || !ibk_span_equal(u->in_idr, r1->idr)))
        return "RFC 6267 §7.2: the parties of the initial exchange, inside";
    return NULL;
}

static bool has_ibake(const judged *j) {
    return walk_count(&j->outer, IBAKE) > 0;
}

const char *judge_update_i1(const judged *i1, const judged *r1, const judged *u1, bool by_initiator) {
    const char *rule = parties(i1, r1, u1);
    if (rule || !has_ibake(u1))
        return rule;
    if (!u1->readable)
        return "RFC 6267 §5.3: encrypted to the other party";
    if ((by_initiator ? &u1->x : &u1->y)->octets.len == 0)
        return "RFC 6267 §5.3, P-30: the point of who starts the update";
    return NULL;
}

const char *judge_update_r1(const judged *i1, const judged *r1, const judged *u1, const judged *answer,
                            bool by_initiator) {
    const char *rule = parties(i1, r1, answer);
    const judge_point *offered = by_initiator ? &u1->x : &u1->y;
    const judge_point *echo = by_initiator ? &answer->x : &answer->y;
    if (rule)
        return rule;
    if (!ibk_span_equal(u1->t, answer->t))
        return "RFC 6267 §5.3: the T of the update's I_MESSAGE_1";
    if (u1->map.data[0] != answer->map.data[0] || u1->map.data[1] != answer->map.data[1])
        return "RFC 6267 §5.3: #CS and CS ID map type of the update's I_MESSAGE_1";
    if (has_ibake(u1) != has_ibake(answer))
        return "RFC 6267 §5.3: IBAKE where I_MESSAGE_1 has one";
    if (!has_ibake(u1))
        return NULL;
    if (!answer->readable)
        return "RFC 6267 §5.3: encrypted to who started the update";
    if (!judge_same_point(offered, echo))
        return "RFC 6267 §5.3: the echo of the point that was sent";
    if (answer->y.octets.len == 0 || answer->x.curve != answer->y.curve)
        return "RFC 6267 §5.3: the other party's point, on the same curve";
    if (!ibk_span_equal(offered->mki, answer->x.mki) || !ibk_span_equal(offered->mki, answer->y.mki))
        return "RFC 6267 §5.3: the MKI of the new keys";
    return NULL;
}

const char *judge_fresh(const judged *i1, const judged *r1, const judged *i2, const judged *u) {
    const judge_point *old[] = {&i1->x, &i2->x, &r1->y}, *made[] = {&u->x, &u->y};
    for (size_t i = 0; i < sizeof old / sizeof old[0]; i++)
        for (size_t j = 0; j < sizeof made / sizeof made[0]; j++)
            if (judge_same_point(old[i], made[j]))
                return "P-20: a point of its own";
    return NULL;
}

/* 64 bits of NTP time, or the counter. */
static uint64_t value_of(ibk_span t) {
    uint64_t value = 0;
    for (size_t i = 1; i < t.len; i++)
        value = value << 8 | t.data[i];
    return t.data[0] == NTP_UTC_32 ? value << 32 : value;
}

const char *judge_newer(ibk_span t, ibk_span than) {
    static const char rule[] = "RFC 6267 §5.3: a T that is newer than those before";
    if (t.len < 5 || than.len < 5 || (t.data[0] == COUNTER) != (than.data[0] == COUNTER))
        return NULL;
    uint64_t a = value_of(t), b = value_of(than);
    if (t.data[0] == COUNTER)
        return a > b ? NULL : rule;
    return a != b && a - b <= (uint64_t)INT64_MAX ? NULL : rule; /* the era may change: RFC 3830 §4.2.8 */
}
