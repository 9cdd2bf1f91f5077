/* SIP: the transport layer (RFC 3261 §18) over the network shim: one UDP socket and one TCP listener a node,
 * TCP connections that are reused, framing by Content-Length. Plugs into a sip_stack, and gives it time and
 * timers. */
#ifndef IMS_SIP_NET_H
#define IMS_SIP_NET_H

#include "ims/sip/stack.h"
#include "ns3shim/n3.h"

typedef struct sip_net sip_net;

typedef struct sip_net_config {
    sip_addr local;           /* address and port to bind, UDP and TCP; port 0: SIP_PORT */
    uint64_t connect_timeout; /* ns; 0: 8 s. ns-3 itself would report a refused connection after minutes */
    uint64_t idle_timeout;    /* ns until an unused connection is closed; 0: 180 s */
    size_t max_connections;   /* 0: 1,024 */
    size_t max_queue;         /* octets waiting on one connection; 0: 1 MiB */
} sip_net_config;

/* Opens the sockets on `node` and sets the stack's transport. The stack must outlive the net. */
ibk_err sip_net_new(sip_net **out, n3_node *node, sip_stack *stack, const sip_net_config *config);
/* Closes the sockets; before sip_stack_free. */
void sip_net_free(sip_net *net);

#endif
