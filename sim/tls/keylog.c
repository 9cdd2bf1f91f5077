#include "tls/keylog.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

struct tls_keylog {
    char *path;
    FILE *file;       /* opened with the first line */
    int error_number; /* the first one */
};

ibk_err tls_keylog_open(tls_keylog **out, const char *path) {
    *out = calloc(1, sizeof **out);
    if (*out && ((*out)->path = strdup(path)))
        return IBK_OK;
    free(*out);
    *out = NULL;
    return IBK_ERR_NO_MEMORY;
}

static FILE *create(const char *path) {
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0)
        return NULL;
    FILE *file = fchmod(fd, 0600) == 0 ? fdopen(fd, "w") : NULL; /* an older one may be readable by others */
    if (!file)
        close(fd);
    return file;
}

void tls_keylog_line(void *keylog, const char *line) {
    tls_keylog *log = keylog;
    if (log->error_number)
        return;
    if (!log->file)
        log->file = create(log->path);
    if (!log->file || fprintf(log->file, "%s\n", line) < 0)
        log->error_number = errno ? errno : EIO;
}

ibk_err tls_keylog_close(tls_keylog *log, ibk_diag *diag) {
    if (!log)
        return IBK_OK;
    if (log->file && fclose(log->file) && !log->error_number)
        log->error_number = errno;
    int error = log->error_number;
    ibk_err err = error
                      ? ibk_fail(diag, IBK_ERR_IO, "TLS key log", 0, "%.80s: %s", log->path, strerror(error))
                      : IBK_OK;
    free(log->path);
    free(log);
    return err;
}
