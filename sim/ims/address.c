#include "ims/address.h"

#include <string.h>

n3_endpoint ims_endpoint(const sip_addr *addr) {
    n3_endpoint endpoint = {.port = addr->port};
    endpoint.addr.family = addr->family == 6 ? N3_IPV6 : addr->family == 4 ? N3_IPV4 : N3_NONE;
    memcpy(endpoint.addr.octets, addr->octets, addr->family == 6 ? 16 : 4);
    return endpoint;
}

sip_addr ims_sip_addr(const n3_endpoint *endpoint) {
    sip_addr addr = {.port = endpoint->port};
    addr.family = endpoint->addr.family == N3_IPV6 ? 6 : endpoint->addr.family == N3_IPV4 ? 4 : 0;
    memcpy(addr.octets, endpoint->addr.octets, addr.family == 6 ? 16 : 4);
    return addr;
}
