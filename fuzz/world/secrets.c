#define _GNU_SOURCE // memmem
#include "world/secrets.h"

#include <stdio.h>
#include <string.h>

void secrets_add(secrets *s, ibk_span secret) {
    if (secret.len < SECRET_MIN || s->count >= SECRETS_MAX)
        return;
    for (size_t i = 0; i < s->count; i++)
        if (ibk_span_equal(ibk_buf_span(&s->octets[i]), secret))
            return;
    if (!ibk_buf_append_span(&s->octets[s->count], secret))
        s->count++;
}

static bool in_hex(ibk_span part, ibk_span output) {
    char hex[2 * SECRET_PART + 1];
    for (size_t i = 0; i < part.len; i++)
        snprintf(hex + 2 * i, 3, "%02x", part.data[i]);
    return memmem(output.data, output.len, hex, 2 * part.len) != NULL;
}

bool secrets_in(const secrets *s, ibk_span output) {
    for (size_t i = 0; i < s->count && output.len > 0; i++) {
        ibk_span part = ibk_buf_span(&s->octets[i]);
        part.len = part.len < SECRET_PART ? part.len : SECRET_PART;
        if (memmem(output.data, output.len, part.data, part.len) || in_hex(part, output))
            return true;
    }
    return false;
}

void secrets_free(secrets *s) {
    for (size_t i = 0; i < s->count; i++)
        ibk_buf_free(&s->octets[i]);
    *s = (secrets){0};
}
