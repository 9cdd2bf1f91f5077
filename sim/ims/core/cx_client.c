/* A CSCF's connection to the HSS: opened with the first question, capabilities exchanged, questions matched
 * to answers by Hop-by-Hop Identifier. */
#include "ims/address.h"
#include "ims/core/cx_codec.h"

#include <stdlib.h>
#include <string.h>

#define ANSWER_TIMEOUT (10 * SIP_S) /* Tx of RFC 6733 is left to the application; SIP's timer B is 32 s */

typedef struct question {
    cx_client *client;
    uint32_t id;
    ims_timer timer;
    cx_done *done;
    void *user;
    struct question *next;
} question;

struct cx_client {
    ims_host *host;
    n3_endpoint hss;
    char name[CX_TEXT_MAX], realm[CX_TEXT_MAX];
    n3_tcp *tcp; /* NULL: not connected */
    ibk_buf input;
    question *open;
    uint32_t last_id;
};

static cx_ends ends_of(const cx_client *c) {
    return (cx_ends){
        .origin = c->host->name, .realm = c->realm, .destination = c->name, .address = c->host->addr};
}

/* Takes the question out of the list and answers it. */
static void conclude(question *q, const cx_answer *answer) {
    cx_client *c = q->client;
    question **at = &c->open;
    while (*at != q)
        at = &(*at)->next;
    *at = q->next;
    ims_host_cancel(c->host, &q->timer);
    cx_done *done = q->done;
    void *user = q->user;
    free(q);
    done(user, answer);
}

static void fail_all(cx_client *c) {
    static const cx_answer silence;
    while (c->open)
        conclude(c->open, &silence); // NOLINT(clang-analyzer-unix.Malloc): conclude() unlinks what it frees
}

static void timed_out(void *arg) {
    static const cx_answer silence;
    question *q = arg;
    q->timer = 0;
    conclude(q, &silence);
}

static void log_message(const cx_client *c, const diameter_message *m) {
    trace *t = c->host->world->trace;
    trace_begin(t, TRACE_NET, c->host->name, "cx-answer");
    trace_str(t, "peer", c->name);
    trace_uint(t, "command", m->header.command);
    trace_uint(t, "result", diameter_result(m));
    trace_end(t);
}

static void take_message(cx_client *c, ibk_span octets) {
    diameter_message m;
    cx_answer answer;
    if (diameter_parse(&m, octets, NULL) || m.header.request)
        return;
    log_message(c, &m);
    for (question *q = c->open; q; q = q->next) {
        if (q->id != m.header.hop_by_hop)
            continue;
        cx_read_answer(&answer, &m);
        conclude(q, &answer);
        ibk_wipe(&answer, sizeof answer);
        return;
    }
}

static void drop_connection(cx_client *c) {
    n3_tcp_free(c->tcp);
    c->tcp = NULL;
    ibk_buf_clear(&c->input);
    fail_all(c);
}

static void on_received(void *user, n3_tcp *tcp, const uint8_t *data, size_t len) {
    cx_client *c = user;
    if (ibk_buf_append(&c->input, data, len)) {
        drop_connection(c);
        return;
    }
    while (c->tcp == tcp && c->input.len > 0) {
        size_t frame = diameter_frame(ibk_buf_span(&c->input));
        if (frame == SIZE_MAX) {
            drop_connection(c);
            return;
        }
        if (frame == 0 || frame > c->input.len)
            return;
        take_message(c, ibk_span_of(c->input.data, frame));
        memmove(c->input.data, c->input.data + frame, c->input.len - frame);
        c->input.len -= frame;
    }
}

static void on_ended(void *user, n3_tcp *tcp, n3_tcp_end why) {
    (void)tcp, (void)why;
    drop_connection(user);
}

static void on_peer_closed(void *user, n3_tcp *tcp) {
    (void)tcp;
    drop_connection(user);
}

static ibk_err send_octets(cx_client *c, const ibk_buf *octets) {
    return n3_tcp_send(c->tcp, octets->data, octets->len) == N3_OK ? IBK_OK : IBK_ERR_IO;
}

static ibk_err connect_hss(cx_client *c) {
    n3_tcp_config config = {
        .handlers = {.received = on_received, .peer_closed = on_peer_closed, .ended = on_ended}, .user = c};
    if (n3_tcp_connect(&c->tcp, c->host->node, NULL, &c->hss, &config))
        return IBK_ERR_IO;
    ibk_buf cer = {0};
    cx_ends ends = ends_of(c);
    ibk_err err = cx_write_capabilities(&cer, &ends, NULL);
    if (!err)
        err = send_octets(c, &cer);
    ibk_buf_free(&cer);
    return err;
}

ibk_err cx_client_new(cx_client **out, ims_host *host, const sip_addr *server, const char *hss_name,
                      const char *realm) {
    *out = NULL;
    if (strlen(hss_name) >= CX_TEXT_MAX || strlen(realm) >= CX_TEXT_MAX)
        return IBK_ERR_LIMIT;
    cx_client *c = calloc(1, sizeof *c);
    if (!c)
        return IBK_ERR_NO_MEMORY;
    c->host = host;
    c->hss = ims_endpoint(server);
    c->hss.port = DIAMETER_PORT;
    strcpy(c->name, hss_name);
    strcpy(c->realm, realm);
    *out = c;
    return IBK_OK;
}

void cx_client_free(cx_client *c) {
    if (!c)
        return;
    n3_tcp_free(c->tcp);
    c->tcp = NULL;
    fail_all(c);
    ibk_buf_free(&c->input);
    free(c);
}

ibk_err cx_client_ask(cx_client *c, const cx_request *request, cx_done *done, void *user) {
    ibk_buf octets = {0};
    cx_ends ends = ends_of(c);
    question *q = calloc(1, sizeof *q);
    if (!q)
        return IBK_ERR_NO_MEMORY;
    *q = (question){.client = c, .id = ++c->last_id, .done = done, .user = user};
    ibk_err err = c->tcp ? IBK_OK : connect_hss(c);
    if (!err)
        err = cx_write_question(&octets, &ends, request, q->id);
    if (!err)
        err = send_octets(c, &octets);
    ibk_buf_free(&octets);
    if (err) {
        free(q);
        return err;
    }
    q->timer = ims_host_timer(c->host, ANSWER_TIMEOUT, timed_out, q);
    q->next = c->open;
    c->open = q;
    return IBK_OK;
}
