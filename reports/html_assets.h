/* ibakelab: the page's script and style as reports/web/build.mjs made them. */
#ifndef REPORTS_HTML_ASSETS_H
#define REPORTS_HTML_ASSETS_H

#include <stddef.h>

typedef struct html_asset {
    const unsigned char *data;
    size_t size;
    const char *sha256; /* base64, for the Content-Security-Policy */
} html_asset;

extern const html_asset html_script, html_style;

#endif
