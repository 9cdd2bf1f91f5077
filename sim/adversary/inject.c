#include "adversary/inject.h"
#include "ims/address.h"
#include "ims/media/rtp.h"
#include "ims/media/stream.h"

#include <stdlib.h>
#include <string.h>

#define PORT 30000 /* that it sends from */

/* The latest packet to a node. */
typedef struct target {
    struct target *next;
    char *receiver;
    n3_endpoint to;
    ibk_buf last;
} target;

typedef struct volley {
    struct volley *next;
    inject *i;
    const target *t;
    scn_flood_content content;
    ibk_buf recording;
    uint64_t interval_ns, until_ns;
    ims_timer timer;
    ibk_buf begun; /* the packet that `ahead` counts from: a newer one starts it anew */
    uint16_t ahead;
} volley;

struct inject {
    ims_host *host;
    relay *relay;
    n3_udp *udp;
    target *targets;
    volley *volleys;
    uint64_t sent;
};

ibk_err inject_new(inject **out, ims_host *host, relay *r) {
    *out = NULL;
    inject *i = calloc(1, sizeof *i);
    sip_addr local = host->addr;
    if (!i)
        return IBK_ERR_NO_MEMORY;
    *i = (inject){.host = host, .relay = r};
    local.port = PORT;
    n3_endpoint from = ims_endpoint(&local);
    if (n3_udp_new(&i->udp, host->node, &from, NULL, NULL)) {
        free(i);
        return IBK_ERR_INTERNAL;
    }
    *out = i;
    return IBK_OK;
}

static void volley_free(volley *v) {
    ims_host_cancel(v->i->host, &v->timer);
    ibk_buf_free(&v->recording);
    ibk_buf_free(&v->begun);
    free(v);
}

void inject_free(inject *i) {
    if (!i)
        return;
    for (volley *v = i->volleys, *next; v; v = next) {
        next = v->next;
        volley_free(v);
    }
    for (target *t = i->targets, *next; t; t = next) {
        next = t->next;
        ibk_buf_free(&t->last);
        free(t->receiver);
        free(t);
    }
    n3_udp_free(i->udp);
    free(i);
}

uint64_t inject_sent(const inject *i) {
    return i->sent;
}

bool inject_is_idle(const inject *i) {
    for (const volley *v = i->volleys; v; v = v->next)
        if (v->timer)
            return false;
    return true;
}

static target *find_target(const inject *i, const char *receiver) {
    for (target *t = i->targets; t; t = t->next)
        if (strcmp(t->receiver, receiver) == 0)
            return t;
    return NULL;
}

void inject_note(inject *i, const char *receiver, const n3_endpoint *to, ibk_span packet) {
    rtp_header header;
    target *t = find_target(i, receiver);
    if (rtp_is_rtcp(packet.data, packet.len) || !rtp_read(&header, packet.data, packet.len))
        return;
    if (!t) {
        t = calloc(1, sizeof *t);
        if (!t || !(t->receiver = strdup(receiver))) {
            free(t);
            return;
        }
        t->next = i->targets;
        i->targets = t;
    }
    t->to = *to;
    ibk_buf_clear(&t->last);
    ibk_buf_append_span(&t->last, packet);
}

/* ---- packets
 * -------------------------------------------------------------------------------------------------------- */

/* As long as the stream's: a tone of another pitch than anybody's would be heard; here a constant octet will
 * do. */
static ibk_err forge(volley *v, ibk_buf *out) {
    uint8_t payload[MEDIA_PACKET_MAX];
    size_t overhead = RTP_HEADER_LEN + 10; /* the longest tag of this profile */
    size_t len = v->t->last.len > overhead ? v->t->last.len - overhead : 0;
    memset(payload, 0x2a, sizeof payload);
    relay_speech speech = {.last = ibk_buf_span(&v->t->last), .ahead = v->ahead, .payload = {payload, len}};
    return relay_forge(v->i->relay, &speech, out);
}

static ibk_err garble(const volley *v, ibk_buf *out) {
    rtp_header header;
    ibk_err err = ibk_buf_append_span(out, ibk_buf_span(&v->t->last));
    if (err || !rtp_read(&header, out->data, out->len))
        return err ? err : IBK_ERR_BAD_VALUE;
    header.sequence = (uint16_t)(header.sequence + v->ahead);
    rtp_write(out->data, &header);
    bool drawn =
        sim_random_draw(v->i->host->sip_random, out->data + RTP_HEADER_LEN, out->len - RTP_HEADER_LEN);
    return drawn ? IBK_OK : IBK_ERR_RANDOM;
}

/* The next packet after the latest that was seen: while none comes, further and further ahead of it. */
static ibk_err next_packet(volley *v, ibk_buf *out) {
    if (v->content == SCN_FLOOD_RECORDED)
        return ibk_buf_append_span(out, ibk_buf_span(&v->recording));
    if (!ibk_span_equal(ibk_buf_span(&v->begun), ibk_buf_span(&v->t->last))) {
        ibk_buf_clear(&v->begun);
        ibk_err err = ibk_buf_append_span(&v->begun, ibk_buf_span(&v->t->last));
        if (err)
            return err;
        v->ahead = 0;
    }
    v->ahead++;
    return v->content == SCN_FLOOD_GARBAGE ? garble(v, out) : forge(v, out);
}

static ibk_err send_packet(volley *v) {
    ibk_buf packet = {0};
    ibk_err err = next_packet(v, &packet);
    if (!err && n3_udp_send(v->i->udp, &v->t->to, packet.data, packet.len))
        err = IBK_ERR_INTERNAL;
    v->i->sent += !err;
    ibk_buf_free(&packet);
    return err;
}

static void fire(void *arg) {
    volley *v = arg;
    send_packet(v);
    bool more = ims_host_now(v->i->host) + v->interval_ns < v->until_ns;
    v->timer = more ? ims_host_timer(v->i->host, v->interval_ns, fire, v) : 0;
}

ibk_err inject_start(inject *i, const inject_plan *plan) {
    const target *t = find_target(i, plan->receiver);
    if (!t || !plan->rate)
        return t ? IBK_ERR_USAGE : IBK_ERR_NO_PARAMS;
    volley *v = calloc(1, sizeof *v);
    if (!v)
        return IBK_ERR_NO_MEMORY;
    *v = (volley){.i = i, .t = t, .content = plan->content, .interval_ns = SIP_S / plan->rate};
    v->until_ns = ims_host_now(i->host) + plan->lasts_ns;
    ibk_err err = ibk_buf_append_span(&v->recording, plan->recording);
    if (!err)
        err = send_packet(v); /* the first one tells whether it can at all */
    if (err) {
        volley_free(v);
        return err;
    }
    v->timer = ims_host_timer(i->host, v->interval_ns, fire, v);
    v->next = i->volleys;
    i->volleys = v;
    return IBK_OK;
}
