/* The op `parse` (IUT.md §5.2) for cases. */
#ifndef CONFORMANCE_CASES_PARSE_H
#define CONFORMANCE_CASES_PARSE_H

#include "conformance/cases/common.h"

/* The answer has to be `ok` and to give `same` back; fails `id`. `more`: further members, "'curve': 'P-256'"
 * or "". */
json_t *parse_taken(suite_trial *t, const char *what, ibk_span octets, const char *more, ibk_span same,
                    const char *id);
/* It has to be refused with one of `classes`, "malformed|encoding". */
void parse_refused(suite_trial *t, const char *what, ibk_span octets, const char *more, const char *classes,
                   const char *id);

void cases_parser_points(suite_list *list);
void cases_parser_der(suite_list *list);
void cases_parser_contents(suite_list *list);

#endif
