/* A TCP sender: RFC 9293, congestion control as in RFC 5681 and 6582, the timer of RFC 6298. */
#include "adversary/tap_inside.h"

#include <stdlib.h>
#include <string.h>

#define RTO_FIRST     UINT64_C(1000000000) /* ns, RFC 6298 §2.1 */
#define RTO_LEAST     UINT64_C(1000000000) /* §2.4 */
#define RTO_MOST      UINT64_C(60000000000)
#define TRIES         6  /* until the receiver counts as gone */
#define FIRST_WINDOW  10 /* segments, RFC 6928 */
#define TCP_IP_HEADER 40 /* IPv4; 20 more with IPv6 */
#define SEGMENT_MAX   8900

struct held {
    held *next;
    uint64_t due_ns;
    size_t len;
    uint8_t octets[];
};

static n3_sim *sim_of(const tap_output *o) {
    return o->conn->tap->sim;
}

static void first_rtt(tap_output *o, uint64_t rtt_ns) { // RFC 6298 §2.2
    o->srtt = rtt_ns;
    o->rttvar = rtt_ns / 2;
}

static void set_rto(tap_output *o) {
    uint64_t rto = o->srtt ? o->srtt + 4 * o->rttvar : RTO_FIRST;
    o->rto = rto < RTO_LEAST ? RTO_LEAST : rto > RTO_MOST ? RTO_MOST : rto;
}

static size_t segment_size(const tap_conn *c, unsigned to) {
    size_t header = TCP_IP_HEADER + (c->end[to].addr.family == N3_IPV6 ? 20 : 0);
    size_t mtu = n3_least_mtu(c->tap->sim), size = mtu - header < SEGMENT_MAX ? mtu - header : SEGMENT_MAX;
    return c->mss[to] && c->mss[to] < size ? c->mss[to] : size;
}

void output_open(tap_output *o, tap_conn *c, unsigned to, uint32_t isn, uint32_t window, uint64_t rtt_ns) {
    *o = (tap_output){.conn = c, .to = to, .una = isn + 1, .nxt = isn + 1, .high = isn + 1, .window = window};
    o->mss = segment_size(c, to);
    o->cwnd = FIRST_WINDOW * o->mss;
    o->ssthresh = SIZE_MAX;
    if (rtt_ns)
        first_rtt(o, rtt_ns);
    set_rto(o);
}

static void stop_timers(tap_output *o) {
    if (!o->conn)
        return;
    (void)n3_cancel(sim_of(o), o->timer);
    (void)n3_cancel(sim_of(o), o->held_timer);
    o->timer = o->held_timer = 0;
}

void output_free(tap_output *o) {
    stop_timers(o);
    for (held *h = o->held, *next; h; h = next) {
        next = h->next;
        free(h);
    }
    o->held = NULL;
    o->held_octets = 0;
    ibk_buf_free(&o->ready);
    o->acked = 0;
}

/* ---- what there is to send ----------------------------------------------------------------------- */

static size_t unacked(const tap_output *o) { /* octets, sent or not */
    return o->ready.len - o->acked;
}

size_t output_waiting(const tap_output *o) {
    return unacked(o) + o->held_octets;
}

/* The sequence number behind the last octet: that of the FIN, when it is due. */
static uint32_t end_of_octets(const tap_output *o) {
    return o->una + (uint32_t)unacked(o);
}

static bool fin_due(const tap_output *o) {
    return o->fin_wanted && !o->held && !o->fin_acked;
}

/* A FIN was sent. */
static bool fin_sent(const tap_output *o) {
    return o->fin_acked || seq_before(end_of_octets(o), o->high);
}

bool output_closed(const tap_output *o) {
    return fin_sent(o) || o->reset_wanted;
}

static void on_held(void *user);

static void start_held_timer(tap_output *o) {
    (void)n3_cancel(sim_of(o), o->held_timer);
    o->held_timer = 0;
    if (!o->held)
        return;
    uint64_t now = n3_now(sim_of(o));
    uint64_t wait = o->held->due_ns > now ? o->held->due_ns - now : 0;
    (void)n3_schedule(sim_of(o), &o->held_timer, wait, on_held, o);
}

static void on_held(void *user) {
    tap_output *o = user;
    tap_conn *c = o->conn;
    o->held_timer = 0;
    while (o->held && o->held->due_ns <= n3_now(sim_of(o))) {
        held *h = o->held;
        o->held = h->next;
        o->held_octets -= h->len;
        if (ibk_buf_append(&o->ready, h->octets, h->len))
            c->tap->stats.over_limit++;
        free(h);
    }
    start_held_timer(o);
    output_pump(o);
    conn_settle(c);
}

static ibk_err hold(tap_output *o, uint64_t due_ns, ibk_span octets) {
    held *h = malloc(sizeof *h + octets.len);
    if (!h)
        return IBK_ERR_NO_MEMORY;
    *h = (held){.due_ns = due_ns, .len = octets.len};
    memcpy(h->octets, octets.data, octets.len);
    held **place = &o->held;
    while (*place && (*place)->due_ns <= due_ns)
        place = &(*place)->next;
    h->next = *place;
    *place = h;
    o->held_octets += octets.len;
    start_held_timer(o);
    return IBK_OK;
}

ibk_err output_put(tap_output *o, uint64_t delay_ns, bool in_turn, ibk_span octets) {
    if (octets.len == 0)
        return IBK_OK;
    if (octets.len > TAP_STREAM_QUEUE - output_waiting(o))
        return IBK_ERR_LIMIT;
    uint64_t due = n3_now(sim_of(o)) + delay_ns;
    for (const held *h = o->held; in_turn && h; h = h->next)
        due = h->due_ns > due ? h->due_ns : due;
    if (due > n3_now(sim_of(o)))
        return hold(o, due, octets);
    return ibk_buf_append_span(&o->ready, octets);
}

void output_finish(tap_output *o, bool reset) {
    if (reset)
        o->reset_wanted = true;
    else
        o->fin_wanted = true;
}

/* ---- sending ------------------------------------------------------------------------------------- */

static void on_timer(void *user);

static void start_timer(tap_output *o) {
    if (o->timer)
        return;
    uint64_t backlog = lane_backlog(&o->conn->tap->lane[conn_direction(o->conn, 1 - o->to)]);
    (void)n3_schedule(sim_of(o), &o->timer, backlog + o->rto, on_timer, o);
}

static void restart_timer(tap_output *o) {
    (void)n3_cancel(sim_of(o), o->timer);
    o->timer = 0;
    if (o->nxt != o->una)
        start_timer(o);
}

/* Sends `len` octets from `seq` on, and the FIN if it follows. Returns the sequence number behind that. */
static uint32_t send_at(tap_output *o, uint32_t seq, size_t len) {
    size_t offset = seq - o->una;
    bool last = offset + len == unacked(o), fin = last && fin_due(o);
    ibk_span octets = {0};
    if (len)
        octets = ibk_span_of(o->ready.data + o->acked + offset, len);
    conn_send(o->conn, o->to, seq, (uint8_t)(N3_ACK | (last && len ? N3_PSH : 0) | (fin ? N3_FIN : 0)),
              octets);
    return seq + (uint32_t)len + fin;
}

static void send_next(tap_output *o, size_t len) {
    uint32_t behind = send_at(o, o->nxt, len);
    if (seq_before(o->nxt, o->high)) {
        o->conn->tap->stats.resent++;
        o->timing = false; // Karn's algorithm, RFC 6298 §3
    } else if (!o->timing) {
        o->timing = true;
        o->timed = behind;
        o->timed_ns =
            n3_now(sim_of(o)) + lane_backlog(&o->conn->tap->lane[conn_direction(o->conn, 1 - o->to)]);
    }
    o->nxt = behind;
    if (seq_before(o->high, o->nxt))
        o->high = o->nxt;
}

static void send_reset(tap_output *o) {
    conn_send(o->conn, o->to, o->high, N3_RST | N3_ACK, (ibk_span){0});
    o->conn->dead = true;
}

static size_t least(size_t a, size_t b) {
    return a < b ? a : b;
}

void output_pump(tap_output *o) {
    if (o->conn->dead)
        return;
    if (o->reset_wanted && !o->held && unacked(o) == 0) {
        send_reset(o);
        return;
    }
    for (;;) {
        size_t flying = o->nxt - o->una, left = unacked(o) > flying ? unacked(o) - flying : 0;
        size_t allowed = least(o->window, o->cwnd), room = allowed > flying ? allowed - flying : 0;
        size_t len = least(least(left, room), o->mss);
        bool fin_next = fin_due(o) && o->nxt == end_of_octets(o);
        if (left ? len == 0 || (len < left && len < o->mss && flying) : !fin_next)
            break;
        send_next(o, len);
    }
    if (o->nxt != o->una || unacked(o))
        start_timer(o); /* with nothing in flight it is that of zero window probes, RFC 9293 §3.8.6.1 */
}

/* The first segment that was not acknowledged. */
static void resend_first(tap_output *o) {
    o->timing = false;
    o->conn->tap->stats.resent++;
    (void)send_at(o, o->una, least(least(unacked(o), o->mss), o->nxt - o->una));
}

static void on_timer(void *user) {
    tap_output *o = user;
    tap_conn *c = o->conn;
    size_t flying = o->nxt - o->una;
    o->timer = 0;
    if (++o->retries > TRIES) {
        conn_abort(c);
        conn_settle(c);
        return;
    }
    if (flying && o->window) { // RFC 5681 §3.1: a loss, no probe
        o->ssthresh = flying / 2 > 2 * o->mss ? flying / 2 : 2 * o->mss;
        o->cwnd = o->mss;
    }
    o->rto = 2 * o->rto < RTO_MOST ? 2 * o->rto : RTO_MOST; // RFC 6298 §5.5
    o->nxt = o->una;
    o->recovering = o->timing = false;
    o->dup_acks = 0;
    if (o->window == 0 && unacked(o))
        send_next(o, 1);
    output_pump(o);
    conn_settle(c);
}

/* ---- acknowledgements ---------------------------------------------------------------------------- */

static void measure(tap_output *o) { // RFC 6298 §2.3
    uint64_t now = n3_now(sim_of(o)), rtt = now > o->timed_ns ? now - o->timed_ns : 1;
    if (!o->srtt) {
        first_rtt(o, rtt);
        return;
    }
    uint64_t off = rtt > o->srtt ? rtt - o->srtt : o->srtt - rtt;
    o->rttvar = (3 * o->rttvar + off) / 4;
    o->srtt = (7 * o->srtt + rtt) / 8;
}

static void grow(tap_output *o, size_t count) { // RFC 5681 §3.1
    if (o->cwnd > TAP_STREAM_QUEUE)
        return;
    if (o->cwnd < o->ssthresh)
        o->cwnd += least(count, o->mss);
    else
        o->cwnd += o->mss * o->mss / o->cwnd + 1;
}

/* Takes octets away that the receiver has. */
static void forget_acked(tap_output *o, size_t count) {
    size_t octets = least(count, unacked(o));
    o->fin_acked = o->fin_acked || count > octets;
    o->acked += octets;
    if (o->acked == 0 || o->acked < o->ready.len / 2)
        return;
    memmove(o->ready.data, o->ready.data + o->acked, o->ready.len - o->acked);
    o->ready.len -= o->acked;
    o->acked = 0;
}

static void new_ack(tap_output *o, uint32_t ack) {
    size_t count = ack - o->una;
    if (o->timing && !seq_before(ack, o->timed)) {
        o->timing = false;
        measure(o);
    }
    set_rto(o);
    forget_acked(o, count);
    o->una = ack;
    if (seq_before(o->nxt, o->una))
        o->nxt = o->una;
    o->dup_acks = 0;
    if (o->recovering && seq_before(ack, o->recover)) { // RFC 6582 §3.2: the next one is missing too
        resend_first(o);
    } else if (o->recovering) {
        o->recovering = false;
        o->cwnd = o->ssthresh;
    } else {
        grow(o, count);
    }
    restart_timer(o);
}

static void repeated_ack(tap_output *o) { // RFC 5681 §3.2
    o->dup_acks++;
    if (o->recovering) {
        o->cwnd += o->mss;
    } else if (o->dup_acks == 3) {
        size_t flying = o->nxt - o->una;
        o->recovering = true;
        o->recover = o->high;
        o->ssthresh = flying / 2 > 2 * o->mss ? flying / 2 : 2 * o->mss;
        o->cwnd = o->ssthresh + 3 * o->mss;
        resend_first(o);
        restart_timer(o);
    }
}

void output_ack(tap_output *o, uint32_t ack, uint32_t window, bool pure) {
    if (seq_before(ack, o->una) || seq_before(o->high, ack))
        return;
    o->retries = 0;
    if (ack != o->una)
        new_ack(o, ack);
    else if (pure && window == o->window && o->nxt != o->una)
        repeated_ack(o);
    if (o->window == 0 && window) { /* the receiver did not take what probes offered it */
        o->nxt = o->una;
        restart_timer(o);
    }
    o->window = window;
}
