/* The results of a sweep in an SQLite database, as they come: a row a point, each in a transaction of its
 * own.
 *
 *     table sweep:  key, value: format, title, file, scenario, points, digest, versions, shard
 *     table points: point, seed, a column for each parameter, verdict, detail, kept, a column for each
 * measure
 *
 * The process may be killed at any moment, and the machine fail: what was put is there. */
#ifndef SWEEP_STORE_H
#define SWEEP_STORE_H

#include "sweep/sweep.h"

typedef struct sweep_store sweep_store;

typedef enum sweep_store_mode {
    SWEEP_STORE_NEW = 0, /* a database that has rows is refused */
    SWEEP_STORE_RESUME,  /* it is continued, if it is of this sweep; or made */
    SWEEP_STORE_READ     /* it must be there, of this sweep; nobody is kept from writing to it */
} sweep_store_mode;

/* Opens the database at `path`; both `s` and `stamp` are borrowed until it is closed. `shard` is a text such
 * as "2/10", or "" for the whole sweep. But for READ it is locked against other sweeps (a file PATH.lock),
 * for as long as this process lives and no longer; its children hold no lock. IBK_ERR_REFUSED: it has rows of
 * another sweep, of another version, or of this one without RESUME; it is in use; it is no database: *diag
 * tells. IBK_ERR_IO: SQLite's own message. */
ibk_err sweep_store_open(sweep_store **out, const char *path, const sweep *s, const sweep_stamp *stamp,
                         const char *shard, sweep_store_mode mode, ibk_diag *diag);
void sweep_store_close(sweep_store *store); /* legal on NULL */

/* Is there a row with a result? One that ended in an error counts as none: it is played again. */
bool sweep_store_has(const sweep_store *store, size_t point);
/* In place of a row that is there. IBK_ERR_IO: it is not in the database, *diag tells why. */
ibk_err sweep_store_put(sweep_store *store, const sweep_row *row, ibk_diag *diag);
/* Every row, in the order of the points; `row` is borrowed for the call. Stops at the first error of `each`.
 */
ibk_err sweep_store_read(sweep_store *store, ibk_err (*each)(void *user, const sweep_row *row), void *user,
                         ibk_diag *diag);

#endif
