/* When the messages of SIP passed the first link on their way: of everything that a host sends over its own
 * link, the packets of SIP are noted as they are put on the wire. */
#ifndef SIM_RUN_HOPS_H
#define SIM_RUN_HOPS_H

#include "ns3shim/n3.h"

#include <ibake/base.h>

typedef struct hops hops;

hops *hops_new(void); /* NULL: out of memory */
void hops_free(hops *h);

/* What this host sends over its link is noted from now on. IBK_ERR_NO_MEMORY. */
ibk_err hops_add(hops *h, const n3_node *host, uint64_t rate_bps, uint64_t delay_ns);
/* An IP packet whose first octet is put on a link, now. */
void hops_packet(hops *h, const n3_node *sender, uint64_t now_ns, const uint8_t *packet, size_t len);

typedef struct hops_message {
    const n3_node *from;
    n3_addr to;
    bool tcp;
    uint64_t octets;            /* of the message */
    uint64_t sent_ns, until_ns; /* sent; the other end of the link was reached by then */
} hops_message;

typedef struct hops_passage {
    uint64_t passed_ns; /* the last packet reached the other end of the sender's link */
    uint64_t resent_ns; /* of the time until then, what passed until a TCP segment or SYN was sent again */
} hops_passage;

/* A message over TCP is the next so many octets that are sent. False: it was not seen, or came there later
 * than until_ns. */
bool hops_passed(const hops *h, const hops_message *message, hops_passage *passage);

#endif
