/* ibakelab conform: what a run came to, held against the baseline, told on the terminal, written as reports.
 */
#ifndef CLI_CONFORM_VERDICT_H
#define CLI_CONFORM_VERDICT_H

#include "cli/conform_choice.h"

#include <jansson.h>
#include <stdio.h>

typedef struct conform_verdict {
    const conform_options *options; /* borrowed, as are the next three */
    const conform_choice *choice;
    const char *iut;
    const json_t *hello;
    char timestamp[20]; /* when the run began */
    double seconds;     /* that it took */
    FILE *out;          /* for people */
    /* about the baseline, and about how adapters ended: how many, and all of them, one a line */
    size_t complaints;
    char *complaint;
    size_t complaint_size;
    FILE *complaining; /* writes them there */
} conform_verdict;

/* Before the run. False: out of memory. */
bool conform_verdict_begin(conform_verdict *v);
/* Tells a complaint, and keeps it for the reports. `of`: "baseline", "crash". */
void conform_complain(conform_verdict *v, const char *of, const char *text);
/* The whole verdict, as an exit status. */
int conform_verdict_give(conform_verdict *v);
void conform_verdict_free(conform_verdict *v); /* legal on the zero value */

/* Are reports wanted, and the result as each of them. `result` is taken over. */
bool conform_wants_reports(const conform_options *o);
int conform_write_reports(const conform_options *o, json_t *result);

#endif
