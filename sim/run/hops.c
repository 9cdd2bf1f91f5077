#include "run/hops.h"
#include "ns3shim/ip.h"

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
    if (!IBK_ROOM(w->list, w->count, w->cap))
        return;
    w->list[w->count++] = *p;
}

/* ---- packets
 * ------------------------------------------------------------------------------------------------ */

static bool is_sip(uint16_t a, uint16_t b) {
    return a == SIP_PORT || b == SIP_PORT;
}

/* A first fragment, or what is none. False: not of SIP, or nothing that counts. */
static bool read_passage(passage *p, const n3_ip *ip) {
    n3_datagram d;
    n3_segment s;
    p->fragmented = n3_ip_is_fragment(ip);
    memcpy(p->to, ip->to.octets, sizeof p->to);
    if (n3_datagram_read(&d, ip) && is_sip(d.from.port, d.to.port)) {
        p->id = ip->id;
        p->octets = d.total;
        return p->octets > 0;
    }
    if (!n3_segment_read(&s, ip) || !is_sip(s.from.port, s.to.port))
        return false;
    p->tcp = true;
    p->id = s.seq;
    p->octets = s.len;
    p->syn = s.flags & N3_SYN;
    p->ports = (uint32_t)s.from.port << 16 | s.to.port;
    return p->octets > 0 || p->syn;
}

void hops_packet(hops *h, const n3_node *sender, uint64_t now_ns, const uint8_t *packet, size_t len) {
    n3_ip ip;
    wire *w = find_wire(h, sender);
    if (!w || !n3_ip_read(&ip, packet, len))
        return;
    uint64_t passed = now_ns + (len + PPP) * 8 * UINT64_C(1000000000) / w->rate_bps + w->delay_ns;
    if (ip.offset &&
        ip.protocol ==
            N3_PROTOCOL_UDP) { /* of the datagram whose first fragment was the last one of this id */
        for (size_t i = w->count; i-- > 0;)
            if (w->list[i].fragmented && w->list[i].id == ip.id) {
                w->list[i].passed_ns = passed;
                return;
            }
        return;
    }
    passage p = {.sent_ns = now_ns, .passed_ns = passed};
    if (read_passage(&p, &ip))
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
