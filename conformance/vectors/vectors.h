/* ibakelab: test vectors as JSON files in the layout of Wycheproof (README.md). */
#ifndef CONFORMANCE_VECTORS_VECTORS_H
#define CONFORMANCE_VECTORS_VECTORS_H

#include <ibake/base.h>

size_t vectors_files(void);
const char *vectors_file_name(size_t index); /* "rfc5091_hash.json"; index below vectors_files() */

/* The text of a file, appended; the same octets at each call. IBK_ERR_INTERNAL: a result is not what the
 * generator expects, diag tells which. */
ibk_err vectors_generate(size_t index, ibk_buf *text, ibk_diag *diag);

typedef struct vectors_count {
    size_t valid, invalid; /* vectors that hold */
    size_t failed;
} vectors_count;

/* Called for each vector that does not hold; strings live for the call. */
typedef void vectors_report(void *user, unsigned tc_id, const char *comment, const char *why);

/* Computes every vector of a file and compares; adds to *count. IBK_ERR_BAD_TEXT: no file of vectors. */
ibk_err vectors_verify(ibk_span text, vectors_count *count, vectors_report *report, void *user,
                       ibk_diag *diag);

#endif
