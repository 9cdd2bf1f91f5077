/* ibakelab: texts put together. */
#include "reports/words.h"

#include "trace/trace.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void words_add(char *out, size_t size, const char *format, ...) {
    size_t used = strlen(out);
    va_list args;
    va_start(args, format);
    vsnprintf(out + used, size - used, format, args);
    va_end(args);
}

size_t words_character(const char *text, size_t len, bool *plain) {
    size_t octets = trace_utf8_len((const uint8_t *)text, len);
    unsigned char first = (unsigned char)*text;
    *plain = octets > 0 && first >= 0x20 && first != 0x7F && !(octets == 2 && words_c1(text));
    return octets ? octets : 1;
}

void words_show(FILE *out, const char *text, size_t len, const char *keep) {
    for (size_t octets; len; text += octets, len -= octets) {
        bool plain;
        octets = words_character(text, len, &plain);
        if (plain || (*text && strchr(keep, *text)))
            fwrite(text, 1, octets, out);
        else
            fputc('?', out);
    }
}
