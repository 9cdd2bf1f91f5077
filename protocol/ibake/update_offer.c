/* Crypto sessions and policies in a CSB update (RFC 6267 §5.3): further ones may come, those in force stay as
 * they are. Nothing authenticates I_MESSAGE_1 of an update, so that nothing may be weakened by one (P-33). */
#include "ibake/session_internal.h"

#include <stdlib.h>
#include <string.h>

static ibk_hdr in_force(const ibk_session *s) {
    ibk_hdr hdr = s->hdr;
    hdr.map = ibk_buf_span(&s->map);
    return hdr;
}

static ibk_hdr to_come(const ibk_session *s, const update *u) {
    ibk_hdr hdr = s->hdr;
    hdr.n_cs = u->n_cs;
    hdr.map = ibk_buf_span(&u->map);
    return hdr;
}

/* Each crypto session of `old` is in `hdr`, at its place, with its policies and its SSRC. Its ROC is where
 * the stream has come to (RFC 3830 §6.1.1), so it may differ. */
static bool keeps(const ibk_hdr *old, const ibk_hdr *hdr) {
    if (hdr->map_type != old->map_type || hdr->n_cs < old->n_cs) {
        return false;
    }
    ibk_cs_srtp was, is;
    for (size_t i = 0; ibk_map_srtp(old, i, &was); i++) {
        if (!ibk_map_srtp(hdr, i, &is) || is.policy_no != was.policy_no || is.ssrc != was.ssrc) {
            return false;
        }
    }
    return old->map_type != IBK_MAP_GENERIC_ID || /* its entries carry no counters that move by themselves */
           (hdr->map.len >= old->map.len &&
            ibk_span_equal(ibk_span_of(hdr->map.data, old->map.len), old->map));
}

static ibk_sp *policy_of(ibk_sp *policies, size_t n, uint8_t policy_no) {
    for (size_t i = 0; i < n; i++) {
        if (policies[i].policy_no == policy_no) {
            return &policies[i];
        }
    }
    return NULL;
}

static bool same_policy(const ibk_sp *a, const ibk_sp *b) {
    return a->policy_no == b->policy_no && a->prot_type == b->prot_type &&
           ibk_span_equal(a->params, b->params);
}

/* The policies of the session and, behind them, those of `sps` that are new. IBK_ERR_BIDDING_DOWN: one of
 * them would change a policy in force; where none was ever named, those are the defaults. */
static ibk_err extend(const ibk_session *s, update *u, const ibk_sp *sps, size_t n) {
    const owned_policies *old = &s->policies;
    bool frozen = guards(s, IBK_DEFENCE_POLICY_IN_FORCE);
    if (n > 0 && old->count == 0 && frozen) {
        return IBK_ERR_BIDDING_DOWN;
    }
    if (old->count + n > MAX_POLICIES) {
        return IBK_ERR_LIMIT;
    }
    ibk_sp *all = calloc(old->count + n + 1, sizeof *all); /* + 1: none at all is no failure */
    if (!all) {
        return IBK_ERR_NO_MEMORY;
    }
    ibk_err err = IBK_OK;
    size_t count = old->count;
    for (size_t i = 0; i < old->count; i++) {
        all[i] = old->items[i];
    }
    for (size_t i = 0; i < n && !err; i++) {
        ibk_sp *known = policy_of(all, old->count, sps[i].policy_no);
        if (!known) {
            all[count++] = sps[i];
        } else if (!same_policy(known, &sps[i]) && frozen) {
            err = IBK_ERR_BIDDING_DOWN;
        } else {
            *known = sps[i];
        }
    }
    err = err ? err : offer_store(&u->policies, all, count);
    u->n_further = count - old->count;
    free(all);
    return err;
}

static ibk_err copy(ibk_buf *out, ibk_span octets) {
    ibk_buf_clear(out);
    return ibk_buf_append_span(out, octets);
}

/* ---- who starts it ----------------------------------------------------------------------------------------
 */

static ibk_err put_sessions(ibk_buf *map, const ibk_update_config *config) {
    ibk_err err = IBK_OK;
    for (size_t i = 0; i < config->n_srtp && !err; i++) {
        err = ibk_map_put_srtp(map, &config->srtp[i]);
    }
    return err;
}

ibk_err update_offer_from_config(call *c, update *u) {
    const ibk_session *s = c->s;
    const ibk_update_config *config = c->config;
    ibk_err err = config->n_srtp > 0 ? put_sessions(&u->map, config) : copy(&u->map, ibk_buf_span(&s->map));
    u->n_cs = config->n_srtp > 0 ? (uint8_t)config->n_srtp : s->hdr.n_cs;
    err = err ? err : extend(s, u, config->policies, config->n_policies);
    return err ? call_fail(c, err, "HDR", "the update cannot be stored") : IBK_OK;
}

ibk_err update_offer_sound(ibk_session *s, const ibk_update_config *config) {
    update u = {0};
    ibk_hdr old = in_force(s);
    if (config->n_srtp > MAX_CS || config->n_policies > MAX_POLICIES ||
        (config->n_srtp > 0 && old.map_type != IBK_MAP_SRTP_ID)) {
        return IBK_ERR_USAGE;
    }
    call c = {.s = s, .config = config};
    ibk_err err = update_offer_from_config(&c, &u);
    ibk_hdr hdr = to_come(s, &u);
    if (err == IBK_ERR_BIDDING_DOWN ||
        (!err && (!keeps(&old, &hdr) || !offer_consistent(&u.policies, &hdr)))) {
        err = IBK_ERR_USAGE;
    }
    ibk_buf_free(&u.map);
    offer_free_policies(&u.policies);
    return err;
}

void update_offer_add(const update *u, ibk_msg *msg) {
    for (size_t i = u->policies.count - u->n_further; i < u->policies.count; i++) {
        const ibk_sp *sp = &u->policies.items[i];
        ibk_add_sp(&msg->chain, sp->policy_no, sp->prot_type, sp->params);
    }
}

/* ---- who answers it ---------------------------------------------------------------------------------------
 */

/* §5.3 (N76): they SHOULD NOT recur; if they do, they are those of the initial exchange. */
static ibk_err check_sdp_ids(call *c) {
    ibk_span ids;
    ibk_err err = offer_find_sdp_ids(c, &ids);
    if (!err && guards(c->s, IBK_DEFENCE_BIDDING_DOWN) && ids.len > 0 &&
        !ibk_span_equal(ids, ibk_buf_span(&c->s->sdp_ids))) {
        err = call_fail(c, IBK_ERR_BIDDING_DOWN, "General Extension", "not those of the initial exchange");
    }
    return err;
}

static ibk_err take_policies(call *c, update *u) {
    size_t n = ibk_chain_count(&c->msg->chain, IBK_PL_SP);
    ibk_sp *sps = n > 0 && n <= MAX_POLICIES ? calloc(n, sizeof *sps) : NULL;
    if (n > 0 && !sps) {
        return call_fail(c, n > MAX_POLICIES ? IBK_ERR_LIMIT : IBK_ERR_NO_MEMORY, "SP", "too many policies");
    }
    for (size_t i = 0; i < n; i++) {
        sps[i] = ibk_msg_find(c->msg, IBK_PL_SP, i)->sp;
    }
    ibk_err err = extend(c->s, u, sps, n);
    free(sps);
    return err ? call_unsupported(c, err, IBK_ERRNO_SP, "SP", "it would change a policy in force") : IBK_OK;
}

ibk_err update_offer_take(call *c, update *u) {
    const ibk_session *s = c->s;
    ibk_hdr old = in_force(s);
    bool kept = guards(s, IBK_DEFENCE_POLICY_IN_FORCE) ? keeps(&old, &c->msg->hdr)
                                                       : c->msg->hdr.map_type == old.map_type;
    if (!kept) {
        return call_fail(c, IBK_ERR_BIDDING_DOWN, "HDR", "it takes away or changes crypto sessions in force");
    }
    ibk_err err = offer_answer_map(s, &c->msg->hdr, &u->map);
    if (err) {
        return call_fail(c, err, "HDR", "the map cannot be stored");
    }
    u->n_cs = c->msg->hdr.n_cs;
    err = take_policies(c, u);
    ibk_hdr hdr = to_come(s, u);
    err = err ? err : offer_judge(c, &u->policies, &hdr);
    return err ? err : check_sdp_ids(c);
}

/* ---- the answer -----------------------------------------------------------------------------------------
 */

/* What we left 0 is the other side's to fill (RFC 3830 §6.1.1). */
static bool map_answers(const ibk_hdr *ours, const ibk_hdr *answer) {
    if (ours->map_type != IBK_MAP_SRTP_ID) {
        return ibk_span_equal(ours->map, answer->map);
    }
    ibk_cs_srtp want, got;
    for (size_t i = 0; ibk_map_srtp(ours, i, &want); i++) {
        if (!ibk_map_srtp(answer, i, &got) || got.policy_no != want.policy_no) {
            return false;
        }
        if (want.ssrc != 0 && (got.ssrc != want.ssrc || got.roc != want.roc)) {
            return false;
        }
    }
    return true;
}

/* P-14: our further policies, as they arrived, now under V; no others. */
static bool policies_repeated(const call *c, const update *u) {
    if (ibk_chain_count(&c->msg->chain, IBK_PL_SP) != u->n_further) {
        return false;
    }
    size_t old = u->policies.count - u->n_further;
    for (size_t i = 0; i < u->n_further; i++) {
        if (!same_policy(&ibk_msg_find(c->msg, IBK_PL_SP, i)->sp, &u->policies.items[old + i])) {
            return false;
        }
    }
    return true;
}

ibk_err update_offer_check(call *c, update *u) {
    ibk_hdr ours = to_come(c->s, u);
    bool compare = guards(c->s, IBK_DEFENCE_BIDDING_DOWN);
    if (compare && !map_answers(&ours, &c->msg->hdr)) {
        return call_fail(c, IBK_ERR_BIDDING_DOWN, "HDR", "the answer changes our crypto sessions");
    }
    if (compare && !policies_repeated(c, u)) {
        return call_fail(c, IBK_ERR_BIDDING_DOWN, "SP", "not the policies that we offered");
    }
    ibk_err err = check_sdp_ids(c);
    err = err ? err : copy(&u->map, c->msg->hdr.map);
    u->n_cs = c->msg->hdr.n_cs;
    return err == IBK_ERR_NO_MEMORY ? call_fail(c, err, "HDR", "out of memory") : err;
}
