#ifndef CONFORMANCE_CASES_STATE_H
#define CONFORMANCE_CASES_STATE_H

#include "conformance/cases/common.h"

suite_report state_open_user(suite_trial *t); /* session u: asks for Alice's key by the PSK */
void cases_state_malformed(suite_list *list);
void cases_errors(suite_list *list); /* what is told, and what an Error message may end */

#endif
