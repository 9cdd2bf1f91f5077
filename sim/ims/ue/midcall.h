/* What the observers and the tests know of offers in the middle of a call. */
#ifndef IMS_UE_MIDCALL_H
#define IMS_UE_MIDCALL_H

#include "scenario/model.h"

const char *ue_update_name(scn_do what); /* "rekey", as in a scenario */
/* RFC 3261 §14.1: how long to wait after a 491; `owns_call_id`: who sent the first INVITE. */
uint64_t ue_glare_delay_ns(uint64_t random, bool owns_call_id);

#endif
