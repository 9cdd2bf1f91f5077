/* A session's life: made from a configuration, asked about, closed and wiped. */
#include "ibake/session_internal.h"

#include <stdlib.h>
#include <string.h>

/* ---- small helpers -------------------------------------------------------------------------------- */

ibk_err owned_id_set(owned_id *out, const ibk_identity *id) {
    if (id->id.len > IBK_IDENTITY_MAX) {
        return IBK_ERR_LIMIT;
    }
    ibk_buf octets = {0};
    ibk_err err = ibk_buf_append_span(&octets, id->id);
    if (err) {
        return err;
    }
    ibk_buf_free(&out->octets);
    *out = (owned_id){.id_type = id->id_type, .octets = octets};
    return IBK_OK;
}

ibk_identity owned_id_get(const owned_id *id) {
    return (ibk_identity){.id_type = id->id_type, .id = ibk_buf_span(&id->octets)};
}

void session_trace(const ibk_session *s, const char *what, const char *detail, const ibk_diag *diag) {
    if (s->env.trace) {
        ibk_trace_event event = {.what = what, .detail = detail, .diag = diag};
        s->env.trace(s->env.user, &event);
    }
}

/* ---- making one ------------------------------------------------------------------------------------ */

static void fill_policy(ibk_policy *p) {
    p->ts_types = p->ts_types ? p->ts_types : 0xF;
    p->prfs = p->prfs ? p->prfs : 1u << IBK_PRF_MIKEY_1 | 1u << IBK_PRF_HMAC_SHA256;
    /* RFC 3830 §4.2.4 (N18): no NULL MAC, whatever was asked for */
    p->mac_algs =
        p->mac_algs ? p->mac_algs & ~1u : 1u << IBK_MAC_HMAC_SHA1_160 | 1u << IBK_MAC_HMAC_SHA256_256;
    p->curve = p->curve ? p->curve : IBK_EC_P256; /* P-21 */
    if (!p->curves) {
        p->curves = IBK_CURVE_BIT(IBK_EC_P192) | IBK_CURVE_BIT(IBK_EC_P224) | IBK_CURVE_BIT(IBK_EC_P256) |
                    IBK_CURVE_BIT(IBK_EC_P384) | IBK_CURVE_BIT(IBK_EC_P521);
    }
    p->timeout_ns = p->timeout_ns ? p->timeout_ns : DEFAULT_WAIT;
}

bool sendable_curve(uint8_t curve) {
    return curve == IBK_EC_P256 || curve == IBK_EC_P384 || curve == IBK_EC_P521;
}

#define SK_MIN 16
#define SK_MAX 64

static bool esk_sound(const ibk_session_config *c) {
    if (c->esk > IBK_ESK_STORED || (c->esk == IBK_ESK_STORED) != (c->stored_esk.len > 0)) {
        return false;
    }
    if (c->role != IBK_SESSION_INITIATOR) {
        return c->esk == IBK_ESK_NONE && c->sk.len == 0;
    }
    return c->sk.len == 0 || (c->esk != IBK_ESK_STORED && c->sk.len >= SK_MIN && c->sk.len <= SK_MAX);
}

static bool config_sound(const ibk_env *env, const ibk_session_config *c, const ibk_policy *p) {
    bool initiator = c->role == IBK_SESSION_INITIATOR;
    if (!env->draw || !c->node.params || !c->node.private_key || c->local.id.len == 0 ||
        c->local.id_type > IBK_ID_BYTES) {
        return false;
    }
    if (!initiator && (c->role != IBK_SESSION_RESPONDER || !c->node.replay)) {
        return false;
    }
    if (initiator && (c->peer.id.len == 0 || c->peer.id_type > IBK_ID_BYTES ||
                      p->ts_type > IBK_TS_NTP_UTC_32 || ibk_prf_hash_len(p->prf) == 0)) {
        return false;
    }
    if (initiator && !(p->curves & IBK_CURVE_BIT(p->curve & 31))) { /* it would refuse its own point's echo */
        return false;
    }
    return sendable_curve(p->curve) && esk_sound(c) && p->mac_alg <= IBK_MAC_HMAC_SHA256_256 &&
           c->sdp_ids.len <= MAX_SDP_IDS;
}

static ibk_err copy_config(ibk_session *s, const ibk_session_config *config) {
    ibk_err err = owned_id_set(&s->local, &config->local);
    if (!err && s->role == IBK_SESSION_INITIATOR) {
        err = owned_id_set(&s->peer, &config->peer);
        err = err ? err : owned_id_set(&s->asked, &config->peer);
    }
    if (!err) {
        err = ibk_buf_append_span(s->role == IBK_SESSION_INITIATOR ? &s->sdp_ids : &s->sdp_seen,
                                  config->sdp_ids);
    }
    err = err ? err : ibk_buf_append_span(&s->sk, config->sk);
    err = err ? err : ibk_buf_append_span(&s->esk, config->stored_esk);
    return err ? err : offer_from_config(s, config);
}

ibk_err ibk_session_new(ibk_session **out, const ibk_env *env, const ibk_session_config *config) {
    ibk_policy policy = config->policy;
    fill_policy(&policy);
    if (!config_sound(env, config, &policy)) {
        return IBK_ERR_USAGE;
    }
    ibk_session *s = calloc(1, sizeof *s);
    if (!s) {
        return IBK_ERR_NO_MEMORY;
    }
    s->env = *env;
    s->role = config->role;
    s->state = s->role == IBK_SESSION_INITIATOR ? IBK_STATE_I_NEW : IBK_STATE_R_NEW;
    s->policy = policy;
    s->node = config->node;
    s->local_granularity = config->local_granularity;
    s->peer_granularity = config->peer_granularity;
    s->esk_use = config->esk;
    s->deadline = UINT64_MAX;
    ibk_err err = copy_config(s, config);
    if (err) {
        ibk_session_free(s);
        return err;
    }
    *out = s;
    return IBK_OK;
}

/* ---- ending it --------------------------------------------------------------------------------------- */

void session_bufs(ibk_session *s, ibk_buf *bufs[OWNED_BUFS]) {
    ibk_buf *all[OWNED_BUFS] = {&s->local.octets, &s->peer.octets, &s->asked.octets, &s->map,    &s->ssrc_map,
                                &s->sdp_ids,      &s->sdp_seen,    &s->rand,         &s->unread, &s->esk,
                                &s->mki,          &s->sk,          &s->out,          &s->need};
    memcpy(bufs, all, sizeof all);
}

void ibk_session_free(ibk_session *session) {
    if (!session) {
        return;
    }
    keys_wipe(session);
    ibk_buf *bufs[OWNED_BUFS];
    session_bufs(session, bufs);
    for (size_t i = 0; i < OWNED_BUFS; i++) {
        ibk_buf_free(bufs[i]);
    }
    offer_free_policies(&session->policies);
    ibk_wipe(session, sizeof *session);
    free(session);
}

void ibk_session_close(ibk_session *session, ibk_err reason) {
    if (session->state == IBK_STATE_CLOSED) {
        return;
    }
    if (guards(session, IBK_DEFENCE_WIPE)) {
        keys_wipe(session); /* P-20 */
    }
    session->state = IBK_STATE_CLOSED;
    session->deadline = UINT64_MAX;
    session->reason = reason;
    session->diag.err = reason;
    session_trace(session, "closed", ibk_err_name(reason), &session->diag);
}

/* ---- what is known --------------------------------------------------------------------------------------
 */

ibk_session_state ibk_session_get_state(const ibk_session *session) {
    return session->state;
}

uint32_t ibk_session_csb_id(const ibk_session *session) {
    return session->hdr.csb_id;
}

ibk_err ibk_session_reason(const ibk_session *session, ibk_diag *diag) {
    if (diag) {
        *diag = session->diag;
    }
    return session->reason;
}

ibk_identity ibk_session_local(const ibk_session *session) {
    return owned_id_get(&session->local);
}

ibk_identity ibk_session_peer(const ibk_session *session) {
    return owned_id_get(&session->peer);
}

ibk_identity ibk_session_asked(const ibk_session *session) {
    return owned_id_get(&session->asked);
}

int64_t ibk_session_date(const ibk_session *session) {
    return session->date_ns;
}

bool ibk_session_deferred(const ibk_session *session) {
    return session->deferred;
}

const ibk_hdr *ibk_session_header(const ibk_session *session) {
    return session->hdr.data_type ? &session->hdr : NULL;
}

const ibk_sp *ibk_session_policies(const ibk_session *session, size_t *n) {
    *n = session->policies.count;
    return session->policies.items;
}

ibk_err ibk_session_srtp_policy(const ibk_session *session, uint8_t cs_id, ibk_srtp_policy *out) {
    uint8_t policy_no;
    bool has_policy;
    if (!offer_has_cs(session, cs_id, &policy_no, &has_policy)) {
        return IBK_ERR_USAGE;
    }
    for (size_t i = 0; has_policy && i < session->policies.count; i++) {
        if (session->policies.items[i].policy_no == policy_no) {
            return ibk_srtp_policy_parse(out, &session->policies.items[i], NULL);
        }
    }
    *out = ibk_srtp_policy_default();
    return IBK_OK;
}

uint64_t ibk_session_deadline(const ibk_session *session) {
    return session->deadline;
}

ibk_span ibk_session_esk(const ibk_session *session) {
    return ibk_buf_span(&session->esk);
}

ibk_span ibk_session_sk(const ibk_session *session) {
    return ibk_buf_span(&session->sk);
}
