/* Puts files of vectors together. Inside of the room. */
#ifndef CONFORMANCE_VECTORS_BUILD_H
#define CONFORMANCE_VECTORS_BUILD_H

#include "conformance/vectors/work.h"

#include <ibake/ibe.h>

typedef struct builder {
    json_t *notes, *groups, *group;
    unsigned tests;
    ibk_err err; /* the first thing that went wrong */
    ibk_diag *diag;
} builder;

/* A group from here on; takes `members` (NULL: none). */
void build_group(builder *b, const char *type, json_t *members);
/* A vector with these inputs (taken): its results are computed. The flag is explained in the notes of the
 * file. Returns the vector, borrowed; NULL after a failure. */
const json_t *build_valid(builder *b, const char *comment, json_t *inputs);
/* The same, of inputs that have to be refused for what the flag says. */
void build_invalid(builder *b, const char *comment, const char *flag, json_t *inputs);

json_t *text_hex(const char *text);  /* the octets of a text */
json_t *pattern_hex(size_t len);     /* 00 01 02 ... */
ibk_buf unhex_text(const char *hex); /* freed by the caller */
/* Octets that follow from `name` alone. */
json_t *drawn_hex(const char *name, size_t len);

/* Parameters and master secret of size n, made from a fixed seed. */
typedef struct domain {
    ibk_ibe_params *params;
    ibk_ibe_master *master;
    ibk_buf params_der, master_der;
} domain;
ibk_err domain_make(domain *d, unsigned n);
void domain_free(domain *d);
json_t *domain_key(const domain *d, const char *ibe_identity); /* its private key */

typedef void maker(builder *b);
maker make_hash, make_point, make_encryption, make_parameters, make_der, make_prf, make_messages,
    make_exchange, make_ecdh;

#endif
