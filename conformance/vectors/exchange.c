/* A full exchange (RFC 6267 §4.2.2) with all its randomness given: four messages, and the keys of both ends.
 */
#include "conformance/vectors/work.h"

#include <ibake/session.h>
#include <string.h>

enum { TEK_LEN = 16, MESSAGES = 4 };

/* One end: what it draws, knows and logs. */
typedef struct end {
    work *w;
    const char *scalar, *rho; /* names of its inputs */
    size_t n_rho;             /* drawn so far */
    const ibk_ibe_params *params;
    ibk_ibe_key *key;
    ibk_span ibe_identity;
    ibk_session *session;
    bool logs;
} end;

static ibk_err draw(void *user, ibk_draw_label label, uint8_t *out, size_t len) {
    end *e = user;
    ibk_span value = {0};
    if (label == IBK_DRAW_CSB_ID)
        value = work_octets(e->w, "csbId");
    else if (label == IBK_DRAW_RAND)
        value = work_octets(e->w, "rand");
    else if (label == IBK_DRAW_X || label == IBK_DRAW_Y)
        value = work_octets(e->w, e->scalar);
    else if (label == IBK_DRAW_RHO)
        value = work_element(e->w, e->rho, e->n_rho++);
    else
        memset(out, 1, len);
    if (label != IBK_DRAW_BLIND && value.len != len)
        return IBK_ERR_RANDOM;
    if (value.len > 0)
        memcpy(out, value.data, len);
    return IBK_OK;
}

/* The secrets on the way, as the initiator sees them; V and the TEKs show that the responder has the same. */
static void keylog(void *user, const ibk_keylog_record *record) {
    end *e = user;
    const char *name = record->kind == IBK_KEYLOG_KSESSION  ? "kSession"
                       : record->kind == IBK_KEYLOG_MPK     ? "mpk"
                       : record->kind == IBK_KEYLOG_TGK     ? "tgk"
                       : record->kind == IBK_KEYLOG_AUTHKEY ? "authKey"
                                                            : NULL;
    if (e->logs && name)
        work_put(e->w, name, record->value);
}

static ibk_lookup find_params(void *user, const ibk_identity *id, const ibk_ibe_params **out) {
    (void)id;
    *out = ((end *)user)->params;
    return IBK_LOOKUP_FOUND;
}

static ibk_lookup find_key(void *user, ibk_span ibe_identity, const ibk_ibe_params **params,
                           const ibk_ibe_key **key) {
    end *e = user;
    if (!ibk_span_equal(ibe_identity, e->ibe_identity))
        return IBK_LOOKUP_ABSENT;
    *params = e->params;
    *key = e->key;
    return IBK_LOOKUP_FOUND;
}

static ibk_err open_end(end *e, ibk_session_role role, ibk_replay_cache *replay) {
    work *w = e->w;
    bool initiator = role == IBK_SESSION_INITIATOR;
    ibk_identity ids[2] = {ibk_identity_uri(work_text(w, "initiator")),
                           ibk_identity_uri(work_text(w, "responder"))};
    ibk_cs_srtp sessions[2] = {{.ssrc = 0x11111111}, {.ssrc = 0x22222222}};
    ibk_session_config config = {
        .role = role,
        .local = ids[initiator ? 0 : 1],
        .peer = ids[initiator ? 1 : 0],
        .policy = {.prf = (uint8_t)work_number(w, "prf"), .curve = (uint8_t)work_number(w, "curve")},
        .node = {.user = e, .params = find_params, .private_key = find_key, .replay = replay}};
    if (initiator) {
        config.srtp = sessions;
        config.n_srtp = 2;
        config.sdp_ids = ibk_span_str("mikey");
    }
    ibk_span der = work_octets(w, initiator ? "initiatorKey" : "responderKey");
    e->ibe_identity = work_octets(w, initiator ? "initiatorIdentity" : "responderIdentity");
    ibk_env env = {.user = e, .draw = draw, .keylog = keylog};
    ibk_err err = ibk_ibe_key_parse(&e->key, e->params, der, &w->diag);
    return err ? err : ibk_session_new(&e->session, &env, &config);
}

static ibk_err carry(work *w, end ends[2], ibk_time now) {
    json_t *messages = json_array();
    ibk_step step = {0};
    ibk_buf message = {0};
    ibk_err err = ibk_session_start(ends[0].session, now, &step);
    for (size_t i = 0; !err && i < MESSAGES; i++) {
        ibk_buf_clear(&message);
        err = step.kind == IBK_STEP_CLOSED ? step.reason : ibk_buf_append_span(&message, step.message);
        if (!err && message.len == 0)
            err = IBK_ERR_INTERNAL;
        json_array_append_new(messages, work_hex(ibk_buf_span(&message)));
        err = err ? err : ibk_session_recv(ends[(i + 1) % 2].session, now, ibk_buf_span(&message), &step);
    }
    if (!err && step.kind != IBK_STEP_ESTABLISHED)
        err = step.reason ? step.reason : IBK_ERR_INTERNAL;
    ibk_buf_free(&message);
    work_put_new(w, "messages", messages);
    return err;
}

/* TEK || salt of both crypto sessions, which have to be the same at both ends. */
static ibk_err media_keys(work *w, end ends[2]) {
    json_t *keys = json_array();
    ibk_err err = IBK_OK;
    for (uint8_t cs_id = 1; cs_id <= 2 && !err; cs_id++) {
        uint8_t key[2][TEK_LEN + IBK_SALT_LEN];
        for (size_t i = 0; i < 2 && !err; i++)
            err = ibk_session_tek(ends[i].session, cs_id, key[i], TEK_LEN, key[i] + TEK_LEN, IBK_SALT_LEN);
        if (!err && memcmp(key[0], key[1], sizeof key[0]) != 0)
            err = IBK_ERR_INTERNAL;
        if (!err)
            json_array_append_new(keys, work_hex(ibk_span_of(key[0], sizeof key[0])));
    }
    work_put_new(w, "mediaKeys", keys);
    return err;
}

ibk_err op_exchange(work *w) {
    ibk_ibe_params *params = NULL;
    ibk_replay_cache *replay = NULL;
    ibk_time now = {.utc_ns = work_integer(w, "utcSeconds") * 1000000000};
    ibk_err err = ibk_ibe_params_parse(&params, work_octets(w, "parameters"), NULL, &w->diag);
    err = err ? err : ibk_replay_cache_new(&replay, NULL);
    end ends[2] = {{.w = w, .scalar = "x", .rho = "initiatorRho", .params = params, .logs = true},
                   {.w = w, .scalar = "y", .rho = "responderRho", .params = params}};
    err = err ? err : open_end(&ends[0], IBK_SESSION_INITIATOR, replay);
    err = err ? err : open_end(&ends[1], IBK_SESSION_RESPONDER, replay);
    err = err ? err : carry(w, ends, now);
    err = err ? err : media_keys(w, ends);
    for (size_t i = 0; i < 2; i++) {
        ibk_session_free(ends[i].session);
        ibk_ibe_key_free(ends[i].key);
    }
    ibk_replay_cache_free(replay);
    ibk_ibe_params_free(params);
    return err;
}
