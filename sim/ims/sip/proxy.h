/* SIP: a stateful proxy core (RFC 3261 §16) for the CSCFs. The node decides where a request goes and what is
 * changed in it; the core does the rest: Max-Forwards, Via, loose routing, Record-Route, Timer C, CANCEL, the
 * best response. A context holds an array of branches, so that forking needs no other interface. */
#ifndef IMS_SIP_PROXY_H
#define IMS_SIP_PROXY_H

#include "ims/sip/stack.h"

#define SIP_PROXY_MAX_BRANCHES 16

typedef struct sip_proxy sip_proxy;
typedef struct sip_forward sip_forward; /* response context of one request */

typedef struct sip_proxy_config {
    /* URIs that are this proxy (its Route and Record-Route entries, host and port compare); copied. The first
     * one is what goes into Record-Route, with lr. */
    const sip_uri *self;
    size_t self_count;
    uint64_t timer_c; /* ns; 0: 181 s (RFC 3261 §16.6 step 11: more than 3 minutes) */
} sip_proxy_config;

/* Members may be NULL. */
typedef struct sip_proxy_ops {
    /* A response on its way upstream, own Via removed: may be changed. Called before the choice of the best
     * for final ones. `user` is that of sip_proxy_forward. */
    void (*response)(void *user, sip_forward *forward, sip_msg *response);
    /* Every branch has failed, and `best` (NULL: 500) is about to go upstream. The node may add a branch by
     * sip_proxy_fork (sequential forking) or answer by sip_proxy_answer instead. Not called after a CANCEL or
     * a 6xx. */
    void (*exhausted)(void *user, sip_forward *forward, const sip_msg *best);
    /* The context is over (response sent or request abandoned); the last callback. */
    void (*done)(void *user, sip_forward *forward);
} sip_proxy_ops;

ibk_err sip_proxy_new(sip_proxy **out, sip_stack *stack, const sip_proxy_config *config,
                      const sip_proxy_ops *ops);
void sip_proxy_free(sip_proxy *proxy); /* before sip_stack_free; open contexts end silently */

/* RFC 3261 §16.3: Max-Forwards, Proxy-Require, scheme, loops (own sent-by with the same request). True: go
 * on. False: the request was answered (483, 420, 416, 482). */
bool sip_proxy_check(sip_proxy *proxy, sip_server *server);
/* RFC 3261 §16.4 and §16.6: a copy of the request ready to be changed: Max-Forwards decremented, strict
 * routing undone, own topmost Route entries removed. `own_route` (may be NULL): the URI of the first removed
 * entry in the copy's arena, which tells e.g. originating from terminating; its scheme is NULL if there was
 * none. NULL: memory. */
sip_msg *sip_proxy_copy(sip_proxy *proxy, const sip_msg *request, sip_uri *own_route);
bool sip_proxy_is_self(const sip_proxy *proxy, const sip_uri *uri);

typedef struct sip_proxy_target {
    const sip_dest *dest; /* NULL: next hop of the message */
    bool record_route;    /* push ours; only INVITE and other dialog-making requests should */
    const char
        *rr_user; /* user part of our Record-Route URI, or NULL: tells this role from another ("orig") */
} sip_proxy_target;

/* Forwards `copy` (consumed, even on failure) and relays the answers. INVITE: 100 is sent upstream at once.
 * On failure to send the request is answered 500 or 503 by the core, and no callback with this `user`
 * follows. *out may be NULL. */
ibk_err sip_proxy_forward(sip_proxy *proxy, sip_forward **out, sip_server *server, sip_msg *copy,
                          const sip_proxy_target *target, void *user);
/* Another branch of the same request (parallel or sequential fork), before a final response went upstream.
 * Consumes copy. */
ibk_err sip_proxy_fork(sip_forward *forward, sip_msg *copy, const sip_proxy_target *target);
/* An ACK for a 2xx goes on without a transaction. `copy` from sip_proxy_copy (consumed). */
ibk_err sip_proxy_forward_ack(sip_proxy *proxy, sip_msg *copy, const sip_dest *dest);
/* Feed from sip_core.cancel: cancels all branches (RFC 3261 §16.10). */
void sip_proxy_on_cancel(sip_proxy *proxy, sip_server *invite, const sip_msg *cancel);
/* The branches that are still open have had their time: they are cancelled, and each counts as 408 (RFC 3261
 * §16.8). */
void sip_proxy_withdraw(sip_forward *forward);
/* A response of the node's own (consumed, even on failure): a provisional one on its way, or the final one,
 * upon which open branches are cancelled. IBK_ERR_STATE: a final one went before. */
ibk_err sip_proxy_answer(sip_forward *forward, sip_msg *response);
sip_server *sip_forward_server(const sip_forward *forward);
size_t sip_proxy_context_count(const sip_proxy *proxy);

#endif
