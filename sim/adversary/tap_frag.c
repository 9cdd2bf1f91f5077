#include "adversary/tap_inside.h"

#include <stdlib.h>
#include <string.h>

void assembly_free(assembly *whole) {
    if (!whole)
        return;
    for (frag_part *part = whole->first, *next; part; part = next) {
        next = part->next;
        free(part);
    }
    free(whole);
}

void frags_free(tap_frags *frags) {
    for (assembly *a = frags->first, *next; a; a = next) {
        next = a->next;
        assembly_free(a);
    }
    *frags = (tap_frags){0};
}

static assembly *take_out(tap_frags *frags, assembly **place) {
    assembly *a = *place;
    *place = a->next;
    a->next = NULL;
    frags->count--;
    return a;
}

/* The oldest stand first. */
static void give_up_old(tap *t) {
    while (t->frags.first && t->frags.first->since_ns + TAP_ASSEMBLY_NS < n3_now(t->sim)) {
        assembly_free(take_out(&t->frags, &t->frags.first));
        t->stats.incomplete++;
    }
}

/* RFC 791 §3.2 and RFC 8200 §4.5; the protocol is UDP. Where the place is empty, there is none yet. */
static assembly **find(tap_frags *frags, n3_direction direction, const n3_ip *ip) {
    assembly **place = &frags->first;
    for (; *place; place = &(*place)->next)
        if ((*place)->direction == direction && (*place)->id == ip->id &&
            n3_addr_equal(&(*place)->from, &ip->from) && n3_addr_equal(&(*place)->to, &ip->to))
            break;
    return place;
}

static assembly *make(tap *t, n3_direction direction, const n3_ip *ip) {
    assembly *a = t->frags.count < TAP_MAX_ASSEMBLED ? calloc(1, sizeof *a) : NULL;
    if (!a)
        return NULL;
    *a = (assembly){
        .direction = direction, .from = ip->from, .to = ip->to, .id = ip->id, .since_ns = n3_now(t->sim)};
    a->last = &a->first;
    t->frags.count++;
    return a;
}

typedef enum fit { FITS, REPEATED, CONTRADICTS } fit;

/* Overlapping fragments are no accident: RFC 5722. */
static fit fits(const assembly *a, const n3_ip *ip) {
    size_t end = ip->offset + ip->len;
    for (const frag_part *part = a->first; part; part = part->next) {
        if (part->offset == ip->offset && part->len == ip->len)
            return REPEATED;
        if (part->offset < end && ip->offset < part->offset + part->len)
            return CONTRADICTS;
        if (!ip->more && part->offset + part->len > end)
            return CONTRADICTS;
    }
    bool odd = ip->more && ip->len % 8 != 0;
    bool beyond = end > TAP_PACKET_MAX || (a->total && (end > a->total || (!ip->more && end != a->total)));
    return ip->len == 0 || odd || beyond ? CONTRADICTS : FITS;
}

static bool keep(assembly *a, const n3_ip *ip, const uint8_t *packet, size_t len) {
    frag_part *part = malloc(sizeof *part + len);
    if (!part)
        return false;
    *part = (frag_part){.offset = ip->offset, .len = ip->len, .packet_len = len};
    memcpy(part->packet, packet, len);
    *a->last = part;
    a->last = &part->next;
    a->have += ip->len;
    if (!ip->more)
        a->total = ip->offset + ip->len;
    return true;
}

frag_result frags_add(tap *t, n3_direction direction, const n3_ip *ip, const uint8_t *packet, size_t len,
                      assembly **whole) {
    give_up_old(t);
    assembly **place = find(&t->frags, direction, ip);
    if (!*place && !(*place = make(t, direction, ip)))
        return FRAG_NO_ROOM;
    fit how = fits(*place, ip);
    if (how == REPEATED)
        return FRAG_HELD;
    if (how == CONTRADICTS) {
        assembly_free(take_out(&t->frags, place));
        t->stats.incomplete++;
        return FRAG_SPOILED;
    }
    if (!keep(*place, ip, packet, len))
        return FRAG_NO_ROOM;
    if (!(*place)->total || (*place)->have < (*place)->total)
        return FRAG_HELD;
    *whole = take_out(&t->frags, place);
    return FRAG_WHOLE;
}

ibk_err assembly_join(const assembly *whole, ibk_buf *out) {
    size_t at = out->len;
    ibk_err err = ibk_buf_resize(out, at + whole->total);
    for (const frag_part *part = whole->first; part && !err; part = part->next) {
        n3_ip ip;
        if (n3_ip_read(&ip, part->packet, part->packet_len))
            memcpy(out->data + at + part->offset, ip.payload, part->len);
    }
    return err;
}
