/* The heap of a proof: storages of exactly the size that was asked for, of a few sizes. Included before the
 * code that allocates, whose malloc, realloc and free it takes the place of. An allocation may fail. */
#ifndef PROVE_STORE_H
#define PROVE_STORE_H

#include "nondet.h"

#include <stdlib.h>

void *prove_malloc(size_t size);
void *prove_realloc(void *old, size_t size);
void prove_free(void *p);

#define malloc  prove_malloc
#define realloc prove_realloc
#define free    prove_free

#endif
