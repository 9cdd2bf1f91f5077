/* Deviations of T, RAND, identities, policies and of the chain of payloads. */
#include "peer/knob.h"

#define N(array)   (sizeof(array) / sizeof *(array))
#define AT(type)   PX_PLACE(0, type, 0)
#define LAST(type) PX_PLACE(0, type, -1)

/* T is earlier or later by `value` seconds; not a COUNTER. */
static bool bend_time(peer *p, px_draft *d, const px_knob *k, px_octets *octets) {
    (void)p, (void)octets;
    px_part *t = px_find(&d->chain, PX_T, 0, NULL);
    if (!t || px_span(&t->body).data[0] == 2)
        return false;
    px_cursor c = px_read(ibk_span_of(px_span(&t->body).data + 1, 4));
    uint32_t seconds = px_take32(&c) + (uint32_t)k->value;
    for (unsigned i = 0; i < 4; i++)
        t->body.buf.data[1 + i] = (uint8_t)(seconds >> (24 - 8 * i));
    return true;
}

static bool bend_time_again(peer *p, px_draft *d, const px_knob *k, px_octets *octets) {
    (void)k, (void)octets;
    px_part *t = px_find(&d->chain, PX_T, 0, NULL);
    if (t)
        px_set(&t->body, px_span(&p->t_before));
    return t != NULL;
}

/* RAND has `value` octets, and the keys follow from it. */
static bool bend_rand_length(peer *p, px_draft *d, const px_knob *k, px_octets *octets) {
    (void)octets;
    px_part *rand = px_find(&d->chain, PX_RAND, 0, NULL);
    if (!rand)
        return false;
    p->rand.err = ibk_buf_resize(&p->rand.buf, (size_t)k->value);
    px_clear(&rand->body);
    px_put8(&rand->body, (unsigned)k->value);
    px_put_span(&rand->body, px_span(&p->rand));
    px_set(&d->recipe.rand, px_span(&p->rand));
    return true;
}

static px_part *id_of(px_draft *d, int role) {
    return px_find_id(&d->chain, (uint8_t)role, 0);
}

static bool bend_id_drop(peer *p, px_draft *d, const px_knob *k, px_octets *octets) {
    (void)p, (void)octets;
    size_t n = 0;
    for (px_part *part; (part = id_of(d, k->at)) != NULL; n++)
        px_remove(&d->chain, (size_t)(part - d->chain.parts));
    return n > 0;
}

/* Another user, of the same KMS: the first letter behind "sip:" is another. */
static bool bend_id_other(peer *p, px_draft *d, const px_knob *k, px_octets *octets) {
    (void)p, (void)octets;
    px_part *part = id_of(d, k->at);
    if (!part || px_span(&part->body).len < 10)
        return false;
    part->body.buf.data[8] ^= 1;
    return true;
}

static bool bend_id_octet(peer *p, px_draft *d, const px_knob *k, px_octets *octets) {
    (void)p, (void)octets;
    px_part *part = id_of(d, k->at / 16);
    if (!part)
        return false;
    part->body.buf.data[k->at % 16] ^= (uint8_t)k->value;
    return true;
}

static bool bend_roles(peer *p, px_draft *d, const px_knob *k, px_octets *octets) {
    (void)p, (void)k, (void)octets;
    px_part *i = id_of(d, PX_ROLE_I), *r = id_of(d, PX_ROLE_R);
    if (!i || !r)
        return false;
    i->body.buf.data[0] = PX_ROLE_R;
    r->body.buf.data[0] = PX_ROLE_I;
    return true;
}

static bool bend_ids_gone(peer *p, px_draft *d, const px_knob *k, px_octets *octets) {
    (void)p, (void)k, (void)octets;
    size_t n = 0, at;
    for (; px_find(&d->chain, PX_IDR, 0, &at); n++)
        px_remove(&d->chain, at);
    return n > 0;
}

/* SDP identifiers: the General Extension of type 1. */
static bool bend_ext(peer *p, px_draft *d, const px_knob *k, px_octets *octets) {
    (void)p, (void)octets;
    size_t at;
    px_part *ext = px_find(&d->chain, PX_EXT, 0, &at);
    if (!ext || px_span(&ext->body).data[0] != 1)
        return false;
    if (k->value)
        ext->body.buf.data[px_span(&ext->body).len - 1] ^= (uint8_t)k->value;
    else
        px_remove(&d->chain, at);
    return true;
}

/* The last payload that has a next payload field. */
static bool bend_last_next(peer *p, px_draft *d, const px_knob *k, px_octets *octets) {
    (void)p, (void)octets;
    px_part *last = d->chain.n ? &d->chain.parts[d->chain.n - 1] : NULL;
    if (!last || last->type == PX_SIGN)
        return false;
    last->next = k->value;
    return true;
}

/* A payload of the type `at` stands before the last one; a General Extension where SP and its like stand. */
static bool bend_put_late(peer *p, px_draft *d, const px_knob *k, px_octets *octets) {
    size_t n = d->chain.n;
    if (n == 0)
        return false;
    px_knob add = *k;
    uint8_t type = d->chain.parts[n - 1].type;
    bool early = k->at == PX_EXT && px_count(&d->chain, PX_IBAKE) > 0;
    add.place = early ? (px_place){0, PX_IBAKE, 0} : (px_place){0, type, -1};
    return px_bend_add(p, d, &add, octets);
}

#define FIRSTS     (PX_OF(PX_I1) | PX_REQUESTS)
#define SECONDS    (PX_OF(PX_I2) | PX_OF(PX_I2D))
#define REPEATS    (PX_OF(PX_R1) | PX_OF(PX_R1D) | PX_OF(PX_R2) | PX_OF(PX_R2D) | PX_OF(PX_U2) | PX_OF(PX_RESP))
#define STARTS     (FIRSTS | SECONDS | PX_OF(PX_U1))
#define BOTH_IDS   (PX_OF(PX_I1) | PX_OF(PX_R1) | PX_OF(PX_R1D) | SECONDS)
#define ENDS       (PX_OF(PX_R2) | PX_OF(PX_R2D))
#define C          PX_AT_CONTENT
#define UPDATE_IDS "an update may leave them out"

static const px_knob knobs[] = {
    {"t-missing", "there is no T", PX_AT_SEALED, px_bend_drop, AT(PX_T), 0, 0, PX_ALL, "@t", PX_REFUSE},
    {"t-twice", "there are two T", C, px_bend_twice, AT(PX_T), 0, 0, PX_ALL, "@parse", PX_EITHER},
    {"t-type-unknown", "the type of T is none that is registered", PX_AT_SEALED, px_bend_set, AT(PX_T), 0, 9,
     PX_ALL, "@parse", PX_REFUSE},
    {"t-changed", "T is not that of the message before", PX_AT_SEALED, px_bend_octet, AT(PX_T), -1, 1,
     REPEATS, "@t", PX_REFUSE},
    {"t-type-changed", "T has the value of before and another type", PX_AT_SEALED, px_bend_octet, AT(PX_T), 0,
     1, REPEATS, "@t", PX_REFUSE},
    {"t-stale", "T is an hour old", C, bend_time, PX_NOWHERE, 0, -3600, STARTS, "3830-63", PX_REFUSE},
    {"t-yesterday", "T is a day old", C, bend_time, PX_NOWHERE, 0, -86400, FIRSTS, "3830-63", PX_REFUSE},
    {"t-future", "T is an hour ahead", C, bend_time, PX_NOWHERE, 0, 3600, STARTS, "3830-63", PX_REFUSE},
    {"t-slow-clock", "T is two minutes old, as by a clock that is slow", C, bend_time, PX_NOWHERE, 0, -120,
     FIRSTS, "3830-63", PX_TAKE_UNSEEN("it is inside the allowed skew")},
    {"t-again", "T is that of the message before from the same side", C, bend_time_again, PX_NOWHERE, 0, 0,
     SECONDS, "3830-38", PX_REFUSE},
    {"t-again", "T was used before", C, bend_time_again, PX_NOWHERE, 0, 0, PX_OF(PX_U1),
     "6267-75 3830-28 P-34", PX_REFUSE},
    {"t-not-first", "T stands behind another payload", PX_AT_CONTENT, px_bend_swap, AT(PX_T), 0, 1, PX_ALL,
     "@parse", PX_EITHER},
    {"rand-missing", "there is no RAND", C, px_bend_drop, AT(PX_RAND), 0, 0, FIRSTS | SECONDS, "@t",
     PX_REFUSE},
    {"rand-twice", "there are two RAND", C, px_bend_twice, AT(PX_RAND), 0, 0, FIRSTS | SECONDS, "@parse",
     PX_EITHER},
    {"rand-short", "RAND has 8 octets", C, bend_rand_length, PX_NOWHERE, 0, 8, FIRSTS, "3830-56", PX_EITHER},
    {"rand-empty", "RAND has no octets", C, bend_rand_length, PX_NOWHERE, 0, 0, FIRSTS, "3830-56", PX_EITHER},
    {"rand-long", "RAND has 64 octets", C, bend_rand_length, PX_NOWHERE, 0, 64, FIRSTS, "3830-56",
     PX_TAKE_UNSEEN("16 octets are the least, not the most")},
    {"rand-changed", "RAND is another than that of I_MESSAGE_1", C, px_bend_octet, AT(PX_RAND), -1, 1,
     SECONDS, "P-7", PX_REFUSE},
    {"rand-length-over", "the length of RAND is greater by one", C, px_bend_octet, AT(PX_RAND), 0, 1,
     FIRSTS | SECONDS, "@parse", PX_REFUSE},
    {"rand-added", "there is a RAND", C, px_bend_add, AT(PX_T), PX_RAND, 1, PX_UPDATES, "6267-77 3830-29",
     PX_REFUSE},
    {"id-initiator-missing", "there is no IDRi", C, bend_id_drop, PX_NOWHERE, PX_ROLE_I, 0, BOTH_IDS, "@ids",
     PX_REFUSE},
    {"id-responder-missing", "there is no IDRr", C, bend_id_drop, PX_NOWHERE, PX_ROLE_R, 0, BOTH_IDS, "@ids",
     PX_REFUSE},
    {"id-user-missing", "there is no IDRi/r", C, bend_id_drop, PX_NOWHERE, PX_ROLE_I, 0, PX_REQUESTS,
     "P-10 3830-2 6267-8", PX_REFUSE},
    {"id-kms-missing", "there is no IDRkms", C, bend_id_drop, PX_NOWHERE, PX_ROLE_KMS, 0, PX_REQUESTS,
     "6267-8", PX_REFUSE},
    {"ids-missing", "there are no identities", C, bend_ids_gone, PX_NOWHERE, 0, 0, ENDS, "6267-64", PX_TAKE},
    {"ids-missing", "there are no identities", C, bend_ids_gone, PX_NOWHERE, 0, 0, PX_UPDATES, "P-30",
     PX_TAKE_UNSEEN(UPDATE_IDS)},
    {"ids-missing", "there are no identities outside KEMAC", C, bend_ids_gone, PX_NOWHERE, 0, 0,
     PX_OF(PX_RESP), "P-10", PX_TAKE_UNSEEN("RFC 6267 §4.2.1 shows them as optional")},
    {"id-initiator-other", "IDRi is another user's", C, bend_id_other, PX_NOWHERE, PX_ROLE_I, 0, PX_OF(PX_I1),
     "P-19 @to", PX_REFUSE},
    {"id-initiator-other", "IDRi is another user's", C, bend_id_other, PX_NOWHERE, PX_ROLE_I, 0,
     PX_OF(PX_R1) | PX_OF(PX_R1D), "6267-41", PX_REFUSE},
    {"id-initiator-other", "IDRi is another user's", C, bend_id_other, PX_NOWHERE, PX_ROLE_I, 0, SECONDS,
     "@ids P-19", PX_REFUSE},
    {"id-initiator-other", "IDRi is another user's", C, bend_id_other, PX_NOWHERE, PX_ROLE_I, 0,
     ENDS | PX_UPDATES, "P-19 @ids", PX_REFUSE},
    {"id-responder-other", "IDRr is another user's", C, bend_id_other, PX_NOWHERE, PX_ROLE_R, 0,
     PX_OF(PX_I1) | PX_OF(PX_R1) | PX_OF(PX_R1D) | ENDS | PX_UPDATES, "P-19", PX_REFUSE},
    {"id-responder-other", "IDRr is another user's", C, bend_id_other, PX_NOWHERE, PX_ROLE_R, 0, SECONDS,
     "6267-51", PX_REFUSE},
    {"id-user-other", "the first identity outside KEMAC is another user's", C, bend_id_other, PX_NOWHERE,
     PX_ROLE_I, 0, PX_OF(PX_RESP), "P-10", PX_REFUSE},
    {"id-kms-other", "IDRkms is another KMS's", C, bend_id_other, PX_NOWHERE, PX_ROLE_KMS, 0, PX_REQUESTS,
     "6267-8", PX_REFUSE},
    {"id-kms-other", "IDRkms is another KMS's", C, bend_id_other, PX_NOWHERE, PX_ROLE_KMS, 0, PX_OF(PX_RESP),
     "P-10", PX_REFUSE},
    {"id-roles-swapped", "IDRi says that it is the responder, IDRr the initiator", C, bend_roles, PX_NOWHERE,
     0, 0, PX_OF(PX_I1) | ENDS | PX_UPDATES, "P-19", PX_REFUSE},
    {"id-roles-swapped", "IDRi says that it is the responder, IDRr the initiator", C, bend_roles, PX_NOWHERE,
     0, 0, PX_OF(PX_R1) | PX_OF(PX_R1D), "6267-41 P-19", PX_REFUSE},
    {"id-roles-swapped", "IDRi says that it is the responder, IDRr the initiator", C, bend_roles, PX_NOWHERE,
     0, 0, SECONDS, "6267-51 @ids", PX_REFUSE},
    {"id-role-unknown", "the role of IDRi is none that is registered", C, bend_id_octet, PX_NOWHERE,
     16 * PX_ROLE_I, 0x70, BOTH_IDS, "@ids", PX_REFUSE},
    {"id-role-unknown", "the role of IDRi is none that is registered", C, bend_id_octet, PX_NOWHERE,
     16 * PX_ROLE_I, 0x70, ENDS, "@parse @ids P-19", PX_REFUSE},
    {"id-type-changed", "IDRi is a NAI in place of a URI", C, bend_id_octet, PX_NOWHERE, 16 * PX_ROLE_I + 1,
     1, PX_OF(PX_R1) | PX_OF(PX_R1D), "6267-41", PX_REFUSE},
    {"id-type-changed", "IDRi is a NAI in place of a URI", C, bend_id_octet, PX_NOWHERE, 16 * PX_ROLE_I + 1,
     1, SECONDS, "@ids", PX_REFUSE},
    {"id-twice", "IDRi is there twice", C, px_bend_twice, AT(PX_IDR), 0, 0, BOTH_IDS, "@parse", PX_EITHER},
    {"ids-turned", "IDRr stands before IDRi", C, px_bend_swap, AT(PX_IDR), 0, 1, BOTH_IDS | ENDS, "@parse",
     PX_EITHER_UNSEEN("the role of an IDR says whose it is, not its place")},
    {"id-length-over", "the length of the first IDR is greater by one", C, px_bend_length16, AT(PX_IDR), 2, 1,
     PX_ALL, "@parse", PX_REFUSE},
    {"id-length-under", "the length of the first IDR is smaller by one", C, px_bend_length16, AT(PX_IDR), 2,
     -1, PX_ALL, "@parse", PX_REFUSE},
    {"unknown-payload", "there is a payload of an unknown type", C, bend_put_late, PX_NOWHERE, 99, 0, PX_ALL,
     "@parse", PX_REFUSE},
    {"vendor-extension", "there is a General Extension of a vendor's", C, bend_put_late, PX_NOWHERE, PX_EXT,
     0, PX_ALL & ~PX_UPDATES & ~PX_REQUESTS, "@parse", PX_EITHER_UNSEEN("a vendor may send one")},
    {"vendor-extension", "there is a General Extension of a vendor's", C, bend_put_late, PX_NOWHERE, PX_EXT,
     0, PX_REQUESTS, "6267-17 @parse", PX_TAKE_UNSEEN("a vendor may send one")},
    {"unexpected-chash", "there is a CHASH", C, bend_put_late, PX_NOWHERE, PX_CHASH, 0,
     PX_EXCHANGE | PX_UPDATES, "@parse", PX_EITHER},
    {"unexpected-chash", "there is a CHASH", C, bend_put_late, PX_NOWHERE, PX_CHASH, 0, PX_OF(PX_QPSK),
     "6267-17 @parse", PX_TAKE},
    {"unexpected-chash", "there is a CHASH", C, bend_put_late, PX_NOWHERE, PX_CHASH, 0, PX_OF(PX_RESP),
     "@parse", PX_EITHER},
    {"sk-in-clear", "there is an SK outside ESK", C, bend_put_late, PX_NOWHERE, PX_SK, 0, PX_EXCHANGE,
     "6267-101 @parse", PX_REFUSE},
    {"esk-where-none", "there is an ESK", C, bend_put_late, PX_NOWHERE, PX_ESK, 0,
     PX_OF(PX_R1) | PX_OF(PX_R1D) | ENDS | PX_UPDATES, "@parse", PX_REFUSE},
    {"kemac-added", "there is a KEMAC", C, bend_put_late, PX_NOWHERE, PX_KEMAC, 0, PX_REQUESTS,
     "6267-10 6267-9", PX_EITHER},
    {"last-next-payload", "the last payload says that another follows", C, bend_last_next, PX_NOWHERE, 0,
     PX_IDR, PX_ALL & ~PX_OF(PX_QPKE), "@parse 3830-62", PX_REFUSE},
    {"next-payload-wrong", "T says that SP follows where another payload does", C, px_bend_next, AT(PX_T), 0,
     PX_SP, PX_ALL, "@parse", PX_REFUSE},
    {"next-payload-last", "T says that nothing follows", C, px_bend_next, AT(PX_T), 0, PX_LAST, PX_ALL,
     "@parse", PX_REFUSE},
    {"trailing-octets", "four octets follow the last payload", PX_AT_OCTETS, px_bend_tail, PX_NOWHERE, 0, 4,
     PX_ALL, "@parse", PX_REFUSE},
    {"truncated", "the last octet is missing", PX_AT_OCTETS, px_bend_tail, PX_NOWHERE, 0, -1, PX_ALL,
     "@parse", PX_REFUSE},
    {"sp-changed", "an SP is another than in the offer", C, px_bend_octet, LAST(PX_SP), -1, 1, ENDS, "P-14",
     PX_REFUSE},
    {"sp-missing", "an SP of the offer does not come back", C, px_bend_drop, LAST(PX_SP), 0, 0, ENDS, "P-14",
     PX_REFUSE},
    {"sp-added", "there is an SP that was not in the offer", C, px_bend_add, LAST(PX_SP), PX_SP, 1,
     ENDS | PX_OF(PX_R1), "P-14", PX_REFUSE},
    {"sp-repeated", "the SP of the offer come again, changed", C, px_bend_add, LAST(PX_IDR), PX_SP, 1,
     PX_OF(PX_U2), "P-33", PX_REFUSE},
    {"sp-same-number", "two SP have one number", C, px_bend_twice, AT(PX_SP), 0, 0, PX_OF(PX_I1), "3830-69",
     PX_REFUSE},
    {"sp-turned", "the SP stand in another order than their numbers", C, px_bend_swap, AT(PX_SP), 0, 1,
     PX_OF(PX_I1), "3830-69", PX_TAKE_UNSEEN("no order is demanded")},
    {"sp-length-over", "the length of an SP is greater by one", C, px_bend_length16, AT(PX_SP), 2, 1,
     PX_OF(PX_I1) | ENDS, "@parse", PX_REFUSE},
    {"sp-with-empty-map", "there is an SP though the map is the Empty map", C, bend_put_late, PX_NOWHERE,
     PX_SP, 0, PX_OF(PX_QPSK) | PX_OF(PX_RESP), "4563-1", PX_EITHER},
    {"sdp-ids-changed", "the SDP identifiers are others than in the offer", C, bend_ext, PX_NOWHERE, 0, 1,
     ENDS, "P-14", PX_REFUSE},
    {"sdp-ids-missing", "the SDP identifiers do not come back", C, bend_ext, PX_NOWHERE, 0, 0, ENDS, "P-14",
     PX_REFUSE},
    {"sdp-ids-changed", "the SDP identifiers are others than those of the description", C, bend_ext,
     PX_NOWHERE, 0, 1, PX_OF(PX_I1), "4567-53 4567-54 4567-45",
     PX_REFUSE_UNSEEN("the message alone does not tell what the description says")},
    {"err-missing", "an Error message has no ERR", C, px_bend_drop, AT(PX_ERR), 0, 0, PX_OF(PX_ERROR),
     "3830-32", PX_EITHER},
    {"err-unknown", "the error number is none that is registered", C, px_bend_set, AT(PX_ERR), 0, 99,
     PX_OF(PX_ERROR), "3830-33", PX_EITHER_UNSEEN("an unknown error is an error")},
    {"csb-id-changed", "the CSB ID of an Error message is another", C, px_bend_csb, PX_NOWHERE, 0, 0x40,
     PX_OF(PX_ERROR), "3830-32", PX_REFUSE},
};

const px_table px_knobs_outer = {knobs, N(knobs)};
