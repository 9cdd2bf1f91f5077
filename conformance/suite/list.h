/* The list of cases: what a run chooses from. */
#ifndef CONFORMANCE_SUITE_LIST_H
#define CONFORMANCE_SUITE_LIST_H

#include "conformance/suite/suite.h"

suite_list *suite_list_new(unsigned strength); /* NULL: no memory */
void suite_list_free(suite_list *list);
size_t suite_list_count(const suite_list *list);
const suite_case *suite_list_at(const suite_list *list, size_t index);
/* A message if a case could not be added (no memory, a name that stands twice), else NULL. */
const char *suite_list_trouble(const suite_list *list);

#endif
