#include "mikey/payload.h"

#include <stdlib.h>

static const ibk_payload_ops *const kinds[] = {
    [IBK_PL_KEMAC] = &ibk_ops_kemac, [IBK_PL_PKE] = &ibk_ops_pke,
    [IBK_PL_DH] = &ibk_ops_dh,       [IBK_PL_SIGN] = &ibk_ops_sign,
    [IBK_PL_T] = &ibk_ops_t,         [IBK_PL_ID] = &ibk_ops_id,
    [IBK_PL_CERT] = &ibk_ops_cert,   [IBK_PL_CHASH] = &ibk_ops_chash,
    [IBK_PL_V] = &ibk_ops_v,         [IBK_PL_SP] = &ibk_ops_sp,
    [IBK_PL_RAND] = &ibk_ops_rand,   [IBK_PL_ERR] = &ibk_ops_err,
    [IBK_PL_TR] = &ibk_ops_tr,       [IBK_PL_IDR] = &ibk_ops_idr,
    [IBK_PL_RANDR] = &ibk_ops_randr, [IBK_PL_KEY_DATA] = &ibk_ops_key_data,
    [IBK_PL_EXT] = &ibk_ops_ext,     [IBK_PL_IBAKE] = &ibk_ops_ibake,
    [IBK_PL_ESK] = &ibk_ops_esk,     [IBK_PL_SK] = &ibk_ops_sk,
    [IBK_PL_ECCPT] = &ibk_ops_eccpt,
};

const ibk_payload_ops *ibk_payload_ops_of(uint8_t type) {
    return type < sizeof kinds / sizeof kinds[0] ? kinds[type] : NULL;
}

void ibk_chain_free(ibk_chain *chain) {
    if (!chain)
        return;
    free(chain->items);
    *chain = (ibk_chain){0};
}

/* Room for one more payload. */
static ibk_err grow(ibk_chain *chain) {
    if (chain->count >= IBK_CHAIN_MAX)
        return IBK_ERR_LIMIT;
    if (chain->count < chain->cap)
        return IBK_OK;
    size_t cap = chain->cap ? chain->cap * 2 : 16;
    ibk_payload *items = realloc(chain->items, cap * sizeof *items);
    if (!items)
        return IBK_ERR_NO_MEMORY;
    chain->items = items;
    chain->cap = cap;
    return IBK_OK;
}

void ibk_chain_add(ibk_chain *chain, const ibk_payload *payload) {
    if (chain->err)
        return;
    chain->err = grow(chain);
    if (!chain->err)
        chain->items[chain->count++] = *payload;
}

/* One payload of type `type` at the cursor. */
static ibk_err read_one(ibk_payload *out, uint8_t *next, ibk_rd *rd, uint8_t type, unsigned place,
                        ibk_diag *diag) {
    const ibk_payload_ops *ops = ibk_payload_ops_of(type);
    if (!ops)
        return ibk_fail(diag, IBK_ERR_BAD_TYPE, "next payload", rd->pos, "payload type %u", type);
    if (!(ops->places & place))
        return ibk_fail(diag, IBK_ERR_BAD_CHAIN, ops->name, rd->pos, "must not stand here");
    *out = (ibk_payload){.type = type, .offset = rd->pos};
    ibk_err err = ops->parse(rd, out, next);
    if (err)
        return ibk_rd_fail(rd, err, ops->name, 0, diag);
    out->octets = ibk_rd_since(rd, out->offset);
    if (ops->closes && *next != IBK_PL_LAST) // RFC 3830 §5.2: its next payload is Last
        return ibk_fail(diag, IBK_ERR_BAD_CHAIN, ops->name, out->offset, "payload %u follows", *next);
    return IBK_OK;
}

static ibk_err read_all(ibk_chain *chain, ibk_rd *rd, uint8_t first, unsigned place, ibk_diag *diag) {
    uint8_t type = first;
    while (type != IBK_PL_LAST) {
        ibk_err err = grow(chain);
        if (err)
            return ibk_fail(diag, err, "next payload", rd->pos, "at most %d payloads", IBK_CHAIN_MAX);
        err = read_one(&chain->items[chain->count], &type, rd, type, place, diag);
        if (err)
            return err;
        chain->count++;
    }
    return IBK_OK;
}

ibk_err ibk_chain_read(ibk_chain *chain, ibk_rd *rd, uint8_t first, unsigned place, ibk_diag *diag) {
    ibk_err err = read_all(chain, rd, first, place, diag);
    if (err)
        ibk_chain_free(chain);
    return err;
}

/* The zero padding of AES key wrap: at most 7 octets after the chain (or, up to the least length of 16, after
 * a shorter one). */
static ibk_err read_padding(ibk_chain *chain, ibk_rd *rd, ibk_diag *diag) {
    size_t at = rd->pos;
    bool is_padded = rd->len % 8 == 0 && rd->len >= 16 && (ibk_rd_left(rd) < 8 || rd->len == 16);
    if (!is_padded)
        return ibk_fail(diag, IBK_ERR_TRAILING, "KEMAC", at, "%zu octets", ibk_rd_left(rd));
    uint8_t octet;
    chain->padding = ibk_rd_left(rd);
    while (ibk_rd_u8(rd, &octet))
        if (octet != 0)
            return ibk_fail(diag, IBK_ERR_BAD_PADDING, "KEMAC", at, "%zu octets follow, not all zero",
                            rd->len - at);
    return IBK_OK;
}

ibk_err ibk_chain_parse(ibk_chain *out, uint8_t container, uint8_t first, ibk_span in, ibk_diag *diag) {
    *out = (ibk_chain){0};
    unsigned place = container == IBK_PL_IBAKE   ? IBK_PLACE_IN_IBAKE
                     : container == IBK_PL_ESK   ? IBK_PLACE_IN_ESK
                     : container == IBK_PL_KEMAC ? IBK_PLACE_IN_KEMAC
                                                 : 0;
    if (!place)
        return ibk_fail(diag, IBK_ERR_USAGE, NULL, 0, "payload %u has no content", container);
    if (in.len > IBK_INNER_MAX)
        return ibk_fail(diag, IBK_ERR_LIMIT, ibk_payload_name(container), 0, "%zu octets", in.len);
    ibk_rd rd;
    ibk_rd_init(&rd, in);
    ibk_err err = ibk_chain_read(out, &rd, first, place, diag);
    if (!err && !ibk_rd_at_end(&rd))
        err = container == IBK_PL_KEMAC ? read_padding(out, &rd, diag)
                                        : ibk_fail(diag, IBK_ERR_TRAILING, ibk_payload_name(container),
                                                   rd.pos, "%zu octets", ibk_rd_left(&rd));
    if (err)
        ibk_chain_free(out);
    return err;
}

uint8_t ibk_chain_first(const ibk_chain *chain) {
    return chain->count ? chain->items[0].type : IBK_PL_LAST;
}

void ibk_chain_put(ibk_wr *wr, const ibk_chain *chain) {
    if (chain->err)
        ibk_wr_fail(wr, chain->err);
    for (size_t i = 0; i < chain->count && !wr->err; i++) {
        const ibk_payload *p = &chain->items[i];
        bool is_last = i + 1 == chain->count;
        const ibk_payload_ops *ops = ibk_payload_ops_of(p->type);
        if (!ops || (ops->closes && !is_last))
            ibk_wr_fail(wr, IBK_ERR_USAGE);
        else
            ops->write(wr, p, is_last ? IBK_PL_LAST : chain->items[i + 1].type);
    }
}

ibk_err ibk_chain_write(const ibk_chain *chain, ibk_buf *out) {
    ibk_wr wr;
    ibk_wr_init(&wr, out);
    ibk_chain_put(&wr, chain);
    ibk_wr_zeros(&wr, chain->padding);
    return ibk_wr_finish(&wr);
}

const ibk_payload *ibk_chain_find(const ibk_chain *chain, uint8_t type, size_t nth) {
    for (size_t i = 0; i < chain->count; i++)
        if (chain->items[i].type == type && nth-- == 0)
            return &chain->items[i];
    return NULL;
}

size_t ibk_chain_count(const ibk_chain *chain, uint8_t type) {
    size_t n = 0;
    for (size_t i = 0; i < chain->count; i++)
        n += chain->items[i].type == type;
    return n;
}

const ibk_payload *ibk_chain_find_idr(const ibk_chain *chain, uint8_t role, size_t nth) {
    for (size_t i = 0; i < chain->count; i++)
        if (chain->items[i].type == IBK_PL_IDR && chain->items[i].id.role == role && nth-- == 0)
            return &chain->items[i];
    return NULL;
}
