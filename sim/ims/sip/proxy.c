/* The proxy's core: checks, copies, branches, CANCEL. What comes back: proxy_response.c. */
#include "ims/sip/forward.h"
#include "ims/sip/ids.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

ibk_err sip_proxy_new(sip_proxy **out, sip_stack *stack, const sip_proxy_config *config,
                      const sip_proxy_ops *ops) {
    *out = NULL;
    if (config->self_count == 0 || config->self_count > SIP_MAX_LIST)
        return IBK_ERR_USAGE;
    sip_proxy *proxy = calloc(1, sizeof *proxy);
    if (!proxy)
        return IBK_ERR_NO_MEMORY;
    proxy->stack = stack;
    proxy->ops = ops ? *ops : (sip_proxy_ops){0};
    proxy->timer_c = config->timer_c ? config->timer_c : 181 * SIP_S;
    proxy->self = sip_arena_alloc(&proxy->arena, config->self_count * sizeof *proxy->self);
    for (size_t i = 0; proxy->self && i < config->self_count; i++)
        sip_uri_copy(&proxy->arena, &proxy->self[proxy->self_count++], &config->self[i]);
    if (proxy->arena.failed) {
        sip_proxy_free(proxy);
        return IBK_ERR_NO_MEMORY;
    }
    *out = proxy;
    return IBK_OK;
}

void sip_proxy_free(sip_proxy *proxy) {
    if (!proxy)
        return;
    while (proxy->contexts)
        sip_forward_free(proxy->contexts);
    sip_arena_free(&proxy->arena);
    free(proxy);
}

size_t sip_proxy_context_count(const sip_proxy *proxy) {
    return proxy->count;
}

sip_server *sip_forward_server(const sip_forward *forward) {
    return forward->server;
}

bool sip_proxy_is_self(const sip_proxy *proxy, const sip_uri *uri) {
    uint16_t port = uri->port ? uri->port : SIP_PORT;
    for (size_t i = 0; uri->host && i < proxy->self_count; i++) {
        const sip_uri *self = &proxy->self[i];
        if (strcasecmp(self->host, uri->host) == 0 && (self->port ? self->port : SIP_PORT) == port)
            return true;
    }
    return false;
}

/* ---- RFC 3261 §16.3 ------------------------------------------------------------------------------------ */

static uint64_t mixed(uint64_t hash, const char *text) {
    for (; text && *text; text++)
        hash = (hash ^ (uint8_t)*text) * UINT64_C(1099511628211);
    return (hash ^ 0xff) * UINT64_C(1099511628211);
}

/* What distinguishes a loop from a spiral (§16.6 step 8): the fields that decide where a request goes. The
 * Route entries count, so that one request may visit a proxy in two roles. */
static void loop_mark(char out[20], const sip_msg *request) {
    char cseq[16];
    sip_arena arena = {0};
    uint64_t hash = UINT64_C(14695981039346656037);
    snprintf(cseq, sizeof cseq, "%u", request->cseq);
    hash = mixed(hash, request->method);
    hash = mixed(hash, sip_uri_text(&arena, &request->uri));
    hash = mixed(hash, request->call_id);
    hash = mixed(hash, sip_from_tag(request));
    hash = mixed(hash, sip_to_tag(request));
    hash = mixed(hash, cseq);
    hash = mixed(hash, sip_header_get(request, "Proxy-Require"));
    hash = mixed(hash, sip_header_get(request, "Proxy-Authorization"));
    for (size_t i = 0; i < request->route_count; i++)
        hash = mixed(hash, sip_uri_text(&arena, &request->route[i].uri));
    sip_arena_free(&arena);
    snprintf(out, 20, ".%016llx", (unsigned long long)hash);
}

static bool is_loop(const sip_proxy *proxy, const sip_msg *request) {
    const sip_config *config = sip_stack_config(proxy->stack);
    char mark[20];
    loop_mark(mark, request);
    for (size_t i = 0; i < request->via_count; i++) {
        const sip_via *via = &request->via[i];
        const char *id = sip_branch(via);
        uint16_t port = via->port ? via->port : SIP_PORT;
        size_t len = id ? strlen(id) : 0;
        if (port == config->port && strcasecmp(via->host, config->host) == 0 && len > strlen(mark) &&
            strcmp(id + len - strlen(mark), mark) == 0)
            return true;
    }
    return false;
}

static bool is_forwardable(const char *scheme) {
    return strcmp(scheme, "sip") == 0 || strcmp(scheme, "sips") == 0 || strcmp(scheme, "tel") == 0;
}

bool sip_proxy_check(sip_proxy *proxy, sip_server *server) {
    const sip_msg *request = sip_server_request(server);
    const char *extension = sip_header_get(request, "Proxy-Require");
    int status = 0;
    if (!is_forwardable(request->uri.scheme))
        status = 416;
    else if (request->max_forwards == 0)
        status = 483;
    else if (is_loop(proxy, request))
        status = 482;
    else if (extension)
        status = 420;
    if (status == 0)
        return true;
    sip_msg *response = sip_response_new(request, status, NULL, sip_server_tag(server));
    if (response && status == 420)
        sip_header_add(response, "Unsupported", extension);
    (void)sip_server_respond(server, response);
    return false;
}

/* ---- §16.4, §16.6 -------------------------------------------------------------------------------------- */

sip_msg *sip_proxy_copy(sip_proxy *proxy, const sip_msg *request, sip_uri *own_route) {
    char mark[20];
    sip_msg *copy = sip_msg_clone(request);
    if (own_route)
        *own_route = (sip_uri){0};
    if (!copy)
        return NULL;
    loop_mark(mark, request);
    copy->branch_mark = sip_arena_str(&copy->arena, mark);
    if (copy->max_forwards > 0)
        copy->max_forwards--;
    // A strict router before us put our Record-Route URI into the Request-URI.
    if (copy->route_count && sip_uri_is_loose(&copy->uri) && sip_proxy_is_self(proxy, &copy->uri)) {
        if (own_route)
            *own_route = copy->uri;
        copy->uri = copy->route[--copy->route_count].uri;
    }
    while (copy->route_count && sip_proxy_is_self(proxy, &copy->route[0].uri)) {
        if (own_route && !own_route->scheme)
            *own_route = copy->route[0].uri;
        sip_route_pop(copy);
    }
    // §16.6 step 6: a strict router after us.
    if (copy->route_count && !sip_uri_is_loose(&copy->route[0].uri)) {
        sip_name_addr last = {.uri = copy->uri};
        sip_route_append(copy, &last);
        copy->uri = copy->route[0].uri;
        sip_route_pop(copy);
        copy->strict = true;
    }
    if (!copy->arena.failed)
        return copy;
    sip_msg_free(copy);
    return NULL;
}

static void record_route(sip_proxy *proxy, sip_msg *copy, const char *user) {
    sip_name_addr own = {.uri = proxy->self[0]};
    own.uri.params = (sip_params){0};
    own.uri.user = user;
    sip_param_set(&copy->arena, &own.uri.params, "lr", NULL);
    sip_record_route_push(copy, &own);
}

/* ---- branches -------------------------------------------------------------------------------------------
 */

void sip_forward_cancel_others(sip_forward *forward, const branch *except, const char *reason) {
    for (size_t i = 0; i < forward->count; i++)
        if (&forward->branch[i] != except && forward->branch[i].client && !forward->branch[i].done)
            (void)sip_client_cancel(forward->branch[i].client, reason);
}

static void timer_c_fired(void *arg) {
    branch *b = arg;
    b->timer_c = 0;
    if (b->client && !b->done) // §16.8: the end comes by 487, or 64*T1 after the CANCEL
        (void)sip_client_cancel(b->client, NULL);
}

void sip_branch_timer_stop(branch *b) {
    const sip_env *env = sip_stack_env(b->forward->proxy->stack);
    env->timer_cancel(env->user, b->timer_c);
    b->timer_c = 0;
}

void sip_branch_timer_start(branch *b) {
    const sip_env *env = sip_stack_env(b->forward->proxy->stack);
    sip_branch_timer_stop(b);
    b->timer_c = env->timer_start(env->user, b->forward->proxy->timer_c, timer_c_fired, b);
}

static ibk_err add_branch(sip_forward *forward, sip_msg *copy, const sip_proxy_target *target) {
    if (!copy)
        return IBK_ERR_NO_MEMORY;
    if (forward->count == SIP_PROXY_MAX_BRANCHES) {
        sip_msg_free(copy);
        return IBK_ERR_LIMIT;
    }
    if (target->record_route)
        record_route(forward->proxy, copy, target->rr_user);
    branch *b = &forward->branch[forward->count];
    *b = (branch){.forward = forward};
    bool invite = sip_is(copy, "INVITE");
    ibk_err err =
        sip_client_start(forward->proxy->stack, &b->client, copy, target->dest, &sip_forward_client_ops, b);
    if (err)
        return err;
    forward->count++;
    if (invite)
        sip_branch_timer_start(b);
    return IBK_OK;
}

ibk_err sip_proxy_forward(sip_proxy *proxy, sip_forward **out, sip_server *server, sip_msg *copy,
                          const sip_proxy_target *target, void *user) {
    if (out)
        *out = NULL;
    sip_forward *forward = copy ? calloc(1, sizeof *forward) : NULL;
    if (!forward) {
        sip_msg_free(copy);
        (void)sip_server_reply(server, 500, NULL);
        return IBK_ERR_NO_MEMORY;
    }
    forward->proxy = proxy;
    forward->server = server;
    forward->user = user;
    forward->next = proxy->contexts;
    forward->prev = &proxy->contexts;
    if (forward->next)
        forward->next->prev = &forward->next;
    proxy->contexts = forward;
    proxy->count++;
    sip_server_watch(server, &sip_forward_server_ops, forward);
    if (sip_is(copy, "INVITE") && sip_server_status(server) == 0)
        (void)sip_server_reply(server, 100, NULL);
    ibk_err err = add_branch(forward, copy, target);
    if (err) {
        forward->final_sent = forward->unsent = true;
        (void)sip_server_reply(server, err == IBK_ERR_NO_MEMORY ? 500 : 503, NULL);
    } else if (out) {
        *out = forward;
    }
    return err;
}

ibk_err sip_proxy_fork(sip_forward *forward, sip_msg *copy, const sip_proxy_target *target) {
    if (forward->final_sent) {
        sip_msg_free(copy);
        return IBK_ERR_STATE;
    }
    return add_branch(forward, copy, target);
}

void sip_proxy_withdraw(sip_forward *forward) {
    for (size_t i = 0; i < forward->count; i++) {
        branch *b = &forward->branch[i];
        if (!b->client || b->done)
            continue;
        b->withdrawn = true;
        (void)sip_client_cancel(b->client, NULL);
    }
}

ibk_err sip_proxy_answer(sip_forward *forward, sip_msg *response) {
    if (!response)
        return IBK_ERR_NO_MEMORY;
    if (forward->final_sent || !forward->server) {
        sip_msg_free(response);
        return IBK_ERR_STATE;
    }
    forward->final_sent = response->status >= 200;
    if (forward->final_sent)
        sip_forward_cancel_others(forward, NULL, NULL);
    return sip_server_respond(forward->server, response);
}

ibk_err sip_proxy_forward_ack(sip_proxy *proxy, sip_msg *copy, const sip_dest *dest) {
    sip_dest to = {0};
    if (!copy)
        return IBK_ERR_NO_MEMORY;
    ibk_err err = copy->max_forwards == 0 ? IBK_ERR_REFUSED : IBK_OK;
    if (!err && dest)
        to = *dest;
    else if (!err)
        err = sip_stack_next_hop(proxy->stack, &to, copy, NULL);
    if (!err)
        err = sip_stack_prepare(proxy->stack, copy, &to);
    if (!err)
        err = sip_stack_send(proxy->stack, copy, &to, false);
    sip_msg_free(copy);
    return err;
}

void sip_proxy_on_cancel(sip_proxy *proxy, sip_server *invite, const sip_msg *cancel) {
    for (sip_forward *forward = proxy->contexts; forward; forward = forward->next)
        if (forward->server == invite) {
            forward->cancelled = true;
            sip_forward_cancel_others(forward, NULL, sip_header_get(cancel, "Reason"));
            return;
        }
    (void)sip_server_reply(invite, 487, NULL);
}
