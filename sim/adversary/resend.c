#include "adversary/resend.h"

#include <stdlib.h>

#define ANSWER_MAX ((size_t)1 << 20)

typedef struct line {
    resend *r;
    n3_tcp *tcp;
    n3_timer timer;
    tap_kind kind;
    n3_endpoint to;
    ibk_buf answer;
    bool over; /* it is freed by its timer, outside of its callbacks */
    struct line *next;
} line;

struct resend {
    resend_config config;
    line *lines;
};

resend *resend_new(const resend_config *config) {
    resend *r = calloc(1, sizeof *r);
    if (r)
        r->config = *config;
    return r;
}

static void free_line(line *l) {
    line **at = &l->r->lines;
    while (*at != l)
        at = &(*at)->next;
    *at = l->next;
    n3_cancel(n3_node_sim(l->r->config.node), l->timer);
    n3_tcp_free(l->tcp);
    ibk_buf_free(&l->answer);
    free(l);
}

void resend_free(resend *r) {
    if (!r)
        return;
    while (r->lines)
        free_line(r->lines);
    free(r);
}

bool resend_is_idle(const resend *r) {
    return r->lines == NULL;
}

static void log_answer(const line *l, const seen *s, n3_tcp_end why) {
    char label[SEEN_TEXT_MAX], address[N3_ENDPOINT_TEXT];
    trace *t = l->r->config.log;
    trace_begin(t, TRACE_ATTACK, l->r->config.name, "answer");
    trace_str(t, "address", n3_endpoint_format(address, &l->to));
    if (s)
        trace_str(t, "what", seen_label(label, s));
    else
        trace_str(t, "end", why ? n3_tcp_end_name(why) : "silence");
    trace_end(t);
}

/* What came is taken for one message: nobody sends a second one unasked. */
static void conclude(line *l, n3_tcp_end why) {
    tap_message message = {.kind = l->kind,
                           .tcp = true,
                           .from = l->to,
                           .octets = ibk_buf_span(&l->answer),
                           .now_ns = n3_now(n3_node_sim(l->r->config.node))};
    seen s;
    bool read = l->answer.len > 0 && seen_read(&s, &l->r->config.world, &message) == IBK_OK;
    log_answer(l, read ? &s : NULL, why);
    if (read && l->r->config.answered)
        l->r->config.answered(l->r->config.user, &s);
    if (read)
        seen_clear(&s);
}

static void give_up(void *user) {
    line *l = user;
    if (!l->over)
        conclude(l, 0);
    free_line(l);
}

static void finish(line *l, n3_tcp_end why) {
    n3_sim *sim = n3_node_sim(l->r->config.node);
    if (l->over)
        return;
    l->over = true;
    conclude(l, why);
    n3_cancel(sim, l->timer);
    n3_schedule(sim, &l->timer, 0, give_up, l);
}

/* A message is whole when its body is as long as Content-Length says. */
static bool is_whole(const line *l) {
    tap_message message = {.kind = l->kind, .octets = ibk_buf_span(&l->answer)};
    seen s;
    if (seen_read(&s, &l->r->config.world, &message))
        return false;
    bool whole = s.header.len > 0 && s.body.at + s.body.len == l->answer.len;
    seen_clear(&s);
    return whole;
}

static void received(void *user, n3_tcp *tcp, const uint8_t *data, size_t len) {
    line *l = user;
    (void)tcp;
    if (l->over || l->answer.len + len > ANSWER_MAX || ibk_buf_append(&l->answer, data, len))
        return;
    if (is_whole(l))
        finish(l, 0);
}

static void peer_closed(void *user, n3_tcp *tcp) {
    (void)tcp;
    finish(user, N3_TCP_END_CLOSED);
}

static void ended(void *user, n3_tcp *tcp, n3_tcp_end why) {
    (void)tcp;
    finish(user, why);
}

ibk_err resend_send(resend *r, const seen_record *what, ibk_diag *diag) {
    const n3_tcp_config config = {
        .handlers = {.received = received, .peer_closed = peer_closed, .ended = ended}};
    n3_sim *sim = n3_node_sim(r->config.node);
    line *l = calloc(1, sizeof *l);
    if (!l)
        return IBK_ERR_NO_MEMORY;
    *l = (line){.r = r, .kind = what->message.kind, .to = what->message.to, .next = r->lines};
    r->lines = l;
    n3_tcp_config own = config;
    own.user = l;
    bool ok = n3_tcp_connect(&l->tcp, r->config.node, NULL, &l->to, &own) == N3_OK &&
              n3_tcp_send(l->tcp, what->octets.data, what->octets.len) == N3_OK &&
              n3_schedule(sim, &l->timer, RESEND_WAIT_NS, give_up, l) == N3_OK;
    if (ok)
        return IBK_OK;
    free_line(l);
    return ibk_fail(diag, IBK_ERR_REFUSED, "connection", 0, "%s", n3_last_error());
}
