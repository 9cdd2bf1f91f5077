#include "mutator/mutate.h"

#include "octets/edit.h"
#include "world/world.h"

#include <string.h>

typedef struct dice {
    uint64_t state;
} dice;

static uint32_t roll(dice *d, uint32_t sides) { /* splitmix64 */
    uint64_t z = d->state += UINT64_C(0x9E3779B97F4A7C15);
    z = (z ^ z >> 30) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ z >> 27) * UINT64_C(0x94D049BB133111EB);
    return (uint32_t)((z ^ z >> 31) % sides);
}

/* ---- messages and contents
 * ------------------------------------------------------------------------------------ */

/* Most edits keep a message well-formed; one in eight lies about a length or the next payload, or cuts. */
static edit random_edit(dice *d) {
    static const uint8_t sound[] = {EDIT_OCTET,  EDIT_DELETE,  EDIT_DUPLICATE, EDIT_SWAP,
                                    EDIT_SPLICE, EDIT_INSERT,  EDIT_EDGE,      EDIT_RESIZE,
                                    EDIT_TIME,   EDIT_VARIETY, EDIT_SESSION};
    static const uint8_t lies[] = {EDIT_LENGTH, EDIT_NEXT, EDIT_CUT};
    edit e = {.a = (uint8_t)roll(d, 256), .b = (uint8_t)roll(d, 256), .c = (uint8_t)roll(d, 256)};
    e.op = roll(d, 8) == 0 ? lies[roll(d, sizeof lies)] : sound[roll(d, sizeof sound)];
    if (e.op == EDIT_CUT)
        e.a = 0;
    if (e.op == EDIT_OCTET || e.op == EDIT_RESIZE || e.op == EDIT_EDGE)
        e.a = (uint8_t)roll(d, 8);
    if (e.op == EDIT_SESSION)
        e.c = (uint8_t)roll(d, 4);
    if (e.op == EDIT_VARIETY)
        e.b = (uint8_t)roll(d, 5); /* one more than is registered */
    return e;
}

/* Inside the encryption, and with the MAC of before made good. */
static void edit_sealed(ibk_buf *octets, dice *d, const edit_keys *keys) {
    static const uint8_t where[] = {EDIT_INSIDE, EDIT_INSIDE, EDIT_INSIDE | EDIT_ESK,
                                    EDIT_INSIDE | EDIT_KEMAC};
    edit e = random_edit(d);
    if (roll(d, 2))
        e.op |= where[roll(d, sizeof where)];
    edit_apply(octets, e, keys);
    edit_apply(octets, (edit){.op = EDIT_MAC}, keys);
}

static void message(ibk_buf *octets, dice *d, mutate_kind kind, ibk_span donor) {
    static world none; /* has the keys of the fixture and no history */
    none.now = fuzz_now();
    none.n_opened = 0;
    edit_keys keys = world_keys(&none, donor.len ? donor : ibk_buf_span(octets));
    ibk_buf copy = {0};
    if (donor.len == 0 && ibk_buf_append_span(&copy, ibk_buf_span(octets)) == IBK_OK)
        keys.donor = ibk_buf_span(&copy);
    for (uint32_t n = 1 + roll(d, 3); n > 0; n--) {
        if (kind == MUTATE_SEALED && roll(d, 2))
            edit_sealed(octets, d, &keys);
        else
            edit_apply(octets, random_edit(d), &keys);
    }
    ibk_buf_free(&copy);
}

/* One octet that says what follows, and a chain. */
static void chain(ibk_buf *octets, dice *d, mutate_kind kind) {
    enum { IDR = 14 };
    edit_keys keys = {0};
    ibk_buf rest = {0};
    if (octets->len == 0)
        return;
    if (roll(d, 16) == 0)
        octets->data[0] = (uint8_t)roll(d, 26);
    if (ibk_buf_append(&rest, octets->data + 1, octets->len - 1) != IBK_OK)
        return;
    for (uint32_t n = 1 + roll(d, 3); n > 0; n--) {
        edit e = random_edit(d);
        if (e.op != EDIT_SPLICE)
            edit_content(&rest, kind == MUTATE_CONTENT ? IDR : octets->data[0], e, &keys);
    }
    (void)ibk_buf_resize(octets, 1);
    (void)ibk_buf_append_span(octets, ibk_buf_span(&rest));
    ibk_buf_free(&rest);
}

/* ---- sequences
 * --------------------------------------------------------------------------------------------------- */

typedef struct record_list {
    uint8_t header[WORLD_HEADER];
    world_record items[WORLD_RECORDS + 1];
    size_t count;
} record_list;

static void read_list(record_list *list, ibk_span in) {
    size_t at = WORLD_HEADER;
    *list = (record_list){0};
    if (in.len < WORLD_HEADER)
        return;
    memcpy(list->header, in.data, WORLD_HEADER);
    while (list->count < WORLD_RECORDS && world_read(&list->items[list->count], in, &at))
        list->count++;
}

static void write_list(const record_list *list, ibk_buf *out) {
    ibk_buf_clear(out);
    ibk_err err = ibk_buf_append(out, list->header, WORLD_HEADER);
    for (size_t i = 0; i < list->count && !err; i++) {
        const world_record *r = &list->items[i];
        const uint8_t head[] = {(uint8_t)(r->kind | r->part << 4), r->time, r->message,
                                (uint8_t)(r->n_edits | (r->mac ? WORLD_MAC : 0))};
        err = ibk_buf_append(out, head, sizeof head);
        err = err ? err : ibk_buf_append(out, r->edits, r->n_edits * sizeof r->edits[0]);
    }
}

static edit record_edit(dice *d) {
    edit e = random_edit(d);
    if (roll(d, 6) == 0)
        return (edit){.op = EDIT_MAC};
    if (roll(d, 3) == 0)
        e.op |= roll(d, 4) ? EDIT_INSIDE : EDIT_INSIDE | EDIT_ESK;
    return e;
}

static world_record random_record(dice *d) {
    static const uint8_t kinds[] = {KIND_PUMP,    KIND_PUMP,    KIND_PUMP,   KIND_DELIVER,
                                    KIND_DELIVER, KIND_DELIVER, KIND_EXPIRE, KIND_BEGIN,
                                    KIND_UPDATE,  KIND_FORK,    KIND_SETTLE, KIND_CLOSE};
    world_record r = {
        .kind = kinds[roll(d, sizeof kinds)], .part = (uint8_t)roll(d, 4), .message = (uint8_t)roll(d, 4)};
    if (roll(d, 4) == 0)
        r.time = (uint8_t)roll(d, 14);
    r.n_edits = r.kind == KIND_DELIVER ? roll(d, WORLD_EDITS + 1) : 0;
    r.mac = r.n_edits > 0 && roll(d, 2);
    for (size_t i = 0; i < r.n_edits; i++)
        r.edits[i] = record_edit(d);
    return r;
}

static void insert_record(record_list *list, size_t at, world_record r) {
    if (list->count >= WORLD_RECORDS)
        return;
    memmove(&list->items[at + 1], &list->items[at], (list->count - at) * sizeof r);
    list->items[at] = r;
    list->count++;
}

/* One more edit, in any place among the others; or another one in the place of one. */
static void change_edits(world_record *r, dice *d) {
    size_t at = roll(d, (uint32_t)r->n_edits + 1);
    bool room = r->n_edits < WORLD_EDITS;
    if (r->n_edits > 0 && (!room || roll(d, 2))) {
        at = at < r->n_edits ? at : at - 1;
    } else {
        memmove(&r->edits[at + 1], &r->edits[at], (r->n_edits - at) * sizeof r->edits[0]);
        r->n_edits++;
    }
    r->edits[at] = record_edit(d);
    r->part = r->kind == KIND_DELIVER ? r->part : (uint8_t)roll(d, 4);
    r->kind = KIND_DELIVER;
}

/* Another value in the place of one of an edit: what reaches far once may with its neighbour reach farther.
 */
static void nudge_edit(world_record *r, dice *d) {
    if (r->n_edits == 0)
        return;
    edit *e = &r->edits[roll(d, (uint32_t)r->n_edits)];
    uint8_t *values[] = {&e->a, &e->b, &e->c};
    uint8_t *value = values[roll(d, 3)];
    *value = roll(d, 2) ? (uint8_t)roll(d, 256) : (uint8_t)(*value + roll(d, 9) - 4);
}

static void drop_edit(world_record *r, dice *d) {
    if (r->n_edits == 0)
        return;
    size_t at = roll(d, (uint32_t)r->n_edits);
    r->n_edits--;
    memmove(&r->edits[at], &r->edits[at + 1], (r->n_edits - at) * sizeof r->edits[0]);
}

static void change_record(world_record *r, dice *d) {
    switch (roll(d, 14)) {
    case 0:
        r->part = (uint8_t)roll(d, 4);
        break;
    case 1:
        r->time = (uint8_t)roll(d, 14);
        break;
    case 2:
        r->message = (uint8_t)roll(d, 40);
        break;
    case 3:
        r->kind = r->kind == KIND_PUMP ? KIND_DELIVER : (uint8_t)roll(d, KINDS);
        break;
    case 4:
        r->mac = !r->mac;
        break;
    case 5:
        drop_edit(r, d);
        break;
    case 6:
    case 7:
        nudge_edit(r, d);
        break;
    default:
        change_edits(r, d);
    }
}

/* Half of the changes are of what a record says, most of these of its edits. */
static void change_list(record_list *list, const record_list *other, dice *d) {
    size_t at = list->count ? roll(d, (uint32_t)list->count) : 0;
    switch (list->count ? roll(d, 12) : 0) {
    case 0:
        insert_record(list, list->count ? roll(d, (uint32_t)list->count + 1) : 0, random_record(d));
        break;
    case 1:
        memmove(&list->items[at], &list->items[at + 1], (list->count - at - 1) * sizeof list->items[0]);
        list->count--;
        break;
    case 2:
        insert_record(list, roll(d, (uint32_t)list->count + 1), list->items[at]);
        break;
    case 3: {
        size_t with = roll(d, (uint32_t)list->count);
        world_record r = list->items[at];
        list->items[at] = list->items[with];
        list->items[with] = r;
        break;
    }
    case 4:
        for (size_t i = other->count ? roll(d, (uint32_t)other->count) : 0; i < other->count; i++)
            insert_record(list, at++, other->items[i]);
        break;
    case 5:
        list->header[roll(d, WORLD_HEADER)] ^= (uint8_t)(1 << roll(d, 8));
        break;
    default:
        change_record(&list->items[at], d);
    }
}

static void sequence(ibk_buf *octets, dice *d, ibk_span donor) {
    record_list list, other;
    read_list(&list, ibk_buf_span(octets));
    read_list(&other, donor);
    for (uint32_t n = 1 + roll(d, 2); n > 0; n--)
        change_list(&list, &other, d);
    write_list(&list, octets);
}

/* ---- both
 * -------------------------------------------------------------------------------------------------------- */

size_t mutate(mutate_kind kind, uint8_t *data, size_t size, size_t max, uint32_t seed, ibk_span donor) {
    dice d = {.state = seed};
    ibk_buf octets = {0};
    if (max == 0 || ibk_buf_append(&octets, data, size) != IBK_OK)
        return size;
    if (kind == MUTATE_SEQUENCE)
        sequence(&octets, &d, donor);
    else if (kind == MUTATE_MESSAGE || kind == MUTATE_SEALED)
        message(&octets, &d, kind, donor);
    else
        chain(&octets, &d, kind);
    size = octets.len < max ? octets.len : max;
    if (size > 0)
        memcpy(data, octets.data, size);
    else
        data[size++] = 0;
    ibk_buf_free(&octets);
    fuzz_forget();
    return size;
}
