/* `re-encrypt`: one message, with an IBAKE of the adversary's own. */
#include "adversary/bad_points.h"
#include "adversary/craft_internal.h"

#include <string.h>

/* One re-encryption on its way. */
typedef struct work {
    craft *c;
    craft_call *call;
    const ibk_msg *msg;
    const scn_rule *rule;
    const ibk_payload *t, *ibake;
    craft_content content;
    ibk_chain chain; /* what the content borrows, if it was opened */
    ibk_buf plain;
    bool opened;
    ibk_diag *diag;
} work;

static ibk_err fail(const work *w, ibk_err err, const char *why) {
    return ibk_fail(w->diag, err, "IBAKE", w->ibake ? w->ibake->offset : 0, "%s", why);
}

/* ---- what a message gives away ----------------------------------------------------------------------------
 */

static bool is_planted(const craft_call *call, int side, ibk_span octets) {
    return octets.len && ibk_span_equal(octets, ibk_buf_span(&call->planted[side]));
}

/* What it put there itself is no news. */
static void note_point(craft_call *call, int side, uint8_t curve, const ibk_buf *octets) {
    ibk_ec_point point;
    if (octets->len && !is_planted(call, side, ibk_buf_span(octets)) &&
        ibk_ec_decode(&point, curve, ibk_buf_span(octets)) == IBK_OK)
        call->seen[side] = point;
}

/* The genuine points, PRF and RAND of the exchange. */
static ibk_err take_notes(const work *w) {
    craft_call *call = w->call;
    const ibk_payload *rand = ibk_msg_find(w->msg, IBK_PL_RAND, 0);
    call->prf = w->msg->hdr.prf;
    if (w->opened) {
        note_point(call, SIDE_I, w->content.curve_i, &w->content.point_i);
        note_point(call, SIDE_R, w->content.curve_r, &w->content.point_r);
    }
    if (!rand)
        return IBK_OK;
    ibk_buf_clear(&call->rand);
    return ibk_buf_append_span(&call->rand, rand->rand.data);
}

/* ---- points
 * ------------------------------------------------------------------------------------------------ */

/* The curve of the exchange, as far as it is known. */
static uint8_t curve_of(const work *w, int side) {
    uint8_t inside = side == SIDE_I ? w->content.curve_i : w->content.curve_r;
    if (inside)
        return inside;
    for (int i = 0; i < SIDES; i++)
        if (w->call->seen[i].curve)
            return w->call->seen[i].curve;
    return IBK_EC_P256; /* P-21 */
}

/* The same value through a whole call, so that it answers to itself: [x]P in I_MESSAGE_1 is what it echoes
 * later. */
static ibk_err own_point(const work *w, int side, ibk_ec_point *out) {
    ibk_ec_key *own = &w->call->own[side];
    const craft_config *config = &w->c->config;
    uint8_t curve = curve_of(w, side);
    ibk_err err = IBK_OK;
    if (own->curve != curve) {
        err = ibk_ec_keygen(own, &config->env, side == SIDE_I ? IBK_DRAW_X : IBK_DRAW_Y, curve);
        craft_charge(w->c, IBK_WORK_EC_KEYGEN, craft_curve_bits(curve));
        ibk_keylog_record record = {.kind = side == SIDE_I ? IBK_KEYLOG_X : IBK_KEYLOG_Y,
                                    .csb_id = w->msg->hdr.csb_id,
                                    .value = ibk_span_of(own->scalar, own->scalar_len)};
        if (!err && config->learned)
            config->learned(config->user, w->call->id, &record);
    }
    *out = own->pub;
    return err;
}

/* What stands there, or stood there in an earlier message. An echo of its own point becomes one of the
 * genuine point in whose place it stood: so the echo fits at both ends. */
static ibk_err kept_point(const work *w, int side, ibk_ec_point *out) {
    const ibk_buf *inside = side == SIDE_I ? &w->content.point_i : &w->content.point_r;
    if (inside->len && !is_planted(w->call, side, ibk_buf_span(inside)))
        return ibk_ec_decode(out, curve_of(w, side), ibk_buf_span(inside));
    *out = w->call->seen[side];
    return out->curve ? IBK_OK : own_point(w, side, out);
}

static ibk_err reflected_point(const work *w, int side, ibk_ec_point *out) {
    *out = w->call->seen[side == SIDE_I ? SIDE_R : SIDE_I];
    return out->curve ? IBK_OK : fail(w, IBK_ERR_NO_KEY, "the point to reflect is not known");
}

static ibk_err bad_octets(const work *w, int side, bad_point kind, ibk_buf *out) {
    ibk_ec_point base;
    ibk_err err = kind == BAD_POINT_COMPRESSED ? kept_point(w, side, &base) : own_point(w, side, &base);
    if (!err)
        err = bad_point_make(out, kind, &base);
    return err ? fail(w, err, "no such point on this curve") : IBK_OK;
}

static ibk_err point_octets(const work *w, int side, const scn_point *wish, ibk_buf *out) {
    ibk_ec_point point = {0};
    ibk_err err = IBK_OK;
    switch (wish->kind) {
    case SCN_POINT_OFF_CURVE:
        return bad_octets(w, side, BAD_POINT_OFF_CURVE, out);
    case SCN_POINT_INFINITY:
        return bad_octets(w, side, BAD_POINT_INFINITY, out);
    case SCN_POINT_SMALL_ORDER:
        return bad_octets(w, side, BAD_POINT_SMALL_ORDER, out);
    case SCN_POINT_COMPRESSED:
        return bad_octets(w, side, BAD_POINT_COMPRESSED, out);
    case SCN_POINT_TWIST:
        return bad_octets(w, side, BAD_POINT_TWIST, out);
    case SCN_POINT_HEX:
        return ibk_buf_append_span(out, wish->octets);
    case SCN_POINT_OWN:
        err = own_point(w, side, &point);
        break;
    case SCN_POINT_REFLECTED:
        err = reflected_point(w, side, &point);
        break;
    default: {
        const ibk_buf *inside = side == SIDE_I ? &w->content.point_i : &w->content.point_r;
        if (inside->len && !is_planted(w->call, side, ibk_buf_span(inside)))
            return ibk_buf_append_span(out, ibk_buf_span(inside));
        err = kept_point(w, side, &point);
        break;
    }
    }
    return err ? err : ibk_buf_append_span(out, ibk_ec_point_span(&point));
}

/* What it puts in the place of a genuine point is remembered: an echo of it may come. */
static ibk_err plant(const work *w, int side, uint8_t curve, ibk_span octets) {
    const craft_config *config = &w->c->config;
    ibk_buf *planted = &w->call->planted[side];
    if (config->planted)
        config->planted(config->user, w->call->id, w->msg->hdr.csb_id, side == SIDE_R, curve, octets);
    ibk_buf_clear(planted);
    return ibk_buf_append_span(planted, octets);
}

static ibk_err put_point(work *w, int side, const scn_point *wish) {
    ibk_buf *place = side == SIDE_I ? &w->content.point_i : &w->content.point_r;
    const ibk_ec_point *seen = &w->call->seen[side];
    uint8_t curve = curve_of(w, side);
    ibk_buf octets = {0};
    ibk_err err = point_octets(w, side, wish, &octets);
    ibk_span made = ibk_buf_span(&octets);
    bool same = ibk_span_equal(made, ibk_buf_span(place)) || ibk_span_equal(made, ibk_ec_point_span(seen));
    if (!err && !same)
        err = plant(w, side, curve, made);
    if (err) {
        ibk_buf_free(&octets);
        return err;
    }
    ibk_buf_free(place);
    *place = octets;
    *(side == SIDE_I ? &w->content.curve_i : &w->content.curve_r) = curve;
    return IBK_OK;
}

/* ---- the content
 * --------------------------------------------------------------------------------------------- */

/* Which points belong into a message (RFC 6267 §4.2.2), if nothing is known of its content. */
static bool has_point(uint8_t data_type, int side) {
    return side == SIDE_I ? data_type != IBK_MSG_I_MESSAGE_2
                          : data_type == IBK_MSG_R_MESSAGE_1 || data_type == IBK_MSG_I_MESSAGE_2;
}

static ibk_err put_points(work *w) {
    const scn_point *wishes[SIDES] = {&w->rule->point_i, &w->rule->point_r};
    const ibk_buf *inside[SIDES] = {&w->content.point_i, &w->content.point_r};
    ibk_err err = IBK_OK;
    for (int side = 0; !err && side < SIDES; side++) {
        bool wanted = wishes[side]->kind != SCN_POINT_KEPT;
        if (wanted || (w->opened ? inside[side]->len > 0 : has_point(w->msg->hdr.data_type, side)))
            err = put_point(w, side, wishes[side]);
    }
    return err;
}

static void put_identity(ibk_identity *place, const ibk_payload *outer, const scn_inner *wish, bool opened) {
    if (wish->given)
        *place = wish->identity ? ibk_identity_uri(wish->identity) : (ibk_identity){0};
    else if (!opened && outer)
        *place = (ibk_identity){.id_type = outer->id.id_type, .id = outer->id.data};
}

static void open_content(work *w) {
    const ibk_payload *recipient = craft_recipient(w->msg);
    if (!w->ibake || !recipient)
        return;
    ibk_err err = craft_open(w->c, recipient->id.data, &w->t->t, w->ibake->enc.data, &w->plain);
    w->opened = !err && craft_content_read(&w->content, &w->chain, ibk_buf_span(&w->plain), NULL) == IBK_OK;
}

static ibk_err seal_content(work *w, ibk_buf *ciphertext) {
    const ibk_payload *recipient = craft_recipient(w->msg);
    const char *other = w->rule->for_identity;
    ibk_buf plain = {0};
    if (!recipient && !other)
        return fail(w, IBK_ERR_MISSING_PAYLOAD, "no identity to encrypt for");
    ibk_err err = craft_content_write(&plain, &w->content);
    if (!err)
        err = craft_seal(w->c, other ? ibk_span_str(other) : recipient->id.data, w->rule->parameters_of,
                         &w->t->t, ibk_buf_span(&plain), ciphertext);
    ibk_buf_free(&plain);
    return err ? fail(w, err, "its new content cannot be encrypted") : IBK_OK;
}

/* ---- V of R_MESSAGE_2
 * ------------------------------------------------------------------------------------------ */

/* K_SESSION of its own y and the initiator's [x]P: whoever the initiator believes to have answered, it shares
 * this key with the adversary. */
static ibk_err own_mpk(const work *w, uint8_t mpk[IBK_MAC_MAX], size_t *len) {
    const craft_call *call = w->call;
    const craft_config *config = &w->c->config;
    uint8_t tgk[32];
    ibk_ec_point shared = {0};
    ibk_span rand = ibk_buf_span(&call->rand);
    if (!call->own[SIDE_R].curve || !call->seen[SIDE_I].curve || !rand.len)
        return fail(w, IBK_ERR_NO_KEY, "no y of its own in this call, or [x]P or RAND unknown");
    *len = ibk_prf_hash_len(call->prf);
    ibk_err err = ibk_ec_shared(&shared, &call->own[SIDE_R], &call->seen[SIDE_I]);
    ibk_span k = ibk_ec_point_span(&shared);
    if (!err)
        err = ibk_derive(mpk, *len, call->prf, IBK_DERIVE_MPK, k, 0, 0, rand);
    if (!err)
        err = ibk_derive(tgk, sizeof tgk, call->prf, IBK_DERIVE_TGK, k, 0, 0, rand);
    if (!err && config->learned) {
        ibk_keylog_record record = {
            .kind = IBK_KEYLOG_TGK, .csb_id = w->msg->hdr.csb_id, .value = ibk_span_of(tgk, sizeof tgk)};
        config->learned(config->user, call->id, &record);
    }
    craft_charge(w->c, IBK_WORK_EC_DH, craft_curve_bits(call->seen[SIDE_I].curve));
    ibk_wipe(&shared, sizeof shared);
    ibk_wipe(tgk, sizeof tgk);
    return err ? fail(w, err, "no session key from these points") : IBK_OK;
}

/* P-8: IDRi, then IDRr, as the message names them. */
static ibk_err sign(const work *w, const ibk_msg *msg, ibk_buf *out) {
    uint8_t mpk[IBK_MAC_MAX];
    size_t mpk_len = 0;
    ibk_msg_keys keys = {0};
    const ibk_payload *idi = ibk_msg_find_idr(msg, IBK_ROLE_I, 0),
                      *idr = ibk_msg_find_idr(msg, IBK_ROLE_R, 0);
    if (!idi || !idr)
        return fail(w, IBK_ERR_MISSING_PAYLOAD, "R_MESSAGE_2 does not name both");
    ibk_span ids[2] = {idi->id.data, idr->id.data};
    ibk_err err = own_mpk(w, mpk, &mpk_len);
    if (!err)
        err = ibk_msg_keys_derive(&keys, w->call->prf, ibk_span_of(mpk, mpk_len), msg->hdr.csb_id,
                                  ibk_buf_span(&w->call->rand), IBK_ENCR_NULL,
                                  ibk_msg_find(msg, IBK_PL_V, 0)->v.mac_alg);
    if (!err)
        err = ibk_msg_write_v(msg, out, ibk_span_of(keys.auth, keys.auth_len), ids, 2);
    ibk_wipe(mpk, sizeof mpk);
    ibk_wipe(&keys, sizeof keys);
    return err;
}

/* ---- the whole
 * --------------------------------------------------------------------------------------------------- */

/* The message with another ciphertext in its IBAKE, and a V of its own where there is one. */
static ibk_err write_message(const work *w, ibk_span ciphertext, ibk_buf *out) {
    ibk_msg copy = {.hdr = w->msg->hdr};
    for (size_t i = 0; i < w->msg->chain.count; i++) {
        ibk_payload p = w->msg->chain.items[i];
        if (p.type == IBK_PL_IBAKE)
            p.enc.data = ciphertext;
        ibk_chain_add(&copy.chain, &p);
    }
    ibk_err err = ibk_msg_find(&copy, IBK_PL_V, 0) ? sign(w, &copy, out) : ibk_msg_write(&copy, out);
    ibk_msg_free(&copy);
    return err;
}

static ibk_err run(work *w, ibk_buf *out) {
    ibk_buf ciphertext = {0};
    const ibk_msg *msg = w->msg;
    w->t = ibk_msg_find(msg, IBK_PL_T, 0);
    w->ibake = ibk_msg_find(msg, IBK_PL_IBAKE, 0);
    if (!w->t || (!w->ibake && !ibk_msg_find(msg, IBK_PL_V, 0)))
        return fail(w, IBK_ERR_MISSING_PAYLOAD, "neither IBAKE nor V");
    open_content(w);
    put_identity(&w->content.idi, ibk_msg_find_idr(msg, IBK_ROLE_I, 0), &w->rule->inner_i, w->opened);
    put_identity(&w->content.idr, ibk_msg_find_idr(msg, IBK_ROLE_R, 0), &w->rule->inner_r, w->opened);
    ibk_err err = take_notes(w);
    if (!err && w->ibake)
        err = put_points(w);
    if (!err && w->ibake)
        err = seal_content(w, &ciphertext);
    if (!err)
        err = write_message(w, ibk_buf_span(&ciphertext), out);
    ibk_buf_free(&ciphertext);
    return err;
}

ibk_err craft_reencrypt(craft *c, const char *call, const ibk_msg *msg, const scn_rule *rule, ibk_buf *out,
                        ibk_diag *diag) {
    work w = {.c = c, .call = craft_call_of(c, call), .msg = msg, .rule = rule, .diag = diag};
    size_t before = out->len;
    if (!w.call)
        return IBK_ERR_NO_MEMORY;
    ibk_err err = run(&w, out);
    if (err)
        ibk_buf_resize(out, before);
    craft_content_free(&w.content);
    ibk_chain_free(&w.chain);
    ibk_buf_free(&w.plain);
    return err;
}
