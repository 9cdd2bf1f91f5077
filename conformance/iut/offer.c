/* Crypto sessions and security policies of a request (IUT.md §5). */
#include "conformance/iut/session.h"

#include <stdlib.h>

enum { SESSIONS_MAX = 254, POLICIES_MAX = 127 };

void iut_offer_free(iut_offer *offer) {
    free(offer->srtp);
    free(offer->generic);
    free(offer->policies);
    *offer = (iut_offer){0};
}

/* ---- crypto sessions --------------------------------------------------------------------------------------
 */

static void read_srtp(const iut_place *at, ibk_cs_srtp *cs) {
    iut_only(at, "policy ssrc roc");
    iut_u8(at, "policy", IUT_MUST, &cs->policy_no);
    iut_u32(at, "ssrc", IUT_MUST, &cs->ssrc);
    iut_u32(at, "roc", IUT_MAY, &cs->roc);
}

/* Keeps what was written into `buf` for the case. */
static ibk_span keep(const iut_place *at, iut_store *store, ibk_buf *buf, ibk_err err) {
    ibk_span span = err ? (ibk_span){0} : iut_store_keep(store, buf, &err);
    ibk_buf_free(buf);
    iut_refuse(at, "", err, NULL);
    return span;
}

static void read_generic(const iut_place *at, iut_store *store, ibk_cs_generic *cs) {
    iut_only(at, "cs_id policies ssrc roc rtp_seq mki");
    ibk_srtp_session srtp = {.has_roc = iut_has(at, "roc")};
    int64_t rtp_seq = 0;
    iut_u8(at, "cs_id", IUT_MUST, &cs->cs_id);
    iut_u32(at, "ssrc", IUT_MUST, &srtp.ssrc);
    iut_u32(at, "roc", IUT_MAY, &srtp.roc);
    iut_integer(at, "rtp_seq", srtp.has_roc ? IUT_MUST : IUT_MAY, 0, UINT16_MAX, &rtp_seq);
    iut_octets(at, "mki", IUT_MAY, store, &cs->spi);
    if (!srtp.has_roc && iut_has(at, "rtp_seq"))
        iut_complain(at, IUT_MALFORMED, "rtp_seq", "without roc");
    srtp.seq = (uint16_t)rtp_seq;
    cs->prot_type = IBK_PROT_SRTP;
    cs->s_flag = srtp.has_roc;
    ibk_buf policies = {0}, session = {0};
    ibk_err err = IBK_OK;
    size_t n = iut_array(at, "policies", IUT_MUST, POLICIES_MAX);
    for (size_t i = 0; i < n && !err; i++) {
        int64_t number = 0;
        iut_element_integer(at, "policies", i, UINT8_MAX, &number);
        err = ibk_buf_append(&policies, &(uint8_t){(uint8_t)number}, 1);
    }
    cs->policies = keep(at, store, &policies, err);
    err = ibk_srtp_session_write(&session, &srtp);
    cs->session = keep(at, store, &session, err);
}

void iut_offer_read_map(const iut_place *at, iut_store *store, iut_offer *out) {
    iut_place map, one;
    if (!iut_object(at, "map", IUT_MAY, &map))
        return;
    iut_only(&map, "type sessions");
    iut_value(&map, "type", IUT_MUST, &iut_maps, &out->map_type);
    size_t n = iut_array(&map, "sessions", IUT_MAY, SESSIONS_MAX);
    if (iut_wrong(at))
        return;
    if (out->map_type == IBK_MAP_EMPTY && n > 0)
        iut_complain(&map, IUT_MALFORMED, "sessions", "in an empty map");
    if (out->map_type == IBK_MAP_GENERIC_ID) {
        out->generic = iut_alloc(at, n, sizeof *out->generic);
        while (out->n_generic < n && iut_element(&map, "sessions", out->n_generic, &one))
            read_generic(&one, store, &out->generic[out->n_generic++]);
    } else if (out->map_type == IBK_MAP_SRTP_ID) {
        out->srtp = iut_alloc(at, n, sizeof *out->srtp);
        while (out->n_srtp < n && iut_element(&map, "sessions", out->n_srtp, &one))
            read_srtp(&one, &out->srtp[out->n_srtp++]);
    }
}

void iut_offer_read_ssrcs(const iut_place *at, iut_offer *out) {
    size_t n = iut_array(at, "ssrcs", IUT_MAY, SESSIONS_MAX);
    out->srtp = iut_alloc(at, n, sizeof *out->srtp);
    for (; out->srtp && out->n_srtp < n; out->n_srtp++) {
        int64_t ssrc = 0;
        iut_element_integer(at, "ssrcs", out->n_srtp, UINT32_MAX, &ssrc);
        out->srtp[out->n_srtp].ssrc = (uint32_t)ssrc;
    }
}

/* ---- policies ---------------------------------------------------------------------------------------------
 */

/* A parameter of a policy that is a number, or a switch. */
static void read_param(const iut_place *at, const char *member, unsigned param, ibk_srtp_policy *policy,
                       uint8_t *number, bool *on) {
    if (!iut_has(at, member))
        return;
    if (number)
        iut_u8(at, member, IUT_MUST, number);
    if (on)
        iut_boolean(at, member, IUT_MUST, on);
    policy->present |= UINT32_C(1) << param;
}

static void read_policy(const iut_place *at, iut_store *store, ibk_sp *sp) {
    iut_only(at,
             "number encr_alg encr_key_len auth_alg auth_key_len salt_key_len prf kdr srtp_encr srtcp_encr "
             "fec_order srtp_auth auth_tag_len prefix_len");
    iut_u8(at, "number", IUT_MUST, &sp->policy_no);
    sp->prot_type = IBK_PROT_SRTP;
    ibk_srtp_policy p = ibk_srtp_policy_default();
    read_param(at, "encr_alg", IBK_SRTP_ENCR_ALG, &p, &p.encr_alg, NULL);
    read_param(at, "encr_key_len", IBK_SRTP_ENCR_KEY_LEN, &p, &p.encr_key_len, NULL);
    read_param(at, "auth_alg", IBK_SRTP_AUTH_ALG, &p, &p.auth_alg, NULL);
    read_param(at, "auth_key_len", IBK_SRTP_AUTH_KEY_LEN, &p, &p.auth_key_len, NULL);
    read_param(at, "salt_key_len", IBK_SRTP_SALT_KEY_LEN, &p, &p.salt_key_len, NULL);
    read_param(at, "prf", IBK_SRTP_PRF, &p, &p.prf, NULL);
    read_param(at, "kdr", IBK_SRTP_KDR, &p, NULL, NULL);
    iut_u32(at, "kdr", IUT_MAY, &p.kdr);
    read_param(at, "srtp_encr", IBK_SRTP_ENCR, &p, NULL, &p.srtp_encr);
    read_param(at, "srtcp_encr", IBK_SRTCP_ENCR, &p, NULL, &p.srtcp_encr);
    read_param(at, "fec_order", IBK_SRTP_FEC_ORDER, &p, &p.fec_order, NULL);
    read_param(at, "srtp_auth", IBK_SRTP_AUTH, &p, NULL, &p.srtp_auth);
    read_param(at, "auth_tag_len", IBK_SRTP_AUTH_TAG_LEN, &p, &p.auth_tag_len, NULL);
    read_param(at, "prefix_len", IBK_SRTP_PREFIX_LEN, &p, &p.prefix_len, NULL);
    ibk_buf params = {0};
    ibk_err err = ibk_srtp_policy_write(&params, &p);
    sp->params = keep(at, store, &params, err);
}

void iut_offer_read_policies(const iut_place *at, iut_store *store, iut_offer *out) {
    size_t n = iut_array(at, "policies", IUT_MAY, POLICIES_MAX);
    iut_place one;
    out->policies = iut_alloc(at, n, sizeof *out->policies);
    while (out->n_policies < n && iut_element(at, "policies", out->n_policies, &one))
        read_policy(&one, store, &out->policies[out->n_policies++]);
}
