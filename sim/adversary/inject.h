/* Media in another's name, from the adversary's own node to where a victim hears: `inject-media`. */
#ifndef SIM_ADVERSARY_INJECT_H
#define SIM_ADVERSARY_INJECT_H

#include "adversary/relay.h"
#include "ims/host.h"

typedef struct inject inject;

/* `host` and `r` are borrowed. */
ibk_err inject_new(inject **out, ims_host *host, relay *r);
void inject_free(inject *i);

/* A media packet went to the node `receiver` (name, copied) at `to`. */
void inject_note(inject *i, const char *receiver, const n3_endpoint *to, ibk_span packet);

typedef struct inject_plan {
    const char *receiver;
    scn_flood_content content;
    ibk_span recording; /* with SCN_FLOOD_RECORDED: a packet; copied */
    uint32_t rate;
    uint64_t lasts_ns;
} inject_plan;

/* From now on. GARBAGE: packets that follow the stream in sequence, payload and tag random; VALID_CIPHERTEXT:
 * under the keys of the stream, if it is in its middle or was told them (told.h). IBK_ERR_NO_PARAMS: no media
 * went to that node so far. IBK_ERR_NO_KEY: it has no keys. */
ibk_err inject_start(inject *i, const inject_plan *plan);

uint64_t inject_sent(const inject *i);
bool inject_is_idle(const inject *i);

#endif
