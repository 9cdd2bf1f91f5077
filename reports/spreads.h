/* ibakelab: what a sweep measured, by combination of its parameters, as the tables that people read. One
 * reader of the result for every format; a format says how a table, a row and a cell look. */
#ifndef REPORTS_SPREADS_H
#define REPORTS_SPREADS_H

#include "reports/report.h"

typedef struct spreads_format {
    /* `title`: "setup (s)", what the numbers are of. */
    void (*begin)(FILE *out, const char *title);
    void (*row)(FILE *out, bool head);
    /* `head`: it names its column. Not a number: it names a combination. */
    void (*cell)(FILE *out, const char *text, bool head, bool number);
    void (*row_end)(FILE *out, bool head, size_t names, size_t numbers); /* cells of the row, by their kind */
    void (*end)(FILE *out, size_t left_out);                             /* combinations that were not told */
} spreads_format;

/* A table for each measure of a sweep, with a row for each combination, `rows` at most: n, mean, half the
 * width of the 95 % confidence interval, min, max. Nothing for results of another kind. */
void spreads_tell(FILE *out, const report_item *item, const spreads_format *format, size_t rows);
/* How many measures it would tell. */
size_t spreads_count(const report_item *item);
/* The unit of a measure of a sweep; "": a plain number, or the result names none. */
const char *spreads_unit(const json_t *result, const char *measure);

#endif
