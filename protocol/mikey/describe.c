#include "mikey/describe.h"
#include "mikey/payload.h"

#include <stdio.h>
#include <string.h>

enum { SHOWN = 96 }; /* octets of a long field that its text shows */

static void emit(ibk_desc *d, ibk_field *field) {
    field->offset = d->base + d->rd.pos;
    field->depth = d->depth;
    d->fn(d->user, field);
}

uint64_t ibk_desc_peek(ibk_desc *d, size_t width) {
    size_t at = d->rd.pos;
    uint64_t value = 0;
    uint8_t octet;
    for (size_t i = 0; i < width && ibk_rd_u8(&d->rd, &octet); i++)
        value = value << 8 | octet;
    d->rd.pos = at;
    return value;
}

size_t ibk_desc_left(const ibk_desc *d) {
    return ibk_rd_left(&d->rd);
}

void ibk_desc_skip(ibk_desc *d, size_t width) {
    ibk_span ignored;
    (void)ibk_rd_span(&d->rd, width, &ignored);
}

void ibk_desc_say(ibk_desc *d, const char *name, size_t width, uint64_t value, const char *text) {
    if (ibk_desc_left(d) < width)
        return;
    emit(d, &(ibk_field){.name = name, .len = width, .has_number = true, .number = value, .text = text});
    ibk_desc_skip(d, width);
}

static void number_text(char *text, size_t size, uint64_t value, ibk_name_fn *names) {
    if (names)
        snprintf(text, size, "%llu (%s)", (unsigned long long)value, names((uint8_t)value));
    else
        snprintf(text, size, "%llu", (unsigned long long)value);
}

uint8_t ibk_desc_u8(ibk_desc *d, const char *name, ibk_name_fn *names) {
    char text[64];
    uint8_t value = (uint8_t)ibk_desc_peek(d, 1);
    number_text(text, sizeof text, value, names);
    ibk_desc_say(d, name, 1, value, text);
    return value;
}

uint64_t ibk_desc_num(ibk_desc *d, const char *name, size_t width) {
    char text[32];
    uint64_t value = ibk_desc_peek(d, width);
    number_text(text, sizeof text, value, NULL);
    ibk_desc_say(d, name, width, value, text);
    return value;
}

void ibk_desc_bits(ibk_desc *d, const char *name, size_t width, uint64_t value, ibk_name_fn *names) {
    char text[64];
    number_text(text, sizeof text, value, names);
    if (ibk_desc_left(d) >= width)
        emit(d, &(ibk_field){.name = name, .len = width, .has_number = true, .number = value, .text = text});
}

static bool printable(ibk_span span) {
    for (size_t i = 0; i < span.len; i++)
        if (span.data[i] < 0x20 || span.data[i] > 0x7E)
            return false;
    return span.len > 0;
}

static void octets_text(char *text, size_t size, ibk_span span, bool as_text) {
    size_t n = 0;
    for (size_t i = 0; i < span.len && i < SHOWN; i++) {
        uint8_t c = span.data[i];
        bool plain = as_text && c >= 0x20 && c <= 0x7E && c != '\\';
        n += (size_t)snprintf(text + n, size - n, plain ? "%c" : as_text ? "\\x%02x" : "%02x", c);
    }
    if (span.len > SHOWN)
        snprintf(text + n, size - n, "…");
}

void ibk_desc_octets(ibk_desc *d, const char *name, size_t len, enum ibk_desc_style style) {
    size_t at = d->rd.pos;
    ibk_span span;
    if (len == 0 || !ibk_rd_span(&d->rd, len, &span))
        return;
    d->rd.pos = at;
    char text[SHOWN * 4 + 8] = "";
    octets_text(text, sizeof text, span,
                style == IBK_DESC_TEXT || (style == IBK_DESC_AUTO && printable(span)));
    emit(d, &(ibk_field){
                .name = name, .len = len, .secret = style == IBK_DESC_SECRET, .text = text, .octets = span});
    if (style == IBK_DESC_SECRET)
        ibk_wipe(text, sizeof text);
    ibk_desc_skip(d, len);
}

void ibk_desc_rest(ibk_desc *d, const char *name, enum ibk_desc_style style) {
    ibk_desc_octets(d, name, ibk_desc_left(d), style);
}

void ibk_desc_next(ibk_desc *d) {
    ibk_desc_u8(d, "next payload", ibk_payload_name);
}

void ibk_describe_payload(const ibk_payload *payload, ibk_field_fn *fn, void *user) {
    const ibk_payload_ops *ops = ibk_payload_ops_of(payload->type);
    if (!ops || payload->octets.len == 0)
        return;
    ibk_desc d = {.base = payload->offset, .fn = fn, .user = user};
    ibk_rd_init(&d.rd, payload->octets);
    ops->describe(&d);
}
