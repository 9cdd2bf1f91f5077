/* ibakelab: ladders as pictures.
 */
#ifndef REPORTS_LADDER_DRAW_H
#define REPORTS_LADDER_DRAW_H

#include "reports/ladder_view.h"
#include <stdio.h>

typedef struct ladder_caption {
    const char *title;    /* "A first protected call" */
    const char *subtitle; /* "Call first: alice to bob"; may be NULL */
    size_t along_left_out;
} ladder_caption;

/* An SVG that stands alone: nodes across, time down; in light and dark. The same view gives the same octets.
 * Errors of writing stick to `out`. */
void ladder_svg(FILE *out, const ladder_view *v, const ladder_caption *caption);

/* The same as source for mscgen (www.mcternan.me.uk/mscgen). */
void ladder_mscgen(FILE *out, const ladder_view *v, const ladder_caption *caption);

/* "alice, bob": the names of some parties; at most size - 1 octets. */
void ladder_party_names(const ladder_view *v, uint32_t parties, char *out, size_t size);

#endif
