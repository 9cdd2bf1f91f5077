#include "adversary/edit_mikey.h"

#include <string.h>

/* ---- patches ----------------------------------------------------------------------------------------------
 */

/* `len` octets at `at` become `with`. */
typedef struct patch {
    size_t at, len;
    ibk_span with;
} patch;

/* Patches in the order of their places, which do not overlap. */
static ibk_err apply(ibk_buf *out, const seen *s, const patch *patches, size_t count) {
    ibk_span octets = ibk_buf_span(&s->mikey);
    size_t done = 0, before = out->len;
    ibk_err err = IBK_OK;
    for (size_t i = 0; !err && i < count; i++) {
        err = ibk_buf_append(out, octets.data + done, patches[i].at - done);
        if (!err)
            err = ibk_buf_append_span(out, patches[i].with);
        done = patches[i].at + patches[i].len;
    }
    if (!err)
        err = ibk_buf_append(out, octets.data + done, octets.len - done);
    if (err)
        ibk_buf_resize(out, before);
    return err;
}

static size_t place_of(const seen *s, ibk_span part) {
    return (size_t)(part.data - s->mikey.data);
}

/* Data behind a length field of `width` octets (0: none) becomes `with`. */
static ibk_err replace_data(ibk_buf *out, const seen *s, ibk_span data, size_t width, ibk_span with) {
    uint8_t length[2] = {(uint8_t)(with.len >> 8), (uint8_t)with.len};
    if (!data.data)
        return IBK_ERR_MISSING_PAYLOAD;
    size_t at = place_of(s, data);
    if (width && with.len >> 8 * width)
        return IBK_ERR_LIMIT;
    const patch patches[] = {{at - width, width, {length + 2 - width, width}}, {at, data.len, with}};
    return apply(out, s, patches, 2);
}

/* ---- fields that are numbers
 * --------------------------------------------------------------------------------
 */

/* `bits` bits, the lowest of them `shift` bits above the lowest bit of the octets at..at+octets. */
typedef struct number_field {
    size_t at, octets;
    unsigned bits, shift;
} number_field;

/* RFC 3830 §6.1 */
static bool find_number(const seen *s, scn_mikey_field field, number_field *out) {
    switch (field) {
    case SCN_FIELD_VERSION:
        *out = (number_field){0, 1, 8, 0};
        break;
    case SCN_FIELD_DATA_TYPE:
        *out = (number_field){1, 1, 8, 0};
        break;
    case SCN_FIELD_V_FLAG:
        *out = (number_field){3, 1, 1, 7};
        break;
    case SCN_FIELD_PRF:
        *out = (number_field){3, 1, 7, 0};
        break;
    case SCN_FIELD_CSB_ID:
        *out = (number_field){4, 4, 32, 0};
        break;
    case SCN_FIELD_CS_COUNT:
        *out = (number_field){8, 1, 8, 0};
        break;
    default:
        return false;
    }
    return out->at + out->octets <= s->mikey.len;
}

/* RFC 3830 §6.6, RFC 6043 §6.3: the value stands behind next payload and type. */
static bool find_time(const seen *s, number_field *out, ibk_t *t) {
    const ibk_payload *p = s->parsed ? ibk_msg_find(&s->msg, IBK_PL_T, 0) : NULL;
    if (!p)
        return false;
    size_t octets = p->octets.len - 2;
    *t = p->t;
    *out = (number_field){p->offset + 2, octets, (unsigned)(8 * octets), 0};
    return true;
}

static uint64_t mask_of(unsigned bits) {
    return bits == 64 ? UINT64_MAX : (UINT64_C(1) << bits) - 1;
}

static uint64_t load(const seen *s, const number_field *f) {
    uint64_t value = 0;
    for (size_t i = 0; i < f->octets; i++)
        value = value << 8 | s->mikey.data[f->at + i];
    return value;
}

static ibk_err store(ibk_buf *out, const seen *s, const number_field *f, uint64_t value) {
    uint64_t mask = mask_of(f->bits) << f->shift;
    uint64_t all = (load(s, f) & ~mask) | (value << f->shift & mask);
    uint8_t octets[8];
    for (size_t i = 0; i < f->octets; i++)
        octets[i] = (uint8_t)(all >> 8 * (f->octets - 1 - i));
    const patch p = {f->at, f->octets, {octets, f->octets}};
    return apply(out, s, &p, 1);
}

static ibk_err edit_number(ibk_buf *out, const seen *s, const number_field *f, const scn_edit_value *value,
                           sim_random *random) {
    uint64_t mask = mask_of(f->bits), old = load(s, f) >> f->shift & mask, drawn;
    switch (value->how) {
    case SCN_EDIT_FLIP:
        return store(out, s, f, old ^ 1);
    case SCN_EDIT_ZERO:
        return store(out, s, f, 0);
    case SCN_EDIT_NUMBER:
        return store(out, s, f, value->number);
    case SCN_EDIT_RANDOM:
        drawn = sim_random_u64(random) & mask;
        return store(out, s, f, drawn == old ? old ^ 1 : drawn);
    default:
        return IBK_ERR_MISSING_PAYLOAD;
    }
}

/* NTP: seconds in the upper 32 bits, fractions in the lower; NTP-UTC-32: seconds alone. */
static ibk_err edit_time(ibk_buf *out, const seen *s, const scn_edit_value *value, sim_random *random) {
    number_field f;
    ibk_t t;
    if (!find_time(s, &f, &t))
        return IBK_ERR_MISSING_PAYLOAD;
    if (value->how != SCN_EDIT_SHIFT)
        return edit_number(out, s, &f, value, random);
    int64_t seconds = value->shift_ns / 1000000000, rest = value->shift_ns % 1000000000;
    if (t.ts_type == IBK_TS_COUNTER)
        return IBK_ERR_UNSUPPORTED;
    if (t.ts_type == IBK_TS_NTP_UTC_32)
        return store(out, s, &f, t.value + (uint64_t)seconds);
    __int128 fraction = (__int128)rest * (INT64_C(1) << 32) / 1000000000;
    return store(out, s, &f, t.value + ((uint64_t)seconds << 32) + (uint64_t)fraction);
}

/* ---- fields that are octets
 * -----------------------------------------------------------------------------------
 */

typedef struct data_field {
    ibk_span data;
    size_t width; /* of the length field before it */
} data_field;

static bool find_data(const seen *s, scn_mikey_field field, data_field *out) {
    const ibk_payload *p = NULL;
    *out = (data_field){.width = 2};
    if (!s->parsed)
        return false;
    switch (field) {
    case SCN_FIELD_MAP:
        *out = (data_field){s->msg.hdr.map, 0};
        return out->data.len > 0;
    case SCN_FIELD_RAND:
        if ((p = ibk_msg_find(&s->msg, IBK_PL_RAND, 0)))
            *out = (data_field){p->rand.data, 1};
        break;
    case SCN_FIELD_IDRI:
    case SCN_FIELD_IDRR:
        if ((p = ibk_msg_find_idr(&s->msg, field == SCN_FIELD_IDRI ? IBK_ROLE_I : IBK_ROLE_R, 0)))
            out->data = p->id.data;
        break;
    case SCN_FIELD_SP:
        if ((p = ibk_msg_find(&s->msg, IBK_PL_SP, 0)))
            out->data = p->sp.params;
        break;
    case SCN_FIELD_SDP_IDS:
        for (size_t i = 0; (p = ibk_msg_find(&s->msg, IBK_PL_EXT, i)) && p->ext.ext_type != IBK_EXT_SDP_IDS;)
            i++;
        if (p)
            out->data = p->ext.data;
        break;
    case SCN_FIELD_IBAKE:
    case SCN_FIELD_ESK:
        if ((p = ibk_msg_find(&s->msg, field == SCN_FIELD_ESK ? IBK_PL_ESK : IBK_PL_IBAKE, 0)))
            out->data = p->enc.data;
        break;
    case SCN_FIELD_MAC:
        if ((p = ibk_msg_find(&s->msg, IBK_PL_V, 0)))
            *out = (data_field){p->v.mac, 0};
        break;
    default:
        break;
    }
    return p != NULL;
}

static ibk_err add_bits(uint8_t *octets, size_t len, const scn_edit_value *value) {
    if (value->number > len || value->octets.len > len - value->number)
        return IBK_ERR_LIMIT;
    for (size_t i = 0; i < value->octets.len; i++)
        octets[value->number + i] ^= value->octets.data[i];
    return IBK_OK;
}

/* What the octets become, appended to `out`. */
static ibk_err edited(ibk_buf *out, ibk_span old, const scn_edit_value *value, sim_random *random) {
    size_t at = out->len;
    if (value->how == SCN_EDIT_OCTETS || value->how == SCN_EDIT_TEXT)
        return ibk_buf_append_span(out, value->octets);
    if (old.len == 0)
        return IBK_ERR_MISSING_PAYLOAD;
    ibk_err err = ibk_buf_append_span(out, old);
    if (err)
        return err;
    uint8_t *octets = out->data + at;
    if (value->how == SCN_EDIT_ZERO)
        memset(octets, 0, old.len);
    if (value->how == SCN_EDIT_RANDOM && !sim_random_draw(random, octets, old.len))
        return IBK_ERR_RANDOM;
    bool same = value->how == SCN_EDIT_RANDOM && memcmp(octets, old.data, old.len) == 0;
    if (value->how == SCN_EDIT_FLIP || same)
        octets[old.len - 1] ^= 1;
    return value->how == SCN_EDIT_XOR ? add_bits(octets, old.len, value) : IBK_OK;
}

static ibk_err edit_data(ibk_buf *out, const seen *s, scn_mikey_field field, const scn_edit_value *value,
                         sim_random *random) {
    data_field f;
    ibk_buf with = {0};
    if (!find_data(s, field, &f))
        return IBK_ERR_MISSING_PAYLOAD;
    ibk_err err = edited(&with, f.data, value, random);
    if (!err)
        err = replace_data(out, s, f.data, f.width, ibk_buf_span(&with));
    ibk_buf_free(&with);
    return err;
}

/* ---- parts of the IBE ciphertext (P-2)
 * --------------------------------------------------------------------------
 */

/* U as x || y: with given octets, one half each; else both halves, of a flip the second. */
static ibk_err edit_point(ibk_ibe_ciphertext *ct, ibk_buf *x, ibk_buf *y, const scn_edit_value *value,
                          sim_random *random) {
    scn_edit_value half = *value;
    ibk_err err = IBK_OK;
    if (value->how == SCN_EDIT_OCTETS) {
        size_t len = value->octets.len / 2;
        ct->ux = (ibk_span){value->octets.data, len};
        ct->uy = (ibk_span){value->octets.data + len, value->octets.len - len};
        return IBK_OK;
    }
    if (value->how != SCN_EDIT_FLIP) {
        err = edited(x, ct->ux, &half, random);
        ct->ux = ibk_buf_span(x);
    }
    if (!err)
        err = edited(y, ct->uy, &half, random);
    ct->uy = ibk_buf_span(y);
    return err;
}

static ibk_err edit_ciphertext(ibk_buf *out, const seen *s, scn_mikey_field field,
                               const scn_edit_value *value, sim_random *random) {
    data_field f;
    ibk_ibe_ciphertext ct;
    ibk_buf one = {0}, two = {0}, der = {0};
    if (!find_data(s, SCN_FIELD_IBAKE, &f) || ibk_ibe_ciphertext_parse(&ct, f.data, NULL))
        return IBK_ERR_MISSING_PAYLOAD;
    ibk_err err;
    if (field == SCN_FIELD_U) {
        err = edit_point(&ct, &one, &two, value, random);
    } else {
        ibk_span *part = field == SCN_FIELD_W ? &ct.w : &ct.v;
        err = edited(&one, *part, value, random);
        *part = ibk_buf_span(&one);
    }
    if (!err)
        err = ibk_ibe_ciphertext_encode(&ct, &der);
    if (!err)
        err = replace_data(out, s, f.data, f.width, ibk_buf_span(&der));
    ibk_buf_free(&one);
    ibk_buf_free(&two);
    ibk_buf_free(&der);
    return err;
}

ibk_err edit_field(ibk_buf *out, const seen *s, scn_mikey_field field, const scn_edit_value *value,
                   sim_random *random) {
    number_field number;
    if (!s->has_mikey)
        return IBK_ERR_MISSING_PAYLOAD;
    if (field == SCN_FIELD_T)
        return edit_time(out, s, value, random);
    if (field == SCN_FIELD_U || field == SCN_FIELD_V_OF_IBE || field == SCN_FIELD_W)
        return edit_ciphertext(out, s, field, value, random);
    if (find_number(s, field, &number))
        return edit_number(out, s, &number, value, random);
    return edit_data(out, s, field, value, random);
}

/* ---- the chain of payloads
 * ----------------------------------------------------------------------------------
 */

/* The place of the next-payload field that leads to payload `index`: in the one before it, or in HDR. */
static size_t link_to(const seen *s, size_t index) {
    return index ? s->msg.chain.items[index - 1].offset : 2;
}

static bool find_index(const seen *s, uint8_t type, uint32_t instance, size_t *out) {
    for (size_t i = 0; s->parsed && i < s->msg.chain.count; i++) {
        *out = i;
        if (s->msg.chain.items[i].type == type && --instance == 0)
            return true;
    }
    return false;
}

ibk_err edit_remove_payload(ibk_buf *out, const seen *s, uint8_t payload, uint32_t instance) {
    size_t index;
    if (!find_index(s, payload, instance, &index))
        return IBK_ERR_MISSING_PAYLOAD;
    const ibk_chain *chain = &s->msg.chain;
    const ibk_payload *p = &chain->items[index];
    uint8_t next = index + 1 < chain->count ? p[1].type : IBK_PL_LAST;
    const patch patches[] = {{link_to(s, index), 1, {&next, 1}}, {p->offset, p->octets.len, {0}}};
    return apply(out, s, patches, 2);
}

/* Where a payload goes that is to be the last one: V and SIGN stay behind it. */
static size_t end_of_chain(const ibk_chain *chain) {
    size_t count = chain->count;
    bool closed =
        count && (chain->items[count - 1].type == IBK_PL_V || chain->items[count - 1].type == IBK_PL_SIGN);
    return closed ? count - 1 : count;
}

ibk_err edit_add_payload(ibk_buf *out, const seen *s, uint8_t payload, ibk_span octets,
                         const uint8_t *before) {
    if (!s->parsed)
        return IBK_ERR_MISSING_PAYLOAD;
    const ibk_chain *chain = &s->msg.chain;
    size_t index = end_of_chain(chain);
    if (before && !find_index(s, *before, 1, &index))
        return IBK_ERR_MISSING_PAYLOAD;
    bool last = index == chain->count;
    uint8_t next = last ? IBK_PL_LAST : chain->items[index].type;
    size_t at = last ? s->mikey.len : chain->items[index].offset;
    ibk_buf added = {0};
    ibk_err err = ibk_buf_append(&added, &next, 1);
    if (!err)
        err = ibk_buf_append_span(&added, octets);
    const patch patches[] = {{link_to(s, index), 1, {&payload, 1}}, {at, 0, ibk_buf_span(&added)}};
    if (!err)
        err = apply(out, s, patches, 2);
    ibk_buf_free(&added);
    return err;
}

/* ---- identities
 * -----------------------------------------------------------------------------------------------
 */

/* Type, length and data of an IDR: what stands behind next payload and role (RFC 6043 §6.6). */
static bool find_identity(const seen *s, uint8_t role, patch *out) {
    const ibk_payload *p = s->parsed ? ibk_msg_find_idr(&s->msg, role, 0) : NULL;
    if (!p)
        return false;
    *out = (patch){p->offset + 2, p->octets.len - 2, {p->octets.data + 2, p->octets.len - 2}};
    return true;
}

ibk_err edit_swap_identities(ibk_buf *out, const seen *s) {
    patch i, r;
    if (!find_identity(s, IBK_ROLE_I, &i) || !find_identity(s, IBK_ROLE_R, &r))
        return IBK_ERR_MISSING_PAYLOAD;
    bool ordered = i.at < r.at;
    patch patches[] = {ordered ? i : r, ordered ? r : i};
    ibk_span first = patches[0].with;
    patches[0].with = patches[1].with;
    patches[1].with = first;
    return apply(out, s, patches, 2);
}

ibk_err edit_identity(ibk_buf *out, const seen *s, scn_mikey_field field, ibk_span identity) {
    patch p;
    if (!find_identity(s, field == SCN_FIELD_IDRI ? IBK_ROLE_I : IBK_ROLE_R, &p))
        return IBK_ERR_MISSING_PAYLOAD;
    if (identity.len > UINT16_MAX)
        return IBK_ERR_LIMIT;
    bool uri = identity.len && memchr(identity.data, ':', identity.len);
    uint8_t head[] = {uri ? IBK_ID_URI : IBK_ID_NAI, (uint8_t)(identity.len >> 8), (uint8_t)identity.len};
    ibk_buf with = {0};
    ibk_err err = ibk_buf_append(&with, head, sizeof head);
    if (!err)
        err = ibk_buf_append_span(&with, identity);
    p.with = ibk_buf_span(&with);
    if (!err)
        err = apply(out, s, &p, 1);
    ibk_buf_free(&with);
    return err;
}
