#include "cli/report_file.h"

#include "cli/cli.h"

#include <errno.h>
#include <string.h>

int report_file(const char *command, const char *path, report_writer *write, const report_item *items,
                size_t count) {
    if (!path)
        return CLI_OK;
    bool standard = strcmp(path, "-") == 0;
    FILE *out = standard ? stdout : fopen(path, "w");
    if (!out)
        return cli_error(command, "%s: %s", path, strerror(errno));
    ibk_err err = write(out, items, count);
    bool good = !ferror(out) && (standard ? fflush(out) : fclose(out)) == 0;
    if (err)
        return cli_fail(command, path, err, NULL);
    if (!good)
        cli_error(command, "%s: it could not be written: %s", path, strerror(errno));
    return good ? CLI_OK : CLI_INTERNAL;
}
