/* ibakelab: a result folder that was read: its result.json and, of a run, what the page shows of its
 * messages. */
#ifndef REPORTS_REPORT_H
#define REPORTS_REPORT_H

#include <ibake/base.h>
#include <jansson.h>

typedef struct report_item {
    char *dir;      /* the folder as it was given; may be NULL */
    json_t *result; /* its result.json */
    json_t *run;    /* RUN of docs/reports.md, or NULL */
} report_item;

#endif
