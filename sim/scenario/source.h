/* Scenario loader: the files that a scenario is read from: its own, and those that it extends. */
#ifndef SCENARIO_SOURCE_H
#define SCENARIO_SOURCE_H

#include "scenario/tree.h"

/* Reads at most SCN_MAX_FILE + 1 octets; appended to `out`. IBK_ERR_IO: errno tells why. */
ibk_err scn_source_read(ibk_buf *out, const char *path);
/* The one error of a file that could not be read; `cause` is errno. */
void scn_source_unreadable(scn_errors *errors, const char *path, int cause);

/* Adds a file to ctx->sources, with its folder; `text` is borrowed (arena). NULL: out of memory. */
const scn_source_file *scn_source_add(scn_ctx *ctx, const char *path, ibk_span text);
/* The folder where relative paths begin that stand at `where`; those of a --set begin at the scenario's. */
const char *scn_source_folder(const scn_ctx *ctx, const scn_where *where);
/* "path" of a text that stands at `where`, in the arena; an absolute one stays as it is. */
const char *scn_source_path(const scn_ctx *ctx, const scn_where *where, const char *text);

/* Lays the tree over that of the file which its key `extends` names, and so on; the key is taken away.
 * Mappings are laid over each other key by key, lists of named entries name by name (new names come last);
 * everything else, and `expect`, takes the place of what was there. False: a file could not be had, which is
 * reported. */
bool scn_extend(scn_ctx *ctx, scn_node *root);

#endif
