/* ibakelab: what stands for a mark of XML and HTML in a text or an attribute's value. */
#ifndef REPORTS_MARKUP_H
#define REPORTS_MARKUP_H

#include <stddef.h>

/* NULL: the character stands for itself. */
static inline const char *markup_entity(char c) {
    return c == '<' ? "&lt;" : c == '>' ? "&gt;" : c == '&' ? "&amp;" : c == '"' ? "&quot;" : NULL;
}

#endif
