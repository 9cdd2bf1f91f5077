#include "adversary/post.h"
#include "ims/address.h"
#include "kms/http.h"
#include "kms/key_client.h"
#include "kms/log.h"
#include "tls/stream.h"

#include <stdio.h>
#include <stdlib.h>

#define POSTS_MAX 10000
#define PATIENCE  (8 * SIP_S)

typedef struct letter {
    struct letter *next, **prev;
    post_office *office;
    tls_stream *stream;
    http_reader *reader;
    ims_timer patience;
    char peer[SIP_TEXT_ADDR_MAX];
    post_done *done; /* may be NULL */
    void *user;
} letter;

struct post_office {
    ims_host *host;
    tls_endpoint *plain;
    letter *letters;
    size_t open;
    bool closed; /* nothing is sent any more */
    post_stats stats;
};

ibk_err post_office_new(post_office **out, ims_host *host) {
    *out = NULL;
    post_office *p = calloc(1, sizeof *p);
    if (!p)
        return IBK_ERR_NO_MEMORY;
    p->host = host;
    ibk_err err = tls_endpoint_new(&p->plain, host, NULL);
    if (err)
        free(p);
    else
        *out = p;
    return err;
}

static void letter_free(letter *l) {
    post_office *p = l->office;
    ims_host_cancel(p->host, &l->patience);
    tls_stream_free(l->stream);
    http_reader_free(l->reader);
    *l->prev = l->next;
    if (l->next)
        l->next->prev = l->prev;
    p->open--;
    free(l);
}

static void log_message(const letter *l, bool sent, const http_message *message, size_t octets) {
    char label[sizeof message->method + sizeof message->target];
    if (sent)
        snprintf(label, sizeof label, "%s %s", message->method, message->target);
    else
        snprintf(label, sizeof label, "%u", message->status);
    kms_http_event event = {.peer = l->peer,
                            .sent = sent,
                            .label = label,
                            .type = message->content_type,
                            .body = ibk_buf_span(&message->body),
                            .octets = octets};
    kms_log_http(l->office->host, &event);
}

/* What is no HTTP is sent, and no line of the log tells what it is. */
static void log_request(const letter *l, ibk_span request) {
    http_reader *reader = http_reader_new(HTTP_KIND_REQUEST);
    size_t used;
    if (reader && http_reader_feed(reader, request.data, request.len, &used) == HTTP_MESSAGE)
        log_message(l, true, http_reader_message(reader), request.len);
    http_reader_free(reader);
}

/* The end of a letter; `response` NULL: there was none. */
static void finish(letter *l, const http_message *response) {
    post_stats *stats = &l->office->stats;
    if (response) {
        log_message(l, false, response, response->body.len);
        stats->answered++;
        stats->accepted += response->status == 200;
    } else {
        stats->failed++;
    }
    if (l->done)
        l->done(l->user, response);
    if (response)
        tls_stream_close(l->stream);
    letter_free(l);
}

void post_office_free(post_office *p) {
    if (!p)
        return;
    p->closed = true;
    for (letter *l = p->letters, *next; l; l = next) {
        next = l->next;
        finish(l, NULL);
    }
    tls_endpoint_free(p->plain);
    free(p);
}

static void on_received(void *user, tls_stream *stream, ibk_span octets) {
    letter *l = user;
    size_t used;
    (void)stream;
    http_result result = http_reader_feed(l->reader, octets.data, octets.len, &used);
    if (result != HTTP_MORE)
        finish(l, result == HTTP_MESSAGE ? http_reader_message(l->reader) : NULL);
}

static void on_ended(void *user, tls_stream *stream, const tls_stream_end *end) {
    (void)stream, (void)end;
    finish(user, NULL);
}

static void out_of_patience(void *arg) {
    letter *l = arg;
    l->patience = 0;
    finish(l, NULL);
}

ibk_err post_octets(post_office *p, const sip_addr *at, ibk_span request, post_done *done, void *user) {
    static const tls_stream_handlers handlers = {.received = on_received, .ended = on_ended};
    sip_addr to = *at;
    if (p->closed || p->open >= POSTS_MAX)
        return p->closed ? IBK_ERR_STATE : IBK_ERR_LIMIT;
    letter *l = calloc(1, sizeof *l);
    if (!l)
        return IBK_ERR_NO_MEMORY;
    *l = (letter){.office = p,
                  .next = p->letters,
                  .prev = &p->letters,
                  .reader = http_reader_new(HTTP_KIND_RESPONSE),
                  .done = done,
                  .user = user};
    if (l->next)
        l->next->prev = &l->next;
    p->letters = l;
    p->open++;
    if (!to.port)
        to.port = KMS_HTTP_PORT;
    sip_addr_ip(l->peer, &to);
    n3_endpoint remote = ims_endpoint(&to);
    ibk_err err =
        l->reader ? tls_stream_connect(&l->stream, p->plain, &remote, NULL, &handlers, l) : IBK_ERR_NO_MEMORY;
    if (!err)
        err = tls_stream_send(l->stream, request);
    if (err) {
        letter_free(l);
        return err;
    }
    l->patience = ims_host_timer(p->host, PATIENCE, out_of_patience, l);
    p->stats.sent++;
    log_request(l, request);
    return IBK_OK;
}

ibk_err post_mikey(post_office *p, const sip_addr *at, ibk_span mikey) {
    char host[SIP_TEXT_ADDR_MAX];
    ibk_buf octets = {0};
    sip_addr_ip(host, at);
    http_request request = {
        .method = "POST", .host = host, .target = KMS_TARGET, .type = HTTP_MIKEY_TYPE, .body = mikey};
    ibk_err err = http_write_request(&octets, &request);
    if (!err)
        err = post_octets(p, at, ibk_buf_span(&octets), NULL, NULL);
    ibk_buf_free(&octets);
    return err;
}

post_stats post_get_stats(const post_office *p) {
    return p->stats;
}

bool post_is_idle(const post_office *p) {
    return p->open == 0;
}
