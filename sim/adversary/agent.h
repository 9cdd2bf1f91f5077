/* The adversary's own terminal: a SIP user agent on its node that is registered nowhere. It calls a UE at its
 * address, in anybody's name, with an exchange of its own or with a message that it recorded, and goes on as
 * far as it can; it answers calls that were rerouted to it in the name of whom they were for, if it can read
 * what they bring. What it sends is what it is: nothing on the way to the victim's UE vouches for it. */
#ifndef SIM_ADVERSARY_AGENT_H
#define SIM_ADVERSARY_AGENT_H

#include "adversary/craft.h"
#include "ims/host.h"

typedef struct agent agent;

/* `host` is borrowed and lives on; its SIP core feeds agent_core. `c` is borrowed. */
ibk_err agent_new(agent **out, ims_host *host, craft *c);
void agent_free(agent *a); /* calls end without a word; before the host */
/* The core for ims_host_new; `user` is a pointer to an `agent *` that may still be NULL: requests are then
 * refused. */
sip_core agent_core(agent **user);

typedef struct agent_call {
    sip_addr at;          /* the UE's address; port 0: 5060 */
    const char *as, *to;  /* identities */
    ibk_span i_message_1; /* what it brings; empty: an exchange of its own */
    uint64_t lasts_ns;    /* from the ACK; 0: ten seconds */
} agent_call;

/* Strings and octets are copied. IBK_ERR_NO_PARAMS: nothing to encrypt to `to` with. */
ibk_err agent_place_call(agent *a, const agent_call *call);

typedef struct agent_stats {
    uint64_t placed, answered; /* calls; answered: by it */
    uint64_t read;             /* R_MESSAGE_1 and I_MESSAGE_1 that it could read */
    uint64_t accepted; /* calls in which the other end took its I_MESSAGE_2, or its R_MESSAGE_2 was sent */
    uint64_t keys;     /* of these, with keys that it has */
    uint64_t media;    /* packets that it opened */
} agent_stats;

agent_stats agent_get_stats(const agent *a);
bool agent_is_idle(const agent *a); /* no call is open */

#endif
