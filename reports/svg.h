/* ibakelab: what the pictures share: SVG 1.1 text that stands alone, for light and dark backgrounds. */
#ifndef REPORTS_SVG_H
#define REPORTS_SVG_H

#include <ibake/base.h>
#include <stdio.h>

/* The opening of a picture with its title and description for screen readers, the style that all pictures
 * share (classes: see svg.c), and a background. `id` makes the references of the page it may be put into
 * unique. */
void svg_begin(FILE *out, const char *id, unsigned width, unsigned height, const char *title,
               const char *description);
void svg_end(FILE *out);

/* Character data or an attribute's value, escaped; what XML does not permit becomes U+FFFD. */
void svg_escaped(FILE *out, const char *text);
/* A line of text; `anchor`: "start", "middle" or "end". */
void svg_text(FILE *out, int x, int y, const char *classes, const char *anchor, const char *text);
/* The width in pixels that the text will have at most, or nearly so, in the fonts of the style. */
unsigned svg_width(const char *text, unsigned font_size, bool monospace);

#endif
