/* Which call of the scenario a SIP call is: one book for all UEs of a run. A caller enters the Call-ID of its
 * INVITE; every UE that the INVITE reaches (the one called, a further device of that user, the target of a
 * diversion) finds there how to behave, and who observes the run finds every end of a call. Nothing of it
 * travels. */
#ifndef IMS_UE_SCRIPTS_H
#define IMS_UE_SCRIPTS_H

#include "scenario/model.h"

typedef struct ue_scripts ue_scripts;
struct ue;

/* scn_call.entry of a script that a mailbox made for a call of its own: its ends are not kept, for the
 * scenario knows no such call. */
#define UE_SCRIPT_OF_MAILBOX SIZE_MAX

/* One end of a call: ue_call_at(u, index). */
typedef struct ue_end {
    const struct ue *u;
    size_t index;
} ue_end;

ue_scripts *ue_scripts_new(const scn_scenario *scenario); /* borrowed; NULL: out of memory */
void ue_scripts_free(ue_scripts *s);                      /* legal on NULL */
ibk_err ue_scripts_enter(ue_scripts *s, const char *call_id, const scn_call *script);
const scn_call *ue_scripts_find(const ue_scripts *s, const char *call_id); /* NULL: no call of the scenario */
ibk_err ue_scripts_add_end(ue_scripts *s, const scn_call *script, const ue_end *end);
/* In the order in which the ends came to be; borrowed until the next one is added. */
const ue_end *ue_scripts_ends(const ue_scripts *s, const scn_call *script, size_t *count);

#endif
