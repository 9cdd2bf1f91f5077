/* What is alive in a UE's memory, for adversaries of the simulation who break into it at some moment: nothing
 * that was wiped, nothing that is yet to be drawn. */
#ifndef IMS_UE_MEMORY_H
#define IMS_UE_MEMORY_H

#include "ims/ue/ue.h"

/* What is told of each find; each may be NULL. All octets are borrowed for the call. */
typedef struct ue_memory_reader {
    void *user;
    void (*private_key)(void *user, ibk_span ibe_identity, const ibk_ibe_params *params,
                        const ibk_ibe_key *key);
    void (*psk)(void *user, ibk_span psk); /* shared with its KMS */
    /* Of a session that goes on (without IBK_DEFENCE_WIPE: of any): x or y, the points, MPK, TGK, SK. */
    void (*session)(void *user, const ibk_session_secret *secret);
    void (*sk)(void *user, ibk_span sk); /* of content that was encoded before its call */
} ue_memory_reader;

void ue_read_memory(const ue *u, const ue_memory_reader *reader);

#endif
