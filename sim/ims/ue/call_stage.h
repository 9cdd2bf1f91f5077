/* Test support: a whole simulated world with alice and bob, whose call is up; what one of them sends in its
 * middle is made by hand. */
#ifndef IMS_UE_CALL_STAGE_H
#define IMS_UE_CALL_STAGE_H

#include "ims/ue/midcall_inside.h"
#include "run/world.h"

typedef struct call_stage {
    scn_scenario *scenario;
    trace *log;
    trace_memory *events;
    world *world;
    uint64_t now_ns;
    ue *alice, *bob;
    ue_call *caller, *callee; /* alice's end and bob's */
} call_stage;

int call_stage_up(void **state);      /* *state is a call_stage: alice has called bob, and media flow */
int call_stage_up_slow(void **state); /* the same; bob's phone has the processor of one */
int call_stage_down(void **state);

void call_stage_play(call_stage *s, uint64_t ms);
/* A request inside the dialog of alice's with this body (NULL: none), and 3 s for its answer. */
void call_stage_send(call_stage *s, const char *method, const char *sdp);
/* A description of alice's: audio in `first`, behind it `rest` ("" or more m-lines). */
const char *call_stage_sdp(const char *first, const char *rest);
/* The label of the last SIP message that a node received: "491 Request Pending". */
const char *call_stage_heard(const call_stage *s, const char *node);
const ue_update *call_stage_last(const ue_call *call); /* the last of its updates */

#endif
