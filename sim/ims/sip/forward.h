/* SIP, inside: a proxy's response contexts, shared by proxy.c and proxy_response.c. */
#ifndef IMS_SIP_FORWARD_H
#define IMS_SIP_FORWARD_H

#include "ims/sip/proxy.h"

typedef struct branch {
    sip_forward *forward;
    sip_client *client; /* NULL when it is gone */
    bool done;          /* has its final response */
    bool withdrawn;     /* cancelled by us for having taken too long */
    uint64_t timer_c;
} branch;

struct sip_forward {
    sip_forward *next, **prev;
    sip_proxy *proxy;
    sip_server *server; /* NULL when it is gone */
    void *user;
    branch branch[SIP_PROXY_MAX_BRANCHES];
    size_t count;
    sip_msg *best;                        /* final response other than 2xx, ready to go */
    bool final_sent, cancelled, declined; /* declined: there was a 6xx */
    bool unsent;                          /* sip_proxy_forward failed: the node knows */
    bool asking;                          /* the node's `exhausted` is running */
    unsigned busy;
};

struct sip_proxy {
    sip_stack *stack;
    sip_arena arena;
    sip_uri *self;
    size_t self_count;
    uint64_t timer_c;
    sip_proxy_ops ops;
    sip_forward *contexts;
    size_t count;
};

extern const sip_client_ops sip_forward_client_ops;
extern const sip_server_ops sip_forward_server_ops;

void sip_forward_free(sip_forward *forward);
void sip_forward_cancel_others(sip_forward *forward, const branch *except, const char *reason);
void sip_branch_timer_start(branch *b);
void sip_branch_timer_stop(branch *b);

#endif
