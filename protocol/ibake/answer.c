/* What the initiator checks of the answer to its offer: R_MESSAGE_1's map and policies, and their repetition
 * under V in R_MESSAGE_2 (P-14). */
#include "ibake/session_internal.h"

static bool same_srtp_map(const ibk_hdr *offer, const ibk_hdr *answer) {
    ibk_cs_srtp want, got;
    for (size_t i = 0; ibk_map_srtp(offer, i, &want); i++) {
        if (!ibk_map_srtp(answer, i, &got) || got.policy_no != want.policy_no) {
            return false;
        }
        /* RFC 3830 §6.1.1: what we left 0 is the responder's to fill */
        if (want.ssrc != 0 && (got.ssrc != want.ssrc || got.roc != want.roc)) {
            return false;
        }
    }
    return true;
}

static bool policies_answer(ibk_span offered, ibk_span chosen) {
    if (offered.len == 0 || ibk_span_equal(offered, chosen)) {
        return true;
    }
    for (size_t i = 0; chosen.len == 1 && i < offered.len; i++) { /* RFC 6043 §6.1.1 (N3, N5) */
        if (offered.data[i] == chosen.data[0]) {
            return true;
        }
    }
    return false;
}

static bool same_generic_map(const ibk_hdr *offer, const ibk_hdr *answer) {
    ibk_cs_generic want, got;
    for (size_t i = 0; ibk_map_generic(offer, i, &want); i++) {
        if (!ibk_map_generic(answer, i, &got) || got.cs_id != want.cs_id || got.prot_type != want.prot_type ||
            got.s_flag != want.s_flag || !policies_answer(want.policies, got.policies)) {
            return false;
        }
        /* session data and SPI are the responder's to give where we gave none (N7, N8 of RFC 6043) */
        if ((want.session.len && !ibk_span_equal(want.session, got.session)) ||
            (want.spi.len && !ibk_span_equal(want.spi, got.spi))) {
            return false;
        }
    }
    return true;
}

static bool same_policies(const call *c) {
    const owned_policies *ours = &c->s->policies;
    if (ibk_chain_count(&c->msg->chain, IBK_PL_SP) != ours->count) {
        return false;
    }
    for (size_t i = 0; i < ours->count; i++) {
        const ibk_sp *got = &ibk_msg_find(c->msg, IBK_PL_SP, i)->sp, *want = &ours->items[i];
        if (got->policy_no != want->policy_no || got->prot_type != want->prot_type ||
            !ibk_span_equal(got->params, want->params)) {
            return false;
        }
    }
    return true;
}

ibk_err offer_check_answer(call *c) {
    ibk_session *s = c->s;
    const ibk_hdr *answer = &c->msg->hdr;
    if (!guards(s, IBK_DEFENCE_BIDDING_DOWN)) {
        return IBK_OK;
    }
    bool map_ok = s->hdr.map_type == IBK_MAP_SRTP_ID      ? same_srtp_map(&s->hdr, answer)
                  : s->hdr.map_type == IBK_MAP_GENERIC_ID ? same_generic_map(&s->hdr, answer)
                                                          : true;
    if (!map_ok) {
        return call_fail(c, IBK_ERR_BIDDING_DOWN, "HDR", "the answer changes our crypto sessions");
    }
    if (!offer_consistent(&s->policies, answer)) { /* a number that we offered none for means the defaults */
        return call_fail(c, IBK_ERR_BIDDING_DOWN, "HDR", "the answer chooses a policy that is not there");
    }
    /* {SP}: none, or what we offered (P-14) */
    if (ibk_msg_find(c->msg, IBK_PL_SP, 0) && !same_policies(c)) {
        return call_fail(c, IBK_ERR_BIDDING_DOWN, "SP", "the answer changes our policies");
    }
    return IBK_OK;
}

ibk_err offer_adopt_answer(call *c) {
    ibk_session *s = c->s;
    const ibk_hdr *answer = &c->msg->hdr;
    ibk_buf map = {0};
    ibk_err err = ibk_buf_append_span(&map, c->msg->hdr.map);
    if (err) {
        return call_fail(c, err, "HDR", "out of memory");
    }
    ibk_buf_free(&s->map);
    s->map = map;
    s->hdr.map = ibk_buf_span(&s->map);
    /* the same as ours, unless nobody looked (IBK_DEFENCE_HEADER_REPEAT) */
    s->hdr.n_cs = answer->n_cs;
    s->hdr.map_type = answer->map_type;
    s->hdr.prf = ibk_prf_hash_len(answer->prf) ? answer->prf : s->hdr.prf;
    return IBK_OK;
}

ibk_err offer_check_repeated(call *c) {
    ibk_session *s = c->s;
    if (!guards(s, IBK_DEFENCE_BIDDING_DOWN)) {
        return IBK_OK;
    }
    if (!same_policies(c)) {
        return call_fail(c, IBK_ERR_BIDDING_DOWN, "SP", "not the policies that we offered");
    }
    size_t repeated = 0;
    const ibk_payload *p;
    for (size_t i = 0; (p = ibk_msg_find(c->msg, IBK_PL_EXT, i)) != NULL; i++) {
        if (p->ext.ext_type != IBK_EXT_SDP_IDS) {
            continue;
        }
        repeated++;
        if (!ibk_span_equal(p->ext.data, ibk_buf_span(&s->sdp_ids))) {
            return call_fail(c, IBK_ERR_BIDDING_DOWN, "General Extension",
                             "not the SDP identifiers that we sent");
        }
    }
    if (repeated != (s->sdp_ids.len > 0 ? 1u : 0u)) { /* RFC 4567 §4.1.4 (N45, N47) */
        return call_fail(c, IBK_ERR_BIDDING_DOWN, "General Extension",
                         "our SDP identifiers are not repeated");
    }
    return IBK_OK;
}
