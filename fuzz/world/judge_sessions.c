/* Crypto sessions and policies of a CSB update: further ones may come, those in force stay as they are (RFC
 * 6267 §5.3). Nothing authenticates I_MESSAGE_1 of an update (P-33). */
#include "world/judge.h"

#include <string.h>

enum { SP = 10 };                                         /* RFC 3830 §6.1 */
enum { MAP_SRTP = 0, MAP_EMPTY = 1, MAP_GEN = 2 };        /* RFC 3830 §6.1, RFC 4563 §5, RFC 6043 §6.1.1 */
enum { ENTRY = 9, SSRC_AT = 1, ROC_AT = 5, ROC_END = 9 }; /* RFC 3830 §6.1.1: policy, SSRC, ROC */
enum { PROT_AT = 1, PARAMS_AT = 4 }; /* RFC 3830 §6.10: policy number, protocol, length, parameters */

/* ---- policies --------------------------------------------------------------------------------------------
 */

/* An SP payload behind its next payload. */
static ibk_span policy_of(const judged *j, const walk_piece *p) {
    return ibk_span_of(j->octets.data + p->at + 1, p->len - 1);
}

/* The next policy of a list that stand one behind the other, each with its own length in it. */
static bool next_policy(ibk_span all, size_t *at, ibk_span *out) {
    if (*at + PARAMS_AT > all.len)
        return false;
    const uint8_t *sp = all.data + *at;
    *out = ibk_span_of(sp, PARAMS_AT + ((size_t)sp[PARAMS_AT - 2] << 8 | sp[PARAMS_AT - 1]));
    *at += out->len;
    return true;
}

static bool find_policy(ibk_span all, uint8_t number, ibk_span *out) {
    size_t at = 0;
    while (next_policy(all, &at, out))
        if (out->data[0] == number)
            return true;
    return false;
}

static ibk_err add_policies(ibk_buf *out, const judged *j, ibk_span without) {
    const walk_piece *p;
    ibk_span known;
    ibk_err err = IBK_OK;
    for (size_t i = 0; !err && (p = walk_find(&j->outer, SP, i)); i++)
        if (!find_policy(without, policy_of(j, p).data[0], &known))
            err = ibk_buf_append_span(out, policy_of(j, p));
    return err;
}

/* RFC 3830 §6.10.1: neither encryption nor authentication is NULL or switched off. */
static bool protects(ibk_span policy) {
    size_t at = PARAMS_AT;
    while (at + 2 <= policy.len) {
        uint8_t type = policy.data[at], len = policy.data[at + 1];
        bool zero = true;
        for (size_t i = 0; i < len && at + 2 + i < policy.len; i++)
            zero &= policy.data[at + 2 + i] == 0;
        if (zero && (type == 0 || type == 2 || type == 7 || type == 10)) /* algorithms, switches */
            return false;
        at += (size_t)2 + len;
    }
    return true;
}

static const char *offered_policy(const judge_force *f, const judged *u, size_t nth) {
    ibk_span known, offered = policy_of(u, walk_find(&u->outer, SP, nth));
    if (u->map.data[1] == MAP_EMPTY)
        return "RFC 4563 §5: no SP beside an Empty map";
    if (f->policies.len == 0)
        return "P-33: the defaults of RFC 3830 §6.10.1 are in force";
    if (find_policy(ibk_buf_span(&f->policies), offered.data[0], &known))
        return ibk_span_equal(known, offered) ? NULL : "P-33: a policy in force stays as it is";
    for (size_t i = 0; i < nth; i++)
        if (policy_of(u, walk_find(&u->outer, SP, i)).data[0] == offered.data[0])
            return "RFC 3830 §6.10: one policy of a number";
    return offered.data[PROT_AT] == 0 && protects(offered) ? NULL : "P-33: a policy for SRTP that protects";
}

static const char *same_policies(ibk_span want, const judged *j) {
    static const char rule[] = "P-14: the policies that were offered, under V";
    size_t at = 0, i = 0;
    ibk_span policy;
    for (; next_policy(want, &at, &policy); i++) {
        const walk_piece *p = walk_find(&j->outer, SP, i);
        if (!p || !ibk_span_equal(policy, policy_of(j, p)))
            return rule;
    }
    return walk_count(&j->outer, SP) == i ? NULL : rule;
}

const char *judge_policies(const judged *offer, const judged *answer) {
    ibk_buf offered = {0};
    const char *rule =
        add_policies(&offered, offer, (ibk_span){0}) ? NULL : same_policies(ibk_buf_span(&offered), answer);
    ibk_buf_free(&offered);
    return rule;
}

/* ---- crypto sessions -------------------------------------------------------------------------------------
 */

static ibk_span entries(ibk_span map) {
    return ibk_span_of(map.data + 2, map.len - 2); /* behind #CS and type */
}

static bool ssrc_is_open(const uint8_t *entry) {
    return memcmp(entry + SSRC_AT, (const uint8_t[4]){0}, 4) == 0;
}

static const char *keeps(ibk_span old, ibk_span map) {
    static const char rule[] = "P-33: the crypto sessions in force stay as they are";
    ibk_span was = entries(old), is = entries(map);
    if (old.data[1] != map.data[1] || old.data[0] > map.data[0] || was.len > is.len)
        return rule;
    if (old.data[1] != MAP_SRTP)
        return was.len == 0 || memcmp(was.data, is.data, was.len) == 0 ? NULL : rule;
    for (size_t at = 0; at < was.len; at += ENTRY)
        if (memcmp(was.data + at, is.data + at, ROC_AT) != 0) /* the ROC moves: RFC 3830 §6.1.1 */
            return rule;
    return NULL;
}

/* The next entry of a GENERIC-ID map (RFC 6043 §6.1.1): its CS ID and its policies. */
static bool next_generic(ibk_span all, size_t *at, uint8_t *cs_id, ibk_span *policies) {
    if (*at >= all.len)
        return false;
    const uint8_t *entry = all.data + *at;
    size_t n = entry[2] & 0x7F, data_at = 3 + n;
    size_t data = (size_t)entry[data_at] << 8 | entry[data_at + 1];
    *cs_id = entry[0];
    *policies = ibk_span_of(entry + 3, n);
    *at += data_at + 2 + data + 1 + entry[data_at + 2 + data];
    return true;
}

static const char *generic_entries(ibk_span map, ibk_span policies) {
    bool seen[256] = {false};
    uint8_t cs_id;
    ibk_span used, found;
    for (size_t at = 0; next_generic(entries(map), &at, &cs_id, &used);) {
        if (seen[cs_id])
            return "RFC 6043 §6.1.1: one crypto session of a CS ID";
        seen[cs_id] = true;
        for (size_t i = 0; i < used.len && policies.len > 0; i++)
            if (!find_policy(policies, used.data[i], &found))
                return "RFC 6043 §6.1.1: policies that are there";
    }
    return NULL;
}

/* Each crypto session has a policy that there is. */
static const char *has_policies(ibk_span map, ibk_span policies) {
    ibk_span found;
    if (map.data[1] == MAP_GEN)
        return generic_entries(map, policies);
    for (size_t at = 0; map.data[1] == MAP_SRTP && policies.len > 0 && at < entries(map).len; at += ENTRY)
        if (!find_policy(policies, entries(map).data[at], &found))
            return "RFC 3830 §6.1.1: policies that are there";
    return NULL;
}

/* What the offer left open is filled; nothing else moves. */
static const char *fills(ibk_span offer, ibk_span answer) {
    static const char rule[] = "P-14: the crypto sessions that were offered, under V";
    ibk_span ours = entries(offer), theirs = entries(answer);
    if (offer.data[0] != answer.data[0] || offer.data[1] != answer.data[1])
        return rule;
    if (offer.data[1] != MAP_SRTP)
        return NULL; /* the answer completes further entries: RFC 6043 §6.1.1 */
    for (size_t at = 0; at < ours.len; at += ENTRY) {
        size_t same = ssrc_is_open(ours.data + at) ? SSRC_AT : ROC_END;
        if (memcmp(ours.data + at, theirs.data + at, same) != 0)
            return rule;
    }
    return NULL;
}

/* ---- in force --------------------------------------------------------------------------------------------
 */

ibk_err judge_force_begin(judge_force *out, const judged *i1, const judged *r1) {
    judge_force_free(out);
    ibk_err err = ibk_buf_append_span(&out->map, r1->map);
    return err ? err : add_policies(&out->policies, i1, (ibk_span){0});
}

ibk_err judge_force_copy(judge_force *out, const judge_force *from) {
    judge_force_free(out);
    ibk_err err = ibk_buf_append_span(&out->map, ibk_buf_span(&from->map));
    return err ? err : ibk_buf_append_span(&out->policies, ibk_buf_span(&from->policies));
}

ibk_err judge_force_take(judge_force *f, const judged *u1, const judged *answer) {
    ibk_buf further = {0};
    ibk_err err = add_policies(&further, u1, ibk_buf_span(&f->policies));
    err = err ? err : ibk_buf_append_span(&f->policies, ibk_buf_span(&further));
    ibk_buf_free(&further);
    ibk_buf_clear(&f->map);
    return err ? err : ibk_buf_append_span(&f->map, answer->map);
}

void judge_force_free(judge_force *f) {
    ibk_buf_free(&f->map);
    ibk_buf_free(&f->policies);
    *f = (judge_force){0};
}

const char *judge_sessions_offer(const judge_force *f, const judged *u1) {
    ibk_buf policies = {0};
    const char *rule = keeps(ibk_buf_span(&f->map), u1->map);
    for (size_t i = 0; !rule && i < walk_count(&u1->outer, SP); i++)
        rule = offered_policy(f, u1, i);
    if (!rule && !ibk_buf_append_span(&policies, ibk_buf_span(&f->policies)) &&
        !add_policies(&policies, u1, ibk_buf_span(&f->policies)))
        rule = has_policies(u1->map, ibk_buf_span(&policies));
    ibk_buf_free(&policies);
    return rule;
}

const char *judge_sessions_answer(const judge_force *f, const judged *u1, const judged *answer) {
    ibk_buf further = {0};
    const char *rule = fills(u1->map, answer->map);
    if (!rule && f->map.data[1] != MAP_SRTP)
        rule = keeps(ibk_buf_span(&f->map), answer->map);
    if (!rule && !add_policies(&further, u1, ibk_buf_span(&f->policies)))
        rule = same_policies(ibk_buf_span(&further), answer);
    ibk_buf_free(&further);
    return rule;
}
