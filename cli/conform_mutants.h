/* ibakelab conform --mutants: the suite against broken variants of our implementation (conformance/mutants).
 */
#ifndef CLI_CONFORM_MUTANTS_H
#define CLI_CONFORM_MUTANTS_H

#include "conformance/suite/run.h"
#include "reports/model.h"

#include <stdio.h>

typedef struct conform_mutants {
    const char *data;  /* the folder with conformance/mutants */
    const char *build; /* the build folder whose objects the variants are linked with */
    const char *glob;  /* which variants; NULL: all */
    const suite_case *const *cases;
    size_t n_cases;
    unsigned jobs;
    double limit; /* seconds for an answer; 0: 20 */
    FILE *out;
} conform_mutants;

/* Builds the variants, lets the suite judge each until the first failure (cases of the requirements that it
 * breaks come first), and prints the kill matrix. An exit status: CLI_OK if each was found, but for those
 * that are said to be equivalent; CLI_FAILED, CLI_BAD. *result, if it is wanted, is the kill matrix as a
 * result of kind mutants (docs/results.md), which the caller owns; NULL if nothing was judged. */
int conform_mutants_run(const conform_mutants *m, json_t **result);

#endif
