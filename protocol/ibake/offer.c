/* What is negotiated: the map of crypto sessions, security policies, SDP identifiers. */
#include "ibake/session_internal.h"

#include <stdlib.h>

/* ---- storing ------------------------------------------------------------------------------------------- */

void offer_free_policies(owned_policies *policies) {
    free(policies->items);
    ibk_buf_free(&policies->octets);
    *policies = (owned_policies){0};
}

/* sp_at(i) of an array or of a chain of payloads */
typedef const ibk_sp *sp_at(const void *from, size_t i);

static const ibk_sp *sp_of_array(const void *from, size_t i) {
    return &((const ibk_sp *)from)[i];
}

static const ibk_sp *sp_of_chain(const void *from, size_t i) {
    const ibk_payload *p = ibk_chain_find(from, IBK_PL_SP, i);
    return &p->sp;
}

static ibk_err store_policies(owned_policies *out, sp_at *at, const void *from, size_t n) {
    if (n == 0) {
        return IBK_OK;
    }
    out->items = calloc(n, sizeof *out->items);
    if (!out->items) {
        return IBK_ERR_NO_MEMORY;
    }
    for (size_t i = 0; i < n; i++) {
        ibk_err err = ibk_buf_append_span(&out->octets, at(from, i)->params);
        if (err) {
            return err;
        }
    }
    size_t offset = 0;
    for (size_t i = 0; i < n; i++) { /* only now does the storage stay where it is */
        out->items[i] = *at(from, i);
        out->items[i].params = ibk_buf_part(&out->octets, offset, out->items[i].params.len);
        offset += out->items[i].params.len;
    }
    out->count = n;
    return IBK_OK;
}

static bool policy_known(const owned_policies *policies, uint8_t policy_no) {
    for (size_t i = 0; i < policies->count; i++) {
        if (policies->items[i].policy_no == policy_no) {
            return true;
        }
    }
    return policies->count == 0; /* none offered: the defaults of RFC 3830 §6.10.1 */
}

/* CS IDs are unique: two crypto sessions of one ID would share a TEK (RFC 6043 §6.1.1). */
static bool sessions_unique(const ibk_hdr *hdr) {
    bool seen[256] = {
        [0] = true, [IBK_SESSION_CS_ID] = true}; /* 0 is none, 0xFF labels the keys of messages */
    ibk_cs_generic generic;
    for (size_t i = 0; ibk_map_generic(hdr, i, &generic); i++) {
        if (seen[generic.cs_id]) {
            return false;
        }
        seen[generic.cs_id] = true;
    }
    return true;
}

bool offer_consistent(const owned_policies *policies, const ibk_hdr *hdr) {
    for (size_t i = 0; i < policies->count; i++) {
        for (size_t j = 0; j < i; j++) {
            if (policies->items[i].policy_no == policies->items[j].policy_no) {
                return false;
            }
        }
    }
    ibk_cs_srtp srtp;
    for (size_t i = 0; ibk_map_srtp(hdr, i, &srtp); i++) {
        if (!policy_known(policies, srtp.policy_no)) {
            return false;
        }
    }
    ibk_cs_generic generic;
    for (size_t i = 0; ibk_map_generic(hdr, i, &generic); i++) {
        for (size_t k = 0; k < generic.policies.len; k++) {
            if (!policy_known(policies, generic.policies.data[k])) {
                return false;
            }
        }
    }
    return sessions_unique(hdr);
}

/* ---- from the configuration ------------------------------------------------------------------------------
 */

static ibk_err put_map(ibk_buf *map, const ibk_session_config *config, uint8_t *n_cs) {
    size_t n = config->map_type == IBK_MAP_SRTP_ID      ? config->n_srtp
               : config->map_type == IBK_MAP_GENERIC_ID ? config->n_generic
                                                        : 0;
    if (config->map_type > IBK_MAP_GENERIC_ID || config->n_srtp + config->n_generic != n || n > MAX_CS) {
        return IBK_ERR_USAGE;
    }
    for (size_t i = 0; i < n; i++) {
        ibk_err err = config->map_type == IBK_MAP_SRTP_ID ? ibk_map_put_srtp(map, &config->srtp[i])
                                                          : ibk_map_put_generic(map, &config->generic[i]);
        if (err) {
            return err;
        }
    }
    *n_cs = (uint8_t)n;
    return IBK_OK;
}

ibk_err offer_store(owned_policies *out, const ibk_sp *policies, size_t n) {
    return store_policies(out, sp_of_array, policies, n);
}

ibk_err offer_from_config(ibk_session *s, const ibk_session_config *config) {
    uint8_t n_cs = 0;
    if (s->role == IBK_SESSION_RESPONDER) { /* only SSRCs, to fill in */
        return put_map(&s->ssrc_map, config, &n_cs);
    }
    ibk_err err = put_map(&s->map, config, &n_cs);
    if (err) {
        return err;
    }
    /* RFC 4563 §5 (N1): no SP with an Empty map */
    if (config->n_policies > MAX_POLICIES || (config->map_type == IBK_MAP_EMPTY && config->n_policies > 0)) {
        return IBK_ERR_USAGE;
    }
    s->hdr = (ibk_hdr){
        .prf = s->policy.prf, .n_cs = n_cs, .map_type = config->map_type, .map = ibk_buf_span(&s->map)};
    err = offer_store(&s->policies, config->policies, config->n_policies);
    return err ? err : offer_consistent(&s->policies, &s->hdr) ? IBK_OK : IBK_ERR_USAGE;
}

ibk_err offer_add(const ibk_session *s, ibk_msg *msg) {
    for (size_t i = 0; i < s->policies.count; i++) {
        const ibk_sp *sp = &s->policies.items[i];
        ibk_add_sp(&msg->chain, sp->policy_no, sp->prot_type, sp->params);
    }
    /* RFC 4567 §4.1.4 (N45, N48, N49): told in I_MESSAGE_1, authenticated in R_MESSAGE_2 (P-14) */
    if (s->sdp_ids.len > 0 && msg->hdr.data_type != IBK_MSG_R_MESSAGE_1) {
        ibk_add_ext(&msg->chain, IBK_EXT_SDP_IDS, ibk_buf_span(&s->sdp_ids));
    }
    return msg->chain.err;
}

ibk_err offer_finish(call *c, ibk_msg *msg, const ibk_buf *ibake, const ibk_buf *esk) {
    ibk_err err = offer_add(c->s, msg);
    ibk_add_enc(&msg->chain, IBK_PL_IBAKE, ibk_buf_span(ibake));
    if (esk && esk->len > 0) {
        ibk_add_enc(&msg->chain, IBK_PL_ESK, ibk_buf_span(esk));
    }
    ibk_err written = call_finish(c, msg);
    return err ? err : written;
}

/* ---- the responder takes it
 * ---------------------------------------------------------------------------------- */

/* One crypto session of the answer: one policy, session data and an SPI, even where the offer has none
 * (RFC 6043 §6.1.1, N3 to N8). Our SPI is the CS ID, which no other session of the bundle has. */
static ibk_err put_generic_answer(const ibk_session *s, const ibk_cs_generic *offered, ibk_buf *map) {
    static const uint8_t default_policy = 0;
    ibk_cs_generic cs = *offered;
    ibk_buf data = {0};
    ibk_err err = IBK_OK;
    if (cs.policies.len == 0) {
        cs.policies =
            ibk_span_of(s->policies.count > 0 ? &s->policies.items[0].policy_no : &default_policy, 1);
    }
    cs.policies.len = 1;
    if (cs.spi.len == 0) {
        cs.spi = ibk_span_of(&offered->cs_id, 1);
    }
    if (cs.session.len == 0 && cs.prot_type == IBK_PROT_SRTP && !cs.s_flag) {
        err = ibk_srtp_session_write(&data, &(ibk_srtp_session){0}); /* the SSRC is not known: 0 */
        cs.session = ibk_buf_span(&data);
    }
    err = err ? err : ibk_map_put_generic(map, &cs);
    ibk_buf_free(&data);
    return err;
}

/* The answer's map: our SSRCs where 0 was offered (RFC 3830 §6.1.1), one policy each (RFC 6043 §6.1.1, N3,
 * N5). */
ibk_err offer_answer_map(const ibk_session *s, const ibk_hdr *offer, ibk_buf *map) {
    if (offer->map_type == IBK_MAP_EMPTY) {
        return IBK_OK;
    }
    ibk_hdr ours = {.map_type = IBK_MAP_SRTP_ID, .map = ibk_buf_span(&s->ssrc_map)};
    ours.n_cs = (uint8_t)(s->ssrc_map.len / 9); /* octets of an entry */
    ibk_err err = IBK_OK;
    ibk_cs_srtp cs, fill;
    for (size_t i = 0; !err && ibk_map_srtp(offer, i, &cs); i++) {
        if (cs.ssrc == 0 && ibk_map_srtp(&ours, i, &fill)) {
            cs.ssrc = fill.ssrc;
            cs.roc = fill.roc;
        }
        err = ibk_map_put_srtp(map, &cs);
    }
    ibk_cs_generic generic;
    for (size_t i = 0; !err && ibk_map_generic(offer, i, &generic); i++) {
        err = put_generic_answer(s, &generic, map);
    }
    return err;
}

/* The rule where the node has none: SRTP, parameters and algorithms that exist, no NULL. */
static ibk_err builtin_rule(call *c) {
    const ibk_payload *sp;
    for (size_t i = 0; (sp = ibk_msg_find(c->msg, IBK_PL_SP, i)) != NULL; i++) {
        ibk_srtp_policy p;
        ibk_err err = ibk_srtp_policy_parse(&p, &sp->sp, c->diag);
        if (err) { /* told from the parameters' start: next payload, number, type and length precede them */
            c->diag->offset += sp->offset + 5;
            return err;
        }
        /* RFC 3830 §6.10.1: numbers that are in no table of it name nothing that a key could be made for */
        if (p.encr_alg > IBK_SRTP_ENCR_AES_F8 || p.auth_alg > IBK_SRTP_AUTH_HMAC_SHA1 || p.prf > 0) {
            return ibk_fail(c->diag, IBK_ERR_UNSUPPORTED, "SP", sp->offset,
                            "policy %u has an unknown algorithm", sp->sp.policy_no);
        }
        bool null = p.encr_alg == IBK_SRTP_ENCR_NULL || !p.srtp_encr || p.auth_alg == IBK_SRTP_AUTH_NULL ||
                    !p.srtp_auth;
        if (null && !c->s->policy.allow_null_srtp && guards(c->s, IBK_DEFENCE_NULL_SRTP)) {
            return ibk_fail(c->diag, IBK_ERR_REFUSED, "SP", sp->offset, "policy %u is without protection",
                            sp->sp.policy_no);
        }
    }
    return IBK_OK;
}

ibk_err offer_judge(call *c, const owned_policies *policies, const ibk_hdr *in_force) {
    const ibk_node *node = &c->s->node;
    if (policies->count > 0 && in_force->map_type == IBK_MAP_EMPTY) { /* RFC 4563 §5 (N1) */
        return call_fail(c, IBK_ERR_UNEXPECTED_PAYLOAD, "SP", "SP beside an Empty map");
    }
    if (!offer_consistent(policies, in_force)) {
        return call_unsupported(c, IBK_ERR_BAD_VALUE, IBK_ERRNO_SP, "SP",
                                "policy numbers or CS IDs missing or repeated");
    }
    ibk_err err;
    if (!node->accept_policies) {
        err = builtin_rule(c);
    } else if ((err = node->accept_policies(node->user, policies->items, policies->count)) != IBK_OK) {
        call_fail(c, err, "SP", "the node does not accept the policies");
    }
    if (err) { /* RFC 3830 §6.12: 10 for a parameter, 9 for the policy */
        c->error_no = err == IBK_ERR_BAD_VALUE ? IBK_ERRNO_SPPAR : IBK_ERRNO_SP;
    }
    return err;
}

/* The General Extension with the SDP identifiers, if any. */
ibk_err offer_find_sdp_ids(call *c, ibk_span *out) {
    size_t found = 0;
    const ibk_payload *p;
    *out = (ibk_span){0};
    for (size_t i = 0; (p = ibk_msg_find(c->msg, IBK_PL_EXT, i)) != NULL; i++) {
        if (p->ext.ext_type == IBK_EXT_SDP_IDS) {
            *out = p->ext.data;
            found++;
        }
    }
    if (found > 1 || out->len > MAX_SDP_IDS) {
        return call_fail(c, IBK_ERR_UNEXPECTED_PAYLOAD, "General Extension",
                         "SDP identifiers twice, or too long");
    }
    return IBK_OK;
}

static ibk_err take_sdp_ids(call *c) {
    ibk_session *s = c->s;
    ibk_span ids;
    ibk_err err = offer_find_sdp_ids(c, &ids);
    if (!err && guards(s, IBK_DEFENCE_BIDDING_DOWN) && s->sdp_seen.len > 0 &&
        !ibk_span_equal(ids, ibk_buf_span(&s->sdp_seen))) {
        /* RFC 4567 §7 (N53, N54) */
        return call_fail(c, IBK_ERR_BIDDING_DOWN, "General Extension", "the SDP offered other protocols");
    }
    return err ? err : ibk_buf_append_span(&s->sdp_ids, ids);
}

ibk_err offer_take(call *c) {
    ibk_session *s = c->s;
    size_t n = ibk_chain_count(&c->msg->chain, IBK_PL_SP);
    s->hdr = c->msg->hdr;
    s->hdr.data_type = IBK_MSG_I_MESSAGE_1;
    s->hdr.map = (ibk_span){0};
    if (n > MAX_POLICIES) {
        return call_fail(c, IBK_ERR_LIMIT, "SP", "too many policies");
    }
    ibk_err err = store_policies(&s->policies, sp_of_chain, &c->msg->chain, n);
    err = err ? err : offer_answer_map(s, &c->msg->hdr, &s->map); /* which may choose one of them */
    s->hdr.map = ibk_buf_span(&s->map);
    if (err) {
        return call_fail(c, err, "SP", "the offer cannot be stored");
    }
    err = offer_judge(c, &s->policies, &s->hdr);
    return err ? err : take_sdp_ids(c);
}

/* ---- asked later
 * ------------------------------------------------------------------------------------------------ */

bool offer_has_cs(const ibk_session *s, uint8_t cs_id, uint8_t *policy_no, bool *has_policy) {
    ibk_cs_srtp srtp;
    ibk_cs_generic generic;
    *has_policy = false;
    *policy_no = 0;
    if (cs_id == 0 || cs_id == IBK_SESSION_CS_ID) { /* 0xFF labels the keys of messages */
        return false;
    }
    if (s->hdr.map_type == IBK_MAP_EMPTY) {
        return cs_id <= s->hdr.n_cs;
    }
    if (ibk_map_srtp(&s->hdr, (size_t)cs_id - 1, &srtp)) {
        *policy_no = srtp.policy_no;
        *has_policy = true;
        return true;
    }
    for (size_t i = 0; ibk_map_generic(&s->hdr, i, &generic); i++) {
        if (generic.cs_id == cs_id) {
            *has_policy = generic.policies.len > 0;
            *policy_no = *has_policy ? generic.policies.data[0] : 0;
            return true;
        }
    }
    return false;
}
