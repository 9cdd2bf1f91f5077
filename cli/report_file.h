/* ibakelab: a report in one format into one file; for the commands report and conform. */
#ifndef CLI_REPORT_FILE_H
#define CLI_REPORT_FILE_H

#include "reports/report.h"

/* "-" is standard output; `path` NULL: nothing is wanted. CLI_OK, or a status after a message. */
int report_file(const char *command, const char *path, report_writer *write, const report_item *items,
                size_t count);

/* Before the work begins whose result goes there: CLI_OK if each of `paths` ("-" and NULL as above) looks as
 * if it could be written, and at most one of them is standard output; else CLI_BAD after a message. Nothing
 * is touched. */
int report_files_check(const char *command, const char *const *paths, size_t count);

#endif
