/* ibakelab: texts put together. */
#include "reports/words.h"

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
