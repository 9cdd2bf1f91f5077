/* Floods: so many MIKEY messages a second to one victim, from the adversary's own node. What they cost the
 * victim its model of a processor tells; what they cost the adversary is charged to its own. */
#ifndef SIM_ADVERSARY_FLOOD_H
#define SIM_ADVERSARY_FLOOD_H

#include "adversary/craft.h"
#include "ims/host.h"

typedef struct flood flood;

/* One flood. Strings and the recording are copied. */
typedef struct flood_plan {
    sip_addr at;         /* the victim's address: SIP by UDP to a UE, HTTP by TCP to a KMS */
    const char *as, *to; /* in whose name, and whose identity: a user's, or the KMS's (a NAI) */
    uint8_t message;     /* IBK_MSG_REQUEST_KEY_PSK goes to a KMS (P-18), any other in an INVITE to a UE */
    scn_flood_content content;
    ibk_span recording; /* the MIKEY message, with SCN_FLOOD_RECORDED */
    uint32_t rate;      /* messages a second */
    uint64_t lasts_ns;
} flood_plan;

/* `host` (with a SIP stack) and `c` are borrowed. */
ibk_err flood_new(flood **out, ims_host *host, craft *c);
void flood_free(flood *f); /* before the host; stops all */

/* From now on. Several may run at once. */
ibk_err flood_start(flood *f, const flood_plan *plan);

typedef struct flood_stats {
    uint64_t sent, answered; /* messages; final answers that came, of whatever kind */
    uint64_t failed;         /* could not be made or sent, or nobody answered */
} flood_stats;

flood_stats flood_get_stats(const flood *f);
bool flood_is_idle(const flood *f); /* nothing is to be sent any more */

#endif
