/* ibakelab: XML in a buffer. */
#include "cli/xml.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void xml_put(xml_out *out, const char *markup) {
    if (!out->err)
        out->err = ibk_buf_append(&out->buf, markup, strlen(markup));
}

void xml_putf(xml_out *out, const char *format, ...) {
    char text[512]; /* callers append names and numbers */
    va_list args;
    va_start(args, format);
    int len = vsnprintf(text, sizeof text, format, args);
    va_end(args);
    if (len < 0 || (size_t)len >= sizeof text)
        out->err = out->err ? out->err : IBK_ERR_LIMIT;
    else
        xml_put(out, text);
}

void xml_text(xml_out *out, ibk_span text) {
    for (size_t i = 0; i < text.len && !out->err; i++) {
        uint8_t c = text.data[i];
        if (c < 0x20 || c > 0x7E)
            xml_putf(out, "\\x%02x", c);
        else
            xml_putf(out, strchr("&<>\"'", c) ? "&#x%02x;" : "%c", c);
    }
}

void xml_hex(xml_out *out, ibk_span octets, const char *between) {
    for (size_t i = 0; i < octets.len && !out->err; i++)
        xml_putf(out, "%s%02x", i ? between : "", octets.data[i]);
}
