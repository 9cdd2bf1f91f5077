/* ibakelab: texts put together in a buffer of a fixed size, cut where it ends. */
#ifndef REPORTS_WORDS_H
#define REPORTS_WORDS_H

#include <stddef.h>

/* Appends to the text in `out`, which has room for `size` octets with the zero at its end. */
void words_add(char *out, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));

#endif
