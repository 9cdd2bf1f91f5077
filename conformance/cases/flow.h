#ifndef CONFORMANCE_CASES_FLOW_H
#define CONFORMANCE_CASES_FLOW_H

#include "conformance/cases/common.h"

void cases_flow_accept(suite_list *list); /* what policy is told to accept alone */
void cases_flow_more(suite_list *list);   /* mailbox, ESK, maps, forks, clocks … */
void cases_flow_offer(suite_list *list);  /* identities and policies of offers */
void cases_flow_update(suite_list *list); /* CSB updates (RFC 6267 §5.3) */

#endif
