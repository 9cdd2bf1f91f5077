#include "cli/report_file.h"

#include "cli/cli.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int check_one(const char *command, const char *path) {
    struct stat about;
    if (stat(path, &about) == 0 && S_ISDIR(about.st_mode))
        return cli_error(command, "%s: a file is wanted, and this is a folder", path);
    if (access(path, W_OK) == 0)
        return CLI_OK;
    if (errno != ENOENT || !*path)
        return cli_error(command, "'%s' cannot be written: %s", path, strerror(errno));
    char *folder = report_folder_of(path);
    int number = !folder ? ENOMEM : access(folder, W_OK | X_OK) != 0 ? errno : 0;
    free(folder);
    return number ? cli_error(command, "%s cannot be written: %s", path, strerror(number)) : CLI_OK;
}

/* One would overwrite the other; not where they lead to a device. */
static bool is_named_twice(const char *const *paths, size_t i) {
    struct stat about;
    for (size_t k = 0; k < i; k++)
        if (paths[k] && strcmp(paths[k], paths[i]) == 0)
            return stat(paths[i], &about) != 0 || S_ISREG(about.st_mode);
    return false;
}

int report_files_check(const char *command, const char *const *paths, size_t count) {
    size_t standard = 0;
    int status = CLI_OK;
    for (size_t i = 0; i < count && !status; i++) {
        bool out = paths[i] && strcmp(paths[i], "-") == 0;
        standard += out;
        if (paths[i] && !out && is_named_twice(paths, i))
            status = cli_usage(command, "%s is named twice", paths[i]);
        else if (paths[i] && !out)
            status = check_one(command, paths[i]);
    }
    return !status && standard > 1 ? cli_usage(command, "only one of them can go to standard output")
                                   : status;
}

int report_file(const char *command, const char *path, report_writer *write, const report_item *items,
                size_t count) {
    if (!path)
        return CLI_OK;
    bool standard = strcmp(path, "-") == 0;
    FILE *out = standard ? stdout : fopen(path, "w");
    if (!out)
        return cli_error(command, "%s: %s", path, strerror(errno));
    ibk_err err = write(out, items, count);
    bool good = fflush(out) == 0 && !ferror(out);
    int number = errno;
    if (!standard && fclose(out) != 0 && good) {
        good = false;
        number = errno;
    }
    if (err)
        return cli_fail(command, path, err, NULL);
    if (good || standard) /* which cli_finish() asks about */
        return CLI_OK;
    cli_error(command, "%s: it could not be written: %s", path, strerror(number));
    return CLI_INTERNAL;
}
