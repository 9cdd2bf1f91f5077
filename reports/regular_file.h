/* ibakelab: files of a result's folder, opened to be read. A folder comes from anywhere (a CI job's
 * artifact): a pipe in it would be waited for without end, and a device has no end. */
#ifndef REPORTS_REGULAR_FILE_H
#define REPORTS_REGULAR_FILE_H

#include <ibake/base.h>
#include <stdio.h>
#include <sys/stat.h>

/* The caller closes it. *about (may be NULL) is filled. NULL: it cannot be opened, or is no regular file;
 * IBK_ERR_REFUSED in *diag with a detail that says why. */
FILE *regular_file_open(const char *path, struct stat *about, ibk_diag *diag);

#endif
