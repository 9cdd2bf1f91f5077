/* The messages of RFC 6267 §4.2.2 and §5.3, judged by whoever receives them. */
#include "peer/internal.h"

#include <string.h>

/* ---- what is inside IBAKE ---------------------------------------------------------------------------------
 */

typedef struct inner {
    px_chain chain;
    char order[8];      /* "iErE": IDRi, ECCPT, IDRr, ECCPT */
    px_eccpt points[3]; /* in their order */
    size_t n_points;
    bool points_good;
} inner;

static void inner_free(inner *in) {
    px_chain_free(&in->chain);
    for (size_t i = 0; i < 3; i++)
        px_free(&in->points[i].point);
}

static char letter_of(const px_part *part) {
    uint8_t role = 0;
    peer_id id;
    if (part->type == PX_ECCPT)
        return 'E';
    if (part->type == PX_SK)
        return 'S';
    if (!px_idr_read(part, &role, &id))
        return '?';
    return role == PX_ROLE_I ? 'i' : role == PX_ROLE_R ? 'r' : '?';
}

static void note_why(peer *p, ibk_err why, const px_part *part, const px_name *own) {
    enum ibk_category category = ibk_err_category(why);
    bool ibake = part->type == PX_IBAKE;
    if (category == IBK_CAT_DER)
        px_finding(p, "P-2", "a ciphertext is no strict DER BFCiphertextBlock");
    else if (!px_explain_sealed(p, part, own))
        px_finding(p, "5091-15", "a ciphertext does not open, or its U is no point of the group");
    if (ibake && category != IBK_CAT_DER)
        px_finding_of(p, PX_RULE_TO,
                      "IBAKE does not open with the key of the identity and date that it should be for");
}

/* Opens an IBE payload with the key of `own` at the date of T. */
static bool open_sealed(peer *p, const px_part *part, const px_name *own, px_octets *plain, ibk_err *err) {
    px_octets identity = {0};
    const peer_domain *domain = px_domain_of(p, px_span(&own->data));
    if (domain)
        px_ibe_identity(&identity, px_span(&own->data), domain, px_stamp_seconds(p, &p->t));
    ibk_err why = identity.err ? identity.err : px_open(p, part, domain, px_span(&identity), plain);
    px_free(&identity);
    if (why == IBK_ERR_NO_MEMORY || why == IBK_ERR_INTERNAL || why == IBK_ERR_NO_KEY)
        *err = why;
    else if (why)
        note_why(p, why, part, own);
    return why == IBK_OK;
}

/* IBAKE of a message, opened and taken apart. False: that was not possible (noted). */
static bool open_ibake(peer *p, px_received m, const px_name *own, inner *in, ibk_err *err) {
    px_reader reader = px_reader_of(p);
    const px_part *part = px_find(&m.d->chain, PX_IBAKE, 0, NULL);
    px_octets plain = {0};
    memset(in, 0, sizeof *in);
    bool good = part && open_sealed(p, part, own, &plain, err);
    if (good)
        px_explain_padding(p, px_span(&plain));
    good = good && px_read_chain(&reader, px_span(&plain), PX_IDR, "6267-97", &in->chain, err);
    px_free(&plain);
    if (part && !good && in->chain.n == 0 && !*err)
        px_finding_of(p, PX_RULE_INNER, "IBAKE has no content that can be used");
    in->points_good = true;
    for (size_t i = 0; good && i < in->chain.n; i++) {
        const px_part *sub = &in->chain.parts[i];
        if (i + 1 < sizeof in->order)
            in->order[i] = letter_of(sub);
        if (sub->type == PX_ECCPT && in->n_points < 3)
            in->points_good &= px_read_eccpt(&reader, sub, &in->points[in->n_points++]);
    }
    return good;
}

/* Inner identities against those that the message has to be about. */
static void judge_inner_ids(peer *p, const inner *in, const px_name *idi, const px_name *idr) {
    const px_name *names[] = {idi, idr};
    for (uint8_t k = 0; k < 2; k++) {
        const px_part *part = px_find_id(&in->chain, k ? PX_ROLE_R : PX_ROLE_I, 0);
        uint8_t role;
        peer_id id = {0};
        if (part && px_idr_read(part, &role, &id) && names[k] && !px_name_is(names[k], id))
            px_finding(p, "P-19", "an identity inside IBAKE is not the one outside");
    }
}

static bool order_is(const inner *in, const char *order) {
    return strcmp(in->order, order) == 0;
}

static void keep_point(peer *p, const px_octets *point) {
    for (size_t i = 0; i < p->n_known; i++)
        if (px_is(&p->known_points[i], px_span(point)))
            px_finding(p, p->judging == PX_U1 || p->judging == PX_U2 ? "P-34" : "P-20",
                       "an ECDH value was used before");
    if (p->n_known < sizeof p->known_points / sizeof *p->known_points)
        px_set(&p->known_points[p->n_known++], px_span(point));
    px_set(&p->theirs, px_span(point));
}

/* An echo that is not ours ends the exchange (RFC 6539 §3.2). `rule` binds the one who sent it. */
static bool judge_echo(peer *p, const px_eccpt *point, const char *rule) {
    if (point->curve == p->curve && px_is(&p->own, px_span(&point->point)))
        return true;
    px_finding(p, rule, "the ECDH value that comes back is not ours");
    return false;
}

/* ---- outer identities -------------------------------------------------------------------------------------
 */

static bool outer_id(const px_draft *d, uint8_t role, peer_id *id) {
    const px_part *part = px_find_id(&d->chain, role, 0);
    uint8_t got;
    return part && px_idr_read(part, &got, id);
}

static void judge_outer(peer *p, const px_draft *d, uint8_t role, const px_name *want, const char *rule) {
    peer_id id;
    bool there = outer_id(d, role, &id);
    if (there && !px_name_is(want, id))
        px_finding(p, rule, "an identity is not the one that it has to be");
    if (!there && px_count(&d->chain, PX_IDR) >= 2)
        px_finding_of(p, PX_RULE_IDS, "an identity of this role is missing");
}

static void judge_ids_optional(peer *p, const px_draft *d, bool should) {
    if (should && px_count(&d->chain, PX_IDR) < 2)
        px_finding_should(p, "6267-64", "R_MESSAGE_2 does not have both identities");
    judge_outer(p, d, PX_ROLE_I, &p->idi, "P-19");
    judge_outer(p, d, PX_ROLE_R, &p->idr, "P-19");
}

/* The map of an answer, which the next message repeats; one that is not for the header is as good as none. */
static void keep_map(peer *p, const px_draft *d) {
    if (d->n_cs == p->n_cs && d->map_type == p->map_type)
        px_set(&p->map, px_span(&d->map));
}

static void keep_header(peer *p, const px_draft *d) {
    p->prf = d->v_prf & 0x7F;
    p->csb_id = p->result.csb_id = d->csb_id;
    p->n_cs = d->n_cs;
    p->map_type = d->map_type;
    px_set(&p->map, px_span(&d->map));
}

/* SP and, of the General Extensions, those with SDP identifiers are an offer (P-14). */
static bool offers(const px_part *part, uint8_t type) {
    return part->type == type && (type != PX_EXT || px_span(&part->body).data[0] == 1);
}

static void keep_parts(px_chain *to, const px_draft *d, uint8_t type) {
    for (size_t i = 0; i < d->chain.n; i++)
        if (offers(&d->chain.parts[i], type))
            px_put_span(&px_add(to, type)->body, px_span(&d->chain.parts[i].body));
}

/* The parts of a kind in a message against what they have to repeat. */
static void judge_repeats(peer *p, const px_draft *d, const px_chain *want, uint8_t type, const char *rule) {
    px_chain is = {0};
    keep_parts(&is, d, type);
    bool same = is.n == px_count(want, type);
    for (size_t i = 0; same && i < is.n; i++)
        same = px_is(&is.parts[i].body, px_span(&px_find(want, type, (int)i, NULL)->body));
    px_chain_free(&is);
    if (!same)
        px_finding(p, rule,
                   type == PX_SP ? "the SP are not those of the offer"
                                 : "the SDP identifiers are not those of the offer");
}

static void keep_esk(peer *p, const px_draft *d) {
    const px_part *esk = px_find(&d->chain, PX_ESK, 0, NULL);
    if (esk && px_span(&esk->body).len > 2)
        px_set(&p->esk, ibk_span_of(px_span(&esk->body).data + 2, px_span(&esk->body).len - 2));
}

/* An ESK for us: ID of the initiator, SK. */
static void judge_esk(peer *p, const px_draft *d, ibk_err *err) {
    const px_part *esk = px_find(&d->chain, PX_ESK, 0, NULL);
    px_octets plain = {0};
    px_chain *content = esk ? px_within((px_part *)esk) : NULL;
    px_reader reader = px_reader_of(p);
    if (content && open_sealed(p, esk, &p->idr, &plain, err) &&
        px_read_chain(&reader, px_span(&plain), PX_IDR, "P-4", content, err)) {
        bool right =
            content->n == 2 && letter_of(&content->parts[0]) == 'i' && letter_of(&content->parts[1]) == 'S';
        if (!right)
            px_finding(p, "6267-101", "an ESK does not hold an identity and an SK");
        else if (!ibk_span_equal(px_id_data(&content->parts[0]), px_span(&p->idi.data)))
            px_finding(p, "P-19", "the identity inside ESK is not the initiator's");
    }
    px_free(&plain);
}

/* ---- §4.2.2
 * ------------------------------------------------------------------------------------------------ */

static void keep_i1(peer *p, const px_draft *d) {
    peer_id id = {0};
    const px_part *rand = px_find(&d->chain, PX_RAND, 0, NULL);
    keep_header(p, d);
    if (rand && px_span(&rand->body).len > 0)
        px_set(&p->rand, ibk_span_of(px_span(&rand->body).data + 1, px_span(&rand->body).len - 1));
    if (outer_id(d, PX_ROLE_I, &id))
        (void)px_name_set(&p->idi, id);
    if (outer_id(d, PX_ROLE_R, &id))
        (void)px_name_set(&p->called, id);
    keep_parts(&p->offer, d, PX_SP);
    keep_parts(&p->offer, d, PX_EXT);
    keep_esk(p, d);
}

static bool content_i1(peer *p, px_received m, ibk_err *err) {
    inner in;
    bool good = open_ibake(p, m, &p->idr, &in, err);
    if (good && in.chain.parts[0].type != PX_IDR)
        px_finding(p, "P-4", "the first payload inside IBAKE is no IDR");
    if (good && in.n_points > 1)
        px_finding(p, "P-17", "IBAKE of I_MESSAGE_1 has more than one ECCPT");
    if (good && !order_is(&in, "iEr"))
        px_finding_of(p, PX_RULE_INNER, "IBAKE does not hold IDRi, ECCPTi, IDRr");
    if (good)
        judge_inner_ids(p, &in, &p->idi, &p->called);
    good = good && in.n_points > 0 && in.points_good;
    if (good) {
        p->curve = in.points[0].curve;
        keep_point(p, &in.points[0].point);
    }
    inner_free(&in);
    return good;
}

bool px_judge_i1(peer *p, px_received m, ibk_err *err) {
    peer_id id;
    if (!outer_id(m.d, PX_ROLE_I, &id)) {
        px_finding_of(p, PX_RULE_IDS, "there is no IDRi");
        return false;
    }
    if (!px_find(&m.d->chain, PX_T, 0, NULL) || !px_find(&m.d->chain, PX_RAND, 0, NULL))
        return false;
    keep_i1(p, m.d);
    *err = px_name_set(&p->idr, p->c.self); /* RFC 6267 §4.2.2.3: its own identity */
    if (p->c.role == PEER_MAILBOX) {
        p->result.deferred = true;
        return true;
    }
    judge_outer(p, m.d, PX_ROLE_R, &p->idr, "P-19");
    judge_esk(p, m.d, err);
    return content_i1(p, m, err) && px_domain_of(p, px_span(&p->idi.data));
}

static bool content_r1(peer *p, px_received m, ibk_err *err) {
    inner in;
    bool good = open_ibake(p, m, &p->idi, &in, err);
    bool both = good && in.n_points >= 2, alone = good && order_is(&in, "irE");
    if (good && in.n_points > 2)
        px_finding(p, "P-17", "IBAKE of R_MESSAGE_1 has more than two ECCPT");
    if (good && !alone && p->c.accept_others && in.n_points < 2)
        px_finding(p, "6267-43", "IBAKE does not hold IDRi, IDRr, ECCPTr");
    if (good && !alone && !order_is(&in, "iErE"))
        px_finding_of(p, PX_RULE_INNER, "IBAKE does not hold IDRi, ECCPTi, IDRr, ECCPTr");
    if (alone && !p->c.accept_others)
        px_finding_of(p, PX_RULE_INNER, "ECCPTi does not come back");
    if (good)
        judge_inner_ids(p, &in, &p->idi, &p->idr);
    good = good && (both || alone) && in.points_good;
    p->result.deferred = good && alone;
    if (good && both)
        good = judge_echo(p, &in.points[0], "6267-93");
    const px_eccpt *theirs = &in.points[both ? 1 : 0];
    if (good && theirs->curve != p->curve && both) {
        px_finding_of(p, PX_RULE_INNER, "ECCPTr is on another curve");
        good = false;
    }
    if (good && theirs->curve != p->curve) /* P-28 */
        *err = px_fresh_point(p, IBK_DRAW_X, theirs->curve);
    if (good)
        keep_point(p, &theirs->point);
    inner_free(&in);
    return good && !*err;
}

bool px_judge_r1(peer *p, px_received m, ibk_err *err) {
    peer_id id;
    judge_outer(p, m.d, PX_ROLE_I, &p->idi, "6267-41");
    judge_repeats(p, m.d, px_count(&m.d->chain, PX_SP) ? &p->offer : &m.d->chain, PX_SP, "P-14");
    if (!outer_id(m.d, PX_ROLE_R, &id))
        return false;
    if (!px_name_is(&p->called, id) && !p->c.accept_others)
        px_finding(p, "P-19", "another identity answers than the one that was called");
    *err = px_name_set(&p->idr, id);
    keep_map(p, m.d);
    if (*err || !content_r1(p, m, err) || !px_domain_of(p, id.data))
        return false;
    *err = px_agree(p, &p->next_session);
    return !*err;
}

static bool content_i2(peer *p, px_received m, ibk_err *err) {
    inner in;
    bool good = open_ibake(p, m, &p->idr, &in, err);
    const char *order = p->result.deferred ? "iErE" : "irE";
    size_t points = p->result.deferred ? 2 : 1;
    if (good && !order_is(&in, order)) {
        bool surplus = !p->result.deferred && in.n_points > 1;
        px_finding(p, surplus ? "6267-53" : px_rule_of(p->judging, PX_RULE_INNER),
                   "IBAKE has not the content that it has to have");
    }
    if (good && in.n_points > points)
        px_finding(p, "P-17", "there is an ECCPT too many");
    if (good)
        judge_inner_ids(p, &in, &p->idi, &p->idr);
    good = good && in.n_points >= points && in.points_good;
    if (good)
        good = judge_echo(p, &in.points[in.n_points - 1], "6267-54");
    if (good && p->result.deferred && in.points[0].curve != p->curve) {
        px_finding_of(p, PX_RULE_INNER, "ECCPTi is on another curve than ECCPTr");
        good = false;
    }
    if (good && p->result.deferred)
        keep_point(p, &in.points[0].point);
    inner_free(&in);
    return good;
}

bool px_judge_i2(peer *p, px_received m, ibk_err *err) {
    judge_outer(p, m.d, PX_ROLE_I, &p->idi, "6267-50");
    judge_outer(p, m.d, PX_ROLE_R, &p->idr, "6267-51");
    keep_esk(p, m.d);
    if (!px_find(&m.d->chain, PX_T, 0, NULL) || !content_i2(p, m, err))
        return false;
    *err = px_agree(p, &p->session);
    px_set(&p->initial, px_span(&p->session));
    return !*err;
}

/* V of a message between the two. */
static bool judge_v(peer *p, px_received m, const px_octets *k_session) {
    px_recipe recipe = {.mpk_constant = PX_LABEL_MPK,
                        .auth_constant = PX_LABEL_AUTH,
                        .mpk_csb_id = 0xFFFFFFFF,
                        .mpk_cs_id = 0xFF,
                        .cs_id = 0xFF};
    px_octets covered = {0};
    px_recipe_session(p, &recipe, k_session);
    px_put_span(&covered, px_span(&p->idi.data));
    px_put_span(&covered, px_span(&p->idr.data));
    bool good = px_judge_v(p, m, &recipe, &covered);
    px_free(&covered);
    px_free(&recipe.secret);
    px_free(&recipe.rand);
    return good;
}

static void content_r2d(peer *p, px_received m, ibk_err *err) {
    inner in;
    if (open_ibake(p, m, &p->idi, &in, err)) {
        if (!order_is(&in, "iE"))
            px_finding(p, "6267-66", "IBAKE does not hold IDRi and ECCPTi");
        judge_inner_ids(p, &in, &p->idi, NULL);
        if (in.n_points > 0 && in.points_good)
            (void)judge_echo(p, &in.points[0], "6267-66");
    }
    inner_free(&in);
}

bool px_judge_r2(peer *p, px_received m, ibk_err *err) {
    judge_ids_optional(p, m.d, true);
    judge_repeats(p, m.d, &p->offer, PX_SP, "P-14");
    judge_repeats(p, m.d, &p->offer, PX_EXT, "P-14");
    if (p->result.deferred)
        content_r2d(p, m, err);
    if (!judge_v(p, m, &p->next_session))
        return false;
    px_set(&p->session, px_span(&p->next_session));
    px_set(&p->initial, px_span(&p->next_session));
    return true;
}

/* ---- §5.3
 * -------------------------------------------------------------------------------------------------- */

/* Policies of an update: under new numbers, or they SHOULD NOT be there at all (P-33). */
static void judge_new_policies(peer *p, const px_draft *d) {
    for (size_t i = 0; i < d->chain.n; i++) {
        const px_part *sp = &d->chain.parts[i];
        if (offers(sp, PX_EXT))
            px_finding_should(p, "6267-76", "a payload of the initial exchange comes again");
        for (size_t k = 0; sp->type == PX_SP && k < p->offer.n; k++) {
            const px_part *old = &p->offer.parts[k];
            if (old->type != PX_SP || px_span(&old->body).data[0] != px_span(&sp->body).data[0])
                continue;
            if (px_is(&old->body, px_span(&sp->body)))
                px_finding_should(p, "6267-76", "a payload of the initial exchange comes again");
            else
                px_finding(p, "P-33", "an update changes a policy");
        }
    }
}

static bool content_u1(peer *p, px_received m, ibk_err *err) {
    inner in;
    bool i = px_initiates(p);
    bool good = open_ibake(p, m, i ? &p->idi : &p->idr, &in, err);
    if (good && !order_is(&in, i ? "rEi" : "iEr"))
        px_finding(p, "P-30", "IBAKE does not hold the starter's identity, its ECCPT, the other's identity");
    if (good)
        judge_inner_ids(p, &in, &p->idi, &p->idr);
    good = good && in.n_points > 0 && in.points_good;
    if (good) {
        p->curve = in.points[0].curve;
        px_set(&p->mki, in.points[0].mki);
        keep_point(p, &in.points[0].point);
    }
    inner_free(&in);
    return good;
}

bool px_judge_u1(peer *p, px_received m, ibk_err *err) {
    judge_ids_optional(p, m.d, false);
    judge_new_policies(p, m.d);
    px_chain_free(&p->update_offer);
    keep_parts(&p->update_offer, m.d, PX_SP);
    p->new_dh = px_find(&m.d->chain, PX_IBAKE, 0, NULL) != NULL;
    px_clear(&p->mki);
    if (!px_find(&m.d->chain, PX_T, 0, NULL) || (p->new_dh && !content_u1(p, m, err)))
        return false;
    if (m.d->map_type == p->map_type) {
        keep_parts(&p->offer, m.d, PX_SP);
        p->n_cs = m.d->n_cs;
        px_set(&p->map, px_span(&m.d->map));
    }
    return true;
}

static bool content_u2(peer *p, px_received m, ibk_err *err) {
    inner in;
    bool good = open_ibake(p, m, px_initiates(p) ? &p->idi : &p->idr, &in, err);
    if (good && !order_is(&in, "iErE"))
        px_finding(p, "P-30", "IBAKE does not hold IDRi, ECCPTi, IDRr, ECCPTr");
    if (good)
        judge_inner_ids(p, &in, &p->idi, &p->idr);
    good = good && in.n_points == 2 && in.points_good;
    const px_eccpt *echo = &in.points[px_initiates(p) ? 0 : 1], *theirs = &in.points[px_initiates(p) ? 1 : 0];
    for (size_t k = 0; good && k < 2; k++)
        if (!ibk_span_equal(in.points[k].mki, px_span(&p->mki)))
            px_finding(p, "P-35", "the MKI does not come back in both ECCPT");
    good = good && judge_echo(p, echo, "P-30");
    if (good && theirs->curve != p->curve) {
        px_finding(p, "P-30", "the other's ECCPT is on another curve");
        good = false;
    }
    if (good)
        keep_point(p, &theirs->point);
    inner_free(&in);
    return good;
}

bool px_judge_u2(peer *p, px_received m, ibk_err *err) {
    bool sealed = px_find(&m.d->chain, PX_IBAKE, 0, NULL) != NULL;
    judge_ids_optional(p, m.d, false);
    judge_repeats(p, m.d, &p->update_offer, PX_SP, "P-33");
    if (sealed != p->new_dh) {
        px_finding(p, "P-30", "there is IBAKE in one message of an update and not in the other");
        return false;
    }
    if (p->new_dh) {
        if (!content_u2(p, m, err))
            return false;
        *err = px_agree(p, &p->next_session);
    }
    if (*err || !judge_v(p, m, p->new_dh ? &p->next_session : &p->initial)) {
        if (!*err && !p->new_dh)
            px_finding(p, "6267-80", "V is not made with the keys of the initial exchange");
        return false;
    }
    if (p->new_dh)
        px_set(&p->session, px_span(&p->next_session));
    keep_map(p, m.d);
    return true;
}
