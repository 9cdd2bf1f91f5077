#include "octets/edit.h"

#include <string.h>

enum { KEMAC = 1, T = 5, V = 9, IDR = 14, IBAKE = 22, ESK = 23, MESSAGE_MAX = 1 << 17 };

static const uint8_t types[] = {1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11,   12,
                                13, 14, 15, 20, 21, 22, 23, 24, 25, 16, 0x7F, 0xFF};
static const uint32_t edges[] = {0,      1,      2,       15,         16,         17,         19,
                                 20,     31,     32,      33,         127,        128,        255,
                                 256,    0x0FFF, 0x1000,  0x3FFF,     0x4000,     0x7FFF,     0x8000,
                                 0xFFFE, 0xFFFF, 0x10000, 0x7FFFFFFF, 0x80000000, 0xFFFFFFFE, 0xFFFFFFFF};

static uint32_t edge(uint8_t i) {
    return edges[i % (sizeof edges / sizeof edges[0])];
}

/* ---- a chain as a list -----------------------------------------------------------------------------------
 */

typedef struct part {
    uint8_t type;
    ibk_span octets;
} part;

enum { PARTS_MAX = 2 * WALK_MAX };

typedef struct parts {
    part items[PARTS_MAX];
    size_t count;
} parts;

static void insert(parts *list, size_t at, part p) {
    if (list->count >= PARTS_MAX)
        return;
    at = at > list->count ? list->count : at;
    memmove(&list->items[at + 1], &list->items[at], (list->count - at) * sizeof p);
    list->items[at] = p;
    list->count++;
}

static void take_out(parts *list, size_t at) {
    memmove(&list->items[at], &list->items[at + 1], (list->count - at - 1) * sizeof list->items[0]);
    list->count--;
}

static parts list_of(const walk *w, ibk_span all) {
    parts list = {0};
    for (size_t i = 0; i < w->count; i++)
        list.items[list.count++] = (part){w->items[i].type, walk_octets(all, &w->items[i])};
    return list;
}

/* Writes the list back behind the header, each payload naming the one after it, then what was not walked. */
static void write_back(ibk_buf *out, const walk *w, ibk_span all, const parts *list) {
    ibk_buf made = {0};
    size_t end = w->count ? w->items[w->count - 1].at + w->items[w->count - 1].len : w->head_len;
    ibk_err err = ibk_buf_append(&made, all.data, w->head_len);
    if (w->head_len > 0 && !err)
        made.data[WALK_HDR_NEXT] = list->count ? list->items[0].type : 0;
    for (size_t i = 0; i < list->count && !err; i++) {
        size_t at = made.len;
        err = ibk_buf_append_span(&made, list->items[i].octets);
        if (!err && list->items[i].type != 4 && made.len > at)
            made.data[at] = i + 1 < list->count ? list->items[i + 1].type : 0;
    }
    if (!err && all.len > end)
        err = ibk_buf_append(&made, all.data + end, all.len - end);
    if (err || made.len > MESSAGE_MAX) {
        ibk_buf_free(&made);
        return;
    }
    ibk_buf_free(out);
    *out = made;
}

/* A payload of `type` with the least that its layout wants, in `room`. */
static ibk_span fresh(uint8_t type, uint8_t fill, uint8_t room[64]) {
    memset(room, fill, 64);
    room[0] = 0;
    size_t len = 4;
    switch (type) {
    case T: /* NTP-UTC-32 */
        room[1] = 3;
        len = 6;
        break;
    case V: /* NULL */
        room[1] = 0;
        len = 2;
        break;
    case 11: /* RAND */
        room[1] = 16;
        len = 18;
        break;
    case IBAKE:
    case ESK:
        memcpy(room + 1, (const uint8_t[]){0, 8}, 2);
        len = 11;
        break;
    case 10: /* SP, IDR: two octets, then a length */
    case IDR:
        memcpy(room + 3, (const uint8_t[]){0, 4}, 2);
        len = 9;
        break;
    case 6: /* ID, CERT, General Extension: one octet, then a length */
    case 7:
    case 21:
        memcpy(room + 2, (const uint8_t[]){0, 4}, 2);
        len = 8;
        break;
    case KEMAC: /* NULL, no data, NULL */
        memset(room + 1, 0, 4);
        len = 5;
        break;
    default: /* ERR fits; of others the first octets */
        break;
    }
    return ibk_span_of(room, len);
}

static void edit_list(ibk_buf *out, const walk *w, edit e, const edit_keys *keys) {
    ibk_span all = ibk_buf_span(out);
    parts list = list_of(w, all);
    uint8_t room[64];
    size_t a = list.count ? e.a % list.count : 0, b = e.b % (list.count + 1);
    walk donor;
    switch (e.op) {
    case EDIT_DELETE:
        if (list.count)
            take_out(&list, a);
        break;
    case EDIT_DUPLICATE:
        if (list.count)
            insert(&list, b, list.items[a]);
        break;
    case EDIT_SWAP:
        if (list.count) {
            part p = list.items[a];
            list.items[a] = list.items[e.b % list.count];
            list.items[e.b % list.count] = p;
        }
        break;
    case EDIT_SPLICE:
        if (!walk_message(&donor, keys->donor) || donor.count == 0)
            return;
        const walk_piece *piece = &donor.items[e.a % donor.count];
        insert(&list, b, (part){piece->type, walk_octets(keys->donor, piece)});
        break;
    default: { /* EDIT_INSERT */
        uint8_t type = types[e.a % sizeof types];
        insert(&list, b, (part){type, fresh(type, e.c, room)});
    }
    }
    write_back(out, w, all, &list);
}

/* ---- one payload
 * ------------------------------------------------------------------------------------------- */

static void put_number(ibk_buf *out, size_t at, size_t width, uint64_t value) {
    for (size_t i = width; i-- > 0; value >>= 8)
        if (at + i < out->len)
            out->data[at + i] = (uint8_t)value;
}

/* The `had` octets at `at` become `want` octets: cut, or filled. */
static bool fit(ibk_buf *out, size_t at, size_t had, size_t want, uint8_t fill) {
    ibk_buf made = {0};
    size_t kept = want < had ? want : had;
    if (at + had > out->len)
        return false;
    ibk_err err = ibk_buf_append(&made, out->data, at + kept);
    size_t from = made.len;
    err = err ? err : ibk_buf_resize(&made, from + want - kept);
    if (!err && made.len > from)
        memset(made.data + from, fill, made.len - from);
    err = err ? err : ibk_buf_append(&made, out->data + at + had, out->len - at - had);
    if (err) {
        ibk_buf_free(&made);
        return false;
    }
    ibk_buf_free(out);
    *out = made;
    return true;
}

static void resize(ibk_buf *out, const walk_piece *p, edit e) {
    if (p->len_at != WALK_NONE && fit(out, p->body_at, p->body_len, e.b, e.c))
        put_number(out, p->len_at, p->len_width, e.b);
}

static void vary(ibk_buf *out, const walk_piece *p, edit e) {
    walk_choice choice;
    if (walk_choice_of(&choice, ibk_buf_span(out), p) &&
        fit(out, choice.at + 1, choice.len, walk_choice_len(p->type, e.b), e.c))
        out->data[choice.at] = e.b;
}

/* RFC 3830 §6.6: seconds since 1900; a COUNTER is left to the other edits. */
static void set_time(ibk_buf *out, const walk *w, edit e, int64_t utc_ns) {
    static const int64_t offsets_s[] = {0, 1, -1, 60, -60, 299, -299, 301, -301, 86400, -86400, 0x7FFFFFFF};
    const walk_piece *t = walk_find(w, T, 0);
    if (!t || t->len < 6)
        return;
    int64_t s =
        utc_ns / 1000000000 + INT64_C(2208988800) + offsets_s[e.a % (sizeof offsets_s / sizeof offsets_s[0])];
    if (out->data[t->at + 1] != 2)
        put_number(out, t->at + 2, 4, (uint64_t)s);
}

static void edit_one(ibk_buf *out, const walk *w, edit e, const edit_keys *keys) {
    const walk_piece *p = w->count ? &w->items[e.a % w->count] : NULL;
    if (e.op == EDIT_NEXT && (!p || e.a == 255)) {
        if (w->head_len > 0)
            out->data[WALK_HDR_NEXT] = e.b;
    } else if (e.op == EDIT_TIME) {
        set_time(out, w, e, keys->utc_ns);
    } else if (p && e.op == EDIT_NEXT) {
        if (p->next_at != WALK_NONE)
            out->data[p->next_at] = e.b;
    } else if (p && e.op == EDIT_EDGE) {
        size_t at = p->at + e.b % p->len, width = e.c >= 0xC0 ? 4 : e.c >= 0x80 ? 2 : 1;
        put_number(out, at, width, edge(e.c));
    } else if (p && e.op == EDIT_LENGTH && p->len_at != WALK_NONE) {
        put_number(out, p->len_at, p->len_width, edge(e.c));
    } else if (p && e.op == EDIT_RESIZE) {
        resize(out, p, e);
    } else if (p && e.op == EDIT_VARIETY) {
        vary(out, p, e);
    }
}

/* The octet in which the copy of a crypto session is another one: SSRC, or CS ID. */
static size_t distinct_at(const ibk_buf *out) {
    return out->data[WALK_HDR_MAP] == 0 ? 4 : 0;
}

static void copy_session(ibk_buf *out, const walk *w, edit e, size_t at, size_t len) {
    ibk_buf made = {0};
    size_t end = w->head_len;
    ibk_err err = ibk_buf_append(&made, out->data, end);
    err = err ? err : ibk_buf_append(&made, out->data + at, len);
    err = err ? err : ibk_buf_append(&made, out->data + end, out->len - end);
    if (err) {
        ibk_buf_free(&made);
        return;
    }
    if (len > 0)
        made.data[end + distinct_at(out)] ^= e.c;
    made.data[WALK_HDR_CS]++;
    ibk_buf_free(out);
    *out = made;
}

static void edit_session(ibk_buf *out, const walk *w, edit e) {
    size_t at, len, n = w->head_len > 0 ? out->data[WALK_HDR_CS] : 0;
    if (n == 0 || !walk_session(ibk_buf_span(out), e.a % n, &at, &len))
        return;
    if (e.b % 3 == 0 && fit(out, at, len, 0, 0)) {
        out->data[WALK_HDR_CS]--;
    } else if (e.b % 3 == 1 && n < 255) {
        copy_session(out, w, e, at, len);
    } else if (e.b % 3 == 2 && len > 0) {
        size_t policy = out->data[WALK_HDR_MAP] == 0 ? at : at + 3;
        if (policy == at || (out->data[at + 2] & 0x7F) > 0)
            out->data[policy] = e.c;
    }
}

static void edit_octets(ibk_buf *out, edit e) {
    size_t n = (size_t)e.a << 8 | e.b;
    if (e.op == EDIT_OCTET && out->len > 0) {
        out->data[n % out->len] ^= e.c;
    } else if (e.op == EDIT_CUT && n > 0 && out->len > 0) {
        (void)ibk_buf_resize(out, out->len - n % out->len);
    } else if (e.op == EDIT_CUT) {
        size_t from = out->len;
        if (e.c > 0 && from < MESSAGE_MAX && !ibk_buf_resize(out, from + e.c))
            memset(out->data + from, e.c, e.c);
    }
}

static void edit_walked(ibk_buf *out, const walk *w, edit e, const edit_keys *keys) {
    switch (e.op) {
    case EDIT_OCTET:
    case EDIT_CUT:
        edit_octets(out, e);
        return;
    case EDIT_DELETE:
    case EDIT_DUPLICATE:
    case EDIT_SWAP:
    case EDIT_SPLICE:
    case EDIT_INSERT:
        edit_list(out, w, e, keys);
        return;
    case EDIT_SESSION:
        edit_session(out, w, e);
        return;
    default:
        edit_one(out, w, e, keys);
    }
}

void edit_content(ibk_buf *content, uint8_t first, edit e, const edit_keys *keys) {
    walk w;
    walk_content(&w, first, ibk_buf_span(content));
    e.op %= EDIT_OPS;
    edit_walked(content, &w, e, keys);
}

/* ---- behind the encryption and the MAC
 * ------------------------------------------------------------------------ */

/* Puts `body` in the place of a payload's body, with its length field right. */
static void replace_body(ibk_buf *out, const walk_piece *p, ibk_span body) {
    ibk_buf made = {0};
    size_t end = p->body_at + p->body_len;
    ibk_err err = ibk_buf_append(&made, out->data, p->body_at);
    err = err ? err : ibk_buf_append_span(&made, body);
    err = err ? err : ibk_buf_append(&made, out->data + end, out->len - end);
    if (err || p->len_at == WALK_NONE || body.len > 0xFFFF) {
        ibk_buf_free(&made);
        return;
    }
    put_number(&made, p->len_at, p->len_width, body.len);
    ibk_buf_free(out);
    *out = made;
}

static void edit_inside(ibk_buf *message, const walk *w, edit e, const edit_keys *keys) {
    uint8_t type = e.op & EDIT_ESK ? ESK : e.op & EDIT_KEMAC ? KEMAC : IBAKE;
    const walk_piece *p = walk_find(w, type, 0);
    ibk_buf plain = {0}, whose = {0}, cipher = {0};
    ibk_span all = ibk_buf_span(message);
    e.op = (e.op & 0x1F) % EDIT_OPS;
    if (p && keys->open && keys->seal &&
        keys->open(keys->user, all, type, walk_body(all, p), &plain, &whose)) {
        edit_content(&plain, IDR, e, keys);
        if (keys->seal(keys->user, all, type, ibk_buf_span(&whose), ibk_buf_span(&plain), &cipher))
            replace_body(message, p, ibk_buf_span(&cipher));
    }
    ibk_buf_free(&plain);
    ibk_buf_free(&whose);
    ibk_buf_free(&cipher);
}

static void edit_mac(ibk_buf *message, const walk *w, const edit_keys *keys) {
    const walk_piece *v = walk_find(w, V, 0);
    uint8_t mac[32];
    if (v && v->len > 2 && keys->mac && keys->mac(keys->user, ibk_buf_span(message), mac, v->len - 2))
        memcpy(message->data + v->at + 2, mac, v->len - 2);
}

void edit_apply(ibk_buf *message, edit e, const edit_keys *keys) {
    walk w;
    bool whole_header = walk_message(&w, ibk_buf_span(message));
    if (!(e.op & EDIT_INSIDE))
        e.op %= EDIT_OPS;
    if (!whole_header)
        edit_octets(message, e);
    else if (e.op & EDIT_INSIDE)
        edit_inside(message, &w, e, keys);
    else if (e.op == EDIT_MAC)
        edit_mac(message, &w, keys);
    else
        edit_walked(message, &w, e, keys);
}
