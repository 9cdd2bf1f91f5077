#include "adversary/tap_inside.h"

#include <string.h>

size_t flow_room(const tap_conn *c, unsigned from) {
    const tap_half *h = &c->half[from];
    size_t used = h->in.ahead_octets + (h->frames ? frames_held(h->frames) : 0) + output_waiting(&h->out);
    return used < TAP_STREAM_WINDOW ? TAP_STREAM_WINDOW - used : 0;
}

static bool active(const tap_conn *c) {
    return c->tap->active;
}

/* ---- messages ------------------------------------------------------------------------------------ */

static void count_given_up(tap_conn *c, tap_half *h) {
    if (!h->counted)
        c->tap->stats.given_up++;
    h->counted = true;
}

static void put(tap_conn *c, unsigned from, uint64_t delay_ns, bool in_turn, ibk_span octets) {
    if (active(c) && output_put(&c->half[from].out, delay_ns, in_turn, octets))
        c->tap->stats.over_limit++;
}

static void show(tap_conn *c, unsigned from, ibk_span octets) {
    tap_message message = {.kind = c->kind,
                           .direction = conn_direction(c, from),
                           .tcp = true,
                           .from = c->end[from],
                           .to = c->end[1 - from],
                           .octets = octets};
    tap_verdict v = tap_show(c->tap, &message);
    if (v.what != TAP_DROP)
        put(c, from, v.delay_ns, false, v.what == TAP_REPLACE ? v.octets : octets);
}

/* Every piece that is complete. */
static void show_pieces(tap_conn *c, unsigned from) {
    tap_half *h = &c->half[from];
    ibk_span piece;
    frames_result result;
    while ((result = frames_next(h->frames, &piece)) != FRAMES_NONE) {
        if (result == FRAMES_ERROR) {
            conn_abort(c);
            return;
        }
        if (result == FRAMES_MESSAGE)
            show(c, from, piece);
        else
            put(c, from, 0, result == FRAMES_RAW, piece);
    }
    if (frames_given_up(h->frames) && !h->in.ended)
        count_given_up(c, h);
}

static void take(tap_conn *c, unsigned from, ibk_span fresh) {
    while (fresh.len && !c->dead) {
        size_t len = fresh.len < FRAMES_PUSH ? fresh.len : FRAMES_PUSH;
        if (frames_push(c->half[from].frames, ibk_span_of(fresh.data, len))) {
            conn_abort(c);
            return;
        }
        show_pieces(c, from);
        fresh = ibk_span_of(fresh.data + len, fresh.len - len);
    }
}

/* The sender has sent everything: an incomplete message goes on as it is. */
static void take_end(tap_conn *c, unsigned from) {
    tap_half *h = &c->half[from];
    if (h->end_seen)
        return;
    h->end_seen = true;
    frames_give_up(h->frames);
    show_pieces(c, from);
    output_finish(&h->out, false);
}

/* ---- segments ------------------------------------------------------------------------------------ */

static void resets(tap_conn *c, unsigned from) {
    tap_half *h = &c->half[from], *back = &c->half[1 - from];
    if (!active(c)) {
        c->dead = true;
        return;
    }
    output_free(&back->out); /* its receiver is gone */
    h->counted = true;
    frames_give_up(h->frames);
    show_pieces(c, from);
    output_finish(&h->out, true);
    output_pump(&h->out);
}

static void octets(tap_conn *c, unsigned from, const n3_segment *s) {
    tap_half *h = &c->half[from];
    ibk_buf fresh = {0};
    ibk_err err = intake_add(&h->in, s, flow_room(c, from), &fresh);
    if (active(c)) /* before anything else: it says what was taken, or what is missing */
        conn_ack(c, from);
    if (err && !active(c)) { /* nobody will send it again for a listener */
        frames_give_up(h->frames);
        count_given_up(c, h);
    }
    take(c, from, ibk_buf_span(&fresh));
    ibk_buf_free(&fresh);
    if (h->in.ended && !c->dead)
        take_end(c, from);
    if (active(c))
        output_pump(&h->out);
}

void flow_room_again(tap_conn *c, unsigned from) {
    if (c->told_full[from] && flow_room(c, from) >= TAP_STREAM_WINDOW / 2)
        conn_ack(c, from);
}

static void acknowledges(tap_conn *c, unsigned from, const n3_segment *s, bool pure) {
    tap_half *back = &c->half[1 - from];
    uint32_t window = (uint32_t)s->window << (c->scales[0] && c->scales[1] ? c->shift[from] : 0);
    output_ack(&back->out, s->ack, window, pure);
    output_pump(&back->out);
    flow_room_again(c, 1 - from);
}

/* What can be part of this stream as it stands: RFC 9293 §3.10.7.4. */
static bool acceptable(const tap_conn *c, unsigned from, const n3_segment *s) {
    uint32_t next = c->half[from].in.next;
    return !seq_before(s->seq + (uint32_t)s->len, next) &&
           seq_before(s->seq, next + (uint32_t)TAP_STREAM_WINDOW + 1);
}

void flow_segment(tap_conn *c, unsigned from, const n3_segment *s) {
    bool carries = s->len || s->flags & N3_FIN;
    bool reset_before = c->half[1 - from].out.reset_wanted || c->half[from].out.reset_wanted;
    if (s->flags & N3_RST) {
        if (acceptable(c, from, s) && !c->half[from].out.reset_wanted)
            resets(c, from);
        return;
    }
    if (!(s->flags & N3_ACK))
        return;
    if (active(c) && !c->half[from].out.reset_wanted)
        acknowledges(c, from, s, !carries);
    if (c->dead || reset_before) /* one end is gone: what the other one sends reaches nobody */
        return;
    if (acceptable(c, from, s) && carries)
        octets(c, from, s);
    else if (active(c) && (carries || seq_before(s->seq, c->half[from].in.next)))
        conn_ack(c, from);
    conn_check_closed(c);
}
