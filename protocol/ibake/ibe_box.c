/* IBE encryption to a user and decryption by us: which parameters, which key, which date. */
#include "ibake/session_internal.h"

/* Fills the step: fetch `what`, then ask again. */
static ibk_err need(call *c, ibk_step_kind kind, uint8_t id_type, ibk_span what) {
    ibk_session *s = c->s;
    ibk_buf_clear(&s->need);
    ibk_err err = ibk_buf_append_span(&s->need, what);
    if (err) {
        return call_fail(c, err, NULL, "out of memory");
    }
    c->step->kind = kind;
    c->step->need = (ibk_identity){.id_type = id_type, .id = ibk_buf_span(&s->need)};
    return CALL_PENDING;
}

ibk_err box_params(call *c, const ibk_identity *id, const ibk_ibe_params **out) {
    switch (c->s->node.params(c->s->node.user, id, out)) {
    case IBK_LOOKUP_FOUND:
        return IBK_OK;
    case IBK_LOOKUP_PENDING:
        return need(c, IBK_STEP_NEED_PARAMS, id->id_type, id->id);
    default:
        return call_unsupported(c, IBK_ERR_NO_PARAMS, IBK_ERRNO_ID, "IDR",
                                "no parameters for the domain of this identity");
    }
}

ibk_err box_seal(call *c, const ibk_identity *id, ibk_span plain, ibk_buf *out) {
    ibk_session *s = c->s;
    const ibk_ibe_params *params;
    ibk_buf ibe_id = {0};
    ibk_err err = box_params(c, id, &params);
    if (err) {
        return err;
    }
    ibk_granularity granularity =
        s->node.granularity ? s->node.granularity(s->node.user, id) : s->peer_granularity;
    err = ibk_ibe_identity(&ibe_id, id->id, granularity, s->date_ns);
    if (!err) {
        const ibk_ibe_peer *peer =
            s->node.peer ? s->node.peer(s->node.user, params, ibk_buf_span(&ibe_id)) : NULL;
        err = peer ? ibk_ibe_peer_encrypt(&s->env, peer, plain, out)
                   : ibk_ibe_encrypt(&s->env, params, ibk_buf_span(&ibe_id), plain, out);
        if (!err && !peer) { /* the node tells itself of those that it makes */
            call_work(s, IBK_WORK_IBE_PEER, ibk_ibe_params_n(params));
        }
        if (!err) {
            call_work(s, IBK_WORK_IBE_ENCRYPT, ibk_ibe_params_n(params));
        }
    }
    ibk_buf_free(&ibe_id);
    return err ? call_fail(c, err, "IBAKE", "IBE encryption failed") : IBK_OK;
}

/* One date. `*had_key` tells whether there was a key to try. */
static ibk_err open_at(call *c, ibk_span ibe_id, ibk_span ciphertext, ibk_buf *plain, bool *had_key) {
    const ibk_ibe_params *params;
    const ibk_ibe_key *key;
    switch (c->s->node.private_key(c->s->node.user, ibe_id, &params, &key)) {
    case IBK_LOOKUP_PENDING:
        return need(c, IBK_STEP_NEED_KEY, IBK_ID_BYTES, ibe_id);
    case IBK_LOOKUP_ABSENT:
        return IBK_ERR_NO_KEY;
    default:
        break;
    }
    *had_key = true;
    ibk_err err = ibk_ibe_decrypt(params, key, ciphertext, plain, c->diag);
    if (!err || err == IBK_ERR_DECRYPT) { /* what is no ciphertext is refused before the pairing */
        call_work(c->s, IBK_WORK_IBE_DECRYPT, ibk_ibe_params_n(params));
    }
    return err;
}

static bool seen_before(const ibk_session *s, const int64_t *dates, size_t i) {
    for (size_t j = 0; j < i; j++) {
        if (ibk_period_start(s->local_granularity, dates[j]) ==
            ibk_period_start(s->local_granularity, dates[i])) {
            return true;
        }
    }
    return false;
}

/* P-16: the cause stands in the local log alone, its offset counted from the start of the message. */
static ibk_err refused_by_ibe(call *c, ibk_err err) {
    const ibk_payload *ibake = ibk_msg_find(c->msg, IBK_PL_IBAKE, 0);
    if (!c->diag->payload || c->diag->err != err) {
        return call_fail(c, err, "IBAKE", "IBE decryption refused it");
    }
    c->diag->offset += ibake->offset + 3; /* next payload and length stand before the ciphertext */
    return err;
}

ibk_err box_open(call *c, const ibk_identity *id, const int64_t *dates, size_t n_dates, ibk_span ciphertext,
                 ibk_buf *plain, int64_t *used) {
    bool had_key = false;
    ibk_err err = IBK_ERR_NO_KEY, tried = IBK_ERR_NO_KEY;
    for (size_t i = 0; i < n_dates; i++) {
        if (seen_before(c->s, dates, i)) {
            continue;
        }
        ibk_buf ibe_id = {0};
        err = ibk_ibe_identity(&ibe_id, id->id, c->s->local_granularity, dates[i]);
        if (!err) {
            err = open_at(c, ibk_buf_span(&ibe_id), ciphertext, plain, &had_key);
        }
        ibk_buf_free(&ibe_id);
        if (err == IBK_OK && used) {
            *used = dates[i];
        }
        if (err == IBK_OK || err == CALL_PENDING) {
            return err;
        }
        tried = err != IBK_ERR_NO_KEY ? err : tried;
    }
    return had_key ? refused_by_ibe(c, tried)
                   : call_fail(c, tried, "IBAKE", "no private key for this identity and date");
}
