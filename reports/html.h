/* ibakelab: results as one HTML page that needs nothing beside it: script, style and data stand in it
 * (docs/reports.md). The script and the style are made from reports/web when the project is built. */
#ifndef REPORTS_HTML_H
#define REPORTS_HTML_H

#include "reports/report.h"

#include <stdio.h>

/* Writes the page of `count` items, which stay the caller's, to `out`. Whatever a result says is text:
 * nothing in it becomes markup or script. Where scripts do not run, tables of the results' main contents are
 * shown instead. IBK_ERR_USAGE: no item, or one without a result; IBK_ERR_NO_MEMORY; IBK_ERR_IO: `out` did
 * not take all. */
ibk_err report_write_html(FILE *out, const report_item *items, size_t count, const char *title,
                          ibk_diag *diag);

#endif
