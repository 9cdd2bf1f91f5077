/* The cases of the conformance suite, family by family (IUT.md §4). */
#ifndef CONFORMANCE_CASES_H
#define CONFORMANCE_CASES_H

#include "conformance/suite/suite.h"

void cases_flow(suite_list *list);      /* what has to work, in every role and combination */
void cases_deviation(suite_list *list); /* what the peer bends, one knob at a time */
void cases_state(suite_list *list);     /* each message in each state; repeated, missing, out of order */
void cases_parser(suite_list *list); /* octets that are no message, DER that is none, points off the curve */
void cases_replay(suite_list *list); /* replay and skew */
void cases_sdp(suite_list *list);    /* RFC 4567 */
void cases_kms(suite_list *list);    /* key requests, and who may have which key */

/* All of them, family by family, in this order. */
void cases_all(suite_list *list);

#endif
