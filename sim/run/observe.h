/* From the nodes' own accounts to the result model: what happened to every user, call and link. */
#ifndef SIM_RUN_OBSERVE_H
#define SIM_RUN_OBSERVE_H

#include "reports/result.h"
#include "run/world.h"

/* Both ends' views of a call; NULL where there is none. The callee is who answered it; of a call that nobody
 * answered, who was called. */
typedef struct call_views {
    const ue_call_view *caller, *callee;
    const scn_user *callee_user;
    uint64_t diversions;
    const scn_user *diverted_by; /* the last time */
} call_views;

call_views observe_views(const world *w, const scn_call *call);
const scn_user *observe_answered_by(const call_views *views); /* NULL: nobody */
bool observe_keys_agree(const call_views *views);
bool observe_is_established(const call_views *views);
bool observe_is_completed(const call_views *views);
/* SRTP accepted in both directions. */
bool observe_is_protected(const call_views *views);
bool observe_is_intact(const call_views *views); /* and what was received is what was sent */
ibk_err
observe_reason(const call_views *views); /* why an end gave the exchange up; the callee's word first */
/* Of both ends and all streams: packets missing by their sequence numbers or refused; SRTP and SRTCP packets
 * that fit no key. */
uint64_t observe_media_lost(const call_views *views);
uint64_t observe_auth_failures(const call_views *views);
uint64_t observe_open_calls(const ue *u); /* that have not ended */
/* Sets of parameters that a user fetched and found in order; *failure (may be NULL): of its latest fetch, or
 * 0. */
size_t observe_parameters(const ue *u, scn_parameters_failure *failure);
uint64_t observe_sip_retransmissions(const world *w);
uint64_t observe_packets_lost(const world *w);

/* Fills title, calls, users, links, versions and counts of `r`. */
void observe(result *r, const world *w);

#endif
