#include "ims/core/cscf.h"

#include <stdlib.h>
#include <string.h>

/* A request that waits for the HSS. */
typedef struct cscf_wait {
    cscf *c;
    sip_server *server; /* NULL: it ended meanwhile */
    cscf_then *then;
    struct cscf_wait *next;
} cscf_wait;

static void on_request(void *user, sip_server *server, const sip_msg *request) {
    cscf *c = user;
    if (sip_proxy_check(c->proxy, server))
        c->request(c->self, server, request);
}

static void on_ack(void *user, const sip_msg *ack, const sip_dest *source) {
    cscf *c = user;
    (void)source;
    sip_msg *copy = sip_proxy_copy(c->proxy, ack, NULL);
    if (copy)
        sip_proxy_forward_ack(c->proxy, copy, NULL);
}

static void on_cancel(void *user, sip_server *invite, const sip_msg *cancel) {
    cscf *c = user;
    for (cscf_wait *wait = c->waiting; wait; wait = wait->next) {
        if (wait->server != invite)
            continue;
        wait->server = NULL;
        sip_server_watch(invite, NULL, NULL);
        sip_server_reply(invite, 487, NULL);
        return;
    }
    sip_proxy_on_cancel(c->proxy, invite, cancel);
}

ibk_err cscf_start(cscf *c, const cscf_config *config, const sip_proxy_ops *ops) {
    static const char *const roles[] = {NULL, "orig", "term"};
    enum { ROLES = sizeof roles / sizeof roles[0] };
    sip_core core = {.user = c, .request = on_request, .ack = on_ack, .cancel = on_cancel};
    c->config = *config;
    c->forward_user = c;
    ibk_err err = ims_host_new(&c->host, &config->host, &core);
    if (err)
        return err;
    sip_arena arena = {0};
    sip_uri self[ROLES + 1];
    for (size_t i = 0; i < ROLES; i++)
        self[i] = sip_uri_make(&arena, roles[i], config->host.name, 0, SIP_PROTO_NONE, true);
    char ip[SIP_TEXT_ADDR_MAX];
    sip_addr_ip(ip, &c->host->addr);
    self[ROLES] = sip_uri_make(&arena, NULL, ip, 0, SIP_PROTO_NONE, true);
    sip_proxy_config proxy = {.self = self, .self_count = ROLES + 1};
    err = arena.failed ? IBK_ERR_NO_MEMORY : sip_proxy_new(&c->proxy, c->host->stack, &proxy, ops);
    sip_arena_free(&arena);
    if (!err && config->hss.family)
        err = cx_client_new(&c->cx, c->host, &config->hss, config->hss_name, config->domain);
    return err;
}

void cscf_stop(cscf *c) {
    for (cscf_wait *wait = c->waiting; wait; wait = wait->next)
        if (wait->server)
            sip_server_watch(wait->server, NULL, NULL);
    cx_client_free(c->cx); /* answers every open question with result 0: the waits are freed by it */
    sip_proxy_free(c->proxy);
    ims_host_free(c->host);
    c->cx = NULL;
    c->proxy = NULL;
    c->host = NULL;
}

sip_name_addr cscf_self(const cscf *c, sip_arena *arena, const char *user) {
    return cscf_peer(arena, user, c->config.host.name);
}

sip_name_addr cscf_peer(sip_arena *arena, const char *user, const char *host) {
    return (sip_name_addr){.uri = sip_uri_make(arena, user, host, 0, SIP_PROTO_NONE, true)};
}

static void wait_ended(void *user, sip_server *server, sip_cause cause) {
    cscf_wait *wait = user;
    (void)server;
    (void)cause;
    wait->server = NULL;
}

static void wait_answered(void *user, const cx_answer *answer) {
    cscf_wait *wait = user;
    cscf *c = wait->c;
    for (cscf_wait **at = &c->waiting; *at; at = &(*at)->next)
        if (*at == wait) {
            *at = wait->next;
            break;
        }
    sip_server *server = wait->server;
    cscf_then *then = wait->then;
    free(wait);
    if (!server || !c->cx)
        return;
    sip_server_watch(server, NULL, NULL);
    then(c->self, server, answer);
}

void cscf_ask(cscf *c, sip_server *server, const cx_request *question, cscf_then *then) {
    static const sip_server_ops ops = {.terminated = wait_ended};
    cscf_wait *wait = calloc(1, sizeof *wait);
    if (!wait) {
        cscf_refuse(c, server, 503, "out of memory");
        return;
    }
    *wait = (cscf_wait){.c = c, .server = server, .then = then, .next = c->waiting};
    c->waiting = wait;
    sip_server_watch(server, &ops, wait);
    if (cx_client_ask(c->cx, question, wait_answered, wait) == IBK_OK)
        return;
    c->waiting = wait->next;
    free(wait);
    sip_server_watch(server, NULL, NULL);
    cscf_refuse(c, server, 503, "the HSS cannot be asked");
}

void cscf_forward(cscf *c, sip_server *server, sip_msg *copy, const char *record_user) {
    sip_proxy_target target = {.record_route = record_user != NULL, .rr_user = record_user};
    sip_proxy_forward(c->proxy, NULL, server, copy, &target, c->forward_user);
}

void cscf_refuse(cscf *c, sip_server *server, int status, const char *why) {
    const sip_msg *request = sip_server_request(server);
    trace *t = c->host->world->trace;
    trace_begin(t, TRACE_ERROR, c->config.host.name, "refused");
    trace_str(t, "method", request->method);
    trace_str(t, "call", request->call_id);
    trace_int(t, "status", status);
    trace_str(t, "reason", why);
    trace_end(t);
    sip_server_reply(server, status, NULL);
}

bool cscf_is_initial(const sip_msg *request) {
    return sip_to_tag(request) == NULL;
}

const char *cscf_identity(sip_arena *arena, const sip_uri *uri) {
    return sip_uri_aor(arena, uri);
}
