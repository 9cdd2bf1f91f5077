#include "conformance/cases/cases.h"

void cases_all(suite_list *list) {
    cases_flow(list);
    cases_deviation(list);
    cases_state(list);
    cases_parser(list);
    cases_replay(list);
    cases_sdp(list);
    cases_kms(list);
}
