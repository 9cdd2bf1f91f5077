#include "reports/regular_file.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

static const char *kind_of(mode_t mode) {
    return S_ISDIR(mode) ? "a folder" : S_ISFIFO(mode) ? "a pipe" : S_ISSOCK(mode) ? "a socket" : "a device";
}

FILE *regular_file_open(const char *path, struct stat *about, ibk_diag *diag) {
    struct stat own;
    about = about ? about : &own;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* which does not wait for a pipe's other end */
    FILE *file = NULL;
    if (fd < 0 || fstat(fd, about) != 0)
        ibk_fail(diag, IBK_ERR_REFUSED, NULL, 0, "%s", strerror(errno));
    else if (!S_ISREG(about->st_mode))
        ibk_fail(diag, IBK_ERR_REFUSED, NULL, 0, "it is %s, and a file is wanted", kind_of(about->st_mode));
    else if (!(file = fdopen(fd, "rb")))
        ibk_fail(diag, IBK_ERR_REFUSED, NULL, 0, "%s", strerror(errno));
    if (!file && fd >= 0)
        close(fd);
    return file;
}
