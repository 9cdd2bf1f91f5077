/* The messages of RFC 6267 §4.2.2 and §5.3, as they ought to be. */
#include "peer/internal.h"

#include <string.h>

bool px_initiates(const peer *p) {
    return p->c.role == PEER_INITIATOR;
}

uint8_t px_mac_of(const peer *p) {
    return p->c.mac ? p->c.mac : p->prf == PX_PRF_MIKEY_1 ? PX_MAC_SHA_1 : PX_MAC_SHA_256;
}

px_draft *px_draft_begin(peer *p, px_kind kind) {
    px_draft *d = px_draft_new(kind);
    if (!d)
        return NULL;
    bool answers_nothing =
        kind == PX_R2 || kind == PX_R2D || kind == PX_U2 || kind == PX_RESP || kind == PX_ERROR;
    d->v_prf = (uint8_t)((answers_nothing ? 0 : PX_V_FLAG) | p->prf);
    d->csb_id = p->csb_id;
    d->n_cs = p->n_cs;
    d->map_type = p->map_type;
    px_put_span(&d->map, px_span(&p->map));
    return d;
}

void px_recipe_session(const peer *p, px_recipe *r, const px_octets *k_session) {
    px_set(&r->secret, px_span(k_session));
    px_set(&r->rand, px_span(&p->rand));
    r->direct = false;
    r->prf = p->prf;
    r->csb_id = p->csb_id;
    r->mpk_len = p->prf == PX_PRF_MIKEY_1 ? 20 : 32; /* P-6 */
}

void px_cover(px_draft *d, ibk_span id_data) {
    px_put_span(&d->covered, id_data);
}

ibk_err px_agree(peer *p, px_octets *k_session) {
    ibk_span theirs = px_span(&p->theirs);
    return px_multiply(p->curve, px_span(&p->scalar), &theirs, k_session);
}

void px_put_policies(px_chain *chain, const peer_sp *policies, size_t n) {
    for (size_t i = 0; i < n; i++) {
        px_octets *body = &px_add(chain, PX_SP)->body;
        px_put8(body, policies[i].number);
        px_put8(body, 0); /* SRTP */
        px_put16(body, (unsigned)policies[i].params.len);
        px_put_span(body, policies[i].params);
    }
}

/* ---- parts -------------------------------------------------------------------------------------------- */

static void put_id(px_chain *chain, uint8_t role, const px_name *name) {
    px_idr(&px_add(chain, PX_IDR)->body, role, px_id_of(name));
}

static void put_t(px_draft *d, const px_octets *t) {
    px_put_span(&px_add(&d->chain, PX_T)->body, px_span(t));
}

static void put_rand(const peer *p, px_draft *d) {
    px_octets *body = &px_add(&d->chain, PX_RAND)->body;
    px_put8(body, (unsigned)px_span(&p->rand).len);
    px_put_span(body, px_span(&p->rand));
}

static void put_offer(const px_chain *offer, px_draft *d, bool extensions) {
    for (size_t i = 0; i < offer->n; i++)
        if (extensions || offer->parts[i].type == PX_SP)
            px_put_span(&px_add(&d->chain, offer->parts[i].type)->body, px_span(&offer->parts[i].body));
}

static void put_eccpt(const peer *p, px_chain *chain, const px_octets *point) {
    px_octets *body = &px_add(chain, PX_ECCPT)->body;
    size_t len = px_span(point).len;
    px_put8(body, p->curve);
    px_put_span(body, px_span(point));
    px_put(body, "\0\0\0", (4 - (2 + len) % 4) % 4); /* RFC 6267 §6.1.4, P-3 */
    px_put8(body, px_mac_of(p));                     /* ignored, as is the next */
    px_put16(body, 32);
    bool mki = px_span(&p->mki).len > 0;
    px_put8(body, mki ? 1 : 0);
    if (mki) {
        px_put8(body, (unsigned)px_span(&p->mki).len);
        px_put_span(body, px_span(&p->mki));
    }
}

/* An IBAKE or ESK payload for an identity at the date of T; its content is for the caller to fill. */
static px_chain *put_sealed(const peer *p, px_draft *d, uint8_t type, const px_name *to, const px_octets *t) {
    px_part *part = px_add(&d->chain, type);
    part->domain = px_domain_of(p, px_span(&to->data));
    if (part->domain)
        px_ibe_identity(&part->to, px_span(&to->data), part->domain, px_stamp_seconds(p, t));
    px_chain *inside = px_within(part);
    if (!inside)
        d->chain.err = IBK_ERR_NO_MEMORY;
    return inside ? inside : &d->chain;
}

static ibk_err put_esk(peer *p, px_draft *d, const px_octets *t) {
    uint8_t sk[32];
    if (px_span(&p->sk).len == 0) {
        PX_TRY(px_draw_octets(p, IBK_DRAW_SK, sk, sizeof sk));
        px_set(&p->sk, ibk_span_of(sk, sizeof sk));
    }
    px_chain *inside = put_sealed(p, d, PX_ESK, &p->called, t); /* the intended recipient, §4.2.2.4 */
    put_id(inside, PX_ROLE_I, &p->idi);
    px_octets *body = &px_add(inside, PX_SK)->body;
    px_put8(body, 1 << 4);
    px_put16(body, (unsigned)px_span(&p->sk).len);
    px_put_span(body, px_span(&p->sk));
    return body->err;
}

static void put_v(const peer *p, px_draft *d, const px_octets *k_session) {
    px_recipe_session(p, &d->recipe, k_session);
    px_put8(&px_add(&d->chain, PX_V)->body, px_mac_of(p));
    px_cover(d, px_span(&p->idi.data)); /* P-8 */
    px_cover(d, px_span(&p->idr.data));
}

static void put_ids(const peer *p, px_draft *d) {
    put_id(&d->chain, PX_ROLE_I, &p->idi);
    put_id(&d->chain, PX_ROLE_R, &p->idr);
}

/* ---- §4.2.2 ------------------------------------------------------------------------------------------- */

ibk_err px_begin_bundle(peer *p) {
    uint8_t csb[4], rand[16];
    PX_TRY(px_draw_octets(p, IBK_DRAW_CSB_ID, csb, sizeof csb));
    PX_TRY(px_draw_octets(p, IBK_DRAW_RAND, rand, sizeof rand));
    px_cursor c = px_read(ibk_span_of(csb, sizeof csb));
    p->csb_id = p->result.csb_id = px_take32(&c);
    px_set(&p->rand, ibk_span_of(rand, sizeof rand));
    p->prf = p->c.prf;
    return p->rand.err;
}

ibk_err px_make_i1(peer *p, ibk_buf *out) {
    PX_TRY(px_begin_bundle(p));
    p->map_type = p->c.map_type;
    p->n_cs = p->map_type == PX_MAP_EMPTY ? 0 : (uint8_t)p->c.n_sessions;
    PX_TRY(px_map_offer(p, &p->map, p->c.sessions, p->c.n_sessions));
    px_put_policies(&p->offer, p->c.policies, p->c.n_policies);
    if (p->c.sdp_ids.len > 0) {
        px_octets *body = &px_add(&p->offer, PX_EXT)->body;
        px_put8(body, 1); /* SDP IDs, RFC 3830 §6.15 */
        px_put16(body, (unsigned)p->c.sdp_ids.len);
        px_put_span(body, p->c.sdp_ids);
    }
    PX_TRY(px_fresh_point(p, IBK_DRAW_X, p->c.curve ? p->c.curve : PX_P256));
    PX_TRY(px_stamp_new(p, &p->t));
    px_draft *d = px_draft_begin(p, PX_I1);
    if (!d)
        return IBK_ERR_NO_MEMORY;
    put_t(d, &p->t);
    put_rand(p, d);
    put_ids(p, d);
    put_offer(&p->offer, d, true);
    px_chain *ibake = put_sealed(p, d, PX_IBAKE, &p->called, &p->t);
    put_id(ibake, PX_ROLE_I, &p->idi);
    put_eccpt(p, ibake, &p->own);
    put_id(ibake, PX_ROLE_R, &p->idr);
    ibk_err err = p->c.esk ? put_esk(p, d, &p->t) : IBK_OK;
    if (!err)
        return px_send(p, d, out);
    px_draft_free(d);
    return err;
}

ibk_err px_make_r1(peer *p, ibk_buf *out) {
    bool mailbox = p->result.deferred;
    PX_TRY(px_map_answer(p, &p->map));
    PX_TRY(px_fresh_point(p, IBK_DRAW_Y, mailbox ? (p->c.curve ? p->c.curve : PX_P256) : p->curve));
    if (!mailbox)
        PX_TRY(px_agree(p, &p->next_session));
    px_draft *d = px_draft_begin(p, mailbox ? PX_R1D : PX_R1);
    if (!d)
        return IBK_ERR_NO_MEMORY;
    put_t(d, &p->t);
    put_ids(p, d);
    put_offer(&p->offer, d, false);
    px_chain *ibake = put_sealed(p, d, PX_IBAKE, &p->idi, &p->t);
    put_id(ibake, PX_ROLE_I, &p->idi);
    if (!mailbox)
        put_eccpt(p, ibake, &p->theirs);
    put_id(ibake, PX_ROLE_R, &p->idr);
    put_eccpt(p, ibake, &p->own);
    return px_send(p, d, out);
}

ibk_err px_make_i2(peer *p, ibk_buf *out) {
    px_set(&p->t_before, px_span(&p->t));
    PX_TRY(px_stamp_new(p, &p->t));
    px_draft *d = px_draft_begin(p, p->result.deferred ? PX_I2D : PX_I2);
    if (!d)
        return IBK_ERR_NO_MEMORY;
    put_t(d, &p->t);
    put_rand(p, d); /* P-7 */
    put_ids(p, d);
    px_chain *ibake = put_sealed(p, d, PX_IBAKE, &p->idr, &p->t);
    put_id(ibake, PX_ROLE_I, &p->idi);
    if (p->result.deferred)
        put_eccpt(p, ibake, &p->own); /* §4.2.2.4 */
    put_id(ibake, PX_ROLE_R, &p->idr);
    put_eccpt(p, ibake, &p->theirs);
    ibk_err err = p->result.deferred ? put_esk(p, d, &p->t) : IBK_OK;
    if (!err)
        return px_send(p, d, out);
    px_draft_free(d);
    return err;
}

ibk_err px_make_r2(peer *p, ibk_buf *out) {
    px_draft *d = px_draft_begin(p, p->result.deferred ? PX_R2D : PX_R2);
    if (!d)
        return IBK_ERR_NO_MEMORY;
    put_t(d, &p->t);
    put_ids(p, d);
    put_offer(&p->offer, d, true); /* P-14 */
    if (p->result.deferred) {
        px_chain *ibake = put_sealed(p, d, PX_IBAKE, &p->idi, &p->t);
        put_id(ibake, PX_ROLE_I, &p->idi);
        put_eccpt(p, ibake, &p->theirs);
    }
    put_v(p, d, &p->session);
    return px_send(p, d, out);
}

/* ---- §5.3 --------------------------------------------------------------------------------------------- */

static const px_name *other_name(const peer *p) {
    return px_initiates(p) ? &p->idr : &p->idi;
}

/* The starter's IBAKE is that of §4.2.2.1, or its mirror image (P-30). */
ibk_err px_make_u1(peer *p, const peer_change *change, ibk_buf *out) {
    bool i = px_initiates(p);
    if (p->n_cs + change->n_further > 255)
        return IBK_ERR_LIMIT;
    px_set(&p->t_before, px_span(&p->t));
    PX_TRY(px_stamp_new(p, &p->t));
    PX_TRY(px_map_offer(p, &p->map, change->further, change->n_further));
    p->n_cs = (uint8_t)(p->n_cs + change->n_further);
    px_set(&p->mki, change->mki);
    p->new_dh = change->new_dh;
    if (p->new_dh)
        PX_TRY(px_fresh_point(p, i ? IBK_DRAW_X : IBK_DRAW_Y, change->curve ? change->curve : p->curve));
    px_draft *d = px_draft_begin(p, PX_U1);
    if (!d)
        return IBK_ERR_NO_MEMORY;
    uint8_t own_role = i ? PX_ROLE_I : PX_ROLE_R, other_role = i ? PX_ROLE_R : PX_ROLE_I;
    const px_name *own = i ? &p->idi : &p->idr;
    put_t(d, &p->t);
    put_id(&d->chain, own_role, own);
    put_id(&d->chain, other_role, other_name(p));
    px_put_policies(&d->chain, change->policies, change->n_policies);
    px_put_policies(&p->offer, change->policies, change->n_policies);
    px_chain_free(&p->update_offer);
    px_put_policies(&p->update_offer, change->policies, change->n_policies);
    if (p->new_dh) {
        px_chain *ibake = put_sealed(p, d, PX_IBAKE, other_name(p), &p->t);
        put_id(ibake, own_role, own);
        put_eccpt(p, ibake, &p->own);
        put_id(ibake, other_role, other_name(p));
    }
    return px_send(p, d, out);
}

ibk_err px_make_u2(peer *p, ibk_buf *out) {
    bool i = px_initiates(p);
    if (p->new_dh) {
        PX_TRY(px_fresh_point(p, i ? IBK_DRAW_X : IBK_DRAW_Y, p->curve));
        PX_TRY(px_agree(p, &p->next_session));
    }
    PX_TRY(px_map_answer(p, &p->map));
    px_draft *d = px_draft_begin(p, PX_U2);
    if (!d)
        return IBK_ERR_NO_MEMORY;
    put_t(d, &p->t);
    put_ids(p, d);
    put_offer(&p->update_offer, d, false);
    if (p->new_dh) {
        px_chain *ibake = put_sealed(p, d, PX_IBAKE, other_name(p), &p->t);
        put_id(ibake, PX_ROLE_I, &p->idi);
        put_eccpt(p, ibake, i ? &p->own : &p->theirs);
        put_id(ibake, PX_ROLE_R, &p->idr);
        put_eccpt(p, ibake, i ? &p->theirs : &p->own);
    }
    put_v(p, d, p->new_dh ? &p->next_session : &p->initial); /* P-31 */
    return px_send(p, d, out);
}
