/* Deviations of IBAKE and ESK: their content, whom they are encrypted to, the ciphertext itself. */
#include "peer/ciphertext.h"
#include "peer/knob.h"

#include <string.h>

#define N(array)      (sizeof(array) / sizeof *(array))
#define IN(type, nth) PX_PLACE(PX_IBAKE, type, nth)
#define AT(type)      PX_PLACE(0, type, 0)

/* The point of an ECCPT becomes another: what stands behind it (algorithm, length, KV) stays. */
static bool set_point(px_part *part, uint8_t curve, ibk_span point, px_padding padding) {
    px_octets body = {0};
    ibk_span old = px_span(&part->body);
    size_t len = px_point_len(old.data[0], old.data[1]), rest = 1 + len + px_padding_len(PX_PADDED, len);
    px_put8(&body, curve);
    px_put_span(&body, point);
    px_put(&body, "\0\0\0", px_padding_len(padding, point.len));
    px_put(&body, old.data + rest, old.len - rest);
    px_free(&part->body);
    part->body = body;
    return true;
}

static px_part *eccpt_of(px_draft *d, px_place place) {
    px_chain *chain;
    size_t at;
    return px_at_place(d, place, &chain, &at);
}

static bool bend_compress(peer *p, px_draft *d, const px_knob *k, px_octets *octets) {
    (void)p, (void)octets;
    px_part *part = eccpt_of(d, k->place);
    px_octets point = {0};
    bool done = false;
    if (part) {
        ibk_span body = px_span(&part->body);
        ibk_span full = ibk_span_of(body.data + 1, px_point_len(body.data[0], body.data[1]));
        done = px_compress(body.data[0], full, &point) == IBK_OK &&
               set_point(part, body.data[0], px_span(&point), PX_PADDED);
    }
    px_free(&point);
    return done;
}

static ibk_err draw_scalar(void *user, uint8_t *out, size_t len) {
    return px_draw_octets(user, IBK_DRAW_BLIND, out, len);
}

/* A fresh point, on the curve `at` (0: that of before). */
static bool bend_point(peer *p, px_draft *d, const px_knob *k, px_octets *octets) {
    (void)octets;
    px_part *part = eccpt_of(d, k->place);
    px_octets scalar = {0}, point = {0};
    bool done = false;
    if (part) {
        uint8_t was = px_span(&part->body).data[0], curve = k->at ? (uint8_t)k->at : was;
        curve = k->at && curve == was ? PX_P256 : curve;
        done = !px_scalar(curve, draw_scalar, p, &scalar) &&
               !px_multiply(curve, px_span(&scalar), NULL, &point) &&
               set_point(part, curve, px_span(&point), PX_PADDED);
    }
    px_free(&scalar);
    px_free(&point);
    return done;
}

static bool bend_infinity(peer *p, px_draft *d, const px_knob *k, px_octets *octets) {
    (void)p, (void)octets;
    static const uint8_t infinity[1];
    px_part *part = eccpt_of(d, k->place);
    return part && set_point(part, px_span(&part->body).data[0], ibk_span_of(infinity, 1), PX_PADDED);
}

/* The point of one ECCPT is padded by another rule. */
static bool bend_unpadded(peer *p, px_draft *d, const px_knob *k, px_octets *octets) {
    (void)p, (void)octets;
    px_part *part = eccpt_of(d, k->place);
    if (!part)
        return false;
    uint8_t point[PX_POINT_MAX];
    ibk_span body = px_span(&part->body);
    size_t len = px_point_len(body.data[0], body.data[1]);
    for (size_t i = 0; i < len; i++)
        point[i] = body.data[1 + i];
    return set_point(part, body.data[0], ibk_span_of(point, len), (px_padding)k->value);
}

/* … and of each. */
static bool bend_all_padding(peer *p, px_draft *d, const px_knob *k, px_octets *octets) {
    px_knob one = *k;
    one.place = (px_place)IN(PX_ECCPT, 0);
    for (; bend_unpadded(p, d, &one, octets); one.place.nth++)
        ;
    return one.place.nth > 0;
}

bool px_knob_of_padding(const px_knob *knob) {
    return knob->bend == bend_all_padding;
}

/* Where the octets behind point and padding begin. */
static size_t behind_point(const px_part *part) {
    ibk_span body = px_span(&part->body);
    size_t len = px_point_len(body.data[0], body.data[1]);
    return 1 + len + px_padding_len(PX_PADDED, len);
}

/* The `value` octets at `at` behind each point and its padding become 0. */
static bool bend_all_behind(peer *p, px_draft *d, const px_knob *k, px_octets *octets) {
    (void)p, (void)octets;
    px_place place = IN(PX_ECCPT, 0);
    for (px_part *part; (part = eccpt_of(d, place)) != NULL; place.nth++)
        memset(part->body.buf.data + behind_point(part) + (size_t)k->at, 0, (size_t)k->value);
    return place.nth > 0;
}

/* The octet `at` behind point and padding, XOR value: 0 algorithm, 1 and 2 TGK length, 3 KV; -1 is padding.
 */
static bool bend_behind(peer *p, px_draft *d, const px_knob *k, px_octets *octets) {
    (void)p, (void)octets;
    px_part *part = eccpt_of(d, k->place);
    if (part)
        part->body.buf.data[behind_point(part) + (size_t)k->at] ^= (uint8_t)k->value;
    return part != NULL;
}

static bool bend_padding(peer *p, px_draft *d, const px_knob *k, px_octets *octets) {
    px_part *part = eccpt_of(d, k->place);
    px_knob grow = *k;
    if (!part)
        return false;
    grow.at = (int)behind_point(part);
    return px_bend_grow(p, d, &grow, octets);
}

/* Another ECCPT, with a fresh point, behind the place. */
static bool bend_another(peer *p, px_draft *d, const px_knob *k, px_octets *octets) {
    px_knob fresh = *k;
    if (!px_bend_twice(p, d, k, octets))
        return false;
    fresh.place.nth = k->place.nth < 0 ? -1 : k->place.nth + 1;
    fresh.at = 0;
    return bend_point(p, d, &fresh, octets);
}

/* ECCPTi in I_MESSAGE_2 though R_MESSAGE_1 brought it back. */
static bool bend_own_again(peer *p, px_draft *d, const px_knob *k, px_octets *octets) {
    px_chain *chain;
    size_t at;
    if (!px_bend_twice(p, d, k, octets) || !px_at_place(d, (px_place)IN(PX_ECCPT, 0), &chain, &at))
        return false;
    px_swap(chain, at, at - 1); /* IDRi, ECCPTi, IDRr, ECCPTr */
    return set_point(&chain->parts[at - 1], p->curve, px_span(&p->own), PX_PADDED);
}

/* The value of the exchange before in place of a new one. */
static bool bend_old_value(peer *p, px_draft *d, const px_knob *k, px_octets *octets) {
    (void)octets;
    px_part *part = eccpt_of(d, k->place);
    return part && px_span(&p->own_before).len > 0 &&
           set_point(part, p->curve, px_span(&p->own_before), PX_PADDED);
}

/* Another MKI than there was; one where there was none (P-35). */
static bool bend_mki(peer *p, px_draft *d, const px_knob *k, px_octets *octets) {
    (void)p, (void)octets;
    static const uint8_t mki[] = {1, 9};
    px_part *part = eccpt_of(d, k->place);
    if (!part)
        return false;
    uint8_t *kv = &part->body.buf.data[behind_point(part) + 3];
    if ((*kv & 15) == 1) {
        part->body.buf.data[px_span(&part->body).len - 1] ^= 1;
        return true;
    }
    *kv = (uint8_t)((*kv & 0xF0) | 1);
    px_put(&part->body, mki, sizeof mki);
    return true;
}

/* Both points of R_MESSAGE_1 have changed places. */
static bool bend_points_turned(peer *p, px_draft *d, const px_knob *k, px_octets *octets) {
    (void)p, (void)k, (void)octets;
    px_chain *chain;
    size_t a, b;
    if (!px_at_place(d, (px_place)IN(PX_ECCPT, 1), &chain, &b) ||
        !px_at_place(d, (px_place)IN(PX_ECCPT, 0), &chain, &a))
        return false;
    px_swap(chain, a, b);
    return true;
}

static px_part *inner_id(px_draft *d, uint8_t where, uint8_t role) {
    px_part *outer = px_find(&d->chain, where, 0, NULL);
    return outer && outer->inside ? px_find_id(outer->inside, role, 0) : NULL;
}

/* The identity of role `at` inside is another user's. */
static bool bend_inner_id(peer *p, px_draft *d, const px_knob *k, px_octets *octets) {
    (void)p, (void)octets;
    px_part *part = inner_id(d, k->place.inside, (uint8_t)k->at);
    if (part)
        part->body.buf.data[8] ^= 1; /* behind "sip:" */
    return part != NULL;
}

static bool bend_inner_type(peer *p, px_draft *d, const px_knob *k, px_octets *octets) {
    (void)p, (void)octets;
    px_part *part = inner_id(d, PX_IBAKE, (uint8_t)k->at);
    if (part)
        part->body.buf.data[1] ^= 1; /* URI, NAI */
    return part != NULL;
}

static bool bend_inner_drop(peer *p, px_draft *d, const px_knob *k, px_octets *octets) {
    (void)p, (void)octets;
    px_part *outer = px_find(&d->chain, PX_IBAKE, 0, NULL), *part = inner_id(d, PX_IBAKE, (uint8_t)k->at);
    if (part)
        px_remove(outer->inside, (size_t)(part - outer->inside->parts));
    return part != NULL;
}

static bool bend_inner_roles(peer *p, px_draft *d, const px_knob *k, px_octets *octets) {
    (void)p, (void)k, (void)octets;
    px_part *i = inner_id(d, PX_IBAKE, PX_ROLE_I), *r = inner_id(d, PX_IBAKE, PX_ROLE_R);
    if (!i || !r)
        return false;
    i->body.buf.data[0] = PX_ROLE_R;
    r->body.buf.data[0] = PX_ROLE_I;
    return true;
}

/* The last sub-payload says that another follows. */
static bool bend_inner_next(peer *p, px_draft *d, const px_knob *k, px_octets *octets) {
    (void)p, (void)octets;
    px_part *outer = px_find(&d->chain, PX_IBAKE, 0, NULL);
    if (!outer || !outer->inside || outer->inside->n == 0)
        return false;
    outer->inside->parts[outer->inside->n - 1].next = k->value;
    return true;
}

static bool bend_inner_tail(peer *p, px_draft *d, const px_knob *k, px_octets *octets) {
    (void)p, (void)octets;
    px_part *outer = px_find(&d->chain, PX_IBAKE, 0, NULL);
    if (!outer || !outer->inside || outer->inside->n == 0)
        return false;
    for (int i = 0; i < k->value; i++)
        px_put8(&outer->inside->parts[outer->inside->n - 1].body, 0);
    return true;
}

/* ECCPT beside IBAKE, in clear. */
static bool bend_eccpt_clear(peer *p, px_draft *d, const px_knob *k, px_octets *octets) {
    (void)p, (void)octets;
    px_part *part = eccpt_of(d, k->place);
    size_t at;
    if (!part || !px_find(&d->chain, PX_IBAKE, 0, &at))
        return false;
    px_octets body = {0};
    px_put_span(&body, px_span(&part->body));
    px_insert(&d->chain, at, PX_ECCPT)->body = body;
    return true;
}

/* Encrypted to an identity that differs in octet `at` (negative: of the date). */
static bool bend_recipient(peer *p, px_draft *d, const px_knob *k, px_octets *octets) {
    (void)p, (void)octets;
    px_part *part = px_find(&d->chain, k->place.type, 0, NULL);
    if (!part || px_span(&part->to).len < 12)
        return false;
    size_t len = px_span(&part->to).len;
    part->to.buf.data[k->at < 0 ? len - (size_t)-k->at : (size_t)k->at] ^= 1;
    return true;
}

static bool bend_no_date(peer *p, px_draft *d, const px_knob *k, px_octets *octets) {
    (void)p, (void)octets;
    px_part *part = px_find(&d->chain, k->place.type, 0, NULL);
    if (!part || px_span(&part->to).len < 12)
        return false;
    part->to.err = ibk_buf_resize(&part->to.buf, px_span(&part->to).len - 8);
    return true;
}

/* Encr data are changed as `value` says, and the length of the payload follows. */
static bool bend_ciphertext(peer *p, px_draft *d, const px_knob *k, px_octets *octets) {
    (void)p, (void)octets;
    px_part *part = px_find(&d->chain, k->place.type, 0, NULL);
    if (!part || !part->domain || px_span(&part->body).len < 2)
        return false;
    px_octets made = {0};
    ibk_span der = ibk_span_of(px_span(&part->body).data + 2, px_span(&part->body).len - 2);
    ibk_err err = px_ciphertext(part->domain->params, (px_ciphertext_fault)k->value, der, &made);
    px_clear(&part->body);
    px_put16(&part->body, (unsigned)px_span(&made).len);
    px_put_span(&part->body, px_span(&made));
    px_free(&made);
    return err == IBK_OK;
}

#define R1S  (PX_OF(PX_R1) | PX_OF(PX_R1D))
#define I2S  (PX_OF(PX_I2) | PX_OF(PX_I2D))
#define BOTH (PX_OF(PX_I1) | R1S | I2S | PX_UPDATES)
#define C    PX_AT_CONTENT
#define S    PX_AT_SEALED
#define ENCR "@to 5091-15"

static const px_knob knobs[] = {
    {"ibake-missing", "there is no IBAKE", C, px_bend_drop, AT(PX_IBAKE), 0, 0, PX_OF(PX_I1) | R1S | I2S,
     "@inner 6267-93 6267-54", PX_REFUSE},
    {"ibake-missing", "there is no IBAKE", C, px_bend_drop, AT(PX_IBAKE), 0, 0, PX_OF(PX_R2D), "6267-65",
     PX_REFUSE},
    {"ibake-missing", "there is no IBAKE, and V is made with the keys of the new values", C, px_bend_drop,
     AT(PX_IBAKE), 0, 0, PX_OF(PX_U2), "P-30", PX_REFUSE},
    {"ibake-twice", "there are two IBAKE", S, px_bend_twice, AT(PX_IBAKE), 0, 0, PX_SEALED, "@parse",
     PX_EITHER},
    {"ibake-length-over", "the length of IBAKE is greater by one", S, px_bend_length16, AT(PX_IBAKE), 0, 1,
     PX_SEALED, "@parse", PX_REFUSE},
    {"ibake-length-under", "the length of IBAKE is smaller by one", S, px_bend_length16, AT(PX_IBAKE), 0, -1,
     PX_SEALED, "@parse", PX_REFUSE},
    {"ibake-garbage", "Encr data of IBAKE are no BFCiphertextBlock", S, bend_ciphertext, AT(PX_IBAKE), 0,
     PX_FAULT_NO_DER, PX_SEALED, "P-2", PX_REFUSE},
    {"ibake-unreadable", "there is an IBAKE that was not called for, and it does not decrypt", C, px_bend_add,
     PX_PLACE(0, PX_IDR, -1), PX_IBAKE, 1, PX_OF(PX_R2), "6267-69 6267-68", PX_REFUSE},
    {"inner-initiator-missing", "IBAKE has no IDRi", C, bend_inner_drop, PX_NOWHERE, PX_ROLE_I, 0, PX_SEALED,
     "@inner P-4", PX_REFUSE},
    {"inner-responder-missing", "IBAKE has no IDRr", C, bend_inner_drop, PX_NOWHERE, PX_ROLE_R, 0, BOTH,
     "@inner", PX_REFUSE},
    {"inner-initiator-other", "IDRi inside IBAKE is another user's", C, bend_inner_id,
     PX_PLACE(PX_IBAKE, 0, 0), PX_ROLE_I, 0, PX_SEALED, "P-19", PX_REFUSE},
    {"inner-responder-other", "IDRr inside IBAKE is another user's", C, bend_inner_id,
     PX_PLACE(PX_IBAKE, 0, 0), PX_ROLE_R, 0, BOTH, "P-19", PX_REFUSE},
    {"inner-initiator-type", "IDRi inside IBAKE is a NAI, outside a URI", C, bend_inner_type, PX_NOWHERE,
     PX_ROLE_I, 0, PX_SEALED, "P-19", PX_REFUSE},
    {"inner-roles-swapped", "the identities inside IBAKE have changed roles", C, bend_inner_roles, PX_NOWHERE,
     0, 0, BOTH, "P-19 @inner", PX_REFUSE},
    {"inner-point-first", "the first payload inside IBAKE is ECCPT", C, px_bend_first, IN(PX_ECCPT, 0), 0, 0,
     PX_SEALED, "P-4 @inner @parse", PX_REFUSE},
    {"inner-next-payload", "the last payload inside IBAKE says that another follows", C, bend_inner_next,
     PX_NOWHERE, 0, PX_IDR, PX_SEALED, "6267-97 @inner @parse", PX_REFUSE},
    {"inner-trailing-octets", "three octets follow the last payload inside IBAKE", C, bend_inner_tail,
     PX_NOWHERE, 0, 3, PX_SEALED, "6267-97 @parse", PX_REFUSE},
    {"inner-unknown-payload", "there is a payload of an unknown type inside IBAKE", C, px_bend_add,
     IN(PX_IDR, 0), 99, 1, PX_SEALED, "@parse", PX_REFUSE},
    {"inner-rand", "there is a RAND inside IBAKE", C, px_bend_add, IN(PX_IDR, 0), PX_RAND, 1, PX_SEALED,
     "@inner", PX_EITHER},
    {"point-missing", "IBAKE has no ECCPTi", C, px_bend_drop, IN(PX_ECCPT, 0), 0, 0, PX_OF(PX_I1), "@inner",
     PX_REFUSE},
    {"point-missing", "IBAKE has no ECCPTr", C, px_bend_drop, IN(PX_ECCPT, -1), 0, 0, R1S | PX_UPDATES,
     "@inner", PX_REFUSE},
    {"echo-missing", "IBAKE does not bring back the ECCPTi that was received", C, px_bend_drop,
     IN(PX_ECCPT, 0), 0, 0, PX_OF(PX_R1), "6539-8 6267-93 6539-6", PX_REFUSE},
    {"echo-missing", "IBAKE does not bring back ECCPTr", C, px_bend_drop, IN(PX_ECCPT, -1), 0, 0, I2S,
     "6539-12 @inner 6267-54 6539-10", PX_REFUSE},
    {"echo-missing", "IBAKE does not bring back ECCPTi", C, px_bend_drop, IN(PX_ECCPT, 0), 0, 0,
     PX_OF(PX_R2D), "@inner", PX_REFUSE},
    {"initiator-point-missing", "ECCPTi does not come again though it was not read", C, px_bend_drop,
     IN(PX_ECCPT, 0), 0, 0, PX_OF(PX_I2D), "6267-52 6267-45", PX_REFUSE},
    {"initiator-point-again", "ECCPTi comes again though it was brought back", C, bend_own_again,
     IN(PX_ECCPT, 0), 0, 0, PX_OF(PX_I2), "6267-53", PX_REFUSE},
    {"echo-changed", "the ECCPTi that comes back is not the one that was received", C, bend_point,
     IN(PX_ECCPT, 0), 0, 0, PX_OF(PX_R1), "6539-8 6539-13 P-16 6267-93", PX_REFUSE},
    {"echo-changed", "the ECCPTr that comes back is not the one that was sent", C, bend_point,
     IN(PX_ECCPT, -1), 0, 0, I2S, "6539-12 6539-13 P-16 6267-54", PX_REFUSE},
    {"echo-changed", "the ECCPTi that comes back is not the one that was sent", C, bend_point,
     IN(PX_ECCPT, 0), 0, 0, PX_OF(PX_R2D), "6267-66", PX_REFUSE},
    {"points-changed", "neither value is the one that V stands for", C, bend_point, IN(PX_ECCPT, 0), 0, 0,
     PX_OF(PX_U2), "P-30 6267-79", PX_REFUSE},
    {"points-turned", "ECCPTr stands where ECCPTi belongs, and the other way round", C, bend_points_turned,
     PX_NOWHERE, 0, 0, PX_OF(PX_R1) | PX_OF(PX_I2D) | PX_OF(PX_U2), "6539-8 6539-12 P-30 6267-93 6267-54",
     PX_REFUSE},
    {"second-point", "there is a second ECCPTi", C, bend_another, IN(PX_ECCPT, 0), 0, 0, PX_OF(PX_I1), "P-17",
     PX_REFUSE},
    {"second-point", "there is a second ECCPTr", C, bend_another, IN(PX_ECCPT, -1), 0, 0, PX_OF(PX_R1),
     "P-17", PX_REFUSE},
    {"second-point", "there is a second ECCPT that is no echo", C, bend_another, IN(PX_ECCPT, 0), 0, 0,
     PX_OF(PX_I2), "P-17 6267-53", PX_REFUSE},
    {"point-other-curve", "ECCPTr is on another curve than the ECCPTi that comes back", C, bend_point,
     IN(PX_ECCPT, -1), PX_P384, 0, PX_OF(PX_R1), "@inner", PX_REFUSE},
    {"point-other-curve", "ECCPTi is on another curve than ECCPTr", C, bend_point, IN(PX_ECCPT, 0), PX_P384,
     0, PX_OF(PX_I2D), "@inner", PX_REFUSE},
    {"point-in-clear", "ECCPT stands outside IBAKE too", C, bend_eccpt_clear, IN(PX_ECCPT, 0), 0, 0,
     PX_SEALED, "6267-98 @parse", PX_REFUSE},
    {"point-off-curve", "the point is not on its curve", C, px_bend_octet, IN(PX_ECCPT, -1), 20, 1, PX_SEALED,
     "P-3", PX_REFUSE},
    {"point-infinity", "the point is infinity", C, bend_infinity, IN(PX_ECCPT, -1), 0, 0, PX_SEALED,
     "P-3 @parse", PX_REFUSE},
    {"point-hybrid", "the point is in the hybrid form of SEC 1", C, px_bend_octet, IN(PX_ECCPT, -1), 1, 2,
     PX_SEALED, "P-3 @parse", PX_REFUSE},
    {"point-tag-unknown", "the point has a tag that SEC 1 does not know", C, px_bend_set, IN(PX_ECCPT, -1), 1,
     9, PX_SEALED, "P-3 @parse", PX_REFUSE},
    {"point-compressed", "ECCPT is compressed", C, bend_compress, IN(PX_ECCPT, -1), 0, 0, PX_SEALED, "P-3",
     PX_TAKE_UNSEEN("compressed points are taken")},
    {"echo-compressed", "the value that comes back is compressed", C, bend_compress, IN(PX_ECCPT, 0), 0, 0,
     PX_OF(PX_R1) | PX_OF(PX_I2), "P-3", PX_TAKE_UNSEEN("compressed points are taken")},
    {"curve-unknown", "the curve has no number of the registry", C, px_bend_set, IN(PX_ECCPT, -1), 0, 200,
     PX_SEALED, "P-3 @parse", PX_REFUSE},
    {"curve-binary", "the curve is B-163, which nobody here supports", C, px_bend_set, IN(PX_ECCPT, -1), 0, 2,
     PX_SEALED, "P-3 @parse", PX_REFUSE},
    {"curve-mislabelled", "the curve is said to be P-521", C, px_bend_set, IN(PX_ECCPT, -1), 0, PX_P521,
     PX_SEALED, "P-3 @parse", PX_REFUSE},
    {"padding-not-zero", "the padding of the point is not zero", C, bend_behind, IN(PX_ECCPT, 0), -1, 1,
     PX_SEALED, "P-3", PX_REFUSE},
    {"padding-missing", "the point is not padded", C, bend_unpadded, IN(PX_ECCPT, -1), 0, PX_UNPADDED,
     PX_SEALED, "6267-99 P-3 @parse", PX_REFUSE},
    {"no-padding", "no point is padded", C, bend_all_padding, PX_NOWHERE, 0, PX_UNPADDED, PX_SEALED,
     "6267-99 P-3 @parse", PX_REFUSE},
    {"padding-alone", "points are padded to a multiple of four octets, wherever they stand", C,
     bend_all_padding, PX_NOWHERE, 0, PX_PADDED_ALONE, PX_SEALED, "6267-99 P-3 @parse", PX_REFUSE},
    {"padding-too-long", "the point is padded by four octets more", C, bend_padding, IN(PX_ECCPT, 0), 0, 4,
     PX_SEALED, "6267-99 P-3 @parse @inner", PX_REFUSE},
    {"auth-alg-other", "the authentication algorithm in ECCPT is unknown", C, bend_behind, IN(PX_ECCPT, 0), 0,
     0x60, PX_SEALED, "6267-100", PX_TAKE_UNSEEN("the field is ignored")},
    {"tgk-length-other", "the TGK length in ECCPT is 0xFF20", C, bend_behind, IN(PX_ECCPT, 0), 1, 0xFF,
     PX_SEALED, "6267-100", PX_TAKE_UNSEEN("the field is ignored")},
    {"auth-alg-none", "the authentication algorithm in ECCPT is 0", C, bend_all_behind, PX_NOWHERE, 0, 1,
     PX_SEALED, "6267-100", PX_TAKE_UNSEEN("the field is ignored")},
    {"tgk-length-none", "the TGK length in ECCPT is 0", C, bend_all_behind, PX_NOWHERE, 1, 2, PX_SEALED,
     "6267-100", PX_TAKE_UNSEEN("the field is ignored")},
    {"reserved-bits", "the reserved bits in ECCPT are not zero", C, bend_behind, IN(PX_ECCPT, 0), 3, 0xF0,
     PX_SEALED, "P-3", PX_TAKE_UNSEEN("reserved bits are ignored")},
    {"mki-changed", "the MKI in one ECCPT is not the starter's, or there though the starter has none", C,
     bend_mki, IN(PX_ECCPT, -1), 0, 0, PX_OF(PX_U2), "P-35", PX_REFUSE},
    {"mki-of-first-changed", "the MKI in the other ECCPT is not the starter's", C, bend_mki, IN(PX_ECCPT, 0),
     0, 0, PX_OF(PX_U2), "P-35", PX_REFUSE},
    {"kv-unknown", "the key validity type is none that is registered", C, bend_behind, IN(PX_ECCPT, -1), 3, 6,
     PX_SEALED, "@parse", PX_REFUSE},
    {"kv-without-data", "there is a key validity of type MKI without its data", C, bend_behind,
     IN(PX_ECCPT, -1), 3, 1, PX_OF(PX_R1) | I2S, "@parse", PX_REFUSE},
    {"value-again", "the ECDH value was used in the exchange before", C, bend_old_value, IN(PX_ECCPT, 0), 0,
     0, PX_OF(PX_U1), "P-34", PX_REFUSE},
    {"for-other-identity", "IBAKE is encrypted to another user", C, bend_recipient, AT(PX_IBAKE), 4, 0,
     PX_SEALED, ENCR, PX_REFUSE},
    {"for-other-day", "IBAKE is encrypted to the identity of another day", C, bend_recipient, AT(PX_IBAKE),
     -1, 0, PX_SEALED, ENCR " P-9", PX_REFUSE},
    {"for-no-day", "IBAKE is encrypted to the identity without a date", C, bend_no_date, AT(PX_IBAKE), 0, 0,
     PX_SEALED, ENCR " P-9", PX_REFUSE},
    {"der-version-3", "the version of BFCiphertextBlock is 3", S, bend_ciphertext, AT(PX_IBAKE), 0,
     PX_FAULT_VERSION, PX_SEALED, "P-2", PX_REFUSE},
    {"der-long-integer", "an INTEGER of the ciphertext has a zero too many in front", S, bend_ciphertext,
     AT(PX_IBAKE), 0, PX_FAULT_LONG_INTEGER, PX_SEALED, "P-2", PX_REFUSE},
    {"der-long-length", "a length in the ciphertext has more octets than it needs", S, bend_ciphertext,
     AT(PX_IBAKE), 0, PX_FAULT_LONG_LENGTH, PX_SEALED, "P-2", PX_REFUSE},
    {"der-indefinite", "the ciphertext is BER of indefinite length", S, bend_ciphertext, AT(PX_IBAKE), 0,
     PX_FAULT_INDEFINITE, PX_SEALED, "P-2", PX_REFUSE},
    {"der-trailing", "octets follow BFCiphertextBlock inside Encr data", S, bend_ciphertext, AT(PX_IBAKE), 0,
     PX_FAULT_TRAILING, PX_SEALED, "P-2", PX_REFUSE},
    {"der-truncated", "BFCiphertextBlock ends too early", S, bend_ciphertext, AT(PX_IBAKE), 0,
     PX_FAULT_TRUNCATED, PX_SEALED, "P-2", PX_REFUSE},
    {"u-off-curve", "U is not on the curve", S, bend_ciphertext, AT(PX_IBAKE), 0, PX_FAULT_U_OFF_CURVE,
     PX_SEALED, "5091-15", PX_REFUSE},
    {"u-wrong-order", "U is on the curve, and not of order q", S, bend_ciphertext, AT(PX_IBAKE), 0,
     PX_FAULT_U_ORDER, PX_SEALED, "5091-15", PX_REFUSE},
    {"u-negated", "U is the negative of what it has to be", S, bend_ciphertext, AT(PX_IBAKE), 0,
     PX_FAULT_U_NEGATED, PX_SEALED, "5091-15", PX_REFUSE},
    {"u-zero", "both coordinates of U are 0", S, bend_ciphertext, AT(PX_IBAKE), 0, PX_FAULT_U_ZERO, PX_SEALED,
     "5091-15", PX_REFUSE},
    {"u-too-large", "a coordinate of U is not below p", S, bend_ciphertext, AT(PX_IBAKE), 0, PX_FAULT_U_LARGE,
     PX_SEALED, "5091-15 P-2", PX_REFUSE},
    {"v-part-changed", "V of the ciphertext is changed", S, bend_ciphertext, AT(PX_IBAKE), 0, PX_FAULT_V,
     PX_SEALED, "5091-15", PX_REFUSE},
    {"v-part-short", "V of the ciphertext is shorter than the hash", S, bend_ciphertext, AT(PX_IBAKE), 0,
     PX_FAULT_V_SHORT, PX_SEALED, "P-2 5091-15", PX_REFUSE},
    {"v-part-long", "V of the ciphertext is longer than the hash by an octet", S, bend_ciphertext,
     AT(PX_IBAKE), 0, PX_FAULT_V_LONG, PX_SEALED, "P-2 5091-15", PX_REFUSE},
    {"w-part-changed", "W of the ciphertext is changed", S, bend_ciphertext, AT(PX_IBAKE), 0, PX_FAULT_W,
     PX_SEALED, "5091-15", PX_REFUSE},
    {"w-part-empty", "W of the ciphertext is empty", S, bend_ciphertext, AT(PX_IBAKE), 0, PX_FAULT_W_EMPTY,
     PX_SEALED, "5091-15", PX_REFUSE},
    {"esk-missing", "there is no ESK", C, px_bend_drop, AT(PX_ESK), 0, 0, PX_OF(PX_I2D), "6267-56 6267-46",
     PX_REFUSE},
    {"esk-twice", "there are two ESK", S, px_bend_twice, AT(PX_ESK), 0, 0, PX_OF(PX_I1) | PX_OF(PX_I2D),
     "@parse", PX_EITHER},
    {"esk-length-over", "the length of ESK is greater by one", S, px_bend_length16, AT(PX_ESK), 0, 1,
     PX_OF(PX_I1) | PX_OF(PX_I2D), "@parse", PX_REFUSE},
    {"esk-garbage", "ESK is no BFCiphertextBlock", S, bend_ciphertext, AT(PX_ESK), 0, PX_FAULT_NO_DER,
     PX_OF(PX_I1), "P-2 6267-31", PX_EITHER},
    {"esk-changed", "W in ESK is changed", S, bend_ciphertext, AT(PX_ESK), 0, PX_FAULT_W, PX_OF(PX_I1),
     "5091-15 6267-31", PX_EITHER},
    {"esk-for-other-identity", "ESK is encrypted to another user", C, bend_recipient, AT(PX_ESK), 4, 0,
     PX_OF(PX_I1), "5091-15 6267-31", PX_EITHER},
    {"esk-other-sender", "the identity inside ESK is another user's", C, bend_inner_id,
     PX_PLACE(PX_ESK, 0, 0), PX_ROLE_I, 0, PX_OF(PX_I1), "P-19", PX_EITHER},
    {"esk-without-sk", "ESK holds no SK", C, px_bend_drop, PX_PLACE(PX_ESK, PX_SK, 0), 0, 0, PX_OF(PX_I1),
     "6267-101", PX_EITHER},
    {"esk-before-ibake", "ESK stands before IBAKE", S, px_bend_swap, AT(PX_ESK), 0, -1,
     PX_OF(PX_I1) | PX_OF(PX_I2D), "@parse", PX_EITHER},
    {"esk-changed", "W in ESK is changed", S, bend_ciphertext, AT(PX_ESK), 0, PX_FAULT_W, PX_OF(PX_I2D),
     "6267-58", PX_TAKE_UNSEEN("a mailbox cannot open it, and stores it as it is")},
    {"esk-other-sender", "the identity inside ESK is another user's", C, bend_inner_id,
     PX_PLACE(PX_ESK, 0, 0), PX_ROLE_I, 0, PX_OF(PX_I2D), "6267-58",
     PX_TAKE_UNSEEN("a mailbox cannot open it, and stores it as it is")},
};

const px_table px_knobs_ibake = {knobs, N(knobs)};
