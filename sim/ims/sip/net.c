/* Sockets of one node for its stack. Connections: net_conn.c. */
#include "ims/sip/net_inside.h"

#include <stdlib.h>
#include <string.h>

/* ---- addresses ------------------------------------------------------------------------------------------
 */

n3_endpoint sip_net_endpoint(const sip_addr *addr) {
    n3_endpoint out = {.port = addr->port};
    out.addr.family = addr->family == 6 ? N3_IPV6 : addr->family == 4 ? N3_IPV4 : N3_NONE;
    memcpy(out.addr.octets, addr->octets, addr->family == 6 ? 16 : 4);
    return out;
}

sip_addr sip_net_addr(const n3_endpoint *endpoint) {
    sip_addr out = {.port = endpoint->port};
    out.family = endpoint->addr.family == N3_IPV6 ? 6 : endpoint->addr.family == N3_IPV4 ? 4 : 0;
    memcpy(out.octets, endpoint->addr.octets, out.family == 6 ? 16 : 4);
    return out;
}

/* ---- sending ----------------------------------------------------------------------------------------------
 */

static ibk_err send_udp(sip_net *net, const sip_dest *dest, ibk_span octets) {
    n3_endpoint to = sip_net_endpoint(&dest->addr);
    switch (n3_udp_send(net->udp, &to, octets.data, octets.len)) {
    case N3_OK:
        return IBK_OK;
    case N3_ERR_LIMIT:
        return IBK_ERR_LIMIT;
    case N3_ERR_MEMORY:
        return IBK_ERR_NO_MEMORY;
    default:
        return IBK_ERR_REFUSED; // no route
    }
}

static ibk_err send_octets(void *self, const sip_dest *dest, ibk_span octets, uint64_t token) {
    sip_net *net = self;
    return dest->proto == SIP_TCP ? sip_net_send_tcp(net, dest, octets, token) : send_udp(net, dest, octets);
}

static void on_datagram(void *user, const n3_endpoint *from, const n3_endpoint *to, const uint8_t *data,
                        size_t len) {
    sip_net *net = user;
    sip_dest source = {.proto = SIP_UDP, .addr = sip_net_addr(from)};
    (void)to;
    sip_stack_receive(net->stack, &source, ibk_span_of(data, len));
}

/* ---- life
 * --------------------------------------------------------------------------------------------------- */

ibk_err sip_net_new(sip_net **out, n3_node *node, sip_stack *stack, const sip_net_config *config) {
    *out = NULL;
    sip_net *net = calloc(1, sizeof *net);
    if (!net)
        return IBK_ERR_NO_MEMORY;
    net->node = node;
    net->stack = stack;
    net->config = *config;
    net->config.local.port = config->local.port ? config->local.port : SIP_PORT;
    net->config.idle_timeout = config->idle_timeout ? config->idle_timeout : 180 * SIP_S;
    net->config.max_connections = config->max_connections ? config->max_connections : 1024;
    n3_endpoint local = sip_net_endpoint(&net->config.local);
    if (n3_udp_new(&net->udp, node, &local, on_datagram, net) != N3_OK ||
        n3_listen(&net->listener, node, &local, sip_net_on_accept, net) != N3_OK) {
        sip_net_free(net);
        return IBK_ERR_REFUSED;
    }
    sip_stack_set_transport(stack, &(sip_transport){net, send_octets});
    *out = net;
    return IBK_OK;
}

void sip_net_free(sip_net *net) {
    if (!net)
        return;
    sip_stack_set_transport(net->stack, NULL);
    while (net->connections)
        sip_net_drop(net->connections);
    n3_listener_free(net->listener);
    n3_udp_free(net->udp);
    free(net);
}
