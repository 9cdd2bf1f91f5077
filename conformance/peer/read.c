#include "peer/read.h"

#include "peer/curve.h"

#include <string.h>

static void skip_kv(px_cursor *c, unsigned kv, bool *known) {
    if (kv == 1) {
        px_take(c, px_take8(c)); /* SPI or MKI */
    } else if (kv == 2) {
        px_take(c, px_take8(c)); /* from … */
        px_take(c, px_take8(c)); /* … to */
    } else if (kv != 0) {
        *known = false;
    }
}

/* Key data (RFC 3830 §6.13) or SK (RFC 6267 §6.1.5), whose type 1 is another thing. */
static void skip_key(px_cursor *c, bool sk, bool *known) {
    unsigned type_kv = px_take8(c), type = type_kv >> 4;
    px_take(c, px_take16(c));
    if (!sk && (type == 1 || type == 3)) /* TGK+SALT, TEK+SALT */
        px_take(c, px_take16(c));
    skip_kv(c, type_kv & 15, known);
}

static void ignore(void *user, const char *requirement, const char *text) {
    (void)user, (void)requirement, (void)text;
}

const px_reader px_reader_quiet = {.note = ignore};

size_t px_padding_len(px_padding rule, size_t point_len) {
    const size_t before = rule == PX_PADDED ? 2 : 0; /* next payload and curve, RFC 6267 §6.1.4, P-3 */
    return rule == PX_UNPADDED ? 0 : (4 - (before + point_len) % 4) % 4;
}

static void skip_eccpt(px_cursor *c, px_padding padding, bool *known) {
    uint8_t curve = px_take8(c);
    size_t len = px_point_len(curve, c->left ? c->at[0] : 0);
    *known = len > 0;
    if (!*known)
        return;
    px_take(c, len);
    px_take(c, px_padding_len(padding, len));
    px_take8(c);
    px_take16(c);
    skip_kv(c, px_take8(c) & 15, known);
}

static size_t hash_len(uint8_t hash) {
    static const size_t len[] = {20, 16, 32}; /* SHA-1, MD5, SHA-256 */
    return hash < sizeof len / sizeof *len ? len[hash] : 0;
}

static void skip_time(px_cursor *c, bool *known) {
    static const size_t len[] = {8, 8, 4, 4};
    uint8_t type = px_take8(c);
    *known = type < 4;
    if (*known)
        px_take(c, len[type]);
}

static void skip_mac(px_cursor *c, bool *known) {
    size_t len = px_mac_len(px_take8(c));
    *known = len != SIZE_MAX;
    if (*known)
        px_take(c, len);
}

/* Passes over a payload's body. *known becomes false where the payload, or a type in it, has no known length.
 */
static void skip_body(px_cursor *c, uint8_t type, px_padding padding, bool *known) {
    switch (type) {
    case PX_KEMAC:
        px_take8(c);
        px_take(c, px_take16(c));
        skip_mac(c, known);
        break;
    case PX_PKE:
        px_take(c, px_take16(c) & 0x3FFF);
        break;
    case PX_SIGN:
        px_take(c, px_take16(c) & 0x0FFF);
        break;
    case PX_TR:
        px_take8(c);
        skip_time(c, known);
        break;
    case PX_T:
        skip_time(c, known);
        break;
    case PX_CERT:
    case PX_ID:
    case PX_EXT:
        px_take8(c);
        px_take(c, px_take16(c));
        break;
    case PX_CHASH: {
        size_t len = hash_len(px_take8(c));
        *known = len > 0;
        px_take(c, len);
        break;
    }
    case PX_V:
        skip_mac(c, known);
        break;
    case PX_SP:
    case PX_IDR:
        px_take16(c);
        px_take(c, px_take16(c));
        break;
    case PX_RANDR:
        px_take8(c);
        px_take(c, px_take8(c));
        break;
    case PX_RAND:
        px_take(c, px_take8(c));
        break;
    case PX_ERR:
        px_take(c, 3);
        break;
    case PX_KEY:
    case PX_SK:
        skip_key(c, type == PX_SK, known);
        break;
    case PX_IBAKE:
    case PX_ESK:
        px_take(c, px_take16(c));
        break;
    case PX_ECCPT:
        skip_eccpt(c, padding, known);
        break;
    default:
        *known = false;
    }
}

/* `end`: the requirement that a last payload breaks by announcing another; NULL: that of parsing. */
static bool read_parts(const px_reader *r, px_cursor *c, uint8_t type, const char *end, px_chain *chain,
                       ibk_err *err) {
    while (type != PX_LAST && !*err) {
        if (c->left == 0 && chain->n > 0) {
            bool mac = chain->parts[chain->n - 1].type == PX_V;
            r->note(r->user, mac ? "3830-62" : end, "the last payload announces another one");
            return false;
        }
        bool known = true;
        unsigned next = type == PX_SIGN ? PX_LAST : px_take8(c);
        px_cursor start = *c;
        skip_body(c, type, r->padding, &known);
        if (c->over || !known) {
            r->note(r->user, NULL,
                    known ? "a length passes the end of the message"
                          : "a payload, or a type in it, is unknown");
            return false;
        }
        px_part *part = px_add(chain, type);
        px_put(&part->body, start.at, start.left - c->left);
        *err = chain->err ? chain->err : part->body.err;
        if (*err == IBK_ERR_LIMIT) { /* theirs, not ours */
            *err = chain->err = IBK_OK;
            r->note(r->user, NULL, "there are more payloads than a message has");
            return false;
        }
        type = (uint8_t)next;
    }
    if (c->left > 0 && !*err)
        r->note(r->user, NULL, "octets follow the last payload");
    return !*err && c->left == 0;
}

static void read_map(px_cursor *c, const px_draft *d) {
    for (unsigned i = 0; i < d->n_cs && !c->over; i++) {
        if (d->map_type == PX_MAP_SRTP)
            px_take(c, 9);
        if (d->map_type == PX_MAP_GENERIC) {
            px_take16(c);
            px_take(c, px_take8(c) & 0x7F);
            px_take(c, px_take16(c));
            px_take(c, px_take8(c));
        }
    }
}

bool px_read_message(const px_reader *r, ibk_span message, px_draft *d, ibk_err *err) {
    px_cursor c = px_read(message);
    d->version = px_take8(&c);
    d->data_type = px_take8(&c);
    uint8_t first = px_take8(&c);
    d->v_prf = px_take8(&c);
    d->csb_id = px_take32(&c);
    d->n_cs = px_take8(&c);
    d->map_type = px_take8(&c);
    px_cursor map = c;
    read_map(&c, d);
    if (c.over || d->map_type > PX_MAP_GENERIC) {
        r->note(r->user, NULL,
                c.over ? "the message ends inside its header" : "the CS ID map type is unknown");
        return false;
    }
    px_put(&d->map, map.at, map.left - c.left);
    *err = d->map.err;
    return read_parts(r, &c, first, NULL, &d->chain, err);
}

bool px_read_chain(const px_reader *r, ibk_span octets, uint8_t first, const char *end, px_chain *chain,
                   ibk_err *err) {
    px_cursor c = px_read(octets);
    return read_parts(r, &c, first, end, chain, err);
}

bool px_read_eccpt(const px_reader *r, const px_part *part, px_eccpt *out) {
    memset(out, 0, sizeof *out);
    px_cursor c = px_read(px_span(&part->body));
    out->curve = px_take8(&c);
    size_t len = px_point_len(out->curve, c.left ? c.at[0] : 0);
    if (len == 0) {
        r->note(r->user, "P-3", "ECCPT has no point of its curve");
        return false;
    }
    ibk_span point = px_take(&c, len);
    ibk_span padding = px_take(&c, px_padding_len(PX_PADDED, len));
    for (size_t i = 0; i < padding.len; i++)
        if (padding.data[i] != 0) {
            r->note(r->user, "P-3", "the padding of the point is not zero");
            break;
        }
    px_take(&c, 3); /* authentication algorithm and TGK length are ignored, RFC 6267 §6.1.4 */
    unsigned kv = px_take8(&c) & 15;
    if (kv == 1)
        out->mki = px_take(&c, px_take8(&c));
    out->interval = kv == 2;
    if (!c.over && px_point_check(out->curve, point, &out->point) == IBK_OK)
        return true;
    r->note(r->user, "P-3", "the point is not on its curve");
    return false;
}
