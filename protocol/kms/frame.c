/* What all messages of the key request have in common: header and identities. */
#include "kms/kms_internal.h"

ibk_hdr request_hdr(uint8_t data_type, uint8_t prf, uint32_t csb_id, bool v_flag) {
    /* RFC 6267 §4.2.1.1, §6.1 (N4 to N7, N86 to N89): #CS is 0, the map is the Empty map */
    return (ibk_hdr){.data_type = data_type,
                     .v_flag = v_flag,
                     .prf = prf,
                     .csb_id = csb_id,
                     .n_cs = 0,
                     .map_type = IBK_MAP_EMPTY};
}

uint8_t mac_that_fits(uint8_t prf) {
    return prf == IBK_PRF_HMAC_SHA256 ? IBK_MAC_HMAC_SHA256_256 : IBK_MAC_HMAC_SHA1_160;
}

bool mac_acceptable(uint8_t mac_alg) { /* RFC 3830 §4.2.4 (N18): never NULL */
    return mac_alg == IBK_MAC_HMAC_SHA1_160 || mac_alg == IBK_MAC_HMAC_SHA256_256;
}

void log_key(const ibk_env *env, ibk_keylog_kind kind, uint32_t csb_id, ibk_span id, ibk_span value) {
    if (env->keylog) {
        ibk_keylog_record record = {.kind = kind, .csb_id = csb_id, .id = id, .value = value};
        env->keylog(env->user, &record);
    }
}

void report_work(const ibk_env *env, ibk_work what, unsigned size) {
    if (env->work) {
        env->work(env->user, what, size);
    }
}

static bool is_user(uint8_t role) {
    return role == IBK_ROLE_I || role == IBK_ROLE_R;
}

static ibk_err read_one(parties *out, const ibk_payload *p, ibk_diag *diag) {
    ibk_identity id = {.id_type = p->id.id_type, .id = p->id.data};
    if (id.id.len == 0 || id.id.len > IBK_IDENTITY_MAX + IBK_DATE_MAX) {
        return ibk_fail(diag, IBK_ERR_LIMIT, "IDR", p->offset, "%zu octets of ID data", id.id.len);
    }
    if (id.id_type > IBK_ID_BYTES && p->id.role <= IBK_ROLE_PSK) { /* RFC 6043 §6.6: no such type */
        return ibk_fail(diag, IBK_ERR_BAD_VALUE, "IDR", p->offset, "identity type %u", id.id_type);
    }
    if (is_user(p->id.role)) {
        if (out->n_users == IBK_KMS_MAX_USERS) {
            return ibk_fail(diag, IBK_ERR_LIMIT, "IDR", p->offset, "more than %d users", IBK_KMS_MAX_USERS);
        }
        out->roles[out->n_users] = p->id.role;
        out->users[out->n_users++] = id;
        return IBK_OK;
    }
    ibk_identity *slot = p->id.role == IBK_ROLE_KMS   ? &out->kms
                         : p->id.role == IBK_ROLE_PSK ? &out->psk
                                                      : NULL;
    if (slot && slot->id.len > 0) {
        return ibk_fail(diag, IBK_ERR_UNEXPECTED_PAYLOAD, "IDR", p->offset, "twice the same role");
    }
    if (slot) { /* other roles are unexpected payloads: ignored (§4.2.1.2, N17) */
        *slot = id;
    }
    return IBK_OK;
}

ibk_err parties_read(parties *out, const ibk_msg *msg, bool request, ibk_diag *diag) {
    *out = (parties){0};
    const ibk_payload *p;
    for (size_t i = 0; (p = ibk_msg_find(msg, IBK_PL_IDR, i)) != NULL; i++) {
        ibk_err err = read_one(out, p, diag);
        if (err) {
            return err;
        }
    }
    if (request && (out->n_users == 0 || out->kms.id.len == 0)) {
        return ibk_fail(diag, IBK_ERR_MISSING_PAYLOAD, "IDR", 0,
                        out->n_users ? "no IDRkms" : "no IDRi/r"); /* N8 */
    }
    return IBK_OK;
}

size_t parties_covered(const parties *p, ibk_span *ids) {
    for (size_t i = 0; i < p->n_users; i++) {
        ids[i] = p->users[i].id;
    }
    ids[p->n_users] = p->kms.id;
    return p->n_users + 1;
}

void parties_add_users(const parties *p, ibk_msg *msg) {
    for (size_t i = 0; i < p->n_users; i++) {
        ibk_add_idr(&msg->chain, p->roles[i], p->users[i].id_type, p->users[i].id);
    }
}

void parties_add_kms(const parties *p, ibk_msg *msg) {
    ibk_add_idr(&msg->chain, IBK_ROLE_KMS, p->kms.id_type, p->kms.id);
}

/* ---- a request, as the KMS reads it ----------------------------------------------------------------------
 */

static ibk_err check_hdr(const ibk_hdr *hdr, int *error_no, ibk_diag *diag) {
    /* The V flag is ignored (§6.1, N85). */
    if (ibk_prf_hash_len(hdr->prf) == 0) {
        *error_no = IBK_ERRNO_PRF;
        return ibk_fail(diag, IBK_ERR_UNSUPPORTED, "HDR", 3, "PRF %u", hdr->prf);
    }
    if (hdr->n_cs != 0 || hdr->map_type != IBK_MAP_EMPTY) { /* §6.1 (N86, N88) */
        *error_no = IBK_ERRNO_UNSPECIFIED;
        return ibk_fail(diag, IBK_ERR_BAD_VALUE, "HDR", 8, "a key request has #CS 0 and the Empty map");
    }
    return IBK_OK;
}

const ibk_payload *request_only(const ibk_msg *msg, uint8_t type, ibk_err *err, ibk_diag *diag) {
    size_t count = ibk_chain_count(&msg->chain, type);
    if (!*err && count != 1) {
        *err = ibk_fail(diag, count ? IBK_ERR_UNEXPECTED_PAYLOAD : IBK_ERR_MISSING_PAYLOAD,
                        ibk_payload_name(type), 0, "%zu of them, not one", count);
    }
    return ibk_msg_find(msg, type, 0);
}

ibk_err request_read(key_request *out, const ibk_msg *msg, uint8_t last, int *error_no, ibk_diag *diag) {
    *out = (key_request){.msg = msg, .mac_alg = mac_that_fits(msg->hdr.prf)};
    ibk_err err = IBK_OK;
    const ibk_payload *t = request_only(msg, IBK_PL_T, &err, diag);
    const ibk_payload *rand = request_only(msg, IBK_PL_RAND, &err, diag);
    out->last = request_only(msg, last, &err, diag);
    if (err) {
        return err;
    }
    out->t = t->t;
    out->rand = rand->rand.data;
    err = check_hdr(&msg->hdr, error_no, diag);
    if (!err && out->rand.len < IBK_RAND_MIN) {
        err =
            ibk_fail(diag, IBK_ERR_BAD_LENGTH, "RAND", rand->offset, "shorter than %d octets", IBK_RAND_MIN);
    }
    if (!err && (err = parties_read(&out->who, msg, true, diag)) == IBK_ERR_BAD_VALUE) {
        *error_no = IBK_ERRNO_ID;
    }
    /* A KEMAC names keys in a way that RFC 6267 leaves open; P-10 has IDRi/r name them. It is ignored
     * (§4.2.1.2, N17), but for its key stream. */
    const ibk_payload *kemac = ibk_msg_find(msg, IBK_PL_KEMAC, 0);
    uint8_t alg = kemac ? kemac->kemac.encr_alg : IBK_ENCR_NULL;
    out->kemac_cm = alg == IBK_ENCR_AES_CM_128 || alg == IBK_ENCR_AES_CM_256;
    return err;
}
