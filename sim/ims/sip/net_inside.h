/* SIP, inside: a node's sockets, shared by net.c and net_conn.c. */
#ifndef IMS_SIP_NET_INSIDE_H
#define IMS_SIP_NET_INSIDE_H

#include "ims/sip/framing.h"
#include "ims/sip/net.h"

typedef struct connection connection;

struct connection {
    connection *next, **prev;
    sip_net *net;
    n3_tcp *tcp;
    uint64_t id; /* sip_dest.flow */
    sip_addr remote;
    sip_framer framer;
    uint64_t idle_timer;
    bool busy;       /* inside its own reception */
    bool dead;       /* to be freed when it is not busy */
    bool connected;  /* what was sent before may be lost otherwise */
    uint64_t *token; /* of what was sent and not yet drained */
    size_t token_count;
};

struct sip_net {
    n3_node *node;
    sip_stack *stack;
    sip_net_config config;
    n3_udp *udp;
    n3_listener *listener;
    connection *connections;
    size_t count;
    uint64_t last_id;
};

n3_endpoint sip_net_endpoint(const sip_addr *addr);
sip_addr sip_net_addr(const n3_endpoint *endpoint);
ibk_err sip_net_send_tcp(sip_net *net, const sip_dest *dest, ibk_span octets, uint64_t token);
void sip_net_on_accept(void *user, n3_tcp *tcp);
/* Closes without a word to the stack. */
void sip_net_drop(connection *c);

#endif
