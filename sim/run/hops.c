#include "run/hops.h"

#include <search.h>
#include <stdlib.h>
#include <string.h>

#define SIP_PORT 5060
#define PPP      2                      /* octets that the link puts before a packet */
#define KEEP_NS  UINT64_C(600000000000) /* no set-up takes longer */
#define PRUNE_AT 65536

typedef struct passage {
    uint64_t sent_ns, passed_ns; /* of the first fragment; of the last one */
    uint64_t octets;             /* above UDP or TCP */
    uint32_t id;                 /* of a fragmented datagram; TCP: the sequence number */
    bool tcp, fragmented, syn;
    uint32_t ports; /* both: with `to`, the connection */
    uint8_t to[16]; /* IPv4: the first 4 */
} passage;

typedef struct wire {
    const n3_node *from;
    uint64_t rate_bps, delay_ns;
    passage *list;
    size_t count, cap;
    struct wire *next;
} wire;

struct hops {
    void *tree; /* wire by `from` */
    wire *first;
};

/* ---- the wires
 * ---------------------------------------------------------------------------------------------- */

static int by_node(const void *a, const void *b) {
    uintptr_t x = (uintptr_t)((const wire *)a)->from, y = (uintptr_t)((const wire *)b)->from;
    return (x > y) - (x < y);
}

hops *hops_new(void) {
    return calloc(1, sizeof(hops));
}

void hops_free(hops *h) {
    if (!h)
        return;
    for (wire *w = h->first, *next; w; w = next) {
        next = w->next;
        tdelete(w, &h->tree, by_node);
        free(w->list);
        free(w);
    }
    free(h);
}

static wire *find_wire(const hops *h, const n3_node *from) {
    wire key = {.from = from};
    wire **found = tfind(&key, (void *const *)&h->tree, by_node);
    return found ? *found : NULL;
}

ibk_err hops_add(hops *h, const n3_node *host, uint64_t rate_bps, uint64_t delay_ns) {
    wire *w = calloc(1, sizeof *w);
    if (!w)
        return IBK_ERR_NO_MEMORY;
    *w = (wire){.from = host, .rate_bps = rate_bps, .delay_ns = delay_ns, .next = h->first};
    if (!tsearch(w, &h->tree, by_node)) {
        free(w);
        return IBK_ERR_NO_MEMORY;
    }
    h->first = w;
    return IBK_OK;
}

static void forget_old(wire *w, uint64_t now_ns) {
    size_t old = 0;
    while (old < w->count && w->list[old].sent_ns + KEEP_NS < now_ns)
        old++;
    memmove(w->list, w->list + old, (w->count - old) * sizeof *w->list);
    w->count -= old;
}

static void add(wire *w, const passage *p) {
    if (w->count == w->cap && w->cap >= PRUNE_AT)
        forget_old(w, p->sent_ns);
    if (w->count == w->cap) {
        size_t cap = w->cap ? 2 * w->cap : 16;
        passage *grown = realloc(w->list, cap * sizeof *grown);
        if (!grown)
            return;
        w->list = grown;
        w->cap = cap;
    }
    w->list[w->count++] = *p;
}

/* ---- packets
 * ------------------------------------------------------------------------------------------------ */

typedef struct packet_view {
    uint8_t protocol; /* 6, 17 */
    const uint8_t *to;
    size_t to_len;
    const uint8_t *payload; /* from the header of UDP or TCP on; of a later fragment what it carries */
    size_t len;
    uint32_t id;
    bool fragmented, later;
} packet_view;

static uint32_t be(const uint8_t *p, size_t n) {
    uint32_t value = 0;
    for (size_t i = 0; i < n; i++)
        value = value << 8 | p[i];
    return value;
}

static bool view_ipv4(packet_view *v, const uint8_t *p, size_t len) {
    size_t header = 4u * (p[0] & 15);
    if (header < 20 || len < header)
        return false;
    uint32_t fragment = be(p + 6, 2);
    *v = (packet_view){.protocol = p[9],
                       .to = p + 16,
                       .to_len = 4,
                       .payload = p + header,
                       .len = len - header,
                       .id = be(p + 4, 2),
                       .fragmented = (fragment & 0x3FFF) != 0,
                       .later = (fragment & 0x1FFF) != 0};
    return true;
}

static bool view_ipv6(packet_view *v, const uint8_t *p, size_t len) {
    if (len < 40)
        return false;
    *v = (packet_view){.protocol = p[6], .to = p + 24, .to_len = 16, .payload = p + 40, .len = len - 40};
    if (v->protocol == 44 && v->len >= 8) { /* a fragment: RFC 8200 §4.5 */
        v->protocol = v->payload[0];
        v->fragmented = true;
        v->later = be(v->payload + 2, 2) >> 3 != 0;
        v->id = be(v->payload + 4, 4);
        v->payload += 8;
        v->len -= 8;
    }
    return true;
}

static bool is_sip(const packet_view *v) {
    return v->len >= 8 && (be(v->payload, 2) == SIP_PORT || be(v->payload + 2, 2) == SIP_PORT);
}

void hops_packet(hops *h, const n3_node *sender, uint64_t now_ns, const uint8_t *packet, size_t len) {
    packet_view v;
    wire *w = find_wire(h, sender);
    if (!w || len < 20 || !(packet[0] >> 4 == 4 ? view_ipv4(&v, packet, len) : view_ipv6(&v, packet, len)) ||
        (v.protocol != 6 && v.protocol != 17))
        return;
    uint64_t passed = now_ns + (len + PPP) * 8 * UINT64_C(1000000000) / w->rate_bps + w->delay_ns;
    if (v.later) { /* of the datagram whose first fragment was the last one of this id */
        for (size_t i = w->count; i-- > 0;)
            if (w->list[i].fragmented && w->list[i].id == v.id) {
                w->list[i].passed_ns = passed;
                return;
            }
        return;
    }
    if (!is_sip(&v))
        return;
    passage p = {.sent_ns = now_ns,
                 .passed_ns = passed,
                 .id = v.id,
                 .tcp = v.protocol == 6,
                 .fragmented = v.fragmented,
                 .ports = be(v.payload, 4)};
    if (p.tcp && v.len >= 20) {
        size_t header = 4u * (v.payload[12] >> 4);
        p.octets = v.len > header ? v.len - header : 0;
        p.id = be(v.payload + 4, 4);
        p.syn = (v.payload[13] & 2) != 0;
    } else if (!p.tcp) {
        p.octets = be(v.payload + 4, 2) - 8;
    }
    memcpy(p.to, v.to, v.to_len);
    if (p.octets > 0 || p.syn)
        add(w, &p);
}

/* ---- looking up
 * ---------------------------------------------------------------------------------------------- */

static bool is_to(const passage *p, const n3_addr *to) {
    size_t len = to->family == N3_IPV4 ? 4 : 16;
    return memcmp(p->to, to->octets, len) == 0;
}

/* The first passage from a moment on. */
static size_t first_since(const wire *w, uint64_t since_ns) {
    size_t low = 0, high = w->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (w->list[middle].sent_ns < since_ns)
            low = middle + 1;
        else
            high = middle;
    }
    return low;
}

static bool datagram_passed(const wire *w, size_t from, const hops_message *m, hops_passage *out) {
    for (size_t i = from; i < w->count && w->list[i].sent_ns <= m->until_ns; i++) {
        const passage *p = &w->list[i];
        if (p->tcp || p->octets != m->octets || !is_to(p, &m->to))
            continue;
        *out = (hops_passage){.passed_ns = p->passed_ns};
        return p->passed_ns <= m->until_ns;
    }
    return false;
}

static bool on_connection(const passage *p, uint32_t ports, const n3_addr *to) {
    return p->tcp && p->ports == ports && is_to(p, to);
}

/* The sequence number of what a connection sends next. False: it has sent nothing before. */
static bool next_octet(const wire *w, size_t before, uint32_t ports, const n3_addr *to, uint32_t *seq) {
    enum { LOOK_BACK = 16 }; /* segments: more of them are not sent again in a row */
    unsigned found = 0;
    for (size_t i = before; i-- > 0 && found < LOOK_BACK;) {
        const passage *p = &w->list[i];
        uint32_t end = p->id + (uint32_t)p->octets;
        if (!on_connection(p, ports, to) || p->syn)
            continue;
        if (found++ == 0 || (int32_t)(end - *seq) > 0)
            *seq = end;
    }
    return found > 0;
}

/* The first new octets that one connection carries from `from` on: [seq, seq + octets). An older or the same
 * segment that is sent later on holds the message up. Returns how many octets its segments had up to the end
 * of the message; fewer: not all passed. */
static uint64_t segments_passed(const wire *w, size_t from, const hops_message *m, hops_passage *out) {
    uint64_t seen = 0, first_syn = 0, syn_wait = 0, passed = 0, again = 0;
    uint32_t seq = 0, ports = w->list[from].ports;
    bool known = next_octet(w, from, ports, &m->to, &seq);
    for (size_t i = from; i < w->count && w->list[i].sent_ns <= m->until_ns; i++) {
        const passage *p = &w->list[i];
        if (!on_connection(p, ports, &m->to) || p->passed_ns > m->until_ns)
            continue;
        if (p->syn) {
            syn_wait = seen == 0 && first_syn ? p->sent_ns - first_syn : syn_wait;
            first_syn = first_syn ? first_syn : p->sent_ns;
            continue;
        }
        seq = known ? seq : p->id;
        known = true;
        if (seen < m->octets && p->id - seq == (uint32_t)seen) {
            seen += p->octets;
            passed = p->passed_ns;
        } else if ((int64_t)(int32_t)(p->id - seq) < (int64_t)m->octets) {
            again = p->passed_ns;
        }
    }
    *out = (hops_passage){.passed_ns = again > passed ? again : passed, .resent_ns = syn_wait};
    out->resent_ns += out->passed_ns - passed;
    return seen;
}

/* Between two nodes there may be several connections: it is on the one whose next segments end where it does.
 */
static bool stream_passed(const wire *w, size_t from, const hops_message *m, hops_passage *out) {
    bool found = false;
    for (size_t i = from; i < w->count && w->list[i].sent_ns <= m->until_ns; i++) {
        const passage *p = &w->list[i];
        bool earlier = false;
        for (size_t k = from; k < i && !earlier; k++)
            earlier = on_connection(&w->list[k], p->ports, &m->to);
        if (!p->tcp || earlier || !is_to(p, &m->to))
            continue;
        hops_passage here;
        uint64_t seen = segments_passed(w, i, m, &here);
        if (seen == m->octets || (seen > m->octets && !found)) {
            *out = here;
            found = true;
        }
        if (seen == m->octets)
            return true;
    }
    return found;
}

bool hops_passed(const hops *h, const hops_message *m, hops_passage *out) {
    const wire *w = find_wire(h, m->from);
    if (!w)
        return false;
    size_t from = first_since(w, m->sent_ns);
    return m->tcp ? stream_passed(w, from, m, out) : datagram_passed(w, from, m, out);
}
