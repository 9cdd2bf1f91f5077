/* The KMS: one request in, one answer out (RFC 6267 §4.2.1.2, §4.2.1.3). */
#include "kms/certificates.h"
#include "kms/kms_internal.h"

#include <stdlib.h>

#define KEMAC_PLAIN_MAX                                                                                      \
    65519 /* what two length octets hold, less the padding and the check of AES key wrap */

struct ibk_kms {
    ibk_env env;
    ibk_kms_config config; /* identity points into `identity` */
    ibk_buf identity;
    kms_pke *pke; /* NULL: REQUEST_KEY_PKE is not served */
};

/* PARAMS and MASTER, once (profile.md §6). */
static ibk_err log_domain(const ibk_kms *kms) {
    ibk_buf der = {0};
    if (!kms->env.keylog) {
        return IBK_OK;
    }
    ibk_err err = ibk_ibe_params_encode(kms->config.params, &der);
    if (!err) {
        log_key(&kms->env, IBK_KEYLOG_PARAMS, 0, (ibk_span){0}, ibk_buf_span(&der));
        ibk_buf_clear(&der);
        err = ibk_ibe_master_encode(kms->config.master, &der);
    }
    if (!err) {
        log_key(&kms->env, IBK_KEYLOG_MASTER, 0, (ibk_span){0}, ibk_buf_span(&der));
    }
    ibk_buf_free(&der);
    return err;
}

static bool config_sound(const ibk_kms_config *c) {
    bool encr_ok = c->encr_alg == 0 || (ibk_encr_known(c->encr_alg) && c->encr_alg != IBK_ENCR_NULL);
    bool serves = (c->psk || c->pke.n_key_pairs > 0) && (!c->psk || c->authorized);
    return c->params && c->master && c->replay && serves && c->identity.id.len > 0 &&
           c->identity.id.len <= IBK_IDENTITY_MAX && encr_ok && c->issue_back_ns >= 0 &&
           c->issue_ahead_ns >= 0;
}

ibk_err ibk_kms_new(ibk_kms **out, const ibk_env *env, const ibk_kms_config *c) {
    if (!config_sound(c)) {
        return IBK_ERR_USAGE;
    }
    ibk_kms *kms = calloc(1, sizeof *kms);
    if (!kms) {
        return IBK_ERR_NO_MEMORY;
    }
    kms->env = *env;
    kms->config = *c;
    ibk_err err = ibk_buf_append_span(&kms->identity, c->identity.id);
    kms->config.identity.id = ibk_buf_span(&kms->identity);
    if (!err && c->pke.n_key_pairs > 0) {
        err = kms_pke_new(&kms->pke, &c->pke);
    }
    kms->config.pke.key_pairs = NULL; /* the caller's; ours are in kms->pke */
    kms->config.pke.anchors = NULL;
    err = err ? err : log_domain(kms);
    if (err) {
        ibk_kms_free(kms);
        return err;
    }
    *out = kms;
    return IBK_OK;
}

void ibk_kms_free(ibk_kms *kms) {
    if (kms) {
        ibk_buf_free(&kms->identity);
        kms_pke_free(kms->pke);
        free(kms);
    }
}

ibk_err ibk_kms_issue_list(const ibk_kms *kms, ibk_span id, int64_t utc_ns, ibk_buf *out, size_t *n) {
    ibk_identity user = {.id_type = IBK_ID_URI, .id = id};
    *n = 0;
    return issue_for(&kms->config, &user, utc_ns, out, n, NULL);
}

/* ---- one request -----------------------------------------------------------------------------------------
 */

typedef struct job {
    const ibk_kms *kms;
    ibk_time now;
    ibk_msg msg;
    key_request request;
    bool proved;     /* the PSK was, or the certificate and SIGN */
    ibk_buf covered; /* what V or SIGN covers, which is what the replay cache knows the request by */
    ibk_buf key;     /* what protects the answer: PSK or envelope key */
    void *owner;
    pke_proof proof; /* PKE */
    int error_no;
    ibk_diag *diag;
    size_t n_keys;
} job;

static ibk_err refuse(job *j, ibk_err err, int error_no, const char *payload, const char *detail) {
    j->error_no = error_no;
    return ibk_fail(j->diag, err, payload, 0, "%s", detail);
}

static ibk_err check_kind(job *j) {
    switch (j->msg.hdr.data_type) {
    case IBK_MSG_REQUEST_KEY_PSK:
        return j->kms->config.psk
                   ? IBK_OK
                   : refuse(j, IBK_ERR_UNSUPPORTED, IBK_ERRNO_DT, "HDR", "REQUEST_KEY_PSK is not served");
    case IBK_MSG_REQUEST_KEY_PKE:
        return j->kms->pke
                   ? IBK_OK
                   : refuse(j, IBK_ERR_UNSUPPORTED, IBK_ERRNO_DT, "HDR", "REQUEST_KEY_PKE is not served");
    default:
        return ibk_fail(j->diag, IBK_ERR_UNEXPECTED_MESSAGE, "HDR", 1, "%s",
                        ibk_msg_type_name(j->msg.hdr.data_type));
    }
}

static bool by_pke(const job *j) {
    return j->msg.hdr.data_type == IBK_MSG_REQUEST_KEY_PKE;
}

static ibk_err read_request(job *j) {
    return by_pke(j) ? request_key_pke_read(&j->request, &j->msg, &j->error_no, j->diag)
                     : request_key_psk_read(&j->request, &j->msg, &j->error_no, j->diag);
}

static bool guards(const job *j, uint32_t defence) {
    return ibk_guards(j->kms->config.without, defence);
}

/* What the replay cache says, as far as its defences are on. */
static ibk_err judge_replay(const job *j, ibk_err err) {
    bool skew = err == IBK_ERR_CLOCK_SKEW, again = err == IBK_ERR_REPLAYED || err == IBK_ERR_CACHE_FULL;
    bool off =
        (skew && !guards(j, IBK_DEFENCE_CLOCK_SKEW)) || (again && !guards(j, IBK_DEFENCE_KMS_REPLAY_CACHE));
    return off ? IBK_OK : err;
}

/* RFC 3830 §5.3, §5.4. The cache knows a request by the octets under V or SIGN: an ESK, which both leave out
 * (RFC 6267 §5.4), would make one of the same authority look new. */
static ibk_err check_time(job *j) {
    ibk_span ids[IBK_KMS_MAX_USERS + 1];
    size_t n = parties_covered(&j->request.who, ids);
    ibk_err err = ibk_msg_covered(&j->covered, &j->msg, ids, n);
    if (err) {
        return ibk_fail(j->diag, err, ibk_payload_name(j->request.last->type), 0,
                        "what it covers cannot be written");
    }
    err = ibk_replay_check(j->kms->config.replay, &j->request.t, ibk_buf_span(&j->covered), j->now.utc_ns);
    err = judge_replay(j, err);
    if (err == IBK_ERR_CLOCK_SKEW) {
        return refuse(j, err, IBK_ERRNO_TS, "T", "outside the allowed clock skew");
    }
    return err ? refuse(j, err, NO_ERROR_NO, "T", "in the replay cache, or perhaps lost from it") : IBK_OK;
}

static ibk_err check_psk(job *j, const ibk_identity *first) {
    const ibk_kms_config *c = &j->kms->config;
    const key_request *r = &j->request;
    if (!c->psk(c->user, &r->who.psk, first, &j->key, &j->owner)) {
        return refuse(j, IBK_ERR_NOT_AUTHORIZED, IBK_ERRNO_AUTH, "IDR", "no PSK for this user");
    }
    if (!guards(j, IBK_DEFENCE_KMS_MAC)) {
        return IBK_OK;
    }
    ibk_span ids[IBK_KMS_MAX_USERS + 1];
    size_t n = parties_covered(&r->who, ids);
    ibk_msg_keys keys = {0};
    ibk_err err = ibk_msg_keys_derive(&keys, j->msg.hdr.prf, ibk_buf_span(&j->key), j->msg.hdr.csb_id,
                                      r->rand, IBK_ENCR_NULL, r->mac_alg); /* §4.2.1.1.1 (N12) */
    err = err ? err : ibk_msg_check_v(&j->msg, ibk_span_of(keys.auth, keys.auth_len), ids, n, false, j->diag);
    ibk_wipe(&keys, sizeof keys);
    if (err) {
        j->error_no = IBK_ERRNO_AUTH; /* RFC 3830 §5.3 (N40) */
    }
    return err;
}

static ibk_err check_certificate(job *j, const ibk_identity *first) {
    ibk_err err = kms_pke_authenticate(&j->proof, j->kms->pke, &j->kms->config, &j->kms->env, &j->request,
                                       first, j->now.utc_ns, &j->error_no, j->diag);
    j->owner = j->proof.owner;
    return err;
}

/* RFC 3830 §5.3: who it is, and the MAC or signature; only then is the message remembered, and only then is
 * an envelope opened. */
static ibk_err authenticate(job *j) {
    const ibk_kms_config *c = &j->kms->config;
    const key_request *r = &j->request;
    ibk_identity first = r->who.users[0];
    if (!ibk_identity_equal(&r->who.kms, &c->identity)) {
        return refuse(j, IBK_ERR_IDENTITY_MISMATCH, IBK_ERRNO_ID, "IDR", "another KMS is meant");
    }
    if (issue_base(&first.id, &r->who.users[0], c->granularity) != IBK_OK) {
        return refuse(j, IBK_ERR_BAD_VALUE, IBK_ERRNO_ID, "IDR",
                      "a byte string that ends in no date of this KMS");
    }
    ibk_err err = by_pke(j) ? check_certificate(j, &first) : check_psk(j, &first);
    if (err) {
        return err;
    }
    j->proved = true;
    err = judge_replay(j, ibk_replay_add(c->replay, &r->t, ibk_buf_span(&j->covered), j->now.utc_ns));
    if (err) {
        return refuse(j, err, IBK_ERRNO_UNSPECIFIED, "T", "the replay cache does not take it");
    }
    return by_pke(j) ? kms_pke_open(&j->key, j->kms->pke, &j->kms->env, r, &j->error_no, j->diag) : IBK_OK;
}

static bool may_have(const job *j, const ibk_identity *user, ibk_span id) {
    const ibk_kms_config *c = &j->kms->config;
    if (!guards(j, IBK_DEFENCE_KMS_AUTHORIZATION)) {
        return true;
    }
    if (!by_pke(j)) {
        return c->authorized(c->user, j->owner, id);
    }
    bool named = cert_names_user(ibk_buf_span(&j->proof.certificate), user->id_type, id);
    return c->pke.authorized ? c->pke.authorized(c->user, j->owner, id, named) : named;
}

/* §4.2.1.2 (N15): every user of the request, or none: who asks for three identities and has two keys in the
 * answer would find out with the first call to the third. */
static ibk_err authorize(job *j, ibk_buf *list) {
    const ibk_kms_config *c = &j->kms->config;
    for (size_t i = 0; i < j->request.who.n_users; i++) {
        const ibk_identity *user = &j->request.who.users[i];
        ibk_span id;
        if (issue_base(&id, user, c->granularity) != IBK_OK || !may_have(j, user, id)) {
            return refuse(j, IBK_ERR_NOT_AUTHORIZED, IBK_ERRNO_ID, "IDR", "not authorised for this identity");
        }
        ibk_err err = issue_for(c, user, j->now.utc_ns, list, &j->n_keys, j->diag);
        if (err) {
            j->error_no = IBK_ERRNO_ID;
            return err;
        }
    }
    if (j->n_keys > IBK_KMS_MAX_KEYS) {
        return refuse(j, IBK_ERR_LIMIT, IBK_ERRNO_UNSPECIFIED, "IDR", "too many keys in one request");
    }
    return IBK_OK;
}

static ibk_err extract_one(const job *j, ibk_chain *content, ibk_buf *der, ibk_span ibe_identity) {
    const ibk_kms_config *c = &j->kms->config;
    ibk_ibe_key *key = NULL;
    ibk_err err = ibk_ibe_extract(c->params, c->master, ibe_identity, &key);
    if (!err) {
        report_work(&j->kms->env, IBK_WORK_IBE_EXTRACT, ibk_ibe_params_n(c->params));
        err = ibk_ibe_key_encode(key, der);
    }
    ibk_ibe_key_free(key);
    if (!err) {
        log_key(&j->kms->env, IBK_KEYLOG_PRIV, j->msg.hdr.csb_id, ibe_identity, ibk_buf_span(der));
        /* P-10: IDR (byte string, the exact IBE identity), then Key data of type 7 (§6.1.3) */
        ibk_add_idr(content, IBK_ROLE_I, IBK_ID_BYTES, ibe_identity);
        ibk_add_key(content, IBK_KEY_K_PR, ibk_buf_span(der), NULL);
        err = content->err;
    }
    return err;
}

/* The plain content of KEMAC: (ID || K_PR)+. */
static ibk_err make_content(const job *j, ibk_span list, ibk_buf *plain) {
    ibk_chain content = {0};
    ibk_buf *ders = calloc(j->n_keys ? j->n_keys : 1, sizeof *ders);
    ibk_err err = ders ? IBK_OK : IBK_ERR_NO_MEMORY;
    ibk_span ibe_identity;
    size_t n = 0;
    while (!err && n < j->n_keys && issue_next(&list, &ibe_identity)) {
        err = extract_one(j, &content, &ders[n], ibe_identity);
        n++;
    }
    err = err ? err : ibk_chain_write(&content, plain);
    if (!err && plain->len > KEMAC_PLAIN_MAX) {
        err = IBK_ERR_LIMIT; /* RFC 3830 §6.13 (N57) */
    }
    ibk_chain_free(&content);
    for (size_t i = 0; ders && i < n; i++) {
        ibk_buf_free(&ders[i]);
    }
    free(ders);
    return err;
}

static uint8_t choose_encr(const job *j) {
    uint8_t alg = j->kms->config.encr_alg ? j->kms->config.encr_alg : IBK_ENCR_AES_CM_128;
    /* Request and answer share key, CSB ID and T, so also AES-CM's key stream: it encrypts one of them at
     * most. A COUNTER never grows old: replayed after the cache has dropped it, the request would have the
     * keys of another month under the same key stream. */
    bool cm = alg == IBK_ENCR_AES_CM_128 || alg == IBK_ENCR_AES_CM_256;
    bool stream_is_old = j->request.kemac_cm || j->request.t.ts_type == IBK_TS_COUNTER;
    return cm && stream_is_old ? IBK_ENCR_AES_KW_128 : alg;
}

static ibk_err serve(job *j, ibk_buf *response) {
    ibk_buf list = {0}, plain = {0};
    ibk_err err = check_kind(j);
    err = err ? err : read_request(j);
    err = err ? err : check_time(j);
    err = err ? err : authenticate(j);
    if (!err) {
        log_key(&j->kms->env, IBK_KEYLOG_PSK, j->msg.hdr.csb_id, (ibk_span){0}, ibk_buf_span(&j->key));
    }
    err = err ? err : authorize(j, &list);
    if (!err) {
        err = make_content(j, ibk_buf_span(&list), &plain);
        err = err ? err
                  : response_write(response, &j->request, ibk_buf_span(&plain), choose_encr(j),
                                   ibk_buf_span(&j->key));
        if (err) { /* §4.2.1.2 (N16) is then told to the user */
            err = refuse(j, err, IBK_ERRNO_UNSPECIFIED, "KEMAC", "the keys cannot be made or do not fit");
        }
    }
    ibk_buf_free(&list);
    ibk_buf_free(&plain);
    return err;
}

/* Errors are handled as RFC 3830 §5.1.2 says: told as far as policy wants. */
static void answer_error(job *j, ibk_buf *response, ibk_kms_result *result) {
    ibk_kms_errors policy = j->kms->config.errors;
    const ibk_payload *t = ibk_msg_find(&j->msg, IBK_PL_T, 0);
    if (j->error_no == NO_ERROR_NO || policy == IBK_KMS_ERRORS_SILENT || !t ||
        (policy == IBK_KMS_ERRORS_AUTHENTICATED && !j->proved)) {
        return;
    }
    uint8_t number = (uint8_t)j->error_no;
    ibk_err err = j->proved && j->key.len > 0
                      ? key_error_write_v(response, &j->request, number, ibk_buf_span(&j->key))
                      : key_error_write(response, &j->msg.hdr, &t->t, number);
    if (!err) {
        result->response_type = IBK_MSG_ERROR;
        result->error_no = number;
    }
}

static void trace(const ibk_kms *kms, const char *what, const char *detail, const ibk_diag *diag) {
    if (kms->env.trace) {
        ibk_trace_event event = {.what = what, .detail = detail, .diag = diag};
        kms->env.trace(kms->env.user, &event);
    }
}

ibk_err ibk_kms_handle(ibk_kms *kms, ibk_time now, ibk_span request, ibk_buf *response,
                       ibk_kms_result *result) {
    *result = (ibk_kms_result){0};
    job j = {.kms = kms, .now = now, .error_no = NO_ERROR_NO, .diag = &result->diag};
    ibk_err err = ibk_msg_parse(&j.msg, request, &result->diag);
    if (!err) {
        result->csb_id = j.msg.hdr.csb_id;
        result->request_type = j.msg.hdr.data_type;
        trace(kms, "received", ibk_msg_type_name(j.msg.hdr.data_type), NULL);
        err = serve(&j, response);
    }
    result->err = err;
    if (err) {
        result->diag.err = err;
        trace(kms, "rejected", ibk_err_name(err), &result->diag);
        answer_error(&j, response, result);
    } else {
        result->diag = (ibk_diag){0};
        result->n_keys = j.n_keys;
        result->response_type = IBK_MSG_REQUEST_KEY_RESP;
    }
    if (result->response_type) {
        trace(kms, "sent", ibk_msg_type_name(result->response_type), NULL);
    }
    ibk_buf_free(&j.key);
    ibk_buf_free(&j.proof.certificate);
    ibk_buf_free(&j.covered);
    ibk_msg_free(&j.msg);
    return IBK_OK;
}

/* ---- one key, without MIKEY
 * --------------------------------------------------------------------------------------- */

ibk_err ibk_kms_extract(const ibk_kms *kms, ibk_time now, void *owner, ibk_span ibe_identity, ibk_buf *key,
                        ibk_diag *diag) {
    const ibk_kms_config *c = &kms->config;
    ibk_identity asked = {.id_type = IBK_ID_BYTES, .id = ibe_identity};
    ibk_ibe_key *extracted = NULL;
    ibk_buf list = {0}, der = {0};
    ibk_span id;
    size_t n = 0;
    ibk_err err = issue_for(c, &asked, now.utc_ns, &list, &n, diag);
    ibk_buf_free(&list);
    bool anybody = !ibk_guards(c->without, IBK_DEFENCE_KMS_AUTHORIZATION);
    bool may = !err && issue_base(&id, &asked, c->granularity) == IBK_OK &&
               (anybody || (c->authorized && c->authorized(c->user, owner, id)));
    if (!err && !may) {
        err = ibk_fail(diag, IBK_ERR_NOT_AUTHORIZED, "identity", 0, "not authorised for this identity");
    }
    err = err ? err : ibk_ibe_extract(c->params, c->master, ibe_identity, &extracted);
    if (!err) {
        report_work(&kms->env, IBK_WORK_IBE_EXTRACT, ibk_ibe_params_n(c->params));
        err = ibk_ibe_key_encode(extracted, &der);
    }
    if (!err) {
        log_key(&kms->env, IBK_KEYLOG_PRIV, 0, ibe_identity, ibk_buf_span(&der));
        err = ibk_buf_append_span(key, ibk_buf_span(&der));
    }
    ibk_ibe_key_free(extracted);
    ibk_buf_free(&der);
    return err;
}
