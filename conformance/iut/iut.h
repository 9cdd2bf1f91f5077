/* ibakelab: our implementation behind the contract of an implementation under test (conformance/IUT.md): JSON
 * lines in, JSON lines out, on libibake alone. */
#ifndef CONFORMANCE_IUT_H
#define CONFORMANCE_IUT_H

#include <ibake/base.h>
#include <stdio.h>

/* Answers requests from `in` on `out` until `in` ends. `version` is what hello tells. IBK_ERR_IO: an answer
 * could not be written, or a line not read; IBK_ERR_NO_MEMORY. What a request does wrong is answered, and is
 * no error here. */
ibk_err iut_serve(FILE *in, FILE *out, const char *version);

#endif
