/* ibakelab: the key log of profile.md §6 (text, one record a line, '#' starts a comment, values in hex).
 *
 * The only place where secrets leave the process, and only when asked for (`--keylog`). The file is created
 * with mode 0600. Writer for the run, strict reader for `ibakelab decode`.
 */
#ifndef TRACE_KEYLOG_H
#define TRACE_KEYLOG_H

#include <ibake/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- writer ----------------------------------------------------------------------------------- */

typedef struct keylog_writer keylog_writer;

/* Creates or truncates `path` with mode 0600 and writes a comment line. */
ibk_err keylog_writer_open(keylog_writer **out, const char *path, ibk_diag *diag);

/* Writes a record, unless the same line was written before (parameters and private keys arrive at many
 * nodes). Has the type of ibk_env.keylog with `user` = the writer; NULL is legal. */
void keylog_write(void *writer, const ibk_keylog_record *record);

/* Flushes and closes; tells the first error that occurred. NULL is legal. */
ibk_err keylog_writer_close(keylog_writer *writer, ibk_diag *diag);

/* One record as text with its line end, appended to `out`. IBK_ERR_USAGE for an unknown kind. */
ibk_err keylog_format(ibk_buf *out, const ibk_keylog_record *record);
const char *keylog_kind_name(ibk_keylog_kind kind); /* "PRIV"; NULL if unknown */

/* ---- reader ----------------------------------------------------------------------------------- */

#define KEYLOG_MAX_OCTETS  ((size_t)64 << 20) /* limit on the file */
#define KEYLOG_MAX_RECORDS 1000000u

typedef struct keylog {
    ibk_keylog_record *records; /* spans point into storage of this object */
    size_t count;
    uint8_t *storage;
    size_t storage_len, capacity;
} keylog;

typedef struct keylog_where {
    size_t line, column; /* both from 1 */
} keylog_where;

/* Reads a whole key log. On failure *where (may be NULL) tells the place and `diag` why. `out` starts from
 * the zero value and is to be freed in both cases. */
ibk_err keylog_parse(keylog *out, ibk_span text, keylog_where *where, ibk_diag *diag);
ibk_err keylog_load(keylog *out, const char *path, keylog_where *where,
                    ibk_diag *diag); /* where.line 0: the file */
void keylog_free(keylog *log);       /* wipes */

/* First record of this kind with this CSB ID (X … AUTHKEY) at or after index `from`; `count` if none. */
size_t keylog_find(const keylog *log, ibk_keylog_kind kind, uint32_t csb_id, size_t from);

#ifdef __cplusplus
}
#endif
#endif
