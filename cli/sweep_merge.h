/* ibakelab sweep --merge: the databases of shards together. */
#ifndef CLI_SWEEP_MERGE_H
#define CLI_SWEEP_MERGE_H

#include "sweep/store.h"

/* Puts the rows of the databases into `into`: of those that are named, or else of the files shard-*.db in
 * `folder`. Each must be of this sweep and version. CLI_OK, or a status after a message. */
int sweep_merge(sweep_store *into, const sweep *s, const sweep_stamp *stamp, const char *folder,
                char *const *databases, size_t count);

#endif
