/* ibakelab: what comes from outside, written so that it stays text; see html_internal.h. */
#include "reports/html_internal.h"
#include "reports/markup.h"
#include "reports/words.h"

#include <stdlib.h>
#include <string.h>
#include <zlib.h>

void html_text(FILE *out, const char *text) {
    for (const char *p = text ? text : ""; *p; p++) {
        unsigned char c = (unsigned char)*p;
        const char *entity = markup_entity(*p);
        if (entity)
            fputs(entity, out);
        else if (c == '\'')
            fputs("&#39;", out);
        else if ((c < 0x20 && c != '\n' && c != '\t') || c == 0x7F || words_c1(p))
            fputs("\xEF\xBF\xBD", out), p += words_c1(p); /* U+FFFD: HTML permits no control characters */
        else
            putc(c, out);
    }
}

void html_json(FILE *out, const char *json) {
    for (; *json; json++) {
        if (*json == '<')
            fputs("\\u003c", out); /* in JSON a '<' only stands in a string */
        else
            putc(*json, out);
    }
}

/* ---- gzip in base64 ------------------------------------------------------------------------------- */

typedef struct base64 {
    FILE *out;
    unsigned char held[3];
    size_t count, column;
} base64;

static void base64_flush(base64 *b) {
    static const char alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    if (!b->count)
        return;
    memset(b->held + b->count, 0, 3 - b->count);
    unsigned long bits = (unsigned long)b->held[0] << 16 | (unsigned long)b->held[1] << 8 | b->held[2];
    for (size_t i = 0; i < 4; i++)
        putc(i <= b->count ? alphabet[bits >> (18 - 6 * i) & 63] : '=', b->out);
    b->count = 0;
    if ((b->column += 4) >= 120) {
        putc('\n', b->out);
        b->column = 0;
    }
}

static void base64_write(base64 *b, const unsigned char *data, size_t len) {
    for (size_t i = 0; i < len; i++) {
        b->held[b->count++] = data[i];
        if (b->count == 3)
            base64_flush(b);
    }
}

ibk_err html_packed(FILE *out, const char *data, size_t len) {
    base64 text = {.out = out};
    unsigned char buffer[16384];
    z_stream z = {0};
    if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 9, Z_DEFAULT_STRATEGY) !=
        Z_OK) /* 16: gzip */
        return IBK_ERR_NO_MEMORY;
    int status = Z_OK;
    while (status == Z_OK) {
        if (!z.avail_in) { /* avail_in is 32 bits wide, `len` may not be */
            z.avail_in = len > 1u << 30 ? 1u << 30 : (uInt)len;
            z.next_in = (z_const Bytef *)data;
            data += z.avail_in;
            len -= z.avail_in;
        }
        z.next_out = buffer;
        z.avail_out = sizeof buffer;
        status = deflate(&z, len ? Z_NO_FLUSH : Z_FINISH);
        base64_write(&text, buffer, sizeof buffer - z.avail_out);
    }
    deflateEnd(&z);
    base64_flush(&text);
    return status == Z_STREAM_END ? IBK_OK : IBK_ERR_INTERNAL;
}
