/* What the handlers of all messages share: checks that RFC 6267 repeats for each, and the frame of a new
 * message. */
#include "ibake/session_internal.h"

ibk_err call_fail(call *c, ibk_err err, const char *payload, const char *detail) {
    const ibk_payload *at = NULL;
    if (c->msg && payload) { /* the first payload of that name tells where */
        for (size_t i = 0; i < c->msg->chain.count && !at; i++) {
            const char *name = ibk_payload_name(c->msg->chain.items[i].type);
            at = ibk_span_equal(ibk_span_str(name), ibk_span_str(payload)) ? &c->msg->chain.items[i] : NULL;
        }
    }
    return ibk_fail(c->diag, err, payload, at ? at->offset : 0, "%s", detail);
}

ibk_err call_unsupported(call *c, ibk_err err, int error_no, const char *payload, const char *detail) {
    c->error_no = error_no;
    return call_fail(c, err, payload, detail);
}

static const expect *expect_find(const expect *table, uint8_t type) {
    for (; table->type; table++) {
        if (table->type == type) {
            return table;
        }
    }
    return NULL;
}

ibk_err call_expect(call *c, const expect *table) {
    const ibk_chain *chain = &c->msg->chain;
    for (size_t i = 0; i < chain->count; i++) {
        const ibk_payload *p = &chain->items[i];
        if (!expect_find(table, p->type)) {
            return ibk_fail(c->diag, IBK_ERR_UNEXPECTED_PAYLOAD, ibk_payload_name(p->type), p->offset,
                            "not a payload of %s", ibk_msg_type_name(c->msg->hdr.data_type));
        }
    }
    for (const expect *e = table; e->type; e++) {
        size_t count = ibk_chain_count(chain, e->type);
        if (count < e->min) {
            return ibk_fail(c->diag, IBK_ERR_MISSING_PAYLOAD, ibk_payload_name(e->type), 0, "%s lacks it",
                            ibk_msg_type_name(c->msg->hdr.data_type));
        }
        if (e->max && count > e->max) {
            return ibk_fail(c->diag, IBK_ERR_UNEXPECTED_PAYLOAD, ibk_payload_name(e->type),
                            ibk_chain_find(chain, e->type, e->max)->offset, "%zu of them, at most %u", count,
                            e->max);
        }
    }
    return IBK_OK;
}

ibk_err call_same_hdr(call *c) {
    const ibk_hdr *got = &c->msg->hdr, *want = &c->s->hdr;
    if (!guards(c->s, IBK_DEFENCE_HEADER_REPEAT)) {
        return IBK_OK;
    }
    if (got->prf != want->prf || got->n_cs != want->n_cs || got->map_type != want->map_type ||
        got->csb_id != want->csb_id) {
        return ibk_fail(c->diag, IBK_ERR_MISMATCH, "HDR", 0, "PRF, #CS or CS ID map type differ from %s",
                        ibk_msg_type_name(want->data_type));
    }
    return IBK_OK;
}

ibk_err call_identities(call *c, ibk_identity *idi, ibk_identity *idr, bool required) {
    struct {
        uint8_t role;
        ibk_identity *out;
    } wanted[2] = {{IBK_ROLE_I, idi}, {IBK_ROLE_R, idr}};
    size_t found = 0;
    for (int i = 0; i < 2; i++) {
        const ibk_payload *p = ibk_msg_find_idr(c->msg, wanted[i].role, 0);
        *wanted[i].out = (ibk_identity){0};
        if (!p) {
            if (required) {
                return call_fail(c, IBK_ERR_MISSING_PAYLOAD, "IDR", i == 0 ? "no IDRi" : "no IDRr");
            }
            continue;
        }
        found++;
        if (p->id.data.len == 0 || p->id.data.len > IBK_IDENTITY_MAX) {
            return ibk_fail(c->diag, IBK_ERR_LIMIT, "IDR", p->offset, "%zu octets of ID data",
                            p->id.data.len);
        }
        if (p->id.id_type > IBK_ID_BYTES) { /* RFC 6043 §6.6: no such type */
            c->error_no = IBK_ERRNO_ID;
            return ibk_fail(c->diag, IBK_ERR_BAD_VALUE, "IDR", p->offset, "identity type %u", p->id.id_type);
        }
        *wanted[i].out = (ibk_identity){.id_type = p->id.id_type, .id = p->id.data};
    }
    if (ibk_chain_count(&c->msg->chain, IBK_PL_IDR) != found) {
        return call_fail(c, IBK_ERR_UNEXPECTED_PAYLOAD, "IDR", "an IDR of another role, or twice of one");
    }
    return IBK_OK;
}

ibk_err call_check_identity(call *c, uint32_t defence, const ibk_identity *got, const ibk_identity *want,
                            const char *payload) {
    if (ibk_identity_equal(got, want) || !guards(c->s, defence)) {
        return IBK_OK;
    }
    const ibk_payload *at = ibk_msg_find(c->msg, IBK_PL_IBAKE, 0), *idr; /* IBAKE: it stands inside */
    for (size_t i = 0; (idr = ibk_msg_find(c->msg, IBK_PL_IDR, i)) != NULL; i++) {
        at = idr->id.data.data == got->id.data ? idr : at;
    }
    return ibk_fail(c->diag, IBK_ERR_IDENTITY_MISMATCH, payload, at ? at->offset : 0,
                    "not the identity of this exchange");
}

/* What the replay cache says, as far as its defences are on. */
static ibk_err judge_replay(const call *c, ibk_err err) {
    bool skew = err == IBK_ERR_CLOCK_SKEW, again = err == IBK_ERR_REPLAYED || err == IBK_ERR_CACHE_FULL;
    bool off =
        (skew && !guards(c->s, IBK_DEFENCE_CLOCK_SKEW)) || (again && !guards(c->s, IBK_DEFENCE_REPLAY_CACHE));
    return off ? IBK_OK : err;
}

ibk_err call_check_time(call *c, const ibk_t *t, ibk_span octets) {
    /* RFC 3830 §5.3 (N39): T and replay come before everything that costs. */
    if (t->ts_type > IBK_TS_NTP_UTC_32 || !(c->s->policy.ts_types & 1u << t->ts_type)) {
        return call_unsupported(c, IBK_ERR_UNSUPPORTED, IBK_ERRNO_TS, "T", "timestamp type not accepted");
    }
    ibk_err err = judge_replay(c, ibk_replay_check(c->s->node.replay, t, octets, c->now.utc_ns));
    if (err == IBK_ERR_CLOCK_SKEW) {
        return call_unsupported(c, err, IBK_ERRNO_TS, "T", "outside the allowed clock skew");
    }
    return err ? call_fail(c, err, "T", "in the replay cache, or perhaps lost from it") : IBK_OK;
}

ibk_err call_remember(call *c, const ibk_t *t, ibk_span octets) {
    ibk_err err = judge_replay(c, ibk_replay_add(c->s->node.replay, t, octets, c->now.utc_ns));
    return err ? call_fail(c, err, "T", "the replay cache does not take it") : IBK_OK;
}

ibk_err call_same_time(call *c, const ibk_t *want, const char *detail) {
    bool same = ibk_t_equal(&ibk_msg_find(c->msg, IBK_PL_T, 0)->t, want);
    return same || !guards(c->s, IBK_DEFENCE_TIMESTAMP_REPEAT) ? IBK_OK
                                                               : call_fail(c, IBK_ERR_MISMATCH, "T", detail);
}

ibk_err call_next_time(call *c, ibk_t *out) {
    ibk_session *s = c->s;
    ibk_timestamps *source = s->node.timestamps ? s->node.timestamps : &s->own_timestamps;
    ibk_err err = ibk_timestamps_next(source, out, s->policy.ts_type, c->now.utc_ns);
    return err ? call_fail(c, err, "T", "no unused timestamp near the clock") : IBK_OK;
}

/* The instant whose date T names; a COUNTER leaves it to our clock. */
ibk_err call_date(call *c, const ibk_t *t, int64_t *date_ns) {
    if (t->ts_type == IBK_TS_COUNTER) {
        *date_ns = c->now.utc_ns;
        return IBK_OK;
    }
    ibk_err err = ibk_t_to_utc(date_ns, t, c->now.utc_ns);
    return err ? call_fail(c, err, "T", "no date in it") : IBK_OK;
}

size_t call_dates(const call *c, const ibk_t *t, int64_t dates[DATES_MAX]) {
    int64_t now = c->now.utc_ns, skew = ibk_replay_cache_skew(c->s->node.replay);
    if (t->ts_type != IBK_TS_COUNTER) {
        return ibk_t_to_utc(&dates[0], t, now) == IBK_OK ? 1 : 0;
    }
    dates[0] = now;
    dates[1] = now - skew;
    dates[2] = now + skew;
    return 3;
}

ibk_span call_ibake(const call *c) {
    const ibk_payload *p = ibk_msg_find(c->msg, IBK_PL_IBAKE, 0);
    return p ? p->enc.data : (ibk_span){0};
}

void call_begin(const call *c, ibk_msg *out, uint8_t data_type, bool v_flag) {
    *out = (ibk_msg){.hdr = c->s->hdr};
    out->hdr.data_type = data_type;
    out->hdr.v_flag = v_flag;
    out->hdr.map = ibk_buf_span(&c->s->map);
}

void call_add_id(ibk_msg *msg, uint8_t role, const owned_id *id) {
    ibk_add_idr(&msg->chain, role, id->id_type, ibk_buf_span(&id->octets));
}

ibk_err call_finish(call *c, ibk_msg *msg) {
    ibk_buf_clear(&c->s->out);
    ibk_err err = ibk_msg_write(msg, &c->s->out);
    c->s->out_type = msg->hdr.data_type;
    ibk_msg_free(msg);
    return err ? call_fail(c, err, NULL, "the message cannot be written") : IBK_OK;
}

void call_keylog(const ibk_session *s, ibk_keylog_kind kind, uint8_t cs_id, ibk_span value) {
    if (s->env.keylog) {
        ibk_keylog_record record = {.kind = kind, .csb_id = s->hdr.csb_id, .cs_id = cs_id, .value = value};
        s->env.keylog(s->env.user, &record);
    }
}

void call_work(const ibk_session *s, ibk_work what, unsigned size) {
    if (s->env.work) {
        s->env.work(s->env.user, what, size);
    }
}
