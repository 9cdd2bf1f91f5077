/* Addresses as the SIP layer has them and as the network shim has them. */
#ifndef IMS_ADDRESS_H
#define IMS_ADDRESS_H

#include "ims/sip/env.h"
#include "ns3shim/n3.h"

n3_endpoint ims_endpoint(const sip_addr *addr);
sip_addr ims_sip_addr(const n3_endpoint *endpoint);

#endif
