/* What the code under test costs: octets that it holds on the heap. The programs that link this wrap malloc,
 * calloc, realloc and free of everything that is linked statically (--wrap), so libibake's own are counted
 * and those of shared libraries are not. */
#ifndef FUZZ_WORLD_ACCOUNTS_H
#define FUZZ_WORLD_ACCOUNTS_H

#include <stddef.h>

size_t accounts_held(void);  /* octets held now */
size_t accounts_peak(void);  /* the most since accounts_mark */
void accounts_mark(void);    /* the peak becomes what is held now */
void accounts_pause(int on); /* what the laboratory itself makes meanwhile is not counted */
/* The nth allocation from now fails, once; 0: none. Returns how many were still to go before the one that was
 * to fail: 0 if it did. */
size_t accounts_fail(size_t nth);

#endif
