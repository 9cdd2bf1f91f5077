/* The SRTP policy in an SP payload: RFC 3830 §6.10.1. Parameters that are not named have SRTP's defaults (RFC
 * 3711 §5). */
#include "mikey/payload.h"

enum { KDR_MAX = 1 << 24, PARAM_COUNT = IBK_SRTP_PREFIX_LEN + 1 };

ibk_srtp_policy ibk_srtp_policy_default(void) {
    return (ibk_srtp_policy){.encr_alg = IBK_SRTP_ENCR_AES_CM,
                             .encr_key_len = 16,
                             .auth_alg = IBK_SRTP_AUTH_HMAC_SHA1,
                             .auth_key_len = 20,
                             .salt_key_len = 14,
                             .srtp_encr = true,
                             .srtcp_encr = true,
                             .srtp_auth = true,
                             .auth_tag_len = 10};
}

/* A value is a number of one to four octets. */
static bool number(ibk_span value, uint32_t *out) {
    if (value.len == 0 || value.len > 4)
        return false;
    *out = 0;
    for (size_t i = 0; i < value.len; i++)
        *out = *out << 8 | value.data[i];
    return true;
}

static bool is_switch(unsigned type) {
    return type == IBK_SRTP_ENCR || type == IBK_SRTCP_ENCR || type == IBK_SRTP_AUTH;
}

static bool in_range(unsigned type, uint32_t v) {
    if (type == IBK_SRTP_KDR)
        return v <= KDR_MAX;
    return v <= (is_switch(type) ? 1 : UINT8_MAX);
}

/* The one-octet field of a parameter that is neither a switch nor the rate. */
static uint8_t *octet_of(ibk_srtp_policy *p, unsigned type) {
    switch (type) {
    case IBK_SRTP_ENCR_ALG:
        return &p->encr_alg;
    case IBK_SRTP_ENCR_KEY_LEN:
        return &p->encr_key_len;
    case IBK_SRTP_AUTH_ALG:
        return &p->auth_alg;
    case IBK_SRTP_AUTH_KEY_LEN:
        return &p->auth_key_len;
    case IBK_SRTP_SALT_KEY_LEN:
        return &p->salt_key_len;
    case IBK_SRTP_PRF:
        return &p->prf;
    case IBK_SRTP_FEC_ORDER:
        return &p->fec_order;
    case IBK_SRTP_AUTH_TAG_LEN:
        return &p->auth_tag_len;
    default: /* IBK_SRTP_PREFIX_LEN */
        return &p->prefix_len;
    }
}

static bool *switch_of(ibk_srtp_policy *p, unsigned type) {
    return type == IBK_SRTP_ENCR ? &p->srtp_encr : type == IBK_SRTCP_ENCR ? &p->srtcp_encr : &p->srtp_auth;
}

static void set(ibk_srtp_policy *p, unsigned type, uint32_t v) {
    if (type == IBK_SRTP_KDR)
        p->kdr = v;
    else if (is_switch(type))
        *switch_of(p, type) = v != 0;
    else
        *octet_of(p, type) = (uint8_t)v;
    p->present |= 1u << type;
}

static uint32_t get(const ibk_srtp_policy *policy, unsigned type) {
    ibk_srtp_policy p = *policy;
    if (type == IBK_SRTP_KDR)
        return p.kdr;
    return is_switch(type) ? *switch_of(&p, type) : *octet_of(&p, type);
}

ibk_err ibk_srtp_policy_parse(ibk_srtp_policy *out, const ibk_sp *sp, ibk_diag *diag) {
    *out = ibk_srtp_policy_default();
    if (sp->prot_type != IBK_PROT_SRTP)
        return ibk_fail(diag, IBK_ERR_UNSUPPORTED, "SP", 0, "security protocol %u", sp->prot_type);
    uint8_t type;
    ibk_span value;
    for (size_t i = 0, at = 0; ibk_sp_param(sp, i, &type, &value); at += 2 + value.len, i++) {
        uint32_t v;
        if (type >= PARAM_COUNT)
            return ibk_fail(diag, IBK_ERR_BAD_VALUE, "SP", at, "SRTP parameter %u is unknown", type);
        if (out->present & 1u << type)
            return ibk_fail(diag, IBK_ERR_BAD_VALUE, "SP", at, "SRTP parameter %u stands twice", type);
        if (!number(value, &v) || !in_range(type, v))
            return ibk_fail(diag, IBK_ERR_BAD_VALUE, "SP", at, "SRTP parameter %u is out of range", type);
        set(out, type, v);
    }
    return IBK_OK;
}

ibk_err ibk_srtp_policy_write(ibk_buf *params, const ibk_srtp_policy *policy) {
    ibk_wr wr;
    ibk_wr_init(&wr, params);
    if (policy->present >> PARAM_COUNT)
        ibk_wr_fail(&wr, IBK_ERR_USAGE);
    for (unsigned type = 0; type < PARAM_COUNT; type++) {
        if (!(policy->present & 1u << type))
            continue;
        uint32_t v = get(policy, type);
        if (!in_range(type, v))
            ibk_wr_fail(&wr, IBK_ERR_USAGE);
        ibk_wr_u8(&wr, (uint8_t)type);
        ibk_wr_mark mark = ibk_wr_open8(&wr);
        if (v <= UINT8_MAX)
            ibk_wr_u8(&wr, (uint8_t)v);
        else
            ibk_wr_u32(&wr, v);
        ibk_wr_close(&wr, mark);
    }
    return ibk_wr_finish(&wr);
}
