/* The requirements of this folder's YAML files: loaded once, then read-only. check.c holds them against more
 * rules. */
#ifndef CONFORMANCE_REQUIREMENTS_H
#define CONFORMANCE_REQUIREMENTS_H

#include <stdbool.h>
#include <stddef.h>

typedef enum cr_level { CR_MUST = 0, CR_SHOULD, CR_MAY, CR_PROFILE } cr_level;

/* Bits of cr_requirement.roles. */
enum cr_role {
    CR_INITIATOR = 1,
    CR_RESPONDER = 2,
    CR_KMS = 4,
    CR_USER = 8, /* who asks a KMS */
    CR_MAILBOX = 16,
    CR_SDP = 32
};

typedef struct cr_requirement {
    const char *id;       /* "6267-37", "P-9" */
    const char *document; /* "RFC 6267", "profile" */
    const char *section;  /* "4.2.2.3" */
    cr_level level;
    unsigned roles;
    const char *text;
    const char *const *tested_by; /* globs of case names */
    size_t n_tested_by;
    const char *not_testable; /* "because …", or NULL */
    const char *file;         /* "rfc6267.yaml" */
    size_t line;              /* from 1 */
} cr_requirement;

typedef struct cr_set cr_set;

/* Loads every .yaml file of a directory, in the order of their names. NULL: `error` (of `size`) says what is
 * wrong, with file and line: unreadable, no YAML, an unknown, missing or repeated key, an unknown level or
 * role, both or neither of tested-by and not-testable, an ID that stands twice. */
cr_set *cr_load(const char *directory, char *error, size_t size);
void cr_free(cr_set *set); /* legal on NULL */

size_t cr_count(const cr_set *set);
const cr_requirement *cr_at(const cr_set *set, size_t index);
const cr_requirement *cr_find(const cr_set *set, const char *id); /* NULL: none */

const char *cr_level_name(cr_level level); /* "MUST" */
/* The name of one role's bit, "initiator"; NULL for another value. */
const char *cr_role_name(unsigned role);

#endif
