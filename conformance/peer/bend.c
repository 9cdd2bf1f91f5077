/* The operations that knobs are made of. */
#include "peer/knob.h"

#include <string.h>

px_part *px_at_place(px_draft *d, px_place place, px_chain **chain, size_t *at) {
    px_chain *in = &d->chain;
    if (place.inside) {
        px_part *outer = px_find(in, place.inside, 0, NULL);
        in = outer ? outer->inside : NULL;
    }
    if (!in)
        return NULL;
    *chain = in;
    return px_find(in, place.type, place.nth, at);
}

static px_part *place_of(px_draft *d, const px_knob *k) {
    px_chain *chain;
    size_t at;
    return px_at_place(d, k->place, &chain, &at);
}

bool px_bend_header(peer *p, px_draft *d, const px_knob *k, px_octets *octets) {
    (void)p, (void)octets;
    uint8_t *const fields[] = {&d->version, &d->data_type, NULL, &d->v_prf};
    uint8_t *field = k->at < 4 ? fields[k->at] : k->at == 8 ? &d->n_cs : k->at == 9 ? &d->map_type : NULL;
    if (!field)
        return false;
    *field ^= (uint8_t)k->value;
    return true;
}

bool px_bend_csb(peer *p, px_draft *d, const px_knob *k, px_octets *octets) {
    (void)p, (void)octets;
    d->csb_id ^= (uint32_t)k->value;
    return true;
}

bool px_bend_drop(peer *p, px_draft *d, const px_knob *k, px_octets *octets) {
    (void)p, (void)octets;
    px_chain *chain;
    size_t at;
    if (!px_at_place(d, k->place, &chain, &at))
        return false;
    px_remove(chain, at);
    return true;
}

static bool copy_before(px_chain *chain, size_t at, size_t from) {
    const px_part *old = &chain->parts[from];
    px_octets body = {0};
    px_put_span(&body, px_span(&old->body));
    px_part *new = px_insert(chain, at, old->type);
    new->body = body;
    return true;
}

bool px_bend_twice(peer *p, px_draft *d, const px_knob *k, px_octets *octets) {
    (void)p, (void)octets;
    px_chain *chain;
    size_t at;
    return px_at_place(d, k->place, &chain, &at) && copy_before(chain, at, at);
}

bool px_bend_first(peer *p, px_draft *d, const px_knob *k, px_octets *octets) {
    (void)p, (void)octets;
    px_chain *chain;
    size_t at;
    if (!px_at_place(d, k->place, &chain, &at) || at == 0)
        return false;
    for (; at > 0; at--)
        px_swap(chain, at - 1, at);
    return true;
}

bool px_bend_swap(peer *p, px_draft *d, const px_knob *k, px_octets *octets) {
    (void)p, (void)octets;
    px_chain *chain;
    size_t at;
    if (!px_at_place(d, k->place, &chain, &at))
        return false;
    size_t other = at + (size_t)k->value; /* a negative value wraps to what is before */
    if (other >= chain->n)
        return false;
    px_swap(chain, at, other);
    return true;
}

/* The octet that `at` means in a body, or SIZE_MAX. */
static size_t index_in(ibk_span body, int at) {
    size_t i = at < 0 ? body.len + (size_t)at : (size_t)at;
    return i < body.len ? i : SIZE_MAX;
}

bool px_bend_octet(peer *p, px_draft *d, const px_knob *k, px_octets *octets) {
    (void)p, (void)octets;
    px_part *part = place_of(d, k);
    size_t i = part ? index_in(px_span(&part->body), k->at) : SIZE_MAX;
    if (i == SIZE_MAX)
        return false;
    part->body.buf.data[i] ^= (uint8_t)k->value;
    return k->value != 0;
}

bool px_bend_set(peer *p, px_draft *d, const px_knob *k, px_octets *octets) {
    (void)p, (void)octets;
    px_part *part = place_of(d, k);
    size_t i = part ? index_in(px_span(&part->body), k->at) : SIZE_MAX;
    if (i == SIZE_MAX || part->body.buf.data[i] == (uint8_t)k->value)
        return false;
    part->body.buf.data[i] = (uint8_t)k->value;
    return true;
}

bool px_bend_next(peer *p, px_draft *d, const px_knob *k, px_octets *octets) {
    (void)p, (void)octets;
    px_part *part = place_of(d, k);
    if (part)
        part->next = k->value;
    return part != NULL;
}

/* Puts `middle` in place of `cut` octets at `at` of a body. */
static bool splice(px_octets *body, size_t at, size_t cut, ibk_span middle) {
    px_octets made = {0};
    ibk_span old = px_span(body);
    if (at > old.len || cut > old.len - at)
        return false;
    px_put(&made, old.data, at);
    px_put_span(&made, middle);
    px_put(&made, old.data + at + cut, old.len - at - cut);
    px_free(body);
    *body = made;
    return true;
}

bool px_bend_grow(peer *p, px_draft *d, const px_knob *k, px_octets *octets) {
    (void)p, (void)octets;
    static const uint8_t zeros[32];
    px_part *part = place_of(d, k);
    if (!part)
        return false;
    size_t len = px_span(&part->body).len, at = k->at < 0 ? len + 1 + (size_t)k->at : (size_t)k->at;
    return splice(&part->body, at, 0, ibk_span_of(zeros, (size_t)k->value));
}

bool px_bend_cut(peer *p, px_draft *d, const px_knob *k, px_octets *octets) {
    (void)p, (void)octets;
    px_part *part = place_of(d, k);
    size_t i = part ? index_in(px_span(&part->body), k->at) : SIZE_MAX;
    return i != SIZE_MAX && splice(&part->body, i, (size_t)k->value, (ibk_span){0});
}

bool px_bend_add(peer *p, px_draft *d, const px_knob *k, px_octets *octets) {
    (void)p, (void)octets;
    /* bodies that are well-formed, by type; an unknown type has some octets */
    static const uint8_t rand[17] = {16, 1}, ext[] = {0, 0, 2, 1, 2}, chash[21] = {0, 1},
                         sp[] = {200, 0, 0, 0}, encr[] = {0, 4, 1, 2, 3, 4}, sk[] = {0x10, 0, 1, 1},
                         kemac[] = {0, 0, 0, 0}, other[] = {1, 2, 3, 4};
    static const struct {
        uint8_t type;
        ibk_span body;
    } known[] = {{PX_RAND, {rand, sizeof rand}},    {PX_EXT, {ext, sizeof ext}},
                 {PX_CHASH, {chash, sizeof chash}}, {PX_SP, {sp, sizeof sp}},
                 {PX_ESK, {encr, sizeof encr}},     {PX_SK, {sk, sizeof sk}},
                 {PX_KEMAC, {kemac, sizeof kemac}}, {PX_IBAKE, {encr, sizeof encr}}};
    px_chain *chain;
    size_t at;
    if (!px_at_place(d, k->place, &chain, &at))
        return false;
    ibk_span body = {other, sizeof other};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (known[i].type == k->at)
            body = known[i].body;
    px_put_span(&px_insert(chain, at + (size_t)k->value, (uint8_t)k->at)->body, body);
    return true;
}

bool px_bend_length16(peer *p, px_draft *d, const px_knob *k, px_octets *octets) {
    (void)p, (void)octets;
    px_part *part = place_of(d, k);
    if (!part || px_span(&part->body).len < (size_t)k->at + 2)
        return false;
    uint8_t *at = part->body.buf.data + k->at;
    unsigned length = ((unsigned)at[0] << 8 | at[1]) + (unsigned)k->value;
    at[0] = (uint8_t)(length >> 8);
    at[1] = (uint8_t)length;
    return true;
}

bool px_bend_tail(peer *p, px_draft *d, const px_knob *k, px_octets *octets) {
    (void)p, (void)d;
    size_t len = px_span(octets).len;
    if (k->value < 0 && len < (size_t)-k->value)
        return false;
    octets->err = ibk_buf_resize(&octets->buf, len + (size_t)k->value);
    return true;
}

bool px_bend_wire(peer *p, px_draft *d, const px_knob *k, px_octets *octets) {
    (void)p, (void)d;
    size_t i = index_in(px_span(octets), k->at);
    if (i == SIZE_MAX)
        return false;
    octets->buf.data[i] ^= (uint8_t)k->value;
    return true;
}
