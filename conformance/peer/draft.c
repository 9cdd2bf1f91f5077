#include "peer/draft.h"

#include <stdlib.h>
#include <string.h>

const char *px_kind_name(px_kind kind) {
    static const char *const names[PX_KINDS] = {[PX_I1] = "i-message-1",
                                                [PX_R1] = "r-message-1",
                                                [PX_I2] = "i-message-2",
                                                [PX_R2] = "r-message-2",
                                                [PX_R1D] = "mailbox-r-message-1",
                                                [PX_I2D] = "deferred-i-message-2",
                                                [PX_R2D] = "mailbox-r-message-2",
                                                [PX_U1] = "update-i-message-1",
                                                [PX_U2] = "update-r-message-1",
                                                [PX_QPSK] = "request-key-psk",
                                                [PX_QPKE] = "request-key-pke",
                                                [PX_RESP] = "request-key-resp",
                                                [PX_ERROR] = "error",
                                                [PX_SDP] = "sdp"};
    return kind < PX_KINDS ? names[kind] : "?";
}

uint8_t px_data_type(px_kind kind) {
    static const uint8_t types[PX_KINDS] = {
        [PX_I1] = 22,   [PX_R1] = 23,   [PX_I2] = 24,  [PX_R2] = 25, [PX_R1D] = 23,
        [PX_I2D] = 24,  [PX_R2D] = 25,  [PX_U1] = 22,  [PX_U2] = 23, [PX_QPSK] = 19,
        [PX_QPKE] = 20, [PX_RESP] = 21, [PX_ERROR] = 6};
    return kind < PX_KINDS ? types[kind] : 0;
}

/* ---- chains ------------------------------------------------------------------------------------------ */

static void part_free(px_part *part) {
    px_free(&part->body);
    px_free(&part->to);
    if (part->inside)
        px_chain_free(part->inside);
    free(part->inside);
    memset(part, 0, sizeof *part);
}

px_part *px_insert(px_chain *chain, size_t at, uint8_t type) {
    px_part *part = &chain->parts[PX_CHAIN_MAX];
    if (chain->n == PX_CHAIN_MAX) {
        chain->err = IBK_ERR_LIMIT;
        part_free(part);
    } else {
        at = at < chain->n ? at : chain->n;
        part = &chain->parts[at];
        memmove(part + 1, part, (chain->n++ - at) * sizeof *part);
        memset(part, 0, sizeof *part);
    }
    part->type = type;
    part->next = PX_FOLLOWS;
    return part;
}

px_part *px_add(px_chain *chain, uint8_t type) {
    return px_insert(chain, chain->n, type);
}

void px_remove(px_chain *chain, size_t at) {
    px_part *part = &chain->parts[at];
    part_free(part);
    memmove(part, part + 1, (--chain->n - at) * sizeof *part);
    memset(&chain->parts[chain->n], 0, sizeof *part);
}

void px_swap(px_chain *chain, size_t a, size_t b) {
    px_part kept = chain->parts[a];
    chain->parts[a] = chain->parts[b];
    chain->parts[b] = kept;
}

px_part *px_find(const px_chain *chain, uint8_t type, int nth, size_t *at) {
    const px_part *found = NULL;
    for (size_t i = 0; i < chain->n; i++) {
        if (chain->parts[i].type != type)
            continue;
        found = &chain->parts[i];
        if (at)
            *at = i;
        if (nth-- == 0)
            return (px_part *)found;
    }
    return nth < -1 ? (px_part *)found : NULL; /* the last was asked for */
}

size_t px_count(const px_chain *chain, uint8_t type) {
    size_t n = 0;
    for (size_t i = 0; i < chain->n; i++)
        n += chain->parts[i].type == type;
    return n;
}

px_part *px_find_id(const px_chain *chain, uint8_t role, int nth) {
    uint8_t got;
    peer_id id;
    for (size_t i = 0; i < chain->n; i++)
        if (px_idr_read(&chain->parts[i], &got, &id) && got == role && nth-- == 0)
            return (px_part *)&chain->parts[i];
    return NULL;
}

px_chain *px_within(px_part *part) {
    if (!part->inside)
        part->inside = calloc(1, sizeof *part->inside);
    return part->inside;
}

uint8_t px_first_type(const px_chain *chain) {
    return chain->n ? chain->parts[0].type : PX_LAST;
}

ibk_err px_chain_encode(const px_chain *chain, px_octets *out) {
    for (size_t i = 0; i < chain->n; i++) {
        const px_part *part = &chain->parts[i];
        uint8_t follows = i + 1 < chain->n ? chain->parts[i + 1].type : PX_LAST;
        if (part->type != PX_SIGN)
            px_put8(out, part->next == PX_FOLLOWS ? follows : (unsigned)part->next);
        px_put_span(out, px_span(&part->body));
        if (part->body.err && !out->err)
            out->err = part->body.err;
    }
    return chain->err ? chain->err : out->err;
}

void px_chain_free(px_chain *chain) {
    for (size_t i = 0; i <= PX_CHAIN_MAX; i++)
        part_free(&chain->parts[i]);
    chain->n = 0;
    chain->err = IBK_OK;
}

/* ---- drafts ------------------------------------------------------------------------------------------ */

px_draft *px_draft_new(px_kind kind) {
    px_draft *d = calloc(1, sizeof *d);
    if (!d)
        return NULL;
    d->kind = kind;
    d->version = 1;
    d->data_type = px_data_type(kind);
    d->next = PX_FOLLOWS;
    d->recipe.mpk_constant = PX_LABEL_MPK;
    d->recipe.auth_constant = PX_LABEL_AUTH;
    d->recipe.encr_constant = PX_LABEL_ENCR;
    d->recipe.salt_constant = PX_LABEL_SALT;
    d->recipe.mpk_csb_id = 0xFFFFFFFF;
    d->recipe.mpk_cs_id = d->recipe.cs_id = 0xFF;
    return d;
}

void px_draft_free(px_draft *d) {
    if (!d)
        return;
    px_free(&d->map);
    px_free(&d->covered);
    px_free(&d->recipe.secret);
    px_free(&d->recipe.rand);
    px_chain_free(&d->chain);
    free(d);
}

ibk_err px_draft_encode(const px_draft *d, px_octets *out) {
    px_put8(out, d->version);
    px_put8(out, d->data_type);
    px_put8(out, d->next == PX_FOLLOWS ? px_first_type(&d->chain) : (unsigned)d->next);
    px_put8(out, d->v_prf);
    px_put32(out, d->csb_id);
    px_put8(out, d->n_cs);
    px_put8(out, d->map_type);
    px_put_span(out, px_span(&d->map));
    return px_chain_encode(&d->chain, out);
}

/* ---- bodies ------------------------------------------------------------------------------------------ */

void px_idr(px_octets *body, uint8_t role, peer_id id) {
    px_put8(body, role);
    px_put8(body, id.type);
    px_put16(body, (unsigned)id.data.len);
    px_put_span(body, id.data);
}

bool px_idr_read(const px_part *part, uint8_t *role, peer_id *id) {
    if (part->type != PX_IDR)
        return false;
    px_cursor c = px_read(px_span(&part->body));
    *role = px_take8(&c);
    id->type = px_take8(&c);
    id->data = px_take(&c, px_take16(&c));
    return !c.over && c.left == 0;
}

ibk_span px_id_data(const px_part *part) {
    uint8_t role;
    peer_id id = {0};
    return part && px_idr_read(part, &role, &id) ? id.data : (ibk_span){0};
}
