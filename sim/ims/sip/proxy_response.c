/* A proxy's responses: RFC 3261 §16.7 with RFC 6026 §7.3. */
#include "ims/sip/forward.h"

#include <stdlib.h>

void sip_forward_free(sip_forward *forward) {
    for (size_t i = 0; i < forward->count; i++) {
        sip_branch_timer_stop(&forward->branch[i]);
        if (forward->branch[i].client)
            sip_client_detach(forward->branch[i].client);
    }
    if (forward->server)
        sip_server_watch(forward->server, NULL, NULL);
    *forward->prev = forward->next;
    if (forward->next)
        forward->next->prev = forward->prev;
    forward->proxy->count--;
    sip_msg_free(forward->best);
    free(forward);
}

static void leave(sip_forward *forward) {
    if (--forward->busy > 0 || forward->server)
        return;
    for (size_t i = 0; i < forward->count; i++)
        if (forward->branch[i].client)
            return;
    if (forward->proxy->ops.done && !forward->unsent)
        forward->proxy->ops.done(forward->user, forward);
    sip_forward_free(forward);
}

/* §16.7 step 6: 6xx before all, then the lowest class; within 4xx those that help the caller to try again. */
static int rank(int status) {
    static const int helpful[] = {401, 407, 415, 420, 484};
    if (status >= 600)
        return 0;
    for (size_t i = 0; i < sizeof helpful / sizeof *helpful; i++)
        if (status == helpful[i])
            return 4 * 1000 - 1;
    return status / 100 * 1000 + status % 100;
}

static void consider(sip_forward *forward, sip_msg *response) {
    if (!forward->best || rank(response->status) < rank(forward->best->status)) {
        sip_msg_free(forward->best);
        forward->best = response;
    } else {
        sip_msg_free(response);
    }
}

static bool is_open(const sip_forward *forward) {
    for (size_t i = 0; i < forward->count; i++)
        if (!forward->branch[i].done)
            return true;
    return forward->final_sent || !forward->server;
}

static void send_best(sip_forward *forward) {
    const sip_proxy_ops *ops = &forward->proxy->ops;
    if (is_open(forward) || forward->asking)
        return;
    if (ops->exhausted && !forward->cancelled && !forward->declined) {
        const sip_msg *best = forward->best && forward->best->status != 503 ? forward->best : NULL;
        forward->asking = true; /* a branch that fails at once is for us to see, below */
        ops->exhausted(forward->user, forward, best);
        forward->asking = false;
        if (is_open(forward))
            return;
    }
    forward->final_sent = true;
    if (!forward->best || forward->best->status == 503) {
        // §16.7: 503 speaks of one server, not of the way beyond us.
        (void)sip_server_reply(forward->server, 500, NULL);
        return;
    }
    sip_msg *best = forward->best;
    forward->best = NULL;
    (void)sip_server_respond(forward->server, best);
}

/* A copy without our Via, shown to the node. NULL: it ends here. */
static sip_msg *upstream_copy(sip_forward *forward, const sip_msg *response) {
    if (response->via_count < 2)
        return NULL;
    sip_msg *copy = sip_msg_clone(response);
    if (!copy)
        return NULL;
    sip_via_pop(copy);
    if (forward->proxy->ops.response)
        forward->proxy->ops.response(forward->user, forward, copy);
    return copy;
}

/* The 487 that our own CANCEL brought: what the caller is told is that nobody answered. */
static void count_as_timeout(sip_forward *forward, sip_msg **copy) {
    sip_msg *timeout =
        sip_response_new(sip_server_request(forward->server), 408, NULL, sip_server_tag(forward->server));
    if (!timeout)
        return;
    sip_msg_free(*copy);
    *copy = timeout;
}

static void on_response(void *user, sip_client *client, const sip_msg *response) {
    branch *b = user;
    sip_forward *forward = b->forward;
    (void)client;
    if (response->status == 100)
        return; // §16.7 step 5: hop by hop
    forward->busy++;
    sip_msg *copy = upstream_copy(forward, response);
    if (response->status < 200) {
        if (b->timer_c) // §16.7 step 2
            sip_branch_timer_start(b);
        if (copy && forward->server && !forward->final_sent)
            (void)sip_server_respond(forward->server, copy);
        else
            sip_msg_free(copy);
    } else if (response->status < 300) {
        b->done = true;
        sip_branch_timer_stop(b);
        forward->final_sent = true;
        if (copy && forward->server)
            (void)sip_server_respond(forward->server, copy);
        else
            sip_msg_free(copy);
        sip_forward_cancel_others(forward, b, "SIP;cause=200;text=\"Call completed elsewhere\"");
    } else {
        b->done = true;
        sip_branch_timer_stop(b);
        if (copy && b->withdrawn && response->status == 487 && forward->server)
            count_as_timeout(forward, &copy);
        if (copy)
            consider(forward, copy);
        if (response->status >= 600) {
            forward->declined = true;
            sip_forward_cancel_others(forward, b, NULL);
        }
        send_best(forward);
    }
    leave(forward);
}

/* §16.8, §16.9: no answer counts as 408, no way as 503. */
static void on_client_terminated(void *user, sip_client *client, sip_cause cause) {
    branch *b = user;
    sip_forward *forward = b->forward;
    (void)client;
    forward->busy++;
    b->client = NULL;
    sip_branch_timer_stop(b);
    if (cause != SIP_CAUSE_NONE && !b->done) {
        b->done = true;
        int status = cause == SIP_CAUSE_TIMEOUT ? (forward->cancelled ? 487 : 408) : 503;
        const sip_msg *request = forward->server ? sip_server_request(forward->server) : NULL;
        sip_msg *response =
            request ? sip_response_new(request, status, NULL, sip_server_tag(forward->server)) : NULL;
        if (response)
            consider(forward, response);
        send_best(forward);
    }
    leave(forward);
}

static void on_server_terminated(void *user, sip_server *server, sip_cause cause) {
    sip_forward *forward = user;
    (void)server;
    (void)cause;
    forward->busy++;
    forward->server = NULL;
    if (!forward->final_sent)
        sip_forward_cancel_others(forward, NULL, NULL);
    leave(forward);
}

const sip_client_ops sip_forward_client_ops = {on_response, on_client_terminated};
const sip_server_ops sip_forward_server_ops = {NULL, on_server_terminated};
