/* One vector at work: its inputs by name, its results. Inside of the room. */
#ifndef CONFORMANCE_VECTORS_WORK_H
#define CONFORMANCE_VECTORS_WORK_H

#include "conformance/vectors/vectors.h"

#include <ibake/mikey.h>
#include <jansson.h>

#define WORK_KEPT 24

typedef struct work {
    const json_t *group, *test; /* a test's member stands before the group's of the same name */
    json_t *out;                /* results by name */
    const char *broken;         /* an input that is missing or of the wrong type; NULL: none */
    ibk_buf kept[WORK_KEPT];
    size_t n_kept;
    ibk_diag diag;
} work;

/* Inputs; a missing one sets `broken`. Octets live as long as the work. */
ibk_span work_octets(work *w, const char *name);
ibk_span work_element(work *w, const char *name,
                      size_t index); /* of an array of octets; empty: there is none */
unsigned work_number(work *w, const char *name);
int64_t work_integer(work *w, const char *name);
const char *work_text(work *w, const char *name);

/* Results. */
void work_put(work *w, const char *name, ibk_span octets);
void work_put_new(work *w, const char *name, json_t *value); /* takes the reference */
json_t *work_hex(ibk_span octets);

/* A function computes the results of a type of groups, or says why the input is invalid. */
typedef ibk_err work_op(work *w);
work_op *work_find(const char *type); /* NULL: unknown */
/* Runs it; `out` is a new object. IBK_ERR_USAGE: the vector is broken. */
ibk_err work_run(work *w, const json_t *group, const json_t *test);
void work_end(work *w);

/* What is wrong with an input: not that we have no memory, or that a vector is broken. */
bool work_is_invalid(ibk_err err);

work_op op_hash_to_range, op_hash_bytes, op_hash_to_point, op_pairing, op_extract, op_encrypt, op_decrypt,
    op_parameters, op_ciphertext, op_private_key;
work_op op_prf, op_derive, op_message, op_content, op_key_mgmt, op_point, op_exchange;

/* What the input "purpose" calls the keys of enum ibk_derive_kind, in its order. */
#define WORK_PURPOSES 9
extern const char *const work_purposes[WORK_PURPOSES];

/* Reproducible draws from a seed of octets; `counter` starts at 0. */
typedef struct seeded {
    ibk_span seed;
    uint64_t counter;
} seeded;
ibk_env seeded_env(seeded *s);

#endif
