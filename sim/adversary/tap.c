#include "adversary/tap_inside.h"
#include "ims/sip/env.h"
#include "kms/key_client.h"
#include "kms/parameters.h"

#include <stdlib.h>
#include <string.h>

tap_kind tap_kind_of_ports(bool tcp, uint16_t a, uint16_t b) {
    if (a == SIP_PORT || b == SIP_PORT)
        return TAP_SIP;
    if (!tcp)
        return TAP_MEDIA;
    bool http = a == KMS_PLAIN_PORT || b == KMS_PLAIN_PORT || a == KMS_HTTP_PORT || b == KMS_HTTP_PORT;
    return http ? TAP_HTTP : TAP_PACKET;
}

/* ---- verdicts ------------------------------------------------------------------------------------ */

static bool can_be(const tap_message *message, const tap_verdict *v) {
    if (v->what != TAP_REPLACE)
        return v->what == TAP_PASS || v->what == TAP_DROP;
    return message->kind != TAP_PACKET && (v->octets.data || !v->octets.len) &&
           v->octets.len <= (message->tcp ? TAP_STREAM_QUEUE : N3_UDP_MAX);
}

tap_verdict tap_show(tap *t, tap_message *message) {
    tap_verdict v = {0};
    message->link = t->link;
    message->now_ns = n3_now(t->sim);
    t->stats.messages[message->kind]++;
    if (t->seen) {
        t->busy++;
        t->seen(t->user, message, &v);
        t->busy--;
    }
    if (!t->active)
        return (tap_verdict){0};
    if (!can_be(message, &v)) {
        t->stats.refused++;
        v.what = TAP_PASS;
    }
    if (v.delay_ns > N3_MAX_LINK_DELAY)
        v.delay_ns = N3_MAX_LINK_DELAY;
    t->stats.dropped += v.what == TAP_DROP;
    t->stats.replaced += v.what == TAP_REPLACE;
    t->stats.delayed += v.what != TAP_DROP && v.delay_ns;
    return v;
}

/* ---- the hook ------------------------------------------------------------------------------------ */

/* A packet that is no message, and no part of one. */
static void other_packet(tap *t, n3_direction direction, const n3_ip *ip, const uint8_t *packet, size_t len,
                         n3_verdict *verdict) {
    n3_segment s;
    tap_message message = {.kind = TAP_PACKET,
                           .direction = direction,
                           .from = {.addr = ip->from},
                           .to = {.addr = ip->to},
                           .octets = ibk_span_of(packet, len)};
    if (n3_segment_read(&s, ip)) {
        message.tcp = true;
        message.from = s.from;
        message.to = s.to;
    }
    tap_verdict v = tap_show(t, &message);
    if (v.what == TAP_DROP) {
        verdict->action = N3_DROP;
    } else if (v.delay_ns) {
        verdict->action = N3_DELAY;
        verdict->delay_ns = v.delay_ns;
    }
}

static void on_packet(void *user, n3_link *link, n3_direction direction, const uint8_t *packet, size_t len,
                      n3_verdict *verdict) {
    tap *t = user;
    n3_ip ip;
    n3_segment s;
    (void)link;
    if (!n3_ip_read(&ip, packet, len))
        return;
    if (ip.protocol == N3_PROTOCOL_UDP)
        tap_udp_packet(t, direction, &ip, packet, len, verdict);
    else if (!n3_segment_read(&s, &ip) || !tap_tcp_packet(t, direction, &s, packet, len, verdict))
        other_packet(t, direction, &ip, packet, len, verdict);
    if (t->active && verdict->action == N3_REPLACE)
        lane_occupy(&t->lane[direction], verdict->len);
    else if (t->active && verdict->action != N3_DROP)
        lane_occupy(&t->lane[direction], len);
}

/* ---- life ---------------------------------------------------------------------------------------- */

ibk_err tap_new(tap **out, n3_sim *sim, n3_link *link, bool active, tap_fn *seen, void *user) {
    if (!out)
        return IBK_ERR_USAGE;
    *out = NULL;
    if (!sim || !link)
        return IBK_ERR_USAGE;
    tap *t = calloc(1, sizeof *t);
    if (!t)
        return IBK_ERR_NO_MEMORY;
    t->sim = sim;
    t->link = link;
    t->active = active;
    t->seen = seen;
    t->user = user;
    t->next_id = UINT32_MAX;
    lane_open(&t->lane[N3_AB], t, N3_AB);
    lane_open(&t->lane[N3_BA], t, N3_BA);
    if (n3_link_set_hook(link, on_packet, t) != N3_OK) {
        free(t);
        return IBK_ERR_USAGE;
    }
    *out = t;
    return IBK_OK;
}

void tap_free(tap *t) {
    if (!t)
        return;
    (void)n3_link_set_hook(t->link, NULL, NULL);
    tap_tcp_free(t);
    frags_free(&t->frags);
    lane_close(&t->lane[N3_AB]);
    lane_close(&t->lane[N3_BA]);
    free(t);
}

tap_stats tap_get_stats(const tap *t) {
    return t->stats;
}

/* ---- further messages ---------------------------------------------------------------------------- */

static ibk_err send_tcp(tap *t, const n3_endpoint *from, const n3_endpoint *to, uint64_t delay_ns,
                        ibk_span octets) {
    tap_conn *c = tap_tcp_find(t, from, to);
    if (!c || c->state != CONN_OPEN || c->dead)
        return IBK_ERR_STATE;
    tap_half *h = &c->half[n3_endpoint_equal(from, &c->end[0]) ? 0 : 1];
    if (output_closed(&h->out) || (frames_given_up(h->frames) && !h->in.ended))
        return IBK_ERR_STATE;
    ibk_err err = output_put(&h->out, delay_ns, false, octets);
    if (!err)
        output_pump(&h->out);
    t->stats.sent += !err;
    return err;
}

ibk_err tap_send(tap *t, const tap_message *like, bool reverse, uint64_t delay_ns, ibk_span octets) {
    if (!t || !like || like->kind == TAP_PACKET || delay_ns > N3_MAX_LINK_DELAY ||
        (like->tcp && octets.len == 0) || (!octets.data && octets.len))
        return IBK_ERR_USAGE;
    if (!t->active)
        return IBK_ERR_STATE;
    const n3_endpoint *from = reverse ? &like->to : &like->from, *to = reverse ? &like->from : &like->to;
    if (like->tcp)
        return send_tcp(t, from, to, delay_ns, octets);
    n3_direction back = like->direction == N3_AB ? N3_BA : N3_AB;
    return tap_send_udp(t, reverse ? back : like->direction, from, to, delay_ns, octets);
}
