/* ibakelab: the parts of the HTML page; see html.h. */
#ifndef REPORTS_HTML_INTERNAL_H
#define REPORTS_HTML_INTERNAL_H

#include "reports/report.h"

#include <stdio.h>

/* Text as HTML shows it, also inside an attribute in quotes; NULL is nothing. */
void html_text(FILE *out, const char *text);

/* JSON for a <script> element that holds data: no '<' of it can end that element. */
void html_json(FILE *out, const char *json);

/* The tables of one item, for browsers that run no script. `index` makes the headings' ids unique. */
void html_tables(FILE *out, const report_item *item, size_t index);

/* gzip (RFC 1952) of `len` octets in base64, without a time in it: the same data, the same text.
 * IBK_ERR_NO_MEMORY; IBK_ERR_INTERNAL: zlib failed. */
ibk_err html_packed(FILE *out, const char *data, size_t len);

#endif
