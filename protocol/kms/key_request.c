/* The user's side of a key request. */
#include "kms/kms_internal.h"

#include <stdlib.h>

#define DEFAULT_WAIT (UINT64_C(32) * 1000000000)

struct ibk_key_request {
    ibk_env env;
    ibk_key_request_config config; /* its octets point into `octets` and `psk` */
    parties who;
    ibk_buf octets;
    ibk_buf key;   /* what protects the answer: PSK or envelope key */
    user_pke *pke; /* PKE */
    uint8_t rand[REQUEST_RAND_LEN];
    ibk_hdr hdr;
    ibk_t t;
    uint64_t deadline;
    bool started, ended;
};

/* ---- making one -----------------------------------------------------------------------------------------
 */

static bool config_sound(const ibk_env *env, const ibk_key_request_config *c) {
    bool method_ok = c->method == IBK_KEY_METHOD_PKE || (c->method == IBK_KEY_METHOD_PSK && c->psk.len > 0);
    if (!env->draw || c->n_users == 0 || c->n_users > IBK_KMS_MAX_USERS || !method_ok || c->kms.id.len == 0 ||
        c->kms.id.len > IBK_IDENTITY_MAX || c->psk_id.id.len > IBK_IDENTITY_MAX || !c->params) {
        return false;
    }
    for (size_t i = 0; i < c->n_users; i++) {
        ibk_span id;
        if (c->users[i].id_type > IBK_ID_BYTES || c->users[i].id.len == 0 ||
            c->users[i].id.len > IBK_IDENTITY_MAX + IBK_DATE_MAX ||
            issue_base(&id, &c->users[i], c->granularity) != IBK_OK) {
            return false;
        }
    }
    return ibk_prf_hash_len(c->prf) > 0 && (c->mac_alg == 0 || mac_acceptable(c->mac_alg)) &&
           c->ts_type <= IBK_TS_NTP_UTC_32;
}

/* Copies the octets of an identity to the place that was reserved for them. */
static void place(ibk_identity *out, const ibk_identity *in, ibk_buf *octets, size_t *at) {
    *out = (ibk_identity){.id_type = in->id_type, .id = ibk_span_of(octets->data + *at, in->id.len)};
    *at += in->id.len;
}

static ibk_err copy_config(ibk_key_request *r, const ibk_key_request_config *c) {
    r->config = *c;
    r->config.psk = (ibk_span){0}; /* the caller's; copies are in r->key and r->pke */
    r->config.pke = (ibk_key_request_pke){0};
    r->who.n_users = c->n_users;
    bool psk = c->method == IBK_KEY_METHOD_PSK;
    ibk_err err = psk ? ibk_buf_append_span(&r->key, c->psk) : user_pke_new(&r->pke, &c->pke);
    for (size_t i = 0; !err && i < c->n_users; i++) {
        err = ibk_buf_append_span(&r->octets, c->users[i].id);
    }
    err = err ? err : ibk_buf_append_span(&r->octets, c->kms.id);
    err = err ? err : ibk_buf_append_span(&r->octets, c->psk_id.id);
    if (err) {
        return err;
    }
    size_t at = 0;
    for (size_t i = 0; i < c->n_users; i++) {
        place(&r->who.users[i], &c->users[i], &r->octets, &at);
        r->who.roles[i] = IBK_ROLE_I;
    }
    place(&r->who.kms, &c->kms, &r->octets, &at);
    place(&r->who.psk, &c->psk_id, &r->octets, &at);
    return IBK_OK;
}

ibk_err ibk_key_request_new(ibk_key_request **out, const ibk_env *env, const ibk_key_request_config *config) {
    if (!config_sound(env, config)) {
        return IBK_ERR_USAGE;
    }
    ibk_key_request *r = calloc(1, sizeof *r);
    if (!r) {
        return IBK_ERR_NO_MEMORY;
    }
    r->env = *env;
    r->deadline = UINT64_MAX;
    ibk_err err = copy_config(r, config);
    if (err) {
        ibk_key_request_free(r);
        return err;
    }
    *out = r;
    return IBK_OK;
}

void ibk_key_request_free(ibk_key_request *request) {
    if (request) {
        ibk_buf_free(&request->octets);
        ibk_buf_free(&request->key);
        user_pke_free(request->pke);
        ibk_wipe(request, sizeof *request);
        free(request);
    }
}

uint64_t ibk_key_request_deadline(const ibk_key_request *request) {
    return request->deadline;
}

uint32_t ibk_key_request_csb_id(const ibk_key_request *request) {
    return request->hdr.csb_id;
}

/* ---- asking
 * ------------------------------------------------------------------------------------------------ */

static ibk_err draw_frame(ibk_key_request *r, ibk_time now) {
    uint8_t csb[4];
    ibk_timestamps own = {0};
    ibk_timestamps *source = r->config.timestamps ? r->config.timestamps : &own;
    ibk_err err =
        r->env.draw(r->env.user, IBK_DRAW_CSB_ID, csb, sizeof csb); /* §4.2.1.1 (N3), RFC 3830 §6.1 (N46) */
    err = err ? err : ibk_timestamps_next(source, &r->t, r->config.ts_type, now.utc_ns);
    err = err ? err : r->env.draw(r->env.user, IBK_DRAW_RAND, r->rand, sizeof r->rand);
    uint32_t csb_id = (uint32_t)csb[0] << 24 | (uint32_t)csb[1] << 16 | (uint32_t)csb[2] << 8 | csb[3];
    if (!err) {
        uint8_t type = r->pke ? IBK_MSG_REQUEST_KEY_PKE : IBK_MSG_REQUEST_KEY_PSK;
        r->hdr = request_hdr(type, r->config.prf, csb_id, true); /* §6.1 (N84) */
    }
    return err;
}

static ibk_err write_request(ibk_key_request *r, ibk_time now, ibk_buf *message) {
    ibk_span rand = ibk_span_of(r->rand, sizeof r->rand);
    if (r->pke) {
        return user_pke_write(message, &r->key, r->pke, &r->env, &r->hdr, &r->who, &r->t, rand, now);
    }
    uint8_t mac_alg = r->config.mac_alg ? r->config.mac_alg : mac_that_fits(r->config.prf);
    return request_key_psk_write(message, &r->hdr, &r->who, &r->t, rand, ibk_buf_span(&r->key), mac_alg);
}

ibk_err ibk_key_request_start(ibk_key_request *request, ibk_time now, ibk_buf *message) {
    ibk_key_request *r = request;
    if (r->started) {
        return IBK_ERR_STATE;
    }
    r->started = true;
    ibk_err err = draw_frame(r, now);
    err = err ? err : write_request(r, now, message);
    if (err) {
        r->ended = true;
        return err;
    }
    log_key(&r->env, IBK_KEYLOG_PSK, r->hdr.csb_id, (ibk_span){0}, ibk_buf_span(&r->key));
    r->deadline = now.mono_ns + (r->config.timeout_ns ? r->config.timeout_ns : DEFAULT_WAIT);
    return IBK_OK;
}

/* ---- the answer
 * ----------------------------------------------------------------------------------------------- */

void ibk_key_list_free(ibk_key_list *list) {
    if (list) {
        for (size_t i = 0; i < list->count; i++) {
            ibk_ibe_key_free(list->items[i].key);
        }
        free(list->items);
        ibk_buf_free(&list->octets);
        *list = (ibk_key_list){0};
    }
}

/* Marks the users that asked for this IBE identity; false: none did. */
static bool mark_asked(const ibk_key_request *r, ibk_span ibe_identity, bool *served) {
    ibk_span base;
    int64_t start;
    bool dated = ibk_ibe_identity_split(&base, &start, ibe_identity, r->config.granularity) == IBK_OK;
    bool any = false;
    for (size_t i = 0; i < r->who.n_users; i++) {
        const ibk_identity *user = &r->who.users[i];
        bool fits = user->id_type == IBK_ID_BYTES ? ibk_span_equal(user->id, ibe_identity)
                                                  : dated && ibk_span_equal(user->id, base);
        served[i] = served[i] || fits;
        any = any || fits;
    }
    return any;
}

static ibk_err take_key(ibk_key_request *r, ibk_key_list *out, const ibk_payload *id, const ibk_payload *key,
                        bool *served, ibk_diag *diag) {
    /* P-10: IDR (byte string, the exact IBE identity), then Key data of type 7 */
    if (id->type != IBK_PL_IDR || key->type != IBK_PL_KEY_DATA || id->id.id_type != IBK_ID_BYTES ||
        key->key.key_type != IBK_KEY_K_PR) {
        return ibk_fail(diag, IBK_ERR_BAD_CHAIN, "KEMAC", id->offset, "not IDR (byte string) and K_PR");
    }
    if (!mark_asked(r, id->id.data, served)) {
        return ibk_fail(diag, IBK_ERR_IDENTITY_MISMATCH, "IDR", id->offset, "a key that was not asked for");
    }
    for (size_t i = 0; i < out->count; i++) {
        if (ibk_span_equal(out->items[i].ibe_identity, id->id.data)) {
            return ibk_fail(diag, IBK_ERR_UNEXPECTED_PAYLOAD, "IDR", id->offset, "two keys for one identity");
        }
    }
    ibk_ibe_key *parsed = NULL;
    ibk_err err = ibk_ibe_key_parse(&parsed, r->config.params, key->key.key, diag);
    if (!err) {
        err = ibk_ibe_key_verify(r->config.params, parsed, id->id.data);
        report_work(&r->env, IBK_WORK_IBE_VERIFY_KEY, ibk_ibe_params_n(r->config.params));
    }
    if (err) {
        ibk_ibe_key_free(parsed);
        return ibk_fail(diag, err, "Key data", key->offset, "not the private key of that identity");
    }
    log_key(&r->env, IBK_KEYLOG_PRIV, r->hdr.csb_id, id->id.data, key->key.key);
    out->items[out->count++] = (ibk_issued_key){.ibe_identity = id->id.data, .key = parsed};
    return IBK_OK;
}

static ibk_err take_all(ibk_key_request *r, ibk_key_list *out, const ibk_chain *chain, ibk_diag *diag) {
    bool served[IBK_KMS_MAX_USERS] = {0};
    if (chain->count % 2 != 0 || chain->count / 2 > IBK_KMS_MAX_KEYS) {
        return ibk_fail(diag, IBK_ERR_BAD_CHAIN, "KEMAC", 0, "not pairs of identity and key, or too many");
    }
    out->items = calloc(chain->count / 2, sizeof *out->items);
    if (!out->items) {
        return IBK_ERR_NO_MEMORY;
    }
    for (size_t i = 0; i < chain->count; i += 2) {
        ibk_err err = take_key(r, out, &chain->items[i], &chain->items[i + 1], served, diag);
        if (err) {
            return err;
        }
    }
    for (size_t i = 0; i < r->who.n_users; i++) { /* §6.1.3 (N90), for every user */
        if (!served[i]) {
            return ibk_fail(diag, IBK_ERR_NOT_AUTHORIZED, "KEMAC", 0, "no key for user %zu of the request",
                            i + 1);
        }
    }
    return IBK_OK;
}

/* The identities move from the decrypted content, which is wiped, to the list. */
static ibk_err keep_identities(ibk_key_list *list) {
    for (size_t i = 0; i < list->count; i++) {
        ibk_err err = ibk_buf_append_span(&list->octets, list->items[i].ibe_identity);
        if (err) {
            return err;
        }
    }
    size_t at = 0;
    for (size_t i = 0; i < list->count; i++) {
        size_t len = list->items[i].ibe_identity.len;
        list->items[i].ibe_identity = ibk_buf_part(&list->octets, at, len);
        at += len;
    }
    return IBK_OK;
}

/* Offsets count from the start of the message, in which the content is still encrypted. */
static void place_content(const ibk_msg *msg, ibk_err err, ibk_diag *diag) {
    if (diag && diag->err == err) {
        ibk_diag inside = *diag;
        ibk_fail(diag, err, inside.payload, ibk_msg_find(msg, IBK_PL_KEMAC, 0)->offset,
                 "octet %zu of the content of KEMAC%s%s", inside.offset, inside.detail[0] ? ": " : "",
                 inside.detail);
    }
}

static ibk_err take_response(ibk_key_request *r, const ibk_msg *msg, const response_expect *expect,
                             ibk_key_list *out, ibk_diag *diag) {
    ibk_buf content = {0};
    ibk_chain chain = {0};
    ibk_err err = response_read(&content, msg, expect, diag);
    if (!err) {
        err = ibk_chain_parse(&chain, IBK_PL_KEMAC, IBK_PL_IDR, ibk_buf_span(&content), diag); /* P-4 */
        err = err ? err : take_all(r, out, &chain, diag);
        err = err ? err : keep_identities(out); /* §4.2.1.4 (N26) */
        if (err) {
            place_content(msg, err, diag);
        }
    }
    ibk_chain_free(&chain);
    ibk_buf_free(&content);
    return err;
}

ibk_err ibk_key_request_finish(ibk_key_request *request, ibk_time now, ibk_span message, ibk_key_list *out,
                               uint8_t *error_no, ibk_diag *diag) {
    ibk_key_request *r = request;
    uint8_t number = 0;
    if (!r->started || r->ended) {
        return IBK_ERR_STATE;
    }
    r->ended = true; /* §4.2.1.4 (N27): whatever comes ends it */
    bool late = now.mono_ns >= r->deadline;
    r->deadline = UINT64_MAX;
    if (late) {
        return ibk_fail(diag, IBK_ERR_TIMEOUT, NULL, 0, "the KMS did not answer in time");
    }
    response_expect expect = {.hdr = &r->hdr,
                              .who = &r->who,
                              .t = &r->t,
                              .rand = ibk_span_of(r->rand, sizeof r->rand),
                              .psk = ibk_buf_span(&r->key),
                              .without = r->config.without};
    ibk_msg msg = {0};
    ibk_err err = ibk_msg_parse(&msg, message, diag);
    if (!err && msg.hdr.data_type == IBK_MSG_ERROR) {
        err = key_error_read(&msg, &expect, &number, diag);
    } else if (!err && msg.hdr.data_type != IBK_MSG_REQUEST_KEY_RESP) {
        err =
            ibk_fail(diag, IBK_ERR_UNEXPECTED_MESSAGE, "HDR", 1, "%s", ibk_msg_type_name(msg.hdr.data_type));
    } else if (!err) {
        err = take_response(r, &msg, &expect, out, diag);
    }
    ibk_msg_free(&msg);
    ibk_buf_free(&r->key);
    if (err) {
        ibk_key_list_free(out);
    }
    if (error_no) {
        *error_no = number;
    }
    return err;
}
