/* ibakelab sweep: the summary on the terminal. */
#ifndef CLI_SWEEP_TABLE_H
#define CLI_SWEEP_TABLE_H

#include "reports/terminal.h"
#include "sweep/results.h"

/* A row for each combination of parameters, at most `max` of them: its values, and each measure's mean with
 * the half width of its confidence interval. False: out of memory. */
bool sweep_table(const term *t, const sweep_results *r, size_t max);

#endif
