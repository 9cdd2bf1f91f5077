#include "cli/sweep_merge.h"
#include "cli/cli.h"
#include "cli/sweep_campaign.h"

#include <glob.h>

/* A row without a result does not take the place of one that has it. */
typedef struct gatherer {
    sweep_store *into;
    ibk_diag *diag;
} gatherer;

static ibk_err gather(void *user, const sweep_row *row) {
    const gatherer *g = user;
    return sweep_store_has(g->into, row->point) ? IBK_OK : sweep_store_put(g->into, row, g->diag);
}

static int merge_one(sweep_store *into, const sweep *s, const sweep_stamp *stamp, const char *path) {
    ibk_diag diag = {0};
    sweep_store *from;
    gatherer g = {.into = into, .diag = &diag};
    ibk_err err = sweep_store_open(&from, path, s, stamp, "", SWEEP_STORE_READ, &diag);
    if (!err)
        err = sweep_store_read(from, gather, &g, &diag);
    sweep_store_close(from);
    return err ? cli_fail(SWEEP_COMMAND, path, err, &diag) : CLI_OK;
}

int sweep_merge(sweep_store *into, const sweep *s, const sweep_stamp *stamp, const char *folder,
                char *const *databases, size_t count) {
    char pattern[4200];
    glob_t found = {0};
    int status = CLI_OK;
    snprintf(pattern, sizeof pattern, "%s/shard-*.db", folder);
    if (!count && glob(pattern, 0, NULL, &found) != 0)
        status = cli_error(SWEEP_COMMAND, "there is no %s: name the databases after the file", pattern);
    for (size_t i = 0; !status && i < (count ? count : found.gl_pathc); i++)
        status = merge_one(into, s, stamp, count ? databases[i] : found.gl_pathv[i]);
    globfree(&found);
    return status;
}
