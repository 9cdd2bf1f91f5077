#include "octets/walk.h"

/* Numbers of RFC 3830 §6.1, RFC 6043 §6.1, RFC 6267 §6.1. */
enum {
    LAST = 0,
    KEMAC = 1,
    PKE = 2,
    DH = 3,
    SIGN = 4,
    T = 5,
    ID = 6,
    CERT = 7,
    CHASH = 8,
    V = 9,
    SP = 10,
    RAND = 11,
    ERR = 12,
    TR = 13,
    IDR = 14,
    RANDR = 15,
    KEY_DATA = 20,
    EXT = 21,
    IBAKE = 22,
    ESK = 23,
    SK = 24,
    ECCPT = 25
};

typedef struct cursor {
    ibk_span in;
    size_t at;
    bool short_of; /* it ended too early */
} cursor;

static size_t number(cursor *c, size_t width) {
    size_t value = 0;
    if (c->short_of || width > c->in.len - c->at) {
        c->short_of = true;
        return 0;
    }
    for (size_t i = 0; i < width; i++)
        value = value << 8 | c->in.data[c->at++];
    return value;
}

static void skip(cursor *c, size_t len) {
    if (c->short_of || len > c->in.len - c->at)
        c->short_of = true;
    else
        c->at += len;
}

/* A length field of `width` octets, of which `bits` count, and what it is about. */
static void counted(cursor *c, walk_piece *p, size_t width, unsigned bits) {
    size_t at = c->at, len = number(c, width) & (((size_t)1 << bits) - 1);
    if (p->len_at == WALK_NONE) {
        p->len_at = at;
        p->len_width = width;
        p->body_at = c->at;
        p->body_len = len;
    }
    skip(c, len);
}

static size_t mac_len(size_t alg) { /* RFC 3830 §6.2, RFC 6043 §6.1.2 */
    return alg == 1 ? 20 : alg == 2 ? 32 : 0;
}

static size_t hash_len(size_t alg) { /* RFC 3830 §6.8, RFC 6043 §6.1.3 */
    return alg == 1 ? 16 : alg == 2 ? 32 : 20;
}

static size_t stamp_len(size_t type) { /* RFC 3830 §6.6, RFC 6043 §6.3 */
    return type <= 1 ? 8 : 4;
}

static size_t dh_len(size_t group) { /* RFC 3830 §6.4 */
    return group == 0 ? 192 : group == 1 ? 96 : 128;
}

static size_t point_len(size_t curve, size_t tag) { /* RFC 6267 §6.1.4, P-3 */
    size_t field = curve == 1 ? 24 : curve == 5 ? 28 : curve == 8 ? 32 : curve == 11 ? 48 : 66;
    return tag == 4 ? 1 + 2 * field : 1 + field;
}

static void validity(cursor *c, walk_piece *p, size_t kv) { /* RFC 3830 §6.14 */
    for (size_t i = 0; i < kv && i < 2; i++)
        counted(c, p, 1, 8);
}

static void key_data(cursor *c, walk_piece *p, bool may_have_salt) {
    size_t type_kv = number(c, 1), type = type_kv >> 4;
    counted(c, p, 2, 16);
    if (may_have_salt && (type == 1 || type == 3 || type == 5))
        counted(c, p, 2, 16);
    validity(c, p, type_kv & 15);
}

static void eccpt(cursor *c, walk_piece *p) {
    size_t curve = number(c, 1), at = c->at;
    size_t len = point_len(curve, number(c, 1));
    c->at = c->short_of ? c->at : at;
    skip(c, len + (4 - (2 + len) % 4) % 4);
    skip(c, 3);
    validity(c, p, number(c, 1) & 15);
}

/* All of a payload behind its next-payload octet. False: a type without a layout here. */
static bool payload(cursor *c, walk_piece *p) {
    switch (p->type) {
    case KEMAC:
        skip(c, 1);
        counted(c, p, 2, 16);
        skip(c, mac_len(number(c, 1)));
        return true;
    case PKE:
        counted(c, p, 2, 14);
        return true;
    case DH:
        skip(c, dh_len(number(c, 1)));
        validity(c, p, number(c, 1) & 15);
        return true;
    case SIGN:
        counted(c, p, 2, 12);
        return true;
    case T:
        skip(c, stamp_len(number(c, 1)));
        return true;
    case TR:
        skip(c, 1);
        skip(c, stamp_len(number(c, 1)));
        return true;
    case ID:
    case CERT:
    case EXT:
        skip(c, 1);
        counted(c, p, 2, 16);
        return true;
    case CHASH:
        skip(c, hash_len(number(c, 1)));
        return true;
    case V:
        skip(c, mac_len(number(c, 1)));
        return true;
    case SP:
    case IDR:
        skip(c, 2);
        counted(c, p, 2, 16);
        return true;
    case RAND:
        counted(c, p, 1, 8);
        return true;
    case RANDR:
        skip(c, 1);
        counted(c, p, 1, 8);
        return true;
    case ERR:
        skip(c, 3);
        return true;
    case KEY_DATA:
    case SK:
        key_data(c, p, p->type == KEY_DATA);
        return true;
    case IBAKE:
    case ESK:
        counted(c, p, 2, 16);
        return true;
    case ECCPT:
        eccpt(c, p);
        return true;
    default:
        return false;
    }
}

static void chain(walk *out, cursor *c, size_t first) {
    size_t type = first;
    while (type != LAST && out->count < WALK_MAX) {
        walk_piece *p = &out->items[out->count];
        *p = (walk_piece){.type = (uint8_t)type, .at = c->at, .next_at = WALK_NONE, .len_at = WALK_NONE};
        type = LAST;
        if (p->type != SIGN) {
            p->next_at = c->at;
            type = number(c, 1);
        }
        if (!payload(c, p) || c->short_of)
            return;
        p->len = c->at - p->at;
        if (p->len_at == WALK_NONE) {
            p->body_at = p->at + 1;
            p->body_len = p->len - 1;
        }
        out->count++;
    }
    out->whole = type == LAST && c->at == c->in.len;
}

/* One crypto session: RFC 3830 §6.1.1, RFC 4563 §5, RFC 6043 §6.1.1. */
static void session(cursor *c, size_t type) {
    if (type == 0) {
        skip(c, 9);
    } else if (type == 2) {
        skip(c, 2);
        skip(c, number(c, 1) & 0x7F);
        skip(c, number(c, 2));
        skip(c, number(c, 1));
    }
}

static void map(cursor *c, size_t type, size_t entries) {
    for (size_t i = 0; i < entries && !c->short_of; i++)
        session(c, type);
}

bool walk_session(ibk_span message, size_t nth, size_t *at, size_t *len) {
    cursor c = {.in = message, .at = WALK_HDR_MIN};
    if (message.len < WALK_HDR_MIN || nth >= message.data[WALK_HDR_CS])
        return false;
    map(&c, message.data[WALK_HDR_MAP], nth);
    *at = c.at;
    session(&c, message.data[WALK_HDR_MAP]);
    *len = c.at - *at;
    return !c.short_of;
}

bool walk_message(walk *out, ibk_span message) {
    cursor c = {.in = message};
    *out = (walk){0};
    skip(&c, WALK_HDR_NEXT);
    size_t first = number(&c, 1);
    skip(&c, 5);
    size_t entries = number(&c, 1), type = number(&c, 1);
    map(&c, type, entries);
    if (c.short_of)
        return false;
    out->head_len = c.at;
    chain(out, &c, first);
    return true;
}

void walk_content(walk *out, uint8_t first, ibk_span content) {
    cursor c = {.in = content};
    *out = (walk){0};
    chain(out, &c, first);
}

size_t walk_choice_len(uint8_t type, uint8_t number) {
    switch (type) {
    case KEMAC:
    case V:
        return mac_len(number);
    case T:
    case TR:
        return stamp_len(number);
    case CHASH:
        return hash_len(number);
    default:
        return dh_len(number);
    }
}

bool walk_choice_of(walk_choice *out, ibk_span all, const walk_piece *piece) {
    switch (piece->type) {
    case KEMAC:
        out->at = piece->body_at + piece->body_len;
        break;
    case V:
    case T:
    case CHASH:
    case DH:
        out->at = piece->at + 1;
        break;
    case TR:
        out->at = piece->at + 2;
        break;
    default:
        return false;
    }
    out->len = walk_choice_len(piece->type, all.data[out->at]);
    return true;
}

ibk_span walk_octets(ibk_span all, const walk_piece *piece) {
    return ibk_span_of(all.data + piece->at, piece->len);
}

ibk_span walk_body(ibk_span all, const walk_piece *piece) {
    return ibk_span_of(all.data + piece->body_at, piece->body_len);
}

const walk_piece *walk_find(const walk *w, uint8_t type, size_t nth) {
    for (size_t i = 0; i < w->count; i++)
        if (w->items[i].type == type && nth-- == 0)
            return &w->items[i];
    return NULL;
}

size_t walk_count(const walk *w, uint8_t type) {
    size_t n = 0;
    for (size_t i = 0; i < w->count; i++)
        n += w->items[i].type == type;
    return n;
}
