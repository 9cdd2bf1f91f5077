/* ibakelab: results as one HTML page that needs nothing beside it: script, style and data stand in it
 * (docs/reports.md). The script and the style are made from reports/web when the project is built. */
#ifndef REPORTS_HTML_H
#define REPORTS_HTML_H

#include "reports/report.h"

/* The page of all items (report.h). Whatever a result says is text: nothing in it becomes markup or script.
 * Where scripts do not run, tables of the results' main contents are shown instead. The same items give the
 * same octets. IBK_ERR_NO_MEMORY; IBK_ERR_INTERNAL: zlib failed. */
report_writer report_write_html;

#endif
