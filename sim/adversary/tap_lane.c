#include "adversary/tap_inside.h"

#include <stdlib.h>
#include <string.h>

#define PPP 2 /* octets that the link puts before a packet */

/* n3_link_inject() does not queue: a short packet would overtake a long one that was injected before it. So
 * the tap puts one packet after the other on the wire. */

struct lane_packet {
    lane_packet *next; /* by due time */
    uint64_t due_ns;
    size_t len;
    uint8_t octets[];
};

static uint64_t wire_time(const tap_lane *lane, size_t len) {
    return (len + PPP) * 8 * UINT64_C(1000000000) / lane->rate_bps;
}

static uint64_t now(const tap_lane *lane) {
    return n3_now(lane->tap->sim);
}

void lane_open(tap_lane *lane, tap *t, n3_direction direction) {
    n3_path path = {0};
    (void)n3_link_get_path(t->link, &path, direction);
    *lane = (tap_lane){.tap = t, .direction = direction, .rate_bps = path.rate_bps ? path.rate_bps : 1};
}

void lane_close(tap_lane *lane) {
    (void)n3_cancel(lane->tap->sim, lane->timer);
    for (lane_packet *p = lane->first, *next; p; p = next) {
        next = p->next;
        free(p);
    }
    lane->first = NULL;
}

void lane_occupy(tap_lane *lane, size_t len) {
    uint64_t until = now(lane) + wire_time(lane, len);
    if (until > lane->free_ns)
        lane->free_ns = until;
}

static void put_on_wire(tap_lane *lane, const uint8_t *packet, size_t len) {
    uint64_t from = lane->free_ns > now(lane) ? lane->free_ns : now(lane);
    lane->free_ns = from + wire_time(lane, len);
    if (n3_link_inject(lane->tap->link, lane->direction, packet, len) != N3_OK)
        lane->tap->stats.over_limit++; /* out of memory */
}

static void run(void *user);

static void start_timer(tap_lane *lane) {
    (void)n3_cancel(lane->tap->sim, lane->timer);
    lane->timer = 0;
    if (!lane->first)
        return;
    uint64_t at = lane->first->due_ns > lane->free_ns ? lane->first->due_ns : lane->free_ns;
    (void)n3_schedule(lane->tap->sim, &lane->timer, at > now(lane) ? at - now(lane) : 0, run, lane);
}

static void run(void *user) {
    tap_lane *lane = user;
    lane->timer = 0;
    lane_packet *p = lane->first;
    lane->first = p->next;
    lane->octets -= p->len;
    lane->waiting_ns -= wire_time(lane, p->len);
    put_on_wire(lane, p->octets, p->len);
    free(p);
    start_timer(lane);
}

static ibk_err enqueue(tap_lane *lane, uint64_t due_ns, const uint8_t *packet, size_t len) {
    lane_packet *p = malloc(sizeof *p + len);
    if (!p)
        return IBK_ERR_NO_MEMORY;
    *p = (lane_packet){.due_ns = due_ns, .len = len};
    memcpy(p->octets, packet, len);
    lane_packet **place = &lane->first;
    while (*place && (*place)->due_ns <= due_ns)
        place = &(*place)->next;
    p->next = *place;
    *place = p;
    lane->octets += len;
    lane->waiting_ns += wire_time(lane, len);
    if (lane->first == p || !lane->timer)
        start_timer(lane);
    return IBK_OK;
}

ibk_err lane_send(tap_lane *lane, uint64_t delay_ns, const uint8_t *packet, size_t len) {
    if (delay_ns == 0 && now(lane) >= lane->free_ns && (!lane->first || lane->first->due_ns > now(lane))) {
        put_on_wire(lane, packet, len);
        start_timer(lane);
        return IBK_OK;
    }
    ibk_err err = len > TAP_LANE_QUEUE - lane->octets ? IBK_ERR_LIMIT
                                                      : enqueue(lane, now(lane) + delay_ns, packet, len);
    lane->tap->stats.over_limit += err != IBK_OK;
    return err;
}

uint64_t lane_backlog(const tap_lane *lane) {
    uint64_t wait = lane->free_ns > now(lane) ? lane->free_ns - now(lane) : 0;
    return wait + lane->waiting_ns;
}
