/* ibakelab: texts, put together and shown. What comes from outside (SIP, a scenario, an adapter, a file's
 * name) may hold characters that steer a terminal. */
#ifndef REPORTS_WORDS_H
#define REPORTS_WORDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Appends to the text in `out`, which has room for `size` octets with the zero at its end. */
void words_add(char *out, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));

/* Octets of the character with which `text` begins; `len` octets, at least one, are there. *plain: it can be
 * shown. Not so what steers a terminal (C0, DEL, and C1: U+0080 to U+009F), and an octet that is no UTF-8. */
size_t words_character(const char *text, size_t len, bool *plain);
/* Writes the text; what is not plain becomes '?', but for the characters in `keep` ("\n\t"). */
void words_show(FILE *out, const char *text, size_t len, const char *keep);
/* Is this well-formed UTF-8 at one of C1? For writers that have their own ways with all others. */
static inline bool words_c1(const char *text) {
    return (unsigned char)text[0] == 0xC2 && (unsigned char)text[1] < 0xA0;
}

#endif
