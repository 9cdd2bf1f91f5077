/* The content of IBAKE: IDRi || {ECCPTi} || IDRr || ECCPTr and its shorter forms (RFC 6267 §4.2.2). */
#include "ibake/session_internal.h"
#include "mikey/ecdh_careless.h"

static void add_point(ibk_chain *chain, const ibk_ec_point *point, ibk_span mki) {
    if (point) {
        ibk_payload p = {.type = IBK_PL_ECCPT,
                         .eccpt = {.curve = point->curve, .point = ibk_ec_point_span(point)}};
        p.eccpt.kv = (ibk_kv){.type = mki.len > 0 ? IBK_KV_SPI : IBK_KV_NONE, .spi = mki};
        ibk_chain_add(chain, &p);
    }
}

ibk_err inner_seal(call *c, const ibk_identity *to, int form, const points *values, ibk_buf *ciphertext) {
    ibk_session *s = c->s;
    bool initiator = s->role == IBK_SESSION_INITIATOR;
    ibk_identity idi = owned_id_get(initiator ? &s->local : &s->peer);
    ibk_identity idr = owned_id_get(initiator ? &s->peer : &s->local);
    ibk_chain chain = {0};
    ibk_buf plain = {0};
    /* P-4: the first is an IDR, the last says that it is the last */
    if (form == INNER_UPDATE_BY_R) { /* §5.3, P-30: the order of the payloads around it */
        ibk_add_idr(&chain, IBK_ROLE_R, idr.id_type, idr.id);
        add_point(&chain, values->r, values->mki);
        ibk_add_idr(&chain, IBK_ROLE_I, idi.id_type, idi.id);
    } else {
        ibk_add_idr(&chain, IBK_ROLE_I, idi.id_type, idi.id);
        add_point(&chain, values->i, values->mki);
        if (form != INNER_R_MESSAGE_2) { /* §4.2.2.7: IDRi || ECCPTi alone (N66) */
            ibk_add_idr(&chain, IBK_ROLE_R, idr.id_type, idr.id);
        }
        add_point(&chain, values->r, values->mki);
    }
    ibk_err err = ibk_chain_write(&chain, &plain);
    ibk_chain_free(&chain);
    err = err ? call_fail(c, err, "IBAKE", "its content cannot be written")
              : box_seal(c, to, ibk_buf_span(&plain), ciphertext);
    ibk_buf_free(&plain);
    return err;
}

typedef struct cursor {
    const ibk_chain *chain;
    size_t at;
} cursor;

static const ibk_payload *take(cursor *cur, uint8_t type) {
    if (cur->at < cur->chain->count && cur->chain->items[cur->at].type == type) {
        return &cur->chain->items[cur->at++];
    }
    return NULL;
}

static bool take_id(cursor *cur, uint8_t role, ibk_identity *out) {
    const ibk_payload *p = take(cur, IBK_PL_IDR);
    if (!p || p->id.role != role || p->id.data.len == 0) {
        return false;
    }
    *out = (ibk_identity){.id_type = p->id.id_type, .id = p->id.data};
    return true;
}

static size_t ibake_offset(const call *c) {
    const ibk_payload *ibake = ibk_msg_find(c->msg, IBK_PL_IBAKE, 0);
    return ibake ? ibake->offset : 0;
}

static ibk_err bad_form(call *c, ibk_err err, const char *detail) {
    return ibk_fail(c->diag, err, "IBAKE", ibake_offset(c), "%s", detail);
}

/* Offsets count from the start of the message, in which the content is still encrypted. */
static ibk_err bad_content(call *c, ibk_err err) {
    ibk_diag inside = *c->diag;
    return ibk_fail(c->diag, err, inside.payload, ibake_offset(c), "octet %zu of the content of IBAKE%s%s",
                    inside.offset, inside.detail[0] ? ": " : "", inside.detail);
}

/* IDRr || ECCPTr || IDRi */
static ibk_err parse_update_by_r(call *c, inner *out, cursor *cur) {
    if (!take_id(cur, IBK_ROLE_R, &out->idr) || !(out->eccpt_r = take(cur, IBK_PL_ECCPT)) ||
        !take_id(cur, IBK_ROLE_I, &out->idi)) {
        return bad_form(c, IBK_ERR_MISSING_PAYLOAD, "not IDRr, ECCPTr, IDRi");
    }
    return cur->at == cur->chain->count
               ? IBK_OK
               : bad_form(c, IBK_ERR_UNEXPECTED_PAYLOAD, "payloads follow its last one");
}

ibk_err inner_parse(call *c, inner *out, int form, ibk_chain *chain, ibk_span plain) {
    ibk_err err = ibk_chain_parse(chain, IBK_PL_IBAKE, IBK_PL_IDR, plain, c->diag); /* P-4 */
    if (err) {
        return bad_content(c, err);
    }
    cursor cur = {.chain = chain};
    *out = (inner){0};
    if (form == INNER_UPDATE_BY_R) {
        return parse_update_by_r(c, out, &cur);
    }
    if (!take_id(&cur, IBK_ROLE_I, &out->idi)) {
        return bad_form(c, IBK_ERR_MISSING_PAYLOAD, "no IDRi at its start");
    }
    out->eccpt_i = take(&cur, IBK_PL_ECCPT); /* P-17: zero or one before IDRr */
    if (!out->eccpt_i && form != INNER_BOTH) {
        return bad_form(c, IBK_ERR_MISSING_PAYLOAD, "no ECCPTi");
    }
    if (form != INNER_R_MESSAGE_2 && !take_id(&cur, IBK_ROLE_R, &out->idr)) {
        return bad_form(c, IBK_ERR_MISSING_PAYLOAD, "no IDRr after IDRi and at most one ECCPTi");
    }
    if (form == INNER_BOTH && !(out->eccpt_r = take(&cur, IBK_PL_ECCPT))) {
        return bad_form(c, IBK_ERR_MISSING_PAYLOAD, "no ECCPTr");
    }
    if (cur.at != chain->count) {
        return bad_form(c, IBK_ERR_UNEXPECTED_PAYLOAD, "payloads follow its last one");
    }
    return IBK_OK;
}

ibk_err inner_check_ids(call *c, const inner *in, const ibk_identity *idi, const ibk_identity *idr) {
    /* P-19, RFC 6267 §7.2: this is what defeats the reflection attack */
    ibk_err err = call_check_identity(c, IBK_DEFENCE_INNER_IDENTITIES, &in->idi, idi, "IDRi in IBAKE");
    return err ? err : call_check_identity(c, IBK_DEFENCE_INNER_IDENTITIES, &in->idr, idr, "IDRr in IBAKE");
}

ibk_err inner_point(call *c, const ibk_payload *eccpt, ibk_ec_point *out) {
    uint8_t curve = eccpt->eccpt.curve;
    if (curve > 31 || !(c->s->policy.curves & IBK_CURVE_BIT(curve))) {
        c->error_no = IBK_ERRNO_DH;
        return ibk_fail(c->diag, IBK_ERR_UNSUPPORTED, "ECCPT", ibake_offset(c), "curve %u not accepted",
                        curve);
    }
    ibk_err err = guards(c->s, IBK_DEFENCE_POINT_ON_CURVE)
                      ? ibk_ec_decode(out, curve, eccpt->eccpt.point)
                      : ibk_ec_decode_careless(out, curve, eccpt->eccpt.point);
    return err ? bad_form(c, err, "the point of an ECCPT is refused") : IBK_OK;
}

ibk_err inner_check_echo(call *c, const ibk_payload *eccpt, const ibk_ec_point *ours) {
    ibk_ec_point point;
    if (!guards(c->s, IBK_DEFENCE_ECHO)) {
        return IBK_OK;
    }
    ibk_err err = inner_point(c, eccpt, &point);
    if (err) {
        return err;
    }
    if (!ibk_ec_point_equal(&point, ours)) {
        return bad_form(c, IBK_ERR_ECHO_MISMATCH, "the echoed point is not ours"); /* P-16 */
    }
    return IBK_OK;
}
